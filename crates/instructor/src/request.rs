//! One request being built, and the ways to send it.

mod ask;
#[cfg(feature = "batch")]
mod batched;
mod example;
mod streams;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use instructor_json::Document;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cache::{Cache, Caching};
use crate::client::{Client, Core};
use crate::cost::{Ledger, Prices};
use crate::error::{Error, ErrorKind};
use crate::fallback::Target;
#[cfg(any(feature = "blocking", feature = "testing"))]
use crate::future::block_on;
use crate::hooks::{self, Hooks};
use crate::limiter::Limiter;
use crate::media::FetchMedia;
use crate::message::{Messages, PromptCache};
use crate::mode::{Mode, Plan};
use crate::model::{Contract, ResponseModel};
use crate::options::{Options, setters};
use crate::provider::Reasoning;
use crate::repair::{Level, RepairKind};
use crate::run::{AtHand, Budget, Completion, Job, Judges, Memory, ReAsk, Retry, Shaping, Shelf, Truncated};
use crate::stream::{BadItems, Watch, Watchdog};
use crate::transport::{Show, Watching};
use crate::validate::{Checking, Context, Issue, Issues, Origin, Path, Ruled, Rules};
use crate::wire::Forms;

/// One request: what is asked, and how. Built by [`Client::request`]; sent by one of its terminals (`create`,
/// `create_with_completion`, `create_value`), or only shown by [`preview`](Self::preview).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// #[instructor::model]
/// struct User {
///     name: String,
///     age: u8,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "name": "Jason", "age": 25 })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let user: User = client.request("Jason is 25 years old").max_retries(2).temperature(0.0).create().await?;
/// assert_eq!((user.name.as_str(), user.age), ("Jason", 25));
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a request does nothing until one of its terminals sends it"]
pub struct Request<'a, C = Client> {
    client: &'a C,
    core: &'a Core,
    messages: Messages<'a>,
    /// The client's, until one is changed.
    options: Cow<'a, Options>,
    context: Context,
    /// Where it goes when it fails, after those that the client has.
    fallbacks: Vec<Target<C>>,
    /// A type is made of the answer, which knows of items that were given up.
    typed: bool,
    /// What the client has learnt of the mode is left aside.
    fresh: bool,
    /// An answer that is there before anything is sent.
    at_hand: Option<AtHand>,
    error: Option<Error>,
}

impl<'a, C> Request<'a, C> {
    pub(crate) fn new(client: &'a C, core: &'a Core, messages: Messages<'a>) -> Self {
        let options = Cow::Borrowed(&core.options);
        Self {
            client,
            core,
            messages,
            options,
            context: Context::new(),
            fallbacks: Vec::new(),
            typed: true,
            fresh: false,
            at_hand: None,
            error: None,
        }
    }

    setters!();

    fn options(&mut self) -> &mut Options {
        self.options.to_mut()
    }

    /// With another target after those that the client has: where the request goes when it fails. See [`Target`].
    pub fn fallback(mut self, target: impl Into<Target<C>>) -> Self {
        self.fallbacks.push(target.into());
        self
    }

    /// With values for validator functions.
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// The exact request for a type, without sending it: the first, where the [`Mode`] makes two.
    ///
    /// # Errors
    ///
    /// As [`create`](Request::create), before anything is sent.
    pub fn preview<T: ResponseModel>(self) -> Result<Preview, Error> {
        self.preview_value(&T::contract())
    }

    /// The exact request for a run-time contract, without sending it.
    ///
    /// # Errors
    ///
    /// As [`create_value`](Request::create_value), before anything is sent.
    pub fn preview_value(mut self, contract: &Contract) -> Result<Preview, Error> {
        self.take_error()?;
        let job = self.job(self.core, &self.options, contract, false)?;
        if let Some(at) = job.wanted.first() {
            let what = format!("{at} is at a URL and is fetched when the request is sent");
            return Err(Error::unsupported(format!("{what}; a preview fetches nothing: give the bytes to see them")));
        }
        let request = job.encode(&job.plan, job.messages, &[], false, None)?;
        Ok(Preview { request, mode: job.plan.mode, strict: job.plan.strict() })
    }

    /// What stays the same over all attempts.
    fn job<'j>(
        &'j self,
        core: &'j Core,
        options: &'j Options,
        contract: &'j Contract,
        streamed: bool,
    ) -> Result<Job<'j>, Error> {
        self.job_by(core, options, contract, streamed, &core.memory)
    }

    /// The same, of a client that has learnt this.
    fn job_by<'j>(
        &'j self,
        core: &'j Core,
        options: &'j Options,
        contract: &'j Contract,
        streamed: bool,
        memory: &'j Memory,
    ) -> Result<Job<'j>, Error> {
        let endpoint = &core.endpoint;
        let model = options.model.as_deref().unwrap_or_default();
        if model.is_empty() {
            return Err(Error::config(format!(
                "no model is named: use {}/MODEL, or set one on the client or the request",
                endpoint.profile.id(),
            )));
        }
        contract.checkable()?;
        let forms = Forms::of(&endpoint.profile, model);
        let wanted = forms.check(endpoint.profile.id(), self.messages.as_slice(), options.fetch.is_some())?;
        let plan = |mode, model, family| {
            let known = if self.fresh { None } else { memory.recall(model, contract) };
            Plan::new(mode, contract, &endpoint.profile, family, known)
        };
        let thinking = |model, reasoning| endpoint.profile.thinking(model, reasoning, &options.settings);
        let first = thinking(model, options.reasoning)?;
        let settings = first.settings;
        let first = plan(options.mode, model, first.family)?;
        let shaping = match options.shape_model.as_deref().unwrap_or(model) {
            model if first.drafts() => {
                let plan = plan(Mode::Auto, model, thinking(model, None)?.family)?;
                Some(Shaping { plan, model, settings: &options.settings })
            }
            _ => None,
        };
        if let Some(most) = options.budget.cost {
            let asked = [Some(model), shaping.map(|shaping| shaping.model)];
            for model in asked.into_iter().flatten() {
                options.account.can_keep(most, &endpoint.profile, model)?;
            }
        }
        Ok(Job {
            endpoint,
            contract,
            plan: first,
            shaping,
            memory,
            model,
            messages: self.messages.as_slice(),
            wanted,
            fetch: options.fetch,
            settings,
            retry: options.retry,
            reask: options.reask,
            truncated: options.truncated,
            bad_items: options.bad_items,
            typed: self.typed,
            patches: Shelf::default(),
            budget: options.budget,
            limiter: options.limiter.as_ref(),
            account: &options.account,
            reading: options.reading,
            timeout: options.timeout,
            check_timeout: options.check_timeout,
            streamed,
            onward: None,
            cached: None,
            own: true,
            alone: AtomicBool::new(false),
            hooks: &options.hooks,
            #[cfg(feature = "tracing")]
            trace_content: options.trace_content,
        })
    }

    /// What stops answers, and passes on to what shows them. Parts are checked where there is a contract for them.
    fn watch<'s>(
        &self,
        contract: Option<&'s Contract>,
        ruled: Option<Ruled>,
        show: Option<&'s mut dyn Show>,
    ) -> Watch<'s> {
        let rules = (ruled, self.context.clone());
        Watch::new(contract, rules, self.options.watchdog, self.options.reading, show)
    }

    /// The functions of a type, if they are to run while its answer arrives; the context notes then which have passed.
    fn ruled<T: ResponseModel>(&mut self) -> Option<Ruled> {
        let watched = self.options.watchdog.is_some_and(|limits| limits.invalid);
        let ruled = Ruled::root::<T>().filter(|_| watched)?;
        self.context = std::mem::take(&mut self.context).visiting();
        Some(ruled)
    }

    fn watching<'s>(&self, show: &'s mut dyn Show) -> Watching<'s> {
        let time = self.options.watchdog.and_then(|limits| limits.time);
        Watching { show, idle: self.options.idle_timeout, time }
    }

    fn take_error(&mut self) -> Result<(), Error> {
        self.error.take().map_or(Ok(()), Err)
    }
}

impl Request<'_, Client> {
    /// Sends it, and again until the answer is a valid `T` or a limit ends it.
    ///
    /// # Errors
    ///
    /// One of [`ErrorKind`]; the error holds all attempts, the last issues and the last body.
    pub async fn create<T: ResponseModel>(self) -> Result<T, Error> {
        self.create_with_completion().await.map(|(value, _)| value)
    }

    /// [`create`](Self::create), and the response that the value came from, with usage and attempts.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn create_with_completion<T: ResponseModel>(mut self) -> Result<(T, Completion), Error> {
        let ruled = self.ruled::<T>();
        self.value(&T::contract(), ruled, Rules::OF).await
    }

    /// [`create`](Self::create) for a run-time contract.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn create_value(mut self, contract: &Contract) -> Result<(Value, Completion), Error> {
        self.typed = false;
        self.value(contract, None, Rules::NONE).await
    }

    /// [`create_value`](Self::create_value) as JSON text, in which numbers keep every digit.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn create_json(mut self, contract: &Contract) -> Result<(String, Completion), Error> {
        self.typed = false;
        let (json, completion) = self.value::<Box<RawValue>>(contract, None, Rules::NONE).await?;
        Ok((String::from(json.get()), completion))
    }
}

#[cfg(any(feature = "blocking", feature = "testing"))]
impl Request<'_, crate::blocking::Client> {
    /// Sends it, and again until the answer is a valid `T` or a limit ends it.
    ///
    /// # Errors
    ///
    /// One of [`ErrorKind`]; the error holds all attempts, the last issues and the last body.
    pub fn create<T: ResponseModel>(self) -> Result<T, Error> {
        self.create_with_completion().map(|(value, _)| value)
    }

    /// [`create`](Self::create), and the response that the value came from, with usage and attempts.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with_completion<T: ResponseModel>(mut self) -> Result<(T, Completion), Error> {
        let ruled = self.ruled::<T>();
        block_on(self.value(&T::contract(), ruled, Rules::OF))
    }

    /// [`create`](Self::create) for a run-time contract.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_value(mut self, contract: &Contract) -> Result<(Value, Completion), Error> {
        self.typed = false;
        block_on(self.value(contract, None, Rules::NONE))
    }

    /// [`create_value`](Self::create_value) as JSON text, in which numbers keep every digit.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_json(mut self, contract: &Contract) -> Result<(String, Completion), Error> {
        self.typed = false;
        let (json, completion) = block_on(self.value::<Box<RawValue>>(contract, None, Rules::NONE))?;
        Ok((String::from(json.get()), completion))
    }
}

impl<C> fmt::Debug for Request<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("provider", &self.core.endpoint.profile.id())
            .field("model", &self.options.model)
            .field("mode", &self.options.mode)
            .field("messages", &self.messages.as_slice().len())
            .finish_non_exhaustive()
    }
}

/// Where the typed value is kept while the engine, which knows no types, runs.
pub(crate) struct Slot<T> {
    value: Option<T>,
    /// The JSON that it was made of, where that is wanted too.
    json: Option<String>,
    context: Context,
    rules: Rules<T>,
}

impl<T: DeserializeOwned> Slot<T> {
    pub(crate) const fn new(context: Context, rules: Rules<T>) -> Self {
        Self { value: None, json: None, context, rules }
    }

    /// Makes the value from its JSON text and runs its validators.
    pub(crate) fn take(&mut self, json: &str) -> Issues {
        if let Some(kept) = &mut self.json {
            kept.clear();
            kept.push_str(json);
        }
        let value = match serde_json::from_str::<T>(json) {
            Ok(value) => value,
            Err(error) => return type_issue(json, &error).into(),
        };
        if let Some(visit) = self.context.visit()
            && let Ok(document) = Document::parse(json)
        {
            visit.begin(Path::root(), document.root());
        }
        let mut issues = Issues::new();
        (self.rules.validate)(&value, &self.context, &mut issues);
        self.value = Some(value);
        issues
    }

    fn with(self, completion: Completion) -> Result<(T, Completion), Error> {
        match self.value {
            Some(value) => Ok((value, completion)),
            None => Err(Error::new(ErrorKind::Malformed, "the answer gave no value").with_report(completion.report)),
        }
    }
}

impl<T: DeserializeOwned + Send> Judges for Slot<T> {
    fn take(&mut self, json: &str) -> Issues {
        self.take(json)
    }

    fn forget(&mut self) {
        self.value = None;
    }

    fn has_checks(&self) -> bool {
        self.value.as_ref().is_some_and(|value| self.rules.has_checks(value, &self.context))
    }

    fn check(&self) -> Option<Checking<'_>> {
        Some(self.rules.check(self.value.as_ref()?, &self.context))
    }
}

/// What deserialization says, at the path of the value that it was reading.
fn type_issue(json: &str, error: &serde_json::Error) -> Issue {
    let lines = json.split_inclusive('\n');
    let line_start = lines.take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let document = Document::parse(json).ok();
    let at = (line_start + error.column()).saturating_sub(1);
    let found = document.as_ref().map(|document| document.root().locate(at));
    let (path, source) = found.map_or((Path::root(), json), |(steps, node)| (Path::of_steps(steps), node.source()));
    let text = error.to_string();
    let said = text.split(" at line ").next().unwrap_or(&text);
    let got: String = source.chars().take(80).collect();
    match said.rsplit_once(", expected ") {
        Some((_, wanted)) => Issue::found_by(Origin::Type, path, wanted).got(got),
        None => Issue::found_by(Origin::Type, path, format!("a value that can be read ({said})")),
    }
}

/// A request as it would go out, byte for byte. `Display` shows it with the key masked.
#[derive(Debug)]
pub struct Preview {
    request: http::Request<Bytes>,
    mode: Mode,
    strict: bool,
}

impl Preview {
    /// How the value is asked for: what [`Mode::Auto`] has chosen, or the mode that was named.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether the provider is asked to enforce the schema.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        self.strict
    }

    /// Where it would go.
    #[must_use]
    pub fn url(&self) -> String {
        self.request.uri().to_string()
    }

    /// Its headers. The key is among them, marked as sensitive.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.request.body()
    }

    #[cfg(feature = "testing")]
    pub(crate) const fn request(&self) -> &http::Request<Bytes> {
        &self.request
    }

    /// Its body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.request.body()).unwrap_or_default()
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hooks::show(f, &self.request)
    }
}
