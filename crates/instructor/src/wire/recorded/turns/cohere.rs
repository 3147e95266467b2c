use serde_json::{Value, json};

use super::super::corpus::{Dialect, all};
use super::super::oracle;
use super::{blocks, resent};

/// What of a message is sent back, each in one form. Citations are not, as with all texts.
fn told(message: &Value) -> Value {
    let content = if message["content"].is_null() { json!([]) } else { blocks(&message["content"]) };
    let texts = |block: &Value| block["text"].as_str().is_none_or(|text| !text.is_empty());
    let content: Vec<&Value> = content.as_array().unwrap().iter().filter(|block| texts(block)).collect();
    let calls: Vec<&Value> = oracle::list(&message["tool_calls"]).collect();
    json!([content, oracle::nonempty(&message["tool_plan"]), calls])
}

#[test]
fn all_cohere_answers_come_back_as_they_were() {
    let (mut same, mut differ) = (0, Vec::new());
    for exchange in all().iter().filter(|e| e.dialect == Dialect::Cohere && e.status() < 400) {
        let came = told(&oracle::cohere_root(&exchange.body())["message"]);
        let ours = told(&resent(exchange, &exchange.profile()));
        match ours == came {
            true => same += 1,
            false => differ.push(format!("{}:\n  {ours}\n  {came}", exchange.name)),
        }
    }
    println!("answers of Cohere sent back whole: {same}");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(all().is_empty() || same >= 18, "{same}");
}
