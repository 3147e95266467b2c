use std::borrow::Cow;
use std::fmt;
use std::ops::Add;

use instructor_json::Node;

use crate::cost::Money;
use crate::message::{Message, Part, Role, ToolCall, join_text};

/// One answer of a provider, in neutral words. The raw body is kept beside it in
/// [`Completion`](crate::Completion).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Response {
    /// The provider's id of the response.
    pub id: Option<String>,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// What the model said, in order: text, tool calls, opaque blocks.
    pub parts: Vec<Part>,
    /// The model's reasoning as text, where the provider shows it.
    pub reasoning: Option<String>,
    /// Why the model says that it refused.
    pub refusal: Option<String>,
    /// Why the answer ended; `None` where the provider did not say.
    pub finish: Option<Finish>,
    /// What was counted.
    pub usage: Usage,
}

impl Response {
    /// The text of the answer; parts are joined by line breaks.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        join_text(&self.parts)
    }

    /// The tool calls of the answer.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }

    /// An answer that says a text.
    pub(crate) fn of_text(text: &str) -> Self {
        Self { parts: vec![Part::Text(String::from(text))], ..Self::default() }
    }

    /// The answer as a turn of the conversation, for a re-ask.
    pub(crate) fn into_turn(self) -> Option<Message> {
        (!self.parts.is_empty()).then(|| Message::new(Role::Assistant, self.parts))
    }
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// The model was done.
    Stop,
    /// The model wants a tool to be run.
    ToolCalls,
    /// A token limit cut the answer.
    Length,
    /// A content filter stopped it.
    Filtered,
    /// The model refused.
    Refused,
    /// Anything else, in the provider's word.
    Other(String),
}

impl Finish {
    /// The reason as a word: `stop`, `tool_calls`, `length`, `filtered`, `refused`, or the provider's own.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::ToolCalls => "tool_calls",
            Self::Length => "length",
            Self::Filtered => "filtered",
            Self::Refused => "refused",
            Self::Other(word) => word,
        }
    }
}

/// Tokens of one answer or a sum of several. `None` is unknown, not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input: Option<u64>,
    /// All output tokens, reasoning included.
    pub output: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cached: Option<u64>,
    /// Input tokens written to the provider's cache.
    pub cache_write: Option<u64>,
    /// Of those, tokens that are kept there for an hour.
    pub cache_write_1h: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// What the provider says that it charges, where it does.
    pub charged: Option<Money>,
}

impl Usage {
    /// Input and output together, if either is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        sum(self.input, self.output)
    }
}

/// What is known of both; unknown only if both are.
pub(super) fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}

/// Adds what is known; a figure stays unknown only where both are.
impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: sum(self.input, other.input),
            output: sum(self.output, other.output),
            cached: sum(self.cached, other.cached),
            cache_write: sum(self.cache_write, other.cache_write),
            cache_write_1h: sum(self.cache_write_1h, other.cache_write_1h),
            reasoning: sum(self.reasoning, other.reasoning),
            charged: self.charged.into_iter().chain(other.charged).reduce(Money::add),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |n: Option<u64>| n.map_or_else(|| Cow::Borrowed("?"), |n| Cow::Owned(n.to_string()));
        write!(f, "{} in, {} out", show(self.input), show(self.output))?;
        for (name, n) in [("cached", self.cached), ("cache write", self.cache_write), ("reasoning", self.reasoning)] {
            if let Some(n) = n.filter(|&n| n > 0) {
                write!(f, ", {n} {name}")?;
            }
        }
        Ok(())
    }
}

/// A string field as an owned string, if it is a non-empty string.
pub(super) fn text_field(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key)?.as_str().filter(|s| !s.is_empty()).map(Cow::into_owned)
}

/// What a `usage` says that is charged for it, as servers of OpenAI's protocols do that say so. A bare number is taken for
/// dollars only where it is known to be that, since elsewhere it is credits.
pub(super) fn charged(usage: Node<'_>, bare: bool) -> Option<Money> {
    let ticks = usage.get("cost_in_usd_ticks").and_then(Node::as_u64);
    if let Some(ticks) = ticks {
        // Ten thousand millionths of a dollar.
        return Some(Money::from_trillionths(u128::from(ticks) * 100));
    }
    let cost = usage.get("cost")?;
    let cost = match cost.get("total_cost") {
        Some(total) => cost.get("currency").is_some_and(|currency| currency.is_str("USD")).then_some(total)?,
        // Whoever brings a key of his own pays another for the tokens.
        None => (bare && usage.get("is_byok").and_then(Node::as_bool) != Some(true)).then_some(cost)?,
    };
    Money::read(cost.source())
}

/// A count, however the provider writes it: integers and floats, negative as unknown.
pub(super) fn count_field(node: Node<'_>, key: &str) -> Option<u64> {
    let node = node.get(key)?;
    node.as_u64().or_else(|| node.as_f64().filter(|f| f.is_finite() && *f >= 0.0).map(|f| f.round() as u64))
}
