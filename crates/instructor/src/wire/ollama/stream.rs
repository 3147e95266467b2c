use super::decode::Answer;
use crate::wire::frame::Frame;
use crate::wire::{Decoder, Response, Told, Undecoded, Usage};

/// Puts the lines of one streamed answer together.
#[derive(Default)]
pub(super) struct Stream(Answer);

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        self.0.line(frame.data)
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        self.0.told(index)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        self.0.finish()
    }
}
