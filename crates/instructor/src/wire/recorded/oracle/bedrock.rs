//! Bedrock's protocol. Streams are read from the events that the corpus has beside their bytes.

use serde_json::{Map, Value, json};

use super::super::sparse;
use super::{list, nonempty};

/// What an answer says, from the recorded response.
pub(in super::super) fn bedrock(response: &Value) -> Value {
    let root = bedrock_root(response);
    let content = &root["output"]["message"]["content"];
    let texts: Vec<String> = list(content).filter_map(|block| nonempty(&block["text"])).collect();
    let calls: Vec<Value> = list(content)
        .map(|block| &block["toolUse"])
        .filter(|call| call.is_object() && call["type"] != "server_tool_use")
        .map(|call| json!({"id": call["toolUseId"], "name": call["name"], "arguments": call["input"]}))
        .collect();
    let thoughts: Vec<String> =
        list(content).filter_map(|block| nonempty(&block["reasoningContent"]["reasoningText"]["text"])).collect();
    let finish = match root["stopReason"].as_str().unwrap() {
        "end_turn" | "stop_sequence" => "stop",
        "tool_use" => "tool_calls",
        "max_tokens" => "length",
        "guardrail_intervened" => "filtered",
        other => panic!("{other}"),
    };
    let usage = &root["usage"];
    let input = ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"];
    sparse(&json!({
        "text": texts,
        "calls": calls,
        "reasoning": (!thoughts.is_empty()).then(|| thoughts.concat()),
        "finish": finish,
        "usage": sparse(&json!({
            "input": input.iter().map(|key| usage[key].as_u64().unwrap_or_default()).sum::<u64>(),
            "output": usage["outputTokens"],
            "cached": usage["cacheReadInputTokens"],
            "cache_write": usage["cacheWriteInputTokens"],
        })),
    }))
}

/// The body, put together if it came as a stream.
pub(in super::super) fn bedrock_root(response: &Value) -> Value {
    let Some(events) = response["events"].as_array() else { return response["body"].clone() };
    let mut root = json!({"output": {"message": {"content": []}}});
    for event in events {
        let payload = &event["payload"];
        match event["headers"][":event-type"].as_str().unwrap() {
            "messageStop" => root["stopReason"] = payload["stopReason"].clone(),
            "metadata" => root["usage"] = payload["usage"].clone(),
            "contentBlockStart" => *block(&mut root, payload) = payload["start"].clone(),
            "contentBlockDelta" => grow(block(&mut root, payload), payload["delta"].as_object().unwrap()),
            "contentBlockStop" => {
                let input = &mut block(&mut root, payload)["toolUse"];
                if let Some(text) = input["input"].as_str() {
                    input["input"] = serde_json::from_str(text).unwrap();
                }
                block(&mut root, payload).as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
            _ => {}
        }
    }
    root
}

fn block<'r>(root: &'r mut Value, payload: &Value) -> &'r mut Value {
    let content = root["output"]["message"]["content"].as_array_mut().unwrap();
    let at = payload["contentBlockIndex"].as_u64().unwrap() as usize;
    while content.len() <= at {
        content.push(json!({}));
    }
    &mut content[at]
}

fn grow(block: &mut Value, delta: &Map<String, Value>) {
    let append = |into: &mut Value, more: &Value| {
        let more = more.as_str().unwrap();
        *into = Value::from(format!("{}{more}", into.as_str().unwrap_or_default()));
    };
    for (key, more) in delta {
        match (key.as_str(), more) {
            ("text", more) => append(&mut block["text"], more),
            ("reasoningContent", more) => {
                for (key, more) in more.as_object().unwrap() {
                    match key.as_str() {
                        "redactedContent" => append(&mut block["reasoningContent"][key], more),
                        _ => append(&mut block["reasoningContent"]["reasoningText"][key], more),
                    }
                }
            }
            ("toolUse", more) => append(&mut block["toolUse"]["input"], &more["input"]),
            (key, items) => block[key]["content"] = items.clone(),
        }
    }
}
