//! A meeting's action items, given to those who were there and to nobody else.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Context, Issue};
use serde_json::json;
use std::error::Error;

/// Something that somebody has to do after the meeting.
#[instructor::model]
#[response(validate = was_there)]
struct ActionItem {
    id: u32,
    task: String,
    owner: String,
    /// The ids of those that have to be done before.
    #[serde(default)]
    after: Vec<u32>,
}

struct Attendees(Vec<&'static str>);

fn was_there(item: &ActionItem, context: &Context) -> Result<(), Issue> {
    match context.get::<Attendees>() {
        Some(there) if !there.0.contains(&item.owner.as_str()) => {
            Err(Issue::at("owner", format!("one of {}", there.0.join(", "))).got(format!("{:?}", item.owner)))
        }
        _ => Ok(()),
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let transcript = "Ada: I fix the login. Grace: Then I write the release notes for Katherine.";

    let context = Context::new().with(Attendees(vec!["Ada", "Grace"]));
    let ask = client.request(transcript).context(context);
    let (items, completion) = ask.create_with_completion::<Vec<ActionItem>>().await?;
    for ActionItem { id, task, owner, after } in &items {
        println!("{id}. {owner}: {task} (after {after:?})");
    }
    assert_eq!(items.iter().map(|item| &*item.owner).collect::<Vec<_>>(), ["Ada", "Grace"]);
    // The first answer gave the task to Katherine, who was not there.
    assert_eq!(completion.report.attempts().len(), 2);
    Ok(())
}

fn script() -> Script {
    let items = |owner| {
        json!([
            { "id": 1, "task": "Fix the login", "owner": "Ada", "after": [] },
            { "id": 2, "task": "Write the release notes", "owner": owner, "after": [1] },
        ])
    };
    Script::new().reply(Reply::value(items("Katherine"))).reply(Reply::value(items("Grace")))
}
