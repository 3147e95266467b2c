//! What a mode means is said without providers and protocols; what a protocol is, without modes and providers.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::tokens;
use super::{File, Finding, Tree, table};

const MODE: &str = "crates/instructor/src/mode";
const WIRE: &str = "crates/instructor/src/wire";

/// `mode` names no provider and no wire.
pub(super) fn mode(tree: &Tree) -> Vec<Finding> {
    let mut names = Names::default();
    names.add(table::ids(tree).into_iter().map(|(id, _)| id));
    names.add(wires(tree));
    let mut findings = Vec::new();
    for file in tree.room(MODE) {
        for (at, name) in mentions(&file.source.shipped.code, &names) {
            let message = format!("a mode names `{name}`; say it as a fact of the profile or of the output");
            findings.push(file.finding(at, message));
        }
    }
    one_a_line(findings)
}

/// `wire` names no mode, and no provider but the one that a protocol is named after.
pub(super) fn wire(tree: &Tree) -> Vec<Finding> {
    let wires = wires(tree);
    let mut names = Names::default();
    names.add(table::ids(tree).into_iter().map(|(id, _)| id));
    names.add(wires.iter().cloned());
    let wires: BTreeSet<String> = wires.iter().map(|wire| joined(wire)).collect();

    let mut findings = Vec::new();
    for file in tree.room(WIRE) {
        for token in tokens(&file.source.shipped.bare).iter().filter(|token| token.text == "Mode") {
            let message = "a wire names `Mode`; what it needs to know of a mode belongs to `Output`";
            findings.push(file.finding(token.at, message));
        }
        let own = own_protocol(file);
        for (at, name) in mentions(&file.source.shipped.code, &names) {
            // The list of the wires is the one place that may name them all.
            let allowed = match own {
                Some(own) => joined(name).starts_with(own),
                None => wires.contains(&joined(name)),
            };
            if !allowed {
                let message = format!("a wire names `{name}`; branch on a fact (a quirk), not on a name");
                findings.push(file.finding(at, message));
            }
        }
    }
    one_a_line(findings)
}

/// `openai` for `wire/openai_chat.rs` and all under `wire/openai_chat/`; nothing for the list of the wires.
fn own_protocol(file: &File) -> Option<&str> {
    let within = file.path.strip_prefix(WIRE)?.strip_prefix('/')?;
    let first = within.split(['/', '.']).next()?;
    if first == "mod" { None } else { first.split('_').next() }
}

/// The modules of `wire` that hold a protocol.
fn wires(tree: &Tree) -> Vec<String> {
    let list = [format!("{WIRE}/mod.rs"), format!("{WIRE}.rs")];
    let Some(list) = list.iter().find_map(|path| tree.file(path)) else { return Vec::new() };
    let tokens = tokens(&list.source.shipped.bare);
    let declared = tokens.windows(3).filter_map(|window| match window {
        [keyword, name, end] if keyword.text == "mod" && end.text == ";" => Some(name.text),
        _ => None,
    });
    declared
        .filter(|name| {
            let room = format!("{WIRE}/{name}");
            tree.room(&room).any(|file| file.source.shipped.bare.contains("impl Wire for"))
        })
        .map(|name| name.to_owned())
        .collect()
}

/// Names to look for, by their letters alone.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn add(&mut self, names: impl IntoIterator<Item = String>) {
        self.0.extend(names.into_iter().map(|name| (joined(&name), name)));
    }
}

fn joined(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The most parts that one name is spelt in: `text-generation-inference`, `LMStudio`.
const MOST_PARTS: usize = 4;

/// Where a text mentions a name, however it is spelt: `openai`, `OpenAi`, `OPENAI_CHAT`, `open-ai`. The longest wins.
fn mentions<'n>(code: &str, names: &'n Names) -> Vec<(usize, &'n str)> {
    let mut found = Vec::new();
    for word in words(code) {
        let mut start = 0;
        while start < word.len() {
            let longest = (1..=MOST_PARTS).rev().find_map(|count| {
                let parts = word.get(start..start + count)?;
                let spelt: String = parts.iter().map(|part| part.1.as_str()).collect();
                Some((names.0.get(&spelt)?, parts.first()?.0, count))
            });
            if let Some((name, at, count)) = longest {
                found.push((at, name.as_str()));
                start += count;
            } else {
                start += 1;
            }
        }
    }
    found
}

type Part = (usize, String);

/// The words of a text, each in its parts: `parseOpenAI_v1` is parse, open, ai, v1.
fn words(code: &str) -> Vec<Vec<Part>> {
    let mut words: Vec<Vec<Part>> = Vec::new();
    let mut word: Vec<Part> = Vec::new();
    let mut fresh = true;
    let mut previous = ' ';
    let mut chars = code.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_alphanumeric() {
            let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            let hump = c.is_uppercase() && (!previous.is_uppercase() || next_is_lower);
            match word.last_mut() {
                Some(part) if !fresh && !hump => part.1.extend(c.to_lowercase()),
                _ => word.push((at, c.to_lowercase().collect())),
            }
            fresh = false;
        } else {
            fresh = true;
            if !matches!(c, '_' | '-' | '.') && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        }
        previous = c;
    }
    words.push(word);
    words
}

fn one_a_line(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.dedup_by(|a, b| a.path == b.path && a.line == b.line && a.message == b.message);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: (&str, &str) = (
        "crates/instructor/src/provider/table.rs",
        r#"pub(crate) static ROWS: &[Row] = &[Row { id: "openai", x: 1 }, Row { id: "anthropic", x: 2 }, Row { id: "xai" },
        Row { id: "lm-studio" }];"#,
    );
    const LIST: (&str, &str) = (
        "crates/instructor/src/wire/mod.rs",
        "mod anthropic; mod frame; mod openai_chat; pub use openai_chat::OPENAI_CHAT; pub use anthropic::ANTHROPIC;",
    );
    const ANTHROPIC: (&str, &str) = (
        "crates/instructor/src/wire/anthropic.rs",
        "impl Wire for Anthropic { const V: &str = \"anthropic-version\"; }",
    );
    const OPENAI: (&str, &str) = ("crates/instructor/src/wire/openai_chat.rs", "impl Wire for OpenAiChat {}");
    const FRAME: (&str, &str) = ("crates/instructor/src/wire/frame.rs", "fn frame() {}");

    fn with(path: &str, text: &str) -> Tree {
        let mut files: Vec<(&str, &str)> = vec![TABLE, LIST, ANTHROPIC, OPENAI, FRAME];
        files.retain(|file| file.0 != path);
        files.push((path, text));
        Tree::of(&files)
    }

    #[test]
    fn a_mode_without_names_is_good() {
        let text = "// openai\n/// Anthropic\nfn lower() { let together = \"text\"; frame() }\n#[cfg(test)] mod tests { openai }";
        assert_eq!(mode(&with("crates/instructor/src/mode/mod.rs", text)), []);
    }

    #[test]
    fn a_mode_with_names_is_found() {
        for text in
            ["if p == \"openai\" {}", "OpenAI", "x.is_xai()", "LmStudio", "wire::OPENAI_CHAT", "\"lm studio x-ai\""]
        {
            let found = mode(&with("crates/instructor/src/mode/mod.rs", text));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
        assert_eq!(mode(&with("crates/instructor/src/mode/tools.rs", "\n\nanthropic"))[0].line, 3);
    }

    #[test]
    fn part_of_a_word_is_no_name() {
        assert_eq!(mode(&with("crates/instructor/src/mode/mod.rs", "fn xaim() { openair(); }")), []);
    }

    #[test]
    fn the_wires_as_they_should_be() {
        assert_eq!(wire(&with(FRAME.0, "// Mode\nfn frame() { \"Mode\" }")), []);
    }

    #[test]
    fn a_wire_with_a_mode_or_a_name_is_found() {
        assert_eq!(wire(&with(FRAME.0, "fn f(m: Mode) {}")).len(), 1);
        assert_eq!(wire(&with(FRAME.0, "fn f() { openai() }")).len(), 1);
        assert_eq!(wire(&with(ANTHROPIC.0, "impl Wire for Anthropic { fn x() { \"xai\" } }")).len(), 1);
        assert_eq!(wire(&with(OPENAI.0, "impl Wire for OpenAiChat { fn x() { anthropic::y() } }")).len(), 1);
        assert_eq!(wire(&with(LIST.0, "mod openai_chat; fn f() { openai() }")).len(), 1);
    }

    #[test]
    fn wires_are_those_with_an_impl() {
        assert_eq!(wires(&with("x", "")), ["anthropic", "openai_chat"]);
    }
}
