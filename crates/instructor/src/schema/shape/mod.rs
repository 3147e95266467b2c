//! The canonical form: what values a schema has, with references, intersections and unions worked out.
//!
//! A [`Shape`] is a superset of the values of its schema: what can't be said as kinds, fields, items and alternatives
//! is kept as words ([`Shape::local`]) and is enforced by the check of the answer alone. Never less: a keyword whose
//! meaning would turn around inside (`not`, `if`) is left out whole and not rewritten.

mod accept;
mod array;
mod build;
mod expand;
mod object;
mod settle;

use std::sync::LazyLock;

use serde_json::{Map, Value};

pub(super) use self::build::{ANY, shapes};

/// The position of a shape in the list.
pub(super) type Id = usize;

/// What undeclared keys mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Objects that say nothing about further keys have none: what serde ignores need not be asked for. For types.
    #[default]
    Declared,
    /// Every value that the schema allows can be said. For schemas that are open on purpose.
    Exact,
}

/// All shapes of one schema: a graph, since types may be recursive.
#[derive(Debug)]
pub(super) struct Shapes {
    pub(super) list: Vec<Shape>,
    pub(super) root: Use,
    pub(super) policy: Policy,
}

/// A place that a shape is used in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) id: Id,
    /// What is said about it here, if that is not what the shape says about itself.
    pub(super) about: Option<Box<str>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// The description.
    pub(super) about: Option<Box<str>>,
    /// The name of the definition or the title.
    pub(super) name: Option<Box<str>>,
    /// Where it stands in the schema: a JSON pointer.
    pub(super) at: Box<str>,
    /// Keywords that only the check of the answer enforces, and notes such as `default`.
    pub(super) local: Map<String, Value>,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Kind {
    /// Any value.
    #[default]
    Any,
    /// No value.
    Never,
    Null,
    Bool,
    /// Constraints by keyword.
    Integer(Map<String, Value>),
    Number(Map<String, Value>),
    Text(Map<String, Value>),
    /// One of these.
    Values(Vec<Value>),
    Array(Array),
    Object(Object),
    Union(Union),
}

#[derive(Clone, Debug)]
pub(super) struct Array {
    /// The shapes of the first items.
    pub(super) prefix: Vec<Use>,
    /// The shape of those that follow; none if none may.
    pub(super) rest: Option<Use>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) fields: Vec<Field>,
    pub(super) rest: Rest,
    /// Constraints on its size and its further keys, by keyword.
    pub(super) words: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) shape: Use,
    pub(super) required: bool,
    /// Absent and null are two things, although the type reads both: the schema says so with `x-exact`.
    pub(super) exact: bool,
}

/// Keys beyond the fields.
#[derive(Clone, Debug)]
pub(super) enum Rest {
    /// None.
    Closed,
    /// The schema says nothing of them.
    Open,
    /// With values of this shape.
    Of(Use),
}

#[derive(Clone, Debug)]
pub(super) struct Union {
    pub(super) alternatives: Vec<Use>,
    /// Exactly one has to fit.
    pub(super) exclusive: bool,
}

impl Shapes {
    pub(super) fn get(&self, id: Id) -> &Shape {
        static ANY: LazyLock<Shape> = LazyLock::new(Shape::default);
        self.list.get(id).unwrap_or_else(|| &ANY)
    }

    /// The shapes that a shape is made of, in their order.
    pub(super) fn parts(&self, id: Id) -> Vec<&Use> {
        match &self.get(id).kind {
            Kind::Array(array) => array.prefix.iter().chain(&array.rest).collect(),
            Kind::Object(object) => {
                let rest = match &object.rest {
                    Rest::Of(rest) => Some(rest),
                    _ => None,
                };
                object.fields.iter().map(|field| &field.shape).chain(rest).collect()
            }
            Kind::Union(union) => union.alternatives.iter().collect(),
            _ => Vec::new(),
        }
    }
}
