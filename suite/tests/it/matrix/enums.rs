//! Enums in all four ways of tagging, with every kind of variant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{read, types};

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Inner {
    a: i32,
    b: Option<String>,
}

fn inner() -> Inner {
    Inner { a: 1, b: Some(String::from("x")) }
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum External {
    Unit,
    Other,
    New(i32),
    Boxed(Box<Inner>),
    Maybe(Option<i32>),
    Pair(i32, String),
    Struct { a: i32, b: Option<String> },
    Empty {},
    List(Vec<External>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Unit,
    New(Inner),
    Struct { z: i32, a: Option<String>, list: Vec<Internal> },
    Counts(BTreeMap<String, String>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    New(i32),
    Text(String),
    Pair(i32, String),
    Struct { a: i32, b: Option<String> },
    Map(BTreeMap<String, Adjacent>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(untagged)]
enum Untagged {
    Nothing,
    Flag(bool),
    Whole(i64),
    Text(String),
    Pair(i32, String),
    List(Vec<i32>),
    Struct { a: i32, b: String },
    Map(BTreeMap<String, i32>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "type")]
enum InternalWithRest {
    A {
        a: i32,
    },
    #[serde(untagged)]
    Rest(BTreeMap<String, i32>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum ExternalWithRest {
    A(i32),
    B,
    #[serde(untagged)]
    Rest(Vec<String>),
}

/// A colour.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "kebab-case")]
enum Colour {
    DarkRed,
    /// As the sky.
    Blue,
    #[serde(rename = "green/1")]
    Green,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum WithOther {
    Known,
    #[serde(other)]
    Other,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "t")]
enum TaggedOther {
    Known {
        a: i32,
    },
    #[serde(other)]
    Other,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum OneVariant {
    Only { a: i32 },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum OneUnit {
    Only,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Expression {
    Number { value: f64 },
    Add { left: Box<Expression>, right: Box<Expression> },
    Call { name: String, arguments: Vec<Expression> },
}

/// Variants that are alike but for what is in their maps.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(untagged)]
enum Alike {
    Counts { counts: BTreeMap<String, i32> },
    Names { counts: BTreeMap<String, Vec<String>>, note: Option<String> },
}

/// Names that the encodings use.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
enum Reserved {
    Value(i32),
    Key(String),
    Variant { variant: i32, value: BTreeMap<String, i32> },
    Item0(i32, i32),
    More(Vec<i32>),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(untagged)]
enum AnyOrText {
    Text(String),
    Any(Value),
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(tag = "t", deny_unknown_fields)]
enum Strict {
    A { x: i32 },
    B { x: Option<i32> },
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Holder {
    e: External,
    i: Option<Internal>,
    a: Vec<Adjacent>,
    u: BTreeMap<String, Untagged>,
}

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
enum Aliased {
    #[serde(alias = "first")]
    First,
    Second {
        #[serde(alias = "n")]
        number: i32,
    },
}

fn internal() -> Internal {
    Internal::Struct {
        z: 1,
        a: None,
        list: vec![
            Internal::Unit,
            Internal::New(inner()),
            Internal::Struct { z: 2, a: Some(String::new()), list: vec![] },
            Internal::Counts([(String::from("a b"), String::from("v"))].into()),
        ],
    }
}

fn number(value: f64) -> Box<Expression> {
    Box::new(Expression::Number { value })
}

fn counts(counts: &[(&str, i32)]) -> BTreeMap<String, i32> {
    counts.iter().map(|(key, count)| (String::from(*key), *count)).collect()
}

types! {
    external: External = [
        External::Unit, External::Other, External::New(-7), External::Boxed(Box::new(inner())),
        External::Boxed(Box::new(Inner { a: 0, b: None })), External::Maybe(None), External::Maybe(Some(3)),
        External::Pair(1, String::from("two")), External::Struct { a: 1, b: None },
        External::Struct { a: 1, b: Some(String::from("null")) }, External::Empty {}, External::List(vec![]),
        External::List(vec![External::Unit, External::List(vec![External::List(vec![External::Pair(0, String::new())])])]),
    ];
    internal_tag: Internal = [
        Internal::Unit, Internal::New(inner()), Internal::New(Inner { a: 2, b: None }),
        Internal::Counts(BTreeMap::new()), Internal::Counts([(String::from("z"), String::from("1"))].into()), internal(),
    ];
    adjacent: Adjacent = [
        Adjacent::Unit, Adjacent::New(0), Adjacent::Text(String::from("t")), Adjacent::Pair(1, String::from("p")),
        Adjacent::Struct { a: 1, b: None }, Adjacent::Map(BTreeMap::new()),
        Adjacent::Map([
            (String::from("b"), Adjacent::Unit),
            (String::from("a"), Adjacent::Map([(String::new(), Adjacent::New(1))].into())),
        ].into()),
    ];
    untagged: Untagged = [
        Untagged::Nothing, Untagged::Flag(false), Untagged::Whole(i64::MAX), Untagged::Text(String::from("17")),
        Untagged::Pair(1, String::from("p")), Untagged::List(vec![]), Untagged::List(vec![1, 2, 3]),
        Untagged::Struct { a: 1, b: String::from("b") }, Untagged::Map(BTreeMap::new()),
        Untagged::Map(counts(&[("x", 1), ("a", 2)])),
    ];
    one_or_many_text: OneOrMany<String> = [
        OneOrMany::One(String::from("a")), OneOrMany::Many(vec![]), OneOrMany::Many(vec![String::from("a")]),
    ];
    one_or_many_struct: OneOrMany<Inner> = [
        OneOrMany::One(inner()), OneOrMany::Many(vec![]), OneOrMany::Many(vec![inner(), Inner { a: 2, b: None }]),
    ];
    one_or_many_map: OneOrMany<BTreeMap<String, i32>> = [
        OneOrMany::One(counts(&[])), OneOrMany::One(counts(&[("a", 1)])), OneOrMany::Many(vec![]),
        OneOrMany::Many(vec![counts(&[]), counts(&[("k", 1), ("b", 2)])]),
    ];
    internal_with_rest: InternalWithRest = [
        InternalWithRest::A { a: 1 }, InternalWithRest::Rest(counts(&[])), InternalWithRest::Rest(counts(&[("q", 1)])),
    ];
    external_with_rest: ExternalWithRest = [
        ExternalWithRest::A(1), ExternalWithRest::B, ExternalWithRest::Rest(vec![String::from("x")]),
    ];
    units: Colour = [Colour::DarkRed, Colour::Blue, Colour::Green];
    list_of_units: Vec<Colour> = [vec![], vec![Colour::Blue, Colour::Blue, Colour::Green]];
    with_other: WithOther = [WithOther::Known, WithOther::Other];
    tagged_other: TaggedOther = [TaggedOther::Known { a: 1 }, TaggedOther::Other];
    one_variant: OneVariant = [OneVariant::Only { a: 1 }];
    one_unit: OneUnit = [OneUnit::Only];
    expression: Expression = [
        *number(1.5),
        Expression::Add { left: number(1.0), right: Box::new(Expression::Call { name: String::from("f"), arguments: vec![] }) },
        (0..20).fold(*number(0.25), |left, n| match n % 2 {
            0 => Expression::Add { left: Box::new(left), right: number(-0.5) },
            _ => Expression::Call { name: format!("f{n}"), arguments: vec![*number(1e9), left] },
        }),
    ];
    alike: Alike = [
        Alike::Counts { counts: counts(&[("a", 1)]) }, Alike::Counts { counts: counts(&[]) },
        Alike::Names { counts: [(String::from("a"), vec![String::from("n")])].into(), note: None },
        Alike::Names { counts: [(String::from("a"), vec![])].into(), note: Some(String::from("x")) },
    ];
    reserved: Reserved = [
        Reserved::Value(1), Reserved::Key(String::from("value")), Reserved::Item0(1, 2), Reserved::More(vec![]),
        Reserved::Variant { variant: 1, value: counts(&[("key", 1), ("value", 2)]) }, Reserved::More(vec![1]),
    ],
        told "an object with `value` alone is the wrap of the root";
    list_of_reserved: Vec<Reserved> = [
        vec![], vec![Reserved::Value(1)], vec![Reserved::Key(String::new()), Reserved::More(vec![1, 2])],
    ];
    any_or_text: AnyOrText = [
        AnyOrText::Text(String::from("{}")), AnyOrText::Any(serde_json::json!({ "a": [1, null] })),
        AnyOrText::Any(Value::Null), AnyOrText::Any(serde_json::json!(1)),
    ];
    strict: Strict = [Strict::A { x: 1 }, Strict::B { x: None }, Strict::B { x: Some(2) }];
    optional_enum: Option<External> = [None, Some(External::Unit), Some(External::Maybe(None))];
    holder: Holder = [
        Holder { e: External::Unit, i: None, a: vec![], u: BTreeMap::new() },
        Holder {
            e: External::Boxed(Box::new(inner())), i: Some(internal()), a: vec![Adjacent::Unit, Adjacent::New(1)],
            u: [
                (String::from("n"), Untagged::Nothing), (String::from("l"), Untagged::List(vec![1])),
                (String::from("m"), Untagged::Map(counts(&[("a", 1)]))),
            ].into(),
        },
    ];
}

read! {
    other_by_its_name: WithOther = [r#""Known""#, r#""Other""#];
    aliases: Aliased = [r#""First""#, r#"{"Second":{"number":3}}"#];
}
