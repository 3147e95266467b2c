//! The way back: from an answer in a dialect's form to one in the canonical form, and from a place in the latter to the
//! place in the former.
//!
//! A model that answers in the canonical form although it was shown another is understood, too: what has no encoded
//! form at some place is taken as it is.

use std::borrow::Cow;
use std::collections::HashSet;

use instructor_json::{Document, Kind, Node, Step as PathStep};
use serde_json::Value;

use super::check::kind::Kinds;
use super::plan::{
    Alternative, By, Face, Fields, Item, KEY, Keys, MORE, Named, Op, Plan, Presence, Rest, Step, VALUE, VARIANT,
    item_name,
};
use crate::validate::{Issue, Issues, Origin, Path};

/// An answer in the canonical form, as JSON text.
#[derive(Debug)]
pub(crate) struct Lifted {
    pub(crate) json: String,
    pub(super) issues: Issues,
}

pub(super) fn lift(plan: &Plan, root: Node<'_>) -> Lifted {
    lift_at(plan, plan.root, root)
}

/// [`lift`] for a part of an answer: the value for which a step was taken.
pub(crate) fn lift_at(plan: &Plan, step: Step, node: Node<'_>) -> Lifted {
    let mut lifter =
        Lifter { plan, out: String::with_capacity(node.source().len()), path: Vec::new(), issues: Issues::new() };
    lifter.step(step, node);
    Lifted { json: lifter.out, issues: lifter.issues }
}

struct Lifter<'p, 'd> {
    plan: &'p Plan,
    out: String,
    path: Vec<PathStep<'d>>,
    issues: Issues,
}

impl<'d> Lifter<'_, 'd> {
    fn step(&mut self, step: Step, node: Node<'d>) {
        let plan = self.plan;
        match (plan.undo(step), node.kind()) {
            (Op::Wrap(step), _) => self.step(*step, unwrapped(node)),
            (Op::Object(fields), Kind::Object) => self.object(fields, node),
            (Op::Array { first, rest }, Kind::Array) => {
                self.items(node.items(), |index| first.get(index).copied().unwrap_or(*rest));
            }
            (Op::Tuple { first, more }, Kind::Object) => self.tuple(first, *more, node),
            (Op::Tuple { first, more }, Kind::Array) => {
                self.items(node.items(), |index| first.get(index).map_or(more.unwrap_or(Plan::SAME), |item| item.step));
            }
            (Op::Entries(step), Kind::Array | Kind::Object) => {
                self.out.push('{');
                self.entries(*step, node, &mut HashSet::new(), true);
                self.out.push('}');
            }
            (Op::Text, Kind::String) => match node.as_str() {
                Some(text) if Document::parse(&text).is_ok() => self.out.push_str(text.trim()),
                _ => self.out.push_str(node.source()),
            },
            (Op::Labels(labels), Kind::String) => match label(labels, node) {
                Some(value) => self.out.push_str(&value.to_string()),
                None => self.out.push_str(node.source()),
            },
            (Op::Union { by, alternatives }, _) => match chosen(*by, alternatives, node) {
                Some((alternative, inner)) => self.step(alternative.step, inner),
                None => {
                    if let Some((wanted, got)) = unchosen(*by, alternatives, node) {
                        self.refuse(Issue::found_by(Origin::Schema, self.place(), wanted).got(got));
                    }
                    self.out.push_str(node.source());
                }
            },
            (Op::Listed(..), Kind::Null) => self.out.push_str("null"),
            (Op::Listed(step, kinds), _) => match unlisted(node, *kinds) {
                Some(inner) => self.step(*step, inner),
                None => self.out.push_str("null"),
            },
            _ => self.out.push_str(node.source()),
        }
    }

    fn items(&mut self, items: impl Iterator<Item = Node<'d>>, step: impl Fn(usize) -> Step) {
        self.out.push('[');
        for (index, item) in items.enumerate() {
            self.item(index, step(index), item);
        }
        self.out.push(']');
    }

    fn item(&mut self, index: usize, step: Step, node: Node<'d>) {
        if index > 0 {
            self.out.push(',');
        }
        self.path.push(PathStep::Index(index));
        self.step(step, node);
        self.path.pop();
    }

    fn tuple(&mut self, first: &[Item], more: Option<Step>, node: Node<'d>) {
        self.out.push('[');
        let named = first.iter().enumerate().map(|(position, item)| {
            let inner = node.get(&item_name(position));
            (item.step, if item.listed { inner.and_then(|inner| unlisted(inner, Kinds::ANY)) } else { inner })
        });
        let rest = more.and_then(|step| Some((step, node.get(MORE)?)));
        let rest = rest.into_iter().flat_map(|(step, list)| list.items().map(move |inner| (step, Some(inner))));
        let mut missing = None;
        for (index, (step, inner)) in named.chain(rest).enumerate() {
            match (inner, missing) {
                (None, _) => missing = missing.or(Some(index)),
                (Some(inner), None) => self.item(index, step, inner),
                (Some(_), Some(gap)) => {
                    let wanted = format!("{:?}, since there are items after it", item_name(gap));
                    self.refuse(Issue::found_by(Origin::Schema, self.place().index(gap), wanted));
                    break;
                }
            }
        }
        self.out.push(']');
    }

    fn object(&mut self, fields: &Fields, node: Node<'d>) {
        self.out.push('{');
        let mut first = true;
        let mut next = 0;
        let mut extra = HashSet::new();
        for (key, value) in node.entries() {
            if let Rest::Entries(name, step) = &fields.rest
                && key.is_str(name)
            {
                if self.entries(*step, value, &mut extra, first) {
                    first = false;
                }
                continue;
            }
            let Some(named) = field(fields, key, &mut next) else {
                self.key(key.source(), &mut first);
                let step = if let Rest::Values(step) = fields.rest { step } else { Plan::SAME };
                self.value(key.as_str().unwrap_or_default(), step, value);
                continue;
            };
            let Some(value) = present(named, value) else { continue };
            if named.name == named.sent {
                self.key(key.source(), &mut first);
            } else {
                let name = Value::from(&*named.name).to_string();
                self.key(&name, &mut first);
            }
            self.value(key.as_str().unwrap_or_default(), named.step, value);
        }
        self.out.push('}');
    }

    fn key(&mut self, text: &str, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(',');
        }
        self.out.push_str(text);
        self.out.push(':');
    }

    fn value(&mut self, key: Cow<'d, str>, step: Step, node: Node<'d>) {
        self.path.push(PathStep::Key(key));
        self.step(step, node);
        self.path.pop();
    }

    /// Writes entries as keys and values; whether there were any.
    fn entries(&mut self, step: Step, list: Node<'d>, seen: &mut HashSet<Cow<'d, str>>, mut first: bool) -> bool {
        let start = self.out.len();
        if list.kind() == Kind::Object {
            for (key, value) in list.entries() {
                self.key(key.source(), &mut first);
                self.value(key.as_str().unwrap_or_default(), step, value);
            }
            return self.out.len() > start;
        }
        for item in list.items() {
            let Some((key, value)) = entry(item) else {
                let wanted = format!("an entry with {KEY:?} and {VALUE:?}");
                self.refuse(
                    Issue::found_by(Origin::Schema, self.place(), wanted)
                        .got(format!("the item {}", crate::repair::short(item.source()))),
                );
                continue;
            };
            let name = key.as_str().unwrap_or(Cow::Borrowed(key.source()));
            if seen.contains(&name) {
                let at = self.place().key(&name);
                self.refuse(Issue::found_by(Origin::Schema, at, "each key once").got("several entries with this key"));
                continue;
            }
            match key.kind() {
                Kind::String => self.key(key.source(), &mut first),
                _ => self.key(&Value::from(&*name).to_string(), &mut first),
            }
            seen.insert(name.clone());
            self.value(name, step, value);
        }
        self.out.len() > start
    }

    fn place(&self) -> Path {
        Path::of_steps(self.path.iter().cloned())
    }

    fn refuse(&mut self, issue: Issue) {
        self.issues.push(issue);
    }
}

/// The value itself. One that comes without its wrap is taken as it is.
fn unwrapped(node: Node<'_>) -> Node<'_> {
    if node.kind() == Kind::Object && node.len() == 1 { node.get(VALUE).unwrap_or(node) } else { node }
}

/// The value in a list of none or one. What can only be the value itself, since it would not fit into one, is that.
pub(crate) fn unlisted(node: Node<'_>, kinds: Kinds) -> Option<Node<'_>> {
    if node.kind() != Kind::Array || node.len() > 1 {
        return Some(node);
    }
    match node.at(0) {
        Some(inner) if !kinds.may_be(inner.kind()) && kinds.may_be(Kind::Array) => Some(node),
        inner => inner,
    }
}

/// The key and value of an entry, also of one that was written as an object with one key.
pub(crate) fn entry(item: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    if let (Some(key), Some(value)) = (item.get(KEY), item.get(VALUE)) {
        let scalar = !matches!(key.kind(), Kind::Object | Kind::Array);
        return scalar.then_some((key, value));
    }
    if item.kind() != Kind::Object || item.len() != 1 {
        return None;
    }
    // Half of an entry is none.
    item.entries().next().filter(|(key, _)| !key.is_str(KEY) && !key.is_str(VALUE))
}

fn label<'p>(labels: &'p [(Box<str>, Value)], node: Node<'_>) -> Option<&'p Value> {
    let exact = labels.iter().find(|(name, _)| node.is_str(name));
    let text = node.as_str()?;
    let near = || {
        let mut same = labels.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&text));
        same.next().filter(|_| same.next().is_none())
    };
    exact.or_else(near).map(|(_, value)| value)
}

/// The field that a key stands for; they mostly come in order.
pub(crate) fn field<'p>(fields: &'p Fields, key: Node<'_>, next: &mut usize) -> Option<&'p Named> {
    if let Some(named) = fields.named.get(*next)
        && key.is_str(&named.sent)
    {
        *next += 1;
        return Some(named);
    }
    let at = fields.named.iter().position(|named| key.is_str(&named.sent));
    let at = at.or_else(|| fields.named.iter().position(|named| key.is_str(&named.name)))?;
    *next = at + 1;
    fields.named.get(at)
}

/// The value of a field out of what says whether it is there.
fn present<'d>(named: &Named, value: Node<'d>) -> Option<Node<'d>> {
    match named.presence {
        Presence::Null if value.is_null() => None,
        Presence::List(kinds) => unlisted(value, kinds),
        _ => Some(value),
    }
}

/// The alternative that an answer is of, and the value that stands for it.
pub(super) fn chosen<'p, 'd>(
    by: By,
    alternatives: &'p [Alternative],
    node: Node<'d>,
) -> Option<(&'p Alternative, Node<'d>)> {
    let named = |name: &str| alternatives.iter().find(|a| &*a.name == name);
    match by {
        By::Tag => {
            let name = node.get(VARIANT)?.as_str()?;
            Some((named(&name)?, node.get(VALUE)?))
        }
        By::Lists => {
            let mut full = node.entries().filter(|(_, list)| list.kind() == Kind::Array && !list.is_empty());
            let (key, list) = full.next().filter(|_| full.next().is_none())?;
            Some((named(&key.as_str()?)?, list.at(0)?))
        }
        By::Face => {
            let fits = |a: &&Alternative| a.faces.as_ref().is_some_and(|faces| faces.iter().any(|f| shows(f, node)));
            let of_kind = |a: &&Alternative| {
                a.faces.as_ref().is_none_or(|faces| faces.iter().any(|face| face.kinds.may_be(node.kind())))
            };
            let found = alternatives.iter().find(fits).or_else(|| alternatives.iter().find(of_kind))?;
            Some((found, node))
        }
    }
}

/// What is wrong with an answer that has the form of a choice and makes none: what is wanted, and what was got.
fn unchosen(by: By, alternatives: &[Alternative], node: Node<'_>) -> Option<(String, String)> {
    match by {
        By::Tag => {
            let name = node.get(VARIANT).filter(|_| node.get(VALUE).is_some() && node.len() == 2)?;
            let names: Vec<String> = alternatives.iter().map(|a| format!("{:?}", a.name)).collect();
            Some((format!("one of {} as {VARIANT:?}", names.join(", ")), crate::repair::short(name.source())))
        }
        By::Lists => {
            let lists = alternatives.iter().filter_map(|a| node.get(&a.name));
            let full = lists.filter(|list| list.kind() == Kind::Array && !list.is_empty()).count();
            let known = |key: Node<'_>| alternatives.iter().any(|a| key.is_str(&a.name));
            let chooses = node.kind() == Kind::Object && node.entries().all(|(key, _)| known(key));
            (chooses && (full > 1 || (full == 0 && node.len() == alternatives.len())))
                .then(|| (String::from("exactly one list with an item"), format!("{full} of them")))
        }
        By::Face => None,
    }
}

/// Whether an answer looks so.
fn shows(face: &Face, node: Node<'_>) -> bool {
    if !face.kinds.may_be(node.kind()) {
        return false;
    }
    match (node.kind(), &face.strings, &face.keys) {
        (Kind::String, Some(strings), _) => strings.iter().any(|text| node.is_str(text)),
        (Kind::Object, _, Some(keys)) => has_keys(keys, node),
        _ => true,
    }
}

fn has_keys(keys: &Keys, node: Node<'_>) -> bool {
    let literal = |(name, values): &(Box<str>, Vec<Box<str>>)| {
        node.get(name).is_some_and(|value| values.iter().any(|text| value.is_str(text)))
    };
    keys.literals.iter().all(literal)
        && keys.required.iter().all(|name| node.get(name).is_some())
        && keys
            .allowed
            .as_ref()
            .is_none_or(|allowed| node.entries().all(|(key, _)| allowed.iter().any(|name| key.is_str(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_that_is_not_there_is_none() {
        let mut plan = Plan::new();
        plan.root = plan.push(Op::Wrap(Plan::SAME));
        for (answer, value) in [(r#"{"value": [1]}"#, "[1]"), ("[1]", "[1]"), (r#"{"a": 1}"#, r#"{"a": 1}"#)] {
            let document = Document::parse(answer).unwrap();
            assert_eq!(lift(&plan, document.root()).json, value);
        }
    }
}
