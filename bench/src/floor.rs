//! The floor: the same call without the library, over the same HTTP clients.

use std::error::Error;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};

use crate::exchange::{Schema, ask, order, order_or_reask};
use crate::order::{KEY, Order};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Without root certificates, which nothing here needs: as the library's client for plain HTTP.
pub(crate) fn lean() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build()
}

/// Calls over reqwest.
#[derive(Debug)]
pub(crate) struct Floor {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    schema: Schema,
}

impl Floor {
    pub(crate) fn new(client: reqwest::Client, base_url: &str, schema: Schema) -> Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {KEY}"))?);
        Ok(Self { client, url: Url::parse(&format!("{base_url}/chat/completions"))?, headers, schema })
    }

    /// Asks once; and once more if the first answer is not the type.
    pub(crate) async fn create(&self) -> Result<Order> {
        let answer = self.ask().await?.bytes().await?;
        match order_or_reask(&self.schema, &answer)? {
            Ok(order) => Ok(order),
            Err(again) => order(&self.send(again).await?.bytes().await?),
        }
    }

    /// The answer to a first request.
    pub(crate) async fn ask(&self) -> Result<reqwest::Response> {
        self.send(ask(&self.schema)?).await
    }

    async fn send(&self, body: Vec<u8>) -> Result<reqwest::Response> {
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = Some(body.into());
        Ok(self.client.execute(request).await?.error_for_status()?)
    }
}
