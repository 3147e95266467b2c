//! `instructor batch`, each step a process of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]
#![expect(dead_code, reason = "not all of the loopback server is used here")]

mod loopback;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use self::loopback::{Loopback, Reply};

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

fn run(args: &[&str], key: bool) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(args).env_clear().stdin(Stdio::null());
    if key {
        command.env("OPENAI_API_KEY", "sk-test-0123456789").env("ANTHROPIC_API_KEY", "sk-test-0123456789");
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { exit: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A folder that is gone at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("instructor-cli-batch-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        String::from(self.0.join(name).to_str().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.0.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn body(body: &Value) -> Reply {
    Reply::Body(200, body.to_string())
}

fn batch(status: &str, done: u64) -> Value {
    let files = (status == "completed").then_some(["file-out", "file-err"]);
    json!({ "id": "batch_1", "status": status, "metadata": null,
        "request_counts": { "total": 3, "completed": done, "failed": 0 },
        "output_file_id": files.map(|files| files[0]), "error_file_id": files.map(|files| files[1]) })
}

fn answered(id: &str, content: &Value) -> String {
    let usage = json!({ "prompt_tokens": 50, "completion_tokens": 7 });
    let said = json!({ "choices": [{ "message": { "content": content.to_string() } }], "usage": usage });
    let line = json!({ "custom_id": id, "response": { "status_code": 200, "body": said }, "error": null });
    format!("{line}\n")
}

const ROWS: &str = r#"{"id": "ada", "text": "Ada, 36"}
{"id": "bob", "text": "Bob, 44"}
{"id": "cleo", "text": "Cleo, 51"}
"#;

#[test]
fn rows_go_through_a_batch_a_step_at_a_time() {
    let good = json!({ "name": "Ada", "age": 36 });
    let out = [answered("bob", &json!({ "name": "Bob", "age": 440 })), answered("ada", &good)].concat();
    let late = json!({ "custom_id": "cleo", "response": null,
        "error": { "code": "batch_expired", "message": "too late" } });
    let server = Loopback::new([
        body(&json!({ "id": "file-1" })),
        body(&batch("validating", 0)),
        body(&batch("in_progress", 1)),
        body(&batch("completed", 3)),
        Reply::Body(200, out),
        Reply::Body(200, format!("{late}\n")),
        Reply::Value(json!({ "name": "Bob", "age": 44 })),
    ]);
    let folder = Folder::new("steps");
    let rows = folder.write("people.jsonl", ROWS);
    let job = folder.path("people.batch.json");

    // Without a key: nothing is sent.
    let create = ["batch", "create", &rows, "--schema", SCHEMA, "--provider=openai/gpt-5-mini", "--base-url"];
    let create = [&create[..], &[&server.url, "--column=text", "--key=id", "--prompt=Who is it?"]].concat();
    let create = [&create[..], &["--part=3"]].concat();
    let ran = run(&create, false);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("3 requests") && ran.stdout.contains("batch submit"), "{}", ran.stdout);
    let requests = folder.lines("people.batch.requests.jsonl");
    let ids: Vec<&str> = requests.iter().map(|line| line["custom_id"].as_str().unwrap()).collect();
    assert_eq!((ids, server.seen().len()), (vec!["ada", "bob", "cleo"], 0));
    assert_eq!(requests[0]["body"]["messages"][0]["content"], "Who is it?\n\nAda, 36");
    // A job that is there is not thrown away.
    let ran = run(&create, false);
    assert!(ran.exit == 2 && ran.stderr.contains("is there already"), "{}", ran.stderr);
    let ran = run(&["batch", "status", &job], false);
    assert!(ran.exit == 0 && ran.stdout.contains("not submitted"), "{} {}", ran.stdout, ran.stderr);
    let ran = run(&["batch", "submit", &job], false);
    assert!(ran.exit == 2 && ran.stderr.contains("OPENAI_API_KEY"), "{}", ran.stderr);

    let ran = run(&["batch", "submit", &job], true);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("pending: 0 of 3 done"), "{}", ran.stdout);
    // Twice is once.
    assert_eq!(run(&["batch", "submit", &job], true).exit, 0);
    assert_eq!(server.seen().len(), 2);
    let ran = run(&["batch", "fetch", &job], true);
    assert!(ran.exit == 2 && ran.stderr.contains("it is running, 1 of 3 done"), "{}", ran.stderr);
    let ran = run(&["batch", "status", &job, "--json"], true);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["status"], &told["counts"]["succeeded"]), (&json!("completed"), &json!(3)));

    let ledger = folder.path("ledger.jsonl");
    let ran = run(&["batch", "fetch", &job, "--json", "--ledger", &ledger, "--label=people"], true);
    assert_eq!(ran.exit, 9, "{} {}", ran.stdout, ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["done"], &told["failed"]), (&json!(1), &json!(2)));
    assert_eq!(told["why"], json!({ "expired": 1, "schema_mismatch": 1 }));
    assert_eq!(folder.lines("people.batch.out.jsonl"), [json!({ "id": "ada", "value": good })]);
    assert!(ran.stderr.contains("2 rows failed: 1 expired, 1 schema_mismatch"), "{}", ran.stderr);
    let usage = run(&["usage", "--by=label", &ledger], false);
    assert!(usage.stdout.contains("people  2      1       100"), "{}", usage.stdout);
    // It is downloaded once.
    let seen = server.seen().len();
    assert_eq!(run(&["batch", "fetch", &job], false).exit, 9);
    assert_eq!(server.seen().len(), seen);

    // The next batch, without a key either.
    let ran = run(&["batch", "retry", &job], false);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let again = folder.lines("people.batch-2.requests.jsonl");
    assert_eq!(again[0]["custom_id"], "bob");
    let last = again[0]["body"]["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
    assert!(last.contains("got 440, wanted"), "{last}");
    assert_eq!(again[1], requests[2]);
    let kept = fs::read_to_string(folder.path("people.batch-2.json")).unwrap();
    assert!(kept.contains("\"part\": 3") && kept.contains("\"round\": 2"), "{kept}");

    // Or live: what comes is added.
    let ran = run(&["batch", "retry", &job, "--live", "--json"], true);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["done"], 2);
    let values = folder.lines("people.batch.out.jsonl");
    let mut ids: Vec<&str> = values.iter().map(|line| line["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["ada", "bob", "cleo"]);
    let ran = run(&["batch", "retry", &job, "--live"], true);
    assert_eq!((ran.exit, ran.stdout.trim()), (0, "nothing has failed"));
}

#[test]
fn batches_of_a_provider_are_listed_and_cancelled_by_id() {
    let state = |status: &str| {
        json!({ "id": "msgbatch_1", "processing_status": status, "cancel_initiated_at": "now",
        "request_counts": { "processing": 1, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0 } })
    };
    let page = json!({ "data": [state("in_progress")], "has_more": false });
    let server = Loopback::new([body(&page), body(&page), body(&state("canceling")), body(&state("ended"))]);
    let url = server.url.trim_end_matches("/v1");
    let whom = ["--provider=anthropic/claude-haiku-4-5", "--base-url", url];
    let ran = run(&[&["batch", "list"], &whom[..]].concat(), true);
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (0, "ID          STATUS       REQUESTS\nmsgbatch_1  in_progress  3 of 4 done, 1 failed\n")
    );
    let ran = run(&[&["batch", "list", "--json"], &whom[..]].concat(), true);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told[0]["status"], "running");
    let ran = run(&[&["batch", "cancel", "--id=msgbatch_1", "--json"], &whom[..]].concat(), true);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told[0]["status"], "cancelled");
    assert_eq!(server.seen()[2].path, "/v1/messages/batches/msgbatch_1/cancel");
}

#[test]
fn what_is_wrong_is_told_before_anything_is_written() {
    let folder = Folder::new("wrong");
    let rows = folder.write("rows.csv", "id,text\na,one\na,two\n");
    let create = |more: &[&str]| run(&[&["batch", "create", &rows, "--schema", SCHEMA], more].concat(), false);
    let ran = create(&["--provider=deepseek/deepseek-chat"]);
    assert!(ran.exit == 2 && ran.stderr.contains("deepseek has no batches"), "{}", ran.stderr);
    let ran = create(&["--provider=openai/m", "--column=text", "--key=id"]);
    assert!(ran.exit == 2 && ran.stderr.contains("\"a\" is there twice"), "{}", ran.stderr);
    let ran = create(&["--provider=openai/m", "--column=none"]);
    assert!(ran.exit == 1 && ran.stderr.contains("row 1"), "{}", ran.stderr);
    assert!(!folder.0.join("rows.batch.json").exists());
    let ran = create(&["--provider=openai/m", "--column=text", "--part=1", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((told["parts"].as_array().unwrap().len(), &told["requests"]), (2, &json!(2)));
    let ran = run(&["batch", "status", &rows], false);
    assert!(ran.exit == 2 && ran.stderr.contains("is no job file"), "{}", ran.stderr);
    let ran = run(&["batch", "retry", &folder.path("rows.batch.json")], false);
    assert!(ran.exit == 1 && ran.stderr.contains("instructor batch fetch"), "{}", ran.stderr);
}
