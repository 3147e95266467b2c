//! `instructor doctor` against providers on the loopback interface.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]
#![expect(dead_code, reason = "not all of the loopback server is used here")]

mod loopback;

use std::process::{Command, Output};

use serde_json::{Value, json};

use self::loopback::{Loopback, Reply};

const KEY: &str = "sk-test-0123456789";

fn doctor(url: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instructor"));
    command.args(["doctor", "--provider", "openai", "--model", "m", "--base-url", url]).args(more);
    command.env_clear().env("OPENAI_API_KEY", KEY).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn holds<'r>(report: &'r Value, name: &str) -> &'r Value {
    report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == name)
        .map(|check| &check["holds"])
        .unwrap()
}

#[test]
fn a_server_that_always_says_the_same_value_is_told_for_what_it_is() {
    let server = Loopback::new([Reply::Value(json!({ "name": "Ada Lovelace", "age": 36 }))]);
    let output = doctor(&server.url, &["--json"]);
    let report = report(&output);
    assert_eq!((output.status.code(), &report["works"], &report["mode"]), (Some(0), &json!(true), &json!("schema")));
    assert_eq!(report["calls"], server.seen().len());
    let calls = server.seen().len();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.starts_with("At most 15 calls") && calls <= 15, "{said} {calls}");
    for name in
        ["preferred mode", "reachable", "key", "re-ask", "schema, strict", "tool", "forced tool", "prompted json"]
    {
        assert_eq!(holds(&report, name), &json!(true), "{name}: {report:#}");
    }
    // It knows no models, streams nothing and says no limits.
    for (name, wanted) in [("unknown model", json!(false)), ("stream", json!(false)), ("rate limits", Value::Null)] {
        assert_eq!(holds(&report, name), &wanted, "{name}: {report:#}");
    }
}

#[test]
fn a_stream_is_looked_on() {
    use instructor::testing::{Reply, Script};
    let value = json!({ "name": "Ada Lovelace", "age": 36 });
    let streamed = || Reply::value(value.clone()).chunks(4).header("content-type", "text/event-stream");
    let cases = [
        (streamed(), true, ["partials, the first after", "ended with stop, with usage"]),
        (streamed().cut_after(900), false, ["partials, the first after", "the stream ended before the answer did"]),
    ];
    for (reply, wanted, says) in cases {
        let whole = Reply::value(value.clone());
        let server =
            Script::new().when(|sent| sent.json()["stream"] == true, reply).when(|_| true, whole).serve().unwrap();
        let report = report(&doctor(&format!("{}/v1", server.url()), &["--json"]));
        assert_eq!(holds(&report, "stream"), &json!(wanted), "{report:#}");
        let stream = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "stream").unwrap();
        let evidence = stream["evidence"].as_str().unwrap();
        assert!(says.iter().all(|part| evidence.contains(part)), "{evidence}");
    }
}

#[test]
fn a_wrong_key_ends_it_after_one_call_and_is_not_shown() {
    let body = json!({ "error": { "message": format!("wrong key {KEY}"), "code": "invalid_api_key" } });
    let server = Loopback::new([Reply::Body(401, body.to_string())]);
    let output = doctor(&server.url, &["--json"]);
    let report = report(&output);
    assert_eq!((output.status.code(), server.seen().len()), (Some(6), 1));
    assert_eq!((holds(&report, "reachable"), holds(&report, "key")), (&json!(true), &json!(false)));
    assert_eq!(holds(&report, "stream"), &Value::Null);
    let shown = format!("{output:?}");
    assert!(!shown.contains(KEY) && !String::from_utf8_lossy(&output.stdout).contains(KEY), "{shown}");
}

#[test]
fn no_more_calls_are_made_than_allowed() {
    let server = Loopback::new([Reply::Value(json!({ "name": "Ada Lovelace", "age": 36 }))]);
    let output = doctor(&server.url, &["--max-calls", "2"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), server.seen().len()), (Some(0), 2), "{table}");
    assert!(table.contains("no call is left of --max-calls") && table.contains("2 calls"), "{table}");
}
