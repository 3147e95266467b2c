//! How much a model is to think: one setting, said in the words of each server.
//!
//! A [`Dial`] is a server's way of saying it, as data; what a model can do is said by its family. Together they make
//! fields of the body, or a reason why it can't be said.

pub(crate) mod dial;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

pub(crate) use self::dial::Dial;
use self::dial::Field;
use super::Profile;
use super::models::{Family, Habit, Thinks};
use crate::error::Error;
use crate::wire::Settings;

/// How much a model is to think before it answers.
///
/// One setting for all providers. What is asked for is said in the server's own words or refused before anything is
/// sent, with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported); it is never left out in silence. Without it the
/// model does what it does by default.
///
/// - A model that takes no efforts but a budget gets one for an effort: 1024 tokens for `Minimal`, 2048 for `Low`,
///   8192 for `Medium`, 16384 for `High`, 32768 for `XHigh`.
/// - No budget is turned into an effort, since that would be a guess.
/// - Thinking counts against `max_tokens`. Where that leaves no room for an answer beside a budget, it is told.
/// - Some models can't be told to call a tool while they think: [`Mode::Auto`](crate::Mode::Auto) asks for structured
///   output then, and [`Mode::Tools`](crate::Mode::Tools) asks for the call in words.
/// - A field of the body that the caller sets with `extra` wins: where it says anything of thinking, this does not.
///
/// Parses what it displays: `off`, an effort's name, or a number of tokens.
///
/// ```
/// # use instructor::testing::Script;
/// use instructor::{Effort, Reasoning};
///
/// # let script = Script::new();
/// let client = script.builder("anthropic/claude-haiku-4-5").reasoning(Reasoning::Effort(Effort::Low)).build()?;
/// let body = client.request("How many legs have ten spiders?").preview::<u32>()?.json();
/// assert_eq!(body["thinking"]["budget_tokens"], 2048);
///
/// let client = script.client("openai/gpt-5-mini");
/// let request = client.request("How many legs have ten spiders?").reasoning("low".parse()?);
/// assert_eq!(request.preview::<u32>()?.json()["reasoning_effort"], "low");
///
/// let error = client.request("Quick!").reasoning(Reasoning::Off).preview::<u32>().unwrap_err();
/// assert!(error.to_string().contains("always thinks"), "{error}");
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reasoning {
    /// Not at all.
    Off,
    /// In words.
    Effort(Effort),
    /// At most this many tokens.
    Budget(u64),
}

/// How hard a model is to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Effort {
    /// As little as it can.
    Minimal,
    /// A little.
    Low,
    /// The usual amount.
    Medium,
    /// Much.
    High,
    /// More than that, where there is such a word.
    XHigh,
    /// As much as it can, where there is such a word.
    Max,
}

impl Effort {
    /// All of them, the least first.
    pub const ALL: [Self; 6] = [Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// The effort as a word, as servers write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// What it is in tokens, for a model that knows no words.
    const fn tokens(self) -> Option<u64> {
        match self {
            Self::Minimal => Some(1024),
            Self::Low => Some(2048),
            Self::Medium => Some(8192),
            Self::High => Some(16_384),
            Self::XHigh => Some(32_768),
            Self::Max => None,
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Reasoning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Effort(effort) => effort.fmt(f),
            Self::Budget(tokens) => tokens.fmt(f),
        }
    }
}

impl FromStr for Reasoning {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let word = text.trim().to_ascii_lowercase();
        if matches!(&*word, "off" | "none") {
            return Ok(Self::Off);
        }
        let effort = Effort::ALL.into_iter().find(|effort| effort.as_str() == word).map(Self::Effort);
        effort.or_else(|| word.parse().ok().map(Self::Budget)).ok_or_else(|| {
            let words = Effort::ALL.map(Effort::as_str).join(", ");
            Error::config(format!("{text:?} says nothing of reasoning: write off, {words}, or a number of tokens"))
        })
    }
}

/// What comes of it for one model.
#[derive(Debug)]
pub(crate) struct Thinking<'a> {
    /// The settings with the fields that say it.
    pub(crate) settings: Cow<'a, Settings>,
    /// What is known of the model, in that state.
    pub(crate) family: Family,
}

impl Profile {
    /// Says how much a model is to think.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where the server or the model can't be told so.
    pub(crate) fn thinking<'s>(
        &self,
        model: &str,
        reasoning: Option<Reasoning>,
        settings: &'s Settings,
    ) -> Result<Thinking<'s>, Error> {
        let dial = self.dial(model);
        let mut family = self.family(model);
        let mut settings = Cow::Borrowed(settings);
        let mut on = match family.thinks.habit {
            Habit::Never | Habit::IfTold => Some(false),
            Habit::ByDefault | Habit::Always => Some(true),
            Habit::Unknown => dial.thinks,
        };
        if let Some(reasoning) = reasoning {
            let said = say(reasoning, dial, family.thinks).map_err(|why| {
                Error::unsupported(format!("{} with reasoning {reasoning} at {}: {why}", model, self.id()))
            })?;
            let limit = settings.max_tokens.or(self.default_max_tokens());
            if let (Some(limit), Some(tokens)) = (limit, said.tokens)
                && limit <= tokens
            {
                return Err(Error::unsupported(format!(
                    "max_tokens {limit} leaves no room for an answer beside {tokens} tokens of reasoning, which count \
                     as output: raise the one or lower the other"
                )));
            }
            let extra = &settings.extra;
            if !said.fields.iter().any(|field| is_said(extra, field.path)) {
                let mut all = extra.clone();
                for field in said.fields {
                    put(&mut all, field.path, field.told.of(reasoning, said.tokens));
                }
                settings.to_mut().extra = all;
                let told = reasoning != Reasoning::Off;
                on = Some(told);
                family.tools_refused = told && !family.tools;
                family.tools |= !told;
            }
        }
        // The body has the last word, whoever wrote it.
        family.forcing &= dial.unforced.is_none_or(|(path, told)| match at(&settings.extra, path) {
            Some(value) => *value != told.value(),
            None => on != Some(true),
        });
        Ok(Thinking { settings, family })
    }
}

/// The fields that say it. The error says why there are none.
fn say(reasoning: Reasoning, dial: &'static Dial, thinks: Thinks) -> Result<Said, String> {
    let thinks = match thinks.habit {
        Habit::Never => thinks,
        habit if dial.translates => Thinks { habit, ..Thinks::UNKNOWN },
        _ => thinks,
    };
    let efforts: Vec<Effort> = match dial.effort {
        Some(_) => thinks.efforts.iter().copied().filter(|effort| dial.words.contains(effort)).collect(),
        None => Vec::new(),
    };
    let budgets = thinks.budgets.filter(|_| dial.budget.is_some());
    let takes = || {
        let words: Vec<&str> = efforts.iter().map(|effort| effort.as_str()).collect();
        let words = (!words.is_empty()).then(|| format!("an effort ({})", words.join(", ")));
        let budget = budgets.map(|(least, most)| match most {
            u64::MAX => format!("a budget of {least} tokens or more"),
            _ => format!("a budget from {least} to {most} tokens"),
        });
        let all: Vec<String> = words.into_iter().chain(budget).collect();
        if all.is_empty() { String::from("nothing that can be set") } else { all.join(" or ") }
    };
    if thinks.habit == Habit::Never {
        return match reasoning {
            Reasoning::Off => Ok(Said { fields: &[], tokens: None }),
            _ => Err(String::from("the model does not think; leave reasoning out, or ask one that does")),
        };
    }
    let budget = |tokens: u64| match budgets.zip(dial.budget) {
        Some(((least, most), fields)) if (least..=most).contains(&tokens) => Ok(Said { fields, tokens: Some(tokens) }),
        _ => Err(format!("it takes {}", takes())),
    };
    match reasoning {
        Reasoning::Off if thinks.habit == Habit::Always => {
            Err(format!("the model always thinks; it takes {}", takes()))
        }
        Reasoning::Off => match dial.off {
            Some(fields) => Ok(Said { fields, tokens: None }),
            None => Err(format!("it can't be turned off there; it takes {}", takes())),
        },
        Reasoning::Effort(effort) => match dial.effort {
            Some(fields) if efforts.contains(&effort) => Ok(Said { fields, tokens: None }),
            _ if efforts.is_empty() => match effort.tokens() {
                Some(tokens) => budget(tokens),
                None => Err(format!("it takes {}", takes())),
            },
            _ => Err(format!("it takes {}", takes())),
        },
        Reasoning::Budget(tokens) => budget(tokens),
    }
}

/// What the body says of it.
struct Said {
    fields: &'static [Field],
    /// The budget, also that which an effort stands for.
    tokens: Option<u64>,
}

/// Whether the caller has said something there, or something that leaves no place for it.
fn is_said(extra: &Map<String, Value>, path: &[&str]) -> bool {
    match path {
        [] => true,
        [key, rest @ ..] => match extra.get(*key) {
            None => false,
            Some(Value::Object(inner)) => is_said(inner, rest),
            Some(_) => true,
        },
    }
}

fn at<'v>(extra: &'v Map<String, Value>, path: &[&str]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(extra.get(*first)?, |value, key| value.get(key))
}

fn put(map: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => _ = map.insert(String::from(*key), value),
        [key, rest @ ..] => {
            let inner = map.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
