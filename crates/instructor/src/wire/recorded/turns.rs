//! An answer that is sent back is the answer that came: opaque blocks, calls and reasoning included.

mod bedrock;
mod cohere;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::corpus::{Dialect, Exchange, all};
use super::{arguments, oracle};
use crate::message::Message;
use crate::provider::{Profile, Quirks};
use crate::wire::{Call, Output, Settings, read_response};

/// Exchanges with the assistant turn that the next request of the same conversation sent for their answer.
fn pairs(dialect: Dialect) -> Vec<(&'static Exchange, &'static Value)> {
    let successes = all().iter().filter(|e| e.dialect == dialect && e.status() < 400 && !e.is("error_in_200"));
    let places: BTreeMap<_, _> = successes.map(|exchange| (exchange.place(), exchange)).collect();
    let next = |(file, index): &(String, u64)| places.get(&(file.clone(), index + 1));
    let sent = |exchange: &Exchange, next: &'static Exchange| {
        let before = exchange.request()["messages"].as_array()?.len();
        Some(&next.request()["messages"][before]).filter(|turn| turn["role"] == "assistant")
    };
    places.iter().filter_map(|(place, exchange)| Some((*exchange, sent(exchange, next(place)?)?))).collect()
}

/// The turn that is sent for an answer.
fn resent(exchange: &Exchange, profile: &Profile) -> Value {
    let response = read_response(&exchange.body(), profile).unwrap();
    let turns: Vec<Message> = response.into_turn().into_iter().collect();
    let call = Call {
        model: "m",
        messages: &[Message::user("hello")],
        instructions: None,
        nudge: None,
        turns: &turns,
        output: Output::Text,
        settings: &Settings::default(),
        streamed: false,
    };
    let body: Value = serde_json::from_slice(&profile.wire().encode(&call, profile).unwrap()).unwrap();
    body["messages"][1].clone()
}

/// Content as a list, whichever form it was sent in, without the fields that the API adds and does not want back.
fn blocks(content: &Value) -> Value {
    if let Some(text) = content.as_str() {
        return json!([{"type": "text", "text": text}]);
    }
    let mut blocks = content.clone();
    for block in blocks.as_array_mut().into_iter().flatten() {
        let map = block.as_object_mut().unwrap();
        map.retain(|key, value| !(key == "caller" || (key == "citations" && *value == Value::Null)));
    }
    blocks
}

#[test]
fn anthropic_blocks_come_back_as_they_were() {
    let (mut same, mut thought, mut changed, mut differ) = (0, 0, Vec::new(), Vec::new());
    for (exchange, sent) in pairs(Dialect::Anthropic) {
        let came = blocks(&oracle::anthropic_message(&exchange.body())["content"]);
        if came != blocks(&sent["content"]) {
            changed.push(&exchange.name);
            continue;
        }
        let ours = blocks(&resent(exchange, &exchange.profile())["content"]);
        if ours == came {
            same += 1;
            thought += usize::from(came.to_string().contains("\"signature\""));
        } else {
            differ.push(format!("{}:\n  {ours}\n  {came}", exchange.name));
        }
    }
    println!("turns sent back: {same} ({thought} with thinking), changed by the client: {changed:?}");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(all().is_empty() || (same >= 26 && thought >= 4), "{same} {thought}");
}

/// Blocks that nothing of the library understands come back too, whether a client sent them back or not.
#[test]
fn all_anthropic_answers_come_back_as_they_were() {
    let (mut count, mut differ) = ([0, 0], Vec::new());
    for exchange in all().iter().filter(|e| e.dialect == Dialect::Anthropic && e.status() < 400) {
        let mut came = blocks(&oracle::anthropic_message(&exchange.body())["content"]);
        // Text keeps no citations, and the API refuses texts of nothing.
        let list = came.as_array_mut().unwrap();
        list.retain(|block| block["text"].as_str().is_none_or(|text| !text.trim().is_empty()));
        let mut cited = false;
        for block in list.iter_mut().filter(|block| block["type"] == "text") {
            cited |= block.as_object_mut().unwrap().remove("citations").is_some();
        }
        if list.is_empty() {
            continue;
        }
        let ours = blocks(&resent(exchange, &exchange.profile())["content"]);
        match ours == came {
            true => count[usize::from(cited)] += 1,
            false => differ.push(format!("{}:\n  {ours}\n  {came}", exchange.name)),
        }
    }
    println!("answers sent back whole: {}, without their citations: {}", count[0], count[1]);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(all().is_empty() || count[0] >= 125, "{count:?}");
}

fn calls(message: &Value) -> Vec<Value> {
    let call = |call: &Value| {
        let function = &call["function"];
        json!([call["id"], function["name"], arguments(function["arguments"].as_str().unwrap())])
    };
    oracle::list(&message["tool_calls"]).map(call).collect()
}

#[test]
fn openai_calls_and_reasoning_come_back_as_they_were() {
    const FIELDS: [&str; 3] = ["reasoning_content", "reasoning_details", "reasoning"];
    let (mut called, mut thought, mut changed, mut differ) = (0, 0, Vec::new(), Vec::new());
    for (exchange, sent) in pairs(Dialect::OpenAiChat) {
        let said = oracle::openai(&exchange.body());
        let told = calls(sent);
        let came: Vec<Value> =
            oracle::list(&said["calls"]).map(|c| json!([c["id"], c["name"], c["arguments"]])).collect();
        let profile = exchange.profile();
        let ours = resent(exchange, &profile.clone().with_quirks(Quirks::ECHO_REASONING));
        if came == told {
            called += usize::from(!told.is_empty());
            if calls(&ours) != told {
                differ.push(format!("{}: {:?} {told:?}", exchange.name, calls(&ours)));
            }
        } else {
            changed.push(format!("{} (calls)", exchange.name));
        }
        for field in FIELDS.iter().filter(|field| !sent[**field].is_null()) {
            if unformatted(&ours[*field]) == unformatted(&sent[*field]) {
                thought += 1;
            } else if !String::from_utf8(exchange.body()).unwrap().contains(&format!("{field:?}:")) {
                changed.push(format!("{} (told in another field than {field})", exchange.name));
            } else {
                differ.push(format!("{}: {field}: {} {}", exchange.name, ours[*field], sent[*field]));
            }
        }
        // Servers that did not ask for it get nothing that they may not know.
        if !profile.quirks().contains(Quirks::ECHO_REASONING) {
            let plain = resent(exchange, &profile);
            assert!(FIELDS.iter().all(|field| plain[*field].is_null()), "{}: {plain}", exchange.name);
        }
    }
    println!("turns sent back: {called} with calls, {thought} with reasoning, changed by the client: {changed:?}");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(all().is_empty() || (called >= 106 && thought >= 18), "{called} {thought}");
}

/// Details without their format, which one of the recorded clients forgets.
fn unformatted(details: &Value) -> Value {
    let mut details = details.clone();
    for item in details.as_array_mut().into_iter().flatten() {
        item.as_object_mut().unwrap().remove("format");
    }
    details
}
