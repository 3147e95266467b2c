//! What a reading may do.

use crate::{Level, Limits, RepairKind, Severity};

/// What the text is expected to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RootHint {
    /// Any value.
    #[default]
    Any,
    /// An object: arrays between words are passed over.
    Object,
    /// An array: objects between words are passed over.
    Array,
}

/// How to read a text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    limits: Limits,
    level: Level,
    root: RootHint,
    salvage: u64,
}

impl Options {
    /// The defaults: [`Level::Syntax`], [`RootHint::Any`], [`Limits::DEFAULT`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With another level.
    #[must_use]
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// With other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With a root to look for.
    #[must_use]
    pub const fn with_root(mut self, root: RootHint) -> Self {
        self.root = root;
        self
    }

    /// At [`Level::Salvage`], allows a kind of repair that loses something.
    #[must_use]
    pub const fn salvage(mut self, kind: RepairKind) -> Self {
        self.salvage |= 1 << kind as u32;
        self
    }

    /// The level.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The root to look for.
    #[must_use]
    pub const fn root(&self) -> RootHint {
        self.root
    }

    /// Whether a repair may be made.
    #[must_use]
    pub fn allows(&self, kind: RepairKind, severity: Severity) -> bool {
        match severity {
            Severity::Lossless | Severity::Partial => self.level >= Level::Syntax,
            Severity::Guess => self.level >= Level::Lenient,
            Severity::Lossy => self.level >= Level::Salvage && self.salvage & (1 << kind as u32) != 0,
        }
    }
}
