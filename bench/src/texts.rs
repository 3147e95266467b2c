//! What is read: records as valid JSON, and the same records as a careless model writes them.

use std::fmt::Write as _;

/// An array of records, of this many bytes or a little more, and nothing around it.
pub(crate) fn valid(bytes: usize) -> String {
    let mut out = String::from("[");
    for i in 0.. {
        let _ = write!(
            out,
            "{{\"id\": {i}, \"name\": \"Person number {i}\", \"email\": \"p{i}@example.com\", \"score\": {}.5, \
             \"tags\": [\"a\", \"b\"], \"active\": true, \"note\": \"line one\\nline two with a longer text in it\"}}",
            i % 100
        );
        if out.len() >= bytes {
            break;
        }
        out.push_str(", ");
    }
    out.push(']');
    out
}

/// A valid text in a fence, between words.
pub(crate) fn fenced(valid: &str) -> String {
    format!("Here is what you asked for:\n\n```json\n{valid}\n```\nAnything else?")
}

/// So many of the same records, without the last two brackets, in a fence that is never closed. A record is a few bytes
/// longer than a valid one.
pub(crate) fn dirty(records: usize) -> String {
    let mut out = String::from("Here is what you asked for:\n\n```json\n[");
    for i in 0..records {
        if i > 0 {
            out.push_str("}, ");
        }
        let _ = write!(
            out,
            "{{id: {i}, 'name': 'Person number {i}', // a note\n  \"email\": \"p{i}@example.com\", score: {}.5, \
             /* x */ 'tags': ['a', 'b',], active: true, note: 'line one\\nline two with a longer text in it',",
            i % 100
        );
    }
    out
}

/// A valid text as the one field of an object.
pub(crate) fn object(valid: &str) -> String {
    format!("{{\"items\": {valid}}}")
}
