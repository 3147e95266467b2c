//! The canonical schema in the form that a dialect takes, and the way back.
//!
//! What a dialect can't say is encoded in something that it can (a map as a list of entries, an absent property as
//! `null`, any value as JSON text), and the [plan](super::plan) undoes it. Constraints that it does not take move into
//! the description and are enforced here alone. Nothing is narrowed: every value that the policy speaks for can be said.

mod emit;
mod face;
mod facts;
mod leaf;
mod measure;
mod object;
mod plain;
mod union;
mod words;

use std::collections::HashSet;
use std::fmt;

use instructor_json::Document;
use serde_json::Value;
use serde_json::value::RawValue;

use self::emit::{Emitted, Emitter};
pub(super) use self::facts::Facts;
use self::measure::{Size, measure};
pub(super) use self::words::{joined, phrase, phrases};
use super::dialect::{Dialect, Optional, Rules};
use super::encode;
use super::lift::lift;
use super::plan::Plan;
use super::shape::{Id, Kind, Policy, Shapes, shapes};
use crate::validate::Issues;

/// A schema as it goes out, written once, and the way back for the answer.
#[derive(Debug)]
pub struct Lowered {
    pub(crate) schema: Box<RawValue>,
    /// The provider can enforce it.
    pub(crate) strict: bool,
    /// A limit of the dialect was reached, so that what lies deep in it is JSON text, which the provider does not enforce.
    pub(crate) cramped: bool,
    pub(crate) plan: Plan,
    losses: Vec<Loss>,
    changes: Vec<Change>,
    /// What values are told apart by when one is encoded; none where nothing is encoded.
    shapes: Option<Shapes>,
}

impl Lowered {
    /// The schema for the provider, as it goes out.
    #[must_use]
    pub fn schema(&self) -> &RawValue {
        &self.schema
    }

    /// Whether the provider enforces it.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        self.strict
    }

    /// What the schema says and the provider does not enforce.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// How parts of the schema are encoded, so that the provider takes them.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether an answer has the shape of the type as it is.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.plan.is_same()
    }

    /// A value as a model should answer it: for examples and for tests. None if the schema does not allow it.
    #[must_use]
    pub fn encode(&self, value: &Value) -> Option<Value> {
        serde_json::from_str(&self.encode_json(&value.to_string())?).ok()
    }

    /// [`encode`](Self::encode) from JSON text to JSON text: numbers keep their digits.
    #[must_use]
    pub fn encode_json(&self, json: &str) -> Option<String> {
        let document = Document::parse(json).ok()?;
        encode::encode(&self.plan, self.shapes.as_ref(), document.root())
    }

    /// An answer in the shape of the type, as JSON text: numbers keep their digits.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, or an entry of a map comes twice.
    pub fn lift(&self, answer: &str) -> Result<String, Issues> {
        let document = Document::parse(answer).map_err(|error| Issues::from(format!("a JSON value: {error}")))?;
        let lifted = lift(&self.plan, document.root());
        if lifted.issues.is_empty() { Ok(lifted.json) } else { Err(lifted.issues) }
    }
}

/// Something that a schema says and a provider does not enforce. The answer is checked for it here, always.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// Where: a JSON pointer into the schema.
    pub pointer: String,
    /// The keyword.
    pub keyword: String,
    /// What became of it.
    pub moved: Moved,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() { "the root" } else { &self.pointer };
        write!(f, "`{}` at {at} {}: {}", self.keyword, self.moved, self.why)
    }
}

/// A part of a schema that the provider takes in another form, which is undone on the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where: a JSON pointer into the schema.
    pub pointer: String,
    /// The form.
    pub form: &'static str,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.pointer.is_empty() { "the root" } else { &self.pointer }, self.form)
    }
}

/// Where a constraint went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Moved {
    /// Into the description, and the answer is checked here.
    Described,
    /// The answer is checked here; the model is not told.
    Checked,
}

impl Moved {
    /// Its name: `description` or `validation`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Described => "description",
            Self::Checked => "validation",
        }
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Described => "is said in the description and checked here",
            Self::Checked => "is checked here alone",
        })
    }
}

/// A schema that a dialect has no words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unlowerable {
    /// No value fits the schema, so none can be asked for.
    Unsatisfiable,
    /// It is over a hard limit of the provider, however much of it is said as JSON text.
    TooLarge,
}

impl fmt::Display for Unlowerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsatisfiable => "no value fits this schema, so none can be asked for",
            Self::TooLarge => "the schema is over the size limit of this provider's structured output",
        })
    }
}

impl std::error::Error for Unlowerable {}

/// Lowers a schema for a dialect. Properties keep their order.
///
/// A map goes to OpenAI as a list of entries, and comes back as a map:
///
/// ```
/// use instructor::schema::{Dialect, Policy, lower};
/// use serde_json::json;
///
/// let map = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
/// let lowered = lower(&map, Dialect::OpenAi, Policy::Declared)?;
/// let answer = lowered.encode(&json!({ "a": 1 })).ok_or("no value of the schema")?;
/// assert_eq!(answer, json!({ "value": [{ "key": "a", "value": 1 }] }));
/// assert_eq!(lowered.lift(&answer.to_string()).map_err(|issues| issues.to_string())?, r#"{"a":1}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When no value fits the schema, or the dialect has a hard limit that nothing brings it under.
pub fn lower(schema: &Value, dialect: Dialect, policy: Policy) -> Result<Lowered, Unlowerable> {
    let shapes = shapes(schema, policy);
    if matches!(shapes.get(shapes.root.id).kind, Kind::Never) {
        return Err(Unlowerable::Unsatisfiable);
    }
    let Some(rules) = dialect.rules() else {
        let (schema, plan) = plain::rooted(schema);
        let (losses, changes) = (Vec::new(), Vec::new());
        return Ok(Lowered {
            schema: raw(&schema),
            strict: false,
            cramped: false,
            plan,
            losses,
            changes,
            shapes: None,
        });
    };
    let facts = Facts::of(&shapes, |id| levels(&shapes, rules, id));
    let unions = shapes.list.iter().filter(|shape| matches!(shape.kind, Kind::Union(_))).count();
    let far = rules.limits.unions.saturating_mul(FAR_OVER).max(MANY);
    let unrolled = if unions > far { 0 } else { UNROLLED };
    let depth = rules.limits.depth.min(DEEPEST);
    let mut choices = Choices { depth, unrolled, ..Choices::default() };
    // Each round gives up something; what can be given up ends.
    for _ in 0..ROUNDS {
        let Emitted { schema, plan, losses, changes, points } = Emitter::new(&shapes, rules, &facts, &choices).run();
        let size = measure(&schema, rules);
        if !choices.give_up(rules, &size, &points, &shapes) {
            let fits = size.fits(rules);
            let cramped = choices.depth < depth;
            let lowered =
                Lowered { schema: raw(&schema), strict: true, cramped, plan, losses, changes, shapes: Some(shapes) };
            return if fits { Ok(lowered) } else { Err(Unlowerable::TooLarge) };
        }
    }
    Err(Unlowerable::TooLarge)
}

fn raw(schema: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(schema).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Levels of objects and arrays below which everything is JSON text, whatever the dialect allows.
const DEEPEST: usize = 40;

/// Rounds of giving up; each lowers the depth or says something with less, so that this many are never needed.
const ROUNDS: usize = 64;

/// How often a recursive type is unrolled where the dialect has no recursion, before it becomes JSON text.
const UNROLLED: u8 = 2;

/// Unions of a schema, as a multiple of what is taken, above which recursive types are not unrolled: nearly all of them
/// would be said with lists, which no grammar of a provider is large enough for.
const FAR_OVER: usize = 16;

/// Unions that are no reason for that, however few are taken.
const MANY: usize = 256;

/// The levels that a shape adds for what is in it.
fn levels(shapes: &Shapes, rules: &Rules, id: Id) -> usize {
    match &shapes.get(id).kind {
        Kind::Object(object) if object.fields.is_empty() && !rules.maps => 2,
        Kind::Object(_) | Kind::Array(_) => 1,
        _ => 0,
    }
}

/// A place where something can be said in a cheaper way: a shape, its unrolling, and the field if it is one.
type Spot = (Id, u8, usize);

/// The field of a spot that is a union.
const UNION: usize = usize::MAX;

/// A place that counts against a limit.
#[derive(Clone, Copy, Debug)]
struct Point {
    spot: Spot,
    level: usize,
    kind: Counted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Union,
    Nullable,
    Optional,
}

/// What has been given up so that limits hold.
#[derive(Debug, Default)]
struct Choices {
    /// Levels below which everything is JSON text.
    depth: usize,
    /// How often a recursive type is unrolled.
    unrolled: u8,
    /// Properties and unions that are said with lists, which count against nothing.
    lists: HashSet<Spot>,
    /// Enums that are plain strings.
    wide: HashSet<Id>,
}

impl Choices {
    /// Gives up what the size asks for; whether there was anything.
    fn give_up(&mut self, rules: &Rules, size: &Size, points: &[Point], shapes: &Shapes) -> bool {
        let mut changed = false;
        if let Optional::Native(most) = rules.optional {
            changed |= self.spend(most, points, |kind| kind == Counted::Optional);
        }
        changed |= self.spend(rules.limits.unions, points, |kind| kind != Counted::Optional);
        for id in size.too_wide(rules, shapes, &self.wide) {
            changed |= self.wide.insert(id);
        }
        let shallower = size.depth > rules.limits.depth
            || size.properties > rules.limits.properties
            || size.text > rules.limits.text;
        if (shallower || (!changed && !size.fits(rules))) && self.depth > 0 {
            // Half of what is too much: less deep means less of everything, and each round costs as much as the first.
            self.depth -= 1 + (size.depth.saturating_sub(rules.limits.depth) / 2).min(self.depth - 1);
            changed = true;
        }
        changed
    }

    /// Keeps the most important of the points that count: real unions before nullable values, shallow ones first.
    fn spend(&mut self, most: usize, points: &[Point], counts: impl Fn(Counted) -> bool) -> bool {
        let mut counted: Vec<&Point> = points.iter().filter(|p| counts(p.kind)).collect();
        if counted.len() <= most {
            return false;
        }
        counted.sort_by_key(|point| (point.kind, point.level));
        let before = self.lists.len();
        self.lists.extend(counted.iter().skip(most).map(|point| point.spot));
        self.lists.len() > before
    }
}
