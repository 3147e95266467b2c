//! A provider on the loopback interface that answers from a list and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use instructor::testing::fake_body;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A value, in the protocol and form that the request asks for.
    Value(Value),
    /// A body as it is.
    Body(u16, String),
    /// Nothing for this long, then a closed connection.
    Silence(Duration),
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Loopback {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Loopback {
    /// Answers with these in order; the last one goes on for ever.
    pub(crate) fn new(replies: impl Into<Vec<Reply>>) -> Self {
        let replies = replies.into();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(request) = read(stream.as_ref().unwrap()) else { continue };
                let count = {
                    let mut log = log.lock().unwrap();
                    log.push(request.clone());
                    log.len()
                };
                let reply = replies[(count - 1).min(replies.len() - 1)].clone();
                thread::spawn(move || answer(&stream.unwrap(), &request, reply));
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = String::from(line.split(' ').nth(1)?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), String::from(value)));
    }
    let mut seen = Seen { path, headers, body: Value::Null };
    let bytes = match seen.header("content-length").map(|length| length.parse().unwrap()) {
        Some(length) => exactly(&mut reader, length)?,
        None if line.starts_with("GET ") => Vec::new(),
        None => chunks(&mut reader)?,
    };
    seen.body = serde_json::from_slice(&bytes).unwrap_or_default();
    Some(seen)
}

fn exactly(reader: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        bytes.extend(exactly(reader, size)?);
        exactly(reader, 2)?;
        if size == 0 {
            return Some(bytes);
        }
    }
}

fn answer(mut stream: &TcpStream, request: &Seen, reply: Reply) {
    let (status, body) = match reply {
        Reply::Value(value) => (200, fake_body(&request.path, &request.body, &value).to_string()),
        Reply::Body(status, body) => (status, body),
        Reply::Silence(time) => return thread::sleep(time),
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // A client that has given up is part of some tests.
    _ = stream.write_all(format!("{head}{body}").as_bytes());
}
