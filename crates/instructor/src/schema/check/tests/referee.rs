//! The `jsonschema` crate, where the feature brings it in; without it, there is no second opinion.

use serde_json::Value;

#[cfg(feature = "jsonschema")]
pub(super) struct Referee(jsonschema::Validator);

#[cfg(not(feature = "jsonschema"))]
pub(super) enum Referee {}

#[cfg(feature = "jsonschema")]
impl Referee {
    /// `None` also for schemas that it refuses.
    pub(super) fn new(schema: &Value, formats: bool) -> Option<Self> {
        jsonschema::options().should_validate_formats(formats).build(schema).ok().map(Self)
    }

    pub(super) fn is_valid(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }
}

#[cfg(not(feature = "jsonschema"))]
impl Referee {
    pub(super) fn new(_: &Value, _: bool) -> Option<Self> {
        None
    }

    pub(super) fn is_valid(&self, _: &Value) -> bool {
        match *self {}
    }
}
