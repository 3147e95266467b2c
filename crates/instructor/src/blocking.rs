//! The same client without an async runtime.
//!
//! ```
//! # use instructor::testing::{Reply, Script};
//! # use serde_json::json;
//! #[instructor::model]
//! struct User {
//!     name: String,
//!     age: u8,
//! }
//!
//! # let script = Script::new().reply(Reply::value(json!({ "name": "Jason", "age": 25 })));
//! # let client = script.blocking_client("openai/gpt-5-mini");
//! // let client = instructor::blocking::from_provider("openai/gpt-5-mini")?;
//! let user: User = client.create("Jason is 25 years old")?;
//! assert_eq!(user.age, 25);
//! # Ok::<(), instructor::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::client::{ClientBuilder, Core, show};
use crate::error::Error;
use crate::message::Messages;
use crate::model::{Contract, ResponseModel};
use crate::provider::Profile;
use crate::request::Request;
use crate::run::Completion;
use crate::transport::BlockingTransport;

/// A blocking client for one provider and model; see [`from_provider`](crate::from_provider).
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for an unknown provider, a missing model or a missing key.
#[cfg(feature = "blocking")]
pub fn from_provider(spec: &str) -> Result<Client, Error> {
    Client::build(ClientBuilder::new().provider(spec))
}

/// Asks a provider's model for typed values, on the calling thread. Cheap to clone; `Send` and `Sync`.
#[derive(Clone)]
pub struct Client {
    core: Arc<Core>,
    transport: Arc<dyn BlockingTransport>,
}

impl Client {
    /// A client for whatever the environment is set up for; see [`Client::from_env`](crate::Client::from_env).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if none is set, with the variables that would do.
    #[cfg(feature = "blocking")]
    pub fn from_env() -> Result<Self, Error> {
        Self::build(ClientBuilder::new().from_env()?)
    }

    /// From the builder that the async client has too; its async transport is left aside.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    #[cfg(feature = "blocking")]
    pub fn build(builder: ClientBuilder) -> Result<Self, Error> {
        let core = builder.core()?;
        let transport = crate::transport::ureq::Ureq::new(core.connect_timeout);
        Ok(Self { core: Arc::new(core), transport: Arc::new(transport) })
    }

    /// From the builder that the async client has too, over another transport than the built-in one.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn build_with(builder: ClientBuilder, transport: impl BlockingTransport + 'static) -> Result<Self, Error> {
        Ok(Self { core: Arc::new(builder.core()?), transport: Arc::new(transport) })
    }

    /// A request that is to be built: messages first, then how to ask.
    pub fn request<'a>(&'a self, messages: impl Into<Messages<'a>>) -> Request<'a, Self> {
        Request::new(self, &self.core, messages.into())
    }

    /// Asks for a value with the client's defaults.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn create<'a, T: ResponseModel>(&'a self, messages: impl Into<Messages<'a>>) -> Result<T, Error> {
        self.request(messages).create()
    }

    /// Asks for a value and the completion that it came from.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn create_with_completion<'a, T: ResponseModel>(
        &'a self,
        messages: impl Into<Messages<'a>>,
    ) -> Result<(T, Completion), Error> {
        self.request(messages).create_with_completion()
    }

    /// Asks for a value of a run-time contract.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn create_value<'a>(&'a self, contract: &Contract, messages: impl Into<Messages<'a>>) -> Result<Value, Error> {
        self.request(messages).create_value(contract).map(|(value, _)| value)
    }

    /// The provider.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.core.endpoint.profile
    }

    pub(crate) fn transport(&self) -> &dyn BlockingTransport {
        &*self.transport
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "blocking::Client", &self.core)
    }
}
