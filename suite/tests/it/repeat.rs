//! The same mistake twice in a row.

use std::collections::BTreeMap;

use instructor::testing::{Reply, Script};
use instructor::{Attempt, BadItems, Client, ErrorKind, Issue, Mode, ReAsk, Repeat, Retry, Salvaged, Target, Watchdog};
use serde_json::{Value, json};

#[instructor::model(partial)]
#[derive(PartialEq)]
#[response(validate = grown_up)]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

fn grown_up(user: &User) -> Result<(), Issue> {
    if user.age < 18 { Err(Issue::at("age", "the age of an adult").got(user.age.to_string())) } else { Ok(()) }
}

const AGAIN: &str = "the same mistakes as the one before it";

fn user(age: u16) -> Reply {
    Reply::value(json!({ "name": "Ada", "age": age }))
}

fn white() -> Reply {
    Reply::text(format!("{{\"name\": {}", " ".repeat(20_000)))
}

fn script(replies: impl IntoIterator<Item = Reply>) -> Script {
    replies.into_iter().fold(Script::new(), Script::reply)
}

fn client(script: &Script, repeat: Repeat, reask: ReAsk) -> Client {
    let retry = Retry::new().with_stop_after_attempt(6).with_repeat(repeat);
    let builder =
        script.builder("openai/gpt-4o").retry(retry).reask(reask).watchdog(Watchdog::new().with_invalid(false));
    builder.build().unwrap()
}

fn modes(attempts: &[Attempt]) -> Vec<(Mode, Option<f64>, bool)> {
    attempts.iter().map(|attempt| (attempt.mode, attempt.temperature, attempt.repeated)).collect()
}

#[test]
fn a_mistake_of_each_kind_that_comes_again_ends_the_request_where_that_is_the_policy() {
    let malformed = || Reply::text("I can't say");
    let patch = |age: u16| Reply::value(json!({ "fix_1": age }));
    // The answers, how they are asked for again, what it ends with and after how many calls.
    let cases: Vec<(Vec<Reply>, ReAsk, ErrorKind, usize)> = vec![
        (vec![user(900), user(901)], ReAsk::Full, ErrorKind::SchemaMismatch, 2),
        (vec![user(9), user(10)], ReAsk::Full, ErrorKind::Rejected, 2),
        (vec![malformed(), malformed()], ReAsk::Full, ErrorKind::Malformed, 2),
        (vec![white(), white()], ReAsk::Full, ErrorKind::Runaway, 2),
        // Also through patches, and past a service that fails.
        (vec![user(900), patch(901)], ReAsk::Patch, ErrorKind::SchemaMismatch, 2),
        (vec![user(9), patch(10)], ReAsk::Patch, ErrorKind::Rejected, 2),
        (vec![user(900), Reply::status(503), user(900)], ReAsk::Full, ErrorKind::SchemaMismatch, 3),
        // Another mistake is none that came again.
        (vec![user(900), user(9), user(900), malformed(), user(9), user(9)], ReAsk::Full, ErrorKind::Rejected, 6),
    ];
    for (replies, reask, kind, calls) in cases {
        let shown = format!("{replies:?}");
        let script = script(replies);
        let error = script.block_on(client(&script, Repeat::Stop, reask).create::<User>("x")).unwrap_err();
        assert_eq!((error.kind(), script.sent().len(), script.left()), (kind, calls, 0), "{shown}");
        let attempts = error.report().attempts();
        let repeated: Vec<bool> = attempts.iter().map(|attempt| attempt.repeated).collect();
        assert!(repeated[calls - 1] && !repeated[..calls - 1].contains(&true), "{shown}: {repeated:?}");
        assert!(attempts[calls - 1].to_string().ends_with("; the same as before"), "{shown}");
        if calls < 6 {
            assert!(error.to_string().contains("the policy is to stop"), "{shown}: {error}");
        }
    }
}

#[test]
fn what_it_costs_is_what_the_policy_says() {
    let asked = |repeat| {
        let script = Script::new().when(|_| true, user(900));
        let error = script.block_on(client(&script, repeat, ReAsk::Full).create::<User>("x")).unwrap_err();
        let told: Vec<bool> = script.sent().iter().map(|sent| sent.json().to_string().contains(AGAIN)).collect();
        let used: Vec<u64> = error.report().attempts().iter().map(|a| a.usage.total().unwrap()).collect();
        (told, used)
    };
    // Each re-ask is the same, however many went before.
    let (told, used) = asked(Repeat::GoOn);
    assert_eq!((told, &used[2..]), (vec![false; 6], &[used[1]; 4][..]));
    let (told, stopped) = asked(Repeat::Stop);
    assert_eq!((told, &stopped[..]), (vec![false; 2], &used[..2]));
    // It is told of the mistake where nothing else can be changed any more.
    let (told, escalated) = asked(Repeat::Escalate);
    assert_eq!((told, &escalated[..2]), (vec![false, false, false, false, false, true], &used[..2]));

    // A patch that changes nothing is no second time asked for.
    let script = script([user(900), Reply::value(json!({ "fix_1": 800 })), user(40)]);
    let request = client(&script, Repeat::Escalate, ReAsk::Patch);
    let asked = request.request("x").mode(Mode::Json);
    let (user, completion) = script.block_on(asked.create_with_completion::<User>()).unwrap();
    let patches: Vec<usize> = completion.report.attempts().iter().map(|attempt| attempt.patch.len()).collect();
    assert_eq!((user.age, patches), (40, vec![0, 1, 0]));
    assert!(script.sent()[2].json().to_string().contains(AGAIN));
}

#[test]
fn each_time_something_else_is_changed() {
    let wrong = |n: usize| (0..n).map(|n| user(900 + n as u16));
    let script = script(wrong(5).chain([user(40), user(900), user(41)]));
    let client = client(&script, Repeat::Escalate, ReAsk::Full);
    let asked = client.request("x").temperature(0.0);
    let (_, completion) = script.block_on(asked.create_with_completion::<User>()).unwrap();
    let changed = [
        (Mode::Schema, Some(0.0), false),
        (Mode::Schema, Some(0.0), true),
        (Mode::Schema, None, true),
        (Mode::Tools, None, true),
        (Mode::Json, None, true),
        (Mode::MdJson, None, false),
    ];
    assert_eq!(modes(completion.report.attempts()), changed);
    let sent = script.sent();
    let temperatures: Vec<bool> = sent.iter().map(|sent| sent.json().get("temperature").is_some()).collect();
    assert_eq!(temperatures, [true, true, false, false, false, false]);
    // Afresh in another mode: without the answer that was wrong.
    assert!(sent[3].json().get("tools").is_some() && !sent[3].json().to_string().contains("901"));

    // Nothing was refused, so nothing was learnt: the next request begins as the first did.
    let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
    assert_eq!(modes(completion.report.attempts()), [(Mode::Schema, None, false); 2]);
}

#[test]
fn a_mode_that_is_named_is_not_left_but_the_target_is() {
    let named = |fallback: Option<&Script>| {
        let first = Script::new().when(|_| true, user(900));
        let mut asked = client(&first, Repeat::Escalate, ReAsk::Full);
        if let Some(other) = fallback {
            asked = asked.with_fallback(Target::new(other.client("anthropic/claude-sonnet-4-5")));
        }
        first.block_on(asked.request("x").mode(Mode::Tools).create_with_completion::<User>())
    };
    let error = named(None).unwrap_err();
    assert_eq!(error.report().attempts().len(), 6);
    assert!(error.report().attempts().iter().all(|attempt| attempt.mode == Mode::Tools));
    let other = script([user(40)]);
    let (user, completion) = named(Some(&other)).unwrap();
    let providers: Vec<&str> = completion.report.attempts().iter().map(|a| &*a.provider).collect();
    assert_eq!((user.age, providers), (40, vec!["openai", "openai", "anthropic"]));
    assert_eq!(completion.report.hops()[0].kind, ErrorKind::SchemaMismatch);
}

#[test]
fn streams_and_runaways_escalate_too() {
    let script = script([white(), white(), user(40).chunks(3)]);
    let client = client(&script, Repeat::Escalate, ReAsk::Auto);
    let completion = script.block_on(async {
        let mut stream = client.request("x").create_partial::<User>().await.unwrap();
        while stream.next().await.is_some() {}
        let (user, completion) = stream.finish_with_completion().await.unwrap();
        assert_eq!(user.age, 40);
        completion
    });
    let changed = [(Mode::Schema, None, false), (Mode::Schema, None, true), (Mode::Tools, None, false)];
    assert_eq!(modes(completion.report.attempts()), changed);
}

#[test]
fn items_that_may_be_given_up_are_when_they_are_as_wrong_again() {
    let replies = || [Reply::value(json!({ "a": [1, 900] })), Reply::value(json!({ "fix_1": 901 }))];
    let ask = |repeat, more: Vec<Reply>| {
        let script = script(replies().into_iter().chain(more));
        let client = client(&script, repeat, ReAsk::Auto);
        let request = client.request("x").bad_items(BadItems::ReAsk);
        let (got, completion) =
            script.block_on(request.create_with_completion::<BTreeMap<String, Salvaged<u8>>>()).unwrap();
        let bad: Vec<Value> =
            got["a"].rejected().iter().map(|item| serde_json::from_str(item.json()).unwrap()).collect();
        (got["a"].ok().to_vec(), bad, completion.report.attempts().len())
    };
    // The part that came is as wrong as the one that was there, which stays.
    assert_eq!(ask(Repeat::Stop, vec![]), (vec![1], vec![json!(900)], 2));
    // The rest of the answer is not asked for again because of it.
    assert_eq!(ask(Repeat::GoOn, vec![Reply::value(json!({ "fix_1": 7 }))]), (vec![1, 7], vec![], 3));
}
