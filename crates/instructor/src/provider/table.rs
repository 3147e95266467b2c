//! The providers that are known by name, one row each. A new provider that speaks a known protocol is one row here and
//! nothing anywhere else: specs, suggestions, key variables, the command line's list and the encode tests iterate this.
//!
//! The order is the order in which `Client::from_env` looks for keys.

use super::{ANTHROPIC_COMPATIBLE, OPENAI_COMPATIBLE, Quirks, Row};
use crate::mode::Mode;
use crate::schema::Dialect;

pub(crate) const TABLE: &[Row] = &[
    Row {
        id: "openai",
        base_url: "https://api.openai.com/v1",
        base_url_env: "OPENAI_BASE_URL",
        key_env: &["OPENAI_API_KEY"],
        keyless: false,
        preferred: Mode::Schema,
        dialect: Dialect::OpenAi,
        max_tokens_field: "max_completion_tokens",
        default_model: Some("gpt-5-mini"),
        ..OPENAI_COMPATIBLE
    },
    Row {
        id: "anthropic",
        base_url: "https://api.anthropic.com",
        base_url_env: "ANTHROPIC_BASE_URL",
        key_env: &["ANTHROPIC_API_KEY"],
        keyless: false,
        default_model: Some("claude-haiku-4-5"),
        ..ANTHROPIC_COMPATIBLE
    },
    Row {
        id: "groq",
        base_url: "https://api.groq.com/openai/v1",
        base_url_env: "GROQ_BASE_URL",
        key_env: &["GROQ_API_KEY"],
        keyless: false,
        default_model: Some("llama-3.3-70b-versatile"),
        ..OPENAI_COMPATIBLE
    },
    Row {
        id: "openrouter",
        base_url: "https://openrouter.ai/api/v1",
        base_url_env: "OPENROUTER_BASE_URL",
        key_env: &["OPENROUTER_API_KEY"],
        keyless: false,
        // reasoning_details have to come back in tool turns
        quirks: Quirks::ECHO_REASONING,
        default_model: Some("openai/gpt-5-mini"),
        ..OPENAI_COMPATIBLE
    },
    Row {
        id: "ollama",
        base_url: "http://localhost:11434/v1",
        base_url_env: "OLLAMA_BASE_URL",
        key_env: &["OLLAMA_API_KEY"],
        // tool_choice is ignored, so a call can't be forced; the schema becomes a grammar that the model never sees
        preferred: Mode::Schema,
        quirks: Quirks::SCHEMA_UNSEEN,
        ..OPENAI_COMPATIBLE
    },
];
