//! From a place in the canonical form to the place in what the model wrote: issues are told to it in its own terms.

use instructor_json::{Kind, Node, Step as PathStep};

use super::check::kind::Kinds;
use super::lift::{chosen, entry, unlisted};
use super::plan::{By, Fields, Item, MORE, Op, Plan, Presence, Rest, Step, VALUE, item_name};
use crate::validate::Path;

/// A place in the canonical form, as the place in what the model wrote: issues are told to it in its own terms.
#[derive(Debug)]
pub(super) struct Located<'d> {
    pub(super) path: Path,
    pub(super) node: Option<Node<'d>>,
    /// The rest of the way, inside JSON text.
    pub(super) inside: Option<Path>,
}

pub(super) fn locate<'d>(plan: &Plan, root: Node<'d>, steps: &[PathStep<'_>]) -> Located<'d> {
    let mut at = Located { path: Path::root(), node: Some(root), inside: None };
    let mut step = plan.root;
    let mut steps = steps.iter();
    loop {
        let node = at.node;
        match plan.undo(step) {
            Op::Wrap(inner) => {
                if node.is_some_and(|node| node.kind() == Kind::Object && node.len() == 1 && node.get(VALUE).is_some())
                {
                    at.enter_key(VALUE);
                }
                step = *inner;
                continue;
            }
            Op::Listed(inner, kinds) => {
                at.enter_list(*kinds);
                step = *inner;
                continue;
            }
            Op::Union { by, alternatives } => {
                let Some((alternative, inner)) = node.and_then(|node| chosen(*by, alternatives, node)) else {
                    return at.rest(steps.as_slice());
                };
                match by {
                    By::Tag => at.path = at.path.key(VALUE),
                    By::Lists => at.path = at.path.key(&alternative.name).index(0),
                    By::Face => {}
                }
                at.node = Some(inner);
                step = alternative.step;
                continue;
            }
            Op::Text if node.is_some_and(|node| node.kind() == Kind::String) => {
                if !steps.as_slice().is_empty() {
                    at.inside = Some(Path::of_steps(steps.as_slice().iter().cloned()));
                }
                return at;
            }
            Op::Same | Op::Text | Op::Labels(_) => return at.rest(steps.as_slice()),
            Op::Object(_) | Op::Array { .. } | Op::Tuple { .. } | Op::Entries(_) => {}
        }
        let Some(next) = steps.next() else { return at };
        step = match (plan.undo(step), next) {
            (Op::Object(fields), PathStep::Key(key)) => at.field(fields, key),
            (Op::Entries(inner), PathStep::Key(key)) => {
                at.entry(key);
                *inner
            }
            (Op::Tuple { first, more }, PathStep::Index(index)) => at.position(first, *more, *index),
            (Op::Array { first, rest }, PathStep::Index(index)) => {
                at.enter_index(*index);
                first.get(*index).copied().unwrap_or(*rest)
            }
            (_, PathStep::Key(key)) => {
                at.enter_key(key);
                Plan::SAME
            }
            (_, PathStep::Index(index)) => {
                at.enter_index(*index);
                Plan::SAME
            }
        };
    }
}

impl Located<'_> {
    fn enter_key(&mut self, key: &str) {
        self.path = std::mem::replace(&mut self.path, Path::root()).key(key);
        self.node = self.node.and_then(|node| node.get(key));
    }

    fn enter_index(&mut self, index: usize) {
        self.path = std::mem::replace(&mut self.path, Path::root()).index(index);
        self.node = self.node.and_then(|node| node.at(index));
    }

    /// Into a list of none or one, if there is one.
    fn enter_list(&mut self, kinds: Kinds) {
        let inner =
            self.node.filter(|node| node.kind() == Kind::Array).and_then(|node| Some((node, unlisted(node, kinds)?)));
        if inner.is_some_and(|(node, inner)| node.span() != inner.span()) {
            self.enter_index(0);
        }
    }

    fn rest(mut self, steps: &[PathStep<'_>]) -> Self {
        for step in steps {
            match step {
                PathStep::Key(key) => self.enter_key(key),
                PathStep::Index(index) => self.enter_index(*index),
            }
        }
        self
    }

    fn field(&mut self, fields: &Fields, key: &str) -> Step {
        let Some(named) = fields.named.iter().find(|named| &*named.name == key) else {
            return match &fields.rest {
                Rest::Entries(name, step) => {
                    if self.node.is_some_and(|node| node.get(key).is_some()) {
                        self.enter_key(key);
                    } else {
                        self.enter_key(name);
                        self.entry(key);
                    }
                    *step
                }
                Rest::Values(step) => {
                    self.enter_key(key);
                    *step
                }
                Rest::Same | Rest::Closed => {
                    self.enter_key(key);
                    Plan::SAME
                }
            };
        };
        let under_own_name = self.node.is_some_and(|node| node.get(&named.sent).is_none() && node.get(key).is_some());
        self.enter_key(if under_own_name { key } else { &named.sent });
        if let Presence::List(kinds) = named.presence {
            self.enter_list(kinds);
        }
        named.step
    }

    /// The value of the entry with this key.
    fn entry(&mut self, key: &str) {
        if self.node.is_some_and(|node| node.kind() == Kind::Object) {
            self.enter_key(key);
            return;
        }
        let is_it = |item: Node<'_>| entry(item).is_some_and(|(name, _)| name.is_str(key));
        let Some(index) = self.node.and_then(|node| node.items().position(is_it)) else { return };
        self.enter_index(index);
        self.enter_key(VALUE);
    }

    fn position(&mut self, first: &[Item], more: Option<Step>, index: usize) -> Step {
        let step = first.get(index).map_or(more.unwrap_or(Plan::SAME), |item| item.step);
        if self.node.is_some_and(|node| node.kind() == Kind::Array) {
            self.enter_index(index);
        } else if let Some(item) = first.get(index) {
            self.enter_key(&item_name(index));
            if item.listed {
                self.enter_list(Kinds::ANY);
            }
        } else {
            self.enter_key(MORE);
            self.enter_index(index - first.len());
        }
        step
    }
}
