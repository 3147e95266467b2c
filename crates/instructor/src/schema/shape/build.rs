//! From a schema as JSON to its shapes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::check::kind::Kinds;
use super::super::draft::Draft;
use super::super::resolve::Place;
use super::expand::{Expanded, Facet, Used, expand};
use super::{Id, Kind, Policy, Shape, Shapes, Union, Use, settle};

/// All shapes of a schema.
pub(in crate::schema) fn shapes(document: &Value, policy: Policy) -> Shapes {
    let draft = Draft::of(document).unwrap_or(Draft::V2020);
    let place = Place::root(document, draft);
    let mut builder = Builder { draft, policy, list: Vec::new(), known: HashMap::new(), open: Vec::new() };
    let any = builder.push(Shape::default());
    let never = builder.push(Shape { kind: Kind::Never, ..Shape::default() });
    debug_assert_eq!((any, never), (ANY, NEVER));
    let root = builder.part(place);
    // A list instead of recursion: the depth of the document is not bounded by the stack.
    while let Some((id, facets)) = builder.open.pop() {
        let shape = builder.shape(&facets);
        builder.set(id, shape);
    }
    let mut shapes = Shapes { list: builder.list, root, policy };
    settle::settle(&mut shapes);
    shapes
}

/// The positions of the two shapes that every list begins with.
pub(in crate::schema) const ANY: Id = 0;
pub(super) const NEVER: Id = 1;

/// Intersections of unions can have more alternatives than anyone wrote: above this many, the rest of the unions is
/// left to the check.
const PRODUCT: usize = 60;

/// Shapes above which what is left is anything: a schema that multiplies itself is no better said in full.
const MOST: usize = 20_000;

pub(super) struct Builder<'s> {
    pub(super) draft: Draft,
    pub(super) policy: Policy,
    list: Vec<Shape>,
    /// By the addresses of the facets: a shape is built once, however often it is used.
    known: HashMap<Vec<(*const Value, Used)>, Id>,
    open: Vec<(Id, Vec<Facet<'s>>)>,
}

impl<'s> Builder<'s> {
    fn push(&mut self, shape: Shape) -> Id {
        self.list.push(shape);
        self.list.len() - 1
    }

    fn set(&mut self, id: Id, shape: Shape) {
        if let Some(slot) = self.list.get_mut(id) {
            *slot = shape;
        }
    }

    /// The shape of one place.
    fn part(&mut self, place: Place<'s>) -> Use {
        self.of(vec![Facet::new(place)])
    }

    /// The shape of what all these say together; built later if it is new.
    pub(super) fn of(&mut self, parts: Vec<Facet<'s>>) -> Use {
        let Expanded { facets, never, about } = expand(parts, self.draft);
        let about = about.map(Box::from);
        if never {
            return Use { id: NEVER, about: None };
        }
        if facets.is_empty() {
            return Use { id: ANY, about };
        }
        let key: Vec<_> = facets.iter().map(|f| (std::ptr::from_ref(f.place.schema), f.used)).collect();
        if let Some(id) = self.known.get(&key) {
            return Use { id: *id, about };
        }
        if self.list.len() >= MOST {
            return Use { id: ANY, about };
        }
        let id = self.push(Shape::default());
        self.known.insert(key, id);
        self.open.push((id, facets));
        Use { id, about }
    }

    /// The shape of any of these.
    pub(super) fn any_of(&mut self, mut options: Vec<Use>) -> Use {
        options.dedup();
        match options.as_slice() {
            [only] => only.clone(),
            [] => Use { id: NEVER, about: None },
            several if several.iter().any(|option| option.id == ANY) => Use { id: ANY, about: None },
            _ => {
                let kind = Kind::Union(Union { alternatives: options, exclusive: false });
                Use { id: self.push(Shape { kind, ..Shape::default() }), about: None }
            }
        }
    }

    fn shape(&mut self, facets: &[Facet<'s>]) -> Shape {
        let mut shape = described(facets);
        let kinds = facets.iter().filter_map(|f| f.get("type")).fold(Kinds::ANY, |all, value| all.and(kinds(value)));
        shape.kind = match values(facets, kinds, self.draft) {
            Some(values) if values.is_empty() => Kind::Never,
            Some(values) => Kind::Values(values),
            None => match self.distributed(facets, &mut shape.local) {
                Some(union) => union,
                None => self.by_kind(facets, kinds, &mut shape.local),
            },
        };
        shape
    }

    /// Facets with unions: their branches, each together with all else that is said.
    fn distributed(&mut self, facets: &[Facet<'s>], local: &mut Map<String, Value>) -> Option<Kind> {
        let mut base = facets.to_vec();
        let mut products: Vec<Vec<Place<'s>>> = vec![Vec::new()];
        let mut exclusive = false;
        for (i, facet) in facets.iter().enumerate() {
            for key in ["anyOf", "oneOf"] {
                let branches = facet.list(key);
                if branches.is_empty() {
                    continue;
                }
                let shaped = branches.iter().any(|branch| shapes_values(branch.schema, facet));
                if !shaped || (products.len() > 1 && products.len() * branches.len() > PRODUCT) {
                    note(local, key, facet.get(key));
                    self.forget(&mut base, i, key);
                    continue;
                }
                exclusive |= key == "oneOf";
                self.forget(&mut base, i, key);
                let with = |product: &Vec<Place<'s>>, branch: &Place<'s>| {
                    product.iter().chain([branch]).cloned().collect::<Vec<_>>()
                };
                products = products.iter().flat_map(|p| branches.iter().map(move |b| with(p, b))).collect();
            }
        }
        if products.len() == 1 && products.first().is_some_and(Vec::is_empty) {
            return None;
        }
        let alternatives = products
            .into_iter()
            .map(|product| {
                // The branch first where nothing else is said, so that its own description counts.
                let plain = base.iter().all(bare);
                let branches = product.into_iter().map(Facet::new);
                let parts = if plain { branches.collect() } else { base.iter().cloned().chain(branches).collect() };
                self.of(parts)
            })
            .collect();
        Some(Kind::Union(Union { alternatives, exclusive }))
    }

    fn forget(&self, base: &mut [Facet<'s>], index: usize, key: &str) {
        if let Some(facet) = base.get_mut(index) {
            match key {
                "anyOf" => facet.used.any_of = true,
                _ => facet.used.one_of = true,
            }
        }
    }

    fn by_kind(&mut self, facets: &[Facet<'s>], kinds: Kinds, local: &mut Map<String, Value>) -> Kind {
        for key in LOCAL {
            for facet in facets {
                note(local, key, facet.get(key));
            }
        }
        let mut open = false;
        let kinds = if kinds == Kinds::ANY {
            let meant = self.meant(facets);
            open = self.policy == Policy::Exact;
            if meant.is_empty() {
                return Kind::Any;
            }
            meant
        } else {
            kinds
        };
        let mut found = Vec::new();
        for (kind, one) in EACH {
            let common = kinds.and(*kind);
            if !common.is_empty() {
                found.push(self.single(*one, common, facets));
            }
        }
        if found.len() == 1 && !open {
            return found.pop().unwrap_or(Kind::Never);
        }
        let at: Box<str> = facets.first().map_or("", |f| f.place.pointer.as_str()).into();
        let mut alternatives: Vec<Use> = Vec::with_capacity(found.len() + 1);
        for kind in found {
            let id = self.push(Shape { kind, at: at.clone(), ..Shape::default() });
            alternatives.push(Use { id, about: None });
        }
        if open {
            alternatives.push(Use { id: ANY, about: None });
        }
        if alternatives.is_empty() {
            return Kind::Never;
        }
        Kind::Union(Union { alternatives, exclusive: false })
    }

    /// The kinds that a schema without `type` is about.
    fn meant(&self, facets: &[Facet<'s>]) -> Kinds {
        let says = |keys: &[&str]| facets.iter().any(|f| keys.iter().any(|key| f.get(key).is_some()));
        let declared = self.policy == Policy::Declared;
        let mut kinds = Kinds::NONE;
        for (kind, structure, constraints) in MEANT {
            if says(structure) || (declared && says(constraints)) {
                kinds = kinds.or(*kind);
            }
        }
        kinds
    }

    fn single(&mut self, one: One, kinds: Kinds, facets: &[Facet<'s>]) -> Kind {
        match one {
            One::Null => Kind::Null,
            One::Bool => Kind::Bool,
            One::Number if kinds == Kinds::INTEGER => Kind::Integer(bounds(facets)),
            One::Number => Kind::Number(bounds(facets)),
            One::Text => Kind::Text(texts(facets)),
            One::Array => self.array(facets),
            One::Object => self.object(facets),
        }
    }
}

#[derive(Clone, Copy)]
enum One {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// Kinds in the order in which they are said: null last, as in `string | null`.
const EACH: &[(Kinds, One)] = &[
    (Kinds::OBJECT, One::Object),
    (Kinds::ARRAY, One::Array),
    (Kinds::STRING, One::Text),
    (Kinds::NUMBER, One::Number),
    (Kinds::BOOL, One::Bool),
    (Kinds::NULL, One::Null),
];

/// Keywords by the kind that they are about: those that give it parts, and those that only constrain it.
const MEANT: &[(Kinds, &[&str], &[&str])] = &[
    (
        Kinds::OBJECT,
        &["properties", "patternProperties", "additionalProperties", "required"],
        &["minProperties", "maxProperties", "propertyNames", "dependentRequired", "dependentSchemas"],
    ),
    (Kinds::ARRAY, &["items", "prefixItems"], &["minItems", "maxItems", "uniqueItems", "contains"]),
    (Kinds::STRING, &[], &["pattern", "minLength", "maxLength"]),
    (Kinds::NUMBER, &[], &["minimum", "maximum", "multipleOf"]),
];

/// Keywords that are enforced by the check alone, whatever the kind.
const LOCAL: &[&str] = &[
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "contentEncoding",
    "contentMediaType",
];

fn note(local: &mut Map<String, Value>, key: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|value| !matches!(value, Value::Bool(false))) {
        local.entry(key).or_insert_with(|| value.clone());
    }
}

/// Whether nothing but used-up unions and notes is left of a facet.
fn bare(facet: &Facet<'_>) -> bool {
    expand(vec![facet.clone()], Draft::V2020).facets.is_empty()
}

/// Whether a branch says of its values more than which keys have to be there.
fn shapes_values(branch: &Value, base: &Facet<'_>) -> bool {
    const KEYS: &[&str] = &[
        "enum",
        "const",
        "properties",
        "patternProperties",
        "additionalProperties",
        "items",
        "prefixItems",
        "additionalItems",
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "anyOf",
        "oneOf",
        "allOf",
    ];
    match branch {
        Value::Object(map) => {
            KEYS.iter().any(|key| map.contains_key(*key))
                || (map.contains_key("type") && map.get("type") != base.get("type"))
        }
        Value::Bool(true) => false,
        _ => true,
    }
}

fn described(facets: &[Facet<'_>]) -> Shape {
    let text = |key: &str| facets.iter().find_map(|f| f.map()?.get(key)?.as_str()).map(Box::from);
    let at: Box<str> = facets.first().map_or("", |f| f.place.pointer.as_str()).into();
    let defined = at.rsplit_once('/').filter(|(under, _)| under.ends_with("/$defs") || under.ends_with("/definitions"));
    let name = defined.map(|(_, name)| Box::from(name)).or_else(|| text("title"));
    let mut local = Map::new();
    for facet in facets {
        note(&mut local, "default", facet.map().and_then(|map| map.get("default")));
    }
    Shape { about: text("description"), name, at, local, kind: Kind::Any }
}

fn kinds(value: &Value) -> Kinds {
    match value {
        Value::String(name) => Kinds::named(name).unwrap_or(Kinds::ANY),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .fold(Kinds::NONE, |all, name| all.or(Kinds::named(name).unwrap_or(Kinds::ANY))),
        _ => Kinds::ANY,
    }
}

/// The values that `enum` and `const` leave, in their order; none where neither is there.
fn values(facets: &[Facet<'_>], kinds: Kinds, draft: Draft) -> Option<Vec<Value>> {
    let mut left: Option<Vec<Value>> = None;
    for facet in facets {
        let listed = facet.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let only = facet.get("const").filter(|_| draft >= Draft::V6).map(std::slice::from_ref);
        for list in listed.into_iter().chain(only) {
            left = Some(match left {
                None => list.to_vec(),
                Some(before) => before.into_iter().filter(|value| list.iter().any(|v| same(v, value))).collect(),
            });
        }
    }
    let mut distinct: Vec<Value> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for value in left? {
        if is_of(&value, kinds) && seen.insert(value.to_string()) {
            distinct.push(value);
        }
    }
    Some(distinct)
}

/// Equality as JSON Schema has it: 1 and 1.0 are the same.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Whether a value is of one of the kinds.
fn is_of(value: &Value, kinds: Kinds) -> bool {
    let kind = match value {
        Value::Null => Kinds::NULL,
        Value::Bool(_) => Kinds::BOOL,
        Value::Number(n) if n.as_f64().is_some_and(|n| n.fract() == 0.0) => Kinds::INTEGER,
        Value::Number(_) => return kinds.and(Kinds::NUMBER) == Kinds::NUMBER,
        Value::String(_) => Kinds::STRING,
        Value::Array(_) => Kinds::ARRAY,
        Value::Object(_) => Kinds::OBJECT,
    };
    !kinds.and(kind).is_empty()
}

/// What is said about numbers, the tightest of each keyword.
fn bounds(facets: &[Facet<'_>]) -> Map<String, Value> {
    let mut out = Map::new();
    for facet in facets {
        for (key, other, tighter) in [
            ("minimum", "exclusiveMinimum", f64::gt as fn(&f64, &f64) -> bool),
            ("maximum", "exclusiveMaximum", f64::lt),
            ("exclusiveMinimum", "", f64::gt),
            ("exclusiveMaximum", "", f64::lt),
            ("multipleOf", "", f64::gt),
        ] {
            let Some(value @ Value::Number(number)) = facet.get(key) else { continue };
            // Draft 4 has a switch beside the bound.
            let switched = facet.get(other) == Some(&Value::Bool(true));
            let key = if switched { other } else { key };
            let (Some(number), held) = (number.as_f64(), out.get(key).and_then(Value::as_f64)) else { continue };
            if held.is_none_or(|held| tighter(&number, &held)) {
                out.insert(String::from(key), value.clone());
            }
        }
        if let Some(format) = facet.get("format").and_then(Value::as_str) {
            width(format, &mut out);
        }
    }
    out
}

/// The bounds that an integer format of up to 32 bits stands for: schemars writes them for 8 bits only.
fn width(format: &str, out: &mut Map<String, Value>) {
    let Some((least, most)) = super::super::check::format::integer_range(format) else { return };
    if most > i128::from(u32::MAX) {
        return;
    }
    let (Ok(least), Ok(most)) = (i64::try_from(least), i64::try_from(most)) else { return };
    if !out.contains_key("exclusiveMinimum") {
        out.entry("minimum").or_insert_with(|| Value::from(least));
    }
    if !out.contains_key("exclusiveMaximum") {
        out.entry("maximum").or_insert_with(|| Value::from(most));
    }
}

/// What is said about strings, the tightest of each keyword; of several patterns the first.
fn texts(facets: &[Facet<'_>]) -> Map<String, Value> {
    let mut out = Map::new();
    for facet in facets {
        for key in ["minLength", "maxLength", "pattern", "format"] {
            let Some(value) = facet.get(key) else { continue };
            let tighter = match (out.get(key).and_then(Value::as_f64), value.as_f64()) {
                (Some(held), Some(new)) => (key == "minLength") == (new > held),
                _ => !out.contains_key(key),
            };
            if tighter {
                out.insert(String::from(key), value.clone());
            }
        }
    }
    out
}
