//! The floor as a program of its own: from its start to one value to its end. It does not link the library.
//!
//! `floor BASE_URL [--lean]`

macro_rules! model {
    ($($item:item)*) => { $(#[derive(PartialEq, serde::Deserialize, schemars::JsonSchema)] $item)* };
}

#[path = "../exchange.rs"]
mod exchange;
#[path = "../floor.rs"]
mod floor;
#[path = "../order.rs"]
mod order;

use std::error::Error;

use exchange::Schema;
use floor::{Floor, lean};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let base_url = arguments.next().ok_or("usage: floor BASE_URL [--lean]")?;
    let is_lean = arguments.next().as_deref() == Some("--lean");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let order = runtime.block_on(async {
        // What most code says reads the machine's root certificates.
        let client = if is_lean { lean()? } else { reqwest::Client::new() };
        let floor = Floor::new(client, &base_url, Schema::of_order(false)?)?;
        floor.create().await
    })?;
    println!("{}: {} items", order.id, order.items.len());
    Ok(())
}
