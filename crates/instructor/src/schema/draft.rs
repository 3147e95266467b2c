//! The drafts of JSON Schema that are read.

use serde_json::Value;

/// The differences between the drafts that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::schema) enum Draft {
    V4,
    V6,
    V7,
    V2019,
    V2020,
}

impl Draft {
    pub(in crate::schema) fn of(document: &Value) -> Option<Self> {
        let Some(name) = document.get("$schema").and_then(Value::as_str) else { return Some(Self::V2020) };
        let name = name.trim_end_matches('#');
        let (_, name) = name.split_once("://")?;
        Some(match name {
            "json-schema.org/draft-04/schema" => Self::V4,
            "json-schema.org/draft-06/schema" => Self::V6,
            "json-schema.org/draft-07/schema" | "json-schema.org/schema" => Self::V7,
            "json-schema.org/draft/2019-09/schema" => Self::V2019,
            "json-schema.org/draft/2020-12/schema" => Self::V2020,
            _ => return None,
        })
    }
}
