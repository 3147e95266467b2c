//! From a schema as JSON to the flat list of [`rules`](super::rules).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::draft::Draft;
use super::super::resolve::Place;
use super::Unsupported;
use super::format::{Format, integer_range};
use super::kind::Kinds;
use super::number::{Divisor, Number};
use super::pattern::Pattern;
use super::rules::{Bound, Id, Numbers, Schema, Side, Strings};
use super::value::Values;

/// All schemas that are reachable from a schema of the document, which is the first; and the JSON pointer of each.
pub(super) fn compile(document: &Value, first: &Value) -> Result<(Vec<Schema>, Vec<String>), Unsupported> {
    let draft = Draft::of(document).ok_or_else(|| {
        let why = "the meta-schema is none of JSON Schema's own drafts 4 to 2020-12";
        Unsupported { keyword: String::from("$schema"), pointer: String::from("/$schema"), why: String::from(why) }
    })?;
    let root = Place::root(document, draft).other(first);
    let mut compiler =
        Compiler { draft, schemas: Vec::new(), pointers: Vec::new(), known: HashMap::new(), open: Vec::new() };
    compiler.id(root);
    // A list instead of recursion: the depth of the document is not bounded by the stack.
    while let Some((id, place)) = compiler.open.pop() {
        let schema = compiler.schema(&place)?;
        if let Some(slot) = compiler.schemas.get_mut(id as usize) {
            *slot = schema;
        }
    }
    Ok((compiler.schemas, compiler.pointers))
}

#[derive(Debug)]
pub(super) struct Compiler<'s> {
    pub(super) draft: Draft,
    schemas: Vec<Schema>,
    pointers: Vec<String>,
    /// By address: a schema is compiled once, however often it is referred to.
    known: HashMap<*const Value, Id>,
    open: Vec<(Id, Place<'s>)>,
}

type Done = Result<(), Unsupported>;

impl<'s> Compiler<'s> {
    /// The position of the schema, which is compiled later if it is new.
    pub(super) fn id(&mut self, place: Place<'s>) -> Id {
        let next = Id::try_from(self.schemas.len()).unwrap_or(Id::MAX);
        let id = *self.known.entry(std::ptr::from_ref(place.schema)).or_insert(next);
        if id == next {
            self.schemas.push(Schema::default());
            self.pointers.push(place.pointer.clone());
            self.open.push((id, place));
        }
        id
    }

    fn schema(&mut self, place: &Place<'s>) -> Result<Schema, Unsupported> {
        let mut schema = Schema::default();
        let map = match place.schema {
            Value::Bool(allowed) => {
                schema.never = !allowed;
                schema.direct = *allowed;
                return Ok(schema);
            }
            Value::Object(map) => map,
            _ => return Err(Unsupported::new(place, "", "a schema is an object, true or false")),
        };
        let text = |key| map.get(key).and_then(Value::as_str).map(Box::from);
        schema.title = text("title");
        schema.description = text("description");
        if let Some(value) = map.get("$ref") {
            let reference = value.as_str().ok_or_else(|| Unsupported::new(place, "$ref", "it is not a string"))?;
            let target = place.resolve(reference).map_err(|why| Unsupported::new(place, "$ref", why))?;
            schema.reference = Some(self.id(target));
            if self.draft <= Draft::V7 {
                return Ok(schema);
            }
        }
        let mut parts = Parts::default();
        for (key, value) in map {
            self.keyword(place, map, key, value, &mut schema, &mut parts)?;
        }
        schema.applied = self.applied(place, map)?.map(Box::new);
        schema.direct = schema.values.is_empty() && schema.reference.is_none() && schema.applied.is_none();
        schema.numbers = parts.numbers.map(Box::new);
        schema.strings = parts.strings.map(Box::new);
        schema.arrays = self.arrays(place, map)?.map(Box::new);
        schema.objects = self.objects(place, map)?.map(Box::new);
        Ok(schema)
    }

    fn keyword(
        &self,
        place: &Place<'s>,
        map: &Map<String, Value>,
        key: &str,
        value: &Value,
        schema: &mut Schema,
        parts: &mut Parts,
    ) -> Done {
        let wrong = |why: &str| Unsupported::new(place, key, why);
        let new = |since| self.draft >= since;
        match key {
            "$dynamicRef" if new(Draft::V2020) => return Err(wrong("dynamic scopes are not followed")),
            "$recursiveRef" if self.draft == Draft::V2019 => {
                return Err(wrong("dynamic scopes are not followed"));
            }
            "$vocabulary" => return Err(wrong("vocabularies are not told apart")),
            "type" => schema.kinds = kinds(value).ok_or_else(|| wrong("it names no JSON type"))?,
            "enum" => {
                let list = value.as_array().ok_or_else(|| wrong("it is not an array"))?;
                schema.values = schema.values.iter().cloned().chain([Values::new(list)]).collect();
            }
            "const" if new(Draft::V6) => {
                let only = Values::new(std::slice::from_ref(value));
                schema.values = schema.values.iter().cloned().chain([only]).collect();
            }
            "format" => parts.format(value),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                parts.number(map, key, value).map_err(wrong)?;
            }
            "minLength" => parts.strings().min = count(value).ok_or_else(|| wrong(NO_COUNT))?,
            "maxLength" => parts.strings().max = Some(count(value).ok_or_else(|| wrong(NO_COUNT))?),
            "pattern" => {
                let text = value.as_str().ok_or_else(|| wrong("it is not a string"))?;
                parts.strings().pattern = Some(Pattern::new(text).map_err(|why| wrong(&why))?);
            }
            _ => {}
        }
        Ok(())
    }
}

pub(super) const NO_COUNT: &str = "it is not a whole number of at least 0";

/// What a schema says about numbers and strings, as its keywords come.
#[derive(Debug, Default)]
struct Parts {
    numbers: Option<Numbers>,
    strings: Option<Strings>,
}

impl Parts {
    fn numbers(&mut self) -> &mut Numbers {
        self.numbers.get_or_insert_default()
    }

    fn strings(&mut self) -> &mut Strings {
        self.strings.get_or_insert_default()
    }

    fn format(&mut self, value: &Value) {
        let name = value.as_str().unwrap_or_default();
        if let Some(format) = Format::named(name) {
            self.strings().format = Some(format);
        }
        if let Some((least, most)) = integer_range(name) {
            let inclusive = |n: i128| Bound { number: Number::new(&n.to_string()), exclusive: false };
            self.numbers().bind(Side::Least, inclusive(least));
            self.numbers().bind(Side::Most, inclusive(most));
            self.numbers().ranged = true;
        }
    }

    fn number(&mut self, map: &Map<String, Value>, key: &str, value: &Value) -> Result<(), &'static str> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            // In draft 4 these are switches beside `minimum` and `maximum`.
            Value::Bool(_) if key.starts_with("exclusive") => return Ok(()),
            _ => return Err("it is not a number"),
        };
        if key == "multipleOf" {
            self.numbers().divisor = Some(Divisor::new(&text).ok_or("it is not a number above 0")?);
            return Ok(());
        }
        let switched = |other| map.get(other).and_then(Value::as_bool).unwrap_or(false);
        let (side, exclusive) = match key {
            "minimum" => (Side::Least, switched("exclusiveMinimum")),
            "maximum" => (Side::Most, switched("exclusiveMaximum")),
            "exclusiveMinimum" => (Side::Least, true),
            _ => (Side::Most, true),
        };
        self.numbers().bind(side, Bound { number: Number::new(&text), exclusive });
        Ok(())
    }
}

fn kinds(value: &Value) -> Option<Kinds> {
    match value {
        Value::String(name) => Kinds::named(name),
        Value::Array(names) => {
            names.iter().try_fold(Kinds::NONE, |all, name| Some(all.or(Kinds::named(name.as_str()?)?)))
        }
        _ => None,
    }
}

/// A count, also when it is written `2.0`.
pub(in crate::schema) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        let whole = float.fract() == 0.0 && (0.0..1e15).contains(&float);
        whole.then(|| format!("{float:.0}").parse().ok())?
    })
}
