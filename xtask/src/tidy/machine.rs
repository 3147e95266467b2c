//! Nothing in the tree holds for one machine or one mirror only.

use super::{File, Finding, Tree};

/// Put together, so that this file does not hold them itself.
const HOSTS: &[&str] = &[concat!("crates", ".io"), concat!("pypi", ".org"), concat!("npmjs", ".org")];
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/t", "mp/"), concat!("/ro", "ot/")];

/// No host of a registry, no folder of a machine, in any text file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // Cargo writes where its packages come from into its lock files.
    let own = |file: &&File| file.path != ".gitignore" && !file.path.ends_with("Cargo.lock");
    tree.files.iter().filter(own).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let hosts = HOSTS.iter().flat_map(|host| file.text.match_indices(host));
    let folders = FOLDERS.iter().flat_map(|folder| file.text.match_indices(folder));
    // `target/<folder>` is below another folder, not at the root of a machine.
    let at_root = |at: usize| {
        let before = file.text.get(..at).unwrap_or_default().chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '}' | ')'))
    };
    let folders = folders.filter(|(at, _)| at_root(*at));
    hosts.chain(folders).map(|(at, text)| file.finding(at, format!("`{text}` holds for one machine only"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portable_tree_is_good() {
        let text = format!("registry+https://github.com/rust-lang/{}-index\nstd::env::temp_dir()", HOSTS[0]);
        let relative = format!("target{}x, ${{dir}}{}x", FOLDERS[1], FOLDERS[1]);
        assert_eq!(check(&Tree::of(&[("Cargo.lock", &text), ("README.md", &relative)])), []);
        assert_eq!(check(&Tree::of(&[(".gitignore", FOLDERS[1])])), []);
    }

    #[test]
    fn hosts_and_folders_are_found() {
        for text in HOSTS.iter().chain(FOLDERS) {
            let found = check(&Tree::of(&[("a.toml", &format!("\nx = \"{text}y\""))]));
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].line, 2);
        }
    }
}
