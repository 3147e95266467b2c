//! Answers in the protocol that a request was made in.

use serde_json::{Value, json};

use super::calls;

/// The body with which a provider would answer a request with a value: as a tool call if the request asks for one, else
/// as text. The protocol is told by the path: OpenAI's chat completions or responses, Anthropic's messages,
/// Gemini's `generateContent`, Cohere's chat, Ollama's or Bedrock's Converse.
///
/// Servers of your own tests can use it where a [`Script`](crate::testing::Script) is not enough.
#[cfg(feature = "testing")]
#[must_use]
pub fn fake_body(path: &str, request: &Value, value: &Value) -> Value {
    answer(path, request, Said::Value(value))
}

/// What a fake model says.
#[derive(Clone, Copy)]
pub(crate) enum Said<'a> {
    /// A value, in the form that the request asks for.
    Value(&'a Value),
    /// Plain text, whatever was asked for.
    Text(&'a str),
    /// Calls of tools, whatever was asked for.
    Calls(&'a [(String, Value)]),
}

pub(crate) fn answer(path: &str, request: &Value, said: Said<'_>) -> Value {
    let (value, text) = match said {
        Said::Value(value) => (value, None),
        Said::Text(text) => (&Value::Null, Some(text)),
        Said::Calls(calls) => return calls::answer(path, request, calls),
    };
    if path.ends_with(":generateContent") {
        let tool = request.pointer("/tools/0/functionDeclarations/0");
        let schema = tool
            .and_then(|t| t.get("parametersJsonSchema"))
            .or_else(|| request.pointer("/generationConfig/responseJsonSchema"));
        let value = wrapped(schema, value);
        gemini(path, request, tool.and_then(|t| t.get("name")), &value, text)
    } else if path.ends_with("/converse") {
        let tool = request.pointer("/toolConfig/tools/0/toolSpec");
        let format = request.pointer("/outputConfig/textFormat/structure/jsonSchema/schema").and_then(Value::as_str);
        let format: Option<Value> = format.and_then(|schema| serde_json::from_str(schema).ok());
        let value = wrapped(tool.and_then(|t| t.pointer("/inputSchema/json")).or(format.as_ref()), value);
        bedrock(request, tool.and_then(|t| t.get("name")), &value, text)
    } else if path.ends_with("/v2/chat") {
        let tool = request.pointer("/tools/0/function");
        let schema = tool.and_then(|t| t.get("parameters")).or_else(|| request.pointer("/response_format/json_schema"));
        let value = wrapped(schema, value);
        cohere(request, tool.and_then(|t| t.get("name")), &value, text)
    } else if path.ends_with("/api/chat") {
        let tool = request.pointer("/tools/0/function");
        let schema = tool.and_then(|t| t.get("parameters")).or_else(|| request.get("format"));
        let value = wrapped(schema, value);
        ollama(request, tool.and_then(|t| t.get("name")), &value, text)
    } else if path.ends_with("/messages") || path.ends_with(":rawPredict") {
        let tool = request.pointer("/tools/0");
        let schema =
            tool.and_then(|t| t.get("input_schema")).or_else(|| request.pointer("/output_config/format/schema"));
        let value = wrapped(schema, value);
        anthropic(request, tool.and_then(|t| t.get("name")), &value, text)
    } else if path.ends_with("/responses") {
        let tool = request.pointer("/tools/0").filter(|tool| tool.get("type").is_some_and(|kind| kind == "function"));
        let schema = tool.and_then(|t| t.get("parameters")).or_else(|| request.pointer("/text/format/schema"));
        let value = wrapped(schema, value);
        openai_responses(request, tool.and_then(|t| t.get("name")), &value, text)
    } else {
        let tool = request.pointer("/tools/0/function");
        let schema =
            tool.and_then(|t| t.get("parameters")).or_else(|| request.pointer("/response_format/json_schema/schema"));
        let value = wrapped(schema, value);
        openai(request, tool.and_then(|t| t.get("name")), &value, text)
    }
}

/// A model answers in the form of the schema that it was sent, in which a scalar or list stands in an object.
fn wrapped(schema: Option<&Value>, value: &Value) -> Value {
    let properties = schema.and_then(|s| s.get("properties")).and_then(Value::as_object);
    let wrap = properties.is_some_and(|p| p.len() == 1 && p.contains_key("value"));
    if wrap && value.get("value").is_none() { json!({ "value": value }) } else { value.clone() }
}

fn openai(request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let (message, finish) = match tool.filter(|_| text.is_none()) {
        Some(name) => {
            let call = json!({ "id": "call_1", "type": "function",
                "function": { "name": name, "arguments": value.to_string() } });
            (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
        }
        None => (json!({ "role": "assistant", "content": said(value, text) }), "stop"),
    };
    let (input, output) = tokens(request, value);
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": request.get("model"),
        "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
        "usage": { "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output },
    })
}

fn openai_responses(request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let item = match tool.filter(|_| text.is_none()) {
        Some(name) => json!({ "type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed",
            "name": name, "arguments": value.to_string() }),
        None => json!({ "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{ "type": "output_text", "text": said(value, text), "annotations": [] }] }),
    };
    let (input, output) = tokens(request, value);
    json!({
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": request.get("model"),
        "output": [item],
        "usage": { "input_tokens": input, "output_tokens": output, "total_tokens": input + output },
    })
}

fn anthropic(request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let (block, stop) = match tool.filter(|_| text.is_none()) {
        Some(name) => (json!({ "type": "tool_use", "id": "toolu_1", "name": name, "input": value }), "tool_use"),
        None => (json!({ "type": "text", "text": said(value, text) }), "end_turn"),
    };
    let (input, output) = tokens(request, value);
    json!({
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request.get("model"),
        "content": [block],
        "stop_reason": stop,
        "usage": { "input_tokens": input, "output_tokens": output },
    })
}

fn gemini(path: &str, request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let part = match tool.filter(|_| text.is_none()) {
        Some(name) => json!({ "functionCall": { "name": name, "args": value } }),
        None => json!({ "text": said(value, text) }),
    };
    let (input, output) = tokens(request, value);
    let model = path.rsplit('/').next().and_then(|last| last.split(':').next());
    json!({
        "candidates": [{ "content": { "role": "model", "parts": [part] }, "finishReason": "STOP", "index": 0 }],
        "usageMetadata": { "promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output },
        "modelVersion": model,
        "responseId": "1",
    })
}

fn cohere(request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let (message, finish) = match tool.filter(|_| text.is_none()) {
        Some(name) => {
            let call = json!({ "id": "call_1", "type": "function",
                "function": { "name": name, "arguments": value.to_string() } });
            (json!({ "role": "assistant", "tool_plan": "I will call it.", "tool_calls": [call] }), "TOOL_CALL")
        }
        None => {
            let block = json!({ "type": "text", "text": said(value, text) });
            (json!({ "role": "assistant", "content": [block] }), "COMPLETE")
        }
    };
    let (input, output) = tokens(request, value);
    json!({
        "id": "1",
        "message": message,
        "finish_reason": finish,
        "usage": { "tokens": { "input_tokens": input, "output_tokens": output } },
    })
}

fn ollama(request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let message = match tool.filter(|_| text.is_none()) {
        Some(name) => {
            let call = json!({ "id": "call_1", "function": { "name": name, "arguments": value } });
            json!({ "role": "assistant", "content": "", "tool_calls": [call] })
        }
        None => json!({ "role": "assistant", "content": said(value, text) }),
    };
    let (input, output) = tokens(request, value);
    json!({
        "model": request.get("model"),
        "message": message,
        "done": true,
        "done_reason": "stop",
        "prompt_eval_count": input,
        "eval_count": output,
    })
}

fn bedrock(request: &Value, tool: Option<&Value>, value: &Value, text: Option<&str>) -> Value {
    let (block, stop) = match tool.filter(|_| text.is_none()) {
        Some(name) => (json!({ "toolUse": { "toolUseId": "tooluse_1", "name": name, "input": value } }), "tool_use"),
        None => (json!({ "text": said(value, text) }), "end_turn"),
    };
    let (input, output) = tokens(request, value);
    json!({
        "output": { "message": { "role": "assistant", "content": [block] } },
        "stopReason": stop,
        "usage": { "inputTokens": input, "outputTokens": output, "totalTokens": input + output },
    })
}

fn said(value: &Value, text: Option<&str>) -> String {
    text.map_or_else(|| value.to_string(), String::from)
}

/// About four bytes a token.
fn tokens(request: &Value, value: &Value) -> (usize, usize) {
    (request.to_string().len() / 4, value.to_string().len() / 4 + 1)
}
