//! Async validator functions of an answer that is right otherwise: it is held until they have said their word.

use std::time::Duration;

use super::failure::Failure;
use super::outcome::Seen;
use super::spare::Lost;
use super::verdict::{Asked, Judges, Verdict, judge};
use super::{Given, Now, Run, Step};
use crate::error::ErrorKind;
use crate::validate::{Checked, Checking, Issues};
use crate::wire::Response;

/// An answer that is being checked.
pub(super) struct Held {
    pub(super) response: Response,
    done: Lost,
    given: Given,
    pub(super) seen: Seen,
    /// How long the checks may take.
    time: Duration,
    /// When they began.
    since: Duration,
}

/// How long checks may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckTime {
    most: Duration,
    /// When the request has to end, on the monotonic clock.
    end: Option<Duration>,
}

impl CheckTime {
    pub(crate) const fn new(most: Duration) -> Self {
        Self { most, end: None }
    }

    /// Of checks that begin now.
    pub(crate) fn from(&self, now: Now) -> Duration {
        let left = self.end.map(|end| end.saturating_sub(now.monotonic));
        left.map_or(self.most, |left| left.min(self.most))
    }
}

impl Run<'_> {
    pub(crate) fn check_time(&self) -> CheckTime {
        let end = self.job.budget.deadline.map(|deadline| self.started + deadline);
        CheckTime { most: self.job.check_timeout, end }
    }

    /// Begins the checks of the answer that is held.
    pub(crate) fn checks(&self) -> Option<Checking<'_>> {
        self.judge.check()
    }

    /// What is taken is checked first, if there is something to check.
    pub(super) fn hold(&mut self, response: Response, done: Lost, given: Given, seen: Seen, now: Now) -> Step {
        let time = self.check_time().from(now);
        self.held = Some(Held { response, done, given, seen, time, since: now.monotonic });
        Step::Check(time)
    }

    pub(super) fn checked(&mut self, checked: Checked, now: Now) -> Step {
        let checked = match self.rechecked(checked, now) {
            Ok(step) => return step,
            Err(checked) => checked,
        };
        // Nothing is checked but what is held.
        let Some(Held { response, done, given, seen, time, since }) = self.held.take() else {
            return self.send(now);
        };
        // They are no part of the call.
        self.sent += now.monotonic.saturating_sub(since);
        let late = matches!(checked, Checked::Late);
        let verdict = match checked.outcome(time) {
            Ok(issues) if issues.is_empty() => Verdict::Taken(response, done),
            Ok(issues) => {
                // Read again, so that what was found is said as what the other rules find.
                let asked = Asked { job: self.job, plan: &self.plan, patching: self.patching.as_ref() };
                judge(&asked, &mut Said(issues), Ok(response), &given)
            }
            Err(mut error) => {
                let deadline = self.job.budget.deadline.filter(|_| late && time < self.job.check_timeout);
                let failure = match deadline {
                    None => Failure::new(error.kind(), error.message()),
                    Some(deadline) => {
                        let why = format!("the deadline of {deadline:?} has passed while the answer was checked");
                        Failure::new(ErrorKind::Budget, why)
                    }
                };
                Verdict::Failed(Failure {
                    usage: response.usage,
                    repairs: done.repairs,
                    cause: error.take_source(),
                    ..failure
                })
            }
        };
        self.settled(verdict, given, seen, now)
    }
}

/// What was found already.
struct Said(Issues);

impl Judges for Said {
    fn take(&mut self, _: &str) -> Issues {
        std::mem::take(&mut self.0)
    }
}
