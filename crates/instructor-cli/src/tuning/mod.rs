//! `instructor files` and `instructor jobs`: a provider's files, and fine-tuning.

pub(crate) mod args;

use std::path::Path;

use instructor::blocking::Client;
use instructor::tuning::{self, FileState, Tuning, TuningState, Tunings};
use instructor::{Error, Profile};
use serde::Serialize;
use serde_json::json;

use self::args::{At, Create, Files, FilesStep, Jobs, JobsStep, Waiting};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, target};

pub(crate) fn files(args: &Files) -> Result<(), Failure> {
    let (FilesStep::Upload { at, .. }
    | FilesStep::List { at }
    | FilesStep::Status { at, .. }
    | FilesStep::Download { at, .. }
    | FilesStep::Delete { at, .. }) = &args.step;
    let client = client(at)?;
    let fail = |error: Error| failure(&error, client.profile());
    let files = tuning::Files::new(&client).map_err(fail)?;
    match &args.step {
        FilesStep::Upload { file, purpose, .. } => one(&files.upload(file, purpose).map_err(fail)?, at, file_row),
        FilesStep::List { .. } => all(&files.list().map_err(fail)?, at, FILE_HEAD, file_row),
        FilesStep::Status { id, .. } => one(&files.state(id).map_err(fail)?, at, file_row),
        FilesStep::Download { id, output: to, .. } => {
            let mut bytes = Ok(0);
            let written = crate::batch::state::replace(to, |file| {
                bytes = files.download(id, file);
                if bytes.is_err() { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
            });
            let bytes = bytes.map_err(fail)?;
            written?;
            match at.json {
                true => output::result(&json!({ "id": id, "output": to, "bytes": bytes }).to_string()),
                false => output::result(&format!("{bytes} bytes in {}", to.display())),
            }
        }
        FilesStep::Delete { id, .. } => {
            files.delete(id).map_err(fail)?;
            match at.json {
                true => output::result(&json!({ "id": id, "deleted": true }).to_string()),
                false => output::result(&format!("{id} is deleted")),
            }
        }
    }
}

pub(crate) fn jobs(args: &Jobs) -> Result<(), Failure> {
    let at = match &args.step {
        JobsStep::Create(args) => &args.at,
        JobsStep::List { at, .. } | JobsStep::Status { at, .. } | JobsStep::Cancel { at, .. } => at,
    };
    let client = client(at)?;
    let fail = |error: Error| failure(&error, client.profile());
    let tunings = Tunings::new(&client).map_err(fail)?;
    match &args.step {
        JobsStep::Create(args) => {
            let tuning = tuning(args, &client)?;
            let state = tunings.create(&tuning).map_err(fail)?;
            ended(&tunings, state, &args.wait, at, client.profile())
        }
        JobsStep::List { limit, .. } => all(&tunings.list(*limit).map_err(fail)?, at, JOB_HEAD, job_row),
        JobsStep::Status { id, wait, .. } => {
            let state = tunings.state(id).map_err(fail)?;
            ended(&tunings, state, wait, at, client.profile())
        }
        JobsStep::Cancel { id, .. } => one(&tunings.cancel(id).map_err(fail)?, at, job_row),
    }
}

fn tuning(args: &Create, client: &Client) -> Result<Tuning, Failure> {
    let model = client.model().unwrap_or_default();
    let mut tuning = Tuning::new(model, file(&args.file, client)?);
    if let Some(validation) = &args.validation_file {
        tuning = tuning.validation_file(file(validation, client)?);
    }
    if let Some(suffix) = &args.suffix {
        tuning = tuning.suffix(suffix);
    }
    if let Some(epochs) = args.epochs {
        tuning = tuning.epochs(epochs);
    }
    if let Some(size) = args.batch_size {
        tuning = tuning.batch_size(size);
    }
    if let Some(factor) = args.learning_rate_multiplier {
        tuning = tuning.learning_rate_multiplier(factor);
    }
    Ok(tuning)
}

/// The id of a file: of one that is here once it is uploaded, or as it is given.
fn file(named: &str, client: &Client) -> Result<String, Failure> {
    let path = Path::new(named);
    if !path.exists() {
        if named.contains(['/', '.']) {
            return Err(Failure::unexpected(format!("{named} is no file that is here, and no id of one")));
        }
        return Ok(String::from(named));
    }
    let fail = |error: Error| failure(&error, client.profile());
    let files = tuning::Files::new(client).map_err(fail)?;
    let state = files.upload(path, "fine-tune").map_err(fail)?;
    output::say(&format!("{named} is uploaded as {}", state.id));
    Ok(state.id)
}

/// Shows a job, once it is over if that is waited for.
fn ended(
    tunings: &Tunings<'_, Client>,
    mut state: TuningState,
    wait: &Waiting,
    at: &At,
    profile: &Profile,
) -> Result<(), Failure> {
    while wait.wait && !state.is_over() {
        std::thread::sleep(wait.every);
        state = tunings.state(&state.id).map_err(|error| failure(&error, profile))?;
    }
    one(&state, at, job_row)?;
    match (&state.error, wait.wait && state.tuned_model.is_none()) {
        (Some(error), _) => Err(Failure::new(Exit::Provider, format!("the job failed: {error}"))),
        (None, true) => Err(Failure::new(Exit::Provider, format!("the job is {}", state.status))),
        (None, false) => Ok(()),
    }
}

const FILE_HEAD: [&str; 5] = ["ID", "PURPOSE", "BYTES", "STATUS", "NAME"];

fn file_row(state: &FileState) -> [String; 5] {
    let FileState { id, name, purpose, bytes, status, .. } = state;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("-"));
    let bytes = bytes.map_or_else(|| String::from("-"), |bytes| bytes.to_string());
    [id.clone(), text(purpose), bytes, text(status), text(name)]
}

const JOB_HEAD: [&str; 4] = ["ID", "STATUS", "MODEL", "TUNED MODEL"];

fn job_row(state: &TuningState) -> [String; 4] {
    let TuningState { id, model, status, tuned_model, .. } = state;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("-"));
    [id.clone(), status.clone(), text(model), text(tuned_model)]
}

fn one<S: Serialize, const N: usize>(state: &S, at: &At, row: fn(&S) -> [String; N]) -> Result<(), Failure> {
    match at.json {
        true => output::result(&format!("{:#}", json!(state))),
        false => output::result(&output::table(&[row(state)])),
    }
}

fn all<S: Serialize, const N: usize>(
    states: &[S],
    at: &At,
    head: [&str; N],
    row: fn(&S) -> [String; N],
) -> Result<(), Failure> {
    if at.json {
        return output::result(&format!("{:#}", json!(states)));
    }
    let rows: Vec<[String; N]> = [head.map(String::from)].into_iter().chain(states.iter().map(row)).collect();
    output::result(&output::table(&rows))
}

fn client(at: &At) -> Result<Client, Failure> {
    target::client(instructor::Client::builder(), &at.whom, true, Client::build)
}

fn failure(error: &Error, profile: &Profile) -> Failure {
    Failure::of(error, 0, profile)
}
