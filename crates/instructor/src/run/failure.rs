//! A failed attempt, before it is decided what to do about it.

use std::error::Error as StdError;
use std::time::Duration;

use super::spare::Spared;
use crate::error::{ErrorKind, TransportError, TransportErrorKind};
use crate::repair::Repair;
use crate::schema::Cut;
use crate::validate::Issues;
use crate::wire::{Declined, Response, Usage};

/// A failed attempt, before it is decided what to do about it.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) detail: String,
    pub(super) issues: Issues,
    /// The issues in the terms of what the model wrote, where these are not the type's.
    pub(super) told: Option<Issues>,
    pub(super) repairs: Vec<Repair>,
    /// The answer that was rejected, for the re-ask.
    pub(super) rejected: Option<Response>,
    /// The answer in the type's own form, all of it, as the issues are about it.
    pub(super) answer: Option<String>,
    /// What is there of an answer that a token limit cut.
    pub(super) cut: Option<Box<Cut>>,
    /// The same, if nothing but items is wrong that may be given up.
    pub(super) spared: Option<Box<Spared>>,
    /// What the provider does not take, if that is the schema or its form.
    pub(super) declined: Option<Declined>,
    pub(super) usage: Usage,
    pub(super) retry_after: Option<Duration>,
    pub(super) source: Option<TransportError>,
    /// What kept it from being checked.
    pub(super) cause: Option<Box<dyn StdError + Send + Sync>>,
    /// After about how many output tokens the answer was read no further.
    pub(super) stopped: Option<u64>,
    /// The connection broke, not the model: the same request may well be answered in full.
    pub(super) broken: bool,
    /// It is about a part of the answer only, and the rest stays.
    pub(super) partly: bool,
}

impl Failure {
    pub(super) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            issues: Issues::new(),
            told: None,
            repairs: Vec::new(),
            rejected: None,
            answer: None,
            cut: None,
            spared: None,
            declined: None,
            usage: Usage::default(),
            retry_after: None,
            source: None,
            cause: None,
            stopped: None,
            broken: false,
            partly: false,
        }
    }

    /// Whether the model's answer is at fault, and not the service.
    pub(super) const fn is_of_answer(&self) -> bool {
        let of_answer = matches!(
            self.kind,
            ErrorKind::Malformed
                | ErrorKind::SchemaMismatch
                | ErrorKind::Rejected
                | ErrorKind::Runaway
                | ErrorKind::Truncated
                | ErrorKind::Refused
                | ErrorKind::Filtered
        );
        of_answer && !self.broken
    }

    pub(super) fn lost_connection(&self) -> bool {
        self.source.as_ref().is_some_and(|error| error.kind() == TransportErrorKind::Closed)
    }
}

/// The kind of failure that a transport's error is, and what to say of it.
pub(crate) fn unanswered(error: &TransportError) -> (ErrorKind, String) {
    let kind = match error.kind() {
        TransportErrorKind::TooLarge => ErrorKind::Malformed,
        _ if error.is_unsent() => ErrorKind::Config,
        _ => ErrorKind::Transport,
    };
    let detail = match error.cause() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    (kind, detail)
}
