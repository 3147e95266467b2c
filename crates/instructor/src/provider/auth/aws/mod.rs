//! AWS: credentials from where its own tools keep them, and the signature that they make.

mod account;
mod sigv4;

use std::error::Error as StdError;
use std::sync::Arc;

pub(super) use self::account::{Account, region_of};
pub(crate) use self::sigv4::Signer;
use super::surroundings::Surroundings;
use crate::credential::{Credential, CredentialSource, Http};
use crate::error::Error;
use crate::future::BoxFuture;

/// The credentials that AWS's own tools would take here.
pub(crate) struct Aws {
    here: Arc<dyn Surroundings>,
}

impl Aws {
    pub(super) fn new(here: Arc<dyn Surroundings>) -> Self {
        Self { here }
    }
}

impl CredentialSource for Aws {
    fn fetch<'a>(&'a self, _: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>> {
        let found = Account::find(&*self.here).credential;
        let gone =
            || Error::config("the AWS credentials that were there are gone from the environment and ~/.aws").into();
        Box::pin(std::future::ready(found.ok_or_else(gone)))
    }
}
