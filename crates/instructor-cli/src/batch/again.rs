//! `instructor batch retry`: what has failed is asked again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use instructor::Ledger;
use instructor::batch::Failed;
use serde::Deserialize;
use serde_json::json;

use super::args::Retry;
use super::results::{append, some_failed};
use super::state::{State, beside, next, replace, requests, unwritten};
use super::{asked, client, each, failure, tell};
use crate::failure::Failure;
use crate::run::source;
use crate::{output, settings, usage};

pub(super) fn retry(args: &Retry) -> Result<(), Failure> {
    let state = State::read(&args.job)?;
    let failed = Failures::open(&beside(&args.job, "failed"))?;
    if failed.at.is_empty() {
        return output::result("nothing has failed");
    }
    if args.live { live(args, &state, failed) } else { batch(args, state, failed) }
}

/// The next batch.
fn batch(args: &Retry, mut state: State, mut failed: Failures) -> Result<(), Failure> {
    let round = state.round + 1;
    let job = next(&args.job, round);
    if job.exists() && !args.overwrite {
        return Err(Failure::setup(format!("{} is there already", job.display()))
            .hint("go on with it, or begin it anew with --overwrite"));
    }
    let asking = state.asking()?;
    let client = client(&state.whom(), &asking, &args.limits, &args.costs, &Ledger::new(), false)?;
    let extraction = asked(&client, state.contract()?);
    let to = beside(&job, "requests");
    let file = File::create(&to).map_err(|e| unwritten(&to, &e))?;
    let mut writer = extraction.writer(BufWriter::new(file));
    let (prompt, form) = state.prompt()?;
    let mut left: Vec<(String, instructor::Error)> = Vec::new();
    each(&state.rows.path, form, &prompt, |id, _, text| {
        let Some(failed) = failed.get(&id)? else { return Ok(()) };
        match writer.again(&failed, settings::messages(&asking, text)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == instructor::ErrorKind::Io => Err(failure(&error, client.profile())),
            Err(error) => {
                left.push((id, error));
                Ok(())
            }
        }
    })?;
    let written = writer.requests();
    writer.finish().map_err(|e| failure(&e, client.profile()))?;
    for (id, error) in left.iter().take(3) {
        output::say(&format!("{id} is not asked again: {}", failure(error, client.profile())));
    }
    if left.len() > 3 {
        output::say(&format!("{} more are not asked again", left.len() - 3));
    }
    if written == 0 {
        _ = fs::remove_file(&to);
        let mut why = BTreeMap::new();
        left.iter().for_each(|(_, error)| *why.entry(String::from(error.kind().as_str())).or_default() += 1);
        return Err(some_failed(left.len() as u64, &why, &failed.path, &args.job)
            .hint("asking again does not help these; mend the input or the settings"));
    }
    state.job = extraction.job_in_parts(&requests(&job), state.part()).map_err(|e| failure(&e, client.profile()))?;
    state.round = round;
    state.write(&job)?;
    tell(&job, &state.job, args.json, &format!("send them with `instructor batch submit {}`", job.display()))
}

/// Now, some at a time.
fn live(args: &Retry, state: &State, mut failed: Failures) -> Result<(), Failure> {
    let ledger = Ledger::new();
    let asking = state.asking()?;
    let client = client(&state.whom(), &asking, &args.limits, &args.costs, &ledger, true)?;
    let extraction = asked(&client, state.contract()?);
    let out = args.output.clone().unwrap_or_else(|| beside(&args.job, "out"));
    let there = ids(&out)?;
    let (prompt, form) = state.prompt()?;
    let (mut done, mut why) = (0_u64, BTreeMap::<String, u64>::new());
    let mut still: HashSet<String> = failed.at.keys().filter(|id| !there.contains(*id)).cloned().collect();
    let (to_ask, wanted) = mpsc::sync_channel::<(Failed, String)>(args.concurrency as usize);
    let (answered, answers) = mpsc::channel();
    let wanted = Mutex::new(wanted);
    let mut end = Ok(());
    std::thread::scope(|scope| {
        for _ in 0..args.concurrency {
            let (wanted, answered, extraction, asking) = (&wanted, answered.clone(), &extraction, &asking);
            scope.spawn(move || {
                loop {
                    let next = wanted.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((failed, text)) = next else { return };
                    let made = extraction.resume(&failed, settings::messages(asking, text));
                    if answered.send((failed.id, made)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(answered);
        let (failed, still_wanted, path, prompt) = (&mut failed, still.clone(), &state.rows.path, &prompt);
        let reading = scope.spawn(move || {
            each(path, form, prompt, |id, _, text| {
                if !still_wanted.contains(&id) {
                    return Ok(());
                }
                let Some(failed) = failed.get(&id)? else { return Ok(()) };
                // Nobody asks any more only if all of them have ended.
                _ = to_ask.send((failed, text));
                Ok(())
            })
        });
        for (id, made) in answers {
            match made {
                Ok((value, _)) => {
                    // Written before the next comes, so that what is paid is not lost.
                    let line = format!("{{\"id\":{},\"value\":{}}}", json!(id), value.get());
                    if let Err(error) = append(&out, &line) {
                        end = Err(error);
                        continue;
                    }
                    still.remove(&id);
                    done += 1;
                }
                Err(error) => {
                    output::say(&format!("{id}: {}", failure(&error, client.profile())));
                    *why.entry(String::from(error.kind().as_str())).or_default() += 1;
                }
            }
        }
        if let Ok(Err(error)) = reading.join() {
            end = Err(error);
        }
    });
    let path = failed.path.clone();
    failed.keep(&path, &still)?;
    if let Some(file) = &args.costs.ledger {
        usage::append(&ledger, file)?;
    }
    end?;
    let spent = ledger.total();
    let total: u64 = why.values().sum();
    if args.json {
        let told = json!({ "done": done, "failed": total, "why": why, "output": out, "spent": usage::counts(&spent)? });
        output::result(&format!("{told:#}"))?;
    } else {
        output::result(&format!("{done} values more in {}, {}", out.display(), spent.cost))?;
    }
    if total == 0 { Ok(()) } else { Err(some_failed(total, &why, &path, &args.job)) }
}

/// The failures of a file, of which only the places are in memory.
struct Failures {
    path: PathBuf,
    file: BufReader<File>,
    at: HashMap<String, u64>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Failures {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|e| {
            source::unread(path, &e).hint("`instructor batch fetch` writes it when the results are there")
        })?;
        let mut file = BufReader::new(file);
        let mut at = HashMap::new();
        let (mut line, mut place) = (String::new(), 0);
        while file.read_line(&mut line).map_err(|e| source::unread(path, &e))? > 0 {
            let Id { id } = serde_json::from_str(&line)
                .map_err(|error| Failure::unexpected(format!("{} is no list of failures: {error}", path.display())))?;
            // Of what came twice the first is the request's own.
            at.entry(id).or_insert(place);
            place += line.len() as u64;
            line.clear();
        }
        Ok(Self { path: path.to_path_buf(), file, at })
    }

    fn get(&mut self, id: &str) -> Result<Option<Failed>, Failure> {
        let Some(&place) = self.at.get(id) else { return Ok(None) };
        let mut line = String::new();
        let read = self.file.seek(SeekFrom::Start(place)).and_then(|_| self.file.read_line(&mut line));
        read.map_err(|e| source::unread(&self.path, &e))?;
        let failed = serde_json::from_str(&line);
        failed.map(Some).map_err(|e| Failure::unexpected(format!("{} can't be read: {e}", self.path.display())))
    }

    /// Writes the file anew, with these alone.
    fn keep(&mut self, path: &Path, ids: &HashSet<String>) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for id in ids {
            if let Some(failed) = self.get(id)? {
                lines.push(failed);
            }
        }
        replace(path, |file| lines.iter().try_for_each(|failed| writeln!(file, "{}", serde_json::to_string(failed)?)))
    }
}

/// The ids of the values that are there.
fn ids(path: &Path) -> Result<HashSet<String>, Failure> {
    if !path.exists() {
        return Ok(HashSet::new());
    }
    let file = BufReader::new(File::open(path).map_err(|e| source::unread(path, &e))?);
    let mut ids = HashSet::new();
    for line in file.lines() {
        let line = line.map_err(|e| source::unread(path, &e))?;
        if let Ok(Id { id }) = serde_json::from_str(&line) {
            ids.insert(id);
        }
    }
    Ok(ids)
}
