//! The integration tests: one binary. Everything runs at the transport seam, so that encoding, decoding, reading,
//! validation and the engine are what is tested.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::use_self, reason = "a type of a test is written as a user writes it")]

mod bad_items;
mod calls;
mod chain;
mod checks;
mod clients;
mod codec;
mod continuation;
mod corpus;
mod cost;
mod credentials;
mod cut;
mod derive;
mod encode;
mod encode_media;
mod engine;
mod equal;
mod faults;
mod fetch;
mod flight;
mod gemini;
mod hooks;
mod hostile;
mod http;
mod ladder;
mod legal;
mod limiter;
mod limits;
mod live_form;
mod many;
mod matrix;
mod media;
mod models;
mod parallel;
mod partials;
mod patches;
mod pieces;
mod prompt_cache;
mod python;
mod reading;
mod reask;
mod reasoning;
mod recorded;
mod repeat;
mod requests;
mod salvage;
mod shapes;
mod sockets;
mod spans;
mod streams;
mod think;
mod validating;
mod watchdog;
