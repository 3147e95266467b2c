use instructor_json::{Document, Node};

use super::decode::{arguments, error_object, finish, opaque, usage_of};
use crate::message::{Part, ToolCall};
use crate::provider::{Profile, Quirks};
use crate::wire::frame::Frame;
use crate::wire::response::{Response, Usage, text_field};
use crate::wire::{Decoder, Undecoded};

/// Puts the deltas of one streamed answer together.
pub(super) struct Stream {
    profile: Profile,
    response: Response,
    text: String,
    refusal: String,
    reasoning: String,
    /// The field that the reasoning came in, which is the one to send it back in.
    reasoning_field: &'static str,
    calls: Vec<(u64, ToolCall)>,
    ended: bool,
}

impl Stream {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            response: Response::default(),
            text: String::new(),
            refusal: String::new(),
            reasoning: String::new(),
            reasoning_field: "",
            calls: Vec::new(),
            ended: false,
        }
    }

    fn delta(&mut self, delta: Node<'_>) {
        let append = |into: &mut String, key: &str| {
            if let Some(text) = delta.get(key).and_then(Node::as_str) {
                into.push_str(&text);
            }
        };
        append(&mut self.refusal, "refusal");
        for field in ["reasoning_content", "reasoning"] {
            if let Some(text) = delta.get(field).and_then(Node::as_str).filter(|s| !s.is_empty()) {
                self.reasoning.push_str(&text);
                self.reasoning_field = field;
                break;
            }
        }
        match delta.get("content") {
            Some(content) if content.as_str().is_some() => append(&mut self.text, "content"),
            Some(content) => {
                for text in content.items().filter_map(|block| block.get("text")?.as_str()) {
                    self.text.push_str(&text);
                }
            }
            None => {}
        }
        for call in delta.get("tool_calls").into_iter().flat_map(Node::items) {
            self.tool_call(call);
        }
    }

    fn tool_call(&mut self, delta: Node<'_>) {
        let id = delta.get("id").and_then(Node::as_str).unwrap_or_default();
        let function = delta.get("function").unwrap_or(delta);
        let name = function.get("name").and_then(Node::as_str).unwrap_or_default();
        // Servers leave the index out, or repeat 0 for calls that they send whole: a new id with a name is a new call.
        let given = delta.get("index").and_then(Node::as_u64);
        let known = match given {
            Some(index) => self.calls.iter().rposition(|(i, _)| *i == index),
            None => self.calls.len().checked_sub(1),
        };
        let new = |call: &ToolCall| !id.is_empty() && !name.is_empty() && call.id != *id;
        let at = match known.filter(|&at| self.calls.get(at).is_some_and(|(_, call)| !new(call))) {
            Some(at) => at,
            None => {
                self.calls.push((given.unwrap_or(self.calls.len() as u64), ToolCall::new("", "", "")));
                self.calls.len() - 1
            }
        };
        let Some((_, call)) = self.calls.get_mut(at) else { return };
        if call.id.is_empty() {
            call.id.push_str(&id);
        }
        if call.name.is_empty() {
            call.name.push_str(&name);
        }
        if let Some(more) = function.get("arguments") {
            call.arguments.push_str(&arguments(more));
        }
    }
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        let data = frame.data.trim();
        if data == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let chunk = doc.root();
        if let Some(failure) = error_object(chunk) {
            return Err(Undecoded::Failure(failure));
        }
        let keep = |slot: &mut Option<String>, key: &str| {
            if slot.is_none() {
                *slot = text_field(chunk, key);
            }
        };
        keep(&mut self.response.id, "id");
        keep(&mut self.response.model, "model");
        let usage = usage_of(chunk, &self.profile);
        if usage != Usage::default() {
            self.response.usage = usage;
        }
        // Of several choices the first is the answer.
        for choice in chunk.get("choices").into_iter().flat_map(Node::items) {
            if choice.get("index").and_then(Node::as_u64).is_some_and(|i| i != 0) {
                continue;
            }
            if let Some(delta) = choice.get("delta").or_else(|| choice.get("message")) {
                self.delta(delta);
            }
            if let Some(word) = text_field(choice, "finish_reason") {
                self.response.finish = Some(finish(word));
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        let Self { profile, mut response, text, refusal, reasoning, reasoning_field, calls, ended } = *self;
        if !ended && response.finish.is_none() {
            return Err(Undecoded::Unreadable(String::from("the stream ended before the answer did")));
        }
        let some = |text: String| (!text.is_empty()).then_some(text);
        if profile.quirks().contains(Quirks::ECHO_REASONING) && reasoning_field == "reasoning_content" {
            let quoted = serde_json::Value::from(reasoning.as_str());
            response.parts.extend(opaque(format!("{{{reasoning_field:?}:{quoted}}}")));
        }
        response.parts.extend(some(text).map(Part::Text));
        response.parts.extend(calls.into_iter().map(|(_, call)| Part::ToolCall(call)));
        response.refusal = some(refusal);
        response.reasoning = some(reasoning);
        Ok(response)
    }
}
