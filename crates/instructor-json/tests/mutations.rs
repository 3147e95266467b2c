//! What one mistake in a valid document may do at the default level: it is repaired or refused, hardly ever misread.

#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use instructor_json::{Document, Options, read};
use serde_json::{Map, Value, json};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const KEYS: [&str; 12] = ["id", "name", "tags", "items", "total", "notes", "zip", "user", "kind", "when", "ok", "x"];
const TEXTS: [&str; 14] = [
    "",
    "a",
    "the brown fox",
    "Zürich, 東京",
    "it's",
    "say \"hi\", then go",
    "a: b",
    "[1, 2]",
    "{x}",
    "line\nline",
    "C:\\dir",
    "https://x.y/z",
    "2024-01-02",
    "total: 3, tax: 1",
];

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(8) {
        0 => Value::Null,
        1 => json!(dice.below(2) == 0),
        2 | 3 => dice.pick(&[json!(0), json!(42), json!(-3), json!(1999)].each_ref()).clone(),
        4 => dice.pick(&[json!(3.5), json!(-0.25), json!(1e30)].each_ref()).clone(),
        _ => dice.pick(&TEXTS).into(),
    }
}

fn document(dice: &mut Dice, depth: usize) -> Value {
    let size = 1 + dice.below(4);
    match dice.below(if depth == 0 { 3 } else { 7 }) {
        0..3 => scalar(dice),
        3 => (0..size - 1).map(|_| document(dice, depth - 1)).collect(),
        4 => {
            let keys: Vec<&str> = (0..size).map(|_| dice.pick(&KEYS)).collect();
            (0..=size).map(|_| object(dice, &keys, depth - 1)).collect()
        }
        _ => {
            let keys: Vec<&str> = (0..size).map(|_| dice.pick(&KEYS)).collect();
            object(dice, &keys, depth - 1)
        }
    }
}

fn object(dice: &mut Dice, keys: &[&str], depth: usize) -> Value {
    keys.iter().map(|&key| (key.to_owned(), document(dice, depth))).collect::<Map<_, _>>().into()
}

/// The tokens that a mistake can be about: where each begins and ends, and whether it is a key.
fn tokens(text: &str) -> Vec<(u8, usize, usize, bool)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let mut end = at + 1;
        if bytes[at] == b'"' {
            while bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end += 1;
        }
        if b"{}[],:\"".contains(&bytes[at]) {
            found.push((bytes[at], at, end, text[end..].trim_start().starts_with(':')));
        }
        at = end;
    }
    found
}

/// Every text that one mistake makes of a valid one, by the kind of the mistake.
fn mistakes(text: &str) -> Vec<(&'static str, String)> {
    let without = |at: usize| [&text[..at], &text[at + 1..]].concat();
    let with = |at: usize, more: &str| [&text[..at], more, &text[at..]].concat();
    let instead = |from: usize, to: usize, new: &str| [&text[..from], new, &text[to..]].concat();
    let mut all = Vec::new();
    for (byte, from, to, key) in tokens(text) {
        match byte {
            b'}' | b']' => {
                let other = if byte == b'}' { "]" } else { "}" };
                all.push(("closer dropped", without(from)));
                all.push(("closer doubled", with(from, &text[from..to])));
                all.push(("closer wrong", instead(from, to, other)));
            }
            b'{' | b'[' => {
                all.push(("opener dropped", without(from)));
                all.push(("opener doubled", with(from, &text[from..to])));
            }
            b',' => {
                all.push(("comma dropped", without(from)));
                all.push(("comma doubled", with(from, ",")));
            }
            b':' => all.push(("colon dropped", without(from))),
            _ => {
                let body = &text[from + 1..to - 1];
                all.push(("quote dropped", without(from)));
                all.push(("quote dropped", without(to - 1)));
                all.push(("quote changed", instead(from, from + 1, "'")));
                all.push(("quote changed", instead(to - 1, to, "'")));
                if !body.contains(['\\', '\'']) {
                    all.push(("quotes changed", instead(from, to, &format!("'{body}'"))));
                }
                if key {
                    all.push(("key unquoted", instead(from, to, body)));
                }
            }
        }
    }
    all.push(("in words", format!("Here is the answer: {text}\nDoes that help?")));
    all.push(("in a fence", format!("Sure!\n```json\n{text}\n```\n")));
    all.push(("fence open", format!("```json\n{text}")));
    // Where a container has just ended, the text counts as one without its last brackets.
    let cuts = text.char_indices().map(|(at, _)| &text[..at]).filter(|cut| !cut.trim_end().ends_with(['}', ']']));
    all.extend(cuts.map(|cut| ("end cut", cut.to_owned())));
    all
}

#[test]
fn one_mistake_is_repaired_or_refused() {
    let mut dice = Dice(2_026);
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut misread = Vec::new();
    let mut documents = 0;
    while documents < 200 {
        let value = document(&mut dice, 4);
        let size = value.to_string().len();
        if !(value.is_object() || value.is_array()) || !(5..500).contains(&size) {
            continue;
        }
        documents += 1;
        let text = match dice.below(3) {
            0 => serde_json::to_string_pretty(&value).unwrap(),
            1 => value.to_string().replace("\":", "\": ").replace(",\"", ", \""),
            _ => value.to_string(),
        };
        for (kind, broken) in mistakes(&text) {
            // Each end of a long text would take longer than all the rest.
            if kind == "end cut" && dice.below(8) > 0 || Document::parse(&broken).is_ok() {
                continue;
            }
            let around = if kind == "end cut" || kind.starts_with("in ") { 9 } else { dice.below(6) };
            let broken = match around {
                0 => format!("Sure!\n```json\n{broken}\n```\nDone."),
                1 => format!("Here is the answer: {broken}\nHope it helps."),
                _ => broken,
            };
            let outcome = match read(&broken, &Options::new()) {
                Ok(reading) if !reading.is_truncated() => {
                    let found: Vec<Value> = reading
                        .candidates
                        .iter()
                        .map(|c| serde_json::from_str(c.document.root().source()).unwrap_or_default())
                        .collect();
                    let same = found.len() == 1 && found[0] == value || reading.sequence && Value::from(found) == value;
                    if same { 0 } else { 2 }
                }
                _ => 1,
            };
            counts.entry(kind).or_default()[outcome] += 1;
            if outcome == 2 {
                misread.push(format!("{kind}: {broken:?} of {text:?}"));
            }
        }
    }
    let mut total = [0; 3];
    for (kind, count) in &counts {
        println!("{kind:16} right {:6} refused {:6} misread {:4}", count[0], count[1], count[2]);
        (0..3).for_each(|i| total[i] += count[i]);
    }
    let [right, refused, wrong] = total;
    println!("{:16} right {right:6} refused {refused:6} misread {wrong:4}", "all");
    let first = misread.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong * 1000 <= right + refused, "{wrong} of {} misread\n{first}", right + refused + wrong);
    // What has one reading stays repaired.
    for kind in ["comma doubled", "key unquoted", "in words", "in a fence", "fence open", "comma dropped"] {
        let [right, refused, wrong] = counts[kind];
        assert!(right * 10 > (refused + wrong) * 90, "{kind}: {right} right, {refused} refused");
    }
}
