//! Scalars that say what is wanted in another form.

use instructor_json::{Kind, Node};
use serde_json::Value;

use super::view::View;
use super::{Fit, Fitter, number, words};
use crate::repair::Severity;

/// What a string says where nothing was meant.
const NOTHING: &[&str] = &["null", "none", "nil", "n/a"];

impl<'s> Fitter<'s> {
    /// A number where an integer is wanted.
    pub(super) fn integer(&mut self, node: Node<'_>) -> Fit {
        let Some(text) = node.as_number() else { return self.as_it_came(node) };
        if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return self.as_it_is(node);
        }
        match number::whole(text) {
            Some(whole) => self.said("FloatToInt", Severity::Lossless, node, &whole),
            None => self.refuse(node, "an integer, written out"),
        }
    }

    /// A scalar in the wrong type, if it says exactly one of the right type.
    pub(super) fn scalar(&mut self, view: &View<'s>, node: Node<'_>) -> Option<Fit> {
        match node.kind() {
            Kind::Number | Kind::Bool if view.takes("string") => {
                let kind = if node.kind() == Kind::Bool { "BoolToString" } else { "NumberToString" };
                let text = Value::from(node.source()).to_string();
                Some(self.said(kind, Severity::Lossless, node, &text))
            }
            Kind::String => self.string(view, node),
            _ => None,
        }
    }

    fn string(&mut self, view: &View<'s>, node: Node<'_>) -> Option<Fit> {
        let text = node.as_str()?;
        if (view.takes("number") || view.takes("integer"))
            && let Some(read) = number::read(&text)
        {
            let severity = if read.guess { Severity::Guess } else { Severity::Lossless };
            let json = if view.takes("number") { Some(read.json) } else { number::whole(&read.json) };
            if let Some(json) = json.filter(|_| self.allows(severity)) {
                return Some(self.said(read.kind, severity, node, &json));
            }
        }
        let word = text.trim().to_lowercase();
        if view.takes("boolean") && (word == "true" || word == "false") {
            return Some(self.said("StringToBool", Severity::Lossless, node, &word));
        }
        if view.takes("null") && NOTHING.contains(&word.as_str()) && self.allows(Severity::Guess) {
            return Some(self.said("StringToNull", Severity::Guess, node, "null"));
        }
        None
    }

    /// One of the values of an `enum` or `const`.
    pub(super) fn choice(&mut self, view: &View<'s>, node: Node<'_>, depth: usize) -> Fit {
        let json: Option<Value> = serde_json::from_str(node.source()).ok();
        if json.as_ref().is_some_and(|value| view.values.iter().any(|known| same(known, value))) {
            return self.as_it_is(node);
        }
        if node.kind() == Kind::Array
            && node.len() == 1
            && let Some(only) = node.at(0)
        {
            return self.either("ListToSingle", node, |fitter| fitter.fit_view(view, only, depth));
        }
        let Some(text) = node.as_str() else {
            // A number or boolean for the text of a member.
            let said = Value::from(node.source());
            return match view.values.iter().find(|known| **known == &said).filter(|_| scalar(node)) {
                Some(known) => self.said("NumberToString", Severity::Lossless, node, &known.to_string()),
                None => self.as_it_came(node),
            };
        };
        match chosen(view, &text) {
            Some((member, kind)) => self.said(kind, Severity::Lossless, node, &member.to_string()),
            None => self.as_it_came(node),
        }
    }

    pub(super) fn said(&mut self, kind: &'static str, severity: Severity, node: Node<'_>, json: &str) -> Fit {
        self.log(kind, severity, node, json);
        self.out.push_str(json);
        Fit::step(severity)
    }
}

fn scalar(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::Number | Kind::Bool)
}

/// Equal as JSON values: numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}

/// The one member that a text names, and how: by its alias, in another case, or with other punctuation.
pub(super) fn chosen<'s>(view: &View<'s>, text: &str) -> Option<(&'s Value, &'static str)> {
    let names = names(view);
    let unique = |kind, fits: &dyn Fn(&str) -> bool| -> Option<Option<(&'s Value, &'static str)>> {
        let mut found: Vec<&'s Value> =
            names.iter().filter(|(_, name)| fits(name)).map(|(member, _)| *member).collect();
        found.dedup();
        match found.as_slice() {
            [] => None,
            [one] => Some(Some((*one, kind))),
            // More than one member could be meant: none is taken, and no looser rule is tried.
            _ => Some(None),
        }
    };
    let bare = words::bare(text);
    let letters = words::letters(text);
    unique("EnumAlias", &|name| name == text.trim())
        .or_else(|| {
            unique("EnumCase", &|name| {
                name.eq_ignore_ascii_case(text.trim()) || name.to_lowercase() == text.trim().to_lowercase()
            })
        })
        .or_else(|| unique("EnumPunctuation", &|name| name == bare))
        .or_else(|| unique("EnumPunctuation", &|name| !letters.is_empty() && words::letters(name) == letters))
        .flatten()
}

/// Whether a text names the one member that there is.
pub(super) fn names_only(view: &View<'_>, text: &str) -> bool {
    view.values.iter().any(|value| value.as_str() == Some(text)) || chosen(view, text).is_some()
}

/// Every name of every member: its own text, its alias, its description, and the two together.
pub(super) fn names<'s>(view: &View<'s>) -> Vec<(&'s Value, String)> {
    let mut names = Vec::new();
    for member in &view.values {
        let own = member.as_str().map_or_else(|| member.to_string(), String::from);
        for extra in view.named.into_iter().flatten() {
            let text = |key: &str| extra.get(key).and_then(Value::as_str);
            // Beside a single value no name has to say which it is about.
            if text("name").map_or(view.values.len() > 1, |name| name != own) {
                continue;
            }
            let shown = text("alias").unwrap_or(&own);
            if let Some(description) = text("description") {
                names.push((*member, String::from(description)));
                names.push((*member, format!("{shown}: {description}")));
            }
            names.extend(text("alias").map(|alias| (*member, String::from(alias))));
        }
        names.push((*member, own));
    }
    names
}
