//! How large a lowered schema is, by the counts that providers limit.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::super::dialect::Rules;
use super::super::shape::{Id, Kind, Shapes};

#[derive(Debug, Default)]
pub(super) struct Size {
    /// Objects and arrays inside each other, references followed once.
    pub(super) depth: usize,
    pub(super) properties: usize,
    pub(super) unions: usize,
    pub(super) optional: usize,
    pub(super) values: usize,
    /// Of names and values.
    pub(super) characters: usize,
    /// Of the whole schema.
    pub(super) text: usize,
}

impl Size {
    pub(super) const fn fits(&self, rules: &Rules) -> bool {
        let limits = &rules.limits;
        let optional = match rules.optional {
            super::Optional::Native(most) => self.optional <= most,
            super::Optional::Required => self.optional == 0,
        };
        optional
            && self.depth <= limits.depth
            && self.properties <= limits.properties
            && self.unions <= limits.unions
            && self.values <= limits.values
            && self.characters <= limits.characters
            && self.text <= limits.text
    }

    /// Enums that have to become strings besides those that are: the largest, until the rest is within the limits.
    pub(super) fn too_wide(&self, rules: &Rules, shapes: &Shapes, are: &HashSet<Id>) -> Vec<Id> {
        let limits = &rules.limits;
        if limits.values == usize::MAX {
            return Vec::new();
        }
        let length = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
        let mut lists: Vec<(usize, usize, Id)> = Vec::new();
        for (id, shape) in shapes.list.iter().enumerate() {
            if let Kind::Values(values) = &shape.kind
                && !are.contains(&id)
            {
                lists.push((values.len(), length(values), id));
            }
        }
        lists.sort_unstable();
        let mut over = self.values.saturating_sub(limits.values);
        let mut long = self.characters.saturating_sub(limits.characters);
        let mut wide = Vec::new();
        for (count, length, id) in lists.into_iter().rev() {
            let alone = count > limits.large_enum && length > limits.long_enum;
            if alone || over > 0 || (long > 0 && length > 1_000) {
                wide.push(id);
                over = over.saturating_sub(count);
                long = long.saturating_sub(length);
            }
        }
        wide
    }
}

pub(super) fn measure(schema: &Value, rules: &Rules) -> Size {
    // Written for its length only where that is limited.
    let text = if rules.limits.text == usize::MAX { 0 } else { schema.to_string().len() };
    let mut size = Size { text, ..Size::default() };
    count(schema, &mut size);
    let defs = schema.get("$defs").and_then(Value::as_object);
    size.depth = Heights { defs, known: HashMap::new() }.of(schema);
    size
}

fn count(schema: &Value, size: &mut Size) {
    let Value::Object(map) = schema else { return };
    let members = map.get("anyOf").and_then(Value::as_array).map_or(0, Vec::len);
    let listed = map.get("type").is_some_and(Value::is_array);
    size.unions += usize::from(members > 1) + usize::from(listed);
    if let Some(values) = map.get("enum").and_then(Value::as_array) {
        size.values += values.len();
        size.characters += values.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
    }
    let named = |key: &str| map.get(key).and_then(Value::as_object);
    if let Some(properties) = named("properties") {
        size.properties += properties.len();
        size.characters += properties.keys().map(String::len).sum::<usize>();
        let required = map.get("required").and_then(Value::as_array).map_or(0, Vec::len);
        size.optional += properties.len().saturating_sub(required);
    }
    size.characters += named("$defs").map_or(0, |defs| defs.keys().map(String::len).sum());
    for part in parts(map) {
        count(part, size);
    }
    for part in named("$defs").into_iter().flat_map(Map::values) {
        count(part, size);
    }
}

/// The schemas inside, without definitions.
fn parts(map: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "prefixItems"].into_iter().filter_map(|key| map.get(key)?.as_array()).flatten();
    let single = ["items", "additionalProperties"].into_iter().filter_map(|key| map.get(key));
    let named = map.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    lists.chain(single).chain(named)
}

struct Heights<'s> {
    defs: Option<&'s Map<String, Value>>,
    /// While a definition is being walked its height counts as none: a cycle is walked once.
    known: HashMap<&'s str, usize>,
}

impl<'s> Heights<'s> {
    fn of(&mut self, schema: &'s Value) -> usize {
        let Value::Object(map) = schema else { return 0 };
        if let Some(target) = map.get("$ref").and_then(Value::as_str) {
            // The root is being walked, so it is a cycle.
            let Some(name) = target.strip_prefix("#/$defs/") else { return 0 };
            if let Some(height) = self.known.get(name) {
                return *height;
            }
            self.known.insert(name, 0);
            let height = self.defs.and_then(|defs| defs.get(name)).map_or(0, |target| self.of(target));
            self.known.insert(name, height);
            return height;
        }
        let own = usize::from(
            ["properties", "items", "prefixItems", "additionalProperties"].iter().any(|key| map.contains_key(*key)),
        );
        own + parts(map).map(|part| self.of(part)).max().unwrap_or(0)
    }
}
