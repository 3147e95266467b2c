//! What happened while a text was read, told once each and in order.

use std::borrow::Cow;
use std::ops::Range;

use crate::document::{Document, Kind, Node, State};
use crate::parse;

/// One thing that happened. Nodes are named by their place in the document, which never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A value begins that was not told of before: what follows is about the candidate of this number.
    Candidate(usize),
    /// The value that was told of last is none after all: words in brackets or in quotes, or broken JSON between words.
    /// Or all were part of some reasoning: then the next candidate is the first again.
    Withdrawn,
    /// Nothing that was told of is a value after all: it stood before a closing tag of reasoning.
    Cleared,
    /// An array, an object or a string opens.
    Begin {
        /// The node.
        node: u32,
        /// What it is.
        kind: Kind,
        /// How many arrays and objects are around it.
        depth: usize,
    },
    /// A key, told of when its value begins.
    Key {
        /// The node of the key.
        node: u32,
    },
    /// A string has grown.
    Text {
        /// The node.
        node: u32,
        /// The bytes of the document's text that are new: escaped as in JSON, never half an escape.
        span: Range<usize>,
    },
    /// A number, a boolean or `null`.
    Scalar {
        /// The node.
        node: u32,
        /// What it is.
        kind: Kind,
    },
    /// An array, an object or a string is complete.
    End {
        /// The node.
        node: u32,
    },
}

/// What a piece of a string stands for, such as that of an [`Event::Text`]: its escapes are replaced.
///
/// ```
/// assert_eq!(instructor_json::unescape(r"a\n\u00e9"), "a\né");
/// assert_eq!(instructor_json::unescape("plain"), "plain");
/// ```
#[must_use]
pub fn unescape(piece: &str) -> Cow<'_, str> {
    if piece.contains('\\') { Cow::Owned(parse::unescape(piece)) } else { Cow::Borrowed(piece) }
}

impl Node<'_> {
    /// What a parser would tell of this value if it came now, all at once: for one that was there before.
    ///
    /// ```
    /// use instructor_json::{Document, Event, Kind};
    ///
    /// let document = Document::parse(r#"{"a": [true]}"#)?;
    /// let list = document.root().get("a").unwrap();
    /// let told = [
    ///     Event::Begin { node: 2, kind: Kind::Array, depth: 0 },
    ///     Event::Scalar { node: 3, kind: Kind::Bool },
    ///     Event::End { node: 2 },
    /// ];
    /// assert_eq!(list.events(), told);
    /// # Ok::<(), instructor_json::Error>(())
    /// ```
    #[must_use]
    pub fn events(self) -> Vec<Event> {
        let mut out = Vec::new();
        tell(self, 0, &mut out);
        out
    }
}

/// As deep as the limits of a document allow.
fn tell(value: Node<'_>, depth: usize, out: &mut Vec<Event>) {
    let (node, kind) = (value.index(), value.kind());
    if !matches!(kind, Kind::String | Kind::Array | Kind::Object) {
        out.push(Event::Scalar { node, kind });
        return;
    }
    out.push(Event::Begin { node, kind, depth });
    if kind == Kind::String {
        let span = value.span();
        let close = usize::from(value.state() == State::Done);
        let inner = span.start + 1..span.end - close;
        if !inner.is_empty() {
            out.push(Event::Text { node, span: inner });
        }
    }
    for item in value.items() {
        tell(item, depth + 1, out);
    }
    for (key, member) in value.entries() {
        out.push(Event::Key { node: key.index() });
        tell(member, depth + 1, out);
    }
    if value.state() == State::Done {
        out.push(Event::End { node });
    }
}

/// How much of a document has been told of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    next: u32,
    open: Vec<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    node: u32,
    kind: Kind,
    /// For an object: a key comes next.
    key: bool,
    /// For a string: up to where it was told.
    told: usize,
}

impl Cursor {
    /// Tells of everything that is visible and new. The root ends when the value is known to be whole.
    pub(crate) fn advance(&mut self, doc: &Document<'_>, whole: bool, out: &mut Vec<Event>) {
        loop {
            if let Some(top) = self.open.last_mut() {
                let Some(slot) = doc.slot(top.node) else { return };
                if top.kind == Kind::String {
                    let end = slot.end as usize - usize::from(!slot.open);
                    if end > top.told {
                        out.push(Event::Text { node: top.node, span: top.told..end });
                        top.told = end;
                    }
                }
                let last = self.open.len() == 1;
                if !slot.open && slot.next <= self.next && (whole || !last) {
                    if let Some(top) = self.open.pop() {
                        out.push(Event::End { node: top.node });
                    }
                    continue;
                }
                if slot.kind == Kind::String {
                    return;
                }
            } else if self.next > 0 {
                return;
            }
            if !self.announce(doc, out) {
                return;
            }
        }
    }

    fn announce(&mut self, doc: &Document<'_>, out: &mut Vec<Event>) -> bool {
        let node = self.next;
        let Some(slot) = doc.slot(node) else { return false };
        let depth = self.open.len();
        if let Some(parent) = self.open.last_mut()
            && parent.kind == Kind::Object
        {
            if parent.key {
                if slot.open || doc.slot(node + 1).is_none() {
                    return false;
                }
                parent.key = false;
                self.next += 1;
                out.push(Event::Key { node });
                return true;
            }
            parent.key = true;
        }
        self.next += 1;
        match slot.kind {
            Kind::Array | Kind::Object | Kind::String => {
                out.push(Event::Begin { node, kind: slot.kind, depth });
                self.open.push(Open { node, kind: slot.kind, key: true, told: slot.start as usize + 1 });
            }
            kind => out.push(Event::Scalar { node, kind }),
        }
        true
    }
}
