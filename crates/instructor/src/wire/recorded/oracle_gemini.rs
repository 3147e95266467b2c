//! What an answer of Gemini's protocol says.

use serde_json::{Value, json};

use super::oracle::{events, list, nonempty};
use super::sparse;

/// The chunks of an answer; one if it came whole.
fn chunks(body: &[u8]) -> Vec<Value> {
    serde_json::from_slice(body).map_or_else(|_| events(body).collect(), |whole| vec![whole])
}

fn is_thought(part: &Value) -> bool {
    part["text"].is_string() && part["thought"] == true
}

/// Nothing but text, or nothing but a thought.
fn is_plain(part: &Value) -> bool {
    part["text"].is_string() && part.as_object().unwrap().keys().all(|key| key == "text" || key == "thought")
}

/// The parts of an answer. Those that were told in pieces are put together.
pub(super) fn parts(body: &[u8]) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::new();
    for chunk in chunks(body) {
        for part in list(&chunk["candidates"][0]["content"]["parts"]) {
            match parts.last_mut() {
                Some(last) if is_plain(last) && is_plain(part) && is_thought(last) == is_thought(part) => {
                    let text = format!("{}{}", last["text"].as_str().unwrap(), part["text"].as_str().unwrap());
                    last["text"] = Value::from(text);
                }
                _ => parts.push(part.clone()),
            }
        }
    }
    parts.retain(|part| !is_plain(part) || part["text"] != "");
    parts
}

pub(super) fn gemini(body: &[u8]) -> Value {
    let mut last = json!({});
    for chunk in chunks(body) {
        for (key, value) in chunk.as_object().unwrap() {
            last[key] = value.clone();
        }
        if let Some(word) = chunk["candidates"][0]["finishReason"].as_str() {
            last["finish"] = Value::from(word);
        }
        for (key, value) in chunk["usageMetadata"].as_object().unwrap() {
            last["usage"][key] = value.clone();
        }
    }
    let finish = last["finish"].as_str().map(|word| match word {
        "STOP" => String::from("stop"),
        "MAX_TOKENS" => String::from("length"),
        "SAFETY" => String::from("filtered"),
        _ => format!("other: {word}"),
    });
    let mut texts: Vec<String> = Vec::new();
    let (mut thoughts, mut calls, mut open) = (String::new(), Vec::new(), false);
    for part in parts(body) {
        let text = part["text"].as_str().unwrap_or_default();
        if part["text"].is_string() && !is_thought(&part) {
            if open {
                texts.last_mut().unwrap().push_str(text);
            } else {
                texts.push(String::from(text));
            }
            open = true;
            continue;
        }
        open = false;
        thoughts.push_str(text);
        if let Some(call) = part["functionCall"].as_object() {
            let id = call.get("id").map_or("", |id| id.as_str().unwrap());
            calls.push(json!({"id": id, "name": call["name"], "arguments": call["args"]}));
        }
    }
    texts.retain(|text| !text.is_empty());
    let usage = &last["usage"];
    let sum = |keys: [&str; 2]| {
        let known: Vec<u64> = keys.iter().filter_map(|key| usage[*key].as_u64()).collect();
        (!known.is_empty()).then(|| known.iter().sum::<u64>())
    };
    sparse(&json!({
        "id": nonempty(&last["responseId"]),
        "model": nonempty(&last["modelVersion"]),
        "text": texts,
        "calls": calls,
        "reasoning": Some(thoughts).filter(|text| !text.is_empty()),
        "finish": finish,
        "usage": sparse(&json!({
            "input": sum(["promptTokenCount", "toolUsePromptTokenCount"]),
            "output": sum(["candidatesTokenCount", "thoughtsTokenCount"]),
            "cached": usage["cachedContentTokenCount"],
            "reasoning": usage["thoughtsTokenCount"],
        })),
    }))
}

/// What input and output make together, and what the service says that they do.
pub(super) fn totals(body: &[u8]) -> Vec<(u64, u64)> {
    let count = |usage: &Value, key: &str| usage[key].as_u64().unwrap_or_default();
    let parts = ["promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"];
    let all = chunks(body);
    all.iter()
        .map(|chunk| &chunk["usageMetadata"])
        .map(|usage| (parts.iter().map(|key| count(usage, key)).sum(), count(usage, "totalTokenCount")))
        .collect()
}

/// What an interaction of the same service says.
pub(super) fn interaction(body: &[u8]) -> Value {
    let (mut texts, mut whole) = (Vec::new(), Value::Null);
    match serde_json::from_slice::<Value>(body) {
        Ok(root) => {
            let said = list(&root["steps"]).filter(|step| step["type"] == "model_output");
            texts.extend(said.flat_map(|step| list(&step["content"])).filter_map(|block| nonempty(&block["text"])));
            whole = root;
        }
        Err(_) => {
            let mut text = String::new();
            for event in events(body) {
                text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
                if event["event_type"] == "interaction.completed" {
                    whole = event["interaction"].clone();
                }
            }
            texts.push(text);
        }
    }
    let call = |step: &Value| json!({"id": step["id"], "name": step["name"], "arguments": step["arguments"]});
    let calls: Vec<Value> = list(&whole["steps"]).filter(|step| step["type"] == "function_call").map(call).collect();
    let usage = &whole["usage"];
    let count = |key: &str| usage[key].as_u64().unwrap();
    sparse(&json!({
        "id": whole["id"],
        "model": whole["model"],
        "text": texts,
        "calls": calls,
        "finish": if whole["status"] == "completed" { "stop" } else { "tool_calls" },
        "usage": {
            "input": count("total_input_tokens") + count("total_tool_use_tokens"),
            "output": count("total_output_tokens") + count("total_thought_tokens"),
            "cached": count("total_cached_tokens"),
            "reasoning": count("total_thought_tokens"),
        },
    }))
}
