//! By hand: the events of a stream, their texts in one, and the value at the end.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;

use jiter::{JsonValue, PartialMode};
use reqwest::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::said::{Catalogue, Entry, Protocol, Said};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

macro_rules! events {
    ($($name:ident { $($(#[$with:meta])? $field:ident: $type:ty),* })*) => {
        $(
            #[derive(Default, Deserialize)]
            #[serde(default)]
            struct $name<'a> { $(#[serde(borrow)] $(#[$with])? $field: $type),* }
        )*
    };
}

events! {
    Chat { choices: Vec<Choice<'a>> }
    Choice { delta: Delta<'a> }
    Delta { tool_calls: Vec<Call<'a>> }
    Call { function: Function<'a> }
    Function { arguments: Cow<'a, str> }
    ChatText { choices: Vec<ChoiceText<'a>> }
    ChoiceText { delta: Message<'a> }
    Message { content: Cow<'a, str> }
    Responses { delta: Cow<'a, str> }
    Anthropic { delta: PartialJson<'a> }
    PartialJson { partial_json: Cow<'a, str> }
    Gemini { candidates: Vec<Candidate<'a>> }
    Candidate { content: Content<'a> }
    Content { parts: Vec<Part<'a>> }
    Part { text: Cow<'a, str> }
    Cohere { delta: CohereDelta<'a> }
    CohereDelta { message: CohereMessage<'a> }
    CohereMessage { tool_calls: Call<'a> }
    Bedrock { delta: Block<'a> }
    Block { #[serde(rename = "toolUse")] tool_use: Input<'a> }
    Input { input: Cow<'a, str> }
    Ollama { message: Message<'a> }
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(alias = "items")]
    value: Vec<Entry>,
}

/// The piece of the text that an event tells.
fn piece(protocol: Protocol, data: &[u8]) -> serde_json::Result<Cow<'_, str>> {
    fn read<'d, T: Deserialize<'d>>(
        data: &'d [u8],
        piece: impl FnOnce(T) -> Option<Cow<'d, str>>,
    ) -> serde_json::Result<Cow<'d, str>> {
        Ok(piece(serde_json::from_slice(data)?).unwrap_or_default())
    }
    fn first<T>(list: Vec<T>) -> Option<T> {
        list.into_iter().next()
    }
    match protocol {
        Protocol::Chat => {
            read(data, |chunk: Chat<'_>| Some(first(first(chunk.choices)?.delta.tool_calls)?.function.arguments))
        }
        Protocol::ChatText => read(data, |chunk: ChatText<'_>| Some(first(chunk.choices)?.delta.content)),
        Protocol::Responses => read(data, |event: Responses<'_>| Some(event.delta)),
        Protocol::Anthropic => read(data, |event: Anthropic<'_>| Some(event.delta.partial_json)),
        Protocol::Gemini => read(data, |chunk: Gemini<'_>| Some(first(first(chunk.candidates)?.content.parts)?.text)),
        Protocol::Cohere => read(data, |event: Cohere<'_>| Some(event.delta.message.tool_calls.function.arguments)),
        Protocol::Bedrock => read(data, |event: Bedrock<'_>| Some(event.delta.tool_use.input)),
        Protocol::Ollama => read(data, |line: Ollama<'_>| Some(line.message.content)),
    }
}

/// The data of the first line or message, if it has any, and how long that is; none if it is not complete.
fn event(protocol: Protocol, bytes: &[u8]) -> Option<(Option<&[u8]>, usize)> {
    if protocol == Protocol::Bedrock {
        let long = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let (total, headers) = (long(0)? as usize, long(4)? as usize);
        let message = bytes.get(..total)?;
        // As the protocol asks of who reads it, by the fastest means there are.
        let sums =
            crc32fast::hash(&message[..8]) == long(8)? && crc32fast::hash(&message[..total - 4]) == long(total - 4)?;
        return Some((Some(message.get(12 + headers..total - 4)?).filter(|_| sums), total));
    }
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let line = &bytes[..end];
    let data = if protocol == Protocol::Ollama { Some(line) } else { line.strip_prefix(b"data: ") };
    Some((data.filter(|data| *data != b"[DONE]"), end + 1))
}

/// All of the text, with a look at it after each event.
async fn text(protocol: Protocol, mut response: Response, mut look: impl FnMut(&str)) -> Result<String> {
    let (mut buffer, mut text) = (Vec::new(), String::new());
    while let Some(bytes) = response.chunk().await? {
        buffer.extend_from_slice(&bytes);
        let mut from = 0;
        while let Some((data, length)) = event(protocol, &buffer[from..]) {
            from += length;
            if let Some(data) = data {
                let piece = piece(protocol, data)?;
                if !piece.is_empty() {
                    text.push_str(&piece);
                    look(&text);
                }
            }
        }
        buffer.drain(..from);
    }
    Ok(text)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_str(text)?)
}

/// The stream by hand: so many entries.
pub(crate) async fn by_hand(said: Said, response: Response, look: impl FnMut(&str)) -> Result<usize> {
    let text = text(said.protocol, response, look).await?;
    Ok(if said.list { read::<Wrapped>(&text)?.value.len() } else { read::<Catalogue>(&text)?.entries.len() })
}

/// What others do: all of the text again after each delta.
pub(crate) fn again(text: &str) {
    let mode = PartialMode::TrailingStrings;
    let _ = black_box(JsonValue::parse_with_config(text.as_bytes(), true, mode));
}
