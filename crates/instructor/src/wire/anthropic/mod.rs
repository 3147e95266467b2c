//! Anthropic's messages.

mod decode;
mod encode;
mod media;
mod stream;

use super::limits::{Headers, Names};
use super::media::Taken;
use super::{Call, Decoder, Response, Tuning, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}{path}`.
#[derive(Debug)]
pub(crate) struct Anthropic {
    path: &'static str,
    streamed: &'static str,
    headers: &'static [(&'static str, &'static str)],
    /// What the body begins with in place of the model, where that stands in the path.
    version: Option<&'static str>,
}

impl Anthropic {
    /// Where the protocol has its own address.
    pub(crate) const OWN: Self = Self {
        path: "/v1/messages",
        streamed: "/v1/messages",
        headers: &[("anthropic-version", "2023-06-01")],
        version: None,
    };
    /// Where it is one publisher's among others: what would be said in a header is said in the body.
    pub(crate) const PUBLISHED: Self = Self {
        path: "/publishers/anthropic/models/{model}:rawPredict",
        streamed: "/publishers/anthropic/models/{model}:streamRawPredict",
        headers: &[],
        version: Some("vertex-2023-10-16"),
    };
}

const NAME: &str = "anthropic";

/// Its rate-limit headers, with the kind before the figure.
const LIMITS: Headers = Headers {
    requests: Names {
        limit: &["anthropic-ratelimit-requests-limit"],
        remaining: &["anthropic-ratelimit-requests-remaining"],
        reset: &["anthropic-ratelimit-requests-reset"],
    },
    tokens: Names {
        limit: &["anthropic-ratelimit-tokens-limit"],
        remaining: &["anthropic-ratelimit-tokens-remaining"],
        reset: &["anthropic-ratelimit-tokens-reset"],
    },
    input_tokens: Names {
        limit: &["anthropic-ratelimit-input-tokens-limit"],
        remaining: &["anthropic-ratelimit-input-tokens-remaining"],
        reset: &["anthropic-ratelimit-input-tokens-reset"],
    },
    output_tokens: Names {
        limit: &["anthropic-ratelimit-output-tokens-limit"],
        remaining: &["anthropic-ratelimit-output-tokens-remaining"],
        reset: &["anthropic-ratelimit-output-tokens-reset"],
    },
};

const TUNING: Tuning = Tuning { keys: &["system", "messages"], fixed: &[], tools: false, flat: true };

impl Wire for Anthropic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tuning(&self) -> Option<&'static Tuning> {
        Some(&TUNING)
    }

    fn path(&self) -> &'static str {
        self.path
    }

    fn streamed_path(&self) -> &'static str {
        self.streamed
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        self.headers
    }

    fn limits(&self) -> &'static Headers {
        &LIMITS
    }

    fn media(&self) -> &'static [Taken] {
        media::MEDIA
    }

    fn encode(&self, call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
        encode::body(call, profile, self.version)
    }

    fn decode(&self, body: &str, _: &Profile) -> Result<Response, Undecoded> {
        decode::response(body)
    }

    fn stream(&self, _: &Profile) -> Box<dyn Decoder> {
        Box::<stream::Stream>::default()
    }
}
