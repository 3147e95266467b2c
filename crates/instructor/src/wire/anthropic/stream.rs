use instructor_json::{Document, Kind, Node};
use serde_json::{Map, Value};

use super::decode::{counts, envelope, explanation, finish, opaque, whole};
use crate::growth::append;
use crate::message::{Part, ToolCall};
use crate::wire::alike::Alike;
use crate::wire::frame::Frame;
use crate::wire::response::{Finish, Response, Usage, text_field};
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

/// A content block that is being told.
enum Block {
    Text(String),
    /// Whether nothing more of it comes.
    Call(ToolCall, bool),
    /// Its fields as the start event gave them, grown by the deltas; and its input, which comes as text.
    Other(Map<String, Value>, String),
}

impl Stream {
    fn start(&mut self, event: Node<'_>) {
        let Some(block) = event.get("content_block") else { return };
        let text = |key| text_field(block, key).unwrap_or_default();
        let block = match &*block.get("type").and_then(Node::as_str).unwrap_or_default() {
            "text" => Block::Text(text("text")),
            "tool_use" => {
                // The start says `{}`; a server that sends the input whole says it here.
                let input = block.get("input").filter(|n| !n.is_empty()).map_or("", Node::source);
                Block::Call(ToolCall::new(text("id"), text("name"), input), false)
            }
            _ => Block::Other(serde_json::from_str(block.source()).unwrap_or_default(), String::new()),
        };
        self.blocks.push((index(event), block));
    }

    fn delta(&mut self, event: Node<'_>) {
        let index = index(event);
        let Some(delta) = event.get("delta") else { return };
        let Some(at) = self.blocks.iter().rposition(|(i, _)| *i == index) else { return };
        let Some((_, block)) = self.blocks.get_mut(at) else { return };
        let text = |key| delta.get(key).and_then(Node::as_str).unwrap_or_default();
        match block {
            Block::Text(into) => append(into, &text("text")),
            Block::Call(call, _) => append(&mut call.arguments, &text("partial_json")),
            Block::Other(fields, input) => {
                for (key, more) in delta.entries() {
                    let (Some(key), Some(more)) = (key.as_str(), more.as_str()) else { continue };
                    match fields.get_mut(&*key) {
                        _ if key == "type" => {}
                        _ if key == "partial_json" => input.push_str(&more),
                        Some(Value::String(into)) => into.push_str(&more),
                        _ => _ = fields.insert(key.into_owned(), Value::from(&*more)),
                    }
                }
            }
        }
    }

    fn stop(&mut self, event: Node<'_>) {
        let index = index(event);
        if let Some((_, Block::Call(_, over))) = self.blocks.iter_mut().rfind(|(i, _)| *i == index) {
            *over = true;
        }
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

    /// Keeps in mind what an event is like whose only news is a text.
    fn learn(&mut self, data: &str, event: Node<'_>) {
        let at = self.blocks.iter().rposition(|(i, _)| *i == index(event));
        let field = match at.and_then(|at| self.blocks.get(at)) {
            Some((_, Block::Text(_))) => "text",
            Some((_, Block::Call(..))) => "partial_json",
            _ => return,
        };
        if let (Some(at), Some(text)) = (at, event.get("delta").and_then(|delta| delta.get(field)))
            && text.kind() == Kind::String
        {
            self.alike.learn(data, text, at, None);
        }
    }

    /// The totals at the end are cumulative; figures that only the start gave stay.
    fn totals(&mut self, node: Node<'_>) {
        let (before, now) = (self.response.usage, counts(node));
        self.response.usage = Usage {
            // Some gateways know the input only at the start and say 0 here.
            input: now.input.filter(|&n| n > 0).or(before.input),
            output: now.output.or(before.output),
            cached: now.cached.or(before.cached),
            cache_write: now.cache_write.or(before.cache_write),
            cache_write_1h: now.cache_write_1h.or(before.cache_write_1h),
            reasoning: now.reasoning.or(before.reasoning),
            charged: None,
        };
    }
}

fn index(event: Node<'_>) -> u64 {
    event.get("index").and_then(Node::as_u64).unwrap_or_default()
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        let data = frame.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        if self.again(data) {
            return Ok(());
        }
        self.alike.forget();
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let event = doc.root();
        if event.get("error").is_some_and(|e| !e.is_null()) {
            return Err(Undecoded::Failure(Failure::in_success(event)));
        }
        match &*event.get("type").and_then(Node::as_str).or(frame.event.map(Into::into)).unwrap_or_default() {
            "message_start" => {
                if let Some(message) = event.get("message") {
                    self.response = envelope(message);
                }
            }
            "content_block_start" => self.start(event),
            "content_block_delta" => {
                self.delta(event);
                self.learn(data, event);
            }
            "content_block_stop" => self.stop(event),
            "message_delta" => {
                if let Some(delta) = event.get("delta") {
                    self.response.finish = text_field(delta, "stop_reason").map(finish).or(self.response.finish.take());
                    if self.response.finish == Some(Finish::Refused) {
                        self.response.refusal = Some(explanation(delta));
                    }
                }
                if let Some(node) = event.get("usage") {
                    self.totals(node);
                }
            }
            "message_stop" => self.ended = true,
            "error" => return Err(Undecoded::Failure(Failure::in_success(event))),
            _ => {}
        }
        Ok(())
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        let mut told = self.blocks.iter().filter_map(|(_, block)| match block {
            Block::Text(text) => Some(Told::Text(text)),
            Block::Call(call, over) => Some(Told::call(call, *over)),
            Block::Other(..) => None,
        });
        told.nth(index)
    }

    fn usage(&self) -> Usage {
        whole(self.response.usage)
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        let Self { mut response, blocks, ended, .. } = *self;
        if !ended && response.finish.is_none() {
            return Err(Undecoded::Cut);
        }
        response.usage = whole(response.usage);
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
                Block::Other(mut fields, input) => {
                    if let Ok(input) = serde_json::from_str::<Value>(&input) {
                        fields.insert(String::from("input"), input);
                    }
                    if let Some(Value::String(thought)) = fields.get("thinking").filter(|t| *t != "") {
                        response.reasoning.get_or_insert_default().push_str(thought);
                    }
                    response.parts.extend(opaque(Value::Object(fields).to_string()));
                }
            }
        }
        Ok(response)
    }
}
