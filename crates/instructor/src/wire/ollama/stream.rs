use super::decode::Answer;
use crate::wire::frame::Frame;
use crate::wire::{Decoder, Response, Undecoded};

/// Puts the lines of one streamed answer together.
#[derive(Default)]
pub(super) struct Stream(Answer);

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        self.0.line(frame.data)
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        self.0.finish()
    }
}
