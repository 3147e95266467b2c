//! Answers that arrive: every provider, every mode, every way to end.

use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{Contract, ErrorKind, Mode, Profile};
use serde_json::{Value, json};

use super::partials::extends;

#[instructor::model]
#[derive(PartialEq)]
struct Step {
    title: String,
    #[schemars(range(max = 5))]
    stars: u8,
    tags: Vec<String>,
}

const MODES: [Mode; 5] = [Mode::Auto, Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson];

fn steps() -> Vec<Step> {
    let step = |title: &str, stars, tags: &[&str]| Step {
        title: String::from(title),
        stars,
        tags: tags.iter().map(|t| String::from(*t)).collect(),
    };
    vec![step("One \"quoted\"\nline", 1, &["a"]), step("日本語の題", 5, &[]), step("", 0, &["x", "y, z", "}]"])]
}

fn plan() -> Value {
    json!({ "title": "A title that is longer than a chunk", "stars": 3, "tags": ["first", "second"] })
}

/// How a model says a value where the prompt asks for a fence.
fn reply(mode: Mode, value: &Value) -> Reply {
    match mode {
        Mode::MdJson => Reply::text(format!("Here it is:\n```json\n{value}\n```\nThat is all.")),
        _ => Reply::value(value.clone()),
    }
}

fn contract() -> Contract {
    <Step as instructor::ResponseModel>::contract()
}

/// Providers of every protocol, with the modes that they have.
fn each(mut test: impl FnMut(&str, Mode)) {
    let mut tried = 0;
    for profile in Profile::all() {
        let spec = format!("{}/m", profile.id());
        for mode in MODES {
            let script = Script::new();
            let client = script.client(&spec);
            if client.request("x").mode(mode).preview::<Step>().is_ok() {
                test(&spec, mode);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn items_come_one_by_one_from_every_provider_in_every_mode() {
    let list = serde_json::to_value(steps()).unwrap();
    each(|spec, mode| {
        let script = Script::new().reply(reply(mode, &list).chunks(3).pieces(7));
        let client = script.client(spec);
        let (items, completion) = script.block_on(async {
            let mut stream = client.request("x").mode(mode).create_iterable::<Step>().await.unwrap();
            let mut items = Vec::new();
            while let Some(item) = stream.next().await {
                items.push(item.unwrap_or_else(|error| panic!("{spec} {mode}: {error:#}")));
            }
            (items, stream.completion().cloned())
        });
        assert_eq!(items, steps(), "{spec} {mode}");
        let completion = completion.unwrap();
        assert_eq!(completion.report.attempts().len(), 1, "{spec} {mode}");
        assert!(completion.report.usage().output.is_some(), "{spec} {mode}");
    });
}

#[test]
fn the_last_partial_is_the_value_for_every_provider_in_every_mode() {
    each(|spec, mode| {
        let script = Script::new().reply(reply(mode, &plan()).chunks(5).pieces(11));
        let client = script.client(spec);
        script.block_on(async {
            let mut stream = client.request("x").mode(mode).create_partial_value(&contract()).await.unwrap();
            let mut seen: Vec<Value> = Vec::new();
            while let Some(partial) = stream.next().await {
                seen.push(serde_json::to_value(partial).unwrap());
            }
            let last = seen.last().cloned().unwrap_or_else(|| panic!("{spec} {mode}: nothing was shown"));
            let (value, completion) = stream.finish_with_completion().await.unwrap();
            assert_eq!((&last, &value), (&plan(), &plan()), "{spec} {mode}");
            assert!(completion.report.attempts()[0].repairs.is_empty() || mode == Mode::MdJson, "{spec} {mode}");
            // What is shown only grows: a string is a prefix of the string that it becomes.
            for pair in seen.windows(2) {
                assert!(extends(&pair[0], &pair[1]), "{spec} {mode}: {} then {}", pair[0], pair[1]);
            }
        });
    });
}

#[test]
fn a_broken_stream_is_asked_for_again_and_shown_anew() {
    let script =
        Script::new().reply(Reply::value(plan()).chunks(4).breaks_after(1500)).reply(Reply::value(plan()).chunks(4));
    let client = script.client("openai/m");
    script.block_on(async {
        let mut stream = client.request("x").create_partial_value(&contract()).await.unwrap();
        let mut sizes = Vec::new();
        while let Some(partial) = stream.next().await {
            sizes.push(serde_json::to_string(partial).unwrap().len());
        }
        assert!(sizes.windows(2).any(|pair| pair[1] < pair[0]), "it begins anew: {sizes:?}");
        let (value, completion) = stream.finish_with_completion().await.unwrap();
        assert_eq!(value, plan());
        let kinds: Vec<_> = completion.report.attempts().iter().map(|attempt| attempt.failure).collect();
        assert_eq!(kinds, [Some(ErrorKind::Truncated), None]);
    });
}

#[test]
fn a_rejected_answer_is_asked_for_again() {
    let wrong = json!({ "title": "t", "stars": 9, "tags": [] });
    let script = Script::new().reply(Reply::value(wrong)).reply(Reply::value(plan()));
    let client = script.client("anthropic/m");
    script.block_on(async {
        let mut stream = client.request("x").create_partial_value(&contract()).await.unwrap();
        while stream.next().await.is_some() {}
        let (value, completion) = stream.finish_with_completion().await.unwrap();
        assert_eq!(value, plan());
        assert_eq!(completion.report.attempts()[0].failure, Some(ErrorKind::SchemaMismatch));
    });
    let turns = script.sent()[1].json()["messages"].as_array().unwrap().len();
    assert_eq!(turns, 3);
}

#[test]
fn a_stalled_stream_ends_after_the_idle_time() {
    let script = Script::new().reply(Reply::value(plan()).stalls_after(900));
    let client = script.client("openai/m");
    script.block_on(async {
        let request = client.request("x").max_retries(0).idle_timeout(Duration::from_secs(7));
        let mut stream = request.create_partial_value(&contract()).await.unwrap();
        while stream.next().await.is_some() {}
        let error = stream.finish().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.to_string().contains("nothing came for 7s"), "{error}");
    });
    assert_eq!(script.waits(), [Duration::from_secs(7)]);
    let script = Script::new().reply(Reply::value(plan()).stalls_after(900));
    let client = script.blocking_client("openai/m");
    let request = client.request("x").max_retries(0).idle_timeout(Duration::from_secs(7));
    let error = request.create_partial_value(&contract()).unwrap().finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("nothing came for 7s"), "{error}");
    assert_eq!(script.waits(), [Duration::from_secs(7)]);
}

#[test]
fn a_bad_item_is_an_error_in_its_place() {
    let list = json!([{ "title": "a", "stars": 1, "tags": [] }, { "title": "b", "stars": 9, "tags": [] },
        { "title": "c", "stars": "2", "tags": [] }]);
    let script = Script::new().reply(Reply::value(list));
    let client = script.client("openai/m");
    script.block_on(async {
        let mut stream = client.request("x").create_iterable::<Step>().await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().title, "a");
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!((error.item(), error.kind()), (Some(1), ErrorKind::SchemaMismatch));
        assert_eq!(error.issues().as_slice()[0].path().to_string(), "$.stars");
        assert!(std::str::from_utf8(error.raw().unwrap()).unwrap().contains("\"b\""));
        // "2" is a number by the letter of the default level.
        assert_eq!(stream.next().await.unwrap().unwrap().stars, 2);
        assert!(stream.next().await.is_none());
        assert!(stream.completion().is_some());
    });
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn items_that_were_given_out_are_not_asked_for_again() {
    let list = serde_json::to_value(steps()).unwrap();
    let script = Script::new().reply(Reply::value(list).chunks(4).breaks_after(9000));
    let client = script.client("openai/m");
    script.block_on(async {
        let mut stream = client.request("x").create_iterable::<Step>().await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), steps()[0]);
        let mut rest = Vec::new();
        while let Some(item) = stream.next().await {
            rest.push(item);
        }
        let error = rest.pop().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.item()), (ErrorKind::Truncated, None));
        assert!(rest.iter().all(Result::is_ok));
        assert!(stream.completion().is_none());
    });
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn lines_and_fences_and_single_objects_are_items() {
    let one = json!({ "title": "a", "stars": 1, "tags": [] });
    let two = json!({ "title": "b", "stars": 2, "tags": [] });
    for (text, count) in [
        (format!("{one}\n{two}\n"), 2),
        (format!("```json\n{one}\n```\nand\n```json\n{two}\n```"), 2),
        (format!("[{one}, {two}]"), 2),
        (format!("Only one: {one}"), 1),
        (String::from("[]"), 0),
    ] {
        let script = Script::new().reply(Reply::text(text.clone()).chunks(5));
        let client = script.client("openai/m");
        let got = script.block_on(async {
            let mut stream = client.request("x").mode(Mode::MdJson).create_iterable::<Step>().await.unwrap();
            let mut got = Vec::new();
            while let Some(item) = stream.next().await {
                got.push(item.unwrap_or_else(|error| panic!("{text}: {error:#}")).title);
            }
            got
        });
        assert_eq!(got, ["a", "b"][..count], "{text}");
    }
}

#[test]
fn an_answer_that_comes_whole_is_shown_at_once() {
    let body = json!({ "choices": [{ "message": { "content": plan().to_string() }, "finish_reason": "stop" }] });
    let script = Script::new().reply(Reply::json(body));
    let client = script.client("openai/m");
    script.block_on(async {
        let mut stream = client.request("x").create_partial_value(&contract()).await.unwrap();
        let shown = serde_json::to_value(stream.next().await.unwrap()).unwrap();
        assert_eq!(shown, plan());
        assert!(stream.next().await.is_none());
        assert_eq!(stream.finish().await.unwrap(), plan());
    });
}

#[test]
fn a_blocking_stream_shows_the_same() {
    let list = serde_json::to_value(steps()).unwrap();
    let script = Script::new().reply(Reply::value(plan()).chunks(4)).reply(Reply::value(list).chunks(4));
    let client = script.blocking_client("anthropic/m");
    let mut stream = client.request("x").create_partial_value(&contract()).unwrap();
    let mut shown = 0;
    while let Some(partial) = stream.next() {
        assert!(extends(&serde_json::to_value(partial).unwrap(), &plan()));
        shown += 1;
    }
    assert!(shown > 10, "{shown}");
    assert_eq!(stream.finish().unwrap(), plan());
    let items: Vec<Step> = client.request("x").create_iterable().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(items, steps());
}
