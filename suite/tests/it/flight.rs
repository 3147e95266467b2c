//! Identical requests that are in flight at the same time are one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{
    Body, BoxFuture, Client, Completion, Context, Error, ErrorKind, Issue, Now, Transport, TransportError,
};
use serde_json::json;

#[instructor::model]
#[derive(Clone, Debug, PartialEq)]
#[response(validate = big_enough)]
struct Number {
    number: u64,
}

struct Least(u64);

fn big_enough(value: &Number, context: &Context) -> Result<(), Issue> {
    let least = context.get::<Least>().map_or(0, |least| least.0);
    if value.number < least { Err(Issue::at("number", "a larger one")) } else { Ok(()) }
}

/// Answers with how often it was asked, after some turns of the executor; with an error where there is a status.
#[derive(Clone, Debug, Default)]
struct Counter {
    calls: Arc<AtomicUsize>,
    status: Option<u16>,
}

impl Transport for Counter {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let text = json!({ "number": call }).to_string();
            let body = json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] });
            let status = self.status.unwrap_or(200);
            Ok(http::Response::builder().status(status).body(Body::whole(body.to_string())).unwrap())
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
    let builder = Client::builder().provider("openai/gpt-5-mini").api_key("k").transport(counter.clone());
    builder.max_retries(0).single_flight(true).build().unwrap()
}

/// Runs all at once, each as a task of its own.
fn together<F>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        let mut ends = Vec::new();
        for task in tasks {
            ends.push(task.await.unwrap());
        }
        ends
    })
}

type End = Result<(Number, Completion), Error>;

async fn ask(client: Client, text: String, context: Context) -> End {
    client.request(text).context(context).create_with_completion().await
}

#[test]
fn the_same_is_asked_once() {
    let counter = Counter::default();
    let client = client(&counter);
    let ends = together((0..64).map(|_| ask(client.clone(), String::from("x"), Context::new())));
    let shared = ends.iter().filter(|end| end.as_ref().unwrap().1.report.is_shared()).count();
    assert!(ends.iter().all(|end| end.as_ref().unwrap().0 == Number { number: 1 }));
    assert_eq!((counter.calls.load(Ordering::SeqCst), shared), (1, 63));
    // Once it has landed, the same is asked again; and what differs is asked for itself.
    let ends = together((0..64).map(|n| ask(client.clone(), format!("{}", n % 4), Context::new())));
    assert!(ends.iter().all(Result::is_ok));
    assert_eq!(counter.calls.load(Ordering::SeqCst), 5);
}

#[test]
fn who_does_not_ask_for_it_has_a_request_of_its_own() {
    let counter = Counter::default();
    let client = client(&counter);
    let alone = (0..8).map(|_| {
        let client = client.clone();
        async move { client.request("x").single_flight(false).create::<Number>().await }
    });
    together(alone);
    assert_eq!(counter.calls.load(Ordering::SeqCst), 8);
    // Other policies make another request.
    let each = (0..8).map(|n| {
        let client = client.clone();
        async move { client.request("x").max_retries(n % 2).create::<Number>().await }
    });
    together(each);
    assert_eq!(counter.calls.load(Ordering::SeqCst), 10);
}

#[test]
fn validators_are_each_ones_own() {
    let counter = Counter::default();
    let client = client(&counter);
    let strict = |least: u64| Context::new().with(Least(least));
    let ends = together([
        ask(client.clone(), String::from("x"), Context::new()),
        ask(client.clone(), String::from("x"), strict(2)),
    ]);
    let numbers: Vec<u64> = ends.into_iter().map(|end| end.unwrap().0.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn errors_are_for_all_too() {
    let counter = Counter { status: Some(400), ..Counter::default() };
    let client = client(&counter);
    let ends = together((0..16).map(|_| ask(client.clone(), String::from("x"), Context::new())));
    for end in ends {
        let error = end.unwrap_err();
        assert_eq!(
            (error.kind(), error.status(), error.report().attempts().len()),
            (ErrorKind::BadRequest, Some(400), 1)
        );
        assert!(error.raw().is_some());
    }
    assert_eq!(counter.calls.load(Ordering::SeqCst), 1);
}

#[test]
fn where_the_one_that_is_sent_is_dropped_another_takes_its_place() {
    let counter = Counter::default();
    let client = client(&counter);
    let end = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let first = tokio::spawn(ask(client.clone(), String::from("x"), Context::new()));
        tokio::task::yield_now().await;
        let others: Vec<_> =
            (0..8).map(|_| tokio::spawn(ask(client.clone(), String::from("x"), Context::new()))).collect();
        tokio::task::yield_now().await;
        first.abort();
        let mut ends = Vec::new();
        for other in others {
            ends.push(other.await.unwrap().unwrap().0.number);
        }
        ends
    });
    assert_eq!(end, [2; 8]);
    assert_eq!(counter.calls.load(Ordering::SeqCst), 2);
}

#[test]
fn blocking_clients_have_it_too() {
    let script = Script::new().when(|_| true, Reply::value(json!({ "number": 3 })));
    let client = script.blocking_client("openai/gpt-5-mini");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || client.request("x").single_flight(true).create::<Number>().unwrap().number)
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 3);
    }
    assert!(script.sent().len() <= 8);
}
