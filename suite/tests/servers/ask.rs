//! Asking over both drivers, and what has to hold of every result of a model that says anything.

use std::future::Future;

use instructor::{Attempt, ClientBuilder, Completion, Contract, Error, ErrorKind, Profile, ResponseModel, blocking};
use serde::Serialize;
use serde_json::json;

pub(crate) type Told<T> = Result<(T, Completion), Error>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Driver {
    Async,
    Blocking,
}

const TEXT: &str = "Say what you like.";

pub(crate) fn ask<T: ResponseModel>(builder: ClientBuilder, driver: Driver) -> Told<T> {
    match driver {
        Driver::Async => run(async { builder.build()?.create_with_completion(TEXT).await }),
        Driver::Blocking => blocking::Client::build(builder)?.create_with_completion(TEXT),
    }
}

/// Looks on while the value arrives. What is shown last is the value.
fn look_on<T: ResponseModel>(builder: ClientBuilder, driver: Driver) -> Told<T> {
    let contract = T::contract();
    let (last, end) = match driver {
        Driver::Async => run(async {
            let client = builder.build()?;
            let mut stream = client.request(TEXT).create_partial_value(&contract).await?;
            while stream.next().await.is_some() {}
            let last = stream.partial().map(|partial| serde_json::to_value(partial).unwrap());
            Ok::<_, Error>((last, stream.finish_with_completion().await))
        })?,
        Driver::Blocking => {
            let client = blocking::Client::build(builder)?;
            let mut stream = client.request(TEXT).create_partial_value(&contract)?;
            while stream.next().is_some() {}
            (stream.partial().map(|partial| serde_json::to_value(partial).unwrap()), stream.finish_with_completion())
        }
    };
    let (value, completion) = end?;
    assert!(last.is_none_or(|last| last == value), "{value:#}");
    Ok((serde_json::from_value(value).unwrap(), completion))
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// How an answer comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// As one body.
    Whole,
    /// As a stream of events that nobody asked the library for, which it knows by the body.
    Events,
    /// As a stream that is looked on.
    Partial,
}

/// One way to send: a driver, and how the answer comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way(Driver, Form);

impl Way {
    pub(crate) const ALL: [Self; 5] = [
        Self(Driver::Async, Form::Whole),
        Self(Driver::Async, Form::Events),
        Self(Driver::Async, Form::Partial),
        Self(Driver::Blocking, Form::Whole),
        Self(Driver::Blocking, Form::Partial),
    ];

    /// Each driver once, whole and looked on.
    pub(crate) const TWO: [Self; 2] = [Self(Driver::Async, Form::Partial), Self(Driver::Blocking, Form::Whole)];

    fn ask<T: ResponseModel>(self, builder: ClientBuilder) -> Told<T> {
        match self {
            Self(driver, Form::Whole) => ask(builder, driver),
            Self(driver, Form::Events) => ask(streamed(builder), driver),
            Self(driver, Form::Partial) => look_on(builder, driver),
        }
    }
}

/// Asks for the answer as a stream of events, with the usage in it.
pub(crate) fn streamed(builder: ClientBuilder) -> ClientBuilder {
    builder.extra("stream", true).extra("stream_options", json!({ "include_usage": true }))
}

/// How often a model may fail of bad luck before that is a failure of the test.
const TRIES: u32 = 8;

/// In each way, asks until a value comes, which has to be valid; errors before it have to be of these kinds. Gives the
/// last completion.
pub(crate) fn until_valid<T: ResponseModel + Serialize>(
    ways: &[Way],
    builder: impl Fn() -> ClientBuilder,
    errors: &[ErrorKind],
) -> Completion {
    let valid = |way: &Way| {
        let mut story = String::new();
        for seed in 0..TRIES {
            match way.ask::<T>(builder().extra("seed", seed)) {
                Ok((value, completion)) => {
                    fits(&value, &completion);
                    return completion;
                }
                Err(error) => {
                    typed(&error, errors);
                    story.push_str(&format!("\n{error:#}"));
                }
            }
        }
        panic!("no valid {} in {TRIES} tries, {way:?}:{story}", T::contract().name());
    };
    ways.iter().map(valid).last().unwrap()
}

/// In each way, asks a few times, and takes a valid value or an error of one of these kinds.
pub(crate) fn whatever<T: ResponseModel + Serialize>(builder: impl Fn() -> ClientBuilder, errors: &[ErrorKind]) {
    for (seed, way) in Way::ALL.iter().enumerate() {
        match way.ask::<T>(builder().extra("seed", seed)) {
            Ok((value, completion)) => fits(&value, &completion),
            Err(error) => typed(&error, errors),
        }
    }
}

/// A value that came is valid, and its story is complete.
fn fits<T: ResponseModel + Serialize>(value: &T, completion: &Completion) {
    valid(value);
    assert!(!completion.raw.is_empty());
    assert!(completion.response.finish.is_some());
    let last = completion.report.attempts().last().unwrap();
    assert_eq!((last.failure, last.status), (None, Some(200)));
    assert!(completion.report.attempts().iter().all(is_counted), "{}", completion.report);
}

/// Valid by another validator than the library's own.
fn valid<T: ResponseModel + Serialize>(value: &T) {
    let contract: Contract = T::contract();
    let value = serde_json::to_value(value).unwrap();
    let referee = jsonschema::validator_for(contract.schema()).unwrap();
    let issues: Vec<String> = referee.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(issues.is_empty(), "{issues:?} in {value:#}");
}

/// An error that came is of one of these kinds, and everything is known of the answers that it came from.
fn typed(error: &Error, kinds: &[ErrorKind]) {
    // A number that is too large for the proxy comes out of it as a word that is no JSON, on which the server behind it
    // fails.
    let choked = error.raw().is_some_and(|body| String::from_utf8_lossy(body).contains("json.exception.parse_error"));
    if choked && (error.kind(), error.status()) == (ErrorKind::Overloaded, Some(500)) {
        return;
    }
    assert!(kinds.contains(&error.kind()), "{error:#}\n{}", String::from_utf8_lossy(error.raw().unwrap_or_default()));
    assert_eq!(error.status(), Some(200), "{error:#}");
    assert!(error.raw().is_some_and(|body| !body.is_empty()), "{error:#}");
    let attempts = error.report().attempts();
    assert!(!attempts.is_empty() && attempts.iter().all(is_counted), "{error:#}");
}

/// What came was counted. What did not come was lost with a connection that the server had closed, as some do after a
/// stream.
fn is_counted(attempt: &Attempt) -> bool {
    let counted = |tokens: Option<u64>| tokens.is_some_and(|n| n > 0);
    match attempt.status {
        Some(status) => status == 200 && counted(attempt.usage.input) && counted(attempt.usage.output),
        None => attempt.failure == Some(ErrorKind::Transport) && attempt.detail.contains("before an answer began"),
    }
}

/// An answer comes to the same as one body and as a stream of events. The server says the same twice if it is given a
/// seed (or no choice) and kept from its cache.
pub(crate) fn same_streamed<T: ResponseModel>(
    profile: &Profile,
    limit: u64,
    seeds: u32,
    builder: impl Fn() -> ClientBuilder,
) {
    for seed in 0..seeds {
        let one = || builder().max_tokens(limit).max_retries(0).extra("seed", seed).extra("cache_prompt", false);
        let [whole, pieces] = [one(), streamed(one())].map(|builder| {
            let body = match ask::<T>(builder, Driver::Async) {
                Ok((_, completion)) => completion.raw,
                Err(error) => error.raw().unwrap_or_else(|| panic!("{error:#}")).to_vec().into(),
            };
            let response = profile.decode(200, &body).unwrap();
            let calls: Vec<_> = response.tool_calls().map(|call| (call.name.clone(), call.arguments.clone())).collect();
            // Where an answer is cut, the server is not sure what it was going to be, and tells it in two ways.
            let said = (response.usage.output < Some(limit)).then(|| (response.text().into_owned(), calls));
            (said, response.finish, response.usage.input, response.usage.output)
        });
        assert_eq!(whole, pieces, "seed {seed}");
    }
}
