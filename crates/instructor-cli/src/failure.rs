//! A failure as people read it: one line, then details if they asked for them, then what to do.

use std::error::Error as _;
use std::fmt;

use instructor::{Error, ErrorKind, Profile, TransportError, TransportErrorKind};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::secret::hidden;

#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    details: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new(), hint: None }
    }

    /// Files, pipes, and what should not happen.
    pub(crate) fn unexpected(message: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, message)
    }

    /// Arguments and environment.
    pub(crate) fn setup(message: impl Into<String>) -> Self {
        Self::new(Exit::Setup, message)
    }

    /// What the library refuses before it asks anybody.
    pub(crate) fn from_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(kind.into(), message)
    }

    /// What came of asking. The message is one line, unless the person asked for more.
    pub(crate) fn of(error: &Error, verbose: u8, profile: &Profile) -> Self {
        let message = if verbose > 0 { format!("{error:#}") } else { error.to_string().replace('\n', " ") };
        let hint = hint(error, verbose, profile);
        Self { hint, ..Self::from_kind(error.kind(), hidden(&message, profile)) }
    }

    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }
}

impl Failure {
    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        json!({ "error": self.message, "details": self.details, "hint": self.hint, "exit": self.exit as u8 })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for detail in &self.details {
            write!(f, "\n{detail}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Which argument or variable helps.
fn hint(error: &Error, verbose: u8, profile: &Profile) -> Option<String> {
    let wait = || error.retry_after().map(|wait| format!("the provider asks to wait {} s", wait.as_secs_f64().ceil()));
    Some(match error.kind() {
        ErrorKind::Malformed | ErrorKind::SchemaMismatch | ErrorKind::Rejected | ErrorKind::Runaway => {
            String::from(match verbose {
                0 => "-v shows every attempt, -vv also what was wrong with the answers",
                1 => "-vv also shows what was wrong with the answers, with their text",
                _ => return None,
            })
        }
        ErrorKind::Truncated => String::from("raise --max-tokens"),
        ErrorKind::Refused if verbose < 2 => String::from("-vv shows the model's words"),
        ErrorKind::Auth if profile.key_env().next().is_none() => {
            String::from("name the variable that holds the key with --api-key-env")
        }
        ErrorKind::BadRequest => String::from("--dry-run shows the request"),
        ErrorKind::SchemaRefused => String::from("-v shows what was tried; --mode auto tries every mode"),
        ErrorKind::RateLimited | ErrorKind::Overloaded => {
            wait().unwrap_or_else(|| String::from("try again later, or raise --max-retries"))
        }
        ErrorKind::Transport => match (cause(error), profile.base_url_env()) {
            (Some(TransportErrorKind::Timeout), _) => String::from("raise --timeout"),
            (Some(TransportErrorKind::Connect), Some(variable)) => {
                format!("check the address: --base-url or {variable}")
            }
            (Some(TransportErrorKind::Connect), None) => String::from("check the address: --base-url"),
            _ => return None,
        },
        ErrorKind::Budget => String::from("raise --deadline or --max-cost"),
        ErrorKind::Unsupported => String::from("try another --mode, such as tools"),
        _ => return None,
    })
}

fn cause(error: &Error) -> Option<TransportErrorKind> {
    error.source()?.downcast_ref::<TransportError>().map(TransportError::kind)
}
