//! The parts of a value that something is wrong with, and the schema of each.

use std::collections::HashSet;

use instructor_json::{Node, Step};
use serde_json::{Map, Value, json};

use super::align::View;
use super::tools::define;
use crate::validate::{Issues, Path};

/// A part of a value that can be given by itself.
#[derive(Clone, Debug)]
pub(crate) struct Part<'s> {
    pub(crate) path: Path,
    pub(crate) steps: Vec<Step<'static>>,
    pub(crate) schema: &'s Value,
}

/// The name under which a part is asked for, counted from 0.
pub(crate) fn name(index: usize) -> String {
    format!("fix_{}", index + 1)
}

/// The smallest parts that hold everything that is wrong, none inside another, in the order of the issues.
pub(crate) fn parts<'s>(schema: &'s Value, value: Node<'_>, issues: &Issues) -> Vec<Part<'s>> {
    let found = issues.as_slice().iter().map(|issue| part(schema, value, issue.path().steps()));
    let mut found: Vec<(usize, Part<'s>)> = found.enumerate().collect();
    // Outer ones first, so that each is compared with those around it only: there may be thousands.
    found.sort_by_key(|(_, part)| part.steps.len());
    let mut taken: HashSet<Path> = HashSet::new();
    found.retain(|(_, part)| {
        let around = (0..part.steps.len()).any(|depth| {
            let outer = part.steps.iter().take(depth).cloned();
            taken.contains(&Path::of_steps(outer))
        });
        !around && taken.insert(part.path.clone())
    });
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, part)| part).collect()
}

/// The schema of an object with each part under its name; none if a definition can't be taken along.
pub(crate) fn schema_of(parts: &[Part<'_>], root: &Value) -> Option<Value> {
    let named = parts.iter().enumerate().map(|(index, part)| (name(index), part.schema.clone(), true));
    object_of(named, root)
}

/// The schema of an object with these properties, each with whether it is required, and what they refer to in `root`.
pub(super) fn object_of(named: impl Iterator<Item = (String, Value, bool)>, root: &Value) -> Option<Value> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, schema, must) in named {
        if must {
            required.push(name.clone());
        }
        properties.insert(name, schema);
    }
    let mut schema =
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    if let (Some(draft), Some(map)) = (root.get("$schema"), schema.as_object_mut()) {
        map.insert(String::from("$schema"), draft.clone());
    }
    define(&mut schema, root).ok()?;
    Some(schema)
}

/// The part that a place is in: as far towards it as the schema says what stands there, and as there is something. A
/// property that is missing is a part too.
fn part<'s>(root: &'s Value, value: Node<'_>, to: Vec<Step<'static>>) -> Part<'s> {
    let (mut schema, mut node) = (root, Some(value));
    let (mut path, mut steps) = (Path::root(), Vec::new());
    for step in to {
        let Some(here) = node else { break };
        let next = here.step(&step);
        let inner = match &step {
            Step::Key(key) => property(schema, root, here, key),
            Step::Index(index) => item(schema, root, here, *index),
        };
        // Past the end of a list there is no place for one item more.
        let missing = next.is_none() && matches!(step, Step::Index(_));
        let Some(inner) = inner.filter(|_| !missing) else { break };
        path = match &step {
            Step::Key(key) => path.key(key),
            Step::Index(index) => path.index(*index),
        };
        (schema, node) = (inner, next);
        steps.push(step);
    }
    Part { path, steps, schema }
}

pub(super) fn property<'s>(schema: &'s Value, root: &'s Value, value: Node<'_>, key: &str) -> Option<&'s Value> {
    let mut views = views(schema, root, value);
    views.find_map(|view| {
        let map = view.properties.is_empty() && !view.patterns;
        view.property(key).or_else(|| view.additional.filter(|inner| map && inner.is_object()))
    })
}

fn item<'s>(schema: &'s Value, root: &'s Value, value: Node<'_>, index: usize) -> Option<&'s Value> {
    views(schema, root, value).find_map(|view| view.item(index))
}

/// What a schema says of a value, and what the one alternative says that the value is meant for.
pub(super) fn views<'s>(schema: &'s Value, root: &'s Value, value: Node<'_>) -> impl Iterator<Item = View<'s>> {
    let view = View::of(schema, root);
    let null = |branch: &Value| branch.get("type").is_some_and(|kind| kind == "null");
    let branches = || view.branches.iter().map(|branch| View::of(branch, root)).filter(|view| !null(view.schema));
    let meant = match branches().count() {
        1 => branches().next(),
        _ => {
            let mut told = branches().filter(|branch| tells(branch, root, value));
            told.next().filter(|_| told.next().is_none())
        }
    };
    std::iter::once(view).chain(meant)
}

/// Whether an alternative has a word of its own, such as a tag, and the value says it.
fn tells(branch: &View<'_>, root: &Value, value: Node<'_>) -> bool {
    let literals =
        branch.properties.iter().filter_map(|(key, schema)| match View::of(schema, root).values.as_slice() {
            [word] if branch.required.contains(key) => Some((*key, word.as_str()?)),
            _ => None,
        });
    let mut any = false;
    for (key, word) in literals {
        if !value.get(key).is_some_and(|said| said.is_str(word)) {
            return false;
        }
        any = true;
    }
    any
}

/// A text of JSON with other values in some places: each is where its steps lead, or new in the object that they end in.
pub(crate) fn splice(json: &str, value: Node<'_>, places: &[(&[Step<'_>], &str)]) -> String {
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::with_capacity(places.len());
    for (steps, new) in places {
        let mut node = value;
        let mut key = None;
        for step in *steps {
            match (node.step(step), step) {
                (Some(next), _) => node = next,
                (None, Step::Key(name)) => {
                    key = Some(name);
                    break;
                }
                (None, Step::Index(_)) => break,
            }
        }
        match key {
            None => edits.push((node.span(), String::from(*new))),
            Some(name) => {
                let end = node.span().end.saturating_sub(1);
                let comma = if node.is_empty() { "" } else { "," };
                edits.push((end..end, format!("{comma}{}:{new}", Value::from(&**name))));
            }
        }
    }
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(json.len());
    let mut from = 0;
    let mut filled: Option<usize> = None;
    for (span, new) in edits {
        out.push_str(json.get(from..span.start).unwrap_or_default());
        // The second of two new members of what was an empty object.
        if span.is_empty() && filled == Some(span.start) && !new.starts_with(',') {
            out.push(',');
        }
        filled = span.is_empty().then_some(span.start);
        out.push_str(&new);
        from = span.end;
    }
    out.push_str(json.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use instructor_json::Document;

    use super::*;
    use crate::validate::Issue;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "pets": { "type": "array", "items": { "$ref": "#/$defs/Pet" } },
                "ages": { "type": "object", "additionalProperties": { "type": "integer" } },
                "home": { "anyOf": [{ "$ref": "#/$defs/Home" }, { "type": "null" }] },
                "act": { "oneOf": [
                    { "type": "object", "properties": { "kind": { "const": "walk" }, "km": { "type": "number" } }, "required": ["kind"] },
                    { "type": "object", "properties": { "kind": { "const": "eat" }, "what": { "type": "string" } }, "required": ["kind"] },
                ] },
                "any": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
            },
            "$defs": {
                "Pet": { "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] },
                "Home": { "type": "object", "properties": { "zip": { "type": "string" } } },
            },
        })
    }

    const VALUE: &str = r#"{"name":"n","pets":[{"age":1},{}],"ages":{"a":"x"},"home":{"zip":1},"act":{"kind":"eat","what":1},"any":[1]}"#;

    #[test]
    fn the_smallest_part_with_a_schema_is_found() {
        let (schema, document) = (schema(), Document::parse(VALUE).unwrap());
        let cases = [
            ("name", "$.name"),
            ("pets[0].age", "$.pets[0].age"),
            // A property that is missing can be given; an item past the end can't.
            ("pets[1].age", "$.pets[1].age"),
            ("pets[2].age", "$.pets"),
            ("pets[0].tail", "$.pets[0]"),
            ("ages.a", "$.ages.a"),
            ("home.zip", "$.home.zip"),
            ("act.what", "$.act.what"),
            ("act.km", "$.act"),
            // Which alternative is meant is not known.
            ("any[0]", "$.any"),
            ("", "$"),
            ("nothing.of.this", "$"),
        ];
        for (place, wanted) in cases {
            let issue = Issue::at(place, "something else");
            let found = parts(&schema, document.root(), &issue.into());
            assert_eq!(found.iter().map(|part| part.path.as_str()).collect::<Vec<_>>(), [wanted], "{place}");
        }
    }

    #[test]
    fn what_is_inside_another_part_is_no_part_of_its_own() {
        let (schema, document) = (schema(), Document::parse(VALUE).unwrap());
        let issues = ["pets[0].age", "name", "pets", "pets[1].age"].map(|place| Issue::at(place, "other")).to_vec();
        let found = parts(&schema, document.root(), &issues.into());
        assert_eq!(found.iter().map(|part| part.path.as_str()).collect::<Vec<_>>(), ["$.name", "$.pets"]);
        let whole = schema_of(&found, &schema).unwrap();
        assert_eq!(whole["properties"]["fix_2"]["items"]["$ref"], "#/$defs/Pet");
        assert_eq!(whole["$defs"].as_object().unwrap().keys().collect::<Vec<_>>(), ["Pet"]);
        assert_eq!(whole["required"], json!(["fix_1", "fix_2"]));
    }

    #[test]
    fn values_are_put_where_they_belong_and_nowhere_else() {
        let text = r#"{ "a": [1, {"b": 2}], "c": {} , "d": "x"}"#;
        let document = Document::parse(text).unwrap();
        let key = |name: &'static str| Step::Key(name.into());
        let (b, c, e, f) = (
            [key("a"), Step::Index(1), key("b")],
            [key("c"), key("n")],
            [key("c"), key("m")],
            [key("a"), Step::Index(1), key("new \"key\"")],
        );
        let places: [(&[Step<'_>], &str); 4] = [(&b, "[9]"), (&c, "1"), (&e, "2"), (&f, "null")];
        assert_eq!(
            splice(text, document.root(), &places),
            r#"{ "a": [1, {"b": [9],"new \"key\"":null}], "c": {"n":1,"m":2} , "d": "x"}"#
        );
        assert_eq!(splice(text, document.root(), &[(&[], "7")]), "7");
    }
}
