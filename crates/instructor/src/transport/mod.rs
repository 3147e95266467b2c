//! Bytes over the network, and the clock: everything that the engine must not do itself. A trait for each side, and the
//! loop that drives the engine over it.

#[cfg(any(feature = "reqwest", feature = "blocking", feature = "testing"))]
pub(crate) mod ban;
mod drive;
#[cfg(any(feature = "reqwest", feature = "blocking"))]
mod guard;
mod once;
#[cfg(feature = "reqwest")]
pub(crate) mod reqwest;
#[cfg(feature = "tower")]
pub(crate) mod tower;
mod upload;
#[cfg(feature = "blocking")]
pub(crate) mod ureq;
#[cfg(any(feature = "blocking", feature = "testing"))]
mod via;

use std::fmt;
use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::sync::OnceLock;
#[cfg(feature = "testing")]
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

pub(crate) use self::drive::{Show, Watching, checked, drive, shown};
pub(crate) use self::once::{Errand, Load, done};
#[cfg(feature = "batch")]
pub(crate) use self::once::{opened, piece};
pub use self::upload::Upload;
#[cfg(any(feature = "blocking", feature = "testing"))]
pub(crate) use self::via::Blocking;
use crate::error::{TransportError, TransportErrorKind};
pub use crate::future::BoxFuture;
use crate::media::FetchMedia;
use crate::run::Now;

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

    /// Sends a request whose body is read while it goes out. By default all of it is read first, and sent by `send`.
    fn upload(
        &self,
        request: http::Request<Upload>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        match in_memory(request) {
            Ok(request) => self.send(request, timeout),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    /// Waits.
    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()>;

    /// Waits while something else goes on, as `sleep` does but where that stops all, or no time passes.
    #[doc(hidden)]
    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.sleep(wait)
    }

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

    /// Sends a request whose body is read while it goes out. By default all of it is read first, and sent by `send`.
    ///
    /// # Errors
    ///
    /// As `send`; or where the body can't be read.
    fn upload(
        &self,
        request: http::Request<Upload>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        self.send(in_memory(request)?, timeout)
    }

    /// Waits.
    fn sleep(&self, wait: Duration) {
        std::thread::sleep(wait);
    }

    /// Waits, but may return early once the thread is unparked; says whether the whole time is over. It is how a request
    /// waits for its turn at a [`Limiter`](crate::Limiter), which may come before the time. By default it sleeps.
    fn park(&self, most: Duration) -> bool {
        self.sleep(most);
        true
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

fn in_memory(request: http::Request<Upload>) -> Result<http::Request<Bytes>, TransportError> {
    let (head, body) = request.into_parts();
    let body =
        body.into_bytes().map_err(|error| TransportError::new(TransportErrorKind::Request).with_source(error))?;
    Ok(http::Request::from_parts(head, body))
}

fn fetches_nothing() -> TransportError {
    let hint = "this transport fetches no media: give the bytes, or implement its fetch";
    TransportError::new(TransportErrorKind::Request).with_source(hint)
}

pub(crate) fn system_time() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    Now::new(start.elapsed(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// How long a streamed body may bring nothing: a note on the request, for blocking transports, which can't be asked for
/// anything else while they read.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(any(feature = "blocking", feature = "testing")),
    expect(dead_code, reason = "without a blocking transport nobody reads it")
)]
pub(crate) struct Idle(pub(crate) Duration);

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

    /// The next piece of it.
    #[cfg(feature = "testing")]
    pub(crate) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        match &mut self.0 {
            Repr::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
            }
            Repr::Arriving(stream) => stream.as_mut().poll_next(context),
        }
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

impl<X: Transport + ?Sized> Transport for &X {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        (**self).send(request, timeout)
    }

    fn upload(
        &self,
        request: http::Request<Upload>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        (**self).upload(request, timeout)
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        (**self).sleep(wait)
    }

    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        (**self).bell(wait)
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        (**self).fetch(request, policy, timeout)
    }

    fn now(&self) -> Now {
        (**self).now()
    }
}
