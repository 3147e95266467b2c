//! Functions that a model learns, and examples for fine-tuning.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Lessons, Mode};
use serde_json::{Value, json};

#[instructor::model]
#[derive(PartialEq)]
struct Product {
    #[schemars(range(max = 1000))]
    result: i64,
    /// How it came to be.
    steps: std::collections::BTreeMap<String, i64>,
}

/// Multiplies two numbers.
///
/// They may be negative.
#[instructor::distil]
fn multiply(a: i64, mut b: i64) -> Product {
    let steps = [(String::from("a"), a), (String::from("b"), b)].into();
    b *= a;
    Product { result: b, steps }
}

#[instructor::distil(body)]
async fn greet(name: &str, r#loud: bool) -> Result<Option<String>, String> {
    let text = format!("Hello {name}");
    if name.is_empty() { Err("nobody".into()) } else { Ok(loud.then_some(text)) }
}

/// A file that can be read while it is written.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lines(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// What is trained is what is asked: the line is the request that `dispatch` sends, and the answer that it takes.
#[test]
fn a_lesson_is_the_request_that_the_tuned_model_gets_and_the_answer_that_is_taken() {
    let cases = [
        ("openai/gpt-4.1-nano", Mode::Tools, "messages"),
        ("openai/gpt-4.1-nano", Mode::Schema, "messages"),
        ("openai/gpt-4.1-nano", Mode::MdJson, "messages"),
        ("mistral/ministral-8b-latest", Mode::Tools, "messages"),
        ("gemini/gemini-2.5-flash", Mode::Tools, "contents"),
        ("gemini/gemini-2.5-flash", Mode::Schema, "contents"),
        ("anthropic/claude-3-haiku-20240307", Mode::MdJson, "messages"),
        ("bedrock/amazon.nova-micro-v1:0", Mode::MdJson, "messages"),
    ];
    for (spec, mode, turns) in cases {
        let script = Script::new();
        let client = script.builder(spec).mode(mode).build().unwrap();
        let file = Shared::default();
        let lessons = client.lessons(file.clone());
        assert_eq!(multiply::distil(&lessons, 6, 7), multiply(6, 7), "{spec}");
        assert_eq!(lessons.finish().unwrap(), 1, "{spec}");
        let line = file.lines().remove(0);

        let sent = client.request(&multiply::task(6, 7)).preview::<Product>().unwrap().json();
        let mut learnt = line[turns].as_array().unwrap().clone();
        let answer = learnt.pop().unwrap();
        let flat = spec.starts_with("anthropic");
        let asked = sent[turns].as_array().unwrap();
        assert_eq!(learnt.len(), asked.len(), "{spec} {mode}");
        if !flat {
            assert_eq!(&learnt, asked, "{spec} {mode}");
        }
        for (key, value) in line.as_object().unwrap() {
            if key != turns && key != "schemaVersion" && !flat {
                assert_eq!(Some(value), sent.get(key), "{spec} {mode}: {key}");
            }
        }
        insta::assert_json_snapshot!(format!("{}_{mode}", spec.split('/').next().unwrap()), line);

        // The answer that is learnt, given as an answer: the value comes back.
        let said = match &answer {
            answer if answer.pointer("/tool_calls/0").is_some() => {
                let call = &answer["tool_calls"][0]["function"];
                let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
                Reply::calls([(call["name"].as_str().unwrap(), arguments)])
            }
            answer if answer.pointer("/parts/0/functionCall").is_some() => {
                let call = &answer["parts"][0]["functionCall"];
                Reply::calls([(call["name"].as_str().unwrap(), call["args"].clone())])
            }
            answer => {
                let text = ["/content", "/content/0/text", "/parts/0/text"]
                    .into_iter()
                    .find_map(|at| answer.pointer(at)?.as_str())
                    .unwrap_or_else(|| panic!("{spec} {mode}: {answer}"));
                Reply::text(text)
            }
        };
        let script = Script::new().reply(said);
        let client = script.builder(spec).mode(mode).build().unwrap();
        let product = script.block_on(multiply::task(6, 7).dispatch(&client)).unwrap();
        assert_eq!(product, multiply(6, 7), "{spec} {mode}");
    }
}

#[test]
fn a_task_tells_what_a_reader_of_the_code_would_know() {
    let messages = multiply::task(133, 539);
    let [system, user] = messages.messages() else { panic!("{messages:?}") };
    assert!(
        system.text().ends_with(
            "```rust\n/// Multiplies two numbers.\n///\n/// They may be negative.\nfn multiply(a: i64, mut b: i64) -> Product\n```"
        ),
        "{}",
        system.text()
    );
    assert_eq!(user.text(), r#"{"a":133,"b":539}"#);

    let with_body = greet::task("Ada", true);
    let code = "async fn greet(name: &str, r#loud: bool) -> Result<Option<String>, String> {\n    \
                let text = format!(\"Hello {name}\");\n";
    assert!(with_body.messages()[0].text().contains(code), "{:?}", with_body.messages());
    assert_eq!(with_body.messages()[1].text(), r#"{"name":"Ada","loud":true}"#);
}

#[test]
fn errors_teach_nothing_and_async_functions_are_awaited() {
    let script = Script::new();
    let client = script.builder("openai/gpt-4.1-nano").mode(Mode::Tools).build().unwrap();
    let file = Shared::default();
    let lessons = client.lessons(file.clone());
    script.block_on(async {
        assert_eq!(greet::distil(&lessons, "Ada", true).await, Ok(Some(String::from("Hello Ada"))));
        assert_eq!(greet::distil(&lessons, "", true).await, Err(String::from("nobody")));
    });
    assert_eq!(lessons.finish().unwrap(), 1);
    assert_eq!(file.lines().len(), 1);
}

#[test]
fn raw_lines_have_all_there_is_to_know() {
    let file = Shared::default();
    let lessons = Lessons::raw(file.clone());
    let _ = multiply::distil(&lessons, 2, 3);
    assert_eq!(lessons.finish().unwrap(), 1);
    let line = &file.lines()[0];
    assert_eq!(line["name"], "multiply");
    assert_eq!(line["arguments"], json!({ "a": 2, "b": 3 }));
    assert_eq!(line["result"]["result"], 6);
    assert!(line["schema"]["properties"]["result"].is_object());
}

#[test]
fn a_wrong_value_is_not_taught_and_the_function_goes_on() {
    let script = Script::new();
    let client = script.builder("openai/gpt-4.1-nano").mode(Mode::Tools).build().unwrap();
    let file = Shared::default();
    let lessons = client.lessons(file.clone());
    assert_eq!(multiply::distil(&lessons, 100, 100).result, 10_000);
    assert_eq!(multiply::distil(&lessons, 10, 100).result, 1000);
    let error = lessons.finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    assert!(error.to_string().contains("1 of 2 lessons were not written"), "{error}");
    assert!(error.issues().to_string().contains("/result") || error.issues().to_string().contains("result"), "{error}");
    assert_eq!(file.lines().len(), 1);
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_at_the_end() {
    let lessons = Lessons::raw(Full);
    assert_eq!(multiply::distil(&lessons, 2, 3).result, 6);
    let error = lessons.finish().unwrap_err().to_string();
    assert!(error.contains("no space left"), "{error}");
}

#[test]
fn what_a_file_has_no_place_for_is_refused_with_advice() {
    let script = Script::new();
    let product = multiply(2, 3);
    let error = |spec: &str, mode| {
        let client = script.client(spec);
        client.request("2 * 3").mode(mode).example(&product).unwrap_err()
    };
    let refused = error("anthropic/claude-3-haiku-20240307", Mode::Tools);
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("Mode::MdJson"), "{refused}");
    let refused = error("cohere/command-a-03-2025", Mode::Tools).to_string();
    assert!(refused.contains("no files for fine-tuning"), "{refused}");
    let refused = error("openai/gpt-5", Mode::ThinkThenShape).to_string();
    assert!(refused.contains("not one answer"), "{refused}");
}

#[test]
fn a_blocking_client_teaches_and_asks_too() {
    let script = Script::new().reply(Reply::value(json!({ "result": 6, "steps": { "a": 2, "b": 3 } })));
    let client = script.blocking_client("openai/gpt-4.1-nano");
    let lessons = client.lessons(Vec::new());
    let product = multiply::distil(&lessons, 2, 3);
    assert_eq!(lessons.finish().unwrap(), 1);
    assert_eq!(multiply::task(2, 3).dispatch_blocking(&client).unwrap(), product);
}
