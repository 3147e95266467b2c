//! Events that are like the one before them but for one text: nearly all events of a stream.

use std::borrow::Cow;
use std::ops::Range;

use instructor_json::{Document, Kind, Node, unescape};

/// The last event that was read, if its only news was a text: the next can be known by it without being read.
///
/// An event that has the same bytes up to a string, then another string, and then the same bytes again is the same JSON
/// with another string in that place. So it is with more such places, and with numbers: nearly every server numbers its
/// events, or pads them so that their size does not tell what is in them.
#[derive(Debug)]
pub(super) struct Alike<T> {
    event: String,
    /// The places where another event may differ, in order.
    gaps: Vec<Gap>,
    /// Where the text belongs; none if the last event told anything else.
    place: Option<T>,
}

/// A value that may differ.
#[derive(Debug)]
struct Gap {
    at: Range<usize>,
    kind: Kind,
    /// It is the text.
    told: bool,
}

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self { event: String::new(), gaps: Vec::new(), place: None }
    }
}

impl<T: Copy> Alike<T> {
    /// The text of an event that is like the last, and where it belongs.
    pub(super) fn text<'d>(&self, data: &'d str) -> Option<(Cow<'d, str>, T)> {
        let place = self.place?;
        let (mut text, mut rest, mut from) = (None, data, 0);
        for gap in &self.gaps {
            rest = rest.strip_prefix(self.event.get(from..gap.at.start)?)?;
            let (end, escapes) = match gap.kind {
                Kind::String => end_of_string(rest)?,
                _ => (end_of_number(rest)?, Escapes::None),
            };
            let (value, after) = rest.split_at_checked(end)?;
            if gap.told {
                text = Some((value, escapes));
            } else if escapes != Escapes::None {
                return None;
            }
            rest = after;
            from = gap.at.end;
        }
        if rest != self.event.get(from..)? {
            return None;
        }
        let (string, escapes) = text?;
        let inner = string.get(1..string.len() - 1)?;
        let text = match escapes {
            Escapes::None => Cow::Borrowed(inner),
            Escapes::Letters => unescape(inner),
            Escapes::Numbers => Cow::Owned(Document::parse(string).ok()?.root().as_str()?.into_owned()),
        };
        Some((text, place))
    }

    /// The event told this text and nothing else that would not be the same again; what the others say does not matter.
    pub(super) fn learn<'d>(
        &mut self,
        data: &str,
        text: Node<'d>,
        place: T,
        others: impl IntoIterator<Item = Node<'d>>,
    ) {
        let whole = |node: &Node<'_>| match node.kind() {
            Kind::String => true,
            kind => kind == Kind::Number && end_of_number(node.source()) == Some(node.source().len()),
        };
        let gap = |node: Node<'_>, told| Gap { at: node.span(), kind: node.kind(), told };
        self.gaps.clear();
        self.gaps.extend(others.into_iter().filter(whole).map(|node| gap(node, false)));
        self.gaps.push(gap(text, true));
        self.gaps.sort_unstable_by_key(|gap| gap.at.start);
        self.event.clear();
        self.event.push_str(data);
        self.place = (text.kind() == Kind::String).then_some(place);
    }

    /// The event told something else.
    pub(super) fn forget(&mut self) {
        self.place = None;
    }
}

/// The fields of an event that have one of these names.
pub(super) fn fields<'d>(event: Node<'d>, names: &'static [&'static str]) -> impl Iterator<Item = Node<'d>> {
    let named = |(key, _): &(Node<'d>, Node<'d>)| names.iter().any(|name| key.is_str(name));
    event.entries().filter(named).map(|(_, value)| value)
}

/// What a string is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Escapes {
    None,
    /// As `\n` is.
    Letters,
    /// As `\u000a` is, which may be wrong.
    Numbers,
}

/// Where the JSON string ends that a text begins with.
fn end_of_string(text: &str) -> Option<(usize, Escapes)> {
    let bytes = text.as_bytes();
    let mut at = bytes.starts_with(b"\"").then_some(1)?;
    let mut escapes = Escapes::None;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'"', _) => return Some((at + 1, escapes)),
            (b'\\', Some(b'u')) => escapes = Escapes::Numbers,
            (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => {
                escapes = escapes.max(Escapes::Letters);
            }
            _ => return None,
        }
        at += 2;
    }
}

/// Where the natural number ends that a text begins with.
fn end_of_number(text: &str) -> Option<usize> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (end == 1 || (end > 1 && !text.starts_with('0'))).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(event: &str) -> Alike<u8> {
        let document = Document::parse(event).unwrap();
        let mut alike = Alike::default();
        assert_eq!(alike.text(event), None);
        let others = fields(document.root(), &["n", "p"]);
        alike.learn(event, document.root().get("t").unwrap(), 7, others);
        alike
    }

    #[track_caller]
    fn check(alike: &Alike<u8>, event: &str, text: Option<&str>) {
        let found = alike.text(event);
        assert_eq!(found.as_ref().map(|(text, place)| (&**text, *place)), text.map(|text| (text, 7)), "{event}");
    }

    #[test]
    fn only_another_string_in_the_same_place_is_alike() {
        let first = r#"{"i": 0, "t": "one", "z": null}"#;
        let mut alike = learnt(first);
        for (event, text) in [
            (r#"{"i": 0, "t": "two", "z": null}"#, Some("two")),
            (r#"{"i": 0, "t": "", "z": null}"#, Some("")),
            (r#"{"i": 0, "t": "a \"b\" \n", "z": null}"#, Some("a \"b\" \n")),
            (r#"{"i": 0, "t": "a \"b\" \n\u00e9", "z": null}"#, Some("a \"b\" \né")),
            (r#"{"i": 0, "t": "\u00g9", "z": null}"#, None),
            (r#"{"i": 0, "t": "\x", "z": null}"#, None),
            (r#"{"i": 0, "t": "a", "t": "b", "z": null}"#, None),
            (r#"{"i": 0, "t": "a\", "z": null}"#, None),
            (r#"{"i": 0, "t": "\é", "z": null}"#, None),
            (r#"{"i": 0, "t": ", "z": null}"#, None),
            ("{\"i\": 0, \"t\": \"\n\", \"z\": null}", None),
            (r#"{"i": 0, "t": 1, "z": null}"#, None),
            (r#"{"i": 0, "t": {}, "z": null}"#, None),
            (r#"{"i": 1, "t": "two", "z": null}"#, None),
            (r#"{"i": 0, "t": "two", "z": 1}"#, None),
            (r#"{"i": 0, "t": "two", "z": null"#, None),
            (r#"{"i": 0, "t": "two"#, None),
        ] {
            check(&alike, event, text);
        }
        alike.forget();
        check(&alike, first, None);
    }

    #[test]
    fn numbers_and_padding_may_differ_too() {
        let alike = learnt(r#"{"n": 9, "t": "one", "p": "ab", "z": 1}"#);
        for (event, text) in [
            (r#"{"n": 10, "t": "two", "p": "", "z": 1}"#, Some("two")),
            (r#"{"n": 0, "t": "two", "p": "\"", "z": 1}"#, None),
            (r#"{"n": 01, "t": "two", "p": "ab", "z": 1}"#, None),
            (r#"{"n": -1, "t": "two", "p": "ab", "z": 1}"#, None),
            (r#"{"n": 1.5, "t": "two", "p": "ab", "z": 1}"#, None),
            (r#"{"n": , "t": "two", "p": "ab", "z": 1}"#, None),
            (r#"{"n": "9", "t": "two", "p": "ab", "z": 1}"#, None),
            (r#"{"n": 9, "t": "two", "p": 1, "z": 1}"#, None),
            (r#"{"n": 9, "t": "two", "p": "ab", "z": 2}"#, None),
        ] {
            check(&alike, event, text);
        }
        // What is no natural number has to stay.
        let alike = learnt(r#"{"n": 0.5, "t": "one", "p": null}"#);
        check(&alike, r#"{"n": 0.5, "t": "two", "p": null}"#, Some("two"));
        check(&alike, r#"{"n": 0.6, "t": "two", "p": null}"#, None);
    }
}
