//! What users' tests stand on: cassettes, the ban of the network.

mod ban;
mod cassettes;
mod secrets;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use instructor::Profile;
use instructor::testing::Script;

/// A file that is not there yet, of one test alone.
pub fn fresh(name: &str) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("record-{}", std::process::id()));
    folder.join(format!("{name}-{next}.json"))
}

/// A spec for each known provider.
pub fn specs() -> Vec<String> {
    Profile::all().map(|profile| format!("{}/some-model", profile.id())).collect()
}

/// Runs a future that waits for nothing real.
pub fn block_on<F: Future>(future: F) -> F::Output {
    Script::new().block_on(future)
}
