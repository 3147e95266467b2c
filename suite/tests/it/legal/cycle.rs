//! References: that they lead somewhere, and that they do not lead back where they may not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::node::Node;
use super::table::Recursion;

/// What is wrong with references: where, and what.
pub(super) fn check(schema: &Value, nodes: &[Node<'_>], recursion: Recursion) -> Vec<(String, String)> {
    let counts = |node: &Node<'_>| match recursion {
        Recursion::Free => false,
        Recursion::Optional => !node.optional,
        Recursion::Never => true,
    };
    let edges = Edges::new(nodes, counts);
    let mut found = Vec::new();
    for node in nodes {
        let Some(target) = node.get("$ref").and_then(Value::as_str) else { continue };
        if resolve(schema, target).is_none() {
            found.push((node.pointer.clone(), format!("`$ref` to {target:?}, which is not there")));
        } else if counts(node) && edges.leads(target, &node.home) {
            found.push((node.pointer.clone(), format!("`$ref` to {target:?} is recursive")));
        }
    }
    found
}

/// Which definitions refer to which.
#[derive(Debug)]
pub(super) struct Edges<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Edges<'a> {
    /// The references that count.
    pub(super) fn new(nodes: &'a [Node<'a>], counts: impl Fn(&Node<'_>) -> bool) -> Self {
        let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in nodes.iter().filter(|node| counts(node)) {
            if let Some(target) = node.get("$ref").and_then(Value::as_str) {
                edges.entry(&node.home).or_default().push(target);
            }
        }
        Self(edges)
    }

    /// Whether a definition leads to another, or is it.
    pub(super) fn leads(&self, from: &str, to: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(self.0.get(at).into_iter().flatten());
            }
        }
        false
    }
}

/// What a reference within the schema is to.
fn resolve<'a>(schema: &'a Value, target: &str) -> Option<&'a Value> {
    let pointer = target.strip_prefix('#')?;
    schema.pointer(pointer)
}
