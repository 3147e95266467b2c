//! The cases in `tests/data/check`, and the `jsonschema` crate as the referee.

mod cases;
mod formats;
mod numbers;
mod random;
mod recorded;
mod referee;

use instructor_json::Document;
use serde_json::Value;

use super::Checker;

/// The issues, after a look at whether both ways of asking agree.
fn issues(checker: &Checker, value: &Value) -> Vec<String> {
    text_issues(checker, &value.to_string())
}

fn text_issues(checker: &Checker, text: &str) -> Vec<String> {
    let document = Document::parse(text).unwrap();
    let issues = checker.check(document.root());
    assert_eq!(issues.is_empty(), checker.accepts(document.root()));
    issues.into_iter().map(|issue| issue.to_string()).collect()
}

/// The schema without formats: the referee does not check them, or checks them in another way.
fn without_formats(schema: &Value) -> Value {
    match schema {
        Value::Array(list) => list.iter().map(without_formats).collect(),
        Value::Object(map) => map
            .iter()
            .filter(|(key, value)| *key != "format" || !value.is_string())
            .map(|(key, value)| (key.clone(), without_formats(value)))
            .collect(),
        other => other.clone(),
    }
}
