//! A limit that the caller has given: so much in any window of a length.

use std::collections::VecDeque;
use std::time::Duration;

/// Into how many parts a window is divided to forget what was spent: what it loses of the limit by rounding is one part.
const PARTS: u64 = 100;
/// What part of the limit may go at once after a pause. The rest is spread, so that no call waits for a whole window.
const BURST: u32 = 30;
/// As many calls as may go at once however low the limit is.
const FEW: f64 = 3.0;

/// So much per window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) most: u64,
    pub(super) span: Duration,
}

impl Rate {
    pub(super) fn new(most: u64, span: Duration) -> Self {
        Self { most: most.max(1), span }
    }
}

/// What was spent of one limit in the window that ends now.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    rate: Rate,
    /// Parts of the window, and what was spent in each.
    spent: VecDeque<(u64, u64)>,
    sum: u64,
    /// When everything that was spent would be paid for at an even pace.
    paid: Duration,
}

impl Meter {
    pub(super) const fn new(rate: Rate) -> Self {
        Self { rate, spent: VecDeque::new(), sum: 0, paid: Duration::ZERO }
    }

    /// The length of a part in nanoseconds.
    const fn part(&self) -> u64 {
        self.rate.span.as_nanos() as u64 / PARTS
    }

    const fn index(&self, at: Duration) -> u64 {
        at.as_nanos() as u64 / self.part()
    }

    /// The time that a cost takes at an even pace.
    fn even(&self, cost: u64) -> Duration {
        seconds(self.rate.span.as_secs_f64() * cost as f64 / self.rate.most as f64)
    }

    /// When a cost may be spent at the earliest. One that is larger than the limit may once the window is empty.
    pub(super) fn ready(&mut self, cost: u64, now: Duration) -> Duration {
        let first = self.index(now).saturating_sub(PARTS);
        while let Some((_, amount)) = self.spent.front().filter(|(index, _)| *index < first) {
            self.sum = self.sum.saturating_sub(*amount);
            self.spent.pop_front();
        }
        let mut free = Duration::ZERO;
        let mut left = self.sum;
        for (index, amount) in &self.spent {
            if left == 0 || left.saturating_add(cost) <= self.rate.most {
                break;
            }
            left = left.saturating_sub(*amount);
            free = Duration::from_nanos(self.part().saturating_mul(index + PARTS + 1));
        }
        let burst = (self.rate.span / BURST).max(self.even(cost).mul_f64(FEW - 1.0));
        free.max(self.paid.saturating_sub(burst))
    }

    pub(super) fn spend(&mut self, cost: u64, now: Duration) {
        self.paid = self.paid.max(now) + self.even(cost);
        self.sum = self.sum.saturating_add(cost);
        let index = self.index(now);
        match self.spent.back_mut() {
            Some((last, amount)) if *last == index => *amount = amount.saturating_add(cost),
            _ => self.spent.push_back((index, cost)),
        }
    }

    /// Puts right what was spent `at` a time, now that it is known.
    pub(super) fn correct(&mut self, at: Duration, from: u64, to: u64) {
        let (more, less) = (to.saturating_sub(from), from.saturating_sub(to));
        self.paid = (self.paid + self.even(more)).saturating_sub(self.even(less));
        let index = self.index(at);
        if let Some((_, amount)) = self.spent.iter_mut().rev().find(|(part, _)| *part == index) {
            *amount = amount.saturating_add(more).saturating_sub(less);
            self.sum = self.sum.saturating_add(more).saturating_sub(less);
        }
    }
}

/// A time that may have come out as anything.
pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 { LONG } else { Duration::ZERO })
}

/// Longer than anything lives, and short enough to be added to.
const LONG: Duration = Duration::from_secs(1 << 40);
