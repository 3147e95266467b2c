//! The events of a stream out of bytes, in any split: server-sent events, lines of JSON, or binary messages.

use super::binary::{FIRST_BYTE, Messages};

/// One event: its name, if it has one, and its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) event: Option<&'a str>,
    pub(crate) data: &'a str,
    /// Whether the stream itself marks it as a failure, whose name is that of the event.
    pub(crate) failed: bool,
}

/// Splits a byte stream into events. Which form it has, its first byte tells. Lines may end in LF, CRLF or CR; a byte
/// order mark, comments and unknown fields are skipped. Linear: a line is looked at once, however it arrives.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    line: Vec<u8>,
    /// The last byte ended a line with CR: a LF that follows belongs to it.
    after_cr: bool,
    started: bool,
    event: String,
    data: String,
    has_data: bool,
    /// Instead of all that, if the stream is a binary one.
    binary: Option<Messages>,
    /// The first byte was seen.
    begun: bool,
    /// A line is an event: the first of them was a JSON object.
    lines: bool,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes bytes and gives the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        if let Some(first) = bytes.first().filter(|_| !self.begun) {
            self.begun = true;
            self.binary = (*first == FIRST_BYTE).then(Messages::default);
        }
        if let Some(messages) = &mut self.binary {
            return messages.push(bytes, &mut each);
        }
        let mut rest = bytes;
        if self.after_cr && rest.first() == Some(&b'\n') {
            rest = rest.get(1..).unwrap_or_default();
        }
        if !bytes.is_empty() {
            self.after_cr = false;
        }
        while let Some(end) = memchr_line(rest) {
            let (line, tail) = rest.split_at(end);
            if self.line.is_empty() {
                self.take(line, &mut each);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take(&whole, &mut each);
                whole.clear();
                self.line = whole;
            }
            let cr = tail.first() == Some(&b'\r');
            let crlf = cr && tail.get(1) == Some(&b'\n');
            self.after_cr = cr && tail.len() == 1;
            rest = tail.get(if crlf { 2 } else { 1 }..).unwrap_or_default();
        }
        self.line.extend_from_slice(rest);
    }

    /// The bytes have ended: gives a last event that no blank line followed, or says what is wrong with the stream.
    pub(crate) fn finish(mut self, mut each: impl FnMut(Frame<'_>)) -> Result<(), String> {
        if let Some(messages) = self.binary {
            return messages.finish();
        }
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(&line, &mut each);
        }
        self.take(b"", &mut each);
        Ok(())
    }

    fn take(&mut self, line: &[u8], each: &mut impl FnMut(Frame<'_>)) {
        let line = String::from_utf8_lossy(line);
        let line = if self.started { &*line } else { line.trim_start_matches('\u{feff}') };
        self.lines |= !self.started && line.starts_with('{');
        self.started = true;
        if self.lines {
            if !line.is_empty() {
                each(Frame { event: None, data: line, failed: false });
            }
            return;
        }
        if line.is_empty() {
            if self.has_data {
                let event = (!self.event.is_empty()).then_some(self.event.as_str());
                each(Frame { event, data: &self.data, failed: false });
            }
            self.event.clear();
            self.data.clear();
            self.has_data = false;
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "event" => {
                self.event.clear();
                self.event.push_str(value);
            }
            _ => {}
        }
    }
}

fn memchr_line(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&b| b == b'\n' || b == b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut out = Vec::new();
        let mut frames = Frames::new();
        let mut each = |f: Frame<'_>| out.push((f.event.map(String::from), String::from(f.data)));
        for chunk in chunks {
            frames.push(chunk, &mut each);
        }
        frames.finish(&mut each).unwrap();
        out
    }

    #[test]
    fn lines_comments_and_ends() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: 3\n\n: x\n\ndata\r\rdata: last";
        assert_eq!(
            read(&[text.as_bytes()]),
            [
                (Some(String::from("a")), String::from("1\n2")),
                (None, String::from("3")),
                (None, String::new()),
                (None, String::from("last")),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(
            text in "(\u{feff})?((event|data|id|:)(: ?[a-zé]{0,4})?(\r\n|\n|\r|\n\n)){0,12}",
            cuts in proptest::collection::vec(0usize..200, 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&bytes[from..cut]);
                from = cut;
            }
            chunks.push(&bytes[from..]);
            prop_assert_eq!(read(&chunks), read(&[bytes]));
        }
    }
}
