//! What the server streams: an object or a list, in deltas of 4 characters, in the events of each protocol. Their
//! fields are those of recorded streams, those included that differ from event to event and mean nothing.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A list of goods.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema, instructor::ResponseModel, instructor::Partial)]
pub(crate) struct Catalogue {
    title: String,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema, instructor::ResponseModel, instructor::Partial)]
pub(crate) struct Entry {
    name: String,
    note: Option<String>,
    price: f64,
    quantity: u32,
    in_stock: bool,
    tags: Vec<String>,
}

const DELTA: usize = 4;

fn entry(number: u32) -> Entry {
    Entry {
        name: format!("Item number {number} of the catalogue"),
        note: (!number.is_multiple_of(3)).then(|| format!("What is said of it, \"quoted\" and\nin {number} lines")),
        price: f64::from(number) + 0.25,
        quantity: number * 7 % 1000,
        in_stock: number.is_multiple_of(2),
        tags: vec![String::from("first"), format!("tag{}", number % 10)],
    }
}

/// Whose events they are, and where the text stands in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// The arguments of a tool call, where nothing else is said.
    Chat,
    /// The text of the answer.
    ChatText,
    Responses,
    Anthropic,
    /// Calls come whole here: text.
    Gemini,
    Cohere,
    Bedrock,
    /// Calls come whole here: text.
    Ollama,
}

/// What is streamed, as the address says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) protocol: Protocol,
    /// So many items of a list, or an object of about so many bytes.
    pub(crate) list: bool,
    pub(crate) size: usize,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = self.protocol.to_possible_value();
        let protocol = protocol.as_ref().map_or("", |value| value.get_name());
        write!(f, "/stream/{protocol}/{}/{}", if self.list { "list" } else { "object" }, self.size)
    }
}

impl Said {
    /// What an address asks for.
    pub(crate) fn at(address: &str) -> Option<Self> {
        let mut words = address.split_once("/stream/")?.1.split('/');
        let protocol = Protocol::from_str(words.next()?, false).ok()?;
        let list = words.next()? == "list";
        Some(Self { protocol, list, size: words.next()?.parse().ok()? })
    }

    /// The JSON that is streamed.
    pub(crate) fn text(self) -> String {
        if self.list {
            let entries: Vec<Entry> = (0..self.size as u32).map(entry).collect();
            // As a model says it that must answer with an object.
            let key = if self.protocol == Protocol::ChatText { "items" } else { "value" };
            return json!({ key: entries }).to_string();
        }
        let mut catalogue = Catalogue { title: String::from("All that there is"), entries: Vec::new() };
        let mut size = 0;
        for number in 0.. {
            let entry = entry(number);
            size += serde_json::to_string(&entry).map_or(self.size, |json| json.len() + 1);
            catalogue.entries.push(entry);
            if size >= self.size {
                break;
            }
        }
        serde_json::to_string(&catalogue).unwrap_or_default()
    }

    /// The events before the deltas, those with the deltas, and those after them.
    pub(crate) fn events(self) -> [Vec<Vec<u8>>; 3] {
        let text = self.text();
        let tool = if self.list { "Array_of_Entry" } else { "Catalogue" };
        let (begin, end) = self.protocol.frame(tool);
        let mut deltas = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.char_indices().nth(DELTA).map_or(rest.len(), |(at, _)| at));
            deltas.push(self.protocol.delta(piece, deltas.len()));
            rest = more;
        }
        [begin, deltas, end]
    }

    /// The response that streams it, each event in a chunk of its own.
    pub(crate) fn response(self) -> Vec<u8> {
        let mut out = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n".to_vec();
        let kind = match self.protocol {
            Protocol::Bedrock => "application/vnd.amazon.eventstream",
            Protocol::Ollama => "application/x-ndjson",
            _ => "text/event-stream",
        };
        out.extend_from_slice(format!("content-type: {kind}\r\n\r\n").as_bytes());
        for event in self.events().into_iter().flatten() {
            out.extend_from_slice(format!("{:x}\r\n", event.len()).as_bytes());
            out.extend_from_slice(&event);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\n\r\n");
        out
    }
}

fn data(json: &str) -> Vec<u8> {
    format!("data: {json}\n\n").into_bytes()
}

fn named(name: &str, json: &str) -> Vec<u8> {
    format!("event: {name}\ndata: {json}\n\n").into_bytes()
}

/// What hides how long a text is.
fn padding(number: usize) -> &'static str {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFG";
    &LETTERS[..1 + number * 7 % 32]
}

impl Protocol {
    /// An event whose news is a piece of the text.
    fn delta(self, piece: &str, number: usize) -> Vec<u8> {
        let text = Value::from(piece);
        let padding = padding(number);
        match self {
            Self::Chat => {
                let call = format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":{text}}}}}]}}"#);
                data(&chunk(&call, "null", padding))
            }
            Self::ChatText => data(&chunk(&format!(r#"{{"content":{text}}}"#), "null", padding)),
            Self::Responses => {
                const NAME: &str = "response.function_call_arguments.delta";
                let number = number + 4;
                let event = format!(
                    r#"{{"type":"{NAME}","sequence_number":{number},"item_id":"fc_0a1b2c3d4e5f60718293a4b5c6d7e8f9","output_index":0,"delta":{text},"obfuscation":"{padding}"}}"#
                );
                named(NAME, &event)
            }
            Self::Anthropic => {
                let event = format!(
                    r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"input_json_delta","partial_json":{text}}}}}"#
                );
                named("content_block_delta", &event)
            }
            Self::Gemini => data(&candidate(&text.to_string(), "", number)),
            Self::Cohere => {
                let event = format!(
                    r#"{{"type":"tool-call-delta","index":0,"delta":{{"message":{{"tool_calls":{{"function":{{"arguments":{text}}}}}}}}}}}"#
                );
                named("tool-call-delta", &event)
            }
            Self::Bedrock => {
                let payload =
                    format!(r#"{{"contentBlockIndex":0,"delta":{{"toolUse":{{"input":{text}}}}},"p":"{padding}"}}"#);
                message("contentBlockDelta", &payload)
            }
            Self::Ollama => {
                let time = format!("2026-07-28T06:{:02}:{:02}.{:05}Z", number / 60 % 60, number % 60, number % 99_991);
                let line = format!(
                    r#"{{"model":"qwen3:4b","created_at":"{time}","message":{{"role":"assistant","content":{text}}},"done":false}}"#
                );
                format!("{line}\n").into_bytes()
            }
        }
    }

    /// What comes before the deltas, and what comes after them.
    fn frame(self, tool: &str) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let events =
            |events: &[(&str, Value)]| events.iter().map(|(name, event)| named(name, &event.to_string())).collect();
        match self {
            Self::Chat => {
                let call = json!({ "role": "assistant", "content": null, "tool_calls": [{ "index": 0,
                    "id": "call_Hq3vT0mXw9bKcJ2n", "type": "function", "function": { "name": tool, "arguments": "" } }] });
                let end = vec![data(&chunk("{}", "\"tool_calls\"", "x")), data("[DONE]")];
                (vec![data(&chunk(&call.to_string(), "null", "x"))], end)
            }
            Self::ChatText => {
                let end = vec![data(&chunk("{}", "\"stop\"", "x")), data("[DONE]")];
                (vec![data(&chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null", "x"))], end)
            }
            Self::Responses => {
                let item = json!({ "id": "fc_0a1b2c3d4e5f60718293a4b5c6d7e8f9", "type": "function_call",
                    "status": "in_progress", "arguments": "", "call_id": "call_Hq3vT0mXw9bKcJ2n", "name": tool });
                let whole = |status: &str| {
                    json!({ "id": "resp_0a1b2c3d4e5f", "object": "response", "status": status,
                        "model": "gpt-5-mini-2025-08-07", "output": [],
                        "usage": { "input_tokens": 812, "output_tokens": 655, "total_tokens": 1467 } })
                };
                let begin = [
                    (
                        "response.created",
                        json!({ "type": "response.created", "sequence_number": 0,
                        "response": whole("in_progress") }),
                    ),
                    (
                        "response.output_item.added",
                        json!({ "type": "response.output_item.added",
                        "sequence_number": 1, "output_index": 0, "item": item }),
                    ),
                ];
                let end = json!({ "type": "response.completed", "sequence_number": 9, "response": whole("completed") });
                (events(&begin), events(&[("response.completed", end)]))
            }
            Self::Anthropic => {
                let message = json!({ "id": "msg_01", "type": "message", "role": "assistant", "content": [],
                    "model": "claude-haiku-4-5", "stop_reason": null, "stop_sequence": null,
                    "usage": { "input_tokens": 812, "output_tokens": 1 } });
                let block = json!({ "type": "tool_use", "id": "toolu_01", "name": tool, "input": {} });
                let begin = [
                    ("message_start", json!({ "type": "message_start", "message": message })),
                    (
                        "content_block_start",
                        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
                    ),
                ];
                let end = [
                    ("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })),
                    (
                        "message_delta",
                        json!({ "type": "message_delta", "usage": { "output_tokens": 655 },
                        "delta": { "stop_reason": "tool_use", "stop_sequence": null } }),
                    ),
                    ("message_stop", json!({ "type": "message_stop" })),
                ];
                (events(&begin), events(&end))
            }
            Self::Gemini => (Vec::new(), vec![data(&candidate("\"\"", r#""finishReason":"STOP","#, 655))]),
            Self::Cohere => {
                let call = json!({ "id": "call_1", "type": "function", "function": { "name": tool, "arguments": "" } });
                let begin = [
                    (
                        "message-start",
                        json!({ "type": "message-start", "id": "c1",
                        "delta": { "message": { "role": "assistant" } } }),
                    ),
                    (
                        "tool-call-start",
                        json!({ "type": "tool-call-start", "index": 0,
                        "delta": { "message": { "tool_calls": call } } }),
                    ),
                ];
                let end = [
                    ("tool-call-end", json!({ "type": "tool-call-end", "index": 0 })),
                    (
                        "message-end",
                        json!({ "type": "message-end", "delta": { "finish_reason": "TOOL_CALL",
                        "usage": { "tokens": { "input_tokens": 812, "output_tokens": 655 } } } }),
                    ),
                ];
                (events(&begin), events(&end))
            }
            Self::Bedrock => {
                let start = json!({ "contentBlockIndex": 0, "p": "abc",
                    "start": { "toolUse": { "name": tool, "toolUseId": "tooluse_1" } } });
                let begin = vec![
                    message("messageStart", r#"{"p":"abcd","role":"assistant"}"#),
                    message("contentBlockStart", &start.to_string()),
                ];
                let end = vec![
                    message("contentBlockStop", r#"{"contentBlockIndex":0,"p":"ab"}"#),
                    message("messageStop", r#"{"p":"abc","stopReason":"tool_use"}"#),
                    message("metadata", r#"{"usage":{"inputTokens":812,"outputTokens":655,"totalTokens":1467}}"#),
                ];
                (begin, end)
            }
            Self::Ollama => {
                let last = json!({ "model": "qwen3:4b", "created_at": "2026-07-28T06:39:05.45394Z",
                    "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": "stop",
                    "prompt_eval_count": 812, "eval_count": 655 });
                (Vec::new(), vec![format!("{last}\n").into_bytes()])
            }
        }
    }
}

fn chunk(delta: &str, finish: &str, padding: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-CdT5aXo7Yw2Lq8Nf1ZrKv","object":"chat.completion.chunk","created":1931337600,"model":"gpt-5-mini-2025-08-07","service_tier":"default","system_fingerprint":"fp_2f3a8b1c9d","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"obfuscation":"{padding}"}}"#
    )
}

fn candidate(text: &str, finish: &str, number: usize) -> String {
    let total = 14 + number;
    format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":{text}}}],"role":"model"}},{finish}"index":0}}],"usageMetadata":{{"promptTokenCount":14,"candidatesTokenCount":{number},"totalTokenCount":{total},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":14}}]}},"modelVersion":"gemini-2.5-flash","responseId":"Yj4saNqSDqXm7M8P5ZWFmAg"}}"#
    )
}

/// A message of the binary form: its lengths, the sum of those, the headers, the payload, the sum of all.
fn message(event: &str, payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", event), (":content-type", "application/json"), (":message-type", "event")] {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let mut out = Vec::from((16 + headers.len() as u32 + payload.len() as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload.as_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}
