//! Generated values of rich types come back from every dialect.

use std::collections::BTreeMap;
use std::fmt::Debug;

use instructor::{Foreign, ResponseModel};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Form, Typed};

const CASES: u32 = 24;

/// A round trip of each value in every dialect and both policies.
fn hold<T>(values: impl Strategy<Value = T>)
where
    T: Serialize + DeserializeOwned + JsonSchema + PartialEq + Debug + Send + Clone + 'static,
{
    let forms: Vec<Form> = Form::all(Foreign::<T>::contract().schema()).map(Result::unwrap).collect();
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let outcome = TestRunner::new(config).run(&values, |value| {
        let typed = Typed::of([value]);
        for form in &forms {
            form.round(&typed, 0).map_err(|why| TestCaseError::fail(form.named("", &why)))?;
        }
        Ok(())
    });
    outcome.unwrap();
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
struct Order {
    id: u64,
    status: Status,
    lines: Vec<Line>,
    labels: BTreeMap<String, Option<String>>,
    address: Option<Address>,
    size: (i32, f64, Option<char>),
    #[serde(default)]
    priority: i8,
    #[serde(flatten)]
    payment: Payment,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    Closed { reason: Option<String> },
    Moved(String, i64),
    Split(Vec<Status>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
struct Line {
    #[serde(rename = "sku/no")]
    sku: String,
    count: BTreeMap<u16, i32>,
    extra: Option<Vec<bool>>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
#[serde(untagged)]
enum Address {
    Text(String),
    Lines(Vec<String>),
    Fields { street: String, zip: Option<String> },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
#[serde(tag = "payment")]
enum Payment {
    Cash,
    Card { digits: String, valid: Option<bool> },
    Parts { parts: BTreeMap<String, f64> },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
#[serde(tag = "node", rename_all = "camelCase")]
enum Node {
    Text { text: String },
    Group { nodes: Vec<Node>, title: Option<String> },
    Named { nodes: BTreeMap<String, Node> },
    Link { target: Option<Box<Node>>, weight: f32 },
    Break,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
#[serde(untagged)]
enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

fn double<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug, Clone)]
struct Patch {
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-exact" = true))]
    rules: Option<Option<BTreeMap<String, Vec<Option<i32>>>>>,
    #[serde(default)]
    list: Vec<Option<Status>>,
    any: serde_json::Value,
    nested: Option<Box<Patch>>,
}

/// Text with what JSON escapes, what is JSON itself, and names that encodings use.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c \"\\\\/é\u{1f600}\n]{0,5}",
        1 => proptest::sample::select(vec!["value", "key", "variant", "item_0", "more", "null", "1", "[]", "{}", "\"", "true"])
            .prop_map(String::from),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![(-1000..1000).prop_map(f64::from), -1e6..1e6, Just(1e300), Just(5e-324)]
}

fn status() -> impl Strategy<Value = Status> {
    let leaf = prop_oneof![
        Just(Status::Open),
        proptest::option::of(text()).prop_map(|reason| Status::Closed { reason }),
        (text(), any::<i64>()).prop_map(|(to, at)| Status::Moved(to, at)),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| vec(inner, 0..3).prop_map(Status::Split))
}

fn line() -> impl Strategy<Value = Line> {
    (text(), btree_map(any::<u16>(), any::<i32>(), 0..3), proptest::option::of(vec(any::<bool>(), 0..2)))
        .prop_map(|(sku, count, extra)| Line { sku, count, extra })
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        text().prop_map(Address::Text),
        vec(text(), 0..3).prop_map(Address::Lines),
        (text(), proptest::option::of(text())).prop_map(|(street, zip)| Address::Fields { street, zip }),
    ]
}

fn payment() -> impl Strategy<Value = Payment> {
    prop_oneof![
        Just(Payment::Cash),
        (text(), proptest::option::of(any::<bool>())).prop_map(|(digits, valid)| Payment::Card { digits, valid }),
        btree_map(text(), number(), 0..3).prop_map(|parts| Payment::Parts { parts }),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let labels = btree_map(text(), proptest::option::of(text()), 0..3);
    let size = (any::<i32>(), number(), proptest::option::of(any::<char>()));
    let first = (any::<u64>(), status(), vec(line(), 0..3), labels);
    (first, proptest::option::of(address()), size, any::<i8>(), payment()).prop_map(
        |(first, address, size, priority, payment)| {
            let (id, status, lines, labels) = first;
            Order { id, status, lines, labels, address, size, priority, payment }
        },
    )
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![text().prop_map(|text| Node::Text { text }), Just(Node::Break)];
    leaf.prop_recursive(6, 24, 3, |inner| {
        prop_oneof![
            (vec(inner.clone(), 0..3), proptest::option::of(text()))
                .prop_map(|(nodes, title)| Node::Group { nodes, title }),
            btree_map(text(), inner.clone(), 0..3).prop_map(|nodes| Node::Named { nodes }),
            (proptest::option::of(inner), -100..100_i16).prop_map(|(target, weight)| Node::Link {
                target: target.map(Box::new),
                weight: f32::from(weight) / 4.0
            }),
        ]
    })
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::Number),
        text().prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 24, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Json::List), btree_map(text(), inner, 0..3).prop_map(Json::Map),]
    })
}

fn patch() -> impl Strategy<Value = Patch> {
    let rules = btree_map(text(), vec(proptest::option::of(any::<i32>()), 0..3), 0..3);
    let any = json().prop_map(|json| serde_json::to_value(json).unwrap());
    let fields = (
        proptest::option::of(proptest::option::of(text())),
        proptest::option::of(proptest::option::of(rules)),
        vec(proptest::option::of(status()), 0..2),
        any,
    );
    let leaf = fields.prop_map(|(name, rules, list, any)| Patch { name, rules, list, any, nested: None });
    vec(leaf, 1..5).prop_map(|patches| {
        let fold = |inner: Option<Patch>, outer: Patch| Some(Patch { nested: inner.map(Box::new), ..outer });
        patches.into_iter().fold(None, fold).unwrap()
    })
}

#[test]
fn records() {
    hold(order());
}

#[test]
fn lists_of_records() {
    hold(vec(order(), 0..2));
}

#[test]
fn tagged_recursion() {
    hold(node());
}

#[test]
fn untagged_recursion() {
    hold(json());
}

#[test]
fn patches() {
    hold(patch());
}

#[test]
fn maps_of_unions() {
    hold(btree_map(text(), (status(), address()), 0..3));
}
