//! Many requests at once that share a limiter.

mod world;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{
    BlockingTransport, BoxFuture, Client, Error, ErrorKind, Limiter, Mode, Retry, TransportError, blocking,
};
use serde_json::json;

use self::world::{Account, Allows, Counts, World};

#[instructor::model]
struct City {
    name: String,
}

const FIFTY: Allows =
    Allows { counts: Counts::Bucket { whole: 50.0 }, rate: 50.0, tokens: false, headers: false, retry_after: false };

/// Fifty calls a second of about 500 tokens.
const TOKENS: f64 = 25_000.0;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn client(world: &World, key: &str, model: &str, limiter: Option<&Limiter>) -> Client {
    Client::builder()
        .provider(&format!("openai/{model}"))
        .api_key(key)
        .mode(Mode::Json)
        .transport(world.clone())
        .limiter(limiter.cloned())
        .build()
        .unwrap()
}

/// So many workers that do a number of jobs together. What failed is in `errors`.
fn workers<'w>(
    client: &Client,
    (jobs, at_once): (usize, usize),
    errors: &Arc<Mutex<Vec<Error>>>,
) -> Vec<BoxFuture<'w, ()>> {
    let left = Arc::new(AtomicUsize::new(jobs));
    let worker = |_| {
        let (client, left, errors) = (client.clone(), Arc::clone(&left), Arc::clone(errors));
        let work = async move {
            while let Ok(n) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                // Between a half and one and a half of the mean.
                let text = "word ".repeat(140 + (n * 7919) % 280);
                if let Err(error) = client.create::<City>(text).await {
                    errors.lock().unwrap().push(error);
                }
            }
        };
        Box::pin(work) as BoxFuture<'w, ()>
    };
    (0..at_once).map(worker).collect()
}

struct Books {
    account: Account,
    errors: Vec<Error>,
    took: Duration,
}

impl Books {
    /// The share of calls that were refused after the warm-up.
    fn waste(&self) -> f64 {
        let late = |at: &Duration| *at > WARM_UP;
        let refused = self.account.refused.iter().filter(|at| late(at)).count() as f64;
        refused / (refused + self.account.taken.iter().filter(|(at, _)| late(at)).count() as f64)
    }

    /// The share of what is allowed that was used after the warm-up.
    fn share(&self, rate: f64) -> f64 {
        let late = self.account.taken.iter().filter(|(at, _)| *at > WARM_UP);
        let (last, sum) = late.fold((WARM_UP, 0.0), |(_, sum), (at, cost)| (*at, sum + cost));
        sum / (last - WARM_UP).as_secs_f64() / rate
    }
}

const WARM_UP: Duration = seconds(10);

fn run(allows: Allows, jobs: (usize, usize), limiter: Option<&Limiter>) -> Books {
    let world = World::new(&[("m", allows)]);
    let errors = Arc::default();
    world.run(workers(&client(&world, "k", "m", limiter), jobs, &errors));
    let errors = std::mem::take(&mut *errors.lock().unwrap());
    Books { account: world.account("k", "m"), errors, took: world.time() }
}

/// With what a provider says in headers and in refusals.
#[expect(clippy::print_stdout, reason = "how far from its bounds it is can be seen with --nocapture")]
fn five_thousand_jobs(allows: Allows, says: &[(bool, bool)]) {
    for &(headers, retry_after) in says {
        let allows = Allows { headers, retry_after, ..allows };
        let books = run(allows, (5000, 256), Some(&Limiter::new()));
        let (waste, share) = (books.waste(), books.share(allows.rate));
        let early = books.account.refused.iter().filter(|at| **at <= WARM_UP).count();
        println!(
            "{allows:?}: {share:.3} of the rate, {early} refused in the warm-up and {:.2} % after it, {} lost, {:?}",
            waste * 100.0,
            books.errors.len(),
            books.took,
        );
        assert!(books.errors.is_empty(), "{:#}", books.errors[0]);
        assert!(waste < 0.03 && share >= 0.9);
    }
}

#[test]
fn five_thousand_jobs_find_the_rate_of_a_provider_and_none_is_lost() {
    five_thousand_jobs(FIFTY, &[(false, false), (false, true), (true, false)]);
}

#[test]
fn five_thousand_jobs_find_a_limit_of_tokens_and_none_is_lost() {
    let allows = Allows { counts: Counts::Bucket { whole: TOKENS }, rate: TOKENS, tokens: true, ..FIFTY };
    five_thousand_jobs(allows, &[(false, false), (true, false)]);
}

#[test]
fn without_a_limiter_many_are_lost() {
    let books = run(FIFTY, (1000, 256), None);
    assert!(books.errors.len() > 100, "{} of 1000 lost", books.errors.len());
    assert!(books.errors.iter().all(|error| error.kind() == ErrorKind::RateLimited));
}

#[test]
fn what_is_given_is_never_exceeded() {
    let minute = Counts::Window { span: seconds(60) };
    let cases = [
        (Allows { counts: minute, ..FIFTY }, Limiter::new().with_requests_per_minute(3000), seconds(105)),
        (FIFTY, Limiter::new().with_requests_per_second(50), seconds(105)),
        (
            Allows { counts: minute, rate: TOKENS, tokens: true, ..FIFTY },
            Limiter::new().with_tokens_per_minute(60 * TOKENS as u64),
            seconds(115),
        ),
    ];
    for (allows, limiter, most) in cases {
        let books = run(allows, (5000, 256), Some(&limiter));
        assert!(books.errors.is_empty() && books.account.refused.is_empty(), "{limiter:?}");
        assert!(books.took < most, "{limiter:?} took {:?}", books.took);
    }
}

#[test]
fn keys_and_models_do_not_slow_each_other() {
    let slow = Allows { counts: Counts::Bucket { whole: 2.0 }, rate: 2.0, headers: true, ..FIFTY };
    let fast = Allows { counts: Counts::Bucket { whole: 1000.0 }, rate: 1000.0, ..FIFTY };
    let world = World::new(&[("slow", slow), ("fast", fast)]);
    let limiter = Limiter::new();
    let errors = Arc::default();
    let of = |key, model| client(&world, key, model, Some(&limiter));
    // The slow ones come first.
    let mut tasks = workers(&of("a", "slow"), (40, 40), &errors);
    tasks.extend(workers(&of("b", "slow"), (40, 40), &errors));
    tasks.extend(workers(&of("a", "fast"), (400, 8), &errors));
    world.run(tasks);
    assert!(errors.lock().unwrap().is_empty());
    let last = |key, model| world.account(key, model).taken.last().unwrap().0;
    // 400 calls of a quarter of a second, eight at a time.
    assert!(last("a", "fast") < seconds(14), "{:?}", last("a", "fast"));
    for key in ["a", "b"] {
        let last = last(key, "slow");
        assert!(last > seconds(15) && last < seconds(28), "{last:?}");
    }
}

fn right() -> Reply {
    Reply::value(json!({ "name": "Rome" }))
}

fn limited(seconds: u64) -> Reply {
    Reply::status(429).header("retry-after", seconds.to_string())
}

#[test]
fn nothing_is_sent_into_a_known_429() {
    let script = Script::new().reply(limited(30)).reply(right());
    let client = script.builder("openai/m").limiter(Limiter::new()).build().unwrap();
    let create = |deadline: Option<u64>, retry| {
        let request = client.request("x").retry(retry);
        let request = match deadline {
            Some(deadline) => request.deadline(seconds(deadline)),
            None => request,
        };
        script.block_on(request.create_with_completion::<City>())
    };
    let first = create(None, Retry::never()).map(drop).unwrap_err();
    assert_eq!((first.kind(), first.retry_after()), (ErrorKind::RateLimited, Some(seconds(30))));
    // Others know of it: it is too late for one, too long for another, and the third waits.
    let second = create(Some(29), Retry::new()).map(drop).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Budget);
    assert!(second.to_string().ends_with("the deadline of 29s comes before its turn, in 30000 ms"), "{second}");
    let third = create(None, Retry::new().with_longest_retry_after(seconds(20))).map(drop).unwrap_err();
    assert_eq!((third.kind(), third.retry_after()), (ErrorKind::RateLimited, Some(seconds(30))));
    assert!(third.to_string().contains("nothing is sent for 30 s"), "{third}");
    assert_eq!((script.sent().len(), script.waits().len()), (1, 0));
    let (_, completion) = create(None, Retry::new()).unwrap();
    let [attempt] = completion.report.attempts() else { panic!() };
    assert_eq!((attempt.waited, attempt.queued), (seconds(30), seconds(30)));
    assert!(attempt.to_string().contains("after a wait of 30000 ms, 30000 of them for its turn"), "{attempt}");
    assert_eq!(script.sent()[1].at(), seconds(30));
}

#[test]
fn a_refusal_is_waited_for_in_the_queue_and_is_no_failed_attempt() {
    let script = (0..6).fold(Script::new(), |script, _| script.reply(limited(2))).reply(right());
    let client = script.builder("openai/m").limiter(Limiter::new()).max_retries(1).build().unwrap();
    let (_, completion) = script.block_on(client.create_with_completion::<City>("x")).unwrap();
    let queued: Vec<u64> = completion.report.attempts().iter().map(|attempt| attempt.queued.as_secs()).collect();
    assert_eq!(queued, [0, 2, 2, 2, 2, 2, 2]);
    // Where nothing else gets through either, it ends.
    let script = Script::new().when(|_| true, limited(2));
    let client = script.builder("openai/m").limiter(Limiter::new()).build().unwrap();
    let error = script.block_on(client.request("x").create::<City>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(script.sent().last().unwrap().at(), seconds(122));
    // A request that asks for no second attempt makes none.
    let script = Script::new().reply(limited(2));
    let client = script.builder("openai/m").limiter(Limiter::new()).max_retries(0).build().unwrap();
    assert_eq!(script.block_on(client.create::<City>("x")).map(drop).unwrap_err().kind(), ErrorKind::RateLimited);
}

#[test]
fn headers_and_what_is_given_hold_for_all_attempts_of_all_clients() {
    let said = |reply: Reply, left: &str| {
        reply
            .header("x-ratelimit-limit-requests", "100")
            .header("x-ratelimit-remaining-requests", left)
            .header("x-ratelimit-reset-requests", "7s")
    };
    // The second client waits for what the first was told; an answer that is asked for again waits too.
    let script = Script::new().reply(said(right(), "0")).reply(said(Reply::value(json!({})), "0")).reply(right());
    let limiter = Limiter::new();
    for _ in 0..2 {
        let client = script.builder("openai/m").limiter(limiter.clone()).build().unwrap();
        script.block_on(client.create::<City>("x")).unwrap();
    }
    let at: Vec<u64> = script.sent().iter().map(|sent| sent.at().as_secs()).collect();
    assert_eq!(at, [0, 7, 14]);
    // Another client without it is not held, and a request may go without.
    let script = (0..4).fold(Script::new(), |script, _| script.reply(right()));
    let client = script.builder("openai/m").limiter(Limiter::new().with_requests_per_minute(1)).build().unwrap();
    script.block_on(client.create::<City>("x")).unwrap();
    script.block_on(client.request("x").limiter(None).create::<City>()).unwrap();
    script.block_on(client.request("x").create::<City>()).unwrap();
    let blocking = blocking::Client::build_with(script.builder("openai/m").limiter(limiter), script.clone()).unwrap();
    blocking.create::<City>("x").unwrap();
    let at: Vec<u64> = script.sent().iter().map(|sent| sent.at().as_secs()).collect();
    assert_eq!(at, [0, 0, 60, 60]);
}

#[test]
fn a_stream_holds_its_place_until_it_is_dropped() {
    let script = Script::new().reply(right()).reply(right());
    let limiter = Limiter::new().with_concurrency(1);
    let client = script.builder("openai/m").limiter(limiter).build().unwrap();
    let stream = script.block_on(client.request("x").create_iterable::<City>());
    let mut stream = stream.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let _ = pin!(stream.next()).poll(&mut context);
    let mut dropped = Box::pin(client.create::<City>("x"));
    let mut waits = pin!(client.create::<City>("x"));
    assert!(dropped.as_mut().poll(&mut context).is_pending());
    assert!(waits.as_mut().poll(&mut context).is_pending());
    assert_eq!(script.sent().len(), 1);
    drop(stream);
    // It was before the other, and is there no longer.
    drop(dropped);
    assert!(waits.as_mut().poll(&mut context).is_ready());
    assert_eq!(script.sent().len(), 2);
}

/// Answers when it is let, on real threads in real time.
struct Gate {
    script: Script,
    open: Mutex<mpsc::Receiver<()>>,
    arrived: mpsc::Sender<()>,
}

impl BlockingTransport for Gate {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn std::io::Read + Send>>, TransportError> {
        self.arrived.send(()).unwrap();
        self.open.lock().unwrap().recv().unwrap();
        BlockingTransport::send(&self.script, request, timeout)
    }

    fn park(&self, most: Duration) -> bool {
        let start = std::time::Instant::now();
        thread::park_timeout(most);
        start.elapsed() >= most
    }
}

#[test]
fn threads_wait_for_their_turn_and_no_longer_than_their_deadline() {
    let script = (0..3).fold(Script::new(), |script, _| script.reply(right()));
    let (open, gate) = mpsc::channel();
    let (arrived, arrivals) = mpsc::channel();
    let gate = Gate { script: script.clone(), open: Mutex::new(gate), arrived };
    let limiter = Limiter::new().with_concurrency(1);
    let client = blocking::Client::build_with(script.builder("openai/m").limiter(limiter), gate).unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| client.create::<City>("x").map(drop));
        arrivals.recv().unwrap();
        // The first holds the only place for as long as nobody opens.
        let late = client.request("x").deadline(Duration::from_millis(30)).create::<City>().map(drop).unwrap_err();
        assert_eq!((late.kind(), script.sent().len()), (ErrorKind::Budget, 0));
        // These have a deadline that is far, and are woken long before it.
        let request = || client.request("x").deadline(seconds(3600)).create::<City>().map(drop);
        let others = [scope.spawn(request), scope.spawn(request)];
        for _ in 0..3 {
            open.send(()).unwrap();
        }
        first.join().unwrap().unwrap();
        for other in others {
            other.join().unwrap().unwrap();
        }
    });
    assert_eq!(script.sent().len(), 3);
}
