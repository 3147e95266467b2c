//! What an attempt cost, as far as that can be known.

use super::failure::Failure;
use super::listen::{Purse, Till};
use super::outcome::Seen;
use super::{Now, Run};
use crate::cost::{Charge, Money, Price, Spend};
use crate::error::TransportErrorKind;
use crate::wire::Usage;

impl Run<'_> {
    /// Puts the cost of an attempt on the bill. `model` is the one that answered, if it said so.
    pub(super) fn charge(
        &mut self,
        failure: Option<&Failure>,
        seen: &Seen,
        usage: Usage,
        model: Option<&str>,
        now: Now,
    ) -> Option<Charge> {
        let price = self.price(model);
        let charge = self.charged(failure, seen, usage, price.as_ref(), now).map(|charge| match charge {
            Charge::Counted(money) => Charge::Counted(money.percent(self.percent)),
            charge => charge,
        });
        // As for tokens: what is not counted must not make the budget endless.
        let guess = || {
            let output = usage.output.unwrap_or_default().max(seen.size as u64 / 4);
            price.as_ref().filter(|_| seen.status.is_some())?.cost(&self.guessed(usage, output), now.unix)
        };
        self.money += charge.map(Charge::money).or_else(guess).unwrap_or_default();
        if let Some(call) = self.call.take() {
            call.settle(Spend::of_call(failure.is_some(), usage, charge));
        }
        charge
    }

    fn charged(
        &self,
        failure: Option<&Failure>,
        seen: &Seen,
        usage: Usage,
        price: Option<&Price>,
        now: Now,
    ) -> Option<Charge> {
        if let Some(charged) = usage.charged {
            return Some(Charge::Told(charged));
        }
        if failure.is_some_and(|failure| is_free(failure, seen.status, self.call.is_some())) {
            return Some(Charge::Counted(Money::ZERO));
        }
        let price = price?;
        match failure {
            // What was counted until then is not what it came to, and of the rest nothing is known.
            Some(failure) if failure.broken => None,
            Some(Failure { stopped: Some(output), .. }) => {
                price.cost(&self.guessed(usage, *output), now.unix).map(Charge::Estimated)
            }
            _ => price.cost(&usage, now.unix).map(Charge::Counted),
        }
    }

    /// What the budget leaves for the answer that is going to be streamed.
    pub(super) fn purse(&self, now: Now) -> Purse {
        let budget = &self.job.budget;
        let money = budget.cost.and_then(|most| {
            let (price, sent) = (self.price(None)?, self.sent_bytes as u64 / 4);
            Some(Till { used: self.money, most, price, sent, at: now.unix })
        });
        Purse { tokens: budget.tokens.map(|most| (self.tokens, most)), money }
    }

    fn price(&self, answered: Option<&str>) -> Option<Price> {
        let asked = self.job.model_of(self.draft.is_some());
        self.job.account.price(self.job.endpoint.profile.id(), answered, asked)
    }

    /// What was counted, with an estimate of what was not: a token is about four bytes.
    fn guessed(&self, usage: Usage, output: u64) -> Usage {
        let input = usage.input.unwrap_or(self.sent_bytes as u64 / 4);
        Usage { input: Some(input), output: Some(output), ..usage }
    }
}

/// Whether no tokens are paid for: nothing was sent, or the provider refused it before any model read it.
fn is_free(failure: &Failure, status: Option<u16>, sent: bool) -> bool {
    match status {
        // What a proxy says of a model that took too long is none of them.
        Some(status) => (400..500).contains(&status) && status != 408 && status != 499 && failure.rejected.is_none(),
        None => match &failure.source {
            Some(error) => error.kind() == TransportErrorKind::Connect || error.is_unsent(),
            None => !sent,
        },
    }
}
