//! The ways in which servers are told how much to think, one row each.

use serde_json::Value;

use super::{Effort, Reasoning};

/// Which fields of a body say it. What is none can't be said.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(super) off: Option<&'static [Field]>,
    pub(super) effort: Option<&'static [Field]>,
    /// The efforts that the server knows a word for.
    pub(super) words: &'static [Effort],
    pub(super) budget: Option<&'static [Field]>,
    /// It puts what it is told into what the model takes, so that any effort and any budget will do.
    pub(super) translates: bool,
    /// While the body says this, no call can be forced; where it says nothing, while the model thinks.
    pub(super) unforced: Option<(&'static [&'static str], Told)>,
    /// Whether a model of which nothing else is known thinks by default.
    pub(super) thinks: Option<bool>,
}

/// A field by its path in the body.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) path: &'static [&'static str],
    pub(super) told: Told,
}

/// What a field says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Text(&'static str),
    Flag(bool),
    Number(u64),
    /// The effort's word.
    Word,
    /// The budget.
    Tokens,
}

impl Told {
    pub(super) fn of(self, reasoning: Reasoning, tokens: Option<u64>) -> Value {
        match (self, reasoning) {
            (Self::Word, Reasoning::Effort(effort)) => effort.as_str().into(),
            (Self::Tokens, _) => tokens.into(),
            _ => self.value(),
        }
    }

    /// What it says whatever is asked for.
    pub(super) fn value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Flag(flag) => flag.into(),
            Self::Number(number) => number.into(),
            Self::Word | Self::Tokens => Value::Null,
        }
    }
}

const fn field(path: &'static [&'static str], told: Told) -> Field {
    Field { path, told }
}

/// There is nothing to turn.
pub(crate) const NONE: Dial = Dial {
    off: None,
    effort: None,
    words: &Effort::ALL,
    budget: None,
    translates: false,
    unforced: None,
    thinks: None,
};

/// `reasoning_effort` at the top, with `none` among its words.
pub(crate) const EFFORT: Dial = Dial {
    off: Some(&[field(&["reasoning_effort"], Told::Text("none"))]),
    effort: Some(&[field(&["reasoning_effort"], Told::Word)]),
    ..NONE
};

/// The same without a word for not at all.
pub(crate) const EFFORT_ALWAYS: Dial = Dial { off: None, ..EFFORT };

/// The same with two words.
pub(crate) const EFFORT_LOW_HIGH: Dial = Dial { words: &[Effort::Low, Effort::High], ..EFFORT_ALWAYS };

/// Only whether: the word for not at all, or nothing.
pub(crate) const EFFORT_NONE: Dial = Dial { effort: None, ..EFFORT };

/// An object with the effort in it.
pub(crate) const OBJECT: Dial = Dial {
    off: Some(&[field(&["reasoning", "effort"], Told::Text("none"))]),
    effort: Some(&[field(&["reasoning", "effort"], Told::Word)]),
    ..NONE
};

/// An object that a router puts into the words of whoever is behind it.
pub(crate) const ROUTED: Dial = Dial {
    off: Some(&[field(&["reasoning", "enabled"], Told::Flag(false))]),
    budget: Some(&[field(&["reasoning", "max_tokens"], Told::Tokens)]),
    translates: true,
    ..OBJECT
};

/// A proxy that takes the two commonest forms and translates them.
pub(crate) const PROXIED: Dial = Dial { budget: THINKING.budget, translates: true, ..EFFORT };

/// `thinking` with a budget, or adaptive with an effort beside the form of the output. While it is `enabled` a forced
/// call is a 400; adaptive takes one.
pub(crate) const THINKING: Dial = Dial {
    off: Some(&[field(&["thinking", "type"], Told::Text("disabled"))]),
    effort: Some(&[
        field(&["thinking", "type"], Told::Text("adaptive")),
        field(&["output_config", "effort"], Told::Word),
    ]),
    budget: Some(&[
        field(&["thinking", "type"], Told::Text("enabled")),
        field(&["thinking", "budget_tokens"], Told::Tokens),
    ]),
    unforced: Some((&["thinking", "type"], Told::Text("enabled"))),
    ..NONE
};

const MORE: &str = "additionalModelRequestFields";

/// [`THINKING`] among the fields that are handed on to the model.
pub(crate) const THINKING_WITHIN: Dial = Dial {
    off: Some(&[field(&[MORE, "thinking", "type"], Told::Text("disabled"))]),
    effort: Some(&[
        field(&[MORE, "thinking", "type"], Told::Text("adaptive")),
        field(&[MORE, "output_config", "effort"], Told::Word),
    ]),
    budget: Some(&[
        field(&[MORE, "thinking", "type"], Told::Text("enabled")),
        field(&[MORE, "thinking", "budget_tokens"], Told::Tokens),
    ]),
    unforced: Some((&[MORE, "thinking", "type"], Told::Text("enabled"))),
    ..NONE
};

/// [`EFFORT_ALWAYS`] there.
pub(crate) const EFFORT_WITHIN: Dial = Dial { effort: Some(&[field(&[MORE, "reasoning_effort"], Told::Word)]), ..NONE };

/// An effort by another name there.
pub(crate) const CONFIG_WITHIN: Dial = Dial { effort: Some(&[field(&[MORE, "reasoning_config"], Told::Word)]), ..NONE };

/// A switch and an effort there.
pub(crate) const SWITCH_WITHIN: Dial = Dial {
    off: Some(&[field(&[MORE, "reasoningConfig", "type"], Told::Text("disabled"))]),
    effort: Some(&[
        field(&[MORE, "reasoningConfig", "type"], Told::Text("enabled")),
        field(&[MORE, "reasoningConfig", "maxReasoningEffort"], Told::Word),
    ]),
    ..NONE
};

/// `thinking` as a switch.
pub(crate) const SWITCH: Dial = Dial { off: THINKING.off, ..NONE };

/// `thinking` as a switch that is on by default, with an effort at the top. While it is on a forced call is a 400
/// ("Thinking mode does not support this tool_choice").
pub(crate) const SWITCH_AND_EFFORT: Dial = Dial {
    effort: Some(&[field(&["thinking", "type"], Told::Text("enabled")), field(&["reasoning_effort"], Told::Word)]),
    unforced: THINKING.unforced,
    thinks: Some(true),
    ..SWITCH
};

/// The same where it is off by default.
pub(crate) const SWITCH_AND_EFFORT_IF_TOLD: Dial = Dial { thinks: Some(false), ..SWITCH_AND_EFFORT };

/// `thinking` with a budget by another name.
pub(crate) const TOKEN_BUDGET: Dial = Dial {
    budget: Some(&[
        field(&["thinking", "type"], Told::Text("enabled")),
        field(&["thinking", "token_budget"], Told::Tokens),
    ]),
    ..SWITCH
};

/// A field that is a flag or a word.
pub(crate) const THINK: Dial = Dial {
    off: Some(&[field(&["think"], Told::Flag(false))]),
    effort: Some(&[field(&["think"], Told::Word)]),
    words: &[Effort::Low, Effort::Medium, Effort::High],
    ..NONE
};

/// A flag and a budget at the top. While it thinks a forced call is refused.
pub(crate) const FLAG: Dial = Dial {
    off: Some(&[field(&["enable_thinking"], Told::Flag(false))]),
    budget: Some(&[field(&["enable_thinking"], Told::Flag(true)), field(&["thinking_budget"], Told::Tokens)]),
    unforced: Some((&["enable_thinking"], Told::Flag(true))),
    ..NONE
};

/// A flag for the chat template, whose name most templates share, and an effort at the top.
pub(crate) const TEMPLATE: Dial =
    Dial { off: Some(&[field(&["chat_template_kwargs", "enable_thinking"], Told::Flag(false))]), ..EFFORT };

/// Both for the chat template.
pub(crate) const TEMPLATE_ALONE: Dial =
    Dial { effort: Some(&[field(&["chat_template_kwargs", "reasoning_effort"], Told::Word)]), ..TEMPLATE };

/// A level or a budget in the object of the settings. Both at once are refused.
pub(crate) const LEVEL: Dial = Dial {
    off: Some(&[field(&["generationConfig", "thinkingConfig", "thinkingBudget"], Told::Number(0))]),
    effort: Some(&[field(&["generationConfig", "thinkingConfig", "thinkingLevel"], Told::Word)]),
    budget: Some(&[field(&["generationConfig", "thinkingConfig", "thinkingBudget"], Told::Tokens)]),
    ..NONE
};
