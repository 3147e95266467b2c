use std::borrow::Cow;

use instructor_json::{Document, Kind, Node};
use serde_json::value::RawValue;

use super::NAME;
use crate::message::{Opaque, Part, ToolCall};
use crate::wire::response::{Finish, Response, Usage, count_field, sum, text_field};
use crate::wire::{Failure, Undecoded};

pub(super) fn response(body: &str) -> Result<Response, Undecoded> {
    let doc =
        Document::parse(body).map_err(|e| Undecoded::Unreadable(format!("the response body is not JSON: {e}")))?;
    let root = doc.root();
    if root.get("error").is_some_and(|e| !e.is_null()) || root.get("type").is_some_and(|t| t.is_str("error")) {
        return Err(Undecoded::Failure(Failure::in_success(root)));
    }
    let content = root.get("content").filter(|n| n.kind() == Kind::Array);
    let mut response = envelope(root);
    response.usage = whole(response.usage);
    if content.is_none() && response.finish.is_none() {
        return Err(Undecoded::Unreadable(String::from("the response body has no \"content\"")));
    }
    for block in content.into_iter().flat_map(Node::items) {
        push_block(block, &mut response);
    }
    Ok(response)
}

/// Everything about a message but its content. The usage is the bare counts.
pub(super) fn envelope(message: Node<'_>) -> Response {
    let finish = text_field(message, "stop_reason").map(finish);
    Response {
        id: text_field(message, "id"),
        model: text_field(message, "model"),
        refusal: (finish == Some(Finish::Refused)).then(|| explanation(message)),
        finish,
        usage: message.get("usage").map(counts).unwrap_or_default(),
        ..Response::default()
    }
}

pub(super) fn explanation(message: Node<'_>) -> String {
    let details = message.get("stop_details");
    details.and_then(|d| text_field(d, "explanation").or_else(|| text_field(d, "category"))).unwrap_or_default()
}

fn push_block(block: Node<'_>, response: &mut Response) {
    let kind = block.get("type").and_then(Node::as_str).unwrap_or_default();
    match &*kind {
        "text" => response.parts.extend(text_field(block, "text").map(Part::Text)),
        "tool_use" => {
            let text = |key| text_field(block, key).unwrap_or_default();
            response.parts.push(Part::ToolCall(ToolCall::new(text("id"), text("name"), input(block))));
        }
        _ => {
            if let Some(thought) = text_field(block, "thinking") {
                response.reasoning.get_or_insert_default().push_str(&thought);
            }
            response.parts.extend(opaque(String::from(block.source())));
        }
    }
}

/// The input of a call is an object; gateways to other models put its text there.
fn input(call: Node<'_>) -> Cow<'_, str> {
    let Some(input) = call.get("input") else { return Cow::Borrowed("") };
    input.as_str().unwrap_or(Cow::Borrowed(input.source()))
}

/// A block that only this protocol understands, such as a signed thinking block.
pub(super) fn opaque(json: String) -> Option<Part> {
    Some(Part::Opaque(Opaque::new(NAME, RawValue::from_string(json).ok()?)))
}

pub(super) fn finish(word: String) -> Finish {
    match word.as_str() {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "tool_use" => Finish::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Refused,
        _ => Finish::Other(word),
    }
}

/// The counts as they stand here: input tokens come without the cached ones.
pub(super) fn counts(node: Node<'_>) -> Usage {
    Usage {
        input: count_field(node, "input_tokens"),
        output: count_field(node, "output_tokens"),
        cached: count_field(node, "cache_read_input_tokens"),
        cache_write: count_field(node, "cache_creation_input_tokens"),
        cache_write_1h: node.get("cache_creation").and_then(|d| count_field(d, "ephemeral_1h_input_tokens")),
        reasoning: node.get("output_tokens_details").and_then(|d| count_field(d, "thinking_tokens")),
        charged: None,
    }
}

/// The counts as [`Usage`] has them: input tokens with the cached ones.
pub(super) fn whole(counts: Usage) -> Usage {
    Usage { input: counts.input.and_then(|n| sum(Some(n), sum(counts.cached, counts.cache_write))), ..counts }
}
