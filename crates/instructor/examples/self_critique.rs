//! A summary that a second model criticises until it has nothing against it.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{CheckError, Context, Judge};
use serde_json::{Value, json};
use std::error::Error;

/// A summary for somebody who has no time.
#[instructor::model]
struct Summary {
    #[schemars(length(max = 200))]
    #[response(validate_async = criticise)]
    text: String,
}

async fn criticise(text: &str, context: &Context) -> Result<(), CheckError> {
    match context.get::<Judge>() {
        Some(critic) => critic.check(text).await,
        None => Ok(()),
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    // A small model, or the same one, which sees the value and the rule and not what led to it.
    let critic = critic().client("openai/gpt-5-nano");
    let context = Context::new().with(Judge::new(critic, "a summary that says what was decided, without praise"));

    let ask = client.request("Minutes: .. after a lively debate, the launch moves to June ..").context(context);
    let (summary, completion) = ask.max_retries(3).create_with_completion::<Summary>().await?;
    for attempt in completion.report.attempts() {
        println!("{}", attempt.issues);
    }
    println!("{}", summary.text);
    assert_eq!(summary.text, "The launch moves to June.");
    assert_eq!(completion.report.attempts().len(), 2);
    Ok(())
}

fn script() -> Script {
    Script::new()
        .reply(Reply::value(json!({ "text": "A wonderful debate was had." })))
        .reply(Reply::value(json!({ "text": "The launch moves to June." })))
}

fn critic() -> Script {
    let verdict = |valid: bool, reason: &str, suggestion: Option<&str>| -> Value {
        json!({ "reason": reason, "valid": valid, "suggestion": suggestion })
    };
    Script::new()
        .reply(Reply::value(verdict(false, "It praises and says no decision.", Some("The launch moves to June."))))
        .reply(Reply::value(verdict(true, "It says the decision.", None)))
}
