//! The kinds of values that a schema admits, as a set of bits.

use instructor_json::{Kind, Node};

use super::number::is_integer;

/// Kinds of JSON values. Numbers are two kinds, because every integer is a number but not the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(in crate::schema) const NONE: Self = Self(0);
    pub(in crate::schema) const NULL: Self = Self(1);
    pub(in crate::schema) const BOOL: Self = Self(2);
    pub(in crate::schema) const INTEGER: Self = Self(4);
    pub(in crate::schema) const NUMBER: Self = Self(4 | 8);
    pub(in crate::schema) const STRING: Self = Self(16);
    pub(in crate::schema) const ARRAY: Self = Self(32);
    pub(in crate::schema) const OBJECT: Self = Self(64);
    pub(in crate::schema) const ANY: Self = Self(127);

    /// The kinds that a name in the `type` keyword stands for.
    pub(in crate::schema) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOL,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    /// Every value of this JSON kind; for numbers, whole or not.
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Null => Self::NULL,
            Kind::Bool => Self::BOOL,
            Kind::Number => Self::NUMBER,
            Kind::String => Self::STRING,
            Kind::Array => Self::ARRAY,
            Kind::Object => Self::OBJECT,
        }
    }

    pub(in crate::schema) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(in crate::schema) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(in crate::schema) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether some value of this JSON kind is admitted.
    pub(crate) const fn may_be(self, kind: Kind) -> bool {
        self.0 & Self::of(kind).0 != 0
    }

    /// Whether this value's kind is admitted. Looks at a number's digits only when it matters.
    #[inline]
    pub(in crate::schema) fn admit(self, node: Node<'_>, kind: Kind) -> bool {
        let of = Self::of(kind);
        let common = self.and(of);
        common == of || (common == Self::INTEGER && node.as_number().is_some_and(is_integer))
    }

    /// The kinds as a noun phrase each: `an integer`.
    pub(in crate::schema) fn phrases(self) -> impl Iterator<Item = &'static str> {
        let number = if self.and(Self::NUMBER) == Self::INTEGER { "an integer" } else { "a number" };
        [
            (Self::STRING, "a string"),
            (Self::NUMBER, number),
            (Self::BOOL, "true or false"),
            (Self::ARRAY, "an array"),
            (Self::OBJECT, "an object"),
            (Self::NULL, "null"),
        ]
        .into_iter()
        .filter(move |(kind, _)| !self.and(*kind).is_empty())
        .map(|(_, phrase)| phrase)
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self::ANY
    }
}
