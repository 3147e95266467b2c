//! The requests of every provider in every mode, as one snapshot a case: providers whose requests are the same stand
//! together, so that a reader sees what differs. A new row changes these files and nothing else.

use std::collections::BTreeMap;

use instructor::testing::{Reply, Script};
use instructor::{Client, Effort, Error, Message, Mode, Profile, Reasoning, Request};
use serde_json::{Map, Value, json};

/// A support ticket.
#[instructor::model]
struct Ticket {
    /// Why it is so urgent.
    reason: String,
    #[schemars(range(max = 5))]
    urgency: u8,
    labels: BTreeMap<String, String>,
}

/// Closes a ticket.
#[instructor::model]
struct Close {
    #[schemars(range(max = 5))]
    number: u8,
}

/// What can be done.
#[instructor::model]
enum Action {
    Close(Close),
    Open { text: String },
}

/// What is asked for, and in how many calls.
#[derive(Clone, Copy, Debug)]
enum Case {
    Value(Mode),
    Calls,
    TwoCalls,
    Thinking,
    NotThinking,
}

const CASES: [Case; 8] = [
    Case::Value(Mode::Schema),
    Case::Value(Mode::Tools),
    Case::Value(Mode::Json),
    Case::Value(Mode::MdJson),
    Case::Calls,
    Case::TwoCalls,
    Case::Thinking,
    Case::NotThinking,
];

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Value(mode) => mode.as_str(),
            Self::Calls => Mode::ParallelTools.as_str(),
            Self::TwoCalls => Mode::ThinkThenShape.as_str(),
            Self::Thinking => "thinking",
            Self::NotThinking => "not_thinking",
        }
    }

    /// The names of its requests, in order.
    fn stages(self) -> &'static [&'static str] {
        if matches!(self, Self::TwoCalls) { &["plain", "shape", "reask"] } else { &["plain", "reask"] }
    }

    fn replies(self) -> Vec<Reply> {
        let ticket = |urgency: u8| Reply::value(json!({ "reason": "r", "urgency": urgency, "labels": {} }));
        let calls = |number: u8| {
            Reply::calls([("Close", json!({ "number": number })), ("Open", json!({ "text": "Ink is low." }))])
        };
        match self {
            Self::Calls => vec![calls(9), calls(1)],
            Self::TwoCalls => vec![Reply::text("It burns, so it is urgent: 9."), ticket(9), ticket(1)],
            Self::Value(_) | Self::Thinking | Self::NotThinking => vec![ticket(9), ticket(1)],
        }
    }

    fn ask(self, script: &Script, client: &Client) -> Result<(), Error> {
        let messages = [Message::system("You sort tickets."), Message::user("The printer burns.")];
        // Beside thinking a small limit leaves no room for an answer.
        let limit = if matches!(self, Self::Thinking) { 4000 } else { 100 };
        let request = client.request(&messages).max_tokens(limit);
        let low = Reasoning::Effort(Effort::Low);
        let ticket = |request: Request<'_>| script.block_on(request.create::<Ticket>()).map(|_| ());
        match self {
            Self::Value(mode) => ticket(request.mode(mode)),
            Self::Calls => script.block_on(request.mode(Mode::ParallelTools).create::<Vec<Action>>()).map(|_| ()),
            Self::TwoCalls => ticket(request.mode(Mode::ThinkThenShape)),
            Self::Thinking => ticket(request.reasoning(low)),
            Self::NotThinking => ticket(request.reasoning(Reasoning::Off)),
        }
    }
}

/// All requests of a case, or why there are none.
fn asked(profile: &Profile, case: Case) -> Result<Vec<String>, String> {
    let script = case.replies().into_iter().fold(Script::new(), Script::reply);
    let client = script.client(&format!("{}/some-model", profile.id()));
    case.ask(&script, &client).map_err(|error| error.to_string())?;
    // The host is the row's; the path is the protocol's.
    let told = script.sent().into_iter().map(|sent| {
        let url = sent.url();
        let end = url.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let body: Value = sent.json();
        format!("{} .../{end}\n{body:#}", profile.protocol())
    });
    Ok(told.collect())
}

/// What a provider has cached of the first request serves the re-ask too.
#[test]
fn a_reask_only_adds_to_the_request_before_it() {
    for profile in Profile::all() {
        for case in CASES {
            let Ok(told) = asked(&profile, case) else { continue };
            let bodies: Vec<Map<String, Value>> =
                told.iter().map(|told| serde_json::from_str(told.split_once('\n').unwrap().1).unwrap()).collect();
            let [.., first, second] = &bodies[..] else { panic!("a re-ask") };
            assert_eq!(
                first.keys().collect::<Vec<_>>(),
                second.keys().collect::<Vec<_>>(),
                "{} {case:?}",
                profile.id()
            );
            for (key, before) in first {
                let after = &second[key];
                let grown = matches!(key.as_str(), "messages" | "contents" | "input")
                    && after.as_array().unwrap().starts_with(before.as_array().unwrap());
                assert!(grown || before == after, "{} {case:?}: {key}", profile.id());
            }
        }
    }
}

#[test]
fn every_row_in_every_case() {
    for case in CASES {
        let stages = case.stages();
        let mut groups: Vec<BTreeMap<String, Vec<String>>> = vec![BTreeMap::new(); stages.len()];
        for profile in Profile::all() {
            let told = asked(&profile, case)
                .unwrap_or_else(|why| vec![why.replace(profile.id(), "the provider"); stages.len()]);
            assert_eq!(told.len(), stages.len(), "{} {case:?}", profile.id());
            for (group, told) in groups.iter_mut().zip(told) {
                group.entry(told).or_default().push(String::from(profile.id()));
            }
        }
        for (stage, groups) in stages.iter().zip(groups) {
            let mut groups: Vec<(Vec<String>, String)> = groups.into_iter().map(|(told, ids)| (ids, told)).collect();
            groups.sort();
            let text: Vec<String> = groups.iter().map(|(ids, told)| format!("## {}\n{told}", ids.join(", "))).collect();
            insta::assert_snapshot!(format!("{stage}_{}", case.name()), text.join("\n\n"));
        }
    }
}
