//! Bytes over the network, and the clock: everything that the engine must not do itself. A trait for each side, and the
//! loop that drives the engine over it.

#[cfg(any(feature = "reqwest", feature = "blocking"))]
mod guard;
#[cfg(feature = "reqwest")]
pub(crate) mod reqwest;
#[cfg(feature = "tower")]
pub(crate) mod tower;
#[cfg(feature = "blocking")]
pub(crate) mod ureq;

use std::fmt;
use std::future::{poll_fn, ready};
use std::io::Read;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::credential::{Exchange, Http};
use crate::error::{Error, TransportError, TransportErrorKind};
pub use crate::future::BoxFuture;
use crate::future::block_on;
use crate::media::{FetchMedia, Get};
use crate::run::{Answer, Authorise, Completion, Event, Now, Run, Step};

/// Sends HTTP requests without blocking, and keeps the time.
///
/// Implement it to put the library on another HTTP stack; [`testing::Script`](crate::testing::Script) is one that
/// answers from a script.
pub trait Transport: Send + Sync {
    /// Sends a request. The timeout covers the whole attempt, the body included.
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>>;

    /// Waits.
    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()>;

    /// Gets media from a host that a URL of the caller's names, for [`FetchMedia`]. This is not `send`: it must resolve the
    /// host's name itself, ask [`FetchMedia::permits`] of every address, fail with
    /// [`Forbidden`](TransportErrorKind::Forbidden) if it does not permit one, connect to just those addresses, and follow
    /// no redirect and use no proxy, since either would choose another address. All else is checked by the caller.
    ///
    /// A transport that does not implement it fetches nothing.
    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        drop((request, policy, timeout));
        Box::pin(std::future::ready(Err(fetches_nothing())))
    }

    /// The time.
    fn now(&self) -> Now {
        system_time()
    }
}

/// Sends HTTP requests on the calling thread, and keeps the time.
pub trait BlockingTransport: Send + Sync {
    /// Sends a request. The timeout covers the whole attempt, the body included.
    ///
    /// # Errors
    ///
    /// Where no answer arrives.
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError>;

    /// Waits.
    fn sleep(&self, wait: Duration) {
        std::thread::sleep(wait);
    }

    /// Gets media from a host that a URL of the caller's names; see [`Transport::fetch`], whose duties it has.
    ///
    /// # Errors
    ///
    /// Where no answer arrives, or no address of the host may be asked.
    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        drop((request, policy, timeout));
        Err(fetches_nothing())
    }

    /// The time.
    fn now(&self) -> Now {
        system_time()
    }
}

fn fetches_nothing() -> TransportError {
    let hint = "this transport fetches no media: give the bytes, or implement its fetch";
    TransportError::new(TransportErrorKind::Request).with_source(hint)
}

fn system_time() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    Now::new(start.elapsed(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The body of an answer: whole, or still arriving.
pub struct Body(Repr);

enum Repr {
    Whole(Bytes),
    Arriving(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>),
}

impl Body {
    /// One that is here already.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Repr::Whole(bytes.into()))
    }

    /// One that arrives in pieces.
    #[must_use]
    pub fn arriving(stream: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self(Repr::Arriving(Box::pin(stream)))
    }

    /// Takes all of it, at most `limit` bytes.
    async fn collect(self, limit: usize) -> Result<Bytes, TransportError> {
        let mut stream = match self.0 {
            Repr::Whole(bytes) if bytes.len() > limit => return Err(too_large()),
            Repr::Whole(bytes) => return Ok(bytes),
            Repr::Arriving(stream) => stream,
        };
        let mut next = async || poll_fn(|context| stream.as_mut().poll_next(context)).await.transpose();
        let Some(first) = next().await? else { return Ok(Bytes::new()) };
        // Most answers come in one piece, which is kept as it is.
        let Some(second) = next().await? else {
            return if first.len() > limit { Err(too_large()) } else { Ok(first) };
        };
        let mut all = BytesMut::with_capacity(2 * (first.len() + second.len()));
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while all.len() <= limit {
            match next().await? {
                Some(more) => all.extend_from_slice(&more),
                None => return Ok(all.freeze()),
            }
        }
        Err(too_large())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Repr::Arriving(_) => f.write_str("Body(arriving)"),
        }
    }
}

const fn too_large() -> TransportError {
    TransportError::new(TransportErrorKind::TooLarge)
}

/// Gets what the engine wants to be authorised with.
pub(crate) async fn authorise(transport: &dyn Transport, wanted: Authorise, limit: usize) -> Event {
    struct Async<'a>(&'a dyn Transport, usize);
    impl Exchange for Async<'_> {
        fn exchange(
            &self,
            request: http::Request<Bytes>,
            timeout: Option<Duration>,
        ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
            Box::pin(async move {
                let (parts, body) = self.0.send(request, timeout).await?.into_parts();
                Ok(http::Response::from_parts(parts, body.collect(self.1).await?))
            })
        }

        fn unix(&self) -> Duration {
            self.0.now().unix
        }
    }
    let exchange = Async(transport, limit);
    Event::Authorised(wanted.from(&Http::new(&exchange, wanted.timeout)).await)
}

/// Gets what the engine wants to be authorised with, on the calling thread.
pub(crate) fn authorise_blocking(transport: &dyn BlockingTransport, wanted: Authorise, limit: usize) -> Event {
    struct Blocking<'a>(&'a dyn BlockingTransport, usize);
    impl Exchange for Blocking<'_> {
        fn exchange(
            &self,
            request: http::Request<Bytes>,
            timeout: Option<Duration>,
        ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
            let answer = self.0.send(request, timeout).and_then(|response| read(response, self.1));
            Box::pin(ready(answer.map(|answer| {
                let mut response = http::Response::new(answer.body);
                *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
                *response.headers_mut() = answer.headers;
                response
            })))
        }

        fn unix(&self) -> Duration {
            self.0.now().unix
        }
    }
    let exchange = Blocking(transport, limit);
    Event::Authorised(block_on(wanted.from(&Http::new(&exchange, wanted.timeout))))
}

/// Drives a request to its end over an async transport.
pub(crate) async fn drive(transport: &dyn Transport, mut run: Run<'_>, limit: usize) -> Result<Completion, Error> {
    let mut event = Event::Begin;
    loop {
        event = match run.step(event, transport.now()) {
            Step::Done(result) => return result,
            Step::Wait(wait) => {
                transport.sleep(wait).await;
                Event::Woke
            }
            Step::Authorise(wanted) => authorise(transport, wanted, limit).await,
            Step::Send { request, timeout } => match arrived(transport.send(request, timeout).await, limit).await {
                Ok(answer) => Event::Answer(answer),
                Err(error) => Event::Failed(error),
            },
            Step::Fetch(Get { request, policy, timeout }) => {
                let response = transport.fetch(request, policy, timeout).await;
                Event::Fetched(arrived(response, policy.max_bytes()).await)
            }
        };
    }
}

async fn arrived(
    response: Result<http::Response<Body>, TransportError>,
    limit: usize,
) -> Result<Answer, TransportError> {
    let (parts, body) = response?.into_parts();
    if announced(&parts.headers).is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let body = body.collect(limit).await?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

/// The length that a server says.
fn announced(headers: &http::HeaderMap) -> Option<usize> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Drives a request to its end over a blocking transport.
#[cfg_attr(not(any(feature = "blocking", feature = "testing")), expect(dead_code, reason = "no blocking client"))]
pub(crate) fn drive_blocking(
    transport: &dyn BlockingTransport,
    mut run: Run<'_>,
    limit: usize,
) -> Result<Completion, Error> {
    let mut event = Event::Begin;
    loop {
        event = match run.step(event, transport.now()) {
            Step::Done(result) => return result,
            Step::Wait(wait) => {
                transport.sleep(wait);
                Event::Woke
            }
            Step::Authorise(wanted) => authorise_blocking(transport, wanted, limit),
            Step::Send { request, timeout } => match transport.send(request, timeout).and_then(|r| read(r, limit)) {
                Ok(answer) => Event::Answer(answer),
                Err(error) => Event::Failed(error),
            },
            Step::Fetch(Get { request, policy, timeout }) => {
                let response = transport.fetch(request, policy, timeout);
                Event::Fetched(response.and_then(|response| read(response, policy.max_bytes())))
            }
        };
    }
}

fn read(response: http::Response<Box<dyn Read + Send>>, limit: usize) -> Result<Answer, TransportError> {
    let (parts, body) = response.into_parts();
    let length = announced(&parts.headers).unwrap_or(0);
    if length > limit {
        return Err(too_large());
    }
    let mut all = Vec::with_capacity(length);
    let read = body.take(limit as u64 + 1).read_to_end(&mut all).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => TransportErrorKind::Timeout,
            _ => TransportErrorKind::Interrupted,
        };
        TransportError::new(kind).with_source(error)
    })?;
    if read > limit {
        return Err(too_large());
    }
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: all.into() })
}
