//! The arguments of `instructor files` and `instructor jobs`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::args::{Whom, after, duration};

const EXAMPLES: &str = "\
  instructor files upload lessons.jsonl --provider openai/gpt-5-mini
  instructor files list --provider openai/gpt-5-mini
  instructor files status file-1 --provider openai/gpt-5-mini
  instructor files download file-1 copy.jsonl --provider openai/gpt-5-mini
  instructor files delete file-1 --provider openai/gpt-5-mini
  instructor jobs list --provider openai/gpt-5-mini
  instructor jobs create lessons.jsonl --suffix tickets --wait --provider openai/gpt-5-mini
  instructor jobs status ftjob-1 --provider openai/gpt-5-mini
  instructor jobs cancel ftjob-1 --provider openai/gpt-5-mini";

/// The files that a provider keeps: for fine-tuning and batches, in the form that OpenAI has.
#[derive(Debug, Args)]
#[command(after_help = after(EXAMPLES))]
pub(crate) struct Files {
    #[command(subcommand)]
    pub(crate) step: FilesStep,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilesStep {
    /// Upload a file
    Upload {
        /// The file
        file: PathBuf,

        /// What it is for: a word of the provider's
        #[arg(long, value_name = "WORD", default_value = "fine-tune")]
        purpose: String,

        #[command(flatten)]
        at: At,
    },
    /// List the files
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show what the provider says of a file
    Status {
        /// The provider's id of it
        id: String,

        #[command(flatten)]
        at: At,
    },
    /// Write what is in a file to another
    Download {
        /// The provider's id of it
        id: String,

        /// Where it goes
        output: PathBuf,

        #[command(flatten)]
        at: At,
    },
    /// Delete a file
    Delete {
        /// The provider's id of it
        id: String,

        #[command(flatten)]
        at: At,
    },
}

/// Fine-tuning: jobs that make a model of a file of lessons, in the form that OpenAI has.
#[derive(Debug, Args)]
#[command(after_help = after(EXAMPLES))]
pub(crate) struct Jobs {
    #[command(subcommand)]
    pub(crate) step: JobsStep,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsStep {
    Create(Box<Create>),
    /// List the last jobs
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: u32,

        #[command(flatten)]
        at: At,
    },
    /// Show how far a job is
    Status {
        /// The provider's id of it
        id: String,

        #[command(flatten)]
        wait: Waiting,

        #[command(flatten)]
        at: At,
    },
    /// Cancel a job
    Cancel {
        /// The provider's id of it
        id: String,

        #[command(flatten)]
        at: At,
    },
}

/// Begin a job with a file of lessons: one here, which is uploaded, or one that is there, by its id. The model is that of
/// --provider.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The lessons: a file, or the provider's id of one
    pub(crate) file: String,

    /// What it is measured by: a file, or the provider's id of one
    #[arg(long, value_name = "FILE|ID")]
    pub(crate) validation_file: Option<String>,

    /// A text in the name of the model that comes of it
    #[arg(long, value_name = "TEXT")]
    pub(crate) suffix: Option<String>,

    /// How often the lessons are gone through
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u32>,

    /// How many lessons are learnt from in one step
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<u32>,

    /// How much is learnt in one step, as a factor of what the provider would choose
    #[arg(long, value_name = "X")]
    pub(crate) learning_rate_multiplier: Option<f64>,

    #[command(flatten)]
    pub(crate) wait: Waiting,

    #[command(flatten)]
    pub(crate) at: At,
}

// No doc comment on these: it would take the place of the command's own.

#[derive(Debug, Args)]
pub(crate) struct Waiting {
    /// Wait until it is over
    #[arg(long)]
    pub(crate) wait: bool,

    /// With --wait: the time between two looks, such as 30, 5m
    #[arg(long, value_name = "SECS", value_parser = duration, default_value = "30")]
    pub(crate) every: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct At {
    #[command(flatten)]
    pub(crate) whom: Whom,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}
