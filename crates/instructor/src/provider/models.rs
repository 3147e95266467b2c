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
}

const ORDINARY: Family = Family { prefix: "", forcing: true, tools: true };

const FAMILIES: &[Family] = &[
    // These refuse every tool_choice but "auto" and "none".
    Family { prefix: "claude-fable-5", forcing: false, ..ORDINARY },
    Family { prefix: "claude-mythos", forcing: false, ..ORDINARY },
    // These refuse function tools on chat completions while they reason.
    Family { prefix: "gpt-5.4", tools: false, ..ORDINARY },
    Family { prefix: "gpt-5.5", tools: false, ..ORDINARY },
    Family { prefix: "gpt-5.6", tools: false, ..ORDINARY },
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

    #[test]
    fn vendor_prefixes_do_not_matter() {
        assert!(family("gpt-5-mini").tools);
        assert!(!family("openai/gpt-5.4-mini").tools);
        assert!(!family("claude-fable-5-20260901").forcing);
        assert!(!family("us.anthropic.claude-fable-5-v1:0").forcing);
        assert!(family("claude-sonnet-5").forcing);
    }
}
