//! Identical requests that are in flight at once, as one.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;

use crate::cache::CacheKey;
use crate::error::Error;
use crate::model::Contract;
use crate::options::Options;
use crate::run::Completion;

/// What makes two requests the same: all that is sent, and what the answer has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    address: String,
    body: Bytes,
    contract: u64,
    /// The policies, in a number.
    policies: u64,
    /// Where the answer is kept.
    cached: Option<CacheKey>,
}

impl Key {
    /// `typed`: whether a type is made of the answer, which knows of items that were given up.
    pub(crate) fn new(
        request: &http::Request<Bytes>,
        contract: &Contract,
        options: &Options,
        typed: bool,
        cached: Option<CacheKey>,
    ) -> Self {
        let Options { reading, retry, reask, truncated, budget, timeout, watchdog, fetch, bad_items, .. } = options;
        let mut hasher = DefaultHasher::new();
        format!("{reading:?} {retry:?} {reask:?} {truncated:?} {budget:?} {timeout:?} {watchdog:?} {fetch:?}")
            .hash(&mut hasher);
        (bad_items, typed, options.caches.caching, options.caches.ttl).hash(&mut hasher);
        let (address, body) = (request.uri().to_string(), request.body().clone());
        Self { address, body, contract: contract.id(), policies: hasher.finish(), cached }
    }
}

/// What came of a request: the JSON of the value, or the error.
pub(crate) type Landed = Arc<Result<(String, Completion), Error>>;

/// The requests of one client that are in flight.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, Arc<Flight>>>);

/// One of them, with those that wait for it.
#[derive(Debug, Default)]
struct Flight(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    landed: Option<Landed>,
    /// It was dropped on its way.
    lost: bool,
    waiting: Vec<Waker>,
}

/// Who a request is among those that are the same.
pub(crate) enum Role<'f> {
    /// The one that is sent.
    Pilot(Pilot<'f>),
    /// One that waits for it.
    Passenger(Passenger),
}

/// Sends the request for all. Where it is dropped before it has landed, one of those that wait sends it.
pub(crate) struct Pilot<'f> {
    flights: &'f Flights,
    key: Key,
    flight: Arc<Flight>,
}

pub(crate) struct Passenger(Arc<Flight>);

impl Flights {
    pub(crate) fn join(&self, key: Key) -> Role<'_> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match flights.entry(key.clone()) {
            Entry::Occupied(flight) => Role::Passenger(Passenger(Arc::clone(flight.get()))),
            Entry::Vacant(place) => {
                let flight = Arc::clone(place.insert(Arc::default()));
                Role::Pilot(Pilot { flights: self, key, flight })
            }
        }
    }
}

impl Pilot<'_> {
    pub(crate) fn land(self, landed: Landed) {
        self.flight.0.lock().unwrap_or_else(PoisonError::into_inner).landed = Some(landed);
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        let mut state = self.flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.lost = state.landed.is_none();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Passenger {
    /// What came of the request; none if it was dropped on its way.
    pub(crate) async fn landing(self) -> Option<Landed> {
        poll_fn(|context| {
            let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(landed) = &state.landed {
                return Poll::Ready(Some(Arc::clone(landed)));
            }
            if state.lost {
                return Poll::Ready(None);
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}
