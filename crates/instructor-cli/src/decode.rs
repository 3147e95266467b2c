//! `instructor decode`: what the library sees in a raw answer of a provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use instructor::{Error, ErrorKind, Profile, Response, ToolCall};
use serde_json::{Map, Value, json};

use crate::args::Decode;
use crate::failure::Failure;
use crate::{input, output, rows};

pub(crate) fn run(args: &Decode) -> Result<(), Failure> {
    if args.jsonl {
        return rows::answer(args.file.as_deref(), |line| one_row(line, args.provider.as_deref()));
    }
    let name = args.provider.as_deref().unwrap_or_default();
    let profile = profile(name).ok_or_else(|| Failure::setup(unknown(name)))?;
    let body = input::bytes(args.file.as_deref())?;
    let seen = read(&profile, args.status, &body, Profile::named(name).is_some());
    output::result(&format!("{seen:#}"))
}

/// A provider by its id, or the first one that speaks a protocol.
fn profile(name: &str) -> Option<Profile> {
    Profile::named(name).or_else(|| speakers(name).next())
}

/// All that speak a protocol, which may have a longer name, such as `anthropic_messages`; or, of a name that only
/// begins like a provider's, such as `mistral_chat`, that provider.
fn speakers(wire: &str) -> impl Iterator<Item = Profile> {
    let known = Profile::all().any(|profile| is_called(wire, profile.protocol()));
    Profile::all().filter(move |profile| is_called(wire, if known { profile.protocol() } else { profile.id() }))
}

fn is_called(name: &str, short: &str) -> bool {
    name.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Who is meant by a provider and a protocol: a provider may speak several, and one that is not in the table may speak a
/// protocol that is.
fn meant(provider: Option<&str>, wire: Option<&str>) -> Option<Profile> {
    let named = provider.and_then(profile);
    let Some(wire) = wire else { return named };
    let of_its_own = |speaker: &Profile| named.as_ref().is_some_and(|named| speaker.base_url() == named.base_url());
    // Two rows of one provider have the same address.
    let own = speakers(wire).find(|speaker| Some(speaker.id()) == named.as_ref().map(Profile::id));
    own.or_else(|| speakers(wire).find(of_its_own)).or_else(|| speakers(wire).next()).or(named)
}

fn unknown(name: &str) -> String {
    let ids: Vec<String> = Profile::all().map(|profile| String::from(profile.id())).collect();
    format!("{name:?} is no provider and no protocol; providers are {}", ids.join(", "))
}

fn one_row(line: &[u8], provider: Option<&str>) -> String {
    let bad = |id: &Value, error: String| json!({ "id": id, "error": error, "kind": "row" }).to_string();
    let row: Value = match serde_json::from_slice(line) {
        Ok(row) => row,
        Err(error) => return bad(&Value::Null, format!("the row is not JSON: {error}")),
    };
    let id = row.get("id").unwrap_or(&Value::Null);
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    let (named, wire) = (text("provider").or(provider), text("wire"));
    let Some(profile) = meant(named, wire) else { return bad(id, unknown(named.or(wire).unwrap_or_default())) };
    let body = match (row.get("body"), text("body_text"), text("body_base64")) {
        (_, Some(text), _) => text.as_bytes().to_vec(),
        (_, _, Some(coded)) => match STANDARD.decode(coded) {
            Ok(bytes) => bytes,
            Err(error) => return bad(id, format!("body_base64 is not base64: {error}")),
        },
        (Some(Value::String(text)), ..) => text.as_bytes().to_vec(),
        (Some(body), ..) => body.to_string().into_bytes(),
        _ => return bad(id, String::from("the row has no \"body\", \"body_text\" or \"body_base64\"")),
    };
    let status = row.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let mut out = Map::from_iter([(String::from("id"), id.clone())]);
    let seen = read(&profile, status, &body, wire.is_none());
    if let Value::Object(seen) = seen {
        out.extend(seen);
    }
    Value::Object(out).to_string()
}

/// What is seen in a body. Logs that name a provider alone may hold answers in any protocol that it speaks: what its row
/// can't read is read in the first protocol that can.
fn read(profile: &Profile, status: u16, body: &[u8], any: bool) -> Value {
    let unknown = |error: Error| {
        let other = any && error.kind() == ErrorKind::Malformed;
        let read = other.then(|| Profile::all().find_map(|other| other.decode(status, body).ok())).flatten();
        read.ok_or(error)
    };
    match profile.decode(status, body).or_else(unknown) {
        Ok(response) => seen(&response),
        Err(error) => failed(&error),
    }
}

fn seen(response: &Response) -> Value {
    let usage = &response.usage;
    json!({
        "text": response.text(),
        "tool_calls": response.tool_calls().map(call).collect::<Vec<_>>(),
        "finish": response.finish.as_ref().map(instructor::Finish::as_str),
        "usage": {
            "input": usage.input,
            "output": usage.output,
            "cached": usage.cached,
            "cache_write": usage.cache_write,
            "reasoning": usage.reasoning,
        },
        "model": response.model,
        "response_id": response.id,
        "reasoning": response.reasoning,
        "refusal": response.refusal,
    })
}

fn call(call: &ToolCall) -> Value {
    json!({ "id": call.id, "name": call.name, "arguments": call.arguments })
}

fn failed(error: &Error) -> Value {
    json!({
        "error": error.to_string(),
        "kind": error.kind().as_str(),
        "status": error.status(),
        "retryable": error.is_retryable(),
    })
}
