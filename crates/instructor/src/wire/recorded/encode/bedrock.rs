use serde_json::{Value, json};

use super::super::convert::Asked;
use super::super::corpus::{Dialect, all};
use super::{Difference, each};
use crate::provider::{Address, Profile};

pub(super) const BEDROCK: &[Difference] = &[
    Difference {
        what: "a blank text",
        why: "it says nothing, and most models refuse it",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                let blank = |block: &Value| block["text"].as_str().is_some_and(|text| text.trim().is_empty());
                if let Some(blocks) = message["content"].as_array_mut() {
                    blocks.retain(|block| !blank(block));
                }
            });
        },
    },
    Difference {
        what: "lists and objects of nothing",
        why: "they say nothing",
        level: |recorded, _| {
            for key in ["system", "inferenceConfig"] {
                if recorded[key].as_array().is_some_and(Vec::is_empty) || recorded[key] == json!({}) {
                    recorded[key] = Value::Null;
                }
            }
        },
    },
    Difference {
        what: "a choice of auto",
        why: "it is the default, and models that take no other refuse the field",
        level: |recorded, ours| {
            let auto = json!({"auto": {}});
            if recorded["toolConfig"]["toolChoice"] == auto && ours["toolConfig"]["toolChoice"].is_null() {
                recorded["toolConfig"].as_object_mut().unwrap().remove("toolChoice");
            }
        },
    },
    Difference {
        what: "a status of success",
        why: "it is the default, and not every model takes the field",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                each(message, "content", |block| {
                    if let Some(result) = block.get_mut("toolResult").filter(|r| r.get("type").is_none())
                        && result["status"] == "success"
                    {
                        result.as_object_mut().unwrap().remove("status");
                    }
                });
            });
        },
    },
];

fn encoded(body: &Value) -> Value {
    let profile = Profile::named("bedrock").unwrap();
    let asked = Asked::read(Dialect::Bedrock, body).unwrap();
    serde_json::from_slice(&asked.with(|call| profile.wire().encode(call, &profile)).unwrap()).unwrap()
}

#[test]
fn settings_of_the_caller_stand_beside_ours() {
    let said = json!([{"role": "user", "content": [{"text": "hello"}]}]);
    let tool = json!({"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {}}, "strict": true}});
    let text_format = json!({"type": "json_schema", "structure": {"jsonSchema": {"name": "n", "schema": "{}"}}});
    let bodies = [
        json!({"inferenceConfig": {"maxTokens": 7, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]}}),
        json!({"outputConfig": {"textFormat": text_format, "effort": "low"}, "requestMetadata": {"a": "b"}}),
        json!({"toolConfig": {"tools": [tool], "toolChoice": {"tool": {"name": "f"}}}}),
        json!({"toolConfig": {"tools": [tool], "toolChoice": {"any": {}}}, "system": [{"text": "s"}]}),
        json!({"toolConfig": {"tools": [tool, {"cachePoint": {"type": "default"}}]}}),
    ];
    for mut body in bodies {
        body["messages"] = said.clone();
        assert_eq!(encoded(&body), body);
    }
}

#[test]
fn the_address_is_the_recorded_one() {
    let profile = Profile::named("bedrock").unwrap();
    for exchange in all().iter().filter(|e| e.dialect == Dialect::Bedrock) {
        let url = exchange.record["request"]["url"].as_str().unwrap();
        let base = url.split("/model/").next().unwrap();
        let address = Address::new(base, profile.wire().path()).unwrap();
        let ours = address.of(exchange.record["model"].as_str().unwrap()).unwrap().to_string();
        assert_eq!(ours, url.replace("/converse-stream", "/converse"), "{}", exchange.name);
    }
}
