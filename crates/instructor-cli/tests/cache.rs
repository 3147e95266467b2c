//! Answers that one process of the binary keeps, and another takes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

#[expect(dead_code, reason = "other tests need more of it")]
mod loopback;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use self::loopback::{Loopback, Reply};

const KEY: &str = "sk-test-0123456789";
const SCHEMA: &str = r#"{
    "title": "Person",
    "type": "object",
    "properties": { "name": { "type": "string" }, "age": { "type": "integer", "maximum": 150 } },
    "required": ["name", "age"]
}"#;

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

/// `instructor extract` of a text, in a process of its own.
fn extract(args: &[&str], key: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(["extract", "--schema", SCHEMA, "--provider", "openai/gpt-5-mini"]).args(args);
    command.env_clear().env("OPENAI_API_KEY", key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without having read its input.
    _ = child.stdin.take().unwrap().write_all(b"Ada, 36");
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { exit: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

fn ada() -> Value {
    json!({ "name": "Ada", "age": 36 })
}

#[test]
fn the_same_again_makes_no_call_in_another_process() {
    let folder = std::env::temp_dir().join(format!("instructor-cli-cache-{}", std::process::id()));
    let server = Loopback::new([Reply::Value(ada()), Reply::Value(json!({ "name": "Ada", "age": 37 }))]);
    let cache = folder.to_str().unwrap();
    let args = ["--base-url", &server.url, "--cache", cache, "--compact"];
    let asks = |more: &[&str], key: &str| extract(&[&args[..], more].concat(), key);
    let first = asks(&["-v"], KEY);
    assert_eq!((first.exit, server.seen().len()), (0, 1), "{}", first.stderr);
    assert!(first.stderr.contains("stored in the cache"), "{}", first.stderr);
    // With another key too: the folder is what they share.
    let second = asks(&["-v"], "sk-another");
    assert_eq!((second.exit, second.stdout == first.stdout, server.seen().len()), (0, true, 1), "{}", second.stderr);
    assert!(second.stderr.contains("from the cache: openai/gpt-5-mini"), "{}", second.stderr);
    assert!(second.stderr.contains("0 attempts") && second.stderr.contains("$0.00"), "{}", second.stderr);
    assert_eq!((asks(&["--temperature", "1"], KEY).exit, server.seen().len()), (0, 2));
    assert_eq!((asks(&["--refresh"], KEY).exit, server.seen().len()), (0, 3));
    assert!(asks(&[], KEY).stdout.contains("37"));
    assert_eq!((asks(&["--cache-ttl", "1d"], KEY).exit, server.seen().len()), (0, 3));
    // Of what was refused nothing is kept, and nobody is waited for.
    let bad = Loopback::new([Reply::Body(401, String::from("{}")), Reply::Value(ada())]);
    let asks = || extract(&["--base-url", &bad.url, "--cache", cache], KEY).exit;
    assert_eq!((asks(), asks(), asks(), bad.seen().len()), (6, 0, 0, 2));
    std::fs::remove_dir_all(&folder).unwrap();
    // A folder that can't be is told before anything is sent.
    let none = extract(&["--cache", "/dev/null/x"], KEY);
    assert!(none.exit == 2 && none.stderr.contains("name a folder that can be written to"), "{}", none.stderr);
}
