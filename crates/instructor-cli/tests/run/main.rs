//! `instructor run`, against a provider on the loopback interface that counts what it is paid for.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

mod server;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use self::server::Server;

const SCHEMA: &str = r#"{
    "title": "Echo", "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"]
}"#;
const KEY: &str = "sk-test-0123456789";
const SHORT: Duration = Duration::from_millis(1);

/// A folder that is gone at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("instructor-run-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// The rows of a file, by number; each has to be there once.
    fn rows(&self, name: &str) -> BTreeMap<u64, Value> {
        let mut rows = BTreeMap::new();
        for line in self.read(name).lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            let twice = rows.insert(value["row"].as_u64().unwrap(), value);
            assert_eq!(twice, None, "a row is there twice");
        }
        rows
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// `instructor run` in the folder, of `in.jsonl` to `out.jsonl` unless the arguments say otherwise.
fn command(folder: &Folder, server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.arg("run").env_clear().env("OPENAI_API_KEY", KEY).current_dir(&folder.0);
    command.args(["--schema", SCHEMA, "--provider", "openai/gpt-5-mini", "--base-url", &server.url]).args(args);
    if !args.iter().any(|arg| arg.starts_with("in.")) {
        command.arg("in.jsonl");
    }
    if !args.contains(&"-o") {
        command.args(["-o", "out.jsonl"]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(folder: &Folder, server: &Server, args: &[&str]) -> Ran {
    ended(command(folder, server, args).spawn().unwrap())
}

/// So many rows of JSON, as text `row 1` and so on.
fn rows(count: u64) -> String {
    (1..=count).map(|row| format!("{{\"id\":\"id-{row}\",\"text\":\"row {row}\"}}\n")).collect()
}

const TEXT: [&str; 2] = ["--column", "text"];

#[test]
fn each_row_is_asked_once_and_written_once() {
    let (folder, server) = (Folder::new(), Server::echo(SHORT));
    folder.write("in.jsonl", &rows(100));
    let args = [&TEXT[..], &["--key", "id", "--with-usage", "--json"]].concat();
    let ran = run(&folder, &server, &args);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let out = folder.rows("out.jsonl");
    assert_eq!(out.len(), 100);
    for (row, line) in &out {
        assert_eq!(line["value"], json!({ "text": format!("row {row}") }));
        assert_eq!(line["key"], format!("id-{row}"));
        assert!(line["usage"]["input"].as_u64().unwrap() > 0 && line["usd"].as_f64().unwrap() > 0.0, "{line}");
    }
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&summary["rows"], &summary["done"], &summary["failed"]), (&json!(100), &json!(100), &json!(0)));
    assert_eq!(summary["spent"]["calls"], 100);
    assert!(folder.read("out.jsonl.errors.jsonl").is_empty());

    // Again, there is nothing to do; what was added since is done, and nothing else.
    let again = run(&folder, &server, &args[..5]);
    assert_eq!((again.exit, server.calls()), (0, 100));
    assert!(again.stderr.contains("nothing is left to do"), "{}", again.stderr);
    folder.write("in.jsonl", &rows(103));
    assert_eq!((run(&folder, &server, &args).exit, server.calls()), (0, 103));
    assert_eq!(folder.rows("out.jsonl").len(), 103);
}

#[test]
fn a_row_that_fails_is_an_error_of_its_kind() {
    let reply = |text: &str, nth| match text {
        "refused" => (400, json!("too long")),
        "wrong" => (200, json!({ "text": { "n": 7.5 } })),
        // Right when it is asked for in the second run.
        "later" if nth < 3 => (200, json!({})),
        _ => (200, json!({ "text": text })),
    };
    let (folder, server) = (Folder::new(), Server::new(SHORT, reply));
    let texts =
        ["fine", "wrong", "later", "refused"].map(|text| format!("{{\"id\": \"{text}\", \"text\": \"{text}\"}}\n"));
    folder.write("in.jsonl", &format!("{}\n{{\"id\":5}}\nno JSON\n{{\"text\":\"\",\"id\":7}}\n", texts.concat()));
    let args = [&TEXT[..], &["--key", "id", "--max-retries", "1"]].concat();
    let ran = run(&folder, &server, &args);
    assert_eq!(ran.exit, 9, "{}", ran.stderr);
    assert!(ran.stderr.contains("6 rows failed") && ran.stderr.contains("--retry-errors"), "{}", ran.stderr);
    assert_eq!(folder.rows("out.jsonl").into_keys().collect::<Vec<_>>(), [1]);
    let errors = folder.rows("out.jsonl.errors.jsonl");
    let kinds: Vec<(&str, u64)> =
        errors.values().map(|e| (e["kind"].as_str().unwrap(), e["attempts"].as_u64().unwrap())).collect();
    let wanted =
        [("schema_mismatch", 2), ("schema_mismatch", 2), ("bad_request", 1), ("row", 0), ("row", 0), ("row", 0)];
    assert_eq!(kinds, wanted);
    assert_eq!((&errors[&2]["issues"][0]["path"], &errors[&2]["key"]), (&json!("$.text"), &json!("wrong")));
    assert!(errors[&5]["error"].as_str().unwrap().contains("no column \"text\""));
    // What the model said is not in there.
    assert!(!folder.read("out.jsonl.errors.jsonl").contains("7.5"));

    // They are not asked for again, unless that is what is wanted.
    let calls = server.calls();
    let again = run(&folder, &server, &args);
    assert_eq!((again.exit, server.calls()), (9, calls));
    assert_eq!(run(&folder, &server, &[&args[..], &["--retry-errors"]].concat()).exit, 9);
    assert_eq!(folder.rows("out.jsonl").into_keys().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(folder.rows("out.jsonl.errors.jsonl").into_keys().collect::<Vec<_>>(), [2, 4, 5, 6, 7]);
    assert_eq!(server.paid()["fine"], 1);
}

#[test]
fn killed_at_any_moment_no_row_is_lost_or_paid_for_twice_but_those_in_flight() {
    let count: u64 = std::env::var("INSTRUCTOR_RUN_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(3000);
    const FLIGHT: u32 = 64;
    const KILLS: u32 = 3;
    for order in [&[][..], &["--in-order"]] {
        let (folder, server) = (Folder::new(), Server::echo(Duration::from_millis(5)));
        folder.write("in.jsonl", &rows(count));
        let args = [&TEXT[..], &["--concurrency", "64"], order].concat();
        for kill in 1..=KILLS {
            let mut child = command(&folder, &server, &args).spawn().unwrap();
            // In the middle of it, at a time that nobody has chosen.
            let until = count as u32 * kill / (KILLS + 2) + std::process::id() % 50;
            while server.calls() < until {
                thread::sleep(Duration::from_micros(500));
                assert_eq!(child.try_wait().unwrap(), None, "it has ended before it was killed");
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        // What a kill in the middle of a write leaves.
        let mut torn = folder.read("out.jsonl");
        torn.push_str("{\"row\":1,\"val");
        folder.write("out.jsonl", &torn);
        let last = run(&folder, &server, &args);
        assert_eq!(last.exit, 0, "{}", last.stderr);
        assert!(last.stderr.contains("going on: "), "{}", last.stderr);
        let out = folder.rows("out.jsonl");
        assert_eq!(out.len() as u64, count);
        assert!(out.iter().all(|(row, line)| line["value"]["text"] == format!("row {row}")));
        if order.is_empty() {
            assert!(server.calls() <= count as u32 + FLIGHT * KILLS, "{} calls", server.calls());
        } else {
            // Rows that wait for one before them are paid for and not written.
            assert!(server.calls() <= count as u32 + 4 * FLIGHT * KILLS, "{} calls", server.calls());
            assert!(
                folder
                    .read("out.jsonl")
                    .lines()
                    .zip(1..)
                    .all(|(line, row)| line.starts_with(&format!("{{\"row\":{row},")))
            );
        }
        assert!(server.paid().values().all(|&times| times <= 1 + KILLS));
    }
}

#[cfg(unix)]
#[test]
fn interrupted_it_finishes_what_is_in_flight() {
    let (folder, server) = (Folder::new(), Server::echo(Duration::from_millis(100)));
    folder.write("in.jsonl", &rows(500));
    let args = [&TEXT[..], &["--concurrency", "16", "--json"]].concat();
    let child = command(&folder, &server, &args).spawn().unwrap();
    while server.calls() < 40 {
        thread::sleep(SHORT);
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = ended(child);
    assert_eq!(ran.exit, 130, "{}", ran.stderr);
    assert!(ran.stderr.contains("rows in flight") && ran.stderr.contains("the same command goes on"), "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["stopped"], "interrupted");
    // What was paid for is there.
    let done = folder.rows("out.jsonl").len();
    assert!((40..500).contains(&done), "{done}");
    assert_eq!(server.calls() as usize, done);
    assert_eq!(run(&folder, &server, &args).exit, 0);
    assert_eq!((folder.rows("out.jsonl").len(), server.calls()), (500, 500));
}

#[test]
fn tables_come_in_and_go_out() {
    let (folder, server) = (Folder::new(), Server::echo(SHORT));
    let texts = ["plain", "a \"quoted\", text", "two\nlines", "é, 😀"];
    let table: String =
        texts.iter().zip(1..).map(|(text, id)| format!("{id},\"{}\"\n", text.replace('"', "\"\""))).collect();
    folder.write("in.csv", &format!("id,body\n{table}"));
    let args = ["in.csv", "--column", "body", "--key", "id", "-o", "out.csv", "--concurrency", "1"];
    let ran = run(&folder, &server, &[&args[..], &["--max-rows", "3"]].concat());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    // Cut in the middle of a cell with a line break.
    let cut = folder.read("out.csv");
    folder.write("out.csv", cut.strip_suffix("lines\"\n").unwrap());
    assert_eq!(run(&folder, &server, &args).exit, 0);
    let out = folder.read("out.csv");
    let mut rows = csv_rows(&out);
    assert_eq!(rows.remove(0), ["row", "key", "text"]);
    for (number, (row, text)) in rows.iter().zip(texts).enumerate() {
        let number = (number + 1).to_string();
        assert_eq!(row[..], [number.clone(), number, String::from(text)]);
    }
    assert_eq!((rows.len(), server.calls()), (4, 5));
}

/// The cells of a table.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect()
}

#[test]
fn an_output_is_gone_on_with_only_as_it_was_begun() {
    let (folder, server) = (Folder::new(), Server::echo(SHORT));
    folder.write("in.jsonl", &rows(3));
    assert_eq!(run(&folder, &server, &TEXT).exit, 0);
    let other = SCHEMA.replace("Echo", "Other");
    let model = ["--provider", "openai/gpt-5"];
    let cases: [(&[&str], &str); 4] = [
        (&["--prompt", "Say it again"], "the prompt"),
        (&["--temperature", "0"], "a setting of the model"),
        (&["--with-usage"], "--with-usage"),
        (&["--mode", "tools"], "the mode"),
    ];
    for (more, what) in cases {
        let ran = run(&folder, &server, &[&TEXT[..], more].concat());
        assert_eq!(ran.exit, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(what) && ran.stderr.contains("--overwrite"), "{}", ran.stderr);
    }
    for (name, value, what) in [("--schema", other.as_str(), "the schema"), (model[0], model[1], "the model")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
        let mut args = vec!["run", "in.jsonl", "-o", "out.jsonl", "--base-url", &server.url, "--column", "text"];
        for (flag, usual) in [("--schema", SCHEMA), ("--provider", "openai/gpt-5-mini")] {
            args.extend([flag, if flag == name { value } else { usual }]);
        }
        command.args(args).env_clear().env("OPENAI_API_KEY", KEY).current_dir(&folder.0);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(what));
    }
    // How fast and how far it goes may differ.
    let free = ["--concurrency", "2", "--max-retries", "0", "--rate", "100/s", "--max-rows", "2", "--max-cost", "1"];
    assert_eq!(run(&folder, &server, &[&TEXT[..], &free].concat()).exit, 0);
    folder.write("in.jsonl", &rows(3).replace("row 1", "row 0"));
    let ran = run(&folder, &server, &TEXT);
    assert!(ran.exit == 2 && ran.stderr.contains("the input"), "{}", ran.stderr);
    assert_eq!(server.calls(), 3);
    assert_eq!(run(&folder, &server, &[&TEXT[..], &["--overwrite"]].concat()).exit, 0);
    assert_eq!((server.calls(), folder.rows("out.jsonl").len()), (6, 3));

    // What somebody else has written stays.
    folder.write("mine.jsonl", "precious\n");
    let ran = run(&folder, &server, &[&TEXT[..], &["-o", "mine.jsonl"]].concat());
    assert!(ran.exit == 2 && ran.stderr.contains("is there already"), "{}", ran.stderr);
    assert_eq!(folder.read("mine.jsonl"), "precious\n");
}

#[test]
fn two_runs_do_not_write_the_same_output() {
    let (folder, server) = (Folder::new(), Server::echo(SHORT));
    folder.write("in.jsonl", &rows(2));
    assert_eq!(run(&folder, &server, &TEXT).exit, 0);
    folder.write("in.jsonl", &rows(3));
    let other = fs::OpenOptions::new().append(true).open(folder.0.join("out.jsonl")).unwrap();
    other.lock().unwrap();
    let ran = run(&folder, &server, &TEXT);
    assert_eq!(server.calls(), 2);
    assert!(ran.stderr.contains("another run is writing out.jsonl: wait"), "{}", ran.stderr);
    drop(other);
    assert_eq!((run(&folder, &server, &TEXT).exit, folder.rows("out.jsonl").len()), (0, 3));
}

#[test]
fn what_no_row_can_pass_ends_the_run_and_leaves_them_open() {
    let down = AtomicU32::new(1);
    let server = Server::new(SHORT, move |text, _| match down.fetch_add(1, Ordering::Relaxed) {
        1..=8 => (401, json!(format!("no key {KEY}"))),
        _ => (200, json!({ "text": text })),
    });
    let folder = Folder::new();
    folder.write("in.jsonl", &rows(50));
    let args = [&TEXT[..], &["--concurrency", "8", "--json"]].concat();
    let ran = run(&folder, &server, &args);
    assert_eq!(ran.exit, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("the same command goes on") && !ran.stderr.contains(KEY), "{}", ran.stderr);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["stopped"], "auth");
    assert!(server.calls() <= 9, "{}", server.calls());
    assert!(folder.read("out.jsonl.errors.jsonl").is_empty());
    assert_eq!(run(&folder, &server, &args).exit, 0);
    assert_eq!(folder.rows("out.jsonl").len(), 50);

    // A service that is down does not take all rows with it.
    let (folder, server) = (Folder::new(), Server::new(SHORT, |_, _| (404, json!("no such model"))));
    folder.write("in.jsonl", &rows(1000));
    let ran = run(&folder, &server, &[&TEXT[..], &["--concurrency", "4"]].concat());
    assert_eq!(ran.exit, 6, "{}", ran.stderr);
    assert!(server.calls() < 120, "{}", server.calls());
}

#[test]
fn it_ends_when_so_much_is_spent_or_so_many_have_failed() {
    let reply = |text: &str, _| if text.ends_with('7') { (400, json!("no")) } else { (200, json!({ "text": text })) };
    let (folder, server) = (Folder::new(), Server::new(SHORT, reply));
    folder.write("in.jsonl", &rows(200));
    let args = [&TEXT[..], &["--concurrency", "2", "--json"]].concat();
    let ran = run(&folder, &server, &[&args[..], &["--max-errors", "2"]].concat());
    assert_eq!(ran.exit, 9, "{}", ran.stderr);
    assert!((2..=3).contains(&folder.rows("out.jsonl.errors.jsonl").len()));
    let ran = run(&folder, &server, &[&args[..], &["--max-cost", "0.0005"]].concat());
    assert_eq!(ran.exit, 8, "{}", ran.stderr);
    assert!(ran.stderr.contains("with a higher one the same command goes on"), "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let usd = summary["spent"]["usd"].as_f64().unwrap();
    let done = summary["now"]["done"].as_f64().unwrap();
    assert!(done > 2.0 && usd > 0.0004 && usd < 0.0005 + 2.0 * usd / done, "{usd} for {done}");
    // Nothing of it is asked for again.
    assert_eq!(run(&folder, &server, &args).exit, 9);
    let failed = folder.rows("out.jsonl.errors.jsonl").into_keys().collect::<HashSet<_>>();
    assert_eq!((failed.len(), folder.rows("out.jsonl").len(), server.calls()), (20, 180, 200));
    // What no price is known of can't be kept to a limit, which is said before anything is sent.
    let unknown = ["--provider", "openai/unheard-of", "-o", "other.jsonl", "--max-cost", "1", "in.jsonl"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(["run", "--schema", SCHEMA, "--base-url", &server.url]).args(unknown);
    let output = command.env("OPENAI_API_KEY", KEY).current_dir(&folder.0).output().unwrap();
    assert_eq!((output.status.code(), server.calls()), (Some(2), 200));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no price is known"));
}

#[test]
fn a_template_and_a_fallback_and_standard_input() {
    let first = Server::new(SHORT, |_, _| (503, json!("overloaded")));
    let second = Server::echo(SHORT);
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(["run", "-", "-o", "out.jsonl", "--schema", SCHEMA, "--max-retries", "0", "--quiet"]);
    command.args(["--provider", "openai/gpt-5-mini", "--base-url", &first.url, "--fallback", "ollama/qwen3"]);
    command.args(["--template", "{a} and {{{b}}}"]).env_clear().env("OPENAI_API_KEY", KEY);
    command.env("OLLAMA_HOST", second.url.trim_end_matches("/v1")).env("OLLAMA_BASE_URL", &second.url);
    let mut child = command
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"{\"a\": 1, \"b\": \"x\"}\n\n{\"a\": [2], \"b\": null}").unwrap();
    drop(stdin);
    let ran = ended(child);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let texts: Vec<Value> = folder.rows("out.jsonl").into_values().map(|line| line["value"]["text"].clone()).collect();
    assert_eq!(texts, ["1 and {x}", "[2] and {}"]);
    assert_eq!((first.calls(), second.calls()), (2, 2));
}

#[test]
fn the_request_of_the_first_row_is_shown_without_a_key() {
    let (folder, server) = (Folder::new(), Server::echo(SHORT));
    folder.write("in.jsonl", &rows(3));
    let ran = ended(
        command(&folder, &server, &["--column", "text", "--dry-run"]).env_remove("OPENAI_API_KEY").spawn().unwrap(),
    );
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("row 1") && !ran.stdout.contains("row 2"), "{}", ran.stdout);
    assert_eq!(server.calls(), 0);
    assert!(!folder.0.join("out.jsonl").exists());
}

#[test]
fn another_run_of_the_same_rows_makes_no_call() {
    let (folder, server) = (Folder::new(), Server::echo(SHORT));
    folder.write("in.jsonl", &rows(200));
    let run_to = |out: &str| run(&folder, &server, &[&TEXT[..], &["--cache", "answers", "--json", "-o", out]].concat());
    let ran = run_to("one.jsonl");
    assert_eq!((ran.exit, server.calls()), (0, 200), "{}", ran.stderr);
    let ran = run_to("two.jsonl");
    assert_eq!((ran.exit, server.calls()), (0, 200), "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&summary["now"]["cached"], &summary["spent"]["calls"]), (&json!(200), &json!(0)));
    let sorted = |name: &str| {
        let mut lines: Vec<String> = folder.read(name).lines().map(String::from).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted("one.jsonl"), sorted("two.jsonl"));
}
