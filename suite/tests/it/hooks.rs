//! What is told of a request to whoever looks on: each event, in its order, for every kind of request, to its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use instructor::hooks::{
    self, Done, End, Failure, Fetch, Hooks, LastAttempt, Next, Reask, Repaired, Request, Response, StepDown,
};
use instructor::testing::{Reply, Script};
use instructor::{Budget, ErrorKind, FetchMedia, Media, MediaKind, Message, Mode, Retry, TransportErrorKind, Wait};
use serde_json::json;

#[instructor::model(partial)]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

const SPEC: &str = "openai/gpt-5-mini";

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 36 }))
}

fn wrong() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 360 }))
}

fn script(replies: impl IntoIterator<Item = Reply>) -> Script {
    replies.into_iter().fold(Script::new(), Script::reply)
}

/// A line for each event.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    ids: Mutex<Vec<u64>>,
}

impl Log {
    fn note(&self, about: &hooks::About<'_>, line: String) {
        assert_eq!(about.contract, "User");
        self.ids.lock().unwrap().push(about.id);
        self.lines.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }

    /// The one request that it was told of.
    fn id(&self) -> u64 {
        let ids = self.ids.lock().unwrap();
        assert!(ids.iter().all(|id| *id == ids[0]));
        ids[0]
    }
}

impl Hooks for Log {
    fn on_fetch(&self, event: &Fetch<'_>) {
        self.note(&event.about, format!("fetch {}", event.fetched.host));
    }

    fn on_request(&self, event: &Request<'_>) {
        let messages = event.json()["messages"].as_array().map_or(0, Vec::len);
        let Request { about, attempt, mode, waited, .. } = event;
        let wait = if waited.is_zero() { String::new() } else { format!(" after {waited:?}") };
        self.note(about, format!("{attempt} request {mode} {}, {messages} messages{wait}", about.model));
    }

    fn on_response(&self, event: &Response<'_>) {
        let usage = if event.usage.output.is_some() { " counted" } else { "" };
        let read = if event.response.is_some() { " read" } else { "" };
        self.note(&event.about, format!("{} response {}{usage}{read}", event.attempt, event.status));
    }

    fn on_error(&self, event: &Failure<'_>) {
        self.note(&event.about, format!("{} error {}, {:?}", event.attempt.number, event.kind(), event.next));
    }

    fn on_parse_error(&self, event: &Failure<'_>) {
        let (number, issues) = (event.attempt.number, event.attempt.issues.as_slice().len());
        self.note(&event.about, format!("{number} parse error {}, {issues} issues, {:?}", event.kind(), event.next));
    }

    fn on_repair(&self, event: &Repaired<'_>) {
        self.note(&event.about, format!("{} repaired {}", event.attempt.number, event.attempt.repairs.len()));
    }

    fn on_reask(&self, event: &Reask<'_>) {
        self.note(&event.about, format!("{} reask, {} turns", event.attempt, event.turns.len()));
    }

    fn on_step_down(&self, event: &StepDown<'_>) {
        self.note(&event.about, format!("{} step down to {}", event.attempt.number, event.mode));
    }

    fn on_last_attempt(&self, event: &LastAttempt<'_>) {
        self.note(&event.about, format!("last attempt: {}", event.error.kind()));
    }

    fn on_done(&self, event: &Done<'_>) {
        let end = match event.end {
            End::Ok(_) => String::from("ok"),
            End::Err(error) => error.kind().to_string(),
            End::Cancelled(_) => String::from("cancelled"),
            _ => panic!("another end"),
        };
        let last = event.report().attempts().last().and_then(|attempt| attempt.failure);
        let last = last.map_or_else(String::new, |kind| format!(", last {kind}"));
        self.note(&event.about, format!("done {end}, {} attempts{last}", event.report().attempts().len()));
    }
}

/// Without jitter, so that waits can be told exactly.
fn steady() -> Retry {
    Retry::new().with_wait(Wait::fixed(Duration::from_secs(1))).with_stop_after_attempt(3)
}

#[test]
fn each_thing_that_happens_is_told_in_its_order() {
    let error = |status| Reply::json(json!({ "error": { "message": "no" } })).with_status(status);
    let refusal = Reply::json(json!({ "choices": [{ "message": { "refusal": "no" }, "finish_reason": "stop" }] }));
    let no_schema = Reply::json(json!({ "error": { "message": "Invalid schema for response_format 'User'" } }));
    let cases: &[(&[Reply], &[&str])] = &[
        (
            &[right()],
            &["1 request schema gpt-5-mini, 1 messages", "1 response 200 counted read", "done ok, 1 attempts"],
        ),
        (
            &[wrong(), right()],
            &[
                "1 request schema gpt-5-mini, 1 messages",
                "1 response 200 counted read",
                "1 parse error schema_mismatch, 1 issues, Reask",
                "2 reask, 2 turns",
                "2 request schema gpt-5-mini, 3 messages",
                "2 response 200 counted read",
                "done ok, 2 attempts",
            ],
        ),
        (
            &[error(500), Reply::fault(TransportErrorKind::Closed), right()],
            &[
                "1 request schema gpt-5-mini, 1 messages",
                "1 response 500",
                "1 error overloaded, Resend { wait: 1s }",
                "2 request schema gpt-5-mini, 1 messages after 1s",
                "2 error transport, Resend { wait: 0ns }",
                "3 request schema gpt-5-mini, 1 messages",
                "3 response 200 counted read",
                "done ok, 3 attempts",
            ],
        ),
        (
            &[wrong(), wrong(), wrong()],
            &[
                "1 request schema gpt-5-mini, 1 messages",
                "1 response 200 counted read",
                "1 parse error schema_mismatch, 1 issues, Reask",
                "2 reask, 2 turns",
                "2 request schema gpt-5-mini, 3 messages",
                "2 response 200 counted read",
                "2 parse error schema_mismatch, 1 issues, Reask",
                "3 reask, 2 turns",
                "3 request schema gpt-5-mini, 3 messages",
                "3 response 200 counted read",
                "3 parse error schema_mismatch, 1 issues, Stop",
                "last attempt: schema_mismatch",
                "done schema_mismatch, 3 attempts, last schema_mismatch",
            ],
        ),
        (
            &[refusal],
            &[
                "1 request schema gpt-5-mini, 1 messages",
                "1 response 200 read",
                "1 parse error refused, 1 issues, Stop",
                "last attempt: refused",
                "done refused, 1 attempts, last refused",
            ],
        ),
        (
            &[no_schema.with_status(400), Reply::text("```json\n{\"name\": \"Ada\", age: 36}\n```")],
            &[
                "1 request schema gpt-5-mini, 1 messages",
                "1 response 400",
                "1 error schema_refused, StepDown",
                "1 step down to schema",
                "2 request schema gpt-5-mini, 1 messages",
                "2 response 200 counted read",
                "2 repaired 1",
                "done ok, 2 attempts",
            ],
        ),
        (
            &[error(401)],
            &[
                "1 request schema gpt-5-mini, 1 messages",
                "1 response 401",
                "1 error auth, Stop",
                "last attempt: auth",
                "done auth, 1 attempts, last auth",
            ],
        ),
    ];
    for (replies, expected) in cases {
        let log = Arc::new(Log::default());
        let script = script(replies.iter().cloned());
        let client = script.builder(SPEC).retry(steady()).hooks(Arc::clone(&log)).build().unwrap();
        let _ = script.block_on(client.create::<User>("Ada is 36"));
        assert_eq!(log.take(), *expected);
        let first = log.id();

        let blocking = Arc::new(Log::default());
        let script = self::script(replies.iter().cloned());
        let client = script.blocking_client(SPEC);
        let _ = client.request("Ada is 36").retry(steady()).hooks(Arc::clone(&blocking)).create::<User>();
        assert_eq!(blocking.take(), *expected);
        assert!(blocking.id() > first);
    }
}

#[test]
fn streams_are_told_of_as_whole_answers_are() {
    let expected = [
        "1 request schema gpt-5-mini, 1 messages",
        "1 response 200 counted read",
        "1 parse error schema_mismatch, 1 issues, Reask",
        "2 reask, 2 turns",
        "2 request schema gpt-5-mini, 3 messages",
        "2 response 200 counted read",
        "done ok, 2 attempts",
    ];
    let log = Arc::new(Log::default());
    let script = script([wrong().chunks(3), right().chunks(3), wrong(), right()]);
    let client = script.builder(SPEC).hooks(Arc::clone(&log)).build().unwrap();
    script.block_on(async {
        let mut partials = client.request("Ada is 36").create_partial::<User>().await.unwrap();
        while partials.next().await.is_some() {}
        assert_eq!(log.take(), expected);
        partials.finish().await.unwrap();
    });
    assert_eq!(log.take(), [""; 0]);
    let client = script.blocking_client(SPEC);
    client.request("Ada").hooks(Arc::clone(&log)).create_partial::<User>().unwrap().finish().unwrap();
    assert_eq!(log.take(), expected);
}

#[test]
fn a_budget_that_ends_is_told_before_anything_more_is_promised() {
    let log = Arc::new(Log::default());
    let script = script([wrong(), right()]);
    let client = script.builder(SPEC).hooks(Arc::clone(&log)).build().unwrap();
    let request = client.request("Ada").budget(Budget::new().with_attempts(1));
    script.block_on(request.create::<User>()).unwrap_err();
    assert_eq!(
        log.take()[2..],
        [
            "1 parse error schema_mismatch, 1 issues, Stop",
            "last attempt: budget",
            "done budget, 1 attempts, last schema_mismatch",
        ]
    );
}

#[test]
fn both_calls_of_thinking_first_are_told_with_their_models() {
    let log = Arc::new(Log::default());
    let script = script([Reply::text("Ada is 36."), right()]);
    let client = script.builder("openai/gpt-5").hooks(Arc::clone(&log)).build().unwrap();
    let request = client.request("Ada").mode(Mode::ThinkThenShape).shape_model("gpt-5-nano");
    script.block_on(request.create::<User>()).unwrap();
    assert_eq!(
        log.take(),
        [
            "1 request think_then_shape gpt-5, 2 messages",
            "1 response 200 counted read",
            "2 request schema gpt-5-nano, 2 messages",
            "2 response 200 counted read",
            "done ok, 2 attempts",
        ]
    );
}

#[test]
fn media_that_were_fetched_are_told() {
    let log = Arc::new(Log::default());
    let png = b"\x89PNG\r\n\x1a\n".as_slice();
    let script = script([Reply::body(png), right()]);
    let client = script.builder("bedrock/amazon.nova-lite-v1:0").hooks(Arc::clone(&log)).build().unwrap();
    let image = Media::from_url(MediaKind::Image, "https://example.com/ada.png");
    let request = client.request(Message::user("Who?").with(image)).fetch_media(FetchMedia::new());
    script.block_on(request.create::<User>()).unwrap();
    assert_eq!(log.take()[0], "fetch example.com");
}

/// Polls a future once.
fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_request_that_is_dropped_is_told_with_the_call_that_was_being_made() {
    let log = Arc::new(Log::default());
    // While an answer arrives, after one that was rejected.
    let script = script([wrong(), right().chunks(2)]);
    let client = script.builder(SPEC).hooks(Arc::clone(&log)).build().unwrap();
    script.block_on(async {
        let mut partials = client.request("Ada").create_partial::<User>().await.unwrap();
        while partials.next().await.is_some() && log.lines.lock().unwrap().len() < 5 {}
        assert!(partials.next().await.is_some());
        log.take();
        drop(partials);
    });
    assert_eq!(log.take(), ["done cancelled, 2 attempts, last cancelled"]);

    // While nothing has arrived yet.
    struct Never(Script);
    impl instructor::Transport for Never {
        fn send(
            &self,
            _: ::http::Request<bytes::Bytes>,
            _: Option<Duration>,
        ) -> instructor::BoxFuture<'_, Result<::http::Response<instructor::Body>, instructor::TransportError>> {
            Box::pin(std::future::pending())
        }

        fn sleep(&self, wait: Duration) -> instructor::BoxFuture<'_, ()> {
            instructor::Transport::sleep(&self.0, wait)
        }

        fn now(&self) -> instructor::Now {
            instructor::Transport::now(&self.0)
        }
    }
    let client = script.builder(SPEC).transport(Never(script.clone())).hooks(Arc::clone(&log)).build().unwrap();
    assert!(poll(client.create::<User>("Ada")).is_pending());
    assert_eq!(log.take()[1..], ["done cancelled, 1 attempts, last cancelled"]);

    // Before it has begun there is nothing to tell.
    drop(client.create::<User>("Ada"));
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn a_panic_of_a_hook_reaches_the_caller_and_spoils_nothing() {
    let log = Arc::new(Log::default());
    let script = script([right(), right().chunks(2), right()]);
    let client = script.builder(SPEC).hooks(Arc::clone(&log)).build().unwrap();
    let panics = || hooks::on_response(|_| panic!("a hook"));
    let whole = catch_unwind(AssertUnwindSafe(|| {
        let _ = script.block_on(client.request("Ada").hooks(panics()).create::<User>());
    }));
    assert_eq!(*whole.unwrap_err().downcast::<&str>().unwrap(), "a hook");
    assert_eq!(log.take()[2..], ["done cancelled, 1 attempts, last cancelled"]);

    let streamed = catch_unwind(AssertUnwindSafe(|| {
        script.block_on(async {
            let request = client.request("Ada").hooks(panics()).hooks(hooks::on_done(|_| panic!("another")));
            let _ = request.create_partial::<User>().await.unwrap().finish().await;
        });
    }));
    // The first of two panics is the one that is told.
    assert_eq!(*streamed.unwrap_err().downcast::<&str>().unwrap(), "a hook");
    log.take();

    let user: User = script.block_on(client.create("Ada")).unwrap();
    assert_eq!(user.age, 36);
    assert_eq!(log.take().len(), 3);
}

#[test]
fn a_key_is_never_shown_and_the_body_is_there_for_who_asks() {
    let shown = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&shown);
    for spec in ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash", "bedrock/m"] {
        let script = script([right()]);
        let client = script.builder(spec).api_key("sk-very-secret").build().unwrap();
        let kept = Arc::clone(&kept);
        let request = client.request("Ada is 36").hooks(hooks::on_request(move |event| {
            let headers: Vec<_> = event.headers().collect();
            *kept.lock().unwrap() = format!("{event}\n{event:?}\n{headers:?}\n{}", event.url());
            assert!(!format!("{event:?}").contains("Ada is 36"));
        }));
        script.block_on(request.create::<User>()).unwrap();
        let text = shown.lock().unwrap();
        assert!(text.contains("Ada is 36") && text.contains("***"), "{text}");
        assert!(!text.contains("sk-very-secret"), "{text}");
    }
}

#[test]
fn what_is_done_next_is_told_with_what_the_provider_asked_for() {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&waits);
    let limited = Reply::json(json!({ "error": { "message": "slow down" } })).with_status(429);
    let script = script([limited.header("retry-after", "7"), right()]);
    let client = script.client(SPEC);
    let request = client.request("Ada").hooks(hooks::on_error(move |event| {
        assert_eq!(event.kind(), ErrorKind::RateLimited);
        kept.lock().unwrap().push((event.retry_after, event.next));
    }));
    script.block_on(request.create::<User>()).unwrap();
    let seven = Duration::from_secs(7);
    assert_eq!(*waits.lock().unwrap(), [(Some(seven), Next::Resend { wait: seven })]);
}
