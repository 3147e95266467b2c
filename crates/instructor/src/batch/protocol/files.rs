//! OpenAI's batches: a file with a request on each line, a batch of it, a file of results and one of errors.

use instructor_json::Node;
use serde_json::json;

use super::{
    Ask, BatchState, BatchStatus, Next, Outcome, Protocol, Submission, count, counts, fault, field, response_line,
    state, status, text, upload,
};
use crate::error::Error;
use crate::provider::escaped;
use crate::run::Answer;

pub(super) struct Files;

const WORDS: &[(&str, BatchStatus)] = &[
    ("validating", BatchStatus::Pending),
    ("in_progress", BatchStatus::Running),
    ("finalizing", BatchStatus::Running),
    ("completed", BatchStatus::Completed),
    ("failed", BatchStatus::Failed),
    ("expired", BatchStatus::Expired),
    ("cancelling", BatchStatus::Cancelling),
    ("cancelled", BatchStatus::Cancelled),
];

impl Protocol for Files {
    fn line(&self, id: &str, path: &str, body: &str) -> String {
        format!("{{\"custom_id\":{id},\"method\":\"POST\",\"url\":\"/v1{path}\",\"body\":{body}}}\n")
    }

    fn submit(&self, part: &Submission<'_>, before: &[Answer]) -> Result<Next, Error> {
        Ok(match before {
            [] => Next::Ask(upload("/files")),
            [file] => {
                let batch = json!({
                    "input_file_id": field(file, "id")?,
                    "endpoint": format!("/v1{}", part.path),
                    "completion_window": "24h",
                });
                Next::Ask(Ask::post(String::from("/batches"), batch).once())
            }
            [.., batch] => Next::Done(state(self, batch)?),
        })
    }

    fn poll(&self, id: &str) -> Ask {
        Ask::get(format!("/batches/{}", escaped(id)))
    }

    fn cancel(&self, id: &str) -> Ask {
        Ask::post(format!("/batches/{}/cancel", escaped(id)), json!({}))
    }

    fn list(&self, after: Option<&str>) -> Ask {
        let after = after.map_or_else(String::new, |after| format!("&after={}", escaped(after)));
        Ask::get(format!("/batches?limit=100{after}"))
    }

    fn state(&self, said: Node<'_>) -> Option<BatchState> {
        let word = text(said, "status")?;
        let counted = said
            .get("request_counts")
            .map(|node| counts(count(node, "total"), [count(node, "completed"), count(node, "failed"), None, None]));
        // An object with the list in it, or the list itself.
        let errors = said.get("errors").map(|errors| errors.get("data").unwrap_or(errors));
        Some(BatchState {
            id: text(said, "id")?,
            status: status(WORDS, &word),
            raw_status: word,
            counts: counted.unwrap_or_default(),
            files: ["output_file_id", "error_file_id"].into_iter().filter_map(|name| text(said, name)).collect(),
            errors: errors.into_iter().flat_map(Node::items).map(fault).collect(),
        })
    }

    fn page<'d>(&self, said: Node<'d>) -> (Vec<Node<'d>>, Option<String>) {
        let batches: Vec<Node<'d>> = said.get("data").into_iter().flat_map(Node::items).collect();
        let more = said.get("has_more").and_then(Node::as_bool) == Some(true);
        let last = text(said, "last_id").or_else(|| text(*batches.last()?, "id"));
        (batches, last.filter(|_| more))
    }

    fn results(&self, state: &BatchState) -> Vec<Ask> {
        state.files.iter().map(|file| Ask::get(format!("/files/{}/content", escaped(file)))).collect()
    }

    fn result(&self, line: Node<'_>) -> Option<(String, Outcome)> {
        response_line(line)
    }
}
