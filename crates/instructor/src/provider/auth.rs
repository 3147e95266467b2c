//! Keys: where they come from, how they are sent, and that they are never shown.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Profile;
use crate::error::Error;

/// How a key is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Auth {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// The key alone in this header.
    Header(&'static str),
}

/// A key that no formatting shows.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A text without the key in it: providers repeat it in their messages.
    pub(crate) fn masked(&self, text: String) -> String {
        if self.0.is_empty() || !text.contains(&self.0) { text } else { text.replace(&self.0, "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Reads one variable of the environment; empty counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| String::from(v.trim())).filter(|v| !v.is_empty())
}

impl Profile {
    /// The key from the environment: the first of the profile's variables that is set.
    ///
    /// `Ok(None)` where the provider can do without one.
    pub(crate) fn key_from_env(&self) -> Result<Option<Secret>, Error> {
        if let Some(key) = self.key_env().find_map(variable) {
            return Ok(Some(Secret::new(key)));
        }
        if self.is_keyless() {
            return Ok(None);
        }
        let names: Vec<&str> = self.key_env().collect();
        Err(Error::config(format!(
            "no key for {}: set {} in the environment, or give the client one (api_key)",
            self.id(),
            names.join(" or "),
        )))
    }

    /// The headers of every request: protocol, content type, key.
    pub(crate) fn headers(&self, key: Option<&Secret>) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.wire().headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(Secret(key)) = key {
            let (name, text) = match self.auth() {
                Auth::Bearer => (header::AUTHORIZATION, format!("Bearer {key}")),
                Auth::Header(name) => (HeaderName::from_static(name), key.clone()),
            };
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                Error::config(format!("the key for {} has characters that no header can carry", self.id()))
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}
