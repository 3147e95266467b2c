//! Many requests at once: a bounded number in flight, results as they come or in the order of the inputs.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;

use crate::client::Client;
use crate::error::Error;
use crate::future::BoxFuture;
use crate::message::Messages;
use crate::model::ResponseModel;
use crate::request::Request;
use crate::run::Completion;

/// What came of one of many requests.
#[derive(Debug)]
#[non_exhaustive]
pub struct Made<T> {
    /// Which of the inputs it was made of, counted from 0.
    pub index: usize,
    /// The value and the completion that it came from, or why there is none.
    pub result: Result<(T, Completion), Error>,
}

impl<T> Made<T> {
    /// The value alone, or why there is none.
    ///
    /// # Errors
    ///
    /// As [`Request::create`].
    pub fn into_value(self) -> Result<T, Error> {
        self.result.map(|(value, _)| value)
    }
}

/// Results of many requests, of which a limited number is in flight: a [`Stream`], and an iterator to await.
///
/// An input is taken when there is room for its request, so that inputs may be endless and come from a stream of their own.
/// Nothing runs but while it is polled; dropping it ends what is in flight. A request that fails is an item like the others:
/// what happens then is for the caller to say.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// #[instructor::model]
/// struct User {
///     name: String,
/// }
///
/// # let script = Script::new()
/// #     .when(|sent| sent.json().to_string().contains("Ada"), Reply::value(json!({ "name": "Ada" })))
/// #     .when(|_| true, Reply::value(json!({ "name": "Jason" })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let texts = ["Jason is 25", "Ada is 36"];
/// let mut users = client.create_many::<User, _>(texts, 8).in_order();
/// let mut names = Vec::new();
/// while let Some(made) = users.next().await {
///     names.push(made.into_value()?.name);
/// }
/// assert_eq!(names, ["Jason", "Ada"]);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "nothing is sent until results are asked for"]
pub struct Many<'a, T> {
    inputs: Option<Pin<Box<dyn Stream<Item = Request<'a>> + Send + 'a>>>,
    running: FuturesUnordered<BoxFuture<'a, Made<T>>>,
    concurrency: usize,
    /// How many inputs were taken.
    taken: usize,
    /// In the order of the inputs: what is there already, from the next one on.
    ordered: Option<VecDeque<Option<Made<T>>>>,
}

/// How many results wait for one before them, for each request in flight, until no further input is taken.
const AHEAD: usize = 4;

impl<'a, T: ResponseModel> Many<'a, T> {
    pub(crate) fn new(inputs: impl Stream<Item = Request<'a>> + Send + 'a, concurrency: usize) -> Self {
        Self {
            inputs: Some(Box::pin(inputs)),
            running: FuturesUnordered::new(),
            concurrency: concurrency.max(1),
            taken: 0,
            ordered: None,
        }
    }

    /// In the order of the inputs, and not as they come. Results that come before their turn are kept: at most four for
    /// each request that may be in flight, then no further input is taken.
    pub fn in_order(mut self) -> Self {
        self.ordered = Some(VecDeque::new());
        self
    }

    /// The next result; `None` after the last.
    pub async fn next(&mut self) -> Option<Made<T>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Made<T>>> {
        loop {
            let ended = self.fill(context);
            if let Some(made) = self.ordered.as_mut().and_then(|waiting| {
                let next = waiting.pop_front()?;
                if next.is_none() {
                    waiting.push_front(None);
                }
                next
            }) {
                return Poll::Ready(Some(made));
            }
            match Pin::new(&mut self.running).poll_next(context) {
                Poll::Ready(Some(made)) => match &mut self.ordered {
                    None => return Poll::Ready(Some(made)),
                    Some(waiting) => {
                        let first = self.taken - waiting.len();
                        if let Some(place) = waiting.get_mut(made.index - first) {
                            *place = Some(made);
                        }
                    }
                },
                Poll::Ready(None) if ended => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes inputs while there is room; whether there are no more.
    fn fill(&mut self, context: &mut Context<'_>) -> bool {
        while let Some(inputs) = &mut self.inputs {
            let ahead = self.ordered.as_ref().map_or(0, VecDeque::len);
            if self.running.len() >= self.concurrency || ahead >= self.concurrency * AHEAD {
                return false;
            }
            match inputs.as_mut().poll_next(context) {
                Poll::Ready(Some(request)) => {
                    let index = self.taken;
                    self.taken += 1;
                    if let Some(waiting) = &mut self.ordered {
                        waiting.push_back(None);
                    }
                    self.running.push(Box::pin(async move {
                        Made { index, result: request.create_with_completion::<T>().await }
                    }));
                }
                Poll::Ready(None) => self.inputs = None,
                Poll::Pending => return false,
            }
        }
        true
    }
}

impl<T: ResponseModel> Stream for Many<'_, T> {
    type Item = Made<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Made<T>>> {
        self.get_mut().poll(context)
    }
}

impl<T> Unpin for Many<'_, T> {}

impl<T> fmt::Debug for Many<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many")
            .field("concurrency", &self.concurrency)
            .field("taken", &self.taken)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

/// An iterator as a stream whose items are there at once.
struct AtOnce<I>(I);

impl<I> Unpin for AtOnce<I> {}

impl<I: Iterator> Stream for AtOnce<I> {
    type Item = I::Item;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.get_mut().0.next())
    }
}

impl Client {
    /// Asks for a value for each input with the client's defaults, at most so many at a time. For requests with settings
    /// of their own see [`Request::create_many`].
    pub fn create_many<'a, T, M>(
        &'a self,
        inputs: impl IntoIterator<Item = M, IntoIter: Send + 'a>,
        concurrency: usize,
    ) -> Many<'a, T>
    where
        T: ResponseModel,
        M: Into<Messages<'a>>,
    {
        Request::create_many(inputs.into_iter().map(|input| self.request(input)), concurrency)
    }
}

impl<'a> Request<'a> {
    /// Sends many requests, at most so many at a time. They may be of different clients.
    ///
    /// ```
    /// # use instructor::testing::{Reply, Script};
    /// # use instructor::Request;
    /// # use serde_json::json;
    /// # #[instructor::model]
    /// # struct User {
    /// #     name: String,
    /// # }
    /// # let script = Script::new().when(|_| true, Reply::value(json!({ "name": "Ada" })));
    /// # let client = script.client("openai/gpt-5-mini");
    /// # script.block_on(async {
    /// let requests = ["Ada is 36", "Ada Lovelace"].map(|text| client.request(text).max_retries(1));
    /// let mut users = Request::create_many::<User>(requests, 8);
    /// while let Some(made) = users.next().await {
    ///     println!("{}", made.into_value()?.name);
    /// }
    /// # Ok::<(), instructor::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn create_many<T: ResponseModel>(
        requests: impl IntoIterator<Item = Self, IntoIter: Send + 'a>,
        concurrency: usize,
    ) -> Many<'a, T> {
        Many::new(AtOnce(requests.into_iter()), concurrency)
    }

    /// [`create_many`](Self::create_many) for requests that come in by and by. The next is asked for when there is room.
    pub fn create_many_from<T: ResponseModel>(
        requests: impl Stream<Item = Self> + Send + 'a,
        concurrency: usize,
    ) -> Many<'a, T> {
        Many::new(requests, concurrency)
    }
}
