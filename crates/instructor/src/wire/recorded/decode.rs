use std::time::Duration;

use serde_json::Value;

use super::corpus::{Dialect, Exchange, all, errors, folder};
use super::{oracle, oracle_gemini, oracle_responses, view};
use crate::error::ErrorKind;
use crate::wire::{Response, Undecoded, read_failure, read_response};

pub(super) fn read(exchange: &Exchange) -> Result<Response, Undecoded> {
    let profile = exchange.profile();
    read_response(&exchange.body(), &profile)
}

#[test]
fn every_success_says_what_the_oracle_reads() {
    let (mut decoded, mut differ) = ([0; FLOOR.len()], Vec::new());
    for exchange in all().iter().filter(|e| e.status() < 400 && !e.is("error_in_200")) {
        let expected = match exchange.dialect {
            Dialect::OpenAiChat => oracle::openai(&exchange.body()),
            Dialect::Anthropic => oracle::anthropic(&exchange.body()),
            Dialect::Gemini => oracle_gemini::gemini(&exchange.body()),
            Dialect::Cohere => oracle::cohere(&exchange.body()),
            Dialect::Bedrock => oracle::bedrock(&exchange.record["response"]),
            Dialect::OpenAiResponses => oracle_responses::response(&exchange.body()),
            Dialect::Ollama => oracle::ollama(&exchange.body()),
        };
        match read(exchange) {
            Ok(response) if view(&response) == expected => decoded[exchange.dialect as usize] += 1,
            Ok(response) => differ.push(format!("{}:\n  {}\n  {expected}", exchange.name, view(&response))),
            Err(why) => differ.push(format!("{}: {why:?}", exchange.name)),
        }
    }
    println!("decoded: {decoded:?}");
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    assert!(all().is_empty() || decoded.iter().zip(FLOOR).all(|(n, floor)| *n >= floor), "{decoded:?}");
}

#[test]
fn recorded_interactions_are_read() {
    let exchanges = folder("gemini_interactions", Dialect::Gemini);
    for exchange in &exchanges {
        let seen = view(&read(exchange).unwrap());
        assert_eq!(seen, oracle_gemini::interaction(&exchange.body()), "{}", exchange.name);
    }
    println!("interactions: {}", exchanges.len());
    assert!(exchanges.is_empty() || exchanges.len() >= 10, "{}", exchanges.len());
}

/// How many successes there are, at least, of each protocol.
const FLOOR: [usize; 7] = [649, 128, 181, 18, 81, 184, 20];

#[test]
fn every_error_status_gives_its_kind_and_message() {
    let mut failed = 0;
    for exchange in all().iter().filter(|e| e.status() >= 400) {
        let body: Value = serde_json::from_slice(&exchange.body()).unwrap();
        let failure = read_failure(exchange.status(), &exchange.headers(), &exchange.body(), Duration::ZERO);
        assert_eq!(failure.kind, kind(exchange.status(), &body), "{}: {failure:?}", exchange.name);
        assert_eq!(failure.status, Some(exchange.status()));
        let said = [&body["error"]["message"], &body["error"], &body["message"], &body["detail"]];
        let said = said.iter().find_map(|m| m.as_str()).unwrap_or_else(|| panic!("{}: no message", exchange.name));
        let message = failure.message.as_deref().unwrap_or_default();
        assert!(message.starts_with(said), "{}: {message:?}, not {said:?}", exchange.name);
        assert_eq!(failure.generation, oracle::nonempty(&body["error"]["failed_generation"]), "{}", exchange.name);
        let shown: String = said.chars().take(60).collect();
        assert!(failure.describe().contains(&shown), "{}: {}", exchange.name, failure.describe());
        failed += 1;
    }
    println!("failed as recorded: {failed}");
    assert!(all().is_empty() || failed >= 68, "{failed}");
}

/// What is said of the schema or its form in a recorded bad request.
const DECLINED: &[&str] = &[
    "Schema is too complex for compilation",
    "too many optional parameters",
    "too many parameters with union types",
    "Invalid schema: Circular reference",
    "input_schema",
    "Thinking mode does not support this tool_choice",
    "tool_choice forces tool use",
    "tools param requires --jinja",
];

fn kind(status: u16, body: &Value) -> ErrorKind {
    let message = body["error"]["message"].as_str().unwrap_or_default();
    if DECLINED.iter().any(|words| message.contains(words)) {
        return ErrorKind::SchemaRefused;
    }
    match (status, body["error"]["code"].as_str()) {
        (_, Some("tool_use_failed")) => ErrorKind::Malformed,
        _ if body["error"]["details"][0]["reason"] == "API_KEY_INVALID" => ErrorKind::Auth,
        (_, Some("insufficient_quota")) | (402, _) => ErrorKind::Quota,
        (401 | 403, _) => ErrorKind::Auth,
        (429, _) => ErrorKind::RateLimited,
        (500.., _) => ErrorKind::Overloaded,
        _ => ErrorKind::BadRequest,
    }
}

#[test]
fn a_refusal_of_the_schema_is_told_from_every_other_recorded_error() {
    let (mut refused, mut others) = (0, 0);
    for (name, status, body) in errors() {
        let failure = read_failure(status, &http::HeaderMap::new(), &body, Duration::ZERO);
        let text = String::from_utf8_lossy(&body);
        let wanted = DECLINED.iter().any(|words| text.contains(words));
        assert_eq!(failure.kind == ErrorKind::SchemaRefused, wanted, "{name}: {text}");
        *(if wanted { &mut refused } else { &mut others }) += 1;
    }
    println!("refused: {refused}, other errors: {others}");
    assert!(refused + others == 0 || (refused >= 6 && others >= 50), "{refused}, {others}");
}

#[test]
fn an_error_in_a_success_is_a_failure() {
    let mut seen = Vec::new();
    for exchange in all().iter().filter(|e| e.is("error_in_200")) {
        match read(exchange) {
            Err(Undecoded::Failure(failure)) => seen.push((failure.kind, failure.message.unwrap_or_default())),
            other => panic!("{}: {other:?}", exchange.name),
        }
    }
    println!("errors with a success status: {}", seen.len());
    let message = "Tool choice is required, but model did not call a tool";
    let expected = [(ErrorKind::Malformed, message), (ErrorKind::BadRequest, "Token limit reached")];
    assert!(all().is_empty() || seen == expected.map(|(kind, message)| (kind, String::from(message))), "{seen:?}");
}
