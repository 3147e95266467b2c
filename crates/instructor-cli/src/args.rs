//! The arguments, and what `--help` says of them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use instructor::schema::Dialect;
use instructor::{Level, Mode, Money, Reasoning, RepairKind};
use serde_json::Value;

use crate::batch::args::Batch;
use crate::exit;
use crate::run::args::Run;
use crate::tuning::args::{Files, Jobs};

const EXAMPLES: &str = "\
  instructor extract --provider openai/gpt-5-mini --schema ticket.json mail.txt
  instructor run tickets.jsonl --schema ticket.json -o out.jsonl --concurrency 64
  instructor batch create tickets.jsonl --schema ticket.json --provider openai/gpt-5-mini
  instructor parse --schema ticket.json --level lenient answer.txt
  instructor schema --for openai --losses ticket.json
  instructor decode --provider anthropic response.json
  instructor doctor --provider llamacpp --model qwen3 --base-url http://localhost:8080/v1
  instructor providers
  instructor usage --by model,label ledger.jsonl
  instructor config";

/// What stands at the end of a command's help.
pub(crate) fn after(examples: &str) -> String {
    format!("Examples:\n{examples}\n\n{}", exit::HELP)
}

/// JSON that fits a schema, out of text, from a language model.
#[derive(Debug, Parser)]
#[command(name = "instructor", version, arg_required_else_help = true, after_help = after(EXAMPLES))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All commands. Those within another have its examples, if they have none of their own.
pub(crate) fn command() -> clap::Command {
    fn within(command: clap::Command) -> clap::Command {
        let help = command.get_after_help().cloned().unwrap_or_default();
        let names: Vec<String> = command.get_subcommands().map(|command| String::from(command.get_name())).collect();
        names.into_iter().fold(command, |command, name| {
            command.mut_subcommand(name, |command| match command.get_after_help() {
                Some(_) => within(command),
                None => within(command.after_help(help.clone())),
            })
        })
    }
    within(Cli::command())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Extract(Box<Extract>),
    Run(Box<Run>),
    Batch(Batch),
    Files(Files),
    Jobs(Jobs),
    Parse(Box<Parse>),
    Schema(Schema),
    Decode(Decode),
    Doctor(Doctor),
    Providers(Providers),
    Usage(Usage),
    Config(Config),
    Completions(Completions),
    #[command(name = "man")]
    Manual(Manual),
}

/// Read JSON out of a text that is already there: an answer of a model, a log, a file with mistakes.
///
/// The value is printed on standard output; what was repaired is told on standard error.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor parse answer.txt\n\
\x20 instructor parse --schema ticket.json --level lenient answer.txt\n\
\x20 instructor parse --jsonl logged.jsonl"))]
pub(crate) struct Parse {
    /// The text: a file, or standard input if it is `-` or absent
    pub(crate) file: Option<PathBuf>,

    /// What the value has to be: a file with a JSON Schema, or the schema itself if it begins with `{`
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) schema: Option<PathBuf>,

    /// How much may be repaired: strict, syntax, lenient or salvage
    #[arg(long, value_name = "LEVEL", default_value = "syntax", value_parser = level)]
    pub(crate) level: Level,

    /// With --level salvage: a kind of repair that may lose something, such as Ellipsis (all kinds if none is named)
    #[arg(long, value_name = "KIND", value_parser = repair_kind)]
    pub(crate) salvage: Vec<RepairKind>,

    /// How repairs are told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) report: ReportFormat,

    /// Print the value on one line
    #[arg(long)]
    pub(crate) compact: bool,

    /// The value and its repairs as one JSON object, for machines
    #[arg(long, conflicts_with_all = ["jsonl", "prefixes"])]
    pub(crate) json: bool,

    /// Read rows of {"id", "input" or "input_b64", "schema"?, "level"?}, and write a row for each
    #[arg(long, conflicts_with = "prefixes")]
    pub(crate) jsonl: bool,

    /// Print the value after every byte of the text, a line each
    #[arg(long)]
    pub(crate) prefixes: bool,
}

/// Put a JSON Schema into the form that a provider's structured output takes.
///
/// The schema is printed on standard output. Every value that the schema allows can be said in it; what the provider
/// does not enforce is told with --losses.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor schema --for openai --losses ticket.json\n\
\x20 instructor schema --for gemini --lax ticket.json"))]
pub(crate) struct Schema {
    /// The JSON Schema: a file, or standard input if it is `-` or absent
    pub(crate) schema: Option<PathBuf>,

    /// The provider's dialect, such as openai, anthropic or gemini
    #[arg(long = "for", value_name = "DIALECT", value_parser = |text: &str| text.parse::<Dialect>())]
    pub(crate) dialect: Dialect,

    /// The form that the provider enforces (the default)
    #[arg(long, conflicts_with = "lax")]
    pub(crate) strict: bool,

    /// The form that is shown to the model and not enforced
    #[arg(long)]
    pub(crate) lax: bool,

    /// Close objects that say nothing about further keys, as for Rust types
    #[arg(long)]
    pub(crate) declared: bool,

    /// Tell on standard error what the provider does not enforce
    #[arg(long)]
    pub(crate) losses: bool,

    /// Print the schema on one line
    #[arg(long)]
    pub(crate) compact: bool,

    /// The schema and what is lost as one JSON object, for machines
    #[arg(long, conflicts_with = "jsonl")]
    pub(crate) json: bool,

    /// Read rows of {"id", "schema", "instances"}, and write a row for each, with the instances there and back
    #[arg(long)]
    pub(crate) jsonl: bool,
}

/// Show what is seen in a raw answer of a provider: text, tool calls, why it ended, usage, or the kind of failure.
///
/// One body or a whole recorded event stream; which of the two it is shows itself.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor decode --provider anthropic response.json\n\
\x20 instructor decode --provider openai --status 429 body.json\n\
\x20 instructor decode --jsonl logged.jsonl"))]
pub(crate) struct Decode {
    /// The body: a file, or standard input if it is `-` or absent
    pub(crate) file: Option<PathBuf>,

    /// Whose answer it is: a provider's id or a protocol's name
    #[arg(long, value_name = "NAME", required_unless_present = "jsonl")]
    pub(crate) provider: Option<String>,

    /// The HTTP status that it came with
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) status: u16,

    /// The body is a recorded event stream (it is told from what it begins with, too)
    #[arg(long)]
    pub(crate) stream: bool,

    /// As JSON, which it is in any case
    #[arg(long)]
    pub(crate) json: bool,

    /// Read rows of {"id", "provider" or "wire", "status"?, "body" or "body_text" or "body_base64"}, and write a row each
    #[arg(long)]
    pub(crate) jsonl: bool,
}

/// How repairs are told on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A line for each
    Text,
    /// One JSON array
    Json,
}

fn repair_kind(name: &str) -> Result<RepairKind, String> {
    RepairKind::ALL.iter().find(|kind| kind.name() == name).copied().ok_or_else(|| {
        let names: Vec<&str> = RepairKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("{name:?} is no kind of repair; kinds are {}", names.join(", "))
    })
}

/// A level by its name.
pub(crate) fn level(name: &str) -> Result<Level, String> {
    match name {
        "strict" => Ok(Level::Strict),
        "syntax" | "default" => Ok(Level::Syntax),
        "lenient" => Ok(Level::Lenient),
        "salvage" => Ok(Level::Salvage),
        _ => Err(format!("{name:?} is no level; levels are strict, syntax, lenient and salvage")),
    }
}

/// Ask a model for JSON that fits a schema, out of a text.
///
/// The JSON is printed on standard output, and nothing else is. Answers that do not fit the schema are sent back with
/// what is wrong with them, until one fits or --max-retries are used.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor extract --provider openai/gpt-5-mini --schema ticket.json mail.txt\n\
\x20 pdftotext bill.pdf - | instructor extract --schema bill.json --compact\n\
\x20 instructor extract --provider local/qwen3 --base-url http://localhost:8000/v1 --protocol openai --schema ticket.json -\n\
\x20 instructor extract --provider anthropic/claude-haiku-4-5 --schema ticket.json --dry-run mail.txt"))]
pub(crate) struct Extract {
    /// The text: a file, or standard input if it is `-` or absent
    pub(crate) file: Option<PathBuf>,

    /// What to extract: a file with a JSON Schema, or the schema itself if it begins with `{`
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) schema: PathBuf,

    #[command(flatten)]
    pub(crate) whom: Whom,

    #[command(flatten)]
    pub(crate) asking: Asking,

    #[command(flatten)]
    pub(crate) limits: Limits,

    /// No further call once this many dollars are spent, such as 0.05; needs a known price [default: none]
    #[arg(long, value_name = "USD", help_heading = "Limits")]
    pub(crate) max_cost: Option<Money>,

    #[command(flatten)]
    pub(crate) costs: Costs,

    /// Print the JSON on one line
    #[arg(long, help_heading = "Output")]
    pub(crate) compact: bool,

    /// The value with usage, cost and attempts as one JSON object, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Print the exact request instead of sending it, with the key masked, and on standard error the mode; needs no key
    #[arg(long, help_heading = "Output")]
    pub(crate) dry_run: bool,

    /// Show attempts, usage and cost on standard error; -vv also shows what was wrong, with text of the answers
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
}

// No doc comment on these: it would take the place of the command's own.

#[derive(Clone, Debug, Args)]
pub(crate) struct Asking {
    /// Instructions for the model, as the system message
    #[arg(long, value_name = "TEXT", help_heading = "Request")]
    pub(crate) system: Option<String>,

    /// An instruction that is put before the text
    #[arg(long, value_name = "TEXT", help_heading = "Request")]
    pub(crate) prompt: Option<String>,

    /// How to ask: auto, schema, tools, json, md_json; parallel_tools for a list of calls; think_then_shape for two calls
    #[arg(long, value_parser = |text: &str| text.parse::<Mode>(), default_value_t = Mode::Auto, help_heading = "Request")]
    pub(crate) mode: Mode,

    /// The model of the second call of think_then_shape
    #[arg(long, value_name = "MODEL", help_heading = "Request")]
    pub(crate) shape_model: Option<String>,

    /// Sampling temperature
    #[arg(long, value_name = "T", value_parser = temperature, help_heading = "Request")]
    pub(crate) temperature: Option<f64>,

    /// Limit of output tokens
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Request")]
    pub(crate) max_tokens: Option<u64>,

    /// How much the model is to think: off, minimal, low, medium, high, xhigh, max, or a number of tokens
    #[arg(long, value_name = "HOW", value_parser = |text: &str| text.parse::<Reasoning>(), help_heading = "Request")]
    pub(crate) reasoning: Option<Reasoning>,

    /// A further top-level field of the request body; can be repeated
    #[arg(long, value_name = "KEY=JSON", value_parser = extra, help_heading = "Request")]
    pub(crate) extra: Vec<(String, Value)>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Limits {
    /// Further calls after an answer that does not fit, and as many after the service failed [default: 3]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_retries: Option<u32>,

    /// Time for each attempt, such as 30, 1.5, 500ms or 2m [default: 10m]
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Limits")]
    pub(crate) timeout: Option<Duration>,

    /// Time for all attempts and waits together [default: none]
    #[arg(long, value_name = "SECS", value_parser = duration, help_heading = "Limits")]
    pub(crate) deadline: Option<Duration>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Costs {
    /// A file with prices, which win over those that are known, in the format of the library's guide on cost
    #[arg(long, value_name = "FILE", help_heading = "Cost")]
    pub(crate) prices: Option<PathBuf>,

    /// Add what was used and spent to a file, as JSON lines that `instructor usage` sums
    #[arg(long, value_name = "FILE", help_heading = "Cost")]
    pub(crate) ledger: Option<PathBuf>,

    /// A label for the lines of --ledger
    #[arg(long, value_name = "TEXT", requires = "ledger", help_heading = "Cost")]
    pub(crate) label: Option<String>,

    /// Keep answers in a folder, and take those that are there: the same again makes no call, in later runs too
    #[arg(long, value_name = "DIR", help_heading = "Cost")]
    pub(crate) cache: Option<PathBuf>,

    /// Take no kept answer that is older, such as 90m, 12h or 7d [default: any age]
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "cache", help_heading = "Cost")]
    pub(crate) cache_ttl: Option<Duration>,

    /// Take no kept answer, and keep the new ones
    #[arg(long, requires = "cache", help_heading = "Cost")]
    pub(crate) refresh: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Whom {
    /// Whom to ask: PROVIDER/MODEL, such as openai/gpt-5-mini
    ///
    /// Without it, the first known provider whose key is set in the environment is asked, with its default model. See
    /// `instructor providers`.
    #[arg(long, value_name = "SPEC", help_heading = "Provider")]
    pub(crate) provider: Option<String>,

    /// Where to ask, instead of the provider's own address
    #[arg(long, value_name = "URL", help_heading = "Provider")]
    pub(crate) base_url: Option<String>,

    /// What the endpoint at --base-url speaks; any name goes before the slash of --provider then
    #[arg(long, requires = "base_url", help_heading = "Provider")]
    pub(crate) protocol: Option<Protocol>,

    /// The variable that holds the key, instead of the provider's own
    #[arg(long, value_name = "NAME", help_heading = "Provider")]
    pub(crate) api_key_env: Option<String>,
}

/// Find out what an endpoint does: a few cheap calls, and a line for each thing that holds, does not, or can't be told.
///
/// It asks for structured output, forced and parallel tools, JSON mode and JSON by prompt alone, objects to an answer,
/// has one cut by a token limit, streams one, and asks for a model that there is not. How many calls it makes is said
/// before the first. The exit code is 0 if the mode that is preferred for the provider works.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor doctor --provider openai/gpt-5-mini\n\
\x20 instructor doctor --provider llamacpp --model qwen3 --base-url http://localhost:8080/v1"))]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) whom: Whom,

    /// The model, where --provider names none
    #[arg(long, value_name = "MODEL", help_heading = "Provider")]
    pub(crate) model: Option<String>,

    /// At most so many calls; what is left over is not told
    #[arg(long, value_name = "N", default_value_t = u32::MAX, hide_default_value = true, help_heading = "Limits")]
    pub(crate) max_calls: u32,

    /// Time for each call, such as 30, 1.5, 500ms or 2m
    #[arg(long, value_name = "SECS", value_parser = duration, default_value = "60", help_heading = "Limits")]
    pub(crate) timeout: Duration,

    /// As JSON, for machines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// List the providers that are known by name.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor providers\n\
\x20 instructor providers --json"))]
pub(crate) struct Providers {
    /// As JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,

    /// As the table of README
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

/// Sum what was used and spent, out of ledgers: files of JSON lines, by `extract --ledger` or the library's own.
///
/// A cost that is not known is not 0: such calls are counted beside the amount.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor usage ledger.jsonl\n\
\x20 instructor usage --by model,label --json ledger.jsonl"))]
pub(crate) struct Usage {
    /// The ledgers; standard input if `-` or none
    pub(crate) files: Vec<PathBuf>,

    /// What to sum by, one or several [default: provider,model]
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) by: Vec<By>,

    /// Only what has this label
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,

    /// As JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the settings that hold, and where each comes from.
///
/// The first that has it decides: the argument, the variable, instructor.toml of the project (here or above, within one
/// repository), instructor/config.toml in the user's folder for settings, the default. Keys stand in no file: api_key_env
/// names the variable that holds one.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor config\n\
\x20 INSTRUCTOR_TIMEOUT=30 instructor config --json"))]
pub(crate) struct Config {
    /// Say nothing of where files were looked for
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// As JSON, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print a script with which a shell completes commands and arguments.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor completions bash > ~/.local/share/bash-completion/completions/instructor\n\
\x20 instructor completions zsh > ~/.zfunc/_instructor\n\
\x20 instructor completions fish > ~/.config/fish/completions/instructor.fish"))]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,

    /// In a JSON object, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the page of the manual of a command, or write all of them.
#[derive(Debug, Args)]
#[command(after_help = after("\x20 instructor man run | man -l -\n\
\x20 instructor man --dir ~/.local/share/man/man1"))]
pub(crate) struct Manual {
    /// The command; `instructor` itself if none is named
    pub(crate) command: Vec<String>,

    /// A folder for the pages of all commands
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,

    /// In a JSON object, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    Day,
    Provider,
    Model,
    Label,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Protocol {
    /// OpenAI's chat completions
    Openai,
    /// OpenAI's responses
    #[value(name = "openai_responses")]
    OpenaiResponses,
    /// Anthropic's messages
    Anthropic,
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err(String::from("write seconds or a unit: 30, 1.5, 30s, 500ms, 2m, 12h, 7d")),
    };
    let number: f64 = number.parse().map_err(|_| String::from("write a number first: 30, 1.5, 30s, 500ms, 2m"))?;
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|_| String::from("that is too long"))?;
    if duration.is_zero() { Err(String::from("it has to be more than zero")) } else { Ok(duration) }
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err(String::from("write a number from 0 on, such as 0.2")),
    }
}

fn extra(text: &str) -> Result<(String, Value), String> {
    let (key, json) = text.split_once('=').ok_or("write KEY=JSON")?;
    if key.is_empty() {
        return Err(String::from("there is no key before the ="));
    }
    let value =
        serde_json::from_str(json).map_err(|e| format!("not JSON: {e}; strings need quotes: {key}='\"text\"'"))?;
    Ok((String::from(key), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn durations_read_as_people_write_them() {
        let ms = |text| duration(text).map(|d| d.as_millis());
        for (text, wanted) in [
            ("30", 30_000),
            ("1.5", 1500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("500ms", 500),
            ("1h", 3_600_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(ms(text), Ok(wanted), "{text}");
        }
        for text in ["", "0", "0ms", "-1", "s", "1w", "1e3", "1.2.3", "inf", "NaN", "99999999999999999999999", "３"] {
            assert!(ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn extra_fields_are_json() {
        assert_eq!(extra("a=1"), Ok((String::from("a"), Value::from(1))));
        assert_eq!(extra("a=\"b=c\""), Ok((String::from("a"), Value::from("b=c"))));
        assert!(extra("user=bob").unwrap_err().contains("user='\"text\"'"));
        for text in ["a", "=1", "a="] {
            assert!(extra(text).is_err(), "{text}");
        }
    }
}
