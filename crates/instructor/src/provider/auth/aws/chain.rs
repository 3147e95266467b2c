//! Where AWS's tools look for keys, in their order, and the roles that lead from one to the next.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::Value;

use super::account::{Profiles, REGION, chosen, from_variables, region};
use super::machine;
use super::sigv4::{Signer, hex};
use crate::calendar::unix;
use crate::credential::{Credential, Http, Proof};
use crate::error::{Error, ErrorKind};
use crate::future::BoxFuture;
use crate::provider::auth::exchange::{between, checked, form, get, json, needed, number, query};
use crate::provider::auth::surroundings::Surroundings;

/// How many roles may lead to another: more is a circle.
const MOST_ROLES: usize = 5;
const SESSION: &str = "instructor-rs";

pub(super) struct Chain<'a> {
    here: &'a dyn Surroundings,
    http: &'a Http<'a>,
    profiles: Profiles,
    region: String,
}

impl<'a> Chain<'a> {
    pub(super) fn new(here: &'a dyn Surroundings, http: &'a Http<'_>) -> Self {
        let region = region(here).unwrap_or_else(|| String::from(REGION));
        Self { here, http, profiles: Profiles::read(here), region }
    }

    /// The keys of one profile, or of the first place that has any.
    pub(super) async fn keys(&self, profile: Option<&str>) -> Result<Credential, Error> {
        if let Some(profile) = profile {
            return self.of_profile(profile, 0).await?.ok_or_else(|| no_profile(profile));
        }
        if let Some(credential) = from_variables(self.here) {
            return Ok(credential);
        }
        let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().any(|name| self.here.variable(name).is_some());
        let profile = chosen(self.here);
        if let Some(credential) = self.of_profile(&profile, 0).await? {
            return Ok(credential);
        }
        if named {
            return Err(no_profile(&profile));
        }
        let variable = |name| self.here.variable(name);
        if let (Some(file), Some(role)) = (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN")) {
            let session = variable("AWS_ROLE_SESSION_NAME");
            return self.by_token(&file, &role, session.as_deref()).await;
        }
        if let Some(credential) = machine::of_container(self.here, self.http).await? {
            return Ok(credential);
        }
        machine::of_instance(self.here, self.http).await
    }

    /// The keys of a profile, if it has any.
    fn of_profile<'s>(&'s self, name: &'s str, roles: usize) -> BoxFuture<'s, Result<Option<Credential>, Error>> {
        Box::pin(async move {
            let get = |key| self.profiles.get(name, key);
            let Some(role) = get("role_arn") else {
                return match (get("sso_account_id"), get("sso_role_name")) {
                    (Some(account), Some(role)) => self.by_sign_on(name, &account, &role).await.map(Some),
                    _ => Ok(self.profiles.keys(name)),
                };
            };
            if roles == MOST_ROLES {
                return Err(Error::config(format!("the roles of the AWS profile {name} lead in a circle")));
            }
            let session = get("role_session_name");
            if let Some(file) = get("web_identity_token_file") {
                return self.by_token(&file, &role, session.as_deref()).await.map(Some);
            }
            if get("mfa_serial").is_some() {
                return Err(Error::config(format!(
                    "the AWS profile {name} wants a code (mfa_serial), which nobody can be asked for here: log in with \
                     AWS's own tools and hand their keys over in the environment",
                )));
            }
            let base = match (get("source_profile"), get("credential_source").as_deref()) {
                // Its own keys, and not its role once more.
                (Some(source), _) if source == name => self.profiles.keys(name),
                (Some(source), _) => self.of_profile(&source, roles + 1).await?,
                (None, Some("Environment")) => from_variables(self.here),
                (None, Some("EcsContainer")) => machine::of_container(self.here, self.http).await?,
                (None, Some("Ec2InstanceMetadata")) => Some(machine::of_instance(self.here, self.http).await?),
                (None, _) => None,
            };
            let base = base.ok_or_else(|| {
                Error::config(format!(
                    "the AWS profile {name} has a role but no keys to take it with: give it a source_profile that has some",
                ))
            })?;
            let seconds = get("duration_seconds");
            let external = get("external_id");
            let more = [("DurationSeconds", seconds.as_deref()), ("ExternalId", external.as_deref())];
            let more: Vec<(&str, &str)> = more.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
            self.by_keys(&base, name, &role, session.as_deref(), &more).await.map(Some)
        })
    }

    /// A role that other keys may take.
    async fn by_keys(
        &self,
        base: &Credential,
        profile: &str,
        role: &str,
        session: Option<&str>,
        more: &[(&str, &str)],
    ) -> Result<Credential, Error> {
        let asked = [("RoleArn", role), ("RoleSessionName", session.unwrap_or(SESSION))];
        let region = self.profiles.get(profile, "region").unwrap_or_else(|| self.region.clone());
        let mut request = self.sts("AssumeRole", &region, &[&asked, more].concat())?;
        if let Proof::Signature(keys) = &base.proof {
            Signer { region, service: "sts" }.sign(&mut request, keys, self.http.unix())?;
        }
        let advice = format!("may the keys of {} take this role?", base.origin().unwrap_or("its profile"));
        taken(&self.http.send(request).await?, role, &advice)
    }

    /// A role that whoever has a token may take.
    async fn by_token(&self, file: &str, role: &str, session: Option<&str>) -> Result<Credential, Error> {
        let token = self.here.file(Path::new(file)).ok_or_else(|| {
            Error::config(format!("{file} can't be read: AWS_WEB_IDENTITY_TOKEN_FILE has to name a file with a token"))
        })?;
        let session = session.unwrap_or(SESSION);
        let asked = [("RoleArn", role), ("RoleSessionName", session), ("WebIdentityToken", token.trim())];
        let request = self.sts("AssumeRoleWithWebIdentity", &self.region, &asked)?;
        taken(&self.http.send(request).await?, role, &format!("does the role trust the issuer of {file}?"))
    }

    fn sts(&self, action: &str, region: &str, asked: &[(&str, &str)]) -> Result<Request<Bytes>, Error> {
        let own = self.here.variable("AWS_ENDPOINT_URL_STS");
        let url = own.unwrap_or_else(|| format!("https://sts.{region}.{}/", domain(region)));
        form(&url, &[&[("Action", action), ("Version", "2011-06-15")], asked].concat())
    }

    /// A role of single sign-on, by the token that `aws sso login` has left.
    async fn by_sign_on(&self, profile: &str, account: &str, role: &str) -> Result<Credential, Error> {
        let advice = format!("run `aws sso login --profile {profile}`");
        let session = self.profiles.get(profile, "sso_session");
        let setting = |key| match &session {
            Some(session) => self.profiles.section(&format!("sso-session {session}"), key),
            None => self.profiles.get(profile, key),
        };
        let missing = |what: &str| Error::config(format!("the AWS profile {profile} has no {what}; {advice}"));
        let region = setting("sso_region").ok_or_else(|| missing("sso_region"))?;
        let start = setting("sso_start_url").ok_or_else(|| missing("sso_start_url"))?;
        let name = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, session.unwrap_or(start).as_bytes()).as_ref());
        let path = self.here.home().unwrap_or_default().join(".aws/sso/cache").join(format!("{name}.json"));
        let left: Option<Value> = self.here.file(&path).and_then(|text| serde_json::from_str(&text).ok());
        let token = left.as_ref().and_then(|left| {
            let ends = unix(left.get("expiresAt")?.as_str()?)?;
            left.get("accessToken")?.as_str().filter(|_| self.http.unix() < ends)
        });
        let token = token.ok_or_else(|| {
            Error::new(ErrorKind::Auth, format!("there is no token of AWS's single sign-on, or it has ended; {advice}"))
        })?;
        let asked = query(&[("role_name", role), ("account_id", account)]);
        let url = format!("https://portal.sso.{region}.{}/federation/credentials?{asked}", domain(&region));
        let who = format!("the single sign-on of the AWS profile {profile}");
        let answer = self.http.send(get(&url, &[("x-amz-sso_bearer_token", token)])?).await?;
        let value = json(&who, &answer, &advice)?;
        let keys = value.get("roleCredentials").unwrap_or(&value);
        let field = |key| needed(keys, key, &who);
        let credential = Credential::aws(
            field("accessKeyId")?,
            field("secretAccessKey")?,
            Some(String::from(field("sessionToken")?)),
        );
        Ok(credential.with_origin(who).ending(number(keys, "expiration").map(Duration::from_millis)))
    }
}

fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn no_profile(name: &str) -> Error {
    Error::config(format!(
        "the AWS profile {name} has no keys, role or single sign-on that can be used here: check AWS_PROFILE and \
         ~/.aws/config, or give the client a source (credentials)",
    ))
}

/// The keys of a role that has been taken.
fn taken(answer: &Response<Bytes>, role: &str, advice: &str) -> Result<Credential, Error> {
    let who = format!("AWS's token service, asked for the role {role},");
    let text = String::from_utf8_lossy(checked(&who, answer, advice)?);
    let field = |name| {
        let field = between(&text, name).map(String::from);
        field.ok_or_else(|| Error::new(ErrorKind::Malformed, format!("{who} answered without {name:?}")))
    };
    let credential = Credential::aws(field("AccessKeyId")?, field("SecretAccessKey")?, Some(field("SessionToken")?));
    Ok(credential.with_origin(format!("the role {role}")).ending(unix(&field("Expiration")?)))
}
