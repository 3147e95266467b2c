//! A blocking transport as one whose futures are always ready, so that one loop drives both.

use std::future::{Future, ready};
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::{BlockingTransport, Body, BoxFuture, Transport, Upload};
use crate::error::{TransportError, TransportErrorKind};
use crate::future::bell;
use crate::media::FetchMedia;
use crate::run::Now;

/// Blocks inside of `poll`.
pub(crate) struct Blocking<'t>(pub(crate) &'t dyn BlockingTransport);

type Sent = Result<http::Response<Box<dyn Read + Send>>, TransportError>;

fn arriving<'a>(sent: Sent) -> BoxFuture<'a, Result<http::Response<Body>, TransportError>> {
    Box::pin(ready(sent.map(|response| response.map(|read| Body::arriving(Reads(read))))))
}

impl Transport for Blocking<'_> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        arriving(self.0.send(request, timeout))
    }

    fn upload(
        &self,
        request: http::Request<Upload>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        arriving(self.0.upload(request, timeout))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(Nap { transport: self.0, until: self.0.now().monotonic + wait, wait })
    }

    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        bell(wait)
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        arriving(self.0.fetch(request, policy, timeout))
    }

    fn now(&self) -> Now {
        self.0.now()
    }
}

/// A wait that lets whoever polls it look at something else when the thread is woken.
struct Nap<'t> {
    transport: &'t dyn BlockingTransport,
    until: Duration,
    wait: Duration,
}

impl Future for Nap<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.transport.park(self.wait) {
            return Poll::Ready(());
        }
        self.wait = self.until.saturating_sub(self.transport.now().monotonic);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The bytes of a piece at most.
const PIECE: usize = 16 << 10;

struct Reads(Box<dyn Read + Send>);

impl Stream for Reads {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut buffer = [0; PIECE];
        loop {
            return Poll::Ready(match self.0.read(&mut buffer) {
                Ok(0) => None,
                Ok(read) => Some(Ok(Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default()))),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Some(Err(failed(error))),
            });
        }
    }
}

fn failed(error: io::Error) -> TransportError {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportErrorKind::Timeout,
        _ => TransportErrorKind::Interrupted,
    };
    TransportError::new(kind).with_source(error)
}
