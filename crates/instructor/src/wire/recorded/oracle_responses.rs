//! What an answer of OpenAI's responses says, read from JSON values in the simplest way.

use serde_json::{Value, json};

use super::oracle::{events, list, nonempty};
use super::{arguments, sparse};

/// What an answer says.
pub(super) fn response(body: &[u8]) -> Value {
    let whole = whole(body);
    let output = &whole["output"];
    let calls: Vec<Value> = list(output)
        .filter(|item| item["type"] == "function_call")
        .map(|item| {
            let text = item["arguments"].as_str().unwrap();
            json!({"id": item["call_id"], "name": item["name"], "arguments": arguments(text)})
        })
        .collect();
    let answers = |item: &&Value| item["type"] == "message" && item["phase"] != "commentary";
    let of = |item: &Value, list_key: &str, key: &str| {
        list(&item[list_key]).filter_map(|block| nonempty(&block[key])).collect::<Vec<_>>()
    };
    let texts: Vec<String> = list(output).filter(answers).flat_map(|item| of(item, "content", "text")).collect();
    let refusals: Vec<String> = list(output).flat_map(|item| of(item, "content", "refusal")).collect();
    let thoughts: Vec<String> = list(output)
        .filter(|item| !answers(item))
        .flat_map(|item| match of(item, "content", "text") {
            own if own.is_empty() => of(item, "summary", "text"),
            own => own,
        })
        .collect();
    let finish = match (whole["status"].as_str().unwrap(), whole["incomplete_details"]["reason"].as_str()) {
        ("completed", None) if calls.is_empty() => "stop",
        ("completed", None) => "tool_calls",
        ("incomplete", Some("max_output_tokens")) => "length",
        ("queued", None) => "other: queued",
        other => panic!("{other:?}"),
    };
    let usage = &whole["usage"];
    sparse(&json!({
        "id": whole["id"],
        "model": whole["model"],
        "text": texts,
        "calls": calls,
        "reasoning": Some(thoughts.join("\n\n")).filter(|s| !s.is_empty()),
        "refusal": Some(refusals.concat()).filter(|s| !s.is_empty()),
        "finish": finish,
        "usage": sparse(&json!({
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "cached": usage["input_tokens_details"]["cached_tokens"],
            "cache_write": usage["input_tokens_details"]["cache_write_tokens"],
            "reasoning": usage["output_tokens_details"]["reasoning_tokens"],
        })),
    }))
}

/// The response object; of a stream, that of its last event that has one.
pub(super) fn whole(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let responses = events(body).filter_map(|mut event| event.get_mut("response").map(Value::take));
        responses.last().unwrap()
    })
}
