//! What a call costs, against hand-written code for the same call, measured in the same run. See README.md.

macro_rules! model {
    ($($item:item)*) => { $(#[derive(PartialEq, serde::Deserialize, schemars::JsonSchema, instructor::ResponseModel)] $item)* };
}

mod codec;
mod compile;
mod exchange;
mod floor;
mod floor_blocking;
mod measure;
mod order;
mod parse;
mod quotes;
mod readers;
mod report;
mod rows;
mod server;
mod streams;
mod table;
#[cfg(test)]
mod tests;
mod texts;
mod usage;
mod workload;

use std::error::Error;

use clap::{Parser, Subcommand};

/// What a call costs, against hand-written code for the same call; all of it unless a part is named.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Part>,
    #[command(flatten)]
    options: report::Options,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Measures everything but compiling
    Report(report::Options),
    /// Measures how fast text is read, against serde_json and others
    Parse(report::Options),
    /// Measures lowering of schemas and lifting of answers
    Codec(report::Options),
    /// Measures how fast quotes are found in 1 MB of source
    Quotes(report::Options),
    /// Measures answers that arrive: partials after each delta
    Streams {
        #[command(flatten)]
        options: report::Options,
        /// A row a protocol, and no more
        #[arg(long)]
        wires: bool,
    },
    /// Measures `instructor run`: many rows, many at a time, against a loop by hand
    Rows {
        #[command(flatten)]
        options: report::Options,
        #[command(flatten)]
        file: rows::Load,
    },
    /// The loop by hand of `rows`
    #[command(hide = true)]
    RowsFloor(rows::Floor),
    /// Does the work of one side, and tells what it took
    Run {
        side: workload::Side,
        #[command(flatten)]
        load: workload::Load,
        /// The base URL of a server; without, one is started
        #[arg(long)]
        url: Option<String>,
    },
    /// Answers as a provider, until its standard input ends
    Server,
    /// Builds two small programs from nothing, in some minutes: CPU time and size
    Compile,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    match arguments.command.unwrap_or(Part::Report(arguments.options)) {
        Part::Report(options) => report::report(options),
        Part::Parse(options) => parse::parse(options),
        Part::Codec(options) => codec::codec(options),
        Part::Quotes(options) => quotes::quotes(options),
        Part::Streams { options, wires } => streams::streams(options, wires),
        Part::Run { side, load, url } => {
            println!("{}", serde_json::to_string(&workload::run(side, load, url)?)?);
            Ok(())
        }
        Part::Rows { options, file } => rows::rows(options, file),
        Part::RowsFloor(floor) => rows::floor(floor),
        Part::Server => Ok(server::serve()?),
        Part::Compile => compile::compile(),
    }
}
