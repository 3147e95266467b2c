//! Random schemas from a small grammar against random values, and compilation of anything at all.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Checker;
use super::issues;
use super::referee::Referee;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..6).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(1.0), Just(2.5), Just(1e20)].prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn keyword() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]);
    let names = || prop::collection::hash_set("[abc]", 0..3);
    prop_oneof![
        kind.clone().prop_map(|kind| json!({"type": kind})),
        prop::collection::hash_set(kind, 1..3).prop_map(|kinds| json!({"type": kinds})),
        value().prop_map(|value| json!({"const": value})),
        prop::collection::vec(value(), 1..4).prop_map(|values| json!({"enum": values})),
        (0_u64..3, 0_u64..4).prop_map(|(min, max)| json!({"minItems": min, "maxItems": max, "uniqueItems": true})),
        (0_u64..3, 0_u64..4).prop_map(|(min, max)| json!({"minProperties": min, "maxProperties": max})),
        (0_u64..3, 0_u64..4).prop_map(|(min, max)| json!({"minLength": min, "maxLength": max})),
        (-2_i64..3, 0_i64..5).prop_map(|(min, max)| json!({"minimum": min, "exclusiveMaximum": max})),
        prop_oneof![Just(json!(2)), Just(json!(0.5)), Just(json!(1.5))].prop_map(|n| json!({"multipleOf": n})),
        names().prop_map(|names| json!({"required": names})),
        ("[abc]", names()).prop_map(|(key, names)| json!({"dependentRequired": {key: names}})),
        prop_oneof![Just("^a"), Just("b$"), Just("a+b?")].prop_map(|pattern| json!({"pattern": pattern})),
        any::<bool>().prop_map(|open| json!({"additionalProperties": open})),
    ]
}

fn merged(parts: Vec<Value>) -> Value {
    let maps = parts.into_iter().filter_map(|part| if let Value::Object(map) = part { Some(map) } else { None });
    Value::Object(maps.flatten().collect())
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop::collection::vec(keyword(), 0..3).prop_map(merged);
    leaf.prop_recursive(3, 24, 4, |inner| {
        let some = prop::collection::vec(inner.clone(), 1..4);
        let named = prop::collection::vec(("[abc]", inner.clone()), 0..3);
        let named = named.prop_map(|pairs| Value::Object(pairs.into_iter().collect()));
        let tag = prop::sample::subsequence(vec!["a", "b", "ab"], 1..3);
        let tagged = (prop::collection::vec((inner.clone(), tag), 1..4), any::<bool>()).prop_map(|(branches, one)| {
            let branch = |(schema, tags)| json!({"properties": {"a": {"enum": tags}, "b": schema}, "required": ["a"]});
            let branches: Vec<Value> = branches.into_iter().map(branch).collect();
            json!({if one { "oneOf" } else { "anyOf" }: branches})
        });
        let external = prop::collection::vec(("[abc]", inner.clone()), 1..4).prop_map(|branches| {
            let mut list = vec![json!({"type": "string", "enum": ["a", "b"]})];
            list.extend(branches.into_iter().map(|(key, schema)| {
                json!({"type": "object", "properties": {&key: schema}, "required": [key], "additionalProperties": false})
            }));
            json!({"oneOf": list})
        });
        let part = prop_oneof![
            keyword(),
            named.clone().prop_map(|named| json!({"properties": named})),
            named.clone().prop_map(|named| json!({"patternProperties": named})),
            named.prop_map(|named| json!({"dependentSchemas": named})),
            tagged,
            external,
            inner.clone().prop_map(|schema| json!({"additionalProperties": schema})),
            inner.clone().prop_map(|schema| json!({"propertyNames": schema})),
            inner.clone().prop_map(|schema| json!({"items": schema})),
            inner.clone().prop_map(|schema| json!({"contains": schema, "minContains": 0, "maxContains": 2})),
            inner.clone().prop_map(|schema| json!({"contains": schema})),
            inner.clone().prop_map(|schema| json!({"not": schema})),
            inner.clone().prop_map(|schema| json!({"unevaluatedProperties": schema})),
            inner.clone().prop_map(|schema| json!({"unevaluatedItems": schema})),
            Just(json!({"unevaluatedProperties": false})),
            Just(json!({"items": {"$ref": "#"}})),
            Just(json!({"additionalProperties": {"$ref": "#"}})),
            some.clone().prop_map(|list| json!({"prefixItems": list})),
            some.clone().prop_map(|list| json!({"allOf": list})),
            some.clone().prop_map(|list| json!({"anyOf": list})),
            some.prop_map(|list| json!({"oneOf": list})),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
        ];
        prop::collection::vec(part, 1..4).prop_map(merged)
    })
}

/// Any value at all, with the words of schemas in it.
fn anything() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 22] = [
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "items",
        "prefixItems",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
        "#",
        "#/properties/a",
        "object",
        "pattern",
        "multipleOf",
        "contains",
        "if",
        "minLength",
        "$id",
        "%",
    ];
    let word = || prop_oneof![prop::sample::select(WORDS.to_vec()).prop_map(String::from), ".{0,3}"];
    let leaf = prop_oneof![scalar(), word().prop_map(Value::from)];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_referee(schema in schema(), values in prop::collection::vec(value(), 12)) {
        let checker = Checker::compile(&schema).unwrap();
        let referee = Referee::new(&schema, false);
        prop_assert_eq!(referee.is_some(), cfg!(feature = "jsonschema"));
        for value in values {
            let found = issues(&checker, &value);
            if let Some(referee) = &referee {
                prop_assert_eq!(found.is_empty(), referee.is_valid(&value), "{} {:?}", value, found);
            }
        }
    }

    #[test]
    fn compiles_or_says_why(schema in anything(), value in anything()) {
        if let Ok(checker) = Checker::compile(&schema) {
            issues(&checker, &value);
        }
    }
}
