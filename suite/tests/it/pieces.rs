//! A transport that answers with one body, cut at given places.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use instructor::{Body, BoxFuture, Transport, TransportError, TransportErrorKind};

/// Where a body is cut; how it ends is told by the last place.
#[derive(Clone)]
pub(crate) struct Pieces {
    body: Bytes,
    /// The places after which the pieces end.
    ends: Arc<[usize]>,
    breaks: bool,
    came: Arc<AtomicUsize>,
}

impl Pieces {
    /// A body that comes in pieces that end at these places, the last of which is where it is over.
    pub(crate) fn new(body: &Bytes, ends: impl IntoIterator<Item = usize>) -> Self {
        Self { body: body.clone(), ends: ends.into_iter().collect(), breaks: false, came: Arc::default() }
    }

    /// With a connection that breaks where the body is over.
    pub(crate) fn breaking(mut self) -> Self {
        self.breaks = true;
        self
    }

    /// How many bytes have come.
    pub(crate) fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }

    /// The end of the piece that has a byte.
    pub(crate) fn end_of(&self, byte: usize) -> Option<usize> {
        self.ends.iter().copied().find(|end| *end >= byte)
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pieces of {} bytes", self.ends.len(), self.body.len())
    }
}

struct Flow {
    pieces: Pieces,
    next: usize,
}

impl Stream for Flow {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(&end) = self.pieces.ends.get(self.next) else {
            let broken = self.pieces.breaks.then(|| Err(TransportError::new(TransportErrorKind::Interrupted)));
            self.pieces.breaks = false;
            return Poll::Ready(broken);
        };
        self.next += 1;
        let start = self.pieces.came.swap(end, Ordering::Relaxed);
        Poll::Ready(Some(Ok(self.pieces.body.slice(start..end))))
    }
}

impl Transport for Pieces {
    fn send(
        &self,
        _: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        self.came.store(0, Ordering::Relaxed);
        let flow = Flow { pieces: self.clone(), next: 0 };
        Box::pin(std::future::ready(Ok(http::Response::new(Body::arriving(flow)))))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
