//! The async transport on reqwest.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::{Body, BoxFuture, Transport};
use crate::error::{TransportError, TransportErrorKind};

/// Sends with a [`reqwest::Client`], made at the first request unless one is given.
#[derive(Debug)]
pub struct Reqwest {
    client: OnceLock<Result<reqwest::Client, String>>,
    /// The address of the first request, parsed: nearly always that of all.
    first: OnceLock<(http::Uri, reqwest::Url)>,
    connect_timeout: Duration,
    /// Only `https` needs the machine's root certificates, and reading them is most of the cost of a start.
    secure: bool,
}

impl Reqwest {
    pub(crate) const fn new(connect_timeout: Duration, secure: bool) -> Self {
        Self { client: OnceLock::new(), first: OnceLock::new(), connect_timeout, secure }
    }

    /// On a client of the caller's: proxies, certificates and pools are its own.
    #[must_use]
    pub fn with_client(client: reqwest::Client) -> Self {
        Self {
            client: OnceLock::from(Ok(client)),
            first: OnceLock::new(),
            connect_timeout: Duration::ZERO,
            secure: true,
        }
    }

    fn url(&self, uri: &http::Uri) -> Result<reqwest::Url, TransportError> {
        if let Some((_, url)) = self.first.get().filter(|(first, _)| first == uri) {
            return Ok(url.clone());
        }
        let url = reqwest::Url::parse(&uri.to_string())
            .map_err(|error| TransportError::new(TransportErrorKind::Request).with_source(error))?;
        // A second address is parsed each time.
        let _ = self.first.set((uri.clone(), url.clone()));
        Ok(url)
    }

    fn client(&self) -> Result<&reqwest::Client, TransportError> {
        let made = self.client.get_or_init(|| {
            let mut builder = reqwest::Client::builder()
                .connect_timeout(self.connect_timeout)
                // A redirect would take the prompt to an address that nobody chose.
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("instructor-rs/", env!("CARGO_PKG_VERSION")));
            if !self.secure {
                builder = builder.tls_certs_only([]);
            }
            builder.build().map_err(|e| e.to_string())
        });
        made.as_ref().map_err(|e| TransportError::new(TransportErrorKind::Request).with_source(e.as_str()))
    }
}

impl Transport for Reqwest {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut request = reqwest::Request::new(parts.method, self.url(&parts.uri)?);
            *request.headers_mut() = parts.headers;
            *request.body_mut() = Some(body.into());
            *request.timeout_mut() = timeout;
            let response = self.client()?.execute(request).await.map_err(failed)?;
            let response: http::Response<reqwest::Body> = response.into();
            Ok(response.map(|body| Body::arriving(Chunks(body))))
        })
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The data of a body, piece by piece.
struct Chunks(reqwest::Body);

impl Stream for Chunks {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        use http_body::Body as _;
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.0).poll_frame(context)) else { return Poll::Ready(None) };
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => return Poll::Ready(Some(Ok(data))),
                Ok(Err(_trailers)) => {}
                Err(error) => return Poll::Ready(Some(Err(failed(error)))),
            }
        }
    }
}

fn failed(error: reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_builder() {
        TransportErrorKind::Request
    } else {
        TransportErrorKind::Interrupted
    };
    // The URL can carry what should not be logged.
    TransportError::new(kind).with_source(error.without_url())
}
