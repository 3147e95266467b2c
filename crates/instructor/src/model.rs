//! What is asked for: the response model and its contract.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use instructor_json::Node;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dsl::MASK;
use crate::error::{Error, ErrorKind};
use crate::repair::short;
use crate::schema::{
    Checker, Dialect, DialectReport, Item, Lowered, MARK, Missing, Notation, Part, Policy, SECRET, ToolSchema,
    Unlowerable, brief, calls, has_marks, is_secret, lower, prompt, rendered, schema_of, schema_of_rest, tool_name,
    tools,
};
use crate::validate::outline::{At, Model, Outlined};
use crate::validate::{Checks, Context, Issue, Issues, Origin, Path};

/// A type that a language model can be asked for.
///
/// Derive it beside `Deserialize` and `JsonSchema`, or write [`#[instructor::model]`](macro@crate::model) for all of
/// them. Constraints come from the schema (`#[schemars(range(..), length(..), regex(..))]`); functions are added with
/// `#[response(validate = path)]` and, where they are async, `#[response(validate_async = path)]`, on the type or a field
/// (see the guide on [validation](crate::docs::validation)):
///
/// ```
/// use instructor::{Context, Issue};
///
/// #[instructor::model]
/// #[response(validate = adult)]
/// struct Customer {
///     name: String,
///     #[schemars(range(max = 150))]
///     age: u8,
/// }
///
/// fn adult(customer: &Customer, _: &Context) -> Result<(), Issue> {
///     if customer.age >= 18 { Ok(()) } else { Err(Issue::at("age", "an adult's age").got(customer.age.to_string())) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response model",
    label = "a language model can't be asked for this type",
    note = "write `#[instructor::model]` on the type, or derive `Deserialize`, `JsonSchema` and `ResponseModel`",
    note = "for a type of another crate, ask for `instructor::Foreign<{Self}>`"
)]
pub trait ResponseModel: JsonSchema + DeserializeOwned + Send + 'static {
    /// Its contract, built at the first call and cached.
    #[must_use]
    fn contract() -> Contract {
        Contract::of::<Self>()
    }

    /// Runs its validator functions, and those of its fields, and adds what they find.
    fn validate(&self, context: &Context, issues: &mut Issues) {
        let _ = (context, issues);
    }

    /// Adds its async validator functions, and those of its fields, to those that are to be awaited once all else has
    /// passed.
    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        let _ = checks;
    }

    /// Says where its validator functions are. What says nothing of it is validated when it is complete as a whole.
    #[doc(hidden)]
    fn outline(outlined: &mut Outlined) {
        outlined.own();
    }
}

/// What an answer has to be: a name, a description, a JSON Schema, and the compiled validator for it.
///
/// A type has one ([`ResponseModel::contract`]); [`from_schema`](Self::from_schema) makes one at run time, whose answers
/// are [`Value`]s. Cheap to clone.
#[derive(Clone)]
pub struct Contract(Arc<Inner>);

struct Inner {
    name: String,
    tool_name: String,
    description: Option<String>,
    schema: Value,
    check: Result<Check, String>,
    policy: Policy,
    salvages: bool,
    secrets: bool,
    lowered: [OnceLock<Result<Lowered, Unlowerable>>; Dialect::COUNT],
    prompt: OnceLock<String>,
    brief: OnceLock<String>,
    toolset: OnceLock<Result<Toolset, String>>,
    digest: OnceLock<[u8; 32]>,
}

/// The items of a list as tools.
#[derive(Debug)]
pub(crate) struct Toolset {
    pub(crate) tools: Vec<Tool>,
    /// What is said of the list and its items in general.
    pub(crate) about: Option<String>,
    /// The instructions where a call can't be forced.
    pub(crate) prompt: String,
}

/// One kind of item.
#[derive(Debug)]
pub(crate) struct Tool {
    /// What the arguments of a call have to be.
    pub(crate) contract: Contract,
    /// How they become an item.
    pub(crate) item: Item,
}

enum Check {
    Native(Checker),
    #[cfg(feature = "jsonschema")]
    Full(Box<jsonschema::Validator>),
}

impl Contract {
    /// The contract of any type with a schema, from the cache of the process.
    pub(crate) fn of<T: JsonSchema + 'static>() -> Self {
        static BUILT: OnceLock<RwLock<HashMap<TypeId, Contract>>> = OnceLock::new();
        let built = BUILT.get_or_init(RwLock::default);
        let id = TypeId::of::<T>();
        if let Some(contract) = built.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return contract.clone();
        }
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        let contract = Self::build(T::schema_name().as_ref(), schema.into(), Policy::Declared);
        built.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(contract).clone()
    }

    /// A contract from a JSON Schema at run time. Its name is the schema's `title`.
    ///
    /// ```
    /// use instructor::Contract;
    ///
    /// let contract = Contract::from_schema(serde_json::json!({
    ///     "title": "Ticket",
    ///     "type": "object",
    ///     "properties": { "summary": { "type": "string", "maxLength": 80 } },
    ///     "required": ["summary"],
    /// }))?;
    /// assert_eq!(contract.name(), "Ticket");
    /// # Ok::<(), instructor::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it is no JSON Schema; [`ErrorKind::Unsupported`] if it has keywords that are not checked
    /// natively and the feature `jsonschema` is off.
    pub fn from_schema(schema: Value) -> Result<Self, Error> {
        if !schema.is_object() {
            return Err(Error::config("a JSON Schema is an object; this is not one"));
        }
        let name = schema.get("title").and_then(Value::as_str).filter(|t| !t.is_empty()).unwrap_or("Answer").to_owned();
        let contract = Self::build(&name, schema, Policy::Exact);
        contract.checkable()?;
        Ok(contract)
    }

    fn build(name: &str, schema: Value, policy: Policy) -> Self {
        let description = schema.get("description").and_then(Value::as_str).map(String::from);
        Self(Arc::new(Inner {
            name: String::from(name),
            tool_name: tool_name(name),
            description,
            check: Check::compile(&schema),
            salvages: policy == Policy::Declared && has_marks(&schema, MARK),
            secrets: has_marks(&schema, SECRET),
            schema,
            policy,
            lowered: Default::default(),
            prompt: OnceLock::new(),
            brief: OnceLock::new(),
            toolset: OnceLock::new(),
            digest: OnceLock::new(),
        }))
    }

    /// The contract of an object with these parts of the value, each under a name of its own; none where they can't be
    /// asked for by themselves.
    pub(crate) fn of_parts(&self, parts: &[Part<'_>]) -> Option<Self> {
        let contract = Self::build(&format!("{}_patch", self.name()), schema_of(parts, self.schema())?, self.0.policy);
        contract.checkable().ok().map(|()| contract)
    }

    /// The contract of an object with what is missing of an answer that was cut; none as for parts.
    pub(crate) fn of_rest(&self, missing: &[Missing]) -> Option<Self> {
        let schema = schema_of_rest(missing, self.schema())?;
        let contract = Self::build(&format!("{}_rest", self.name()), schema, self.0.policy);
        contract.checkable().ok().map(|()| contract)
    }

    /// The name: the type's, or the schema's title.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The description: the type's doc comment.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The canonical schema, with properties in the order of the type's fields.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.0.schema
    }

    /// What the schema says against a value.
    ///
    /// # Errors
    ///
    /// All issues, with paths.
    pub fn check(&self, value: &Value) -> Result<(), Issues> {
        let text = value.to_string();
        match instructor_json::Document::parse(&text) {
            Ok(document) => self.issues(document.root()).into_result(),
            Err(error) => Err(Issues::from(format!("a JSON value: {error}"))),
        }
    }

    /// What becomes of it in a dialect: how parts are encoded, and what the provider does not enforce. Lowered once.
    #[must_use]
    pub fn report(&self, dialect: Dialect) -> DialectReport<'_> {
        DialectReport::new(self.name(), dialect, self.lowered(dialect))
    }

    /// A number that tells it from others: the same for the same name and schema, however often they are built.
    pub(crate) fn id(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *self.digest();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// [`id`](Self::id) in full, the same in every process.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        self.0.digest.get_or_init(|| {
            let mut hash = hmac_sha256::Hash::new();
            hash.update((self.name().len() as u64).to_le_bytes());
            hash.update(self.name());
            hash.update(self.schema().to_string());
            hash.finalize()
        })
    }

    /// The name where only letters, digits, `_` and `-` are allowed.
    pub(crate) fn tool_name(&self) -> &str {
        &self.0.tool_name
    }

    /// The schema in a dialect's form, lowered once.
    pub(crate) fn lowered(&self, dialect: Dialect) -> Result<&Lowered, &Unlowerable> {
        match self.0.lowered.get(dialect as usize) {
            Some(slot) => slot.get_or_init(|| lower(&self.0.schema, dialect, self.0.policy)).as_ref(),
            None => self.lowered(Dialect::Plain),
        }
    }

    /// The instructions for modes that show the schema in the prompt.
    pub(crate) fn prompt(&self) -> &str {
        self.0.prompt.get_or_init(|| {
            let schema = self.lowered(Dialect::Plain).map_or("{}", |lowered| lowered.schema.get());
            prompt(schema, Notation::JsonSchema, self.description())
        })
    }

    /// The instructions for an answer in plain text that has everything which the schema wants.
    pub(crate) fn brief(&self) -> &str {
        self.0.brief.get_or_init(|| brief(&self.render(Notation::Types), self.description()))
    }

    /// A tool for each kind of item of the list that this is, or why it is none.
    pub(crate) fn toolset(&self) -> Result<&Toolset, &str> {
        self.0.toolset.get_or_init(|| Toolset::of(self)).as_ref().map_err(String::as_str)
    }

    /// The contract as text for a prompt of your own.
    ///
    /// ```
    /// use instructor::ResponseModel;
    /// use instructor::schema::Notation;
    ///
    /// #[instructor::model]
    /// struct Ticket {
    ///     /// One line
    ///     #[schemars(length(max = 80))]
    ///     summary: String,
    ///     tags: Option<Vec<String>>,
    /// }
    ///
    /// let text = Ticket::contract().render(Notation::Types);
    /// assert_eq!(
    ///     text,
    ///     "{\n  summary: string // One line (at most 80 characters)\n  tags?: string[] | null\n}"
    /// );
    /// ```
    #[must_use]
    pub fn render(&self, notation: Notation) -> String {
        match notation {
            Notation::Types => rendered(&self.0.schema, self.0.policy),
            Notation::JsonSchema => {
                String::from(self.lowered(Dialect::Plain).map_or("{}", |lowered| lowered.schema.get()))
            }
        }
    }

    /// Values of it.
    #[cfg(feature = "fake")]
    pub(crate) fn samples(&self) -> crate::schema::Samples<'_> {
        crate::schema::Samples::of(&self.0.schema, self.0.policy)
    }

    /// The contract of a schema as a model sees it: without keys that nobody named.
    #[cfg(feature = "fake")]
    pub(crate) fn shown(schema: Value) -> Self {
        Self::build("the schema of the request", schema, Policy::Declared)
    }

    /// Whether there are lists in it whose items may fail by themselves.
    pub(crate) fn salvages(&self) -> bool {
        self.0.salvages
    }

    /// Whether its answers can be validated in full.
    pub(crate) fn checkable(&self) -> Result<(), Error> {
        self.0.check.as_ref().map(drop).map_err(|why| {
            let kind = if why.starts_with("unsupported") { ErrorKind::Unsupported } else { ErrorKind::Config };
            Error::new(kind, format!("the schema of {}: {why}", self.name()))
        })
    }

    /// Whether quoting what stands at a place could show a value that is not to be shown.
    pub(crate) fn is_secret(&self, path: &Path) -> bool {
        self.0.secrets && is_secret(self.schema(), path)
    }

    /// Whether there is anything secret in its values.
    pub(crate) fn has_secrets(&self) -> bool {
        self.0.secrets
    }

    /// The beginning of what stands at a place, if it may be shown.
    pub(crate) fn quoted(&self, path: &Path, json: &str) -> String {
        if self.is_secret(path) { String::from(MASK) } else { short(json) }
    }

    /// Issues that quote nothing secret. What a function says it means to say.
    pub(crate) fn masked(&self, issues: Issues) -> Issues {
        if !self.0.secrets {
            return issues;
        }
        let quotes = |issue: &Issue| issue.origin() != Origin::Rule && self.is_secret(issue.path());
        let mask = |issue: Issue| if quotes(&issue) { issue.masked() } else { issue };
        issues.into_iter().map(mask).collect::<Vec<_>>().into()
    }

    pub(crate) fn issues(&self, node: Node<'_>) -> Issues {
        self.masked(match &self.0.check {
            Ok(Check::Native(checker)) => checker.check(node),
            #[cfg(feature = "jsonschema")]
            Ok(Check::Full(validator)) => full_issues(validator, node),
            // `checkable` has refused it before anything was sent.
            Err(_) => Issues::new(),
        })
    }
}

impl Toolset {
    fn of(list: &Contract) -> Result<Self, String> {
        let found = tools(list.schema())?;
        let tool = |tool: ToolSchema| {
            let contract = Contract::build(&tool.name, tool.schema, list.0.policy);
            contract.checkable().map_err(|error| error.to_string())?;
            contract.lowered(Dialect::Plain).map_err(|why| format!("{}: {why}", tool.name))?;
            Ok(Tool { contract, item: tool.item })
        };
        let tools = found.tools.into_iter().map(tool).collect::<Result<_, String>>()?;
        let empty = list.check(&Value::Array(Vec::new())).is_ok();
        let about = (!found.about.is_empty()).then(|| found.about.join("\n\n"));
        Ok(Self { tools, prompt: calls(&found.about, empty), about })
    }
}

impl Check {
    fn compile(schema: &Value) -> Result<Self, String> {
        match Checker::compile(schema) {
            Ok(checker) => Ok(Self::Native(checker)),
            #[cfg(feature = "jsonschema")]
            Err(_) => jsonschema::validator_for(schema)
                .map(|validator| Self::Full(Box::new(validator)))
                .map_err(|e| format!("not a JSON Schema: {e}")),
            #[cfg(not(feature = "jsonschema"))]
            Err(why) => Err(format!("unsupported: {why}; the feature \"jsonschema\" checks it")),
        }
    }
}

#[cfg(feature = "jsonschema")]
fn full_issues(validator: &jsonschema::Validator, node: Node<'_>) -> Issues {
    let value: Value = match serde_json::from_str(node.source()) {
        Ok(value) => value,
        Err(e) => return Issues::from(format!("a JSON value: {e}")),
    };
    let mut issues = Issues::new();
    for error in validator.iter_errors(&value) {
        let mut path = Path::root();
        for step in error.instance_path().as_str().split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            path = match step.parse() {
                Ok(index) => path.index(index),
                Err(_) => path.key(&step),
            };
        }
        // The validator's text shows the value; what is wanted follows it.
        issues.push(Issue::found_by(Origin::Schema, path, format!("a value for which this does not hold: {error}")));
    }
    issues
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract").field("name", &self.0.name).finish_non_exhaustive()
    }
}

/// A type of another crate that has a schema and can be deserialized, as a response model.
///
/// ```
/// use instructor::{Foreign, ResponseModel};
///
/// assert_eq!(Foreign::<std::time::Duration>::contract().name(), "Duration");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Foreign<T>(pub T);

impl<T> Foreign<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Foreign<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Foreign<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T: serde::Serialize> serde::Serialize for Foreign<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Foreign<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema + DeserializeOwned + Send + 'static> ResponseModel for Foreign<T> {
    fn outline(_: &mut Outlined) {}
}

macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(
        impl ResponseModel for $type {
            fn outline(_: &mut Outlined) {}
        }
    )* };
}

plain!(bool, char, String, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, Value);

/// Validators of the elements run with the element's path.
fn each<'t, T: ResponseModel>(items: impl IntoIterator<Item = &'t T>, context: &Context, issues: &mut Issues) {
    for (i, item) in items.into_iter().enumerate() {
        let mut found = Issues::new();
        context.within(|path| path.index(i), || item.validate(context, &mut found));
        if !found.is_empty() {
            issues.extend_within(&Path::root().index(i), found);
        }
    }
}

fn each_async<'v, T: ResponseModel>(items: impl IntoIterator<Item = &'v T>, checks: &mut Checks<'v>) {
    for (i, item) in items.into_iter().enumerate() {
        checks.index(i, |checks| item.validate_async(checks));
    }
}

fn each_value_async<'v, K: fmt::Debug + 'v, V: ResponseModel>(
    entries: impl IntoIterator<Item = (&'v K, &'v V)>,
    checks: &mut Checks<'v>,
) {
    for (key, value) in entries {
        checks.entry(key, |checks| value.validate_async(checks));
    }
}

impl<T: ResponseModel> ResponseModel for Option<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        if let Some(value) = self {
            value.validate(context, issues);
        }
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        if let Some(value) = self {
            value.validate_async(checks);
        }
    }

    fn outline(outlined: &mut Outlined) {
        outlined.same(Some(Model::of::<T>()));
    }
}

impl<T: ResponseModel> ResponseModel for Box<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        (**self).validate(context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        (**self).validate_async(checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.same(Some(Model::of::<T>()));
    }
}

impl<T: ResponseModel> ResponseModel for Vec<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        each(self, context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        each_async(self, checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.part(At::Items, Some(Model::of::<T>()));
    }
}

// The places of a set's items are not those that they have in an answer.
impl<T: ResponseModel + Ord> ResponseModel for BTreeSet<T> {
    fn validate(&self, context: &Context, issues: &mut Issues) {
        each(self, context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        each_async(self, checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.hidden(Some(Model::of::<T>()));
    }
}

impl<T, S> ResponseModel for HashSet<T, S>
where
    T: ResponseModel + Eq + Hash,
    S: BuildHasher + Default + Send + 'static,
    Self: JsonSchema + DeserializeOwned,
{
    fn validate(&self, context: &Context, issues: &mut Issues) {
        each(self, context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        each_async(self, checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.hidden(Some(Model::of::<T>()));
    }
}

/// Validators of the values run with the key as it was read, so that the path names it.
fn each_value<'t, K: fmt::Debug + 't, V: ResponseModel>(
    entries: impl IntoIterator<Item = (&'t K, &'t V)>,
    context: &Context,
    issues: &mut Issues,
) {
    for (key, value) in entries {
        let mut found = Issues::new();
        match context.visit().map(|_| format!("{key:?}")) {
            None => value.validate(context, &mut found),
            // Only a text reads as it stands in the answer.
            Some(key) => match key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
                Some(key) if !key.contains('\\') => {
                    context.within(|path| path.key(key), || value.validate(context, &mut found));
                }
                _ => value.validate(&context.forgetful(), &mut found),
            },
        }
        if !found.is_empty() {
            issues.extend_within(&Path::root().key(format!("{key:?}").trim_matches('"')), found);
        }
    }
}

impl<K, V> ResponseModel for BTreeMap<K, V>
where
    K: Ord + Send + fmt::Debug + 'static,
    V: ResponseModel,
    Self: JsonSchema + DeserializeOwned,
{
    fn validate(&self, context: &Context, issues: &mut Issues) {
        each_value(self, context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        each_value_async(self, checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.part(At::Entries, Some(Model::of::<V>()));
    }
}

impl<K, V, S> ResponseModel for HashMap<K, V, S>
where
    K: Eq + Hash + Send + fmt::Debug + 'static,
    V: ResponseModel,
    S: BuildHasher + Default + Send + 'static,
    Self: JsonSchema + DeserializeOwned,
{
    fn validate(&self, context: &Context, issues: &mut Issues) {
        each_value(self, context, issues);
    }

    fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
        each_value_async(self, checks);
    }

    fn outline(outlined: &mut Outlined) {
        outlined.part(At::Entries, Some(Model::of::<V>()));
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => { $(
        impl<$($name: ResponseModel),+> ResponseModel for ($($name,)+) {
            fn validate(&self, context: &Context, issues: &mut Issues) {
                $(
                    let mut found = Issues::new();
                    context.within(|path| path.index($index), || self.$index.validate(context, &mut found));
                    if !found.is_empty() {
                        issues.extend_within(&Path::root().index($index), found);
                    }
                )+
            }

            fn validate_async<'v>(&'v self, checks: &mut Checks<'v>) {
                $( checks.index($index, |checks| self.$index.validate_async(checks)); )+
            }

            fn outline(outlined: &mut Outlined) {
                $( outlined.part(At::Index($index), Some(Model::of::<$name>())); )+
            }
        }
    )* };
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

/// Asserts that a response model can be said in dialects, for a test of your own: a field that a provider can't take
/// shows there and not in production.
///
/// ```
/// use instructor::schema::assert_fits;
///
/// #[instructor::model]
/// struct Point {
///     x: i32,
///     y: i32,
/// }
///
/// assert_fits!(Point, OpenAi, Anthropic, Gemini);
/// ```
///
/// # Panics
///
/// With the [report](crate::schema::DialectReport) of the first dialect that it does not fit.
#[macro_export]
#[doc(hidden)]
macro_rules! __assert_fits {
    ($model:ty, $($dialect:ident),+ $(,)?) => {{
        let contract = <$model as $crate::ResponseModel>::contract();
        $(
            let report = contract.report($crate::schema::Dialect::$dialect);
            ::core::assert!(report.fits(), "{report}");
        )+
    }};
}
