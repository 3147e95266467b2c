//! Bedrock's Converse, which speaks to models of many makers in one form.

mod decode;
mod encode;
mod media;
mod stream;

use super::media::Taken;
use super::{Call, Decoder, Response, Tuning, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}/model/{model}/converse`.
#[derive(Debug)]
pub(crate) struct Bedrock;

const NAME: &str = "bedrock";

const TUNING: Tuning = Tuning {
    keys: &["system", "messages"],
    fixed: &[("schemaVersion", "bedrock-conversation-2024")],
    tools: false,
    flat: false,
};

impl Wire for Bedrock {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tuning(&self) -> Option<&'static Tuning> {
        Some(&TUNING)
    }

    fn path(&self) -> &'static str {
        "/model/{model}/converse"
    }

    fn streamed_path(&self) -> &'static str {
        "/model/{model}/converse-stream"
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
