//! Ollama's own chat. Beside its OpenAI-compatible one it can be told how long the context is (`options.num_ctx`): what
//! is longer than that is cut off the prompt without a word.

mod decode;
mod encode;
mod media;
mod stream;

use super::media::Taken;
use super::{Call, Decoder, Response, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}/api/chat`.
#[derive(Debug)]
pub(crate) struct Ollama;

const NAME: &str = "ollama";

impl Wire for Ollama {
    fn name(&self) -> &'static str {
        NAME
    }

    fn path(&self) -> &'static str {
        "/api/chat"
    }

    fn streams_lines(&self) -> bool {
        true
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
