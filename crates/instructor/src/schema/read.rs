//! From the text of an answer to the one JSON value in it that fits.

use std::borrow::Cow;

use instructor_json::{Candidate, Document, Node, Reading};
use serde_json::Value;

use super::align::{self, Aligned};
use super::lift::{Lifted, lift};
use super::locate::locate;
use super::lower::Lowered;
use crate::repair::{Level, ParseOptions, Repair, Severity, short};
use crate::validate::{Issue, Issues, Origin, Path};

/// The value that was found.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    document: Document<'a>,
    /// What the model wrote, where a dialect's form of it was lifted.
    answered: Option<Cow<'a, str>>,
    pub(crate) issues: Issues,
    pub(crate) repairs: Vec<Repair>,
    /// The text ended inside the value.
    pub(crate) truncated: bool,
}

impl<'a> Found<'a> {
    /// The value as JSON text, and nothing else of what was found.
    pub(crate) fn into_json(self) -> Cow<'a, str> {
        self.document.into_source()
    }

    /// The value, in the canonical form.
    pub(crate) fn value(&self) -> Node<'_> {
        self.document.root()
    }

    /// Issues in the terms of what the model wrote, where these are not the type's.
    pub(crate) fn told(&self, issues: &Issues, lowered: &Lowered) -> Option<Issues> {
        let answered = Document::parse(self.answered.as_ref()?).ok()?;
        let told = issues.as_slice().iter().map(|issue| {
            let located = locate(&lowered.plan, answered.root(), &issue.path().steps());
            issue.clone().told_at(located.path, located.inside.as_ref(), located.node)
        });
        Some(told.collect::<Vec<_>>().into())
    }
}

/// How to read: what the answer has to be and how much may be done to it.
pub(crate) struct Reader<'r> {
    pub(crate) schema: &'r Value,
    pub(crate) check: &'r dyn Fn(Node<'_>) -> Issues,
    /// Whether what stands at a place is not to be quoted.
    pub(crate) secret: &'r dyn Fn(&Path) -> bool,
    /// The form that the model was shown, if it is not the schema's own.
    pub(crate) lowered: Option<&'r Lowered>,
    pub(crate) options: ParseOptions,
    /// Aligns values that fit as they are too, so that keys which the schema does not name are left out.
    pub(crate) always: bool,
}

/// A document in the canonical form.
struct Canonical<'a> {
    document: Document<'a>,
    /// What the model wrote, if that is not it.
    answered: Option<Document<'a>>,
    issues: Issues,
    /// Those of the issues that are about what lifting left out, so that the document does not show them.
    left_out: Issues,
}

/// A candidate with what can be said for it.
struct Ranked<'a> {
    found: Found<'a>,
    fit: align::Fit,
}

impl Reader<'_> {
    /// Finds the value and what the schema says against it.
    ///
    /// Of several candidates the one that fits best is taken. Several that fit as well and differ are an issue, but for
    /// [`Level::Lenient`], which takes the last.
    pub(crate) fn read<'a>(&self, text: &'a str) -> Result<Found<'a>, Issue> {
        let mask = |issue: Issue| if (self.secret)(issue.path()) { issue.masked() } else { issue };
        let mut found = self.search(text).map_err(mask)?;
        found.issues = found.issues.into_iter().map(mask).collect::<Vec<_>>().into();
        for repair in found.repairs.iter_mut().filter(|repair| (self.secret)(&repair.path)) {
            repair.mask();
        }
        Ok(found)
    }

    fn search<'a>(&self, text: &'a str) -> Result<Found<'a>, Issue> {
        if let Some(whole) = self.whole(text) {
            return Ok(whole);
        }
        let bare = self.bare(text);
        let reading = match instructor_json::read(text, &self.options) {
            Ok(reading) => reading,
            // What would be JSON after a repair that is not allowed is no string for it.
            Err(error) if error.needs().is_some() && align::takes_anything(self.schema) => {
                return Err(unreadable(text, error));
            }
            Err(error) => return bare.ok_or_else(|| unreadable(text, error)),
        };
        if reading.candidates.is_empty() {
            return bare.ok_or_else(|| wanted("one JSON value"));
        }
        let listed = self.listed(text, &reading);
        let Reading { candidates, passed_over, .. } = reading;
        let mut ranked: Vec<Ranked<'a>> = candidates.into_iter().filter_map(|c| self.rank(text, c)).collect();
        if !ranked.iter().any(|r| r.found.issues.is_empty()) {
            // What stands in prose counts where nothing in a fence fits.
            ranked.extend(passed_over.into_iter().filter_map(|c| self.rank(text, c)));
        }
        if let Some(listed) =
            listed.filter(|listed| ranked.iter().all(|r| !r.found.issues.is_empty() || listed.fit <= r.fit))
        {
            return Ok(listed.found);
        }
        match self.best(ranked) {
            Ok(best) if best.issues.is_empty() => Ok(best),
            other => bare.map_or(other, Ok),
        }
    }

    /// The common case: the text is JSON that fits as it is.
    fn whole<'a>(&self, text: &'a str) -> Option<Found<'a>> {
        let found = |document, answered| {
            Some(Found { document, answered, issues: Issues::new(), repairs: Vec::new(), truncated: false })
        };
        if self.always {
            return None;
        }
        let mut document = Document::parse(text).ok()?;
        if let Some(lowered) = self.lowered {
            let Lifted { json, issues } = lift(&lowered.plan, document.root());
            if issues.is_empty() {
                // The nodes of one go before there are those of the other.
                let answered = document.into_source();
                let canonical = Document::parse_owned(json).ok()?;
                if (self.check)(canonical.root()).is_empty() {
                    return found(canonical, Some(answered));
                }
                document = Document::parse(text).ok()?;
            }
        }
        // A model may answer in the type's own form although it was shown another.
        if (self.check)(document.root()).is_empty() { found(document, None) } else { None }
    }

    /// A document in the canonical form, and what is wrong with it.
    fn lifted<'a>(&self, document: Document<'a>) -> Option<Canonical<'a>> {
        let as_it_is = |document, issues| Some(Canonical { document, answered: None, issues, left_out: Issues::new() });
        let Some(lowered) = self.lowered else {
            let issues = (self.check)(document.root());
            return as_it_is(document, issues);
        };
        let lifted = lift(&lowered.plan, document.root());
        let canonical = Document::parse_owned(lifted.json).ok()?;
        let mut issues = (self.check)(canonical.root());
        let left_out = lifted.issues;
        issues.extend(left_out.clone());
        // A model may answer in the type's own form although it was shown another.
        if !issues.is_empty() && (self.check)(document.root()).is_empty() {
            return as_it_is(document, Issues::new());
        }
        Some(Canonical { document: canonical, answered: Some(document), issues, left_out })
    }

    /// A text without JSON, where the schema wants a scalar: a string is the text itself, anything else is what it says.
    fn bare<'a>(&self, text: &'a str) -> Option<Found<'a>> {
        if self.options.level() == Level::Strict || text.trim().is_empty() {
            return None;
        }
        let aligned = align::bare(self.schema, text, self.options.level())?;
        let found = self.found(aligned, Vec::new(), false)?;
        found.issues.is_empty().then_some(found)
    }

    /// Values that stand one after the other, where the schema wants a list.
    fn listed<'a>(&self, text: &'a str, reading: &Reading<'a>) -> Option<Ranked<'a>> {
        if !reading.sequence || reading.candidates.len() < 2 || self.options.level() == Level::Strict {
            return None;
        }
        let items: Vec<&str> = reading.candidates.iter().map(|c| c.document.root().source()).collect();
        let document = Document::parse_owned(format!("[{}]", items.join(","))).ok()?;
        let mut repairs: Vec<Repair> = reading.candidates.iter().flat_map(|c| Repair::of_syntax(text, c)).collect();
        let lines = text.trim().lines().count() >= reading.candidates.len();
        let kind = if lines { "NdJson" } else { "ConcatenatedValues" };
        repairs.push(at_root(kind, Severity::Lossless, text));
        let aligned = align::align_assembled(self.schema, document.root(), self.options.level());
        let fit = aligned.fit;
        let truncated = reading.is_truncated();
        let found = self.found(aligned, repairs, truncated)?;
        found.issues.is_empty().then_some(Ranked { found, fit })
    }

    fn rank<'a>(&self, text: &str, candidate: Candidate<'a>) -> Option<Ranked<'a>> {
        let repairs = Repair::of_syntax(text, &candidate);
        let Candidate { document, truncated, .. } = candidate;
        let Canonical { document, answered, issues, left_out } = self.lifted(document)?;
        let aligned = match &answered {
            None => align::align(self.schema, document.root(), self.options.level()),
            Some(answered) => self.align_lifted(&document, answered, left_out, !issues.is_empty()),
        };
        let fit = aligned.fit;
        // 1e30 is an integer by the letter of JSON Schema and of no type.
        let refused =
            self.always.then(|| Issues::from(aligned.issues.clone())).filter(|i| issues.is_empty() && !i.is_empty());
        let answered = answered.map(Document::into_source);
        if let Some(issues) = refused {
            return Some(Ranked { found: Found { document, answered, issues, repairs, truncated }, fit });
        }
        let as_it_is =
            self.options.level() == Level::Strict || issues.is_empty() && !self.always || aligned.repairs.is_empty();
        if !as_it_is && let Some(mut found) = self.found(aligned, repairs.clone(), truncated) {
            found.answered = answered;
            return Some(Ranked { found, fit });
        }
        Some(Ranked { found: Found { document, answered, issues, repairs, truncated }, fit })
    }

    /// Aligns a lifted value; if it does not fit, the answer is aligned in the form that the model was shown, and lifted
    /// then.
    fn align_lifted(
        &self,
        canonical: &Document<'_>,
        answered: &Document<'_>,
        left_out: Issues,
        wrong: bool,
    ) -> Aligned {
        let level = self.options.level();
        let first = without(align::align_assembled(self.schema, canonical.root(), level), left_out);
        let Some(lowered) = self.lowered.filter(|_| wrong && first.fit.misfits > 0) else { return first };
        let Ok(schema) = serde_json::from_str::<Value>(lowered.schema.get()) else { return first };
        let shown = align::align(&schema, answered.root(), level);
        let Ok(document) = Document::parse(&shown.json) else { return first };
        let lifted = lift(&lowered.plan, document.root());
        let Ok(document) = Document::parse(&lifted.json) else { return first };
        let mut second = without(align::align_assembled(self.schema, document.root(), level), lifted.issues);
        second.repairs.splice(0..0, shown.repairs);
        if second.fit < first.fit { second } else { first }
    }

    /// An aligned value as a document of its own.
    fn found<'a>(&self, aligned: Aligned, mut repairs: Vec<Repair>, truncated: bool) -> Option<Found<'a>> {
        let document = Document::parse_owned(aligned.json).ok()?;
        repairs.extend(aligned.repairs);
        let mut issues = (self.check)(document.root());
        issues.extend(aligned.issues);
        Some(Found { document, answered: None, issues, repairs, truncated })
    }

    /// The one that fits, or the one with the least against it.
    fn best<'a>(&self, mut ranked: Vec<Ranked<'a>>) -> Result<Found<'a>, Issue> {
        let key = |r: &Ranked<'_>| (r.found.issues.as_slice().len(), r.found.truncated, r.fit);
        let Some(least) = ranked.iter().map(key).min() else { return Err(wanted("one JSON value")) };
        let several = ranked.len() > 1;
        ranked.retain(|r| key(r) == least);
        let fits = least.0 == 0;
        let differ = ranked.iter().any(|r| ranked.first().is_some_and(|f| !same(&f.found, &r.found)));
        let severity = if differ { Severity::Guess } else { Severity::Lossless };
        if fits && differ && !crate::repair::allows(self.options.level(), severity) {
            let spans: Vec<String> =
                ranked.iter().map(|r| format!("{:?}", r.found.document.root().source_span())).collect();
            return Err(wanted("one JSON value").got(format!(
                "{} different ones that fit equally well, at bytes {}",
                ranked.len(),
                spans.join(" and ")
            )));
        }
        // The last word counts: what stands before it may be a quotation or a draft.
        let Some(Ranked { mut found, .. }) = ranked.pop() else { return Err(wanted("one JSON value")) };
        if several {
            let source = String::from(found.document.root().source());
            found.repairs.push(at_root("MultipleCandidates", severity, &source));
        }
        Ok(found)
    }
}

/// An aligned value, with what lifting left out of it.
fn without(mut aligned: Aligned, left_out: Issues) -> Aligned {
    for issue in left_out {
        aligned.fit.misfits += 1;
        aligned.issues.push(issue);
    }
    aligned
}

fn same(a: &Found<'_>, b: &Found<'_>) -> bool {
    a.document.root().source() == b.document.root().source()
}

fn at_root(kind: &'static str, severity: Severity, source: &str) -> Repair {
    Repair { kind, severity, path: Path::root(), span: None, before: short(source), after: String::new() }
}

fn wanted(what: &str) -> Issue {
    Issue::found_by(Origin::Reading, Path::root(), what)
}

fn unreadable(text: &str, error: instructor_json::Error) -> Issue {
    if text.trim().is_empty() {
        return wanted("a JSON value; the answer is empty");
    }
    wanted("one JSON value").got(format!("text that is not JSON: {error}"))
}
