//! Keys: where they come from, how they are sent, and that they are never shown.

mod aws;
#[cfg(feature = "cloud")]
mod entra;
#[cfg(feature = "cloud")]
mod exchange;
#[cfg(feature = "cloud")]
mod google;
mod surroundings;

use std::error::Error as StdError;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};

#[cfg(feature = "cloud")]
pub use self::aws::Aws;
pub(crate) use self::aws::Signer;
use self::aws::region_of;
#[cfg(feature = "cloud")]
pub use self::entra::Entra;
#[cfg(feature = "cloud")]
pub use self::google::Google;
use self::surroundings::{Machine, Surroundings};
use super::{Address, Profile};
use crate::credential::{Credential, CredentialSource, Http, Keyring, Proof, Secret};
use crate::error::Error;
use crate::future::BoxFuture;

/// How a key is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Auth {
    /// `Authorization: Bearer KEY`
    Bearer,
    /// The key alone in this header.
    Header(&'static str),
}

/// Whose credentials do where there is no key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Login {
    /// Those of AWS; requests are signed for this service of it.
    Aws { service: &'static str },
    /// Tokens of Google Cloud.
    Google,
    /// Tokens of Entra ID; the variable that may hold one.
    Entra { token_env: &'static str },
}

impl Login {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Aws { .. } => "AWS",
            Self::Google => "Google Cloud",
            Self::Entra { .. } => "Entra ID",
        }
    }

    /// Where its credentials come from on this machine, as far as that shows before any is asked for.
    fn source(self, here: &Arc<dyn Surroundings>) -> Option<Box<dyn CredentialSource>> {
        if let Self::Entra { token_env } = self
            && here.variable(token_env).is_some()
        {
            return Some(Box::new(Variable { here: Arc::clone(here), name: token_env }));
        }
        self.fetched(Arc::clone(here))
    }

    #[cfg(feature = "cloud")]
    fn fetched(self, here: Arc<dyn Surroundings>) -> Option<Box<dyn CredentialSource>> {
        Some(match self {
            Self::Aws { .. } => Box::new(Aws::at(here)),
            Self::Google => Box::new(Google::at(here)),
            Self::Entra { .. } => Box::new(Entra::at(here)),
        })
    }

    #[cfg(not(feature = "cloud"))]
    fn fetched(self, here: Arc<dyn Surroundings>) -> Option<Box<dyn CredentialSource>> {
        match self {
            Self::Aws { .. } if aws::lying_about(&*here).is_some() => Some(Box::new(aws::Aws::at(here))),
            _ => None,
        }
    }
}

/// A token in the environment, read anew after a refusal.
struct Variable {
    here: Arc<dyn Surroundings>,
    name: &'static str,
}

impl CredentialSource for Variable {
    fn fetch<'a>(&'a self, _: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>> {
        let token =
            self.here.variable(self.name).ok_or_else(|| Error::config(format!("{} is not set", self.name)).into());
        Box::pin(ready(token.map(|token| Credential::bearer(token).with_origin(self.name))))
    }
}

/// What is needed to ask a provider.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) key: Option<Secret>,
    /// Where credentials come from, in place of a key.
    pub(crate) keyring: Option<Arc<Keyring>>,
    /// Signs requests, where the credentials are such that sign.
    pub(crate) signer: Option<Signer>,
    pub(crate) base_url: String,
}

/// Reads one variable of the environment; empty counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    Machine.variable(name)
}

/// What a client is given to be authorised with.
#[derive(Default)]
pub(crate) enum Given {
    #[default]
    Nothing,
    Key(Secret),
    Source(Box<dyn CredentialSource>),
}

impl Profile {
    /// What is needed to ask: from what is given, else from the environment.
    pub(crate) fn access(&self, given: Given, base_url: Option<String>) -> Result<Access, Error> {
        self.access_from(given, base_url, Arc::new(Machine))
    }

    fn access_from(
        &self,
        given: Given,
        base_url: Option<String>,
        here: Arc<dyn Surroundings>,
    ) -> Result<Access, Error> {
        let region = match self.login() {
            Some(Login::Aws { .. }) => aws::region(&*here),
            _ => None,
        };
        let set = |name: &str| match (name, self.login()) {
            ("AWS_REGION", _) => region.clone(),
            #[cfg(feature = "cloud")]
            ("GOOGLE_CLOUD_PROJECT", Some(Login::Google)) => here.variable(name).or_else(|| google::project(&*here)),
            _ => here.variable(name),
        };
        let base_url = base_url.map_or_else(|| Address::filled(self.base_url(), set), Ok)?;
        let signer = match self.login() {
            Some(Login::Aws { service }) => Some(Signer { region: region_of(&base_url, region), service }),
            _ => None,
        };
        let given = match given {
            Given::Nothing => {
                let key = self.key_env().find_map(|name| here.variable(name)).map(Secret::new).map(Given::Key);
                let source = || self.login().and_then(|login| login.source(&here)).map(Given::Source);
                let without = || self.is_keyless().then_some(Given::Nothing);
                key.or_else(source).or_else(without).ok_or_else(|| self.no_key())?
            }
            given => given,
        };
        let (key, keyring) = match given {
            Given::Nothing => (None, None),
            Given::Key(key) => (Some(key), None),
            Given::Source(source) => (None, Some(Arc::new(Keyring::new(source)))),
        };
        Ok(Access { key, keyring, signer, base_url })
    }

    fn no_key(&self) -> Error {
        let names = self.key_env().collect::<Vec<_>>().join(" or ");
        let or = match self.login() {
            None => String::from("give the client one (api_key)"),
            Some(Login::Aws { .. }) => String::from(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of ~/.aws/credentials that has \
                 both, or turn on the feature \"cloud\", which fetches those of roles",
            ),
            Some(login) => format!("turn on the feature \"cloud\", which fetches credentials of {}", login.name()),
        };
        Error::config(format!("no key for {}: set {names} in the environment, or {or}", self.id()))
    }

    /// The headers of every request: protocol, content type, key.
    pub(crate) fn headers(&self, key: Option<&Secret>) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.wire().headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(key) = key {
            self.show_key(key, self.auth(), &mut headers)?;
        }
        Ok(headers)
    }

    fn show_key(&self, key: &Secret, auth: Auth, headers: &mut HeaderMap) -> Result<(), Error> {
        let key = key.expose();
        let (name, text) = match auth {
            Auth::Bearer => (header::AUTHORIZATION, format!("Bearer {key}")),
            Auth::Header(name) => (HeaderName::from_static(name), String::from(key)),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Error::config(format!("the key for {} has characters that no header can carry", self.id())))?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    /// Authorises one request, at a time since the Unix epoch.
    pub(crate) fn authorise(
        &self,
        request: &mut Request<Bytes>,
        credential: &Credential,
        signer: Option<&Signer>,
        now: Duration,
    ) -> Result<(), Error> {
        request.headers_mut().extend(credential.headers.iter().cloned());
        match (&credential.proof, signer) {
            (Proof::Key(key), _) => self.show_key(key, self.auth(), request.headers_mut()),
            (Proof::Bearer(token), _) => self.show_key(token, Auth::Bearer, request.headers_mut()),
            (Proof::Signature(keys), Some(signer)) => signer.sign(request, keys, now),
            (Proof::Signature(_), None) => Err(Error::config(format!(
                "the credentials for {} are AWS keys, which sign requests to AWS: give it a key or a bearer token",
                self.id(),
            ))),
        }
    }
}
#[cfg(test)]
mod tests {
    #[cfg(all(feature = "cloud", feature = "testing"))]
    mod cloud;

    use super::surroundings::Pretend;
    use super::*;

    /// Where it goes, how it is authorised, and the region that requests are signed for.
    fn access(key: Option<&str>, base_url: Option<&str>, here: Pretend) -> Result<(String, bool, String), String> {
        let profile = Profile::all().find(|profile| matches!(profile.login(), Some(Login::Aws { .. }))).unwrap();
        let given = key.map_or(Given::Nothing, |key| Given::Key(Secret::new(key)));
        let access =
            profile.access_from(given, base_url.map(String::from), Arc::new(here)).map_err(|e| e.to_string())?;
        assert!(!format!("{access:?}").contains("hidden"));
        assert_eq!(access.key.is_some(), access.keyring.is_none());
        Ok((access.base_url, access.keyring.is_some(), access.signer.unwrap().region))
    }

    fn account(region: &str) -> Pretend {
        let keys = Pretend::default().with("AWS_ACCESS_KEY_ID", "AKID").with("AWS_SECRET_ACCESS_KEY", "hidden");
        if region.is_empty() { keys } else { keys.with("AWS_REGION", region) }
    }

    #[test]
    fn regions_are_those_of_the_address_or_the_account() {
        let at = |region: &str| format!("https://bedrock-runtime.{region}.amazonaws.com");
        let signed = |base_url: Option<&str>, region: &str| {
            let (base_url, signs, region) = access(None, base_url, account(region)).unwrap();
            assert!(signs);
            (base_url, region)
        };
        let some = |text: &str| String::from(text);
        assert_eq!(signed(None, "eu-west-1"), (at("eu-west-1"), some("eu-west-1")));
        assert_eq!(signed(None, ""), (at("us-east-1"), some("us-east-1")));
        assert_eq!(signed(Some(&at("sa-east-1")), "eu-west-1"), (at("sa-east-1"), some("sa-east-1")));
        let proxy = "http://localhost:1/x";
        assert_eq!(signed(Some(proxy), "eu-west-1"), (some(proxy), some("eu-west-1")));
    }

    #[test]
    fn a_key_is_sent_and_nothing_is_signed() {
        let (base_url, signs, _) = access(Some("key"), None, account("eu-west-1")).unwrap();
        assert_eq!((base_url.as_str(), signs), ("https://bedrock-runtime.eu-west-1.amazonaws.com", false));
        let here = account("eu-west-1").with("AWS_BEARER_TOKEN_BEDROCK", "key");
        assert!(!access(None, None, here).unwrap().1);
    }

    #[test]
    #[cfg(not(feature = "cloud"))]
    fn with_neither_it_is_said_what_to_set() {
        let error = access(None, None, Pretend::default()).unwrap_err();
        for name in ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"] {
            assert!(error.contains(name), "{error}");
        }
    }
}
