//! A receipt from its photo, whose lines add up to its total.
//! Offline, from a script; a model answers with `instructor::from_provider(..)?` in place of `script().client(..)`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
use instructor::testing::{Reply, Script};
use instructor::{Issue, Media, Message};
use serde_json::json;
use std::error::Error;

/// A receipt. Amounts are in cents.
#[instructor::model]
#[response(validate = adds_up)]
struct Receipt {
    shop: String,
    #[schemars(length(min = 1))]
    lines: Vec<Line>,
    total: u64,
}

#[instructor::model]
struct Line {
    article: String,
    #[schemars(range(min = 1))]
    pieces: u64,
    /// Of one piece.
    price: u64,
}

fn adds_up(receipt: &Receipt) -> Result<(), Issue> {
    let sum: u64 = receipt.lines.iter().map(|line| line.pieces * line.price).sum();
    if sum == receipt.total {
        return Ok(());
    }
    Err(Issue::at("total", format!("the sum of the lines, {sum}, or lines with this sum"))
        .got(receipt.total.to_string()))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let client = script().client("openai/gpt-5-mini");
    // Of a photo of your own: `Media::from_path("receipt.jpg")?`.
    let photo = Media::image(b"\x89PNG\r\n\x1a\n".as_slice());

    let (receipt, completion) =
        client.create_with_completion::<Receipt>(Message::user("What was bought?").with(photo)).await?;
    println!("{} at {}:", receipt.total, receipt.shop);
    receipt.lines.iter().for_each(|line| println!("  {} x {} at {}", line.pieces, line.article, line.price));
    assert_eq!(receipt.total, 730);
    // The first answer had read 7.80.
    assert_eq!(completion.report.attempts().len(), 2);
    Ok(())
}

fn script() -> Script {
    let line = |article, pieces, price| json!({ "article": article, "pieces": pieces, "price": price });
    let lines = json!([line("Coffee", 2, 290), line("Cake", 1, 150)]);
    let receipt = |total| json!({ "shop": "Café Lovelace", "lines": lines, "total": total });
    Script::new().reply(Reply::value(receipt(780))).reply(Reply::value(receipt(730)))
}
