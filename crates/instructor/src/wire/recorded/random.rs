//! Bodies that nobody wrote: no panic, and no split that matters.

mod binary;

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{corpus, own, view};
use crate::message::Part;
use crate::provider::{Profile, Quirks};
use crate::wire::{Hearing, Response, Told, Undecoded, read_response};

fn profiles() -> [Profile; 8] {
    let openai = Profile::openai_compatible("any", "http://localhost/v1");
    let all = Quirks::ECHO_REASONING.and(Quirks::REASONING_ON_TOP);
    let anthropic = Profile::anthropic_compatible("any", "http://localhost");
    let gemini = Profile::gemini_compatible("any", "http://localhost");
    let responses = Profile::openai_responses_compatible("any", "http://localhost/v1");
    let [cohere, bedrock, ollama] = ["cohere", "bedrock", "ollama_chat"].map(|id| Profile::named(id).unwrap());
    [openai.clone(), openai.with_quirks(all), anthropic, gemini, responses, cohere, bedrock, ollama]
}

/// An answer that comes in pieces, as from the network.
pub(super) fn in_pieces(profile: &Profile, pieces: &[&[u8]]) -> Result<Response, Undecoded> {
    let mut hearing = Hearing::new(profile);
    for piece in pieces {
        hearing.push(piece);
        while hearing.next()? {}
    }
    hearing.finish(profile)
}

/// What can be compared of a result.
pub(super) fn outcome(result: &Result<Response, Undecoded>) -> Value {
    match result {
        Ok(response) => view(response),
        Err(Undecoded::Failure(failure)) => json!({"failure": failure.describe()}),
        Err(Undecoded::Unreadable(why)) => json!({"unreadable": why}),
        Err(Undecoded::Cut) => json!("cut"),
    }
}

fn cut(body: &[u8], mut at: Vec<usize>) -> Vec<&[u8]> {
    at.iter_mut().for_each(|at| *at %= body.len() + 1);
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|ends| &body[ends[0]..ends[1]]).collect()
}

/// Real bodies, of both protocols: own ones, and some recorded ones where they are there.
fn bodies() -> Vec<Vec<u8>> {
    let recorded = corpus::all().iter().step_by(9).map(corpus::Exchange::body);
    let recorded = recorded.filter(|body| body.len() < 20_000);
    own::cases().into_iter().map(|case| case.body).chain(recorded).filter(|body| !body.is_empty()).collect()
}

fn streams() -> Vec<Vec<u8>> {
    bodies()
        .into_iter()
        .filter(|body| ["data", "event", ":", "\0", "{\"m"].iter().any(|s| body.starts_with(s.as_bytes())))
        .collect()
}

/// JSON whose keys and words are those that the decoders look for, in places where they may not belong.
fn near_json() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "STOP",
        "args",
        "arguments",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "choices",
        "code",
        "completion_tokens",
        "completion_tokens_details",
        "content",
        "content_block",
        "content_block_delta",
        "content_block_start",
        "data",
        "delta",
        "error",
        "finish_reason",
        "function",
        "function_call",
        "id",
        "index",
        "input",
        "input_tokens",
        "message",
        "message_delta",
        "message_start",
        "metadata",
        "name",
        "output_tokens",
        "partial_json",
        "prompt_tokens",
        "raw",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "reasoning_tokens",
        "refusal",
        "stop_reason",
        "text",
        "thinking",
        "tool_calls",
        "tool_use",
        "type",
        "usage",
        "prompt_tokens_details",
        "cached_tokens",
        "candidates",
        "candidatesTokenCount",
        "MALFORMED_FUNCTION_CALL",
        "blockReason",
        "details",
        "finishMessage",
        "finishReason",
        "functionCall",
        "inlineData",
        "parts",
        "promptFeedback",
        "promptTokenCount",
        "thought",
        "thoughtSignature",
        "usageMetadata",
        "call_id",
        "completed",
        "content_index",
        "incomplete",
        "incomplete_details",
        "item",
        "output",
        "output_index",
        "output_tokens_details",
        "phase",
        "reason",
        "response",
        "response.completed",
        "response.function_call_arguments.delta",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "status",
        "summary",
    ];
    json_of(WORDS)
}

fn json_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let word = prop::sample::select(words);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(vec![1e300, -1.0, 0.5]).prop_map(Value::from),
        word.clone().prop_map(Value::from),
        "[a-z{}\"\\\\é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word.clone(), inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (String::from(key), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Byte ranges to copy over others.
fn edits() -> impl Strategy<Value = Vec<(Range<usize>, usize)>> {
    vec((any::<usize>(), 0..40_usize, any::<usize>()), 1..4)
        .prop_map(|edits| edits.into_iter().map(|(from, n, to)| (from..from.saturating_add(n), to)).collect())
}

fn edited(mut body: Vec<u8>, edits: Vec<(Range<usize>, usize)>) -> Vec<u8> {
    for (range, to) in edits {
        let len = body.len();
        if len == 0 {
            break;
        }
        let (from, to) = (range.start % len, to % len);
        let piece = body[from..(from + range.len()).min(len)].to_vec();
        let end = (to + piece.len() / 2).min(len);
        body.splice(to..end, piece);
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..200)) {
        for profile in profiles() {
            _ = read_response(&body, &profile);
            _ = in_pieces(&profile, &[&body]);
        }
    }

    #[test]
    fn any_json_is_read_or_refused(values in vec(near_json(), 1..4)) {
        let stream: String = values.iter().map(|value| format!("data: {value}\n\n")).collect();
        let body = json!({"choices": [{"message": values[0], "delta": values[0]}], "content": values, "usage": values[0],
            "candidates": [{"content": {"parts": values}, "finishReason": values[0]}], "usageMetadata": values[0],
            "output": values});
        for profile in profiles() {
            _ = read_response(values[0].to_string().as_bytes(), &profile);
            _ = read_response(body.to_string().as_bytes(), &profile);
            _ = read_response(stream.as_bytes(), &profile);
        }
    }

    #[test]
    fn edited_bodies_are_read_or_refused(body in prop::sample::select(bodies()), edits in edits()) {
        let body = edited(body, edits);
        for profile in profiles() {
            _ = read_response(&body, &profile);
        }
    }

    #[test]
    fn any_split_gives_the_same(
        body in prop::sample::select(streams()),
        edits in prop::option::of(edits()),
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let body = edits.map_or(body.clone(), |edits| edited(body, edits));
        let pieces = cut(&body, cuts);
        for profile in profiles() {
            prop_assert_eq!(outcome(&in_pieces(&profile, &pieces)), outcome(&in_pieces(&profile, &[&body])));
        }
    }
}

/// What is told on the way is what the whole says at the end, however the bytes were split; and it only grows.
#[test]
fn what_is_told_on_the_way_is_what_the_answer_says() {
    let mut streams = 0;
    for exchange in corpus::all().iter().filter(|e| e.status() < 400 && !e.is("error_in_200")) {
        let (profile, body) = (exchange.profile(), exchange.body());
        let lines = body.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{")).count() > 1;
        if body.starts_with(b"{") && !(lines && profile.wire().streams_lines()) {
            continue;
        }
        for size in [37, body.len()] {
            let mut hearing = Hearing::new(&profile);
            let mut told: Vec<(bool, String)> = Vec::new();
            let mut over: Vec<usize> = Vec::new();
            for piece in body.chunks(size) {
                hearing.push(piece);
                while hearing.next().unwrap() {
                    for (at, part) in (0..).map_while(|at| hearing.told(at)).enumerate() {
                        let (call, text) = match part {
                            Told::Text(text) => (false, text),
                            Told::Call { arguments, .. } => (true, arguments),
                        };
                        // What is over stays as it is.
                        let now_over = matches!(part, Told::Call { over: true, .. });
                        let before = told.get(at).map(|(_, text)| text.as_str());
                        if over.contains(&at) {
                            assert!(now_over && before == Some(text), "{}: {at}", exchange.name);
                        } else if now_over {
                            over.push(at);
                        }
                        match told.get_mut(at) {
                            None => told.push((call, String::from(text))),
                            Some(before) => {
                                assert!(before.0 == call && text.starts_with(&before.1), "{}: {at}", exchange.name);
                                before.1.push_str(&text[before.1.len()..]);
                            }
                        }
                    }
                }
            }
            // A call without arguments may be told as one without text.
            let empty = |(call, text): &(bool, String)| text.is_empty() || (*call && text == "{}");
            told.retain(|part| !empty(part));
            let response = hearing.finish(&profile).unwrap();
            let said = response.parts.iter().filter_map(|part| match part {
                Part::Text(text) => Some((false, text.clone())),
                Part::ToolCall(call) => Some((true, call.arguments.clone())),
                _ => None,
            });
            let said: Vec<(bool, String)> = said.filter(|part| !empty(part)).collect();
            assert_eq!(told, said, "{}", exchange.name);
        }
        streams += 1;
    }
    println!("streams: {streams}");
    assert!(corpus::all().is_empty() || streams >= 384, "{streams}");
}
