//! Typed partials of an answer while it arrives.

use std::cell::OnceCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::calls::Calls;
use super::field::Field;
use super::grow::{Grow, Part};
use super::patch::Patches;
use super::running::{Desk, Running};
use super::tracker::Tracker;
use crate::error::Error;
use crate::mode::Plan;
use crate::model::Contract;
use crate::repair::ParseOptions;
use crate::run::{Called, Completion, Follow, Stop, said};
use crate::schema::Dialect;
use crate::transport::{BoxFuture, Show};
use crate::wire::Response;

/// A partial on its way between the driver and the user.
pub(crate) type Shown<P> = Box<Sight<P>>;

/// What there is to look at.
#[derive(Debug)]
pub(crate) struct Sight<P> {
    value: Field<P>,
    /// How often something that was shown was taken back.
    pub(super) taken_back: usize,
    /// How it is made again, once all of it is there.
    again: Option<Again>,
    /// It is let go of, so that it does not live beside the value.
    away: bool,
    /// What was made again for somebody who looked after the end.
    remade: OnceCell<Field<P>>,
}

impl<P> Default for Sight<P> {
    fn default() -> Self {
        Self { value: Field::Pending, taken_back: 0, again: None, away: false, remade: OnceCell::new() }
    }
}

/// What is needed to make a partial again of a part of the answer.
#[derive(Debug)]
struct Again {
    form: Option<(Contract, Dialect)>,
    options: ParseOptions,
    part: usize,
}

impl Again {
    fn make<P: Part>(&self, response: &Response) -> Field<P> {
        let (mut tracker, mut value) = (Tracker::new(self.form.clone(), self.options), Field::Pending);
        if let Some(text) = said(response, self.part) {
            let _ = tracker.read(text, &mut value);
            tracker.end(text, &mut value);
        }
        value
    }
}

impl<P: Part> Sight<P> {
    /// What is shown. The response is that of a stream which has ended with a value.
    pub(super) fn value(&self, response: Option<&Response>) -> &Field<P> {
        match (&self.again, response) {
            (Some(again), Some(response)) if self.away => self.remade.get_or_init(|| again.make(response)),
            _ => &self.value,
        }
    }

    const fn is_pending(&self) -> bool {
        self.value.is_pending() && !self.away
    }

    fn reset(&mut self) {
        self.taken_back += usize::from(!self.is_pending());
        self.value = Field::Pending;
        self.again = None;
        self.away = false;
    }

    /// Lets go of it until it is [brought back](Self::bring_back); whether it could.
    pub(crate) fn put_away(&mut self) -> bool {
        self.away = self.again.is_some() && !self.value.is_pending();
        if self.away {
            self.value = Field::Pending;
        }
        self.away
    }

    /// What was put away is shown again.
    pub(crate) fn bring_back(&mut self, response: &Response) {
        if let Some(again) = self.again.take().filter(|_| self.away) {
            self.value = again.make(response);
            self.away = false;
        }
    }
}

/// Keeps a partial up to date while an answer arrives.
pub(crate) struct Growing<P> {
    /// None while it is given away.
    sink: Option<Shown<P>>,
    desk: Arc<Desk<Shown<P>>>,
    tracker: Tracker,
    /// Where each call is an item, they are read here instead.
    calls: Calls,
    options: ParseOptions,
}

impl<P: Part> Growing<P> {
    pub(crate) fn new(options: ParseOptions, desk: Arc<Desk<Shown<P>>>) -> Self {
        Self { sink: None, desk, tracker: Tracker::new(None, options), calls: Calls::default(), options }
    }

    /// Lets the tracker work on the partial; whether there is something new to show.
    fn track(&mut self, work: impl FnOnce(&mut Tracker, &mut dyn Grow) -> bool) -> bool {
        let Sight { value, taken_back, .. } = &mut **self.sink.get_or_insert_default();
        let changed = work(&mut self.tracker, value);
        *taken_back += usize::from(self.tracker.took_back());
        changed && !value.is_pending()
    }

    /// Shows the value as the final reading understood it; whether that is new.
    pub(crate) fn replace(&mut self, json: &str) -> bool {
        self.reset();
        self.tracker = Tracker::new(None, self.options);
        self.track(|tracker, sink| tracker.read(json, sink).unwrap_or_default() | tracker.end(json, sink))
    }

    /// Whether there is nothing to look at.
    pub(crate) fn is_pending(&self) -> bool {
        self.sink.as_ref().is_none_or(|sink| sink.is_pending())
    }

    fn reset(&mut self) {
        self.calls = Calls::default();
        if let Some(sink) = &mut self.sink {
            sink.reset();
        }
    }
}

impl<P: Part> Follow for Growing<P> {
    fn begin(&mut self, plan: &Plan<'_>) {
        self.reset();
        self.tracker = Tracker::new(plan.dialect(), self.options);
    }

    fn restart(&mut self) {
        self.reset();
        self.tracker = self.tracker.again(self.options);
    }

    fn text(&mut self, text: &str, _: usize) -> Result<bool, Stop> {
        // What can't be read is for the final reading to say; what was certain before stays shown.
        Ok(self.track(|tracker, sink| tracker.read(text, sink).unwrap_or_default()))
    }

    fn call(&mut self, plan: &Plan<'_>, call: Called<'_>) -> Result<bool, Stop> {
        let Sight { value, taken_back, .. } = &mut **self.sink.get_or_insert_default();
        let changed = self.calls.push(plan, call, self.options, value);
        *taken_back += usize::from(self.calls.took_back());
        Ok(changed)
    }

    fn end(&mut self, text: &str, part: Option<usize>) -> bool {
        let changed = if self.calls.is_empty() {
            self.track(|tracker, sink| tracker.end(text, sink))
        } else {
            self.sink.get_or_insert_default().value.end();
            true
        };
        // What it holds is not needed while the answer is read as a whole.
        self.tracker = self.tracker.again(self.options);
        if let (Some(part), Some(sink), true) = (part, &mut self.sink, self.calls.is_empty()) {
            sink.again = Some(Again { form: self.tracker.form(), options: self.options, part });
        }
        changed
    }
}

impl<P: Part> Show for Growing<P> {
    fn give(&mut self, news: bool) {
        self.desk.lay(self.sink.take(), news);
    }

    fn take(&mut self) {
        (self.sink, _) = self.desk.take();
    }
}

/// An answer that arrives: typed partials of it, and the value at the end. Made by
/// [`Request::create_partial`](crate::Request::create_partial).
///
/// Each call of [`next`](Self::next) reads on until the partial has changed. It is lent, so that looking costs nothing,
/// and it is updated in place, so that a whole stream costs what reading the answer once costs. Nothing is read while
/// nobody asks; a stream that is dropped closes the connection.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// #[instructor::model(partial)]
/// struct User {
///     name: String,
///     age: u8,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "name": "Jason", "age": 25 })).chunks(10));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let mut partials = client.request("Jason is 25 years old").create_partial::<User>().await?;
/// while let Some(user) = partials.next().await {
///     println!("{:?} {:?}", user.name, user.age);
/// }
/// let user: User = partials.finish().await?;
/// assert_eq!(user.age, 25);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
///
/// After an answer that is rejected and asked for again, the partial begins anew.
pub struct PartialStream<'a, P, T>(pub(super) Running<'a, Shown<P>, (T, Completion)>);

impl<'a, P: Part, T> PartialStream<'a, P, T> {
    pub(crate) fn new(future: BoxFuture<'a, Result<(T, Completion), Error>>, desk: Arc<Desk<Shown<P>>>) -> Self {
        Self(Running::new(future, desk))
    }

    /// The partial when it has changed; `None` at the end, whichever it is: [`finish`](Self::finish) tells.
    pub async fn next(&mut self) -> Option<&P> {
        if self.0.next().await { self.partial() } else { None }
    }

    /// The partial as it was shown last; also after the end of a stream that failed.
    #[must_use]
    pub fn partial(&self) -> Option<&P> {
        self.sight()?.0.get()
    }

    /// Reads to the end, and gives the value, validated in full as by [`create`](crate::Request::create).
    ///
    /// # Errors
    ///
    /// As [`create`](crate::Request::create).
    pub async fn finish(self) -> Result<T, Error> {
        self.finish_with_completion().await.map(|(value, _)| value)
    }

    /// [`finish`](Self::finish), and the response that the value came from, with usage and attempts.
    ///
    /// # Errors
    ///
    /// As [`create`](crate::Request::create).
    pub async fn finish_with_completion(mut self) -> Result<(T, Completion), Error> {
        while self.0.next().await {}
        self.0.into_end()
    }

    /// The partials as values of their own, as a `Stream`. Of changes that are there at once only the last is taken, so
    /// a slow consumer sees fewer. An error is the last item; the value is the whole last partial.
    #[must_use]
    pub fn snapshots(self) -> Snapshots<'a, P, T> {
        Snapshots(self)
    }

    /// How each partial differs from the one before, as JSON, to be shown elsewhere: in a browser, say. An error is the
    /// last item.
    #[must_use]
    pub fn patches(self) -> Patches<'a, P, T> {
        Patches::new(self)
    }
}

/// How many changes are taken for one at most.
const COALESCED: usize = 256;

impl<P: Part, T> PartialStream<'_, P, T> {
    /// What is shown, and how often something was taken back.
    pub(super) fn sight(&self) -> Option<(&Field<P>, usize)> {
        let response =
            self.0.end.as_ref().and_then(|end| end.as_ref().ok()).map(|(_, completion)| &completion.response);
        self.0.shown.as_ref().map(|sight| (sight.value(response), sight.taken_back))
    }

    /// Goes on until something has changed, and as far as there is no need to wait; whether something has changed.
    pub(super) fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut changed = false;
        for _ in 0..COALESCED {
            match self.0.poll(context) {
                Poll::Ready(true) => changed = true,
                Poll::Pending if !changed => return Poll::Pending,
                _ => break,
            }
        }
        Poll::Ready(changed)
    }

    /// The error that it ended with, once.
    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.0.end.take_if(|end| end.is_err()).and_then(Result::err)
    }
}

impl<P: fmt::Debug, T> fmt::Debug for PartialStream<'_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PartialStream").field(&self.0.shown).finish()
    }
}

/// Partials as values of their own. Made by [`PartialStream::snapshots`].
pub struct Snapshots<'a, P, T>(PartialStream<'a, P, T>);

impl<'a, P, T> Snapshots<'a, P, T> {
    /// The stream of borrowed partials again, for its value at the end.
    #[must_use]
    pub fn into_inner(self) -> PartialStream<'a, P, T> {
        self.0
    }
}

impl<P: Part, T: Unpin> Stream for Snapshots<'_, P, T> {
    type Item = Result<P, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return match self.0.poll_changed(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(false) => Poll::Ready(self.0.take_error().map(Err)),
                Poll::Ready(true) => match self.0.partial() {
                    Some(partial) => Poll::Ready(Some(Ok(partial.clone()))),
                    // It has begun anew, and shows nothing yet.
                    None => continue,
                },
            };
        }
    }
}

impl<P: fmt::Debug, T> fmt::Debug for Snapshots<'_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshots").field(&self.0).finish()
    }
}
