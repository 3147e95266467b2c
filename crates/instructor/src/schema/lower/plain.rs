//! The schema as it is, with an object at its root: tool parameters and forms that are not enforced.

use serde_json::{Map, Value, json};

use super::super::plan::{Op, Plan, VALUE};

/// The schema with an object at its root, and the plan that takes the value out again.
pub(super) fn rooted(schema: &Value) -> (Value, Plan) {
    let mut plan = Plan::new();
    let mut root = schema.clone();
    strip_local(&mut root);
    let Some(map) = root.as_object_mut() else {
        plan.root = plan.push(Op::Wrap(Plan::SAME));
        return (wrap(root, Map::new()), plan);
    };
    // What the root says about itself travels beside the schema, as name and description.
    for key in ["$schema", "$id", "title"] {
        map.shift_remove(key);
    }
    let unions = ["anyOf", "oneOf", "allOf", "$ref"];
    if map.get("type") == Some(&json!("object")) && !unions.iter().any(|key| map.contains_key(*key)) {
        map.shift_remove("description");
        return (root, plan);
    }
    // References count from the root, so definitions move out of the wrapped schema.
    let mut outer = Map::new();
    for key in ["$defs", "definitions"] {
        if let Some(defs) = map.shift_remove(key) {
            outer.insert(String::from(key), defs);
        }
    }
    reroot(&mut root);
    outer.values_mut().for_each(reroot);
    plan.root = plan.push(Op::Wrap(Plan::SAME));
    (wrap(root, outer), plan)
}

fn wrap(inner: Value, outer: Map<String, Value>) -> Value {
    let mut root = json!({ "type": "object", "properties": { VALUE: inner }, "required": [VALUE] });
    if let Some(map) = root.as_object_mut() {
        map.extend(outer);
    }
    root
}

/// Leaves out the keywords that only the reader of answers understands; a property may have such a name.
fn strip_local(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|key, _| !key.starts_with("x-"));
            for (key, inner) in map.iter_mut() {
                match inner {
                    Value::Object(named) if NAMED.contains(&key.as_str()) => named.values_mut().for_each(strip_local),
                    _ if DATA.contains(&key.as_str()) => {}
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

/// Keywords whose values are no schemas.
const DATA: &[&str] = &["enum", "const", "default", "examples"];

/// References to the old root, and to places below it, lead to where they stand now.
fn reroot(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some(pointer) = target.strip_prefix('#')
                && (pointer.is_empty() || pointer.starts_with('/'))
                && !pointer.starts_with("/$defs/")
                && !pointer.starts_with("/definitions/")
            {
                *target = format!("#/properties/{VALUE}{pointer}");
            }
            map.values_mut().for_each(reroot);
        }
        Value::Array(list) => list.iter_mut().for_each(reroot),
        _ => {}
    }
}
