//! Thinking first: a call in plain text and a call that puts it into the schema, with what is told, retried and counted.

use std::time::Duration;

use instructor::testing::{Reply, Script, Sent};
use instructor::{Budget, Completion, Contract, Error, ErrorKind, Message, Mode, Request};
use serde_json::{Value, json};

/// What is known of somebody.
#[instructor::model]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

const SPECS: [&str; 2] = ["openai/gpt-5", "anthropic/claude-opus-4-5"];
const THOUGHT: &str = "Ada was born in 1815, and it is 1851. So name: Ada, age: 36.";

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 36 }))
}

fn wrong() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 360 }))
}

fn script(replies: impl IntoIterator<Item = Reply>) -> Script {
    replies.into_iter().fold(Script::new(), Script::reply)
}

fn ask(
    script: &Script,
    spec: &str,
    more: impl for<'a> Fn(Request<'a>) -> Request<'a>,
) -> Result<(User, Completion), Error> {
    let client = script.client(spec);
    let messages = [Message::system("Be exact."), Message::user("How old is Ada?")];
    let request = more(client.request(messages).mode(Mode::ThinkThenShape));
    script.block_on(request.create_with_completion::<User>())
}

/// All text of a request that is no schema.
fn text(sent: &Sent) -> String {
    let body = sent.json();
    format!("{} {}", body["system"], body["messages"])
}

fn is_free(sent: &Sent) -> bool {
    let body = sent.json();
    ["tools", "response_format", "output_config"].iter().all(|key| body.get(key).is_none())
}

#[test]
fn the_text_of_the_first_call_is_shaped_by_the_second() {
    for spec in SPECS {
        let script = script([Reply::text(THOUGHT), right()]);
        let (user, completion) = ask(&script, spec, |r| r).unwrap();
        assert_eq!((user.name.as_str(), user.age), ("Ada", 36));
        assert_eq!(completion.draft.as_ref().unwrap().text(), THOUGHT);
        let [first, second] = &script.sent()[..] else { panic!("two calls") };
        assert!(is_free(first) && !is_free(second));
        // The first has the caller's messages and the schema in words only.
        let said = text(first);
        assert!(said.contains("How old is Ada?") && said.contains("Be exact."), "{said}");
        assert!(said.contains("age: integer") && said.contains("What is known of somebody."), "{said}");
        assert!(!said.contains("$schema") && !said.contains("\"properties\\\""), "{said}");
        // The second has its text, and nothing of the caller's.
        let said = text(second);
        assert!(said.contains(THOUGHT) && !said.contains("How old") && !said.contains("Be exact."), "{said}");
        let name = format!("think_{}", spec.split('/').next().unwrap());
        insta::assert_json_snapshot!(name.as_str(), [first.json(), second.json()]);
        // Both are attempts with their usage.
        let [think, shape] = completion.report.attempts() else { panic!("two attempts") };
        assert_eq!((think.mode, think.strict, think.failure), (Mode::ThinkThenShape, false, None));
        assert_eq!(shape.failure, None);
        assert_ne!(shape.mode, Mode::ThinkThenShape);
        assert!(think.usage.input.is_some() && shape.usage.input.is_some());
        let sum = think.usage.total().unwrap() + shape.usage.total().unwrap();
        assert_eq!(completion.report.usage().total(), Some(sum));
        let shown = completion.report.to_string();
        assert!(shown.starts_with("attempt 1 (think_then_shape, "), "{shown}");
    }
}

#[test]
fn the_second_call_asks_as_auto_does_with_its_own_model() {
    let cases = [
        ("openai/gpt-5", None, Mode::Schema),
        ("openai/gpt-5", Some("gpt-5-nano"), Mode::Schema),
        ("ollama/llama3", None, Mode::Schema),
        ("anthropic/claude-opus-4-5", Some("claude-haiku-4-5"), Mode::Tools),
    ];
    for (spec, model, mode) in cases {
        let script = script([Reply::text(THOUGHT), right()]);
        let (_, completion) = ask(&script, spec, |r| match model {
            Some(model) => r.shape_model(model),
            None => r,
        })
        .unwrap();
        assert_eq!(completion.report.attempts()[1].mode, mode, "{spec}");
        let own = spec.split('/').next_back().unwrap();
        let models: Vec<Value> = script.sent().iter().map(|sent| sent.json()["model"].clone()).collect();
        assert_eq!(models, [own, model.unwrap_or(own)]);
    }
}

#[test]
fn a_model_of_the_path_is_the_second_calls_own() {
    let script = script([Reply::text(THOUGHT), right()]);
    let client = script.builder("gemini/gemini-2.5-pro").mode(Mode::ThinkThenShape).shape_model("gemini-2.5-flash");
    script.block_on(client.build().unwrap().create::<User>("x")).unwrap();
    let urls: Vec<String> = script.sent().iter().map(Sent::url).collect();
    assert!(urls[0].contains("gemini-2.5-pro:") && urls[1].contains("gemini-2.5-flash:"), "{urls:?}");
}

#[test]
fn a_re_ask_goes_to_the_second_call_only() {
    for spec in SPECS {
        let script = script([Reply::text(THOUGHT), wrong(), wrong(), right()]);
        let (user, completion) = ask(&script, spec, |r| r.shape_model("small")).unwrap();
        assert_eq!(user.age, 36);
        let failures: Vec<_> = completion.report.attempts().iter().map(|a| a.failure).collect();
        let mismatch = Some(ErrorKind::SchemaMismatch);
        assert_eq!(failures, [None, mismatch, mismatch, None]);
        let sent = script.sent();
        for shaping in &sent[1..] {
            assert_eq!(shaping.json()["model"], "small");
            assert!(text(shaping).contains(THOUGHT) && !is_free(shaping));
        }
        assert!(text(&sent[2]).contains("got 360"));
        assert_eq!(text(&sent[2]).len(), text(&sent[3]).len(), "of constant size");
    }
}

#[test]
fn failures_of_the_first_call_have_their_kind() {
    let said = |message: Value, finish: &str| {
        Reply::json(
            json!({ "choices": [{ "message": message, "finish_reason": finish }], "usage": { "prompt_tokens": 3, "completion_tokens": 4 } }),
        )
    };
    let cases = [
        (said(json!({ "content": "I think" }), "length"), ErrorKind::Truncated, 1),
        (said(json!({ "content": "", "refusal": "no" }), "stop"), ErrorKind::Refused, 1),
        (said(json!({ "content": "" }), "content_filter"), ErrorKind::Filtered, 1),
        (said(json!({ "content": " " }), "stop"), ErrorKind::Malformed, 2),
        (Reply::status(401), ErrorKind::Auth, 1),
        (Reply::status(503), ErrorKind::Overloaded, 2),
    ];
    for (reply, kind, calls) in cases {
        let script = Script::new().when(|_| true, reply);
        let error = ask(&script, SPECS[0], |r| r.max_retries(1)).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(script.sent().len(), calls, "{kind}");
        assert!(script.sent().iter().all(is_free));
        assert!(error.report().attempts().iter().all(|a| a.mode == Mode::ThinkThenShape && a.failure == Some(kind)));
    }
    // Both sides have retries of their own, over both calls.
    let script = script([Reply::status(503), Reply::text(THOUGHT), wrong(), Reply::status(503), right()]);
    let (_, completion) = ask(&script, SPECS[0], |r| r.max_retries(2)).unwrap();
    assert_eq!(completion.report.attempts().len(), 5);
}

#[test]
fn a_budget_covers_both_calls() {
    let one = script([Reply::text(THOUGHT), right()]);
    let error = ask(&one, SPECS[0], |r| r.budget(Budget::new().with_attempts(1))).unwrap_err();
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::Budget, 1));
    assert_eq!(error.report().attempts()[0].failure, None);
    assert!(
        error.to_string().contains("1 attempts are used") && !error.to_string().contains("last failure"),
        "{error}"
    );

    let one = script([Reply::text(THOUGHT), right()]);
    let error = ask(&one, SPECS[0], |r| r.budget(Budget::new().with_tokens(1))).unwrap_err();
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::Budget, 1));

    let second = Duration::from_secs(1);
    let one = script([Reply::text(THOUGHT).after(4 * second), right()]);
    ask(&one, SPECS[0], |r| r.deadline(5 * second)).unwrap();
    assert_eq!(one.sent()[1].timeout(), Some(second));
}

#[test]
fn the_second_call_goes_down_the_ladder_and_is_remembered() {
    let refused = || {
        let said = json!({ "error": { "message": "Invalid schema for response_format 'User': no." } });
        Reply::json(said).with_status(400)
    };
    let script = script([Reply::text(THOUGHT), refused(), right(), Reply::text(THOUGHT), right()]);
    let client = script.builder(SPECS[0]).mode(Mode::ThinkThenShape).shape_model("small").build().unwrap();
    for calls in [3, 2] {
        let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
        let attempts = completion.report.attempts();
        assert_eq!(attempts.len(), calls);
        assert_eq!((attempts[0].mode, attempts[0].failure), (Mode::ThinkThenShape, None));
        assert!(!attempts[calls - 1].strict);
    }
}

#[test]
fn a_preview_shows_the_first_call_and_a_schema_without_a_value_is_refused() {
    let script = Script::new();
    let client = script.client(SPECS[0]);
    let preview = client.request("x").mode(Mode::ThinkThenShape).preview::<User>().unwrap();
    assert!(preview.json().get("response_format").is_none());
    let never = json!({ "type": "object", "properties": { "a": false }, "required": ["a"] });
    let never = Contract::from_schema(never).unwrap();
    let error = script.block_on(client.request("x").mode(Mode::ThinkThenShape).create_value(&never)).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::Unsupported, 0));
}
