//! What a schema may have at most, all of it together.

use serde_json::{Map, Value};

use super::depth;
use super::node::{Node, required};
use super::table::Limits;

/// Beyond this many values one `enum` is counted by characters.
const LONG: usize = 250;

/// The limits that a schema is over.
pub(super) fn check(schema: &Value, nodes: &[Node<'_>], limits: &Limits) -> Vec<String> {
    let enums = || nodes.iter().filter_map(|node| node.get("enum").and_then(Value::as_array));
    let counts = [
        ("characters", limits.characters, schema.to_string().chars().count()),
        ("properties", limits.properties, nodes.iter().map(|node| names(node, "properties").count()).sum()),
        ("levels", limits.levels, depth::of(nodes)),
        ("characters of names and values", limits.names, nodes.iter().map(characters).sum()),
        ("values of `enum`", limits.values, enums().map(Vec::len).sum()),
        ("characters of one long `enum`", limits.long_enum, enums().map(|values| long(values)).max().unwrap_or(0)),
        ("optional properties", limits.optional, nodes.iter().map(optional).sum()),
        ("unions", limits.unions, nodes.iter().map(unions).sum()),
    ];
    let over =
        counts.into_iter().filter_map(|(what, most, count)| Some((what, most.filter(|most| count > *most)?, count)));
    over.map(|(what, most, count)| format!("{count} {what}, over {most}")).collect()
}

fn names<'a>(node: &Node<'a>, keyword: &str) -> impl Iterator<Item = &'a String> {
    node.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::keys)
}

fn characters(node: &Node<'_>) -> usize {
    let names = ["properties", "$defs", "definitions"].into_iter().flat_map(|keyword| names(node, keyword));
    let values = node.get("enum").and_then(Value::as_array).into_iter().flatten();
    names.map(|name| name.chars().count()).sum::<usize>() + values.chain(node.get("const")).map(length).sum::<usize>()
}

fn length(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().chars().count(), |text| text.chars().count())
}

fn long(values: &[Value]) -> usize {
    if values.len() > LONG { values.iter().map(length).sum() } else { 0 }
}

fn optional(node: &Node<'_>) -> usize {
    let required = required(node.value);
    names(node, "properties").filter(|name| !required.contains(name.as_str())).count()
}

fn unions(node: &Node<'_>) -> usize {
    let alternatives = node.get("anyOf").and_then(Value::as_array).is_some_and(|members| members.len() > 1);
    usize::from(alternatives) + usize::from(node.get("type").is_some_and(Value::is_array))
}
