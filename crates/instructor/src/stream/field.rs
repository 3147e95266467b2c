//! How much of a value is there.

use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::patch::DONE;

/// A value in a stream: nothing of it yet, some of it, all of it.
///
/// Strings, lists, maps and types with fields grow; numbers, booleans and names of variants show when they are complete.
/// What is [`Done`](Self::Done) stays as it is until the end of the answer. A field that is still
/// [`Pending`](Self::Pending) when the value around it is done was left out, or came in a form that only the final
/// reading understands.
///
/// ```
/// use instructor::Field;
///
/// let name = Field::Open(String::from("Ja"));
/// assert_eq!(name.as_deref(), Some("Ja"));
/// assert_eq!(name.done(), None);
/// assert_eq!(Field::Done(25_u8).done(), Some(&25));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field<P> {
    /// Nothing of it is there.
    #[default]
    Pending,
    /// It is there as far as it goes; more may come.
    Open(P),
    /// It is complete.
    Done(P),
}

impl<P> Field<P> {
    /// The value as far as it goes.
    #[must_use]
    pub const fn get(&self) -> Option<&P> {
        match self {
            Self::Pending => None,
            Self::Open(value) | Self::Done(value) => Some(value),
        }
    }

    /// The value, if it is complete.
    #[must_use]
    pub const fn done(&self) -> Option<&P> {
        if let Self::Done(value) = self { Some(value) } else { None }
    }

    /// The value as far as it goes, without the states around it.
    #[must_use]
    pub fn into_inner(self) -> Option<P> {
        match self {
            Self::Pending => None,
            Self::Open(value) | Self::Done(value) => Some(value),
        }
    }

    /// The value as far as it goes, as what it derefs to: a `String` as a `str`.
    #[must_use]
    pub fn as_deref(&self) -> Option<&P::Target>
    where
        P: Deref,
    {
        self.get().map(Deref::deref)
    }

    /// Whether nothing of it is there.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }

    /// Whether some of it is there, and more may come.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Whether it is complete.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// The value as far as it goes; `null` for one that is pending, which derived partials leave out.
impl<P: Serialize> Serialize for Field<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pending => serializer.serialize_unit(),
            Self::Open(value) => value.serialize(serializer),
            // Which is as the value itself, but to whoever wants to know what is done.
            Self::Done(value) => serializer.serialize_newtype_struct(DONE, value),
        }
    }
}
