use instructor_json::{Document, Node};
use serde_json::{Map, Value};

use super::decode::{ended, opaque, plan, tool_call, usage};
use crate::growth::append;
use crate::message::{Part, ToolCall};
use crate::wire::alike::Alike;
use crate::wire::frame::Frame;
use crate::wire::response::{Response, Usage, text_field};
use crate::wire::{Decoder, Failure, Told, Undecoded};

/// Puts the events of one streamed answer together.
#[derive(Default)]
pub(super) struct Stream {
    response: Response,
    blocks: Vec<(u64, Block)>,
    planned: String,
    /// With their places, and whether nothing more of them comes.
    calls: Vec<(u64, ToolCall, bool)>,
    ended: bool,
    alike: Alike<Place>,
}

/// Where the text of a delta goes.
#[derive(Clone, Copy)]
enum Place {
    Block(usize),
    Call(usize),
}

/// A content block that is being told.
enum Block {
    Text(String),
    /// Its fields as the start event gave them, grown by the deltas.
    Other(Map<String, Value>),
}

impl Stream {
    fn content_start(&mut self, event: Node<'_>) {
        let Some(content) = message(event).and_then(|message| message.get("content")) else { return };
        let block = if content.get("type").is_some_and(|kind| kind.is_str("text")) {
            Block::Text(text_field(content, "text").unwrap_or_default())
        } else {
            Block::Other(serde_json::from_str(content.source()).unwrap_or_default())
        };
        self.blocks.push((index(event), block));
    }

    /// The text that it tells, if it is nothing else, and where that goes.
    fn content_delta<'d>(&mut self, event: Node<'d>) -> Option<(Node<'d>, Place)> {
        let content = message(event)?.get("content")?;
        let index = index(event);
        let at = self.blocks.iter().rposition(|(i, _)| *i == index)?;
        match self.blocks.get_mut(at)? {
            (_, Block::Text(into)) => {
                let text = content.get("text")?;
                append(into, &text.as_str().unwrap_or_default());
                Some((text, Place::Block(at)))
            }
            (_, Block::Other(fields)) => {
                for (key, more) in content.entries() {
                    let (Some(key), Some(more)) = (key.as_str(), more.as_str()) else { continue };
                    match fields.get_mut(&*key) {
                        _ if key == "type" => {}
                        Some(Value::String(into)) => into.push_str(&more),
                        _ => _ = fields.insert(key.into_owned(), Value::from(&*more)),
                    }
                }
                None
            }
        }
    }

    /// The text that it tells, and where that goes.
    fn call_delta<'d>(&mut self, event: Node<'d>) -> Option<(Node<'d>, Place)> {
        let call = called(message(event)?)?;
        let index = index(event);
        let at = self.calls.iter().rposition(|(i, ..)| *i == index)?;
        let (_, into, _) = self.calls.get_mut(at)?;
        append(&mut into.arguments, &tool_call(call)?.arguments);
        Some((call.get("function").unwrap_or(call).get("arguments")?, Place::Call(at)))
    }

    /// A delta of which nothing but its text differs from the one before.
    fn again(&mut self, data: &str) -> bool {
        let Some((more, place)) = self.alike.text(data) else { return false };
        match place {
            Place::Block(at) => match self.blocks.get_mut(at) {
                Some((_, Block::Text(text))) => append(text, &more),
                _ => return false,
            },
            Place::Call(at) => match self.calls.get_mut(at) {
                Some((_, call, _)) => append(&mut call.arguments, &more),
                None => return false,
            },
        }
        true
    }
}

fn message(event: Node<'_>) -> Option<Node<'_>> {
    event.get("delta")?.get("message")
}

/// The call is an object here; a list of one is taken too.
fn called(message: Node<'_>) -> Option<Node<'_>> {
    let calls = message.get("tool_calls")?;
    Some(calls.at(0).unwrap_or(calls))
}

fn index(event: Node<'_>) -> u64 {
    event.get("index").and_then(Node::as_u64).unwrap_or_default()
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        let data = frame.data.trim();
        if data == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        if data.is_empty() || self.again(data) {
            return Ok(());
        }
        self.alike.forget();
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let event = doc.root();
        let kind = event.get("type").and_then(Node::as_str).or(frame.event.map(Into::into)).unwrap_or_default();
        let told = match &*kind {
            "content-delta" => self.content_delta(event),
            "tool-call-delta" => self.call_delta(event),
            _ => None,
        };
        if let (Some((text, place)), Some(_)) = (told, event.get("type")) {
            self.alike.learn(data, text, place, None);
        }
        match &*kind {
            "message-start" => self.response.id = text_field(event, "id"),
            "content-start" => self.content_start(event),
            "tool-plan-delta" => {
                if let Some(more) = message(event).and_then(|message| message.get("tool_plan")).and_then(Node::as_str) {
                    self.planned.push_str(&more);
                }
            }
            "tool-call-start" => {
                let call = message(event).and_then(called).and_then(tool_call);
                self.calls.extend(call.map(|call| (index(event), call, false)));
            }
            "tool-call-end" => {
                let at = index(event);
                if let Some((.., over)) = self.calls.iter_mut().rfind(|(i, ..)| *i == at) {
                    *over = true;
                }
            }
            "message-end" => {
                self.ended = true;
                if let Some(delta) = event.get("delta") {
                    self.response.finish = ended(delta)?;
                    self.response.usage = delta.get("usage").map(usage).unwrap_or_default();
                }
            }
            "error" => return Err(Undecoded::Failure(Failure::in_success(event))),
            // Words that are no event of the protocol, as a proxy says them.
            "" if event.get("error").or_else(|| event.get("message")).is_some_and(|e| !e.is_null()) => {
                return Err(Undecoded::Failure(Failure::in_success(event)));
            }
            _ => {}
        }
        Ok(())
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        let texts = self.blocks.iter().filter_map(|(_, block)| match block {
            Block::Text(text) => Some(Told::Text(text)),
            Block::Other(_) => None,
        });
        texts.chain(self.calls.iter().map(|(_, call, over)| Told::call(call, *over))).nth(index)
    }

    fn usage(&self) -> Usage {
        self.response.usage
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        let Self { mut response, blocks, planned, calls, ended, .. } = *self;
        if !ended {
            return Err(Undecoded::Cut);
        }
        for (_, block) in blocks {
            match block {
                Block::Text(text) if text.is_empty() => {}
                Block::Text(text) => response.parts.push(Part::Text(text)),
                Block::Other(fields) => {
                    if let Some(Value::String(thought)) = fields.get("thinking").filter(|t| *t != "") {
                        response.reasoning.get_or_insert_default().push_str(thought);
                    }
                    response.parts.extend(opaque(Value::Object(fields).to_string()));
                }
            }
        }
        if !planned.is_empty() {
            plan(&planned, &mut response);
        }
        response.parts.extend(calls.into_iter().map(|(_, call, _)| Part::ToolCall(call)));
        Ok(response)
    }
}
