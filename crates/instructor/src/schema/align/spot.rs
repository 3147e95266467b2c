//! What a schema says of one value by itself, while the answer around it is still arriving.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use instructor_json::{Document, Kind};
use serde_json::Value;

use super::scalar::names;
use super::view::View;
use super::{align_part, words};
use crate::repair::Level;
use crate::schema::check::{Checker, count};
use crate::validate::{Issue, Issues, Origin, Path};

/// The places of a schema, each looked at once.
#[derive(Debug)]
pub(crate) struct Spots<'s> {
    root: &'s Value,
    level: Level,
    /// By the address of their schema.
    known: Mutex<HashMap<usize, Arc<Spot<'s>>>>,
}

/// A place of a schema, where a value stands in the answer.
pub(crate) struct Spot<'s> {
    root: &'s Value,
    schema: &'s Value,
    level: Level,
    /// What is said of a value that is not null, where that is the only choice.
    inside: View<'s>,
    anything: bool,
    /// None where the native checks do not cover it.
    checker: OnceLock<Option<Checker>>,
    /// The letters of every name of the allowed values.
    names: Vec<String>,
}

/// How a value of some kind is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Not at all: nothing is said of it.
    Nothing,
    /// When it is complete: only then is it known what it is meant for.
    Whole,
    /// As it grows: one of some texts.
    Choice,
    /// By what is in it.
    Inside,
}

impl<'s> Spots<'s> {
    pub(crate) fn new(root: &'s Value, level: Level) -> Self {
        Self { root, level, known: Mutex::default() }
    }

    /// The place of the whole answer.
    pub(crate) fn root(&self) -> Arc<Spot<'s>> {
        self.at(self.root)
    }

    pub(crate) fn at(&self, schema: &'s Value) -> Arc<Spot<'s>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Spot::new(self.root, schema, self.level));
        Arc::clone(known.entry(std::ptr::from_ref(schema).addr()).or_insert_with(new))
    }
}

impl<'s> Spot<'s> {
    fn new(root: &'s Value, schema: &'s Value, level: Level) -> Self {
        let view = View::of(schema, root);
        let anything = view.anything();
        let null = |branch: &Value| branch.get("type").is_some_and(|kind| kind == "null");
        let mut others = view.branches.iter().filter(|branch| !null(branch));
        let inside = match (others.next(), others.next()) {
            (Some(only), None) if view.properties.is_empty() => View::of(only, root),
            _ => view,
        };
        let letters = names(&inside).into_iter().map(|(_, name)| words::letters(&name)).collect();
        Self { root, schema, level, inside, anything, checker: OnceLock::new(), names: letters }
    }

    /// Whether it says which kinds of values there may be.
    pub(crate) fn is_typed(&self) -> bool {
        self.inside.typed()
    }

    pub(crate) fn entry(&self, kind: Kind) -> Entry {
        let inside = &self.inside;
        let plain = inside.branches.is_empty() && inside.values.is_empty();
        match kind {
            _ if self.anything => Entry::Nothing,
            Kind::Object if plain && inside.takes("object") => Entry::Inside,
            Kind::Array if plain && inside.takes("array") => Entry::Inside,
            Kind::String if inside.branches.is_empty() && !inside.values.is_empty() => Entry::Choice,
            _ => Entry::Whole,
        }
    }

    /// The schema of a key's value, and whether the key has to be there.
    pub(crate) fn property(&self, key: &str) -> Option<(&'s Value, bool)> {
        let inside = &self.inside;
        if let Some(schema) = inside.property(key) {
            return Some((schema, inside.required.contains(&key)));
        }
        // Beside named properties, another key may be meant for one of them.
        let map = inside.properties.is_empty() && !inside.patterns;
        inside.additional.filter(|schema| map && schema.is_object()).map(|schema| (schema, true))
    }

    pub(crate) fn item(&self, index: usize) -> Option<&'s Value> {
        self.inside.item(index)
    }

    /// What is against one more item after so many.
    pub(crate) fn too_many(&self, before: usize) -> Option<Issue> {
        let most = count(self.inside.schema.get("maxItems")?)?;
        (before as u64 >= most).then(|| issue(Path::root(), format!("at most {most} items")).got("more of them"))
    }

    /// What is against a list that ends after so many items.
    pub(crate) fn too_few(&self, items: usize) -> Option<Issue> {
        let least = count(self.inside.schema.get("minItems")?)?;
        let few = || issue(Path::root(), format!("at least {least} items")).got(format!("{items} of them"));
        ((items as u64) < least).then(few)
    }

    /// What is against an object that ends with these keys.
    pub(crate) fn missing(&self, keys: &[String]) -> Issues {
        let missing = self.inside.required.iter().filter(|name| !keys.iter().any(|key| key == *name));
        let said = missing.map(|name| issue(Path::root().key(name), format!("the required property {name:?}")));
        said.collect::<Vec<_>>().into()
    }

    /// Whether a text that begins so may yet name one of the allowed values.
    pub(crate) fn may_name(&self, beginning: &str) -> bool {
        // Cases beyond ASCII have rules of their own, which are for the end.
        let letters = words::letters(beginning);
        !beginning.is_ascii() || self.names.iter().any(|name| name.starts_with(&letters))
    }

    /// Whether a complete value is right as it is, as far as the native checks tell.
    pub(crate) fn accepts(&self, json: &str) -> bool {
        let Some(checker) = self.checker() else { return true };
        Document::parse(json).is_ok_and(|document| checker.accepts(document.root()))
    }

    fn checker(&self) -> Option<&Checker> {
        self.checker.get_or_init(|| Checker::compile_at(self.root, self.schema).ok()).as_ref()
    }

    /// What is wrong with a complete value: nothing if it fits as it is, or as the final reading would align it.
    pub(crate) fn judge(&self, json: &str) -> Issues {
        let (Some(checker), Ok(document)) = (self.checker(), Document::parse(json)) else { return Issues::new() };
        if checker.accepts(document.root()) {
            return Issues::new();
        }
        if self.level > Level::Strict {
            let aligned = align_part(self.root, self.schema, document.root(), self.level);
            let fits = |document: Document<'_>| checker.accepts(document.root());
            if aligned.issues.is_empty() && Document::parse(&aligned.json).is_ok_and(fits) {
                return Issues::new();
            }
        }
        checker.check(document.root())
    }
}

fn issue(path: Path, wanted: String) -> Issue {
    Issue::found_by(Origin::Schema, path, wanted)
}

impl std::fmt::Debug for Spot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spot").field("schema", self.schema).finish_non_exhaustive()
    }
}
