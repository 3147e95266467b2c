use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::NAME;
use crate::error::Error;
use crate::message::{Message, Part, PromptCache, Role, ToolCall, ToolResult};
use crate::provider::Profile;
use crate::wire::body::Arguments;
use crate::wire::cache;
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Shape, body};

/// The objects of the body that hold settings beside what is written here: fields that the caller adds to them stand
/// beside ours.
const MERGED: [&str; 3] = ["inferenceConfig", "toolConfig", "outputConfig"];

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    let given = &call.settings.extra;
    let mut extra = Cow::Borrowed(given);
    for key in MERGED.iter().filter(|key| given.get(**key).is_some_and(Value::is_object)) {
        extra.to_mut().shift_remove(*key);
    }
    cache::check(call)?;
    let forms = Forms::of(profile, call.model);
    let mut system: Vec<Block<'_>> = call
        .messages
        .iter()
        .filter(|m| m.role() == Role::System)
        .flat_map(|message| blocks(message, forms))
        .chain(call.instructions.map(Block::Text))
        .collect();
    let cached = call.settings.cache_schema.map(CachePoint::from);
    if let (Some(mark), false, Output::Text | Output::Object | Output::Schema(_)) =
        (cached, system.is_empty(), call.output)
    {
        system.push(Block::CachePoint(mark));
    }
    let limit = call.settings.max_tokens.or(profile.default_max_tokens());
    let mut inference = Vec::new();
    inference.extend(limit.map(|n| (profile.max_tokens_field(), Field::Count(n))));
    inference.extend(call.settings.temperature.map(|t| ("temperature", Field::Number(t))));
    let (mut tools, mut format) = (Vec::new(), Vec::new());
    match call.output {
        // There is no switch for "some JSON object": the mode's instructions have to do.
        Output::Text | Output::Object => {}
        Output::Schema(shape) => format.push(("textFormat", Field::Format(TextFormat::from(shape)))),
        Output::Tool { shape, choice } => {
            let all = [Tool::from(shape)].into_iter().chain(cached.map(Tool::CachePoint)).collect();
            tools.push(("tools", Field::Tools(all)));
            tools.extend(ToolChoice::new(choice, shape.name).map(|choice| ("toolChoice", Field::Choice(choice))));
        }
        Output::Tools { tools: several, choice } => {
            let all = several.iter().copied().map(Tool::from).chain(cached.map(Tool::CachePoint)).collect();
            tools.push(("tools", Field::Tools(all)));
            let choice = ToolChoice::new(if choice == Choice::Auto { choice } else { Choice::Any }, "");
            tools.extend(choice.map(|choice| ("toolChoice", Field::Choice(choice))));
        }
    }
    body::write(&extra, |body| {
        if !system.is_empty() {
            body.put("system", &system)?;
        }
        body.put("messages", &turns(call, forms))?;
        for (key, ours) in MERGED.into_iter().zip([inference, tools, format]) {
            let merged = Merged { ours, given: given.get(key).and_then(Value::as_object) };
            if !merged.is_empty() {
                body.put(key, &merged)?;
            }
        }
        Ok(())
    })
}

/// An object of our fields and the caller's, which win.
struct Merged<'a> {
    ours: Vec<(&'a str, Field<'a>)>,
    given: Option<&'a Map<String, Value>>,
}

impl Merged<'_> {
    fn is_empty(&self) -> bool {
        self.ours.is_empty() && self.given.is_none_or(Map::is_empty)
    }
}

impl Serialize for Merged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, field) in &self.ours {
            if self.given.is_none_or(|given| !given.contains_key(*key)) {
                map.serialize_entry(key, field)?;
            }
        }
        for (key, value) in self.given.into_iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Count(u64),
    Number(f64),
    Tools(Vec<Tool<'a>>),
    Choice(ToolChoice<'a>),
    Format(TextFormat<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Tool<'a> {
    ToolSpec(ToolSpec<'a>),
    /// What stands before it may be kept.
    CachePoint(CachePoint),
}

#[derive(Clone, Copy, Serialize)]
struct CachePoint {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<PromptCache> for CachePoint {
    fn from(mark: PromptCache) -> Self {
        Self { kind: "default", ttl: cache::time(mark) }
    }
}

impl<'a> From<Shape<'a>> for Tool<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self::ToolSpec(shape.into())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolSpec<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: Json<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    json: &'a RawValue,
}

impl<'a> From<Shape<'a>> for ToolSpec<'a> {
    fn from(shape: Shape<'a>) -> Self {
        let input_schema = Json { json: shape.schema };
        Self { name: shape.name, description: shape.description, input_schema, strict: shape.strict }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum ToolChoice<'a> {
    Any {},
    Tool { name: &'a str },
}

impl<'a> ToolChoice<'a> {
    /// `auto` is what no choice means, and models that can't be told to call a tool refuse the field itself.
    const fn new(choice: Choice, name: &'a str) -> Option<Self> {
        match choice {
            Choice::Auto => None,
            Choice::Any => Some(Self::Any {}),
            Choice::Named => Some(Self::Tool { name }),
        }
    }
}

#[derive(Serialize)]
struct TextFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    structure: Structure<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Structure<'a> {
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// The schema's text, as a string.
    schema: &'a str,
}

impl<'a> From<Shape<'a>> for TextFormat<'a> {
    fn from(shape: Shape<'a>) -> Self {
        let json_schema = JsonSchema { name: shape.name, description: shape.description, schema: shape.schema.get() };
        Self { kind: "json_schema", structure: Structure { json_schema } }
    }
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

/// The conversation without its system text. Neighbours of one role become one turn: the API wants them in turns, and
/// all tool results of a turn together.
fn turns<'a>(call: &'a Call<'_>, forms: Forms) -> Vec<Turn<'a>> {
    let role = |message: &Message| if message.role() == Role::Assistant { "assistant" } else { "user" };
    let said = |message: &'a Message| blocks(message, forms).map(move |block| (role(message), block));
    let spoken = |messages: &'a [Message]| messages.iter().filter(|m| m.role() != Role::System).flat_map(said);
    let nudge = call.nudge.map(|text| ("user", Block::Text(text)));
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(call.messages.len() + call.turns.len());
    for (role, block) in spoken(call.messages).chain(nudge).chain(spoken(call.turns)) {
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.content.push(block),
            _ => turns.push(Turn { role, content: vec![block] }),
        }
    }
    // No two documents may have the same name, and each has to have one.
    let mut count = 0;
    for block in turns.iter_mut().flat_map(|turn| &mut turn.content) {
        let within = match block {
            Block::ToolResult { content, .. } => content.as_mut_slice(),
            block => std::slice::from_mut(block),
        };
        for block in within {
            count += 1;
            if let Block::Media(shown) = block {
                shown.number(count);
            }
        }
    }
    turns
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Block<'a> {
    Text(&'a str),
    ToolUse {
        tool_use_id: &'a str,
        name: &'a str,
        input: Arguments<'a>,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: Vec<Self>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<&'static str>,
    },
    CachePoint(CachePoint),
    #[serde(untagged)]
    Media(Shown<'a>),
    #[serde(untagged)]
    Verbatim(&'a RawValue),
}

fn blocks(message: &Message, forms: Forms) -> impl Iterator<Item = Block<'_>> {
    let role = message.role();
    message.parts().iter().enumerate().filter_map(move |(at, part)| match part {
        // The API refuses blank text blocks.
        Part::Text(text) => (!text.trim().is_empty()).then_some(Block::Text(text)),
        Part::ToolCall(ToolCall { id, name, arguments }) => {
            Some(Block::ToolUse { tool_use_id: id, name, input: Arguments(arguments) })
        }
        Part::ToolResult(ToolResult { call_id, text, is_error }) => {
            let mut content: Vec<Block<'_>> =
                message.media_of_result(at).filter_map(|media| forms.show(media, role)).map(Block::Media).collect();
            if content.is_empty() || !text.trim().is_empty() {
                content.insert(0, Block::Text(text));
            }
            // "success" is the default, and not every model takes the field.
            Some(Block::ToolResult { tool_use_id: call_id, content, status: is_error.then_some("error") })
        }
        Part::Opaque(opaque) => opaque.for_wire(NAME).map(Block::Verbatim),
        Part::Media(_) if role == Role::Tool => None,
        Part::Media(media) => forms.show(media, role).map(Block::Media),
        Part::CachePoint(mark) => Some(Block::CachePoint((*mark).into())),
    })
}
