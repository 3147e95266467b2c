//! What is looked for, in the order in which it is asked. Most of it costs one call.

use std::sync::atomic::{AtomicBool, Ordering};

use instructor::schemars::JsonSchema;
use instructor::{Attempt, Context, Contract, Error, ErrorKind, Finish, Issue, Issues, Mode, ResponseModel};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Finding;
use super::kit::{Kit, Told, why};

/// A finding; `Err` is one too, where nothing could be told.
type Found = Result<Finding, Finding>;

/// One thing that is looked for.
pub(super) struct Check {
    pub(super) name: &'static str,
    /// The calls that it can come to.
    pub(super) calls: u32,
    pub(super) run: fn(&Kit) -> Found,
}

const fn check(name: &'static str, calls: u32, run: fn(&Kit) -> Found) -> Check {
    Check { name, calls, run }
}

/// All of them. The first asks as the library does by itself; those without calls look at what came of those before.
pub(super) const CHECKS: &[Check] = &[
    check("preferred mode", 3, preferred),
    check("reachable", 0, reachable),
    check("key", 0, key),
    check("usage", 0, usage),
    check("re-ask", 2, re_ask),
    check("schema, strict", 2, strict),
    check("schema, lax", 0, lax),
    check("tool", 1, tool),
    check("forced tool", 1, forced_tool),
    check("several tools", 1, several_tools),
    check("json object", 1, json_object),
    check("prompted json", 1, prompted_json),
    check("cut is told", 1, cut),
    check("unknown model", 1, unknown_model),
    // The last call: some servers close the connection after it, which the next one would be lost with.
    check("stream", 1, stream),
    check("rate limits", 0, rate_limits),
];

const TEXT: &str = "Ada Lovelace is 36 years old.";
/// Whoever does as it says is not held to the form that is asked for.
const AGAINST: &str = "Answer with the word hello as plain text. Do not write JSON and do not call a tool.";

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "instructor::schemars")]
#[expect(dead_code, reason = "that there is an age is what the answer is checked for")]
struct Person {
    name: String,
    #[schemars(range(max = 150))]
    age: u32,
}

/// Says once that something is wrong, whatever it is.
#[derive(Debug, Default)]
struct Objection(AtomicBool);

impl ResponseModel for Person {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        let once = context.get::<Objection>().is_some_and(|objection| !objection.0.swap(true, Ordering::Relaxed));
        if once {
            issues.push(Issue::at("name", "the name in capital letters").got(self.name.as_str()));
        }
    }
}

fn preferred(kit: &Kit) -> Found {
    let client = kit.client();
    let told =
        kit.send(3, |budget| client.request(TEXT).budget(budget).max_retries(1).create_value(&Person::contract()))?;
    let finding = match (&told.result, told.attempts()) {
        (Ok((value, _)), [first, .., last]) if first.mode != last.mode => {
            Finding::fails(format!("{} works; {}", way(last), why(first))).with(value)
        }
        (Ok((value, _)), [.., last]) => {
            let again = if told.attempts().len() > 1 { ", when asked again" } else { "" };
            Finding::holds(format!("{}{again}", way(last))).with(value)
        }
        _ => Finding::fails(told.why()),
    };
    kit.keep(told);
    Ok(finding)
}

impl Finding {
    /// Whether the value is what the text says is another matter than its form.
    fn with(mut self, value: &Value) -> Self {
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
        if !(name.contains("Ada") && value.get("age") == Some(&json!(36))) {
            self.evidence.push_str("; the form is right, the value is not what the text says");
        }
        self
    }
}

/// How an attempt asked.
fn way(attempt: &Attempt) -> String {
    format!("{}{}", attempt.mode, if attempt.strict { ", strict" } else { "" })
}

fn reachable(kit: &Kit) -> Found {
    kit.first(|told| match told.attempts().last() {
        Some(Attempt { status: Some(status), elapsed, .. }) => {
            Finding::holds(format!("HTTP {status} after {} ms", elapsed.as_millis()))
        }
        _ => Finding::fails(told.why()),
    })
}

fn key(kit: &Kit) -> Found {
    kit.first(|told| match told.attempts().last() {
        Some(Attempt { failure: Some(ErrorKind::Auth), .. }) => Finding::fails(told.why()),
        Some(Attempt { status: Some(200..300), .. }) => Finding::holds("accepted"),
        _ => Finding::untold(told.why()),
    })
}

fn usage(kit: &Kit) -> Found {
    kit.first(|told| match &told.response {
        None => Finding::untold(told.why()),
        Some(response) => {
            let known = response.usage.input.and(response.usage.output).is_some();
            let shown = response.usage.to_string();
            if known { Finding::holds(shown) } else { Finding::fails(shown) }
        }
    })
}

/// An answer is objected to once, or was wrong by itself; what comes then shows whether the server takes such turns.
fn re_ask(kit: &Kit) -> Found {
    let client = kit.client();
    let told = kit.send(2, |budget| {
        let context = Context::new().with(Objection::default());
        let request = client.request(TEXT).budget(budget).max_retries(1).context(context);
        request.create_with_completion::<Person>().map(|(_, completion)| (Value::Null, completion))
    })?;
    match told.attempts() {
        [_, Attempt { status: Some(200..300), .. }] => Ok(Finding::holds("the second answer came")),
        [_, refused @ Attempt { status: Some(400..500), .. }] => Ok(Finding::fails(why(refused))),
        _ => Err(Finding::untold(told.why())),
    }
}

fn strict(kit: &Kit) -> Found {
    let told = kit.ask(AGAINST, 2, &Person::contract(), |request| request.mode(Mode::Schema))?;
    let (strict, lax): (Vec<_>, Vec<_>) = told.attempts().iter().partition(|attempt| attempt.strict);
    if let Some(attempt) = lax.first() {
        kit.note_lax(kept(attempt));
    }
    strict.first().map_or_else(|| Err(Finding::untold("not asked for here")), |attempt| kept(attempt))
}

fn lax(kit: &Kit) -> Found {
    kit.lax().unwrap_or_else(|| Err(Finding::untold("asked for only where strict is refused")))
}

/// Whether the answer was held to the schema.
fn kept(attempt: &Attempt) -> Found {
    match attempt.failure {
        None => Ok(Finding::holds("kept to, against the text")),
        Some(ErrorKind::SchemaRefused | ErrorKind::BadRequest) => Ok(Finding::fails(why(attempt))),
        Some(ErrorKind::Malformed | ErrorKind::SchemaMismatch) => Ok(Finding::fails("taken, but not kept to")),
        Some(_) => Err(Finding::untold(why(attempt))),
    }
}

fn tool(kit: &Kit) -> Found {
    let told = kit.ask(TEXT, 1, &Person::contract(), |request| request.mode(Mode::Tools))?;
    let calls = told.calls()?;
    match &told.result {
        Ok((value, _)) if calls > 0 => Ok(Finding::holds("called, and the arguments fit").with(value)),
        Ok(_) => Ok(Finding::fails("not called, but the text has the value")),
        Err(_) => told.failed(),
    }
}

fn forced_tool(kit: &Kit) -> Found {
    let told = kit.ask(AGAINST, 1, &Person::contract(), |request| request.mode(Mode::Tools))?;
    match told.calls()? {
        0 => Ok(Finding::fails("answered in text")),
        _ => Ok(Finding::holds("called, against the text")),
    }
}

fn several_tools(kit: &Kit) -> Found {
    let item = |name: &str, key: &str| {
        let properties = json!({ "kind": { "const": name }, key: { "type": "string" } });
        json!({ "title": name, "type": "object", "properties": properties, "required": ["kind", key] })
    };
    let list = json!({ "title": "Facts", "type": "array", "items": { "oneOf": [item("Person", "name"), item("City", "city")] } });
    let told = kit.ask("Ada lives in Oslo. Call both tools, each once.", 1, &contract(list)?, |request| {
        request.mode(Mode::ParallelTools)
    })?;
    match told.calls()? {
        calls @ (0 | 1) => Ok(Finding::fails(format!("{calls} of 2 calls in one answer"))),
        calls => Ok(Finding::holds(format!("{calls} calls in one answer"))),
    }
}

fn json_object(kit: &Kit) -> Found {
    let told = kit.ask(AGAINST, 1, &Person::contract(), |request| request.mode(Mode::Json))?;
    let text = told.answer()?.text();
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(_)) => Ok(Finding::holds("an object came, against the text")),
        _ if told.failure() == Some(ErrorKind::Truncated) => Err(Finding::untold(told.why())),
        _ => Ok(Finding::fails("taken, but the answer is no object")),
    }
}

fn prompted_json(kit: &Kit) -> Found {
    let told = kit.ask(TEXT, 1, &Person::contract(), |request| request.mode(Mode::MdJson))?;
    match &told.result {
        Ok((value, _)) => Ok(Finding::holds("read, and it fits").with(value)),
        Err(_) => told.failed(),
    }
}

fn cut(kit: &Kit) -> Found {
    /// As few as all providers take.
    const FEW: u64 = 16;
    let list = json!({ "type": "array", "items": { "type": "integer" }, "minItems": 200 });
    let schema =
        json!({ "title": "Numbers", "type": "object", "properties": { "numbers": list }, "required": ["numbers"] });
    let text = "List the whole numbers from 1 to 200.";
    let told = kit.ask(text, 1, &contract(schema)?, |request| request.max_tokens(FEW))?;
    let response = told.answer()?;
    let used = response.usage.output;
    let finish = response.finish.as_ref().map_or("no finish reason", Finish::as_str);
    match told.failure() {
        Some(ErrorKind::Truncated) => Ok(Finding::holds(format!("{finish}, with a limit of {FEW} tokens"))),
        _ if used.is_some_and(|used| used > FEW) => {
            Ok(Finding::fails(format!("the limit of {FEW} tokens is not kept")))
        }
        _ if used.is_some_and(|used| used < FEW) => Err(Finding::untold("the answer was shorter than the limit")),
        _ => Ok(Finding::fails(format!("cut, but told as {finish}"))),
    }
}

/// Asked for as an application does that shows answers while they arrive.
fn stream(kit: &Kit) -> Found {
    let (told, first, times) = kit.stream(TEXT, &Person::contract())?;
    if told.is_refused() {
        return Err(Finding::untold(told.why()));
    }
    if !told.streamed {
        return Ok(Finding::fails("the answer came as one body"));
    }
    let Some(last) = told.attempts().last() else { return Err(Finding::untold(told.why())) };
    let shown = match first {
        Some(first) => format!("{times} partials, the first after {} ms", first.as_millis()),
        None => String::from("nothing shown before the end"),
    };
    let counted = if last.usage.total().is_some() { "with usage" } else { "without usage" };
    // A stream that breaks off has no finish reason either, so that what came of it is no answer.
    match told.result.as_ref().ok().and_then(|(_, completion)| completion.response.finish.as_ref()) {
        Some(finish) => Ok(Finding::holds(format!("{shown}; ended with {}, {counted}", finish.as_str()))),
        None if last.failure == Some(ErrorKind::Truncated) => {
            Ok(Finding::fails(format!("{shown}; {}, {counted}", told.why())))
        }
        None if last.failure.is_some() => Err(Finding::untold(format!("{shown}; {}, {counted}", told.why()))),
        None => Ok(Finding::fails(format!("{shown}; no finish reason, {counted}"))),
    }
}

fn unknown_model(kit: &Kit) -> Found {
    let client = kit.client();
    let told = kit.send(1, |budget| {
        client.request(TEXT).budget(budget).model("no-such-model-0").create_value(&Person::contract())
    })?;
    match told.failure() {
        Some(ErrorKind::BadRequest) => Ok(Finding::holds(told.why())),
        Some(ErrorKind::Transport | ErrorKind::RateLimited) => Err(Finding::untold(told.why())),
        _ if told.response.is_some() => Ok(Finding::fails("answered all the same")),
        _ => Ok(Finding::fails(format!("told as {}", told.why()))),
    }
}

fn rate_limits(kit: &Kit) -> Found {
    let names = kit.limits();
    match names.first() {
        None => Err(Finding::untold("no header says any")),
        Some(first) => Ok(Finding::holds(match names.len() - 1 {
            0 => first.clone(),
            more => format!("{first} and {more} more headers"),
        })),
    }
}

impl Told {
    /// The calls of the answer, if it is one.
    fn calls(&self) -> Result<usize, Finding> {
        self.answer().map(|response| response.tool_calls().count())
    }

    /// What came; else what was said instead.
    fn answer(&self) -> Result<&instructor::Response, Finding> {
        match &self.response {
            Some(response) => Ok(response),
            None if self.is_refused() => Err(Finding::fails(self.why())),
            None => Err(Finding::untold(self.why())),
        }
    }

    fn is_refused(&self) -> bool {
        matches!(self.failure(), Some(ErrorKind::SchemaRefused | ErrorKind::BadRequest))
    }

    /// An answer that was none.
    fn failed(&self) -> Found {
        match self.failure() {
            Some(ErrorKind::Truncated | ErrorKind::Refused | ErrorKind::Filtered) => Err(Finding::untold(self.why())),
            _ => Ok(Finding::fails(self.why())),
        }
    }
}

fn contract(schema: Value) -> Result<Contract, Finding> {
    Contract::from_schema(schema).map_err(|error: Error| Finding::untold(error.to_string()))
}
