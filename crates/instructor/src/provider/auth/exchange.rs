//! What the token services of all clouds have in common: forms go out, JSON comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::Value;

use super::super::address::escaped;
use crate::credential::Http;
use crate::error::{Error, ErrorKind};

/// How long a host has that is only there on some machines.
const SHORT: Duration = Duration::from_secs(3);

/// A request of these headers without a body.
pub(super) fn get(url: &str, headers: &[(&str, &str)]) -> Result<Request<Bytes>, Error> {
    request("GET", url, headers, Bytes::new())
}

pub(super) fn request(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Request<Bytes>, Error> {
    let request = Request::builder().method(method).uri(url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    // The error names no value: a header may be a secret.
    request.body(body).map_err(|_| Error::config(format!("credentials can't be asked for at {url:?}")))
}

/// A form, as OAuth's token endpoints and AWS's older services take it.
pub(super) fn form(url: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>, Error> {
    let kind = (header::CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded");
    request("POST", url, &[kind, (header::ACCEPT.as_str(), "*/*")], Bytes::from(query(fields)))
}

pub(super) fn query(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    pairs.join("&")
}

/// Asks a host that is only there on some machines, twice: on a machine that has just started it may need a moment.
pub(super) async fn ask_near(http: &Http<'_>, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    match http.send_within(request.clone(), SHORT).await {
        Ok(answer) => Ok(answer),
        Err(_) => http.send_within(request, SHORT).await,
    }
}

/// The JSON of an answer; an error of `who` says what it said, and what to do.
pub(super) fn json(who: &str, answer: &Response<Bytes>, advice: &str) -> Result<Value, Error> {
    let body = checked(who, answer, advice)?;
    serde_json::from_slice(body).map_err(|_| Error::new(ErrorKind::Malformed, format!("{who} answered with no JSON")))
}

/// The body of an answer of success.
pub(super) fn checked<'a>(who: &str, answer: &'a Response<Bytes>, advice: &str) -> Result<&'a [u8], Error> {
    let status = answer.status().as_u16();
    let kind = match status {
        200..300 => return Ok(answer.body()),
        429 => ErrorKind::RateLimited,
        408 | 500.. => ErrorKind::Overloaded,
        _ => ErrorKind::Auth,
    };
    let said = reason(answer.body()).map_or_else(String::new, |said| format!(": {said}"));
    Err(Error::new(kind, format!("{who} gave no credentials: HTTP {status}{said}; {advice}")))
}

/// What an error body says, in a line that is not too long.
fn reason(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let said = match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let error = value.get("error").filter(|error| error.is_object()).unwrap_or(&value);
            let words = ["error", "code", "error_description", "message", "Message"];
            let words: Vec<&str> = words.iter().filter_map(|word| error.get(word)?.as_str()).collect();
            words.join(": ")
        }
        Err(_) => match (between(text, "Code"), between(text, "Message")) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => return None,
        },
    };
    let said: String = said.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!said.is_empty()).then_some(said)
}

/// The text of the first XML element of a name. What AWS puts there needs no unescaping.
pub(super) fn between<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.trim())
}

/// A number that some services write as text.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    let field = value.get(key)?;
    field.as_u64().or_else(|| field.as_str()?.parse().ok())
}

/// A field of text.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A field without which an answer of `who` is none.
pub(super) fn needed<'v>(value: &'v Value, key: &str, who: &str) -> Result<&'v str, Error> {
    text(value, key).ok_or_else(|| Error::new(ErrorKind::Malformed, format!("{who} answered without {key:?}")))
}
