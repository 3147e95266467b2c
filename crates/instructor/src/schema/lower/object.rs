//! Objects and arrays: fields that may be left out, maps, tuples.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::check::kind::Kinds;
use super::super::dialect::Optional;
use super::super::plan::{
    Fields, Item, KEY, MORE, Named, Op, Plan, Presence, Rest as RestStep, Step, VALUE, item_name,
};
use super::super::shape::{ANY, Array, Field, Id, Kind, Object, Rest, Use};
use super::emit::{At, Emitter, Node, closed, none_or_one, typed};
use super::{Counted, Moved};

/// The names that the fields of an object go out under.
pub(super) struct SentNames {
    pub(super) fields: Vec<Box<str>>,
    /// The name of the property that holds undeclared keys, if a dialect needs one.
    pub(super) rest: Option<Box<str>>,
}

impl Emitter<'_> {
    pub(super) fn sent_names(&self, object: &Object) -> SentNames {
        let mut taken: HashSet<Box<str>> = object.fields.iter().map(|field| field.name.clone()).collect();
        let mut fresh = |base: String| {
            let mut name: Box<str> = base.as_str().into();
            let mut next = 2;
            while !taken.insert(name.clone()) {
                name = format!("{base}_{next}").into();
                next += 1;
            }
            name
        };
        let fields = object.fields.iter().map(|field| match &field.name {
            name if !self.rules.plain_names || is_plain(name) => name.clone(),
            name => {
                let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
                let base: String = name.chars().map(plain).take(58).collect();
                fresh(if base.is_empty() { String::from("empty") } else { base })
            }
        });
        let fields = fields.collect();
        SentNames { fields, rest: Some(fresh(String::from("additional_properties"))) }
    }

    /// How the absence of a field is said.
    pub(super) fn presence(&mut self, id: Id, fuel: u8, index: usize, field: &Field) -> Presence {
        if field.required {
            return Presence::Plain;
        }
        if let Optional::Native(_) = self.rules.optional {
            return if self.given_up((id, fuel, index)) { self.as_list(field, id, fuel) } else { Presence::Plain };
        }
        let faces = self.faces(field.shape.id, Some(id), fuel);
        let null = faces.is_none_or(|faces| faces.iter().any(|face| !face.kinds.and(Kinds::NULL).is_empty()));
        if !null {
            return Presence::Null;
        }
        // A type that reads null reads it as it reads nothing, unless it has a default of its own.
        let default = self.shapes.get(field.shape.id).local.get("default");
        let either = !self.is_exact() && !field.exact && default.is_none_or(Value::is_null);
        if either { Presence::Plain } else { self.as_list(field, id, fuel) }
    }

    fn as_list(&mut self, field: &Field, id: Id, fuel: u8) -> Presence {
        Presence::List(self.kinds_of(field.shape.id, id, fuel))
    }

    /// The kinds that lowered values can be of.
    pub(super) fn kinds_of(&mut self, id: Id, from: Id, fuel: u8) -> Kinds {
        let faces = self.faces(id, Some(from), fuel);
        faces.map_or(Kinds::ANY, |faces| faces.iter().fold(Kinds::NONE, |all, face| all.or(face.kinds)))
    }

    /// Whether the lowered object has to have the field.
    pub(super) fn is_required(&self, id: Id, fuel: u8, index: usize, field: &Field) -> bool {
        field.required || self.rules.optional == Optional::Required || self.given_up((id, fuel, index))
    }

    /// Whether undeclared keys may have any value as it is.
    pub(super) fn is_any_natively(&self, rest: &Use) -> bool {
        self.rules.maps && self.rules.open && matches!(self.shapes.get(rest.id).kind, Kind::Any)
    }

    pub(super) fn object(&mut self, part: &Use, object: &Object, at: At) -> Node {
        if object.fields.is_empty()
            && !matches!(object.rest, Rest::Closed)
            && (self.rules.maps || self.is_entries(object))
        {
            return self.map(part, object, at);
        }
        let id = part.id;
        let names = self.sent_names(object);
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut named = Vec::with_capacity(object.fields.len());
        let mut words = Vec::new();
        for (index, (field, sent)) in object.fields.iter().zip(names.fields).enumerate() {
            let node = self.emit(&field.shape, at.inside(id));
            let presence = self.presence(id, at.fuel, index, field);
            if sent != field.name {
                words.push(format!("{sent} stands for {:?}", field.name));
                self.change(field.shape.id, "a property has another name");
            }
            words.extend(node.aside.map(|aside| format!("{sent}: {aside}")));
            let must = self.is_required(id, at.fuel, index, field);
            if must {
                required.push(Value::from(&*sent));
            } else {
                self.point((id, at.fuel, index), Counted::Optional);
            }
            let schema = match presence {
                Presence::Plain => node.schema,
                Presence::Null => {
                    self.change(field.shape.id, "a property that is left out is null");
                    self.nullable(node.schema)
                }
                Presence::List(_) => {
                    self.change(field.shape.id, "a property is a list of none or one");
                    none_or_one(node.schema, self.rules)
                }
            };
            properties.insert(String::from(&*sent), Value::Object(schema));
            named.push(Named { name: field.name.clone(), sent, presence, required: must, step: node.step });
        }
        let mut rest = RestStep::Closed;
        let mut more = Value::Bool(false);
        match (&object.rest, names.rest.filter(|_| self.has_entries(object))) {
            (of, Some(name)) => {
                let anything = Use { id: ANY, about: None };
                let part = if let Rest::Of(part) = of { part } else { &anything };
                let (schema, step) = self.entries(part, id, at);
                required.push(Value::from(&*name));
                properties.insert(String::from(&*name), Value::Object(schema));
                self.change(id, "undeclared keys are a list of entries");
                rest = RestStep::Entries(name, step);
            }
            (Rest::Of(part), None) if self.is_any_natively(part) => {
                rest = RestStep::Same;
                more = Value::Bool(true);
            }
            (Rest::Of(part), None) => {
                let node = self.emit(part, at.inside(id));
                more = Value::Object(node.schema);
                rest = RestStep::Values(node.step);
            }
            (Rest::Open, None) if self.is_exact() && self.rules.open => {
                rest = RestStep::Same;
                more = Value::Bool(true);
            }
            (Rest::Open, None) if self.is_exact() => {
                let node = self.text(&Use { id: ANY, about: None });
                more = Value::Object(node.schema);
                rest = RestStep::Values(node.step);
            }
            (Rest::Open, None) => {}
            (Rest::Closed, None) => {}
        }
        let mut schema = closed(properties, Some(required));
        schema.insert(String::from("additionalProperties"), more);
        let shape = self.shapes.get(id);
        words.extend(self.moved(shape, &object.words));
        self.say(&mut schema, part, words);
        Node::new(schema, self.plan.push(Op::Object(Fields { named, rest })))
    }

    /// An object whose keys are free.
    fn map(&mut self, part: &Use, object: &Object, at: At) -> Node {
        let id = part.id;
        let anything = Use { id: ANY, about: None };
        let values = if let Rest::Of(values) = &object.rest { values } else { &anything };
        let shape = self.shapes.get(id);
        if self.rules.maps {
            let mut schema = typed("object");
            let mut rest = RestStep::Same;
            let values = if self.is_any_natively(values) {
                Value::Bool(true)
            } else {
                let node = self.emit(values, at.inside(id));
                rest = RestStep::Values(node.step);
                Value::Object(node.schema)
            };
            schema.insert(String::from("additionalProperties"), values);
            let words = self.moved(shape, &object.words);
            self.say(&mut schema, part, words);
            let fields = Fields { named: Vec::new(), rest };
            return Node::new(schema, self.plan.push(Op::Object(fields)));
        }
        let (mut schema, step) = self.entries(values, id, at);
        let mut left = object.words.clone();
        left.retain(|key, count| key != "minProperties" || count.as_u64() != Some(0));
        for (from, to) in [("minProperties", "minItems"), ("maxProperties", "maxItems")] {
            let count = left.get(from).and_then(Value::as_u64);
            if count.is_some_and(|count| self.takes_count(to, count))
                && let Some(count) = left.shift_remove(from)
            {
                schema.insert(String::from(to), count);
            }
        }
        let words = self.moved(shape, &left);
        self.say(&mut schema, part, words);
        self.change(id, "a map is a list of entries");
        Node::new(schema, self.plan.push(Op::Entries(step)))
    }

    /// A list of keys and values.
    fn entries(&mut self, values: &Use, id: Id, at: At) -> (Map<String, Value>, Step) {
        let node = self.emit(values, at.inside(id));
        let properties = [(KEY, typed("string")), (VALUE, node.schema)];
        let properties = properties.map(|(key, schema)| (String::from(key), Value::Object(schema)));
        let mut schema = typed("array");
        schema.insert(String::from("items"), Value::Object(closed(Map::from_iter(properties), None)));
        (schema, node.step)
    }

    fn takes_count(&self, key: &str, count: u64) -> bool {
        match key {
            "minItems" => (1..=self.rules.min_items).contains(&count),
            _ => self.rules.max_items.is_some_and(|most| count <= most),
        }
    }

    pub(super) fn array(&mut self, part: &Use, array: &Array, at: At) -> Node {
        if !array.prefix.is_empty() && !self.rules.tuples {
            return self.tuple(part, array, at);
        }
        let id = part.id;
        let mut schema = typed("array");
        let mut first = Vec::with_capacity(array.prefix.len());
        let mut prefix = Vec::with_capacity(array.prefix.len());
        for item in &array.prefix {
            let node = self.emit(item, at.inside(id));
            prefix.push(Value::Object(node.schema));
            first.push(node.step);
        }
        if !prefix.is_empty() {
            schema.insert(String::from("prefixItems"), Value::Array(prefix));
        }
        let mut words = Vec::new();
        let rest = match &array.rest {
            Some(item) => {
                let node = self.emit(item, at.inside(id));
                words.extend(node.aside.map(String::from));
                schema.insert(String::from("items"), Value::Object(node.schema));
                node.step
            }
            None => {
                if first.is_empty() {
                    schema.insert(String::from("items"), json!({ "type": "string" }));
                }
                Plan::SAME
            }
        };
        let mut left = Map::new();
        let bounds = [("minItems", Some(array.min).filter(|min| *min > 0)), ("maxItems", array.max)];
        for (key, count) in bounds {
            let Some(count) = count else { continue };
            if self.takes_count(key, count) {
                schema.insert(String::from(key), Value::from(count));
                continue;
            }
            left.insert(String::from(key), Value::from(count));
            if key == "minItems" && self.rules.min_items > 0 {
                schema.insert(String::from(key), Value::from(self.rules.min_items));
            }
        }
        words.extend(self.moved(self.shapes.get(id), &left));
        self.say(&mut schema, part, words);
        Node::new(schema, self.plan.push(Op::Array { first, rest }))
    }

    /// An array with a shape for each position, as an object.
    fn tuple(&mut self, part: &Use, array: &Array, at: At) -> Node {
        let id = part.id;
        let mut properties = Map::new();
        let mut first = Vec::with_capacity(array.prefix.len());
        let mut words = Vec::new();
        for (index, item) in array.prefix.iter().enumerate() {
            let node = self.emit(item, at.inside(id));
            words.extend(node.aside.map(|aside| format!("{}: {aside}", item_name(index))));
            let listed = index as u64 >= array.min;
            let schema = if listed { none_or_one(node.schema, self.rules) } else { node.schema };
            properties.insert(item_name(index), Value::Object(schema));
            first.push(Item { step: node.step, listed });
        }
        let more = array.rest.as_ref().map(|rest| {
            let node = self.emit(rest, at.inside(id));
            let mut list = typed("array");
            list.insert(String::from("items"), Value::Object(node.schema));
            properties.insert(String::from(MORE), Value::Object(list));
            node.step
        });
        let mut schema = closed(properties, None);
        let length = array.prefix.len() as u64;
        let mut left = Map::new();
        if array.min > length {
            left.insert(String::from("minItems"), Value::from(array.min));
        }
        if let Some(max) = array.max.filter(|max| *max > length) {
            left.insert(String::from("maxItems"), Value::from(max));
        }
        let shape = self.shapes.get(id);
        for key in left.keys() {
            self.lose(shape, key, Moved::Described, "the list is said as an object");
        }
        words.extend(super::words::phrases(&left));
        self.say(&mut schema, part, words);
        self.change(id, "the items of a tuple are properties");
        Node::new(schema, self.plan.push(Op::Tuple { first, more }))
    }
}

fn is_plain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}
