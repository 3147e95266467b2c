use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use crate::parse::{self, Limits};
use crate::{Error, ErrorKind, Repair};

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
    /// Still being read: `end` and `next` are not final.
    pub(crate) open: bool,
}

/// How far the value behind a [`Node`] has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// More of it may come: a string that grows, an array or object without its closing bracket.
    Open,
    /// All of it is there.
    Done,
}

/// One JSON value, parsed: a flat list of nodes over a text.
///
/// A value that was valid JSON borrows the text that it was found in. A repaired one owns a text of its own: the same
/// value written as valid JSON, for which [`Node::source_span`] tells where each part came from.
#[derive(Clone)]
pub struct Document<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) slots: Vec<Slot>,
    /// Where each slot came from; empty when `text` is the source.
    pub(crate) sources: Vec<(u32, u32)>,
    /// The slots that a view may show, if fewer than all.
    pub(crate) shown: u32,
    pub(crate) gone: Gone,
}

/// What is not there any more of the front of a document that grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gone {
    /// So many bytes of the text.
    pub(crate) text: usize,
    /// So many slots.
    pub(crate) slots: usize,
    /// Those of them that are wanted nevertheless, by their places.
    pub(crate) kept: Vec<(usize, Slot)>,
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
        // Of many values in a text, each would hold room for all that follows it.
        let room = if from == 0 { (text.len() / 32).clamp((text.len() / 6).min(64), 4096) } else { 0 };
        let mut slots = Vec::with_capacity(room.max(16));
        let end = parse::value(text.as_bytes(), from, limits, &mut slots)?;
        let shown = slots.len() as u32;
        let gone = Gone::default();
        Ok((Self { text: Cow::Borrowed(text), slots, sources: Vec::new(), shown, gone }, end))
    }

    /// [`parse`](Self::parse) of a text that the document keeps.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_owned(text: String) -> Result<Document<'static>, Error> {
        let Document { slots, sources, shown, gone, .. } = Document::parse(&text)?;
        Ok(Document { text: Cow::Owned(text), slots, sources, shown, gone })
    }

    /// The value as JSON text, and nothing else of the document.
    ///
    /// ```
    /// use instructor_json::Document;
    ///
    /// assert_eq!(Document::parse(" [1, 2]\n").unwrap().into_source(), "[1, 2]");
    /// ```
    #[must_use]
    pub fn into_source(self) -> Cow<'a, str> {
        let span = self.root().span();
        let span = span.start.saturating_sub(self.gone.text)..span.end.saturating_sub(self.gone.text);
        match self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(span).unwrap_or_default()),
            Cow::Owned(text) if span == (0..text.len()) => Cow::Owned(text),
            Cow::Owned(text) => Cow::Owned(String::from(text.get(span).unwrap_or_default())),
        }
    }

    /// The whole text that the nodes' spans point into.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span, such as that of an [`Event::Text`](crate::Event::Text).
    #[must_use]
    #[inline]
    pub fn slice(&self, span: Range<usize>) -> Option<&str> {
        self.text.get(span.start.checked_sub(self.gone.text)?..span.end.checked_sub(self.gone.text)?)
    }

    /// Whether all of it is there: a [`Scanner`](crate::Scanner) may [forget](crate::Scanner::forget) what it has told of.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.gone.slots == 0 && self.gone.text == 0
    }

    /// Whether the text is the one that was read, not one that was written for a repaired value.
    #[must_use]
    pub const fn is_borrowed(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// The same document with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Document<'static> {
        let Self { text, slots, sources, shown, gone } = self;
        Document { text: Cow::Owned(text.into_owned()), slots, sources, shown, gone }
    }

    /// The value.
    #[must_use]
    pub const fn root(&self) -> Node<'_> {
        Node { doc: self, index: 0 }
    }

    /// The keys that an object has already had, in source order: [`Node::get`] takes the last value of such a key, as
    /// `serde_json` does. Looked for when asked, since valid JSON may have them.
    #[must_use]
    pub fn duplicate_keys(&self) -> Vec<Node<'_>> {
        let mut found = Vec::new();
        for index in 0..self.shown {
            let object = self.node(index);
            if object.kind() != Kind::Object {
                continue;
            }
            let mut seen = HashSet::new();
            found.extend(object.entries().map(|(key, _)| key).filter(|key| {
                let name = key.as_str().unwrap_or_default();
                !seen.insert(name)
            }));
        }
        found
    }

    /// Whether one of the brackets in it could have closed its container too early, so that the last one closes another.
    ///
    /// It could if members follow it that the container could have too, and so up to the root: each container that ends
    /// before the end of the value then ends where the one around it does now.
    pub(crate) fn may_end_later(&self) -> bool {
        let mut open: Vec<Around> = Vec::new();
        for (index, slot) in self.slots.iter().enumerate() {
            while let Some(done) = open.pop_if(|around| around.end as usize <= index) {
                done.leave(open.last_mut());
            }
            if let Some(around) = open.last_mut() {
                around.later |= std::mem::take(&mut around.ended);
            }
            if matches!(slot.kind, Kind::Array | Kind::Object) {
                let full = slot.next as usize > index + 1;
                open.push(Around { end: slot.next, kind: slot.kind, full, ended: false, later: false });
            }
        }
        while let Some(done) = open.pop() {
            if open.is_empty() {
                return done.later;
            }
            done.leave(open.last_mut());
        }
        false
    }

    /// The number of nodes: values and keys.
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.gone.slots + self.slots.len()
    }

    /// Where its text ends.
    pub(crate) fn end(&self) -> usize {
        self.gone.text + self.text.len()
    }

    #[inline]
    pub(crate) fn slot(&self, index: u32) -> Option<&Slot> {
        if index < self.shown { self.slot_at(index as usize) } else { None }
    }

    /// A slot, shown or not.
    #[inline]
    pub(crate) fn slot_at(&self, index: usize) -> Option<&Slot> {
        match index.checked_sub(self.gone.slots) {
            Some(at) => self.slots.get(at),
            None => self.gone.kept.iter().find(|kept| kept.0 == index).map(|kept| &kept.1),
        }
    }

    pub(crate) fn slot_mut(&mut self, index: usize) -> Option<&mut Slot> {
        match index.checked_sub(self.gone.slots) {
            Some(at) => self.slots.get_mut(at),
            None => self.gone.kept.iter_mut().find(|kept| kept.0 == index).map(|kept| &mut kept.1),
        }
    }

    /// The path from the root to a slot, or to the innermost value that would hold it.
    pub(crate) fn path_to(&self, index: u32) -> Vec<Step<'_>> {
        let mut path = Vec::new();
        let mut node = self.node(0);
        'down: while node.index < index {
            for (i, (key, child)) in node.children().enumerate() {
                let from = key.map_or(child.index, |k| k.index);
                let to = self.slot(child.index).map_or(0, |s| if s.open { self.shown } else { s.next });
                if (from..to).contains(&index) {
                    path.push(match key {
                        Some(k) => Step::Key(k.as_str().unwrap_or_default()),
                        None => Step::Index(i),
                    });
                    if key.is_some_and(|k| k.index == index) {
                        break 'down;
                    }
                    node = child;
                    continue 'down;
                }
            }
            break;
        }
        path
    }

    /// The [path](Repair::path) of each repair, in their order. One walk over the document for all of them, where
    /// asking each for its own would walk from the root every time.
    #[must_use]
    pub fn paths(&self, repairs: &[Repair]) -> Vec<Vec<Step<'_>>> {
        let mut order: Vec<usize> = (0..repairs.len()).collect();
        let node = |&at: &usize| repairs.get(at).map_or(0, Repair::node);
        order.sort_by_key(node);
        let mut walk = Descent::new(self);
        let mut paths = vec![Vec::new(); repairs.len()];
        for at in order {
            if let Some(path) = paths.get_mut(at) {
                *path = walk.path_to(node(&at));
            }
        }
        paths
    }

    /// The slot after a value and what is in it.
    fn after(&self, index: u32) -> u32 {
        self.slot(index).map_or(0, |s| if s.open { self.shown } else { s.next })
    }

    /// The node of this number, as an [`Event`](crate::Event) names it.
    #[must_use]
    pub const fn node(&self, index: u32) -> Node<'_> {
        Node { doc: self, index }
    }
}

/// A container on the way through [`Document::may_end_later`].
struct Around {
    end: u32,
    kind: Kind,
    /// It has items.
    full: bool,
    /// The last thing in it was a container of its own kind that could take what follows.
    ended: bool,
    /// It could be one that ended too early.
    later: bool,
}

impl Around {
    fn leave(self, parent: Option<&mut Self>) {
        if let Some(parent) = parent.filter(|parent| parent.kind == self.kind) {
            parent.ended |= self.full;
            parent.later |= self.later;
        }
    }
}

/// A way down to slots that are asked for in their order.
struct Descent<'d> {
    doc: &'d Document<'d>,
    levels: Vec<Rung>,
    path: Vec<Step<'d>>,
}

/// An array or object on the way, and how far its items have been passed.
struct Rung {
    end: u32,
    /// The next item, or the key of the next member.
    at: u32,
    count: usize,
    keyed: bool,
}

impl<'d> Descent<'d> {
    fn new(doc: &'d Document<'d>) -> Self {
        let mut walk = Self { doc, levels: Vec::new(), path: Vec::new() };
        walk.enter(0);
        walk
    }

    fn enter(&mut self, index: u32) {
        let kind = self.doc.node(index).kind();
        let nested = matches!(kind, Kind::Array | Kind::Object);
        let end = if nested { self.doc.after(index) } else { 0 };
        self.levels.push(Rung { end, at: index + 1, count: 0, keyed: kind == Kind::Object });
    }

    fn path_to(&mut self, index: u32) -> Vec<Step<'d>> {
        while self.levels.len() > 1 && self.levels.last().is_some_and(|rung| rung.end <= index) {
            self.levels.pop();
            self.path.pop();
        }
        while let Some(rung) = self.levels.last_mut() {
            let child = rung.at + u32::from(rung.keyed);
            let after = self.doc.after(child);
            if index < rung.at || child >= rung.end || after <= rung.at {
                break;
            }
            if after <= index {
                rung.at = after;
                rung.count += 1;
                continue;
            }
            self.path.push(if rung.keyed {
                Step::Key(self.doc.node(rung.at).as_str().unwrap_or_default())
            } else {
                Step::Index(rung.count)
            });
            if index <= child {
                let path = self.path.clone();
                self.path.pop();
                return path;
            }
            self.enter(child);
        }
        self.path.clone()
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("nodes", &self.node_count()).field("bytes", &self.text.len()).finish()
    }
}

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// Its number, as an [`Event`](crate::Event) names it: nodes are numbered in the order of the text.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// The document that it is part of.
    #[must_use]
    pub const fn document(self) -> &'d Document<'d> {
        self.doc
    }

    /// What the value is.
    #[must_use]
    #[inline]
    pub fn kind(self) -> Kind {
        self.slot().map_or(Kind::Null, |s| s.kind)
    }

    /// The bytes of the text that the value spans, quotes and brackets included.
    #[must_use]
    #[inline]
    pub fn span(self) -> Range<usize> {
        self.slot().map_or(0..0, |s| {
            let end = if s.open && s.kind != Kind::String { self.doc.end() } else { s.end as usize };
            s.start as usize..end
        })
    }

    /// The bytes of the text that was read which this value came from. It is [`span`](Self::span) unless the value was
    /// repaired.
    #[must_use]
    pub fn source_span(self) -> Range<usize> {
        match self.doc.sources.get((self.index as usize).wrapping_sub(self.doc.gone.slots)) {
            Some(&(start, end)) => start as usize..end.max(start) as usize,
            None => self.span(),
        }
    }

    /// How far the value has been read. Of a complete document, every node is done.
    #[must_use]
    pub fn state(self) -> State {
        if self.slot().is_some_and(|s| s.open) { State::Open } else { State::Done }
    }

    /// The value as it stands in the text.
    #[must_use]
    #[inline]
    pub fn source(self) -> &'d str {
        self.doc.slice(self.span()).unwrap_or_default()
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
        let close = usize::from(!slot.open);
        let inner = self.doc.slice(slot.start as usize + 1..slot.end as usize - close)?;
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

    /// What one step leads to, if it is there.
    #[must_use]
    pub fn step(self, step: &Step<'_>) -> Option<Self> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.at(*index),
        }
    }

    /// What the steps lead to, if all of it is there.
    ///
    /// ```
    /// use instructor_json::{Document, Step};
    ///
    /// let document = Document::parse(r#"{"a": [1, 2]}"#).unwrap();
    /// let second = document.root().follow(&[Step::Key("a".into()), Step::Index(1)]);
    /// assert_eq!(second.unwrap().source(), "2");
    /// ```
    #[must_use]
    pub fn follow(self, steps: &[Step<'_>]) -> Option<Self> {
        steps.iter().try_fold(self, Self::step)
    }

    /// The value of a key, if it is an object that has it. Of duplicates, the last, as `serde_json::Value` does.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        let object = self.slot().filter(|slot| slot.kind == Kind::Object)?;
        let end = if object.open { self.doc.shown } else { object.next };
        let (mut at, mut found) = (self.index + 1, None);
        while at < end {
            let (name, value) = (self.doc.slot(at)?, self.doc.slot(at + 1));
            // A key is compared by its length first: most are others.
            let may_be = name.escaped || name.open || (name.end - name.start) as usize == key.len() + 2;
            let Some(value) = value else { break };
            if may_be && self.doc.node(at).is_str(key) {
                found = Some(self.doc.node(at + 1));
            }
            at = if value.open { end } else { value.next };
        }
        found
    }

    /// The element at a position, if it is an array that long. Linear: iterate with [`items`](Self::items) for all.
    #[must_use]
    pub fn at(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }

    /// Whether it is this string; no allocation unless the source has escapes.
    #[must_use]
    #[inline]
    pub fn is_str(self, text: &str) -> bool {
        match self.slot() {
            Some(slot) if slot.kind == Kind::String && !slot.escaped && !slot.open => {
                (slot.end - slot.start) as usize == text.len() + 2
                    && self.doc.slice(slot.start as usize + 1..slot.end as usize - 1) == Some(text)
            }
            _ => self.as_str().is_some_and(|s| s == text),
        }
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

    #[inline]
    fn slot(self) -> Option<&'d Slot> {
        self.doc.slot(self.index)
    }

    #[inline]
    fn walk(self, kind: Kind) -> Walk<'d> {
        match self.slot() {
            Some(s) if s.kind == kind => {
                let end = if s.open { self.doc.shown } else { s.next };
                Walk { doc: self.doc, index: self.index + 1, end }
            }
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

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        if self.index >= self.end {
            return None;
        }
        let node = Node { doc: self.doc, index: self.index };
        let slot = self.doc.slot(self.index)?;
        self.index = if slot.open { self.end } else { slot.next };
        Some(node)
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Items<'d>(Walk<'d>);

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        self.0.next()
    }
}

/// The keys and values of an object. A key is a node of kind [`Kind::String`].
#[derive(Clone, Debug)]
pub struct Entries<'d>(Walk<'d>);

impl<'d> Iterator for Entries<'d> {
    type Item = (Node<'d>, Node<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}
