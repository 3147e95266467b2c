//! A value that is thought about before it is given.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::partial_object;
use crate::__private::{self as _p, Nested as _};
use crate::model::ResponseModel;
use crate::stream::Partial;
use crate::validate::outline::{At, Model, Outlined};
use crate::validate::{Checks, Context, Issues};

/// A value, with what the model thought before it gave it. Derefs to the value.
///
/// In an answer it is an object of `thoughts` and `value`, in this order, so that what is thought can bear on the value.
/// That is for models that do not think by themselves; those that do are told how much by
/// [`reasoning`](crate::Request::reasoning). While it arrives, [`PartialReasoned`] shows the thoughts as they grow.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::Reasoned;
///
/// # let script = Script::new().reply(Reply::value(json!({ "thoughts": "6 pairs, each 7.", "value": 42 })));
/// # let client = script.client("openai/gpt-4.1-mini");
/// # script.block_on(async {
/// let answer: Reasoned<u32> = client.create("How many are 6 pairs of 7?").await?;
/// assert_eq!(answer.thoughts(), "6 pairs, each 7.");
/// assert_eq!(answer.into_inner(), 42);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Reasoned{T}", description = "The value, and before it the thoughts that lead to it")]
pub struct Reasoned<T> {
    #[schemars(description = "Think step by step here, before the value is given")]
    thoughts: String,
    value: T,
}

impl<T> Reasoned<T> {
    /// A value with thoughts.
    #[must_use]
    pub fn new(thoughts: impl Into<String>, value: T) -> Self {
        Self { thoughts: thoughts.into(), value }
    }

    /// What the model thought.
    #[must_use]
    pub fn thoughts(&self) -> &str {
        &self.thoughts
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

    /// The thoughts and the value.
    #[must_use]
    pub fn into_parts(self) -> (String, T) {
        (self.thoughts, self.value)
    }
}

impl<T> Deref for Reasoned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ResponseModel> ResponseModel for Reasoned<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        _p::Field(&self.value).validate_field(&[_p::Step::Key("value")], context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        checks.key("value", |checks| self.value.validate_async(checks));
    }

    fn outline(outlined: &mut Outlined) {
        outlined.part(At::Key("value"), Some(Model::of::<T>()));
    }
}

partial_object! {
    /// What a [`Reasoned`] is while it arrives.
    pub struct PartialReasoned<P> {
        /// What the model thinks.
        0 thoughts: String,
        /// The value.
        1 value: P,
    }
}

impl<T: Partial> Partial for Reasoned<T> {
    type Partial = PartialReasoned<T::Partial>;
}
