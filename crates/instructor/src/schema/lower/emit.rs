//! Writes the lowered schema and its plan, shape by shape.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value, json};

use super::super::dialect::Rules;
use super::super::plan::{Op, Plan, Step, VALUE};
use super::super::shape::{Id, Kind, Object, Policy, Rest, Shape, Shapes, Use};
use super::face::Faces;
use super::facts::Facts;
use super::union::Encoding;
use super::words::{joined, phrase, phrases};
use super::{Change, Choices, Counted, Loss, Moved, Point, Spot, levels};

/// Schemas inside each other above which a shape gets a definition of its own: what is written has to be read with
/// parsers that limit the depth.
const NESTED: usize = 12;

/// What came of it.
pub(super) struct Emitted {
    pub(super) schema: Value,
    pub(super) plan: Plan,
    pub(super) losses: Vec<Loss>,
    pub(super) changes: Vec<Change>,
    pub(super) points: Vec<Point>,
}

pub(super) struct Emitter<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) rules: &'static Rules,
    pub(super) facts: &'a Facts,
    pub(super) choices: &'a Choices,
    pub(super) plan: Plan,
    losses: Vec<Loss>,
    changes: Vec<Change>,
    points: Vec<Point>,
    /// Places and what has been noted of them: what is used often is told once.
    told: HashSet<(&'a str, Cow<'static, str>)>,
    defs: Map<String, Value>,
    open: VecDeque<(Id, u8, String, Step)>,
    known: HashMap<(Id, u8), (String, Step)>,
    taken: HashSet<String>,
    /// Whether values of a shape are as they are; none while that is being worked out.
    pub(super) identity: HashMap<(Id, u8), Option<bool>>,
    /// What values look like.
    pub(super) faces: HashMap<(Id, u8), Faces>,
    /// How unions are said; none while that is being worked out.
    pub(super) encodings: HashMap<(Id, u8), Option<Encoding>>,
    /// How many unions are being worked out.
    pub(super) undecided: usize,
}

/// One lowered schema and what was done to its values.
pub(super) struct Node {
    pub(super) schema: Map<String, Value>,
    pub(super) step: Step,
    /// A description that has no place at the schema itself, beside a reference.
    pub(super) aside: Option<Box<str>>,
}

impl Node {
    pub(super) const fn new(schema: Map<String, Value>, step: Step) -> Self {
        Self { schema, step, aside: None }
    }
}

/// Where something is written: under which shape, how often a cycle may still be walked, how deep in the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) from: Option<Id>,
    pub(super) fuel: u8,
    pub(super) nest: usize,
}

impl At {
    pub(super) const fn inside(self, id: Id) -> Self {
        Self { from: Some(id), nest: self.nest + 1, ..self }
    }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(shapes: &'a Shapes, rules: &'static Rules, facts: &'a Facts, choices: &'a Choices) -> Self {
        Self {
            shapes,
            rules,
            facts,
            choices,
            plan: Plan::new(),
            losses: Vec::new(),
            changes: Vec::new(),
            points: Vec::new(),
            told: HashSet::new(),
            defs: Map::new(),
            open: VecDeque::new(),
            known: HashMap::new(),
            taken: HashSet::new(),
            identity: HashMap::new(),
            faces: HashMap::new(),
            encodings: HashMap::new(),
            undecided: 0,
        }
    }

    pub(super) fn run(mut self) -> Emitted {
        let root = self.shapes.root.clone();
        let at = At { from: None, fuel: self.choices.unrolled, nest: 0 };
        let whole = match &self.shapes.get(root.id).kind {
            _ if self.is_cut(root.id) => None,
            Kind::Object(object) if !self.is_entries(object) => Some(()),
            _ if self.rules.object_root => None,
            Kind::Any => None,
            _ => Some(()),
        };
        let mut schema = if whole.is_some() {
            // A cycle that comes back here needs no definition where references may lead to the root.
            let back = self.rules.recursion.then(|| self.plan.push(Op::Text));
            if let Some(step) = back {
                self.known.insert((root.id, self.choices.unrolled), (String::from("#"), step));
            }
            let node = self.body(&root, at);
            if let Some(step) = back {
                let op = self.plan.op(node.step).clone();
                self.plan.set(step, op);
            }
            self.plan.root = node.step;
            node.schema
        } else {
            let node = self.emit(&root, At { nest: 1, ..at });
            self.plan.root = self.plan.push(Op::Wrap(node.step));
            self.change(root.id, "the value stands in an object, under \"value\"");
            let mut outer = closed(Map::from_iter([(String::from(VALUE), Value::Object(node.schema))]), None);
            describe(&mut outer, joined(node.aside.as_deref(), &[]));
            outer
        };
        while let Some((id, fuel, name, step)) = self.open.pop_front() {
            let node = self.body(&Use { id, about: None }, At { from: None, fuel, nest: 1 });
            let op = self.plan.op(node.step).clone();
            self.plan.set(step, op);
            self.defs.insert(name, Value::Object(node.schema));
        }
        if !self.defs.is_empty() {
            schema.insert(String::from("$defs"), Value::Object(self.defs));
        }
        self.plan.settle();
        let Self { plan, losses, changes, points, .. } = self;
        Emitted { schema: Value::Object(schema), plan, losses, changes, points }
    }

    /// How often a cycle may still be walked at a shape that another one leads to; none if it is spent.
    pub(super) fn fuel(&self, from: Option<Id>, to: Id, fuel: u8) -> Option<u8> {
        match from {
            _ if !self.facts.is_recursive(to) => Some(self.choices.unrolled),
            None => Some(fuel),
            Some(from) if !self.facts.same_cycle(from, to) => Some(self.choices.unrolled),
            Some(from) if self.facts.is_back(from, to) && !self.rules.recursion => fuel.checked_sub(1),
            Some(_) => Some(fuel),
        }
    }

    /// Whether a shape lies so deep that it is said as JSON text.
    pub(super) fn is_cut(&self, id: Id) -> bool {
        let own = levels(self.shapes, self.rules, id);
        own > 0 && self.facts.level.get(id).is_some_and(|level| level + own > self.choices.depth)
    }

    pub(super) fn is_exact(&self) -> bool {
        self.shapes.policy == Policy::Exact
    }

    /// Whether an object without fields is said as a list of entries.
    pub(super) fn is_entries(&self, object: &Object) -> bool {
        object.fields.is_empty() && !self.rules.maps && self.has_entries(object)
    }

    /// Whether undeclared keys are said as entries.
    pub(super) fn has_entries(&self, object: &Object) -> bool {
        !self.rules.maps
            && match object.rest {
                Rest::Closed => false,
                Rest::Open => self.is_exact(),
                Rest::Of(_) => true,
            }
    }

    pub(super) fn given_up(&self, spot: Spot) -> bool {
        self.choices.lists.contains(&spot)
    }

    pub(super) fn point(&mut self, spot: Spot, kind: Counted) {
        let level = self.facts.level.get(spot.0).copied().unwrap_or(0);
        self.points.push(Point { spot, level, kind });
    }

    /// The schema of a part, as a reference if it has a definition.
    pub(super) fn emit(&mut self, part: &Use, at: At) -> Node {
        let id = part.id;
        let Some(fuel) = self.fuel(at.from, id, at.fuel) else { return self.text(part) };
        if self.is_cut(id) {
            return self.text(part);
        }
        let deep = at.nest > NESTED && levels(self.shapes, self.rules, id) > 0;
        if deep || self.facts.is_shared(self.shapes, id) {
            return self.reference(part, fuel);
        }
        self.body(part, At { fuel, ..at })
    }

    fn reference(&mut self, part: &Use, fuel: u8) -> Node {
        let id = part.id;
        let (target, step) = match self.known.get(&(id, fuel)) {
            Some(known) => known.clone(),
            None => {
                let name = self.def_name(id);
                // Filled in when the definition is written.
                let step = self.plan.push(Op::Text);
                let target = format!("#/$defs/{name}");
                self.known.insert((id, fuel), (target.clone(), step));
                self.open.push_back((id, fuel, name, step));
                (target, step)
            }
        };
        let target = Map::from_iter([(String::from("$ref"), Value::from(target))]);
        let own = self.shapes.get(id).about.as_deref();
        let about = part.about.clone().filter(|about| Some(&**about) != own && self.rules.described);
        match about {
            None => Node::new(target, step),
            // Nothing may stand beside a reference, so what is said about it stands around it.
            Some(about) if self.rules.limits.unions == usize::MAX => {
                let mut around = Map::new();
                describe(&mut around, Some(String::from(about)));
                around.insert(String::from("anyOf"), Value::Array(vec![Value::Object(target)]));
                Node::new(around, step)
            }
            about => Node { schema: target, step, aside: about },
        }
    }

    fn def_name(&mut self, id: Id) -> String {
        let known = self.shapes.get(id).name.as_deref().unwrap_or("Part");
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
        let base: String = known.chars().map(plain).take(48).collect();
        let base = if base.is_empty() { String::from("Part") } else { base };
        let mut name = base.clone();
        let mut next = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{next}");
            next += 1;
        }
        name
    }

    /// The schema of a part itself.
    pub(super) fn body(&mut self, part: &Use, at: At) -> Node {
        let shapes = self.shapes;
        let shape = shapes.get(part.id);
        match &shape.kind {
            Kind::Any | Kind::Never => self.text(part),
            Kind::Null => self.leaf(part, "null", Vec::new()),
            Kind::Bool => self.leaf(part, "boolean", Vec::new()),
            Kind::Integer(words) => self.number(part, "integer", words),
            Kind::Number(words) => self.number(part, "number", words),
            Kind::Text(words) => self.string(part, words),
            Kind::Values(values) => self.values(part, values, at.fuel),
            Kind::Array(array) => self.array(part, array, at),
            Kind::Object(object) => self.object(part, object, at),
            Kind::Union(union) => self.union(part, union, at),
        }
    }

    pub(super) fn leaf(&mut self, part: &Use, kind: &str, words: Vec<String>) -> Node {
        let mut schema = typed(kind);
        self.say(&mut schema, part, words);
        Node::new(schema, Plan::SAME)
    }

    /// Any value, as JSON in a string.
    pub(super) fn text(&mut self, part: &Use) -> Node {
        let shape = self.shapes.get(part.id);
        let what = match (&shape.kind, &shape.name) {
            (Kind::Any, _) | (_, None) => "a value",
            (_, Some(name)) => name,
        };
        let mut schema = typed("string");
        let words = vec![format!("JSON text of {what}")];
        if !matches!(shape.kind, Kind::Any) {
            self.lose(shape, "properties", Moved::Checked, "it lies too deep for this dialect and is JSON text");
        }
        let about = part.about.as_deref().or(shape.about.as_deref());
        self.describe(&mut schema, about, &words);
        let step = self.plan.push(Op::Text);
        self.change(part.id, "a value is JSON text in a string");
        Node::new(schema, step)
    }

    /// Writes the description: what the schema says of itself, what is enforced here alone, and more words.
    pub(super) fn say(&mut self, schema: &mut Map<String, Value>, part: &Use, mut words: Vec<String>) {
        let shape = self.shapes.get(part.id);
        for (key, value) in &shape.local {
            if key == "oneOf" && matches!(shape.kind, Kind::Union(_)) {
                continue;
            }
            let said = phrase(key, value);
            if key == "default" {
                words.extend(said.filter(|_| !value.is_null()));
                continue;
            }
            let moved = if said.is_some() { Moved::Described } else { Moved::Checked };
            self.lose(shape, key, moved, "no dialect takes it; leaving it out narrows nothing");
            words.extend(said);
        }
        let about = part.about.as_deref().or(shape.about.as_deref());
        self.describe(schema, about, &words);
    }

    fn describe(&self, schema: &mut Map<String, Value>, about: Option<&str>, words: &[String]) {
        if self.rules.described {
            describe(schema, joined(about, words));
        }
    }

    /// Constraints that the dialect does not take, in words.
    pub(super) fn moved(&mut self, shape: &'a Shape, words: &Map<String, Value>) -> Vec<String> {
        for (key, value) in words {
            let moved = if phrase(key, value).is_some() { Moved::Described } else { Moved::Checked };
            self.lose(shape, key, moved, "this dialect does not take it");
        }
        phrases(words)
    }

    /// Notes how something is encoded.
    pub(super) fn change(&mut self, id: Id, form: &'static str) {
        let at = &self.shapes.get(id).at;
        if self.told.insert((at, Cow::Borrowed(form))) {
            self.changes.push(Change { pointer: String::from(&**at), form });
        }
    }

    pub(super) fn lose(&mut self, shape: &'a Shape, keyword: &str, moved: Moved, why: &'static str) {
        let moved = if self.rules.described { moved } else { Moved::Checked };
        if self.told.insert((&shape.at, Cow::Owned(String::from(keyword)))) {
            let pointer = String::from(&*shape.at);
            self.losses.push(Loss { pointer, keyword: String::from(keyword), moved, why });
        }
    }
}

pub(super) fn typed(kind: &str) -> Map<String, Value> {
    Map::from_iter([(String::from("type"), Value::from(kind))])
}

pub(super) fn describe(schema: &mut Map<String, Value>, text: Option<String>) {
    if let Some(text) = text {
        schema.insert(String::from("description"), Value::from(text));
    }
}

/// A closed object; all its properties are required if none are listed.
pub(super) fn closed(properties: Map<String, Value>, required: Option<Vec<Value>>) -> Map<String, Value> {
    let required = required.unwrap_or_else(|| properties.keys().map(|name| Value::from(name.as_str())).collect());
    let mut schema = typed("object");
    schema.insert(String::from("properties"), Value::Object(properties));
    if !required.is_empty() {
        schema.insert(String::from("required"), Value::Array(required));
    }
    schema.insert(String::from("additionalProperties"), Value::Bool(false));
    schema
}

/// A list of none or one.
pub(super) fn none_or_one(item: Map<String, Value>, rules: &Rules) -> Map<String, Value> {
    let mut schema = typed("array");
    schema.insert(String::from("items"), Value::Object(item));
    if rules.max_items.is_some() {
        schema.insert(String::from("maxItems"), json!(1));
    }
    schema
}
