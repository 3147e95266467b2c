//! How a value is asked for: where its schema goes in, where the answer comes out, how a rejection is spoken.
//!
//! This is the only file that knows what a mode means. It speaks in neutral words that every protocol has.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::message::{Message, Part, Role, ToolResult};
use crate::model::Contract;
use crate::provider::models::Family;
use crate::provider::{Profile, Quirks};
use crate::schema::{Dialect, Lowered, nearest};
use crate::validate::{Issue, Issues, Origin, Path};
use crate::wire::{Choice, Output, Response, Shape};

/// How a value is asked for.
///
/// Parses its own names and those of Python Instructor's modes:
///
/// ```
/// use instructor::Mode;
///
/// assert_eq!("tools".parse::<Mode>()?, Mode::Tools);
/// assert_eq!("ANTHROPIC_TOOLS".parse::<Mode>()?, Mode::Tools);
/// assert_eq!("Mode.MD_JSON".parse::<Mode>()?, Mode::MdJson);
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// What works best with the provider and model.
    #[default]
    Auto,
    /// The provider's structured output: the schema constrains the answer.
    Schema,
    /// A call of a tool whose parameters are the schema.
    Tools,
    /// The provider's JSON mode, with the schema in the prompt.
    Json,
    /// No help from the provider: the schema in the prompt, the answer in a fenced block.
    MdJson,
}

/// Every name that parses, with what it means. The first of a mode is its own.
const NAMES: &[(&str, Mode)] = &[
    ("auto", Mode::Auto),
    ("schema", Mode::Schema),
    ("tools", Mode::Tools),
    ("json", Mode::Json),
    ("md_json", Mode::MdJson),
    ("json_schema", Mode::Schema),
    ("json_schema_mode", Mode::Schema),
    ("structured_outputs", Mode::Schema),
    ("json_o1", Mode::Schema),
    ("tools_strict", Mode::Tools),
    ("tool_call", Mode::Tools),
    ("functions", Mode::Tools),
    ("function_call", Mode::Tools),
    ("reasoning_tools", Mode::Tools),
    ("json_mode", Mode::Json),
    ("json_object", Mode::Json),
    ("markdown_json_mode", Mode::MdJson),
];

impl Mode {
    /// The modes that can be asked for, `Auto` first.
    pub const ALL: [Self; 5] = [Self::Auto, Self::Schema, Self::Tools, Self::Json, Self::MdJson];

    /// The mode's own name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Schema => "schema",
            Self::Tools => "tools",
            Self::Json => "json",
            Self::MdJson => "md_json",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.trim().to_ascii_lowercase().replace('-', "_");
        let name = name.strip_prefix("mode.").unwrap_or(&name);
        let known = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode);
        if name.contains("parallel") {
            return Err(Error::unsupported(format!("mode {text:?}: several tools in one call are not there yet")));
        }
        // Python's older names put the vendor in front: the rest says what it is.
        let rest = name.split_once('_').map(|(_, rest)| rest);
        known(name).or_else(|| rest.and_then(known)).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = nearest(name, NAMES.iter().map(|(known, _)| *known))
                .map_or_else(String::new, |near| format!(" Did you mean {near:?}?"));
            Error::config(format!("unknown mode {text:?}.{hint} Modes: {}", names.join(", ")))
        })
    }
}

/// A mode that has been settled for one request, with the schema in the form that it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) mode: Mode,
    pub(crate) lowered: &'a Lowered,
    contract: &'a Contract,
    choice: Choice,
    /// Whether the model sees the schema of a structured output.
    unseen: bool,
}

/// What a request says because of its mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) output: Output<'a>,
    pub(crate) instructions: Option<&'a str>,
    pub(crate) nudge: Option<&'a str>,
}

const FENCE: &str = "Put the JSON in a ```json fenced block.";
const CALL: &str = "Answer with a call of the tool and no other text.";

impl<'a> Plan<'a> {
    /// Settles the mode and lowers the schema for it.
    pub(crate) fn new(mode: Mode, contract: &'a Contract, profile: &Profile, family: Family) -> Result<Self, Error> {
        let plan = |mode, dialect| {
            let lowered = contract.lowered(dialect).map_err(|why| {
                Error::unsupported(format!(
                    "{} in mode {mode} with {}: {why}; use mode tools",
                    contract.name(),
                    profile.id()
                ))
            })?;
            let choice = if family.forcing { Choice::Named } else { Choice::Auto };
            let unseen = profile.quirks().contains(Quirks::SCHEMA_UNSEEN);
            Ok(Self { mode, lowered, contract, choice, unseen })
        };
        match mode {
            Mode::Schema => plan(Mode::Schema, profile.dialect()),
            Mode::Auto => {
                let preferred = match profile.mode() {
                    Mode::Auto | Mode::Tools if family.tools => Mode::Tools,
                    Mode::Auto | Mode::Tools => Mode::Schema,
                    other => other,
                };
                let dialect = if preferred == Mode::Schema { profile.dialect() } else { Dialect::Plain };
                plan(preferred, dialect).or_else(|_: Error| plan(Mode::Tools, Dialect::Plain))
            }
            other => plan(other, Dialect::Plain),
        }
    }

    /// Where the schema goes in.
    pub(crate) fn lower(&self) -> Said<'a> {
        let contract = self.contract;
        let shape = Shape {
            name: contract.tool_name(),
            description: contract.description(),
            schema: &self.lowered.schema,
            strict: self.lowered.strict,
        };
        let asked = |output| Said { output, instructions: Some(contract.prompt()), nudge: None };
        match self.mode {
            Mode::Schema if self.unseen => asked(Output::Schema(shape)),
            Mode::Schema => Said { output: Output::Schema(shape), instructions: None, nudge: None },
            Mode::Json => asked(Output::Object),
            Mode::MdJson => Said { nudge: Some(FENCE), ..asked(Output::Text) },
            Mode::Tools | Mode::Auto => Said {
                output: Output::Tool { shape, choice: self.choice },
                instructions: (self.choice == Choice::Auto).then_some(CALL),
                nudge: None,
            },
        }
    }

    /// Where the answer comes out: the call's arguments or the text.
    pub(crate) fn answer<'r>(&self, response: &'r Response) -> Result<Cow<'r, str>, Issue> {
        let name = self.contract.tool_name();
        let unreadable = |wanted: String| Issue::found_by(Origin::Reading, Path::root(), wanted);
        let mut calls = response.tool_calls().filter(|call| call.name == name);
        let text = response.text();
        match (calls.next(), self.mode) {
            (Some(call), _) => {
                let others = calls.filter(|other| other.arguments != call.arguments).count();
                if others > 0 {
                    let got = format!("{} different calls", others + 1);
                    return Err(unreadable(format!("exactly one call of the tool {name:?}")).got(got));
                }
                Ok(Cow::Borrowed(&call.arguments))
            }
            (None, Mode::Tools) => match response.tool_calls().next() {
                Some(other) => {
                    Err(unreadable(format!("a call of the tool {name:?}")).got(format!("a call of {:?}", other.name)))
                }
                // Servers that take tools without enforcing them answer in text: it is read like any other.
                None if text.contains(['{', '[']) => Ok(text),
                None => Err(unreadable(format!("a call of the tool {name:?}")).got("no tool call")),
            },
            (None, _) => Ok(text),
        }
    }

    /// How a rejection is spoken, with issues in the terms of what the model wrote: the turns that follow the caller's messages in the next request. They replace those
    /// of an earlier re-ask, so that a re-ask has the same size however many went before.
    pub(crate) fn reask(&self, rejected: Response, issues: &Issues) -> Vec<Message> {
        let called: Vec<String> = rejected.tool_calls().map(|call| call.id.clone()).collect();
        let answer = match self.mode {
            Mode::Tools => {
                format!("Call the tool {:?} again, complete and with all of this corrected.", self.contract.tool_name())
            }
            Mode::MdJson => format!("Answer again, complete and with all of this corrected. {FENCE}"),
            _ => String::from("Answer again with the JSON only, complete and with all of this corrected."),
        };
        let text = format!("The answer was rejected:\n{issues}\n{answer}");
        let mut turns = Vec::with_capacity(2);
        turns.extend(rejected.into_turn());
        turns.push(if called.is_empty() {
            Message::user(text)
        } else {
            // Every call of a turn has to be answered, also those that were not asked for.
            let results = called.into_iter().map(|id| Part::ToolResult(ToolResult::rejected(id, text.as_str())));
            Message::new(Role::Tool, results.collect::<Vec<_>>())
        });
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_names_parse() {
        let cases = [
            ("TOOLS", Mode::Tools),
            ("Mode.JSON_SCHEMA", Mode::Schema),
            ("json_mode", Mode::Json),
            ("markdown_json_mode", Mode::MdJson),
            ("ANTHROPIC_REASONING_TOOLS", Mode::Tools),
            ("OPENROUTER_STRUCTURED_OUTPUTS", Mode::Schema),
            ("GEMINI_JSON", Mode::Json),
            ("md-json", Mode::MdJson),
            ("FUNCTIONS", Mode::Tools),
        ];
        for (name, mode) in cases {
            assert_eq!(name.parse::<Mode>().unwrap(), mode, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_gets_a_suggestion() {
        let error = "tols".parse::<Mode>().unwrap_err().to_string();
        assert!(error.contains("Did you mean \"tools\"?"), "{error}");
    }

    #[test]
    fn own_names_round_trip() {
        for mode in Mode::ALL {
            assert_eq!(mode.as_str().parse::<Mode>().unwrap(), mode);
        }
    }
}
