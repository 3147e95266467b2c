//! A file is one idea: it has a name that says which, and a length that one can read.

use super::{File, Finding, Tree};

const FOLDERS: &[&str] = &["crates/", "bench/", "xtask/"];
const VAGUE: &[&str] = &["utils", "helpers", "common", "misc"];
const MOST_LINES: usize = 600;

/// Files that are longer, with the reason.
const LONG: &[(&str, &str)] = &[];

fn ours(path: &str) -> bool {
    FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// No file and no folder with a name that fits anything.
pub(super) fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut folders: Vec<&str> = Vec::new();
    for file in tree.files.iter().filter(|file| ours(&file.path)) {
        let mut end = 0;
        for part in file.path.split('/') {
            end += part.len();
            let whole = file.path.get(..end).unwrap_or_default();
            end += 1;
            let is_file = end > file.path.len();
            let stem = if is_file { part.strip_suffix(".rs").unwrap_or_default() } else { part };
            if VAGUE.contains(&stem) && !folders.contains(&whole) {
                folders.push(whole);
                findings.push(Finding::new(whole, 1, format!("`{stem}` names no idea; name the file after its own")));
            }
        }
    }
    findings
}

/// No file over the limit without a reason, and no reason without such a file.
pub(super) fn length(tree: &Tree) -> Vec<Finding> {
    over(tree, LONG)
}

fn over(tree: &Tree, long: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, lines) in lengths(tree) {
        if lines > MOST_LINES && !long.iter().any(|(path, _)| *path == file.path) {
            let message = format!("{lines} code lines, over {MOST_LINES}; split it, or list it with a reason");
            findings.push(Finding::new(&file.path, 1, message));
        }
    }
    for (path, reason) in long {
        let length = lengths(tree).find(|(file, _)| file.path == *path);
        let why = match length {
            _ if reason.trim().is_empty() => "stale entry of the list of long files: it gives no reason",
            None => "stale entry of the list of long files: there is no such file",
            Some((_, lines)) if lines <= MOST_LINES => "stale entry of the list of long files: it is not long any more",
            Some(_) => continue,
        };
        findings.push(Finding::new(*path, 1, why));
    }
    findings
}

fn lengths(tree: &Tree) -> impl Iterator<Item = (&File, usize)> {
    let sources = tree.rust().filter(|file| ours(&file.path) && !file.path.contains("/tests/data/"));
    sources.map(|file| (file, file.source.all.code.lines().filter(|line| !line.trim().is_empty()).count()))
}

/// For information.
pub(super) fn median(tree: &Tree) -> String {
    let mut lines: Vec<usize> = lengths(tree).map(|(_, lines)| lines).collect();
    lines.sort_unstable();
    match lines.get(lines.len() / 2) {
        Some(median) => format!("file length: median {median} code lines, longest {}", lines.last().unwrap_or(&0)),
        None => "file length: no files".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vague_names_are_found_once() {
        let tree = Tree::of(&[
            ("crates/a/src/utils.rs", ""),
            ("crates/a/tests/common/mod.rs", ""),
            ("crates/a/tests/common/other.rs", ""),
            ("bench/src/misc/a.txt", ""),
        ]);
        let found: Vec<String> = names(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["bench/src/misc", "crates/a/src/utils.rs", "crates/a/tests/common"]);
    }

    #[test]
    fn other_names_are_good() {
        let tree = Tree::of(&[("crates/a/src/commonmark.rs", ""), ("crates/a/misc.json", ""), ("docs/misc/a.rs", "")]);
        assert_eq!(names(&tree), []);
    }

    fn lines(count: usize) -> String {
        "// why\n\nlet x = 1; // one\n/* a\nb */\n".repeat(count)
    }

    #[test]
    fn only_code_lines_count() {
        assert_eq!(over(&Tree::of(&[("crates/a/src/b.rs", &lines(600))]), &[]), []);
        assert_eq!(over(&Tree::of(&[("crates/a/src/b.rs", &lines(601))]), &[]).len(), 1);
        assert_eq!(over(&Tree::of(&[("crates/a/tests/data/b.rs", &lines(601))]), &[]), []);
    }

    #[test]
    fn a_listed_file_is_good_until_the_entry_is_stale() {
        let list = &[("crates/a/src/b.rs", "one table")];
        assert_eq!(over(&Tree::of(&[("crates/a/src/b.rs", &lines(601))]), list), []);
        assert_eq!(over(&Tree::of(&[("crates/a/src/b.rs", &lines(6))]), list).len(), 1);
        assert_eq!(over(&Tree::of(&[]), list).len(), 1);
        let no_reason = &[("crates/a/src/b.rs", " ")];
        assert_eq!(over(&Tree::of(&[("crates/a/src/b.rs", &lines(601))]), no_reason).len(), 1);
    }

    #[test]
    fn the_median_is_told() {
        let tree = Tree::of(&[("xtask/a.rs", &lines(1)), ("xtask/b.rs", &lines(5)), ("xtask/c.rs", &lines(9))]);
        assert_eq!(median(&tree), "file length: median 5 code lines, longest 9");
    }
}
