//! One row: asked, and its line written. What is here runs beside the rows of others.

use std::fmt::Write as _;

use instructor::{Budget, Client, Completion, Contract, Cost, Error, ErrorKind, Profile};
use serde_json::{Value, json};

use super::prompt::Ask;
use crate::args::Asking;
use crate::output;
use crate::secret::hidden;
use crate::settings;
use crate::usage;

/// What all rows have in common.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) client: Client,
    pub(crate) contract: Contract,
    pub(crate) asking: Asking,
    /// Whose keys must not show.
    pub(crate) profiles: Vec<Profile>,
    pub(crate) form: Form,
    pub(crate) with_usage: bool,
}

/// How a value is written.
#[derive(Debug)]
pub(crate) enum Form {
    Jsonl,
    /// With these columns out of the value, or all of it in one.
    Csv {
        columns: Vec<String>,
        keyed: bool,
    },
}

/// What came of a row.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) end: End,
    pub(crate) cost: Cost,
    /// Whether it was kept from before.
    pub(crate) cached: bool,
}

#[derive(Debug)]
pub(crate) enum End {
    /// The line of the output.
    Done(Vec<u8>),
    /// The line of the errors.
    Failed(Vec<u8>, Option<Error>),
}

impl Question {
    pub(crate) async fn answer(&self, ask: Ask, budget: Budget) -> Answered {
        let Ask { row, key, text } = ask;
        let key = key.as_deref();
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                let line = with_key(row, key, json!({ "error": why, "kind": "row", "issues": [], "attempts": 0 }));
                return Answered { end: End::Failed(line, None), cost: Cost::default(), cached: false };
            }
        };
        let request = self.client.request(settings::messages(&self.asking, text)).budget(budget);
        match request.create_json(&self.contract).await {
            Ok((json, completion)) => Answered {
                cost: completion.report.cost(),
                cached: completion.report.is_cached(),
                end: End::Done(self.form.line(row, key, &json, self.with_usage.then_some(&completion))),
            },
            Err(error) => Answered {
                cost: error.report().cost(),
                cached: false,
                end: End::Failed(self.failed(row, key, &error), Some(error)),
            },
        }
    }

    fn failed(&self, row: u64, key: Option<&str>, error: &Error) -> Vec<u8> {
        let said = self.profiles.iter().fold(error.to_string(), |text, profile| hidden(&text, profile));
        let issues = error.issues().as_slice().iter();
        let issues: Vec<Value> =
            issues.map(|issue| json!({ "path": issue.path().as_str(), "wanted": issue.wanted() })).collect();
        let mut told = json!({
            "error": said,
            "kind": error.kind().as_str(),
            "issues": issues,
            "attempts": error.report().attempts().len(),
        });
        if self.with_usage
            && let (Value::Object(told), Value::Object(used)) = (&mut told, usage::of(error.report()))
        {
            told.extend(used);
        }
        with_key(row, key, told)
    }
}

/// Whether all rows would fail so.
pub(crate) const fn concerns_all(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Auth | ErrorKind::Quota | ErrorKind::Config | ErrorKind::Unsupported)
}

/// Whether the row may be innocent: the service is in trouble, or does not take what is the same for all rows.
pub(crate) const fn may_concern_all(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Transport
            | ErrorKind::RateLimited
            | ErrorKind::Overloaded
            | ErrorKind::BadRequest
            | ErrorKind::SchemaRefused
    )
}

/// The beginning of a line, by which it is known again.
fn begin(row: u64, key: Option<&str>) -> String {
    let mut line = format!("{{\"row\":{row}");
    if let Some(key) = key {
        // Writing to a string does not fail.
        _ = write!(line, ",\"key\":{key}");
    }
    line
}

fn with_key(row: u64, key: Option<&str>, rest: Value) -> Vec<u8> {
    let rest = rest.to_string();
    let mut line = begin(row, key);
    line.push(',');
    line.push_str(rest.strip_prefix('{').unwrap_or(&rest));
    line.into_bytes()
}

impl Form {
    /// The first line of the output, with its line break.
    pub(crate) fn head(&self, with_usage: bool) -> String {
        let Self::Csv { columns, keyed } = self else { return String::new() };
        let mut names = vec!["row"];
        names.extend(keyed.then_some("key"));
        names.extend(columns.iter().map(String::as_str));
        if columns.is_empty() {
            names.push("value");
        }
        if with_usage {
            names.extend(USED);
        }
        let mut head = cells(names);
        head.push(b'\n');
        String::from_utf8(head).unwrap_or_default()
    }

    fn line(&self, row: u64, key: Option<&str>, json: &str, completion: Option<&Completion>) -> Vec<u8> {
        let Self::Csv { columns, .. } = self else {
            let mut line = begin(row, key);
            line.push_str(",\"value\":");
            line.push_str(&output::compact(json));
            if let Some(completion) = completion {
                let used = usage::of(&completion.report).to_string();
                line.push(',');
                line.push_str(used.strip_prefix('{').unwrap_or(&used));
            } else {
                line.push('}');
            }
            return line.into_bytes();
        };
        let mut out = vec![row.to_string()];
        out.extend(key.map(cell));
        if columns.is_empty() {
            out.push(cell(json));
        } else {
            let values: std::collections::HashMap<String, &serde_json::value::RawValue> =
                serde_json::from_str(json).unwrap_or_default();
            out.extend(columns.iter().map(|name| values.get(name).map_or_else(String::new, |value| cell(value.get()))));
        }
        if let Some(completion) = completion {
            let used = usage::of(&completion.report);
            let at = |pointer| used.pointer(pointer).map_or_else(String::new, |value| cell(&value.to_string()));
            out.extend(["/usage/input", "/usage/output", "/usage/attempts", "/usd"].map(at));
        }
        cells(out.iter().map(String::as_str))
    }
}

/// The columns of what a row used.
const USED: [&str; 4] = ["usage_input", "usage_output", "attempts", "usd"];

/// A JSON value as a cell: strings as they are, null as nothing, everything else as JSON.
fn cell(json: &str) -> String {
    match json {
        "null" => String::new(),
        _ if json.starts_with('"') => serde_json::from_str(json).unwrap_or_else(|_| String::from(json)),
        _ => output::compact(json),
    }
}

fn cells<'c>(cells: impl IntoIterator<Item = &'c str>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    // Writing to memory does not fail.
    _ = writer.write_record(cells);
    let mut line = writer.into_inner().unwrap_or_default();
    line.pop();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_with_its_row() {
        let line = |form: &Form, key, json| String::from_utf8(form.line(7, key, json, None)).unwrap();
        assert_eq!(line(&Form::Jsonl, None, "{ \"a\": 1.0 }"), r#"{"row":7,"value":{"a":1.0}}"#);
        assert_eq!(line(&Form::Jsonl, Some("\"k\""), "[\n1 ]"), r#"{"row":7,"key":"k","value":[1]}"#);
        let csv = Form::Csv { columns: vec![String::from("b"), String::from("a")], keyed: true };
        assert_eq!(csv.head(false), "row,key,b,a\n");
        assert_eq!(
            line(&csv, Some("\"k,1\""), r#"{"a":"x\n\"y\"","b":[1, 2]}"#),
            "7,\"k,1\",\"[1,2]\",\"x\n\"\"y\"\"\""
        );
        assert_eq!(line(&csv, Some("3"), r#"{"a":null}"#), "7,3,,");
        let one = Form::Csv { columns: Vec::new(), keyed: false };
        assert_eq!(
            (one.head(true).as_str(), line(&one, None, "\"x\"").as_str()),
            ("row,value,usage_input,usage_output,attempts,usd\n", "7,x")
        );
    }
}
