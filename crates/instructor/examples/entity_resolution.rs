//! Who and what a text is about: each once, with all names that stand for it.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Context, Issue, Issues, Quote, Source};
use serde_json::json;
use std::collections::BTreeSet;
use std::error::Error;

#[instructor::model]
#[response(validate = ids_are_known)]
struct Entities {
    entities: Vec<Entity>,
}

/// A person, a company or a thing, once, however often it is named.
#[instructor::model]
struct Entity {
    id: u32,
    /// Its full name.
    name: String,
    /// Every name that stands for it in the text.
    #[schemars(length(min = 1))]
    mentions: Vec<Quote>,
    /// The ids of those that it can't be understood without.
    needs: BTreeSet<u32>,
}

fn ids_are_known(Entities { entities }: &Entities) -> Result<(), Issues> {
    let known: BTreeSet<u32> = entities.iter().map(|entity| entity.id).collect();
    let mut issues = Issues::new();
    for (at, entity) in entities.iter().enumerate().filter(|(_, entity)| !entity.needs.is_subset(&known)) {
        issues.push(Issue::at(&format!("entities[{at}].needs"), "ids of entities").got(format!("{:?}", entity.needs)));
    }
    issues.into_result()
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let source = Source::new("Lovelace Ltd. sues Babbage & Sons. The Supplier says that the engine is late.");
    let ask = client.request(source.text()).context(Context::new().with(source.clone()));
    let Entities { entities } = ask.create().await?;
    for Entity { id, name, mentions, .. } in &entities {
        println!("{id}. {name}: {:?}", mentions.iter().map(Quote::span).collect::<Vec<_>>());
    }
    let mentions = entities.iter().flat_map(|entity| &entity.mentions).filter_map(Quote::source_text);
    assert_eq!(mentions.collect::<Vec<_>>(), ["Babbage & Sons", "The Supplier", "the engine"]);
    assert_eq!(entities.iter().map(|entity| entity.needs.len()).collect::<Vec<_>>(), [0, 1]);
    Ok(())
}

fn script() -> Script {
    let entity = |id, name, mentions, needs| json!({ "id": id, "name": name, "mentions": mentions, "needs": needs });
    let supplier = entity(1, "Babbage & Sons", json!(["Babbage & Sons", "The Supplier"]), json!([]));
    let answer =
        |needs| json!({ "entities": [supplier, entity(2, "The engine", json!(["the engine"]), json!([needs]))] });
    Script::new().reply(Reply::value(answer(7))).reply(Reply::value(answer(1)))
}
