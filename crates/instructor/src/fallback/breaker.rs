//! Whether a target is asked at all: not while it fails.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// When a target that fails is left alone, and for how long.
///
/// After so many failures of the service in a row it is not asked for a while, so that requests go to the next target at
/// once. Then one request is let through: if it is answered, all are again; if not, the while begins anew.
///
/// ```
/// use std::time::Duration;
/// use instructor::Breaker;
///
/// const QUICK: Breaker = Breaker::new().with_failures(3).with_pause(Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    pause: Duration,
}

impl Breaker {
    /// The default: 5 failures in a row, a pause of 30 s.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 5, pause: Duration::from_secs(30) }
    }

    /// With a pause after so many failures in a row; 0 counts as 1.
    #[must_use]
    pub const fn with_failures(mut self, failures: u32) -> Self {
        self.failures = if failures == 0 { 1 } else { failures };
        self
    }

    /// With a pause of this length.
    #[must_use]
    pub const fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

/// How a target does, as seen by all clones of its client.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    failures: u32,
    /// Until when it is left alone.
    until: Option<Duration>,
    /// A request was let through to see how it does, at this time.
    probing: Option<Duration>,
}

impl Health {
    /// Whether it may be asked now. The first that comes after a pause is the only one until it is known how it did, or
    /// until another pause has passed without a word of it.
    pub(crate) fn allows(&self, breaker: Breaker, now: Duration) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (state.until, state.probing) {
            (None, _) => true,
            (Some(until), _) if now < until => false,
            (Some(_), Some(since)) if now < since + breaker.pause => false,
            (Some(_), _) => {
                state.probing = Some(now);
                true
            }
        }
    }

    pub(crate) fn answered(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    pub(crate) fn failed(&self, breaker: Breaker, now: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= breaker.failures {
            *state = State { until: Some(now + breaker.pause), probing: None, ..*state };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_opens_lets_one_through_and_closes_or_opens_again() {
        let breaker = Breaker::new().with_failures(2).with_pause(at(10));
        let health = Health::default();
        health.failed(breaker, at(0));
        assert!(health.allows(breaker, at(0)));
        health.answered();
        health.failed(breaker, at(1));
        assert!(health.allows(breaker, at(1)), "failures in a row count");
        health.failed(breaker, at(2));
        assert!(!health.allows(breaker, at(2)));
        assert!(!health.allows(breaker, at(11)));
        // One probe, which fails.
        assert!(health.allows(breaker, at(12)));
        assert!(!health.allows(breaker, at(12)));
        health.failed(breaker, at(13));
        assert!(!health.allows(breaker, at(22)));
        // Another, which nothing is heard of: the next is let through after a pause.
        assert!(health.allows(breaker, at(23)));
        assert!(!health.allows(breaker, at(32)));
        assert!(health.allows(breaker, at(33)));
        health.answered();
        assert!(health.allows(breaker, at(33)));
        assert!(health.allows(breaker, at(33)));
    }
}
