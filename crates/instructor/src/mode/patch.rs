//! Asking for parts of an answer again, and not for all of it.

use std::fmt::Write as _;

use instructor_json::Node;

use super::{FENCE, Mode, Plan};
use crate::message::Message;
use crate::model::Contract;
use crate::repair::beginning;
use crate::schema::{Part, part_name};
use crate::validate::Issues;

/// How many characters of what stands around a part are shown, so that it is known which one it is.
const AROUND: usize = 320;

impl<'a> Plan<'a> {
    /// How the parts of an answer are asked for that was asked for in this way; `contract` is theirs.
    pub(crate) fn patch(&self, contract: &'a Contract) -> Option<Self> {
        // Calls as items have no object that several parts could be in: one call has.
        let asked = if self.mode == Mode::ParallelTools { Mode::Tools } else { self.mode };
        let known = (asked == self.mode).then_some(self.rung);
        self.ladder.with(asked, contract).start(known).ok()
    }

    /// The turn that asks for parts: what is wrong with each, and what stands around it.
    pub(crate) fn ask_for(&self, parts: &[Part<'_>], value: Node<'_>, issues: &Issues) -> Message {
        let mut text = String::from(
            "There is an answer to this already. It stays as it is, but for the parts below, which were rejected. Give \
             these parts again, corrected, each whole and under its name, and nothing else.\n",
        );
        for (index, part) in parts.iter().enumerate() {
            let name = part_name(index);
            _ = write!(text, "\n{name} is {}", part.path);
            if let Some(around) = part.steps.split_last().and_then(|(_, outer)| value.follow(outer)) {
                _ = write!(text, ", in {}", beginning(around.source(), AROUND));
            }
            text.push_str(":\n");
            for issue in issues.as_slice().iter().filter(|issue| issue.path().inside(&part.path).is_some()) {
                _ = writeln!(text, "- {issue}");
            }
        }
        if self.mode == Mode::MdJson {
            text.push('\n');
            text.push_str(FENCE);
        }
        Message::user(text)
    }
}
