//! The way back: from an answer in a dialect's form to one in the canonical form.

use instructor_json::{Kind, Node};

use crate::validate::Path;

/// What lowering did to the shape of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lift {
    /// Nothing.
    Same,
    /// The value stands in an object of its own.
    Wrapped,
}

impl Lift {
    /// The key that a wrapped value stands under.
    pub(crate) const KEY: &'static str = "value";

    /// The value itself. One that comes without its wrap is taken as it is.
    pub(crate) fn lift(self, root: Node<'_>) -> Node<'_> {
        match self {
            Self::Same => root,
            Self::Wrapped if root.kind() == Kind::Object && root.len() == 1 => root.get(Self::KEY).unwrap_or(root),
            Self::Wrapped => root,
        }
    }

    /// Where the value stands in what the model wrote: issues are told to it in its own terms.
    pub(crate) fn base(self) -> Path {
        match self {
            Self::Same => Path::root(),
            Self::Wrapped => Path::root().key(Self::KEY),
        }
    }
}
