//! What is missing of an answer that broke off, and the schema of it; and how what came of it is put in.

use std::collections::HashSet;

use instructor_json::{Document, Kind, Node, Step};
use serde_json::{Value, json};

use super::align::View;
use super::cut::{Cut, way};
use super::part::{object_of, property, splice, views};
use crate::validate::Path;

/// What is smaller than this many bytes is not gone on with when it was cut, but asked for anew.
const SMALL: usize = 256;

/// Something that is missing.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub(crate) path: Path,
    pub(crate) steps: Vec<Step<'static>>,
    pub(crate) what: What,
    schema: Value,
    required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A value that is not there at all.
    Value,
    /// The items of a list after so many.
    Items(usize),
    /// The other entries of a map.
    Entries,
    /// The rest of a text.
    Text,
}

/// The name under which something missing is asked for, counted from 0.
pub(crate) fn rest_name(index: usize) -> String {
    format!("rest_{}", index + 1)
}

/// What stays of a cut answer, and what is missing then, from the innermost on; none if nothing is known to be.
/// `small`: what was cut stays too, however small it is.
pub(crate) fn missing(schema: &Value, cut: &Cut, small: bool) -> Option<(String, Vec<Missing>)> {
    let document = Document::parse(&cut.json).ok()?;
    let lacks = |open: &[Step<'static>]| {
        let mut keeper = Keeper { root: schema, open, small, missing: Vec::new() };
        let kept = keeper.keep(document.root(), schema, Path::root(), 0)?;
        Some((kept, keeper.missing)).filter(|(_, missing)| !missing.is_empty())
    };
    // Where nothing but a bracket is missing, the last value is given again, or the rest of it if there is any.
    lacks(&cut.open).or_else(|| lacks(&way(document.root(), |_, _| true)?))
}

/// The schema of an object with all that is missing; none if a definition can't be taken along.
pub(crate) fn schema_of_rest(missing: &[Missing], root: &Value) -> Option<Value> {
    object_of(missing.iter().enumerate().map(|(index, one)| (rest_name(index), one.schema.clone(), one.required)), root)
}

struct Keeper<'s, 'o> {
    root: &'s Value,
    open: &'o [Step<'static>],
    small: bool,
    missing: Vec<Missing>,
}

impl<'s> Keeper<'s, '_> {
    /// What stays of an open value, `depth` steps from the root; none if it has to be given anew.
    fn keep(&mut self, node: Node<'_>, schema: &'s Value, path: Path, depth: usize) -> Option<String> {
        let views: Vec<View<'s>> = views(schema, self.root, node).collect();
        // Which alternative it is is not known yet.
        if views.last().is_none_or(|view| !view.branches.is_empty()) {
            return None;
        }
        match node.kind() {
            Kind::String => self.text(node, &views, path, depth),
            Kind::Array => self.list(node, &views, path, depth),
            Kind::Object => self.object(node, schema, &views, path, depth),
            _ => None,
        }
    }

    fn text(&mut self, node: Node<'_>, views: &[View<'s>], path: Path, depth: usize) -> Option<String> {
        let plain = views.iter().all(|view| view.values.is_empty()) && views.iter().any(|view| view.takes("string"));
        if !plain {
            return None;
        }
        self.lacks(path, depth, What::Text, json!({ "type": "string" }), true);
        Some(String::from(node.source()))
    }

    fn list(&mut self, node: Node<'_>, views: &[View<'s>], path: Path, depth: usize) -> Option<String> {
        let item = views.iter().filter(|view| view.is_uniform()).find_map(|view| view.item(0))?;
        let mut items: Vec<String> = node.items().map(|item| String::from(item.source())).collect();
        let mut whole = items.len();
        if let Some(Step::Index(index)) = self.open.get(depth) {
            items.truncate(*index);
            let cut = node.at(*index)?;
            whole = items.len();
            if let Some(kept) = self.inside(cut, item, path.clone().index(*index), depth + 1) {
                items.push(kept);
                whole += 1;
            }
        }
        if items.is_empty() && depth > 0 {
            return None;
        }
        self.lacks(path, depth, What::Items(whole), json!({ "type": "array", "items": item }), true);
        Some(format!("[{}]", items.join(",")))
    }

    fn object(
        &mut self,
        node: Node<'_>,
        schema: &'s Value,
        views: &[View<'s>],
        path: Path,
        depth: usize,
    ) -> Option<String> {
        if views.iter().any(|view| view.patterns) {
            return None;
        }
        let cut = match self.open.get(depth) {
            Some(Step::Key(key)) => Some(&**key),
            _ => None,
        };
        let named: Vec<(&str, &'s Value)> = views.iter().flat_map(|view| view.properties.iter().copied()).collect();
        let others = views.iter().find_map(|view| view.additional).filter(|inner| inner.is_object() || **inner == true);
        // Which of the others are missing can't be told beside those with names.
        if others.is_some() != named.is_empty() {
            return None;
        }
        let mut members = Vec::new();
        let mut there = HashSet::new();
        for (key, value) in node.entries() {
            let name = key.as_str().unwrap_or_default();
            let kept = if cut == Some(&*name) {
                let inner = property(schema, self.root, node, &name)?;
                self.inside(value, inner, path.clone().key(&name), depth + 1)
            } else {
                Some(String::from(value.source()))
            };
            if let Some(kept) = kept {
                members.push(format!("{}:{kept}", key.source()));
                there.insert(name.into_owned());
            }
        }
        match others {
            Some(inner) => {
                let schema = json!({ "type": "object", "additionalProperties": inner });
                self.lacks(path, depth, What::Entries, schema, true);
            }
            None => {
                let known = |name: &str| there.contains(name) || cut == Some(name);
                let required = |name: &str| views.iter().any(|view| view.required.contains(&name));
                // What could be left out and comes before what is there was left out.
                let last = named.iter().rposition(|(name, _)| known(name));
                for (at, (name, schema)) in named.iter().enumerate() {
                    let passed = !required(name) && cut != Some(name) && last.is_some_and(|last| at < last);
                    if !there.contains(*name) && !passed {
                        there.insert(String::from(*name));
                        let mut steps = self.steps(depth);
                        steps.push(Step::Key(String::from(*name).into()));
                        self.missing.push(Missing {
                            path: path.clone().key(name),
                            steps,
                            what: What::Value,
                            schema: (*schema).clone(),
                            required: required(name) || cut == Some(name),
                        });
                    }
                }
            }
        }
        Some(format!("{{{}}}", members.join(",")))
    }

    /// What stays of an open value in another.
    fn inside(&mut self, node: Node<'_>, schema: &'s Value, path: Path, depth: usize) -> Option<String> {
        let list = node.kind() == Kind::Array;
        if !self.small && !list && node.source().len() < SMALL {
            return None;
        }
        let before = self.missing.len();
        let kept = self.keep(node, schema, path, depth);
        if kept.is_none() {
            self.missing.truncate(before);
        }
        kept
    }

    fn steps(&self, depth: usize) -> Vec<Step<'static>> {
        self.open.get(..depth).unwrap_or_default().to_vec()
    }

    fn lacks(&mut self, path: Path, depth: usize, what: What, schema: Value, required: bool) {
        let steps = self.steps(depth);
        self.missing.push(Missing { path, steps, what, schema, required });
    }
}

/// Puts what came of the missing into an answer. Where that was cut too, the result says where it is open now.
pub(crate) fn join(kept: &str, missing: &[Missing], came: &Cut, cut: bool) -> Option<Cut> {
    let document = Document::parse(&came.json).ok()?;
    let mut whole = Cut { json: String::from(kept), open: Vec::new() };
    for (index, one) in missing.iter().enumerate() {
        let name = rest_name(index);
        let Some(new) = document.root().get(&name) else { continue };
        let here = Document::parse(&whole.json).ok()?;
        let (text, skipped) = one.joined(here.root(), new)?;
        let json = splice(&whole.json, here.root(), &[(&one.steps, &text)]);
        drop(here);
        whole.json = json;
        whole.open.clone_from(&one.steps);
        let mut inner = came.open.iter().skip(1).cloned();
        let open = matches!(came.open.first(), Some(Step::Key(key)) if **key == *name);
        match (open, one.what) {
            (true, What::Items(before)) => match inner.next() {
                Some(Step::Index(index)) if index >= skipped => {
                    whole.open.push(Step::Index(before + index - skipped));
                    whole.open.extend(inner);
                }
                _ => {}
            },
            (true, What::Entries) if skipped > 0 => {}
            (true, _) => whole.open.extend(inner),
            // It is whole, so that what is around it is open.
            (false, _) => _ = whole.open.pop(),
        }
    }
    let nothing = document.root().is_empty();
    if cut && nothing {
        let first = missing.first()?;
        whole.open.clone_from(&first.steps);
        if first.what == What::Value {
            whole.open.pop();
        }
    }
    Some(whole)
}

impl Missing {
    /// What stands in its place with what came, and how much of that was there already.
    fn joined(&self, root: Node<'_>, new: Node<'_>) -> Option<(String, usize)> {
        if self.what == What::Value {
            return Some((String::from(new.source()), 0));
        }
        let here = root.follow(&self.steps)?;
        match self.what {
            What::Value => None,
            What::Items(_) => {
                let (kept, came): (Vec<&str>, Vec<&str>) =
                    (here.items().map(Node::source).collect(), new.items().map(Node::source).collect());
                let again = items_again(&kept, &came);
                let all: Vec<&str> = kept.iter().chain(came.iter().skip(again)).copied().collect();
                Some((format!("[{}]", all.join(",")), again))
            }
            What::Entries => {
                let member = |(key, value): (Node<'_>, Node<'_>)| format!("{}:{}", key.source(), value.source());
                let fresh = |(key, _): &(Node<'_>, Node<'_>)| here.get(&key.as_str().unwrap_or_default()).is_none();
                let all: Vec<String> = here.entries().chain(new.entries().filter(fresh)).map(member).collect();
                let last = new.entries().last().is_some_and(|entry| !fresh(&entry));
                Some((format!("{{{}}}", all.join(",")), usize::from(last)))
            }
            What::Text => {
                let (kept, came) = (here.as_str()?, new.as_str()?);
                let again = text_again(&kept, &came);
                let all = format!("{kept}{}", came.get(again..)?);
                Some((Value::from(all).to_string(), again))
            }
        }
    }
}

/// How many of the first items that came are there already: the last of those, or the first if it began anew.
///
/// Lists may well say the same twice. So only what can't be so by chance counts: something of some size that is there
/// once, or several that differ.
fn items_again(kept: &[&str], came: &[&str]) -> usize {
    const WINDOW: usize = 64;
    let plain = |items: &[&str]| -> Vec<Value> {
        items.iter().map(|item| serde_json::from_str(item).unwrap_or_default()).collect()
    };
    let came = plain(came);
    let most = kept.len().min(came.len());
    let (first, last) =
        (plain(kept.get(..most).unwrap_or_default()), plain(kept.get(kept.len() - most..).unwrap_or_default()));
    let telling = |run: &[Value]| {
        let large = |item: &&Value| match item {
            Value::String(text) => text.len() >= 12,
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => false,
        };
        let once = |item: &&Value| {
            let window = last.iter().rev().take(WINDOW).chain(first.iter().take(WINDOW.min(most)));
            window.filter(|other| other == item).take(3).count() < 3
                && came.iter().filter(|other| other == item).count() == 1
        };
        let mut different: Vec<&Value> = Vec::new();
        for item in run.iter().take(WINDOW) {
            if !different.contains(&item) {
                different.push(item);
            }
        }
        run.iter().take(WINDOW).filter(large).any(|item| once(&item)) || different.len() >= 3
    };
    let begins_anew = most > 0 && came.get(..most) == Some(&*first) && telling(&first);
    if begins_anew {
        return most;
    }
    let overlaps = |n: &usize| {
        let (end, begin) = (last.get(most - n..), came.get(..*n));
        end.is_some() && end == begin && begin.is_some_and(telling)
    };
    (1..=most.min(WINDOW)).rev().find(overlaps).unwrap_or(0)
}

/// How many of the first bytes that came are there already.
fn text_again(kept: &str, came: &str) -> usize {
    /// What is said again by chance is shorter.
    const LEAST: usize = 12;
    const WINDOW: usize = 1 << 10;
    let (short, long) = if kept.len() < came.len() { (kept, came) } else { (came, kept) };
    let later = || long.char_indices().nth(1).and_then(|(at, _)| long.get(at..)).unwrap_or_default();
    if short.len() >= LEAST && long.starts_with(short) && !later().contains(short) {
        return short.len();
    }
    let from = kept.len().saturating_sub(WINDOW);
    let tail =
        kept.char_indices().map(|(at, _)| at).find(|at| *at >= from).and_then(|at| kept.get(at..)).unwrap_or_default();
    let ends = tail.char_indices().map(|(at, _)| tail.get(at..).unwrap_or_default());
    let found = ends.take_while(|end| end.len() >= LEAST).find(|end| came.starts_with(end));
    // A text that repeats the same over and over may go on so.
    let over_and_over = |end: &str| {
        let before = tail.as_bytes().get(tail.len().saturating_sub(2 * end.len())..tail.len() - 1).unwrap_or_default();
        before.windows(end.len()).any(|bytes| bytes == end.as_bytes())
    };
    found.filter(|end| !over_and_over(end)).map_or(0, str::len)
}
