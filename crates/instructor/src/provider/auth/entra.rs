//! Entra ID, which was Azure AD: tokens for an application, a workload or the identity of a machine.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::exchange::{ask_near, form, get, json, needed, number, query};
use super::surroundings::{Machine, Surroundings};
use crate::credential::{Credential, CredentialSource, Http, Secret};
use crate::error::Error;
use crate::future::BoxFuture;

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Where a machine asks for the tokens of its identity.
const MACHINE: &str = "http://169.254.169.254";

/// Tokens of Entra ID (Azure AD).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::cloud::Entra;
///
/// # let script = Script::new()
/// #     .reply(Reply::json(json!({ "access_token": "eyJ0", "expires_in": 3599 })))
/// #     .reply(Reply::value("hello"));
/// let source = Entra::client_secret("my-tenant", "my-client", "my-secret");
/// let client = script.builder("azure_openai/my-deployment").credentials(source).build()?;
///
/// let said: String = script.block_on(client.create("Say hello"))?;
/// assert_eq!(script.sent()[0].url(), "https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token");
/// assert_eq!(script.sent()[1].header("authorization"), Some("Bearer eyJ0"));
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone)]
pub struct Entra {
    here: Arc<dyn Surroundings>,
    application: Option<Application>,
    scope: String,
}

#[derive(Clone)]
struct Application {
    tenant: String,
    client: String,
    proof: Proof,
}

/// How an application proves that it is it.
#[derive(Clone)]
enum Proof {
    Secret(Secret),
    /// A token of whoever runs the workload, in a file that is written anew from time to time.
    File(String),
}

impl Entra {
    /// With what is found here, in this order: a client secret (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`,
    /// `AZURE_CLIENT_SECRET`), a workload's identity (`AZURE_FEDERATED_TOKEN_FILE` in place of the secret), the identity
    /// of an app service (`IDENTITY_ENDPOINT`), that of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Arc::new(Machine))
    }

    pub(super) fn at(here: Arc<dyn Surroundings>) -> Self {
        Self { here, application: None, scope: String::from(SCOPE) }
    }

    /// With the secret of an application.
    #[must_use]
    pub fn client_secret(tenant: impl Into<String>, client: impl Into<String>, secret: impl Into<String>) -> Self {
        let proof = Proof::Secret(Secret::new(secret));
        let application = Some(Application { tenant: tenant.into(), client: client.into(), proof });
        Self { application, ..Self::new() }
    }

    /// With another scope than that of Azure's cognitive services.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    async fn token(&self, http: &Http<'_>) -> Result<Credential, Error> {
        match self.application.clone().or_else(|| self.application()) {
            Some(application) => self.of_application(&application, http).await,
            None => self.of_machine(http).await,
        }
    }

    fn application(&self) -> Option<Application> {
        let variable = |name: &str| self.here.variable(name);
        let secret = || variable("AZURE_CLIENT_SECRET").map(|secret| Proof::Secret(Secret::new(secret)));
        let file = || variable("AZURE_FEDERATED_TOKEN_FILE").map(Proof::File);
        let (tenant, client) = (variable("AZURE_TENANT_ID")?, variable("AZURE_CLIENT_ID")?);
        Some(Application { tenant, client, proof: secret().or_else(file)? })
    }

    async fn of_application(&self, application: &Application, http: &Http<'_>) -> Result<Credential, Error> {
        let Application { tenant, client, proof } = application;
        let authority = self.here.variable("AZURE_AUTHORITY_HOST").unwrap_or_else(|| String::from(AUTHORITY));
        let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
        let asked = [("grant_type", "client_credentials"), ("client_id", client), ("scope", &self.scope)];
        let (request, advice) = match proof {
            Proof::Secret(secret) => {
                let request = form(&url, &[&asked[..], &[("client_secret", secret.expose())]].concat())?;
                (request, "check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
            }
            Proof::File(path) => {
                let token = self.here.file(Path::new(path)).ok_or_else(|| {
                    Error::config(format!(
                        "{path} can't be read: AZURE_FEDERATED_TOKEN_FILE has to name a file with a token"
                    ))
                })?;
                let proof = [("client_assertion_type", ASSERTION), ("client_assertion", token.trim())];
                let request = form(&url, &[&asked[..], &proof].concat())?;
                (request, "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the federation of AZURE_FEDERATED_TOKEN_FILE")
            }
        };
        read(&http.send(request).await?, &format!("the application {client} of Entra ID"), advice, http.unix())
    }

    async fn of_machine(&self, http: &Http<'_>) -> Result<Credential, Error> {
        let variable = |name: &str| self.here.variable(name);
        let client = variable("AZURE_CLIENT_ID");
        let whose = client.as_deref().map(|client| ("client_id", client));
        let resource = [("resource", self.scope.trim_end_matches("/.default"))];
        let asked = |version| query(&[&[("api-version", version)], &resource[..], whose.as_slice()].concat());
        if let (Some(url), Some(header)) = (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER")) {
            let request = get(&format!("{url}?{}", asked("2019-08-01")), &[("x-identity-header", &header)])?;
            let advice = "give the app an identity, or check AZURE_CLIENT_ID";
            return read(
                &http.send(request).await?,
                "the identity of the app (IDENTITY_ENDPOINT)",
                advice,
                http.unix(),
            );
        }
        let host = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or_else(|| String::from(MACHINE));
        let url = format!("{}/metadata/identity/oauth2/token?{}", host.trim_end_matches('/'), asked("2018-02-01"));
        let answer = ask_near(http, get(&url, &[("metadata", "true")])?).await.map_err(|error| {
            Error::config(format!(
                "there are no credentials of Azure: AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET and \
                 AZURE_FEDERATED_TOKEN_FILE are not all set, IDENTITY_ENDPOINT is not, and this machine has no identity \
                 ({}). Set the first three, or a key, or give the client a source (credentials)",
                error.message(),
            ))
        })?;
        read(&answer, "the identity of the machine", "give it one, or check AZURE_CLIENT_ID", http.unix())
    }
}

fn read(answer: &Response<Bytes>, who: &str, advice: &str, now: Duration) -> Result<Credential, Error> {
    let value: Value = json(who, answer, advice)?;
    let token = needed(&value, "access_token", who)?;
    let credential = Credential::bearer(token).with_origin(who);
    let ends = number(&value, "expires_in").map(|seconds| now + Duration::from_secs(seconds));
    Ok(credential.ending(ends.or_else(|| number(&value, "expires_on").map(Duration::from_secs))))
}

impl CredentialSource for Entra {
    fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>> {
        Box::pin(async { Ok(self.token(http).await?) })
    }
}

impl Default for Entra {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entra").field("scope", &self.scope).finish_non_exhaustive()
    }
}
