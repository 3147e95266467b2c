//! What an answer is while it arrives: typed partials, items of a list.
//!
//! Text goes to a [`Tracker`](tracker::Tracker), which reads it and walks along, undoing on the way what the schema's
//! dialect did to the value's form. What is certain goes to a sink that [grows](grow::Grow).

mod field;
pub(crate) mod grow;
#[cfg_attr(not(test), expect(dead_code, reason = "the stream of a list is built on it"))]
mod items;
mod partial;
mod reader;
mod tracker;
mod value;
mod walk;

pub use self::field::Field;
pub use self::partial::{Partial, PartialMap, Whole};
pub use self::reader::PartialReader;
pub use self::value::PartialValue;
