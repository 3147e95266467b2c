//! The ways to ask, in their order, and which of them one request may use.

use std::fmt;

use super::{Form, Mode, Plan};
use crate::error::Error;
use crate::model::Contract;
use crate::provider::models::Family;
use crate::provider::{Profile, Quirks};
use crate::schema::{Dialect, Unlowerable};
use crate::wire::Declined;

/// One way to ask: a mode, strict or lax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    mode: Mode,
    /// The provider is not asked to enforce the schema.
    lax: bool,
}

impl Rung {
    const fn of(mode: Mode) -> Self {
        Self { mode, lax: false }
    }

    /// The form in which the schema goes out; none if there is no such rung with this provider.
    fn dialect(self, profile: &Profile) -> Option<Dialect> {
        match self.mode {
            Mode::Schema if self.lax => profile.dialect().lax(),
            Mode::Schema => Some(profile.dialect()),
            _ => Some(Dialect::Plain),
        }
    }

    /// Whether it can't be, since this has been refused on another rung.
    const fn needs(self, declined: Declined) -> bool {
        match declined {
            Declined::Schema => false,
            Declined::Structured => matches!(self.mode, Mode::Schema),
            Declined::Json => matches!(self.mode, Mode::Schema | Mode::Json),
            Declined::Tools => matches!(self.mode, Mode::Tools | Mode::ParallelTools),
        }
    }
}

/// All ways to ask, the most constraining first.
const LADDER: [Rung; 5] = [
    Rung::of(Mode::Schema),
    Rung { mode: Mode::Schema, lax: true },
    Rung::of(Mode::Tools),
    Rung::of(Mode::Json),
    Rung::of(Mode::MdJson),
];

/// The part of the ladder that one request may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ladder<'a> {
    pub(super) asked: Mode,
    pub(super) contract: &'a Contract,
    profile: &'a Profile,
    family: Family,
    /// The modes whose form has been refused, a bit each.
    gone: u8,
}

impl<'a> Ladder<'a> {
    pub(super) fn dialect(&self, rung: Rung) -> Option<Dialect> {
        rung.dialect(self.profile)
    }

    pub(super) const fn new(asked: Mode, contract: &'a Contract, profile: &'a Profile, family: Family) -> Self {
        Self { asked, contract, profile, family, gone: 0 }
    }

    /// The same for another contract, of which nothing has been refused.
    pub(super) const fn with(self, asked: Mode, contract: &'a Contract) -> Self {
        Self { asked, contract, ..self }
    }

    /// The rung that an earlier request ended on, or the first in whose form the schema can be said.
    pub(super) fn start(self, known: Option<Rung>) -> Result<Plan<'a>, Error> {
        let known = known.filter(|known| self.rungs().any(|rung| rung == *known));
        if let Some(plan) = known.and_then(|rung| self.plan(rung)?.ok()) {
            return Ok(plan);
        }
        let mut first = None;
        for rung in self.rungs() {
            match self.plan(rung) {
                // The schema comes whole on the next one.
                Some(Ok(plan)) if self.asked == Mode::Auto && plan.cramped() => {
                    return Ok(self.below(&plan, None).unwrap_or(plan));
                }
                Some(Ok(plan)) => return Ok(plan),
                Some(Err(error)) => _ = first.get_or_insert(error),
                None => {}
            }
        }
        Err(first.unwrap_or_else(|| Error::unsupported(format!("no mode to ask {} in", self.profile.id()))))
    }

    /// The next way to ask, once the provider has refused this one; `None` if that was the last.
    pub(super) fn below(mut self, refused: &Plan<'_>, declined: Option<Declined>) -> Option<Plan<'a>> {
        for rung in LADDER.iter().filter(|rung| declined.is_some_and(|declined| rung.needs(declined))) {
            self.gone |= rung.mode.bit();
        }
        let rungs = self.rungs().skip_while(|rung| *rung != refused.rung).skip(1);
        rungs
            .filter(|rung| self.gone & rung.mode.bit() == 0)
            // What has gone out lax already would go out the same.
            .filter(|rung| !rung.lax || refused.strict())
            .find_map(|rung| self.plan(rung)?.ok())
    }

    /// Its rungs, from the top.
    fn rungs(&self) -> impl Iterator<Item = Rung> {
        let auto = self.asked == Mode::Auto;
        let first = if auto { self.preferred() } else { self.asked };
        let (family, profile) = (self.family, self.profile);
        // What is no rung of the ladder is the only way to ask.
        let alone = LADDER.iter().all(|rung| rung.mode != first).then_some(Rung::of(first));
        LADDER
            .into_iter()
            .skip_while(move |rung| rung.mode != first)
            .chain(alone)
            // What is preferred, or asked for, is done without asking whether it can be.
            .filter(move |rung| match rung.mode {
                mode if mode == first => true,
                Mode::Tools if !family.tools => false,
                mode => auto && profile.can(mode),
            })
    }

    /// Where [`Mode::Auto`] starts.
    fn preferred(&self) -> Mode {
        let (profile, family) = (self.profile, self.family);
        match profile.mode() {
            ladder @ (Mode::Schema | Mode::Json | Mode::MdJson) => ladder,
            // What answers another question than the ladder is never chosen for the caller.
            Mode::Auto | Mode::Tools | Mode::ParallelTools | Mode::ThinkThenShape if !family.tools => Mode::Schema,
            // A schema is enforced where a call can't be, such as while the model thinks.
            _ if !family.forcing && profile.can(Mode::Schema) => Mode::Schema,
            _ => Mode::Tools,
        }
    }

    /// The plan for a rung. The inner error says why the schema can't be said there.
    fn plan(self, rung: Rung) -> Option<Result<Plan<'a>, Error>> {
        let Self { contract, profile, family, .. } = self;
        let forcing = family.forcing && !profile.quirks().contains(Quirks::CHOICE_IS_AUTO);
        let refused = |why: &dyn fmt::Display| {
            Error::unsupported(format!("{} in mode {} with {}: {why}", contract.name(), rung.mode, profile.id()))
        };
        if family.tools_refused && matches!(rung.mode, Mode::Tools | Mode::ParallelTools) {
            let why =
                "the model takes no tools on this protocol while it reasons; turn reasoning off, or use mode schema";
            return Some(Err(refused(&why)));
        }
        let form = if rung.mode == Mode::ParallelTools {
            contract.toolset().map(Form::Tools).map_err(|why| {
                let wanted = "this mode asks for a list whose items are calls, such as a `Vec` of an enum of models";
                refused(&format!("{why}; {wanted}"))
            })
        } else {
            contract.lowered(rung.dialect(profile)?).map(Form::Value).map_err(|why| {
                let hint = if matches!(why, Unlowerable::Unsatisfiable) { "" } else { "; use mode tools" };
                refused(&format!("{why}{hint}"))
            })
        };
        let form = if rung.mode == Mode::ThinkThenShape { form.map(|_| Form::Draft(contract.brief())) } else { form };
        Some(form.map(|form| Plan {
            mode: rung.mode,
            form,
            ladder: self,
            rung,
            forcing,
            unseen: profile.quirks().contains(Quirks::SCHEMA_UNSEEN),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::provider::models::family;

    #[test]
    fn it_starts_on_the_first_rung_and_nowhere_with_a_schema_that_has_no_value() {
        let never = json!({ "type": "object", "properties": { "a": false }, "required": ["a"] });
        let (never, any) =
            (Contract::from_schema(never).unwrap(), Contract::from_schema(json!({ "type": "object" })).unwrap());
        let strict = Profile::named("openai").unwrap();
        // It enforces every schema or takes none.
        let only_strict = Profile::named("anthropic").unwrap().with_mode(Mode::Schema);
        let start = |asked, contract, profile| {
            Plan::new(asked, contract, profile, family("m"), None).map(|plan| (plan.mode, plan.strict()))
        };
        assert_eq!(start(Mode::Auto, &any, &strict).unwrap(), (Mode::Schema, true));
        assert_eq!(start(Mode::Auto, &any, &only_strict).unwrap(), (Mode::Schema, true));
        for (asked, profile) in [(Mode::Auto, &strict), (Mode::Auto, &only_strict), (Mode::Schema, &strict)] {
            let error = start(asked, &never, profile).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("no value fits"), "{error}");
        }
    }

    #[test]
    fn a_known_rung_counts_where_the_mode_that_was_asked_for_has_it() {
        let contract = Contract::from_schema(json!({ "type": "object" })).unwrap();
        let profile = Profile::named("openai").unwrap();
        let plan = |asked, known| Plan::new(asked, &contract, &profile, family("m"), known).unwrap();
        let json = plan(Mode::Json, None).rung();
        assert_eq!(plan(Mode::Auto, Some(json)).mode, Mode::Json);
        assert_eq!(plan(Mode::Auto, Some(json)).below(None).unwrap().mode, Mode::MdJson);
        assert_eq!(plan(Mode::Schema, Some(json)).mode, Mode::Schema);
        let lax = plan(Mode::Schema, None).below(None).unwrap();
        assert!(!lax.strict() && lax.below(None).is_none());
        assert!(!plan(Mode::Schema, Some(lax.rung())).strict());
    }

    #[test]
    fn a_schema_that_has_no_room_is_asked_for_where_it_comes_whole() {
        let deep = (0..14).fold(
            json!({ "type": "integer" }),
            |inner, _| json!({ "type": "object", "properties": { "a": inner }, "required": ["a"] }),
        );
        let (deep, flat) =
            (Contract::from_schema(deep).unwrap(), Contract::from_schema(json!({ "type": "object" })).unwrap());
        let start = |asked, contract, profile: &Profile| {
            let plan = Plan::new(asked, contract, profile, family("m"), None).unwrap();
            (plan.mode, plan.strict())
        };
        let named = |id| Profile::named(id).unwrap();
        // profile, mode that is asked for, where it starts with a contract that fits, and with one that is too deep
        let cases = [
            (named("openai"), Mode::Auto, (Mode::Schema, true), (Mode::Schema, false)),
            (named("cerebras"), Mode::Auto, (Mode::Schema, true), (Mode::Schema, false)),
            // It takes any depth.
            (named("gemini"), Mode::Auto, (Mode::Schema, true), (Mode::Schema, true)),
            // A mode that is named is not left.
            (named("openai"), Mode::Schema, (Mode::Schema, true), (Mode::Schema, true)),
        ];
        for (profile, asked, fits, too_deep) in cases {
            assert_eq!(start(asked, &flat, &profile), fits, "{} {asked}", profile.id());
            assert_eq!(start(asked, &deep, &profile), too_deep, "{} {asked}", profile.id());
        }
    }

    #[test]
    fn where_no_call_can_be_forced_a_schema_comes_first() {
        let contract = Contract::from_schema(json!({ "type": "object" })).unwrap();
        let tools = Profile::named("groq").unwrap();
        let no_schema = Profile::named("groq").unwrap().with_modes([Mode::Tools]);
        let (mut unforced, mut toolless) = (family("m"), family("m"));
        unforced.forcing = false;
        toolless.tools = false;
        let cases = [
            (&tools, family("m"), Mode::Tools),
            (&tools, unforced, Mode::Schema),
            (&no_schema, unforced, Mode::Tools),
            (&no_schema, toolless, Mode::Schema),
        ];
        for (profile, family, wanted) in cases {
            assert_eq!(Plan::new(Mode::Auto, &contract, profile, family, None).unwrap().mode, wanted, "{family:?}");
        }
    }
}
