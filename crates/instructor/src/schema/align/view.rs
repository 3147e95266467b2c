//! One schema as the fitter needs it: references followed, `allOf` and siblings put together.

use serde_json::{Map, Value};

use crate::schema::{MARK, SECRET};

/// The keywords of a schema that decide what fits.
pub(in crate::schema) struct View<'s> {
    /// The schema that this is a view of.
    pub(in crate::schema) schema: &'s Value,
    /// The alternatives of `anyOf` or `oneOf`.
    pub(in crate::schema) branches: Vec<&'s Value>,
    /// The values of `enum` or `const`.
    pub(in crate::schema) values: Vec<&'s Value>,
    /// Names, aliases and descriptions of the values.
    pub(in crate::schema) named: Option<&'s Vec<Value>>,
    pub(in crate::schema) properties: Vec<(&'s str, &'s Value)>,
    pub(in crate::schema) required: Vec<&'s str>,
    pub(in crate::schema) additional: Option<&'s Value>,
    pub(in crate::schema) patterns: bool,
    pub(in crate::schema) title: Option<&'s str>,
    /// A list whose items may fail by themselves.
    pub(in crate::schema) salvaged: bool,
    /// A value that is not to be quoted.
    pub(in crate::schema) secret: bool,
    types: Vec<&'s str>,
    items: Option<&'s Value>,
    prefix: Option<&'s Vec<Value>>,
    /// Keywords that restrict, seen at all.
    restricted: bool,
    /// Keywords that say how much there may be in it, seen at all.
    pub(super) limited: bool,
}

impl<'s> View<'s> {
    pub(in crate::schema) fn of(schema: &'s Value, root: &'s Value) -> Self {
        let mut view = Self {
            schema,
            branches: Vec::new(),
            values: Vec::new(),
            named: None,
            properties: Vec::new(),
            required: Vec::new(),
            additional: None,
            patterns: false,
            title: None,
            salvaged: false,
            secret: false,
            types: Vec::new(),
            items: None,
            prefix: None,
            restricted: false,
            limited: false,
        };
        view.add(schema, root, 0);
        view
    }

    fn add(&mut self, schema: &'s Value, root: &'s Value, depth: usize) {
        let (Some(map), true) = (schema.as_object(), depth < 32) else { return };
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let list = |key: &str| map.get(key).and_then(Value::as_array);
        if let Some(target) = text("$ref").and_then(|r| root.pointer(r.strip_prefix('#')?)) {
            self.add(target, root, depth + 1);
        }
        for part in list("allOf").into_iter().flatten() {
            self.add(part, root, depth + 1);
        }
        self.title = text("title").or(self.title);
        self.salvaged |= map.get(MARK) == Some(&Value::Bool(true));
        self.secret |= map.get(SECRET) == Some(&Value::Bool(true));
        self.named = list("x-enum").or(self.named);
        self.properties.extend(map.get("properties").and_then(Value::as_object).into_iter().flat_map(entries));
        self.required.extend(list("required").into_iter().flatten().filter_map(Value::as_str));
        self.additional = map.get("additionalProperties").or(self.additional);
        self.patterns |= map.contains_key("patternProperties");
        self.items = map.get("items").filter(|items| !items.is_array()).or(self.items);
        self.prefix = list("prefixItems").or_else(|| list("items")).or(self.prefix);
        self.values.extend(map.get("const"));
        self.values.extend(list("enum").into_iter().flatten());
        match map.get("type") {
            Some(Value::String(one)) => self.types.push(one),
            Some(Value::Array(several)) => self.types.extend(several.iter().filter_map(Value::as_str)),
            _ => {}
        }
        if let Some(several) = list("anyOf").or_else(|| list("oneOf")).filter(|_| self.branches.is_empty()) {
            self.branches.extend(several);
        }
        let limits = ["minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"];
        self.limited |= limits.iter().any(|limit| map.contains_key(*limit));
        self.restricted |= !self.types.is_empty() || !self.values.is_empty() || !self.branches.is_empty();
        self.restricted |= !self.properties.is_empty() || self.items.is_some() || self.prefix.is_some();
    }

    /// Whether it says nothing about what fits.
    pub(in crate::schema) const fn anything(&self) -> bool {
        !self.restricted
    }

    /// Whether it names the types or the values that are taken.
    pub(in crate::schema) const fn typed(&self) -> bool {
        !self.types.is_empty() || !self.values.is_empty()
    }

    /// Whether a JSON type is taken. A schema without `type` takes what its other keywords are about.
    pub(in crate::schema) fn takes(&self, kind: &str) -> bool {
        if !self.types.is_empty() {
            return self.types.contains(&kind);
        }
        match kind {
            "object" => !self.properties.is_empty() || self.additional.is_some(),
            "array" => self.items.is_some() || self.prefix.is_some(),
            _ => false,
        }
    }

    /// Whether no object can be meant for it, nor be put into it.
    pub(super) fn is_scalar(&self) -> bool {
        let open = self.types.iter().any(|kind| ["object", "array"].contains(kind)) || self.types.is_empty();
        self.branches.is_empty() && (!self.values.is_empty() || !open)
    }

    /// Whether all elements have the same schema.
    pub(in crate::schema) const fn is_uniform(&self) -> bool {
        self.prefix.is_none()
    }

    /// The schema of an element.
    pub(in crate::schema) fn item(&self, index: usize) -> Option<&'s Value> {
        self.prefix.and_then(|prefix| prefix.get(index)).or(self.items)
    }

    /// The schema of a property by its name.
    pub(in crate::schema) fn property(&self, name: &str) -> Option<&'s Value> {
        self.properties.iter().find(|(known, _)| *known == name).map(|(_, schema)| *schema)
    }
}

fn entries(map: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    map.iter().map(|(name, schema)| (name.as_str(), schema))
}
