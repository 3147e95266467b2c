//! Requests of a batch that gave no value: why, and what is needed to ask them again.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::run::Answer;

/// Why a request of a batch gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BatchFailure {
    /// It was answered, and the answer is not valid.
    Invalid,
    /// The provider refused it, or failed.
    Failed,
    /// It was not begun before the batch's time was over.
    Expired,
    /// It was not begun before the batch was cancelled.
    Cancelled,
    /// The provider tells nothing of it.
    Missing,
    /// There is a result of it, and no such request in the input.
    Unknown,
    /// There is a second result of it.
    Repeated,
}

impl BatchFailure {
    /// As one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Repeated => "repeated",
        }
    }
}

impl fmt::Display for BatchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request that gave no value, with what is needed to ask it again, live or in the next batch: a value that serde writes
/// and reads, a line each in a file, say. It has the answer's text in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failed {
    /// The id of the request.
    pub id: String,
    /// Why there is no value.
    pub why: BatchFailure,
    /// What it failed of, if the provider answered; an [`ErrorKind`] as a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The same in one line, without text of the answer.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Said>,
}

/// An answer as it came.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    status: u16,
    body: String,
}

impl Failed {
    pub(super) fn new(id: String, why: BatchFailure, message: impl Into<String>) -> Self {
        Self { id, why, kind: None, message: message.into(), answer: None }
    }

    /// Whether the provider answered it, so that a re-ask can object to the answer. If not, it is asked again as it was.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.answer.is_some()
    }

    pub(super) fn answer(&self) -> Option<Answer> {
        let Said { status, body } = self.answer.as_ref()?;
        Some(Answer { status: *status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) })
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, why, kind, message, answer } = self;
        f.debug_struct("Failed")
            .field("id", id)
            .field("why", why)
            .field("kind", kind)
            .field("message", message)
            .field("answered", &answer.is_some())
            .finish()
    }
}

/// Why a request of a batch gave no value, with all that is known of it.
#[derive(Debug)]
pub struct BatchError {
    failed: Failed,
    error: Option<Error>,
}

impl BatchError {
    pub(super) const fn unanswered(failed: Failed) -> Self {
        Self { failed, error: None }
    }

    pub(super) fn of(id: String, error: Error, status: u16, body: &[u8]) -> Self {
        let why = match error.kind() {
            ErrorKind::Malformed
            | ErrorKind::SchemaMismatch
            | ErrorKind::Rejected
            | ErrorKind::Truncated
            | ErrorKind::Refused
            | ErrorKind::Runaway
            | ErrorKind::Unchecked => BatchFailure::Invalid,
            _ => BatchFailure::Failed,
        };
        let answer = Some(Said { status, body: String::from_utf8_lossy(body).into_owned() });
        let kind = Some(String::from(error.kind().as_str()));
        let failed = Failed { kind, answer, ..Failed::new(id, why, error.message()) };
        Self { failed, error: Some(error) }
    }

    /// The id of the request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.failed.id
    }

    /// Why there is no value.
    #[must_use]
    pub const fn why(&self) -> BatchFailure {
        self.failed.why
    }

    /// What the provider or the answer failed of, with issues, usage and cost; none where there was no answer.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// What is needed to ask it again.
    #[must_use]
    pub fn into_failed(self) -> Failed {
        self.failed
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed { id, why, message, .. } = &self.failed;
        match &self.error {
            Some(error) => write!(f, "{id}: {why}: {error}"),
            None if message.is_empty() => write!(f, "{id}: {why}"),
            None => write!(f, "{id}: {why}: {message}"),
        }
    }
}

impl std::error::Error for BatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.as_ref().and_then(std::error::Error::source)
    }
}
