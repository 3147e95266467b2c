//! AWS credentials, from where its own tools keep them: variables of the environment, and the shared files.

use std::path::PathBuf;

use super::super::surroundings::Surroundings;
use crate::credential::Credential;

/// What requests are signed for if nothing says where.
const REGION: &str = "us-east-1";

/// Who asks, and where.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) credential: Option<Credential>,
    pub(crate) region: Option<String>,
}

impl Account {
    /// Variables win over files, and the file for credentials over that for settings.
    pub(crate) fn find(here: &dyn Surroundings) -> Self {
        let credential = keys("the environment", |name| here.variable(&name.to_ascii_uppercase()));
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| here.variable(name));
        if let (Some(_), Some(_)) = (&credential, &region) {
            return Self { credential, region };
        }
        let name = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().find_map(|name| here.variable(name));
        let name = name.as_deref().unwrap_or(DEFAULT);
        let text = |variable: &str, path: &str| {
            let given = here.variable(variable).map(PathBuf::from);
            let path = given.or_else(|| Some(here.home()?.join(".aws").join(path)))?;
            here.file(&path)
        };
        let secrets = text("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
        let settings = text("AWS_CONFIG_FILE", "config").unwrap_or_default();
        let profile = if name == DEFAULT { String::from(name) } else { format!("profile {name}") };
        let origin = format!("the profile {name} of ~/.aws");
        let credential = [(&secrets, name), (&settings, profile.as_str())]
            .into_iter()
            .fold(credential, |found, place| found.or_else(|| keys(&origin, |key| setting(place.0, place.1, key))));
        let region =
            region.or_else(|| setting(&settings, &profile, "region")).or_else(|| setting(&secrets, name, "region"));
        Self { credential, region }
    }
}

const DEFAULT: &str = "default";

/// All of them from one place: the key of one account is nothing with the secret of another.
fn keys(origin: &str, read: impl Fn(&str) -> Option<String>) -> Option<Credential> {
    let (id, secret) = (read("aws_access_key_id")?, read("aws_secret_access_key")?);
    Some(Credential::aws(id, secret, read("aws_session_token")).with_origin(origin))
}

/// A setting of a section: `[section]`, then lines of `key = value`. Lines that are indented belong to the setting above.
fn setting(text: &str, section: &str, key: &str) -> Option<String> {
    let mut here = false;
    for line in text.lines() {
        if let Some(name) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            here = name.split_whitespace().eq(section.split_whitespace());
            continue;
        }
        let Some((name, value)) = line.split_once('=').filter(|_| here && !line.starts_with(['#', ';', ' ', '\t']))
        else {
            continue;
        };
        // A comment in a line begins after a space.
        let value = [" #", " ;"].iter().fold(value, |value, sign| value.split(sign).next().unwrap_or_default()).trim();
        if name.trim().eq_ignore_ascii_case(key) && !value.is_empty() {
            return Some(String::from(value));
        }
    }
    None
}

/// The region of an address of AWS, else that of the account.
pub(crate) fn region_of(base_url: &str, account: Option<String>) -> String {
    let host = base_url.split("//").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    named_in(host).map(String::from).or(account).unwrap_or_else(|| String::from(REGION))
}

/// The region that a host of AWS is in: `service.REGION.amazonaws.com`, with more labels before and between.
fn named_in(host: &str) -> Option<&str> {
    let mut labels = host.split('.').rev().skip_while(|label| *label != "amazonaws");
    labels.next()?;
    // eu-central-1, us-gov-west-1
    labels.find(|label| label.contains('-') && label.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Proof;
    use crate::provider::auth::surroundings::Pretend;

    const KEYS: &str = "# keys\n[default]\naws_access_key_id = AKID\naws_secret_access_key=secret/+=\n\n[work]\n\
        aws_access_key_id=AKWORK\naws_secret_access_key = worksecret # ours\naws_session_token = tok==\n\
        [half]\naws_access_key_id = AKHALF\n";
    const SETTINGS: &str = "[default]\nregion = us-west-2\ns3 =\n  region = none\n[ profile  work ]\nregion=eu-central-1\n\
        [profile half]\naws_access_key_id=AKCONF\naws_secret_access_key=confsecret\n";

    /// Access key, secret, token and region.
    fn found(variables: &[(&str, &str)]) -> (Option<String>, Option<String>, Option<String>, Option<String>) {
        let here = Pretend::default()
            .with_file("/home/me/.aws/credentials", KEYS)
            .with_file("/home/me/.aws/config", SETTINGS)
            .with_file("/elsewhere", SETTINGS);
        let here = variables.iter().fold(here, |here, (name, value)| here.with(name, *value));
        let Account { credential, region } = Account::find(&here);
        let shown = format!("{credential:?}");
        assert!(!shown.contains("secret") && !shown.contains("AK"), "{shown}");
        match credential.map(|credential| credential.proof) {
            Some(Proof::Signature(keys)) => (
                Some(keys.id),
                Some(String::from(keys.secret.expose())),
                keys.token.map(|token| String::from(token.expose())),
                region,
            ),
            _ => (None, None, None, region),
        }
    }

    fn expected(parts: [&str; 4]) -> (Option<String>, Option<String>, Option<String>, Option<String>) {
        let [a, b, c, d] = parts.map(|part| Some(String::from(part)).filter(|part| !part.is_empty()));
        (a, b, c, d)
    }

    #[test]
    fn variables_win_over_files() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "envsecret"), ("AWS_PROFILE", "work")];
        assert_eq!(found(&keys), expected(["AKENV", "envsecret", "", "eu-central-1"]));
        let whole =
            [&keys[..], &[("AWS_SESSION_TOKEN", "t"), ("AWS_DEFAULT_REGION", "a"), ("AWS_REGION", "b")]].concat();
        assert_eq!(found(&whole), expected(["AKENV", "envsecret", "t", "b"]));
        // Half a pair is none.
        assert_eq!(found(&keys[..1]), expected(["AKID", "secret/+=", "", "us-west-2"]));
    }

    #[test]
    fn profiles_are_read_from_both_files() {
        assert_eq!(found(&[]), expected(["AKID", "secret/+=", "", "us-west-2"]));
        assert_eq!(found(&[("AWS_PROFILE", "work")]), expected(["AKWORK", "worksecret", "tok==", "eu-central-1"]));
        assert_eq!(found(&[("AWS_PROFILE", "half")]), expected(["AKCONF", "confsecret", "", ""]));
        assert_eq!(found(&[("AWS_PROFILE", "gone")]), expected(["", "", "", ""]));
        let elsewhere = [("AWS_SHARED_CREDENTIALS_FILE", "/gone"), ("AWS_CONFIG_FILE", "/elsewhere")];
        assert_eq!(found(&elsewhere), expected(["", "", "", "us-west-2"]));
    }

    #[test]
    fn hosts_tell_their_region() {
        assert_eq!(named_in("bedrock-runtime.eu-central-1.amazonaws.com"), Some("eu-central-1"));
        assert_eq!(named_in("bedrock-runtime-fips.us-gov-west-1.amazonaws.com"), Some("us-gov-west-1"));
        assert_eq!(named_in("vpce-0a-1b.bedrock-runtime.us-east-1.vpce.amazonaws.com"), Some("us-east-1"));
        assert_eq!(named_in("bedrock-runtime.cn-north-1.amazonaws.com.cn"), Some("cn-north-1"));
        assert_eq!(named_in("localhost"), None);
        assert_eq!(named_in("gateway-1.example.com"), None);
    }
}
