//! The integration tests: one binary. Everything runs at the transport seam, so that encoding, decoding, reading,
//! validation and the engine are what is tested.

mod clients;
mod derive;
mod engine;
mod hostile;
mod models;
mod requests;
