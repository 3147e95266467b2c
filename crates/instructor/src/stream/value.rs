//! Any JSON value while it arrives.

use instructor_json::Kind;
use serde::Serialize;
use serde_json::{Number, Value};

use super::field::Field;
use super::grow::{Grow, Part, Way};
use super::partial::{Partial, PartialMap};

/// A [`serde_json::Value`] while it arrives.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum PartialValue {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Field<Self>>),
    /// An object.
    Object(PartialMap<Self>),
}

impl Part for PartialValue {
    fn way(kind: Kind) -> Way {
        match kind {
            Kind::String => Way::Text,
            Kind::Array | Kind::Object => Way::Inside(&[]),
            Kind::Null | Kind::Bool | Kind::Number => Way::Whole,
        }
    }

    fn begin(kind: Kind) -> Option<Self> {
        match kind {
            Kind::String => Some(Self::String(String::new())),
            Kind::Array => Some(Self::Array(Vec::new())),
            Kind::Object => Some(Self::Object(PartialMap::default())),
            Kind::Null | Kind::Bool | Kind::Number => None,
        }
    }

    fn whole(json: &str) -> Option<Self> {
        match serde_json::from_str(json).ok()? {
            Value::Null => Some(Self::Null),
            Value::Bool(value) => Some(Self::Bool(value)),
            Value::Number(value) => Some(Self::Number(value)),
            Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn key(&mut self, key: &str) -> Option<usize> {
        if let Self::Object(map) = self { map.key(key) } else { None }
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        if let Self::Array(list) = self { list.item(index) } else { None }
    }

    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        match self {
            Self::Array(list) => list.child(slot),
            Self::Object(map) => map.child(slot),
            _ => None,
        }
    }

    fn text(&mut self, more: &str) {
        if let Self::String(text) = self {
            text.push_str(more);
        }
    }
}

impl Partial for Value {
    type Partial = PartialValue;
}
