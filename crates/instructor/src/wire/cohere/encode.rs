use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::NAME;
use crate::error::Error;
use crate::message::{Message, Part, Role, ToolCall, ToolResult, join_text};
use crate::provider::Profile;
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Shape, body};

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    body::write(&call.settings.extra, |body| {
        body.put("model", call.model)?;
        if call.streamed {
            body.put("stream", &true)?;
        }
        body.put("messages", &turns(call, Forms::of(profile, call.model)))?;
        match call.output {
            Output::Text => {}
            Output::Object => body.put("response_format", &Format { kind: "json_object", json_schema: None })?,
            Output::Schema(shape) => {
                body.put("response_format", &Format { kind: "json_object", json_schema: Some(shape.schema) })?;
            }
            Output::Tool { shape, choice } => {
                body.put("tools", &[Tool::from(shape)])?;
                // A tool can't be named, and there is no word for the default; with one tool, "some tool" is this one.
                if choice != Choice::Auto {
                    body.put("tool_choice", "REQUIRED")?;
                }
                if shape.strict {
                    body.put("strict_tools", &true)?;
                }
            }
            Output::Tools { tools, choice } => {
                body.put("tools", &tools.iter().copied().map(Tool::from).collect::<Vec<_>>())?;
                if choice != Choice::Auto {
                    body.put("tool_choice", "REQUIRED")?;
                }
                if !tools.is_empty() && tools.iter().all(|tool| tool.strict) {
                    body.put("strict_tools", &true)?;
                }
            }
        }
        body.put_some("temperature", call.settings.temperature.as_ref())?;
        let limit = call.settings.max_tokens.or(profile.default_max_tokens());
        body.put_some(profile.max_tokens_field(), limit.as_ref())
    })
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<&'a RawValue>,
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
        Self { kind: "function", function: Function::from(shape) }
    }
}

impl<'a> From<Shape<'a>> for Function<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self { name: shape.name, description: shape.description, parameters: shape.schema }
    }
}

#[derive(Default, Serialize)]
struct Turn<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_plan: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Blocks(Vec<Block<'a>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Block<'a> {
    Text {
        #[serde(rename = "type")]
        kind: &'static str,
        text: &'a str,
    },
    Media(Shown<'a>),
    Verbatim(&'a RawValue),
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: NamedArguments<'a>,
}

#[derive(Serialize)]
struct NamedArguments<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// All messages of a call: the caller's with what is added to them, then the turns of a re-ask.
fn turns<'a>(call: &'a Call<'_>, forms: Forms) -> Vec<Turn<'a>> {
    let said = |role, text| Turn { role, content: Some(Content::Text(text)), ..Turn::default() };
    let asked = |message, more| Turn { role: "user", content: Some(mixed(message, more, forms)), ..Turn::default() };
    let first_system = call.messages.iter().position(|m| m.role() == Role::System);
    let last = call.messages.len().wrapping_sub(1);
    let mut turns = Vec::with_capacity(call.messages.len() + call.turns.len() + 2);
    if let (Some(text), None) = (call.instructions, first_system) {
        turns.push(said("system", Cow::Borrowed(text)));
    }
    let mut nudge = call.nudge;
    for (i, message) in call.messages.iter().enumerate() {
        match message.role() {
            Role::System => {
                turns.push(said("system", with(message, call.instructions.filter(|_| first_system == Some(i)))));
            }
            Role::User => {
                let nudge = if i == last { nudge.take() } else { None };
                turns.push(asked(message, nudge));
            }
            _ => answered(message, &mut turns),
        }
    }
    turns.extend(nudge.map(|text| said("user", Cow::Borrowed(text))));
    for message in call.turns {
        match message.role() {
            Role::System => turns.push(said("system", with(message, None))),
            Role::User => turns.push(asked(message, None)),
            _ => answered(message, &mut turns),
        }
    }
    turns
}

/// The text of a message, and what is added to it.
fn with<'a>(message: &'a Message, more: Option<&str>) -> Cow<'a, str> {
    let text = message.text();
    match more {
        Some(more) => Cow::Owned(format!("{text}\n\n{more}")),
        None => text,
    }
}

/// What the user says: a text, or blocks where there is media among them.
fn mixed<'a>(message: &'a Message, more: Option<&'a str>, forms: Forms) -> Content<'a> {
    if !message.parts().iter().any(|part| matches!(part, Part::Media(_))) {
        return Content::Text(with(message, more));
    }
    let said = |part: &'a Part| match part {
        Part::Media(media) => forms.show(media, Role::User).map(Block::Media),
        part => block(part),
    };
    let more = more.map(|text| Block::Text { kind: "text", text });
    Content::Blocks(message.parts().iter().filter_map(said).chain(more).collect())
}

/// What the model said is one turn, tool results are one each.
fn answered<'a>(message: &'a Message, turns: &mut Vec<Turn<'a>>) {
    let parts = message.parts();
    if message.role() == Role::Tool {
        turns.extend(parts.iter().filter_map(|part| match part {
            Part::ToolResult(ToolResult { call_id, text, .. }) => Some(Turn {
                role: "tool",
                tool_call_id: Some(call_id),
                content: Some(Content::Text(Cow::Borrowed(text))),
                ..Turn::default()
            }),
            _ => None,
        }));
        return;
    }
    let tool_plan = parts.iter().filter_map(opaque).find_map(plan);
    let blocks: Vec<Block<'a>> = parts.iter().filter_map(block).collect();
    let content = match &*blocks {
        [] => None,
        // Several texts stay apart, and so does what stands between them.
        [Block::Text { .. }] => Some(Content::Text(join_text(parts))),
        _ => Some(Content::Blocks(blocks)),
    };
    let tool_calls: Vec<Called<'a>> = parts.iter().filter_map(called).collect();
    // The API refuses a turn with neither.
    if content.is_some() || !tool_calls.is_empty() {
        turns.push(Turn { role: "assistant", content, tool_plan, tool_calls, ..Turn::default() });
    }
}

fn opaque(part: &Part) -> Option<&RawValue> {
    match part {
        Part::Opaque(opaque) => opaque.for_wire(NAME),
        _ => None,
    }
}

/// The plan that goes with calls is a field of the message, all other opaque blocks are content.
fn plan(raw: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Planned<'a> {
        #[serde(borrow, rename = "type")]
        kind: Option<&'a RawValue>,
        #[serde(borrow)]
        tool_plan: &'a RawValue,
    }
    let planned: Planned<'_> = serde_json::from_str(raw.get()).ok()?;
    planned.kind.is_none().then_some(planned.tool_plan)
}

fn block(part: &Part) -> Option<Block<'_>> {
    match part {
        Part::Text(text) => (!text.trim().is_empty()).then_some(Block::Text { kind: "text", text }),
        part => opaque(part).filter(|raw| plan(raw).is_none()).map(Block::Verbatim),
    }
}

fn called(part: &Part) -> Option<Called<'_>> {
    match part {
        Part::ToolCall(ToolCall { id, name, arguments }) => Some(Called {
            id,
            kind: "function",
            function: NamedArguments { name, arguments: body::arguments(arguments) },
        }),
        _ => None,
    }
}
