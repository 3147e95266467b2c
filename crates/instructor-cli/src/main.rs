//! `instructor`: JSON that fits a schema, out of text, on the command line.

mod args;
mod batch;
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
mod target;
mod tuning;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => {
            // Help and version come this way too. A reader that has left is no reason to fail.
            _ = said.print();
            return if said.use_stderr() { Exit::Setup.into() } else { ExitCode::SUCCESS };
        }
    };
    let done = match &cli.command {
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
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::say(&failure.to_string());
            failure.exit().into()
        }
    }
}
