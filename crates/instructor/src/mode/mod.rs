//! How a value is asked for: where its schema goes in, where the answer comes out, how a rejection is spoken.
//!
//! This is the only place that knows what a mode means. It speaks in neutral words that every protocol has.

mod answer;
mod ladder;
mod parallel;
mod patch;
mod rest;
mod think;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::message::{Message, Part, Role, ToolCall, ToolResult};
use crate::model::{Contract, Toolset};
use crate::provider::Profile;
use crate::provider::models::Family;
use crate::repair::ParseOptions;
use crate::schema::{Dialect, Item, Lowered, nearest};
use crate::validate::{Issue, Issues};
use crate::wire::{Choice, Declined, Output, Response, Shape};

pub(crate) use self::answer::{Answer, Site};
use self::ladder::Ladder;
pub(crate) use self::ladder::Rung;
pub(crate) use self::rest::told;

/// How a value is asked for.
///
/// The modes are the rungs of a ladder, from the one that constrains the answer most down to the one that every model
/// can do: `Schema` enforced (strict), `Schema` not enforced (lax), `Tools`, `Json`, `MdJson`. Some of what providers do
/// not take (a schema that is too complex, a model without tools) they tell only by refusing the request. Then:
///
/// - [`Auto`](Self::Auto) steps down to the next rung that the provider and model can do, and so on to the last.
/// - `Schema` steps from strict to lax, where the provider has both; a mode that was asked for never becomes another.
/// - The other modes do not step.
///
/// [`ParallelTools`](Self::ParallelTools) and [`ThinkThenShape`](Self::ThinkThenShape) are no rungs: they are asked for
/// by name, and a contract that they can't ask for is refused before anything is sent.
///
/// Where [`Auto`](Self::Auto) starts:
///
/// | what is known | mode |
/// |---|---|
/// | nothing more | the provider's own ([`Profile::mode`]) |
/// | that is `Tools`, and the model takes none on this protocol | `Schema` |
/// | that is `Tools`, and no call can be forced: the model refuses it, or does while it thinks | `Schema` where the provider has it, else `Tools`, with the call asked for in words |
/// | that is `Schema`, and the contract is over its limits, so that what lies deep would be JSON text | the next, where it comes whole: `Schema` lax, or without that `Tools` or `Json` |
/// | the client has been refused before | where that request ended |
///
/// [`Preview::mode`](crate::Preview::mode) and `instructor extract --dry-run` tell what it is for a request.
///
/// A step costs a call, which is an attempt of the [`Report`](crate::Report) and of the
/// [`Budget`](crate::Budget), but no retry. The client remembers for the model and response model what was taken, and
/// starts there from then on. Where nothing is left the error's kind is
/// [`SchemaRefused`](crate::ErrorKind::SchemaRefused).
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
    /// What works best with the provider and model, and where they refuse it, the next that they take.
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
    /// Several calls in one answer: for a list of models, a tool for each kind of item.
    ///
    /// The contract is a `Vec` of an enum of models, in any of serde's representations, or of one model. The calls
    /// are put together as that list, in their order, and validated as any other answer; a call of an unknown tool or
    /// with wrong arguments is an issue at its place in the list, and a re-ask tells each call what was wrong with it.
    ///
    /// ```
    /// # use instructor::testing::{Reply, Script};
    /// # use serde_json::json;
    /// use instructor::Mode;
    ///
    /// #[instructor::model]
    /// struct Search {
    ///     query: String,
    /// }
    ///
    /// #[instructor::model]
    /// struct Weather {
    ///     city: String,
    /// }
    ///
    /// #[instructor::model]
    /// enum Action {
    ///     Search(Search),
    ///     Weather(Weather),
    /// }
    ///
    /// # let script = Script::new().reply(Reply::calls([
    /// #     ("Weather", json!({ "city": "Oslo" })),
    /// #     ("Search", json!({ "query": "ferries" })),
    /// # ]));
    /// # let client = script.client("openai/gpt-5-mini");
    /// # script.block_on(async {
    /// let request = client.request("How is the weather in Oslo, and which ferries go there?");
    /// let actions: Vec<Action> = request.mode(Mode::ParallelTools).create().await?;
    /// assert!(matches!(&actions[..], [Action::Weather(_), Action::Search(_)]));
    /// # Ok::<(), instructor::Error>(())
    /// # }).unwrap();
    /// ```
    ParallelTools,
    /// Two calls: in the first the model thinks and answers in plain text, in the second that text is put into the schema.
    ///
    /// A schema that is enforced from the first token on leaves a model no room to think. Here the first call has the
    /// form described in words only. The second sees nothing but that text and asks as [`Auto`](Self::Auto) does; it is
    /// easy, so a cheaper model can do it: [`Request::shape_model`](crate::Request::shape_model). Both are attempts of
    /// the [`Report`](crate::Report), the text is in [`Completion::draft`](crate::Completion::draft), and a re-ask goes
    /// to the second call only.
    ///
    /// ```
    /// # use instructor::testing::{Reply, Script};
    /// # use serde_json::json;
    /// use instructor::Mode;
    ///
    /// #[instructor::model]
    /// struct Verdict {
    ///     guilty: bool,
    /// }
    ///
    /// # let script = Script::new()
    /// #     .reply(Reply::text("The cat was away, so it was not the cat."))
    /// #     .reply(Reply::value(json!({ "guilty": false })));
    /// # let client = script.client("openai/gpt-5");
    /// # script.block_on(async {
    /// let request = client.request("Did the cat do it?").mode(Mode::ThinkThenShape).shape_model("gpt-5-nano");
    /// let (verdict, completion) = request.create_with_completion::<Verdict>().await?;
    /// assert!(!verdict.guilty);
    /// assert_eq!(completion.report.attempts().len(), 2);
    /// assert_eq!(completion.draft.unwrap().text(), "The cat was away, so it was not the cat.");
    /// # Ok::<(), instructor::Error>(())
    /// # }).unwrap();
    /// ```
    ThinkThenShape,
}

/// Every name that parses, with what it means. The first of a mode is its own.
const NAMES: &[(&str, Mode)] = &[
    ("auto", Mode::Auto),
    ("schema", Mode::Schema),
    ("tools", Mode::Tools),
    ("json", Mode::Json),
    ("md_json", Mode::MdJson),
    ("parallel_tools", Mode::ParallelTools),
    ("think_then_shape", Mode::ThinkThenShape),
    ("json_schema", Mode::Schema),
    ("json_schema_mode", Mode::Schema),
    ("structured_outputs", Mode::Schema),
    ("json_o1", Mode::Schema),
    ("tools_strict", Mode::Tools),
    ("tool_call", Mode::Tools),
    ("parallel_tool_call", Mode::ParallelTools),
    ("functions", Mode::Tools),
    ("function_call", Mode::Tools),
    ("reasoning_tools", Mode::Tools),
    ("responses_tools", Mode::Tools),
    // Beside tools of the provider's own, which a forced call would leave unused.
    ("responses_tools_with_inbuilt_tools", Mode::Schema),
    ("thinking_md_json", Mode::MdJson),
    ("json_mode", Mode::Json),
    ("json_object", Mode::Json),
    ("markdown_json_mode", Mode::MdJson),
];

impl Mode {
    /// The modes that can be asked for, `Auto` first.
    pub const ALL: [Self; 7] =
        [Self::Auto, Self::Schema, Self::Tools, Self::Json, Self::MdJson, Self::ParallelTools, Self::ThinkThenShape];

    /// The mode's own name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Schema => "schema",
            Self::Tools => "tools",
            Self::Json => "json",
            Self::MdJson => "md_json",
            Self::ParallelTools => "parallel_tools",
            Self::ThinkThenShape => "think_then_shape",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
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
        // Python's older names put the vendor in front: the rest says what it is.
        let rest = name.split_once('_').filter(|(vendor, _)| Profile::named(vendor).is_some()).map(|(_, rest)| rest);
        known(name).or_else(|| rest.and_then(known)).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = nearest(name, NAMES.iter().map(|(known, _)| *known))
                .map_or_else(String::new, |near| format!(" Did you mean {near:?}?"));
            Error::config(format!("unknown mode {text:?}.{hint} Modes: {}", names.join(", ")))
        })
    }
}

/// A mode that has been settled for an attempt, with the schema in the form that it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) mode: Mode,
    form: Form<'a>,
    ladder: Ladder<'a>,
    rung: Rung,
    /// Whether a call can be forced.
    forcing: bool,
    /// Whether the model sees the schema of a structured output.
    unseen: bool,
}

/// What is asked for, in the form in which it goes out.
#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    /// One value.
    Value(&'a Lowered),
    /// A list, each item of which is a call.
    Tools(&'a Toolset),
    /// A text that says everything that the value needs; the instructions for it.
    Draft(&'a str),
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
    /// Settles the mode: the rung that an earlier request ended on, or the first in whose form the schema can be said.
    pub(crate) fn new(
        asked: Mode,
        contract: &'a Contract,
        profile: &'a Profile,
        family: Family,
        known: Option<Rung>,
    ) -> Result<Self, Error> {
        Ladder::new(asked, contract, profile, family).start(known)
    }

    /// The next way to ask, once the provider has refused this one; `None` if that was the last.
    pub(crate) fn below(&self, declined: Option<Declined>) -> Option<Self> {
        self.ladder.below(self, declined)
    }

    /// The next way to ask that is another mode, where the caller has named none.
    pub(crate) fn other_mode(&self) -> Option<Self> {
        let below = std::iter::successors(self.below(None), |plan| plan.below(None));
        below.into_iter().find(|plan| plan.mode != self.mode && self.ladder.asked == Mode::Auto)
    }

    /// Whether the provider is asked to enforce the schema.
    pub(crate) fn strict(&self) -> bool {
        matches!(self.mode, Mode::Schema | Mode::Tools) && matches!(self.form, Form::Value(lowered) if lowered.strict)
    }

    /// Whether the provider is asked to enforce the schema and parts of it are left out of that, for want of room.
    fn cramped(&self) -> bool {
        self.mode == Mode::Schema && matches!(self.form, Form::Value(lowered) if lowered.cramped)
    }

    /// The form in which the answer comes as one value, if that is not the contract's own.
    pub(crate) fn lowered(&self) -> Option<&'a Lowered> {
        match self.form {
            Form::Value(lowered) if !lowered.is_identity() => Some(lowered),
            Form::Value(_) | Form::Tools(_) | Form::Draft(_) => None,
        }
    }

    /// What the answer has to be.
    pub(crate) const fn contract(&self) -> &'a Contract {
        self.ladder.contract
    }

    /// Which way to ask this is, to start with it another time.
    pub(crate) const fn rung(&self) -> Rung {
        self.rung
    }

    /// What the caller can do where the provider has refused the last way to ask.
    pub(crate) fn advice(&self) -> &'static str {
        match self.ladder.asked {
            Mode::Auto => "no other mode is left to try; use a simpler response model, or another model",
            _ => "no other mode was tried since this one was asked for; mode auto tries them",
        }
    }

    /// The tools that the request offers, where there may be several.
    pub(crate) fn tools(&self) -> Vec<Shape<'a>> {
        match self.form {
            Form::Tools(set) => parallel::shapes(set),
            Form::Value(_) | Form::Draft(_) => Vec::new(),
        }
    }

    /// The contract and dialect of that form.
    pub(crate) fn dialect(&self) -> Option<(Contract, Dialect)> {
        self.lowered()?;
        Some((self.ladder.contract.clone(), self.ladder.dialect(self.rung)?))
    }

    /// The item that a call is, as JSON, or what is wrong with it.
    pub(crate) fn item(&self, index: usize, call: &ToolCall, reading: ParseOptions) -> Result<String, Issues> {
        match self.form {
            Form::Tools(set) => parallel::item(set, index, call, reading, &mut Vec::new()),
            Form::Value(_) | Form::Draft(_) => Ok(call.arguments.clone()),
        }
    }

    /// How a call of this name becomes an item, if it does.
    pub(crate) fn item_of(&self, name: &str) -> Option<&'a Item> {
        match self.form {
            Form::Tools(set) => parallel::find(set, name).map(|tool| &tool.item),
            Form::Value(_) | Form::Draft(_) => None,
        }
    }

    /// Whether each item of a list is a call.
    pub(crate) const fn has_calls(&self) -> bool {
        matches!(self.form, Form::Tools(_))
    }

    /// A value as the model would say it.
    pub(crate) fn said<'j>(&self, json: &'j str) -> Cow<'j, str> {
        let encoded = self.lowered().and_then(|lowered| lowered.encode_json(json));
        encoded.map_or(Cow::Borrowed(json), Cow::Owned)
    }

    /// An answer as if it had said these items alone: the calls at these places, or this list.
    pub(crate) fn only(&self, mut answer: Response, places: &[usize], list: &str) -> Response {
        let site = self.site();
        let (mut calls, mut text) = (0.., Some(self.said(list).into_owned()));
        answer.parts.retain_mut(|part| match (part, site) {
            (Part::ToolCall(_), Site::Calls) => calls.next().is_some_and(|call| places.contains(&call)),
            (Part::ToolCall(call), Site::Call(tool) | Site::Text(tool)) if call.name == tool => {
                text.take().map(|text| call.arguments = text).is_some()
            }
            (Part::ToolCall(_) | Part::Text(_), _) => false,
            _ => true,
        });
        answer.parts.extend(text.filter(|_| !self.has_calls()).map(Part::Text));
        answer
    }

    /// Where the text of the value comes out.
    pub(crate) fn site(&self) -> Site<'a> {
        let tool = self.ladder.contract.tool_name();
        match (self.form, self.mode) {
            (Form::Tools(_), _) => Site::Calls,
            (Form::Draft(_), _) => Site::Nowhere,
            (Form::Value(_), Mode::Tools) => Site::Call(tool),
            (Form::Value(_), _) => Site::Text(tool),
        }
    }

    /// Where the schema goes in; `tools` are the plan's own.
    pub(crate) fn lower<'s>(&self, tools: &'s [Shape<'s>]) -> Said<'s>
    where
        'a: 's,
    {
        let contract = self.ladder.contract;
        let lowered = match self.form {
            Form::Value(lowered) => lowered,
            Form::Tools(set) => return parallel::lower(set, tools, self.forcing),
            Form::Draft(brief) => {
                return Said { output: Output::Text, instructions: Some(brief), nudge: None };
            }
        };
        let shape = Shape {
            name: contract.tool_name(),
            description: contract.description(),
            schema: &lowered.schema,
            strict: lowered.strict,
        };
        let asked = |output| Said { output, instructions: Some(contract.prompt()), nudge: None };
        match self.mode {
            Mode::Schema if self.unseen => asked(Output::Schema(shape)),
            Mode::Schema => Said { output: Output::Schema(shape), instructions: None, nudge: None },
            Mode::Json => asked(Output::Object),
            Mode::MdJson => Said { nudge: Some(FENCE), ..asked(Output::Text) },
            Mode::Tools | Mode::Auto | Mode::ParallelTools | Mode::ThinkThenShape => Said {
                output: Output::Tool { shape, choice: if self.forcing { Choice::Named } else { Choice::Auto } },
                instructions: (!self.forcing).then_some(CALL),
                nudge: None,
            },
        }
    }

    /// Whether the answer is not the value, but the text that another call makes the value of.
    pub(crate) const fn drafts(&self) -> bool {
        matches!(self.form, Form::Draft(_))
    }

    /// The messages of the call that makes the value of a draft; none if there is nothing in it.
    pub(crate) fn shape(draft: &Response) -> Option<Vec<Message>> {
        think::shape(draft)
    }

    /// Where the answer comes out: the calls' arguments or the text.
    pub(crate) fn answer<'r>(&self, response: &'r Response, reading: ParseOptions) -> Result<Answer<'r>, Issue> {
        match self.form {
            Form::Tools(set) => parallel::answer(set, response, reading),
            Form::Value(_) | Form::Draft(_) => {
                answer::one(self.mode, self.ladder.contract.tool_name(), response).map(Answer::from)
            }
        }
    }

    /// How a rejection is spoken, with issues in the terms of what the model wrote: the turns that follow the caller's
    /// messages in the next request. They replace those of an earlier re-ask, so that a re-ask has the same size however
    /// many went before.
    pub(crate) fn reask(&self, rejected: Response, issues: &Issues) -> Vec<Message> {
        let called: Vec<String> = rejected.tool_calls().map(|call| call.id.clone()).collect();
        if let (Form::Tools(set), false) = (self.form, called.is_empty()) {
            return parallel::reask(set, rejected, issues);
        }
        let answer = match self.mode {
            Mode::ParallelTools => String::from(parallel::AGAIN),
            Mode::Tools => {
                format!(
                    "Call the tool {:?} again, complete and with all of this corrected.",
                    self.ladder.contract.tool_name()
                )
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
            ("think-then-shape", Mode::ThinkThenShape),
            ("THINKING_MD_JSON", Mode::MdJson),
            ("Mode.PARALLEL_TOOLS", Mode::ParallelTools),
            ("ANTHROPIC_PARALLEL_TOOLS", Mode::ParallelTools),
            ("VERTEXAI_PARALLEL_TOOLS", Mode::ParallelTools),
            ("parallel-tool-call", Mode::ParallelTools),
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
