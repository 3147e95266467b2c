//! Ollama's bodies.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::super::oracle::list;
use super::{Form, Wanted, only_tool};
use crate::message::{Message, Opaque, Part, Role, ToolCall, ToolResult};
use crate::wire::Choice;

/// The recorded calls have no ids, so that results are those of the calls in their order.
pub(super) fn message(turn: &Value) -> Result<Message, &'static str> {
    let text = turn["content"].as_str().unwrap();
    Ok(match turn["role"].as_str().unwrap() {
        "system" => Message::system(text),
        "user" if turn["images"].is_null() => Message::user(text),
        "tool" => {
            let call_id = String::new();
            Message::new(
                Role::Tool,
                vec![Part::ToolResult(ToolResult { call_id, text: text.to_owned(), is_error: false })],
            )
        }
        "assistant" => {
            let thought = turn["thinking"].as_str().map(|thought| {
                Part::Opaque(Opaque::new("ollama", to_raw_value(&json!({"thinking": thought})).unwrap()))
            });
            let calls = list(&turn["tool_calls"]).map(|call| {
                let name = call["function"]["name"].as_str().unwrap();
                Part::ToolCall(ToolCall::new("", name, call["function"]["arguments"].to_string()))
            });
            Message::new(
                Role::Assistant,
                thought.into_iter().chain([Part::from(text)]).chain(calls).collect::<Vec<_>>(),
            )
        }
        _ => return Err("another role"),
    })
}

pub(super) fn output(rest: &mut Map<String, Value>) -> Wanted {
    match rest.get("format").cloned() {
        Some(format) if format == "json" => {
            rest.remove("format");
            Wanted::Object
        }
        Some(format) => {
            rest.remove("format");
            Wanted::Schema(Form::new(&json!({"schema": format}), "schema"))
        }
        None => match only_tool(rest, |_| true) {
            Some(tool) => {
                rest.remove("tools");
                Wanted::Tool(Form::new(&tool["function"], "parameters"), Choice::Auto)
            }
            None => Wanted::Text,
        },
    }
}

/// Takes the settings out of where they stand here.
pub(super) fn settings(rest: &mut Map<String, Value>) {
    let Some(Value::Object(mut options)) = rest.remove("options") else { return };
    for (theirs, ours) in [("num_predict", "max_tokens"), ("temperature", "temperature")] {
        if let Some(value) = options.remove(theirs) {
            rest.insert(String::from(ours), value);
        }
    }
    if !options.is_empty() {
        rest.insert(String::from("options"), Value::Object(options));
    }
}
