//! The items of a list while it arrives.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::making::Made;
use super::running::{Desk, Running};
use crate::error::Error;
use crate::run::Completion;
use crate::transport::BoxFuture;

/// The items of a list, one by one while the answer arrives. Made by
/// [`Request::create_iterable`](crate::Request::create_iterable).
///
/// Each item is read, validated and made a value as soon as its last byte is there.
///
/// - An item that is not valid is an error in its place, and the stream goes on: [`Error::issues`] says what is wrong,
///   [`Error::item`] which item it is, and [`Error::raw`] is its JSON. Or it is asked for again, or left out:
///   [`Request::bad_items`](crate::Request::bad_items).
/// - An error of the whole answer is the last item. Before the first item was there, failures are tried again as those
///   of [`create`](crate::Request::create) are; after it, items that were given out can't be taken back.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!([{ "name": "Ada" }, { "name": "Grace" }])).chunks(10));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let mut users = client.request("Ada and Grace").create_iterable::<User>().await?;
/// let mut names = Vec::new();
/// while let Some(user) = users.next().await {
///     names.push(user?.name);
/// }
/// assert_eq!(names, ["Ada", "Grace"]);
/// assert_eq!(users.completion().unwrap().report.attempts().len(), 1);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
pub struct ItemStream<'a, T> {
    running: Running<'a, Made<T>, Completion>,
    place: Option<usize>,
    of: PhantomData<fn() -> T>,
}

impl<'a, T> ItemStream<'a, T> {
    pub(crate) fn new(future: BoxFuture<'a, Result<Completion, Error>>, desk: Arc<Desk<Made<T>>>) -> Self {
        Self { running: Running::new(future, desk), place: None, of: PhantomData }
    }

    /// The next item, or what is wrong with it; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|context| self.poll_item(context)).await
    }

    /// The place in the answer's list of the item that came last, counted from 0; `None` before the first and at the end.
    /// Items come in the order of the list, but for those that were asked for again, which come at the end, and for calls
    /// of [`Mode::ParallelTools`](crate::Mode::ParallelTools), which come as they are complete: some providers tell several
    /// at once.
    #[must_use]
    pub const fn place(&self) -> Option<usize> {
        self.place
    }

    /// The response that the items came from, with usage and attempts, once it has ended well.
    #[must_use]
    pub const fn completion(&self) -> Option<&Completion> {
        match &self.running.end {
            Some(Ok(completion)) => Some(completion),
            _ => None,
        }
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some((place, item)) = self.running.shown.as_mut().and_then(VecDeque::pop_front) {
                self.place = Some(place);
                return Poll::Ready(Some(item));
            }
            if self.running.is_over() {
                self.place = None;
                let failed = self.running.end.take_if(|end| end.is_err()).and_then(Result::err);
                return Poll::Ready(failed.map(Err));
            }
            if self.running.poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<T: Unpin> Stream for ItemStream<'_, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl<T> fmt::Debug for ItemStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemStream").field("completion", &self.completion()).finish_non_exhaustive()
    }
}
