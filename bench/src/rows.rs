//! `instructor run` over a file of small rows, against a loop by hand over reqwest, both from a process's start to its end.

use std::borrow::Cow;
use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::floor::lean;
use crate::measure::{self, Program};
use crate::order::{KEY, MODEL};
use crate::report::Options;
use crate::server::Server;
use crate::table::{Limit, Table};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SCHEMA: &str = r#"{"title":"Ticket","type":"object","additionalProperties":false,"properties":{"customer":{"type":"string"},"topic":{"enum":["delivery","payment","other"]},"urgent":{"type":"boolean"},"amount":{"anyOf":[{"type":"number"},{"type":"null"}]},"items":{"type":"array","items":{"type":"string"}}},"required":["customer","topic","urgent","amount","items"]}"#;

/// How much.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Rows of the file
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Rows at a time
    #[arg(long, default_value_t = 256)]
    in_flight: usize,
    /// How long the server takes for each
    #[arg(long, default_value_t = 20)]
    latency: u64,
    /// So many times each side, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// The loop by hand.
#[derive(Args, Clone, Debug)]
pub(crate) struct Floor {
    url: String,
    input: PathBuf,
    output: PathBuf,
    in_flight: usize,
    /// Threads of the runtime
    threads: usize,
}

/// A folder for the files, which is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("instructor-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn rows(options: Options, load: Load) -> Result<()> {
    measure::build_siblings("instructor-cli")?;
    let cli = measure::sibling("instructor")?.ok_or("build it first: cargo build --release -p instructor-cli")?;
    let rows = if options.quick { load.rows / 10 } else { load.rows };
    let (server, folder) = (Server::start()?, Folder::new()?);
    let url = server.rows_url(Duration::from_millis(load.latency));
    let input = folder.path("in.jsonl");
    let mut file = BufWriter::new(std::fs::File::create(&input)?);
    for row in 0..rows {
        let text = "I ordered a lamp and a desk for 129.50, and neither has come. I need them by Friday!";
        writeln!(file, "{{\"id\":{row},\"text\":\"Ticket {row} of Ada Lovelace: {text}\"}}")?;
    }
    file.flush()?;
    let mut table = Table::new(!options.json);
    if cfg!(debug_assertions) {
        table.note("this is not a release build: its ratios mean nothing");
    }
    let ideal = load.in_flight as f64 * 1000.0 / load.latency as f64;
    table.note(&format!(
        "{rows} rows, {} in flight: the latency of {} ms allows {ideal}/s",
        load.in_flight, load.latency
    ));
    let lines =
        |path: &PathBuf| -> Result<u64> { Ok(BufReader::new(std::fs::File::open(path)?).lines().count() as u64) };
    let by_hand = |threads: usize| -> Result<(f64, f64, u64)> {
        let output = folder.path("floor.jsonl");
        let words = [url.as_str(), &input.to_string_lossy(), &output.to_string_lossy()].map(String::from);
        let numbers = [load.in_flight.to_string(), threads.to_string()];
        let words = std::iter::once(String::from("rows-floor")).chain(words).chain(numbers);
        let took = Program::new(std::env::current_exe()?, words).watched()?;
        if lines(&output)? != rows {
            return Err("the loop by hand has lost rows".into());
        }
        Ok((took.0.unwrap_or_default().as_secs_f64(), took.1.as_secs_f64(), took.2))
    };
    let ours = || -> Result<(f64, f64, u64)> {
        let output = folder.path("out.jsonl");
        let flight = load.in_flight.to_string();
        let paths = [input.to_string_lossy(), output.to_string_lossy()];
        let words = [
            "run",
            &paths[0],
            "-o",
            &paths[1],
            "--overwrite",
            "--schema",
            SCHEMA,
            "--column",
            "text",
            "--concurrency",
            &flight,
            "--provider",
            &format!("loopback/{MODEL}"),
            "--protocol",
            "openai",
            "--base-url",
            &url,
            "--mode",
            "schema",
        ];
        let took = Program::new(cli.clone(), words).watched()?;
        if lines(&output)? != rows {
            return Err("instructor run has lost rows".into());
        }
        Ok((took.0.unwrap_or_default().as_secs_f64(), took.1.as_secs_f64(), took.2))
    };
    let start = Program::new(cli.clone(), ["--version"]).watched()?.2;
    let (mut seconds, mut cpu, mut peak) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..load.rounds {
        // Whichever the machine does faster.
        let (one, two) = (by_hand(1)?, by_hand(2)?);
        let floor = if one.1 <= two.1 { one } else { two };
        let ours = ours()?;
        seconds.push((floor.1, ours.1));
        cpu.push((floor.0, ours.0));
        peak.push((floor.2 as f64 / 1024.0, (ours.2.saturating_sub(start)) as f64 / 1024.0));
    }
    let rate = |pairs: &[(f64, f64)]| pairs.iter().map(|(a, b)| (rows as f64 / a, rows as f64 / b)).collect::<Vec<_>>();
    table.pairs("instructor run", "rows a second", rate(&seconds), Limit::None);
    table.pairs("instructor run", "seconds", seconds, Limit::Ratio(1.0 / 0.9));
    table.pairs("instructor run", "CPU seconds", cpu, Limit::None);
    table.pairs("instructor run", "peak MiB over the start", peak, Limit::Most(64.0));
    if options.json {
        println!("{}", serde_json::to_string_pretty(&table.rows)?);
    }
    Ok(())
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: [Turn<'a>; 1],
    response_format: &'a RawValue,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Deserialize, Serialize)]
struct Ticket {
    customer: String,
    topic: Topic,
    urgent: bool,
    amount: Option<f64>,
    items: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Topic {
    Delivery,
    Payment,
    Other,
}

#[derive(Serialize)]
struct Line<'a> {
    row: usize,
    value: &'a Ticket,
}

/// Reads rows, asks for each, writes a line for each: the least that one writes by hand.
pub(crate) fn floor(floor: Floor) -> Result<()> {
    let mut builder = match floor.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(floor.threads).enable_all().build()?;
    runtime.block_on(async {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {KEY}"))?);
        let form =
            format!(r#"{{"type":"json_schema","json_schema":{{"name":"Ticket","schema":{SCHEMA},"strict":true}}}}"#);
        let form: Arc<RawValue> = Arc::from(RawValue::from_string(form)?);
        let url = reqwest::Url::parse(&format!("{}/chat/completions", floor.url))?;
        let client = lean()?;
        let rows = BufReader::new(std::fs::File::open(&floor.input)?).lines().enumerate();
        let rows = Arc::new(Mutex::new(rows));
        let output = Arc::new(Mutex::new(BufWriter::new(std::fs::File::create(&floor.output)?)));
        let poisoned = || "a task panicked";
        let tasks: Vec<_> = (0..floor.in_flight)
            .map(|_| {
                let (rows, output, form) = (Arc::clone(&rows), Arc::clone(&output), Arc::clone(&form));
                let (client, url, headers) = (client.clone(), url.clone(), headers.clone());
                tokio::spawn(async move {
                    loop {
                        let row = rows.lock().map_err(|_| poisoned())?.next();
                        let Some((row, line)) = row else { return Ok::<_, Box<dyn Error + Send + Sync>>(()) };
                        let line = line?;
                        let text = serde_json::from_str::<Row<'_>>(&line)?.text;
                        let messages = [Turn { role: "user", content: &text }];
                        let body = serde_json::to_vec(&Body { model: MODEL, messages, response_format: &form })?;
                        let mut request = reqwest::Request::new(reqwest::Method::POST, url.clone());
                        *request.headers_mut() = headers.clone();
                        *request.body_mut() = Some(body.into());
                        let answer = client.execute(request).await?.error_for_status()?.bytes().await?;
                        let envelope: Envelope<'_> = serde_json::from_slice(&answer)?;
                        let said = &envelope.choices.first().ok_or("no choice")?.message.content;
                        let value: Ticket = serde_json::from_str(said)?;
                        let mut line = serde_json::to_vec(&Line { row: row + 1, value: &value })?;
                        line.push(b'\n');
                        output.lock().map_err(|_| poisoned())?.write_all(&line)?;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        output.lock().map_err(|_| poisoned())?.flush()?;
        Ok(())
    })
}
