//! When a text is a value: as JSON has it, not as it is written.

use serde_json::Value;

/// Whether the text is this value: numbers by what they are, no key twice.
pub(crate) fn says(text: &str, value: &Value) -> bool {
    // Reading keeps the last of two equal keys, so that they show in the number of strings only.
    serde_json::from_str::<Value>(text)
        .is_ok_and(|read| same(&read, value) && strings(text) == strings(&read.to_string()))
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The quotes that begin and end strings.
fn strings(text: &str) -> usize {
    let mut escaped = false;
    let quotes = text.bytes().filter(|byte| {
        let quote = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        quote
    });
    quotes.count()
}

#[test]
fn values_are_compared_by_what_they_are() {
    let value = serde_json::json!({ "a": 1, "b": [1.5, "\"\\"] });
    assert!(says(r#"{ "b": [15e-1, "\u0022\u005c"], "a": 1.0 }"#, &value));
    assert!(!says(r#"{ "b": [15e-1, "\"\\"], "a": 0, "a": 1 }"#, &value));
    assert!(!says(r#"{ "b": ["\"\\", 1.5], "a": 1 }"#, &value));
    assert!(!says("9007199254740993", &serde_json::json!(9_007_199_254_740_992_u64)));
}
