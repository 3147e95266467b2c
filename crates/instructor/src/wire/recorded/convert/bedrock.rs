//! Bedrock's bodies.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::super::media;
use super::super::oracle::list;
use super::{Form, Wanted};
use crate::message::{Message, Opaque, Part, PromptCache, Role, ToolCall, ToolResult};
use crate::wire::Choice;

pub(super) fn message(turn: &Value) -> Result<Message, &'static str> {
    let assistant = turn["role"] == "assistant";
    let mut role = if assistant { Role::Assistant } else { Role::User };
    let mut parts = Vec::new();
    // Media in a result, and beside one.
    let (mut shown, mut beside) = (false, false);
    for block in list(&turn["content"]) {
        let (key, value) = block.as_object().unwrap().iter().next().unwrap();
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        parts.push(match key.as_str() {
            "text" => Part::from(value.as_str().unwrap()),
            "toolUse" if value["type"] != "server_tool_use" => {
                Part::ToolCall(ToolCall::new(text("toolUseId"), text("name"), value["input"].to_string()))
            }
            "toolResult" if !assistant => {
                role = Role::Tool;
                let content = value["content"].as_array().unwrap();
                let (said, rest) = match content.split_first().unwrap() {
                    (first, rest) if first["text"].is_string() => (first["text"].as_str().unwrap(), rest),
                    _ => ("", content.as_slice()),
                };
                let is_error = value["status"] == "error";
                let call_id = text("toolUseId");
                parts.push(Part::ToolResult(ToolResult { call_id, text: said.to_owned(), is_error }));
                for block in rest {
                    let (key, value) = block.as_object().unwrap().iter().next().unwrap();
                    if key == "text" {
                        return Err("several texts in a message");
                    }
                    parts.push(media::bedrock_block(key, value)?);
                    shown = true;
                }
                continue;
            }
            "cachePoint" => Part::CachePoint(PromptCache::Short),
            _ if assistant => Part::Opaque(Opaque::new("bedrock", to_raw_value(block).unwrap())),
            _ => {
                beside = true;
                media::bedrock_block(key, value)?
            }
        });
    }
    if shown && beside {
        return Err("media of a tool and of the user in one turn");
    }
    // What stands beside a result is the user's.
    let role = if beside { Role::User } else { role };
    Ok(Message::new(role, parts))
}

pub(super) fn system(blocks: &Value) -> Result<Vec<Part>, &'static str> {
    let part = |block: &Value| block["text"].as_str().map_or(Part::CachePoint(PromptCache::Short), Part::from);
    Ok(list(blocks).map(part).collect())
}

/// Takes what the library has words for out of the configuration.
pub(super) fn settings(rest: &mut Map<String, Value>) {
    for (key, name) in [("maxTokens", "max_tokens"), ("temperature", "temperature")] {
        let config = rest.get_mut("inferenceConfig").and_then(Value::as_object_mut);
        if let Some(value) = config.and_then(|config| config.remove(key)) {
            rest.insert(String::from(name), value);
        }
    }
}

pub(super) fn output(rest: &mut Map<String, Value>) -> Wanted {
    let config = rest.get("outputConfig").cloned().unwrap_or_default();
    let format = &config["textFormat"]["structure"]["jsonSchema"];
    if let Some(schema) = format["schema"].as_str() {
        rest["outputConfig"].as_object_mut().unwrap().remove("textFormat");
        let schema = RawValue::from_string(String::from(schema)).unwrap();
        return Wanted::Schema(Form { schema, ..Form::new(format, "schema") });
    }
    let config = rest.get("toolConfig").cloned().unwrap_or_default();
    let choice = match config["toolChoice"].as_object().and_then(|choice| choice.keys().next()).map(String::as_str) {
        None | Some("auto") => Choice::Auto,
        Some("any") => Choice::Any,
        Some("tool") => Choice::Named,
        Some(other) => panic!("{other}"),
    };
    match list(&config["tools"]).collect::<Vec<_>>().as_slice() {
        [tool] if tool["toolSpec"].is_object() => {
            rest.remove("toolConfig");
            let spec = &tool["toolSpec"];
            let schema = to_raw_value(&spec["inputSchema"]["json"]).unwrap();
            Wanted::Tool(Form { schema, ..Form::new(spec, "inputSchema") }, choice)
        }
        _ => Wanted::Text,
    }
}
