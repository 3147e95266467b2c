//! Google Cloud: tokens of a service account, of whoever is logged in, or of the machine.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::exchange::{ask_near, form, get, json as read_json, needed, number, text};
use super::surroundings::{Machine, Surroundings};
use crate::credential::{Credential, CredentialSource, Http, Secret};
use crate::error::Error;
use crate::future::BoxFuture;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKENS: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const METADATA: &str = "metadata.google.internal";
/// How long a signed request for a token holds: the most that is allowed.
const HOUR: u64 = 3600;

const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const LOG_IN: &str = "run `gcloud auth application-default login`";

/// Tokens of Google Cloud.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::cloud::Google;
///
/// # let script = Script::new()
/// #     .reply(Reply::json(json!({ "access_token": "ya29", "expires_in": 3599 })))
/// #     .reply(Reply::value("hello"));
/// # let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
/// // let file = std::fs::read_to_string("service-account.json")?;
/// let client = script.builder("vertexai/gemini-2.5-flash").credentials(Google::from_json(file)?).build()?;
///
/// let said: String = script.block_on(client.create("Say hello"))?;
/// assert_eq!(script.sent()[1].header("authorization"), Some("Bearer ya29"));
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone)]
pub struct Google {
    here: Arc<dyn Surroundings>,
    /// The text of a credentials file.
    json: Option<Secret>,
    scope: String,
}

impl Google {
    /// With what is found here, in this order: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, that of
    /// `gcloud auth application-default login`, the metadata server of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Arc::new(Machine))
    }

    pub(super) fn at(here: Arc<dyn Surroundings>) -> Self {
        Self { here, json: None, scope: String::from(SCOPE) }
    }

    /// With the text of a credentials file, such as the key of a service account.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where it is no such file.
    pub fn from_json(json: impl Into<String>) -> Result<Self, Error> {
        let json = json.into();
        parsed(&json, "the text that was given")?;
        Ok(Self { json: Some(Secret::new(json)), ..Self::new() })
    }

    /// With another scope than `cloud-platform`. It holds for service accounts; other tokens have theirs.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    async fn token(&self, http: &Http<'_>) -> Result<Credential, Error> {
        let (json, place) = match &self.json {
            Some(json) => (String::from(json.expose()), String::from("the text that was given")),
            None => match file(&*self.here)? {
                Some(found) => found,
                None => return self.of_machine(http).await,
            },
        };
        let file = parsed(&json, &place)?;
        let field = |key| needed(&file, key, &place).map_err(|_| Error::config(format!("{place} has no {key:?}")));
        let url = text(&file, "token_uri").unwrap_or(TOKENS);
        let (request, whose, advice) = match file.get("type").and_then(Value::as_str) {
            Some("service_account") => {
                let asked = assertion(&file, field("client_email")?, url, &self.scope, http.unix().as_secs());
                let signature = signature(field("private_key")?, &asked).ok_or_else(|| {
                    Error::config(format!(
                        "the \"private_key\" of {place} is no RSA key in PKCS #8: download the file anew"
                    ))
                })?;
                let assertion = format!("{asked}.{signature}");
                let request = form(url, &[("grant_type", GRANT), ("assertion", &assertion)])?;
                (request, "the service account", "is its key still there?")
            }
            _ => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", field("client_id")?),
                    ("client_secret", field("client_secret")?),
                    ("refresh_token", field("refresh_token")?),
                ];
                (form(url, &fields)?, "the user", LOG_IN)
            }
        };
        let credential = read(&http.send(request).await?, &format!("{whose} of {place}"), advice, http.unix())?;
        // Users have no project that pays by themselves.
        let project = text(&file, "quota_project_id").and_then(|project| HeaderValue::from_str(project).ok());
        Ok(match project {
            Some(project) => credential.with_header(HeaderName::from_static("x-goog-user-project"), project),
            None => credential,
        })
    }

    async fn of_machine(&self, http: &Http<'_>) -> Result<Credential, Error> {
        let host = self.here.variable("GCE_METADATA_HOST").unwrap_or_else(|| String::from(METADATA));
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        let answer = ask_near(http, get(&url, &[("metadata-flavor", "Google")])?).await.map_err(|error| {
            Error::config(format!(
                "there are no credentials of Google Cloud: {VARIABLE} is not set, {} is not there, and this machine has no \
                 metadata server ({}). Set the variable to the file of a service account, or {LOG_IN}, or give the client \
                 a source (credentials)",
                logged_in(&*self.here).map_or_else(String::new, |path| path.display().to_string()),
                error.message(),
            ))
        })?;
        read(&answer, "the metadata server", "give the machine a service account", http.unix())
    }
}

/// The file of credentials that counts here, and what to call it.
fn file(here: &dyn Surroundings) -> Result<Option<(String, String)>, Error> {
    if let Some(path) = here.variable(VARIABLE) {
        let text = here.file(&PathBuf::from(&path));
        let text = text.ok_or_else(|| Error::config(format!("{path} can't be read: {VARIABLE} has to name a file")))?;
        return Ok(Some((text, format!("{path} ({VARIABLE})"))));
    }
    let Some(path) = logged_in(here) else { return Ok(None) };
    Ok(here.file(&path).map(|text| (text, path.display().to_string())))
}

/// Where `gcloud` puts whom it has logged in.
fn logged_in(here: &dyn Surroundings) -> Option<PathBuf> {
    let folder = here
        .variable("CLOUDSDK_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(here.variable("APPDATA")?).join("gcloud")))
        .or_else(|| Some(here.home()?.join(".config").join("gcloud")))?;
    Some(folder.join("application_default_credentials.json"))
}

/// The project that the credentials here belong to.
pub(super) fn project(here: &dyn Surroundings) -> Option<String> {
    let (json, _) = file(here).ok()??;
    let file: Value = serde_json::from_str(&json).ok()?;
    text(&file, "project_id").or_else(|| text(&file, "quota_project_id")).map(String::from)
}

fn parsed(json: &str, place: &str) -> Result<Value, Error> {
    let file: Value = serde_json::from_str(json)
        .map_err(|_| Error::config(format!("{place} is no JSON: download it anew, or {LOG_IN}")))?;
    match file.get("type").and_then(Value::as_str) {
        Some("service_account" | "authorized_user") => Ok(file),
        kind => Err(Error::config(format!(
            "{place} has credentials of the type {:?}, which are not fetched here: use a service account, or {LOG_IN}, or \
             give the client a source (credentials)",
            kind.unwrap_or_default(),
        ))),
    }
}

fn read(answer: &Response<Bytes>, who: &str, advice: &str, now: Duration) -> Result<Credential, Error> {
    let value = read_json(who, answer, advice)?;
    let credential = Credential::bearer(needed(&value, "access_token", who)?).with_origin(who);
    Ok(credential.ending(number(&value, "expires_in").map(|seconds| now + Duration::from_secs(seconds))))
}

/// The request for a token, in the form in which it is signed.
fn assertion(file: &Value, account: &str, url: &str, scope: &str, now: u64) -> String {
    let mut head = json!({ "alg": "RS256", "typ": "JWT" });
    if let (Some(head), Some(id)) = (head.as_object_mut(), file.get("private_key_id")) {
        head.insert(String::from("kid"), id.clone());
    }
    let claims = json!({ "iss": account, "scope": scope, "aud": url, "iat": now, "exp": now + HOUR });
    format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// The signature of a text (RS256), if the PEM holds a key that can make one.
pub(super) fn signature(pem: &str, text: &str) -> Option<String> {
    let lines: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(lines).ok()?).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(URL_SAFE_NO_PAD.encode(signature))
}

impl CredentialSource for Google {
    fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Result<Credential, Box<dyn StdError + Send + Sync>>> {
        Box::pin(async { Ok(self.token(http).await?) })
    }
}

impl Default for Google {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Google").field("scope", &self.scope).finish_non_exhaustive()
    }
}
