//! What Python Instructor has, from data, in the tables of a document.

use super::{Finding, Tree, table};

pub(crate) const DOCUMENT: &str = "COMPATIBILITY.md";
pub(crate) const MODES: &str = "suite/tests/data/python/modes.tsv";
pub(crate) const PROVIDERS: &str = "suite/tests/data/python/providers.tsv";
pub(crate) const BEGIN: &str = "<!-- python:begin -->";
pub(crate) const END: &str = "<!-- python:end -->";

/// The modes that have a column, and ours.
const COLUMNS: [(&str, &str); 5] = [
    ("TOOLS", "tools"),
    ("JSON", "json"),
    ("JSON_SCHEMA", "schema"),
    ("MD_JSON", "md_json"),
    ("PARALLEL_TOOLS", "parallel_tools"),
];

/// The rows of a table with tabs; comments have a `#` at their start.
fn rows<const N: usize>(text: &str) -> impl Iterator<Item = [&str; N]> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| {
        let mut cells = line.split('\t');
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    })
}

/// Both tables, from the two files.
pub(crate) fn tables(modes: &str, providers: &str) -> String {
    let mut out = String::from("| provider | row here |");
    for (python, ours) in COLUMNS {
        out.push_str(&format!(" `{python}` is `{ours}` |"));
    }
    out.push_str(" notes |\n|---|---|---|---|---|---|---|---|\n");
    for [python, row, has, lacks, note] in rows(providers) {
        let page = if python.ends_with('*') { " (a page of its documentation)" } else { "" };
        out.push_str(&format!("| `{}`{page} | `{row}` |", python.trim_end_matches('*')));
        for (mode, _) in COLUMNS {
            let among = |modes: &str| modes.split(' ').any(|one| one == mode);
            let (word, mark) = (if among(has) { "yes" } else { "new" }, if among(lacks) { "¹" } else { "" });
            out.push_str(&format!(" {word}{mark} |"));
        }
        out.push_str(&format!(" {note} |\n"));
    }
    out.push_str("\n| mode | in 1.17 | here | notes |\n|---|---|---|---|\n");
    for [name, _, there, ours, note] in rows(modes) {
        let note = note.trim_start_matches(|c: char| c == '(' || c == ')' || c.is_whitespace());
        out.push_str(&format!("| `{name}` | {there} | `{ours}` | {note} |\n"));
    }
    out
}

/// A text with other tables between the markers, if it has them.
pub(crate) fn with_tables(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", tables.trim_end()))
}

/// The tables of the document are those of the data, and the rows that they name are there.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let [Some(document), Some(modes), Some(providers)] = [DOCUMENT, MODES, PROVIDERS].map(|path| tree.file(path))
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let written = with_tables(&document.text, &tables(&modes.text, &providers.text));
    if written.is_none_or(|written| written != document.text) {
        let at = document.text.find(BEGIN).unwrap_or_default();
        findings.push(document.finding(at, format!("not what {PROVIDERS} and {MODES} say; run `cargo xtask gen`")));
    }
    let ids = table::ids(tree);
    for [python, row, ..] in rows::<5>(&providers.text) {
        if !ids.iter().any(|(id, _)| id == row) {
            let at = providers.text.find(python).unwrap_or_default();
            findings.push(providers.finding(at, format!("`{row}` is no provider of the table")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: (&str, &str) = ("crates/instructor/src/provider/table.rs", r#"Row { id: "gemini" }"#);
    const TOLD: (&str, &str) = (PROVIDERS, "# comment\ngoogle\tgemini\tTOOLS JSON\tJSON MD_JSON\tn\n");
    const NAMES: (&str, &str) = (MODES, "COHERE_JSON_SCHEMA\tjson_object\tJSON_SCHEMA\tschema\t(json) v\n");

    #[test]
    fn a_document_that_is_behind_is_found() {
        let told = tables(NAMES.1, TOLD.1);
        assert!(told.contains("| `google` | `gemini` | yes | yes¹ | new | new¹ | new | n |\n"), "{told}");
        let good = with_tables(&format!("# x\n{BEGIN}\n{END}\ny\n"), &told).unwrap();
        assert_eq!(check(&Tree::of(&[TABLE, TOLD, NAMES, (DOCUMENT, &good)])), []);
        let old = good.replace("| yes |", "| no |");
        assert_eq!(check(&Tree::of(&[TABLE, TOLD, NAMES, (DOCUMENT, &old)])).len(), 1);
        assert_eq!(check(&Tree::of(&[TABLE, TOLD, NAMES, (DOCUMENT, "no markers")])).len(), 1);
    }

    #[test]
    fn a_row_that_is_gone_is_found() {
        let good = with_tables(&format!("{BEGIN}{END}"), &tables(NAMES.1, TOLD.1)).unwrap();
        let found = check(&Tree::of(&[TOLD, NAMES, (DOCUMENT, &good)]));
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
    }
}
