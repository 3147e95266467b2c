//! Setting up: specs, profiles, keys, the table.

use instructor::testing::{Reply, Script};
use instructor::{Client, ErrorKind, Mode, Profile, blocking};
use serde_json::json;

#[instructor::model]
struct Word {
    word: String,
}

fn is_shared<T: Clone + Send + Sync + 'static>() {}

#[test]
fn clients_are_shared_freely() {
    is_shared::<Client>();
    is_shared::<blocking::Client>();
}

#[test]
fn futures_can_be_spawned() {
    fn is_send<T: Send>(_: T) {}
    let script = Script::new();
    let client = script.client("openai/gpt-5-mini");
    is_send(client.create::<Word>("x"));
    is_send(client.request("x").max_retries(1).create_with_completion::<Word>());
}

#[test]
fn every_provider_of_the_table_works_by_its_name() {
    for profile in Profile::all() {
        let id = profile.id();
        let script = Script::new().reply(Reply::value(json!({ "word": "yes" })));
        let client = script.client(&format!("{id}/some/model"));
        let word: Word = script.block_on(client.create("say yes")).unwrap();
        assert_eq!(word.word, "yes", "{id}");
        let sent = &script.sent()[0];
        let fixed = profile.base_url().split('{').next().unwrap();
        assert!(sent.url().starts_with(fixed), "{id}: {}", sent.url());
        // The model is in the body or in the address.
        let named = sent.json()["model"] == "some/model" || sent.url().contains("some%2Fmodel");
        assert!(named, "{id}: {}", sent.url());
        let key = ["authorization", "x-api-key", "api-key", "x-goog-api-key"].iter().find_map(|name| sent.header(name));
        assert!(key.unwrap().ends_with("test-key"), "{id}");
    }
}

#[test]
fn a_missing_key_names_its_variable() {
    let unset =
        Profile::openai_compatible("gateway", "http://localhost:9/v1").with_key_env("INSTRUCTOR_TEST_UNSET_KEY");
    let error = Client::builder().profile(unset).model("m").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("INSTRUCTOR_TEST_UNSET_KEY"), "{error}");
}

#[test]
fn a_key_is_never_shown() {
    let script = Script::new();
    let client = script.builder("openai/gpt-5-mini").api_key("sk-secret").build().unwrap();
    let preview = client.request("x").preview::<Word>().unwrap();
    assert_eq!(preview.headers()["authorization"], "Bearer sk-secret");
    for shown in
        [format!("{client:?}"), format!("{preview}"), format!("{preview:?}"), format!("{:?}", client.request("x"))]
    {
        assert!(!shown.contains("sk-secret"), "{shown}");
    }
    let told = Reply::json(json!({ "error": { "message": "Incorrect API key: sk-secret", "code": "invalid\nkey" } }));
    let script = Script::new().reply(told.with_status(401));
    let client = script.builder("openai/gpt-5-mini").api_key("sk-secret").build().unwrap();
    let error = script.block_on(client.create::<Word>("x")).unwrap_err();
    let shown = format!("{error} {error:?} {error:#}");
    assert!(!shown.contains("sk-secret") && shown.contains("OPENAI_API_KEY"), "{shown}");
    let error = script.builder("openai/gpt-5-mini").api_key("sk-bad\nkey").build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("sk-bad"), "{error}");
}

#[test]
fn run_time_profiles_speak_every_protocol() {
    let cases = [
        (
            Profile::openai_compatible("mine", "https://llm.example.com/v1/"),
            "https://llm.example.com/v1/chat/completions",
        ),
        (Profile::anthropic_compatible("mine", "https://llm.example.com"), "https://llm.example.com/v1/messages"),
        (
            Profile::gemini_compatible("mine", "https://llm.example.com"),
            "https://llm.example.com/v1beta/models/m:generateContent",
        ),
        (
            Profile::openai_responses_compatible("mine", "https://llm.example.com/v1"),
            "https://llm.example.com/v1/responses",
        ),
    ];
    for (profile, url) in cases {
        let script = Script::new().reply(Reply::value(json!({ "word": "hi" })));
        let client = Client::builder().profile(profile).model("m").transport(script.clone()).build().unwrap();
        let word: Word = script.block_on(client.create("say hi")).unwrap();
        assert_eq!(word.word, "hi");
        assert_eq!(script.sent()[0].url(), url);
        assert_eq!(script.sent()[0].header("authorization"), None, "no key, no header");
    }
}

#[test]
fn what_was_rejected_goes_back_with_the_sealed_thought_that_it_belongs_to() {
    let said = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA" },
        { "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "Word", "arguments": "{}" },
    ]);
    let script = Script::new()
        .reply(Reply::json(json!({ "status": "completed", "output": said })))
        .reply(Reply::value(json!({ "word": "hi" })));
    let client = script.client("openai_responses/gpt-5.4-mini");
    let word: Word = script.block_on(client.request("say hi").mode(Mode::Tools).create()).unwrap();
    assert_eq!(word.word, "hi");
    let [first, second] = script.sent().try_into().unwrap();
    assert_eq!(first.json()["include"], json!(["reasoning.encrypted_content"]));
    let (first, second) = (first.json()["input"].clone(), second.json()["input"].clone());
    let before = first.as_array().unwrap().len();
    assert_eq!(second.as_array().unwrap()[before..before + 2], *said.as_array().unwrap());
    assert_eq!(second[before + 2]["type"], "function_call_output");
    assert_eq!(second[before + 2]["call_id"], "call_1");
}

#[test]
fn a_request_without_a_model_says_how_to_name_one() {
    let script = Script::new();
    let profile = Profile::openai_compatible("mine", "http://localhost:1/v1");
    let client = Client::builder().profile(profile).transport(script.clone()).build().unwrap();
    let error = script.block_on(client.create::<Word>("x")).unwrap_err();
    assert!(error.to_string().contains("mine/MODEL"), "{error}");
    assert!(script.sent().is_empty());
}

#[test]
fn blocking_is_the_same_engine() {
    let script = Script::new()
        .reply(Reply::status(429).header("retry-after", "3"))
        .reply(Reply::value(json!({ "word": [1, 2] })))
        .reply(Reply::value(json!({ "word": "seven" })));
    let client = script.blocking_client("anthropic/claude-haiku-4-5");
    let (word, completion) = client.request("x").mode(Mode::Tools).create_with_completion::<Word>().unwrap();
    assert_eq!(word.word, "seven");
    assert_eq!(completion.report.attempts().len(), 3);
    assert_eq!(script.waits(), [std::time::Duration::from_secs(3)]);
}

/// A provider is one row: the files that name a provider other than those whose protocols they are.
#[test]
fn a_secondary_provider_is_named_in_one_file() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/instructor/src");
    let mut naming = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(source)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Tests and test data may name whom they like.
                if !path.ends_with("tests") && !path.ends_with("recorded") {
                    folders.push(path);
                }
                continue;
            }
            // A guide may give an example.
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            // Nor is a feature of the library a provider.
            let said = |line: &&str| !line.trim_start().starts_with("//") && !line.contains("feature = \"");
            let lines = code.lines().filter(said);
            let own = |id: &str| id == "openai" || Profile::all().any(|p| p.protocol() == id);
            let secondary = Profile::all().filter(|p| !own(p.id()));
            // In quotes: some are called by ordinary words.
            let ids: Vec<String> = secondary.map(|p| format!("\"{}", p.id())).collect();
            if lines.into_iter().any(|line| ids.iter().any(|id| line.to_lowercase().contains(id.as_str()))) {
                naming.push(path.strip_prefix(source).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    naming.sort();
    // Dialects are data too, and are called by the providers that speak them.
    assert_eq!(naming, ["provider/table.rs", "schema/dialect.rs"]);
}
