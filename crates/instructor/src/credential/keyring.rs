//! The credential that a client's requests share: fetched by one of them, kept until shortly before it ends.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{Credential, CredentialSource, Http};
use crate::error::{Error, ErrorKind};

/// How long before its end a credential is replaced, at most.
const EARLY: Duration = Duration::from_secs(300);
/// How long an old one goes on after a failed try to replace it, while it has not ended.
const PAUSE: Duration = Duration::from_secs(60);

/// A source, and what it gave last.
pub(crate) struct Keyring {
    id: u64,
    source: Box<dyn CredentialSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// Whether a request is asking the source.
    fetching: bool,
    /// How often it was asked.
    fetches: u64,
    /// The last failure, and which fetch it was of.
    failed: Option<(u64, ErrorKind, String)>,
    waiting: Vec<Waker>,
}

struct Held {
    credential: Arc<Credential>,
    /// Since the Unix epoch.
    renew: Option<Duration>,
}

/// What a request that wants a credential does next.
enum Turn<'a> {
    Have(Arc<Credential>),
    Fetch(Fetching<'a>),
    Failed(Error),
}

impl Keyring {
    pub(crate) fn new(source: Box<dyn CredentialSource>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), source, state: Mutex::default() }
    }

    /// What tells it from all others, whichever credential it holds.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// A credential that has not ended, and is not the one that a provider has refused.
    pub(crate) async fn get(
        &self,
        http: &Http<'_>,
        refused: Option<&Arc<Credential>>,
    ) -> Result<Arc<Credential>, Error> {
        let mut awaited = None;
        let turn = poll_fn(|context| {
            let mut state = self.state();
            let fresh = state.held.as_ref().filter(|held| {
                held.renew.is_none_or(|at| http.unix() < at)
                    && refused.is_none_or(|refused| !Arc::ptr_eq(refused, &held.credential))
            });
            if let Some(held) = fresh {
                return Poll::Ready(Turn::Have(Arc::clone(&held.credential)));
            }
            // Those that waited for a fetch share its failure: else each would wait for another.
            if let (Some(awaited), Some((failed, kind, why))) = (awaited, &state.failed)
                && *failed >= awaited
            {
                return Poll::Ready(Turn::Failed(Error::new(*kind, why.as_str())));
            }
            if state.fetching {
                awaited = Some(state.fetches);
                state.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            state.fetching = true;
            state.fetches += 1;
            Poll::Ready(Turn::Fetch(Fetching(self)))
        });
        let _fetching = match turn.await {
            Turn::Have(credential) => return Ok(credential),
            Turn::Failed(error) => return Err(error),
            Turn::Fetch(fetching) => fetching,
        };
        let fetched = self.source.fetch(http).await;
        let now = http.unix();
        let mut state = self.state();
        let error = match fetched {
            Ok(credential) => {
                let credential = Arc::new(credential);
                state.held = Some(Held { credential: Arc::clone(&credential), renew: renewal(&credential, now) });
                return Ok(credential);
            }
            Err(error) => match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(error) => {
                    Error::new(ErrorKind::Auth, format!("no credential could be had: {error}")).with_source(Some(error))
                }
            },
        };
        let held = state.held.as_mut().filter(|held| {
            held.credential.expiry.is_none_or(|end| now < end)
                && refused.is_none_or(|refused| !Arc::ptr_eq(refused, &held.credential))
        });
        if let Some(held) = held {
            held.renew = Some(now + PAUSE);
            return Ok(Arc::clone(&held.credential));
        }
        state.failed = Some((state.fetches, error.kind(), String::from(error.message())));
        Err(error)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When to fetch another: early, but not so early that one which lives for minutes is fetched for every request.
fn renewal(credential: &Credential, now: Duration) -> Option<Duration> {
    let end = credential.expiry?;
    Some(end - EARLY.min(end.saturating_sub(now) / 5).min(end))
}

/// The turn of the one request that asks the source. However it ends, the others go on.
struct Fetching<'a>(&'a Keyring);

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.fetching = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}
