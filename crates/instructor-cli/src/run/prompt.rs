//! What is asked of a row: its text out of its columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use super::args::Run;
use crate::failure::Failure;

/// A row as it came in.
#[derive(Debug)]
pub(crate) enum Record<'r> {
    Json(&'r str),
    Cells { names: &'r [String], cells: Vec<Cow<'r, str>> },
}

/// What a row is asked with: the text, or why there is none, and the column that it is known by, as JSON.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) row: u64,
    pub(crate) key: Option<String>,
    pub(crate) text: Result<String, String>,
}

/// How the text is made.
#[derive(Debug)]
pub(crate) struct Prompt {
    from: From,
    key: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum From {
    Row,
    Column(String),
    Template(Vec<Piece>),
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(String),
}

impl Prompt {
    pub(crate) fn new(args: &Run) -> Result<Self, Failure> {
        Self::of(args.column.as_deref(), args.template.as_deref(), args.key.as_deref())
    }

    /// Of a column or a template, and of the column that a row is known by.
    pub(crate) fn of(column: Option<&str>, template: Option<&str>, key: Option<&str>) -> Result<Self, Failure> {
        let from = match (column, template) {
            (Some(column), _) => From::Column(String::from(column)),
            (None, Some(template)) => From::Template(pieces(&written(template)?).map_err(|why| {
                Failure::setup(format!("--template: {why}"))
                    .hint("a brace that is meant as one is written twice: {{ }}")
            })?),
            (None, None) => From::Row,
        };
        Ok(Self { from, key: key.map(String::from) })
    }

    /// All that the text depends on, beside the row.
    pub(crate) fn described(&self) -> String {
        format!("{self:?}")
    }

    pub(crate) fn ask(&self, row: u64, record: &Record<'_>) -> Ask {
        let columns = match (record, &self.key, &self.from) {
            (Record::Json(_), None, From::Row) => Ok(None),
            (Record::Json(line), ..) => json_columns(line).map(Some),
            (Record::Cells { .. }, ..) => Ok(None),
        };
        let columns = match columns {
            Ok(json) => Columns { record, json },
            Err(why) => return Ask { row, key: None, text: Err(why) },
        };
        let mut missing = None;
        let key = self.key.as_ref().and_then(|name| {
            let key = columns.json(name);
            missing = key.is_none().then_some(name);
            key
        });
        let text = match missing {
            Some(name) => Err(columns.lacks(name)),
            None => self.text(&columns),
        };
        let text = text.and_then(|text| match text.trim().is_empty() {
            true => Err(String::from("there is no text in the row")),
            false => Ok(text),
        });
        Ask { row, key, text }
    }

    fn text(&self, columns: &Columns<'_, '_>) -> Result<String, String> {
        match &self.from {
            From::Row => columns.whole(),
            From::Column(name) => columns.text(name).map(Cow::into_owned).ok_or_else(|| columns.lacks(name)),
            From::Template(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(said) => text.push_str(said),
                        Piece::Column(name) => text.push_str(&columns.text(name).ok_or_else(|| columns.lacks(name))?),
                    }
                }
                Ok(text)
            }
        }
    }
}

/// A template that names a file is what the file has.
pub(crate) fn written(template: &str) -> Result<String, Failure> {
    if template.contains('{') {
        return Ok(String::from(template));
    }
    fs::read_to_string(Path::new(template)).map_err(|error| {
        Failure::setup(format!("--template {template:?} has no {{column}}, and is no file that can be read: {error}"))
    })
}

fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else {
            let Some((name, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
                return Err(String::from("a brace stands alone"));
            };
            let name = name.trim();
            if name.is_empty() || name.contains('{') {
                return Err(format!("{{{name}}} names no column"));
            }
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Column(String::from(name)));
            rest = after;
        }
    }
    text.push_str(rest);
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    if !pieces.iter().any(|piece| matches!(piece, Piece::Column(_))) {
        return Err(String::from("it has no {column}, so that all rows would be asked the same"));
    }
    Ok(pieces)
}

type Json<'r> = BTreeMap<Cow<'r, str>, &'r RawValue>;

fn json_columns(line: &str) -> Result<Json<'_>, String> {
    serde_json::from_str(line).map_err(|error| format!("the row is no JSON object: {error}"))
}

struct Columns<'a, 'r> {
    record: &'a Record<'r>,
    /// Of a row of JSON, where columns are asked for.
    json: Option<Json<'r>>,
}

impl Columns<'_, '_> {
    fn cell(&self, name: &str) -> Option<&str> {
        let Record::Cells { names, cells } = self.record else { return None };
        let at = names.iter().position(|known| known == name)?;
        cells.get(at).map(|cell| &**cell)
    }

    /// What a column has, as text: strings as they are, other values as JSON, null as nothing.
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let Some(json) = &self.json else { return self.cell(name).map(Cow::Borrowed) };
        let value = json.get(name)?.get();
        Some(match value {
            "null" => Cow::Borrowed(""),
            _ if value.starts_with('"') => Cow::Owned(serde_json::from_str(value).ok()?),
            _ => Cow::Borrowed(value),
        })
    }

    /// What a column has, as JSON.
    fn json(&self, name: &str) -> Option<String> {
        match &self.json {
            Some(json) => json.get(name).map(|value| crate::output::compact(value.get())),
            None => self.cell(name).map(|cell| Value::from(cell).to_string()),
        }
    }

    /// The row as the model sees it: a string as its text, everything else as JSON.
    fn whole(&self) -> Result<String, String> {
        match self.record {
            Record::Json(line) if line.starts_with('"') => serde_json::from_str(line),
            Record::Json(line) => serde_json::from_str::<&RawValue>(line).map(|row| String::from(row.get())),
            Record::Cells { names, cells } => {
                let pairs = names.iter().zip(cells);
                let map = pairs.map(|(name, cell)| (name.clone(), Value::from(&**cell)));
                Ok(Value::Object(map.collect()).to_string())
            }
        }
        .map_err(|error| format!("the row is not JSON: {error}"))
    }

    fn lacks(&self, name: &str) -> String {
        let names: Vec<&str> = match (&self.json, self.record) {
            (Some(json), _) => json.keys().map(|name| &**name).collect(),
            (None, Record::Cells { names, .. }) => names.iter().map(String::as_str).collect(),
            (None, Record::Json(_)) => Vec::new(),
        };
        format!("the row has no column {name:?}; it has {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(from: From) -> Prompt {
        Prompt { from, key: None }
    }

    fn template(text: &str) -> Prompt {
        prompt(From::Template(pieces(text).unwrap()))
    }

    #[test]
    fn a_template_takes_columns_by_name() {
        let row = Record::Json(r#"{"name": "A\"da", "age": 36.50, "tags": ["x"], "none": null}"#);
        let text = |template_text: &str| template(template_text).ask(1, &row).text;
        assert_eq!(text("{name} is { age }"), Ok(String::from("A\"da is 36.50")));
        assert_eq!(text("{{{name}}} {tags}{none}!"), Ok(String::from("{A\"da} [\"x\"]!")));
        assert!(text("{nam}").unwrap_err().contains("no column \"nam\"; it has age, name"));
        for wrong in ["{", "}", "{name", "name}", "{}", "{a{b}}", "{{name}}"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_row_is_text_by_itself() {
        let whole = prompt(From::Row);
        let text = |line| whole.ask(1, &Record::Json(line)).text;
        assert_eq!(text(r#""A\nda""#), Ok(String::from("A\nda")));
        assert_eq!(text(r#"{"a": 1.0}"#), Ok(String::from(r#"{"a": 1.0}"#)));
        for wrong in ["{", "{\"a\": }", "\"", "\" \""] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
        let names = [String::from("a"), String::from("b")];
        let cells = || vec![Cow::Borrowed("1"), Cow::Borrowed("x")];
        let row = Record::Cells { names: &names, cells: cells() };
        assert_eq!(whole.ask(1, &row).text, Ok(String::from(r#"{"a":"1","b":"x"}"#)));
        let row = Record::Cells { names: &names, cells: cells() };
        assert_eq!(prompt(From::Column(String::from("b"))).ask(1, &row).text, Ok(String::from("x")));
    }

    #[test]
    fn a_key_is_kept_as_json() {
        let keyed = Prompt { from: From::Column(String::from("t")), key: Some(String::from("id")) };
        let ask = |line| keyed.ask(1, &Record::Json(line));
        assert_eq!(ask(r#"{"id": {"n": 1.0}, "t": "x"}"#).key.as_deref(), Some(r#"{"n":1.0}"#));
        // The key is told also where the text is not there.
        let bad = ask(r#"{"id": "a"}"#);
        assert_eq!(bad.key.as_deref(), Some("\"a\""));
        assert!(bad.text.is_err());
        assert!(ask(r#"{"t": "x"}"#).text.unwrap_err().contains("\"id\""));
    }
}
