//! Media in the requests of every provider in every mode, one snapshot for each kind of part: who gets the same stands
//! together, and who refuses it stands with the reason. Only what is said is shown; the rest of a body is that of a
//! request without media, which is checked here and stands in the other matrix.

use std::collections::BTreeMap;

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, FetchMedia, Media, MediaKind, Message, Mode, Part, Profile, Role, ToolCall};
use serde_json::{Map, Value, json};

/// A support ticket.
#[instructor::model]
struct Ticket {
    reason: String,
    #[schemars(range(max = 5))]
    urgency: u8,
}

const MODES: [Mode; 4] = [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson];
/// The names of what is said, in the protocols.
const SAID: [&str; 3] = ["messages", "contents", "input"];

/// What the media of these tests are in a body: once, wherever they are.
const MARKS: [&str; 5] = ["iVBORw0KGgo=", "JVBERi0xLjc=", "SUQzBA==", "a.example/burning.png", "store/burning.png"];

/// A part, and what is to be seen of it.
fn cases() -> Vec<(&'static str, Vec<Message>)> {
    let png = || Media::image(b"\x89PNG\r\n\x1a\n".as_slice());
    let url = || Media::from_url(MediaKind::Image, "https://a.example/burning.png");
    let stored = |scheme| Media::file_id(MediaKind::Image, format!("{scheme}://store/burning.png"));
    let asked = |media: Media| vec![Message::system("You sort tickets."), Message::user("What burns?").with(media)];
    let call = Part::ToolCall(ToolCall::new("call_1", "look", "{}"));
    let result = |media| {
        let called = Message::new(Role::Assistant, [call.clone()]);
        vec![Message::user("What burns?"), called, Message::tool("call_1", "").with(media), Message::user("So?")]
    };
    vec![
        ("image", asked(png())),
        ("image_url", asked(url())),
        ("image_gs", asked(stored("gs"))),
        ("image_s3", asked(stored("s3"))),
        ("pdf", asked(Media::document(b"%PDF-1.7".as_slice()).with_name("bill.pdf"))),
        ("audio", asked(Media::audio(b"ID3\x04".as_slice()))),
        ("result", result(png())),
        ("result_url", result(url())),
    ]
}

type Body = Map<String, Value>;

/// The bodies of the first request and of the re-ask, or why there are none.
fn sent(profile: &Profile, mode: Mode, messages: &[Message], fetch: Option<FetchMedia>) -> Result<Vec<Body>, String> {
    let png = Reply::body(b"\x89PNG\r\n\x1a\n".as_slice());
    let script = Script::new()
        .when(|sent| sent.url().starts_with("https://a.example/"), png)
        .reply(Reply::value(json!({ "reason": "r", "urgency": 9 })))
        .reply(Reply::value(json!({ "reason": "r", "urgency": 1 })));
    let client = script.client(&format!("{}/some-model", profile.id()));
    let request = client.request(messages).mode(mode).fetch_media(fetch);
    match script.block_on(request.create::<Ticket>()) {
        Ok(_) => {
            let bodies = script.sent().into_iter().filter(|sent| !sent.body().is_empty());
            Ok(bodies.map(|sent| serde_json::from_slice(sent.body()).unwrap()).collect())
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{} {mode}: {error}", profile.id());
            assert!(script.sent().is_empty());
            Err(error.to_string().replace(profile.id(), "the provider"))
        }
    }
}

/// Everything but what is said.
fn rest(mut body: Body) -> Body {
    body.retain(|key, _| !SAID.contains(&key.as_str()) && key != "system" && key != "systemInstruction");
    body
}

fn said(body: &Body) -> &Vec<Value> {
    SAID.iter().find_map(|key| body.get(*key)?.as_array()).unwrap()
}

fn marks(body: &Body) -> usize {
    let text = Value::Object(body.clone()).to_string();
    MARKS.iter().map(|mark| text.matches(mark).count()).sum()
}

/// `openai, groq (schema, tools); cohere (json)`
fn told(who: &BTreeMap<String, Vec<&str>>) -> String {
    let mut by_modes: Vec<(&Vec<&str>, Vec<&str>)> = Vec::new();
    for (id, modes) in who {
        match by_modes.iter_mut().find(|(known, _)| *known == modes) {
            Some((_, ids)) => ids.push(id),
            None => by_modes.push((modes, vec![id])),
        }
    }
    let lines = by_modes.iter().map(|(modes, ids)| format!("{} ({})", ids.join(", "), modes.join(", ")));
    lines.collect::<Vec<_>>().join("; ")
}

#[test]
fn media_with_every_row_in_every_mode() {
    let plain = [Message::system("You sort tickets."), Message::user("What burns?")];
    for (name, messages) in cases() {
        let mut groups: BTreeMap<String, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
        for profile in Profile::all() {
            for mode in MODES {
                let shown = match sent(&profile, mode, &messages, None) {
                    Err(why) => why,
                    Ok(bodies) => {
                        let [first, second] = bodies.try_into().unwrap();
                        let who = format!("{name}: {} {mode}", profile.id());
                        // It is there once, and a re-ask only adds to it.
                        assert_eq!((marks(&first), marks(&second)), (1, 1), "{who}");
                        assert!(said(&second).starts_with(said(&first)), "{who}");
                        let without = sent(&profile, mode, &plain, None).unwrap().remove(0);
                        assert_eq!(rest(first.clone()), rest(without), "{who}");
                        said(&first).iter().map(|turn| format!("{turn:#}")).collect::<Vec<_>>().join("\n")
                    }
                };
                let modes = groups.entry(shown).or_default().entry(String::from(profile.id())).or_default();
                modes.push(mode.as_str());
            }
        }
        let mut groups: Vec<(String, String)> = groups.iter().map(|(shown, who)| (told(who), shown.clone())).collect();
        groups.sort();
        let text: Vec<String> = groups.iter().map(|(who, shown)| format!("## {who}\n{shown}")).collect();
        insta::with_settings!({ snapshot_path => "snapshots/media", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, text.join("\n\n"));
        });
    }
}

/// Where the URL itself is not taken the bytes go, and the request is the one of the bytes.
#[test]
fn a_url_is_taken_by_all_who_take_bytes_once_it_may_be_fetched() {
    let cases = cases();
    let of = |name| &cases.iter().find(|(known, _)| *known == name).unwrap().1;
    let (mut by_url, mut fetched) = (0, 0);
    for (bytes, url) in [("image", "image_url"), ("result", "result_url")] {
        for profile in Profile::all() {
            let as_bytes = sent(&profile, Mode::MdJson, of(bytes), None);
            let as_url = sent(&profile, Mode::MdJson, of(url), None);
            let allowed = sent(&profile, Mode::MdJson, of(url), Some(FetchMedia::new()));
            match (as_bytes, as_url) {
                (Ok(_), Ok(as_url)) => {
                    by_url += 1;
                    assert_eq!(allowed.unwrap(), as_url, "{}", profile.id());
                }
                (Ok(as_bytes), Err(why)) => {
                    fetched += 1;
                    assert!(why.contains("fetch_media"), "{}: {why}", profile.id());
                    assert_eq!(allowed.unwrap(), as_bytes, "{}", profile.id());
                }
                (Err(_), as_url) => assert_eq!(allowed.unwrap_err(), as_url.unwrap_err()),
            }
        }
    }
    assert!(by_url > 20 && fetched >= 3, "{by_url} {fetched}");
}
