//! Where a request goes when it fails: an ordered chain of targets.

mod breaker;

use std::fmt;
use std::time::Duration;

pub use self::breaker::Breaker;
pub(crate) use self::breaker::Health;
use crate::client::{Client, Core};
use crate::error::ErrorKind;
use crate::mode::Mode;
use crate::run::{Kinds, Onward};
use crate::transport::Transport;

/// A client of either kind, as a request sees it.
pub(crate) trait Asks: Clone + Send + Sync + 'static {
    /// Its transport, as one that is driven.
    type Over<'c>: Transport;

    /// What it is made of.
    fn core(&self) -> &Core;

    /// Its transport.
    fn over(&self) -> Self::Over<'_>;

    /// Where its requests go when they fail.
    fn fallbacks(&self) -> &[Target<Self>];
}

/// Another client that a request goes to when the one before it fails, and of what.
///
/// The contract is lowered and the mode settled anew for each target, so that providers may differ in all they take; what
/// was spent so far, the deadline among it, counts on. Each target has its client's own settings: model, mode, retry policy
/// and the rest; messages, budget, context and hooks are the request's.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{ErrorKind, Target};
///
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
///
/// # let first = Script::new().when(|_| true, Reply::status(503));
/// # let second = Script::new().reply(Reply::value(json!({ "name": "Ada" })));
/// # let (client, backup) = (first.client("openai/gpt-5-mini"), second.client("anthropic/claude-sonnet-4-5"));
/// # first.block_on(async {
/// let client = client.with_fallback(Target::new(backup).at_once(&[ErrorKind::RateLimited, ErrorKind::Overloaded]));
/// let (user, completion) = client.create_with_completion::<User>("Ada is 36").await?;
/// assert_eq!(user.name, "Ada");
/// assert_eq!(completion.report.hops()[0].kind, ErrorKind::Overloaded);
/// assert_eq!(completion.report.attempts().last().unwrap().provider, "anthropic");
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Target<C = Client> {
    pub(crate) client: C,
    pub(crate) model: Option<String>,
    pub(crate) mode: Option<Mode>,
    pub(crate) on: Kinds,
    pub(crate) at_once: Kinds,
    pub(crate) hedge: Option<Duration>,
}

impl<C> Target<C> {
    /// A target that is asked after every failure that another may do better with: of the service, once its retries are
    /// used up, and of answers, once re-asks are. Not after what would be no better there, or should not go unseen: a wrong
    /// key, a bad request, a refusal, a filter, a cut answer, a spent budget.
    pub const fn new(client: C) -> Self {
        const ON: Kinds = Kinds::of(&[
            ErrorKind::Transport,
            ErrorKind::RateLimited,
            ErrorKind::Overloaded,
            ErrorKind::Quota,
            ErrorKind::SchemaRefused,
            ErrorKind::Unsupported,
            ErrorKind::Runaway,
            ErrorKind::Malformed,
            ErrorKind::SchemaMismatch,
            ErrorKind::Rejected,
        ]);
        Self { client, model: None, mode: None, on: ON, at_once: Kinds::NONE, hedge: None }
    }

    /// With another model than its client's.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// With another mode than its client's.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// After these kinds of failure only. [`ErrorKind::Budget`] ends the request whatever is listed.
    #[must_use]
    pub const fn on(mut self, kinds: &[ErrorKind]) -> Self {
        self.on = Kinds::of(kinds);
        self
    }

    /// After these kinds at once: the target before it is not tried again first.
    #[must_use]
    pub const fn at_once(mut self, kinds: &[ErrorKind]) -> Self {
        self.at_once = Kinds::of(kinds);
        self
    }

    pub(crate) const fn onward(&self) -> Onward {
        Onward { on: self.on, at_once: self.at_once }
    }
}

impl Target {
    /// As a hedge: when the target before it has not answered after this long, this one is asked too, and the first value
    /// counts. The other request is dropped then; its attempts are in the report. For answers that are not streamed, and
    /// async clients.
    #[must_use]
    pub const fn hedge_after(mut self, delay: Duration) -> Self {
        self.hedge = Some(delay);
        self
    }
}

impl<C> From<C> for Target<C> {
    fn from(client: C) -> Self {
        Self::new(client)
    }
}

impl<C: fmt::Debug> fmt::Debug for Target<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, model, mode, hedge, .. } = self;
        f.debug_struct("Target")
            .field("client", client)
            .field("model", model)
            .field("mode", mode)
            .field("hedge", hedge)
            .finish_non_exhaustive()
    }
}
