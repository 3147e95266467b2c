//! The work under measurement: so many calls, so many at a time, in a process of its own.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use instructor::{Client, ClientBuilder, Mode, Profile, blocking};
use serde::{Deserialize, Serialize};

use crate::exchange::Schema;
use crate::floor::{Floor, lean};
use crate::floor_blocking::FloorBlocking;
use crate::order::{KEY, MODEL, Order, PROMPT};
use crate::server::Server;
use crate::streams::{self, Said};
use crate::usage;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Whose calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// By hand, over reqwest.
    Floor,
    /// The same, with the schema serialised into each body as a value: what most code does.
    FloorValue,
    /// `Client::create`.
    Ours,
    /// By hand, over ureq.
    FloorBlocking,
    /// `blocking::Client::create`.
    OursBlocking,
    /// By hand, a stream of events; the value at its end.
    StreamFloor,
    /// The same, with all of the text read again after each delta.
    StreamAgain,
    /// `Request::create_partial`, with a look after each delta.
    StreamOurs,
    /// The same, with a snapshot after each delta.
    StreamOwned,
    /// The same as a rival does it.
    #[cfg(feature = "rivals")]
    StreamRival,
    /// `Request::preview`: what is done before anything is sent, and no network.
    Preview,
}

impl Side {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| String::from(value.get_name()))
    }
}

/// How much.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Calls that are measured
    #[arg(long, default_value_t = 1000)]
    pub(crate) calls: u64,
    /// Calls before them, which are not
    #[arg(long, default_value_t = 0)]
    pub(crate) warm_up: u64,
    /// Calls at a time: tasks of one thread, or threads where the client blocks
    #[arg(long, default_value_t = 1)]
    pub(crate) in_flight: u64,
    /// The first answer is wrong and the second right
    #[arg(long)]
    pub(crate) reask: bool,
}

impl Load {
    /// About how many calls a task has.
    const fn share(self, calls: u64) -> usize {
        (calls / if self.in_flight == 0 { 1 } else { self.in_flight }) as usize + 16
    }
}

/// What it took.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Took {
    pub(crate) calls: u64,
    pub(crate) in_flight: u64,
    pub(crate) cpu_us_per_call: Option<f64>,
    pub(crate) wall_us_per_call: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) peak_kib: Option<u64>,
}

/// Does the work, against the server at `base_url` or one of its own.
pub(crate) fn run(side: Side, load: Load, base_url: Option<String>) -> Result<Took> {
    let server;
    let base_url = match base_url {
        Some(base_url) => base_url,
        None => {
            server = Server::start()?;
            server.base_url(load.reask)
        }
    };
    match side {
        Side::Floor | Side::FloorValue => {
            let floor = Arc::new(Floor::new(lean()?, &base_url, Schema::of_order(side == Side::FloorValue)?)?);
            tasks(load, move || {
                let floor = Arc::clone(&floor);
                async move { floor.create().await }
            })
        }
        Side::Ours => {
            let client = builder(base_url).build()?;
            tasks(load, move || {
                let client = client.clone();
                async move { Ok(client.create::<Order>(PROMPT).await?) }
            })
        }
        Side::FloorBlocking => {
            let floor = FloorBlocking::new(&base_url, Schema::of_order(false)?);
            threads(load, || floor.create())
        }
        Side::OursBlocking => {
            let client = blocking::Client::build(builder(base_url))?;
            threads(load, || Ok(client.create::<Order>(PROMPT)?))
        }
        Side::StreamFloor | Side::StreamAgain => {
            let said = Said::at(&base_url).ok_or("the URL of a stream says what is streamed")?;
            let floor = Arc::new(Floor::new(lean()?, &base_url, Schema::of_order(false)?)?);
            tasks(load, move || {
                let floor = Arc::clone(&floor);
                async move {
                    let look = if side == Side::StreamAgain { streams::again } else { |_: &str| {} };
                    streams::by_hand(said, floor.ask().await?, look).await
                }
            })
        }
        Side::StreamOurs | Side::StreamOwned => {
            let said = Said::at(&base_url).ok_or("the URL of a stream says what is streamed")?;
            let client = streams::client(said.protocol, &base_url)?;
            tasks(load, move || {
                let client = client.clone();
                async move { streams::ours(said, &client, side == Side::StreamOwned).await }
            })
        }
        #[cfg(feature = "rivals")]
        Side::StreamRival => {
            let rival = Arc::new(streams::Rival::new(&base_url)?);
            tasks(load, move || {
                let rival = Arc::clone(&rival);
                async move { rival.ask().await }
            })
        }
        Side::Preview => {
            let client = builder(base_url).build()?;
            threads(load, || Ok(client.request(PROMPT).preview::<Order>()?.body().len()))
        }
    }
}

pub(crate) fn builder(base_url: String) -> ClientBuilder {
    let profile = Profile::openai_compatible("loopback", base_url);
    Client::builder().profile(profile).api_key(KEY).model(MODEL).mode(Mode::Tools)
}

fn tasks<T, F>(load: Load, call: impl Fn() -> F + Clone + Send + 'static) -> Result<Took>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let batch = |calls: u64| {
        runtime.block_on(async {
            let begun = Arc::new(AtomicU64::new(0));
            let share = load.share(calls);
            let tasks: Vec<_> = (0..load.in_flight.min(calls))
                .map(|_| {
                    let (begun, call) = (Arc::clone(&begun), call.clone());
                    tokio::spawn(async move {
                        let mut times = Vec::with_capacity(share);
                        while begun.fetch_add(1, Ordering::Relaxed) < calls {
                            let start = Instant::now();
                            drop(call().await?);
                            times.push(start.elapsed());
                        }
                        Ok::<_, Box<dyn Error + Send + Sync>>(times)
                    })
                })
                .collect();
            let mut times = Vec::with_capacity(calls as usize);
            for task in tasks {
                times.append(&mut task.await??);
            }
            Ok(times)
        })
    };
    timed(load, batch)
}

fn threads<T>(load: Load, call: impl Fn() -> Result<T> + Sync) -> Result<Took> {
    let batch = |calls: u64| {
        let begun = AtomicU64::new(0);
        let share = load.share(calls);
        let work = || {
            let mut times = Vec::with_capacity(share);
            while begun.fetch_add(1, Ordering::Relaxed) < calls {
                let start = Instant::now();
                drop(call()?);
                times.push(start.elapsed());
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(times)
        };
        if load.in_flight == 1 {
            return work();
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..load.in_flight.min(calls)).map(|_| scope.spawn(work)).collect();
            let mut times = Vec::with_capacity(calls as usize);
            for thread in threads {
                times.append(&mut thread.join().map_err(|_| "a thread panicked")??);
            }
            Ok(times)
        })
    };
    timed(load, batch)
}

fn timed(load: Load, batch: impl Fn(u64) -> Result<Vec<Duration>>) -> Result<Took> {
    batch(load.warm_up)?;
    let (cpu, start) = (usage::own_cpu(), Instant::now());
    let mut times = batch(load.calls)?;
    let wall = start.elapsed();
    let cpu = usage::own_cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    times.sort_unstable();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / load.calls.max(1) as f64;
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    Ok(Took {
        calls: load.calls,
        in_flight: load.in_flight,
        cpu_us_per_call: cpu.map(each),
        wall_us_per_call: each(wall),
        p50_us: at(0.5),
        p99_us: at(0.99),
        peak_kib: usage::peak_kib(),
    })
}
