//! Runs a directory of case files against the reader and prints, per file and level, how many rows come out right,
//! silently wrong or refused: `cargo run --example cases -- [DIR] [-v]`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use instructor_json::{Level, Options, RepairKind, Severity, read};
use serde_json::Value;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Right,
    Wrong,
    Refused,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut verbose = false;
    let mut dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases"));
    for arg in args.by_ref() {
        if arg == "-v" {
            verbose = true;
        } else {
            dir = arg.into();
        }
    }
    for file in ["taxonomy", "json_repair", "jsonrepair", "instructor", "jiter_partial", "baml"] {
        let path = dir.join(format!("{file}.jsonl"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("{file}: not there, skipped");
            continue;
        };
        let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        run(file, &rows, verbose);
    }
}

fn run(file: &str, rows: &[Value], verbose: bool) {
    let mut counts: BTreeMap<(String, Level), [usize; 3]> = BTreeMap::new();
    for row in rows {
        if row.get("schema").is_some_and(|s| !s.is_null() && s != &Value::Bool(false)) {
            continue;
        }
        let Some(input) = row.get("input").and_then(Value::as_str) else { continue };
        if row.get("every_prefix_type").is_some() || row.get("partial_strings").is_some_and(|p| p != "keep") {
            continue;
        }
        let own = match row.get("level").and_then(Value::as_str) {
            Some("guess") => Some(Level::Lenient),
            Some("lossy" | "invent") => Some(Level::Salvage),
            Some(_) => Some(Level::Syntax),
            None => None,
        };
        let group =
            row.get("group").or(row.get("level")).or(row.get("consensus")).and_then(Value::as_str).unwrap_or("-");
        for level in [Level::Syntax, Level::Lenient, Level::Salvage] {
            let (outcome, got) = judge(row, input, level);
            if let Some(count) = counts.entry((group.to_owned(), level)).or_default().get_mut(outcome as usize) {
                *count += 1;
            }
            let show = own.is_some_and(|own| own == level) && outcome != Outcome::Right
                || own.is_none() && level == Level::Salvage && outcome != Outcome::Right
                || level == Level::Syntax && outcome == Outcome::Wrong;
            if verbose && show {
                let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
                let expected =
                    row.get("expected").or(row.get("expected_any")).map_or("error".to_owned(), Value::to_string);
                println!(
                    "  {outcome:?} at {level:?} {id} ({group})\n    in   {input:?}\n    want {expected}\n    got  {got}"
                );
            }
        }
    }
    println!("{file}");
    for ((group, level), [right, wrong, refused]) in counts {
        println!("  {group:9} {level:8?} right {right:3} wrong {wrong:3} refused {refused:3}");
    }
}

fn judge(row: &Value, input: &str, level: Level) -> (Outcome, String) {
    let mut options = Options::new().with_level(level);
    if level == Level::Salvage {
        for &kind in RepairKind::ALL {
            options = options.salvage(kind);
        }
    }
    let refusal = row.get("expect_error").is_some() || row.get("expect_none").is_some();
    let reading = match read(input, &options) {
        Ok(reading) => reading,
        Err(error) => return (if refusal { Outcome::Right } else { Outcome::Refused }, format!("{error}")),
    };
    let values: Vec<Value> = reading
        .candidates
        .iter()
        .map(|c| {
            serde_json::from_str(c.document.root().source()).unwrap_or_else(|e| Value::String(format!("INVALID {e}")))
        })
        .collect();
    let value = match values.as_slice() {
        [] => return (Outcome::Refused, "nothing".to_owned()),
        [one] => one.clone(),
        _ if reading.sequence => Value::Array(values.clone()),
        [.., last] => {
            if level == Level::Syntax {
                return (if refusal { Outcome::Right } else { Outcome::Refused }, "several".to_owned());
            }
            last.clone()
        }
    };
    let kinds: Vec<String> = reading
        .candidates
        .iter()
        .flat_map(|c| c.repairs.iter().map(|r| format!("{}/{:?}", r.kind(), r.severity())))
        .collect();
    let truncated = reading.candidates.iter().any(|c| c.truncated);
    let partial = reading.candidates.iter().any(|c| c.worst() == Some(Severity::Partial));
    let got = format!("{value} {}{}", kinds.join(","), if truncated || partial { " truncated" } else { "" });
    if refusal {
        return (if truncated { Outcome::Refused } else { Outcome::Wrong }, got);
    }
    let right = row.get("expected").is_some_and(|e| same(e, &value))
        || row.get("expected_any").and_then(Value::as_array).is_some_and(|any| any.iter().any(|e| same(e, &value)));
    let outcome = match (right, truncated) {
        (true, _) => Outcome::Right,
        (false, true) => Outcome::Refused,
        (false, false) => Outcome::Wrong,
    };
    (outcome, got)
}

/// Numbers by value, objects in any order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}
