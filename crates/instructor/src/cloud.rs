//! Credentials of clouds that have to be fetched: tokens of applications, workloads, machines and people, roles.
//!
//! Providers that run in a cloud take them by themselves where they find no key: `vertexai` and `vertexai_anthropic`
//! [`Google`]'s, `azure_openai` and its like [`Entra`]'s, `bedrock` [`Aws`]'s. They are sources like any other, for
//! [`ClientBuilder::credentials`](crate::ClientBuilder::credentials); all of them speak over the client's own transport.

pub use crate::provider::auth::{Aws, Entra, Google};
