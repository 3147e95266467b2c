//! The checks of values that are complete, while the answer around them is not.

use std::sync::Arc;

use instructor_json::Kind;
use serde_json::Value;

use super::grow::{Grow, Way};
use crate::schema::{Entry, Spot, Spots};
use crate::validate::{Issues, Path, Ruled};

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
    /// The validator functions for it and for what is in it.
    ruled: Option<Ruled>,
    /// What is complete and right by the schema, so that its functions may run.
    due: Vec<Due>,
}

/// A value whose validator functions may run.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) place: Path,
    pub(super) json: String,
    pub(super) ruled: Ruled,
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
    pub(super) fn root(spots: Arc<Spots<'s>>, plain: bool, ruled: Option<Ruled>) -> Self {
        let spot = spots.root();
        Self { ruled, ..Self::new(spots, spot, Path::root(), Role::Root, plain) }
    }

    fn new(spots: Arc<Spots<'s>>, spot: Arc<Spot<'s>>, step: Path, role: Role, plain: bool) -> Self {
        Self {
            ruled: None,
            due: Vec::new(),
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

    /// Values whose functions may run, in the order in which they were complete; to be asked after [`take`](Self::take).
    pub(super) fn due(&mut self) -> Vec<Due> {
        std::mem::take(&mut self.due)
    }

    fn settle(&mut self) {
        if let Some(inner) = &mut self.inner {
            let found = inner.take();
            if !found.is_empty() {
                self.found.extend_within(&inner.step, found);
            }
            self.due.extend(inner.due.drain(..).map(|due| Due { place: due.place.within(&inner.step), ..due }));
        }
    }

    /// Whether functions are to run when it is complete, all of them or those that what is in it has not.
    fn is_due(&self, but_inside: bool) -> bool {
        self.role != Role::Root && self.ruled.as_ref().is_some_and(|ruled| ruled.is_due(but_inside))
    }

    /// Has the functions run on a complete value, if it is right.
    fn note(&mut self, json: &str, but_inside: bool) {
        if self.is_due(but_inside)
            && let Some(ruled) = self.ruled.clone().filter(|_| self.spot.accepts(json))
        {
            self.due.push(Due { place: Path::root(), json: String::from(json), ruled });
        }
    }

    /// A value in it begins.
    fn enter(&mut self, schema: Option<&'s Value>, step: Path, role: Role, ruled: Option<Ruled>) -> Option<usize> {
        self.settle();
        self.inner = schema.map(|schema| {
            let spots = Arc::clone(&self.spots);
            let spot = spots.at(schema);
            Box::new(Self { ruled, ..Self::new(spots, spot, step, role, self.plain) })
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
        let unsure = !self.plain && !self.spot.is_typed();
        match self.spot.entry(kind) {
            Entry::Nothing if self.is_due(false) => Way::Whole,
            _ if unsure && self.is_due(false) => Way::Whole,
            _ if unsure => Way::Never,
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
            return self.enter(None, Path::root(), Role::Optional, None);
        };
        let role = if required { Role::Required } else { Role::Optional };
        let ruled = self.ruled.as_ref().and_then(|ruled| ruled.key(key));
        self.enter(Some(schema), Path::root().key(key), role, ruled)
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        if self.items == index
            && let Some(issue) = self.spot.too_many(index)
        {
            self.found.push(issue);
        }
        self.items = index + 1;
        let ruled = self.ruled.as_ref().and_then(|ruled| ruled.item(index));
        self.enter(self.spot.item(index), Path::root().index(index), Role::Required, ruled)
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
        if self.plain || self.spot.is_typed() {
            self.judge(json);
        }
        self.note(json, false);
        false
    }

    fn asks(&self) -> bool {
        self.is_due(true)
    }

    fn complete(&mut self, json: &str) {
        self.note(json, true);
    }

    fn end(&mut self) {
        match self.kind.take() {
            _ if self.role == Role::Root => {}
            Some(Kind::String) if self.spot.may_name(&self.text) => {
                let json = Value::from(&*self.text).to_string();
                self.judge(&json);
                self.note(&json, false);
            }
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
        self.due.clear();
    }
}
