//! Whole exchanges against the wires: recorded ones, where the files are there, and own ones, always.
//!
//! What is expected comes from [`oracle`], which reads the same bodies in the simplest way, with nothing of the wires.

mod convert;
mod convert_gemini;
mod convert_responses;
mod corpus;
mod decode;
mod encode;
mod media;
mod oracle;
mod oracle_gemini;
mod oracle_responses;
mod own;
mod random;
mod reasoning;
mod responses;
mod turns;
mod turns_gemini;

use serde_json::{Map, Value, json};

use super::{Finish, Response};
use crate::message::Part;

/// A response as JSON: what can be compared with what an oracle or a file says. What is unknown or empty is left out.
fn view(response: &Response) -> Value {
    let usage = &response.usage;
    let texts: Vec<&str> = response.parts.iter().filter_map(Part::as_text).collect();
    let calls: Vec<Value> = response
        .tool_calls()
        .map(|call| json!({"id": call.id, "name": call.name, "arguments": arguments(&call.arguments)}))
        .collect();
    sparse(&json!({
        "id": response.id,
        "model": response.model,
        "text": texts,
        "calls": calls,
        "reasoning": response.reasoning,
        "refusal": response.refusal,
        "finish": response.finish.as_ref().map(word),
        "usage": sparse(&json!({
            "input": usage.input,
            "output": usage.output,
            "cached": usage.cached,
            "cache_write": usage.cache_write,
            "reasoning": usage.reasoning,
        })),
    }))
}

/// Without the fields that are null or empty lists or objects.
fn sparse(object: &Value) -> Value {
    let said = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let map: Map<String, Value> =
        object.as_object().unwrap().iter().filter(|(_, v)| said(v)).map(|(k, v)| (k.clone(), v.clone())).collect();
    Value::Object(map)
}

/// Arguments as the value that they are, or as text where they are none.
fn arguments(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn word(finish: &Finish) -> String {
    match finish {
        Finish::Stop => String::from("stop"),
        Finish::ToolCalls => String::from("tool_calls"),
        Finish::Length => String::from("length"),
        Finish::Filtered => String::from("filtered"),
        Finish::Refused => String::from("refused"),
        Finish::Other(word) => format!("other: {word}"),
    }
}
