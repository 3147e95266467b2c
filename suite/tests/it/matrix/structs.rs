//! Structs: fields that may be left out, flattened ones, and serde's attributes.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{read, types};

/// Absent and null are two things.
fn double<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Default, Clone)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Default)]
struct Options {
    number: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    list: Option<Vec<i32>>,
    point: Option<Point>,
    map: Option<BTreeMap<String, i32>>,
    any: Option<Vec<Value>>,
    nested: Option<Vec<Option<i32>>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Default)]
struct Patch {
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    count: Option<Option<i32>>,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    point: Option<Option<Point>>,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    list: Option<Option<Vec<i32>>>,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    map: Option<Option<BTreeMap<String, i32>>>,
}

/// The attribute marks double options by itself.
#[instructor::model]
#[derive(Serialize, PartialEq, Debug)]
struct ModelPatch {
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    name: Option<Option<String>>,
    #[serde(alias = "no", default)]
    number: i32,
}

fn seven() -> i32 {
    7
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Defaults {
    #[serde(default)]
    number: i32,
    #[serde(default = "seven", skip_serializing_if = "is_seven")]
    seven: i32,
    #[serde(default)]
    list: Vec<String>,
    #[serde(default)]
    point: Point,
    #[serde(default)]
    map: HashMap<String, i32>,
    #[serde(default)]
    maybe: Option<i32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_seven(n: &i32) -> bool {
    *n == 7
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(default)]
struct DefaultStruct {
    name: String,
    /// None means that there is none, and the default is that there is one.
    maybe: Option<i32>,
}

impl Default for DefaultStruct {
    fn default() -> Self {
        Self { name: String::from("n"), maybe: Some(1) }
    }
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Closed {
    a: i32,
    b: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatStruct {
    id: i32,
    #[serde(flatten)]
    point: Point,
    last: String,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatMap {
    id: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Vec<i32>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatAny {
    additional_properties: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatBoth {
    #[serde(flatten)]
    point: Point,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "kind")]
enum Kind {
    A { a: i32 },
    B { b: Vec<i32>, c: Option<String> },
    C,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatInternal {
    id: i32,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum Shape {
    Circle(f64),
    Square { side: f64 },
    Named(String, BTreeMap<String, i32>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatExternal {
    id: i32,
    #[serde(flatten)]
    shape: Shape,
    note: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    A(i32),
    B { b: String },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatAdjacent {
    id: i32,
    #[serde(flatten)]
    adjacent: Adjacent,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(untagged)]
enum Either {
    Left { left: i32 },
    Right { right: String },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatUntagged {
    id: i32,
    #[serde(flatten)]
    either: Either,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatOption {
    id: i32,
    #[serde(flatten)]
    point: Option<Point>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct FlatTwice {
    #[serde(flatten)]
    outer: FlatStruct,
    #[serde(flatten)]
    kind: Kind,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Skips {
    kept: i32,
    #[serde(skip)]
    skipped: i32,
    #[serde(skip_serializing)]
    read_only: Option<i32>,
    #[serde(skip_deserializing)]
    write_only: i32,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct TwoNames {
    #[serde(rename(serialize = "out", deserialize = "in"))]
    name: String,
    #[serde(alias = "old", alias = "older")]
    new: i32,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Newtype(i32);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct NewStruct(Point);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(transparent)]
struct Transparent {
    inner: Vec<Newtype>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct EmptyStruct {}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Tuple(i32, Option<String>, Vec<Point>);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct ShortTuple(i32, #[serde(default)] i32);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
struct Via(usize);

impl From<String> for Via {
    fn from(text: String) -> Self {
        Self(text.len())
    }
}

impl From<Via> for String {
    fn from(via: Via) -> Self {
        "x".repeat(via.0)
    }
}

impl Clone for Via {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Page<T, K: Ord> {
    items: Vec<T>,
    by_key: BTreeMap<K, T>,
    next: Option<Box<Page<T, K>>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Checked {
    #[schemars(range(min = 1, max = 5))]
    stars: u8,
    #[schemars(length(min = 1, max = 3))]
    tags: Vec<String>,
    #[schemars(regex(pattern = r"^[a-z]+-\d{2}$"))]
    code: String,
    #[schemars(length(equal = 2))]
    country: String,
    #[schemars(email)]
    mail: Option<String>,
    #[schemars(extend("exclusiveMinimum" = 0))]
    price: f64,
    #[schemars(inner(range(max = 9)))]
    digits: Vec<u8>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Described {
    /// The first of two.
    first: Point,
    /// The second of two.
    second: Point,
    /// Maybe a third.
    third: Option<Point>,
}

/// More properties that may be left out than Anthropic takes.
macro_rules! many {
    ($name:ident: $type:ty, $($field:ident)*) => {
        #[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Default)]
        struct $name { $($field: $type),* }
    };
}
many!(ManyOptions: Option<i32>, f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24
    f25 f26 f27 f28 f29 f30);
many!(ManyLists: Option<Vec<i32>>, f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23
    f24 f25 f26 f27 f28 f29 f30);
many!(ManyUnions: Mixed, f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20);

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Default)]
#[serde(untagged)]
#[schemars(inline)]
enum Mixed {
    #[default]
    Nothing,
    Number(i32),
    Text(String),
    List(Vec<i32>),
    Point(Point),
    Map(BTreeMap<String, Vec<i32>>),
}

fn point() -> Point {
    Point { x: 1, y: -1 }
}

fn text(text: &str) -> String {
    String::from(text)
}

fn map(key: &str, value: i32) -> BTreeMap<String, i32> {
    [(text(key), value)].into()
}

types! {
    options: Options = [
        Options::default(),
        Options { number: Some(0), text: Some(text("")), list: Some(vec![]), point: Some(point()), ..Options::default() },
        Options {
            list: Some(vec![1]), map: Some(map("a", 1)), any: Some(vec![Value::Null, serde_json::json!({ "a": 1 })]),
            nested: Some(vec![None, Some(1)]), ..Options::default()
        },
        Options { map: Some(BTreeMap::new()), nested: Some(vec![None]), any: Some(vec![]), ..Options::default() },
    ],
        told "a list of none or one says absence, so a list of one is its item";
    patch: Patch = [
        Patch::default(),
        Patch { name: Some(None), count: Some(None), point: Some(None), list: Some(None), map: Some(None) },
        Patch {
            name: Some(Some(text("n"))), count: Some(Some(1)), point: Some(Some(point())), list: Some(Some(vec![2])),
            map: Some(Some(map("k", 1))),
        },
        Patch { list: Some(Some(vec![])), map: Some(Some(BTreeMap::new())), ..Patch::default() },
    ], told "a list of none or one says absence, so a list of one is its item";
    model_patch: ModelPatch = [
        ModelPatch { name: None, number: 1 }, ModelPatch { name: Some(None), number: 0 },
        ModelPatch { name: Some(Some(text("n"))), number: -1 },
    ];
    defaults: Defaults = [
        Defaults { number: 0, seven: 7, list: vec![], point: Point::default(), map: HashMap::new(), maybe: None },
        Defaults {
            number: 1, seven: 8, list: vec![text("a")], point: point(), map: HashMap::from([(text("a"), 1)]), maybe: Some(2),
        },
    ];
    default_struct: DefaultStruct = [
        DefaultStruct::default(), DefaultStruct { name: text(""), maybe: None }, DefaultStruct { name: text("x"), maybe: Some(5) },
    ];
    closed: Closed = [Closed { a: 1, b: None }, Closed { a: 1, b: Some(text("b")) }];
    flat_struct: FlatStruct = [FlatStruct { id: 1, point: point(), last: text("l") }];
    flat_map: FlatMap = [
        FlatMap { id: text("i"), rest: BTreeMap::new() },
        FlatMap { id: text("i"), rest: [(text("z"), vec![1]), (text("a b"), vec![])].into() },
    ];
    flat_any: FlatAny = [
        FlatAny { additional_properties: text("x"), rest: Map::new() },
        FlatAny {
            additional_properties: text("x"),
            rest: serde_json::from_str(r#"{"z":{"a":[1,null]},"additional_properties_2":"text","a":"5"}"#).unwrap(),
        },
    ], told "a string is read as JSON text";
    flat_both: FlatBoth = [
        FlatBoth { point: point(), rest: BTreeMap::new() }, FlatBoth { point: point(), rest: [(text("k"), text("v"))].into() },
    ];
    flat_internal: FlatInternal = [
        FlatInternal { id: 1, kind: Kind::A { a: 2 } }, FlatInternal { id: 1, kind: Kind::B { b: vec![1], c: None } },
        FlatInternal { id: 1, kind: Kind::C },
    ];
    flat_external: FlatExternal = [
        FlatExternal { id: 1, shape: Shape::Circle(1.5), note: None },
        FlatExternal { id: 1, shape: Shape::Square { side: 2.0 }, note: Some(text("n")) },
        FlatExternal { id: 1, shape: Shape::Named(text("n"), map("m", 1)), note: None },
    ];
    flat_adjacent: FlatAdjacent = [
        FlatAdjacent { id: 1, adjacent: Adjacent::A(1) }, FlatAdjacent { id: 1, adjacent: Adjacent::B { b: text("b") } },
    ];
    flat_untagged: FlatUntagged = [
        FlatUntagged { id: 1, either: Either::Left { left: 1 } }, FlatUntagged { id: 1, either: Either::Right { right: text("r") } },
    ];
    flat_option: FlatOption = [FlatOption { id: 1, point: None }, FlatOption { id: 1, point: Some(point()) }];
    flat_twice: FlatTwice = [
        FlatTwice { outer: FlatStruct { id: 1, point: point(), last: text("l") }, kind: Kind::C, tags: vec![] },
        FlatTwice {
            outer: FlatStruct { id: 1, point: point(), last: text("l") }, kind: Kind::B { b: vec![], c: Some(text("c")) },
            tags: vec![text("t")],
        },
    ];
    newtype: Newtype = [Newtype(1)];
    new_struct: NewStruct = [NewStruct(point())];
    transparent: Transparent = [Transparent { inner: vec![] }, Transparent { inner: vec![Newtype(1), Newtype(2)] }];
    unit_struct: Unit = [Unit];
    empty_struct: EmptyStruct = [EmptyStruct {}];
    tuple_struct: Tuple = [Tuple(1, None, vec![]), Tuple(1, Some(text("x")), vec![point(), point()])];
    short_tuple: ShortTuple = [ShortTuple(1, 0), ShortTuple(1, 2)];
    via: Via = [Via(0), Via(3)];
    generic: Page<i32, String> = [
        Page { items: vec![], by_key: BTreeMap::new(), next: None },
        Page {
            items: vec![1], by_key: map("k", 1),
            next: Some(Box::new(Page { items: vec![2, 3], by_key: map("", 0), next: None })),
        },
    ];
    generic_struct: Page<Option<Point>, u8> = [
        Page { items: vec![None, Some(point())], by_key: [(9, None), (10, Some(point()))].into(), next: None },
    ];
    checked: Checked = [
        Checked {
            stars: 5, tags: vec![text("a")], code: text("abc-12"), country: text("no"), mail: Some(text("a@example.org")),
            price: 0.5, digits: vec![0, 9],
        },
        Checked {
            stars: 1, tags: vec![text("a"), text("b"), text("")], code: text("a-00"), country: text("é1"), mail: None,
            price: 1e-9, digits: vec![],
        },
    ];
    described: Described = [
        Described { first: point(), second: Point::default(), third: None },
        Described { first: point(), second: point(), third: Some(point()) },
    ];
    many_options: ManyOptions = [
        ManyOptions::default(), ManyOptions { f1: Some(1), f24: Some(2), f25: Some(3), f30: Some(0), ..ManyOptions::default() },
    ];
    many_lists: ManyLists = [
        ManyLists::default(),
        ManyLists { f1: Some(vec![]), f2: Some(vec![1]), f29: Some(vec![]), f30: Some(vec![1, 2]), ..ManyLists::default() },
    ],
        told "a list of none or one says absence, so a list of one is its item";
    many_unions: ManyUnions = [
        ManyUnions::default(),
        ManyUnions {
            f1: Mixed::Number(1), f2: Mixed::Text(text("[]")), f3: Mixed::List(vec![1]), f4: Mixed::Point(point()),
            f5: Mixed::Map([(text("a"), vec![1])].into()), f16: Mixed::List(vec![]), f17: Mixed::Point(point()),
            f18: Mixed::Map([(text("a"), vec![])].into()), f19: Mixed::List(vec![1]), f20: Mixed::Number(-1),
            ..ManyUnions::default()
        },
    ];
}

read! {
    skips: Skips = [r#"{"kept":1}"#, r#"{"kept":1,"read_only":2}"#, r#"{"kept":1,"read_only":null}"#];
    two_names: TwoNames = [r#"{"in":"x","new":1}"#];
    defaults_left_out: Defaults = ["{}", r#"{"seven":1,"point":{"x":1,"y":2}}"#];
    default_struct_left_out: DefaultStruct = ["{}", r#"{"maybe":null}"#, r#"{"name":"x"}"#];
    flat_option_in_part: FlatOption = [r#"{"id":1}"#];
}
