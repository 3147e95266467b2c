//! What an answer holds before it is read: a text, and what is known of it already.

use std::borrow::Cow;

use super::Mode;
use crate::repair::Repair;
use crate::validate::{Issue, Issues, Origin, Path};
use crate::wire::Response;

/// Where the text of the value is in an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Site<'p> {
    /// In the text, unless there is a call of this tool.
    Text(&'p str),
    /// In the arguments of this tool.
    Call(&'p str),
    /// Each call is an item.
    Calls,
    /// Nowhere: the answer is none that a value is read from.
    Nowhere,
}

/// The text of the value that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Answer<'r> {
    pub(crate) text: Cow<'r, str>,
    /// What was done to parts of it that have been read already.
    pub(crate) repairs: Vec<Repair>,
    /// Parts that can't be in the text, since something is wrong with them.
    left_out: Option<LeftOut>,
}

/// Items of a list that its text is without.
#[derive(Debug)]
struct LeftOut {
    /// What is wrong with them.
    issues: Issues,
    /// For each item that is in the text, its place in the answer.
    places: Vec<usize>,
}

impl<'r> From<Cow<'r, str>> for Answer<'r> {
    fn from(text: Cow<'r, str>) -> Self {
        Self { text, ..Self::default() }
    }
}

impl Answer<'_> {
    /// Whether the text is without some of the items.
    pub(crate) const fn lacks_items(&self) -> bool {
        self.left_out.is_some()
    }

    /// A list without the items that something is wrong with; `places` says where those that are left stood.
    pub(super) fn of_items(text: String, repairs: Vec<Repair>, issues: Issues, places: Vec<usize>) -> Self {
        let left_out = (!issues.is_empty()).then_some(LeftOut { issues, places });
        Self { text: Cow::Owned(text), repairs, left_out }
    }

    /// All that is wrong with the answer, given what is wrong with the text. What is said of the list as a whole counts
    /// for nothing while items are missing from it.
    pub(crate) fn issues(&mut self, found: Issues) -> Issues {
        let Some(LeftOut { issues, places }) = self.left_out.take() else { return found };
        let mut all: Vec<(usize, Issue)> = Vec::new();
        for issue in issues {
            all.push((index_of(issue.path()).unwrap_or_default(), issue));
        }
        for (at, place) in places.into_iter().enumerate() {
            let (from, to) = (Path::root().index(at), Path::root().index(place));
            let here = found.as_slice().iter().filter_map(|issue| {
                let path = issue.path().inside(&from)?.within(&to);
                Some((place, issue.clone().told_at(path, None, None)))
            });
            all.extend(here);
        }
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, issue)| issue).collect::<Vec<_>>().into()
    }
}

/// The item that a path leads to or into.
pub(super) fn index_of(path: &Path) -> Option<usize> {
    match path.steps().first() {
        Some(instructor_json::Step::Index(index)) => Some(*index),
        _ => None,
    }
}

/// The one value of an answer: the call's arguments or the text.
pub(super) fn one<'r>(mode: Mode, name: &str, response: &'r Response) -> Result<Cow<'r, str>, Issue> {
    let mut calls = response.tool_calls().filter(|call| call.name == name);
    let text = response.text();
    match (calls.next(), mode) {
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

pub(super) fn unreadable(wanted: String) -> Issue {
    Issue::found_by(Origin::Reading, Path::root(), wanted)
}
