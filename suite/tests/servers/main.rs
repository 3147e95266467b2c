//! The real client against real servers on the loopback address: llama.cpp's with a model of random weights, and LiteLLM's
//! proxy in front of it. Everything is read as it comes over the socket, and nothing is known of what will come.
//!
//! Every test asks in each `Way` of `ask`: another way to take an answer, such as partials while it streams, is one more there.
//!
//! `bash .ci/servers` builds the servers and runs this; without them every test here is ignored.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod ask;
mod litellm;
mod llama;
mod model;
mod models;
mod process;
