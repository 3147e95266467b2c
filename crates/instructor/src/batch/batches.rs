//! A provider's batches: submitted, looked at, waited for, cancelled, listed, downloaded.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Uri, header};
use instructor_json::Node;

use super::input::BatchInput;
use super::job::{BatchJob, BatchPart, BatchState};
use super::protocol::{self, Ask, Content, Next, Place, Protocol, Submission};
use super::results::Download;
use crate::client::{Client, Core};
use crate::error::{Error, ErrorKind};
use crate::fallback::Asks;
#[cfg(any(feature = "blocking", feature = "testing"))]
use crate::future::block_on;
use crate::provider::Address;
use crate::run::Answer;
use crate::transport::{Errand, Load, Transport as _, done};

/// The batches of a client's provider.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use instructor::batch::{BatchInput, Batches, Extraction};
/// # use serde_json::json;
/// # #[instructor::model]
/// # struct User {
/// #     age: u8,
/// # }
/// # let batch = |status| json!({ "id": "batch_1", "status": status, "request_counts": { "total": 1, "completed": 1 } });
/// # let script = Script::new()
/// #     .reply(Reply::json(json!({ "id": "file-1" })))
/// #     .reply(Reply::json(batch("validating")))
/// #     .reply(Reply::json(batch("completed")));
/// # let client = script.client("openai/gpt-5-mini");
/// # let users = Extraction::<User>::new(&client);
/// # let mut input = users.writer(Vec::new());
/// # input.push("ada", "Ada is 36")?;
/// # let input = BatchInput::from(input.finish()?);
/// # script.block_on(async {
/// let batches = Batches::new(&client)?;
/// let mut job = users.job(&input)?;
/// batches.submit(&mut job, &input).await?;
/// // In a file, until tomorrow.
/// let kept = serde_json::to_string(&job).unwrap();
///
/// let mut job = serde_json::from_str(&kept).unwrap();
/// batches.poll(&mut job).await?;
/// assert!(job.status().is_over());
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// # Ok::<(), instructor::Error>(())
/// ```
pub struct Batches<'c, C = Client> {
    client: &'c C,
    protocol: &'static dyn Protocol,
}

/// One page of the batches that there are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchPage {
    /// The batches, in the provider's order.
    pub batches: Vec<BatchState>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

#[expect(private_bounds, reason = "a client of either kind, and of no other")]
impl<'c, C: Asks> Batches<'c, C> {
    /// Those of a client's provider.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where it has none, with the providers that have.
    pub fn new(client: &'c C) -> Result<Self, Error> {
        let facts = super::facts(&client.core().endpoint.profile)?;
        Ok(Self { client, protocol: protocol::of(facts.form) })
    }

    fn core(&self) -> &'c Core {
        self.client.core()
    }

    async fn ask(&self, ask: &Ask, part: Option<(&BatchInput, &BatchPart)>) -> Result<Answer, Error> {
        let core = self.core();
        done(&self.client.over(), core, &errand(core, ask, part)?).await
    }

    async fn submit_one(&self, job: &mut BatchJob, input: &BatchInput) -> Result<bool, Error> {
        self.is_own(job)?;
        if input.length()? != job.bytes {
            let why = "the input has changed since the batch was made of it: make the batch anew";
            return Err(Error::config(why));
        }
        let BatchJob { model, path, parts, .. } = job;
        let Some(part) = parts.iter_mut().find(|part| part.state.is_none()) else { return Ok(false) };
        let (lines, bytes) = (&part.lines, &part.bytes);
        let submission = Submission {
            model,
            path,
            requests: lines.end - lines.start,
            // Without the end of the last line, as it is sent.
            bytes: (bytes.end - bytes.start).saturating_sub(1),
        };
        let mut before = Vec::new();
        loop {
            match self.protocol.submit(&submission, &before)? {
                Next::Ask(ask) => before.push(self.ask(&ask, Some((input, part))).await.map_err(|e| unsure(&ask, e))?),
                Next::Done(state) => {
                    part.state = Some(state);
                    return Ok(true);
                }
            }
        }
    }

    async fn submit_all(&self, job: &mut BatchJob, input: &BatchInput) -> Result<(), Error> {
        while self.submit_one(job, input).await? {}
        Ok(())
    }

    async fn state_of(&self, id: &str) -> Result<BatchState, Error> {
        protocol::state(self.protocol, &self.ask(&self.protocol.poll(id), None).await?)
    }

    async fn poll_all(&self, job: &mut BatchJob) -> Result<(), Error> {
        self.is_own(job)?;
        for state in job.parts.iter_mut().filter_map(|part| part.state.as_mut()) {
            if !state.status.is_over() {
                *state = self.state_of(&state.id).await?;
            }
        }
        Ok(())
    }

    async fn wait_all(&self, job: &mut BatchJob, every: Duration) -> Result<(), Error> {
        loop {
            self.poll_all(job).await?;
            if job.status().is_over() || !job.is_submitted() {
                return job.over();
            }
            self.client.over().sleep(every).await;
        }
    }

    async fn cancel_one(&self, id: &str) -> Result<BatchState, Error> {
        self.ask(&self.protocol.cancel(id), None).await?;
        // Not all of them say anything then.
        self.state_of(id).await
    }

    async fn cancel_all(&self, job: &mut BatchJob) -> Result<(), Error> {
        self.poll_all(job).await?;
        for state in job.parts.iter_mut().filter_map(|part| part.state.as_mut()) {
            if !state.status.is_over() {
                *state = self.cancel_one(&state.id).await?;
            }
        }
        Ok(())
    }

    async fn page(&self, after: Option<&str>) -> Result<BatchPage, Error> {
        let answer = self.ask(&self.protocol.list(after), None).await?;
        protocol::read(&answer, |root| {
            let (batches, next) = self.protocol.page(root);
            let state = |node: Node<'_>| self.protocol.state(node);
            Some(BatchPage { batches: batches.into_iter().filter_map(state).collect(), next })
        })
    }

    async fn download_to(&self, job: &BatchJob, to: &mut (dyn Write + Send)) -> Result<u64, Error> {
        job.over()?;
        self.is_own(job)?;
        let mut download = Download::new(self.protocol, job);
        let over = self.client.over();
        let mut lines = 0;
        let unwritten = |error| Error::new(ErrorKind::Io, format!("the results can't be written: {error}"));
        while let Some(mut line) = download.line(&over, self.core()).await? {
            line.push(b'\n');
            to.write_all(&line).map_err(unwritten)?;
            lines += 1;
        }
        to.flush().map_err(unwritten)?;
        Ok(lines)
    }

    fn is_own(&self, job: &BatchJob) -> Result<(), Error> {
        let id = self.core().endpoint.profile.id();
        if job.provider == id {
            return Ok(());
        }
        Err(Error::config(format!("the batch is with {}, and this client asks {id}", job.provider)))
    }
}

/// What may have been done although no answer came must not be done again unseen.
fn unsure(ask: &Ask, error: Error) -> Error {
    let done = matches!(error.kind(), ErrorKind::Transport | ErrorKind::Overloaded);
    if ask.again || !done {
        return error;
    }
    let why = format!(
        "{}; the batch may have been made all the same: list the batches before it is submitted again",
        error.message()
    );
    let (status, kind) = (error.status(), error.kind());
    Error::new(kind, why).with_status(status).with_source(Some(error.into()))
}

/// A request of a protocol as a call of a client's.
pub(super) fn errand(core: &Core, ask: &Ask, part: Option<(&BatchInput, &BatchPart)>) -> Result<Errand, Error> {
    let base = core.base_url.trim().trim_end_matches('/');
    let url = |path: &str| Address::new(base, path)?.of(core.options.model.as_deref().unwrap_or_default());
    let (url, keyless) = match &ask.place {
        Place::Path(path) => (url(path)?, false),
        Place::Root(path) => {
            let root = base.rsplit_once('/').filter(|(_, last)| last.starts_with('v')).map_or(base, |(root, _)| root);
            (Address::new(root, path)?.of("")?, false)
        }
        Place::Given(given) => {
            let (own, given) = (url("/")?, given.parse::<Uri>().ok());
            let same = given.filter(|given| given.authority() == own.authority() && given.scheme() == own.scheme());
            let elsewhere =
                || Error::new(ErrorKind::Malformed, "the provider names an address of another host for the upload");
            (same.ok_or_else(elsewhere)?, true)
        }
    };
    let load = match &ask.content {
        Content::Nothing => Load::Nothing,
        Content::Json(body) => Load::Bytes(Bytes::from(body.to_string())),
        Content::Lines { head, tail, list } => {
            let Some((input, part)) = part else { return Err(Error::config("there is no input to upload")) };
            let (input, bytes, head, tail, list) =
                (input.clone(), part.bytes.clone(), head.clone(), tail.clone(), *list);
            Load::Upload(Arc::new(move || input.upload(bytes.clone(), &head, &tail, list)))
        }
    };
    let mut errand = Errand {
        headers: ask.headers.clone(),
        keyless,
        again: ask.again,
        ..Errand::new(ask.method.clone(), url, load)
    };
    if keyless && !errand.headers.contains_key(header::CONTENT_TYPE) {
        errand.headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/jsonl"));
    }
    Ok(errand)
}

/// The methods of both kinds of client.
macro_rules! methods {
    ($client:ty, [$($async:tt)?], |$future:ident| $run:expr) => {
        impl Batches<'_, $client> {
            /// Submits all parts of a batch that are not submitted yet. What is submitted is noted in the job part by part, so
            /// that after an error the same call goes on where it stopped: keep the job in both cases.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Config`] for a job of another provider, or an input that has changed; [`ErrorKind::Io`] where the
            /// input can't be read; else what the provider says. A part whose submission got no answer may be submitted all the
            /// same: the error says so, and it is not sent again by itself, since it would be paid twice.
            pub $($async)? fn submit(&self, job: &mut BatchJob, input: &BatchInput) -> Result<(), Error> {
                let $future = self.submit_all(job, input);
                $run
            }

            /// Submits the next part that is not submitted yet; whether there was one. For who keeps the job after each part.
            ///
            /// # Errors
            ///
            /// As [`submit`](Self::submit).
            pub $($async)? fn submit_next(&self, job: &mut BatchJob, input: &BatchInput) -> Result<bool, Error> {
                let $future = self.submit_one(job, input);
                $run
            }

            /// Asks how far a batch is.
            ///
            /// # Errors
            ///
            /// What the provider says.
            pub $($async)? fn poll(&self, job: &mut BatchJob) -> Result<(), Error> {
                let $future = self.poll_all(job);
                $run
            }

            /// Asks every now and then, until a batch is over.
            ///
            /// # Errors
            ///
            /// What the provider says; [`ErrorKind::Config`] for a batch that is not submitted.
            pub $($async)? fn wait(&self, job: &mut BatchJob, every: Duration) -> Result<(), Error> {
                let $future = self.wait_all(job, every);
                $run
            }

            /// Cancels what is not over of a batch. Requests that were answered before have results.
            ///
            /// # Errors
            ///
            /// What the provider says.
            pub $($async)? fn cancel(&self, job: &mut BatchJob) -> Result<(), Error> {
                let $future = self.cancel_all(job);
                $run
            }

            /// Writes the raw results of a batch to a file or any other [`Write`], a line each: providers keep them for some
            /// days only. [`Extraction::read`](super::Extraction::read) reads them. How many there are.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Config`] for a batch that is not over; [`ErrorKind::Io`] where they can't be written; else what the
            /// provider says.
            pub $($async)? fn download(&self, job: &BatchJob, to: &mut (dyn Write + Send)) -> Result<u64, Error> {
                let $future = self.download_to(job, to);
                $run
            }

            /// What the provider says of a batch, by its id.
            ///
            /// # Errors
            ///
            /// What the provider says.
            pub $($async)? fn state(&self, id: &str) -> Result<BatchState, Error> {
                let $future = self.state_of(id);
                $run
            }

            /// Cancels a batch by its id.
            ///
            /// # Errors
            ///
            /// What the provider says.
            pub $($async)? fn cancel_id(&self, id: &str) -> Result<BatchState, Error> {
                let $future = self.cancel_one(id);
                $run
            }

            /// A page of the batches that there are; the first, or what comes after another's
            /// [`next`](BatchPage::next).
            ///
            /// # Errors
            ///
            /// What the provider says.
            pub $($async)? fn list(&self, after: Option<&str>) -> Result<BatchPage, Error> {
                let $future = self.page(after);
                $run
            }
        }
    };
}

methods!(Client, [async], |future| future.await);
#[cfg(any(feature = "blocking", feature = "testing"))]
methods!(crate::blocking::Client, [], |future| block_on(future));

impl<C> fmt::Debug for Batches<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}
