//! A list whose bad items don't fail the value.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::model::ResponseModel;
use crate::schema::MARK;
use crate::validate::outline::{At, Model, Outlined};
use crate::validate::{Context, Issue, Issues, Origin, Path};

/// A list of which the valid items are kept, whatever is wrong with the others: in the place of a `Vec`, as a field or
/// as the whole value.
///
/// To the provider it is the list that a `Vec` is. Items that fail the schema, the type or a validator function do not fail
/// the value: they are in [`rejected`](Self::rejected), as JSON and with what is wrong with them. With
/// [`BadItems::ReAsk`](crate::BadItems::ReAsk) they are asked for again first, and alone, as often as
/// [`max_retries`](crate::Request::max_retries) and the [`Budget`](crate::Budget) allow; with
/// [`BadItems::Drop`](crate::BadItems::Drop) only the report has them. What is wrong with the list itself (how many
/// items it may have) or with anything around it fails the value as always, and so do items of every other list.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::Salvaged;
///
/// #[instructor::model]
/// struct Invoice {
///     number: String,
///     lines: Salvaged<Line>,
/// }
///
/// #[instructor::model]
/// struct Line {
///     article: String,
///     #[schemars(range(min = 1))]
///     pieces: u32,
/// }
///
/// # let lines = json!([{ "article": "Nut", "pieces": 0 }, { "article": "Bolt", "pieces": 7 }]);
/// # let script = Script::new().reply(Reply::value(json!({ "number": "7", "lines": lines })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let invoice: Invoice = client.create("The invoice: ...").await?;
/// assert_eq!(invoice.lines.ok()[0].article, "Bolt");
/// let bad = &invoice.lines.rejected()[0];
/// assert_eq!((bad.index(), bad.json()), (0, r#"{"article":"Nut","pieces":0}"#));
/// assert_eq!(bad.issues().as_slice()[0].path().as_str(), "$.pieces");
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
///
/// Serialized it is the list of its valid items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged<T> {
    ok: Vec<T>,
    rejected: Vec<RejectedItem>,
}

/// An item of a [`Salvaged`] list that is not valid.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectedItem {
    index: usize,
    json: String,
    issues: Issues,
}

impl RejectedItem {
    pub(crate) const fn new(index: usize, json: String, issues: Issues) -> Self {
        Self { index, json, issues }
    }

    /// Its place in the list that the model gave, counted from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The item as JSON. Text of the answer.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// What is wrong with it, with paths in the item. Shows text of the answer.
    #[must_use]
    pub const fn issues(&self) -> &Issues {
        &self.issues
    }

    fn written(&self) -> Value {
        let issues = self.issues.as_slice().iter().map(|issue| {
            let origin = ORIGINS.iter().position(|origin| *origin == issue.origin());
            json!([issue.path().as_str(), origin, issue.wanted(), issue.got_text(), issue.nearest_value()])
        });
        json!([self.index, self.json, issues.collect::<Vec<_>>()])
    }

    fn read((index, json, issues): Written) -> Self {
        let issues = issues.into_iter().map(|(path, origin, wanted, got, nearest)| {
            let origin = ORIGINS.get(origin).copied().unwrap_or(Origin::Rule);
            let issue = Issue::found_by(origin, Issue::at(&path, "").path().clone(), wanted);
            let issue = match got {
                Some(got) => issue.got(got),
                None => issue,
            };
            match nearest {
                Some(nearest) => issue.nearest(nearest),
                None => issue,
            }
        });
        Self { index, json, issues: issues.collect::<Vec<_>>().into() }
    }
}

/// Without the JSON, which has what its type may hide.
impl fmt::Debug for RejectedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectedItem").field("index", &self.index).field("issues", &self.issues).finish_non_exhaustive()
    }
}

const ORIGINS: [Origin; 4] = [Origin::Reading, Origin::Schema, Origin::Type, Origin::Rule];

type Written = (usize, String, Vec<(String, usize, String, Option<String>, Option<String>)>);

/// The key of what was rejected, which nobody can know who writes an answer.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let random = || RandomState::new().hash_one(MARK);
        format!("{MARK} {:016x}{:016x}", random(), random())
    })
}

/// The first member of the object that a list is told in of which items were rejected.
pub(crate) fn opening(rejected: impl Iterator<Item = RejectedItem>) -> String {
    let rejected: Vec<Value> = rejected.map(|item| item.written()).collect();
    format!("{}:{}", Value::from(key()), Value::from(rejected))
}

impl<T> Salvaged<T> {
    /// The valid items, in the order of the answer.
    #[must_use]
    pub fn ok(&self) -> &[T] {
        &self.ok
    }

    /// The items that are not valid, in the order of the answer.
    #[must_use]
    pub fn rejected(&self) -> &[RejectedItem] {
        &self.rejected
    }

    /// Whether all items are valid.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.rejected.is_empty()
    }

    /// The valid items.
    #[must_use]
    pub fn into_ok(self) -> Vec<T> {
        self.ok
    }

    /// The valid items, and the others.
    #[must_use]
    pub fn into_parts(self) -> (Vec<T>, Vec<RejectedItem>) {
        (self.ok, self.rejected)
    }
}

impl<T> Default for Salvaged<T> {
    fn default() -> Self {
        Self { ok: Vec::new(), rejected: Vec::new() }
    }
}

impl<T> From<Vec<T>> for Salvaged<T> {
    fn from(ok: Vec<T>) -> Self {
        Self { ok, rejected: Vec::new() }
    }
}

impl<T> IntoIterator for Salvaged<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.ok.into_iter()
    }
}

impl<'s, T> IntoIterator for &'s Salvaged<T> {
    type Item = &'s T;
    type IntoIter = std::slice::Iter<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.ok.iter()
    }
}

impl<T: Serialize> Serialize for Salvaged<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ok.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Salvaged<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Items(PhantomData))
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Salvaged<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut ok = Vec::new();
        while let Some(item) = items.next_element()? {
            ok.push(item);
        }
        Ok(Salvaged::from(ok))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        if items.next_key::<String>()?.is_none_or(|first| first != key()) {
            return Err(A::Error::custom("invalid type: map, expected a list"));
        }
        let rejected = items.next_value::<Vec<Written>>()?.into_iter().map(RejectedItem::read).collect();
        let mut ok = Vec::new();
        while let Some((_, item)) = items.next_entry::<String, T>()? {
            ok.push(item);
        }
        Ok(Salvaged { ok, rejected })
    }
}

impl<T: JsonSchema> JsonSchema for Salvaged<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{} {MARK}", Vec::<T>::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<T>::json_schema(generator);
        schema.insert(String::from(MARK), Value::Bool(true));
        schema
    }
}

impl<T: ResponseModel> ResponseModel for Salvaged<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        // A text that was looked at while it arrived is none in which places are missing.
        let forgetful = (!self.is_whole()).then(|| context.forgetful());
        let context = forgetful.as_ref().unwrap_or(context);
        let rejected: BTreeSet<usize> = self.rejected.iter().map(|item| item.index).collect();
        let places = (0..).filter(|index| !rejected.contains(index));
        for (index, item) in places.zip(&self.ok) {
            let mut found = Issues::new();
            context.within(|path| path.index(index), || item.validate(context, &mut found));
            if !found.is_empty() {
                issues.extend_within(&Path::root().index(index), found);
            }
        }
    }

    fn outline(outlined: &mut Outlined) {
        outlined.part(At::Items, Some(Model::of::<T>()));
    }
}
