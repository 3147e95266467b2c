//! Each dependency of the workspace says what it is for.

use super::{Finding, Tree};

const MANIFEST: &str = "Cargo.toml";
const SECTION: &str = "[workspace.dependencies";

/// Each line of `[workspace.dependencies]` has a reason; the workspace's own crates need none.
pub(super) fn reasons(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(MANIFEST) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut inside = false;
    for (index, line) in file.text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            inside = line.starts_with(&format!("{SECTION}]"));
            if line.starts_with(&format!("{SECTION}.")) {
                findings.push(Finding::new(MANIFEST, index + 1, "write a dependency as one line, with its reason"));
            }
            continue;
        }
        let (entry, reason) = split(line);
        let Some((name, value)) = entry.split_once('=').filter(|_| inside) else { continue };
        if reason.is_empty() && !value.contains("path =") {
            let message = format!("`{}` has no reason: `# why` at the end of its line", name.trim());
            findings.push(Finding::new(MANIFEST, index + 1, message));
        }
    }
    findings
}

/// The entry and its comment; a `#` inside quotes is none.
fn split(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => {
                return (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default().trim());
            }
            _ => {}
        }
    }
    (line, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<usize> {
        reasons(&Tree::of(&[(MANIFEST, text)])).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn dependencies_with_reasons_are_good() {
        let text = "[workspace]\nmembers = []\n[workspace.dependencies]\n# -- ours --\nown = { path = \"x\" }\n\n\
                    a = \"1\"  # why\nb = { version = \"1\" } # why\n[profile.dev]\ndebug = 1\n";
        assert!(found(text).is_empty());
    }

    #[test]
    fn dependencies_without_are_found() {
        let text = "[workspace.dependencies]\na = \"1\"\nb = \"1\" #\nc = \"#\"\n[workspace.dependencies.d]\nversion = \"1\"\n";
        assert_eq!(found(text), [2, 3, 4, 5]);
    }
}
