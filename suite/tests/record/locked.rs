use instructor::Profile;
use instructor::testing::{Lockfile, Reply, Script};
use serde_json::json;

use crate::{block_on, fresh};

#[instructor::model]
struct Person {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

#[instructor::model]
struct Older {
    name: String,
    #[schemars(range(max = 160))]
    age: u16,
}

#[test]
fn the_requests_of_every_provider_are_pinned() {
    // In CI a file that is not there is an error, which is tested beside the code.
    if std::env::var("CI").is_ok() {
        return;
    }
    let path = fresh("lock");
    let pin = |prompt: &str, older: bool| {
        let mut lock = Lockfile::open(&path).unwrap();
        for profile in Profile::all() {
            let script = Script::new()
                .reply(Reply::value(json!({ "name": "Ada", "age": 360 })))
                .reply(Reply::value(json!({ "name": "Ada", "age": 36 })));
            let client = script.builder(&format!("{}/m", profile.id())).api_key("sk-live-0123456789").build().unwrap();
            let preview = match older {
                true => client.request(prompt).preview::<Older>(),
                false => client.request(prompt).preview::<Person>(),
            };
            lock.pin(&format!("{} preview", profile.id()), &preview.unwrap());
            block_on(client.create::<Person>(prompt)).unwrap();
            assert_eq!(script.sent().len(), 2);
            lock.pin_sent(&format!("{} sent", profile.id()), &script.sent());
        }
        lock
    };
    pin("Ada is 36", false).assert_same();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("Ada is 36") && !text.contains("0123456789") && !text.contains("authorization"));
    pin("Ada is 36", false).assert_same();

    // Another schema, and another prompt, are told for each of them.
    let all = Profile::all().count();
    let differences = pin("Ada is 36", true).differences();
    assert!(differences.len() >= all, "{differences:#?}");
    assert!(differences.iter().any(|line| line.contains("maximum: 150 -> 160")), "{differences:#?}");
    let differences = pin("Ada is 37", false).differences();
    assert!(
        differences.len() >= 3 * all && differences.iter().all(|line| line.contains("Ada is 37")),
        "{differences:#?}"
    );
}
