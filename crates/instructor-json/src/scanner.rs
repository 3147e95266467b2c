//! The reader of a text that grows, which somebody else keeps.

use crate::document::Node;
use crate::engine::Engine;
use crate::event::{Cursor, Event};
use crate::input::Input;
use crate::options::{Options, RootHint};
use crate::reading::{Found, Reading};
use crate::{Document, Error, ErrorKind, Kind};

/// Reads a text that grows, and tells of what is in it: a [`Parser`](crate::Parser) that is lent the text.
///
/// ```
/// use instructor_json::{Event, Options, Scanner};
///
/// let mut text = String::from("Sure: [1, 2");
/// let mut scanner = Scanner::new(Options::new());
/// scanner.read(&text)?;
/// text.push_str("5]");
/// scanner.read(&text)?;
/// let numbers = scanner.events().filter(|event| matches!(event, Event::Scalar { .. })).count();
/// assert_eq!(numbers, 2);
/// # Ok::<(), instructor_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Scanner {
    options: Options,
    engine: Engine<'static>,
    failed: Option<Error>,
    steps: u64,
    /// Whether events are collected.
    pub(crate) telling: bool,
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

impl Scanner {
    /// A scanner with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            engine: Engine::new(options),
            failed: None,
            steps: 0,
            telling: true,
            events: Vec::new(),
            cursor: Cursor::default(),
            told: 0,
            subject: None,
            over: false,
            forgot: false,
            remembers: false,
        }
    }

    pub(crate) const fn failed(&self) -> Option<Error> {
        self.failed
    }

    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error);
        error
    }

    /// How many bytes a text may have.
    pub(crate) fn limit(&self) -> usize {
        self.options.limits().bytes.min(u32::MAX as usize - 1)
    }

    /// Reads on. The text is the same as before, and what has come since.
    ///
    /// # Errors
    ///
    /// As [`Parser::push`](crate::Parser::push).
    pub fn read(&mut self, text: &str) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let limit = self.limit();
        if text.len() > limit {
            return Err(self.fail(Error::new(ErrorKind::TooLong, limit)));
        }
        self.run(text, false);
        match self.engine.failed() {
            Some(error) => Err(self.fail(error)),
            None => Ok(()),
        }
    }

    /// The text is complete.
    pub fn end(&mut self, text: &str) {
        if self.failed.is_none() {
            self.run(text, true);
            self.failed = self.engine.failed();
        }
    }

    /// See [`Parser::view`](crate::Parser::view).
    pub(crate) fn view(&self) -> Option<Node<'_>> {
        let document = self.engine.shown()?;
        let root = document.root();
        let waits = self.options.root() == RootHint::Object
            && root.kind() != Kind::Object
            && !root.items().any(|item| item.kind() == Kind::Object);
        if waits { None } else { Some(root) }
    }

    /// What happened since the last call.
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

    /// How many steps the work took so far: linear in the bytes.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Gives up what is before a node of the value that is being read, but for what is open: whoever follows the events
    /// has done with it. Events that were not taken yet may name what is not there. Nodes keep their numbers; what the
    /// reading turns out to need is read again.
    ///
    /// ```
    /// use instructor_json::{Options, Scanner};
    ///
    /// let mut text = String::from("[");
    /// let mut scanner = Scanner::new(Options::new());
    /// for _ in 0..1000 {
    ///     text.push_str("[true],");
    ///     scanner.read(&text)?;
    ///     scanner.events();
    ///     scanner.forget(u32::MAX);
    /// }
    /// assert!(!scanner.document().unwrap().is_whole());
    /// # Ok::<(), instructor_json::Error>(())
    /// ```
    pub fn forget(&mut self, before: u32) {
        if !self.remembers {
            self.engine.forget(before);
            self.forgot = true;
        }
    }

    /// Reads again what was [forgotten](Self::forget), and forgets nothing from then on.
    pub fn remember(&mut self, text: &str) {
        if std::mem::take(&mut self.forgot) {
            let input = Input { text, eof: self.over, steps: 0.into() };
            self.engine = Engine::new(self.options);
            self.engine.run(&input, None);
            self.steps += input.steps.get();
        }
        self.remembers = true;
    }

    /// [`remember`](Self::remember) up to the end of the last value.
    fn remember_last(&mut self, text: &str) {
        let last =
            |engine: &Engine<'_>| (engine.candidates().len(), engine.candidates().last().map(|c| c.span.clone()));
        let wanted = last(&self.engine);
        let input = Input { text, eof: self.over, steps: 0.into() };
        self.engine = Engine::new(self.options);
        while last(&self.engine) != wanted && self.engine.advance(&input) {}
        self.steps += input.steps.get();
        self.forgot = false;
        self.remembers = true;
    }

    fn run(&mut self, text: &str, eof: bool) {
        self.over = eof;
        let input = Input { text, eof, steps: 0.into() };
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
            self.remember_last(text);
            self.run(text, eof);
        }
    }

    /// What a text held that was read to its end, and of which nothing was forgotten.
    pub(crate) fn finish(self, text: &str) -> Result<Reading<'static>, Error> {
        match self.failed {
            Some(error) => Err(error),
            None => self.engine.finish(&Input { text, eof: true, steps: 0.into() }),
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
