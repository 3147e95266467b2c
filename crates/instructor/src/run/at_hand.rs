//! An answer that is there before anything is sent, such as one of a batch.

use super::{Answer, Now, Run, Step};

/// An answer that is there already.
#[derive(Clone, Debug)]
pub(crate) struct AtHand {
    pub(crate) answer: Answer,
    /// How much of the price it costs, in per cent.
    pub(crate) percent: u8,
    /// Nothing is sent, whatever is wrong with it; and it is new to whoever counts what is spent.
    pub(crate) only: bool,
}

impl<'a> Run<'a> {
    /// Begins with an answer, as if it came to the first request.
    pub(crate) fn begin_with(&mut self, at_hand: AtHand) {
        self.given = at_hand.only;
        self.at_hand = Some(at_hand);
    }

    /// Takes the answer that is there in the place of one that is sent for.
    pub(super) fn take_at_hand(&mut self, AtHand { answer, percent, only }: AtHand, now: Now) -> Step {
        self.sent = now.monotonic;
        self.percent = percent;
        if only {
            let (profile, model) = (&self.job.endpoint.profile, self.job.model_of(false));
            self.call = Some(self.job.account.call(profile.id(), model, now.unix));
        }
        self.answered(answer, now)
    }

    /// Whether it is still asked for as it was at first.
    #[cfg(feature = "batch")]
    pub(crate) fn is_as_begun(&self) -> bool {
        self.plan.rung() == self.job.plan.rung()
    }
}
