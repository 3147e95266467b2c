//! What is asked of many inputs, once for all of them: live or in a batch.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failed::Failed;
use super::input::BatchInput;
use super::job::BatchJob;
use super::protocol::{self, Protocol};
use super::results::BatchResults;
use super::writer::BatchWriter;
use crate::cache::{Cache, Caching};
use crate::client::Client;
use crate::cost::{Ledger, Prices};
use crate::error::Error;
use crate::fallback::Asks;
#[cfg(any(feature = "blocking", feature = "testing"))]
use crate::future::block_on;
use crate::hooks::Hooks;
use crate::limiter::Limiter;
use crate::media::FetchMedia;
use crate::message::{Message, Messages, PromptCache};
use crate::mode::Mode;
use crate::model::{Contract, ResponseModel};
use crate::options::{Options, setters};
use crate::provider::{Batches, Profile, Reasoning};
use crate::repair::{Level, RepairKind};
use crate::request::{Preview, Request};
use crate::run::{Answer, AtHand, Budget, Completion, ReAsk, Retry, Truncated};
use crate::stream::{BadItems, Watchdog};
use crate::validate::{Context, Ruled, Rules};

/// What is asked of each of many inputs: the response model, a prompt, the settings. The same value asks live
/// ([`create`](Self::create)) and through the provider's batches, where answers are read, validated and asked for again in
/// the same way. See the [guide](crate::docs::batch).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::batch::Extraction;
///
/// #[instructor::model]
/// struct Ticket {
///     summary: String,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "summary": "No heating" })));
/// # let client = script.client("openai/gpt-5-mini");
/// let tickets = Extraction::<Ticket>::new(&client).prompt("Extract the ticket.").temperature(0.0);
/// // Live,
/// # script.block_on(async {
/// assert_eq!(tickets.create("It is cold in flat 12.").await?.summary, "No heating");
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// // or as lines of a batch.
/// let mut input = tickets.writer(Vec::new());
/// input.push("mail-1", "It is cold in flat 12.")?;
/// input.push("mail-2", "The lift is stuck.")?;
/// assert_eq!(input.finish()?.split(|&byte| byte == b'\n').count(), 3);
/// # Ok::<(), instructor::Error>(())
/// ```
#[must_use = "an extraction does nothing by itself"]
pub struct Extraction<T, C = Client> {
    pub(super) client: C,
    pub(super) contract: Contract,
    pub(super) rules: Rules<T>,
    ruled: fn() -> Option<Ruled>,
    /// A type is made of the answer, which knows of items that were given up.
    typed: bool,
    prompt: Vec<Message>,
    options: Options,
    context: Context,
    error: Option<Error>,
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<T: ResponseModel, C: Asks + Clone> Extraction<T, C> {
    /// For a response model, with the client's settings.
    pub fn new(client: &C) -> Self {
        Self { typed: true, ruled: Ruled::root::<T>, rules: Rules::OF, ..Self::with(client, T::contract()) }
    }
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<T: DeserializeOwned + Send, C: Asks + Clone> Extraction<T, C> {
    /// For a run-time contract. `T` is what its answers are made: [`Value`](serde_json::Value), or
    /// [`RawValue`](serde_json::value::RawValue) in a box, in which numbers keep every digit.
    pub fn of_contract(client: &C, contract: Contract) -> Self {
        Self::with(client, contract)
    }

    fn with(client: &C, contract: Contract) -> Self {
        Self {
            client: client.clone(),
            contract,
            rules: Rules::NONE,
            ruled: || None,
            typed: false,
            prompt: Vec::new(),
            options: client.core().options.clone(),
            context: Context::new(),
            error: None,
        }
    }
}

impl<T, C> Extraction<T, C> {
    /// With what is said before each input: a text, which the user says, or any messages.
    pub fn prompt(mut self, prompt: impl Into<Messages<'static>>) -> Self {
        self.prompt = prompt.into().into_owned();
        self
    }

    /// With values for validator functions.
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    setters!();

    fn options(&mut self) -> &mut Options {
        &mut self.options
    }
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<T: DeserializeOwned + Send, C: Asks> Extraction<T, C> {
    /// Writes the input of a batch to a file or any other [`Write`]. A file is to be buffered.
    pub fn writer<W: Write>(&self, to: W) -> BatchWriter<'_, W, T, C> {
        BatchWriter::new(self, to)
    }

    /// The batch that an input makes, not yet submitted: in as many parts as it takes to keep the provider's limits. The
    /// input is read once, for its ids.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where the provider has no batches;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an input that can't be submitted;
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) for one that can't be read.
    pub fn job(&self, input: &BatchInput) -> Result<BatchJob, Error> {
        self.job_in_parts(input, u64::MAX)
    }

    /// [`job`](Self::job), in parts of at most so many requests: for accounts whose queue takes less than a batch may have.
    ///
    /// # Errors
    ///
    /// As [`job`](Self::job).
    pub fn job_in_parts(&self, input: &BatchInput, requests: u64) -> Result<BatchJob, Error> {
        let asked = self.asked()?;
        let facts = self.facts()?;
        let parts = input.parts(&Batches { requests: facts.requests.min(requests.max(1)), ..*facts })?;
        let last = parts.last().map(|part| (part.lines.end, part.bytes.end)).unwrap_or_default();
        Ok(BatchJob {
            provider: String::from(self.profile().id()),
            model: self.options.model.clone().unwrap_or_default(),
            response_model: String::from(self.contract.name()),
            schema: self.fingerprint(),
            mode: said(&asked),
            path: String::from(self.profile().wire().path()),
            requests: last.0,
            bytes: last.1,
            parts,
        })
    }

    /// Reads the results of a batch while they are downloaded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a batch that is not over, or that asks for something else than
    /// this does: of another provider, response model or mode.
    pub fn fetch(&self, job: &BatchJob) -> Result<BatchResults<'_, T, C>, Error> {
        job.over()?;
        self.is_of(job)?;
        BatchResults::remote(self, job)
    }

    /// Reads results that were downloaded before ([`Batches::download`](super::Batches::download)), line by line.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where the provider has no batches.
    pub fn read<'e>(&'e self, results: impl BufRead + Send + 'e) -> Result<BatchResults<'e, T, C>, Error> {
        BatchResults::local(self, results)
    }

    pub(super) fn profile(&self) -> &Profile {
        &self.client.core().endpoint.profile
    }

    pub(super) fn facts(&self) -> Result<&'static Batches, Error> {
        super::facts(self.profile())
    }

    pub(super) fn protocol(&self) -> Result<&'static dyn Protocol, Error> {
        Ok(protocol::of(self.facts()?.form))
    }

    fn request<'a>(&'a self, input: Messages<'a>) -> Result<Request<'a, C>, Error> {
        if let Some(error) = &self.error {
            return Err(error.shared());
        }
        let place = (&self.client, self.client.core());
        let messages = input.after(&self.prompt);
        Ok(Request::batched(place, messages, &self.options, self.context.clone(), self.typed))
    }

    /// How it asks.
    fn asked(&self) -> Result<Preview, Error> {
        if self.options.mode == Mode::ThinkThenShape {
            let why = "each request of a batch is one call, and mode think_then_shape makes two: use another mode";
            return Err(Error::unsupported(why));
        }
        self.request(Messages::from(""))?.preview_value(&self.contract)
    }

    /// The body of the request for an input.
    pub(super) fn body(&self, input: Messages<'_>) -> Result<Bytes, Error> {
        if self.options.mode == Mode::ThinkThenShape {
            self.asked()?;
        }
        Ok(Bytes::copy_from_slice(self.request(input)?.preview_value(&self.contract)?.body()))
    }

    /// The body of the request that follows an answer to it.
    pub(super) async fn following(&self, input: Messages<'_>, at_hand: AtHand) -> Result<Bytes, Error> {
        self.request(input)?.following(&self.contract, self.rules, at_hand).await
    }

    /// A line of the input.
    pub(super) fn line(&self, id: &str, body: &[u8]) -> Result<String, Error> {
        let id = serde_json::to_string(id).unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        // In JSON they are white space wherever they are.
        let body = if body.contains(['\n', '\r']) { Cow::Owned(body.replace(['\n', '\r'], " ")) } else { body };
        Ok(self.protocol()?.line(&id, self.profile().wire().path(), &body))
    }

    /// What an answer is worth.
    pub(super) async fn weighed(&self, answer: Answer) -> Result<(T, Completion), Error> {
        let at_hand = AtHand { answer, percent: self.facts()?.percent, only: true };
        self.request(Messages::from(Vec::new()))?.weighed(&self.contract, self.rules, at_hand).await
    }

    async fn live(&self, input: Messages<'_>, failed: Option<&Failed>) -> Result<(T, Completion), Error> {
        let request = self.request(input)?;
        let request = match failed.and_then(Failed::answer) {
            Some(answer) => request.at_hand(AtHand { answer, percent: self.facts()?.percent, only: false }),
            None => request,
        };
        request.value(&self.contract, (self.ruled)(), self.rules).await
    }

    /// What tells the schema from others, in every process.
    fn fingerprint(&self) -> String {
        let hash = hmac_sha256::Hash::hash(self.contract.schema().to_string().as_bytes());
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn is_of(&self, job: &BatchJob) -> Result<(), Error> {
        let (id, mode) = (self.profile().id(), said(&self.asked()?));
        let other = |what: &str, theirs: &str, ours: &str| {
            Err(Error::config(format!("the batch was made with another {what}: {theirs}, and this asks with {ours}")))
        };
        if job.provider != id {
            return other("provider", &job.provider, id);
        }
        if job.schema != self.fingerprint() {
            return other("response model", &job.response_model, self.contract.name());
        }
        if job.mode != mode {
            return other("mode", &job.mode, &mode);
        }
        Ok(())
    }
}

/// A mode as a job has it.
fn said(asked: &Preview) -> String {
    format!("{}{}", asked.mode(), if asked.is_strict() { ", strict" } else { "" })
}

impl<T: DeserializeOwned + Send> Extraction<T> {
    /// Asks for the value of one input, live.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub async fn create<'a>(&self, input: impl Into<Messages<'a>>) -> Result<T, Error> {
        self.create_with_completion(input).await.map(|(value, _)| value)
    }

    /// [`create`](Self::create), and the response that the value came from, with usage and attempts.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub async fn create_with_completion<'a>(&self, input: impl Into<Messages<'a>>) -> Result<(T, Completion), Error> {
        self.live(input.into(), None).await
    }

    /// Asks live for what has failed in a batch, with the input that it had. It goes on from the failed answer, which counts
    /// as the first attempt: the model is told what is wrong with it, or asked for the wrong parts alone, as after any
    /// answer that is not valid.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub async fn resume<'a>(&self, failed: &Failed, input: impl Into<Messages<'a>>) -> Result<(T, Completion), Error> {
        self.live(input.into(), Some(failed)).await
    }
}

#[cfg(any(feature = "blocking", feature = "testing"))]
impl<T: DeserializeOwned + Send> Extraction<T, crate::blocking::Client> {
    /// Asks for the value of one input, live.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn create<'a>(&self, input: impl Into<Messages<'a>>) -> Result<T, Error> {
        self.create_with_completion(input).map(|(value, _)| value)
    }

    /// [`create`](Self::create), and the response that the value came from, with usage and attempts.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn create_with_completion<'a>(&self, input: impl Into<Messages<'a>>) -> Result<(T, Completion), Error> {
        block_on(self.live(input.into(), None))
    }

    /// Asks live for what has failed in a batch, with the input that it had. It goes on from the failed answer, which counts
    /// as the first attempt: the model is told what is wrong with it, or asked for the wrong parts alone, as after any
    /// answer that is not valid.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn resume<'a>(&self, failed: &Failed, input: impl Into<Messages<'a>>) -> Result<(T, Completion), Error> {
        block_on(self.live(input.into(), Some(failed)))
    }
}

impl<T, C> fmt::Debug for Extraction<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction")
            .field("model", &self.options.model)
            .field("response_model", &self.contract.name())
            .field("mode", &self.options.mode)
            .finish_non_exhaustive()
    }
}
