//! The failures that say: not with this schema, or not in this form. Providers tell them by a status that means any bad
//! request, so they are known by what is said, as a table.

/// What of a request a provider does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declined {
    /// This schema, in the form in which it was sent: a keyword, its depth, its size.
    Schema,
    /// Structured outputs, whatever the schema.
    Structured,
    /// JSON of any kind but in plain text.
    Json,
    /// Tools, or a call that is forced.
    Tools,
}

/// Where a sign is looked for.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The provider's word for the failure is this.
    Code(&'static str),
    /// The field that it blames starts with this.
    Field(&'static str),
    /// All of these are in its message, whatever their case.
    Words(&'static [&'static str]),
}

/// One way to say it.
#[derive(Clone, Copy, Debug)]
struct Sign {
    /// The statuses that it was seen with.
    statuses: &'static [u16],
    place: Place,
    declined: Declined,
}

/// Bad requests.
const BAD: &[u16] = &[400, 422];
/// Servers that find the fault only while they run the model.
const LATE: &[u16] = &[400, 422, 500];
/// Routers that find nobody who can do it.
const NOBODY: &[u16] = &[400, 404];

const fn code(code: &'static str, declined: Declined) -> Sign {
    Sign { statuses: BAD, place: Place::Code(code), declined }
}

const fn field(start: &'static str, declined: Declined) -> Sign {
    Sign { statuses: BAD, place: Place::Field(start), declined }
}

const fn words(words: &'static [&'static str], declined: Declined) -> Sign {
    Sign { statuses: BAD, place: Place::Words(words), declined }
}

impl Sign {
    const fn at(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }
}

use Declined::{Json, Schema, Structured, Tools};

/// Every sign. The first that fits decides, so that what is exact stands before what is general. Words are in lower
/// case. The comments say who was seen to say it; gateways pass it on as it is.
const SIGNS: &[Sign] = &[
    // --- the form ---
    // OpenAI, Azure: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
    words(&["'json_schema' is not supported"], Structured),
    words(&["'json_object' is not supported"], Json),
    // Groq: "This model does not support response format `json_schema`. See supported models at .."
    words(&["does not support response format", "json_schema"], Structured),
    words(&["does not support response format"], Json),
    // DeepSeek: "This response_format type is unavailable now"
    words(&["response_format type is unavailable"], Structured),
    // xAI, early: "The response_format parameter is unsupported at the moment. Leave it unset."
    words(&["response_format parameter is unsupported"], Json),
    // LM Studio: "'response_format.type' must be 'json_schema' or 'text'"
    words(&["'response_format.type' must be"], Json),
    // compatibles
    words(&["does not support structured output"], Structured),
    words(&["structured outputs are not supported"], Structured),
    // SiliconFlow: "Json mode is not supported for this model."; Gemini: "JSON mode is not enabled for models/.."
    words(&["json mode is not supported"], Json),
    words(&["json mode is not enabled"], Json),
    // Anthropic, where it is not the first party (Bedrock, Vertex): "output_config.format: Extra inputs are not permitted"
    words(&["output_config.format: extra inputs"], Structured),
    words(&["output_config: extra inputs"], Structured),
    words(&["output_format: extra inputs"], Structured),
    // Anthropic, models before structured outputs: "'claude-..' does not support output format."
    words(&["does not support output format"], Structured),
    // Bedrock Converse, in the form of its "This model doesn't support the .. field"
    words(&["doesn't support the outputconfig"], Structured),
    // Ollama: "registry.ollama.ai/library/gemma3:4b does not support tools"
    words(&["does not support tools"], Tools),
    words(&["does not support tool calling"], Tools),
    words(&["does not support tool use"], Tools),
    words(&["does not support function calling"], Tools),
    words(&["doesn't support tool use"], Tools),
    words(&["doesn't support the toolconfig"], Tools),
    words(&["tools are not supported"], Tools),
    words(&["tool use is not supported"], Tools),
    words(&["function calling is not supported"], Tools),
    // Groq: "`tool calling` is not supported with this model"
    words(&["tool calling` is not supported"], Tools),
    words(&["tool calling is not supported"], Tools),
    // vLLM, NIM: "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"
    words(&["tool choice requires --"], Tools),
    // llama.cpp: "tools param requires --jinja flag", status 500
    words(&["tools param requires --jinja"], Tools).at(LATE),
    // OpenRouter: "No endpoints found that support tool use.", ".. that support the provided 'tool_choice' value."
    words(&["no endpoints found that support tool use"], Tools).at(NOBODY),
    words(&["no endpoints found that support the provided 'tool_choice'"], Tools).at(NOBODY),
    // OpenRouter with require_parameters, of which ours is response_format
    words(&["no endpoints found that can handle the requested parameters"], Structured).at(NOBODY),
    // DeepSeek: "Thinking mode does not support this tool_choice"
    words(&["does not support this tool_choice"], Tools),
    // Anthropic: "Thinking may not be enabled when tool_choice forces tool use."
    words(&["tool_choice forces tool use"], Tools),
    // OpenAI, gpt-5.4 and later on chat completions: "Function tools with reasoning_effort are not supported for .."
    words(&["function tools with reasoning_effort are not supported"], Tools),
    // --- the schema ---
    // OpenAI, Azure: 'code' of "Invalid schema for response_format 'X': In context=(), ..", "Invalid schema for function 'X': .."
    code("invalid_json_schema", Schema),
    code("invalid_function_parameters", Schema),
    words(&["invalid schema for response_format"], Schema),
    words(&["invalid schema for function"], Schema),
    // Groq: "invalid schema for response format: response_format/json_schema/next_step: minItems is not supported"
    words(&["invalid schema for response format"], Schema),
    // Groq, Ollama ("invalid JSON schema in format"), Mistral, xAI
    words(&["invalid json schema"], Schema),
    // Cerebras: "Unsupported JSON schema fields: {'minItems', 'items'}"; outlines: "Unsupported JSON Schema structure"
    words(&["unsupported json schema"], Schema),
    // Fireworks: "JSON Schema not supported: could not understand the instance `{..}`."
    words(&["json schema not supported"], Schema),
    // Anthropic: "Schema is too complex for compilation. Try reducing the number of tools or simplifying tool schemas."
    words(&["schema is too complex"], Schema),
    // Anthropic: "The compiled grammar is too large, which would cause performance issues. .."
    words(&["compiled grammar is too large"], Schema),
    // Anthropic: "Schemas contains too many optional parameters (25), which would make grammar compilation inefficient.",
    // ".. too many parameters with union types (17 ..)", and what it says when the compilation takes too long
    words(&["schemas contains too many"], Schema),
    words(&["grammar compilation"], Schema),
    // Anthropic: "tools.0.custom: Invalid schema: Circular reference detected ..",
    // "tools.0.custom.input_schema.type: Input should be 'object'"
    words(&["tools.", "invalid schema:"], Schema),
    words(&["tools.", ".input_schema"], Schema),
    // Anthropic, Bedrock: "output_config.format.schema: For 'number' type, properties maximum, minimum are not supported"
    words(&["output_config.format.schema"], Schema),
    words(&["output_format.schema"], Schema),
    // Bedrock Converse: "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid."
    words(&["toolspec.inputschema"], Schema),
    // Gemini: "The specified schema produces a constraint that has too many states for serving."
    words(&["too many states for serving"], Schema),
    // Gemini: "A schema in GenerationConfig in the request exceeds the maximum allowed nesting depth."
    words(&["maximum allowed nesting depth"], Schema),
    // Gemini: "Unknown name \"..\" at 'generation_config.response_schema': Cannot find field.",
    // "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties: should be non-empty ..";
    // or only in the field violations
    words(&["generation_config.response_schema"], Schema),
    words(&["generation_config.response_json_schema"], Schema),
    words(&["function_declarations[", "].parameters"], Schema),
    field("generation_config.response_schema", Schema),
    field("generation_config.response_json_schema", Schema),
    // llama.cpp: "Failed to initialize samplers: failed to parse grammar"
    words(&["failed to parse grammar"], Schema).at(LATE),
    words(&["error parsing grammar"], Schema).at(LATE),
    words(&["failed to initialize grammar"], Schema).at(LATE),
    // llama.cpp: "JSON schema conversion failed:\nUnrecognized schema: {..}", status 400 or 500 by its version
    words(&["json schema conversion failed"], Schema).at(LATE),
    // llama.cpp since its parsers are made of the template: ".. JSON schema error at #/properties/a: cannot resolve $ref .."
    words(&["json schema error at"], Schema).at(LATE),
    // Ollama, where its grammar can't be built, status 500
    words(&["failed to load model vocabulary required for format"], Schema).at(LATE),
    // vLLM: "The provided JSON schema contains features not supported by xgrammar."
    words(&["features not supported by xgrammar"], Schema),
    words(&["failed to transform json schema into"], Schema),
    words(&["invalid grammar specification"], Schema),
    // vLLM with llguidance, TGI: "Grammar error: ..", "grammar is not valid: .."; SGLang: "Invalid grammar request .."
    words(&["grammar error:"], Schema).at(LATE),
    words(&["grammar is not valid"], Schema),
    words(&["invalid grammar request"], Schema),
    // --- the form, in varying words, which a complaint about a schema can have too ---
    // Servers that validate with pydantic: loc [body, response_format, type], "Input should be 'text' or 'json_object'"
    words(&["response_format", "input should be"], Structured),
    // Moonshot, Z.ai and other compatibles, in varying words
    words(&["response_format", "json_schema", "not supported"], Structured),
    words(&["response_format", "json_schema", "unsupported"], Structured),
    words(&["response_format", "json_object", "not supported"], Json),
    words(&["response_format is not supported"], Json),
    // OpenAI, Cerebras and whoever blames a field: what stands in it is the library's
    field("response_format", Schema),
    field("text.format", Schema),
];

/// A message can go on with the whole request; a sign stands at its start.
const LOOKED_AT: usize = 2000;

/// What is not taken, if that is what a failure says: with its status, its word for the failure, the field that it
/// blames and its message.
pub(super) fn declined(status: u16, word: Option<&str>, blamed: Option<&str>, said: Option<&str>) -> Option<Declined> {
    deciding(status, word, blamed, said).map(|(_, sign)| sign.declined)
}

/// The first sign that fits, and which it is.
fn deciding(
    status: u16,
    word: Option<&str>,
    blamed: Option<&str>,
    said: Option<&str>,
) -> Option<(usize, &'static Sign)> {
    let here = |sign: &Sign| sign.statuses.contains(&status);
    if !SIGNS.iter().any(here) {
        return None;
    }
    let message: String = said.unwrap_or_default().chars().take(LOOKED_AT).flat_map(char::to_lowercase).collect();
    // A typographic apostrophe says the same.
    let message = message.replace('\u{2019}', "'");
    let fits = |sign: &Sign| match sign.place {
        Place::Code(code) => word == Some(code),
        Place::Field(start) => blamed.is_some_and(|field| field.starts_with(start)),
        Place::Words(words) => words.iter().all(|word| message.contains(word)),
    };
    SIGNS.iter().enumerate().find(|(_, sign)| here(sign) && fits(sign))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::Value;

    use super::*;
    use crate::error::ErrorKind;
    use crate::provider::Profile;
    use crate::wire::{Failure, Undecoded, read_failure, read_response};

    /// One case a line: who says it, with which status and body, and what is declined.
    const CASES: &str = include_str!("../../tests/data/wire/declined.jsonl");

    fn cases() -> Vec<(u16, Vec<u8>, Option<String>)> {
        let case = |line: &str| {
            let case: Value = serde_json::from_str(line).unwrap();
            let body = case["body"].as_str().map_or_else(|| case["body"].to_string(), String::from);
            let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
            (status, body.into_bytes(), case["declined"].as_str().map(String::from))
        };
        CASES.lines().map(case).collect()
    }

    fn read(status: u16, body: &[u8]) -> Failure {
        if status >= 300 {
            return read_failure(status, &HeaderMap::new(), body, std::time::Duration::ZERO);
        }
        let profile = Profile::openai_compatible("any", "http://localhost/v1");
        match read_response(body, &profile) {
            Err(Undecoded::Failure(failure)) => failure,
            other => panic!("no failure: {other:?}"),
        }
    }

    #[test]
    fn refusals_of_schemas_are_told_from_other_failures() {
        for (status, body, wanted) in cases() {
            let shown = String::from_utf8_lossy(&body);
            let failure = read(status, &body);
            let got = failure.declined.map(|declined| format!("{declined:?}").to_lowercase());
            assert_eq!(got, wanted, "{status} {shown}");
            assert_eq!(failure.kind == ErrorKind::SchemaRefused, wanted.is_some(), "{status} {shown}");
        }
    }

    #[test]
    fn every_sign_decides_a_case() {
        let mut seen = vec![false; SIGNS.len()];
        for (status, body, _) in cases().into_iter().filter(|(.., wanted)| wanted.is_some()) {
            let status = if status < 300 { 400 } else { status };
            let failure = read(status, &body);
            let said = (failure.code.as_deref(), failure.blamed.as_deref(), failure.message.as_deref());
            seen[deciding(status, said.0, said.1, said.2).unwrap().0] = true;
        }
        let unseen: Vec<_> = SIGNS.iter().zip(seen).filter(|(_, seen)| !seen).map(|(sign, _)| sign).collect();
        assert!(unseen.is_empty(), "{unseen:?}");
    }

    #[test]
    fn words_are_in_lower_case_and_found_at_the_start() {
        for sign in SIGNS {
            if let Place::Words(words) = sign.place {
                assert!(words.iter().all(|word| *word == word.to_lowercase()), "{sign:?}");
            }
        }
        let quoted = format!("{}failed to parse grammar", "x".repeat(LOOKED_AT));
        assert_eq!(declined(400, None, None, Some(&quoted)), None);
        assert_eq!(declined(400, None, None, Some(&quoted[LOOKED_AT..])), Some(Schema));
    }
}
