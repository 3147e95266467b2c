#![doc = include_str!("../README.md")]

use std::fmt;
use std::time::Duration;

use async_openai::Client as OpenAi;
use async_openai::config::Config;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, Request, Response};
use instructor::{
    Body, BoxFuture, Client, ClientBuilder, Error, FetchMedia, Now, Profile, Reqwest, Transport, TransportError,
};

/// The other header that a key comes in, with Azure.
const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// A client that asks where and as whom a client of async-openai does.
///
/// # Errors
///
/// [`ErrorKind::Config`](instructor::ErrorKind::Config): its base URL is none.
pub fn from_openai<C: Config + 'static>(openai: OpenAi<C>, model: &str) -> Result<Client, Error> {
    builder(openai, model).build()
}

/// The builder of such a client, for further settings.
///
/// ```
/// use async_openai::config::OpenAIConfig;
/// use instructor::Mode;
///
/// let config = OpenAIConfig::new().with_api_key("k").with_api_base("https://api.groq.com/openai/v1");
/// let openai = async_openai::Client::with_config(config);
/// let client = instructor_async_openai::builder(openai, "llama-3.3-70b").mode(Mode::Tools).build()?;
/// // Who is known by the address is asked in the way that works there.
/// assert_eq!(client.profile().id(), "groq");
/// # Ok::<(), instructor::Error>(())
/// ```
///
/// A profile of its own makes it speak another protocol at the same address, such as OpenAI's responses:
/// `.profile(Profile::openai_responses_compatible("openai", ""))`.
pub fn builder<C: Config + 'static>(openai: OpenAi<C>, model: &str) -> ClientBuilder {
    builder_over(openai, model, Reqwest::default())
}

/// The builder, with a transport of the caller's: `Reqwest::with_client(http)` shares the connections of the
/// `reqwest::Client` that async-openai was given, and a script of [`instructor::testing`] sends nothing.
///
/// ```
/// use async_openai::config::OpenAIConfig;
/// use instructor::testing::{Reply, Script};
/// use serde_json::json;
///
/// let openai = async_openai::Client::with_config(OpenAIConfig::new().with_api_key("k").with_org_id("org"));
/// let script = Script::new().reply(Reply::value(json!(36)));
/// let client = instructor_async_openai::builder_over(openai, "gpt-5-mini", script.clone()).build()?;
/// let age: u8 = script.block_on(client.create("Ada is 36 years old."))?;
/// assert_eq!(age, 36);
/// assert_eq!(script.sent()[0].header("openai-organization"), Some("org"));
/// # Ok::<(), instructor::Error>(())
/// ```
pub fn builder_over<C: Config + 'static>(
    openai: OpenAi<C>,
    model: &str,
    transport: impl Transport + 'static,
) -> ClientBuilder {
    let (address, headers) = (address(openai.config()), openai.config().headers());
    let profile = profile(&headers, &address);
    let key = key(&headers);
    let builder = Client::builder().profile(profile).base_url(address).model(model);
    // It is said here so that it is masked wherever it would be shown.
    let builder = if let Some(key) = key { builder.api_key(key) } else { builder };
    builder.transport(Configured { openai, transport })
}

/// The base URL, with the query that every request has.
fn address(config: &impl Config) -> String {
    let query: Vec<String> = config.query().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{}{query}", config.url(""))
}

/// Who answers there: known by the address or by the header for the key; else anybody who speaks the protocol.
fn profile(headers: &HeaderMap, address: &str) -> Profile {
    let azure = headers.contains_key(API_KEY).then(|| Profile::named("azure_openai")).flatten();
    let known = Profile::all().find(|known| known.base_url() == address.trim_end_matches('/'));
    azure.or(known).unwrap_or_else(|| Profile::openai_compatible("openai_compatible", address))
}

fn key(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name)?.to_str().ok();
    let key = text(API_KEY).or_else(|| text(AUTHORIZATION).map(|value| value.trim_start_matches("Bearer ")));
    key.filter(|key| !key.is_empty()).map(String::from)
}

/// A transport whose requests have the headers of the configuration.
struct Configured<C: Config, T> {
    openai: OpenAi<C>,
    transport: T,
}

impl<C: Config, T> fmt::Debug for Configured<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Configured(..)")
    }
}

impl<C: Config, T: Transport> Transport for Configured<C, T> {
    fn send(
        &self,
        mut request: Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let headers = request.headers_mut();
        for name in [AUTHORIZATION, API_KEY] {
            headers.remove(name);
        }
        headers.extend(self.openai.config().headers());
        self.transport.send(request, timeout)
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.transport.sleep(wait)
    }

    /// Hosts of media are nobody's business of the configuration: they get no key.
    fn fetch(
        &self,
        request: Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        self.transport.fetch(request, policy, timeout)
    }

    fn now(&self) -> Now {
        self.transport.now()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_openai::config::{AzureConfig, OpenAIConfig};
    use instructor::ErrorKind;
    use instructor::testing::{Reply, Script};
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;

    /// Who was asked, where, and with which headers of these.
    fn asked<C: Config + 'static>(config: C) -> (String, String, [Option<String>; 4]) {
        let script = Script::new().reply(Reply::value(json!(36)));
        let client = builder_over(OpenAi::with_config(config), "m", script.clone()).build().unwrap();
        assert_eq!(script.block_on(client.create::<u8>("Ada is 36.")).unwrap(), 36);
        let sent = script.sent();
        let header = |name| sent[0].header(name).map(String::from);
        let headers = ["authorization", "api-key", "openai-project", "x-mine"].map(header);
        (String::from(client.profile().id()), sent[0].url(), headers)
    }

    #[test]
    fn address_headers_and_key_are_those_of_the_configuration() {
        let config = OpenAIConfig::new().with_api_base("https://api.openai.com/v1").with_api_key("k1");
        let config = config.with_project_id("p").with_header("x-mine", "1").unwrap();
        let (id, url, headers) = asked(config);
        assert_eq!((id.as_str(), url.as_str()), ("openai", "https://api.openai.com/v1/chat/completions"));
        assert_eq!(headers.each_ref().map(Option::as_deref), [Some("Bearer k1"), None, Some("p"), Some("1")]);

        let (id, url, headers) = asked(OpenAIConfig::new().with_api_base("http://localhost:9/x/v1").with_api_key("k2"));
        assert_eq!((id.as_str(), url.as_str()), ("openai_compatible", "http://localhost:9/x/v1/chat/completions"));
        assert_eq!(headers[0].as_deref(), Some("Bearer k2"));
    }

    #[test]
    fn azure_is_known_by_its_key() {
        let config = AzureConfig::new().with_api_base("https://x.openai.azure.com").with_api_key("k");
        let (id, url, headers) = asked(config.with_deployment_id("d").with_api_version("2024-10-21"));
        assert_eq!(id, "azure_openai");
        let wanted = "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21";
        assert_eq!(url, wanted);
        assert_eq!(headers.each_ref().map(Option::as_deref), [None, Some("k"), None, None]);
    }

    /// A token that is another one for each request.
    struct Renewed(OpenAIConfig, AtomicU32);

    impl Config for Renewed {
        fn headers(&self) -> HeaderMap {
            let token = format!("Bearer t{}", self.1.fetch_add(1, Ordering::Relaxed));
            [(AUTHORIZATION, token.parse().unwrap())].into_iter().collect()
        }

        fn url(&self, path: &str) -> String {
            self.0.url(path)
        }

        fn query(&self) -> Vec<(&str, &str)> {
            Vec::new()
        }

        fn api_base(&self) -> &str {
            self.0.api_base()
        }

        fn api_key(&self) -> &SecretString {
            self.0.api_key()
        }
    }

    #[test]
    fn retries_are_ours_alone_and_each_asks_the_configuration() {
        let script = Script::new().reply(Reply::status(429)).reply(Reply::status(500)).reply(Reply::value(json!(36)));
        let openai = OpenAi::with_config(Renewed(OpenAIConfig::new(), AtomicU32::new(0)));
        let client = builder_over(openai, "m", script.clone()).max_retries(2).build().unwrap();
        assert_eq!(script.block_on(client.create::<u8>("Ada is 36.")).unwrap(), 36);
        let sent = script.sent();
        let tokens: Vec<&str> = sent.iter().filter_map(|sent| sent.header("authorization")).collect();
        assert_eq!(tokens, ["Bearer t1", "Bearer t2", "Bearer t3"]);
    }

    #[test]
    fn a_key_is_not_shown() {
        let wrong = json!({ "error": { "message": "wrong key secret-key" } });
        let script = Script::new().reply(Reply::json(wrong).with_status(401));
        let openai = OpenAi::with_config(OpenAIConfig::new().with_api_key("secret-key"));
        let client = builder_over(openai, "m", script.clone()).build().unwrap();
        let error = script.block_on(client.create::<u8>("x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(!format!("{error:#} {error:?} {client:?}").contains("secret-key"), "{error:#}");
    }
}
