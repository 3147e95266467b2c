//! The push parser: bytes in any split.

use crate::document::Node;
use crate::event::Event;
use crate::options::Options;
use crate::reading::Reading;
use crate::scanner::{Scanner, Told};
use crate::{Document, Error, ErrorKind};

/// Reads a text that arrives in pieces.
///
/// What it finds depends on the text alone, never on where it was split. After each piece, [`view`](Self::view) shows
/// the value so far for free: numbers and words when they are complete, strings as they grow, nothing that a later
/// piece takes back.
///
/// ```
/// use instructor_json::{Options, Parser};
///
/// let mut parser = Parser::new(Options::new());
/// parser.push(b"Sure: {\"name\": \"A")?;
/// assert_eq!(parser.view().unwrap().get("name").unwrap().as_str().as_deref(), Some("A"));
/// parser.push(b"da\", \"age\": 3")?;
/// assert!(parser.view().unwrap().get("age").is_none());
/// parser.push(b"6}")?;
/// let reading = parser.finish()?;
/// assert_eq!(reading.candidates[0].document.root().get("age").unwrap().as_u64(), Some(36));
/// # Ok::<(), instructor_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Parser {
    text: String,
    /// The first bytes of a character that is not all there.
    partial: Vec<u8>,
    scanner: Scanner,
}

impl Parser {
    /// A parser with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut scanner = Scanner::new(options);
        scanner.telling = false;
        Self { text: String::new(), partial: Vec::new(), scanner }
    }

    /// Also collects [events](Self::events).
    #[must_use]
    pub const fn with_events(mut self) -> Self {
        self.scanner.telling = true;
        self
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are no UTF-8, a limit is passed, or the text needs a repair above the level: then all that
    /// follows is refused with the same error, and the view shows what was certain before the byte that is refused.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(error) = self.scanner.failed() {
            return Err(error);
        }
        let limit = self.scanner.limit();
        if self.text.len() + self.partial.len() + bytes.len() > limit {
            return Err(self.scanner.fail(Error::new(ErrorKind::TooLong, limit)));
        }
        self.decode(bytes)?;
        self.scanner.read(&self.text)
    }

    /// The value so far, as far as it is certain: of several, the first. Borrowed: looking costs nothing.
    #[must_use]
    pub fn view(&self) -> Option<Node<'_>> {
        self.scanner.view()
    }

    /// What happened since the last call, if the parser was made [with events](Self::with_events).
    pub fn events(&mut self) -> std::vec::Drain<'_, Event> {
        self.scanner.events()
    }

    /// The document that events tell of.
    #[must_use]
    pub fn document(&self) -> Option<&Document<'_>> {
        self.scanner.document()
    }

    /// A value that events tell of, by the number of its [`Event::Candidate`].
    #[must_use]
    pub fn told(&self, number: usize) -> Option<Told<'_>> {
        self.scanner.told(number)
    }

    /// The text that has arrived.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many steps the work took so far: linear in the bytes.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.scanner.steps()
    }

    /// The text is complete.
    ///
    /// # Errors
    ///
    /// As [`read`](crate::read); also when the bytes end inside a character, unless the value is cut there too.
    pub fn finish(mut self) -> Result<Reading<'static>, Error> {
        self.end();
        let reading = self.scanner.finish(&self.text)?;
        // Half a character is no surprise in a text that was cut.
        if !self.partial.is_empty() && !reading.is_truncated() {
            return Err(Error::new(ErrorKind::InvalidUtf8, self.text.len()));
        }
        Ok(reading)
    }

    /// The text is complete, but the events of its end are wanted before [`finish`](Self::finish).
    pub fn end(&mut self) {
        self.scanner.end(&self.text);
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !self.partial.is_empty()
            && let Some((&first, more)) = rest.split_first()
        {
            self.partial.push(first);
            rest = more;
            match std::str::from_utf8(&self.partial) {
                Ok(c) => {
                    self.text.push_str(c);
                    self.partial.clear();
                }
                Err(error) if error.error_len().is_some() => {
                    return Err(self.scanner.fail(Error::new(ErrorKind::InvalidUtf8, self.text.len())));
                }
                Err(_) => {}
            }
        }
        match std::str::from_utf8(rest) {
            Ok(text) => self.text.push_str(text),
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                self.text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                if error.error_len().is_some() {
                    return Err(self.scanner.fail(Error::new(ErrorKind::InvalidUtf8, self.text.len())));
                }
                self.partial.extend_from_slice(broken);
            }
        }
        Ok(())
    }
}
