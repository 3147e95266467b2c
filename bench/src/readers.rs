//! Who reads: each with its call as users write it, and the value that the call came to.

use std::hint::black_box;

use instructor_json::{Kind, Node, Options, Parser, Reading};
use jiter::{JsonValue, JsonValueScratch, PartialMode};
use serde_json::{Map, Number, Value};

/// One way to read a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// Reads, and drops what it read: this is timed.
    pub(crate) run: fn(&str),
    /// The same, for its answer; `None` if it refused.
    pub(crate) answer: fn(&str) -> Option<Value>,
}

macro_rules! reader {
    ($name:literal, $read:path, $value:expr) => {
        Reader {
            name: $name,
            run: |text| drop(black_box($read(black_box(text)))),
            answer: |text| $read(text).and_then($value),
        }
    };
}

pub(crate) const SERDE_JSON: Reader = reader!("serde_json", serde_json, Some);
pub(crate) const JITER: Reader = reader!("jiter", jiter, |value| Some(of_jiter(&value)));
pub(crate) const JSONREPAIR: Reader = reader!("jsonrepair", jsonrepair, Some);
pub(crate) const LLM_JSON: Reader = reader!("llm_json", llm_json, Some);
pub(crate) const OURS: Reader = reader!("instructor-json", ours, |reading| only(&reading));
/// What the others give in the end: an owned tree of values.
pub(crate) const OURS_TO_VALUE: Reader = reader!("instructor-json to Value", ours_to_value, Some);
pub(crate) const PUSHES: Reader = reader!("instructor-json, pushes", pushes, |reading| only(&reading));
pub(crate) const PREFIXES: Reader = reader!("jiter, each prefix", prefixes, |value| Some(of_jiter(&value)));

fn serde_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn jiter(text: &str) -> Option<JsonValue<'_>> {
    JsonValue::parse(text.as_bytes(), false).ok()
}

fn jsonrepair(text: &str) -> Option<Value> {
    jsonrepair::loads(text, &jsonrepair::Options::default()).ok()
}

fn llm_json(text: &str) -> Option<Value> {
    llm_json::loads(text, &llm_json::RepairOptions::default()).ok()
}

fn ours(text: &str) -> Option<Reading<'_>> {
    instructor_json::read(text, &Options::new()).ok()
}

fn ours_to_value(text: &str) -> Option<Value> {
    only(&ours(text)?)
}

const PUSH: usize = 4;

/// Looks at the value after each push.
fn pushes(text: &str) -> Option<Reading<'static>> {
    let mut parser = Parser::new(Options::new());
    for bytes in text.as_bytes().chunks(PUSH) {
        parser.push(bytes).ok()?;
        black_box(parser.view());
    }
    parser.finish().ok()
}

/// Reads all that has arrived after each push, on buffers that are kept; gathering it is not counted.
fn prefixes(text: &str) -> Option<JsonValue<'_>> {
    let mut scratch = JsonValueScratch::new();
    let mut last = None;
    let mut end = 0;
    while end < text.len() {
        end = text.len().min(end + PUSH);
        last = scratch.parse(text.as_bytes().get(..end)?, false, PartialMode::TrailingStrings).ok();
        black_box(&last);
    }
    last
}

/// The value of a reading that found one.
fn only(reading: &Reading<'_>) -> Option<Value> {
    match &*reading.candidates {
        [one] => of_node(one.document.root()),
        _ => None,
    }
}

fn of_node(node: Node<'_>) -> Option<Value> {
    Some(match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(node.as_bool()?),
        Kind::Number => Value::Number(match (node.as_u64(), node.as_i64()) {
            (Some(number), _) => number.into(),
            (_, Some(number)) => number.into(),
            _ => Number::from_f64(node.as_f64()?)?,
        }),
        Kind::String => Value::String(node.as_str()?.into_owned()),
        Kind::Array => Value::Array(node.items().map(of_node).collect::<Option<_>>()?),
        Kind::Object => {
            let mut map = Map::new();
            for (key, value) in node.entries() {
                map.insert(key.as_str()?.into_owned(), of_node(value)?);
            }
            Value::Object(map)
        }
    })
}

fn of_jiter(value: &JsonValue<'_>) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(value) => (*value).into(),
        JsonValue::Int(number) => (*number).into(),
        JsonValue::Float(number) => (*number).into(),
        JsonValue::Str(text) => (&**text).into(),
        JsonValue::Array(items) => items.iter().map(of_jiter).collect(),
        JsonValue::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone().into_owned(), of_jiter(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts;

    #[test]
    fn readers_agree_on_valid_text() {
        let text = texts::object(&texts::valid(2000));
        let wanted = serde_json(&text);
        for reader in [JITER, JSONREPAIR, LLM_JSON, OURS, OURS_TO_VALUE, PUSHES, PREFIXES] {
            assert_eq!((reader.answer)(&text), wanted, "{}", reader.name);
        }
    }

    #[test]
    fn only_strict_readers_refuse_what_is_around_and_wrong() {
        let valid = texts::valid(2000);
        let wanted = serde_json(&valid);
        let records = wanted.as_ref().and_then(Value::as_array).unwrap().len();
        for text in [texts::fenced(&valid), texts::dirty(records)] {
            assert_eq!((OURS.answer)(&text), wanted);
            assert_eq!([(SERDE_JSON.answer)(&text), (JITER.answer)(&text)], [None, None]);
        }
    }
}
