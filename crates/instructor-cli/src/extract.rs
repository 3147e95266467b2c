//! `instructor extract`: one request, its value on standard output.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use instructor::blocking::Client;
use instructor::cache::CacheEvent;
use instructor::{Attempt, Error, Ledger, Preview, Profile, Report};
use serde_json::{Value, json};

use crate::args::Extract;
use crate::failure::Failure;
use crate::secret::hidden;
use crate::{input, output, settings, target, usage};

pub(crate) fn run(args: &Extract) -> Result<(), Failure> {
    // The text comes last: nobody should type or pipe it only to hear that the key is missing.
    let contract = input::contract(&args.schema)?;
    let ledger = Ledger::new();
    let mut builder = settings::builder(&args.asking, &args.limits, &args.costs, &ledger)?;
    if let Some(cost) = args.max_cost {
        builder = builder.budget(settings::budget(&args.limits).with_cost(cost));
    }
    let client = target::client(builder, &args.whom, !args.dry_run, Client::build)?;
    let text = input::text(args.file.as_deref())?;
    let request = client.request(settings::messages(&args.asking, text));
    let failed = |error: &Error| failure(error, args, client.profile());
    if args.dry_run {
        let preview = request.preview_value(&contract).map_err(|e| failed(&e))?;
        if args.json {
            return output::result(&previewed(&preview).to_string());
        }
        let strict = if preview.is_strict() { ", strict" } else { "" };
        output::say(&format!("mode {}{strict}", preview.mode()));
        return output::result(&preview.to_string());
    }
    let done = request.create_json(&contract);
    // A call is paid whatever comes of it.
    let written = args.costs.ledger.as_deref().map_or(Ok(()), |file| usage::append(&ledger, file));
    let (json, completion) = done.map_err(|e| failed(&e))?;
    // It costs no less the next time, which is worth to know.
    for event in completion.report.cache().iter().filter(|event| matches!(event, CacheEvent::Failed(..))) {
        output::say(&event.to_string());
    }
    if args.verbose > 0 {
        output::say(&hidden(&story(&completion.report, args), client.profile()));
    }
    if args.json {
        let Value::Object(used) = usage::of(&completion.report) else { return written };
        // The value is put in as it is, so that numbers keep every digit.
        let used = Value::from(used).to_string();
        output::result(&format!("{{\"value\":{},{}", output::compact(&json), used.trim_start_matches('{')))?;
        return written;
    }
    output::result(&if args.compact { output::compact(&json) } else { output::indented(&json) })?;
    written
}

/// A request that is only shown, as JSON.
fn previewed(preview: &Preview) -> Value {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        let shown = if value.is_sensitive() { Cow::Borrowed("***") } else { String::from_utf8_lossy(value.as_bytes()) };
        (name.to_string(), Value::from(shown))
    };
    json!({
        "mode": preview.mode().as_str(),
        "strict": preview.is_strict(),
        "url": preview.url(),
        "headers": preview.headers().iter().map(header).collect::<serde_json::Map<_, _>>(),
        "body": preview.json(),
    })
}

/// The attempts of a success, each with its issues for those who want them.
fn story(report: &Report, args: &Extract) -> String {
    let mut lines = Vec::new();
    for attempt in report.attempts() {
        lines.push(attempt.to_string());
        if args.verbose > 1 && !attempt.issues.is_empty() {
            lines.push(attempt.issues.to_string());
        }
    }
    let told = report.cache().iter().filter(|event| !matches!(event, CacheEvent::Failed(..)));
    lines.extend(told.map(CacheEvent::to_string));
    lines.push(total(report));
    lines.join("\n")
}

fn total(report: &Report) -> String {
    let calls = report.attempts().len();
    format!(
        "{calls} {}, {} ms, {}, {}",
        if calls == 1 { "attempt" } else { "attempts" },
        report.elapsed().as_millis(),
        report.usage(),
        report.cost()
    )
}

/// The error's own words tell the attempts; here is what they leave out.
fn failure(error: &Error, args: &Extract, profile: &Profile) -> Failure {
    let report = error.report();
    let mut details = Vec::new();
    if args.verbose > 1 {
        details.extend(report.attempts().iter().filter_map(issues));
        details.extend(error.raw().map(body));
    }
    if args.verbose > 0 && !report.attempts().is_empty() {
        details.push(total(report));
    }
    let details = details.iter().map(|detail| hidden(detail, profile)).collect();
    Failure::of(error, args.verbose, profile).details(details)
}

fn issues(attempt: &Attempt) -> Option<String> {
    let Attempt { number, issues, .. } = attempt;
    (!issues.is_empty()).then(|| format!("issues of attempt {number}:\n{issues}"))
}

/// The last body, as far as a terminal wants it.
fn body(raw: &[u8]) -> String {
    const SHOWN: usize = 4000;
    let text = String::from_utf8_lossy(raw);
    let shown: String = text.trim().chars().take(SHOWN).collect();
    let cut = if shown.len() < text.trim().len() { " (cut)" } else { "" };
    format!("the last response body, {} bytes{cut}:\n{shown}", raw.len())
}
