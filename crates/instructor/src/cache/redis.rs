//! A store in Redis, or in what speaks its protocol.

use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use ::redis::{Client, Connection, Pipeline, RedisResult, Value};
use bytes::Bytes;

use super::slot::{Give, slot};
use super::{Cache, CacheError, CacheKey};
use crate::error::Error;
use crate::transport::BoxFuture;

/// A store in Redis: one for any number of processes and machines.
///
/// Redis ends entries by itself when their time is over; how much it keeps is for its `maxmemory` and `maxmemory-policy` to
/// say. There is one connection, on a thread of its own; what is asked at once goes out at once. A server that is down fails
/// no request: it is left alone for five seconds, and then tried again.
///
/// For TLS (`rediss://`) add the crate `redis` to your own dependencies, with its feature `tls-rustls`.
///
/// ```
/// use instructor::cache::RedisCache;
///
/// let cache = RedisCache::open("redis://127.0.0.1/")?.with_prefix("billing:");
/// let builder = instructor::Client::builder().cache(cache);
/// # let _ = builder;
/// # Ok::<(), instructor::Error>(())
/// ```
pub struct RedisCache {
    prefix: String,
    work: Sender<(Command, Give<Answer>)>,
}

/// What is asked for, with the keys as Redis knows them.
enum Command {
    Get(String),
    /// With how many milliseconds it is kept, and the claim that it ends.
    Set(String, Bytes, Option<u64>, String),
    Claim(String, u64),
    Release(String),
}

/// What the server says to each command; an error as text, since it may be that of many.
type Answer = Result<Value, String>;

/// How long the server may take, to connect and to answer.
const TIME: Duration = Duration::from_secs(2);

/// How long a server that failed is left alone.
const REST: Duration = Duration::from_secs(5);

/// How much goes out at once at most.
const BATCH: usize = 256;

impl RedisCache {
    /// The store at a URL such as `redis://:password@host:6379/0`. It connects when it is needed first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the URL is none, or names a transport that is not built in.
    pub fn open(url: &str) -> Result<Self, Error> {
        // What is wrong with a URL may show the password in it.
        let client = Client::open(url).map_err(|e| {
            let what = e.category();
            Error::config(format!("the URL of the cache is none ({what}); write it like redis://127.0.0.1:6379/0"))
        })?;
        let (work, jobs) = mpsc::channel();
        let thread = thread::Builder::new().name(String::from("instructor-cache"));
        thread
            .spawn(move || Server::new(client).serve(&jobs))
            .map_err(|e| Error::config(format!("the cache has no thread: {e}")).with_source(Some(e.into())))?;
        Ok(Self { prefix: String::from("instructor:"), work })
    }

    /// With another beginning of its keys; `instructor:` by default.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn entry(&self, key: CacheKey) -> String {
        format!("{}{key}", self.prefix)
    }

    fn claim(&self, key: CacheKey) -> String {
        format!("{}{key}:claim", self.prefix)
    }

    fn run(&self, command: Command) -> impl Future<Output = Result<Value, CacheError>> + Send + 'static {
        let (give, take) = slot();
        let sent = self.work.send((command, give));
        async move {
            sent.map_err(|_| "the thread of the store is gone")?;
            Ok(take.await.ok_or("the thread of the store is gone")??)
        }
    }
}

impl Cache for RedisCache {
    fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
        let got = self.run(Command::Get(self.entry(key)));
        Box::pin(async move {
            match got.await? {
                Value::BulkString(bytes) => Ok(Some(bytes.into())),
                Value::Nil => Ok(None),
                _ => Err("the server's answer is no entry".into()),
            }
        })
    }

    fn set(&self, key: CacheKey, entry: Bytes, ttl: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
        let set = self.run(Command::Set(self.entry(key), entry, ttl.map(millis), self.claim(key)));
        Box::pin(async move { set.await.map(drop) })
    }

    fn claim(&self, key: CacheKey, time: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
        let claimed = self.run(Command::Claim(self.claim(key), millis(time)));
        Box::pin(async move { Ok(claimed.await? != Value::Nil) })
    }

    fn release(&self, key: CacheKey) {
        _ = self.work.send((Command::Release(self.claim(key)), slot().0));
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// As Redis takes it: none is not taken.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX as u64 / 2)
}

impl Command {
    /// Each has one answer.
    fn add(&self, pipe: &mut Pipeline) {
        match self {
            Self::Get(key) => _ = pipe.cmd("GET").arg(key),
            Self::Set(key, entry, ttl, claim) => {
                pipe.cmd("DEL").arg(claim).ignore().cmd("SET").arg(key).arg(&entry[..]);
                if let Some(ttl) = ttl {
                    pipe.arg("PX").arg(*ttl);
                }
            }
            Self::Claim(key, time) => _ = pipe.cmd("SET").arg(key).arg(1).arg("NX").arg("PX").arg(*time),
            Self::Release(key) => _ = pipe.cmd("DEL").arg(key),
        }
    }
}

/// The connection, and when it failed.
struct Server {
    client: Client,
    connection: Option<Connection>,
    failed: Option<(Instant, String)>,
}

impl Server {
    const fn new(client: Client) -> Self {
        Self { client, connection: None, failed: None }
    }

    fn serve(mut self, jobs: &Receiver<(Command, Give<Answer>)>) {
        while let Ok(first) = jobs.recv() {
            let batch: Vec<_> = std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)).collect();
            let said = self.ask(&batch);
            let mut answers = said.map(Vec::into_iter);
            for (_, give) in batch {
                give.give(match &mut answers {
                    Ok(answers) => answers.next().unwrap_or_else(|| Err(String::from("the server did not answer"))),
                    Err(why) => Err(why.clone()),
                });
            }
        }
    }

    /// The answers to all commands, in order.
    fn ask(&mut self, batch: &[(Command, Give<Answer>)]) -> Result<Vec<Answer>, String> {
        if let Some((at, why)) = &self.failed
            && at.elapsed() < REST
        {
            return Err(why.clone());
        }
        let mut pipe = Pipeline::with_capacity(batch.len());
        pipe.ignore_errors();
        batch.iter().for_each(|(command, _)| command.add(&mut pipe));
        // A connection that was left open for long may be closed; a new one tells whether the server is there.
        let said = match self.connection.take() {
            Some(mut connection) => match pipe.query(&mut connection) {
                Ok(said) => Ok((connection, said)),
                Err(e) if e.is_timeout() => Err(e),
                Err(_) => self.connected(&pipe),
            },
            None => self.connected(&pipe),
        };
        match said {
            Ok((connection, said)) => {
                self.connection = Some(connection);
                self.failed = None;
                Ok(said.into_iter().map(|answer| answer.map_err(|e| e.to_string())).collect())
            }
            Err(e) => {
                let why = e.to_string();
                self.failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }

    fn connected(&self, pipe: &Pipeline) -> RedisResult<(Connection, Vec<RedisResult<Value>>)> {
        let mut connection = self.client.get_connection_with_timeout(TIME)?;
        connection.set_read_timeout(Some(TIME))?;
        connection.set_write_timeout(Some(TIME))?;
        let said = pipe.query(&mut connection)?;
        Ok((connection, said))
    }
}
