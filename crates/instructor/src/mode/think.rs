//! Thinking first: a call whose answer is plain text, and the messages of the call that puts it into the schema.

use crate::message::Message;
use crate::wire::Response;

const SHAPE: &str = "The message is an answer in plain text. Put what it says into the form that is asked for. Take every \
                     value from it as it stands, add nothing of your own, and where it corrects itself, the last word \
                     counts.";

/// The messages of the second call; none if the first said nothing.
pub(super) fn shape(draft: &Response) -> Option<Vec<Message>> {
    let text = draft.text();
    (!text.trim().is_empty()).then(|| vec![Message::system(SHAPE), Message::user(text)])
}
