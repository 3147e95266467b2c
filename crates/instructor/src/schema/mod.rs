//! The schema codec: what a response model is in JSON Schema, what becomes of it on the way to a provider, and back.
//!
//! [`lower`] puts a schema into the [`Dialect`] that a provider takes, and undoes what it did on the answer. It is what
//! every request uses; by itself it serves tests, other clients, and those who want to see what is sent.

mod align;
mod check;
mod cut;
mod dialect;
mod draft;
mod encode;
pub(crate) mod lift;
mod locate;
mod lower;
mod notation;
mod part;
pub(crate) mod plan;
mod read;
mod render;
mod report;
mod resolve;
mod rest;
mod salvage;
#[cfg(feature = "fake")]
mod sample;
mod secret;
mod shape;
mod tools;

pub(crate) use self::align::{Entry, Spot, Spots, amount, repeated, same_text};
pub(crate) use self::check::nearest::{letters, nearest};
pub(crate) use self::check::{Checker, Limits};
pub(crate) use self::cut::Cut;
pub use self::dialect::Dialect;
pub use self::lower::{Change, Loss, Lowered, Moved, Unlowerable, lower};
pub(crate) use self::part::{Part, name as part_name, parts, schema_of, splice};
pub(crate) use self::read::{Found, Reader};
pub(crate) use self::render::{brief, calls, prompt};
pub(crate) use self::rest::{Missing, What, join, missing, rest_name, schema_of_rest};
pub(crate) use self::salvage::{MARK, bad_items, has_marks, may_be_given_up, restored, without};
#[cfg(feature = "fake")]
pub(crate) use self::sample::{Random, Samples, broken, sentence, word};
pub(crate) use self::secret::{SECRET, is_secret};

/// A schema in the notation for prompts.
pub(crate) fn rendered(schema: &serde_json::Value, policy: Policy) -> String {
    notation::types(&shape::shapes(schema, policy))
}
pub use self::notation::Notation;
pub use self::report::DialectReport;
pub use self::shape::Policy;
pub(crate) use self::tools::{Item, ToolSchema, tool_name, tools};
pub use crate::__assert_fits as assert_fits;
