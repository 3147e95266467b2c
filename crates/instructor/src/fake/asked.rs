//! What a request asks for, in whatever protocol.

use serde_json::{Map, Value};

/// Where the schema of a structured output is.
const FORMATS: &[&str] = &[
    "/response_format/json_schema/schema",
    "/response_format/json_schema",
    "/response_format/schema",
    "/generationConfig/responseJsonSchema",
    "/output_config/format/schema",
    "/text/format/schema",
    "/outputConfig/textFormat/structure/jsonSchema/schema",
    "/format",
];

/// Where the schema of a tool is.
const PARAMETERS: &[&str] = &["/parameters", "/parametersJsonSchema", "/input_schema", "/inputSchema/json"];

/// The forms of an answer that a request asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    Text,
    /// A value of this schema.
    Value(Value),
    /// Calls of these tools, by name.
    Calls(Vec<(String, Value)>),
}

pub(super) fn asked(request: &Value) -> Asked {
    let mut tools = tools(request);
    if tools.len() > 1 {
        return Asked::Calls(tools);
    }
    if let Some((_, schema)) = tools.pop() {
        return Asked::Value(schema);
    }
    let format = FORMATS.iter().find_map(|at| match request.pointer(at)? {
        Value::String(text) => serde_json::from_str(text).ok().filter(Value::is_object),
        schema => Some(schema.clone()).filter(Value::is_object),
    });
    // Last, where it is shown in the prompt.
    match format.or_else(|| shown(request)) {
        Some(schema) => Asked::Value(schema),
        None => Asked::Text,
    }
}

fn tools(request: &Value) -> Vec<(String, Value)> {
    let lists = ["/tools", "/toolConfig/tools"].iter().filter_map(|at| request.pointer(at)?.as_array()).flatten();
    let declared = |tool: &Value| match tool.get("functionDeclarations").and_then(Value::as_array) {
        Some(several) => several.clone(),
        None => vec![tool.get("function").or_else(|| tool.get("toolSpec")).unwrap_or(tool).clone()],
    };
    let one = |tool: Value| {
        let schema = PARAMETERS.iter().find_map(|at| tool.pointer(at).filter(|schema| schema.is_object()))?;
        Some((String::from(tool.get("name")?.as_str()?), schema.clone()))
    };
    lists.flat_map(declared).filter_map(one).collect()
}

/// The first JSON Schema in the texts of a request.
fn shown(request: &Value) -> Option<Value> {
    match request {
        Value::String(text) => {
            let starts = text.match_indices('{').map(|(at, _)| text.get(at..).unwrap_or_default());
            starts.filter_map(object).find(is_schema).map(Value::Object)
        }
        Value::Array(items) => items.iter().find_map(shown),
        Value::Object(fields) => fields.values().find_map(shown),
        _ => None,
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

fn is_schema(map: &Map<String, Value>) -> bool {
    let says = |key: &str| map.contains_key(key);
    (says("type") && (says("properties") || says("additionalProperties") || says("items")))
        || ["$ref", "$defs", "anyOf", "oneOf"].iter().any(|key| says(key))
}
