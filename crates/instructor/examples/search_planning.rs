//! A question as searches of several kinds that can run at once, some after others.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Issue, Mode};
use serde_json::json;
use std::error::Error;

#[instructor::model]
enum Search {
    Web(Web),
    Mail(Mail),
}

/// Searches the web.
#[instructor::model]
struct Web {
    query: String,
}

/// Searches the mail of the user.
#[instructor::model]
#[response(validate = is_narrow)]
struct Mail {
    query: String,
    from: Option<String>,
    /// Years back from today.
    #[schemars(range(min = 1, max = 10))]
    years: u8,
}

fn is_narrow(mail: &Mail) -> Result<(), Issue> {
    if mail.query.contains(' ') || mail.from.is_some() { Ok(()) } else { Err(Issue::at("query", "two words or more")) }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let question = "Is the hotel that Grace recommended still open?";
    // Each kind is a tool, and the model calls as many as it needs.
    let plan: Vec<Search> = client.request(question).mode(Mode::ParallelTools).create().await?;
    let told: Vec<String> = plan.iter().map(told).collect();
    println!("{}", told.join("\n"));
    assert_eq!(told, ["mail: hotel, 2 years, from Grace", "web: hotels that closed this year"]);
    Ok(())
}

fn told(search: &Search) -> String {
    match search {
        Search::Web(Web { query }) => format!("web: {query}"),
        Search::Mail(Mail { query, from: Some(from), years }) => format!("mail: {query}, {years} years, from {from}"),
        Search::Mail(Mail { query, from: None, years }) => format!("mail: {query}, {years} years"),
    }
}

fn script() -> Script {
    let mail = json!({ "query": "hotel", "from": "Grace", "years": 2 });
    Script::new().reply(Reply::calls([("Mail", mail), ("Web", json!({ "query": "hotels that closed this year" }))]))
}
