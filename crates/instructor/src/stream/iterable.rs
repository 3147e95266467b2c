//! The items of a list while it arrives.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use instructor_json::Document;

use super::items::Items;
use super::running::{Desk, Running};
use super::tracker::Tracker;
use crate::error::{Error, ErrorKind};
use crate::message::ToolCall;
use crate::mode::Plan;
use crate::model::Contract;
use crate::repair::ParseOptions;
use crate::run::{Called, Completion, Follow, Stop};
use crate::transport::{BoxFuture, Show};
use crate::validate::Issues;

/// What was made of the items that are ready, each with its place in the list.
pub(crate) type Made<T> = VecDeque<(usize, Result<T, Error>)>;

/// Makes a value of an item's JSON, or says what is wrong with it.
pub(crate) type Make<T> = Box<dyn FnMut(&str) -> Result<T, Issues> + Send>;

/// Makes values of the items of a list while it arrives.
pub(crate) struct Making<T> {
    /// What one item has to be.
    item: Contract,
    make: Make<T>,
    made: Option<Made<T>>,
    desk: Arc<Desk<Made<T>>>,
    items: Items,
    tracker: Tracker,
    options: ParseOptions,
    /// How many items there were in this attempt.
    count: usize,
}

impl<T: Send> Making<T> {
    pub(crate) fn new(item: Contract, make: Make<T>, options: ParseOptions, desk: Arc<Desk<Made<T>>>) -> Self {
        let tracker = Tracker::new(None, options);
        Self { item, make, made: None, desk, items: Items::default(), tracker, options, count: 0 }
    }

    /// Reads what the tracker found complete; whether there was something.
    fn collect(&mut self) -> bool {
        let mut news = false;
        for json in self.items.take() {
            self.add(self.count, &json);
            news = true;
        }
        news
    }

    /// Takes the items of a list that only the final reading could make out; whether there are any.
    pub(crate) fn replace(&mut self, list: &str) -> bool {
        let Some(list) = Document::parse(list).ok().filter(|_| self.count == 0) else { return false };
        list.root().items().for_each(|item| self.add(self.count, item.source()));
        self.count > 0
    }

    fn add(&mut self, place: usize, json: &str) {
        let read = self.item.read_with(json, self.options);
        let made = read.and_then(|reading| (self.make)(&reading.json).map_err(rejected));
        self.put(place, made.map_err(|error| error.of_item(place, json)));
    }

    fn put(&mut self, place: usize, made: Result<T, Error>) {
        self.count += 1;
        self.made.get_or_insert_default().push_back((place, made));
    }
}

fn rejected(issues: Issues) -> Error {
    let first = issues.as_slice().first().map_or_else(String::new, |i| format!("{}: wanted {}", i.path(), i.wanted()));
    Error::new(ErrorKind::Rejected, first).with_issues(issues)
}

impl<T: Send> Follow for Making<T> {
    fn begin(&mut self, plan: &Plan<'_>) {
        self.items = Items::default();
        self.tracker = Tracker::new(plan.dialect(), self.options);
        self.count = 0;
    }

    fn restart(&mut self) {
        self.items = Items::default();
        self.tracker = self.tracker.again(self.options);
    }

    fn text(&mut self, more: &str) -> Result<bool, Stop> {
        // What can't be read is for the final reading to say.
        let _ = self.tracker.push(more, &mut self.items);
        Ok(self.collect())
    }

    fn call(&mut self, plan: &Plan<'_>, call: Called<'_>) -> Result<bool, Stop> {
        if !call.over {
            return Ok(false);
        }
        let Called { index, name, arguments, .. } = call;
        match plan.item(index, &ToolCall::new("", name, arguments), self.options) {
            Ok(json) => self.add(index, &json),
            Err(issues) => self.put(index, Err(rejected(issues).of_item(index, arguments))),
        }
        Ok(true)
    }

    fn end(&mut self) -> bool {
        self.tracker.end(&mut self.items);
        self.collect()
    }

    fn has_given(&self) -> bool {
        self.count > 0
    }
}

impl<T: Send> Show for Making<T> {
    fn give(&mut self, news: bool) {
        self.desk.lay(self.made.take(), news);
    }

    fn take(&mut self) {
        (self.made, _) = self.desk.take();
    }
}

/// The items of a list, one by one while the answer arrives. Made by
/// [`Request::create_iterable`](crate::Request::create_iterable).
///
/// Each item is read, validated and made a value as soon as its last byte is there.
///
/// - An item that is not valid is an error in its place, and the stream goes on: [`Error::issues`] says what is wrong,
///   [`Error::item`] which item it is, and [`Error::raw`] is its JSON.
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
    /// Items come in the order of the list, but for calls of [`Mode::ParallelTools`](crate::Mode::ParallelTools), which
    /// come as they are complete: some providers tell several at once.
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
