//! Checks what a stream shows after every prefix: `cargo run --example stream -- [DIR]`.

#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "an example prints, and its inputs are known")]

use std::path::PathBuf;

use instructor_json::{Kind, Node, Options, Parser};
use serde_json::Value;

fn main() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");
    let dir = std::env::args().nth(1).map_or_else(|| PathBuf::from(default), PathBuf::from);
    for file in ["stream_prefixes", "jiter_partial"] {
        let Ok(text) = std::fs::read_to_string(dir.join(format!("{file}.jsonl"))) else {
            println!("{file}: not there, skipped");
            continue;
        };
        let (mut right, mut all) = (0, 0);
        for row in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let Some(input) = row["input"].as_str() else { continue };
            let id = row["id"].as_str().unwrap_or_default();
            if let Some(snapshots) = row["snapshots"].as_array() {
                for to in 0..=input.len() {
                    let wanted =
                        snapshots.iter().rev().find(|s| s[0].as_u64().unwrap_or(0) as usize <= to).map(|s| &s[1]);
                    let none = serde_json::json!({"@none": true});
                    let wanted = wanted.or(Some(&none));
                    let mut parser = Parser::new(Options::new());
                    let _ = parser.push(&input.as_bytes()[..to]);
                    let got = parser.view().map_or_else(|| serde_json::json!({"@none": true}), value);
                    all += 1;
                    if wanted.is_some_and(|wanted| same(wanted, &got)) {
                        right += 1;
                    } else {
                        println!("  {id} after {to}: want {} got {got}", wanted.unwrap_or(&Value::Null));
                    }
                }
            } else if let Some(wanted) = row.get("expected").filter(|_| row["partial_strings"] == "keep") {
                let mut parser = Parser::new(Options::new());
                let _ = parser.push(input.as_bytes());
                let got = parser.view().map_or(Value::Null, value);
                all += 1;
                if same(wanted, &got) {
                    right += 1;
                } else {
                    println!("  {id}: want {wanted} got {got}");
                }
            }
        }
        println!("{file}: {right} of {all}");
    }
}

fn value(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Array => node.items().map(value).collect(),
        Kind::Object => Value::Object(
            node.entries().map(|(k, v)| (k.as_str().unwrap_or_default().into_owned(), value(v))).collect(),
        ),
        Kind::String => Value::String(node.as_str().unwrap_or_default().into_owned()),
        _ => serde_json::from_str(node.source()).unwrap_or(Value::Null),
    }
}

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
