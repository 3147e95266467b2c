//! What the library needs of futures, without an executor's help.

use std::future::Future;
#[cfg(any(feature = "blocking", feature = "testing"))]
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
#[cfg(any(feature = "blocking", feature = "testing"))]
use std::sync::mpsc::{self, RecvTimeoutError};
#[cfg(any(feature = "blocking", feature = "testing"))]
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
#[cfg(any(feature = "blocking", feature = "testing"))]
use std::time::Duration;

/// A future that can be held behind `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs a future on this thread, which sleeps while there is nothing to do.
#[cfg_attr(not(any(feature = "blocking", feature = "testing")), expect(dead_code, reason = "no blocking client"))]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Sleeper(Thread);
    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Rings after a while, while the thread that waits for it does something else.
#[cfg(any(feature = "blocking", feature = "testing"))]
pub(crate) fn bell(wait: Duration) -> BoxFuture<'static, ()> {
    let rung = Arc::new(Mutex::new((false, None::<Waker>)));
    // Its end tells the other thread that nobody waits any more.
    let (waits, gone) = mpsc::channel::<()>();
    let ring = Arc::clone(&rung);
    let bell = thread::Builder::new().name(String::from("instructor-bell")).spawn(move || {
        if gone.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.0 = true;
            if let Some(waker) = ring.1.take() {
                waker.wake();
            }
        }
    });
    Box::pin(poll_fn(move |context| {
        let _ = &waits;
        let mut rung = rung.lock().unwrap_or_else(PoisonError::into_inner);
        // Where there is no thread to be had, no time is given.
        if rung.0 || bell.is_err() {
            return Poll::Ready(());
        }
        rung.1 = Some(context.waker().clone());
        Poll::Pending
    }))
}
