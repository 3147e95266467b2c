//! The results of a batch: read line by line, each weighed as any answer is.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::BufRead;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use instructor_json::Document;
use serde::de::DeserializeOwned;

use super::batches::errand;
use super::extraction::Extraction;
use super::failed::{BatchError, BatchFailure, Failed};
use super::input::{BatchInput, number};
use super::job::{BatchJob, BatchPart, BatchStatus};
use super::protocol::{Ask, Outcome, Protocol};
use crate::client::{Client, Core};
use crate::error::{Error, ErrorKind};
use crate::fallback::Asks;
#[cfg(any(feature = "blocking", feature = "testing"))]
use crate::future::block_on;
use crate::run::{Answer, Completion};
use crate::transport::{Body, Transport, opened, piece};

/// What came of one request of a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchItem<T> {
    /// The id of the request.
    pub id: String,
    /// The value and the completion that it came from, with usage and cost, or why there is none.
    pub result: Result<(T, Completion), BatchError>,
}

/// The results of a batch, in whatever order they come; results are known by their ids. Of all of them only the line that is
/// read is in memory, and a number for each id that is expected.
///
/// An iterator with the blocking client, and one to await with the other:
///
/// ```
/// # use instructor::testing::Script;
/// # use instructor::batch::Extraction;
/// # #[instructor::model]
/// # struct User {
/// #     age: u8,
/// # }
/// # let script = Script::new();
/// # let client = script.client("openai/gpt-5-mini");
/// # let users = Extraction::<User>::new(&client);
/// # let downloaded = concat!(
/// #     r#"{"custom_id":"a","response":{"status_code":200,"body":{"choices":[{"message":{"content":"{\"age\":36}"}}]}}}"#, "\n",
/// #     r#"{"custom_id":"b","response":null,"error":{"code":"batch_expired","message":"too late"}}"#);
/// # script.block_on(async {
/// let mut results = users.read(downloaded.as_bytes())?; // or users.fetch(&job)?
/// let mut failed = Vec::new();
/// while let Some(item) = results.next().await {
///     let item = item?;
///     match item.result {
///         Ok((user, completion)) => println!("{}: {}, {}", item.id, user.age, completion.report.cost()),
///         Err(error) => failed.push(error.into_failed()),
///     }
/// }
/// assert_eq!(failed[0].id, "b");
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
pub struct BatchResults<'e, T, C = Client> {
    of: &'e Extraction<T, C>,
    protocol: &'static dyn Protocol,
    source: Source<'e>,
    parts: Vec<BatchPart>,
    expected: Option<Expected>,
    over: bool,
}

enum Source<'e> {
    Remote(Download),
    Local(Box<dyn BufRead + Send + 'e>),
}

/// The requests of an input, and which of them have a result.
struct Expected {
    input: BatchInput,
    seen: HashMap<u64, bool>,
    /// Those without, once all results are read.
    missing: Option<VecDeque<Failed>>,
    /// From which line on of the input they are looked for.
    from: u64,
}

/// How many missing requests are looked up at once.
const MISSING: usize = 1024;

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<'e, T: DeserializeOwned + Send, C: Asks> BatchResults<'e, T, C> {
    pub(super) fn remote(of: &'e Extraction<T, C>, job: &BatchJob) -> Result<Self, Error> {
        let protocol = of.protocol()?;
        let source = Source::Remote(Download::new(protocol, job));
        Ok(Self { of, protocol, source, parts: job.parts.clone(), expected: None, over: false })
    }

    pub(super) fn local(of: &'e Extraction<T, C>, results: impl BufRead + Send + 'e) -> Result<Self, Error> {
        let source = Source::Local(Box::new(results));
        Ok(Self { of, protocol: of.protocol()?, source, parts: Vec::new(), expected: None, over: false })
    }

    /// With the input that the batch was made of: requests of which there is no result come at the end, as failures, and
    /// results of no request, or of one that had a result already, are failures too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] or [`ErrorKind::Config`] where the input can't be read.
    pub fn expecting(mut self, input: &BatchInput) -> Result<Self, Error> {
        let mut seen = HashMap::new();
        let mut ids = input.ids()?;
        while let Some((id, _)) = ids.next()? {
            seen.insert(number(&id), false);
        }
        self.expected = Some(Expected { input: input.clone(), seen, missing: None, from: 0 });
        Ok(self)
    }

    /// With the batch that results were of which were downloaded: it tells why some may be missing.
    #[must_use]
    pub fn of_job(mut self, job: &BatchJob) -> Self {
        self.parts.clone_from(&job.parts);
        self
    }

    async fn item(&mut self) -> Option<Result<BatchItem<T>, Error>> {
        let item = self.try_item().await;
        // What was not read once is not read a second time.
        self.over |= item.is_err();
        item.transpose()
    }

    async fn try_item(&mut self) -> Result<Option<BatchItem<T>>, Error> {
        while !self.over {
            let line = match &mut self.source {
                Source::Remote(download) => download.line(&self.of.client.over(), self.of.client.core()).await?,
                Source::Local(from) => local(from)?,
            };
            match line {
                None => self.over = true,
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => return self.result(&line).await.map(Some),
            }
        }
        let parts = &self.parts;
        Ok(match &mut self.expected {
            Some(expected) => expected
                .next_missing(parts)?
                .map(|failed| BatchItem { id: failed.id.clone(), result: Err(BatchError::unanswered(failed)) }),
            None => None,
        })
    }

    async fn result(&mut self, line: &[u8]) -> Result<BatchItem<T>, Error> {
        let text = std::str::from_utf8(line).ok();
        let document = text.and_then(|text| Document::parse(text).ok());
        let read = document.as_ref().and_then(|document| self.protocol.result(document.root()));
        let Some((id, outcome)) = read else {
            let raw = Some(Bytes::copy_from_slice(line));
            let why = "a line of the results is none of a batch; look at raw()";
            return Err(Error::new(ErrorKind::Malformed, why).with_raw(raw));
        };
        drop(document);
        let odd = match self.expected.as_mut().map(|expected| expected.seen.get_mut(&number(&id))) {
            Some(None) => Some((BatchFailure::Unknown, "the input has no such request")),
            Some(Some(seen)) => {
                let before = std::mem::replace(seen, true);
                before.then_some((BatchFailure::Repeated, "it had a result before"))
            }
            None => None,
        };
        let without = |why, message: &str| Err(BatchError::unanswered(Failed::new(id.clone(), why, message)));
        let result = match (odd, outcome) {
            (Some((why, message)), _) => without(why, message),
            (None, Outcome::Expired) => without(BatchFailure::Expired, EXPIRED),
            (None, Outcome::Cancelled) => without(BatchFailure::Cancelled, CANCELLED),
            (None, Outcome::Answered { status, body }) => {
                let answer = Answer { status, headers: HeaderMap::new(), body: body.clone() };
                self.of.weighed(answer).await.map_err(|error| BatchError::of(id.clone(), error, status, &body))
            }
        };
        Ok(BatchItem { id, result })
    }
}

const EXPIRED: &str = "it was not begun before the batch's time was over";
const CANCELLED: &str = "it was not begun before the batch was cancelled";

impl<T: DeserializeOwned + Send> BatchResults<'_, T> {
    /// The next result; `None` after the last.
    ///
    /// An error here is about all of them: the download broke off, or a line is none of a batch's. Results that came before
    /// are not lost; fetch again for the others.
    pub async fn next(&mut self) -> Option<Result<BatchItem<T>, Error>> {
        self.item().await
    }
}

#[cfg(any(feature = "blocking", feature = "testing"))]
impl<T: DeserializeOwned + Send> Iterator for BatchResults<'_, T, crate::blocking::Client> {
    type Item = Result<BatchItem<T>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.item())
    }
}

impl<T, C> fmt::Debug for BatchResults<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchResults").field("over", &self.over).finish_non_exhaustive()
    }
}

impl Expected {
    /// The next request without a result, and why, as far as its part tells.
    fn next_missing(&mut self, parts: &[BatchPart]) -> Result<Option<Failed>, Error> {
        loop {
            if let Some(missing) = &mut self.missing {
                if let Some(failed) = missing.pop_front() {
                    return Ok(Some(failed));
                }
                if self.from == u64::MAX {
                    return Ok(None);
                }
            }
            // The input is read anew for each thousand, so that not all of them have to be in memory.
            let (mut found, mut ids) = (VecDeque::new(), self.input.ids()?);
            let from = std::mem::replace(&mut self.from, u64::MAX);
            while let Some((id, line)) = ids.next()? {
                if line < from || self.seen.get(&number(&id)) == Some(&true) {
                    continue;
                }
                if found.len() == MISSING {
                    self.from = line;
                    break;
                }
                let part = parts.iter().find(|part| part.lines.contains(&line));
                found.push_back(missing(id, part));
            }
            self.missing = Some(found);
        }
    }
}

fn missing(id: String, part: Option<&BatchPart>) -> Failed {
    let Some(state) = part.and_then(|part| part.state.as_ref()) else {
        return Failed::new(id, BatchFailure::Missing, "there is no result of it");
    };
    match state.status {
        BatchStatus::Expired => Failed::new(id, BatchFailure::Expired, EXPIRED),
        BatchStatus::Cancelled => Failed::new(id, BatchFailure::Cancelled, CANCELLED),
        BatchStatus::Failed => {
            let said: Vec<&str> = state.errors.iter().map(|fault| fault.message.as_str()).take(3).collect();
            let said = if said.is_empty() { String::from("the provider says nothing more") } else { said.join("; ") };
            Failed::new(id, BatchFailure::Failed, format!("the batch {} failed: {said}", state.id))
        }
        _ => Failed::new(id, BatchFailure::Missing, format!("the batch {} has no result of it", state.id)),
    }
}

fn local(from: &mut (dyn BufRead + Send)) -> Result<Option<Vec<u8>>, Error> {
    let mut line = Vec::new();
    let read = from.read_until(b'\n', &mut line);
    let read = read.map_err(|error| Error::new(ErrorKind::Io, format!("the results can't be read: {error}")))?;
    Ok((read > 0).then_some(line))
}

/// The files of results of a batch, as they are downloaded.
pub(super) struct Download {
    asks: VecDeque<Ask>,
    body: Option<Body>,
    /// What has come of lines that have not ended.
    rest: BytesMut,
}

impl Download {
    pub(super) fn new(protocol: &dyn Protocol, job: &BatchJob) -> Self {
        let states = job.parts.iter().filter_map(|part| part.state.as_ref());
        Self { asks: states.flat_map(|state| protocol.results(state)).collect(), body: None, rest: BytesMut::new() }
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self, transport: &dyn Transport, core: &Core) -> Result<Option<Vec<u8>>, Error> {
        let mut looked = 0;
        loop {
            if let Some(end) = self.rest.get(looked..).and_then(|rest| memchr::memchr(b'\n', rest)) {
                let mut line = self.rest.split_to(looked + end + 1);
                line.truncate(looked + end);
                return Ok(Some(line.to_vec()));
            }
            looked = self.rest.len();
            if looked > core.max_response_bytes {
                let why = format!("a result has more than {} bytes (max_response_bytes)", core.max_response_bytes);
                return Err(Error::new(ErrorKind::Malformed, why));
            }
            match &mut self.body {
                Some(body) => match piece(transport, core, body).await? {
                    Some(piece) => self.rest.extend_from_slice(&piece),
                    None => {
                        self.body = None;
                        if !self.rest.is_empty() {
                            return Ok(Some(self.rest.split().to_vec()));
                        }
                    }
                },
                None => {
                    let Some(ask) = self.asks.pop_front() else { return Ok(None) };
                    self.body = Some(opened(transport, core, &errand(core, &ask, None)?).await?);
                    looked = 0;
                }
            }
        }
    }
}
