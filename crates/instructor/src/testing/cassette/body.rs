//! Bodies as they stand in a file: to be read, and compared line by line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac_sha256::Hash;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redact::{Known, Redaction};
use crate::fake::message;
use crate::wire::messages;

/// A body. A whole answer is one value, a stream the list of its events; the pieces that it came in are not kept, since
/// reading does not depend on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Json(Value),
    Text(String),
    /// Server-sent events or lines, as they are.
    Events(Vec<String>),
    /// Messages of a binary stream.
    Messages(Vec<Message>),
    Base64(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    data: Value,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
}

/// A text of base64 that is longer is no text that anybody reads.
const LONG: usize = 512;

impl Content {
    /// What a request says, as it is compared.
    pub(super) fn asked(headers: &HeaderMap, body: &[u8], rules: &Redaction, known: &Known) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
            rules.value(&mut value, known);
            summarise(&mut value);
            return Some(Self::Json(value));
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // Where parts of a form meet is said by a text that is another each time.
        let boundary = kind.split_once("boundary=").map(|(_, boundary)| boundary.trim_matches('"'));
        Some(match std::str::from_utf8(body) {
            Ok(text) if kind.contains("x-www-form-urlencoded") => Self::Text(rules.form(text, known)),
            Ok(text) => {
                let text = boundary.map_or_else(|| String::from(text), |boundary| text.replace(boundary, "boundary"));
                Self::Text(rules.text(&text, known))
            }
            Err(_) => Self::Text(format!("({})", digest(&without(body, boundary)))),
        })
    }

    /// What an answer says.
    pub(super) fn answered(body: &[u8], rules: &Redaction, known: &Known) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        if let Some(messages) = messages(body) {
            let (mut events, mut data): (Vec<_>, Vec<_>) =
                messages.into_iter().map(|(event, data, failed)| ((event, failed), parsed(data))).unzip();
            rules.values(&mut data, known);
            let one = |((event, failed), data)| Message { event, data, failed };
            return Some(Self::Messages(events.drain(..).zip(data).map(one).collect()));
        }
        let Ok(text) = std::str::from_utf8(body) else { return Some(Self::Base64(STANDARD.encode(body))) };
        if let Ok(mut value) = serde_json::from_str::<Value>(text)
            && !value.is_string()
        {
            rules.value(&mut value, known);
            return Some(Self::Json(value));
        }
        let Some(mut events) = events(text) else { return Some(Self::Text(rules.text(text, known))) };
        masked(&mut events, rules, known);
        Some(Self::Events(events))
    }

    /// The bytes, in the pieces that they are kept in.
    pub(super) fn pieces(&self) -> Vec<Bytes> {
        match self {
            Self::Json(value) => vec![value.to_string().into()],
            Self::Text(text) => vec![text.clone().into()],
            Self::Events(events) => events.iter().map(|event| event.clone().into()).collect(),
            Self::Messages(messages) => messages.iter().map(|message| message.bytes().into()).collect(),
            Self::Base64(text) => vec![STANDARD.decode(text).unwrap_or_default().into()],
        }
    }

    /// As one value, to be compared.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            other => serde_json::to_value(other).unwrap_or_default(),
        }
    }
}

impl Message {
    fn bytes(&self) -> Vec<u8> {
        let event = self.event.as_deref().unwrap_or_default();
        let payload = match &self.data {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let (kind, name) = if self.failed { ("exception", ":exception-type") } else { ("event", ":event-type") };
        let headers = [(name, event), (":content-type", "application/json"), (":message-type", kind)];
        message(&headers, payload.as_bytes())
    }
}

fn parsed(data: String) -> Value {
    // A text that is read as JSON would be written as another.
    serde_json::from_str(&data).ok().filter(|value: &Value| !value.is_string()).unwrap_or(Value::String(data))
}

/// The events of a stream, or its lines; none if it is neither.
fn events(text: &str) -> Option<Vec<String>> {
    let sse = ["data:", "event:", "id:", "retry:", ":"]
        .iter()
        .any(|start| text.trim_start_matches('\u{feff}').starts_with(start));
    let lines = text.starts_with('{') && text.contains('\n');
    if !sse && !lines {
        return None;
    }
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let blank = line.trim_end_matches(['\r', '\n']).is_empty();
        match out.last_mut().filter(|_| open || (blank && sse)) {
            Some(event) => event.push_str(line),
            None => out.push(String::from(line)),
        }
        // Blank lines belong to the event that they end.
        open = sse && !blank;
    }
    Some(out)
}

/// Events without secrets, also where one lies over several of them.
fn masked(events: &mut [String], rules: &Redaction, known: &Known) {
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        for (line, text) in event.split_inclusive('\n').enumerate() {
            if let Ok(value) = serde_json::from_str(payload(text)) {
                places.push((at, line));
                values.push(value);
            }
        }
    }
    let before = values.clone();
    rules.values(&mut values, known);
    let changed = places.into_iter().zip(before.into_iter().zip(values)).filter(|(_, (before, after))| before != after);
    for ((at, line), (_, value)) in changed {
        let Some(event) = events.get_mut(at) else { continue };
        let written = event.split_inclusive('\n').enumerate().map(|(n, text)| match payload(text) {
            data if n == line => text.replacen(data, &value.to_string(), 1),
            _ => String::from(text),
        });
        *event = written.collect();
    }
    for event in events {
        *event = rules.text(event, known);
    }
}

/// The data of a line.
fn payload(line: &str) -> &str {
    line.strip_prefix("data:").unwrap_or(line).trim()
}

/// Media are said by their size and digest: they are told apart, and nobody has to read them.
fn summarise(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONG => {
            let (head, data) = match text.split_once(";base64,") {
                Some((head, data)) if head.starts_with("data:") => (format!("{head};base64,"), data),
                _ => (String::new(), text.as_str()),
            };
            if data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte)) {
                *text = format!("{head}({})", digest(data.as_bytes()));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(summarise),
        Value::Object(fields) => fields.values_mut().for_each(summarise),
        _ => {}
    }
}

fn digest(bytes: &[u8]) -> String {
    let hash: String = Hash::hash(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{} bytes, sha256 {hash}", bytes.len())
}

/// Bytes without each boundary in them.
fn without(body: &[u8], boundary: Option<&str>) -> Vec<u8> {
    let Some(boundary) = boundary.filter(|boundary| !boundary.is_empty()) else { return body.to_vec() };
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, boundary.as_bytes()) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + boundary.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &'static str, body: &[u8]) -> Option<Content> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(kind))]);
        Content::asked(&headers, body, &Redaction::new(), &Known::default())
    }

    #[test]
    fn forms_are_compared_without_what_is_another_each_time() {
        let one = asked("multipart/form-data; boundary=\"abc\"", b"--abc\r\nx\r\n--abc--");
        assert_eq!(one, asked("multipart/form-data; boundary=xyz", b"--xyz\r\nx\r\n--xyz--"));
        let bytes = |boundary: &str| [b"--", boundary.as_bytes(), b"\xff\xfe--", boundary.as_bytes()].concat();
        let one = asked("multipart/form-data; boundary=abc", &bytes("abc"));
        assert_eq!(one, asked("multipart/form-data; boundary=vwxyz", &bytes("vwxyz")));
        assert_eq!(
            asked("application/x-www-form-urlencoded", b"grant_type=x&client_secret=abc"),
            Some(Content::Text(String::from("grant_type=x&client_secret=***")))
        );
        assert_eq!(asked("application/json", b""), None);
    }

    #[test]
    fn bodies_come_back_as_they_were() {
        let binary =
            [message(&[(":event-type", "delta")], b"{\"a\":1}"), message(&[(":event-type", "end")], b"x")].concat();
        for body in [
            b"{\"b\":1,\"a\":[1.5,\"x\"]}".as_slice(),
            b"\"a text\"",
            b"no JSON",
            b"{\"a\":1}\n{\"a\":2}\n",
            b"event: a\r\ndata: {\"a\":1}\r\n\r\n: comment\n\ndata: 2\n\ndata: cut",
            &[0xff, 0, 1],
        ] {
            let content = Content::answered(body, &Redaction::new(), &Known::default()).unwrap();
            let written = serde_json::to_string(&content).unwrap();
            let content: Content = serde_json::from_str(&written).unwrap();
            assert_eq!(content.pieces().concat(), body, "{written}");
        }
        let content = Content::answered(&binary, &Redaction::new(), &Known::default()).unwrap();
        assert_eq!(messages(&content.pieces().concat()), messages(&binary));
        assert!(matches!(&content, Content::Messages(all) if all.len() == 2));
        // Of one that is cut nothing is lost either.
        let cut = binary.split_last().unwrap().1;
        assert_eq!(Content::answered(cut, &Redaction::new(), &Known::default()).unwrap().pieces().concat(), cut);
    }
}
