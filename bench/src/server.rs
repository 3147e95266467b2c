//! The provider: a loopback server with one right answer, one wrong one, and as little work as it can do.
//!
//! - `POST /v1/chat/completions` answers right at once.
//! - `POST /reask/v1/chat/completions` answers wrong until the conversation holds the result of a tool.
//! - `POST /stream/chat/object/4096/v1/chat/completions` streams an object of about so many bytes in a protocol's events,
//!   `list/1000` a list of so many items.
//! - `POST /rows/20/v1/chat/completions` answers with a small record after so many milliseconds.
//! - `GET /calls` tells how many posts there were.

use std::io::{self, BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::streams::Said;

/// The value that the right answer holds.
pub(crate) const ANSWER: &str = include_str!("../data/order.json");

/// One with a value of a wrong type and one that is out of its range.
pub(crate) fn wrong_answer() -> String {
    ANSWER.replacen("\"quantity\":3,", "\"quantity\":\"three\",", 1).replacen("\"percent\":10", "\"percent\":110", 1)
}

/// The value of a small record.
pub(crate) const RECORD: &str =
    r#"{"customer":"Ada Lovelace","topic":"delivery","urgent":true,"amount":129.5,"items":["lamp","desk"]}"#;

struct Answers {
    right: Vec<u8>,
    wrong: Vec<u8>,
    record: Vec<u8>,
    calls: AtomicU64,
}

/// Serves until the standard input ends, so that it does not outlive who started it. The first line of its output is
/// the address.
pub(crate) fn serve() -> io::Result<()> {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(0);
    });
    let answers = Answers {
        right: answer(ANSWER.trim()),
        wrong: answer(wrong_answer().trim()),
        record: body(&json!({ "role": "assistant", "content": RECORD, "refusal": null }), "stop", (96, 34)),
        calls: AtomicU64::new(0),
    };
    let answers = Arc::new(answers);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answers = Arc::clone(&answers);
            // A client that goes away is not the server's trouble.
            tokio::spawn(async move { drop(converse(stream, &answers).await) });
        }
    })
}

fn answer(arguments: &str) -> Vec<u8> {
    let call = json!({ "id": "call_Hq3vT0mXw9bKcJ2n", "type": "function",
        "function": { "name": "Order", "arguments": arguments } });
    let message = json!({ "role": "assistant", "content": null, "tool_calls": [call], "refusal": null });
    body(&message, "tool_calls", (812, 655))
}

fn body(message: &Value, finish: &str, (prompt, completion): (u64, u64)) -> Vec<u8> {
    let body = json!({
        "id": "chatcmpl-CdT5aXo7Yw2Lq8Nf1ZrKv",
        "object": "chat.completion",
        "created": 1_931_337_600_u64,
        "model": "gpt-5-mini-2025-08-07",
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0
            }
        },
        "service_tier": "default",
        "system_fingerprint": "fp_2f3a8b1c9d",
    });
    response(&body.to_string())
}

fn response(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_7c1f0b6d2e9a4853\r\n";
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

async fn converse(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(16 << 10);
    loop {
        let Some((head, end)) = request(&buffer) else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        if buffer.starts_with(b"GET") {
            let calls = answers.calls.load(Ordering::Relaxed);
            stream.write_all(&response(&calls.to_string())).await?;
        } else if let Some(said) = streamed(&buffer) {
            stream.write_all(&said.response()).await?;
        } else if let Some(latency) = latency(&buffer) {
            answers.calls.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(latency).await;
            stream.write_all(&answers.record).await?;
        } else {
            answers.calls.fetch_add(1, Ordering::Relaxed);
            let wrong = buffer.starts_with(b"POST /reask/") && find(&buffer[head..end], b"\"role\":\"tool\"").is_none();
            stream.write_all(if wrong { &answers.wrong } else { &answers.right }).await?;
        }
        buffer.drain(..end);
    }
}

/// Where the body of the first request begins and ends, once all of it is here.
fn request(buffer: &[u8]) -> Option<(usize, usize)> {
    let begin = find(buffer, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&buffer[..begin]).ok()?;
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let length = match field("content-length") {
        Some(length) => length.parse().ok()?,
        // JSON without white space has no line breaks that could be taken for this.
        None if field("transfer-encoding").is_some() => {
            const LAST: &[u8] = b"\r\n0\r\n\r\n";
            find(&buffer[begin..], LAST)? + LAST.len()
        }
        None => 0,
    };
    (begin + length <= buffer.len()).then_some((begin, begin + length))
}

/// How long a small record takes.
fn latency(request: &[u8]) -> Option<Duration> {
    let rest = request.strip_prefix(b"POST /rows/")?;
    let end = rest.iter().position(|byte| *byte == b'/')?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok().map(Duration::from_millis)
}

/// What is to be streamed.
fn streamed(request: &[u8]) -> Option<Said> {
    Said::at(std::str::from_utf8(request.split(|byte| *byte == b' ').nth(1)?).ok()?)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}

/// A server in a process of its own, so that its work is not counted as its client's.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    origin: String,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut origin = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut origin)?;
        }
        Ok(Self { child, origin: String::from(origin.trim()) })
    }

    /// The base URL of a provider that answers right, or only when it is asked again.
    pub(crate) fn base_url(&self, reask: bool) -> String {
        format!("{}{}/v1", self.origin, if reask { "/reask" } else { "" })
    }

    /// The base URL of a provider of small records.
    pub(crate) fn rows_url(&self, latency: Duration) -> String {
        format!("{}/rows/{}/v1", self.origin, latency.as_millis())
    }

    /// The base URL of a provider that streams.
    pub(crate) fn stream_url(&self, said: Said) -> String {
        format!("{}{said}/v1", self.origin)
    }

    /// How many calls it has answered.
    pub(crate) fn calls(&self) -> io::Result<u64> {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(self.origin.trim_start_matches("http://"))?;
        stream.write_all(b"GET /calls HTTP/1.1\r\n\r\n")?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let body = text.rsplit("\r\n").next().unwrap_or_default();
        body.parse().map_err(io::Error::other)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its input ends with its handle; waiting leaves no zombie behind.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
