//! The terminals that show an answer while it arrives, of both clients.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Request, Slot};
use crate::client::Client;
use crate::error::Error;
use crate::fallback::Asks;
use crate::model::{Contract, ResponseModel};
use crate::run::{CheckTime, Completion, Judges};
use crate::stream::{Desk, Growing, ItemStream, Made, Making, Part, Partial, PartialStream, PartialValue, Shown};
use crate::transport::{BoxFuture, Show, checked, shown};
use crate::validate::{Checking, Issues, Ruled, Rules};
use crate::wire::Response;

impl<'a> Request<'a, Client> {
    /// Sends it, and shows the value as it arrives: partials of the type, and the value at the end.
    ///
    /// # Errors
    ///
    /// What fails is told at the end of the stream, by [`PartialStream::finish`], as by [`create`](Self::create).
    #[expect(clippy::unused_async, reason = "as the other terminals; whether it sends before the first look is open")]
    pub async fn create_partial<T: ResponseModel + Partial>(
        mut self,
    ) -> Result<PartialStream<'a, T::Partial, T>, Error> {
        let desk = Desk::new();
        let ruled = self.ruled::<T>();
        let slot = Slot::new(self.context.clone(), Rules::OF);
        Ok(PartialStream::new(self.partials(T::contract(), slot, ruled, Arc::clone(&desk)), desk))
    }

    /// [`create_partial`](Self::create_partial) for a run-time contract.
    ///
    /// # Errors
    ///
    /// As [`create_partial`](Self::create_partial).
    #[expect(clippy::unused_async, reason = "as create_partial")]
    pub async fn create_partial_value(
        mut self,
        contract: &Contract,
    ) -> Result<PartialStream<'a, PartialValue, Value>, Error> {
        let desk = Desk::new();
        self.typed = false;
        let slot = Slot::new(self.context.clone(), Rules::NONE);
        Ok(PartialStream::new(self.partials(contract.clone(), slot, None, Arc::clone(&desk)), desk))
    }

    /// Sends it, for a list, and gives the items one by one, each as soon as it is complete.
    ///
    /// # Errors
    ///
    /// What fails is told by the stream: of one item in its place, of the whole answer at the end.
    #[expect(clippy::unused_async, reason = "as create_partial")]
    pub async fn create_iterable<T: ResponseModel>(self) -> Result<ItemStream<'a, T>, Error> {
        let desk = Desk::new();
        Ok(ItemStream::new(self.items(Arc::clone(&desk)), desk))
    }
}

#[cfg(any(feature = "blocking", feature = "testing"))]
impl<'a> Request<'a, crate::blocking::Client> {
    /// Sends it, and shows the value as it arrives: partials of the type, and the value at the end.
    ///
    /// # Errors
    ///
    /// What fails is told at the end of the stream, as by [`create`](Self::create).
    pub fn create_partial<T: ResponseModel + Partial>(
        mut self,
    ) -> Result<crate::blocking::PartialStream<'a, T::Partial, T>, Error> {
        let desk = Desk::new();
        let ruled = self.ruled::<T>();
        let slot = Slot::new(self.context.clone(), Rules::OF);
        let future = self.partials(T::contract(), slot, ruled, Arc::clone(&desk));
        Ok(crate::blocking::PartialStream::new(PartialStream::new(future, desk)))
    }

    /// [`create_partial`](Self::create_partial) for a run-time contract.
    ///
    /// # Errors
    ///
    /// As [`create_partial`](Self::create_partial).
    pub fn create_partial_value(
        mut self,
        contract: &Contract,
    ) -> Result<crate::blocking::PartialStream<'a, PartialValue, Value>, Error> {
        let desk = Desk::new();
        self.typed = false;
        let slot = Slot::new(self.context.clone(), Rules::NONE);
        let future = self.partials(contract.clone(), slot, None, Arc::clone(&desk));
        Ok(crate::blocking::PartialStream::new(PartialStream::new(future, desk)))
    }

    /// Sends it, for a list, and gives the items one by one, each as soon as it is complete.
    ///
    /// # Errors
    ///
    /// What fails is told by the iterator: of one item in its place, of the whole answer at the end.
    pub fn create_iterable<T: ResponseModel>(self) -> Result<crate::blocking::ItemStream<'a, T>, Error> {
        let desk = Desk::new();
        Ok(crate::blocking::ItemStream::new(ItemStream::new(self.items(Arc::clone(&desk)), desk)))
    }
}

#[expect(private_bounds, reason = "none of it is for others")]
impl<'a, C: Asks> Request<'a, C> {
    fn partials<P: Part, T: DeserializeOwned + Send + 'static>(
        mut self,
        contract: Contract,
        mut slot: Slot<T>,
        ruled: Option<Ruled>,
        desk: Arc<Desk<Shown<P>>>,
    ) -> BoxFuture<'a, Result<(T, Completion), Error>> {
        Box::pin(async move {
            self.take_error()?;
            let cached = self.cached(&contract);
            let mut growing = Growing::new(self.options.reading, Arc::clone(&desk));
            let mut json = None;
            let completion = {
                let mut judge = Noted { slot: &mut slot, json: &mut json, desk };
                let mut watch = self.watch(Some(&contract), ruled, Some(&mut growing));
                let watching = Some(self.watching(&mut watch));
                self.ask(&contract, (&mut judge, None), watching, cached.as_ref()).await?.0
            };
            // What the answer had to be aligned for only the final reading understands.
            let repaired = completion.report.attempts().last().is_some_and(|attempt| {
                !attempt.repairs.is_empty() || !attempt.patch.is_empty() || attempt.continues.is_some()
            });
            growing.take();
            // Nor does anything show of a text that stands for calls.
            if let Some(json) = json.filter(|_| repaired || growing.is_pending())
                && growing.replace(&json)
            {
                shown(&mut growing).await;
            }
            growing.give(false);
            slot.with(completion)
        })
    }

    fn items<T: ResponseModel>(mut self, desk: Arc<Desk<Made<T>>>) -> BoxFuture<'a, Result<Completion, Error>> {
        Box::pin(async move {
            self.take_error()?;
            let contract = Contract::of::<Vec<T>>();
            let cached = self.cached(&contract);
            let mut slot = Slot::new(self.context.clone(), Rules::<T>::OF);
            let make = Box::new(move |item: &str| {
                let issues = slot.take(item);
                slot.value.take().filter(|_| issues.is_empty()).ok_or(issues)
            });
            let rules = (Rules::OF, self.context.clone());
            let keeps = matches!(cached, Some(Ok(_)));
            let options = (self.options.reading, self.options.bad_items, keeps);
            let mut making = Making::new(T::contract(), make, rules, options, desk);
            let mut judge = Listed { list: String::new(), slot: Slot::<Vec<T>>::new(self.context.clone(), Rules::OF) };
            let ended = {
                let mut watch = self.watch(None, None, Some(&mut making));
                let watching = Some(self.watching(&mut watch));
                let asked = self.ask(&contract, (&mut judge, None), watching, cached.as_ref());
                asked.await.map(|(completion, _)| completion)
            };
            making.take();
            let news = ended.is_ok() && making.replace(&judge.list);
            let time = CheckTime::new(self.options.check_timeout);
            if news | checked(&self.client.over(), &mut making, time).await | making.give_up() {
                shown(&mut making).await;
            }
            making.give(false);
            ended
        })
    }
}

/// Notes the JSON that the value is made of, where that is not what came, and has the partial out of the way meanwhile.
struct Noted<'s, P, T> {
    slot: &'s mut Slot<T>,
    json: &'s mut Option<String>,
    /// Where the partial is while an answer is judged.
    desk: Arc<Desk<Shown<P>>>,
}

impl<P: Part, T: DeserializeOwned + Send> Judges for Noted<'_, P, T> {
    fn take(&mut self, json: &str) -> Issues {
        self.slot.take(json)
    }

    fn retake(&mut self, json: &str) -> Issues {
        // Nothing of it came.
        self.note(json);
        self.slot.take(json)
    }

    fn note(&mut self, json: &str) {
        *self.json = Some(String::from(json));
    }

    fn put_away(&mut self) -> bool {
        self.desk.with(|shown| shown.put_away()).unwrap_or_default()
    }

    fn bring_back(&mut self, response: &Response) {
        self.desk.with(|shown| shown.bring_back(response));
    }

    fn forget(&mut self) {
        self.slot.forget();
    }

    fn has_checks(&self) -> bool {
        self.slot.has_checks()
    }

    fn check(&self) -> Option<Checking<'_>> {
        self.slot.check()
    }
}

/// Notes the JSON of a list whose items are judged one by one, unless it is a kept one, which is taken as a whole or not at
/// all.
struct Listed<T> {
    list: String,
    slot: Slot<Vec<T>>,
}

impl<T: DeserializeOwned + Send> Judges for Listed<T> {
    fn take(&mut self, json: &str) -> Issues {
        self.list = String::from(json);
        Issues::new()
    }

    fn retake(&mut self, json: &str) -> Issues {
        self.list = String::from(json);
        self.slot.take(json)
    }

    fn forget(&mut self) {
        self.list.clear();
        self.slot.forget();
    }

    fn has_checks(&self) -> bool {
        self.slot.has_checks()
    }

    fn check(&self) -> Option<Checking<'_>> {
        self.slot.check()
    }
}
