//! A value with the words that show it.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quote::Quote;
use crate::__private::{self as _p, Nested as _};
use crate::dsl::partial_object;
use crate::model::ResponseModel;
use crate::stream::{Field, Partial};
use crate::validate::outline::{At, Model, Outlined};
use crate::validate::{Checks, Context, Issue, Issues};

/// A value, with quotes from the [`Source`](crate::Source) in the [`Context`] that show it. Derefs to the value.
///
/// In an answer it is an object of `quotes`, at least one, and `value`, in this order: the model finds the words before it
/// says what they mean. Each quote is looked for in the source, and is asked for again if it isn't there; see
/// [`Quote`] and [`MissingQuotes`](crate::MissingQuotes).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{Cited, Context, Source};
///
/// # let wrong = json!({ "quotes": ["leave within a month"], "value": 30 });
/// # let right = json!({ "quotes": ["with thirty days’ notice"], "value": 30 });
/// # let script = Script::new().reply(Reply::value(wrong)).reply(Reply::value(right));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let source = Source::new("Either party may leave with thirty days' notice.");
/// let ask = client.request(source.text()).context(Context::new().with(source.clone()));
/// let notice: Cited<u32> = ask.create().await?;
/// assert_eq!(*notice, 30);
/// let quote = notice.quotes().next().ok_or("no quote").unwrap();
/// assert_eq!(quote.source_text(), Some("with thirty days' notice"));
/// assert_eq!(quote.span(), Some(23..47));
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Cited{T}", description = "A value, and before it the words of the source that show it")]
pub struct Cited<T> {
    #[schemars(length(min = 1), description = "Words of the source that show the value, each copied exactly")]
    quotes: Vec<Quote>,
    value: T,
}

impl<T> Cited<T> {
    /// A value with quotes, not looked for yet.
    #[must_use]
    pub fn new(quotes: impl IntoIterator<Item = Quote>, value: T) -> Self {
        Self { quotes: quotes.into_iter().collect(), value }
    }

    /// The quotes, but for those that were looked for and are not in the source.
    pub fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.quotes.iter().filter(|quote| !quote.is_missing())
    }

    /// The quotes that were looked for and are not in the source: there are none unless they are to be
    /// [dropped](crate::MissingQuotes::Drop).
    pub fn missing(&self) -> impl Iterator<Item = &Quote> {
        self.quotes.iter().filter(|quote| quote.is_missing())
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The value alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// At least one quote is left where those that are missing are dropped.
    fn is_shown(&self, context: &Context) -> Result<(), Issue> {
        let dropped = context.get::<super::Source>().is_some_and(super::Source::drops);
        if dropped && !self.quotes.is_empty() && self.quotes().next().is_none() {
            return Err(Issue::at("quotes", "at least one quote that stands in the source, copied word for word"));
        }
        Ok(())
    }
}

impl<T> Deref for Cited<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ResponseModel> ResponseModel for Cited<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        // What it finds is kept in the quotes, so it is run on each value.
        let mut found = Issues::new();
        context.within(|path| path.key("quotes"), || self.quotes.validate(context, &mut found));
        issues.extend_within(&crate::validate::Path::root().key("quotes"), found);
        _p::Field(&self.value).validate_field(&[_p::Step::Key("value")], context, issues);
        issues.extend(self.is_shown(context).err());
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        checks.key("quotes", |checks| self.quotes.validate_async(checks));
        checks.key("value", |checks| self.value.validate_async(checks));
    }

    fn outline(outlined: &mut Outlined) {
        outlined.own();
        outlined.part(At::Key("quotes"), Some(Model::of::<Vec<Quote>>()));
        outlined.part(At::Key("value"), Some(Model::of::<T>()));
    }
}

partial_object! {
    /// What a [`Cited`] is while it arrives.
    pub struct PartialCited<P> {
        /// The quotes, not looked for yet.
        0 quotes: Vec<Field<String>>,
        /// The value.
        1 value: P,
    }
}

impl<T: Partial> Partial for Cited<T> {
    type Partial = PartialCited<T::Partial>;
}
