//! Provider and model in one string: `groq/llama-3.3-70b`.

use super::{Profile, TABLE};
use crate::error::Error;
use crate::schema::nearest;

/// A parsed `provider/model`.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) profile: Profile,
    pub(crate) model: String,
}

impl Spec {
    /// The part before the first slash is the provider, the rest the model (which may have slashes of its own).
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let Some((provider, model)) = text.split_once('/') else {
            return Err(Error::config(match Profile::named(text) {
                Some(profile) => format!(
                    "{text:?} names a provider but no model: write provider/model, for example {text}/{}",
                    profile.default_model().unwrap_or("MODEL"),
                ),
                None => format!("{text:?} is not provider/model: write for example openai/{text}"),
            }));
        };
        let profile = Profile::named(provider).ok_or_else(|| unknown_provider(provider))?;
        if model.is_empty() {
            return Err(Error::config(format!("{text:?} names no model after the slash")));
        }
        Ok(Self { profile, model: String::from(model) })
    }
}

fn unknown_provider(id: &str) -> Error {
    let known: Vec<&str> = TABLE.iter().map(|row| row.id).collect();
    let names = TABLE.iter().flat_map(|row| row.also.iter().chain([&row.id]).copied());
    let hint = nearest(id, names).map_or_else(String::new, |near| format!(" Did you mean {near:?}?"));
    Error::config(format!(
        "unknown provider {id:?}.{hint} Known: {}. Any other endpoint needs its base URL and protocol (Profile)",
        known.join(", "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::letters;

    #[test]
    fn other_names_are_known_and_no_name_is_taken_twice() {
        assert_eq!(Spec::parse("google/gemini-2.5-flash").unwrap().profile.id(), "gemini");
        let mut names: Vec<String> =
            TABLE.iter().flat_map(|row| row.also.iter().chain([&row.id]).map(|name| letters(name))).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_model_keeps_its_slashes() {
        let spec = Spec::parse("openrouter/meta-llama/llama-3.3-70b").unwrap();
        assert_eq!((spec.profile.id(), spec.model.as_str()), ("openrouter", "meta-llama/llama-3.3-70b"));
    }

    #[test]
    fn every_row_parses() {
        for row in TABLE {
            let spec = Spec::parse(&format!("{}/some-model", row.id)).unwrap();
            assert_eq!(spec.profile.id(), row.id);
        }
    }

    #[test]
    fn errors_tell_what_to_write() {
        let error = |text: &str| Spec::parse(text).unwrap_err().to_string();
        assert!(error("gorq/llama").contains("Did you mean \"groq\"?"), "{}", error("gorq/llama"));
        assert!(error("gpt-5-mini").contains("openai/gpt-5-mini"));
        assert!(error("openai").contains("openai/gpt-5-mini"), "{}", error("openai"));
        assert!(error("openai/").contains("names no model"));
    }
}
