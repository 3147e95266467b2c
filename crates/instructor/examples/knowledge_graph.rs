//! A graph of what a text says, whose edges lead to nodes that are there.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::Issues;
use instructor::testing::{Reply, Script};
use serde_json::json;
use std::error::Error;

#[instructor::model]
#[response(validate = edges_have_ends)]
struct Graph {
    #[schemars(length(min = 1))]
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[instructor::model]
struct Node {
    id: u32,
    label: String,
}

#[instructor::model]
struct Edge {
    from: u32,
    to: u32,
    /// A verb, such as "invented".
    label: String,
}

fn edges_have_ends(graph: &Graph) -> Result<(), Issues> {
    let known = |id: u32| graph.nodes.iter().any(|node| node.id == id);
    let mut issues = Issues::new();
    for (at, edge) in graph.edges.iter().enumerate().filter(|(_, edge)| !known(edge.from) || !known(edge.to)) {
        let (from, to) = (edge.from, edge.to);
        issues.push(instructor::Issue::at(&format!("edges[{at}]"), "ids of nodes").got(format!("{from} to {to}")));
    }
    issues.into_result()
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let graph: Graph = client.create("Ada wrote a program for the engine that Babbage invented.").await?;

    println!("digraph {{");
    graph.nodes.iter().for_each(|Node { id, label }| println!("  {id} [label={label:?}];"));
    graph.edges.iter().for_each(|Edge { from, to, label }| println!("  {from} -> {to} [label={label:?}];"));
    println!("}}");
    assert_eq!((graph.nodes.len(), graph.edges.len()), (3, 2));
    Ok(())
}

fn script() -> Script {
    let nodes = json!([{ "id": 1, "label": "Ada" }, { "id": 2, "label": "Babbage" }, { "id": 3, "label": "engine" }]);
    let edge = |from, to, label| json!({ "from": from, "to": to, "label": label });
    let graph = |to| json!({ "nodes": nodes, "edges": [edge(1, 3, "programmed"), edge(2, to, "invented")] });
    Script::new().reply(Reply::value(graph(4))).reply(Reply::value(graph(3)))
}
