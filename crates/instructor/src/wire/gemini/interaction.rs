//! Answers of the same service's interactions, as logs hold them. They are read and never asked for: an interaction has a
//! state on the server, which a re-ask here does not want.

use std::borrow::Cow;

use instructor_json::{Document, Node};
use serde_json::{Map, Value, json};

use crate::growth::append;
use crate::message::{Part, ToolCall};
use crate::wire::response::{Finish, Response, Usage, count_field, sum, text_field};
use crate::wire::{Failure, Undecoded};

/// Whether this is one, or an event of one that is streamed.
pub(super) fn is_one(root: Node<'_>) -> bool {
    root.get("object").is_some_and(|object| object.is_str("interaction")) || root.get("event_type").is_some()
}

pub(super) fn response(root: Node<'_>) -> Result<Response, Undecoded> {
    let status = text_field(root, "status");
    if status.as_deref() == Some("failed") || root.get("error").is_some_and(|error| !error.is_null()) {
        return Err(Undecoded::Failure(Failure::in_success(root)));
    }
    let mut response = Response {
        id: text_field(root, "id"),
        model: text_field(root, "model"),
        finish: status.map(finish),
        usage: root.get("usage").map(usage).unwrap_or_default(),
        ..Response::default()
    };
    for step in root.get("steps").into_iter().flat_map(Node::items) {
        let text = |key| text_field(step, key).unwrap_or_default();
        match &*text("type") {
            "model_output" => response.parts.extend(texts(step, "content").map(Part::Text)),
            "thought" => {
                let thought: String = texts(step, "summary").chain(texts(step, "content")).collect();
                if !thought.is_empty() {
                    response.reasoning.get_or_insert_default().push_str(&thought);
                }
            }
            "function_call" => {
                let arguments = step.get("arguments").filter(|arguments| !arguments.is_null());
                let arguments = arguments.map(|node| node.as_str().unwrap_or(Cow::Borrowed(node.source())));
                let arguments = arguments.unwrap_or(Cow::Borrowed("{}"));
                response.parts.push(Part::ToolCall(ToolCall::new(text("id"), text("name"), arguments)));
            }
            // What the service's own tools did.
            _ => {}
        }
    }
    Ok(response)
}

fn texts<'a>(step: Node<'a>, key: &str) -> impl Iterator<Item = String> {
    step.get(key).into_iter().flat_map(Node::items).filter_map(|block| text_field(block, "text"))
}

fn finish(status: String) -> Finish {
    match status.as_str() {
        "completed" => Finish::Stop,
        "requires_action" => Finish::ToolCalls,
        "incomplete" => Finish::Length,
        _ => Finish::Other(status),
    }
}

fn usage(node: Node<'_>) -> Usage {
    let count = |key| count_field(node, key);
    let thought = count("total_thought_tokens");
    Usage {
        input: sum(count("total_input_tokens"), count("total_tool_use_tokens")),
        output: sum(count("total_output_tokens"), thought),
        cached: count("total_cached_tokens"),
        reasoning: thought,
        ..Usage::default()
    }
}

/// Puts the events of one together.
#[derive(Default)]
pub(super) struct Events {
    /// All but the steps, as the last event gave it.
    interaction: Map<String, Value>,
    steps: Vec<(u64, Map<String, Value>)>,
    ended: bool,
}

impl Events {
    pub(super) fn event(&mut self, event: Node<'_>) -> Result<(), Undecoded> {
        let at = event.get("index").and_then(Node::as_u64).unwrap_or_default();
        let object = |key| -> Option<Map<String, Value>> { serde_json::from_str(event.get(key)?.source()).ok() };
        match &*text_field(event, "event_type").unwrap_or_default() {
            "step.start" => self.steps.extend(object("step").map(|step| (at, step))),
            "step.delta" => {
                let step = self.steps.iter_mut().rfind(|(index, _)| *index == at);
                if let (Some((_, step)), Some(delta)) = (step, event.get("delta")) {
                    grow(step, delta);
                }
            }
            "error" => return Err(Undecoded::Failure(Failure::in_success(event))),
            name => {
                let more = object("interaction").unwrap_or_default();
                self.ended |=
                    name == "interaction.completed" || more.get("status").is_some_and(|s| s == "requires_action");
                self.interaction.extend(more);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Response, Undecoded> {
        let Self { mut interaction, steps, ended } = self;
        if !ended {
            return Err(Undecoded::Unreadable(String::from("the stream ended before the answer did")));
        }
        if !interaction.contains_key("steps") {
            interaction.insert(String::from("steps"), steps.into_iter().map(|(_, step)| Value::Object(step)).collect());
        }
        let whole = Value::Object(interaction).to_string();
        let doc = Document::parse(&whole).map_err(|e| Undecoded::Unreadable(e.to_string()))?;
        response(doc.root())
    }
}

/// A delta is a piece of the step's text, or of its fields; arguments come as text.
fn grow(step: &mut Map<String, Value>, delta: Node<'_>) {
    let text = delta.get("text").or_else(|| delta.get("content").and_then(|content| content.get("text")));
    if let Some(text) = text.and_then(Node::as_str) {
        let content = step.entry("content").or_insert_with(|| json!([{ "type": "text", "text": "" }]));
        if let Some(Value::String(so_far)) = content.pointer_mut("/0/text") {
            append(so_far, &text);
        }
        return;
    }
    for (key, more) in delta.entries() {
        let (Some(key), Some(more)) = (key.as_str(), more.as_str()) else { continue };
        match step.get_mut(&*key) {
            _ if key == "type" => {}
            Some(Value::String(so_far)) => so_far.push_str(&more),
            _ => _ = step.insert(key.into_owned(), Value::from(&*more)),
        }
    }
}
