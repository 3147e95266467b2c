//! What an answer is while it arrives: typed partials, items of a list.
//!
//! Text goes to a [`Tracker`](tracker::Tracker), which reads it and walks along, undoing on the way what the schema's
//! dialect did to the value's form. What is certain goes to a sink that [grows](grow::Grow).

mod among;
mod calls;
mod closed;
mod field;
pub(crate) mod grow;
mod items;
mod iterable;
mod making;
mod partial;
mod partials;
mod patch;
mod reader;
mod running;
mod tracker;
mod value;
mod walk;
mod watch;
mod watchdog;

pub use self::field::Field;
pub(crate) use self::grow::Part;
pub use self::iterable::ItemStream;
pub use self::making::BadItems;
pub(crate) use self::making::{Made, Making};
pub use self::partial::{Partial, PartialMap, Whole};
pub(crate) use self::partials::{Growing, Shown};
pub use self::partials::{PartialStream, Snapshots};
pub use self::patch::{Change, Patch, Patches};
pub use self::reader::PartialReader;
pub(crate) use self::running::Desk;
pub use self::value::PartialValue;
pub(crate) use self::watch::Watch;
pub use self::watchdog::Watchdog;
