//! Who of several processes makes an answer: files with the time when a claim ends, and with whose it is.
//!
//! Each store has a file of its own that it keeps locked. The lock ends with the process, however that ends, so that nobody
//! waits for the dead.

use std::fs::{self, File};
use std::io::{self, ErrorKind as Io, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The folder of the locked files.
const OWNERS: &str = "owners";

/// One store, as its claims name it.
pub(super) struct Owner {
    folder: PathBuf,
    name: String,
    /// Locked as long as it is open; none where files can't be, and claims end by their time alone.
    lock: Option<File>,
}

impl Owner {
    /// Also clears away what the dead have left.
    pub(super) fn new(folder: &Path) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let folder = folder.join(OWNERS);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}-{}", std::process::id(), now().as_nanos());
        let others = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        // One with a dot is just being made.
        let whole = others.filter(|other| !other.file_name().as_encoded_bytes().starts_with(b"."));
        for other in whole.filter(|other| !is_alive(&other.path())) {
            _ = fs::remove_file(other.path());
        }
        let lock = lock(&folder, &name).ok();
        Self { folder, name, lock }
    }

    /// A name that no other store has, in whatever process or container.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Claims what a file stands for. Two that find a claim that has ended may both take it: they make the same twice, which
    /// is no harm.
    pub(super) fn claim(&self, path: &Path, time: Duration) -> io::Result<bool> {
        let owner = self.lock.as_ref().map_or("-", |_| &self.name);
        let text = format!("{} {owner}", (now() + time).as_millis());
        match File::options().write(true).create_new(true).open(path) {
            Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
            Err(e) if e.kind() == Io::AlreadyExists && self.holds(path) => Ok(false),
            Err(e) if e.kind() == Io::AlreadyExists => fs::write(path, text).map(|()| true),
            Err(e) => Err(e),
        }
    }

    /// Whether a claim has not ended yet.
    fn holds(&self, path: &Path) -> bool {
        let text = fs::read_to_string(path).unwrap_or_default();
        let Some((ends, owner)) = text.split_once(' ') else {
            // It is just being written, unless it is old.
            let written = fs::metadata(path).and_then(|file| file.modified());
            return written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age < Duration::from_secs(1)));
        };
        let over = ends.parse::<u128>().is_ok_and(|ends| ends <= now().as_millis());
        !over && (owner == "-" || is_alive(&self.folder.join(owner)))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.lock.take().is_some() {
            _ = fs::remove_file(self.folder.join(&self.name));
        }
    }
}

/// A locked file, which nobody sees before it is locked.
fn lock(folder: &Path, name: &str) -> io::Result<File> {
    super::disk::make_folder(folder)?;
    let draft = folder.join(format!(".{name}"));
    let file = File::options().write(true).create_new(true).open(&draft)?;
    let locked = file.try_lock().map_err(io::Error::from).and_then(|()| fs::rename(&draft, folder.join(name)));
    if locked.is_err() {
        _ = fs::remove_file(&draft);
    }
    locked.map(|()| file)
}

/// Whether somebody holds the lock of a file.
fn is_alive(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => file.try_lock().is_err(),
        Err(e) => e.kind() != Io::NotFound,
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
