use std::fmt;

/// Why a text is not one JSON value, and where.
#[derive(Clone, Copy, Debug)]
pub struct Error {
    kind: ErrorKind,
    offset: usize,
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
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self { kind, offset }
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
        };
        write!(f, "{what} (at byte {})", self.offset)
    }
}

impl std::error::Error for Error {}
