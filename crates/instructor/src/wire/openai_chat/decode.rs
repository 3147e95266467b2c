use std::borrow::Cow;

use instructor_json::{Document, Kind, Node};
use serde_json::value::RawValue;

use super::NAME;
use crate::message::{Opaque, Part, ToolCall};
use crate::provider::{Profile, Quirks};
use crate::wire::response::{Finish, Response, Usage, charged, count_field, text_field};
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
        finish: ended(choice)?,
        usage: usage_of(root, profile),
        ..Response::default()
    };
    if let Some(message) = choice.get("message") {
        said(message, profile, &mut response);
    }
    Ok(response)
}

/// The failure that a body, a chunk or a choice is, in one of the forms in which servers say it beside a success status.
pub(super) fn error_object(node: Node<'_>) -> Option<Failure> {
    let said = |error: Node<'_>| match error.kind() {
        Kind::Object | Kind::Array => !error.is_empty(),
        Kind::String => !error.is_str(""),
        _ => false,
    };
    let is = |key: &str, word: &str| node.get(key).is_some_and(|kind| kind.is_str(word));
    let base = || node.get("base_resp").and_then(|base| base.get("status_code")?.as_u64());
    let failed = node.get("error").is_some_and(said)
        || is("object", "error")
        || (node.get("success").and_then(Node::as_bool) == Some(false) && node.get("errors").is_some_and(said))
        || base().is_some_and(|code| code != 0);
    failed.then(|| Failure::in_success(node))
}

/// The failure that the last chunk says in the extension of a vendor (`x_..`): why it stopped early.
pub(super) fn stopped(chunk: Node<'_>) -> Option<Failure> {
    let extensions = chunk.entries().filter(|(key, _)| key.as_str().is_some_and(|key| key.starts_with("x_")));
    extensions.map(|(_, extension)| extension).find_map(error_object)
}

fn said(message: Node<'_>, profile: &Profile, response: &mut Response) {
    response.refusal = text_field(message, "refusal");
    response.reasoning = REASONING.iter().find_map(|key| text_field(message, key)).or_else(|| details(message));
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

/// The reasoning that some servers show in a list alone.
pub(super) fn details(message: Node<'_>) -> Option<String> {
    let pieces = message.get("reasoning_details").into_iter().flat_map(Node::items);
    let text: String =
        pieces.filter_map(|piece| text_field(piece, "text").or_else(|| text_field(piece, "summary"))).collect();
    (!text.is_empty()).then_some(text)
}

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
        match block.get("thinking").or_else(|| block.get("summary")) {
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

/// Why it ended, or the failure that this says: a generation that broke off is no answer.
pub(super) fn ended(choice: Node<'_>) -> Result<Option<Finish>, Undecoded> {
    let Some(word) = text_field(choice, "finish_reason") else { return Ok(None) };
    Ok(Some(match word.as_str() {
        "stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn" => Finish::Stop,
        "length" | "model_length" | "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_calls" | "function_call" | "tool_use" => Finish::ToolCalls,
        "content_filter" | "sensitive" => Finish::Filtered,
        "error" | "abort" | "network_error" | "insufficient_system_resource" => {
            return Err(Undecoded::Failure(Failure::of(&word, Some(String::from("the generation broke off")))));
        }
        _ => Finish::Other(word),
    }))
}

/// Usage at the top level, in the choice, or in the extension object that some servers put it in.
pub(super) fn usage_of(root: Node<'_>, profile: &Profile) -> Usage {
    fn said(node: Node<'_>) -> Option<Node<'_>> {
        node.get("usage").filter(|n| n.kind() == Kind::Object && !n.is_empty())
    }
    let choice = || root.get("choices").and_then(|choices| said(choices.at(0)?));
    let node = said(root).or_else(choice).or_else(|| root.entries().find_map(|(_, extension)| said(extension)));
    node.map(|node| usage(node, profile)).unwrap_or_default()
}

/// The names under which servers count cached tokens that are in no details.
const CACHED: [&str; 4] = ["prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens", "cache_read_input_tokens"];

fn usage(node: Node<'_>, profile: &Profile) -> Usage {
    let detail = |of: &str, key: &str| count_field(node.get(of)?, key);
    let reasoning =
        detail("completion_tokens_details", "reasoning_tokens").or_else(|| count_field(node, "reasoning_tokens"));
    let first = |keys: &[&str]| keys.iter().find_map(|key| count_field(node, key));
    let output = count_field(node, "completion_tokens");
    Usage {
        input: count_field(node, "prompt_tokens"),
        output: match reasoning {
            Some(extra) if profile.quirks().contains(Quirks::REASONING_ON_TOP) => {
                output.map(|n| n.saturating_add(extra))
            }
            _ => output,
        },
        cached: detail("prompt_tokens_details", "cached_tokens").or_else(|| first(&CACHED)),
        cache_write: detail("prompt_tokens_details", "cache_write_tokens")
            .or_else(|| detail("prompt_tokens_details", "cache_creation_tokens"))
            .or_else(|| count_field(node, "cache_creation_input_tokens")),
        reasoning,
        charged: charged(node, profile.quirks().contains(Quirks::COST_IN_DOLLARS)),
        ..Usage::default()
    }
}
