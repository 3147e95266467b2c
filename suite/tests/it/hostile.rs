//! What a misbehaving provider can send: each gets the right kind of failure, none a panic or a hang.

use instructor::ErrorKind;
use instructor::testing::{Reply, Script};
use serde_json::{Value, json};

#[instructor::model]
struct Point {
    x: i32,
    y: i32,
}

fn chat(choice: Value) -> Vec<u8> {
    json!({ "id": "c", "choices": [choice], "usage": { "prompt_tokens": 9, "completion_tokens": 2 } })
        .to_string()
        .into()
}

fn call(name: &str, arguments: &str) -> Value {
    json!({ "id": "call", "type": "function", "function": { "name": name, "arguments": arguments } })
}

fn called(calls: &[Value], finish: &str) -> Vec<u8> {
    chat(json!({ "message": { "content": null, "tool_calls": calls }, "finish_reason": finish }))
}

fn claude(body: Value) -> Vec<u8> {
    let mut message = json!({ "type": "message", "role": "assistant", "content": [] });
    message.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    message.to_string().into()
}

const GROQ: &str = "groq/llama-3.3-70b";
const CLAUDE: &str = "anthropic/claude-haiku-4-5";
const GOOD: &str = r#"{"x":1,"y":2}"#;

/// The body, and the kind of failure that it is, or none if the value can be read from it.
fn cases() -> Vec<(&'static str, &'static str, Vec<u8>, Option<ErrorKind>)> {
    use ErrorKind::{Malformed, Overloaded, RateLimited, Refused, SchemaMismatch, Truncated};
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_object = "{\"x\":".repeat(10_000);
    let huge = format!(r#"{{"choices":[{{"message":{{"content":"{}"}}}}]}}"#, "x".repeat(50 << 20));
    let tool = |input: Value| json!({ "type": "tool_use", "id": "t", "name": "Point", "input": input });
    vec![
        ("empty body", GROQ, vec![], Some(Malformed)),
        ("white space", GROQ, b" \n".to_vec(), Some(Malformed)),
        ("HTML with 200", GROQ, b"<!doctype html><h1>Bad gateway</h1>".to_vec(), Some(Malformed)),
        ("plain text", GROQ, b"upstream connect error".to_vec(), Some(Malformed)),
        ("null", GROQ, b"null".to_vec(), Some(Malformed)),
        ("empty object", GROQ, b"{}".to_vec(), Some(Malformed)),
        ("no choices", GROQ, br#"{"choices":[]}"#.to_vec(), Some(Malformed)),
        ("choices of the wrong type", GROQ, br#"{"choices":7}"#.to_vec(), Some(Malformed)),
        ("invalid UTF-8", GROQ, b"{\"choices\":[{\"message\":{\"content\":\"\xff\xfe\"}}]}".to_vec(), Some(Malformed)),
        ("a cut body", GROQ, br#"{"choices":[{"message":{"tool_"#.to_vec(), Some(Malformed)),
        ("a body with more after it", GROQ, [called(&[call("Point", GOOD)], "stop"), b"}".to_vec()].concat(), Some(Malformed)),
        ("50 MB", GROQ, huge.into_bytes(), Some(Malformed)),
        ("nested 10,000 deep", GROQ, deep.clone().into_bytes(), Some(Malformed)),
        ("arguments nested 10,000 deep", GROQ, called(&[call("Point", &deep)], "stop"), Some(Malformed)),
        ("arguments opened 10,000 times", GROQ, called(&[call("Point", &deep_object)], "stop"), Some(Malformed)),
        ("wrong tool", GROQ, called(&[call("Line", GOOD)], "tool_calls"), Some(Malformed)),
        ("two calls", GROQ, called(&[call("Point", GOOD), call("Point", r#"{"x":3,"y":4}"#)], "tool_calls"), Some(Malformed)),
        ("the same call twice", GROQ, called(&[call("Point", GOOD), call("Point", GOOD)], "tool_calls"), None),
        ("another call beside", GROQ, called(&[call("log", "{}"), call("Point", GOOD)], "tool_calls"), None),
        ("empty arguments", GROQ, called(&[call("Point", "")], "tool_calls"), Some(Malformed)),
        ("arguments that are no object", GROQ, called(&[call("Point", "[1,2]")], "tool_calls"), Some(SchemaMismatch)),
        ("a missing field", GROQ, called(&[call("Point", r#"{"x":1}"#)], "tool_calls"), Some(SchemaMismatch)),
        ("a number too large", GROQ, called(&[call("Point", r#"{"x":1e99,"y":2}"#)], "tool_calls"), Some(SchemaMismatch)),
        ("a duplicate key", GROQ, called(&[call("Point", r#"{"x":1,"x":1,"y":2}"#)], "tool_calls"), Some(SchemaMismatch)),
        ("cut arguments, length", GROQ, called(&[call("Point", "{\"x\":1,\"")], "length"), Some(Truncated)),
        ("cut arguments, stop", GROQ, called(&[call("Point", "{\"x\":1,\"")], "stop"), Some(Malformed)),
        ("refusal", GROQ, chat(json!({ "message": { "refusal": "no", "content": null }, "finish_reason": "stop" })), Some(Refused)),
        ("filter", GROQ, chat(json!({ "message": { "content": "" }, "finish_reason": "content_filter" })), Some(ErrorKind::Filtered)),
        ("error with 200", GROQ, br#"{"error":{"message":"upstream","code":502}}"#.to_vec(), Some(Overloaded)),
        ("limit with 200", GROQ, br#"{"error":{"message":"slow","code":429}}"#.to_vec(), Some(RateLimited)),
        ("error in the choice", GROQ, chat(json!({ "error": { "message": "lost", "code": 502 }, "message": {} })), Some(Overloaded)),
        ("error text with 200", GROQ, br#"{"error":"model is loading"}"#.to_vec(), Some(Overloaded)),
        ("missing usage", GROQ, json!({ "choices": [{ "message": { "tool_calls": [call("Point", GOOD)] } }] }).to_string().into(), None),
        ("usage: {}", GROQ, json!({ "choices": [{ "message": { "tool_calls": [call("Point", GOOD)] } }], "usage": {} }).to_string().into(), None),
        ("usage of odd types", GROQ, json!({ "choices": [{ "message": { "content": GOOD } }], "usage": { "prompt_tokens": "9", "completion_tokens": 2.0 } }).to_string().into(), None),
        ("unknown finish reason", GROQ, called(&[call("Point", GOOD)], "because"), None),
        ("empty finish reason", GROQ, called(&[call("Point", GOOD)], ""), None),
        ("odd finish reason", GROQ, chat(json!({ "message": { "content": GOOD }, "finish_reason": 7 })), None),
        ("arguments as an object", GROQ, chat(json!({ "message": { "tool_calls": [{ "function": { "name": "Point", "arguments": { "x": 1, "y": 2 } } }] } })), None),
        ("text in place of the call", GROQ, chat(json!({ "message": { "content": format!("Here:\n```json\n{GOOD}\n```\nOK?") } })), None),
        ("no call and no JSON", GROQ, chat(json!({ "message": { "content": "Sorry, I can't." } })), Some(Malformed)),
        ("two values in prose", GROQ, chat(json!({ "message": { "content": format!("{GOOD} or {{\"x\":3,\"y\":4}}") } })), Some(Malformed)),
        ("an example and the value", GROQ, chat(json!({ "message": { "content": format!("Not {{\"a\":1}} but {GOOD}") } })), None),
        ("thoughts before the value", GROQ, chat(json!({ "message": { "content": format!("<think>{{\"x\":9,\"y\":9}}?</think>{GOOD}") } })), None),
        ("a broken value before a fragment", GROQ, chat(json!({ "message": { "content": "{\"p\": {\"x\":1,\"y\":2} oops}" } })), Some(Malformed)),
        ("a stream in place of a body", GROQ, format!("data: {}\n\ndata: [DONE]\n\n", json!({ "choices": [{ "delta": { "content": GOOD }, "finish_reason": "stop" }] })).into(), None),
        ("a stream that breaks off", GROQ, format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": "{\"x\":1," } }] })).into(), Some(Truncated)),
        ("claude: call", CLAUDE, claude(json!({ "content": [tool(json!({ "x": 1, "y": 2 }))], "stop_reason": "tool_use" })), None),
        ("claude: cut", CLAUDE, claude(json!({ "content": [tool(json!({ "x": 1 }))], "stop_reason": "max_tokens" })), Some(Truncated)),
        ("claude: refusal", CLAUDE, claude(json!({ "stop_reason": "refusal" })), Some(Refused)),
        ("claude: error with 200", CLAUDE, br#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#.to_vec(), Some(Overloaded)),
        ("claude: nothing said", CLAUDE, claude(json!({ "stop_reason": "end_turn" })), Some(Malformed)),
        ("claude: no message", CLAUDE, b"{}".to_vec(), Some(Malformed)),
        ("claude: wrong tool", CLAUDE, claude(json!({ "content": [{ "type": "tool_use", "id": "t", "name": "Line", "input": {} }], "stop_reason": "tool_use" })), Some(Malformed)),
        ("claude: text in place of the call", CLAUDE, claude(json!({ "content": [{ "type": "text", "text": GOOD }], "stop_reason": "end_turn", "usage": {} })), None),
        ("claude: blocks of no known type", CLAUDE, claude(json!({ "content": [{ "type": "future" }, 7, null, tool(json!({ "x": 1, "y": 2 }))] })), None),
    ]
}

#[test]
fn each_gets_the_right_kind() {
    for (name, spec, body, kind) in cases() {
        let script = Script::new().when(|_| true, Reply::body(body));
        let client = script.builder(spec).max_retries(1).build().unwrap();
        let result = script.block_on(client.create::<Point>("where?"));
        assert_eq!(result.as_ref().err().map(instructor::Error::kind), kind, "{name}: {result:?}");
        match result {
            Ok(point) => assert_eq!((point.x, point.y), (1, 2), "{name}"),
            Err(error) => {
                assert!(!error.report().attempts().is_empty() && error.to_string().len() < 600, "{name}: {error}");
            }
        }
    }
}

#[test]
fn nothing_is_lost_with_an_error() {
    let script = Script::new().when(|_| true, Reply::body(called(&[call("Line", "{}")], "tool_calls")));
    let error = script.block_on(script.client(GROQ).create::<Point>("where?")).unwrap_err();
    assert!(String::from_utf8_lossy(error.raw().unwrap()).contains("Line"));
    assert_eq!(error.report().usage().input, Some(36), "four attempts of 9 tokens");
    assert_eq!(error.report().attempts().len(), 4);
}

#[test]
fn unknown_usage_is_not_zero() {
    let body = json!({ "choices": [{ "message": { "content": GOOD } }], "usage": {} });
    let script = Script::new().reply(Reply::json(body));
    let (_, completion) = script.block_on(script.client(GROQ).create_with_completion::<Point>("where?")).unwrap();
    assert_eq!(completion.report.usage().input, None);
    assert_eq!(completion.report.usage().total(), None);
}

#[test]
fn a_body_over_the_limit_is_not_read_to_its_end() {
    let script = Script::new().when(|_| true, Reply::body(vec![b' '; 2000]));
    let client = script.builder(GROQ).max_response_bytes(1000).max_retries(0).build().unwrap();
    let error = script.block_on(client.create::<Point>("where?")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert!(error.to_string().contains("larger than the limit"), "{error}");
}

#[test]
fn a_script_that_ends_says_so() {
    let script = Script::new();
    let error = script.block_on(script.client(GROQ).create::<Point>("where?")).unwrap_err();
    assert!(error.to_string().contains("no answer for call 1"), "{error}");
}
