//! A value as a model should answer it: the opposite of lifting, for examples and for tests.

use instructor_json::{Kind, Node};
use serde_json::Value;

use super::plan::{By, Fields, Item, KEY, MORE, Op, Plan, Presence, Rest, Step, VALUE, VARIANT, item_name};
use super::shape::Shapes;

/// The value in the dialect's form, as JSON text; none if the schema does not allow it.
pub(super) fn encode(plan: &Plan, shapes: Option<&Shapes>, value: Node<'_>) -> Option<String> {
    let mut encoder = Encoder { plan, shapes, out: String::with_capacity(value.source().len()) };
    encoder.step(plan.root, value)?;
    Some(encoder.out)
}

struct Encoder<'p> {
    plan: &'p Plan,
    shapes: Option<&'p Shapes>,
    out: String,
}

/// Whether everything below could be said.
type Done = Option<()>;

impl<'p> Encoder<'p> {
    fn step(&mut self, step: Step, node: Node<'_>) -> Done {
        let plan: &'p Plan = self.plan;
        match (plan.op(step), node.kind()) {
            (Op::Same, _) => self.out.push_str(node.source()),
            (Op::Wrap(step), _) => {
                self.out.push('{');
                self.key(VALUE, true);
                self.step(*step, node)?;
                self.out.push('}');
            }
            (Op::Text, _) => self.string(node.source()),
            (Op::Labels(labels), _) => {
                let (name, _) = labels.iter().find(|(_, known)| super::check::same(known, node))?;
                self.string(name);
            }
            (Op::Listed(..), Kind::Null) => self.out.push_str("[]"),
            (Op::Listed(step, _), _) => self.list(*step, Some(node))?,
            (Op::Object(fields), Kind::Object) => self.object(fields, node)?,
            (Op::Entries(step), Kind::Object) => self.entries(*step, node.entries())?,
            (Op::Array { first, rest }, Kind::Array) => {
                self.items(node.items(), |index| first.get(index).copied().unwrap_or(*rest))?;
            }
            (Op::Tuple { first, more }, Kind::Array) => self.tuple(first, *more, node)?,
            (Op::Union { by, alternatives }, _) => {
                let shapes = self.shapes?;
                let whole = alternatives.iter().find(|a| shapes.holds(a.shape, node));
                let found = whole.or_else(|| alternatives.iter().find(|a| shapes.accepts(a.shape, node)))?;
                match by {
                    By::Face => self.step(found.step, node)?,
                    By::Tag => {
                        self.out.push('{');
                        self.key(VARIANT, true);
                        self.string(&found.name);
                        self.key(VALUE, false);
                        self.step(found.step, node)?;
                        self.out.push('}');
                    }
                    By::Lists => {
                        self.out.push('{');
                        for (index, alternative) in alternatives.iter().enumerate() {
                            self.key(&alternative.name, index == 0);
                            self.list(alternative.step, Some(node).filter(|_| alternative.name == found.name))?;
                        }
                        self.out.push('}');
                    }
                }
            }
            (Op::Object(_) | Op::Entries(_) | Op::Array { .. } | Op::Tuple { .. }, _) => return None,
        }
        Some(())
    }

    fn key(&mut self, key: &str, first: bool) {
        if !first {
            self.out.push(',');
        }
        self.string(key);
        self.out.push(':');
    }

    fn string(&mut self, text: &str) {
        self.out.push_str(&Value::from(text).to_string());
    }

    /// A list of none or one.
    fn list(&mut self, step: Step, item: Option<Node<'_>>) -> Done {
        self.items(item.into_iter(), |_| step)
    }

    fn items<'d>(&mut self, items: impl Iterator<Item = Node<'d>>, step: impl Fn(usize) -> Step) -> Done {
        self.out.push('[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.step(step(index), item)?;
        }
        self.out.push(']');
        Some(())
    }

    fn object(&mut self, fields: &Fields, node: Node<'_>) -> Done {
        self.out.push('{');
        let mut first = true;
        for named in &fields.named {
            let value = node.get(&named.name);
            if value.is_none() && named.presence == Presence::Plain && !named.required {
                continue;
            }
            self.key(&named.sent, std::mem::take(&mut first));
            match (value, named.presence) {
                (value, Presence::List(_)) => self.list(named.step, value)?,
                (Some(value), _) => self.step(named.step, value)?,
                (None, _) => self.out.push_str("null"),
            }
        }
        let is_named = |key: &Node<'_>| fields.named.iter().any(|named| key.is_str(&named.name));
        let others = node.entries().filter(|(key, _)| !is_named(key));
        match &fields.rest {
            Rest::Closed => {}
            Rest::Same | Rest::Values(_) => {
                let step = if let Rest::Values(step) = fields.rest { step } else { Plan::SAME };
                for (key, value) in others {
                    self.key(&key.as_str()?, std::mem::take(&mut first));
                    self.step(step, value)?;
                }
            }
            Rest::Entries(name, step) => {
                self.key(name, first);
                self.entries(*step, others)?;
            }
        }
        self.out.push('}');
        Some(())
    }

    fn entries<'d>(&mut self, step: Step, entries: impl Iterator<Item = (Node<'d>, Node<'d>)>) -> Done {
        self.out.push('[');
        for (index, (key, value)) in entries.enumerate() {
            self.out.push_str(if index > 0 { ",{" } else { "{" });
            self.key(KEY, true);
            self.string(&key.as_str()?);
            self.key(VALUE, false);
            self.step(step, value)?;
            self.out.push('}');
        }
        self.out.push(']');
        Some(())
    }

    fn tuple(&mut self, first: &[Item], more: Option<Step>, node: Node<'_>) -> Done {
        self.out.push('{');
        for (index, item) in first.iter().enumerate() {
            self.key(&item_name(index), index == 0);
            match node.at(index) {
                value if item.listed => self.list(item.step, value)?,
                value => self.step(item.step, value?)?,
            }
        }
        let rest = node.items().skip(first.len());
        match more {
            Some(step) => {
                self.key(MORE, first.is_empty());
                self.items(rest, |_| step)?;
            }
            None if node.len() <= first.len() => {}
            None => return None,
        }
        self.out.push('}');
        Some(())
    }
}
