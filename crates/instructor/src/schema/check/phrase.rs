//! The words of issues: what was got, and what a schema wants.

use instructor_json::Node;
use serde_json::Value;

use super::kind::Kinds;
use super::rules::{Id, Numbers, Schema};
use super::value::{Values, quoted};

/// Text of the answer in an issue is cut after this many characters.
const LONGEST_GOT: usize = 80;
/// As many allowed values are listed.
const MOST_LISTED: usize = 20;
/// As many alternatives are listed.
const MOST_ALTERNATIVES: usize = 6;
/// A description of the schema's author is cut after this many characters.
const LONGEST_DESCRIPTION: usize = 100;

/// The value as compact JSON, cut if it is long.
pub(super) fn got(node: Node<'_>) -> String {
    let mut out = String::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut count = 0;
    for c in node.source().chars() {
        if !quoted && c.is_ascii_whitespace() {
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        if count == LONGEST_GOT {
            out.push('…');
            break;
        }
        count += 1;
        out.push(c);
    }
    out
}

/// `"a", "b"`, and how many more there are.
pub(super) fn list<T: AsRef<str>>(texts: impl ExactSizeIterator<Item = T>) -> String {
    let more = texts.len().saturating_sub(MOST_LISTED);
    let mut out = String::new();
    for (i, text) in texts.take(MOST_LISTED).enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(text.as_ref());
    }
    if more > 0 {
        out.push_str(&format!(", ... ({more} more)"));
    }
    out
}

/// The allowed values, as JSON texts each.
pub(super) fn one_of(texts: &[String]) -> String {
    match texts {
        [] => String::from("no value at all"),
        [only] => format!("exactly {only}"),
        _ => format!("one of {}", list(texts.iter())),
    }
}

pub(super) fn values(values: &Values) -> String {
    one_of(&values.all.iter().map(Value::to_string).collect::<Vec<_>>())
}

pub(super) fn kinds(kinds: Kinds) -> String {
    either(&kinds.phrases().map(String::from).collect::<Vec<_>>())
}

/// `a, b or c`.
pub(super) fn either(parts: &[String]) -> String {
    match parts {
        [] => String::from("no value here"),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// An integer or number with its bounds.
pub(super) fn number(schema: &Schema, numbers: &Numbers) -> String {
    let noun = if schema.kinds.and(Kinds::NUMBER) == Kinds::INTEGER { "an integer" } else { "a number" };
    let mut out = String::from(noun);
    match (&numbers.least, &numbers.most) {
        (Some(least), Some(most)) if numbers.ranged && !least.exclusive && !most.exclusive => {
            out.push_str(&format!(" from {} to {}", least.number.text(), most.number.text()));
        }
        (least, most) => {
            let sides = [(least, "at least", "greater than"), (most, "at most", "less than")];
            let bounds: Vec<String> = sides
                .into_iter()
                .filter_map(|(bound, inclusive, exclusive)| {
                    let bound = bound.as_ref()?;
                    Some(format!("{} {}", if bound.exclusive { exclusive } else { inclusive }, bound.number.text()))
                })
                .collect();
            if !bounds.is_empty() {
                out.push(' ');
                out.push_str(&bounds.join(" and "));
            }
        }
    }
    if let Some(divisor) = &numbers.divisor {
        let and = if numbers.least.is_some() || numbers.most.is_some() { " and" } else { "" };
        out.push_str(&format!("{and} that is a multiple of {}", divisor.text()));
    }
    out
}

/// `at most 5 items`.
pub(super) fn amount(min: u64, max: Option<u64>, noun: &str) -> String {
    let noun = |n: u64| {
        let singular =
            noun.strip_suffix("ies").map(|stem| format!("{stem}y")).or(noun.strip_suffix('s').map(Into::into));
        singular.filter(|_| n == 1).unwrap_or_else(|| String::from(noun))
    };
    match max {
        Some(0) => format!("no {}", noun(0)),
        Some(max) if max == min => format!("exactly {max} {}", noun(max)),
        Some(max) if min > 0 => format!("at least {min} and at most {max} {}", noun(max)),
        Some(max) => format!("at most {max} {}", noun(max)),
        None => format!("at least {min} {}", noun(min)),
    }
}

/// What a schema wants, in a few words; `None` if it wants nothing in particular.
pub(super) fn schema(schemas: &[Schema], id: Id) -> Option<String> {
    let mut wants = Wants { schemas, words: Vec::new(), parts: Vec::new(), open: false };
    wants.add(id, 8);
    wants.text()
}

/// What several schemas want.
pub(super) fn alternatives(schemas: &[Schema], ids: impl Iterator<Item = Id>) -> Option<String> {
    let mut wants = Wants { schemas, words: Vec::new(), parts: Vec::new(), open: false };
    for id in ids {
        wants.add(id, 8);
    }
    wants.text()
}

/// What a schema wants and what its author says about it: `an integer: full years`.
pub(super) fn described(schemas: &[Schema], id: Id) -> Option<String> {
    let wanted = schema(schemas, id);
    let description = description(schemas, id);
    match (wanted, description) {
        (Some(wanted), Some(description)) => Some(format!("{wanted}: {description}")),
        (wanted, description) => wanted.or(description),
    }
}

fn description(schemas: &[Schema], id: Id) -> Option<String> {
    let at = |id: Id| schemas.get(id as usize);
    let schema = at(id)?;
    let text = schema.description.as_deref().or_else(|| at(schema.reference?)?.description.as_deref())?;
    let line = text.lines().next()?.trim();
    let cut = line.char_indices().nth(LONGEST_DESCRIPTION).map(|(at, _)| at);
    let text = cut.and_then(|at| line.get(..at)).map_or_else(|| String::from(line), |short| format!("{short}…"));
    (!text.is_empty()).then_some(text)
}

struct Wants<'c> {
    schemas: &'c [Schema],
    /// Allowed values, as JSON texts.
    words: Vec<String>,
    parts: Vec<String>,
    /// Whether anything goes.
    open: bool,
}

impl Wants<'_> {
    fn add(&mut self, id: Id, depth: u32) {
        let Some(schema) = self.schemas.get(id as usize) else { return };
        if schema.never || self.parts.len() > MOST_ALTERNATIVES {
            return;
        }
        if depth == 0 {
            self.open = true;
        } else if let Some(values) = schema.values.first() {
            for value in values.all.iter().map(Value::to_string) {
                if !self.words.contains(&value) {
                    self.words.push(value);
                }
            }
        } else if schema.kinds != Kinds::ANY {
            for kind in schema.kinds.phrases() {
                let part = match (kind, &schema.strings, &schema.numbers) {
                    ("a string", Some(strings), _) if strings.format.is_some() => {
                        strings.format.map_or(kind, super::format::Format::phrase).into()
                    }
                    ("an integer" | "a number", _, Some(numbers)) => number(schema, numbers),
                    _ => String::from(kind),
                };
                if !self.parts.contains(&part) {
                    self.parts.push(part);
                }
            }
        } else if let Some(target) = schema.reference {
            self.add(target, depth - 1);
        } else if let Some(applied) = &schema.applied {
            match (&*applied.all, applied.unions.first()) {
                (_, Some(union)) => {
                    for branch in &union.branches {
                        self.add(branch.id, depth - 1);
                    }
                }
                ([first, ..], None) => self.add(*first, depth - 1),
                _ => self.open = true,
            }
        } else {
            self.open = true;
        }
    }

    fn text(mut self) -> Option<String> {
        if self.open {
            return None;
        }
        if !self.words.is_empty() {
            // `null` beside other wants reads better alone.
            let text = if self.words == ["null"] { String::from("null") } else { one_of(&self.words) };
            self.parts.insert(0, text);
        }
        self.parts.truncate(MOST_ALTERNATIVES);
        (!self.parts.is_empty()).then(|| either(&self.parts))
    }
}

/// A name for a branch of a union.
pub(super) fn name(schemas: &[Schema], id: Id) -> String {
    let at = |id: Id| schemas.get(id as usize);
    let title = at(id).and_then(|s| s.title.as_deref().or_else(|| at(s.reference?)?.title.as_deref()));
    title.map(quoted).or_else(|| schema(schemas, id)).unwrap_or_else(|| String::from("any value"))
}
