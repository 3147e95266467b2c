//! Events that are like the one before them but for one text: nearly all events of a stream.

use std::borrow::Cow;

use instructor_json::{Document, Node};

/// What stood around the text that an event told, so that the next event can be known by it without being read again.
///
/// An event that begins and ends with the same bytes as one that was read, with a JSON string between, is the same JSON
/// with another string in that place.
#[derive(Debug)]
pub(super) struct Alike<T> {
    before: String,
    after: String,
    /// Where the text belongs; none if the last event told anything else.
    place: Option<T>,
}

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self { before: String::new(), after: String::new(), place: None }
    }
}

impl<T: Copy> Alike<T> {
    /// The text of an event that is like the last, and where it belongs.
    pub(super) fn text<'d>(&self, data: &'d str) -> Option<(Cow<'d, str>, T)> {
        let place = self.place?;
        let string = data.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        if string.len() < 2 || !string.starts_with('"') {
            return None;
        }
        let inner = string.get(1..string.len() - 1)?;
        if !inner.bytes().any(|byte| byte == b'"' || byte == b'\\' || byte < 0x20) {
            return string.ends_with('"').then_some((Cow::Borrowed(inner), place));
        }
        let document = Document::parse(string).ok()?;
        Some((Cow::Owned(document.root().as_str()?.into_owned()), place))
    }

    /// The event told this text, and nothing else that would not be the same again.
    pub(super) fn learn(&mut self, data: &str, text: Node<'_>, place: T) {
        let span = text.span();
        let (Some(before), Some(after)) = (data.get(..span.start), data.get(span.end..)) else { return };
        self.before.clear();
        self.before.push_str(before);
        self.after.clear();
        self.after.push_str(after);
        self.place = Some(place);
    }

    /// The event told something else.
    pub(super) fn forget(&mut self) {
        self.place = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_string_in_the_same_place_is_alike() {
        let first = r#"{"i": 0, "t": "one", "z": null}"#;
        let document = Document::parse(first).unwrap();
        let mut alike = Alike::default();
        assert_eq!(alike.text(first), None);
        alike.learn(first, document.root().get("t").unwrap(), 7);
        for (event, text) in [
            (r#"{"i": 0, "t": "two", "z": null}"#, Some("two")),
            (r#"{"i": 0, "t": "", "z": null}"#, Some("")),
            (r#"{"i": 0, "t": "a \"b\" \n\u00e9", "z": null}"#, Some("a \"b\" \né")),
            (r#"{"i": 0, "t": "a", "t": "b", "z": null}"#, None),
            (r#"{"i": 0, "t": "a\", "z": null}"#, None),
            (r#"{"i": 0, "t": ", "z": null}"#, None),
            (r#"{"i": 0, "t": 1, "z": null}"#, None),
            (r#"{"i": 0, "t": {}, "z": null}"#, None),
            (r#"{"i": 1, "t": "two", "z": null}"#, None),
            (r#"{"i": 0, "t": "two", "z": 1}"#, None),
        ] {
            assert_eq!(
                alike.text(event).as_ref().map(|(text, place)| (&**text, *place)),
                text.map(|t| (t, 7)),
                "{event}"
            );
        }
        alike.forget();
        assert_eq!(alike.text(first), None);
    }
}
