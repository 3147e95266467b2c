//! A store on disk: a file for each entry.
//!
//! A file is written under another name and renamed, so that whoever reads it, in whatever process, sees all of it or
//! nothing. There is no lock, and no file on which more than one entry depends.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::claims::Owner;
use super::slot::slot;
use super::sweep::sweep;
use super::{Cache, CacheError, CacheKey};
use crate::error::Error;
use crate::transport::BoxFuture;

/// A store in a folder, for any number of processes at once: a later run finds what an earlier one got.
///
/// Entries are files, readable by their owner only. What was used least goes when they are more than 1 GiB together, or
/// [`with_max_bytes`](Self::with_max_bytes). The folder may be deleted at any time, and any file in it. Nothing is waited
/// for on the threads of a runtime: the files are read and written on two threads of the store's own.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::blocking::Client;
/// use instructor::cache::DiskCache;
///
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "name": "Ada" })));
/// # let folder = std::env::temp_dir().join(format!("instructor-doc-{}", std::process::id()));
/// # let builder = || script.builder("openai/gpt-5-mini");
/// # let build = |builder| Client::build_with(builder, script.clone());
/// for run in 0..2 {
///     // let folder = "answers";
///     // let builder = instructor::Client::builder().provider("openai/gpt-5-mini");
///     let client = build(builder().cache(DiskCache::open(&folder)?))?; // Client::build(builder.cache(..))
///     let (user, completion) = client.create_with_completion::<User>("Ada is 36")?;
///     assert_eq!(user.name, "Ada");
///     assert_eq!(completion.report.is_cached(), run > 0);
/// }
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), instructor::Error>(())
/// ```
pub struct DiskCache {
    shelf: Arc<Shelf>,
    work: mpsc::Sender<Work>,
}

type Work = Box<dyn FnOnce(&Shelf) + Send>;

/// How many threads read and write.
const THREADS: usize = 2;

/// What is swept after so much was written, as a part of the size.
const SWEPT: u64 = 16;

impl DiskCache {
    /// The store in a folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the folder can't be made or written to.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let failed = |e: io::Error| {
            let what = format!("the cache can't be in {}: {e}; name a folder that can be written to", folder.display());
            Error::config(what).with_source(Some(e.into()))
        };
        make(&folder).map_err(failed)?;
        let shelf = Arc::new(Shelf {
            owner: Owner::new(&folder),
            folder: folder.clone(),
            most: AtomicU64::new(1 << 30),
            written: AtomicU64::new(0),
            begun: AtomicU64::new(0),
        });
        let (work, jobs) = mpsc::channel::<Work>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..THREADS {
            let (shelf, jobs) = (Arc::clone(&shelf), Arc::clone(&jobs));
            let thread = thread::Builder::new().name(String::from("instructor-cache"));
            let run = move || loop {
                let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(next) = next else { break };
                next(&shelf);
            };
            thread.spawn(run).map_err(failed)?;
        }
        Ok(Self { shelf, work })
    }

    /// With another limit for what all entries take together.
    #[must_use]
    pub fn with_max_bytes(self, bytes: u64) -> Self {
        self.shelf.most.store(bytes, Ordering::Relaxed);
        self
    }

    /// Does it on another thread.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shelf) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, CacheError>> {
        let (give, take) = slot();
        let sent = self.work.send(Box::new(move |shelf| give.give(work(shelf))));
        Box::pin(async move {
            sent.map_err(|_| "the threads of the store are gone")?;
            Ok(take.await.ok_or("the thread of the store is gone")??)
        })
    }
}

impl Cache for DiskCache {
    fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
        self.run(move |shelf| shelf.get(key))
    }

    fn set(&self, key: CacheKey, entry: Bytes, _: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
        let written = entry.len() as u64;
        let stored = self.run(move |shelf| shelf.set(key, &entry));
        if self.shelf.is_due(written) {
            let most = self.shelf.most.load(Ordering::Relaxed);
            // Who can't be told that it failed needs not know: the next one tries again.
            _ = self.work.send(Box::new(move |shelf| _ = sweep(&shelf.folder, most)));
        }
        stored
    }

    fn claim(&self, key: CacheKey, time: Duration) -> BoxFuture<'_, Result<bool, CacheError>> {
        self.run(move |shelf| shelf.claim(key, time))
    }

    fn release(&self, key: CacheKey) {
        // At once, since the process may be about to end.
        _ = fs::remove_file(self.shelf.path(key, CLAIM));
    }
}

impl fmt::Debug for DiskCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskCache").field("folder", &self.shelf.folder).finish_non_exhaustive()
    }
}

/// The files.
struct Shelf {
    folder: PathBuf,
    owner: Owner,
    /// What all entries may take together.
    most: AtomicU64,
    /// What was written since the last sweep.
    written: AtomicU64,
    /// How many files were begun.
    begun: AtomicU64,
}

const ENTRY: &str = "entry";
const CLAIM: &str = "claim";

impl Shelf {
    fn path(&self, key: CacheKey, kind: &str) -> PathBuf {
        let name = key.to_string();
        let (first, rest) = name.split_at(2);
        self.folder.join(first).join(format!("{rest}.{kind}"))
    }

    fn get(&self, key: CacheKey) -> io::Result<Option<Bytes>> {
        let mut file = match File::open(self.path(key, ENTRY)) {
            Ok(file) => file,
            Err(e) if e.kind() == Io::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // When it was used last, for the sweep; where that can't be noted it counts as when it was written.
        _ = file.set_modified(SystemTime::now());
        Ok(Some(bytes.into()))
    }

    fn set(&self, key: CacheKey, entry: &[u8]) -> io::Result<()> {
        self.put(&self.path(key, ENTRY), entry)?;
        _ = fs::remove_file(self.path(key, CLAIM));
        Ok(())
    }

    /// Writes a file all at once for those who read it.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let draft = path.with_extension(format!("{}-{number}.tmp", self.owner.name()));
        let written = create(&draft)
            .or_else(|e| match (e.kind(), path.parent()) {
                (Io::NotFound, Some(folder)) => make_folder(folder).and_then(|()| create(&draft)),
                _ => Err(e),
            })
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            _ = fs::remove_file(&draft);
        }
        written
    }

    fn claim(&self, key: CacheKey, time: Duration) -> io::Result<bool> {
        let path = self.path(key, CLAIM);
        self.owner.claim(&path, time).or_else(|e| match (e.kind(), path.parent()) {
            (Io::NotFound, Some(folder)) => make_folder(folder).and_then(|()| self.owner.claim(&path, time)),
            _ => Err(e),
        })
    }

    /// Whether it is time to sweep: at the first entry of a process if nobody has for a day, then after each part of the
    /// size.
    fn is_due(&self, bytes: u64) -> bool {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        let part = self.most.load(Ordering::Relaxed) / SWEPT;
        if before + bytes > part {
            self.written.store(1, Ordering::Relaxed);
            return true;
        }
        before == 0 && {
            let swept = fs::metadata(self.folder.join(SIGN)).and_then(|sign| sign.modified());
            let age = swept.ok().and_then(|swept| swept.elapsed().ok());
            age.is_none_or(|age| age > Duration::from_secs(24 * 60 * 60))
        }
    }
}

/// The file that tells programs for backups that nothing is lost here. When it was written last is when the folder was
/// swept last.
pub(super) const SIGN: &str = "CACHEDIR.TAG";
pub(super) const SIGNATURE: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of instructor-rs.\n";

fn make(folder: &Path) -> io::Result<()> {
    make_folder(folder)?;
    for (name, text) in [(SIGN, SIGNATURE), (".gitignore", "*\n")] {
        match File::options().write(true).create_new(true).open(folder.join(name)) {
            Ok(mut file) => file.write_all(text.as_bytes())?,
            Err(e) if e.kind() == Io::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create(true).truncate(true).open(path)
}
