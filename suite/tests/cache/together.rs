//! The same asked many times at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use instructor::{Body, BoxFuture, Now, TransportError};

use super::*;

/// Answers after some turns of the executor, and counts.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<AtomicUsize>);

impl Transport for Counter {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let streamed = String::from_utf8_lossy(request.body()).contains("\"stream\":true");
        Box::pin(async move {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let text = ada().to_string();
            let body = if streamed {
                let delta = json!({ "choices": [{ "delta": { "content": text }, "finish_reason": "stop" }] });
                format!("data: {delta}\n\ndata: [DONE]\n\n")
            } else {
                json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] }).to_string()
            };
            Ok(http::Response::new(Body::whole(body)))
        })
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }

    fn now(&self) -> Now {
        static START: OnceLock<Instant> = OnceLock::new();
        Now::new(START.get_or_init(Instant::now).elapsed(), Duration::ZERO)
    }
}

fn build(counter: &Counter, cache: &Arc<MemoryCache>) -> Client {
    let builder = Client::builder().provider(SPEC).api_key("k").transport(counter.clone());
    builder.cache(Arc::clone(cache)).build().unwrap()
}

#[test]
fn sixty_four_at_once_are_one_call() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for (clients, streamed) in [(1, 0), (2, 0), (64, 0), (1, 64), (2, 32)] {
        let (counter, cache) = (Counter::default(), Arc::new(MemoryCache::new()));
        let clients: Vec<Client> = (0..clients).map(|_| build(&counter, &cache)).collect();
        runtime.block_on(async {
            let tasks: Vec<_> = (0..64)
                .map(|n| {
                    let client = clients[n % clients.len()].clone();
                    tokio::spawn(async move {
                        if n < streamed {
                            let partials = client.request("x").create_partial::<User>().await?;
                            return partials.finish_with_completion().await;
                        }
                        client.create_with_completion::<User>("x").await
                    })
                })
                .collect();
            let (mut hits, mut shared) = (0, 0);
            for task in tasks {
                let (user, completion) = task.await.unwrap().unwrap();
                assert_eq!(user.age, 36);
                hits += usize::from(completion.report.is_cached());
                shared += usize::from(completion.report.is_shared() && !completion.report.is_cached());
            }
            assert_eq!(hits + shared, 63, "{} clients, {streamed} streamed", clients.len());
        });
        assert_eq!(counter.0.load(Ordering::SeqCst), 1, "{} clients, {streamed} streamed", clients.len());
    }
}

#[test]
fn tenants_in_flight_at_once_are_no_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (counter, cache) = (Counter::default(), Arc::new(MemoryCache::new()));
    let client = build(&counter, &cache);
    runtime.block_on(async {
        let ask = |tenant: &'static str| client.request("x").cache_namespace(tenant).create::<User>();
        let ((a, b), (c, d)) =
            tokio::join!(async { tokio::join!(ask("a"), ask("b")) }, async { tokio::join!(ask("a"), ask("b")) });
        assert!([a, b, c, d].iter().all(Result::is_ok));
    });
    assert_eq!(counter.0.load(Ordering::SeqCst), 2);
}

#[test]
fn who_waits_in_vain_asks_himself() {
    // Somebody has claimed all, and never comes back.
    struct Claimed;
    impl Cache for Claimed {
        fn get(&self, _: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
            Box::pin(std::future::ready(Ok(None)))
        }

        fn set(&self, _: CacheKey, _: Bytes, _: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
            Box::pin(std::future::ready(Ok(())))
        }

        fn claim(&self, _: CacheKey, _: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
            Box::pin(std::future::ready(Ok(false)))
        }
    }
    let script = always(ada());
    let client = client(&script, Claimed);
    let ask = |wait: u64, deadline: u64| {
        let request = client.request("x").cache_wait(Duration::from_secs(wait)).deadline(Duration::from_secs(deadline));
        let (_, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
        let waited = completion.report.cache().iter().find_map(|event| match event {
            CacheEvent::Waited(time) => Some(*time),
            _ => None,
        });
        assert_eq!(completion.report.attempts().len(), 1);
        waited.map(|time| time.as_secs())
    };
    assert_eq!(ask(30, 600), Some(29));
    assert_eq!(ask(30, 10), Some(9));
    assert_eq!(ask(0, 10), None);
    let waits = script.waits();
    assert!(waits[0] < waits[1] && waits.iter().all(|wait| *wait <= Duration::from_millis(250)));
}
