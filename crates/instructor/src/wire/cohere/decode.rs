use instructor_json::{Document, Kind, Node};
use serde_json::value::RawValue;

use super::NAME;
use crate::message::{Opaque, Part, ToolCall};
use crate::wire::response::{Finish, Response, Usage, count_field, text_field};
use crate::wire::{Failure, Undecoded};

/// The message field in which the model plans its calls.
const PLAN: &str = "tool_plan";

pub(super) fn response(body: &str) -> Result<Response, Undecoded> {
    let doc =
        Document::parse(body).map_err(|e| Undecoded::Unreadable(format!("the response body is not JSON: {e}")))?;
    let root = doc.root();
    let message = match root.get("message") {
        Some(message) if message.kind() == Kind::Object => message,
        Some(message) if message.kind() == Kind::String => return Err(Undecoded::Failure(Failure::in_success(root))),
        _ if root.get("error").is_some_and(|e| !e.is_null()) => {
            return Err(Undecoded::Failure(Failure::in_success(root)));
        }
        _ => return Err(Undecoded::Unreadable(String::from("the response body has no \"message\""))),
    };
    let mut response = Response { id: text_field(root, "id"), ..Response::default() };
    response.finish = ended(root)?;
    response.usage = root.get("usage").map(usage).unwrap_or_default();
    if let Some(content) = message.get("content") {
        response.parts.extend(content.as_str().filter(|text| !text.is_empty()).map(|t| Part::Text(t.into_owned())));
        for block in content.items() {
            push_block(block, &mut response);
        }
    }
    if let Some(planned) = text_field(message, PLAN) {
        plan(&planned, &mut response);
    }
    for call in message.get("tool_calls").into_iter().flat_map(Node::items) {
        response.parts.extend(tool_call(call).map(Part::ToolCall));
    }
    Ok(response)
}

/// Why it ended, or the failure that this says: a generation that broke off is no answer.
pub(super) fn ended(of: Node<'_>) -> Result<Option<Finish>, Undecoded> {
    let Some(word) = text_field(of, "finish_reason") else { return Ok(None) };
    Ok(Some(match word.as_str() {
        "COMPLETE" | "STOP_SEQUENCE" => Finish::Stop,
        "TOOL_CALL" => Finish::ToolCalls,
        "MAX_TOKENS" | "ERROR_LIMIT" => Finish::Length,
        "ERROR_TOXIC" => Finish::Filtered,
        "ERROR" | "TIMEOUT" => {
            let message = text_field(of, "error").unwrap_or_else(|| String::from("the generation failed"));
            return Err(Undecoded::Failure(Failure::of(&word, Some(message))));
        }
        _ => Finish::Other(word),
    }))
}

fn push_block(block: Node<'_>, response: &mut Response) {
    if block.get("type").is_some_and(|kind| kind.is_str("text")) {
        response.parts.extend(text_field(block, "text").map(Part::Text));
        return;
    }
    if let Some(thought) = text_field(block, "thinking") {
        response.reasoning.get_or_insert_default().push_str(&thought);
    }
    response.parts.extend(opaque(String::from(block.source())));
}

/// The plan is told as reasoning and sent back as the field that it was.
pub(super) fn plan(planned: &str, response: &mut Response) {
    let reasoning = response.reasoning.get_or_insert_default();
    if !reasoning.is_empty() {
        reasoning.push('\n');
    }
    reasoning.push_str(planned);
    response.parts.extend(opaque(format!("{{{PLAN:?}:{}}}", serde_json::Value::from(planned))));
}

/// A block that is sent back as it came.
pub(super) fn opaque(json: String) -> Option<Part> {
    json.starts_with('{').then(|| RawValue::from_string(json).ok())?.map(|raw| Part::Opaque(Opaque::new(NAME, raw)))
}

pub(super) fn tool_call(call: Node<'_>) -> Option<ToolCall> {
    let function = call.get("function").unwrap_or(call);
    let arguments = match function.get("arguments") {
        Some(node) if node.kind() == Kind::String => text_field(function, "arguments").unwrap_or_default(),
        Some(node) if !node.is_null() => String::from(node.source()),
        _ => String::new(),
    };
    let call = ToolCall::new(
        text_field(call, "id").unwrap_or_default(),
        text_field(function, "name").unwrap_or_default(),
        arguments,
    );
    let said = !(call.id.is_empty() && call.name.is_empty() && call.arguments.is_empty());
    said.then_some(call)
}

/// `tokens` is what the model read and wrote, cached tokens and Cohere's own preamble included. `billed_units`, which
/// stands beside it, leaves these out, so it is not what [`Usage`] means.
pub(super) fn usage(node: Node<'_>) -> Usage {
    let tokens = |key| count_field(node.get("tokens")?, key);
    Usage {
        input: tokens("input_tokens"),
        output: tokens("output_tokens"),
        cached: count_field(node, "cached_tokens"),
        reasoning: tokens("reasoning_tokens"),
        ..Usage::default()
    }
}
