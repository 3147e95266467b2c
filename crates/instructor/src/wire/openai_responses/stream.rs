use instructor_json::{Document, Node};
use serde_json::{Map, Value, json};

use super::decode::{envelope, output, push, settle};
use crate::growth::append;
use crate::wire::alike::{Alike, fields};
use crate::wire::frame::Frame;
use crate::wire::response::{Response, Usage, text_field};
use crate::wire::{Decoder, Failure, Told, Undecoded};

/// Puts the events of one streamed answer together. The event that ends it has the whole answer; what the events before
/// it told counts where a server leaves that out.
#[derive(Default)]
pub(super) struct Stream {
    response: Response,
    items: Vec<(Option<u64>, Item)>,
    /// The last event had all items.
    whole: bool,
    ended: bool,
    /// The item, and the piece of it, that deltas go on with.
    alike: Alike<(usize, usize)>,
}

/// An item that is being told.
#[derive(Default)]
struct Item {
    /// As the event that began it gave it.
    fields: Map<String, Value>,
    /// Its texts so far, each with the place that it belongs to.
    pieces: Vec<(Piece, u64, String)>,
    /// As the event that ended it gave it.
    done: Option<String>,
    /// Nothing more of its arguments comes.
    over: bool,
}

/// What the text of a delta is a piece of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Text,
    Refusal,
    Arguments,
    Thought,
    Summary,
}

/// The events that tell pieces, without their last word: `delta` has more of it, `done` the whole.
const PIECES: [(&str, Piece, &str); 5] = [
    ("response.output_text.", Piece::Text, "text"),
    ("response.refusal.", Piece::Refusal, "refusal"),
    ("response.function_call_arguments.", Piece::Arguments, "arguments"),
    ("response.reasoning_text.", Piece::Thought, "text"),
    ("response.reasoning_summary_text.", Piece::Summary, "text"),
];

impl Stream {
    /// The item that an event is about. Servers that have no index tell one item at a time.
    fn item(&mut self, event: Node<'_>, new: bool) -> usize {
        let index = event.get("output_index").and_then(Node::as_u64);
        let known = match index {
            Some(_) => self.items.iter().rposition(|(i, _)| *i == index),
            None if new => None,
            None => self.items.len().checked_sub(1),
        };
        known.unwrap_or_else(|| {
            self.items.push((index, Item::default()));
            self.items.len() - 1
        })
    }

    /// The piece that an event has more of, if it is one.
    fn piece(&mut self, name: &str, event: Node<'_>) -> Option<(usize, usize)> {
        let known = PIECES.iter().find_map(|(start, piece, key)| Some((name.strip_prefix(start)?, *piece, *key)));
        let (last, piece, key) = known?;
        let whole = match last {
            "delta" => false,
            "done" => true,
            _ => return None,
        };
        let text = event.get(if whole { key } else { "delta" }).and_then(Node::as_str)?;
        let place = if piece == Piece::Summary { "summary_index" } else { "content_index" };
        let place = event.get(place).and_then(Node::as_u64).unwrap_or_default();
        let index = self.item(event, false);
        let (_, item) = self.items.get_mut(index)?;
        item.over |= whole && piece == Piece::Arguments;
        let at = item.pieces.iter().rposition(|(p, i, _)| (*p, *i) == (piece, place)).unwrap_or_else(|| {
            item.pieces.push((piece, place, String::new()));
            item.pieces.len() - 1
        });
        let (_, _, so_far) = item.pieces.get_mut(at)?;
        if whole {
            so_far.clear();
        }
        append(so_far, &text);
        (!whole).then_some((index, at))
    }

    /// A delta of which nothing but its text differs from the one before.
    fn again(&mut self, data: &str) -> bool {
        let Some((more, (item, piece))) = self.alike.text(data) else { return false };
        let piece = self.items.get_mut(item).and_then(|(_, item)| item.pieces.get_mut(piece));
        piece.map(|(_, _, so_far)| append(so_far, &more)).is_some()
    }

    /// The answer ends here, with the state that this event tells.
    fn end(&mut self, event: Node<'_>) -> Result<(), Undecoded> {
        self.ended = true;
        let Some(node) = event.get("response") else { return Ok(()) };
        let response = envelope(node)?;
        let so_far = std::mem::replace(&mut self.response, response);
        self.response.id = self.response.id.take().or(so_far.id);
        self.response.model = self.response.model.take().or(so_far.model);
        self.whole = false;
        for item in output(node).into_iter().flat_map(Node::items) {
            push(item, &mut self.response);
            self.whole = true;
        }
        Ok(())
    }
}

impl Item {
    /// The item as JSON, put together if no event gave it whole.
    fn json(self) -> String {
        let Self { mut fields, pieces, done, .. } = self;
        if let Some(done) = done {
            return done;
        }
        // It said that it was not done.
        fields.remove("status");
        let texts = |wanted: &[Piece]| -> Vec<Value> {
            let block = |(piece, _, text): &(Piece, u64, String)| match piece {
                Piece::Text => json!({ "type": "output_text", "text": text, "annotations": [] }),
                Piece::Refusal => json!({ "type": "refusal", "refusal": text }),
                Piece::Thought => json!({ "type": "reasoning_text", "text": text }),
                Piece::Summary => json!({ "type": "summary_text", "text": text }),
                Piece::Arguments => Value::Null,
            };
            pieces.iter().filter(|(piece, ..)| wanted.contains(piece)).map(block).collect()
        };
        let mut put = |key: &str, kind: &str, value: Value| {
            fields.entry("type").or_insert_with(|| Value::from(kind));
            fields.insert(String::from(key), value);
        };
        if let Some((.., arguments)) = pieces.iter().find(|(piece, ..)| *piece == Piece::Arguments) {
            put("arguments", "function_call", Value::from(arguments.as_str()));
        }
        let groups = [
            ("message", "content", &[Piece::Text, Piece::Refusal][..]),
            ("reasoning", "content", &[Piece::Thought]),
            ("reasoning", "summary", &[Piece::Summary]),
        ];
        for (kind, key, wanted) in groups {
            let blocks = texts(wanted);
            if !blocks.is_empty() {
                put(key, kind, Value::from(blocks));
            }
        }
        if fields.get("type").is_some_and(|kind| kind == "message") {
            fields.entry("role").or_insert_with(|| Value::from("assistant"));
        }
        Value::Object(fields).to_string()
    }
}

impl Decoder for Stream {
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Undecoded> {
        let data = frame.data.trim();
        if data == "[DONE]" {
            self.ended = true;
            return Ok(());
        }
        if data.is_empty() || self.again(data) {
            return Ok(());
        }
        self.alike.forget();
        let doc = Document::parse(data)
            .map_err(|e| Undecoded::Unreadable(format!("an event of the stream is not JSON: {e}")))?;
        let event = doc.root();
        if event.get("error").is_some_and(|e| !e.is_null()) {
            return Err(Undecoded::Failure(Failure::in_success(event)));
        }
        match &*event.get("type").and_then(Node::as_str).or(frame.event.map(Into::into)).unwrap_or_default() {
            "response.created" | "response.queued" | "response.in_progress" => {
                if let Some(node) = event.get("response") {
                    self.response.id = text_field(node, "id").or(self.response.id.take());
                    self.response.model = text_field(node, "model").or(self.response.model.take());
                }
            }
            "response.output_item.added" => {
                let fields = event.get("item").and_then(|item| serde_json::from_str(item.source()).ok());
                let at = self.item(event, true);
                if let Some((_, item)) = self.items.get_mut(at) {
                    item.fields = fields.unwrap_or_default();
                }
            }
            "response.output_item.done" => {
                let at = self.item(event, false);
                if let (Some(done), Some((_, item))) = (event.get("item"), self.items.get_mut(at)) {
                    item.done = Some(String::from(done.source()));
                    item.over = true;
                    // Servers that have the arguments all at once say them here.
                    let call = done.get("type").is_some_and(|kind| kind.is_str("function_call"));
                    if let Some(arguments) = text_field(done, "arguments").filter(|_| call && item.pieces.is_empty()) {
                        item.fields = serde_json::from_str(done.source()).unwrap_or_default();
                        item.pieces.push((Piece::Arguments, 0, arguments));
                    }
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" => self.end(event)?,
            "error" => return Err(Undecoded::Failure(Failure::in_success(event))),
            name => {
                let place = self.piece(name, event);
                if let (Some(place), Some(text), Some(_)) = (place, event.get("delta"), event.get("type")) {
                    self.alike.learn(data, text, place, fields(event, &["sequence_number", "obfuscation"]));
                }
            }
        }
        Ok(())
    }

    fn told(&self, index: usize) -> Option<Told<'_>> {
        let pieces = self.items.iter().flat_map(|(_, item)| item.pieces.iter().map(move |piece| (item, piece)));
        let mut told = pieces.filter_map(|(item, (piece, _, text))| match piece {
            // Words on the way to the answer.
            Piece::Text if item.fields.get("phase").is_some_and(|phase| phase == "commentary") => None,
            Piece::Text => Some(Told::Text(text)),
            Piece::Arguments => {
                let field = |key| item.fields.get(key).and_then(Value::as_str).unwrap_or_default();
                Some(Told::Call { id: field("call_id"), name: field("name"), arguments: text, over: item.over })
            }
            Piece::Refusal | Piece::Thought | Piece::Summary => None,
        });
        told.nth(index)
    }

    fn usage(&self) -> Usage {
        self.response.usage
    }

    fn finish(self: Box<Self>) -> Result<Response, Undecoded> {
        let Self { mut response, items, whole, ended, .. } = *self;
        if !ended {
            return Err(Undecoded::Cut);
        }
        if !whole {
            for (_, item) in items {
                if let Ok(doc) = Document::parse(&item.json()) {
                    push(doc.root(), &mut response);
                }
            }
        }
        settle(&mut response);
        Ok(response)
    }
}
