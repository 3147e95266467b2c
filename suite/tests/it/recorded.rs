//! Recorded streams through the whole path: what is shown does not depend on how the body came, and agrees with the
//! value at the end.
//!
//! What is shown when: each event of a body gives at most one partial, as soon as its last byte is there, and none is
//! passed over. So each partial belongs to a byte, which is found out with one byte at a time; in any other pieces the
//! same partials come, in the same order, each with the piece in which its byte is. Snapshots coalesce: they are some of
//! these partials, and the last of them.

#![expect(clippy::print_stdout, reason = "what is skipped is told")]

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use futures_core::Stream;
use instructor::testing::Script;
use instructor::{Client, Contract, ErrorKind, Field, Mode, PartialValue, Profile};
use serde_json::{Value, json};

use super::cut;
use super::partials::extends;
use super::pieces::Pieces;

/// A few streams, always; and all that were recorded, where they are.
const FOLDERS: [&str; 2] =
    [concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"), concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/recorded")];

struct Recorded {
    name: String,
    provider: String,
    dialect: String,
    model: String,
    request: Value,
    body: Bytes,
}

impl Recorded {
    /// None for an exchange that is no stream, no success, or of a protocol that is read and never asked for.
    fn read(name: String, record: &Value) -> Option<Self> {
        let word = |key: &str| record[key].as_str().map(String::from);
        let response = &record["response"];
        let failed =
            response["status"].as_u64()? >= 400 || record["kinds"].as_array()?.contains(&json!("error_in_200"));
        if record["streaming"] != true || failed {
            return None;
        }
        let body = match &response["body_text"] {
            Value::String(text) => Bytes::from(text.clone()),
            _ => BASE64_STANDARD.decode(response["body_base64"].as_str()?).unwrap().into(),
        };
        let recorded = Self {
            name,
            provider: word("provider")?,
            dialect: word("dialect")?,
            model: word("model")?,
            request: record["request"]["body"].clone(),
            body,
        };
        recorded.protocol().map(|_| recorded)
    }

    /// The profile of any server of the protocol.
    fn protocol(&self) -> Option<Profile> {
        Some(match self.dialect.as_str() {
            "openai_chat" | "mistral_chat" => Profile::openai_compatible(&*self.provider, "http://localhost/v1"),
            "anthropic_messages" => Profile::anthropic_compatible(&*self.provider, "http://localhost"),
            "gemini_generate" => Profile::gemini_compatible(&*self.provider, "http://localhost"),
            "openai_responses" => Profile::openai_responses_compatible(&*self.provider, "http://localhost/v1"),
            "cohere_v2_chat" => Profile::named("cohere")?,
            "bedrock_converse" => Profile::named("bedrock")?,
            "ollama_chat" => Profile::named("ollama_chat")?,
            _ => return None,
        })
    }

    /// The provider's own profile, if it is known by name.
    fn profile(&self) -> Profile {
        let any = self.protocol().unwrap();
        let known = if self.provider == "vertex" { "vertexai" } else { &self.provider };
        Profile::named(known).filter(|known| known.protocol() == any.protocol()).unwrap_or(any)
    }

    fn client(&self, pieces: &Pieces) -> Client {
        let profile = self.profile();
        let mut builder = Client::builder().model(&self.model).api_key("test-key").transport(pieces.clone());
        // An address with variables of the environment is not asked for any.
        if profile.base_url().contains('{') {
            builder = builder.base_url("http://localhost");
        }
        builder.profile(profile).build().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// How a value is asked for so that this is an answer: with the schema that the request had, and with one that is
    /// made of the answer.
    fn asked(&self) -> Vec<(Mode, Contract)> {
        let Ok(response) = self.profile().decode(200, &self.body) else { return Vec::new() };
        let call = response.tool_calls().next();
        let (mode, name, text) = match call {
            Some(call) => (Mode::Tools, &*call.name, call.arguments.clone()),
            None => (Mode::MdJson, "Answer", response.text().into_owned()),
        };
        let said = schema(&self.request, call.map(|call| &*call.name)).cloned();
        let made = serde_json::from_str(&text).map_or_else(|_| json!({ "type": "object" }), |value| shape(&value));
        let contract = |mut schema: Value| {
            schema.as_object_mut()?.insert(String::from("title"), Value::from(name));
            Some((mode, Contract::from_schema(schema).ok()?))
        };
        said.into_iter().chain([made]).filter_map(contract).collect()
    }

    /// The snapshots of that.
    fn snapshots(&self, pieces: &Pieces, (mode, contract): &(Mode, Contract)) -> Vec<String> {
        let client = self.client(pieces);
        Script::new().block_on(async {
            let request = client.request("x").mode(*mode).max_retries(0);
            let stream = request.create_partial_value(contract).await.unwrap();
            let told = told(stream.snapshots(), pieces).await;
            told.into_iter().filter_map(|(_, snapshot)| Some(format!("{:?}", snapshot.ok()?))).collect()
        })
    }

    /// The items of a list that it tells as text.
    fn items(&self, pieces: &Pieces) -> Vec<(usize, Result<Value, String>)> {
        let client = self.client(pieces);
        Script::new().block_on(async {
            let request = client.request("x").mode(Mode::MdJson).max_retries(0);
            let told = told(request.create_iterable::<Value>().await.unwrap(), pieces).await;
            told.into_iter().map(|(came, item)| (came, item.map_err(|error| error.to_string()))).collect()
        })
    }

    /// What a request for a value shows of it.
    fn see(&self, pieces: &Pieces, (mode, contract): &(Mode, Contract)) -> Seen {
        let client = self.client(pieces);
        Script::new().block_on(async {
            let request = client.request("x").mode(*mode).max_retries(0);
            let mut stream = request.create_partial_value(contract).await.unwrap();
            let mut shown = Vec::new();
            while let Some(partial) = stream.next().await {
                shown.push((pieces.came(), partial.clone()));
            }
            let last = stream.partial().map(|partial| format!("{partial:?}"));
            let end = stream.finish_with_completion().await;
            let end = end.map(|(value, completion)| (value, completion.report.usage())).map_err(|error| {
                (error.kind(), format!("{error}; {:?}; {:?}", error.raw().map(<[u8]>::len), error.report().usage()))
            });
            Seen { shown, last, end }
        })
    }
}

/// What a stream gives until it ends, each with how many bytes had come.
async fn told<S: Stream + Unpin>(mut stream: S, pieces: &Pieces) -> Vec<(usize, S::Item)> {
    let mut told = Vec::new();
    while let Some(next) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        told.push((pieces.came(), next));
    }
    told
}

/// What was shown after how many bytes, and how it ended.
struct Seen {
    shown: Vec<(usize, PartialValue)>,
    /// What is still shown at the end.
    last: Option<String>,
    end: Result<(Value, instructor::Usage), (ErrorKind, String)>,
}

/// The schema in a request: of the tool that was called, or of the answer.
fn schema<'v>(request: &'v Value, tool: Option<&str>) -> Option<&'v Value> {
    match request {
        Value::Object(map) => {
            let places: &[&str] = match tool {
                Some(_) => &["parameters", "parametersJsonSchema", "input_schema", "inputSchema"],
                None => &["schema", "responseJsonSchema"],
            };
            let meant = tool.is_none_or(|tool| map.get("name").is_some_and(|name| name == tool));
            let here = places.iter().filter(|_| meant).find_map(|place| map.get(*place));
            let here = here.map(|schema| schema.get("json").unwrap_or(schema));
            here.or_else(|| map.values().find_map(|value| schema(value, tool)))
        }
        Value::Array(list) => list.iter().find_map(|item| schema(item, tool)),
        _ => None,
    }
}

/// A schema that a value fits.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "type": "null" }),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(_) => json!({ "type": "number" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(list) => {
            let mut items: Vec<Value> = list.iter().map(shape).collect();
            items.dedup();
            match items.as_slice() {
                [] => json!({ "type": "array" }),
                [one] => json!({ "type": "array", "items": one }),
                more => json!({ "type": "array", "items": { "anyOf": more } }),
            }
        }
        Value::Object(map) => {
            let properties: serde_json::Map<_, _> =
                map.iter().map(|(key, value)| (key.clone(), shape(value))).collect();
            let required: Vec<&String> = map.keys().collect();
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        }
    }
}

/// All streams; fewer, with a line that says so, where the recorded ones are not there.
fn streams(folders: &[&str]) -> Vec<Recorded> {
    let mut streams = Vec::new();
    for folder in folders {
        let Ok(folders) = fs::read_dir(folder) else {
            println!("skipped: no recorded streams");
            continue;
        };
        let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let files = folders.flat_map(|path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        for path in files.filter(|path| path.extension().is_some_and(|end| end == "json")) {
            let record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let name = Path::new(path.file_name().unwrap()).display().to_string();
            streams.extend(Recorded::read(name, &record));
        }
    }
    streams.sort_by(|a, b| a.name.cmp(&b.name));
    streams
}

/// Whether a partial says nothing that a value contradicts; if it is whole, it has all of it.
fn agrees(partial: &PartialValue, whole: bool, value: &Value) -> bool {
    let within = |field: &Field<PartialValue>, value: &Value| match field {
        Field::Pending => !whole,
        Field::Open(partial) => !whole && agrees(partial, false, value),
        Field::Done(partial) => agrees(partial, true, value),
    };
    match (partial, value) {
        (PartialValue::Null, Value::Null) => true,
        (PartialValue::Bool(shown), Value::Bool(is)) => shown == is,
        (PartialValue::Number(shown), Value::Number(is)) => shown == is,
        (PartialValue::String(shown), Value::String(is)) if whole => shown == is,
        (PartialValue::String(shown), Value::String(is)) => is.starts_with(shown),
        (PartialValue::Array(shown), Value::Array(is)) => {
            let size = if whole { shown.len() == is.len() } else { shown.len() <= is.len() };
            size && shown.iter().zip(is).all(|(field, value)| within(field, value))
        }
        (PartialValue::Object(shown), Value::Object(is)) => {
            let size = !whole || shown.iter().count() == is.len();
            size && shown.iter().all(|(key, field)| match is.get(key) {
                Some(value) => within(field, value),
                None => field.is_pending(),
            })
        }
        _ => false,
    }
}

/// Places to cut a body at, in no order that means anything.
fn cuts(random: &mut fastrand::Rng, len: usize) -> Vec<usize> {
    let most = [4, 40, 400, 4000][random.usize(..4)];
    let mut ends = Vec::new();
    let mut at = 0;
    while at < len {
        at = len.min(at + random.usize(1..=most));
        ends.push(at);
    }
    ends
}

/// So many ways to cut a body.
fn ways(seed: usize, body: &Bytes) -> Vec<Pieces> {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    let random = std::iter::repeat_with(|| cuts(&mut random, body.len())).take(2);
    std::iter::once(vec![body.len()]).chain(random).map(|ends| Pieces::new(body, ends)).collect()
}

#[test]
fn however_a_body_comes_the_same_shows_at_the_same_bytes_and_agrees_with_the_value() {
    let streams = streams(&FOLDERS);
    let (mut asked, mut values, mut partials) = (0, 0, 0);
    for (number, recorded) in streams.iter().enumerate() {
        let (name, body) = (&recorded.name, &recorded.body);
        for how in recorded.asked() {
            let bytes = recorded.see(&Pieces::new(body, 1..=body.len()), &how);
            let all: Vec<String> = bytes.shown.iter().map(|(_, partial)| format!("{partial:?}")).collect();
            for pieces in ways(number, body) {
                let seen = recorded.see(&pieces, &how);
                assert_eq!((&seen.end, &seen.last), (&bytes.end, &bytes.last), "{name} in {pieces:?}");
                let shown: Vec<String> = seen.shown.iter().map(|(_, partial)| format!("{partial:?}")).collect();
                assert_eq!(shown, all, "{name} in {pieces:?}");
                for ((came, _), (byte, _)) in seen.shown.iter().zip(&bytes.shown) {
                    assert_eq!(Some(*came), pieces.end_of(*byte), "{name} in {pieces:?}");
                }
            }
            let pieces = &ways(number, body)[1];
            let snapshots = recorded.snapshots(pieces, &how);
            assert!(bytes.last.is_none() || snapshots.last() == bytes.last.as_ref(), "{name} in {pieces:?}");
            let mut rest = all.iter();
            assert!(snapshots.iter().all(|one| rest.any(|other| one == other)), "{name} in {pieces:?}");
            // None of these takes back what was shown.
            let json: Vec<Value> = bytes.shown.iter().map(|(_, p)| serde_json::to_value(p).unwrap()).collect();
            for pair in json.windows(2) {
                assert!(extends(&pair[0], &pair[1]), "{name}: {} then {}", pair[0], pair[1]);
            }
            if let Ok((value, _)) = &bytes.end {
                for (_, partial) in &bytes.shown {
                    assert!(agrees(partial, false, value), "{name}: {partial:?}\n{value}");
                }
                assert_eq!(json.last(), Some(value), "{name}");
                values += 1;
            }
            partials += json.len();
            asked += 1;
        }
    }
    println!("{} streams, {asked} requests, {values} values, {partials} partials", streams.len());
    let floor = if streams.len() < 384 { (11, 17, 15, 60) } else { (395, 590, 380, 2300) };
    assert!((streams.len(), asked, values, partials) >= floor, "{floor:?}");
    assert!(asked >= floor.1 && values >= floor.2 && partials >= floor.3, "{floor:?}");
}

#[test]
fn a_recorded_stream_that_ends_anywhere_is_cut_and_never_a_value() {
    let mut tried = 0;
    for recorded in &streams(&FOLDERS[..1]) {
        let Some((mode, contract)) = recorded.asked().pop() else { continue };
        let see = |ends: Pieces| cut::Seen::of(&recorded.client(&ends), mode, &contract);
        let body = &recorded.body;
        if see(Pieces::new(body, [body.len()])).is_value() {
            cut::never_a_value(&recorded.name, body.len(), [1, 1], |at, breaks| {
                let ends = Pieces::new(body, [at]);
                see(if breaks { ends.breaking() } else { ends })
            });
            tried += 1;
        }
    }
    println!("{tried} streams");
    assert!(tried >= 8, "{tried}");
}

#[test]
fn however_a_body_comes_the_same_items_come_at_the_same_bytes() {
    let mut items = 0;
    for (number, recorded) in streams(&FOLDERS).iter().enumerate() {
        let (name, body) = (&recorded.name, &recorded.body);
        let bytes = recorded.items(&Pieces::new(body, 1..=body.len()));
        for pieces in ways(number, body) {
            let seen = recorded.items(&pieces);
            let at = |byte: &usize| pieces.end_of(*byte).unwrap();
            let wanted: Vec<_> = bytes.iter().map(|(byte, item)| (at(byte), item.clone())).collect();
            assert_eq!(seen, wanted, "{name} in {pieces:?}");
        }
        items += bytes.iter().filter(|(_, item)| item.is_ok()).count();
    }
    println!("{items} items");
    assert!(items >= 4, "{items}");
}
