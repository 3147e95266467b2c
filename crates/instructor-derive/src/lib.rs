//! Macros of instructor-rs.
