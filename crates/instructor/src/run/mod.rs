//! The engine: one request, from its first call to its value or error, as a state machine without I/O.
//!
//! [`Run::step`] takes what happened and says what to do next. Bytes and time come in as arguments, so that the async
//! driver, the blocking driver and the tests (with virtual time) are thin loops around the same machine.

mod at_hand;
mod cached;
mod charge;
mod checks;
mod failure;
mod fetch;
mod hop;
mod job;
mod listen;
mod memory;
mod outcome;
mod patch;
mod policy;
mod queue;
mod repeat;
mod report;
mod rest;
mod spare;
mod tell;
mod verdict;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

pub(crate) use self::at_hand::AtHand;
use self::cached::Dealing;
pub(crate) use self::cached::{Ask, Cached, Word};
pub(crate) use self::checks::CheckTime;
use self::checks::Held;
use self::failure::Failure;
pub(crate) use self::failure::unanswered;
pub(crate) use self::hop::Carried;
pub(crate) use self::job::{Endpoint, Job, Shaping};
pub(crate) use self::listen::{Called, Ending, Follow, Given, Halt, Heard, Left, Listener, Stop, said};
pub(crate) use self::memory::Memory;
use self::outcome::Seen;
use self::patch::Patching;
pub use self::patch::ReAsk;
pub(crate) use self::patch::Shelf;
pub use self::policy::{Budget, Retry, Wait};
pub(crate) use self::policy::{Kinds, Onward};
use self::repeat::Mark;
pub use self::repeat::Repeat;
pub use self::report::{Attempt, Hop, Report};
pub use self::rest::Truncated;
use self::spare::Kept;
use self::tell::{Thread, Told};
pub(crate) use self::verdict::{Judge, Judges, brief};
use crate::cost::{Call, Money};
use crate::credential::{Credential, Http, Keyring};
use crate::error::{Error, TransportError};
use crate::limiter::{Late, Place, Turn};
use crate::media::{Fetching, Get};
use crate::message::Message;
use crate::mode::Plan;
use crate::validate::Checked;
use crate::wire::{RateLimits, Response, Settings};

/// A point in time, on two clocks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Now {
    /// On a monotonic clock, since any fixed point.
    pub monotonic: Duration,
    /// On the wall clock, since the Unix epoch.
    pub unix: Duration,
}

impl Now {
    /// The two clocks at one moment.
    #[must_use]
    pub const fn new(monotonic: Duration, unix: Duration) -> Self {
        Self { monotonic, unix }
    }
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    Begin,
    /// The wait is over.
    Woke,
    /// It is the request's turn, or why there is none for it.
    Entered(Result<Place, Late>),
    /// A credential, or why there is none.
    Authorised(Result<Arc<Credential>, Error>),
    Answer(Answer),
    /// A streamed answer came to its end, one or another.
    Heard(Box<Heard>),
    Failed(TransportError),
    /// What came of the checks of an answer.
    Checked(Checked),
    /// What came of a fetch.
    Fetched(Result<Answer, TransportError>),
    /// What the request's cache said.
    Cached(Word),
}

/// An HTTP answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Wait for the request's turn.
    Enter(Turn),
    Authorise(Authorise),
    Send {
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    },
    /// Await the [checks](Run::checks) of the answer, at most for this long.
    Check(Duration),
    /// Get media for the request.
    Fetch(Get),
    /// Ask the request's cache.
    Cache(Ask),
    Wait(Duration),
    Done(Result<Completion, Error>),
}

/// A credential is wanted: from the keyring, within a time.
#[derive(Debug)]
pub(crate) struct Authorise {
    keyring: Arc<Keyring>,
    /// One that a provider has refused: not this one again.
    refused: Option<Arc<Credential>>,
    pub(crate) timeout: Option<Duration>,
}

impl Authorise {
    pub(crate) fn new(keyring: &Arc<Keyring>, timeout: Option<Duration>) -> Self {
        Self { keyring: Arc::clone(keyring), refused: None, timeout }
    }

    pub(crate) async fn from(&self, http: &Http<'_>) -> Result<Arc<Credential>, Error> {
        self.keyring.get(http, self.refused.as_ref()).await
    }
}

/// A whole answer of a provider with the story of how it was got.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Completion {
    /// The answer that gave the value, in neutral words.
    pub response: Response,
    /// The answer before it, in plain text, that the value was made of: with
    /// [`Mode::ThinkThenShape`](crate::Mode::ThinkThenShape).
    pub draft: Option<Box<Response>>,
    /// The body of that answer, as it came.
    pub raw: Bytes,
    /// Every attempt, with usage and timing.
    pub report: Report,
}

impl Completion {
    /// As one that another request was sent for.
    pub(crate) fn shared(&self) -> Self {
        Self { report: Report { shared: true, ..self.report.clone() }, ..self.clone() }
    }
}

/// A running request.
pub(crate) struct Run<'a> {
    job: &'a Job<'a>,
    judge: &'a mut Judge<'a>,
    /// How it is asked for now.
    plan: Plan<'a>,
    /// An answer that is taken in the place of the first that would be sent for.
    at_hand: Option<AtHand>,
    /// How much of the price the call costs, in per cent.
    percent: u8,
    /// The media that are not here yet.
    fetching: Option<Fetching>,
    /// The caller's messages with what was fetched for them.
    completed: Option<Vec<Message>>,
    /// The text that the value is made of, once it is there, and the messages that stand for the caller's then.
    draft: Option<(Response, Vec<Message>)>,
    /// The parts of an answer that are asked for now, and not all of it.
    patching: Option<Patching<'a>>,
    /// How often the rest of an answer was asked for.
    rounds: u32,
    /// The settings with a higher limit of tokens, once it was too low.
    raised: Option<Box<Settings>>,
    /// The turns of the re-ask that comes next: the last rejected answer and what was wrong with it.
    turns: Vec<Message>,
    report: Report,
    started: Duration,
    /// It began at another target.
    resumed: bool,
    sent: Duration,
    waited: Duration,
    /// How much of it for its turn.
    queued: Duration,
    /// Its place in the limiter's queues, as long as it runs.
    ticket: Option<u64>,
    /// What the limiter allows it to send.
    place: Option<Place>,
    /// For how long all calls were refused that the limiter knows of.
    stuck: Duration,
    /// What the last answer said of them.
    rate_limits: RateLimits,
    sent_bytes: usize,
    answer_failures: u32,
    service_failures: u32,
    tokens: u64,
    /// What was spent, with an estimate of what was not counted.
    money: Money,
    /// The call that is under way, for the ledger.
    call: Option<Call>,
    /// What requests are authorised with, where that is no key.
    credential: Option<Arc<Credential>>,
    /// The one that the provider refused: it is asked once more, with another.
    refused: Option<Arc<Credential>>,
    /// Something of an answer was given out, so that no other can take its place.
    given: bool,
    /// What was wrong with the last answer that was wrong.
    mistakes: Option<Mark>,
    /// The temperature is the model's own.
    own_temperature: bool,
    /// The mode is another for another reason than that one was refused.
    strayed: bool,
    /// An answer that is being checked.
    held: Option<Held>,
    /// The last failure, for when a budget ends before there is another.
    last: Option<(Failure, Seen)>,
    /// The last answer that is taken where no better one comes.
    kept: Option<Kept>,
    /// Its cache was asked, here or at another target.
    looked: bool,
    dealing: Dealing,
    told: Told<'a>,
}

impl<'a> Run<'a> {
    fn fresh(job: &'a Job<'a>, judge: &'a mut Judge<'a>, thread: Option<Thread>) -> Self {
        Self {
            job,
            judge,
            plan: job.plan,
            at_hand: None,
            percent: 100,
            fetching: job.fetching(),
            completed: None,
            draft: None,
            patching: None,
            rounds: 0,
            raised: None,
            turns: Vec::new(),
            report: Report::default(),
            started: Duration::ZERO,
            resumed: false,
            sent: Duration::ZERO,
            waited: Duration::ZERO,
            queued: Duration::ZERO,
            ticket: None,
            place: None,
            stuck: Duration::ZERO,
            rate_limits: RateLimits::default(),
            sent_bytes: 0,
            answer_failures: 0,
            service_failures: 0,
            tokens: 0,
            money: Money::ZERO,
            call: None,
            credential: None,
            refused: None,
            given: false,
            mistakes: None,
            own_temperature: false,
            strayed: false,
            held: None,
            last: None,
            kept: None,
            looked: false,
            dealing: Dealing::default(),
            told: Told::new(job, thread),
        }
    }

    /// Takes what happened and says what to do.
    pub(crate) fn step(&mut self, event: Event, now: Now) -> Step {
        match event {
            Event::Begin => {
                if !self.resumed {
                    self.started = now.monotonic;
                }
                self.tell_hops();
                self.open(now)
            }
            Event::Woke => self.look_again(now).unwrap_or_else(|| self.send(now)),
            Event::Entered(entered) => self.entered(entered, now),
            Event::Authorised(Ok(credential)) => self.authorised(credential, now),
            Event::Authorised(Err(error)) => {
                let failure = Failure::new(error.kind(), error.message());
                self.failed(failure, Seen::default(), now)
            }
            Event::Answer(answer) => self.answered(answer, now),
            Event::Heard(heard) => self.heard(heard, now),
            Event::Failed(error) => self.unanswered(error, now),
            Event::Checked(checked) => self.checked(checked, now),
            Event::Fetched(answer) => self.fetched(answer, now),
            Event::Cached(word) => self.store_said(word, now),
        }
    }

    fn elapsed(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.started)
    }

    /// The next request, or first its turn, or what authorises it.
    fn send(&mut self, now: Now) -> Step {
        if let Some(at_hand) = self.at_hand.take() {
            return self.take_at_hand(at_hand, now);
        }
        if let Some(why) = self.spent(now, Duration::ZERO) {
            return self.over(why, now);
        }
        match self.job.limiter {
            Some(limiter) => self.queue(limiter, now),
            None => self.authorise(now),
        }
    }

    fn authorise(&mut self, now: Now) -> Step {
        match &self.job.endpoint.keyring {
            None => self.dispatch(now),
            Some(keyring) => {
                self.sent = now.monotonic;
                self.sent_bytes = 0;
                Step::Authorise(Authorise {
                    keyring: Arc::clone(keyring),
                    refused: self.refused.clone(),
                    timeout: self.timeout(now),
                })
            }
        }
    }

    fn authorised(&mut self, credential: Arc<Credential>, now: Now) -> Step {
        // Where the same comes again, so does its refusal.
        if let Some((failure, seen)) = self.last.take_if(|_| {
            let refused = self.refused.as_ref().filter(|_| self.credential.is_none());
            refused.is_some_and(|refused| refused.proof == credential.proof)
        }) {
            return self.give_up(failure, seen, now);
        }
        self.credential = Some(credential);
        match self.spent(now, Duration::ZERO) {
            Some(why) => self.over(why, now),
            None => self.dispatch(now),
        }
    }

    fn dispatch(&mut self, now: Now) -> Step {
        let Endpoint { profile, signer, .. } = &self.job.endpoint;
        let request = self.encode().and_then(|mut request| match &self.credential {
            None => Ok(request),
            Some(held) => profile.authorise(&mut request, held, signer.as_ref(), now.unix).map(|()| request),
        });
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let error = error.with_report(self.close(now));
                return self.done(Err(error));
            }
        };
        self.tell_request(self.messages(), &request);
        self.told.calling = true;
        self.percent = 100;
        self.sent = now.monotonic;
        self.sent_bytes = request.body().len();
        let model = self.job.model_of(self.draft.is_some());
        self.call = Some(self.job.account.call(profile.id(), model, now.unix));
        Step::Send { request, timeout: self.timeout(now) }
    }

    pub(crate) fn encode(&self) -> Result<http::Request<Bytes>, Error> {
        let shaping = self.draft.is_some();
        let settings = self.raised.as_deref().unwrap_or(self.job.settings_of(shaping));
        let settings = match settings.temperature.filter(|_| self.own_temperature) {
            None => Cow::Borrowed(settings),
            Some(_) => Cow::Owned(Settings { temperature: None, ..settings.clone() }),
        };
        self.job.encode(&self.plan, self.messages(), &self.turns, shaping, Some(&settings))
    }

    /// What is said, before the turns of a re-ask.
    fn messages(&self) -> &[Message] {
        match (&self.draft, &self.completed) {
            (Some((_, messages)), _) | (None, Some(messages)) => messages,
            (None, None) => self.job.messages,
        }
    }

    /// The time that a call has which begins now.
    fn timeout(&self, now: Now) -> Option<Duration> {
        let left = self.job.budget.deadline.map(|deadline| deadline.saturating_sub(self.elapsed(now)));
        [self.job.timeout, left].into_iter().flatten().min()
    }

    /// Which limit of the budget leaves no room for another call after a wait, if one does.
    fn spent(&self, now: Now, wait: Duration) -> Option<String> {
        let budget = &self.job.budget;
        let calls = self.report.attempts.len();
        if let Some(most) = budget.attempts.filter(|&most| calls >= most as usize) {
            return Some(format!("{most} attempts are used"));
        }
        if let Some(most) = budget.tokens.filter(|&most| self.tokens >= most) {
            return Some(format!("{} of {most} tokens are used", self.tokens));
        }
        if let Some(most) = budget.cost.filter(|&most| self.money >= most) {
            return Some(format!("{} of {most} are spent", self.money));
        }
        let deadline = budget.deadline.filter(|&deadline| self.elapsed(now) + wait >= deadline)?;
        Some(match wait.as_millis() {
            0 => format!("the deadline of {deadline:?} has passed"),
            ms => format!("the deadline of {deadline:?} comes before the wait of {ms} ms ends"),
        })
    }

    /// Follows an answer that is going to be streamed.
    pub(crate) fn listener(&self, follow: &mut dyn Follow, now: Now) -> Listener<'a> {
        // Parts are not shown: what was shown of the whole stays until they are in their places.
        if self.patching.is_none() {
            follow.begin(&self.plan);
        }
        let purse = self.purse(now);
        Listener::new(&self.job.endpoint.profile, self.plan, self.patching.is_none(), purse)
    }
}
