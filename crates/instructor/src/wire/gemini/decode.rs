use instructor_json::{Document, Kind, Node};
use serde_json::json;
use serde_json::value::RawValue;

use super::{NAME, VERBATIM, interaction};
use crate::growth::append;
use crate::message::{Opaque, Part, ToolCall};
use crate::wire::response::{Finish, Response, Usage, count_field, sum, text_field};
use crate::wire::{Failure, Told, Undecoded};

/// A body is one answer, or a list of the chunks of one that was streamed without events.
pub(super) fn response(body: &str) -> Result<Response, Undecoded> {
    let doc =
        Document::parse(body).map_err(|e| Undecoded::Unreadable(format!("the response body is not JSON: {e}")))?;
    let root = doc.root();
    if interaction::is_one(root) {
        return interaction::response(root);
    }
    let mut answer = Answer::default();
    if root.kind() == Kind::Array {
        root.items().try_for_each(|chunk| answer.chunk(chunk))?;
        return answer.finish();
    }
    answer.chunk(root)?;
    if !answer.ended && !answer.said {
        return Err(Undecoded::Unreadable(String::from("the response body has no \"candidates\"")));
    }
    answer.whole()
}

/// An answer that is being put together. A chunk of a stream has the same form as a whole answer.
#[derive(Default)]
pub(super) struct Answer {
    response: Response,
    open: Open,
    /// What the service says of the answer's end.
    message: Option<String>,
    /// There was a candidate.
    said: bool,
    /// The service has said why the answer ended, or why there is none.
    ended: bool,
}

/// What the next part may continue.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    /// A thought without a signature.
    Thought(String),
    Text(Pieces),
}

/// A text that comes in several parts.
#[derive(Default)]
struct Pieces {
    text: String,
    parts: Vec<Piece>,
}

/// A part that is a piece of a text.
struct Piece {
    /// Where it ends in the text.
    end: usize,
    /// The part as it came, if it says more than its text.
    json: Option<String>,
}

impl Answer {
    pub(super) fn chunk(&mut self, chunk: Node<'_>) -> Result<(), Undecoded> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Undecoded::Failure(Failure::in_success(chunk)));
        }
        let keep = |slot: &mut Option<String>, key: &str| {
            if slot.is_none() {
                *slot = text_field(chunk, key);
            }
        };
        keep(&mut self.response.id, "responseId");
        keep(&mut self.response.model, "modelVersion");
        if let Some(node) = chunk.get("usageMetadata") {
            self.response.usage = counted(self.response.usage, node);
        }
        // The prompt was blocked: there is no candidate.
        if chunk.get("promptFeedback").and_then(|feedback| text_field(feedback, "blockReason")).is_some() {
            self.response.finish.get_or_insert(Finish::Filtered);
            self.ended = true;
        }
        // Of several candidates the first is the answer.
        let first = |candidate: &Node<'_>| candidate.get("index").and_then(Node::as_u64).unwrap_or_default() == 0;
        let Some(candidate) = chunk.get("candidates").into_iter().flat_map(Node::items).find(first) else {
            return Ok(());
        };
        self.said = true;
        for part in candidate.get("content").and_then(|c| c.get("parts")).into_iter().flat_map(Node::items) {
            self.part(part);
        }
        if let Some(word) = text_field(candidate, "finishReason") {
            self.response.finish = Some(finish(word));
            self.message = text_field(candidate, "finishMessage").or(self.message.take());
            self.ended = true;
        }
        Ok(())
    }

    pub(super) const fn count(&mut self, usage: Usage) {
        self.response.usage = usage;
    }

    /// The text of a chunk that was read, if nothing else of it is news but the counts.
    pub(super) fn only_text<'d>(&self, chunk: Node<'d>) -> Option<Node<'d>> {
        fn one(list: Node<'_>) -> Option<Node<'_>> {
            let mut items = list.items();
            items.next().filter(|_| items.next().is_none())
        }
        let Open::Text(pieces) = &self.open else { return None };
        let candidate = one(chunk.get("candidates")?)?;
        let first = candidate.get("index").and_then(Node::as_u64).unwrap_or_default() == 0;
        let part = one(candidate.get("content")?.get("parts")?)?;
        let plain = first && pieces.parts.last()?.json.is_none() && knows(part, &["text"]);
        part.get("text").filter(|_| plain)
    }

    /// Takes the text of a chunk that is like the last.
    pub(super) fn again(&mut self, more: &str) -> bool {
        let Open::Text(Pieces { text, parts }) = &mut self.open else { return false };
        let Some(last) = parts.last_mut() else { return false };
        append(text, more);
        last.end = text.len();
        true
    }

    fn part(&mut self, part: Node<'_>) {
        let only = |known: &[&str]| knows(part, known);
        if let Some(call) = part.get("functionCall").filter(|call| call.kind() == Kind::Object) {
            self.close();
            if !only(&["functionCall"]) || !knows(call, &["name", "args", "id"]) {
                self.response.parts.extend(opaque(VERBATIM, format!("[{}]", part.source())));
            }
            let text = |key| text_field(call, key).unwrap_or_default();
            // No arguments are left out, as all that is empty in this protocol.
            let arguments = call.get("args").filter(|args| !args.is_null()).map_or("{}", Node::source);
            self.response.parts.push(Part::ToolCall(ToolCall::new(text("id"), text("name"), arguments)));
            return;
        }
        let thought = part.get("thought").and_then(Node::as_bool) == Some(true);
        match part.get("text").and_then(Node::as_str) {
            Some(text) if thought => {
                self.response.reasoning.get_or_insert_default().push_str(&text);
                match &mut self.open {
                    Open::Thought(so_far) if only(&["text", "thought"]) => so_far.push_str(&text),
                    _ => {
                        self.close();
                        if only(&["text", "thought"]) {
                            self.open = Open::Thought(text.into_owned());
                        } else {
                            self.response.parts.extend(opaque(NAME, String::from(part.source())));
                        }
                    }
                }
            }
            Some(text) => {
                let plain = only(&["text"]);
                let pieces = match &mut self.open {
                    Open::Text(pieces) => pieces,
                    _ => {
                        self.close();
                        self.open = Open::Text(Pieces::default());
                        let Open::Text(pieces) = &mut self.open else { return };
                        pieces
                    }
                };
                append(&mut pieces.text, &text);
                let end = pieces.text.len();
                match pieces.parts.last_mut().filter(|last| plain && last.json.is_none()) {
                    Some(last) => last.end = end,
                    None => pieces.parts.push(Piece { end, json: (!plain).then(|| String::from(part.source())) }),
                }
            }
            None if part.kind() == Kind::Object && !part.is_empty() => {
                self.close();
                self.response.parts.extend(opaque(NAME, String::from(part.source())));
            }
            None => {}
        }
    }

    /// Ends what was open.
    fn close(&mut self) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Thought(text) if text.is_empty() => {}
            Open::Thought(text) => {
                let part = json!({ "text": text, "thought": true });
                self.response.parts.extend(opaque(NAME, part.to_string()));
            }
            Open::Text(pieces) => self.text(pieces),
        }
    }

    /// Pieces are one text, since they may be cut anywhere; what is more than text has to come back where it was.
    fn text(&mut self, Pieces { text, parts }: Pieces) {
        let verbatim = parts.iter().any(|piece| piece.json.is_some());
        let mut from = 0;
        let parts = parts.into_iter().filter_map(|Piece { end, json }| {
            let said = text.get(std::mem::replace(&mut from, end)..end).unwrap_or_default();
            json.or_else(|| (!said.is_empty()).then(|| json!({ "text": said }).to_string()))
        });
        if text.is_empty() {
            self.response.parts.extend(parts.filter_map(|json| opaque(NAME, json)));
            return;
        }
        if verbatim {
            let list = parts.collect::<Vec<_>>().join(",");
            self.response.parts.extend(opaque(VERBATIM, format!("[{list}]")));
        }
        self.response.parts.push(Part::Text(text));
    }

    pub(super) fn told(&self, index: usize) -> Option<Told<'_>> {
        let open = match &self.open {
            Open::Text(pieces) => Some(Told::Text(&pieces.text)),
            Open::Nothing | Open::Thought(_) => None,
        };
        let told = self.response.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(Told::Text(text)),
            Part::ToolCall(call) => Some(Told::call(call, true)),
            _ => None,
        });
        told.chain(open).nth(index)
    }

    pub(super) const fn usage(&self) -> Usage {
        self.response.usage
    }

    /// The answer, once all that was streamed is in.
    pub(super) fn finish(self) -> Result<Response, Undecoded> {
        if self.ended {
            return self.whole();
        }
        Err(Undecoded::Cut)
    }

    fn whole(mut self) -> Result<Response, Undecoded> {
        self.close();
        let Self { mut response, message, .. } = self;
        response.reasoning = response.reasoning.filter(|text| !text.is_empty());
        let silent = response.parts.iter().all(|part| matches!(part, Part::Opaque(_)));
        match &response.finish {
            // What the model wrote as a call could not be read. It is shown at best in words about it.
            Some(Finish::Other(word)) if word == MALFORMED && silent => {
                let said = message.clone().unwrap_or_else(|| String::from("a function call that can be read"));
                let failure = Failure::of(word, Some(said));
                Err(Undecoded::Failure(Failure {
                    generation: message,
                    usage: Some(Box::new(response.usage)),
                    ..failure
                }))
            }
            _ => Ok(response),
        }
    }
}

/// Counts are those so far; what a later chunk leaves out stays.
pub(super) fn counted(before: Usage, node: Node<'_>) -> Usage {
    let count = |key| count_field(node, key);
    let (said, thought) = (count("candidatesTokenCount"), count("thoughtsTokenCount"));
    // Neither the tokens of thoughts nor those of the results of the service's own tools are among the others.
    Usage {
        input: sum(count("promptTokenCount"), count("toolUsePromptTokenCount")).or(before.input),
        output: sum(said, thought).or(before.output),
        cached: count("cachedContentTokenCount").or(before.cached),
        reasoning: thought.or(before.reasoning),
        ..before
    }
}

const MALFORMED: &str = "MALFORMED_FUNCTION_CALL";

/// Whether an object says nothing but this.
fn knows(object: Node<'_>, keys: &[&str]) -> bool {
    object.entries().all(|(key, _)| keys.iter().any(|known| key.is_str(known)))
}

fn opaque(of: &'static str, json: String) -> Option<Part> {
    Some(Part::Opaque(Opaque::new(of, RawValue::from_string(json).ok()?)))
}

fn finish(word: String) -> Finish {
    match word.as_str() {
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::Filtered,
        _ => Finish::Other(word),
    }
}
