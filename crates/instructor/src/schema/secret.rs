//! Places whose values are not to be quoted: the schema marks them.

use std::collections::HashSet;

use instructor_json::Step;
use serde_json::Value;

use super::align::View;
use super::salvage::alternatives;
use crate::validate::Path;

/// The keyword that marks a value.
pub(crate) const SECRET: &str = "x-secret";

/// Whether quoting what stands at a place could show a marked value: it is one, or in one, or has one inside.
pub(crate) fn is_secret(root: &Value, to: &Path) -> bool {
    let mut here = vec![root];
    for step in to.steps() {
        let inside: Vec<View<'_>> = here.iter().flat_map(|schema| alternatives(schema, root, 0)).collect();
        if inside.iter().any(|view| view.secret) {
            return true;
        }
        let next = inside.iter().filter_map(|view| match &step {
            Step::Key(key) => view.property(key).or(view.additional),
            Step::Index(index) => view.item(*index),
        });
        let next: Vec<&Value> = next.filter(|schema| schema.is_object()).collect();
        // A place that the schema does not know is as what is around it: a key that is not right has a value, too.
        if next.is_empty() {
            break;
        }
        here = next;
    }
    holds(here, root)
}

fn holds<'s>(mut left: Vec<&'s Value>, root: &'s Value) -> bool {
    let mut seen: HashSet<*const Value> = HashSet::new();
    while let Some(schema) = left.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        match schema {
            Value::Object(map) => {
                if map.get(SECRET) == Some(&Value::Bool(true)) {
                    return true;
                }
                let target = map.get("$ref").and_then(Value::as_str);
                left.extend(target.and_then(|target| root.pointer(target.strip_prefix('#')?)));
                left.extend(map.iter().filter(|(key, _)| *key != "$defs" && *key != "definitions").map(|(_, v)| v));
            }
            Value::Array(list) => left.extend(list),
            _ => {}
        }
    }
    false
}
