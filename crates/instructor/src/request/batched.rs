//! Requests of a batch: written down instead of sent, and their answers read when they come.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::{Request, Slot};
use crate::client::Core;
use crate::cost::Account;
use crate::error::{Error, ErrorKind};
use crate::fallback::Asks;
use crate::hooks::Hooked;
use crate::message::Messages;
use crate::model::Contract;
use crate::options::Options;
use crate::run::{AtHand, Budget, Carried, Completion, Event, ReAsk, Retry, Run, Step, Truncated};
use crate::transport::{Transport as _, drive};
use crate::validate::{Checked, Context, Issues, Rules, each};

impl<'a, C> Request<'a, C> {
    /// One with these settings, whatever the client has learnt, so that it is the same in every process.
    pub(crate) fn batched(
        (client, core): (&'a C, &'a Core),
        messages: Messages<'a>,
        options: &'a Options,
        context: Context,
        typed: bool,
    ) -> Self {
        let options = Cow::Borrowed(options);
        Self { options, context, typed, fresh: true, ..Self::new(client, core, messages) }
    }

    /// With an answer that is there already.
    pub(crate) fn at_hand(mut self, at_hand: AtHand) -> Self {
        self.at_hand = Some(at_hand);
        self
    }
}

#[expect(private_bounds, reason = "none of it is for others")]
impl<C: Asks> Request<'_, C> {
    /// What the answer that is there is worth; nothing is sent.
    pub(crate) async fn weighed<T: DeserializeOwned + Send>(
        self,
        contract: &Contract,
        rules: Rules<T>,
        at_hand: AtHand,
    ) -> Result<(T, Completion), Error> {
        let job = self.job(self.core, &self.options, contract, false)?;
        let mut slot = Slot::new(self.context.clone(), rules);
        let completion = {
            let mut run = Run::new(&job, &mut slot, Carried::default());
            run.begin_with(at_hand);
            drive(&self.client.over(), &mut run, self.core.max_response_bytes, None).await?
        };
        slot.with(completion)
    }

    /// The body of the request that follows the answer that is there: the re-ask, or the same again where the service failed.
    pub(crate) async fn following<T: DeserializeOwned + Send>(
        mut self,
        contract: &Contract,
        rules: Rules<T>,
        at_hand: AtHand,
    ) -> Result<bytes::Bytes, Error> {
        let options = self.options.to_mut();
        // All of it is asked for again: what a part belongs to would have to be kept until the answer comes.
        (options.reask, options.truncated, options.retry) = (ReAsk::Full, Truncated::Fail, Retry::new());
        // It was looked on and counted when it came.
        (options.budget, options.hooks, options.account) = (Budget::new(), Hooked::default(), Account::default());
        let job = self.job(self.core, &self.options, contract, false)?;
        let mut slot = Slot::new(self.context.clone(), rules);
        let mut run = Run::new(&job, &mut slot, Carried::default());
        run.begin_with(at_hand);
        let over = self.client.over();
        let mut event = Event::Begin;
        loop {
            event = match run.step(event, over.now()) {
                Step::Check(time) => {
                    let found = each(run.checks().into_iter().collect(), || over.bell(time)).await.pop();
                    Event::Checked(found.unwrap_or_else(|| Checked::Found(Issues::new())))
                }
                Step::Done(Ok(_)) => {
                    let why = "the answer is right now: its validators have another view of it than before";
                    return Err(Error::new(ErrorKind::Unsupported, why));
                }
                Step::Done(Err(error)) => return Err(error),
                _ if !run.is_as_begun() => {
                    let why = "the provider does not take the schema in this mode; build the batch with another mode";
                    return Err(Error::new(ErrorKind::SchemaRefused, why));
                }
                // Whatever comes before it is sent, it is this.
                _ => return Ok(run.encode()?.into_body()),
            };
        }
    }
}
