//! Objects: the shape of each declared property and of all others.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::super::check::pattern::Pattern;
use super::super::resolve::Place;
use super::build::{ANY, Builder, NEVER};
use super::expand::Facet;
use super::{Field, Kind, Object, Policy, Rest, Use};

/// What one facet says about the values of an object's keys.
struct Keys<'s> {
    named: Vec<(&'s str, Place<'s>)>,
    /// Where a name stands among them: objects can have thousands.
    index: HashMap<&'s str, usize>,
    /// A pattern that can't be compiled may match any key.
    patterns: Vec<(Option<Pattern>, Place<'s>)>,
    additional: Option<Place<'s>>,
}

impl<'s> Keys<'s> {
    fn of(facet: &Facet<'s>) -> Self {
        let named = facet.named("properties");
        Self {
            index: named.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect(),
            named,
            patterns: facet
                .named("patternProperties")
                .into_iter()
                .map(|(text, place)| (Pattern::new(text).ok(), place))
                .collect(),
            additional: facet.under("additionalProperties"),
        }
    }

    /// All that applies to the value of a key.
    fn at(&self, name: &str) -> Vec<Facet<'s>> {
        let named = self.index.get(name).and_then(|at| self.named.get(*at)).map(|(_, place)| place);
        let matching = self.patterns.iter().filter(|(pattern, _)| pattern.as_ref().is_some_and(|p| p.matches(name)));
        let mut places: Vec<&Place<'s>> = named.into_iter().chain(matching.map(|(_, place)| place)).collect();
        if places.is_empty() && self.patterns.iter().all(|(pattern, _)| pattern.is_some()) {
            places.extend(&self.additional);
        }
        places.into_iter().cloned().map(Facet::new).collect()
    }

    /// Whether it says nothing of undeclared keys.
    const fn is_free(&self) -> bool {
        self.patterns.is_empty() && self.additional.is_none()
    }
}

impl<'s> Builder<'s> {
    pub(super) fn object(&mut self, facets: &[Facet<'s>]) -> Kind {
        let keys: Vec<Keys<'s>> = facets.iter().map(Keys::of).collect();
        let mut required: Vec<&'s str> = Vec::new();
        for facet in facets {
            // In draft 3 and in the wild, `required` is a switch on the property.
            let names = facet.get("required").and_then(Value::as_array);
            required.extend(names.into_iter().flatten().filter_map(Value::as_str));
        }
        let must: HashSet<&str> = required.iter().copied().collect();
        let mut seen = HashSet::new();
        let declared = keys.iter().flat_map(|k| k.named.iter().map(|(name, _)| *name));
        let names: Vec<&'s str> = declared.chain(required).filter(|name| seen.insert(*name)).collect();
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            let parts: Vec<Facet<'s>> = keys.iter().flat_map(|k| k.at(name)).collect();
            let exact = parts.iter().any(|part| part.get("x-exact") == Some(&Value::Bool(true)));
            let shape = self.of(parts);
            let required = must.contains(name);
            if shape.id != NEVER {
                fields.push(Field { name: name.into(), shape, required, exact });
            } else if required {
                return Kind::Never;
            }
        }
        let mut rest = self.rest(&keys, facets);
        if self.policy == Policy::Declared && matches!(rest, Rest::Open) {
            fields.extend(self.conditional(facets, &seen));
            if fields.is_empty() {
                rest = Rest::Of(Use { id: ANY, about: None });
            }
        }
        let mut words = Map::new();
        for facet in facets {
            for key in ["minProperties", "maxProperties", "propertyNames"] {
                if let Some(value) = facet.get(key) {
                    words.entry(key).or_insert_with(|| value.clone());
                }
            }
        }
        named(&mut fields, &mut rest, &mut words);
        if is_map(facets, &fields, &rest) {
            fields.iter_mut().for_each(|field| field.exact = true);
        }
        Kind::Object(Object { fields, rest, words })
    }

    fn rest(&mut self, keys: &[Keys<'s>], facets: &[Facet<'s>]) -> Rest {
        let mut rest = Rest::Open;
        for side in keys {
            if side.is_free() {
                continue;
            }
            let mut options: Vec<Use> = Vec::new();
            for (_, place) in &side.patterns {
                options.push(self.of(vec![Facet::new(place.clone())]));
            }
            match &side.additional {
                Some(place) => options.push(self.of(vec![Facet::new(place.clone())])),
                None if self.policy == Policy::Exact => options.push(Use { id: ANY, about: None }),
                None => {}
            }
            options.retain(|option| option.id != NEVER);
            if options.is_empty() {
                return Rest::Closed;
            }
            let anything = options.iter().any(|option| option.id == ANY);
            // The first that constrains counts: it holds all that both allow.
            rest = match rest {
                Rest::Of(before) if before.id != ANY => Rest::Of(before),
                _ if anything => Rest::Of(Use { id: ANY, about: None }),
                _ => Rest::Of(self.any_of(options)),
            };
        }
        if matches!(rest, Rest::Open) && facets.iter().any(seals) && !facets.iter().any(evaluates) {
            Rest::Closed
        } else {
            rest
        }
    }

    /// Properties that are declared under a condition only: they may be there, so they are said.
    fn conditional(&mut self, facets: &[Facet<'s>], seen: &HashSet<&'s str>) -> Vec<Field> {
        let mut found: Vec<(&'s str, Vec<Use>)> = Vec::new();
        for facet in facets {
            let branches = ["then", "else"].into_iter().filter_map(|key| facet.under(key));
            let unions = ["anyOf", "oneOf"].into_iter().flat_map(|key| facet.list(key));
            let dependent = ["dependentSchemas", "dependencies"];
            let dependent = dependent.into_iter().flat_map(|key| facet.named(key).into_iter().map(|(_, place)| place));
            // Unions that were taken apart are skipped by the facet; what is left here was too large for that.
            let places: Vec<Place<'s>> = branches.chain(unions).chain(dependent).collect();
            for place in places {
                for (name, place) in Facet::new(place).named("properties") {
                    if seen.contains(name) {
                        continue;
                    }
                    let shape = self.of(vec![Facet::new(place)]);
                    match found.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, shapes)) => shapes.push(shape),
                        None => found.push((name, vec![shape])),
                    }
                }
            }
        }
        let field = |(name, mut shapes): (&str, Vec<Use>)| {
            shapes.retain(|shape| shape.id != NEVER);
            let mut distinct: Vec<Use> = Vec::new();
            for shape in shapes {
                if distinct.iter().all(|known| known.id != shape.id) {
                    distinct.push(shape);
                }
            }
            let shape = self.any_of(distinct);
            (shape.id != NEVER).then(|| Field { name: name.into(), shape, required: false, exact: false })
        };
        found.into_iter().filter_map(field).collect()
    }
}

/// A map whose keys are an enum is printed as a closed object of optional properties. It has an entry or it has none,
/// which null must not blur; a struct that looks so is a definition of its own.
fn is_map(facets: &[Facet<'_>], fields: &[Field], rest: &Rest) -> bool {
    let inline = |facet: &Facet<'_>| {
        let parent = facet.place.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        !parent.ends_with("/$defs") && !parent.ends_with("/definitions")
    };
    matches!(rest, Rest::Closed) && fields.iter().all(|field| !field.required) && facets.iter().all(inline)
}

/// A map whose keys are listed is an object with these keys.
fn named(fields: &mut Vec<Field>, rest: &mut Rest, words: &mut Map<String, Value>) {
    let names = words.get("propertyNames").and_then(|names| names.get("enum")).and_then(Value::as_array);
    let (Rest::Of(shape), Some(names)) = (&*rest, names) else { return };
    let all: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
    let Some(all) = all else { return };
    for name in all {
        if fields.iter().all(|field| &*field.name != name) {
            fields.push(Field { name: name.into(), shape: shape.clone(), required: false, exact: false });
        }
    }
    *rest = Rest::Closed;
    words.shift_remove("propertyNames");
}

/// Whether a facet closes the object once all that has its say about it is known.
fn seals(facet: &Facet<'_>) -> bool {
    facet.get("unevaluatedProperties") == Some(&Value::Bool(false))
}

/// Whether a facet may account for keys in a way that is not among the fields: then nothing is closed. Several branches
/// of an `anyOf` can have their say at once.
fn evaluates(facet: &Facet<'_>) -> bool {
    const KEYS: &[&str] = &["if", "dependentSchemas", "dependencies", "anyOf", "$dynamicRef", "$recursiveRef"];
    let map = facet.map();
    map.is_some_and(|map| KEYS.iter().any(|key| map.contains_key(*key)))
        || facet.get("oneOf").is_some()
        || facet.get("unevaluatedProperties").is_some_and(|value| *value != Value::Bool(false))
}
