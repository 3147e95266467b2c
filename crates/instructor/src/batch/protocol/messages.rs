//! Anthropic's batches: all requests in one body, and their results in one stream.

use instructor_json::Node;
use serde_json::json;

use super::{
    Ask, BatchState, BatchStatus, Content, Next, Outcome, Place, Protocol, Submission, count, counts, state, text,
};
use crate::error::Error;
use crate::provider::escaped;
use crate::run::Answer;

pub(super) struct Messages;

const PATH: &str = "/v1/messages/batches";

/// The status that the answer to such an error has, where it is one by itself.
const STATUSES: &[(&str, u16)] = &[
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

impl Protocol for Messages {
    fn line(&self, id: &str, _: &str, body: &str) -> String {
        format!("{{\"custom_id\":{id},\"params\":{body}}}\n")
    }

    fn submit(&self, _: &Submission<'_>, before: &[Answer]) -> Result<Next, Error> {
        Ok(match before {
            [] => {
                let content =
                    Content::Lines { head: String::from("{\"requests\":["), tail: String::from("]}"), list: true };
                Next::Ask(Ask::new(http::Method::POST, Place::Path(String::from(PATH)), content).once())
            }
            [.., batch] => Next::Done(state(self, batch)?),
        })
    }

    fn poll(&self, id: &str) -> Ask {
        Ask::get(format!("{PATH}/{}", escaped(id)))
    }

    fn cancel(&self, id: &str) -> Ask {
        Ask::post(format!("{PATH}/{}/cancel", escaped(id)), json!({}))
    }

    fn list(&self, after: Option<&str>) -> Ask {
        let after = after.map_or_else(String::new, |after| format!("&after_id={}", escaped(after)));
        Ask::get(format!("{PATH}?limit=100{after}"))
    }

    fn state(&self, said: Node<'_>) -> Option<BatchState> {
        let word = text(said, "processing_status")?;
        let counted = |name| said.get("request_counts").and_then(|node| count(node, name));
        let names = ["succeeded", "errored", "canceled", "expired"];
        let ends = names.map(counted);
        let total = [counted("processing")].iter().chain(&ends).flatten().copied().reduce(|a, b| a + b);
        let cancelled = said.get("cancel_initiated_at").is_some_and(|at| !at.is_null());
        let expired = counted("expired").is_some_and(|expired| expired > 0);
        Some(BatchState {
            id: text(said, "id")?,
            status: match word.as_str() {
                "in_progress" => BatchStatus::Running,
                "canceling" => BatchStatus::Cancelling,
                "ended" if cancelled => BatchStatus::Cancelled,
                "ended" if expired => BatchStatus::Expired,
                "ended" => BatchStatus::Completed,
                _ => BatchStatus::Unknown,
            },
            raw_status: word,
            counts: counts(total, ends),
            files: Vec::new(),
            errors: Vec::new(),
        })
    }

    fn page<'d>(&self, said: Node<'d>) -> (Vec<Node<'d>>, Option<String>) {
        let batches: Vec<Node<'d>> = said.get("data").into_iter().flat_map(Node::items).collect();
        let more = said.get("has_more").and_then(Node::as_bool) == Some(true);
        (batches, text(said, "last_id").filter(|_| more))
    }

    /// Where it is told to be (`results_url`) may be anywhere, and the key goes along.
    fn results(&self, state: &BatchState) -> Vec<Ask> {
        vec![Ask::get(format!("{PATH}/{}/results", escaped(&state.id)))]
    }

    fn result(&self, line: Node<'_>) -> Option<(String, Outcome)> {
        let (id, result) = (text(line, "custom_id")?, line.get("result")?);
        let outcome = match text(result, "type")?.as_str() {
            "succeeded" => Outcome::said(200, result.get("message")?),
            "expired" => Outcome::Expired,
            "canceled" => Outcome::Cancelled,
            _ => {
                let error = result.get("error")?;
                let kind = text(error.get("error").unwrap_or(error), "type").unwrap_or_default();
                let status = STATUSES.iter().find(|(known, _)| *known == kind).map_or(500, |(_, status)| *status);
                Outcome::said(status, error)
            }
        };
        Some((id, outcome))
    }
}
