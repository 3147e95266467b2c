//! What a text was found to hold.

use std::ops::Range;

use crate::engine::Engine;
use crate::input::Input;
use crate::options::Options;
use crate::repair::{Level, Repair, Severity};
use crate::{Document, Error, ErrorKind, Limits};

/// One JSON value found in a text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// The value. If it was valid JSON, its spans are offsets into the text that was searched; else see
    /// [`Node::source_span`](crate::Node::source_span).
    pub document: Document<'a>,
    /// Where it was found.
    pub found: Found,
    /// The bytes of the text that it came from.
    pub span: Range<usize>,
    /// What was repaired, in the order of the text.
    pub repairs: Vec<Repair>,
    /// The text ended inside it: what is there is right, but it is not all.
    pub truncated: bool,
    /// Which fence it is in, from 1; 0 outside of any.
    pub(crate) region: u32,
}

impl Candidate<'_> {
    /// The severity of the worst repair; `None` for a value that was valid JSON.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.repairs.iter().map(Repair::severity).max()
    }
}

/// Where a [`Candidate`] stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// The text begins with it.
    Whole,
    /// In a fence: ```` ```json ````.
    Fence,
    /// In a tag: `<answer>`.
    Tag,
    /// Between words.
    Prose,
}

/// What a whole text was found to hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading<'a> {
    /// The values, in the order of the text; at least one. Those in fences, if there are any; else all.
    pub candidates: Vec<Candidate<'a>>,
    /// The values between words that were passed over for those in fences.
    pub passed_over: Vec<Candidate<'a>>,
    /// The blocks of reasoning that were cut before anything was looked for.
    pub reasoning: Vec<Range<usize>>,
    /// Nothing but white space and commas stands between the candidates: they may be one list.
    pub sequence: bool,
    /// A fence was never closed.
    pub unclosed_fence: bool,
}

impl Reading<'_> {
    /// Whether the text ended inside its last value.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.candidates.iter().any(|c| c.truncated)
    }
}

/// Finds the JSON values in a text and repairs them as far as the level allows.
///
/// Blocks of reasoning are cut first. A value in a fence goes before values between words. What began like JSON and
/// cannot be read at the level is an error: no part of it, and nothing after it, is offered in its place.
///
/// ```
/// use instructor_json::{Level, Options, RepairKind, read};
///
/// let reading = read("Sure:\n```json\n{name: 'Ada', \"age\": 36,}\n```", &Options::new())?;
/// let found = &reading.candidates[0];
/// assert_eq!(found.document.root().source(), r#"{"name":"Ada","age":36}"#);
/// assert_eq!(found.repairs[0].kind(), RepairKind::UnquotedKey);
/// # Ok::<(), instructor_json::Error>(())
/// ```
///
/// # Errors
///
/// When there is no value, or a value needs a repair above the level, or a limit is passed.
pub fn read<'a>(text: &'a str, options: &Options) -> Result<Reading<'a>, Error> {
    read_counted(text, options).0
}

/// [`read`], and how many steps it took: they are linear in the length of the text, whatever it is.
#[doc(hidden)]
pub fn read_counted<'a>(text: &'a str, options: &Options) -> (Result<Reading<'a>, Error>, u64) {
    let limit = options.limits().bytes.min(u32::MAX as usize - 1);
    if text.len() > limit {
        return (Err(Error::new(ErrorKind::TooLong, limit)), 0);
    }
    if let Ok(document) = Document::parse_with(text, options.limits()) {
        return (Ok(Reading::whole(document)), text.len() as u64);
    }
    let input = Input { text, eof: true, steps: 0.into() };
    let mut engine = Engine::new(*options);
    engine.run(&input, Some(text));
    let reading = engine.finish(&input);
    (reading, input.steps.get())
}

/// Reads a text that holds one JSON value, with words or fences around it at most.
///
/// ```
/// let document = instructor_json::parse("```json\n{\"a\": 1,}\n```")?;
/// assert_eq!(document.root().get("a").unwrap().as_u64(), Some(1));
/// # Ok::<(), instructor_json::Error>(())
/// ```
///
/// # Errors
///
/// As [`read`] at the default level; also when the value is cut or there are several.
pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    let mut reading = read(text, &Options::new())?;
    match (reading.candidates.pop(), reading.candidates.pop()) {
        (Some(only), None) if only.truncated => Err(Error::new(ErrorKind::UnexpectedEnd, text.len())),
        (Some(only), None) => Ok(only.document),
        (Some(second), Some(_)) => Err(Error::new(ErrorKind::Trailing, second.span.start)),
        _ => Err(Error::new(ErrorKind::NotFound, text.len())),
    }
}

/// Finds the valid JSON values in a text: [`read`] at [`Level::Strict`].
///
/// # Errors
///
/// When there is none, or when something that began like JSON is broken or cut: a fragment after or inside it is never
/// offered in its place. The error is that of the broken value.
pub fn candidates(text: &str, limits: Limits) -> Result<Vec<Candidate<'_>>, Error> {
    read(text, &Options::new().with_level(Level::Strict).with_limits(limits)).map(|reading| reading.candidates)
}

impl<'a> Reading<'a> {
    fn whole(document: Document<'a>) -> Self {
        let span = document.root().span();
        let only = Candidate { document, found: Found::Whole, span, repairs: Vec::new(), truncated: false, region: 0 };
        Self {
            candidates: vec![only],
            passed_over: Vec::new(),
            reasoning: Vec::new(),
            sequence: false,
            unclosed_fence: false,
        }
    }
}
