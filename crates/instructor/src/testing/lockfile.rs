use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cassette::{Asked, Known, Raw, Redaction, is_ci};
use super::diff::differences;
use super::script::Sent;
use crate::error::Error;
use crate::provider::auth;
use crate::request::Preview;

/// The variable that lets files be written.
const VARIABLE: &str = "INSTRUCTOR_LOCKFILES";

/// The exact requests that code sends, pinned in a file: method, address and body, without secrets. A new version of this
/// library, another schema or another prompt that changes them shows as a difference, in a failing test and in review, before
/// it changes what a model is asked.
///
/// The file is written where it is not there, and anew by `INSTRUCTOR_LOCKFILES=update cargo test`; in CI it is never written. One
/// test has one file.
///
/// ```
/// use instructor::testing::{Lockfile, Script};
///
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
///
/// # let path = std::env::temp_dir().join(format!("instructor-lockfile-{}.json", std::process::id()));
/// # std::fs::write(&path, r#"{ "user": [] }"#)?;
/// # for step in ["write", "compare"] {
/// # if step == "write" { std::fs::remove_file(&path)?; if std::env::var("CI").is_ok() { return Ok(()); } }
/// // let path = "tests/requests.lock.json";
/// let mut lock = Lockfile::open(&path)?;
/// let client = Script::new().client("openai/gpt-5-mini");
/// lock.pin("user", &client.request("Ada is 36").preview::<User>()?);
/// lock.assert_same();
/// # }
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Lockfile {
    path: PathBuf,
    rules: Redaction,
    /// What the file has; none if there is no file.
    held: Option<Pins>,
    pinned: Pins,
    updates: bool,
}

/// Requests by their name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Pins(BTreeMap<String, Vec<Asked>>);

impl Lockfile {
    /// The file, which need not be there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is another file; if there is none in CI; for another word than
    /// `update` in the environment, and for that in CI.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let word = auth::variable(VARIABLE);
        Self::open_for(path.into(), word.as_deref(), is_ci(auth::variable("CI").as_deref()))
    }

    fn open_for(path: PathBuf, word: Option<&str>, ci: bool) -> Result<Self, Error> {
        let updates = match word {
            None => false,
            Some("update") if !ci => true,
            Some("update") => {
                return Err(Error::config(format!(
                    "{VARIABLE}=update in CI: update where you work, and commit the file"
                )));
            }
            Some(other) => return Err(Error::config(format!("{VARIABLE} is {other:?}; it can be update"))),
        };
        let shown = path.display();
        let held = match fs::read_to_string(&path) {
            Ok(text) => Some(serde_json::from_str(&text).map_err(|error| {
                Error::config(format!(
                    "{shown} is no lockfile of requests ({error}); delete it, and it is written anew"
                ))
            })?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !ci => None,
            Err(error) => {
                return Err(Error::config(format!(
                    "{shown} can't be read ({error}); run the test where you work, and commit the file"
                )));
            }
        };
        Ok(Self { path, rules: Redaction::new(), held, pinned: Pins::default(), updates })
    }

    /// With more that is left out.
    #[must_use]
    pub fn with_redaction(mut self, rules: Redaction) -> Self {
        self.rules = rules;
        self
    }

    /// Pins a request that would be sent.
    pub fn pin(&mut self, name: &str, preview: &Preview) {
        self.add(name, Raw::of(preview.request()));
    }

    /// Pins the requests that a script got, in their order: re-asks, and whatever else a run is made of.
    pub fn pin_sent(&mut self, name: &str, sent: &[Sent]) {
        for sent in sent {
            self.add(name, sent.raw());
        }
    }

    fn add(&mut self, name: &str, raw: Raw) {
        let mut known = Known::default();
        raw.learn(&mut known);
        let asked = raw.asked(&self.rules, &known);
        self.pinned.0.entry(String::from(name)).or_default().push(asked);
    }

    /// How the requests differ from those in the file, line by line; nothing if they don't.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let Some(held) = &self.held else { return Vec::new() };
        let value = |pins: &Pins| -> Value {
            let requests = |asked: &Vec<Asked>| asked.iter().map(Asked::value).collect::<Value>();
            pins.0.iter().map(|(name, asked)| (name.clone(), requests(asked))).collect()
        };
        differences(&value(held), &value(&self.pinned))
    }

    /// Asks that all requests are those in the file, or writes it where that is allowed.
    ///
    /// # Panics
    ///
    /// If they are not, with what differs (it shows text of prompts), or if the file can't be written.
    #[track_caller]
    #[expect(clippy::panic, reason = "it is an assertion")]
    pub fn assert_same(self) {
        let path = self.path.display();
        let differences = self.differences();
        if self.held.is_none() || (self.updates && !differences.is_empty()) {
            if let Err(error) = self.write() {
                panic!("{path} can't be written: {error}");
            }
        } else if !differences.is_empty() {
            panic!(
                "requests are not those in {path} (pinned -> now):\n  {}\nif that is meant, run it again with {VARIABLE}=update, and commit the file",
                differences.join("\n  ")
            );
        }
    }

    fn write(&self) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut text = serde_json::to_string_pretty(&self.pinned)?;
        text.push('\n');
        fs::write(&self.path, text)
    }
}

impl fmt::Debug for Lockfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pinned: Vec<&String> = self.pinned.0.keys().collect();
        f.debug_struct("Lockfile").field("path", &self.path).field("pinned", &pinned).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_written_where_it_may_be() {
        let path = std::env::temp_dir().join(format!("instructor-lock-{}.json", std::process::id()));
        let open = |word, ci| Lockfile::open_for(path.clone(), word, ci).map_err(|error| error.to_string());
        let sent = |body: &str| {
            let request = http::Request::post("https://a.example/v1?key=0123456789").header("x-api-key", "0123456789");
            Raw::of(&request.body(bytes::Bytes::from(String::from(body))).unwrap())
        };
        let pinned = |mut lock: Lockfile, body| {
            lock.add("one", sent(body));
            lock
        };
        assert!(open(None, true).unwrap_err().contains("commit the file"));
        assert!(open(Some("update"), true).unwrap_err().contains("in CI"));
        assert!(open(Some("all"), false).unwrap_err().contains("can be update"));
        pinned(open(None, false).unwrap(), "{\"a\":1}").assert_same();
        assert!(!fs::read_to_string(&path).unwrap().contains("0123456789"));
        pinned(open(None, true).unwrap(), "{ \"a\": 1 }").assert_same();

        let changed = pinned(open(None, false).unwrap(), "{\"a\":2}");
        assert_eq!(changed.differences(), ["$.one[0].body.a: 1 -> 2"]);
        let message = std::panic::catch_unwind(|| changed.assert_same()).unwrap_err();
        assert!(message.downcast_ref::<String>().unwrap().contains("INSTRUCTOR_LOCKFILES=update"));
        pinned(open(Some("update"), false).unwrap(), "{\"a\":2}").assert_same();
        pinned(open(None, false).unwrap(), "{\"a\":2}").assert_same();
        // What is not asked for any more is told too.
        assert!(open(None, false).unwrap().differences()[0].starts_with("$.one: "));
        fs::write(&path, "[1]").unwrap();
        assert!(open(None, false).unwrap_err().contains("no lockfile"));
        fs::remove_file(&path).unwrap();
    }
}
