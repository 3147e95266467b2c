//! Writes the top level of a request body, straight to bytes.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::ser::{CompactFormatter, Compound};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};

/// The top-level fields of a body. The caller's own fields win over those of the same name and come last.
pub(super) struct Body<'s, 'b> {
    map: Compound<'s, &'b mut Vec<u8>, CompactFormatter>,
    extra: &'s Map<String, Value>,
    /// The caller's fields that have been written with ours already.
    joined: Vec<&'static str>,
}

impl Body<'_, '_> {
    pub(super) fn put(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        if self.extra.contains_key(key) {
            return Ok(());
        }
        self.map.serialize_entry(key, value)
    }

    pub(super) fn put_some(&mut self, key: &str, value: Option<&(impl Serialize + ?Sized)>) -> serde_json::Result<()> {
        value.map_or(Ok(()), |value| self.put(key, value))
    }

    /// A list; the items of the caller's list of that name come after it.
    pub(super) fn put_before<T: Serialize>(&mut self, key: &'static str, items: &[T]) -> serde_json::Result<()> {
        let Some(theirs) = self.extra.get(key).and_then(Value::as_array) else { return self.put(key, items) };
        self.joined.push(key);
        self.map.serialize_entry(key, &Joined(items, theirs))
    }

    /// An object of these fields, if there are any; those of the caller's object of that name come with them, and win.
    pub(super) fn put_within<T: Serialize>(
        &mut self,
        key: &'static str,
        fields: &[(&str, T)],
    ) -> serde_json::Result<()> {
        let theirs = self.extra.get(key).and_then(Value::as_object);
        if theirs.is_some() {
            self.joined.push(key);
        } else if fields.is_empty() || self.extra.contains_key(key) {
            return Ok(());
        }
        self.map.serialize_entry(key, &Within { fields, theirs })
    }
}

struct Joined<'a, T>(&'a [T], &'a [Value]);

impl<T: Serialize> Serialize for Joined<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len() + self.1.len()))?;
        self.0.iter().try_for_each(|item| seq.serialize_element(item))?;
        self.1.iter().try_for_each(|item| seq.serialize_element(item))?;
        seq.end()
    }
}

struct Within<'a, T> {
    fields: &'a [(&'a str, T)],
    theirs: Option<&'a Map<String, Value>>,
}

impl<T: Serialize> Serialize for Within<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let replaced = |key: &str| self.theirs.is_some_and(|theirs| theirs.contains_key(key));
        let mut ours = self.fields.iter().filter(|(key, _)| !replaced(key));
        ours.try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        self.theirs.into_iter().flatten().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

/// JSON that has to be an object, if it is one.
pub(super) fn object(text: &str) -> Option<&RawValue> {
    serde_json::from_str::<&RawValue>(text).ok().filter(|raw| raw.get().starts_with('{'))
}

/// Whether a server can read the arguments of a call that goes back to it: some refuse a whole request for those that are
/// no object, since they were cut or are no JSON.
pub(super) fn is_readable(arguments: &str) -> bool {
    arguments.is_empty() || object(arguments).is_some()
}

/// The arguments of a call as text; what can't be read is sent as an empty object.
pub(super) fn arguments(text: &str) -> &str {
    if is_readable(text) { text } else { "{}" }
}

/// The same, where a protocol wants them as the object that they are.
pub(super) struct Arguments<'a>(pub(super) &'a str);

impl Serialize for Arguments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match object(self.0) {
            Some(raw) => raw.serialize(serializer),
            None => serializer.serialize_map(Some(0))?.end(),
        }
    }
}

pub(super) fn write(
    extra: &Map<String, Value>,
    fields: impl FnOnce(&mut Body<'_, '_>) -> serde_json::Result<()>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(2048);
    let mut serializer = serde_json::Serializer::new(&mut out);
    let written = (|| {
        let mut body = Body { map: serializer.serialize_map(None)?, extra, joined: Vec::new() };
        fields(&mut body)?;
        for (key, value) in extra.iter().filter(|(key, _)| !body.joined.contains(&key.as_str())) {
            body.map.serialize_entry(key, value)?;
        }
        SerializeMap::end(body.map)
    })();
    match written {
        Ok(()) => Ok(out),
        Err(e) => {
            Err(Error::new(ErrorKind::Config, "the request can't be written as JSON").with_source(Some(e.into())))
        }
    }
}
