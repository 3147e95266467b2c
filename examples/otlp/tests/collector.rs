//! The example against a collector on the loopback address.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use serde_json::Value;

/// Takes one export, and gives its path and body.
fn collect(listener: &TcpListener) -> (String, Value) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    (head.first().cloned().unwrap_or_default(), serde_json::from_slice(&body).unwrap())
}

fn attribute<'s>(span: &'s Value, key: &str) -> Option<&'s Value> {
    let attributes = span["attributes"].as_array()?;
    attributes.iter().find(|attribute| attribute["key"] == key)?["value"].as_object()?.values().next()
}

#[test]
fn the_spans_arrive() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = thread::spawn(move || collect(&listener));
    let run = Command::new(env!("CARGO_BIN_EXE_otlp")).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let (line, body) = collector.join().unwrap();
    assert!(line.starts_with("post /v1/traces "), "{line}");

    let resource = &body["resourceSpans"][0];
    assert_eq!(attribute(&resource["resource"], "service.name").unwrap(), "extractor");
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    let [request] = named("extract Person")[..] else { panic!("{body:#}") };
    let [first, second] = named("chat gpt-5-mini")[..] else { panic!("{body:#}") };
    assert_eq!(spans.len(), 3);
    for call in [first, second] {
        assert_eq!(call["parentSpanId"], request["spanId"]);
        assert_eq!(call["traceId"], request["traceId"]);
        assert_eq!(call["kind"], 3, "a span of a client");
        assert_eq!(attribute(call, "gen_ai.operation.name").unwrap(), "chat");
        assert_eq!(attribute(call, "gen_ai.provider.name").unwrap(), "openai");
        // 64-bit integers are text in OTLP's JSON.
        let tokens = attribute(call, "gen_ai.usage.input_tokens").unwrap();
        assert!(tokens.as_str().map_or(tokens.as_i64(), |text| text.parse().ok()) > Some(0));
    }
    assert_eq!(attribute(first, "error.type").unwrap(), "schema_mismatch");
    assert_eq!(first["status"]["code"], 2);
    assert_eq!(attribute(second, "error.type"), None);
    let events: Vec<&Value> = request["events"].as_array().unwrap().iter().map(|event| &event["name"]).collect();
    assert_eq!(events, ["attempt failed", "re-ask"]);
    assert!(!body.to_string().contains("Lovelace"), "nothing of what is said is shown");
}
