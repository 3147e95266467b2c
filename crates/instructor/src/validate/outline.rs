//! Where in a type its validator functions are, so that they can run on parts of an answer that is not all there.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use instructor_json::Document;

use super::{Context, Issues, Path};
use crate::model::ResponseModel;

/// Runs functions on the value that JSON text stands for, if it is one of the type.
pub type Check = fn(&str, &Context, &mut Issues);

/// A place in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum At {
    /// The value of a key.
    Key(&'static str),
    /// An item.
    Index(usize),
    /// Every item.
    Items,
    /// The value of every key.
    Entries,
}

/// A type whose functions can be found.
#[derive(Clone, Copy)]
pub struct Model {
    id: TypeId,
    outline: fn(&mut Outlined),
    check: Check,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Model").field(&self.id).finish()
    }
}

impl Model {
    /// The functions of a type and of what is in it.
    #[must_use]
    pub fn of<T: ResponseModel>() -> Self {
        let check: Check = |json, context, issues| {
            if let Ok(value) = serde_json::from_str::<T>(json) {
                value.validate(context, issues);
            }
        };
        Self { id: TypeId::of::<T>(), outline: T::outline, check }
    }
}

/// What a type says of itself.
#[derive(Debug, Default)]
pub struct Outlined {
    own: bool,
    same: Option<Model>,
    parts: Vec<(At, Option<Model>, Option<Check>)>,
    hidden: Vec<Model>,
}

impl Outlined {
    /// It has functions of its own.
    pub fn own(&mut self) {
        self.own = true;
    }

    /// Its values are those of another type.
    pub fn same(&mut self, model: Option<Model>) {
        self.same = model;
    }

    /// It has values of another type at a place.
    pub fn part(&mut self, at: At, model: Option<Model>) {
        self.parts.extend(model.map(|_| (at, model, None)));
    }

    /// As [`part`](Self::part), with functions on what is there.
    pub fn ruled(&mut self, at: At, model: Option<Model>, check: Check) {
        self.parts.push((at, model, Some(check)));
    }

    /// It has values of another type, at no place of their own.
    pub fn hidden(&mut self, model: Option<Model>) {
        self.hidden.extend(model);
    }
}

/// The types in a type that have functions, or have what has.
#[derive(Debug)]
pub(crate) struct Outline(Vec<Type>);

#[derive(Debug)]
struct Type {
    check: Check,
    /// It has functions of its own.
    own: bool,
    /// It or what is in it has some.
    any: bool,
    same: Option<usize>,
    parts: Vec<(At, Option<usize>, Option<Check>)>,
    hidden: Vec<usize>,
}

/// A value in an answer whose type has functions, or has what has.
#[derive(Clone, Debug)]
pub(crate) struct Ruled {
    outline: Arc<Outline>,
    model: Option<usize>,
    /// Functions that what is around it has for it.
    check: Option<Check>,
}

impl Ruled {
    /// The whole answer; none if no function could run on it. Looked at once a type.
    pub(crate) fn root<T: ResponseModel>() -> Option<Self> {
        static KNOWN: OnceLock<RwLock<HashMap<TypeId, Arc<Outline>>>> = OnceLock::new();
        let known = KNOWN.get_or_init(RwLock::default);
        let model = Model::of::<T>();
        let found = known.read().unwrap_or_else(PoisonError::into_inner).get(&model.id).cloned();
        let outline = found.unwrap_or_else(|| {
            let outline = Arc::new(Outline::of(model));
            Arc::clone(known.write().unwrap_or_else(PoisonError::into_inner).entry(model.id).or_insert(outline))
        });
        Self { outline, model: Some(0), check: None }.any()
    }

    fn any(self) -> Option<Self> {
        let any = self.check.is_some() || self.model().is_some_and(|model| model.any);
        any.then_some(self)
    }

    fn model(&self) -> Option<&Type> {
        self.outline.0.get(self.model?)
    }

    /// The value of a key.
    pub(crate) fn key(&self, key: &str) -> Option<Self> {
        self.at(|at| match at {
            At::Key(name) => *name == key,
            At::Entries => true,
            At::Index(_) | At::Items => false,
        })
    }

    /// An item.
    pub(crate) fn item(&self, index: usize) -> Option<Self> {
        self.at(|at| match at {
            At::Index(known) => *known == index,
            At::Items => true,
            At::Key(_) | At::Entries => false,
        })
    }

    fn at(&self, is: impl Fn(&At) -> bool) -> Option<Self> {
        let types = &self.outline.0;
        // What has the same values is followed at most once a type.
        let mut models = std::iter::successors(self.model, |model| types.get(*model)?.same).take(types.len());
        let (_, model, check) =
            models.find_map(|model| types.get(model)?.parts.iter().find(|(at, ..)| is(at)).copied())?;
        Self { outline: Arc::clone(&self.outline), model, check }.any()
    }

    /// Whether functions are to run when it is complete: all that it has, or those only that what is in it has not.
    pub(crate) fn is_due(&self, but_inside: bool) -> bool {
        self.check.is_some() || self.model().is_some_and(|model| if but_inside { model.own } else { model.any })
    }

    /// What the functions say that have not passed yet.
    pub(crate) fn run(&self, place: &Path, json: &str, context: &Context) -> Issues {
        let mut found = Issues::new();
        if let (Some(visit), Ok(document)) = (context.visit(), Document::parse(json)) {
            visit.begin(place.clone(), document.root());
            for check in self.model().map(|model| model.check).into_iter().chain(self.check) {
                check(json, context, &mut found);
            }
        }
        let mut issues = Issues::new();
        issues.extend_within(place, found);
        issues
    }
}

impl Outline {
    fn of(root: Model) -> Self {
        let mut models = vec![root];
        let mut known = HashMap::from([(root.id, 0)]);
        let mut types: Vec<Type> = Vec::new();
        while let Some(model) = models.get(types.len()).copied() {
            let mut outlined = Outlined::default();
            (model.outline)(&mut outlined);
            let mut number = |model: Model| {
                *known.entry(model.id).or_insert_with(|| {
                    models.push(model);
                    models.len() - 1
                })
            };
            let Outlined { own, same, parts, hidden } = outlined;
            types.push(Type {
                check: model.check,
                own,
                any: own,
                same: same.map(&mut number),
                parts: parts.into_iter().map(|(at, model, check)| (at, model.map(&mut number), check)).collect(),
                hidden: hidden.into_iter().map(number).collect(),
            });
        }
        let mut outline = Self(types);
        while outline.spread() {}
        outline
    }

    /// Lets types know of the functions of what is in them; whether that was news.
    fn spread(&mut self) -> bool {
        let has =
            |model: usize, own: bool| self.0.get(model).is_some_and(|model| if own { model.own } else { model.any });
        let now = self.0.iter().map(|model| {
            let own = model.own
                || model.same.is_some_and(|same| has(same, true))
                || model.hidden.iter().any(|inner| has(*inner, false));
            let inside = model.same.is_some_and(|same| has(same, false))
                || model
                    .parts
                    .iter()
                    .any(|(_, inner, check)| check.is_some() || inner.is_some_and(|inner| has(inner, false)));
            (own, own || inside)
        });
        let now: Vec<(bool, bool)> = now.collect();
        let mut news = false;
        for (model, (own, any)) in self.0.iter_mut().zip(now) {
            news |= (model.own, model.any) != (own, any);
            (model.own, model.any) = (own, any);
        }
        news
    }
}
