//! Where requests go: the base URL and the protocol's path, which may name the model.

use http::Uri;

use crate::error::Error;

/// The address of an endpoint.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// One for all models.
    Fixed(Uri),
    /// The text before and after the model's name.
    PerModel(String, String),
}

/// What stands for the model in a protocol's path.
const MODEL: &str = "{model}";

impl Address {
    /// From base URL and path. A version that both name is said once.
    pub(crate) fn new(base_url: &str, path: &str) -> Result<Self, Error> {
        let (base, query) = base_url.trim().split_once('?').map_or((base_url.trim(), None), |(b, q)| (b, Some(q)));
        let base = base.trim_end_matches('/');
        let version = path.split('/').nth(1).filter(|part| part.starts_with('v')).map(|part| format!("/{part}"));
        let base = version.and_then(|version| base.strip_suffix(version.as_str())).unwrap_or(base);
        let bad = |why: &str| {
            Error::config(format!("the base URL {base_url:?} {why}; write it like http://localhost:8000/v1"))
        };
        let joint = if path.contains('?') { '&' } else { '?' };
        let query = query.map_or_else(String::new, |query| format!("{joint}{query}"));
        let whole = format!("{base}{path}{query}");
        let uri: Uri = whole.replace(MODEL, "model").parse().map_err(|_| bad("is not a URL"))?;
        match uri.scheme_str() {
            // It would be shown wherever the address is.
            Some("http" | "https") if uri.authority().is_some_and(|a| a.as_str().contains('@')) => {
                Err(Error::config("a base URL can't carry a user name or password; give the key to the client instead"))
            }
            Some("http" | "https") => Ok(match whole.split_once(MODEL) {
                None => Self::Fixed(uri),
                Some((before, after)) => Self::PerModel(String::from(before), String::from(after)),
            }),
            _ => Err(bad("has no http or https scheme")),
        }
    }

    /// A base URL with the variables that it names, such as `{AZURE_OPENAI_ENDPOINT}` or `{AWS_REGION:us-east-1}` with a
    /// default.
    pub(crate) fn filled(base_url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, Error> {
        let mut out = String::with_capacity(base_url.len());
        let mut rest = base_url;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            rest = after;
            if name == "model" {
                out.push_str(MODEL);
                continue;
            }
            let (name, default) = name.split_once(':').map_or((name, None), |(name, default)| (name, Some(default)));
            match variable(name).or_else(|| default.map(String::from)) {
                Some(value) => out.push_str(value.trim_end_matches('/')),
                None => {
                    let why = format!("set {name} in the environment, or give the client its base URL (base_url)");
                    return Err(Error::config(format!("the address {base_url} is not complete: {why}")));
                }
            }
        }
        out.push_str(rest);
        // A location that is everywhere is no part of a host's name.
        Ok(out.replace("://global-", "://"))
    }

    /// A base URL whose variables have any value, for tests.
    #[cfg(feature = "testing")]
    pub(crate) fn example(base_url: &str) -> String {
        let value = if base_url.starts_with('{') { "https://variable.example" } else { "variable" };
        Self::filled(base_url, |_| Some(String::from(value))).unwrap_or_else(|_| String::from(base_url))
    }

    /// What tells it from all others.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Fixed(uri) => uri.to_string(),
            Self::PerModel(before, after) => format!("{before}{MODEL}{after}"),
        }
    }

    /// The address for a model. Characters that mean something in a path are escaped.
    pub(crate) fn of(&self, model: &str) -> Result<Uri, Error> {
        match self {
            Self::Fixed(uri) => Ok(uri.clone()),
            Self::PerModel(before, after) => {
                // The sign before a version means nothing in a path, and clients of others send it as it is.
                let whole = format!("{before}{}{after}", escaped(model).replace("%40", "@"));
                whole.parse().map_err(|_| Error::config(format!("the model {model:?} can't be part of an address")))
            }
        }
    }

    #[cfg(feature = "reqwest")]
    #[cfg_attr(
        not(any(feature = "reqwest", feature = "blocking")),
        expect(dead_code, reason = "no built-in transport")
    )]
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Fixed(uri) => uri.scheme() == Some(&http::uri::Scheme::HTTPS),
            Self::PerModel(before, _) => before.starts_with("https:"),
        }
    }
}

pub(crate) fn escaped(model: &str) -> String {
    let mut out = String::with_capacity(model.len());
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_and_path_join() {
        let join = |base: &str, path: &str| {
            Address::new(base, path)
                .and_then(|address| address.of("a/b:1"))
                .map(|uri| uri.to_string())
                .map_err(|e| e.to_string())
        };
        assert_eq!(
            join("https://a.example/v1/", "/chat/completions").unwrap(),
            "https://a.example/v1/chat/completions"
        );
        assert_eq!(join("https://a.example", "/v1/messages").unwrap(), "https://a.example/v1/messages");
        assert_eq!(join("https://a.example/v1", "/v1/messages").unwrap(), "https://a.example/v1/messages");
        assert_eq!(join("https://a.example/v2", "/v2/chat").unwrap(), "https://a.example/v2/chat");
        assert_eq!(
            join("https://a.example", "/model/{model}/converse").unwrap(),
            "https://a.example/model/a%2Fb%3A1/converse"
        );
        assert_eq!(
            join("https://a.example/openai/deployments/{model}?api-version=1", "/chat/completions").unwrap(),
            "https://a.example/openai/deployments/a%2Fb%3A1/chat/completions?api-version=1"
        );
        let error = join("https://me:secret@a.example/v1", "/x").unwrap_err();
        assert!(!error.contains("secret"), "{error}");
        assert!(join("localhost:8000/v1", "/x").unwrap_err().contains("http://localhost:8000/v1"));
    }

    #[test]
    fn variables_are_filled_in() {
        let variable = |name: &str| (name == "HOST").then(|| String::from("https://a.example/"));
        let fill = |base: &str| Address::filled(base, variable).map_err(|e| e.to_string());
        assert_eq!(fill("{HOST}/v1").unwrap(), "https://a.example/v1");
        assert_eq!(fill("https://{REGION:eu}.a/{model}?v={V:1}").unwrap(), "https://eu.a/{model}?v=1");
        assert_eq!(fill("https://{REGION:eu}-a/{REGION:eu}").unwrap(), "https://eu-a/eu");
        assert_eq!(fill("https://{REGION:global}-a/{REGION:global}").unwrap(), "https://a/global");
        assert!(fill("{NONE}/v1").unwrap_err().contains("set NONE"));
    }
}
