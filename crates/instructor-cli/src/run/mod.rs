//! `instructor run`: the rows of a file, each asked for, and what came of it.
//!
//! The output is the ledger: a row is done when its line is in it. See [`file`] for what the end of a process leaves, and
//! [`fingerprint`] for what has to be the same when it is gone on with.

mod answer;
pub(crate) mod args;
mod done;
mod file;
mod fingerprint;
mod meter;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "parquet_absent.rs"]
mod parquet;
pub(crate) mod prompt;
mod pump;
mod signal;
pub(crate) mod source;

use std::path::{Path, PathBuf};

use instructor::{Client, Contract, ErrorKind, Ledger, Limiter, Profile};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use self::answer::{Form, Question};
use self::args::{Format, Run};
use self::done::Done;
use self::file::RowFile;
use self::fingerprint::Fingerprint;
use self::meter::{Meter, grouped};
use self::prompt::{Ask, Prompt};
use self::pump::{Limits, Pump, Stop};
use self::source::{Rows, Survey};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{input, output, settings, target, usage};

pub(crate) fn run(args: &Run) -> Result<(), Failure> {
    let contract = input::contract(&args.schema)?;
    let prompt = Prompt::new(args)?;
    let ledger = Ledger::new();
    let (client, profiles) = client(args, &ledger)?;
    let format = args.input_format.unwrap_or_else(|| source::format(&args.input));
    if args.dry_run {
        return dry(args, &client, &contract, &prompt, format);
    }
    let form = form(args, &contract);
    let begun = begin(args, &contract, &prompt, &client, format)?;
    let errors = errors(args);
    let mut done = Done::default();
    let head = form.head(args.with_usage);
    let output_format = if head.is_empty() { Format::Jsonl } else { Format::Csv };
    let lines = lines(args);
    let output = RowFile::open(&lines, output_format, &head, &mut done)?;
    let kept = done.count();
    let errors = RowFile::open(&errors, Format::Jsonl, "", &mut done)?;
    let before = Before { done: kept, failed: done.count() - kept };
    let total = begun.map(|survey| survey.rows.min(args.max_rows.unwrap_or(u64::MAX)));
    if before.done + before.failed > 0 && !args.quiet {
        output::say(&before.told(total));
    }
    let schema = contract.schema().clone();
    let question =
        Question { client, contract, asking: args.asking.clone(), profiles, form, with_usage: args.with_usage };
    let limits = Limits {
        concurrency: args.concurrency as usize,
        budget: settings::budget(&args.limits),
        max_cost: args.max_cost,
        max_errors: args.max_errors,
    };
    let meter = Meter::new(total, before.done + before.failed, args.quiet);
    let mut pump = Pump::new(question, limits, (output, errors), args.in_order, meter);
    let rows = reader(args, format, prompt, done)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::unexpected(format!("no runtime can be started: {error}")))?;
    let ran = runtime.block_on(pump.run(rows));
    // What waits on other threads, such as a read of standard input, does not hold up the end.
    runtime.shutdown_background();
    pump.meter.end();
    let spent = ledger.total();
    let written = args.costs.ledger.as_deref().map_or(Ok(()), |file| usage::append(&ledger, file));
    ran?;
    if lines != args.output {
        parquet::write(&lines, &args.output, &schema, args.key.is_some(), args.with_usage)?;
    }
    if args.json {
        output::result(&summary(args, &pump, &before, total, &spent)?)?;
    } else if !args.quiet {
        output::say(&told(&pump, &before));
    }
    written?;
    ended(args, pump, &before)
}

/// What was there at the start.
#[derive(Debug)]
struct Before {
    done: u64,
    failed: u64,
}

impl Before {
    fn told(&self, total: Option<u64>) -> String {
        let of = total.map_or_else(String::new, |total| format!(" of {}", grouped(total)));
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {} have failed (--retry-errors asks for them again)", grouped(failed)),
        };
        format!("going on: {}{of} rows are done{failed}", grouped(self.done))
    }
}

/// Whom to ask, and who else has keys that must not show.
fn client(args: &Run, ledger: &Ledger) -> Result<(Client, Vec<Profile>), Failure> {
    let builder = || Ok(settings::builder(&args.asking, &args.limits, &args.costs, ledger)?.limiter(limiter(args)));
    let mut client = target::client(builder()?, &args.whom, !args.dry_run, instructor::ClientBuilder::build)?;
    let mut profiles = vec![client.profile().clone()];
    for spec in &args.fallback {
        let whom = crate::args::Whom { provider: Some(spec.clone()), ..crate::args::Whom::default() };
        let other: Client = target::client(builder()?, &whom, !args.dry_run, instructor::ClientBuilder::build)?;
        profiles.push(other.profile().clone());
        client = client.with_fallback(other);
    }
    Ok((client, profiles))
}

/// One for each client; what it is not told it learns.
fn limiter(args: &Run) -> Limiter {
    let mut limiter = Limiter::new();
    if let Some(rate) = args.rate {
        limiter = match rate.each.as_secs() {
            1 => limiter.with_requests_per_second(rate.calls),
            _ => limiter.with_requests_per_minute(rate.calls),
        };
    }
    if let Some(tokens) = args.tokens_per_minute {
        limiter = limiter.with_tokens_per_minute(tokens);
    }
    limiter
}

/// Where rows go while it runs, which is the output, unless that is of a form that can't grow line by line.
fn lines(args: &Run) -> PathBuf {
    match source::format(&args.output) {
        Format::Parquet => beside(&args.output, ".jsonl"),
        Format::Jsonl | Format::Csv => args.output.clone(),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_os_string();
    path.push(suffix);
    PathBuf::from(path)
}

/// Where rows go that failed.
fn errors(args: &Run) -> PathBuf {
    args.errors.clone().unwrap_or_else(|| beside(&args.output, ".errors.jsonl"))
}

fn form(args: &Run, contract: &Contract) -> Form {
    if source::format(&args.output) != Format::Csv {
        return Form::Jsonl;
    }
    let properties = contract.schema().get("properties").and_then(serde_json::Value::as_object);
    let columns = properties.map_or_else(Vec::new, |properties| properties.keys().cloned().collect());
    Form::Csv { columns, keyed: args.key.is_some() }
}

/// Makes sure that the output is new, or was begun with the same.
fn begin(
    args: &Run,
    contract: &Contract,
    prompt: &Prompt,
    client: &Client,
    format: Format,
) -> Result<Option<Survey>, Failure> {
    let (lines, errors) = (lines(args), errors(args));
    if args.overwrite {
        for path in [&args.output, &lines, &errors, &fingerprint::path(&args.output)] {
            RowFile::clear(path)?;
        }
    }
    let found = Fingerprint::read(&args.output)?;
    if found.is_none()
        && let Some(there) = [&args.output, &lines, &errors].into_iter().find(|path| path.exists())
    {
        return Err(Failure::setup(format!(
            "{} is there already, and was not begun by `instructor run`",
            there.display()
        ))
        .hint("name another file, or begin anew with --overwrite"));
    }
    let survey = match source::is_standard(&args.input) {
        true => None,
        false => Some(source::survey(&args.input, format, found.as_ref().and_then(Fingerprint::bytes))?),
    };
    let asking = &args.asking;
    let model = format!("{}/{}", client.profile().id(), client.model().unwrap_or_default());
    let said = format!("{:?}", (&asking.system, &asking.prompt, prompt.described()));
    let how = format!(
        "{:?}",
        (asking.mode, &asking.shape_model, asking.temperature, asking.max_tokens, asking.reasoning, &asking.extra)
    );
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut now = Fingerprint::new()
        .with("the model", model)
        .with_hash("the schema", &contract.schema().to_string())
        .with_hash("the prompt", &said)
        .with_hash("the mode or a setting of the model", &how)
        .with("--with-usage", args.with_usage.to_string())
        .with("--errors", name(&errors));
    if let Some(survey) = &survey {
        now = now.input(survey);
    }
    match found {
        None => now.write(&args.output)?,
        Some(found) => {
            let differ = found.differences(&now);
            if !differ.is_empty() {
                let what = format!(
                    "{} was begun with other settings; what differs: {}",
                    args.output.display(),
                    differ.join(", ")
                );
                let hint = "give the same again, name another --output, or begin anew with --overwrite";
                return Err(Failure::setup(what).hint(hint));
            }
        }
    }
    if args.retry_errors {
        RowFile::clear(&errors)?;
    }
    Ok(survey)
}

/// How many rows go to the loop at once, and how many such batches may wait there.
const BATCH: usize = 64;
const BATCHES: usize = 4;

/// Reads rows on a thread of its own, so that a slow source holds up nobody; those that are done are passed over.
fn reader(
    args: &Run,
    format: Format,
    prompt: Prompt,
    done: Done,
) -> Result<mpsc::Receiver<Result<Vec<Ask>, Failure>>, Failure> {
    let (sender, receiver) = mpsc::channel(BATCHES);
    let (path, most) = (args.input.clone(), args.max_rows.unwrap_or(u64::MAX));
    let mut rows = source::open(&path, format)?;
    std::thread::spawn(move || {
        let mut batch = Vec::new();
        for row in 1..=most {
            match rows.advance() {
                Ok(false) => break,
                Ok(true) if done.contains(row) => continue,
                Ok(true) => batch.push(ask(&rows, &prompt, row)),
                Err(error) => return drop(sender.blocking_send(Err(source::unread(&path, &error)))),
            }
            // At once where somebody waits, many together where nobody does.
            match sender.try_send(Ok(std::mem::take(&mut batch))) {
                Err(TrySendError::Full(Ok(kept))) if kept.len() < BATCH => batch = kept,
                Err(TrySendError::Full(kept)) => {
                    if sender.blocking_send(kept).is_err() {
                        return;
                    }
                }
                Err(TrySendError::Closed(_)) => return,
                Ok(()) => {}
            }
        }
        // Nobody is left to take them if this fails.
        drop(sender.blocking_send(Ok(batch)));
    });
    Ok(receiver)
}

fn ask<R: std::io::Read>(rows: &Rows<R>, prompt: &Prompt, row: u64) -> Ask {
    match rows.record() {
        Ok(record) => prompt.ask(row, &record),
        Err(why) => Ask { row, key: None, text: Err(why) },
    }
}

fn dry(args: &Run, client: &Client, contract: &Contract, prompt: &Prompt, format: Format) -> Result<(), Failure> {
    let mut rows = source::open(&args.input, format)?;
    if !rows.advance().map_err(|e| source::unread(&args.input, &e))? {
        return Err(Failure::unexpected(format!("{} has no rows", args.input.display())));
    }
    let text = ask(&rows, prompt, 1).text.map_err(|why| Failure::unexpected(format!("row 1: {why}")))?;
    let preview = client.request(settings::messages(&args.asking, text)).preview_value(contract);
    let preview = preview.map_err(|error| Failure::of(&error, 0, client.profile()))?;
    let strict = if preview.is_strict() { ", strict" } else { "" };
    output::say(&format!("mode {}{strict}", preview.mode()));
    output::result(&preview.to_string())
}

fn told(pump: &Pump, before: &Before) -> String {
    let Pump { progress, meter, .. } = pump;
    let seconds = meter.elapsed().as_secs_f64();
    let ended = progress.done + progress.failed;
    let failed = match before.failed + progress.failed {
        0 => String::new(),
        failed => format!(", {} failed: see {}", grouped(failed), pump.errors.path().display()),
    };
    let done = grouped(before.done + progress.done);
    if ended == 0 && pump.stop.is_none() {
        return format!("nothing is left to do: {done} rows are done{failed}");
    }
    let rate = grouped((ended as f64 / seconds.max(0.001)) as u64);
    let spent = meter::spent(&progress.cost);
    let cached = match progress.cached {
        0 => String::new(),
        cached => format!(", {} from the cache", grouped(cached)),
    };
    format!(
        "{done} rows done, {} of them now in {}, {rate}/s{cached}{spent}{failed}",
        grouped(progress.done),
        meter::time(seconds)
    )
}

fn summary(
    args: &Run,
    pump: &Pump,
    before: &Before,
    total: Option<u64>,
    spent: &instructor::Spend,
) -> Result<String, Failure> {
    let progress = &pump.progress;
    let seconds = pump.meter.elapsed().as_secs_f64();
    let stopped = match &pump.stop {
        None => None,
        Some(Stop::Interrupted) => Some("interrupted"),
        Some(Stop::Cost) => Some("max_cost"),
        Some(Stop::Errors) => Some("max_errors"),
        Some(Stop::Hopeless(error) | Stop::Down(error)) => Some(error.kind().as_str()),
    };
    let told = json!({
        "rows": total,
        "done": before.done + progress.done,
        "failed": before.failed + progress.failed,
        "before": { "done": before.done, "failed": before.failed },
        "now": { "done": progress.done, "failed": progress.failed, "cached": progress.cached },
        "stopped": stopped,
        "seconds": seconds,
        "rows_per_second": (progress.done + progress.failed) as f64 / seconds.max(0.001),
        "spent": usage::counts(spent)?,
        "output": args.output,
        "errors": pump.errors.path(),
    });
    Ok(format!("{told:#}"))
}

/// How it ended, for the exit code.
fn ended(args: &Run, pump: Pump, before: &Before) -> Result<(), Failure> {
    let profile = pump.question.client.profile();
    let on = "the same command goes on from there";
    let failed = before.failed + pump.progress.failed;
    let rows = |failed: u64| format!("{} {} failed", grouped(failed), if failed == 1 { "row" } else { "rows" });
    let errors = pump.errors.path().display();
    Err(match pump.stop {
        None if failed == 0 => return Ok(()),
        None => Failure::new(Exit::Rows, rows(failed))
            .hint(format!("{errors} says why; --retry-errors asks for them again")),
        Some(Stop::Interrupted) => Failure::new(Exit::Interrupted, "interrupted").hint(on),
        Some(Stop::Cost) => {
            let limit = args.max_cost.map_or_else(String::new, |limit| limit.to_string());
            Failure::from_kind(ErrorKind::Budget, format!("--max-cost {limit} is spent"))
                .hint(format!("with a higher one {on}"))
        }
        Some(Stop::Errors) => Failure::new(Exit::Rows, format!("stopped: {}", rows(pump.progress.failed)))
            .hint(format!("{errors} says why; {on}")),
        Some(Stop::Hopeless(error)) => {
            let note = format!("no row can be asked for like this; when it is mended {on}");
            Failure::of(&error, 0, profile).details(vec![note])
        }
        Some(Stop::Down(error)) => {
            let note =
                "so many rows in succession failed that no further ones were begun; --retry-errors asks for them again";
            Failure::of(&error, 0, profile).details(vec![String::from(note)])
        }
    })
}
