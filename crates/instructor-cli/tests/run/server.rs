//! A provider that keeps connections open, takes its time, and counts what it has to be paid for, by text.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use instructor::testing::fake_body;
use serde_json::{Value, json};

/// What is answered to a text that is asked for the nth time, counted from 1.
type Reply = dyn Fn(&str, u32) -> (u16, Value) + Send + Sync;

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    paid: Arc<Mutex<HashMap<String, u32>>>,
}

impl Server {
    /// One whose value is the text itself.
    pub(crate) fn echo(latency: Duration) -> Self {
        Self::new(latency, |text, _| (200, json!({ "text": text })))
    }

    pub(crate) fn new(latency: Duration, reply: impl Fn(&str, u32) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let paid = Arc::new(Mutex::new(HashMap::new()));
        let (book, reply): (_, Arc<Reply>) = (Arc::clone(&paid), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (book, reply) = (Arc::clone(&book), Arc::clone(&reply));
                // A client that is killed ends its connection in the middle.
                thread::spawn(move || drop(converse(&stream.unwrap(), latency, &book, &*reply)));
            }
        });
        Self { url, paid }
    }

    /// How often each text was paid for.
    pub(crate) fn paid(&self) -> HashMap<String, u32> {
        self.paid.lock().unwrap().clone()
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u32 {
        self.paid().values().sum()
    }
}

fn converse(
    mut stream: &TcpStream,
    latency: Duration,
    book: &Mutex<HashMap<String, u32>>,
    reply: &Reply,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = String::from(line.split(' ').nth(1).unwrap_or_default());
        let mut length = 0;
        loop {
            let mut field = String::new();
            reader.read_line(&mut field)?;
            let Some((name, value)) = field.trim_end().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let asked = messages.iter().find(|message| message["role"] == "user").unwrap();
        let text = asked["content"].as_str().unwrap();
        let nth = {
            let mut book = book.lock().unwrap();
            let nth = book.entry(String::from(text)).or_default();
            *nth += 1;
            *nth
        };
        thread::sleep(latency);
        let (status, value) = reply(text, nth);
        let body = match status {
            200 => fake_body(&path, &body, &value).to_string(),
            _ => json!({ "error": { "message": value } }).to_string(),
        };
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes())?;
    }
}
