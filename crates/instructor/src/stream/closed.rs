//! The checks of values that are complete, while the answer around them is not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use instructor_json::Kind;
use serde_json::Value;

use super::among::Among;
use super::grow::{Grow, Way};
use crate::schema::{Entry, Limits, Spot, Spots, amount, repeated, same_text};
use crate::validate::{Issues, Path, Ruled};

/// A value of the answer, held against its place in the schema. It keeps what is wrong, and nothing of the value.
#[derive(Debug)]
pub(super) struct Closed<'s> {
    spots: Arc<Spots<'s>>,
    spot: Arc<Spot<'s>>,
    /// By what its members are held: the alternative that it is, where that is known.
    inside: Arc<Spot<'s>>,
    among: Option<Among<'s>>,
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
    limits: Limits,
    /// The items, or the members that stay in it whatever is done to it.
    count: usize,
    /// Whether the last member is among them.
    counted: bool,
    /// Its items so far, where none may come twice.
    seen: HashMap<String, usize>,
    /// The members, and their keys.
    members: usize,
    keys: HashSet<String>,
    /// A key may stand for another.
    unclear: bool,
    /// The value in it that came last.
    inner: Option<Box<Self>>,
    /// It is there, and more than a null.
    there: bool,
    /// What is around it wants its JSON, which is this when it is complete.
    wanted: bool,
    json: Option<String>,
    found: Issues,
    /// What is wrong if it is the answer, and not a wrap of it.
    held: Issues,
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
            inside: Arc::clone(&spot),
            spot,
            among: None,
            step,
            role,
            plain,
            kind: None,
            text: String::new(),
            limits: Limits::default(),
            count: 0,
            counted: false,
            seen: HashMap::new(),
            members: 0,
            keys: HashSet::new(),
            unclear: false,
            inner: None,
            there: false,
            wanted: false,
            json: None,
            found: Issues::new(),
            held: Issues::new(),
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
            let (there, json) = (inner.there, inner.json.take());
            if there && !std::mem::replace(&mut self.counted, true) {
                self.more();
            }
            if let Some(json) = json {
                self.member(&json);
            }
        }
    }

    /// There is one more property that stays.
    fn more(&mut self) {
        self.count += 1;
        if self.limits.most.is_some_and(|most| self.count as u64 == most + 1) {
            self.found.extend(amount(self.limits, self.count, false, "properties"));
        }
    }

    /// The last member is complete.
    fn member(&mut self, json: &str) {
        if let Some(among) = &mut self.among {
            among.value(&self.spots, json);
            self.choose();
        } else if self.limits.unique
            && (self.plain || !json.starts_with(['{', '[']))
            && let Some(index) = self.count.checked_sub(1)
        {
            let earlier = *self.seen.entry(same_text(json)).or_insert(index);
            if earlier < index {
                self.found.push(repeated(index, earlier, json));
            }
        }
    }

    /// Goes on with the alternative that is left, if it is one.
    fn choose(&mut self) {
        let Some(among) = self.among.take_if(|among| among.left().len() < 2) else { return };
        match among.left() {
            [only] => {
                self.inside = Arc::clone(only);
                self.limits = self.inside.limits(Kind::Object);
            }
            _ if self.role == Role::Root && self.keys.len() < 2 => self.held = among.against(&self.spot),
            _ => self.found.extend(among.against(&self.spot)),
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
            // What may be anything is looked at too, where it is compared or counted.
            let counts = self.kind == Some(Kind::Object) && self.limits.most.is_some();
            let wanted = self.limits.unique || counts;
            Box::new(Self { ruled, wanted, ..Self::new(spots, spot, step, role, self.plain) })
        });
        self.counted = false;
        self.inner.is_some().then_some(0)
    }

    /// Keeps its JSON, if what is around it wants it.
    fn keep(&mut self, json: &str) {
        self.json = self.wanted.then(|| String::from(json));
    }

    /// An object of which the alternatives were looked at by what is in it.
    fn is_union(&self) -> bool {
        let object = self.role != Role::Root && self.plain && self.kind == Some(Kind::Object);
        object && self.spot.entry(Kind::Object) == Entry::Among
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
            Entry::Nothing if self.wanted || self.is_due(false) => Way::Whole,
            _ if unsure && self.is_due(false) => Way::Whole,
            _ if unsure => Way::Never,
            Entry::Nothing => Way::Never,
            Entry::Whole => Way::Whole,
            Entry::Choice => Way::Text,
            Entry::Among if !self.plain => Way::Whole,
            Entry::Inside | Entry::Among => Way::Inside(&[]),
        }
    }

    fn begin(&mut self, kind: Kind) {
        self.reset();
        self.kind = Some(kind);
        self.there = true;
        match self.spot.entry(kind) {
            Entry::Among => self.among = Some(Among::new(&self.spots, &self.spot)),
            Entry::Inside => self.limits = self.spot.limits(kind),
            _ => {}
        }
    }

    fn key(&mut self, key: &str) -> Option<usize> {
        self.settle();
        self.members += 1;
        let new = self.keys.insert(String::from(key));
        if self.keys.len() > 1 {
            self.found.extend(std::mem::take(&mut self.held));
        }
        if let Some(among) = &mut self.among {
            among.key(key);
            self.choose();
        }
        if self.among.is_some() {
            self.inner = Some(Box::new(Self {
                wanted: true,
                ..Self::new(
                    Arc::clone(&self.spots),
                    self.spots.any(),
                    Path::root().key(key),
                    Role::Optional,
                    self.plain,
                )
            }));
            self.counted = true;
            return Some(0);
        }
        let map = self.inside.is_map();
        if map && new {
            self.more();
        }
        let Some((schema, required)) = self.inside.property(key) else {
            self.unclear = true;
            return self.enter(None, Path::root(), Role::Optional, None);
        };
        let role = if required { Role::Required } else { Role::Optional };
        let ruled = self.ruled.as_ref().and_then(|ruled| ruled.key(key));
        let slot = self.enter(Some(schema), Path::root().key(key), role, ruled);
        self.counted = map || !new;
        slot
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        self.settle();
        self.count = index + 1;
        if self.limits.most.is_some_and(|most| self.count as u64 == most + 1) {
            self.found.extend(amount(self.limits, self.count, false, "items"));
        }
        let ruled = self.ruled.as_ref().and_then(|ruled| ruled.item(index));
        let slot = self.enter(self.spot.item(index), Path::root().index(index), Role::Required, ruled);
        self.counted = true;
        slot
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
        self.there |= json != "null";
        self.keep(json);
        false
    }

    fn asks(&self) -> bool {
        self.wanted || self.is_due(true) || self.is_union()
    }

    fn complete(&mut self, json: &str) {
        if self.is_union() {
            self.judge(json);
        }
        self.note(json, !self.is_union());
        self.keep(json);
    }

    fn end(&mut self) {
        match self.kind.take() {
            _ if self.role == Role::Root => {}
            Some(Kind::String) if self.spot.may_name(&self.text) => {
                let json = Value::from(&*self.text).to_string();
                self.judge(&json);
                self.note(&json, false);
                self.keep(&json);
            }
            Some(Kind::Array) => {
                let limits = Limits { most: None, ..self.limits };
                self.found.extend(amount(limits, self.count, true, "items"));
            }
            Some(Kind::Object) if self.among.is_none() => {
                self.settle();
                if !self.unclear {
                    self.found.extend(self.inside.missing(&self.keys));
                }
                let limits = Limits { most: None, ..self.limits };
                self.found.extend(amount(limits, self.members, true, "properties"));
            }
            _ => {}
        }
    }

    fn reset(&mut self) {
        self.kind = None;
        self.text.clear();
        self.inside = Arc::clone(&self.spot);
        self.among = None;
        self.limits = Limits::default();
        self.count = 0;
        self.counted = false;
        self.seen.clear();
        self.there = false;
        self.json = None;
        self.held = Issues::new();
        self.members = 0;
        self.keys.clear();
        self.unclear = false;
        self.inner = None;
        self.found = Issues::new();
        self.due.clear();
    }
}
