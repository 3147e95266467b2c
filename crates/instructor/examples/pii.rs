//! Personal data in a text, found where it stands and taken out.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Context, Quote, Source};
use serde_json::json;
use std::error::Error;

/// A piece of personal data.
#[instructor::model]
struct Personal {
    kind: Kind,
    /// As it stands in the text.
    words: Quote,
}

#[instructor::model]
#[derive(Copy)]
enum Kind {
    Name,
    Phone,
    Email,
    /// A street or a place where somebody lives.
    Address,
}

/// The text with a mark in each place where one of them stands.
fn scrub(source: &Source, found: &[Personal]) -> String {
    let places = found.iter().filter_map(|personal| Some((personal.kind, personal.words.found()?)));
    let mut spans: Vec<_> = places.flat_map(|(kind, found)| found.spans().map(move |span| (span, kind))).collect();
    spans.sort_by_key(|(span, _)| span.start);
    let mut text = String::from(source.text());
    // From the end, so that what comes before stays where it is.
    for (span, kind) in spans.into_iter().rev() {
        text.replace_range(span, &format!("<{kind:?}>"));
    }
    text
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    let source = Source::new("Ada (ada@example.org) called. Ada’s number is 555 01 23.");
    let ask = client.request(source.text()).context(Context::new().with(source.clone()));
    let found: Vec<Personal> = ask.create().await?;

    let clean = scrub(&source, &found);
    println!("{clean}");
    assert_eq!(clean, "<Name> (<Email>) called. <Name>’s number is <Phone>.");
    Ok(())
}

fn script() -> Script {
    Script::new().reply(Reply::value(json!([
        { "kind": "Name", "words": "Ada" },
        { "kind": "Email", "words": "ada@example.org" },
        { "kind": "Phone", "words": "555 01 23" },
    ])))
}
