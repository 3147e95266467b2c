//! Asking for the rest of an answer that was cut, and not for all of it.

use std::fmt::Write as _;

use instructor_json::{Document, Node};
use serde_json::Value;

use super::{FENCE, Form, Mode, Plan, parallel};
use crate::message::Message;
use crate::repair::{ParseOptions, beginning, ending};
use crate::schema::{Cut, Missing, What, rest_name};
use crate::wire::Response;

/// How many characters are shown of the end of what is gone on with, so that it is known where.
const BEFORE: usize = 320;
/// How many of a place, or of the beginning of the answer.
const SHORT: usize = 160;

impl<'a> Plan<'a> {
    /// What is there of an answer that was cut, if it can be read.
    pub(crate) fn cut(&self, response: &Response, reading: ParseOptions) -> Option<Cut> {
        if let (Form::Tools(set), true) = (self.form, response.tool_calls().next().is_some()) {
            let calls: Vec<_> = response.tool_calls().collect();
            // The last may be one that was cut, which others would not be known by.
            let whole = calls.last().is_none_or(|call| Document::parse(&call.arguments).is_ok());
            let calls = calls.get(..calls.len() - usize::from(!whole))?;
            let item = |(index, call): (usize, &&_)| parallel::item(set, index, call, reading, &mut Vec::new()).ok();
            let items: Option<Vec<String>> = calls.iter().enumerate().map(item).collect();
            return Some(Cut::of_items(&items?));
        }
        let answer = self.answer(response, reading).ok()?;
        Cut::read(&answer.text, reading, self.lowered())
    }

    /// The turn that asks for the rest, with what was wrong with it before.
    pub(crate) fn ask_rest(&self, told: &str, wrong: Option<String>) -> Message {
        let mut text = String::from(told);
        if let Some(wrong) = wrong {
            _ = write!(text, "\nThis was tried already, and rejected:\n{wrong}\n");
        }
        if self.mode == Mode::MdJson {
            text.push('\n');
            text.push_str(FENCE);
        }
        Message::user(text)
    }
}

/// What is said to get the rest: of a size that does not depend on how much is there.
pub(crate) fn told(kept: &str, root: Node<'_>, missing: &[Missing]) -> String {
    let mut text = format!(
        "There is the beginning of an answer to this already; then there was no room for more. It stays as it is, and \
         begins with {}\nGive the rest of it only, under the names below, and nothing that is there already.\n\n",
        beginning(kept, SHORT)
    );
    for (index, one) in missing.iter().enumerate() {
        let (name, path) = (rest_name(index), beginning(one.path.as_str(), SHORT));
        let here = root.follow(&one.steps).unwrap_or(root);
        _ = match one.what {
            What::Value => writeln!(text, "- {name} is {path}"),
            What::Text => {
                let end = ending(&here.as_str().unwrap_or_default(), BEFORE);
                writeln!(
                    text,
                    "- {name} is the rest of the text at {path}, from right after its last character; it ends with {}",
                    Value::from(end)
                )
            }
            What::Items(count) => match here.items().last() {
                None => writeln!(text, "- {name} has the items of {path}, of which none is there"),
                Some(last) => {
                    let end = ending(last.source(), BEFORE);
                    writeln!(
                        text,
                        "- {name} has the items of {path} after the first {count}; the last that is there: {end}"
                    )
                }
            },
            What::Entries => match here.entries().last() {
                None => writeln!(text, "- {name} has the entries of {path}, of which none is there"),
                Some((key, _)) => {
                    let (count, key) = (here.len(), ending(key.source(), SHORT));
                    writeln!(
                        text,
                        "- {name} has the entries of {path} after the first {count}; the last key that is there: {key}"
                    )
                }
            },
        };
    }
    text
}
