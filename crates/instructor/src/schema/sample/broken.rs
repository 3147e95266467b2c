//! Values that are wrong in one place.

use serde_json::{Map, Number, Value};

use super::random::Random;

/// Changes of a value, each in one place, in the order of chance: one of another kind, out of bounds, missing, or too much.
pub(crate) fn broken(value: &Value, random: &mut Random) -> Vec<Value> {
    let mut places: Vec<String> = Vec::new();
    walk(value, &mut String::new(), &mut places);
    let mut out: Vec<Value> = Vec::new();
    for place in places {
        let Some(old) = value.pointer(&place) else { continue };
        let mut change = |new: Value| {
            let mut whole = value.clone();
            if let Some(slot) = whole.pointer_mut(&place).filter(|slot| **slot != new) {
                *slot = new;
                out.push(whole);
            }
        };
        others(old).into_iter().for_each(&mut change);
    }
    // Fisher and Yates.
    for at in (1..out.len()).rev() {
        out.swap(at, random.below(at + 1));
    }
    out
}

fn walk(value: &Value, place: &mut String, places: &mut Vec<String>) {
    places.push(place.clone());
    let length = place.len();
    let parts: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        _ => Vec::new(),
    };
    for (step, part) in parts {
        place.push('/');
        place.push_str(&step);
        walk(part, place, places);
        place.truncate(length);
    }
}

/// What else could stand there.
fn others(old: &Value) -> Vec<Value> {
    let mut out = vec![
        Value::Null,
        Value::from("?"),
        Value::from(true),
        Value::from(7),
        Value::Array(Vec::new()),
        Value::Object(Map::new()),
    ];
    match old {
        Value::Number(_) => {
            out.extend([Value::from(-1_000_000_007), Value::from(1_000_000_007)]);
            out.extend(Number::from_f64(0.123_456_789).map(Value::Number));
        }
        Value::String(text) => {
            out.push(Value::from(""));
            out.push(Value::from(text.repeat(2000 / (text.len() + 1) + 2)));
            out.push(Value::from(format!("{text}!")));
        }
        Value::Array(items) => {
            if let Some((first, rest)) = items.split_first() {
                out.push(Value::Array(rest.to_vec()));
                out.push(Value::Array(std::iter::repeat_n(first, items.len() + 50).cloned().collect()));
                out.push(Value::Array([first].into_iter().chain(items).cloned().collect()));
            }
        }
        Value::Object(fields) => {
            for name in fields.keys() {
                let mut fewer = fields.clone();
                fewer.shift_remove(name);
                out.push(Value::Object(fewer));
            }
            let mut more = fields.clone();
            more.insert(String::from("not_declared"), Value::from(1));
            out.push(Value::Object(more));
        }
        _ => {}
    }
    out
}
