use serde_json::{Value, json};

use super::super::corpus::{Dialect, all};
use super::super::oracle;
use super::resent;

/// Without what the API adds to the calls of a caller's tools, and the texts of nothing that it refuses.
fn told(content: &Value) -> Value {
    let mut blocks: Vec<Value> = oracle::list(content).cloned().collect();
    blocks.retain(|block| block["text"].as_str().is_none_or(|text| !text.trim().is_empty()));
    for block in &mut blocks {
        if block["toolUse"]["type"] == "tool_use" {
            block["toolUse"].as_object_mut().unwrap().remove("type");
        }
        block.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    json!(blocks)
}

#[test]
fn all_bedrock_answers_come_back_as_they_were() {
    let (mut same, mut thought, mut differ) = (0, 0, Vec::new());
    for exchange in all().iter().filter(|e| e.dialect == Dialect::Bedrock && e.status() < 400) {
        let root = oracle::bedrock_root(&exchange.record["response"]);
        let came = told(&root["output"]["message"]["content"]);
        let ours = told(&resent(exchange, &exchange.profile())["content"]);
        match ours == came {
            true => same += 1,
            false => differ.push(format!("{}:\n  {ours}\n  {came}", exchange.name)),
        }
        thought += usize::from(came.to_string().contains("\"reasoningContent\""));
    }
    println!("answers of Bedrock sent back whole: {same} ({thought} with reasoning)");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(all().is_empty() || (same >= 81 && thought >= 10), "{same} {thought}");
}
