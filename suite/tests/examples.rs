//! The library's examples: each runs against its script and asserts what comes of it.

#[path = "../../crates/instructor/examples/action_items.rs"]
mod action_items;
#[path = "../../crates/instructor/examples/citations.rs"]
mod citations;
#[path = "../../crates/instructor/examples/classification.rs"]
mod classification;
#[path = "../../crates/instructor/examples/entity_resolution.rs"]
mod entity_resolution;
#[path = "../../crates/instructor/examples/knowledge_graph.rs"]
mod knowledge_graph;
#[path = "../../crates/instructor/examples/moderation.rs"]
mod moderation;
#[path = "../../crates/instructor/examples/pii.rs"]
mod pii;
#[path = "../../crates/instructor/examples/receipts.rs"]
mod receipts;
#[path = "../../crates/instructor/examples/search_planning.rs"]
mod search_planning;
#[path = "../../crates/instructor/examples/self_critique.rs"]
mod self_critique;
#[path = "../../crates/instructor/examples/tables.rs"]
mod tables;

/// A test for each example.
macro_rules! run {
    ($($example:ident),+ $(,)?) => {
        $(
            #[test]
            fn $example() {
                crate::$example::main().unwrap();
            }
        )+

        const RUN: &[&str] = &[$(stringify!($example)),+];
    };
}

run! {
    action_items,
    citations,
    classification,
    entity_resolution,
    knowledge_graph,
    moderation,
    pii,
    receipts,
    search_planning,
    self_critique,
    tables,
}

#[test]
fn none_is_left_out_and_each_is_short() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/instructor/examples");
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = String::from(path.file_stem().unwrap().to_str().unwrap());
        // What a newcomer runs by hand.
        if name != "quickstart" {
            let lines = std::fs::read_to_string(&path).unwrap().lines().filter(|line| !line.trim().is_empty()).count();
            assert!(lines < 60, "{name} has {lines} lines");
            found.push(name);
        }
    }
    found.sort_unstable();
    assert_eq!(found, RUN);
}
