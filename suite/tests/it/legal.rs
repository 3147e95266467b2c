//! What providers take, by what they publish: a referee for lowered schemas that shares nothing with the library.
//!
//! [`table`] is the rules as data, [`node`] finds every subschema of a schema once, the rest reads rules off them.

mod bounds;
mod cycle;
mod depth;
mod keyword;
mod node;
mod pattern;
mod table;
mod tests;

use serde_json::Value;

pub(crate) use depth::{careful, lenient};
pub(crate) use table::Provider;

/// Every rule of the provider that the schema breaks: where, as a JSON pointer, and which.
pub(crate) fn violations(schema: &Value, provider: Provider) -> Vec<String> {
    let rules = provider.rules();
    let nodes = node::nodes(schema);
    let mut found = Vec::new();
    for node in &nodes {
        let mut say = |rule: String| found.push(format!("{}: {rule}", node.pointer));
        keyword::check(node, rules, &mut say);
    }
    for (pointer, rule) in cycle::check(schema, &nodes, rules.recursion) {
        found.push(format!("{pointer}: {rule}"));
    }
    for rule in bounds::check(schema, &nodes, &rules.limits) {
        found.push(format!("#: {rule}"));
    }
    found
}
