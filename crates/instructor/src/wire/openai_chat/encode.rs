use std::fmt;

use serde::ser::{SerializeSeq, Serializer};
use serde::{Serialize, ser};
use serde_json::value::RawValue;

use super::NAME;
use crate::error::Error;
use crate::message::{Message, Opaque, Part, Role, ToolCall, ToolResult, join_text};
use crate::provider::{Profile, Quirks};
use crate::wire::cache::{self, Marked};
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Shape, body};

const CACHE_KEY: &str = "prompt_cache_key";

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    let quirks = profile.quirks();
    let marks = quirks.contains(Quirks::CACHE_CONTROL);
    let habits = Habits { echo: quirks.contains(Quirks::ECHO_REASONING), marks, forms: Forms::of(profile, call.model) };
    let cached = call.settings.cache_schema.filter(|_| marks);
    if marks {
        cache::check(call)?;
    }
    body::write(&call.settings.extra, |body| {
        body.put("model", call.model)?;
        body.put("messages", &Turns { call, habits })?;
        match call.output {
            Output::Text => {}
            Output::Object => body.put("response_format", &Format { kind: "json_object", json_schema: None })?,
            Output::Schema(shape) => {
                body.put(
                    "response_format",
                    &Format { kind: "json_schema", json_schema: Some(JsonSchema::from(shape)) },
                )?;
            }
            Output::Tool { shape, choice } => {
                body.put("tools", &[Marked { part: Tool::from(shape), mark: cached }])?;
                body.put("tool_choice", &ToolChoice { choice: spoken(choice, profile), name: shape.name })?;
            }
            Output::Tools { tools, choice } => {
                let mut tools: Vec<_> = tools.iter().copied().map(|shape| Marked::not(Tool::from(shape))).collect();
                if let Some(last) = tools.last_mut() {
                    last.mark = cached;
                }
                body.put("tools", &tools)?;
                let choice = if choice == Choice::Auto { choice } else { Choice::Any };
                body.put("tool_choice", &ToolChoice { choice, name: "" })?;
            }
        }
        body.put_some("temperature", call.settings.temperature.as_ref())?;
        body.put_some(profile.max_tokens_field(), call.settings.max_tokens.as_ref())?;
        body.put_some(CACHE_KEY, call.settings.cache_key.as_ref().filter(|_| quirks.contains(Quirks::CACHE_KEY)))?;
        if call.streamed {
            body.put("stream", &true)?;
            // Without being asked for, most servers count nothing.
            if !quirks.contains(Quirks::NO_STREAM_OPTIONS) {
                body.put("stream_options", &StreamOptions { include_usage: true })?;
            }
        }
        Ok(())
    })
}

/// The nearest choice that the server understands.
fn spoken(choice: Choice, profile: &Profile) -> Choice {
    match choice {
        // Servers that take only the string forms have no way to name one; with one tool, "required" says the same.
        Choice::Named if profile.quirks().contains(Quirks::CHOICE_IS_WORD) => Choice::Any,
        choice => choice,
    }
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<JsonSchema<'a>>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a RawValue,
    strict: bool,
}

impl<'a> From<Shape<'a>> for JsonSchema<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self { name: shape.name, description: shape.description, schema: shape.schema, strict: shape.strict }
    }
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

impl<'a> From<Shape<'a>> for Tool<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self { kind: "function", function: Function::from(shape) }
    }
}

impl<'a> From<Shape<'a>> for Function<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self { name: shape.name, description: shape.description, parameters: shape.schema, strict: shape.strict }
    }
}

struct ToolChoice<'a> {
    choice: Choice,
    name: &'a str,
}

impl Serialize for ToolChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            function: Name<'a>,
        }
        #[derive(Serialize)]
        struct Name<'a> {
            name: &'a str,
        }
        match self.choice {
            Choice::Auto => serializer.serialize_str("auto"),
            Choice::Any => serializer.serialize_str("required"),
            Choice::Named => Named { kind: "function", function: Name { name: self.name } }.serialize(serializer),
        }
    }
}

/// All messages of a call: the caller's with the mode's additions, then the turns of a re-ask.
struct Turns<'a> {
    call: &'a Call<'a>,
    habits: Habits,
}

/// What is special in the server's turns.
#[derive(Clone, Copy)]
struct Habits {
    /// Whether it wants back what the model thought.
    echo: bool,
    /// Whether it takes marks for the cache.
    marks: bool,
    /// What it takes of media.
    forms: Forms,
}

impl Serialize for Turns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let call = self.call;
        let mut seq = serializer.serialize_seq(None)?;
        let first_system = call.messages.iter().position(|m| m.role() == Role::System);
        let last = call.messages.len().wrapping_sub(1);
        if let (Some(text), None) = (call.instructions, first_system) {
            seq.serialize_element(&Turn::said("system", Text::Plain(text)))?;
        }
        for (i, message) in call.messages.iter().enumerate() {
            let instructions = call.instructions.filter(|_| first_system == Some(i));
            let nudge = call.nudge.filter(|_| i == last && message.role() == Role::User);
            turns(&mut seq, message, instructions.or(nudge), self.habits)?;
        }
        if let Some(text) = call.nudge.filter(|_| call.messages.last().is_none_or(|m| m.role() != Role::User)) {
            seq.serialize_element(&Turn::said("user", Text::Plain(text)))?;
        }
        for message in call.turns {
            turns(&mut seq, message, None, self.habits)?;
        }
        seq.end()
    }
}

/// One message is one turn, but for tool results, which are one each.
fn turns<S: SerializeSeq>(seq: &mut S, message: &Message, more: Option<&str>, habits: Habits) -> Result<(), S::Error> {
    let Habits { echo, marks, forms } = habits;
    let parts = message.parts();
    let role = message.role();
    let mixed = |part: &Part| match part {
        Part::Media(_) => true,
        Part::CachePoint(_) => marks,
        _ => false,
    };
    let text = if parts.iter().any(mixed) {
        Text::Mixed { parts, more, marks, forms, role }
    } else {
        Text::Parts { parts, more }
    };
    match role {
        Role::System => seq.serialize_element(&Turn::said("system", text)),
        Role::User => seq.serialize_element(&Turn::said("user", text)),
        Role::Assistant => seq.serialize_element(&Assistant { message, echo }),
        Role::Tool => parts.iter().enumerate().try_for_each(|(at, part)| match part {
            Part::ToolResult(ToolResult { call_id, text, .. }) => {
                let media: Vec<_> = message.media_of_result(at).filter_map(|media| forms.show(media, role)).collect();
                let text = if media.is_empty() { Text::Plain(text) } else { Text::Result { text, media } };
                seq.serialize_element(&Turn { tool_call_id: Some(call_id), ..Turn::said("tool", text) })
            }
            _ => Ok(()),
        }),
    }
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    content: Text<'a>,
}

impl<'a> Turn<'a> {
    const fn said(role: &'static str, content: Text<'a>) -> Self {
        Self { role, tool_call_id: None, content }
    }
}

/// A content string, put together while it is written; a list of parts where there is media among them.
enum Text<'a> {
    Plain(&'a str),
    Parts { parts: &'a [Part], more: Option<&'a str> },
    Mixed { parts: &'a [Part], more: Option<&'a str>, marks: bool, forms: Forms, role: Role },
    Result { text: &'a str, media: Vec<Shown<'a>> },
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Parts { parts: [Part::Text(text)], more: None } => serializer.serialize_str(text),
            Self::Parts { parts, more } => serializer.collect_str(&Joined { parts, more: *more }),
            Self::Result { text, media } => {
                let mut seq = serializer.serialize_seq(None)?;
                if !text.is_empty() {
                    seq.serialize_element(&TextPart::new(text))?;
                }
                media.iter().try_for_each(|shown| seq.serialize_element(shown))?;
                seq.end()
            }
            Self::Mixed { parts, more, marks, forms, role } => {
                let mut seq = serializer.serialize_seq(None)?;
                for (at, part) in parts.iter().enumerate() {
                    let mark = match parts.get(at + 1) {
                        Some(Part::CachePoint(mark)) if *marks => Some(*mark),
                        _ => None,
                    };
                    match part {
                        Part::Text(text) => seq.serialize_element(&Marked { part: TextPart::new(text), mark })?,
                        Part::Media(media) => {
                            if let Some(part) = forms.show(media, *role) {
                                seq.serialize_element(&Marked { part, mark })?;
                            }
                        }
                        _ => {}
                    }
                }
                if let Some(more) = more {
                    seq.serialize_element(&TextPart::new(more))?;
                }
                seq.end()
            }
        }
    }
}

/// The texts of a message as one.
struct Joined<'a> {
    parts: &'a [Part],
    more: Option<&'a str>,
}

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join_text(self.parts))?;
        self.more.map_or(Ok(()), |more| write!(f, "\n\n{more}"))
    }
}

#[derive(Serialize)]
struct TextPart<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

impl<'a> TextPart<'a> {
    const fn new(text: &'a str) -> Self {
        Self { kind: "text", text }
    }
}

/// What the model said, with its calls; and, for servers that want it back, what it thought.
struct Assistant<'a> {
    message: &'a Message,
    echo: bool,
}

impl Serialize for Assistant<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use ser::SerializeMap;
        let parts = self.message.parts();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", "assistant")?;
        let text = join_text(parts);
        let calls = Calls(parts);
        let called = calls.iter().next().is_some();
        if text.is_empty() && called {
            map.serialize_entry("content", &())?;
        } else {
            map.serialize_entry("content", &*text)?;
        }
        if called {
            map.serialize_entry("tool_calls", &calls)?;
        }
        if self.echo {
            for part in parts {
                let Part::Opaque(opaque) = part else { continue };
                for (key, value) in opaque_fields(opaque) {
                    map.serialize_entry(&key, &value)?;
                }
            }
        }
        map.end()
    }
}

/// An opaque block of this protocol is an object of message fields.
fn opaque_fields(opaque: &Opaque) -> serde_json::Map<String, serde_json::Value> {
    opaque.for_wire(NAME).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

struct Calls<'a>(&'a [Part]);

impl<'a> Calls<'a> {
    fn iter(&self) -> impl Iterator<Item = &'a ToolCall> {
        self.0.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Called<'a> {
            id: &'a str,
            #[serde(rename = "type")]
            kind: &'static str,
            function: Arguments<'a>,
        }
        #[derive(Serialize)]
        struct Arguments<'a> {
            name: &'a str,
            arguments: &'a str,
        }
        serializer.collect_seq(self.iter().map(|call| Called {
            id: &call.id,
            kind: "function",
            function: Arguments { name: &call.name, arguments: body::arguments(&call.arguments) },
        }))
    }
}
