//! Writing the input of a batch, a line for each request.

use std::fmt;
use std::io::{self, Write};

use super::extraction::Extraction;
use super::failed::Failed;
use super::input::KnownIds;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::fallback::Asks;
#[cfg(any(feature = "blocking", feature = "testing"))]
use crate::future::block_on;
use crate::message::Messages;
use crate::run::AtHand;

/// Writes the input of a batch, a request at a time, to any [`Write`], such as a buffered file. Of what is written only the
/// ids are kept, eight bytes each, to refuse one that comes twice. See [`Extraction::writer`].
pub struct BatchWriter<'e, W, T, C = Client> {
    of: &'e Extraction<T, C>,
    to: W,
    ids: KnownIds,
    requests: u64,
    bytes: u64,
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<'e, W: Write, T: serde::de::DeserializeOwned + Send, C: Asks> BatchWriter<'e, W, T, C> {
    pub(super) fn new(of: &'e Extraction<T, C>, to: W) -> Self {
        Self { of, to, ids: KnownIds::default(), requests: 0, bytes: 0 }
    }

    /// Writes a request. Its id is what the result is known by.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an id that was there before or that the provider does not take;
    /// [`ErrorKind::Unsupported`] for a request that can't be in a batch; [`ErrorKind::Io`] where it can't be written.
    pub fn push<'a>(&mut self, id: impl AsRef<str>, input: impl Into<Messages<'a>>) -> Result<(), Error> {
        let body = self.of.body(input.into())?;
        self.write(id.as_ref(), &body)
    }

    /// How many requests were written.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// How many bytes were written.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends it, and gives back what was written to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] where something is left that can't be written.
    pub fn finish(mut self) -> Result<W, Error> {
        self.to.flush().map_err(|error| unwritten(&error))?;
        Ok(self.to)
    }

    /// The request with what is wrong with its answer, if it had one.
    async fn write_again(&mut self, failed: &Failed, input: Messages<'_>) -> Result<(), Error> {
        let body = match failed.answer() {
            None => self.of.body(input)?,
            Some(answer) => self.of.following(input, AtHand { answer, percent: 100, only: false }).await?,
        };
        self.write(&failed.id, &body)
    }

    fn write(&mut self, id: &str, body: &[u8]) -> Result<(), Error> {
        let facts = self.of.facts()?;
        facts.check(id)?;
        let line = self.of.line(id, body)?;
        if line.len() as u64 > facts.bytes {
            let (length, most) = (line.len(), facts.bytes);
            return Err(Error::config(format!("the request {id:?} has {length} bytes, and a batch takes {most}")));
        }
        self.ids.insert(id)?;
        self.to.write_all(line.as_bytes()).map_err(|error| unwritten(&error))?;
        self.requests += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

impl<W: Write, T: serde::de::DeserializeOwned + Send> BatchWriter<'_, W, T> {
    /// Writes a request again that has failed in an earlier batch, with the input that it had: with the failed answer and
    /// what is wrong with it as further turns, or as it was, where there was no answer or the service failed.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); and the failure itself, where asking again in a batch does not help: a refusal, a request
    /// that the provider does not take, a cut answer. After a change of the settings `push` it.
    pub async fn again<'a>(&mut self, failed: &Failed, input: impl Into<Messages<'a>>) -> Result<(), Error> {
        self.write_again(failed, input.into()).await
    }
}

#[cfg(any(feature = "blocking", feature = "testing"))]
impl<W: Write, T: serde::de::DeserializeOwned + Send> BatchWriter<'_, W, T, crate::blocking::Client> {
    /// Writes a request again that has failed in an earlier batch, with the input that it had: with the failed answer and
    /// what is wrong with it as further turns, or as it was, where there was no answer or the service failed.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); and the failure itself, where asking again in a batch does not help: a refusal, a request
    /// that the provider does not take, a cut answer. After a change of the settings `push` it.
    pub fn again<'a>(&mut self, failed: &Failed, input: impl Into<Messages<'a>>) -> Result<(), Error> {
        block_on(self.write_again(failed, input.into()))
    }
}

fn unwritten(error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("the input of the batch can't be written: {error}"))
}

impl<W, T, C> fmt::Debug for BatchWriter<'_, W, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchWriter")
            .field("requests", &self.requests)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
