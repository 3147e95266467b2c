//! Public types that can grow without breaking their users.

use super::scan::{Token, closed, follow, text, tokens};
use super::{File, Finding, Tree};

const FOLDERS: &[&str] = &["crates/instructor/src", "crates/instructor-json/src"];
const PRIVATE: &str = "crates/instructor/src/__private.rs";

/// A type that is complete as it is: file, name, reason.
type Complete = (&'static str, &'static str, &'static str);

const COMPLETE: &[Complete] = &[
    ("crates/instructor/src/__private.rs", "Step", "a path has keys and indices, and derive output builds it"),
    ("crates/instructor/src/model.rs", "Foreign", "a transparent wrapper: its users build it and take it apart"),
    ("crates/instructor/src/stream/field.rs", "Field", "a value has these three states, and users match on them"),
    ("crates/instructor/src/stream/value.rs", "PartialValue", "JSON has these six"),
    ("crates/instructor-json/src/document.rs", "Kind", "JSON has these six"),
    ("crates/instructor-json/src/document.rs", "Step", "a JSON path has keys and indices"),
];

/// Public enums, and structs with public fields, are `#[non_exhaustive]` or listed.
pub(super) fn non_exhaustive(tree: &Tree) -> Vec<Finding> {
    growing(tree, COMPLETE)
}

fn growing(tree: &Tree, complete: &[Complete]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; complete.len()];
    for file in FOLDERS.iter().flat_map(|folder| tree.room(folder)) {
        for item in items(&file.source.shipped.bare).iter().filter(|item| item.fixed) {
            if file.path == PRIVATE && item.tuple {
                continue;
            }
            let listed = complete.iter().position(|(path, name, _)| *path == file.path && *name == item.name);
            match listed.and_then(|index| used.get_mut(index)) {
                Some(used) => *used = true,
                None => findings.push(problem(file, item)),
            }
        }
    }
    let stale = complete.iter().zip(used).filter(|(_, used)| !used).map(|((path, name, _), _)| {
        let message = format!("stale entry of the list of complete types: `{name}` needs none or is gone");
        Finding::new(*path, 1, message)
    });
    findings.extend(stale);
    findings
}

fn problem(file: &File, item: &Item<'_>) -> Finding {
    let message = format!("`{}` is public and cannot grow: `#[non_exhaustive]`, or list it with a reason", item.name);
    file.finding(item.at, message)
}

/// A public enum or struct.
#[derive(Debug)]
struct Item<'a> {
    name: &'a str,
    at: usize,
    tuple: bool,
    /// Its users can take it apart, so that a new variant or field breaks them.
    fixed: bool,
}

fn items(bare: &str) -> Vec<Item<'_>> {
    let tokens = tokens(bare);
    let mut items = Vec::new();
    let mut marked = false;
    let mut index = 0;
    while index < tokens.len() {
        if follow(&tokens, index, &["#", "["]) {
            marked |= text(&tokens, index + 2) == "non_exhaustive";
            index = closed(&tokens, index + 1);
            continue;
        }
        if text(&tokens, index) == "pub" && matches!(text(&tokens, index + 1), "enum" | "struct") {
            items.extend(item(&tokens, index, marked));
        }
        marked = false;
        index += 1;
    }
    items
}

fn item<'a>(tokens: &[Token<'a>], index: usize, marked: bool) -> Option<Item<'a>> {
    let is_enum = text(tokens, index + 1) == "enum";
    let name = tokens.get(index + 2).filter(|name| name.is_name())?;
    let body = body(tokens, index + 3)?;
    let tuple = text(tokens, body) == "(";
    let inside = tokens.get(body..closed(tokens, body)).unwrap_or_default();
    let public = (0..inside.len()).any(|at| text(inside, at) == "pub" && text(inside, at + 1) != "(");
    Some(Item { name: name.text, at: name.at, tuple, fixed: !marked && (is_enum || public) })
}

/// The index of the bracket that opens the fields or variants, after generics and bounds; nothing for a unit struct.
fn body(tokens: &[Token<'_>], mut index: usize) -> Option<usize> {
    let mut angles = 0_usize;
    let mut bounds = false;
    loop {
        match tokens.get(index)?.text {
            "<" => angles += 1,
            // The arrow of `Fn() -> T` closes nothing.
            ">" if text(tokens, index - 1) != "-" => angles = angles.saturating_sub(1),
            "where" => bounds = true,
            ";" if angles == 0 => return None,
            "{" if angles == 0 => return Some(index),
            "(" if angles == 0 && !bounds => return Some(index),
            "(" | "[" | "{" => {
                index = closed(tokens, index);
                continue;
            }
            _ => {}
        }
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/instructor/src/a.rs";

    fn found(path: &str, text: &str) -> Vec<String> {
        growing(&Tree::of(&[(path, text)]), &[]).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn types_that_can_grow_are_good() {
        for text in [
            "#[derive(Debug)] #[non_exhaustive] pub enum A { B }",
            "#[non_exhaustive]\n#[derive(Debug)]\npub struct A { pub b: u8 }",
            "pub struct A { b: u8, pub(crate) c: u8 }",
            "pub struct A<T: Fn(u8) -> u8>(T);",
            "pub struct A;",
            "pub struct A<T>(pub(crate) T) where T: Fn(u8);",
            "pub(crate) enum A { B }",
            "enum A { B }",
            "#[cfg(test)] mod tests { pub enum A { B } }",
        ] {
            assert!(found(FILE, text).is_empty(), "{text}");
        }
        assert!(found("crates/instructor-cli/src/a.rs", "pub enum A { B }").is_empty());
    }

    #[test]
    fn types_that_cannot_are_found() {
        for text in [
            "pub enum A { B }",
            "#[non_exhaustive] pub enum Z { B } #[derive(Debug)] pub enum A { B }",
            "pub struct A<T: Fn(u8) -> u8 = B> { b: T, pub c: u8 }",
            "pub struct A(pub u8);",
            "pub struct A<T> where T: Fn(u8) -> (u8) { pub t: T }",
        ] {
            assert_eq!(found(FILE, text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_only_derive_output_names_may_be_a_tuple() {
        assert!(found(PRIVATE, "pub struct A(pub u8);").is_empty());
        assert_eq!(found(PRIVATE, "pub enum A { B }").len(), 1);
    }

    #[test]
    fn a_listed_type_is_good_until_the_entry_is_stale() {
        let list: &[Complete] = &[(FILE, "A", "why")];
        assert_eq!(growing(&Tree::of(&[(FILE, "pub enum A { B }")]), list), []);
        assert_eq!(growing(&Tree::of(&[(FILE, "#[non_exhaustive] pub enum A { B }")]), list).len(), 1);
        assert_eq!(growing(&Tree::of(&[]), list).len(), 1);
    }
}
