//! How a request asks: what a client says once for all of its requests, and each request may say in another way.

use std::time::Duration;

use crate::cache::Caches;
use crate::cost::Account;
use crate::hooks::Hooked;
use crate::limiter::Limiter;
use crate::media::FetchMedia;
use crate::mode::Mode;
use crate::provider::Reasoning;
use crate::repair::ParseOptions;
use crate::run::{Budget, ReAsk, Retry, Truncated};
use crate::stream::{BadItems, Watchdog};
use crate::wire::Settings;

/// A client's defaults, or what one request makes of them. A new setting is a field here and a setter below.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) model: Option<String>,
    pub(crate) shape_model: Option<String>,
    pub(crate) mode: Mode,
    pub(crate) reading: ParseOptions,
    pub(crate) reasoning: Option<Reasoning>,
    pub(crate) settings: Settings,
    pub(crate) retry: Retry,
    pub(crate) reask: ReAsk,
    pub(crate) single_flight: bool,
    pub(crate) caches: Caches,
    pub(crate) truncated: Truncated,
    pub(crate) budget: Budget,
    pub(crate) limiter: Option<Limiter>,
    pub(crate) account: Account,
    pub(crate) timeout: Option<Duration>,
    pub(crate) check_timeout: Duration,
    pub(crate) fetch: Option<FetchMedia>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) watchdog: Option<Watchdog>,
    pub(crate) hooks: Hooked,
    #[cfg(feature = "tracing")]
    pub(crate) trace_content: bool,
    pub(crate) bad_items: BadItems,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            shape_model: None,
            mode: Mode::Auto,
            reading: ParseOptions::new(),
            reasoning: None,
            settings: Settings::default(),
            retry: Retry::new(),
            reask: ReAsk::Auto,
            single_flight: false,
            caches: Caches::default(),
            truncated: Truncated::Fail,
            budget: Budget::new(),
            limiter: None,
            account: Account::default(),
            timeout: Some(Duration::from_secs(600)),
            check_timeout: Duration::from_secs(60),
            fetch: None,
            idle_timeout: Some(Duration::from_secs(300)),
            watchdog: None,
            hooks: Hooked::default(),
            #[cfg(feature = "tracing")]
            trace_content: false,
            bad_items: BadItems::Show,
        }
    }
}

impl Options {
    /// What a request keeps of its own where it goes to another client: what is said of the answer, of all that is done for
    /// it, and of who looks on. What goes to the provider is that client's.
    pub(crate) fn elsewhere(&self, client: &Self) -> Self {
        Self {
            reading: self.reading,
            reask: self.reask,
            truncated: self.truncated,
            budget: self.budget,
            check_timeout: self.check_timeout,
            fetch: self.fetch,
            idle_timeout: self.idle_timeout,
            watchdog: self.watchdog,
            bad_items: self.bad_items,
            account: self.account.clone(),
            hooks: self.hooks.clone(),
            ..client.clone()
        }
    }
}

/// The setters of [`Options`], for a builder that has them in `options()` and keeps the first error in `error`.
macro_rules! setters {
    () => {
        /// With a model; the client's is for the requests that name none.
        pub fn model(mut self, model: impl Into<String>) -> Self {
            self.options().model = Some(model.into());
            self
        }

        /// With a model, of the same provider, for the second call of [`Mode::ThinkThenShape`], which only puts a text
        /// into the schema; the request's own model by default. All other settings hold for both calls. Other modes
        /// have no such call.
        pub fn shape_model(mut self, model: impl Into<String>) -> Self {
            self.options().shape_model = Some(model.into());
            self
        }

        /// With a way to ask for the value; [`Mode::Auto`] by default. A mode that is named here is not left for
        /// another.
        pub fn mode(mut self, mode: Mode) -> Self {
            self.options().mode = mode;
            self
        }

        /// With how much may be done to an answer so that it can be read; [`Level::Syntax`] by default.
        pub fn level(mut self, level: Level) -> Self {
            let options = self.options();
            options.reading = options.reading.with_level(level);
            self
        }

        /// With a kind of repair that loses something of the answer, at [`Level::Salvage`]. Can be repeated.
        pub fn salvage(mut self, kind: RepairKind) -> Self {
            let options = self.options();
            options.reading = options.reading.with_level(Level::Salvage).salvage(kind);
            self
        }

        /// With at most this many further calls after the first for failures of the answer, and as many for failures of
        /// the service; 0 means that no failure is tried again. [`Budget::with_attempts`] limits all calls together,
        /// also those that a [`Mode`] makes because the one before was refused for its schema.
        pub fn max_retries(mut self, retries: u32) -> Self {
            let options = self.options();
            options.retry = options.retry.with_stop_after_attempt(retries.saturating_add(1));
            self
        }

        /// With another retry policy.
        pub fn retry(mut self, retry: Retry) -> Self {
            self.options().retry = retry;
            self
        }

        /// With what is asked for again after an answer that was wrong: its wrong parts alone where that pays, by default.
        pub fn reask(mut self, reask: ReAsk) -> Self {
            self.options().reask = reask;
            self
        }

        /// With identical requests that are in flight at the same time sent as one: same messages, settings, response model
        /// and policies. Each gets the value, checked by its own validators; if the one that is sent is dropped, another
        /// takes its place. [`Report::is_shared`](crate::Report::is_shared) tells. Not for streams, nor for requests with a
        /// [`fallback`](Request::fallback) of their own.
        pub fn single_flight(mut self, single: bool) -> Self {
            self.options().single_flight = single;
            self
        }

        /// With a store of answers: a request that was answered before is answered again without a call. See
        /// [`cache`](crate::cache). Requests that are the same and in flight together are sent as one, as with
        /// [`single_flight`](Self::single_flight).
        pub fn cache(mut self, store: impl Cache + 'static) -> Self {
            self.options().caches.store = Some(Arc::new(store));
            self
        }

        /// With what is done with the store: [`Caching::Refresh`] takes no stored answer, [`Caching::Bypass`] stores none
        /// either.
        pub fn caching(mut self, caching: Caching) -> Self {
            self.options().caches.caching = caching;
            self
        }

        /// With this long for which a stored answer may be taken: an answer that is stored is not taken any longer, nor does
        /// this request take an older one. For ever by default.
        pub fn cache_ttl(mut self, ttl: Duration) -> Self {
            self.options().caches.ttl = Some(ttl);
            self
        }

        /// With a name for those who share answers: a tenant, say, or a team with many keys. Without one, those share them
        /// who have the same key; see the guide on [caching](crate::docs::caching).
        pub fn cache_namespace(mut self, namespace: impl Into<Arc<str>>) -> Self {
            self.options().caches.namespace = Some(namespace.into());
            self
        }

        /// With this long at most to wait for another request, of another process too, that is making the same answer; 30
        /// seconds by default. None is waited for if it is zero.
        pub fn cache_wait(mut self, most: Duration) -> Self {
            self.options().caches.wait = most;
            self
        }

        /// With what is done with an answer that a token limit cut; [`Truncated::Fail`] by default.
        pub fn truncated(mut self, truncated: Truncated) -> Self {
            self.options().truncated = truncated;
            self
        }

        /// With hard limits for each request.
        pub fn budget(mut self, budget: Budget) -> Self {
            self.options().budget = budget;
            self
        }

        /// With what models cost, for the costs in reports and for [`Budget::with_cost`]. By default they are those that the
        /// library comes with, if it is built with the feature `prices`.
        pub fn prices(mut self, prices: Prices) -> Self {
            self.options().account.prices = Some(prices);
            self
        }

        /// With a ledger that sums what all calls use and cost.
        pub fn ledger(mut self, ledger: impl Into<Ledger>) -> Self {
            self.options().account.ledger = Some(ledger.into());
            self
        }

        /// With a label under which calls are summed in the [`ledger`](Self::ledger), such as a task's or a tenant's name.
        pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
            self.options().account.label = Some(label.into());
            self
        }

        /// With an end this long after the start of a request; covers calls and waits. See [`Budget::with_deadline`].
        pub fn deadline(mut self, deadline: Duration) -> Self {
            let options = self.options();
            options.budget = options.budget.with_deadline(deadline);
            self
        }

        /// With a limiter, to which a clone is given: all that share it wait for their turn. None by default.
        pub fn limiter(mut self, limiter: impl Into<Option<Limiter>>) -> Self {
            self.options().limiter = limiter.into();
            self
        }

        /// With this long for each attempt, from connecting to the last byte; 10 minutes by default.
        pub fn timeout(mut self, timeout: Duration) -> Self {
            self.options().timeout = Some(timeout);
            self
        }

        /// With this long for the async validator functions of an answer, which run all at once; 1 minute by default. Later
        /// ones are dropped, and the request ends with [`ErrorKind::Unchecked`](crate::ErrorKind::Unchecked).
        pub fn check_timeout(mut self, timeout: Duration) -> Self {
            self.options().check_timeout = timeout;
            self
        }

        /// With media at URLs fetched and sent as bytes, where the provider takes no URL. `None`, the default, fetches
        /// nothing.
        pub fn fetch_media(mut self, fetch: impl Into<Option<FetchMedia>>) -> Self {
            self.options().fetch = fetch.into();
            self
        }

        /// With this long between two pieces of a streamed answer; 5 minutes by default. Models that think may say nothing
        /// for long. The blocking client's own transport counts the wait for the first piece too; a
        /// [`BlockingTransport`](crate::BlockingTransport) of yours knows nothing of it, and
        /// [`timeout`](Self::timeout) is the limit there.
        pub fn idle_timeout(mut self, timeout: Duration) -> Self {
            self.options().idle_timeout = Some(timeout);
            self
        }

        /// With an end for answers that can't be right any more or run away; none by default. See [`Watchdog`].
        pub fn watchdog(mut self, watchdog: impl Into<Option<Watchdog>>) -> Self {
            self.options().watchdog = watchdog.into();
            self
        }

        /// With what is done with items of `create_iterable` and of [`Salvaged`](crate::Salvaged) lists that are not valid;
        /// [`BadItems::Show`] by default.
        pub fn bad_items(mut self, bad: BadItems) -> Self {
            self.options().bad_items = bad;
            self
        }

        /// With someone who looks on, beside those who do already: a closure such as
        /// [`hooks::on_error`](crate::hooks::on_error) makes, or a type of your own. See [`hooks`](crate::hooks).
        pub fn hooks(mut self, hooks: impl Hooks + 'static) -> Self {
            self.options().hooks.push(hooks);
            self
        }

        /// Whether spans show what is said to the model and by it (`gen_ai.input.messages`, `gen_ai.output.messages`); they
        /// do not by default. See the guide on [observability](crate::docs::observability).
        #[cfg(feature = "tracing")]
        pub fn trace_content(mut self, shown: bool) -> Self {
            self.options().trace_content = shown;
            self
        }

        /// With a sampling temperature.
        pub fn temperature(mut self, temperature: f64) -> Self {
            self.options().settings.temperature = Some(temperature);
            self
        }

        /// With a limit of output tokens.
        pub fn max_tokens(mut self, tokens: u64) -> Self {
            self.options().settings.max_tokens = Some(tokens);
            self
        }

        /// With how much the model is to think; see [`Reasoning`]. With [`Mode::ThinkThenShape`] it is said to the first
        /// call only: the second has nothing to think about.
        pub fn reasoning(mut self, reasoning: Reasoning) -> Self {
            self.options().reasoning = Some(reasoning);
            self
        }

        /// With a mark after the schema, for as long as the provider is to keep it: after the tools, or where there are
        /// none after the system text. See [`PromptCache`].
        pub fn cache_schema(mut self, time: PromptCache) -> Self {
            self.options().settings.cache_schema = Some(time);
            self
        }

        /// With a key that requests with the same beginning share, so that they reach the same cache: OpenAI's
        /// `prompt_cache_key`. It has no effect where there is no such field.
        pub fn cache_key(mut self, key: impl Into<String>) -> Self {
            self.options().settings.cache_key = Some(key.into());
            self
        }

        /// With any other top-level field of the provider's request body. It wins over a field that the library writes.
        /// With OpenAI's responses `tools`, and the fields of `text`, go beside the library's own.
        pub fn extra(mut self, field: impl Into<String>, value: impl Serialize) -> Self {
            let field = field.into();
            match serde_json::to_value(value) {
                Ok(value) => _ = self.options().settings.extra.insert(field, value),
                Err(e) => {
                    let error = Error::config(format!("the extra field {field:?} can't be written as JSON"));
                    self.error.get_or_insert(error.with_source(Some(e.into())));
                }
            }
            self
        }
    };
}
pub(crate) use setters;
