//! From the body of a request for a response back to the call that it says.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::convert::{Form, Wanted};
use super::media;
use super::oracle::list;
use crate::message::{Message, Opaque, Part, Role, ToolCall};
use crate::wire::Choice;

/// Takes the conversation out of a body; none is there if it is of another protocol.
pub(super) fn messages(rest: &mut Map<String, Value>) -> Result<Vec<Message>, &'static str> {
    let Some(input) = rest.remove("input") else { return Ok(Vec::new()) };
    let mut messages = Vec::new();
    if let Some(text) = rest.remove("instructions").as_ref().and_then(Value::as_str) {
        messages.push(Message::system(text));
    }
    // What the client left to the server's memory needs one.
    if list(&input).any(is_reference) && !rest.contains_key("store") {
        rest.insert(String::from("store"), Value::from(true));
    }
    for item in list(&input) {
        match (item["type"].as_str(), item["role"].as_str()) {
            (None | Some("message"), Some("system")) => messages.push(Message::new(Role::System, texts(item)?)),
            (None | Some("message"), Some("user")) => messages.push(Message::new(Role::User, texts(item)?)),
            (Some("function_call_output"), _) => {
                let result = Message::tool(item["call_id"].as_str().unwrap(), item["output"].as_str().unwrap_or(""));
                let media = item["output"].as_array().into_iter().flatten();
                messages.push(
                    media
                        .map(|part| media::responses_part(part.as_object().unwrap()))
                        .try_fold(result, |result, part| part.map(|part| result.with(part)))?,
                );
            }
            _ => {
                let parts = answered(item);
                match messages.last() {
                    Some(last) if last.role() == Role::Assistant && !item["content"].is_string() => {
                        let so_far = messages.pop().unwrap();
                        messages.push(parts.into_iter().fold(so_far, Message::with));
                    }
                    _ => messages.push(Message::new(Role::Assistant, parts)),
                }
            }
        }
    }
    Ok(messages)
}

/// A thought of which nothing but an id and a summary is sent.
pub(super) fn is_reference(item: &Value) -> bool {
    item["type"] == "reasoning" && item["encrypted_content"].is_null() && list(&item["content"]).count() == 0
}

fn texts(item: &Value) -> Result<Vec<Part>, &'static str> {
    if let Some(text) = item["content"].as_str() {
        return Ok(vec![Part::from(text)]);
    }
    let text = |block: &Value| match block.as_object().unwrap() {
        part if part["type"] != "input_text" => media::responses_part(part),
        block if block.len() > 2 => Err("cache control on a block"),
        block => Ok(Part::from(block["text"].as_str().unwrap())),
    };
    list(&item["content"]).map(text).collect()
}

/// An item that a model said: in neutral words, if they say all of it, else as it is with them.
fn answered(item: &Value) -> Vec<Part> {
    let text = |key: &str| item[key].as_str().unwrap().to_owned();
    let (said, all): (Vec<Part>, bool) = match item["type"].as_str() {
        Some("function_call") => {
            let call = ToolCall::new(text("call_id"), text("name"), text("arguments"));
            (vec![Part::ToolCall(call)], item.as_object().unwrap().len() == 4)
        }
        Some("message") if item["phase"] == "commentary" => (Vec::new(), false),
        None | Some("message") => match item["content"].as_str() {
            Some(text) => (vec![Part::from(text)], true),
            None => (list(&item["content"]).map(|block| Part::from(block["text"].as_str().unwrap())).collect(), false),
        },
        _ => (Vec::new(), false),
    };
    let opaque = (!all).then(|| Part::Opaque(Opaque::new("openai_responses", to_raw_value(item).unwrap())));
    opaque.into_iter().chain(said).collect()
}

/// Takes the output's fields out of the body; what the library has no words for stays and goes along as it is.
pub(super) fn output(rest: &mut Map<String, Value>) -> Wanted {
    let format = rest.get_mut("text").and_then(|text| text.as_object_mut()?.remove("format")).unwrap_or_default();
    let choice = match rest.get("tool_choice") {
        None => Some(Choice::Auto),
        Some(word) if word == "auto" => Some(Choice::Auto),
        Some(word) if word == "required" => Some(Choice::Any),
        Some(named) if named["type"] == "function" => Some(Choice::Named),
        Some(_) => None,
    };
    match (format["type"].as_str(), choice) {
        (Some("json_object"), _) => Wanted::Object,
        (Some("json_schema"), _) => Wanted::Schema(Form::new(&format, "schema")),
        (None, Some(choice)) => match first_tool(rest) {
            Some(tool) if choice != Choice::Named || rest["tool_choice"]["name"] == tool["name"] => {
                rest.remove("tool_choice");
                // The others are the caller's own.
                let tools = rest["tools"].as_array_mut().unwrap();
                tools.remove(0);
                Wanted::Tool(Form::new(&tool, "parameters"), choice)
            }
            _ => Wanted::Text,
        },
        _ => Wanted::Text,
    }
}

fn first_tool(rest: &Map<String, Value>) -> Option<Value> {
    const KNOWN: [&str; 5] = ["type", "name", "description", "parameters", "strict"];
    let tool = rest.get("tools")?.get(0)?;
    let known = tool.as_object().unwrap().keys().all(|key| KNOWN.contains(&key.as_str()));
    (known && tool["type"] == "function").then(|| tool.clone())
}
