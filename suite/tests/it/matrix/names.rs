//! Odd names: those that a dialect does not take, and those that an encoding uses itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::types;

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Odd {
    #[serde(rename = "@type")]
    at: String,
    #[serde(rename = "a b/c~d")]
    path: i32,
    #[serde(rename = "")]
    empty: Option<i32>,
    #[serde(rename = "日本")]
    foreign: bool,
    #[serde(rename = "\"quoted\"\\\n")]
    quoted: Vec<i32>,
    #[serde(rename = "$ref")]
    reference: String,
    #[serde(rename = "__proto__")]
    proto: i32,
    #[serde(rename = "a name that is longer than the sixty-four characters that Anthropic takes for a property")]
    long: i32,
}

/// Names that are one when what is not plain is replaced.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Colliding {
    a_b: i32,
    #[serde(rename = "a b")]
    space: String,
    #[serde(rename = "a/b")]
    slash: BTreeMap<String, i32>,
    #[serde(rename = "a_b_2")]
    two: Option<i32>,
    #[serde(rename = "ä")]
    umlaut: i32,
    #[serde(rename = "ö")]
    other: Option<bool>,
    #[serde(rename = "_")]
    line: i32,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Entry {
    key: String,
    value: i32,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Value1 {
    value: BTreeMap<String, i32>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Variant {
    variant: String,
    value: Option<i32>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Items {
    item_0: i32,
    item_1: Option<String>,
    more: Vec<i32>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Additional {
    additional_properties: Option<BTreeMap<String, i32>>,
    #[serde(rename = "additionalProperties")]
    camel: i32,
    #[serde(flatten)]
    rest: BTreeMap<String, Vec<i32>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Keywords {
    properties: BTreeMap<String, i32>,
    r#type: String,
    required: Vec<String>,
    items: Option<i32>,
    description: Option<String>,
    r#enum: Option<Box<Keywords>>,
    #[serde(rename = "$defs")]
    defs: Option<Vec<i32>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum OddVariant {
    #[serde(rename = "a b")]
    Space(i32),
    #[serde(rename = "")]
    Empty { x: i32 },
    #[serde(rename = "@unit")]
    Unit,
    #[serde(rename = "a_b")]
    Line(BTreeMap<String, i32>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "@type")]
enum OddTag {
    #[serde(rename = "schema:Person")]
    Person { name: String },
    #[serde(rename = "schema:Place")]
    Place { name: String, tags: BTreeMap<String, String> },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "camelCase")]
struct Camel {
    first_name: String,
    last_name: Option<String>,
    inner_list: Vec<Kebab>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE", rename = "A name/with ~ signs")]
struct Kebab {
    some_number: i32,
}

fn text(text: &str) -> String {
    String::from(text)
}

fn map(key: &str) -> BTreeMap<String, i32> {
    [(text(key), 1)].into()
}

fn odd() -> Odd {
    Odd {
        at: text("t"),
        path: 1,
        empty: None,
        foreign: true,
        quoted: vec![1],
        reference: text("#/x"),
        proto: 2,
        long: 3,
    }
}

fn keywords(inner: Option<Keywords>) -> Keywords {
    Keywords {
        properties: map("type"),
        r#type: text("object"),
        required: vec![text("x")],
        items: None,
        description: Some(text("d")),
        r#enum: inner.map(Box::new),
        defs: Some(vec![1]),
    }
}

types! {
    odd_names: Odd = [odd(), Odd { empty: Some(1), ..odd() }];
    list_of_odd: Vec<Odd> = [vec![odd()]];
    colliding: Colliding = [
        Colliding { a_b: 1, space: text("s"), slash: map("k"), two: None, umlaut: 1, other: Some(true), line: 0 },
        Colliding { a_b: 1, space: text(""), slash: map("a b"), two: Some(2), umlaut: 1, other: None, line: 0 },
    ];
    entry: Entry = [Entry { key: text("k"), value: 1 }];
    entries: Vec<Entry> = [vec![], vec![Entry { key: text("k"), value: 1 }]];
    map_of_entries: BTreeMap<String, Entry> = [[(text("key"), Entry { key: text("value"), value: 1 })].into()];
    map_of_entry_lists: BTreeMap<String, Vec<Entry>> = [[(text("value"), vec![Entry { key: text("k"), value: 1 }])].into()],
        told "an object with `value` alone is the wrap of the root";
    value_field: Value1 = [Value1 { value: map("value") }];
    list_of_value_fields: Vec<Value1> = [vec![Value1 { value: map("value") }]];
    variant_field: Variant = [Variant { variant: text("v"), value: None }, Variant { variant: text("v"), value: Some(1) }];
    item_fields: Items = [Items { item_0: 1, item_1: None, more: vec![] }, Items { item_0: 1, item_1: Some(text("x")), more: vec![1] }];
    tuple_of_items: (Items, Items) = [(Items { item_0: 1, item_1: None, more: vec![] }, Items { item_0: 2, item_1: None, more: vec![1] })];
    additional: Additional = [
        Additional { additional_properties: None, camel: 1, rest: BTreeMap::new() },
        Additional { additional_properties: Some(map("a")), camel: 1, rest: [(text("additional_properties_2"), vec![1])].into() },
    ], told "the key of the entries is a name that no field has, but an undeclared key can";
    keyword_names: Keywords = [keywords(None), keywords(Some(keywords(Some(keywords(Some(keywords(None)))))))];
    odd_variants: OddVariant = [
        OddVariant::Space(1), OddVariant::Empty { x: 1 }, OddVariant::Unit, OddVariant::Line(map("k")),
    ];
    odd_tags: OddTag = [
        OddTag::Person { name: text("n") }, OddTag::Place { name: text("n"), tags: [(text("@k"), text("v"))].into() },
    ];
    camel: Camel = [
        Camel { first_name: text("f"), last_name: None, inner_list: vec![Kebab { some_number: 1 }] },
        Camel { first_name: text("f"), last_name: Some(text("l")), inner_list: vec![] },
    ];
    any_under_odd_names: BTreeMap<String, BTreeMap<String, Option<Value>>> = [
        [(text("a b"), [(text(""), None), (text("@"), Some(serde_json::json!({ "a": 1 })))].into())].into(),
    ];
}
