//! The checks of values that are complete, while the answer around them is not.

use std::sync::Arc;

use instructor_json::Kind;
use serde_json::Value;

use super::grow::{Grow, Way};
use crate::schema::{Entry, Spot, Spots};
use crate::validate::{Issues, Path};

/// A value of the answer, held against its place in the schema. It keeps what is wrong, and nothing of the value.
#[derive(Debug)]
pub(super) struct Closed<'s> {
    spots: Arc<Spots<'s>>,
    spot: Arc<Spot<'s>>,
    /// Where it stands in the value around it.
    step: Path,
    role: Role,
    /// Whether values come in the form in which the model wrote them. Where they do not, the final reading has more ways
    /// to understand them, and less can be said before it.
    plain: bool,
    /// What it opened as.
    kind: Option<Kind>,
    /// A text that names one of some values.
    text: String,
    items: usize,
    keys: Vec<String>,
    /// A key may stand for another.
    unclear: bool,
    /// The value in it that came last.
    inner: Option<Box<Self>>,
    found: Issues,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The whole answer, which the final reading judges.
    Root,
    /// It may be missing, so that a null says nothing.
    Optional,
    Required,
}

impl<'s> Closed<'s> {
    pub(super) fn root(spots: Arc<Spots<'s>>, plain: bool) -> Self {
        let spot = spots.root();
        Self::new(spots, spot, Path::root(), Role::Root, plain)
    }

    fn new(spots: Arc<Spots<'s>>, spot: Arc<Spot<'s>>, step: Path, role: Role, plain: bool) -> Self {
        Self {
            spots,
            spot,
            step,
            role,
            plain,
            kind: None,
            text: String::new(),
            items: 0,
            keys: Vec::new(),
            unclear: false,
            inner: None,
            found: Issues::new(),
        }
    }

    /// What is wrong with it and what is in it.
    pub(super) fn take(&mut self) -> Issues {
        self.settle();
        std::mem::take(&mut self.found)
    }

    fn settle(&mut self) {
        if let Some(inner) = &mut self.inner {
            let found = inner.take();
            if !found.is_empty() {
                self.found.extend_within(&inner.step, found);
            }
        }
    }

    /// A value in it begins.
    fn enter(&mut self, schema: Option<&'s Value>, step: Path, role: Role) -> Option<usize> {
        self.settle();
        self.inner = schema.map(|schema| {
            let spots = Arc::clone(&self.spots);
            let spot = spots.at(schema);
            Box::new(Self::new(spots, spot, step, role, self.plain))
        });
        self.inner.is_some().then_some(0)
    }

    fn judge(&mut self, json: &str) {
        let absent = json == "null" && self.role == Role::Optional;
        let unsure = !self.plain && json.starts_with(['{', '[']);
        if self.role != Role::Root && !absent && !unsure {
            self.found.extend(self.spot.judge(json));
        }
    }
}

impl Grow for Closed<'_> {
    fn way(&self, kind: Kind) -> Way {
        // A value of another kind, as the model wrote it, may be one too.
        if !self.plain && !self.spot.is_typed() {
            return Way::Never;
        }
        match self.spot.entry(kind) {
            Entry::Nothing => Way::Never,
            Entry::Whole => Way::Whole,
            Entry::Choice => Way::Text,
            Entry::Inside => Way::Inside(&[]),
        }
    }

    fn begin(&mut self, kind: Kind) {
        self.reset();
        self.kind = Some(kind);
    }

    fn key(&mut self, key: &str) -> Option<usize> {
        self.keys.push(String::from(key));
        let Some((schema, required)) = self.spot.property(key) else {
            self.unclear = true;
            return self.enter(None, Path::root(), Role::Optional);
        };
        let role = if required { Role::Required } else { Role::Optional };
        self.enter(Some(schema), Path::root().key(key), role)
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        if self.items == index
            && let Some(issue) = self.spot.too_many(index)
        {
            self.found.push(issue);
        }
        self.items = index + 1;
        self.enter(self.spot.item(index), Path::root().index(index), Role::Required)
    }

    fn child(&mut self, _: usize) -> Option<&mut dyn Grow> {
        self.inner.as_deref_mut().map(|inner| inner as &mut dyn Grow)
    }

    fn text(&mut self, more: &str) {
        let could = self.spot.may_name(&self.text);
        self.text.push_str(more);
        if could && !self.spot.may_name(&self.text) {
            self.judge(&Value::from(&*self.text).to_string());
        }
    }

    fn takes_lifted(&self) -> bool {
        false
    }

    fn put(&mut self, json: &str) -> bool {
        self.judge(json);
        false
    }

    fn end(&mut self) {
        match self.kind.take() {
            _ if self.role == Role::Root => {}
            Some(Kind::String) if self.spot.may_name(&self.text) => self.judge(&Value::from(&*self.text).to_string()),
            Some(Kind::Array) => self.found.extend(self.spot.too_few(self.items)),
            Some(Kind::Object) if !self.unclear => self.found.extend(self.spot.missing(&self.keys)),
            _ => {}
        }
    }

    fn reset(&mut self) {
        self.kind = None;
        self.text.clear();
        self.items = 0;
        self.keys.clear();
        self.unclear = false;
        self.inner = None;
        self.found = Issues::new();
    }
}
