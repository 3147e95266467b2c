//! Media in every kind of call.

use std::collections::BTreeMap;

use futures_core::Stream;
use instructor::testing::{Reply, Script, Sent};
use instructor::{Client, DetectMedia, Error, ErrorKind, Media, Message, Messages, Mode, Part, Profile};
use serde_json::{Value, json};

use crate::block_on;

#[instructor::model(partial)]
#[derive(Clone, serde::Serialize)]
struct Seen {
    what: String,
}

#[instructor::model]
enum Thing {
    Seen { what: String },
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PDF: &[u8] = b"%PDF-1.7 a page";
const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt sound";

fn kinds() -> [(&'static str, Media, &'static str); 3] {
    // What is left of them in a body: base64 of bytes in their middle, wherever a data URL begins.
    [
        ("image", Media::image(PNG), "iVBORw0KGgoAAAANSUhEUg"),
        ("document", Media::document(PDF).with_name("page.pdf"), "JVBERi0xLjcgYSBwYWdl"),
        ("audio", Media::audio(WAV), "UklGRiQAAABXQVZFZm10IHNvdW5k"),
    ]
}

type Ask = fn(&Client, Vec<Message>) -> Result<(), Error>;

/// The items of a stream, without an executor.
fn drain<S: Stream + Unpin>(mut stream: S) -> Vec<S::Item> {
    let mut all = Vec::new();
    while let Some(item) = block_on(std::future::poll_fn(|context| std::pin::Pin::new(&mut stream).poll_next(context)))
    {
        all.push(item);
    }
    all
}

/// Every way to ask.
const CALLS: &[(&str, Ask)] = &[
    ("create", |client, messages| block_on(client.create::<Seen>(&messages)).map(drop)),
    ("create_with_completion", |client, messages| block_on(client.create_with_completion::<Seen>(&messages)).map(drop)),
    ("create_value", |client, messages| {
        let contract = <Seen as instructor::ResponseModel>::contract();
        block_on(client.create_value(&contract, &messages)).map(drop)
    }),
    ("create_partial", |client, messages| {
        block_on(async { client.request(&messages).create_partial::<Seen>().await?.finish().await.map(drop) })
    }),
    ("create_iterable", |client, messages| {
        block_on(async {
            let mut stream = client.request(&messages).create_iterable::<Seen>().await?;
            while let Some(item) = stream.next().await {
                item?;
            }
            Ok(())
        })
    }),
    ("create_many", |client, messages| {
        let inputs = [messages.clone(), messages].map(Messages::from);
        let all = drain(Box::pin(client.create_many::<Seen, _>(inputs, 2)));
        all.into_iter().try_for_each(|made| made.into_value().map(drop))
    }),
    ("parallel", |client, messages| {
        block_on(client.request(&messages).mode(Mode::ParallelTools).create::<Vec<Thing>>()).map(drop)
    }),
    ("think then shape", |client, messages| {
        block_on(client.request(&messages).mode(Mode::ThinkThenShape).create::<Seen>()).map(drop)
    }),
];

/// What each of them is answered with.
fn script(call: &str) -> Script {
    let one = || Reply::value(json!({ "what": "a cat" }));
    match call {
        "create_iterable" => Script::new().reply(Reply::value(json!([{ "what": "a cat" }]))),
        "create_many" => Script::new().reply(one()).reply(one()),
        "parallel" => Script::new().reply(Reply::calls([("Seen", json!({ "what": "a cat" }))])),
        "think then shape" => Script::new().reply(Reply::text("It is a cat.")).reply(one()),
        _ => Script::new().reply(one()),
    }
}

fn texts(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, out)),
        _ => {}
    }
}

fn holds(sent: &Sent, mark: &str) -> usize {
    let mut all = String::new();
    texts(&sent.json(), &mut all);
    all.matches(mark).count()
}

#[test]
fn every_call_kind_sends_images_documents_and_sound() {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for profile in Profile::all() {
        for (kind, media, mark) in kinds() {
            let messages = vec![Message::user("What is it?").with(media)];
            let mut refused = None;
            for (call, ask) in CALLS {
                let script = script(call);
                let client = script.client(&format!("{}/m", profile.id()));
                let who = format!("{} {kind} {call}", profile.id());
                match ask(&client, messages.clone()) {
                    Ok(()) => {
                        assert_ne!(refused, Some(true), "{who}");
                        refused = Some(false);
                        let sent = script.sent();
                        // The call that puts a text into the schema has the text alone.
                        let with = if *call == "think then shape" { 1 } else { sent.len() };
                        assert!(sent.iter().take(with).all(|sent| holds(sent, mark) == 1), "{who}");
                        *taken.entry(kind).or_default() += 1;
                    }
                    // Alike in every kind of call, and before anything is sent.
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Unsupported, "{who}: {error}");
                        assert!(script.sent().is_empty(), "{who}");
                        assert_ne!(refused, Some(false), "{who}");
                        refused = Some(true);
                    }
                }
            }
        }
    }
    let least = |kind, least| assert!(taken[kind] >= least * CALLS.len(), "{taken:?}");
    least("image", 20);
    least("document", 8);
    least("audio", 4);
}

#[test]
fn texts_become_media_only_where_they_are_said_to() {
    let folder = crate::fresh("media").with_extension("");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("cat.png"), PNG).unwrap();
    std::fs::write(folder.join("page.pdf"), PDF).unwrap();
    std::fs::write(folder.join("said.wav"), WAV).unwrap();
    let inside = String::from(folder.join("cat.png").to_str().unwrap());
    let typed =
        ["What is it?", "cat.png", "page.pdf", " said.wav ", &inside, "https://example.com/dog.jpg", "iVBORw0KGgo="];
    let shown = |detect: &DetectMedia| {
        let message = Message::user_detecting(typed, detect).unwrap();
        message.parts().iter().map(|part| if matches!(part, Part::Media(_)) { 'm' } else { 't' }).collect::<String>()
    };
    assert_eq!(shown(&DetectMedia::new()), "ttttttm");
    assert_eq!(shown(&DetectMedia::new().with_urls()), "tttttmm");
    assert_eq!(shown(&DetectMedia::new().with_files_in(&folder)), "tmmmmtm");

    // A prompt that happens to be a path stays one.
    let path = Script::new().reply(Reply::value(json!({ "what": "a path" })));
    block_on(path.client("openai/m").create::<Seen>(&inside)).unwrap();
    assert!(path.sent()[0].json()["messages"].to_string().contains("cat.png"));

    // Sent as any other media, in every kind of call.
    let detect = DetectMedia::new().with_files_in(&folder);
    let message = Message::user_detecting(["What is it?", "cat.png"], &detect).unwrap();
    for (call, ask) in CALLS {
        let script = script(call);
        ask(&script.client("openai/m"), vec![message.clone()]).unwrap();
        assert_eq!(holds(&script.sent()[0], "iVBORw0KGgoAAAANSUhEUg"), 1, "{call}");
    }
}
