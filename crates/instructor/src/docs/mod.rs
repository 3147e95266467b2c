//! Guides: how to do a job, with examples that run.

#[doc = include_str!("media.md")]
pub mod media {}
