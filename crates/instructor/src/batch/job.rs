//! A batch that is under way, as a value that can be kept in a file.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What is known of a batch: a small value that serde writes and reads, so that each step can be taken in another process,
/// on another day.
///
/// [`Extraction::job`](super::Extraction::job) makes it of an input, [`Batches::submit`](super::Batches::submit) and
/// [`Batches::poll`](super::Batches::poll) keep it up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchJob {
    /// The provider's id.
    pub provider: String,
    /// The model that is asked.
    pub model: String,
    /// What is asked for: the response model's name.
    pub response_model: String,
    /// Its schema, as a number that another schema does not have.
    pub schema: String,
    /// How it is asked for.
    pub mode: String,
    /// The path of the requests, as it is named in the input.
    pub(crate) path: String,
    /// How many requests there are.
    pub requests: u64,
    /// How many bytes they are.
    pub bytes: u64,
    /// The input in pieces that the provider takes; one, if it takes all at once.
    pub parts: Vec<BatchPart>,
}

/// A piece of the input, which is one batch of the provider's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchPart {
    /// Which lines of the input it is, counted from 0.
    pub lines: Range<u64>,
    /// Which bytes of the input it is.
    pub bytes: Range<u64>,
    /// What the provider says of it, once it is submitted.
    pub state: Option<BatchState>,
}

/// What a provider says of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchState {
    /// The provider's id of it.
    pub id: String,
    /// How far it is.
    pub status: BatchStatus,
    /// The same in the provider's word.
    pub raw_status: String,
    /// How many requests are where.
    pub counts: BatchCounts,
    /// The files with results, in the provider's ids, as far as there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// What is wrong with the batch as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<BatchFault>,
}

/// Something that is wrong with a batch as a whole, such as a line that is no request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchFault {
    /// The provider's word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong.
    pub message: String,
    /// The line of the input, counted as the provider does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BatchStatus {
    /// Not yet begun: being checked, or in a queue.
    Pending,
    /// Under way.
    Running,
    /// It is being cancelled.
    Cancelling,
    /// Over; each request has a result, be it an error.
    Completed,
    /// Over, and the batch as a whole was refused or failed.
    Failed,
    /// Over, since its time was; requests that were answered before have results.
    Expired,
    /// Cancelled; requests that were answered before have results.
    Cancelled,
    /// A word that is not known here; see [`BatchState::raw_status`].
    Unknown,
}

impl BatchStatus {
    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Expired | Self::Cancelled)
    }

    /// As one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// How near to its end, for the state of several.
    const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Unknown => 1,
            Self::Running => 2,
            Self::Cancelling => 3,
            Self::Failed => 4,
            Self::Expired => 5,
            Self::Cancelled => 6,
            Self::Completed => 7,
        }
    }
}

impl fmt::Display for BatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many requests are where. `None` is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchCounts {
    /// All.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<u64>,
    /// Refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Not begun before the batch was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<u64>,
    /// Not begun before its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<u64>,
}

impl BatchCounts {
    fn and(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| a.map_or(b, |a| Some(a + b.unwrap_or_default()));
        Self {
            total: sum(self.total, other.total),
            succeeded: sum(self.succeeded, other.succeeded),
            failed: sum(self.failed, other.failed),
            cancelled: sum(self.cancelled, other.cancelled),
            expired: sum(self.expired, other.expired),
        }
    }

    /// How many requests have an end of any kind.
    #[must_use]
    pub fn done(&self) -> u64 {
        [self.succeeded, self.failed, self.cancelled, self.expired].into_iter().flatten().sum()
    }
}

/// `12 of 100 done, 1 failed`.
impl fmt::Display for BatchCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} done", self.done(), self.total.map_or_else(|| String::from("?"), |n| n.to_string()))?;
        for (n, what) in [(self.failed, "failed"), (self.expired, "expired"), (self.cancelled, "cancelled")] {
            if let Some(n) = n.filter(|&n| n > 0) {
                write!(f, ", {n} {what}")?;
            }
        }
        Ok(())
    }
}

impl BatchJob {
    /// How far all of it is: over when all parts are, and else as the part that is least far.
    #[must_use]
    pub fn status(&self) -> BatchStatus {
        let parts = self.parts.iter().map(|part| part.state.as_ref().map_or(BatchStatus::Pending, |s| s.status));
        parts.min_by_key(|status| status.rank()).unwrap_or(BatchStatus::Completed)
    }

    /// How many requests of all parts are where.
    #[must_use]
    pub fn counts(&self) -> BatchCounts {
        let states = self.parts.iter().filter_map(|part| part.state.as_ref());
        let counts = states.fold(BatchCounts::default(), |sum, state| sum.and(state.counts));
        BatchCounts { total: Some(self.requests), ..counts }
    }

    /// Whether every part is submitted.
    #[must_use]
    pub fn is_submitted(&self) -> bool {
        self.parts.iter().all(|part| part.state.is_some())
    }

    /// All of it has to be over before results are looked at.
    pub(super) fn over(&self) -> Result<(), Error> {
        let status = self.status();
        if !self.is_submitted() {
            let done = self.parts.iter().filter(|part| part.state.is_some()).count();
            let why = format!("{done} of its {} parts are submitted: submit it first", self.parts.len());
            return Err(Error::config(format!("the batch has no results yet: {why}")));
        }
        if !status.is_over() {
            let why = format!("it is {status}, {}; poll it until it is over", self.counts());
            return Err(Error::config(format!("the batch has no results yet: {why}")));
        }
        Ok(())
    }
}
