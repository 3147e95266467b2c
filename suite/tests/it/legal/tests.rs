//! Good and bad examples of every rule.

use serde_json::{Value, json};

use super::Provider::{Anthropic, Bedrock, Cerebras, Cohere, Fireworks, Gemini, Groq, LlamaCpp, Mistral, OpenAi, Xai};
use super::{Provider, careful, lenient, violations};

const ALL: [Provider; 11] =
    [OpenAi, Anthropic, Gemini, Bedrock, Groq, Cerebras, Xai, Fireworks, LlamaCpp, Mistral, Cohere];
/// Those with closed objects.
const CLOSED: [Provider; 6] = [OpenAi, Anthropic, Bedrock, Groq, Cerebras, Mistral];

/// A closed object with these properties, all of them required.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

/// A closed object whose one property is this.
fn holding(part: &Value) -> Value {
    object(&json!({ "a": part }))
}

#[track_caller]
fn taken(schema: &Value, providers: &[Provider]) {
    for provider in providers {
        let found = violations(schema, *provider);
        assert!(found.is_empty(), "{provider:?} takes {schema}, but: {found:#?}");
    }
}

/// That all of them name this rule.
#[track_caller]
fn refused(schema: &Value, providers: &[Provider], rule: &str) {
    for provider in providers {
        let found = violations(schema, *provider);
        assert!(found.iter().any(|found| found.ends_with(rule)), "{provider:?}, {rule}, {schema}: {found:#?}");
    }
}

/// That these refuse it by the rule, and that all others take it.
#[track_caller]
fn refused_by_these_only(schema: &Value, providers: &[Provider], rule: &str) {
    refused(schema, providers, rule);
    let others: Vec<Provider> = ALL.into_iter().filter(|provider| !providers.contains(provider)).collect();
    taken(schema, &others);
}

#[test]
fn everybody_takes_closed_objects_of_plain_types() {
    taken(&holding(&json!({ "type": "string" })), &ALL);
    taken(&holding(&json!({ "type": "array", "items": { "type": "integer" } })), &ALL);
    taken(&holding(&json!({ "type": "string", "enum": ["x", "y"] })), &ALL);
    taken(&object(&json!({})), &ALL);
}

#[test]
fn keywords_off_the_list() {
    let refuses = |part: Value, providers: &[Provider]| {
        let keyword = part.as_object().unwrap().keys().next_back().unwrap().clone();
        refused_by_these_only(&holding(&part), providers, &format!("`{keyword}` is not taken"));
    };
    refuses(json!({ "type": "string", "const": "x" }), &[Gemini, Fireworks]);
    refuses(
        json!({ "type": "string", "minLength": 1 }),
        &[OpenAi, Anthropic, Gemini, Bedrock, Groq, Cerebras, Fireworks, Mistral, Cohere],
    );
    refuses(json!({ "type": "string", "pattern": "^a$" }), &[Gemini, Groq, Cerebras, Fireworks]);
    refuses(json!({ "type": "integer", "minimum": 1 }), &[Anthropic, Bedrock, Groq, Cerebras, Fireworks, Cohere]);
    refuses(
        json!({ "type": "integer", "exclusiveMinimum": 1 }),
        &[Anthropic, Bedrock, Gemini, Groq, Cerebras, Fireworks, Cohere],
    );
    refuses(
        json!({ "type": "integer", "multipleOf": 2 }),
        &[Anthropic, Bedrock, Gemini, Groq, Cerebras, Xai, Fireworks, LlamaCpp, Cohere],
    );
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let list = |keyword: &str, value: Value| {
        let mut list = list.clone();
        list[keyword] = value;
        list
    };
    refuses(list("minItems", json!(1)), &[Groq, Cerebras, Fireworks, Cohere]);
    refuses(list("maxItems", json!(1)), &[Anthropic, Bedrock, Groq, Cerebras, Fireworks, Cohere]);
    refuses(
        list("uniqueItems", json!(true)),
        &[OpenAi, Anthropic, Gemini, Bedrock, Groq, Cerebras, Xai, Fireworks, Mistral, Cohere],
    );
    let union = json!([{ "type": "string" }, { "type": "null" }]);
    refuses(json!({ "anyOf": union }), &[Cohere]);
    refuses(
        json!({ "oneOf": union }),
        &[OpenAi, Anthropic, Gemini, Bedrock, Groq, Cerebras, Fireworks, Mistral, Cohere],
    );
    refuses(json!({ "allOf": [{ "type": "string" }] }), &[OpenAi, Gemini, Groq, Cerebras, LlamaCpp, Mistral, Cohere]);
    refuses(
        json!({ "type": "string", "not": { "const": "x" } }),
        &[OpenAi, Anthropic, Gemini, Bedrock, Groq, Cerebras, Fireworks, Mistral, Cohere],
    );
    refused(&holding(&json!({ "type": "string", "nullable": true })), &ALL, "`nullable` is not taken");
    let tuple = json!({ "type": "array", "prefixItems": [{ "type": "string" }] });
    let tuple = holding(&tuple);
    refused(
        &tuple,
        &[OpenAi, Anthropic, Bedrock, Groq, Fireworks, LlamaCpp, Mistral, Cohere],
        "`prefixItems` is not taken",
    );
    taken(&tuple, &[Gemini, Xai]);
    let map = json!({ "type": "object", "patternProperties": { "^a": { "type": "string" } } });
    refused(&map, &ALL, "`patternProperties` is not taken");
    refused(&json!({ "type": "object", "maxProperties": 3 }), &[OpenAi, Anthropic], "`maxProperties` is not taken");
    taken(&json!({ "type": "object", "maxProperties": 3 }), &[Xai]);
}

#[test]
fn annotations() {
    refused_by_these_only(
        &holding(&json!({ "type": "string", "default": "x" })),
        &[OpenAi, Mistral, Cerebras],
        "`default` is not taken",
    );
    refused_by_these_only(
        &holding(&json!({ "type": "string", "title": "x", "description": "y" })),
        &[Cerebras],
        "`description` is not taken",
    );
    let with = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "x-note": 1, "type": "object",
        "additionalProperties": false });
    taken(&with, &ALL);
}

#[test]
fn roots() {
    let objects = [OpenAi, Anthropic, Bedrock, Groq, Cerebras, Xai, Mistral, Cohere];
    refused_by_these_only(&json!({ "type": "string" }), &objects, "the root is not `type: object`");
    refused(&json!({ "type": ["object", "null"] }), &objects, "the root is not `type: object`");
    let mut combined = object(&json!({}));
    combined["anyOf"] = json!([object(&json!({}))]);
    refused(&combined, &[OpenAi, Anthropic, Bedrock, Groq, Cerebras, Mistral, Cohere], "`anyOf` at the root");
    taken(&combined, &[Gemini, Xai, Fireworks]);
    let mut listed = object(&json!({}));
    listed["enum"] = json!(["x"]);
    refused(&listed, &[OpenAi, Groq, Cerebras, Mistral, Cohere], "`enum` at the root");
    taken(&listed, &[Anthropic, Bedrock]);
}

#[test]
fn closed_objects() {
    let open = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    refused_by_these_only(&open, &CLOSED, "`additionalProperties` may not be left out");
    let mut with = open.clone();
    with["additionalProperties"] = json!(true);
    let mut refusing = CLOSED.to_vec();
    refusing.push(LlamaCpp);
    refused_by_these_only(&with, &refusing, "`additionalProperties` may not be true");
    with["additionalProperties"] = json!({ "type": "string" });
    let mut refusing = CLOSED.to_vec();
    refusing.push(Xai);
    refused_by_these_only(&with, &refusing, "`additionalProperties` may not be a schema");
    refused(&holding(&open), &CLOSED, "`additionalProperties` may not be left out");
    // What is in it is asked for as well.
    with["additionalProperties"] = json!({ "type": "string", "uniqueItems": true });
    refused(&with, &[Gemini, Fireworks, Cohere], "#/additionalProperties: `uniqueItems` is not taken");
}

#[test]
fn required_properties() {
    let all = [OpenAi, Groq, Cerebras, Mistral];
    let mut schema = object(&json!({ "a": { "type": "string" }, "b": { "type": "string" } }));
    schema["required"] = json!(["a"]);
    refused_by_these_only(&schema, &all, "\"b\" is not required");
    schema["required"] = json!(["a", "b", "c"]);
    refused(&schema, &all, "\"c\" is required and no property");
}

#[test]
fn lists_of_types() {
    refused_by_these_only(&holding(&json!({ "type": ["string", "null"] })), &[Cerebras], "a list of types");
    refused(&holding(&json!({ "type": "any" })), &ALL, "`type` is \"any\"");
    refused(&holding(&json!({ "type": [] })), &[OpenAi, Anthropic, Gemini], "`type` has no types");
}

#[test]
fn untyped_places() {
    let typed = [OpenAi, Anthropic, Gemini, Bedrock, Groq, Cerebras, Mistral];
    refused_by_these_only(&holding(&json!({})), &typed, "#/properties/a: untyped");
    refused(&holding(&json!({ "description": "x" })), &typed, "#/properties/a: untyped");
    refused(&holding(&json!({ "items": { "type": "string" } })), &typed, "#/properties/a: untyped");
    refused(&holding(&json!({ "type": "array", "items": {} })), &typed, "#/properties/a/items: untyped");
    taken(&holding(&json!({ "enum": ["x"] })), &ALL);
}

#[test]
fn booleans_in_place_of_schemas() {
    refused(&holding(&json!(true)), &ALL, "#/properties/a: `true` in place of a schema");
    let list = json!({ "type": "array", "items": false });
    refused(&holding(&list), &ALL, "`false` in place of a schema");
    refused(&json!(true), &ALL, "#: `true` in place of a schema");
    let tuple = |items: &Value| json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": items });
    taken(&holding(&tuple(&json!(false))), &[Cerebras]);
    refused(&holding(&tuple(&json!({ "type": "string" }))), &[Cerebras], "`prefixItems` without `items: false`");
    refused(&holding(&tuple(&json!(true))), &[Cerebras], "`true` in place of a schema");
}

#[test]
fn items() {
    let bare = holding(&json!({ "type": "array" }));
    refused_by_these_only(&bare, &[OpenAi, Mistral], "an array without `items`");
    let listed = holding(&json!({ "type": "array", "items": [{ "type": "string" }] }));
    refused(&listed, &ALL, "`items` is a list");
}

#[test]
fn literals() {
    refused_by_these_only(
        &holding(&json!({ "enum": ["x", null] })),
        &[Gemini],
        "`enum` may not have a value such as null",
    );
    refused(&holding(&json!({ "enum": [true] })), &[Gemini], "`enum` may not have a value such as true");
    let object = holding(&json!({ "enum": [{ "x": 1 }] }));
    refused(&object, &[OpenAi, Anthropic, Gemini, Bedrock], "`enum` may not have a value such as {\"x\":1}");
    taken(&object, &[LlamaCpp]);
    refused(&holding(&json!({ "const": [] })), &[OpenAi, Anthropic], "`const` may not be a value such as []");
    refused(&holding(&json!({ "enum": [] })), &ALL, "`enum` is empty");
}

#[test]
fn combinations() {
    let member = json!({ "type": "string" });
    let six = holding(&json!({ "anyOf": vec![&member; 6] }));
    refused(&six, &[Cerebras], "`anyOf` has more than 5 members");
    taken(&six, &[OpenAi, Anthropic, Gemini]);
    refused(&holding(&json!({ "anyOf": [] })), &ALL, "`anyOf` is empty");
    let mut beside = object(&json!({}));
    beside["anyOf"] = json!([object(&json!({}))]);
    refused(&holding(&beside), &[LlamaCpp], "`anyOf` beside `properties`");
    taken(&holding(&beside), &[OpenAi, Anthropic]);
    let mut schema = holding(&json!({ "allOf": [{ "$ref": "#/$defs/x" }] }));
    schema["$defs"] = json!({ "x": { "type": "string" } });
    refused(&schema, &[Anthropic, Bedrock], "`$ref` inside `allOf`");
    taken(&schema, &[Fireworks, Xai]);
}

fn referring(reference: &Value) -> Value {
    let mut schema = holding(reference);
    schema["$defs"] = json!({ "x": { "type": "string" }, "y~": { "type": "string" } });
    schema
}

#[test]
fn references() {
    let refers = [OpenAi, Anthropic, Gemini, Bedrock, Cerebras, Xai, Fireworks, LlamaCpp, Mistral, Cohere];
    taken(&referring(&json!({ "$ref": "#/$defs/x" })), &refers);
    taken(&referring(&json!({ "$ref": "#/$defs/y~0" })), &refers);
    refused(&referring(&json!({ "$ref": "#/$defs/x" })), &[Groq], "`$ref` is not taken");
    let away = |target: &str, rule: &str| refused(&referring(&json!({ "$ref": target })), &refers, rule);
    away("#/$defs/z", "`$ref` to \"#/$defs/z\", which is not there");
    away("#/properties/a", "`$ref` is not to a definition");
    away("https://example.com/x", "`$ref` is not to a definition");
    away("#x", "`$ref` is not to a definition");
    let mut old = holding(&json!({ "$ref": "#/definitions/x" }));
    old["definitions"] = json!({ "x": { "type": "string" } });
    refused_by_these_only(&old, &[Gemini, Groq, Cerebras], "`definitions` is not taken");
    refused(&old, &[Gemini, Cerebras], "`$ref` is not to a definition");
}

#[test]
fn beside_references() {
    let described = referring(&json!({ "$ref": "#/$defs/x", "description": "x" }));
    refused(&described, &[OpenAi, Anthropic, Gemini, Bedrock, Mistral], "`description` beside `$ref`");
    taken(&described, &[Xai, Fireworks, LlamaCpp, Cohere]);
    let noted = referring(&json!({ "$ref": "#/$defs/x", "$comment": "x" }));
    refused(&noted, &[OpenAi, Anthropic, Bedrock], "`$comment` beside `$ref`");
    taken(&noted, &[Gemini]);
    taken(&json!({ "$ref": "#/$defs/x", "$defs": { "x": { "type": "string" } } }), &[Gemini]);
}

#[test]
fn recursion() {
    let optional = |required: &[&str]| {
        let node = json!({ "type": "object", "additionalProperties": false, "required": required,
            "properties": { "next": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] } } });
        let mut schema = holding(&json!({ "$ref": "#/$defs/node" }));
        schema["$defs"] = json!({ "node": node });
        schema
    };
    let rule = "`$ref` to \"#/$defs/node\" is recursive";
    refused(&optional(&["next"]), &[Anthropic, Bedrock, Gemini, Cerebras, Xai], rule);
    taken(&optional(&["next"]), &[OpenAi, Fireworks, LlamaCpp, Mistral]);
    taken(&optional(&[]), &[Gemini]);
    refused(&optional(&[]), &[Anthropic, Bedrock], rule);
    // Through the root, and through two definitions: one optional property on the way is enough.
    let root = holding(&json!({ "type": "array", "items": { "$ref": "#" } }));
    refused(&root, &[Anthropic, Gemini, Bedrock], "`$ref` to \"#\" is recursive");
    taken(&root, &[OpenAi]);
    let mut mutual = holding(&json!({ "$ref": "#/$defs/x" }));
    mutual["$defs"] = json!({
        "x": holding(&json!({ "$ref": "#/$defs/y" })),
        "y": { "type": "object", "properties": { "a": { "$ref": "#/$defs/x" } }, "additionalProperties": false },
    });
    refused(&mutual, &[Anthropic], "#/$defs/y/properties/a: `$ref` to \"#/$defs/x\" is recursive");
    taken(&mutual, &[Gemini]);
}

#[test]
fn formats() {
    let format = |kind: &str, format: &str| holding(&json!({ "type": kind, "format": format }));
    let nobody = [Groq, Cerebras, Fireworks];
    refused(&format("string", "date-time"), &nobody, "is not taken");
    taken(&format("string", "date-time"), &[OpenAi, Anthropic, Gemini, Bedrock, Xai, LlamaCpp, Mistral, Cohere]);
    refused(&format("string", "uuid"), &[Gemini], "`format: uuid` is not taken");
    taken(&format("string", "uuid"), &[OpenAi, Anthropic, LlamaCpp]);
    refused(&format("string", "uri"), &[OpenAi, Gemini, LlamaCpp], "`format: uri` is not taken");
    taken(&format("string", "uri"), &[Anthropic, Bedrock, Xai]);
    refused(&format("integer", "int32"), &[OpenAi, Anthropic, Gemini], "`format: int32` is not taken");
    refused(&format("integer", "date"), &[OpenAi, Anthropic, Gemini], "`format: date` is not taken");
    taken(&format("integer", "int32"), &[Xai, LlamaCpp]);
}

#[test]
fn patterns() {
    let pattern = |pattern: &str| holding(&json!({ "type": "string", "pattern": pattern }));
    let regular = [Anthropic, Bedrock, Xai];
    taken(&pattern(r"^[a-z]{1,64}\.\d+$"), &[OpenAi, Anthropic, Bedrock, Xai, LlamaCpp, Mistral, Cohere]);
    refused(&pattern("^(?!a)b$"), &regular, "`pattern` has look-around");
    refused(&pattern("^(?<=a)b$"), &[OpenAi, Mistral], "`pattern` has look-around");
    refused(&pattern(r"^(a)\1$"), &regular, "`pattern` has a back-reference");
    refused(&pattern(r"^\bb$"), &regular, "`pattern` has a word boundary");
    refused(&pattern("^b{1,1000}$"), &regular, "`pattern` has a big repetition");
    taken(&pattern(r"^\\b(a)\\1$"), &regular);
    refused(&pattern("b"), &[LlamaCpp], "`pattern` has no `^` before and `$` after all of it");
}

#[test]
fn ranges_and_counts() {
    let number = holding(&json!({ "type": "number", "minimum": 0 }));
    refused(&number, &[LlamaCpp], "`minimum` for something else than integers");
    taken(&number, &[OpenAi, Gemini, Xai]);
    let list = |count: u64| holding(&json!({ "type": "array", "items": { "type": "string" }, "minItems": count }));
    taken(&list(1), &[Anthropic, Bedrock, OpenAi, Xai]);
    refused(&list(2), &[Anthropic, Bedrock], "`minItems` is over 1");
    refused(&list(257), &[Xai], "`minItems` is over 256");
    refused(&holding(&json!({ "type": "string", "maxLength": 2049 })), &[Xai], "`maxLength` is over 2048");
}

#[test]
fn names_of_properties() {
    for name in ["@type", "a b", "", "ü", "a/b", &"a".repeat(65)] {
        let schema = object(&json!({ name: { "type": "string" } }));
        refused_by_these_only(&schema, &[Anthropic], &format!("a property may not be called {name:?}"));
    }
    taken(&object(&json!({ "a_b.c-1": { "type": "string" } })), &[Anthropic]);
}

/// A closed object of this many properties.
fn wide(count: usize, part: &Value) -> Value {
    object(&(0..count).map(|at| (format!("p{at}"), part.clone())).collect())
}

#[test]
fn limits_of_size() {
    let text = json!({ "type": "string" });
    taken(&wide(5_000, &text), &[OpenAi, Groq, Mistral]);
    refused(&wide(5_001, &text), &[OpenAi], "5001 properties, over 5000");
    refused(&wide(501, &text), &[Cerebras], "501 properties, over 500");
    taken(&wide(100, &text), &[Cerebras]);
    refused(&wide(200, &text), &[Cerebras], "characters, over 5000");
    let names = object(&json!({ "a".repeat(120_001): { "type": "string" } }));
    refused(&names, &[OpenAi], "120001 characters of names and values, over 120000");
    let values = holding(&json!({ "const": "é".repeat(119_999) }));
    taken(&values, &[OpenAi]);
}

#[test]
fn limits_of_enums() {
    let listed = |count: usize, length: usize| {
        let values: Vec<String> = (0..count).map(|at| format!("{at:0length$}")).collect();
        json!({ "type": "string", "enum": values })
    };
    taken(&holding(&listed(1_000, 15)), &[OpenAi]);
    refused(&holding(&listed(1_001, 4)), &[OpenAi], "1001 values of `enum`, over 1000");
    let two = object(&json!({ "a": listed(600, 4), "b": listed(600, 4) }));
    refused(&two, &[OpenAi], "1200 values of `enum`, over 1000");
    taken(&holding(&listed(250, 61)), &[OpenAi]);
    refused(&holding(&listed(251, 60)), &[OpenAi], "15060 characters of one long `enum`, over 15000");
    refused(&holding(&listed(251, 30)), &[Cerebras], "7530 characters of one long `enum`, over 7500");
    refused(&holding(&listed(501, 3)), &[Cerebras], "501 values of `enum`, over 500");
}

fn deep(levels: usize) -> Value {
    (1..levels).fold(object(&json!({})), |inner, _| holding(&inner))
}

#[test]
fn limits_of_depth() {
    taken(&deep(10), &[OpenAi, Cerebras]);
    refused(&deep(11), &[OpenAi, Cerebras], "11 levels, over 10");
    taken(&deep(11), &[Anthropic, Gemini, Groq, Mistral]);
    let list = holding(&json!({ "type": "array", "items": holding(&json!({ "type": "string" })) }));
    assert_eq!((lenient(&list), careful(&list)), (2, 3));
    let mut referring = deep(3);
    referring["properties"]["b"] = json!({ "$ref": "#/$defs/x" });
    referring["$defs"] = json!({ "x": holding(&json!({ "$ref": "#/$defs/y" })), "y": deep(4) });
    assert_eq!((lenient(&referring), careful(&referring)), (4, 6));
    // References round a loop are not followed.
    referring["$defs"]["y"] = holding(&json!({ "anyOf": [{ "$ref": "#/$defs/x" }, deep(5)] }));
    assert_eq!(careful(&referring), 3);
}

#[test]
fn limits_of_anthropic() {
    let mut schema = wide(25, &json!({ "type": "string" }));
    schema["required"] = json!([]);
    refused(&schema, &[Anthropic], "25 optional properties, over 24");
    taken(&schema, &[Bedrock, Gemini]);
    schema["required"] = json!(["p0"]);
    taken(&schema, &[Anthropic]);
    // What is optional in definitions counts as well.
    schema["$defs"] = json!({ "x": { "type": "object", "properties": { "a": { "type": "string" } },
        "additionalProperties": false } });
    refused(&schema, &[Anthropic], "25 optional properties, over 24");
    let either = json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] });
    taken(&wide(16, &either), &[Anthropic]);
    refused(&wide(17, &either), &[Anthropic], "17 unions, over 16");
    taken(&wide(17, &either), &[Bedrock]);
    refused(&wide(17, &json!({ "type": ["string", "null"] })), &[Anthropic], "17 unions, over 16");
    taken(&wide(17, &json!({ "anyOf": [{ "type": "string" }] })), &[Anthropic]);
}
