//! Numbers within bounds.

use serde_json::{Map, Number, Value};

use super::random::Random;

/// An integer.
pub(super) fn integer(words: &Map<String, Value>, name: &str, random: &mut Random) -> Value {
    let bound = |key: &str| words.get(key).and_then(Value::as_f64);
    let exact = |key: &str| words.get(key).and_then(whole);
    let least = exact("minimum").or_else(|| bound("minimum").map(|n| n.ceil() as i128));
    let above = exact("exclusiveMinimum").or_else(|| bound("exclusiveMinimum").map(|n| n.floor() as i128));
    let most = exact("maximum").or_else(|| bound("maximum").map(|n| n.floor() as i128));
    let below = exact("exclusiveMaximum").or_else(|| bound("exclusiveMaximum").map(|n| n.ceil() as i128));
    let least = least.into_iter().chain(above.map(|n| n + 1)).max();
    let most = most.into_iter().chain(below.map(|n| n - 1)).min();
    let (from, to) = usual(name);
    let (least, most) = range(least, most, from as i128, to as i128);
    let step = words.get("multipleOf").and_then(decimal).map_or(1, |(digits, places)| {
        let unit = 10_i128.pow(places);
        digits / gcd(digits, unit).max(1)
    });
    let step = step.max(1);
    let (first, last) = (-(-least).div_euclid(step), most.div_euclid(step));
    // Of a step that is wider than usual the nearest multiples are taken.
    let last = if last < first { first } else { last };
    let value = random.between(first, last).saturating_mul(step);
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Value::from(value),
        (_, Ok(value)) => Value::from(value),
        _ => Number::from_f64(value as f64).map_or(Value::Null, Value::Number),
    }
}

/// A number, of few digits.
pub(super) fn number(words: &Map<String, Value>, name: &str, random: &mut Random) -> Value {
    let bound = |key: &str| words.get(key).and_then(Value::as_f64);
    let least = [bound("minimum"), bound("exclusiveMinimum")].into_iter().flatten().reduce(f64::max);
    let most = [bound("maximum"), bound("exclusiveMaximum")].into_iter().flatten().reduce(f64::min);
    let (from, to) = usual(name);
    let (least, most) = match (least, most) {
        (Some(least), Some(most)) => (least, most),
        (Some(least), None) => (least, if least < to { to } else { least + (to - from).max(least.abs()) }),
        (None, Some(most)) => (if most > from { from } else { most - (to - from).max(most.abs()) }, most),
        (None, None) => (from, to),
    };
    if let Some((digits, places)) = words.get("multipleOf").and_then(decimal) {
        return multiple(least, most, digits, places, bound("exclusiveMinimum") == Some(least), random);
    }
    let span = (most - least).clamp(0.0, 1e15);
    let places = if span >= 1.0 { 2 } else { 2 + (-span.max(1e-12).log10()).ceil() as i32 };
    let unit = 10_f64.powi(places);
    let holds = |value: f64| {
        value >= least
            && value <= most
            && bound("exclusiveMinimum").is_none_or(|bound| value > bound)
            && bound("exclusiveMaximum").is_none_or(|bound| value < bound)
    };
    let tries = (0..8).map(|_| ((least + random.fraction() * span) * unit).round() / unit);
    let value = tries.filter(|value| holds(*value)).last();
    // Between bounds that lie close together.
    let value = value.unwrap_or(if holds(least) { least } else { least + span / 2.0 });
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn multiple(least: f64, most: f64, digits: i128, places: u32, open: bool, random: &mut Random) -> Value {
    let unit = 10_f64.powi(i32::try_from(places).unwrap_or(0));
    let size = (digits as f64 / unit).max(f64::MIN_POSITIVE);
    let (first, last) = ((least / size).ceil() as i128, (most / size).floor() as i128);
    let first = if open && first as f64 * size <= least { first + 1 } else { first };
    let times = random.between(first, last.max(first)).saturating_mul(digits);
    // Written digit for digit: a product of floats is near a multiple, not one.
    let text = match places {
        0 => times.to_string(),
        places => {
            let unit = 10_i128.pow(places);
            let sign = if times < 0 { "-" } else { "" };
            let (whole, rest) = (times.abs() / unit, times.abs() % unit);
            format!("{sign}{whole}.{rest:0width$}", width = places as usize)
        }
    };
    serde_json::from_str(&text).unwrap_or_default()
}

/// What a number of this name is like.
fn usual(name: &str) -> (f64, f64) {
    const USUAL: &[(&str, f64, f64)] = &[
        ("age", 1.0, 99.0),
        ("year", 1950.0, 2030.0),
        ("month", 1.0, 12.0),
        ("day", 1.0, 28.0),
        ("hour", 0.0, 23.0),
        ("minute", 0.0, 59.0),
        ("rating", 1.0, 5.0),
        ("stars", 1.0, 5.0),
        ("confidence", 0.0, 1.0),
        ("probability", 0.0, 1.0),
        ("score", 0.0, 1.0),
        ("percent", 0.0, 100.0),
        ("latitude", -90.0, 90.0),
        ("longitude", -180.0, 180.0),
    ];
    let found = USUAL.iter().find(|(word, ..)| name.ends_with(word));
    found.map_or((0.0, 1000.0), |(_, least, most)| (*least, *most))
}

/// A range as it is asked for; where an end is open, not far from the usual one.
fn range(least: Option<i128>, most: Option<i128>, from: i128, to: i128) -> (i128, i128) {
    match (least, most) {
        // What may be anything up to the limits of a type is like any other number.
        (Some(least), Some(most)) if least <= from && most >= to => (from, to),
        (Some(least), Some(most)) => (least, most),
        (Some(least), None) => (least.max(from), if least < to { to } else { least.saturating_add(to - from) }),
        (None, Some(most)) => (if most > from { from } else { most.saturating_sub(to - from) }, most.min(to)),
        (None, None) => (from, to),
    }
}

fn whole(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// A number as digits, and how many of them are after the point.
fn decimal(value: &Value) -> Option<(i128, u32)> {
    let text = value.to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let rest = rest.trim_end_matches('0');
    let digits: i128 = format!("{whole}{rest}").parse().ok()?;
    let places = i32::try_from(rest.len()).ok()? - exponent;
    match u32::try_from(places) {
        Ok(places) if places <= 30 => Some((digits.max(1), places)),
        Ok(_) => None,
        Err(_) if places >= -30 => Some((digits.checked_mul(10_i128.checked_pow(places.unsigned_abs())?)?, 0)),
        Err(_) => None,
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::check::number::{Divisor, Number as Exact};
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn bounds_and_steps_hold_digit_for_digit() {
        let cases = [
            json!({ "minimum": 3, "exclusiveMaximum": 5 }),
            json!({ "exclusiveMinimum": -7, "maximum": -5 }),
            json!({ "minimum": 9_000_000_000_000_000_000_u64 }),
            json!({ "maximum": -1000 }),
            json!({ "multipleOf": 7, "minimum": 1_000_000 }),
            json!({ "multipleOf": 2.5 }),
            json!({ "multipleOf": 0.01, "minimum": 0.005, "maximum": 0.995 }),
            json!({ "multipleOf": 1e3, "exclusiveMinimum": 0 }),
            json!({ "minimum": 0.001, "maximum": 0.002 }),
            json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
            json!({}),
        ];
        for words in cases.map(map) {
            for seed in 0..50 {
                let number = number(&words, "", &mut Random::new(seed));
                let mut all = vec![number];
                if words.get("maximum").and_then(Value::as_f64).is_none_or(|most| most.fract() == 0.0)
                    && words.get("exclusiveMaximum") != Some(&json!(1))
                {
                    all.push(integer(&words, "", &mut Random::new(seed)));
                    assert!(all[1].is_i64() || all[1].is_u64(), "{words:?}: {}", all[1]);
                }
                for value in all {
                    let text = value.to_string();
                    let order = |key: &str| words.get(key).map(|bound| Exact::new(&bound.to_string()).compare(&text));
                    assert!(order("minimum").is_none_or(|order| order.is_ge()), "{words:?}: {text}");
                    assert!(order("maximum").is_none_or(|order| order.is_le()), "{words:?}: {text}");
                    assert!(order("exclusiveMinimum").is_none_or(|order| order.is_gt()), "{words:?}: {text}");
                    assert!(order("exclusiveMaximum").is_none_or(|order| order.is_lt()), "{words:?}: {text}");
                    let step = words.get("multipleOf").and_then(|step| Divisor::new(&step.to_string()));
                    assert!(step.is_none_or(|step| step.divides(&text)), "{words:?}: {text}");
                }
            }
        }
    }
}
