//! A schema in compiled form: a flat list of schemas that name each other by position.

use instructor_json::Kind;

use super::format::Format;
use super::kind::Kinds;
use super::names::Names;
use super::number::{Answer, Divisor, Number};
use super::pattern::Pattern;
use super::value::Values;

/// The position of a schema in the list.
pub(super) type Id = u32;

/// One schema. What it says about one kind of value is together, so that the other kinds cost nothing.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// The schema `false`.
    pub(super) never: bool,
    /// Whether it says nothing but kinds and what each kind has to be like: the quick way for scalars.
    pub(super) direct: bool,
    pub(super) kinds: Kinds,
    /// `enum` and `const`.
    pub(super) values: Box<[Values]>,
    pub(super) numbers: Option<Box<Numbers>>,
    pub(super) strings: Option<Box<Strings>>,
    pub(super) arrays: Option<Box<Arrays>>,
    pub(super) objects: Option<Box<Objects>>,
    pub(super) reference: Option<Id>,
    pub(super) applied: Option<Box<Applied>>,
    pub(super) title: Option<Box<str>>,
    pub(super) description: Option<Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) least: Option<Bound>,
    pub(super) most: Option<Bound>,
    pub(super) divisor: Option<Divisor>,
    /// Whether an integer format such as `int32` set the range.
    pub(super) ranged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Least,
    Most,
}

#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) number: Number,
    pub(super) exclusive: bool,
}

#[derive(Debug, Default)]
pub(super) struct Strings {
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<Format>,
}

#[derive(Debug, Default)]
pub(super) struct Arrays {
    pub(super) prefix: Box<[Id]>,
    pub(super) items: Option<Id>,
    pub(super) min: u64,
    /// `maxItems`, or the length of the prefix when nothing may follow it.
    pub(super) max: Option<u64>,
    pub(super) unique: bool,
    pub(super) contains: Option<Contains>,
    pub(super) unevaluated: Option<Id>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Contains {
    pub(super) item: Id,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    /// Draft 2019-09 does not count the items it finds as evaluated.
    pub(super) evaluates: bool,
}

#[derive(Debug, Default)]
pub(super) struct Objects {
    /// The names in `properties` in their order, then those that only `required` has.
    pub(super) names: Names,
    /// For each name, its schema.
    pub(super) properties: Box<[Option<Id>]>,
    /// Positions in `names`, in order.
    pub(super) required: Box<[usize]>,
    /// Those among the first 64 names, as bits.
    pub(super) required_bits: u64,
    pub(super) patterns: Box<[(Pattern, Id)]>,
    /// `additionalProperties: false`.
    pub(super) closed: bool,
    pub(super) additional: Option<Id>,
    /// `propertyNames`.
    pub(super) key: Option<Id>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    pub(super) with: Box<[With]>,
    pub(super) unevaluated: Option<Id>,
}

/// What an object has to have or be when it has a key.
#[derive(Debug)]
pub(super) struct With {
    pub(super) key: Box<str>,
    pub(super) required: Box<[Box<str>]>,
    pub(super) schema: Option<Id>,
}

/// Schemas for the same value.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) all: Box<[Id]>,
    pub(super) unions: Vec<Union>,
    pub(super) not: Option<Id>,
    pub(super) condition: Option<Condition>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Condition {
    pub(super) test: Id,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
}

/// An `anyOf` or `oneOf`.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) exactly_one: bool,
    pub(super) branches: Box<[Branch]>,
    pub(super) plan: Plan,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub(super) id: Id,
    /// The kinds that the branch can admit, everything in it considered.
    pub(super) kinds: Kinds,
}

/// How to tell which branch of a union a value is meant for. Branches for `null` stand aside.
#[derive(Debug)]
pub(super) enum Plan {
    /// By nothing but trying.
    Try,
    /// By the value of one property that all branches require: tagged enums.
    Tag(Tag),
    /// By a string, or by the only key of an object: enums as serde has them by default.
    Variant(Variants),
}

#[derive(Debug)]
pub(super) struct Tag {
    pub(super) key: Box<str>,
    pub(super) values: Names,
    /// For each value, its branch.
    pub(super) branches: Box<[Id]>,
}

#[derive(Debug)]
pub(super) struct Variants {
    /// Strings that are values.
    pub(super) words: Names,
    /// The only keys of objects.
    pub(super) keys: Names,
    /// For each key, its branch.
    pub(super) branches: Box<[Id]>,
}

/// How many items or properties a value has, and whether items may be equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) least: u64,
    pub(crate) most: Option<u64>,
    pub(crate) unique: bool,
}

impl Limits {
    /// Those that hold together.
    fn and(self, least: u64, most: Option<u64>, unique: bool) -> Self {
        let most = self.most.into_iter().chain(most).min();
        Self { least: self.least.max(least), most, unique: self.unique || unique }
    }
}

impl Schema {
    /// Adds what it says of an array or object, and gives the schemas that any such value has to fit too.
    pub(super) fn limit(&self, kind: Kind, limits: &mut Limits) -> Vec<Id> {
        match (kind, &self.arrays, &self.objects) {
            (Kind::Array, Some(rules), _) => *limits = limits.and(rules.min, rules.max, rules.unique),
            (Kind::Object, _, Some(rules)) => *limits = limits.and(rules.min, rules.max, false),
            _ => {}
        }
        let mut ids: Vec<Id> = self.reference.into_iter().collect();
        if let Some(applied) = &self.applied {
            ids.extend(&applied.all);
            for union in &applied.unions {
                let mut fitting = union.branches.iter().filter(|branch| branch.kinds.may_be(kind));
                if let (Some(only), None) = (fitting.next(), fitting.next()) {
                    ids.push(only.id);
                }
            }
        }
        ids
    }

    /// Every schema for the same value: what a walk enters without going into the value.
    pub(super) fn in_place(&self) -> Vec<Id> {
        let mut ids: Vec<Id> = self.reference.into_iter().collect();
        if let Some(applied) = &self.applied {
            ids.extend(&applied.all);
            ids.extend(applied.unions.iter().flat_map(|union| union.branches.iter().map(|branch| branch.id)));
            ids.extend(applied.not);
            if let Some(Condition { test, then, otherwise }) = applied.condition {
                ids.extend([Some(test), then, otherwise].into_iter().flatten());
            }
        }
        if let Some(objects) = &self.objects {
            ids.extend(objects.with.iter().filter_map(|with| with.schema));
        }
        ids
    }
}

impl Numbers {
    #[inline]
    pub(super) fn hold(&self, answer: &str) -> bool {
        let number = Answer::new(answer);
        self.least.as_ref().is_none_or(|bound| bound.holds(Side::Least, &number))
            && self.most.as_ref().is_none_or(|bound| bound.holds(Side::Most, &number))
            && self.divisor.as_ref().is_none_or(|divisor| divisor.divides(answer))
    }

    /// Adds a bound. Of two on one side, the tighter one implies the other and stays alone.
    pub(super) fn bind(&mut self, side: Side, bound: Bound) {
        let place = match side {
            Side::Least => &mut self.least,
            Side::Most => &mut self.most,
        };
        match place {
            None => *place = Some(bound),
            Some(known) => {
                let order = known.number.compare(bound.number.text());
                let tighter = match side {
                    Side::Least => order.is_gt(),
                    Side::Most => order.is_lt(),
                } || (order.is_eq() && bound.exclusive);
                if tighter {
                    *known = bound;
                }
            }
        }
    }
}

impl Bound {
    #[inline]
    fn holds(&self, side: Side, answer: &Answer<'_>) -> bool {
        let order = self.number.compare_to(answer);
        (order.is_eq() && !self.exclusive)
            || match side {
                Side::Least => order.is_gt(),
                Side::Most => order.is_lt(),
            }
    }
}
