//! From a request body back to the call that it says, where the library has words for it.

mod bedrock;
mod cohere;
mod ollama;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::convert_gemini;
use super::convert_responses;
use super::corpus::Dialect;
use super::media;
use super::oracle::list;
use crate::message::{Message, Opaque, Part, PromptCache, Role, ToolCall, ToolResult};
use crate::wire::{Call, Choice, Output, Settings, Shape};

/// A call that owns what it says.
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) instructions: Option<String>,
    pub(super) messages: Vec<Message>,
    pub(super) output: Wanted,
    pub(super) settings: Settings,
}

pub(super) enum Wanted {
    Text,
    Object,
    Schema(Form),
    Tool(Form, Choice),
}

pub(super) struct Form {
    name: String,
    description: Option<String>,
    schema: Box<RawValue>,
    strict: bool,
}

impl Form {
    pub(super) fn new(of: &Value, schema: &str) -> Self {
        Self {
            name: of["name"].as_str().unwrap_or_default().to_owned(),
            description: of["description"].as_str().map(String::from),
            schema: to_raw_value(&of[schema]).unwrap(),
            strict: of["strict"] == true,
        }
    }

    fn shape(&self) -> Shape<'_> {
        Shape { name: &self.name, description: self.description.as_deref(), schema: &self.schema, strict: self.strict }
    }
}

impl Asked {
    /// Calls with the call that it is. What follows the caller's messages goes where a re-ask puts it.
    pub(super) fn with<T>(&self, f: impl FnOnce(&Call<'_>) -> T) -> T {
        let first = self.messages.iter().position(|m| m.role() == Role::Assistant).unwrap_or(self.messages.len());
        let (messages, turns) = self.messages.split_at(first);
        f(&Call {
            model: &self.model,
            messages,
            instructions: self.instructions.as_deref(),
            nudge: None,
            turns,
            output: match &self.output {
                Wanted::Text => Output::Text,
                Wanted::Object => Output::Object,
                Wanted::Schema(form) => Output::Schema(form.shape()),
                Wanted::Tool(form, choice) => Output::Tool { shape: form.shape(), choice: *choice },
            },
            settings: &self.settings,
            streamed: false,
        })
    }

    pub(super) const fn output(&self) -> &'static str {
        match self.output {
            Wanted::Text => "text",
            Wanted::Object => "object",
            Wanted::Schema(_) => "schema",
            Wanted::Tool(_, Choice::Auto) => "tool auto",
            Wanted::Tool(_, Choice::Any) => "tool any",
            Wanted::Tool(_, Choice::Named) => "tool named",
        }
    }

    /// Reads a body, or says what in it the library has no words for.
    pub(super) fn read(dialect: Dialect, body: &Value) -> Result<Self, &'static str> {
        if dialect == Dialect::Gemini {
            return convert_gemini::asked(body);
        }
        let mut rest = body.as_object().unwrap().clone();
        let model = match rest.remove("model") {
            Some(model) => model.as_str().unwrap().to_owned(),
            None if dialect == Dialect::Bedrock => String::from("m"),
            None => return Err("no model in the body"),
        };
        let mut messages = convert_responses::messages(&mut rest)?;
        let turns = rest.remove("messages").unwrap_or_default();
        if let Some(system) = rest.remove("system") {
            let parts = if dialect == Dialect::Bedrock { bedrock::system(&system) } else { texts(&system) };
            messages.push(Message::new(Role::System, parts?));
        }
        for turn in list(&turns) {
            messages.push(match dialect {
                Dialect::OpenAiChat => openai_message(turn)?,
                Dialect::Cohere => cohere::message(turn)?,
                Dialect::Bedrock => bedrock::message(turn)?,
                Dialect::Ollama => ollama::message(turn)?,
                Dialect::OpenAiResponses => return Err("messages"),
                _ => anthropic_message(turn)?,
            });
        }
        // One system text at the start is also what instructions become.
        let systems = messages.iter().filter(|m| m.role() == Role::System).count();
        let alone = systems == 1 && messages[0].role() == Role::System && messages[0].parts().len() == 1;
        let instructions = alone.then(|| messages.remove(0).text().into_owned());
        let output = match dialect {
            Dialect::OpenAiChat => openai_output(&mut rest),
            Dialect::Cohere => cohere::output(&mut rest),
            Dialect::Bedrock => bedrock::output(&mut rest),
            Dialect::Ollama => ollama::output(&mut rest),
            Dialect::OpenAiResponses => convert_responses::output(&mut rest),
            _ => anthropic_output(&mut rest),
        };
        match dialect {
            Dialect::Bedrock => bedrock::settings(&mut rest),
            Dialect::Ollama => ollama::settings(&mut rest),
            _ => {}
        }
        let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        let max_tokens = limits.iter().find_map(|limit| rest.remove(*limit));
        let settings = Settings {
            temperature: rest.remove("temperature").and_then(|t| t.as_f64()),
            max_tokens: max_tokens.and_then(|n| n.as_u64()),
            extra: rest,
            ..Settings::default()
        };
        Ok(Self { model, instructions, messages, output, settings })
    }
}

/// A string or a list of text blocks.
fn texts(content: &Value) -> Result<Vec<Part>, &'static str> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Part::from(text)]);
    }
    let mut parts = Vec::new();
    for block in list(content) {
        parts.push(Part::from(plain_text(block)?));
        parts.extend(mark(block));
    }
    Ok(parts)
}

/// The mark for the cache that a block has.
fn mark(block: &Value) -> Option<Part> {
    let control = block.get("cache_control")?;
    Some(Part::CachePoint(if control["ttl"] == "1h" { PromptCache::Hour } else { PromptCache::Short }))
}

pub(super) fn plain_text(block: &Value) -> Result<&str, &'static str> {
    match block.as_object().unwrap() {
        block if block["type"] != "text" => Err("media or files"),
        block => Ok(block["text"].as_str().unwrap()),
    }
}

fn openai_message(turn: &Value) -> Result<Message, &'static str> {
    let content = || texts(&turn["content"]);
    match turn["role"].as_str().unwrap() {
        "system" => Ok(Message::new(Role::System, content()?)),
        "user" if list(&turn["content"]).any(|part| part["type"] != "text") => {
            let mut parts = Vec::new();
            for part in list(&turn["content"]) {
                parts.push(media::openai_part(part)?);
                parts.extend(mark(part));
            }
            Ok(Message::new(Role::User, parts))
        }
        "user" if list(&turn["content"]).count() > 1 && content().is_ok() => Err("several texts in a message"),
        "user" => Ok(Message::new(Role::User, content()?)),
        "tool" if list(&turn["content"]).any(|part| part["type"] == "image_url") => {
            let result = Message::tool(turn["tool_call_id"].as_str().unwrap(), "");
            list(&turn["content"]).map(media::openai_part).try_fold(result, |result, part| Ok(result.with(part?)))
        }
        "tool" => Ok(match &*content()? {
            [Part::Text(text)] => Message::tool(turn["tool_call_id"].as_str().unwrap(), text),
            _ => return Err("several texts in a message"),
        }),
        "assistant" => {
            let kept = ["reasoning_content", "reasoning_details", "reasoning"];
            let thought: Map<String, Value> =
                kept.iter().filter_map(|key| Some((String::from(*key), turn.get(*key)?.clone()))).collect();
            let thought = (!thought.is_empty())
                .then(|| Part::Opaque(Opaque::new("openai_chat", to_raw_value(&thought).unwrap())));
            let calls = list(&turn["tool_calls"]).map(|call| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let function = &call["function"];
                Part::ToolCall(ToolCall::new(text(&call["id"]), text(&function["name"]), text(&function["arguments"])))
            });
            Ok(Message::new(Role::Assistant, thought.into_iter().chain(content()?).chain(calls).collect::<Vec<_>>()))
        }
        _ => Err("another role"),
    }
}

fn anthropic_message(turn: &Value) -> Result<Message, &'static str> {
    let assistant = match turn["role"].as_str().unwrap() {
        "assistant" => true,
        "user" => false,
        _ => return Err("another role"),
    };
    let mut role = if assistant { Role::Assistant } else { Role::User };
    let mut parts = Vec::new();
    for block in list(&turn["content"]) {
        let text = |key: &str| block[key].as_str().unwrap().to_owned();
        parts.push(match block["type"].as_str().unwrap() {
            "tool_use" => Part::ToolCall(ToolCall::new(text("id"), text("name"), block["input"].to_string())),
            "tool_result" => {
                role = Role::Tool;
                let said = Message::new(Role::Tool, texts(&block["content"])?);
                let is_error = block["is_error"] == true;
                Part::ToolResult(ToolResult { call_id: text("tool_use_id"), text: said.text().into_owned(), is_error })
            }
            kind if assistant && kind != "text" => Part::Opaque(Opaque::new("anthropic", to_raw_value(block).unwrap())),
            "image" | "document" => media::anthropic_block(block)?,
            _ => Part::from(plain_text(block)?),
        });
        parts.extend(mark(block));
    }
    Ok(Message::new(role, parts))
}

/// Takes the output's fields out of the body; what the library has no words for stays and goes along as it is.
fn openai_output(rest: &mut Map<String, Value>) -> Wanted {
    let format = rest.get("response_format").cloned().unwrap_or_default();
    let only = only_tool(rest, |tool| tool["type"] == "function" && tool.as_object().unwrap().len() == 2);
    let choice = match rest.get("tool_choice") {
        None => Some(Choice::Auto),
        Some(word) if word == "auto" => Some(Choice::Auto),
        Some(word) if word == "required" => Some(Choice::Any),
        Some(named) if named["type"] == "function" => Some(Choice::Named),
        Some(_) => None,
    };
    match (&format["type"], only, choice) {
        // The library asks for one of the two: that which is asked for stays beside it.
        (Value::Null, Some(tool), Some(choice)) => {
            rest.retain(|key, _| key != "tools" && key != "tool_choice");
            Wanted::Tool(Form::new(&tool["function"], "parameters"), choice)
        }
        (kind, ..) if kind == "json_object" => {
            rest.remove("response_format");
            Wanted::Object
        }
        (kind, ..) if kind == "json_schema" => {
            rest.remove("response_format");
            Wanted::Schema(Form::new(&format["json_schema"], "schema"))
        }
        _ => Wanted::Text,
    }
}

fn anthropic_output(rest: &mut Map<String, Value>) -> Wanted {
    let known = ["name", "description", "input_schema", "strict"];
    let only = only_tool(rest, |tool| tool.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
    let choice = match rest.get("tool_choice").map_or("auto", |choice| choice["type"].as_str().unwrap()) {
        "auto" => Some(Choice::Auto),
        "any" => Some(Choice::Any),
        "tool" => Some(Choice::Named),
        _ => None,
    };
    let config = rest.get("output_config").cloned().unwrap_or_default();
    match (only, choice) {
        _ if config["format"]["type"] == "json_schema" && config.as_object().unwrap().len() == 1 => {
            rest.remove("output_config");
            Wanted::Schema(Form::new(&json!({"schema": config["format"]["schema"]}), "schema"))
        }
        (Some(tool), Some(choice)) => {
            rest.retain(|key, _| key != "tools" && key != "tool_choice");
            Wanted::Tool(Form::new(&tool, "input_schema"), choice)
        }
        _ => Wanted::Text,
    }
}

fn only_tool(rest: &Map<String, Value>, known: impl Fn(&Value) -> bool) -> Option<Value> {
    match rest.get("tools")?.as_array()?.as_slice() {
        [tool] if known(tool) => Some(tool.clone()),
        _ => None,
    }
}
