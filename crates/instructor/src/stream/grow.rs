//! How a walk over an answer reaches what it fills.

use std::fmt::Debug;

use instructor_json::Kind;
use serde::Serialize;

use super::field::Field;

/// How a value of some kind gets into a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// Not at all: it is no value of the type.
    Never,
    /// When it is complete, as JSON text.
    Whole,
    /// As it grows: a string.
    Text,
    /// As it grows: an object, once these keys are complete, or an array.
    Inside(&'static [&'static str]),
    /// An object whose key names a variant, which has the key's value inside.
    Key,
    /// An object in which a key names a variant. Its content stands under a key of its own, or beside the name.
    Tag {
        /// The key of the name.
        tag: &'static str,
        /// The key of the content.
        content: Option<&'static str>,
    },
}

/// What an answer is shown in while it arrives. A child is known by its slot, a number that the sink gives out.
pub trait Grow {
    /// How a value of this kind gets in.
    fn way(&self, kind: Kind) -> Way;
    /// A value opens that gets in as it grows.
    fn begin(&mut self, kind: Kind);
    /// A value's variant is known; whether there is one of this name. What is inside it is child 0.
    fn choose(&mut self, name: &str) -> bool {
        let _ = name;
        false
    }
    /// The slot of a key's value.
    fn key(&mut self, key: &str) -> Option<usize> {
        let _ = key;
        None
    }
    /// The slot of an item.
    fn item(&mut self, index: usize) -> Option<usize> {
        let _ = index;
        None
    }
    /// What a slot stands for.
    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        let _ = slot;
        None
    }
    /// The children that are filled from the whole object, beside those that have keys of their own.
    fn flat(&mut self, index: usize) -> Option<&mut dyn Grow> {
        let _ = index;
        None
    }
    /// Whether a child shows only when it is complete.
    fn waits(&self, slot: usize) -> bool {
        let _ = slot;
        false
    }
    /// A string goes on.
    fn text(&mut self, more: &str) {
        let _ = more;
    }
    /// A whole value; whether it is one of the type. What is child 0 afterwards takes the same value.
    fn put(&mut self, json: &str) -> bool;
    /// Whether it takes what it was filled with as a whole too, when that is complete.
    fn asks(&self) -> bool {
        false
    }
    /// The whole value that it was filled with.
    fn complete(&mut self, json: &str) {
        let _ = json;
    }
    /// What was begun is complete.
    fn end(&mut self);
    /// Nothing of what was shown holds.
    fn reset(&mut self);
    /// Whether something is shown that [`reset`](Self::reset) would take back.
    fn shows(&self) -> bool {
        false
    }

    /// Whether a value counts that had to be complete before it could be put into the type's own form.
    fn takes_lifted(&self) -> bool {
        true
    }
    /// Whether each root value of a text counts, and not only the last.
    fn takes_all(&self) -> bool {
        false
    }
}

/// What a type is while it arrives: a value inside a [`Field`].
pub trait Part: Sized + Clone + Debug + Serialize + Send + 'static {
    /// See [`Grow::way`].
    fn way(kind: Kind) -> Way;
    /// The value at its beginning, if it can be shown then.
    #[must_use]
    fn begin(kind: Kind) -> Option<Self> {
        let _ = kind;
        None
    }
    /// The variant of this name, with nothing in it.
    #[must_use]
    fn choose(name: &str) -> Option<Self> {
        let _ = name;
        None
    }
    /// The value that JSON text stands for.
    #[must_use]
    fn whole(json: &str) -> Option<Self> {
        let _ = json;
        None
    }
    /// See [`Grow::key`].
    fn key(&mut self, key: &str) -> Option<usize> {
        let _ = key;
        None
    }
    /// See [`Grow::item`].
    fn item(&mut self, index: usize) -> Option<usize> {
        let _ = index;
        None
    }
    /// See [`Grow::child`].
    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        let _ = slot;
        None
    }
    /// See [`Grow::flat`].
    fn flat(&mut self, index: usize) -> Option<&mut dyn Grow> {
        let _ = index;
        None
    }
    /// See [`Grow::waits`].
    fn waits(&self, slot: usize) -> bool {
        let _ = slot;
        false
    }
    /// See [`Grow::text`].
    fn text(&mut self, more: &str) {
        let _ = more;
    }
    /// It is complete: what is in it and has no end of its own is, too.
    fn end(&mut self) {}
}

impl<P: Part> Grow for Field<P> {
    fn way(&self, kind: Kind) -> Way {
        P::way(kind)
    }

    fn begin(&mut self, kind: Kind) {
        *self = P::begin(kind).map_or(Self::Pending, Self::Open);
    }

    fn choose(&mut self, name: &str) -> bool {
        *self = P::choose(name).map_or(Self::Pending, Self::Open);
        self.is_open()
    }

    fn key(&mut self, key: &str) -> Option<usize> {
        if let Self::Open(value) = self {
            return value.key(key);
        }
        // A variant that is named by its key, or a flattened value, which begins with its first key.
        let (value, slot) = match P::way(Kind::Object) {
            _ if self.is_done() => return None,
            Way::Key => (P::choose(key)?, 0),
            Way::Inside(_) => {
                let mut value = P::begin(Kind::Object)?;
                let slot = value.key(key)?;
                (value, slot)
            }
            _ => return None,
        };
        *self = Self::Open(value);
        Some(slot)
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        if let Self::Open(value) = self { value.item(index) } else { None }
    }

    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        match self {
            Self::Pending => None,
            Self::Open(value) | Self::Done(value) => value.child(slot),
        }
    }

    fn flat(&mut self, index: usize) -> Option<&mut dyn Grow> {
        if let Self::Open(value) = self { value.flat(index) } else { None }
    }

    fn waits(&self, slot: usize) -> bool {
        self.get().is_some_and(|value| value.waits(slot))
    }

    fn text(&mut self, more: &str) {
        if let Self::Open(value) = self {
            value.text(more);
        }
    }

    fn put(&mut self, json: &str) -> bool {
        *self = P::whole(json).map_or(Self::Pending, Self::Done);
        self.is_done()
    }

    fn end(&mut self) {
        *self = match std::mem::take(self) {
            Self::Open(mut value) => {
                value.end();
                Self::Done(value)
            }
            other => other,
        };
    }

    fn reset(&mut self) {
        *self = Self::Pending;
    }

    fn shows(&self) -> bool {
        !self.is_pending()
    }
}
