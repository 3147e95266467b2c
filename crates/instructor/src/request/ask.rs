//! How a request is sent: to its client, and from there along the chain of targets.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Request, Slot};
use crate::cache::{Asked, Caching, Pigeonhole, key};
use crate::client::Core;
use crate::error::{Error, ErrorKind};
use crate::fallback::{Asks, Target};
use crate::flight::{Key, Role};
use crate::model::Contract;
use crate::options::Options;
use crate::run::{Cached, Carried, Completion, Job, Judge, Judges, Memory, Run};
use crate::transport::{Transport, Watching, drive};
use crate::validate::{Checking, Ruled, Rules, each};

/// A target that is asked: the request's own client, or one that it goes to when it fails.
struct Place<'r, C> {
    client: &'r C,
    options: Cow<'r, Options>,
}

impl<C: Asks> Place<'_, C> {
    fn core(&self) -> &Core {
        self.client.core()
    }

    fn provider(&self) -> &str {
        self.core().endpoint.profile.id()
    }

    fn model(&self) -> &str {
        self.options.model.as_deref().unwrap_or_default()
    }

    /// Notes how it did. What is wrong with an answer is no reason to leave a service alone.
    fn note(&self, end: Result<(), ErrorKind>, now: Duration) {
        let core = self.core();
        match end {
            Err(ErrorKind::Transport | ErrorKind::Overloaded | ErrorKind::RateLimited | ErrorKind::Quota) => {
                core.health.failed(core.breaker, now);
            }
            Err(ErrorKind::Cancelled | ErrorKind::Budget | ErrorKind::Config) => {}
            Ok(()) | Err(_) => core.health.answered(),
        }
    }
}

#[expect(private_bounds, reason = "none of it is for others")]
impl<C: Asks> Request<'_, C> {
    /// The value that comes of it.
    pub(crate) async fn value<T: DeserializeOwned + Send>(
        mut self,
        contract: &Contract,
        ruled: Option<Ruled>,
        rules: Rules<T>,
    ) -> Result<(T, Completion), Error> {
        self.take_error()?;
        let cached = self.cached(contract);
        let mut pilot = None;
        let single = self.options.single_flight || matches!(cached, Some(Ok(_)));
        while single && self.fallbacks.is_empty() && self.at_hand.is_none() && pilot.is_none() {
            let job = self.job(self.core, &self.options, contract, false)?;
            // Media that have to be fetched first are not in the request yet.
            if !job.wanted.is_empty() {
                break;
            }
            let request = job.encode(&job.plan, job.messages, &[], false, None)?;
            let place = cached.as_ref().and_then(|cached| Some(cached.as_ref().ok()?.key));
            match self.core.flights.join(Key::new(&request, contract, &self.options, self.typed, place)) {
                Role::Pilot(role) => pilot = Some(role),
                Role::Passenger(passenger) => match passenger.landing().await.as_deref() {
                    Some(Ok((json, completion))) => {
                        let mut slot = Slot::new(self.context.clone(), rules);
                        let taken = slot.take(json).is_empty();
                        if taken && self.passes(slot.check()).await? {
                            return slot.with(completion.shared());
                        }
                        // Its own validators want something else than those of the request that was sent.
                        break;
                    }
                    Some(Err(error)) => return Err(error.shared()),
                    // It was dropped on its way.
                    None => {}
                },
            }
        }
        let slot = || Slot { json: pilot.is_some().then(String::new), ..Slot::new(self.context.clone(), rules) };
        let (mut slot, mut hedge) = (slot(), slot());
        let end = {
            let mut watch = self.options.watchdog.map(|_| self.watch(Some(contract), ruled, None));
            let watching = watch.as_mut().map(|watch| self.watching(watch));
            self.ask(contract, (&mut slot, Some(&mut hedge)), watching, cached.as_ref()).await
        };
        if let Some(pilot) = pilot {
            pilot.land(Arc::new(match &end {
                Ok((completion, hedged)) => {
                    let json = if *hedged { &mut hedge.json } else { &mut slot.json };
                    Ok((json.take().unwrap_or_default(), completion.clone()))
                }
                Err(error) => Err(error.shared()),
            }));
        }
        let (completion, hedged) = end?;
        if hedged { hedge.with(completion) } else { slot.with(completion) }
    }

    /// Where the answer is kept, or why nowhere; none without a cache. It is the same place however the answer comes, whole or
    /// streamed, and whatever the client has learnt.
    pub(super) fn cached(&self, contract: &Contract) -> Option<Cached> {
        static NOTHING: Memory = Memory::new();
        let (options, caches) = (&self.options, &self.options.caches);
        // An answer that is at hand is asked of nobody.
        let store = caches.store().filter(|_| self.at_hand.is_none())?;
        // What is wrong with a request is told where it is sent.
        let job = self.job_by(self.core, options, contract, false, &NOTHING).ok()?;
        let encoded = if job.wanted.is_empty() {
            job.encode(&job.plan, job.messages, &[], false, None).ok()?
        } else {
            http::Request::default()
        };
        let asked = Asked { request: &encoded, job: &job, contract, reading: options.reading };
        Some(key(&asked, caches).map(|key| Pigeonhole {
            store: Arc::clone(store),
            key,
            refresh: caches.caching == Caching::Refresh,
            ttl: caches.ttl,
            wait: caches.wait,
        }))
    }

    /// Whether a value that another request has got passes the async functions here.
    async fn passes(&self, checking: Option<Checking<'_>>) -> Result<bool, Error> {
        let (over, time) = (self.client.over(), self.options.check_timeout);
        let checked = each(checking.into_iter().collect(), || over.bell(time)).await.pop();
        checked.map_or(Ok(true), |checked| checked.outcome(time).map(|issues| issues.is_empty()))
    }

    /// Asks the client, and each of its targets until one answers; whether it was the one that was asked beside the other,
    /// as a hedge.
    pub(super) async fn ask(
        &self,
        contract: &Contract,
        (judge, mut other): (&mut Judge<'_>, Option<&mut Judge<'_>>),
        mut watching: Option<Watching<'_>>,
        cached: Option<&Cached>,
    ) -> Result<(Completion, bool), Error> {
        let mut carried = Carried::default();
        let mut targets = self.client.fallbacks().iter().chain(&self.fallbacks);
        let mut place = Place { client: self.client, options: Cow::Borrowed(&*self.options) };
        let streamed = watching.is_some();
        let mut at_hand = self.at_hand.clone();
        let mut own = true;
        loop {
            let mut next = targets.next();
            let transport = place.client.over();
            let now = transport.now().monotonic;
            if let Some(target) = next.filter(|_| !place.core().health.allows(place.core().breaker, now)) {
                carried.leave(place.provider(), place.model(), ErrorKind::Overloaded, true, "");
                place = self.place(target);
                continue;
            }
            let first = std::mem::take(&mut own) && carried.report().hops().is_empty();
            let job = match self.job_at(&place, contract, streamed, next) {
                Ok(job) => Job { cached, own: first, ..job },
                Err(error) => match next.filter(|target| target.onward().after(error.kind())) {
                    Some(target) => {
                        carried.leave(place.provider(), place.model(), error.kind(), false, error.message());
                        place = self.place(target);
                        continue;
                    }
                    None => return Err(error.with_report(carried.into_report())),
                },
            };
            let mut run = Run::new(&job, &mut *judge, std::mem::take(&mut carried));
            if let Some(at_hand) = at_hand.take() {
                run.begin_with(at_hand);
            }
            let limit = place.core().max_response_bytes;
            let hedge = next.and_then(|target| Some((target, target.hedge?, other.as_deref_mut()?)));
            if let Some((target, delay, judge)) = hedge.filter(|_| !streamed) {
                let beside = self.place(target);
                match Box::pin(self.race(contract, (&transport, &mut run, limit), &beside, delay, judge)).await {
                    Raced::Alone(end) => {
                        place.note(end.as_ref().map(drop).map_err(Error::kind), transport.now().monotonic);
                        match end {
                            Ok(completion) => return Ok((completion, false)),
                            Err(error) => carried = run.carry(error)?,
                        }
                        place = beside;
                    }
                    Raced::Both(Ok(end)) => return Ok(end),
                    Raced::Both(Err(mut error)) => {
                        next = targets.next();
                        let Some(target) = next.filter(|target| target.onward().after(error.kind())) else {
                            return Err(error);
                        };
                        carried = run.carry_both(error.take_report());
                        carried.leave(beside.provider(), beside.model(), error.kind(), false, error.message());
                        place = self.place(target);
                    }
                }
                continue;
            }
            let again = watching.as_mut().map(Watching::again);
            // What is awaited within many others is moved into each of them, unless it is small.
            let end = Box::pin(drive(&transport, &mut run, limit, again)).await;
            place.note(end.as_ref().map(drop).map_err(Error::kind), transport.now().monotonic);
            let error = match end {
                Ok(completion) => return Ok((completion, false)),
                Err(error) => error,
            };
            let Some(target) = next else { return Err(error) };
            carried = run.carry(error)?;
            place = self.place(target);
        }
    }

    fn place<'r>(&'r self, target: &'r Target<C>) -> Place<'r, C> {
        let own = &target.client.core().options;
        let mut options = self.options.elsewhere(own);
        options.model = target.model.clone().or(options.model);
        options.mode = target.mode.unwrap_or(options.mode);
        Place { client: &target.client, options: Cow::Owned(options) }
    }

    fn job_at<'j>(
        &'j self,
        place: &'j Place<'_, C>,
        contract: &'j Contract,
        streamed: bool,
        next: Option<&Target<C>>,
    ) -> Result<Job<'j>, Error> {
        let job = self.job(place.core(), &place.options, contract, streamed)?;
        Ok(Job { onward: next.map(Target::onward), ..job })
    }

    /// Asks one target, and after a while another beside it: the first value counts.
    async fn race(
        &self,
        contract: &Contract,
        (transport, run, limit): (&dyn Transport, &mut Run<'_>, usize),
        beside: &Place<'_, C>,
        delay: Duration,
        judge: &mut Judge<'_>,
    ) -> Raced {
        let alone = run.alone();
        let mut first = Box::pin(drive(transport, run, limit, None));
        let mut bell = transport.sleep(delay);
        let early = poll_fn(|context| match first.as_mut().poll(context) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending => bell.as_mut().poll(context).map(|()| None),
        });
        if let Some(end) = early.await {
            return Raced::Alone(end);
        }
        let Ok(job) = self.job_at(beside, contract, false, None) else { return Raced::Alone(first.await) };
        alone.store(true, Ordering::Relaxed);
        let other = beside.client.over();
        let mut hedge = Run::new(&job, judge, Carried::beside());
        let mut second = Box::pin(drive(&other, &mut hedge, beside.core().max_response_bytes, None));
        let (mut ended, mut failed) = (None, None);
        let end = poll_fn(|context| {
            if ended != Some(false)
                && let Poll::Ready(end) = first.as_mut().poll(context)
            {
                match end {
                    Ok(completion) => return Poll::Ready(Ok((completion, false))),
                    Err(error) if ended.is_some() => return Poll::Ready(Err(error)),
                    Err(error) => (ended, failed) = (Some(false), Some(error)),
                }
            }
            if ended != Some(true)
                && let Poll::Ready(end) = second.as_mut().poll(context)
            {
                match end {
                    Ok(completion) => return Poll::Ready(Ok((completion, true))),
                    Err(error) if ended.is_some() => return Poll::Ready(Err(error)),
                    Err(error) => (ended, failed) = (Some(true), Some(error)),
                }
            }
            Poll::Pending
        })
        .await;
        drop((first, second));
        let before = failed.map(|mut error| error.take_report());
        let (first_report, second_report) = (run.take_report(), hedge.take_report());
        Raced::Both(match end {
            Ok((mut completion, hedged)) => {
                let other = before.unwrap_or(if hedged { first_report } else { second_report });
                completion.report.join(other);
                Ok((completion, hedged))
            }
            Err(mut error) => {
                let mut report = error.take_report();
                report.join(before.unwrap_or_default());
                Err(error.with_report(report))
            }
        })
    }
}

/// What came of a target, and of the one that was to be asked beside it.
enum Raced {
    /// It came to its end before the other was asked.
    Alone(Result<Completion, Error>),
    /// Both were asked; whether the value is the other's.
    Both(Result<(Completion, bool), Error>),
}
