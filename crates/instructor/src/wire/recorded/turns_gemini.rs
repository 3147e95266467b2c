//! An answer that is sent back has all of its parts as they came, with their signatures.

use serde_json::{Value, json};

use super::corpus::{Dialect, Exchange, all};
use super::{decode, oracle_gemini, random};
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::provider::{Address, Profile};
use crate::wire::{Call, Choice, Output, Settings, Shape, Undecoded};

fn successes() -> impl Iterator<Item = &'static Exchange> {
    all().iter().filter(|e| e.dialect == Dialect::Gemini && e.status() < 400)
}

fn encoded(turns: &[Message], output: Output<'_>, settings: &Settings) -> Value {
    let profile = Profile::gemini_compatible("any", "http://localhost");
    let call = Call {
        model: "m",
        messages: &[Message::user("hello")],
        instructions: None,
        nudge: None,
        turns,
        output,
        settings,
        streamed: false,
    };
    serde_json::from_slice(&profile.wire().encode(&call, &profile).unwrap()).unwrap()
}

fn resent(turns: &[Message]) -> Value {
    encoded(turns, Output::Text, &Settings::default())["contents"].clone()
}

#[test]
fn every_part_comes_back_as_it_was() {
    let (mut same, mut signed, mut differ) = (0, 0, Vec::new());
    for exchange in successes() {
        let came = oracle_gemini::parts(&exchange.body());
        if came.is_empty() {
            continue;
        }
        let turns: Vec<Message> = decode::read(exchange).unwrap().into_turn().into_iter().collect();
        let ours = &resent(&turns)[1];
        if *ours == json!({"role": "model", "parts": came}) {
            same += 1;
            signed += usize::from(came.iter().any(|part| part["thoughtSignature"].is_string()));
        } else {
            differ.push(format!("{}:\n  {ours}\n  {came:?}", exchange.name));
        }
    }
    println!("answers sent back whole: {same}, {signed} of them with signatures");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(all().is_empty() || (same >= 180 && signed >= 120), "{same} {signed}");
}

#[test]
fn every_recorded_stream_is_the_same_in_any_pieces() {
    let mut streams = 0;
    for exchange in successes().filter(|e| e.record["streaming"] == true) {
        let (profile, body) = (exchange.profile(), exchange.body());
        let whole = random::outcome(&decode::read(exchange));
        for size in [1, 2, 7, 61] {
            let pieces: Vec<&[u8]> = body.chunks(size).collect();
            assert_eq!(random::outcome(&random::in_pieces(&profile, &pieces)), whole, "{}", exchange.name);
        }
        streams += 1;
    }
    println!("streams in pieces: {streams}");
    assert!(all().is_empty() || streams >= 49, "{streams}");
}

#[test]
fn counts_add_up_to_the_total_that_the_service_says() {
    for exchange in successes() {
        for (parts, total) in oracle_gemini::totals(&exchange.body()) {
            assert_eq!(parts, total, "{}", exchange.name);
        }
    }
}

#[test]
fn the_address_names_the_model_as_recorded() {
    let mut same = 0;
    for exchange in all().iter().filter(|e| e.dialect == Dialect::Gemini) {
        let url = exchange.record["request"]["url"].as_str().unwrap();
        let url = url.split('?').next().unwrap().replace(":streamGenerateContent", ":generateContent");
        let (base, profile) = match url.split_once("/publishers/") {
            Some((base, _)) => (base, Profile::named("vertexai").unwrap()),
            None => ("https://generativelanguage.googleapis.com/v1beta", Profile::named("gemini").unwrap()),
        };
        let address = Address::new(base, profile.wire().path()).unwrap();
        assert_eq!(address.of(exchange.record["model"].as_str().unwrap()).unwrap().to_string(), url);
        same += 1;
    }
    assert!(all().is_empty() || same >= 187, "{same}");
}

#[test]
fn the_user_speaks_first() {
    let profile = Profile::gemini_compatible("any", "http://localhost");
    let contents = |messages: &[Message], nudge| {
        let settings = Settings::default();
        let call = Call {
            model: "m",
            messages,
            instructions: None,
            nudge,
            turns: &[],
            output: Output::Text,
            settings: &settings,
            streamed: false,
        };
        let body: Value = serde_json::from_slice(&profile.wire().encode(&call, &profile).unwrap()).unwrap();
        body["contents"].clone()
    };
    let user =
        |texts: &[&str]| json!({"role": "user", "parts": texts.iter().map(|t| json!({"text": t})).collect::<Vec<_>>()});
    assert_eq!(contents(&[Message::system("x")], None), json!([user(&[""])]));
    assert_eq!(contents(&[Message::system("x"), Message::user("")], Some("n")), json!([user(&["n"])]));
    assert_eq!(contents(&[Message::user("a")], Some("n")), json!([user(&["a", "n"])]));
    let said = json!({"role": "model", "parts": [{"text": "b"}]});
    assert_eq!(contents(&[Message::assistant("b")], Some("n")), json!([user(&[""]), said, user(&["n"])]));
}

#[test]
fn a_call_that_could_not_be_read_is_counted() {
    let body =
        json!({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}], "usageMetadata": {"promptTokenCount": 3}});
    let profile = Profile::gemini_compatible("any", "http://localhost");
    match profile.wire().decode(&body.to_string(), &profile) {
        Err(Undecoded::Failure(failure)) => assert_eq!(failure.usage.unwrap().input, Some(3)),
        other => panic!("{other:?}"),
    }
}

fn calls(calls: &[(&str, &str)]) -> Message {
    let call = |(id, name): &(&str, &str)| Part::ToolCall(ToolCall::new(*id, *name, "{}"));
    Message::new(Role::Assistant, calls.iter().map(call).collect::<Vec<_>>())
}

fn names(turns: &[Message]) -> Vec<(Value, Value)> {
    let contents = resent(turns);
    let results = contents.as_array().unwrap().iter().flat_map(|content| content["parts"].as_array().unwrap());
    let results = results.filter_map(|part| part.get("functionResponse"));
    results.map(|result| (result["id"].clone(), result["name"].clone())).collect()
}

#[test]
fn a_result_names_the_tool_of_its_call() {
    let rejected = |id: &str| Part::ToolResult(ToolResult::rejected(id, "no"));
    // With ids in any order, also one turn each.
    let turns = [calls(&[("1", "f"), ("2", "g")]), Message::tool("2", "x"), Message::tool("1", "y")];
    assert_eq!(names(&turns), [(json!("2"), json!("g")), (json!("1"), json!("f"))]);
    assert_eq!(resent(&turns).as_array().unwrap().len(), 3, "all results stand in one turn");
    // Without ids, in the order of the calls.
    let turns = [calls(&[("", "f"), ("", "g")]), Message::new(Role::Tool, [rejected(""), rejected("")])];
    assert_eq!(names(&turns), [(Value::Null, json!("f")), (Value::Null, json!("g"))]);
    // By the name, where the service gave no ids.
    let turns = [calls(&[("", "f"), ("", "g")]), Message::tool("g", "x"), Message::tool("f", "y")];
    assert_eq!(names(&turns), [(Value::Null, json!("g")), (Value::Null, json!("f"))]);
    // Results of no call.
    assert_eq!(names(&[Message::tool("h", "x")]), [(Value::Null, json!("h"))]);
}

#[test]
fn a_result_is_an_object() {
    let response = |result: Message| {
        resent(&[calls(&[("1", "f")]), result])[2]["parts"][0]["functionResponse"]["response"].clone()
    };
    assert_eq!(response(Message::tool("1", "sunny")), json!({"output": "sunny"}));
    assert_eq!(response(Message::tool("1", "[1]")), json!({"output": "[1]"}));
    assert_eq!(response(Message::tool("1", r#"{"t": 3}"#)), json!({"t": 3}));
    let rejected = Message::new(Role::Tool, [Part::ToolResult(ToolResult::rejected("1", r#"{"t": 3}"#))]);
    assert_eq!(response(rejected), json!({"error": r#"{"t": 3}"#}));
}

#[test]
fn parts_that_were_changed_since_are_sent_as_they_are_now() {
    let body = json!({"candidates": [{"content": {"parts": [
        {"text": "a", "thoughtSignature": "s"}, {"text": "b"},
        {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "s"},
    ]}, "finishReason": "STOP"}]});
    let profile = Profile::gemini_compatible("any", "http://localhost");
    let response = profile.wire().decode(&body.to_string(), &profile).unwrap();
    let sent = |parts: Vec<Part>| resent(&[Message::new(Role::Assistant, parts)])[1]["parts"].clone();
    assert_eq!(sent(response.parts.clone()), body["candidates"][0]["content"]["parts"]);
    let mut changed = response.parts;
    for part in &mut changed {
        match part {
            Part::Text(text) => text.push('c'),
            Part::ToolCall(call) => call.arguments = String::from(r#"{"x": 2}"#),
            _ => {}
        }
    }
    assert_eq!(sent(changed), json!([{"text": "abc"}, {"functionCall": {"name": "f", "args": {"x": 2}}}]));
}

#[test]
fn the_callers_fields_are_added_to_ours_and_win() {
    let schema = serde_json::value::RawValue::from_string(String::from(r#"{"type":"object"}"#)).unwrap();
    let shape = Shape { name: "f", description: None, schema: &schema, strict: true };
    let settings = |extra: Value| Settings {
        temperature: Some(0.5),
        max_tokens: Some(7),
        extra: extra.as_object().unwrap().clone(),
        ..Settings::default()
    };
    let extra = json!({"generationConfig": {"temperature": 1, "thinkingConfig": {"thinkingBudget": 0}},
        "safetySettings": [], "tools": [{"googleSearch": {}}], "toolConfig": {"includeServerSideToolInvocations": true}});
    let body = encoded(&[], Output::Schema(shape), &settings(extra.clone()));
    assert_eq!(
        body["generationConfig"],
        json!({"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
            "maxOutputTokens": 7, "temperature": 1, "thinkingConfig": {"thinkingBudget": 0}})
    );
    assert_eq!((&body["tools"], &body["toolConfig"]), (&extra["tools"], &extra["toolConfig"]));
    let body = encoded(&[], Output::Tool { shape, choice: Choice::Named }, &settings(extra));
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}, {"googleSearch": {}}])
    );
    assert_eq!(
        body["toolConfig"],
        json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}, "includeServerSideToolInvocations": true})
    );
    let extra = json!({"toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}, "generationConfig": null});
    let body = encoded(&[], Output::Tool { shape, choice: Choice::Named }, &settings(extra.clone()));
    assert_eq!((&body["toolConfig"], &body["generationConfig"]), (&extra["toolConfig"], &Value::Null));
    let own_form = json!({"generationConfig": {"responseSchema": {"type": "OBJECT"}}});
    let body = encoded(&[], Output::Schema(shape), &settings(own_form));
    assert_eq!(body["generationConfig"]["responseJsonSchema"], Value::Null);
}
