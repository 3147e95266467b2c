//! What comes in: the text and the schema.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use instructor::Contract;
use serde_json::Value;

use crate::failure::Failure;
use crate::output;

/// The text to extract from, from a file or from standard input.
pub(crate) fn text(file: Option<&Path>) -> Result<String, Failure> {
    let (bytes, name) = match file.filter(|file| *file != Path::new("-")) {
        Some(file) => (fs::read(file).map_err(|e| unread(file, &e))?, file.display().to_string()),
        None => (from_stdin()?, String::from("standard input")),
    };
    let text = utf8(bytes, &name)?;
    if text.trim().is_empty() {
        return Err(Failure::unexpected(format!("{name} is empty: there is nothing to extract from")));
    }
    Ok(text)
}

/// The bytes of a file or of standard input.
pub(crate) fn bytes(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match file.filter(|file| *file != Path::new("-")) {
        Some(file) => fs::read(file).map_err(|e| unread(file, &e)),
        None => from_stdin(),
    }
}

fn from_stdin() -> Result<Vec<u8>, Failure> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        output::say("Reading the text from the terminal; end it with Ctrl-D.");
    }
    let mut bytes = Vec::new();
    match stdin.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::unexpected(format!("standard input can't be read: {error}"))),
    }
}

/// A JSON Schema from a file or from standard input.
pub(crate) fn json(file: Option<&Path>) -> Result<Value, Failure> {
    serde_json::from_str(&text(file)?).map_err(|e| Failure::setup(format!("the schema is not JSON: {e}")))
}

/// The contract of a schema that is given inline or in a file.
pub(crate) fn contract(schema: &Path) -> Result<Contract, Failure> {
    let inline = schema.to_str().filter(|text| text.trim_start().starts_with('{'));
    let (text, name) = match inline {
        Some(text) => (String::from(text), String::from("the inline schema")),
        None if schema == Path::new("-") => {
            let hint = "name a file, or give the schema itself, as in --schema '{\"type\": \"object\", ..}'";
            return Err(Failure::setup("the schema can't come from standard input: the text does").hint(hint));
        }
        None => {
            let name = schema.display().to_string();
            (utf8(fs::read(schema).map_err(|e| unread(schema, &e))?, &name)?, name)
        }
    };
    // serde_json says line and column.
    let schema: Value = serde_json::from_str(&text).map_err(|e| Failure::setup(format!("{name} is not JSON: {e}")))?;
    Contract::from_schema(schema).map_err(|e| Failure::from_kind(e.kind(), format!("{name}: {e}")))
}

fn unread(file: &Path, error: &io::Error) -> Failure {
    Failure::unexpected(format!("{} can't be read: {error}", file.display()))
}

/// The bytes as text, without the byte order mark that some editors put in front.
fn utf8(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Err(Failure::unexpected(format!("{name} is not UTF-8 text (at byte {at})"))
                .hint("convert it first, for example with iconv"))
        }
    }
}
