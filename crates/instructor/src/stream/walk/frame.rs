//! What a walk knows of the values that are open.

use crate::schema::plan::{Plan, Presence, Step};

/// A value that is open.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(super) node: u32,
    /// The child of the sink around that it fills; none: that sink itself.
    pub(super) slot: Option<usize>,
    /// How often child 0 was entered from there: what is inside a variant that is named beside it.
    pub(super) hops: usize,
    pub(super) mode: Mode,
    /// Where the value of the last key goes.
    pub(super) next: Place,
    /// The last key.
    pub(super) key: u32,
    /// Items so far.
    pub(super) count: usize,
    /// Where the next key is looked for first.
    pub(super) hint: usize,
    /// The key whose value names what the value is.
    pub(super) name: Option<u32>,
    /// Keys whose values are complete and not shown, since it is not known how.
    pub(super) held: Vec<u32>,
    /// How many of them were looked at.
    pub(super) seen: usize,
}

/// What is done with what is in a value.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// It has no value around it.
    Root,
    /// Nothing. So many values are open inside.
    Skip(usize),
    /// Nothing until it is complete.
    Wait(To, usize),
    Text,
    /// Its members have slots.
    Object(Step),
    /// As that, of an object that is begun and ended elsewhere.
    Members(Step),
    /// Its items have slots.
    Array(Step),
    /// As that, with slots from some on, of an array that is begun and ended elsewhere.
    More(Step, usize),
    /// An array that is said as an object.
    Tuple(Step),
    /// An object that is said as entries; whether it is begun and ended here.
    Entries(Step, bool),
    Entry {
        step: Step,
        done: bool,
    },
    /// The value stands in it, under a key.
    Wrap {
        step: Step,
        inner: Step,
        done: bool,
    },
    /// The value stands in it, under a key, and its alternative under another.
    Tagged {
        step: Step,
        done: bool,
    },
    /// The value stands in it as the only item.
    Listed(To, Step),
    /// An object of which more has to be known.
    Held(Step, Lack),
}

/// What has to be known of an object before it can be shown.
#[derive(Clone, Debug)]
pub(super) enum Lack {
    /// Which of these alternatives it is.
    Alternative(Vec<usize>),
    /// The values of these keys.
    Keys(Vec<&'static str>),
    /// The name of the variant, under this key.
    Tag { tag: &'static str, content: Option<&'static str> },
}

/// Where a value goes, and as what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) target: Target,
    pub(super) to: To,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Nobody,
    /// The sink of what is around it.
    Same,
    Child(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    Value(Step, Presence),
    /// Further items of an array, from some index on.
    More(Step, usize),
    /// Further members of an object.
    Entries(Step),
    Entry(Step),
}

impl To {
    pub(super) const fn plain(step: Step) -> Self {
        Self::Value(step, Presence::Plain)
    }
}

impl Place {
    pub(super) const NOBODY: Self = Self { target: Target::Nobody, to: To::plain(Plan::SAME) };

    pub(super) const fn same(to: To) -> Self {
        Self { target: Target::Same, to }
    }

    pub(super) fn slot(slot: Option<usize>, to: To) -> Self {
        Self { target: slot.map_or(Target::Nobody, Target::Child), to }
    }
}

impl Frame {
    /// What is around the root of an answer.
    pub(crate) fn root(step: Step) -> Self {
        Self { next: Place::same(To::plain(step)), ..Self::new(0, None, Mode::Root) }
    }

    pub(super) const fn new(node: u32, slot: Option<usize>, mode: Mode) -> Self {
        Self {
            node,
            slot,
            hops: 0,
            mode,
            next: Place::NOBODY,
            key: 0,
            count: 0,
            hint: 0,
            name: None,
            held: Vec::new(),
            seen: 0,
        }
    }
}
