//! What is known of model families, beyond their provider. A rule holds for every model whose name, without the
//! vendor's prefix, starts with its prefix; the first match wins.

use super::reasoning::Effort;

/// What a family of models departs in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    prefix: &'static str,
    /// Whether the model can be told that it must call a tool.
    pub(crate) forcing: bool,
    /// Whether tools work on the chat protocol at its default reasoning effort.
    pub(crate) tools: bool,
    /// Whether tools are refused there for certain: the model was told to reason.
    pub(crate) tools_refused: bool,
    /// Whether it gives its reasoning sealed, to be sent back to a server that keeps nothing. A model that does not
    /// reason refuses to be asked for it: "Encrypted content is not supported with this model."
    pub(crate) sealed: bool,
    /// Whether it reads media in tool results, where its protocol has a place for them.
    pub(crate) media_in_results: bool,
    pub(crate) thinks: Thinks,
}

/// How a model thinks, and what of that can be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thinks {
    pub(crate) habit: Habit,
    pub(crate) efforts: &'static [Effort],
    /// The least and the most tokens.
    pub(crate) budgets: Option<(u64, u64)>,
}

/// When a model thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    Unknown,
    Never,
    IfTold,
    /// Unless it is told otherwise.
    ByDefault,
    Always,
}

impl Thinks {
    /// Nothing is known: what the server has a word for may be asked for.
    pub(crate) const UNKNOWN: Self =
        Self { habit: Habit::Unknown, efforts: &Effort::ALL, budgets: Some((1, u64::MAX)) };
    const NEVER: Self = Self { habit: Habit::Never, efforts: &[], budgets: None };

    const fn efforts(habit: Habit, efforts: &'static [Effort]) -> Self {
        Self { habit, efforts, budgets: None }
    }

    const fn budget(habit: Habit, least: u64, most: u64) -> Self {
        Self { habit, efforts: &[], budgets: Some((least, most)) }
    }
}

const ORDINARY: Family = Family {
    prefix: "",
    forcing: true,
    tools: true,
    tools_refused: false,
    sealed: false,
    media_in_results: true,
    thinks: Thinks::UNKNOWN,
};

const SEALED: Family = Family { sealed: true, ..ORDINARY };

const LOW_TO_HIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];
const LOW_TO_XHIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::XHigh];
const LOW_TO_MAX: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max];
const MINIMAL_TO_HIGH: &[Effort] = &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];

const ADAPTIVE: Thinks = Thinks::efforts(Habit::IfTold, LOW_TO_MAX);

/// Adaptive and with a budget.
const EITHER: Thinks = Thinks {
    habit: Habit::IfTold,
    efforts: &[Effort::Low, Effort::Medium, Effort::High, Effort::Max],
    budgets: Some((1024, u64::MAX)),
};

const EXTENDED: Thinks = Thinks::budget(Habit::IfTold, 1024, u64::MAX);

const fn thinking(prefix: &'static str, thinks: Thinks) -> Family {
    Family { prefix, thinks, ..ORDINARY }
}

const fn sealed(prefix: &'static str, habit: Habit, efforts: &'static [Effort]) -> Family {
    Family { prefix, thinks: Thinks::efforts(habit, efforts), ..SEALED }
}

const FAMILIES: &[Family] = &[
    // These refuse every tool_choice but "auto" and "none".
    Family { forcing: false, ..thinking("claude-fable-5", ADAPTIVE) },
    Family { forcing: false, ..thinking("claude-mythos", ADAPTIVE) },
    // A budget is a 400 for these.
    thinking("claude-opus-5", ADAPTIVE),
    thinking("claude-sonnet-5", ADAPTIVE),
    thinking("claude-opus-4-7", ADAPTIVE),
    thinking("claude-opus-4-8", ADAPTIVE),
    thinking("claude-opus-4-6", EITHER),
    thinking("claude-sonnet-4-6", EITHER),
    // These know no adaptive thinking.
    thinking("claude-opus-4", EXTENDED),
    thinking("claude-sonnet-4", EXTENDED),
    thinking("claude-haiku-4", EXTENDED),
    thinking("claude-3-7", EXTENDED),
    thinking("claude-3", Thinks::NEVER),
    // This does not reason, its successors do, at one effort.
    thinking("gpt-5-chat", Thinks::NEVER),
    thinking("gpt-5.1-chat", Thinks::efforts(Habit::Always, &[Effort::Medium])),
    thinking("gpt-5.2-chat", Thinks::efforts(Habit::Always, &[Effort::Medium])),
    thinking("gpt-5.3-chat", Thinks::efforts(Habit::Always, &[Effort::Medium])),
    // From 5.4 on these refuse function tools on chat completions while they reason.
    Family { tools: false, ..sealed("gpt-5.4-pro", Habit::Always, LOW_TO_XHIGH) },
    Family { tools: false, ..sealed("gpt-5.4", Habit::IfTold, LOW_TO_XHIGH) },
    Family { tools: false, ..sealed("gpt-5.5-pro", Habit::Always, LOW_TO_XHIGH) },
    Family { tools: false, ..sealed("gpt-5.5", Habit::ByDefault, LOW_TO_XHIGH) },
    Family { tools: false, ..sealed("gpt-5.6", Habit::ByDefault, LOW_TO_MAX) },
    sealed("gpt-5.3", Habit::IfTold, LOW_TO_XHIGH),
    sealed("gpt-5.2-pro", Habit::Always, LOW_TO_XHIGH),
    sealed("gpt-5.2", Habit::IfTold, LOW_TO_XHIGH),
    sealed("gpt-5.1-codex", Habit::Always, LOW_TO_XHIGH),
    sealed("gpt-5.1", Habit::IfTold, LOW_TO_HIGH),
    sealed("gpt-5-pro", Habit::Always, &[Effort::High]),
    sealed("gpt-5-codex", Habit::Always, LOW_TO_HIGH),
    sealed("gpt-5", Habit::Always, MINIMAL_TO_HIGH),
    sealed("o1", Habit::Always, LOW_TO_HIGH),
    sealed("o3", Habit::Always, LOW_TO_HIGH),
    sealed("o4", Habit::Always, LOW_TO_HIGH),
    thinking("gpt-4", Thinks::NEVER),
    thinking("gpt-3.5", Thinks::NEVER),
    thinking("gpt-oss", Thinks::efforts(Habit::Always, LOW_TO_HIGH)),
    // Parts of a function's response came with the third generation.
    Family { media_in_results: false, ..thinking("gemini-2.5-pro", Thinks::budget(Habit::Always, 128, 32_768)) },
    Family { media_in_results: false, ..thinking("gemini-2.5-flash-lite", Thinks::budget(Habit::IfTold, 512, 24_576)) },
    Family { media_in_results: false, ..thinking("gemini-2.5", Thinks::budget(Habit::ByDefault, 1, 24_576)) },
    Family { media_in_results: false, ..thinking("gemini-2", Thinks::NEVER) },
    Family { media_in_results: false, ..thinking("gemini-1", Thinks::NEVER) },
    // These have levels, and the least of them is not off.
    thinking("gemini-3-pro", Thinks::efforts(Habit::Always, LOW_TO_HIGH)),
    thinking("gemini-3.1-pro", Thinks::efforts(Habit::Always, LOW_TO_HIGH)),
    thinking("gemini-3", Thinks::efforts(Habit::Always, &Effort::ALL)),
    thinking("command-a-reasoning", Thinks::budget(Habit::ByDefault, 1, u64::MAX)),
    thinking("command-", Thinks::NEVER),
    thinking("nova-2", Thinks::efforts(Habit::IfTold, LOW_TO_HIGH)),
    thinking("nova-", Thinks::NEVER),
];

/// The family of a model such as `gpt-5-mini` or `anthropic/claude-fable-5`.
pub(crate) fn family(model: &str) -> Family {
    let name = Name::of(model);
    FAMILIES.iter().find(|family| name.begins(family.prefix)).copied().unwrap_or(ORDINARY)
}

/// Whether a model's name, without what names its vendor, begins so.
pub(crate) fn is_of(model: &str, prefix: &str) -> bool {
    Name::of(model).begins(prefix)
}

/// A model's name, without what names its vendor.
struct Name<'m> {
    bare: &'m str,
    /// Some write claude-opus-4.7 for claude-opus-4-7.
    dashed: Option<String>,
}

impl<'m> Name<'m> {
    fn of(model: &'m str) -> Self {
        let bare = model.rsplit('/').next().unwrap_or(model);
        Self { bare, dashed: bare.contains('.').then(|| bare.replace('.', "-")) }
    }

    fn begins(&self, prefix: &str) -> bool {
        self.bare.starts_with(prefix)
            || self.dashed.as_ref().is_some_and(|dashed| {
                // A dot separates vendors too, and stands in names: us.anthropic.claude-.., gpt-5.4.
                self.bare.split('.').skip(1).any(|part| part.starts_with(prefix)) || dashed.starts_with(prefix)
            })
    }
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
    fn a_family_is_found_before_a_wider_one() {
        let habit = |model: &str| family(model).thinks.habit;
        let cases = [
            ("gpt-5-chat-latest", Habit::Never),
            ("gpt-5-2025-08-07", Habit::Always),
            ("gpt-5.2-pro", Habit::Always),
            ("openai/gpt-5.2", Habit::IfTold),
            ("gpt-4.1-mini", Habit::Never),
            ("claude-3-7-sonnet-latest", Habit::IfTold),
            ("claude-3-5-haiku-latest", Habit::Never),
            ("anthropic/claude-opus-4.7", Habit::IfTold),
            ("gemini-2.5-flash-lite", Habit::IfTold),
            ("gemini-2.5-flash-preview", Habit::ByDefault),
            ("us.amazon.nova-lite-v1:0", Habit::Never),
            ("some-model", Habit::Unknown),
        ];
        for (model, wanted) in cases {
            assert_eq!(habit(model), wanted, "{model}");
        }
        assert!(family("claude-opus-4.7").thinks.budgets.is_none());
        assert!(family("claude-opus-4-5").thinks.efforts.is_empty());
    }

    #[test]
    fn what_chat_does_not_take_responses_do() {
        let tools = |profile: &str| Profile::named(profile).unwrap().family("gpt-5.4-mini").tools;
        assert!(!tools("openai") && tools("openai_responses"));
    }
}
