//! One request: everything that stays the same over its attempts, and the HTTP request of each.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};

use super::{Budget, Cached, Memory, Onward, ReAsk, Retry, Shelf, Truncated};
use crate::cost::Account;
use crate::credential::{Keyring, Secret};
use crate::error::Error;
use crate::hooks::Hooked;
use crate::limiter::Limiter;
use crate::media::{At, FetchMedia};
use crate::message::Message;
use crate::mode::Plan;
use crate::model::Contract;
use crate::provider::{Address, Profile, Quirks, Signer};
use crate::repair::ParseOptions;
use crate::stream::BadItems;
use crate::wire::{Call, Forms, Output, Settings};

/// Where requests go and what they carry besides their body.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) profile: Profile,
    pub(crate) address: Address,
    /// Where requests go whose answers are streamed.
    pub(crate) streamed: Address,
    pub(crate) headers: HeaderMap,
    /// The key that is among the headers, to keep it out of what a provider says.
    pub(crate) key: Option<Secret>,
    /// Where each request gets its credential from, where there is no key.
    pub(crate) keyring: Option<Arc<Keyring>>,
    /// Signs each request at the time when it is sent, if its credential is one that signs.
    pub(crate) signer: Option<Signer>,
}

/// One request: everything that stays the same over its attempts.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) contract: &'a Contract,
    /// How it is asked for at first.
    pub(crate) plan: Plan<'a>,
    /// Who makes the value of the text that the plan asks for, if it asks for one.
    pub(crate) shaping: Option<Shaping<'a>>,
    /// What the client has learnt of such plans.
    pub(crate) memory: &'a Memory,
    pub(crate) model: &'a str,
    pub(crate) messages: &'a [Message],
    /// The media in them that have to be fetched first.
    pub(crate) wanted: Vec<At>,
    pub(crate) fetch: Option<FetchMedia>,
    pub(crate) settings: Cow<'a, Settings>,
    pub(crate) retry: Retry,
    pub(crate) reask: ReAsk,
    pub(crate) truncated: Truncated,
    /// What is done with items that may fail by themselves.
    pub(crate) bad_items: BadItems,
    /// A type is made of the answer, which knows of items that were given up.
    pub(crate) typed: bool,
    /// The contracts of the parts that are asked for by themselves.
    pub(crate) patches: Shelf,
    pub(crate) budget: Budget,
    /// Where its calls wait for their turn.
    pub(crate) limiter: Option<&'a Limiter>,
    pub(crate) account: &'a Account,
    /// How much may be done to an answer so that it can be read.
    pub(crate) reading: ParseOptions,
    /// The time that one attempt has.
    pub(crate) timeout: Option<Duration>,
    /// The time that async validator functions have.
    pub(crate) check_timeout: Duration,
    /// Whether answers are to come as streams.
    pub(crate) streamed: bool,
    /// When the request goes on to another target, if there is one.
    pub(crate) onward: Option<Onward>,
    /// Where its answer is kept, or why nowhere; none without a cache.
    pub(crate) cached: Option<&'a Cached>,
    /// It is the first that is asked, whose answers are kept.
    pub(crate) own: bool,
    /// Another target is asked beside this one.
    pub(crate) alone: AtomicBool,
    /// Who looks on.
    pub(crate) hooks: &'a Hooked,
    /// Whether spans show what is said.
    #[cfg(feature = "tracing")]
    pub(crate) trace_content: bool,
}

/// The call that makes the value of a draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shaping<'a> {
    pub(crate) plan: Plan<'a>,
    pub(crate) model: &'a str,
    pub(crate) settings: &'a Settings,
}

impl Job<'_> {
    /// The request of an attempt: what is said, with the turns of a re-ask after it; the second call, where there are two.
    /// `settings` are in the place of its own.
    pub(crate) fn encode(
        &self,
        plan: &Plan<'_>,
        messages: &[Message],
        turns: &[Message],
        shaping: bool,
        settings: Option<&Settings>,
    ) -> Result<http::Request<Bytes>, Error> {
        let tools = plan.tools();
        let said = plan.lower(&tools);
        let profile = &self.endpoint.profile;
        let model = self.model_of(shaping);
        let streamed = self.streams(&said.output);
        let call = Call {
            model,
            messages,
            instructions: said.instructions,
            nudge: said.nudge,
            turns,
            output: said.output,
            settings: settings.unwrap_or(self.settings_of(shaping)),
            streamed,
        };
        let body = Bytes::from(profile.wire().encode(&call, profile)?);
        // Said here, so that no transport falls back on chunks, which some servers refuse.
        let length = HeaderValue::from(body.len());
        let mut request = http::Request::new(body);
        *request.method_mut() = Method::POST;
        let address = if streamed { &self.endpoint.streamed } else { &self.endpoint.address };
        *request.uri_mut() = address.of(model)?;
        *request.headers_mut() = self.endpoint.headers.clone();
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
        for (name, value) in Forms::of(profile, model).headers(messages) {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Ok(request)
    }
}

impl<'a> Job<'a> {
    /// Whether an answer of this form comes as a stream.
    pub(super) fn streams(&self, output: &Output<'_>) -> bool {
        let json = matches!(output, Output::Schema(_) | Output::Object);
        self.streamed && !(json && self.endpoint.profile.quirks().contains(Quirks::NO_STREAMED_JSON))
    }

    pub(super) fn settings_of(&self, shaping: bool) -> &Settings {
        self.shaping.filter(|_| shaping).map_or(&*self.settings, |shaping| shaping.settings)
    }

    pub(super) fn model_of(&self, shaping: bool) -> &'a str {
        self.shaping.filter(|_| shaping).map_or(self.model, |shaping| shaping.model)
    }
}
