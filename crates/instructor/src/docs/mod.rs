//! Guides: how to do a job, with examples that run.

#[cfg(feature = "batch")]
#[doc = include_str!("batch.md")]
pub mod batch {}

#[doc = include_str!("citations.md")]
pub mod citations {}

#[doc = include_str!("caching.md")]
pub mod caching {}

#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("command_line.md")]
pub mod command_line {}

#[doc = include_str!("cost.md")]
pub mod cost {}

#[doc = include_str!("cut_answers.md")]
pub mod cut_answers {}
#[cfg(feature = "distil")]
#[doc = include_str!("distillation.md")]
pub mod distillation {}

#[doc = include_str!("from_python.md")]
pub mod from_python {}

#[doc = include_str!("healing.md")]
pub mod healing {}

#[doc = include_str!("media.md")]
pub mod media {}

#[doc = include_str!("observability.md")]
pub mod observability {}

#[doc = include_str!("response_types.md")]
pub mod response_types {}

#[doc = include_str!("streaming.md")]
pub mod streaming {}

#[cfg(feature = "testing")]
#[doc = include_str!("testing.md")]
pub mod testing {}

#[cfg(feature = "templates")]
#[doc = include_str!("templating.md")]
pub mod templating {}

#[doc = include_str!("validation.md")]
pub mod validation {}
