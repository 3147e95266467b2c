//! What a schema says of one value by itself, while the answer around it is still arriving.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use instructor_json::{Document, Kind};
use serde_json::Value;

use super::keys::aliases;
use super::scalar::names;
use super::view::View;
use super::{align_part, words};
use crate::repair::{Level, short};
use crate::schema::check::{Checker, Limits, canonical};
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
    limits: OnceLock<[Limits; 2]>,
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
    /// By what is in it, which tells the alternative that it is.
    Among,
}

impl<'s> Spots<'s> {
    pub(crate) fn new(root: &'s Value, level: Level) -> Self {
        Self { root, level, known: Mutex::default() }
    }

    /// The place of the whole answer.
    pub(crate) fn root(&self) -> Arc<Spot<'s>> {
        self.at(self.root)
    }

    /// A place of which nothing is said.
    pub(crate) fn any(&self) -> Arc<Spot<'s>> {
        static ANY: Value = Value::Bool(true);
        self.at(&ANY)
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
        Self {
            root,
            schema,
            level,
            inside,
            anything,
            checker: OnceLock::new(),
            limits: OnceLock::new(),
            names: letters,
        }
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
            Kind::Object if self.has_alternatives() => Entry::Among,
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

    fn has_alternatives(&self) -> bool {
        let inside = &self.inside;
        !inside.branches.is_empty() && inside.properties.is_empty() && inside.values.is_empty()
    }

    /// The alternatives that an object may be.
    pub(crate) fn alternatives(&self) -> Vec<&'s Value> {
        self.inside.branches.iter().filter(|branch| !View::of(branch, self.root).is_scalar()).copied().collect()
    }

    /// Whether no object with this key fits, whatever the key may stand for.
    pub(crate) fn refuses(&self, key: &str) -> bool {
        let inside = &self.inside;
        let letters = words::letters(key);
        let is_meant = |(name, schema): &(&str, &Value)| {
            words::letters(name) == letters || aliases(schema).any(|alias| words::letters(alias) == letters)
        };
        let closed = inside.additional == Some(&Value::Bool(false)) && !inside.patterns && inside.branches.is_empty();
        closed && !inside.properties.iter().any(is_meant)
    }

    /// Whether every key of an object stays in it as it is.
    pub(crate) fn is_map(&self) -> bool {
        let inside = &self.inside;
        inside.properties.is_empty() && !inside.patterns && inside.branches.is_empty() && inside.takes("object")
    }

    /// How much there may be in an array or object.
    pub(crate) fn limits(&self, kind: Kind) -> Limits {
        let [array, object] = self.limits.get_or_init(|| {
            let checker = if self.inside.limited { self.checker() } else { None };
            [Kind::Array, Kind::Object].map(|kind| checker.map_or_else(Limits::default, |found| found.limits(kind)))
        });
        match kind {
            // Items that are equal may be read in different ways where each has a schema of its own.
            Kind::Array => Limits { unique: array.unique && self.inside.is_uniform(), ..*array },
            _ => *object,
        }
    }

    /// What is against an object that ends with these keys.
    pub(crate) fn missing(&self, keys: &HashSet<String>) -> Issues {
        let missing = self.inside.required.iter().filter(|name| !keys.contains(**name));
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

impl<'s> Spot<'s> {
    /// What is wrong with an object that has these members so far, of which the last can't be in it.
    pub(crate) fn against(&self, members: &str, last: &str) -> Issues {
        let said = match (self.checker(), Document::parse(members)) {
            (Some(checker), Ok(document)) => checker.check(document.root()),
            _ => Issues::new(),
        };
        let member = Path::root().key(last);
        // What it lacks may yet come.
        let about = |path: &Path| path.inside(&member).is_some() || *path == Path::root();
        let issues: Vec<Issue> = said.into_iter().filter(|issue| about(issue.path())).collect();
        if issues.is_empty() {
            let wanted = String::from("a value that one of the alternatives allows");
            return issue(member, wanted).into();
        }
        issues.into()
    }
}

/// A text that is the same for equal values.
pub(crate) fn same_text(json: &str) -> String {
    let mut text = String::new();
    if let Ok(document) = Document::parse(json) {
        canonical(document.root(), &mut text);
    }
    text
}

/// What is against an array or object of which there is too much, or too little when it ends.
pub(crate) fn amount(limits: Limits, count: usize, ended: bool, of: &str) -> Option<Issue> {
    let count = count as u64;
    if let Some(most) = limits.most.filter(|most| count > *most) {
        return Some(issue(Path::root(), format!("at most {most} {of}")).got("more of them"));
    }
    let few = || issue(Path::root(), format!("at least {} {of}", limits.least)).got(format!("{count} of them"));
    (ended && count < limits.least).then(few)
}

/// What is against an item that equals an earlier one.
pub(crate) fn repeated(index: usize, earlier: usize, json: &str) -> Issue {
    let wanted = format!("no item twice (this is the same as item {earlier})");
    issue(Path::root().index(index), wanted).got(short(json))
}

fn issue(path: Path, wanted: String) -> Issue {
    Issue::found_by(Origin::Schema, path, wanted)
}

impl std::fmt::Debug for Spot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spot").field("schema", self.schema).finish_non_exhaustive()
    }
}
