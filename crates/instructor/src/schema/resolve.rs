//! Finds the schema that a `$ref` names, inside the document.

use std::rc::Rc;

use serde_json::Value;

use super::draft::Draft;

/// A schema in the document, and where its local references start from.
#[derive(Clone, Debug)]
pub(in crate::schema) struct Place<'s> {
    pub(in crate::schema) schema: &'s Value,
    /// The nearest schema around it with an id of its own, or the document: `#` is this one.
    base: &'s Value,
    base_pointer: Rc<str>,
    /// The JSON pointer of the schema.
    pub(in crate::schema) pointer: String,
    draft: Draft,
}

impl<'s> Place<'s> {
    pub(in crate::schema) fn root(schema: &'s Value, draft: Draft) -> Self {
        Self { schema, base: schema, base_pointer: Rc::from(""), pointer: String::new(), draft }
    }

    /// Another schema of the document, with the references of this one.
    pub(in crate::schema) fn other(self, schema: &'s Value) -> Self {
        Self { schema, ..self }
    }

    /// The schema under a key or index of this one.
    pub(in crate::schema) fn step(&self, schema: &'s Value, step: &str) -> Self {
        let pointer = format!("{}/{}", self.pointer, step.replace('~', "~0").replace('/', "~1"));
        if starts_document(schema, self.draft) {
            let base_pointer = Rc::from(&*pointer);
            return Self { schema, base: schema, base_pointer, pointer, draft: self.draft };
        }
        Self { schema, pointer, base_pointer: Rc::clone(&self.base_pointer), ..*self }
    }

    /// The schema that a reference in this one names, or why there is none.
    pub(in crate::schema) fn resolve(&self, reference: &str) -> Result<Self, &'static str> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if !address.is_empty() && id(self.base, self.draft).is_none_or(|id| id.trim_end_matches('#') != address) {
            return Err("only references into the same document are followed");
        }
        let base = Self {
            schema: self.base,
            pointer: String::from(&*self.base_pointer),
            base_pointer: Rc::clone(&self.base_pointer),
            ..*self
        };
        if fragment.is_empty() {
            return Ok(base);
        }
        let fragment = decoded(fragment).ok_or("its escapes are not valid")?;
        if let Some(pointer) = fragment.strip_prefix('/') {
            return pointer
                .split('/')
                .try_fold(base, |place, step| {
                    let step = step.replace("~1", "/").replace("~0", "~");
                    let inner = match place.schema {
                        Value::Object(map) => map.get(&step)?,
                        Value::Array(list) => list.get(step.parse::<usize>().ok()?)?,
                        _ => return None,
                    };
                    Some(place.step(inner, &step))
                })
                .ok_or("it points at nothing");
        }
        anchored(base, &fragment).ok_or("there is no such anchor")
    }
}

/// The schema with this `$anchor` under the same base.
fn anchored<'s>(base: Place<'s>, anchor: &str) -> Option<Place<'s>> {
    let mut open = vec![base];
    while let Some(place) = open.pop() {
        match place.schema {
            Value::Object(map) => {
                let named = |key| map.get(key).and_then(Value::as_str);
                let legacy = |key| named(key).and_then(|id| id.strip_prefix('#')) == Some(anchor);
                if named("$anchor") == Some(anchor) || named("$dynamicAnchor") == Some(anchor) {
                    return Some(place);
                }
                if legacy("$id") || legacy("id") {
                    return Some(place);
                }
                let data = |key: &str| matches!(key, "enum" | "const" | "default" | "examples");
                let inner = map.iter().filter(|(key, _)| !data(key)).rev();
                open.extend(
                    inner
                        .filter(|(_, value)| !starts_document(value, place.draft))
                        .map(|(key, value)| place.step(value, key)),
                );
            }
            Value::Array(list) => {
                let inner = list.iter().enumerate().rev().filter(|(_, value)| !starts_document(value, place.draft));
                open.extend(inner.map(|(i, value)| place.step(value, &i.to_string())));
            }
            _ => {}
        }
    }
    None
}

fn id(schema: &Value, draft: Draft) -> Option<&str> {
    schema.get(if draft == Draft::V4 { "id" } else { "$id" }).and_then(Value::as_str)
}

/// Whether the schema has an id that is more than an anchor. Old drafts ignore what is beside a `$ref`.
fn starts_document(schema: &Value, draft: Draft) -> bool {
    id(schema, draft).is_some_and(|id| !id.starts_with('#') && !id.is_empty())
        && (draft > Draft::V7 || schema.get("$ref").is_none())
}

/// The text with `%41` as `A`.
fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(String::from(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [a, b, after @ ..] = rest else { return None };
        let value = char::from(*a).to_digit(16)? * 16 + char::from(*b).to_digit(16)?;
        bytes.push(u8::try_from(value).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
