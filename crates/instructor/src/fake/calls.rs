//! Several calls in one answer, made of answers with one.

use serde_json::{Value, json};

use super::answer::{self, Said};

/// Where a request has its first tool, in each protocol.
const TOOLS: &[&str] =
    &["/tools/0/function", "/tools/0/functionDeclarations/0", "/tools/0", "/toolConfig/tools/0/toolSpec"];

/// Where an answer has its calls.
const CALLS: &[&str] = &[
    "/choices/0/message/tool_calls",
    "/message/tool_calls",
    "/content",
    "/candidates/0/content/parts",
    "/output/message/content",
    "/output",
];

const IDS: &[&str] = &["id", "call_id", "toolUseId"];

pub(super) fn answer(path: &str, request: &Value, calls: &[(String, Value)]) -> Value {
    let one = |(n, (name, value)): (usize, &(String, Value))| {
        let mut request = request.clone();
        let tool = TOOLS.iter().find(|at| request.pointer(at).is_some());
        if let Some(tool) = tool.and_then(|at| request.pointer_mut(at)) {
            // The arguments are said as they are, whatever the schema of the first tool is.
            *tool = json!({ "type": "function", "name": name });
        }
        let mut answer = answer::answer(path, &request, Said::Value(value));
        for call in list(&mut answer).into_iter().flatten() {
            number(call, n + 1);
        }
        answer
    };
    let mut answers = calls.iter().enumerate().map(one);
    let Some(mut whole) = answers.next() else { return answer::answer(path, request, Said::Text("")) };
    for mut next in answers {
        let more = list(&mut next).map(std::mem::take).unwrap_or_default();
        if let Some(calls) = list(&mut whole) {
            calls.extend(more);
        }
    }
    whole
}

fn list(answer: &mut Value) -> Option<&mut Vec<Value>> {
    let at = CALLS.iter().find(|at| answer.pointer(at).is_some_and(Value::is_array))?;
    answer.pointer_mut(at)?.as_array_mut()
}

/// Tells the ids of calls apart.
fn number(call: &mut Value, n: usize) {
    let Some(fields) = call.as_object_mut() else { return };
    for (key, value) in fields {
        match value {
            Value::String(id) if IDS.contains(&key.as_str()) => *id = format!("{}{n}", id.trim_end_matches('1')),
            Value::Object(_) if key == "toolUse" => number(value, n),
            _ => {}
        }
    }
}
