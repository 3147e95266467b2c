//! Asking: a client whose calls are counted and whose answers are looked at on their way.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use instructor::blocking::Client;
use instructor::{
    Attempt, BlockingTransport, Budget, Completion, Contract, Error, ErrorKind, Profile, Request, Response,
    TransportError, Ureq, Usage,
};
use serde_json::Value;

use super::{Finding, is_outside};
use crate::failure::Failure;

/// Room for a model that thinks first; answers are short.
pub(super) const MAX_TOKENS: u64 = 2000;

/// What was seen on the wire.
#[derive(Debug, Default)]
struct Seen {
    calls: u32,
    /// Whether the last answer came as events.
    streamed: bool,
    /// The names of headers that tell limits.
    limits: BTreeSet<String>,
}

/// The built-in transport, looked at.
#[derive(Debug)]
pub(super) struct Watched {
    inner: Ureq,
    seen: Arc<Mutex<Seen>>,
}

fn look(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BlockingTransport for Watched {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        look(&self.seen).calls += 1;
        let response = self.inner.send(request, timeout)?;
        let mut seen = look(&self.seen);
        let headers = response.headers();
        let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        seen.streamed = kind.is_some_and(|kind| kind.contains("event"));
        seen.limits.extend(
            headers.keys().map(|name| name.as_str()).filter(|name| name.contains("ratelimit")).map(String::from),
        );
        Ok(response)
    }
}

#[derive(Debug)]
pub(super) struct Kit {
    client: Client,
    most: u32,
    seen: Arc<Mutex<Seen>>,
    usage: Cell<Usage>,
    /// What came of the first check: the preferred mode.
    first: OnceCell<Told>,
    /// What came of a lax schema, where a strict one was asked for first.
    lax: OnceCell<Result<Finding, Finding>>,
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) result: Result<(Value, Completion), Error>,
    /// The last answer, if it was one.
    pub(super) response: Option<Response>,
    pub(super) streamed: bool,
}

impl Kit {
    pub(super) fn new(most: u32, client: impl FnOnce(Watched) -> Result<Client, Failure>) -> Result<Self, Failure> {
        let seen = Arc::<Mutex<Seen>>::default();
        let client = client(Watched { inner: Ureq::default(), seen: Arc::clone(&seen) })?;
        Ok(Self { client, most, seen, usage: Cell::default(), first: OnceCell::new(), lax: OnceCell::new() })
    }

    pub(super) fn profile(&self) -> &Profile {
        self.client.profile()
    }

    /// Where requests go, without what may follow the path, and the model that they name.
    pub(super) fn address(&self) -> Result<(String, String), Error> {
        let contract = Contract::from_schema(serde_json::json!({ "type": "object" }))?;
        let url = self.client.request("").preview_value(&contract)?.url();
        let model = self.client.model().unwrap_or_default();
        Ok((String::from(url.split('?').next().unwrap_or_default()), String::from(model)))
    }

    /// Sends a request of at most so many calls. An `Err` says why nothing can be told.
    pub(super) fn ask(
        &self,
        text: &str,
        calls: u32,
        contract: &Contract,
        set: impl for<'a> FnOnce(Request<'a, Client>) -> Request<'a, Client>,
    ) -> Result<Told, Finding> {
        self.send(calls, |budget| set(self.client.request(text).budget(budget)).create_value(contract))?.telling()
    }

    /// Asks for an answer as a stream, in one call. After how long the first of it was there, if it was, and how often
    /// there was more.
    pub(super) fn stream(&self, text: &str, contract: &Contract) -> Result<(Told, Option<Duration>, u32), Finding> {
        let clock = Ureq::default();
        let began = clock.now().monotonic;
        let (mut first, mut times) = (None, 0);
        let told = self.send(1, |budget| {
            let mut stream = self.client.request(text).budget(budget).create_partial_value(contract)?;
            while stream.next().is_some() {
                first.get_or_insert_with(|| clock.now().monotonic.saturating_sub(began));
                times += 1;
            }
            stream.finish_with_completion()
        })?;
        Ok((told.telling()?, first, times))
    }

    /// Sends whatever is asked, if there is a call left for it.
    pub(super) fn send(
        &self,
        calls: u32,
        ask: impl FnOnce(Budget) -> Result<(Value, Completion), Error>,
    ) -> Result<Told, Finding> {
        let left = self.most.saturating_sub(self.spent().0);
        if left == 0 {
            return Err(Finding::untold("no call is left of --max-calls"));
        }
        let result = ask(Budget::new().with_attempts(calls.min(left)));
        let response = match &result {
            Ok((_, completion)) => Some(completion.response.clone()),
            Err(error) => error.status().zip(error.raw()).and_then(|(s, raw)| self.profile().decode(s, raw).ok()),
        };
        let told = Told { result, response, streamed: look(&self.seen).streamed };
        let used = told.attempts().iter().fold(self.usage.get(), |sum, attempt| sum + attempt.usage);
        self.usage.set(used);
        Ok(told)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Keeps what came of the preferred mode.
    pub(super) fn keep(&self, told: Told) {
        _ = self.first.set(told);
    }

    /// Looks at what came of the preferred mode.
    pub(super) fn first(&self, look: impl FnOnce(&Told) -> Finding) -> Result<Finding, Finding> {
        self.first.get().map(look).ok_or_else(|| Finding::untold("nothing was asked"))
    }

    pub(super) fn note_lax(&self, finding: Result<Finding, Finding>) {
        _ = self.lax.set(finding);
    }

    pub(super) fn lax(&self) -> Option<Result<Finding, Finding>> {
        self.lax.get().cloned()
    }

    /// Why further calls would tell nothing: nobody is there, lets us in, or knows the address or model.
    pub(super) fn in_vain(&self) -> Option<String> {
        let told = self.first.get()?;
        let missing = told.attempts().last().is_some_and(|attempt| attempt.status == Some(404));
        (missing || told.failure().is_some_and(is_outside)).then(|| told.why())
    }

    /// What the preferred mode failed of, also where another mode worked in its place.
    pub(super) fn failure(&self) -> Option<ErrorKind> {
        let Some(told) = self.first.get() else { return Some(ErrorKind::Budget) };
        match &told.result {
            Err(error) => Some(told.failure().unwrap_or(error.kind())),
            Ok(_) => {
                let refused = |attempt: &Attempt| attempt.failure == Some(ErrorKind::SchemaRefused);
                told.attempts().iter().any(refused).then_some(ErrorKind::SchemaRefused)
            }
        }
    }

    /// Calls and tokens so far.
    pub(super) fn spent(&self) -> (u32, Usage) {
        (look(&self.seen).calls, self.usage.get())
    }

    /// The names of the headers that told limits.
    pub(super) fn limits(&self) -> Vec<String> {
        look(&self.seen).limits.iter().cloned().collect()
    }
}

impl Told {
    /// An `Err` if nothing can be told of it: no answer came, for a reason that is not what was asked for.
    fn telling(self) -> Result<Self, Finding> {
        match self.failure() {
            Some(kind) if !is_outside(kind) => Ok(self),
            None if !self.attempts().is_empty() => Ok(self),
            _ => Err(Finding::untold(self.why())),
        }
    }

    pub(super) fn attempts(&self) -> &[Attempt] {
        match &self.result {
            Ok((_, completion)) => completion.report.attempts(),
            Err(error) => error.report().attempts(),
        }
    }

    /// What the last attempt failed of.
    pub(super) fn failure(&self) -> Option<ErrorKind> {
        self.attempts().last().and_then(|attempt| attempt.failure)
    }

    /// Why it failed, in a few words.
    pub(super) fn why(&self) -> String {
        match (self.attempts().last(), &self.result) {
            (Some(attempt), _) => why(attempt),
            (None, Err(error)) => short(&error.to_string()),
            (None, Ok(_)) => String::new(),
        }
    }
}

/// What an attempt failed of, in a few words.
pub(super) fn why(attempt: &Attempt) -> String {
    match attempt.failure {
        Some(kind) => short(&format!("{kind}: {}", attempt.detail)),
        None => String::from("answered"),
    }
}

/// As much of a text as a table has room for.
fn short(text: &str) -> String {
    const ROOM: usize = 110;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
