//! The text that quotes are from.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use memchr::memmem;

use super::fold::Folded;
use super::near;

/// The text that quotes are held against: put into the [`Context`](crate::Context) of a request, for [`Cited`](crate::Cited)
/// and [`Quote`](crate::Quote). Cheap to clone.
///
/// A quote is looked for as it is; then without regard to white space, letter case, accents and the forms of quotation
/// marks and dashes; then with a few edits. What a quote says in digits has to stand there as it is, always.
///
/// ```
/// use instructor::{Likeness, Source};
///
/// let source = Source::new("The “Supplier” shall deliver\nwithin 30 days of the order.");
/// let found = source.find("the \"supplier\" shall deliver within 30 days").ok_or("not there")?;
/// assert_eq!(&source.text()[found.span()], "The “Supplier” shall deliver\nwithin 30 days");
/// assert_eq!(found.likeness(), Likeness::Folded);
///
/// let found = source.find("The Suppliers shall deliver within 30 days of the order").ok_or("not there")?;
/// assert!(matches!(found.likeness(), Likeness::Near { .. }));
/// assert!(source.find("The Supplier shall deliver within 90 days of the order").is_none());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone)]
pub struct Source {
    text: Arc<Text>,
    edits: u8,
    missing: MissingQuotes,
}

struct Text {
    text: String,
    folded: OnceLock<Folded>,
}

/// What is done about a quote that is not in the [`Source`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingQuotes {
    /// It is an issue, and the model is asked again.
    #[default]
    ReAsk,
    /// It is left out of [`Cited::quotes`](crate::Cited::quotes); a value of which no quote is left is an issue.
    Drop,
}

/// How much a quote is like what stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Likeness {
    /// Byte for byte.
    Exact,
    /// But for white space, letter case, accents, and the forms of quotation marks and dashes.
    Folded,
    /// But for some edits too: bytes that are put in, left out or replaced.
    Near {
        /// How many.
        edits: usize,
    },
}

/// Where a quote stands in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteMatch {
    first: Range<usize>,
    more: Vec<Range<usize>>,
    likeness: Likeness,
}

impl QuoteMatch {
    fn new(mut spans: Vec<Range<usize>>, likeness: Likeness) -> Option<Self> {
        spans.sort_by_key(|span| span.start);
        let mut spans = spans.into_iter();
        Some(Self { first: spans.next()?, more: spans.collect(), likeness })
    }

    /// The bytes of the source that it is, on boundaries of characters: the first of several places.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.first.clone()
    }

    /// All places where it stands as much alike, in the order of the source.
    pub fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        std::iter::once(&self.first).chain(&self.more).cloned()
    }

    /// How much alike.
    #[must_use]
    pub const fn likeness(&self) -> Likeness {
        self.likeness
    }
}

/// What came of looking for a quote.
pub(super) enum Sought {
    Found(QuoteMatch),
    /// What stands there has other digits.
    OtherDigits(Range<usize>),
    Nowhere,
}

impl Source {
    /// A text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = Text { text: text.into(), folded: OnceLock::new() };
        Self { text: Arc::new(text), edits: 5, missing: MissingQuotes::ReAsk }
    }

    /// With how many edits of a hundred bytes a quote may be like the source: 5 unless told, 32 in one quote at most.
    /// With 0 it has to be the same but for white space, letter case, accents and the forms of quotation marks and dashes.
    #[must_use]
    pub fn with_edits(mut self, of_a_hundred: u8) -> Self {
        self.edits = of_a_hundred.min(25);
        self
    }

    /// With what is done about a quote that is not in it.
    #[must_use]
    pub const fn with_missing(mut self, missing: MissingQuotes) -> Self {
        self.missing = missing;
        self
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// Where a quote stands, if it does.
    #[must_use]
    pub fn find(&self, quote: &str) -> Option<QuoteMatch> {
        match self.seek(quote) {
            Sought::Found(found) => Some(found),
            Sought::OtherDigits(_) | Sought::Nowhere => None,
        }
    }

    pub(super) const fn drops(&self) -> bool {
        matches!(self.missing, MissingQuotes::Drop)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text) && self.edits == other.edits
    }

    pub(super) fn seek(&self, quote: &str) -> Sought {
        /// More would be another text, and would make pieces so short that they stand everywhere.
        const MOST: usize = 32;

        let quote = quote.trim();
        if quote.is_empty() {
            return Sought::Nowhere;
        }
        if let Some(found) = QuoteMatch::new(places(self.text(), quote), Likeness::Exact) {
            return Sought::Found(found);
        }
        let source = self.text.folded.get_or_init(|| Folded::of(self.text()));
        let folded = Folded::of(quote);
        let whole = folded.text().trim();
        // Marks around it are often the model's.
        let bare = whole.trim_matches(['"', '\'', '.', ' ']);
        for needle in [whole, bare] {
            let spans = places(source.text(), needle).into_iter().map(|place| source.origin(place));
            if let Some(found) = QuoteMatch::new(spans.collect(), Likeness::Folded) {
                return Sought::Found(found);
            }
        }
        let most = (bare.len() * usize::from(self.edits) / 100).min(MOST);
        if most == 0 {
            return Sought::Nowhere;
        }
        let near = near::find(bare.as_bytes(), source.text().as_bytes(), most);
        let nearest = near.first().map(|near| source.origin(near.span.clone()));
        let alike = |near: &near::Near| {
            let there = source.text().as_bytes().get(near.span.clone()).unwrap_or_default();
            digits(there).eq(digits(bare.as_bytes()))
        };
        let near: Vec<near::Near> = near.into_iter().filter(alike).collect();
        let Some(edits) = near.first().map(|near| near.edits) else {
            return nearest.map_or(Sought::Nowhere, Sought::OtherDigits);
        };
        let best = near.into_iter().take_while(|near| near.edits == edits);
        let spans = best.map(|near| source.origin(near.span)).collect();
        QuoteMatch::new(spans, Likeness::Near { edits }).map_or(Sought::Nowhere, Sought::Found)
    }
}

fn places(text: &str, needle: &str) -> Vec<Range<usize>> {
    if needle.is_empty() {
        return Vec::new();
    }
    memmem::find_iter(text.as_bytes(), needle).map(|at| at..at + needle.len()).collect()
}

fn digits(text: &[u8]) -> impl Iterator<Item = &u8> {
    text.iter().filter(|byte| byte.is_ascii_digit())
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Without the text.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("bytes", &self.text().len())
            .field("edits", &self.edits)
            .field("missing", &self.missing)
            .finish()
    }
}
