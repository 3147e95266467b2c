//! What goes out: previews, as snapshots with a check of meaning beside them.

use instructor::testing::Script;
use instructor::{Client, Contract, ErrorKind, Message, Mode, Part, Role};
use serde_json::{Value, json};

/// A support ticket.
#[instructor::model]
struct Ticket {
    /// Why it comes before what.
    reasoning: String,
    #[schemars(length(max = 80))]
    summary: String,
    priority: Priority,
    assignee: Option<String>,
}

#[instructor::model]
enum Priority {
    Low,
    High,
}

const PROVIDERS: [&str; 2] = ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"];
const MODES: [Mode; 4] = [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson];

fn client(spec: &str) -> Client {
    Script::new().client(spec)
}

fn preview(spec: &str, mode: Mode) -> Value {
    let messages = [Message::system("Be exact."), Message::user("The printer burns.")];
    let request = client(spec);
    let preview = request.request(messages).mode(mode).temperature(0.5).max_tokens(500).preview::<Ticket>().unwrap();
    preview.json()
}

#[test]
fn every_mode_on_both_protocols() {
    for spec in PROVIDERS {
        for mode in MODES {
            let body = preview(spec, mode);
            let name = format!("{}_{mode}", spec.split('/').next().unwrap());
            insta::assert_json_snapshot!(name.as_str(), body);
            let text = body.to_string();
            let schema_in_prompt = text.contains("instance of the JSON Schema");
            assert_eq!(schema_in_prompt, matches!(mode, Mode::Json | Mode::MdJson), "{name}");
            assert!(text.contains("The printer burns.") && text.contains("Be exact."), "{name}");
            assert_eq!(body["temperature"], 0.5, "{name}");
        }
    }
}

#[test]
fn properties_keep_the_order_of_the_type_in_the_bytes() {
    for spec in PROVIDERS {
        for mode in MODES {
            let preview = client(spec).request("x").mode(mode).preview::<Ticket>().unwrap().body().to_vec();
            let text = String::from_utf8(preview).unwrap().replace('\\', "");
            let at = |field: &str| text.find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} in {text}"));
            assert!(
                at("reasoning") < at("summary") && at("summary") < at("priority") && at("priority") < at("assignee")
            );
        }
    }
}

#[test]
fn extra_fields_win() {
    let client = client(PROVIDERS[0]);
    let request =
        client.request("x").temperature(0.1).extra("temperature", 0.9).extra("seed", 7).extra("user", json!(null));
    let body = request.preview::<Ticket>().unwrap().json();
    assert_eq!((&body["temperature"], &body["seed"], &body["user"]), (&json!(0.9), &json!(7), &Value::Null));
    let text = client.request("x").temperature(0.1).extra("temperature", 0.9).preview::<Ticket>().unwrap();
    assert_eq!(String::from_utf8_lossy(text.body()).matches("temperature").count(), 1);
}

#[test]
fn a_preview_is_what_is_sent() {
    use instructor::testing::Reply;
    let script = Script::new().reply(Reply::value(json!({ "summary": "s", "reasoning": "r", "priority": "Low" })));
    let client = script.client(PROVIDERS[1]);
    let preview = client.request("x").preview::<Ticket>().unwrap();
    script.block_on(client.create::<Ticket>("x")).unwrap();
    assert_eq!(script.sent()[0].body(), preview.body());
    assert_eq!(script.sent()[0].url(), preview.url());
}

#[test]
fn tool_turns_of_the_caller_are_sent() {
    let messages = [
        Message::user("weather?"),
        Message::new(
            Role::Assistant,
            [Part::ToolCall(instructor::ToolCall::new("c1", "weather", "{\"in\":\"Oslo\"}"))],
        ),
        Message::tool("c1", "rain"),
    ];
    let openai = client(PROVIDERS[0]).request(&messages).preview::<Ticket>().unwrap().json();
    assert_eq!(openai["messages"][1]["tool_calls"][0]["function"]["arguments"], "{\"in\":\"Oslo\"}");
    assert_eq!(openai["messages"][2], json!({ "role": "tool", "tool_call_id": "c1", "content": "rain" }));
    let anthropic = client(PROVIDERS[1]).request(&messages).preview::<Ticket>().unwrap().json();
    assert_eq!(anthropic["messages"][1]["content"][0]["input"], json!({ "in": "Oslo" }));
    assert_eq!(anthropic["messages"][2]["content"][0]["tool_use_id"], "c1");
}

#[test]
fn a_model_that_cannot_be_told_to_call_gets_a_choice() {
    let body = client("anthropic/claude-fable-5").request("x").mode(Mode::Tools).preview::<Ticket>().unwrap().json();
    assert_eq!(body["tool_choice"]["type"], "auto");
    let thinking = client(PROVIDERS[1])
        .request("x")
        .mode(Mode::Tools)
        .extra("thinking", json!({ "type": "enabled", "budget_tokens": 2000 }))
        .preview::<Ticket>()
        .unwrap()
        .json();
    assert_eq!(thinking["tool_choice"]["type"], "auto");
}

#[test]
fn a_schema_without_a_value_is_an_error_before_anything_is_sent() {
    let contract = Contract::from_schema(json!({ "title": "Nothing", "type": "object",
        "properties": { "m": false }, "required": ["m"] }))
    .unwrap();
    for provider in PROVIDERS {
        let error = client(provider).request("x").mode(Mode::Schema).preview_value(&contract).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("no value fits this schema"), "{error}");
    }
}

#[test]
fn no_provider_is_asked_with_an_unfinished_extra() {
    struct Bad;
    impl instructor::serde::Serialize for Bad {
        fn serialize<S: instructor::serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(instructor::serde::ser::Error::custom("no"))
        }
    }
    let script = Script::new();
    let client = script.client(PROVIDERS[0]);
    let error = script.block_on(client.request("x").extra("seed", Bad).create::<Ticket>()).unwrap_err();
    assert!(error.to_string().contains("\"seed\""), "{error}");
    assert!(script.sent().is_empty());
}
