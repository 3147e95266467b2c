use std::fmt;

use crate::{Level, Repair, Severity};

/// Why a text is not one JSON value, and where.
#[derive(Clone, Copy, Debug)]
pub struct Error {
    kind: ErrorKind,
    offset: usize,
    repair: Option<Repair>,
}

/// What is wrong at an [`Error`]'s offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text ended inside a value: it may have been cut.
    UnexpectedEnd,
    /// A byte that can't stand here.
    UnexpectedByte,
    /// A number outside JSON's grammar, such as `01` or `1.`.
    InvalidNumber,
    /// An escape outside JSON's grammar, or half of a surrogate pair.
    InvalidEscape,
    /// An unescaped control character inside a string.
    ControlCharacter,
    /// Text after the value.
    Trailing,
    /// More open arrays and objects than [`Limits::depth`](crate::Limits::depth).
    TooDeep,
    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    TooLong,
    /// More steps than [`Limits::work`](crate::Limits::work) allows.
    TooMuchWork,
    /// The text holds no JSON value.
    NotFound,
    /// The text is JSON only after a repair that the level does not allow: see [`Error::needs`].
    NeedsRepair,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self { kind, offset, repair: None }
    }

    /// A repair that the level does not allow. An end that came too early is an end, whatever the level.
    pub(crate) fn needing(repair: Repair) -> Self {
        let kind = match repair.severity() {
            Severity::Partial => ErrorKind::UnexpectedEnd,
            _ => ErrorKind::NeedsRepair,
        };
        Self { kind, offset: repair.span().start, repair: Some(repair) }
    }

    /// The first repair that would be needed to read on.
    #[must_use]
    pub const fn needs(&self) -> Option<&Repair> {
        self.repair.as_ref()
    }

    /// The level at which that repair is allowed; at [`Level::Salvage`] it has to be named too.
    #[must_use]
    pub fn needs_level(&self) -> Option<Level> {
        self.repair.map(|repair| match repair.severity() {
            Severity::Lossless | Severity::Partial => Level::Syntax,
            Severity::Guess => Level::Lenient,
            Severity::Lossy => Level::Salvage,
        })
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The byte offset in the text at which it was noticed.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the text ended too early, as a cut answer does.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        matches!(self.kind, ErrorKind::UnexpectedEnd)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ErrorKind::UnexpectedEnd => "the text ends inside a JSON value",
            ErrorKind::UnexpectedByte => "unexpected character",
            ErrorKind::InvalidNumber => "invalid number",
            ErrorKind::InvalidEscape => "invalid escape in a string",
            ErrorKind::ControlCharacter => "unescaped control character in a string",
            ErrorKind::Trailing => "text after the JSON value",
            ErrorKind::TooDeep => "nested too deeply",
            ErrorKind::TooLong => "text is too long",
            ErrorKind::TooMuchWork => "reading takes too many steps",
            ErrorKind::NotFound => "no JSON value in the text",
            ErrorKind::InvalidUtf8 => "bytes that are not UTF-8",
            ErrorKind::NeedsRepair => {
                let (kind, level) = (self.repair.map_or("repair", |r| r.kind().name()), self.needs_level());
                return write!(
                    f,
                    "not JSON without the repair {kind}, level {:?} (at byte {})",
                    level.unwrap_or_default(),
                    self.offset
                );
            }
        };
        write!(f, "{what} (at byte {})", self.offset)
    }
}

impl std::error::Error for Error {}
