//! Which types can be asked for: each goes through every mode and comes back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

use instructor::testing::{Reply, Script};
use instructor::{Context, Contract, ErrorKind, Foreign, Issue, Level, Mode, ResponseModel};
use serde_json::{Value, json};

const SPECS: [&str; 3] = ["openai/gpt-5-mini", "groq/llama-3.3-70b", "anthropic/claude-haiku-4-5"];

/// Asks for a value in every mode of every provider and compares what comes out.
#[track_caller]
fn comes_back<T: ResponseModel + PartialEq + Debug>(wire: Value, value: &T) {
    for spec in SPECS {
        for mode in [Mode::Auto, Mode::Tools, Mode::Json, Mode::MdJson] {
            let script = Script::new().reply(Reply::value(wire.clone()));
            let client = script.client(spec);
            let got: T =
                script.block_on(client.request("x").mode(mode).max_retries(0).create()).unwrap_or_else(|error| {
                    panic!("{spec} {mode}: {error}: {}", error.issues());
                });
            assert_eq!(&got, value, "{spec} {mode}");
        }
    }
}

#[instructor::model]
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Color {
    Red,
    #[serde(rename = "dark green")]
    Green,
}

#[instructor::model]
#[derive(PartialEq)]
enum Shape {
    Empty,
    Circle { radius: f64 },
    Square(f64),
    Line(i32, i32),
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Event {
    Opened { by: String },
    Closed,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Name(String),
}

#[instructor::model]
#[derive(PartialEq)]
struct Tree {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Renamed {
    first_name: String,
    #[serde(alias = "years")]
    age_in_years: u8,
    #[serde(flatten)]
    more: More,
}

#[instructor::model]
#[derive(PartialEq)]
struct More {
    note: Option<String>,
}

#[test]
fn scalars_and_their_containers() {
    comes_back(json!(7), &7u8);
    comes_back(json!(-7), &-7i64);
    comes_back(json!(0.25), &0.25f64);
    comes_back(json!(true), &true);
    comes_back(json!("words, \"quoted\""), &String::from("words, \"quoted\""));
    comes_back(json!("x"), &'x');
    comes_back(json!([1, 2]), &vec![1u8, 2]);
    comes_back(json!(null), &None::<u8>);
    comes_back(json!(5), &Some(5u8));
    comes_back(json!([1, 2]), &BTreeSet::from([1u8, 2]));
    comes_back(json!(["a"]), &HashSet::from([String::from("a")]));
    comes_back(json!({ "a": 1 }), &BTreeMap::from([(String::from("a"), 1u8)]));
    comes_back(json!({ "a": [true] }), &HashMap::from([(String::from("a"), vec![true])]));
    comes_back(json!([1, "b", false]), &(1u8, String::from("b"), false));
    comes_back(json!(3), &Box::new(3i32));
    comes_back(json!({ "any": [1, null] }), &json!({ "any": [1, null] }));
    comes_back(json!({ "secs": 3, "nanos": 5 }), &Foreign(std::time::Duration::new(3, 5)));
}

#[test]
fn enums_of_every_kind() {
    comes_back(json!("Red"), &Color::Red);
    comes_back(json!(["dark green"]), &vec![Color::Green]);
    comes_back(json!("Empty"), &Shape::Empty);
    comes_back(json!({ "Circle": { "radius": 1.5 } }), &Shape::Circle { radius: 1.5 });
    comes_back(json!({ "Square": 2.5 }), &Shape::Square(2.5));
    comes_back(json!({ "Line": [1, 2] }), &Shape::Line(1, 2));
    comes_back(json!({ "kind": "opened", "by": "me" }), &Event::Opened { by: "me".into() });
    comes_back(json!({ "kind": "closed" }), &Event::Closed);
    comes_back(json!(7), &Id::Number(7));
    comes_back(json!("seven"), &Id::Name("seven".into()));
}

#[test]
fn serde_attributes_rule() {
    let leaf = |name: &str| Tree { name: name.into(), children: vec![], parent: None };
    let tree = Tree { children: vec![leaf("b"), leaf("c")], parent: Some(Box::new(leaf("d"))), ..leaf("a") };
    comes_back(
        json!({ "name": "a", "children": [{ "name": "b", "parent": null }, { "name": "c", "children": [] }], "parent": { "name": "d" } }),
        &tree,
    );
    let renamed = Renamed { first_name: "Ada".into(), age_in_years: 36, more: More { note: None } };
    comes_back(json!({ "firstName": "Ada", "ageInYears": 36 }), &renamed);
}

/// A person.
#[instructor::model]
#[response(validate = no_twins, validate = known)]
struct Person {
    /// Full name.
    #[response(validate = capital)]
    name: String,
    #[schemars(range(min = 0, max = 150))]
    age: u8,
    children: Vec<Person>,
}

struct Names(Vec<&'static str>);

fn capital(name: &str) -> Result<(), String> {
    if name.starts_with(char::is_uppercase) { Ok(()) } else { Err("a name with a capital".into()) }
}

fn no_twins(person: &Person) -> Result<(), Issue> {
    let ages: HashSet<u8> = person.children.iter().map(|c| c.age).collect();
    if ages.len() == person.children.len() { Ok(()) } else { Err(Issue::at("children", "children of different ages")) }
}

fn known(person: &Person, context: &Context) -> Result<(), Issue> {
    match context.get::<Names>() {
        Some(Names(names)) if !names.contains(&person.name.as_str()) => {
            Err(Issue::at("name", "a known name").got(format!("{:?}", person.name)))
        }
        _ => Ok(()),
    }
}

fn person(name: &str, age: u32, children: &[Value]) -> Value {
    json!({ "name": name, "age": age, "children": children })
}

#[test]
fn validators_run_on_the_whole_tree_with_paths_and_context() {
    let bad = person("Ada", 36, &[person("bo", 3, &[]), person("Cy", 3, &[])]);
    let script = Script::new().when(|_| true, Reply::value(bad));
    let client = script.client(SPECS[0]);
    let context = Context::new().with(Names(vec!["Ada", "bo"]));
    let error = script.block_on(client.request("x").context(context).create::<Person>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let mut told: Vec<String> = error.issues().as_slice().iter().map(ToString::to_string).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "$.children: wanted children of different ages",
            "$.children[0].name: wanted a name with a capital",
            "$.children[1].name: got \"Cy\", wanted a known name",
        ]
    );
}

#[test]
fn schema_and_validators_speak_together() {
    let bad = person("ada", 200, &[]);
    let script = Script::new().when(|_| true, Reply::value(bad));
    let error = script.block_on(script.client(SPECS[0]).create::<Person>("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    let told = error.issues().to_string();
    assert!(told.contains("$.age: got 200") && told.contains("$.name: wanted a name with a capital"), "{told}");
}

#[test]
fn what_only_the_type_knows_has_a_path_too() {
    /// The schema takes any string; the type does not.
    #[derive(Debug, instructor::serde::Deserialize, instructor::schemars::JsonSchema, instructor::ResponseModel)]
    #[serde(crate = "instructor::serde")]
    #[schemars(crate = "instructor::schemars")]
    struct Host {
        #[schemars(with = "Vec<String>")]
        addresses: Vec<std::net::Ipv4Addr>,
    }
    let script = Script::new()
        .reply(Reply::value(json!({ "addresses": ["10.0.0.1", "ten"] })))
        .reply(Reply::value(json!({ "addresses": ["10.0.0.1"] })));
    let (host, completion) = script.block_on(script.client(SPECS[1]).create_with_completion::<Host>("x")).unwrap();
    assert_eq!(host.addresses.len(), 1);
    let issue = completion.report.attempts()[0].issues.as_slice()[0].clone();
    assert_eq!(issue.path().as_str(), "$.addresses[1]");
    assert!(issue.to_string().contains("IPv4"), "{issue}");
}

#[test]
fn contracts_are_built_once_and_keep_order_and_words() {
    let contract = Person::contract();
    assert!(std::ptr::eq(contract.schema(), Person::contract().schema()));
    assert_eq!((contract.name(), contract.description()), ("Person", Some("A person.")));
    let properties: Vec<_> = contract.schema()["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(properties, ["name", "age", "children"]);
    assert_eq!(contract.schema()["properties"]["name"]["description"], "Full name.");
    assert!(contract.check(&person("Ada", 36, &[])).is_ok());
    assert_eq!(contract.check(&person("Ada", 151, &[])).unwrap_err().as_slice().len(), 1);
}

#[test]
fn a_run_time_schema_is_answered_as_a_value() {
    let contract = Contract::from_schema(json!({
        "title": "Ticket", "type": "object",
        "properties": { "tags": { "type": "array", "items": { "enum": ["bug", "idea"] } } },
        "required": ["tags"],
    }))
    .unwrap();
    let script =
        Script::new().reply(Reply::value(json!({ "tags": ["bugs"] }))).reply(Reply::value(json!({ "tags": ["bug"] })));
    let value = script.block_on(script.client(SPECS[2]).create_value(&contract, "it broke")).unwrap();
    assert_eq!(value, json!({ "tags": ["bug"] }));
    let again = script.sent()[1].json().to_string();
    assert!(again.contains("$.tags[0]") && again.contains("nearest allowed value"), "{again}");
}

#[test]
fn keywords_beyond_go_to_the_full_validator() {
    let schema =
        json!({ "type": "object", "$dynamicRef": "#x", "$defs": { "x": { "$dynamicAnchor": "x", "type": "object" } } });
    let contract = Contract::from_schema(schema).unwrap();
    assert!(contract.check(&json!({})).is_ok());
    let issues = contract.check(&json!(7)).unwrap_err();
    assert!(issues.to_string().contains("object"), "{issues}");
    assert_eq!(Contract::from_schema(json!([1])).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn wrapped_roots_are_told_their_paths_as_the_model_sees_them() {
    let script = Script::new().reply(Reply::value(json!([1, "two"]))).reply(Reply::value(json!([1, 2])));
    let list: Vec<u8> = script.block_on(script.client(SPECS[1]).create("x")).unwrap();
    assert_eq!(list, [1, 2]);
    assert!(script.sent()[1].json().to_string().contains("$.value[1]: got"));
}

#[instructor::model]
#[derive(PartialEq)]
struct Paint {
    #[serde(alias = "colour", alias = "tint")]
    color: Shade,
    coats: u8,
    tags: Vec<String>,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(rename_all = "snake_case")]
enum Shade {
    DarkRed,
    #[serde(alias = "blau")]
    Blue,
}

fn paint(text: &str, level: Level) -> Result<(Paint, Vec<&'static str>), instructor::Error> {
    let script = Script::new().when(|_| true, Reply::text(text));
    let client = script.client(SPECS[1]);
    let request = client.request("x").level(level).max_retries(0);
    let (paint, completion) = script.block_on(request.create_with_completion::<Paint>())?;
    Ok((paint, completion.report.attempts()[0].repairs.iter().map(|repair| repair.kind).collect()))
}

#[test]
fn answers_are_read_and_aligned_as_far_as_the_level_allows() {
    let red = |coats| Paint { color: Shade::DarkRed, coats, tags: vec![String::from("x")] };
    let text = "Here you go:\n```json\n{'colour': 'Dark Red', \"coats\": \"2\", tags: \"x\",}\n```";
    let (paint_, kinds) = paint(text, Level::Syntax).unwrap();
    assert_eq!(paint_, red(2));
    for kind in [
        "SingleQuoted",
        "UnquotedKey",
        "TrailingComma",
        "KeyAlias",
        "EnumPunctuation",
        "StringToNumber",
        "SingleToList",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    assert_eq!(paint(text, Level::Strict).unwrap_err().kind(), ErrorKind::Malformed);
    let (blue, kinds) = paint(r#"{"tint":"blau","coats":1,"tags":[]}"#, Level::Syntax).unwrap();
    assert_eq!((blue.color, kinds.contains(&"EnumAlias")), (Shade::Blue, true));
    // A key in another case may be another key: that is a guess.
    let guessed = r#"{"Color":"blue","coats":1,"tags":[]}"#;
    assert_eq!(paint(guessed, Level::Syntax).unwrap_err().kind(), ErrorKind::SchemaMismatch);
    assert_eq!(paint(guessed, Level::Lenient).unwrap().1, ["KeyFuzzy"]);
    // What fits as it is is not touched.
    assert!(paint(r#"{"color":"blue","coats":1,"tags":["a"]}"#, Level::Lenient).unwrap().1.is_empty());
}

#[test]
fn local_keywords_are_not_sent() {
    let script = Script::new();
    let sent = script.client(SPECS[0]).request("x").preview::<Paint>().unwrap();
    assert!(!String::from_utf8_lossy(sent.body()).contains("x-"), "{sent}");
}
