//! The push parser: bytes in any split.

use crate::document::Node;
use crate::engine::Engine;
use crate::event::{Cursor, Event};
use crate::input::Input;
use crate::options::{Options, RootHint};
use crate::reading::{Found, Reading};
use crate::{Document, Error, ErrorKind, Kind};

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
    options: Options,
    text: String,
    /// The first bytes of a character that is not all there.
    partial: Vec<u8>,
    engine: Engine<'static>,
    failed: Option<Error>,
    steps: u64,
    telling: bool,
    events: Vec<Event>,
    cursor: Cursor,
    told: usize,
    /// The start of the value that is being told of.
    subject: Option<usize>,
    over: bool,
    /// Some of what was told of is not there any more.
    forgot: bool,
    /// It was needed after all, so that nothing else goes.
    remembers: bool,
}

impl Parser {
    /// A parser with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            text: String::new(),
            partial: Vec::new(),
            engine: Engine::new(options),
            failed: None,
            steps: 0,
            telling: false,
            events: Vec::new(),
            cursor: Cursor::default(),
            told: 0,
            subject: None,
            over: false,
            forgot: false,
            remembers: false,
        }
    }

    /// Also collects [events](Self::events).
    #[must_use]
    pub const fn with_events(mut self) -> Self {
        self.telling = true;
        self
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are no UTF-8, a limit is passed, or the text needs a repair above the level: then all that
    /// follows is refused with the same error, and the view shows what was certain before the byte that is refused.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let limit = self.options.limits().bytes.min(u32::MAX as usize - 1);
        if self.text.len() + self.partial.len() + bytes.len() > limit {
            return Err(self.fail(Error::new(ErrorKind::TooLong, limit)));
        }
        self.decode(bytes)?;
        self.run(false);
        match self.engine.failed() {
            Some(error) => Err(self.fail(error)),
            None => Ok(()),
        }
    }

    /// The value so far, as far as it is certain: of several, the first. Borrowed: looking costs nothing.
    #[must_use]
    pub fn view(&self) -> Option<Node<'_>> {
        let document = self.engine.shown()?;
        let root = document.root();
        let waits = self.options.root() == RootHint::Object
            && root.kind() != Kind::Object
            && !root.items().any(|item| item.kind() == Kind::Object);
        if waits { None } else { Some(root) }
    }

    /// What happened since the last call, if the parser was made [with events](Self::with_events).
    pub fn events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// The document that events tell of.
    #[must_use]
    pub fn document(&self) -> Option<&Document<'_>> {
        match self.engine.machine() {
            Some(machine) => Some(machine.document()),
            None => self.engine.candidates().last().map(|c| &c.document),
        }
    }

    /// A value that events tell of, by the number of its [`Event::Candidate`].
    #[must_use]
    pub fn told(&self, number: usize) -> Option<Told<'_>> {
        match self.engine.candidates().get(number) {
            Some(whole) => Some(Told { document: &whole.document, found: whole.found, truncated: whole.truncated }),
            None => self.engine.open().map(|(document, found)| Told { document, found, truncated: false }),
        }
    }

    /// Gives up what is before a node of the value that is being read, but for what is open: whoever follows the events
    /// has done with it. Events that were not taken yet, and the [view](Self::view), may lack it from then on. Nodes
    /// keep their numbers; what the reading turns out to need is read again.
    ///
    /// ```
    /// use instructor_json::{Options, Parser};
    ///
    /// let mut parser = Parser::new(Options::new()).with_events();
    /// parser.push(b"[")?;
    /// for _ in 0..1000 {
    ///     parser.push(b"[true],")?;
    ///     parser.events();
    ///     parser.forget(u32::MAX);
    /// }
    /// assert!(!parser.document().unwrap().is_whole());
    /// assert_eq!(parser.finish()?.candidates[0].document.root().len(), 1000);
    /// # Ok::<(), instructor_json::Error>(())
    /// ```
    pub fn forget(&mut self, before: u32) {
        if !self.remembers {
            self.engine.forget(before);
            self.forgot = true;
        }
    }

    /// Reads again what was [forgotten](Self::forget), and forgets nothing from then on.
    pub fn remember(&mut self) {
        if std::mem::take(&mut self.forgot) {
            let input = Input { text: &self.text, eof: self.over, steps: 0.into() };
            self.engine = Engine::new(self.options);
            self.engine.run(&input, None);
            self.steps += input.steps.get();
        }
        self.remembers = true;
    }

    /// [`remember`](Self::remember) up to the end of the last value.
    fn remember_last(&mut self) {
        let last =
            |engine: &Engine<'_>| (engine.candidates().len(), engine.candidates().last().map(|c| c.span.clone()));
        let wanted = last(&self.engine);
        let input = Input { text: &self.text, eof: self.over, steps: 0.into() };
        self.engine = Engine::new(self.options);
        while last(&self.engine) != wanted && self.engine.advance(&input) {}
        self.steps += input.steps.get();
        self.forgot = false;
        self.remembers = true;
    }

    /// The text that has arrived.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many steps the work took so far: linear in the bytes.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The text is complete.
    ///
    /// # Errors
    ///
    /// As [`read`](crate::read); also when the bytes end inside a character, unless the value is cut there too.
    pub fn finish(mut self) -> Result<Reading<'static>, Error> {
        self.end();
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.remember();
        let input = Input { text: &self.text, eof: true, steps: 0.into() };
        let reading = self.engine.finish(&input)?;
        // Half a character is no surprise in a text that was cut.
        if !self.partial.is_empty() && !reading.is_truncated() {
            return Err(Error::new(ErrorKind::InvalidUtf8, self.text.len()));
        }
        Ok(reading)
    }

    /// The text is complete, but the events of its end are wanted before [`finish`](Self::finish).
    pub fn end(&mut self) {
        if self.failed.is_none() {
            self.run(true);
            if let Some(error) = self.engine.failed() {
                self.fail(error);
            }
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error);
        error
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
                    return Err(self.fail(Error::new(ErrorKind::InvalidUtf8, self.text.len())));
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
                    return Err(self.fail(Error::new(ErrorKind::InvalidUtf8, self.text.len())));
                }
                self.partial.extend_from_slice(broken);
            }
        }
        Ok(())
    }

    fn run(&mut self, eof: bool) {
        self.over = eof;
        let input = Input { text: &self.text, eof, steps: 0.into() };
        if self.telling {
            while self.engine.advance(&input) {
                tell(&self.engine, &mut self.cursor, &mut self.subject, &mut self.told, &mut self.events);
            }
            tell(&self.engine, &mut self.cursor, &mut self.subject, &mut self.told, &mut self.events);
        } else {
            self.engine.run(&input, None);
        }
        self.steps += input.steps.get();
        if self.engine.lacks() {
            self.remember_last();
            self.run(eof);
        }
    }
}

/// A value that events tell of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Told<'p> {
    /// The value so far.
    pub document: &'p Document<'p>,
    /// Where it was found.
    pub found: Found,
    /// The text ended inside it: what has ended only where the text does has not.
    pub truncated: bool,
}

/// Tells of what is new in the value that is being read, or that has just been.
fn tell(
    engine: &Engine<'_>,
    cursor: &mut Cursor,
    subject: &mut Option<usize>,
    told: &mut usize,
    events: &mut Vec<Event>,
) {
    if engine.candidates().len() < *told {
        *told = engine.candidates().len();
        events.push(Event::Cleared);
    }
    while let Some(done) = engine.candidates().get(*told) {
        if *subject != Some(done.span.start) {
            begin(cursor, subject, done.span.start, *told, events);
        }
        cursor.advance(&done.document, true, events);
        *told += 1;
        *subject = None;
    }
    match engine.machine_start() {
        Some((start, machine)) if machine.document().shown > 0 => {
            if *subject != Some(start) {
                if subject.is_some() {
                    events.push(Event::Withdrawn);
                }
                begin(cursor, subject, start, *told, events);
            }
            cursor.advance(machine.document(), false, events);
        }
        Some((start, _)) if *subject == Some(start) => {}
        _ => {
            if subject.take().is_some() {
                events.push(Event::Withdrawn);
            }
        }
    }
}

fn begin(cursor: &mut Cursor, subject: &mut Option<usize>, start: usize, number: usize, events: &mut Vec<Event>) {
    *cursor = Cursor::default();
    *subject = Some(start);
    events.push(Event::Candidate(number));
}
