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

/// A union of one is that one; what is said about the union is said about its uses.
fn unwrap(shapes: &mut Shapes) {
    let only = |shape: &Shape| match &shape.kind {
        Kind::Union(union) => match union.alternatives.as_slice() {
            [only] => Some((only.clone(), shape.about.clone(), shape.local.is_empty())),
            _ => None,
        },
        _ => None,
    };
    let alone: Vec<Option<(Use, Option<Box<str>>, bool)>> = shapes.list.iter().map(only).collect();
    let follow = |part: &mut Use| {
        // A chain longer than the list goes round.
        for _ in 0..alone.len() {
            let Some(Some((next, about, plain))) = alone.get(part.id) else { break };
            if next.id == part.id || !plain {
                break;
            }
            let said = part.about.take().or_else(|| about.clone()).or_else(|| next.about.clone());
            *part = Use { id: next.id, about: said };
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
