use instructor_json::{Document, Kind, Node};

use super::decode::Answer;
use super::interaction::{self, Events};
use crate::wire::frame::Frame;
use crate::wire::{Decoder, Response, Told, Undecoded, Usage};

/// Puts the chunks of one streamed answer together.
#[derive(Default)]
pub(super) struct Stream {
    answer: Answer,
    /// Instead, if it is one.
    interaction: Option<Events>,
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        let data = frame.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let root = doc.root();
        if interaction::is_one(root) {
            return self.interaction.get_or_insert_default().event(root);
        }
        // Errors come in a list, also within a stream.
        let list = root.kind() == Kind::Array;
        let mut chunks = list.then(|| root.items()).into_iter().flatten().chain(Some(root).filter(|_| !list));
        chunks.try_for_each(|chunk: Node<'_>| self.answer.chunk(chunk))
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        self.answer.told(index)
    }

    fn usage(&self) -> Usage {
        self.answer.usage()
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        match self.interaction {
            Some(events) => events.finish(),
            None => self.answer.finish(),
        }
    }
}
