//! In place of Parquet, where it was not built in.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

const WHY: &str = "this build reads and writes no Parquet: cargo install instructor-cli --features parquet";

pub(crate) struct Table {
    pub(crate) line: String,
}

impl Table {
    pub(crate) fn open(_: &Path) -> io::Result<Self> {
        Err(io::Error::other(WHY))
    }

    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        Ok(false)
    }
}

pub(crate) fn count(path: &Path) -> Result<u64, Failure> {
    Err(failure(path))
}

pub(crate) fn write(_: &Path, output: &Path, _: &Value, _: bool, _: bool) -> Result<(), Failure> {
    Err(failure(output))
}

fn failure(path: &Path) -> Failure {
    Failure::new(Exit::Setup, format!("{}: {WHY}", path.display()))
}
