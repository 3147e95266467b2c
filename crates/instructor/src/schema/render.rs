//! The schema as text for a prompt.

/// The instructions of the modes that ask for JSON in words.
pub(crate) fn prompt(schema: &str, description: Option<&str>) -> String {
    let about = description.map_or_else(String::new, |text| format!("It describes: {text}\n\n"));
    format!(
        "Answer with one JSON object that is an instance of the JSON Schema below, and nothing else. \
         Answer with the instance, not with the schema.\n\n{about}{schema}"
    )
}
