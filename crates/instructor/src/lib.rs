//! Typed, validated values from language models: a Rust type is the contract.
//!
//! The type becomes a JSON Schema, the schema goes out in the form that the provider understands, the answer is read
//! back tolerantly, validated fully, and asked for again with precise errors until it is right or a budget ends.
//!
//! ```
//! # use instructor::testing::{Reply, Script};
//! # use serde_json::json;
//! /// A person.
//! #[instructor::model]
//! struct User {
//!     /// Full name.
//!     name: String,
//!     #[schemars(range(max = 150))]
//!     age: u8,
//! }
//!
//! # let script = Script::new().reply(Reply::value(json!({ "name": "Jason", "age": 25 })));
//! # let client = script.client("openai/gpt-5-mini");
//! # script.block_on(async {
//! // let client = instructor::from_provider("openai/gpt-5-mini")?;
//! let user: User = client.create("Jason is 25 years old").await?;
//! assert_eq!(user.age, 25);
//! # Ok::<(), instructor::Error>(())
//! # }).unwrap();
//! ```
//!
//! # Where to go
//!
//! - [`Client`] and [`Request`]: asking. [`blocking`] is the same without an async runtime.
//! - [`Many`]: many requests at once. [`Partial`] and [`Field`]: what is shown of a value while it arrives.
//! - [`Message`] and [`Media`]: what is said: text, images, documents, sound.
//! - [`ResponseModel`] and [`Contract`]: what is asked for. [`Issue`] and [`Context`]: validator functions.
//! - [`Credential`] and [`CredentialSource`]: credentials that end, handed in at run time.
//! - [`Maybe`], [`Reasoned`], [`Cited`], [`Labels`], [`Secret`]: types for answers, put around types of your own.
//! - [`Mode`]: how it is asked for. [`Profile`]: whom, known by name or made at run time.
//! - [`Retry`] and [`Budget`]: how often, how long, how much. [`Limiter`]: how fast, all requests together. [`Error`] and
//!   [`Report`]: what came of it.
//! - [`Partial`] and [`Field`]: what is shown while an answer arrives.
//! - [`hooks`]: looking on while requests run.
//! - [`testing`]: answers from a script, through everything but the network.
//! - [`Prices`], [`Money`], [`Ledger`]: what it costs. [`cache`]: answers that need no second call.
//! - [`Request::example`]: lines of fine-tuning files.
//! - Coming from Python Instructor: [its snippets beside ours](docs::from_python).
//! - [`docs`]: guides on [caching](docs::caching), [cost](docs::cost), [healing](docs::healing),
//!   [cut answers](docs::cut_answers),
//!   [media](docs::media), [response types](docs::response_types), [citations](docs::citations),
//!   [streaming](docs::streaming),
//!   [validation](docs::validation), [limits](docs::limits), [testing](docs::testing) and
//!   [observability](docs::observability).
//!
//! # Crate features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `derive` | yes | `#[derive(ResponseModel)]` and `#[instructor::model]` |
//! | `distil` | | [`distil`](macro@distil): fine-tuning files of what functions return, and the tuned model in their place; see [the guide](docs::distillation) |
//! | `reqwest` | yes | the async transport, with rustls |
//! | `http2` | | HTTP/2 for the async transport |
//! | `blocking` | | [`blocking`] clients on ureq, with rustls |
//! | `tower` | | any `tower::Service` as transport: a client and middleware of your own |
//! | `batch` | | [`batch`]: many requests at once through providers' batches, for half the price |
//! | `tuning` | | [`tuning`]: files of lessons, and jobs that make models of them |
//! | `cloud` | | [`cloud`]: credentials of Azure, Google Cloud and AWS that have to be fetched |
//! | `tracing` | | spans of requests and their calls, by OpenTelemetry's conventions; see [the guide](docs::observability) |
//! | `templates` | | `Template`: messages with places for values; see the guide `docs::templating` |
//! | `fake` | | [`Fake`] values of any schema, and the provider `fake`, which answers with them: `fake/42` |
//! | `testing` | | [`testing`]: scripted transports, cassettes, a ban of the network; see [the guide](docs::testing) |
//! | `prices` | yes | [`Prices::shipped`]: the price lists of providers, for the cost of calls |
//! | `cache` | | [`cache::MemoryCache`]: answers that are kept in memory |
//! | `cache-disk` | | [`cache::DiskCache`]: answers that are kept in a folder, for any number of processes |
//! | `cache-redis` | | [`cache::RedisCache`]: answers that are kept in Redis |
//! | `jsonschema` | | run-time schemas with keywords beyond those that schemars prints |

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "batch")]
pub mod batch;
#[cfg(any(feature = "blocking", feature = "testing"))]
pub mod blocking;
pub mod cache;
mod calendar;
mod client;
#[cfg(feature = "cloud")]
pub mod cloud;
mod cost;
mod credential;
#[cfg(feature = "distil")]
mod distil;
pub mod docs;
mod dsl;
mod error;
#[cfg(feature = "fake")]
mod fake;
mod fallback;
mod flight;
mod future;
mod growth;
pub mod hooks;
mod judge;
mod limiter;
mod many;
mod media;
mod message;
mod mode;
mod model;
mod moderation;
mod options;
mod provider;
mod reading;
mod repair;
mod request;
mod run;
mod salvage;
pub mod schema;
mod stream;
#[cfg(feature = "templates")]
mod template;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod transport;
#[cfg(feature = "tuning")]
pub mod tuning;
mod validate;
mod wire;

#[doc(hidden)]
pub mod __private;

#[cfg(feature = "distil")]
pub use instructor_derive::distil;
#[cfg(feature = "derive")]
pub use instructor_derive::{Partial, ResponseModel, model};

#[cfg(feature = "reqwest")]
pub use self::client::from_provider;
pub use self::client::{Client, ClientBuilder};
pub use self::cost::{Charge, Cost, Entry, Ledger, Money, Price, Prices, Spend};
pub use self::credential::{Credential, CredentialSource, Http};
#[cfg(feature = "distil")]
pub use self::distil::{Lessons, Task};
pub use self::dsl::{
    Cited, Label, Labels, Likeness, Maybe, MissingQuotes, NoResult, PartialCited, PartialMaybe, PartialReasoned, Quote,
    QuoteMatch, Reasoned, Secret, Source,
};
pub use self::error::{Error, ErrorKind, TransportError, TransportErrorKind};
#[cfg(feature = "fake")]
pub use self::fake::{Fake, FakeModel, Invalid};
pub use self::fallback::{Breaker, Target};
pub use self::hooks::Hooks;
pub use self::judge::{Judge, Verdict};
pub use self::limiter::Limiter;
pub use self::many::{Made, Many};
pub use self::media::{Detail, DetectMedia, Detected, FetchMedia, Fetched, Media, MediaKind, MediaSource};
pub use self::message::{Message, Messages, Opaque, Part, PromptCache, Role, ToolCall, ToolResult};
pub use self::mode::Mode;
pub use self::model::{Contract, Foreign, ResponseModel};
pub use self::moderation::{Harm, HarmCategory, Moderation, Moderator};
pub use self::provider::{Effort, Profile, Reasoning};
pub use self::reading::Reading;
pub use self::repair::{Level, ParseOptions, Repair, RepairKind, Severity};
pub use self::request::{Preview, Request};
pub use self::run::{Attempt, Budget, Completion, Hop, Now, ReAsk, Repeat, Report, Retry, Truncated, Wait};
pub use self::salvage::{RejectedItem, Salvaged};
pub use self::stream::{
    BadItems, Change, Field, ItemStream, Partial, PartialMap, PartialReader, PartialStream, PartialValue, Patch,
    Patches, Snapshots, Watchdog, Whole,
};
#[cfg(feature = "templates")]
pub use self::template::Template;
#[cfg(feature = "reqwest")]
pub use self::transport::reqwest::Reqwest;
#[cfg(feature = "tower")]
pub use self::transport::tower::Tower;
#[cfg(feature = "blocking")]
pub use self::transport::ureq::Ureq;
pub use self::transport::{BlockingTransport, Body, BoxFuture, Transport, Upload};
pub use self::validate::{CheckError, Checks, Context, Issue, Issues, Origin, Path};
pub use self::wire::{Finish, RateLimit, RateLimits, Response, Usage};

pub use {schemars, serde, serde_json};

/// The code of the README has to compile.
#[cfg(all(doctest, feature = "derive", feature = "reqwest"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
