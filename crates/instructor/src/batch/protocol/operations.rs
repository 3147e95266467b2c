//! Gemini's batches: a file with a request on each line, an operation on it, a file of results.

use http::Method;
use instructor_json::Node;
use serde_json::json;

use super::{
    Ask, BatchState, BatchStatus, Bytes, Content, Next, Outcome, Place, Protocol, Submission, count, counts, fault,
    read, state, status, text,
};
use crate::error::{Error, ErrorKind};
use crate::provider::escaped;
use crate::run::Answer;

pub(super) struct Operations;

/// What follows `BATCH_STATE_`, or `JOB_STATE_` as the same is called elsewhere.
const WORDS: &[(&str, BatchStatus)] = &[
    ("PENDING", BatchStatus::Pending),
    ("RUNNING", BatchStatus::Running),
    ("SUCCEEDED", BatchStatus::Completed),
    ("FAILED", BatchStatus::Failed),
    ("CANCELLED", BatchStatus::Cancelled),
    ("EXPIRED", BatchStatus::Expired),
];

/// The HTTP status of a code of `google.rpc`.
const CODES: &[(u64, u16)] =
    &[(3, 400), (4, 504), (5, 404), (7, 403), (8, 429), (9, 400), (11, 400), (16, 401), (12, 501), (14, 503)];

/// A name such as `batches/abc`, as part of a path.
fn name(id: &str) -> String {
    id.split('/').map(escaped).collect::<Vec<_>>().join("/")
}

impl Protocol for Operations {
    fn line(&self, id: &str, _: &str, body: &str) -> String {
        format!("{{\"key\":{id},\"request\":{body}}}\n")
    }

    fn submit(&self, part: &Submission<'_>, before: &[Answer]) -> Result<Next, Error> {
        Ok(match before {
            [] => {
                let about = json!({ "file": { "display_name": "batch.jsonl" } });
                let place = Place::Root(String::from("/upload/v1beta/files"));
                let ask = Ask::new(Method::POST, place, Content::Json(about))
                    .header("x-goog-upload-protocol", "resumable")
                    .header("x-goog-upload-command", "start")
                    .header("x-goog-upload-header-content-length", &part.bytes.to_string())
                    .header("x-goog-upload-header-content-type", "application/jsonl");
                Next::Ask(ask)
            }
            [begun] => {
                let url =
                    begun.headers.get("x-goog-upload-url").and_then(|url| url.to_str().ok()).ok_or_else(|| {
                        Error::new(
                            ErrorKind::Malformed,
                            "the provider names no address for the upload (x-goog-upload-url)",
                        )
                    })?;
                let lines = Content::Lines { head: String::new(), tail: String::new(), list: false };
                let ask = Ask::new(Method::POST, Place::Given(String::from(url)), lines)
                    .header("x-goog-upload-command", "upload, finalize")
                    .header("x-goog-upload-offset", "0");
                // What has arrived has to be asked for before it is sent again.
                Next::Ask(ask.once())
            }
            [_, uploaded] => {
                let file = read(uploaded, |root| text(root.get("file")?, "name"))?;
                let batch = json!({
                    "batch": {
                        "display_name": format!("{} requests", part.requests),
                        "input_config": { "file_name": file },
                    }
                });
                let path = format!("/v1beta/models/{}:batchGenerateContent", escaped(part.model));
                Next::Ask(Ask::post(path, batch).once())
            }
            [.., batch] => Next::Done(state(self, batch)?),
        })
    }

    fn poll(&self, id: &str) -> Ask {
        Ask::get(format!("/v1beta/{}", name(id)))
    }

    fn cancel(&self, id: &str) -> Ask {
        Ask::post(format!("/v1beta/{}:cancel", name(id)), json!({}))
    }

    fn list(&self, after: Option<&str>) -> Ask {
        let after = after.map_or_else(String::new, |after| format!("&pageToken={}", escaped(after)));
        Ask::get(format!("/v1beta/batches?pageSize=100{after}"))
    }

    fn state(&self, said: Node<'_>) -> Option<BatchState> {
        let about = said.get("metadata").or_else(|| said.get("batch")).unwrap_or(said);
        let word = text(about, "state").unwrap_or_else(|| String::from("BATCH_STATE_PENDING"));
        let short = word.strip_prefix("BATCH_STATE_").or_else(|| word.strip_prefix("JOB_STATE_")).unwrap_or(&word);
        let stats = about.get("batchStats");
        let counted = |name| stats.and_then(|stats| count(stats, name));
        let output = said.get("response").or_else(|| about.get("output"));
        let file = output.and_then(|output| text(output, "responsesFile"));
        let error = said.get("error").or_else(|| about.get("error")).filter(|error| !error.is_null());
        Some(BatchState {
            id: text(said, "name").or_else(|| text(about, "name"))?,
            status: match status(WORDS, short) {
                BatchStatus::Unknown if error.is_some() => BatchStatus::Failed,
                status => status,
            },
            counts: counts(
                counted("requestCount"),
                [counted("successfulRequestCount"), counted("failedRequestCount"), None, None],
            ),
            raw_status: word,
            files: file.into_iter().collect(),
            errors: error.map(fault).into_iter().collect(),
        })
    }

    fn page<'d>(&self, said: Node<'d>) -> (Vec<Node<'d>>, Option<String>) {
        let batches = said.get("operations").or_else(|| said.get("batches"));
        (batches.into_iter().flat_map(Node::items).collect(), text(said, "nextPageToken"))
    }

    fn results(&self, state: &BatchState) -> Vec<Ask> {
        let place = |file: &String| Place::Root(format!("/download/v1beta/{}:download?alt=media", name(file)));
        state.files.iter().map(|file| Ask::new(Method::GET, place(file), Content::Nothing)).collect()
    }

    fn result(&self, line: Node<'_>) -> Option<(String, Outcome)> {
        let id = text(line, "key").or_else(|| text(line.get("metadata")?, "key"))?;
        if let Some(response) = line.get("response").filter(|response| !response.is_null()) {
            return Some((id, Outcome::said(200, response)));
        }
        let error = line.get("error")?;
        let code = count(error, "code").unwrap_or_default();
        let outcome = match code {
            // What was cancelled by itself, and not with the batch, is an error like others.
            400..600 => Outcome::error(u16::try_from(code).unwrap_or(500), error),
            _ => {
                // The code of another protocol would be taken for a status.
                let status = CODES.iter().find(|(known, _)| *known == code).map_or(500, |(_, status)| *status);
                let said = json!({ "error": { "message": text(error, "message"), "status": text(error, "status") } });
                Outcome::Answered { status, body: Bytes::from(said.to_string()) }
            }
        };
        Some((id, outcome))
    }
}
