//! Answers that are kept: a request that was answered before is answered again without a call.
//!
//! A [`Cache`] is given to a client; [`MemoryCache`], [`DiskCache`] and [`RedisCache`] are ready-made. The guide on
//! [caching](crate::docs::caching) tells what makes two requests the same, what is kept, and what is not.
//!
//! ```
//! # use instructor::testing::{Reply, Script};
//! # use serde_json::json;
//! # #[cfg(feature = "cache")]
//! # fn main() -> Result<(), instructor::Error> {
//! use instructor::cache::MemoryCache;
//!
//! #[instructor::model]
//! struct User {
//!     name: String,
//! }
//!
//! # let script = Script::new().reply(Reply::value(json!({ "name": "Ada" })));
//! let builder = script.builder("openai/gpt-5-mini"); // Client::builder().provider("openai/gpt-5-mini")
//! let client = builder.cache(MemoryCache::new()).build()?;
//! # script.block_on(async {
//! let user: User = client.create("Ada is 36").await?;
//! let (again, completion) = client.create_with_completion::<User>("Ada is 36").await?;
//! assert_eq!(again.name, user.name);
//! assert!(completion.report.is_cached());
//! # Ok::<(), instructor::Error>(())
//! # })?;
//! assert_eq!(script.sent().len(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "cache"))]
//! # fn main() {}
//! ```

#[cfg(feature = "cache-disk")]
mod claims;
#[cfg(feature = "cache-disk")]
mod disk;
mod entry;
mod key;
#[cfg(feature = "cache")]
mod memory;
#[cfg(feature = "cache-redis")]
mod redis;
#[cfg(any(feature = "cache-disk", feature = "cache-redis"))]
mod slot;
#[cfg(feature = "cache-disk")]
mod sweep;
mod told;

use std::error::Error as StdError;
use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

#[cfg(feature = "cache-disk")]
pub use self::disk::DiskCache;
pub(crate) use self::entry::Entry;
pub use self::key::CacheKey;
pub(crate) use self::key::{Asked, key};
#[cfg(feature = "cache")]
pub use self::memory::MemoryCache;
#[cfg(feature = "cache-redis")]
pub use self::redis::RedisCache;
pub use self::told::{CacheEvent, Errand, Miss, Stored, Uncached};
use crate::transport::BoxFuture;

/// Why a store can't do what it is asked for. Requests go on without it.
pub type CacheError = Box<dyn StdError + Send + Sync>;

/// A store of answers, given to clients of either kind: [`ClientBuilder::cache`](crate::ClientBuilder::cache).
///
/// What is stored is bytes, and the store need not understand them: whether an entry is whole, young enough and still valid
/// is for the client to see. A store that fails or takes too long fails no request.
///
/// Futures may not need a runtime if a blocking client is to use the store.
///
/// ```
/// use std::collections::HashMap;
/// use std::future::ready;
/// use std::sync::Mutex;
/// use std::time::Duration;
/// use bytes::Bytes;
/// use instructor::BoxFuture;
/// use instructor::cache::{Cache, CacheError, CacheKey};
///
/// #[derive(Default)]
/// struct Map(Mutex<HashMap<CacheKey, Bytes>>);
///
/// impl Cache for Map {
///     fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
///         Box::pin(ready(Ok(self.0.lock().unwrap().get(&key).cloned())))
///     }
///
///     fn set(&self, key: CacheKey, entry: Bytes, _: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
///         self.0.lock().unwrap().insert(key, entry);
///         Box::pin(ready(Ok(())))
///     }
/// }
///
/// let builder = instructor::Client::builder().cache(Map::default());
/// # let _ = builder;
/// ```
pub trait Cache: Send + Sync {
    /// What is stored under a key.
    fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>>;

    /// Stores an entry in the place of the one before. After the time, if there is one, nobody wants it any more.
    fn set(&self, key: CacheKey, entry: Bytes, ttl: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>>;

    /// Claims a key for who is going to make what belongs there; false if another has claimed it. A claim ends after the
    /// time by itself. It only saves calls that others make at the same time: a store that knows no claims grants all.
    fn claim(&self, key: CacheKey, time: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
        let _ = (key, time);
        Box::pin(ready(Ok(true)))
    }

    /// Ends a claim. Returns at once, whenever the store gets to it.
    fn release(&self, key: CacheKey) {
        let _ = key;
    }
}

impl<C: Cache + ?Sized> Cache for Arc<C> {
    fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
        (**self).get(key)
    }

    fn set(&self, key: CacheKey, entry: Bytes, ttl: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
        (**self).set(key, entry, ttl)
    }

    fn claim(&self, key: CacheKey, time: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
        (**self).claim(key, time)
    }

    fn release(&self, key: CacheKey) {
        (**self).release(key);
    }
}

/// What a request does with the cache of its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caching {
    /// A stored answer is taken; a new one is stored.
    #[default]
    Use,
    /// No stored answer is taken; the new one is stored in its place.
    Refresh,
    /// Neither.
    Bypass,
}

/// What a client says of caching, or a request.
#[derive(Clone)]
pub(crate) struct Caches {
    pub(crate) store: Option<Arc<dyn Cache>>,
    pub(crate) caching: Caching,
    pub(crate) ttl: Option<Duration>,
    pub(crate) namespace: Option<Arc<str>>,
    /// How long another is waited for that makes the same, and a claim lasts.
    pub(crate) wait: Duration,
}

impl Default for Caches {
    fn default() -> Self {
        Self { store: None, caching: Caching::Use, ttl: None, namespace: None, wait: Duration::from_secs(30) }
    }
}

impl Caches {
    /// The store, unless it is passed by.
    pub(crate) fn store(&self) -> Option<&Arc<dyn Cache>> {
        self.store.as_ref().filter(|_| self.caching != Caching::Bypass)
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, caching, ttl, wait, .. } = self;
        f.debug_struct("Caches")
            .field("store", &store.is_some())
            .field("caching", caching)
            .field("ttl", ttl)
            .field("wait", wait)
            .finish_non_exhaustive()
    }
}

/// One request's place in a cache.
#[derive(Clone)]
pub(crate) struct Pigeonhole {
    pub(crate) store: Arc<dyn Cache>,
    pub(crate) key: CacheKey,
    pub(crate) refresh: bool,
    pub(crate) ttl: Option<Duration>,
    pub(crate) wait: Duration,
}

impl fmt::Debug for Pigeonhole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pigeonhole").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A claim that was granted. It ends with this.
pub(crate) struct Claim {
    store: Arc<dyn Cache>,
    key: CacheKey,
}

impl Claim {
    pub(crate) fn new(hole: &Pigeonhole) -> Self {
        Self { store: Arc::clone(&hole.store), key: hole.key }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.store.release(self.key);
    }
}
