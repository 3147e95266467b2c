//! `instructor batch`: rows through a provider's batches, a step at a time.

mod again;
pub(crate) mod args;
mod results;
pub(crate) mod state;

use std::fs;
use std::io::BufWriter;
use std::path::Path;

use instructor::batch::{BatchJob, BatchState, Batches, Extraction};
use instructor::blocking::Client;
use instructor::{Contract, Error, Ledger, Profile};
use serde_json::json;
use serde_json::value::RawValue;

use self::args::{Batch, Cancel, Create, List, Status, Step, Submit};
use self::state::{State, beside, requests, unwritten};
use crate::args::{Asking, Costs, Limits, Whom};
use crate::failure::Failure;
use crate::run::prompt::{Ask, Prompt};
use crate::run::source;
use crate::{input, output, settings, target};

/// What is extracted: JSON in which numbers keep every digit.
type Asked = Extraction<Box<RawValue>, Client>;

pub(crate) fn run(args: &Batch) -> Result<(), Failure> {
    match &args.step {
        Step::Create(args) => create(args),
        Step::Submit(args) => submit(args),
        Step::Status(args) => status(args),
        Step::Fetch(args) => results::fetch(args),
        Step::Retry(args) => again::retry(args),
        Step::Cancel(args) => cancel(args),
        Step::List(args) => list(args),
    }
}

fn create(args: &Create) -> Result<(), Failure> {
    let contract = input::contract(&args.schema)?;
    let (form, job) = (args.form(), args.job());
    if source::is_standard(&args.rows) {
        let why = "the rows can't come from standard input: they are read again where some have to be asked again";
        return Err(Failure::setup(why));
    }
    if job.exists() && !args.overwrite {
        return Err(Failure::setup(format!("{} is there already", job.display()))
            .hint("go on with it, name another with --output, or begin anew with --overwrite"));
    }
    let prompt = Prompt::of(args.column.as_deref(), args.template.as_deref(), args.key.as_deref())?;
    let client = client(&args.whom, &args.asking, &NONE, &Costs::default(), &Ledger::new(), false)?;
    let asked = Asked::of_contract(&client, contract.clone());
    let fail = |error: &Error| failure(error, client.profile());
    let to = beside(&job, "requests");
    let file = fs::File::create(&to).map_err(|e| unwritten(&to, &e))?;
    let mut requests = asked.writer(BufWriter::new(file));
    each(&args.rows, form, &prompt, |id, row, text| {
        let written = requests.push(&id, settings::messages(&args.asking, text));
        written.map_err(|error| failure(&error, client.profile()).details(vec![format!("in row {row}")]))
    })?;
    requests.finish().map_err(|e| fail(&e))?;
    let batch = asked.job_in_parts(&self::requests(&job), args.part).map_err(|e| fail(&e))?;
    let spec = format!("{}/{}", client.profile().id(), client.model().unwrap_or_default());
    let state = State::new(args, spec, &contract, batch)?;
    state.write(&job)?;
    let next = format!("written to {}; send them with `instructor batch submit {}`", to.display(), job.display());
    tell(&job, &state.job, args.json, &next)
}

fn submit(args: &Submit) -> Result<(), Failure> {
    let mut state = State::read(&args.job)?;
    let client = client_of(&state, true)?;
    let batches = Batches::new(&client).map_err(|e| failure(&e, client.profile()))?;
    let input = requests(&args.job);
    loop {
        match batches.submit_next(&mut state.job, &input) {
            // In the file before the next, so that none is submitted twice.
            Ok(true) => state.write(&args.job)?,
            Ok(false) => break,
            Err(error) => {
                let hint = "what was submitted is noted; the same command goes on with the rest";
                return Err(failure(&error, client.profile()).hint(hint));
            }
        }
    }
    let next = format!("look after it with `instructor batch status {}`", args.job.display());
    tell(&args.job, &state.job, args.json, &next)
}

fn status(args: &Status) -> Result<(), Failure> {
    let mut state = State::read(&args.job)?;
    if state.job.is_submitted() && !state.job.status().is_over() {
        let client = client_of(&state, true)?;
        let batches = Batches::new(&client).map_err(|e| failure(&e, client.profile()))?;
        loop {
            let polled = batches.poll(&mut state.job);
            state.write(&args.job)?;
            polled.map_err(|e| failure(&e, client.profile()))?;
            if !args.wait || state.job.status().is_over() {
                break;
            }
            std::thread::sleep(args.every);
        }
    }
    let job = args.job.display();
    let next = match (state.job.is_submitted(), state.job.status().is_over()) {
        (false, _) => format!("not submitted: `instructor batch submit {job}`"),
        (true, false) => String::from("not over yet"),
        (true, true) => format!("get the results with `instructor batch fetch {job}`"),
    };
    tell(&args.job, &state.job, args.json, &next)
}

fn cancel(args: &Cancel) -> Result<(), Failure> {
    let Some(job) = &args.job else {
        let client = plain_client(&args.whom)?;
        let batches = Batches::new(&client).map_err(|e| failure(&e, client.profile()))?;
        let id = args.id.as_deref().unwrap_or_default();
        let state = batches.cancel_id(id).map_err(|e| failure(&e, client.profile()))?;
        return show(&[state], args.json);
    };
    let mut state = State::read(job)?;
    let client = client_of(&state, true)?;
    let batches = Batches::new(&client).map_err(|e| failure(&e, client.profile()))?;
    let cancelled = batches.cancel(&mut state.job);
    state.write(job)?;
    cancelled.map_err(|e| failure(&e, client.profile()))?;
    let next = format!("requests that were answered have results: `instructor batch fetch {}`", job.display());
    tell(job, &state.job, args.json, &next)
}

fn list(args: &List) -> Result<(), Failure> {
    let client = plain_client(&args.whom)?;
    let batches = Batches::new(&client).map_err(|e| failure(&e, client.profile()))?;
    let mut all = Vec::new();
    let mut after = None;
    while all.len() < args.limit {
        let page = batches.list(after.as_deref()).map_err(|e| failure(&e, client.profile()))?;
        all.extend(page.batches);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    all.truncate(args.limit);
    show(&all, args.json)
}

fn show(states: &[BatchState], json: bool) -> Result<(), Failure> {
    if json {
        return output::result(&format!("{:#}", json!(states)));
    }
    let mut rows = vec![["ID", "STATUS", "REQUESTS"].map(String::from)];
    rows.extend(states.iter().map(|state| [state.id.clone(), state.raw_status.clone(), state.counts.to_string()]));
    output::result(&output::table(&rows))
}

/// How a job stands, and what can be done next.
fn tell(path: &Path, job: &BatchJob, json: bool, next: &str) -> Result<(), Failure> {
    if json {
        let told = json!({
            "job": path, "status": job.status(), "submitted": job.is_submitted(), "requests": job.requests,
            "counts": job.counts(), "parts": job.parts,
        });
        return output::result(&format!("{told:#}"));
    }
    let parts = if job.parts.len() > 1 { format!(" in {} parts", job.parts.len()) } else { String::new() };
    let state = match job.is_submitted() {
        true => format!("{}: {}", job.status(), job.counts()),
        false => format!("{} requests{parts}, {} bytes", job.requests, job.bytes),
    };
    output::result(&format!("{state}; {next}"))?;
    for fault in job.parts.iter().filter_map(|part| part.state.as_ref()).flat_map(|state| &state.errors) {
        let line = fault.line.map_or_else(String::new, |line| format!("line {line}: "));
        output::say(&format!("{line}{}", fault.message));
    }
    Ok(())
}

const NONE: Limits = Limits { max_retries: None, timeout: None, deadline: None };

/// The client of a job, with its settings.
fn client(
    whom: &Whom,
    asking: &Asking,
    limits: &Limits,
    costs: &Costs,
    ledger: &Ledger,
    sends: bool,
) -> Result<Client, Failure> {
    target::client(settings::builder(asking, limits, costs, ledger)?, whom, sends, Client::build)
}

fn client_of(state: &State, sends: bool) -> Result<Client, Failure> {
    client(&state.whom(), &state.asking()?, &NONE, &Costs::default(), &Ledger::new(), sends)
}

fn plain_client(whom: &Whom) -> Result<Client, Failure> {
    target::client(instructor::Client::builder(), whom, true, Client::build)
}

fn failure(error: &Error, profile: &Profile) -> Failure {
    Failure::of(error, 0, profile)
}

fn asked(client: &Client, contract: Contract) -> Asked {
    Asked::of_contract(client, contract)
}

/// Goes through rows: the id, the number and the text of each.
fn each(
    path: &Path,
    form: crate::run::args::Format,
    prompt: &Prompt,
    mut row: impl FnMut(String, u64, String) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut rows = source::open(path, form)?;
    let mut number = 0;
    while rows.advance().map_err(|e| source::unread(path, &e))? {
        number += 1;
        let wrong = |why| Failure::unexpected(format!("{}, row {number}: {why}", path.display()));
        let record = rows.record().map_err(wrong)?;
        let Ask { key, text, .. } = prompt.ask(number, &record);
        let id = match key {
            // A text without its quotes, or anything else as it is written.
            Some(key) => serde_json::from_str::<String>(&key).unwrap_or(key),
            None => number.to_string(),
        };
        row(id, number, text.map_err(wrong)?)?;
    }
    Ok(())
}
