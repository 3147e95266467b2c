//! The floor on the blocking client.

use std::error::Error;

use crate::exchange::{Schema, ask, order, order_or_reask};
use crate::order::{KEY, Order};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Calls over ureq.
#[derive(Debug)]
pub(crate) struct FloorBlocking {
    agent: ureq::Agent,
    url: String,
    authorization: String,
    schema: Schema,
}

impl FloorBlocking {
    pub(crate) fn new(base_url: &str, schema: Schema) -> Self {
        Self {
            agent: ureq::Agent::new_with_defaults(),
            url: format!("{base_url}/chat/completions"),
            authorization: format!("Bearer {KEY}"),
            schema,
        }
    }

    /// Asks once; and once more if the first answer is not the type.
    pub(crate) fn create(&self) -> Result<Order> {
        let answer = self.send(&ask(&self.schema)?)?;
        match order_or_reask(&self.schema, &answer)? {
            Ok(order) => Ok(order),
            Err(again) => order(&self.send(&again)?),
        }
    }

    fn send(&self, body: &[u8]) -> Result<Vec<u8>> {
        let request = self.agent.post(&self.url).content_type("application/json");
        Ok(request.header("authorization", &self.authorization).send(body)?.into_body().read_to_vec()?)
    }
}
