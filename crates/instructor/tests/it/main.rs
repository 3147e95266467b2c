//! The integration tests: one binary.

mod derive;
