use serde_json::{Value, json};

use super::super::convert::Asked;
use super::super::corpus::Dialect;
use super::{Difference, each, one_text};
use crate::provider::Profile;

pub(super) const COHERE: &[Difference] = &[
    Difference {
        what: "a list of one text",
        why: "it says what the string says",
        level: |recorded, _| each(recorded, "messages", |message| one_text(&mut message["content"])),
    },
    Difference {
        what: "empty fields of a turn",
        why: "they say nothing",
        level: |recorded, _| {
            each(recorded, "messages", |message| {
                let said = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
                message.as_object_mut().unwrap().retain(|_, value| said(value));
            });
        },
    },
];

/// No recorded exchange asks for a format or for strict tools, nor does one name a tool.
#[test]
fn formats_and_strict_tools_are_said() {
    let bodies = [
        json!({"response_format": {"type": "json_object"}}),
        json!({"response_format": {"type": "json_object", "json_schema": {"type": "object", "required": ["x"]}}}),
        json!({"tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}],
            "tool_choice": "REQUIRED", "strict_tools": true, "temperature": 0.5, "max_tokens": 7, "p": 0.9}),
        json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}),
    ];
    let profile = Profile::named("cohere").unwrap();
    for mut body in bodies {
        body["model"] = json!("m");
        body["messages"] = json!([{"role": "system", "content": "s"}, {"role": "user", "content": "hello"}]);
        let asked = Asked::read(Dialect::Cohere, &body).unwrap();
        let ours = asked.with(|call| profile.wire().encode(call, &profile)).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&ours).unwrap(), body);
        let limited = profile.clone().with_default_max_tokens(9);
        let ours = asked.with(|call| limited.wire().encode(call, &limited)).unwrap();
        let limit = body["max_tokens"].as_u64().unwrap_or(9);
        assert_eq!(serde_json::from_slice::<Value>(&ours).unwrap()["max_tokens"], limit);
    }
}
