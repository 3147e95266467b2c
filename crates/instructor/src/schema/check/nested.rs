//! Compiles the keywords that hold other schemas.

use serde_json::{Map, Value};

use super::super::draft::Draft;
use super::super::resolve::Place;
use super::Unsupported;
use super::compile::{Compiler, NO_COUNT, count};
use super::kind::Kinds;
use super::names::Names;
use super::pattern::Pattern;
use super::rules::{Applied, Arrays, Branch, Condition, Contains, Id, Objects, Plan, Union, With};

type Keywords = Map<String, Value>;
type Found<T> = Result<T, Unsupported>;

impl<'s> Compiler<'s> {
    /// The schema under a keyword, if the keyword is there.
    fn one(&mut self, place: &Place<'s>, map: &'s Keywords, key: &str) -> Option<Id> {
        map.get(key).map(|schema| self.id(place.step(schema, key)))
    }

    /// The schemas of a keyword that holds a list.
    fn list(&mut self, place: &Place<'s>, map: &'s Keywords, key: &str) -> Found<Box<[Id]>> {
        let Some(value) = map.get(key) else { return Ok(Box::default()) };
        let list = value.as_array().ok_or_else(|| Unsupported::new(place, key, "it is not an array"))?;
        let place = place.step(value, key);
        Ok(list.iter().enumerate().map(|(i, schema)| self.id(place.step(schema, &i.to_string()))).collect())
    }

    /// The schemas of a keyword that holds them by name.
    fn named(&mut self, place: &Place<'s>, map: &'s Keywords, key: &str) -> Found<Vec<(&'s str, Id)>> {
        let Some(value) = map.get(key) else { return Ok(Vec::new()) };
        let named = value.as_object().ok_or_else(|| Unsupported::new(place, key, "it is not an object"))?;
        let place = place.step(value, key);
        Ok(named.iter().map(|(name, schema)| (&**name, self.id(place.step(schema, name)))).collect())
    }

    pub(super) fn arrays(&mut self, place: &Place<'s>, map: &'s Keywords) -> Found<Option<Arrays>> {
        const KEYWORDS: [&str; 7] =
            ["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "unevaluatedItems"];
        if !KEYWORDS.iter().any(|key| map.contains_key(*key)) {
            return Ok(None);
        }
        let mut arrays = Arrays { min: minimum(place, map, "minItems")?, ..Arrays::default() };
        arrays.max = maximum(place, map, "maxItems")?;
        arrays.unique = map.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false);
        let after = if map.get("items").is_some_and(Value::is_array) {
            arrays.prefix = self.list(place, map, "items")?;
            "additionalItems"
        } else {
            if self.draft == Draft::V2020 {
                arrays.prefix = self.list(place, map, "prefixItems")?;
            }
            "items"
        };
        if map.get(after) == Some(&Value::Bool(false)) {
            let most = arrays.prefix.len() as u64;
            arrays.max = Some(arrays.max.map_or(most, |max| max.min(most)));
        } else {
            arrays.items = self.one(place, map, after);
        }
        if self.draft >= Draft::V6
            && let Some(item) = self.one(place, map, "contains")
        {
            let counted = self.draft >= Draft::V2019;
            let evaluates = self.draft >= Draft::V2020;
            arrays.contains = Some(Contains { item, min: 1, max: None, evaluates });
            if counted && let Some(contains) = &mut arrays.contains {
                contains.max = maximum(place, map, "maxContains")?;
                if map.contains_key("minContains") {
                    contains.min = minimum(place, map, "minContains")?;
                }
            }
        }
        if self.draft >= Draft::V2019 {
            arrays.unevaluated = self.one(place, map, "unevaluatedItems");
        }
        Ok(Some(arrays))
    }

    pub(super) fn objects(&mut self, place: &Place<'s>, map: &'s Keywords) -> Found<Option<Objects>> {
        const KEYWORDS: [&str; 11] = [
            "properties",
            "required",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "unevaluatedProperties",
        ];
        if !KEYWORDS.iter().any(|key| map.contains_key(*key)) {
            return Ok(None);
        }
        let mut objects = Objects { min: minimum(place, map, "minProperties")?, ..Objects::default() };
        objects.max = maximum(place, map, "maxProperties")?;
        let (mut names, mut properties): (Vec<Box<str>>, Vec<_>) =
            self.named(place, map, "properties")?.into_iter().map(|(name, id)| (name.into(), Some(id))).unzip();
        let declared = Names::new(names.clone());
        let mut required: Vec<usize> = Vec::new();
        for name in strings(place, map.get("required"), "required")? {
            let at = match declared.find(&name) {
                Some(at) => at,
                None => {
                    names.push(name);
                    properties.push(None);
                    names.len() - 1
                }
            };
            required.push(at);
        }
        required.sort_unstable();
        required.dedup();
        objects.required_bits = required.iter().filter(|at| **at < 64).fold(0, |bits, at| bits | 1 << at);
        objects.required = required.into();
        objects.names = Names::new(names);
        objects.properties = properties.into();
        let mut patterns = Vec::new();
        for (text, id) in self.named(place, map, "patternProperties")? {
            let wrong = |why: String| Unsupported::new(&place.step(&Value::Null, "patternProperties"), text, &why);
            patterns.push((Pattern::new(text).map_err(wrong)?, id));
        }
        objects.patterns = patterns.into();
        match map.get("additionalProperties") {
            Some(Value::Bool(false)) => objects.closed = true,
            _ => objects.additional = self.one(place, map, "additionalProperties"),
        }
        if self.draft >= Draft::V6 {
            objects.key = self.one(place, map, "propertyNames");
        }
        if self.draft >= Draft::V2019 {
            objects.unevaluated = self.one(place, map, "unevaluatedProperties");
        }
        objects.with = self.dependencies(place, map)?;
        Ok(Some(objects))
    }

    /// What depends on a key, in the two keywords for it and in the one that older drafts had for both.
    fn dependencies(&mut self, place: &Place<'s>, map: &'s Keywords) -> Found<Box<[With]>> {
        let mut all = Vec::new();
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let Some(value) = map.get(keyword) else { continue };
            if keyword != "dependencies" && self.draft < Draft::V2019 {
                continue;
            }
            let named = value.as_object().ok_or_else(|| Unsupported::new(place, keyword, "it is not an object"))?;
            let inner = place.step(value, keyword);
            for (key, what) in named {
                let key = Box::from(&**key);
                all.push(if what.is_array() {
                    With { key, required: strings(place, Some(what), keyword)?.into(), schema: None }
                } else {
                    let id = self.id(inner.step(what, &key));
                    With { key, required: Box::default(), schema: Some(id) }
                });
            }
        }
        Ok(all.into())
    }

    pub(super) fn applied(&mut self, place: &Place<'s>, map: &'s Keywords) -> Found<Option<Applied>> {
        const KEYWORDS: [&str; 5] = ["allOf", "anyOf", "oneOf", "not", "if"];
        if !KEYWORDS.iter().any(|key| map.contains_key(*key)) {
            return Ok(None);
        }
        let mut applied = Applied { all: self.list(place, map, "allOf")?, ..Applied::default() };
        for (key, exactly_one) in [("anyOf", false), ("oneOf", true)] {
            if map.contains_key(key) {
                let branches = self.list(place, map, key)?;
                // Kinds and plans follow when all schemas are there.
                let branches = branches.iter().map(|id| Branch { id: *id, kinds: Kinds::ANY }).collect();
                applied.unions.push(Union { exactly_one, branches, plan: Plan::Try });
            }
        }
        applied.not = self.one(place, map, "not");
        if self.draft >= Draft::V7
            && let Some(test) = self.one(place, map, "if")
        {
            let then = self.one(place, map, "then");
            let otherwise = self.one(place, map, "else");
            applied.condition = Some(Condition { test, then, otherwise });
        }
        Ok(Some(applied))
    }
}

fn minimum(place: &Place<'_>, map: &Keywords, key: &str) -> Found<u64> {
    Ok(maximum(place, map, key)?.unwrap_or(0))
}

fn maximum(place: &Place<'_>, map: &Keywords, key: &str) -> Found<Option<u64>> {
    map.get(key).map(|value| count(value).ok_or_else(|| Unsupported::new(place, key, NO_COUNT))).transpose()
}

fn strings(place: &Place<'_>, value: Option<&Value>, key: &str) -> Found<Vec<Box<str>>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let wrong = || Unsupported::new(place, key, "it is not an array of strings");
    value.as_array().ok_or_else(wrong)?.iter().map(|name| Ok(name.as_str().ok_or_else(wrong)?.into())).collect()
}
