//! The one error of the library: what kind, what to do, and everything that was seen on the way.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::run::{Attempt, Report};
use crate::validate::Issues;
use crate::wire::RateLimits;

/// What went wrong, for branching. Each kind has a policy of its own in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No answer arrived: connection, TLS, timeout, broken body.
    Transport,
    /// The provider asks to slow down (429).
    RateLimited,
    /// The provider is in trouble (408, 409, 425, 5xx, 529).
    Overloaded,
    /// The key or credential is wrong, has ended or is not allowed this (401, 403), or none could be had.
    Auth,
    /// Out of credit (402, `insufficient_quota`): waiting does not help.
    Quota,
    /// The provider does not take the request (400, 404, 413, 422), for another reason than the schema.
    BadRequest,
    /// The provider takes the request but for the schema, or the form in which it was asked for (structured output,
    /// tools, JSON mode). The same request fails again; another [`Mode`](crate::Mode) may not, and
    /// [`Mode::Auto`](crate::Mode::Auto) tries the next by itself: this kind means that none is left.
    SchemaRefused,
    /// The answer was cut: by a token limit, or because its stream broke off.
    Truncated,
    /// The answer ran away, and the [`Watchdog`](crate::Watchdog) ended it: white space or one text without end, too much,
    /// too long.
    Runaway,
    /// The model refused to answer.
    Refused,
    /// A content filter stopped the prompt or the answer.
    Filtered,
    /// No readable answer: not the protocol, not JSON, no tool call, or several that differ.
    Malformed,
    /// The answer is JSON that the schema or the type does not take.
    SchemaMismatch,
    /// A validator function said no.
    Rejected,
    /// It is not known whether the answer is right: an async validator function failed
    /// ([`CheckError::Failed`](crate::CheckError::Failed)), or took longer than its
    /// [`check_timeout`](crate::Request::check_timeout). Nothing is asked again: neither the model nor its provider is at
    /// fault. The error has the answer's body.
    Unchecked,
    /// Media at a URL could not be fetched: it is not there, too large, of another kind, or where
    /// [`FetchMedia`](crate::FetchMedia) does not allow it to be.
    Media,
    /// A file or stream of the caller's could not be read or written.
    Io,
    /// A limit of the caller's ended the run: attempts, tokens or deadline.
    Budget,
    /// The request was dropped while the attempt was being made. Told to [hooks](crate::hooks) alone: nobody is left to
    /// get an error.
    Cancelled,
    /// This provider, model or build can't do what was asked.
    Unsupported,
    /// The client is not set up right: provider, model, key, base URL.
    Config,
}

impl ErrorKind {
    /// The kind as one word, stable, as in logs and on the command line: `rate_limited`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::BadRequest => "bad_request",
            Self::SchemaRefused => "schema_refused",
            Self::Truncated => "truncated",
            Self::Runaway => "runaway",
            Self::Refused => "refused",
            Self::Filtered => "filtered",
            Self::Malformed => "malformed",
            Self::SchemaMismatch => "schema_mismatch",
            Self::Rejected => "rejected",
            Self::Unchecked => "unchecked",
            Self::Media => "media",
            Self::Io => "io",
            Self::Budget => "budget",
            Self::Cancelled => "cancelled",
            Self::Unsupported => "unsupported",
            Self::Config => "config",
        }
    }

    const fn headline(self) -> &'static str {
        match self {
            Self::Transport => "no answer arrived",
            Self::RateLimited => "the provider is rate limiting",
            Self::Overloaded => "the provider failed",
            Self::Auth => "access was denied",
            Self::Quota => "the account is out of credit",
            Self::BadRequest => "the provider refused the request",
            Self::SchemaRefused => "the provider does not take the schema, or not in this form",
            Self::Truncated => "the answer was cut off",
            Self::Runaway => "the answer came to no end",
            Self::Refused => "the model refused to answer",
            Self::Filtered => "a content filter stopped the answer",
            Self::Malformed => "the answer could not be read",
            Self::SchemaMismatch => "the answer does not fit the response model",
            Self::Rejected => "a validator rejected the answer",
            Self::Unchecked => "the answer could not be checked",
            Self::Media => "media of the request is missing",
            Self::Io => "a file could not be read or written",
            Self::Budget => "the budget ended",
            Self::Cancelled => "the request was dropped on its way",
            Self::Unsupported => "not supported",
            Self::Config => "wrong configuration",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error that can occur in this crate.
///
/// [`kind`](Self::kind) is for branching. `Display` is one line that says what failed and what to do; `{:#}` adds a
/// line for each attempt. Neither shows text of the prompt or the answer, or a secret; [`issues`](Self::issues) and
/// [`raw`](Self::raw) do show the answer to those who ask.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    issues: Issues,
    report: Report,
    raw: Option<Bytes>,
    partial: Option<String>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    item: Option<usize>,
}

const _: () = assert!(size_of::<Error>() == size_of::<usize>());

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            issues: Issues::new(),
            report: Report::default(),
            raw: None,
            partial: None,
            item: None,
            status: None,
            retry_after: None,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    pub(crate) fn with_issues(mut self, issues: Issues) -> Self {
        self.0.issues = issues;
        self
    }

    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.0.report = report;
        self
    }

    /// The same for another request that waited for this one; its source stays with the first.
    pub(crate) fn shared(&self) -> Self {
        let Inner { kind, message, issues, report, raw, partial, status, retry_after, item, .. } = &*self.0;
        Self(Box::new(Inner {
            kind: *kind,
            message: message.clone(),
            issues: issues.clone(),
            report: Report { shared: true, ..report.clone() },
            raw: raw.clone(),
            partial: partial.clone(),
            status: *status,
            retry_after: *retry_after,
            source: None,
            item: *item,
        }))
    }

    pub(crate) fn take_report(&mut self) -> Report {
        std::mem::take(&mut self.0.report)
    }

    pub(crate) fn with_raw(mut self, raw: Option<Bytes>) -> Self {
        self.0.raw = raw;
        self
    }

    pub(crate) fn with_partial(mut self, json: Option<String>) -> Self {
        self.0.partial = json;
        self
    }

    /// It is about one item of a list, whose JSON is given.
    pub(crate) fn of_item(mut self, index: usize, json: &str) -> Self {
        self.0.item = Some(index);
        self.with_raw(Some(Bytes::copy_from_slice(json.as_bytes())))
    }

    pub(crate) fn with_status(mut self, status: Option<u16>) -> Self {
        self.0.status = status;
        self
    }

    pub(crate) fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.0.retry_after = after;
        self
    }

    pub(crate) fn with_source(mut self, source: Option<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = source;
        self
    }

    pub(crate) fn take_source(&mut self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.0.source.take()
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// What went wrong, for branching. After retries, the kind of the last failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later: the failure lies with the network or the provider's load.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Transport | ErrorKind::RateLimited | ErrorKind::Overloaded)
    }

    /// How long the provider asked to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the provider last said of its rate limits; all unknown if it said nothing.
    #[must_use]
    pub fn rate_limits(&self) -> RateLimits {
        self.0.report.rate_limits()
    }

    /// The HTTP status of the last answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// What was wrong with the last answer. Shows text of the answer.
    #[must_use]
    pub fn issues(&self) -> &Issues {
        &self.0.issues
    }

    /// Every attempt that was made, with usage and timing.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.0.report
    }

    /// The last response body, as it came.
    #[must_use]
    pub fn raw(&self) -> Option<&[u8]> {
        self.0.raw.as_deref()
    }

    /// What could be read of an answer that a token limit cut, as JSON in the type's own form: what was open is closed where
    /// the answer ends, and nothing of it was validated. With what [`Truncated::Continue`](crate::Truncated) added. `None`
    /// for other errors, and where nothing could be read.
    ///
    /// ```
    /// # use instructor::testing::{Reply, Script};
    /// # use serde_json::json;
    /// # let cut = json!({ "choices": [{ "message": { "role": "assistant", "content": r#"{"items":[1,2,3,4"# },
    /// #     "finish_reason": "length" }] });
    /// # let script = Script::new().reply(Reply::json(cut));
    /// # let client = script.client("groq/m");
    /// use instructor::{Contract, ErrorKind};
    ///
    /// # let schema = json!({ "type": "object", "properties": { "items": { "type": "array", "items": { "type": "integer" } } } });
    /// # let contract = Contract::from_schema(schema)?;
    /// # script.block_on(async {
    /// let error = client.request("Count to ten").create_value(&contract).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Truncated);
    /// // Of a number at the end it is not known whether it is whole.
    /// assert_eq!(error.partial_json(), Some(r#"{"items":[1,2,3]}"#));
    /// # });
    /// # Ok::<(), instructor::Error>(())
    /// ```
    #[must_use]
    pub fn partial_json(&self) -> Option<&str> {
        self.0.partial.as_deref()
    }

    /// Which item of a streamed list it is about, counted from 0; `None` if it is about the answer as a whole. See
    /// [`ItemStream`](crate::ItemStream).
    #[must_use]
    pub fn item(&self) -> Option<usize> {
        self.0.item
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind.headline())?;
        if !self.0.message.is_empty() {
            write!(f, ": {}", self.0.message)?;
        }
        let attempts = self.0.report.attempts();
        if attempts.len() > 1 {
            write!(f, " (after {} attempts)", attempts.len())?;
        }
        if f.alternate() {
            for fetched in self.0.report.fetched() {
                write!(f, "\n  {fetched}")?;
            }
            for attempt in attempts {
                write!(f, "\n  {attempt}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("status", &self.0.status)
            .field("attempts", &self.0.report.attempts().iter().map(Attempt::to_string).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

/// Why no answer arrived. Transports make these; the engine turns them into [`ErrorKind::Transport`].
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kept an answer from arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: name resolution, refused, TLS.
    Connect,
    /// The time of the attempt ran out.
    Timeout,
    /// The connection was closed before an answer began, as servers do with those that were kept open.
    Closed,
    /// The connection broke before the answer was complete.
    Interrupted,
    /// The body is larger than the client takes.
    TooLarge,
    /// The request can't be sent like this.
    Request,
    /// The host has an address that must not be asked: see [`FetchMedia::permits`](crate::FetchMedia::permits).
    Forbidden,
    /// A test allows no network: see [`testing::ban_network`](crate::testing::ban_network).
    Banned,
    /// A cassette has no such request: see [`testing::Replay`](crate::testing::Replay).
    Unrecorded,
}

impl TransportError {
    /// A failure without a cause to show.
    #[must_use]
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// With the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kept the answer from arriving.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether nothing was sent, since it may not be.
    pub(crate) const fn is_unsent(&self) -> bool {
        use TransportErrorKind::{Banned, Forbidden, Request, Unrecorded};
        matches!(self.kind, Request | Forbidden | Banned | Unrecorded)
    }

    /// The innermost cause as text: the outer ones only say that something was sent.
    pub(crate) fn cause(&self) -> Option<String> {
        let mut cause: &(dyn StdError + 'static) = self.source.as_deref()?;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Some(cause.to_string())
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Connect => "the connection failed",
            TransportErrorKind::Timeout => "the attempt timed out",
            TransportErrorKind::Closed => "the connection was closed before an answer began",
            TransportErrorKind::Interrupted => "the connection broke before the answer was complete",
            TransportErrorKind::TooLarge => "the response body is larger than the limit",
            TransportErrorKind::Request => "the request can't be sent",
            TransportErrorKind::Forbidden => "the address must not be asked",
            TransportErrorKind::Banned => "the network is banned here",
            TransportErrorKind::Unrecorded => "no recorded answer fits the request",
        })
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}
