//! What comes of an attempt, and what is done next: the value, another way to ask, another attempt, or the end.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use super::failure::{Failure, unanswered};
use super::patch::Patching;
use super::policy::{Remedy, remedy};
use super::spare::Lost;
use super::verdict::{Asked, Verdict, judge, read, stopped};
use super::{Answer, Attempt, Completion, Ending, Given, Heard, Left, Now, Report, Run, Step};
use crate::error::{Error, ErrorKind, TransportError, TransportErrorKind};
use crate::hooks::Next;
use crate::repair::Repair;
use crate::validate::Issues;
use crate::wire::{RateLimits, Response, Undecoded, Usage};

/// What was seen of an attempt, whatever came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) status: Option<u16>,
    /// The provider's id of the request.
    pub(super) request_id: Option<String>,
    /// The bytes that arrived.
    pub(super) size: usize,
    /// The body; the end of it, if it was streamed.
    pub(super) body: Option<Bytes>,
}

impl Seen {
    fn of(status: u16, headers: &HeaderMap, size: usize, body: Bytes) -> Self {
        let names = ["x-request-id", "request-id", "x-amzn-requestid"];
        let request_id = names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(String::from);
        Self { status: Some(status), request_id, size, body: Some(body) }
    }
}

impl<'a> Run<'a> {
    pub(super) fn unanswered(&mut self, error: TransportError, now: Now) -> Step {
        let (kind, detail) = unanswered(&error);
        let failure = Failure { source: Some(error), ..Failure::new(kind, detail) };
        self.failed(failure, Seen::default(), now)
    }

    pub(super) fn answered(&mut self, answer: Answer, now: Now) -> Step {
        let Answer { status, headers, body } = answer;
        self.note_limits(&headers, now);
        let outcome = read(&self.job.endpoint.profile, status, &headers, &body, now.unix);
        let seen = Seen::of(status, &headers, body.len(), body);
        self.read(outcome, Usage::default(), Given::default(), seen, now)
    }

    pub(super) fn heard(&mut self, heard: Box<Heard>, now: Now) -> Step {
        let Heard { status, headers, size, tail, given, ending } = *heard;
        self.note_limits(&headers, now);
        self.given |= given.any;
        let seen = Seen::of(status, &headers, size, tail);
        match ending {
            Ending::Finished(response) => self.read(Ok(response), Usage::default(), given, seen, now),
            Ending::Unread(counted, why) => self.read(Err(why), counted, given, seen, now),
            Ending::Stopped(response, stop) => {
                self.tell_response(&seen, Some(&response), response.usage, now);
                self.settled(Verdict::Failed(stopped(response, stop)), given, seen, now)
            }
            Ending::Broken(usage, error) => {
                self.tell_response(&seen, None, usage, now);
                let (kind, detail) = unanswered(&error);
                let cut = error.kind() == TransportErrorKind::Interrupted;
                let kind = if cut { ErrorKind::Truncated } else { kind };
                let failure = Failure { usage, broken: true, source: Some(error), ..Failure::new(kind, detail) };
                self.settled(Verdict::Failed(failure), given, seen, now)
            }
        }
    }

    /// What a body was read as; with what had been counted before it was known to be no response.
    fn read(
        &mut self,
        outcome: Result<Response, Undecoded>,
        counted: Usage,
        given: Given,
        seen: Seen,
        now: Now,
    ) -> Step {
        let (usage, unread) = match &outcome {
            Ok(response) => (response.usage, false),
            Err(Undecoded::Failure(failure)) => (failure.usage.as_deref().copied().unwrap_or(counted), true),
            Err(_) => (counted, true),
        };
        self.tell_response(&seen, outcome.as_ref().ok(), usage, now);
        // The user's validators run in the span of the call.
        let scope = self.call_scope();
        let asked = Asked { job: self.job, plan: &self.plan, patching: self.patching.as_ref() };
        let mut verdict = scope.within(|| judge(&asked, self.judge, outcome, &given));
        if let Verdict::Failed(failure) = &mut verdict
            && unread
        {
            failure.usage = usage;
        }
        match verdict {
            Verdict::Taken(response, done) if self.judge.has_checks() => self.hold(response, done, given, seen, now),
            verdict => self.settled(verdict, given, seen, now),
        }
    }

    /// What was done to parts that were given out belongs to the attempt.
    pub(super) fn settled(&mut self, mut verdict: Verdict<'a>, given: Given, seen: Seen, now: Now) -> Step {
        let Given { mut repairs, issues, left, json, .. } = given;
        match &mut verdict {
            Verdict::Taken(_, done) => {
                done.repairs.append(&mut repairs);
                done.issues.extend(issues);
                done.json = done.json.take().or(json);
            }
            Verdict::Failed(failure) => {
                failure.repairs.append(&mut repairs);
                // What was asked for is not in this answer, so it is asked for in the same words again.
                failure.rejected.take_if(|_| matches!(left, Some(Left::Odd { .. })));
            }
            Verdict::Drafted(..) => {}
        }
        self.judged(verdict, seen, now)
    }

    fn note_limits(&mut self, headers: &HeaderMap, now: Now) {
        self.rate_limits = RateLimits::read(headers, self.job.endpoint.profile.wire().limits(), now.unix);
    }

    fn judged(&mut self, verdict: Verdict<'a>, seen: Seen, now: Now) -> Step {
        match verdict {
            Verdict::Taken(response, Lost { issues, repairs, json }) => {
                self.learn();
                self.attempt(None, repairs, &seen, response.usage, response.model.as_deref(), now);
                if let Some(attempt) = self.report.attempts.last_mut() {
                    attempt.issues = issues;
                }
                let draft = self.draft.take().map(|(draft, _)| Box::new(draft));
                let raw = seen.body.unwrap_or_default();
                let completion = Completion { response, draft, raw, report: self.close(now) };
                self.conclude(completion, json, now)
            }
            Verdict::Drafted(response, messages, shaping) => {
                self.attempt(None, Vec::new(), &seen, response.usage, response.model.as_deref(), now);
                self.plan = shaping.plan;
                self.draft = Some((response, messages));
                self.raised = None;
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
                self.keep_spared(failure.spared.take().map(|spared| *spared), failure.rejected.as_ref(), &seen);
                self.failed(failure, seen, now)
            }
        }
    }

    /// Notes that the provider took the plan, if it had refused another.
    fn learn(&self) {
        let shaping = self.job.shaping.filter(|_| self.draft.is_some());
        let first = shaping.map_or(self.job.plan, |shaping| shaping.plan);
        if !self.strayed && self.patching.is_none() && self.plan.rung() != first.rung() {
            self.job.memory.learn(self.job.model_of(shaping.is_some()), self.job.contract, self.plan.rung());
        }
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

    /// Puts an attempt into the report.
    pub(super) fn attempt(
        &mut self,
        failure: Option<&Failure>,
        repairs: Vec<Repair>,
        seen: &Seen,
        usage: Usage,
        model: Option<&str>,
        now: Now,
    ) {
        // A token is about four bytes; counts that the provider leaves out must not make the budget endless.
        let guess = seen.status.map_or(0, |_| (self.sent_bytes + seen.size) as u64 / 4);
        self.tokens += usage.total().unwrap_or(guess);
        self.leave(failure, seen.status, usage, now);
        let mut attempt = Attempt {
            number: self.number(),
            provider: String::from(self.job.endpoint.profile.id()),
            model: String::from(self.job.model_of(self.draft.is_some())),
            mode: self.plan.mode,
            strict: self.plan.strict(),
            temperature: self.temperature(),
            patch: self.patching.iter().flat_map(Patching::paths).cloned().collect(),
            continues: self.patching.as_ref().and_then(Patching::broke).cloned(),
            failure: None,
            repeated: false,
            status: seen.status,
            usage,
            cost: self.charge(failure, seen, usage, model, now),
            stopped: None,
            elapsed: now.monotonic.saturating_sub(self.sent),
            waited: std::mem::take(&mut self.waited),
            queued: std::mem::take(&mut self.queued),
            request_id: seen.request_id.clone(),
            rate_limits: std::mem::take(&mut self.rate_limits),
            issues: Issues::new(),
            repairs,
            detail: String::new(),
        };
        if let Some(failure) = failure {
            attempt.failure = Some(failure.kind);
            attempt.detail.clone_from(&failure.detail);
            attempt.issues.clone_from(&failure.issues);
            attempt.stopped = failure.stopped;
            let unsaid = usage.total().and(failure.stopped).unwrap_or_default();
            self.tokens += unsaid.saturating_sub(usage.output.unwrap_or_default());
        }
        self.told.calling = false;
        self.tell_repaired(&attempt);
        self.report.attempts.push(attempt);
    }

    pub(super) fn failed(&mut self, mut failure: Failure, mut seen: Seen, now: Now) -> Step {
        let repairs = std::mem::take(&mut failure.repairs);
        let model = failure.rejected.as_ref().and_then(|response| response.model.as_deref());
        self.attempt(Some(&failure), repairs, &seen, failure.usage, model, now);
        let repeated = self.is_repeat(&failure);
        if let Some(attempt) = self.report.attempts.last_mut() {
            attempt.repeated = repeated;
        }
        self.given &= !failure.partly;
        let retry = &self.job.retry;
        let cut = failure.kind == ErrorKind::Truncated && !failure.broken;
        let may_go_on = !self.given && !self.leaves_at_once(failure.kind) && retry.goes_on(0, self.elapsed(now));
        if let Some(next) = (cut && may_go_on).then(|| self.after_cut(&mut failure)).flatten() {
            return self.go_on(failure, seen, next, now);
        }
        let unpatched = !self.given && self.unpatched(failure.kind).is_some();
        let remedy = if self.given || self.leaves_at_once(failure.kind) {
            Remedy::Stop
        } else if unpatched {
            Remedy::Reask
        } else if failure.broken {
            Remedy::Resend
        } else {
            remedy(failure.kind)
        };
        // A refusal is no failure of the service as long as others get through.
        let limited = self.limited(failure.kind);
        let mut none = 0;
        let failures = match remedy {
            Remedy::Stop if self.ended(failure.kind, seen.status) => return self.renew(failure, seen, now),
            Remedy::Stop => return self.stop(failure, seen, now),
            Remedy::StepDown => return self.step_down(failure, seen, now),
            Remedy::Resend if limited => &mut none,
            Remedy::Reask => &mut self.answer_failures,
            Remedy::Resend => &mut self.service_failures,
        };
        *failures += 1;
        let before = *failures - 1;
        let retried = if failure.broken { retry.resends(failure.kind) } else { retry.retries(failure.kind) };
        let stuck = limited && self.stuck > retry.longest_retry_after();
        if !(retried || unpatched) || stuck || !retry.goes_on(before + 1, self.elapsed(now)) {
            // The deadline is why a call that it cut is not tried again.
            let cut = failure.kind == ErrorKind::Transport;
            if let Some(why) = self.spent(now, Duration::ZERO).filter(|_| cut) {
                self.tell_failed(&failure, Next::Stop);
                self.last = Some((failure, seen));
                return self.over(why, now);
            }
            return self.stop(failure, seen, now);
        }
        if repeated && remedy == Remedy::Reask {
            match self.repeated(failure, seen, now) {
                Ok(step) => return step,
                Err(back) => (failure, seen) = *back,
            }
        }
        if unpatched {
            return self.go_on(failure, seen, Next::Reask, now);
        }
        let rejected = failure.rejected.take();
        if let Some(rejected) = rejected {
            self.turns = self.reask(rejected, &mut failure, repeated);
            return self.go_on(failure, seen, Next::Reask, now);
        }
        // There is no answer to object to: the same request goes out again, once the service had time.
        let wait = match failure.retry_after {
            Some(asked) if asked > retry.longest_retry_after() => return self.stop(failure, seen, now),
            Some(asked) => asked,
            None if limited => Duration::ZERO,
            // It was kept open for too long, most likely: the next one is new.
            None if failure.lost_connection() && self.first_of(failure.kind) => Duration::ZERO,
            None => retry.wait().before(before, fastrand::f64()),
        };
        self.go_on(failure, seen, Next::Resend { wait }, now)
    }

    /// Another attempt comes after one that failed, if the budget has room for it.
    pub(super) fn go_on(&mut self, failure: Failure, seen: Seen, next: Next, now: Now) -> Step {
        let wait = if let Next::Resend { wait } = next { wait } else { Duration::ZERO };
        let spent = self.spent(now, wait);
        let limited = self.limited(failure.kind);
        self.tell_failed(&failure, if spent.is_some() { Next::Stop } else { next });
        self.last = Some((failure, seen));
        if let Some(why) = spent {
            return self.over(why, now);
        }
        if wait.is_zero() || limited {
            return self.send(now);
        }
        self.waited = wait;
        Step::Wait(wait)
    }

    /// No other attempt comes after one that failed.
    pub(super) fn stop(&mut self, failure: Failure, seen: Seen, now: Now) -> Step {
        self.tell_failed(&failure, Next::Stop);
        self.give_up(failure, seen, now)
    }

    /// Asks in the next way after a refusal, which is neither a re-ask nor a retry: what was refused was not tried. The
    /// turns of a re-ask are in the words of the mode before, so they go; the caller's messages stay.
    fn step_down(&mut self, mut failure: Failure, seen: Seen, now: Now) -> Step {
        // No attempts of the retry policy are spent, but its delay holds.
        let below = if self.job.retry.goes_on(0, self.elapsed(now)) { self.plan.below(failure.declined) } else { None };
        let Some(below) = below else {
            failure.detail = format!("{}; {}", failure.detail, self.plan.advice());
            return self.stop(failure, seen, now);
        };
        self.plan = below;
        self.turns = self.patching.as_ref().and_then(|patching| patching.asked(&below, None)).into_iter().collect();
        self.go_on(failure, seen, Next::StepDown, now)
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

    fn renew(&mut self, failure: Failure, seen: Seen, now: Now) -> Step {
        self.refused = self.credential.take();
        self.go_on(failure, seen, Next::Resend { wait: Duration::ZERO }, now)
    }

    /// Whether the last attempt failed of something that the one before it did not.
    fn first_of(&self, kind: ErrorKind) -> bool {
        self.report.attempts.iter().rev().nth(1).is_none_or(|before| before.failure != Some(kind))
    }

    pub(super) fn close(&mut self, now: Now) -> Report {
        let mut report = std::mem::take(&mut self.report);
        report.elapsed = self.elapsed(now);
        report
    }

    pub(super) fn give_up(&mut self, failure: Failure, seen: Seen, now: Now) -> Step {
        let kind = failure.kind;
        self.finish(kind, None, failure, seen, now)
    }

    /// A limit of the budget ended the request.
    pub(super) fn over(&mut self, why: String, now: Now) -> Step {
        let (failure, seen) =
            self.last.take().unwrap_or_else(|| (Failure::new(ErrorKind::Budget, ""), Seen::default()));
        self.finish(ErrorKind::Budget, Some(why), failure, seen, now)
    }

    fn finish(&mut self, kind: ErrorKind, why: Option<String>, failure: Failure, seen: Seen, now: Now) -> Step {
        if let Some(step) = self.make_do(now) {
            return step;
        }
        let message = match why {
            None => failure.detail,
            Some(why) if failure.kind == ErrorKind::Budget => why,
            Some(why) => format!("{why}; last failure: {}: {}", failure.kind, failure.detail),
        };
        let rest = self.patching.take().filter(|patching| patching.broke().is_some());
        let partial = failure.cut.map(|cut| cut.json).or_else(|| rest.map(|rest| rest.answer));
        let error = Error::new(kind, message)
            .with_partial(partial)
            .with_issues(failure.issues)
            .with_report(self.close(now))
            .with_raw(seen.body)
            .with_status(seen.status)
            .with_retry_after(failure.retry_after)
            .with_source(failure.source.map(Into::into).or(failure.cause));
        self.done(Err(error))
    }
}
