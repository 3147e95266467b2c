//! Recorded verdicts for thousands of schemas, where the files are there.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::super::Checker;
use super::referee::Referee;
use super::{issues, without_formats};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/schemas");

#[derive(Debug, Default)]
struct Count {
    schemas: usize,
    unsupported: usize,
    values: usize,
    refereed: usize,
}

/// The rows of a file, if it is there.
fn rows(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(FOLDER).join(name);
    // The command unpacks them, since a library for this one test would be built for every example too.
    let unpacked = Command::new("gzip").arg("--decompress").arg("--stdout").arg(&path).output().ok();
    let Some(unpacked) = unpacked.filter(|unpacked| unpacked.status.success()) else {
        println!("skipped: no {name}");
        return None;
    };
    let text = String::from_utf8(unpacked.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The schema with the draft that the row names.
fn schema(row: &Value) -> Value {
    let uri = match row["draft"].as_str().unwrap_or_default() {
        "draft4" => "http://json-schema.org/draft-04/schema#",
        "draft6" => "http://json-schema.org/draft-06/schema#",
        "draft7" => "http://json-schema.org/draft-07/schema#",
        "2019-09" => "https://json-schema.org/draft/2019-09/schema",
        _ => "https://json-schema.org/draft/2020-12/schema",
    };
    let mut schema = without_formats(&row["schema"]);
    if let Some(map) = schema.as_object_mut() {
        map.entry("$schema").or_insert(json!(uri));
    }
    schema
}

/// Compares verdicts; returns what differs.
fn compare(name: &str, known: &[&str]) -> Option<Count> {
    let mut count = Count::default();
    let mut differ = Vec::new();
    for row in rows(name)? {
        let id = row["id"].as_str().unwrap();
        count.schemas += 1;
        let schema = schema(&row);
        let checker = match Checker::compile(&schema) {
            Ok(checker) => checker,
            Err(error) => {
                count.unsupported += 1;
                println!("{id}: {error}");
                continue;
            }
        };
        let formats = without_formats(&row["schema"]) != row["schema"];
        let referee = Referee::new(&schema, false);
        for (list, recorded) in [("valid_instances", true), ("invalid_instances", false)] {
            for value in row[list].as_array().unwrap() {
                count.values += 1;
                let found = issues(&checker, value);
                let ours = found.is_empty();
                let refereed = referee.as_ref().map(|referee| referee.is_valid(value));
                count.refereed += usize::from(refereed.is_some());
                let wrong = (!formats && ours != recorded) || refereed.is_some_and(|theirs| theirs != ours);
                if wrong && !known.contains(&id) {
                    let value: String = value.to_string().chars().take(300).collect();
                    differ.push(format!(
                        "{id}: ours {ours}, recorded {recorded}, referee {refereed:?}: {value} {found:?}"
                    ));
                }
            }
        }
    }
    println!("{name}: {count:?}");
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    Some(count)
}

#[test]
fn rust_types() {
    if let Some(count) = compare("rust_types.jsonl.gz", &[]) {
        assert_eq!(count.unsupported, 0);
    }
}

#[test]
fn schemas_in_use() {
    // Draft 4 alone did not count 12345.0 among the integers.
    let known = ["Github_easy---o24544", "Github_trivial---o14485"];
    if let Some(count) = compare("dev.jsonl.gz", &known) {
        assert!(count.unsupported <= 8, "{count:?}");
    }
}

#[test]
fn official_suite() {
    if let Some(count) = compare("suite.jsonl.gz", &[]) {
        // References to other documents and by id, dynamic scopes, Unicode classes.
        assert!(count.unsupported <= 72, "{count:?}");
    }
}
