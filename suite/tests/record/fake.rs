use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use instructor::testing::{Script, ban_network};
use instructor::{Client, Contract, ErrorKind, Fake, FakeModel, Issue, Mode, ResponseModel, blocking, from_provider};
use serde_json::{Value, json};

use crate::{block_on, specs};

/// Schemas of a file, where it is there.
#[expect(clippy::print_stdout, reason = "what is skipped is told")]
fn schemas(name: &str) -> Vec<(String, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schemas").join(name);
    let unpacked = Command::new("gzip").arg("--decompress").arg("--stdout").arg(&path).output().ok();
    let Some(unpacked) = unpacked.filter(|unpacked| unpacked.status.success()) else {
        println!("skipped: no {name}");
        return Vec::new();
    };
    let rows = String::from_utf8(unpacked.stdout).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let mut schema = row["schema"].clone();
        let draft = match row["draft"].as_str().unwrap_or_default() {
            "draft4" => "http://json-schema.org/draft-04/schema#",
            "draft6" => "http://json-schema.org/draft-06/schema#",
            "draft7" => "http://json-schema.org/draft-07/schema#",
            "2019-09" => "https://json-schema.org/draft/2019-09/schema",
            _ => "https://json-schema.org/draft/2020-12/schema",
        };
        if let Some(map) = schema.as_object_mut() {
            map.entry("$schema").or_insert(json!(draft));
        }
        // One that nothing fits has no valid value in the file either.
        let any = row["valid_instances"].as_array().is_some_and(|all| !all.is_empty())
            || row["derived_valid"].as_array().is_some_and(|all| !all.is_empty());
        any.then(|| (row["id"].as_str().unwrap().to_owned(), schema))
    };
    rows.lines().filter_map(row).collect()
}

/// How many of the schemas of a file have a value for each of these seeds, which the referee takes too.
#[expect(clippy::print_stdout, reason = "the share is told")]
fn share(name: &str, step: usize, seeds: std::ops::Range<u64>) -> Option<f64> {
    let (mut all, mut drawn, mut failed) = (0_u32, 0_u32, Vec::new());
    for (id, schema) in schemas(name).into_iter().step_by(step) {
        let Ok(contract) = Contract::from_schema(schema.clone()) else { continue };
        let referee = jsonschema::options().should_validate_formats(true).build(&schema).ok();
        for seed in seeds.clone() {
            all += 1;
            match Fake::new(seed).json(&contract) {
                Ok(value) => {
                    if let Some(error) =
                        referee.as_ref().and_then(|referee| referee.validate(&value).err().map(|e| e.to_string()))
                    {
                        failed.push(format!("{id}: {value} is refused: {error}"));
                        continue;
                    }
                    assert_eq!(Fake::new(seed).json(&contract).unwrap(), value, "{id}");
                    drawn += 1;
                }
                Err(error) => failed.push(format!("{id}: {error}")),
            }
        }
    }
    if all == 0 {
        return None;
    }
    println!("{name}: {drawn} of {all}");
    failed.iter().for_each(|line| println!("  {}", line.chars().take(400).collect::<String>()));
    Some(f64::from(drawn) / f64::from(all))
}

#[test]
fn nearly_every_schema_has_values() {
    for (name, step, least) in
        [("rust_types.jsonl.gz", 1, 0.99), ("dev.jsonl.gz", 7, 0.99), ("suite.jsonl.gz", 1, 0.99)]
    {
        if let Some(share) = share(name, step, 0..2) {
            assert!(share >= least, "{name}: {share}");
        }
    }
}

#[instructor::model]
#[derive(PartialEq)]
enum Shape {
    Circle { radius: f64 },
    Line(f64, f64),
    Dot,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Event {
    Created { at: chrono::DateTime<chrono::Utc> },
    Moved { from: String, to: Option<String> },
}

#[instructor::model]
#[derive(PartialEq)]
struct Tree {
    label: String,
    children: Vec<Self>,
    left: Option<Box<Self>>,
}

#[instructor::model]
#[derive(PartialEq)]
struct Rich {
    id: uuid::Uuid,
    link: url::Url,
    version: semver::Version,
    day: jiff::civil::Date,
    initial: char,
    pair: (u8, String),
    map: BTreeMap<String, Vec<i64>>,
    set: BTreeSet<String>,
    big: u64,
    small: i8,
    shapes: Vec<Shape>,
    event: Event,
    tree: Tree,
    #[schemars(length(min = 2, max = 4), inner(range(min = 0.5, max = 0.75)))]
    parts: Vec<f32>,
    #[schemars(regex(pattern = "^[A-Z]{3}-[0-9]{4}$"))]
    code: String,
    #[schemars(length(min = 200))]
    long: String,
    any: Value,
}

/// Of whose values the schema says less than the type.
#[instructor::model]
#[derive(PartialEq)]
struct Price {
    amount: rust_decimal::Decimal,
}

#[test]
fn types_of_all_kinds_have_values_that_stay_the_same() {
    for seed in 0..100 {
        let value: Rich = Fake::new(seed).value().unwrap();
        assert_eq!(Fake::new(seed).value::<Rich>().unwrap(), value);
        assert!(value.parts.len() >= 2 && value.long.len() >= 200);
        Fake::new(seed).value::<Price>().unwrap();
    }
    // What a seed gives is part of a version: a change of it is told in the changelog.
    insta::assert_json_snapshot!(Fake::new(42).json(&Rich::contract()).unwrap());
}

#[instructor::model]
#[derive(PartialEq)]
#[response(validate = even)]
struct Even {
    #[schemars(range(max = 10))]
    number: u8,
}

fn even(value: &Even, _: &instructor::Context) -> Result<(), Issue> {
    if value.number.is_multiple_of(2) { Ok(()) } else { Err(Issue::at("number", "an even number")) }
}

#[instructor::model]
#[response(validate = never)]
struct Never {
    word: String,
}

fn never(_: &Never, _: &instructor::Context) -> Result<(), Issue> {
    Err(Issue::at("word", "another word"))
}

#[test]
fn functions_are_asked_and_an_end_is_found() {
    let all: BTreeSet<u8> = (0..40).map(|seed| Fake::new(seed).value::<Even>().unwrap().number).collect();
    assert!(all.len() > 3 && all.iter().all(|number| number % 2 == 0), "{all:?}");
    let error = Fake::new(1).value::<Never>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("another word"), "{error}");
    let endless = json!({ "$ref": "#/$defs/a", "$defs": { "a": {
        "type": "object", "properties": { "a": { "$ref": "#/$defs/a" } }, "required": ["a"] } } });
    let error = Fake::new(1).json(&Contract::from_schema(endless).unwrap()).unwrap_err();
    assert!(error.to_string().contains("no value that ends"), "{error}");
}

#[test]
fn an_invalid_value_breaks_one_constraint_and_tells_which() {
    let contract = Rich::contract();
    let schema = contract.schema();
    let referee = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let mut places = BTreeSet::new();
    for seed in 0..60 {
        let wrong = Fake::new(seed).invalid(&contract).unwrap();
        let issues = contract.check(wrong.value()).unwrap_err();
        assert_eq!(issues.as_slice(), [wrong.issue().clone()]);
        assert!(!referee.is_valid(wrong.value()) || wrong.issue().wanted().contains("to"), "{}", wrong.issue());
        places.insert(wrong.issue().path().to_string());
    }
    assert!(places.len() > 15, "{places:?}");
    let open = Contract::from_schema(json!({})).unwrap();
    assert_eq!(Fake::new(1).invalid(&open).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[instructor::model(partial)]
#[derive(Clone, PartialEq, serde::Serialize)]
struct Ticket {
    title: String,
    open: bool,
    labels: Vec<Label>,
    owner: Option<String>,
    size: (u32, u32),
    notes: BTreeMap<String, String>,
}

#[instructor::model(partial)]
#[derive(Clone, PartialEq, serde::Serialize)]
enum Label {
    Bug,
    Feature,
}

#[test]
fn a_fake_model_answers_in_every_protocol_and_mode() {
    let _ban = ban_network();
    let (mut whole, mut asked_again) = (BTreeSet::new(), 0);
    for spec in specs() {
        for mode in [Mode::Auto, Mode::Tools, Mode::Schema, Mode::Json, Mode::MdJson, Mode::ThinkThenShape] {
            let client = || Script::new().builder(&spec).transport(FakeModel::new()).mode(mode).build().unwrap();
            let told = |error: instructor::Error| format!("{spec} {mode}: {error:#}");
            let client = client();
            let (ticket, completion) = block_on(client.create_with_completion::<Ticket>("?")).map_err(told).unwrap();
            let calls = if mode == Mode::ThinkThenShape { 2 } else { 1 };
            // A dialect may not say that keys differ; then it is asked again.
            let again = completion.report.attempts().len() - calls;
            assert!(again <= 2, "{spec} {mode}");
            asked_again += usize::from(again > 0);
            assert!(completion.report.usage().output.is_some(), "{spec} {mode}");
            if mode == Mode::ThinkThenShape {
                continue;
            }
            let streamed = block_on(async {
                let mut stream = client.request("?").create_partial::<Ticket>().await?;
                let mut seen = 0;
                while stream.next().await.is_some() {
                    seen += 1;
                }
                let (value, completion) = stream.finish_with_completion().await?;
                let mode = completion.report.attempts().last().map(|attempt| attempt.mode);
                Ok(((value, mode), seen))
            });
            let (last, seen) = streamed.map_err(told).unwrap();
            // Where a mode can't be streamed the answer comes whole.
            assert!(seen > 0, "{spec} {mode}");
            if seen == 1 {
                whole.insert(spec.clone());
            }
            // And where another is taken for it, the value is another.
            if again == 0 && completion.report.attempts().last().map(|attempt| attempt.mode) == last.1 {
                assert_eq!(last.0, ticket, "{spec} {mode}");
            }
        }
    }
    assert!(whole.len() <= 2 && asked_again <= 20, "{whole:?} {asked_again}");
}

#[test]
fn several_calls_and_items_come_too() {
    let client = from_provider("fake/7").unwrap();
    let calls: Vec<Shape> = block_on(client.request("?").mode(Mode::ParallelTools).create()).unwrap();
    assert!(!calls.is_empty());
    let items: Vec<Ticket> = block_on(async {
        let mut stream = client.request("?").create_iterable::<Ticket>().await.unwrap();
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            items.push(item.unwrap());
        }
        items
    });
    let whole: Vec<Ticket> = block_on(client.create("?")).unwrap();
    assert_eq!(items.len(), whole.len());
}

#[test]
fn a_spec_is_enough_to_run_offline() {
    let _ban = ban_network();
    let ask = |spec: &str, prompt: &str| block_on(from_provider(spec).unwrap().create::<Ticket>(prompt)).unwrap();
    let one = ask("fake/1", "Where?");
    assert_eq!(ask("fake/1", "Where?"), one);
    assert_ne!(ask("fake/2", "Where?"), one);
    assert_ne!(ask("fake/1", "When?"), one);
    assert_eq!(blocking::from_provider("fake/1").unwrap().create::<Ticket>("Where?").unwrap(), one);
    let client = from_provider("fake/1").unwrap();
    assert!(client.profile().is_fake());

    // All constraints are seen there.
    for seed in 0..30 {
        let client: Client = from_provider(&format!("fake/{seed}")).unwrap();
        let (_, completion) = block_on(client.create_with_completion::<Rich>("?")).unwrap();
        assert_eq!(completion.report.attempts().len(), 1, "{seed}: {:?}", completion.report);
    }
}

#[test]
fn settings_of_a_fake_model_are_read_or_refused() {
    let client = from_provider("fake/3?invalid=1").unwrap();
    let error = block_on(client.request("?").max_retries(2).create::<Ticket>()).unwrap_err();
    assert_eq!(error.report().attempts().len(), 3);
    let client = from_provider("fake/3?invalid=0.5&delta=2").unwrap();
    let healed = (0..20).filter(|n| {
        let (_, completion) =
            block_on(client.request(format!("{n}")).max_retries(20).create_with_completion::<Ticket>()).unwrap();
        completion.report.attempts().len() > 1
    });
    let healed = healed.count();
    assert!((4..=18).contains(&healed), "{healed}");
    let error = block_on(from_provider("fake/3?latency=1").unwrap().create::<Ticket>("?")).unwrap_err();
    assert!(error.to_string().contains("fake/42?invalid=0.2"), "{error}");
}
