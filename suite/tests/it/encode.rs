//! The requests of every provider in every mode, as one snapshot a mode: providers whose requests are the same stand
//! together, so that a reader sees what differs. A new row changes these files and nothing else.

use std::collections::BTreeMap;

use instructor::testing::{Reply, Script};
use instructor::{Message, Mode, Profile};
use serde_json::{Value, json};

/// A support ticket.
#[instructor::model]
struct Ticket {
    /// Why it is so urgent.
    reason: String,
    #[schemars(range(max = 5))]
    urgency: u8,
    labels: BTreeMap<String, String>,
}

/// The first request and that of the re-ask, or why there is none.
fn asked(profile: &Profile, mode: Mode) -> Result<[String; 2], String> {
    let wrong = json!({ "reason": "r", "urgency": 9, "labels": {} });
    let right = json!({ "reason": "r", "urgency": 1, "labels": {} });
    let script = Script::new().reply(Reply::value(wrong)).reply(Reply::value(right));
    let client = script.client(&format!("{}/some-model", profile.id()));
    let messages = vec![Message::system("You sort tickets."), Message::user("The printer burns.")];
    let request = client.request(messages).mode(mode).max_tokens(100);
    script.block_on(request.create::<Ticket>()).map_err(|error| error.to_string())?;
    let sent = script.sent();
    // The host is the row's; the path is the protocol's.
    let told = |index: usize| {
        let url = sent[index].url();
        let end = url.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let body: Value = sent[index].json();
        format!("{} .../{end}\n{body:#}", profile.protocol())
    };
    Ok([told(0), told(1)])
}

/// What a provider has cached of the first request serves the re-ask too.
#[test]
fn a_reask_only_adds_to_the_request_before_it() {
    for profile in Profile::all() {
        for mode in [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson] {
            let Ok(told) = asked(&profile, mode) else { continue };
            let [first, second] = told.map(|told| {
                let (_, body) = told.split_once('\n').unwrap();
                serde_json::from_str::<serde_json::Map<String, Value>>(body).unwrap()
            });
            assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>(), "{} {mode}", profile.id());
            for (key, before) in &first {
                let after = &second[key];
                let grown = matches!(key.as_str(), "messages" | "contents" | "input")
                    && after.as_array().unwrap().starts_with(before.as_array().unwrap());
                assert!(grown || before == after, "{} {mode}: {key}", profile.id());
            }
        }
    }
}

#[test]
fn every_row_in_every_mode() {
    for mode in [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson] {
        let mut groups: [BTreeMap<String, Vec<String>>; 2] = Default::default();
        for profile in Profile::all() {
            let told = asked(&profile, mode).unwrap_or_else(|why| {
                let why = why.replace(profile.id(), "the provider");
                [why.clone(), why]
            });
            for (group, told) in groups.iter_mut().zip(told) {
                group.entry(told).or_default().push(String::from(profile.id()));
            }
        }
        for (name, groups) in ["plain", "reask"].into_iter().zip(groups) {
            let mut groups: Vec<(Vec<String>, String)> = groups.into_iter().map(|(told, ids)| (ids, told)).collect();
            groups.sort();
            let text: Vec<String> = groups.iter().map(|(ids, told)| format!("## {}\n{told}", ids.join(", "))).collect();
            insta::assert_snapshot!(format!("{name}_{mode}"), text.join("\n\n"));
        }
    }
}
