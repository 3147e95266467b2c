//! Cohere's chat, version 2.

mod decode;
mod encode;
mod media;
mod stream;

use super::media::Taken;
use super::{Call, Decoder, Response, Undecoded, Wire};
use crate::error::Error;
use crate::provider::Profile;

/// `POST {base}/v2/chat`.
#[derive(Debug)]
pub(crate) struct Cohere;

const NAME: &str = "cohere";

impl Wire for Cohere {
    fn name(&self) -> &'static str {
        NAME
    }

    fn path(&self) -> &'static str {
        "/v2/chat"
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
