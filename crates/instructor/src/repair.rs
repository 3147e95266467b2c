//! What was done to an answer so that it could be read: the ledger of reading and aligning.

use std::fmt;
use std::ops::Range;

pub use instructor_json::{Level, Options as ParseOptions, RepairKind, Severity};

use crate::dsl::MASK;
use crate::validate::Path;

/// One thing that was changed on the way from an answer to its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// What was done: a name such as `TrailingComma` or `StringToNumber`, stable.
    pub kind: &'static str,
    /// How safe it is.
    pub severity: Severity,
    /// Where in the value.
    pub path: Path,
    /// The bytes of the answer's text that were changed; none where they can't be told.
    pub span: Option<Range<usize>>,
    /// What stood there, shortened. Text of the answer.
    pub before: String,
    /// What stands there now, shortened; empty where something was left out. Text of the answer.
    pub after: String,
}

/// The kind and place, without text of the answer.
impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind, self.path)
    }
}

impl Repair {
    /// Without text of the answer.
    pub(crate) fn mask(&mut self) {
        for text in [&mut self.before, &mut self.after].into_iter().filter(|text| !text.is_empty()) {
            *text = String::from(MASK);
        }
    }

    /// Those that the reader of JSON made.
    pub(crate) fn of_syntax(text: &str, candidate: &instructor_json::Candidate<'_>) -> Vec<Self> {
        let document = &candidate.document;
        let each = |(repair, path): (&instructor_json::Repair, _)| Self {
            kind: repair.kind().name(),
            severity: repair.severity(),
            path: Path::of_steps(path),
            span: Some(repair.span()),
            before: short(repair.before(text)),
            after: short(repair.after(document)),
        };
        candidate.repairs.iter().zip(document.paths(&candidate.repairs)).map(each).collect()
    }
}

/// Whether a level allows a repair of a severity.
pub(crate) fn allows(level: Level, severity: Severity) -> bool {
    match severity {
        Severity::Lossless | Severity::Partial => level >= Level::Syntax,
        Severity::Guess => level >= Level::Lenient,
        _ => false,
    }
}

/// The beginning of a text, for the ledger.
pub(crate) fn short(text: &str) -> String {
    beginning(text, 120)
}

/// So many characters of a text.
pub(crate) fn beginning(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => String::from(text),
    }
}

/// So many characters of the end of a text.
pub(crate) fn ending(text: &str, longest: usize) -> String {
    match text.char_indices().rev().nth(longest) {
        Some((at, first)) => format!("…{}", text.get(at + first.len_utf8()..).unwrap_or_default()),
        None => String::from(text),
    }
}
