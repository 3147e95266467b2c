//! OpenAI's responses: items in, items out.

mod decode;
mod encode;
mod media;
mod stream;

use super::media::Taken;
use super::{Call, Decoder, Response, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}/responses`.
#[derive(Debug)]
pub(crate) struct OpenAiResponses;

const NAME: &str = "openai_responses";

impl Wire for OpenAiResponses {
    fn name(&self) -> &'static str {
        NAME
    }

    fn path(&self) -> &'static str {
        "/responses"
    }

    fn has_tools_beside_reasoning(&self) -> bool {
        true
    }

    fn moderations(&self) -> Option<&'static str> {
        Some("/moderations")
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
