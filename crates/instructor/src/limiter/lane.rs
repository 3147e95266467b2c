//! What is known of one endpoint, key and model, and who waits to call it: a state machine. Time comes in as argument.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use super::Limits;
use super::meter::Meter;
use super::pace::Pace;
use super::told::Told;
use crate::wire::{RateLimits, Usage};

/// As many calls go at first to an endpoint of which nothing is known. Each success makes room for one more.
const START: usize = 8;
/// The output tokens of a call of which nothing is known.
const OUTPUT: f64 = 256.0;
/// How much one answer counts in what is learnt of tokens.
const WEIGHT: f64 = 0.1;

/// A call that wants its turn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    /// About how many input tokens it has: a token for four bytes.
    pub(crate) input: u64,
    /// How many output tokens it may have.
    pub(crate) max_output: Option<u64>,
    /// When it is too late.
    pub(crate) deadline: Option<Duration>,
    /// For how long a closed lane is waited for.
    pub(crate) patience: Duration,
}

/// Why a call has no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    /// It would come after the deadline: so many are before it, or the provider takes nothing for so long.
    Deadline { before: usize, wait: Duration },
    /// The provider takes nothing for longer than the call waits.
    Closed(Duration),
}

/// What a call that wants its turn is told.
#[derive(Debug)]
pub(super) enum Look {
    Enter(Permit),
    /// To look again at a time, if it is not woken before.
    Wait(Option<Duration>),
    Late(Late),
}

/// The right to make one call.
#[derive(Debug)]
pub(super) struct Permit {
    number: u64,
    sent: Duration,
    input: u64,
    cost: Cost,
    /// What all calls had cost up to this one.
    total: Cost,
    /// Whether the learnt rate held it back.
    held: bool,
    /// Whether as many were under way as may be.
    full: bool,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) usage: Usage,
    pub(crate) limits: RateLimits,
    /// It was one too many.
    pub(crate) refused: bool,
    /// The provider answered it.
    pub(crate) taken: bool,
    pub(crate) retry_after: Option<Duration>,
}

/// Calls, tokens, input tokens, output tokens.
type Cost = [u64; 4];

#[derive(Debug)]
struct Waiter {
    waker: Waker,
    deadline: Option<Duration>,
    patience: Duration,
}

#[derive(Debug)]
pub(super) struct State {
    queue: BTreeMap<u64, Waiter>,
    calls: Vec<Meter>,
    tokens: Vec<Meter>,
    told: [Told; 4],
    pace: Pace,
    /// Nothing is sent before.
    closed: Duration,
    flying: usize,
    room: usize,
    grows: bool,
    number: u64,
    total: Cost,
    /// Since when every call was refused.
    stuck: Option<Duration>,
    used: Duration,
    /// The real input tokens for each that was estimated.
    ratio: Option<f64>,
    /// The output tokens of a call.
    output: Option<f64>,
}

impl State {
    pub(super) fn new(limits: &Limits) -> Self {
        let meters = |rates: [_; 2]| rates.into_iter().flatten().map(Meter::new).collect();
        let given = limits.concurrency.map(|most| most.max(1));
        let calls: Vec<Meter> = meters([limits.requests_per_second, limits.requests_per_minute]);
        let tokens: Vec<Meter> = meters([limits.tokens_per_minute, None]);
        let grows = given.is_none() && calls.is_empty() && tokens.is_empty();
        Self {
            queue: BTreeMap::new(),
            calls,
            tokens,
            told: Default::default(),
            pace: Pace::new(),
            closed: Duration::ZERO,
            flying: 0,
            room: if grows { START } else { given.unwrap_or(usize::MAX) },
            grows,
            number: 0,
            total: [0; 4],
            stuck: None,
            used: Duration::ZERO,
            ratio: None,
            output: None,
        }
    }

    /// Since when nobody called; nothing if somebody calls or waits.
    pub(super) fn idle(&self) -> Option<Duration> {
        (self.flying == 0 && self.queue.is_empty()).then_some(self.used)
    }

    /// Whether anything depends on how many tokens a call has.
    pub(super) fn counts_tokens(&self) -> bool {
        let [_, tokens @ ..] = &self.told;
        !self.tokens.is_empty() || tokens.iter().any(Told::is_known)
    }

    /// For how long every call was refused.
    pub(super) fn stuck(&self, now: Duration) -> Duration {
        self.stuck.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }

    /// Lets a call in if it is its turn. Else it waits in the queue, in the order of tickets.
    pub(super) fn look(&mut self, ticket: u64, ask: &Ask, now: Duration, waker: &Waker) -> Look {
        let before = self.before(ticket);
        let cost = self.cost(ask);
        let at = if before == 0 { self.ready(&cost, now) } else { self.soonest(before, now) };
        if before == 0 && at <= now && self.flying < self.room && ask.deadline.is_none_or(|deadline| now < deadline) {
            self.queue.remove(&ticket);
            return Look::Enter(self.enter(ask, cost, now));
        }
        if let Some(late) = self.late(ask, before, at.max(now), now) {
            return Look::Late(late);
        }
        let waiter = Waiter { waker: waker.clone(), deadline: ask.deadline, patience: ask.patience };
        self.queue.insert(ticket, waiter);
        let own = Some(at).filter(|at| before == 0 && *at > now);
        Look::Wait([own, ask.deadline].into_iter().flatten().min())
    }

    /// How many are before it. Most come as the first or the last, so that nobody has to be counted.
    fn before(&self, ticket: u64) -> usize {
        match (self.queue.first_key_value(), self.queue.last_key_value()) {
            (Some((first, _)), _) if *first >= ticket => 0,
            (_, Some((last, _))) if *last < ticket => self.queue.len(),
            _ => self.queue.range(..ticket).count(),
        }
    }

    fn late(&self, ask: &Ask, before: usize, at: Duration, now: Duration) -> Option<Late> {
        let shut = self.shut(now).saturating_sub(now);
        if shut > ask.patience {
            return Some(Late::Closed(shut));
        }
        let late = ask.deadline.is_some_and(|deadline| at >= deadline);
        late.then(|| Late::Deadline { before, wait: at.saturating_sub(now) })
    }

    /// Until when the provider is known to take nothing.
    fn shut(&self, now: Duration) -> Duration {
        self.told.iter().map(|told| told.shut(now)).fold(self.closed, Duration::max)
    }

    /// When a call has its turn at the earliest that has others before it.
    fn soonest(&self, before: usize, now: Duration) -> Duration {
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let paced = self.pace.ready().max(now) + self.pace.even().saturating_mul(before.saturating_sub(2));
        self.shut(now).max(if before > 2 { paced } else { now })
    }

    /// When the first of the queue may go.
    fn ready(&mut self, cost: &Cost, now: Duration) -> Duration {
        let [calls, tokens, ..] = *cost;
        let mut at = self.closed.max(self.pace.ready());
        for (meters, cost) in [(&mut self.calls, calls), (&mut self.tokens, tokens)] {
            at = meters.iter_mut().map(|meter| meter.ready(cost, now)).fold(at, Duration::max);
        }
        let told = self.told.iter_mut().zip(cost).map(|(told, cost)| told.ready(*cost, now));
        told.fold(at, Duration::max)
    }

    fn cost(&self, ask: &Ask) -> Cost {
        let most = ask.max_output.map_or(f64::INFINITY, |most| most as f64);
        let output = self.output.unwrap_or(if most.is_finite() { most } else { OUTPUT }).min(most) as u64;
        let input = (ask.input as f64 * self.ratio.unwrap_or(1.0)).ceil() as u64;
        [1, input.saturating_add(output), input, output]
    }

    fn enter(&mut self, ask: &Ask, cost: Cost, now: Duration) -> Permit {
        let [calls, tokens, ..] = cost;
        self.calls.iter_mut().for_each(|meter| meter.spend(calls, now));
        self.tokens.iter_mut().for_each(|meter| meter.spend(tokens, now));
        for ((told, total), cost) in self.told.iter_mut().zip(&mut self.total).zip(cost) {
            told.spend(cost, now);
            *total = total.saturating_add(cost);
        }
        self.number += 1;
        self.used = now;
        self.flying += 1;
        let held = self.pace.send(now);
        let full = self.flying >= self.room;
        Permit { number: self.number, sent: now, input: ask.input, cost, total: self.total, held, full }
    }

    /// A call is over. Says who is to be woken.
    pub(super) fn leave(&mut self, permit: &Permit, outcome: Option<(Outcome, Duration)>) -> Vec<Waker> {
        self.flying = self.flying.saturating_sub(1);
        let Some((outcome, now)) = outcome else { return self.first() };
        let before = self.shut(now);
        self.learn_tokens(permit, &outcome);
        let said =
            [outcome.limits.requests, outcome.limits.tokens, outcome.limits.input_tokens, outcome.limits.output_tokens];
        let since = self.total.iter().zip(permit.total).map(|(now, then)| now.saturating_sub(then));
        for ((told, said), since) in self.told.iter_mut().zip(&said).zip(since) {
            told.hear(said, permit.number, permit.sent, since);
        }
        if outcome.refused {
            self.stuck.get_or_insert(now);
            let pause = self.pace.refuse(permit.sent, outcome.retry_after, now);
            self.closed = self.closed.max(now + pause);
        } else {
            self.closed = self.closed.max(now + outcome.retry_after.unwrap_or_default());
        }
        if outcome.taken {
            self.stuck = None;
            self.pace.succeed(permit.held);
            self.room = self.room.saturating_add(usize::from(self.grows && permit.full));
        }
        let shut = self.shut(now);
        if shut <= before {
            return self.first();
        }
        // For some it may be too late now.
        let late = |waiter: &&Waiter| {
            shut.saturating_sub(now) > waiter.patience || waiter.deadline.is_some_and(|deadline| deadline <= shut)
        };
        let late = self.queue.values().filter(late).map(|waiter| waiter.waker.clone());
        late.chain(self.queue.first_key_value().map(|(_, waiter)| waiter.waker.clone())).collect()
    }

    /// Puts right what the call was taken for, and learns for those to come.
    fn learn_tokens(&mut self, permit: &Permit, outcome: &Outcome) {
        let [_, guessed, ..] = permit.cost;
        let usage = &outcome.usage;
        let real = if outcome.refused { Some(0) } else { usage.total() };
        if let Some(real) = real {
            self.tokens.iter_mut().for_each(|meter| meter.correct(permit.sent, guessed, real));
        }
        let learn =
            |mean: &mut Option<f64>, new: f64| *mean = Some(mean.map_or(new, |mean| mean + (new - mean) * WEIGHT));
        if let Some(input) = usage.input.filter(|_| permit.input > 0) {
            learn(&mut self.ratio, input as f64 / permit.input as f64);
        }
        if let Some(output) = usage.output {
            learn(&mut self.output, output as f64);
        }
    }

    /// A call waits no longer. Says who is to be woken.
    pub(super) fn forget(&mut self, ticket: u64) -> Vec<Waker> {
        self.queue.remove(&ticket);
        self.first()
    }

    /// Whose turn it is.
    pub(super) fn first(&self) -> Vec<Waker> {
        self.queue.first_key_value().map(|(_, waiter)| waiter.waker.clone()).into_iter().collect()
    }
}
