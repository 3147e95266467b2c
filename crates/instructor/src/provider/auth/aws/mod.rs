//! AWS: credentials from where its own tools keep them, and the signature that they make.

mod account;
#[cfg(feature = "cloud")]
mod chain;
#[cfg(feature = "cloud")]
mod machine;
mod sigv4;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

#[cfg(not(feature = "cloud"))]
pub(super) use self::account::lying_about;
pub(super) use self::account::{region, region_of};
pub(crate) use self::sigv4::Signer;
use super::surroundings::Surroundings;
use crate::credential::{Credential, CredentialSource, Http};
use crate::error::Error;
use crate::future::BoxFuture;

/// Keys of AWS, as its own tools would find them.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// use instructor::Client;
/// use instructor::cloud::Aws;
///
/// let client = Client::builder()
///     .provider("bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0")
///     .credentials(Aws::profile("work"))
///     .build()?;
/// assert_eq!(client.profile().id(), "bedrock");
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone)]
#[cfg_attr(not(feature = "cloud"), expect(unreachable_pub, reason = "shown with the feature alone"))]
pub struct Aws {
    here: Arc<dyn Surroundings>,
    profile: Option<String>,
}

impl Aws {
    pub(super) fn at(here: Arc<dyn Surroundings>) -> Self {
        Self { here, profile: None }
    }
}

#[cfg(feature = "cloud")]
impl Aws {
    /// With what is found here, in this order: the variables of the environment; the profile that `AWS_PROFILE` names,
    /// with its keys, its role or its single sign-on; the token of a workload (`AWS_WEB_IDENTITY_TOKEN_FILE`); the role of
    /// the container; that of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Arc::new(super::Machine))
    }

    /// With a profile of `~/.aws`, and nothing else.
    #[must_use]
    pub fn profile(name: impl Into<String>) -> Self {
        Self::new().named(name.into())
    }

    pub(super) fn named(self, profile: String) -> Self {
        Self { profile: Some(profile), ..self }
    }
}

#[cfg(feature = "cloud")]
impl Default for Aws {
    fn default() -> Self {
        Self::new()
    }
}

impl Aws {
    #[cfg(feature = "cloud")]
    async fn keys(&self, http: &Http<'_>) -> Result<Credential, Error> {
        chain::Chain::new(&*self.here, http).keys(self.profile.as_deref()).await
    }

    #[cfg(not(feature = "cloud"))]
    async fn keys(&self, _: &Http<'_>) -> Result<Credential, Error> {
        let found = lying_about(&*self.here).filter(|_| self.profile.is_none());
        found.ok_or_else(|| {
            Error::config("the AWS credentials that were there are gone from the environment and ~/.aws")
        })
    }
}

impl CredentialSource for Aws {
    fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>> {
        Box::pin(async { Ok(self.keys(http).await?) })
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("profile", &self.profile).finish_non_exhaustive()
    }
}
