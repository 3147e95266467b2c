//! The engine: one request, from its first call to its value or error, as a state machine without I/O.
//!
//! [`Run::step`] takes what happened and says what to do next. Bytes and time come in as arguments, so that the async
//! driver, the blocking driver and the tests (with virtual time) are thin loops around the same machine.

mod fetch;
mod job;
mod listen;
mod memory;
mod policy;
mod report;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

pub(crate) use self::job::{Endpoint, Job, Shaping};
pub(crate) use self::listen::{Ending, Follow, Halt, Heard, Listener, Stop};
pub(crate) use self::memory::Memory;
pub use self::policy::{Budget, Retry, Wait};
use self::policy::{Remedy, remedy};
pub use self::report::{Attempt, Report};
pub(crate) use self::verdict::{Judge, brief};
use self::verdict::{Verdict, judge, judge_response, stopped};
use crate::credential::{Credential, Http, Keyring};
use crate::error::{Error, ErrorKind, TransportError, TransportErrorKind};
use crate::media::{Fetching, Get};
use crate::message::Message;
use crate::mode::Plan;
use crate::repair::Repair;
use crate::validate::Issues;
use crate::wire::{Declined, RateLimits, Response, Usage};

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
    /// A credential, or why there is none.
    Authorised(Result<Arc<Credential>, Error>),
    Answer(Answer),
    /// A streamed answer came to its end, one or another.
    Heard(Box<Heard>),
    Failed(TransportError),
    /// What came of a fetch.
    Fetched(Result<Answer, TransportError>),
}

/// An HTTP answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    Authorise(Authorise),
    Send {
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    },
    /// Get media for the request.
    Fetch(Get),
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

/// A failed attempt, before it is decided what to do about it.
struct Failure {
    kind: ErrorKind,
    detail: String,
    issues: Issues,
    /// The issues in the terms of what the model wrote, where these are not the type's.
    told: Option<Issues>,
    repairs: Vec<Repair>,
    /// The answer that was rejected, for the re-ask.
    rejected: Option<Response>,
    /// What the provider does not take, if that is the schema or its form.
    declined: Option<Declined>,
    usage: Usage,
    retry_after: Option<Duration>,
    source: Option<TransportError>,
    /// After about how many output tokens the answer was read no further.
    stopped: Option<u64>,
    /// The connection broke, not the model: the same request may well be answered in full.
    broken: bool,
}

impl Failure {
    fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            issues: Issues::new(),
            told: None,
            repairs: Vec::new(),
            rejected: None,
            declined: None,
            usage: Usage::default(),
            retry_after: None,
            source: None,
            stopped: None,
            broken: false,
        }
    }

    fn lost_connection(&self) -> bool {
        self.source.as_ref().is_some_and(|error| error.kind() == TransportErrorKind::Closed)
    }
}

/// A running request.
pub(crate) struct Run<'a> {
    job: &'a Job<'a>,
    judge: &'a mut Judge<'a>,
    /// How it is asked for now.
    plan: Plan<'a>,
    /// The media that are not here yet.
    fetching: Option<Fetching>,
    /// The caller's messages with what was fetched for them.
    completed: Option<Vec<Message>>,
    /// The text that the value is made of, once it is there, and the messages that stand for the caller's then.
    draft: Option<(Response, Vec<Message>)>,
    /// The turns of the re-ask that comes next: the last rejected answer and what was wrong with it.
    turns: Vec<Message>,
    report: Report,
    started: Duration,
    sent: Duration,
    waited: Duration,
    /// What the last answer said of them.
    rate_limits: RateLimits,
    sent_bytes: usize,
    answer_failures: u32,
    service_failures: u32,
    tokens: u64,
    /// What requests are authorised with, where that is no key.
    credential: Option<Arc<Credential>>,
    /// The one that the provider refused: it is asked once more, with another.
    refused: Option<Arc<Credential>>,
    /// Something of an answer was given out, so that no other can take its place.
    given: bool,
    /// The last failure, for when a budget ends before there is another.
    last: Option<(Failure, Option<u16>, Option<Bytes>)>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(job: &'a Job<'a>, judge: &'a mut Judge<'a>) -> Self {
        Self {
            job,
            judge,
            plan: job.plan,
            fetching: job.fetching(),
            completed: None,
            draft: None,
            turns: Vec::new(),
            report: Report::default(),
            started: Duration::ZERO,
            sent: Duration::ZERO,
            waited: Duration::ZERO,
            rate_limits: RateLimits::default(),
            sent_bytes: 0,
            answer_failures: 0,
            service_failures: 0,
            tokens: 0,
            credential: None,
            refused: None,
            given: false,
            last: None,
        }
    }

    /// Takes what happened and says what to do.
    pub(crate) fn step(&mut self, event: Event, now: Now) -> Step {
        match event {
            Event::Begin => {
                self.started = now.monotonic;
                self.fetch(now)
            }
            Event::Woke => self.send(now),
            Event::Authorised(Ok(credential)) => self.authorised(credential, now),
            Event::Authorised(Err(error)) => {
                let failure = Failure::new(error.kind(), error.message());
                self.failed(failure, None, 0, None, now)
            }
            Event::Answer(answer) => self.answered(answer, now),
            Event::Heard(heard) => self.heard(heard, now),
            Event::Failed(error) => self.unanswered(error, now),
            Event::Fetched(answer) => self.fetched(answer, now),
        }
    }

    fn elapsed(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.started)
    }

    /// The next request, or first what authorises it.
    fn send(&mut self, now: Now) -> Step {
        if let Some(why) = self.spent(now, Duration::ZERO) {
            return self.over(why, now);
        }
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
        if let Some((failure, status, body)) = self.last.take_if(|_| {
            let refused = self.refused.as_ref().filter(|_| self.credential.is_none());
            refused.is_some_and(|refused| refused.proof == credential.proof)
        }) {
            return self.give_up(failure, status, body, now);
        }
        self.credential = Some(credential);
        match self.spent(now, Duration::ZERO) {
            Some(why) => self.over(why, now),
            None => self.dispatch(now),
        }
    }

    fn dispatch(&mut self, now: Now) -> Step {
        let Endpoint { profile, signer, .. } = &self.job.endpoint;
        let messages = match (&self.draft, &self.completed) {
            (Some((_, messages)), _) | (None, Some(messages)) => messages,
            (None, None) => self.job.messages,
        };
        let request = self.job.encode(&self.plan, messages, &self.turns, self.draft.is_some()).and_then(
            |mut request| match &self.credential {
                None => Ok(request),
                Some(held) => profile.authorise(&mut request, held, signer.as_ref(), now.unix).map(|()| request),
            },
        );
        let request = match request {
            Ok(request) => request,
            Err(error) => return Step::Done(Err(error.with_report(self.close(now)))),
        };
        self.sent = now.monotonic;
        self.sent_bytes = request.body().len();
        Step::Send { request, timeout: self.timeout(now) }
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
        let deadline = budget.deadline.filter(|&deadline| self.elapsed(now) + wait >= deadline)?;
        Some(match wait.as_millis() {
            0 => format!("the deadline of {deadline:?} has passed"),
            ms => format!("the deadline of {deadline:?} comes before the wait of {ms} ms ends"),
        })
    }

    fn unanswered(&mut self, error: TransportError, now: Now) -> Step {
        let (kind, detail) = unanswered(&error);
        let failure = Failure { source: Some(error), ..Failure::new(kind, detail) };
        self.failed(failure, None, 0, None, now)
    }

    fn answered(&mut self, answer: Answer, now: Now) -> Step {
        let Answer { status, headers, body } = answer;
        self.note_limits(&headers, now);
        let verdict = judge(self.job, &self.plan, self.judge, status, &headers, &body, now.unix);
        let size = body.len();
        self.judged(verdict, (status, request_id(&headers)), size, body, now)
    }

    /// Follows an answer that is going to be streamed.
    pub(crate) fn listener(&self, follow: &mut dyn Follow) -> Listener<'a> {
        follow.begin(&self.plan);
        Listener::new(&self.job.endpoint.profile, self.plan)
    }

    fn heard(&mut self, heard: Box<Heard>, now: Now) -> Step {
        let Heard { status, headers, size, tail, given, ending } = *heard;
        self.note_limits(&headers, now);
        let verdict = match ending {
            Ending::Finished(outcome) => judge_response(self.job, &self.plan, self.judge, outcome, given),
            Ending::Stopped(response, stop) => Verdict::Failed(stopped(response, stop)),
            Ending::Broken(usage, error) => {
                let (kind, detail) = unanswered(&error);
                let cut = error.kind() == TransportErrorKind::Interrupted;
                let kind = if cut { ErrorKind::Truncated } else { kind };
                Verdict::Failed(Failure { usage, broken: true, source: Some(error), ..Failure::new(kind, detail) })
            }
        };
        self.given |= given;
        self.judged(verdict, (status, request_id(&headers)), size, tail, now)
    }

    fn note_limits(&mut self, headers: &HeaderMap, now: Now) {
        self.rate_limits = RateLimits::read(headers, self.job.endpoint.profile.wire().limits(), now.unix);
    }

    fn judged(
        &mut self,
        verdict: Verdict<'a>,
        seen: (u16, Option<String>),
        size: usize,
        body: Bytes,
        now: Now,
    ) -> Step {
        let (status, id) = seen;
        match verdict {
            Verdict::Taken(response, repairs) => {
                self.learn();
                self.attempt(None, Some(status), id, response.usage, size, now);
                if let Some(attempt) = self.report.attempts.last_mut() {
                    attempt.repairs = repairs;
                }
                let draft = self.draft.take().map(|(draft, _)| Box::new(draft));
                Step::Done(Ok(Completion { response, draft, raw: body, report: self.close(now) }))
            }
            Verdict::Drafted(response, messages, shaping) => {
                self.attempt(None, Some(status), id, response.usage, size, now);
                self.plan = shaping.plan;
                self.draft = Some((response, messages));
                self.last = None;
                self.send(now)
            }
            Verdict::Failed(mut failure) => {
                if failure.kind == ErrorKind::RateLimited {
                    failure.retry_after = failure.retry_after.or_else(|| self.rate_limits.wait());
                }
                failure.detail = self.masked(failure.detail);
                let origin = self.credential.as_ref().and_then(|held| held.origin());
                if let Some(origin) = origin.filter(|_| failure.kind == ErrorKind::Auth) {
                    failure.detail.push_str(&format!(" (the credential came from {origin})"));
                }
                // A wrong answer too was made in the form that was asked for.
                if failure.rejected.is_some() {
                    self.learn();
                }
                self.failed(failure, Some((status, id)), size, Some(body), now)
            }
        }
    }

    /// Notes that the provider took the plan, if it had refused another.
    fn learn(&self) {
        let shaping = self.job.shaping.filter(|_| self.draft.is_some());
        let first = shaping.map_or(self.job.plan, |shaping| shaping.plan);
        if self.plan.rung() != first.rung() {
            self.job.memory.learn(self.job.model_of(shaping.is_some()), self.job.contract, self.plan.rung());
        }
    }

    /// Asks in the next way after a refusal, which is neither a re-ask nor a retry: what was refused was not tried. The
    /// turns of a re-ask are in the words of the mode before, so they go; the caller's messages stay.
    fn step_down(&mut self, mut failure: Failure, status: Option<u16>, body: Option<Bytes>, now: Now) -> Step {
        // No attempts of the retry policy are spent, but its delay holds.
        let below = if self.job.retry.goes_on(0, self.elapsed(now)) { self.plan.below(failure.declined) } else { None };
        let Some(below) = below else {
            failure.detail = format!("{}; {}", failure.detail, self.plan.advice());
            return self.give_up(failure, status, body, now);
        };
        self.plan = below;
        self.turns.clear();
        self.last = Some((failure, status, body));
        self.send(now)
    }

    fn attempt(
        &mut self,
        failure: Option<(ErrorKind, &str, &Issues)>,
        status: Option<u16>,
        request_id: Option<String>,
        usage: Usage,
        body: usize,
        now: Now,
    ) {
        let (detail, issues) = failure.map_or((String::new(), Issues::new()), |(_, d, i)| (String::from(d), i.clone()));
        // A token is about four bytes; counts that the provider leaves out must not make the budget endless.
        let guess = status.map_or(0, |_| (self.sent_bytes + body) as u64 / 4);
        self.tokens += usage.total().unwrap_or(guess);
        self.report.attempts.push(Attempt {
            number: self.report.attempts.len() as u32 + 1,
            mode: self.plan.mode,
            strict: self.plan.strict(),
            failure: failure.map(|(kind, ..)| kind),
            status,
            usage,
            elapsed: now.monotonic.saturating_sub(self.sent),
            waited: std::mem::take(&mut self.waited),
            request_id,
            rate_limits: std::mem::take(&mut self.rate_limits),
            issues,
            repairs: Vec::new(),
            stopped: None,
            detail,
        });
    }

    fn failed(
        &mut self,
        mut failure: Failure,
        seen: Option<(u16, Option<String>)>,
        size: usize,
        body: Option<Bytes>,
        now: Now,
    ) -> Step {
        let (status, id) = seen.map_or((None, None), |(status, id)| (Some(status), id));
        self.attempt(Some((failure.kind, &failure.detail, &failure.issues)), status, id, failure.usage, size, now);
        if let Some(attempt) = self.report.attempts.last_mut() {
            attempt.repairs = std::mem::take(&mut failure.repairs);
            attempt.stopped = failure.stopped;
        }
        let unsaid = failure.usage.total().and(failure.stopped).unwrap_or_default();
        self.tokens += unsaid.saturating_sub(failure.usage.output.unwrap_or_default());
        let retry = &self.job.retry;
        let remedy = if self.given {
            Remedy::Stop
        } else if failure.broken {
            Remedy::Resend
        } else {
            remedy(failure.kind)
        };
        let failures = match remedy {
            Remedy::Stop if self.ended(failure.kind, status) => return self.renew(failure, status, body, now),
            Remedy::Stop => return self.give_up(failure, status, body, now),
            Remedy::StepDown => return self.step_down(failure, status, body, now),
            Remedy::Reask => &mut self.answer_failures,
            Remedy::Resend => &mut self.service_failures,
        };
        *failures += 1;
        let before = *failures - 1;
        let retried = if failure.broken { retry.resends(failure.kind) } else { retry.retries(failure.kind) };
        if !retried || !retry.goes_on(before + 1, self.elapsed(now)) {
            // The deadline is why a call that it cut is not tried again.
            let cut = failure.kind == ErrorKind::Transport;
            if let Some(why) = self.spent(now, Duration::ZERO).filter(|_| cut) {
                self.last = Some((failure, status, body));
                return self.over(why, now);
            }
            return self.give_up(failure, status, body, now);
        }
        let rejected = failure.rejected.take();
        if let Some(rejected) = rejected {
            self.turns = self.plan.reask(rejected, failure.told.as_ref().unwrap_or(&failure.issues));
            self.last = Some((failure, status, body));
            return self.send(now);
        }
        // There is no answer to object to: the same request goes out again, once the service had time.
        let wait = match failure.retry_after {
            Some(asked) if asked > retry.longest_retry_after() => return self.give_up(failure, status, body, now),
            Some(asked) => asked,
            // It was kept open for too long, most likely: the next one is new.
            None if failure.lost_connection() && self.first_of(failure.kind) => Duration::ZERO,
            None => retry.wait().before(before, fastrand::f64()),
        };
        self.last = Some((failure, status, body));
        if let Some(why) = self.spent(now, wait) {
            return self.over(why, now);
        }
        self.waited = wait;
        if wait.is_zero() { self.send(now) } else { Step::Wait(wait) }
    }

    /// Whether the credential may have ended before its time: AWS says that with another status than all others, and
    /// with the same as it says that something is not allowed. One more credential is tried, and no third.
    fn ended(&self, kind: ErrorKind, status: Option<u16>) -> bool {
        let signed = self.job.endpoint.signer.is_some();
        kind == ErrorKind::Auth
            && self.credential.is_some()
            && self.refused.is_none()
            && (status == Some(401) || signed && status.is_some())
    }

    fn renew(&mut self, failure: Failure, status: Option<u16>, body: Option<Bytes>, now: Now) -> Step {
        self.refused = self.credential.take();
        self.last = Some((failure, status, body));
        self.send(now)
    }

    /// What a provider says, without what it was told in confidence.
    fn masked(&self, text: String) -> String {
        let text = match &self.job.endpoint.key {
            Some(key) => key.masked(text),
            None => text,
        };
        match &self.credential {
            Some(credential) => credential.masked(text),
            None => text,
        }
    }

    /// Whether the last attempt failed of something that the one before it did not.
    fn first_of(&self, kind: ErrorKind) -> bool {
        self.report.attempts.iter().rev().nth(1).is_none_or(|before| before.failure != Some(kind))
    }

    fn close(&mut self, now: Now) -> Report {
        let mut report = std::mem::take(&mut self.report);
        report.elapsed = self.elapsed(now);
        report
    }

    fn give_up(&mut self, failure: Failure, status: Option<u16>, body: Option<Bytes>, now: Now) -> Step {
        let kind = failure.kind;
        self.finish(kind, None, failure, status, body, now)
    }

    /// A limit of the budget ended the request.
    fn over(&mut self, why: String, now: Now) -> Step {
        let (failure, status, body) =
            self.last.take().unwrap_or_else(|| (Failure::new(ErrorKind::Budget, ""), None, None));
        self.finish(ErrorKind::Budget, Some(why), failure, status, body, now)
    }

    fn finish(
        &mut self,
        kind: ErrorKind,
        why: Option<String>,
        failure: Failure,
        status: Option<u16>,
        body: Option<Bytes>,
        now: Now,
    ) -> Step {
        let message = match why {
            None => failure.detail,
            Some(why) if failure.kind == ErrorKind::Budget => why,
            Some(why) => format!("{why}; last failure: {}: {}", failure.kind, failure.detail),
        };
        let error = Error::new(kind, message)
            .with_issues(failure.issues)
            .with_report(self.close(now))
            .with_raw(body)
            .with_status(status)
            .with_retry_after(failure.retry_after)
            .with_source(failure.source.map(Into::into));
        Step::Done(Err(error))
    }
}

/// The provider's id of a request.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let names = ["x-request-id", "request-id", "x-amzn-requestid"];
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(String::from)
}

/// The kind of failure that a transport's error is, and what to say of it.
fn unanswered(error: &TransportError) -> (ErrorKind, String) {
    let kind = match error.kind() {
        TransportErrorKind::TooLarge => ErrorKind::Malformed,
        TransportErrorKind::Request | TransportErrorKind::Forbidden => ErrorKind::Config,
        _ => ErrorKind::Transport,
    };
    let detail = match error.cause() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    (kind, detail)
}
