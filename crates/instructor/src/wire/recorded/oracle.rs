//! What a body says, read from JSON values in the simplest way.

mod bedrock;
mod cohere;
mod ollama;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(super) use self::bedrock::{bedrock, bedrock_root};
pub(super) use self::cohere::{cohere, cohere_root};
pub(super) use self::ollama::ollama;
use super::{arguments, sparse};

/// What an answer of OpenAI's protocol says.
pub(super) fn openai(body: &[u8]) -> Value {
    let (choice, message, envelope) = match serde_json::from_slice::<Value>(body) {
        Ok(root) => (root["choices"][0].clone(), root["choices"][0]["message"].clone(), root),
        Err(_) => openai_stream(body),
    };
    let calls: Vec<Value> = list(&message["tool_calls"])
        .map(|call| {
            let function = &call["function"];
            let text = function["arguments"].as_str().unwrap();
            json!({"id": call["id"], "name": function["name"], "arguments": arguments(text)})
        })
        .collect();
    // Content is a text, or a list of blocks of which some have lists of their own.
    let said = |key: &str| -> Vec<String> {
        let inner = |block: &Value| {
            nonempty(&block[key])
                .into_iter()
                .chain(list(&block[key]).filter_map(|b| nonempty(&b["text"])))
                .collect::<Vec<_>>()
        };
        match nonempty(&message["content"]) {
            Some(text) if key == "text" => vec![text],
            _ => list(&message["content"]).flat_map(inner).collect(),
        }
    };
    let details = list(&message["reasoning_details"]).filter_map(|piece| piece["text"].as_str());
    let thought = Some(said("thinking").into_iter().chain(details.map(String::from)).collect::<String>())
        .filter(|text| !text.is_empty());
    let finish = choice["finish_reason"].as_str().filter(|s| !s.is_empty()).map(|word| match word {
        "content_filter" => String::from("filtered"),
        "stop" | "length" | "tool_calls" => String::from(word),
        _ => format!("other: {word}"),
    });
    let usage = match &envelope["usage"] {
        Value::Null => &envelope["x_groq"]["usage"],
        usage => usage,
    };
    let prompt = &usage["prompt_tokens_details"];
    let cached = [
        &prompt["cached_tokens"],
        &usage["prompt_cache_hit_tokens"],
        &usage["num_cached_tokens"],
        &usage["cached_tokens"],
    ];
    let thinking = [&usage["completion_tokens_details"]["reasoning_tokens"], &usage["reasoning_tokens"]];
    let written =
        [&prompt["cache_write_tokens"], &prompt["cache_creation_tokens"], &usage["cache_creation_input_tokens"]];
    sparse(&json!({
        "id": nonempty(&envelope["id"]),
        "model": nonempty(&envelope["model"]),
        "text": said("text"),
        "calls": calls,
        "reasoning": nonempty(&message["reasoning_content"]).or_else(|| nonempty(&message["reasoning"])).or(thought),
        "refusal": nonempty(&message["refusal"]),
        "finish": finish,
        "usage": sparse(&json!({
            "input": usage["prompt_tokens"],
            "output": usage["completion_tokens"],
            "cached": cached.into_iter().find(|n| !n.is_null()),
            "cache_write": written.into_iter().find(|n| !n.is_null()),
            "reasoning": thinking.into_iter().find(|n| !n.is_null()),
        })),
    }))
}

/// The chunks of a stream folded into a choice, its message and an envelope.
fn openai_stream(body: &[u8]) -> (Value, Value, Value) {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let mut calls: BTreeMap<u64, Value> = BTreeMap::new();
    let (mut choice, mut envelope) = (json!({}), json!({}));
    for chunk in events(body) {
        for key in ["id", "model"] {
            if nonempty(&envelope[key]).is_none() {
                envelope[key] = chunk[key].clone();
            }
        }
        for usage in [&chunk["usage"], &chunk["x_groq"]["usage"]] {
            if usage.is_object() {
                envelope["usage"] = usage.clone();
            }
        }
        let Some(said) = list(&chunk["choices"]).find(|choice| choice["index"] == 0) else { continue };
        if nonempty(&said["finish_reason"]).is_some() {
            choice["finish_reason"] = said["finish_reason"].clone();
        }
        for key in ["content", "reasoning_content", "reasoning", "refusal"] {
            texts.entry(key).or_default().push_str(said["delta"][key].as_str().unwrap_or_default());
        }
        for block in list(&said["delta"]["content"]) {
            texts.entry("content").or_default().push_str(block["text"].as_str().unwrap_or_default());
            let thought = list(&block["thinking"]).filter_map(|b| b["text"].as_str());
            texts.entry("reasoning_content").or_default().extend(thought);
        }
        for piece in list(&said["delta"]["reasoning_details"]) {
            texts.entry("details").or_default().push_str(piece["text"].as_str().unwrap_or_default());
        }
        for piece in list(&said["delta"]["tool_calls"]) {
            let call = calls.entry(piece["index"].as_u64().unwrap()).or_insert_with(
                || json!({"id": piece["id"], "function": {"name": piece["function"]["name"], "arguments": ""}}),
            );
            let more = piece["function"]["arguments"].as_str().unwrap_or_default();
            let so_far = call["function"]["arguments"].as_str().unwrap();
            call["function"]["arguments"] = Value::from(format!("{so_far}{more}"));
        }
    }
    let details = texts.remove("details").unwrap_or_default();
    let mut message = json!(texts);
    message["reasoning_details"] = json!([{"text": details}]);
    message["tool_calls"] = calls.into_values().collect();
    (choice, message, envelope)
}

/// What an answer of Anthropic's protocol says.
pub(super) fn anthropic(body: &[u8]) -> Value {
    let message = anthropic_message(body);
    let of = |kind: &str, key: &str| {
        let blocks = list(&message["content"]).filter(|b| b["type"] == kind);
        blocks.filter_map(|b| nonempty(&b[key])).collect::<Vec<_>>()
    };
    let calls: Vec<Value> = list(&message["content"])
        .filter(|b| b["type"] == "tool_use")
        .map(|b| json!({"id": b["id"], "name": b["name"], "arguments": b["input"]}))
        .collect();
    let thoughts = of("thinking", "thinking").concat();
    let stop = message["stop_reason"].as_str();
    let finish = stop.map(|word| match word {
        "end_turn" | "stop_sequence" => String::from("stop"),
        "tool_use" => String::from("tool_calls"),
        "max_tokens" => String::from("length"),
        "refusal" => String::from("refused"),
        _ => format!("other: {word}"),
    });
    let usage = &message["usage"];
    let input = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    sparse(&json!({
        "id": message["id"],
        "model": message["model"],
        "text": of("text", "text"),
        "calls": calls,
        "reasoning": Some(thoughts).filter(|s| !s.is_empty()),
        "refusal": (stop == Some("refusal")).then(|| message["stop_details"]["explanation"].as_str().unwrap_or_default()),
        "finish": finish,
        "usage": sparse(&json!({
            "input": input.iter().map(|key| usage[key].as_u64().unwrap_or_default()).sum::<u64>(),
            "output": usage["output_tokens"],
            "cached": usage["cache_read_input_tokens"],
            "cache_write": usage["cache_creation_input_tokens"],
            "reasoning": usage["output_tokens_details"]["thinking_tokens"],
        })),
    }))
}

/// The message, put together if it came as a stream.
pub(super) fn anthropic_message(body: &[u8]) -> Value {
    if let Ok(message) = serde_json::from_slice(body) {
        return message;
    }
    let mut message = Value::Null;
    for event in events(body) {
        let at = event["index"].as_u64().unwrap_or_default() as usize;
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                let mut block = event["content_block"].clone();
                block["partial"] = Value::from("");
                message["content"].as_array_mut().unwrap().push(block);
            }
            "content_block_delta" => {
                let block = &mut message["content"][at];
                let delta = event["delta"].as_object().unwrap();
                for (key, more) in delta.iter().filter(|(key, _)| *key != "type") {
                    let key = if key == "partial_json" { "partial" } else { key };
                    let Some(more) = more.as_str() else { continue };
                    let so_far = block[key].as_str().unwrap_or_default();
                    block[key] = Value::from(format!("{so_far}{more}"));
                }
            }
            "content_block_stop" => {
                let block = message["content"][at].as_object_mut().unwrap();
                let partial = block.remove("partial").unwrap();
                if let Some(text) = nonempty(&partial) {
                    block.insert(String::from("input"), arguments(&text));
                }
            }
            "message_delta" => {
                merge(&mut message, event["delta"].as_object().unwrap());
                merge(&mut message["usage"], event["usage"].as_object().unwrap());
            }
            _ => {}
        }
    }
    message
}

fn merge(into: &mut Value, more: &Map<String, Value>) {
    for (key, value) in more {
        into[key] = value.clone();
    }
}

/// The data of a stream's events.
pub(super) fn events(body: &[u8]) -> impl Iterator<Item = Value> {
    let text = std::str::from_utf8(body).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok())
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn nonempty(value: &Value) -> Option<String> {
    value.as_str().filter(|s| !s.is_empty()).map(String::from)
}
