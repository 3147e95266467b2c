//! What the compiler cannot be asked: that no lint is switched off, and that each expectation says why.

use super::scan::{Token, closed, follow, text, tokens};
use super::{File, Finding, Tree};

const FOLDERS: &[&str] = &["crates/", "bench/", "xtask/"];
const QUOTES: &[&str] = &["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

/// No `unsafe`, no `allow`, no `expect` without a reason. Tests included.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.rust().filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder)));
    sources.filter(|file| !file.path.contains("/tests/data/")).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tokens = tokens(&file.source.all.bare);
    // The index up to which tokens are written for someone else's crate.
    let mut quoted = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.text == "unsafe" {
            findings.push(file.finding(token.at, "`unsafe`"));
        } else if QUOTES.contains(&token.text) && text(&tokens, index + 1) == "!" {
            quoted = quoted.max(closed(&tokens, index + 2));
        } else if let Some(attribute) = attribute(&tokens, index) {
            // Generated code may allow: there an expectation that is not met would be the user's warning.
            let generated = index < quoted;
            findings.extend(attribute_problem(attribute, generated).map(|why| file.finding(token.at, why)));
        }
    }
    findings
}

/// The tokens inside `#[..]` or `#![..]`.
fn attribute<'t, 'a>(tokens: &'t [Token<'a>], index: usize) -> Option<&'t [Token<'a>]> {
    let open = match () {
        () if follow(tokens, index, &["#", "["]) => index + 1,
        () if follow(tokens, index, &["#", "!", "["]) => index + 2,
        () => return None,
    };
    tokens.get(open + 1..closed(tokens, open))
}

fn attribute_problem(attribute: &[Token<'_>], generated: bool) -> Option<&'static str> {
    if !matches!(text(attribute, 0), "allow" | "expect" | "cfg_attr") {
        return None;
    }
    let at = |name: &str| (0..attribute.len()).find(|&index| follow(attribute, index, &[name, "("]));
    if at("allow").is_some() && !generated {
        return Some("`allow`; write `#[expect(.., reason = \"..\")]`, which tells when it is not needed any more");
    }
    let expected = at("expect").and_then(|index| attribute.get(index + 1..closed(attribute, index + 1)))?;
    let reason = (0..expected.len()).any(|index| follow(expected, index, &["reason", "="]));
    (!reason).then_some("`expect` without a reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of(&[("crates/a/src/b.rs", text)])).len()
    }

    #[test]
    fn reasons_are_good() {
        assert_eq!(found("#![expect(clippy::x, reason = \"y\")]\n#[expect(a, b, reason = \"c\")] fn f() {}"), 0);
        assert_eq!(found("#[cfg_attr(a, expect(b, reason = \"c\"))] fn f() { x.expect(\"unsafe\"); allow(y); }"), 0);
        assert_eq!(found("// #[allow(x)] unsafe\n#[deny(unsafe_code)] fn f() {}"), 0);
        assert_eq!(found("quote! { #[allow(clippy::all)] impl X {} }"), 0);
    }

    #[test]
    fn what_is_switched_off_is_found() {
        assert_eq!(found("unsafe { x }"), 1);
        assert_eq!(found("#[allow(dead_code)] fn f() {}"), 1);
        assert_eq!(found("#![allow(dead_code)]"), 1);
        assert_eq!(found("#[cfg_attr(a, allow(b))] fn f() {}"), 1);
        assert_eq!(found("#[expect(dead_code)] fn f() {}"), 1);
        assert_eq!(found("#[cfg(test)] mod tests { #[allow(x)] fn f() {} }"), 1);
        assert_eq!(found("fn f() { quote!(a) } #[allow(x)] fn g() {}"), 1);
    }
}
