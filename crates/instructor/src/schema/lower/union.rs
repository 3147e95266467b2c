//! Unions: as `anyOf` where alternatives can be told apart in an answer, with a tag where not, and with a list for each
//! alternative where the dialect's unions are spent.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::plan::{Alternative, By, Op, Presence, VALUE, VARIANT};
use super::super::shape::{Id, Kind, Rest, Union, Use};
use super::emit::{At, Emitter, Node, closed, none_or_one, typed};
use super::face::clash;
use super::leaf::Said;
use super::{Counted, UNION};

/// How a union is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Tagged,
    Lists,
    NullList,
}

impl Emitter<'_> {
    pub(super) fn encoding(&mut self, id: Id, fuel: u8) -> Encoding {
        if let Some(known) = self.encodings.get(&(id, fuel)) {
            // While it is being worked out, the safe one is assumed.
            return known.unwrap_or(Encoding::Tagged);
        }
        self.encodings.insert((id, fuel), None);
        self.undecided += 1;
        let encoding = self.encoding_of(id, fuel);
        self.undecided -= 1;
        self.encodings.insert((id, fuel), Some(encoding));
        encoding
    }

    fn encoding_of(&mut self, id: Id, fuel: u8) -> Encoding {
        let shapes = self.shapes;
        let Kind::Union(union) = &shapes.get(id).kind else { return Encoding::Plain };
        if self.given_up((id, fuel, UNION)) {
            return if self.nulled(union).is_some() { Encoding::NullList } else { Encoding::Lists };
        }
        let mut seen = Vec::with_capacity(union.alternatives.len());
        for alternative in &union.alternatives {
            let same = self.is_identity(alternative.id, Some(id), fuel);
            let Some(faces) = self.faces(alternative.id, Some(id), fuel) else { return Encoding::Tagged };
            seen.push((same, faces));
        }
        for (i, (same, faces)) in seen.iter().enumerate() {
            for (other_same, others) in seen.iter().skip(i + 1) {
                let differ = !(*same && *other_same);
                if differ && faces.iter().any(|a| others.iter().any(|b| clash(a, b))) {
                    return Encoding::Tagged;
                }
            }
        }
        Encoding::Plain
    }

    /// The alternative beside null, if there is only one.
    fn nulled<'u>(&self, union: &'u Union) -> Option<&'u Use> {
        let is_null = |part: &Use| matches!(self.shapes.get(part.id).kind, Kind::Null);
        match union.alternatives.as_slice() {
            [a, b] if is_null(b) && !is_null(a) => Some(a),
            [a, b] if is_null(a) && !is_null(b) => Some(b),
            _ => None,
        }
    }

    pub(super) fn union(&mut self, part: &Use, union: &Union, at: At) -> Node {
        let id = part.id;
        if let ([only], true) = (union.alternatives.as_slice(), self.shapes.get(id).local.is_empty()) {
            let about = part.about.clone().or_else(|| self.shapes.get(id).about.clone());
            let only = Use { id: only.id, about: about.or_else(|| only.about.clone()) };
            return self.emit(&only, At { from: Some(id), ..at });
        }
        let encoding = self.encoding(id, at.fuel);
        if encoding == Encoding::NullList
            && let Some(inner) = self.nulled(union)
        {
            let node = self.emit(inner, at.inside(id));
            let mut schema = none_or_one(node.schema, self.rules);
            self.change(id, "null is an empty list");
            let aside = node.aside.map(String::from);
            self.say(&mut schema, part, aside.into_iter().chain([String::from("empty for null")]).collect());
            let kinds = self.kinds_of(inner.id, id, at.fuel);
            return Node::new(schema, self.plan.push(Op::Listed(node.step, kinds)));
        }
        let names = self.names(union);
        let mut words = Vec::new();
        let mut nodes = Vec::with_capacity(union.alternatives.len());
        for (alternative, name) in union.alternatives.iter().zip(&names) {
            let node = self.emit(alternative, at.inside(id));
            words.extend(node.aside.map(|aside| format!("{name}: {aside}")));
            let faces = self.faces(alternative.id, Some(id), at.fuel).map(|faces| faces.to_vec());
            let alternative = Alternative { name: name.clone(), faces, step: node.step, shape: alternative.id };
            nodes.push((node.schema, alternative));
        }
        let (schemas, alternatives): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
        let (mut schema, by) = match encoding {
            Encoding::Lists => {
                words.push(String::from("exactly one of the lists has an item"));
                let list = |schema| Value::Object(none_or_one(schema, self.rules));
                let properties = names.iter().map(|name| String::from(&**name)).zip(schemas.into_iter().map(list));
                (closed(properties.collect(), None), By::Lists)
            }
            Encoding::Tagged => {
                let tagged = |(name, schema): (&str, Map<String, Value>)| {
                    let mut tag = typed("string");
                    tag.insert(String::from("enum"), json!([name]));
                    let properties = [(VARIANT, tag), (VALUE, schema)];
                    let properties = properties.map(|(key, schema)| (String::from(key), Value::Object(schema)));
                    closed(Map::from_iter(properties), None)
                };
                let schemas = names.iter().map(|name| &**name).zip(schemas).map(tagged).collect();
                (self.any_of(schemas), By::Tag)
            }
            Encoding::Plain | Encoding::NullList => (self.any_of(schemas), By::Face),
        };
        match by {
            By::Lists => self.change(id, "a union is an object with a list of none or one for each alternative"),
            By::Tag => self.change(id, "a union is an object with \"variant\" and \"value\""),
            By::Face => {}
        }
        if by != By::Lists {
            let kind = if self.nulled(union).is_some() { Counted::Nullable } else { Counted::Union };
            self.point((id, at.fuel, UNION), kind);
        }
        if union.exclusive && by == By::Face && !self.told_apart(&alternatives) {
            let shape = self.shapes.get(id);
            self.lose(shape, "oneOf", super::Moved::Checked, "said as anyOf; that only one fits is checked here");
        }
        self.say(&mut schema, part, words);
        Node::new(schema, self.plan.push(Op::Union { by, alternatives }))
    }

    fn told_apart(&self, alternatives: &[Alternative]) -> bool {
        let faces = |a: &Alternative| a.faces.clone().unwrap_or_default();
        alternatives.iter().enumerate().all(|(i, a)| {
            let a = faces(a);
            alternatives.iter().skip(i + 1).all(|b| faces(b).iter().all(|b| a.iter().all(|a| !clash(a, b))))
        })
    }

    /// `anyOf`, or something shorter that says the same.
    fn any_of(&self, mut schemas: Vec<Map<String, Value>>) -> Map<String, Value> {
        let mut distinct: Vec<Map<String, Value>> = Vec::with_capacity(schemas.len());
        for schema in schemas.drain(..) {
            if !distinct.contains(&schema) {
                distinct.push(schema);
            }
        }
        let plain = |schema: &Map<String, Value>| schema.len() == 1 && schema.get("type").is_some_and(Value::is_string);
        let null = |schema: &Map<String, Value>| plain(schema) && schema.get("type") == Some(&json!("null"));
        match distinct.len() {
            1 => return distinct.pop().unwrap_or_default(),
            2 if distinct.iter().filter(|schema| null(schema)).count() == 1 => {
                distinct.retain(|schema| !null(schema));
                return distinct.pop().map_or_else(Map::new, |schema| self.nullable(schema));
            }
            _ => {}
        }
        if self.rules.type_lists && distinct.iter().all(plain) {
            let kinds: Vec<Value> = distinct.iter().filter_map(|schema| schema.get("type").cloned()).collect();
            return Map::from_iter([(String::from("type"), Value::Array(kinds))]);
        }
        let schemas = distinct.into_iter().map(Value::Object).collect();
        Map::from_iter([(String::from("anyOf"), Value::Array(schemas))])
    }

    /// The same or null.
    pub(super) fn nullable(&self, mut schema: Map<String, Value>) -> Map<String, Value> {
        let description = schema.shift_remove("description");
        let lists = self.rules.type_lists && !schema.contains_key("enum");
        let typed = lists && schema.contains_key("type");
        let mut out = match schema.get_mut("anyOf") {
            Some(Value::Array(alternatives)) => {
                let null = json!({ "type": "null" });
                if !alternatives.contains(&null) {
                    alternatives.push(null);
                }
                schema
            }
            _ if typed => {
                let mut kinds = match schema.get("type") {
                    Some(Value::Array(kinds)) => kinds.clone(),
                    other => other.cloned().into_iter().collect(),
                };
                if !kinds.contains(&json!("null")) {
                    kinds.push(json!("null"));
                }
                schema.insert(String::from("type"), Value::Array(kinds));
                schema
            }
            _ => Map::from_iter([(String::from("anyOf"), json!([schema, { "type": "null" }]))]),
        };
        if let Some(description) = description {
            out.insert(String::from("description"), description);
        }
        out
    }

    /// A name for each alternative.
    pub(super) fn names(&self, union: &Union) -> Vec<Box<str>> {
        let mut taken = HashSet::new();
        let mut names = Vec::with_capacity(union.alternatives.len());
        for (index, alternative) in union.alternatives.iter().enumerate() {
            let shape = self.shapes.get(alternative.id);
            let kind = match &shape.kind {
                Kind::Null => "null",
                Kind::Bool => "boolean",
                Kind::Integer(_) => "integer",
                Kind::Number(_) => "number",
                Kind::Text(_) => "string",
                Kind::Array(_) => "array",
                Kind::Object(_) => "object",
                Kind::Values(_) => "enum",
                Kind::Union(_) => "union",
                Kind::Any | Kind::Never => "json",
            };
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
            let known = shape.name.as_deref().or_else(|| self.tag(alternative.id)).unwrap_or(kind);
            let known: String = known.chars().map(plain).take(40).collect();
            let mut name: Box<str> = if known.is_empty() { kind.into() } else { known.into() };
            if !taken.insert(name.clone()) {
                name = format!("{name}_{}", index + 1).into();
                taken.insert(name.clone());
            }
            names.push(name);
        }
        names
    }

    /// The one value of a required property, which mostly is a tag.
    fn tag(&self, id: Id) -> Option<&str> {
        let Kind::Object(object) = &self.shapes.get(id).kind else { return None };
        object.fields.iter().filter(|field| field.required).find_map(|field| {
            match &self.shapes.get(field.shape.id).kind {
                Kind::Values(values) => match values.as_slice() {
                    [Value::String(tag)] => Some(tag.as_str()),
                    _ => None,
                },
                _ => None,
            }
        })
    }

    /// Whether the values of a shape are said as they are.
    pub(super) fn is_identity(&mut self, id: Id, from: Option<Id>, fuel: u8) -> bool {
        let Some(fuel) = self.fuel(from, id, fuel) else { return false };
        if self.is_cut(id) {
            return false;
        }
        if let Some(known) = self.identity.get(&(id, fuel)) {
            return known.unwrap_or(false);
        }
        self.identity.insert((id, fuel), None);
        let same = self.identity_of(id, fuel);
        self.identity.insert((id, fuel), Some(same));
        same
    }

    fn identity_of(&mut self, id: Id, fuel: u8) -> bool {
        let shapes = self.shapes;
        match &shapes.get(id).kind {
            Kind::Any | Kind::Never => false,
            Kind::Null | Kind::Bool | Kind::Integer(_) | Kind::Number(_) | Kind::Text(_) => true,
            Kind::Values(values) => !matches!(self.said(id, fuel, values).0, Said::Labels(_)),
            Kind::Array(array) => {
                (array.prefix.is_empty() || self.rules.tuples)
                    && array.prefix.iter().chain(&array.rest).all(|part| self.is_identity(part.id, Some(id), fuel))
            }
            Kind::Object(object) => {
                let names = self.sent_names(object);
                let fields = object.fields.iter().zip(&names.fields).enumerate().all(|(index, (field, sent))| {
                    field.name == *sent
                        && self.presence(id, fuel, index, field) == Presence::Plain
                        && self.is_identity(field.shape.id, Some(id), fuel)
                });
                let rest = match &object.rest {
                    Rest::Of(rest) => self.is_any_natively(rest) || self.is_identity(rest.id, Some(id), fuel),
                    Rest::Open | Rest::Closed => true,
                };
                fields && rest && !self.has_entries(object)
            }
            Kind::Union(union) => {
                self.encoding(id, fuel) == Encoding::Plain
                    && union.alternatives.iter().all(|part| self.is_identity(part.id, Some(id), fuel))
            }
        }
    }
}
