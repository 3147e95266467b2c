//! One file a protocol of batches: what is asked of the provider, and what its answers say. No I/O.

mod files;
mod jobs;
mod messages;
mod operations;

use bytes::Bytes;
use http::{HeaderMap, Method};
use instructor_json::{Document, Node};
use serde_json::Value;

use super::job::{BatchCounts, BatchFault, BatchState, BatchStatus};
use crate::error::{Error, ErrorKind};
use crate::provider::BatchForm;
use crate::run::Answer;

/// The protocol of a form.
pub(crate) const fn of(form: BatchForm) -> &'static dyn Protocol {
    match form {
        BatchForm::Files => &files::Files,
        BatchForm::Jobs => &jobs::Jobs,
        BatchForm::Messages => &messages::Messages,
        BatchForm::Operations => &operations::Operations,
    }
}

/// How a provider takes batches.
pub(crate) trait Protocol: Send + Sync {
    /// A line of the input: a request under its id. Both are JSON already.
    fn line(&self, id: &str, path: &str, body: &str) -> String;

    /// What is asked next to submit a part, after these answers.
    fn submit(&self, part: &Submission<'_>, before: &[Answer]) -> Result<Next, Error>;

    fn poll(&self, id: &str) -> Ask;

    fn cancel(&self, id: &str) -> Ask;

    /// A page of the batches that there are: after this one, or this page.
    fn list(&self, after: Option<&str>) -> Ask;

    /// What is said of a batch.
    fn state(&self, said: Node<'_>) -> Option<BatchState>;

    /// The batches of a page, and where the next begins.
    fn page<'d>(&self, said: Node<'d>) -> (Vec<Node<'d>>, Option<String>);

    /// Where the results are, as far as there are any.
    fn results(&self, state: &BatchState) -> Vec<Ask>;

    /// A line of results: whose it is, and what came of it.
    fn result(&self, line: Node<'_>) -> Option<(String, Outcome)>;
}

/// A part that is to be submitted.
pub(crate) struct Submission<'s> {
    pub(crate) model: &'s str,
    /// The path of its requests.
    pub(crate) path: &'s str,
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
}

pub(crate) enum Next {
    Ask(Ask),
    Done(BatchState),
}

/// One request to the provider.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) place: Place,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
    /// It may be sent again although the one before may have been done.
    pub(crate) again: bool,
}

#[derive(Debug)]
pub(crate) enum Place {
    /// After the base URL.
    Path(String),
    /// After the base URL without its version.
    Root(String),
    /// An address that the provider gave, at its own host, where no key is wanted.
    Given(String),
}

#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    Json(Value),
    /// The lines of the part, between these.
    Lines {
        head: String,
        tail: String,
        /// Commas stand between them, and not the ends of lines.
        list: bool,
    },
}

impl Ask {
    fn get(path: String) -> Self {
        Self::new(Method::GET, Place::Path(path), Content::Nothing)
    }

    fn post(path: String, body: Value) -> Self {
        Self::new(Method::POST, Place::Path(path), Content::Json(body))
    }

    fn new(method: Method, place: Place, content: Content) -> Self {
        Self { method, place, headers: HeaderMap::new(), content, again: true }
    }

    /// Done twice, it would be paid twice.
    fn once(mut self) -> Self {
        self.again = false;
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered, be it with an error.
    Answered { status: u16, body: Bytes },
    /// It was not begun in time.
    Expired,
    /// It was not begun before the batch was cancelled.
    Cancelled,
}

impl Outcome {
    fn said(status: u16, body: Node<'_>) -> Self {
        Self::Answered { status, body: Bytes::copy_from_slice(body.source().as_bytes()) }
    }

    /// An error object, as the body of an answer.
    fn error(status: u16, error: Node<'_>) -> Self {
        Self::Answered { status, body: format!("{{\"error\":{}}}", error.source()).into() }
    }
}

/// Reads what a provider says of a batch.
pub(crate) fn state(protocol: &dyn Protocol, answer: &Answer) -> Result<BatchState, Error> {
    read(answer, |root| protocol.state(root))
}

/// Reads an answer that is JSON.
pub(crate) fn read<T>(answer: &Answer, of: impl FnOnce(Node<'_>) -> Option<T>) -> Result<T, Error> {
    let text = std::str::from_utf8(&answer.body).ok();
    let document = text.and_then(|text| Document::parse(text).ok());
    let read = document.as_ref().and_then(|document| of(document.root()));
    read.ok_or_else(|| {
        let why = "the provider's answer says nothing of a batch; look at raw(), and at the base URL";
        Error::new(ErrorKind::Malformed, why).with_raw(Some(answer.body.clone()))
    })
}

/// The field that an earlier answer has to have.
fn field(answer: &Answer, name: &str) -> Result<String, Error> {
    read(answer, |root| text(root, name))
}

fn text(node: Node<'_>, name: &str) -> Option<String> {
    let text = node.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// A count, as a number or as the text that 64 bits are told by.
fn count(node: Node<'_>, name: &str) -> Option<u64> {
    let count = node.get(name)?;
    count.as_u64().or_else(|| count.as_str()?.parse().ok())
}

/// The status that a word means.
fn status(words: &[(&str, BatchStatus)], word: &str) -> BatchStatus {
    words.iter().find(|(known, _)| *known == word).map_or(BatchStatus::Unknown, |(_, status)| *status)
}

fn fault(node: Node<'_>) -> BatchFault {
    BatchFault {
        code: text(node, "code"),
        message: text(node, "message").unwrap_or_default(),
        line: count(node, "line"),
    }
}

/// No line of the input begins with it, since each begins with a brace.
const BOUNDARY: &str = "instructor-batch-d41f0c6a";

/// A form with a file, whose content stands between these.
fn form(fields: &[(&str, &str)]) -> (String, String) {
    let mut head = String::new();
    for (name, value) in fields {
        head.push_str(&format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    head.push_str(&format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"batch.jsonl\"\r\n\
         content-type: application/jsonl\r\n\r\n"
    ));
    (head, format!("\r\n--{BOUNDARY}--\r\n"))
}

/// The upload of a part by such a form.
fn upload(path: &str) -> Ask {
    let (head, tail) = form(&[("purpose", "batch")]);
    let content = Content::Lines { head, tail, list: false };
    Ask::new(Method::POST, Place::Path(String::from(path)), content)
        .header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"))
}

/// A line of results with `response` and `error`, as after OpenAI.
fn response_line(line: Node<'_>) -> Option<(String, Outcome)> {
    let id = text(line, "custom_id")?;
    let error = line.get("error").filter(|error| !error.is_null());
    let response = line.get("response").filter(|response| !response.is_null());
    let outcome = match (response, error) {
        (Some(response), _) => {
            let status = count(response, "status_code").and_then(|status| u16::try_from(status).ok());
            match response.get("body").filter(|body| !body.is_null()) {
                Some(body) => Outcome::said(status.unwrap_or(200), body),
                None => Outcome::said(status.unwrap_or(500), response),
            }
        }
        (None, Some(error)) => match text(error, "code").as_deref() {
            Some("batch_expired") => Outcome::Expired,
            Some("batch_cancelled" | "batch_canceled") => Outcome::Cancelled,
            _ => Outcome::error(500, error),
        },
        (None, None) => return None,
    };
    Some((id, outcome))
}

/// Counts that add up to a total, if that is not told itself.
fn counts(total: Option<u64>, [succeeded, failed, cancelled, expired]: [Option<u64>; 4]) -> BatchCounts {
    BatchCounts { total, succeeded, failed, cancelled, expired }
}
