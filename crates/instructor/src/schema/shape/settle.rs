//! Works out which shapes have no value, and drops what can't be there.

use super::build::NEVER;
use super::{Kind, Rest, Shape, Shapes, Use};

/// Until nothing changes: alternatives and optional fields without a value go; what needs one has none itself.
pub(super) fn settle(shapes: &mut Shapes) {
    let mut never: Vec<bool> = shapes.list.iter().map(|shape| matches!(shape.kind, Kind::Never)).collect();
    loop {
        let mut changed = false;
        for id in 0..shapes.list.len() {
            let dead = !never.get(id).copied().unwrap_or(false)
                && shapes.list.get(id).is_some_and(|shape| is_dead(shape, &never));
            if dead && let Some(slot) = never.get_mut(id) {
                *slot = true;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for (id, shape) in shapes.list.iter_mut().enumerate() {
        if never.get(id) == Some(&true) {
            shape.kind = Kind::Never;
        }
        prune(shape, &never);
    }
    if never.get(shapes.root.id) == Some(&true) {
        shapes.root.id = NEVER;
    }
    unwrap(shapes);
}

fn gone(part: &Use, never: &[bool]) -> bool {
    never.get(part.id) == Some(&true)
}

fn is_dead(shape: &Shape, never: &[bool]) -> bool {
    match &shape.kind {
        Kind::Union(union) => union.alternatives.iter().all(|a| gone(a, never)),
        Kind::Object(object) => object.fields.iter().any(|f| f.required && gone(&f.shape, never)),
        Kind::Array(array) => {
            let first = array.prefix.iter().position(|part| gone(part, never)).map(|n| n as u64);
            first.is_some_and(|n| n < array.min)
                || (array.rest.as_ref().is_some_and(|rest| gone(rest, never)) && array.min > array.prefix.len() as u64)
        }
        _ => false,
    }
}

fn prune(shape: &mut Shape, never: &[bool]) {
    match &mut shape.kind {
        Kind::Union(union) => union.alternatives.retain(|a| !gone(a, never)),
        Kind::Object(object) => {
            object.fields.retain(|field| !gone(&field.shape, never));
            if matches!(&object.rest, Rest::Of(rest) if gone(rest, never)) {
                object.rest = Rest::Closed;
            }
        }
        Kind::Array(array) => {
            let length = array.prefix.iter().position(|part| gone(part, never));
            if let Some(length) = length {
                array.prefix.truncate(length);
                array.rest = None;
            }
            if array.rest.as_ref().is_some_and(|rest| gone(rest, never)) {
                array.rest = None;
            }
            if array.rest.is_none() {
                let most = array.prefix.len() as u64;
                array.max = Some(array.max.map_or(most, |max| max.min(most)));
            }
        }
        _ => {}
    }
}

/// The one alternative of a union of one.
struct Alone {
    part: Use,
    about: Option<Box<str>>,
}

/// A union of one is that one; what is said about the union is said about its uses.
fn unwrap(shapes: &mut Shapes) {
    let alone: Vec<Option<Alone>> = shapes.list.iter().map(alone).collect();
    let follow = |part: &mut Use| {
        // A chain longer than the list goes round.
        for _ in 0..alone.len() {
            let Some(Some(only)) = alone.get(part.id) else { break };
            let about = part.about.take().or_else(|| only.about.clone()).or_else(|| only.part.about.clone());
            *part = Use { id: only.part.id, about };
        }
    };
    for shape in &mut shapes.list {
        match &mut shape.kind {
            Kind::Union(union) => union.alternatives.iter_mut().for_each(follow),
            Kind::Object(object) => {
                object.fields.iter_mut().for_each(|field| follow(&mut field.shape));
                if let Rest::Of(rest) = &mut object.rest {
                    follow(rest);
                }
            }
            Kind::Array(array) => array.prefix.iter_mut().chain(&mut array.rest).for_each(follow),
            _ => {}
        }
    }
    follow(&mut shapes.root);
}

fn alone(shape: &Shape) -> Option<Alone> {
    let Kind::Union(union) = &shape.kind else { return None };
    match union.alternatives.as_slice() {
        [only] if shape.local.is_empty() => Some(Alone { part: only.clone(), about: shape.about.clone() }),
        _ => None,
    }
}
