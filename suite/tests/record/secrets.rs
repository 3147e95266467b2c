use std::fs;

use http::{HeaderName, HeaderValue};
use instructor::testing::{Record, Redaction, Replay, Reply, Script};
use instructor::{Credential, Error};
use serde_json::{Value, json};

use crate::{block_on, fresh, specs};

const KEY: &str = "sk-live-0123456789abcdef";

#[test]
fn a_key_is_found_wherever_it_stands_and_in_however_many_pieces() {
    for spec in specs() {
        let path = fresh("key");
        let said = format!("your key is {KEY}, I believe");
        let script = Script::new()
            .reply(Reply::value(said.clone()).header("x-request-id", KEY))
            // In deltas that each have a few characters of it, and pieces that cut those.
            .reply(Reply::value(said.clone()).chunks(3).pieces(13))
            .reply(Reply::body(format!("{{\"error\": {{\"message\": \"no such key: {KEY}\"}}}}")).with_status(401));
        let builder = script.builder(&spec).api_key(KEY).transport(Record::new(script.clone(), &path));
        let client = builder.build().unwrap();
        block_on(async {
            let prompt = format!("Is {KEY} my key?");
            client.create::<String>(prompt.clone()).await.unwrap();
            client.request(prompt.clone()).create_partial::<String>().await.unwrap().finish().await.unwrap();
            client.create::<String>(prompt).await.unwrap_err();
        });
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(KEY) && !text.contains("0123456789") && !text.contains("abcdef"), "{spec}: {text}");

        // The mask stands for it in the answers, and another key finds them.
        let replay = Replay::open(&path).unwrap();
        let client = Script::new().builder(&spec).api_key("sk-other-key").transport(replay.clone()).build().unwrap();
        block_on(async {
            let prompt = "Is sk-other-key my key?";
            let whole: String = client.create(prompt).await.unwrap();
            let streamed = client.request(prompt).create_partial::<String>().await.unwrap().finish().await.unwrap();
            assert_eq!(
                (whole.as_str(), streamed.as_str()),
                ("your key is ***, I believe", "your key is ***, I believe")
            );
        });
    }
}

/// Whatever authorises, it is not in the file.
#[test]
fn credentials_of_all_kinds_are_left_out() {
    let header = |name: &'static str, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let (name, value) = header("x-tenant", "tenant-0123456789");
    let cases: [(&str, Credential, &[&str]); 4] = [
        ("openai/m", Credential::key("key-0123456789"), &["key-0123456789"]),
        ("gemini/m", Credential::key("AIza0123456789"), &["AIza0123456789"]),
        (
            "vertexai/m",
            Credential::bearer("ya29.token-0123").with_header(name, value),
            &["ya29.token-0123", "tenant-0123456789"],
        ),
        (
            "bedrock/m",
            Credential::aws("AKIA0123456789", "secret-0123456789", Some(String::from("session-0123456789"))),
            &["AKIA0123456789", "session-0123456789"],
        ),
    ];
    for (spec, credential, secrets) in cases {
        let path = fresh("credential");
        let script = Script::new().reply(Reply::value(secrets.join(" ")));
        let source = move || {
            let credential = credential.clone();
            async move { Ok::<_, Error>(credential) }
        };
        let record = Record::new(script, &path);
        let client = Script::new().builder(spec).transport(record).credentials(source).build().unwrap();
        block_on(client.create::<String>("?")).unwrap();
        let text = fs::read_to_string(path).unwrap();
        for left in secrets.iter().chain(&["authorization", "Signature"]) {
            assert!(!text.contains(left), "{spec}: {left} in {text}");
        }
    }
}

#[test]
fn rules_of_the_user_hold_for_requests_and_answers() {
    let rules = || {
        Redaction::new()
            .with_field("patient_id")
            .with_value("Jane Doe")
            .with_pattern("[0-9]{3}-[0-9]{2}-[0-9]{4}")
            .unwrap()
            .with_header("x-kept")
    };
    let path = fresh("rules");
    let said = "Jane Doe has 123-45-6789";
    let extra: Value = json!({ "patient_id": "p-1" });
    let script = Script::new().reply(Reply::value(said).header("x-kept", "yes")).reply(Reply::value(said).chunks(2));
    let record = Record::new(script.clone(), &path).with_redaction(rules());
    let client = script.builder("openai/m").transport(record).build().unwrap();
    let prompt = "Who is Jane Doe, 987-65-4321?";
    block_on(async {
        client.request(prompt).extra("metadata", &extra).create::<String>().await.unwrap();
        client.request(prompt).create_partial::<String>().await.unwrap().finish().await.unwrap();
    });
    let text = fs::read_to_string(&path).unwrap();
    for left in ["Jane", "Doe", "123-45", "6789", "987-65", "p-1"] {
        assert!(!text.contains(left), "{left} in {text}");
    }
    assert!(text.contains("x-kept"));

    let replay = Replay::open(&path).unwrap().with_redaction(rules());
    let client = Script::new().builder("openai/m").transport(replay.clone()).build().unwrap();
    // What is left out is not compared.
    let extra: Value = json!({ "patient_id": "p-2" });
    let answer = block_on(client.request(prompt).extra("metadata", &extra).create::<String>()).unwrap();
    assert_eq!(answer, "*** has ***");
    block_on(client.request("Who is Jane Doe, 000-00-0000?").create::<String>()).unwrap_err();
}
