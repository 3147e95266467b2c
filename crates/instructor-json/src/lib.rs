//! Reads JSON out of text, strictly, into a flat document that borrows the text.
//!
//! A [`Document`] is one vector of fixed-size nodes in source order; strings and numbers stay in the source text
//! until they are asked for. Every node knows its byte span, so that an error can point at the text it came from.
//! [`candidates`] finds the JSON values in an answer that also holds prose and fences.
//!
//! ```
//! use instructor_json::Document;
//!
//! let doc = Document::parse(r#"{"name": "Ada", "age": 36}"#)?;
//! let age = doc.root().get("age").unwrap();
//! assert_eq!(age.as_u64(), Some(36));
//! assert_eq!(age.source(), "36");
//! # Ok::<(), instructor_json::Error>(())
//! ```
//!
//! The crate knows JSON; it knows nothing of schemas or language models. There is no recursion on the stack, the depth
//! is limited (128 by default), and work is linear in the input.

mod document;
mod error;
mod find;
mod parse;

pub use self::document::{Document, Entries, Items, Kind, Node, Step};
pub use self::error::{Error, ErrorKind};
pub use self::find::{Candidate, Found, candidates};
pub use self::parse::Limits;
