//! A re-ask for the parts of an answer that are wrong, and not for all of it.

use std::fmt;
use std::sync::OnceLock;

use instructor_json::{Document, Node, Step};

use super::Run;
use super::failure::Failure;
use super::repeat::{Repeat, again};
use crate::error::ErrorKind;
use crate::message::Message;
use crate::mode::Plan;
use crate::model::Contract;
use crate::schema::{Missing, Part, part_name, parts, rest_name, splice};
use crate::validate::{Issues, Path};
use crate::wire::Response;

/// What is asked for again after an answer that was wrong.
///
/// A patch asks for the parts that are wrong, each with its own schema and what is wrong with it, and puts them where
/// they belong; all else stays as it was. It costs a small part of the tokens, and can't spoil what was right. The whole is
/// then validated against the original schema as any answer is. Where parts can't be told apart, such as an answer that is
/// no JSON or a rule about the whole, and where a patch is refused, changes nothing or leaves more parts wrong than before, all is asked for again.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::ReAsk;
///
/// #[instructor::model]
/// struct User {
///     name: String,
///     #[schemars(range(max = 150))]
///     age: u16,
/// }
///
/// # let script = Script::new()
/// #     .reply(Reply::value(json!({ "name": "Jason", "age": 250 })))
/// #     .reply(Reply::value(json!({ "fix_1": 25 })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let request = client.request("Jason is 25 years old").reask(ReAsk::Patch);
/// let (user, completion) = request.create_with_completion::<User>().await?;
/// assert_eq!((user.name.as_str(), user.age), ("Jason", 25));
/// // The second call asked for the age alone.
/// let asked: Vec<&str> = completion.report.attempts()[1].patch.iter().map(|path| path.as_str()).collect();
/// assert_eq!(asked, ["$.age"]);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReAsk {
    /// A patch where it pays: a big answer, of which few and small parts are wrong.
    #[default]
    Auto,
    /// A patch wherever there are parts to ask for.
    Patch,
    /// All of the answer, each time.
    Full,
}

impl ReAsk {
    /// Whether these parts of an answer are asked for alone.
    fn pays(self, answer: &str, parts: &[Part<'_>], value: Node<'_>) -> bool {
        const BIG: usize = 1 << 10;
        let bytes =
            || -> usize { parts.iter().filter_map(|part| value.follow(&part.steps)).map(|n| n.span().len()).sum() };
        let parted = parts.iter().all(|part| !part.steps.is_empty());
        match self {
            Self::Full => false,
            Self::Patch => parted && parts.len() <= 32,
            Self::Auto => parted && parts.len() <= 8 && answer.len() >= BIG && bytes() <= answer.len() / 4,
        }
    }
}

/// Contracts that are made while a request runs, and live as long as it.
#[derive(Default)]
pub(crate) struct Shelf {
    contract: OnceLock<Contract>,
    next: OnceLock<Box<Self>>,
}

impl Shelf {
    pub(super) fn put(&self, contract: Contract) -> &Contract {
        let mut shelf = self;
        while shelf.contract.get().is_some() {
            shelf = shelf.next.get_or_init(Box::default);
        }
        shelf.contract.get_or_init(|| contract)
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

/// Parts of an answer that have been asked for.
#[derive(Debug)]
pub(super) struct Patching<'a> {
    /// How all of the answer is asked for.
    pub(super) whole: Plan<'a>,
    pub(super) goal: Goal,
    /// The answer that they are put into, in the type's own form.
    pub(super) answer: String,
}

/// What they are asked for.
#[derive(Debug)]
pub(super) enum Goal {
    /// They were wrong.
    Mend {
        /// What is said when all is asked for again.
        rejected: Box<Response>,
        wrong: Issues,
        /// What is wrong with the parts.
        issues: Issues,
        places: Vec<Place>,
    },
    /// They are missing, since the answer was cut.
    Rest {
        /// Where.
        place: Path,
        missing: Vec<Missing>,
        told: String,
    },
}

#[derive(Debug)]
pub(super) struct Place {
    path: Path,
    steps: Vec<Step<'static>>,
}

impl Patching<'_> {
    fn places(&self) -> &[Place] {
        match &self.goal {
            Goal::Mend { places, .. } => places,
            Goal::Rest { .. } => &[],
        }
    }

    /// The parts that are given anew.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.places().iter().map(|place| &place.path)
    }

    /// Where the answer was cut whose rest this is.
    pub(super) const fn broke(&self) -> Option<&Path> {
        match &self.goal {
            Goal::Mend { .. } => None,
            Goal::Rest { place, .. } => Some(place),
        }
    }

    /// The turn that asks for the rest, if that is the goal.
    pub(super) fn asked(&self, plan: &Plan<'_>, wrong: Option<String>) -> Option<Message> {
        match &self.goal {
            Goal::Mend { .. } => None,
            Goal::Rest { told, .. } => Some(plan.ask_rest(told, wrong)),
        }
    }

    /// The whole answer with the parts that came, but for those that are wrong by themselves.
    pub(super) fn apply(&self, came: Node<'_>, wrong: &Issues) -> Option<Document<'static>> {
        let right = |name: &str| {
            let path = Path::root().key(name);
            wrong.as_slice().iter().all(|issue| issue.path().inside(&path).is_none())
        };
        let answer = Document::parse(&self.answer).ok()?;
        let new: Vec<(&[Step<'_>], &str)> = self
            .places()
            .iter()
            .enumerate()
            .map(|(index, place)| (part_name(index), place))
            .filter(|(name, _)| right(name))
            .filter_map(|(name, place)| Some((&*place.steps, came.get(&name)?.source())))
            .collect();
        let patched = splice(&self.answer, answer.root(), &new);
        Document::parse(&patched).ok().map(Document::into_owned)
    }

    /// What is wrong with the parts, as issues of the whole.
    pub(super) fn placed(&self, issues: Issues) -> Issues {
        let parts: Vec<(String, &Path)> = match &self.goal {
            Goal::Mend { places, .. } => (0..).map(part_name).zip(places.iter().map(|place| &place.path)).collect(),
            Goal::Rest { missing, .. } => (0..).map(rest_name).zip(missing.iter().map(|one| &one.path)).collect(),
        };
        let placed = issues.into_iter().map(|issue| {
            let part =
                parts.iter().find_map(|(name, place)| Some((place, issue.path().inside(&Path::root().key(name))?)));
            match part {
                Some((place, inside)) => {
                    let path = inside.within(place);
                    issue.told_at(path, None, None)
                }
                None => issue,
            }
        });
        placed.collect::<Vec<_>>().into()
    }
}

impl<'a> Run<'a> {
    /// The turns that object to an answer, which from now on may be asked for in parts.
    pub(super) fn reask(&mut self, rejected: Response, failure: &mut Failure, repeated: bool) -> Vec<Message> {
        let before = self.patching.take();
        let whole = before.as_ref().map_or(self.plan, |patching| patching.whole);
        let repeated = repeated && self.job.retry.repeat() == Repeat::Escalate && !self.holds_last();
        let (rejected, wrong, most) = match before {
            // What was wrong with all of it is said when all of it is asked for again.
            Some(Patching { goal: Goal::Mend { rejected, wrong, issues, places }, .. }) => (
                *rejected,
                wrong,
                if repeated || issues == failure.issues && !self.holds_last() { 0 } else { places.len() },
            ),
            Some(rest) => match &failure.answer {
                // The whole is there now, and what is wrong is wrong with it.
                Some(answer) => (Response::of_text(&whole.said(answer)), failure.issues.clone(), usize::MAX),
                None => {
                    let wrong = failure.told.as_ref().unwrap_or(&failure.issues).to_string();
                    let turn = rest.asked(&self.plan, Some(wrong));
                    self.patching = Some(rest);
                    return turn.into_iter().collect();
                }
            },
            None => (rejected, failure.told.take().unwrap_or_else(|| failure.issues.clone()), usize::MAX),
        };
        self.plan = whole;
        let patch = failure.answer.take().and_then(|answer| self.patch(answer, &failure.issues, most));
        match patch {
            Some((plan, answer, places, turn)) => {
                self.plan = plan;
                let rejected = Box::new(rejected);
                let goal = Goal::Mend { rejected, wrong, issues: failure.issues.clone(), places };
                self.patching = Some(Patching { whole, goal, answer });
                vec![turn]
            }
            None if repeated => whole.reask(rejected, &again(wrong)),
            None => whole.reask(rejected, &wrong),
        }
    }

    /// How all of the answer is asked for.
    pub(super) fn whole(&self) -> Plan<'a> {
        self.patching.as_ref().map_or(self.plan, |patching| patching.whole)
    }

    fn patch(&self, answer: String, issues: &Issues, most: usize) -> Option<(Plan<'a>, String, Vec<Place>, Message)> {
        let contract = self.job.contract;
        let document = Document::parse(&answer).ok()?;
        let parts = parts(contract.schema(), document.root(), issues);
        // What may be given up is no reason to ask for all else again.
        let reask = match self.job.reask {
            ReAsk::Auto if self.holds_last() => ReAsk::Patch,
            reask => reask,
        };
        if parts.len() > most || !reask.pays(&answer, &parts, document.root()) {
            return None;
        }
        let plan = self.plan.patch(self.job.patches.put(contract.of_parts(&parts)?))?;
        let turn = plan.ask_for(&parts, document.root(), issues);
        let places = parts.into_iter().map(|Part { path, steps, .. }| Place { path, steps }).collect();
        drop(document);
        Some((plan, answer, places, turn))
    }

    /// Asks for all of the answer, where a patch was not to be had; none if it was not one that was asked for.
    pub(super) fn unpatched(&mut self, kind: ErrorKind) -> Option<()> {
        let refused = matches!(
            kind,
            ErrorKind::Refused
                | ErrorKind::Filtered
                | ErrorKind::Truncated
                | ErrorKind::SchemaRefused
                | ErrorKind::BadRequest
                | ErrorKind::Malformed
                | ErrorKind::Runaway
        );
        let patch = self.patching.take_if(|patching| refused && matches!(patching.goal, Goal::Mend { .. }))?;
        let Patching { whole, goal: Goal::Mend { rejected, wrong, .. }, .. } = patch else { return None };
        self.plan = whole;
        self.turns = whole.reask(*rejected, &wrong);
        Some(())
    }
}
