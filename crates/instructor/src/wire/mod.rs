//! One file a protocol: neutral call in, HTTP body out; HTTP body in, neutral response out. No I/O.
//!
//! A wire knows nothing of modes: [`Output`] is all that it sees of one. If a wire needs to know more, `Output` lacks
//! a fact.

mod alike;
pub(crate) mod anthropic;
mod audit;
pub(crate) mod bedrock;
pub(crate) mod binary;
mod body;
mod cache;
pub(crate) mod cohere;
mod declined;
mod failure;
mod frame;
pub(crate) mod gemini;
mod hear;
mod limits;
pub(crate) mod media;
pub(crate) mod ollama;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;
#[cfg(test)]
mod recorded;
mod response;

use std::fmt;

use serde_json::value::RawValue;

use crate::error::Error;
use crate::message::{Message, PromptCache, ToolCall};
use crate::provider::Profile;

#[cfg(feature = "testing")]
pub(crate) use self::binary::messages;
pub(crate) use self::declined::Declined;
pub(crate) use self::failure::{Failure, read_failure};
use self::frame::Frame;
pub(crate) use self::hear::{Hearing, read_response};
use self::limits::Headers;
pub use self::limits::{RateLimit, RateLimits};
pub(crate) use self::media::Forms;
use self::media::Taken;
pub use self::response::{Finish, Response, Usage};

/// One HTTP JSON protocol.
pub(crate) trait Wire: fmt::Debug + Send + Sync {
    /// The protocol's name, as in `instructor providers` and in telemetry.
    fn name(&self) -> &'static str;

    /// What a call of it is, in OpenTelemetry's words.
    #[cfg(feature = "tracing")]
    fn operation(&self) -> &'static str {
        "chat"
    }

    /// The path after the profile's base URL; `{model}` stands for the model's name.
    fn path(&self) -> &'static str;

    /// The path for an answer that is streamed, where that is another.
    fn streamed_path(&self) -> &'static str {
        self.path()
    }

    /// The path of its moderation, where it has one.
    fn moderations(&self) -> Option<&'static str> {
        None
    }

    /// What a line of a fine-tuning file is, where models that speak it are tuned with such.
    fn tuning(&self) -> Option<&'static Tuning> {
        None
    }

    /// Headers that the protocol wants on every request, besides the key.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The rate-limit headers that it alone has.
    fn limits(&self) -> &'static Headers {
        &Headers::NONE
    }

    /// Whether the events of a stream are lines of JSON.
    fn streams_lines(&self) -> bool {
        false
    }

    /// Whether models that refuse tools while they reason elsewhere take them here.
    fn has_tools_beside_reasoning(&self) -> bool {
        false
    }

    /// What it takes of media.
    fn media(&self) -> &'static [Taken] {
        &[]
    }

    /// The body of a request.
    fn encode(&self, call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error>;

    /// Reads the body of an answer with a success status.
    fn decode(&self, body: &str, profile: &Profile) -> Result<Response, Undecoded>;

    /// A decoder for an answer that comes as an event stream.
    fn stream(&self, profile: &Profile) -> Box<dyn Decoder>;
}

/// A line of a fine-tuning file: what of a request's body, with the wanted answer as its last turn, is in it.
#[derive(Debug)]
pub(crate) struct Tuning {
    /// The keys that are kept.
    pub(crate) keys: &'static [&'static str],
    /// What stands before them.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
    /// Whether tools and their calls have a place.
    pub(crate) tools: bool,
    /// Whether contents are texts where a request has lists of parts.
    pub(crate) flat: bool,
}

/// What a body with a success status can be besides a response.
#[derive(Debug)]
pub(crate) enum Undecoded {
    /// An error object of the provider's.
    Failure(Failure),
    /// Not the protocol; why.
    Unreadable(String),
    /// A stream that ended before the answer did.
    Cut,
}

/// What is said of such a stream.
pub(crate) const CUT: &str = "the stream ended before the answer did";

/// A text or call of an answer that is being streamed, as far as it has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told<'a> {
    Text(&'a str),
    /// `over`: nothing more of it comes.
    Call {
        id: &'a str,
        name: &'a str,
        arguments: &'a str,
        over: bool,
    },
}

impl<'a> Told<'a> {
    pub(crate) fn call(call: &'a ToolCall, over: bool) -> Self {
        Self::Call { id: &call.id, name: &call.name, arguments: &call.arguments, over }
    }

    /// What was said.
    pub(crate) const fn text(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Call { arguments: text, .. } => text,
        }
    }
}

/// Takes the events of one streamed answer, in order.
pub(crate) trait Decoder: Send {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded>;

    /// The text or call at a place, in the order of the answer. They only grow, and none moves or goes away.
    fn told(&self, index: usize) -> Option<Told<'_>>;

    /// What has been counted so far.
    fn usage(&self) -> Usage;

    /// The whole answer, once the body has ended.
    fn finish(self: Box<Self>) -> Result<Response, Undecoded>;
}

/// One call of a provider, in neutral words. Everything is borrowed: an attempt copies no message.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) model: &'a str,
    /// The caller's messages.
    pub(crate) messages: &'a [Message],
    /// Added to the system text.
    pub(crate) instructions: Option<&'a str>,
    /// Added to the last of the caller's messages.
    pub(crate) nudge: Option<&'a str>,
    /// The turns of a re-ask, after the caller's messages.
    pub(crate) turns: &'a [Message],
    pub(crate) output: Output<'a>,
    pub(crate) settings: &'a Settings,
    /// The answer is to come as a stream.
    pub(crate) streamed: bool,
}

/// What the answer has to be: all that a wire sees of a mode.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Output<'a> {
    /// Free text.
    Text,
    /// Any JSON object, where the protocol can ask for one.
    Object,
    /// JSON of this schema.
    Schema(Shape<'a>),
    /// A call of this tool.
    Tool { shape: Shape<'a>, choice: Choice },
    /// Calls of these tools, as many as the model makes; none of them is named by the choice.
    Tools { tools: &'a [Shape<'a>], choice: Choice },
}

/// A schema with the name and description that go with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) schema: &'a RawValue,
    pub(crate) strict: bool,
}

/// Whether the model must call the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    /// Some tool.
    Any,
    /// This tool.
    Named,
}

/// The sampling settings of a request and whatever else the provider takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) temperature: Option<f64>,
    pub(crate) max_tokens: Option<u64>,
    /// A mark after the schema.
    pub(crate) cache_schema: Option<PromptCache>,
    pub(crate) cache_key: Option<String>,
    /// Top-level fields of the body; they win over those that the wire writes.
    pub(crate) extra: serde_json::Map<String, serde_json::Value>,
}
