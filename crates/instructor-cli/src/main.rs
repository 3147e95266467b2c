//! `instructor`: JSON that fits a schema, out of text, on the command line.

mod args;
mod batch;
mod config;
mod decode;
mod doctor;
mod exit;
mod extract;
mod failure;
mod input;
mod output;
mod parse;
mod providers;
mod rows;
mod run;
mod schema;
mod secret;
mod settings;
mod shell;
mod target;
mod tuning;
mod usage;

use std::process::ExitCode;

use clap::FromArgMatches;

use crate::args::{Cli, Command};
use crate::config::Said;
use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    let matches = match config::matches(args::command()) {
        Ok(matches) => matches,
        Err(Said::Clap(said)) => {
            // Help and version come this way too. A reader that has left is no reason to fail.
            _ = said.print();
            return if said.use_stderr() { Exit::Setup.into() } else { ExitCode::SUCCESS };
        }
        Err(Said::Failure(failure, json)) => return failed(&failure, json),
    };
    let json = config::wants_json(&matches);
    let done = match Cli::from_arg_matches(&matches) {
        Ok(cli) => ran(&cli.command),
        Err(said) => Err(Failure::setup(said.to_string())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure, json),
    }
}

fn ran(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Extract(args) => extract::run(args),
        Command::Run(args) => run::run(args),
        Command::Batch(args) => batch::run(args),
        Command::Files(args) => tuning::files(args),
        Command::Jobs(args) => tuning::jobs(args),
        Command::Parse(args) => parse::run(args),
        Command::Decode(args) => decode::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Providers(args) => providers::run(args),
        Command::Usage(args) => usage::run(args),
        Command::Config(args) => config::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Manual(args) => shell::manual(args),
    }
}

fn failed(failure: &Failure, json: bool) -> ExitCode {
    output::say(&if json { failure.json().to_string() } else { failure.to_string() });
    failure.exit().into()
}
