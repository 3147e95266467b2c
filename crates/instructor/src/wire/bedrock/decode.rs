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
    let message = root.get("output").and_then(|output| output.get("message"));
    let finish = text_field(root, "stopReason").map(finish);
    if message.is_none() && finish.is_none() {
        // What stands before the API says what went wrong in its own ways.
        return Err(match text_field(root, "message").is_some() || root.get("error").is_some_and(|e| !e.is_null()) {
            true => Undecoded::Failure(Failure::in_success(root)),
            false => Undecoded::Unreadable(String::from("the response body has no \"output\"")),
        });
    }
    let usage = root.get("usage").map(usage).unwrap_or_default();
    let mut response = Response { finish, usage, ..Response::default() };
    for block in message.and_then(|message| message.get("content")).into_iter().flat_map(Node::items) {
        push_block(block, &mut response);
    }
    Ok(response)
}

/// A block is an object of one field, which says what it is.
pub(super) fn push_block(block: Node<'_>, response: &mut Response) {
    if let Some(text) = block.get("text").and_then(Node::as_str) {
        response.parts.extend((!text.is_empty()).then(|| Part::Text(text.into_owned())));
        return;
    }
    if let Some(call) = block.get("toolUse").filter(|call| is_ours(*call)) {
        let text = |key| text_field(call, key).unwrap_or_default();
        let input = call.get("input").map_or("", Node::source);
        response.parts.push(Part::ToolCall(ToolCall::new(text("toolUseId"), text("name"), input)));
        return;
    }
    // Text with its sources is text; like all text it keeps none.
    if let Some(cited) = block.get("citationsContent").and_then(|cited| cited.get("content")) {
        let text: String = cited.items().filter_map(|said| text_field(said, "text")).collect();
        response.parts.extend((!text.is_empty()).then_some(Part::Text(text)));
        return;
    }
    let reasoning = block.get("reasoningContent").and_then(|content| content.get("reasoningText"));
    if let Some(thought) = reasoning.and_then(|reasoning| text_field(reasoning, "text")) {
        response.reasoning.get_or_insert_default().push_str(&thought);
    }
    if block.kind() == Kind::Object && !block.is_empty() {
        response.parts.extend(opaque(String::from(block.source())));
    }
}

/// Whether a call is of a tool of the caller's. The service runs its own tools itself and only tells of it.
pub(super) fn is_ours(call: Node<'_>) -> bool {
    call.kind() == Kind::Object && call.get("type").is_none_or(|kind| !kind.is_str("server_tool_use"))
}

/// A block that is sent back as it came.
fn opaque(json: String) -> Option<Part> {
    Some(Part::Opaque(Opaque::new(NAME, RawValue::from_string(json).ok()?)))
}

pub(super) fn finish(word: String) -> Finish {
    match word.as_str() {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "tool_use" => Finish::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "guardrail_intervened" | "content_filtered" => Finish::Filtered,
        "refusal" => Finish::Refused,
        // "malformed_model_output" and "malformed_tool_use" too: what there is of an answer is read like any other.
        _ => Finish::Other(word),
    }
}

/// Input tokens come without the cached ones here.
pub(super) fn usage(node: Node<'_>) -> Usage {
    let cached = count_field(node, "cacheReadInputTokens");
    let cache_write = count_field(node, "cacheWriteInputTokens");
    Usage {
        input: count_field(node, "inputTokens").and_then(|n| sum(Some(n), sum(cached, cache_write))),
        output: count_field(node, "outputTokens"),
        cached,
        cache_write,
        cache_write_1h: node.get("cacheDetails").and_then(|details| {
            let hour = details.items().filter(|detail| detail.get("ttl").is_some_and(|ttl| ttl.is_str("1h")));
            hour.filter_map(|detail| count_field(detail, "inputTokens")).reduce(u64::saturating_add)
        }),
        ..Usage::default()
    }
}
