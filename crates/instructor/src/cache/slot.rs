//! Work that another thread does, awaited without a runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

struct State<T> {
    value: Option<T>,
    waker: Option<Waker>,
    gone: bool,
}

struct Shared<T>(Mutex<State<T>>);

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one value is put in.
pub(super) struct Give<T>(Arc<Shared<T>>);

/// The value, once it is there; none if nobody is left who would put it in.
pub(super) struct Take<T>(Arc<Shared<T>>);

pub(super) fn slot<T>() -> (Give<T>, Take<T>) {
    let shared = Arc::new(Shared(Mutex::new(State { value: None, waker: None, gone: false })));
    (Give(Arc::clone(&shared)), Take(shared))
}

impl<T> Give<T> {
    pub(super) fn give(self, value: T) {
        self.0.state().value = Some(value);
    }
}

impl<T> Drop for Give<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.gone = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Take<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.state();
        if let Some(value) = state.value.take() {
            return Poll::Ready(Some(value));
        }
        if state.gone {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
