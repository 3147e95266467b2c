//! Writes the top level of a request body, straight to bytes.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer as _};
use serde_json::ser::{CompactFormatter, Compound};
use serde_json::{Map, Serializer, Value};

use crate::error::{Error, ErrorKind};

/// The top-level fields of a body. The caller's own fields win over those of the same name and come last.
pub(super) struct Body<'s, 'b> {
    map: Compound<'s, &'b mut Vec<u8>, CompactFormatter>,
    extra: &'s Map<String, Value>,
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
}

pub(super) fn write(
    extra: &Map<String, Value>,
    fields: impl FnOnce(&mut Body<'_, '_>) -> serde_json::Result<()>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(2048);
    let mut serializer = Serializer::new(&mut out);
    let written = (|| {
        let mut body = Body { map: serializer.serialize_map(None)?, extra };
        fields(&mut body)?;
        for (key, value) in extra {
            body.map.serialize_entry(key, value)?;
        }
        body.map.end()
    })();
    match written {
        Ok(()) => Ok(out),
        Err(e) => {
            Err(Error::new(ErrorKind::Config, "the request can't be written as JSON").with_source(Some(e.into())))
        }
    }
}
