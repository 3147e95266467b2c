//! Marks for the provider's prompt cache: where they go, and that what is before them stays the same.

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Message, Mode, Part, Profile, PromptCache, Request, Role};
use serde_json::{Value, json};

/// A support ticket.
#[instructor::model]
struct Ticket {
    #[schemars(range(max = 5))]
    urgency: u8,
}

fn messages() -> Vec<Message> {
    vec![
        Message::system("You sort tickets.").cached_for(PromptCache::Hour),
        Message::user("The house rules.").cached(),
        Message::user("The printer burns."),
    ]
}

fn body(spec: &str, more: impl for<'a> Fn(Request<'a>) -> Request<'a>) -> Value {
    let client = Script::new().client(spec);
    more(client.request(messages())).preview::<Ticket>().unwrap().json()
}

#[test]
fn marks_stand_where_each_protocol_wants_them() {
    let short = json!({ "type": "ephemeral" });
    let hour = json!({ "type": "ephemeral", "ttl": "1h" });

    let anthropic = body("anthropic/claude-haiku-4-5", |r| r.cache_schema(PromptCache::Short));
    assert_eq!(anthropic["system"], json!([{ "type": "text", "text": "You sort tickets.", "cache_control": hour }]));
    assert_eq!(
        anthropic["messages"][0]["content"],
        json!([
            { "type": "text", "text": "The house rules.", "cache_control": short },
            { "type": "text", "text": "The printer burns." },
        ])
    );
    assert_eq!((&anthropic["tools"][0]["cache_control"], &anthropic["tools"][0]["name"]), (&short, &json!("Ticket")));

    let bedrock = body("bedrock/anthropic.claude-haiku-4-5-v1:0", |r| r.cache_schema(PromptCache::Short));
    let point = json!({ "cachePoint": { "type": "default" } });
    assert_eq!(bedrock["system"][1], json!({ "cachePoint": { "type": "default", "ttl": "1h" } }));
    assert_eq!(bedrock["messages"][0]["content"][1], point);
    assert_eq!(bedrock["toolConfig"]["tools"][1], point);

    let router = body("openrouter/anthropic/claude-sonnet-4.6", |r| r.cache_schema(PromptCache::Short));
    assert_eq!(
        router["messages"][0]["content"],
        json!([{ "type": "text", "text": "You sort tickets.", "cache_control": hour }])
    );
    assert_eq!(
        router["messages"][1]["content"],
        json!([{ "type": "text", "text": "The house rules.", "cache_control": short }])
    );
    assert_eq!(router["messages"][2]["content"], "The printer burns.");
    assert_eq!(router["tools"][0]["cache_control"], short);
}

#[test]
fn without_tools_the_schema_is_in_the_system_text() {
    for mode in [Mode::Json, Mode::MdJson] {
        let anthropic = body("anthropic/claude-haiku-4-5", |r| r.mode(mode).cache_schema(PromptCache::Short));
        let blocks = anthropic["system"].as_array().unwrap();
        assert!(blocks.last().unwrap()["text"].as_str().unwrap().contains("JSON Schema"), "{blocks:?}");
        assert_eq!(blocks.last().unwrap()["cache_control"], json!({ "type": "ephemeral" }), "{blocks:?}");
        let bedrock =
            body("bedrock/anthropic.claude-haiku-4-5-v1:0", |r| r.mode(mode).cache_schema(PromptCache::Short));
        let blocks = bedrock["system"].as_array().unwrap();
        assert_eq!(blocks.last().unwrap(), &json!({ "cachePoint": { "type": "default" } }), "{blocks:?}");
    }
}

#[test]
fn where_there_are_no_marks_the_request_is_the_same_without_them() {
    let marked = ["anthropic", "vertexai_anthropic", "bedrock", "openrouter", "litellm"];
    for profile in Profile::all().filter(|profile| !marked.contains(&profile.id())) {
        let client = Script::new().client(&format!("{}/some-model", profile.id()));
        let plain: Vec<Message> = messages()
            .iter()
            .map(|message| {
                let parts = message.parts().iter().filter(|part| !matches!(part, Part::CachePoint(_)));
                Message::new(message.role(), parts.cloned().collect::<Vec<_>>())
            })
            .collect();
        let marked = client.request(messages()).cache_schema(PromptCache::Hour).preview::<Ticket>().unwrap();
        let plain = client.request(plain).preview::<Ticket>().unwrap();
        assert_eq!(marked.json(), plain.json(), "{}", profile.id());
    }
}

#[test]
fn a_key_goes_where_there_is_a_field_for_it() {
    for (spec, wanted) in [
        ("openai/gpt-5-mini", json!("tickets")),
        ("openai_responses/gpt-5-mini", json!("tickets")),
        ("mistral/mistral-small-latest", json!("tickets")),
        ("anthropic/claude-haiku-4-5", Value::Null),
        ("groq/llama-3.3-70b-versatile", Value::Null),
    ] {
        assert_eq!(body(spec, |r| r.cache_key("tickets"))["prompt_cache_key"], wanted, "{spec}");
    }
}

#[test]
fn more_marks_than_are_taken_are_told() {
    for spec in ["anthropic/claude-haiku-4-5", "bedrock/anthropic.claude-haiku-4-5-v1:0", "openrouter/m"] {
        let client = Script::new().client(spec);
        let many: Vec<Message> = (0..4).map(|n| Message::user(format!("part {n}")).cached()).collect();
        client.request(&many).preview::<Ticket>().unwrap();
        let error = client.request(&many).cache_schema(PromptCache::Short).preview::<Ticket>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("5 places"), "{spec}: {error}");
    }
}

#[test]
fn nothing_stands_beside_a_content_that_is_kept_by_name() {
    let client = Script::new().client("gemini/gemini-2.5-flash");
    let request = |text: &'static str| client.request(text).extra("cachedContent", "cachedContents/1");
    let body = request("x").preview::<Ticket>().unwrap().json();
    assert_eq!((&body["cachedContent"], &body["systemInstruction"]), (&json!("cachedContents/1"), &Value::Null));
    let with_system = client.request(messages()).extra("cachedContent", "cachedContents/1").preview::<Ticket>();
    for refused in [request("x").mode(Mode::Tools).preview::<Ticket>(), with_system] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("cachedContent"), "{error}");
    }
}

/// A conversation that goes on: the messages of a turn are the beginning of those of the next, byte for byte, so that
/// what the provider has kept of the one serves the other; and the same holds for a re-ask.
#[test]
fn a_turn_is_the_beginning_of_the_next() {
    let wrong = json!({ "urgency": 9 });
    let right = json!({ "urgency": 1 });
    for profile in Profile::all() {
        for mode in [Mode::Schema, Mode::Tools, Mode::Json] {
            let script = Script::new().reply(Reply::value(wrong.clone())).reply(Reply::value(right.clone()));
            let client = script.client(&format!("{}/some-model", profile.id()));
            let ask = |messages: &[Message]| {
                client.request(messages).mode(mode).cache_schema(PromptCache::Short).preview::<Ticket>()
            };
            let mut messages = messages();
            let Ok(first) = ask(&messages) else { continue };
            messages.push(Message::new(Role::Assistant, [Part::from("{\"urgency\":1}")]));
            messages.push(Message::user("And now?").cached());
            let second = ask(&messages).unwrap();
            messages.push(Message::new(Role::Assistant, [Part::from("{\"urgency\":2}")]));
            messages.push(Message::user("And tomorrow?"));
            let third = ask(&messages).unwrap();
            let asked = client.request(&messages).mode(mode).cache_schema(PromptCache::Short);
            script.block_on(asked.create::<Ticket>()).unwrap();
            let sent = script.sent();
            let bodies = [first.body(), second.body(), third.body(), sent[1].body()];
            for pair in bodies.windows(2) {
                let [before, after] = pair else { unreachable!() };
                let (before, after) = (said(before), said(after));
                assert!(after.starts_with(&before), "{} {mode}:\n{before}\n{after}", profile.id());
            }
            assert_eq!(sent[0].body(), third.body());
        }
    }
}

/// The bytes of the message list without what closes it.
fn said(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let keys = ["\"messages\":[", "\"contents\":[", "\"input\":["];
    let start = keys.iter().find_map(|key| Some(text.find(key)? + key.len() - 1)).unwrap();
    let mut list = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    list.next().unwrap().unwrap();
    let end = start + list.byte_offset();
    String::from(text[start..end - 1].trim_end_matches(']'))
}
