//! Own exchanges: a body and what it says, in `tests/data/wire`.
//!
//! A case has a `body` (JSON or text) or a `stream` (a list: of an object, the event is written out; text is taken as
//! it stands) or `messages` of a binary stream, and one of `response` (as [`view`] shows it), `failure` and
//! `unreadable`. `status` makes it an answer with an error status and `headers`, `quirks` are added to the profile's,
//! `turn` is what a re-ask sends back: a message, or all items.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value, json};

use super::{random, view};
use crate::fake::message;
use crate::message::Message;
use crate::provider::{Profile, Quirks};
use crate::wire::{CUT, Call, Failure, Output, Response, Settings, Undecoded, read_failure, read_response};

const OPENAI: [&str; 3] = [
    include_str!("../../../tests/data/wire/openai_chat/answers.json"),
    include_str!("../../../tests/data/wire/openai_chat/streams.json"),
    include_str!("../../../tests/data/wire/openai_chat/failures.json"),
];

const ANTHROPIC: [&str; 3] = [
    include_str!("../../../tests/data/wire/anthropic/answers.json"),
    include_str!("../../../tests/data/wire/anthropic/streams.json"),
    include_str!("../../../tests/data/wire/anthropic/failures.json"),
];

const GEMINI: [&str; 3] = [
    include_str!("../../../tests/data/wire/gemini/answers.json"),
    include_str!("../../../tests/data/wire/gemini/streams.json"),
    include_str!("../../../tests/data/wire/gemini/failures.json"),
];

const BEDROCK: [&str; 3] = [
    include_str!("../../../tests/data/wire/bedrock/answers.json"),
    include_str!("../../../tests/data/wire/bedrock/streams.json"),
    include_str!("../../../tests/data/wire/bedrock/failures.json"),
];

const COHERE: [&str; 3] = [
    include_str!("../../../tests/data/wire/cohere/answers.json"),
    include_str!("../../../tests/data/wire/cohere/streams.json"),
    include_str!("../../../tests/data/wire/cohere/failures.json"),
];

const OLLAMA: [&str; 3] = [
    include_str!("../../../tests/data/wire/ollama/answers.json"),
    include_str!("../../../tests/data/wire/ollama/streams.json"),
    include_str!("../../../tests/data/wire/ollama/failures.json"),
];

const RESPONSES: [&str; 3] = [
    include_str!("../../../tests/data/wire/openai_responses/answers.json"),
    include_str!("../../../tests/data/wire/openai_responses/streams.json"),
    include_str!("../../../tests/data/wire/openai_responses/failures.json"),
];

pub(super) struct Case {
    name: String,
    pub(super) profile: Profile,
    pub(super) body: Vec<u8>,
    case: Map<String, Value>,
}

pub(super) fn cases() -> Vec<Case> {
    let openai = Profile::openai_compatible("any", "http://localhost/v1");
    let anthropic = Profile::anthropic_compatible("any", "http://localhost");
    let gemini = Profile::gemini_compatible("any", "http://localhost");
    let [cohere, bedrock, ollama] = ["cohere", "bedrock", "ollama_chat"].map(|id| Profile::named(id).unwrap());
    let responses = Profile::openai_responses_compatible("any", "http://localhost/v1");
    let mut all = Vec::new();
    let protocols = [
        (OPENAI, openai),
        (ANTHROPIC, anthropic),
        (GEMINI, gemini),
        (COHERE, cohere),
        (BEDROCK, bedrock),
        (RESPONSES, responses),
        (OLLAMA, ollama),
    ];
    for (files, profile) in protocols {
        for file in files {
            let cases: Vec<Map<String, Value>> = serde_json::from_str(file).unwrap();
            all.extend(cases.into_iter().map(|case| Case::new(case, profile.clone())));
        }
    }
    all
}

impl Case {
    fn new(case: Map<String, Value>, mut profile: Profile) -> Self {
        for quirk in case.get("quirks").and_then(Value::as_array).into_iter().flatten() {
            profile = profile.with_quirks(match quirk.as_str().unwrap() {
                "echo_reasoning" => Quirks::ECHO_REASONING,
                "reasoning_on_top" => Quirks::REASONING_ON_TOP,
                other => panic!("no quirk {other:?}"),
            });
        }
        let body = match (case.get("body"), case.get("stream"), case.get("messages")) {
            (Some(Value::String(text)), None, None) => text.clone().into_bytes(),
            (Some(json), None, None) => json.to_string().into_bytes(),
            (None, Some(events), None) => {
                events.as_array().unwrap().iter().flat_map(|e| event(e).into_bytes()).collect()
            }
            (None, None, Some(messages)) => messages.as_array().unwrap().iter().flat_map(binary).collect(),
            _ => panic!("one of body, stream and messages: {case:?}"),
        };
        let name = format!("{} {}", profile.protocol(), case["name"]);
        Self { name, profile, body, case }
    }

    fn response(&self) -> Result<Response, Undecoded> {
        read_response(&self.body, &self.profile)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(status) = self.case.get("status") {
            let status = u16::try_from(status.as_u64().unwrap()).unwrap();
            let mut headers = HeaderMap::new();
            for (name, value) in self.case.get("headers").and_then(Value::as_object).into_iter().flatten() {
                headers.insert(HeaderName::try_from(name).unwrap(), value.as_str().unwrap().parse().unwrap());
            }
            let failure = read_failure(status, &headers, &self.body, Duration::ZERO);
            return same(&describe(&failure), &self.case["failure"]);
        }
        match self.response() {
            Ok(response) => {
                same(&view(&response), self.case.get("response").unwrap_or(&Value::Null))?;
                self.case.get("turn").map_or(Ok(()), |turn| same(&self.resent(response), turn))
            }
            Err(Undecoded::Failure(failure)) => {
                same(&describe(&failure), self.case.get("failure").unwrap_or(&Value::Null))
            }
            Err(undecoded @ (Undecoded::Cut | Undecoded::Unreadable(_))) => {
                let why = if let Undecoded::Unreadable(why) = undecoded { why } else { String::from(CUT) };
                let wanted = self.case.get("unreadable").and_then(Value::as_str);
                if wanted.is_some_and(|wanted| why.contains(wanted)) { Ok(()) } else { Err(why) }
            }
        }
    }

    fn resent(&self, response: Response) -> Value {
        let turns: Vec<Message> = response.into_turn().into_iter().collect();
        let call = Call {
            model: "m",
            messages: &[],
            instructions: None,
            nudge: None,
            turns: &turns,
            output: Output::Text,
            settings: &Settings::default(),
            streamed: false,
        };
        let body = self.profile.wire().encode(&call, &self.profile).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        if let Some(items) = body.get("input") {
            return items.clone();
        }
        // One protocol begins every conversation with the user.
        body["contents"].get(1).unwrap_or(&body["messages"][0]).clone()
    }
}

fn event(event: &Value) -> String {
    match (event.as_str(), event["type"].as_str()) {
        (Some(text), _) => String::from(text),
        (None, Some(name)) => format!("event: {name}\ndata: {event}\n\n"),
        (None, None) => format!("data: {event}\n\n"),
    }
}

/// A message of a binary stream: an event or exception by its name, an error by its code, or bytes in hexadecimal.
fn binary(of: &Value) -> Vec<u8> {
    if let Some(hex) = of.as_str() {
        return (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    }
    let named = ["event", "exception", "error"].into_iter().find_map(|kind| Some((kind, of[kind].as_str()?)));
    let (kind, name) = named.unwrap();
    let payload = if of["payload"].is_null() { String::new() } else { of["payload"].to_string() };
    let kind_header = (":message-type", kind);
    match kind {
        "event" => message(&[kind_header, (":event-type", name)], payload.as_bytes()),
        "exception" => message(&[kind_header, (":exception-type", name)], payload.as_bytes()),
        _ => message(
            &[kind_header, (":error-code", name), (":error-message", of["message"].as_str().unwrap_or_default())],
            b"",
        ),
    }
}

fn describe(failure: &Failure) -> Value {
    super::sparse(&json!({
        "kind": failure.kind.as_str(),
        "code": failure.code,
        "message": failure.message,
        "generation": failure.generation,
    }))
}

fn same(ours: &Value, wanted: &Value) -> Result<(), String> {
    if ours == wanted { Ok(()) } else { Err(format!("\n  {ours}\n  {wanted}")) }
}

#[test]
fn every_case_says_what_its_file_says() {
    let cases = cases();
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| Some(format!("{}: {}", case.name, case.check().err()?))).collect();
    println!("own cases: {}", cases.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_cut_of_a_stream_gives_the_same() {
    for case in cases().iter().filter(|case| ["stream", "messages"].iter().any(|key| case.case.contains_key(*key))) {
        let whole = random::outcome(&case.response());
        for cut in 0..=case.body.len() {
            let (head, tail) = case.body.split_at(cut);
            assert_eq!(
                random::outcome(&random::in_pieces(&case.profile, &[head, tail])),
                whole,
                "{} at {cut}",
                case.name
            );
        }
    }
}
