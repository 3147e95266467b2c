//! Response types, in every mode, on every protocol, whole and streamed, nested in one another.

mod cited;
mod kinds;
mod labels;
mod maybe;
mod reasoned;
mod secret;
mod templates;

use instructor::Mode;

/// A model of each protocol that has a form of its own.
const SPECS: &[&str] = &[
    "openai/gpt-5-mini",
    "openai_responses/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "gemini/gemini-2.5-flash",
    "cohere/command-a-03-2025",
    "bedrock/anthropic.claude-haiku-4-5",
    "ollama_chat/llama3.2",
];

const MODES: &[Mode] = &[Mode::Auto, Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson];

#[instructor::model(partial)]
#[derive(PartialEq)]
#[response(validate = adult)]
pub(crate) struct User {
    pub(crate) name: String,
    #[schemars(range(max = 150))]
    pub(crate) age: u8,
}

fn adult(user: &User) -> Result<(), instructor::Issue> {
    if user.age >= 18 { Ok(()) } else { Err(instructor::Issue::at("age", "an adult's age").got(user.age.to_string())) }
}
