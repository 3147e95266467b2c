//! The policy of each kind of failure: how many calls, which waits, what is asked again and what never is.

use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{Budget, Client, Completion, Error, ErrorKind, Mode, Retry, TransportErrorKind, Wait};
use serde_json::{Value, json};

#[instructor::model]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

const SPEC: &str = "openai/gpt-5-mini";
const SECOND: Duration = Duration::from_secs(1);

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 36 }))
}

fn wrong() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 360 }))
}

fn script(replies: impl IntoIterator<Item = Reply>) -> Script {
    replies.into_iter().fold(Script::new(), Script::reply)
}

fn ask(script: &Script, client: &Client) -> Result<(User, Completion), Error> {
    script.block_on(client.create_with_completion::<User>("Ada is 36"))
}

/// Without jitter, so that waits can be told exactly.
fn steady() -> Retry {
    Retry::new().with_wait(Wait::exponential(SECOND, 4 * SECOND))
}

#[test]
fn the_first_right_answer_is_one_call() {
    let script = script([right()]);
    let (user, completion) = ask(&script, &script.client(SPEC)).unwrap();
    assert_eq!((user.name.as_str(), user.age), ("Ada", 36));
    assert_eq!(completion.report.attempts().len(), 1);
    assert_eq!(script.sent().len(), 1);
    assert!(completion.report.usage().input.is_some());
}

#[test]
fn a_rejected_answer_is_asked_again_at_once() {
    let script = script([wrong(), wrong(), right()]);
    let (user, completion) = ask(&script, &script.client(SPEC)).unwrap();
    assert_eq!(user.age, 36);
    let failures: Vec<_> = completion.report.attempts().iter().map(|a| a.failure).collect();
    assert_eq!(failures, [Some(ErrorKind::SchemaMismatch), Some(ErrorKind::SchemaMismatch), None]);
    assert_eq!(script.waits(), []);
}

/// What each kind of failure costs when it never ends: calls and waits in seconds, with three attempts.
#[test]
fn each_kind_has_its_policy() {
    let error = |status| Reply::json(json!({ "error": { "message": "no" } })).with_status(status);
    let said = |message: Value, finish: &str| {
        Reply::json(json!({ "choices": [{ "message": message, "finish_reason": finish }] }))
    };
    let quota = Reply::json(json!({ "error": { "code": "insufficient_quota", "message": "pay" } })).with_status(429);
    let no_schema = Reply::json(json!({ "error": { "message": "Invalid schema for response_format 'User'" } }));
    let no_schema = no_schema.with_status(400);
    let cases: Vec<(Reply, ErrorKind, usize, &[u64])> = vec![
        (Reply::fault(TransportErrorKind::Connect), ErrorKind::Transport, 3, &[1, 2]),
        (Reply::fault(TransportErrorKind::Timeout), ErrorKind::Transport, 3, &[1, 2]),
        (Reply::fault(TransportErrorKind::Interrupted), ErrorKind::Transport, 3, &[1, 2]),
        // Another connection is there at once; the second time it is no matter of connections.
        (Reply::fault(TransportErrorKind::Closed), ErrorKind::Transport, 3, &[2]),
        (error(429), ErrorKind::RateLimited, 3, &[1, 2]),
        (error(500), ErrorKind::Overloaded, 3, &[1, 2]),
        (error(529), ErrorKind::Overloaded, 3, &[1, 2]),
        (error(408), ErrorKind::Overloaded, 3, &[1, 2]),
        (quota, ErrorKind::Quota, 1, &[]),
        (error(402), ErrorKind::Quota, 1, &[]),
        (error(401), ErrorKind::Auth, 1, &[]),
        (error(403), ErrorKind::Auth, 1, &[]),
        (error(400), ErrorKind::BadRequest, 1, &[]),
        (error(404), ErrorKind::BadRequest, 1, &[]),
        (error(422), ErrorKind::BadRequest, 1, &[]),
        // Once in every way to ask, which is neither a re-ask nor a resend.
        (no_schema, ErrorKind::SchemaRefused, 5, &[]),
        (said(json!({ "refusal": "I won't" }), "stop"), ErrorKind::Refused, 1, &[]),
        (said(json!({ "content": "" }), "content_filter"), ErrorKind::Filtered, 1, &[]),
        (said(json!({ "content": "{\"name\":" }), "length"), ErrorKind::Truncated, 1, &[]),
        (said(json!({ "content": "no JSON here" }), "stop"), ErrorKind::Malformed, 3, &[]),
        (said(json!({ "content": "{\"name\": 1}" }), "stop"), ErrorKind::SchemaMismatch, 3, &[]),
        (Reply::body("<html>502</html>"), ErrorKind::Malformed, 3, &[1, 2]),
    ];
    for (reply, kind, calls, waits) in cases {
        let shown = format!("{reply:?}");
        let script = Script::new().when(|_| true, reply);
        let client = script.builder(SPEC).retry(steady().with_stop_after_attempt(3)).build().unwrap();
        let error = ask(&script, &client).unwrap_err();
        assert_eq!(error.kind(), kind, "{shown}");
        assert_eq!(script.sent().len(), calls, "{shown}");
        assert_eq!(script.waits(), waits.iter().map(|&s| Duration::from_secs(s)).collect::<Vec<_>>(), "{shown}");
        assert_eq!(error.report().attempts().len(), calls, "attempts are calls made: {shown}");
        assert!(error.report().attempts().iter().all(|a| a.failure == Some(kind)), "{shown}");
    }
}

#[test]
fn max_retries_is_further_calls_after_the_first() {
    let down = || Reply::status(503);
    for (reply, retries) in [(wrong(), 0), (wrong(), 1), (wrong(), 5), (down(), 0), (down(), 2)] {
        let script = Script::new().when(|_| true, reply);
        let client = script.client(SPEC);
        let error = script.block_on(client.request("x").max_retries(retries).create::<User>()).unwrap_err();
        assert_eq!(script.sent().len(), retries as usize + 1);
        assert_eq!(error.report().attempts().len(), retries as usize + 1);
    }
}

#[test]
fn a_rate_limit_never_spends_the_attempts_of_validation() {
    let limited = || Reply::status(429);
    let script = script([limited(), wrong(), limited(), wrong(), right()]);
    let client = script.client(SPEC);
    let user: User = script.block_on(client.request("x").max_retries(2).create()).unwrap();
    assert_eq!(user.age, 36);
    assert_eq!(script.sent().len(), 5);
    assert_eq!(script.waits().len(), 2);
}

#[test]
fn retry_after_wins_in_every_form() {
    let limited = |name: &str, value: &str| Reply::status(429).header(name, value);
    let cases = [
        (limited("retry-after", "7"), 7_000),
        (limited("retry-after", "0.5"), 500),
        (limited("retry-after-ms", "1500"), 1_500),
        (limited("retry-after", "Thu, 01 Jan 1970 00:00:09 GMT"), 9_000),
        (
            limited("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT").header("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            3_000,
        ),
    ];
    for (reply, millis) in cases {
        let shown = format!("{reply:?}");
        let script = script([reply, right()]);
        let client = script.client(SPEC);
        ask(&script, &client).unwrap();
        assert_eq!(script.waits(), [Duration::from_millis(millis)], "{shown}");
    }
}

#[test]
fn a_retry_after_that_is_too_long_is_returned_not_slept() {
    let script = script([Reply::status(429).header("retry-after", "3600")]);
    let error = ask(&script, &script.client(SPEC)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(3600 * SECOND));
    assert!(error.is_retryable());
    assert_eq!(script.waits(), []);
}

#[test]
fn the_deadline_covers_calls_and_waits() {
    // A call that takes longer than what is left gets what is left, and its end is the deadline's.
    let one = script([right().after(20 * SECOND)]);
    let error = one.block_on(one.client(SPEC).request("x").deadline(5 * SECOND).create::<User>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert_eq!(one.sent()[0].timeout(), Some(5 * SECOND));
    assert_eq!(error.report().elapsed(), 5 * SECOND);

    // A wait that would end after it is not begun.
    let one = script([Reply::status(429).header("retry-after", "60").after(SECOND), right()]);
    let error = one.block_on(one.client(SPEC).request("x").deadline(5 * SECOND).create::<User>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert_eq!((one.waits(), one.sent().len()), (vec![], 1));
    assert_eq!(error.retry_after(), Some(60 * SECOND));

    // The second attempt has less time than the first.
    let one = script([wrong().after(2 * SECOND), right().after(2 * SECOND)]);
    one.block_on(one.client(SPEC).request("x").deadline(5 * SECOND).timeout(4 * SECOND).create::<User>()).unwrap();
    let timeouts: Vec<_> = one.sent().iter().map(|s| s.timeout().unwrap()).collect();
    assert_eq!(timeouts, [4 * SECOND, 3 * SECOND]);

    // Once it has passed nothing is sent, also not a re-ask.
    let one = script([wrong().after(4 * SECOND), wrong().after(SECOND), right()]);
    let error = one.block_on(one.client(SPEC).request("x").deadline(5 * SECOND).create::<User>()).unwrap_err();
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::Budget, 2));
    assert!(error.to_string().contains("schema_mismatch"), "{error}");
}

#[test]
fn a_timeout_of_one_attempt_is_tried_again() {
    let script = script([right().after(20 * SECOND), right()]);
    let client = script.builder(SPEC).timeout(10 * SECOND).retry(steady()).build().unwrap();
    let (_, completion) = ask(&script, &client).unwrap();
    assert_eq!(completion.report.attempts()[0].failure, Some(ErrorKind::Transport));
    assert_eq!(completion.report.attempts()[0].elapsed, 10 * SECOND);
    assert_eq!(completion.report.attempts()[1].waited, SECOND);
}

#[test]
fn stop_after_delay_starts_no_further_attempt() {
    let script = Script::new().when(|_| true, Reply::status(503).after(SECOND));
    let retry =
        Retry::new().with_stop_after_attempt(100).with_stop_after_delay(10 * SECOND).with_wait(Wait::fixed(2 * SECOND));
    let client = script.builder(SPEC).retry(retry).build().unwrap();
    let error = ask(&script, &client).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(script.sent().len(), 4);
}

#[test]
fn only_listed_kinds_are_tried_again() {
    let retry = Retry::new().with_kinds(&[ErrorKind::RateLimited]);
    let script = script([Reply::status(429), wrong(), right()]);
    let client = script.builder(SPEC).retry(retry).build().unwrap();
    let error = ask(&script, &client).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::SchemaMismatch, 2));
}

#[test]
fn the_budget_of_attempts_is_over_both_sides() {
    let script = Script::new().reply(wrong()).reply(Reply::status(429)).reply(wrong()).reply(right());
    let client = script.builder(SPEC).budget(Budget::new().with_attempts(3)).max_retries(9).build().unwrap();
    let error = ask(&script, &client).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::Budget, 3));
    assert!(error.to_string().contains("3 attempts are used"), "{error}");
    assert!(!error.issues().is_empty(), "the last issues stay reachable");
}

#[test]
fn the_budget_of_tokens_ends_the_run_also_where_usage_is_unknown() {
    let wasteful = Reply::json(json!({
        "choices": [{ "message": { "content": "no" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 400, "completion_tokens": 300 },
    }));
    let script = Script::new().when(|_| true, wasteful);
    let client = script.builder(SPEC).budget(Budget::new().with_tokens(1000)).max_retries(9).build().unwrap();
    let error = ask(&script, &client).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::Budget, 2));
    assert_eq!(error.report().usage().total(), Some(1400));

    let silent = Reply::json(json!({ "choices": [{ "message": { "content": "no" }, "finish_reason": "stop" }] }));
    let script = Script::new().when(|_| true, silent);
    let client = script.builder(SPEC).budget(Budget::new().with_tokens(500)).max_retries(99).build().unwrap();
    let error = ask(&script, &client).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert!(script.sent().len() < 10);
    assert_eq!(error.report().usage().total(), None, "unknown is not zero");
}

/// N failed attempts cost O(N) input: the request of each re-ask has the same size.
#[test]
fn a_re_ask_has_constant_size() {
    for spec in [SPEC, "groq/llama-3.3-70b", "anthropic/claude-haiku-4-5"] {
        let script = Script::new().when(|_| true, wrong());
        let client = script.client(spec);
        script.block_on(client.request("Ada is 36").max_retries(20).create::<User>()).unwrap_err();
        let sizes: Vec<usize> = script.sent().iter().map(|s| s.body().len()).collect();
        assert_eq!(sizes.len(), 21);
        assert!(sizes[1] > sizes[0]);
        assert!(sizes[1..].iter().all(|&size| size == sizes[1]), "{spec}: {sizes:?}");
        let total: usize = sizes.iter().sum();
        assert!(total <= 21 * sizes[1], "{spec}");
    }
}

#[test]
fn a_re_ask_has_the_answer_and_every_issue() {
    let bad = Reply::value(json!({ "name": [7, 8], "age": 360 }));
    for (spec, protocol) in [("groq/llama-3.3-70b", "tool"), ("anthropic/claude-haiku-4-5", "tool"), (SPEC, "text")] {
        let script = script([bad.clone(), right()]);
        ask(&script, &script.client(spec)).unwrap();
        let again = script.sent()[1].json().to_string();
        for told in ["$.name: got [7,8], wanted a string", "$.age: got 360, wanted an integer"] {
            assert!(again.contains(told), "{spec}: {again}");
        }
        assert_eq!(protocol == "tool", again.contains("tool_call_id") || again.contains("tool_use_id"), "{again}");
    }
}

#[test]
fn every_call_of_a_rejected_turn_is_answered() {
    let call = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let calls =
        json!([call("a", "User", "{\"name\":\"A\",\"age\":1}"), call("b", "User", "{\"name\":\"B\",\"age\":2}")]);
    let two =
        Reply::json(json!({ "choices": [{ "message": { "tool_calls": calls }, "finish_reason": "tool_calls" }] }));
    let script = script([two, right()]);
    let (_, completion) = ask(&script, &script.client("groq/llama-3.3-70b")).unwrap();
    assert_eq!(completion.report.attempts()[0].failure, Some(ErrorKind::Malformed));
    let messages = script.sent()[1].json()["messages"].clone();
    let answered: Vec<_> = messages.as_array().unwrap().iter().filter_map(|m| m["tool_call_id"].as_str()).collect();
    assert_eq!(answered, ["a", "b"]);
}

/// Some servers refuse a request for a call in it that they can't read, though they wrote it themselves.
#[test]
fn a_call_that_can_not_be_read_does_not_go_back() {
    let cut = r#"{"name": "Ada"#;
    let chat = json!({ "choices": [{
        "message": { "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "User", "arguments": cut } }] },
        "finish_reason": "tool_calls",
    }] });
    let item = json!({ "type": "function_call", "id": "fc", "call_id": "a", "name": "User", "arguments": cut });
    let items = json!({ "output": [item], "status": "completed" });
    for (spec, body, pointer) in [
        ("groq/llama-3.3-70b", chat, "/messages/1/tool_calls/0/function/arguments"),
        ("openai_responses/gpt-5-mini", items, "/input/1/arguments"),
    ] {
        let script = script([Reply::json(body), right()]);
        let client = script.client(spec);
        script.block_on(client.request("Ada, 36").mode(Mode::Tools).create::<User>()).unwrap();
        let again = script.sent()[1].json();
        assert_eq!(again.pointer(pointer), Some(&json!("{}")), "{again}");
    }
}

#[test]
fn a_generation_that_the_provider_rejected_is_asked_again() {
    let failed = Reply::json(json!({ "error": {
        "message": "Failed to call a function.", "code": "tool_use_failed", "failed_generation": "{\"name\": \"Ada\"",
    } }))
    .with_status(400);
    let script = script([failed, right()]);
    ask(&script, &script.client("groq/llama-3.3-70b")).unwrap();
    let again = script.sent()[1].json();
    assert_eq!(again["messages"][1], json!({ "role": "assistant", "content": "{\"name\": \"Ada\"" }));
    assert_eq!(script.waits(), []);
}

#[test]
fn errors_keep_everything_and_show_no_text() {
    let secret = "the patient is called Zebulon";
    let script = Script::new().when(|_| true, Reply::value(json!({ "name": secret, "age": 999 })));
    let client = script.client(SPEC);
    let error = script.block_on(client.request(secret).max_retries(1).create::<User>()).unwrap_err();
    let shown = format!("{error}\n{error:#}\n{error:?}");
    assert!(!shown.contains("Zebulon") && !shown.contains("999") && !shown.contains("test-key"), "{shown}");
    assert!(error.to_string().contains("$.age"), "{error}");
    assert!(error.to_string().contains("(after 2 attempts)"), "{error}");
    assert!(error.issues().as_slice()[0].to_string().contains("999"));
    assert!(String::from_utf8_lossy(error.raw().unwrap()).contains("Zebulon"));
    assert_eq!(error.status(), Some(200));
}
