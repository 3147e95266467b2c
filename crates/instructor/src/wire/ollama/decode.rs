use instructor_json::{Document, Kind, Node};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::NAME;
use crate::growth::append;
use crate::message::{Opaque, Part, ToolCall};
use crate::wire::alike::{Alike, fields};
use crate::wire::response::{Finish, Response, Usage, count_field, text_field};
use crate::wire::{Failure, Told, Undecoded};

/// The message field in which the model thinks.
pub(super) const THINKING: &str = "thinking";

/// A body is one answer, or the chunks of one that was streamed, a line each. A chunk has the form of an answer.
pub(super) fn response(body: &str) -> Result<Response, Undecoded> {
    let mut answer = Answer::default();
    match Document::parse(body) {
        Ok(doc) => {
            answer.chunk(doc.root())?;
            if !answer.said && !answer.ended {
                return Err(Undecoded::Unreadable(String::from("the response body has no \"message\"")));
            }
            match doc.root().get("done").and_then(Node::as_bool) {
                // The first line of a stream that was cut; an answer that is whole need not say so.
                Some(false) => answer.finish(),
                _ => Ok(answer.whole()),
            }
        }
        Err(error) if !body.trim_end().contains('\n') => {
            Err(Undecoded::Unreadable(format!("the response body is not JSON: {error}")))
        }
        Err(_) => {
            body.lines().try_for_each(|line| answer.line(line))?;
            answer.finish()
        }
    }
}

/// An answer that is being put together.
#[derive(Default)]
pub(super) struct Answer {
    response: Response,
    text: String,
    thought: String,
    calls: Vec<ToolCall>,
    /// There was a message.
    said: bool,
    ended: bool,
    alike: Alike<()>,
}

impl Answer {
    pub(super) fn told(&self, index: usize) -> Option<Told<'_>> {
        match index.checked_sub(1) {
            None => Some(Told::Text(&self.text)),
            Some(at) => self.calls.get(at).map(|call| Told::call(call, true)),
        }
    }

    pub(super) const fn usage(&self) -> Usage {
        self.response.usage
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), Undecoded> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        if let Some((text, ())) = self.alike.text(line) {
            append(&mut self.text, &text);
            return Ok(());
        }
        self.alike.forget();
        let doc = Document::parse(line)
            .map_err(|e| Undecoded::Unreadable(format!("a line of the stream is not JSON: {e}")))?;
        let chunk = doc.root();
        self.chunk(chunk)?;
        if let Some(text) = only_text(chunk) {
            self.alike.learn(line, text, (), fields(chunk, &["created_at"]));
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: Node<'_>) -> Result<(), Undecoded> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Undecoded::Failure(Failure::in_success(chunk)));
        }
        if self.response.model.is_none() {
            self.response.model = text_field(chunk, "model");
        }
        if let Some(message) = chunk.get("message").filter(|message| message.kind() == Kind::Object) {
            self.said = true;
            let more = |key| message.get(key).and_then(Node::as_str).unwrap_or_default();
            append(&mut self.text, &more("content"));
            self.thought.push_str(&more(THINKING));
            self.calls.extend(message.get("tool_calls").into_iter().flat_map(Node::items).filter_map(called));
        }
        if chunk.get("done").and_then(Node::as_bool) == Some(true) {
            self.ended = true;
            self.response.finish = text_field(chunk, "done_reason").map(finish);
            self.response.usage = Usage {
                // Left out where all of the prompt was cached.
                input: count_field(chunk, "prompt_eval_count"),
                output: count_field(chunk, "eval_count"),
                ..Usage::default()
            };
        }
        Ok(())
    }

    /// The answer, once all that was streamed is in.
    pub(super) fn finish(self) -> Result<Response, Undecoded> {
        if self.ended {
            return Ok(self.whole());
        }
        Err(Undecoded::Cut)
    }

    fn whole(self) -> Response {
        let Self { mut response, text, thought, calls, .. } = self;
        if !thought.is_empty() {
            response.parts.extend(opaque(&json!({ THINKING: thought })));
            response.reasoning = Some(thought);
        }
        if !text.is_empty() {
            response.parts.push(Part::Text(text));
        }
        response.parts.extend(calls.into_iter().map(Part::ToolCall));
        response
    }
}

/// The text of a chunk whose only news it is.
fn only_text(chunk: Node<'_>) -> Option<Node<'_>> {
    let message = chunk.get("message")?;
    let says = |key| message.get(key).is_some_and(|node| !node.is_null() && !node.is_str("") && !node.is_empty());
    let done = chunk.get("done").and_then(Node::as_bool) == Some(true);
    message.get("content").filter(|_| !done && !says(THINKING) && !says("tool_calls"))
}

/// A call; its arguments are an object here, and older servers give it no id.
fn called(call: Node<'_>) -> Option<ToolCall> {
    let function = call.get("function")?;
    let arguments = match function.get("arguments") {
        Some(node) if node.kind() == Kind::String => text_field(function, "arguments").unwrap_or_default(),
        Some(node) if !node.is_null() => String::from(node.source()),
        _ => String::from("{}"),
    };
    let text = |of, key| text_field(of, key).unwrap_or_default();
    Some(ToolCall::new(text(call, "id"), text(function, "name"), arguments))
}

fn opaque(field: &Value) -> Option<Part> {
    Some(Part::Opaque(Opaque::new(NAME, RawValue::from_string(field.to_string()).ok()?)))
}

fn finish(word: String) -> Finish {
    match word.as_str() {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        // "load" and "unload" too: there was no prompt.
        _ => Finish::Other(word),
    }
}
