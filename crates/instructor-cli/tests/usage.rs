//! `instructor usage`, and what `instructor extract` says of costs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]
#![expect(dead_code, reason = "not all of the loopback server is used here")]

mod loopback;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use self::loopback::{Loopback, Reply};

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": { "name": { "type": "string" }, "age": { "type": "integer", "maximum": 150 } },
    "required": ["name", "age"]
}"#;

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

fn run(args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(args).env_clear().env("OPENAI_API_KEY", "sk-test-0123456789").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { exit: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn said(content: &str) -> Reply {
    let usage = json!({ "prompt_tokens": 50, "completion_tokens": 7 });
    let choices = json!([{ "message": { "content": content }, "finish_reason": "stop" }]);
    Reply::Body(200, json!({ "choices": choices, "usage": usage }).to_string())
}

/// A file that is gone at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("instructor-usage-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_was_spent_is_shown_and_summed() {
    let prices = r#"{"format": 1, "as_of": "2026-11-26", "currency": "USD", "providers":
        {"openai": {"models": [{"models": ["m"], "price": {"input": 1, "output": 2}}]}}}"#;
    let (prices, ledger) = (File::new("prices.json", prices), File::new("ledger.jsonl", ""));
    let text = File::new("mail.txt", "Ada Lovelace, 36");
    let always = ["extract", text.path(), "--schema", SCHEMA];
    let server = Loopback::new([said(r#"{"name": "Ada", "age": 360}"#), said(r#"{"name": "Ada", "age": 36}"#)]);
    let more = ["--provider=openai/m", "--base-url", &server.url, "--prices", prices.path(), "--ledger", ledger.path()];
    let ran = run(&[&always[..], &more, &["-v", "--label=mails"]].concat());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    // 50 in and 7 out, twice.
    assert!(ran.stderr.contains("50 in, 7 out, $0.000064): schema_mismatch"), "{}", ran.stderr);
    assert!(ran.stderr.lines().last().unwrap().ends_with("100 in, 14 out, $0.000128"), "{}", ran.stderr);

    // What failed was paid too, and a limit is kept.
    let server = Loopback::new([said(r#"{"name": "Ada", "age": 360}"#)]);
    let more = ["--provider=openai/m", "--base-url", &server.url, "--prices", prices.path(), "--ledger", ledger.path()];
    let ran = run(&[&always[..], &more, &["--max-cost=0.0001", "--max-retries=9"]].concat());
    assert_eq!((ran.exit, server.seen().len()), (8, 2), "{}", ran.stderr);
    assert!(ran.stderr.contains("$0.000128 of $0.0001 are spent"), "{}", ran.stderr);
    let ran =
        run(&[&always[..], &["--provider=local/m", "--base-url", &server.url, "--protocol=openai", "--max-cost=1"]]
            .concat());
    assert!(ran.exit == 2 && ran.stderr.contains("no price is known"), "{}", ran.stderr);

    let usage = |args: &[&str]| {
        let ran = run(&[&["usage", ledger.path()], args].concat());
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        ran.stdout
    };
    assert_eq!(
        usage(&["--by=label"]),
        "LABEL  CALLS  FAILED  INPUT  CACHED  OUTPUT  REASONING  COST\n\
         -      2      2       100    ?       14      ?          $0.000128\n\
         mails  2      1       100    ?       14      ?          $0.000128\n\
         total  4      3       200    ?       28      ?          $0.000256\n"
    );
    let sums: Value = serde_json::from_str(&usage(&["--json", "--label=mails"])).unwrap();
    assert_eq!(sums["by"][0]["model"], "m");
    assert_eq!((&sums["total"]["calls"], &sums["total"]["usd"]), (&json!(2), &json!(0.000128)));
    let ran = run(&["usage", text.path()]);
    assert!(
        ran.exit == 1 && ran.stderr.contains("mail.txt, line 1: wrong configuration: no line of a ledger"),
        "{}",
        ran.stderr
    );
}
