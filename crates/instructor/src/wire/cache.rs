//! Marks in a prompt up to which a provider keeps it.

use serde::{Serialize, Serializer};

use super::Call;
use crate::error::Error;
use crate::message::{Part, PromptCache};

/// The most that those who take marks take in one request.
const MOST: usize = 4;

/// Whether there are too many.
pub(super) fn check(call: &Call<'_>) -> Result<(), Error> {
    let parts = call.messages.iter().flat_map(|message| message.parts());
    let marks = parts.filter(|part| matches!(part, Part::CachePoint(_))).count();
    let all = marks + usize::from(call.settings.cache_schema.is_some());
    if all <= MOST {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "{all} places of the prompt are marked for the cache, and {MOST} can be: keep the last ones"
    )))
}

/// A part of a prompt with the mark that comes after it, as a field of its own.
pub(super) struct Marked<T> {
    pub(super) part: T,
    pub(super) mark: Option<PromptCache>,
}

impl<T> Marked<T> {
    pub(super) const fn not(part: T) -> Self {
        Self { part, mark: None }
    }
}

impl<T: Serialize> Serialize for Marked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct With<'a, T> {
            #[serde(flatten)]
            part: &'a T,
            cache_control: Control,
        }
        match self.mark {
            None => self.part.serialize(serializer),
            Some(mark) => With { part: &self.part, cache_control: Control::from(mark) }.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Control {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<PromptCache> for Control {
    fn from(mark: PromptCache) -> Self {
        Self { kind: "ephemeral", ttl: time(mark) }
    }
}

/// The word for the time; none for the default.
pub(super) const fn time(mark: PromptCache) -> Option<&'static str> {
    match mark {
        PromptCache::Short => None,
        PromptCache::Hour => Some("1h"),
    }
}
