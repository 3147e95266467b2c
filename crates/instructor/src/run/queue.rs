//! What comes before a call where a limiter is shared: the request's turn. And what the limiter is told of the call.

use super::failure::Failure;
use super::outcome::Seen;
use super::{Now, Run, Step};
use crate::error::{Error, ErrorKind};
use crate::limiter::{Ask, Late, Limiter, Outcome, Place, Turn, Whose};
use crate::message::{Message, Part};
use crate::wire::Usage;

/// What media are taken for, however large: their bytes say nothing of their tokens.
const MEDIA_TOKENS: u64 = 1000;

impl Run<'_> {
    pub(super) fn queue(&mut self, limiter: &Limiter, now: Now) -> Step {
        let endpoint = self.job.endpoint;
        let whose = match (&endpoint.keyring, &endpoint.key) {
            (Some(keyring), _) => Whose::Source(keyring.id()),
            (None, Some(key)) => Whose::Key(key.expose()),
            (None, None) => Whose::Nobody,
        };
        let model = self.job.model_of(self.draft.is_some());
        let lane = limiter.lane(endpoint.address.text(), whose, model, now.monotonic);
        let input = match lane.counts_tokens().then(|| self.estimate()) {
            None => 0,
            Some(Ok(tokens)) => tokens,
            Some(Err(error)) => {
                let error = error.with_report(self.close(now));
                return self.done(Err(error));
            }
        };
        let ask = Ask {
            input,
            max_output: self.job.settings.max_tokens,
            deadline: self.job.budget.deadline.map(|deadline| self.started + deadline),
            patience: self.job.retry.longest_retry_after(),
        };
        let ticket = *self.ticket.get_or_insert_with(|| limiter.ticket());
        self.sent = now.monotonic;
        Step::Enter(Turn::new(lane, ticket, ask))
    }

    /// About how many tokens the next call sends. The body is made for it and goes: as long as the request waits, it
    /// holds no second copy of what is said.
    fn estimate(&self) -> Result<u64, Error> {
        let said = self.messages().iter().chain(&self.turns).flat_map(Message::parts);
        let (media, bytes) = said.filter_map(Part::as_media).fold((0, 0), |(count, bytes), media| {
            let here = media.bytes().map_or(0, |content| content.len().div_ceil(3) * 4);
            (count + 1, bytes + here)
        });
        let text = self.encode()?.body().len().saturating_sub(bytes);
        Ok(text as u64 / 4 + media * MEDIA_TOKENS)
    }

    pub(super) fn entered(&mut self, entered: Result<Place, Late>, now: Now) -> Step {
        let queued = now.monotonic.saturating_sub(self.sent);
        self.queued += queued;
        self.waited += queued;
        match entered {
            Ok(place) => {
                self.place = Some(place);
                self.authorise(now)
            }
            Err(Late::Deadline { before, wait }) => {
                let deadline = self.job.budget.deadline.unwrap_or_default();
                let why = match (before, wait.as_millis()) {
                    (0, 0) => format!("the deadline of {deadline:?} has passed before there was a place for the call"),
                    (0, ms) => format!("the deadline of {deadline:?} comes before its turn, in {ms} ms"),
                    (n, _) => format!("the deadline of {deadline:?} comes before its turn: {n} requests are before it"),
                };
                self.over(why, now)
            }
            Err(Late::Closed(wait)) => match self.last.take() {
                Some((failure, seen)) if failure.kind == ErrorKind::RateLimited => self.give_up(failure, seen, now),
                _ => {
                    let detail =
                        format!("nothing is sent for {} s: the provider said so to another call", wait.as_secs());
                    let failure = Failure { retry_after: Some(wait), ..Failure::new(ErrorKind::RateLimited, detail) };
                    self.give_up(failure, Seen::default(), now)
                }
            },
        }
    }

    /// Whether it is the limiter that waits after a failure of this kind, for all requests, and not the request.
    pub(super) fn limited(&self, kind: ErrorKind) -> bool {
        self.job.limiter.is_some() && kind == ErrorKind::RateLimited
    }

    /// Tells the limiter what came of the call, before the provider's word on its limits goes into the report.
    pub(super) fn leave(&mut self, failure: Option<&Failure>, status: Option<u16>, usage: Usage, now: Now) {
        let Some(place) = self.place.take() else { return };
        let refused = failure.is_some_and(|failure| failure.kind == ErrorKind::RateLimited);
        let outcome = Outcome {
            usage,
            limits: self.rate_limits,
            refused,
            // What is wrong with a request is said of those that are let in.
            taken: !refused && status.is_some_and(|status| status < 500),
            retry_after: failure.and_then(|failure| failure.retry_after),
        };
        self.stuck = place.leave(outcome, now.monotonic);
    }
}
