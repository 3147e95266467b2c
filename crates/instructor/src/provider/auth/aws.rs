//! AWS credentials, from where its own tools keep them: variables of the environment, and the shared files.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Secret;

/// What requests are signed with.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret: Secret,
    /// Of credentials that end.
    pub(super) token: Option<Secret>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Who asks, and where.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) credentials: Option<Credentials>,
    pub(super) region: Option<String>,
}

/// Where an account is looked for.
pub(super) struct Surroundings<'a> {
    /// A variable of the environment.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// The text of a file.
    pub(super) file: &'a dyn Fn(&Path) -> Option<String>,
    pub(super) home: Option<PathBuf>,
}

impl Account {
    pub(super) fn from_env() -> Self {
        let here = Surroundings {
            variable: &super::variable,
            file: &|path| std::fs::read_to_string(path).ok(),
            home: std::env::home_dir(),
        };
        Self::find(&here)
    }

    /// Variables win over files, and the file for credentials over that for settings.
    pub(super) fn find(here: &Surroundings<'_>) -> Self {
        let credentials = Credentials::find(|[id, secret, token]| {
            let name = |name: &str| (here.variable)(&name.to_ascii_uppercase());
            (name(id), name(secret), name(token))
        });
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| (here.variable)(name));
        if let (Some(_), Some(_)) = (&credentials, &region) {
            return Self { credentials, region };
        }
        let name = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().find_map(|name| (here.variable)(name));
        let name = name.as_deref().unwrap_or(DEFAULT);
        let text = |variable: &str, path: &str| {
            let given = (here.variable)(variable).map(PathBuf::from);
            let path = given.or_else(|| Some(here.home.as_ref()?.join(".aws").join(path)))?;
            (here.file)(&path)
        };
        let keys = text("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
        let settings = text("AWS_CONFIG_FILE", "config").unwrap_or_default();
        let profile = if name == DEFAULT { String::from(name) } else { format!("profile {name}") };
        let credentials =
            [(&keys, name), (&settings, profile.as_str())].into_iter().fold(credentials, |found, place| {
                let (text, section) = place;
                let read = |key: &str| setting(text, section, key);
                found.or_else(|| Credentials::find(|[id, secret, token]| (read(id), read(secret), read(token))))
            });
        let region =
            region.or_else(|| setting(&settings, &profile, "region")).or_else(|| setting(&keys, name, "region"));
        Self { credentials, region }
    }
}

const DEFAULT: &str = "default";

impl Credentials {
    /// All of them from one place: the key of one account is nothing with the secret of another.
    fn find(read: impl FnOnce([&str; 3]) -> (Option<String>, Option<String>, Option<String>)) -> Option<Self> {
        let (id, secret, token) = read(["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]);
        Some(Self { access_key: id?, secret: Secret::new(secret?), token: token.map(Secret::new) })
    }
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

/// The region that a host of AWS is in: `service.REGION.amazonaws.com`, with more labels before and between.
pub(super) fn region_of(host: &str) -> Option<&str> {
    let mut labels = host.split('.').rev().skip_while(|label| *label != "amazonaws");
    labels.next()?;
    // eu-central-1, us-gov-west-1
    labels.find(|label| label.contains('-') && label.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const KEYS: &str = "# keys\n[default]\naws_access_key_id = AKID\naws_secret_access_key=secret/+=\n\n[work]\n\
        aws_access_key_id=AKWORK\naws_secret_access_key = worksecret # ours\naws_session_token = tok==\n\
        [half]\naws_access_key_id = AKHALF\n";
    const SETTINGS: &str = "[default]\nregion = us-west-2\ns3 =\n  region = none\n[ profile  work ]\nregion=eu-central-1\n\
        [profile half]\naws_access_key_id=AKCONF\naws_secret_access_key=confsecret\n";

    /// Access key, secret, token and region.
    fn found(variables: &[(&str, &str)]) -> (Option<String>, Option<String>, Option<String>, Option<String>) {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let here = Surroundings {
            variable: &|name| variables.get(name).map(|value| String::from(*value)),
            file: &|path| match path.to_str()?.replace('\\', "/").as_str() {
                "/home/me/.aws/credentials" => Some(String::from(KEYS)),
                "/home/me/.aws/config" | "/elsewhere" => Some(String::from(SETTINGS)),
                _ => None,
            },
            home: Some(PathBuf::from("/home/me")),
        };
        let Account { credentials, region } = Account::find(&here);
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("secret") && !shown.contains("AK"), "{shown}");
        match credentials {
            Some(Credentials { access_key, secret, token }) => (
                Some(access_key),
                Some(String::from(secret.expose())),
                token.map(|token| String::from(token.expose())),
                region,
            ),
            None => (None, None, None, region),
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
        assert_eq!(region_of("bedrock-runtime.eu-central-1.amazonaws.com"), Some("eu-central-1"));
        assert_eq!(region_of("bedrock-runtime-fips.us-gov-west-1.amazonaws.com"), Some("us-gov-west-1"));
        assert_eq!(region_of("vpce-0a-1b.bedrock-runtime.us-east-1.vpce.amazonaws.com"), Some("us-east-1"));
        assert_eq!(region_of("bedrock-runtime.cn-north-1.amazonaws.com.cn"), Some("cn-north-1"));
        assert_eq!(region_of("localhost"), None);
        assert_eq!(region_of("gateway-1.example.com"), None);
    }
}
