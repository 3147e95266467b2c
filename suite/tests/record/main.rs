//! What users' tests stand on: cassettes, the ban of the network.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in its own functions"
)]

mod ban;
mod cassettes;
mod fake;
mod locked;
mod media;
mod secrets;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use instructor::Profile;
use instructor::testing::Script;

/// A file that is not there yet, of one test alone.
pub(crate) fn fresh(name: &str) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("record-{}", std::process::id()));
    folder.join(format!("{name}-{next}.json"))
}

/// A spec for each known provider.
pub(crate) fn specs() -> Vec<String> {
    Profile::all().map(|profile| format!("{}/some-model", profile.id())).collect()
}

/// Runs a future that waits for nothing real.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    Script::new().block_on(future)
}
