//! The arguments of `instructor batch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::args::{Asking, Costs, Limits, Whom, after, duration};
use crate::run::args::Format;

const EXAMPLES: &str = "\
  instructor batch create tickets.jsonl --schema ticket.json --provider openai/gpt-5-mini --key id
  instructor batch submit tickets.batch.json
  instructor batch status tickets.batch.json --wait
  instructor batch fetch tickets.batch.json
  instructor batch retry tickets.batch.json --live
  instructor batch cancel tickets.batch.json
  instructor batch list --provider anthropic/claude-haiku-4-5";

/// Ask for all rows of a file at once, for half the price, to be answered within a day: providers' batches.
///
/// Each step is a command of its own and can be taken on another day. What is known is in a job file beside the rows
/// (`tickets.jsonl`: `tickets.batch.json`), and beside it the requests, the results as they came, the values
/// (`tickets.batch.out.jsonl`) and what has failed (`tickets.batch.failed.jsonl`).
#[derive(Debug, Args)]
#[command(after_help = after(EXAMPLES))]
pub(crate) struct Batch {
    #[command(subcommand)]
    pub(crate) step: Step,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Step {
    Create(Box<Create>),
    Submit(Submit),
    Status(Status),
    Fetch(Box<Fetch>),
    Retry(Box<Retry>),
    Cancel(Cancel),
    List(List),
}

/// Write the requests and the job file. Nothing is sent, and no key is needed.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The rows: JSON lines, or CSV with a head
    pub(crate) rows: PathBuf,

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

    /// The column that has the id of a row [default: its number]
    #[arg(long, value_name = "NAME", help_heading = "Rows")]
    pub(crate) key: Option<String>,

    #[command(flatten)]
    pub(crate) whom: Whom,

    #[command(flatten)]
    pub(crate) asking: Asking,

    /// At most so many requests in one batch of the provider's [default: as many as it takes]
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true, help_heading = "Limits")]
    pub(crate) part: u64,

    /// The job file [default: the rows' name and .batch.json]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Throw away a job that is there already
    #[arg(long, help_heading = "Output")]
    pub(crate) overwrite: bool,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Hand the requests to the provider. What is submitted is noted part by part, so that the same command goes on after an error.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The job file
    pub(crate) job: PathBuf,

    /// As JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ask how far a batch is.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The job file
    pub(crate) job: PathBuf,

    /// Wait until it is over
    #[arg(long)]
    pub(crate) wait: bool,

    /// With --wait: the time between two looks, such as 30, 5m
    #[arg(long, value_name = "SECS", value_parser = duration, default_value = "60")]
    pub(crate) every: Duration,

    /// As JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Get the results, and read them: a line for each value, and one for each row that failed.
///
/// Results are downloaded once and kept; the same command again reads them again, without a key.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// The job file
    pub(crate) job: PathBuf,

    /// Where the values go [default: the job's name and .out.jsonl]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) costs: Costs,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Ask again for the rows that failed, with what was wrong with their answers: as the next batch, or live.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// The job file of the batch whose results were fetched
    pub(crate) job: PathBuf,

    /// Ask now, at the usual price, and add the values to those of the batch
    #[arg(long)]
    pub(crate) live: bool,

    /// With --live: where the values are [default: the job's name and .out.jsonl]
    #[arg(short, long, value_name = "FILE", requires = "live", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// With --live: how many rows are asked at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub(crate) concurrency: u32,

    #[command(flatten)]
    pub(crate) limits: Limits,

    #[command(flatten)]
    pub(crate) costs: Costs,

    /// Throw away a job that is there already
    #[arg(long, help_heading = "Output")]
    pub(crate) overwrite: bool,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Cancel what is not over of a batch: by its job file, or by the provider's id.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The job file
    #[arg(required_unless_present = "id")]
    pub(crate) job: Option<PathBuf>,

    /// The provider's id of a batch
    #[arg(long, value_name = "ID", conflicts_with = "job")]
    pub(crate) id: Option<String>,

    #[command(flatten)]
    pub(crate) whom: Whom,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// List the batches that the provider has.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) whom: Whom,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}
