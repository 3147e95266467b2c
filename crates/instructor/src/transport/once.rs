//! Calls beside those of the engine, with the client's key, times and retry policy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};

#[cfg(feature = "batch")]
use super::drive::Pieces;
use super::drive::{arrived, credential};
use super::{Body, Idle, Transport, Upload};
use crate::client::Core;
use crate::error::{Error, ErrorKind, TransportError, TransportErrorKind};
use crate::run::{Answer, Authorise, unanswered};
use crate::wire::read_failure;

/// One such call.
pub(crate) struct Errand {
    pub(crate) method: Method,
    pub(crate) url: http::Uri,
    /// Instead of, or beside, those that the client's requests have.
    pub(crate) headers: HeaderMap,
    pub(crate) load: Load,
    /// It goes without the key: the address is a secret itself.
    pub(crate) keyless: bool,
    /// It may be sent again although the one before may have been done.
    pub(crate) again: bool,
}

/// What it carries.
#[cfg_attr(not(feature = "batch"), expect(dead_code, reason = "batches ask for states and upload files"))]
pub(crate) enum Load {
    Nothing,
    Bytes(Bytes),
    /// Read anew for each time that it is sent.
    Upload(Arc<dyn Fn() -> std::io::Result<Upload> + Send + Sync>),
}

impl Errand {
    pub(crate) fn new(method: Method, url: http::Uri, load: Load) -> Self {
        Self { method, url, headers: HeaderMap::new(), load, keyless: false, again: true }
    }

    fn head(&self, core: &Core, length: u64) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        if !self.keyless {
            *headers = core.endpoint.headers.clone();
        }
        if length > 0 || self.method != Method::GET {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        request
    }
}

/// Does an errand and takes the whole answer; a status that is none of success is an error.
pub(crate) async fn done(transport: &dyn Transport, core: &Core, errand: &Errand) -> Result<Answer, Error> {
    let mut tries = Tries::begin(transport);
    loop {
        let answer = match send(transport, core, errand, core.options.timeout).await {
            Ok(response) => arrived(Ok(response), core.max_response_bytes).await.map_err(failed),
            Err(error) => Err(error),
        };
        match answer.and_then(|answer| checked(transport, core, answer)) {
            Ok(answer) => return Ok(answer),
            Err(error) => transport.sleep(tries.wait(transport, core, errand, error)?).await,
        }
    }
}

/// Does an errand whose answer is read piece by piece.
#[cfg(feature = "batch")]
pub(crate) async fn opened(transport: &dyn Transport, core: &Core, errand: &Errand) -> Result<Body, Error> {
    let mut tries = Tries::begin(transport);
    loop {
        let answer = match send(transport, core, errand, None).await {
            Ok(response) if response.status().is_success() => return Ok(response.into_body()),
            Ok(response) => arrived(Ok(response), core.max_response_bytes).await.map_err(failed),
            Err(error) => Err(error),
        };
        match answer.and_then(|answer| checked(transport, core, answer)) {
            Ok(answer) => return Ok(Body::whole(answer.body)),
            Err(error) => transport.sleep(tries.wait(transport, core, errand, error)?).await,
        }
    }
}

/// The next piece of such an answer.
#[cfg(feature = "batch")]
pub(crate) async fn piece(transport: &dyn Transport, core: &Core, body: &mut Body) -> Result<Option<Bytes>, Error> {
    Pieces::new(transport, body, core.options.idle_timeout).next().await.map_err(failed)
}

/// The tries that the client's retry policy gives an errand.
struct Tries {
    began: Duration,
    failed: u32,
}

impl Tries {
    fn begin(transport: &dyn Transport) -> Self {
        Self { began: transport.now().monotonic, failed: 0 }
    }

    /// How long to wait after a failure until the next; the error again, if there is none.
    fn wait(
        &mut self,
        transport: &dyn Transport,
        core: &Core,
        errand: &Errand,
        error: Error,
    ) -> Result<Duration, Error> {
        self.failed += 1;
        let retry = &core.options.retry;
        let elapsed = transport.now().monotonic.saturating_sub(self.began);
        let asked = error.retry_after();
        let too_long = asked.is_some_and(|wait| wait > retry.longest_retry_after());
        let may = error.is_retryable() && (errand.again || was_not_done(&error));
        if !may || too_long || !retry.retries(error.kind()) || !retry.goes_on(self.failed, elapsed) {
            return Err(error);
        }
        Ok(asked.unwrap_or_else(|| retry.wait().before(self.failed - 1, fastrand::f64())))
    }
}

/// Whether it is certain that a call that failed has done nothing.
fn was_not_done(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<TransportError>());
    error.kind() == ErrorKind::RateLimited
        || cause.is_some_and(|cause| matches!(cause.kind(), TransportErrorKind::Connect | TransportErrorKind::Request))
}

/// Authorises an errand and sends it.
async fn send(
    transport: &dyn Transport,
    core: &Core,
    errand: &Errand,
    timeout: Option<Duration>,
) -> Result<Response<Body>, Error> {
    let upload = match &errand.load {
        Load::Upload(open) => Some(open().map_err(|error| {
            Error::new(ErrorKind::Io, format!("what is uploaded can't be read: {error}"))
                .with_source(Some(error.into()))
        })?),
        Load::Nothing | Load::Bytes(_) => None,
    };
    let bytes = if let Load::Bytes(bytes) = &errand.load { bytes.clone() } else { Bytes::new() };
    let mut request = errand.head(core, upload.as_ref().map_or(bytes.len() as u64, Upload::length));
    *request.body_mut() = bytes;
    if timeout.is_none() {
        core.options.idle_timeout.map(|idle| request.extensions_mut().insert(Idle(idle)));
    }
    if let Some(keyring) = core.endpoint.keyring.as_ref().filter(|_| !errand.keyless) {
        let wanted = Authorise::new(keyring, core.options.timeout);
        let held = credential(transport, &wanted, core.max_response_bytes).await?;
        let endpoint = &core.endpoint;
        endpoint.profile.authorise(&mut request, &held, endpoint.signer.as_ref(), transport.now().unix)?;
    }
    let sent = match upload {
        None => transport.send(request, timeout).await,
        // How long it takes depends on how large it is.
        Some(upload) => transport.upload(request.map(|_| upload), None).await,
    };
    sent.map_err(failed)
}

fn failed(error: TransportError) -> Error {
    let (kind, detail) = unanswered(&error);
    Error::new(kind, detail).with_source(Some(error.into()))
}

fn checked(transport: &dyn Transport, core: &Core, answer: Answer) -> Result<Answer, Error> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let failure = read_failure(answer.status, &answer.headers, &answer.body, transport.now().unix);
    let said = core.endpoint.key.as_ref().map_or_else(|| failure.describe(), |key| key.masked(failure.describe()));
    let error = Error::new(failure.kind, said).with_status(failure.status).with_retry_after(failure.retry_after);
    Err(error.with_raw(Some(answer.body)))
}
