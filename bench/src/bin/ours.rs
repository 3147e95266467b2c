//! The library as a program of its own: from its start to one value to its end.
//!
//! `ours BASE_URL`

macro_rules! model {
    ($($item:item)*) => { $(#[derive(PartialEq, serde::Deserialize, schemars::JsonSchema, instructor::ResponseModel)] $item)* };
}

#[path = "../order.rs"]
mod order;

use std::error::Error;

use instructor::{Client, Mode, Profile};
use order::{KEY, MODEL, Order, PROMPT};

fn main() -> Result<(), Box<dyn Error>> {
    let base_url = std::env::args().nth(1).ok_or("usage: ours BASE_URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let order: Order = runtime.block_on(async {
        let profile = Profile::openai_compatible("loopback", base_url);
        let client = Client::builder().profile(profile).api_key(KEY).model(MODEL).mode(Mode::Tools).build()?;
        client.create(PROMPT).await
    })?;
    println!("{}: {} items", order.id, order.items.len());
    Ok(())
}
