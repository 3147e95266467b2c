//! Times the reader against serde_json: `cargo run --release --example speed`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use instructor_json::{Level, Options, Parser, RepairKind, read, read_counted};

fn records(bytes: usize, dirty: bool) -> String {
    let mut out = String::from("[");
    let mut i = 0;
    while out.len() < bytes {
        if i > 0 {
            out.push_str(", ");
        }
        if dirty {
            let _ = write!(
                out,
                "{{id: {i}, 'name': 'Person number {i}', // a note\n  \"email\": \"p{i}@example.com\", score: {}.5, /* x */ 'tags': ['a', 'b',], active: true,}}",
                i % 100
            );
        } else {
            let _ = write!(
                out,
                "{{\"id\": {i}, \"name\": \"Person number {i}\", \"email\": \"p{i}@example.com\", \"score\": {}.5, \"tags\": [\"a\", \"b\"], \"active\": true, \"note\": \"line one\\nline two with a longer text in it\"}}",
                i % 100
            );
        }
        i += 1;
    }
    if !dirty {
        out.push(']');
    }
    out
}

fn best(mut f: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    let mut spent = Duration::ZERO;
    let mut runs = 0;
    while runs < 5 || (spent < Duration::from_millis(300) && runs < 1000) {
        let start = Instant::now();
        f();
        let took = start.elapsed();
        best = best.min(took);
        spent += took;
        runs += 1;
    }
    best
}

fn main() {
    let options = Options::new();
    println!("bytes      serde  bare  fenced  dirty (x serde)");
    for size in [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20] {
        let bare = records(size, false);
        let fenced = format!("Here is what you asked for:\n\n```json\n{bare}\n```\nAnything else?");
        let dirty = format!("Here is what you asked for:\n\n```json\n{}", records(size, true));
        let serde = best(|| drop(black_box(serde_json::from_str::<serde_json::Value>(black_box(&bare)))));
        let whole = best(|| drop(black_box(read(black_box(&bare), &options))));
        let in_fence = best(|| drop(black_box(read(black_box(&fenced), &options))));
        let repaired = best(|| drop(black_box(read(black_box(&dirty), &options))));
        if let Err(error) = read(&dirty, &options) {
            println!("{error}");
        }
        let times = |d: Duration| d.as_secs_f64() / serde.as_secs_f64();
        println!("{size:8} {serde:9.1?} {:5.2} {:5.2} {:5.2}", times(whole), times(in_fence), times(repaired));
    }
    println!("4-byte pushes with a view after each (x one serde_json parse)");
    for size in [16 << 10, 64 << 10, 100_000, 400_000] {
        let mut text = String::from("{\"items\": ");
        text.push_str(&records(size, false));
        text.push('}');
        let serde = best(|| drop(black_box(serde_json::from_str::<serde_json::Value>(black_box(&text)))));
        let pushed = best(|| {
            let mut parser = Parser::new(options);
            for chunk in text.as_bytes().chunks(4) {
                let _ = parser.push(chunk);
                black_box(parser.view());
            }
            let _ = black_box(parser.finish());
        });
        println!("{size:8} {serde:9.1?} {pushed:9.1?} {:5.1}", pushed.as_secs_f64() / serde.as_secs_f64());
    }
    println!("hostile texts, every level: time, steps a byte");
    let salvage = RepairKind::ALL.iter().fold(Options::new().with_level(Level::Salvage), |o, &k| o.salvage(k));
    let hostile = [
        ("20,000 open brackets", "[".repeat(20_000)),
        ("20,000 open braces", "{".repeat(20_000)),
        ("brackets in prose", format!("x {}", "[".repeat(20_000))),
        ("quotes and braces", format!("{{\"a\": \"{}", "x}x}\"x}".repeat(1500))),
        ("quotes and commas", format!("{{\"a\": \"{}", "x\", y".repeat(2000))),
        ("quotes", format!("[{}", "\" ".repeat(5000))),
        ("keys", format!("{{{}", "\"a\" ".repeat(2500))),
        ("commas", format!("{{a: x{}", ", y".repeat(3000))),
        ("backslashes", format!("{{\"a\": \"{}", "\\".repeat(10_000))),
        ("fences", "```json\n".repeat(2000)),
        ("spaces", format!("{{\"a\": \"b\"{}", " ".repeat(20_000))),
        ("tags", "<a".repeat(5000)),
        ("50 MB of prose", "words of prose, and no value. ".repeat(1_750_000)),
    ];
    for (name, text) in hostile {
        for options in [options, Options::new().with_level(Level::Lenient), salvage] {
            let start = Instant::now();
            let (reading, steps) = read_counted(&text, &options);
            let took = start.elapsed();
            let pushed = if text.len() < 1 << 20 {
                let start = Instant::now();
                let mut parser = Parser::new(options);
                for byte in text.as_bytes() {
                    if parser.push(&[*byte]).is_err() {
                        break;
                    }
                }
                format!("{:9.1?} by byte, {:5} steps", start.elapsed(), parser.steps() / text.len() as u64)
            } else {
                String::new()
            };
            let came = match reading {
                Ok(reading) => format!("{} candidates, truncated {}", reading.candidates.len(), reading.is_truncated()),
                Err(error) => error.to_string(),
            };
            println!("  {name:22} {took:9.1?} {:5} {pushed}: {came}", steps / text.len() as u64);
        }
    }
}
