//! What lowered values look like, so that the alternatives of a union can be told apart in an answer.

use std::rc::Rc;

use super::super::check::kind::Kinds;
use super::super::plan::{Face, Keys, MORE, Presence, VALUE, VARIANT, item_name};
use super::super::shape::{Array, Id, Kind, Object, Rest, Shapes};
use super::emit::Emitter;
use super::leaf::{Said, said};
use super::union::Encoding;

/// What the lowered values of a shape look like; none if nothing is known.
pub(super) type Faces = Option<Rc<[Face]>>;

/// Unions inside unions beyond which nothing is known.
const DEPTH: usize = 8;

impl Emitter<'_> {
    /// The faces of a shape's lowered values; none if nothing can be said.
    pub(super) fn faces(&mut self, id: Id, from: Option<Id>, fuel: u8) -> Faces {
        self.faces_within(id, from, fuel, 0)
    }

    fn faces_within(&mut self, id: Id, from: Option<Id>, fuel: u8, depth: usize) -> Faces {
        let text = || Some([Face { kinds: Kinds::STRING, strings: None, keys: None }].into());
        let Some(fuel) = self.fuel(from, id, fuel) else { return text() };
        if self.is_cut(id) {
            return text();
        }
        if let Some(known) = self.faces.get(&(id, fuel)) {
            return known.clone();
        }
        let faces: Faces = self.faces_of(id, fuel, depth).map(Rc::from);
        // What was found while a union is being worked out may be less than what is found later.
        if depth == 0 && self.undecided == 0 {
            self.faces.insert((id, fuel), faces.clone());
        }
        faces
    }

    fn faces_of(&mut self, id: Id, fuel: u8, depth: usize) -> Option<Vec<Face>> {
        let one = |kinds| Some(vec![Face { kinds, strings: None, keys: None }]);
        let shapes: &Shapes = self.shapes;
        match &shapes.get(id).kind {
            Kind::Any | Kind::Never | Kind::Text(_) => one(Kinds::STRING),
            Kind::Null => one(Kinds::NULL),
            Kind::Bool => one(Kinds::BOOL),
            Kind::Integer(_) | Kind::Number(_) => one(Kinds::NUMBER),
            Kind::Values(values) => {
                let mut faces = Vec::new();
                let (said, nullable) = self.said(id, fuel, values);
                match said {
                    Said::Strings(strings) => {
                        let strings = Some(strings).filter(|_| !self.choices.wide.contains(&id));
                        faces.push(Face { kinds: Kinds::STRING, strings, keys: None });
                    }
                    Said::Numbers { .. } => faces.extend(one(Kinds::NUMBER)?),
                    Said::Bools(_) => faces.extend(one(Kinds::BOOL)?),
                    Said::Nothing => {}
                    Said::Labels(labels) => {
                        let strings = Some(labels.into_iter().map(|(label, _)| label).collect());
                        faces.push(Face { kinds: Kinds::STRING, strings, keys: None });
                    }
                }
                if nullable {
                    faces.extend(one(Kinds::NULL)?);
                }
                Some(faces)
            }
            Kind::Array(array) if !array.prefix.is_empty() && !self.rules.tuples => keyed(tuple_keys(array)),
            Kind::Array(_) => one(Kinds::ARRAY),
            Kind::Object(object) if self.is_entries(object) => one(Kinds::ARRAY),
            Kind::Object(object) => {
                let keys = self.keys(id, fuel, object);
                keyed(keys)
            }
            Kind::Union(union) => match self.encoding(id, fuel) {
                Encoding::Plain if depth >= DEPTH => None,
                Encoding::Plain => {
                    let mut faces = Vec::new();
                    for alternative in &union.alternatives {
                        faces.extend(self.faces_within(alternative.id, Some(id), fuel, depth + 1)?.iter().cloned());
                    }
                    Some(faces)
                }
                Encoding::Tagged => {
                    let names = self.names(union);
                    let both = || vec![Box::from(VARIANT), Box::from(VALUE)];
                    keyed(Keys { required: both(), allowed: Some(both()), literals: vec![(Box::from(VARIANT), names)] })
                }
                Encoding::Lists => {
                    let names = self.names(union);
                    keyed(Keys { required: names.clone(), allowed: Some(names), literals: Vec::new() })
                }
                Encoding::NullList => one(Kinds::ARRAY),
            },
        }
    }

    fn keys(&mut self, id: Id, fuel: u8, object: &Object) -> Keys {
        let sent = self.sent_names(object);
        let mut keys = Keys::default();
        let mut allowed = Vec::with_capacity(object.fields.len());
        for (index, (field, name)) in object.fields.iter().zip(&sent.fields).enumerate() {
            allowed.push(name.clone());
            if !self.is_required(id, fuel, index, field) {
                continue;
            }
            keys.required.push(name.clone());
            // Asked of listed values only: their faces lead nowhere, so that this ends.
            if let Kind::Values(values) = &self.shapes.get(field.shape.id).kind
                && let (Said::Strings(strings), false) = said(values, self.rules)
                && self.presence(id, fuel, index, field) == Presence::Plain
                && !self.choices.wide.contains(&field.shape.id)
            {
                keys.literals.push((name.clone(), strings));
            }
        }
        let open = match &object.rest {
            Rest::Closed => false,
            Rest::Open => self.is_exact() && self.rules.maps,
            Rest::Of(_) => self.rules.maps,
        };
        if let Some(name) = sent.rest.filter(|_| self.has_entries(object)) {
            keys.required.push(name.clone());
            allowed.push(name);
        }
        keys.allowed = (!open).then_some(allowed);
        keys
    }
}

fn keyed(keys: Keys) -> Option<Vec<Face>> {
    Some(vec![Face { kinds: Kinds::OBJECT, strings: None, keys: Some(keys) }])
}

fn tuple_keys(array: &Array) -> Keys {
    let items = (0..array.prefix.len()).map(|index| Box::from(item_name(index)));
    let names: Vec<Box<str>> = items.chain(array.rest.as_ref().map(|_| Box::from(MORE))).collect();
    Keys { required: names.clone(), allowed: Some(names), literals: Vec::new() }
}

/// Whether some answer could be of both.
pub(super) fn clash(a: &Face, b: &Face) -> bool {
    let common = a.kinds.and(b.kinds);
    if common.is_empty() {
        return false;
    }
    if common == Kinds::STRING
        && let (Some(a), Some(b)) = (&a.strings, &b.strings)
    {
        return a.iter().any(|text| b.contains(text));
    }
    let (Some(a), Some(b)) = (&a.keys, &b.keys) else { return true };
    if common != Kinds::OBJECT {
        return true;
    }
    let disjoint = |(name, values): &(Box<str>, Vec<Box<str>>)| {
        let other = b.literals.iter().find(|(known, _)| known == name);
        other.is_some_and(|(_, others)| values.iter().all(|value| !others.contains(value)))
    };
    if a.literals.iter().any(disjoint) {
        return false;
    }
    let lacks = |one: &Keys, other: &Keys| {
        let allowed = other.allowed.as_ref();
        allowed.is_some_and(|allowed| one.required.iter().any(|name| !allowed.contains(name)))
    };
    !lacks(a, b) && !lacks(b, a)
}
