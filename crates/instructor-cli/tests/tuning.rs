//! `instructor files` and `instructor jobs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]
#![expect(dead_code, reason = "not all of the loopback server is used here")]

mod loopback;

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use self::loopback::{Loopback, Reply};

fn run(args: &[&str], key: bool) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(args).env_clear().stdin(Stdio::null());
    if key {
        command.env("OPENAI_API_KEY", "sk-test-0123456789");
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn body(body: &Value) -> Reply {
    Reply::Body(200, body.to_string())
}

fn file() -> Value {
    json!({ "id": "file-1", "filename": "lessons.jsonl", "purpose": "fine-tune", "bytes": 16, "status": "processed" })
}

fn job(status: &str) -> Value {
    let model = (status == "succeeded").then_some("ft:gpt-5-mini:us:tickets:1");
    json!({ "id": "ftjob-1", "model": "gpt-5-mini", "status": status, "fine_tuned_model": model, "error": null })
}

#[test]
fn files_are_kept_and_looked_after() {
    let folder = std::env::temp_dir().join(format!("instructor-cli-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (lessons, back) = (folder.join("lessons.jsonl"), folder.join("back.jsonl"));
    std::fs::write(&lessons, "{\"messages\":[]}\n").unwrap();
    let server = Loopback::new([
        body(&file()),
        body(&json!({ "data": [file()] })),
        body(&file()),
        Reply::Body(200, String::from("content")),
        body(&json!({ "id": "file-1", "deleted": true })),
    ]);
    let whom = ["--provider=openai/gpt-5-mini", "--base-url", &server.url];
    let files = |args: &[&str]| run(&[&["files"], args, &whom[..]].concat(), true);
    let (lessons, back) = (lessons.to_str().unwrap(), back.to_str().unwrap());
    assert_eq!(
        files(&["upload", lessons]),
        (0, String::from("file-1  fine-tune  16  processed  lessons.jsonl\n"), String::new())
    );
    let (exit, out, _) = files(&["list"]);
    assert_eq!((exit, out.lines().next().unwrap()), (0, "ID      PURPOSE    BYTES  STATUS     NAME"));
    let (_, out, _) = files(&["status", "file-1", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["status"], "processed");
    // The command of Python calls a method that is not there.
    assert_eq!(files(&["download", "file-1", back]).0, 0);
    assert_eq!(std::fs::read_to_string(back).unwrap(), "content");
    assert_eq!(files(&["delete", "file-1"]).1, "file-1 is deleted\n");
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    let wanted = ["/v1/files", "/v1/files", "/v1/files/file-1", "/v1/files/file-1/content", "/v1/files/file-1"];
    assert_eq!(paths, wanted);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_model_is_made_of_lessons() {
    let lessons = std::env::temp_dir().join(format!("instructor-cli-lessons-{}.jsonl", std::process::id()));
    std::fs::write(&lessons, "{\"messages\":[]}\n").unwrap();
    let server = Loopback::new([
        body(&file()),
        body(&job("queued")),
        body(&job("succeeded")),
        body(&json!({ "data": [job("queued")] })),
    ]);
    let whom = ["--provider=openai/gpt-5-mini", "--base-url", &server.url];
    let jobs = |args: &[&str]| run(&[&["jobs"], args, &whom[..]].concat(), true);
    let (exit, out, said) = jobs(&[
        "create",
        lessons.to_str().unwrap(),
        "--suffix=tickets",
        "--epochs=3",
        "--wait",
        "--every=1ms",
        "--json",
    ]);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("is uploaded as file-1"), "{said}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["tuned_model"], "ft:gpt-5-mini:us:tickets:1");
    let asked = &server.seen()[1];
    assert_eq!(asked.path, "/v1/fine_tuning/jobs");
    assert_eq!(
        asked.body,
        json!({ "model": "gpt-5-mini", "training_file": "file-1", "suffix": "tickets",
            "method": { "type": "supervised", "supervised": { "hyperparameters": { "n_epochs": 3 } } } })
    );
    let (_, out, _) = jobs(&["list", "--limit=5"]);
    assert_eq!(out.lines().last().unwrap(), "ftjob-1  queued  gpt-5-mini  -");
    assert_eq!(server.seen()[3].path, "/v1/fine_tuning/jobs?limit=5");

    let server = Loopback::new([
        body(&job("cancelled")),
        body(&json!({ "id": "ftjob-1", "status": "failed",
        "error": { "message": "too few lessons" } })),
    ]);
    let whom = ["--provider=openai/gpt-5-mini", "--base-url", &server.url];
    let jobs = |args: &[&str]| run(&[&["jobs"], args, &whom[..]].concat(), true);
    assert_eq!(jobs(&["cancel", "ftjob-1"]).1, "ftjob-1  cancelled  gpt-5-mini  -\n");
    let (exit, _, said) = jobs(&["status", "ftjob-1"]);
    assert!(exit == 6 && said.contains("too few lessons"), "{exit} {said}");
    std::fs::remove_file(lessons).unwrap();
}

#[test]
fn who_has_none_is_told_who_has_and_no_key_is_asked_of_others() {
    let (exit, _, said) = run(&["jobs", "list", "--provider=anthropic/m"], false);
    assert!(exit == 2 && said.contains("ANTHROPIC_API_KEY"), "{said}");
    let (exit, _, said) = run(&["jobs", "list", "--provider=ollama/m"], false);
    assert!(exit == 2 && said.contains("openai, openai_responses, azure_openai"), "{said}");
    let (exit, _, said) = run(&["files", "list", "--provider=ollama/m"], false);
    assert!(exit == 2 && said.contains("ollama has no files that are known"), "{said}");
    for command in ["batch", "files", "jobs"] {
        assert_eq!(run(&[command, "--help"], false).0, 0);
    }
}
