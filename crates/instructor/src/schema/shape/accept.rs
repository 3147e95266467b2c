//! Whether a value is one of a shape's: how the alternative of a union is found when a value is encoded.

use instructor_json::{Kind as Json, Node};
use serde_json::{Map, Value};

use super::super::check::number::{Divisor, Number, is_integer};
use super::super::check::pattern::Pattern;
use super::super::check::same;
use super::{Array, Id, Kind, Object, Policy, Rest, Shapes};

impl Shapes {
    /// Whether a value is one of the shape's, without keys that would be lost when it is said so.
    pub(in crate::schema) fn holds(&self, id: Id, node: Node<'_>) -> bool {
        Accept { shapes: self, open: self.policy == Policy::Exact }.value(id, node)
    }

    /// Whether a value is one of the shape's.
    pub(in crate::schema) fn accepts(&self, id: Id, node: Node<'_>) -> bool {
        Accept { shapes: self, open: true }.value(id, node)
    }
}

struct Accept<'s> {
    shapes: &'s Shapes,
    /// Objects that say nothing of further keys may have some.
    open: bool,
}

impl Accept<'_> {
    fn value(&self, id: Id, node: Node<'_>) -> bool {
        match (&self.shapes.get(id).kind, node.kind()) {
            (Kind::Any, _) | (Kind::Null, Json::Null) | (Kind::Bool, Json::Bool) => true,
            (Kind::Integer(words), Json::Number) => {
                node.as_number().is_some_and(|text| is_integer(text) && within(words, text))
            }
            (Kind::Number(words), Json::Number) => node.as_number().is_some_and(|text| within(words, text)),
            (Kind::Text(words), Json::String) => node.as_str().is_some_and(|text| reads(words, &text)),
            (Kind::Values(values), _) => values.iter().any(|known| same(known, node)),
            (Kind::Array(array), Json::Array) => self.items(array, node),
            (Kind::Object(object), Json::Object) => self.keys(object, node),
            (Kind::Union(union), _) => union.alternatives.iter().any(|a| self.value(a.id, node)),
            _ => false,
        }
    }

    fn items(&self, array: &Array, node: Node<'_>) -> bool {
        let length = node.len() as u64;
        length >= array.min
            && array.max.is_none_or(|max| length <= max)
            && node.items().enumerate().all(|(i, item)| {
                array.prefix.get(i).or(array.rest.as_ref()).is_some_and(|part| self.value(part.id, item))
            })
    }

    fn keys(&self, object: &Object, node: Node<'_>) -> bool {
        let present = object.fields.iter().all(|field| match node.get(&field.name) {
            Some(value) => self.value(field.shape.id, value),
            None => !field.required,
        });
        let count = |key| object.words.get(key).and_then(Value::as_u64);
        let length = node.len() as u64;
        let is_field = |key: Node<'_>| object.fields.iter().any(|field| key.is_str(&field.name));
        present
            && count("minProperties").is_none_or(|min| length >= min)
            && count("maxProperties").is_none_or(|max| length <= max)
            && node.entries().filter(|(key, _)| !is_field(*key)).all(|(_, value)| match &object.rest {
                Rest::Closed => false,
                Rest::Open => self.open,
                Rest::Of(rest) => self.value(rest.id, value),
            })
    }
}

fn within(words: &Map<String, Value>, text: &str) -> bool {
    words.iter().all(|(key, bound)| {
        let order = || Number::new(&bound.to_string()).compare(text);
        match key.as_str() {
            "minimum" => order().is_ge(),
            "maximum" => order().is_le(),
            "exclusiveMinimum" => order().is_gt(),
            "exclusiveMaximum" => order().is_lt(),
            "multipleOf" => Divisor::new(&bound.to_string()).is_none_or(|divisor| divisor.divides(text)),
            _ => true,
        }
    })
}

fn reads(words: &Map<String, Value>, text: &str) -> bool {
    let length = || text.chars().count() as u64;
    words.iter().all(|(key, word)| match key.as_str() {
        "minLength" => word.as_u64().is_none_or(|min| length() >= min),
        "maxLength" => word.as_u64().is_none_or(|max| length() <= max),
        "pattern" => {
            let pattern = word.as_str().and_then(|text| Pattern::new(text).ok());
            pattern.is_none_or(|pattern| pattern.matches(text))
        }
        _ => true,
    })
}
