//! A batch of many rows takes no more memory than one of few: what is written, sent and read is never all there at once.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its own functions")]

use std::fs::{self, File};
use std::future::{Future, ready};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use instructor::batch::{BatchInput, Batches, Extraction};
use instructor::{Body, BoxFuture, Client, Transport, TransportError, Upload};

#[instructor::model]
struct User {
    name: String,
    age: u8,
}

/// Takes files piece by piece, and says that each batch is over.
#[derive(Clone, Default)]
struct Sink(Arc<AtomicU64>);

type Sent<'a> = BoxFuture<'a, Result<http::Response<Body>, TransportError>>;

impl Transport for Sink {
    fn send(&self, _: http::Request<Bytes>, _: Option<Duration>) -> Sent<'_> {
        let batch = r#"{"id":"batch_1","status":"completed","output_file_id":"out"}"#;
        Box::pin(ready(Ok(http::Response::new(Body::whole(batch)))))
    }

    fn upload(&self, request: http::Request<Upload>, _: Option<Duration>) -> Sent<'_> {
        let mut body = request.into_body();
        let mut piece = vec![0; 64 << 10];
        loop {
            match body.read(&mut piece).unwrap() {
                0 => break,
                read => _ = self.0.fetch_add(read as u64, Ordering::Relaxed),
            }
        }
        Box::pin(ready(Ok(http::Response::new(Body::whole(r#"{"id":"file-1"}"#)))))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

/// The most memory since the last reset, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// From rows to values, all of it on disk; the peak while that was done.
fn measured(folder: &Path, rows: u64) -> u64 {
    let sink = Sink::default();
    let client = Client::builder().provider("openai/gpt-5-mini").api_key("k").transport(sink.clone()).build().unwrap();
    let users = Extraction::<User>::new(&client);
    fs::write("/proc/self/clear_refs", "5").unwrap();

    let path = folder.join("requests.jsonl");
    let text = "Ada is 36. ".repeat(60);
    let mut input = users.writer(BufWriter::new(File::create(&path).unwrap()));
    for row in 0..rows {
        input.push(format!("row-{row}"), text.as_str()).unwrap();
    }
    input.finish().unwrap();
    let input = BatchInput::file(&path);
    let mut job = users.job(&input).unwrap();
    run(Batches::new(&client).unwrap().submit(&mut job, &input)).unwrap();
    assert!(sink.0.load(Ordering::Relaxed) >= fs::metadata(&path).unwrap().len());

    let results = folder.join("results.jsonl");
    let mut out = BufWriter::new(File::create(&results).unwrap());
    for row in (1..rows).rev() {
        let body = r#"{"choices":[{"message":{"content":"{\"name\":\"Ada\",\"age\":36}"}}]}"#;
        writeln!(
            out,
            "{{\"custom_id\":\"row-{row}\",\"response\":{{\"status_code\":200,\"body\":{body}}},\"error\":null}}"
        )
        .unwrap();
    }
    out.flush().unwrap();
    let mut items = users.read(BufReader::new(File::open(&results).unwrap())).unwrap().expecting(&input).unwrap();
    let (mut good, mut bad) = (0, 0);
    while let Some(item) = run(items.next()) {
        match item.unwrap().result {
            Ok((user, _)) => good += u64::from(user.age == 36),
            Err(_) => bad += 1,
        }
    }
    assert_eq!((good, bad), (rows - 1, 1));
    peak()
}

#[test]
fn ten_times_the_rows_take_no_more_memory() {
    let folder = std::env::temp_dir().join(format!("instructor-batch-memory-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let few = measured(&folder, 10_000);
    let many = measured(&folder, 100_000);
    let bytes = fs::metadata(folder.join("requests.jsonl")).unwrap().len();
    fs::remove_dir_all(&folder).unwrap();
    println!("10,000 rows: {few} KiB; 100,000 rows ({} MiB of requests): {many} KiB", bytes >> 20);
    // Of each row a number is kept, twice while it is looked for what is missing; nothing of its text.
    assert!(many < few + (8 << 10), "{few} KiB, {many} KiB");
}
