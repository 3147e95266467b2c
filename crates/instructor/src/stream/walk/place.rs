//! Where the plan says that a value goes, and which alternative it is of.

use std::borrow::Cow;

use instructor_json::{Kind, Node};

use super::frame::{Place, To};
use crate::schema::lift::field;
use crate::schema::plan::{Alternative, Face, Item, MORE, Op, Plan, Presence, Rest, Step, item_name};
use crate::stream::grow::Grow;

/// Where the value of a key in an object goes.
pub(super) fn member(plan: &Plan, step: Step, key: Node<'_>, hint: &mut usize, sink: &mut dyn Grow) -> Place {
    let fields = match plan.undo(step) {
        Op::Object(fields) => fields,
        Op::Entries(step) => return Place::slot(slot_of(key, sink), To::plain(*step)),
        _ => return Place::slot(slot_of(key, sink), To::plain(Plan::SAME)),
    };
    if let Rest::Entries(name, step) = &fields.rest
        && key.is_str(name)
    {
        return Place::same(To::Entries(*step));
    }
    match field(fields, key, hint) {
        Some(named) => Place::slot(sink.key(&named.name), To::Value(named.step, named.presence)),
        None => {
            let step = if let Rest::Values(step) = fields.rest { step } else { Plan::SAME };
            Place::slot(slot_of(key, sink), To::plain(step))
        }
    }
}

pub(super) fn slot_of(key: Node<'_>, sink: &mut dyn Grow) -> Option<usize> {
    match key.kind() {
        Kind::String => sink.key(&key.as_str()?),
        Kind::Array | Kind::Object => None,
        Kind::Null | Kind::Bool | Kind::Number => sink.key(key.source()),
    }
}

/// Where the value of a key in an object that is an array goes.
pub(super) fn position(first: &[Item], more: Option<Step>, key: Node<'_>, sink: &mut dyn Grow) -> Place {
    if key.is_str(MORE) {
        return more.map_or(Place::NOBODY, |step| Place::same(To::More(step, first.len())));
    }
    let found = first.iter().enumerate().find(|(index, _)| key.is_str(&item_name(*index)));
    let Some((index, item)) = found else { return Place::NOBODY };
    let presence = if item.listed { Presence::ANY } else { Presence::Plain };
    Place::slot(sink.item(index), To::Value(item.step, presence))
}

/// The step of the alternative that a union's tag names.
pub(super) fn tagged(plan: &Plan, step: Step, name: Node<'_>) -> Option<Step> {
    let Op::Union { alternatives, .. } = plan.undo(step) else { return None };
    alternatives.iter().find(|alternative| name.is_str(&alternative.name)).map(|found| found.step)
}

/// The name that a key stands for.
pub(super) fn canonical_name<'n>(plan: &'n Plan, step: Step, key: Node<'n>, hint: &mut usize) -> Cow<'n, str> {
    let named = if let Op::Object(fields) = plan.undo(step) { field(fields, key, hint) } else { None };
    named.map_or_else(|| key.as_str().unwrap_or_default(), |named| Cow::Borrowed(&named.name))
}

pub(super) fn may_be(alternatives: &[Alternative], index: usize, kind: Kind) -> bool {
    let faces = alternatives.get(index).and_then(|alternative| alternative.faces.as_deref());
    faces.is_none_or(|faces| faces.iter().any(|face| face.kinds.may_be(kind)))
}

/// Whether an object of an alternative may have this member.
pub(super) fn may_have(alternatives: &[Alternative], index: usize, key: Node<'_>, value: Node<'_>) -> bool {
    let fits = |face: &Face| {
        face.kinds.may_be(Kind::Object)
            && face.keys.as_ref().is_none_or(|keys| {
                let literal = keys.literals.iter().find(|(name, _)| key.is_str(name));
                literal.is_none_or(|(_, values)| values.iter().any(|known| value.is_str(known)))
                    && keys.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|name| key.is_str(name)))
            })
    };
    let faces = alternatives.get(index).and_then(|alternative| alternative.faces.as_deref());
    faces.is_none_or(|faces| faces.iter().any(fits))
}
