//! A provider and its callers in virtual time, over the state machine alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use proptest::prelude::*;

use super::lane::{Ask, Late, Look, Outcome, Permit, State};
use super::told::Told;
use super::{Limiter, Limits, Place, Progress, Turn, Whose};
use crate::wire::{RateLimit, RateLimits, Usage};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// How a provider counts.
#[derive(Clone, Copy, Debug)]
enum Counts {
    /// A bucket that fills up all the time.
    Bucket { most: f64 },
    /// So much from one full second, or minute, to the next.
    Window { span: Duration },
}

#[derive(Clone, Copy, Debug)]
struct Provider {
    counts: Counts,
    /// Per second.
    rate: f64,
    tokens: bool,
    headers: bool,
    retry_after: bool,
    latency: (u64, u64),
    level: f64,
    at: Duration,
}

impl Provider {
    fn whole(&self) -> f64 {
        match self.counts {
            Counts::Bucket { most } => most,
            Counts::Window { span } => self.rate * span.as_secs_f64(),
        }
    }

    /// Whether a call is taken, with what is said of it.
    fn call(&mut self, cost: f64, now: Duration) -> (bool, RateLimits, Option<Duration>) {
        match self.counts {
            Counts::Bucket { most } => {
                self.level = (self.level + self.rate * (now - self.at).as_secs_f64()).min(most);
            }
            Counts::Window { span } => {
                if now.as_nanos() / span.as_nanos() > self.at.as_nanos() / span.as_nanos() {
                    self.level = self.whole();
                }
            }
        }
        self.at = now;
        let taken = self.level >= cost;
        if taken {
            self.level -= cost;
        }
        let reset = match self.counts {
            Counts::Bucket { most } => Duration::from_secs_f64((most - self.level) / self.rate),
            Counts::Window { span } => span - Duration::from_nanos((now.as_nanos() % span.as_nanos()) as u64),
        };
        let mut limits = RateLimits::default();
        if self.headers {
            let said =
                RateLimit { limit: Some(self.whole() as u64), remaining: Some(self.level as u64), reset: Some(reset) };
            if self.tokens { limits.tokens = said } else { limits.requests = said }
        }
        let retry = Duration::from_secs(reset.as_secs_f64().ceil().max(1.0) as u64);
        (taken, limits, Some(retry).filter(|_| self.retry_after && !taken).or_else(|| limits.wait().filter(|_| !taken)))
    }
}

struct Woken(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[derive(Debug)]
struct Ran {
    calls: usize,
    refused_late: usize,
    lost: usize,
    /// Share of the rate over the middle of the run.
    share: f64,
}

fn run(mut provider: Provider, jobs: usize, flying: usize) -> Ran {
    let mut random = fastrand::Rng::with_seed(7);
    let mut state = State::new(&Limits::default());
    provider.level = provider.whole();
    let woken = Arc::new(Mutex::new(Vec::new()));
    let mut events = BinaryHeap::new();
    let mut order = 0_u64;
    let mut answers: Vec<Option<(Permit, Outcome)>> = (0..jobs).map(|_| None).collect();
    // Whether a job wants its turn.
    let mut wants = vec![true; jobs];
    let sizes: Vec<u64> = (0..jobs).map(|_| random.u64(400..1600)).collect();
    let mut next = flying.min(jobs);
    for job in 0..next {
        order += 1;
        events.push(Reverse((Duration::ZERO, order, job, false)));
    }
    let (mut calls, mut refused_late, mut lost) = (0, 0, 0);
    let mut took = Vec::new();
    let mut now = Duration::ZERO;
    let mut done = 0;
    while let Some(Reverse((at, _, job, answered))) = events.pop() {
        let mut over = false;
        let job = if job < jobs {
            job
        } else {
            wants[job - jobs] = true;
            job - jobs
        };
        if !answered && !wants[job] {
            continue;
        }
        now = at;
        if answered {
            let (permit, outcome) = answers[job].take().unwrap();
            state.leave(&permit, Some((outcome, now))).into_iter().for_each(Waker::wake);
            if outcome.refused {
                order += 1;
                events.push(Reverse((now, order, job + jobs, false)));
            } else {
                took.push(now);
                over = true;
            }
        } else {
            let waker = Waker::from(Arc::new(Woken(job, Arc::clone(&woken))));
            let ask = Ask { input: sizes[job], patience: Duration::from_secs(120), ..Ask::default() };
            match state.look(job as u64, &ask, now, &waker) {
                Look::Enter(permit) => {
                    wants[job] = false;
                    state.first().into_iter().for_each(Waker::wake);
                    let cost = if provider.tokens { sizes[job] as f64 + 100.0 } else { 1.0 };
                    let (taken, limits, retry_after) = provider.call(cost, now);
                    calls += 1;
                    refused_late += usize::from(!taken && now > ms(10_000));
                    let usage = if taken {
                        Usage { input: Some(sizes[job]), output: Some(100), ..Usage::default() }
                    } else {
                        Usage::default()
                    };
                    let outcome = Outcome { usage, limits, refused: !taken, taken, retry_after };
                    let latency = if taken {
                        ms(random.u64(provider.latency.0..provider.latency.1))
                    } else {
                        ms(random.u64(15..30))
                    };
                    answers[job] = Some((permit, outcome));
                    order += 1;
                    events.push(Reverse((now + latency, order, job, true)));
                }
                Look::Wait(Some(at)) => {
                    order += 1;
                    events.push(Reverse((at.max(now + Duration::from_nanos(1)), order, job, false)));
                }
                Look::Wait(None) => {}
                Look::Late(_) => {
                    wants[job] = false;
                    lost += 1;
                    over = true;
                }
            }
        }
        if over {
            done += 1;
            if next < jobs {
                order += 1;
                events.push(Reverse((now, order, next, false)));
                next += 1;
            }
        }
        for job in woken.lock().unwrap().drain(..) {
            order += 1;
            events.push(Reverse((now, order, job, false)));
        }
    }
    assert_eq!(done, jobs, "somebody waits for ever at {now:?}");
    assert!(state.idle().is_some());
    let middle = took.iter().filter(|at| **at > ms(10_000)).count();
    let span = took.last().unwrap().saturating_sub(ms(10_000)).as_secs_f64();
    let mean = if provider.tokens { 1100.0 } else { 1.0 };
    Ran { calls, refused_late, lost, share: middle as f64 * mean / span / provider.rate }
}

const PROVIDER: Provider = Provider {
    counts: Counts::Bucket { most: 50.0 },
    rate: 50.0,
    tokens: false,
    headers: false,
    retry_after: false,
    latency: (100, 400),
    level: 0.0,
    at: Duration::ZERO,
};

/// However a provider counts and whatever it says, its rate is found, few calls are refused, and none is lost.
#[test]
fn a_rate_is_found() {
    for tokens in [false, true] {
        let unit = if tokens { 1100.0 } else { 1.0 };
        let counts = [
            Counts::Bucket { most: 50.0 * unit },
            Counts::Bucket { most: 500.0 * unit },
            Counts::Window { span: ms(1000) },
        ];
        for counts in counts {
            for (headers, retry_after) in [(false, false), (false, true), (true, false), (true, true)] {
                let provider = Provider { counts, headers, retry_after, tokens, rate: 50.0 * unit, ..PROVIDER };
                let ran = run(provider, 5000, 64);
                let what = format!("{provider:?}: {ran:?}");
                assert!(ran.lost == 0 && ran.refused_late * 100 < ran.calls * 3, "{what}");
                // A whole second of waiting for each refusal costs more where the second is over sooner.
                let least = if matches!(counts, Counts::Window { .. }) && tokens && retry_after { 0.88 } else { 0.9 };
                assert!(ran.share > least, "{what}");
            }
        }
    }
}

/// What one request of a generated run does.
#[derive(Clone, Debug)]
struct Job {
    arrives: u64,
    /// How long its call takes.
    takes: u64,
    tokens: u64,
    deadline: Option<u64>,
    /// When it is dropped, waiting or calling.
    dropped: Option<u64>,
    /// It is refused, and asked to wait.
    refused: Option<u64>,
}

fn jobs() -> impl Strategy<Value = Vec<Job>> {
    let sometimes = |range: std::ops::Range<u64>| prop_oneof![3 => Just(None), 1 => range.prop_map(Some)];
    let times = (0_u64..4000, 1_u64..900, sometimes(1..6000), sometimes(0..5000), sometimes(1..3000));
    let job = (times, 1_u64..200).prop_map(|((arrives, takes, deadline, dropped, refused), tokens)| Job {
        arrives,
        takes,
        tokens,
        deadline,
        dropped,
        refused,
    });
    prop::collection::vec(job, 1..60)
}

#[derive(Debug, Default)]
struct Seen {
    entered: Vec<(Duration, usize)>,
    late: Vec<(Duration, usize, Late)>,
    most_flying: usize,
}

/// Runs jobs over the lane's own futures-to-be: they are polled when they come, when they are woken, and when the time
/// that they named has come, and never else.
/// The tokens of each are taken for `guess` times as many.
fn drive(limiter: &Limiter, jobs: &[Job], guess: u64) -> Seen {
    enum Now {
        Poll,
        Answered,
        Dropped,
    }
    let lane = limiter.lane(String::from("https://a.example"), Whose::Nobody, "m", Duration::ZERO);
    let mut told = Seen::default();
    let woken = Arc::new(Mutex::new(Vec::new()));
    let mut events = std::collections::BTreeMap::new();
    let mut order = 0_u64;
    let mut push = |events: &mut std::collections::BTreeMap<_, _>, at: Duration, job: usize, what: Now| {
        order += 1;
        events.insert((at, order), (job, what));
    };
    let mut turns: Vec<Option<Turn>> = Vec::new();
    let mut places: Vec<Option<Place>> = Vec::new();
    let mut arrival: Vec<usize> = (0..jobs.len()).collect();
    arrival.sort_by_key(|job| jobs[*job].arrives);
    for _ in jobs {
        turns.push(None);
        places.push(None);
    }
    // Tickets are drawn in the order of arrival.
    for &job in &arrival {
        let deadline = jobs[job].deadline.map(|deadline| ms(jobs[job].arrives + deadline));
        let input = jobs[job].tokens * guess;
        let ask = Ask { input, max_output: Some(0), deadline, patience: Duration::from_secs(120) };
        turns[job] = Some(Turn::new(Arc::clone(&lane), limiter.ticket(), ask));
        push(&mut events, ms(jobs[job].arrives), job, Now::Poll);
        if let Some(dropped) = jobs[job].dropped {
            push(&mut events, ms(jobs[job].arrives + dropped), job, Now::Dropped);
        }
    }
    let mut waiting = std::collections::BTreeSet::new();
    while let Some(((now, _), (job, what))) = events.pop_first() {
        let rank = arrival.iter().position(|of| *of == job).unwrap();
        match what {
            Now::Dropped => {
                waiting.remove(&rank);
                turns[job] = None;
                places[job] = None;
            }
            Now::Answered => {
                if let Some(place) = places[job].take() {
                    let usage = Usage { input: Some(jobs[job].tokens), output: Some(0), ..Usage::default() };
                    let refused = jobs[job].refused.is_some();
                    let retry_after = jobs[job].refused.map(ms);
                    let usage = if refused { Usage::default() } else { usage };
                    place.leave(Outcome { usage, refused, taken: !refused, retry_after, ..Outcome::default() }, now);
                }
            }
            Now::Poll => {
                let Some(turn) = &mut turns[job] else { continue };
                let waker = Waker::from(Arc::new(Woken(job, Arc::clone(&woken))));
                waiting.insert(rank);
                match turn.poll(now, &waker) {
                    Progress::Waits(None) => {}
                    Progress::Waits(Some(at)) => {
                        assert!(at > now, "it would spin");
                        push(&mut events, at, job, Now::Poll);
                    }
                    Progress::Over(entered) => {
                        turns[job] = None;
                        match entered {
                            Ok(place) => {
                                assert_eq!(waiting.first(), Some(&rank), "somebody was before it");
                                places[job] = Some(place);
                                told.entered.push((now, job));
                                push(&mut events, now + ms(jobs[job].takes), job, Now::Answered);
                            }
                            Err(late) => told.late.push((now, job, late)),
                        }
                        waiting.remove(&rank);
                    }
                }
                told.most_flying = told.most_flying.max(places.iter().flatten().count());
            }
        }
        for job in woken.lock().unwrap().drain(..) {
            push(&mut events, now, job, Now::Poll);
        }
    }
    assert!(waiting.is_empty(), "{waiting:?} wait for ever");
    assert!(lane.state().idle().is_some());
    told
}

/// The most of what was entered in any window of a length.
fn most(entered: &[(Duration, u64)], span: Duration) -> u64 {
    let window = |(from, _): &(Duration, u64)| {
        entered.iter().filter(|(at, _)| at >= from && *at < *from + span).map(|(_, cost)| cost).sum()
    };
    entered.iter().map(window).max().unwrap_or_default()
}

/// Who has its turn makes the next look when its own will be, though nobody is done yet.
#[test]
fn the_next_is_woken_by_who_goes() {
    let job = Job { arrives: 0, takes: 60_000, tokens: 1, deadline: None, dropped: None, refused: None };
    let told = drive(&Limiter::new().with_requests_per_minute(60), &vec![job; 6], 1);
    let times: Vec<u128> = told.entered.iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(times, [0, 0, 0, 1000, 2000, 3000]);
}

#[test]
fn what_is_told_is_kept_to() {
    let limit = |remaining, reset| RateLimit { limit: Some(10), remaining: Some(remaining), reset: Some(ms(reset)) };
    let mut told = Told::default();
    let spend = |told: &mut Told, at| {
        let ready = told.ready(1, at);
        told.spend(1, at.max(ready));
        ready
    };
    assert_eq!(spend(&mut told, ms(0)), ms(0));
    // Two more were sent since.
    told.hear(&limit(9, 1000), 1, ms(0), 2);
    assert_eq!([spend(&mut told, ms(100)), spend(&mut told, ms(100))], [ms(0); 2]);
    // Of the five that are left each gets its part of the time.
    let times: Vec<u128> = (0..5).map(|_| spend(&mut told, ms(100)).as_millis()).collect();
    assert_eq!(times, [280, 460, 640, 820, 1000]);
    // Nobody has to say that it is whole again.
    let again = (0..10).filter(|_| spend(&mut told, ms(1100)) <= ms(2100)).count();
    assert_eq!((again, told.ready(1, ms(1100))), (10, ms(2100)));
    // An answer to an older call says nothing new.
    told.hear(&limit(10, 9000), 0, ms(1200), 0);
    assert_eq!(told.shut(ms(1300)), ms(2100));
    // What lasts long is not spread.
    told.hear(&limit(2, 3_600_000), 2, ms(2000), 0);
    assert_eq!([spend(&mut told, ms(2000)), spend(&mut told, ms(2000))], [ms(0); 2]);
    assert_eq!(told.shut(ms(2000)), ms(3_602_000));
}

#[test]
fn lanes_are_for_an_address_a_key_and_a_model() {
    let limiter = Limiter::new();
    let lane = |address: &str, whose, model, at| limiter.lane(String::from(address), whose, model, at);
    let first = lane("a", Whose::Key("k"), "m", ms(0));
    assert!(Arc::ptr_eq(&first, &lane("a", Whose::Key("k"), "m", ms(0))));
    let others = [("b", Whose::Key("k"), "m"), ("a", Whose::Key("l"), "m"), ("a", Whose::Key("k"), "n")];
    for (address, whose, model) in others.into_iter().chain([("a", Whose::Nobody, "m"), ("a", Whose::Source(1), "m")]) {
        assert!(!Arc::ptr_eq(&first, &lane(address, whose, model, ms(0))));
    }
    // A limiter that is set up in another way shares nothing, and those that nobody uses go.
    assert!(!Arc::ptr_eq(
        &first,
        &limiter.clone().with_concurrency(1).lane(String::from("a"), Whose::Key("k"), "m", ms(0))
    ));
    for n in 0..5000_u64 {
        lane("c", Whose::Source(n), "m", Duration::from_secs(n * 60));
    }
    let kept = limiter.lanes.known.lock().unwrap().len();
    assert!(kept < 1000, "{kept}");
}

proptest! {
    /// Never more than what is given, in order, before the deadline; nobody waits for ever, and nobody is told that it is
    /// too late without a deadline.
    #[test]
    fn turns_are_fair(jobs in jobs(), per_second in 1_u64..30, calls in prop::option::of(1_usize..5), learn in any::<bool>()) {
        let mut limiter = Limiter::new().with_requests_per_second(per_second);
        if let Some(calls) = calls {
            limiter = limiter.with_concurrency(calls);
        }
        if learn {
            limiter = Limiter::new();
        }
        let told = drive(&limiter, &jobs, 1);
        if !learn {
            let entered: Vec<(Duration, u64)> = told.entered.iter().map(|(at, _)| (*at, 1)).collect();
            prop_assert!(most(&entered, Duration::from_secs(1)) <= per_second, "{entered:?}");
            prop_assert!(calls.is_none_or(|calls| told.most_flying <= calls));
        }
        let deadline = |job: usize| jobs[job].deadline.map(|deadline| ms(jobs[job].arrives + deadline));
        for (at, job) in &told.entered {
            prop_assert!(deadline(*job).is_none_or(|deadline| *at < deadline));
            // After a refusal nothing is sent until the time that was asked for.
            for (sent, of) in told.entered.iter().filter(|(_, of)| jobs[*of].refused.is_some() && jobs[*of].dropped.is_none()) {
                let heard = *sent + ms(jobs[*of].takes);
                let until = heard + ms(jobs[*of].refused.unwrap());
                prop_assert!(*at <= heard || *at >= until, "{at:?} is between {heard:?} and {until:?}");
            }
        }
        for (at, job, late) in &told.late {
            let Late::Deadline { wait, .. } = late else { panic!("{late:?}") };
            prop_assert!(deadline(*job).is_some_and(|deadline| *at + *wait >= deadline));
        }
    }

    /// What is guessed too high is given back, and is learnt; no minute has more tokens than are allowed.
    #[test]
    fn tokens_are_put_right(jobs in jobs(), most_tokens in 200_u64..2000, guess in 1_u64..4) {
        let jobs: Vec<Job> = jobs.into_iter().map(|job| Job { refused: None, dropped: None, ..job }).collect();
        let told = drive(&Limiter::new().with_tokens_per_minute(most_tokens), &jobs, guess);
        let entered: Vec<(Duration, u64)> = told.entered.iter().map(|(at, job)| (*at, jobs[*job].tokens)).collect();
        prop_assert!(most(&entered, Duration::from_secs(60)) <= most_tokens, "{entered:?}");
    }
}
