//! The floor's side of the protocol: a request body that is written straight to bytes, and an answer that is borrowed
//! from them. What someone writes who has one type, one provider, and no wish for a library.

use std::borrow::Cow;
use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::order::{MODEL, Order, PROMPT};

/// The parameters of the tool, made once.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Schema {
    /// As text, which is copied into each body: the least that one can do.
    Text(Box<RawValue>),
    /// As a value, which is serialised into each body: what most code does.
    Value(Value),
}

impl Schema {
    /// From the type, without what the request says elsewhere.
    pub(crate) fn of_order(as_value: bool) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut schema = Value::from(schemars::schema_for!(Order));
        if let Some(root) = schema.as_object_mut() {
            for key in ["$schema", "title", "description"] {
                root.shift_remove(key);
            }
        }
        Ok(if as_value { Self::Value(schema) } else { Self::Text(serde_json::value::to_raw_value(&schema)?) })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [Turn<'a>],
    tools: [Tool<'a>; 1],
    tool_choice: ToolChoice<'a>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Called<'a>; 1]>,
}

impl<'a> Turn<'a> {
    const fn said(role: &'a str, content: &'a str) -> Self {
        Self { role, tool_call_id: None, content: Some(content), tool_calls: None }
    }
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    r#type: &'a str,
    function: Arguments<'a>,
}

#[derive(Serialize)]
struct Arguments<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'a str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Schema,
}

#[derive(Serialize)]
struct ToolChoice<'a> {
    r#type: &'a str,
    function: Name<'a>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

const TOOL: &str = "Order";

/// The body of a first request.
pub(crate) fn ask(schema: &Schema) -> serde_json::Result<Vec<u8>> {
    body(schema, &[Turn::said("user", PROMPT)])
}

fn body(schema: &Schema, messages: &[Turn<'_>]) -> serde_json::Result<Vec<u8>> {
    let description = "An order, as the customer wrote it.";
    let mut out = Vec::with_capacity(4096);
    let body = Body {
        model: MODEL,
        messages,
        tools: [Tool { r#type: "function", function: Function { name: TOOL, description, parameters: schema } }],
        tool_choice: ToolChoice { r#type: "function", function: Name { name: TOOL } },
    };
    serde_json::to_writer(&mut out, &body)?;
    Ok(out)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    function: Answer<'a>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    arguments: Cow<'a, str>,
}

/// The value of an answer.
pub(crate) fn order(answer: &[u8]) -> Result<Order, Box<dyn Error + Send + Sync>> {
    let envelope: Envelope<'_> = serde_json::from_slice(answer)?;
    let call = envelope.choices.first().and_then(|choice| choice.message.tool_calls.first()).ok_or("no tool call")?;
    Ok(serde_json::from_str(&call.function.arguments)?)
}

/// The value of an answer, or the body of a second request that says what was wrong with it.
pub(crate) fn order_or_reask(
    schema: &Schema,
    answer: &[u8],
) -> Result<Result<Order, Vec<u8>>, Box<dyn Error + Send + Sync>> {
    let envelope: Envelope<'_> = serde_json::from_slice(answer)?;
    let call = envelope.choices.first().and_then(|choice| choice.message.tool_calls.first()).ok_or("no tool call")?;
    let error = match serde_json::from_str(&call.function.arguments) {
        Ok(order) => return Ok(Ok(order)),
        Err(error) => format!("The answer was rejected: {error}. Call the tool again, corrected."),
    };
    let function = Arguments { name: TOOL, arguments: &call.function.arguments };
    let turns = [
        Turn::said("user", PROMPT),
        Turn {
            role: "assistant",
            tool_call_id: None,
            content: None,
            tool_calls: Some([Called { id: &call.id, r#type: "function", function }]),
        },
        Turn { tool_call_id: Some(&call.id), ..Turn::said("tool", &error) },
    ];
    Ok(Err(body(schema, &turns)?))
}
