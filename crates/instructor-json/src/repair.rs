//! Repairs as data: what was changed, where, and how safe that is.

use std::fmt;
use std::ops::Range;

use crate::{Document, Step};

/// How safe a repair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The text has one reading only; nothing of it is lost.
    Lossless,
    /// The text ended early: what is there is right, but it is not all.
    Partial,
    /// The likely reading of a text that has others.
    Guess,
    /// Something of the text is not in the value.
    Lossy,
}

/// How much may be repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// RFC 8259 only; fences and prose around the value are passed over.
    Strict,
    /// [`Severity::Lossless`] repairs.
    #[default]
    Syntax,
    /// Guesses too.
    Lenient,
    /// Guesses, and the lossy kinds that [`Options::salvage`](crate::Options::salvage) names.
    Salvage,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What was repaired.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RepairKind {
            $($(#[$doc])* $name,)*
        }

        impl RepairKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, as it is spelled in the code.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

kinds! {
    /// A key or string in back-ticks.
    BacktickQuoted,
    /// A comment was left out.
    Comment,
    /// A key without a value was left out.
    DanglingKey,
    /// `1_000`.
    DigitSeparator,
    /// `""text""`.
    DoubledQuote,
    /// `...` in the place of items was left out.
    Ellipsis,
    /// JSON with its quotes escaped, as inside a string.
    EscapedJson,
    /// A bracket that closes nothing, or opens nothing, was left out.
    ExtraCloser,
    /// `1/4` was read as text.
    Fraction,
    /// `ObjectId("x")` was read as its argument, `datetime(2024, 1)` as text.
    FunctionCall,
    /// `0x1F`.
    HexNumber,
    /// An escape that JSON does not have.
    InvalidEscape,
    /// `undefined`, `NaN`, `Infinity`: read as `null`.
    JsLiteral,
    /// A comma before the first item was left out.
    LeadingComma,
    /// `.5`.
    LeadingDot,
    /// A number with leading zeros was read as text.
    LeadingZero,
    /// `TRUE`, `Null`.
    LiteralCase,
    /// Half of a surrogate pair was read as U+FFFD.
    LoneSurrogate,
    /// A bracket of the wrong kind closed the container.
    MismatchedCloser,
    /// A bracket that closes a container was added.
    MissingCloser,
    /// A colon was added.
    MissingColon,
    /// A comma was added.
    MissingComma,
    /// A closing quote was added.
    MissingEndQuote,
    /// The braces around a key and its value were added.
    MissingOpenBrace,
    /// An opening quote was added.
    MissingStartQuote,
    /// A key had no value: read as `null`.
    MissingValue,
    /// A key that is a number or literal was read as text.
    NonStringKey,
    /// `+1`.
    PlusSign,
    /// `True`, `None`, `r"text"`.
    PythonLiteral,
    /// A control character that should have been escaped.
    RawControlChar,
    /// `/a+b/` was read as text.
    RegexLiteral,
    /// More commas than one were left out.
    RepeatedComma,
    /// `{"x", "y"}` was read as an array.
    SetLiteral,
    /// A key or string in single quotes.
    SingleQuoted,
    /// A key or string in typographic quotes.
    SmartQuotes,
    /// White space that JSON does not have.
    SpecialWhitespace,
    /// Words outside of any value were left out.
    StrayText,
    /// Strings that follow each other were joined.
    StringConcat,
    /// `12,345`.
    ThousandsSeparator,
    /// A comma after the last item was left out.
    TrailingComma,
    /// `5.`.
    TrailingDot,
    /// A string in triple quotes.
    TripleQuoted,
    /// The text ended inside an array or object.
    Truncated,
    /// The text ended at a key.
    TruncatedKey,
    /// The text ended inside a literal or word, which was left out.
    TruncatedLiteral,
    /// The text ended inside a number, which was left out.
    TruncatedNumber,
    /// The text ended inside a string.
    TruncatedString,
    /// `(1, 2)`.
    Tuple,
    /// A quote inside a string that should have been escaped.
    UnescapedQuote,
    /// `50%`, `$1.50` was read as text.
    UnitStripped,
    /// A key without quotes.
    UnquotedKey,
    /// A string without quotes.
    UnquotedValue,
    /// Another separator than `:` or `,`.
    WrongSeparator,
}

impl fmt::Display for RepairKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that was changed on the way from the text to the value: 32 bytes, whatever its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    kind: RepairKind,
    severity: Severity,
    span: (u32, u32),
    after: (u32, u32),
    node: u32,
}

impl Repair {
    pub(crate) const fn new(kind: RepairKind, severity: Severity, span: (u32, u32), node: u32) -> Self {
        Self { kind, severity, span, after: (0, 0), node }
    }

    pub(crate) const fn with_after(mut self, after: (u32, u32)) -> Self {
        self.after = after;
        self
    }

    pub(crate) const fn node(&self) -> u32 {
        self.node
    }

    /// What was repaired.
    #[must_use]
    pub const fn kind(&self) -> RepairKind {
        self.kind
    }

    /// How safe it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The bytes of the text that was read which were changed; empty where something was added.
    #[must_use]
    pub const fn span(&self) -> Range<usize> {
        self.span.0 as usize..self.span.1 as usize
    }

    /// What stood there. `text` is the text that was read.
    #[must_use]
    pub fn before<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span()).unwrap_or_default()
    }

    /// What stands in the value instead; empty where something was left out or the shape alone changed.
    #[must_use]
    pub fn after<'d>(&self, document: &'d Document<'_>) -> &'d str {
        document.text().get(self.after.0 as usize..self.after.1 as usize).unwrap_or_default()
    }

    /// The path to the innermost value that it concerns. For those of all repairs, see [`Document::paths`].
    #[must_use]
    pub fn path<'d>(&self, document: &'d Document<'d>) -> Vec<Step<'d>> {
        document.path_to(self.node)
    }
}
