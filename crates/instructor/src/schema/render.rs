//! The schema as text for a prompt.

use super::notation::Notation;

/// The instructions of the modes that ask for JSON in words.
pub(crate) fn prompt(shown: &str, notation: Notation, description: Option<&str>) -> String {
    let about = description.map_or_else(String::new, |text| format!("It describes: {text}\n\n"));
    match notation {
        Notation::JsonSchema => format!(
            "Answer with one JSON object that is an instance of the JSON Schema below, and nothing else. \
             Answer with the instance, not with the schema.\n\n{about}{shown}"
        ),
        Notation::Types => format!(
            "Answer with one JSON value of the type below, and nothing else. Keys with `?` may be left out; what \
             follows `//` explains and is no part of the answer.\n\n{about}{shown}"
        ),
    }
}

/// The instructions where the items of a list are calls of tools that can't be forced.
pub(crate) fn calls(about: &[String], empty: bool) -> String {
    let mut text = String::from(
        "Answer with calls of the tools and no other text: one call for each item, as many as there are items.",
    );
    if empty {
        text.push_str(" Where there is none, answer with [].");
    }
    for about in about {
        text.push_str("\n\n");
        text.push_str(about);
    }
    text
}

/// The instructions for an answer in plain text, of which another call makes the value.
pub(crate) fn brief(shown: &str, description: Option<&str>) -> String {
    let about = description.map_or_else(String::new, |text| format!("It describes: {text}\n\n"));
    format!(
        "Think it through and answer in plain text, not in JSON. End with the result in full: every value that the type \
         below wants, by name. It is put into that form later, from your answer alone. Keys with `?` may be left out; \
         what follows `//` explains.\n\n{about}{shown}"
    )
}
