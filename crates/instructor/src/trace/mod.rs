//! Spans and events of `tracing`: one span for a request, one below it for each call, by OpenTelemetry's conventions for
//! generative AI. Without the feature `tracing` nothing of it is there.

#[cfg(feature = "tracing")]
mod content;
#[cfg(not(feature = "tracing"))]
mod none;
#[cfg(feature = "tracing")]
mod spans;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::none::{Scope, Trace};
#[cfg(feature = "tracing")]
pub(crate) use self::spans::{Scope, Trace};
