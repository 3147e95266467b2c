//! An answer that may not be there.

use std::error::Error as StdError;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::partial_object;
use crate::__private::{self as _p, Nested as _};
use crate::model::ResponseModel;
use crate::stream::Partial;
use crate::validate::outline::{At, Model, Outlined};
use crate::validate::{Checks, Context, Issue, Issues};

/// A result, or a message that says why there is none: what to ask for where the text may not have it, so that the model
/// need not make it up.
///
/// In an answer it is an object of `error`, `message` and `result`, in this order: the model decides whether there is a
/// result before it writes one. One with both a result and an error, or with neither, is asked for again. What `T`
/// demands holds for the result.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::Maybe;
///
/// #[instructor::model]
/// struct User {
///     name: String,
///     age: u8,
/// }
///
/// # let nobody = json!({ "error": true, "message": "The text names nobody.", "result": null });
/// # let script = Script::new().reply(Reply::value(nobody));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let user: Maybe<User> = client.create("It rains.").await?;
/// match user.into_result() {
///     Ok(user) => println!("{} is {}", user.name, user.age),
///     Err(none) => assert_eq!(none.message(), Some("The text names nobody.")),
/// }
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
///
/// Inside of a type it does the same for a field, and in a list for each item. Where the reason is of no use, an `Option`
/// is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(
    rename = "Maybe{T}",
    description = "A result, or why there is none. If the input does not have what is asked for: `error` is true, `message` \
                   says what is missing, and there is no `result`; never make one up. Else `error` is false and `result` \
                   is given."
)]
pub struct Maybe<T> {
    /// Whether there is no result.
    #[serde(default)]
    #[schemars(description = "Whether there is no result")]
    error: bool,
    #[schemars(description = "Why there is no result, in one sentence")]
    message: Option<String>,
    #[schemars(description = "The result, if the input has it")]
    result: Option<T>,
}

impl<T> Maybe<T> {
    /// A result.
    #[must_use]
    pub const fn found(result: T) -> Self {
        Self { error: false, message: None, result: Some(result) }
    }

    /// None, and why.
    #[must_use]
    pub fn missing(message: impl Into<String>) -> Self {
        Self { error: true, message: Some(message.into()), result: None }
    }

    /// Whether there is a result.
    #[must_use]
    pub const fn is_found(&self) -> bool {
        self.result.is_some()
    }

    /// The result, if there is one.
    #[must_use]
    pub const fn result(&self) -> Option<&T> {
        self.result.as_ref()
    }

    /// Why there is none, in the model's words.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The result, if there is one.
    #[must_use]
    pub fn into_option(self) -> Option<T> {
        self.result
    }

    /// The result.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn into_result(self) -> Result<T, NoResult> {
        self.result.ok_or(NoResult { message: self.message })
    }

    /// What it says about itself fits together.
    fn is_consistent(&self) -> Result<(), Issue> {
        match (&self.result, self.error || self.message.is_some()) {
            (Some(_), _) if self.error => {
                Err(Issue::new("no result where `error` is true, or `error` false").got("a result and an error"))
            }
            (None, false) => Err(Issue::new("a result, or `error` true and a message that says why there is none")
                .got("neither a result nor an error")),
            _ => Ok(()),
        }
    }
}

impl<T> From<T> for Maybe<T> {
    fn from(result: T) -> Self {
        Self::found(result)
    }
}

impl<T> From<Maybe<T>> for Option<T> {
    fn from(maybe: Maybe<T>) -> Self {
        maybe.result
    }
}

impl<T: ResponseModel> ResponseModel for Maybe<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        _p::Field(&self.result).validate_field(&[_p::Step::Key("result")], context, issues);
        _p::rule(Self::is_consistent).run(self, &[], context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        checks.key("result", |checks| self.result.validate_async(checks));
    }

    fn outline(outlined: &mut Outlined) {
        outlined.own();
        outlined.part(At::Key("result"), Some(Model::of::<Option<T>>()));
    }
}

partial_object! {
    /// What a [`Maybe`] is while it arrives.
    pub struct PartialMaybe<P> {
        /// Whether there is no result.
        0 error: bool,
        /// Why there is none.
        1 message: Option<String>,
        /// The result.
        2 result: Option<P>,
    }
}

impl<T: Partial> Partial for Maybe<T> {
    type Partial = PartialMaybe<T::Partial>;
}

/// Why a [`Maybe`] has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoResult {
    message: Option<String>,
}

impl NoResult {
    /// The reason, in the model's words.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// With the model's words: showing them is what they are for.
impl fmt::Display for NoResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "no result: {message}"),
            None => f.write_str("no result, and no reason given"),
        }
    }
}

impl StdError for NoResult {}
