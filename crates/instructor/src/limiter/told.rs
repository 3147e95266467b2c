//! What a provider says is left of a limit, kept until it says more.

use std::time::Duration;

use crate::wire::RateLimit;

/// Limits of longer windows are not spread over them: who has fifty calls a day may make them now.
const SPREAD: Duration = Duration::from_secs(70);

/// What is left of one limit, and until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    left: u64,
    /// When it is whole again.
    until: Duration,
    /// How much is there when it is whole.
    whole: Option<u64>,
    /// The longest time that it was told to take.
    span: Duration,
    last: Duration,
    /// Which call told it.
    by: Option<u64>,
}

impl Told {
    /// Takes what an answer says. The provider counted the call when it came, not when it was answered: what was sent
    /// after it (`since`) is not in its count yet, and its times are from then.
    pub(super) fn hear(&mut self, limit: &RateLimit, call: u64, sent: Duration, since: u64) {
        let (Some(remaining), Some(reset)) = (limit.remaining, limit.reset) else { return };
        if self.by.is_some_and(|by| by > call) {
            return;
        }
        if limit.limit != self.whole {
            self.span = Duration::ZERO;
        }
        self.by = Some(call);
        self.whole = limit.limit;
        self.left = remaining.saturating_sub(since);
        self.span = self.span.max(reset);
        self.until = sent + reset;
    }

    pub(super) const fn is_known(&self) -> bool {
        self.by.is_some()
    }

    /// When a cost may be spent at the earliest.
    pub(super) fn ready(&mut self, cost: u64, now: Duration) -> Duration {
        self.renew(now);
        if self.by.is_none() || now >= self.until || self.whole == Some(self.left) {
            return Duration::ZERO;
        }
        if self.left < cost {
            return self.until;
        }
        if self.span > SPREAD || self.whole.is_some_and(|whole| self.left > whole / 2) {
            return Duration::ZERO;
        }
        // What is scarce is spread over the time until there is more.
        let share = cost as f64 / self.left.max(1) as f64;
        self.last + self.until.saturating_sub(self.last).mul_f64(share.min(1.0))
    }

    /// Until when nothing is left.
    pub(super) fn shut(&self, now: Duration) -> Duration {
        if self.by.is_some() && self.left == 0 && now < self.until { self.until } else { Duration::ZERO }
    }

    /// A limit whose time is over is whole again, and nobody has to say so.
    fn renew(&mut self, now: Duration) {
        let Some(whole) = self.whole.filter(|_| self.by.is_some() && now >= self.until && !self.span.is_zero()) else {
            return;
        };
        self.left = whole;
        self.until = now + self.span;
    }

    pub(super) fn spend(&mut self, cost: u64, now: Duration) {
        self.left = self.left.saturating_sub(cost);
        self.last = now;
    }
}
