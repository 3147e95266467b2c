//! Looking on at requests while they run: typed events, told to whoever hooks in.
//!
//! A type that implements [`Hooks`], or a closure for one event, is given to a client (`Client::builder().hooks(..)`), to a
//! request, or to both; all of them are called, in that order. They are called for every kind of request alike: async or
//! blocking, whole or streamed.
//!
//! ```
//! # use instructor::testing::{Reply, Script};
//! # use serde_json::json;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use instructor::hooks::{self, Done, Failure, Hooks};
//!
//! #[instructor::model]
//! struct User {
//!     #[schemars(range(max = 150))]
//!     age: u16,
//! }
//!
//! /// Counts what requests cost.
//! #[derive(Default)]
//! struct Meter {
//!     failures: AtomicU64,
//!     tokens: AtomicU64,
//! }
//!
//! impl Hooks for Meter {
//!     fn on_parse_error(&self, event: &Failure<'_>) {
//!         self.failures.fetch_add(1, Ordering::Relaxed);
//!         println!("request {}, {}; then: {:?}", event.about.id, event.attempt, event.next);
//!     }
//!
//!     fn on_done(&self, event: &Done<'_>) {
//!         self.tokens.fetch_add(event.report().usage().total().unwrap_or_default(), Ordering::Relaxed);
//!     }
//! }
//!
//! # let script = Script::new().reply(Reply::value(json!({ "age": 250 }))).reply(Reply::value(json!({ "age": 25 })));
//! let meter = Arc::new(Meter::default());
//! let builder = script.builder("openai/gpt-5-mini"); // Client::builder().provider("openai/gpt-5-mini")
//! let client = builder.hooks(Arc::clone(&meter)).build()?;
//!
//! let request = client.request("Jason is 25 years old").hooks(hooks::on_request(|event| println!("{event}")));
//! let user: User = script.block_on(request.create())?;
//! assert_eq!(user.age, 25);
//! assert_eq!(meter.failures.load(Ordering::Relaxed), 1);
//! assert!(meter.tokens.load(Ordering::Relaxed) > 0);
//! # Ok::<(), instructor::Error>(())
//! ```
//!
//! # What a hook may do
//!
//! Hooks look on; they change nothing. They are called on the task or thread of the request, between its steps and with
//! no lock held, so one that takes long makes the request take long. One that panics ends the request as a panic of a
//! validator does: it unwinds to whoever drives the request, and the client stays as usable as before. `on_done` is told of
//! that too, as of a request that was cancelled.
//!
//! A request that can't be made (no model, a contract that can't be used) fails before there is anything to tell.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use crate::cache::CacheEvent;
use crate::error::{Error, ErrorKind};
use crate::media;
use crate::message::Message;
use crate::mode::Mode;
use crate::run::{Attempt, Completion, Hop, Report};
use crate::wire::{self, RateLimits, Usage};

/// The events: what each is told by, and what it is told with. A new one is a line here.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident: $event:ident,)*) => {
        /// Looks on at requests while they run. Every method does nothing unless it is written; see
        /// [the module](self) for examples and for what a hook may do.
        pub trait Hooks: Send + Sync {
            $(
                $(#[$doc])*
                fn $name(&self, event: &$event<'_>) {
                    let _ = event;
                }
            )*
        }

        impl<H: Hooks + ?Sized> Hooks for Arc<H> {
            $(
                fn $name(&self, event: &$event<'_>) {
                    (**self).$name(event);
                }
            )*
        }

        /// All of them, in order.
        impl Hooks for Hooked {
            $(
                fn $name(&self, event: &$event<'_>) {
                    self.0.iter().for_each(|hooks| hooks.$name(event));
                }
            )*
        }

        $(
            $(#[$doc])*
            ///
            /// A hook of a closure, for this event alone.
            pub fn $name(told: impl Fn(&$event<'_>) + Send + Sync + 'static) -> impl Hooks + 'static {
                struct On<F>(F);
                impl<F: Fn(&$event<'_>) + Send + Sync> Hooks for On<F> {
                    fn $name(&self, event: &$event<'_>) {
                        (self.0)(event);
                    }
                }
                On(told)
            }
        )*
    };
}

events! {
    /// The request's [cache](crate::cache) did something for it, or nothing for a reason.
    on_cache: Cache,
    /// A medium of the request was fetched; see [`FetchMedia`](crate::FetchMedia).
    on_fetch: Fetch,
    /// A request is about to be sent: the first, or a further one. Python's `completion:kwargs`.
    on_request: Request,
    /// An answer arrived, whatever it is worth. Python's `completion:response` and `completion:usage`.
    on_response: Response,
    /// The service failed, or no answer arrived: an error that is not the model's. Python's `completion:error`.
    on_error: Failure,
    /// The model's answer is none that can be taken: not readable, against the schema, rejected by a validator, cut,
    /// refused. Python's `parse:error`.
    on_parse_error: Failure,
    /// An answer was repaired so that it could be read. Told before what came of it.
    on_repair: Repaired,
    /// The model is going to be told what was wrong, and asked again.
    on_reask: Reask,
    /// The provider does not take what was asked for in this mode, and the next one is going to be tried.
    on_step_down: StepDown,
    /// The request has left a target, and goes to the next of its [`Target`](crate::Target)s.
    on_hop: Hopped,
    /// No further attempt comes, and this is the error. Python's `completion:last_attempt`.
    on_last_attempt: LastAttempt,
    /// The request came to its end: with a value, with an error, or because it was dropped on its way. Told once for each
    /// request, whatever else is.
    on_done: Done,
}

/// Whoever hooks into a request.
#[derive(Clone, Default)]
pub(crate) struct Hooked(Vec<Arc<dyn Hooks>>);

impl Hooked {
    pub(crate) fn push(&mut self, hooks: impl Hooks + 'static) {
        self.0.push(Arc::new(hooks));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooked({})", self.0.len())
    }
}

/// Which request an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About<'a> {
    /// A number of the request, the same for all of its attempts, and no other's in this process.
    pub id: u64,
    /// The provider's id: `groq`.
    pub provider: &'a str,
    /// The model that is asked now.
    pub model: &'a str,
    /// The name of the response model.
    pub contract: &'a str,
}

/// What a cache did.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cache<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// What was done, as in the report.
    pub event: &'a CacheEvent,
}

/// A medium that was fetched.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fetch<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// What was fetched.
    pub fetched: &'a media::Fetched,
}

/// A request that is about to be sent. `Display` shows it whole, with what is secret masked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// Which call of the request it is, counted from 1.
    pub attempt: u32,
    /// How the value is asked for.
    pub mode: Mode,
    /// Whether the provider is asked to enforce the schema.
    pub strict: bool,
    /// How long was waited before it.
    pub waited: Duration,
    /// Whether the answer is to come as a stream.
    pub streamed: bool,
    /// What is said, before the provider's form of it. Shows the prompt.
    pub messages: &'a [Message],
    /// The turns of a re-ask that follow the messages. Shows text of the answer before.
    pub turns: &'a [Message],
    pub(crate) http: &'a http::Request<Bytes>,
}

impl Request<'_> {
    /// Where it goes.
    #[must_use]
    pub fn url(&self) -> String {
        self.http.uri().to_string()
    }

    /// Its headers, as text. What is secret is `***`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.http.headers().iter().map(|(name, value)| (name.as_str(), masked(value)))
    }

    /// Its body. Shows the prompt.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.http.body()
    }

    /// Its body as JSON. Shows the prompt.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.http.body()).unwrap_or_default()
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.http)
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("about", &self.about)
            .field("attempt", &self.attempt)
            .field("mode", &self.mode)
            .field("url", self.http.uri())
            .field("bytes", &self.http.body().len())
            .finish_non_exhaustive()
    }
}

/// The whole of a request as text, with what is secret masked.
pub(crate) fn show(f: &mut fmt::Formatter<'_>, request: &http::Request<Bytes>) -> fmt::Result {
    writeln!(f, "{} {}", request.method(), request.uri())?;
    for (name, value) in request.headers() {
        writeln!(f, "{name}: {}", masked(value))?;
    }
    write!(f, "\n{}", String::from_utf8_lossy(request.body()))
}

fn masked(value: &HeaderValue) -> &str {
    if value.is_sensitive() { "***" } else { value.to_str().unwrap_or("(bytes)") }
}

/// An answer that arrived: all of it, or as much as was read.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Response<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// Which call of the request it answers, counted from 1.
    pub attempt: u32,
    /// The HTTP status.
    pub status: u16,
    /// How long the call took.
    pub elapsed: Duration,
    /// What was counted.
    pub usage: Usage,
    /// What the provider says of its rate limits.
    pub rate_limits: RateLimits,
    /// The provider's id of the request, for its support.
    pub request_id: Option<&'a str>,
    /// The answer in neutral words, if it is one. Shows text of the answer.
    pub response: Option<&'a wire::Response>,
    /// The body; the end of it, if it was streamed. Shows text of the answer.
    pub body: &'a [u8],
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("about", &self.about)
            .field("attempt", &self.attempt)
            .field("status", &self.status)
            .field("elapsed", &self.elapsed)
            .field("usage", &self.usage)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An attempt that failed, and what is done about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// The attempt, as in the report: what it failed of, and in its `issues` all that was wrong with the answer.
    pub attempt: &'a Attempt,
    /// How long the provider asked to wait, if it did.
    pub retry_after: Option<Duration>,
    /// What is done about it.
    pub next: Next,
}

impl Failure<'_> {
    /// What the attempt failed of.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.attempt.failure.unwrap_or(ErrorKind::Malformed)
    }
}

/// What is done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// The model is told what was wrong and asked again, at once.
    Reask,
    /// The same request is sent again after this wait.
    Resend {
        /// How long it waits; zero if it does not.
        wait: Duration,
    },
    /// The rest of an answer that was cut is asked for, at once.
    Continue,
    /// It is asked for in another way, at once.
    StepDown,
    /// Nothing: this was the last attempt.
    Stop,
}

/// An answer that was repaired so that it could be read.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Repaired<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// The attempt, as in the report, with its `repairs`.
    pub attempt: &'a Attempt,
}

/// What the model is going to be told.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Reask<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// The attempt that is going to be made.
    pub attempt: u32,
    /// The turns that follow the messages of the request: the last answer, and what was wrong with it. Shows text of the
    /// answer.
    pub turns: &'a [Message],
}

impl fmt::Debug for Reask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reask")
            .field("about", &self.about)
            .field("attempt", &self.attempt)
            .field("turns", &self.turns.len())
            .finish_non_exhaustive()
    }
}

/// From one way to ask to the next.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StepDown<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// The attempt that was refused, as in the report: its mode, and in its `detail` what the provider says. With
    /// [`Repeat::Escalate`](crate::Repeat::Escalate), the one that repeated a mistake.
    pub attempt: &'a Attempt,
    /// The mode of the next attempt.
    pub mode: Mode,
    /// Whether the provider is going to be asked to enforce the schema.
    pub strict: bool,
}

/// From one target to the next.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hopped<'a> {
    /// Whose request it is; provider and model are those that it goes to.
    pub about: About<'a>,
    /// What was left and why, as in the report.
    pub hop: &'a Hop,
}

/// The end of all attempts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LastAttempt<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// The error that the caller gets, with the report.
    pub error: &'a Error,
}

/// The end of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Done<'a> {
    /// Whose request it is.
    pub about: About<'a>,
    /// How it ended.
    pub end: End<'a>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum End<'a> {
    /// With a value.
    Ok(&'a Completion),
    /// With an error.
    Err(&'a Error),
    /// It was dropped on its way, or panicked. An attempt that was being made is the last of the report, and its kind is
    /// [`Cancelled`](ErrorKind::Cancelled).
    Cancelled(&'a Report),
}

impl<'a> Done<'a> {
    /// Every attempt that was made, however it ended.
    #[must_use]
    pub fn report(&self) -> &'a Report {
        match self.end {
            End::Ok(completion) => &completion.report,
            End::Err(error) => error.report(),
            End::Cancelled(report) => report,
        }
    }
}
