//! Rate limits as providers tell them, in attempts, reports and errors.

use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, RateLimits};
use serde_json::json;

#[instructor::model]
struct User {
    name: String,
}

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada" }))
}

#[test]
fn every_attempt_has_what_its_answer_said() {
    let headers = |reply: Reply, left: &str| {
        reply.header("x-ratelimit-limit-requests", "60").header("x-ratelimit-remaining-requests", left)
    };
    let script = Script::new()
        .reply(headers(Reply::value(json!({})), "9"))
        .reply(Reply::status(503))
        .reply(headers(right(), "8"));
    let client = script.client("openai/gpt-5-mini");
    let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
    let left: Vec<Option<u64>> =
        completion.report.attempts().iter().map(|attempt| attempt.rate_limits.requests.remaining).collect();
    assert_eq!(left, [Some(9), None, Some(8)]);
    let last = completion.report.rate_limits();
    assert_eq!((last.requests.limit, last.requests.remaining, last.requests.reset), (Some(60), Some(8), None));
    assert_eq!((last.tokens, last.is_unknown()), (RateLimits::default().tokens, false));
}

#[test]
fn an_error_has_the_last_that_was_said() {
    let limited = Reply::status(429)
        .header("anthropic-ratelimit-tokens-remaining", "0")
        .header("anthropic-ratelimit-tokens-limit", "1000");
    let script = Script::new().reply(limited).reply(Reply::status(529));
    let client = script.client("anthropic/claude-haiku-4-5");
    let error = script.block_on(client.request("x").max_retries(1).create::<User>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!((error.rate_limits().tokens.remaining, error.rate_limits().tokens.limit), (Some(0), Some(1000)));
    assert!(script.sent().len() == 2 && error.rate_limits().requests.limit.is_none());
}

#[test]
fn what_is_used_up_is_waited_for_where_no_time_is_asked_for() {
    let used_up = |reply: Reply| {
        reply
            .header("x-ratelimit-remaining-requests", "5")
            .header("x-ratelimit-reset-requests", "59s")
            .header("x-ratelimit-remaining-tokens", "0")
            .header("x-ratelimit-reset-tokens", "7.66s")
    };
    let cases = [
        (used_up(Reply::status(429)), Duration::from_millis(7660)),
        (used_up(Reply::status(429)).header("retry-after", "2"), Duration::from_secs(2)),
    ];
    for (reply, wanted) in cases {
        let script = Script::new().reply(reply).reply(right());
        let client = script.client("groq/llama-3.3-70b-versatile");
        let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
        assert_eq!(completion.report.attempts()[1].waited, wanted);
    }
}
