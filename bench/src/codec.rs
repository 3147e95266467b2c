//! What the schema codec costs: lowering once a type, lifting once an answer, beside what is done anyway.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use instructor::ResponseModel;
use instructor::schema::{Dialect, Lowered, Policy, lower};
use serde_json::{Value, json};

use crate::report::Options;
use crate::table::{Limit, Table};
use crate::usage;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

model! {
    /// An order with all that a strict dialect can't say as it is.
    struct Order {
        id: String,
        #[schemars(range(min = 0))]
        total: f64,
        lines: Vec<Line>,
        counts: BTreeMap<String, u32>,
        place: (f64, f64),
        note: Option<String>,
        #[serde(default)]
        tries: u32,
    }

    struct Line {
        sku: String,
        quantity: u16,
        tags: Vec<String>,
        state: State,
    }

    #[serde(tag = "kind")]
    enum State {
        Open,
        Sent { by: String },
        Returned { reason: String, refunded: bool },
    }
}

/// Measures lowering and lifting.
pub(crate) fn codec(options: Options) -> Result<()> {
    let (rounds, batch) = if options.quick { (3, 10) } else { (11, 40) };
    let batch = Duration::from_millis(batch);
    let mut table = Table::new(!options.json);
    let contract = Order::contract();
    let schema = contract.schema();
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini] {
        let generate = || drop(black_box(schemars::schema_for!(Order)));
        let ours = || drop(black_box(lower(schema, dialect, Policy::Declared)));
        let pairs = pairs(rounds, batch, &generate, &ours);
        table.pairs("lower, once a type", format!("us, {dialect}"), pairs, Limit::None);
    }
    for records in [8, 128] {
        let value = Value::from_iter((0..records).map(order));
        let list = json!({ "type": "array", "items": schema, "$defs": schema.get("$defs") });
        for dialect in [Dialect::OpenAi, Dialect::Gemini] {
            let lowered = lower(&list, dialect, Policy::Declared)?;
            let answer = lowered.encode(&value).ok_or("no value of its own schema")?.to_string();
            let read = |lowered: &Lowered, answer: &str| drop(black_box(lowered.lift(answer)));
            let parse = || drop(black_box(serde_json::from_str::<Value>(&answer)));
            let pairs = pairs(rounds, batch, &parse, &|| read(&lowered, &answer));
            let size = answer.len() / 1024;
            table.pairs("lift, with parsing, to serde_json", format!("us, {dialect}, {size} KB"), pairs, Limit::None);
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&table.rows)?);
    }
    Ok(())
}

fn order(n: usize) -> Value {
    json!({
        "id": format!("order-{n}"),
        "total": 12.5,
        "lines": [
            { "sku": "a-1", "quantity": n % 7, "tags": ["red", "small"], "state": { "kind": "Open" } },
            { "sku": "b-2", "quantity": 2, "tags": [], "state": { "kind": "Sent", "by": "a carrier \"north\"" } },
            { "sku": "c-3", "quantity": 1, "tags": ["x"], "state": { "kind": "Returned", "reason": "broken", "refunded": true } },
        ],
        "counts": { "boxes": 2, "bags": 1 },
        "place": [52.1, 4.3],
        "note": if n.is_multiple_of(2) { Value::Null } else { json!("leave it at the door") },
    })
}

/// Microseconds of both, by round.
pub(crate) fn pairs(rounds: usize, batch: Duration, floor: &dyn Fn(), ours: &dyn Fn()) -> Vec<(f64, f64)> {
    (0..rounds).map(|_| (time(batch, floor), time(batch, ours))).collect()
}

fn time(batch: Duration, run: &dyn Fn()) -> f64 {
    run();
    let (cpu, start, mut runs) = (usage::own_cpu(), Instant::now(), 0_u32);
    while runs == 0 || start.elapsed() < batch {
        run();
        runs += 1;
    }
    let took = match (cpu, usage::own_cpu()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    };
    took.as_secs_f64() * 1e6 / f64::from(runs)
}
