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
#[cfg(feature = "distil")]
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use serde_json::Value;

use crate::client::{ClientBuilder, Core, show};
#[cfg(feature = "distil")]
use crate::distil::Lessons;
use crate::error::Error;
use crate::fallback::{Asks, Target};
use crate::future::block_on;
use crate::many::Made;
use crate::message::Messages;
use crate::model::{Contract, ResponseModel};
use crate::provider::Profile;
use crate::request::Request;
use crate::run::Completion;
use crate::stream::{Part, Patch};
use crate::transport::{Blocking, BlockingTransport};

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
    fallbacks: Arc<[Target<Self>]>,
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
        let transport: Arc<dyn BlockingTransport> = match core.endpoint.profile.is_fake() {
            #[cfg(feature = "fake")]
            true => Arc::new(crate::fake::FakeModel::new()),
            _ => Arc::new(crate::transport::ureq::Ureq::new(core.connect_timeout)),
        };
        Ok(Self { core: Arc::new(core), transport, fallbacks: Arc::default() })
    }

    /// From the builder that the async client has too, over another transport than the built-in one.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    pub fn build_with(builder: ClientBuilder, transport: impl BlockingTransport + 'static) -> Result<Self, Error> {
        Ok(Self { core: Arc::new(builder.core()?), transport: Arc::new(transport), fallbacks: Arc::default() })
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

    /// Asks for a value for each input with the client's defaults, on so many threads of its own.
    ///
    /// Results come in whatever order they are ready, each with the index of its input. An input is taken when a thread has
    /// nothing to do; threads end with the last input, or once the iterator is dropped and their call is over.
    ///
    /// ```
    /// # use instructor::testing::{Reply, Script};
    /// # use serde_json::json;
    /// #[instructor::model]
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// # let script = Script::new().when(|_| true, Reply::value(json!({ "name": "Ada" })));
    /// # let client = script.blocking_client("openai/gpt-5-mini");
    /// for made in client.create_many::<User, _>(["Ada is 36", "Ada Lovelace"], 4) {
    ///     println!("{}", made.into_value()?.name);
    /// }
    /// # Ok::<(), instructor::Error>(())
    /// ```
    pub fn create_many<T: ResponseModel, M: Into<Messages<'static>>>(
        &self,
        inputs: impl IntoIterator<Item = M, IntoIter: Send + 'static>,
        threads: usize,
    ) -> Many<T> {
        let inputs = Arc::new(Mutex::new(inputs.into_iter().enumerate()));
        let (to, results) = mpsc::sync_channel(threads.max(1));
        for _ in 0..threads.max(1) {
            let (client, inputs, to) = (self.clone(), Arc::clone(&inputs), to.clone());
            thread::spawn(move || {
                loop {
                    let input = inputs.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, input)) = input else { break };
                    let messages: Messages<'static> = input.into();
                    let result = client.request(shorter(messages)).create_with_completion::<T>();
                    if to.send(Made { index, result }).is_err() {
                        break;
                    }
                }
            });
        }
        Many { results }
    }

    /// The client with another target; see [`Client::with_fallback`](crate::Client::with_fallback).
    #[must_use]
    pub fn with_fallback(mut self, target: impl Into<Target<Self>>) -> Self {
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
    type Over<'c> = Blocking<'c>;

    fn core(&self) -> &Core {
        &self.core
    }

    fn over(&self) -> Blocking<'_> {
        Blocking(&*self.transport)
    }

    fn fallbacks(&self) -> &[Target<Self>] {
        &self.fallbacks
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "blocking::Client", &self.core)
    }
}

/// Messages that live longer than they need to.
const fn shorter<'a>(messages: Messages<'static>) -> Messages<'a> {
    messages
}

/// Results of many requests, as they are ready; see [`Client::create_many`].
#[derive(Debug)]
pub struct Many<T> {
    results: mpsc::Receiver<Made<T>>,
}

impl<T> Iterator for Many<T> {
    type Item = Made<T>;

    fn next(&mut self) -> Option<Made<T>> {
        self.results.recv().ok()
    }
}

/// An answer that arrives, on the calling thread; see [`PartialStream`](crate::PartialStream).
pub struct PartialStream<'a, P, T>(crate::PartialStream<'a, P, T>);

impl<'a, P: Part, T> PartialStream<'a, P, T> {
    pub(crate) const fn new(stream: crate::PartialStream<'a, P, T>) -> Self {
        Self(stream)
    }

    /// The partial when it has changed; `None` at the end, whichever it is: [`finish`](Self::finish) tells.
    #[expect(clippy::should_implement_trait, reason = "an iterator can't lend its items")]
    pub fn next(&mut self) -> Option<&P> {
        block_on(self.0.next())
    }

    /// The partial as it was shown last; also after the end of a stream that failed.
    #[must_use]
    pub fn partial(&self) -> Option<&P> {
        self.0.partial()
    }

    /// Reads to the end, and gives the value, validated in full as by [`create`](Request::create).
    ///
    /// # Errors
    ///
    /// As [`create`](Request::create).
    pub fn finish(self) -> Result<T, Error> {
        self.finish_with_completion().map(|(value, _)| value)
    }

    /// [`finish`](Self::finish), and the response that the value came from, with usage and attempts.
    ///
    /// # Errors
    ///
    /// As [`create`](Request::create).
    pub fn finish_with_completion(self) -> Result<(T, Completion), Error> {
        block_on(self.0.finish_with_completion())
    }
}

impl<'a, P: Part, T> PartialStream<'a, P, T> {
    /// How each partial differs from the one before; see [`PartialStream::patches`](crate::PartialStream::patches).
    #[must_use]
    pub fn patches(self) -> Patches<'a, P, T> {
        Patches(self.0.patches())
    }
}

/// How each partial differs from the one before, on the calling thread; see [`Patches`](crate::Patches).
#[derive(Debug)]
pub struct Patches<'a, P, T>(crate::Patches<'a, P, T>);

impl<'a, P: Part, T> Patches<'a, P, T> {
    /// The partial that the patches so far make.
    #[must_use]
    pub fn partial(&self) -> Option<&P> {
        self.0.partial()
    }

    /// The stream of borrowed partials again, for its value at the end.
    #[must_use]
    pub fn into_inner(self) -> PartialStream<'a, P, T> {
        PartialStream(self.0.into_inner())
    }
}

impl<P: Part, T> Iterator for Patches<'_, P, T> {
    type Item = Result<Patch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}

impl<P: fmt::Debug, T> fmt::Debug for PartialStream<'_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The items of a list, one by one, on the calling thread; see [`ItemStream`](crate::ItemStream).
#[derive(Debug)]
pub struct ItemStream<'a, T>(crate::ItemStream<'a, T>);

impl<'a, T> ItemStream<'a, T> {
    pub(crate) const fn new(stream: crate::ItemStream<'a, T>) -> Self {
        Self(stream)
    }

    /// The place in the answer's list of the item that came last; see [`ItemStream::place`](crate::ItemStream::place).
    #[must_use]
    pub const fn place(&self) -> Option<usize> {
        self.0.place()
    }

    /// The response that the items came from, with usage and attempts, once it has ended well.
    #[must_use]
    pub const fn completion(&self) -> Option<&Completion> {
        self.0.completion()
    }
}

impl<T> Iterator for ItemStream<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}
