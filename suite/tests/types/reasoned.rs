use std::collections::BTreeMap;

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Maybe, Reasoned, ResponseModel, Watchdog};
use serde_json::{Value, json};

use crate::{MODES, SPECS, User};

fn ada() -> Value {
    json!({ "thoughts": "A name, then a number.", "value": { "name": "Ada", "age": 36 } })
}

#[test]
fn thoughts_come_before_the_value_in_every_mode_of_every_protocol() {
    for spec in SPECS {
        for mode in MODES {
            let script = Script::new().reply(Reply::value(ada()));
            let client = script.client(spec);
            let user = script.block_on(client.request("Who?").mode(*mode).create::<Reasoned<User>>()).unwrap();
            assert_eq!((user.thoughts(), user.age), ("A name, then a number.", 36), "{spec} {mode:?}");
            let sent = String::from_utf8(script.sent()[0].body().to_vec()).unwrap().replace('\\', "");
            let place = |name: &str| sent.find(name).unwrap_or_else(|| panic!("{spec} {mode:?}: no {name} in {sent}"));
            assert!(place("\"thoughts\":") < place("\"value\":"), "{spec} {mode:?}");
        }
    }
}

#[test]
fn the_value_alone_is_left() {
    let (thoughts, value) = Reasoned::new("hm", 4_u8).into_parts();
    assert_eq!((thoughts.as_str(), value), ("hm", 4));
    assert_eq!(Reasoned::<u8>::contract().name(), "Reasoneduint8");
}

#[test]
fn thoughts_grow_before_the_value_does() {
    let script = Script::new().reply(Reply::value(ada()).chunks(4));
    let client = script.client("anthropic/claude-haiku-4-5");
    script.block_on(async {
        let mut stream = client.request("Who?").create_partial::<Reasoned<User>>().await.unwrap();
        let (mut grew, mut early) = (0, true);
        while let Some(now) = stream.next().await {
            grew += usize::from(now.thoughts.is_open());
            early &= now.value.is_pending() || now.thoughts.is_done();
        }
        assert!(grew > 2 && early);
        assert_eq!(stream.finish().await.unwrap().into_inner().name, "Ada");
    });
}

#[test]
fn types_are_put_into_one_another() {
    type Deep = BTreeMap<String, Option<Reasoned<Maybe<Vec<User>>>>>;
    let deep = |age: u8| {
        let users = json!({ "error": false, "message": null, "result": [{ "name": "Ada", "age": age }] });
        json!({ "x": { "thoughts": "so", "value": users }, "y": null })
    };
    for spec in SPECS {
        let script = Script::new().reply(Reply::value(deep(9))).reply(Reply::value(deep(36)));
        let client = script.client(spec);
        let (value, done) = script.block_on(client.request("Who?").create_with_completion::<Deep>()).unwrap();
        let users = value["x"].as_ref().unwrap().value().result().unwrap();
        assert_eq!(users[0].age, 36, "{spec}");
        let issue = &done.report.attempts()[0].issues.as_slice()[0];
        assert_eq!(issue.path().as_str(), "$.x.value.result[0].age", "{spec}");
    }
}

#[test]
fn a_watchdog_ends_it_at_the_part_that_is_wrong() {
    let bad = json!({ "thoughts": "so", "value": { "error": false, "message": null, "result": { "name": "Ben", "age": 3 } } });
    let script = Script::new().reply(Reply::value(bad).chunks(5));
    let client = script.client("openai/gpt-5-mini");
    let ask = client.request("Who?").watchdog(Watchdog::new()).max_retries(0).create::<Reasoned<Maybe<User>>>();
    let error = script.block_on(ask).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.issues().as_slice()[0].path().as_str(), "$.value.result.age");
}
