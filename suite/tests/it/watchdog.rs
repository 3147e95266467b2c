//! Answers that are ended early, and those that are not.

use std::time::Duration;

use instructor::schema::Dialect;
use instructor::testing::{Reply, Script};
use instructor::{Budget, Contract, Error, ErrorKind, Level, Mode, Watchdog};
use serde_json::{Value, json};

use crate::corpus::records;

#[instructor::model]
#[derive(Debug, PartialEq, Clone, Copy)]
enum Tone {
    Calm,
    Angry,
}

#[instructor::model]
#[derive(Debug, PartialEq)]
struct Letter {
    tone: Tone,
    #[schemars(length(min = 1, max = 3))]
    tags: Vec<String>,
    #[schemars(range(max = 5))]
    stars: Option<u8>,
    body: String,
}

const FILES: [&str; 3] = ["dev.jsonl.gz", "rust_types.jsonl.gz", "suite.jsonl.gz"];

const MODES: [Mode; 5] = [Mode::Auto, Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson];

/// Words that do not repeat.
fn prose(words: u32) -> String {
    (0..words).map(|n| format!("word{} ", n.wrapping_mul(2_654_435_761))).collect()
}

fn letter(tone: &str) -> Value {
    json!({ "tone": tone, "tags": ["a"], "stars": 3, "body": prose(1500) })
}

fn reply(mode: Mode, value: &Value) -> Reply {
    match mode {
        Mode::MdJson => Reply::text(format!("Here it is:\n```json\n{value}\n```\nThat is all.")),
        _ => Reply::value(value.clone()),
    }
}

#[test]
fn a_wrong_value_at_the_beginning_ends_the_answer_there() {
    let mut early = 0;
    for spec in ["openai/m", "openai_responses/m", "anthropic/m", "gemini/m", "cohere/m", "bedrock/m", "ollama_chat/m"]
    {
        for mode in MODES {
            let script = Script::new()
                .reply(reply(mode, &letter("Sad")).pieces(64))
                .reply(reply(mode, &letter("Calm")).pieces(64));
            let client = script.client(spec);
            if client.request("x").mode(mode).preview::<Letter>().is_err() {
                continue;
            }
            let (value, completion) = script.block_on(async {
                let request = client.request("x").mode(mode).watchdog(Watchdog::new());
                request.create_with_completion::<Letter>().await.unwrap_or_else(|e| panic!("{spec} {mode}: {e:#}"))
            });
            assert_eq!((value.tone, value.body), (Tone::Calm, prose(1500)), "{spec} {mode}");
            let [first, second] = completion.report.attempts() else { panic!("{spec} {mode}") };
            assert_eq!((first.failure, second.failure), (Some(ErrorKind::SchemaMismatch), None), "{spec} {mode}");
            assert_eq!(second.stopped, None);
            let issue = &first.issues.as_slice()[0];
            assert_eq!(issue.path().to_string(), "$.tone", "{spec} {mode}");
            assert!(issue.wanted().contains("Calm"), "{spec} {mode}: {issue}");
            let read = script.read();
            // A call that comes in one event is there before it can be looked at.
            if read[0] * 2 > read[1] && (spec.starts_with("gemini") || spec.starts_with("ollama")) {
                continue;
            }
            assert!(read[0] * 10 < read[1], "{spec} {mode}: {read:?}");
            assert!(first.stopped.unwrap() < 400, "{spec} {mode}: {first}");
            assert!(first.to_string().contains("stopped after about"), "{first}");
            let asked = String::from_utf8_lossy(script.sent()[1].body()).into_owned();
            assert!(asked.contains("rejected") && asked.contains("Sa"), "{spec} {mode}: {asked}");
            early += 1;
        }
    }
    assert!(early >= 25, "{early}");
}

#[test]
fn a_wrong_part_is_told_where_it_closes() {
    let schema = json!({ "type": "object", "properties": {
        "list": { "type": "array", "minItems": 2, "maxItems": 3, "items": { "type": "integer", "maximum": 9 } },
        "map": { "type": "object", "additionalProperties": { "type": "string", "pattern": "^[a-z]+$" } },
        "inner": { "anyOf": [{ "$ref": "#/$defs/Inner" }, { "type": "null" }] },
        "kind": { "enum": ["In Progress", "Done", 7] },
        "shape": { "anyOf": [
            { "type": "object", "properties": { "r": { "type": "number" } }, "required": ["r"] },
            { "type": "object", "properties": { "w": { "type": "number" } }, "required": ["w"] }] },
        "rest": { "type": "string" },
    }, "required": ["rest"], "$defs": {
        "Inner": { "type": "object", "properties": { "n": { "type": "string", "maxLength": 3 }, "m": {} },
            "required": ["n"] } } });
    let contract = Contract::from_schema(schema).unwrap();
    let rest = prose(300);
    for (part, path) in [
        (r#""list": [1, 12, 2]"#, Some("$.list[1]")),
        (r#""list": [1, 2, 3, 4]"#, Some("$.list")),
        (r#""list": [1]"#, Some("$.list")),
        (r#""map": {"a": "b", "c": "D"}"#, Some("$.map.c")),
        (r#""inner": {"n": "long"}"#, Some("$.inner.n")),
        (r#""inner": {"m": 1}"#, Some("$.inner.n")),
        (r#""inner": 5"#, Some("$.inner")),
        (r#""kind": "Doing it""#, Some("$.kind")),
        (r#""kind": "In Prog""#, Some("$.kind")),
        (r#""kind": 8"#, Some("$.kind")),
        (r#""shape": {"r": "round"}"#, Some("$.shape.r")),
        // What the final reading aligns is let be.
        (r#""list": ["1", "2"]"#, None),
        (r#""list": [1.0, 9]"#, None),
        (r#""kind": "in_progress""#, None),
        (r#""kind": "**DONE**.""#, None),
        (r#""kind": ["Done"]"#, None),
        (r#""kind": null"#, None),
        (r#""inner": null"#, None),
        (r#""inner": {"n": 5}"#, None),
        (r#""inner": "{\"n\": \"a\"}""#, None),
        (r#""inner": {" n": "a"}"#, None),
        (r#""shape": {"w": "2"}"#, None),
        (r#""other": [{}]"#, None),
    ] {
        let text = format!("{{{part}, \"rest\": \"{rest}\"}}");
        let script = Script::new().reply(Reply::text(text).chunks(5).pieces(32));
        let client = script.client("openai/m");
        let request = client.request("x").mode(Mode::Json).max_retries(0).watchdog(Watchdog::new());
        match (script.block_on(request.create_value(&contract)), path) {
            (Ok((_, completion)), None) => assert_eq!(completion.report.attempts()[0].stopped, None),
            (Err(error), Some(path)) => {
                assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{part}");
                let attempt = &error.report().attempts()[0];
                assert!(attempt.stopped.is_some_and(|tokens| tokens < 40), "{part}: {attempt}");
                assert_eq!(error.issues().as_slice()[0].path().to_string(), path, "{part}");
            }
            (other, _) => panic!("{part}: {other:?}"),
        }
    }
}

#[test]
fn what_no_alternative_and_no_limit_allows_is_told_before_the_value_ends() {
    let alternative = |name: &str, more: Value| json!({ "type": "object", "properties": { "kind": { "const": name }, "more": more }, "required": ["kind", "more"] });
    let variant = |name: &str, inner: Value| json!({ "type": "object", "properties": { name: inner }, "required": [name], "additionalProperties": false });
    let wait =
        json!({ "type": "object", "properties": { "for": { "type": "integer", "maximum": 9 } }, "required": ["for"] });
    let schema = json!({ "type": "object", "properties": {
        "tagged": { "anyOf": [{ "oneOf": [
            alternative("In Progress", json!({ "type": "array", "items": { "type": "integer" } })),
            alternative("done", json!({ "type": "string" }))] }, { "type": "null" }] },
        "variant": { "oneOf": [variant("Wait", wait), variant("Say", json!({ "type": "string" })), { "const": "Stop" }] },
        "untagged": { "anyOf": [
            { "type": "object", "properties": { "a": { "type": "integer" }, "rest": {} }, "required": ["a"] },
            { "type": "object", "properties": { "a": { "type": "boolean" }, "rest": {} }, "required": ["a"] }] },
        "map": { "type": "object", "additionalProperties": { "type": "string" }, "minProperties": 1, "maxProperties": 2 },
        "open": { "$ref": "#/$defs/Open" },
        "named": { "type": "object", "properties": { "a": {}, "b": { "type": "integer" }, "c": { "type": "integer" } },
            "maxProperties": 1 },
        "set": { "type": "array", "uniqueItems": true, "items": { "type": "object",
            "properties": { "n": { "type": "number" }, "s": { "type": "string" } } } },
        "list": { "$ref": "#/$defs/List" },
        "both": { "anyOf": [{ "allOf": [{ "$ref": "#/$defs/List" }, { "minItems": 2 }] }, { "type": "null" }] },
    }, "$defs": {
        "Open": { "type": "object", "maxProperties": 1 },
        "List": { "type": "array", "items": { "type": "string" }, "maxItems": 3 } } });
    let contract = Contract::from_schema(schema).unwrap();
    let long = prose(300);
    for (part, path) in [
        (r#""tagged": {"kind": "dome", "more": "LONG"}"#, Some("$.tagged.kind")),
        (r#""tagged": {"kind": "in progress", "more": [1, "x", "LONG"]}"#, Some("$.tagged.more[1]")),
        (r#""tagged": {"more": "x", "kind": "In Progress", "rest": "LONG"}"#, Some("$.tagged.kind")),
        (r#""variant": {"Sing": {"for": "LONG"}}"#, Some("$.variant")),
        (r#""variant": {"Wait": {"for": 10, "rest": "LONG"}}"#, Some("$.variant.Wait.for")),
        (r#""variant": {"Wait": {}, "Say": "LONG"}"#, Some("$.variant.Wait.for")),
        (r#""untagged": {"a": "x", "rest": "LONG"}"#, Some("$.untagged.a")),
        (r#""map": {"a": "x", "b": "y", "c": "LONG"}"#, Some("$.map")),
        (r#""map": {}, "named": {"a": "LONG"}"#, Some("$.map")),
        (r#""open": {"a": [], "b": "LONG"}"#, Some("$.open")),
        (r#""named": {"a": 1, "b": 2, "rest": "LONG"}"#, Some("$.named")),
        (r#""set": [{"n": 1}, {"n": 2, "s": "x"}, {"s": "\u0078", "n": 2.0}, "LONG"]"#, Some("$.set[2]")),
        (r#""list": ["a", "b", "c", "LONG"]"#, Some("$.list")),
        (r#""both": ["a", "b", "c", "LONG"]"#, Some("$.both")),
        (r#""both": ["a"], "named": {"a": "LONG"}"#, Some("$.both")),
        // What the final reading takes or aligns.
        (r#""tagged": {"more": "x", "kind": "DONE", "rest": "LONG"}"#, None),
        (r#""tagged": {"rest": [], "kind": "In Progress", "more": ["1", 2.0]}"#, None),
        (r#""tagged": null"#, None),
        (r#""variant": {"Wait": {"for": "9", "rest": "LONG"}}"#, None),
        (r#""variant": "stop""#, None),
        (r#""untagged": {"rest": 1, "a": "true"}"#, None),
        (r#""map": {"a": "x", "b": 5}"#, None),
        (r#""named": {"rest": 5, "a": 1, "b": null}"#, None),
        (r#""set": [{"n": 1}, {"n": 1, "s": ""}, {"n": 10}]"#, None),
        (r#""both": ["a", 5]"#, None),
    ] {
        let text = format!("{{{}}}", part.replace("LONG", &long));
        let run = |limits: Option<Watchdog>| {
            let script = Script::new().reply(Reply::text(text.clone()).chunks(5).pieces(32));
            let client = script.client("openai/m");
            let request = client.request("x").mode(Mode::Json).max_retries(0).watchdog(limits);
            script.block_on(request.create_value(&contract))
        };
        match (run(None), run(Some(Watchdog::new())), path) {
            (Ok((without, _)), Ok((with, _)), None) => assert_eq!(without, with, "{part}"),
            (Err(without), Err(error), Some(path)) => {
                assert_eq!(
                    (without.kind(), error.kind()),
                    (ErrorKind::SchemaMismatch, ErrorKind::SchemaMismatch),
                    "{part}"
                );
                let attempt = &error.report().attempts()[0];
                assert!(attempt.stopped.is_some_and(|tokens| tokens < 40), "{part}: {attempt}");
                assert_eq!(error.issues().as_slice()[0].path().as_str(), path, "{part}: {attempt}");
            }
            (without, with, _) => panic!("{part}: {without:?} {with:?}"),
        }
    }
}

#[test]
fn a_draft_between_words_is_no_answer() {
    let text = format!("Not {} but\n```json\n{}\n```", json!({ "tone": "Sad", "tags": 1 }), letter("Calm"));
    let script = Script::new().reply(Reply::text(text).chunks(3));
    let client = script.client("anthropic/m");
    let request = client.request("x").mode(Mode::MdJson).max_retries(0).watchdog(Watchdog::new());
    assert_eq!(script.block_on(request.create::<Letter>()).unwrap().tone, Tone::Calm);
}

#[test]
fn an_answer_that_runs_away_is_asked_for_again() {
    let begin = r#"{"tone": "Calm", "tags": ["a"], "stars": "#;
    let cases = [
        format!("{begin}{}", " \n".repeat(9000)),
        format!("{begin}1.{}", "0".repeat(9000)),
        format!("{begin}1, \"body\": \"{}", "and again ".repeat(9000)),
    ];
    for text in cases {
        for mode in [Mode::Tools, Mode::Json] {
            let body = json!({ "choices": [{ "delta": { "content": text } }] });
            let call = json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 0, "id": "c", "type": "function",
                "function": { "name": "Letter", "arguments": text } }] } }] });
            let event = if mode == Mode::Tools { call } else { body };
            // It never comes to an end.
            let stream = format!("data: {event}\n\n");
            let script = Script::new()
                .reply(
                    Reply::body(stream.clone()).header("content-type", "text/event-stream").stalls_after(stream.len()),
                )
                .reply(Reply::value(letter("Calm")));
            let client = script.client("openai/m");
            let request = client.request("x").mode(mode).watchdog(Watchdog::new());
            let (_, completion) = script.block_on(request.create_with_completion::<Letter>()).unwrap();
            let first = &completion.report.attempts()[0];
            assert_eq!(first.failure, Some(ErrorKind::Runaway), "{mode} {first}");
            assert!(first.detail.contains("more than"), "{first}");
            // What ran away is not sent back.
            assert!(script.sent()[1].body().len() < script.sent()[0].body().len() + 1500);
        }
    }
}

#[test]
fn size_has_a_limit_where_it_is_set() {
    for (limits, stopped) in [(Watchdog::new(), false), (Watchdog::new().with_size(1000), true)] {
        let script = Script::new().reply(Reply::value(letter("Calm")).pieces(100));
        let client = script.client("openai/m");
        let result = script.block_on(client.request("x").max_retries(0).watchdog(limits).create::<Letter>());
        assert_eq!(result.err().map(|error| error.kind()), stopped.then_some(ErrorKind::Runaway), "{limits:?}");
    }
}

/// Both clients on the same request.
fn both(reply: impl Fn() -> Reply, limits: Watchdog) -> [(Result<Letter, Error>, Vec<Duration>); 2] {
    let script = Script::new().reply(reply());
    let client = script.client("openai/m");
    let made = script.block_on(client.request("x").max_retries(0).watchdog(limits).create());
    let blocking = Script::new().reply(reply());
    let client = blocking.blocking_client("openai/m");
    [(made, script.waits()), (client.request("x").max_retries(0).watchdog(limits).create(), blocking.waits())]
}

#[test]
fn time_is_over_while_the_server_is_silent() {
    let seconds = Duration::from_secs;
    let limits = Watchdog::new().with_time(seconds(15));
    for (result, waits) in both(|| Reply::value(letter("Calm")).after(seconds(5)).stalls_after(3000), limits) {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), waits), (ErrorKind::Runaway, vec![seconds(10)]), "{error}");
        assert!(error.to_string().contains("nothing complete after 15s"), "{error}");
        assert!(error.report().attempts()[0].stopped.unwrap() > 50);
        assert_eq!(error.report().elapsed(), seconds(15));
    }
    // Of no answer at all the service is to blame.
    for (result, _) in both(|| Reply::value(letter("Calm")).after(seconds(20)), limits) {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.report().elapsed()), (ErrorKind::Transport, seconds(15)), "{error}");
    }
    let limits = Watchdog::new().with_time(seconds(25));
    for (result, _) in both(|| Reply::value(letter("Calm")).pieces(100).after(seconds(20)), limits) {
        assert_eq!(result.unwrap().tone, Tone::Calm);
    }
}

#[test]
fn an_answer_that_did_not_begin_is_not_sent_back() {
    let script = Script::new().reply(Reply::value(letter("Calm")).stalls_after(0)).reply(Reply::value(letter("Calm")));
    let client = script.client("anthropic/m");
    let limits = Watchdog::new().with_time(Duration::from_secs(15));
    let made: Letter = script.block_on(client.request("x").watchdog(limits).create()).unwrap();
    assert_eq!(made.tone, Tone::Calm);
    assert_eq!(script.sent()[0].body(), script.sent()[1].body());
}

#[test]
fn a_token_budget_that_is_spent_ends_the_answer() {
    let budget = Budget::new().with_tokens(600);
    for spec in ["openai/m", "openai_responses/m", "anthropic/m", "bedrock/m", "gemini/m"] {
        let mode = if spec.starts_with("gemini") { Mode::Schema } else { Mode::Auto };
        for way in 0..4 {
            let list = json!([letter("Calm"), letter("Calm")]);
            let said = if way == 2 { list } else { letter("Calm") };
            let script = Script::new().reply(Reply::value(said).pieces(64));
            let client = script.client(spec);
            let request = client.request("x").mode(mode).budget(budget);
            let contract = <Letter as instructor::ResponseModel>::contract();
            let error = script.block_on(async {
                match way {
                    0 => request.watchdog(Watchdog::new()).create::<Letter>().await.map(drop),
                    1 => request.create_partial_value(&contract).await?.finish().await.map(drop),
                    2 => match request.create_iterable::<Letter>().await?.next().await {
                        Some(item) => item.map(drop),
                        None => Ok(()),
                    },
                    // Not streamed, so there is nothing to end.
                    _ => request.create::<Letter>().await.map(drop),
                }
            });
            if way == 3 {
                assert!(error.is_ok(), "{spec}");
                continue;
            }
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Budget, "{spec} {way}: {error}");
            assert!(error.to_string().contains("of 600 tokens are used"), "{error}");
            let [attempt] = error.report().attempts() else { panic!("{spec} {way}") };
            assert_eq!(attempt.failure, Some(ErrorKind::Budget));
            assert!((400..700).contains(&attempt.stopped.unwrap()), "{spec} {way}: {attempt}");
        }
    }
}

#[test]
fn what_was_used_before_counts_and_what_the_last_word_spent_does_not() {
    let chunk = |content: &str| json!({ "choices": [{ "delta": { "content": content } }] });
    let end = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
    let used = json!({ "choices": [], "usage": { "prompt_tokens": 5000, "completion_tokens": 10 } });
    let said = |text: &str, size: usize| {
        let chunks = text.as_bytes().chunks(size).map(|piece| chunk(std::str::from_utf8(piece).unwrap()));
        let events = chunks.chain([end.clone(), used.clone()]);
        let stream: String = events.map(|event| format!("data: {event}\n\n")).collect();
        Reply::body(stream).header("content-type", "text/event-stream")
    };
    let (wrong, right) = (r#"{"tone": "Calm", "tags": [], "body": ""}"#, letter("Calm").to_string());
    for (first, size, tokens, kind) in [
        (Some(wrong), 4000, 6000, Some(ErrorKind::Budget)),
        (Some(wrong), 4000, 20_000, None),
        (None, 4000, 6000, None),
        (None, 4000, 100, Some(ErrorKind::Budget)),
        // The last word, though it is the first too.
        (None, right.len(), 100, None),
    ] {
        let script = first.into_iter().fold(Script::new(), |script, first| script.reply(said(first, usize::MAX)));
        let script = script.reply(said(&right, size));
        let client = script.client("openai/m");
        let request = client.request("x").mode(Mode::Json).budget(Budget::new().with_tokens(tokens));
        let contract = <Letter as instructor::ResponseModel>::contract();
        let result = script.block_on(async { request.create_partial_value(&contract).await.unwrap().finish().await });
        assert_eq!(result.err().map(|error| error.kind()), kind, "{size} {tokens}");
    }
}

#[test]
fn a_policy_can_leave_it_at_one_runaway() {
    let script = Script::new().reply(Reply::value(letter("Calm")));
    let client = script.client("openai/m");
    let request = client.request("x").max_retries(0).watchdog(Watchdog::new().with_size(100));
    let error = script.block_on(request.create::<Letter>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Runaway);
    assert!(error.to_string().contains("more than 100 bytes of text"), "{error}");
    assert_eq!(error.issues().as_slice().len(), 1);
}

#[test]
fn without_a_watchdog_or_its_check_answers_are_read_to_their_end() {
    for limits in [None, Some(Watchdog::new().with_invalid(false))] {
        let script = Script::new().reply(Reply::value(letter("Sad")).pieces(64));
        let client = script.client("openai/m");
        let error =
            script.block_on(client.request("x").max_retries(0).watchdog(limits).create::<Letter>()).unwrap_err();
        let attempt = &error.report().attempts()[0];
        assert_eq!((error.kind(), attempt.stopped), (ErrorKind::SchemaMismatch, None));
        assert!(script.read()[0] > 10_000);
    }
}

#[test]
fn streams_and_blocking_clients_have_it_too() {
    let wrong = || Reply::value(letter("Sad")).pieces(64);
    let right = || Reply::value(letter("Calm")).pieces(64);
    let contract = <Letter as instructor::ResponseModel>::contract();
    let script = Script::new().reply(wrong()).reply(right());
    let client = script.client("openai/m");
    script.block_on(async {
        let request = client.request("x").watchdog(Watchdog::new());
        let mut stream = request.create_partial_value(&contract).await.unwrap();
        while stream.next().await.is_some() {}
        assert_eq!(stream.finish().await.unwrap(), letter("Calm"));
    });
    assert!(script.read()[0] * 10 < script.read()[1]);
    let script = Script::new().reply(wrong()).reply(right());
    let client = script.blocking_client("anthropic/m");
    let made: Letter = client.request("x").watchdog(Watchdog::new()).create().unwrap();
    assert_eq!(made.tone, Tone::Calm);
    assert!(script.read()[0] < 10_000, "{:?}", script.read());
}

#[test]
fn a_wrong_item_of_a_list_stays_an_error_in_its_place() {
    let script = Script::new().reply(Reply::value(json!([letter("Sad"), letter("Calm")])));
    let client = script.client("openai/m");
    let items = script.block_on(async {
        let mut stream = client.request("x").watchdog(Watchdog::new()).create_iterable::<Letter>().await.unwrap();
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            items.push(item.map(|letter| letter.tone).map_err(|error| error.kind()));
        }
        items
    });
    assert_eq!(items, [Err(ErrorKind::SchemaMismatch), Ok(Tone::Calm)]);
}

#[test]
fn a_wrong_call_of_several_ends_the_answer() {
    #[instructor::model]
    #[derive(Debug)]
    enum Action {
        Wait { seconds: u8 },
        Say { text: String },
    }
    let say = || ("Say", json!({ "text": prose(500) }));
    let wrong = [("Wait", json!({ "seconds": 999 })), say(), say()];
    let right = [("Wait", json!({ "seconds": 9 })), say(), say()];
    let script = Script::new().reply(Reply::calls(wrong).pieces(64)).reply(Reply::calls(right).pieces(64));
    let client = script.client("openai/m");
    let request = client.request("x").mode(Mode::ParallelTools).watchdog(Watchdog::new());
    let (actions, completion) = script.block_on(request.create_with_completion::<Vec<Action>>()).unwrap();
    assert_eq!(actions.len(), 3);
    let first = &completion.report.attempts()[0];
    assert_eq!((first.failure, first.issues.as_slice().len()), (Some(ErrorKind::SchemaMismatch), 1), "{first}");
    assert!(script.read()[0] * 5 < script.read()[1], "{:?}", script.read());
}

/// The ways in which models write a value that is still the same value, or no longer.
fn bent(value: &Value, how: usize) -> Value {
    match value {
        Value::Object(map) if how == 5 => map.iter().map(|(key, v)| (format!(" {key}"), v.clone())).collect(),
        Value::Object(map) if how == 6 && map.len() > 1 => {
            map.iter().skip(1).map(|(k, v)| (k.clone(), v.clone())).collect()
        }
        Value::Object(map) => map.iter().map(|(key, inner)| (key.clone(), bent(inner, how))).collect(),
        Value::Array(list) if how == 4 && list.len() == 1 => bent(&list[0], how),
        Value::Array(list) => list.iter().map(|inner| bent(inner, how)).collect(),
        Value::Number(number) if how == 0 => json!(number.to_string()),
        Value::Number(number) if how == 1 => number.as_f64().map_or(Value::Null, |n| json!(n + 1e6)),
        Value::String(text) if how == 1 => json!(text.to_uppercase()),
        Value::String(text) if how == 2 => json!(format!("**{text}**")),
        Value::String(_) if how == 3 => Value::Null,
        Value::Bool(is) if how == 0 => json!(is.to_string()),
        other if how == 4 => json!([other]),
        other => other.clone(),
    }
}

fn every(default: usize) -> usize {
    std::env::var("WATCHDOG_EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(default)
}

/// Of schemas from everywhere, with values that are right or bent: what is taken without a watchdog is taken with one.
#[test]
fn nothing_is_stopped_that_the_final_reading_takes() {
    let Some(records) = records(&FILES, every(101)) else { return };
    let (mut taken, mut stopped) = (0, 0);
    for record in &records {
        let Ok(contract) = Contract::from_schema(record.declared()) else { continue };
        for (number, value) in record.valid.iter().take(2).enumerate() {
            for how in 0..8 {
                let level = [Level::Syntax, Level::Lenient, Level::Strict][(how + number) % 3];
                let value = bent(value, how);
                let (mode, spec) = [(Mode::Json, "openai/m"), (Mode::Tools, "anthropic/m"), (Mode::Schema, "openai/m")]
                    [(how + 2 * number) % 3];
                let answer = match mode {
                    Mode::Schema => {
                        let report = contract.report(Dialect::OpenAi);
                        let form = report.lowered().and_then(|lowered| lowered.encode_json(&value.to_string()));
                        form.unwrap_or_else(|| value.to_string())
                    }
                    _ => value.to_string(),
                };
                let run = |limits: Option<Watchdog>| {
                    let said = match mode {
                        Mode::Tools => Reply::value(value.clone()),
                        _ => Reply::text(answer.clone()),
                    };
                    let script = Script::new().reply(said);
                    let client = script.client(spec);
                    let request = client.request("x").mode(mode).level(level).max_retries(0).watchdog(limits);
                    script.block_on(request.create_value(&contract)).map(|(value, _)| value)
                };
                match (run(None), run(Some(Watchdog::new()))) {
                    (Ok(without), Ok(with)) => {
                        assert_eq!(without, with, "{}", record.id);
                        taken += 1;
                    }
                    (Ok(_), Err(error)) => {
                        panic!("{} {how} {mode} {level:?}: {answer}\n{error:#}\n{:?}", record.id, error.issues())
                    }
                    (Err(_), Ok(_)) => panic!("{}: taken only with a watchdog", record.id),
                    (Err(_), Err(error)) => {
                        stopped += usize::from(error.report().attempts().iter().any(|a| a.stopped.is_some()));
                    }
                }
            }
        }
    }
    assert!(taken > 100 && stopped > 100, "{taken} {stopped}");
}
