//! Gemini's bodies: the call that one says, and how clients write them in other words.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::convert::{Asked, Form, Wanted};
use super::encode::Difference;
use super::media;
use super::oracle::list;
use crate::message::{Message, Opaque, Part, Role, ToolCall, ToolResult};
use crate::wire::{Choice, Settings};

/// The model is in the address, which is another test's business.
pub(super) fn asked(body: &Value) -> Result<Asked, &'static str> {
    let mut body = body.clone();
    spell(&mut body);
    let mut rest = body.as_object().unwrap().clone();
    rest.retain(|_, value| !value.is_null());
    let system = rest.remove("systemInstruction").unwrap_or_default();
    let system = match list(&system["parts"]).collect::<Vec<_>>().as_slice() {
        [] => None,
        [part] => Some(part["text"].as_str().ok_or("a system text of something else")?.to_owned()),
        _ => return Err("several system texts"),
    };
    let contents = rest.remove("contents").unwrap();
    let messages = list(&contents).map(message).collect::<Result<Vec<_>, _>>()?;
    let mut config = rest.remove("generationConfig").and_then(|c| c.as_object().cloned()).unwrap_or_default();
    let temperature = config.remove("temperature").and_then(|t| t.as_f64());
    let max_tokens = config.remove("maxOutputTokens").and_then(|n| n.as_u64());
    let output = output(&mut rest, &mut config);
    if !config.is_empty() {
        rest.insert(String::from("generationConfig"), Value::Object(config));
    }
    Ok(Asked {
        model: String::from("m"),
        instructions: system,
        messages,
        output,
        settings: Settings { temperature, max_tokens, extra: rest, ..Settings::default() },
    })
}

fn message(content: &Value) -> Result<Message, &'static str> {
    let parts = list(&content["parts"]);
    if content["role"] == "model" {
        return Ok(Message::new(Role::Assistant, parts.flat_map(model_part).collect::<Vec<_>>()));
    }
    let mut role = Role::User;
    let mut said = Vec::new();
    for part in parts {
        if let Some(text) = part["text"].as_str() {
            said.push(Part::from(text));
            continue;
        }
        if part["functionResponse"].is_null() {
            said.push(media::gemini_part(part)?);
            continue;
        }
        let result = part["functionResponse"].as_object().ok_or("media or files")?;
        role = Role::Tool;
        let response = &result["response"];
        let error = response["error"].as_str().filter(|_| response.as_object().unwrap().len() == 1);
        said.push(Part::ToolResult(ToolResult {
            call_id: result.get("id").map_or("", |id| id.as_str().unwrap()).to_owned(),
            text: error.map_or_else(|| response.to_string(), String::from),
            is_error: error.is_some(),
        }));
        for part in result.get("parts").and_then(Value::as_array).into_iter().flatten() {
            said.push(media::gemini_part(part)?);
        }
    }
    Ok(Message::new(role, said))
}

fn model_part(part: &Value) -> Vec<Part> {
    let opaque = |of, json: &Value| Part::Opaque(Opaque::new(of, to_raw_value(json).unwrap()));
    let alone = part.as_object().unwrap().len() == 1;
    let neutral = match (part["text"].as_str(), part["functionCall"].as_object()) {
        (Some(text), _) if part["thought"] != true && !text.is_empty() => Part::from(text),
        (_, Some(call)) => {
            let text = |key: &str| call.get(key).map_or("", |text| text.as_str().unwrap());
            Part::ToolCall(ToolCall::new(text("id"), text("name"), call["args"].to_string()))
        }
        _ => return vec![opaque("gemini", part)],
    };
    if alone { vec![neutral] } else { vec![opaque("gemini parts", &json!([part])), neutral] }
}

fn output(rest: &mut Map<String, Value>, config: &mut Map<String, Value>) -> Wanted {
    if config.get("responseMimeType").is_some_and(|kind| kind == "application/json") {
        config.remove("responseMimeType");
        return match config.remove("responseJsonSchema") {
            Some(schema) => Wanted::Schema(Form::new(&json!({ "schema": schema }), "schema")),
            None => Wanted::Object,
        };
    }
    let known = |tool: &Value| {
        let keys = ["name", "description", "parametersJsonSchema"];
        let all = tool.as_object().unwrap().keys().all(|key| keys.contains(&key.as_str()));
        all && tool["parametersJsonSchema"].is_object()
    };
    let tools = rest.get("tools").cloned().unwrap_or_default();
    let mut declared = list(&tools).flat_map(|tool| list(&tool["functionDeclarations"]));
    let (Some(tool), None) = (declared.next(), declared.next()) else { return Wanted::Text };
    let calling = rest.get("toolConfig").map_or(&Value::Null, |config| &config["functionCallingConfig"]);
    let choice = match (calling["mode"].as_str(), list(&calling["allowedFunctionNames"]).count()) {
        (None | Some("AUTO"), 0) => Choice::Auto,
        (Some("ANY"), 0) => Choice::Any,
        (Some("ANY"), 1) => Choice::Named,
        _ => return Wanted::Text,
    };
    let alone = list(&tools).all(|tool| tool.as_object().unwrap().len() == 1);
    if !known(tool) || !alone {
        return Wanted::Text;
    }
    let form = Form::new(tool, "parametersJsonSchema");
    // The service's own tools stay, and go along as they are.
    rest["tools"].as_array_mut().unwrap().retain(|tool| tool["functionDeclarations"].is_null());
    rest.retain(|key, value| key != "tools" || !value.as_array().unwrap().is_empty());
    if let Some(config) = rest.get_mut("toolConfig").and_then(Value::as_object_mut) {
        config.remove("functionCallingConfig");
    }
    rest.retain(|key, value| key != "toolConfig" || !value.as_object().unwrap().is_empty());
    Wanted::Tool(form, choice)
}

/// The names of the protocol, without those of callers: arguments, results and schemas are left alone.
fn spell(body: &mut Value) {
    const LEFT: [&str; 7] =
        ["args", "response", "parametersJsonSchema", "parameters", "responseJsonSchema", "responseSchema", "text"];
    match body {
        Value::Array(items) => items.iter_mut().for_each(spell),
        Value::Object(map) => {
            let spelt = std::mem::take(map).into_iter().map(|(key, mut value)| {
                let mut words = key.split('_');
                let first = words.next().unwrap_or_default().to_owned();
                let key = words.fold(first, |key, word| {
                    let (head, tail) = word.split_at(1);
                    format!("{key}{}{tail}", head.to_uppercase())
                });
                if !LEFT.contains(&key.as_str()) {
                    spell(&mut value);
                }
                (key, value)
            });
            *map = spelt.filter(|(key, value)| !(value.is_null() || (key == "thought" && *value == false))).collect();
        }
        _ => {}
    }
}

pub(super) const GEMINI: &[Difference] = &[
    Difference {
        what: "names in snake case, null fields, thoughts that are none",
        why: "the service takes both spellings, and the others say nothing",
        level: |recorded, _| spell(recorded),
    },
    Difference {
        what: "the role of the system text",
        why: "it says nothing",
        level: |recorded, _| {
            if let Some(system) = recorded.get_mut("systemInstruction") {
                system.as_object_mut().unwrap().remove("role");
            }
        },
    },
    Difference {
        what: "an empty generationConfig",
        why: "it says nothing",
        level: |recorded, _| {
            let map = recorded.as_object_mut().unwrap();
            map.retain(|key, value| key != "generationConfig" || *value != json!({}));
        },
    },
    Difference {
        what: "no toolConfig",
        why: "it means auto",
        level: |recorded, ours| {
            let auto = json!({"functionCallingConfig": {"mode": "AUTO"}});
            if recorded["toolConfig"].is_null() && ours["toolConfig"] == auto {
                recorded["toolConfig"] = auto;
            }
        },
    },
    Difference {
        what: "the order of tools",
        why: "ours stands before the service's own",
        level: |recorded, ours| {
            for body in [recorded, ours] {
                if let Some(tools) = body.get_mut("tools").and_then(Value::as_array_mut) {
                    tools.sort_by_key(|tool| tool["functionDeclarations"].is_null());
                }
            }
        },
    },
];
