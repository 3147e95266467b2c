//! Property order: the bytes of a lowered schema have it from the type, and the bytes of a lifted answer from the answer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Form;
use instructor::{Foreign, ResponseModel};

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the schema counts")]
struct Inner {
    #[serde(rename = "w_inner")]
    w: i32,
    b_inner: Option<String>,
    m_inner: BTreeMap<String, i32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "z_tag")]
#[expect(dead_code, reason = "only the schema counts")]
enum Tagged {
    One { y_one: i32, a_one: Option<i32> },
    Two { x_two: BTreeMap<String, i32>, c_two: i32 },
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the schema counts")]
struct Flat {
    v_flat: i32,
    d_flat: Option<i32>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the schema counts")]
struct Ordered {
    zeta: String,
    #[serde(default)]
    yankee: i32,
    alpha: Option<Inner>,
    #[serde(rename = "n@me")]
    name: BTreeMap<String, Inner>,
    beta: Vec<Tagged>,
    #[serde(flatten)]
    flat: Flat,
    any: Value,
    tuple: (i32, Option<i32>),
}

/// Names that follow each other, in the object that has the first.
const RUNS: &[&[&str]] = &[
    &["zeta", "yankee", "alpha", "n@me", "beta", "v_flat", "d_flat", "any", "tuple"],
    &["w_inner", "b_inner", "m_inner"],
    &["z_tag", "y_one", "a_one"],
    &["z_tag", "x_two", "c_two"],
];

fn objects<'v>(value: &'v Value, found: &mut Vec<Vec<&'v str>>) {
    match value {
        Value::Object(map) => {
            found.push(map.keys().map(String::as_str).collect());
            map.values().for_each(|value| objects(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| objects(value, found)),
        _ => {}
    }
}

#[test]
fn properties_go_out_in_the_order_of_the_type() {
    let contract = Foreign::<Ordered>::contract();
    for form in Form::all(contract.schema()) {
        let form = form.unwrap();
        let text = form.lowered.schema().get();
        let schema: Value = serde_json::from_str(text).unwrap();
        assert_eq!(schema.to_string(), text, "what is read here is in the order of the bytes");
        let mut found = Vec::new();
        objects(&schema, &mut found);
        for run in RUNS {
            // Names that a dialect does not take go out under others.
            let plain = |name: &str| name.replace('@', "_");
            let all = |keys: &&Vec<&str>| run.iter().all(|name| keys.contains(name) || keys.contains(&&*plain(name)));
            let holding: Vec<&Vec<&str>> = found.iter().filter(all).collect();
            assert!(!holding.is_empty(), "{} {:?} {run:?}: {text}", form.dialect, form.policy);
            for keys in holding {
                let at = |name: &&str| keys.iter().position(|key| key == name || *key == plain(name)).unwrap();
                assert!(run.is_sorted_by_key(at), "{} {:?} {run:?}: {keys:?}", form.dialect, form.policy);
            }
        }
    }
}

#[test]
fn maps_keep_the_order_of_the_answer() {
    use indexmap::IndexMap;
    let contract = Foreign::<IndexMap<String, IndexMap<String, i32>>>::contract();
    let json = r#"{"z":{"b":1,"a":2},"a":{},"m":{"z":1,"a":2,"k":3}}"#;
    for form in Form::all(contract.schema()) {
        let form = form.unwrap();
        let lifted = form.lowered.lift(&form.said(json).unwrap()).unwrap();
        assert_eq!(lifted, json, "{} {:?}", form.dialect, form.policy);
    }
}
