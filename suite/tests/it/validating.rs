//! Validator functions on the parts of an answer, while the rest of it arrives.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use instructor::testing::{Reply, Script};
use instructor::{Context, Error, ErrorKind, Issue, Mode, Watchdog};
use serde::Deserialize;
use serde_json::{Value, json};

#[instructor::model(partial)]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[response(validate = address)]
struct Address {
    street: String,
    #[response(validate = zip)]
    zip: String,
}

#[instructor::model(partial)]
#[derive(Debug)]
#[serde(rename_all = "camelCase")]
struct Person {
    #[response(validate = name)]
    full_name: String,
    homes: Vec<Address>,
    by_kind: BTreeMap<String, Address>,
    pair: (u8, Address),
    office: Option<Box<Address>>,
    nick: Nick,
    notes: String,
}

#[instructor::model(partial)]
#[derive(Debug)]
struct Nick(#[response(validate = name)] String);

/// What ran, and how much of the answer had been read by then.
#[derive(Default)]
struct Log(Mutex<Vec<(String, usize)>>, Script);

fn note(context: &Context, what: String) {
    if let Some(Log(ran, script)) = context.get::<Log>() {
        let read = script.read().last().copied().unwrap_or_default();
        ran.lock().unwrap().push((what, read));
    }
}

fn address(address: &Address, context: &Context) -> Result<(), Issue> {
    note(context, format!("address {}", address.street));
    if address.street == "Nowhere" { Err(Issue::at("street", "a street that exists")) } else { Ok(()) }
}

fn zip(zip: &str, context: &Context) -> Result<(), String> {
    note(context, format!("zip {zip}"));
    if zip.len() == 4 { Ok(()) } else { Err(String::from("four digits")) }
}

fn name(name: &str, context: &Context) -> Result<(), Issue> {
    note(context, format!("name {name}"));
    if name.starts_with(char::is_uppercase) { Ok(()) } else { Err(Issue::new("a capital first")) }
}

fn home(street: &str) -> Value {
    json!({ "street": street, "zip": format!("1{:03}", street.len()) })
}

fn person() -> Value {
    let notes: String = (0..1500_u32).map(|n| format!("word{} ", n.wrapping_mul(2_654_435_761))).collect();
    json!({
        "fullName": "Ada", "homes": [home("A"), home("Bb")], "byKind": { "old": home("Ccc") },
        "pair": [1, home("Dddd")], "office": home("Eeeee"), "nick": "Addie", "notes": notes,
    })
}

const RUN: [&str; 12] = [
    "name Ada",
    "zip 1001",
    "address A",
    "zip 1002",
    "address Bb",
    "zip 1003",
    "address Ccc",
    "zip 1004",
    "address Dddd",
    "zip 1005",
    "address Eeeee",
    "name Addie",
];

/// With what is to be validated in the answer.
fn said(mode: Mode, value: &Value) -> Reply {
    match mode {
        Mode::MdJson => Reply::text(format!("Here it is:\n```json\n{value}\n```\nThat is all.")),
        _ => Reply::value(value.clone()),
    }
}

fn ran(context: &Context) -> Vec<(String, usize)> {
    context.get::<Log>().unwrap().0.lock().unwrap().clone()
}

fn names(ran: &[(String, usize)]) -> Vec<&str> {
    ran.iter().map(|(what, _)| what.as_str()).collect()
}

#[test]
fn each_runs_once_when_its_part_is_complete() {
    let mut early = 0;
    for spec in ["openai/m", "openai_responses/m", "anthropic/m", "cohere/m", "bedrock/m", "mistral/m"] {
        for mode in [Mode::Auto, Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson] {
            for way in 0..3 {
                let script = Script::new().reply(said(mode, &person()).pieces(64));
                let client = script.client(spec);
                let context = Context::new().with(Log(Mutex::default(), script.clone()));
                let request = client.request("x").mode(mode).context(context.clone());
                if client.request("x").mode(mode).preview::<Person>().is_err() {
                    continue;
                }
                script
                    .block_on(async {
                        let watched = client.request("x").mode(mode).context(context.clone()).watchdog(Watchdog::new());
                        match way {
                            0 => request.create::<Person>().await.map(drop),
                            1 => watched.create::<Person>().await.map(drop),
                            _ => watched.create_partial::<Person>().await?.finish().await.map(drop),
                        }
                        .unwrap_or_else(|error| panic!("{spec} {mode}: {error:#}"));
                        Ok::<(), Error>(())
                    })
                    .unwrap();
                let ran = ran(&context);
                let mut sorted = names(&ran);
                if way == 0 {
                    sorted.sort_unstable();
                    let mut all = RUN;
                    all.sort_unstable();
                    assert_eq!(sorted, all, "{spec} {mode}: without a watchdog");
                    continue;
                }
                let total = script.read()[0];
                let before = ran.iter().take_while(|(_, read)| read * 2 < total).count();
                sorted.sort_unstable();
                let mut all = RUN;
                all.sort_unstable();
                assert_eq!(sorted, all, "{spec} {mode}");
                early += usize::from(before == RUN.len());
            }
        }
    }
    assert!(early >= 40, "{early}");
}

#[test]
fn what_a_function_refuses_ends_the_answer_there() {
    let broken = |pointer: &str, value: &str| {
        let mut person = person();
        *person.pointer_mut(pointer).unwrap() = json!(value);
        person
    };
    for (pointer, value, path) in [
        ("/fullName", "ada", "$.fullName"),
        ("/homes/1/zip", "12", "$.homes[1].zip"),
        ("/homes/1/street", "Nowhere", "$.homes[1].street"),
        ("/byKind/old/zip", "x", "$.byKind.old.zip"),
        ("/pair/1/street", "Nowhere", "$.pair[1].street"),
        ("/office/street", "Nowhere", "$.office.street"),
        ("/nick", "addie", "$.nick"),
    ] {
        let wrong = || Reply::value(broken(pointer, value)).pieces(64);
        let right = || Reply::value(person()).pieces(64);
        let script = Script::new().reply(wrong()).reply(right());
        let client = script.client("anthropic/m");
        let request = client.request("x").watchdog(Watchdog::new());
        let (_, completion) = script.block_on(request.create_with_completion::<Person>()).unwrap();
        let first = &completion.report.attempts()[0];
        assert_eq!(first.failure, Some(ErrorKind::Rejected), "{first}");
        assert_eq!(first.issues.as_slice()[0].path().as_str(), path);
        assert!(first.stopped.is_some_and(|tokens| tokens < 150), "{first}");
        assert!(script.read()[0] * 5 < script.read()[1], "{:?}", script.read());
        assert!(String::from_utf8_lossy(script.sent()[1].body()).contains(path));
        let script = Script::new().reply(wrong()).reply(right());
        let client = script.blocking_client("openai/m");
        let mut partials = client.request("x").watchdog(Watchdog::new()).create_partial::<Person>().unwrap();
        while partials.next().is_some() {}
        assert_eq!(partials.finish().unwrap().full_name, "Ada");
        assert!(script.read()[0] * 5 < script.read()[1], "{:?}", script.read());
    }
}

#[instructor::model]
#[derive(Debug)]
struct Trip {
    routes: Vec<Route>,
    notes: String,
}

#[instructor::model]
#[derive(Debug)]
#[response(validate = route)]
struct Route {
    name: String,
    stops: Vec<(u32, String)>,
}

fn route(route: &Route, context: &Context) -> Result<(), Issue> {
    note(context, format!("{} {}", route.name, route.stops.len()));
    if route.stops.is_empty() { Err(Issue::at("stops", "a stop")) } else { Ok(()) }
}

/// The reader lets go of what has closed, but not of what a function is to see.
#[test]
fn a_long_part_is_there_as_a_whole_when_it_is_complete() {
    let stops = |count: u32| (0..count).map(|at| json!([at, format!("Stop {at}")])).collect::<Vec<_>>();
    let routes = [300, 2, 500].map(|count| json!({ "name": "Route", "stops": stops(count) }));
    let notes: String = (0..6000_u32).map(|n| format!("word{} ", n.wrapping_mul(2_654_435_761))).collect();
    let trip = json!({ "routes": routes, "notes": notes });
    for mode in [Mode::Schema, Mode::Tools, Mode::MdJson] {
        let script = Script::new().reply(said(mode, &trip).chunks(9).pieces(4096));
        let context = Context::new().with(Log(Mutex::default(), script.clone()));
        let client = script.client("openai/m");
        let request = client.request("x").mode(mode).context(context.clone()).watchdog(Watchdog::new());
        script.block_on(request.create::<Trip>()).unwrap();
        let ran = ran(&context);
        assert_eq!(names(&ran), ["Route 300", "Route 2", "Route 500"], "{mode}");
        assert!(ran.iter().all(|(_, read)| read * 2 < script.read()[0]), "{mode}: {ran:?}");
    }
}

/// Where functions can't run before the end, or before more of it.
#[instructor::model]
#[derive(Debug)]
struct Odd {
    homes: BTreeSet<Address>,
    #[serde(flatten)]
    inner: Inner,
    #[serde(deserialize_with = "upper")]
    #[response(validate = name)]
    word: String,
    kind: Kind,
    by_number: HashMap<u8, Address>,
    #[serde(alias = "residence")]
    home: Option<Address>,
}

#[instructor::model]
#[derive(Debug)]
struct Inner {
    #[response(validate = zip)]
    zip: String,
}

#[instructor::model]
#[derive(Debug)]
#[serde(tag = "is")]
enum Kind {
    Empty,
    Full { at: Address },
}

fn upper<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| text.to_uppercase())
}

#[test]
fn nothing_that_is_wrong_gets_through_and_nothing_that_is_right_is_stopped() {
    let good = json!({
        "homes": [home("Bb"), home("A")], "zip": "1234", "word": "small", "kind": { "is": "Full", "at": home("Ccc") },
        "by_number": { "1": home("Dddd") }, "home": home("Eeeee"),
    })
    .to_string();
    let twice = good.replace(r#""by_number":{"#, &format!(r#""by_number":{{"1":{},"#, home("Ff")));
    for (text, wrong) in [
        (good.clone(), None),
        (good.replace("Bb", "Nowhere"), Some("$.homes")),
        (good.replace("1234", "123"), Some("$.zip")),
        (good.replace("small", "1"), Some("$.word")),
        (good.replace("Ccc", "Nowhere"), Some("$.kind.at.street")),
        (good.replace("Dddd", "Nowhere"), Some("$.by_number")),
        (good.replace("Eeeee", "Nowhere"), Some("$.home.street")),
        // Under another name, and in another form.
        (good.replace("\"home\"", "\"residence\""), None),
        (good.replace("\"street\":\"Eeeee\"", "\" street\":\"Nowhere\""), Some("$.home.street")),
        (good.replace("\"1234\"", "1234"), None),
        (good.replace("\"1234\"", "12345"), Some("$.zip")),
        // Twice: the last counts.
        (twice.replace("Dddd", "Nowhere"), Some("$.by_number")),
        (twice.clone(), None),
        // What stands between words is no answer.
        (format!("Not {} but\n```json\n{good}\n```", good.replace("Eeeee", "Nowhere")), None),
        (format!("Not {good} but\n```json\n{}\n```", good.replace("Eeeee", "Nowhere")), Some("$.home.street")),
    ] {
        for limits in [None, Some(Watchdog::new())] {
            let script = Script::new().reply(Reply::text(text.clone()).chunks(5).pieces(64));
            let client = script.client("openai/m");
            let request = client.request("x").mode(Mode::MdJson).max_retries(0).watchdog(limits);
            match (script.block_on(request.create::<Odd>()), wrong) {
                (Ok(_), None) => {}
                (Err(error), Some(path)) => {
                    assert_eq!(error.kind(), ErrorKind::Rejected, "{limits:?} {text}: {error}");
                    let found = error.issues().as_slice()[0].path().as_str();
                    assert!(found.starts_with(path), "{limits:?} {text}: {found}");
                }
                (other, _) => panic!("{limits:?} {text}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_wrong_call_of_several_is_told_when_the_next_begins() {
    let call = |street: &str| ("Address", home(street));
    let script = Script::new()
        .reply(Reply::calls([call("Nowhere"), call("A"), call("Bb")]).pieces(16))
        .reply(Reply::calls([call("A"), call("Bb")]));
    let client = script.client("openai/m");
    let context = Context::new().with(Log(Mutex::default(), script.clone()));
    let request = client.request("x").mode(Mode::ParallelTools).context(context.clone()).watchdog(Watchdog::new());
    let (homes, completion) = script.block_on(request.create_with_completion::<Vec<Address>>()).unwrap();
    assert_eq!(homes.len(), 2);
    let first = &completion.report.attempts()[0];
    assert_eq!((first.failure, first.issues.as_slice()[0].path().as_str()), (Some(ErrorKind::Rejected), "$[0].street"));
    assert_eq!(
        names(&ran(&context)),
        ["zip 1007", "address Nowhere", "zip 1001", "address A", "zip 1002", "address Bb"]
    );
}
