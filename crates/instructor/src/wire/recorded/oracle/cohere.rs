//! Cohere's protocol.

use serde_json::{Value, json};

use super::super::{arguments, sparse};
use super::{events, list, nonempty};

pub(in super::super) fn cohere(body: &[u8]) -> Value {
    let root = cohere_root(body);
    let message = &root["message"];
    let of = |key: &str| list(&message["content"]).filter_map(|b| nonempty(&b[key])).collect::<Vec<_>>();
    let calls: Vec<Value> = list(&message["tool_calls"])
        .map(|call| {
            let function = &call["function"];
            let text = function["arguments"].as_str().unwrap();
            json!({"id": call["id"], "name": function["name"], "arguments": arguments(text)})
        })
        .collect();
    let finish = match root["finish_reason"].as_str().unwrap() {
        "COMPLETE" => "stop",
        "TOOL_CALL" => "tool_calls",
        "MAX_TOKENS" => "length",
        other => panic!("{other}"),
    };
    let thoughts: Vec<String> =
        [Some(of("thinking").concat()), nonempty(&message["tool_plan"])].into_iter().flatten().collect();
    let thoughts: Vec<String> = thoughts.into_iter().filter(|s| !s.is_empty()).collect();
    let usage = &root["usage"];
    sparse(&json!({
        "id": root["id"],
        "text": of("text"),
        "calls": calls,
        "reasoning": (!thoughts.is_empty()).then(|| thoughts.join("\n")),
        "finish": finish,
        "usage": sparse(&json!({
            "input": usage["tokens"]["input_tokens"],
            "output": usage["tokens"]["output_tokens"],
            "cached": usage["cached_tokens"],
            "reasoning": usage["tokens"]["reasoning_tokens"],
        })),
    }))
}

/// The body, put together if it came as a stream.
pub(in super::super) fn cohere_root(body: &[u8]) -> Value {
    if let Ok(root) = serde_json::from_slice(body) {
        return root;
    }
    let mut root = Value::Null;
    for event in events(body) {
        let at = event["index"].as_u64().unwrap_or_default() as usize;
        let said = &event["delta"]["message"];
        let grow = |into: &mut Value, more: &Value| {
            if let Some(more) = more.as_str() {
                *into = Value::from(format!("{}{more}", into.as_str().unwrap_or_default()));
            }
        };
        match event["type"].as_str().unwrap() {
            "message-start" => root = json!({"id": event["id"], "message": said}),
            "content-start" => root["message"]["content"].as_array_mut().unwrap().push(said["content"].clone()),
            "content-delta" => {
                for key in ["text", "thinking"].into_iter().filter(|key| said["content"][key].is_string()) {
                    grow(&mut root["message"]["content"][at][key], &said["content"][key]);
                }
            }
            "tool-plan-delta" => grow(&mut root["message"]["tool_plan"], &said["tool_plan"]),
            "tool-call-start" => root["message"]["tool_calls"].as_array_mut().unwrap().push(said["tool_calls"].clone()),
            "tool-call-delta" => {
                let more = &said["tool_calls"]["function"]["arguments"];
                grow(&mut root["message"]["tool_calls"][at]["function"]["arguments"], more);
            }
            "message-end" => {
                root["finish_reason"] = event["delta"]["finish_reason"].clone();
                root["usage"] = event["delta"]["usage"].clone();
            }
            _ => {}
        }
    }
    root
}
