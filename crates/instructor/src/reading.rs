//! Reading a text that is already there: the same reader that the engine uses, without a provider.

use crate::error::{Error, ErrorKind};
use crate::model::Contract;
use crate::repair::{Level, ParseOptions, Repair};
use crate::schema::{Found, Reader};

/// What a text was read as.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The value as JSON text, with numbers digit for digit.
    pub json: String,
    /// What was done so that the text could be read, in order.
    pub repairs: Vec<Repair>,
    /// The text ended inside the value: what is there is right, but it is not all, and it was not validated.
    pub truncated: bool,
}

impl Contract {
    /// Reads a text as a value of this contract: finds the JSON in it, repairs and aligns it as far as the level
    /// allows, and validates it. Keys that the schema neither names nor allows by word are left out and reported.
    ///
    /// ```
    /// use instructor::{Contract, Level};
    ///
    /// let contract = Contract::from_schema(serde_json::json!({
    ///     "type": "object",
    ///     "properties": { "age": { "type": "integer" } },
    ///     "required": ["age"],
    /// }))?;
    /// let reading = contract.read("Sure!\n```json\n{'age': \"36\",}\n```", Level::Syntax)?;
    /// assert_eq!(reading.json, r#"{"age":36}"#);
    /// let kinds: Vec<_> = reading.repairs.iter().map(|repair| repair.kind).collect();
    /// assert!(kinds.contains(&"TrailingComma") && kinds.contains(&"StringToNumber"));
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] where no value can be read; [`ErrorKind::SchemaMismatch`] with all issues where it does
    /// not fit.
    pub fn read(&self, text: &str, level: Level) -> Result<Reading, Error> {
        self.read_with(text, ParseOptions::new().with_level(level))
    }

    /// [`read`](Self::read) with limits and salvaged kinds of the caller's.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_with(&self, text: &str, options: ParseOptions) -> Result<Reading, Error> {
        let found = self.find(text, options, options.level() > Level::Strict)?;
        let json = String::from(found.value().source());
        Ok(Reading { json, repairs: found.repairs, truncated: found.truncated })
    }

    /// The value in a text. One that fits as it is need not be aligned, unless `always`.
    pub(crate) fn find<'a>(&self, text: &'a str, options: ParseOptions, always: bool) -> Result<Found<'a>, Error> {
        self.checkable()?;
        let (schema, secret) = (self.schema(), &|path: &_| self.is_secret(path));
        let reader = Reader { schema, check: &|node| self.issues(node), secret, lowered: None, options, always };
        let found = reader.read(text).map_err(|issue| {
            let got = issue.got_text().map_or_else(String::new, |got| format!("got {got}, "));
            Error::new(ErrorKind::Malformed, format!("{got}wanted {}", issue.wanted())).with_issues(issue.into())
        })?;
        if found.truncated || found.issues.is_empty() {
            return Ok(found);
        }
        let first = found
            .issues
            .as_slice()
            .first()
            .map_or_else(String::new, |i| format!("{}: wanted {}", i.path(), i.wanted()));
        Err(Error::new(ErrorKind::SchemaMismatch, first).with_issues(found.issues))
    }
}
