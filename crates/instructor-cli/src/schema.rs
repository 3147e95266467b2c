//! `instructor schema`: a JSON Schema in the form that a provider takes.

use instructor::schema::{Dialect, Loss, Lowered, Policy, lower};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::args::Schema;
use crate::failure::Failure;
use crate::{input, output, rows};

pub(crate) fn run(args: &Schema) -> Result<(), Failure> {
    let dialect = if args.lax { Dialect::OpenAiLax } else { args.dialect };
    let policy = if args.declared { Policy::Declared } else { Policy::Exact };
    if args.jsonl {
        return rows::answer(args.schema.as_deref(), |line| one_row(line, dialect, policy));
    }
    let schema = input::json(args.schema.as_deref())?;
    let lowered = lower(&schema, dialect, policy).map_err(|why| Failure::unexpected(why.to_string()))?;
    if args.json {
        let (schema, losses) = (output::compact(lowered.schema().get()), losses(&lowered));
        return output::result(&format!(
            "{{\"dialect\":{},\"schema\":{schema},\"losses\":{losses}}}",
            json!(dialect.as_str())
        ));
    }
    if args.losses {
        for loss in lowered.losses() {
            output::say(&loss.to_string());
        }
    }
    let text = lowered.schema().get();
    output::result(&if args.compact { String::from(text) } else { output::indented(text) })
}

/// A row that comes in. Instances are taken as text, so that their numbers keep their digits.
#[derive(Deserialize)]
struct Row<'r> {
    #[serde(default)]
    id: Value,
    schema: Value,
    #[serde(borrow, default)]
    instances: Vec<&'r RawValue>,
    dialect: Option<String>,
    /// The draft of a schema that does not say it, such as `draft7` or `2019-09`.
    draft: Option<String>,
}

impl Row<'_> {
    fn schema(&self) -> Value {
        let mut schema = self.schema.clone();
        if let (Some(map), Some(uri)) = (schema.as_object_mut(), self.draft.as_deref().and_then(meta_schema)) {
            map.entry("$schema").or_insert_with(|| Value::from(uri));
        }
        schema
    }
}

fn meta_schema(draft: &str) -> Option<&'static str> {
    Some(match draft.trim_start_matches("draft").trim_start_matches(['-', '0']) {
        "4" => "http://json-schema.org/draft-04/schema#",
        "6" => "http://json-schema.org/draft-06/schema#",
        "7" => "http://json-schema.org/draft-07/schema#",
        "2019-09" => "https://json-schema.org/draft/2019-09/schema",
        _ => return None,
    })
}

fn one_row(line: &[u8], dialect: Dialect, policy: Policy) -> String {
    let row: Row<'_> = match serde_json::from_slice(line) {
        Ok(row) => row,
        Err(error) => {
            let id = serde_json::from_slice::<Value>(line).ok().and_then(|row| row.get("id").cloned());
            return json!({ "id": id, "error": format!("the row can't be read: {error}"), "kind": "row" }).to_string();
        }
    };
    let id = &row.id;
    let dialect = match row.dialect.as_deref().map(str::parse) {
        None => dialect,
        Some(Ok(dialect)) => dialect,
        Some(Err(error)) => return json!({ "id": id, "error": format!("{error}"), "kind": "row" }).to_string(),
    };
    let lowered = match lower(&row.schema(), dialect, policy) {
        Ok(lowered) => lowered,
        Err(why) => return json!({ "id": id, "error": why.to_string(), "kind": "unlowerable" }).to_string(),
    };
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for instance in &row.instances {
        let encoded = lowered.encode_json(instance.get());
        let lifted = encoded.as_ref().and_then(|answer| lowered.lift(answer).ok());
        there.push(encoded.unwrap_or_else(|| String::from("null")));
        back.push(lifted.unwrap_or_else(|| String::from("null")));
    }
    format!(
        "{{\"id\":{id},\"dialect\":{},\"schema\":{},\"losses\":{},\"lowered_instances\":[{}],\"lifted\":[{}]}}",
        json!(dialect.as_str()),
        lowered.schema().get(),
        losses(&lowered),
        there.join(","),
        back.join(",")
    )
}

fn losses(lowered: &Lowered) -> Value {
    let row = |loss: &Loss| json!({ "path": loss.pointer, "keyword": loss.keyword, "moved": loss.moved.as_str(), "why": loss.why });
    lowered.losses().iter().map(row).collect()
}
