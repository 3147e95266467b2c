use serde_json::{Value, json};

use super::super::convert::Asked;
use super::super::corpus::Dialect;
use super::{Difference, each};
use crate::media::Media;
use crate::message::Message;
use crate::provider::Profile;
use crate::wire::{Call, Output, Settings};

pub(super) const OLLAMA: &[Difference] = &[
    Difference {
        what: "no options",
        why: "an empty object says the same",
        level: |recorded, _| {
            if recorded["options"] == json!({}) {
                recorded.as_object_mut().unwrap().remove("options");
            }
        },
    },
    Difference {
        what: "empty fields of a turn",
        why: "they say nothing",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                message
                    .as_object_mut()
                    .unwrap()
                    .retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
            });
        },
    },
];

fn encoded(body: &Value) -> Value {
    let profile = Profile::named("ollama_chat").unwrap();
    let asked = Asked::read(Dialect::Ollama, body).unwrap();
    serde_json::from_slice(&asked.with(|call| profile.wire().encode(call, &profile)).unwrap()).unwrap()
}

/// What no recorded exchange says.
#[test]
fn formats_and_options_are_said() {
    let bodies = [
        json!({"format": "json"}),
        json!({"format": {"type": "object", "required": ["x"]}, "options": {"temperature": 0.5, "num_predict": 7}}),
        json!({"options": {"num_ctx": 8192, "num_predict": 7}, "think": "low", "stream": true}),
        json!({"options": {"num_ctx": 8192}, "keep_alive": "1h"}),
    ];
    for mut body in bodies {
        body["model"] = json!("m");
        body["messages"] = json!([{"role": "system", "content": "s"}, {"role": "user", "content": "hello"}]);
        let ours = encoded(&body);
        if body["stream"].is_null() {
            // Left out it would mean true.
            body["stream"] = json!(false);
        }
        assert_eq!(ours, body);
    }
}

#[test]
fn images_stand_beside_the_text() {
    let profile = Profile::named("ollama_chat").unwrap();
    let messages = [Message::user("What is this?").with(Media::image(&b"\x89PNG\r\n\x1a\n"[..]))];
    let call = Call {
        model: "m",
        messages: &messages,
        instructions: None,
        nudge: Some("In JSON."),
        turns: &[],
        output: Output::Text,
        settings: &Settings::default(),
        streamed: false,
    };
    let body: Value = serde_json::from_slice(&profile.wire().encode(&call, &profile).unwrap()).unwrap();
    let said = json!({"role": "user", "content": "What is this?\n\nIn JSON.", "images": ["iVBORw0KGgo="]});
    assert_eq!(body["messages"], json!([said]));
}
