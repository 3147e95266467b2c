//! What was done: every attempt, on success and on failure.

use std::fmt;
use std::time::Duration;

use crate::cache::{CacheEvent, Stored};
use crate::cost::{Charge, Cost};
use crate::error::ErrorKind;
use crate::media::Fetched;
use crate::mode::Mode;
use crate::repair::Repair;
use crate::validate::{Issues, Path};
use crate::wire::{RateLimits, Usage};

/// Every attempt of one request, in order, and what was fetched for it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub(crate) fetched: Vec<Fetched>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) hops: Vec<Hop>,
    pub(crate) cache: Vec<CacheEvent>,
    pub(crate) elapsed: Duration,
    pub(crate) shared: bool,
}

impl Report {
    /// The calls that were made.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Whether all of it was done for another request, the same as this one, that was in flight at the same time: what is
    /// told here was used once, and not for each of them. See [`Request::single_flight`](crate::Request::single_flight).
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.shared
    }

    /// What the request's [cache](crate::cache) did for it, in order; nothing without one.
    #[must_use]
    pub fn cache(&self) -> &[CacheEvent] {
        &self.cache
    }

    /// Where the value came from, if it is a stored one: when it was made, of whom, and what it cost then.
    #[must_use]
    pub fn stored(&self) -> Option<&Stored> {
        self.cache.iter().find_map(|event| match event {
            CacheEvent::Hit(stored) => Some(&**stored),
            _ => None,
        })
    }

    /// Whether the value is a stored one, for which no call was made.
    #[must_use]
    pub fn is_cached(&self) -> bool {
        self.stored().is_some()
    }

    /// From which targets the request went on to the next; see [`Target`](crate::Target).
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The media that were fetched for the request before the first attempt; see [`FetchMedia`](crate::FetchMedia).
    #[must_use]
    pub fn fetched(&self) -> &[Fetched] {
        &self.fetched
    }

    /// Adds what was done beside it.
    pub(crate) fn join(&mut self, other: Self) {
        self.attempts.extend(other.attempts);
        self.hops.extend(other.hops);
        self.fetched.extend(other.fetched);
        self.cache.extend(other.cache);
        for (number, attempt) in (1..).zip(&mut self.attempts) {
            attempt.number = number;
        }
    }

    /// The sum of what the attempts used. What no attempt knows is unknown; a [stored](Self::stored) value used nothing.
    #[must_use]
    pub fn usage(&self) -> Usage {
        if self.attempts.is_empty() && self.is_cached() {
            return Usage { input: Some(0), output: Some(0), ..Usage::default() };
        }
        self.attempts.iter().fold(Usage::default(), |sum, attempt| sum + attempt.usage)
    }

    /// What the attempts cost together, those that failed too. Attempts of unknown cost are counted beside it.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.attempts.iter().map(|attempt| attempt.cost).sum()
    }

    /// What the provider last said of its rate limits; all unknown if it said nothing.
    #[must_use]
    pub fn rate_limits(&self) -> RateLimits {
        let said = self.attempts.iter().rev().map(|attempt| attempt.rate_limits);
        said.into_iter().find(|limits| !limits.is_unknown()).unwrap_or_default()
    }

    /// From the start of the request to its end, waits included.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// A request that left a target for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// After how many attempts of the request.
    pub after: u32,
    /// The provider that was left.
    pub provider: String,
    /// The model that was left.
    pub model: String,
    /// What it failed of.
    pub kind: ErrorKind,
    /// Whether it was not asked, since it had failed too often just before; see [`Breaker`](crate::Breaker).
    pub open: bool,
    /// What was wrong, in one line without text of the answer.
    pub detail: String,
    /// How many parts of the messages the next target is not told, such as signatures of another provider's thinking.
    pub dropped: usize,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { after, provider, model, kind, open, detail, dropped } = self;
        write!(f, "left {provider}/{model} after attempt {after}: ")?;
        match (open, detail.is_empty()) {
            (true, _) => f.write_str("it failed too often just before")?,
            (false, true) => write!(f, "{kind}")?,
            (false, false) => write!(f, "{kind}: {detail}")?,
        }
        if *dropped > 0 {
            write!(f, "; {dropped} parts of the messages are not for the next")?;
        }
        Ok(())
    }
}

/// A line for each part that was fetched, each attempt, each hop, and each thing that the cache did.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fetched = self.fetched.iter().map(|fetched| fetched as &dyn fmt::Display);
        let hops = |from: usize, to: usize| {
            let here = move |hop: &&Hop| (from..to).contains(&(hop.after as usize));
            self.hops.iter().filter(here).map(|hop| hop as &dyn fmt::Display)
        };
        let attempts =
            self.attempts.iter().enumerate().flat_map(|(index, attempt)| {
                hops(index, index + 1).chain(std::iter::once(attempt as &dyn fmt::Display))
            });
        let last = hops(self.attempts.len(), usize::MAX);
        let cache = self.cache.iter().map(|event| event as &dyn fmt::Display);
        for (i, line) in fetched.chain(attempts).chain(last).chain(cache).enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{line}")?;
        }
        Ok(())
    }
}

/// One call of a provider and what came of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// Which call of the request, counted from 1.
    pub number: u32,
    /// The provider that was asked.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// How the value was asked for. Where the one before ended with
    /// [`SchemaRefused`](ErrorKind::SchemaRefused) it is another.
    pub mode: Mode,
    /// Whether the provider was asked to enforce the schema.
    pub strict: bool,
    /// The temperature that was asked for; the model's own, if none. [`Repeat::Escalate`](crate::Repeat::Escalate) may
    /// leave one that was set.
    pub temperature: Option<f64>,
    /// The parts that were asked for, where it was not the whole answer; see [`ReAsk`](crate::ReAsk).
    pub patch: Vec<Path>,
    /// Where the answer was cut whose rest was asked for, where it was a rest; see [`Truncated`](crate::Truncated).
    pub continues: Option<Path>,
    /// What it failed of; `None` if it gave the value, or the text that the next one makes the value of.
    pub failure: Option<ErrorKind>,
    /// Whether the same was wrong with the answer before; see [`Repeat`](crate::Repeat).
    pub repeated: bool,
    /// The HTTP status, if an answer arrived.
    pub status: Option<u16>,
    /// What it used.
    pub usage: Usage,
    /// What it cost: what the provider said, else what it counted at the client's [`Prices`](crate::Prices). `None` is
    /// unknown: without a count, or of a model without a price. What never went out or was refused with a status 4xx cost
    /// nothing.
    pub cost: Option<Charge>,
    /// About how many output tokens had been generated when a [`Watchdog`](crate::Watchdog) or the
    /// [`Budget`](crate::Budget) ended the answer: a token for four bytes of what had been said, an estimate, or what the
    /// provider had counted until then if that is more. `None` for an answer that was read to its end.
    pub stopped: Option<u64>,
    /// How long the call took.
    pub elapsed: Duration,
    /// How long was waited before it.
    pub waited: Duration,
    /// How much of that for its turn at the [`Limiter`](crate::Limiter).
    pub queued: Duration,
    /// The provider's id of the request, for its support.
    pub request_id: Option<String>,
    /// What the provider said of its rate limits.
    pub rate_limits: RateLimits,
    /// What was wrong with the answer. Shows text of the answer.
    pub issues: Issues,
    /// What was done to the answer so that it could be read. Shows text of the answer.
    pub repairs: Vec<Repair>,
    /// What was wrong, in one line without text of the answer.
    pub detail: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, mode, strict, usage, cost, elapsed, waited, queued, .. } = self;
        let strict = if *strict { ", strict" } else { "" };
        write!(f, "attempt {number} ({mode}{strict}, {} ms", elapsed.as_millis())?;
        match self.patch.len() {
            0 => {}
            1 => f.write_str(", for 1 part")?,
            parts => write!(f, ", for {parts} parts")?,
        }
        if let Some(place) = &self.continues {
            write!(f, ", from {place} on")?;
        }
        if !waited.is_zero() {
            write!(f, " after a wait of {} ms", waited.as_millis())?;
        }
        if !queued.is_zero() {
            write!(f, ", {} of them for its turn", queued.as_millis())?;
        }
        if let Some(tokens) = self.stopped {
            write!(f, ", stopped after about {tokens} output tokens")?;
        }
        write!(f, ", {usage}")?;
        if let Some(cost) = cost {
            write!(f, ", {cost}")?;
        }
        f.write_str("): ")?;
        match self.failure {
            None => f.write_str("ok")?,
            Some(kind) if self.detail.is_empty() => write!(f, "{kind}")?,
            Some(kind) => write!(f, "{kind}: {}", self.detail)?,
        }
        if self.repeated {
            f.write_str("; the same as before")?;
        }
        for (i, repair) in self.repairs.iter().enumerate() {
            write!(f, "{} {repair}", if i == 0 { "; repaired:" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Attempt {
    /// One that went well.
    pub(crate) fn for_tests() -> Self {
        Self {
            number: 1,
            provider: String::from("openai"),
            model: String::from("m"),
            mode: Mode::Schema,
            strict: true,
            temperature: None,
            patch: Vec::new(),
            continues: None,
            failure: None,
            repeated: false,
            status: Some(200),
            usage: Usage::default(),
            cost: None,
            stopped: None,
            elapsed: Duration::ZERO,
            waited: Duration::ZERO,
            queued: Duration::ZERO,
            request_id: None,
            rate_limits: RateLimits::default(),
            issues: Issues::new(),
            repairs: Vec::new(),
            detail: String::new(),
        }
    }
}
