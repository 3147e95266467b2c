use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, Read};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::cassette::Raw;
use super::server::Server;
use crate::blocking;
use crate::client::{Client, ClientBuilder};
use crate::error::{TransportError, TransportErrorKind};
use crate::fake::{Said, answer, streams};
use crate::future::bell;
use crate::media::FetchMedia;
use crate::provider::{Address, Profile};
use crate::run::Now;
use crate::transport::{BlockingTransport, Body, BoxFuture, Idle, Transport};

/// What a script answers a request with.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Content,
    after: Duration,
    fault: Option<TransportErrorKind>,
    flow: Flow,
}

/// How the body comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// The characters of a delta, where the answer is streamed.
    chunks: usize,
    /// The bytes of a piece.
    pub(super) pieces: usize,
    /// After how many bytes it ends, and how.
    pub(super) end: Option<(usize, End)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Cut,
    Breaks,
    Stalls,
}

/// An answer of a script, and how its body comes.
pub(super) struct Spoken {
    pub(super) response: http::Response<Bytes>,
    pub(super) flow: Flow,
    /// Which answer of the script it is.
    call: usize,
    /// When the attempt's time is over.
    until: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Content {
    Raw(Bytes),
    /// Said in the protocol of the request.
    Value(Value),
    Text(String),
    Calls(Vec<(String, Value)>),
}

impl Reply {
    fn with(status: u16, body: Content) -> Self {
        let flow = Flow { chunks: 16, pieces: usize::MAX, end: None };
        Self { status, headers: Vec::new(), body, after: Duration::ZERO, fault: None, flow }
    }

    /// A value, said in the protocol and form that the request asks for: as a tool call or as text.
    #[must_use]
    pub fn value(value: impl Into<Value>) -> Self {
        Self::with(200, Content::Value(value.into()))
    }

    /// Plain text, said in the protocol of the request, whatever form it asks for.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::with(200, Content::Text(text.into()))
    }

    /// Calls of tools by name, said in the protocol of the request, whatever tools it offers.
    #[must_use]
    pub fn calls<N: Into<String>, V: Into<Value>>(calls: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::with(200, Content::Calls(calls.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// A JSON body, as it is.
    #[must_use]
    pub fn json(body: impl Into<Value>) -> Self {
        Self::body(body.into().to_string())
    }

    /// A body, as it is.
    #[must_use]
    pub fn body(body: impl Into<Bytes>) -> Self {
        Self::with(200, Content::Raw(body.into()))
    }

    /// A status with an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::with(status, Content::Raw(Bytes::new()))
    }

    /// No answer at all.
    #[must_use]
    pub fn fault(kind: TransportErrorKind) -> Self {
        Self { fault: Some(kind), ..Self::status(200) }
    }

    /// With another status.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Only after this long, in virtual time. An attempt that has less time fails with a timeout.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// In deltas of so many characters, if the request asks for a stream; 16 by default.
    #[must_use]
    pub const fn chunks(mut self, characters: usize) -> Self {
        self.flow.chunks = characters;
        self
    }

    /// With a body that arrives so many bytes at a time.
    #[must_use]
    pub const fn pieces(mut self, bytes: usize) -> Self {
        self.flow.pieces = bytes;
        self
    }

    /// With a body that ends after so many bytes, as if that were all.
    #[must_use]
    pub const fn cut_after(mut self, bytes: usize) -> Self {
        self.flow.end = Some((bytes, End::Cut));
        self
    }

    /// With a connection that breaks after so many bytes of the body.
    #[must_use]
    pub const fn breaks_after(mut self, bytes: usize) -> Self {
        self.flow.end = Some((bytes, End::Breaks));
        self
    }

    /// With a body of which nothing more comes after so many bytes, though the connection stays.
    #[must_use]
    pub const fn stalls_after(mut self, bytes: usize) -> Self {
        self.flow.end = Some((bytes, End::Stalls));
        self
    }

    fn response(&self, sent: &Sent) -> http::Response<Bytes> {
        let (request, path) = (sent.json(), streams::plain(sent.uri.path()));
        let streamed = streams::wanted(sent.uri.path(), &request);
        let say = |said| {
            let whole = answer(&path, &request, said);
            if streamed { streams::tell(&path, &request, &whole, self.flow.chunks) } else { whole.to_string().into() }
        };
        let body = match &self.body {
            Content::Raw(bytes) => bytes.clone(),
            Content::Value(value) => say(Said::Value(value)),
            Content::Text(text) => say(Said::Text(text)),
            Content::Calls(calls) => say(Said::Calls(calls)),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A request that was sent to a script.
#[derive(Clone, Debug)]
pub struct Sent {
    method: http::Method,
    uri: http::Uri,
    headers: HeaderMap,
    body: Bytes,
    at: Duration,
    timeout: Option<Duration>,
}

impl Sent {
    /// Where it went.
    #[must_use]
    pub fn url(&self) -> String {
        self.uri.to_string()
    }

    /// All of it, as recordings have it.
    pub(super) fn raw(&self) -> Raw {
        Raw::new(self.method.clone(), self.uri.clone(), self.headers.clone(), self.body.clone())
    }

    /// One of its headers, as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// When it was sent, in virtual time since the start of the script.
    #[must_use]
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// How long the attempt had.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

type Predicate = Box<dyn Fn(&Sent) -> bool + Send>;

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    rules: Vec<(Predicate, Reply)>,
    sent: Vec<Sent>,
    waits: Vec<Duration>,
    /// How much of the body of each answer was read.
    read: Vec<usize>,
    clock: Duration,
}

/// A transport, async and blocking, that answers from a script in virtual time. Cheap to clone; clones share the script.
///
/// Media that are fetched ([`FetchMedia`]) are asked of the script too, whatever host they are at.
///
/// Rules ([`when`](Self::when)) are asked first, each as often as it fits; then the replies in order. A request that
/// finds no answer fails with a configuration error that says so.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more reply, after those before.
    #[must_use]
    pub fn reply(self, reply: Reply) -> Self {
        self.state().replies.push_back(reply);
        self
    }

    /// With a reply for every request that fits.
    #[must_use]
    pub fn when(self, fits: impl Fn(&Sent) -> bool + Send + 'static, reply: Reply) -> Self {
        self.state().rules.push((Box::new(fits), reply));
        self
    }

    /// An async client for a known provider and model that sends to this script, with a test key.
    ///
    /// # Panics
    ///
    /// If the spec names no known provider.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test with a wrong spec has to fail")]
    pub fn client(&self, spec: &str) -> Client {
        match self.builder(spec).build() {
            Ok(client) => client,
            Err(error) => panic!("{error}"),
        }
    }

    /// A blocking client for a known provider and model that sends to this script, with a test key.
    ///
    /// # Panics
    ///
    /// If the spec names no known provider.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test with a wrong spec has to fail")]
    pub fn blocking_client(&self, spec: &str) -> blocking::Client {
        match blocking::Client::build_with(self.builder(spec), self.clone()) {
            Ok(client) => client,
            Err(error) => panic!("{error}"),
        }
    }

    /// A builder for a client that sends to this script, with a test key, for further settings.
    pub fn builder(&self, spec: &str) -> ClientBuilder {
        let builder = Client::builder().provider(spec).api_key("test-key").transport(self.clone());
        // An address with variables of the environment is not asked for any.
        let (id, _) = spec.split_once('/').unwrap_or((spec, ""));
        match Profile::named(id).filter(|profile| profile.base_url().contains('{')) {
            Some(profile) => builder.base_url(Address::example(profile.base_url())),
            None => builder,
        }
    }

    /// The requests so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The waits so far, in virtual time.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.state().waits.clone()
    }

    /// How many bytes of each answer's body were read, in the order of the requests. What comes in one piece is read
    /// whole; see [`Reply::pieces`].
    #[must_use]
    pub fn read(&self) -> Vec<usize> {
        self.state().read.clone()
    }

    /// How many replies are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.state().replies.len()
    }

    /// Runs a future that waits for nothing but this script, without an async runtime.
    ///
    /// # Panics
    ///
    /// If the future waits for anything else.
    #[track_caller]
    #[expect(clippy::panic, reason = "a future that nothing will wake must not hang the test")]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the future waits for something that is not in the script"),
        }
    }

    /// Answers from this script over real HTTP, on a free port of the loopback address, in real time.
    ///
    /// # Errors
    ///
    /// If no port can be opened.
    pub fn serve(&self) -> std::io::Result<Server> {
        Server::start(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<Spoken, TransportError> {
        let mut state = self.state();
        let (parts, body) = request.into_parts();
        let sent =
            Sent { method: parts.method, uri: parts.uri, headers: parts.headers, body, at: state.clock, timeout };
        let ruled = state.rules.iter().find(|(fits, _)| fits(&sent)).map(|(_, reply)| reply.clone());
        let reply = ruled.or_else(|| state.replies.pop_front());
        state.sent.push(sent.clone());
        state.read.push(0);
        let call = state.sent.len();
        let Some(reply) = reply else {
            return Err(TransportError::new(TransportErrorKind::Request)
                .with_source(format!("the script has no answer for call {call}")));
        };
        let until = timeout.map(|timeout| state.clock + timeout);
        if let Some(timeout) = timeout.filter(|&timeout| timeout < reply.after) {
            state.clock += timeout;
            return Err(TransportError::new(TransportErrorKind::Timeout));
        }
        state.clock += reply.after;
        match reply.fault {
            Some(kind) => Err(TransportError::new(kind)),
            None => Ok(Spoken { response: reply.response(&sent), flow: reply.flow, call: call - 1, until }),
        }
    }

    fn wait(&self, wait: Duration) {
        let mut state = self.state();
        state.clock += wait;
        state.waits.push(wait);
    }

    fn time(&self) -> Now {
        let clock = self.state().clock;
        Now::new(clock, clock)
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let answer = self.answer(request, timeout);
        Box::pin(std::future::ready(answer.map(|Spoken { response, flow, call, .. }| {
            let plain = flow.end.is_none() && flow.pieces == usize::MAX;
            response.map(|body| {
                let mut flowing = Flowing { body, flow, at: 0, script: self.clone(), call, idle: None, until: None };
                match plain {
                    true => Body::whole(flowing.piece(usize::MAX).unwrap_or_default()),
                    false => Body::arriving(flowing),
                }
            })
        })))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.wait(wait);
        Box::pin(std::future::ready(()))
    }

    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        // What it ends may be waiting for something real.
        bell(wait)
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        _: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Transport::send(self, request, Some(timeout))
    }

    fn now(&self) -> Now {
        self.time()
    }
}

/// A body on its way.
struct Flowing {
    body: Bytes,
    flow: Flow,
    at: usize,
    script: Script,
    call: usize,
    /// When who waits for more of it gives up, if waiting blocks: after some time, and at some time.
    idle: Option<Duration>,
    until: Option<Duration>,
}

impl Flowing {
    /// The next piece, or how the body ends instead.
    fn piece(&mut self, most: usize) -> Result<Bytes, End> {
        let end = self.flow.end.map_or(self.body.len(), |(end, _)| end.min(self.body.len()));
        let to = self.at.saturating_add(most.min(self.flow.pieces.max(1))).min(end);
        let piece = self.body.slice(self.at..to);
        self.at = to;
        if let Some(read) = self.script.state().read.get_mut(self.call) {
            *read = to;
        }
        match self.flow.end {
            Some((_, how)) if piece.is_empty() => Err(how),
            _ => Ok(piece),
        }
    }
}

impl Stream for Flowing {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.piece(usize::MAX) {
            Ok(piece) => Poll::Ready((!piece.is_empty()).then_some(Ok(piece))),
            Err(End::Cut) => Poll::Ready(None),
            Err(End::Breaks) => Poll::Ready(Some(Err(TransportError::new(TransportErrorKind::Interrupted)))),
            Err(End::Stalls) => Poll::Pending,
        }
    }
}

impl Read for Flowing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.piece(buffer.len()) {
            Ok(piece) => {
                buffer.iter_mut().zip(&piece).for_each(|(to, from)| *to = *from);
                Ok(piece.len())
            }
            Err(End::Cut) => Ok(0),
            Err(End::Breaks) => Err(io::ErrorKind::ConnectionReset.into()),
            Err(End::Stalls) => {
                let left = self.until.map(|until| until.saturating_sub(self.script.time().monotonic));
                let wait = self.idle.into_iter().chain(left).min().unwrap_or_default();
                self.script.wait(wait);
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {wait:?}")))
            }
        }
    }
}

impl BlockingTransport for Script {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        let idle = request.extensions().get().map(|Idle(idle)| *idle);
        let answer = self.answer(request, timeout);
        answer.map(|Spoken { response, flow, call, until }| {
            let script = self.clone();
            response
                .map(|body| Box::new(Flowing { body, flow, at: 0, script, call, idle, until }) as Box<dyn Read + Send>)
        })
    }

    fn sleep(&self, wait: Duration) {
        self.wait(wait);
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        _: FetchMedia,
        timeout: Duration,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        BlockingTransport::send(self, request, Some(timeout))
    }

    fn now(&self) -> Now {
        self.time()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Script")
            .field("sent", &state.sent.len())
            .field("left", &state.replies.len())
            .finish_non_exhaustive()
    }
}
