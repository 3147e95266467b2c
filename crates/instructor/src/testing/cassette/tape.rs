//! The file: what was asked, and what was answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::Content;
use super::redact::{Known, Redaction};
use crate::error::{Error, TransportError, TransportErrorKind};

const VERSION: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Tape {
    cassette: u32,
    pub(super) exchanges: Vec<Exchange>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Exchange {
    pub(super) request: Asked,
    pub(super) response: Answered,
}

/// A request, as requests are compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::testing) struct Asked {
    method: String,
    url: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    headers: Value,
    #[serde(flatten)]
    body: Option<Content>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    headers: Value,
    #[serde(flatten)]
    body: Option<Content>,
    /// Why there is no answer, or no more of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// How faults are written.
const FAULTS: &[(TransportErrorKind, &str)] = &[
    (TransportErrorKind::Connect, "connect"),
    (TransportErrorKind::Timeout, "timeout"),
    (TransportErrorKind::Closed, "closed"),
    (TransportErrorKind::Interrupted, "interrupted"),
    (TransportErrorKind::TooLarge, "too_large"),
    (TransportErrorKind::Request, "request"),
    (TransportErrorKind::Forbidden, "forbidden"),
];

/// What a request was, before anything is left out.
#[derive(Clone)]
pub(in crate::testing) struct Raw {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Raw {
    pub(in crate::testing) fn of(request: &http::Request<Bytes>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        }
    }

    /// One of these parts.
    pub(in crate::testing) const fn new(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Self {
        Self { method, uri, headers, body }
    }

    pub(in crate::testing) fn learn(&self, known: &mut Known) {
        known.learn(&self.uri, &self.headers);
    }

    pub(in crate::testing) fn asked(&self, rules: &Redaction, known: &Known) -> Asked {
        Asked {
            method: self.method.to_string(),
            url: rules.url(&self.uri.to_string(), known),
            headers: object(rules.headers(&self.headers, known)),
            body: Content::asked(&self.headers, &self.body, rules, known),
        }
    }
}

fn object(headers: Vec<(String, String)>) -> Value {
    if headers.is_empty() {
        return Value::Null;
    }
    Value::Object(headers.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

impl Asked {
    /// What is compared: all but the headers, in which nothing is asked.
    pub(in crate::testing) fn value(&self) -> Value {
        json!({ "method": self.method, "url": self.url, "body": self.body.as_ref().map(Content::value) })
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

impl Answered {
    /// An answer, and why there was no more of it.
    pub(super) fn of(
        head: Option<(StatusCode, HeaderMap)>,
        body: &[u8],
        end: Option<TransportErrorKind>,
        rules: &Redaction,
        known: &Known,
    ) -> Self {
        let fault = end.map(|kind| FAULTS.iter().find(|(fault, _)| *fault == kind).map_or("connect", |(_, word)| word));
        Self {
            status: head.as_ref().map(|(status, _)| status.as_u16()),
            headers: head.map_or(Value::Null, |(_, headers)| object(rules.headers(&headers, known))),
            body: Content::answered(body, rules, known),
            fault: fault.map(String::from),
        }
    }

    fn fault(&self) -> Option<TransportErrorKind> {
        let fault = self.fault.as_deref()?;
        Some(FAULTS.iter().find(|(_, word)| *word == fault).map_or(TransportErrorKind::Connect, |(kind, _)| *kind))
    }

    /// The answer again: the response with its pieces, and how it ends, if not well.
    pub(super) fn response(&self) -> Result<(http::Response<Vec<Bytes>>, Option<TransportErrorKind>), TransportError> {
        let (Some(status), fault) = (self.status, self.fault()) else {
            return Err(TransportError::new(self.fault().unwrap_or(TransportErrorKind::Connect)));
        };
        let mut response = http::Response::new(self.body.as_ref().map(Content::pieces).unwrap_or_default());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers.as_object().into_iter().flatten() {
            let value = value.as_str().and_then(|value| HeaderValue::try_from(value).ok());
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
                response.headers_mut().append(name, value);
            }
        }
        Ok((response, fault))
    }
}

impl Tape {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| {
            let next = "record it first: run the test where the provider can be asked, without CI in the environment";
            Error::config(format!("the cassette {shown} can't be read ({error}); {next}"))
        })?;
        let tape: Self = serde_json::from_str(&text).map_err(|error| {
            Error::config(format!("{shown} is no cassette ({error}); restore it, or delete it and record again"))
        })?;
        if tape.cassette != VERSION {
            let version = tape.cassette;
            return Err(Error::config(format!(
                "{shown} is a cassette of version {version}, not {VERSION}; record again"
            )));
        }
        Ok(tape)
    }

    fn write(&self, path: &Path) -> Result<(), String> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        text.push('\n');
        let written = fs::write(beside(path), text).and_then(|()| fs::rename(beside(path), path));
        written.map_err(|error| unwritten(path, &error))
    }
}

/// The file is written whole beside the old one, and takes its place.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("partial")
}

fn writable(path: &Path) -> Result<(), String> {
    let there = path.parent().map_or(Ok(()), fs::create_dir_all);
    let tried = there.and_then(|()| fs::write(beside(path), "")).and_then(|()| fs::remove_file(beside(path)));
    tried.map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    format!("the cassette {} can't be written: {error}", path.display())
}

/// A cassette that is being recorded.
pub(super) struct Recorder {
    path: PathBuf,
    rules: Redaction,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Known,
    /// In the order of the requests; none while an answer is on its way.
    exchanges: Vec<Option<Exchange>>,
    failed: Option<String>,
}

impl Recorder {
    pub(super) fn new(path: PathBuf, rules: Redaction) -> Self {
        Self { path, rules, state: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn stand_in(&self, base: &str, public: &str) {
        self.state().known.stand_in(base, public);
    }

    /// Makes room for an exchange, if there is some in the file: what can't be kept is not asked for.
    pub(super) fn begin(&self, raw: &Raw) -> Result<usize, TransportError> {
        let mut state = self.state();
        if state.exchanges.is_empty() {
            state.failed = writable(&self.path).err();
        }
        if let Some(why) = &state.failed {
            return Err(TransportError::new(TransportErrorKind::Request).with_source(why.as_str()));
        }
        raw.learn(&mut state.known);
        state.exchanges.push(None);
        Ok(state.exchanges.len() - 1)
    }

    pub(super) fn end(
        &self,
        slot: usize,
        raw: &Raw,
        head: Option<(StatusCode, HeaderMap)>,
        body: &[u8],
        end: Option<TransportErrorKind>,
    ) {
        let mut state = self.state();
        let request = raw.asked(&self.rules, &state.known);
        let response = Answered::of(head, body, end, &self.rules, &state.known);
        if let Some(slot) = state.exchanges.get_mut(slot) {
            *slot = Some(Exchange { request, response });
        }
        let exchanges: Vec<Exchange> = state.exchanges.iter().flatten().cloned().collect();
        if exchanges.iter().any(|exchange| exchange.response.status.is_some()) {
            state.failed = Tape { cassette: VERSION, exchanges }.write(&self.path).err();
        }
    }

    /// What kept the cassette from being written.
    pub(super) fn failed(&self) -> Option<String> {
        self.state().failed.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
