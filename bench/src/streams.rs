//! Answers that arrive in deltas of 4 characters: what partials and items cost beside reading the stream once.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;

use instructor::Client;
use jiter::{JsonValue, PartialMode};
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::measure::{self, Program};
use crate::report::Options;
use crate::server::Server;
use crate::table::{Limit, Table};
use crate::workload::{Load, Side};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A list of goods.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema, instructor::ResponseModel, instructor::Partial)]
pub(crate) struct Catalogue {
    title: String,
    entries: Vec<Entry>,
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

/// A catalogue of about so many bytes.
pub(crate) fn catalogue(bytes: usize) -> String {
    let mut catalogue = Catalogue { title: String::from("All that there is"), entries: Vec::new() };
    let mut size = 0;
    for number in 0.. {
        let entry = entry(number);
        size += serde_json::to_string(&entry).map_or(bytes, |json| json.len() + 1);
        catalogue.entries.push(entry);
        if size >= bytes {
            break;
        }
    }
    serde_json::to_string(&catalogue).unwrap_or_default()
}

/// The response that streams it, each delta in a chunk of its own.
pub(crate) fn response(bytes: usize) -> Vec<u8> {
    let mut out = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let mut event = |data: &str| {
        let event = format!("data: {data}\n\n");
        out.extend_from_slice(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes());
    };
    let mut chunk = |delta: serde_json::Value, finish: Option<&str>| {
        let chunk = json!({ "id": "chatcmpl-CdT5aXo7Yw2Lq8Nf1ZrKv", "object": "chat.completion.chunk", "created": 1_931_337_600_u64,
            "model": "gpt-5-mini-2025-08-07", "service_tier": "default", "system_fingerprint": "fp_2f3a8b1c9d",
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }] });
        event(&chunk.to_string());
    };
    let call = |function| json!({ "tool_calls": [{ "index": 0, "function": function }] });
    chunk(
        json!({ "role": "assistant", "content": null, "tool_calls": [{ "index": 0, "id": "call_Hq3vT0mXw9bKcJ2n",
        "type": "function", "function": { "name": "Catalogue", "arguments": "" } }] }),
        None,
    );
    let text = catalogue(bytes);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.char_indices().nth(DELTA).map_or(rest.len(), |(at, _)| at));
        chunk(call(json!({ "arguments": piece })), None);
        rest = more;
    }
    chunk(json!({}), Some("tool_calls"));
    event("[DONE]");
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Cow<'a, str>,
}

/// By hand: the events of the stream, their texts in one, and a look at it after each; at the end the value of it.
pub(crate) async fn by_hand(mut response: Response, mut look: impl FnMut(&str)) -> Result<Catalogue> {
    let (mut buffer, mut text) = (Vec::new(), String::new());
    while let Some(bytes) = response.chunk().await? {
        buffer.extend_from_slice(&bytes);
        let mut from = 0;
        while let Some(end) = buffer[from..].iter().position(|&byte| byte == b'\n') {
            let line = &buffer[from..from + end];
            from += end + 1;
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            if data == b"[DONE]" {
                continue;
            }
            let chunk: Chunk<'_> = serde_json::from_slice(data)?;
            if let Some(call) = chunk.choices.first().and_then(|choice| choice.delta.tool_calls.first()) {
                text.push_str(&call.function.arguments);
                look(&text);
            }
        }
        buffer.drain(..from);
    }
    Ok(serde_json::from_str(&text)?)
}

/// What others do: all of the text again after each delta.
pub(crate) fn again(text: &str) {
    let mode = PartialMode::TrailingStrings;
    let _ = black_box(JsonValue::parse_with_config(text.as_bytes(), true, mode));
}

/// A typed view after each delta, or a snapshot of one's own.
pub(crate) async fn ours(client: &Client, owned: bool) -> Result<Catalogue> {
    let mut stream = client.request(crate::order::PROMPT).create_partial::<Catalogue>().await?;
    while let Some(partial) = stream.next().await {
        if owned {
            drop(black_box(partial.clone()));
        } else {
            black_box(partial);
        }
    }
    Ok(stream.finish().await?)
}

/// Measures streams of several sizes.
pub(crate) fn streams(options: Options) -> Result<()> {
    let mut table = Table::new(!options.json);
    let server = Server::start()?;
    let sizes: &[usize] = if options.quick { &[4, 16] } else { &[4, 16, 64, 256] };
    if !measure::has_valgrind() {
        return Err("no valgrind on this machine: streams are measured in instructions and allocations".into());
    }
    let mut before: Option<(f64, f64)> = None;
    for &size in sizes {
        let each = |side: Side, figure: fn(&Program) -> Result<f64>| -> Result<f64> {
            let upto = |calls| {
                let load = Load { calls, warm_up: 0, in_flight: 1, reask: false };
                figure(&Program::workload(side, load, &server.stream_url(size << 10))?)
            };
            Ok((upto(6)? - upto(1)?) / 5.0)
        };
        let scenario = ["4 KB", "16 KB", "64 KB", "256 KB"];
        let scenario = scenario[[4, 16, 64, 256].iter().position(|s| *s == size).unwrap_or_default()];
        let floor = each(Side::StreamFloor, Program::instructions)?;
        let view = each(Side::StreamOurs, Program::instructions)?;
        table.pairs(scenario, "instructions, a view each", vec![(floor, view)], Limit::Ratio(1.15));
        if let Some((small_floor, small)) = before.replace((floor, view)) {
            let exponent = |small: f64, large: f64| (large / small).ln() / 4.0_f64.ln();
            let pair = (exponent(small_floor, floor), exponent(small, view));
            table.pairs(scenario, "growth, exponent", vec![pair], Limit::None);
        }
        let allocated = (each(Side::StreamFloor, Program::allocations)?, each(Side::StreamOurs, Program::allocations)?);
        table.pairs(scenario, "allocations, a view each", vec![allocated], Limit::Ratio(1.2));
        if size <= 16 {
            let owned = each(Side::StreamOwned, Program::instructions)?;
            table.pairs(scenario, "instructions, a snapshot each", vec![(floor, owned)], Limit::None);
            let again = each(Side::StreamAgain, Program::instructions)?;
            table.pairs(scenario, "instructions, jiter again each", vec![(floor, again)], Limit::None);
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&table.rows)?);
    }
    Ok(())
}
