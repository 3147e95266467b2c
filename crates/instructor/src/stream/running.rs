//! A request that runs, and stops wherever there is something to show.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::error::{Error, ErrorKind};
use crate::transport::BoxFuture;

/// Where the driver of a request lays down what there is to show, and takes it back to go on.
///
/// One side has it at any time, so that looking at it needs no lock: the driver while it runs, the user while it waits.
#[derive(Debug)]
pub(crate) struct Desk<S>(Mutex<Laid<S>>);

#[derive(Debug)]
struct Laid<S> {
    thing: Option<S>,
    /// It shows something new.
    news: bool,
}

impl<S> Desk<S> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Laid { thing: None, news: false })))
    }

    pub(crate) fn lay(&self, thing: Option<S>, news: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Laid { thing, news };
    }

    /// Does something with what lies there.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> Option<R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).thing.as_mut().map(work)
    }

    /// What lies there, and whether it shows something new.
    pub(crate) fn take(&self) -> (Option<S>, bool) {
        let mut laid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (laid.thing.take(), std::mem::take(&mut laid.news))
    }
}

/// A request that runs while it is asked for the next thing to show.
pub(super) struct Running<'a, S, R> {
    /// None once it has ended.
    future: Option<BoxFuture<'a, Result<R, Error>>>,
    desk: Arc<Desk<S>>,
    /// What there is to look at, new or not.
    pub(super) shown: Option<S>,
    pub(super) end: Option<Result<R, Error>>,
}

impl<'a, S, R> Running<'a, S, R> {
    pub(super) fn new(future: BoxFuture<'a, Result<R, Error>>, desk: Arc<Desk<S>>) -> Self {
        Self { future: Some(future), desk, shown: None, end: None }
    }

    /// Goes on until there is something new in `shown`, or until the end; whether there is something new.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let Some(future) = &mut self.future else { return Poll::Ready(false) };
        self.desk.lay(self.shown.take(), false);
        let polled = future.as_mut().poll(context);
        let news;
        (self.shown, news) = self.desk.take();
        match polled {
            Poll::Ready(end) => {
                self.future = None;
                self.end = Some(end);
                Poll::Ready(false)
            }
            Poll::Pending if news => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
        }
    }

    pub(super) async fn next(&mut self) -> bool {
        poll_fn(|context| self.poll(context)).await
    }

    /// Whether it has ended.
    pub(super) const fn is_over(&self) -> bool {
        self.future.is_none()
    }

    /// How it ended.
    pub(super) fn into_end(self) -> Result<R, Error> {
        self.end.unwrap_or_else(|| Err(Error::new(ErrorKind::Config, "the end of this stream was taken before")))
    }
}
