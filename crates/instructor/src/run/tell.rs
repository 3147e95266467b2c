//! What is told of a request to whoever looks on.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::outcome::Seen;
use super::{Attempt, Completion, Failure, Job, Now, Run, Step};
use crate::cache::CacheEvent;
use crate::error::{Error, ErrorKind};
use crate::hooks::{self, About, Done, End, Hooks, LastAttempt, Next};
use crate::message::Message;
use crate::trace::{Scope, Trace};
use crate::wire::{self, Usage};

/// What is known of a request besides what its report tells.
pub(super) struct Told<'a> {
    id: u64,
    trace: Trace<'a>,
    hops: usize,
    /// A call is being made.
    pub(super) calling: bool,
    ended: bool,
}

/// What of it goes along from one target to the next.
pub(super) struct Thread {
    id: u64,
    scope: Scope,
    /// How many hops were told.
    hops: usize,
}

impl<'a> Told<'a> {
    pub(super) fn new(job: &'a Job<'a>, thread: Option<Thread>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let (id, trace, hops) = match thread {
            Some(Thread { id, scope, hops }) => (id, Trace::resumed(job, scope), hops),
            None => {
                let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
                (id, Trace::new(job, id), 0)
            }
        };
        Self { id, trace, hops, calling: false, ended: false }
    }

    pub(super) fn into_thread(self) -> Thread {
        Thread { id: self.id, scope: self.trace.request(), hops: self.hops }
    }
}

impl<'a> Run<'a> {
    /// Whether anybody looks on: where nobody does, nothing is made to be told.
    fn is_watched(&self) -> bool {
        !self.job.hooks.is_empty() || self.told.trace.is_on()
    }

    fn tell(&self, tell: impl Fn(&dyn Hooks)) {
        if self.told.trace.is_on() {
            tell(&self.told.trace);
        }
        tell(self.job.hooks);
    }

    /// The span of all of it.
    pub(crate) fn scope(&self) -> Scope {
        self.told.trace.request()
    }

    /// The span of the call that is being made.
    pub(crate) fn call_scope(&self) -> Scope {
        self.told.trace.call()
    }

    fn about(&self) -> About<'a> {
        let job = self.job;
        About {
            id: self.told.id,
            provider: job.endpoint.profile.id(),
            model: job.model_of(self.draft.is_some()),
            contract: job.contract.name(),
        }
    }

    /// Which call comes next, or is being made.
    pub(super) fn number(&self) -> u32 {
        self.report.attempts.len() as u32 + 1
    }

    pub(super) fn tell_fetched(&self, from: usize) {
        if !self.is_watched() {
            return;
        }
        for fetched in self.report.fetched.iter().skip(from) {
            let event = hooks::Fetch { about: self.about(), fetched };
            self.tell(|hooks| hooks.on_fetch(&event));
        }
    }

    /// Tells of the targets that the request has left for this one.
    pub(super) fn tell_hops(&mut self) {
        let from = std::mem::replace(&mut self.told.hops, self.report.hops.len());
        if !self.is_watched() {
            return;
        }
        for hop in self.report.hops.iter().skip(from) {
            let event = hooks::Hopped { about: self.about(), hop };
            self.tell(|hooks| hooks.on_hop(&event));
        }
    }

    pub(super) fn tell_cache(&self, event: &CacheEvent) {
        if self.is_watched() {
            let event = hooks::Cache { about: self.about(), event };
            self.tell(|hooks| hooks.on_cache(&event));
        }
    }

    pub(super) fn tell_request(&self, messages: &[Message], http: &http::Request<Bytes>) {
        if !self.is_watched() {
            return;
        }
        let event = hooks::Request {
            about: self.about(),
            attempt: self.number(),
            mode: self.plan.mode,
            strict: self.plan.strict(),
            waited: self.waited,
            streamed: self.job.streams(&self.plan.lower(&self.plan.tools()).output),
            messages,
            turns: &self.turns,
            http,
        };
        self.tell(|hooks| hooks.on_request(&event));
    }

    pub(super) fn tell_response(&self, seen: &Seen, response: Option<&wire::Response>, usage: Usage, now: Now) {
        if !self.is_watched() {
            return;
        }
        let event = hooks::Response {
            about: self.about(),
            attempt: self.number(),
            status: seen.status.unwrap_or_default(),
            elapsed: now.monotonic.saturating_sub(self.sent),
            usage,
            rate_limits: self.rate_limits,
            request_id: seen.request_id.as_deref(),
            response,
            body: seen.body.as_deref().unwrap_or_default(),
        };
        self.tell(|hooks| hooks.on_response(&event));
    }

    pub(super) fn tell_repaired(&self, attempt: &Attempt) {
        if attempt.repairs.is_empty() || !self.is_watched() {
            return;
        }
        let event = hooks::Repaired { about: self.about(), attempt };
        self.tell(|hooks| hooks.on_repair(&event));
    }

    /// Tells of the attempt that failed last, and of what is going to be done about it.
    pub(super) fn tell_failed(&self, failure: &Failure, next: Next) {
        let Some(attempt) = self.report.attempts.last().filter(|_| self.is_watched()) else { return };
        let about = self.about();
        let event = hooks::Failure { about, attempt, retry_after: failure.retry_after, next };
        let of_answer = failure.is_of_answer();
        self.tell(|hooks| if of_answer { hooks.on_parse_error(&event) } else { hooks.on_error(&event) });
        match next {
            Next::Reask | Next::Continue => {
                let event = hooks::Reask { about, attempt: self.number(), turns: &self.turns };
                self.tell(|hooks| hooks.on_reask(&event));
            }
            Next::StepDown => {
                let (mode, strict) = (self.plan.mode, self.plan.strict());
                let event = hooks::StepDown { about, attempt, mode, strict };
                self.tell(|hooks| hooks.on_step_down(&event));
            }
            Next::Resend { .. } | Next::Stop => {}
        }
    }

    /// The end, told before it comes.
    pub(super) fn done(&mut self, end: Result<Completion, Error>) -> Step {
        self.told.ended = true;
        // It goes on elsewhere.
        if end.as_ref().err().is_some_and(|error| self.goes_onward(error.kind())) {
            return Step::Done(end);
        }
        if self.is_watched() {
            let about = self.about();
            if let Some(error) = end.as_ref().err().filter(|error| !error.report().attempts().is_empty()) {
                let event = LastAttempt { about, error };
                self.tell(|hooks| hooks.on_last_attempt(&event));
            }
            let event = Done { about, end: end.as_ref().map_or_else(End::Err, End::Ok) };
            self.tell(|hooks| hooks.on_done(&event));
        }
        Step::Done(end)
    }

    /// Whether its end was told.
    pub(crate) const fn has_ended(&self) -> bool {
        self.told.ended
    }

    /// Nobody wants it any more.
    pub(crate) fn cancel(&mut self, now: Now) {
        if std::mem::replace(&mut self.told.ended, true) {
            return;
        }
        if self.told.calling {
            let failure = Failure::new(ErrorKind::Cancelled, "the request was dropped");
            // An answer that was being checked is there, and has been paid for.
            let held = self.held.take().map(|held| (held.seen, held.response.usage, held.response.model));
            let (seen, usage, model) = held.unwrap_or_default();
            self.attempt(Some(&failure), Vec::new(), &seen, usage, model.as_deref(), now);
        }
        let report = self.close(now);
        if self.is_watched() {
            let event = Done { about: self.about(), end: End::Cancelled(&report) };
            self.tell(|hooks| hooks.on_done(&event));
        }
        self.report = report;
    }
}
