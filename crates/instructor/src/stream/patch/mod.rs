//! Partials for somewhere else: what has changed, as JSON.

mod diff;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::diff::DONE;
use self::diff::{Out, Seen, Stop, tell};
use super::grow::Part;
use super::partials::PartialStream;
use crate::error::{Error, ErrorKind};

/// What has changed in a partial, in order.
///
/// As JSON it is a list of operations. `add` and `replace` are those of RFC 6902. `append` is not: it adds text to the end
/// of a string, so that a text that grows is sent once. The first patch replaces the document as a whole, whatever it is.
///
/// ```
/// use instructor::Patch;
/// use serde_json::{Value, json};
///
/// let patch: Patch = serde_json::from_value(json!([
///     { "op": "replace", "path": "", "value": { "title": "Pan" } },
///     { "op": "append", "path": "/title", "value": "cakes" },
///     { "op": "add", "path": "/minutes", "value": 20 },
/// ]))?;
/// let mut document = Value::Null;
/// patch.apply(&mut document)?;
/// assert_eq!(document, json!({ "title": "Pancakes", "minutes": 20 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch(Vec<Change>);

/// One change of a JSON document. Paths are JSON pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// A member of an object, or the next item of a list.
    Add {
        /// Where it will be.
        path: String,
        /// What it is.
        value: Value,
    },
    /// Another value in the place of one.
    Replace {
        /// Where it is.
        path: String,
        /// What it is now.
        value: Value,
    },
    /// More of a text.
    Append {
        /// Where the text is.
        path: String,
        /// What comes after it.
        value: String,
    },
}

impl Patch {
    /// The changes.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// It as an event of a `text/event-stream`.
    ///
    /// ```
    /// # use instructor::testing::{Reply, Script};
    /// # #[instructor::model(partial)]
    /// # struct Recipe {
    /// #     minutes: u16,
    /// # }
    /// # let script = Script::new().reply(Reply::value(serde_json::json!({ "minutes": 20 })).chunks(99));
    /// # let client = script.client("openai/gpt-5-mini");
    /// # script.block_on(async {
    /// let mut patches = client.request("Pancakes").create_partial::<Recipe>().await?.patches();
    /// let patch = patches.next().await.unwrap()?;
    /// assert_eq!(patch.to_event(), "data: [{\"op\":\"replace\",\"path\":\"\",\"value\":{\"minutes\":20}}]\n\n");
    /// # Ok::<(), instructor::Error>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn to_event(&self) -> String {
        // JSON has no line breaks, and what is in a patch can be written as JSON.
        serde_json::to_string(self).map(|json| format!("data: {json}\n\n")).unwrap_or_default()
    }

    /// Makes the changes in a document.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] if the document has not the place of a change: a patch before it was left out.
    pub fn apply(&self, document: &mut Value) -> Result<(), Error> {
        self.0.iter().try_for_each(|change| {
            let path = change.path();
            change.apply(document).ok_or_else(|| {
                Error::new(
                    ErrorKind::Malformed,
                    format!("`{path}` is not in the document: apply all patches, in order"),
                )
            })
        })
    }
}

impl Change {
    fn path(&self) -> &str {
        match self {
            Self::Add { path, .. } | Self::Replace { path, .. } | Self::Append { path, .. } => path,
        }
    }

    fn apply(&self, document: &mut Value) -> Option<()> {
        match self {
            Self::Replace { path, value } => *document.pointer_mut(path)? = value.clone(),
            Self::Append { path, value } => match document.pointer_mut(path)? {
                Value::String(text) => text.push_str(value),
                _ => return None,
            },
            Self::Add { path, value } => {
                let (around, step) = path.rsplit_once('/')?;
                match document.pointer_mut(around)? {
                    Value::Object(members) => {
                        members.insert(step.replace("~1", "/").replace("~0", "~"), value.clone());
                    }
                    Value::Array(items) => {
                        let index = step.parse().ok().filter(|index| *index <= items.len())?;
                        items.insert(index, value.clone());
                    }
                    _ => return None,
                }
            }
        }
        Some(())
    }
}

/// What has changed in a partial, time after time. Made by [`PartialStream::patches`].
///
/// All patches, applied in order, make the last partial of what was nothing. Each is as long as what has changed; to find it
/// costs a look at what is open, and at what lies beside it. What shows in the partial shows here: a field that is skipped
/// by serde, or waits for its end, does not. An answer that is asked for again begins with a patch that replaces all.
///
/// It is a `Stream` of the `futures` crates too. That makes one patch of changes that are there at once, where
/// [`next`](Self::next) makes one of each.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// use serde_json::{Value, json};
///
/// #[instructor::model(partial)]
/// struct Recipe {
///     title: String,
///     steps: Vec<String>,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "title": "Pancakes", "steps": ["Stir."] })).chunks(6));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let mut patches = client.request("Pancakes").create_partial::<Recipe>().await?.patches();
/// let mut shown = Value::Null;
/// while let Some(patch) = patches.next().await {
///     let patch = patch?;
///     println!("{}", patch.to_event());
///     patch.apply(&mut shown)?;
/// }
/// assert_eq!(shown, json!({ "title": "Pancakes", "steps": ["Stir."] }));
/// let recipe: Recipe = patches.into_inner().finish().await?;
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
pub struct Patches<'a, P, T> {
    stream: PartialStream<'a, P, T>,
    seen: Seen,
    taken_back: usize,
}

impl<'a, P: Part, T> Patches<'a, P, T> {
    pub(super) const fn new(stream: PartialStream<'a, P, T>) -> Self {
        Self { stream, seen: Seen::Other, taken_back: 0 }
    }

    /// The next patch; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Patch, Error>> {
        poll_fn(|context| self.poll(context, |stream, context| stream.0.poll(context))).await
    }

    /// The partial that the patches so far make.
    #[must_use]
    pub fn partial(&self) -> Option<&P> {
        self.stream.partial()
    }

    /// The stream of borrowed partials again, for its value at the end.
    #[must_use]
    pub fn into_inner(self) -> PartialStream<'a, P, T> {
        self.stream
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        change: impl Fn(&mut PartialStream<'a, P, T>, &mut Context<'_>) -> Poll<bool>,
    ) -> Poll<Option<Result<Patch, Error>>> {
        loop {
            match change(&mut self.stream, context) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(self.stream.take_error().map(Err)),
                Poll::Pending => return Poll::Pending,
            }
            match self.patch() {
                // Only what does not show has changed.
                Ok(patch) if patch.0.is_empty() => {}
                patch => return Poll::Ready(Some(patch)),
            }
        }
    }

    fn patch(&mut self) -> Result<Patch, Error> {
        let Self { stream, seen, taken_back } = self;
        let Some((value, back)) = stream.sight() else { return Ok(Patch::default()) };
        if std::mem::replace(taken_back, back) != back {
            *seen = Seen::Other;
        }
        let mut out = Out::default();
        match tell(value, seen, true, &mut out) {
            Err(Stop::Failed(why)) => {
                let why = format!("the partial can't be written as JSON: {why}");
                Err(Error::new(ErrorKind::Config, why))
            }
            Ok(()) | Err(Stop::Differs) => Ok(Patch(out.changes)),
        }
    }
}

impl<P: Part, T: Unpin> Stream for Patches<'_, P, T> {
    type Item = Result<Patch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context, PartialStream::poll_changed)
    }
}

impl<P: fmt::Debug, T> fmt::Debug for Patches<'_, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patches").field(&self.stream).finish()
    }
}
