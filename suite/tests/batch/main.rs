//! Batches: one definition for live requests and for providers' batches, from the input to the values.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

mod again;
mod fake;
mod flow;
mod http;
mod results;
mod tuning;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use instructor::batch::{BatchError, BatchInput, BatchJob, Batches, Extraction, Failed};
use instructor::{Client, Issue};
use serde_json::{Value, json};

use self::fake::{Fake, Fate};

#[instructor::model]
#[derive(Debug, PartialEq)]
#[response(validate = adult)]
pub(crate) struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

fn adult(user: &User) -> Result<(), Issue> {
    if user.age >= 18 { Ok(()) } else { Err(Issue::at("age", "the age of an adult").got(user.age.to_string())) }
}

/// One for each protocol, and OpenAI's other one.
pub(crate) const SPECS: &[&str] = &[
    "openai/gpt-5-mini",
    "openai_responses/gpt-5-mini",
    "azure_openai/gpt-5-mini",
    "groq/llama-3.3-70b-versatile",
    "anthropic/claude-haiku-4-5",
    "gemini/gemini-2.5-flash",
    "mistral/mistral-small-latest",
];

pub(crate) fn user(name: &str, age: u16) -> Value {
    json!({ "name": name, "age": age })
}

/// Nothing that is waited for here takes time.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("something is waited for"),
    }
}

pub(crate) fn users(client: &Client) -> Extraction<User> {
    Extraction::new(client).prompt("Who is it?")
}

pub(crate) fn input(of: &Extraction<User>, ids: &[&str]) -> BatchInput {
    let mut input = of.writer(Vec::new());
    for id in ids {
        input.push(id, format!("text of {id}")).unwrap();
    }
    BatchInput::from(input.finish().unwrap())
}

/// All that came of a batch, by id.
pub(crate) struct Came {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) errors: BTreeMap<String, BatchError>,
}

impl Came {
    pub(crate) fn why(&self) -> Vec<(&str, &str)> {
        self.errors.iter().map(|(id, error)| (id.as_str(), error.why().as_str())).collect()
    }

    pub(crate) fn failed(self) -> Vec<Failed> {
        self.errors.into_values().map(BatchError::into_failed).collect()
    }
}

/// From input to results, each step by a value that was written down and read again.
pub(crate) fn through(client: &Client, of: &Extraction<User>, input: &BatchInput) -> (Came, BatchJob) {
    let batches = Batches::new(client).unwrap();
    let kept = |job: &BatchJob| serde_json::from_str::<BatchJob>(&serde_json::to_string(job).unwrap()).unwrap();
    let mut job = of.job(input).unwrap();
    run(batches.submit(&mut job, input)).unwrap();
    let mut job = kept(&job);
    run(batches.wait(&mut job, std::time::Duration::from_secs(60))).unwrap();
    let job = kept(&job);
    (came(of, &job, input), job)
}

pub(crate) fn came(of: &Extraction<User>, job: &BatchJob, input: &BatchInput) -> Came {
    let mut came = Came { users: BTreeMap::new(), errors: BTreeMap::new() };
    let mut results = of.fetch(job).unwrap().expecting(input).unwrap();
    while let Some(item) = run(results.next()) {
        let item = item.unwrap();
        match item.result {
            Ok((user, _)) => assert!(came.users.insert(item.id, user).is_none()),
            Err(error) => assert!(came.errors.insert(item.id, error).is_none()),
        }
    }
    came
}

/// By the first letter of the id.
pub(crate) fn fates(id: &str) -> Fate {
    match &id[..1] {
        "g" => Fate::Value(user("Ada", 36)),
        "i" => Fate::Value(user("Ada", 360)),
        "y" => Fate::Value(user("Tim", 7)),
        "b" => Fate::Error(400, "invalid_request_error", "messages: too many"),
        "l" => Fate::Error(429, "rate_limit_error", "slow down"),
        "f" => Fate::Fault("server_error", "the model fell over"),
        "x" => Fate::Expired,
        "c" => Fate::Cancelled,
        _ => Fate::Nothing,
    }
}

pub(crate) fn fake() -> Fake {
    Fake::new(|id, _| fates(id))
}
