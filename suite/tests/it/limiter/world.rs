//! A world with a clock of its own, in which many requests run at once against a provider that counts.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use instructor::{Body, BoxFuture, Now, Transport, TransportError};
use serde_json::{Value, json};

/// How a provider counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counts {
    /// A bucket that fills up all the time.
    Bucket { whole: f64 },
    /// So much from one tick of its clock to the next.
    Window { span: Duration },
}

/// What a provider allows, and what it says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allows {
    pub(crate) counts: Counts,
    /// Per second.
    pub(crate) rate: f64,
    /// Tokens, not calls.
    pub(crate) tokens: bool,
    pub(crate) headers: bool,
    pub(crate) retry_after: bool,
}

/// One key's use of one model, as the provider sees it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    allows: Allows,
    left: f64,
    at: Duration,
    pub(crate) refused: Vec<Duration>,
    /// When calls were let in, and what they cost.
    pub(crate) taken: Vec<(Duration, f64)>,
}

impl Account {
    fn new(allows: Allows) -> Self {
        let mut account = Self { allows, left: 0.0, at: Duration::ZERO, refused: Vec::new(), taken: Vec::new() };
        account.left = account.whole();
        account
    }

    fn whole(&self) -> f64 {
        match self.allows.counts {
            Counts::Bucket { whole } => whole,
            Counts::Window { span } => self.allows.rate * span.as_secs_f64(),
        }
    }

    /// Whether a call is let in, and what the headers say.
    fn call(&mut self, tokens: f64, now: Duration) -> (bool, Vec<(&'static str, String)>) {
        let Allows { counts, rate, tokens: counts_tokens, headers, retry_after } = self.allows;
        let whole = self.whole();
        match counts {
            Counts::Bucket { .. } => self.left = (self.left + rate * (now - self.at).as_secs_f64()).min(whole),
            Counts::Window { span } if ticks(now, span) > ticks(self.at, span) => self.left = whole,
            Counts::Window { .. } => {}
        }
        self.at = now;
        let cost = if counts_tokens { tokens } else { 1.0 };
        let taken = self.left >= cost;
        if taken {
            self.left -= cost;
            self.taken.push((now, cost));
        } else {
            self.refused.push(now);
        }
        let reset = match counts {
            Counts::Bucket { .. } => (whole - self.left) / rate,
            Counts::Window { span } => (span - (now - span * ticks(now, span))).as_secs_f64(),
        };
        let mut said = Vec::new();
        if headers {
            let of = |tokens, calls| if counts_tokens { tokens } else { calls };
            said.extend([
                (of("x-ratelimit-limit-tokens", "x-ratelimit-limit-requests"), format!("{whole}")),
                (of("x-ratelimit-remaining-tokens", "x-ratelimit-remaining-requests"), format!("{}", self.left as u64)),
                (of("x-ratelimit-reset-tokens", "x-ratelimit-reset-requests"), format!("{reset:.3}s")),
            ]);
        }
        if retry_after && !taken {
            said.push(("retry-after", format!("{}", reset.ceil())));
        }
        (taken, said)
    }
}

fn ticks(now: Duration, span: Duration) -> u32 {
    (now.as_nanos() / span.as_nanos()) as u32
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    timers: BTreeMap<(Duration, u64), Waker>,
    order: u64,
    random: fastrand::Rng,
    allows: BTreeMap<String, Allows>,
    accounts: BTreeMap<String, Account>,
}

/// The clock, the provider, and the transport between.
#[derive(Clone, Debug, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

impl World {
    /// Providers by model. What another key uses of a model is counted apart.
    pub(crate) fn new(allows: &[(&str, Allows)]) -> Self {
        let allows = allows.iter().map(|(model, allows)| (String::from(*model), *allows)).collect();
        Self(Arc::new(Mutex::new(State { allows, random: fastrand::Rng::with_seed(7), ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn time(&self) -> Duration {
        self.state().now
    }

    /// What was counted for a key and a model.
    pub(crate) fn account(&self, key: &str, model: &str) -> Account {
        self.state().accounts[&format!("Bearer {key} {model}")].clone()
    }

    /// Runs tasks to their end, and lets the time pass where all wait for it.
    pub(crate) fn run(&self, tasks: Vec<BoxFuture<'_, ()>>) {
        let ready = Arc::new(Mutex::new((0..tasks.len()).collect::<VecDeque<usize>>()));
        let mut tasks: Vec<Option<BoxFuture<'_, ()>>> = tasks.into_iter().map(Some).collect();
        let mut left = tasks.len();
        while left > 0 {
            let next = ready.lock().unwrap().pop_front();
            if let Some(task) = next {
                let waker = Waker::from(Arc::new(Ready(task, Arc::clone(&ready))));
                let Some(future) = &mut tasks[task] else { continue };
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    tasks[task] = None;
                    left -= 1;
                }
                continue;
            }
            let mut state = self.state();
            let Some(((at, _), waker)) = state.timers.pop_first() else { panic!("{left} tasks wait for nothing") };
            state.now = at;
            drop(state);
            waker.wake();
        }
    }

    fn answer(&self, request: &http::Request<Bytes>) -> (Duration, http::Response<Body>) {
        let mut state = self.state();
        let now = state.now;
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let model = body["model"].as_str().unwrap();
        let allows = state.allows[model];
        let key = format!("{} {model}", request.headers()["authorization"].to_str().unwrap());
        let input = request.body().len() / 4;
        let account = state.accounts.entry(key).or_insert_with(|| Account::new(allows));
        let (taken, headers) = account.call((input + 10) as f64, now);
        let after = if taken { state.random.u64(100..400) } else { state.random.u64(15..30) };
        let answer = json!({
            "choices": [{ "message": { "role": "assistant", "content": "{\"name\":\"Rome\"}" }, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": input, "completion_tokens": 10, "total_tokens": input + 10 },
        });
        let body = if taken { answer } else { json!({ "error": { "message": "Rate limit reached" } }) };
        let mut response = http::Response::builder().status(if taken { 200 } else { 429 });
        for (name, value) in headers {
            response = response.header(name, value);
        }
        (Duration::from_millis(after), response.body(Body::whole(body.to_string())).unwrap())
    }
}

struct Ready(usize, Arc<Mutex<VecDeque<usize>>>);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push_back(self.0);
    }
}

struct Timer(World, Duration);

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.state();
        if state.now >= self.1 {
            return Poll::Ready(());
        }
        state.order += 1;
        let at = (self.1, state.order);
        state.timers.insert(at, context.waker().clone());
        Poll::Pending
    }
}

impl Transport for World {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            let (after, response) = self.answer(&request);
            self.sleep(after).await;
            Ok(response)
        })
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(Timer(self.clone(), self.time() + wait))
    }

    fn now(&self) -> Now {
        let now = self.time();
        Now::new(now, now)
    }
}
