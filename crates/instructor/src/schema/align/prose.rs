//! A whole answer in prose that says one scalar: `The answer is **True**.`

use serde_json::Value;

use super::view::View;
use super::{Aligned, Fit, scalar, words};
use crate::repair::{Repair, Severity, short};
use crate::validate::Path;

/// The one boolean or member that a text names, as a whole word, if nothing in the text denies it. A guess.
pub(super) fn said(schema: &Value, text: &str) -> Option<Aligned> {
    let mut view = View::of(schema, schema);
    let list = view.takes("array");
    if list {
        view = View::of(view.item(0)?, schema);
    }
    if words::denies(text) {
        return None;
    }
    let (kind, json) = if view.takes("boolean") {
        let hits: Vec<&str> =
            ["true", "false"].into_iter().filter(|w| words::occurrences(text, w, false) > 0).collect();
        let [one] = hits.as_slice() else { return None };
        ("StringToBool", String::from(*one))
    } else if view.values.iter().any(|value| value.is_string()) {
        ("EnumSubstring", member(&view, text)?.to_string())
    } else {
        return None;
    };
    let severity = Severity::Guess;
    let json = if list { format!("[{json}]") } else { json };
    let repair = Repair {
        kind,
        severity,
        path: Path::root(),
        span: Some(0..text.len()),
        before: short(text),
        after: json.clone(),
    };
    Some(Aligned { json, repairs: vec![repair], fit: Fit::step(severity), issues: Vec::new() })
}

/// Words as a string. A guess.
pub(super) fn text(word: &str) -> Aligned {
    let severity = Severity::Guess;
    let json = Value::from(word).to_string();
    let repair = Repair {
        kind: "UnquotedValue",
        severity,
        path: Path::root(),
        span: None,
        before: short(word),
        after: short(&json),
    };
    Aligned { json, repairs: vec![repair], fit: Fit::step(severity), issues: Vec::new() }
}

/// The one member that is named: as it is spelled if one is, else in any case.
fn member<'s>(view: &View<'s>, text: &str) -> Option<&'s Value> {
    let names = scalar::names(view);
    [true, false].into_iter().find_map(|exact| {
        let hits =
            names.iter().filter(|(_, name)| words::occurrences(text, name, exact) > 0).map(|(member, _)| *member);
        let mut hits: Vec<&Value> = hits.collect();
        hits.dedup();
        match hits.as_slice() {
            [] => None,
            [one] => Some(Some(*one)),
            _ => Some(None),
        }
    })?
}
