//! What holds for OpenAI's responses alone.

use serde_json::{Value, json};

use super::convert_responses::is_reference;
use super::corpus::{Dialect, Exchange, all};
use super::decode::read;
use super::encode::{Difference, each};
use super::oracle::list;
use super::oracle_responses::whole;
use super::{random, view};
use crate::message::{Message, Part};
use crate::wire::{Call, Choice, Output, Settings, Shape, read_response};

/// The ways in which requests may differ from the recorded ones.
pub(super) const RESPONSES: &[Difference] = &[
    Difference {
        what: "instructions",
        why: "they say what a system item at the start says",
        level: |recorded, _| {
            if let Some(text) = recorded.as_object_mut().unwrap().remove("instructions") {
                recorded["input"].as_array_mut().unwrap().insert(0, json!({"role": "system", "content": text}));
            }
        },
    },
    Difference {
        what: "the type of a message",
        why: "an item with a role is one",
        level: |recorded, _| {
            each(recorded, "input", |item| {
                if item["type"] == "message" && (item["role"] != "assistant" || item["content"].is_string()) {
                    item.as_object_mut().unwrap().remove("type");
                }
            });
        },
    },
    Difference {
        what: "a list of one text",
        why: "it says what the string says",
        level: |recorded, _| {
            each(recorded, "input", |item| {
                if let Some([block]) = item["content"].as_array().map(Vec::as_slice)
                    && block["type"] == "input_text"
                {
                    item["content"] = block["text"].clone();
                }
            });
        },
    },
    Difference {
        what: "an empty text of the model's",
        why: "it says nothing",
        level: |recorded, _| {
            if let Some(items) = recorded["input"].as_array_mut() {
                items.retain(|item| item["role"] != "assistant" || item["content"] != "");
            }
        },
    },
    Difference {
        what: "a description of null",
        why: "it says nothing",
        level: |recorded, _| {
            if recorded["tools"][0]["description"].is_null()
                && let Some(tool) = recorded["tools"].get_mut(0).and_then(Value::as_object_mut)
            {
                tool.remove("description");
            }
        },
    },
    Difference {
        what: "a thought before a text of the client's own",
        why: "OpenAI refuses one that can't be read: the text has to be the one that the thought led to",
        level: |recorded, _| {
            let Some(items) = recorded["input"].as_array_mut() else { return };
            let own = |item: &Value| item["role"] == "assistant" && item["content"].is_string();
            let closed = |item: &Value| item["type"] == "reasoning" && list(&item["content"]).count() == 0;
            if let Some(at) = items.windows(2).position(|two| closed(&two[0]) && own(&two[1])) {
                items.remove(at);
            }
        },
    },
    Difference {
        what: "the status of a result",
        why: "it is for the server to say",
        level: |recorded, _| {
            each(recorded, "input", |item| {
                if item["type"] == "function_call_output" {
                    item.as_object_mut().unwrap().remove("status");
                }
            });
        },
    },
    Difference {
        what: "no strict in a tool",
        why: "where it is not said the server decides; it is said",
        level: |recorded, ours| {
            let first = |body: &Value| body["tools"][0]["strict"].clone();
            if first(recorded).is_null() && first(ours) == false {
                recorded["tools"][0]["strict"] = json!(false);
            }
        },
    },
    Difference {
        what: "no tool_choice",
        why: "it means auto",
        level: |recorded, ours| {
            if recorded["tool_choice"].is_null() && ours["tool_choice"] == "auto" {
                recorded["tool_choice"] = json!("auto");
            }
        },
    },
    Difference {
        what: "nothing said of storing",
        why: "it means true; the library needs nothing stored but what a request refers to",
        level: |recorded, ours| {
            if recorded["store"].is_null() {
                ours.as_object_mut().unwrap().remove("store");
                if recorded["include"].is_null() && ours["include"] == json!(["reasoning.encrypted_content"]) {
                    ours.as_object_mut().unwrap().remove("include");
                }
            }
        },
    },
];

fn successes() -> impl Iterator<Item = &'static Exchange> {
    all().iter().filter(|e| e.dialect == Dialect::OpenAiResponses && e.status() < 400)
}

/// The input of the request that follows an answer.
fn resent(exchange: &Exchange, settings: &Settings) -> Vec<Value> {
    let profile = exchange.profile();
    let turns: Vec<Message> = read(exchange).unwrap().into_turn().into_iter().collect();
    let call = Call {
        model: "m",
        messages: &[],
        instructions: None,
        nudge: None,
        turns: &turns,
        output: Output::Text,
        settings,
        streamed: false,
    };
    let body: Value = serde_json::from_slice(&profile.wire().encode(&call, &profile).unwrap()).unwrap();
    list(&body["input"]).cloned().collect()
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
}

/// But for a call that was cut, whose arguments no server could read.
#[test]
fn all_items_of_an_answer_come_back_as_they_were() {
    let mut stored = Settings::default();
    stored.extra.insert(String::from("store"), Value::from(true));
    let (mut answers, mut items, mut sealed, mut bare, mut cut) = (0, 0, 0, 0, 0);
    for exchange in successes() {
        let mut came: Vec<Value> = list(&whole(&exchange.body())["output"]).cloned().collect();
        // The server wants the item that a thought led to, which an answer that was cut does not have.
        while came.last().is_some_and(|item| item["type"] == "reasoning" && list(&item["content"]).count() == 0) {
            came.pop();
            cut += 1;
        }
        for item in came.iter_mut().filter(|item| item["arguments"].as_str().is_some_and(|text| !is_object(text))) {
            *item =
                json!({ "type": "function_call", "call_id": item["call_id"], "name": item["name"], "arguments": "{}" });
        }
        assert_eq!(resent(exchange, &stored), came, "{}", exchange.name);
        let before = came.len();
        came.retain(|item| !is_reference(item));
        assert_eq!(resent(exchange, &Settings::default()), came, "{}", exchange.name);
        answers += usize::from(!came.is_empty());
        items += came.len();
        bare += before - came.len();
        sealed += came.iter().filter(|item| item["encrypted_content"].is_string()).count();
    }
    println!("answers sent back: {answers} of {items} items, {sealed} of them sealed");
    println!("thoughts that only a server with memory takes: {bare}, that led nowhere: {cut}");
    assert!(all().is_empty() || (answers >= 181 && sealed >= 34), "{answers} {sealed}");
}

/// The stream with its events changed.
fn changed(body: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    let line = |line: &str| match line.strip_prefix("data:").map(serde_json::from_str::<Value>) {
        Some(Ok(mut event)) => {
            change(&mut event);
            format!("data: {event}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect::<String>().into_bytes()
}

#[test]
fn what_a_stream_tells_by_and_by_is_what_its_last_event_says() {
    let mut streams = 0;
    for exchange in successes().filter(|e| e.record["response"]["body_text"].is_string()) {
        let profile = exchange.profile();
        let body = exchange.body();
        let said = view(&read(exchange).unwrap());
        for size in [1, 7, 61] {
            let pieces: Vec<&[u8]> = body.chunks(size).collect();
            assert_eq!(view(&random::in_pieces(&profile, &pieces).unwrap()), said, "{}", exchange.name);
        }
        let no_output = changed(&body, |event| {
            if let Some(response) = event.get_mut("response").and_then(Value::as_object_mut) {
                response.remove("output");
            }
        });
        let deltas = changed(&no_output, |event| {
            if event["type"] == "response.output_item.done" {
                event["type"] = Value::from("unknown");
            }
        });
        for body in [no_output, deltas] {
            let response = read_response(&body, &profile);
            assert_eq!(view(&response.unwrap()), said, "{}", exchange.name);
        }
        let ends = |event: &Value| event["type"] == "response.completed" || event["type"] == "response.incomplete";
        let end = |line: &&str| {
            line.strip_prefix("data:").is_some_and(|data| serde_json::from_str(data).is_ok_and(|e| ends(&e)))
        };
        let text = std::str::from_utf8(&body).unwrap();
        let cut: String = text.lines().take_while(|line| !end(line)).map(|line| format!("{line}\n")).collect();
        let cut = read_response(cut.as_bytes(), &profile);
        assert!(cut.is_err(), "{}: {cut:?}", exchange.name);
        streams += 1;
    }
    println!("streams: {streams}");
    assert!(all().is_empty() || streams >= 55, "{streams}");
}

/// The body for a tool, with the caller's own fields.
fn asked(model: &str, choice: Choice, extra: Value, turns: &[Message]) -> Value {
    let schema = serde_json::value::to_raw_value(&json!({"type": "object"})).unwrap();
    let shape = Shape { name: "f", description: None, schema: &schema, strict: true };
    let Value::Object(extra) = extra else { panic!("{extra}") };
    let call = Call {
        model,
        messages: &[Message::user("hello")],
        instructions: Some("Be short."),
        nudge: None,
        turns,
        output: if choice == Choice::Any { Output::Schema(shape) } else { Output::Tool { shape, choice } },
        settings: &Settings { max_tokens: Some(7), extra, ..Settings::default() },
        streamed: false,
    };
    let profile = crate::provider::Profile::openai_responses_compatible("any", "http://localhost/v1");
    serde_json::from_slice(&profile.wire().encode(&call, &profile).unwrap()).unwrap()
}

#[test]
fn the_fields_of_the_caller_add_to_those_of_the_library_or_win() {
    let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true});
    let plain = asked("gpt-5-mini", Choice::Named, json!({}), &[]);
    assert_eq!(
        plain,
        json!({
            "model": "gpt-5-mini",
            "input": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "hello"}],
            "tools": [tool],
            "tool_choice": {"type": "function", "name": "f"},
            "max_output_tokens": 7,
            "store": false,
            "include": ["reasoning.encrypted_content"],
        })
    );
    // A model that does not reason refuses to be asked for its reasoning.
    assert_eq!(asked("gpt-4o", Choice::Named, json!({}), &[])["include"], Value::Null);

    let search = json!({"type": "web_search"});
    let extra = json!({"tools": [search], "store": true, "max_output_tokens": 9, "instructions": "Be kind."});
    let body = asked("gpt-5-mini", Choice::Named, extra, &[]);
    assert_eq!(body["tools"], json!([tool, search]));
    assert_eq!(body["tool_choice"], "required", "a named tool would leave no room for the search");
    let got = (&body["store"], &body["include"], &body["max_output_tokens"], &body["instructions"]);
    assert_eq!(got, (&json!(true), &Value::Null, &json!(9), &json!("Be kind.")));
    assert_eq!(body["input"], plain["input"]);
    let body = asked("o3", Choice::Auto, json!({"tools": [search], "tool_choice": "none", "include": []}), &[]);
    assert_eq!((&body["tool_choice"], &body["include"]), (&json!("none"), &json!([])));

    let format = json!({"type": "json_schema", "name": "f", "schema": {"type": "object"}, "strict": true});
    let body = asked("m", Choice::Any, json!({"text": {"verbosity": "low"}, "tools": [search]}), &[]);
    assert_eq!(body["text"], json!({"format": format, "verbosity": "low"}));
    assert_eq!(body["tools"], json!([search]));
    let body = asked("m", Choice::Any, json!({"text": {"format": {"type": "text"}}}), &[]);
    assert_eq!(body["text"], json!({"format": {"type": "text"}}));
}

#[test]
fn a_turn_that_the_caller_has_changed_says_what_it_says_now() {
    let body = json!({"status": "completed", "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
    ]});
    let profile = crate::provider::Profile::openai_responses_compatible("any", "http://localhost/v1");
    let response = read_response(body.to_string().as_bytes(), &profile).unwrap();
    let turn = response.into_turn().unwrap();
    let sent = |parts: Vec<Part>| {
        let turns = [Message::new(turn.role(), parts)];
        list(&asked("m", Choice::Named, json!({}), &turns)["input"]).skip(2).cloned().collect::<Vec<_>>()
    };
    assert_eq!(Value::from(sent(turn.parts().to_vec())), body["output"]);
    let mut parts = turn.parts().to_vec();
    parts[2] = Part::from("b");
    let call = &body["output"][2];
    // The server refuses a thought before a text that is not the one it led to.
    assert_eq!(sent(parts), [json!({"role": "assistant", "content": "b"}), call.clone()]);
    let mut parts = turn.parts().to_vec();
    parts.truncate(4);
    assert_eq!(sent(parts), [body["output"][0].clone(), body["output"][1].clone()]);
}
