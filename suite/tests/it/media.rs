//! Media from the caller to the wire: what each provider gets, what it is refused, and what travels along.

use std::fmt::Write as _;

use instructor::testing::{Reply, Script};
use instructor::{Detail, ErrorKind, Media, MediaKind, Message, Part, Role};
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
    let said = Message::assistant("x").with(Media::image(PNG));
    assert!(
        refusal("openai/gpt-5-mini", said).contains("openai takes images in user messages only (message 2, part 2)")
    );
}

#[test]
fn a_file_id_needs_its_header() {
    let client = Script::new().client("anthropic/claude-haiku-4-5");
    let preview = |media: Media| client.request(Message::user("x").with(media)).preview::<Ticket>().unwrap();
    let with = preview(Media::file_id(MediaKind::Document, "file_1"));
    assert_eq!(with.headers()["anthropic-beta"], "files-api-2025-04-14");
    assert!(!preview(Media::image(PNG)).headers().contains_key("anthropic-beta"));
}
