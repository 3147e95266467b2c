//! A value that is for the program and for nobody's eyes.

use std::borrow::Cow;
use std::fmt;

use instructor_json::Kind;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::model::ResponseModel;
use crate::schema::SECRET;
use crate::stream::Partial;
use crate::stream::grow::{Grow, Part, Way};
use crate::validate::outline::{Model, Outlined};
use crate::validate::{Checks, Context, Issues};

/// What is shown of what is secret.
pub(crate) const MASK: &str = "(secret)";

/// A value that is never shown: a password, a card number, a name that is to stay in the program.
///
/// To the provider it is a `T`. Its `Debug` is a mask, and so is what it is serialized as, so that a log line or a dump of
/// the type around it shows nothing; [`expose`](Self::expose) gives the value, and
/// [`serialize_exposed`](Self::serialize_exposed) writes it. What this library says of the answer does not quote it:
/// issues and repairs at its place, or around it, have the mask for what was got, in errors, reports, hooks and in the
/// re-ask (where the model has its own answer beside it). A partial shows the mask too.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::Secret;
///
/// #[instructor::model]
/// struct Payment {
///     cents: u64,
///     #[schemars(length(min = 8, max = 19))]
///     card: Secret<String>,
/// }
///
/// # let script = Script::new().reply(Reply::value(json!({ "cents": 1990, "card": "4000001234567899" })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let payment: Payment = client.create("19.90 from 4000 0012 3456 7899").await?;
/// assert_eq!(format!("{payment:?}"), "Payment { cents: 1990, card: (secret) }");
/// assert_eq!(payment.card.expose(), "4000001234567899");
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
///
/// What it can't hide: the bodies of requests and responses, which whoever asks for them gets as they are (in completions,
/// hooks and recordings), and what a validator function of yours writes into its [`Issue`](crate::Issue).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, no longer hidden.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Serializes the value and not its mask, where that is meant: `#[serde(serialize_with = "Secret::serialize_exposed")]`.
    ///
    /// # Errors
    ///
    /// The serializer's.
    pub fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize,
    {
        self.0.serialize(serializer)
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// The mask.
impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What T says of it may quote it.
        T::deserialize(deserializer).map(Self).map_err(|_| D::Error::custom("its type does not take it"))
    }
}

impl<T: JsonSchema> JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{} {SECRET}", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert(String::from(SECRET), Value::Bool(true));
        schema
    }
}

impl<T: ResponseModel> ResponseModel for Secret<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        self.0.validate(context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        self.0.validate_async(checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.same(Some(Model::of::<T>()));
    }
}

impl<T: Partial> Partial for Secret<T> {
    type Partial = Secret<T::Partial>;
}

impl<P: Part> Part for Secret<P> {
    fn way(kind: Kind) -> Way {
        P::way(kind)
    }

    fn begin(kind: Kind) -> Option<Self> {
        P::begin(kind).map(Self)
    }

    fn choose(name: &str) -> Option<Self> {
        P::choose(name).map(Self)
    }

    fn whole(json: &str) -> Option<Self> {
        P::whole(json).map(Self)
    }

    fn key(&mut self, key: &str) -> Option<usize> {
        self.0.key(key)
    }

    fn item(&mut self, index: usize) -> Option<usize> {
        self.0.item(index)
    }

    fn child(&mut self, slot: usize) -> Option<&mut dyn Grow> {
        self.0.child(slot)
    }

    fn flat(&mut self, index: usize) -> Option<&mut dyn Grow> {
        self.0.flat(index)
    }

    fn waits(&self, slot: usize) -> bool {
        self.0.waits(slot)
    }

    fn text(&mut self, more: &str) {
        self.0.text(more);
    }

    fn end(&mut self) {
        self.0.end();
    }
}
