//! A list as tools: one for each kind of item, and the item that a call of it is.

use instructor_json::Node;
use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::resolve::Place;
use crate::validate::Path;

/// One kind of the items of a list, as a tool.
#[derive(Debug)]
pub(crate) struct ToolSchema {
    pub(crate) name: String,
    /// What its arguments are, with the definitions that it needs.
    pub(crate) schema: Value,
    pub(crate) item: Item,
}

/// How an item is made of the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// They are the item.
    Bare,
    /// Beside a tag.
    Tagged { key: String, tag: String },
    /// Beside a tag, under a key of their own.
    Adjacent { key: String, tag: String, content: String },
    /// Under the only key of an object.
    External { key: String },
    /// There are none: the item is a word.
    Word(String),
}

impl Item {
    /// The item, as JSON text.
    pub(crate) fn of(&self, arguments: Node<'_>) -> String {
        let said = |text: &str| Value::from(text).to_string();
        match self {
            Self::Bare => String::from(arguments.source()),
            Self::Word(word) => said(word),
            Self::External { key } => format!("{{{}:{}}}", said(key), arguments.source()),
            Self::Adjacent { key, tag, content } => {
                format!("{{{}:{},{}:{}}}", said(key), said(tag), said(content), arguments.source())
            }
            Self::Tagged { key, tag } => {
                let mut item = format!("{{{}:{}", said(key), said(tag));
                // The tool's name is the tag; what the model says of it beside that counts for nothing.
                for (name, value) in arguments.entries().filter(|(name, _)| !name.is_str(key)) {
                    item.push_str(&format!(",{}:{}", name.source(), value.source()));
                }
                item.push('}');
                item
            }
        }
    }

    /// The text of the item as far as that of the arguments goes, and what follows these; none where nothing can be
    /// shown of it yet.
    pub(crate) fn so_far(&self, arguments: &str) -> Option<(String, &'static str)> {
        let inside = arguments.trim_start().strip_prefix('{')?.trim_start();
        let said = |text: &str| Value::from(text).to_string();
        Some(match self {
            Self::Word(_) => return None,
            Self::Bare => (String::from(arguments), ""),
            Self::External { key } => (format!("{{{}:{arguments}", said(key)), "}"),
            Self::Adjacent { key, tag, content } => {
                (format!("{{{}:{},{}:{arguments}", said(key), said(tag), said(content)), "}")
            }
            Self::Tagged { key, tag } => {
                let comma = if inside.chars().next()? == '}' { "" } else { "," };
                (format!("{{{}:{}{comma}{inside}", said(key), said(tag)), "")
            }
        })
    }

    /// Whether that text, of whole arguments, is that of the item.
    pub(crate) fn is_plain(&self, arguments: Node<'_>) -> bool {
        match self {
            Self::Word(_) => false,
            Self::Tagged { key, .. } => arguments.get(key).is_none(),
            Self::Bare | Self::External { .. } | Self::Adjacent { .. } => true,
        }
    }

    /// Where the arguments stand in the list.
    pub(crate) fn place(&self, index: usize) -> Path {
        let path = Path::root().index(index);
        match self {
            Self::External { key } | Self::Adjacent { content: key, .. } => path.key(key),
            Self::Bare | Self::Tagged { .. } | Self::Word(_) => path,
        }
    }
}

/// What the items of a list can be.
#[derive(Debug)]
pub(crate) struct ListSchema {
    pub(crate) tools: Vec<ToolSchema>,
    /// What is said of the list and of its items in general.
    pub(crate) about: Vec<String>,
}

/// Unions in unions above which the search ends.
const DEEPEST: usize = 16;

/// Words that a schema says about itself, not about values.
const ANNOTATIONS: &[&str] =
    &["title", "description", "$schema", "$id", "$comment", "$defs", "definitions", "default", "examples"];

/// The tools for the items of a list, or why there are none.
pub(crate) fn tools(schema: &Value) -> Result<ListSchema, String> {
    let draft = Draft::of(schema).ok_or("the draft of its schema is not known")?;
    let list = target(Place::root(schema, draft))?;
    let one = list.schema.get("items").filter(|items| items.is_object());
    let one = one.filter(|_| list.schema.get("prefixItems").is_none());
    let one = one.filter(|_| list.schema.get("type").is_some_and(|kind| kind == "array"));
    let one = one.ok_or("it is no list of one kind of items or of a union of them")?;
    let items = list.step(one, "items");
    let mut about: Vec<String> = described(list.schema).into_iter().map(String::from).collect();
    let mut search = Search::default();
    search.alternatives(&items, Leaf::default(), 0)?;
    about.append(&mut search.about);
    let leaves = search.leaves;
    if leaves.iter().all(|leaf| leaf.words().is_some()) {
        return Err(String::from("its items are no objects"));
    }
    let mut tools: Vec<ToolSchema> = Vec::with_capacity(leaves.len());
    for leaf in &leaves {
        let union = || leaves.iter().filter(|other| leaf.union.is_some() && other.union == leaf.union);
        let tag = tag(union);
        let content = tag.and_then(|tag| content(union(), tag));
        for (name, item, mut arguments) in leaf.tools(&list, tag, content)? {
            define(&mut arguments, schema)?;
            let name = unused(&tools, &name);
            tools.push(ToolSchema { name, schema: arguments, item });
        }
    }
    Ok(ListSchema { tools, about })
}

/// One kind of item: its schema, with what stood around it put in.
#[derive(Clone, Debug, Default)]
struct Leaf {
    schema: Map<String, Value>,
    /// The name of its definition, or its title.
    name: Option<String>,
    /// The same of the union that it belongs to.
    family: Option<String>,
    /// Which union of those that were found is nearest around it.
    union: Option<usize>,
    about: Option<String>,
}

#[derive(Default)]
struct Search {
    leaves: Vec<Leaf>,
    unions: usize,
    about: Vec<String>,
}

impl Search {
    /// Collects the kinds of items that a schema allows; `outer` is what was said around it.
    fn alternatives(&mut self, place: &Place<'_>, outer: Leaf, depth: usize) -> Result<(), String> {
        let Some(map) = place.schema.as_object().filter(|_| depth < DEEPEST) else {
            return Err(String::from("its items are no objects"));
        };
        let mut rest = map.clone();
        rest.retain(|key, _| !ANNOTATIONS.contains(&key.as_str()));
        let reference = rest.shift_remove("$ref");
        let union = ["oneOf", "anyOf"].into_iter().find_map(|key| Some((key, map.get(key)?.as_array()?)));
        let title = map.get("title").and_then(Value::as_str);
        let about = described(place.schema).map(String::from);
        let mut here = Leaf {
            schema: outer.schema,
            name: outer.name.or_else(|| title.map(String::from)),
            family: outer.family,
            union: outer.union,
            about: outer.about.or(about),
        };
        if let Some(reference) = reference.as_ref().and_then(Value::as_str) {
            merge(&mut here.schema, rest);
            let name = reference.rsplit('/').next().filter(|name| !name.is_empty() && *name != "#");
            here.name = here.name.or_else(|| name.map(String::from));
            let next = place.resolve(reference).map_err(|why| format!("{reference}: {why}"))?;
            return self.alternatives(&next, here, depth + 1);
        }
        let Some((key, branches)) = union else {
            merge(&mut here.schema, rest);
            return self.leaf(here);
        };
        rest.shift_remove(key);
        merge(&mut here.schema, rest);
        self.about.extend(here.about.take());
        here.family = here.name.take().or(here.family);
        here.union = Some(self.unions);
        self.unions += 1;
        for (index, branch) in branches.iter().enumerate() {
            let place = place.step(branch, key).step(branch, &index.to_string());
            self.alternatives(&place, here.clone(), depth + 1)?;
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: Leaf) -> Result<(), String> {
        if leaf.words().is_none() && !is_object(&leaf.schema) {
            let kind = leaf.schema.get("type").map_or_else(|| String::from("anything"), Value::to_string);
            return Err(format!("an item may be no object ({kind}), which no tool can be called with"));
        }
        self.leaves.push(leaf);
        Ok(())
    }
}

impl Leaf {
    /// The words that it allows, if these are all.
    fn words(&self) -> Option<Vec<&str>> {
        if let Some(word) = self.schema.get("const") {
            return Some(vec![word.as_str()?]);
        }
        self.schema.get("enum")?.as_array()?.iter().map(Value::as_str).collect()
    }

    fn property(&self, key: &str) -> Option<&Value> {
        self.schema.get("properties")?.get(key)
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|map| map.keys().map(String::as_str))
    }

    fn requires(&self, key: &str) -> bool {
        self.schema.get("required").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(|k| k == key))
    }

    /// The word that a required property always is.
    fn literal(&self, key: &str) -> Option<&str> {
        let property = self.property(key).filter(|_| self.requires(key))?;
        let only = property.get("enum").and_then(Value::as_array).and_then(|all| match all.as_slice() {
            [one] => Some(one),
            _ => None,
        });
        property.get("const").or(only)?.as_str()
    }

    /// The only key of an object that has no other, where the alternatives of a union are told by it.
    fn outer_key(&self) -> Option<&str> {
        let mut keys = self.keys();
        let key = keys.next().filter(|key| self.requires(key))?;
        let closed = self.schema.get("additionalProperties") == Some(&Value::Bool(false));
        (closed && keys.next().is_none() && self.name.is_none()).then_some(key)
    }

    /// Its tools: names, how items are made of their calls, and what the arguments are.
    fn tools(
        &self,
        list: &Place<'_>,
        tag: Option<&str>,
        content: Option<&str>,
    ) -> Result<Vec<(String, Item, Value)>, String> {
        let about = |mut schema: Map<String, Value>, inner: Option<String>| {
            if let Some(text) = self.about.clone().or(inner) {
                schema.insert(String::from("description"), Value::from(text));
            }
            Value::from(schema)
        };
        if let Some(words) = self.words() {
            let nothing = json!({ "type": "object", "properties": {}, "additionalProperties": false });
            let nothing = nothing.as_object().cloned().unwrap_or_default();
            let tool = |word: &str| (String::from(word), Item::Word(String::from(word)), about(nothing.clone(), None));
            return Ok(words.into_iter().map(tool).collect());
        }
        if let Some((key, word)) = tag.and_then(|key| Some((key, self.literal(key)?))) {
            let (key, tag) = (String::from(key), String::from(word));
            let inner = content.and_then(|content| Some((content, self.property(content)?)));
            if let Some((content, inner)) = inner
                && let Some(inner) = object(list, inner)?
            {
                let content = String::from(content);
                let item = Item::Adjacent { key, tag: tag.clone(), content };
                return Ok(vec![(tag, item, about(inner.schema, inner.about))]);
            }
            let mut schema = self.schema.clone();
            without(&mut schema, &key);
            return Ok(vec![(tag.clone(), Item::Tagged { key, tag }, about(schema, None))]);
        }
        if let Some((key, inner)) = self.outer_key().and_then(|key| Some((key, self.property(key)?))) {
            let name = String::from(key);
            return Ok(vec![match object(list, inner)? {
                Some(inner) => (name.clone(), Item::External { key: name }, about(inner.schema, inner.about)),
                None => (name, Item::Bare, about(self.schema.clone(), None)),
            }]);
        }
        let name = self.name.as_ref().or(self.family.as_ref()).map_or("item", String::as_str);
        let name = String::from(name);
        Ok(vec![(name, Item::Bare, about(self.schema.clone(), None))])
    }
}

/// A schema in the document if it is one of objects; none if it is anything else.
fn object(list: &Place<'_>, schema: &Value) -> Result<Option<Leaf>, String> {
    let mut search = Search::default();
    let mut current = schema;
    let mut about = described(schema).map(String::from);
    for _ in 0..DEEPEST {
        let Some(reference) = current.get("$ref").and_then(Value::as_str) else {
            let found = search.alternatives(&list.step(current, "items"), Leaf::default(), 0);
            let leaf = found.is_ok().then(|| search.leaves.pop()).flatten();
            let leaf = leaf.filter(|leaf| search.leaves.is_empty() && is_object(&leaf.schema));
            return Ok(leaf.map(|leaf| Leaf { about: about.or(leaf.about.clone()), ..leaf }));
        };
        // What stands beside a reference is about the value too; it is taken as a whole then.
        if current
            .as_object()
            .is_some_and(|map| map.keys().any(|key| key != "$ref" && !ANNOTATIONS.contains(&key.as_str())))
        {
            return Ok(None);
        }
        current = list.resolve(reference).map_err(|why| format!("{reference}: {why}"))?.schema;
        about = about.or_else(|| described(current).map(String::from));
    }
    Ok(None)
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.get("type").map_or_else(|| schema.contains_key("properties"), |kind| kind == "object")
}

fn described(schema: &Value) -> Option<&str> {
    schema.get("description").and_then(Value::as_str)
}

/// The schema that a chain of references names.
fn target(mut place: Place<'_>) -> Result<Place<'_>, String> {
    for _ in 0..DEEPEST {
        let Some(reference) = place.schema.get("$ref").and_then(Value::as_str) else { break };
        place = place.resolve(reference).map_err(|why| format!("{reference}: {why}"))?;
    }
    Ok(place)
}

/// The property that tells all objects of a union apart by a word.
fn tag<'l, I: Iterator<Item = &'l Leaf>>(union: impl Fn() -> I) -> Option<&'l str> {
    let objects = || union().filter(|leaf| leaf.words().is_none());
    let tells = |key: &&str| {
        let words: Option<Vec<&str>> = objects().map(|leaf| leaf.literal(key)).collect();
        words.is_some_and(|words| words.iter().enumerate().all(|(i, word)| !words.iter().take(i).any(|w| w == word)))
    };
    objects().next()?.keys().find(tells)
}

/// The one property that all objects have beside the tag, if they have one at all.
fn content<'l>(union: impl Iterator<Item = &'l Leaf>, tag: &str) -> Option<&'l str> {
    let mut found: Option<&str> = None;
    for leaf in union.filter(|leaf| leaf.words().is_none()) {
        for key in leaf.keys().filter(|key| *key != tag) {
            if *found.get_or_insert(key) != key || !leaf.requires(key) {
                return None;
            }
        }
    }
    found
}

/// Puts a schema into what was said around it: both hold.
fn merge(outer: &mut Map<String, Value>, inner: Map<String, Value>) {
    for (key, value) in inner {
        match (key.as_str(), outer.get_mut(&key), value) {
            ("properties", Some(Value::Object(into)), Value::Object(more)) => into.extend(more),
            ("required", Some(Value::Array(into)), Value::Array(more)) => {
                let new: Vec<Value> = more.into_iter().filter(|key| !into.contains(key)).collect();
                into.extend(new);
            }
            (_, _, value) => _ = outer.insert(key, value),
        }
    }
}

fn without(schema: &mut Map<String, Value>, key: &str) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.shift_remove(key);
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != key);
        if required.is_empty() {
            schema.shift_remove("required");
        }
    }
}

/// A name that no tool before has.
fn unused(tools: &[ToolSchema], name: &str) -> String {
    let taken = |name: &str| tools.iter().any(|tool| tool.name == name);
    let name = tool_name(name);
    if !taken(&name) {
        return name;
    }
    let stem: String = name.chars().take(60).collect();
    (2..).map(|n| format!("{stem}_{n}")).find(|name| !taken(name)).unwrap_or(name)
}

/// Adds the definitions of a document that a schema refers to, and those that these refer to.
pub(super) fn define(schema: &mut Value, document: &Value) -> Result<(), String> {
    let mut wanted = Vec::new();
    references(schema, &mut wanted);
    let mut next = 0;
    let mut found: Vec<(&'static str, String, Value)> = Vec::new();
    while let Some(reference) = wanted.get(next).cloned() {
        next += 1;
        let split =
            |home: &'static str| Some((home, reference.strip_prefix("#/")?.strip_prefix(home)?.strip_prefix('/')?));
        let Some((home, rest)) = split("$defs").or_else(|| split("definitions")) else {
            return Err(format!("its schema refers to {reference:?}, which is no definition"));
        };
        let name = rest.split('/').next().unwrap_or(rest).replace("~1", "/").replace("~0", "~");
        if found.iter().any(|(h, n, _)| *h == home && *n == name) {
            continue;
        }
        let definition = document.get(home).and_then(|all| all.get(&name));
        let definition = definition.ok_or_else(|| format!("its schema refers to {reference:?}, which is not there"))?;
        references(definition, &mut wanted);
        found.push((home, name, definition.clone()));
    }
    let Some(map) = schema.as_object_mut() else { return Ok(()) };
    for (home, name, definition) in found {
        let home = map.entry(home).or_insert_with(|| Value::Object(Map::new()));
        if let Some(home) = home.as_object_mut() {
            home.insert(name, definition);
        }
    }
    Ok(())
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref")
                && !found.contains(reference)
            {
                found.push(reference.clone());
            }
            map.values().for_each(|inner| references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

/// Providers take `[A-Za-z0-9_-]{1,64}` as the name of a tool or schema.
pub(crate) fn tool_name(name: &str) -> String {
    let mut out: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(64).collect();
    if out.is_empty() {
        out.push_str("Answer");
    }
    out
}
