//! How fast text is read, against serde_json on valid text of the same size, and against others who repair.

use std::error::Error;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::readers::{JITER, JSONREPAIR, LLM_JSON, OURS, OURS_TO_VALUE, PREFIXES, PUSHES, Reader, SERDE_JSON};
use crate::report::Options;
use crate::table::{figure, median};
use crate::{texts, usage};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const KB: usize = 1 << 10;

/// What a row may not go over.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Limit {
    /// So many times serde_json's time.
    ratio: Option<f64>,
    exponent: Option<f64>,
    /// So much above serde_json's exponent.
    exponent_more: Option<f64>,
}

/// Whether the answer was the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Right,
    Wrong,
    Refused,
}

/// One reader on one text.
struct Task {
    size: usize,
    reader: Reader,
    text: Rc<str>,
    /// The text is the valid one without fence and words, which the reader does not take.
    bare: bool,
    answer: Answer,
    limit: Limit,
    /// How often it reads to be timed.
    runs: u32,
    /// Microseconds of one reading, by round.
    took: Vec<f64>,
}

#[derive(Serialize)]
struct Row {
    scenario: &'static str,
    size: usize,
    reader: String,
    us: f64,
    /// To serde_json on bare valid text of this size: the median of the rounds' ratios.
    ratio: f64,
    /// How time grows with size, 1 being linear: from the largest size that is a quarter of this at most.
    exponent: Option<f64>,
    answer: Answer,
    limit: Limit,
    within: Option<bool>,
}

#[derive(Serialize)]
struct Report {
    quick: bool,
    rounds: usize,
    rows: Vec<Row>,
}

struct Bench {
    options: Options,
    rounds: usize,
    batch: Duration,
    rows: Vec<Row>,
}

/// Measures reading.
pub(crate) fn parse(options: Options) -> Result<()> {
    let (rounds, batch) = if options.quick { (3, 10) } else { (11, 40) };
    let mut bench = Bench { options, rounds, batch: Duration::from_millis(batch), rows: Vec::new() };
    if !options.json {
        if cfg!(debug_assertions) {
            println!("note: this is not a release build: its ratios mean nothing");
        }
        println!(
            "{:<15} {:>6} {:<25} {:>10} {:>8} {:>6}  {:<8} limit",
            "text", "size", "reader", "us", "ratio", "exp", "answer"
        );
    }
    bench.fence()?;
    bench.dirty()?;
    bench.pushes()?;
    if options.json {
        let report = Report { quick: options.quick, rounds, rows: bench.rows };
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(())
}

const LARGER: Limit = Limit { ratio: None, exponent: None, exponent_more: Some(0.15) };

impl Bench {
    /// Valid, in a fence, with words around.
    fn fence(&mut self) -> Result<()> {
        let mut tasks = Vec::new();
        for (size, limit) in [(64 * KB, Limit { ratio: Some(1.2), ..Limit::default() }), (KB * KB, LARGER)] {
            let valid = texts::valid(size);
            let wanted = serde_json::from_str(&valid)?;
            let (fenced, valid) = (texts::fenced(&valid).into(), valid.into());
            for reader in [SERDE_JSON, JITER] {
                tasks.push(Task { bare: true, ..self.task(size, reader, &valid, &wanted) });
            }
            tasks.push(Task { limit, ..self.task(size, OURS, &fenced, &wanted) });
            tasks.extend([OURS_TO_VALUE, JSONREPAIR, LLM_JSON].map(|peer| self.task(size, peer, &fenced, &wanted)));
        }
        self.measure("fence and words", tasks);
        Ok(())
    }

    /// The same records with all that can be repaired, and cut.
    fn dirty(&mut self) -> Result<()> {
        let mut tasks = Vec::new();
        for (size, limit) in [(64 * KB, Limit::default()), (KB * KB, LARGER)] {
            let valid = texts::valid(size);
            let wanted: Value = serde_json::from_str(&valid)?;
            let dirty = texts::dirty(wanted.as_array().map_or(0, Vec::len)).into();
            tasks.push(Task { bare: true, ..self.task(size, SERDE_JSON, &valid.into(), &wanted) });
            let limit = Limit { ratio: Some(2.5), ..limit };
            tasks.push(Task { limit, ..self.task(size, OURS, &dirty, &wanted) });
            tasks.extend([OURS_TO_VALUE, JSONREPAIR, LLM_JSON].map(|peer| self.task(size, peer, &dirty, &wanted)));
        }
        self.measure("dirty", tasks);
        Ok(())
    }

    /// One object in pushes of 4 bytes, looked at after each.
    fn pushes(&mut self) -> Result<()> {
        let mut tasks = Vec::new();
        for size in [4 * KB, 16 * KB, 64 * KB, 100 * KB] {
            let object: Rc<str> = texts::object(&texts::valid(size)).into();
            let wanted = serde_json::from_str(&object)?;
            tasks.push(self.task(size, SERDE_JSON, &object, &wanted));
            let largest = Limit { ratio: Some(30.0), exponent: Some(1.05), ..Limit::default() };
            let limit = if size == 100 * KB { largest } else { Limit::default() };
            tasks.push(Task { limit, ..self.task(size, PUSHES, &object, &wanted) });
            // It takes seconds for the larger ones.
            if size <= 16 * KB {
                tasks.push(self.task(size, PREFIXES, &object, &wanted));
            }
        }
        self.measure("4-byte pushes", tasks);
        Ok(())
    }

    /// Reads once for the answer, and for as long as a batch for how often it can in one; the caches are warm then.
    fn task(&self, size: usize, reader: Reader, text: &Rc<str>, wanted: &Value) -> Task {
        let answer = match (reader.answer)(text) {
            Some(value) if value == *wanted => Answer::Right,
            Some(_) => Answer::Wrong,
            None => Answer::Refused,
        };
        let (start, mut runs) = (Instant::now(), 0);
        while runs == 0 || start.elapsed() < self.batch {
            (reader.run)(text);
            runs += 1;
        }
        let limit = Limit::default();
        Task { size, reader, text: Rc::clone(text), bare: false, answer, limit, runs, took: Vec::new() }
    }

    /// Times all tasks in rounds, and adds their rows.
    fn measure(&mut self, scenario: &'static str, mut tasks: Vec<Task>) {
        for round in 0..self.rounds {
            // Who comes after a slow one finds another machine.
            if round % 2 == 0 {
                tasks.iter_mut().for_each(Task::time);
            } else {
                tasks.iter_mut().rev().for_each(Task::time);
            }
        }
        for task in &tasks {
            let row = row(scenario, task, &tasks);
            if !self.options.json {
                println!("{}", line(&row));
            }
            self.rows.push(row);
        }
    }
}

impl Task {
    /// CPU time, for others may be at work on the machine; the clock's where the system does not tell it.
    fn time(&mut self) {
        let (cpu, start) = (usage::own_cpu(), Instant::now());
        for _ in 0..self.runs {
            (self.reader.run)(black_box(&self.text));
        }
        let wall = start.elapsed();
        let took = usage::own_cpu().zip(cpu).map_or(wall, |(after, before)| after.saturating_sub(before));
        self.took.push(took.as_secs_f64() * 1e6 / f64::from(self.runs));
    }

    /// The exponent of each round, from a smaller text of the same reader to this.
    fn exponents(&self, tasks: &[Self]) -> Option<Vec<f64>> {
        let smaller = tasks.iter().filter(|other| other.reader.name == self.reader.name && other.size <= self.size / 4);
        let smaller = smaller.max_by_key(|other| other.size)?;
        let growth = (self.text.len() as f64 / smaller.text.len() as f64).ln();
        Some(self.took.iter().zip(&smaller.took).map(|(large, small)| (large / small).ln() / growth).collect())
    }
}

fn row(scenario: &'static str, task: &Task, tasks: &[Task]) -> Row {
    let base = tasks.iter().find(|other| other.reader.name == SERDE_JSON.name && other.size == task.size);
    let base = base.unwrap_or(task);
    let pairs = |ours: &[f64], theirs: &[f64], by: fn(f64, f64) -> f64| {
        median(ours.iter().zip(theirs).map(|(ours, theirs)| by(*ours, *theirs)))
    };
    let ratio = pairs(&task.took, &base.took, |ours, theirs| ours / theirs);
    let (exponents, theirs) = (task.exponents(tasks), base.exponents(tasks));
    let exponent = exponents.as_ref().map(|exponents| median(exponents.iter().copied()));
    let more = exponents.zip(theirs).map(|(ours, theirs)| pairs(&ours, &theirs, |ours, theirs| ours - theirs));
    let limit = task.limit;
    let checks = [(limit.ratio, Some(ratio)), (limit.exponent, exponent), (limit.exponent_more, more)];
    let mut checks = checks.into_iter().filter_map(|(most, is)| Some(is? <= most?)).peekable();
    let within = checks.peek().is_some().then(|| checks.all(|within| within) && task.answer == Answer::Right);
    let reader = format!("{}{}", task.reader.name, if task.bare { " (bare)" } else { "" });
    let us = median(task.took.iter().copied());
    Row { scenario, size: task.size, reader, us, ratio, exponent, answer: task.answer, limit, within }
}

fn line(row: &Row) -> String {
    let size = if row.size < KB * KB { format!("{} KB", row.size / KB) } else { format!("{} MB", row.size / KB / KB) };
    let exponent = row.exponent.map(|exponent| format!("{exponent:.2}")).unwrap_or_default();
    let answer = match row.answer {
        Answer::Right => "right",
        Answer::Wrong => "WRONG",
        Answer::Refused => "refused",
    };
    let limits = [
        row.limit.ratio.map(|most| format!("<= {most:.2}x")),
        row.limit.exponent.map(|most| format!("exp <= {most:.2}")),
        row.limit.exponent_more.map(|most| format!("exp <= serde_json's + {most:.2}")),
        (row.within == Some(false)).then(|| String::from(" OVER")),
    ];
    let line = format!(
        "{:<15} {size:>6} {:<25} {:>10} {:>7}x {exponent:>6}  {answer:<8} {}",
        row.scenario,
        row.reader,
        figure(row.us),
        figure(row.ratio),
        limits.into_iter().flatten().collect::<Vec<_>>().join(", ").replace(",  OVER", "  OVER"),
    );
    String::from(line.trim_end())
}
