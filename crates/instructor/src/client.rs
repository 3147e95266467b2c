//! The client: a provider, a model, a transport, and the defaults of its requests.

use std::fmt;
#[cfg(feature = "distil")]
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::cache::{Cache, Caching};
use crate::cost::{Ledger, Prices};
use crate::credential::{CredentialSource, Secret};
#[cfg(feature = "distil")]
use crate::distil::Lessons;
use crate::error::Error;
use crate::fallback::{Asks, Breaker, Health, Target};
use crate::flight::Flights;
use crate::hooks::Hooks;
use crate::limiter::Limiter;
use crate::media::FetchMedia;
use crate::message::{Messages, PromptCache};
use crate::mode::Mode;
use crate::model::{Contract, ResponseModel};
use crate::options::{Options, setters};
use crate::provider::auth::{Access, Given};
use crate::provider::{Address, Profile, Reasoning, Spec, auth};
use crate::repair::{Level, RepairKind};
use crate::request::Request;
use crate::run::{Budget, Completion, Endpoint, Memory, ReAsk, Retry, Truncated};
use crate::stream::{BadItems, Watchdog};
use crate::transport::Transport;

/// What a client of either kind is made of, besides its transport.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) endpoint: Endpoint,
    /// What paths of other calls come after.
    pub(crate) base_url: String,
    pub(crate) options: Options,
    #[cfg_attr(
        not(any(feature = "reqwest", feature = "blocking")),
        expect(dead_code, reason = "no built-in transport")
    )]
    pub(crate) connect_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) memory: Memory,
    pub(crate) flights: Flights,
    pub(crate) breaker: Breaker,
    pub(crate) health: Health,
}

/// A client for one provider and model, from a spec such as `openai/gpt-5-mini`. The key comes from the environment.
///
/// ```
/// let error = instructor::from_provider("opnai/gpt-5-mini").unwrap_err();
/// assert!(error.to_string().contains("Did you mean \"openai\"?"));
/// ```
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for an unknown provider, a missing model or a missing key.
#[cfg(feature = "reqwest")]
pub fn from_provider(spec: &str) -> Result<Client, Error> {
    Client::builder().provider(spec).build()
}

/// Asks a provider's model for typed values. Cheap to clone; `Send` and `Sync`.
///
/// Clones share what is learnt: where a model has refused a schema in one [`Mode`] and taken it in another, later
/// requests for the same response model start with the latter.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// #[instructor::model]
/// struct User {
///     name: String,
///     #[schemars(range(max = 150))]
///     age: u16,
/// }
///
/// # let script = Script::new()
/// #     .reply(Reply::value(json!({ "name": "Jason", "age": 250 })))
/// #     .reply(Reply::value(json!({ "name": "Jason", "age": 25 })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// // let client = instructor::from_provider("openai/gpt-5-mini")?;
/// let (user, completion) = client.create_with_completion::<User>("Jason is 25 years old").await?;
/// assert_eq!(user.age, 25);
/// // The first answer said 250; the second was right.
/// assert_eq!(completion.report.attempts().len(), 2);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Client {
    core: Arc<Core>,
    transport: Arc<dyn Transport>,
    fallbacks: Arc<[Target]>,
}

impl Client {
    /// To set up a client in detail.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client for whatever the environment is set up for.
    ///
    /// 1. `INSTRUCTOR_MODEL`, a spec such as `groq/llama-3.3-70b-versatile`;
    /// 2. else the first provider of [`Profile::all`] whose key variable is set, with its default model:
    ///    `OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GEMINI_API_KEY`, `GROQ_API_KEY`, and so on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if none is set, with the variables that would do.
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().from_env()?.build()
    }

    /// A request that is to be built: messages first, then how to ask.
    pub fn request<'a>(&'a self, messages: impl Into<Messages<'a>>) -> Request<'a> {
        Request::new(self, &self.core, messages.into())
    }

    /// Asks for a value with the client's defaults. See [`Request::create`].
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub async fn create<'a, T: ResponseModel>(&'a self, messages: impl Into<Messages<'a>>) -> Result<T, Error> {
        self.request(messages).create().await
    }

    /// Asks for a value and the completion that it came from. See [`Request::create_with_completion`].
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub async fn create_with_completion<'a, T: ResponseModel>(
        &'a self,
        messages: impl Into<Messages<'a>>,
    ) -> Result<(T, Completion), Error> {
        self.request(messages).create_with_completion().await
    }

    /// Asks for a value of a run-time contract. See [`Request::create_value`].
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub async fn create_value<'a>(
        &'a self,
        contract: &Contract,
        messages: impl Into<Messages<'a>>,
    ) -> Result<Value, Error> {
        self.request(messages).create_value(contract).await.map(|(value, _)| value)
    }

    /// The client with another target after those that it has: where its requests go when they fail. See [`Target`]. The
    /// target's own fallbacks are not followed.
    #[must_use]
    pub fn with_fallback(mut self, target: impl Into<Target>) -> Self {
        self.fallbacks = self.fallbacks.iter().cloned().chain([target.into()]).collect();
        self
    }

    /// A file of lessons for a model, in the form that this client's provider wants: what functions with
    /// `#[instructor::distil]` are given and return. See [`Lessons`].
    #[cfg(feature = "distil")]
    #[must_use]
    pub fn lessons(&self, to: impl Write + Send + 'static) -> Lessons {
        Lessons::new(Some(Arc::clone(&self.core)), to)
    }

    /// The provider.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.core.endpoint.profile
    }

    /// The model that requests go to unless they name another.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.core.options.model.as_deref()
    }
}

impl Asks for Client {
    type Over<'c> = &'c dyn Transport;

    fn core(&self) -> &Core {
        &self.core
    }

    fn over(&self) -> &dyn Transport {
        &*self.transport
    }

    fn fallbacks(&self) -> &[Target] {
        &self.fallbacks
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Client", &self.core)
    }
}

pub(crate) fn show(f: &mut fmt::Formatter<'_>, name: &str, core: &Core) -> fmt::Result {
    f.debug_struct(name)
        .field("provider", &core.endpoint.profile.id())
        .field("address", &core.endpoint.address)
        .field("model", &core.options.model)
        .field("mode", &core.options.mode)
        .finish_non_exhaustive()
}

/// Sets up a client. Every setting but the provider has a default.
///
/// ```
/// use instructor::{Client, Mode, Profile, Retry};
///
/// let client = Client::builder()
///     .profile(Profile::openai_compatible("vllm", "http://localhost:8000/v1"))
///     .model("Qwen/Qwen3-8B")
///     .mode(Mode::Schema)
///     .retry(Retry::new().with_stop_after_attempt(3))
///     .build()?;
/// assert_eq!(client.profile().id(), "vllm");
/// # Ok::<(), instructor::Error>(())
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    profile: Option<Profile>,
    given: Given,
    base_url: Option<String>,
    options: Options,
    connect_timeout: Duration,
    max_response_bytes: usize,
    breaker: Breaker,
    transport: Option<Arc<dyn Transport>>,
    error: Option<Error>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            profile: None,
            given: Given::Nothing,
            base_url: None,
            options: Options::default(),
            connect_timeout: Duration::from_secs(10),
            max_response_bytes: 32 << 20,
            breaker: Breaker::new(),
            transport: None,
            error: None,
        }
    }

    setters!();

    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// With a known provider and a model: `groq/llama-3.3-70b-versatile`.
    pub fn provider(mut self, spec: &str) -> Self {
        match Spec::parse(spec) {
            Ok(Spec { profile, model }) => {
                self.profile = Some(profile);
                self.options.model = Some(model);
            }
            Err(error) => _ = self.error.get_or_insert(error),
        }
        self
    }

    /// With what the environment says: see [`Client::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it says nothing.
    pub fn from_env(mut self) -> Result<Self, Error> {
        if let Some(spec) = auth::variable("INSTRUCTOR_MODEL") {
            return Ok(self.provider(&spec));
        }
        let ready =
            Profile::all().find(|p| p.default_model().is_some() && p.key_env().any(|v| auth::variable(v).is_some()));
        let Some(profile) = ready else {
            let variables: Vec<String> = Profile::all()
                .filter(|p| !p.is_keyless())
                .flat_map(|p| p.key_env().map(String::from).collect::<Vec<_>>())
                .collect();
            return Err(Error::config(format!(
                "no provider is set up in the environment: set one of {}, or INSTRUCTOR_MODEL=provider/model",
                variables.join(", "),
            )));
        };
        self.options.model = profile.default_model().map(String::from);
        self.profile = Some(profile);
        Ok(self)
    }

    /// With any provider, known or made at run time.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// With a key, instead of the one from the environment.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.given = Given::Key(Secret::new(key));
        self
    }

    /// With a source of credentials that end, instead of a key: a closure that makes a future, or any
    /// [`CredentialSource`].
    pub fn credentials(mut self, source: impl CredentialSource + 'static) -> Self {
        self.given = Given::Source(Box::new(source));
        self
    }

    /// With another base URL. It wins over the profile's variable.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// With this long to connect; 10 seconds by default.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// With a limit for the body of an answer; 32 MiB by default.
    pub const fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// With another rule for when it is left alone, in a chain of [`Target`]s, since it fails.
    pub const fn breaker(mut self, breaker: Breaker) -> Self {
        self.breaker = breaker;
        self
    }

    /// With another transport than the built-in one.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): no or an unknown provider, no key, a base URL that is none.
    pub fn build(mut self) -> Result<Client, Error> {
        let transport = self.transport.take();
        let core = self.core()?;
        let transport = match transport {
            Some(transport) => transport,
            None => default_transport(&core)?,
        };
        Ok(Client { core: Arc::new(core), transport, fallbacks: Arc::default() })
    }

    pub(crate) fn core(self) -> Result<Core, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let profile = self.profile.ok_or_else(|| {
            Error::config("no provider: name one with provider(\"openai/gpt-5-mini\") or profile(..)")
        })?;
        if profile.is_fake() && cfg!(not(feature = "fake")) {
            let id = profile.id();
            return Err(Error::config(format!(
                "what answers for {id:?} is a feature of this library: turn it on ({id})"
            )));
        }
        let base_url = self.base_url.or_else(|| auth::variable(profile.base_url_env()?));
        let Access { key, keyring, signer, base_url } = profile.access(self.given, base_url)?;
        let address = Address::new(&base_url, profile.wire().path())?;
        let streamed = Address::new(&base_url, profile.wire().streamed_path())?;
        let headers = profile.headers(key.as_ref())?;
        Ok(Core {
            base_url,
            endpoint: Endpoint { profile, address, streamed, headers, key, keyring, signer },
            options: self.options,
            connect_timeout: self.connect_timeout,
            max_response_bytes: self.max_response_bytes,
            memory: Memory::default(),
            flights: Flights::default(),
            breaker: self.breaker,
            health: Health::default(),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("profile", &self.profile)
            .field("model", &self.options.model)
            .finish_non_exhaustive()
    }
}

fn default_transport(core: &Core) -> Result<Arc<dyn Transport>, Error> {
    #[cfg(feature = "fake")]
    if core.endpoint.profile.is_fake() {
        return Ok(Arc::new(crate::fake::FakeModel::new()));
    }
    network(core)
}

#[cfg(feature = "reqwest")]
fn network(core: &Core) -> Result<Arc<dyn Transport>, Error> {
    let secure = core.endpoint.address.is_secure() || core.endpoint.keyring.is_some();
    Ok(Arc::new(crate::transport::reqwest::Reqwest::new(core.connect_timeout, secure)))
}

#[cfg(not(feature = "reqwest"))]
fn network(_: &Core) -> Result<Arc<dyn Transport>, Error> {
    Err(Error::config("no transport: turn on the feature \"reqwest\" or pass one with transport(..)"))
}
