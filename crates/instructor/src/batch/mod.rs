//! Many requests at once, answered within a day for half the price: providers' batches.
//!
//! An [`Extraction`] says what is asked of each input. It writes the requests down ([`BatchWriter`]), [`Batches`] hands them
//! to the provider and looks after them, [`BatchResults`] reads what comes back as any answer is read, and what
//! [`Failed`] is asked again, live or in the next batch. See the [guide](crate::docs::batch).

mod batches;
mod extraction;
mod failed;
mod input;
mod job;
mod protocol;
mod results;
mod writer;

pub use self::batches::{BatchPage, Batches};
pub use self::extraction::Extraction;
pub use self::failed::{BatchError, BatchFailure, Failed};
pub use self::input::BatchInput;
pub use self::job::{BatchCounts, BatchFault, BatchJob, BatchPart, BatchState, BatchStatus};
pub use self::results::{BatchItem, BatchResults};
pub use self::writer::BatchWriter;
use crate::error::Error;
use crate::provider::{self, Profile};

/// How a provider takes batches.
fn facts(profile: &Profile) -> Result<&'static provider::Batches, Error> {
    profile.batches().ok_or_else(|| {
        let have: Vec<String> = Profile::all()
            .filter(|profile| profile.batches().is_some())
            .map(|profile| String::from(profile.id()))
            .collect();
        let why = format!("{} has no batches that are known; {} have", profile.id(), have.join(", "));
        Error::unsupported(format!("{why}; for a gateway that has them add Profile::with_batches()"))
    })
}
