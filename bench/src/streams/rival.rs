//! The same streams as another library reads them: an untyped value of all the text after each delta.

use std::error::Error;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;

use futures_core::Stream;
use rstructor::{Instructor, LLMClient, OpenAIClient, StreamedObject};
use serde::{Deserialize, Serialize};

use super::said::Said;
use crate::order::{KEY, PROMPT};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug, Instructor, Serialize, Deserialize)]
struct Catalogue {
    title: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Instructor, Serialize, Deserialize)]
struct Entry {
    name: String,
    note: Option<String>,
    price: f64,
    quantity: u32,
    in_stock: bool,
    tags: Vec<String>,
}

pub(crate) struct Rival {
    client: OpenAIClient,
    said: Said,
}

impl Rival {
    pub(crate) fn new(base_url: &str) -> Result<Self> {
        let said = Said::at(base_url).ok_or("the URL of a stream says what is streamed")?;
        Ok(Self { client: OpenAIClient::new(KEY)?.base_url(base_url), said })
    }

    /// How many entries there were.
    pub(crate) async fn ask(&self) -> Result<usize> {
        if self.said.list {
            let mut items = self.client.materialize_iter::<Entry>(PROMPT);
            let mut count = 0;
            while let Some(item) = next(&mut items).await {
                black_box(item?);
                count += 1;
            }
            return if count == self.said.size { Ok(count) } else { Err(format!("{count} items").into()) };
        }
        let mut stream = self.client.materialize_stream::<Catalogue>(PROMPT);
        let mut whole = None;
        while let Some(item) = next(&mut stream).await {
            match item? {
                StreamedObject::Partial(partial) => drop(black_box(partial)),
                StreamedObject::Complete(value) => whole = Some(value),
            }
        }
        Ok(whole.ok_or("no value")?.entries.len())
    }
}

async fn next<T>(stream: &mut Pin<Box<dyn Stream<Item = T> + Send + '_>>) -> Option<T> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}
