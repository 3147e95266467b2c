//! The table of providers: rows and nothing else, and what is told of it elsewhere.

use std::collections::BTreeSet;

use super::scan::tokens;
use super::{Finding, Tree};

const TABLE: &str = "crates/instructor/src/provider/table.rs";
const README: &str = "README.md";
const BEGIN: &str = "<!-- providers:begin -->";
const END: &str = "<!-- providers:end -->";

/// Every provider's id and where its row is.
pub(super) fn ids(tree: &Tree) -> Vec<(String, usize)> {
    let Some(file) = tree.file(TABLE) else { return Vec::new() };
    let code = file.source.shipped.code.as_str();
    let values = code.match_indices("id:").filter_map(|(at, key)| {
        // `id:` as a whole word: `model_id:` is another field.
        let whole = code.get(..at)?.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let value = code.get(at + key.len()..)?.trim_start().strip_prefix('"')?.split('"').next()?;
        whole.then(|| (value.to_owned(), file.line(at)))
    });
    values.collect()
}

/// The table holds no logic, so that a new provider is one row. Its tests live beside the code that reads it.
pub(super) fn rows(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(TABLE) else { return Vec::new() };
    let tokens = tokens(&file.source.all.bare);
    let logic = tokens.iter().filter(|token| matches!(token.text, "fn" | "if" | "match"));
    logic.map(|token| file.finding(token.at, format!("the table is rows, without `{}`", token.text))).collect()
}

/// The list between the markers of README is that of the table.
pub(super) fn readme(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(README) else { return Vec::new() };
    let Some(begin) = file.text.find(BEGIN) else { return Vec::new() };
    let Some(end) = file.text.find(END).filter(|end| *end > begin) else {
        return vec![file.finding(begin, format!("`{BEGIN}` without `{END}` after it"))];
    };
    let block = file.text.get(begin + BEGIN.len()..end).unwrap_or_default();
    let first_line = file.line(begin);
    let listed: Vec<(&str, usize)> = block
        .lines()
        .enumerate()
        .flat_map(|(offset, line)| listed(line).into_iter().map(move |id| (id, first_line + offset)))
        .collect();

    let ids = ids(tree);
    let known: BTreeSet<&str> = ids.iter().map(|(id, _)| id.as_str()).collect();
    let told: BTreeSet<&str> = listed.iter().map(|(id, _)| *id).collect();
    let missing = known.difference(&told).map(|id| {
        let message = format!("provider `{id}` of {TABLE} is not listed");
        Finding::new(README, first_line, message)
    });
    let unknown = listed.iter().filter(|(id, _)| !known.contains(id)).map(|(id, line)| {
        let message = format!("`{id}` is no provider of {TABLE}");
        Finding::new(README, *line, message)
    });
    missing.chain(unknown).collect()
}

/// The ids of one line: what is in backticks and looks like an id; of a row of a table, in its first cell only.
fn listed(line: &str) -> Vec<&str> {
    let line = line.trim();
    let cell = line.strip_prefix('|').and_then(|row| row.split('|').next()).unwrap_or(line);
    let is_id = |text: &&str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c))
    };
    cell.split('`').skip(1).step_by(2).filter(is_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = r#"
/// One row a provider; if in doubt, `fn` and match.
pub(crate) static ROWS: &[Row] = &[
    // id: "commented"
    Row { id: "openai", name: "match this", model_id: "no" },
    Row { id: "lm-studio", ..ROW },
];"#;

    #[test]
    fn ids_come_from_rows() {
        assert_eq!(ids(&Tree::of(&[(TABLE, ROWS)])), [("openai".to_owned(), 5), ("lm-studio".to_owned(), 6)]);
        assert_eq!(ids(&Tree::of(&[])), []);
    }

    #[test]
    fn rows_are_good_and_logic_is_found() {
        assert_eq!(rows(&Tree::of(&[(TABLE, ROWS)])), []);
        let found = rows(&Tree::of(&[(TABLE, "const A: u8 = if x { 1 } else { 2 };\nfn f() { match x {} }")]));
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [1, 2, 2]);
    }

    #[test]
    fn a_readme_that_lists_the_table_is_good() {
        let table =
            format!("# x\n{BEGIN}\n| id | key |\n|---|---|\n| `openai` | `key` |\n| `lm-studio` | |\n{END}\n`other`");
        assert_eq!(readme(&Tree::of(&[(TABLE, ROWS), (README, &table)])), []);
        let prose = format!("{BEGIN}\n`openai` (key `OPENAI_API_KEY`), `lm-studio`\n{END}");
        assert_eq!(readme(&Tree::of(&[(TABLE, ROWS), (README, &prose)])), []);
        assert_eq!(readme(&Tree::of(&[(TABLE, ROWS), (README, "no markers, `x`")])), []);
    }

    #[test]
    fn a_readme_that_is_behind_is_found() {
        let old = format!("{BEGIN}\n| `openai` |\n| `gone` |\n{END}");
        let found = readme(&Tree::of(&[(TABLE, ROWS), (README, &old)]));
        assert_eq!(found.len(), 2);
        assert!(found[0].message.contains("lm-studio"));
        assert_eq!(found[1].line, 3);
        assert_eq!(readme(&Tree::of(&[(README, BEGIN)])).len(), 1);
    }
}
