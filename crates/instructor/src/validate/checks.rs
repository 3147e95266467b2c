//! Async validator functions: what is to be awaited before a value is taken, and what comes of it.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;

use super::{Context, Issues, Path};
use crate::error::{Error, ErrorKind};
use crate::future::BoxFuture;
use crate::model::ResponseModel;

/// Why an async validator function does not let a value pass.
///
/// Everything that a sync validator function may return turns into [`Rejected`](Self::Rejected): a text, an
/// [`Issue`](crate::Issue), several. An [`Error`] of this library turns into [`Failed`](Self::Failed), as any other error
/// does with [`CheckError::failed`]:
///
/// ```
/// use instructor::{CheckError, Context, Issue};
///
/// # struct Shop;
/// # impl Shop { async fn has(&self, _: &str) -> Result<bool, std::io::Error> { Ok(true) } }
/// async fn in_stock(sku: &str, context: &Context) -> Result<(), CheckError> {
///     let shop = context.get::<Shop>().ok_or_else(|| CheckError::failed("the context has no shop"))?;
///     // That the shop is down is not the model's fault, and it is not told.
///     match shop.has(sku).await.map_err(CheckError::failed)? {
///         true => Ok(()),
///         false => Err(Issue::new("the SKU of something in stock").got(sku).into()),
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckError {
    /// The value is wrong: the model is told, and asked again.
    Rejected(Issues),
    /// It is not known whether the value is right. The model is not told; the request ends with
    /// [`ErrorKind::Unchecked`], whose source this is.
    Failed(Box<dyn StdError + Send + Sync>),
}

impl CheckError {
    /// What is asked about the value does not answer.
    pub fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}

impl<E: Into<Issues>> From<E> for CheckError {
    fn from(issues: E) -> Self {
        Self::Rejected(issues.into())
    }
}

impl From<Error> for CheckError {
    fn from(error: Error) -> Self {
        Self::failed(error)
    }
}

/// One step into a value.
#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
    /// The value of a map's key.
    Entry(&'v dyn fmt::Debug),
}

/// A function's future, and the place of the value that it is about.
type Begun<'v> = (Path, BoxFuture<'v, Result<(), CheckError>>);

/// The async validator functions of a value, each with its place: what
/// [`ResponseModel::validate_async`] adds to.
pub struct Checks<'v> {
    context: &'v Context,
    at: Vec<Step<'v>>,
    any: bool,
    /// None where it is only looked whether there is any.
    begun: Option<Vec<Begun<'v>>>,
}

impl<'v> Checks<'v> {
    /// Adds a function's future, for the value at the place that it is at.
    pub fn add<F, E>(&mut self, check: impl FnOnce(&'v Context) -> F)
    where
        F: Future<Output = Result<(), E>> + Send + 'v,
        E: Into<CheckError>,
    {
        self.any = true;
        let Self { context, at, begun, .. } = self;
        let Some(begun) = begun else { return };
        let path = at.iter().fold(Path::root(), |path, step| match step {
            Step::Key(key) => path.key(key),
            Step::Index(index) => path.index(*index),
            Step::Entry(key) => path.key(format!("{key:?}").trim_matches('"')),
        });
        let check = check(context);
        begun.push((path, Box::pin(async move { check.await.map_err(Into::into) })));
    }

    /// What functions are given.
    pub(crate) const fn context(&self) -> &'v Context {
        self.context
    }

    /// Adds what the value of a key has.
    pub fn key(&mut self, key: &'v str, add: impl FnOnce(&mut Self)) {
        self.within(Step::Key(key), add);
    }

    /// Adds what an item has.
    pub fn index(&mut self, index: usize, add: impl FnOnce(&mut Self)) {
        self.within(Step::Index(index), add);
    }

    /// Adds what the value of a map's key has.
    pub(crate) fn entry(&mut self, key: &'v dyn fmt::Debug, add: impl FnOnce(&mut Self)) {
        self.within(Step::Entry(key), add);
    }

    fn within(&mut self, step: Step<'v>, add: impl FnOnce(&mut Self)) {
        self.at.push(step);
        add(self);
        self.at.pop();
    }
}

impl fmt::Debug for Checks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").field("begun", &self.begun.as_ref().map_or(0, Vec::len)).finish_non_exhaustive()
    }
}

/// What came of all checks of one value.
#[derive(Debug)]
pub(crate) enum Checked {
    Found(Issues),
    /// One of them failed.
    Failed(Path, Box<dyn StdError + Send + Sync>),
    /// They took too long.
    Late,
}

impl Checked {
    /// What was found, or why nothing is known; with the time that there was.
    pub(crate) fn outcome(self, time: Duration) -> Result<Issues, Error> {
        let (detail, source) = match self {
            Self::Found(issues) => return Ok(issues),
            Self::Failed(path, error) => (format!("the check of {path} failed: {error}"), Some(error)),
            Self::Late => (format!("no check result after {time:?}; check_timeout(..) gives more time"), None),
        };
        Err(Error::new(ErrorKind::Unchecked, detail).with_source(source))
    }
}

/// All checks of one value, at once.
pub(crate) type Checking<'v> = BoxFuture<'v, Checked>;

/// The validator functions of a type.
pub(crate) struct Rules<T> {
    pub(crate) validate: fn(&T, &Context, &mut Issues),
    checks: for<'v> fn(&'v T, &mut Checks<'v>),
}

impl<T> Clone for Rules<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rules<T> {}

impl<T: ResponseModel> Rules<T> {
    pub(crate) const OF: Self = Self { validate: T::validate, checks: T::validate_async };
}

impl<T> Rules<T> {
    pub(crate) const NONE: Self = Self { validate: |_, _, _| {}, checks: |_, _| {} };

    /// Whether something of a value is to be awaited.
    pub(crate) fn has_checks(&self, value: &T, context: &Context) -> bool {
        let mut checks = Checks { context, at: Vec::new(), any: false, begun: None };
        (self.checks)(value, &mut checks);
        checks.any
    }

    /// Begins all checks of a value.
    pub(crate) fn check<'v>(&self, value: &'v T, context: &'v Context) -> Checking<'v> {
        let mut checks = Checks { context, at: Vec::new(), any: false, begun: Some(Vec::new()) };
        (self.checks)(value, &mut checks);
        let begun = checks.begun.unwrap_or_default();
        Box::pin(together(begun))
    }
}

/// The issues in the order of the answer, or the first failure.
async fn together(begun: Vec<Begun<'_>>) -> Checked {
    let mut found: Vec<Issues> = begun.iter().map(|_| Issues::new()).collect();
    let running =
        begun.into_iter().enumerate().map(|(number, (path, check))| async move { (number, path, check.await) });
    let mut running: FuturesUnordered<_> = running.collect();
    while let Some((number, path, result)) = poll_fn(|context| Pin::new(&mut running).poll_next(context)).await {
        match result {
            Ok(()) => {}
            Err(CheckError::Failed(error)) => return Checked::Failed(path, error),
            Err(CheckError::Rejected(issues)) => {
                if let Some(found) = found.get_mut(number) {
                    found.extend_within(&path, issues);
                }
            }
        }
    }
    Checked::Found(found.into_iter().flatten().collect::<Vec<_>>().into())
}

/// What came of several values that are checked at once, until a bell rings.
pub(crate) async fn each<'v>(checking: Vec<Checking<'v>>, bell: impl FnOnce() -> BoxFuture<'v, ()>) -> Vec<Checked> {
    let mut found: Vec<Checked> = checking.iter().map(|_| Checked::Late).collect();
    let running = checking.into_iter().enumerate().map(|(number, check)| async move { (number, check.await) });
    let mut running: FuturesUnordered<_> = running.collect();
    let (mut bell, mut ringing) = (Some(bell), None);
    poll_fn(|context| {
        loop {
            match Pin::new(&mut running).poll_next(context) {
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Ready(Some((number, checked))) => {
                    if let Some(found) = found.get_mut(number) {
                        *found = checked;
                    }
                }
                Poll::Pending => break,
            }
        }
        // No clock is set where all is there at once.
        if let Some(bell) = bell.take() {
            ringing = Some(bell());
        }
        ringing.as_mut().map_or(Poll::Pending, |bell| bell.as_mut().poll(context))
    })
    .await;
    found
}
