//! Values of a schema, out of a seed.
//!
//! A value is drawn from the [shapes](super::shape), which say more than enough of what most schemas allow. What they do not
//! say (`not`, `if`, `oneOf`, of which exactly one has to fit ..) is left to the check: whoever draws checks what was drawn, and draws
//! again. Each attempt is made in another way: with all properties, with those alone that have to be there, and between.

mod broken;
mod numbers;
mod random;
mod text;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub(crate) use self::broken::broken;
pub(crate) use self::random::Random;
pub(crate) use self::text::{sentence, word};
use super::check::nearest::letters;
use super::shape::{Array, Kind, Object, Policy, Rest, Shape, Shapes, Use, shapes};

/// A schema whose values are drawn.
pub(crate) struct Samples<'s> {
    document: &'s Value,
    shapes: Shapes,
    /// For each shape, how deep its smallest value is; none where it has no value that ends.
    depths: Vec<Option<usize>>,
    /// The values that it names.
    literals: Vec<&'s Value>,
}

/// How deep values are by their own choice, and how many parts they have.
const DEEP: usize = 6;
const MANY: usize = 300;

/// Where smallest values are deeper, so that none of them is drawn.
const DEEPEST: usize = 100;

impl<'s> Samples<'s> {
    pub(crate) fn of(document: &'s Value, policy: Policy) -> Self {
        let shapes = shapes(document, policy);
        let depths = depths(&shapes);
        let mut literals = Vec::new();
        named(document, &mut literals);
        Self { document, shapes, depths, literals }
    }

    /// A value that fits as far as shapes tell; none if there is none.
    pub(crate) fn draw(&self, seed: u64, attempt: u32) -> Option<Value> {
        let mut random = Random::new(seed ^ u64::from(attempt).wrapping_mul(0xd6e8_feb8_6659_fd93));
        // The first attempts are what people write; the others look for what fits.
        let optional = match attempt % 6 {
            0 => 0.8,
            1 => 1.0,
            2 => 0.0,
            3 => 0.5,
            _ => random.fraction(),
        };
        let root = &self.shapes.root;
        self.depth(root).filter(|depth| *depth < DEEPEST)?;
        let mut draw = Draw { samples: self, random, optional, odd: attempt > 0, drawn: 0 };
        Some(draw.value(root, "", 0))
    }

    fn depth(&self, part: &Use) -> Option<usize> {
        self.depths.get(part.id).copied().flatten()
    }

    /// The schema that a part stands for, as it is written.
    fn written(&self, shape: &Shape) -> Option<&'s Value> {
        self.document.pointer(&shape.at)
    }

    /// A value of another schema of the same document.
    fn other(&self, schema: &Value, random: &mut Random) -> Option<Value> {
        let mut document = Map::new();
        for key in ["$schema", "$defs", "definitions"] {
            if let Some(value) = self.document.get(key) {
                document.insert(String::from(key), value.clone());
            }
        }
        document.insert(String::from("allOf"), Value::Array(vec![schema.clone()]));
        Samples::of(&Value::Object(document), self.shapes.policy).draw(random.next(), 0)
    }
}

/// The values that a schema names anywhere.
fn named<'s>(schema: &'s Value, out: &mut Vec<&'s Value>) {
    match schema {
        Value::Object(map) => {
            out.extend(map.get("const"));
            out.extend(map.get("enum").and_then(Value::as_array).into_iter().flatten());
            map.values().for_each(|part| named(part, out));
        }
        Value::Array(parts) => parts.iter().for_each(|part| named(part, out)),
        _ => {}
    }
}

/// The depth of the smallest value of each shape: from those that need nothing to those that need them.
fn depths(shapes: &Shapes) -> Vec<Option<usize>> {
    let mut depths: Vec<Option<usize>> = vec![None; shapes.list.len()];
    loop {
        let mut changed = false;
        for id in 0..shapes.list.len() {
            let of = |part: &Use| depths.get(part.id).copied().flatten();
            let deepest = |parts: Vec<&Use>| parts.into_iter().try_fold(0, |most, part| Some(of(part)?.max(most)));
            let found = match &shapes.get(id).kind {
                Kind::Never => None,
                Kind::Union(union) => union.alternatives.iter().filter_map(of).min(),
                Kind::Array(array) => {
                    let needed = array.min.min(array.prefix.len() as u64) as usize;
                    let rest = array.rest.iter().filter(|_| array.min > array.prefix.len() as u64);
                    deepest(array.prefix.iter().take(needed).chain(rest).collect()).map(|depth| depth + 1)
                }
                Kind::Object(object) => {
                    let needed = object.fields.iter().filter(|field| field.required);
                    deepest(needed.map(|field| &field.shape).collect()).map(|depth| depth + 1)
                }
                _ => Some(0),
            };
            if let Some(slot) =
                depths.get_mut(id).filter(|slot| found.is_some() && slot.is_none_or(|depth| Some(depth) > found))
            {
                *slot = found;
                changed = true;
            }
        }
        if !changed {
            return depths;
        }
    }
}

/// A value that is being drawn.
struct Draw<'d, 's> {
    samples: &'d Samples<'s>,
    random: Random,
    /// How likely what may be left out is there.
    optional: f64,
    /// Whether what is said to be anything is anything indeed.
    odd: bool,
    drawn: usize,
}

impl Draw<'_, '_> {
    fn value(&mut self, part: &Use, name: &str, depth: usize) -> Value {
        self.drawn += 1;
        let samples = self.samples;
        let shape = samples.shapes.get(part.id);
        match &shape.kind {
            Kind::Any | Kind::Never => self.any(shape, name, depth),
            Kind::Null => Value::Null,
            Kind::Bool => Value::Bool(self.random.chance(0.5)),
            Kind::Integer(words) => numbers::integer(words, name, &mut self.random),
            Kind::Number(words) => numbers::number(words, name, &mut self.random),
            Kind::Text(words) => text::text(words, name, &mut self.random).into(),
            Kind::Values(values) => self.random.pick(values).cloned().unwrap_or_default(),
            Kind::Array(array) => self.array(shape, array, name, depth),
            Kind::Object(object) => self.object(shape, object, depth),
            Kind::Union(union) => {
                let chosen = self.alternative(&union.alternatives, depth);
                chosen.map_or(Value::Null, |part| self.value(part, name, depth))
            }
        }
    }

    /// Whether it is time to come to an end.
    const fn is_enough(&self, depth: usize) -> bool {
        depth >= DEEP || self.drawn >= MANY
    }

    fn alternative<'u>(&mut self, alternatives: &'u [Use], depth: usize) -> Option<&'u Use> {
        let samples = self.samples;
        let known = || alternatives.iter().filter_map(|part| Some((samples.depth(part)?, part)));
        if self.is_enough(depth) {
            return known().min_by_key(|(depth, _)| *depth).map(|(_, part)| part);
        }
        let (nulls, others): (Vec<&Use>, Vec<&Use>) =
            known().map(|(_, part)| part).partition(|part| matches!(samples.shapes.get(part.id).kind, Kind::Null));
        let null = !nulls.is_empty() && (others.is_empty() || self.random.chance(1.0 - self.optional.clamp(0.2, 0.8)));
        self.random.pick(if null { &nulls } else { &others }).copied()
    }

    fn any(&mut self, shape: &Shape, name: &str, depth: usize) -> Value {
        // What is said of texts alone leaves all else open.
        let format = self.samples.written(shape).and_then(|schema| schema.get("format"));
        let words = format.map(|format| Map::from_iter([(String::from("format"), format.clone())])).unwrap_or_default();
        let kinds = if !self.odd || self.is_enough(depth) { 1 } else { 8 };
        let any = Use { id: super::shape::ANY, about: None };
        match self.random.below(kinds) {
            0 => text::text(&words, name, &mut self.random).into(),
            1 => numbers::integer(&Map::new(), name, &mut self.random),
            2 => Value::Bool(self.random.chance(0.5)),
            3 => Value::Null,
            4 => numbers::number(&Map::new(), name, &mut self.random),
            5 => Value::Array((0..self.random.below(4)).map(|_| self.value(&any, name, depth + 1)).collect()),
            6 => {
                let keys: Vec<&str> = (0..self.random.below(4)).map(|_| text::word(&mut self.random)).collect();
                let pair = |key: &str| (String::from(key), self.value(&any, key, depth + 1));
                Value::Object(keys.into_iter().map(pair).collect())
            }
            // What the schema speaks of somewhere.
            _ => self.random.pick(&self.samples.literals).copied().cloned().unwrap_or_default(),
        }
    }

    fn array(&mut self, shape: &Shape, array: &Array, name: &str, depth: usize) -> Value {
        let least = array.min as usize;
        let most = array.max.map_or(usize::MAX, |max| max as usize);
        // A tuple is whole unless it may not be.
        let usual = least.max(array.prefix.len()).min(most);
        let length = match &array.rest {
            _ if self.is_enough(depth) => least,
            None => usual,
            Some(_) => {
                usual + self.random.below(most.saturating_sub(usual).min(if self.optional > 0.0 { 3 } else { 0 }) + 1)
            }
        };
        let unique = shape.local.contains_key("uniqueItems");
        let mut seen = HashSet::new();
        let mut items = Vec::with_capacity(length.min(MANY));
        while items.len() < length {
            let Some(part) = array.prefix.get(items.len()).or(array.rest.as_ref()) else { break };
            let mut item = self.value(part, singular(name), depth + 1);
            for _ in 0..32 {
                if !unique || seen.insert(item.to_string()) {
                    break;
                }
                item = self.value(part, singular(name), depth + 1);
            }
            items.push(item);
        }
        self.contained(shape, array, &mut items);
        Value::Array(items)
    }

    /// Puts in what has to be among the items.
    fn contained(&mut self, shape: &Shape, array: &Array, items: &mut Vec<Value>) {
        let Some(wanted) = shape.local.get("contains") else { return };
        let count = |key: &str| shape.local.get(key).and_then(Value::as_u64);
        let every =
            self.samples.written(shape).and_then(|schema| schema.get("items")).filter(|items| !items.is_array());
        let both = Value::Object(Map::from_iter([(
            String::from("allOf"),
            Value::Array([wanted].into_iter().chain(every).cloned().collect()),
        )]));
        let most = array.max.map_or(usize::MAX, |max| max as usize);
        // What is there already may be among them, so the attempts differ in how many are added.
        let needed = count("minContains").unwrap_or(1) as usize;
        for nth in 0..needed.min(MANY) {
            let Some(item) = self.samples.other(&both, &mut self.random) else { return };
            let at = array.prefix.len() + nth;
            let full = items.len() >= most;
            match items.get_mut(at) {
                Some(slot) => *slot = item,
                None if full => return,
                None => items.push(item),
            }
        }
    }

    fn object(&mut self, shape: &Shape, object: &Object, depth: usize) -> Value {
        let count = |key: &str| object.words.get(key).and_then(Value::as_f64).map(|n| n.max(0.0) as usize);
        let (least, most) = (count("minProperties").unwrap_or(0), count("maxProperties").unwrap_or(usize::MAX));
        let enough = self.is_enough(depth);
        let required = object.fields.iter().filter(|field| field.required).count();
        let mut room = most.saturating_sub(required);
        let mut out = Map::new();
        for field in &object.fields {
            let known = self.samples.depth(&field.shape).is_some();
            let likely = self.optional * (1.0 - depth as f64 / DEEP as f64);
            let wanted = field.required || (known && !enough && room > 0 && self.random.chance(likely));
            if wanted {
                room -= usize::from(!field.required && room > 0);
                let value = self.value(&field.shape, &letters(&field.name), depth + 1);
                out.insert(String::from(&*field.name), value);
            }
        }
        self.together(shape, object, depth, &mut out);
        // What may be left out, while there is too little.
        for field in &object.fields {
            if out.len() < least && !out.contains_key(&*field.name) && self.samples.depth(&field.shape).is_some() {
                let value = self.value(&field.shape, &letters(&field.name), depth + 1);
                out.insert(String::from(&*field.name), value);
            }
        }
        self.further(shape, object, (least, most), depth, &mut out);
        Value::Object(out)
    }

    /// Adds the properties that have to be there with those that are.
    fn together(&mut self, shape: &Shape, object: &Object, depth: usize, out: &mut Map<String, Value>) {
        let rules =
            ["dependentRequired", "dependencies"].into_iter().filter_map(|key| shape.local.get(key)?.as_object());
        let rules: Vec<(&String, &Vec<Value>)> =
            rules.flatten().filter_map(|(key, names)| Some((key, names.as_array()?))).collect();
        for _ in 0..rules.len() {
            let held = |key: &&(&String, &Vec<Value>)| out.contains_key(key.0);
            let names: Vec<&str> =
                rules.iter().filter(held).flat_map(|(_, names)| *names).filter_map(Value::as_str).collect();
            for name in names.into_iter().filter(|name| !out.contains_key(*name)).collect::<Vec<_>>() {
                let field = object.fields.iter().find(|field| &*field.name == name);
                let value = match field {
                    Some(field) => self.value(&field.shape, &letters(name), depth + 1),
                    None => text::word(&mut self.random).into(),
                };
                out.insert(String::from(name), value);
            }
        }
    }

    /// Adds keys that are not declared: to maps, and where there have to be more.
    fn further(
        &mut self,
        shape: &Shape,
        object: &Object,
        (least, most): (usize, usize),
        depth: usize,
        out: &mut Map<String, Value>,
    ) {
        let any = Use { id: super::shape::ANY, about: None };
        let part = match &object.rest {
            Rest::Closed => return,
            Rest::Open if out.len() >= least => return,
            Rest::Open => &any,
            Rest::Of(part) => part,
        };
        if self.samples.depth(part).is_none() {
            return;
        }
        let map = object.fields.is_empty() && matches!(object.rest, Rest::Of(_));
        let more = if map && !self.is_enough(depth) && self.optional > 0.0 { 1 + self.random.below(3) } else { 0 };
        let length = (out.len() + more).max(least).min(most);
        // A name that fits is not found at once everywhere.
        for _ in 0..16 * (length + 1) {
            if out.len() >= length {
                return;
            }
            let key = self.key(shape, object);
            if !out.contains_key(&key) {
                let value = self.value(part, &letters(&key), depth + 1);
                out.insert(key, value);
            }
        }
    }

    fn key(&mut self, shape: &Shape, object: &Object) -> String {
        if let Some(names) = object.words.get("propertyNames") {
            let drawn = self.samples.other(names, &mut self.random);
            if let Some(Value::String(key)) = drawn {
                return key;
            }
        }
        let written = self.samples.written(shape);
        let patterns = written.and_then(|schema| schema.get("patternProperties")).and_then(Value::as_object);
        let patterns: Vec<&String> = patterns.into_iter().flat_map(Map::keys).collect();
        let words = self
            .random
            .pick(&patterns)
            .map(|pattern| Map::from_iter([(String::from("pattern"), Value::String(String::from(pattern.as_str())))]));
        match words {
            Some(words) => text::text(&words, "", &mut self.random),
            None => String::from(text::word(&mut self.random)),
        }
    }
}

/// The name of an item, from that of the list.
fn singular(name: &str) -> &str {
    name.strip_suffix('s').filter(|name| !name.ends_with('s')).unwrap_or(name)
}
