//! What a rejected answer did wrong: issues with JSON paths, and the context that validators see.

mod checks;
pub(crate) mod outline;
mod visit;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use self::checks::{CheckError, Checks};
pub(crate) use self::checks::{Checked, Checking, Rules, each};
pub(crate) use self::outline::Ruled;
pub(crate) use self::visit::Visit;
use crate::dsl::MASK;

/// Where in an answer something is: a JSON path such as `$.items[2].price`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(String);

impl Path {
    /// The whole answer: `$`.
    #[must_use]
    pub fn root() -> Self {
        Self(String::from("$"))
    }

    /// One key further in.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            && key.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if plain {
            self.0.push('.');
            self.0.push_str(key);
        } else {
            self.0.push_str(&format!("[{key:?}]"));
        }
        self
    }

    /// One array element further in, counted from 0.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push_str(&format!("[{index}]"));
        self
    }

    /// This path inside the value at `base`.
    #[must_use]
    pub fn within(&self, base: &Self) -> Self {
        Self(format!("{}{}", base.0, self.0.strip_prefix('$').unwrap_or(&self.0)))
    }

    /// The path of the same place counted from `base`, if it is in there: undoes [`within`](Self::within).
    pub(crate) fn inside(&self, base: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&base.0)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then(|| Self(format!("${rest}")))
    }

    /// A path that a document tells in steps.
    pub(crate) fn of_steps<'d>(steps: impl IntoIterator<Item = instructor_json::Step<'d>>) -> Self {
        steps.into_iter().fold(Self::root(), |path, step| match step {
            instructor_json::Step::Key(key) => path.key(&key),
            instructor_json::Step::Index(index) => path.index(index),
        })
    }

    /// The steps of the path; as many as can be read of a path that a validator function wrote.
    pub(crate) fn steps(&self) -> Vec<instructor_json::Step<'static>> {
        use instructor_json::Step;
        let mut steps = Vec::new();
        let mut rest = self.0.strip_prefix('$').unwrap_or(&self.0);
        while let Some(open) = rest.chars().next() {
            let after = rest.get(1..).unwrap_or_default();
            if open == '.' {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (key, next) = after.split_at(end);
                steps.push(Step::Key(String::from(key).into()));
                rest = next;
                continue;
            }
            // `[0]` or `["a key"]`, whose text is escaped as in Rust, which JSON reads but for `\u{..}` and `\'`.
            let quoted = after
                .starts_with('"')
                .then(|| instructor_json::Document::parse_prefix(after, 0, instructor_json::Limits::default()));
            match quoted {
                Some(Ok((document, end))) => {
                    steps.push(Step::Key(String::from(document.root().as_str().unwrap_or_default()).into()));
                    rest = after.get(end + 1..).unwrap_or_default();
                }
                Some(Err(_)) => break,
                None => {
                    let Some((index, next)) = after.split_once(']') else { break };
                    let Ok(index) = index.parse() else { break };
                    steps.push(Step::Index(index));
                    rest = next;
                }
            }
        }
        steps
    }

    /// The path as text, `$` for the whole answer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A path from a relative text such as `items[2].price` or an absolute one such as `$.items`.
    fn parse(text: &str) -> Self {
        match text.strip_prefix('$') {
            Some(_) => Self(String::from(text)),
            None if text.is_empty() => Self::root(),
            None if text.starts_with('[') => Self(format!("${text}")),
            None => Self(format!("$.{text}")),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who found an [`Issue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The answer could not be read as JSON, or was not where it was asked for.
    Reading,
    /// The schema of the response model.
    Schema,
    /// Deserialization into the Rust type.
    Type,
    /// A validator function.
    Rule,
}

/// One thing that is wrong with an answer: where, what was got, what was wanted.
///
/// Validator functions make one with [`Issue::new`] or [`Issue::at`]:
///
/// ```
/// use instructor::Issue;
///
/// let issue = Issue::at("age", "an age that a living person can have").got("430");
/// assert_eq!(issue.to_string(), "$.age: got 430, wanted an age that a living person can have");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    path: Path,
    origin: Origin,
    wanted: String,
    got: Option<String>,
    nearest: Option<String>,
}

impl Issue {
    /// An issue with the whole value.
    #[must_use]
    pub fn new(wanted: impl Into<String>) -> Self {
        Self { path: Path::root(), origin: Origin::Rule, wanted: wanted.into(), got: None, nearest: None }
    }

    /// An issue at a path relative to the validated value, such as `age` or `items[2].price`.
    #[must_use]
    pub fn at(path: &str, wanted: impl Into<String>) -> Self {
        Self { path: Path::parse(path), ..Self::new(wanted) }
    }

    /// With what was got instead, as short JSON text.
    #[must_use]
    pub fn got(mut self, got: impl Into<String>) -> Self {
        self.got = Some(got.into());
        self
    }

    /// With the allowed value that comes nearest to what was got.
    #[must_use]
    pub fn nearest(mut self, nearest: impl Into<String>) -> Self {
        self.nearest = Some(nearest.into());
        self
    }

    pub(crate) fn found_by(origin: Origin, path: Path, wanted: impl Into<String>) -> Self {
        Self { path, origin, ..Self::new(wanted) }
    }

    pub(crate) fn within(mut self, base: &Path) -> Self {
        self.path = self.path.within(base);
        self
    }

    /// The issue as one about what the model wrote: another place, and the value that stands there.
    pub(crate) fn told_at(
        mut self,
        path: Path,
        inside: Option<&Path>,
        node: Option<instructor_json::Node<'_>>,
    ) -> Self {
        if let Some(inside) = inside {
            self.wanted = format!("{} (at {inside} in this JSON text)", self.wanted);
        } else if let (Some(node), Some(got)) = (node, &self.got)
            && got.starts_with(['{', '['])
        {
            self.got = Some(crate::repair::short(node.source()));
        }
        self.path = path;
        self
    }

    /// The issue without what was got.
    pub(crate) fn masked(self) -> Self {
        match self.got {
            Some(_) => self.got(MASK),
            None => self,
        }
    }

    /// Where.
    #[must_use]
    pub const fn path(&self) -> &Path {
        &self.path
    }

    /// Who found it.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// What was wanted.
    #[must_use]
    pub fn wanted(&self) -> &str {
        &self.wanted
    }

    /// What was got: text of the answer, shortened.
    #[must_use]
    pub fn got_text(&self) -> Option<&str> {
        self.got.as_deref()
    }

    /// The allowed value nearest to what was got.
    #[must_use]
    pub fn nearest_value(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

/// The issue as the model reads it in a re-ask: path, got, wanted, nearest. It shows text of the answer.
impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        if let Some(got) = &self.got {
            write!(f, "got {got}, ")?;
        }
        write!(f, "wanted {}", self.wanted)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; nearest allowed value: {nearest}")?;
        }
        Ok(())
    }
}

/// All issues of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issues(Vec<Issue>);

impl Issues {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, issue: Issue) {
        self.0.push(issue);
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The issues, in the order of the answer.
    #[must_use]
    pub fn as_slice(&self) -> &[Issue] {
        &self.0
    }

    /// Adds those of the value at `base` inside this one.
    pub fn extend_within(&mut self, base: &Path, inner: Self) {
        self.0.extend(inner.0.into_iter().map(|issue| issue.within(base)));
    }

    /// `Err` with the issues if there are any.
    ///
    /// # Errors
    ///
    /// The issues.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Issue> for Issues {
    fn from(issue: Issue) -> Self {
        Self(vec![issue])
    }
}

impl From<Vec<Issue>> for Issues {
    fn from(issues: Vec<Issue>) -> Self {
        Self(issues)
    }
}

impl From<String> for Issues {
    fn from(wanted: String) -> Self {
        Issue::new(wanted).into()
    }
}

impl From<&str> for Issues {
    fn from(wanted: &str) -> Self {
        Issue::new(wanted).into()
    }
}

impl Extend<Issue> for Issues {
    fn extend<I: IntoIterator<Item = Issue>>(&mut self, issues: I) {
        self.0.extend(issues);
    }
}

impl IntoIterator for Issues {
    type Item = Issue;
    type IntoIter = std::vec::IntoIter<Issue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A line each.
impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, issue) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "- {issue}")?;
        }
        Ok(())
    }
}

/// What the caller hands to validators: values by type. Cheap to clone.
///
/// ```
/// use instructor::Context;
///
/// struct Known(Vec<String>);
/// let context = Context::new().with(Known(vec!["Ada".into()]));
/// assert_eq!(context.get::<Known>().unwrap().0.len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct Context {
    values: Option<Arc<Values>>,
    /// What has passed already, where an answer is validated while it arrives.
    visit: Option<Arc<Visit>>,
}

type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Context {
    /// Nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a value, which replaces one of the same type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        Arc::make_mut(self.values.get_or_insert_default()).insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// The value of a type, if there is one.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.values.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// The same, in which what passes on parts of an answer is noted and not run again.
    pub(crate) fn visiting(mut self) -> Self {
        self.visit = Some(Arc::new(Visit::new()));
        self
    }

    pub(crate) fn visit(&self) -> Option<&Visit> {
        self.visit.as_deref()
    }

    /// Without notes: for values whose place is not known.
    pub(crate) fn forgetful(&self) -> Self {
        Self { values: self.values.clone(), visit: None }
    }

    /// Runs what validates a part of the value, which is one step further in.
    pub(crate) fn within(&self, step: impl FnOnce(Path) -> Path, run: impl FnOnce()) {
        match &self.visit {
            None => run(),
            Some(visit) => {
                let before = visit.enter(step);
                run();
                visit.leave(before);
            }
        }
    }

    /// Runs a function on the value a step further in, unless it has passed there.
    pub(crate) fn once<F: 'static>(&self, step: impl FnOnce(Path) -> Path, run: impl FnOnce() -> Issues) -> Issues {
        // A function that is a value may be any function.
        match self.visit.as_ref().filter(|_| size_of::<F>() == 0) {
            None => run(),
            Some(visit) => visit.once(step, TypeId::of::<F>(), run),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("values", &self.values.as_ref().map_or(0, |values| values.len())).finish()
    }
}
