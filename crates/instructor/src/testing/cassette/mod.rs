//! Exchanges with a provider, recorded once and replayed in tests.

mod body;
mod record;
mod redact;
mod replay;
mod tape;

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use self::record::Record;
pub(super) use self::redact::Known;
pub use self::redact::Redaction;
pub use self::replay::{Missed, Replay};
use self::tape::Recorder;
pub(super) use self::tape::{Asked, Raw};
use crate::client::{Client, ClientBuilder};
use crate::error::{Error, TransportError};
use crate::media::FetchMedia;
use crate::provider::{Address, Profile, auth};
use crate::run::Now;
use crate::transport::{BlockingTransport, Body, BoxFuture, Transport};

/// When a [`Cassette`] is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recording {
    /// If the file is not there.
    #[default]
    Once,
    /// In any case: the file is replaced.
    Always,
    /// Never: a file that is not there is an error.
    Never,
}

/// The variable that says when to record.
const VARIABLE: &str = "INSTRUCTOR_CASSETTES";

impl Recording {
    /// What the environment says: `INSTRUCTOR_CASSETTES` is `once` (the default), `record` or `replay`. Where `CI` is set
    /// nothing is ever recorded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for another word, and for `record` where `CI` is set.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_words(auth::variable(VARIABLE).as_deref(), auth::variable("CI").as_deref())
    }

    fn from_words(word: Option<&str>, ci: Option<&str>) -> Result<Self, Error> {
        let ci = is_ci(ci);
        match word {
            Some("record") if ci => {
                Err(Error::config(format!("{VARIABLE}=record in CI: record where you work, and commit the file")))
            }
            Some("record") => Ok(Self::Always),
            Some("once") | None if !ci => Ok(Self::Once),
            Some("once" | "replay") | None => Ok(Self::Never),
            Some(other) => Err(Error::config(format!("{VARIABLE} is {other:?}; it can be once, record or replay"))),
        }
    }
}

/// Whether a test runs where nothing may be written, by the variable `CI`.
pub(super) fn is_ci(word: Option<&str>) -> bool {
    word.is_some_and(|word| word != "false" && word != "0")
}

/// Exchanges with a provider, in a file: recorded by the first run of a test, which needs a key, and replayed by all others.
/// Cheap to clone.
///
/// The file belongs into version control; `INSTRUCTOR_CASSETTES=record cargo test` records it again, and what has changed
/// is seen in review. In CI nothing is recorded. It holds the provider's public address, whatever gateway or account it was
/// recorded through, and no secrets: see [`Redaction`]. Replayed, no variable of the environment is read.
///
/// ```
/// use instructor::testing::Cassette;
///
/// # use instructor::testing::{Record, Reply, Script};
/// # let path = std::env::temp_dir().join(format!("instructor-cassette-{}.json", std::process::id()));
/// # let script = Script::new().reply(Reply::value(serde_json::json!({ "name": "Ada" })));
/// # let client = script.builder("openai/gpt-5-mini").transport(Record::new(script.clone(), &path)).build()?;
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
/// # let _: User = script.block_on(client.create("Ada was here"))?;
///
/// // let path = "tests/cassettes/user.json";
/// let cassette = Cassette::open(&path)?;
/// # #[cfg(feature = "blocking")] {
/// let client = cassette.blocking_client("openai/gpt-5-mini")?;
/// let user: User = client.create("Ada was here")?;
/// assert_eq!(user.name, "Ada");
/// cassette.assert_done();
/// # }
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone)]
pub struct Cassette(State);

#[derive(Clone)]
enum State {
    Records(Arc<Recorder>),
    Replays(Replay),
}

impl Cassette {
    /// The cassette in a file, recorded when the environment says so: see [`Recording::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is to be replayed and is not there, or is none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::open_for(path, Recording::from_env()?)
    }

    /// The cassette in a file, recorded when you say so.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_for(path: impl Into<PathBuf>, recording: Recording) -> Result<Self, Error> {
        let path = path.into();
        let records = match recording {
            Recording::Once => !path.exists(),
            Recording::Always => true,
            Recording::Never => false,
        };
        Ok(Self(match records {
            true => State::Records(Arc::new(Recorder::new(path, Redaction::new()))),
            false => State::Replays(Replay::open(path)?),
        }))
    }

    /// With more that is left out.
    #[must_use]
    pub fn with_redaction(self, rules: Redaction) -> Self {
        Self(match self.0 {
            State::Records(recorder) => State::Records(Arc::new(Recorder::new(recorder.path().to_path_buf(), rules))),
            State::Replays(replay) => State::Replays(replay.with_redaction(rules)),
        })
    }

    /// With exchanges that may be used more than once.
    #[must_use]
    pub fn with_repeats(self) -> Self {
        match self.0 {
            State::Replays(replay) => Self(State::Replays(replay.with_repeats())),
            records => Self(records),
        }
    }

    /// Whether it is recorded now, from the real provider.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        matches!(self.0, State::Records(_))
    }

    /// An async client for a known provider and model over this cassette. Recording it takes the key and the address from the
    /// environment, replaying it needs neither.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    #[cfg(feature = "reqwest")]
    pub fn client(&self, spec: &str) -> Result<Client, Error> {
        self.builder(spec).transport(self.over(crate::transport::reqwest::Reqwest::default())).build()
    }

    /// A blocking client for a known provider and model over this cassette.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    #[cfg(feature = "blocking")]
    pub fn blocking_client(&self, spec: &str) -> Result<crate::blocking::Client, Error> {
        crate::blocking::Client::build_with(self.builder(spec), self.over(crate::transport::ureq::Ureq::default()))
    }

    /// A builder for a client, for further settings; it lacks the transport: see [`over`](Self::over).
    pub fn builder(&self, spec: &str) -> ClientBuilder {
        let builder = Client::builder().provider(spec);
        let (id, _) = spec.split_once('/').unwrap_or((spec, ""));
        let Some(profile) = Profile::named(id) else { return builder };
        let public = Address::example(profile.base_url());
        match &self.0 {
            // A key that is none is not taken for a secret.
            State::Replays(_) => builder.api_key("none").base_url(public),
            State::Records(recorder) => {
                let own = profile.base_url_env().and_then(auth::variable);
                let base = own.unwrap_or_else(|| String::from(profile.base_url()));
                if let Ok(base) = Address::filled(&base, auth::variable) {
                    recorder.stand_in(&base, &public);
                }
                builder
            }
        }
    }

    /// A transport that is recorded, or that is not asked since all is replayed.
    #[must_use]
    pub fn over<X>(&self, inner: X) -> Taped<X> {
        Taped(match &self.0 {
            State::Records(recorder) => Either::Records(Record::over(inner, Arc::clone(recorder))),
            State::Replays(replay) => Either::Replays(replay.clone()),
        })
    }

    /// Asks that all that was replayed was used, and that what was recorded is written.
    ///
    /// # Panics
    ///
    /// If it is not so, with what.
    #[track_caller]
    #[expect(clippy::panic, reason = "it is an assertion")]
    pub fn assert_done(&self) {
        match &self.0 {
            State::Replays(replay) => replay.assert_done(),
            State::Records(recorder) => {
                if let Some(why) = recorder.failed() {
                    panic!("{why}");
                }
            }
        }
    }
}

impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Records(recorder) => f.debug_struct("Cassette").field("records", &recorder.path()).finish(),
            State::Replays(replay) => f.debug_tuple("Cassette").field(replay).finish(),
        }
    }
}

/// The transport of a [`Cassette`]: one that is recorded, or its replay.
#[derive(Debug)]
pub struct Taped<X>(Either<X>);

#[derive(Debug)]
enum Either<X> {
    Records(Record<X>),
    Replays(Replay),
}

/// Both sides of a [`Taped`] as one transport.
macro_rules! either {
    ($self:ident, $side:ident => $call:expr) => {
        match &$self.0 {
            Either::Records($side) => $call,
            Either::Replays($side) => $call,
        }
    };
}

impl<X: Transport> Transport for Taped<X> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        either!(self, side => Transport::send(side, request, timeout))
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        either!(self, side => Transport::sleep(side, wait))
    }

    fn bell(&self, wait: Duration) -> BoxFuture<'_, ()> {
        either!(self, side => Transport::bell(side, wait))
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        either!(self, side => Transport::fetch(side, request, policy, timeout))
    }

    fn now(&self) -> Now {
        either!(self, side => Transport::now(side))
    }
}

impl<X: BlockingTransport> BlockingTransport for Taped<X> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        either!(self, side => BlockingTransport::send(side, request, timeout))
    }

    fn sleep(&self, wait: Duration) {
        either!(self, side => BlockingTransport::sleep(side, wait));
    }

    fn park(&self, most: Duration) -> bool {
        either!(self, side => BlockingTransport::park(side, most))
    }

    fn fetch(
        &self,
        request: http::Request<Bytes>,
        policy: FetchMedia,
        timeout: Duration,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        either!(self, side => BlockingTransport::fetch(side, request, policy, timeout))
    }

    fn now(&self) -> Now {
        either!(self, side => BlockingTransport::now(side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_records_nothing() {
        let said = |word, ci| Recording::from_words(word, ci).map_err(|error| error.to_string());
        assert_eq!(said(None, None), Ok(Recording::Once));
        assert_eq!(said(Some("record"), Some("false")), Ok(Recording::Always));
        assert_eq!(said(None, Some("true")), Ok(Recording::Never));
        assert_eq!(said(Some("once"), Some("1")), Ok(Recording::Never));
        assert_eq!(said(Some("replay"), None), Ok(Recording::Never));
        assert!(said(Some("record"), Some("true")).unwrap_err().contains("commit the file"));
        assert!(said(Some("always"), None).unwrap_err().contains("once, record or replay"));
    }
}
