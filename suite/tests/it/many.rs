//! Many requests at once.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use instructor::testing::{Reply, Script};
use instructor::{Body, BoxFuture, Client, ErrorKind, Now, Request, Transport, TransportError};
use serde_json::json;

#[instructor::model]
#[derive(PartialEq)]
struct Number {
    number: usize,
}

/// Answers each request with the number in it, after some turns of the executor, and counts what is in flight.
#[derive(Clone, Debug, Default)]
struct Counter {
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

struct Open(Counter);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Transport for Counter {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let said = body["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
        let number: usize = said.trim_matches('"').parse().unwrap();
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        self.sent.fetch_add(1, Ordering::SeqCst);
        let guard = Open(self.clone());
        Box::pin(async move {
            // The first of each ten is the slowest.
            for _ in 0..(10 - number % 10) {
                tokio::task::yield_now().await;
            }
            drop(guard);
            let text = if number % 50 == 49 { String::from("no") } else { json!({ "number": number }).to_string() };
            let body = json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] });
            Ok(http::Response::new(Body::whole(body.to_string())))
        })
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Now {
        Now::default()
    }
}

fn client(counter: &Counter) -> Client {
    Client::builder()
        .provider("openai/gpt-5-mini")
        .api_key("k")
        .transport(counter.clone())
        .max_retries(0)
        .build()
        .unwrap()
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn so_many_are_in_flight_and_no_more() {
    for concurrency in [1, 7, 64] {
        let counter = Counter::default();
        let client = client(&counter);
        let (mut seen, mut failed) = (BTreeSet::new(), BTreeSet::new());
        run(async {
            let mut many = client.create_many::<Number, _>((0..500).map(|n| n.to_string()), concurrency);
            while let Some(made) = many.next().await {
                let new = match made.result {
                    Ok((value, _)) => {
                        assert_eq!(value.number, made.index);
                        seen.insert(made.index)
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Malformed);
                        failed.insert(made.index)
                    }
                };
                assert!(new, "{} came twice", made.index);
            }
        });
        assert_eq!(seen.len() + failed.len(), 500);
        assert_eq!(failed.len(), 10);
        assert_eq!(counter.most.load(Ordering::SeqCst), concurrency);
    }
}

#[test]
fn results_come_in_the_order_of_the_inputs_where_that_is_asked_for() {
    let counter = Counter::default();
    let client = client(&counter);
    let (as_ready, in_order) = run(async {
        let inputs = || (0..100).map(|n| n.to_string());
        let (mut as_ready, mut in_order) = (Vec::new(), Vec::new());
        let mut many = client.create_many::<Number, _>(inputs(), 16);
        while let Some(made) = many.next().await {
            as_ready.push(made.index);
        }
        let mut many = client.create_many::<Number, _>(inputs(), 16).in_order();
        while let Some(made) = many.next().await {
            in_order.push(made.index);
        }
        (as_ready, in_order)
    });
    assert_eq!(in_order, (0..100).collect::<Vec<_>>());
    assert_ne!(as_ready, in_order);
}

/// Numbers without end, that counts how many were taken.
struct Endless(Arc<AtomicUsize>);

impl Stream for Endless {
    type Item = String;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<String>> {
        Poll::Ready(Some(self.0.fetch_add(1, Ordering::SeqCst).to_string()))
    }
}

struct Asked<'a, S>(&'a Client, S);

impl<'a, S: Stream<Item = String> + Unpin> Stream for Asked<'a, S> {
    type Item = Request<'a>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Request<'a>>> {
        let client = self.0;
        Pin::new(&mut self.1).poll_next(context).map(|next| next.map(|text| client.request(text)))
    }
}

#[test]
fn inputs_are_taken_when_there_is_room_and_dropping_ends_it() {
    let counter = Counter::default();
    let client = client(&counter);
    let taken = Arc::new(AtomicUsize::new(0));
    for in_order in [false, true] {
        taken.store(0, Ordering::SeqCst);
        run(async {
            let mut many = Request::create_many_from::<Number>(Asked(&client, Endless(Arc::clone(&taken))), 8);
            if in_order {
                many = many.in_order();
            }
            for _ in 0..20 {
                many.next().await.unwrap();
            }
        });
        let taken = taken.load(Ordering::SeqCst);
        assert!((20..=20 + 8 * 4).contains(&taken), "{taken}");
        assert_eq!(counter.open.load(Ordering::SeqCst), 0, "what was in flight has ended");
    }
}

#[test]
fn blocking_clients_have_threads() {
    let script = Script::new().when(|_| true, Reply::value(json!({ "number": 3 })));
    let client = script.blocking_client("openai/gpt-5-mini");
    let mut indices: Vec<usize> = client
        .create_many::<Number, _>((0..40).map(|n| n.to_string()), 4)
        .map(|made| {
            assert_eq!(made.result.unwrap().0.number, 3);
            made.index
        })
        .collect();
    indices.sort_unstable();
    assert_eq!(indices, (0..40).collect::<Vec<_>>());
    // Dropped after the first: threads take no further inputs.
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let inputs = (0..1_000_000).map(move |n: usize| {
        count.store(n + 1, Ordering::SeqCst);
        n.to_string()
    });
    let mut many = client.create_many::<Number, _>(inputs, 2);
    many.next().unwrap();
    drop(many);
    assert!(taken.load(Ordering::SeqCst) < 1000);
}
