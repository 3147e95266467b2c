use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::NAME;
use crate::error::Error;
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::provider::Profile;
use crate::wire::body::Arguments;
use crate::wire::{Call, Output, Shape, body};

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    let limit = call.settings.max_tokens.or(profile.default_max_tokens());
    let temperature = call.settings.temperature.map(|t| ("temperature", Value::from(t)));
    let limit = limit.map(|n| (profile.max_tokens_field(), Value::from(n)));
    let options: Vec<(&str, Value)> = temperature.into_iter().chain(limit).collect();
    body::write(&call.settings.extra, |body| {
        body.put("model", call.model)?;
        body.put("messages", &turns(call))?;
        match call.output {
            Output::Text => {}
            Output::Object => body.put("format", "json")?,
            Output::Schema(shape) => body.put("format", shape.schema)?,
            // A call can't be forced: there is no word for it.
            Output::Tool { shape, .. } => body.put("tools", &[Tool::from(shape)])?,
            Output::Tools { tools, .. } => {
                body.put("tools", &tools.iter().copied().map(Tool::from).collect::<Vec<_>>())?;
            }
        }
        body.put_within("options", &options)?;
        // It streams unless it is told not to.
        body.put("stream", &call.streamed)
    })
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: &'a RawValue,
}

impl<'a> From<Shape<'a>> for Tool<'a> {
    fn from(shape: Shape<'a>) -> Self {
        let function = Function { name: shape.name, description: shape.description, parameters: shape.schema };
        Self { kind: "function", function }
    }
}

#[derive(Default, Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    tool_call_id: &'a str,
}

#[derive(Serialize)]
struct Called<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: NamedArguments<'a>,
}

#[derive(Serialize)]
struct NamedArguments<'a> {
    name: &'a str,
    arguments: Arguments<'a>,
}

/// All messages of a call: the caller's with what is added to them, then the turns of a re-ask.
fn turns<'a>(call: &'a Call<'_>) -> Vec<Turn<'a>> {
    let mut turns = Vec::with_capacity(call.messages.len() + call.turns.len() + 2);
    let first_system = call.messages.iter().position(|m| m.role() == Role::System);
    if let (Some(text), None) = (call.instructions, first_system) {
        turns.push(Turn { role: "system", content: Cow::Borrowed(text), ..Turn::default() });
    }
    let last = call.messages.len().wrapping_sub(1);
    let mut nudge = call.nudge;
    let mut calls = Vec::new();
    for (i, message) in call.messages.iter().enumerate() {
        let more = match message.role() {
            Role::System => call.instructions.filter(|_| first_system == Some(i)),
            Role::User if i == last => nudge.take(),
            _ => None,
        };
        push(message, more, &mut calls, &mut turns);
    }
    turns.extend(nudge.map(|text| Turn { role: "user", content: Cow::Borrowed(text), ..Turn::default() }));
    for message in call.turns {
        push(message, None, &mut calls, &mut turns);
    }
    turns
}

/// Adds a message, with what is added to its text; `calls` are those that have no result yet.
fn push<'a>(message: &'a Message, more: Option<&str>, calls: &mut Vec<&'a ToolCall>, turns: &mut Vec<Turn<'a>>) {
    let parts = message.parts();
    let text = message.text();
    let content = match more {
        Some(more) => Cow::Owned(format!("{text}\n\n{more}")),
        None => text,
    };
    match message.role() {
        Role::System => turns.push(Turn { role: "system", content, ..Turn::default() }),
        Role::User => {
            let images = parts.iter().filter_map(|part| match part {
                Part::Media(media) => Some(media.base64()),
                _ => None,
            });
            turns.push(Turn { role: "user", content, images: images.collect(), ..Turn::default() });
        }
        Role::Tool => turns.extend(parts.iter().filter_map(|part| match part {
            Part::ToolResult(ToolResult { call_id, text, .. }) => {
                // Older servers give calls no ids: those of one id are answered in their order.
                let at = calls.iter().position(|call| call.id == *call_id);
                let tool_name = at.map(|at| calls.remove(at).name.as_str());
                let content = Cow::Borrowed(text.as_str());
                Some(Turn { role: "tool", content, tool_name, tool_call_id: call_id, ..Turn::default() })
            }
            _ => None,
        })),
        _ => {
            *calls = parts.iter().filter_map(called).collect();
            let tool_calls: Vec<_> = calls
                .iter()
                .map(|ToolCall { id, name, arguments }| Called {
                    id,
                    kind: "function",
                    function: NamedArguments { name, arguments: Arguments(arguments) },
                })
                .collect();
            let thinking = parts.iter().find_map(thinking);
            turns.push(Turn { role: "assistant", content, thinking, tool_calls, ..Turn::default() });
        }
    }
}

fn called(part: &Part) -> Option<&ToolCall> {
    match part {
        Part::ToolCall(call) => Some(call),
        _ => None,
    }
}

/// What the model thought goes back in the field that it came in.
fn thinking(part: &Part) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Thought<'a> {
        #[serde(borrow)]
        thinking: &'a RawValue,
    }
    let Part::Opaque(opaque) = part else { return None };
    let thought: Thought<'_> = serde_json::from_str(opaque.for_wire(NAME)?.get()).ok()?;
    Some(thought.thinking)
}
