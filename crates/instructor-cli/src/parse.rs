//! `instructor parse`: JSON out of a text that is already there.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use instructor::{Contract, Error, Level, ParseOptions, Reading, Repair, RepairKind};
use instructor_json::{Kind, Node, Parser};
use serde_json::{Value, json};

use crate::args::{Parse, ReportFormat};
use crate::failure::Failure;
use crate::{input, output, rows};

pub(crate) fn run(args: &Parse) -> Result<(), Failure> {
    let contract = match &args.schema {
        Some(schema) => input::contract(schema)?,
        None => anything()?,
    };
    if args.jsonl {
        return rows(args, &contract);
    }
    let text = input::text(args.file.as_deref())?;
    if args.prefixes {
        return prefixes(args, &text);
    }
    let reading =
        contract.read_with(&text, options(args.level, &args.salvage)).map_err(|error| unread(&error, args.level))?;
    if args.json {
        let repairs = Value::from_iter(reading.repairs.iter().map(row));
        let (value, cut) = (output::compact(&reading.json), reading.truncated);
        return output::result(&format!("{{\"value\":{value},\"truncated\":{cut},\"repairs\":{repairs}}}"));
    }
    tell(args, &reading);
    if reading.truncated {
        output::say("the text ends inside the value: it is not all there");
    }
    output::result(&if args.compact { output::compact(&reading.json) } else { output::indented(&reading.json) })
}

/// Who asks to salvage and names no kind means all of them.
fn options(level: Level, kinds: &[RepairKind]) -> ParseOptions {
    let kinds = if kinds.is_empty() { RepairKind::ALL } else { kinds };
    kinds.iter().fold(ParseOptions::new().with_level(level), |options, kind| options.salvage(*kind))
}

/// The contract that every value keeps.
fn anything() -> Result<Contract, Failure> {
    Contract::from_schema(json!({})).map_err(|e| Failure::from_kind(e.kind(), e.to_string()))
}

fn unread(error: &Error, level: Level) -> Failure {
    let issues = error.issues().as_slice().iter().map(|issue| format!("  {issue}")).collect();
    let failure = Failure::from_kind(error.kind(), error.to_string()).details(issues);
    if level < Level::Lenient { failure.hint("--level lenient also takes likely readings") } else { failure }
}

fn tell(args: &Parse, reading: &Reading) {
    match args.report {
        ReportFormat::Json => output::say(&Value::from_iter(reading.repairs.iter().map(row)).to_string()),
        ReportFormat::Text => {
            for repair in &reading.repairs {
                let Repair { severity, before, after, .. } = repair;
                output::say(&format!("{repair} ({severity:?}): {before:?} -> {after:?}"));
            }
        }
    }
}

fn row(repair: &Repair) -> Value {
    json!({
        "kind": repair.kind,
        "severity": format!("{:?}", repair.severity),
        "path": repair.path.as_str(),
        "span": repair.span.as_ref().map(|span| [span.start, span.end]),
        "before": repair.before,
        "after": repair.after,
    })
}

/// Reads row by row; a bad row is a row with an error.
fn rows(args: &Parse, contract: &Contract) -> Result<(), Failure> {
    // Rows often share a schema; its text is the key.
    let mut contracts = HashMap::new();
    rows::answer(args.file.as_deref(), |line| one_row(line, args, contract, &mut contracts))
}

/// The row that answers a row. The value is JSON text, put in as it is.
fn one_row(
    line: &[u8],
    args: &Parse,
    contract: &Contract,
    contracts: &mut HashMap<String, Result<Contract, Error>>,
) -> String {
    let bad = |id: &Value, kind: &str, error: String| {
        json!({ "id": id, "error": error, "kind": kind, "repairs": [] }).to_string()
    };
    let row: Value = match serde_json::from_slice(line) {
        Ok(row) => row,
        Err(error) => return bad(&Value::Null, "row", format!("the row is not JSON: {error}")),
    };
    let id = row.get("id").unwrap_or(&Value::Null);
    let text = match (row.get("input").and_then(Value::as_str), row.get("input_b64").and_then(Value::as_str)) {
        (Some(text), _) => String::from(text),
        (None, Some(coded)) => match STANDARD.decode(coded).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => return bad(id, "malformed", format!("the input is not UTF-8: {error}")),
            Err(error) => return bad(id, "row", format!("input_b64 is not base64: {error}")),
        },
        (None, None) => return bad(id, "row", String::from("the row has no \"input\" and no \"input_b64\"")),
    };
    let level = match row.get("level").and_then(Value::as_str).map(crate::args::level) {
        Some(Ok(level)) => level,
        Some(Err(error)) => return bad(id, "row", error),
        None => args.level,
    };
    let own = row.get("schema").filter(|schema| !schema.is_null());
    let contract = match own {
        None => contract,
        Some(schema) => {
            match contracts.entry(schema.to_string()).or_insert_with(|| Contract::from_schema(schema.clone())) {
                Ok(contract) => contract,
                Err(error) => return bad(id, error.kind().as_str(), error.to_string()),
            }
        }
    };
    match contract.read_with(&text, options(level, &args.salvage)) {
        Ok(Reading { json, repairs, truncated, .. }) => {
            let repairs = Value::from_iter(repairs.iter().map(self::row));
            let json = output::compact(&json);
            let cut = if truncated { ",\"truncated\":true" } else { "" };
            format!("{{\"id\":{id},\"value\":{json}{cut},\"repairs\":{repairs}}}")
        }
        Err(error) => {
            let issues: Vec<String> = error.issues().as_slice().iter().map(ToString::to_string).collect();
            json!({ "id": id, "error": error.to_string(), "kind": error.kind().as_str(), "issues": issues, "repairs": [] }).to_string()
        }
    }
}

/// The value after every byte, a line each: `{"bytes": n, "value": ..}`, without a value where there is none yet.
fn prefixes(args: &Parse, text: &str) -> Result<(), Failure> {
    let failed = |e: instructor_json::Error| Failure::from_kind(instructor::ErrorKind::Malformed, e.to_string());
    let mut parser = Parser::new(options(args.level, &args.salvage));
    let mut out = BufWriter::new(io::stdout().lock());
    for (i, byte) in text.bytes().enumerate() {
        parser.push(&[byte]).map_err(failed)?;
        let mut line = format!("{{\"bytes\":{}", i + 1);
        if let Some(view) = parser.view() {
            line.push_str(",\"value\":");
            write_node(view, &mut line);
        }
        line.push('}');
        match writeln!(out, "{line}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::unexpected(format!("standard output can't be written: {error}"))),
            Ok(()) => {}
        }
    }
    out.flush().map_err(|e| Failure::unexpected(format!("standard output can't be written: {e}")))
}

/// A value that may still be growing, closed as it stands.
fn write_node(node: Node<'_>, out: &mut String) {
    match node.kind() {
        Kind::Object => {
            out.push('{');
            for (i, (key, value)) in node.entries().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(&*key.as_str().unwrap_or_default()).to_string());
                out.push(':');
                write_node(value, out);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (i, item) in node.items().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_node(item, out);
            }
            out.push(']');
        }
        Kind::String => out.push_str(&Value::from(&*node.as_str().unwrap_or_default()).to_string()),
        _ => out.push_str(node.source()),
    }
}
