//! An answer that a moderation model has to let pass.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{CheckError, Context, Moderator};
use serde_json::{Value, json};
use std::error::Error;

/// An answer to a comment on the site.
#[instructor::model]
struct Answer {
    #[schemars(length(max = 280))]
    #[response(validate_async = harmless)]
    text: String,
}

async fn harmless(text: &str, context: &Context) -> Result<(), CheckError> {
    let moderator = context.get::<Moderator>().ok_or_else(|| CheckError::failed("the context has no moderator"))?;
    moderator.check(text).await
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let context = Context::new().with(Moderator::new(client.clone()));
    let ask = client.request("Answer: \"Your shop is awful.\"").context(context);
    let (answer, completion) = ask.create_with_completion::<Answer>().await?;

    println!("{}", answer.text);
    assert_eq!(answer.text, "We are sorry to hear that. What went wrong?");
    // The first was found to be harassment, and the model was told.
    let issues = completion.report.attempts().first().map(|attempt| attempt.issues.to_string());
    println!("{issues:?}");
    assert!(issues.is_some_and(|issues| issues.contains("harassment")));
    Ok(())
}

fn script() -> Script {
    Script::new()
        .reply(Reply::value(json!({ "text": "So are you." })))
        .reply(Reply::json(moderation(true)))
        .reply(Reply::value(json!({ "text": "We are sorry to hear that. What went wrong?" })))
        .reply(Reply::json(moderation(false)))
}

fn moderation(flagged: bool) -> Value {
    let score = if flagged { 0.93 } else { 0.001 };
    json!({ "id": "modr-1", "model": "omni-moderation-latest", "results": [{
        "flagged": flagged, "categories": { "harassment": flagged }, "category_scores": { "harassment": score },
    }] })
}
