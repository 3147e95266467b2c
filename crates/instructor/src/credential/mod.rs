//! What requests are authorised with where that is not one key for ever: credentials that end, and where they come from.

mod keyring;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

pub(crate) use self::keyring::Keyring;
use crate::error::{Error, ErrorKind, TransportError};
use crate::future::BoxFuture;

/// A key that no formatting shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
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

/// What authorises requests, and until when. No formatting shows the secrets in it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use instructor::Credential;
///
/// let token = Credential::bearer("eyJ0..").with_expiry(SystemTime::now() + Duration::from_secs(3600));
/// assert!(!format!("{token:?}").contains("eyJ0"));
/// ```
#[derive(Clone)]
pub struct Credential {
    pub(crate) proof: Proof,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Since the Unix epoch.
    expiry: Option<Duration>,
    origin: Option<String>,
}

/// In which way it is proved who asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    Key(Secret),
    Bearer(Secret),
    Signature(AwsKeys),
}

/// What requests are signed with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AwsKeys {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// Of keys that end.
    pub(crate) token: Option<Secret>,
}

impl Credential {
    const fn new(proof: Proof) -> Self {
        Self { proof, headers: Vec::new(), expiry: None, origin: None }
    }

    /// A key, sent as the provider wants its keys.
    #[must_use]
    pub fn key(key: impl Into<String>) -> Self {
        Self::new(Proof::Key(Secret::new(key)))
    }

    /// A token, sent as `Authorization: Bearer TOKEN` whatever the provider does with keys.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::new(Proof::Bearer(Secret::new(token)))
    }

    /// Keys of AWS, which sign each request and are not sent themselves. Temporary ones have a session token.
    #[must_use]
    pub fn aws(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        Self::new(Proof::Signature(AwsKeys {
            id: access_key_id.into(),
            secret: Secret::new(secret_access_key),
            token: session_token.map(Secret::new),
        }))
    }

    /// With the time when it ends. Another is fetched some minutes before, or earlier where it lives but for minutes.
    #[must_use]
    pub fn with_expiry(mut self, at: SystemTime) -> Self {
        self.expiry = at.duration_since(UNIX_EPOCH).ok();
        self
    }

    /// [`with_expiry`](Self::with_expiry), where the end is known and told since the Unix epoch.
    #[cfg(feature = "cloud")]
    pub(crate) fn ending(mut self, at: Option<Duration>) -> Self {
        self.expiry = at.or(self.expiry);
        self
    }

    /// With a header that goes along with it, such as the project that pays.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.push((name, value));
        self
    }

    /// With where it came from, for the error of a provider that refuses it: a file, a variable, a service.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// A text without the secrets in it.
    pub(crate) fn masked(&self, text: String) -> String {
        match &self.proof {
            Proof::Key(secret) | Proof::Bearer(secret) => secret.masked(text),
            // A wrong signature is answered with what was signed, the token among it.
            Proof::Signature(keys) => keys.token.as_ref().map_or(text.clone(), |token| token.masked(text)),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.proof {
            Proof::Key(_) => "key",
            Proof::Bearer(_) => "bearer",
            Proof::Signature(_) => "aws",
        };
        f.debug_struct("Credential")
            .field("kind", &kind)
            .field("expiry", &self.expiry)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Where credentials come from while a client runs: a vault, a token service, a file that is written anew.
///
/// What it gives is kept and shared between the requests and clones of a client. It is asked again some minutes before
/// the credential ends and after a provider has refused it (401), by one request at a time; the others wait for what
/// comes of that. A closure that makes a future is a source too:
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// use std::time::{Duration, SystemTime};
/// use instructor::{Client, Credential};
///
/// # async fn vault() -> Result<String, std::io::Error> { Ok(String::from("secret")) }
/// # let script = Script::new().reply(Reply::value("hello"));
/// let client = Client::builder()
///     .provider("openai/gpt-5-mini")
///     .credentials(|| async {
///         let key = vault().await?;
///         Ok::<_, std::io::Error>(Credential::key(key).with_expiry(SystemTime::now() + Duration::from_secs(900)))
///     })
///     # .transport(script.clone())
///     .build()?;
/// # let said: String = script.block_on(client.create("Say hello"))?;
/// # assert_eq!(script.sent()[0].header("authorization"), Some("Bearer secret"));
/// # Ok::<(), instructor::Error>(())
/// ```
///
/// One that needs HTTP can use the client's own transport, so that it works in both kinds of client and in tests
/// without a network:
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// use std::time::Duration;
/// use instructor::{BoxFuture, Client, Credential, CredentialSource, Http};
/// use serde_json::{Value, json};
///
/// struct TokenService {
///     url: http::Uri,
/// }
///
/// impl CredentialSource for TokenService {
///     fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn std::error::Error + Send + Sync>>> {
///         Box::pin(async move {
///             let answer = http.send(http::Request::get(&self.url).body("".into())?).await?;
///             let answer: Value = serde_json::from_slice(answer.body())?;
///             let token = answer["token"].as_str().ok_or("the answer has no token")?;
///             Ok(Credential::bearer(token).with_expiry(http.now() + Duration::from_secs(600)))
///         })
///     }
/// }
///
/// let script = Script::new().reply(Reply::json(json!({ "token": "t-1" }))).reply(Reply::value("hello"));
/// let source = TokenService { url: http::Uri::from_static("https://tokens.example.com/new") };
/// let client = script.builder("openai/gpt-5-mini").credentials(source).build()?;
///
/// let said: String = script.block_on(client.create("Say hello"))?;
/// assert_eq!(script.sent()[1].header("authorization"), Some("Bearer t-1"));
/// # Ok::<(), instructor::Error>(())
/// ```
///
/// In the blocking client the future runs on the calling thread, without an async runtime.
pub trait CredentialSource: Send + Sync {
    /// Gets a new credential.
    ///
    /// # Errors
    ///
    /// Of any kind. An [`Error`] of this library keeps its [`ErrorKind`], so that one of [`Http`] is tried again as the
    /// retry policy says; any other ends the request as [`ErrorKind::Auth`]. Its text must hold no secret.
    fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>>;
}

impl<F, Fut, E> CredentialSource for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<Credential, E>> + Send + 'static,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn fetch<'a>(&'a self, _: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>> {
        let future = self();
        Box::pin(async move { future.await.map_err(Into::into) })
    }
}

/// HTTP for a [`CredentialSource`], over the transport of the client that asks it.
pub struct Http<'a> {
    exchange: &'a dyn Exchange,
    timeout: Option<Duration>,
}

/// A transport of either kind, as far as credentials need one.
pub(crate) trait Exchange: Send + Sync {
    /// Sends a request and takes the whole answer.
    fn exchange(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;

    /// The time since the Unix epoch.
    fn unix(&self) -> Duration;
}

impl<'a> Http<'a> {
    pub(crate) const fn new(exchange: &'a dyn Exchange, timeout: Option<Duration>) -> Self {
        Self { exchange, timeout }
    }

    /// Sends a request and takes the whole answer, whatever its status, in the time that an attempt has.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Transport`] where none arrives, with the host.
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        self.send_within(request, Duration::MAX).await
    }

    /// [`send`](Self::send) with less time: some hosts are only there on some machines.
    pub(crate) async fn send_within(
        &self,
        mut request: http::Request<Bytes>,
        most: Duration,
    ) -> Result<http::Response<Bytes>, Error> {
        let host = String::from(request.uri().host().unwrap_or_default());
        if request.method() != http::Method::GET {
            let length = HeaderValue::from(request.body().len());
            request.headers_mut().insert(http::header::CONTENT_LENGTH, length);
        }
        let timeout = self.timeout.unwrap_or(Duration::MAX).min(most);
        let timeout = (timeout < Duration::MAX).then_some(timeout);
        self.exchange.exchange(request, timeout).await.map_err(|error| {
            let cause = error.cause().map_or_else(String::new, |cause| format!(": {cause}"));
            Error::new(ErrorKind::Transport, format!("{host} was asked for credentials: {error}{cause}"))
        })
    }

    /// The time, on the transport's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.unix()
    }

    pub(crate) fn unix(&self) -> Duration {
        self.exchange.unix()
    }
}

impl fmt::Debug for Http<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
