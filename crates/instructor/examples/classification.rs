//! Support tickets: one label with thoughts before it, several labels, and labels of a database.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Labels, Reasoned};
use serde_json::json;
use std::collections::BTreeSet;
use std::error::Error;

/// How fast somebody has to look at a ticket.
#[instructor::model]
#[derive(PartialEq)]
enum Urgency {
    /// Nobody can work.
    Now,
    /// Somebody is slowed down.
    Soon,
    /// A wish or a question.
    Whenever,
}

/// What a ticket is about.
#[instructor::model]
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    /// Something does not work.
    Bug,
    /// Invoices and payments.
    Billing,
    /// Signing in, passwords, permissions.
    Access,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let ticket = "Since the invoice of May was paid twice, none of us can sign in.";

    let urgency: Reasoned<Urgency> = client.create(ticket).await?;
    println!("{:?}, since: {}", urgency.value(), urgency.thoughts());
    assert_eq!(*urgency, Urgency::Now);

    let topics: BTreeSet<Topic> = client.create(ticket).await?;
    assert_eq!(topics, BTreeSet::from([Topic::Billing, Topic::Access]));

    // What is not in the list is asked for again.
    let teams = Labels::new([("finance", "Invoices and payments"), ("identity", "Accounts and permissions")])?;
    let (team, _) = client.request(ticket).create_value(&teams.one()?).await?;
    assert_eq!(team, "identity");
    Ok(())
}

fn script() -> Script {
    Script::new()
        .reply(Reply::value(json!({ "thoughts": "Nobody there can sign in.", "value": "Now" })))
        .reply(Reply::value(json!(["Billing", "Access"])))
        .reply(Reply::value("support"))
        .reply(Reply::value("identity"))
}
