//! The public API as a list, kept beside the code, so that each change of it shows in a review.

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use public_api::{Builder, PublicApi};

/// Where it is kept.
const KEPT: &str = "crates/instructor/public-api.txt";
const PACKAGE: &str = "instructor-rs";
const LIBRARY: &str = "instructor";

/// What came of a look.
pub(crate) enum Seen {
    /// It is as it was, or was written.
    Same,
    /// It is not what is kept: the lines that are new and those that are gone.
    Differs(Vec<String>),
    /// This toolchain's rustdoc writes in another version than is read here.
    Unreadable(String),
}

/// Compares the API with what is kept, or keeps it.
pub(crate) fn look(root: &Path, update: bool) -> Result<Seen, Box<dyn Error>> {
    let json = rustdoc(root)?;
    let api = match Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
    {
        Ok(api) => api,
        Err(error) => return Ok(Seen::Unreadable(error.to_string())),
    };
    let now = list(&api);
    let kept = root.join(KEPT);
    if update {
        fs::write(kept, now)?;
        return Ok(Seen::Same);
    }
    let before = match fs::read_to_string(&kept) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let changes = changes(&before, &now);
    Ok(if changes.is_empty() { Seen::Same } else { Seen::Differs(changes) })
}

fn list(api: &PublicApi) -> String {
    let mut text = String::from("# Made by `cargo xtask api --update`: what the crate shows with all features.\n");
    for item in api.items() {
        text.push_str(&format!("{item}\n"));
    }
    text
}

/// Lines that only one of two lists has.
fn changes(before: &str, now: &str) -> Vec<String> {
    let only = |mark: char, one: &str, other: &str| {
        let there: std::collections::HashSet<&str> = other.lines().collect();
        let lines: Vec<String> =
            one.lines().filter(|line| !there.contains(line)).map(|l| format!("{mark} {l}")).collect();
        lines
    };
    let mut changes = only('-', before, now);
    changes.extend(only('+', now, before));
    changes
}

/// The documentation as data. Rustdoc gives it on a stable toolchain to who says that it may change. It is said to rustdoc
/// alone: whatever is set for all of cargo would build the dependencies again.
fn rustdoc(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    fs::create_dir_all(&target)?;
    let told = target.join("rustdoc-as-data");
    fs::write(&told, "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n")?;
    fs::set_permissions(&told, fs::Permissions::from_mode(0o755))?;
    let status = Command::new(cargo)
        .args(["rustdoc", "--package", PACKAGE, "--lib", "--all-features", "--quiet"])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", fs::canonicalize(told)?)
        .current_dir(root)
        .status()?;
    if !status.success() {
        return Err(format!("rustdoc gave no list of {PACKAGE}").into());
    }
    Ok(target.join("doc").join(format!("{LIBRARY}.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_list_alone_are_changes() {
        assert!(changes("a\nb\n", "b\na\n").is_empty());
        assert_eq!(changes("a\nb\n", "b\nc\n"), ["- a", "+ c"]);
    }
}
