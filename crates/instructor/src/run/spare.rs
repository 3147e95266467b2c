//! Items that don't fail the value: of lists that are marked so, what is wrong with an answer is given up.

use bytes::Bytes;
use instructor_json::{Document, Node};

use super::outcome::Seen;
use super::verdict::Judge;
use super::{Completion, Job, Now, Run, Step};
use crate::repair::{Repair, Severity};
use crate::schema::{bad_items, restored, without};
use crate::stream::BadItems;
use crate::validate::Issues;
use crate::wire::Response;

/// How often a value is made again without what its type refused. A type names one fault at a time, but what it refuses
/// the schema mostly does already, all at once.
const ROUNDS: usize = 256;

/// An answer of which only such items are wrong, in the type's own form.
#[derive(Clone, Debug)]
pub(super) struct Spared {
    json: String,
    /// What the schema says of it.
    issues: Issues,
}

/// What was done to an answer, and what was wrong with what was given up of it.
#[derive(Default)]
pub(super) struct Lost {
    /// The JSON of the value, where it is going to be kept.
    pub(super) json: Option<String>,
    pub(super) issues: Issues,
    pub(super) repairs: Vec<Repair>,
}

impl Spared {
    /// None if something else is wrong too.
    pub(super) fn of(job: &Job<'_>, value: Node<'_>, issues: &Issues) -> Option<Self> {
        bad_items(job.contract.schema(), value, issues)?;
        Some(Self { json: String::from(value.source()), issues: issues.clone() })
    }

    /// Makes the value without what is wrong; nothing if it can't be.
    pub(super) fn without(&self, job: &Job<'_>, keep: &mut Judge<'_>) -> Option<Lost> {
        let document = Document::parse(&self.json).ok()?;
        let value = document.root();
        let mut issues = self.issues.clone();
        for _ in 0..ROUNDS {
            let bad = bad_items(job.contract.schema(), value, &issues)?;
            let more = restored(keep.take(&without(value, &bad, true)), value);
            if !more.is_empty() {
                issues.extend(more);
                continue;
            }
            if job.bad_items == BadItems::Drop || !job.typed {
                let left = without(value, &bad, false);
                keep.take(&left).into_result().ok()?;
                keep.note(&left);
            }
            let repairs = bad.iter().map(|item| Repair {
                kind: "InvalidItem",
                severity: Severity::Lossy,
                path: item.path(),
                span: None,
                before: job.contract.quoted(&item.path(), item.json()),
                after: String::new(),
            });
            return Some(Lost { issues, repairs: repairs.collect(), json: None });
        }
        None
    }
}

/// An answer that is taken as it is where no better one comes.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) spared: Spared,
    pub(super) response: Response,
    pub(super) raw: Option<Bytes>,
    /// The attempt that it is of, counted from 0.
    pub(super) attempt: usize,
}

impl Run<'_> {
    /// Keeps an answer of which only items are wrong that may be given up.
    pub(super) fn keep_spared(&mut self, spared: Option<Spared>, response: Option<&Response>, seen: &Seen) {
        if let (Some(spared), Some(response)) = (spared, response) {
            let (response, attempt) = (response.clone(), self.report.attempts.len());
            self.kept = Some(Kept { spared, response, raw: seen.body.clone(), attempt });
        }
    }

    /// Whether nothing but such items is wrong with the last answer.
    pub(super) fn holds_last(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.attempt + 1 == self.report.attempts.len())
    }

    /// The end with what is there, where a request would end without.
    pub(super) fn make_do(&mut self, now: Now) -> Option<Step> {
        // It was never checked by those that take their time.
        if self.judge.has_checks() {
            return None;
        }
        let Kept { spared, response, raw, attempt } = self.kept.take()?;
        let scope = self.call_scope();
        let lost = scope.within(|| {
            // Whoever shows the value shows all of it.
            self.judge.note(&spared.json);
            spared.without(self.job, self.judge)
        })?;
        if let Some(attempt) = self.report.attempts.get_mut(attempt) {
            attempt.repairs.extend(lost.repairs);
            attempt.issues = lost.issues;
        }
        let draft = self.draft.take().map(|(draft, _)| Box::new(draft));
        let completion = Completion { response, draft, raw: raw.unwrap_or_default(), report: self.close(now) };
        Some(self.done(Ok(completion)))
    }
}
