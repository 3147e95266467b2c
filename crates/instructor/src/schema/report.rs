//! What becomes of a contract in a dialect, for people and for their tests.

use std::fmt;

use super::dialect::Dialect;
use super::lower::{Change, Loss, Lowered, Unlowerable};

/// What a dialect makes of a contract: how parts of it are encoded, and what the provider does not enforce.
///
/// ```
/// use std::collections::HashMap;
///
/// use instructor::ResponseModel;
/// use instructor::schema::Dialect;
///
/// #[instructor::model]
/// struct Ticket {
///     #[schemars(length(max = 80))]
///     summary: String,
///     counts: HashMap<String, u32>,
/// }
///
/// let contract = Ticket::contract();
/// let report = contract.report(Dialect::OpenAi);
/// assert!(report.fits());
/// assert_eq!(report.losses()[0].keyword, "maxLength");
/// assert_eq!(report.changes()[0].to_string(), "/properties/counts: a map is a list of entries");
/// println!("{report}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DialectReport<'c> {
    name: &'c str,
    dialect: Dialect,
    lowered: Result<&'c Lowered, &'c Unlowerable>,
}

impl<'c> DialectReport<'c> {
    pub(crate) const fn new(name: &'c str, dialect: Dialect, lowered: Result<&'c Lowered, &'c Unlowerable>) -> Self {
        Self { name, dialect, lowered }
    }

    /// The dialect.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether the contract can be said in it.
    #[must_use]
    pub const fn fits(&self) -> bool {
        self.lowered.is_ok()
    }

    /// Why it can't.
    #[must_use]
    pub fn refusal(&self) -> Option<&'c Unlowerable> {
        self.lowered.err()
    }

    /// The lowered schema.
    #[must_use]
    pub fn lowered(&self) -> Option<&'c Lowered> {
        self.lowered.ok()
    }

    /// How parts of it are encoded.
    #[must_use]
    pub fn changes(&self) -> &'c [Change] {
        self.lowered.map_or(&[], Lowered::changes)
    }

    /// What the provider does not enforce. Answers are checked for it here.
    #[must_use]
    pub fn losses(&self) -> &'c [Loss] {
        self.lowered.map_or(&[], Lowered::losses)
    }
}

/// One line a fact.
impl fmt::Display for DialectReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, dialect, lowered } = self;
        match lowered {
            Err(why) => write!(f, "{name} does not fit {dialect}: {why}"),
            Ok(lowered) => {
                let bytes = lowered.schema().get().len();
                let enforced =
                    if lowered.is_strict() { "enforced by the provider" } else { "not enforced by the provider" };
                write!(f, "{name} fits {dialect}: {bytes} bytes, {enforced}")?;
                self.changes().iter().try_for_each(|change| write!(f, "\n  {change}"))?;
                self.losses().iter().try_for_each(|loss| write!(f, "\n  {loss}"))
            }
        }
    }
}
