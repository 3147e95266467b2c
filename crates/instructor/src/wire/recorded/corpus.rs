//! The recorded exchanges.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::provider::Profile;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/recorded");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    OpenAiChat,
    Anthropic,
    Gemini,
    Cohere,
    Bedrock,
    OpenAiResponses,
    Ollama,
}

pub(super) struct Exchange {
    pub(super) name: String,
    pub(super) dialect: Dialect,
    pub(super) record: Value,
}

impl Exchange {
    pub(super) fn status(&self) -> u16 {
        self.record["response"]["status"].as_u64().unwrap().try_into().unwrap()
    }

    pub(super) fn request(&self) -> &Value {
        &self.record["request"]["body"]
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.record["kinds"].as_array().unwrap().iter().any(|k| k == kind)
    }

    /// The body as it came, or nearly so: JSON ones were reformatted by the recorder.
    pub(super) fn body(&self) -> Vec<u8> {
        let response = &self.record["response"];
        match (response["body_text"].as_str(), response["body_base64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(text)) => from_base64(text),
            (None, None) => serde_json::to_vec(&response["body"]).unwrap(),
        }
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let headers = self.record["response"]["headers"].as_object().unwrap();
        let pair = |(name, value): (&String, &Value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value.as_str()?).ok()?))
        };
        headers.iter().filter_map(pair).collect()
    }

    /// The profile of the provider if it is known by name, else that of any server of the protocol.
    pub(super) fn profile(&self) -> Profile {
        let provider = self.record["provider"].as_str().unwrap();
        let any = match self.dialect {
            Dialect::OpenAiChat => Profile::openai_compatible(provider, "http://localhost/v1"),
            Dialect::Anthropic => Profile::anthropic_compatible(provider, "http://localhost"),
            Dialect::Gemini => Profile::gemini_compatible(provider, "http://localhost"),
            Dialect::Cohere => Profile::named("cohere").unwrap(),
            Dialect::Bedrock => Profile::named("bedrock").unwrap(),
            Dialect::OpenAiResponses => Profile::openai_responses_compatible(provider, "http://localhost/v1"),
            Dialect::Ollama => Profile::named("ollama_chat").unwrap(),
        };
        let known = if provider == "vertex" { "vertexai" } else { provider };
        Profile::named(known).filter(|known| known.protocol() == any.protocol()).unwrap_or(any)
    }

    /// The conversation that it belongs to, and its place in there.
    pub(super) fn place(&self) -> (String, u64) {
        let source = &self.record["source"];
        (format!("{} {}", source["corpus"], source["file"]), source["index"].as_u64().unwrap())
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters: Vec<usize> = text.chars().filter_map(|letter| LETTERS.find(letter)).collect();
    let bytes = letters.chunks(4).flat_map(|four| {
        let bits = (0..4).fold(0, |bits, i| bits << 6 | four.get(i).copied().unwrap_or_default());
        (0..four.len() - 1).map(move |i| (bits >> (16 - 8 * i)) as u8)
    });
    bytes.collect()
}

const FOLDERS: &[(&str, Dialect)] = &[
    ("openai_chat", Dialect::OpenAiChat),
    // with habits of its own
    ("mistral_chat", Dialect::OpenAiChat),
    ("anthropic_messages", Dialect::Anthropic),
    ("gemini_generate", Dialect::Gemini),
    ("cohere_v2_chat", Dialect::Cohere),
    ("bedrock_converse", Dialect::Bedrock),
    ("openai_responses", Dialect::OpenAiResponses),
    ("ollama_chat", Dialect::Ollama),
];

static ALL: LazyLock<Vec<Exchange>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for &(folder, dialect) in FOLDERS {
        let Ok(entries) = fs::read_dir(Path::new(FOLDER).join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let record = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let name = format!("{folder}/{}", path.file_name().unwrap().display());
            all.push(Exchange { name, dialect, record });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
});

/// The exchanges of a folder whose protocol is read and never asked for, as if they were of another.
pub(super) fn folder(name: &str, dialect: Dialect) -> Vec<Exchange> {
    let Ok(entries) = fs::read_dir(Path::new(FOLDER).join(name)) else {
        println!("skipped: no recorded exchanges");
        return Vec::new();
    };
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| Exchange { name: path.display().to_string(), dialect, record: read(&path) }).collect()
}

/// Status and body of every recorded error, of the protocols that have no wire too; none where the files are not there.
pub(super) fn errors() -> Vec<(String, u16, Vec<u8>)> {
    let Ok(index) = fs::read_to_string(Path::new(FOLDER).join("index.jsonl")) else {
        println!("skipped: no recorded exchanges");
        return Vec::new();
    };
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let failed = index.lines().map(line).filter(|row| row["status"].as_u64().is_some_and(|status| status >= 400));
    failed
        .map(|row| {
            let name = String::from(row["file"].as_str().unwrap());
            let record: Value = serde_json::from_slice(&fs::read(Path::new(FOLDER).join(&name)).unwrap()).unwrap();
            let exchange = Exchange { name, dialect: Dialect::OpenAiChat, record };
            let (status, body) = (exchange.status(), exchange.body());
            (exchange.name, status, body)
        })
        .collect()
}

/// All exchanges; none, with a line that says so, where the files are not there.
pub(super) fn all() -> &'static [Exchange] {
    if ALL.is_empty() {
        println!("skipped: no recorded exchanges");
    }
    &ALL
}
