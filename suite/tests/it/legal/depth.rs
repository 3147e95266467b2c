//! Levels of nesting, counted in the two ways that "levels" can be read.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cycle::Edges;
use super::node::{Node, nodes};

/// Objects within objects as they are written; a definition begins anew.
pub(crate) fn lenient(schema: &Value) -> usize {
    of(&nodes(schema))
}

pub(super) fn of(nodes: &[Node<'_>]) -> usize {
    nodes.iter().map(|node| node.objects).max().unwrap_or_default()
}

/// Objects and arrays within each other, with every reference followed that does not lead back to where it stands.
pub(crate) fn careful(schema: &Value) -> usize {
    let nodes = nodes(schema);
    let mut homes: BTreeMap<&str, Vec<&Node<'_>>> = BTreeMap::new();
    for node in &nodes {
        homes.entry(&node.home).or_default().push(node);
    }
    below("#", &homes, &Edges::new(&nodes, |_| true), &mut BTreeMap::new())
}

fn below<'a>(
    home: &'a str,
    homes: &BTreeMap<&'a str, Vec<&'a Node<'a>>>,
    edges: &Edges<'a>,
    known: &mut BTreeMap<&'a str, usize>,
) -> usize {
    if let Some(levels) = known.get(home) {
        return *levels;
    }
    let mut most = 0;
    for node in homes.get(home).into_iter().flatten() {
        let target = node.get("$ref").and_then(Value::as_str).filter(|target| !edges.leads(target, home));
        most = most.max(node.levels + target.map_or(0, |target| below(target, homes, edges, known)));
    }
    known.insert(home, most);
    most
}
