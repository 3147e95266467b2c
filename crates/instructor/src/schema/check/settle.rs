//! What can be known only when all schemas are compiled: loops, the kinds of union branches, how to pick a branch.

use super::Unsupported;
use super::kind::Kinds;
use super::names::Names;
use super::rules::{Branch, Id, Plan, Schema, Tag, Variants};

/// Schemas for one and the same value may be nested this deep. It bounds the stack.
const DEEPEST: u32 = 64;

pub(super) fn settle(schemas: &mut [Schema], pointers: &[String]) -> Result<(), Unsupported> {
    let order = innermost_first(schemas, pointers)?;
    let mut kinds = vec![Kinds::ANY; schemas.len()];
    for id in order {
        let found = schemas.get(id as usize).map_or(Kinds::ANY, |schema| kinds_of(schema, &kinds));
        if let Some(slot) = kinds.get_mut(id as usize) {
            *slot = found;
        }
    }
    for schema in &mut *schemas {
        for union in schema.applied.iter_mut().flat_map(|applied| &mut applied.unions) {
            for branch in &mut union.branches {
                branch.kinds = kinds.get(branch.id as usize).copied().unwrap_or_default();
            }
        }
    }
    let mut plans = Vec::new();
    for schema in &*schemas {
        for union in schema.applied.iter().flat_map(|applied| &applied.unions) {
            let branches = || union.branches.iter().filter(|branch| branch.kinds != Kinds::NULL);
            let plan = tag(schemas, branches()).or_else(|| variants(schemas, branches())).unwrap_or(Plan::Try);
            plans.push(plan);
        }
    }
    let unions =
        schemas.iter_mut().filter_map(|schema| schema.applied.as_mut()).flat_map(|applied| &mut applied.unions);
    for (union, plan) in unions.zip(plans) {
        union.plan = plan;
    }
    Ok(())
}

/// An order in which every schema comes after those that it applies to the same value.
fn innermost_first(schemas: &[Schema], pointers: &[String]) -> Result<Vec<Id>, Unsupported> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done(u32),
    }
    let unsupported = |id: Id, why: &str| Unsupported {
        keyword: String::new(),
        pointer: pointers.get(id as usize).cloned().unwrap_or_default(),
        why: String::from(why),
    };
    let mut states = vec![State::New; schemas.len()];
    let mut order = Vec::with_capacity(schemas.len());
    for start in (0..).take(schemas.len()) {
        let mut stack: Vec<Id> = vec![start];
        while let Some(&id) = stack.last() {
            let (Some(schema), Some(&state)) = (schemas.get(id as usize), states.get(id as usize)) else { break };
            if let State::Done(_) = state {
                stack.pop();
                continue;
            }
            let inner = schema.in_place();
            let of = |id: &Id| states.get(*id as usize).copied().unwrap_or(State::Done(0));
            let next = match state {
                State::New if inner.iter().any(|next| *next == id || of(next) == State::Open) => {
                    return Err(unsupported(id, "a schema refers to itself for the same value"));
                }
                State::New => {
                    stack.extend(inner.iter().filter(|id| of(id) == State::New));
                    State::Open
                }
                _ => {
                    let deepest = inner.iter().map(|id| if let State::Done(depth) = of(id) { depth } else { 0 }).max();
                    let depth = deepest.map_or(0, |depth| depth + 1);
                    if depth > DEEPEST {
                        return Err(unsupported(id, "schemas for one value are nested too deeply"));
                    }
                    stack.pop();
                    order.push(id);
                    State::Done(depth)
                }
            };
            if let Some(slot) = states.get_mut(id as usize) {
                *slot = next;
            }
        }
    }
    Ok(order)
}

/// The kinds that a schema can admit, when those of the schemas in it are known.
fn kinds_of(schema: &Schema, known: &[Kinds]) -> Kinds {
    let of = |id: &Id| known.get(*id as usize).copied().unwrap_or_default();
    if schema.never {
        return Kinds::NONE;
    }
    let mut kinds = schema.values.iter().fold(schema.kinds, |kinds, values| kinds.and(values.kinds));
    kinds = schema.reference.iter().map(of).fold(kinds, Kinds::and);
    if let Some(applied) = &schema.applied {
        kinds = applied.all.iter().map(of).fold(kinds, Kinds::and);
        for union in &applied.unions {
            kinds = kinds.and(union.branches.iter().map(|branch| of(&branch.id)).fold(Kinds::NONE, Kinds::or));
        }
    }
    kinds
}

/// The schema and all others that hold for whatever it accepts.
fn together(schemas: &[Schema], id: Id) -> Vec<&Schema> {
    let mut ids = vec![id];
    let mut at = 0;
    while let Some(schema) = ids.get(at).and_then(|id| schemas.get(*id as usize)) {
        let all = schema.applied.iter().flat_map(|applied| &*applied.all);
        let new: Vec<Id> = schema.reference.iter().chain(all).filter(|id| !ids.contains(id)).copied().collect();
        ids.extend(new);
        at += 1;
    }
    ids.iter().filter_map(|id| schemas.get(*id as usize)).collect()
}

/// The strings that a schema allows, if it lists them.
fn words(schemas: &[Schema], id: Id) -> Option<impl Iterator<Item = &str>> {
    let values = together(schemas, id).into_iter().find_map(|schema| schema.values.first())?;
    values.are_words().then(|| values.words.iter())
}

/// The keys that a schema requires and lists the strings for.
fn tags(schemas: &[Schema], id: Id) -> Vec<(&str, Vec<&str>)> {
    let together = together(schemas, id);
    let objects = || together.iter().filter_map(|schema| schema.objects.as_ref());
    let required =
        |name: &str| objects().any(|o| o.names.find(name).is_some_and(|at| o.required.binary_search(&at).is_ok()));
    let properties = objects().flat_map(|objects| objects.names.iter().zip(&objects.properties));
    properties
        .filter(|(name, _)| required(name))
        .filter_map(|(name, id)| Some((name, words(schemas, (*id)?)?.collect())))
        .collect()
}

/// The first property that every branch requires with strings that no other branch allows.
fn tag<'b>(schemas: &[Schema], branches: impl Iterator<Item = &'b Branch> + Clone) -> Option<Plan> {
    let mut rest = branches.clone();
    let candidates = tags(schemas, rest.next()?.id);
    rest.next()?;
    candidates.iter().find_map(|(key, _)| {
        let mut values: Vec<Box<str>> = Vec::new();
        let mut picked = Vec::new();
        for branch in branches.clone() {
            let (_, words) = tags(schemas, branch.id).into_iter().find(|(name, _)| name == key)?;
            for word in words {
                if values.iter().any(|known| **known == *word) {
                    return None;
                }
                values.push(word.into());
                picked.push(branch.id);
            }
        }
        Some(Plan::Tag(Tag { key: (*key).into(), values: Names::new(values), branches: picked.into() }))
    })
}

/// Strings, and objects with exactly one key.
fn variants<'b>(schemas: &[Schema], branches: impl Iterator<Item = &'b Branch> + Clone) -> Option<Plan> {
    let (mut texts, mut keys, mut picked) = (Vec::new(), Vec::<Box<str>>::new(), Vec::new());
    for branch in branches {
        if branch.kinds == Kinds::STRING {
            texts.extend(words(schemas, branch.id)?.map(Box::from));
            continue;
        }
        let together = together(schemas, branch.id);
        let closed = together.iter().filter_map(|schema| schema.objects.as_ref()).find(|objects| {
            objects.closed && objects.patterns.is_empty() && *objects.required == [0] && objects.names.len() == 1
        })?;
        let key = closed.names.get(0)?;
        if branch.kinds != Kinds::OBJECT || keys.iter().any(|known| **known == *key) {
            return None;
        }
        keys.push(key.into());
        picked.push(branch.id);
    }
    // One key alone is a plain object: its own issues say more.
    let enough = keys.len() + usize::from(!texts.is_empty()) > 1 || (keys.is_empty() && !texts.is_empty());
    enough
        .then(|| Plan::Variant(Variants { words: Names::new(texts), keys: Names::new(keys), branches: picked.into() }))
}
