use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};

use super::redact::Redaction;
use super::tape::{Raw, Recorder};
use crate::error::{TransportError, TransportErrorKind};
use crate::media::FetchMedia;
use crate::run::Now;
use crate::transport::{BlockingTransport, Body, BoxFuture, Transport};

/// A transport, async or blocking, that writes what goes through it to a cassette: a file for [`Replay`](super::Replay).
///
/// The file is JSON, made to be read and reviewed: exchanges in the order of their requests, a stream as the list of its
/// events, media of requests as their size and digest. It is written anew when it begins, and whole after each answer, so that a
/// test that fails leaves a file of what was said until then. What authorised the requests is not in it: see [`Redaction`].
/// A body that the client stopped reading is kept as far as it came.
///
/// ```
/// use instructor::testing::{Record, Replay, Reply, Script};
/// use serde_json::json;
/// # let path = std::env::temp_dir().join(format!("instructor-record-{}.json", std::process::id()));
///
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
///
/// // In place of the provider, for this example; else instructor::Reqwest::default().
/// let provider = Script::new().reply(Reply::value(json!({ "name": "Ada" })));
/// let record = Record::new(provider.clone(), &path);
/// let client = provider.builder("openai/gpt-5-mini").transport(record).build()?;
/// let user: User = provider.block_on(client.create("Ada was here"))?;
///
/// let replay = Replay::open(&path)?;
/// let client = provider.builder("openai/gpt-5-mini").transport(replay.clone()).build()?;
/// let again: User = provider.block_on(client.create("Ada was here"))?;
/// assert_eq!(again.name, user.name);
/// replay.assert_done();
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), instructor::Error>(())
/// ```
pub struct Record<X> {
    inner: X,
    recorder: Arc<Recorder>,
}

impl<X> Record<X> {
    /// What goes through a transport, to a file, which is replaced when the first answer is there.
    pub fn new(inner: X, path: impl Into<PathBuf>) -> Self {
        Self { inner, recorder: Arc::new(Recorder::new(path.into(), Redaction::new())) }
    }

    /// With more that is left out. Give [`Replay`](super::Replay) the same.
    #[must_use]
    pub fn with_redaction(self, rules: Redaction) -> Self {
        let recorder = Recorder::new(self.recorder.path().to_path_buf(), rules);
        Self { recorder: Arc::new(recorder), ..self }
    }

    pub(super) const fn over(inner: X, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }

    /// Begins an exchange.
    fn begin(&self, request: &http::Request<Bytes>) -> Result<Take, TransportError> {
        let raw = Raw::of(request);
        let slot = self.recorder.begin(&raw)?;
        Ok(Take {
            recorder: Arc::clone(&self.recorder),
            slot,
            raw,
            head: None,
            body: Vec::new(),
            unsent: false,
            end: Some(TransportErrorKind::Interrupted),
        })
    }
}

impl<X> fmt::Debug for Record<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("path", &self.recorder.path()).finish_non_exhaustive()
    }
}

/// An exchange that goes on. It is written when it is dropped, which is when nobody reads it any more.
struct Take {
    recorder: Arc<Recorder>,
    slot: usize,
    raw: Raw,
    head: Option<(StatusCode, HeaderMap)>,
    body: Vec<u8>,
    /// It could not be asked, which is no answer to keep.
    unsent: bool,
    /// How it ended, as far as is known.
    end: Option<TransportErrorKind>,
}

impl Take {
    fn begins<B>(&mut self, response: &Result<http::Response<B>, TransportError>) {
        match response {
            Ok(response) => self.head = Some((response.status(), response.headers().clone())),
            Err(error) => {
                self.end = Some(error.kind());
                self.unsent = error.is_unsent();
            }
        }
    }
}

impl Drop for Take {
    fn drop(&mut self) {
        if self.unsent {
            return;
        }
        self.recorder.end(self.slot, &self.raw, self.head.take(), &self.body, self.end);
    }
}

/// A body that is written down while it is read.
struct Taken<B> {
    body: B,
    take: Take,
}

impl Stream for Taken<Body> {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(self.body.poll_piece(context));
        match &piece {
            Some(Ok(bytes)) => self.take.body.extend_from_slice(bytes),
            Some(Err(error)) => self.take.end = Some(error.kind()),
            None => self.take.end = None,
        }
        Poll::Ready(piece)
    }
}

impl Read for Taken<Box<dyn Read + Send>> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer);
        match &read {
            Ok(0) if !buffer.is_empty() => self.take.end = None,
            Ok(read) => self.take.body.extend_from_slice(buffer.get(..*read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => self.take.end = Some(TransportErrorKind::Timeout),
            Err(_) => self.take.end = Some(TransportErrorKind::Interrupted),
        }
        read
    }
}

impl<X: Transport> Record<X> {
    fn listen<'a>(
        take: Take,
        answer: BoxFuture<'a, Result<http::Response<Body>, TransportError>>,
    ) -> BoxFuture<'a, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            let mut take = take;
            let response = answer.await;
            take.begins(&response);
            Ok(response?.map(|body| Body::arriving(Taken { body, take })))
        })
    }
}

impl<X: Transport> Transport for Record<X> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        match self.begin(&request) {
            Ok(take) => Self::listen(take, self.inner.send(request, timeout)),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.inner.sleep(wait)
    }

    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.inner.bell(wait)
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        match self.begin(&request) {
            Ok(take) => Self::listen(take, self.inner.fetch(request, policy, timeout)),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn now(&self) -> Now {
        self.inner.now()
    }
}

type Sent = Result<http::Response<Box<dyn Read + Send>>, TransportError>;

impl<X: BlockingTransport> Record<X> {
    fn hear(mut take: Take, response: Sent) -> Sent {
        take.begins(&response);
        Ok(response?.map(|body| Box::new(Taken { body, take }) as Box<dyn Read + Send>))
    }
}

impl<X: BlockingTransport> BlockingTransport for Record<X> {
    fn send(&self, request: http::Request<Bytes>, timeout: Option<Duration>) -> Sent {
        let take = self.begin(&request)?;
        Self::hear(take, self.inner.send(request, timeout))
    }

    fn sleep(&self, wait: Duration) {
        self.inner.sleep(wait);
    }

    fn park(&self, most: Duration) -> bool {
        self.inner.park(most)
    }

    fn fetch(&self, request: http::Request<Bytes>, policy: FetchMedia, timeout: Duration) -> Sent {
        let take = self.begin(&request)?;
        Self::hear(take, self.inner.fetch(request, policy, timeout))
    }

    fn now(&self) -> Now {
        self.inner.now()
    }
}
