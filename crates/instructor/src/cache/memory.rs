//! A store in memory.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use quick_cache::sync::Cache as Store;
use quick_cache::{OptionsBuilder, Weighter};

use super::{Cache, CacheError, CacheKey};
use crate::transport::BoxFuture;

/// A store in the memory of the process, of a limited size: what is used least goes first. Shared by the clients that it is
/// given to, in an [`Arc`](std::sync::Arc).
///
/// ```
/// use std::sync::Arc;
/// use instructor::cache::MemoryCache;
///
/// let cache = Arc::new(MemoryCache::new().with_max_bytes(16 << 20));
/// let one = instructor::Client::builder().cache(Arc::clone(&cache));
/// let other = instructor::Client::builder().cache(cache);
/// # let _ = (one, other);
/// ```
pub struct MemoryCache {
    entries: Store<CacheKey, Kept, ByBytes>,
    claims: Mutex<HashMap<CacheKey, Instant>>,
}

#[derive(Clone)]
struct Kept {
    entry: Bytes,
    until: Option<Instant>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<CacheKey, Kept> for ByBytes {
    fn weight(&self, _: &CacheKey, kept: &Kept) -> u64 {
        (kept.entry.len() + size_of::<(CacheKey, Kept)>()) as u64
    }
}

/// An entry of the usual kind, for an estimate of how many there will be.
const USUAL: u64 = 2 << 10;

impl MemoryCache {
    /// One of 64 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self { entries: store(64 << 20), claims: Mutex::default() }
    }

    /// An empty one of this size.
    #[must_use]
    pub fn with_max_bytes(self, bytes: u64) -> Self {
        Self { entries: store(bytes), ..self }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        self.entries.clear();
    }

    fn find(&self, key: CacheKey) -> Option<Bytes> {
        let Kept { entry, until } = self.entries.get(&key)?;
        if until.is_some_and(|until| until <= Instant::now()) {
            self.entries.remove(&key);
            return None;
        }
        Some(entry)
    }

    fn grant(&self, key: CacheKey, time: Duration) -> bool {
        let now = Instant::now();
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.retain(|_, until| *until > now);
        let free = !claims.contains_key(&key);
        if let Some(until) = now.checked_add(time).filter(|_| free) {
            claims.insert(key, until);
        }
        free
    }
}

fn store(bytes: u64) -> Store<CacheKey, Kept, ByBytes> {
    let usual = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX).max(16);
    let mut options = OptionsBuilder::new();
    // A part of the store takes no entry that is larger than the part.
    let parts = usize::try_from(bytes >> 23).unwrap_or(usize::MAX).clamp(1, 16);
    options.estimated_items_capacity(usual).weight_capacity(bytes).shards(parts);
    match options.build() {
        Ok(options) => Store::with_options(options, ByBytes, Default::default(), Default::default()),
        Err(_) => Store::with_weighter(usual, bytes, ByBytes),
    }
}

impl Cache for MemoryCache {
    fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
        Box::pin(ready(Ok(self.find(key))))
    }

    fn set(&self, key: CacheKey, entry: Bytes, ttl: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
        let until = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        self.entries.insert(key, Kept { entry, until });
        Box::pin(ready(Ok(())))
    }

    fn claim(&self, key: CacheKey, time: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
        Box::pin(ready(Ok(self.grant(key, time))))
    }

    fn release(&self, key: CacheKey) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("len", &self.len()).finish_non_exhaustive()
    }
}
