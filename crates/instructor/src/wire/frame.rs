//! The events of a stream out of bytes, in any split: server-sent events, lines of JSON, or binary messages.

use std::ops::Range;

use memchr::memchr2;

use super::binary::{FIRST_BYTE, Messages};

/// One event: its name, if it has one, and its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) event: Option<&'a str>,
    pub(crate) data: &'a str,
    /// Whether the stream itself marks it as a failure, whose name is that of the event.
    pub(crate) failed: bool,
}

/// Splits a byte stream into events. Which form it has, its first byte tells. Lines may end in LF, CRLF or
/// CR; a byte order mark, comments and unknown fields are skipped. Linear: a byte is looked at once, however it
/// arrives, and the data of an event is lent, not copied, unless it has several lines.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
    /// Where the event that is not complete begins; what is before it was given.
    start: usize,
    /// Where its first line that was not read begins, and how far the end of that was looked for.
    line: usize,
    looked: usize,
    event: Option<Range<usize>>,
    data: Option<Range<usize>>,
    /// The data, where it has several lines or is not UTF-8.
    joined: String,
    /// The last line ended with CR: a LF that follows belongs to it.
    after_cr: bool,
    /// The first line was read.
    begun: bool,
    /// A line is an event: the first of them was a JSON object.
    lines: bool,
    /// The event was given: it goes at the next look.
    given: bool,
    /// Instead of all that, if the stream is a binary one.
    binary: Option<Messages>,
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes bytes; [`next`](Self::next) gives the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if !self.begun && self.buffer.is_empty() && self.binary.is_none() && bytes.first() == Some(&FIRST_BYTE) {
            self.binary = Some(Messages::default());
        }
        if let Some(messages) = &mut self.binary {
            return messages.push(bytes);
        }
        self.forget();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event, if it is complete.
    pub(crate) fn next(&mut self) -> Option<Frame<'_>> {
        if self.binary.is_some() {
            return self.binary.as_mut().and_then(Messages::next);
        }
        self.dismiss();
        loop {
            if self.after_cr {
                let lf = *self.buffer.get(self.line)? == b'\n';
                self.after_cr = false;
                self.line += usize::from(lf);
                self.looked = self.line;
            }
            let rest = self.buffer.get(self.looked..).unwrap_or_default();
            let Some(more) = memchr2(b'\n', b'\r', rest) else {
                self.looked = self.buffer.len();
                return None;
            };
            let line = self.line..self.looked + more;
            self.after_cr = self.buffer.get(line.end) == Some(&b'\r');
            self.line = line.end + 1;
            self.looked = self.line;
            if self.take(line) {
                break;
            }
        }
        self.given = true;
        let text = |range: &Option<Range<usize>>| std::str::from_utf8(self.buffer.get(range.clone()?)?).ok();
        Some(Frame {
            event: text(&self.event).filter(|name| !name.is_empty()),
            data: text(&self.data).unwrap_or(&self.joined),
            failed: false,
        })
    }

    /// The bytes have ended: a last event that no blank line followed is complete. A binary message that was cut is for
    /// the decoder to notice: what it lacks may not matter.
    pub(crate) fn end(&mut self) {
        if self.binary.is_none() {
            self.push(b"\n\n\n");
        }
    }

    /// What is wrong with the stream, once there are no more events, if something is.
    pub(crate) fn fault(&self) -> Option<String> {
        self.binary.as_ref()?.fault()
    }

    /// Lets go of the event that was given.
    fn dismiss(&mut self) {
        if std::mem::take(&mut self.given) {
            self.start = self.line;
            self.event = None;
            self.data = None;
            self.joined.clear();
        }
    }

    /// Lets go of the bytes before the event that is not complete.
    fn forget(&mut self) {
        self.dismiss();
        let gone = std::mem::take(&mut self.start);
        if gone > 0 {
            self.buffer.drain(..gone);
            self.line -= gone;
            self.looked -= gone;
            for range in [&mut self.event, &mut self.data].into_iter().flatten().filter(|range| **range != NOWHERE) {
                *range = range.start - gone..range.end - gone;
            }
        }
    }

    /// Reads a line; whether it completes an event.
    fn take(&mut self, mut line: Range<usize>) -> bool {
        let bytes = |range: &Range<usize>| self.buffer.get(range.clone()).unwrap_or_default();
        let first = !std::mem::replace(&mut self.begun, true);
        if first && bytes(&line).starts_with("\u{feff}".as_bytes()) {
            line.start += '\u{feff}'.len_utf8();
        }
        let text = bytes(&line);
        self.lines |= first && text.first() == Some(&b'{');
        if self.lines {
            let complete = !text.is_empty();
            self.data = complete.then_some(line);
            return complete;
        }
        if text.is_empty() {
            let complete = self.data.is_some();
            if !complete {
                self.event = None;
                self.start = self.line;
            }
            return complete;
        }
        let (field, value) = match memchr::memchr(b':', text) {
            Some(at) => {
                let space = usize::from(text.get(at + 1) == Some(&b' '));
                (line.start..line.start + at, line.start + at + 1 + space..line.end)
            }
            None => (line.clone(), line.end..line.end),
        };
        match bytes(&field) {
            b"event" => self.event = Some(value),
            // Early servers of llama.cpp wrote errors into a field of their own.
            word @ (b"data" | b"error") => {
                if word == b"error" {
                    self.event = Some(field.clone());
                }
                match &self.data {
                    None if std::str::from_utf8(bytes(&value)).is_ok() => self.data = Some(value),
                    None => {
                        self.joined = String::from_utf8_lossy(bytes(&value)).into_owned();
                        self.data = Some(NOWHERE);
                    }
                    Some(first) => {
                        if *first != NOWHERE {
                            self.joined = String::from_utf8_lossy(bytes(first)).into_owned();
                        }
                        self.joined.push('\n');
                        let more = self.buffer.get(value).unwrap_or_default();
                        self.joined.push_str(&String::from_utf8_lossy(more));
                        self.data = Some(NOWHERE);
                    }
                }
            }
            _ => {}
        }
        false
    }
}

/// The place of data that is not in the buffer.
const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut out = Vec::new();
        let mut frames = Frames::new();
        for chunk in chunks.iter().copied().map(Some).chain([None]) {
            match chunk {
                Some(bytes) => frames.push(bytes),
                None => frames.end(),
            }
            while let Some(frame) = frames.next() {
                out.push((frame.event.map(String::from), String::from(frame.data)));
            }
        }
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
