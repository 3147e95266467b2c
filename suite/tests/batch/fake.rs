//! Providers' batches, without a network: what is uploaded is kept, and each of its requests gets the end that a test
//! wants. Made from what is known of the protocols: no exchanges with them are recorded.

use std::collections::HashMap;
use std::future::ready;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use instructor::testing::fake_body;
use instructor::{BlockingTransport, Body, BoxFuture, Client, TransportError, TransportErrorKind, blocking};
use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Value(Value),
    Error(u16, &'static str, &'static str),
    /// An error without an answer, as a provider says that it failed itself.
    Fault(&'static str, &'static str),
    Expired,
    Cancelled,
    /// Nothing is said of it.
    Nothing,
}

type Decides = dyn Fn(&str, &Value) -> Fate + Send;

#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<State>>);

pub(crate) struct State {
    fate: Box<Decides>,
    pub(crate) seen: Vec<Seen>,
    files: HashMap<String, Bytes>,
    batches: HashMap<String, Batch>,
    /// How often a batch is asked for before it is over.
    pub(crate) polls: usize,
    /// The word for a batch that is over; the protocol's own if empty.
    pub(crate) end: &'static str,
    /// How the next requests fail, before they are done.
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Status(u16),
    /// It is done, and no answer arrives.
    Closed,
    Fine,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct Batch {
    lines: Vec<Value>,
    polls: usize,
    cancelled: bool,
    file: String,
}

impl Fake {
    pub(crate) fn new(fate: impl Fn(&str, &Value) -> Fate + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State {
            fate: Box::new(fate),
            seen: Vec::new(),
            files: HashMap::new(),
            batches: HashMap::new(),
            polls: 1,
            end: "",
            faults: Vec::new(),
        })))
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    pub(crate) fn client(&self, spec: &str) -> Client {
        Client::builder().provider(spec).api_key("test-key-0123").transport(self.clone()).build().unwrap()
    }

    pub(crate) fn blocking(&self, spec: &str) -> blocking::Client {
        let builder = Client::builder().provider(spec).api_key("test-key-0123");
        blocking::Client::build_with(builder, self.clone()).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let mut state = self.0.lock().unwrap();
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().unwrap().to_string();
        let method = parts.method.to_string();
        state.seen.push(Seen {
            method: method.clone(),
            path: path.clone(),
            headers: parts.headers,
            body: body.clone(),
        });
        let fault = if state.faults.is_empty() { Fault::Fine } else { state.faults.remove(0) };
        if let Fault::Status(status) = fault {
            let body = json!({ "error": { "message": "no" } }).to_string();
            return Ok(http::Response::builder().status(status).body(body.into()).unwrap());
        }
        let (body, headers) = state.done(&method, &path, &body);
        if matches!(fault, Fault::Closed) {
            return Err(TransportError::new(TransportErrorKind::Closed));
        }
        let mut response = http::Response::builder().status(if body.is_none() { 404 } else { 200 });
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Ok(response.body(body.unwrap_or_default()).unwrap())
    }
}

fn said(body: Value) -> Option<Bytes> {
    Some(Bytes::from(body.to_string()))
}

impl State {
    fn done(&mut self, method: &str, path: &str, body: &Bytes) -> (Option<Bytes>, Vec<(&'static str, String)>) {
        let rest = |prefix: &str, suffix: &str| path.strip_prefix(prefix)?.strip_suffix(suffix).map(String::from);
        let file = |lines: &[u8]| Bytes::copy_from_slice(lines);
        // Gemini's uploads in two steps.
        if path == "/upload/v1beta/files" {
            let url = String::from("https://generativelanguage.googleapis.com/upload/session?id=1");
            return (said(json!({})), vec![("x-goog-upload-url", url)]);
        }
        let answer = if path == "/upload/session?id=1" {
            self.files.insert(String::from("files/in"), body.clone());
            said(json!({ "file": { "name": "files/in" } }))
        } else if path.ends_with(":batchGenerateContent") {
            let batch = serde_json::from_slice::<Value>(body).unwrap();
            let name = batch["batch"]["input_config"]["file_name"].as_str().unwrap();
            let lines = self.files[name].clone();
            self.make("batches/b", &lines)
        } else if let Some(id) = rest("/v1beta/batches/", ":cancel") {
            self.batches.get_mut(&format!("batches/{id}")).unwrap().cancelled = true;
            said(json!({}))
        } else if let Some(id) = rest("/v1beta/", "").filter(|id| id.starts_with("batches/")) {
            self.poll(&id, operation)
        } else if let Some(name) = rest("/download/v1beta/", ":download?alt=media") {
            self.files.get(&name).cloned()
        } else if (method, path) == ("POST", "/v1/messages/batches") {
            let batch = serde_json::from_slice::<Value>(body).unwrap();
            let lines: Vec<String> = batch["requests"].as_array().unwrap().iter().map(Value::to_string).collect();
            self.make("msgbatch_", lines.join("\n").as_bytes())
        } else if let Some(id) = rest("/v1/messages/batches/", "/results") {
            self.files.get(&self.batches[&id].file).cloned()
        } else if let Some(id) = rest("/v1/messages/batches/", "/cancel") {
            self.batches.get_mut(&id).unwrap().cancelled = true;
            self.poll(&id, messages)
        } else if let Some(id) = rest("/v1/messages/batches/", "") {
            self.poll(&id, messages)
        } else if path.ends_with("/v1/files") && method == "POST" {
            let text = std::str::from_utf8(body).unwrap();
            assert!(text.contains("name=\"purpose\"\r\n\r\nbatch\r\n"), "{text}");
            let lines = text.split_once("application/jsonl\r\n\r\n").unwrap().1;
            let id = format!("file-{}", self.files.len() + 1);
            self.files.insert(id.clone(), file(lines.split_once("\r\n--").unwrap().0.as_bytes()));
            said(json!({ "id": id, "purpose": "batch" }))
        } else if let Some(id) = path.split_once("/files/").and_then(|(_, id)| id.strip_suffix("/content")) {
            self.files.get(id).cloned()
        } else if path.ends_with("/v1/batches") && method == "POST" {
            let batch = serde_json::from_slice::<Value>(body).unwrap();
            assert_eq!(batch["completion_window"], "24h");
            let lines = self.files[batch["input_file_id"].as_str().unwrap()].clone();
            self.make("batch_", &lines)
        } else if let Some((_, id)) = path.split_once("/v1/batches/") {
            let id = id
                .strip_suffix("/cancel")
                .inspect(|id| self.batches.get_mut(*id).unwrap().cancelled = true)
                .unwrap_or(id);
            self.poll(id, batch)
        } else if path == "/v1/batch/jobs" {
            let job = serde_json::from_slice::<Value>(body).unwrap();
            assert_eq!(job["endpoint"], "/v1/chat/completions");
            assert!(job["model"].is_string());
            let lines = self.files[job["input_files"][0].as_str().unwrap()].clone();
            self.make("job-", &lines)
        } else if let Some(id) = rest("/v1/batch/jobs/", "") {
            let id = id
                .strip_suffix("/cancel")
                .inspect(|id| self.batches.get_mut(*id).unwrap().cancelled = true)
                .map(String::from)
                .unwrap_or(id);
            self.poll(&id, job)
        } else {
            // A live request.
            let request = serde_json::from_slice::<Value>(body).unwrap();
            match (self.fate)("live", &request) {
                Fate::Value(value) => said(fake_body(path, &request, &value)),
                fate => panic!("no live answer for {fate:?} at {path}"),
            }
        };
        (answer, Vec::new())
    }

    fn make(&mut self, prefix: &str, lines: &[u8]) -> Option<Bytes> {
        let lines = lines.split(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect();
        let id = format!("{prefix}{}", self.batches.len() + 1);
        let polls = 0;
        self.batches.insert(id.clone(), Batch { lines, polls, cancelled: false, file: String::new() });
        let tell = match prefix {
            "batches/b" => operation,
            "msgbatch_" => messages,
            "job-" => job,
            _ => batch,
        };
        Some(tell(&id, &self.batches[&id], "", [None, None]))
    }

    fn poll(&mut self, id: &str, tell: Tell) -> Option<Bytes> {
        let batch = self.batches.get_mut(id)?;
        batch.polls += 1;
        if batch.polls <= self.polls && !batch.cancelled {
            return Some(tell(id, batch, "", [None, None]));
        }
        let word = if batch.cancelled {
            "cancelled"
        } else if self.end.is_empty() {
            "completed"
        } else {
            self.end
        };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        // In another order than they came.
        for line in batch.lines.iter().rev() {
            let own = line.get("custom_id").or_else(|| line.get("key")).unwrap().as_str().unwrap();
            let request = ["body", "params", "request"].iter().find_map(|name| line.get(*name)).unwrap();
            let fate = (self.fate)(own, request);
            let fate = if batch.cancelled && !matches!(fate, Fate::Value(_)) { Fate::Cancelled } else { fate };
            let list = if matches!(fate, Fate::Value(_)) { &mut good } else { &mut bad };
            list.extend(result(id, own, line, request, &fate));
        }
        if id.starts_with("msgbatch") || id.starts_with("batches") {
            good.append(&mut bad);
        }
        let files = [("out", good), ("err", bad)].map(|(name, lines)| {
            let name = format!("{name}-{}", id.replace('/', "-"));
            let name = if id.starts_with("batches") { format!("files/{name}") } else { name };
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            (!text.is_empty()).then(|| {
                self.files.insert(name.clone(), text.into());
                name
            })
        });
        let batch = self.batches.get_mut(id)?;
        batch.file = files[0].clone().unwrap_or_default();
        Some(tell(id, batch, word, files))
    }
}

/// The line of results that a request gets.
fn result(id: &str, own: &str, line: &Value, request: &Value, fate: &Fate) -> Option<Value> {
    if id.starts_with("msgbatch") {
        let error = |kind: &str, message: &str| json!({ "type": "errored", "error": { "type": "error", "error": { "type": kind, "message": message } } });
        let result = match fate {
            Fate::Value(value) => {
                json!({ "type": "succeeded", "message": fake_body("/v1/messages", request, value) })
            }
            Fate::Error(_, kind, message) | Fate::Fault(kind, message) => error(kind, message),
            Fate::Expired => json!({ "type": "expired" }),
            Fate::Cancelled => json!({ "type": "canceled" }),
            Fate::Nothing => return None,
        };
        return Some(json!({ "custom_id": own, "result": result }));
    }
    if id.starts_with("batches") {
        return Some(match fate {
            Fate::Value(value) => {
                json!({ "key": own, "response": fake_body("/v1beta/models/m:generateContent", request, value) })
            }
            Fate::Error(status, _, message) => {
                let code = [(400, 3), (429, 8), (503, 14)].iter().find(|(known, _)| known == status).unwrap().1;
                json!({ "key": own, "error": { "code": code, "message": message } })
            }
            Fate::Cancelled => json!({ "key": own, "error": { "code": 1, "message": "The operation was cancelled." } }),
            _ => return None,
        });
    }
    let path = line.get("url").and_then(Value::as_str).unwrap_or("/v1/chat/completions");
    let answered = |status: u16, body: Value| {
        json!({ "id": "r", "custom_id": own, "error": null,
            "response": { "status_code": status, "request_id": "q", "body": body } })
    };
    let fault = |code: &str, message: &str| json!({ "id": "r", "custom_id": own, "response": null, "error": { "code": code, "message": message } });
    Some(match fate {
        Fate::Value(value) => answered(200, fake_body(path, request, value)),
        Fate::Error(status, kind, message) => {
            answered(*status, json!({ "error": { "message": message, "type": kind, "param": null, "code": null } }))
        }
        Fate::Fault(code, message) => fault(code, message),
        Fate::Expired => {
            fault("batch_expired", "This request could not be executed before the completion window expired.")
        }
        Fate::Cancelled => fault("batch_cancelled", "This request was cancelled."),
        Fate::Nothing => return None,
    })
}

/// How a protocol says how far a batch is: empty while it is under way, or a word for its end.
type Tell = fn(&str, &Batch, &str, [Option<String>; 2]) -> Bytes;

fn batch(id: &str, batch: &Batch, end: &str, [out, err]: [Option<String>; 2]) -> Bytes {
    let errors = (end == "failed").then(|| {
        json!({ "object": "list", "data": [{ "code": "invalid_json_line", "message": "This line is no JSON.", "line": 1 }] })
    });
    let total = batch.lines.len();
    let counts = json!({ "total": total, "completed": if end.is_empty() { 0 } else { total }, "failed": 0 });
    let failed = end == "failed";
    // Metadata is null where none was given.
    Bytes::from(
        json!({ "id": id, "object": "batch", "status": if end.is_empty() { "in_progress" } else { end },
        "metadata": null, "request_counts": counts, "errors": errors,
        "output_file_id": out.filter(|_| !failed), "error_file_id": err.filter(|_| !failed) })
        .to_string(),
    )
}

fn messages(id: &str, batch: &Batch, end: &str, _: [Option<String>; 2]) -> Bytes {
    let total = batch.lines.len();
    let over = !end.is_empty();
    let expired = if end == "expired" { 1 } else { 0 };
    let counts = json!({ "processing": if over { 0 } else { total }, "succeeded": if over { total - expired } else { 0 },
        "errored": 0, "canceled": 0, "expired": expired });
    // The address of the results is somebody else's: the key must not go there.
    let url = over.then_some("https://results.example/steal");
    let cancelled = batch.cancelled.then_some("2026-11-26T12:00:00Z");
    Bytes::from(
        json!({ "id": id, "type": "message_batch", "processing_status": if over { "ended" } else { "in_progress" },
        "request_counts": counts, "results_url": url, "cancel_initiated_at": cancelled })
        .to_string(),
    )
}

fn operation(id: &str, batch: &Batch, end: &str, [out, _]: [Option<String>; 2]) -> Bytes {
    let state = match end {
        "" => "BATCH_STATE_RUNNING",
        "completed" => "BATCH_STATE_SUCCEEDED",
        "expired" => "BATCH_STATE_EXPIRED",
        "failed" => "BATCH_STATE_FAILED",
        _ => "BATCH_STATE_CANCELLED",
    };
    let stats = json!({ "requestCount": batch.lines.len().to_string() });
    Bytes::from(
        json!({ "name": id, "metadata": { "state": state, "batchStats": stats }, "done": !end.is_empty(),
        "response": out.map(|file| json!({ "responsesFile": file })) })
        .to_string(),
    )
}

fn job(id: &str, batch: &Batch, end: &str, [out, err]: [Option<String>; 2]) -> Bytes {
    let status = match end {
        "" => "RUNNING",
        "completed" => "SUCCESS",
        "expired" => "TIMEOUT_EXCEEDED",
        "failed" => "FAILED",
        _ => "CANCELLED",
    };
    Bytes::from(
        json!({ "id": id, "object": "batch", "status": status, "errors": [], "metadata": null,
        "total_requests": batch.lines.len(), "succeeded_requests": 0, "failed_requests": 0,
        "output_file": out, "error_file": err })
        .to_string(),
    )
}

impl instructor::Transport for Fake {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let response = self.answer(request).map(|response| {
            // In pieces that end anywhere.
            let pieces: Vec<_> = response.body().chunks(97).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            response.map(|_| Body::arriving(Pieces(pieces.into_iter())))
        });
        Box::pin(ready(response))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

impl BlockingTransport for Fake {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Option<Duration>,
    ) -> Result<http::Response<Box<dyn Read + Send>>, TransportError> {
        self.answer(request).map(|response| response.map(|body| Box::new(Cursor::new(body)) as Box<dyn Read + Send>))
    }

    fn sleep(&self, _: Duration) {}
}

struct Pieces(std::vec::IntoIter<Result<Bytes, TransportError>>);

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}
