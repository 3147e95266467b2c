//! Keys: where they come from, how they are sent, and that they are never shown.

mod aws;
mod sigv4;

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use self::aws::{Account, region_of};
pub(crate) use self::sigv4::Signer;
use super::{Address, Profile};
use crate::error::Error;

/// How a key is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Auth {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// The key alone in this header.
    Header(&'static str),
    /// As [`Bearer`](Self::Bearer) if there is a key, else by a signature for this service of AWS.
    SigV4 { service: &'static str },
}

/// A key that no formatting shows.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn expose(&self) -> &str {
        &self.0
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

/// What is needed to ask a provider.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) key: Option<Secret>,
    /// In place of the key; then that is only what has to be kept out of sight.
    pub(crate) signer: Option<Signer>,
    pub(crate) base_url: String,
}

/// What requests are signed for if nothing says where.
const REGION: &str = "us-east-1";

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

    /// What is needed to ask: from what is given, else from the environment.
    pub(crate) fn access(&self, key: Option<Secret>, base_url: Option<String>) -> Result<Access, Error> {
        if let Auth::SigV4 { service } = self.auth() {
            let key = key.or_else(|| self.key_env().find_map(variable).map(Secret::new));
            return self.aws_access(service, key, base_url, Account::from_env());
        }
        let key = key.map_or_else(|| self.key_from_env(), |key| Ok(Some(key)))?;
        let base_url = base_url.map_or_else(|| Address::filled(self.base_url(), variable), Ok)?;
        Ok(Access { key, signer: None, base_url })
    }

    /// The region is that of the address, or of the account.
    fn aws_access(
        &self,
        service: &'static str,
        key: Option<Secret>,
        base_url: Option<String>,
        account: Account,
    ) -> Result<Access, Error> {
        let set = |name: &str| if name == "AWS_REGION" { account.region.clone() } else { variable(name) };
        let base_url = base_url.map_or_else(|| Address::filled(self.base_url(), set), Ok)?;
        let host = base_url.split("//").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        let region = region_of(host).map(String::from).or(account.region).unwrap_or_else(|| String::from(REGION));
        if key.is_some() {
            return Ok(Access { key, signer: None, base_url });
        }
        let credentials = account.credentials.ok_or_else(|| {
            let names: Vec<&str> = self.key_env().collect();
            Error::config(format!(
                "no key for {}: set {}, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of \
                 ~/.aws/credentials that has both",
                self.id(),
                names.join(" or "),
            ))
        })?;
        // The service repeats the token in what it says of a wrong signature.
        let key = credentials.token.clone();
        Ok(Access { key, signer: Some(Signer { credentials, region, service }), base_url })
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
                Auth::Bearer | Auth::SigV4 { .. } => (header::AUTHORIZATION, format!("Bearer {key}")),
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

#[cfg(test)]
mod tests {
    use super::aws::Credentials;
    use super::*;

    fn account(region: Option<&str>, signs: bool) -> Account {
        let credentials = Credentials {
            access_key: String::from("AKID"),
            secret: Secret::new("hidden"),
            token: Some(Secret::new("hidden too")),
        };
        Account { credentials: signs.then_some(credentials), region: region.map(String::from) }
    }

    /// Where it goes, and the region that requests are signed for.
    fn access(key: Option<&str>, base_url: Option<&str>, account: Account) -> Result<(String, Option<String>), String> {
        let profile = Profile::all().find(|profile| matches!(profile.auth(), Auth::SigV4 { .. })).unwrap();
        let base_url = base_url.map(String::from);
        let access =
            profile.aws_access("service", key.map(Secret::new), base_url, account).map_err(|e| e.to_string())?;
        assert!(!format!("{access:?}").contains("hidden"));
        Ok((access.base_url, access.signer.map(|signer| signer.region)))
    }

    #[test]
    fn regions_are_those_of_the_address_or_the_account() {
        let at = |region: &str| format!("https://bedrock-runtime.{region}.amazonaws.com");
        let some = |text: &str| Some(String::from(text));
        let signed =
            |base_url: Option<&str>, region: Option<&str>| access(None, base_url, account(region, true)).unwrap();
        assert_eq!(signed(None, Some("eu-west-1")), (at("eu-west-1"), some("eu-west-1")));
        assert_eq!(signed(None, None), (at("us-east-1"), some("us-east-1")));
        assert_eq!(signed(Some(&at("sa-east-1")), Some("eu-west-1")), (at("sa-east-1"), some("sa-east-1")));
        let proxy = "http://localhost:1/x";
        assert_eq!(signed(Some(proxy), Some("eu-west-1")), (String::from(proxy), some("eu-west-1")));
    }

    #[test]
    fn a_key_is_sent_and_nothing_is_signed() {
        let access = |account| access(Some("key"), None, account).unwrap();
        let at = String::from("https://bedrock-runtime.eu-west-1.amazonaws.com");
        assert_eq!(access(account(Some("eu-west-1"), true)), (at.clone(), None));
        assert_eq!(access(account(Some("eu-west-1"), false)), (at, None));
    }

    #[test]
    fn with_neither_it_is_said_what_to_set() {
        let error = access(None, None, account(None, false)).unwrap_err();
        for name in ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"] {
            assert!(error.contains(name), "{error}");
        }
    }
}
