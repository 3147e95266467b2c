//! Cohere's bodies.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::super::oracle::list;
use super::{Form, Wanted, only_tool, plain_text, texts};
use crate::message::{Message, Opaque, Part, Role, ToolCall};
use crate::wire::Choice;

pub(super) fn message(turn: &Value) -> Result<Message, &'static str> {
    match turn["role"].as_str().unwrap() {
        "system" => Ok(Message::new(Role::System, texts(&turn["content"])?)),
        "user" if list(&turn["content"]).count() > 1 => Err("several texts in a message"),
        "user" => Ok(Message::new(Role::User, texts(&turn["content"])?)),
        "tool" => Ok(match &*texts(&turn["content"])? {
            [Part::Text(text)] => Message::tool(turn["tool_call_id"].as_str().unwrap(), text),
            _ => return Err("several texts in a message"),
        }),
        "assistant" => {
            let opaque = |json: &Value| Part::Opaque(Opaque::new("cohere", to_raw_value(json).unwrap()));
            let mut parts = Vec::new();
            if let Some(text) = turn["content"].as_str() {
                parts.push(Part::from(text));
            }
            for block in list(&turn["content"]) {
                parts.push(if block["type"] == "text" { Part::from(plain_text(block)?) } else { opaque(block) });
            }
            if turn["tool_plan"].is_string() {
                parts.push(opaque(&json!({"tool_plan": turn["tool_plan"]})));
            }
            parts.extend(list(&turn["tool_calls"]).map(|call| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let function = &call["function"];
                Part::ToolCall(ToolCall::new(text(&call["id"]), text(&function["name"]), text(&function["arguments"])))
            }));
            Ok(Message::new(Role::Assistant, parts))
        }
        _ => Err("another role"),
    }
}

pub(super) fn output(rest: &mut Map<String, Value>) -> Wanted {
    let format = rest.get("response_format").cloned().unwrap_or_default();
    let choice = match rest.get("tool_choice").map(|choice| choice.as_str().unwrap()) {
        None => Some(Choice::Auto),
        Some("REQUIRED") => Some(Choice::Any),
        Some(_) => None,
    };
    if format["type"] == "json_object" {
        rest.remove("response_format");
        return match format["json_schema"].is_object() {
            true => Wanted::Schema(Form::new(&format, "json_schema")),
            false => Wanted::Object,
        };
    }
    match (only_tool(rest, |_| true), choice) {
        (Some(tool), Some(choice)) => {
            let mut function = tool["function"].clone();
            function["strict"] = rest.get("strict_tools").cloned().unwrap_or_default();
            rest.retain(|key, _| !["tools", "tool_choice", "strict_tools"].contains(&key.as_str()));
            Wanted::Tool(Form::new(&function, "parameters"), choice)
        }
        _ => Wanted::Text,
    }
}
