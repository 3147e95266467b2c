//! A rate that is learnt from what the provider refuses.
//!
//! Nothing is known until the first refusal. Then the rate is what the provider took lately, a little less, and grows
//! again with every success: fast at first, slowly near the rate that was refused, faster beyond it. That is the law of
//! TCP's CUBIC, counted in calls and not in seconds, so that the share of calls that are refused is the same for limits
//! of ten calls a minute and of thousands a second.

use std::time::Duration;

use super::meter::seconds;

/// After how many successes the rate is again what it was when a call was refused.
const RETURN: f64 = 120.0;
/// The same where it is not known well.
const QUICK: f64 = 12.0;
/// By what part the rate rises above the one that was refused before that counts as old.
const RISE: f64 = 0.25;
/// By what part the rate falls below what the provider took.
const DIP: f64 = 0.08;
/// No rate is taken from fewer calls.
const FEW: u32 = 10;
/// From as many a rate can be taken however fast they were.
const MANY: u32 = 50;
/// From fewer calls than that a rate is taken only if they took so long. A gap is one that is longer.
const SECOND: Duration = Duration::from_secs(1);
/// As many calls may go at once where some came late.
const BURST: u32 = 2;
/// The longest time that nothing is sent for because of refusals that say no time.
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Calls per second that the provider took when it refused one; none are known yet where it is infinite.
    ceiling: f64,
    /// The successes after which the ceiling is reached again.
    back: f64,
    /// Successes since the rate fell, of calls that had to wait for it.
    grown: f64,
    /// When all calls so far would have been sent at an even pace.
    due: Duration,
    last: Duration,
    /// What was sent lately, and before that.
    lately: [Count; 2],
    /// Whether anything succeeded since the last refusal.
    heard: bool,
    /// Calls that were sent before this say nothing new by being refused.
    known: Duration,
    pause: Duration,
}

/// Calls since a time.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    since: Duration,
    sent: u32,
    refused: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            ceiling: f64::INFINITY,
            back: RETURN,
            grown: 0.0,
            due: Duration::ZERO,
            last: Duration::ZERO,
            lately: [Count::default(); 2],
            heard: false,
            known: Duration::ZERO,
            pause: Duration::ZERO,
        }
    }

    /// Calls per second.
    pub(super) fn rate(&self) -> f64 {
        let way = (self.grown - self.back) / self.back;
        self.ceiling * (1.0 + DIP * way.powi(3))
    }

    /// The time from one call to the next.
    pub(super) fn even(&self) -> Duration {
        seconds(self.rate().recip())
    }

    /// When the next call may be sent at the earliest.
    pub(super) fn ready(&self) -> Duration {
        self.due.saturating_sub(self.even().saturating_mul(BURST))
    }

    /// Notes that a call is sent; says whether the rate is what holds calls back.
    pub(super) fn send(&mut self, now: Duration) -> bool {
        let even = self.even();
        let held = self.due + even.saturating_mul(2) > now;
        let [lately, before] = &mut self.lately;
        if !held && now > self.last + SECOND {
            self.lately = [Count { since: now, ..Count::default() }; 2];
        } else if lately.sent >= MANY && now > lately.since + SECOND {
            *before = *lately;
            *lately = Count { since: now, ..Count::default() };
        }
        self.lately[0].sent += 1;
        self.last = now;
        self.due = self.due.max(now) + even;
        held
    }

    pub(super) fn succeed(&mut self, held: bool) {
        self.heard = true;
        if held && self.ceiling.is_finite() {
            self.grown += 1.0;
            if self.rate() > self.ceiling * (1.0 + RISE) {
                // It is not the limit any longer, if it ever was.
                (self.ceiling, self.grown) = (self.rate(), self.back);
            }
        }
    }

    /// Notes that a call was refused, and says for how long nothing is to be sent: as long as the provider asks for, or a
    /// moment.
    pub(super) fn refuse(&mut self, sent: Duration, asked: Option<Duration>, now: Duration) -> Duration {
        self.lately[0].refused += 1;
        if sent < self.known {
            return asked.unwrap_or_default();
        }
        // Where nothing gets through, the rate is not to blame.
        let moment = self.even().saturating_mul(2);
        self.pause = if self.heard { moment } else { (self.pause * 2).clamp(moment, LONGEST.max(moment)) };
        let pause = asked.unwrap_or(self.pause);
        if self.ceiling.is_infinite() || self.heard {
            self.fall(pause, now);
        }
        self.heard = false;
        self.known = now + pause;
        pause
    }

    fn fall(&mut self, pause: Duration, now: Duration) {
        let [lately, before] = &self.lately;
        let sent = lately.sent + before.sent;
        let taken = sent.saturating_sub(lately.refused + before.refused).max(1);
        let elapsed = now.saturating_sub(before.since);
        let sure = sent >= MANY || sent >= FEW && elapsed >= SECOND;
        let rate = self.rate();
        let elapsed = if sure { elapsed } else { elapsed.max(SECOND) };
        let taken = f64::from(taken) / elapsed.as_secs_f64().max(1e-3);
        if rate.is_infinite() {
            self.ceiling = taken;
        } else if sure {
            self.ceiling = taken.clamp(rate / 8.0, rate);
        } else {
            return;
        }
        // A refusal that costs a long pause has to be rarer.
        self.back = if sure { RETURN.max(40.0 * taken * pause.as_secs_f64()) } else { QUICK };
        self.grown = 0.0;
        self.lately = [Count { since: now, ..Count::default() }; 2];
    }
}
