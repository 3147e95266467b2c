use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::NAME;
use crate::error::Error;
use crate::message::{Message, Part, PromptCache, Role, ToolCall, ToolResult};
use crate::provider::Profile;
use crate::wire::body::Arguments;
use crate::wire::cache::{self, Marked};
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Settings, Shape, body};

/// What the API wants where the caller and the profile say nothing: it has no default of its own.
const MAX_TOKENS: u64 = 8192;

pub(super) fn body(call: &Call<'_>, profile: &Profile, version: Option<&str>) -> Result<Vec<u8>, Error> {
    cache::check(call)?;
    let forms = Forms::of(profile, call.model);
    let mut system: Vec<Marked<Block<'_>>> = Vec::new();
    for piece in call.messages.iter().filter(|m| m.role() == Role::System).flat_map(|m| pieces(m, forms)) {
        match piece {
            Piece::Block(block) => system.push(Marked::not(block)),
            Piece::Mark(mark) => mark_last(&mut system, mark),
        }
    }
    system.extend(call.instructions.map(|text| Marked::not(Block::Text { text })));
    let cached = call.settings.cache_schema;
    if let (Some(mark), Output::Text | Output::Object | Output::Schema(_)) = (cached, call.output) {
        mark_last(&mut system, mark);
    }
    body::write(&call.settings.extra, |body| {
        match version {
            Some(version) => body.put("anthropic_version", version)?,
            None => body.put("model", call.model)?,
        }
        if call.streamed {
            body.put("stream", &true)?;
        }
        let limit = call.settings.max_tokens.or(profile.default_max_tokens());
        body.put("max_tokens", &limit.unwrap_or_else(|| MAX_TOKENS.saturating_add(budget(call.settings))))?;
        if !system.is_empty() {
            body.put("system", &Content(&system))?;
        }
        body.put("messages", &turns(call, forms))?;
        match call.output {
            // There is no switch for "some JSON object": the mode's instructions have to do.
            Output::Text | Output::Object => {}
            Output::Schema(shape) => {
                // The caller's other fields of it, such as an effort, stay.
                let format = Format { kind: "json_schema", schema: shape.schema };
                body.put_within("output_config", &[("format", format)])?;
            }
            Output::Tool { shape, choice } => {
                body.put("tools", &[Marked { part: Tool::from(shape), mark: cached }])?;
                body.put("tool_choice", &ToolChoice::new(choice, shape.name))?;
            }
            Output::Tools { tools, choice } => {
                let mut tools: Vec<_> = tools.iter().copied().map(|shape| Marked::not(Tool::from(shape))).collect();
                if let Some(mark) = cached {
                    mark_last(&mut tools, mark);
                }
                body.put("tools", &tools)?;
                let choice = if choice == Choice::Auto { choice } else { Choice::Any };
                body.put("tool_choice", &ToolChoice::several(choice))?;
            }
        }
        body.put_some("temperature", call.settings.temperature.as_ref())
    })
}

/// The limit has to be above the thinking budget, which counts against it.
fn budget(settings: &Settings) -> u64 {
    settings.extra.get("thinking").and_then(|t| t.get("budget_tokens")?.as_u64()).unwrap_or_default()
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
    content: Vec<Marked<Block<'a>>>,
}

/// The conversation without its system text. Neighbours of one role become one turn, so that all tool results of a
/// turn stand together at its start, as the API demands.
fn turns<'a>(call: &'a Call<'_>, forms: Forms) -> Vec<Turn<'a>> {
    let role = |message: &Message| if message.role() == Role::Assistant { "assistant" } else { "user" };
    let said = |message: &'a Message| pieces(message, forms).map(move |piece| (role(message), piece));
    let spoken = |messages: &'a [Message]| messages.iter().filter(|m| m.role() != Role::System).flat_map(said);
    let nudge = call.nudge.map(|text| ("user", Piece::Block(Block::Text { text })));
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(call.messages.len() + call.turns.len());
    for (role, piece) in spoken(call.messages).chain(nudge).chain(spoken(call.turns)) {
        match (piece, turns.last_mut()) {
            (Piece::Mark(mark), Some(turn)) => {
                // What goes back word for word, such as a thought, takes no mark.
                let own = |said: &&mut Marked<Block<'_>>| !matches!(said.part, Block::Verbatim(_));
                if let Some(last) = turn.content.iter_mut().rev().find(own) {
                    last.mark = Some(mark);
                }
            }
            (Piece::Mark(_), None) => {}
            (Piece::Block(block), Some(turn)) if turn.role == role => turn.content.push(Marked::not(block)),
            (Piece::Block(block), _) => turns.push(Turn { role, content: vec![Marked::not(block)] }),
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
        content: Vec<Marked<Self>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    #[serde(untagged)]
    Media(Shown<'a>),
    #[serde(untagged)]
    Verbatim(&'a RawValue),
}

/// What a part adds to a turn.
enum Piece<'a> {
    Block(Block<'a>),
    /// A mark on the block before it.
    Mark(PromptCache),
}

fn mark_last<T>(parts: &mut [Marked<T>], mark: PromptCache) {
    if let Some(last) = parts.last_mut() {
        last.mark = Some(mark);
    }
}

fn pieces(message: &Message, forms: Forms) -> impl Iterator<Item = Piece<'_>> {
    let role = message.role();
    message.parts().iter().enumerate().filter_map(move |(at, part)| match part {
        // The API refuses empty text blocks.
        Part::Text(text) => (!text.trim().is_empty()).then_some(Piece::Block(Block::Text { text })),
        Part::ToolCall(ToolCall { id, name, arguments }) => {
            Some(Piece::Block(Block::ToolUse { id, name, input: Arguments(arguments) }))
        }
        Part::ToolResult(ToolResult { call_id, text, is_error }) => {
            let shown = message.media_of_result(at).filter_map(|media| forms.show(media, role));
            let mut content: Vec<_> = shown.map(|shown| Marked::not(Block::Media(shown))).collect();
            if content.is_empty() || !text.trim().is_empty() {
                content.insert(0, Marked::not(Block::Text { text }));
            }
            Some(Piece::Block(Block::ToolResult { tool_use_id: call_id, content, is_error: *is_error }))
        }
        Part::Opaque(opaque) => opaque.for_wire(NAME).map(Block::Verbatim).map(Piece::Block),
        Part::Media(_) if role == Role::Tool => None,
        Part::Media(media) => forms.show(media, role).map(Block::Media).map(Piece::Block),
        Part::CachePoint(mark) => Some(Piece::Mark(*mark)),
    })
}

/// One text is said as a string, anything else as a list of blocks.
struct Content<'a, 'b>(&'b [Marked<Block<'a>>]);

impl Serialize for Content<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [Marked { part: Block::Text { text }, mark: None }] => serializer.serialize_str(text),
            blocks => serializer.collect_seq(blocks),
        }
    }
}

fn spoken<S: Serializer>(blocks: &[Marked<Block<'_>>], serializer: S) -> Result<S::Ok, S::Error> {
    Content(blocks).serialize(serializer)
}
