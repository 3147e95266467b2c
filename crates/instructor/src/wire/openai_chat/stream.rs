use instructor_json::{Document, Kind, Node};
use serde_json::{Map, Value};

use super::decode::{Block, REASONING, arguments, details, echo, ended, error_object, stopped, usage_of};
use crate::growth::append;
use crate::message::{Part, ToolCall};
use crate::provider::{Profile, Quirks};
use crate::wire::alike::{Alike, fields};
use crate::wire::frame::Frame;
use crate::wire::response::{Response, Usage, text_field};
use crate::wire::{Decoder, Failure, Told, Undecoded};

/// The fields of an item of `reasoning_details` that are told in pieces.
const GROWING: [&str; 3] = ["text", "summary", "data"];

/// Puts the deltas of one streamed answer together.
pub(super) struct Stream {
    profile: Profile,
    response: Response,
    text: String,
    refusal: String,
    reasoning: String,
    /// The field that the reasoning came in, which is the one to send it back in.
    reasoning_field: &'static str,
    /// The items of `reasoning_details`.
    details: Vec<Map<String, Value>>,
    calls: Vec<(u64, ToolCall)>,
    ended: bool,
    alike: Alike<Place>,
}

/// Where the text of a delta goes.
#[derive(Clone, Copy)]
enum Place {
    Text,
    Call(usize),
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
            details: Vec::new(),
            calls: Vec::new(),
            ended: false,
            alike: Alike::default(),
        }
    }

    fn delta(&mut self, delta: Node<'_>) {
        let more = |into: &mut String, key: &str| {
            if let Some(text) = delta.get(key).and_then(Node::as_str) {
                append(into, &text);
            }
        };
        more(&mut self.refusal, "refusal");
        more(&mut self.text, "content");
        if let Some((field, text)) = REASONING.iter().find_map(|key| Some((*key, text_field(delta, key)?))) {
            self.reasoning.push_str(&text);
            self.reasoning_field = field;
        } else if let Some(text) = details(delta) {
            self.reasoning.push_str(&text);
        }
        for block in delta.get("content").into_iter().flat_map(Node::items) {
            match Block::from(block) {
                Block::Text(text) => append(&mut self.text, &text),
                Block::Refusal(text) => self.refusal.push_str(&text),
                Block::Thinking(text) => self.reasoning.push_str(&text),
                Block::Other => {}
            }
        }
        for detail in delta.get("reasoning_details").into_iter().flat_map(Node::items) {
            self.detail(detail);
        }
        for call in delta.get("tool_calls").into_iter().flat_map(Node::items) {
            self.tool_call(call);
        }
        // The form before tools, which has one call; servers that give both forms say the same call twice.
        let only = self.calls.iter().all(|(_, call)| call.id.is_empty());
        if let Some(function) = delta.get("function_call").filter(|n| n.kind() == Kind::Object && only) {
            self.tool_call(function);
        }
    }

    /// An item is told in pieces: one of the type and place of the last continues it.
    fn detail(&mut self, piece: Node<'_>) {
        let Ok(piece) = serde_json::from_str::<Map<String, Value>>(piece.source()) else { return };
        let same =
            |last: &&mut Map<String, Value>| ["type", "index"].iter().all(|key| last.get(*key) == piece.get(*key));
        let Some(last) = self.details.last_mut().filter(same) else {
            self.details.push(piece);
            return;
        };
        for (key, more) in piece {
            match (last.get_mut(&key), more) {
                (Some(Value::String(into)), Value::String(more)) if GROWING.contains(&key.as_str()) => {
                    append(into, &more);
                }
                (Some(_), Value::Null) => {}
                (_, more) => _ = last.insert(key, more),
            }
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
        // With neither index nor id, a name after arguments is a new call.
        let new = |call: &ToolCall| match () {
            () if name.is_empty() => false,
            () if id.is_empty() => given.is_none() && !call.arguments.is_empty(),
            () => call.id != *id,
        };
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
            append(&mut call.arguments, &arguments(more));
        }
    }
}

/// The text of a chunk whose only news it is, with the index of the call that it belongs to, if it does to one. What is
/// said besides, such as counts and an end, can be said again.
fn only_text(chunk: Node<'_>) -> Option<(Node<'_>, Option<u64>)> {
    fn only<'d>(node: Node<'d>, beside: &[&str]) -> Option<(Node<'d>, Node<'d>)> {
        let news = |(key, value): &(Node<'d>, Node<'d>)| {
            !value.is_null() && !value.is_str("") && !beside.iter().any(|b| key.is_str(b))
        };
        let mut news = node.entries().filter(news);
        news.next().filter(|_| news.next().is_none())
    }
    fn one(list: Node<'_>) -> Option<Node<'_>> {
        let mut items = list.items();
        items.next().filter(|_| items.next().is_none())
    }
    let choice = one(chunk.get("choices")?)?;
    // Of several choices the first is the answer.
    if choice.get("index").and_then(Node::as_u64).is_some_and(|index| index != 0) {
        return None;
    }
    let (name, value) = only(choice.get("delta")?, &["role"])?;
    if name.is_str("content") {
        return (value.kind() == Kind::String).then_some((value, None));
    }
    let call = one(value).filter(|_| name.is_str("tool_calls"))?;
    let (key, function) = only(call, &["index", "type"])?;
    let (name, arguments) = only(function, &[]).filter(|_| key.is_str("function"))?;
    let index = call.get("index").and_then(Node::as_u64)?;
    (name.is_str("arguments") && arguments.kind() == Kind::String).then_some((arguments, Some(index)))
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
        match self.alike.text(data).filter(|_| frame.event.is_none()) {
            Some((text, Place::Text)) => {
                append(&mut self.text, &text);
                return Ok(());
            }
            Some((text, Place::Call(at))) => {
                if let Some((_, call)) = self.calls.get_mut(at) {
                    append(&mut call.arguments, &text);
                }
                return Ok(());
            }
            None => self.alike.forget(),
        }
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let chunk = doc.root();
        if let Some(failure) = error_object(chunk).or_else(|| stopped(chunk)) {
            return Err(Undecoded::Failure(failure));
        }
        if frame.event == Some("error") {
            return Err(Undecoded::Failure(Failure::in_success(chunk)));
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
            if let Some(failure) = error_object(choice) {
                return Err(Undecoded::Failure(failure));
            }
            if let Some(delta) = choice.get("delta").or_else(|| choice.get("message")) {
                self.delta(delta);
            }
            if let Some(finish) = ended(choice)? {
                self.response.finish = Some(finish);
            }
        }
        if let Some((text, place)) = only_text(chunk).filter(|_| frame.event.is_none()) {
            let place = match place {
                None => Some(Place::Text),
                Some(index) => self.calls.iter().rposition(|(i, _)| *i == index).map(Place::Call),
            };
            if let Some(place) = place {
                // The letters hide how long the text is.
                self.alike.learn(data, text, place, fields(chunk, &["obfuscation", "p"]));
            }
        }
        Ok(())
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        match index.checked_sub(1) {
            None => Some(Told::Text(&self.text)),
            Some(at) => self.calls.get(at).map(|(_, call)| Told::call(call, self.response.finish.is_some())),
        }
    }

    fn usage(&self) -> Usage {
        self.response.usage
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        let Self { profile, mut response, text, refusal, reasoning, reasoning_field, details, calls, ended, .. } =
            *self;
        if !ended && response.finish.is_none() {
            return Err(Undecoded::Cut);
        }
        let some = |text: String| (!text.is_empty()).then_some(text);
        if profile.quirks().contains(Quirks::ECHO_REASONING) {
            let quoted = Value::from(reasoning.as_str()).to_string();
            let told = |field| (reasoning_field == field).then_some(quoted.as_str());
            let details = (!details.is_empty()).then(|| Value::from_iter(details).to_string());
            response.parts.extend(echo(told("reasoning_content"), details.as_deref(), told("reasoning")));
        }
        response.parts.extend(some(text).map(Part::Text));
        let calls = calls.into_iter().map(|(_, call)| call);
        let said = |call: &ToolCall| !(call.id.is_empty() && call.name.is_empty() && call.arguments.is_empty());
        response.parts.extend(calls.filter(said).map(Part::ToolCall));
        response.refusal = some(refusal);
        response.reasoning = some(reasoning);
        Ok(response)
    }
}
