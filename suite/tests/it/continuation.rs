//! An answer that a token limit cut is continued from where it broke, as if it had not been cut.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use instructor::schema::{Dialect, Policy, lower};
use instructor::testing::{Script, fake_body};
use instructor::{
    Body, BoxFuture, Budget, Client, Completion, Contract, Error, ErrorKind, Level, Mode, Now, ResponseModel,
    Transport, TransportError, Truncated,
};
use serde_json::{Map, Value, json};

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
struct Book {
    title: String,
    chapters: Vec<Chapter>,
    counts: BTreeMap<String, u32>,
    subtitle: Option<String>,
    summary: String,
    grid: Vec<Vec<i32>>,
    place: (i32, String),
    kind: Kind,
    tail: Option<Vec<String>>,
}

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
struct Chapter {
    number: u32,
    heading: String,
    paragraphs: Vec<String>,
    words: Option<u32>,
}

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Kind {
    Novel { genre: String },
    Manual { pages: u32, of: Vec<String> },
}

fn book() -> Value {
    let chapter = |n: usize| {
        let paragraphs = (0..4)
            .map(|p| format!("Paragraph {p} of {n}: \"quoted\", back\\slash, tab\t, 日本語 {}", "é".repeat(p * 9)));
        json!({ "number": n, "heading": format!("Heading {n}\nin two lines"), "paragraphs": paragraphs.collect::<Vec<_>>(),
            "words": if n == 1 { Value::Null } else { json!(n * 100) } })
    };
    json!({
        "title": "A book \u{1F600} of all",
        "chapters": (0..3).map(chapter).collect::<Vec<_>>(),
        "counts": { "a": 1, "b\"": 22, "c": 333 },
        "summary": format!("Begun. {}\\ 終わり — done", (0..40).map(|n| format!("Sentence {n}; ")).collect::<String>()),
        "grid": [[1, 2, 30], [], [-4, 0, 0, 0], [0]],
        "place": [12, "Bern"],
        "kind": { "type": "manual", "pages": 12, "of": ["x", "x", "y"] },
        "tail": ["the", "end"],
    })
}

/// What a model is asked in a round.
struct Asked {
    round: usize,
    told: String,
    body: Value,
}

type Says = dyn Fn(&Asked) -> (String, bool) + Send + Sync;

/// A model: what it says to a request, and whether it was cut.
#[derive(Clone)]
struct Model {
    says: Arc<Says>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Model {
    fn new(says: impl Fn(&Asked) -> (String, bool) + Send + Sync + 'static) -> Self {
        Self { says: Arc::new(says), asked: Arc::default() }
    }

    /// One that knows the answer and has room for so many bytes in each round.
    fn knowing(truth: &Value, first: String, room: impl Fn(usize) -> usize + Send + Sync + 'static) -> Self {
        let truth = truth.clone();
        Self::new(move |asked| {
            let text = if asked.round == 0 { first.clone() } else { rest(&truth, asked).to_string() };
            cut(text, room(asked.round))
        })
    }

    fn client(&self, spec: &str) -> Client {
        Client::builder().provider(spec).api_key("k").transport(self.clone()).build().unwrap()
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

fn cut(mut text: String, room: usize) -> (String, bool) {
    let over = text.len() > room;
    if over {
        let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        text.truncate(end);
    }
    (text, over)
}

/// The rest that is asked for, of an answer that is known.
fn rest(truth: &Value, asked: &Asked) -> Value {
    let mut all = Map::new();
    for line in asked.told.lines() {
        let Some((name, what)) = line.strip_prefix("- rest_").and_then(|line| line.split_once(' ')) else { continue };
        let name = format!("rest_{name}");
        let at = |path: &str| truth.pointer(&path.replace(['.', '['], "/").replace([']', '$'], "")).cloned();
        let count =
            |rest: &str| -> usize { rest.split(&[' ', ';'][..]).find_map(|word| word.parse().ok()).unwrap_or(0) };
        if let Some(path) = what.strip_prefix("is the rest of the text at ") {
            let (path, end) = path.split_once(", from right after its last character; it ends with ").unwrap();
            let end: String = serde_json::from_str(end).unwrap();
            let text = at(path).unwrap().as_str().unwrap().to_owned();
            let end = end.trim_start_matches('…');
            let from = text.find(end).unwrap_or_else(|| panic!("{end:?} is not in {text:?}")) + end.len();
            all.insert(name, text[from..].into());
        } else if let Some(path) = what.strip_prefix("has the items of ") {
            let (path, after) = path.split_once([' ', ',']).unwrap();
            let items = at(path).unwrap().as_array().unwrap()[count(after)..].to_vec();
            all.insert(name, items.into());
        } else if let Some(path) = what.strip_prefix("has the entries of ") {
            let (path, after) = path.split_once([' ', ',']).unwrap();
            let entries = at(path).unwrap().as_object().unwrap().clone().into_iter().skip(count(after));
            all.insert(name, Value::Object(entries.collect()));
        } else if let Some(value) = at(what.strip_prefix("is ").unwrap()) {
            all.insert(name, value);
        }
    }
    assert!(!asked.told.contains("rest_") || !all.is_empty(), "{}", asked.told);
    Value::Object(all)
}

fn text_of(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => items.iter().for_each(|item| text_of(item, out)),
        Value::Object(members) => members.values().for_each(|member| text_of(member, out)),
        _ => {}
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Model")
    }
}

/// Says that a limit ended the answer, in the protocol's word, and puts the text where the value was.
fn ended(value: Value, text: &str, cut: bool) -> Value {
    match value {
        Value::String(said) if said == "\"MARK\"" => text.into(),
        // Where calls come as objects, the server has closed what was open.
        Value::String(said) if said == "MARK" => {
            let any = Contract::from_schema(json!({ "type": "object" })).unwrap();
            let read = any.read(text, Level::Syntax).or_else(|_| any.read(&format!("{text},"), Level::Syntax));
            serde_json::from_str(&read.unwrap().json).unwrap()
        }
        Value::Array(items) => items.into_iter().map(|item| ended(item, text, cut)).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, value)| {
                let value = match (key.as_str(), &value) {
                    ("finish_reason", Value::String(word)) if cut => {
                        json!(if word.chars().all(char::is_lowercase) || word == "tool_calls" {
                            "length"
                        } else {
                            "MAX_TOKENS"
                        })
                    }
                    ("stop_reason" | "stopReason", _) if cut => json!("max_tokens"),
                    ("finishReason", _) if cut => json!("MAX_TOKENS"),
                    ("done_reason", _) if cut => json!("length"),
                    _ => ended(value, text, cut),
                };
                (key, value)
            });
            let mut members: Map<String, Value> = members.collect();
            if cut && members.get("object") == Some(&json!("response")) {
                members.insert("status".into(), json!("incomplete"));
                members.insert("incomplete_details".into(), json!({ "reason": "max_output_tokens" }));
            }
            members.into()
        }
        other => other,
    }
}

impl Transport for Model {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let round = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(body.clone());
            asked.len() - 1
        };
        let mut told = String::new();
        text_of(body.get("messages").or(body.get("input")).or(body.get("contents")).unwrap(), &mut told);
        let asked = Asked { round, told, body };
        let (text, cut) = (self.says)(&asked);
        let streamed = asked.body.get("stream") == Some(&json!(true));
        let said = if streamed {
            let chars: Vec<char> = text.chars().collect();
            let event = |delta: Value, finish: Value| {
                let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
                format!("data: {}\n\n", json!({ "id": "c", "object": "chat.completion.chunk", "choices": [choice] }))
            };
            let pieces =
                chars.chunks(9).map(|piece| event(json!({ "content": piece.iter().collect::<String>() }), Value::Null));
            let end = event(json!({}), json!(if cut { "length" } else { "stop" }));
            format!("{}{end}data: [DONE]\n\n", pieces.collect::<String>())
        } else {
            ended(fake_body(request.uri().path(), &asked.body, &json!("MARK")), &text, cut).to_string()
        };
        Box::pin(std::future::ready(Ok(http::Response::new(Body::whole(said)))))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Now {
        Now::default()
    }
}

fn ask(model: &Model, spec: &str, mode: Mode, rounds: u32) -> Result<(Book, Completion), Error> {
    let client = model.client(spec);
    Script::new().block_on(async {
        let request =
            client.request("Write a book.").mode(mode).truncated(Truncated::Continue { rounds }).max_retries(0);
        request.create_with_completion::<Book>().await
    })
}

fn truth() -> Book {
    serde_json::from_value(book()).unwrap()
}

#[test]
fn an_answer_that_is_cut_anywhere_comes_out_as_if_it_was_not() {
    let text = book().to_string();
    for at in 1..text.len() {
        let model = Model::knowing(&book(), text.clone(), move |round| if round == 0 { at } else { usize::MAX });
        let (came, completion) = ask(&model, "groq/m", Mode::Tools, 1)
            .unwrap_or_else(|error| panic!("{at}: {error:#}\n{:?}\n{:?}", error.partial_json(), model.asked().last()));
        assert_eq!(came, truth(), "{at}: {}", &text[..at.min(20)]);
        let attempts = completion.report.attempts();
        assert_eq!(attempts.len(), 2, "{at}");
        assert!(attempts[1].continues.is_some() && attempts[1].patch.is_empty());
    }
}

#[test]
fn in_every_mode_and_protocol() {
    let mut tried = 0;
    for spec in ["groq/m", "openai/m", "anthropic/m", "gemini/m", "cohere/m", "ollama/m", "deepseek/m"] {
        for mode in [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson] {
            let first = match mode {
                Mode::MdJson => {
                    format!("Here it is:\n```json\n{}\n```", serde_json::to_string_pretty(&book()).unwrap())
                }
                _ => book().to_string(),
            };
            let uncut = Model::knowing(&book(), first.clone(), |_| usize::MAX);
            if ask(&uncut, spec, mode, 0).is_err() {
                continue;
            }
            tried += 1;
            let begun = first.find('{').unwrap() + 1;
            for at in (begun..first.rfind('}').unwrap()).step_by(151) {
                let model =
                    Model::knowing(&book(), first.clone(), move |round| if round == 0 { at } else { usize::MAX });
                let (came, _) = ask(&model, spec, mode, 1).unwrap_or_else(|error| {
                    panic!("{spec} {mode} {at}: {error:#}\n{:?}\n{:?}", error.partial_json(), model.asked().last())
                });
                assert_eq!(came, truth(), "{spec} {mode} {at}");
            }
        }
    }
    assert!(tried >= 18, "{tried}");
}

#[test]
fn in_the_form_that_a_dialect_has() {
    let contract = Book::contract();
    let lowered = lower(contract.schema(), Dialect::OpenAi, Policy::Declared).unwrap();
    let first = lowered.encode_json(&book().to_string()).unwrap();
    assert!(!lowered.is_identity() && !first.contains("\"counts\":{"));
    for at in (1..first.len()).step_by(13) {
        let model = Model::knowing(&book(), first.clone(), move |round| if round == 0 { at } else { usize::MAX });
        let (came, _) = ask(&model, "openai/m", Mode::Schema, 1)
            .unwrap_or_else(|error| panic!("{at}: {error:#}\n{:?}\n{:?}", error.partial_json(), model.asked().last()));
        assert_eq!(came, truth(), "{at}: {}", &first[..at.min(30)]);
    }
}

#[test]
fn cuts_of_the_rest_are_continued_too() {
    for room in [300, 411, 640, 1000] {
        let text = book().to_string();
        let rounds = 40;
        let model = Model::knowing(&book(), text, move |_| room);
        let (came, completion) = ask(&model, "groq/m", Mode::Json, rounds).unwrap_or_else(|error| {
            panic!("{room}: {error:#}\n{:?}\n{:?}", error.partial_json(), model.asked().last())
        });
        assert_eq!(came, truth(), "{room}");
        let report = completion.report;
        assert!(report.attempts().len() > 2);
        let output: u64 = report.attempts().iter().filter_map(|attempt| attempt.usage.output).sum();
        assert_eq!(report.usage().output, Some(output));
        assert!(report.to_string().contains(", from $."), "{report}");
    }
}

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
struct List {
    items: Vec<Item>,
    note: String,
}

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
struct Item {
    id: u32,
    text: String,
}

fn list(count: usize, note: &str) -> Value {
    let items: Vec<Value> = (0..count).map(|n| json!({ "id": n, "text": format!("The text of {n}") })).collect();
    json!({ "items": items, "note": note })
}

/// What comes of a cut answer with these rests.
fn rests<T: ResponseModel>(
    first: &str,
    then: &[Value],
    rounds: u32,
    retries: u32,
) -> (Result<(T, Completion), Error>, Model) {
    let (first, then) = (first.to_owned(), then.to_vec());
    let model = Model::new(move |asked| match asked.round {
        0 => (first.clone(), true),
        round => match &then[(round - 1).min(then.len() - 1)] {
            Value::String(cut) => (cut.clone(), true),
            value => (value.to_string(), false),
        },
    });
    let client = model.client("groq/m");
    let request = client.request("Go").mode(Mode::Json).truncated(Truncated::Continue { rounds }).max_retries(retries);
    (Script::new().block_on(request.create_with_completion()), model)
}

#[test]
fn what_is_there_already_is_not_there_twice() {
    let whole = list(12, "the end");
    let items = whole["items"].as_array().unwrap();
    let text = whole.to_string();
    let cut = &text[..text.find("{\"id\":7").unwrap() + 12];
    let want: List = serde_json::from_value(whole.clone()).unwrap();
    // All that comes after what is there, one or three items before that, and all of it from the beginning.
    for from in [7, 6, 4, 0] {
        let (came, _) = rests::<List>(cut, &[json!({ "rest_1": items[from..], "rest_2": "the end" })], 1, 0);
        assert_eq!(came.unwrap().0, want, "{from}");
    }
    // It began anew and got less far: nothing new came, and then the rest.
    let anew = json!({ "rest_1": items[..5] }).to_string();
    let (came, _) = rests::<List>(
        cut,
        &[json!(&anew[..anew.len() - 2]), json!({ "rest_1": items[7..], "rest_2": "the end" })],
        3,
        0,
    );
    assert_eq!(came.unwrap_err().kind(), ErrorKind::Truncated);
    // What a list may well say twice stays.
    let contract = Vec::<i32>::contract();
    let model = Model::new(|asked| match asked.round {
        0 => (String::from("[1,0,0,"), true),
        _ => (json!({ "rest_1": [0, 0, 5] }).to_string(), false),
    });
    let client = model.client("groq/m");
    let request = client.request("Go").mode(Mode::Json).truncated(Truncated::Continue { rounds: 1 });
    let (value, _) = Script::new().block_on(request.create_value(&contract)).unwrap();
    assert_eq!(value, json!([1, 0, 0, 0, 0, 5]));
}

#[test]
fn a_text_is_gone_on_with_where_it_broke() {
    let note: String = (0..60).map(|n| format!("Line {n} of \"it\": 日本\n")).collect();
    let whole = list(1, &note);
    let text = whole.to_string();
    let want: List = serde_json::from_value(whole).unwrap();
    let kept = text.find("Line 40").unwrap();
    let at = note.find("Line 40").unwrap();
    for from in [at, at - "8 of \"it\": 日本\n".len(), note.find("Line 37").unwrap(), 0] {
        let (came, model) = rests::<List>(&text[..kept], &[json!({ "rest_1": note[from..] })], 1, 0);
        assert_eq!(came.unwrap().0, want, "{from}");
        assert!(model.asked()[1].to_string().contains("$.note"));
    }
    // A text that repeats itself may go on so.
    let stars = "ab ".repeat(200);
    let text = list(1, &stars).to_string();
    let (came, _) = rests::<List>(&text[..text.len() - 92], &[json!({ "rest_1": "ab ".repeat(30) })], 1, 0);
    assert_eq!(came.unwrap().0.note, stars);
}

#[test]
fn it_ends() {
    let text = list(12, "the end").to_string();
    let cut = &text[..text.find("{\"id\":7").unwrap()];
    let kept = |error: &Error| {
        serde_json::from_str::<Value>(error.partial_json().unwrap()).unwrap()["items"].as_array().unwrap().len()
    };
    let one = |n: usize| json!(format!("{{\"rest_1\":[{{\"id\":{n},\"text\":\"The text of {n}\"}},"));
    // As many rounds as it may have.
    let (end, model) = rests::<List>(cut, &[one(7), one(8), one(9), one(10)], 2, 3);
    let error = end.unwrap_err();
    assert_eq!((error.kind(), kept(&error), model.asked().len()), (ErrorKind::Truncated, 9, 3), "{error}");
    assert!(error.to_string().contains("continued 2 times"), "{error}");
    // A round that adds nothing is the last.
    let (end, model) = rests::<List>(cut, &[json!("{\"rest_1\":[")], 9, 3);
    let error = end.unwrap_err();
    assert_eq!((error.kind(), kept(&error), model.asked().len()), (ErrorKind::Truncated, 7, 2), "{error}");
    // So is one that says no JSON at all, or nothing.
    for nothing in ["", "I am sorry", "["] {
        let (end, model) = rests::<List>(cut, &[json!(nothing)], 9, 3);
        let error = end.unwrap_err();
        assert_eq!(
            (error.kind(), kept(&error), model.asked().len()),
            (ErrorKind::Truncated, 7, 2),
            "{nothing}: {error}"
        );
    }
    // Nothing of the first answer can be read.
    let (end, model) = rests::<List>("Let me think", &[one(1)], 9, 3);
    let error = end.unwrap_err();
    assert_eq!((error.kind(), error.partial_json(), model.asked().len()), (ErrorKind::Truncated, None, 1));
    // The budget.
    let model = Model::knowing(&book(), book().to_string(), |_| 300);
    let request = model.client("groq/m");
    let request =
        request.request("x").truncated(Truncated::Continue { rounds: 9 }).budget(Budget::new().with_attempts(2));
    let error = Script::new().block_on(request.create::<Book>()).unwrap_err();
    assert_eq!((error.kind(), model.asked().len()), (ErrorKind::Budget, 2));
    assert!(error.partial_json().is_some());
}

#[test]
fn a_rest_of_another_form_is_no_value() {
    let text = list(12, "the end").to_string();
    let cut = &text[..text.find("{\"id\":7").unwrap()];
    let items = list(12, "")["items"].as_array().unwrap()[7..].to_vec();
    let right = json!({ "rest_1": items, "rest_2": "the end" });
    let hostile = [
        json!({ "rest_1": 5, "rest_2": "the end" }),
        json!({ "rest_1": [{ "id": "x" }], "rest_2": [] }),
        json!({ "items": items, "note": "the end" }),
        json!([]),
        json!({ "rest_2": "the end" }),
        json!({}),
    ];
    for answer in hostile {
        let (end, model) = rests::<List>(cut, std::slice::from_ref(&answer), 5, 1);
        let error = end.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::SchemaMismatch | ErrorKind::Malformed), "{answer}: {error}");
        assert_eq!(model.asked().len(), 3, "{answer}: {error:#}");
        assert!(error.partial_json().is_some());
        // It is told what was wrong, and may do better.
        let (came, model) = rests::<List>(cut, &[answer.clone(), right.clone()], 5, 1);
        let (value, completion) = came.unwrap();
        assert_eq!((value.items.len(), value.note.as_str()), (12, "the end"), "{answer}");
        assert_eq!(completion.report.attempts().len(), 3);
        assert!(model.asked()[2].to_string().contains("rejected"));
    }
    // What nobody asked for is left out.
    let more = json!({ "rest_1": items, "rest_2": "the end", "items": [], "rest_9": 1 });
    assert_eq!(rests::<List>(cut, &[more], 5, 1).0.unwrap().0.items.len(), 12);
}

#[test]
fn a_round_costs_the_same_however_much_is_there() {
    let sizes = [40, 4000].map(|count| {
        let text = list(count + 5, &"n".repeat(10)).to_string();
        let cut = text[..text.find(&format!("{{\"id\":{count},")).unwrap()].to_owned();
        let (came, model) = rests::<List>(
            &cut,
            &[json!({ "rest_1": list(count + 5, "")["items"].as_array().unwrap()[count..], "rest_2": "n" })],
            1,
            0,
        );
        assert_eq!(came.unwrap().0.items.len(), count + 5);
        let sent: Vec<usize> = model.asked().iter().map(|body| body.to_string().len()).collect();
        sent[1] - sent[0]
    });
    assert!(sizes[1] < sizes[0] + 64 && sizes[1] < 3000, "{sizes:?}");
}

#[test]
fn a_limit_is_raised_until_it_is_enough_or_the_highest() {
    let say = |limit: u64| {
        Model::new(move |asked| {
            let most = asked.body["max_completion_tokens"].as_u64().or(asked.body["max_tokens"].as_u64()).unwrap();
            cut(list(2, "x").to_string(), if most >= limit { usize::MAX } else { 20 })
        })
    };
    let limits = |model: &Model| -> Vec<u64> {
        let limit = |body: &Value| body["max_completion_tokens"].as_u64().or(body["max_tokens"].as_u64()).unwrap();
        model.asked().iter().map(limit).collect()
    };
    for (enough, wanted) in [(400, vec![100, 200, 400]), (5000, vec![100, 200, 400, 500])] {
        let model = say(enough);
        let client = model.client("groq/m");
        let request = client.request("x").max_tokens(100).truncated(Truncated::Raise { factor: 2, most: 500 });
        let end = Script::new().block_on(request.max_retries(0).create::<List>());
        assert_eq!(limits(&model), wanted);
        match end {
            Ok(list) => assert!(enough == 400 && list.items.len() == 2),
            Err(error) => {
                assert!(enough > 400 && error.kind() == ErrorKind::Truncated && error.to_string().contains("highest"));
            }
        }
    }
    // Without a policy, it fails with what came.
    let model = say(400);
    let client = model.client("groq/m");
    let error = Script::new().block_on(client.request("x").max_tokens(1).create::<List>()).unwrap_err();
    assert_eq!((error.kind(), model.asked().len()), (ErrorKind::Truncated, 1));
    assert_eq!(error.partial_json(), Some(r#"{"items":[{"id":0}]}"#));
}

#[test]
fn what_a_stream_has_shown_stays() {
    let text = book().to_string();
    for at in (400..text.len()).step_by(301) {
        let model = Model::knowing(&book(), text.clone(), move |round| if round == 0 { at } else { usize::MAX });
        let client = model.client("groq/m");
        let ended = Script::new().block_on(async {
            let request = client.request("x").mode(Mode::Json).truncated(Truncated::Continue { rounds: 1 });
            let mut stream = request.create_partial::<Book>().await.unwrap();
            let mut most = 0;
            while let Some(partial) = stream.next().await {
                let chapters = partial.chapters.get().map_or(0, Vec::len);
                assert!(chapters >= most, "{at}: {chapters} after {most}");
                most = chapters;
            }
            assert_eq!(most, 3, "{at}");
            stream.finish().await
        });
        assert_eq!(ended.unwrap(), truth(), "{at}");
        assert_eq!(model.asked().len(), 2);
    }
}

#[test]
fn items_that_were_given_out_are_not_continued() {
    let text = list(5, "")["items"].to_string();
    let model = Model::new(move |_| cut(text.clone(), 100));
    let client = model.client("groq/m");
    Script::new().block_on(async {
        let request = client.request("x").mode(Mode::Json).truncated(Truncated::Continue { rounds: 3 });
        let mut items = request.create_iterable::<Item>().await.unwrap();
        let (mut given, mut failed) = (0, None);
        while let Some(item) = items.next().await {
            match item {
                Ok(_) => given += 1,
                Err(error) => failed = Some(error.kind()),
            }
        }
        assert_eq!((given, failed, model.asked().len()), (3, Some(ErrorKind::Truncated), 1));
    });
}

#[test]
fn calls_that_are_items_go_on_as_a_list() {
    #[instructor::model]
    #[derive(PartialEq)]
    enum Act {
        Say { text: String },
        Walk { steps: u32 },
    }
    let call = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let calls = [call("1", "Say", "{\"text\":\"a\"}"), call("2", "Walk", "{\"steps\":3}"), call("3", "Say", "{\"te")];
    let first =
        json!({ "choices": [{ "message": { "role": "assistant", "tool_calls": calls }, "finish_reason": "length" }] });
    let rest = json!({ "rest_1": [{ "Say": { "text": "b" } }] });
    let script =
        Script::new().reply(instructor::testing::Reply::json(first)).reply(instructor::testing::Reply::value(rest));
    let client = script.blocking_client("groq/m");
    let request = client.request("x").mode(Mode::ParallelTools).truncated(Truncated::Continue { rounds: 1 });
    let acts: Vec<Act> = request.create().unwrap();
    assert!(acts == [Act::Say { text: "a".into() }, Act::Walk { steps: 3 }, Act::Say { text: "b".into() }]);
}
