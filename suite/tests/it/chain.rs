//! A chain of targets: where a request goes when it fails, what goes along, and what is told of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use instructor::hooks::{Done, Hooks, Hopped};
use instructor::testing::{Reply, Script};
use instructor::{
    Body, BoxFuture, Breaker, Budget, Client, Completion, Error, ErrorKind, Message, Mode, Now, Report, Target,
    Transport, TransportError, TransportErrorKind,
};
use serde_json::{Value, json};

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 36 }))
}

fn always(reply: Reply) -> Script {
    Script::new().when(|_| true, reply)
}

/// A client of each script, the later ones as targets of the first.
fn ask(scripts: &[(&Script, &str)], set_up: impl Fn(Target) -> Target) -> Result<(User, Completion), Error> {
    let mut clients = scripts.iter().map(|(script, spec)| script.builder(spec).max_retries(1).build().unwrap());
    let first = clients.next().unwrap();
    let client = clients.fold(first, |client, other| client.with_fallback(set_up(Target::new(other))));
    scripts[0].0.block_on(client.create_with_completion::<User>("Ada is 36"))
}

fn asked(report: &Report) -> Vec<(String, Option<ErrorKind>)> {
    report.attempts().iter().map(|attempt| (attempt.provider.clone(), attempt.failure)).collect()
}

#[test]
fn each_kind_of_failure_goes_on_or_does_not() {
    let said = |message: Value, finish: &str| {
        Reply::json(json!({ "choices": [{ "message": message, "finish_reason": finish }] }))
    };
    let quota = Reply::json(json!({ "error": { "code": "insufficient_quota", "message": "pay" } })).with_status(429);
    // What it is, after how many attempts the request goes on, if it does.
    let cases: Vec<(Reply, ErrorKind, Option<usize>)> = vec![
        (Reply::fault(TransportErrorKind::Connect), ErrorKind::Transport, Some(2)),
        (Reply::status(429), ErrorKind::RateLimited, Some(2)),
        (Reply::status(503), ErrorKind::Overloaded, Some(2)),
        (quota, ErrorKind::Quota, Some(1)),
        (said(json!({ "content": "no JSON" }), "stop"), ErrorKind::Malformed, Some(2)),
        (said(json!({ "content": "{\"name\":\"Ada\",\"age\":900}" }), "stop"), ErrorKind::SchemaMismatch, Some(2)),
        (Reply::status(401), ErrorKind::Auth, None),
        (Reply::status(400), ErrorKind::BadRequest, None),
        (said(json!({ "refusal": "I won't" }), "stop"), ErrorKind::Refused, None),
        (said(json!({ "content": "" }), "content_filter"), ErrorKind::Filtered, None),
        (said(json!({ "content": "{\"name\":" }), "length"), ErrorKind::Truncated, None),
    ];
    for (reply, kind, after) in cases {
        let shown = format!("{reply:?}");
        let (first, second) = (always(reply), always(right()));
        let places = [(&first, "openai/gpt-5-mini"), (&second, "anthropic/claude-sonnet-4-5")];
        match (ask(&places, |target| target), after) {
            (Ok((user, completion)), Some(after)) => {
                assert_eq!(user.name, "Ada");
                let report = &completion.report;
                assert_eq!(report.attempts().len(), after + 1, "{shown}");
                assert_eq!((report.hops().len(), report.hops()[0].kind), (1, kind), "{shown}");
                assert_eq!(report.hops()[0].after as usize, after, "{shown}");
                assert_eq!(report.attempts().last().unwrap().number as usize, after + 1, "{shown}");
            }
            (Err(error), None) => assert_eq!((error.kind(), second.sent().len()), (kind, 0), "{shown}"),
            (end, _) => panic!("{shown}: {end:?}"),
        }
        // Whoever lists the kind goes on, and at once.
        let second = always(right());
        let places = [(&first, "openai/gpt-5-mini"), (&second, "anthropic/claude-sonnet-4-5")];
        let (_, completion) = ask(&places, |target| target.at_once(&[kind])).unwrap();
        assert_eq!(completion.report.hops()[0].after, 1, "{shown}");
        // Whoever lists another kind only does not.
        let places = [(&first, "openai/gpt-5-mini"), (&second, "anthropic/claude-sonnet-4-5")];
        let error = ask(&places, |target| target.on(&[ErrorKind::Media])).unwrap_err();
        assert_eq!(error.kind(), kind, "{shown}");
    }
}

#[test]
fn each_target_is_asked_in_its_own_way() {
    let (first, second, third) = (always(Reply::status(500)), always(Reply::status(529)), always(right()));
    let places = [
        (&first, "openai/gpt-5-mini"),
        (&second, "anthropic/claude-sonnet-4-5"),
        (&third, "mistral/mistral-large-latest"),
    ];
    let (user, completion) = ask(&places, |target| target.mode(Mode::MdJson).model("another")).unwrap();
    assert_eq!(user.age, 36);
    assert!(first.sent()[0].json()["response_format"]["json_schema"]["strict"] == true);
    let (claude, mistral) = (second.sent()[0].json(), third.sent()[0].json());
    assert_eq!((claude["model"].as_str(), mistral["model"].as_str()), (Some("another"), Some("another")));
    assert!(claude.get("max_tokens").is_some() && claude["system"].to_string().contains("JSON Schema"), "{claude}");
    assert!(mistral.get("response_format").is_none(), "{mistral}");
    let o = ErrorKind::Overloaded;
    assert_eq!(
        asked(&completion.report),
        [("openai", Some(o)), ("openai", Some(o)), ("anthropic", Some(o)), ("anthropic", Some(o)), ("mistral", None)]
            .map(|(provider, kind)| (String::from(provider), kind))
    );
    let lines = completion.report.to_string();
    assert!(lines.contains("\nleft openai/gpt-5-mini after attempt 2: overloaded"), "{lines}");
    assert!(lines.contains("\nleft anthropic/another after attempt 4: overloaded"), "{lines}");
}

#[test]
fn the_last_error_has_all_attempts() {
    let (first, second) = (always(Reply::status(503)), always(Reply::text("no JSON")));
    let error = ask(&[(&first, "openai/gpt-5-mini"), (&second, "groq/m")], |target| target).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert_eq!(error.report().attempts().len(), 4);
    assert_eq!(error.report().hops().len(), 1);
}

#[test]
fn what_was_spent_counts_on() {
    let (first, second) = (always(Reply::status(503)), always(Reply::text("no JSON")));
    let other = second.client("groq/m");
    let client =
        first.builder("openai/gpt-5-mini").max_retries(1).budget(Budget::new().with_attempts(3)).build().unwrap();
    let client = client.with_fallback(other);
    let error = first.block_on(client.create::<User>("x")).unwrap_err();
    assert_eq!((error.kind(), error.report().attempts().len()), (ErrorKind::Budget, 3));
    assert_eq!((first.sent().len(), second.sent().len()), (2, 1));
    // A budget that is spent is spent everywhere, whatever is listed.
    let (first, second) = (always(Reply::status(503)), always(right()));
    let client = first.builder("openai/gpt-5-mini").budget(Budget::new().with_attempts(1)).build().unwrap();
    let client = client.with_fallback(Target::new(second.client("groq/m")).on(&[ErrorKind::Budget]));
    let error = first.block_on(client.create::<User>("x")).unwrap_err();
    assert_eq!((error.kind(), second.sent().len()), (ErrorKind::Budget, 0));
}

#[test]
fn a_target_that_can_not_be_asked_is_passed_over() {
    // The first has no mode that takes the schema's form.
    let (first, second) = (always(right()), always(right()));
    let client = first.builder("perplexity/sonar").mode(Mode::ParallelTools).build().unwrap();
    let client = client.with_fallback(second.client("openai/gpt-5-mini"));
    let (_, completion) = first.block_on(client.create_with_completion::<User>("x")).unwrap();
    assert_eq!((first.sent().len(), second.sent().len()), (0, 1));
    let hop = &completion.report.hops()[0];
    assert_eq!((hop.kind, hop.after, hop.open), (ErrorKind::Unsupported, 0, false));
}

#[test]
fn a_target_that_fails_is_left_alone_for_a_while() {
    let (first, second) = (always(Reply::status(503)), always(right()));
    let breaker = Breaker::new().with_failures(2).with_pause(Duration::from_secs(1000));
    let client = first.builder("openai/gpt-5-mini").max_retries(0).breaker(breaker).build().unwrap();
    let client = client.with_fallback(second.client("groq/m"));
    let ask = || first.block_on(client.create_with_completion::<User>("x")).unwrap().1.report;
    for calls in [1, 2, 2, 2] {
        let report = ask();
        assert_eq!(first.sent().len(), calls);
        assert_eq!(report.hops()[0].open, report.attempts().len() == 1);
    }
    // Clones know of it. Without another target it is asked all the same.
    let alone = first.builder("openai/gpt-5-mini").max_retries(0).breaker(breaker).build().unwrap();
    for _ in 0..4 {
        first.block_on(alone.create::<User>("x")).unwrap_err();
    }
    assert_eq!(first.sent().len(), 6);
}

#[test]
fn blocking_clients_and_requests_have_targets_too() {
    let (first, second) = (always(Reply::status(503)), always(right()));
    let client = first.blocking_client("openai/gpt-5-mini");
    let target = Target::new(second.blocking_client("groq/m")).at_once(&[ErrorKind::Overloaded]);
    let (user, completion) = client.request("x").fallback(target).create_with_completion::<User>().unwrap();
    assert_eq!((user.age, completion.report.attempts().len()), (36, 2));
}

#[test]
fn streams_go_on_until_something_was_given_out() {
    let value = json!({ "name": "Ada", "age": 36 });
    let first = always(Reply::value(value.clone()).chunks(4).cut_after(60));
    let second = always(Reply::value(value.clone()).chunks(4));
    let client = first.builder("openai/gpt-5-mini").max_retries(0).build().unwrap();
    let cut = |target: Target| target.on(&[ErrorKind::Truncated, ErrorKind::Transport]);
    let client = client.with_fallback(cut(Target::new(second.client("anthropic/claude-sonnet-4-5"))));
    let (user, completion) = first.block_on(async {
        let mut stream = client.request("x").create_partial::<User>().await.unwrap();
        while stream.next().await.is_some() {}
        stream.finish_with_completion().await.unwrap()
    });
    assert_eq!((user.age, completion.report.hops().len()), (36, 1));
    // Items can't be taken back: no other list takes the place of one that has begun.
    let list = json!([value, value, value, value, value, value, value, value]);
    let first = always(Reply::value(list.clone()).chunks(4).cut_after(2600));
    let second = always(Reply::value(list));
    let client = first.builder("openai/gpt-5-mini").max_retries(0).build().unwrap();
    let client = client.with_fallback(cut(Target::new(second.client("groq/m"))));
    let (items, error) = first.block_on(async {
        let mut stream = client.request("x").create_iterable::<User>().await.unwrap();
        let (mut items, mut error) = (0, None);
        while let Some(item) = stream.next().await {
            match item {
                Ok(_) => items += 1,
                Err(e) => error = Some(e),
            }
        }
        (items, error)
    });
    assert!(items > 0 && error.is_some(), "{items} {error:?}");
    assert_eq!(second.sent().len(), 0);
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Hooks for Log {
    fn on_hop(&self, event: &Hopped<'_>) {
        let (hop, about) = (event.hop, event.about);
        self.0.lock().unwrap().push(format!("{} -> {}", hop.provider, about.provider));
    }

    fn on_done(&self, event: &Done<'_>) {
        let report = event.report();
        self.0.lock().unwrap().push(format!("done after {} attempts", report.attempts().len()));
    }
}

#[test]
fn hooks_are_told_of_each_hop_and_of_one_end() {
    let log = Arc::new(Log::default());
    struct Shared(Arc<Log>);
    impl Hooks for Shared {
        fn on_hop(&self, event: &Hopped<'_>) {
            self.0.on_hop(event);
        }

        fn on_done(&self, event: &Done<'_>) {
            self.0.on_done(event);
        }
    }
    let (first, second, third) = (always(Reply::status(503)), always(Reply::status(503)), always(right()));
    let client = first.builder("openai/gpt-5-mini").max_retries(0).hooks(Shared(Arc::clone(&log))).build().unwrap();
    let target = |script: &Script, spec: &str| script.builder(spec).max_retries(0).build().unwrap();
    let client = client.with_fallback(target(&second, "groq/m")).with_fallback(target(&third, "mistral/m"));
    first.block_on(client.create::<User>("x")).unwrap();
    assert_eq!(*log.0.lock().unwrap(), ["openai -> groq", "groq -> mistral", "done after 3 attempts"]);
}

#[test]
fn what_only_one_provider_understands_is_not_for_the_next() {
    // A thinking block of the one, taken from an answer.
    let thinking = json!({
        "content": [
            { "type": "thinking", "thinking": "hm", "signature": "s" },
            { "type": "text", "text": "{\"name\":\"Ada\",\"age\":36}" },
        ],
        "stop_reason": "end_turn",
    });
    let before = Script::new().reply(Reply::json(thinking));
    let claude = before.builder("anthropic/claude-sonnet-4-5").mode(Mode::MdJson).build().unwrap();
    let (_, completion) = before.block_on(claude.create_with_completion::<User>("x")).unwrap();
    let turn = completion.response.parts.clone();
    let messages =
        || vec![Message::user("x"), Message::new(instructor::Role::Assistant, turn.clone()), Message::user("y")];
    let (first, second) = (always(Reply::status(529)), always(right()));
    let client = first.builder("anthropic/claude-sonnet-4-5").max_retries(0).build().unwrap();
    let client = client.with_fallback(second.client("openai/gpt-5-mini"));
    let (_, completion) = first.block_on(client.create_with_completion::<User>(messages())).unwrap();
    assert!(first.sent()[0].json().to_string().contains("signature"));
    assert!(!second.sent()[0].json().to_string().contains("signature"));
    assert_eq!(completion.report.hops()[0].dropped, 1);
}

/// A transport that answers after a time, or never.
#[derive(Debug)]
struct Slow(Option<Duration>, &'static str);

impl Transport for Slow {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            match self.0 {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
            let status = if self.1.is_empty() { 503 } else { 200 };
            let body = json!({
                "choices": [{ "message": { "content": self.1 }, "finish_reason": "stop" }],
                "usage": { "prompt_tokens": 7, "completion_tokens": 3 },
            });
            Ok(http::Response::builder().status(status).body(Body::whole(body.to_string())).unwrap())
        })
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }

    fn now(&self) -> Now {
        Now::default()
    }
}

#[test]
fn a_hedge_is_asked_beside_one_that_takes_long() {
    const VALUE: &str = "{\"name\":\"Ada\",\"age\":36}";
    let ms = |n| Some(Duration::from_millis(n));
    let client = |name: &str, slow: Slow| {
        let builder = Client::builder().provider(name).api_key("k").max_retries(0);
        builder.transport(slow).build().unwrap()
    };
    let failed = |kind| Some(kind);
    // How long each takes, and with what it ends; who was asked, and what came of it.
    type Attempts = Vec<(&'static str, Option<ErrorKind>)>;
    let cases: Vec<(Slow, Slow, Result<(), ErrorKind>, Attempts)> = vec![
        (Slow(ms(1), VALUE), Slow(ms(1), VALUE), Ok(()), vec![("openai", None)]),
        (Slow(None, VALUE), Slow(ms(5), VALUE), Ok(()), vec![("groq", None), ("openai", failed(ErrorKind::Cancelled))]),
        (
            Slow(ms(60), VALUE),
            Slow(None, VALUE),
            Ok(()),
            vec![("openai", None), ("groq", failed(ErrorKind::Cancelled))],
        ),
        // One of them fails: the other is waited for.
        (
            Slow(ms(60), ""),
            Slow(ms(90), VALUE),
            Ok(()),
            vec![("groq", None), ("openai", failed(ErrorKind::Overloaded))],
        ),
        (Slow(ms(90), VALUE), Slow(ms(5), ""), Ok(()), vec![("openai", None), ("groq", failed(ErrorKind::Overloaded))]),
        // It fails before its time: the next is asked as any target is.
        (Slow(ms(1), ""), Slow(ms(1), VALUE), Ok(()), vec![("openai", failed(ErrorKind::Overloaded)), ("groq", None)]),
        (
            Slow(ms(60), ""),
            Slow(ms(90), ""),
            Err(ErrorKind::Overloaded),
            vec![("groq", failed(ErrorKind::Overloaded)), ("openai", failed(ErrorKind::Overloaded))],
        ),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for (first, second, end, attempts) in cases {
        let shown = format!("{first:?} {second:?}");
        let target = Target::new(client("groq/m", second)).hedge_after(Duration::from_millis(30));
        let client = client("openai/m", first).with_fallback(target);
        let result = runtime.block_on(client.create_with_completion::<User>("x"));
        let report = match &result {
            Ok((_, completion)) => &completion.report,
            Err(error) => error.report(),
        };
        let attempts: Vec<_> = attempts.into_iter().map(|(name, kind)| (String::from(name), kind)).collect();
        assert_eq!(asked(report), attempts, "{shown}");
        assert_eq!(result.as_ref().map(drop).map_err(|error| error.kind()), end, "{shown}");
    }
}
