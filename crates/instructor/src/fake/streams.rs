//! Answers as streams, in the protocol that a request was made in.

use bytes::Bytes;
use serde_json::{Value, json};

use super::frames::message;

/// Whether a request wants its answer as a stream.
pub(crate) fn wanted(path: &str, request: &Value) -> bool {
    let asked = request.get("stream").and_then(Value::as_bool);
    // One protocol streams unless it is told not to.
    let by_path = [":streamGenerateContent", ":streamRawPredict", "/converse-stream"];
    by_path.iter().any(|end| path.ends_with(end)) || asked.unwrap_or(path.ends_with("/api/chat"))
}

/// The path of the same request for an answer that comes whole.
pub(crate) fn plain(path: &str) -> String {
    path.replace(":streamGenerateContent", ":generateContent")
        .replace(":streamRawPredict", ":rawPredict")
        .replace("/converse-stream", "/converse")
}

/// The stream that tells an answer in deltas of so many characters.
pub(crate) fn tell(path: &str, request: &Value, answer: &Value, size: usize) -> Bytes {
    let mut out = Told { bytes: Vec::new(), size: size.max(1) };
    if path.contains(":generateContent") {
        out.gemini(answer);
    } else if path.ends_with("/converse") {
        out.bedrock(answer);
    } else if path.ends_with("/v2/chat") {
        out.cohere(answer);
    } else if path.ends_with("/messages") || path.ends_with(":rawPredict") {
        out.anthropic(answer);
    } else if path.ends_with("/responses") {
        out.responses(answer);
    } else if path.ends_with("/api/chat") {
        out.ollama(answer);
    } else {
        let usage = request.pointer("/stream_options/include_usage").is_some_and(|asked| asked == true);
        out.chat(answer, usage);
    }
    out.bytes.into()
}

struct Told {
    bytes: Vec<u8>,
    size: usize,
}

/// The pieces of a text.
fn pieces(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
        let (piece, more) = rest.split_at(end);
        rest = more;
        (!piece.is_empty()).then_some(piece)
    })
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn get<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// Sets a field of an object that is there.
fn set(value: &mut Value, pointer: &str, new: Value) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(fields) = value.pointer_mut(parent).and_then(Value::as_object_mut) {
        fields.insert(String::from(key), new);
    }
}

impl Told {
    fn data(&mut self, value: &Value) {
        self.bytes.extend_from_slice(format!("data: {value}\n\n").as_bytes());
    }

    fn named(&mut self, name: &str, mut value: Value) {
        if let Some(fields) = value.as_object_mut() {
            fields.insert(String::from("type"), Value::from(name));
        }
        self.bytes.extend_from_slice(format!("event: {name}\n").as_bytes());
        self.data(&value);
    }

    fn chat(&mut self, answer: &Value, usage: bool) {
        let chunk = |delta: Value, finish: &Value| {
            json!({ "id": get(answer, "/id"), "object": "chat.completion.chunk", "model": get(answer, "/model"),
                "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
        };
        let open = Value::Null;
        self.data(&chunk(json!({ "role": "assistant", "content": "" }), &open));
        for piece in pieces(text(answer, "/choices/0/message/content"), self.size) {
            self.data(&chunk(json!({ "content": piece }), &open));
        }
        for (index, call) in list(answer, "/choices/0/message/tool_calls").iter().enumerate() {
            let name = json!({ "index": index, "id": get(call, "/id"), "type": "function",
                "function": { "name": get(call, "/function/name"), "arguments": "" } });
            self.data(&chunk(json!({ "tool_calls": [name] }), &open));
            for piece in pieces(text(call, "/function/arguments"), self.size) {
                let more = json!({ "index": index, "function": { "arguments": piece } });
                self.data(&chunk(json!({ "tool_calls": [more] }), &open));
            }
        }
        let mut last = chunk(json!({}), get(answer, "/choices/0/finish_reason"));
        if !usage {
            // Servers that can't be asked to count do so anyway.
            set(&mut last, "/usage", get(answer, "/usage").clone());
        }
        self.data(&last);
        if usage {
            self.data(&json!({ "id": get(answer, "/id"), "choices": [], "usage": get(answer, "/usage") }));
        }
        self.bytes.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn responses(&mut self, answer: &Value) {
        let mut begun = answer.clone();
        set(&mut begun, "/status", Value::from("in_progress"));
        set(&mut begun, "/output", json!([]));
        self.named("response.created", json!({ "response": begun }));
        for (index, item) in list(answer, "/output").iter().enumerate() {
            let mut added = item.clone();
            let call = get(item, "/type") == "function_call";
            let (field, empty) = if call { ("arguments", json!("")) } else { ("content", json!([])) };
            set(&mut added, &format!("/{field}"), empty);
            self.named("response.output_item.added", json!({ "output_index": index, "item": added }));
            let (name, said) = match call {
                true => ("response.function_call_arguments", text(item, "/arguments")),
                false => ("response.output_text", text(item, "/content/0/text")),
            };
            for piece in pieces(said, self.size) {
                let delta = json!({ "output_index": index, "content_index": 0, "delta": piece });
                self.named(&format!("{name}.delta"), delta);
            }
            self.named("response.output_item.done", json!({ "output_index": index, "item": item }));
        }
        self.named("response.completed", json!({ "response": answer }));
    }

    fn anthropic(&mut self, answer: &Value) {
        let mut message = answer.clone();
        set(&mut message, "/content", json!([]));
        set(&mut message, "/stop_reason", Value::Null);
        set(&mut message, "/usage/output_tokens", json!(1));
        self.named("message_start", json!({ "message": message }));
        for (index, block) in list(answer, "/content").iter().enumerate() {
            let mut start = block.clone();
            let call = get(block, "/type") == "tool_use";
            let (field, empty) = if call { ("input", json!({})) } else { ("text", json!("")) };
            let said = if call { get(block, "/input").to_string() } else { String::from(text(block, "/text")) };
            set(&mut start, &format!("/{field}"), empty);
            self.named("content_block_start", json!({ "index": index, "content_block": start }));
            for piece in pieces(&said, self.size) {
                let delta = match call {
                    true => json!({ "type": "input_json_delta", "partial_json": piece }),
                    false => json!({ "type": "text_delta", "text": piece }),
                };
                self.named("content_block_delta", json!({ "index": index, "delta": delta }));
            }
            self.named("content_block_stop", json!({ "index": index }));
        }
        let usage = json!({ "output_tokens": get(answer, "/usage/output_tokens") });
        let delta = json!({ "stop_reason": get(answer, "/stop_reason"), "stop_sequence": null });
        self.named("message_delta", json!({ "delta": delta, "usage": usage }));
        self.named("message_stop", json!({}));
    }

    fn gemini(&mut self, answer: &Value) {
        let chunk = |part: &Value| {
            json!({ "candidates": [{ "content": { "role": "model", "parts": [part] }, "index": 0 }],
                "modelVersion": get(answer, "/modelVersion"), "responseId": get(answer, "/responseId") })
        };
        for part in list(answer, "/candidates/0/content/parts") {
            match part.get("text").and_then(Value::as_str) {
                Some(said) => {
                    let size = self.size;
                    pieces(said, size).for_each(|piece| self.data(&chunk(&json!({ "text": piece }))));
                }
                // A call comes whole.
                None => self.data(&chunk(part)),
            }
        }
        let mut last = answer.clone();
        set(&mut last, "/candidates/0/content/parts", json!([]));
        self.data(&last);
    }

    fn cohere(&mut self, answer: &Value) {
        self.named(
            "message-start",
            json!({ "id": get(answer, "/id"), "delta": { "message": { "role": "assistant" } } }),
        );
        for (index, block) in list(answer, "/message/content").iter().enumerate() {
            let start = json!({ "message": { "content": { "type": "text", "text": "" } } });
            self.named("content-start", json!({ "index": index, "delta": start }));
            for piece in pieces(text(block, "/text"), self.size) {
                let delta = json!({ "message": { "content": { "text": piece } } });
                self.named("content-delta", json!({ "index": index, "delta": delta }));
            }
            self.named("content-end", json!({ "index": index }));
        }
        for (index, call) in list(answer, "/message/tool_calls").iter().enumerate() {
            let mut start = call.clone();
            set(&mut start, "/function/arguments", json!(""));
            self.named("tool-call-start", json!({ "index": index, "delta": { "message": { "tool_calls": start } } }));
            for piece in pieces(text(call, "/function/arguments"), self.size) {
                let delta = json!({ "message": { "tool_calls": { "function": { "arguments": piece } } } });
                self.named("tool-call-delta", json!({ "index": index, "delta": delta }));
            }
            self.named("tool-call-end", json!({ "index": index }));
        }
        let delta = json!({ "finish_reason": get(answer, "/finish_reason"), "usage": get(answer, "/usage") });
        self.named("message-end", json!({ "delta": delta }));
        self.bytes.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn bedrock(&mut self, answer: &Value) {
        let mut event = |name: &str, payload: Value| {
            let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
            self.bytes.extend(message(&headers, payload.to_string().as_bytes()));
        };
        event("messageStart", json!({ "role": "assistant" }));
        for (index, block) in list(answer, "/output/message/content").iter().enumerate() {
            let call = block.get("toolUse");
            if let Some(call) = call {
                let start = json!({ "toolUse": { "toolUseId": get(call, "/toolUseId"), "name": get(call, "/name") } });
                event("contentBlockStart", json!({ "contentBlockIndex": index, "start": start }));
            }
            let said = call.map_or_else(|| String::from(text(block, "/text")), |call| get(call, "/input").to_string());
            for piece in pieces(&said, self.size) {
                let delta =
                    if call.is_some() { json!({ "toolUse": { "input": piece } }) } else { json!({ "text": piece }) };
                event("contentBlockDelta", json!({ "contentBlockIndex": index, "delta": delta }));
            }
            event("contentBlockStop", json!({ "contentBlockIndex": index }));
        }
        event("messageStop", json!({ "stopReason": get(answer, "/stopReason") }));
        event("metadata", json!({ "usage": get(answer, "/usage"), "metrics": { "latencyMs": 1 } }));
    }

    fn ollama(&mut self, answer: &Value) {
        let size = self.size;
        let mut line = |value: Value| self.bytes.extend(format!("{value}\n").into_bytes());
        let message = get(answer, "/message");
        for piece in pieces(text(message, "/content"), size) {
            line(
                json!({ "model": get(answer, "/model"), "message": { "role": "assistant", "content": piece }, "done": false }),
            );
        }
        let mut last = answer.clone();
        set(&mut last, "/message/content", json!(""));
        line(last);
    }
}
