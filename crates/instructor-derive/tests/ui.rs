//! What the macros and traits say to someone who used them wrongly.

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/derive/*.rs");
    cases.compile_fail("tests/ui/distil/*.rs");
    cases.compile_fail("tests/ui/model/*.rs");
    cases.compile_fail("tests/ui/partial/*.rs");
}
