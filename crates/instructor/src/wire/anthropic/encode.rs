use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::NAME;
use crate::error::Error;
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::provider::Profile;
use crate::wire::body::Arguments;
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Settings, Shape, body};

/// What the API wants where the caller and the profile say nothing: it has no default of its own.
const MAX_TOKENS: u64 = 8192;

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    let forms = Forms::of(profile, call.model);
    let system: Vec<Block<'_>> = call
        .messages
        .iter()
        .filter(|m| m.role() == Role::System)
        .flat_map(|message| blocks(message, forms))
        .chain(call.instructions.map(|text| Block::Text { text }))
        .collect();
    body::write(&call.settings.extra, |body| {
        body.put("model", call.model)?;
        body.put("max_tokens", &call.settings.max_tokens.or(profile.default_max_tokens()).unwrap_or(MAX_TOKENS))?;
        if !system.is_empty() {
            body.put("system", &Content(&system))?;
        }
        body.put("messages", &turns(call, forms))?;
        match call.output {
            // There is no switch for "some JSON object": the mode's instructions have to do.
            Output::Text | Output::Object => {}
            Output::Schema(shape) => {
                let format = Format { kind: "json_schema", schema: shape.schema };
                body.put("output_config", &OutputConfig { format })?;
            }
            Output::Tool { shape, choice } => {
                body.put("tools", &[Tool::from(shape)])?;
                let choice = if thinks(call.settings) { Choice::Auto } else { choice };
                body.put("tool_choice", &ToolChoice::new(choice, shape.name))?;
            }
            Output::Tools { tools, choice } => {
                body.put("tools", &tools.iter().copied().map(Tool::from).collect::<Vec<_>>())?;
                let free = choice == Choice::Auto || thinks(call.settings);
                body.put("tool_choice", &ToolChoice::several(if free { Choice::Auto } else { Choice::Any }))?;
            }
        }
        body.put_some("temperature", call.settings.temperature.as_ref())
    })
}

/// With a thinking budget the API refuses to be told to call a tool.
fn thinks(settings: &Settings) -> bool {
    settings.extra.get("thinking").and_then(|t| t.get("type")).is_some_and(|kind| kind == "enabled")
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: &'a RawValue,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

impl<'a> From<Shape<'a>> for Tool<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self { name: shape.name, description: shape.description, input_schema: shape.schema, strict: shape.strict }
    }
}

#[derive(Serialize)]
struct ToolChoice<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_parallel_tool_use: bool,
}

impl<'a> ToolChoice<'a> {
    fn new(choice: Choice, name: &'a str) -> Self {
        let (kind, name) = match choice {
            Choice::Auto => ("auto", None),
            Choice::Any => ("any", None),
            Choice::Named => ("tool", Some(name)),
        };
        Self { kind, name, disable_parallel_tool_use: true }
    }

    fn several(choice: Choice) -> Self {
        Self { disable_parallel_tool_use: false, ..Self::new(choice, "") }
    }
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    #[serde(serialize_with = "spoken")]
    content: Vec<Block<'a>>,
}

/// The conversation without its system text. Neighbours of one role become one turn, so that all tool results of a
/// turn stand together at its start, as the API demands.
fn turns<'a>(call: &'a Call<'_>, forms: Forms) -> Vec<Turn<'a>> {
    let role = |message: &Message| if message.role() == Role::Assistant { "assistant" } else { "user" };
    let said = |message: &'a Message| blocks(message, forms).map(move |block| (role(message), block));
    let spoken = |messages: &'a [Message]| messages.iter().filter(|m| m.role() != Role::System).flat_map(said);
    let nudge = call.nudge.map(|text| ("user", Block::Text { text }));
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(call.messages.len() + call.turns.len());
    for (role, block) in spoken(call.messages).chain(nudge).chain(spoken(call.turns)) {
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.content.push(block),
            _ => turns.push(Turn { role, content: vec![block] }),
        }
    }
    turns
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text {
        text: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Arguments<'a>,
    },
    ToolResult {
        tool_use_id: &'a str,
        #[serde(serialize_with = "spoken")]
        content: Vec<Self>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    #[serde(untagged)]
    Media(Shown<'a>),
    #[serde(untagged)]
    Verbatim(&'a RawValue),
}

fn blocks(message: &Message, forms: Forms) -> impl Iterator<Item = Block<'_>> {
    let role = message.role();
    message.parts().iter().enumerate().filter_map(move |(at, part)| match part {
        // The API refuses empty text blocks.
        Part::Text(text) => (!text.trim().is_empty()).then_some(Block::Text { text }),
        Part::ToolCall(ToolCall { id, name, arguments }) => {
            Some(Block::ToolUse { id, name, input: Arguments(arguments) })
        }
        Part::ToolResult(ToolResult { call_id, text, is_error }) => {
            let mut content: Vec<Block<'_>> =
                message.media_of_result(at).filter_map(|media| forms.show(media, role)).map(Block::Media).collect();
            if content.is_empty() || !text.trim().is_empty() {
                content.insert(0, Block::Text { text });
            }
            Some(Block::ToolResult { tool_use_id: call_id, content, is_error: *is_error })
        }
        Part::Opaque(opaque) => opaque.for_wire(NAME).map(Block::Verbatim),
        Part::Media(_) if role == Role::Tool => None,
        Part::Media(media) => forms.show(media, role).map(Block::Media),
    })
}

/// One text is said as a string, anything else as a list of blocks.
struct Content<'a, 'b>(&'b [Block<'a>]);

impl Serialize for Content<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [Block::Text { text }] => serializer.serialize_str(text),
            blocks => serializer.collect_seq(blocks),
        }
    }
}

fn spoken<S: Serializer>(blocks: &[Block<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    Content(blocks).serialize(serializer)
}
