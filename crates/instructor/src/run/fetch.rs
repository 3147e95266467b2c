//! What comes before the first call: media that the provider takes as bytes only.

use std::time::Duration;

use super::{Answer, Job, Now, Run, Step};
use crate::error::{Error, TransportError, TransportErrorKind};
use crate::media::{Fetching, Get};
use crate::wire::Forms;

impl Job<'_> {
    /// The fetch of what is wanted, if anything is.
    pub(super) fn fetching(&self) -> Option<Fetching> {
        let policy = self.fetch.filter(|_| !self.wanted.is_empty())?;
        Some(Fetching::new(policy, self.messages, self.wanted.clone()))
    }
}

impl Run<'_> {
    /// Gets the next of the media; asks the provider once all are here.
    pub(super) fn fetch(&mut self, now: Now) -> Step {
        let Some(mut fetching) = self.fetching.take() else { return self.send(now) };
        if let Some(why) = self.spent(now, Duration::ZERO) {
            return self.over(why, now);
        }
        let next = fetching.next(now.monotonic);
        let before = self.report.fetched.len();
        self.report.fetched.extend(fetching.take_report());
        self.tell_fetched(before);
        match next {
            Ok(Some(get)) => {
                self.fetching = Some(fetching);
                let left = self.job.budget.deadline.map(|deadline| deadline.saturating_sub(self.elapsed(now)));
                Step::Fetch(Get { timeout: left.map_or(get.timeout, |left| left.min(get.timeout)), ..get })
            }
            Ok(None) => {
                let messages = fetching.into_messages();
                // What has arrived may be of a type that is not taken.
                let profile = &self.job.endpoint.profile;
                let checked = Forms::of(profile, self.job.model).check(profile.id(), &messages, false);
                self.completed = Some(messages);
                match checked {
                    Ok(_) => self.send(now),
                    Err(error) => self.unfetched(error, now),
                }
            }
            Err(error) => self.unfetched(error, now),
        }
    }

    pub(super) fn fetched(&mut self, answer: Result<Answer, TransportError>, now: Now) -> Step {
        let Some(fetching) = &mut self.fetching else { return self.send(now) };
        let taken = match answer {
            Ok(Answer { status, headers, body }) => fetching.answered(status, &headers, body, now.monotonic),
            Err(error) if error.kind() == TransportErrorKind::Timeout => {
                let late = fetching.unanswered(error);
                match self.spent(now, Duration::ZERO) {
                    Some(why) => return self.over(why, now),
                    None => Err(late),
                }
            }
            Err(error) => Err(fetching.unanswered(error)),
        };
        match taken {
            Ok(()) => self.fetch(now),
            Err(error) => self.unfetched(error, now),
        }
    }

    fn unfetched(&mut self, error: Error, now: Now) -> Step {
        let error = error.with_report(self.close(now));
        self.done(Err(error))
    }
}
