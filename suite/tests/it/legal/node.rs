//! The one walk: every subschema, with where it stands.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// How a subschema is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    /// The value of `additionalProperties`.
    Extras,
    /// The value of `items`, and whether `prefixItems` is beside it.
    Items {
        tuple: bool,
    },
    /// In `$defs` or `definitions`.
    Definition,
    Other,
}

/// A subschema.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) pointer: String,
    pub(super) value: &'a Value,
    pub(super) place: Place,
    /// The objects around it within its definition, and itself if it is one.
    pub(super) objects: usize,
    /// The same, with arrays.
    pub(super) levels: usize,
    /// The definition that it is in, or the root.
    pub(super) home: String,
    /// Between it and its home is a property that is not required.
    pub(super) optional: bool,
    pub(super) in_all_of: bool,
}

impl<'a> Node<'a> {
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.value.get(keyword)
    }

    pub(super) fn map(&self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }
}

const ONE: &[&str] = &[
    "additionalProperties",
    "items",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "additionalItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
const LIST: &[&str] = &["anyOf", "oneOf", "allOf", "prefixItems", "items"];
const NAMED: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Every subschema of a schema, outer ones first.
pub(super) fn nodes(schema: &Value) -> Vec<Node<'_>> {
    let mut nodes = vec![Node {
        pointer: "#".to_owned(),
        value: schema,
        place: Place::Root,
        objects: usize::from(is_object(schema)),
        levels: level(schema),
        home: "#".to_owned(),
        optional: false,
        in_all_of: false,
    }];
    let mut next = 0;
    while let Some(node) = nodes.get(next).cloned() {
        nodes.extend(children(&node));
        next += 1;
    }
    nodes
}

fn children<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    let Some(map) = node.map() else { return Vec::new() };
    let wanted = required(node.value);
    let child = |keyword: &str, name: Option<&str>, value: &'a Value| child(node, &wanted, keyword, name, value);
    let mut children = Vec::new();
    for (keyword, value) in map {
        let keyword = keyword.as_str();
        match value {
            Value::Object(members) if NAMED.contains(&keyword) => {
                let members = members.iter().filter(|(_, member)| member.is_object() || member.is_boolean());
                children.extend(members.map(|(name, member)| child(keyword, Some(name), member)));
            }
            Value::Array(members) if LIST.contains(&keyword) => {
                let members = members.iter().enumerate();
                children.extend(members.map(|(at, member)| child(keyword, Some(&at.to_string()), member)));
            }
            Value::Object(_) | Value::Bool(_) if ONE.contains(&keyword) => {
                children.push(child(keyword, None, value));
            }
            _ => {}
        }
    }
    children
}

fn child<'a>(
    parent: &Node<'a>,
    wanted: &HashSet<&str>,
    keyword: &str,
    name: Option<&str>,
    value: &'a Value,
) -> Node<'a> {
    let place = match keyword {
        "additionalProperties" => Place::Extras,
        "items" if name.is_none() => Place::Items { tuple: parent.get("prefixItems").is_some() },
        "$defs" | "definitions" => Place::Definition,
        _ => Place::Other,
    };
    let pointer = match name {
        Some(name) => format!("{}/{keyword}/{}", parent.pointer, escaped(name)),
        None => format!("{}/{keyword}", parent.pointer),
    };
    let (objects, levels) = (usize::from(is_object(value)), level(value));
    if place == Place::Definition {
        let home = pointer.clone();
        return Node { pointer, value, place, objects, levels, home, optional: false, in_all_of: false };
    }
    let loose = keyword == "properties" && name.is_some_and(|name| !wanted.contains(name));
    Node {
        pointer,
        value,
        place,
        objects: parent.objects + objects,
        levels: parent.levels + levels,
        home: parent.home.clone(),
        optional: parent.optional || loose,
        in_all_of: parent.in_all_of || keyword == "allOf",
    }
}

/// A part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The keys that a schema wants.
pub(super) fn required(schema: &Value) -> HashSet<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether `type` is this, or has it.
pub(super) fn has_type(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|name| name == kind),
        _ => false,
    }
}

/// Whether a schema is for objects.
pub(super) fn is_object(schema: &Value) -> bool {
    has_type(schema, "object") || schema.get("properties").is_some_and(Value::is_object)
}

fn level(schema: &Value) -> usize {
    usize::from(is_object(schema) || has_type(schema, "array"))
}
