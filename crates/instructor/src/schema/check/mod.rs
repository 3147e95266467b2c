//! Checks answers against a JSON schema, natively: compiled once, walked over the parsed answer without building
//! another tree, and with issues that say what to change.
//!
//! [`compile`] and [`nested`] turn the schema into the flat list of [`rules`]; [`settle`] then works out what is known
//! about unions. [`walk`] gives the verdict and collects issues by the same code, so that the two cannot disagree;
//! [`explain`], [`choose`] and [`phrase`] are the words, and run only when something is wrong.

mod array;
mod choose;
mod compile;
mod evaluated;
mod explain;
pub(in crate::schema) mod format;
pub(in crate::schema) mod kind;
mod names;
pub(crate) mod nearest;
mod nested;
pub(in crate::schema) mod number;
mod object;
pub(in crate::schema) mod pattern;
mod phrase;
mod report;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod value;
mod walk;

use std::fmt;

use instructor_json::{Kind, Node};
use serde_json::Value;

pub(in crate::schema) use self::compile::count;
use self::report::{Collected, Fault, Frame, Verdict};
pub(crate) use self::rules::Limits;
use self::rules::Schema;
pub(in crate::schema) use self::value::{canonical, same};
use self::walk::Walk;
use super::resolve::Place;
use crate::validate::{Issue, Issues, Origin};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Checker {
    /// The first is the root.
    schemas: Vec<Schema>,
}

impl Checker {
    /// Compiles a schema: draft 2020-12, or an older one if `$schema` says so.
    pub(crate) fn compile(schema: &Value) -> Result<Self, Unsupported> {
        Self::compile_at(schema, schema)
    }

    /// Compiles one schema of a document.
    pub(crate) fn compile_at(document: &Value, schema: &Value) -> Result<Self, Unsupported> {
        let (mut schemas, pointers) = compile::compile(document, schema)?;
        settle::settle(&mut schemas, &pointers)?;
        Ok(Self { schemas })
    }

    /// Everything that is wrong with the value, in its order.
    pub(crate) fn check(&self, node: Node<'_>) -> Issues {
        if self.accepts(node) {
            return Issues::new();
        }
        let mut out = Collected::default();
        self.walk(node).value(0, node, &Frame::ROOT, &mut out);
        if out.issues.is_empty() {
            // Only when the walk gave up on repeating itself; the verdict stands.
            let issue = Issue::found_by(Origin::Schema, Frame::ROOT.path(), "a value that the schema allows");
            out.push(Fault::Value, &Frame::ROOT, issue.got(phrase::got(node)));
        }
        out.without_repeats().into()
    }

    /// Whether nothing is wrong with the value.
    pub(crate) fn accepts(&self, node: Node<'_>) -> bool {
        self.walk(node).value(0, node, &Frame::ROOT, &mut Verdict)
    }

    /// What it says of how much there may be in an array or object, whatever that is.
    pub(crate) fn limits(&self, kind: Kind) -> Limits {
        let mut limits = Limits::default();
        let mut ids = vec![0];
        let mut next = 0;
        while let Some(schema) = ids.get(next).and_then(|id| self.schemas.get(*id as usize)) {
            next += 1;
            for id in schema.limit(kind, &mut limits) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        limits
    }

    fn walk(&self, node: Node<'_>) -> Walk<'_> {
        Walk::new(&self.schemas, node)
    }
}

/// A keyword that the native checks do not cover, so that the schema was not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported {
    /// The keyword; empty if the schema as such is meant.
    pub(crate) keyword: String,
    /// Where it is: a JSON pointer into the schema.
    pub(crate) pointer: String,
    /// Why it is not covered.
    pub(crate) why: String,
}

impl Unsupported {
    fn new(place: &Place<'_>, keyword: &str, why: &str) -> Self {
        let mut pointer = place.pointer.clone();
        if !keyword.is_empty() {
            pointer.push('/');
            pointer.push_str(&keyword.replace('~', "~0").replace('/', "~1"));
        }
        Self { keyword: String::from(keyword), pointer, why: String::from(why) }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = if self.keyword.is_empty() { "schema" } else { &self.keyword };
        write!(f, "`{keyword}` at `{}` is not supported: {}", self.pointer, self.why)
    }
}

impl std::error::Error for Unsupported {}
