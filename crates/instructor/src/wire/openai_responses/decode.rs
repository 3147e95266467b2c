use std::borrow::Cow;

use instructor_json::{Document, Kind, Node};
use serde_json::value::RawValue;

use super::NAME;
use crate::message::{Opaque, Part, ToolCall};
use crate::wire::response::{Finish, Response, Usage, charged, count_field, text_field};
use crate::wire::{Failure, Undecoded};

pub(super) fn response(body: &str) -> Result<Response, Undecoded> {
    let doc =
        Document::parse(body).map_err(|e| Undecoded::Unreadable(format!("the response body is not JSON: {e}")))?;
    let root = doc.root();
    let mut response = envelope(root)?;
    let output = output(root);
    if output.is_none() && response.finish.is_none() {
        return Err(Undecoded::Unreadable(String::from("the response body has no \"output\"")));
    }
    for item in output.into_iter().flat_map(Node::items) {
        push(item, &mut response);
    }
    settle(&mut response);
    Ok(response)
}

/// The list of items, if there is one.
pub(super) fn output(root: Node<'_>) -> Option<Node<'_>> {
    root.get("output").filter(|n| n.kind() == Kind::Array)
}

/// Everything about a response but its items; or why there is none.
pub(super) fn envelope(root: Node<'_>) -> Result<Response, Undecoded> {
    let status = text_field(root, "status");
    let error = root.get("error").is_some_and(|error| match error.kind() {
        Kind::Object => !error.is_empty(),
        Kind::String => !error.is_str(""),
        _ => false,
    });
    if error || status.as_deref() == Some("failed") {
        return Err(Undecoded::Failure(Failure::in_success(root)));
    }
    Ok(Response {
        id: text_field(root, "id"),
        model: text_field(root, "model"),
        finish: status.map(|status| finish(status, root)),
        usage: root.get("usage").map(usage).unwrap_or_default(),
        ..Response::default()
    })
}

fn finish(status: String, root: Node<'_>) -> Finish {
    match status.as_str() {
        "completed" | "complete" => Finish::Stop,
        "incomplete" => match root.get("incomplete_details").and_then(|details| text_field(details, "reason")) {
            Some(reason) if reason == "content_filter" => Finish::Filtered,
            Some(reason) if reason != "max_output_tokens" && reason != "max_tokens" => Finish::Other(reason),
            // Without a reason all that is known is that the end is missing.
            _ => Finish::Length,
        },
        _ => Finish::Other(status),
    }
}

/// A response that is complete with a call in it waits for the call's result.
pub(super) fn settle(response: &mut Response) {
    if response.finish == Some(Finish::Stop) && response.tool_calls().next().is_some() {
        response.finish = Some(Finish::ToolCalls);
    }
}

fn usage(node: Node<'_>) -> Usage {
    let detail = |of: &str, key: &str| count_field(node.get(of)?, key);
    Usage {
        input: count_field(node, "input_tokens"),
        output: count_field(node, "output_tokens"),
        cached: detail("input_tokens_details", "cached_tokens"),
        cache_write: detail("input_tokens_details", "cache_write_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        charged: charged(node, false),
        ..Usage::default()
    }
}

/// Adds an item: as it came, to go back as it came, and then what it says in neutral words.
pub(super) fn push(item: Node<'_>, response: &mut Response) {
    if item.kind() != Kind::Object {
        return;
    }
    if let Ok(json) = RawValue::from_string(String::from(item.source())) {
        response.parts.push(Part::Opaque(Opaque::new(NAME, json)));
    }
    response.parts.extend(said(item));
    if let Some(refusal) = refusal(item) {
        response.refusal.get_or_insert_default().push_str(&refusal);
    }
    if let Some(thought) = thought(item) {
        let all = response.reasoning.get_or_insert_default();
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(&thought);
    }
}

/// What an item says in neutral words: texts or a call; nothing if only this protocol has words for it.
pub(super) fn said(item: Node<'_>) -> Vec<Part> {
    match &*kind(item) {
        "message" if !is_commentary(item) => texts(item, "text").map(Part::Text).collect(),
        "function_call" => {
            let text = |key| text_field(item, key).unwrap_or_default();
            // `call_id` is what a result refers to; servers that have one id for both leave it out.
            let id = text_field(item, "call_id").unwrap_or_else(|| text("id"));
            let arguments = item.get("arguments").map(arguments).unwrap_or_default();
            vec![Part::ToolCall(ToolCall::new(id, text("name"), arguments))]
        }
        _ => Vec::new(),
    }
}

/// An item's type; what some servers leave out is a message.
fn kind(item: Node<'_>) -> Cow<'_, str> {
    let message = || if item.get("content").is_some() { "message" } else { "" };
    item.get("type").and_then(Node::as_str).unwrap_or_else(|| Cow::Borrowed(message()))
}

/// Words on the way to the answer, which are not the answer.
fn is_commentary(item: Node<'_>) -> bool {
    item.get("phase").is_some_and(|phase| phase.is_str("commentary"))
}

/// Arguments are JSON in a string; the object itself is taken too.
fn arguments(node: Node<'_>) -> Cow<'_, str> {
    match node.kind() {
        Kind::Null => Cow::Borrowed(""),
        Kind::String => node.as_str().unwrap_or_default(),
        _ => Cow::Borrowed(node.source()),
    }
}

/// This field of the blocks of an item's content; content can also be one string.
fn texts<'a>(item: Node<'a>, key: &'static str) -> impl Iterator<Item = String> {
    let content = item.get("content");
    let whole = content.filter(|_| key == "text").and_then(Node::as_str).filter(|text| !text.is_empty());
    let blocks = content.into_iter().flat_map(Node::items).filter_map(move |block| text_field(block, key));
    whole.map(Cow::into_owned).into_iter().chain(blocks)
}

fn refusal(item: Node<'_>) -> Option<String> {
    let said: String = if kind(item) == "message" { texts(item, "refusal").collect() } else { String::new() };
    (!said.is_empty()).then_some(said)
}

/// Reasoning in the model's own words or, where the provider does not show them, in summary; and commentary.
fn thought(item: Node<'_>) -> Option<String> {
    let mut paragraphs: Vec<String> = match &*kind(item) {
        "reasoning" => texts(item, "text").collect(),
        "message" if is_commentary(item) => texts(item, "text").collect(),
        _ => return None,
    };
    if paragraphs.is_empty() {
        paragraphs.extend(item.get("summary").into_iter().flat_map(Node::items).filter_map(|b| text_field(b, "text")));
    }
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}
