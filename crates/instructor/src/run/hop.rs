//! From one target to the next: what of a request goes along.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::report::{Hop, Report};
use super::tell::Thread;
use super::{Job, Judge, Run};
use crate::cost::Money;
use crate::error::{Error, ErrorKind};
use crate::message::{Message, Part};

/// What a request has used and seen before it came to a target.
#[derive(Default)]
pub(crate) struct Carried {
    pub(super) report: Report,
    pub(super) tokens: u64,
    pub(super) money: Money,
    pub(super) started: Option<Duration>,
    /// Its cache was asked.
    pub(super) looked: bool,
    /// Who it is, for those that look on; none for one that begins.
    pub(super) thread: Option<Thread>,
}

impl Carried {
    /// Leaves a target.
    pub(crate) fn leave(&mut self, provider: &str, model: &str, kind: ErrorKind, open: bool, detail: &str) {
        self.report.hops.push(Hop {
            after: self.report.attempts.len() as u32,
            provider: String::from(provider),
            model: String::from(model),
            kind,
            open,
            detail: String::from(detail),
            dropped: 0,
        });
    }

    /// Of one that is asked beside another, which deals with the cache.
    pub(crate) fn beside() -> Self {
        Self { looked: true, ..Self::default() }
    }

    pub(crate) const fn report(&self) -> &Report {
        &self.report
    }

    pub(crate) fn into_report(self) -> Report {
        self.report
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(job: &'a Job<'a>, judge: &'a mut Judge<'a>, mut carried: Carried) -> Self {
        if let Some(hop) = carried.report.hops.last_mut() {
            hop.dropped = foreign(job.messages, job.endpoint.profile.wire().name());
        }
        let Carried { report, tokens, money, started, looked, thread } = carried;
        let resumed = started.is_some();
        let started = started.unwrap_or_default();
        Self { report, tokens, money, started, resumed, looked, ..Self::fresh(job, judge, thread) }
    }

    /// Whether the request goes to the next target after this error.
    pub(super) fn goes_onward(&self, kind: ErrorKind) -> bool {
        let onward = self.job.onward.filter(|_| !self.given && !self.job.alone.load(Ordering::Relaxed));
        onward.is_some_and(|onward| onward.after(kind))
    }

    /// Whether it does so without another try here.
    pub(super) fn leaves_at_once(&self, kind: ErrorKind) -> bool {
        !self.given && self.job.onward.is_some_and(|onward| onward.at_once.has(kind))
    }

    /// Set once another target is asked beside this one, so that it goes nowhere when it fails.
    pub(crate) fn alone(&self) -> &'a AtomicBool {
        &self.job.alone
    }

    /// What was done, of a request that is over.
    pub(crate) fn take_report(&mut self) -> Report {
        std::mem::take(&mut self.report)
    }

    /// What goes along to the next target, with what was done here and beside it.
    pub(crate) fn carry_both(self, report: Report) -> Carried {
        let tokens = report.usage().total().unwrap_or(self.tokens);
        Carried { report, tokens, money: self.money, started: Some(self.started), looked: true, thread: None }
    }

    /// What goes along to the next target after this error; the error again, if there is none to go to.
    pub(crate) fn carry(self, mut error: Error) -> Result<Carried, Error> {
        if !self.goes_onward(error.kind()) {
            return Err(error);
        }
        let Self { job, tokens, money, started, draft, told, .. } = self;
        let report = error.take_report();
        let (started, thread) = (Some(started), Some(told.into_thread()));
        let mut carried = Carried { report, tokens, money, started, looked: true, thread };
        let model = job.model_of(draft.is_some());
        carried.leave(job.endpoint.profile.id(), model, error.kind(), false, error.message());
        Ok(carried)
    }
}

/// How many parts of the messages only another protocol understands.
fn foreign(messages: &[Message], wire: &str) -> usize {
    let parts = messages.iter().flat_map(Message::parts);
    parts.filter(|part| matches!(part, Part::Opaque(opaque) if opaque.for_wire(wire).is_none())).count()
}
