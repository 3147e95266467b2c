//! Lower modules never name higher ones.

use std::collections::BTreeMap;

use super::scan::{Path, paths};
use super::{Finding, Tree, module};

const SRC: &str = "crates/instructor/src";
const LIB: &str = "crates/instructor/src/lib.rs";

/// Modules, and the modules that they must not name.
struct Layer {
    modules: &'static [&'static str],
    above: &'static [&'static str],
}

#[rustfmt::skip]
const LAYERS: &[Layer] = &[
    Layer {
        modules: &["error", "validate", "media", "message"],
        above: &["schema", "model", "mode", "wire", "provider", "run", "stream", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["schema"],
        above: &["model", "mode", "wire", "provider", "run", "stream", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["model"],
        above: &["mode", "wire", "provider", "run", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["mode"],
        above: &["run", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["wire"],
        above: &["model", "mode", "run", "stream", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["limiter"],
        above: &["schema", "message", "validate", "model", "mode", "provider", "run", "stream", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["provider"],
        above: &["message", "validate", "model", "run", "stream", "client", "request", "options", "transport", "blocking", "testing"],
    },
    Layer {
        modules: &["run"],
        above: &["client", "request", "options", "transport", "blocking", "testing"],
    },
];

/// A way up that is meant: the lower module, the name, the reason.
type Exception = (&'static str, &'static str, &'static str);

const EXCEPTIONS: &[Exception] = &[
    ("error", "Report", "plain data: an error carries the report of the run that it ended"),
    ("error", "Attempt", "plain data: what a report is made of"),
    ("error", "RateLimits", "plain data: what a report says of the provider"),
];

/// Every module names only what is below it.
pub(super) fn modules(tree: &Tree) -> Vec<Finding> {
    looking_up(tree, EXCEPTIONS)
}

fn looking_up(tree: &Tree, exceptions: &[Exception]) -> Vec<Finding> {
    let facade = facade(tree);
    let mut findings = Vec::new();
    let mut used = vec![false; exceptions.len()];
    for (layer, lower) in LAYERS.iter().flat_map(|layer| layer.modules.iter().map(move |lower| (layer, lower))) {
        for file in tree.room(&format!("{SRC}/{lower}")) {
            let own: Vec<&str> = module(&file.path).strip_prefix(SRC).unwrap_or_default().split('/').skip(1).collect();
            for path in paths(&file.source.shipped.bare) {
                let Some(named) = target(&path, &own) else { continue };
                let named = facade.get(named).map_or(named, String::as_str);
                if layer.above.contains(&named) {
                    let last = path.segments.last().copied();
                    let except = exceptions.iter().position(|(from, name, _)| from == lower && Some(*name) == last);
                    if let Some(used) = except.and_then(|index| used.get_mut(index)) {
                        *used = true;
                        continue;
                    }
                    let written = path.segments.join("::");
                    let message = format!("`{lower}` is below `{named}` and names it: `{written}`");
                    findings.push(file.finding(path.at, message));
                }
            }
        }
    }
    let stale = exceptions.iter().zip(used).filter(|(_, used)| !used).map(|((lower, name, _), _)| {
        let message = format!("stale entry of the list of exceptions: `{lower}` does not name `{name}`");
        Finding::new(format!("{SRC}/{lower}.rs"), 1, message)
    });
    findings.extend(stale);
    findings
}

/// The name right under the crate's root that a path leads to.
fn target<'a>(path: &Path<'a>, own: &[&str]) -> Option<&'a str> {
    let (first, rest) = path.segments.split_first()?;
    match *first {
        "crate" => rest.first().copied(),
        "super" => {
            let ups = path.segments.iter().take_while(|segment| **segment == "super").count();
            // Higher than the root is in a nested module of the file, which stays inside.
            (ups == own.len()).then(|| path.segments.get(ups).copied())?
        }
        _ => None,
    }
}

/// What `lib.rs` shows at the root, and the module it comes from: `crate::Report` is of `run` too.
fn facade(tree: &Tree) -> BTreeMap<String, String> {
    let Some(lib) = tree.file(LIB) else { return BTreeMap::new() };
    let mut shown = BTreeMap::new();
    for path in paths(&lib.source.shipped.bare) {
        let mut segments = path.segments.iter().copied().skip_while(|segment| matches!(*segment, "self" | "crate"));
        let (Some(from), Some(name)) = (segments.next(), segments.last()) else { continue };
        shown.insert(path.alias.unwrap_or(name).to_owned(), from.to_owned());
    }
    shown
}

const LEAF: &str = "crates/instructor-json/Cargo.toml";

/// The JSON reader knows no other crate of the workspace.
pub(super) fn leaf_crate(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(LEAF) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut dependencies = false;
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim();
        let header = line.strip_prefix('[');
        if let Some(header) = header {
            dependencies = header.contains("dependencies");
        }
        let name = header.and_then(|header| header.rsplit_once("dependencies.")).map_or(line, |(_, name)| name);
        if dependencies && name.starts_with("instructor") {
            findings.push(Finding::new(LEAF, index + 1, "the JSON reader depends on no crate of this workspace"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let lib = "mod run; pub use self::run::{Report, policy::Retry as Again}; pub use schema::Schema;";
        looking_up(&Tree::of(&[(LIB, lib), (path, text)]), &[]).len()
    }

    #[test]
    fn looking_down_is_good() {
        assert_eq!(
            found("crates/instructor/src/run/mod.rs", "use crate::{mode::Mode, error::Error}; use super::wire;"),
            0
        );
        assert_eq!(found("crates/instructor/src/mode/mod.rs", "use crate::wire::Output; // crate::run"), 0);
        assert_eq!(found("crates/instructor/src/wire/x.rs", "use super::frame; use crate::provider::Profile;"), 0);
        assert_eq!(found("crates/instructor/src/client.rs", "use crate::run::Run;"), 0);
        assert_eq!(found("crates/instructor/src/schema/mod.rs", "#[cfg(test)] mod tests { use crate::run; }"), 0);
        assert_eq!(found("crates/instructor/src/model.rs", "use crate::Schema;"), 0);
    }

    #[test]
    fn looking_up_is_found() {
        assert_eq!(found("crates/instructor/src/run/mod.rs", "use crate::{mode::Mode, client::Client};"), 1);
        assert_eq!(found("crates/instructor/src/mode/mod.rs", "let x = crate::run::Run::new();"), 1);
        assert_eq!(found("crates/instructor/src/wire/x.rs", "use super::super::mode;"), 1);
        assert_eq!(found("crates/instructor/src/wire/mod.rs", "use super::mode;"), 1);
        assert_eq!(found("crates/instructor/src/schema.rs", "use super::provider;"), 1);
    }

    #[test]
    fn the_facade_hides_nothing() {
        assert_eq!(found("crates/instructor/src/schema/mod.rs", "use crate::{Report, Again};"), 2);
    }

    #[test]
    fn an_exception_is_for_one_name_and_can_be_stale() {
        let found = |text: &str| {
            looking_up(&Tree::of(&[("crates/instructor/src/error.rs", text)]), &[("error", "Report", "data")])
        };
        assert_eq!(found("use crate::run::Report;"), []);
        assert_eq!(found("use crate::run::{Report, Run};").len(), 1);
        assert!(found("use crate::validate::Issues;")[0].message.starts_with("stale"));
    }

    #[test]
    fn the_json_crate_is_a_leaf() {
        let good = "[package]\nname = \"instructor-json\"\n[dependencies]\nmemchr.workspace = true\n";
        assert_eq!(leaf_crate(&Tree::of(&[(LEAF, good)])), []);
        let bad = format!("{good}[dev-dependencies]\ninstructor.workspace = true\n[dependencies.instructor-derive]\n");
        assert_eq!(leaf_crate(&Tree::of(&[(LEAF, &bad)])).len(), 2);
    }
}
