use std::borrow::Cow;

use instructor_json::{Document, Kind, Node};
use serde_json::value::RawValue;

use super::NAME;
use crate::message::{Opaque, Part, ToolCall};
use crate::provider::{Profile, Quirks};
use crate::wire::response::{Finish, Response, Usage, count_field, text_field};
use crate::wire::{Failure, Undecoded};

pub(super) fn response(body: &str, profile: &Profile) -> Result<Response, Undecoded> {
    let doc =
        Document::parse(body).map_err(|e| Undecoded::Unreadable(format!("the response body is not JSON: {e}")))?;
    let root = doc.root();
    if let Some(failure) = error_object(root) {
        return Err(Undecoded::Failure(failure));
    }
    let choice = root
        .get("choices")
        .and_then(|choices| choices.at(0))
        .ok_or_else(|| Undecoded::Unreadable(String::from("the response body has no \"choices\"")))?;
    // An error can also stand in the choice (routers that lost their upstream half way).
    if let Some(failure) = error_object(choice) {
        return Err(Undecoded::Failure(failure));
    }
    let mut response = Response {
        id: text_field(root, "id"),
        model: text_field(root, "model"),
        finish: text_field(choice, "finish_reason").map(finish),
        usage: usage_of(root, profile),
        ..Response::default()
    };
    if let Some(message) = choice.get("message") {
        said(message, profile, &mut response);
    }
    Ok(response)
}

pub(super) fn error_object(node: Node<'_>) -> Option<Failure> {
    let error = node.get("error")?;
    let said = match error.kind() {
        Kind::Object => !error.is_empty(),
        Kind::String => !error.is_str(""),
        _ => false,
    };
    said.then(|| Failure::in_success(node))
}

fn said(message: Node<'_>, profile: &Profile, response: &mut Response) {
    response.refusal = text_field(message, "refusal");
    response.reasoning = REASONING.iter().find_map(|key| text_field(message, key));
    if profile.quirks().contains(Quirks::ECHO_REASONING) {
        let empty = |n: &Node<'_>| n.is_null() || (n.kind() == Kind::Array && n.is_empty());
        let given = |key: &str| Some(message.get(key).filter(|n| !empty(n))?.source());
        response.parts.extend(echo(given("reasoning_content"), given("reasoning_details"), given("reasoning")));
    }
    if let Some(content) = message.get("content") {
        text(content, response);
    }
    for call in message.get("tool_calls").into_iter().flat_map(Node::items) {
        let function = call.get("function").unwrap_or(call);
        let id = call.get("id").and_then(Node::as_str).unwrap_or_default();
        response.parts.extend(tool_call(&id, function));
    }
    // The form before tools, which some servers still answer in; those that give both forms say the same call twice.
    let called = response.tool_calls().next().is_some();
    if let Some(function) = message.get("function_call").filter(|n| n.kind() == Kind::Object && !called) {
        response.parts.extend(tool_call("", function));
    }
}

/// The names under which servers show the model's reasoning.
pub(super) const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];

/// The message fields that servers want back, as the JSON that they gave. `reasoning` says nothing that the other two
/// do not, so it goes back only where it is alone.
pub(super) fn echo(content: Option<&str>, details: Option<&str>, plain: Option<&str>) -> Option<Part> {
    let plain = plain.filter(|_| content.is_none_or(|json| json == "\"\"") && details.is_none());
    let fields: Vec<String> = [("reasoning_content", content), ("reasoning_details", details), ("reasoning", plain)]
        .iter()
        .filter_map(|(key, json)| Some(format!("{key:?}:{}", (*json)?)))
        .collect();
    if fields.is_empty() {
        return None;
    }
    let json = RawValue::from_string(format!("{{{}}}", fields.join(","))).ok()?;
    Some(Part::Opaque(Opaque::new(NAME, json)))
}

/// A call; servers that write every field of the message, used or not, give one of empty strings for none.
fn tool_call(id: &str, function: Node<'_>) -> Option<Part> {
    let name = function.get("name").and_then(Node::as_str).unwrap_or_default();
    let arguments = function.get("arguments").map(arguments).unwrap_or_default();
    let said = !(id.is_empty() && name.is_empty() && arguments.is_empty());
    said.then(|| Part::ToolCall(ToolCall::new(id, name, arguments)))
}

/// Arguments are JSON in a string; some servers put the object itself there.
pub(super) fn arguments(node: Node<'_>) -> Cow<'_, str> {
    match node.kind() {
        Kind::Null => Cow::Borrowed(""),
        Kind::String => node.as_str().unwrap_or_default(),
        _ => Cow::Borrowed(node.source()),
    }
}

/// Content is a string, or a list of blocks with text and thinking among them.
fn text(content: Node<'_>, response: &mut Response) {
    if let Some(text) = content.as_str() {
        if !text.is_empty() {
            response.parts.push(Part::Text(text.into_owned()));
        }
        return;
    }
    for block in content.items() {
        match Block::from(block) {
            Block::Text(text) if text.is_empty() => {}
            Block::Text(text) => response.parts.push(Part::Text(text.into_owned())),
            Block::Refusal(text) => response.refusal = Some(text.into_owned()).filter(|s| !s.is_empty()),
            Block::Thinking(text) => response.reasoning.get_or_insert_default().push_str(&text),
            Block::Other => {}
        }
    }
}

/// One block of a content list.
pub(super) enum Block<'a> {
    Text(Cow<'a, str>),
    Refusal(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    Other,
}

impl<'a> From<Node<'a>> for Block<'a> {
    fn from(block: Node<'a>) -> Self {
        let text = |key| block.get(key).and_then(Node::as_str);
        if let Some(text) = block.as_str().or_else(|| text("text")) {
            return Self::Text(text);
        }
        if let Some(text) = text("refusal") {
            return Self::Refusal(text);
        }
        match block.get("thinking") {
            // A string, or a list of text blocks of its own.
            Some(node) => {
                Self::Thinking(node.as_str().unwrap_or_else(|| {
                    Cow::Owned(node.items().filter_map(|block| text_field(block, "text")).collect())
                }))
            }
            None => Self::Other,
        }
    }
}

pub(super) fn finish(word: String) -> Finish {
    match word.as_str() {
        "stop" | "eos" | "end_turn" => Finish::Stop,
        "length" | "model_length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::Filtered,
        _ => Finish::Other(word),
    }
}

/// Usage at the top level, or in the extension object that some servers put it in.
pub(super) fn usage_of(root: Node<'_>, profile: &Profile) -> Usage {
    fn said(node: Node<'_>) -> Option<Node<'_>> {
        node.get("usage").filter(|n| n.kind() == Kind::Object && !n.is_empty())
    }
    let node = said(root).or_else(|| root.entries().find_map(|(_, extension)| said(extension)));
    node.map(|node| usage(node, profile)).unwrap_or_default()
}

fn usage(node: Node<'_>, profile: &Profile) -> Usage {
    let detail = |of: &str, key: &str| count_field(node.get(of)?, key);
    let reasoning = detail("completion_tokens_details", "reasoning_tokens");
    let output = count_field(node, "completion_tokens");
    Usage {
        input: count_field(node, "prompt_tokens"),
        output: match reasoning {
            Some(extra) if profile.quirks().contains(Quirks::REASONING_ON_TOP) => {
                output.map(|n| n.saturating_add(extra))
            }
            _ => output,
        },
        cached: detail("prompt_tokens_details", "cached_tokens")
            .or_else(|| count_field(node, "prompt_cache_hit_tokens"))
            .or_else(|| count_field(node, "num_cached_tokens")),
        cache_write: detail("prompt_tokens_details", "cache_write_tokens"),
        reasoning,
    }
}
