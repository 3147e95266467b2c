//! OpenAI's chat completions, as the many compatible servers speak it.

mod decode;
mod encode;
mod media;
mod stream;

use super::media::Taken;
use super::{Call, Decoder, Response, Tuning, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}/chat/completions`.
#[derive(Debug)]
pub(crate) struct OpenAiChat;

const NAME: &str = "openai_chat";

const TUNING: Tuning =
    Tuning { keys: &["messages", "tools", "parallel_tool_calls"], fixed: &[], tools: true, flat: false };

impl Wire for OpenAiChat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tuning(&self) -> Option<&'static Tuning> {
        Some(&TUNING)
    }

    fn path(&self) -> &'static str {
        "/chat/completions"
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

    fn decode(&self, body: &str, profile: &Profile) -> Result<Response, Undecoded> {
        decode::response(body, profile)
    }

    fn stream(&self, profile: &Profile) -> Box<dyn Decoder> {
        Box::new(stream::Stream::new(profile))
    }
}
