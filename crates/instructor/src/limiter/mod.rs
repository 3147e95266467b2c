//! Calls of many requests, and of many clients, held to what a provider allows. See [`Limiter`].
//!
//! [`State`] is all that is known of one lane, a state machine without a clock; here are its lock, its wakers, and what
//! a request holds of it: a [`Turn`] while it waits, then a [`Place`].

mod lane;
mod meter;
mod pace;
#[cfg(test)]
mod tests;
mod told;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

pub(crate) use self::lane::{Ask, Late, Outcome};
use self::lane::{Look, Permit, State};
use self::meter::Rate;

/// Holds the calls of all requests and clients that share it to what the provider allows. Cheap to clone; clones share
/// what they know.
///
/// There is a lane for each address, key and model, with limits of its own, so that keys and models do not slow each
/// other. The limits of a lane are those given here, and those that are learnt:
///
/// - from the headers that tell how much is left, and until when;
/// - from `Retry-After`: until then not one more call is sent;
/// - from calls that are refused (429): the rate falls to what the provider took, and rises again with every success.
///
/// Requests wait in the order in which they came; what is asked again goes before requests that came later. A request
/// whose [deadline](crate::Budget::with_deadline) comes before its turn fails at once with
/// [`ErrorKind::Budget`](crate::ErrorKind::Budget); one that would wait for a closed lane for longer than
/// [`Retry::with_longest_retry_after`](crate::Retry::with_longest_retry_after), with
/// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited). See [the guide](crate::docs::limits).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use std::time::Duration;
/// use instructor::Limiter;
///
/// let limiter = Limiter::new().with_requests_per_minute(60).with_concurrency(16);
/// # let script = (0..5).fold(Script::new(), |script, _| script.reply(Reply::value(json!("Ada"))));
/// # let builder = script.builder("openai/gpt-5-mini");
/// // let builder = Client::builder().provider("openai/gpt-5-mini");
/// let client = builder.limiter(limiter.clone()).build()?;
/// # script.block_on(async {
/// for _ in 0..5 {
///     client.create::<String>("Who wrote the first program?").await?;
/// }
/// # Ok::<(), instructor::Error>(())
/// # })?;
/// // Three went at once, then one in a second.
/// # assert_eq!(script.sent().last().unwrap().at(), Duration::from_secs(2));
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Limiter {
    limits: Limits,
    lanes: Arc<Lanes>,
}

/// What the caller has given.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    requests_per_second: Option<Rate>,
    requests_per_minute: Option<Rate>,
    tokens_per_minute: Option<Rate>,
    concurrency: Option<usize>,
}

/// The setters make a limiter of its own, that shares nothing with the one before: it is set up first, and cloned then.
impl Limiter {
    /// One that knows nothing and learns everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// With at most this many calls in any minute (0 counts as 1). After a pause some go at once, the others evenly.
    pub fn with_requests_per_minute(self, requests: u64) -> Self {
        let requests_per_minute = Some(Rate::new(requests, Duration::from_secs(60)));
        Self::of(Limits { requests_per_minute, ..self.limits })
    }

    /// With at most this many calls in any second (0 counts as 1).
    pub fn with_requests_per_second(self, requests: u64) -> Self {
        let requests_per_second = Some(Rate::new(requests, Duration::from_secs(1)));
        Self::of(Limits { requests_per_second, ..self.limits })
    }

    /// With at most this many tokens in any minute (0 counts as 1), input and output. Before a call they are estimated:
    /// a token for four bytes, and as many output tokens as calls had so far, or else
    /// [`max_tokens`](crate::Request::max_tokens); after it they are put right. A call that is larger than the limit
    /// goes when nothing else did for a minute.
    pub fn with_tokens_per_minute(self, tokens: u64) -> Self {
        let tokens_per_minute = Some(Rate::new(tokens, Duration::from_secs(60)));
        Self::of(Limits { tokens_per_minute, ..self.limits })
    }

    /// With at most this many calls under way (0 counts as 1). A streamed answer is under way until it is read or
    /// dropped.
    pub fn with_concurrency(self, calls: usize) -> Self {
        Self::of(Limits { concurrency: Some(calls), ..self.limits })
    }

    fn of(limits: Limits) -> Self {
        Self { limits, lanes: Arc::default() }
    }

    /// A place in all queues: who has a lower one is first.
    pub(crate) fn ticket(&self) -> u64 {
        self.lanes.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// The lane of an address, a model, and whose calls they are.
    pub(crate) fn lane(&self, address: String, whose: Whose<'_>, model: &str, now: Duration) -> Arc<Lane> {
        let key = Key { address, model: String::from(model), whose: self.lanes.random.hash_one(whose) };
        let mut lanes = self.lanes.known.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= MANY && lanes.len() == lanes.capacity() && !lanes.contains_key(&key) {
            lanes.retain(|_, lane| lane.state().idle().is_none_or(|since| since + HOUR > now));
        }
        let lane = lanes.entry(key).or_insert_with(|| Arc::new(Lane(Mutex::new(State::new(&self.limits)))));
        Arc::clone(lane)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// From so many lanes on, those are dropped that nobody used for an hour, whenever the table is full.
const MANY: usize = 64;
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Lanes {
    /// Of a key only a number is kept, and that number says nothing to anybody else.
    random: RandomState,
    tickets: AtomicU64,
    known: Mutex<HashMap<Key, Arc<Lane>>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    address: String,
    model: String,
    whose: u64,
}

/// Whose calls they are.
#[derive(Clone, Copy, Hash)]
pub(crate) enum Whose<'a> {
    Nobody,
    Key(&'a str),
    /// A source of credentials, which are others every hour.
    Source(u64),
}

/// What is known of one lane.
pub(crate) struct Lane(Mutex<State>);

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything depends on how many tokens a call has.
    pub(crate) fn counts_tokens(&self) -> bool {
        self.state().counts_tokens()
    }

    /// Does something, and wakes whom it concerns when the lock is free again.
    fn waking(&self, change: impl FnOnce(&mut State) -> Vec<Waker>) {
        let woken = change(&mut self.state());
        woken.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane(..)")
    }
}

/// A request that waits for its turn. When it is dropped, the others go on without it.
#[derive(Debug)]
pub(crate) struct Turn {
    lane: Arc<Lane>,
    ticket: u64,
    ask: Ask,
    waits: bool,
}

/// What became of a turn so far.
#[derive(Debug)]
pub(crate) enum Progress {
    Over(Result<Place, Late>),
    /// To look again at a time, if it is not woken before.
    Waits(Option<Duration>),
}

impl Turn {
    pub(crate) const fn new(lane: Arc<Lane>, ticket: u64, ask: Ask) -> Self {
        Self { lane, ticket, ask, waits: false }
    }

    /// Looks whether it is its turn. `waker` is told when it may be so.
    pub(crate) fn poll(&mut self, now: Duration, waker: &Waker) -> Progress {
        let look = self.lane.state().look(self.ticket, &self.ask, now, waker);
        match look {
            Look::Wait(until) => {
                self.waits = true;
                Progress::Waits(until)
            }
            Look::Late(late) => Progress::Over(Err(late)),
            Look::Enter(permit) => {
                self.waits = false;
                self.lane.waking(|state| state.first());
                Progress::Over(Ok(Place { lane: Arc::clone(&self.lane), permit: Some(permit) }))
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.waits {
            self.lane.waking(|state| state.forget(self.ticket));
        }
    }
}

/// The right to make one call. When it is dropped, the place is free again, and nothing is learnt of the call.
#[derive(Debug)]
pub(crate) struct Place {
    lane: Arc<Lane>,
    permit: Option<Permit>,
}

impl Place {
    /// Tells what came of the call, and is told for how long all calls were refused.
    pub(crate) fn leave(mut self, outcome: Outcome, now: Duration) -> Duration {
        if let Some(permit) = self.permit.take() {
            self.lane.waking(|state| state.leave(&permit, Some((outcome, now))));
        }
        self.lane.state().stuck(now)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.lane.waking(|state| state.leave(&permit, None));
        }
    }
}
