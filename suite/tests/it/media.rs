//! Media from the caller to the wire: what each provider gets, what it is refused, and what travels along.

use std::fmt::Write as _;

use instructor::testing::{Reply, Script};
use instructor::{
    Detail, ErrorKind, Media, MediaKind, Message, Mode, Part, Preview, Profile, Role, ToolCall, ToolResult,
};
use serde_json::{Value, json};

/// What is broken.
#[instructor::model]
struct Ticket {
    summary: String,
    priority: Priority,
}

#[instructor::model]
enum Priority {
    Low,
    High,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn samples() -> Vec<Media> {
    let url = |kind, name: &str| Media::from_url(kind, format!("https://example.com/{name}"));
    vec![
        Media::image(PNG).with_detail(Detail::Low),
        Media::image(b"II*\0".as_slice()),
        url(MediaKind::Image, "a.png"),
        url(MediaKind::Image, "a"),
        Media::file_id(MediaKind::Image, "file-1"),
        Media::audio(b"ID3\x04".as_slice()),
        Media::audio(b"OggS".as_slice()),
        url(MediaKind::Audio, "a.mp3"),
        Media::document(b"%PDF-1.7".as_slice()).with_name("bill.pdf"),
        Media::from_bytes("a,b\n1,2\n").with_mime("text/csv"),
        Media::document(b"\0\x01".as_slice()),
        url(MediaKind::Document, "a.pdf"),
        Media::file_id(MediaKind::Document, "file-2"),
        Media::video(b"\0\0\0\x18ftypisom".as_slice()),
        url(MediaKind::Video, "a.mp4"),
    ]
}

const SPECS: &[&str] = &[
    "openai/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "openrouter/openai/gpt-5-mini",
    "mistral/mistral-small-latest",
    "azure_openai/gpt-5-mini",
    "dashscope/qwen3-omni",
    "deepseek/deepseek-chat",
    "openai_responses/gpt-5-mini",
    "gemini/gemini-2.5-flash",
    "bedrock/amazon.nova-lite-v1:0",
    "cohere/command-a-vision",
];

/// A conversation in which a tool has given media, and then the user speaks.
fn with_result(media: impl IntoIterator<Item = Media>) -> Vec<Message> {
    let call = ToolCall::new("call_1", "look", "{}");
    let result = media.into_iter().fold(Message::tool("call_1", "Here it is."), Message::with);
    vec![Message::user("Look."), Message::new(Role::Assistant, [Part::ToolCall(call)]), result, Message::user("So?")]
}

/// The turn of a body that holds the result.
fn result(body: &Value) -> String {
    let turns = ["messages", "contents", "input"].iter().find_map(|key| body[key].as_array()).unwrap();
    turns.iter().map(Value::to_string).find(|turn| turn.contains("Here it is.")).unwrap()
}

#[test]
fn what_a_tool_gives_is_part_of_its_result() {
    let mut shown = String::new();
    for spec in SPECS.iter().chain(&["gemini/gemini-3-flash-preview", "llamacpp/qwen3-vl"]) {
        writeln!(shown, "# {spec}").unwrap();
        let client = Script::new().client(spec);
        let pdf = || Media::document(b"%PDF-1.7".as_slice()).with_name("bill.pdf");
        let sound = Media::audio(b"ID3\x04".as_slice());
        let image = Media::from_url(MediaKind::Image, "https://example.com/a.png");
        for media in [vec![Media::image(PNG)], vec![image], vec![pdf()], vec![Media::image(PNG), pdf()], vec![sound]] {
            let request = client.request(with_result(media.clone())).mode(Mode::Tools);
            let line = match request.preview::<Ticket>() {
                Ok(preview) => result(&preview.json()),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unsupported);
                    error.to_string()
                }
            };
            writeln!(shown, "{media:?}\n    {line}").unwrap();
        }
    }
    insta::assert_snapshot!("results", shown);
}

#[test]
fn media_of_a_tool_stand_after_its_result() {
    let client = Script::new().client("anthropic/claude-haiku-4-5");
    let two = Message::tool("call_1", "").with(Media::image(PNG)).with(Part::ToolResult(tool_result("call_2", "none")));
    let preview = client.request(vec![Message::user("x"), two]).preview::<Ticket>().unwrap();
    let blocks = &preview.json()["messages"][0]["content"];
    assert_eq!(blocks[1]["content"][0]["type"], "image");
    assert_eq!((&blocks[2]["content"], &blocks[3]), (&json!("none"), &Value::Null));
    let stray = Message::new(Role::Tool, [Part::from(Media::image(PNG))]);
    let error = client.request(stray).preview::<Ticket>().unwrap_err().to_string();
    assert!(error.contains("the image (message 1, part 1) stands before the tool result"), "{error}");
    // What the user says after results is the user's.
    let said = Message::user("x").with(Media::image(PNG));
    let messages = vec![Message::user("x"), Message::tool("call_1", "none"), said];
    let preview = client.request(messages).preview::<Ticket>().unwrap();
    assert_eq!(preview.json()["messages"][0]["content"][1]["content"], "none");
    assert_eq!(preview.json()["messages"][0]["content"][3]["type"], "image");
}

/// The guide's table is what the protocols take.
#[test]
fn the_guide_says_what_is_taken() {
    let guide = include_str!("../../../crates/instructor/src/docs/media.md");
    let rows = [
        ("`openai_chat`", "openai"),
        ("`openai_responses`", "openai_responses"),
        ("`anthropic`", "anthropic"),
        ("`gemini`", "gemini"),
        ("`gemini` of Vertex AI", "vertexai"),
        ("`bedrock`", "bedrock"),
        ("`cohere`", "cohere"),
        ("`ollama`", "ollama_chat"),
    ];
    let kinds: [(MediaKind, &str, &[u8]); 4] = [
        (MediaKind::Image, "png", PNG),
        (MediaKind::Document, "pdf", b"%PDF-1.7"),
        (MediaKind::Audio, "mp3", b"ID3"),
        (MediaKind::Video, "mp4", b"\0\0\0\x18ftypisom"),
    ];
    let mut table = String::from("| protocol | images | documents | sound | films |\n|---|---|---|---|---|\n");
    for (name, provider) in rows {
        let client = Script::new().client(&format!("{provider}/m"));
        write!(table, "| {name}").unwrap();
        for (kind, extension, bytes) in kinds {
            let at = |start: &str| Media::from_url(kind, format!("{start}a.example/b.{extension}"));
            let forms = [
                ("bytes", Media::from_bytes(bytes)),
                ("URL", at("https://")),
                ("`gs://`", at("gs://")),
                ("`s3://`", at("s3://")),
                ("id", Media::file_id(kind, "file-1").with_mime(Media::from_bytes(bytes).mime())),
            ];
            let taken = |media: Media| client.request(Message::user("x").with(media)).preview::<Ticket>().is_ok();
            let words: Vec<&str> = forms.into_iter().filter_map(|(word, media)| taken(media).then_some(word)).collect();
            write!(table, " | {}", if words.is_empty() { String::from("-") } else { words.join(", ") }).unwrap();
        }
        table.push_str(" |\n");
    }
    let shown = guide.split("<!-- taken -->\n").nth(1).unwrap();
    assert_eq!(shown, table);
    let all: std::collections::BTreeSet<&str> = Profile::all().map(|profile| profile.protocol()).collect();
    assert!(all.iter().all(|protocol| table.contains(&format!("`{protocol}`"))), "a protocol is missing: {all:?}");
}

fn tool_result(id: &str, text: &str) -> ToolResult {
    match Message::tool(id, text).parts() {
        [Part::ToolResult(result)] => result.clone(),
        parts => panic!("{parts:?}"),
    }
}

#[test]
fn a_mark_for_the_prompt_cache_stands_after_media() {
    let anthropic = Script::new().client("anthropic/claude-haiku-4-5");
    let said =
        |messages: Vec<Message>| anthropic.request(messages).preview::<Ticket>().unwrap().json()["messages"].clone();
    let block = &said(vec![Message::user("x").with(Media::image(PNG)).cached()])[0]["content"][1];
    assert_eq!((&block["type"], &block["cache_control"]["type"]), (&json!("image"), &json!("ephemeral")));
    let messages = vec![Message::user("x"), Message::tool("call_1", "").with(Media::image(PNG)).cached()];
    let block = &said(messages)[0]["content"][1];
    assert_eq!((&block["type"], &block["cache_control"]["type"]), (&json!("tool_result"), &json!("ephemeral")));
    assert_eq!(block["content"][0]["type"], "image");
    let bedrock = Script::new().client("bedrock/anthropic.claude-haiku-4-5");
    let message = Message::user("x").with(Media::image(PNG)).cached();
    let content = bedrock.request(message).preview::<Ticket>().unwrap().json()["messages"][0]["content"].clone();
    assert!(content[1]["image"].is_object() && content[2]["cachePoint"].is_object(), "{content}");
}

#[test]
fn an_address_in_a_store_goes_to_the_store_s_owner() {
    let s3 = |media: Media| part(&preview("bedrock/amazon.nova-lite-v1:0", media).json());
    let by_url = s3(Media::from_url(MediaKind::Image, "s3://bucket/key.png"));
    assert_eq!(by_url, r#"{"image":{"format":"png","source":{"s3Location":{"uri":"s3://bucket/key.png"}}}}"#);
    assert_eq!(s3(Media::file_id(MediaKind::Image, "s3://bucket/key.png")), by_url);
    let gs = part(&preview("vertexai/gemini-3-flash", Media::from_url(MediaKind::Video, "gs://b/film.mp4")).json());
    assert_eq!(gs, r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/film.mp4"}}"#);
}

fn preview(spec: &str, media: Media) -> Preview {
    Script::new().client(spec).request(Message::user("x").with(media)).preview::<Ticket>().unwrap()
}

/// What is in a body where a message was said that has one part of media.
fn part(body: &Value) -> String {
    let said = ["messages", "contents", "input"].iter().find_map(|key| body[key].as_array()).unwrap().iter();
    let mut parts = said.flat_map(|turn| turn["content"].as_array().or_else(|| turn["parts"].as_array())).flatten();
    parts
        .find(|part| part["type"] != "text" && part["type"] != "input_text" && !part["text"].is_string())
        .unwrap()
        .to_string()
}

#[test]
fn what_each_provider_gets_of_each_media() {
    let mut shown = String::new();
    for spec in SPECS {
        writeln!(shown, "# {spec}").unwrap();
        let client = Script::new().client(spec);
        for media in samples() {
            let message = Message::new(Role::User, [Part::from("What is it?"), Part::from(media.clone())]);
            let line = match client.request(message).preview::<Ticket>() {
                Ok(preview) => part(&preview.json()),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unsupported);
                    error.to_string()
                }
            };
            writeln!(shown, "{media:?}\n    {line}").unwrap();
        }
    }
    insta::assert_snapshot!("media", shown);
}

#[test]
fn an_image_travels_with_every_attempt() {
    for spec in SPECS.iter().filter(|spec| !spec.starts_with("deepseek")) {
        let script = Script::new()
            .reply(Reply::value(json!({ "summary": "s", "priority": "Urgent" })))
            .reply(Reply::status(503))
            .reply(Reply::value(json!({ "summary": "s", "priority": "Low" })));
        let message = Message::user("What is broken?").with(Media::image(PNG)).with("Be short.");
        script.block_on(script.client(spec).create::<Ticket>(message)).unwrap();
        let sent = script.sent();
        assert_eq!(sent.len(), 3);
        for sent in sent {
            assert_eq!(String::from_utf8_lossy(sent.body()).matches("iVBORw0KGgo=").count(), 1, "{spec}");
        }
    }
}

#[test]
fn what_is_refused_names_provider_part_and_what_is_taken() {
    let refusal = |spec: &str, message: Message| {
        let script = Script::new();
        let messages = [Message::system("Look."), message];
        let error = script.block_on(script.client(spec).create::<Ticket>(&messages)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(script.sent().is_empty());
        error.to_string()
    };
    let audio = Message::user("x").with(Media::audio(b"ID3".as_slice()));
    assert_eq!(
        refusal("anthropic/claude-haiku-4-5", audio.clone()),
        "not supported: anthropic takes no audio (message 2, part 2: audio/mpeg, 3 bytes); it takes images and documents"
    );
    assert!(refusal("deepseek/deepseek-chat", audio).contains("it takes text only"));
    let said = || Message::assistant("x").with(Media::image(PNG));
    assert!(refusal("openai/gpt-5-mini", said()).ends_with(
        "openai takes no images in what the model says (message 2, part 2: image/png, 8 bytes); it takes them in user \
         messages and tool results only"
    ));
    assert!(refusal("cohere/command-a-vision", said()).ends_with("it takes them in user messages only"));
    let told = Message::system("x").with(Media::image(PNG));
    assert!(
        refusal("gemini/gemini-3-flash", told).contains("gemini takes no images in instructions (message 2, part 2")
    );
    let result = Message::tool("call_1", "x").with(Media::image(PNG));
    assert!(
        refusal("cohere/command-a-vision", result)
            .ends_with("it takes them in user messages only: put a user message with it after the result")
    );
    let store = Message::user("x").with(Media::file_id(MediaKind::Document, "file_1"));
    assert!(refusal("vertexai_anthropic/claude-haiku-4-5", store).contains("it takes them as bytes or by URL"));
    let here = "under s3://";
    let stored = Message::user("x").with(Media::from_url(MediaKind::Image, "s3://bucket/key.png"));
    assert!(refusal("openai/gpt-5-mini", stored.clone()).contains("it takes them as bytes or by URL"));
    let stored = Message::user("x").with(Media::from_url(MediaKind::Image, "gs://bucket/key.png"));
    assert!(refusal("bedrock/amazon.nova-lite-v1:0", stored).contains(here));
}

#[test]
fn a_file_id_needs_its_header() {
    let client = Script::new().client("anthropic/claude-haiku-4-5");
    let preview = |media: Media| client.request(Message::user("x").with(media)).preview::<Ticket>().unwrap();
    let with = preview(Media::file_id(MediaKind::Document, "file_1"));
    assert_eq!(with.headers()["anthropic-beta"], "files-api-2025-04-14");
    assert!(!preview(Media::image(PNG)).headers().contains_key("anthropic-beta"));
}
