//! The loop: rows go out as there is room, answers come in, and are written before there is room again.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use instructor::{Budget, Error, Money};
use tokio::sync::mpsc::Receiver;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Interval, MissedTickBehavior};

use super::answer::{Answered, End, Question, concerns_all, may_concern_all};
use super::file::RowFile;
use super::meter::{Meter, Progress};
use super::prompt::Ask;
use super::signal::Signal;
use crate::failure::Failure;

/// How often it is looked at: for the progress, and to hand what was written to the disk.
const TICK: Duration = Duration::from_millis(200);
/// Ticks between two times that the disk has to have it.
const SYNC: u32 = 5;

/// After so many rows in a row that failed of what may concern all rows, it does.
const IN_A_ROW: u32 = 100;

/// With --in-order: how many rows for each in flight may wait for one before them.
const AHEAD: usize = 4;

/// Why no further rows were begun.
#[derive(Debug)]
pub(crate) enum Stop {
    Interrupted,
    Cost,
    Errors,
    /// All rows would fail so.
    Hopeless(Box<Error>),
    /// So many in succession have.
    Down(Box<Error>),
}

#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) concurrency: usize,
    pub(crate) budget: Budget,
    pub(crate) max_cost: Option<Money>,
    pub(crate) max_errors: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Pump {
    pub(crate) question: Arc<Question>,
    pub(crate) limits: Limits,
    pub(crate) output: RowFile,
    pub(crate) errors: RowFile,
    pub(crate) order: Option<Order>,
    pub(crate) meter: Meter,
    pub(crate) progress: Progress,
    pub(crate) stop: Option<Stop>,
    in_a_row: u32,
}

/// What happens next.
enum Event {
    Rows(Result<Vec<Ask>, Failure>),
    NoMore,
    Answered(Result<(usize, Answered), JoinError>),
    Interrupted,
    Tick,
}

impl Pump {
    pub(crate) fn new(
        question: Question,
        limits: Limits,
        (output, errors): (RowFile, RowFile),
        in_order: bool,
        meter: Meter,
    ) -> Self {
        let order = in_order.then(Order::default);
        let (question, progress) = (Arc::new(question), Progress::default());
        Self { question, limits, output, errors, order, meter, progress, stop: None, in_a_row: 0 }
    }

    /// Until there are no more rows, or it is stopped; what is in flight then is waited for, unless it is told twice.
    pub(crate) async fn run(&mut self, mut rows: Receiver<Result<Vec<Ask>, Failure>>) -> Result<(), Failure> {
        let mut tasks: JoinSet<(usize, Answered)> = JoinSet::new();
        let mut signal = Signal::new()?;
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut waiting, mut more) = (Vec::new().into_iter(), true);
        let (mut begun, mut ticks) = (0, 0_u32);
        loop {
            while self.stop.is_none() && self.has_room(tasks.len(), begun) {
                let Some(ask) = waiting.next() else { break };
                let (question, budget, place) = (Arc::clone(&self.question), self.budget(), begun);
                begun += 1;
                tasks.spawn(async move { (place, question.answer(ask, budget).await) });
            }
            let none = waiting.len() == 0;
            if tasks.is_empty() && ((none && !more) || self.stop.is_some()) {
                break;
            }
            let room = none && more && self.stop.is_none();
            match next(room, &mut rows, &mut tasks, &mut signal, &mut interval).await {
                Event::Rows(rows) => waiting = rows?.into_iter(),
                Event::NoMore => more = false,
                Event::Answered(answered) => {
                    self.take(answered.map_err(lost)?);
                    while let Some(answered) = tasks.try_join_next() {
                        self.take(answered.map_err(lost)?);
                    }
                    self.output.write()?;
                    self.errors.write()?;
                }
                Event::Interrupted if matches!(self.stop, Some(Stop::Interrupted)) => {
                    self.meter.say("given up; those in flight will be asked again");
                    tasks.abort_all();
                    break;
                }
                Event::Interrupted => {
                    let (flying, again) = (tasks.len(), "the same command goes on from there");
                    self.meter
                        .say(&format!("stopping: waiting for {flying} rows in flight (again: gives them up); {again}"));
                    self.stop = Some(Stop::Interrupted);
                }
                Event::Tick => {
                    ticks += 1;
                    self.meter.tick(&self.progress);
                    if ticks.is_multiple_of(SYNC) {
                        self.sync();
                    }
                }
            }
        }
        self.finish()
    }

    fn has_room(&self, flying: usize, begun: usize) -> bool {
        let ahead = self.order.as_ref().is_none_or(|order| begun - order.next < self.limits.concurrency * AHEAD);
        flying < self.limits.concurrency && ahead && !self.is_spent(flying)
    }

    /// Whether those in flight will use up what is left, if they cost what rows did so far.
    fn is_spent(&self, flying: usize) -> bool {
        let Some(limit) = self.limits.max_cost else { return false };
        let (spent, ended) = (self.progress.cost.total().trillionths(), self.progress.done + self.progress.failed);
        let each = spent / u128::from(ended.max(1));
        flying > 0 && spent + each * flying as u128 >= limit.trillionths()
    }

    /// What a row may take: not more than is left for all.
    fn budget(&self) -> Budget {
        let Some(limit) = self.limits.max_cost else { return self.limits.budget };
        let left = limit.trillionths().saturating_sub(self.progress.cost.total().trillionths());
        self.limits.budget.with_cost(Money::from_trillionths(left))
    }

    fn take(&mut self, (place, answered): (usize, Answered)) {
        let Answered { end, cost, cached } = answered;
        self.progress.cost += cost;
        self.progress.cached += u64::from(cached);
        let spent = self.limits.max_cost.is_some_and(|limit| self.progress.cost.total() >= limit);
        if spent {
            self.stop.get_or_insert(Stop::Cost);
        }
        let line = match end {
            End::Done(line) => {
                self.progress.done += 1;
                self.in_a_row = 0;
                Some(line)
            }
            // What was not the row's fault leaves it open.
            End::Failed(_, Some(error)) if concerns_all(error.kind()) => {
                self.stop.get_or_insert(Stop::Hopeless(Box::new(error)));
                None
            }
            End::Failed(_, Some(error)) if spent && error.kind() == instructor::ErrorKind::Budget => None,
            End::Failed(line, error) => {
                self.errors.push(&line);
                self.progress.failed += 1;
                match error.filter(|error| may_concern_all(error.kind())) {
                    Some(error) => {
                        self.in_a_row += 1;
                        if self.in_a_row >= IN_A_ROW {
                            self.stop.get_or_insert(Stop::Down(Box::new(error)));
                        }
                    }
                    None => self.in_a_row = 0,
                }
                if self.limits.max_errors.is_some_and(|most| self.progress.failed >= most) {
                    self.stop.get_or_insert(Stop::Errors);
                }
                None
            }
        };
        match &mut self.order {
            None => line.iter().for_each(|line| self.output.push(line)),
            Some(order) => order.take(place, line, &mut self.output),
        }
    }

    /// Has the disk keep what was written, beside the loop. What this fails of, writing will fail of too.
    fn sync(&mut self) {
        for file in [self.output.unsynced(), self.errors.unsynced()].into_iter().flatten() {
            drop(tokio::task::spawn_blocking(move || file.sync_data()));
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        if let Some(order) = self.order.take() {
            order.waiting.into_values().flatten().for_each(|line| self.output.push(&line));
        }
        self.output.write()?;
        self.errors.write()?;
        for file in [&mut self.output, &mut self.errors] {
            if let Some(written) = file.unsynced() {
                written.sync_data().map_err(|e| super::file::unwritten(file.path(), &e))?;
            }
        }
        Ok(())
    }
}

/// A task ends by itself or not at all: what it does not survive is a bug.
fn lost(error: JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Failure::unexpected(format!("a row was lost: {error}")),
    }
}

/// Lines that wait for those before them.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The place that is written next.
    next: usize,
    /// None for a row that has no line.
    waiting: BTreeMap<usize, Option<Vec<u8>>>,
}

impl Order {
    fn take(&mut self, place: usize, line: Option<Vec<u8>>, output: &mut RowFile) {
        self.waiting.insert(place, line);
        while let Some(line) = self.waiting.remove(&self.next) {
            self.next += 1;
            line.iter().for_each(|line| output.push(line));
        }
    }
}

/// Answers come before rows, so that what is paid for is written first.
async fn next(
    room: bool,
    rows: &mut Receiver<Result<Vec<Ask>, Failure>>,
    tasks: &mut JoinSet<(usize, Answered)>,
    signal: &mut Signal,
    interval: &mut Interval,
) -> Event {
    poll_fn(|context| {
        if signal.poll(context).is_ready() {
            return Poll::Ready(Event::Interrupted);
        }
        if let Poll::Ready(Some(answered)) = Pin::new(&mut *tasks).poll_join_next(context) {
            return Poll::Ready(Event::Answered(answered));
        }
        if room && let Poll::Ready(rows) = rows.poll_recv(context) {
            return Poll::Ready(rows.map_or(Event::NoMore, Event::Rows));
        }
        interval.poll_tick(context).map(|_| Event::Tick)
    })
    .await
}
