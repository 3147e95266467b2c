//! `cargo xtask gen`: what documents say of the table of providers, from the table, and of Python's, from data.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tidy::python;

const BEGIN: &str = "<!-- providers:begin -->";
const END: &str = "<!-- providers:end -->";

/// Writes README's table anew, and those of Python's modes and providers.
pub(crate) fn generate(root: &Path) -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["run", "--quiet", "-p", "instructor-cli", "--", "providers", "--markdown"];
    let ran = Command::new(cargo).args(arguments).current_dir(root).output()?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).into());
    }
    let table = String::from_utf8(ran.stdout)?;
    let path = root.join("README.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("README.md has no providers:begin")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no providers:end")?;
    fs::write(path, format!("{before}{BEGIN}\n{}\n{END}{after}", table.trim_end()))?;

    let [modes, providers] = [python::MODES, python::PROVIDERS].map(|path| fs::read_to_string(root.join(path)));
    let path = root.join(python::DOCUMENT);
    let text = fs::read_to_string(&path)?;
    let text = python::with_tables(&text, &python::tables(&modes?, &providers?));
    fs::write(path, text.ok_or("COMPATIBILITY.md has no python:begin")?)?;
    Ok(())
}
