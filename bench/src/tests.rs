//! That both sides do the same work. What it takes is nothing that a test could assert.

use serde_json::Value;

use crate::exchange::{Schema, ask, order_or_reask};
use crate::order::{Order, PROMPT};
use crate::server::{ANSWER, wrong_answer};
use crate::workload::builder;

#[test]
fn both_sides_send_the_same() {
    let client = builder(String::from("http://127.0.0.1:1/v1")).build().unwrap();
    let ours = client.request(PROMPT).preview::<Order>().unwrap().json();
    for as_value in [false, true] {
        let floor: Value = serde_json::from_slice(&ask(&Schema::of_order(as_value).unwrap()).unwrap()).unwrap();
        assert_eq!(floor, ours);
    }
}

#[test]
fn the_answers_are_right_and_wrong() {
    let schema = Schema::of_order(false).unwrap();
    let envelope = |arguments: &str| {
        let call = serde_json::json!({ "id": "1", "function": { "name": "Order", "arguments": arguments } });
        serde_json::json!({ "choices": [{ "message": { "tool_calls": [call] } }] }).to_string()
    };
    assert!(order_or_reask(&schema, envelope(ANSWER).as_bytes()).unwrap().is_ok());
    assert_ne!(wrong_answer(), ANSWER);
    let again: Value =
        serde_json::from_slice(&order_or_reask(&schema, envelope(&wrong_answer()).as_bytes()).unwrap().err().unwrap())
            .unwrap();
    assert_eq!(again["messages"][2]["role"], "tool");
}
