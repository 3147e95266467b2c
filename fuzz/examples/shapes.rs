//! Work that no step counter sees: the time of one shape of text at two sizes, one four times the other.
//!
//! `cargo run --release --example shapes` prints the shapes that take more than seven times as long, and at least 15 ms.

use std::hint::black_box;
use std::time::Instant;

use instructor::{Contract, Level, ParseOptions};
use instructor_fuzz::levels;
use instructor_json::{Parser, read};
use serde_json::json;

const SMALL: usize = 1 << 14;
const TIMES: usize = 4;

/// The head, what is repeated, the tail.
#[rustfmt::skip]
const SHAPES: &[(&str, &str, &str)] = &[
    ("[", "'a',", "]"), ("{", "'a':1,", "}"), ("[", "{a:1,},", "]"), ("", "{\"a\":1}\n", ""), ("", "{\"a\":1} or ", ""),
    ("", "[", ""), ("", "{\"a\":", ""), ("", "{", ""), ("", "(", ""), ("[", "\"a\" ", "]"), ("{\"a\":\"", "x}x", ""),
    ("{\"a\":\"", "x\" y", ""), ("{\"a\":\"", "x\", y", ""), ("{\"a\":\"", "x\": y", ""), ("", "```", ""), ("", "`", ""),
    ("", "```json\n{", ""), ("", "<think>", ""), ("", "</think>", ""), ("", "<a", ""), ("{\"a\": ", "x ", ""),
    ("{a: ", "b, c ", ""), ("{a: ", "b c: ", ""), ("{a: ", "//", ""), ("", "/*", ""), ("{", "/*", ""), ("{", "#", ""),
    ("[", "<!--", ""), ("[", "-", ""), ("[", "1 ", ""), ("[", "...", ""), ("{", "...", ""), ("", "\"", ""), ("", "'", ""),
    ("{", "''", ""), ("{", "\"\"", ""), ("{", "'''", ""), ("{\"", "\\", ""), ("{\"", "\\u", ""), ("{\"", "\\ud83d", ""),
    ("", "{\"a\":1}}", ""), ("", "]", ""), ("", "[]", ""), ("", "[1]", ""), ("", "{a}", ""), ("[", "(", ""),
    ("[", "ObjectId(", ""), ("[", "{\"a\":[", ""), ("{", "“", ""), ("{“", "‘", ""), ("{", "\"a\":1 ", ""),
    ("{\"a\":1", "\"b\" ", ""), ("[", "\u{a0}", ""), ("{", "a=", ""), ("{", ";", ""), ("{", ",", ""), ("{", ":", ""),
    ("{\"a\"", ":", ""), ("{\"a\":", "{}", ""), ("", "a:1,", ""), ("", "\"a\":1,", ""), ("[", "{", ""), ("{{", "}", ""),
    ("{\"a\":\"x\"", "+\"y\"", ""), ("{\"a\":\"x\"", " \"y\"", ""), ("", "{\"a\":1},", ""), ("{", "\\\"", ""),
    ("\"", "\\\"a\\\"", ""), ("", "- a\n", ""), ("[", "\n", ""), ("", "\n", ""), ("{\"name\":\"", "é", ""),
    ("[", "{\"name\":\"A\",\"age\":\"1\",\"x\":2},", "]"), ("[", "\"1\",", "]"),
    ("{\"children\":[", "{\"value\":\"1\",\"children\":[],", ""), ("{", "\"k\":1,", "\"a\":1}"),
];

fn main() {
    let contracts: Vec<Contract> = [
        json!({}),
        json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "string" } } }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
        json!({ "type": "array", "items": { "type": "object", "properties": { "a": { "type": "integer" } } } }),
        json!({ "type": "string", "enum": ["RED", "BLUE"] }),
        json!({
            "type": "object",
            "properties": { "value": { "type": "integer" }, "children": { "type": "array", "items": { "$ref": "#" } } },
        }),
    ]
    .into_iter()
    .map(|schema| Contract::from_schema(schema).unwrap())
    .collect();
    let mut found = 0;
    for &(head, unit, tail) in SHAPES {
        let texts = [SMALL, SMALL * TIMES].map(|n| format!("{head}{}{tail}", unit.repeat(n / unit.len())));
        let mut report = |what: &str, level: Level, run: &dyn Fn(&str)| {
            let [small, large] = [&texts[0], &texts[1]].map(|text| {
                let times = (0..3).map(|_| {
                    let start = Instant::now();
                    run(text);
                    start.elapsed().as_secs_f64() * 1e3
                });
                times.fold(f64::INFINITY, f64::min)
            });
            if large > 15.0 && large / small > 1.75 * TIMES as f64 {
                found += 1;
                println!("{what:8} {level:8?} {head:?} {unit:?}.. {tail:?}: {small:.2} -> {large:.2} ms");
            }
        };
        for options in levels() {
            report("read", options.level(), &|text| drop(black_box(read(text, &options))));
            report("push", options.level(), &|text| {
                let mut parser = Parser::new(options).with_events();
                for piece in text.as_bytes().chunks(16) {
                    if parser.push(piece).is_err() {
                        break;
                    }
                    black_box((parser.events().count(), parser.view().map(|view| view.span())));
                }
                drop(black_box(parser.finish()));
            });
            for (i, contract) in contracts.iter().enumerate() {
                let options: ParseOptions = options;
                report(&format!("align {i}"), options.level(), &|text| drop(black_box(contract.read_with(text, options))));
            }
        }
    }
    println!("{found} shapes grow faster than the text");
}
