//! Any text, fitted to one of a few schemas at every level: no panic, what comes back complete passes the check, and
//! reading it again changes nothing.
//!
//! The first byte chooses the schema: `a` to `q`.

#![no_main]

use std::sync::LazyLock;

use instructor::{Contract, Level, ParseOptions, Severity};
use instructor_fuzz::{salvage, tree};
use instructor_json::Document;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static CONTRACTS: LazyLock<Vec<Contract>> =
    LazyLock::new(|| schemas().into_iter().map(|schema| Contract::from_schema(schema).unwrap()).collect());

fuzz_target!(|data: &[u8]| {
    let Some((&control, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let contract = &CONTRACTS[usize::from(control.wrapping_sub(b'a')) % CONTRACTS.len()];
    let levels = [
        ParseOptions::new().with_level(Level::Strict),
        ParseOptions::new(),
        ParseOptions::new().with_level(Level::Lenient),
        salvage(),
    ];
    for options in levels {
        check(contract, text, options);
    }
});

/// What may be done to a value that fits as it is: what the schema does not name is left out or, by a guess, what it does
/// name; and a whole number is written without a fraction.
const HARMLESS: &[&str] = &["ExtraKey", "FloatToInt", "NullForOptional", "KeyFuzzy"];

fn check(contract: &Contract, text: &str, options: ParseOptions) {
    let (schema, level) = (contract.schema(), options.level());
    let what = || format!("{level:?} {text:?} as {schema}");
    let fits_as_it_is = serde_json::from_str::<Value>(text).is_ok_and(|value| contract.check(&value).is_ok());
    let reading = match contract.read_with(text, options) {
        Ok(reading) => reading,
        Err(error) => {
            let _ = (error.to_string(), error.kind());
            assert!(!fits_as_it_is, "refused although it fits: {error}: {}", what());
            return;
        }
    };
    for repair in &reading.repairs {
        if let Some(span) = repair.span.clone() {
            assert!(text.get(span.clone()).is_some(), "{repair} has the span {span:?}: {}", what());
        }
        // Those who know the type know that the zeros say nothing.
        let known = repair.kind == "LeadingZero";
        let allowed = match level {
            // Which of several values was taken is told at every level.
            _ if repair.kind == "MultipleCandidates" && repair.severity == Severity::Lossless => true,
            Level::Strict => false,
            Level::Syntax => repair.severity <= Severity::Partial || known,
            Level::Lenient => repair.severity <= Severity::Guess,
            _ => true,
        };
        assert!(allowed, "{repair} is {:?}: {}", repair.severity, what());
    }
    let document = Document::parse(&reading.json).unwrap_or_else(|e| panic!("{e}: {:?}: {}", reading.json, what()));
    if reading.truncated {
        assert!(!fits_as_it_is, "cut: {}", what());
        return;
    }
    let value = match serde_json::from_str::<Value>(&reading.json) {
        Ok(value) => value,
        Err(error) => {
            // A `Value` holds no number beyond a double and no 128 levels; the text that it came from does.
            let why = error.to_string();
            assert!(why.contains("out of range") || why.contains("recursion limit"), "{why}: {}", what());
            return;
        }
    };
    if let Err(issues) = contract.check(&value) {
        panic!("{:?} does not fit: {issues}: {}", reading.json, what());
    }
    if fits_as_it_is && reading.repairs.iter().all(|r| r.span.is_some()) {
        let kinds: Vec<&str> = reading.repairs.iter().map(|r| r.kind).collect();
        assert!(kinds.iter().all(|kind| HARMLESS.contains(kind)), "{kinds:?} to what fits: {}", what());
        if kinds.is_empty() {
            let before = Document::parse(text).unwrap();
            assert_eq!(tree(before.root()), tree(document.root()), "changed without a word: {}", what());
        }
    }
    match contract.read_with(&reading.json, options) {
        Ok(again) => assert_eq!(again.json, reading.json, "read again: {:?}: {}", again.repairs, what()),
        Err(error) => panic!("{:?} is refused when read again: {error}: {}", reading.json, what()),
    }
}

fn schemas() -> Vec<Value> {
    let color = || {
        json!({
            "type": "string",
            "enum": ["RED", "BLUE", "LIGHT_BLUE", "NONE"],
            "x-enum": [
                { "name": "RED", "alias": "rouge", "description": "the colour of blood" },
                { "name": "BLUE", "alias": "k1" },
                { "name": "LIGHT_BLUE", "description": "sky" },
            ],
        })
    };
    let person = || {
        json!({
            "type": "object",
            "title": "Person",
            "properties": {
                "name": { "type": "string", "minLength": 1 },
                "age": { "type": "integer", "minimum": 0, "maximum": 150 },
                "tags": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["name", "age"],
        })
    };
    vec![
        // a: an object
        person(),
        // b: objects in objects, by reference
        json!({
            "type": "object",
            "properties": {
                "who": { "$ref": "#/$defs/Person" },
                "also": { "anyOf": [{ "$ref": "#/$defs/Person" }, { "type": "null" }] },
                "at": { "type": "object", "properties": { "x": { "type": "number" }, "y": { "type": "number" } }, "required": ["x", "y"] },
            },
            "required": ["who"],
            "$defs": { "Person": person() },
        }),
        // c: an enum with other names, in an object
        json!({ "type": "object", "properties": { "color": color(), "more": { "type": "array", "items": color() } }, "required": ["color"] }),
        // d: an enum as the root
        color(),
        // e: a tagged union
        json!({
            "oneOf": [
                { "type": "object", "properties": { "kind": { "const": "circle" }, "r": { "type": "number" } }, "required": ["kind", "r"] },
                { "type": "object", "properties": { "kind": { "const": "square" }, "side": { "type": "integer" } }, "required": ["kind", "side"] },
                { "type": "object", "properties": { "kind": { "type": "string", "enum": ["point"] } }, "required": ["kind"] },
            ],
        }),
        // f: an untagged union
        json!({
            "type": "object",
            "properties": {
                "v": { "anyOf": [
                    { "type": "integer" },
                    { "type": "string" },
                    { "type": "boolean" },
                    { "type": "array", "items": { "type": "integer" } },
                    { "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] },
                    { "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "string" } }, "required": ["a", "b"] },
                ] },
            },
            "required": ["v"],
        }),
        // g: a map
        json!({ "type": "object", "additionalProperties": { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 } }),
        // h: arrays of arrays, with bounds
        json!({ "type": "array", "items": { "type": "array", "items": { "type": "number", "exclusiveMinimum": -10.5 }, "maxItems": 3 }, "minItems": 1 }),
        // i: what may be left out
        json!({
            "type": "object",
            "properties": {
                "a": { "type": ["string", "null"] },
                "b": { "type": "integer" },
                "c": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] },
                "d": { "type": ["number", "null"] },
            },
        }),
        // j: an integer as the root
        json!({ "type": "integer", "format": "int32", "minimum": -2147483648_i64, "maximum": 2147483647 }),
        // k: a tree
        json!({
            "$ref": "#/$defs/Node",
            "$defs": { "Node": {
                "type": "object",
                "properties": {
                    "value": { "type": "integer" },
                    "next": { "anyOf": [{ "$ref": "#/$defs/Node" }, { "type": "null" }] },
                    "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } },
                },
                "required": ["value"],
            } },
        }),
        // l: scalars of every type
        json!({
            "type": "object",
            "properties": {
                "b": { "type": "boolean" },
                "n": { "type": "number", "minimum": -1e9, "maximum": 1e9 },
                "i": { "type": "integer", "multipleOf": 5 },
                "s": { "type": "string", "maxLength": 8 },
                "z": { "type": "null" },
            },
            "required": ["b"],
        }),
        // m: closed, with other names of keys
        json!({
            "type": "object",
            "properties": {
                "first_name": { "type": "string", "x-alias": "given" },
                "last_name": { "type": "string", "x-alias": ["family", "surname"] },
                "n": { "type": "integer" },
            },
            "required": ["first_name"],
            "additionalProperties": false,
        }),
        // n: a list of records
        json!({ "type": "array", "items": person() }),
        // o: a tuple, and any value
        json!({
            "type": "object",
            "properties": {
                "t": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }], "minItems": 2, "maxItems": 2 },
                "any": {},
                "open": { "type": "object", "additionalProperties": true },
            },
        }),
        // p: parts put together
        json!({
            "type": "object",
            "properties": { "id": { "type": "integer" } },
            "required": ["id"],
            "allOf": [{ "properties": { "x": { "type": "string" } }, "required": ["x"] }],
            "oneOf": [
                { "type": "object", "properties": { "kind": { "const": "a" } }, "required": ["kind"] },
                { "type": "object", "properties": { "kind": { "const": "b" }, "w": { "type": "number" } }, "required": ["kind", "w"] },
            ],
        }),
        // q: a text, a boolean or numbers as the root
        json!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "integer" } }, { "type": "null" }] }),
    ]
}
