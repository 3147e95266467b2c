//! What an HTTP answer is worth: the value, or a failure of one kind.

use std::time::Duration;

use http::HeaderMap;
use instructor_json::Node;

use super::failure::Failure;
use super::listen::generated;
use super::patch::Patching;
use super::spare::{Lost, Spared};
use super::{Given, Job, Left, ReAsk, Shaping, Stop};
use crate::error::ErrorKind;
use crate::message::{Message, Part, ToolCall};
use crate::mode::Plan;
use crate::model::Contract;
use crate::provider::Profile;
use crate::repair::short;
use crate::schema::{Cut, Found, Lowered, Reader};
use crate::stream::BadItems;
use crate::validate::{Checking, Issue, Issues, Origin, Path};
use crate::wire::{CUT, Failure as ApiFailure, Finish, Response, Undecoded, read_failure, read_response};

pub(crate) type Judge<'a> = dyn Judges + 'a;

pub(crate) trait Judges: Send {
    /// Makes the typed value from its JSON and keeps it, or says what is wrong.
    fn take(&mut self, json: &str) -> Issues;

    /// The JSON that the value is made of is not all of the text that was followed while it arrived, as it came.
    fn note(&mut self, json: &str) {
        let _ = json;
    }

    /// The answer that was followed is going to be read as a whole: what is shown of it need not be there meanwhile.
    /// Whether it is gone.
    fn put_away(&mut self) -> bool {
        false
    }

    /// What was put away is wanted again.
    fn bring_back(&mut self, response: &Response) {
        let _ = response;
    }

    /// [`take`](Self::take), of a value that was kept of another request.
    fn retake(&mut self, json: &str) -> Issues {
        self.take(json)
    }

    /// Drops the value that it keeps.
    fn forget(&mut self) {}

    /// Whether something of the value is to be awaited before it is right.
    fn has_checks(&self) -> bool {
        false
    }

    /// Begins that.
    fn check(&self) -> Option<Checking<'_>> {
        None
    }
}

impl<F: FnMut(&str) -> Issues + Send> Judges for F {
    fn take(&mut self, json: &str) -> Issues {
        self(json)
    }
}

pub(super) enum Verdict<'a> {
    /// With what was done to it, and what was wrong and is given up.
    Taken(Response, Lost),
    /// A text that another call is to make the value of, with the messages of that call.
    Drafted(Response, Vec<Message>, Shaping<'a>),
    Failed(Failure),
}

/// What an answer is one to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'r, 'a> {
    pub(super) job: &'r Job<'a>,
    pub(super) plan: &'r Plan<'a>,
    /// The parts that were asked for, if it was not all.
    pub(super) patching: Option<&'r Patching<'a>>,
}

/// Reads one answer. `now` is the time since the Unix epoch.
pub(super) fn read(
    profile: &Profile,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    now: Duration,
) -> Result<Response, Undecoded> {
    if (200..300).contains(&status) {
        read_response(body, profile)
    } else {
        Err(Undecoded::Failure(read_failure(status, headers, body, now)))
    }
}

/// Judges what a body was read as. Of an answer whose items were given out one by one, as valid
/// ones and others, only the end is judged.
pub(super) fn judge<'a>(
    asked: &Asked<'_, 'a>,
    keep: &mut Judge<'_>,
    outcome: Result<Response, Undecoded>,
    given: &Given,
) -> Verdict<'a> {
    let Asked { job, plan, patching } = *asked;
    let response = match outcome {
        Ok(response) => response,
        Err(Undecoded::Failure(failure)) => return Verdict::Failed(provider_failed(job, failure)),
        Err(Undecoded::Unreadable(why)) => return Verdict::Failed(Failure::new(ErrorKind::Malformed, why)),
        Err(Undecoded::Cut) => {
            return Verdict::Failed(Failure { broken: true, ..Failure::new(ErrorKind::Truncated, CUT) });
        }
    };
    if let Some(shaping) = job.shaping.filter(|_| plan.drafts()) {
        let failure = match (ended_badly(job, &response), Plan::shape(&response)) {
            (None, Some(messages)) => return Verdict::Drafted(response, messages, shaping),
            (Some(failure), _) => failure,
            (None, None) => Failure::new(ErrorKind::Malformed, "the answer is empty, wanted a text"),
        };
        return Verdict::Failed(Failure { usage: response.usage, ..failure });
    }
    let mut done = Lost::default();
    let mut weighed = |done: &mut _| match &given.left {
        Some(left) => Some(left_over(asked, left)),
        None if given.any => None,
        None => {
            let away = patching.is_none() && keep.put_away();
            let failure = weigh(asked, keep, &response, (done, away));
            if away && (failure.is_some() || keep.has_checks()) {
                keep.bring_back(&response);
            }
            failure
        }
    };
    match ended_badly(job, &response).or_else(|| weighed(&mut done)) {
        None => Verdict::Taken(response, done),
        Some(mut failure) => {
            if failure.kind == ErrorKind::Truncated && !given.any {
                failure.cut = cut_off(asked, &response).map(Box::new);
            }
            failure.repairs = done.repairs;
            failure.usage = response.usage;
            failure.rejected = Some(match &given.left {
                Some(Left::Items { places, list, .. }) if failure.partly => plan.only(response, places, list),
                _ => response,
            });
            Verdict::Failed(failure)
        }
    }
}

fn provider_failed(job: &Job<'_>, failure: ApiFailure) -> Failure {
    let mut detail = failure.describe();
    if failure.kind == ErrorKind::Auth && job.endpoint.keyring.is_none() {
        let variables: Vec<&str> = job.endpoint.profile.key_env().collect();
        if !variables.is_empty() {
            detail.push_str(&format!(" (check {})", variables.join(" or ")));
        }
    }
    let rejected = failure.generation.map(|text| Response { parts: vec![Part::Text(text)], ..Response::default() });
    let mut issues = Issues::new();
    if rejected.is_some() {
        let wanted = failure.message.unwrap_or_else(|| String::from("an answer in the form that was asked for"));
        issues.push(Issue::found_by(Origin::Reading, Path::root(), wanted));
    }
    let (declined, retry_after) = (failure.declined, failure.retry_after);
    let usage = failure.usage.map(|usage| *usage).unwrap_or_default();
    Failure { issues, rejected, declined, retry_after, usage, ..Failure::new(failure.kind, detail) }
}

/// Answers that are none, however much of them can be read.
fn ended_badly(job: &Job<'_>, response: &Response) -> Option<Failure> {
    let failed = |kind, detail: String, said: Option<&str>| {
        let mut issues = Issues::new();
        if let Some(said) = said.filter(|s| !s.is_empty()) {
            issues.push(Issue::found_by(Origin::Reading, Path::root(), "an answer").got(said));
        }
        Some(Failure { issues, ..Failure::new(kind, detail) })
    };
    if let Some(said) = &response.refusal {
        let detail = String::from("rephrase the request or ask another model; the issues have the model's words");
        return failed(ErrorKind::Refused, detail, Some(said));
    }
    match &response.finish {
        Some(Finish::Length) => {
            let tokens = response.usage.output.map_or_else(String::new, |n| format!(" after {n} output tokens"));
            let limit = match job.settings.max_tokens {
                Some(limit) => format!("raise max_tokens, now {limit}"),
                None => String::from("set a higher max_tokens"),
            };
            failed(ErrorKind::Truncated, format!("the model stopped{tokens}; {limit}"), None)
        }
        Some(Finish::Filtered) => failed(ErrorKind::Filtered, String::from("the provider's filter stopped it"), None),
        Some(Finish::Refused) => failed(ErrorKind::Refused, String::new(), None),
        _ => None,
    }
}

/// What is asked for again by itself, as if it were all that had been said.
fn left_over(asked: &Asked<'_, '_>, left: &Left) -> Failure {
    let plan = asked.plan;
    let (places, list, issues, told) = match left {
        Left::Items { places, list, issues, told } => (places, list, issues, told),
        Left::Odd { wanted, got } => {
            let detail = format!("{got} items came where {wanted} were asked for again");
            return Failure { partly: true, ..Failure::new(ErrorKind::Malformed, detail) };
        }
    };
    let mut said = Issues::new();
    if !plan.has_calls() {
        let wanted = format!("these {} items alone, in this order: the others are right", places.len());
        said.push(Issue::found_by(Origin::Reading, Path::root(), wanted));
    }
    let shown = plan.said(list);
    let shown = plan.lowered().and_then(|lowered| found(asked, &shown).ok()?.told(told, lowered));
    said.extend(shown.unwrap_or_else(|| told.clone()));
    Failure { told: Some(said), partly: true, ..wrong(issues.clone()) }
}

/// From the response to the value: find it, check it against the schema, make the type of it, run its validators. `away`
/// if what is shown of it was put away.
fn weigh(
    asked: &Asked<'_, '_>,
    keep: &mut Judge<'_>,
    response: &Response,
    (done, away): (&mut Lost, bool),
) -> Option<Failure> {
    let Asked { job, plan, patching } = *asked;
    let malformed = |issue: Issue| {
        let detail = brief(std::slice::from_ref(&issue));
        Some(Failure { issues: issue.into(), ..Failure::new(ErrorKind::Malformed, detail) })
    };
    let mut answer = match plan.answer(response, job.reading) {
        Ok(answer) => answer,
        Err(issue) => return malformed(issue),
    };
    done.repairs = std::mem::take(&mut answer.repairs);
    let text = std::mem::take(&mut answer.text);
    let mut found = match found(asked, &text) {
        Ok(found) if found.truncated => return malformed(cut()),
        Ok(found) => found,
        Err(issue) => return malformed(issue),
    };
    done.repairs.append(&mut found.repairs);
    let (issues, told, whole, spared) = match patching {
        None => {
            let wrong = std::mem::take(&mut found.issues);
            let complete = !answer.lacks_items();
            let found_issues = if wrong.is_empty() {
                // The nodes go before the value is made, which is as large as they are: something is rarely wrong with it.
                let json = found.into_json();
                if !(away && done.repairs.is_empty()) {
                    keep.note(&json);
                }
                let issues = job.contract.masked(keep.take(&json));
                if issues.is_empty() && complete {
                    keep_json(job, done, &json);
                    return None;
                }
                drop(json);
                found = match self::found(asked, &text) {
                    Ok(found) => found,
                    Err(issue) => return malformed(issue),
                };
                issues
            } else {
                against(job.contract, wrong, found.value(), keep)
            };
            let issues = answer.issues(found_issues);
            if issues.is_empty() {
                keep_json(job, done, found.value().source());
                return None;
            }
            keep.note(found.value().source());
            let told = plan.lowered().and_then(|lowered| found.told(&issues, lowered));
            let spared = spares(job).filter(|_| complete).and_then(|()| Spared::of(job, found.value(), &issues));
            (issues, told, complete.then(|| String::from(found.value().source())), spared)
        }
        Some(patching) if patching.broke().is_some() => {
            let unfit = patching.unfit(std::mem::take(&mut found.issues));
            if !unfit.is_empty() {
                let shown = plan.lowered().and_then(|lowered| found.told(&unfit, lowered));
                let told = shown.or_else(|| Some(unfit.clone()));
                return Some(Failure { told, ..wrong(patching.placed(unfit)) });
            }
            let Some(joined) = patching.joined(found.value()) else { return malformed(cut()) };
            let mut whole = match reading(job, job.contract, None, &joined) {
                Ok(whole) => whole,
                Err(issue) => return malformed(issue),
            };
            done.repairs.append(&mut whole.repairs);
            let issues = against(job.contract, std::mem::take(&mut whole.issues), whole.value(), keep);
            if issues.is_empty() {
                keep_json(job, done, whole.value().source());
                return None;
            }
            return Some(Failure { answer: Some(String::from(whole.value().source())), ..wrong(issues) });
        }
        Some(patching) => {
            let wrong = std::mem::take(&mut found.issues);
            let Some(document) = patching.apply(found.value(), &wrong) else { return malformed(cut()) };
            let issues = if wrong.is_empty() {
                against(job.contract, job.contract.issues(document.root()), document.root(), keep)
            } else {
                patching.placed(wrong.clone())
            };
            if issues.is_empty() {
                keep_json(job, done, document.text());
                return None;
            }
            // Parts that came wrong are not in it, but others that were wrong before.
            let spared = spares(job).and_then(|()| {
                let own = if wrong.is_empty() { issues.clone() } else { job.contract.issues(document.root()) };
                Spared::of(job, document.root(), &own)
            });
            (issues, None, Some(String::from(document.text())), spared)
        }
    };
    if job.bad_items != BadItems::ReAsk
        && let Some(lost) = spared.as_ref().and_then(|spared| spared.without(job, keep))
    {
        done.repairs.extend(lost.repairs);
        done.issues = lost.issues;
        return None;
    }
    let spared = spared.filter(|_| job.bad_items == BadItems::ReAsk).map(Box::new);
    let whole = whole.filter(|_| job.reask != ReAsk::Full);
    Some(Failure { told, answer: whole, spared, ..wrong(issues) })
}

/// Notes the JSON of a value that is valid, if it is going to be kept.
fn keep_json(job: &Job<'_>, done: &mut Lost, json: &str) {
    done.json = job.cached.map(|_| String::from(json));
}

/// Whether the type has lists whose items may fail by themselves.
fn spares(job: &Job<'_>) -> Option<()> {
    job.contract.salvages().then_some(())
}

fn found<'t>(asked: &Asked<'_, '_>, text: &'t str) -> Result<Found<'t>, Issue> {
    let contract = asked.plan.contract();
    reading(asked.job, contract, asked.plan.lowered(), text)
}

fn reading<'t>(
    job: &Job<'_>,
    contract: &Contract,
    lowered: Option<&Lowered>,
    text: &'t str,
) -> Result<Found<'t>, Issue> {
    let check = |node: Node<'_>| contract.issues(node);
    let secret = |path: &Path| contract.is_secret(path);
    Reader { schema: contract.schema(), check: &check, secret: &secret, lowered, options: job.reading, always: false }
        .read(text)
}

/// What is there of an answer that was cut, in the canonical form of all of it.
fn cut_off(asked: &Asked<'_, '_>, response: &Response) -> Option<Cut> {
    let cut = asked.plan.cut(response, asked.job.reading)?;
    match asked.patching {
        None => Some(cut),
        Some(patching) => patching.joined_cut(&cut),
    }
}

/// An answer that is not valid.
fn wrong(issues: Issues) -> Failure {
    let rules_only = issues.as_slice().iter().all(|issue| issue.origin() == Origin::Rule);
    let kind = if rules_only { ErrorKind::Rejected } else { ErrorKind::SchemaMismatch };
    let detail = brief(issues.as_slice());
    Failure { issues, ..Failure::new(kind, detail) }
}

/// What the schema, the type and the validators say, together, so that one re-ask can mend all of it. What the type
/// says adds nothing once the schema has spoken.
fn against(contract: &Contract, mut issues: Issues, value: Node<'_>, keep: &mut Judge<'_>) -> Issues {
    keep.note(value.source());
    let more = keep.take(value.source());
    let schema_spoke = !issues.is_empty();
    issues.extend(contract.masked(more).into_iter().filter(|issue| !schema_spoke || issue.origin() == Origin::Rule));
    issues
}

/// An answer that was not read to its end, as a failure.
pub(super) fn stopped(mut response: Response, stop: Stop) -> Failure {
    let mut said = 0;
    for part in &mut response.parts {
        if let Part::Text(text) | Part::ToolCall(ToolCall { arguments: text, .. }) = part {
            said += text.len();
            if stop.kind == ErrorKind::Runaway {
                // What is enough to know it again.
                *text = short(text);
            }
        }
    }
    Failure {
        issues: stop.issues,
        usage: response.usage,
        stopped: Some(generated(response.usage, said)),
        rejected: Some(response).filter(|response| !response.parts.is_empty()),
        ..Failure::new(stop.kind, stop.detail)
    }
}

fn cut() -> Issue {
    Issue::found_by(Origin::Reading, Path::root(), "a complete JSON value; the answer ends inside one")
}

/// The first issues in one line, without text of the answer.
pub(crate) fn brief(issues: &[Issue]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = issues
        .iter()
        .take(SHOWN)
        .map(|issue| match (issue.origin(), issue.got_text()) {
            (Origin::Reading, Some(got)) => format!("got {got}, wanted {}", issue.wanted()),
            _ => format!("{}: wanted {}", issue.path(), issue.wanted()),
        })
        .collect();
    let more = issues.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join("; "))
}
