//! The canonical schema in the form that a dialect takes.

use std::fmt;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::dialect::{Dialect, Rules};
use super::lift::Lift;

/// A schema as it goes out, written once, and the way back for the answer.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) schema: Box<RawValue>,
    /// The provider can enforce it.
    pub(crate) strict: bool,
    pub(crate) lift: Lift,
}

/// A schema that a dialect has no words for.
#[derive(Debug)]
pub(crate) struct Unlowerable {
    pointer: String,
    why: &'static str,
}

impl fmt::Display for Unlowerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.why, if self.pointer.is_empty() { "the root" } else { &self.pointer })
    }
}

/// Lowers a canonical schema. Properties keep their order.
pub(crate) fn lower(schema: &Value, dialect: Dialect) -> Result<Lowered, Unlowerable> {
    let (rooted, lift) = root_object(schema);
    let Some(rules) = dialect.rules() else {
        return Ok(finish(&rooted, false, lift));
    };
    let mut strict = rooted.clone();
    let restricted = match recursive(&rooted).filter(|_| !rules.recursion) {
        Some(pointer) => {
            Err(Unlowerable { pointer, why: "a recursive type can't be said in this provider's structured output" })
        }
        None => restrict(&mut strict, rules, &mut String::new()),
    };
    match restricted {
        Ok(()) => Ok(finish(&strict, true, lift)),
        Err(_) if rules.lax => Ok(finish(&rooted, false, lift)),
        Err(why) => Err(why),
    }
}

fn finish(schema: &Value, strict: bool, lift: Lift) -> Lowered {
    let schema = serde_json::value::to_raw_value(schema).unwrap_or_else(|_| RawValue::NULL.to_owned());
    Lowered { schema, strict, lift }
}

/// Tools and structured outputs want an object at the root: anything else is wrapped in one.
fn root_object(schema: &Value) -> (Value, Lift) {
    let mut root = schema.clone();
    strip_local(&mut root);
    let Some(map) = root.as_object_mut() else {
        return (wrap(root, Map::new()), Lift::Wrapped);
    };
    // What the root says about itself travels beside the schema, as name and description.
    for key in ["$schema", "$id", "title"] {
        map.shift_remove(key);
    }
    if map.get("type") == Some(&json!("object"))
        && !["anyOf", "oneOf", "allOf", "$ref"].iter().any(|k| map.contains_key(*k))
    {
        map.shift_remove("description");
        return (root, Lift::Same);
    }
    // References count from the root, so definitions move out of the wrapped schema.
    let mut outer = Map::new();
    for key in ["$defs", "definitions"] {
        if let Some(defs) = map.shift_remove(key) {
            outer.insert(String::from(key), defs);
        }
    }
    reroot(&mut root);
    (wrap(root, outer), Lift::Wrapped)
}

/// Leaves out the keywords that only the reader of answers understands; a property may have such a name.
fn strip_local(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|key, _| !key.starts_with("x-"));
            for (key, inner) in map.iter_mut() {
                match inner {
                    Value::Object(named) if NAMED.contains(&key.as_str()) => named.values_mut().for_each(strip_local),
                    inner => strip_local(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(strip_local),
        _ => {}
    }
}

/// Keywords whose keys are names and not keywords.
const NAMED: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

fn wrap(inner: Value, outer: Map<String, Value>) -> Value {
    let mut root = json!({ "type": "object", "properties": { Lift::KEY: inner }, "required": [Lift::KEY] });
    if let Some(map) = root.as_object_mut() {
        map.extend(outer);
    }
    root
}

/// References to the old root lead to where it stands now.
fn reroot(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("$ref") == Some(&json!("#")) {
                map.insert(String::from("$ref"), Value::from(format!("#/properties/{}", Lift::KEY)));
            }
            map.values_mut().for_each(reroot);
        }
        Value::Array(list) => list.iter_mut().for_each(reroot),
        _ => {}
    }
}

/// A definition that leads back to itself, if there is one. The root counts as one.
fn recursive(root: &Value) -> Option<String> {
    fn leads(root: &Value, schema: &Value, open: &mut Vec<String>, done: &mut Vec<String>) -> bool {
        match schema {
            Value::Object(map) => {
                if let Some(pointer) = map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#')) {
                    if open.iter().any(|o| o == pointer) {
                        return true;
                    }
                    if let (false, Some(target)) = (done.iter().any(|d| d == pointer), root.pointer(pointer)) {
                        open.push(String::from(pointer));
                        let back = leads(root, target, open, done);
                        if back {
                            return true;
                        }
                        done.extend(open.pop());
                    }
                }
                map.iter().any(|(key, inner)| key != "$defs" && leads(root, inner, open, done))
            }
            Value::Array(list) => list.iter().any(|inner| leads(root, inner, open, done)),
            _ => false,
        }
    }
    let mut open = vec![String::new()];
    leads(root, root, &mut open, &mut Vec::new()).then(|| open.pop().unwrap_or_default())
}

/// Keywords that say nothing a provider needs.
const SILENT: &[&str] =
    &["$schema", "$id", "$comment", "title", "default", "examples", "deprecated", "readOnly", "writeOnly"];

/// Keywords whose meaning no dialect here has and no description can carry.
const STRUCTURAL: &[&str] = &[
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "contains",
    "allOf",
];

/// Constraints that can move into the description.
const MOVABLE: &[&str] = &[
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "format",
];

fn restrict(schema: &mut Value, rules: &Rules, at: &mut String) -> Result<(), Unlowerable> {
    let refuse = |at: &str, why| Err(Unlowerable { pointer: String::from(at), why });
    let Some(map) = schema.as_object_mut() else {
        return refuse(at, "a schema that takes anything can't be said in this provider's structured output");
    };
    map.retain(|key, _| !SILENT.contains(&key.as_str()));
    if let Some(one_of) = map.shift_remove("oneOf") {
        // Exactly one or at least one: the answer is checked for the difference here.
        map.insert(String::from("anyOf"), one_of);
    }
    if STRUCTURAL.iter().any(|key| map.contains_key(*key)) {
        return refuse(at, "a keyword of this schema can't be said in this provider's structured output");
    }
    if map.contains_key("$ref") {
        // Nothing may stand beside a reference, so what is said about it stands around it.
        let described = map.contains_key("description").then(|| map.shift_remove("$ref")).flatten();
        match described {
            Some(target) => {
                map.retain(|key, _| key == "description" || key == "$defs");
                map.insert(String::from("anyOf"), json!([{ "$ref": target }]));
            }
            None => map.retain(|key, _| key == "$ref" || key == "$defs"),
        }
    }
    if ["type", "anyOf", "enum", "const", "$ref"].iter().all(|key| !map.contains_key(*key)) {
        return refuse(at, "a schema that takes anything can't be said in this provider's structured output");
    }
    move_to_description(map, rules);
    object(map, rules, at)?;
    let depth = at.len();
    for key in ["items", "anyOf", "properties", "$defs"] {
        let Some(inner) = map.get_mut(key) else { continue };
        let mut go = |step: &str, inner: &mut Value| {
            at.push('/');
            at.push_str(key);
            at.push_str(step);
            let result = restrict(inner, rules, at);
            at.truncate(depth);
            result
        };
        match inner {
            Value::Array(list) => {
                for (i, inner) in list.iter_mut().enumerate() {
                    go(&format!("/{i}"), inner)?;
                }
            }
            Value::Object(named) if key != "items" => {
                for (name, inner) in named.iter_mut() {
                    go(&format!("/{name}"), inner)?;
                }
            }
            inner => go("", inner)?,
        }
    }
    Ok(())
}

fn object(map: &mut Map<String, Value>, rules: &Rules, at: &str) -> Result<(), Unlowerable> {
    let refuse = |why| Err(Unlowerable { pointer: String::from(at), why });
    if map.get("type").is_some_and(|t| *t == "array") && !map.contains_key("items") {
        return refuse("an array of anything can't be said in this provider's structured output");
    }
    if map.get("type").is_none_or(|t| *t != "object") {
        return Ok(());
    }
    match map.get("additionalProperties") {
        None | Some(Value::Bool(false)) => {}
        Some(_) => return refuse("a map with free keys can't be said in this provider's structured output"),
    }
    if map.contains_key("anyOf") {
        return refuse("an object that is also a union can't be said in this provider's structured output");
    }
    if !map.contains_key("properties") {
        return refuse("an object with any keys can't be said in this provider's structured output");
    }
    if rules.closed {
        map.insert(String::from("additionalProperties"), Value::Bool(false));
    }
    if rules.all_required {
        let properties = map.get("properties").and_then(Value::as_object);
        let names: Vec<Value> = properties.into_iter().flat_map(Map::keys).map(|k| Value::from(k.as_str())).collect();
        let required = map.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let takes_null = |name: &Value| {
            name.as_str().and_then(|name| properties?.get(name)).is_some_and(admits_null) || required.contains(name)
        };
        // A property that may be absent can only be required here if null says the same.
        if !names.iter().all(takes_null) {
            return refuse(
                "a property that may be left out but not null can't be said in this provider's structured output",
            );
        }
        map.insert(String::from("required"), Value::Array(names));
    }
    Ok(())
}

fn admits_null(schema: &Value) -> bool {
    let null = |v: &Value| *v == "null";
    schema.get("type").is_some_and(|t| null(t) || t.as_array().is_some_and(|list| list.iter().any(null)))
        || schema.get("anyOf").and_then(Value::as_array).is_some_and(|list| list.iter().any(admits_null))
}

fn move_to_description(map: &mut Map<String, Value>, rules: &Rules) {
    let mut moved = Vec::new();
    for key in MOVABLE {
        let Some(value) = map.get(*key) else { continue };
        let taken = match *key {
            "format" => value.as_str().is_some_and(|f| rules.formats.contains(&f)),
            key => rules.keywords.contains(&key),
        };
        if !taken {
            // Integer widths say nothing to a model that the bounds beside them do not.
            let width = *key == "format" && value.as_str().is_some_and(|f| f.contains("int"));
            if !width {
                moved.push(format!("{key}: {value}"));
            }
            map.shift_remove(*key);
        }
    }
    if moved.is_empty() {
        return;
    }
    let before = map.get("description").and_then(Value::as_str).map(|d| format!("{d} ")).unwrap_or_default();
    map.insert(String::from("description"), Value::from(format!("{before}({})", moved.join(", "))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(schema: Value, dialect: Dialect) -> (Value, bool) {
        let lowered = lower(&schema, dialect).unwrap();
        (serde_json::from_str(lowered.schema.get()).unwrap(), lowered.strict)
    }

    #[test]
    fn a_scalar_root_is_wrapped_and_definitions_stay_at_the_root() {
        let schema =
            json!({ "type": "array", "items": { "$ref": "#/$defs/A" }, "$defs": { "A": { "type": "integer" } } });
        let (out, _) = lowered(schema, Dialect::Plain);
        assert_eq!(out["properties"]["value"], json!({ "type": "array", "items": { "$ref": "#/$defs/A" } }));
        assert_eq!(out["$defs"]["A"]["type"], "integer");
    }

    #[test]
    fn a_described_reference_keeps_its_description() {
        let schema = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/A", "description": "first" } },
            "required": ["a"], "$defs": { "A": { "type": "integer" } } });
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            let (out, strict) = lowered(schema.clone(), dialect);
            assert!(strict);
            assert_eq!(out["properties"]["a"], json!({ "description": "first", "anyOf": [{ "$ref": "#/$defs/A" }] }));
        }
    }

    #[test]
    fn local_keywords_stay_here() {
        let schema = json!({ "type": "object", "x-note": 1, "properties": {
            "x-ray": { "type": "string", "x-alias": ["ray"] } }, "required": ["x-ray"] });
        let (out, _) = lowered(schema, Dialect::Plain);
        assert_eq!(out["properties"], json!({ "x-ray": { "type": "string" } }));
        assert_eq!(out.get("x-note"), None);
    }

    #[test]
    fn openai_strict_closes_requires_and_moves() {
        let schema = json!({ "title": "User", "type": "object", "properties": {
            "name": { "type": "string", "minLength": 1 },
            "age": { "type": ["integer", "null"], "format": "uint8", "minimum": 0, "maximum": 255 },
        }, "required": ["name"] });
        let (out, strict) = lowered(schema, Dialect::OpenAi);
        assert!(strict);
        assert_eq!(
            out,
            json!({ "type": "object", "properties": {
            "name": { "type": "string", "description": "(minLength: 1)" },
            "age": { "type": ["integer", "null"], "minimum": 0, "maximum": 255 },
        }, "required": ["name", "age"], "additionalProperties": false })
        );
    }

    #[test]
    fn what_strict_cannot_say_goes_out_lax_or_is_refused() {
        let map = json!({ "type": "object", "properties": {
            "m": { "type": "object", "additionalProperties": { "type": "integer" } } }, "required": ["m"] });
        let (out, strict) = lowered(map.clone(), Dialect::OpenAi);
        assert!(!strict);
        assert_eq!(out, map);
        let why = lower(&map, Dialect::Anthropic).unwrap_err().to_string();
        assert!(why.contains("/properties/m"), "{why}");
    }

    #[test]
    fn properties_keep_their_order() {
        let schema = json!({ "type": "object", "properties": { "z": { "type": "string" }, "a": { "type": "string" } },
            "required": ["z", "a"] });
        for dialect in [Dialect::Plain, Dialect::OpenAi, Dialect::Anthropic] {
            let text = lower(&schema, dialect).unwrap().schema.get().to_owned();
            assert!(text.find("\"z\"") < text.find("\"a\""), "{text}");
        }
    }
}
