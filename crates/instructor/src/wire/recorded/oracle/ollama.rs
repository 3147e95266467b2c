//! Ollama's protocol.

use serde_json::{Value, json};

use super::super::sparse;
use super::{list, nonempty};

pub(in super::super) fn ollama(body: &[u8]) -> Value {
    let lines: Vec<Value> = match serde_json::from_slice(body) {
        Ok(whole) => vec![whole],
        Err(_) => body.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect(),
    };
    let all = |key: &str| lines.iter().filter_map(|line| line["message"][key].as_str()).collect::<String>();
    let calls: Vec<Value> = lines
        .iter()
        .flat_map(|line| list(&line["message"]["tool_calls"]))
        .map(|call| {
            let function = &call["function"];
            json!({"id": call["id"], "name": function["name"], "arguments": function["arguments"]})
        })
        .collect();
    let last = lines.last().unwrap();
    assert_eq!(last["done"], true);
    sparse(&json!({
        "model": last["model"],
        "text": nonempty(&Value::from(all("content"))).into_iter().collect::<Vec<_>>(),
        "calls": calls,
        "reasoning": nonempty(&Value::from(all("thinking"))),
        "finish": last["done_reason"],
        "usage": sparse(&json!({"input": last["prompt_eval_count"], "output": last["eval_count"]})),
    }))
}
