//! Schema, value, issues: word by word. And what no case in a file can say.

use std::fs;
use std::path::Path;

use instructor_json::Document;
use serde_json::{Value, json};

use super::super::Checker;
use super::referee::Referee;
use super::{issues, text_issues};

/// With `INSTRUCTOR_BLESS` set, the issues in the files are written anew, to be read in the diff.
#[test]
fn cases_have_their_issues() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/check"));
    let mut count = 0;
    let mut wrong = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut cases: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for case in cases.as_array_mut().unwrap() {
            let name = case["name"].as_str().unwrap_or_default().to_owned();
            let checker = Checker::compile(&case["schema"]).unwrap();
            // `text` is for values that a tree of values does not keep, such as duplicate keys and long numbers.
            let found = match case.get("text").and_then(Value::as_str) {
                Some(text) => text_issues(&checker, text),
                None => issues(&checker, &case["value"]),
            };
            let referee = Referee::new(&case["schema"], false);
            let strict = case.get("format").is_none() && case.get("text").is_none();
            if let Some(referee) = referee.filter(|_| strict) {
                assert_eq!(referee.is_valid(&case["value"]), found.is_empty(), "{name}: {found:?}");
            }
            if case["issues"] != json!(found) {
                wrong.push_str(&format!("{name}:\n  {}\n  {}\n", case["issues"], json!(found)));
                case["issues"] = json!(found);
            }
            count += 1;
        }
        if std::env::var_os("INSTRUCTOR_BLESS").is_some() {
            fs::write(&path, render(&cases)).unwrap();
            wrong.clear();
        }
    }
    assert!(count >= 30, "{count} cases");
    assert!(wrong.is_empty(), "{wrong}");
}

/// A line for each schema, value and issue.
fn render(cases: &Value) -> String {
    let mut out = String::from("[\n");
    for (i, case) in cases.as_array().unwrap().iter().enumerate() {
        out.push_str(if i > 0 { ",\n  {\n" } else { "  {\n" });
        for (key, value) in case.as_object().unwrap() {
            let list = value.as_array().filter(|list| key == "issues" && !list.is_empty());
            let text = match list {
                Some(list) => {
                    let lines: Vec<String> = list.iter().map(|issue| format!("      {issue}")).collect();
                    format!("[\n{}\n    ]\n", lines.join(",\n"))
                }
                None if key == "issues" => String::from("[]\n"),
                None => format!("{value},\n"),
            };
            out.push_str(&format!("    \"{key}\": {text}"));
        }
        out.push_str("  }");
    }
    out.push_str("\n]\n");
    out
}

#[test]
fn what_is_not_supported_is_said_with_its_place() {
    let cases = [
        (json!({"properties": {"a": {"$dynamicRef": "#x"}}}), "/properties/a/$dynamicRef"),
        (json!({"$ref": "https://example.com/other.json"}), "/$ref"),
        (json!({"items": {"$ref": "other.json#/a"}}), "/items/$ref"),
        (json!({"$ref": "#/$defs/none"}), "/$ref"),
        (json!({"properties": {"a/b": {"pattern": "(?=x)"}}}), "/properties/a~1b/pattern"),
        (json!({"patternProperties": {"\\p{L}": true}}), "/patternProperties/\\p{L}"),
        (json!({"type": "float"}), "/type"),
        (json!({"multipleOf": 0}), "/multipleOf"),
        (json!({"properties": {"a": 5}}), "/properties/a"),
        (json!({"$schema": "https://example.com/meta"}), "/$schema"),
        (json!({"$ref": "#"}), ""),
        (
            json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "items": {"$ref": "#/$defs/a"}}),
            "/$defs/a/anyOf/0",
        ),
    ];
    for (schema, pointer) in cases {
        let error = Checker::compile(&schema).unwrap_err();
        assert_eq!(error.pointer, pointer, "{schema}: {error}");
    }
}

#[test]
fn deep_answers_fit_on_the_stack_of_a_thread() {
    let around = |inner: Value, times: usize| (0..times).fold(inner, |inner, _| json!({"allOf": [inner]}));
    let schema = move |times| {
        let next = json!({"anyOf": [around(json!({"$ref": "#"}), times), {"type": "null"}, {"type": "integer"}]});
        json!({"type": "object", "properties": {"next": next}})
    };
    let good = format!("{}null{}", "{\"next\":".repeat(127), "}".repeat(127));
    let bad = good.replace("null", "true");
    let check = move || {
        let checker = Checker::compile(&schema(1)).unwrap();
        assert_eq!(text_issues(&checker, &good), [""; 0]);
        let found = text_issues(&checker, &bad);
        assert!(found.len() == 1 && found[0].ends_with("wanted an object, null or an integer"), "{found:?}");
        let checker = Checker::compile(&schema(20)).unwrap();
        assert_eq!(text_issues(&checker, &good).len(), 1);
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn schemas_that_try_everything_twice_take_no_exponential_time() {
    let schemas = [
        json!({"anyOf": [{"properties": {"n": {"$ref": "#"}}, "required": ["x"]},
                          {"properties": {"n": {"$ref": "#"}}, "required": ["y"]}]}),
        json!({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
               "$defs": {"a": {"properties": {"n": {"$ref": "#"}}}, "b": {"properties": {"n": {"$ref": "#"}}}}}),
        json!({"properties": {"n": {"$ref": "#"}}, "patternProperties": {"n": {"$ref": "#"}}, "additionalProperties": {"type": "null"}}),
    ];
    let text = format!("{}{{\"z\":1}}{}", "{\"n\":".repeat(100), "}".repeat(100));
    let document = Document::parse(&text).unwrap();
    for schema in schemas {
        let checker = Checker::compile(&schema).unwrap();
        let verdict = checker.accepts(document.root());
        assert_eq!(checker.check(document.root()).is_empty(), verdict);
    }
}

#[test]
fn a_chain_of_schemas_for_one_value_is_bounded() {
    let chain = |n: usize| {
        let mut definitions = serde_json::Map::new();
        for i in 0..n {
            let next = format!("#/$defs/{}", i + 1);
            definitions.insert(i.to_string(), json!({"allOf": [{"$ref": next}, {"$ref": next}]}));
        }
        definitions.insert(n.to_string(), json!({"type": "null"}));
        json!({"$ref": "#/$defs/0", "$defs": definitions})
    };
    let checker = Checker::compile(&chain(28)).unwrap();
    assert_eq!(issues(&checker, &json!(null)), [""; 0]);
    assert_eq!(issues(&checker, &json!(1)), ["$: got 1, wanted null"]);
    assert!(Checker::compile(&chain(100)).unwrap_err().to_string().contains("too deeply"));
}

#[test]
fn large_arrays_are_compared_in_little_time() {
    let checker = Checker::compile(&json!({"uniqueItems": true})).unwrap();
    let mut items: Vec<Value> = (0..50_000).map(|i| json!({"a": i, "b": [i]})).collect();
    assert_eq!(issues(&checker, &json!(items)), [""; 0]);
    items.push(json!({"b": [7.0], "a": 7}));
    let text = "$[50000]: got {\"b\":[7.0],\"a\":7}, wanted no item twice (this is the same as item 7)";
    assert_eq!(issues(&checker, &json!(items)), [text]);
}
