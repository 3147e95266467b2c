//! What is known of model families, beyond their provider. A rule holds for every model whose name, without the
//! vendor's prefix, starts with its prefix; the first match wins.

/// What a family of models departs in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    prefix: &'static str,
    /// Whether the model can be told that it must call a tool.
    pub(crate) forcing: bool,
    /// Whether tools work on the chat protocol at its default reasoning effort.
    pub(crate) tools: bool,
    /// Whether it gives its reasoning sealed, to be sent back to a server that keeps nothing. A model that does not
    /// reason refuses to be asked for it: "Encrypted content is not supported with this model."
    pub(crate) sealed: bool,
    /// Whether it reads media in tool results, where its protocol has a place for them.
    pub(crate) media_in_results: bool,
}

const ORDINARY: Family = Family { prefix: "", forcing: true, tools: true, sealed: false, media_in_results: true };

const SEALED: Family = Family { sealed: true, ..ORDINARY };

const FAMILIES: &[Family] = &[
    // These refuse every tool_choice but "auto" and "none".
    Family { prefix: "claude-fable-5", forcing: false, ..ORDINARY },
    Family { prefix: "claude-mythos", forcing: false, ..ORDINARY },
    // Parts of a function's response came with the third generation.
    Family { prefix: "gemini-1", media_in_results: false, ..ORDINARY },
    Family { prefix: "gemini-2", media_in_results: false, ..ORDINARY },
    // These do not reason.
    Family { prefix: "gpt-5-chat", ..ORDINARY },
    Family { prefix: "gpt-5.1-chat", ..ORDINARY },
    Family { prefix: "gpt-5.2-chat", ..ORDINARY },
    Family { prefix: "gpt-5.3-chat", ..ORDINARY },
    // These refuse function tools on chat completions while they reason.
    Family { prefix: "gpt-5.4", tools: false, ..SEALED },
    Family { prefix: "gpt-5.5", tools: false, ..SEALED },
    Family { prefix: "gpt-5.6", tools: false, ..SEALED },
    Family { prefix: "gpt-5", ..SEALED },
    Family { prefix: "o1", ..SEALED },
    Family { prefix: "o3", ..SEALED },
    Family { prefix: "o4", ..SEALED },
];

/// The family of a model such as `gpt-5-mini` or `anthropic/claude-fable-5`.
pub(crate) fn family(model: &str) -> Family {
    let bare = model.rsplit('/').next().unwrap_or(model);
    // A dot separates vendors too, and stands in names: us.anthropic.claude-.., gpt-5.4.
    let starts =
        |prefix: &str| bare.starts_with(prefix) || bare.split('.').skip(1).any(|part| part.starts_with(prefix));
    FAMILIES.iter().find(|family| starts(family.prefix)).copied().unwrap_or(ORDINARY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Profile;

    #[test]
    fn vendor_prefixes_do_not_matter() {
        assert!(family("gpt-5-mini").tools && family("gpt-5-mini").sealed);
        assert!(family("openai/o3-mini").sealed && !family("gpt-4o").sealed && !family("gpt-5-chat-latest").sealed);
        assert!(!family("openai/gpt-5.4-mini").tools);
        assert!(!family("claude-fable-5-20260901").forcing);
        assert!(!family("us.anthropic.claude-fable-5-v1:0").forcing);
        assert!(family("claude-sonnet-5").forcing);
    }

    #[test]
    fn what_chat_does_not_take_responses_do() {
        let tools = |profile: &str| Profile::named(profile).unwrap().family("gpt-5.4-mini").tools;
        assert!(!tools("openai") && tools("openai_responses"));
    }
}
