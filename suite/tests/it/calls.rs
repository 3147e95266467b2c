//! Calls as the items of a list while they arrive: on every protocol, one after the other and by turns.

use instructor::testing::{Reply, Script};
use instructor::{Field, Mode, Partial, ResponseModel};
use serde::Serialize;
use serde_json::{Value, json};

/// A provider of each protocol, and whether it tells several calls by their places.
const SPECS: [(&str, bool); 7] = [
    ("openai/gpt-5-mini", true),
    ("openai_responses/gpt-5-mini", true),
    ("anthropic/claude-haiku-4-5", true),
    ("gemini/gemini-2.5-flash", false),
    ("bedrock/anthropic.claude-haiku-4-5", true),
    ("cohere/command-a-03-2025", true),
    ("ollama_chat/qwen3", false),
];

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
struct Search {
    query: String,
    #[schemars(range(max = 50))]
    limit: u8,
}

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
struct Note {
    lines: Vec<String>,
}

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
enum External {
    Search(Search),
    Note(Note),
    Say(String),
    Stop,
}

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Internal {
    Search(Search),
    Note(Note),
    Stop,
}

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
#[serde(tag = "do", content = "with")]
enum Adjacent {
    Search(Search),
    Note(Note),
    Say(String),
    Stop,
}

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
#[serde(untagged)]
enum Untagged {
    Search(Search),
    Note(Note),
}

#[instructor::model(partial)]
#[derive(PartialEq, Serialize)]
struct Step {
    id: u8,
    #[serde(flatten)]
    action: Internal,
}

type Calls = Vec<(&'static str, Value)>;

fn search() -> Value {
    json!({ "query": "rain \"in\"\nBern, 日本", "limit": 3 })
}

fn note() -> Value {
    json!({ "lines": ["one", "two {", "}three"] })
}

/// The streamed answer to a request for a list of these, and what comes of it whole.
fn told<T: ResponseModel + Serialize>(spec: &str, calls: &Calls) -> (Vec<u8>, Value) {
    let script = Script::new().reply(Reply::calls(calls.iter().cloned()).chunks(5));
    let client = script.client(spec);
    script.block_on(async {
        let request = client.request("x").mode(Mode::ParallelTools).max_retries(0);
        let mut items = request.create_iterable::<T>().await.unwrap();
        let mut all = Vec::new();
        while let Some(item) = items.next().await {
            all.push(item.unwrap_or_else(|error| panic!("{spec}: {error}: {}", error.issues())));
        }
        let raw = items.completion().unwrap().raw.to_vec();
        (raw, serde_json::to_value(all).unwrap())
    })
}

/// The events of a body, whichever form they have.
fn events(body: &[u8]) -> Vec<Vec<u8>> {
    let mut events = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = match rest {
            // A binary message begins with its length.
            [0, a, b, c, ..] => u32::from_be_bytes([0, *a, *b, *c]) as usize,
            [b'{', ..] => rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1),
            _ => rest.windows(2).position(|pair| pair == b"\n\n").map_or(rest.len(), |at| at + 2),
        };
        events.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    events
}

/// Which call an event is about, counted from 0.
fn call_of(event: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(event);
    let (_, place) = match text.split_once("\"tool_calls\":[{") {
        Some((_, call)) if call.contains("\"index\":") => call.rsplit_once("\"index\":")?,
        _ if text.contains("chat.completion") => return None,
        _ => ["\"output_index\":", "\"contentBlockIndex\":", "\"index\":"].iter().find_map(|k| text.rsplit_once(k))?,
    };
    place.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// The same events with those of each call by turns.
fn by_turns(events: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let about: Vec<usize> = (0..events.len()).filter(|at| call_of(&events[*at]).is_some()).collect();
    let first = about[0];
    let mut calls: Vec<std::collections::VecDeque<Vec<u8>>> = Vec::new();
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    for (at, event) in events.into_iter().enumerate() {
        match call_of(&event) {
            Some(call) => {
                calls.resize_with(calls.len().max(call + 1), Default::default);
                calls[call].push_back(event);
            }
            None if at < first => head.push(event),
            None => tail.push(event),
        }
    }
    while calls.iter().any(|call| !call.is_empty()) {
        head.extend(calls.iter_mut().filter_map(std::collections::VecDeque::pop_front));
    }
    head.extend(tail);
    head
}

/// What shows after each event: states that differ.
fn shown<T: ResponseModel + Partial>(spec: &str, reply: Reply) -> Vec<Value>
where
    Vec<T>: ResponseModel + Partial,
{
    let script = Script::new().reply(reply);
    let client = script.client(spec);
    script.block_on(async {
        let request = client.request("x").mode(Mode::ParallelTools).max_retries(0);
        let mut stream = request.create_partial::<Vec<T>>().await.unwrap();
        let mut states = Vec::new();
        while let Some(partial) = stream.next().await {
            states.push(serde_json::to_value(partial).unwrap());
        }
        states
    })
}

/// Whether the later of two states has all that the earlier has.
fn extends(earlier: &Value, later: &Value) -> bool {
    match (earlier, later) {
        (Value::Null, _) => true,
        (Value::String(a), Value::String(b)) => b.starts_with(&**a),
        (Value::Array(a), Value::Array(b)) => a.len() <= b.len() && a.iter().zip(b).all(|(a, b)| extends(a, b)),
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(key, a)| b.get(key).is_some_and(|b| extends(a, b))),
        (a, b) => a == b,
    }
}

/// Everything that holds for the calls of a list, on each protocol.
fn grows<T: ResponseModel + Partial + Serialize>(inside: bool, calls: Calls)
where
    Vec<T>: ResponseModel + Partial,
{
    for (spec, places) in SPECS {
        let (body, whole) = told::<T>(spec, &calls);
        let apart = events(&body);
        for (turns, events) in [(false, apart.clone()), (true, if places { by_turns(apart) } else { apart })] {
            let body = events.concat();
            let states = shown::<T>(spec, Reply::body(body.clone()));
            assert_eq!(states.last(), Some(&whole), "{spec} {turns}");
            for pair in states.windows(2) {
                assert!(extends(&pair[0], &pair[1]), "{spec} {turns}\n{}\n{}", pair[0], pair[1]);
            }
            // Arguments that come in pieces show in pieces, if it can be known of what.
            let many = if places && inside { events.len() / 3 } else { 1 };
            assert!(states.len() >= many, "{spec} {turns}: {} states of {} events", states.len(), events.len());
            for size in [1, 7] {
                assert_eq!(shown::<T>(spec, Reply::body(body.clone()).pieces(size)), states, "{spec} {turns} {size}");
            }
        }
    }
}

#[test]
fn arguments_show_while_they_arrive() {
    grows::<External>(
        true,
        vec![("Search", search()), ("Note", note()), ("Say", json!({ "Say": "It rains." })), ("Stop", json!({}))],
    );
    grows::<Internal>(true, vec![("note", note()), ("search", search()), ("stop", json!({}))]);
    grows::<Adjacent>(
        true,
        vec![("Note", note()), ("Search", search()), ("Say", json!({ "with": "It rains." })), ("Stop", json!({}))],
    );
    grows::<Untagged>(false, vec![("Search", search()), ("Note", note())]);
    grows::<Search>(true, vec![("Search", search()), ("Search", json!({ "query": "", "limit": 50 }))]);
    grows::<Step>(
        true,
        vec![
            ("note", json!({ "id": 1, "lines": ["one", "two"] })),
            ("search", json!({ "id": 2, "query": "rain", "limit": 1 })),
            ("stop", json!({ "id": 3 })),
        ],
    );
}

#[test]
fn several_calls_are_open_at_once() {
    let calls = vec![("Search", search()), ("Note", note())];
    for (spec, _) in SPECS.into_iter().filter(|(_, places)| *places) {
        let (body, _) = told::<External>(spec, &calls);
        let script = Script::new().reply(Reply::body(by_turns(events(&body)).concat()));
        let client = script.client(spec);
        script.block_on(async {
            let request = client.request("x").mode(Mode::ParallelTools).max_retries(0);
            let mut stream = request.create_partial::<Vec<External>>().await.unwrap();
            let (mut both, mut last) = (0, false);
            while let Some(items) = stream.next().await {
                let open = |item: &Field<PartialExternal>| match item.get() {
                    Some(PartialExternal::Search(search)) => search.get().is_some_and(|s| s.query.is_open()),
                    Some(PartialExternal::Note(note)) => note.get().is_some_and(|note| note.lines.is_open()),
                    _ => false,
                };
                both += usize::from(items.len() == 2 && items.iter().all(open));
                last = items.iter().all(Field::is_done);
            }
            assert!(both > 2 && last, "{spec}: {both} {last}");
        });
    }
}

/// What is given out of the first events of a body: each item with its place.
fn given(spec: &str, body: Vec<u8>) -> Vec<(usize, Value)> {
    let script = Script::new().reply(Reply::body(body));
    let client = script.client(spec);
    script.block_on(async {
        let request = client.request("x").mode(Mode::ParallelTools).max_retries(0);
        let mut stream = request.create_iterable::<External>().await.unwrap();
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            match item {
                Ok(item) => items.push((stream.place().unwrap(), serde_json::to_value(item).unwrap())),
                Err(error) => assert_eq!(error.item(), None, "{spec}: {error}: {}", error.issues()),
            }
        }
        items
    })
}

#[test]
fn an_item_is_there_with_the_last_byte_of_its_call() {
    let calls: Calls = vec![("Search", search()), ("Note", note()), ("Say", json!({ "Say": "It rains." }))];
    for (spec, places) in SPECS {
        let (body, whole) = told::<External>(spec, &calls);
        let apart = events(&body);
        for (turns, events) in [(false, apart.clone()), (true, if places { by_turns(apart) } else { apart })] {
            // The event that says that a call is over, or with the first word of the next; else that of the end.
            let chat = spec.starts_with("openai/");
            let over = |call: usize| {
                let at = if chat && !turns && call + 1 < calls.len() {
                    events.iter().position(|event| call_of(event) == Some(call + 1))
                } else if chat {
                    events.iter().position(|event| String::from_utf8_lossy(event).contains("\"finish_reason\":\"tool"))
                } else if places {
                    events.iter().rposition(|event| call_of(event) == Some(call))
                } else {
                    let name = format!("\"name\":\"{}\"", calls[call].0);
                    events.iter().position(|event| String::from_utf8_lossy(event).contains(&name))
                };
                at.unwrap()
            };
            let over: Vec<usize> = (0..calls.len()).map(over).collect();
            for count in 1..=events.len() {
                let mut items = given(spec, events[..count].concat());
                items.sort_by_key(|(place, _)| *place);
                let wanted = (0..calls.len()).filter(|call| over[*call] < count);
                // Of calls that are told by turns one may be known to be over by its arguments.
                let early = |item: &(usize, Value)| turns && over[item.0] >= count;
                assert!(items.iter().all(|(place, item)| *item == whole[*place]), "{spec} {turns} {count}");
                items.retain(|item| !early(item));
                assert_eq!(
                    items.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
                    wanted.collect::<Vec<_>>(),
                    "{spec} {turns} {count}"
                );
            }
        }
    }
}

#[test]
fn what_only_the_final_reading_makes_out_shows_then() {
    let delta = |delta: Value, finish: Value| {
        format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }))
    };
    let call = |index: usize, name: &str, arguments: &str| {
        let function = json!({ "name": name, "arguments": arguments });
        let call = json!({ "index": index, "id": format!("c{index}"), "type": "function", "function": function });
        delta(json!({ "tool_calls": [call] }), Value::Null)
    };
    let end = delta(json!({}), json!("tool_calls"));
    // Single quotes, a string where a number belongs, a word before the arguments, none at all.
    let calls = [
        call(0, "Search", "{'query': 'x', 'limit': 3,}"),
        call(1, "Search", "{\"query\": \"y\", \"limit\": \"4\"}"),
        call(2, "Search", "Sure: {\"query\": \"z\", \"limit\": 5}"),
        call(3, "Stop", ""),
    ];
    let states = shown::<External>(SPECS[0].0, Reply::body(format!("{}{end}", calls.concat())));
    let search = |query: &str, limit: u8| json!({ "Search": { "query": query, "limit": limit } });
    assert_eq!(states.last(), Some(&json!([search("x", 3), search("y", 4), search("z", 5), "Stop"])));
    // A list in text, from a server that ignores the tools.
    let body =
        format!("{}{}", delta(json!({ "content": "Sure: [\"Stop\"]" }), Value::Null), delta(json!({}), json!("stop")));
    assert_eq!(shown::<External>(SPECS[0].0, Reply::body(body)), [json!(["Stop"])]);
}
