//! The terms of a contract, each with the words that it rests on.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Cited, Context, Source};
use serde_json::json;
use std::error::Error;

/// Something that one side has to do by a time.
#[instructor::model]
struct Term {
    who: String,
    what: String,
    days: u32,
}

const CONTRACT: &str = "1. The Supplier shall deliver within 30 days of the order.
2. The Buyer pays each invoice
   within 14 days.";

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("anthropic/claude-haiku-4-5");
    let source = Source::new(CONTRACT);
    let ask = client.request(CONTRACT).context(Context::new().with(source));
    let (terms, completion) = ask.create_with_completion::<Vec<Cited<Term>>>().await?;

    for term in &terms {
        println!("{}: {} in {} days", term.who, term.what, term.days);
        for quote in term.quotes() {
            println!("  bytes {:?}: {:?}", quote.span().ok_or("looked for")?, quote.source_text().unwrap_or_default());
        }
    }
    // The words are found over the end of a line; those with another number were asked for again.
    let quotes: Vec<&str> = terms.iter().flat_map(Cited::quotes).filter_map(|quote| quote.source_text()).collect();
    assert_eq!(quotes, ["shall deliver within 30 days", "pays each invoice\n   within 14 days"]);
    assert_eq!(completion.report.attempts().len(), 2);
    Ok(())
}

fn script() -> Script {
    let term = |quote: &str, who: &str, what: &str, days: u32| json!({ "quotes": [quote], "value": { "who": who, "what": what, "days": days } });
    let terms = |days: u32| {
        let invoice = format!("pays each invoice within {days} days");
        json!([term("shall deliver within 30 days", "Supplier", "deliver", 30), term(&invoice, "Buyer", "pay", days),])
    };
    Script::new().reply(Reply::value(terms(40))).reply(Reply::value(terms(14)))
}
