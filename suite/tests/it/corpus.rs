//! Thousands of schemas with values of theirs, where the files are there.

#![expect(clippy::print_stdout, reason = "what is skipped is told")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/schemas");

/// A schema, and values that it allows.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// As it stands.
    pub(crate) schema: Value,
    /// Given ones, then derived ones.
    pub(crate) valid: Vec<Value>,
    draft: &'static str,
}

impl Record {
    /// The schema with `$schema`, if it is of another draft than the newest and does not say so.
    pub(crate) fn declared(&self) -> Value {
        let mut schema = self.schema.clone();
        if let (Some(map), false) = (schema.as_object_mut(), self.draft.is_empty()) {
            map.entry("$schema").or_insert(json!(self.draft));
        }
        schema
    }
}

/// Records of the files, one out of so many; none, with a printed line, if a file is absent.
pub(crate) fn records(names: &[&str], every: usize) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    for name in names {
        let text = unpacked(name)?;
        records.extend(text.lines().step_by(every).map(|line| record(&serde_json::from_str(line).unwrap())));
    }
    Some(records)
}

/// By the command, as other tests do: a library for it would be one more that everybody builds.
fn unpacked(name: &str) -> Option<String> {
    let path = Path::new(FOLDER).join(name);
    let unpacked = Command::new("gzip").arg("--decompress").arg("--stdout").arg(&path).output().ok();
    let Some(unpacked) = unpacked.filter(|unpacked| unpacked.status.success()) else {
        println!("skipped: no {name}");
        return None;
    };
    Some(String::from_utf8(unpacked.stdout).unwrap())
}

fn record(row: &Value) -> Record {
    let given = row["valid_instances"].as_array().unwrap().iter();
    let derived = row["derived_valid"].as_array().unwrap().iter().map(|derived| &derived["data"]);
    Record {
        id: row["id"].as_str().unwrap().to_owned(),
        schema: row["schema"].clone(),
        valid: given.chain(derived).cloned().collect(),
        draft: match row["draft"].as_str().unwrap() {
            "draft4" => "http://json-schema.org/draft-04/schema#",
            "draft6" => "http://json-schema.org/draft-06/schema#",
            "draft7" => "http://json-schema.org/draft-07/schema#",
            "2019-09" => "https://json-schema.org/draft/2019-09/schema",
            _ => "",
        },
    }
}
