//! What lowering did to the shape of an answer: the program that encodes values and lifts answers.

use serde_json::Value;

use super::check::kind::Kinds;

/// The position of a step in the plan.
pub(crate) type Step = usize;

/// The steps of one lowered schema. They mirror it node by node; recursive types make it a graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    steps: Vec<Op>,
    /// Steps that change nothing on the way back, themselves and below.
    same: Vec<bool>,
    pub(crate) root: Step,
}

/// What was done to one node.
#[derive(Clone, Debug, Default)]
pub(crate) enum Op {
    /// Nothing, here and in everything below.
    #[default]
    Same,
    /// The value stands in an object of its own, under [`VALUE`].
    Wrap(Step),
    Object(Fields),
    /// An array whose items have a step each: the first ones, and the rest.
    Array {
        first: Vec<Step>,
        rest: Step,
    },
    /// An array that is said as an object: `item_0` and so on, the rest under [`MORE`].
    Tuple {
        first: Vec<Item>,
        more: Option<Step>,
    },
    /// A map that is said as a list of [`KEY`] and [`VALUE`].
    Entries(Step),
    /// A value that is said as JSON in a string.
    Text,
    /// Values that are said by name.
    Labels(Vec<(Box<str>, Value)>),
    Union {
        by: By,
        alternatives: Vec<Alternative>,
    },
    /// `null` is said as an empty list, any other value, of one of these kinds, as a list of one.
    Listed(Step, Kinds),
}

#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) named: Vec<Named>,
    pub(crate) rest: Rest,
}

#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: Box<str>,
    /// The name where the provider takes fewer names.
    pub(crate) sent: Box<str>,
    pub(crate) presence: Presence,
    /// Whether the lowered object has to have it.
    pub(crate) required: bool,
    pub(crate) step: Step,
}

/// How the absence of a property is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// By its absence, or not at all.
    Plain,
    /// By `null`.
    Null,
    /// By an empty list; a value, of one of these kinds, stands in a list of one.
    List(Kinds),
}

impl Presence {
    /// A list of none or one, whatever stands in it.
    pub(crate) const ANY: Self = Self::List(Kinds::ANY);
}

#[derive(Clone, Debug)]
pub(crate) enum Rest {
    /// There are none.
    Closed,
    /// Further keys are as they are.
    Same,
    /// Their values have a step.
    Values(Step),
    /// They are entries under a key of their own.
    Entries(Box<str>, Step),
}

/// A position of a tuple.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) step: Step,
    /// It may be missing, so it stands in a list of none or one.
    pub(crate) listed: bool,
}

/// How the alternative is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// By its face.
    Face,
    /// By a name under [`VARIANT`], with the value under [`VALUE`].
    Tag,
    /// By the one list that is not empty, in an object with a list for each.
    Lists,
}

#[derive(Clone, Debug)]
pub(crate) struct Alternative {
    pub(crate) name: Box<str>,
    /// None where nothing is known of it.
    pub(crate) faces: Option<Vec<Face>>,
    pub(crate) step: Step,
    /// The shape, which tells whether a value is to be encoded so.
    pub(crate) shape: usize,
}

/// What the lowered values of an alternative look like.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    pub(crate) kinds: Kinds,
    /// The strings, if only these are possible.
    pub(crate) strings: Option<Vec<Box<str>>>,
    pub(crate) keys: Option<Keys>,
}

/// What the lowered objects of an alternative look like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) required: Vec<Box<str>>,
    /// All keys that can be there, if that is known.
    pub(crate) allowed: Option<Vec<Box<str>>>,
    /// Required keys whose values are some strings only.
    pub(crate) literals: Vec<(Box<str>, Vec<Box<str>>)>,
}

pub(crate) const VALUE: &str = "value";
pub(crate) const KEY: &str = "key";
pub(crate) const VARIANT: &str = "variant";
pub(crate) const MORE: &str = "more";

/// The name of a tuple's position.
pub(crate) fn item_name(index: usize) -> String {
    format!("item_{index}")
}

impl Plan {
    /// The step that does nothing is the first.
    pub(crate) const SAME: Step = 0;

    pub(crate) fn new() -> Self {
        Self { steps: vec![Op::Same], same: vec![true], root: Self::SAME }
    }

    /// What was done to a node.
    pub(crate) fn op(&self, step: Step) -> &Op {
        self.steps.get(step).unwrap_or(&Op::Same)
    }

    /// What has to be undone at a node: nothing where nothing below it has to be either, so that it is copied whole.
    pub(crate) fn undo(&self, step: Step) -> &Op {
        if self.same.get(step) == Some(&false) { self.op(step) } else { &Op::Same }
    }

    pub(crate) fn push(&mut self, op: Op) -> Step {
        if matches!(op, Op::Same) {
            return Self::SAME;
        }
        self.steps.push(op);
        self.same.push(false);
        self.steps.len() - 1
    }

    pub(crate) fn set(&mut self, step: Step, op: Op) {
        if let Some(slot) = self.steps.get_mut(step).filter(|_| step != Self::SAME) {
            *slot = op;
        }
    }

    pub(crate) fn is_same(&self) -> bool {
        matches!(self.undo(self.root), Op::Same)
    }

    /// Finds the steps that change nothing.
    ///
    /// The greatest set counts: a recursive type is the same if nothing in its cycle says otherwise.
    pub(crate) fn settle(&mut self) {
        self.same = self.steps.iter().map(Op::changes_nothing_itself).collect();
        loop {
            let mut changed = false;
            for (index, op) in self.steps.iter().enumerate() {
                let still = op.below().all(|step| self.same.get(step).copied().unwrap_or(true));
                if let Some(slot) = self.same.get_mut(index).filter(|slot| **slot && !still) {
                    *slot = false;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
    }
}

impl Op {
    fn changes_nothing_itself(&self) -> bool {
        match self {
            Self::Same | Self::Array { .. } => true,
            Self::Object(fields) => {
                fields.named.iter().all(|f| f.name == f.sent && f.presence == Presence::Plain)
                    && !matches!(fields.rest, Rest::Entries(..))
            }
            Self::Union { by, .. } => *by == By::Face,
            Self::Wrap(_) | Self::Tuple { .. } | Self::Entries(_) | Self::Text | Self::Labels(_) | Self::Listed(..) => {
                false
            }
        }
    }

    fn below(&self) -> Box<dyn Iterator<Item = Step> + '_> {
        match self {
            Self::Same | Self::Text | Self::Labels(_) => Box::new(std::iter::empty()),
            Self::Wrap(step) | Self::Entries(step) | Self::Listed(step, _) => Box::new(std::iter::once(*step)),
            Self::Object(fields) => {
                let rest = match fields.rest {
                    Rest::Values(step) | Rest::Entries(_, step) => Some(step),
                    Rest::Same | Rest::Closed => None,
                };
                Box::new(fields.named.iter().map(|f| f.step).chain(rest))
            }
            Self::Array { first, rest } => Box::new(first.iter().copied().chain([*rest])),
            Self::Tuple { first, more } => Box::new(first.iter().map(|item| item.step).chain(*more)),
            Self::Union { alternatives, .. } => Box::new(alternatives.iter().map(|a| a.step)),
        }
    }
}
