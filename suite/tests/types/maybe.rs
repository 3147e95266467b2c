use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Field, Maybe, Mode, ResponseModel};
use serde_json::{Value, json};

use crate::{MODES, SPECS, User};

fn ada() -> Value {
    json!({ "error": false, "message": null, "result": { "name": "Ada", "age": 36 } })
}

#[test]
fn a_result_or_why_there_is_none_comes_in_every_mode_of_every_protocol() {
    let none = json!({ "error": true, "message": "The text names nobody.", "result": null });
    for spec in SPECS {
        for mode in MODES {
            let script = Script::new().reply(Reply::value(ada())).reply(Reply::value(none.clone()));
            let client = script.client(spec);
            let ask = || client.request("Who?").mode(*mode).create::<Maybe<User>>();
            let user = script.block_on(ask()).unwrap().into_result().unwrap();
            assert_eq!((user.name.as_str(), user.age), ("Ada", 36), "{spec} {mode:?}");
            let why = script.block_on(ask()).unwrap().into_result().unwrap_err();
            assert_eq!(why.to_string(), "no result: The text names nobody.", "{spec} {mode:?}");
        }
    }
}

#[test]
fn a_result_may_come_alone() {
    let script = Script::new().reply(Reply::value(json!({ "result": { "name": "Ada", "age": 36 } })));
    let client = script.blocking_client("openai/gpt-5-mini");
    let user: Maybe<User> = client.request("Who?").mode(Mode::Json).create().unwrap();
    assert!(user.is_found());
    assert_eq!(Option::from(user).map(|user: User| user.age), Some(36));
}

#[test]
fn what_contradicts_itself_is_asked_again() {
    let both = json!({ "error": true, "message": "no", "result": { "name": "Ada", "age": 36 } });
    let neither = json!({ "error": false, "message": null, "result": null });
    for (bad, says) in [
        (both, "$: got a result and an error, wanted no result where `error` is true"),
        (neither, "$: got neither a result nor an error, wanted a result, or `error` true and a message"),
    ] {
        let script = Script::new().reply(Reply::value(bad)).reply(Reply::value(ada()));
        let client = script.client("openai/gpt-5-mini");
        let user: Maybe<User> = script.block_on(client.request("Who?").create()).unwrap();
        assert!(user.is_found());
        let asked = script.sent()[1].json()["messages"].to_string();
        assert!(asked.contains(says), "{asked}");
    }
}

#[test]
fn what_the_type_demands_holds_for_the_result() {
    let child = json!({ "error": false, "message": null, "result": { "name": "Ben", "age": 3 } });
    let old = json!({ "error": false, "message": null, "result": { "name": "Ben", "age": 200 } });
    let script = Script::new().reply(Reply::value(child)).reply(Reply::value(old));
    let client = script.client("openai/gpt-5-mini");
    let error = script.block_on(client.request("Who?").max_retries(0).create::<Maybe<User>>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.issues().as_slice()[0].to_string(), "$.result.age: got 3, wanted an adult's age");
    let error = script.block_on(client.request("Who?").max_retries(0).create::<Maybe<User>>()).unwrap_err();
    assert_eq!(error.issues().as_slice()[0].path().as_str(), "$.result.age");
}

#[test]
fn the_model_is_told_when_to_leave_the_result_out() {
    let contract = Maybe::<User>::contract();
    assert_eq!(contract.name(), "MaybeUser");
    let told = contract.description().unwrap();
    assert!(told.contains("there is no `result`") && told.contains("never make one up"), "{told}");
    let keys: Vec<&String> = contract.schema()["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["error", "message", "result"]);
}

#[test]
fn it_shows_while_it_arrives_in_a_list_too() {
    let list = json!([ada(), { "error": true, "message": "A ship.", "result": null }]);
    let script = Script::new().reply(Reply::value(list).chunks(3));
    let client = script.blocking_client("openai/gpt-5-mini");
    let mut stream = client.request("Who?").create_partial::<Vec<Maybe<User>>>().unwrap();
    let mut names = Vec::new();
    while let Some(list) = stream.next() {
        let Some(first) = list.first().and_then(Field::get) else { continue };
        if let Some(Some(user)) = first.result.get() {
            names.extend(user.name.as_deref().map(String::from));
        }
    }
    let all = stream.finish().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].message(), Some("A ship."));
    assert!(names.contains(&String::from("Ad")) && names.contains(&String::from("Ada")), "{names:?}");
    assert!(matches!(Field::Done(Maybe::found(1)).done(), Some(one) if one.is_found()));
}
