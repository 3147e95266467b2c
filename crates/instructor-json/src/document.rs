use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::parse::{self, Limits};
use crate::{Error, ErrorKind};

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number; its digits stay in the source text.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object; its keys come in source order, duplicates included.
    Object,
}

/// One value (or key) in the flat list: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The slot after this value and everything in it.
    pub(crate) next: u32,
    pub(crate) kind: Kind,
    /// A string that has escapes.
    pub(crate) escaped: bool,
}

/// One JSON value, parsed: a flat list of nodes that borrows the text.
#[derive(Clone)]
pub struct Document<'a> {
    text: &'a str,
    pub(crate) slots: Vec<Slot>,
}

impl<'a> Document<'a> {
    /// Parses a text that is one JSON value, with white space around it at most.
    ///
    /// # Errors
    ///
    /// When the text is no JSON by RFC 8259, has more after the value, or is over the default [`Limits`].
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        Self::parse_with(text, Limits::default())
    }

    /// [`parse`](Self::parse) with limits of your own.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_with(text: &'a str, limits: Limits) -> Result<Self, Error> {
        let (doc, end) = Self::parse_prefix(text, 0, limits)?;
        let end = parse::skip_space(text.as_bytes(), end);
        if end < text.len() {
            return Err(Error::new(ErrorKind::Trailing, end));
        }
        Ok(doc)
    }

    /// Parses the value that starts at `from` (white space before it is skipped) and returns the offset after it.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), but text after the value is none.
    pub fn parse_prefix(text: &'a str, from: usize, limits: Limits) -> Result<(Self, usize), Error> {
        let mut slots = Vec::with_capacity(16.max(text.len().saturating_sub(from) / 32).min(4096));
        let end = parse::value(text.as_bytes(), from, limits, &mut slots)?;
        Ok((Self { text, slots }, end))
    }

    /// The whole text.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The value.
    #[must_use]
    pub const fn root(&self) -> Node<'_> {
        Node { doc: self, index: 0 }
    }

    /// The number of nodes: values and keys.
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.slots.len()
    }

    fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize)
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("nodes", &self.slots.len()).field("bytes", &self.text.len()).finish()
    }
}

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'d> {
    /// Into an object.
    Key(Cow<'d, str>),
    /// Into an array.
    Index(usize),
}

/// One value of a [`Document`]: a copyable handle.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    doc: &'d Document<'d>,
    index: u32,
}

impl<'d> Node<'d> {
    /// What the value is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.slot().map_or(Kind::Null, |s| s.kind)
    }

    /// The bytes of the text that the value spans, quotes and brackets included.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.slot().map_or(0..0, |s| s.start as usize..s.end as usize)
    }

    /// The value as it stands in the text.
    #[must_use]
    pub fn source(self) -> &'d str {
        self.doc.text.get(self.span()).unwrap_or_default()
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.source() == "true")
    }

    /// The string, if it is one: borrowed from the text unless it has escapes.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        let slot = self.slot()?;
        if slot.kind != Kind::String {
            return None;
        }
        let inner = self.doc.text.get(slot.start as usize + 1..slot.end as usize - 1)?;
        Some(if slot.escaped { Cow::Owned(parse::unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    /// The digits of the number, if it is one, exactly as they stand in the text.
    #[must_use]
    pub fn as_number(self) -> Option<&'d str> {
        (self.kind() == Kind::Number).then(|| self.source())
    }

    /// The number as `u64`, if it is one without a fraction or exponent that fits.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.as_number()?.parse().ok()
    }

    /// The number as `i64`, if it is one without a fraction or exponent that fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.as_number()?.parse().ok()
    }

    /// The number as the nearest `f64`, if it is one.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        self.as_number()?.parse().ok()
    }

    /// The value of a key, if it is an object that has it. Of duplicates, the last, as `serde_json::Value` does.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries().filter(|(k, _)| k.is_str(key)).last().map(|(_, v)| v)
    }

    /// The element at a position, if it is an array that long. Linear: iterate with [`items`](Self::items) for all.
    #[must_use]
    pub fn at(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }

    /// Whether it is this string; no allocation unless the source has escapes.
    #[must_use]
    pub fn is_str(self, text: &str) -> bool {
        self.as_str().is_some_and(|s| s == text)
    }

    /// The elements of an array; nothing for any other value.
    #[must_use]
    pub fn items(self) -> Items<'d> {
        Items(self.walk(Kind::Array))
    }

    /// The keys and values of an object in source order; nothing for any other value.
    #[must_use]
    pub fn entries(self) -> Entries<'d> {
        Entries(self.walk(Kind::Object))
    }

    /// How many elements or keys it has; 0 for scalars.
    #[must_use]
    pub fn len(self) -> usize {
        match self.kind() {
            Kind::Object => self.entries().count(),
            _ => self.items().count(),
        }
    }

    /// Whether it has no elements or keys.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The innermost value inside this one whose span holds the byte at `offset`, with the path to it from
    /// this one.
    #[must_use]
    pub fn locate(self, offset: usize) -> (Vec<Step<'d>>, Self) {
        let mut path = Vec::new();
        let mut node = self;
        'down: loop {
            for (i, (key, child)) in node.children().enumerate() {
                let from = key.map_or(child.span().start, |k| k.span().start);
                if from <= offset && offset < child.span().end {
                    path.push(match key {
                        Some(k) => Step::Key(k.as_str().unwrap_or_default()),
                        None => Step::Index(i),
                    });
                    node = child;
                    continue 'down;
                }
            }
            return (path, node);
        }
    }

    fn children(self) -> impl Iterator<Item = (Option<Self>, Self)> {
        self.entries().map(|(k, v)| (Some(k), v)).chain(self.items().map(|v| (None, v)))
    }

    fn slot(self) -> Option<&'d Slot> {
        self.doc.slot(self.index)
    }

    fn walk(self, kind: Kind) -> Walk<'d> {
        match self.slot() {
            Some(s) if s.kind == kind => Walk { doc: self.doc, index: self.index + 1, end: s.next },
            _ => Walk { doc: self.doc, index: 0, end: 0 },
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source())
    }
}

#[derive(Clone, Debug)]
struct Walk<'d> {
    doc: &'d Document<'d>,
    index: u32,
    end: u32,
}

impl<'d> Iterator for Walk<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        if self.index >= self.end {
            return None;
        }
        let node = Node { doc: self.doc, index: self.index };
        self.index = self.doc.slot(self.index)?.next;
        Some(node)
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Items<'d>(Walk<'d>);

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        self.0.next()
    }
}

/// The keys and values of an object. A key is a node of kind [`Kind::String`].
#[derive(Clone, Debug)]
pub struct Entries<'d>(Walk<'d>);

impl<'d> Iterator for Entries<'d> {
    type Item = (Node<'d>, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}
