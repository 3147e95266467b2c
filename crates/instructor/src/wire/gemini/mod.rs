//! Gemini's `generateContent`.

mod decode;
mod encode;
mod interaction;
mod media;
mod stream;

use super::media::Taken;
use super::{Call, Decoder, Response, Tuning, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}{path}`: the model stands in the path, not in the body.
#[derive(Debug)]
pub(crate) struct Gemini {
    path: &'static str,
    streamed: &'static str,
}

impl Gemini {
    /// Where the protocol has its own address.
    pub(crate) const OWN: Self = Self {
        path: "/v1beta/models/{model}:generateContent",
        streamed: "/v1beta/models/{model}:streamGenerateContent?alt=sse",
    };
    /// Where it is one publisher's among others, below an address that says whose project pays.
    pub(crate) const PUBLISHED: Self = Self {
        path: "/publishers/google/models/{model}:generateContent",
        streamed: "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
    };
}

const NAME: &str = "gemini";

/// What an opaque block belongs to that says as a list of parts, word for word, what the neutral part after it says in
/// neutral words. Parts carry signatures and other things beside text or a call, which have to come back with it.
const VERBATIM: &str = "gemini parts";

const TUNING: Tuning =
    Tuning { keys: &["systemInstruction", "contents", "tools"], fixed: &[], tools: true, flat: false };

impl Wire for Gemini {
    fn name(&self) -> &'static str {
        NAME
    }

    #[cfg(feature = "tracing")]
    fn operation(&self) -> &'static str {
        "generate_content"
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

    fn media(&self) -> &'static [Taken] {
        media::MEDIA
    }

    fn encode(&self, call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
        encode::body(call, profile)
    }

    fn decode(&self, body: &str, _: &Profile) -> Result<Response, Undecoded> {
        decode::response(body)
    }

    fn stream(&self, _: &Profile) -> Box<dyn Decoder> {
        Box::<stream::Stream>::default()
    }
}
