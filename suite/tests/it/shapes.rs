//! Shapes that a provider does not take, end to end: the request carries the lowered schema, the answer in its form is
//! the typed value, and what is wrong with an answer is told to the model in the form that it saw, to the user in the
//! type's.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use instructor::schema::{Dialect, Lowered, Policy, lower};
use instructor::testing::{Reply, Script};
use instructor::{Context, Issue, Mode, ResponseModel};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

mod accepted;
mod told;

/// A provider whose structured output is asked for. A new one is a row here, and rows where its schemas differ.
struct Provider {
    spec: &'static str,
    dialect: Dialect,
    /// Where a request has the schema.
    schema: &'static str,
    /// What a request says beside it.
    beside: (&'static str, fn() -> Value),
}

const PROVIDERS: &[Provider] = &[
    Provider {
        spec: "openai/gpt-5-mini",
        dialect: Dialect::OpenAi,
        schema: "/response_format/json_schema/schema",
        beside: ("/response_format/json_schema/strict", || json!(true)),
    },
    Provider {
        spec: "anthropic/claude-haiku-4-5",
        dialect: Dialect::Anthropic,
        schema: "/output_config/format/schema",
        beside: ("/output_config/format/type", || json!("json_schema")),
    },
    Provider {
        spec: "gemini/gemini-2.5-flash",
        dialect: Dialect::Gemini,
        schema: "/generationConfig/responseJsonSchema",
        beside: ("/generationConfig/responseMimeType", || json!("application/json")),
    },
    Provider {
        spec: "bedrock/anthropic.claude-haiku-4-5",
        dialect: Dialect::Bedrock,
        schema: "/outputConfig/textFormat/structure/jsonSchema/schema",
        beside: ("/outputConfig/textFormat/type", || json!("json_schema")),
    },
    Provider {
        spec: "cohere/command-a-03-2025",
        dialect: Dialect::Cohere,
        schema: "/response_format/json_schema",
        beside: ("/response_format/type", || json!("json_object")),
    },
];

/// Those that take neither maps nor tuples, and want an object at the root.
fn narrow() -> impl Iterator<Item = &'static Provider> {
    PROVIDERS.iter().filter(|provider| !matches!(provider.dialect, Dialect::Gemini | Dialect::Cohere))
}

const OPENAI: &Provider = &PROVIDERS[0];
const ANTHROPIC: &Provider = &PROVIDERS[1];

impl Provider {
    fn id(&self) -> &'static str {
        self.dialect.as_str()
    }

    fn lowered<T: ResponseModel>(&self) -> Lowered {
        lower(T::contract().schema(), self.dialect, Policy::Declared).unwrap()
    }

    fn schema<T: ResponseModel>(&self) -> Value {
        serde_json::from_str(self.lowered::<T>().schema().get()).unwrap()
    }
}

/// Counts of words.
#[instructor::model]
#[derive(Serialize, PartialEq, Debug)]
struct Counts {
    #[response(validate = few)]
    counts: HashMap<String, u32>,
}

fn few(counts: &HashMap<String, u32>, _: &Context) -> Result<(), Vec<Issue>> {
    let many = counts.iter().filter(|(_, count)| **count > 100);
    let issues: Vec<Issue> = many.map(|(word, count)| Issue::at(word, "at most 100").got(count.to_string())).collect();
    if issues.is_empty() { Ok(()) } else { Err(issues) }
}

#[instructor::model]
#[derive(Serialize, PartialEq, Debug)]
struct Tree {
    name: String,
    weight: Option<u8>,
    children: Vec<Tree>,
}

#[instructor::model]
#[derive(Serialize, PartialEq, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Event {
    Started { at: u32 },
    Moved { to: (i32, i32), note: Option<String> },
    Tagged { tags: BTreeMap<String, String> },
    Ended,
}

#[instructor::model]
#[derive(Serialize, PartialEq, Debug)]
struct Reading {
    zero: (i32, i32),
    labelled: (String, f64, Option<bool>),
}

/// Absent and null are two things.
fn double<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[instructor::model]
#[derive(Serialize, PartialEq, Debug, Default)]
struct Patch {
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "double", skip_serializing_if = "Option::is_none")]
    count: Option<Option<u32>>,
}

#[instructor::model]
#[derive(Serialize, PartialEq, Debug)]
struct Anything {
    name: String,
    any: Value,
}

type Pair = (u32, Option<String>);

/// A value goes out in the form of the schema that the request carries, and comes back.
fn round<T: ResponseModel + Serialize + PartialEq + Debug>(name: &str, values: &[T]) {
    for provider in PROVIDERS {
        let lowered = provider.lowered::<T>();
        for (index, value) in values.iter().enumerate() {
            let json = serde_json::to_string(value).unwrap();
            let script = Script::new().reply(Reply::text(lowered.encode_json(&json).unwrap()));
            let client = script.client(provider.spec);
            let request = client.request("x").mode(Mode::Schema);
            let (back, completion) = script.block_on(request.create_with_completion::<T>()).unwrap();
            assert_eq!(&back, value, "{name} {}", provider.id());
            let attempt = &completion.report.attempts()[0];
            assert_eq!((attempt.repairs.len(), attempt.mode), (0, Mode::Schema), "{name} {}", provider.id());
            let body = script.sent()[0].json();
            // One protocol carries it as JSON text.
            let schema = match body.pointer(provider.schema).unwrap() {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                schema => schema.clone(),
            };
            assert_eq!(schema.to_string(), lowered.schema().get(), "{name} {}", provider.id());
            let (pointer, beside) = provider.beside;
            assert_eq!(body.pointer(pointer), Some(&beside()), "{name} {}", provider.id());
            if index == 0 {
                insta::assert_json_snapshot!(format!("{name}_{}", provider.id()), schema);
            }
        }
    }
}

#[test]
fn a_map() {
    let counts =
        |counts: &[(&str, u32)]| Counts { counts: counts.iter().map(|(k, v)| (String::from(*k), *v)).collect() };
    round("map", &[counts(&[("a", 1), ("b c/\"", 0)]), counts(&[]), counts(&[("key", 1), ("value", 2)])]);
    for provider in narrow() {
        let schema = provider.schema::<Counts>();
        assert_eq!(schema["properties"]["counts"]["items"]["required"], json!(["key", "value"]));
    }
}

#[test]
fn a_recursive_type() {
    let leaf = |name: &str| Tree { name: String::from(name), weight: Some(1), children: vec![] };
    let deep = (0..7).fold(leaf("{\"x\""), |inner, n| Tree {
        name: format!("n{n}"),
        weight: None,
        children: vec![inner, leaf("")],
    });
    round("recursive", &[leaf("a"), deep]);
    let [openai, anthropic] = [OPENAI, ANTHROPIC].map(|provider| provider.schema::<Tree>());
    assert_eq!(openai["properties"]["children"]["items"], json!({ "$ref": "#" }));
    assert!(anthropic.to_string().contains("JSON text of Tree"), "unrolled, and text below: {anthropic}");
    assert!(!anthropic.to_string().contains("\"#\""));
}

#[test]
fn an_internally_tagged_enum() {
    let events = [
        Event::Started { at: 1 },
        Event::Moved { to: (1, -1), note: None },
        Event::Moved { to: (0, 0), note: Some(String::from("n")) },
        Event::Tagged { tags: [(String::from("kind"), String::from("v"))].into() },
        Event::Ended,
    ];
    round("tagged", &events);
    for provider in narrow() {
        let schema = provider.schema::<Event>();
        assert_eq!(schema["required"], json!(["value"]), "a union stands in an object");
        let kinds: Vec<&Value> = schema["properties"]["value"]["anyOf"].as_array().unwrap().iter().collect();
        let kinds: Vec<&Value> = kinds.into_iter().map(|event| &event["properties"]["kind"]["enum"][0]).collect();
        assert_eq!(kinds, ["started", "moved", "tagged", "ended"]);
    }
}

#[test]
fn tuples() {
    let reading = |flag| Reading { zero: (1, 2), labelled: (String::from("l"), 0.5, flag) };
    round("tuple", &[reading(None), reading(Some(true))]);
    round::<Pair>("root_tuple", &[(1, None), (2, Some(String::from("null")))]);
    for provider in narrow() {
        let schema = provider.schema::<Reading>();
        assert_eq!(schema["properties"]["labelled"]["required"], json!(["item_0", "item_1", "item_2"]));
    }
}

#[test]
fn absent_null_and_a_value_are_three() {
    let patches = [
        Patch::default(),
        Patch { name: Some(None), count: None },
        Patch { name: Some(Some(String::from("n"))), count: Some(None) },
        Patch { name: None, count: Some(Some(0)) },
    ];
    round("double_option", &patches);
    assert_eq!(OPENAI.schema::<Patch>()["properties"]["name"]["maxItems"], json!(1));
    assert_eq!(ANTHROPIC.schema::<Patch>()["required"], Value::Null, "it takes optional properties");
}

#[test]
fn any_value() {
    let values = [json!({ "a": [1, null, "2"] }), json!(null), json!("text"), json!("7"), json!(""), json!([])];
    let values = values.map(|any| Anything { name: String::from("n"), any });
    round("any", &values);
    for provider in PROVIDERS {
        assert_eq!(provider.schema::<Anything>()["properties"]["any"]["type"], "string");
    }
}
