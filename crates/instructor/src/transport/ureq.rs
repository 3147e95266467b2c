//! The blocking transport on ureq, without an async runtime.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{self, DefaultResolver, ResolvedSocketAddrs};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::ban;
use super::guard::{Forbidden, permitted};
use super::{BlockingTransport, Idle, Upload};
use crate::error::{TransportError, TransportErrorKind};
use crate::media::{FetchMedia, address};

/// Sends with a [`ureq::Agent`].
#[derive(Debug)]
pub struct Ureq {
    agent: ureq::Agent,
    connect_timeout: Duration,
}

impl Ureq {
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        let config = config(connect_timeout).build();
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), Resolver::default());
        Self { agent, connect_timeout }
    }

    /// On an agent of the caller's: proxies, certificates and pools are its own. Media ([`FetchMedia`]) are fetched by
    /// another agent, without proxies, since only so it is known to which address it connects.
    #[must_use]
    pub const fn with_agent(agent: ureq::Agent) -> Self {
        Self { agent, connect_timeout: Duration::from_secs(10) }
    }
}

impl Ureq {
    fn run(
        &self,
        request: http::Request<impl ureq::AsSendBody>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        ban::permits(request.uri())?;
        // A status is the engine's business, so none is an error here.
        let idle = request.extensions().get().map(|Idle(idle)| *idle);
        let mut request = self.agent.configure_request(request).http_status_as_error(false).timeout_global(timeout);
        if idle.is_some() {
            request = request.timeout_per_read(idle);
        }
        let response = self.agent.run(request.build()).map_err(failed)?;
        Ok(response.map(|body| Box::new(Timed(body.into_reader(), idle)) as Box<dyn Read + Send>))
    }
}

fn config(connect_timeout: Duration) -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .timeout_connect(Some(connect_timeout))
        // A redirect would take the prompt to an address that nobody chose.
        .max_redirects(0)
        .user_agent(concat!("instructor-rs/", env!("CARGO_PKG_VERSION")))
}

/// As clients have it that are given no other, to be wrapped by a [`BlockingTransport`] that looks at what goes through.
impl Default for Ureq {
    fn default() -> Self {
        Self::new(Duration::from_secs(10))
    }
}

impl BlockingTransport for Ureq {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        let (parts, body) = request.into_parts();
        self.run(http::Request::from_parts(parts, &*body), timeout)
    }

    fn upload(
        &self,
        request: http::Request<Upload>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        self.run(request.map(ureq::SendBody::from_owned_reader), timeout)
    }

    fn park(&self, most: Duration) -> bool {
        let start = Instant::now();
        thread::park_timeout(most);
        start.elapsed() >= most
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        let config =
            config(self.connect_timeout).proxy(None).http_status_as_error(false).timeout_global(Some(timeout)).build();
        // One for each fetch, so that no connection to a private address is open where none may be made.
        let resolver = Guarded { private: policy.is_private(), resolver: Resolver::default() };
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        let (parts, _) = request.into_parts();
        ban::permits(&parts.uri)?;
        let response = agent.run(http::Request::from_parts(parts, ())).map_err(failed)?;
        Ok(response.map(|body| Box::new(Timed(body.into_reader(), None)) as Box<dyn Read + Send>))
    }
}

/// Looks names up, and fails where one has an address that must not be asked.
#[derive(Debug)]
struct Guarded {
    private: bool,
    resolver: Resolver,
}

impl resolver::Resolver for Guarded {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        permitted(&found, self.private).map_err(|error| ureq::Error::Other(Box::new(error)))?;
        Ok(found)
    }
}

/// Reads addresses that need no look-up by itself: for a look-up within a time limit ureq starts a thread, also where
/// there is nothing to look up and the connection is there already.
#[derive(Debug, Default)]
struct Resolver(DefaultResolver);

impl resolver::Resolver for Resolver {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let literal = uri.host().and_then(address);
        let port = uri.port_u16().or(match uri.scheme_str() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        });
        match (literal, port) {
            (Some(ip), Some(port)) => {
                let mut addresses = self.empty();
                addresses.push(SocketAddr::new(ip, port));
                Ok(addresses)
            }
            _ => self.0.resolve(uri, config, timeout),
        }
    }
}

/// A body whose timeouts read as such: ureq hides them inside an error of another kind. And how long it may be idle.
struct Timed<R>(R, Option<Duration>);

impl<R: Read> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
            match (inner, self.1) {
                (Some(ureq::Error::Timeout(ureq::Timeout::PerRead)), Some(idle)) => {
                    io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {idle:?}"))
                }
                (Some(ureq::Error::Timeout(_)), _) => io::Error::new(io::ErrorKind::TimedOut, error),
                _ => error,
            }
        })
    }
}

fn failed(error: ureq::Error) -> TransportError {
    let kind = match &error {
        ureq::Error::Other(cause) if cause.is::<Forbidden>() => TransportErrorKind::Forbidden,
        ureq::Error::Timeout(_) => TransportErrorKind::Timeout,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => TransportErrorKind::Connect,
        ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => TransportErrorKind::Connect,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => TransportErrorKind::Request,
        // The body is read later.
        _ => TransportErrorKind::Closed,
    };
    TransportError::new(kind).with_source(error)
}
