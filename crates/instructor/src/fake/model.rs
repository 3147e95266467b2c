use std::future::ready;
use std::io::{Cursor, Read};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::asked::{Asked, asked};
use super::{Fake, Said, answer, streams};
use crate::error::{Error, TransportError};
use crate::model::Contract;
use crate::repair::Level;
use crate::schema::{Random, sentence};
use crate::transport::{BlockingTransport, Body, BoxFuture, Transport};

/// A transport, async and blocking, behind which is no model: each answer is a [`Fake`] of the schema in the request, said in
/// the protocol of whatever provider is asked, streamed if a stream is asked for. It needs no key and no network.
///
/// It is what the provider `fake` sends to, so that a program whose model comes from its configuration runs without one:
/// `fake/42`. The name of the model is the seed; the answer is random, and depends on the seed and the whole request, so that the same
/// request is answered alike, and asked again, differently. What the schema does not say it does not know: a validator function may
/// reject the value, and it is asked for again as ever.
///
/// | model | what |
/// |---|---|
/// | `fake/42` | valid values out of seed 42 |
/// | `fake/42?invalid=0.2` | one answer of five breaks a constraint, in a way that can't be read as what is meant |
/// | `fake/42?delta=3` | streams tell it in deltas of three characters; eight by default |
///
/// ```
/// #[instructor::model]
/// struct City {
///     name: String,
///     #[schemars(range(max = 40_000_000))]
///     people: u32,
/// }
///
/// # #[cfg(feature = "blocking")] {
/// let client = instructor::blocking::from_provider("fake/42")?;
/// let city: City = client.create("Where is the Forum?")?;
/// assert!(city.people <= 40_000_000);
/// # }
///
/// // Behind the protocol of another provider:
/// let client = instructor::Client::builder().provider("anthropic/claude-haiku-4-5").api_key("none");
/// let client = client.transport(instructor::FakeModel::new()).build()?;
/// # let script = instructor::testing::Script::new();
/// # script.block_on(async {
/// let city: City = client.create("Where is the Forum?").await?;
/// # Ok::<(), instructor::Error>(())
/// # })?;
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FakeModel;

/// What the name of a model says.
struct Settings {
    seed: u64,
    /// How likely an answer is wrong.
    invalid: f64,
    delta: usize,
}

const USAGE: &str = "a fake model is a seed, such as fake/42, or fake/42?invalid=0.2&delta=8";

/// How many wrong values are tried until one can't be put right.
const WRONG: usize = 20;

/// How many calls an answer with several has at most.
const CALLS: usize = 3;

impl Settings {
    fn read(model: &str) -> Result<Self, String> {
        let (seed, settings) = model.split_once('?').unwrap_or((model, ""));
        // The name of a real model does for a seed too.
        let seed = seed.parse().unwrap_or_else(|_| Random::about(0, seed.as_bytes()).next());
        let mut read = Self { seed, invalid: 0.0, delta: 8 };
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let wrong = || format!("{setting:?} is no setting; {USAGE}");
            match setting.split_once('=') {
                Some(("invalid", part)) => read.invalid = part.parse().map_err(|_| wrong())?,
                Some(("delta", size)) => read.delta = size.parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
        Ok(read)
    }
}

impl FakeModel {
    /// The transport.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    fn respond(self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let told = match request.method() {
            &Method::POST => answered(request.uri().path(), request.body()),
            other => Err(format!("{other} is not known here: a fake model answers questions alone")),
        };
        let (status, kind, body) = match told {
            Ok((kind, body)) => (StatusCode::OK, kind, body),
            Err(why) => {
                let error = json!({ "error": { "type": "invalid_request_error", "message": why } });
                (StatusCode::BAD_REQUEST, "application/json", error.to_string().into())
            }
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

/// The answer to a request, and what it is.
fn answered(path: &str, body: &[u8]) -> Result<(&'static str, Bytes), String> {
    let request: Value = serde_json::from_slice(body).map_err(|error| format!("the request is no JSON: {error}"))?;
    let plain = streams::plain(path);
    let settings = Settings::read(request.get("model").and_then(Value::as_str).unwrap_or(&plain))?;
    let streamed = streams::wanted(path, &request);

    // An answer is the same whether it is streamed or not.
    let mut question = request.clone();
    if let Some(fields) = question.as_object_mut() {
        fields.shift_remove("stream");
        fields.shift_remove("stream_options");
    }
    let mut random = Random::about(settings.seed, format!("{plain}\n{question}").as_bytes());
    let whole = match asked(&request) {
        Asked::Text => answer(&plain, &request, Said::Text(&sentence(&mut random))),
        Asked::Value(schema) => answer(&plain, &request, Said::Value(&value(schema, &settings, &mut random)?)),
        Asked::Calls(tools) => {
            let mut calls = Vec::new();
            for _ in 0..=random.below(CALLS) {
                let Some((name, schema)) = random.pick(&tools) else { break };
                calls.push((name.clone(), value(schema.clone(), &settings, &mut random)?));
            }
            answer(&plain, &request, Said::Calls(&calls))
        }
    };
    Ok(match streamed {
        true => ("text/event-stream", streams::tell(&plain, &request, &whole, settings.delta)),
        false => ("application/json", whole.to_string().into()),
    })
}

fn value(schema: Value, settings: &Settings, random: &mut Random) -> Result<Value, String> {
    let contract = Contract::shown(schema);
    let told = |error: Error| error.to_string();
    if !random.chance(settings.invalid) {
        return Fake::new(random.next()).json(&contract).map_err(told);
    }
    let mut wrong = Fake::new(random.next()).invalid(&contract).map_err(told)?.into_value();
    // Much of what is wrong is put right by who reads it.
    for _ in 0..WRONG {
        if contract.read(&wrong.to_string(), Level::default()).is_err() {
            break;
        }
        wrong = Fake::new(random.next()).invalid(&contract).map_err(told)?.into_value();
    }
    Ok(wrong)
}

impl Transport for FakeModel {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(ready(Ok(self.respond(&request).map(Body::whole))))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        // Nobody has to be waited for.
        Box::pin(ready(()))
    }
}

impl BlockingTransport for FakeModel {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        Ok(self.respond(&request).map(|body| Box::new(Cursor::new(body)) as Box<dyn Read + Send>))
    }

    fn sleep(&self, _: Duration) {}
}
