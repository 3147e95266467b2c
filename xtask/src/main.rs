//! Checks and chores of this workspace: `cargo xtask tidy`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod api;
mod generate;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask tidy [--offline-ok] [--verbose]
       cargo xtask gen
       cargo xtask api [--update]

  tidy            checks the invariants of DESIGN.md; prints `path:line: message (rule)`, fails on any finding
    --offline-ok  asks cargo for the dependency tree without the network; crates that are missing are a finding
    --verbose     also prints what each rule found, and the median file length
  gen             writes README's table of providers anew, from the rows, and COMPATIBILITY's tables, from data
  api             compares the public API with crates/instructor/public-api.txt; fails where they differ
    --update      writes that file";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let mut options = tidy::Options::default();
    let mut update = false;
    for argument in arguments {
        match argument.as_str() {
            "--offline-ok" => options.offline = true,
            "--verbose" => options.verbose = true,
            "--update" => update = true,
            other => return usage(&format!("unknown option `{other}`")),
        }
    }
    match command.as_deref() {
        Some("tidy") => tidy(options),
        Some("gen") => match root().map_err(Into::into).and_then(|root| generate::generate(&root)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        Some("api") => api(update),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Some(other) => usage(&format!("unknown command `{other}`")),
        None => usage("a command is missing"),
    }
}

fn api(update: bool) -> ExitCode {
    let seen = root().map_err(Into::into).and_then(|root| api::look(&root, update));
    match seen {
        Ok(api::Seen::Same) => ExitCode::SUCCESS,
        Ok(api::Seen::Unreadable(why)) => {
            println!("api: SKIPPED, this toolchain's rustdoc can't be read: {why}");
            ExitCode::SUCCESS
        }
        Ok(api::Seen::Differs(changes)) => {
            for change in changes {
                println!("{change}");
            }
            eprintln!(
                "api: not what is kept; if it is meant so, run `cargo xtask api --update` and tell it in CHANGELOG.md"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("error: {problem}\n\n{USAGE}");
    ExitCode::from(2)
}

fn tidy(options: tidy::Options) -> ExitCode {
    let root = match root() {
        Ok(root) => root,
        Err(error) => return usage(&error),
    };
    let report = match tidy::run(&root, options) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {}: {error}", root.display());
            return ExitCode::FAILURE;
        }
    };
    for line in &report.notes {
        println!("{line}");
    }
    for finding in &report.findings {
        println!("{finding}");
    }
    if report.findings.is_empty() {
        println!("tidy: {} rules, {} files, nothing found", report.rules, report.files);
        ExitCode::SUCCESS
    } else {
        eprintln!("tidy: {} finding(s)", report.findings.len());
        ExitCode::FAILURE
    }
}

/// Asked at run time, not at compile time: two checkouts may share a target directory.
fn root() -> Result<PathBuf, String> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run it through cargo: `cargo xtask tidy`")?;
    let parent = PathBuf::from(own).parent().map(PathBuf::from);
    parent.ok_or_else(|| "the xtask package has no folder above it".to_owned())
}
