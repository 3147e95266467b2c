//! `instructor batch fetch`: from a provider's results to values.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use instructor::Ledger;
use instructor::batch::Batches;
use serde_json::json;

use super::args::Fetch;
use super::state::{State, beside, replace, requests, unwritten};
use super::{NONE, asked, client, failure};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::source;
use crate::{output, usage};

pub(super) fn fetch(args: &Fetch) -> Result<(), Failure> {
    let mut state = State::read(&args.job)?;
    let kept = beside(&args.job, "results");
    let ledger = Ledger::new();
    // What is there already is read without a key.
    let client = client(&state.whom(), &state.asking()?, &NONE, &args.costs, &ledger, !kept.exists())?;
    let fail = |error: &instructor::Error| failure(error, client.profile());
    if !kept.exists() {
        let batches = Batches::new(&client).map_err(|e| fail(&e))?;
        if state.job.is_submitted() && !state.job.status().is_over() {
            let polled = batches.poll(&mut state.job);
            state.write(&args.job)?;
            polled.map_err(|e| fail(&e))?;
        }
        let mut end = Ok(0);
        let written = replace(&kept, |file| {
            end = batches.download(&state.job, file);
            if end.is_err() { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
        });
        end.map_err(|e| {
            let next = format!("`instructor batch status {} --wait` waits for it", args.job.display());
            fail(&e).hint(next)
        })?;
        written?;
    }
    let extraction = asked(&client, state.contract()?);
    let input = requests(&args.job);
    let results = File::open(&kept).map_err(|e| source::unread(&kept, &e))?;
    let results = extraction.read(BufReader::new(results)).map_err(|e| fail(&e))?;
    let results = results.of_job(&state.job).expecting(&input).map_err(|e| fail(&e))?;

    let out = args.output.clone().unwrap_or_else(|| beside(&args.job, "out"));
    let failed = beside(&args.job, "failed");
    let (mut done, mut why) = (0_u64, BTreeMap::<String, u64>::new());
    let mut broken = None;
    replace(&failed, |failures| {
        let values = replace(&out, |values| {
            for item in results {
                match item.map(|item| (item.id, item.result)) {
                    Ok((id, Ok((value, _)))) => {
                        writeln!(values, "{{\"id\":{},\"value\":{}}}", json!(id), value.get())?;
                        done += 1;
                    }
                    Ok((_, Err(error))) => {
                        let kind = error.error().map_or(error.why().as_str(), |error| error.kind().as_str());
                        *why.entry(String::from(kind)).or_default() += 1;
                        writeln!(failures, "{}", serde_json::to_string(&error.into_failed())?)?;
                    }
                    Err(error) => broken = Some(fail(&error)),
                }
            }
            Ok(())
        });
        if let Err(error) = values {
            broken.get_or_insert(error);
        }
        Ok(())
    })?;
    if let Some(error) = broken {
        return Err(error.hint(format!("the results are in {}, as they came", kept.display())));
    }
    if let Some(file) = &args.costs.ledger {
        usage::append(&ledger, file)?;
    }
    let spent = ledger.total();
    let total: u64 = why.values().sum();
    if args.json {
        let told = json!({
            "done": done, "failed": total, "why": why, "output": out, "failures": failed, "spent": usage::counts(&spent)?,
        });
        output::result(&format!("{told:#}"))?;
    } else {
        output::result(&format!("{done} values in {}, {}", out.display(), spent.cost))?;
    }
    if total == 0 {
        return Ok(());
    }
    Err(some_failed(total, &why, &failed, &args.job))
}

pub(super) fn some_failed(total: u64, why: &BTreeMap<String, u64>, failed: &Path, job: &Path) -> Failure {
    let kinds: Vec<String> = why.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let rows = if total == 1 { "row" } else { "rows" };
    let job = job.display();
    Failure::new(Exit::Rows, format!("{total} {rows} failed: {}", kinds.join(", "))).hint(format!(
        "{} says why; `instructor batch retry {job}` asks again in a batch, with --live at once",
        failed.display()
    ))
}

/// A line more at the end of a file.
pub(super) fn append(path: &Path, line: &str) -> Result<(), Failure> {
    let file = File::options().append(true).create(true).open(path);
    file.and_then(|mut file| writeln!(file, "{line}")).map_err(|e| unwritten(path, &e))
}
