//! A location in a schema as the flat list of what it says: references followed, `allOf` opened.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::draft::Draft;
use super::super::resolve::Place;

/// One schema object that has its say about a location.
#[derive(Clone, Debug)]
pub(super) struct Facet<'s> {
    pub(super) place: Place<'s>,
    /// The unions whose branches are facets of their own already.
    pub(super) used: Used,
    /// What it refers to has been opened.
    opened: bool,
}

/// Which unions of a facet have been taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Used {
    pub(super) any_of: bool,
    pub(super) one_of: bool,
}

impl Used {
    fn skips(self, key: &str) -> bool {
        (self.any_of && key == "anyOf") || (self.one_of && key == "oneOf")
    }
}

impl<'s> Facet<'s> {
    pub(super) fn new(place: Place<'s>) -> Self {
        Self { place, used: Used::default(), opened: false }
    }

    pub(super) fn map(&self) -> Option<&'s Map<String, Value>> {
        self.place.schema.as_object()
    }

    /// The value of a keyword that has not been used up.
    pub(super) fn get(&self, key: &str) -> Option<&'s Value> {
        self.map()?.get(key).filter(|_| !self.used.skips(key))
    }

    /// The schema under a keyword.
    pub(super) fn under(&self, key: &str) -> Option<Place<'s>> {
        self.get(key).map(|schema| self.place.step(schema, key))
    }

    /// The schemas of a keyword that holds a list.
    pub(super) fn list(&self, key: &str) -> Vec<Place<'s>> {
        let Some(whole @ Value::Array(list)) = self.get(key) else { return Vec::new() };
        let under = self.place.step(whole, key);
        list.iter().enumerate().map(|(i, schema)| under.step(schema, &i.to_string())).collect()
    }

    /// The schemas of a keyword that holds them by name.
    pub(super) fn named(&self, key: &str) -> Vec<(&'s str, Place<'s>)> {
        let Some(whole @ Value::Object(map)) = self.get(key) else { return Vec::new() };
        let under = self.place.step(whole, key);
        map.iter().map(|(name, schema)| (name.as_str(), under.step(schema, name))).collect()
    }
}

/// What a location says.
#[derive(Debug, Default)]
pub(super) struct Expanded<'s> {
    pub(super) facets: Vec<Facet<'s>>,
    pub(super) never: bool,
    /// The description of the place itself, where it is not that of a facet.
    pub(super) about: Option<&'s str>,
}

/// Keywords that constrain no value by themselves.
const NOTES: &[&str] = &[
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$comment",
    "$defs",
    "definitions",
    "$vocabulary",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "allOf",
];

/// Whether a facet says more than notes.
fn constrains(facet: &Facet<'_>) -> bool {
    let Some(map) = facet.map() else { return false };
    map.keys().any(|key| !NOTES.contains(&key.as_str()) && !key.starts_with("x-") && !facet.used.skips(key))
}

/// Opens references and `allOf`. What comes first in the schema comes first here: a place before what it refers to.
pub(super) fn expand<'s>(parts: Vec<Facet<'s>>, draft: Draft) -> Expanded<'s> {
    let mut out = Expanded::default();
    // What has been opened before has its say already, also where something refers to it again.
    let address = |facet: &Facet<'s>| std::ptr::from_ref(facet.place.schema);
    let mut seen: HashSet<*const Value> = parts.iter().filter(|part| part.opened).map(address).collect();
    let mut open = parts;
    open.reverse();
    let mut outermost = true;
    while let Some(mut facet) = open.pop() {
        let first = std::mem::take(&mut outermost);
        if facet.opened {
            if constrains(&facet) {
                out.facets.push(facet);
            }
            continue;
        }
        let map = match facet.place.schema {
            Value::Bool(true) => continue,
            Value::Object(map) => map,
            // Anything that is no schema at all has been refused by the check; `false` takes nothing.
            _ => {
                out.never = facet.place.schema == &Value::Bool(false);
                if out.never {
                    return out;
                }
                continue;
            }
        };
        if !seen.insert(address(&facet)) {
            continue;
        }
        // A reference whose target depends on the way that led here says nothing: anything is more than it allows.
        let target = map.get("$ref").and_then(Value::as_str).and_then(|target| facet.place.resolve(target).ok());
        let alone = map.contains_key("$ref") && draft <= Draft::V7;
        let said = !alone && constrains(&facet);
        if first && !said {
            out.about = map.get("description").and_then(Value::as_str);
        }
        if !alone {
            open.extend(facet.list("allOf").into_iter().rev().map(Facet::new));
        }
        open.extend(target.map(Facet::new));
        if said {
            facet.opened = true;
            out.facets.push(facet);
        }
    }
    out
}
