//! A service of tower as transport: bring your own client and your own middleware.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http_body::Frame;
use tower_service::Service;

use super::{Body, BoxFuture, Transport};
use crate::error::{TransportError, TransportErrorKind};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Sends with any `tower::Service<http::Request<Bytes>>`: layers for tracing, retries, limits or signatures of your own
/// apply to every request. It is cloned for each request, as services are. It fetches no media
/// ([`FetchMedia`](crate::FetchMedia)), since nothing tells to which address a service connects.
///
/// ```
/// use std::convert::Infallible;
/// use std::future::{Ready, ready};
/// use std::task::{Context, Poll};
///
/// use bytes::Bytes;
/// use instructor::{Client, Tower};
/// use tower_service::Service;
///
/// /// Answers without a network.
/// #[derive(Clone)]
/// struct Canned;
///
/// impl Service<http::Request<Bytes>> for Canned {
///     type Response = http::Response<http_body_util::Full<Bytes>>;
///     type Error = Infallible;
///     type Future = Ready<Result<Self::Response, Infallible>>;
///
///     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
///         Poll::Ready(Ok(()))
///     }
///
///     fn call(&mut self, _: http::Request<Bytes>) -> Self::Future {
///         let body = r#"{"choices": [{"message": {"content": "{\"value\": 7}"}, "finish_reason": "stop"}]}"#;
///         ready(Ok(http::Response::new(body.into())))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), instructor::Error> {
/// let client = Client::builder().provider("openai/gpt-5-mini").api_key("k").transport(Tower::new(Canned)).build()?;
/// let number: u8 = client.create("Which number?").await?;
/// assert_eq!(number, 7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tower<S> {
    service: S,
}

impl<S> Tower<S> {
    /// On a service of the caller's.
    #[must_use]
    pub const fn new(service: S) -> Self {
        Self { service }
    }
}

impl<S> fmt::Debug for Tower<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tower(..)")
    }
}

impl<S, B> Transport for Tower<S>
where
    S: Service<http::Request<Bytes>, Response = http::Response<B>> + Clone + Send + Sync,
    S::Error: Into<Failed>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Failed>,
{
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let mut service = self.service.clone();
        Box::pin(async move {
            let mut deadline = timeout.map(|timeout| Box::pin(tokio::time::sleep(timeout)));
            let call = async {
                poll_fn(|context| service.poll_ready(context)).await?;
                service.call(request).await
            };
            let mut call = Box::pin(call);
            let answer = poll_fn(|context| {
                if let Poll::Ready(answer) = call.as_mut().poll(context) {
                    return Poll::Ready(answer.map_err(|error| failed(TransportErrorKind::Connect, error)));
                }
                is_over(&mut deadline, context).map(|()| Err(TransportError::new(TransportErrorKind::Timeout)))
            });
            let response = answer.await?;
            Ok(response.map(|body| Body::arriving(Chunks { body: Box::pin(body), deadline })))
        })
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The time that a whole attempt has.
type Deadline = Option<Pin<Box<tokio::time::Sleep>>>;

fn is_over(deadline: &mut Deadline, context: &mut Context<'_>) -> Poll<()> {
    match deadline {
        Some(deadline) => deadline.as_mut().poll(context),
        None => Poll::Pending,
    }
}

/// The data of a body, piece by piece, until the attempt's time is over.
struct Chunks<B> {
    body: Pin<Box<B>>,
    deadline: Deadline,
}

impl<B> Stream for Chunks<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Failed>,
{
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if is_over(&mut self.deadline, context).is_ready() {
            return Poll::Ready(Some(Err(TransportError::new(TransportErrorKind::Timeout))));
        }
        loop {
            let Some(frame) = ready!(self.body.as_mut().poll_frame(context)) else { return Poll::Ready(None) };
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Poll::Ready(Some(Ok(data))),
                Ok(Err(_trailers)) => {}
                Err(error) => return Poll::Ready(Some(Err(failed(TransportErrorKind::Interrupted, error)))),
            }
        }
    }
}

fn failed(kind: TransportErrorKind, error: impl Into<Failed>) -> TransportError {
    TransportError::new(kind).with_source(error)
}

#[cfg(test)]
mod tests {
    use std::future::{Pending, Ready, pending, ready};

    use super::*;
    use crate::client::Client;
    use crate::error::{Error, ErrorKind};

    /// What a service does with every request.
    #[derive(Clone)]
    enum Canned {
        Fails,
        Hangs,
        /// Answers with a body that never ends.
        Trickles,
    }

    enum Trickle {
        Never(Pending<()>),
    }

    impl http_body::Body for Trickle {
        type Data = Bytes;
        type Error = Failed;

        fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
            let Self::Never(never) = self.get_mut();
            Pin::new(never).poll(context).map(|()| None)
        }
    }

    impl Service<http::Request<Bytes>> for Canned {
        type Response = http::Response<Trickle>;
        type Error = Failed;
        type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failed>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<Bytes>) -> Self::Future {
            match self {
                Self::Fails => Box::pin(ready(Err(Failed::from("no route")))),
                Self::Hangs => Box::pin(pending()),
                Self::Trickles => {
                    let answer: Ready<Result<_, Failed>> = ready(Ok(http::Response::new(Trickle::Never(pending()))));
                    Box::pin(answer)
                }
            }
        }
    }

    async fn ask(service: Canned) -> Error {
        let builder = Client::builder().provider("openai/gpt-5-mini").api_key("k").transport(Tower::new(service));
        let client = builder.max_retries(0).timeout(Duration::from_millis(20)).build().unwrap();
        client.create::<u8>("x").await.unwrap_err()
    }

    #[tokio::test]
    async fn a_failure_and_an_end_of_time_are_transport_errors() {
        for (service, says) in [(Canned::Fails, "no route"), (Canned::Hangs, "time"), (Canned::Trickles, "time")] {
            let error = ask(service).await;
            assert_eq!(error.kind(), ErrorKind::Transport);
            assert!(format!("{error:#}").contains(says), "{error:#}");
        }
    }
}
