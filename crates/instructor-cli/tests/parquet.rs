//! Rows in Parquet, in and out: `cargo test -p instructor-cli --features parquet`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

#[expect(dead_code, reason = "what only the other tests ask of it")]
#[path = "run/server.rs"]
mod server;

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};

use self::server::Server;

const SCHEMA: &str = r#"{
    "title": "Row", "type": "object",
    "properties": {
        "text": { "type": "string" }, "length": { "type": "integer" }, "share": { "type": ["number", "null"] },
        "long": { "type": "boolean" }, "words": { "type": "array", "items": { "type": "string" } }
    },
    "required": ["text", "length", "share", "long", "words"]
}"#;

fn value(text: &str) -> Value {
    let words: Vec<&str> = text.split(' ').collect();
    let share = (text.len() > 4).then_some(text.len() as f64 / 8.0);
    json!({ "text": text, "length": text.len(), "share": share, "long": text.len() > 6, "words": words })
}

fn rows(path: &Path) -> Vec<Value> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let mut rows: Vec<Value> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_json_value()).collect();
    rows.sort_by_key(|row| row["row"].as_i64());
    rows
}

fn run(folder: &Path, server: &Server, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.arg("run").args(args).env_clear().env("OPENAI_API_KEY", "sk-test-0123456789").current_dir(folder);
    command.args(["--schema", SCHEMA, "--provider", "openai/gpt-5-mini", "--base-url", &server.url, "--quiet"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_table_comes_in_and_goes_out() {
    let folder = std::env::temp_dir().join(format!("instructor-parquet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let server = Server::new(Duration::from_millis(1), |text, _| (200, value(text)));
    let texts: Vec<String> =
        (1..=20).map(|n| format!("é{}", "x ".repeat(n))).map(|text| String::from(text.trim())).collect();
    let lines: String =
        texts.iter().zip(1..).map(|(text, id)| format!("{}\n", json!({ "id": id, "body": text }))).collect();
    std::fs::write(folder.join("in.jsonl"), lines).unwrap();
    let first = ["in.jsonl", "-o", "first.parquet", "--column", "body", "--key", "id", "--with-usage"];
    run(&folder, &server, &[&first[..], &["--max-rows", "7"]].concat());
    assert_eq!(rows(&folder.join("first.parquet")).len(), 7);
    run(&folder, &server, &first);
    let table = rows(&folder.join("first.parquet"));
    for (row, (text, number)) in table.iter().zip(texts.iter().zip(1..)) {
        let wanted = value(text);
        assert_eq!((&row["row"], &row["key"]), (&json!(number), &json!(number.to_string())));
        for name in ["text", "length", "share", "long"] {
            assert_eq!(row[name], wanted[name], "{name} of {text:?}");
        }
        assert_eq!(row["words"], wanted["words"].to_string());
        assert!(row["usd"].as_f64().unwrap() > 0.0 && row["usage_input"].as_i64().unwrap() > 0, "{row}");
    }
    assert_eq!((table.len(), server.calls()), (20, 20));

    // What came out goes in again: its texts are asked for.
    run(&folder, &server, &["first.parquet", "-o", "second.parquet", "--template", "{row}: {text}", "--key", "row"]);
    let again = rows(&folder.join("second.parquet"));
    assert_eq!((again.len(), server.calls()), (20, 40));
    for row in &again {
        let before = table.iter().find(|before| row["key"].as_str() == Some(&*before["row"].to_string())).unwrap();
        assert_eq!(row["text"], format!("{}: {}", before["row"], before["text"].as_str().unwrap()));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
