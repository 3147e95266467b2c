use instructor_json::{Document, Kind, Node};

use super::decode::{Answer, counted};
use super::interaction::{self, Events};
use crate::wire::alike::Alike;
use crate::wire::frame::Frame;
use crate::wire::{Decoder, Response, Told, Undecoded, Usage};

/// Puts the chunks of one streamed answer together.
#[derive(Default)]
pub(super) struct Stream {
    answer: Answer,
    /// Instead, if it is one.
    interaction: Option<Events>,
    alike: Alike<()>,
    /// The last chunk, where nothing but its text was read: each has the counts so far, and only the last ones count.
    unread: String,
}

impl Stream {
    fn counts(&self) -> Usage {
        let before = self.answer.usage();
        let chunk = Document::parse(&self.unread).ok();
        chunk.and_then(|doc| Some(counted(before, doc.root().get("usageMetadata")?))).unwrap_or(before)
    }

    /// Reads what was left.
    fn catch_up(&mut self) {
        if !self.unread.is_empty() {
            self.answer.count(self.counts());
            self.unread.clear();
        }
    }
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        let data = frame.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        if let Some((text, ())) = self.alike.text(data)
            && self.answer.again(&text)
        {
            self.unread.clear();
            self.unread.push_str(data);
            return Ok(());
        }
        self.alike.forget();
        self.catch_up();
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let root = doc.root();
        if interaction::is_one(root) {
            return self.interaction.get_or_insert_default().event(root);
        }
        // Errors come in a list, also within a stream.
        let list = root.kind() == Kind::Array;
        let mut chunks = list.then(|| root.items()).into_iter().flatten().chain(Some(root).filter(|_| !list));
        chunks.try_for_each(|chunk: Node<'_>| self.answer.chunk(chunk))?;
        if let Some(text) = self.answer.only_text(root) {
            let counts = root.get("usageMetadata").into_iter().flat_map(Node::entries).map(|(_, count)| count);
            self.alike.learn(data, text, (), counts);
        }
        Ok(())
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        self.answer.told(index)
    }

    fn usage(&self) -> Usage {
        if self.unread.is_empty() { self.answer.usage() } else { self.counts() }
    }

    fn finish(mut self: Box<Self>) -> Result<Response, Undecoded> {
        self.catch_up();
        match self.interaction {
            Some(events) => events.finish(),
            None => self.answer.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_last_chunk() {
        let mut stream = Stream::default();
        let chunk = |text: &str, thought: &str, output: u64| {
            let parts = format!(r#"[{{"text":"{text}"}}]"#);
            let counts = format!(r#"{{"promptTokenCount":14,{thought}"candidatesTokenCount":{output}}}"#);
            format!(r#"{{"candidates":[{{"content":{{"parts":{parts}}},"index":0}}],"usageMetadata":{counts}}}"#)
        };
        let mut told = String::new();
        for (text, thought, output) in [
            ("a", "", 1),
            ("b", "", 2),
            ("c", "", 13),
            // What a later chunk leaves out stays.
            ("d", r#""thoughtsTokenCount":5,"#, 14),
            ("e", "", 15),
            ("f", "", 16),
        ] {
            let data = chunk(text, thought, output);
            assert!(stream.frame(Frame { event: None, data: &data, failed: false }).is_ok());
            told.push_str(text);
            assert_eq!(stream.told(0), Some(Told::Text(&told)));
            let thoughts = if thought.is_empty() { 0 } else { 5 };
            assert_eq!(stream.usage().output, Some(output + thoughts), "{text}");
        }
        assert_eq!(stream.usage().reasoning, Some(5));
        let end = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
        assert!(stream.frame(Frame { event: None, data: end, failed: false }).is_ok());
        let response = Box::new(stream).finish().unwrap();
        assert_eq!(
            (response.usage.input, response.usage.output, response.usage.reasoning),
            (Some(14), Some(16), Some(5))
        );
    }
}
