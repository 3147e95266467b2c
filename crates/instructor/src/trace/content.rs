//! What is said, in the form of OpenTelemetry's conventions for messages.

use serde_json::{Value, json};

use crate::media::{Media, MediaSource};
use crate::message::{Message, Part, Role, ToolCall};
use crate::wire::{Finish, Response};

/// The messages of a request and the turns of a re-ask after them, as JSON text.
pub(super) fn input(messages: &[Message], turns: &[Message]) -> String {
    let messages: Vec<Value> = messages.iter().chain(turns).map(message).collect();
    Value::Array(messages).to_string()
}

/// An answer, as JSON text.
pub(super) fn output(response: &Response, finish: Option<&str>) -> String {
    let reasoning = response.reasoning.as_ref().map(|text| json!({ "type": "reasoning", "content": text }));
    let refusal = response.refusal.as_ref().map(|text| json!({ "type": "text", "content": text }));
    let parts: Vec<Value> = reasoning.into_iter().chain(parts(&response.parts)).chain(refusal).collect();
    json!([{ "role": "assistant", "parts": parts, "finish_reason": finish.unwrap_or("error") }]).to_string()
}

pub(super) const fn finish(finish: &Finish) -> &str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Filtered | Finish::Refused => "content_filter",
        Finish::ToolCalls => "tool_call",
        Finish::Other(word) => word.as_str(),
    }
}

fn message(message: &Message) -> Value {
    let role = match message.role() {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    json!({ "role": role, "parts": parts(message.parts()).collect::<Vec<_>>() })
}

fn parts(parts: &[Part]) -> impl Iterator<Item = Value> {
    parts.iter().filter_map(|part| {
        Some(match part {
            Part::Text(text) => json!({ "type": "text", "content": text }),
            Part::Media(media) => self::media(media),
            Part::ToolCall(ToolCall { id, name, arguments, .. }) => {
                // Arguments that are no JSON are kept as the text that they are.
                let arguments = serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
                json!({ "type": "tool_call", "id": id, "name": name, "arguments": arguments })
            }
            Part::ToolResult(result) => {
                json!({ "type": "tool_call_response", "id": result.call_id, "response": result.text })
            }
            Part::Opaque(_) | Part::CachePoint(_) => return None,
        })
    })
}

/// What is sent as bytes is told by its size: a trace is no place to keep it.
fn media(media: &Media) -> Value {
    let (modality, mime_type) = (media.kind().as_str(), media.mime());
    match media.source() {
        MediaSource::Url(url) => json!({ "type": "uri", "modality": modality, "mime_type": mime_type, "uri": &**url }),
        MediaSource::File(id) => {
            json!({ "type": "file", "modality": modality, "mime_type": mime_type, "file_id": &**id })
        }
        MediaSource::Bytes(bytes) => {
            json!({ "type": "bytes", "modality": modality, "mime_type": mime_type, "size": bytes.len() })
        }
    }
}
