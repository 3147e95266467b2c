//! Calls that are the items of a list, while they arrive.

use instructor_json::{Document, Kind};

use super::grow::{Grow, Way};
use super::tracker::Tracker;
use crate::message::ToolCall;
use crate::mode::Plan;
use crate::repair::ParseOptions;
use crate::run::Called;

/// Grows a list whose items have a text each: what comes of a call is shown in its item, whichever others are open.
#[derive(Debug, Default)]
pub(super) struct Calls {
    items: Vec<Item>,
    takes_back: bool,
}

#[derive(Debug, Default)]
enum Item {
    /// Nothing of it can be shown yet.
    #[default]
    Pending,
    Open(Box<Open>),
    Over,
}

/// A call that shows something.
#[derive(Debug)]
struct Open {
    tracker: Tracker,
    /// What is read: the arguments in the form of the item.
    text: String,
    /// What ends it.
    end: &'static str,
}

impl Open {
    fn new(end: &'static str, options: ParseOptions) -> Self {
        Self { tracker: Tracker::new(None, options), text: String::new(), end }
    }

    /// Reads on. What can't be read is for the final reading to say.
    fn push(&mut self, more: &str, sink: &mut dyn Grow) -> bool {
        self.text.push_str(more);
        self.tracker.read(&self.text, sink).unwrap_or_default()
    }

    fn end(&mut self, sink: &mut dyn Grow) -> bool {
        self.push(self.end, sink) | self.tracker.end(&self.text, sink)
    }
}

impl Calls {
    pub(super) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes what is new of a call; whether the list shows something else than before.
    pub(super) fn push(
        &mut self,
        plan: &Plan<'_>,
        call: Called<'_>,
        options: ParseOptions,
        list: &mut dyn Grow,
    ) -> bool {
        if self.is_empty() && list.way(Kind::Array) == Way::Inside(&[]) {
            list.begin(Kind::Array);
        }
        let new = call.index >= self.items.len();
        if new {
            self.items.resize_with(call.index + 1, Item::default);
        }
        let slot = list.item(call.index);
        let sink = slot.and_then(|slot| list.child(slot));
        let (Some(item), Some(sink)) = (self.items.get_mut(call.index), sink) else { return false };
        let form = plan.item_of(call.name);
        let mut changed = new;
        match item {
            Item::Open(open) => {
                changed |= open.push(call.arguments.get(call.told..).unwrap_or_default(), sink);
            }
            Item::Pending => {
                if let Some((text, end)) = form.and_then(|form| form.so_far(call.arguments)) {
                    let mut open = Box::new(Open::new(end, options));
                    changed |= open.push(&text, sink);
                    *item = Item::Open(open);
                }
            }
            Item::Over => {}
        }
        if let Item::Open(open) = item {
            self.takes_back |= open.tracker.took_back();
        }
        if call.over {
            let plain = Document::parse(call.arguments).ok();
            let plain = plain.zip(form).is_some_and(|(arguments, form)| form.is_plain(arguments.root()));
            match std::mem::replace(item, Item::Over) {
                Item::Open(mut open) if plain => changed |= open.end(sink),
                // What only the final reading makes out is shown as that does it.
                Item::Open(_) | Item::Pending => {
                    let call = ToolCall::new("", call.name, call.arguments);
                    if let Ok(json) = plan.item(0, &call, options) {
                        self.takes_back |= sink.shows();
                        sink.reset();
                        let mut tracker = Tracker::new(None, options);
                        changed |= tracker.read(&json, sink).unwrap_or_default() | tracker.end(&json, sink);
                    }
                }
                Item::Over => {}
            }
        }
        changed
    }

    /// Whether something that was shown was taken back since the last call.
    pub(super) fn took_back(&mut self) -> bool {
        std::mem::take(&mut self.takes_back)
    }
}
