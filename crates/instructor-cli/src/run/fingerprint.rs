//! What an output was made with, in a small file beside it: another run goes on with it only if that is the same.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};

use super::file::unwritten;
use super::source::{self, Survey};
use crate::failure::Failure;

/// Texts are kept as hashes, so that no prompt stands in the file.
#[derive(Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Fingerprint {
    /// Of the file's own form.
    version: u32,
    /// None for standard input, which can't be looked at before it is read.
    input: Option<Input>,
    /// By what differs when they do.
    settings: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Input {
    /// How long the input was when the output was begun. What was added since is worked on too.
    bytes: u64,
    sha256: String,
}

const VERSION: u32 = 1;

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    pub(crate) fn input(mut self, survey: &Survey) -> Self {
        self.input = Some(Input { bytes: survey.bytes, sha256: survey.hash.clone() });
        self
    }

    /// Something short that is no secret.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(String::from(name), value.into());
        self
    }

    /// Something of which only a hash is kept.
    pub(crate) fn with_hash(self, name: &str, text: &str) -> Self {
        let hash = Hash::hash(text.as_bytes());
        let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.with(name, hash)
    }

    /// The one that is there already.
    pub(crate) fn read(output: &Path) -> Result<Option<Self>, Failure> {
        let path = path(output);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|e| source::unread(&path, &e))?,
        };
        let found: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::setup(format!("{} can't be read: {error}", path.display())).hint("begin anew with --overwrite")
        })?;
        if found.version == VERSION {
            return Ok(Some(found));
        }
        Err(Failure::setup(format!("{} is of another version of `instructor`", path.display()))
            .hint("finish it with that version, or begin anew with --overwrite"))
    }

    /// How much of the input it speaks of.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.input.as_ref().map(|input| input.bytes)
    }

    /// What another differs in.
    pub(crate) fn differences<'f>(&'f self, other: &'f Self) -> Vec<&'f str> {
        let names = self.settings.keys().chain(other.settings.keys());
        let mut names: Vec<&str> =
            names.map(String::as_str).filter(|&name| self.settings.get(name) != other.settings.get(name)).collect();
        if self.input != other.input {
            names.push("the input");
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Written before the first row is asked for, and whole or not at all.
    pub(crate) fn write(&self, output: &Path) -> Result<(), Failure> {
        let path = path(output);
        let new = path.with_extension("run.new");
        let text = serde_json::to_string_pretty(self).map_err(io::Error::from);
        let written = text.and_then(|text| fs::write(&new, text + "\n")).and_then(|()| fs::rename(&new, &path));
        written.map_err(|e| unwritten(&path, &e))
    }
}

/// `out.jsonl.run` for `out.jsonl`.
pub(crate) fn path(output: &Path) -> PathBuf {
    super::beside(output, ".run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_no_text_is_kept() {
        let survey = |bytes| Survey { bytes, hash: String::from("00"), rows: 1 };
        let one = Fingerprint::new().with("the model", "openai/a").with_hash("the prompt", "SECRET").input(&survey(1));
        let two = Fingerprint::new().with("the model", "openai/b").with_hash("the prompt", "SECRET").input(&survey(2));
        assert_eq!(one.differences(&two), ["the input", "the model"]);
        let output = std::env::temp_dir().join(format!("instructor-fingerprint-{}", std::process::id()));
        assert_eq!(Fingerprint::read(&output).unwrap(), None);
        one.write(&output).unwrap();
        assert_eq!(Fingerprint::read(&output).unwrap().unwrap(), one);
        assert!(!fs::read_to_string(path(&output)).unwrap().contains("SECRET"));
        fs::write(path(&output), "{\"version\": 2, \"settings\": {}}").unwrap();
        assert!(Fingerprint::read(&output).unwrap_err().to_string().contains("another version"));
        fs::remove_file(path(&output)).unwrap();
    }
}
