//! From the text of an answer to the one JSON value in it that fits.

use instructor_json::{Document, Limits, Node, candidates};

use super::lift::Lift;
use crate::validate::{Issue, Issues, Origin, Path};

/// The value that was found.
#[derive(Debug)]
pub(crate) struct Fit<'a> {
    pub(crate) document: Document<'a>,
    pub(crate) issues: Issues,
    lift: Lift,
}

impl Fit<'_> {
    /// The value, out of the wrap that the dialect needed.
    pub(crate) fn value(&self) -> Node<'_> {
        self.lift.lift(self.document.root())
    }
}

/// Finds the value and what the schema says against it. Of several candidates the one that fits is taken; several that
/// fit and differ are an issue, as is none.
pub(crate) fn read<'a>(text: &'a str, lift: Lift, check: impl Fn(Node<'_>) -> Issues) -> Result<Fit<'a>, Issue> {
    let unreadable = |wanted: &str| Issue::found_by(Origin::Reading, Path::root(), wanted);
    if text.trim().is_empty() {
        return Err(unreadable("a JSON value; the answer is empty"));
    }
    let found = candidates(text, Limits::default())
        .map_err(|error| unreadable("one JSON value").got(format!("text that is not JSON: {error}")))?;
    let mut fits: Vec<Fit<'a>> = found
        .into_iter()
        .map(|candidate| {
            let issues = check(lift.lift(candidate.document.root()));
            Fit { document: candidate.document, issues, lift }
        })
        .collect();
    let fitting = fits.iter().filter(|fit| fit.issues.is_empty()).count();
    if fitting > 1 {
        let mut sources = fits.iter().filter(|fit| fit.issues.is_empty()).map(|fit| fit.document.root().source());
        let first = sources.next();
        if sources.any(|source| Some(source) != first) {
            return Err(unreadable("one JSON value").got(format!("{fitting} different ones that fit")));
        }
    }
    // The one that fits, or the one with the least against it.
    let best = fits.iter().enumerate().min_by_key(|(_, fit)| fit.issues.as_slice().len()).map(|(i, _)| i);
    best.map(|i| fits.swap_remove(i)).ok_or_else(|| unreadable("one JSON value; there is none in the answer"))
}
