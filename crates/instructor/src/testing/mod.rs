//! Tests without a network: a [`Script`] answers requests, or a [`Cassette`] does with what a provider said once; everything
//! else is the real path. The [guide](crate::docs::testing) says which one is for what.
//!
//! The script stands in for the transport. Requests are encoded, answers decoded, read, validated and asked for again as
//! in production; time is virtual, so that waits and timeouts cost none.
//!
//! ```
//! use instructor::testing::{Reply, Script};
//! use serde_json::json;
//!
//! #[instructor::model]
//! struct User {
//!     name: String,
//! }
//!
//! let script = Script::new()
//!     .reply(Reply::status(429).header("retry-after", "2"))
//!     .reply(Reply::value(json!({ "name": "Ada" })));
//! let client = script.client("anthropic/claude-haiku-4-5");
//!
//! let user: User = script.block_on(client.create("Ada was here"))?;
//! assert_eq!(user.name, "Ada");
//! assert_eq!(script.waits(), [std::time::Duration::from_secs(2)]);
//! assert_eq!(script.sent().len(), 2);
//! # Ok::<(), instructor::Error>(())
//! ```

mod cassette;
mod diff;
mod lockfile;
mod script;
mod server;

pub use self::cassette::{Cassette, Missed, Record, Recording, Redaction, Replay, Taped};
pub use self::lockfile::Lockfile;
pub use self::script::{Reply, Script, Sent};
pub use self::server::Server;
pub use crate::fake::fake_body;
pub use crate::transport::ban::{NetworkBan, ban_network};
