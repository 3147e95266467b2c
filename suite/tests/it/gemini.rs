//! Whole requests on the protocol that names the model in the address and signs parts of an answer.

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Message, Mode};
use serde_json::{Value, json};

#[instructor::model]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

const SPEC: &str = "gemini/gemini-2.5-flash";

#[test]
fn every_mode_says_the_schema_where_it_belongs() {
    let client = Script::new().client(SPEC);
    let body = |mode| {
        let messages = [Message::system("Be exact."), Message::user("Ada, 36")];
        client.request(messages).mode(mode).max_tokens(500).preview::<User>().unwrap().json()
    };
    let schema = body(Mode::Schema);
    assert_eq!(schema, body(Mode::Auto));
    assert_eq!(schema["systemInstruction"], json!({ "parts": [{ "text": "Be exact." }] }));
    assert_eq!(schema["contents"], json!([{ "role": "user", "parts": [{ "text": "Ada, 36" }] }]));
    let config = &schema["generationConfig"];
    assert_eq!((&config["responseMimeType"], &config["maxOutputTokens"]), (&json!("application/json"), &json!(500)));
    assert_eq!(config["responseJsonSchema"]["properties"]["age"]["maximum"], 150);
    assert!(schema.get("model").is_none() && schema.get("tools").is_none());

    let tools = body(Mode::Tools);
    let declared = &tools["tools"][0]["functionDeclarations"][0];
    assert_eq!(declared["parametersJsonSchema"]["properties"]["age"]["maximum"], 150);
    let calling = json!({ "mode": "ANY", "allowedFunctionNames": [declared["name"]] });
    assert_eq!(tools["toolConfig"]["functionCallingConfig"], calling);
    assert_eq!(tools["generationConfig"], json!({ "maxOutputTokens": 500 }));

    let object = body(Mode::Json);
    let wanted = json!({ "responseMimeType": "application/json", "maxOutputTokens": 500 });
    assert_eq!(object["generationConfig"], wanted);
    let plain = body(Mode::MdJson);
    assert_eq!(plain["generationConfig"], json!({ "maxOutputTokens": 500 }));
    for prompted in [object, plain] {
        assert!(prompted["systemInstruction"].to_string().contains("instance of the JSON Schema"), "{prompted}");
    }
}

fn called(age: u16) -> Value {
    json!({
        "candidates": [{ "content": { "role": "model", "parts": [
            { "text": "Let me see.", "thought": true },
            { "functionCall": { "name": "User", "args": { "name": "Ada", "age": age } }, "thoughtSignature": "c2ln" },
        ] }, "finishReason": "STOP" }],
        "usageMetadata": { "promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 20 },
    })
}

#[test]
fn a_rejected_call_goes_back_with_its_signature() {
    let script = Script::new().reply(Reply::json(called(360))).reply(Reply::json(called(36)));
    let client = script.client(SPEC);
    let request = client.request("Ada, 36").mode(Mode::Tools);
    let (user, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
    assert_eq!((user.name.as_str(), user.age), ("Ada", 36));
    assert_eq!(completion.report.usage().total(), Some(70));
    let sent = script.sent();
    let base = "https://generativelanguage.googleapis.com/v1beta";
    assert_eq!(sent[1].url(), format!("{base}/models/gemini-2.5-flash:generateContent"));
    assert_eq!(sent[1].header("x-goog-api-key"), Some("test-key"));
    let contents = &sent[1].json()["contents"];
    assert_eq!(contents[1], called(360)["candidates"][0]["content"]);
    let result = &contents[2]["parts"][0]["functionResponse"];
    assert_eq!((&contents[2]["role"], &result["name"]), (&json!("user"), &json!("User")));
    assert!(result["response"]["error"].as_str().unwrap().contains("age"), "{result}");
}

#[test]
fn a_blocked_prompt_is_filtered_and_a_call_that_could_not_be_read_is_asked_for_again() {
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" }, "usageMetadata": { "promptTokenCount": 3 } });
    let script = Script::new().reply(Reply::json(blocked));
    let error = script.block_on(script.client(SPEC).create::<User>("x")).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::Filtered, 1));

    let malformed = json!({
        "candidates": [{ "finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call: User(" }],
        "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4 },
    });
    let script = Script::new().reply(Reply::json(malformed)).reply(Reply::json(called(36)));
    let client = script.client(SPEC);
    let request = client.request("Ada, 36").mode(Mode::Tools);
    let (_, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
    assert_eq!(completion.report.usage().total(), Some(42), "tokens of the first answer are counted");
    let contents = &script.sent()[1].json()["contents"];
    assert_eq!(contents[1]["parts"][0]["text"], "Malformed function call: User(");
}

#[test]
fn a_delay_in_the_details_is_obeyed() {
    let busy = json!({ "error": { "code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED",
        "details": [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s" }] } });
    let script = Script::new()
        .reply(Reply::json(busy).with_status(429))
        .reply(Reply::value(json!({ "name": "Ada", "age": 36 })));
    let user: User = script.block_on(script.client(SPEC).create("Ada, 36")).unwrap();
    assert_eq!(user.age, 36);
    assert_eq!(script.waits(), [std::time::Duration::from_secs(7)]);
}
