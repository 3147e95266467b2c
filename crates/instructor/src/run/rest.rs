//! What is done with an answer that a token limit cut.

use std::time::Duration;

use instructor_json::{Document, Node, Step};

use super::Run;
use super::failure::Failure;
use super::patch::{Goal, Patching};
use crate::hooks::Next;
use crate::mode::{Plan, told};
use crate::schema::{Cut, join, missing, rest_name};
use crate::validate::{Issue, Issues, Path};
use crate::wire::Settings;

/// What is done with an answer that a token limit cut, which is an error of kind
/// [`Truncated`](crate::ErrorKind::Truncated) otherwise.
///
/// It is not for answers whose connection broke, which are sent again, and not for refusals. A list whose items were given
/// out one by one, by `create_iterable`, is neither asked for again nor continued: it fails.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::Truncated;
///
/// #[instructor::model]
/// struct Cities {
///     names: Vec<String>,
///     country: String,
/// }
///
/// # let cut = json!({ "choices": [{ "message": { "role": "assistant", "content": r#"{"names":["Bern","Basel","Gen"# },
/// #     "finish_reason": "length" }] });
/// # let script = Script::new()
/// #     .reply(Reply::json(cut))
/// #     .reply(Reply::value(json!({ "rest_1": ["Geneva"], "rest_2": "Switzerland" })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let request = client.request("Cities of Switzerland").truncated(Truncated::Continue { rounds: 4 });
/// let (cities, completion) = request.create_with_completion::<Cities>().await?;
/// assert_eq!(cities.names, ["Bern", "Basel", "Geneva"]);
/// // The second call asked for the rest alone.
/// let from = completion.report.attempts()[1].continues.as_ref();
/// assert_eq!(from.map(|path| path.as_str()), Some("$.names[2]"));
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Truncated {
    /// The request fails. What came is in the error: [`Error::partial_json`](crate::Error::partial_json).
    #[default]
    Fail,
    /// The same is asked again with a higher limit of output tokens, until it is enough or the highest.
    Raise {
        /// How many times the limit before, or as many tokens as came where there was none.
        factor: u32,
        /// The highest limit.
        most: u64,
    },
    /// What came stays, and only the rest is asked for: the further items of lists and entries of maps, the rest of a long
    /// text, what is missing of objects. The whole is then validated as any answer is. A round whose answer is cut too
    /// is followed by another; it ends with [`Truncated`](crate::ErrorKind::Truncated) where one adds nothing, or where the
    /// schema does not tell what is missing.
    Continue {
        /// How often at most.
        rounds: u32,
    },
}

impl<'a> Run<'a> {
    /// What is done after a token limit has cut an answer, if anything is.
    pub(super) fn after_cut(&mut self, failure: &mut Failure) -> Option<Next> {
        match self.job.truncated {
            Truncated::Fail => None,
            Truncated::Raise { factor, most } => {
                let settings = self.raised.as_deref().unwrap_or(self.job.settings_of(self.draft.is_some()));
                let limit = settings.max_tokens.or(failure.usage.output);
                let higher = limit.map_or(most, |limit| limit.saturating_mul(u64::from(factor)).min(most));
                if limit.is_some_and(|limit| higher <= limit) {
                    failure.detail.push_str("; the highest limit that it may be raised to is reached");
                    return None;
                }
                self.raised = Some(Box::new(Settings { max_tokens: Some(higher), ..settings.clone() }));
                Some(Next::Resend { wait: Duration::ZERO })
            }
            Truncated::Continue { rounds } => {
                if self.rounds >= rounds {
                    failure
                        .detail
                        .push_str(&format!("; it was continued {} times, which is all it may be", self.rounds));
                    return None;
                }
                let cut = failure.cut.as_ref()?;
                let Some((plan, patching)) = self.rest(cut) else {
                    failure
                        .detail
                        .push_str("; it can't be continued: nothing new came, or what is missing is not known");
                    return None;
                };
                self.rounds += 1;
                self.plan = plan;
                self.turns = patching.asked(&plan, None).into_iter().collect();
                self.patching = Some(patching);
                Some(Next::Continue)
            }
        }
    }

    fn rest(&self, cut: &Cut) -> Option<(Plan<'a>, Patching<'a>)> {
        let contract = self.job.contract;
        let before = self.patching.as_ref().map(|patching| patching.answer.len());
        let further = |(kept, _): &(String, _)| before.is_none_or(|before| kept.len() > before);
        let rest = |small| missing(contract.schema(), cut, small).filter(further);
        let (kept, missing) = rest(false).or_else(|| rest(true))?;
        let whole = self.patching.as_ref().map_or(self.plan, |patching| patching.whole);
        let plan = whole.patch(self.job.patches.put(contract.of_rest(&missing)?))?;
        let document = Document::parse(&kept).ok()?;
        let told = told(&kept, document.root(), &missing);
        drop(document);
        let goal = Goal::Rest { place: Path::of_steps(cut.open.iter().cloned()), missing, told };
        Some((plan, Patching { whole, goal, answer: kept }))
    }
}

impl Patching<'_> {
    /// The answer as far as it is there, with a rest that was cut too; none if it was no rest that was asked for.
    pub(super) fn joined_cut(&self, came: &Cut) -> Option<Cut> {
        let Goal::Rest { missing, .. } = &self.goal else { return None };
        join(&self.answer, missing, came, true)
    }

    /// What is wrong with the rest itself. What nobody asked for is left out.
    pub(super) fn unfit(&self, issues: Issues) -> Issues {
        let Goal::Rest { missing, .. } = &self.goal else { return issues };
        let asked = |issue: &Issue| match issue.path().steps().first() {
            Some(Step::Key(key)) => (0..missing.len()).any(|index| rest_name(index) == **key),
            _ => true,
        };
        issues.into_iter().filter(asked).collect::<Vec<_>>().into()
    }

    /// The whole answer with the rest that came; none if it was no rest that was asked for.
    pub(super) fn joined(&self, came: Node<'_>) -> Option<String> {
        let Goal::Rest { missing, .. } = &self.goal else { return None };
        let came = Cut { json: String::from(came.source()), open: Vec::new() };
        join(&self.answer, missing, &came, false).map(|whole| whole.json)
    }
}
