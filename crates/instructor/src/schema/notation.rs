//! The schema in a short notation for prompts: types as a programmer would write them, at a fraction of the tokens.

use std::collections::HashSet;

use serde_json::Value;

use super::lower::{Facts, joined, phrase, phrases};
use super::shape::{Array, Id, Kind, Object, Rest, Shapes, Use};

/// How a contract is written into a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notation {
    /// As JSON Schema.
    #[default]
    JsonSchema,
    /// As types: `{ name: string, tags?: string[] }`, with descriptions and constraints as comments.
    Types,
}

/// Objects inside each other above which what is deeper is left to the check.
const DEEPEST: usize = 24;

pub(super) fn types(shapes: &Shapes) -> String {
    let facts = Facts::of(shapes, |id| usize::from(matches!(shapes.get(id).kind, Kind::Object(_) | Kind::Array(_))));
    let mut writer =
        Writer { shapes, facts: &facts, out: String::new(), open: Vec::new(), named: Vec::new(), depth: 0 };
    writer.part(&shapes.root);
    let mut text = std::mem::take(&mut writer.out);
    let mut written = HashSet::new();
    while let Some(id) = writer.open.pop() {
        if !written.insert(id) {
            continue;
        }
        let name = writer.name(id);
        let about = said(shapes, &Use { id, about: None }).map_or_else(String::new, |about| format!(" // {about}"));
        writer.body(id);
        text.push_str(&format!("\n\n{name} ={about}\n{}", std::mem::take(&mut writer.out)));
    }
    text
}

struct Writer<'s> {
    shapes: &'s Shapes,
    facts: &'s Facts,
    out: String,
    /// Shapes with a name that are to be written.
    open: Vec<Id>,
    named: Vec<(Id, String)>,
    depth: usize,
}

impl Writer<'_> {
    fn part(&mut self, part: &Use) {
        let root = self.depth == 0 && self.named.is_empty() && self.out.is_empty() && part.id == self.shapes.root.id;
        if !root && self.facts.is_shared(self.shapes, part.id) {
            let name = self.name(part.id);
            self.out.push_str(&name);
            self.open.push(part.id);
            return;
        }
        self.body(part.id);
    }

    fn name(&mut self, id: Id) -> String {
        if let Some((_, name)) = self.named.iter().find(|(known, _)| *known == id) {
            return name.clone();
        }
        let base = self.shapes.get(id).name.as_deref().unwrap_or("Part");
        let mut name = String::from(base);
        let mut next = 2;
        while self.named.iter().any(|(_, known)| *known == name) {
            name = format!("{base}{next}");
            next += 1;
        }
        self.named.push((id, name.clone()));
        name
    }

    fn body(&mut self, id: Id) {
        let shapes = self.shapes;
        match &shapes.get(id).kind {
            Kind::Any | Kind::Never => self.out.push_str("any"),
            Kind::Null => self.out.push_str("null"),
            Kind::Bool => self.out.push_str("boolean"),
            Kind::Integer(_) => self.out.push_str("integer"),
            Kind::Number(_) => self.out.push_str("number"),
            Kind::Text(_) => self.out.push_str("string"),
            Kind::Values(values) => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                self.out.push_str(&values.join(" | "));
            }
            _ if self.depth >= DEEPEST => self.out.push_str("any"),
            Kind::Array(array) => self.array(array),
            Kind::Object(object) => self.object(object),
            Kind::Union(union) => {
                for (index, alternative) in union.alternatives.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(" | ");
                    }
                    self.part(alternative);
                }
            }
        }
    }

    fn array(&mut self, array: &Array) {
        self.depth += 1;
        match (array.prefix.is_empty(), &array.rest) {
            (true, Some(rest)) => {
                let start = self.out.len();
                self.part(rest);
                if self.out.get(start..).is_some_and(|item| item.contains(" | ")) {
                    self.out.insert(start, '(');
                    self.out.push(')');
                }
                self.out.push_str("[]");
            }
            (_, rest) => {
                self.out.push('[');
                for (index, item) in array.prefix.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.part(item);
                    if index as u64 >= array.min {
                        self.out.push('?');
                    }
                }
                if let Some(rest) = rest {
                    self.out.push_str(", ...");
                    self.part(rest);
                    self.out.push_str("[]");
                }
                self.out.push(']');
            }
        }
        self.depth -= 1;
    }

    fn object(&mut self, object: &Object) {
        self.out.push_str("{\n");
        self.depth += 1;
        for field in &object.fields {
            let absent = if field.required { "" } else { "?" };
            self.line(&format!("{}{absent}: ", key(&field.name)), &field.shape);
        }
        if let Rest::Of(rest) = &object.rest {
            self.line("[key: string]: ", rest);
        }
        self.depth -= 1;
        self.indent();
        self.out.push('}');
    }

    fn line(&mut self, key: &str, part: &Use) {
        self.indent();
        self.out.push_str(key);
        self.part(part);
        if let Some(about) = said(self.shapes, part) {
            self.out.push_str(&format!(" // {about}"));
        }
        self.out.push('\n');
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// What is to be known besides the type: description and constraints, in one line.
fn said(shapes: &Shapes, part: &Use) -> Option<String> {
    let shape = shapes.get(part.id);
    let mut words = match &shape.kind {
        Kind::Integer(words) | Kind::Number(words) | Kind::Text(words) => phrases(words),
        Kind::Object(object) => phrases(&object.words),
        Kind::Array(array) if array.prefix.is_empty() => {
            let bounds = [("minItems", (array.min > 0).then_some(array.min)), ("maxItems", array.max)];
            let bounds = bounds.into_iter().filter_map(|(key, count)| Some((String::from(key), Value::from(count?))));
            phrases(&bounds.collect())
        }
        _ => Vec::new(),
    };
    words
        .extend(shape.local.iter().filter(|(_, value)| !value.is_null()).filter_map(|(key, value)| phrase(key, value)));
    let about = part.about.as_deref().or(shape.about.as_deref());
    joined(about, &words).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) { String::from(name) } else { Value::from(name).to_string() }
}
