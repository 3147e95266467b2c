//! Typed partials: what shows while an answer arrives, in every dialect's form, for all kinds of types.

mod random;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use instructor::schema::Dialect;
use instructor::{Field, Foreign, Level, Partial, PartialReader, ResponseModel};
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
pub(crate) fn extends(earlier: &Value, later: &Value) -> bool {
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

/// Turns the members of objects around, so that names of variants come last.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect(),
        Value::Array(list) => list.iter().map(turned).collect(),
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

/// Only what a response model has to be.
mod bare {
    use instructor::{Partial, ResponseModel};
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial)]
    pub(super) struct Bare {
        pub(super) kind: Kind,
        #[response(whole)]
        pub(super) whole: Option<Whole>,
        pub(super) inner: Option<Box<Self>>,
        #[serde(skip)]
        _skipped: std::cell::Cell<u8>,
        pub(super) pair: (Transparent, Unit),
        pub(super) converted: Converted,
        pub(super) chosen: Vec<Chosen>,
    }

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial, PartialEq)]
    pub(super) enum Kind {
        One,
        Two,
    }

    #[derive(Deserialize, JsonSchema)]
    pub(super) struct Whole {
        pub(super) a: u8,
    }

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial)]
    #[serde(transparent)]
    pub(super) struct Transparent {
        _text: String,
    }

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial)]
    pub(super) struct Unit;

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial)]
    #[serde(from = "String")]
    #[schemars(with = "String")]
    pub(super) struct Converted(pub(super) usize);

    impl From<String> for Converted {
        fn from(text: String) -> Self {
            Self(text.len())
        }
    }

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial)]
    pub(super) enum Chosen {
        Known(u8),
        Pair {
            _a: u8,
            _b: [Sized<2>; 1],
        },
        #[serde(skip)]
        _Never(std::cell::Cell<u8>),
    }

    #[derive(Deserialize, JsonSchema, ResponseModel, Partial)]
    pub(super) struct Sized<const N: usize> {
        _list: Vec<u8>,
    }
}

#[test]
fn other_forms() {
    let mut reader = PartialReader::<bare::Bare>::new();
    let text = r#"{"kind": "Two", "whole": {"a": 1}, "inner": {"kind": "One"}, "pair": ["tt", null], "converted": "abc",
        "chosen": [{"Known": 7}, {"Pair": {"_a": 1, "_b": [{"_list": [1]}]}}, {"_Never": 1}]"#;
    reader.push(text).unwrap();
    let bare = reader.value().get().unwrap();
    assert!(*bare.kind.as_deref().unwrap() == bare::Kind::Two);
    assert_eq!(bare.whole.as_deref().unwrap().as_ref().unwrap().a, 1);
    assert!(bare.inner.get().unwrap().as_ref().unwrap().kind.is_done());
    assert_eq!(bare.converted.as_deref().unwrap().0, 3);
    let shown = serde_json::to_value(bare).unwrap();
    assert_eq!(shown["pair"], json!(["tt", null]));
    assert_eq!(shown["chosen"], json!([{ "Known": 7 }, { "Pair": { "_a": 1, "_b": [{ "_list": [1] }] } }, null]));
}

#[instructor::model(partial)]
struct Gated {
    before: String,
    #[response(required)]
    id: u32,
    #[response(required)]
    kind: Color,
    after: Vec<String>,
}

#[test]
fn nothing_shows_before_what_is_required() {
    grows::<Gated>([json!({ "before": "b", "id": 1, "kind": "Red", "after": ["a", "b"] })]);
    grows::<Vec<Gated>>([json!([{ "before": "b", "id": 1, "kind": "Red", "after": [] }])]);
    let mut reader = PartialReader::<Gated>::new();
    reader.push(r#"{"before": "b", "kind": "Red", "after": ["a"], "id": 1"#).unwrap();
    assert!(reader.value().is_pending());
    reader.push(r#"2, "after": ["x", "y"#).unwrap();
    let gated = reader.value().get().unwrap();
    assert_eq!((gated.before.as_deref(), gated.id.done()), (Some("b"), Some(&12)));
    let after: Vec<_> = gated.after.get().unwrap().iter().map(Field::as_deref).collect();
    assert_eq!(after, [Some("x"), Some("y")]);

    // What is left out can't be waited for.
    let mut reader = PartialReader::<Vec<Gated>>::new();
    reader.push(r#"[{"before": "b"}, "#).unwrap();
    assert_eq!(reader.value().get().unwrap()[0].done().unwrap().before.as_deref(), Some("b"));
}

/// What does not fit shows nothing, and nothing fails for it.
#[test]
fn what_does_not_fit_stays_pending() {
    let mut reader = PartialReader::<Enums>::new();
    let text = r#"{"color": {"Red": 1}, "maybe": "Green", "external": [{"one": [1]}, {"other": 1}, "one", 1, {}],
        "internal": [{"kind": "unknown", "at": 1}, {"at": 2}, {"kind": 1}, "started", {"kind": "started", "at": "1"}],
        "adjacent": [{"t": "Pair", "c": {"a": 1}}, {"t": "Tree", "c": "x"}, {"c": 1}], "untagged": [true, null]}"#;
    reader.push(text).unwrap();
    reader.end();
    let shown = serde_json::to_value(reader.value()).unwrap();
    let wanted = json!({
        "external": [{ "one": null }, null, null, null, null],
        "internal": [null, null, null, null, { "kind": "started" }],
        "adjacent": [{ "t": "Pair", "c": null }, { "t": "Tree", "c": null }, null],
        "untagged": [null, null],
    });
    assert_eq!(shown, wanted);

    let mut reader = PartialReader::<Scalars>::new();
    let text =
        r#"{"text": ["a"], "flag": "true", "letter": "ab", "small": 256, "large": 1.5, "real": "1", "none": "x"}"#;
    reader.push(text).unwrap();
    reader.end();
    assert_eq!(serde_json::to_value(reader.value()).unwrap(), json!({}));
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    let mut reader = PartialReader::<Scalars>::new();
    reader.push(r#"{"text": "a", "small": 1, "text": "b", "small": "x""#).unwrap();
    let value = reader.value().get().unwrap();
    assert_eq!((value.text.as_deref(), value.small), (Some("b"), Field::Pending));
    let mut reader = PartialReader::<BTreeMap<String, Vec<u8>>>::new();
    reader.push(r#"{"a": [1, 2], "b": [3], "a": [4, "#).unwrap();
    let map = reader.value().get().unwrap();
    assert_eq!(map.get("a").unwrap().get(), Some(&vec![Field::Done(4)]));
    assert_eq!(map.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["a", "b"]);
}

/// Which of several values in a text shows, after each piece of it.
#[test]
fn of_several_values_the_last_shows() {
    let shows = |pieces: &[(&str, Value)]| {
        let mut reader = PartialReader::<Tree>::at_level(Level::Lenient);
        for (piece, wanted) in pieces {
            reader.push(piece).unwrap();
            assert_eq!(serde_json::to_value(reader.value()).unwrap(), *wanted, "{piece} of {pieces:?}");
        }
    };
    let (a, b) = (json!({ "name": "a" }), json!({ "name": "b" }));
    shows(&[("{\"name\": \"a\"}\n", a.clone()), ("{\"name\": \"b\",", b.clone())]);
    shows(&[("Draft: {\"name\": \"a\"}\n", a.clone()), ("```json\n{\"name\": \"b\"}\n``", b.clone())]);
    shows(&[("```json\n{\"name\": \"a\"}\n```\n", a.clone()), ("Not {\"name\": \"b\"}, ", a.clone())]);
    shows(&[("{\"name\": \"a\"} and [1", a.clone()), ("] or (2) ", a.clone())]);
    shows(&[("{\"name\": \"a\"}\n", a), ("</think>", Value::Null), ("{\"name\": \"b\"}", b)]);
}

#[test]
fn what_the_end_of_the_text_cuts_stays_open() {
    let mut reader = PartialReader::<Tree>::new();
    reader.push(r#"{"name": "a", "children": [{"name": "b"#).unwrap();
    let before = format!("{:?}", reader.value());
    reader.end();
    assert_eq!(format!("{:?}", reader.value()), before);
    assert!(reader.value().is_open());
}

/// Twice the text is at most twice the work, whatever is held back or lifted, also one character at a time.
#[test]
fn work_is_linear() {
    fn steps<T: ResponseModel + Partial>(dialect: Dialect, value: &Value) -> (usize, u64) {
        let contract = T::contract();
        let report = contract.report(dialect);
        let text = report.lowered().unwrap().encode_json(&value.to_string()).unwrap_or_else(|| value.to_string());
        let mut reader = PartialReader::<T>::of_dialect(dialect);
        for (at, c) in text.char_indices() {
            reader.push(&text[at..at + c.len_utf8()]).unwrap();
        }
        (text.len(), reader.steps())
    }
    fn linear<T: ResponseModel + Partial>(value: impl Fn(usize) -> Value) {
        for dialect in [Dialect::Plain, Dialect::OpenAi, Dialect::Anthropic] {
            let (bytes, once) = steps::<T>(dialect, &value(200));
            let (more, often) = steps::<T>(dialect, &value(1600));
            let (least, most) = (once as f64 / bytes as f64, often as f64 / more as f64);
            assert!(most <= least * 1.1 + 1.0, "{dialect}: {least} steps a byte, then {most}");
        }
    }
    let tree = json!({ "name": "tt", "weight": 1, "children": [{ "name": "u", "weight": null, "children": [] }] });
    linear::<String>(|n| json!("a\n".repeat(n)));
    linear::<Vec<u32>>(|n| json!(vec![7; n]));
    linear::<BTreeMap<String, String>>(|n| (0..n).map(|n| (n.to_string(), json!("x"))).collect());
    linear::<Vec<Tree>>(|n| json!(vec![tree.clone(); n]));
    linear::<Vec<Internal>>(|n| json!(vec![turned(&json!({ "kind": "moved", "to": [1, 2], "note": "n" })); n]));
    linear::<Internal>(|n| {
        let tags: Value = (0..n).map(|n| (n.to_string(), json!("x"))).collect();
        json!({ "tags": tags, "kind": "tagged" })
    });
    linear::<Untagged>(|n| json!(vec!["text"; n]));
    linear::<Value>(|n| json!({ "a": vec![json!({ "b": [1, "x"] }); n] }));
}
