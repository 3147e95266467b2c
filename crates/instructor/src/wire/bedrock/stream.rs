use instructor_json::{Document, Kind, Node};
use serde_json::{Map, Value, json};

use super::decode::{finish, is_ours, push_block, usage};
use crate::growth::append;
use crate::message::{Part, ToolCall};
use crate::wire::alike::{Alike, fields};
use crate::wire::frame::Frame;
use crate::wire::response::{Response, Usage, text_field};
use crate::wire::{Decoder, Failure, Told, Undecoded};

/// Puts the events of one streamed answer together.
#[derive(Default)]
pub(super) struct Stream {
    response: Response,
    blocks: Vec<(u64, Block)>,
    ended: bool,
    /// The block that deltas go on with.
    alike: Alike<usize>,
}

/// The event that tells more of a block.
const DELTA: &str = "contentBlockDelta";

/// A content block that is being told. Text and reasoning begin without an event of their own.
enum Block {
    Text(String),
    /// Whether nothing more of it comes.
    Call(ToolCall, bool),
    Reasoning {
        text: String,
        signature: String,
        redacted: String,
    },
    /// What it is, its fields as the start event gave them, grown by the deltas; and its input, which comes as text.
    Other(String, Map<String, Value>, String),
}

impl Stream {
    fn start(&mut self, event: Node<'_>) {
        let Some((key, start)) = event.get("start").and_then(|start| start.entries().next()) else { return };
        let key = key.as_str().unwrap_or_default();
        let text = |key| text_field(start, key).unwrap_or_default();
        let block = if key == "toolUse" && is_ours(start) {
            Block::Call(ToolCall::new(text("toolUseId"), text("name"), ""), false)
        } else {
            Block::Other(key.into_owned(), serde_json::from_str(start.source()).unwrap_or_default(), String::new())
        };
        self.blocks.push((index(event), block));
    }

    /// The text that it tells, if it is nothing else, and the block that this goes to.
    fn delta<'d>(&mut self, event: Node<'d>) -> Option<(Node<'d>, usize)> {
        let at = index(event);
        let (key, delta) = event.get("delta")?.entries().next()?;
        let key = key.as_str().unwrap_or_default();
        let text = |key| delta.get(key).and_then(Node::as_str).unwrap_or_default();
        let block = match self.blocks.iter().rposition(|(i, _)| *i == at) {
            Some(at) => at,
            None => {
                let begun = match &*key {
                    "text" => Block::Text(String::new()),
                    "toolUse" => Block::Call(ToolCall::new("", "", ""), false),
                    "reasoningContent" => {
                        Block::Reasoning { text: String::new(), signature: String::new(), redacted: String::new() }
                    }
                    _ => Block::Other(String::from(&*key), Map::new(), String::new()),
                };
                self.blocks.push((at, begun));
                self.blocks.len() - 1
            }
        };
        let (_, into) = self.blocks.get_mut(block)?;
        match into {
            Block::Text(into) => {
                append(into, &delta.as_str().unwrap_or_default());
                return Some((delta, block));
            }
            Block::Call(call, _) => {
                append(&mut call.arguments, &text("input"));
                return Some((delta.get("input")?, block));
            }
            Block::Reasoning { text: thought, signature, redacted } => {
                thought.push_str(&text("text"));
                signature.push_str(&text("signature"));
                redacted.push_str(&text("redactedContent"));
            }
            Block::Other(_, fields, input) => grow(fields, input, delta),
        }
        None
    }

    /// A delta of which nothing but its text differs from the one before.
    fn again(&mut self, data: &str) -> bool {
        let Some((more, at)) = self.alike.text(data) else { return false };
        match self.blocks.get_mut(at) {
            Some((_, Block::Text(text))) => append(text, &more),
            Some((_, Block::Call(call, _))) => append(&mut call.arguments, &more),
            _ => return false,
        }
        true
    }

    fn stop(&mut self, event: Node<'_>) {
        let at = index(event);
        if let Some((_, Block::Call(_, over))) = self.blocks.iter_mut().rfind(|(i, _)| *i == at) {
            *over = true;
        }
    }
}

/// Fields of a block that nothing is known of: text continues text, a list is more of the content.
fn grow(fields: &mut Map<String, Value>, input: &mut String, delta: Node<'_>) {
    if delta.kind() == Kind::Array {
        let more: Vec<Value> = serde_json::from_str(delta.source()).unwrap_or_default();
        match fields.get_mut("content") {
            Some(Value::Array(content)) => content.extend(more),
            _ => _ = fields.insert(String::from("content"), Value::Array(more)),
        }
        return;
    }
    for (key, more) in delta.entries() {
        let (Some(key), Some(more)) = (key.as_str(), more.as_str()) else { continue };
        match fields.get_mut(&*key) {
            _ if key == "input" => input.push_str(&more),
            Some(Value::String(into)) => into.push_str(&more),
            _ => _ = fields.insert(key.into_owned(), Value::from(&*more)),
        }
    }
}

impl Block {
    /// The block as it stands in an answer that is not streamed; none if nothing was said in it.
    fn whole(self) -> Option<Value> {
        match self {
            Self::Text(_) | Self::Call(..) => None,
            Self::Reasoning { text, signature, redacted } => {
                let content = match (text.is_empty() && signature.is_empty(), redacted.is_empty()) {
                    (true, true) => return None,
                    (true, false) => json!({ "redactedContent": redacted }),
                    (false, _) if signature.is_empty() => json!({ "reasoningText": { "text": text } }),
                    (false, _) => json!({ "reasoningText": { "text": text, "signature": signature } }),
                };
                Some(json!({ "reasoningContent": content }))
            }
            Self::Other(key, mut fields, input) => {
                if let Ok(input) = serde_json::from_str::<Value>(&input) {
                    fields.insert(String::from("input"), input);
                }
                Some(Value::Object([(key, Value::Object(fields))].into_iter().collect()))
            }
        }
    }
}

fn index(event: Node<'_>) -> u64 {
    event.get("contentBlockIndex").and_then(Node::as_u64).unwrap_or_default()
}

/// The failure that a stream ends with. Its name is written as an event's, with a small letter at its start.
fn failed(frame: Frame<'_>) -> Failure {
    let event = frame.event.unwrap_or_default();
    let mut letters = event.chars();
    let word: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let said = Document::parse(frame.data).ok().and_then(|doc| {
        let root = doc.root();
        ["message", "Message", "originalMessage"].iter().find_map(|key| text_field(root, key))
    });
    let plain = Some(frame.data).filter(|data| !data.is_empty() && !data.starts_with('{'));
    Failure::of(&word, said.or_else(|| plain.map(String::from)))
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        if frame.failed {
            return Err(Undecoded::Failure(failed(frame)));
        }
        let data = frame.data.trim();
        if data.is_empty() || (frame.event == Some(DELTA) && self.again(data)) {
            return Ok(());
        }
        self.alike.forget();
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let event = doc.root();
        match frame.event.unwrap_or_default() {
            "contentBlockStart" => self.start(event),
            "contentBlockStop" => self.stop(event),
            DELTA => {
                if let Some((text, block)) = self.delta(event) {
                    // Letters that hide how long the text is.
                    self.alike.learn(data, text, block, fields(event, &["p"]));
                }
            }
            "messageStop" => {
                self.ended = true;
                self.response.finish = text_field(event, "stopReason").map(finish);
            }
            "metadata" => self.response.usage = event.get("usage").map(usage).unwrap_or_default(),
            _ => {}
        }
        Ok(())
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        let mut told = self.blocks.iter().filter_map(|(_, block)| match block {
            Block::Text(text) => Some(Told::Text(text)),
            Block::Call(call, over) => Some(Told::call(call, *over)),
            Block::Reasoning { .. } | Block::Other(..) => None,
        });
        told.nth(index)
    }

    fn usage(&self) -> Usage {
        self.response.usage
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        let Self { mut response, blocks, ended, .. } = *self;
        if !ended {
            return Err(Undecoded::Cut);
        }
        for (_, block) in blocks {
            match block {
                Block::Text(text) if text.is_empty() => {}
                Block::Text(text) => response.parts.push(Part::Text(text)),
                Block::Call(mut call, _) => {
                    if call.arguments.is_empty() {
                        call.arguments.push_str("{}");
                    }
                    response.parts.push(Part::ToolCall(call));
                }
                other => {
                    let Some(whole) = other.whole().map(|whole| whole.to_string()) else { continue };
                    if let Ok(doc) = Document::parse(&whole) {
                        push_block(doc.root(), &mut response);
                    }
                }
            }
        }
        Ok(response)
    }
}
