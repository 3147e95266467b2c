//! The rules that one subschema keeps or breaks by itself.

use serde_json::{Map, Value};

use super::node::{Node, Place, has_type, is_object, required};
use super::pattern;
use super::table::{ANNOTATIONS, Extras, Formats, Literals, Root, Rules, Siblings};

const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];
/// What says which values there are.
const SHAPES: &[&str] = &["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"];
const RANGES: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];

type Say<'a> = dyn FnMut(String) + 'a;

pub(super) fn check(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    let Some(map) = node.map() else { return boolean(node, rules, say) };
    for keyword in map.keys() {
        let annotates = ANNOTATIONS.contains(&keyword.as_str()) || keyword.starts_with("x-");
        let listed = rules.keywords.contains(&keyword.as_str());
        if !(listed || annotates) || rules.refused.contains(&keyword.as_str()) {
            say(format!("`{keyword}` is not taken"));
        }
    }
    root(node, rules, say);
    kind(node, rules, say);
    object(node, rules, say);
    array(node, rules, say);
    union(node, map, rules, say);
    literals(node, rules, say);
    reference(node, map, rules, say);
    scalar(node, rules, say);
    for (keyword, most) in rules.counts {
        if map.get(*keyword).and_then(Value::as_f64).is_some_and(|value| value > *most as f64) {
            say(format!("`{keyword}` is over {most}"));
        }
    }
}

/// `true` and `false` in place of a schema.
fn boolean(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    let Some(value) = node.value.as_bool() else { return say("not a schema".to_owned()) };
    match node.place {
        // The object that has it is asked for what it may be.
        Place::Extras => {}
        Place::Items { tuple: true } if !value && rules.closed_tuples => {}
        _ => say(format!("`{value}` in place of a schema")),
    }
}

fn root(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    let Root::Object(without) = rules.root else { return };
    if node.place != Place::Root {
        return;
    }
    if node.get("type").and_then(Value::as_str) != Some("object") {
        say("the root is not `type: object`".to_owned());
    }
    for keyword in without.iter().filter(|keyword| node.get(keyword).is_some()) {
        say(format!("`{keyword}` at the root"));
    }
}

fn kind(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    let names = match node.get("type") {
        Some(Value::Array(_)) if !rules.type_lists => return say("a list of types".to_owned()),
        Some(Value::Array(names)) if names.is_empty() => return say("`type` has no types".to_owned()),
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None if rules.typed && !SHAPES.iter().any(|keyword| node.get(keyword).is_some()) => {
            return say("untyped".to_owned());
        }
        None => return,
    };
    for name in names.iter().filter(|name| !name.as_str().is_some_and(|name| TYPES.contains(&name))) {
        say(format!("`type` is {name}"));
    }
}

fn object(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    let extras = node.get("additionalProperties");
    let refused = match rules.extras {
        Extras::Closed => is_object(node.value) && extras != Some(&Value::Bool(false)),
        Extras::Boolean => extras.is_some_and(|extras| !extras.is_boolean()),
        Extras::NotTrue => extras == Some(&Value::Bool(true)),
        Extras::Any => false,
    };
    if refused || (rules.extras == Extras::Closed && extras.is_some_and(|extras| extras != &Value::Bool(false))) {
        say(format!("`additionalProperties` may not be {}", extras.map_or("left out", shape)));
    }
    let properties = node.get("properties").and_then(Value::as_object);
    if rules.plain_names {
        for name in properties.into_iter().flat_map(Map::keys).filter(|name| !plain(name)) {
            say(format!("a property may not be called {name:?}"));
        }
    }
    if rules.all_required {
        let required = required(node.value);
        for name in properties.into_iter().flat_map(Map::keys).filter(|name| !required.contains(name.as_str())) {
            say(format!("{name:?} is not required"));
        }
        for name in required.iter().filter(|name| properties.is_none_or(|map| !map.contains_key(**name))) {
            say(format!("{name:?} is required and no property"));
        }
    }
}

/// `^[a-zA-Z0-9_.-]{1,64}$`
fn plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        _ => "a schema",
    }
}

fn array(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    match node.get("items") {
        Some(Value::Array(_)) => say("`items` is a list".to_owned()),
        None if rules.items && has_type(node.value, "array") => say("an array without `items`".to_owned()),
        items => {
            let open = items.is_none_or(|items| items != &Value::Bool(false));
            if rules.closed_tuples && open && node.get("prefixItems").is_some() {
                say("`prefixItems` without `items: false`".to_owned());
            }
        }
    }
}

fn union(node: &Node<'_>, map: &Map<String, Value>, rules: &Rules, say: &mut Say<'_>) {
    for keyword in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        match map.get(keyword) {
            Some(Value::Array(members)) if members.is_empty() => say(format!("`{keyword}` is empty")),
            Some(Value::Array(_)) | None => {}
            Some(_) => say(format!("`{keyword}` is no list")),
        }
    }
    let members = map.get("anyOf").and_then(Value::as_array).map_or(0, Vec::len);
    if members > rules.any_of {
        say(format!("`anyOf` has more than {} members", rules.any_of));
    }
    if !rules.any_of_beside && map.contains_key("anyOf") && map.contains_key("properties") {
        say("`anyOf` beside `properties`".to_owned());
    }
    if !rules.all_of_refs && node.in_all_of && map.contains_key("$ref") {
        say("`$ref` inside `allOf`".to_owned());
    }
}

fn literals(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    let taken = |value: &Value| match rules.literals {
        Literals::StringsAndNumbers => value.is_string() || value.is_number(),
        Literals::Scalars => !value.is_object() && !value.is_array(),
        Literals::Any => true,
    };
    match node.get("enum") {
        Some(Value::Array(values)) if values.is_empty() => say("`enum` is empty".to_owned()),
        Some(Value::Array(values)) => {
            if let Some(value) = values.iter().find(|value| !taken(value)) {
                say(format!("`enum` may not have a value such as {value}"));
            }
        }
        Some(_) => say("`enum` is no list".to_owned()),
        None => {}
    }
    if let Some(value) = node.get("const").filter(|value| !taken(value)) {
        say(format!("`const` may not be a value such as {value}"));
    }
}

fn reference(node: &Node<'_>, map: &Map<String, Value>, rules: &Rules, say: &mut Say<'_>) {
    if !map.contains_key("$ref") {
        return;
    }
    let beside = |keyword: &str| match rules.siblings {
        // The definitions of the whole schema have no other place.
        _ if keyword == "$ref" => false,
        _ if node.place == Place::Root && matches!(keyword, "$defs" | "definitions") => false,
        Siblings::None => true,
        Siblings::Dollar => !keyword.starts_with('$'),
        Siblings::Any => false,
    };
    for keyword in map.keys().filter(|keyword| beside(keyword)) {
        say(format!("`{keyword}` beside `$ref`"));
    }
    let local = node.get("$ref").and_then(Value::as_str).is_some_and(|target| {
        rules.refs.iter().any(|start| match target.strip_prefix(start) {
            Some("") => *start == "#",
            Some(name) => *start != "#" && !name.contains('/'),
            None => false,
        })
    });
    if !local {
        say("`$ref` is not to a definition".to_owned());
    }
}

fn scalar(node: &Node<'_>, rules: &Rules, say: &mut Say<'_>) {
    if let Some(format) = node.get("format").and_then(Value::as_str) {
        let taken = match rules.formats {
            Formats::Only(formats) => formats.contains(&format) && !is_numeric(node.value),
            Formats::Except(formats) => !formats.contains(&format),
        };
        if !taken {
            say(format!("`format: {format}` is not taken"));
        }
    }
    if let Some(source) = node.get("pattern").and_then(Value::as_str)
        && let Some(why) = pattern::refused(source, rules.patterns)
    {
        say(format!("`pattern` has {why}"));
    }
    if rules.integer_ranges && !has_type(node.value, "integer") {
        for keyword in RANGES.iter().filter(|keyword| node.get(keyword).is_some()) {
            say(format!("`{keyword}` for something else than integers"));
        }
    }
}

fn is_numeric(schema: &Value) -> bool {
    has_type(schema, "integer") || has_type(schema, "number")
}
