//! `instructor usage`: what ledgers come to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;

use instructor::{Cost, Entry, Ledger, Money, Report, Spend};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::args::{By, Usage};
use crate::failure::Failure;
use crate::{input, output};

/// What is summed under one line: a name for each thing that it is summed by.
type Sums = BTreeMap<Vec<String>, Spend>;

pub(crate) fn run(args: &Usage) -> Result<(), Failure> {
    if args.files.is_empty() && io::stdin().is_terminal() {
        return Err(Failure::setup("no ledger is named").hint("write one with `instructor extract --ledger FILE`"));
    }
    let by = if args.by.is_empty() { &[By::Provider, By::Model][..] } else { &args.by };
    let mut sums = Sums::new();
    let standard = [Path::new("-").to_path_buf()];
    for file in if args.files.is_empty() { &standard[..] } else { &args.files } {
        let bytes = input::bytes(Some(file))?;
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let entry: Entry = line
                .parse()
                .map_err(|error| Failure::unexpected(format!("{}, line {}: {error}", file.display(), number + 1)))?;
            if args.label.as_deref().is_some_and(|label| entry.label.as_deref() != Some(label)) {
                continue;
            }
            *sums.entry(by.iter().map(|by| by.of(&entry)).collect()).or_default() += entry.spend;
        }
    }
    let total = sums.values().fold(Spend::default(), |total, spend| total + *spend);
    output::result(&if args.json { json(by, &sums, &total)? } else { table(by, &sums, &total) })
}

impl By {
    fn of(self, entry: &Entry) -> String {
        match self {
            Self::Day => entry.day.clone(),
            Self::Provider => entry.provider.clone(),
            Self::Model => entry.model.clone(),
            Self::Label => String::from(entry.label.as_deref().unwrap_or("-")),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Label => "label",
        }
    }
}

fn table(by: &[By], sums: &Sums, total: &Spend) -> String {
    let head = by.iter().map(|by| by.name().to_uppercase());
    let columns = ["CALLS", "FAILED", "INPUT", "CACHED", "OUTPUT", "REASONING", "COST"].map(String::from);
    let mut rows = vec![head.chain(columns).collect::<Vec<_>>()];
    let row = |names: Vec<String>, spend: &Spend| {
        let count = |n: Option<u64>| n.map_or_else(|| String::from("?"), |n| n.to_string());
        let Spend { calls, failed, usage, cost, .. } = spend;
        let counts = [usage.input, usage.cached, usage.output, usage.reasoning].map(count);
        let cells = [calls.to_string(), failed.to_string()].into_iter().chain(counts).chain([cost.to_string()]);
        names.into_iter().chain(cells).collect::<Vec<_>>()
    };
    rows.extend(sums.iter().map(|(names, spend)| row(names.clone(), spend)));
    if sums.len() != 1 {
        let names = by.iter().enumerate().map(|(i, _)| String::from(if i == 0 { "total" } else { "" }));
        rows.push(row(names.collect(), total));
    }
    output::table(&rows)
}

/// A sum as JSON.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    names: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    counts: Counts,
}

/// What some calls used and cost, as JSON.
#[derive(Serialize)]
pub(crate) struct Counts {
    calls: u64,
    failed: u64,
    uncounted: u64,
    input: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    usd: Box<RawValue>,
    usd_estimated: Box<RawValue>,
    unknown_cost: u64,
}

fn json(by: &[By], sums: &Sums, total: &Spend) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct All {
        by: Vec<Line>,
        total: Line,
    }
    let line = |names: BTreeMap<&'static str, String>, spend: &Spend| Ok(Line { names, counts: counts(spend)? });
    let named = |(names, spend): (&Vec<String>, &Spend)| {
        line(by.iter().map(|by| by.name()).zip(names.iter().cloned()).collect(), spend)
    };
    let by = sums.iter().map(named).collect::<Result<_, Failure>>()?;
    serde_json::to_string_pretty(&All { by, total: line(BTreeMap::new(), total)? }).map_err(unwritten)
}

pub(crate) fn counts(spend: &Spend) -> Result<Counts, Failure> {
    // A number with every digit, which no float is made of.
    let number = |money: Money| RawValue::from_string(money.to_string().replace('$', "")).map_err(unwritten);
    let Spend { calls, failed, uncounted, usage, cost, .. } = *spend;
    Ok(Counts {
        calls,
        failed,
        uncounted,
        input: usage.input,
        cached: usage.cached,
        cache_write: usage.cache_write,
        cache_write_1h: usage.cache_write_1h,
        output: usage.output,
        reasoning: usage.reasoning,
        usd: number(cost.known)?,
        usd_estimated: number(cost.estimated)?,
        unknown_cost: cost.unknown,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err calls it")]
fn unwritten(error: serde_json::Error) -> Failure {
    Failure::unexpected(format!("the sums can't be written: {error}"))
}

/// Adds what a ledger has to a file, in one go: others may be writing to it.
pub(crate) fn append(ledger: &Ledger, file: &Path) -> Result<(), Failure> {
    let lines: String = ledger.take().iter().map(|entry| format!("{entry}\n")).collect();
    let written = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(lines.as_bytes()));
    written.map_err(|error| Failure::unexpected(format!("{} can't be written: {error}", file.display())))
}

/// What a request used and cost, as members of an object.
pub(crate) fn of(report: &Report) -> Value {
    let (usage, cost) = (report.usage(), report.cost());
    json!({
        "usage": {
            "input": usage.input, "output": usage.output, "cached": usage.cached, "reasoning": usage.reasoning,
            "attempts": report.attempts().len(),
        },
        // A cost of which a part is not known is not known.
        "usd": cost.is_complete().then(|| number(&cost)),
    })
}

fn number(cost: &Cost) -> Value {
    let text = cost.total().to_string().replace('$', "");
    serde_json::from_str(&text).unwrap_or_default()
}
