use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{NAME, VERBATIM};
use crate::error::Error;
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::provider::Profile;
use crate::wire::body::{Arguments, object};
use crate::wire::media::Shown;
use crate::wire::{Call, Choice, Forms, Output, Shape, body};

/// The objects of the body that the caller adds to, instead of replacing them.
const MERGED: [&str; 2] = ["generationConfig", "toolConfig"];
/// The caller's tools, such as the service's own, stand beside ours.
const TOOLS: &str = "tools";
/// A content that the service keeps under a name.
const CACHED: &str = "cachedContent";

pub(super) fn body(call: &Call<'_>, profile: &Profile) -> Result<Vec<u8>, Error> {
    let extra = &call.settings.extra;
    let [generation_extra, tool_extra] = MERGED.map(|key| extra.get(key).and_then(Value::as_object));
    let system: Vec<Said<'_>> = call
        .messages
        .iter()
        .filter(|m| m.role() == Role::System)
        .flat_map(|m| m.parts())
        .filter_map(Part::as_text)
        .chain(call.instructions)
        .filter(|text| !text.is_empty())
        .map(|text| Said::Text { text })
        .collect();
    let (own, choice): (Vec<Function<'_>>, _) = match call.output {
        Output::Tool { shape, choice } => (vec![Function::from(shape)], Some(Calling::new(choice, shape.name))),
        Output::Tools { tools, choice } => {
            let choice = if choice == Choice::Auto { choice } else { Choice::Any };
            (tools.iter().copied().map(Function::from).collect(), Some(Calling::new(choice, "")))
        }
        Output::Text | Output::Object | Output::Schema(_) => (Vec::new(), None),
    };
    if extra.get(CACHED).is_some_and(|name| !name.is_null()) && (choice.is_some() || !system.is_empty()) {
        return Err(Error::unsupported(
            "beside a cachedContent there can be no tools and no system text, which belong to it: use mode schema and \
             leave system messages out",
        ));
    }
    let more_tools = extra.get(TOOLS).and_then(Value::as_array).filter(|_| choice.is_some());
    let merged = |key: &str, value: &Value| match key {
        TOOLS => more_tools.is_some(),
        _ => MERGED.contains(&key) && value.is_object(),
    };
    let rest = if extra.iter().any(|(key, value)| merged(key, value)) {
        let kept = extra.iter().filter(|(key, value)| !merged(key, value));
        Cow::Owned(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    } else {
        Cow::Borrowed(extra)
    };
    body::write(&rest, |body| {
        if !system.is_empty() {
            body.put("systemInstruction", &Content { role: None, parts: system })?;
        }
        body.put("contents", &contents(call, Forms::of(profile, call.model)))?;
        if choice.is_some() {
            let own = Tool::Own { function_declarations: own };
            let tools: Vec<Tool<'_>> =
                [own].into_iter().chain(more_tools.into_iter().flatten().map(Tool::Other)).collect();
            body.put(TOOLS, &tools)?;
        }
        let tool_config = ToolConfig { calling: choice, extra: tool_extra };
        if !tool_config.is_empty() {
            body.put("toolConfig", &tool_config)?;
        }
        let limit = call.settings.max_tokens.or(profile.default_max_tokens());
        let config =
            Generation { output: call.output, temperature: call.settings.temperature, limit, extra: generation_extra };
        if !config.is_empty() {
            body.put("generationConfig", &config)?;
        }
        Ok(())
    })
}

/// How the model is to answer. The caller's fields win over those of the same name and come last.
struct Generation<'a> {
    output: Output<'a>,
    temperature: Option<f64>,
    limit: Option<u64>,
    extra: Option<&'a Map<String, Value>>,
}

impl Generation<'_> {
    const fn is_empty(&self) -> bool {
        matches!(self.output, Output::Text | Output::Tool { .. } | Output::Tools { .. })
            && self.temperature.is_none()
            && self.limit.is_none()
            && self.extra.is_none()
    }
}

impl Serialize for Generation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = Own { map: serializer.serialize_map(None)?, extra: self.extra };
        if let Output::Object | Output::Schema(_) = self.output {
            map.put("responseMimeType", "application/json")?;
        }
        // The two forms of a schema exclude each other.
        let other_form = self.extra.is_some_and(|extra| extra.contains_key("responseSchema"));
        if let Output::Schema(shape) = self.output
            && !other_form
        {
            map.put("responseJsonSchema", shape.schema)?;
        }
        if let Some(temperature) = self.temperature {
            map.put("temperature", &temperature)?;
        }
        if let Some(limit) = self.limit {
            map.put("maxOutputTokens", &limit)?;
        }
        map.end()
    }
}

/// An object to which the caller may add.
struct Own<'a, M> {
    map: M,
    extra: Option<&'a Map<String, Value>>,
}

impl<M: SerializeMap> Own<'_, M> {
    fn put(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        if self.extra.is_some_and(|extra| extra.contains_key(key)) {
            return Ok(());
        }
        self.map.serialize_entry(key, value)
    }

    fn end(mut self) -> Result<M::Ok, M::Error> {
        for (key, value) in self.extra.into_iter().flatten() {
            self.map.serialize_entry(key, value)?;
        }
        self.map.end()
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Tool<'a> {
    #[serde(rename_all = "camelCase")]
    Own {
        function_declarations: Vec<Function<'a>>,
    },
    Other(&'a Value),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters_json_schema: &'a RawValue,
}

impl<'a> From<Shape<'a>> for Function<'a> {
    fn from(shape: Shape<'a>) -> Self {
        Self { name: shape.name, description: shape.description, parameters_json_schema: shape.schema }
    }
}

struct ToolConfig<'a> {
    calling: Option<Calling<'a>>,
    extra: Option<&'a Map<String, Value>>,
}

impl ToolConfig<'_> {
    const fn is_empty(&self) -> bool {
        self.calling.is_none() && self.extra.is_none()
    }
}

const CALLING: &str = "functionCallingConfig";

impl Serialize for ToolConfig<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let inner = self.extra.and_then(|extra| extra.get(CALLING));
        match (&self.calling, inner.map(Value::as_object)) {
            (Some(calling), None) => map.serialize_entry(CALLING, calling)?,
            (Some(calling), Some(Some(extra))) => {
                map.serialize_entry(CALLING, &Calling { extra: Some(extra), ..*calling })?;
            }
            (_, Some(_)) => map.serialize_entry(CALLING, &inner)?,
            (None, None) => {}
        }
        for (key, value) in self.extra.into_iter().flatten().filter(|(key, _)| *key != CALLING) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct Calling<'a> {
    mode: &'static str,
    name: Option<&'a str>,
    extra: Option<&'a Map<String, Value>>,
}

impl<'a> Calling<'a> {
    fn new(choice: Choice, name: &'a str) -> Self {
        let (mode, name) = match choice {
            Choice::Auto => ("AUTO", None),
            Choice::Any => ("ANY", None),
            Choice::Named => ("ANY", Some(name)),
        };
        Self { mode, name, extra: None }
    }
}

impl Serialize for Calling<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = Own { map: serializer.serialize_map(None)?, extra: self.extra };
        map.put("mode", self.mode)?;
        // Names are refused beside a mode that forces nothing.
        let forced = self.extra.is_none_or(|extra| !extra.contains_key("mode"));
        if let Some(name) = self.name.filter(|_| forced) {
            map.put("allowedFunctionNames", &[name])?;
        }
        map.end()
    }
}

const USER: &str = "user";
const MODEL: &str = "model";

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Said<'a>>,
}

/// The conversation without its system text. Results of calls that follow each other stand in one turn, since the
/// service counts them against the calls of the turn before; nothing else stands with them.
fn contents<'a>(call: &'a Call<'_>, forms: Forms) -> Vec<Content<'a>> {
    let mut contents = Contents { list: Vec::new(), calls: Vec::new(), results: false, forms };
    for message in call.messages {
        contents.message(message);
    }
    if let Some(text) = call.nudge {
        let said = Said::Text { text };
        let last = call.messages.last().is_some_and(|last| last.role() == Role::User);
        match contents.list.last_mut().filter(|content| last && content.role == Some(USER)) {
            Some(content) => content.parts.push(said),
            None => contents.push(USER, vec![said]),
        }
    }
    for message in call.turns {
        contents.message(message);
    }
    let mut list = contents.list;
    // There has to be a turn, and the model's has to follow one of the user's, who may have said nothing.
    if list.first().is_none_or(|first| first.role == Some(MODEL)) {
        list.insert(0, Content { role: Some(USER), parts: vec![Said::Text { text: "" }] });
    }
    list
}

struct Contents<'a> {
    list: Vec<Content<'a>>,
    /// The calls that have no result yet.
    calls: Vec<&'a ToolCall>,
    /// The last turn is one of results.
    results: bool,
    forms: Forms,
}

impl<'a> Contents<'a> {
    fn push(&mut self, role: &'static str, parts: Vec<Said<'a>>) {
        self.results = false;
        if !parts.is_empty() {
            self.list.push(Content { role: Some(role), parts });
        }
    }

    fn message(&mut self, message: &'a Message) {
        match message.role() {
            Role::System => {}
            Role::Assistant => {
                if self.list.last().is_none_or(|last| last.role != Some(MODEL)) {
                    self.calls.clear();
                }
                self.calls.extend(message.parts().iter().filter_map(called));
                self.push(MODEL, model_parts(message.parts()));
            }
            Role::User | Role::Tool => {
                let (forms, role) = (self.forms, message.role());
                for (at, part) in message.parts().iter().enumerate() {
                    if let Part::ToolResult(result) = part {
                        let media = message.media_of_result(at).filter_map(|media| forms.show(media, role));
                        self.result(result, media.collect());
                    }
                }
                let said = |part: &'a Part| match part {
                    Part::Text(text) => (!text.is_empty()).then_some(Said::Text { text }),
                    Part::Media(media) if role == Role::User => forms.show(media, role).map(Said::Media),
                    _ => None,
                };
                let rest: Vec<Said<'a>> = message.parts().iter().filter_map(said).collect();
                if !rest.is_empty() {
                    self.push(USER, rest);
                }
            }
        }
    }

    /// A result names the tool, which stands in the call that it answers: the one with its id, and where the service
    /// gave no ids, the next.
    fn result(&mut self, result: &'a ToolResult, parts: Vec<Shown<'a>>) {
        let id = result.call_id.as_str();
        let at = self.calls.iter().position(|call| call.id == id);
        let at = at.or_else(|| self.calls.iter().position(|call| call.id.is_empty() && call.name == id));
        let call = at.map(|at| self.calls.remove(at));
        let answered = Said::FunctionResponse {
            function_response: Answered {
                id: call.map(|call| call.id.as_str()).filter(|id| !id.is_empty()),
                name: call.map_or(id, |call| &call.name),
                response: Outcome(result),
                parts,
            },
        };
        match self.list.last_mut().filter(|_| self.results) {
            Some(content) => content.parts.push(answered),
            None => {
                self.push(USER, vec![answered]);
                self.results = true;
            }
        }
    }
}

fn called(part: &Part) -> Option<&ToolCall> {
    match part {
        Part::ToolCall(call) => Some(call),
        _ => None,
    }
}

/// What the model said, in its own parts where they are known.
fn model_parts(parts: &[Part]) -> Vec<Said<'_>> {
    let mut said = Vec::with_capacity(parts.len());
    let mut verbatim = Vec::new();
    for part in parts {
        let own = std::mem::take(&mut verbatim);
        match part {
            Part::Opaque(opaque) => {
                if let Some(json) = opaque.for_wire(VERBATIM) {
                    verbatim = serde_json::from_str(json.get()).unwrap_or_default();
                }
                said.extend(opaque.for_wire(NAME).map(Said::Verbatim));
            }
            Part::Text(text) if text.is_empty() => {}
            Part::Text(_) | Part::ToolCall(_) if says(&own, part) => said.extend(own.into_iter().map(Said::Verbatim)),
            Part::Text(text) => said.push(Said::Text { text }),
            Part::ToolCall(ToolCall { id, name, arguments }) => said.push(Said::FunctionCall {
                function_call: Called {
                    id: Some(id.as_str()).filter(|id| !id.is_empty()),
                    name,
                    args: Arguments(arguments),
                },
            }),
            Part::Media(_) | Part::ToolResult(_) | Part::CachePoint(_) => {}
        }
    }
    said
}

/// Whether parts that were kept still say what the neutral part says: it may have been changed since.
fn says(own: &[&RawValue], part: &Part) -> bool {
    let read = |raw: &&RawValue| serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
    match part {
        Part::Text(text) => {
            let own: Vec<Value> = own.iter().map(read).collect();
            let kept: String = own.iter().filter_map(|part| part.get("text")?.as_str()).collect();
            !own.is_empty() && kept == *text
        }
        Part::ToolCall(call) => own.first().map(read).is_some_and(|part| {
            let kept = part.get("functionCall").cloned().unwrap_or_default();
            let field = |key: &str| kept.get(key).and_then(Value::as_str).unwrap_or_default();
            let args = kept.get("args").filter(|args| !args.is_null()).cloned().unwrap_or_else(|| Map::new().into());
            field("name") == call.name
                && field("id") == call.id
                && serde_json::from_str(&call.arguments).ok() == Some(args)
        }),
        _ => false,
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Text {
        text: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    FunctionCall {
        function_call: Called<'a>,
    },
    #[serde(rename_all = "camelCase")]
    FunctionResponse {
        function_response: Answered<'a>,
    },
    Media(Shown<'a>),
    Verbatim(&'a RawValue),
}

#[derive(Serialize)]
struct Called<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: Arguments<'a>,
}

#[derive(Serialize)]
struct Answered<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    response: Outcome<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Shown<'a>>,
}

/// What a call gave, as an object: the result itself if it is one, else under the key that the protocol has for it.
struct Outcome<'a>(&'a ToolResult);

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ToolResult { text, is_error, .. } = self.0;
        if let Some(raw) = object(text).filter(|_| !is_error) {
            return raw.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(if *is_error { "error" } else { "output" }, text)?;
        map.end()
    }
}
