use instructor_json::{Document, Node};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::NAME;
use super::decode::said;
use crate::error::Error;
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::provider::models::family;
use crate::provider::{Profile, Quirks};
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Settings, Shape, body};

/// What the server adds to reasoning items so that they can be sent back to one that has kept nothing.
const SEALED: &str = "reasoning.encrypted_content";

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    let settings = call.settings;
    let stored = is_stored(settings);
    body::write(&settings.extra, |body| {
        body.put("model", call.model)?;
        if call.streamed {
            body.put("stream", &true)?;
        }
        body.put("input", &input(call, stored, Forms::of(profile, call.model)))?;
        match call.output {
            Output::Text => {}
            Output::Object => body.put_within("text", &[("format", Format::of("json_object"))])?,
            Output::Schema(shape) => {
                body.put_within("text", &[("format", Format::from(shape))])?;
            }
            Output::Tool { shape, choice } => {
                body.put_before("tools", &[Tool::from(shape)])?;
                body.put("tool_choice", &ToolChoice { choice: spoken(choice, settings, profile), name: shape.name })?;
            }
            Output::Tools { tools, choice } => {
                body.put_before("tools", &tools.iter().copied().map(Tool::from).collect::<Vec<_>>())?;
                let choice = if choice == Choice::Auto { choice } else { Choice::Any };
                body.put("tool_choice", &ToolChoice { choice: spoken(choice, settings, profile), name: "" })?;
            }
        }
        body.put_some("temperature", settings.temperature.as_ref())?;
        let limit = settings.max_tokens.or(profile.default_max_tokens());
        body.put_some(profile.max_tokens_field(), limit.as_ref())?;
        let key = settings.cache_key.as_ref().filter(|_| profile.quirks().contains(Quirks::CACHE_KEY));
        body.put_some("prompt_cache_key", key)?;
        // A call says all that it needs, so that nothing has to be kept of the one before.
        body.put("store", &false)?;
        if !stored && family(call.model).sealed {
            body.put("include", &[SEALED])?;
        }
        Ok(())
    })
}

/// Whether the server keeps the answer, so that an id says what an item said.
fn is_stored(settings: &Settings) -> bool {
    settings.extra.get("store").is_some_and(|store| store == true)
}

/// The nearest choice that the server understands, and that leaves the caller's tools their use.
fn spoken(choice: Choice, settings: &Settings, profile: &Profile) -> Choice {
    let is_native = |tool: &Value| tool.get("type").is_some_and(|kind| kind != "function");
    let native = |tools: &Value| tools.as_array().is_some_and(|tools| tools.iter().any(is_native));
    match choice {
        // Told to call this one at once the model can't search before it answers.
        Choice::Named if settings.extra.get("tools").is_some_and(native) => Choice::Any,
        Choice::Named if profile.quirks().contains(Quirks::CHOICE_IS_WORD) => Choice::Any,
        choice => choice,
    }
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl Format<'_> {
    const fn of(kind: &'static str) -> Self {
        Self { kind, name: None, description: None, schema: None, strict: None }
    }
}

impl<'a> From<Shape<'a>> for Format<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self {
            name: Some(shape.name),
            description: shape.description,
            schema: Some(shape.schema),
            strict: Some(shape.strict),
            ..Self::of("json_schema")
        }
    }
}

/// `strict` is always said: where it is missing the server tries to make the schema strict.
#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: &'a RawValue,
    strict: bool,
}

impl<'a> From<Shape<'a>> for Tool<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self {
            kind: "function",
            name: shape.name,
            description: shape.description,
            parameters: shape.schema,
            strict: shape.strict,
        }
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
            name: &'a str,
        }
        match self.choice {
            Choice::Auto => serializer.serialize_str("auto"),
            Choice::Any => serializer.serialize_str("required"),
            Choice::Named => Named { kind: "function", name: self.name }.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Said {
        role: &'static str,
        content: Content<'a>,
    },
    Call {
        #[serde(rename = "type")]
        kind: &'static str,
        call_id: &'a str,
        name: &'a str,
        arguments: &'a str,
    },
    Result {
        #[serde(rename = "type")]
        kind: &'static str,
        call_id: &'a str,
        output: Content<'a>,
    },
    Verbatim(&'a RawValue),
}

impl<'a> Item<'a> {
    fn said(role: &'static str, texts: Vec<Said<'a>>) -> Self {
        Self::Said { role, content: Content { kind: "input_text", said: texts } }
    }
}

/// One text is said as a string, anything else as a list of blocks.
struct Content<'a> {
    /// The kind of the texts.
    kind: &'static str,
    said: Vec<Said<'a>>,
}

enum Said<'a> {
    Text(&'a str),
    Media(Shown<'a>),
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Block<'a> {
            Text {
                #[serde(rename = "type")]
                kind: &'static str,
                text: &'a str,
            },
            Media(&'a Shown<'a>),
        }
        match self.said.as_slice() {
            [] => serializer.serialize_str(""),
            [Said::Text(text)] => serializer.serialize_str(text),
            said => serializer.collect_seq(said.iter().map(|said| match said {
                Said::Text(text) => Block::Text { kind: self.kind, text },
                Said::Media(shown) => Block::Media(shown),
            })),
        }
    }
}

/// All messages of a call as items: the caller's with the mode's additions, then the turns of a re-ask.
///
/// System texts are items too and no `instructions`: that is a field of which the caller may make use, and a JSON mode
/// looks for the word "JSON" in the input alone.
fn input<'a>(call: &'a Call<'_>, stored: bool, forms: Forms) -> Vec<Item<'a>> {
    let mut items = Vec::with_capacity(call.messages.len() + call.turns.len() + 2);
    let first_system = call.messages.iter().position(|m| m.role() == Role::System);
    let last = call.messages.len().wrapping_sub(1);
    if let (Some(text), None) = (call.instructions, first_system) {
        items.push(Item::said("system", vec![Said::Text(text)]));
    }
    for (i, message) in call.messages.iter().enumerate() {
        let instructions = call.instructions.filter(|_| first_system == Some(i));
        let nudge = call.nudge.filter(|_| i == last && message.role() == Role::User);
        push(&mut items, message, instructions.or(nudge), stored, forms);
    }
    if let Some(text) = call.nudge.filter(|_| call.messages.last().is_none_or(|m| m.role() != Role::User)) {
        items.push(Item::said("user", vec![Said::Text(text)]));
    }
    for message in call.turns {
        push(&mut items, message, None, stored, forms);
    }
    items
}

fn push<'a>(items: &mut Vec<Item<'a>>, message: &'a Message, more: Option<&'a str>, stored: bool, forms: Forms) {
    let role = message.role();
    let said = |part: &'a Part| match part {
        Part::Text(text) => Some(Said::Text(text)),
        Part::Media(media) => forms.show(media, role).map(Said::Media),
        _ => None,
    };
    let all = || message.parts().iter().filter_map(said).chain(more.map(Said::Text)).collect();
    match role {
        Role::System => items.push(Item::said("system", all())),
        Role::User => items.push(Item::said("user", all())),
        Role::Assistant => answer(items, message.parts(), stored),
        Role::Tool => items.extend(message.parts().iter().enumerate().filter_map(|(at, part)| match part {
            Part::ToolResult(ToolResult { call_id, text, .. }) => {
                let media = message.media_of_result(at).filter_map(|media| forms.show(media, role)).map(Said::Media);
                let text = Some(Said::Text(text)).filter(|_| !text.is_empty());
                let output = Content { kind: "input_text", said: text.into_iter().chain(media).collect() };
                Some(Item::Result { kind: "function_call_output", call_id, output })
            }
            _ => None,
        })),
    }
}

/// What the model said. An item goes back as it came, in place of the parts that say the same; if the caller has changed
/// those, what they say now goes.
fn answer<'a>(items: &mut Vec<Item<'a>>, mut parts: &'a [Part], stored: bool) {
    let mut turn = Turn { items, thoughts: Vec::new(), texts: Vec::new() };
    while let Some((part, rest)) = parts.split_first() {
        parts = rest;
        match part {
            Part::Text(text) if !text.is_empty() => turn.texts.push(text),
            Part::ToolCall(ToolCall { id, name, arguments }) => {
                turn.push(Item::Call {
                    kind: "function_call",
                    call_id: id,
                    name,
                    arguments: body::arguments(arguments),
                });
            }
            Part::Opaque(opaque) => {
                let Some(json) = opaque.for_wire(NAME) else { continue };
                let Ok(doc) = Document::parse(json.get()) else { continue };
                let said = said(doc.root());
                let Some((those, after)) = rest.split_at_checked(said.len()) else { continue };
                if !says(those, &said) || those.iter().any(is_broken) {
                    continue;
                }
                parts = after;
                match Thought::from(doc.root()) {
                    Thought::None | Thought::Open => turn.push(Item::Verbatim(json)),
                    Thought::Kept if !stored => {}
                    Thought::Kept | Thought::Sealed => turn.think(json),
                }
            }
            _ => {}
        }
    }
    turn.say();
}

/// A call that can't go back as it came.
fn is_broken(part: &Part) -> bool {
    matches!(part, Part::ToolCall(call) if !body::is_readable(&call.arguments))
}

/// An assistant turn that is being written.
struct Turn<'a, 'b> {
    items: &'b mut Vec<Item<'a>>,
    /// Sealed or kept reasoning that waits for the item that it belongs to. Without that, as where the limit cut the answer,
    /// it is refused: "Item 'rs_..' of type 'reasoning' was provided without its required following item".
    thoughts: Vec<Item<'a>>,
    texts: Vec<&'a str>,
}

impl<'a> Turn<'a, '_> {
    fn think(&mut self, json: &'a RawValue) {
        self.say();
        self.thoughts.push(Item::Verbatim(json));
    }

    fn push(&mut self, item: Item<'a>) {
        self.say();
        self.items.append(&mut self.thoughts);
        self.items.push(item);
    }

    /// Text in words of the caller's has no reasoning before it.
    fn say(&mut self) {
        if !self.texts.is_empty() {
            self.thoughts.clear();
            let said = std::mem::take(&mut self.texts).into_iter().map(Said::Text).collect();
            let content = Content { kind: "output_text", said };
            self.items.push(Item::Said { role: "assistant", content });
        }
    }
}

fn says(parts: &[Part], said: &[Part]) -> bool {
    parts.iter().zip(said).all(|(part, said)| match (part, said) {
        (Part::Text(a), Part::Text(b)) => a == b,
        (Part::ToolCall(a), Part::ToolCall(b)) => a == b,
        _ => false,
    })
}

/// What an item shows of reasoning.
enum Thought {
    /// It is none.
    None,
    /// The words themselves.
    Open,
    /// The words, readable for the server alone.
    Sealed,
    /// An id and at most a summary, for what the server has kept. One that has kept nothing refuses the id ("Items are not
    /// persisted when `store` is set to false"), and goes without.
    Kept,
}

impl From<Node<'_>> for Thought {
    fn from(item: Node<'_>) -> Self {
        let sealed = || item.get("encrypted_content").and_then(Node::as_str).is_some_and(|text| !text.is_empty());
        match item.get("content") {
            _ if !item.get("type").is_some_and(|kind| kind.is_str("reasoning")) => Self::None,
            _ if sealed() => Self::Sealed,
            Some(content) if !content.is_empty() => Self::Open,
            _ => Self::Kept,
        }
    }
}
