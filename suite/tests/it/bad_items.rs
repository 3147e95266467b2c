//! Items of a streamed list that are not valid: shown, left out, or asked for again by themselves.

use instructor::testing::{Reply, Script};
use instructor::{BadItems, ErrorKind, Mode, Request, ResponseModel};
use serde_json::{Value, json};

/// A provider of each protocol.
const SPECS: [&str; 7] = [
    "openai/gpt-5-mini",
    "openai_responses/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "gemini/gemini-2.5-flash",
    "bedrock/anthropic.claude-haiku-4-5",
    "cohere/command-a-03-2025",
    "ollama_chat/qwen3",
];

#[instructor::model]
#[derive(PartialEq)]
struct Step {
    title: String,
    #[schemars(range(max = 5))]
    stars: u8,
}

#[instructor::model]
#[derive(PartialEq)]
struct Wait {
    #[schemars(range(max = 9))]
    seconds: u8,
}

#[instructor::model]
#[derive(PartialEq)]
enum Action {
    Step(Step),
    Wait(Wait),
}

fn step(title: &str, stars: u64) -> Value {
    json!({ "title": title, "stars": stars })
}

/// What comes of a request: titles and what is wrong with items, with places; how the whole ended; the attempts.
#[derive(Debug, PartialEq)]
struct Came {
    items: Vec<(usize, Result<String, ErrorKind>)>,
    end: Option<ErrorKind>,
    attempts: Vec<(Option<ErrorKind>, Vec<String>, Vec<String>)>,
}

fn came<T: ResponseModel>(script: &Script, request: Request<'_>, title: impl Fn(T) -> String) -> Came {
    script.block_on(async {
        let mut stream = request.create_iterable::<T>().await.unwrap();
        let (mut items, mut end) = (Vec::new(), None);
        while let Some(item) = stream.next().await {
            match item {
                Ok(item) => items.push((stream.place().unwrap(), Ok(title(item)))),
                Err(error) => match error.item() {
                    Some(item) => {
                        assert_eq!(stream.place(), Some(item));
                        assert!(!error.issues().is_empty() && error.raw().is_some());
                        items.push((item, Err(error.kind())));
                    }
                    None => end = Some(error),
                },
            }
        }
        let report = end.as_ref().map_or_else(|| &stream.completion().unwrap().report, |error| error.report());
        let attempt = |attempt: &instructor::Attempt| {
            let issues = attempt.issues.as_slice().iter().map(|issue| issue.path().to_string()).collect();
            let repairs = attempt.repairs.iter().map(ToString::to_string).collect();
            (attempt.failure, issues, repairs)
        };
        let attempts = report.attempts().iter().map(attempt).collect();
        Came { items, end: end.as_ref().map(|error| error.kind()), attempts }
    })
}

fn steps(script: &Script, spec: &str, mode: Mode, bad: BadItems, retries: u32) -> Came {
    let client = script.client(spec);
    let request = client.request("Plan it").mode(mode).bad_items(bad).max_retries(retries);
    came(script, request, |step: Step| step.title)
}

fn ok(place: usize, title: &str) -> (usize, Result<String, ErrorKind>) {
    (place, Ok(String::from(title)))
}

fn list(mode: Mode, items: &[Value]) -> Reply {
    let reply = match mode {
        Mode::MdJson => Reply::text(format!("```json\n{}\n```", Value::from(items))),
        _ => Reply::value(items.to_vec()),
    };
    reply.chunks(5)
}

/// Every protocol in every mode that it has.
fn each(mut test: impl FnMut(&str, Mode)) {
    for spec in SPECS {
        for mode in [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson] {
            let script = Script::new();
            if script.client(spec).request("x").mode(mode).preview::<Vec<Step>>().is_ok() {
                test(spec, mode);
            }
        }
    }
}

#[test]
fn bad_items_are_left_out_and_told_of() {
    each(|spec, mode| {
        let script =
            Script::new().reply(list(mode, &[step("a", 1), step("b", 9), json!({ "title": "c" }), step("d", 2)]));
        let came = steps(&script, spec, mode, BadItems::Drop, 3);
        assert_eq!(came.items, [ok(0, "a"), ok(3, "d")], "{spec} {mode}");
        assert_eq!(came.end, None);
        let [(None, issues, repairs)] = &came.attempts[..] else { panic!("{spec} {mode}: {:?}", came.attempts) };
        assert_eq!(issues, &["$[1].stars", "$[2].stars"], "{spec} {mode}");
        assert_eq!(repairs, &["InvalidItem at $[1]", "InvalidItem at $[2]"], "{spec} {mode}");
        assert_eq!(script.sent().len(), 1);
    });
}

#[test]
fn bad_items_alone_are_asked_for_again() {
    each(|spec, mode| {
        let script = Script::new()
            .reply(list(mode, &[step("good one", 1), step("bad one", 8), step("good two", 2), step("bad two", 9)]))
            .reply(list(mode, &[step("bad one", 4), step("bad two", 7)]))
            .reply(list(mode, &[step("bad two", 5)]));
        let came = steps(&script, spec, mode, BadItems::ReAsk, 3);
        let wanted = [ok(0, "good one"), ok(2, "good two"), ok(1, "bad one"), ok(3, "bad two")];
        assert_eq!(came.items, wanted, "{spec} {mode}: {:?}", came.attempts);
        assert_eq!(came.end, None);
        let failed = |issues: &[&str]| {
            (Some(ErrorKind::SchemaMismatch), issues.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::new())
        };
        let attempts = [failed(&["$[1].stars", "$[3].stars"]), failed(&["$[3].stars"]), (None, vec![], vec![])];
        assert_eq!(came.attempts, attempts, "{spec} {mode}");
        let sent: Vec<String> = script.sent().iter().map(|sent| sent.json().to_string()).collect();
        assert_eq!(sent.len(), 3, "{spec} {mode}");
        for (request, shown, hidden) in [
            (&sent[1], &["bad one", "bad two", "these 2 items alone"][..], &["good"][..]),
            (&sent[2], &["bad two", "these 1 items alone"], &["good", "bad one"]),
        ] {
            assert!(shown.iter().all(|text| request.contains(text)), "{spec} {mode}: {request}");
            assert!(!hidden.iter().any(|text| request.contains(text)), "{spec} {mode}: {request}");
        }
    });
}

#[test]
fn issues_are_told_in_the_form_that_the_model_was_shown() {
    let script = Script::new()
        .reply(Reply::value(json!([step("a", 1), step("b", 9)])))
        .reply(Reply::value(json!([step("b", 3)])));
    let came = steps(&script, SPECS[0], Mode::Schema, BadItems::ReAsk, 1);
    assert_eq!(came.items, [ok(0, "a"), ok(1, "b")]);
    let messages = script.sent()[1].json()["messages"].clone();
    let said = |at: usize| messages[at]["content"].as_str().unwrap().to_owned();
    assert_eq!(said(1), json!({ "value": [step("b", 9)] }).to_string());
    assert!(said(2).contains("- $.value[0].stars: got 9"), "{}", said(2));
}

#[test]
fn what_stays_bad_is_an_error_in_the_end() {
    for retries in [0, 1, 2] {
        let mut script = Script::new().reply(list(Mode::Tools, &[step("a", 8), step("b", 1), step("c", 9)]));
        for _ in 0..retries {
            script = script.reply(list(Mode::Tools, &[step("a", 8), step("c", 7)]));
        }
        let came = steps(&script, SPECS[0], Mode::Tools, BadItems::ReAsk, retries);
        let bad = |place| (place, Err(ErrorKind::SchemaMismatch));
        assert_eq!(came.items, [ok(1, "b"), bad(0), bad(2)]);
        assert_eq!((came.end, came.attempts.len()), (Some(ErrorKind::SchemaMismatch), retries as usize + 1));
        assert_eq!(script.left(), 0);
    }
}

#[test]
fn a_budget_holds_for_items_too() {
    let script = Script::new().reply(list(Mode::Tools, &[step("a", 8), step("b", 1)]));
    let client = script.client(SPECS[0]);
    let budget = instructor::Budget::new().with_attempts(1);
    let request = client.request("x").mode(Mode::Tools).bad_items(BadItems::ReAsk).budget(budget);
    let came = came(&script, request, |step: Step| step.title);
    assert_eq!(came.items, [ok(1, "b"), (0, Err(ErrorKind::SchemaMismatch))]);
    assert_eq!(came.end, Some(ErrorKind::Budget));
}

#[test]
fn other_items_than_those_are_not_taken() {
    for spec in SPECS {
        let again = [step("a", 3), step("c", 4)];
        let script = Script::new()
            .reply(list(Mode::Auto, &[step("a", 8), step("b", 1), step("c", 9)]))
            // All of them; a text; a service that is away; a connection that breaks.
            .reply(list(Mode::Auto, &[step("a", 3), step("b", 1), step("c", 4)]))
            .reply(Reply::text("No."))
            .reply(Reply::status(503))
            .reply(list(Mode::Auto, &again).breaks_after(300))
            .reply(list(Mode::Auto, &again));
        let came = steps(&script, spec, Mode::Auto, BadItems::ReAsk, 4);
        assert_eq!(came.items, [ok(1, "b"), ok(0, "a"), ok(2, "c")], "{spec}: {:?} {:?}", came.attempts, came.end);
        let kinds: Vec<_> = came.attempts.iter().map(|(kind, ..)| *kind).collect();
        let wanted = [
            Some(ErrorKind::SchemaMismatch),
            Some(ErrorKind::Malformed),
            Some(ErrorKind::Malformed),
            Some(ErrorKind::Overloaded),
            Some(ErrorKind::Truncated),
            None,
        ];
        assert_eq!(kinds, wanted, "{spec}");
        // In the same words each time.
        let sent = script.sent();
        assert!(sent[2..].iter().all(|later| later.json() == sent[1].json()), "{spec}");
    }
}

#[test]
fn bad_calls_alone_are_asked_for_again() {
    for spec in SPECS {
        let call = |title: &str, stars: u64| ("Step", step(title, stars));
        let script = Script::new()
            .reply(
                Reply::calls([call("good", 1), call("bad", 8), ("Wait", json!({ "seconds": 3 })), ("Fly", json!({}))])
                    .chunks(5),
            )
            .reply(Reply::calls([call("bad", 5), ("Wait", json!({ "seconds": 9 }))]).chunks(5));
        let client = script.client(spec);
        let request = client.request("x").mode(Mode::ParallelTools).bad_items(BadItems::ReAsk);
        let title = |action: Action| match action {
            Action::Step(step) => step.title,
            Action::Wait(wait) => wait.seconds.to_string(),
        };
        let came = came(&script, request, title);
        assert_eq!(came.items, [ok(0, "good"), ok(2, "3"), ok(1, "bad"), ok(3, "9")], "{spec}: {:?}", came.attempts);
        assert_eq!(came.attempts[0].1, ["$[1].Step.stars", "$[3]"], "{spec}");
        let second = script.sent()[1].json().to_string();
        assert!(second.contains("\"Fly\"") || second.contains("\\\"Fly\\\""), "{spec}: {second}");
        assert!(second.contains("bad") && !second.contains("good"), "{spec}: {second}");
    }
}

#[test]
fn a_cut_list_is_not_mended() {
    let script = Script::new().reply(list(Mode::Tools, &[step("a", 8), step("b", 1), step("c", 1)]).breaks_after(3000));
    let came = steps(&script, "openai/m", Mode::Tools, BadItems::ReAsk, 0);
    assert_eq!(came.end, Some(ErrorKind::Truncated));
    assert!(came.items.contains(&(0, Err(ErrorKind::SchemaMismatch))), "{:?}", came.items);
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn a_blocking_client_does_the_same() {
    let script =
        Script::new().reply(list(Mode::Tools, &[step("a", 8), step("b", 1)])).reply(list(Mode::Tools, &[step("a", 2)]));
    let client = script.blocking_client("openai/m");
    let request = client.request("x").mode(Mode::Tools).bad_items(BadItems::ReAsk);
    let mut items = request.create_iterable::<Step>().unwrap();
    let mut got = Vec::new();
    while let Some(item) = items.next() {
        got.push((items.place(), item.unwrap().title));
    }
    assert_eq!(got, [(Some(1), String::from("b")), (Some(0), String::from("a"))]);
}
