//! An object that may be one of some alternatives, while it arrives.

use std::sync::Arc;

use serde_json::Value;

use crate::schema::{Spot, Spots};
use crate::validate::Issues;

/// The alternatives that an object may still be. One is out when a member can't be in it, whatever else comes.
#[derive(Debug)]
pub(super) struct Among<'s> {
    left: Vec<Arc<Spot<'s>>>,
    /// The members so far, as JSON, and the last key.
    members: String,
    key: String,
    /// The value of the last key is not there yet.
    open: bool,
}

impl<'s> Among<'s> {
    pub(super) fn new(spots: &Spots<'s>, spot: &Spot<'s>) -> Self {
        let left = spot.alternatives().into_iter().map(|schema| spots.at(schema)).collect();
        Self { left, members: String::new(), key: String::new(), open: false }
    }

    pub(super) fn left(&self) -> &[Arc<Spot<'s>>] {
        &self.left
    }

    /// A member begins.
    pub(super) fn key(&mut self, key: &str) {
        self.key = String::from(key);
        self.open = true;
        self.left.retain(|spot| !spot.refuses(key));
    }

    /// It is complete.
    pub(super) fn value(&mut self, spots: &Spots<'s>, json: &str) {
        self.open = false;
        let key = &self.key;
        self.left.retain(|spot| {
            let fits = |(schema, required): (&'s Value, bool)| {
                (json == "null" && !required) || spots.at(schema).judge(json).is_empty()
            };
            spot.property(key).is_none_or(fits)
        });
        let comma = if self.members.is_empty() { "" } else { "," };
        self.members.push_str(&format!("{comma}{}:{json}", Value::from(key.as_str())));
    }

    /// What is wrong when none is left: with the last key, or with its value.
    pub(super) fn against(&self, spot: &Spot<'s>) -> Issues {
        let Self { members, key, .. } = self;
        let members = match (self.open, members.as_str()) {
            (false, members) => format!("{{{members}}}"),
            (true, "") => format!("{{{}:null}}", Value::from(key.as_str())),
            (true, members) => format!("{{{members},{}:null}}", Value::from(key.as_str())),
        };
        spot.against(&members, key)
    }
}
