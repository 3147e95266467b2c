//! Issues of unions: which branch a value was meant for, and what is wrong with it as that.

use instructor_json::{Kind, Node};

use super::explain::{issue, near, with};
use super::kind::Kinds;
use super::nearest::nearest;
use super::phrase;
use super::report::{Collected, Fault, Frame};
use super::rules::{Branch, Id, Plan, Tag, Union, Variants};
use super::value::quoted;
use super::walk::Walk;

/// Unions inside unions are compared branch by branch down to this depth: each level multiplies the work.
const DEEPEST: u32 = 3;

/// Says why no branch, or more than one, accepts the value.
#[cold]
pub(super) fn union(walk: &mut Walk<'_>, union: &Union, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    let kind = node.kind();
    if union.exactly_one {
        let hits: Vec<Id> = union.branches.iter().map(|b| b.id).filter(|id| walk.accepts(*id, node)).collect();
        if hits.len() > 1 {
            return several(walk, &hits, node, at, out);
        }
    }
    match (&union.plan, kind) {
        (Plan::Tag(tag), Kind::Object) => return tagged(walk, tag, node, at, out),
        (Plan::Variant(variants), _) => return variant(walk, union, variants, node, at, out),
        _ => {}
    }
    let fitting: Vec<Branch> = union.branches.iter().copied().filter(|branch| branch.kinds.may_be(kind)).collect();
    let before = out.issues.len();
    match fitting.as_slice() {
        [] => {}
        [only] => {
            walk.value(only.id, node, at, out);
        }
        many => best(walk, many, node, at, out),
    }
    if out.issues.len() == before {
        let wanted = phrase::alternatives(walk.schemas, union.branches.iter().map(|branch| branch.id));
        let wanted = wanted.unwrap_or_else(|| String::from("a value that one of the alternatives allows"));
        let fault = if fitting.is_empty() { Fault::Kind } else { Fault::Value };
        out.push(fault, at, with(node, at, wanted));
    }
}

fn several(walk: &Walk<'_>, hits: &[Id], node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    let names: Vec<String> = hits.iter().map(|id| phrase::name(walk.schemas, *id)).collect();
    let wanted = format!("a value that matches exactly one of {}, not {}", phrase::list(names.iter()), names.len());
    out.push(Fault::Value, at, with(node, at, wanted));
}

/// A tagged object: the tag is wrong, or the branch it names knows better.
fn tagged(walk: &mut Walk<'_>, tag: &Tag, node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    let allowed = || phrase::one_of(&tag.values.iter().map(quoted).collect::<Vec<_>>());
    let Some((key, value)) = node.entries().filter(|(key, _)| key.is_str(&tag.key)).last() else {
        let wanted = format!("the required property {} ({})", quoted(&tag.key), allowed());
        return out.push(Fault::Shape, at, issue(at.path().key(&tag.key), wanted));
    };
    let text = value.as_str();
    let branch = text.as_ref().and_then(|text| tag.values.find(text)).and_then(|found| tag.branches.get(found));
    if let Some(branch) = branch {
        walk.value(*branch, node, at, out);
        return;
    }
    let inner = at.key(key);
    let issue = with(value, &inner, allowed());
    let issue = match text {
        Some(text) => near(issue, &text, tag.values.iter().collect::<Vec<_>>().into_iter()),
        None => issue,
    };
    out.push(Fault::Choice, &inner, issue);
}

/// A string or an object with one key.
fn variant(
    walk: &mut Walk<'_>,
    union: &Union,
    variants: &Variants,
    node: Node<'_>,
    at: &Frame<'_>,
    out: &mut Collected,
) {
    let known = |key: &str| variants.keys.find(key).and_then(|found| variants.branches.get(found)).copied();
    let keys: Vec<_> = node.entries().filter_map(|(key, _)| key.as_str()).collect();
    let meant: Vec<Id> = keys.iter().filter_map(|key| known(key)).collect();
    match meant.as_slice() {
        [] => {}
        [branch] => {
            walk.value(*branch, node, at, out);
            return;
        }
        _ => {
            let wanted = format!("an object with only one of these keys, not {}", meant.len());
            return out.push(Fault::Choice, at, with(node, at, wanted));
        }
    }
    let mut texts: Vec<String> = variants.words.iter().map(quoted).chain(variants.keys.iter().map(keyed)).collect();
    if union.branches.iter().any(|branch| branch.kinds == Kinds::NULL) {
        texts.push(String::from("null"));
    }
    let mut found = with(node, at, phrase::one_of(&texts));
    let given = match keys.as_slice() {
        [only] => Some(only.clone()),
        _ => node.as_str(),
    };
    if let Some(given) = given {
        let names: Vec<&str> = variants.words.iter().chain(variants.keys.iter()).collect();
        if let Some(name) = nearest(&given, names.into_iter()) {
            found = found.nearest(if variants.words.find(name).is_some() { quoted(name) } else { keyed(name) });
        }
    }
    out.push(Fault::Choice, at, found);
}

/// An object that has one key, whatever is under it.
fn keyed(key: &str) -> String {
    format!("{{{}: …}}", quoted(key))
}

/// Tells about the branch that the value comes nearest to: the one with the least wrong, of equals the first.
fn best(walk: &mut Walk<'_>, branches: &[Branch], node: Node<'_>, at: &Frame<'_>, out: &mut Collected) {
    if walk.fits >= DEEPEST {
        return;
    }
    walk.fits += 1;
    let mut best: Option<Collected> = None;
    for branch in branches {
        let mut found = Collected::at(at);
        walk.value(branch.id, node, at, &mut found);
        let better = best.as_ref().is_none_or(|best| found.cost < best.cost);
        if better && !found.issues.is_empty() {
            best = Some(found);
        }
    }
    walk.fits -= 1;
    if let Some(best) = best {
        out.append(best);
    }
}
