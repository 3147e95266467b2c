//! Where two values differ, for people.

use serde_json::Value;

/// How much of a value is shown.
const SHOWN: usize = 72;

/// The places at which two values differ, each as a line: what there was, and what there is.
pub(super) fn differences(was: &Value, is: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare(&mut String::from("$"), Some(was), Some(is), &mut lines);
    lines
}

fn compare(path: &mut String, was: Option<&Value>, is: Option<&Value>, lines: &mut Vec<String>) {
    let length = path.len();
    match (was, is) {
        (Some(was), Some(is)) if was == is => {}
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let more = is.keys().filter(|name| !was.contains_key(*name));
            for name in was.keys().chain(more) {
                path.push('.');
                path.push_str(name);
                compare(path, was.get(name), is.get(name), lines);
                path.truncate(length);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            for index in 0..was.len().max(is.len()) {
                path.push_str(&format!("[{index}]"));
                compare(path, was.get(index), is.get(index), lines);
                path.truncate(length);
            }
        }
        (Some(Value::String(was)), Some(Value::String(is))) => {
            let same = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
            lines.push(format!("{path}: {} -> {}", around(was, same), around(is, same)));
        }
        (was, is) => lines.push(format!("{path}: {} -> {}", short(was), short(is))),
    }
}

/// A text around a place in it.
fn around(text: &str, place: usize) -> String {
    let skipped = if text.chars().count() <= SHOWN { 0 } else { place.saturating_sub(SHOWN / 3) };
    let shown: String = text.chars().skip(skipped).take(SHOWN).collect();
    let cut = text.chars().count() > skipped + SHOWN;
    format!("{}{shown:?}{}", if skipped > 0 { ".." } else { "" }, if cut { ".." } else { "" })
}

fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return String::from("(nothing)") };
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    format!("{}..", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_told_with_what_was_and_is_there() {
        let was = json!({ "a": [1, { "b": "x" }], "gone": true, "same": 1 });
        let is = json!({ "same": 1, "a": [1, { "b": "y" }, 3] });
        assert_eq!(
            differences(&was, &is),
            ["$.a[1].b: \"x\" -> \"y\"", "$.a[2]: (nothing) -> 3", "$.gone: true -> (nothing)"]
        );
        assert!(differences(&was, &was).is_empty());
    }

    #[test]
    fn of_a_long_text_the_place_is_shown() {
        let long = "word ".repeat(100);
        let lines = differences(&json!(format!("{long}é1{long}")), &json!(format!("{long}é2{long}")));
        let [line] = &*lines else { panic!("{lines:?}") };
        assert!(line.contains("é1") && line.contains("é2") && line.len() < 300, "{line}");
    }
}
