//! Constraints in words, for the description: short lines that a person would write.

use serde_json::{Map, Value};

/// Text that a keyword's value is shown with at most.
const SHOWN: usize = 160;

/// What a keyword asks for, or nothing where words would not help.
pub(in crate::schema) fn phrase(key: &str, value: &Value) -> Option<String> {
    let shown = || Some(value.to_string()).filter(|text| text.len() <= SHOWN);
    let count = |one: &str, many: &str| format!("{value} {}", if *value == 1 { one } else { many });
    Some(match key {
        "minimum" => format!("at least {value}"),
        "maximum" => format!("at most {value}"),
        "exclusiveMinimum" => format!("more than {value}"),
        "exclusiveMaximum" => format!("less than {value}"),
        "multipleOf" => format!("a multiple of {value}"),
        "minLength" => format!("at least {}", count("character", "characters")),
        "maxLength" => format!("at most {}", count("character", "characters")),
        "minItems" => format!("at least {}", count("item", "items")),
        "maxItems" => format!("at most {}", count("item", "items")),
        "minProperties" => format!("at least {}", count("entry", "entries")),
        "maxProperties" => format!("at most {}", count("entry", "entries")),
        "pattern" => format!("matches {}", value.as_str().filter(|text| text.len() <= SHOWN)?),
        // Widths of numbers say nothing to a model that the bounds do not.
        "format" => value.as_str().filter(|name| !is_width(name)).map(|name| format!("format {name}"))?,
        "uniqueItems" => String::from("no duplicates"),
        "contains" => format!("has an item that matches {}", shown()?),
        "minContains" => format!("at least {value} of these"),
        "maxContains" => format!("at most {value} of these"),
        "not" => format!("must not match {}", shown()?),
        "if" => format!("if it matches {}", shown()?),
        "then" => format!("then it matches {}", shown()?),
        "else" => format!("else it matches {}", shown()?),
        "anyOf" => format!("matches at least one of {}", shown()?),
        "oneOf" => format!("matches exactly one of {}", shown()?),
        "dependentRequired" | "dependentSchemas" | "dependencies" => format!("keys that need others: {}", shown()?),
        "propertyNames" => format!("keys match {}", shown()?),
        "patternProperties" => format!("by key: {}", shown()?),
        "contentEncoding" => format!("encoded as {}", value.as_str()?),
        "contentMediaType" => format!("media type {}", value.as_str()?),
        "default" => format!("default: {}", shown()?),
        _ => return None,
    })
}

fn is_width(format: &str) -> bool {
    matches!(format, "float" | "double") || format.trim_start_matches('u').starts_with("int")
}

/// A lower and an upper bound in one phrase.
pub(in crate::schema) fn phrases(words: &Map<String, Value>) -> Vec<String> {
    const PAIRS: &[(&str, &str, &str)] = &[
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minProperties", "maxProperties", " entries"),
    ];
    let mut out = Vec::new();
    for (key, value) in words {
        if PAIRS.iter().any(|(low, high, _)| high == key && words.contains_key(*low)) {
            continue;
        }
        let pair = PAIRS.iter().find(|(low, _, _)| low == key);
        match pair.and_then(|(_, high, unit)| Some((words.get(*high)?, unit))) {
            Some((high, unit)) if high == value => out.push(format!("exactly {value}{unit}")),
            Some((high, unit)) => out.push(format!("{value} to {high}{unit}")),
            None => out.extend(phrase(key, value)),
        }
    }
    out
}

/// Words after a description.
pub(in crate::schema) fn joined(about: Option<&str>, words: &[String]) -> Option<String> {
    let words = words.join("; ");
    match (about.filter(|text| !text.is_empty()), words.is_empty()) {
        (None, true) => None,
        (Some(about), true) => Some(String::from(about)),
        (None, false) => Some(capitalized(&words)),
        (Some(about), false) => Some(format!("{about} ({words})")),
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
