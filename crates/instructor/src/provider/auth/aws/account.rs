//! AWS credentials, from where its own tools keep them: variables of the environment, and the shared files.

use std::path::PathBuf;

use super::super::surroundings::Surroundings;
use crate::credential::Credential;

/// What requests are signed for if nothing says where.
pub(super) const REGION: &str = "us-east-1";

/// The region that is set up here.
pub(crate) fn region(here: &dyn Surroundings) -> Option<String> {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| here.variable(name));
    region.or_else(|| Profiles::read(here).get(&chosen(here), "region"))
}

/// The keys that lie about here. Variables win over files.
#[cfg(any(test, not(feature = "cloud")))]
pub(crate) fn lying_about(here: &dyn Surroundings) -> Option<Credential> {
    from_variables(here).or_else(|| Profiles::read(here).keys(&chosen(here)))
}

/// The name of the profile that counts here.
pub(super) fn chosen(here: &dyn Surroundings) -> String {
    let name = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().find_map(|name| here.variable(name));
    name.unwrap_or_else(|| String::from(DEFAULT))
}

pub(super) fn from_variables(here: &dyn Surroundings) -> Option<Credential> {
    keys("the environment", |name| here.variable(&name.to_ascii_uppercase()))
}

/// The two files that AWS's tools share.
pub(super) struct Profiles {
    secrets: String,
    settings: String,
}

impl Profiles {
    pub(super) fn read(here: &dyn Surroundings) -> Self {
        let text = |variable: &str, path: &str| {
            let given = here.variable(variable).map(PathBuf::from);
            let path = given.or_else(|| Some(here.home()?.join(".aws").join(path)))?;
            here.file(&path)
        };
        Self {
            secrets: text("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default(),
            settings: text("AWS_CONFIG_FILE", "config").unwrap_or_default(),
        }
    }

    /// The keys of a profile. The file for credentials wins over that for settings.
    pub(super) fn keys(&self, name: &str) -> Option<Credential> {
        let origin = format!("the profile {name} of ~/.aws");
        let places = [(&self.secrets, String::from(name)), (&self.settings, section_of(name))];
        places.iter().find_map(|(text, section)| keys(&origin, |key| setting(text, section, key)))
    }

    /// A setting of a profile.
    pub(super) fn get(&self, name: &str, key: &str) -> Option<String> {
        self.section(&section_of(name), key).or_else(|| setting(&self.secrets, name, key))
    }

    /// A setting of a section of the settings.
    pub(super) fn section(&self, section: &str, key: &str) -> Option<String> {
        setting(&self.settings, section, key)
    }
}

fn section_of(profile: &str) -> String {
    if profile == DEFAULT { String::from(profile) } else { format!("profile {profile}") }
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
        let (credential, region) = (lying_about(&here), region(&here));
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
