//! `cargo xtask gen`: what documents say of the table of providers, from the table.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

const BEGIN: &str = "<!-- providers:begin -->";
const END: &str = "<!-- providers:end -->";

/// Writes README's table anew.
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
    Ok(())
}
