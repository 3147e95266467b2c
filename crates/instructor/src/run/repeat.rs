//! The same mistake twice in a row: what is done then.

use super::failure::Failure;
use super::outcome::Seen;
use super::{Now, Run, Step};
use crate::error::ErrorKind;
use crate::hooks::Next;
use crate::validate::{Issue, Issues, Origin, Path};

/// What is done when an answer has the same mistakes as the one before it: at the same places the same was wanted,
/// whatever came instead; or it ran away again. A setting of [`Retry`](crate::Retry).
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::{ErrorKind, Repeat, Retry};
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
/// #     .reply(Reply::value(json!({ "name": "Jason", "age": 260 })));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let stubborn = client.request("Jason is 250 years old").retry(Retry::new().with_repeat(Repeat::Stop));
/// let error = stubborn.create::<User>().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
/// // Of the four calls that there might have been, two were made.
/// assert_eq!(error.report().attempts().len(), 2);
/// assert!(error.report().attempts()[1].repeated);
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// It is asked again as after any other, as long as there are retries.
    #[default]
    GoOn,
    /// The request ends. Its error is of the kind that the failure is, and says that it came twice.
    Stop,
    /// Each time something else is changed, as long as there are retries: a temperature that was set is left for the
    /// model's own; with [`Mode::Auto`](crate::Mode::Auto) the next mode is asked in, afresh; then the request
    /// goes on to its next [`Target`](crate::Target), if that is one for failures of this kind. Where neither the mode nor the
    /// target changes, it is asked for all of the answer, and told that this is the same mistake again.
    Escalate,
}

/// What a failure is known by.
pub(super) type Mark = Vec<(String, String)>;

/// None where it is not known to be the same: a service that fails is no mistake of an answer.
fn mark(failure: &Failure) -> Option<Mark> {
    match failure.kind {
        ErrorKind::Runaway => Some(Vec::new()),
        ErrorKind::Malformed | ErrorKind::SchemaMismatch | ErrorKind::Rejected if !failure.issues.is_empty() => {
            let issues = failure.issues.as_slice().iter();
            let mut mark: Mark = issues.map(|issue| (issue.path().to_string(), String::from(issue.wanted()))).collect();
            mark.sort();
            Some(mark)
        }
        _ => None,
    }
}

/// What is told of an answer that is as wrong as the one before it.
pub(super) fn again(issues: Issues) -> Issues {
    let wanted = "another answer: this one has the same mistakes as the one before it";
    let mut all = Issues::from(Issue::found_by(Origin::Reading, Path::root(), wanted));
    all.extend(issues);
    all
}

impl Run<'_> {
    /// Whether the answer before had the same mistakes; keeps what they are.
    pub(super) fn is_repeat(&mut self, failure: &Failure) -> bool {
        let Some(mark) = mark(failure) else { return false };
        let same = self.mistakes.as_ref() == Some(&mark);
        self.mistakes = Some(mark);
        same
    }

    /// Does what the policy says after the same mistake, if it is anything but to ask again.
    pub(super) fn repeated(
        &mut self,
        mut failure: Failure,
        seen: Seen,
        now: Now,
    ) -> Result<Step, Box<(Failure, Seen)>> {
        match self.job.retry.repeat() {
            Repeat::GoOn => {}
            Repeat::Stop => {
                failure.detail.push_str("; the same was wrong with the answer before it, and the policy is to stop");
                return Ok(self.stop(failure, seen, now));
            }
            Repeat::Escalate if self.temperature().is_some() => {
                self.own_temperature = true;
            }
            Repeat::Escalate => {
                let whole = self.whole();
                if let Some(plan) = whole.other_mode() {
                    self.patching = None;
                    self.plan = plan;
                    self.strayed = true;
                    self.turns.clear();
                    return Ok(self.go_on(failure, seen, Next::StepDown, now));
                }
                if self.goes_onward(failure.kind) {
                    return Ok(self.stop(failure, seen, now));
                }
            }
        }
        Err(Box::new((failure, seen)))
    }

    /// The temperature that is asked for now.
    pub(super) fn temperature(&self) -> Option<f64> {
        let settings = self.job.settings_of(self.draft.is_some());
        settings.temperature.filter(|_| !self.own_temperature)
    }
}
