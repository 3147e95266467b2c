//! Reading and aligning: the project's own cases, and what holds for every text.

use instructor::{Contract, Level, Severity};
use proptest::prelude::*;
use serde_json::{Value, json};

const CASES: &str = include_str!("../data/align.jsonl");

fn level(name: &str) -> Level {
    match name {
        "strict" => Level::Strict,
        "syntax" => Level::Syntax,
        "lenient" => Level::Lenient,
        _ => panic!("no level {name}"),
    }
}

/// Equal as JSON values, with numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && same(a, b))
        }
        (a, b) => a == b,
    }
}

#[test]
fn every_case_gives_its_value_and_ledger() {
    let mut wrong = Vec::new();
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let contract = Contract::from_schema(case["schema"].clone()).unwrap();
        let text = case["text"].as_str().unwrap();
        let read = contract.read(text, level(case["level"].as_str().unwrap()));
        let got = match &read {
            Ok(reading) => {
                let value: Value = serde_json::from_str(&reading.json).unwrap();
                let kinds: Vec<&str> = reading.repairs.iter().map(|repair| repair.kind).collect();
                let right =
                    case.get("error").is_none() && same(&value, &case["value"]) && json!(kinds) == case["repairs"];
                (right, format!("{value} {kinds:?}"))
            }
            Err(error) => (case.get("error").is_some(), format!("{error}")),
        };
        if !got.0 {
            wrong.push(format!(
                "{text:?} as {}\n  wanted {} {}\n  got {}",
                case["schema"], case["value"], case["repairs"], got.1
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn schemas() -> Vec<Contract> {
    let mut seen: Vec<Value> = Vec::new();
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if !seen.contains(&case["schema"]) {
            seen.push(case["schema"].clone());
        }
    }
    seen.into_iter().map(|schema| Contract::from_schema(schema).unwrap()).collect()
}

fn texts() -> Vec<String> {
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
    CASES.lines().map(text).collect()
}

proptest! {
    /// Any text against any schema: no panic; what is taken fits, stays as it is when it is read again, and needed no
    /// repair above the level.
    #[test]
    fn what_is_taken_fits(which in 0usize..1000, text in 0usize..1000, cut in 0usize..80, level in 0usize..3) {
        let (schemas, texts) = (schemas(), texts());
        let contract = &schemas[which % schemas.len()];
        let text = &texts[text % texts.len()];
        let end = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(text.len());
        let (text, level) = (&text[..end], [Level::Strict, Level::Syntax, Level::Lenient][level]);
        let Ok(reading) = contract.read(text, level) else { return Ok(()) };
        for span in reading.repairs.iter().filter_map(|repair| repair.span.clone()) {
            prop_assert!(text.get(span.clone()).is_some(), "{span:?} is not in {text:?}");
        }
        let worst = reading.repairs.iter().map(|repair| repair.severity).max();
        let most = if level == Level::Lenient { Severity::Guess } else { Severity::Partial };
        prop_assert!(worst <= Some(most));
        if !reading.truncated {
            let value: Value = serde_json::from_str(&reading.json).unwrap();
            prop_assert!(contract.check(&value).is_ok(), "{} from {text:?}", reading.json);
            let again = contract.read(&reading.json, level).unwrap();
            prop_assert_eq!(again.json, reading.json);
        }
    }
}
