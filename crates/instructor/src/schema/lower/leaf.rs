//! Scalars: numbers, strings, and values that are listed.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::dialect::{Literals, Patterns, Rules};
use super::super::plan::{Op, Plan};
use super::super::shape::{Id, Use};
use super::emit::{Emitter, Node, typed};
use super::{Counted, Moved, UNION};

/// How listed values are said.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Strings(Vec<Box<str>>),
    Numbers {
        whole: bool,
    },
    Bools(Vec<bool>),
    /// There are none besides null.
    Nothing,
    /// By a name each.
    Labels(Vec<(Box<str>, Value)>),
}

/// How listed values are said, and whether null is one of them.
pub(super) fn said(values: &[Value], rules: &Rules) -> (Said, bool) {
    let nullable = values.iter().any(Value::is_null);
    let mut rest = values.iter().filter(|value| !value.is_null()).peekable();
    if rest.peek().is_none() {
        return (Said::Nothing, true);
    }
    let rest: Vec<&Value> = rest.collect();
    if let Some(strings) = rest.iter().map(|v| v.as_str().map(Box::from)).collect::<Option<Vec<Box<str>>>>() {
        return (Said::Strings(strings), nullable);
    }
    if rest.iter().all(|value| value.is_number()) {
        let whole = rest.iter().all(|value| value.as_f64().is_some_and(|n| n.fract() == 0.0));
        return (Said::Numbers { whole }, nullable);
    }
    if let Some(bools) = rest.iter().map(|value| value.as_bool()).collect::<Option<Vec<bool>>>()
        && (bools.len() > 1 || rules.literals == Literals::Scalars)
    {
        return (Said::Bools(bools), nullable);
    }
    (Said::Labels(labels(values)), false)
}

/// A name for each value: strings are their own, others their JSON text.
fn labels(values: &[Value]) -> Vec<(Box<str>, Value)> {
    let others: HashSet<String> = values.iter().filter(|value| !value.is_string()).map(Value::to_string).collect();
    let name = |value: &Value| match value.as_str() {
        Some(own) if !others.contains(own) => Box::from(own),
        _ => value.to_string().into(),
    };
    values.iter().map(|value| (name(value), value.clone())).collect()
}

impl Emitter<'_> {
    /// [`said`], with null as a label where a union for it is too dear.
    pub(super) fn said(&self, id: Id, fuel: u8, values: &[Value]) -> (Said, bool) {
        match said(values, self.rules) {
            (Said::Nothing, nullable) => (Said::Nothing, nullable),
            (_, true) if self.given_up((id, fuel, UNION)) => (Said::Labels(labels(values)), false),
            other => other,
        }
    }

    pub(super) fn values(&mut self, part: &Use, values: &[Value], fuel: u8) -> Node {
        let (said, nullable) = self.said(part.id, fuel, values);
        let (mut schema, step) = match said {
            Said::Strings(strings) => (self.listed(part, "string", &strings), Plan::SAME),
            Said::Numbers { whole } => {
                let mut schema = typed(if whole { "integer" } else { "number" });
                let numbers: Vec<&Value> = values.iter().filter(|value| value.is_number()).collect();
                schema.insert(String::from("enum"), json!(numbers));
                (schema, Plan::SAME)
            }
            Said::Bools(bools) => {
                let mut schema = typed("boolean");
                if bools.len() == 1 {
                    schema.insert(String::from("enum"), json!(bools));
                }
                (schema, Plan::SAME)
            }
            Said::Nothing => (typed("null"), Plan::SAME),
            Said::Labels(labels) => {
                let names: Vec<Box<str>> = labels.iter().map(|(name, _)| name.clone()).collect();
                self.change(part.id, "values go by names");
                (self.listed(part, "string", &names), self.plan.push(Op::Labels(labels)))
            }
        };
        if nullable && values.len() > 1 {
            schema = self.nullable(schema);
            self.point((part.id, fuel, UNION), Counted::Nullable);
        }
        let mut words = Vec::new();
        if self.choices.wide.contains(&part.id) {
            const SHOWN: usize = 20;
            let first: Vec<String> = values.iter().take(SHOWN).map(Value::to_string).collect();
            let more = if values.len() > SHOWN { " and others" } else { "" };
            words.push(format!("one of {}{more}", first.join(", ")));
            let shape = self.shapes.get(part.id);
            self.lose(shape, "enum", Moved::Described, "it has more values than this dialect takes");
        }
        self.say(&mut schema, part, words);
        Node::new(schema, step)
    }

    fn listed(&self, part: &Use, kind: &str, names: &[Box<str>]) -> Map<String, Value> {
        let mut schema = typed(kind);
        if !self.choices.wide.contains(&part.id) {
            schema.insert(String::from("enum"), json!(names));
        }
        schema
    }

    pub(super) fn number(&mut self, part: &Use, kind: &str, words: &Map<String, Value>) -> Node {
        let mut schema = typed(kind);
        let mut left = Map::new();
        let whole = kind == "integer";
        for (key, value) in words {
            let takes = |key: &str| self.rules.keywords.contains(&key) && (whole || !self.rules.integer_bounds);
            if takes(key) {
                schema.insert(key.clone(), value.clone());
                continue;
            }
            let next = |step: i64| value.as_i64().filter(|_| whole).and_then(|n| n.checked_add(step));
            let inclusive = match key.as_str() {
                "exclusiveMinimum" => next(1).map(|n| ("minimum", n)),
                "exclusiveMaximum" => next(-1).map(|n| ("maximum", n)),
                _ => None,
            };
            match inclusive.filter(|(key, _)| takes(key) && !words.contains_key(*key)) {
                Some((key, bound)) => drop(schema.insert(String::from(key), Value::from(bound))),
                None => drop(left.insert(key.clone(), value.clone())),
            }
        }
        let words = self.moved(self.shapes.get(part.id), &left);
        self.say(&mut schema, part, words);
        Node::new(schema, Plan::SAME)
    }

    pub(super) fn string(&mut self, part: &Use, words: &Map<String, Value>) -> Node {
        let mut schema = typed("string");
        let mut left = Map::new();
        for (key, value) in words {
            let text = value.as_str().unwrap_or_default();
            let takes = match key.as_str() {
                "format" => self.rules.formats.contains(&text),
                "pattern" => is_taken(text, self.rules.patterns),
                key => self.rules.keywords.contains(&key),
            };
            let side = if takes { &mut schema } else { &mut left };
            side.insert(key.clone(), value.clone());
        }
        let words = self.moved(self.shapes.get(part.id), &left);
        self.say(&mut schema, part, words);
        Node::new(schema, Plan::SAME)
    }
}

/// Whether a dialect takes a regular expression. When in doubt it does not: what is left out is checked here.
fn is_taken(pattern: &str, patterns: Patterns) -> bool {
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Back references, boundaries, Unicode classes and control characters differ between engines.
            '\\' => match chars.next() {
                Some(next) if next.is_ascii_alphanumeric() && !"dDwWsSnrt".contains(next) => return false,
                None => return false,
                Some(_) => {}
            },
            '(' if chars.next_if_eq(&'?').is_some() && chars.next() != Some(':') => return false,
            _ => {}
        }
    }
    let anchored = pattern.starts_with('^') && pattern.ends_with('$') && !pattern.ends_with("\\$");
    match patterns {
        Patterns::None => false,
        Patterns::Regular => true,
        Patterns::Anchored => anchored,
    }
}
