//! How a value differs from what was shown of it before.
//!
//! It is a serializer: a partial says what it is, and what is said is compared with what is remembered. Values that are
//! done and known are not walked again, and of a text only its length is remembered, since what is open only grows.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use super::Change;

/// The name that a value goes by, as a newtype, when it is done. To other serializers a newtype is what is in it.
pub(in crate::stream) const DONE: &str = "$instructor::done";

/// What was shown of a value.
#[derive(Debug)]
pub(super) enum Seen {
    Null,
    /// All of it, so that it stays as it is.
    Done,
    /// A number or a boolean, as JSON.
    Scalar(String),
    /// So many bytes of a text.
    Text(usize),
    /// How many of the items at its front are done.
    List(Vec<Self>, usize),
    Object(Vec<(String, Self)>),
    /// Something that has to be told anew.
    Other,
}

/// The changes that a look finds.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) changes: Vec<Change>,
    path: String,
    /// What is there is only remembered: it was told as part of something around it.
    quiet: bool,
}

/// Why a value is not told by its parts.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is something else than what was shown.
    Differs,
    Failed(String),
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if let Self::Failed(why) = self { why } else { "another value" })
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: Display>(message: T) -> Self {
        Self::Failed(message.to_string())
    }
}

/// Tells how a value differs from what was shown at its place; of one that was not there, that it is there.
pub(super) fn tell<T: Serialize + ?Sized>(value: &T, seen: &mut Seen, there: bool, out: &mut Out) -> Result<(), Stop> {
    if there {
        match value.serialize(Diff { seen, out }) {
            Err(Stop::Differs) => {}
            told => return told,
        }
    }
    if !out.quiet {
        let (path, json) = (out.path.clone(), serde_json::to_value(value).map_err(ser::Error::custom)?);
        let change = if there { Change::Replace { path, value: json } } else { Change::Add { path, value: json } };
        out.changes.push(change);
    }
    let quiet = std::mem::replace(&mut out.quiet, true);
    *seen = Seen::Null;
    let told = value.serialize(Diff { seen, out });
    out.quiet = quiet;
    match told {
        Err(Stop::Differs) => {
            *seen = Seen::Other;
            Ok(())
        }
        told => told,
    }
}

/// Compares a value with what was shown of it.
struct Diff<'d> {
    seen: &'d mut Seen,
    out: &'d mut Out,
}

impl<'d> Diff<'d> {
    /// It is this now.
    fn is(self, same: bool, now: impl FnOnce() -> Seen) -> Result<(), Stop> {
        if same {
            return Ok(());
        }
        if !self.out.quiet {
            return Err(Stop::Differs);
        }
        *self.seen = now();
        Ok(())
    }

    fn scalar(self, json: &impl ToString) -> Result<(), Stop> {
        let json = json.to_string();
        let same = matches!(&*self.seen, Seen::Scalar(shown) if *shown == json);
        self.is(same, || Seen::Scalar(json))
    }

    fn null(self) -> Result<(), Stop> {
        let same = matches!(self.seen, Seen::Null);
        self.is(same, || Seen::Null)
    }

    fn list(self) -> Result<Items<'d>, Stop> {
        let Self { seen, out } = self;
        if out.quiet && !matches!(seen, Seen::List(..)) {
            *seen = Seen::List(Vec::new(), 0);
        }
        let Seen::List(items, done) = seen else { return Err(Stop::Differs) };
        Ok(Items { items, done, next: 0, out })
    }

    fn object(self) -> Result<Members<'d>, Stop> {
        let Self { seen, out } = self;
        if out.quiet && !matches!(seen, Seen::Object(_)) {
            *seen = Seen::Object(Vec::new());
        }
        let Seen::Object(members) = seen else { return Err(Stop::Differs) };
        Ok(Members { members, next: 0, key: String::new(), out })
    }
}

macro_rules! scalars {
    ($($method:ident $type:ty;)+) => { $(
        fn $method(self, value: $type) -> Result<(), Stop> {
            self.scalar(&value)
        }
    )+ };
}

macro_rules! floats {
    ($($method:ident $type:ty;)+) => { $(
        fn $method(self, value: $type) -> Result<(), Stop> {
            if value.is_finite() { self.scalar(&value) } else { self.null() }
        }
    )+ };
}

impl<'d> Serializer for Diff<'d> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Items<'d>;
    type SerializeTuple = Items<'d>;
    type SerializeTupleStruct = Items<'d>;
    type SerializeTupleVariant = Impossible<(), Stop>;
    type SerializeMap = Members<'d>;
    type SerializeStruct = Members<'d>;
    type SerializeStructVariant = Impossible<(), Stop>;

    scalars! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
    }

    floats! {
        serialize_f32 f32;
        serialize_f64 f64;
    }

    fn serialize_char(self, value: char) -> Result<(), Stop> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Stop> {
        let Self { seen, out } = self;
        let more = if let Seen::Text(shown) = seen { value.get(*shown..) } else { None };
        if let Some(more) = more.filter(|_| !out.quiet) {
            if !more.is_empty() {
                out.changes.push(Change::Append { path: out.path.clone(), value: String::from(more) });
                *seen = Seen::Text(value.len());
            }
            return Ok(());
        }
        Diff { seen, out }.is(false, || Seen::Text(value.len()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop::Differs)
    }

    fn serialize_none(self) -> Result<(), Stop> {
        self.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        self.null()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        self.null()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Stop> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Stop> {
        let Self { seen, out } = self;
        if name != DONE {
            return value.serialize(Diff { seen, out });
        }
        if !matches!(seen, Seen::Done) {
            if !out.quiet {
                value.serialize(Diff { seen, out })?;
            }
            *seen = Seen::Done;
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        let mut members = self.object()?;
        if members.members.first().is_some_and(|(name, _)| name != variant) {
            return Err(Stop::Differs);
        }
        members.member(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'d>, Stop> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'d>, Stop> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'d>, Stop> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Differs)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'d>, Stop> {
        self.object()
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'d>, Stop> {
        // Raw JSON and numbers of any size go by names that only serde_json understands.
        if name.starts_with('$') { Err(Stop::Differs) } else { self.object() }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Differs)
    }
}

struct Items<'d> {
    items: &'d mut Vec<Seen>,
    done: &'d mut usize,
    next: usize,
    out: &'d mut Out,
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let Self { items, done, next, out } = self;
        let index = *next;
        *next += 1;
        if index < **done {
            return Ok(());
        }
        let there = index < items.len();
        if !there {
            items.push(Seen::Null);
        }
        let Some(seen) = items.get_mut(index) else { return Ok(()) };
        out.at(index, |out| tell(value, seen, there, out))?;
        if index == **done && matches!(seen, Seen::Done) {
            **done += 1;
        }
        Ok(())
    }
}

impl Out {
    /// Goes a step down the path.
    fn at<T>(&mut self, step: impl Display, then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        // To write to a string never fails.
        let _ = write!(self.path, "/{step}");
        let then = then(self);
        self.path.truncate(length);
        then
    }
}

struct Members<'d> {
    members: &'d mut Vec<(String, Seen)>,
    /// Where the next member is likely to be.
    next: usize,
    key: String,
    out: &'d mut Out,
}

impl Members<'_> {
    fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Stop> {
        let Self { members, next, out, .. } = self;
        let likely = members.get(*next).is_some_and(|(name, _)| name == key);
        let found = if likely { Some(*next) } else { members.iter().position(|(name, _)| name == key) };
        let index = found.unwrap_or(members.len());
        if found.is_none() {
            members.push((String::from(key), Seen::Null));
        }
        *next = index + 1;
        let Some((_, seen)) = members.get_mut(index) else { return Ok(()) };
        if matches!(seen, Seen::Done) {
            return Ok(());
        }
        out.at(Escaped(key), |out| tell(value, seen, found.is_some(), out))
    }
}

/// A key as a step of a JSON pointer.
struct Escaped<'k>(&'k str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '~' => f.write_str("~0"),
            '/' => f.write_str("~1"),
            c => f.write_char(c),
        })
    }
}

/// A key of a map, which serde can write to a formatter.
struct Key<'k, T: ?Sized>(&'k T);

impl<T: Serialize + ?Sized> Display for Key<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)+) => { $(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Stop;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.item(value)
            }

            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        }
    )+ };
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        self.key.clear();
        write!(self.key, "{}", Key(key)).map_err(|_| ser::Error::custom("a key that is no text"))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let key = std::mem::take(&mut self.key);
        self.member(&key, value)?;
        self.key = key;
        Ok(())
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Stop> {
        self.member(key, value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}
