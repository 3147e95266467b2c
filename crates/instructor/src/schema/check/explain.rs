//! Issues: each fault that a walk finds, said so that it can be acted on. Nothing here runs for a good answer.

use instructor_json::Node;

use super::nearest::nearest;
use super::phrase;
use super::report::{Collected, Fault, Frame};
use super::rules::{Contains, Id, Numbers, Objects, Schema, Strings};
use super::value::quoted;
use super::walk::{Walk, fits_length};
use crate::validate::{Issue, Origin, Path};

pub(super) use super::choose::union;

pub(super) fn issue(path: Path, wanted: impl Into<String>) -> Issue {
    Issue::found_by(Origin::Schema, path, wanted)
}

/// An issue with the value at a place.
pub(super) fn with(node: Node<'_>, at: &Frame<'_>, wanted: impl Into<String>) -> Issue {
    issue(at.path(), wanted).got(phrase::got(node))
}

/// Adds the allowed name that is nearest to what was given, as a JSON string.
pub(super) fn near<'n>(issue: Issue, given: &str, allowed: impl Iterator<Item = &'n str> + Clone) -> Issue {
    match nearest(given, allowed) {
        Some(name) => issue.nearest(quoted(name)),
        None => issue,
    }
}

#[cold]
pub(super) fn too_deep(node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    out.push(Fault::Value, at, with(node, at, "a value that is not nested as deeply"));
}

/// The value is none of those that are listed, or of another kind.
#[cold]
pub(super) fn misfit(schema: &Schema, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    let kind = node.kind();
    if schema.never {
        return out.push(Fault::Shape, at, with(node, at, "no value here"));
    }
    let Some(values) = schema.values.iter().find(|values| !values.allow(node, kind)) else {
        return out.push(Fault::Kind, at, with(node, at, phrase::kinds(schema.kinds)));
    };
    let fault = if values.kinds.may_be(kind) { Fault::Choice } else { Fault::Kind };
    let issue = with(node, at, phrase::values(values));
    out.push(
        fault,
        at,
        match node.as_str() {
            Some(text) => near(issue, &text, values.words.iter().collect::<Vec<_>>().into_iter()),
            None => issue,
        },
    );
}

/// A number or string of the right kind that is not as it should be.
#[cold]
pub(super) fn text(schema: &Schema, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    match (node.as_number(), &schema.numbers, &schema.strings) {
        (Some(_), Some(numbers), _) => number(schema, numbers, node, at, out),
        (None, _, Some(strings)) => string(strings, node, at, out),
        _ => {}
    }
}

fn number(schema: &Schema, numbers: &Numbers, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    out.push(Fault::Value, at, with(node, at, phrase::number(schema, numbers)));
}

fn string(strings: &Strings, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    let Some(text) = node.as_str() else { return };
    let mut wanted = match strings.format {
        Some(format) if !format.holds(&text) => String::from(format.phrase()),
        _ => String::from("a string"),
    };
    let mut length = String::new();
    if !fits_length(strings, &text) {
        wanted.push_str(&format!(" of {}", phrase::amount(strings.min, strings.max, "characters")));
        length = format!(", not {}", text.chars().count());
    }
    match strings.pattern.as_ref().filter(|pattern| !pattern.matches(&text)) {
        Some(pattern) => wanted.push_str(&format!(" that matches the pattern {}", pattern.text())),
        None => wanted.push_str(&length),
    }
    out.push(Fault::Value, at, with(node, at, wanted));
}

#[cold]
pub(super) fn count(
    min: u64,
    max: Option<u64>,
    count: u64,
    noun: &str,
    node: Node<'_>,
    at: &Frame<'_>,
    out: &mut Collected,
) {
    let amount = phrase::amount(min, max, noun);
    out.push(Fault::Value, at, with(node, at, format!("{amount}, not {count}")));
}

#[cold]
pub(super) fn contains(
    walk: &Walk<'_>,
    rule: &Contains,
    found: u64,
    node: Node<'_>,
    at: &Frame<'_>,
    out: &mut Collected,
) {
    let amount = phrase::amount(rule.min, rule.max, "items");
    let item = phrase::schema(walk.schemas, rule.item).unwrap_or_else(|| String::from("as the schema says"));
    let what = if amount.ends_with('s') { "that are each" } else { "that is" };
    out.push(Fault::Value, at, with(node, at, format!("{amount} {what} {item}, not {found}")));
}

#[cold]
pub(super) fn repeated(earlier: usize, item: Option<Node<'_>>, at: &Frame<'_>, out: &mut Collected) {
    if let Some(item) = item {
        out.push(Fault::Value, at, with(item, at, format!("no item twice (this is the same as item {earlier})")));
    }
}

#[cold]
pub(super) fn missing(walk: &Walk<'_>, rules: &Objects, index: usize, at: &Frame<'_>, out: &mut Collected) {
    let name = rules.names.get(index).unwrap_or_default();
    let schema = rules.properties.get(index).copied().flatten();
    let wanted = schema.and_then(|id| phrase::described(walk.schemas, id));
    let wanted = wanted.map_or_else(String::new, |wanted| format!(" ({wanted})"));
    let wanted = format!("the required property {}{wanted}", quoted(name));
    out.push(Fault::Shape, at, issue(at.path().key(name), wanted));
}

#[cold]
pub(super) fn missing_with(name: &str, key: &str, at: &Frame<'_>, out: &mut Collected) {
    let wanted = format!("the property {}, which is required where {} is present", quoted(name), quoted(key));
    out.push(Fault::Shape, at, issue(at.path().key(name), wanted));
}

#[cold]
pub(super) fn unknown_key(
    rules: &Objects,
    node: Node<'_>,
    name: &str,
    value: Node<'_>,
    at: &Frame<'_>,
    inner: &Frame<'_>,
    out: &mut Collected,
) {
    let allowed: Vec<&str> =
        rules.names.iter().zip(&rules.properties).filter(|(_, id)| id.is_some()).map(|(name, _)| name).collect();
    leftover_key(&allowed, node, name, value, at, inner, out);
}

#[cold]
pub(super) fn leftover_key(
    allowed: &[&str],
    node: Node<'_>,
    name: &str,
    value: Node<'_>,
    at: &Frame<'_>,
    inner: &Frame<'_>,
    out: &mut Collected,
) {
    let listed = match allowed {
        [] => String::from("none is allowed"),
        allowed => format!("allowed: {}", phrase::list(allowed.iter().map(|name| quoted(name)))),
    };
    let issue = with(value, inner, format!("no property {} ({listed})", quoted(name)));
    let absent: Vec<&str> = allowed.iter().copied().filter(|name| node.get(name).is_none()).collect();
    out.push(Fault::Shape, at, near(issue, name, absent.into_iter()));
}

#[cold]
pub(super) fn bad_key(
    walk: &mut Walk<'_>,
    id: Id,
    key: Node<'_>,
    at: &Frame<'_>,
    inner: &Frame<'_>,
    out: &mut Collected,
) {
    let mut found = Collected::default();
    walk.value(id, key, inner, &mut found);
    let wanted = found.issues.first().map_or("allowed", Issue::wanted);
    let mut issue = with(key, inner, format!("a property name that is {wanted}"));
    if let Some(name) = found.issues.first().and_then(Issue::nearest_value) {
        issue = issue.nearest(name);
    }
    out.push(Fault::Shape, at, issue);
}

#[cold]
pub(super) fn not(walk: &Walk<'_>, id: Id, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    let wanted = match phrase::schema(walk.schemas, id) {
        Some(wanted) => format!("anything but {wanted}"),
        None => String::from("a value that the schema does not rule out"),
    };
    out.push(Fault::Value, at, with(node, at, wanted));
}
