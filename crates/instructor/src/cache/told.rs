//! What is told of a cache: in reports, and to hooks.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::cost::Cost;
use crate::wire::Usage;

/// What a cache did for a request, or why nothing. In [`Report::cache`](crate::Report::cache), in order, and told by
/// [`on_cache`](crate::Hooks::on_cache).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheEvent {
    /// The value is a stored one, valid for this request too. No call was made.
    Hit(Box<Stored>),
    /// There was none to be taken. A hit may follow still, if another request stores one meanwhile.
    Miss(Miss),
    /// Another request made the same: it was waited for this long. A hit follows, or calls of its own where the wait was in
    /// vain.
    Waited(Duration),
    /// The value was stored, in so many bytes.
    Stored(usize),
    /// The request has no place in the cache, or its value does not go there.
    Unused(Uncached),
    /// The store failed in this, and the request went on without it.
    Failed(Errand, String),
}

/// Where a stored value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// When it was stored.
    pub at: SystemTime,
    /// How long ago.
    pub age: Duration,
    /// The provider that answered.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// How many calls were made for it.
    pub attempts: u32,
    /// What they used together. The hit itself used nothing.
    pub usage: Usage,
    /// What they cost together. The hit itself cost nothing.
    pub cost: Cost,
}

/// Why no stored value was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Miss {
    /// Nothing is stored for this request.
    Absent,
    /// What is stored is older than the request or its entry allows: this old.
    Expired(Duration),
    /// What is stored is damaged, or of another version.
    Unreadable(String),
    /// What is stored is not valid for this request: the schema, the type or a validator says no, here in one line without
    /// text of the value. Another validation context may be why.
    Invalid(String),
    /// It was not looked for: [`Caching::Refresh`](super::Caching::Refresh).
    Refresh,
}

/// Why a request has no place in the cache, or its value does not go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Uncached {
    /// Media of the request are fetched when it is sent, and what is at their URLs may change. Give the bytes.
    FetchedMedia,
    /// The response model has a [`Secret`](crate::Secret), which is not written anywhere.
    Secret,
    /// The credentials are no key, so that it can't be told whose answers they are. Say so with
    /// [`cache_namespace`](crate::Request::cache_namespace).
    Anonymous,
    /// Another [`Target`](crate::Target) answered than the one that was asked first, which is asked again next time.
    OtherTarget,
    /// Something of the answer was given up or is wrong: the value is valid, but the next answer may be better.
    Lossy,
    /// The value came in pieces, some of which were asked for again.
    Pieces,
}

/// What a store was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Errand {
    /// To look for a value.
    Get,
    /// To keep others from making the same.
    Claim,
    /// To store a value.
    Set,
}

impl CacheEvent {
    /// What it is in a word: `hit`, `miss`, `expired`, `invalid`, `unreadable`, `refresh`, `waited`, `stored`, `unused` or
    /// `failed`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Hit(_) => "hit",
            Self::Miss(Miss::Absent) => "miss",
            Self::Miss(Miss::Expired(_)) => "expired",
            Self::Miss(Miss::Invalid(_)) => "invalid",
            Self::Miss(Miss::Unreadable(_)) => "unreadable",
            Self::Miss(Miss::Refresh) => "refresh",
            Self::Waited(_) => "waited",
            Self::Stored(_) => "stored",
            Self::Unused(_) => "unused",
            Self::Failed(..) => "failed",
        }
    }
}

impl fmt::Display for CacheEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit(stored) => write!(f, "from the cache: {stored}"),
            Self::Miss(miss) => write!(f, "not from the cache: {miss}"),
            Self::Waited(time) => write!(f, "waited {} ms for another request for the same", time.as_millis()),
            Self::Stored(bytes) => write!(f, "stored in the cache, {bytes} bytes"),
            Self::Unused(why) => write!(f, "not cached: {why}"),
            Self::Failed(errand, why) => write!(f, "the cache failed {errand}: {why}"),
        }
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { age, provider, model, attempts, usage, cost, .. } = self;
        let calls = if *attempts == 1 { "call" } else { "calls" };
        write!(f, "{provider}/{model}, {} s ago, {attempts} {calls}, {usage}, {cost}", age.as_secs())
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("nothing is stored for this request"),
            Self::Expired(age) => write!(f, "what is stored is {} s old", age.as_secs()),
            Self::Unreadable(why) => write!(f, "what is stored can't be read: {why}"),
            Self::Invalid(why) => write!(f, "what is stored is not valid any more: {why}"),
            Self::Refresh => f.write_str("a new answer was asked for"),
        }
    }
}

impl fmt::Display for Uncached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FetchedMedia => "media are fetched from URLs, where something else may be next time; give the bytes",
            Self::Anonymous => {
                "the credentials are no key, which would tell whose answers they are; name a cache_namespace(..)"
            }
            Self::Secret => "the answer has a secret",
            Self::OtherTarget => "another target answered than the first",
            Self::Lossy => "something of the answer was given up",
            Self::Pieces => "items were asked for again",
        })
    }
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "to look for the answer",
            Self::Claim => "to say that the answer is being made",
            Self::Set => "to store the answer",
        })
    }
}
