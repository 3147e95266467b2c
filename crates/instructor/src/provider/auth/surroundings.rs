//! The machine that a program runs on, as far as credentials lie about there.

use std::path::{Path, PathBuf};

/// Variables and files. Tests have one of their own.
pub(crate) trait Surroundings: Send + Sync {
    /// A variable of the environment; empty counts as unset.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file.
    fn file(&self, path: &Path) -> Option<String>;

    fn home(&self) -> Option<PathBuf>;
}

/// The real one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine;

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().map(|v| String::from(v.trim())).filter(|v| !v.is_empty())
    }

    fn file(&self, path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }
}

/// One that holds what it is told to, below the home `/home/me`. Clones share it.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Pretend(std::sync::Arc<std::sync::Mutex<Held>>);

#[cfg(test)]
#[derive(Debug, Default)]
struct Held {
    variables: std::collections::BTreeMap<String, String>,
    files: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
impl Pretend {
    pub(crate) fn with(self, variable: &str, value: impl Into<String>) -> Self {
        self.0.lock().unwrap().variables.insert(String::from(variable), value.into());
        self
    }

    pub(crate) fn with_file(self, path: &str, text: impl Into<String>) -> Self {
        self.0.lock().unwrap().files.insert(String::from(path), text.into());
        self
    }
}

#[cfg(test)]
impl Surroundings for Pretend {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap().variables.get(name).cloned()
    }

    fn file(&self, path: &Path) -> Option<String> {
        self.0.lock().unwrap().files.get(&path.to_str()?.replace('\\', "/")).cloned()
    }

    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/me"))
    }
}
