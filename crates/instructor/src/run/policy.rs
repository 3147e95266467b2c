//! What is done about each kind of failure, and how often and how fast. A new policy is a line here.

use std::time::Duration;

use super::repeat::Repeat;
use crate::cost::Money;
use crate::error::ErrorKind;

/// What a failure calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Tell the model what was wrong and ask again, at once.
    Reask,
    /// Wait, then send the same request again.
    Resend,
    /// Ask at once in another way, if there is one.
    StepDown,
    /// Nothing helps: the caller has to act.
    Stop,
}

/// The policy of each kind.
pub(crate) const fn remedy(kind: ErrorKind) -> Remedy {
    match kind {
        ErrorKind::Malformed | ErrorKind::SchemaMismatch | ErrorKind::Rejected | ErrorKind::Runaway => Remedy::Reask,
        ErrorKind::Transport | ErrorKind::RateLimited | ErrorKind::Overloaded => Remedy::Resend,
        ErrorKind::SchemaRefused => Remedy::StepDown,
        // A cut answer comes out cut again; a refusal or a filter is no bad JSON; a wrong key stays wrong; another
        // answer could not be checked either.
        ErrorKind::Truncated
        | ErrorKind::Refused
        | ErrorKind::Filtered
        | ErrorKind::Auth
        | ErrorKind::Quota
        | ErrorKind::BadRequest
        | ErrorKind::Unchecked
        | ErrorKind::Media
        | ErrorKind::Io
        | ErrorKind::Budget
        | ErrorKind::Cancelled
        | ErrorKind::Unsupported
        | ErrorKind::Config => Remedy::Stop,
    }
}

/// A set of kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u32);

impl Kinds {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u32::MAX);

    pub(crate) const fn of(kinds: &[ErrorKind]) -> Self {
        let mut bits = 0;
        let mut rest = kinds;
        while let [kind, tail @ ..] = rest {
            bits |= 1 << *kind as u32;
            rest = tail;
        }
        Self(bits)
    }

    pub(crate) const fn has(self, kind: ErrorKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }
}

/// Where a request goes when it fails here: after which failures, and after which of them without another try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onward {
    pub(crate) on: Kinds,
    pub(crate) at_once: Kinds,
}

impl Onward {
    /// A budget that is spent is spent everywhere.
    pub(crate) fn after(&self, kind: ErrorKind) -> bool {
        kind != ErrorKind::Budget && (self.on.has(kind) || self.at_once.has(kind))
    }
}

/// How long to wait before a request is sent again because the service failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    base: Duration,
    factor: u32,
    max: Duration,
    jitter: bool,
}

impl Wait {
    /// Not at all.
    #[must_use]
    pub const fn none() -> Self {
        Self::fixed(Duration::ZERO)
    }

    /// The same each time.
    #[must_use]
    pub const fn fixed(wait: Duration) -> Self {
        Self { base: wait, factor: 1, max: wait, jitter: false }
    }

    /// `base`, then twice as long each time, up to `max`.
    #[must_use]
    pub const fn exponential(base: Duration, max: Duration) -> Self {
        Self { base, factor: 2, max, jitter: false }
    }

    /// With a random part: between half of the wait and all of it, so that clients do not come back in step.
    #[must_use]
    pub const fn with_jitter(mut self) -> Self {
        self.jitter = true;
        self
    }

    /// The wait before the `n`th resend, counted from 0. `random` is from 0 to 1.
    pub(crate) fn before(&self, n: u32, random: f64) -> Duration {
        let wait = self.factor.checked_pow(n).and_then(|times| self.base.checked_mul(times)).unwrap_or(self.max);
        let wait = wait.min(self.max);
        if self.jitter { wait.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0) } else { wait }
    }
}

/// When to try again: which kinds of failure, how often, how long, and how long to wait.
///
/// Failures of the answer (malformed, against the schema, rejected, runaway) and failures of the service (transport, rate limit,
/// overload) are counted apart: a rate limit never uses up the attempts that validation has. Only the service is waited
/// for; what it asks for with `Retry-After` wins over [`Wait`].
///
/// ```
/// use std::time::Duration;
/// use instructor::{ErrorKind, Retry, Wait};
///
/// const PATIENT: Retry = Retry::new()
///     .with_stop_after_attempt(6)
///     .with_stop_after_delay(Duration::from_secs(90))
///     .with_wait(Wait::exponential(Duration::from_secs(1), Duration::from_secs(20)).with_jitter());
/// assert!(PATIENT.retries(ErrorKind::RateLimited));
/// assert!(!PATIENT.retries(ErrorKind::Auth));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    attempts: u32,
    delay: Option<Duration>,
    wait: Wait,
    longest_retry_after: Duration,
    kinds: Kinds,
    repeat: Repeat,
}

impl Retry {
    /// The default: 4 attempts for either side, exponential wait from 0.5 s to 8 s with jitter, every kind that can
    /// be helped.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            attempts: 4,
            delay: None,
            wait: Wait::exponential(Duration::from_millis(500), Duration::from_secs(8)).with_jitter(),
            longest_retry_after: Duration::from_secs(120),
            kinds: Kinds::ALL,
            repeat: Repeat::GoOn,
        }
    }

    /// No second attempt for anything.
    #[must_use]
    pub const fn never() -> Self {
        Self::new().with_stop_after_attempt(1)
    }

    /// With at most this many attempts for either side, the first included (0 counts as 1).
    #[must_use]
    pub const fn with_stop_after_attempt(mut self, attempts: u32) -> Self {
        self.attempts = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// With no new attempt once this long after the start. A running attempt is not cut: that is what
    /// [`Budget::with_deadline`] does.
    #[must_use]
    pub const fn with_stop_after_delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// With another wait between attempts.
    #[must_use]
    pub const fn with_wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// With another limit to what a `Retry-After` may ask for (120 s by default). A provider that asks for more gets no
    /// further attempt: the error is returned at once, with [`Error::retry_after`](crate::Error::retry_after).
    #[must_use]
    pub const fn with_longest_retry_after(mut self, longest: Duration) -> Self {
        self.longest_retry_after = longest;
        self
    }

    /// With another attempt only after these kinds. Kinds that no attempt can help (a wrong key, a refusal) are never
    /// tried again, listed or not.
    #[must_use]
    pub const fn with_kinds(mut self, kinds: &[ErrorKind]) -> Self {
        self.kinds = Kinds::of(kinds);
        self
    }

    /// With another answer to the same mistake twice in a row.
    #[must_use]
    pub const fn with_repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    pub(crate) const fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// Whether this kind is tried again at all. [`ErrorKind::SchemaRefused`] is not: that the request goes out in another
    /// way is no retry, and no setting of this policy but the delay has a say in it.
    #[must_use]
    pub const fn retries(&self, kind: ErrorKind) -> bool {
        self.kinds.has(kind) && matches!(remedy(kind), Remedy::Reask | Remedy::Resend)
    }

    /// Whether a request whose answer broke off is sent again, though answers of that kind are none to ask again for.
    pub(crate) const fn resends(&self, kind: ErrorKind) -> bool {
        self.kinds.has(kind)
    }

    /// Whether another attempt may follow the `failed`th failure of one side.
    pub(crate) fn goes_on(&self, failed: u32, elapsed: Duration) -> bool {
        failed < self.attempts && self.delay.is_none_or(|delay| elapsed < delay)
    }

    pub(crate) const fn longest_retry_after(&self) -> Duration {
        self.longest_retry_after
    }

    pub(crate) const fn wait(&self) -> &Wait {
        &self.wait
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

/// Hard limits of one request over everything that it does. When one ends it, the error's kind is
/// [`ErrorKind::Budget`], and its report tells what was tried.
///
/// ```
/// use std::time::Duration;
/// use instructor::Budget;
///
/// const STRICT: Budget = Budget::new().with_attempts(3).with_tokens(20_000).with_deadline(Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    pub(crate) attempts: Option<u32>,
    pub(crate) tokens: Option<u64>,
    pub(crate) cost: Option<Money>,
    pub(crate) deadline: Option<Duration>,
}

impl Budget {
    /// No limits.
    #[must_use]
    pub const fn new() -> Self {
        Self { attempts: None, tokens: None, cost: None, deadline: None }
    }

    /// With at most this many calls, whatever they fail of.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// With no further call once this many tokens are used, input and output. Where a provider does not count, a token
    /// is taken as four bytes of request and response body.
    ///
    /// A streamed answer is ended as soon as more are used: those of the attempts before, those that the provider has
    /// counted of this one, and a token for four bytes of the answer, if that is more than it has counted of them. What
    /// is only known with the last piece of an answer does not end it.
    #[must_use]
    pub const fn with_tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// With no further call once this much is spent, as far as it is known; where a provider has not counted, tokens are
    /// taken as for [`with_tokens`](Self::with_tokens). The call that goes over the limit is made; if it is streamed it is ended
    /// there.
    ///
    /// What a model without a price would cost is not known, so that the limit could not be kept: such a request fails
    /// before anything is sent, with [`ErrorKind::Config`], unless the provider is known to tell itself what it charges. See
    /// [`Prices`](crate::Prices).
    ///
    /// ```
    /// # use instructor::testing::Script;
    /// use instructor::{Budget, ErrorKind, Money};
    ///
    /// const CHEAP: Budget = Budget::new().with_cost(Money::from_cents(5));
    ///
    /// # let script = Script::new();
    /// # let client = script.client("groq/unheard-of");
    /// # script.block_on(async {
    /// let error = client.request("2 + 3").budget(CHEAP).create::<i64>().await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// # });
    /// ```
    #[must_use]
    pub const fn with_cost(mut self, cost: Money) -> Self {
        self.cost = Some(cost);
        self
    }

    /// With an end this long after the start, on a monotonic clock. Covers calls and waits.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_cap() {
        let wait = Wait::exponential(Duration::from_millis(500), Duration::from_secs(3));
        let waits: Vec<u128> = (0..5).map(|n| wait.before(n, 0.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        assert_eq!(wait.before(200, 0.0), Duration::from_secs(3));
        assert_eq!(Wait::fixed(Duration::from_secs(2)).before(9, 0.0), Duration::from_secs(2));
        assert_eq!(Wait::none().before(3, 1.0), Duration::ZERO);
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let wait = Wait::fixed(Duration::from_secs(2)).with_jitter();
        assert_eq!(wait.before(0, 0.0), Duration::from_secs(1));
        assert_eq!(wait.before(0, 1.0), Duration::from_secs(2));
    }

    #[test]
    fn kinds_that_nothing_helps_are_never_retried() {
        let greedy = Retry::new().with_kinds(&[ErrorKind::Auth, ErrorKind::Refused, ErrorKind::Rejected]);
        assert!(!greedy.retries(ErrorKind::Auth));
        assert!(!greedy.retries(ErrorKind::Refused));
        assert!(greedy.retries(ErrorKind::Rejected));
        assert!(!greedy.retries(ErrorKind::RateLimited));
    }
}
