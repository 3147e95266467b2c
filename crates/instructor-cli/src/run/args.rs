//! The arguments of `instructor run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use instructor::Money;

use crate::args::{Asking, Costs, Limits, Whom, after};

const EXAMPLES: &str = "\
  instructor run tickets.jsonl --schema ticket.json -o out.jsonl
  instructor run mails.csv --schema ticket.json --column body --key id -o out.csv --concurrency 256
  instructor run docs.jsonl --schema '{\"type\": \"string\"}' --template 'Title of: {text}' --max-cost 5 -o titles.jsonl
  instructor run tickets.jsonl --schema ticket.json -o out.jsonl --retry-errors";

/// Ask a model for each row of a file, and write a row for each.
///
/// The output has a line for each row that is done, in the order in which they are; `--errors` has one for each that
/// failed. The same command again goes on where it ended, however it ended: what is in the output is not paid for again.
#[derive(Debug, Args)]
#[command(after_help = after(EXAMPLES))]
pub(crate) struct Run {
    /// The rows: JSON lines, CSV with a head, or Parquet; standard input if `-`, which can't be looked at twice
    pub(crate) input: PathBuf,

    /// What to extract: a file with a JSON Schema, or the schema itself if it begins with `{`
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) schema: PathBuf,

    /// The form of the rows, if the file's name does not say it
    #[arg(long, value_name = "FORMAT", help_heading = "Rows")]
    pub(crate) input_format: Option<Format>,

    /// The column that has the text [default: the whole row, as JSON]
    #[arg(long, value_name = "NAME", conflicts_with = "template", help_heading = "Rows")]
    pub(crate) column: Option<String>,

    /// The text, with `{column}` for what a column has, and `{{`, `}}` for braces; or a file with it
    #[arg(long, value_name = "TEXT|FILE", help_heading = "Rows")]
    pub(crate) template: Option<String>,

    /// A column that is copied to the output as "key", beside the row's number
    #[arg(long, value_name = "NAME", help_heading = "Rows")]
    pub(crate) key: Option<String>,

    /// Only the first rows of the input; without it the same command does the others
    #[arg(long, value_name = "N", help_heading = "Rows")]
    pub(crate) max_rows: Option<u64>,

    #[command(flatten)]
    pub(crate) whom: Whom,

    /// Whom to ask for a row when the one before has failed; can be repeated
    #[arg(long, value_name = "SPEC", help_heading = "Provider")]
    pub(crate) fallback: Vec<String>,

    #[command(flatten)]
    pub(crate) asking: Asking,

    #[command(flatten)]
    pub(crate) limits: Limits,

    /// How many rows are asked at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub(crate) concurrency: u32,

    /// At most so many calls, such as 20/s or 500/m; what the provider says and refuses is learnt in any case
    #[arg(long, value_name = "N/s|N/m", value_parser = rate, help_heading = "Limits")]
    pub(crate) rate: Option<Rate>,

    /// At most so many tokens in a minute
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) tokens_per_minute: Option<u64>,

    /// Begin no further row when this many dollars are spent; needs a known price [default: none]
    #[arg(long, value_name = "USD", help_heading = "Limits")]
    pub(crate) max_cost: Option<Money>,

    /// Begin no further row when so many have failed [default: none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Limits")]
    pub(crate) max_errors: Option<u64>,

    #[command(flatten)]
    pub(crate) costs: Costs,

    /// Where the rows go: JSON lines, or CSV or Parquet if it is named so
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: PathBuf,

    /// Where rows go that failed [default: the output's name and .errors.jsonl]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) errors: Option<PathBuf>,

    /// Add to each row what it used and cost
    #[arg(long, help_heading = "Output")]
    pub(crate) with_usage: bool,

    /// Write the rows in the order of the input
    #[arg(long, help_heading = "Output")]
    pub(crate) in_order: bool,

    /// Ask again for the rows that failed
    #[arg(long, help_heading = "Output")]
    pub(crate) retry_errors: bool,

    /// Throw away an output that is there already
    #[arg(long, conflicts_with = "retry_errors", help_heading = "Output")]
    pub(crate) overwrite: bool,

    /// Print the request for the first row instead of sending any, with the key masked; needs no key
    #[arg(long, help_heading = "Output")]
    pub(crate) dry_run: bool,

    /// Show no progress
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Print a summary as JSON at the end
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A JSON value on each line
    Jsonl,
    /// Comma-separated values, with the names of the columns first
    Csv,
    /// Apache Parquet, in builds that have it
    Parquet,
}

/// So many in a second, or in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) calls: u64,
    pub(crate) each: Duration,
}

fn rate(text: &str) -> Result<Rate, String> {
    let wrong = || String::from("write a number of calls and a time: 20/s, 500/m");
    let (calls, unit) = text.split_once('/').ok_or_else(wrong)?;
    let each = match unit {
        "s" => Duration::from_secs(1),
        "m" | "min" => Duration::from_secs(60),
        _ => return Err(wrong()),
    };
    let calls = calls.trim().parse().ok().filter(|&calls| calls > 0).ok_or_else(wrong)?;
    Ok(Rate { calls, each })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_calls_in_a_time() {
        assert_eq!(rate("20/s"), Ok(Rate { calls: 20, each: Duration::from_secs(1) }));
        assert_eq!(rate("500/m"), Ok(Rate { calls: 500, each: Duration::from_secs(60) }));
        for text in ["", "20", "0/s", "-1/s", "1.5/s", "20/h", "s/20"] {
            assert!(rate(text).unwrap_err().contains("500/m"), "{text}");
        }
    }
}
