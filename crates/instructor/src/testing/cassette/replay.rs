use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::redact::{Known, Redaction};
use super::tape::{Asked, Exchange, Raw, Tape};
use crate::error::{Error, TransportError, TransportErrorKind};
use crate::future::bell;
use crate::media::FetchMedia;
use crate::run::Now;
use crate::testing::diff::differences;
use crate::transport::{BlockingTransport, Body, BoxFuture, Transport, system_time};

/// A transport, async and blocking, that answers from a cassette that [`Record`](super::Record) has written. Cheap to clone;
/// clones share what is left. Waits take no time.
///
/// A request is answered if one with the same method, address and body was recorded; bodies are compared as JSON, in which
/// the order of keys does not matter, and after all secrets are left out of both. In which order requests come does not
/// matter either, but each exchange is used once, identical ones in their order. A request that is not there fails with
/// [`TransportErrorKind::Unrecorded`] and, as its source, a [`Missed`] that says how it differs from the nearest one.
#[derive(Clone)]
pub struct Replay(Arc<Inner>);

struct Inner {
    path: PathBuf,
    rules: Redaction,
    repeats: bool,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    known: Known,
    exchanges: Vec<(Exchange, bool)>,
    slept: Duration,
}

/// A request that no cassette has.
///
/// It shows what differs, so text of prompts too: it is made for tests.
#[derive(Clone, Debug)]
pub struct Missed {
    request: String,
    path: PathBuf,
    nearest: Option<(usize, bool)>,
    differences: Vec<String>,
}

/// How many differences are shown.
const SHOWN: usize = 8;

impl Replay {
    /// The cassette in a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is none, or it is none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let exchanges = Tape::read(&path)?.exchanges.into_iter().map(|exchange| (exchange, false)).collect();
        let state = Mutex::new(State { exchanges, ..State::default() });
        Ok(Self(Arc::new(Inner { path, rules: Redaction::new(), repeats: false, state })))
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let Inner { path, rules, repeats, .. } = &*self.0;
        let state = Mutex::new(self.state().clone());
        let mut inner = Inner { path: path.clone(), rules: rules.clone(), repeats: *repeats, state };
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// With the rules by which it was recorded.
    #[must_use]
    pub fn with_redaction(self, rules: Redaction) -> Self {
        self.with(|inner| inner.rules = rules)
    }

    /// With exchanges that are used again, the last of identical ones, once all are used.
    #[must_use]
    pub fn with_repeats(self) -> Self {
        self.with(|inner| inner.repeats = true)
    }

    /// The requests of the cassette that nothing has asked for.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        self.state().exchanges.iter().filter(|(_, used)| !used).map(|(exchange, _)| exchange.request.line()).collect()
    }

    /// Asks that the whole cassette was used: what is left was recorded by code that is not there any more.
    ///
    /// # Panics
    ///
    /// If something is left, with what.
    #[track_caller]
    #[expect(clippy::panic, reason = "it is an assertion")]
    pub fn assert_done(&self) {
        let unused = self.unused();
        if !unused.is_empty() {
            let path = self.0.path.display();
            panic!(
                "nothing asked for {} of the requests in {path}:\n  {}\nrecord it again",
                unused.len(),
                unused.join("\n  ")
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &http::Request<Bytes>) -> Result<(http::Response<()>, Pieces), TransportError> {
        let raw = Raw::of(request);
        let mut state = self.state();
        raw.learn(&mut state.known);
        let asked = raw.asked(&self.0.rules, &state.known);
        let value = asked.value();
        let fits = |(_, (exchange, _)): &(usize, &(Exchange, bool))| exchange.request.value() == value;
        let all = || state.exchanges.iter().enumerate().filter(fits);
        let found = all().find(|(_, (_, used))| !used).or_else(|| all().next_back().filter(|_| self.0.repeats));
        let Some(found) = found.map(|(index, _)| index) else {
            let missed = Missed::new(&self.0.path, &asked, &state.exchanges);
            return Err(TransportError::new(TransportErrorKind::Unrecorded).with_source(missed));
        };
        let Some((exchange, used)) = state.exchanges.get_mut(found) else {
            return Err(TransportError::new(TransportErrorKind::Unrecorded));
        };
        *used = true;
        let (response, end) = exchange.response.response()?;
        let (parts, pieces) = response.into_parts();
        Ok((http::Response::from_parts(parts, ()), Pieces { pieces: pieces.into(), end }))
    }

    fn sleeps(&self, wait: Duration) {
        self.state().slept += wait;
    }

    fn time(&self) -> Now {
        let slept = self.state().slept;
        let now = system_time();
        Now::new(now.monotonic + slept, now.unix + slept)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("path", &self.0.path)
            .field("unused", &self.unused().len())
            .finish_non_exhaustive()
    }
}

impl Missed {
    fn new(path: &Path, asked: &Asked, exchanges: &[(Exchange, bool)]) -> Self {
        let value = asked.value();
        let of = |(index, (exchange, used)): (usize, &(Exchange, bool))| {
            let differences = differences(&exchange.request.value(), &value);
            (differences.len(), *used, index, differences)
        };
        // Of those that differ as much, one that is left.
        let nearest =
            exchanges.iter().enumerate().map(of).min_by_key(|(count, used, index, _)| (*count, *used, *index));
        let (nearest, differences) = match nearest {
            Some((_, used, index, differences)) => (Some((index, used)), differences),
            None => (None, Vec::new()),
        };
        Self { request: asked.line(), path: path.to_path_buf(), nearest, differences }
    }

    /// How the request differs from the nearest one that was recorded, line by line: the place, what was recorded there, and
    /// what is asked for.
    #[must_use]
    pub fn differences(&self) -> &[String] {
        &self.differences
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, path, nearest, differences } = self;
        let path = path.display();
        match nearest {
            None => write!(f, "{request} is not in {path}, which is empty")?,
            Some((index, true)) if differences.is_empty() => {
                let why = "was used already: each is used once, unless Replay::with_repeats is set";
                write!(f, "{request} is in {path} (exchange {index}) but {why}")?;
            }
            Some((index, _)) => {
                write!(
                    f,
                    "{request} is not in {path}; this is how it differs from exchange {index} (recorded -> asked):"
                )?;
                for line in differences.iter().take(SHOWN) {
                    write!(f, "\n  {line}")?;
                }
                if let Some(more @ 1..) = differences.len().checked_sub(SHOWN) {
                    write!(f, "\n  and {more} more")?;
                }
            }
        }
        write!(f, "\nif the request is meant, record it again (INSTRUCTOR_CASSETTES=record for a Cassette)")
    }
}

impl StdError for Missed {}

/// A body, piece by piece.
struct Pieces {
    pieces: VecDeque<Bytes>,
    end: Option<TransportErrorKind>,
}

impl Pieces {
    fn into_body(mut self) -> Body {
        match self.end {
            None if self.pieces.len() < 2 => Body::whole(self.pieces.pop_front().unwrap_or_default()),
            _ => Body::arriving(self),
        }
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match self.pieces.pop_front() {
            Some(piece) => Some(Ok(piece)),
            None => self.end.take().map(|kind| Err(TransportError::new(kind))),
        })
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.pieces.pop_front() else {
            return match self.end.take() {
                None => Ok(0),
                Some(TransportErrorKind::Timeout) => Err(io::ErrorKind::TimedOut.into()),
                Some(_) => Err(io::ErrorKind::ConnectionReset.into()),
            };
        };
        let rest = piece.split_off(piece.len().min(buffer.len()));
        buffer.iter_mut().zip(&piece).for_each(|(to, from)| *to = *from);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Ok(piece.len())
    }
}

impl Transport for Replay {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let answer = self.answer(&request).map(|(head, pieces)| head.map(|()| pieces.into_body()));
        Box::pin(std::future::ready(answer))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.sleeps(wait);
        Box::pin(std::future::ready(()))
    }

    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        // What it ends may be waiting for something real.
        bell(wait)
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        _: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Transport::send(self, request, Some(timeout))
    }

    fn now(&self) -> Now {
        self.time()
    }
}

impl BlockingTransport for Replay {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        self.answer(&request).map(|(head, pieces)| head.map(|()| Box::new(pieces) as Box<dyn Read + Send>))
    }

    fn sleep(&self, wait: Duration) {
        self.sleeps(wait);
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        _: FetchMedia,
        timeout: Duration,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        BlockingTransport::send(self, request, Some(timeout))
    }

    fn now(&self) -> Now {
        self.time()
    }
}
