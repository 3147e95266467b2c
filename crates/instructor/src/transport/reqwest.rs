//! The async transport on reqwest.

use std::error::Error as StdError;
use std::io::Read as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::ban;
use super::guard::{Forbidden, permitted};
use super::{Body, BoxFuture, Transport, Upload};
use crate::error::{TransportError, TransportErrorKind};
use crate::media::{FetchMedia, address};

/// Sends with a [`reqwest::Client`], made at the first request unless one is given.
#[derive(Debug)]
pub struct Reqwest {
    client: OnceLock<Result<reqwest::Client, String>>,
    /// The address of the first request, parsed: nearly always that of all.
    first: OnceLock<(http::Uri, reqwest::Url)>,
    connect_timeout: Duration,
    /// Those that fetch media: from public addresses, and from private ones too.
    fetching: [OnceLock<Result<reqwest::Client, String>>; 2],
    /// Only `https` needs the machine's root certificates, and reading them is most of the cost of a start.
    secure: bool,
}

impl Reqwest {
    pub(crate) const fn new(connect_timeout: Duration, secure: bool) -> Self {
        Self {
            client: OnceLock::new(),
            first: OnceLock::new(),
            fetching: [const { OnceLock::new() }; 2],
            connect_timeout,
            secure,
        }
    }

    /// On a client of the caller's: proxies, certificates and pools are its own. Media ([`FetchMedia`]) are fetched by
    /// another client, without proxies, since only so it is known to which address it connects.
    ///
    /// ```
    /// use instructor::{Client, Reqwest};
    ///
    /// let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    /// let client = Client::builder().provider("ollama/qwen3").transport(Reqwest::with_client(http)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_client(client: reqwest::Client) -> Self {
        Self { client: OnceLock::from(Ok(client)), ..Self::new(CONNECT_TIMEOUT, true) }
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

    async fn execute(
        &self,
        request: http::Request<reqwest::Body>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Body>, TransportError> {
        ban::permits(request.uri())?;
        let (parts, body) = request.into_parts();
        let mut request = reqwest::Request::new(parts.method, self.url(&parts.uri)?);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(body);
        *request.timeout_mut() = timeout;
        let response = self.client()?.execute(request).await.map_err(unanswered)?;
        let response: http::Response<reqwest::Body> = response.into();
        Ok(response.map(|body| Body::arriving(Chunks(body))))
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            // A redirect would take the prompt to an address that nobody chose.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("instructor-rs/", env!("CARGO_PKG_VERSION")))
    }

    fn client(&self) -> Result<&reqwest::Client, TransportError> {
        let made = self.client.get_or_init(|| {
            let builder = self.builder();
            let builder = if self.secure { builder } else { builder.tls_certs_only([]) };
            builder.build().map_err(|e| e.to_string())
        });
        made.as_ref().map_err(|e| TransportError::new(TransportErrorKind::Request).with_source(e.as_str()))
    }

    /// One for each, so that no connection to a private address is open where none may be made.
    fn fetching(&self, policy: FetchMedia) -> Result<&reqwest::Client, TransportError> {
        let private = policy.is_private();
        let [public, all] = &self.fetching;
        let made = if private { all } else { public }.get_or_init(|| {
            self.builder().no_proxy().dns_resolver(Guarded { private }).build().map_err(|e| e.to_string())
        });
        made.as_ref().map_err(|e| TransportError::new(TransportErrorKind::Request).with_source(e.as_str()))
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Looks names up, and fails where one has an address that must not be asked.
#[derive(Debug)]
struct Guarded {
    private: bool,
}

impl reqwest::dns::Resolve for Guarded {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            permitted(&found, private)?;
            let found: reqwest::dns::Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// The client that is made is as that of a [`Client`](crate::Client) that is given no transport.
impl Default for Reqwest {
    fn default() -> Self {
        Self::new(CONNECT_TIMEOUT, true)
    }
}

impl Transport for Reqwest {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(self.execute(request.map(Into::into), timeout))
    }

    fn upload(
        &self,
        request: http::Request<Upload>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(self.execute(request.map(|upload| reqwest::Body::wrap(Sending(upload))), timeout))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            ban::permits(request.uri())?;
            let (parts, _) = request.into_parts();
            let url = reqwest::Url::parse(&parts.uri.to_string())
                .map_err(|e| TransportError::new(TransportErrorKind::Request).with_source(e))?;
            // What is an address already is not looked up; parsing may have made it one.
            if url.host_str().and_then(address).is_some_and(|address| !policy.permits(address)) {
                return Err(TransportError::new(TransportErrorKind::Forbidden));
            }
            let mut request = reqwest::Request::new(parts.method, url);
            *request.headers_mut() = parts.headers;
            *request.timeout_mut() = Some(timeout);
            let response = self.fetching(policy)?.execute(request).await.map_err(unanswered)?;
            let response: http::Response<reqwest::Body> = response.into();
            Ok(response.map(|body| Body::arriving(Chunks(body))))
        })
    }
}

/// The bytes of a piece of what is sent.
const PIECE: usize = 64 << 10;

/// A body that is read while it is sent.
struct Sending(Upload);

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let mut piece = vec![0; PIECE];
        loop {
            return Poll::Ready(match self.0.read(&mut piece) {
                Ok(0) => None,
                Ok(read) => {
                    piece.truncate(read);
                    Some(Ok(http_body::Frame::data(piece.into())))
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => Some(Err(error)),
            });
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.length())
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
                Err(error) => return Poll::Ready(Some(Err(failed(error, TransportErrorKind::Interrupted)))),
            }
        }
    }
}

/// Before an answer begins.
fn unanswered(error: reqwest::Error) -> TransportError {
    failed(error, TransportErrorKind::Closed)
}

/// `broken` is what it is if it is neither of the others: that depends on whether an answer had begun.
fn failed(error: reqwest::Error, broken: TransportErrorKind) -> TransportError {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    let kind = if causes.any(<dyn StdError>::is::<Forbidden>) {
        TransportErrorKind::Forbidden
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_builder() {
        TransportErrorKind::Request
    } else {
        broken
    };
    // The URL can carry what should not be logged.
    TransportError::new(kind).with_source(error.without_url())
}
