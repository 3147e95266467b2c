//! How many crates a user gets with the library.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::Finding;

pub(super) const NAME: &str = "dependency-count";

const PACKAGE: &str = "instructor-rs";
const MANIFEST: &str = "crates/instructor/Cargo.toml";

/// The most crates under one choice of features.
pub(super) struct Budget {
    what: &'static str,
    features: &'static [&'static str],
    most: usize,
}

pub(super) const BUDGETS: &[Budget] = &[
    Budget { what: "without a transport", features: &["--no-default-features", "--features", "derive"], most: 45 },
    Budget { what: "default features", features: &[], most: 110 },
];

/// What one budget says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Weighed {
    pub(super) findings: Vec<Finding>,
    pub(super) note: Option<String>,
}

/// Asks cargo. A tree that cannot be had is a finding: a budget that was not checked is not kept.
pub(super) fn weigh(root: &Path, budget: &Budget, offline: bool) -> Weighed {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["tree", "--edges", "normal", "--prefix", "none", "--package", PACKAGE]);
    command.args(budget.features).current_dir(root);
    if offline {
        command.arg("--offline");
    }
    match command.output() {
        Ok(output) if output.status.success() => judge(budget, &String::from_utf8_lossy(&output.stdout)),
        Ok(output) => failed(budget, &String::from_utf8_lossy(&output.stderr)),
        Err(error) => failed(budget, &error.to_string()),
    }
}

fn failed(budget: &Budget, why: &str) -> Weighed {
    let why: Vec<&str> = why.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let message = format!("{}: `cargo tree` failed, nothing was counted: {}", budget.what, why.join("; "));
    Weighed { findings: vec![Finding::new(MANIFEST, 1, message)], note: None }
}

fn judge(budget: &Budget, output: &str) -> Weighed {
    let crates = crates(output);
    let Budget { what, most, .. } = budget;
    let count = crates.len();
    let mut findings = Vec::new();
    if !output.lines().any(|line| line.split(' ').next() == Some(PACKAGE)) {
        return failed(budget, "its output does not name the package");
    }
    if count > *most {
        let names: Vec<&str> = crates.iter().map(|(name, _)| *name).collect();
        let message = format!("{what}: {count} crates, at most {most} are allowed: {}", names.join(", "));
        findings.push(Finding::new(MANIFEST, 1, message));
    }
    Weighed { findings, note: Some(format!("{what}: {count} of at most {most} crates")) }
}

/// The crates of `cargo tree --prefix none`, each version once, without the package itself.
fn crates(output: &str) -> BTreeSet<(&str, &str)> {
    let lines = output.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    lines.filter(|(name, version)| *name != PACKAGE && version.starts_with('v')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
instructor-rs v0.1.0 (/a/crates/instructor)
bytes v1.10.0
http v1.3.1
bytes v1.10.0
syn v2.0.0 (proc-macro)
syn v3.0.0 (proc-macro) (*)

";

    const fn at_most(most: usize) -> Budget {
        Budget { what: "x", features: &[], most }
    }

    #[test]
    fn each_version_counts_once() {
        let names: Vec<_> = crates(OUTPUT).into_iter().collect();
        assert_eq!(names, [("bytes", "v1.10.0"), ("http", "v1.3.1"), ("syn", "v2.0.0"), ("syn", "v3.0.0")]);
    }

    #[test]
    fn a_tree_within_its_budget_is_good() {
        let weighed = judge(&at_most(4), OUTPUT);
        assert_eq!(weighed.findings, []);
        assert_eq!(weighed.note.as_deref(), Some("x: 4 of at most 4 crates"));
    }

    #[test]
    fn a_tree_over_its_budget_is_found() {
        let weighed = judge(&at_most(3), OUTPUT);
        assert_eq!(weighed.findings.len(), 1);
        assert!(weighed.findings[0].message.contains("4 crates, at most 3"));
    }

    #[test]
    fn a_tree_that_cannot_be_had_is_found() {
        let weighed = failed(&at_most(3), "error: no matching package\n\n  offline\n");
        assert!(weighed.findings[0].message.ends_with("error: no matching package; offline"));
        assert_eq!(judge(&at_most(3), "").findings.len(), 1);
    }
}
