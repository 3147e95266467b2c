//! Values of the schema against values of the answer: equality, and the set of an `enum` or `const`.

use instructor_json::{Kind, Node};
use serde_json::Value;

use super::kind::Kinds;
use super::names::Names;
use super::number::{self, Number};

/// The allowed values of an `enum`, or the one of a `const`.
#[derive(Clone, Debug)]
pub(in crate::schema) struct Values {
    /// All of them in the order of the schema, for messages.
    pub(in crate::schema) all: Box<[Value]>,
    pub(in crate::schema) words: Names,
    numbers: Box<[Number]>,
    pub(in crate::schema) kinds: Kinds,
}

impl Values {
    pub(in crate::schema) fn new(all: &[Value]) -> Self {
        let words = all.iter().filter_map(Value::as_str).map(Box::from).collect();
        let numbers = all
            .iter()
            .filter_map(|value| match value {
                Value::Number(number) => Some(Number::new(&number.to_string())),
                _ => None,
            })
            .collect();
        let kinds = all.iter().map(kind_of).fold(Kinds::NONE, Kinds::or);
        Self { all: all.into(), words: Names::new(words), numbers, kinds }
    }

    #[inline]
    pub(in crate::schema) fn allow(&self, node: Node<'_>, kind: Kind) -> bool {
        match kind {
            Kind::String => node.as_str().is_some_and(|text| self.words.find(&text).is_some()),
            Kind::Number => {
                node.as_number().is_some_and(|text| self.numbers.iter().any(|number| number.compare(text).is_eq()))
            }
            _ => self.kinds.may_be(kind) && self.all.iter().any(|value| same(value, node)),
        }
    }

    /// Whether all are strings.
    pub(in crate::schema) fn are_words(&self) -> bool {
        self.words.len() == self.all.len()
    }
}

fn kind_of(value: &Value) -> Kinds {
    match value {
        Value::Null => Kinds::NULL,
        Value::Bool(_) => Kinds::BOOL,
        Value::Number(_) => Kinds::NUMBER,
        Value::String(_) => Kinds::STRING,
        Value::Array(_) => Kinds::ARRAY,
        Value::Object(_) => Kinds::OBJECT,
    }
}

/// Equality of JSON values: numbers by value, objects in any order, of duplicate keys the last one.
pub(in crate::schema) fn same(value: &Value, node: Node<'_>) -> bool {
    match value {
        Value::Null => node.is_null(),
        Value::Bool(b) => node.as_bool() == Some(*b),
        Value::Number(n) => node.as_number().is_some_and(|text| Number::new(&n.to_string()).compare(text).is_eq()),
        Value::String(s) => node.is_str(s),
        Value::Array(list) => {
            let mut items = node.items();
            node.kind() == Kind::Array
                && list.iter().all(|value| items.next().is_some_and(|item| same(value, item)))
                && items.next().is_none()
        }
        Value::Object(map) => {
            node.kind() == Kind::Object
                && map.iter().all(|(key, value)| node.get(key).is_some_and(|inner| same(value, inner)))
                && node.entries().all(|(key, _)| key.as_str().is_some_and(|key| map.contains_key(&*key)))
        }
    }
}

/// The first item that equals an earlier one, with the position of that one.
pub(in crate::schema) fn repeated(array: Node<'_>) -> Option<(usize, usize)> {
    const FEW: usize = 16;
    let scalar = |node: Node<'_>| !matches!(node.kind(), Kind::Array | Kind::Object);
    if array.items().take(FEW + 1).count() <= FEW && array.items().all(scalar) {
        return array.items().enumerate().find_map(|(later, item)| {
            let earlier = array.items().take(later).position(|other| same_scalar(item, other))?;
            Some((earlier, later))
        });
    }
    let mut seen = std::collections::HashMap::new();
    array.items().enumerate().find_map(|(later, item)| {
        let mut text = String::new();
        canonical(item, &mut text);
        seen.insert(text, later).map(|earlier| (earlier, later))
    })
}

fn same_scalar(a: Node<'_>, b: Node<'_>) -> bool {
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => a == b || Number::new(a).compare(b).is_eq(),
        (None, None) if a.kind() == Kind::String => b.kind() == Kind::String && a.as_str() == b.as_str(),
        (None, None) => a.kind() == b.kind() && a.source() == b.source(),
        _ => false,
    }
}

/// Writes a value so that equal values get equal texts.
pub(in crate::schema) fn canonical(node: Node<'_>, out: &mut String) {
    match node.kind() {
        Kind::Null | Kind::Bool => out.push_str(node.source()),
        Kind::Number => number::canonical(node.source(), out),
        Kind::String => out.push_str(&quoted(&node.as_str().unwrap_or_default())),
        Kind::Array => {
            out.push('[');
            for item in node.items() {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Object => {
            let keyed = node.entries().filter_map(|(key, value)| Some((key.as_str()?, value)));
            let sorted: std::collections::BTreeMap<_, _> = keyed.collect();
            out.push('{');
            for (key, value) in sorted {
                out.push_str(&quoted(&key));
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

/// A string as JSON text.
pub(in crate::schema) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
