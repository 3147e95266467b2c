//! Whoever stops an answer that can't become one that is taken.

use std::sync::Arc;
use std::time::Duration;

use super::closed::Closed;
use super::tracker::Tracker;
use super::watchdog::{Runaway, Watchdog};
use crate::error::ErrorKind;
use crate::message::ToolCall;
use crate::mode::Plan;
use crate::model::Contract;
use crate::repair::ParseOptions;
use crate::run::{Called, Follow, Given, Stop};
use crate::schema::{Spots, may_be_given_up};
use crate::transport::Show;
use crate::validate::{Checked, Checking, Context, Issues, Origin, Path, Ruled};

/// Follows an answer, beside who is shown it, and stops it where the watchdog says so.
pub(crate) struct Watch<'s> {
    show: Option<&'s mut dyn Show>,
    limits: Option<Watchdog>,
    runaway: Runaway,
    parts: Option<Parts<'s>>,
    options: ParseOptions,
    /// All of the answer is there.
    over: bool,
}

/// The parts of an answer, held against the schema as they close.
struct Parts<'s> {
    spots: Arc<Spots<'s>>,
    sink: Closed<'s>,
    tracker: Tracker,
    ruled: Option<Ruled>,
    context: Context,
    contract: &'s Contract,
}

impl<'s> Watch<'s> {
    /// Without a watchdog it only passes on what it hears.
    pub(crate) fn new(
        contract: Option<&'s Contract>,
        rules: (Option<Ruled>, Context),
        limits: Option<Watchdog>,
        options: ParseOptions,
        show: Option<&'s mut dyn Show>,
    ) -> Self {
        let parts = contract.filter(|_| limits.is_some_and(|limits| limits.invalid)).map(|contract| {
            let spots = Arc::new(Spots::new(contract.schema(), options.level()));
            let (ruled, context) = rules;
            let sink = Closed::root(Arc::clone(&spots), true, ruled.clone());
            Parts { spots, sink, tracker: Tracker::new(None, options), ruled, context, contract }
        });
        Self { show, limits, runaway: Runaway::default(), parts, options, over: false }
    }

    /// Stops a text that runs away.
    fn endless(&mut self, more: &str) -> Result<(), Stop> {
        let Some(limits) = self.limits.filter(|_| !self.over) else { return Ok(()) };
        self.runaway.push(more, &limits).map_or(Ok(()), |why| Err(Stop::runaway(&why)))
    }

    fn check(&mut self, text: &str, new: usize) -> Result<(), Stop> {
        self.endless(text.get(new..).unwrap_or_default())?;
        if self.over {
            return Ok(());
        }
        if let Some(Parts { sink, tracker, context, contract, .. }) = &mut self.parts {
            // What can't be read is for the final reading to say.
            let _ = tracker.read(text, sink);
            if tracker.is_sure() {
                stop(sink.take(), contract)?;
                for due in sink.due() {
                    stop(due.ruled.run(&due.place, &due.json, context), contract)?;
                }
            }
        }
        Ok(())
    }
}

impl Parts<'_> {
    /// What passed was of another answer.
    fn forget(&self) {
        if let Some(visit) = self.context.visit() {
            visit.forget();
        }
    }
}

/// Stops the answer if there is something wrong that is not given up.
fn stop(issues: Issues, contract: &Contract) -> Result<(), Stop> {
    let mut issues = contract.masked(issues);
    if contract.salvages() {
        let fatal = issues.into_iter().filter(|issue| !may_be_given_up(contract.schema(), issue.path()));
        issues = fatal.collect::<Vec<_>>().into();
    }
    if issues.is_empty() { Ok(()) } else { Err(Stop::invalid(issues)) }
}

impl Follow for Watch<'_> {
    fn begin(&mut self, plan: &Plan<'_>) {
        self.over = false;
        self.runaway = Runaway::default();
        if let Some(parts) = &mut self.parts {
            let form = plan.dialect();
            let plain = plan.lowered().is_none_or(|lowered| lowered.plan.is_same());
            parts.sink = Closed::root(Arc::clone(&parts.spots), plain, parts.ruled.clone());
            parts.forget();
            parts.tracker = Tracker::new(form, self.options);
        }
        if let Some(show) = &mut self.show {
            show.begin(plan);
        }
    }

    fn restart(&mut self) {
        self.runaway = Runaway::default();
        if let Some(parts) = &mut self.parts {
            super::grow::Grow::reset(&mut parts.sink);
            parts.tracker = parts.tracker.again(self.options);
            parts.forget();
        }
        if let Some(show) = &mut self.show {
            show.restart();
        }
    }

    fn text(&mut self, text: &str, new: usize) -> Result<bool, Stop> {
        let shows = self.show.as_mut().map_or(Ok(false), |show| show.text(text, new))?;
        self.check(text, new).map(|()| shows)
    }

    fn call(&mut self, plan: &Plan<'_>, call: Called<'_>) -> Result<bool, Stop> {
        let shows = self.show.as_mut().map_or(Ok(false), |show| show.call(plan, call))?;
        self.endless(call.arguments.get(call.told..).unwrap_or_default())?;
        let parts = self.parts.as_ref().filter(|_| call.over && !self.over);
        if let Some(Parts { ruled, context, contract, .. }) = parts {
            let Called { index, name, arguments, .. } = call;
            let read = plan.item(index, &ToolCall::new("", name, arguments), self.options);
            let ruled = ruled.as_ref().and_then(|ruled| ruled.item(index)).filter(|ruled| ruled.is_due(false));
            match (read, ruled) {
                (Err(issues), _) => stop(issues, contract)?,
                (Ok(json), Some(ruled)) => {
                    stop(ruled.run(&Path::root().index(index), &json, context), contract)?;
                }
                (Ok(_), None) => {}
            }
        }
        Ok(shows)
    }

    fn complete(&mut self) {
        self.over = true;
        if let Some(show) = &mut self.show {
            show.complete();
        }
    }

    fn end(&mut self, text: &str, part: Option<usize>) -> bool {
        self.show.as_mut().is_some_and(|show| show.end(text, part))
    }

    fn given(&mut self) -> Given {
        self.show.as_mut().map_or_else(Given::default, |show| show.given())
    }
}

impl Show for Watch<'_> {
    fn give(&mut self, news: bool) {
        if let Some(show) = &mut self.show {
            show.give(news);
        }
    }

    fn take(&mut self) {
        if let Some(show) = &mut self.show {
            show.take();
        }
    }

    fn has_checks(&self) -> bool {
        self.show.as_ref().is_some_and(|show| show.has_checks())
    }

    fn checks(&self) -> Vec<Checking<'_>> {
        self.show.as_ref().map_or_else(Vec::new, |show| show.checks())
    }

    fn checked(&mut self, checked: Vec<Checked>, time: Duration) -> bool {
        self.show.as_mut().is_some_and(|show| show.checked(checked, time))
    }
}

impl Stop {
    fn invalid(issues: Issues) -> Self {
        let detail = format!("stopped at {}", crate::run::brief(issues.as_slice()));
        let rules_only = issues.as_slice().iter().all(|issue| issue.origin() == Origin::Rule);
        let kind = if rules_only { ErrorKind::Rejected } else { ErrorKind::SchemaMismatch };
        Self { kind, detail, issues }
    }
}
