//! What recorded requests say of thinking, and servers have taken, is what the setting says for the same model.

use std::collections::BTreeMap;

use serde_json::Value;

use super::corpus::{Exchange, all};
use crate::provider::{Profile, Reasoning};
use crate::wire::Settings;

/// Where a body may say it, and what it says there: `false`, a word or a number.
const PLACES: &[&str] = &[
    "/reasoning_effort",
    "/reasoning/effort",
    "/reasoning/max_tokens",
    "/thinking/budget_tokens",
    "/output_config/effort",
    "/generationConfig/thinkingConfig/thinkingBudget",
    "/generationConfig/thinkingConfig/thinkingLevel",
    "/additionalModelRequestFields/thinking/budget_tokens",
    "/additionalModelRequestFields/reasoning_config",
    "/think",
    "/thinking/type",
];

fn read(told: &Value) -> Option<Reasoning> {
    match told {
        Value::Bool(false) => Some(Reasoning::Off),
        Value::Number(n) if n.as_u64() == Some(0) => Some(Reasoning::Off),
        Value::String(word) if word == "disabled" => Some(Reasoning::Off),
        told => told.to_string().trim_matches('"').parse().ok(),
    }
}

#[test]
fn the_setting_says_what_was_taken() {
    let mut compared: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    // Of a server that is not known by name nothing is known of its fields either.
    let known = |exchange: &&Exchange| Profile::named(exchange.profile().id()).is_some();
    for exchange in all().iter().filter(|exchange| exchange.status() == 200).filter(known) {
        let body = exchange.request();
        let told = PLACES.iter().find_map(|place| Some((*place, body.pointer(place)?)));
        let Some((place, told)) = told else { continue };
        let Some(reasoning) = read(told) else { continue };
        let model = exchange.record["model"].as_str().unwrap();
        let settings = Settings::default();
        match exchange.profile().thinking(model, Some(reasoning), &settings) {
            Err(error) => wrong.push(format!("{}: {error}", exchange.name)),
            Ok(thinking) => {
                let ours = Value::from(thinking.settings.extra.clone());
                if ours.pointer(place) == Some(told) {
                    let row = (String::from(exchange.profile().id()), String::from(model), reasoning.to_string());
                    *compared.entry(row).or_default() += 1;
                } else {
                    wrong.push(format!("{}: {model} {place} {told}: {ours}", exchange.name));
                }
            }
        }
    }
    println!("{compared:#?}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all().is_empty() || compared.values().sum::<usize>() >= 100, "{}", compared.values().sum::<usize>());
}
