//! The drafts of JSON Schema that are read.

use serde_json::Value;

/// The differences between the drafts that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    Draft4,
    Draft6,
    Draft7,
    Draft2019,
    Draft2020,
}

impl Dialect {
    pub(super) fn of(document: &Value) -> Option<Self> {
        let Some(name) = document.get("$schema").and_then(Value::as_str) else { return Some(Self::Draft2020) };
        let name = name.trim_end_matches('#');
        let (_, name) = name.split_once("://")?;
        Some(match name {
            "json-schema.org/draft-04/schema" => Self::Draft4,
            "json-schema.org/draft-06/schema" => Self::Draft6,
            "json-schema.org/draft-07/schema" | "json-schema.org/schema" => Self::Draft7,
            "json-schema.org/draft/2019-09/schema" => Self::Draft2019,
            "json-schema.org/draft/2020-12/schema" => Self::Draft2020,
            _ => return None,
        })
    }
}
