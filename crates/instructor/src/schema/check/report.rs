//! Where issues go, and the path to where a walk is.

use std::collections::HashSet;

use instructor_json::Node;

use crate::validate::{Issue, Path};

/// One step of a walk into the answer, on the stack: a path is rendered only when there is something to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'f> {
    parent: Option<&'f Self>,
    step: Step<'f>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'f> {
    Root,
    Key(Node<'f>),
    Index(usize),
}

impl<'f> Frame<'f> {
    pub(super) const ROOT: Self = Self { parent: None, step: Step::Root };

    pub(super) const fn key(&'f self, key: Node<'f>) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) const fn index(&'f self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) fn depth(&self) -> usize {
        std::iter::successors(Some(self), |frame| frame.parent).count()
    }

    #[cold]
    pub(super) fn path(&self) -> Path {
        let mut frames: Vec<&Self> = std::iter::successors(Some(self), |frame| frame.parent).collect();
        frames.reverse();
        frames.into_iter().fold(Path::root(), |path, frame| match frame.step {
            Step::Root => path,
            Step::Key(key) => path.key(&key.as_str().unwrap_or_default()),
            Step::Index(index) => path.index(index),
        })
    }
}

/// How far a value is from what was wanted; it decides which branch of a union is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another kind of value.
    Kind,
    /// A key that is missing or not known.
    Shape,
    /// Not the value, or none of the values, that the schema lists.
    Choice,
    /// The right kind of value, but not a good one.
    Value,
}

/// What a walk does with what it finds: a verdict stops at the first fault, a collection goes on.
pub(super) trait Report {
    const ALL: bool;

    fn collected(&mut self) -> Option<&mut Collected>;
}

/// Wants the verdict only.
#[derive(Debug)]
pub(super) struct Verdict;

impl Report for Verdict {
    const ALL: bool = false;

    #[inline]
    fn collected(&mut self) -> Option<&mut Collected> {
        None
    }
}

/// Wants all issues.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) issues: Vec<Issue>,
    /// The sum of the faults; compared between branches of a union.
    pub(super) cost: usize,
    base: usize,
}

impl Report for Collected {
    const ALL: bool = true;

    #[inline]
    fn collected(&mut self) -> Option<&mut Collected> {
        Some(self)
    }
}

impl Collected {
    /// For the branches of a union at this place.
    pub(super) fn at(frame: &Frame<'_>) -> Self {
        Self { base: frame.depth(), ..Self::default() }
    }

    pub(super) fn push(&mut self, fault: Fault, at: &Frame<'_>, issue: Issue) {
        let depth = at.depth() - self.base.min(at.depth());
        self.cost += match (fault, depth) {
            (Fault::Kind, 0) => 64,
            (Fault::Shape, 0) | (Fault::Choice, 0 | 1) => 8,
            (Fault::Kind, 1) => 4,
            (_, 0 | 1) => 2,
            _ => 1,
        };
        self.issues.push(issue);
    }

    /// The issues, each once: schemas that are combined often say the same thing again.
    pub(super) fn without_repeats(self) -> Vec<Issue> {
        let mut seen = HashSet::new();
        let mut issues = self.issues;
        if issues.len() > 1 {
            issues.retain(|issue| seen.insert((issue.path().clone(), String::from(issue.wanted()))));
        }
        issues
    }

    pub(super) fn append(&mut self, other: Self) {
        self.cost += other.cost;
        self.issues.extend(other.issues);
    }
}
