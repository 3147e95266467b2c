//! The partials of types that everybody has.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use instructor_json::Kind;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::field::Field;
use super::grow::{Grow, Part, Way};
use crate::growth::{append, room};
use crate::model::Foreign;
use crate::salvage::Salvaged;

/// A type that can be shown while it arrives.
///
/// Derive it beside the others, or write `#[instructor::model(partial)]`. For a struct `User` it makes a struct
/// `PartialUser` in which every field is a [`Field`], for an enum one with the same variants:
///
/// ```
/// use instructor::{Field, PartialReader};
///
/// #[instructor::model(partial)]
/// struct Report {
///     title: String,
///     findings: Vec<Finding>,
/// }
///
/// #[instructor::model(partial)]
/// #[serde(tag = "kind", rename_all = "snake_case")]
/// enum Finding {
///     Bug { file: String, line: u32 },
///     Praise(Praise),
/// }
///
/// #[instructor::model(partial)]
/// struct Praise {
///     text: String,
/// }
///
/// let mut reader = PartialReader::<Report>::new();
/// reader.push(r#"{"title": "Review", "findings": [{"kind": "bug", "file": "src/ma"#)?;
/// let report: &PartialReport = reader.value().get().ok_or("nothing yet")?;
/// assert!(report.title.is_done());
/// for finding in report.findings.get().into_iter().flatten() {
///     let Field::Open(PartialFinding::Bug(bug)) = finding else { continue };
///     let bug = bug.get().ok_or("nothing yet")?;
///     assert_eq!(bug.file, Field::Open("src/ma".into()));
///     assert!(bug.line.is_pending());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be shown while it arrives",
    label = "this type has no partial",
    note = "for a type of your own: write `#[instructor::model(partial)]` on it, or derive `instructor::Partial`",
    note = "for a field of another crate's type: write `#[response(whole)]` on it, and it shows when it is complete"
)]
pub trait Partial {
    /// What it is while it arrives.
    type Partial: Part;
}

/// A value that shows only when it is complete, of a type that need not know of partials. Derefs to the value.
pub struct Whole<T> {
    value: Arc<T>,
    json: Box<str>,
}

impl<T> Deref for Whole<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for Whole<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), json: self.json.clone() }
    }
}

impl<T> fmt::Debug for Whole<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}

/// As it stood in the answer.
impl<T> Serialize for Whole<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        let raw: &serde_json::value::RawValue = serde_json::from_str(&self.json).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Part for Whole<T> {
    fn way(_: Kind) -> Way {
        Way::Whole
    }

    fn whole(json: &str) -> Option<Self> {
        Some(Self { value: Arc::new(serde_json::from_str(json).ok()?), json: json.into() })
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Partial for Foreign<T> {
    type Partial = Whole<T>;
}

macro_rules! scalars {
    ($($kind:ident: $($type:ty),+;)*) => { $($(
        impl Part for $type {
            fn way(kind: Kind) -> Way {
                if kind == Kind::$kind { Way::Whole } else { Way::Never }
            }

            fn whole(json: &str) -> Option<Self> {
                serde_json::from_str(json).ok()
            }
        }

        impl Partial for $type {
            type Partial = Self;
        }
    )+)* };
}

scalars! {
    Null: ();
    Bool: bool;
    String: char;
    Number: i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64,
        std::num::NonZeroI8, std::num::NonZeroI16, std::num::NonZeroI32, std::num::NonZeroI64, std::num::NonZeroIsize,
        std::num::NonZeroU8, std::num::NonZeroU16, std::num::NonZeroU32, std::num::NonZeroU64, std::num::NonZeroUsize;
}

impl Part for String {
    fn way(kind: Kind) -> Way {
        if kind == Kind::String { Way::Text } else { Way::Never }
    }

    fn begin(kind: Kind) -> Option<Self> {
        (kind == Kind::String).then(Self::new)
    }

    fn text(&mut self, more: &str) {
        append(self, more);
    }

    fn end(&mut self) {
        // What is complete keeps no room for more.
        self.shrink_to_fit();
    }
}

macro_rules! texts {
    ($($type:ty),+) => { $(
        impl Partial for $type {
            type Partial = String;
        }
    )+ };
}

texts!(String, Box<str>, Arc<str>, Cow<'static, str>, PathBuf);

/// The methods of a part around another.
macro_rules! through {
    ($this:ident => $inner:expr) => {
        fn key(&mut self, key: &str) -> Option<usize> {
            let $this = self;
            $inner?.key(key)
        }

        fn item(&mut self, index: usize) -> Option<usize> {
            let $this = self;
            $inner?.item(index)
        }

        fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
            let $this = self;
            $inner?.child(slot)
        }

        fn flat(&mut self, index: usize) -> Option<&mut dyn Grow> {
            let $this = self;
            $inner?.flat(index)
        }

        fn text(&mut self, more: &str) {
            let $this = self;
            if let Some(inner) = $inner {
                inner.text(more);
            }
        }

        fn end(&mut self) {
            let $this = self;
            if let Some(inner) = $inner {
                inner.end();
            }
        }
    };
}

/// `null` is `Done(None)`.
impl<P: Part> Part for Option<P> {
    fn way(kind: Kind) -> Way {
        if kind == Kind::Null { Way::Whole } else { P::way(kind) }
    }

    fn begin(kind: Kind) -> Option<Self> {
        P::begin(kind).map(Some)
    }

    fn choose(name: &str) -> Option<Self> {
        P::choose(name).map(Some)
    }

    fn whole(json: &str) -> Option<Self> {
        if json == "null" { Some(None) } else { P::whole(json).map(Some) }
    }

    fn waits(&self, slot: usize) -> bool {
        self.as_ref().is_some_and(|inner| inner.waits(slot))
    }

    through!(this => this.as_mut());
}

impl<T: Partial> Partial for Option<T> {
    type Partial = Option<T::Partial>;
}

impl<P: Part> Part for Box<P> {
    fn way(kind: Kind) -> Way {
        P::way(kind)
    }

    fn begin(kind: Kind) -> Option<Self> {
        P::begin(kind).map(Self::new)
    }

    fn choose(name: &str) -> Option<Self> {
        P::choose(name).map(Self::new)
    }

    fn whole(json: &str) -> Option<Self> {
        P::whole(json).map(Self::new)
    }

    fn waits(&self, slot: usize) -> bool {
        (**self).waits(slot)
    }

    through!(this => Some(&mut **this));
}

impl<T: Partial> Partial for Box<T> {
    type Partial = Box<T::Partial>;
}

impl<T: Partial> Partial for Arc<T> {
    type Partial = Box<T::Partial>;
}

impl<P: Part> Part for Vec<Field<P>> {
    fn way(kind: Kind) -> Way {
        if kind == Kind::Array { Way::Inside(&[]) } else { Way::Never }
    }

    fn begin(kind: Kind) -> Option<Self> {
        (kind == Kind::Array).then(Self::new)
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        if index >= self.len() {
            room(self, index + 1 - self.len());
            self.resize_with(index + 1, Field::default);
        }
        Some(index)
    }

    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        self.get_mut(slot).map(|item| item as &mut dyn Grow)
    }

    fn end(&mut self) {
        self.shrink_to_fit();
    }
}

macro_rules! lists {
    ($([$($parameters:tt)*] $type:ty;)+) => { $(
        impl<T: Partial, $($parameters)*> Partial for $type {
            type Partial = Vec<Field<T::Partial>>;
        }
    )+ };
}

lists! {
    [] Vec<T>;
    [] VecDeque<T>;
    [] Salvaged<T>;
    [] BTreeSet<T>;
    [S] HashSet<T, S>;
    [const N: usize] [T; N];
    [] Box<[T]>;
}

/// A map while it arrives: its keys in the order of the answer.
#[derive(Clone)]
pub struct PartialMap<P> {
    entries: Vec<(String, Field<P>)>,
    at: HashMap<String, usize>,
}

impl<P> PartialMap<P> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Field<P>> {
        self.entries.get(*self.at.get(key)?).map(|(_, value)| value)
    }

    /// The keys and values so far.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Field<P>)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// How many keys it has so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none so far.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<P: fmt::Debug> fmt::Debug for PartialMap<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<P> Default for PartialMap<P> {
    fn default() -> Self {
        Self { entries: Vec::new(), at: HashMap::new() }
    }
}

/// Values that are pending are left out.
impl<P: Serialize> Serialize for PartialMap<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().filter(|(_, value)| !value.is_pending()))
    }
}

impl<P: Part> Part for PartialMap<P> {
    fn way(kind: Kind) -> Way {
        if kind == Kind::Object { Way::Inside(&[]) } else { Way::Never }
    }

    fn begin(kind: Kind) -> Option<Self> {
        (kind == Kind::Object).then(Self::default)
    }

    fn key(&mut self, key: &str) -> Option<usize> {
        if let Some(known) = self.at.get(key) {
            return Some(*known);
        }
        self.at.insert(String::from(key), self.entries.len());
        self.entries.push((String::from(key), Field::Pending));
        Some(self.entries.len() - 1)
    }

    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        self.entries.get_mut(slot).map(|(_, value)| value as &mut dyn Grow)
    }
}

impl<K, V: Partial> Partial for BTreeMap<K, V> {
    type Partial = PartialMap<V::Partial>;
}

impl<K, V: Partial, S> Partial for HashMap<K, V, S> {
    type Partial = PartialMap<V::Partial>;
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => { $(
        impl<$($name: Part),+> Part for ($(Field<$name>,)+) {
            fn way(kind: Kind) -> Way {
                if kind == Kind::Array { Way::Inside(&[]) } else { Way::Never }
            }

            fn begin(kind: Kind) -> Option<Self> {
                (kind == Kind::Array).then(Self::default)
            }

            fn item(&mut self, index: usize) -> Option<usize> {
                [$($index),+].contains(&index).then_some(index)
            }

            fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
                match slot {
                    $($index => Some(&mut self.$index),)+
                    _ => None,
                }
            }
        }

        impl<$($name: Partial),+> Partial for ($($name,)+) {
            type Partial = ($(Field<$name::Partial>,)+);
        }
    )* };
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
