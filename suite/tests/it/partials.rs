//! Typed partials: what shows while an answer arrives, in every dialect's form, for all kinds of types.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use instructor::schema::Dialect;
use instructor::{Field, Foreign, Partial, PartialReader, ResponseModel};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

/// What shows after each character of a text.
fn states<T: ResponseModel + Partial>(mut reader: PartialReader<T>, text: &str) -> Vec<Value> {
    let mut states = Vec::new();
    for (at, c) in text.char_indices() {
        let before = states.last().cloned().unwrap_or_default();
        let changed = reader.push(&text[at..at + c.len_utf8()]).unwrap();
        let state = serde_json::to_value(reader.value()).unwrap();
        assert!(changed || state == before, "a change is told of: {text}");
        states.push(state);
    }
    reader.end();
    assert!(reader.value().is_done(), "{text}");
    states.push(serde_json::to_value(reader.value()).unwrap());
    states
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

/// As a value reads that has no absent members: null and absent are the same for the types of these tests.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), plain(value))).collect()
        }
        Value::Array(list) => list.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// Everything that holds for a value of a type, in each dialect.
fn grows<T: ResponseModel + Partial + Serialize>(values: impl IntoIterator<Item = Value>) {
    for value in values {
        let typed: T = serde_json::from_value(value.clone()).unwrap();
        let canonical = serde_json::to_string(&typed).unwrap();
        let whole: Value = serde_json::from_str(&canonical).unwrap();
        for dialect in Dialect::ALL.iter().copied() {
            let contract = T::contract();
            let report = contract.report(dialect);
            let Some(lowered) = report.lowered() else { continue };
            let text = match lowered.encode_json(&canonical) {
                Some(text) => text,
                None if dialect == Dialect::Plain || dialect == Dialect::OpenAiLax => canonical.clone(),
                None => panic!("{dialect} {canonical}"),
            };
            let states = states(PartialReader::<T>::of_dialect(dialect), &text);
            for pair in states.windows(2) {
                assert!(extends(&pair[0], &pair[1]), "{dialect} {text}\n{}\n{}", pair[0], pair[1]);
            }
            let last = states.last().unwrap();
            assert_eq!(plain(last), plain(&whole), "{dialect} {text}");
            split::<T>(dialect, &text, &states);
        }
        // A model may answer in the type's own form whatever it was shown.
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            let states = states(PartialReader::<T>::of_dialect(dialect), &canonical);
            assert_eq!(plain(states.last().unwrap()), plain(&whole), "{dialect} {canonical}");
        }
    }
}

/// However a text is split, the same shows at the same bytes.
fn split<T: ResponseModel + Partial>(dialect: Dialect, text: &str, states: &[Value]) {
    for step in [2, 3, 7, 19, text.len().max(1)] {
        let mut reader = PartialReader::<T>::of_dialect(dialect);
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        for piece in chars.chunks(step) {
            reader.push(&piece.iter().collect::<String>()).unwrap();
            at += piece.len();
            let state = serde_json::to_value(reader.value()).unwrap();
            assert_eq!(state, states[at - 1], "{dialect} {text} in pieces of {step}");
        }
    }
}

#[instructor::model(partial)]
struct Scalars {
    text: String,
    flag: bool,
    letter: char,
    small: u8,
    large: i64,
    real: f64,
    maybe: Option<String>,
    none: Option<u32>,
}

#[test]
fn scalars() {
    grows::<Scalars>([
        json!({ "text": "a \"b\" \\ \n é \u{1F600}", "flag": true, "letter": "ß", "small": 255, "large": -9, "real": 0.5,
            "maybe": "x", "none": null }),
        json!({ "text": "", "flag": false, "letter": "\"", "small": 0, "large": 0, "real": 1.0, "maybe": null, "none": 3 }),
    ]);
    grows::<String>([json!("root \u{1F600}"), json!("")]);
    grows::<u8>([json!(7)]);
    grows::<Option<bool>>([json!(true)]);
}

#[instructor::model(partial)]
struct Lists {
    names: Vec<String>,
    numbers: VecDeque<u8>,
    set: HashSet<String>,
    pairs: Vec<(u32, String)>,
    fixed: [u8; 3],
    deep: Vec<Vec<Option<String>>>,
}

#[test]
fn lists() {
    grows::<Lists>([
        json!({ "names": ["a", "", "c"], "numbers": [1, 22, 3], "set": ["one"], "pairs": [[1, "a"], [2, "b"]],
            "fixed": [1, 2, 3], "deep": [["x", null], [], ["yy"]] }),
        json!({ "names": [], "numbers": [], "set": [], "pairs": [], "fixed": [0, 0, 0], "deep": [] }),
    ]);
    grows::<Vec<Scalars>>([json!([])]);
    grows::<Vec<Tree>>([json!([{ "name": "a", "weight": 1, "children": [] }, { "name": "b", "children": [] }])]);
    grows::<(u32, Option<String>)>([json!([1, "a"]), json!([1, null])]);
}

#[instructor::model(partial)]
struct Maps {
    counts: BTreeMap<String, u32>,
    texts: BTreeMap<String, String>,
    trees: BTreeMap<String, Tree>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn maps() {
    grows::<Maps>([
        json!({ "counts": { "a": 1, "b c/\"": 22 }, "texts": { "key": "x", "value": "yy" },
            "trees": { "t": { "name": "n", "weight": null, "children": [] } }, "other": [1, { "deep": "text" }] }),
        json!({ "counts": {}, "texts": {}, "trees": {} }),
    ]);
    grows::<BTreeMap<String, Vec<String>>>([json!({ "a": ["x", "y"], "b": [] }), json!({})]);
}

#[instructor::model(partial)]
struct Tree {
    name: String,
    weight: Option<u8>,
    children: Vec<Tree>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<Box<Tree>>,
}

#[test]
fn recursive() {
    let leaf = json!({ "name": "leaf", "weight": 1, "children": [] });
    let deep = (0..7)
        .fold(leaf.clone(), |inner, n| json!({ "name": format!("n{n}"), "children": [inner, leaf], "best": leaf }));
    grows::<Tree>([leaf, deep]);
}

#[instructor::model(partial)]
#[serde(rename_all = "camelCase")]
struct Named {
    first_name: String,
    #[serde(rename = "odd key", alias = "other key")]
    odd: String,
    r#type: Newtype,
    point: Point,
    #[serde(flatten)]
    extra: Extra,
    #[serde(flatten)]
    more: Extra2,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    patch: Option<Option<String>>,
}

fn double<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[instructor::model(partial)]
struct Newtype(String);

#[instructor::model(partial)]
struct Point(i32, i32);

#[instructor::model(partial)]
struct Extra {
    a: String,
    b: Vec<u8>,
}

#[instructor::model(partial)]
struct Extra2 {
    c: Option<String>,
    #[serde(flatten)]
    inside: Extra3,
}

#[instructor::model(partial)]
struct Extra3 {
    d: String,
    e: bool,
}

#[test]
fn names_and_flattened() {
    let value = json!({ "firstName": "A", "odd key": "B", "type": "T", "point": [1, -2], "a": "aa", "b": [1, 2], "c": "cc",
        "d": "dd", "e": true, "patch": "p" });
    grows::<Named>([value.clone()]);
    let mut reader = PartialReader::<Named>::new();
    reader.push(r#"{"other key": "B", "d": "x"#).unwrap();
    let named = reader.value().get().unwrap();
    assert_eq!(named.odd.done().map(|s| &**s), Some("B"), "an alias is a name");
    assert_eq!(named.more.get().unwrap().inside.get().unwrap().d, Field::Open("x".into()));
}

#[instructor::model(partial)]
struct Wrapper<T> {
    value: T,
    list: Vec<T>,
    #[response(whole)]
    whole: Option<T>,
    name: String,
}

#[test]
fn generic() {
    grows::<Wrapper<String>>([json!({ "value": "v", "list": ["a", "b"], "whole": "w", "name": "n" })]);
    grows::<Wrapper<Point>>([json!({ "value": [1, 2], "list": [], "whole": null, "name": "n" })]);
}

#[instructor::model(partial)]
struct Attributes {
    #[response(whole)]
    took: Duration,
    foreign: Foreign<Duration>,
    #[response(done)]
    title: String,
    #[response(done)]
    tree: Tree,
    open: String,
}

#[test]
fn attributes() {
    grows::<Attributes>([
        json!({ "took": { "secs": 1, "nanos": 2 }, "foreign": { "secs": 3, "nanos": 4 }, "title": "tt",
        "tree": { "name": "t", "children": [{ "name": "u", "children": [] }] }, "open": "oo" }),
    ]);
    let mut reader = PartialReader::<Attributes>::new();
    reader.push(r#"{"open": "o", "title": "t", "tree": {"name": "x", "children": ["#).unwrap();
    let value = reader.value().get().unwrap();
    assert!(value.title.is_done() && value.tree.is_pending());
    reader.push(r#"]}, "took": {"secs": 1, "nanos": 0}, "title": "u"#).unwrap();
    let value = reader.value().get().unwrap();
    assert!(value.title.is_pending(), "of duplicate keys, the last counts");
    assert_eq!(value.tree.done().unwrap().name.as_deref(), Some("x"));
    assert_eq!(value.took.as_deref(), Some(&Duration::from_secs(1)));
}

#[instructor::model(partial)]
enum Color {
    Red,
    #[serde(rename = "dark blue", alias = "navy")]
    Blue,
}

#[instructor::model(partial)]
#[serde(rename_all = "snake_case")]
enum External {
    Nothing,
    One(Tree),
    Text(String),
    Two(u8, String),
    Named {
        first: String,
        #[serde(rename = "2nd")]
        second: Option<Color>,
    },
}

#[instructor::model(partial)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Started { at: u32 },
    Moved { to: (i32, i32), note: Option<String> },
    Tagged { tags: BTreeMap<String, String> },
    Nested(Tree),
    Inner(Inner),
    Ended,
}

#[instructor::model(partial)]
#[serde(tag = "type")]
enum Inner {
    A { text: String },
    B,
}

#[instructor::model(partial)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Text(String),
    Tree(Tree),
    Pair(u8, String),
    Named { text: String },
}

#[instructor::model(partial)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    List(Vec<String>),
    Named { first: String },
    Tree(Tree),
}

#[instructor::model(partial)]
struct Enums {
    color: Color,
    maybe: Option<Color>,
    external: Vec<External>,
    internal: Vec<Internal>,
    adjacent: Vec<Adjacent>,
    untagged: Vec<Untagged>,
    #[serde(flatten)]
    event: Internal,
    #[serde(flatten)]
    way: Way,
}

#[instructor::model(partial)]
enum Way {
    North { far: u8 },
    South { far: u8 },
}

#[test]
fn enums() {
    let tree = json!({ "name": "tt", "weight": 1, "children": [{ "name": "u", "children": [] }] });
    let mut inner = tree.clone();
    inner["kind"] = json!("nested");
    let external = [
        json!("nothing"),
        json!({ "one": tree }),
        json!({ "text": "some text" }),
        json!({ "two": [2, "two"] }),
        json!({ "named": { "first": "f", "2nd": "dark blue" } }),
    ];
    let internal = [
        json!({ "kind": "started", "at": 12 }),
        json!({ "kind": "moved", "to": [1, -1], "note": "note" }),
        json!({ "kind": "tagged", "tags": { "a": "b", "kind": "c" } }),
        inner,
        json!({ "kind": "inner", "type": "A", "text": "tt" }),
        json!({ "kind": "inner", "type": "B" }),
        json!({ "kind": "ended" }),
    ];
    let adjacent = [
        json!({ "t": "Unit" }),
        json!({ "t": "Text", "c": "some text" }),
        json!({ "t": "Tree", "c": tree }),
        json!({ "t": "Pair", "c": [1, "two"] }),
        json!({ "t": "Named", "c": { "text": "tt" } }),
    ];
    let untagged = [json!(1), json!("text"), json!(["a", "b"]), json!({ "first": "f" }), tree];
    grows::<Color>([json!("Red"), json!("dark blue")]);
    grows::<External>(external.clone());
    grows::<Internal>(internal.clone());
    grows::<Adjacent>(adjacent.clone());
    grows::<Untagged>(untagged.clone());
    grows::<Vec<Internal>>([json!(internal)]);
    grows::<Enums>([json!({ "color": "Red", "maybe": "dark blue", "external": external, "internal": internal,
        "adjacent": adjacent, "untagged": untagged, "kind": "moved", "to": [1, 2], "note": "n", "North": { "far": 1 } })]);
}

#[test]
fn a_variant_shows_when_it_is_known() {
    let mut reader = PartialReader::<Internal>::new();
    reader.push(r#"{"to": [1, 2], "kind": "moved"#).unwrap();
    assert!(reader.value().is_pending());
    reader.push(r#"", "note": "so f"#).unwrap();
    let Some(PartialInternal::Moved(moved)) = reader.value().get() else { panic!("{:?}", reader.value()) };
    let moved = moved.get().unwrap();
    assert_eq!(moved.note.get().and_then(Option::as_deref), Some("so f"));
    assert_eq!(moved.to.done(), Some(&(Field::Done(1), Field::Done(2))), "what came before the name");

    let mut reader = PartialReader::<External>::new();
    reader.push(r#"{"named": {"first": "x"#).unwrap();
    let Some(PartialExternal::Named(named)) = reader.value().get() else { panic!("{:?}", reader.value()) };
    assert_eq!(named.get().unwrap().first.as_deref(), Some("x"));

    let mut reader = PartialReader::<Vec<Color>>::new();
    reader.push(r#"["Red", "navy", "dark"#).unwrap();
    let colors = reader.value().get().unwrap();
    let known: Vec<Option<&Color>> = colors.iter().map(Field::as_deref).collect();
    assert!(matches!(known[..], [Some(Color::Red), Some(Color::Blue), None]), "{known:?}");
}
