//! Mistral's batches: a file with a request on each line, a job of it for one model, files of results.

use instructor_json::Node;
use serde_json::json;

use super::{
    Ask, BatchState, BatchStatus, Next, Outcome, Protocol, Submission, count, counts, fault, field, response_line,
    state, status, text, upload,
};
use crate::error::Error;
use crate::provider::escaped;
use crate::run::Answer;

pub(super) struct Jobs;

const WORDS: &[(&str, BatchStatus)] = &[
    ("QUEUED", BatchStatus::Pending),
    ("RUNNING", BatchStatus::Running),
    ("SUCCESS", BatchStatus::Completed),
    ("FAILED", BatchStatus::Failed),
    ("TIMEOUT_EXCEEDED", BatchStatus::Expired),
    ("CANCELLATION_REQUESTED", BatchStatus::Cancelling),
    ("CANCELLED", BatchStatus::Cancelled),
];

/// How many batches a page has.
const PAGE: usize = 100;

impl Protocol for Jobs {
    fn line(&self, id: &str, _: &str, body: &str) -> String {
        format!("{{\"custom_id\":{id},\"body\":{body}}}\n")
    }

    fn submit(&self, part: &Submission<'_>, before: &[Answer]) -> Result<Next, Error> {
        Ok(match before {
            [] => Next::Ask(upload("/files")),
            [file] => {
                let job = json!({
                    "input_files": [field(file, "id")?],
                    "endpoint": format!("/v1{}", part.path),
                    "model": part.model,
                    "timeout_hours": 24,
                });
                Next::Ask(Ask::post(String::from("/batch/jobs"), job).once())
            }
            [.., job] => Next::Done(state(self, job)?),
        })
    }

    fn poll(&self, id: &str) -> Ask {
        Ask::get(format!("/batch/jobs/{}", escaped(id)))
    }

    fn cancel(&self, id: &str) -> Ask {
        Ask::post(format!("/batch/jobs/{}/cancel", escaped(id)), json!({}))
    }

    fn list(&self, after: Option<&str>) -> Ask {
        Ask::get(format!("/batch/jobs?page_size={PAGE}&page={}", escaped(after.unwrap_or("0"))))
    }

    fn state(&self, said: Node<'_>) -> Option<BatchState> {
        let word = text(said, "status")?;
        let counted = |name| count(said, name);
        Some(BatchState {
            id: text(said, "id")?,
            status: status(WORDS, &word),
            raw_status: word,
            counts: counts(
                counted("total_requests"),
                [counted("succeeded_requests"), counted("failed_requests"), None, None],
            ),
            files: ["output_file", "error_file"].into_iter().filter_map(|name| text(said, name)).collect(),
            errors: said.get("errors").into_iter().flat_map(Node::items).map(fault).collect(),
        })
    }

    fn page<'d>(&self, said: Node<'d>) -> (Vec<Node<'d>>, Option<String>) {
        // Which page it was is not said, and more than one is not asked for.
        (said.get("data").into_iter().flat_map(Node::items).collect(), None)
    }

    fn results(&self, state: &BatchState) -> Vec<Ask> {
        state.files.iter().map(|file| Ask::get(format!("/files/{}/content", escaped(file)))).collect()
    }

    fn result(&self, line: Node<'_>) -> Option<(String, Outcome)> {
        response_line(line)
    }
}
