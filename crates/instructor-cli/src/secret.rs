//! Keys do not show up, whatever a provider repeats in its messages.

use std::env;

use instructor::Profile;

/// Shorter values are placeholders such as `none`, which are no secret and can be part of ordinary words.
const SHORTEST: usize = 8;

/// The text without the keys that this provider's variables hold.
pub(crate) fn hidden(text: &str, profile: &Profile) -> String {
    let keys = profile.key_env().filter_map(held).filter(|key| key.len() >= SHORTEST);
    keys.fold(String::from(text), |text, key| text.replace(&key, "***"))
}

/// What a variable holds; empty counts as unset.
pub(crate) fn held(variable: &str) -> Option<String> {
    env::var(variable).ok().map(|value| String::from(value.trim())).filter(|value| !value.is_empty())
}
