//! The roles of containers and machines of AWS: keys from a service that only answers there.

use std::path::Path;

use bytes::Bytes;
use http::Response;

use crate::calendar::unix;
use crate::credential::{Credential, Http};
use crate::error::Error;
use crate::provider::auth::exchange::{ask_near, checked, get, json, needed, request, text};
use crate::provider::auth::surroundings::Surroundings;

const CONTAINER: &str = "http://169.254.170.2";
/// Hosts that a container may send its token to without TLS.
const NEAR: &[&str] = &["localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
const INSTANCE: &str = "http://169.254.169.254";
const ROLES: &str = "latest/meta-data/iam/security-credentials/";

/// The keys of the container's role, if this is a container that has one.
pub(super) async fn of_container(here: &dyn Surroundings, http: &Http<'_>) -> Result<Option<Credential>, Error> {
    let relative = here.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{CONTAINER}{path}"));
    let Some(url) = relative.or_else(|| here.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) else { return Ok(None) };
    let uri: http::Uri = url.parse().unwrap_or_default();
    if uri.scheme_str() != Some("https") && !uri.host().is_some_and(|host| NEAR.contains(&host)) {
        let why = "is neither https nor the address of this machine, so the container's token must not go there";
        return Err(Error::config(format!("AWS_CONTAINER_CREDENTIALS_FULL_URI {why}")));
    }
    let file = here.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").and_then(|path| here.file(Path::new(&path)));
    let token = file.or_else(|| here.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    let token = token.as_deref().map(|token| ("authorization", token.trim()));
    let answer = http.send(get(&url, token.as_slice())?).await?;
    keys(&answer, "the role of the container", "give its task or pod a role").map(Some)
}

/// The keys of the machine's role. The first step is the proof that the request comes from inside.
pub(super) async fn of_instance(here: &dyn Surroundings, http: &Http<'_>) -> Result<Credential, Error> {
    let none = |why: &str| {
        Error::config(format!(
            "there are no credentials of AWS: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, the profile of \
             ~/.aws has none, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI are not set, and this \
             machine has no role ({why}). Set the first two, or AWS_PROFILE, or a bearer token, or give the client a source \
             (credentials)",
        ))
    };
    if here.variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(none("AWS_EC2_METADATA_DISABLED is set"));
    }
    let host = here.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| String::from(INSTANCE));
    let host = host.trim_end_matches('/');
    let lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", "21600")];
    let session = request("PUT", &format!("{host}/latest/api/token"), &lifetime, Bytes::new())?;
    let session = ask_near(http, session).await.map_err(|error| none(error.message()))?;
    let (who, advice) = ("the role of the machine", "give the machine a role");
    let session = String::from_utf8_lossy(checked(who, &session, advice)?).into_owned();
    let session = [("x-aws-ec2-metadata-token", session.trim())];
    let roles = http.send(get(&format!("{host}/{ROLES}"), &session)?).await?;
    let roles = String::from_utf8_lossy(checked(who, &roles, advice)?).into_owned();
    let role = roles.lines().next().unwrap_or_default().trim();
    keys(&http.send(get(&format!("{host}/{ROLES}{role}"), &session)?).await?, who, advice)
}

fn keys(answer: &Response<Bytes>, who: &str, advice: &str) -> Result<Credential, Error> {
    let value = json(who, answer, advice)?;
    let field = |key| needed(&value, key, who);
    let token = text(&value, "Token").map(String::from);
    let credential = Credential::aws(field("AccessKeyId")?, field("SecretAccessKey")?, token).with_origin(who);
    Ok(credential.ending(text(&value, "Expiration").and_then(unix)))
}
