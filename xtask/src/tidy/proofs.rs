//! Each line that tells what this library has in place of another's names a test that proves it.

use std::collections::BTreeSet;

use super::python::{BEGIN, DOCUMENT, END};
use super::{File, Finding, Tree};

/// Sections whose lines say why something is not there. A reason stands behind the colon.
const LEFT_OUT: &str = "## Left out";

/// Lines of tables and lists name a test that there is; what is left out has a reason.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.file(DOCUMENT) else { return Vec::new() };
    let tests = tests(tree);
    let mut findings = Vec::new();
    let (mut from_data, mut left_out, mut header) = (false, false, true);
    let mut at = 0;
    for line in document.text.split_inclusive('\n') {
        let (start, text) = (at, line.trim_end());
        at += line.len();
        if text == BEGIN || text == END {
            from_data = text == BEGIN;
            continue;
        }
        if text.starts_with("## ") {
            left_out = text.starts_with(LEFT_OUT);
        }
        let row = text.starts_with('|');
        // The two lines above the rows of a table.
        if row && header {
            header = !text.starts_with("|-");
            continue;
        }
        header |= !row;
        let item = text.starts_with("- ");
        if from_data || !(row || item) {
            continue;
        }
        let paragraph = if item { whole(document, start) } else { text };
        if left_out || is_left_out(paragraph) {
            if !has_reason(paragraph) {
                findings.push(
                    document.finding(start, "what is left out has its reason: after a colon, or in the last cell"),
                );
            }
        } else if !quoted(paragraph).any(|name| tests.contains(last(name)) || is_file(tree, name)) {
            findings.push(document.finding(start, "no test is named that proves this; put its name in backticks"));
        }
        for name in quoted(paragraph).filter(|name| is_name(last(name)) && !tests.contains(last(name))) {
            findings.push(document.finding(start, format!("there is no test `{name}`")));
        }
    }
    findings
}

/// Whether the second cell of a row says that there is no such thing here.
fn is_left_out(row: &str) -> bool {
    row.split('|').nth(2).is_some_and(|here| matches!(here.trim(), "no" | "not needed"))
}

fn has_reason(line: &str) -> bool {
    match line.strip_prefix('|') {
        Some(row) => row.split('|').nth(2).is_some_and(|notes| !notes.trim().is_empty()),
        None => line.contains(": "),
    }
}

/// An item of a list with the lines that belong to it.
fn whole(document: &File, start: usize) -> &str {
    let rest = document.text.get(start..).unwrap_or_default();
    let end = rest
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .find(|&at| rest.get(at..).is_none_or(|next| !next.starts_with("  ")));
    rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest)
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The function of `module::function`.
fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// Whether this is the name of a test as they are called here: a sentence of at least five words.
fn is_name(name: &str) -> bool {
    name.split('_').count() > 4
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// A file of tests.
fn is_file(tree: &Tree, name: &str) -> bool {
    name.contains("/tests/") && tree.file(name).is_some_and(File::is_rust)
}

/// The names of all functions under a test's attribute.
fn tests(tree: &Tree) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let mut is_test = false;
        for line in file.text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
                found.extend(name.split(['(', '<']).next());
                is_test = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: (&str, &str) = ("suite/tests/it/a.rs", "#[test]\nfn one_is_one_and_not_two() {}\n");

    fn lines(document: &str) -> Vec<usize> {
        check(&Tree::of(&[TESTS, (DOCUMENT, document)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_line_without_a_test_that_there_is_is_found() {
        let head = "| Python | here |\n|---|---|\n";
        assert!(
            lines(&format!("{head}| a | `b`; `a::one_is_one_and_not_two` |\n| c | `suite/tests/it/a.rs` |\n"))
                .is_empty()
        );
        assert_eq!(lines(&format!("{head}| a | b |\n")), [3]);
        // Neither a proof nor a name that may stand there.
        assert_eq!(lines(&format!("{head}| a | `two_is_two_and_not_one` |\n")), [3, 3]);
        assert_eq!(lines(&format!("{head}| a | `one_is_one_and_not_two`, `two_is_two_and_not_one` |\n")), [3]);
        assert!(lines(&format!("{BEGIN}\n{head}| a | b |\n{END}\n")).is_empty());
    }

    #[test]
    fn items_go_on_over_lines_and_what_is_left_out_has_a_reason() {
        assert_eq!(lines("## Better\n- a\n  `one_is_one_and_not_two`\n- b\n"), [4]);
        let head = "| Python | here | notes |\n|---|---|---|\n";
        assert_eq!(lines(&format!("{head}| a | no | nobody has it |\n| b | no | |\n")), [4]);
        assert_eq!(lines("## Left out on purpose\n- a: since b\n- c\n"), [3]);
    }
}
