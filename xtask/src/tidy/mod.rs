//! The invariants of the workspace, each as a function from the tree of files to findings.

mod files;
mod layers;
mod lints;
mod machine;
mod manifest;
mod names;
mod proofs;
pub(crate) mod python;
mod rooms;
mod scan;
mod surface;
mod table;
mod weight;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::Command;

use self::scan::Source;

/// One check over the whole tree.
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule { name: "mode-names", check: names::mode },
    Rule { name: "wire-names", check: names::wire },
    Rule { name: "table-rows", check: table::rows },
    Rule { name: "table-readme", check: table::readme },
    Rule { name: "python-tables", check: python::check },
    Rule { name: "proofs", check: proofs::check },
    Rule { name: "no-io", check: rooms::no_io },
    Rule { name: "transport-only", check: rooms::transport_only },
    Rule { name: "file-names", check: files::names },
    Rule { name: "file-length", check: files::length },
    Rule { name: "lints", check: lints::check },
    Rule { name: "non-exhaustive", check: surface::non_exhaustive },
    Rule { name: "layers", check: layers::modules },
    Rule { name: "leaf-crate", check: layers::leaf_crate },
    Rule { name: "reasons", check: manifest::reasons },
    Rule { name: "machine", check: machine::check },
];

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) offline: bool,
    pub(crate) verbose: bool,
}

/// What a run says.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<String>,
    pub(crate) rules: usize,
    pub(crate) files: usize,
}

/// Runs every rule on the files under `root`.
pub(crate) fn run(root: &Path, options: Options) -> io::Result<Report> {
    let tree = Tree::read(root)?;
    let mut report = Report { findings: Vec::new(), notes: Vec::new(), rules: RULES.len(), files: tree.files.len() };
    for rule in RULES {
        report.add(rule.name, (rule.check)(&tree));
    }
    for budget in weight::BUDGETS {
        report.rules += 1;
        let weighed = weight::weigh(root, budget, options.offline);
        report.notes.extend(weighed.note);
        report.add(weight::NAME, weighed.findings);
    }
    if options.verbose {
        report.notes.push(files::median(&tree));
    } else {
        report.notes.clear();
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, rule: &'static str, findings: Vec<Finding>) {
        self.notes.push(format!("{rule}: {}", findings.len()));
        self.findings.extend(findings.into_iter().map(|finding| Finding { rule, ..finding }));
    }
}

/// One place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
    rule: &'static str,
}

impl Finding {
    /// The rule's name is filled in by the one who ran it.
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into(), rule: "" }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} ({})", self.path, self.line, self.message, self.rule)
    }
}

/// One text file.
#[derive(Debug)]
struct File {
    /// From the root of the workspace, with `/`.
    path: String,
    text: String,
    /// Empty for files that are not Rust.
    source: Source,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let source = if path.ends_with(".rs") { Source::new(&text) } else { Source::default() };
        Self { path, text, source }
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The 1-based line of a byte offset.
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count()
    }

    fn finding(&self, at: usize, message: impl Into<String>) -> Finding {
        Finding::new(&self.path, self.line(at), message)
    }
}

/// All text files of the workspace.
#[derive(Debug)]
struct Tree {
    files: Vec<File>,
}

impl Tree {
    fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<File> = files.into_iter().map(|(path, text)| File::new(path, text)).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let tests: BTreeSet<String> = files.iter().flat_map(test_modules).collect();
        for file in &mut files {
            let in_tests = file.path.split('/').any(|part| part == "tests");
            if in_tests
                || Path::new(module(&file.path)).ancestors().any(|up| up.to_str().is_some_and(|up| tests.contains(up)))
            {
                file.source.blank_shipped();
            }
        }
        Self { files }
    }

    /// Reads what git knows of and what it does not ignore, so that a new file is checked before it is added.
    fn read(root: &Path) -> io::Result<Self> {
        let paths = match git_files(root) {
            Some(paths) => paths,
            None => walk(root)?,
        };
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            // A file that is listed but deleted, or that is no text, has nothing to say.
            match std::fs::read_to_string(root.join(&path)) {
                Ok(text) => files.push((path, text)),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {}
                Err(_) if root.join(&path).is_dir() => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
            }
        }
        Ok(Self::new(files))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }

    fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The Rust files of a module: `room.rs` and all under `room/`. A room that ends in `.rs` is that file alone.
    fn room<'a>(&'a self, room: &'a str) -> impl Iterator<Item = &'a File> {
        self.rust().filter(move |file| match file.path.strip_prefix(room) {
            Some(rest) => rest.is_empty() || rest == ".rs" || rest.starts_with('/'),
            None => false,
        })
    }
}

/// `a/b.rs` and `a/b/mod.rs` are `a/b`; a crate root is its folder.
fn module(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    ["/mod", "/lib", "/main"].iter().find_map(|root| stem.strip_suffix(root)).unwrap_or(stem)
}

/// The modules that a file declares under `#[cfg(test)]` and keeps in files of their own.
fn test_modules(file: &File) -> Vec<String> {
    let parent = module(&file.path);
    file.source.test_modules().iter().map(|name| format!("{parent}/{name}")).collect()
}

fn git_files(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let mut paths: Vec<String> = String::from_utf8(output.stdout)
        .ok()?
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(|path| path.to_owned())
        .collect();
    paths.sort();
    paths.dedup();
    Some(paths)
}

/// For a checkout without git, such as an unpacked archive.
fn walk(root: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !entry.file_type()?.is_dir() {
                paths.push(path);
            } else if !matches!(name.as_str(), ".git" | "target") {
                folders.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_clickable_line() {
        let finding = Finding { rule: "lints", ..Finding::new("a/b.rs", 3, "no") };
        assert_eq!(finding.to_string(), "a/b.rs:3: no (lints)");
    }

    #[test]
    fn rule_names_are_unique() {
        let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).chain([weight::NAME]).collect();
        assert_eq!(names.len(), RULES.len() + 1);
    }

    #[test]
    fn every_rule_is_content_with_an_empty_tree() {
        // Entries of the lists of exceptions are stale then, which is right: only those may be found.
        for rule in RULES {
            let found = (rule.check)(&Tree::of(&[]));
            assert!(found.iter().all(|finding| finding.message.starts_with("stale")), "{}: {found:?}", rule.name);
        }
    }

    #[test]
    fn test_files_are_known_by_folder_and_by_declaration() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "mod shown; #[cfg(test)] mod hidden;"),
            ("crates/a/src/shown.rs", "fn f() {}"),
            ("crates/a/src/hidden.rs", "fn g() {}"),
            ("crates/a/src/hidden/deeper.rs", "fn g() {}"),
            ("crates/a/tests/it/main.rs", "fn h() {}"),
        ]);
        let shipped = |path: &str| !tree.file(path).unwrap().source.shipped.bare.trim().is_empty();
        assert!(shipped("crates/a/src/lib.rs"));
        assert!(shipped("crates/a/src/shown.rs"));
        assert!(!shipped("crates/a/src/hidden.rs"));
        assert!(!shipped("crates/a/src/hidden/deeper.rs"));
        assert!(!shipped("crates/a/tests/it/main.rs"));
    }

    #[test]
    fn a_room_is_a_file_and_a_folder() {
        let tree = Tree::of(&[("s/run.rs", ""), ("s/run/mod.rs", ""), ("s/runner.rs", ""), ("s/mode.rs", "")]);
        let paths: Vec<&str> = tree.room("s/run").map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["s/run.rs", "s/run/mod.rs"]);
        assert_eq!(tree.room("s/mode.rs").count(), 1);
    }
}
