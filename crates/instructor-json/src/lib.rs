//! Reads JSON out of text that was meant to be JSON, and says what it changed.
//!
//! [`read`] finds the values in a whole text, in fences, in tags or between words; [`Parser`] does the same while the
//! text arrives. Valid JSON comes back untouched, as a [`Document`] that borrows the text. A value that had to be
//! repaired comes as a document of its own, in valid JSON, with the [source span](Node::source_span) of every node
//! and a [`Repair`] for every change. [`parse`] is the one call for a text that holds one value.
//!
//! ```
//! use instructor_json::{Options, RepairKind, read};
//!
//! let reading = read("The user: {'name': 'Ada', \"age\": 36,}", &Options::new())?;
//! let user = &reading.candidates[0];
//! assert_eq!(user.document.root().get("age").unwrap().as_u64(), Some(36));
//! assert_eq!(user.repairs.last().unwrap().kind(), RepairKind::TrailingComma);
//! # Ok::<(), instructor_json::Error>(())
//! ```
//!
//! # What may be repaired
//!
//! | level | allows | for example |
//! |---|---|---|
//! | [`Strict`](Level::Strict) | nothing; words and fences around a value are passed over | |
//! | [`Syntax`](Level::Syntax), the default | [`Severity::Lossless`]: there is one reading, and nothing is lost | `{a: 1,}`, comments, `True`, `[1 2]`, a missing `}` that has one place |
//! | [`Lenient`](Level::Lenient) | [`Severity::Guess`]: the likely one of several readings | `"the "big" one"`, `{"a": red}`, `{"a" 1}` |
//! | [`Salvage`](Level::Salvage) | [`Severity::Lossy`], kind by kind | `NaN` as `null`, `...` left out |
//!
//! What the level does not allow is an [error](Error::needs) that names the repair, never another value. A text that
//! ends early is read as far as it goes, at every level but the strict one, and the candidate says that it is
//! [truncated](Candidate::truncated): numbers and words that may go on are left out, strings end where the text does.
//! A text that ends right after a closing bracket, or whose fence goes on after it, was not cut: its missing brackets
//! are added.
//!
//! # Brackets
//!
//! A missing bracket is lossless only where one place is left for it: `{"a": [1, 2}`, `[{"a": 1, {"a": 2}]`,
//! `{"a": {"b": 1}`. In `{"a": {"b": 1, "c": 2}` it may stand before `"c"` too, and so in every object in an object, or
//! array in an array, with more than one item: adding it at the end is a guess. A bracket too many is left out at the
//! end of a value where nothing else can be meant, as in `{"a": 1}}`. A guess is what may be the end of something whose
//! beginning was lost (`[1, 2]]`), or the end of a value in which another bracket closed too early
//! (`{"a": {"b": 1}, "c": 2}}`); and so are two kinds of such repairs in one value, since one mistake explains them too.
//! What stands in a bracket that was never closed is no answer by itself, only a part of one.
//!
//! # Where it differs from other repairers, on purpose
//!
//! - A number with which the text ends is left out: `[1, 23` may have become `[1, 234]`, `{"a": 2.` anything. So is a
//!   word (`[truee`), and a key without a value. What follows a quote at the end of a text (`{"a": "x" tail`) may be in
//!   the string or not: the value so far has what stands before the quote.
//! - Words are not JSON: `hello world` is [`ErrorKind::NotFound`], not a string.
//! - Values that follow each other are all reported, none replaces another and none is dropped for being empty:
//!   `{"a": 1}{"a": 2}` and `[]{}` are [sequences](Reading::sequence) of two.
//! - A missing value (`{"a": , ..}`) is refused; as `null` only by name, at the last level. Nothing else is made up.
//! - `...` is left out, and `undefined`, `NaN` and `Infinity` are `null`, only by name and at the last level: something
//!   was there.
//! - A quote inside a string leaves nothing of it out: `{"a": "{ b": {} }"}` is the string `{ b": {} }`, not `{ b`.
//! - A backslash that escapes nothing stays: `"C:\dir"` keeps it. So do line ends before a quote, and everything else
//!   that stands in a string.
//! - `01234` is text, since a number would lose its zero; so are `1/4`, `50%`, `$5` and `1.2.3`.
//! - `"a": "x}` at the end of a text is a cut string; a missing quote only where guesses are allowed.
//! - A missing bracket whose place is not certain is no repair of the default level.
//!
//! # Streams
//!
//! [`Parser::view`] shows what is certain. It takes back three things only, each whole: what was read before a closing
//! tag of reasoning that never opened (`.. </think>`); brackets, quotes or scalars at the very start of a text or
//! fence that turn out to be words, where [`Options::with_root`] keeps most from being shown; and a value between words that is broken,
//! since a fence may still hold the answer. Of duplicate keys, the last counts, so that a member that is shown may be
//! followed by another of its name. Decisions look at most 512 bytes ahead, and none depends on how the bytes were split.

mod document;
mod engine;
mod error;
mod event;
mod input;
mod machine;
mod options;
mod outside;
mod parse;
mod parser;
mod reading;
mod repair;
mod scanner;

pub use self::document::{Document, Entries, Items, Kind, Node, State, Step};
pub use self::error::{Error, ErrorKind};
pub use self::event::{Event, unescape};
pub use self::options::{Options, RootHint};
pub use self::parse::Limits;
pub use self::parser::Parser;
pub use self::reading::{Candidate, Found, Reading, candidates, parse, read, read_counted};
pub use self::repair::{Level, Repair, RepairKind, Severity};
pub use self::scanner::{Scanner, Told};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
