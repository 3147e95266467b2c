//! Lists whose items may fail by themselves: the schema marks them, and what is wrong with their items is told from all
//! else that is wrong with a value.

use std::collections::HashMap;
use std::fmt::Write as _;

use instructor_json::{Kind, Node, Step};
use serde_json::Value;

use super::align::View;
use super::part::{property, views};
use crate::salvage::{RejectedItem, opening};
use crate::validate::{Issues, Path};

/// The keyword that marks a list.
pub(crate) const MARK: &str = "x-salvage";

/// Whether a schema has a mark anywhere.
pub(crate) fn has_marks(schema: &Value, mark: &str) -> bool {
    match schema {
        Value::Object(map) => map.contains_key(mark) || map.values().any(|inner| has_marks(inner, mark)),
        Value::Array(list) => list.iter().any(|inner| has_marks(inner, mark)),
        _ => false,
    }
}

/// Whether a place is in an item of a marked list, whatever stands there.
pub(crate) fn may_be_given_up(root: &Value, to: &Path) -> bool {
    let mut here = vec![root];
    for step in to.steps() {
        let inside: Vec<View<'_>> = here.iter().flat_map(|schema| alternatives(schema, root, 0)).collect();
        if matches!(step, Step::Index(_)) && inside.iter().any(|view| view.salvaged) {
            return true;
        }
        here = inside
            .iter()
            .filter_map(|view| match &step {
                Step::Key(key) => view.property(key).or(view.additional),
                Step::Index(index) => view.item(*index),
            })
            .collect();
    }
    false
}

pub(super) fn alternatives<'s>(schema: &'s Value, root: &'s Value, depth: usize) -> Vec<View<'s>> {
    let view = View::of(schema, root);
    let branches = view.branches.iter().filter(|_| depth < 8);
    let mut all: Vec<View<'s>> = branches.flat_map(|branch| alternatives(branch, root, depth + 1)).collect();
    all.push(view);
    all
}

/// An item of a marked list that something is wrong with.
#[derive(Debug)]
pub(crate) struct BadItem<'d> {
    list: Path,
    index: usize,
    node: Node<'d>,
    /// What is wrong, as issues of the whole.
    issues: Issues,
    /// The items around it that could be given up too, the innermost last.
    around: Vec<Path>,
}

impl BadItem<'_> {
    pub(crate) fn path(&self) -> Path {
        self.list.clone().index(self.index)
    }

    pub(crate) fn json(&self) -> &str {
        self.node.source()
    }
}

/// The smallest items that hold all that is wrong, none inside another; none at all if anything else is wrong.
pub(crate) fn bad_items<'d>(schema: &Value, value: Node<'d>, issues: &Issues) -> Option<Vec<BadItem<'d>>> {
    let mut bad: Vec<BadItem<'d>> = Vec::new();
    let mut known: HashMap<Path, usize> = HashMap::new();
    for issue in issues.as_slice() {
        let mut found = item_of(schema, value, issue.path().steps())?;
        found.issues.push(issue.clone());
        match known.get(&found.path()).and_then(|at| bad.get_mut(*at)) {
            Some(same) => same.issues.push(issue.clone()),
            None => {
                known.insert(found.path(), bad.len());
                bad.push(found);
            }
        }
    }
    let outer = |item: &BadItem<'_>| item.around.iter().find_map(|path| known.get(path).copied());
    let inner: Vec<(usize, usize)> = bad.iter().enumerate().filter_map(|(at, item)| Some((at, outer(item)?))).collect();
    for (at, around) in &inner {
        let more = bad.get_mut(*at).map(|item| std::mem::take(&mut item.issues)).unwrap_or_default();
        if let Some(item) = bad.get_mut(*around) {
            item.issues.extend(more);
        }
    }
    bad.retain(|item| !item.issues.is_empty());
    Some(bad)
}

/// The innermost item of a marked list that a place is in.
fn item_of<'d>(root: &Value, value: Node<'d>, to: Vec<Step<'static>>) -> Option<BadItem<'d>> {
    let (mut schema, mut node, mut path) = (root, value, Path::root());
    let mut around = Vec::new();
    let mut innermost = None;
    for step in to {
        let (inner, next, at, marked) = match &step {
            Step::Key(key) => (property(schema, root, node, key), node.get(key), path.clone().key(key), false),
            Step::Index(index) => {
                let list = list(schema, root, node);
                let inner = list.as_ref().and_then(|list| list.item(*index));
                let marked = list.is_some_and(|list| list.salvaged);
                (inner, node.at(*index), path.clone().index(*index), marked)
            }
        };
        let Some(next) = next else { break };
        if let Step::Index(index) = step
            && marked
        {
            innermost = Some((path, index, next, around.clone()));
            around.push(at.clone());
        }
        path = at;
        node = next;
        let Some(inner) = inner else { break };
        schema = inner;
    }
    let (list, index, node, around) = innermost?;
    Some(BadItem { list, index, node, issues: Issues::new(), around })
}

/// What a schema says of a list: the one alternative that is a list, where there are several.
fn list<'s>(schema: &'s Value, root: &'s Value, value: Node<'_>) -> Option<View<'s>> {
    let is_list = |view: &View<'_>| view.takes("array");
    let branches = || alternatives(schema, root, 0).into_iter().filter(is_list);
    views(schema, root, value).find(is_list).or_else(|| branches().next().filter(|_| branches().nth(1).is_none()))
}

/// The JSON of a value without these items. Where they are to be kept, their list is an object which only
/// [`Salvaged`](crate::Salvaged) can read: what was wrong with them, and the items that are left by their places.
pub(crate) fn without(value: Node<'_>, bad: &[BadItem<'_>], kept: bool) -> String {
    let mut lists: HashMap<Path, Vec<&BadItem<'_>>> = HashMap::new();
    for item in bad {
        lists.entry(item.list.clone()).or_default().push(item);
    }
    for list in lists.values_mut() {
        list.sort_by_key(|item| item.index);
    }
    let mut out = String::with_capacity(value.source().len());
    write(value, &Path::root(), (&lists, kept), &mut out);
    out
}

fn write(node: Node<'_>, at: &Path, rest: (&HashMap<Path, Vec<&BadItem<'_>>>, bool), out: &mut String) {
    let (lists, kept) = rest;
    if !lists.keys().any(|list| list.inside(at).is_some()) {
        return out.push_str(node.source());
    }
    match node.kind() {
        Kind::Object => {
            out.push('{');
            for (n, (key, value)) in node.entries().enumerate() {
                _ = write!(out, "{}{}:", if n > 0 { "," } else { "" }, key.source());
                write(value, &at.clone().key(&key.as_str().unwrap_or_default()), rest, out);
            }
            out.push('}');
        }
        Kind::Array => {
            let bad = lists.get(at).map_or(&[][..], Vec::as_slice);
            let marked = kept && !bad.is_empty();
            let mut comma = marked;
            out.push(if marked { '{' } else { '[' });
            if marked {
                out.push_str(&opening(bad.iter().map(|item| rejected(item))));
            }
            for (index, value) in node.items().enumerate() {
                if bad.binary_search_by_key(&index, |item| item.index).is_ok() {
                    continue;
                }
                if std::mem::replace(&mut comma, true) {
                    out.push(',');
                }
                if marked {
                    _ = write!(out, "\"{index}\":");
                }
                write(value, &at.clone().index(index), rest, out);
            }
            out.push(if marked { '}' } else { ']' });
        }
        _ => out.push_str(node.source()),
    }
}

fn rejected(item: &BadItem<'_>) -> RejectedItem {
    let path = item.path();
    let inside = item.issues.clone().into_iter().map(|issue| match issue.path().inside(&path) {
        Some(path) => issue.told_at(path, None, None),
        None => issue,
    });
    RejectedItem::new(item.index, String::from(item.json()), inside.collect::<Vec<_>>().into())
}

/// Issues of what [`without`] wrote, as issues of the value that it was made of.
pub(crate) fn restored(issues: Issues, value: Node<'_>) -> Issues {
    let restored = issues.into_iter().map(|issue| {
        let mut node = Some(value);
        let steps = issue.path().steps().into_iter().map(|step| {
            let index = match &step {
                Step::Key(key) if node.is_some_and(|node| node.kind() == Kind::Array) => key.parse().ok(),
                _ => None,
            };
            let step = index.map_or(step, Step::Index);
            node = node.and_then(|node| node.step(&step));
            step
        });
        let path = Path::of_steps(steps.collect::<Vec<_>>());
        issue.told_at(path, None, None)
    });
    restored.collect::<Vec<_>>().into()
}
