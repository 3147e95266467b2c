//! The binary, against a provider on the loopback interface.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

mod loopback;

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use instructor::Profile;
use serde_json::{Value, json};

use self::loopback::{Loopback, Reply};

const KEY: &str = "sk-test-0123456789";
const TEXT: &str = "Ada Lovelace, 36, of PROMPT-TEXT";
const SCHEMA: &str = r#"{
    "title": "Person",
    "type": "object",
    "properties": { "name": { "type": "string" }, "age": { "type": "integer", "maximum": 150 } },
    "required": ["name", "age"]
}"#;

#[derive(Debug)]
struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

/// Runs the binary with nothing of this process's environment but what is named.
fn run(args: &[&str], variables: &[(&str, &str)], stdin: &[u8]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(args).env_clear().envs(variables.iter().copied());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without having read its input.
    _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_fake_model_needs_no_key_and_no_network() {
    let run = |model: &str| {
        run(&["extract", "--schema", SCHEMA, "--provider", model], &[("INSTRUCTOR_NETWORK", "off")], TEXT.as_bytes())
    };
    let ran = run("fake/1");
    assert_eq!(ran.exit, 0, "{ran:?}");
    let person: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(person["name"].is_string() && person["age"].as_i64().unwrap() <= 150);
    assert_eq!(run("fake/1").stdout, ran.stdout);
    assert_ne!(run("fake/2").stdout, ran.stdout);
}

/// `instructor extract` with the schema and text from above, with a key for every provider.
fn extract(args: &[&str]) -> Ran {
    let all = [&["extract", "--schema", SCHEMA], args].concat();
    run(&all, &[("OPENAI_API_KEY", KEY), ("ANTHROPIC_API_KEY", KEY), ("GATEWAY_KEY", KEY)], TEXT.as_bytes())
}

fn ada() -> Value {
    json!({ "name": "Ada Lovelace", "age": 36 })
}

/// An answer in OpenAI's protocol, with a finish reason.
fn choice(message: Value, finish: &str) -> Reply {
    let usage = json!({ "prompt_tokens": 50, "completion_tokens": 7 });
    let body = json!({ "choices": [{ "message": message, "finish_reason": finish }], "usage": usage });
    Reply::Body(200, body.to_string())
}

fn said(content: &str) -> Reply {
    choice(json!({ "role": "assistant", "content": content }), "stop")
}

/// A file that is gone at the end of the test.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("instructor-cli-{}-{name}", std::process::id()));
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
fn the_value_is_all_of_standard_output() {
    type Header = (&'static str, &'static str);
    const BEARER: Header = ("authorization", "Bearer sk-test-0123456789");
    // spec, further arguments, path, header with the key
    let cases: [(&str, &[&str], &str, Option<Header>); 7] = [
        ("openai/m", &[], "/v1/chat/completions", Some(BEARER)),
        ("openai/m", &["--mode", "tools"], "/v1/chat/completions", Some(BEARER)),
        ("anthropic/m", &[], "/v1/messages", Some(("x-api-key", KEY))),
        ("local/m", &["--protocol", "openai"], "/v1/chat/completions", None),
        ("local/m", &["--protocol", "anthropic"], "/v1/messages", None),
        ("local/m", &["--protocol", "openai_responses"], "/v1/responses", None),
        ("local/m", &["--protocol", "openai", "--api-key-env", "GATEWAY_KEY"], "/v1/chat/completions", Some(BEARER)),
    ];
    for (spec, more, path, key) in cases {
        let server = Loopback::new([Reply::Value(ada())]);
        let ran = extract(&[&["--provider", spec, "--base-url", &server.url], more].concat());
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{spec} {more:?}");
        assert_eq!(ran.stdout, "{\n  \"name\": \"Ada Lovelace\",\n  \"age\": 36\n}\n");
        let [seen] = server.seen().try_into().unwrap();
        assert_eq!(seen.path, path);
        assert_eq!(seen.body["model"], "m");
        match key {
            Some((name, value)) => assert_eq!(seen.header(name), Some(value)),
            None => assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, None)),
        }
    }
}

#[test]
fn arguments_reach_the_request() {
    let server = Loopback::new([Reply::Value(ada())]);
    let ran = extract(&[
        "--provider=openai/m",
        "--base-url",
        &server.url,
        "--compact",
        "--system=Be exact.",
        "--prompt=Who is it?",
        "--temperature=0.5",
        "--max-tokens=99",
        "--extra=seed=7",
        "--extra=user=\"a=b\"",
        "--mode=md-json",
        "-",
    ]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, "{\"name\":\"Ada Lovelace\",\"age\":36}\n"));
    let body = &server.seen()[0].body;
    let system = body["messages"][0]["content"].as_str().unwrap();
    let user = body["messages"][1]["content"].as_str().unwrap();
    assert!(system.starts_with("Be exact."), "{system}");
    assert!(user.starts_with(&format!("Who is it?\n\n{TEXT}")), "{user}");
    assert_eq!((&body["temperature"], &body["max_completion_tokens"]), (&json!(0.5), &json!(99)));
    assert_eq!((&body["seed"], &body["user"]), (&json!(7), &json!("a=b")));
    assert!(body.get("response_format").is_none());
}

#[test]
fn schema_and_text_come_from_files() {
    let schema = File::new("list.json", b"\xef\xbb\xbf{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}");
    let text = File::new("list.txt", "\u{feff}one, two".as_bytes());
    let server = Loopback::new([Reply::Value(json!([1, 2]))]);
    let args = ["extract", "--compact", "--schema", schema.path(), text.path()];
    let variables = [("INSTRUCTOR_MODEL", "openai/m"), ("OPENAI_API_KEY", KEY), ("OPENAI_BASE_URL", &server.url)];
    let ran = run(&args, &variables, b"");
    assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (0, "[1,2]\n", ""));
    assert_eq!(server.seen()[0].body["messages"][0]["content"], "one, two");
}

#[test]
fn without_a_spec_the_keys_decide() {
    let server = Loopback::new([Reply::Value(ada())]);
    let args = ["extract", "--schema", SCHEMA, "--base-url", &server.url];
    // An empty variable counts as unset, for specs as for keys.
    let variables = [("INSTRUCTOR_MODEL", ""), ("OPENAI_API_KEY", " "), ("ANTHROPIC_API_KEY", KEY)];
    assert_eq!(run(&args, &variables, TEXT.as_bytes()).exit, 0);
    let seen = &server.seen()[0];
    assert_eq!((seen.path.as_str(), &seen.body["model"]), ("/v1/messages", &json!("claude-haiku-4-5")));
}

#[test]
fn a_second_attempt_shows_as_far_as_it_is_asked_for() {
    for (flag, lines, issue) in [("-v", 3, false), ("-vv", 4, true)] {
        let server = Loopback::new([Reply::Value(json!({ "name": "Ada", "age": 360 })), Reply::Value(ada())]);
        let ran = extract(&["--provider=openai/m", "--base-url", &server.url, flag]);
        assert_eq!((ran.exit, serde_json::from_str::<Value>(&ran.stdout).unwrap()), (0, ada()));
        assert!(ran.stderr.starts_with("attempt 1 (schema, "), "{}", ran.stderr);
        assert!(ran.stderr.contains("schema_mismatch: $.age"), "{}", ran.stderr);
        assert!(ran.stderr.lines().last().unwrap().starts_with("2 attempts, "), "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("got 360"), issue, "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), lines, "{}", ran.stderr);
        assert_eq!(server.seen().len(), 2);
    }
}

/// What the provider does, and what has to come of it.
struct Case {
    reply: Reply,
    args: &'static [&'static str],
    exit: i32,
    says: &'static [&'static str],
}

fn case(reply: Reply, args: &'static [&'static str], exit: i32, says: &'static [&'static str]) -> Case {
    Case { reply, args, exit, says }
}

fn hostile() -> Vec<Case> {
    const ONCE: &[&str] = &["--max-retries=0"];
    let error = |status, code: &str, message: &str| {
        Reply::Body(status, json!({ "error": { "code": code, "message": message } }).to_string())
    };
    let body = |status, body: &str| Reply::Body(status, String::from(body));
    let other = json!([{ "id": "1", "function": { "name": "other", "arguments": "{\"a\": \"ANSWER-TEXT\"}" } }]);
    let mismatch = said("{\"name\": \"ANSWER-TEXT\", \"age\": 360}");
    let slow = Reply::Silence(Duration::from_secs(20));
    vec![
        case(error(401, "invalid_api_key", "no such key: sk-test-0123456789"), &[], 6, &["OPENAI_API_KEY", "***"]),
        case(error(402, "", "pay first"), &[], 6, &["HTTP 402"]),
        case(error(429, "insufficient_quota", "pay first"), &[], 6, &["credit"]),
        case(error(400, "", "no such\nfield \u{1b}[31m"), &[], 6, &["no such field", "--dry-run"]),
        case(error(429, "rate_limit_exceeded", "slow down"), ONCE, 7, &["--max-retries"]),
        case(body(500, "<html>oops</html>"), ONCE, 7, &["HTTP 500"]),
        case(slow.clone(), &["--max-retries=0", "--timeout=200ms"], 7, &["timed out", "--timeout"]),
        case(slow, &["--deadline=200ms"], 8, &["deadline", "--deadline"]),
        case(body(200, "<html>ANSWER-TEXT</html>"), ONCE, 3, &["HTML", "-v"]),
        case(body(200, ""), ONCE, 3, &["empty"]),
        case(said("{\"name\": \"ANSWER-TEXT\", "), ONCE, 3, &["-v"]),
        case(said("ANSWER-TEXT, I can't"), ONCE, 3, &["-v"]),
        case(
            choice(json!({ "tool_calls": other }), "tool_calls"),
            &["--mode=tools", "--max-retries=0"],
            3,
            &["Person"],
        ),
        case(mismatch, &["--max-retries=2"], 3, &["$.age", "(after 3 attempts)", "-v"]),
        case(choice(json!({ "content": "{\"name\": \"ANSWER-TEXT" }), "length"), &[], 4, &["--max-tokens"]),
        case(choice(json!({ "refusal": "ANSWER-TEXT" }), "stop"), &[], 5, &["-vv"]),
        case(choice(json!({ "content": "ANSWER-TEXT" }), "content_filter"), &[], 5, &["filter"]),
    ]
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    for (i, Case { reply, args, exit, says }) in hostile().into_iter().enumerate() {
        let server = Loopback::new([reply]);
        for flags in [&[][..], &["-v"], &["-vv"]] {
            let ran = extract(&[&["--provider=openai/m", "--base-url", &server.url], args, flags].concat());
            let at = format!("case {i} {args:?} {flags:?}: {}", ran.stderr);
            assert_eq!((ran.exit, ran.stdout.as_str()), (exit, ""), "{at}");
            assert!(ran.stderr.starts_with("error: "), "{at}");
            assert!(!ran.stderr.contains(KEY) && !ran.stderr.contains('\u{1b}'), "{at}");
            assert!(!ran.stderr.contains("PROMPT-TEXT"), "{at}");
            assert_eq!(
                ran.stderr.contains("\n  attempt 1 (") && ran.stderr.contains(" ms, "),
                !flags.is_empty(),
                "{at}"
            );
            if flags != ["-vv"] {
                assert!(!ran.stderr.contains("ANSWER-TEXT"), "{at}");
            }
            if flags.is_empty() {
                for wanted in says {
                    assert!(ran.stderr.contains(wanted), "{wanted}: {at}");
                }
                assert!(ran.stderr.lines().count() <= 2, "{at}");
            }
        }
    }
}

#[test]
fn the_answer_shows_only_when_asked_for_twice() {
    let server = Loopback::new([said("{\"name\": \"ANSWER-TEXT\", \"age\": 360}")]);
    let ran = extract(&["--provider=openai/m", "--base-url", &server.url, "--max-retries=0", "-vv"]);
    assert!(ran.stderr.contains("issues of attempt 1:\n- $.age: got 360, wanted"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the last response body, "), "{}", ran.stderr);
    assert!(ran.stderr.contains("ANSWER-TEXT"), "{}", ran.stderr);
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ran = extract(&["--provider=openai/m", "--base-url", &url, "--max-retries=0"]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (7, ""));
    assert!(ran.stderr.contains("hint: check the address: --base-url or OPENAI_BASE_URL"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let server = Loopback::new([Reply::Value(ada())]);
    for (spec, variables, header, mode) in [
        ("openai/m", &[("OPENAI_API_KEY", KEY)][..], "authorization: ***", "schema, strict"),
        ("anthropic/m", &[("ANTHROPIC_API_KEY", KEY)], "x-api-key: ***", "tools"),
        ("openai/m", &[], "authorization: ***", "schema, strict"),
        ("ollama/m", &[], "content-type: application/json", "schema, strict"),
    ] {
        let args = ["extract", "--dry-run", "--schema", SCHEMA, "--provider", spec, "--base-url", &server.url];
        let ran = run(&args, variables, TEXT.as_bytes());
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, &*format!("mode {mode}\n")), "{spec}");
        assert!(ran.stdout.starts_with(&format!("POST {}/", server.url)), "{}", ran.stdout);
        assert!(!ran.stdout.contains(KEY) && !ran.stdout.contains("placeholder"), "{}", ran.stdout);
        let (head, body) = ran.stdout.split_once("\n\n").unwrap();
        assert!(head.lines().any(|line| line == header), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        assert_eq!((&body["model"], &messages.last().unwrap()["content"]), (&json!("m"), &json!(TEXT)));
    }
    assert!(server.seen().is_empty());
}

#[test]
fn what_is_set_up_wrong_is_told_with_what_to_do() {
    let broken = File::new("broken.json", b"{\n  \"type\": \"object\"\n  \"title\": 1\n}");
    let binary = File::new("binary.txt", b"ab\xff");
    let missing = "does-not-exist.txt";
    let with = |args: &[&'static str]| [&["--schema", SCHEMA], args].concat();
    // arguments, standard input, exit code, what standard error says
    type Row<'a> = (Vec<&'a str>, &'a [u8], i32, &'a [&'a str]);
    let cases: [Row<'_>; 20] = [
        (with(&["--provider=openai/m"]), b"x", 2, &["openai", "set OPENAI_API_KEY", "--api-key-env"]),
        (with(&["--provider=groq/m"]), b"x", 2, &["set GROQ_API_KEY"]),
        (with(&["--provider=opnai/m"]), b"x", 2, &["Did you mean \"openai\"?", "instructor providers", "--protocol"]),
        (with(&["--provider=gpt-5-mini"]), b"x", 2, &["openai/gpt-5-mini"]),
        (with(&[]), b"x", 2, &["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "--provider"]),
        (with(&["--dry-run"]), b"x", 2, &["--provider"]),
        (with(&["--provider=x/m", "--base-url=there", "--protocol=openai"]), b"x", 2, &["http://localhost:8000/v1"]),
        (with(&["--provider=openai/m", "--base-url=http://a", "--protocol=anthropic"]), b"x", 2, &["another name"]),
        (with(&["--provider=x/m", "--protocol=openai"]), b"x", 2, &["--base-url"]),
        (with(&["--api-key-env=A"]), b"x", 2, &["--provider"]),
        (with(&["--mode=tols"]), b"x", 2, &["Did you mean \"tools\"?"]),
        (with(&["--timeout=1y"]), b"x", 2, &["2m"]),
        (with(&["--extra=user=bob"]), b"x", 2, &["user='\"text\"'"]),
        (vec![], b"x", 2, &["--schema"]),
        (vec!["--schema", "-", "--dry-run"], b"x", 2, &["standard input"]),
        (vec!["--schema", broken.path()], b"x", 2, &["broken.json", "line 3 column 3"]),
        (vec!["--schema", "{\"type\": \"strin\"}"], b"x", 2, &["not a JSON Schema", "strin"]),
        (vec!["--schema", missing], b"x", 1, &[missing]),
        (with(&["--provider=ollama/m", missing]), b"", 1, &[missing]),
        (with(&["--provider=ollama/m"]), b" \n", 1, &["standard input is empty"]),
    ];
    for (args, stdin, exit, says) in cases {
        let ran = run(&[&["extract"], args.as_slice()].concat(), &[], stdin);
        assert_eq!((ran.exit, ran.stdout.as_str()), (exit, ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        for wanted in says {
            assert!(ran.stderr.contains(wanted), "{wanted}: {args:?}: {}", ran.stderr);
        }
    }
    let ran = extract(&["--provider=openai/m", binary.path()]);
    assert_eq!(ran.exit, 1);
    assert!(ran.stderr.contains("binary.txt is not UTF-8 text (at byte 2)"), "{}", ran.stderr);
}

#[test]
fn a_key_that_was_given_for_its_variable_does_not_show() {
    let ran = extract(&["--provider=openai/m", "--api-key-env", KEY]);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("--api-key-env") && !ran.stderr.contains(KEY), "{}", ran.stderr);
}

#[test]
fn credentials_of_a_cloud_do_where_there_is_no_key() {
    let token = json!({ "access_token": "ya29", "expires_in": 3599 });
    let server = Loopback::new([Reply::Body(200, token.to_string()), Reply::Value(ada())]);
    let host = server.url.trim_start_matches("http://").trim_end_matches("/v1");
    let args = ["extract", "--schema", SCHEMA, "--provider", "vertexai_anthropic/claude-sonnet-4@20250514"];
    let base_url = format!("{}/projects/p/locations/global", server.url);
    let home = ("HOME", "/nowhere");
    let ran =
        run(&[&args[..], &["--base-url", &base_url]].concat(), &[home, ("GCE_METADATA_HOST", host)], TEXT.as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), ada());
    let [first, second] = server.seen().try_into().unwrap();
    assert_eq!(first.path, "/computeMetadata/v1/instance/service-accounts/default/token");
    assert_eq!(first.header("metadata-flavor"), Some("Google"));
    let model = "/v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4@20250514:rawPredict";
    assert_eq!((second.path.as_str(), second.header("authorization")), (model, Some("Bearer ya29")));
    assert_eq!(second.body["anthropic_version"], "vertex-2023-10-16");
    assert!(second.body.get("model").is_none() && second.header("anthropic-version").is_none());

    let args = ["extract", "--schema", SCHEMA, "--provider", "bedrock/m"];
    let ran = run(&args, &[home, ("AWS_EC2_METADATA_DISABLED", "true")], TEXT.as_bytes());
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("AWS_ACCESS_KEY_ID"), "{}", ran.stderr);
}

#[test]
fn providers_lists_all_of_them() {
    let text = run(&["providers"], &[], b"");
    let list = run(&["providers", "--json"], &[], b"");
    assert_eq!((text.exit, list.exit), (0, 0));
    let list: Vec<Value> = serde_json::from_str(&list.stdout).unwrap();
    let lines: Vec<&str> = text.stdout.lines().skip(1).collect();
    assert_eq!((lines.len(), list.len()), (Profile::all().count(), Profile::all().count()));
    for ((line, object), profile) in lines.iter().zip(&list).zip(Profile::all()) {
        assert_eq!(object["id"], profile.id());
        assert_eq!(object["key_env"], json!(profile.key_env().collect::<Vec<_>>()));
        assert_eq!(object["key_required"], !profile.is_keyless() && profile.login_name().is_none());
        assert!(object["docs"].as_str().unwrap().starts_with("https://"), "{object}");
        assert_eq!(object["modes"][0], object["mode"]);
        for cell in [profile.id(), profile.protocol(), profile.base_url(), profile.mode().as_str()] {
            assert!(line.split_whitespace().any(|word| word == cell), "{cell}: {line}");
            assert!(object.as_object().unwrap().values().any(|value| value == cell), "{cell}: {object}");
        }
    }
    let column = text.stdout.lines().next().unwrap().find("BASE URL").unwrap();
    let address = |line: &&str| line[column..].starts_with("http") || line[column..].starts_with('{');
    assert!(lines.iter().all(address), "{}", text.stdout);
}

#[test]
fn help_and_readme_say_the_same_of_exit_codes() {
    let readme = include_str!("../README.md");
    for args in [&["--help"][..], &["extract", "--help"], &["run", "--help"]] {
        let ran = run(args, &[("INSTRUCTOR_MODEL", "secret/model")], b"");
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        assert!(!ran.stdout.contains("secret/model"), "{}", ran.stdout);
        let (_, codes) = ran.stdout.split_once("Exit codes:\n").unwrap();
        assert_eq!(codes.lines().count(), 11);
        for line in codes.lines() {
            let (code, what) = line.trim().split_once("  ").unwrap();
            assert!(readme.contains(&format!("| {code} | {what} |")), "{line}");
        }
    }
    assert_eq!(run(&["--version"], &[], b"").stdout, concat!("instructor ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(run(&[], &[], b"").exit, 2);
    assert_eq!(run(&["extrakt"], &[], b"").exit, 2);
}

/// A reader that leaves early is no failure.
#[test]
fn a_closed_pipe_is_quiet() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.arg("providers").env_clear().stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn parse_prints_the_value_and_tells_the_repairs() {
    let text = b"Sure:\n```json\n{'name': 'Ada', \"age\": \"36\", big: 12345678901234567890123,}\n```";
    let ran = run(&["parse", "--compact"], &[], text);
    assert_eq!((ran.exit, ran.stdout.trim()), (0, r#"{"name":"Ada","age":"36","big":12345678901234567890123}"#));
    assert!(ran.stderr.contains("SingleQuoted") && ran.stderr.contains("TrailingComma"), "{}", ran.stderr);
    let ran = run(&["parse", "--schema", SCHEMA, "--report", "json"], &[], text);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), json!({ "name": "Ada", "age": 36 }));
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    let kinds: Vec<&str> = told.as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"StringToNumber") && kinds.contains(&"ExtraKey"), "{kinds:?}");
    let ran = run(&["parse", "--level", "strict"], &[], text);
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    let ran = run(&["parse", "--level", "loose"], &[], text);
    assert_eq!(ran.exit, 2);
}

#[test]
fn parse_reads_rows_and_survives_bad_ones() {
    let rows = [
        json!({ "id": 1, "input": "{\"a\": 1,}" }).to_string(),
        json!({ "id": "two", "input_b64": "eyJhIjoiMiJ9", "schema": { "type": "object", "properties": { "a": { "type": "integer" } } } }).to_string(),
        String::from("no row"),
        json!({ "id": 4 }).to_string(),
        json!({ "id": 5, "input": "{a: b, c}", "level": "strict" }).to_string(),
        json!({ "id": 6, "input": "{}", "level": "loose" }).to_string(),
        json!({ "id": 7, "input": "{}", "schema": { "type": "nothing" } }).to_string(),
        json!({ "id": 8, "input": "{\"a\": [1, 2" }).to_string(),
        json!({ "id": 9, "input_b64": "!" }).to_string(),
        json!({ "id": 10, "input": "{\n  \"a\": \"x\\ny\"\n}" }).to_string(),
    ];
    let ran = run(&["parse", "--jsonl"], &[], rows.join("\n").as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let out: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(out.len(), rows.len());
    assert_eq!((&out[0]["id"], &out[0]["value"]), (&json!(1), &json!({ "a": 1 })));
    assert_eq!((&out[1]["id"], &out[1]["value"]), (&json!("two"), &json!({ "a": 2 })));
    for (at, kind) in [(2, "row"), (3, "row"), (4, "malformed"), (5, "row"), (8, "row")] {
        assert_eq!(out[at]["kind"], kind, "{}", out[at]);
    }
    assert!(out[6]["error"].is_string());
    assert_eq!((&out[7]["value"], &out[7]["truncated"]), (&json!({ "a": [1] }), &json!(true)));
    assert_eq!(out[9]["value"], json!({ "a": "x\ny" }));
}

#[test]
fn parse_shows_the_value_after_every_byte() {
    let text = r#"{"a": "hi", "n": 12}"#;
    let ran = run(&["parse", "--prefixes"], &[], text.as_bytes());
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), text.len());
    assert_eq!(lines[0]["value"], json!({}));
    assert_eq!(lines[7]["value"], json!({ "a": "h" }));
    assert_eq!(lines[18]["value"], json!({ "a": "hi" }), "a number is not shown before it ends");
    assert_eq!(lines[19]["value"], json!({ "a": "hi", "n": 12 }));
}

const MAP: &str = r#"{ "type": "object", "properties": { "counts": { "type": "object", "additionalProperties": { "type": "integer",
    "minimum": 0 } }, "note": { "type": "string", "maxLength": 80 } }, "required": ["counts"], "additionalProperties": false }"#;

#[test]
fn schema_prints_what_goes_out_and_tells_what_is_lost() {
    let ran = run(&["schema", "--for", "openai", "--losses"], &[], MAP.as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let lowered: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(lowered["properties"]["counts"]["items"]["required"], json!(["key", "value"]));
    assert_eq!(lowered["properties"]["note"]["description"], "At most 80 characters");
    assert!(ran.stderr.contains("`maxLength` at /properties/note"), "{}", ran.stderr);
    let lax = run(&["schema", "--for", "openai", "--lax", "--compact"], &[], MAP.as_bytes());
    assert_eq!(serde_json::from_str::<Value>(&lax.stdout).unwrap(), serde_json::from_str::<Value>(MAP).unwrap());
    let ran = run(&["schema", "--for", "anthropic"], &[], b"false");
    assert_eq!((ran.exit, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("no value fits"), "{}", ran.stderr);
    let ran = run(&["schema", "--for", "nobody"], &[], MAP.as_bytes());
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("anthropic"), "{}", ran.stderr);
}

#[test]
fn schema_takes_rows_there_and_back() {
    let map: Value = serde_json::from_str(MAP).unwrap();
    let rows = [
        json!({ "id": 1, "schema": map, "instances": [{ "counts": { "a": 1 } }, { "counts": {}, "note": "x" }] })
            .to_string(),
        String::from(r#"{"id": 2, "schema": {"type": "integer"}, "instances": [123456789012345678901234567890]}"#),
        json!({ "id": 3, "schema": { "enum": [] } }).to_string(),
        json!({ "id": 4 }).to_string(),
        String::from("no row"),
        json!({ "id": 6, "schema": true, "instances": [{ "any": [null] }], "dialect": "gemini" }).to_string(),
    ];
    let ran = run(&["schema", "--for", "openai", "--jsonl"], &[], rows.join("\n").as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let out: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(out.len(), rows.len());
    assert_eq!(
        out[0]["lowered_instances"],
        json!([{ "counts": [{ "key": "a", "value": 1 }], "note": null }, { "counts": [], "note": "x" }])
    );
    assert_eq!(out[0]["lifted"], json!([{ "counts": { "a": 1 } }, { "counts": {}, "note": "x" }]));
    assert!(lines[1].contains(r#""lowered_instances":[{"value":123456789012345678901234567890}]"#), "{}", lines[1]);
    assert!(lines[1].ends_with(r#""lifted":[123456789012345678901234567890]}"#), "{}", lines[1]);
    assert_eq!((&out[2]["id"], &out[2]["kind"]), (&json!(3), &json!("unlowerable")));
    assert_eq!((&out[3]["id"], &out[3]["kind"]), (&json!(4), &json!("row")));
    assert_eq!(out[4]["kind"], "row");
    assert_eq!((&out[5]["dialect"], &out[5]["lifted"]), (&json!("gemini"), &json!([{ "any": [null] }])));
}

#[test]
fn decode_shows_what_is_seen_in_an_answer() {
    let answer = json!({ "id": "r1", "model": "m", "choices": [{ "message": { "content": null, "tool_calls": [
        { "id": "c1", "type": "function", "function": { "name": "User", "arguments": "{\"age\": 36}" } }] },
        "finish_reason": "tool_calls" }], "usage": { "prompt_tokens": 12, "completion_tokens": 3 } });
    let ran = run(&["decode", "--provider", "openai"], &[], answer.to_string().as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&seen["finish"], &seen["usage"]["input"]), (&json!("tool_calls"), &json!(12)));
    assert_eq!(seen["tool_calls"][0], json!({ "id": "c1", "name": "User", "arguments": "{\"age\": 36}" }));
    let ran =
        run(&["decode", "--provider", "openai", "--status", "429"], &[], br#"{"error": {"message": "slow down"}}"#);
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&seen["kind"], &seen["status"]), (&json!("rate_limited"), &json!(429)));
    assert_eq!(run(&["decode", "--provider", "nobody"], &[], b"{}").exit, 2);
}

/// A provider may speak several protocols, and logs may name one, the other or both.
#[test]
fn decode_finds_the_protocol_of_a_row() {
    let text = json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "hi" }] });
    let responses = json!({ "object": "response", "status": "completed", "output": [text] });
    let chat = json!({ "choices": [{ "message": { "content": "hi" }, "finish_reason": "stop" }] });
    let own = json!({ "message": { "content": "hi" }, "done": true, "done_reason": "stop" });
    let messages = json!({ "content": [{ "type": "text", "text": "hi" }], "stop_reason": "end_turn" });
    let lines = "{\"message\":{\"content\":\"h\"},\"done\":false}\n{\"message\":{\"content\":\"i\"},\"done\":true,\"done_reason\":\"stop\"}\n";
    let rows = [
        json!({ "provider": "openai", "wire": "openai_responses", "body": responses }),
        json!({ "provider": "openai", "body": responses }),
        json!({ "provider": "openai", "wire": "openai_chat", "body": chat }),
        json!({ "provider": "deepseek", "wire": "openai_responses", "body": responses }),
        json!({ "provider": "xai", "wire": "openai_responses", "body": responses }),
        json!({ "provider": "mistral", "wire": "mistral_chat", "body": chat }),
        json!({ "provider": "gemini", "wire": "openai_chat", "body": chat }),
        json!({ "provider": "bedrock", "wire": "anthropic_messages", "body": messages }),
        json!({ "provider": "ollama", "body": own }),
        json!({ "provider": "ollama", "wire": "ollama_chat", "stream": true, "body_text": lines }),
        json!({ "wire": "ollama_chat", "body": own }),
    ];
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    let ran = run(&["decode", "--jsonl"], &[], text.join("\n").as_bytes());
    let out: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(out.len(), rows.len());
    for (seen, row) in out.iter().zip(&rows) {
        assert_eq!((&seen["text"], &seen["finish"]), (&json!("hi"), &json!("stop")), "{row} {seen}");
    }
    // What is named is meant.
    let row = json!({ "provider": "openai", "wire": "openai_chat", "body": responses }).to_string();
    let ran = run(&["decode", "--jsonl"], &[], row.as_bytes());
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["kind"], "malformed");
}

#[test]
fn decode_takes_rows_of_any_protocol() {
    let message = json!({ "content": [{ "type": "text", "text": "hi" }], "stop_reason": "end_turn",
        "usage": { "input_tokens": 1, "output_tokens": 2 } });
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"h\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"i\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let rows = [
        json!({ "id": 1, "wire": "anthropic_messages", "body": message }),
        json!({ "id": 2, "provider": "groq", "stream": true, "body_text": stream }),
        json!({ "id": 3, "provider": "someone", "wire": "openai_chat", "status": 401, "body": { "error": { "message": "no" } } }),
        json!({ "id": 4, "provider": "openai", "body_base64": "e30=" }),
        json!({ "id": 5, "provider": "openai" }),
        json!({ "id": 6, "provider": "nobody", "body": {} }),
    ];
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    let ran = run(&["decode", "--jsonl"], &[], text.join("\n").as_bytes());
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let out: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(out.len(), rows.len());
    for at in [0, 1] {
        assert_eq!((&out[at]["text"], &out[at]["finish"]), (&json!("hi"), &json!("stop")), "{}", out[at]);
    }
    for (at, kind) in [(2, "auth"), (3, "malformed"), (4, "row"), (5, "row")] {
        assert_eq!(out[at]["kind"], kind, "{}", out[at]);
        assert_eq!(out[at]["id"], rows[at]["id"]);
    }
}
