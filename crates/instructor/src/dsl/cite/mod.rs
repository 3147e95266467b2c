//! Quotes that are held against the text that they are said to be from.

mod cited;
mod fold;
mod near;
mod quote;
mod source;

pub use self::cited::{Cited, PartialCited};
pub use self::quote::Quote;
pub use self::source::{Likeness, MissingQuotes, QuoteMatch, Source};
