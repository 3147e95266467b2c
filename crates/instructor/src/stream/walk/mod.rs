//! The walk: from what happens in an answer to the sink that shows it.
//!
//! It goes along with the events of the reader, and undoes the plan of the schema's dialect as it goes. What can't be
//! undone before it is complete waits, and is lifted by itself. A step into the sink is a call, so that the way to where
//! the answer grows is gone once for each push, however much a push brings.

mod frame;
mod place;

use std::borrow::Cow;

use instructor_json::{Document, Event, Kind, Node, unescape};

pub(super) use self::frame::Frame;
use self::frame::{Lack, Mode, Place, Target, To};
use self::place::{canonical_name, may_be, may_have, member, position, slot_of, tagged};
use super::grow::{Grow, Way};
use crate::schema::lift::{entry, lift_at, unlisted};
use crate::schema::plan::{Alternative, By, KEY, Op, Plan, Presence, Step, VALUE, VARIANT};

/// A walk over some events.
pub(super) struct Walk<'c> {
    pub(super) plan: &'c Plan,
    pub(super) doc: &'c Document<'c>,
    pub(super) events: Cow<'c, [Event]>,
    /// The event that comes next.
    pub(super) next: usize,
    /// The values that are open, from what is around the root.
    pub(super) frames: Vec<Frame>,
    pub(super) changed: bool,
    /// What comes is complete, so that nothing has to wait for more.
    pub(super) whole: bool,
    /// How much was done: linear in what came.
    pub(super) steps: u64,
    /// Something that was shown was taken back.
    pub(super) takes_back: bool,
    /// The first node that will be looked at again; none is certain until a walk has come to what is open.
    pub(super) keeps: Option<u32>,
}

impl<'c> Walk<'c> {
    /// Goes on in a frame, whose sink has been entered so many times.
    pub(super) fn run(&mut self, at: usize, hops: usize, sink: &mut dyn Grow) {
        loop {
            self.steps += 1;
            let Some(frame) = self.frames.get_mut(at) else { return };
            if frame.hops > hops {
                let Some(inner) = sink.child(0) else { return };
                self.run(at, hops + 1, inner);
                if self.frames.len() <= at {
                    sink.end();
                }
                return;
            }
            if self.frames.len() > at + 1 {
                self.down(at, sink);
                if self.frames.len() > at + 1 {
                    self.hold(at, sink);
                    return;
                }
                self.closed(at);
                continue;
            }
            if self.settle(at, hops, sink) {
                continue;
            }
            let Some(event) = self.events.get(self.next).cloned() else {
                self.keeps = Some(u32::MAX);
                return self.hold(at, sink);
            };
            self.next += 1;
            match event {
                Event::Key { node } => self.key(at, node, sink),
                Event::Begin { node, kind, .. } => self.open(at, node, kind, sink),
                Event::Scalar { node, kind } => self.scalar(at, node, kind, sink),
                Event::Text { span, .. } => self.text(at, self.doc.slice(span).unwrap_or_default(), sink),
                Event::End { .. } if self.leave(at) => {
                    self.close(at, hops, sink);
                    self.frames.truncate(at);
                    return;
                }
                _ => {}
            }
        }
    }

    fn down(&mut self, at: usize, sink: &mut dyn Grow) {
        match self.frames.get(at + 1).and_then(|frame| frame.slot) {
            None => self.run(at + 1, 0, sink),
            Some(slot) => {
                if let Some(child) = sink.child(slot) {
                    self.run(at + 1, 0, child);
                }
            }
        }
    }

    /// A member of a frame is complete.
    fn closed(&mut self, at: usize) {
        if let Some(frame) = self.frames.get_mut(at).filter(|frame| matches!(frame.mode, Mode::Held(..))) {
            frame.held.push(frame.key);
        }
    }

    /// Whether a value that is open is looked at again as a whole.
    fn hold(&mut self, at: usize, sink: &mut dyn Grow) {
        let (Some(frame), Some(keeps)) = (self.frames.get(at), &mut self.keeps) else { return };
        let whole = match &frame.mode {
            Mode::Wait(..) | Mode::Held(..) | Mode::Listed(..) | Mode::Tagged { .. } | Mode::Entry { .. } => true,
            Mode::Wrap { done, .. } => !done,
            Mode::Object(_) => sink.asks() || sink.flat(0).is_some(),
            Mode::Array(_) | Mode::Tuple(_) => sink.asks(),
            _ => false,
        };
        if whole {
            *keeps = frame.node.min(*keeps);
        }
    }

    fn mode(&self, at: usize) -> Option<&Mode> {
        self.frames.get(at).map(|frame| &frame.mode)
    }

    /// Whether an end is that of the frame, and not of a value inside one that is passed over.
    fn leave(&mut self, at: usize) -> bool {
        match self.frames.get_mut(at).map(|frame| &mut frame.mode) {
            Some(Mode::Skip(depth) | Mode::Wait(_, depth)) if *depth > 0 => {
                *depth -= 1;
                false
            }
            _ => true,
        }
    }

    fn text(&mut self, at: usize, piece: &str, sink: &mut dyn Grow) {
        if matches!(self.mode(at), Some(Mode::Text)) {
            sink.text(&unescape(piece));
            self.changed = true;
        }
    }

    fn open(&mut self, at: usize, node: u32, kind: Kind, sink: &mut dyn Grow) {
        if let Some(Mode::Skip(depth) | Mode::Wait(_, depth)) = self.frames.get_mut(at).map(|frame| &mut frame.mode) {
            *depth += 1;
            return;
        }
        let place = self.place(at, sink);
        let frame = match place.target {
            Target::Nobody => Frame::new(node, None, Mode::Skip(0)),
            Target::Same => Frame::new(node, None, self.begin(place.to, kind, sink)),
            Target::Child(slot) => {
                let waits = !self.whole && sink.waits(slot);
                let mode = match sink.child(slot) {
                    None => Mode::Skip(0),
                    Some(child) => {
                        // Of duplicates, the last counts.
                        self.clear(child);
                        if waits { Mode::Wait(place.to, 0) } else { self.begin(place.to, kind, child) }
                    }
                };
                Frame::new(node, Some(slot), mode)
            }
        };
        self.frames.push(frame);
    }

    fn scalar(&mut self, at: usize, node: u32, kind: Kind, sink: &mut dyn Grow) {
        if matches!(self.mode(at), Some(Mode::Skip(_) | Mode::Wait(..))) {
            return;
        }
        let place = self.place(at, sink);
        let node = self.doc.node(node);
        debug_assert_eq!(kind, node.kind(), "a scalar that was told of stays");
        match place.target {
            Target::Nobody => {}
            Target::Same => self.give(place.to, node, sink),
            Target::Child(slot) => {
                if let Some(child) = sink.child(slot) {
                    self.clear(child);
                    self.give(place.to, node, child);
                }
            }
        }
        self.closed(at);
    }

    /// Where the next value in a frame goes.
    fn place(&mut self, at: usize, sink: &mut dyn Grow) -> Place {
        let plan = self.plan;
        let Some(frame) = self.frames.get_mut(at) else { return Place::NOBODY };
        let index = frame.count;
        frame.count += 1;
        match frame.mode {
            Mode::Array(step) => {
                self.changed = true;
                let step = match plan.undo(step) {
                    Op::Array { first, rest } => first.get(index).copied().unwrap_or(*rest),
                    Op::Tuple { first, more } => first.get(index).map_or(more.unwrap_or(Plan::SAME), |item| item.step),
                    _ => Plan::SAME,
                };
                Place::slot(sink.item(index), To::plain(step))
            }
            Mode::More(step, base) => {
                self.changed = true;
                Place::slot(sink.item(base + index), To::plain(step))
            }
            Mode::Entries(step, _) => Place::same(To::Entry(step)),
            Mode::Listed(_, step) if index == 0 => Place::same(To::plain(step)),
            Mode::Listed(to, _) => {
                // No list of one, so it is the value itself.
                frame.mode = Mode::Wait(to, 0);
                self.clear(sink);
                self.changed = true;
                Place::NOBODY
            }
            _ => std::mem::replace(&mut frame.next, Place::NOBODY),
        }
    }

    fn key(&mut self, at: usize, node: u32, sink: &mut dyn Grow) {
        let (plan, doc) = (self.plan, self.doc);
        let Some(frame) = self.frames.get_mut(at) else { return };
        let key = doc.node(node);
        frame.key = node;
        frame.next = match &mut frame.mode {
            Mode::Object(step) => member(plan, *step, key, &mut frame.hint, sink),
            Mode::Members(step) => Place::slot(slot_of(key, sink), To::plain(*step)),
            Mode::Wrap { inner, done, .. } if key.is_str(VALUE) => {
                *done = true;
                Place::same(To::plain(*inner))
            }
            Mode::Tuple(step) => match plan.undo(*step) {
                Op::Tuple { first, more } => position(first, *more, key, sink),
                _ => Place::NOBODY,
            },
            Mode::Tagged { step, done } if key.is_str(VALUE) => {
                let found = frame.name.and_then(|name| tagged(plan, *step, doc.node(name + 1)));
                *done = found.is_some();
                found.map_or(Place::NOBODY, |step| Place::same(To::plain(step)))
            }
            Mode::Entry { step, done } if key.is_str(VALUE) => {
                let slot = frame.name.and_then(|name| slot_of(doc.node(name + 1), sink));
                *done = slot.is_some();
                Place::slot(slot, To::plain(*step))
            }
            Mode::Tagged { .. } if key.is_str(VARIANT) => {
                frame.name = Some(node);
                Place::NOBODY
            }
            Mode::Entry { .. } if key.is_str(KEY) => {
                frame.name = Some(node);
                Place::NOBODY
            }
            _ => Place::NOBODY,
        };
        // A variant or an entry may show now.
        self.changed |= matches!(frame.next.target, Target::Child(_));
    }

    /// What is done with a value that opens.
    fn begin(&mut self, to: To, kind: Kind, sink: &mut dyn Grow) -> Mode {
        match (to, kind) {
            (To::Value(step, Presence::List(kinds)), Kind::Array) => {
                if kinds.may_be(Kind::Array) {
                    Mode::Wait(to, 0)
                } else {
                    Mode::Listed(to, step)
                }
            }
            (To::Value(step, _), _) => self.undo(step, kind, sink),
            (To::More(step, base), Kind::Array) => Mode::More(step, base),
            (To::Entries(step), Kind::Array) => Mode::Entries(step, false),
            (To::Entries(step), Kind::Object) => Mode::Members(step),
            (To::Entry(step), Kind::Object) => Mode::Entry { step, done: false },
            _ => Mode::Skip(0),
        }
    }

    fn undo(&mut self, step: Step, kind: Kind, sink: &mut dyn Grow) -> Mode {
        let wait = Mode::Wait(To::plain(step), 0);
        match (self.plan.undo(step), kind) {
            (Op::Wrap(inner), Kind::Object) => Mode::Wrap { step, inner: *inner, done: false },
            (Op::Wrap(inner), _) => self.undo(*inner, kind, sink),
            (Op::Tuple { .. }, Kind::Object) => self.enter(Kind::Array, sink, wait, Mode::Tuple(step)),
            (Op::Entries(inner), Kind::Array) => self.enter(Kind::Object, sink, wait, Mode::Entries(*inner, true)),
            (Op::Text | Op::Labels(_), Kind::String) => wait,
            (Op::Union { by: By::Face, alternatives }, _) => {
                let possible = (0..alternatives.len()).filter(|index| may_be(alternatives, *index, kind)).collect();
                self.among(step, alternatives, possible, kind, sink)
            }
            (Op::Union { by: By::Tag, .. }, Kind::Object) => Mode::Tagged { step, done: false },
            (Op::Union { .. }, _) => wait,
            (Op::Listed(_, kinds), Kind::Array) if kinds.may_be(Kind::Array) => wait,
            (Op::Listed(inner, _), Kind::Array) => Mode::Listed(To::plain(step), *inner),
            (Op::Listed(inner, _), _) => self.undo(*inner, kind, sink),
            _ => self.canonical(step, kind, sink),
        }
    }

    /// A container whose form is another than its type's.
    fn enter(&mut self, kind: Kind, sink: &mut dyn Grow, wait: Mode, enter: Mode) -> Mode {
        match sink.way(kind) {
            Way::Never => Mode::Skip(0),
            Way::Inside([]) => {
                sink.begin(kind);
                self.changed = true;
                enter
            }
            _ => wait,
        }
    }

    /// A value of some alternatives: one of them, if that is known.
    fn among(
        &mut self,
        step: Step,
        alternatives: &[Alternative],
        possible: Vec<usize>,
        kind: Kind,
        sink: &mut dyn Grow,
    ) -> Mode {
        let steps: Vec<Step> = possible.iter().filter_map(|index| alternatives.get(*index)).map(|a| a.step).collect();
        match steps.as_slice() {
            [one] => self.undo(*one, kind, sink),
            [_, ..] if steps.iter().all(|step| self.is_same(*step)) => self.canonical(Plan::SAME, kind, sink),
            [_, ..] if kind == Kind::Object && !self.whole => Mode::Held(step, Lack::Alternative(possible)),
            _ => Mode::Wait(To::plain(step), 0),
        }
    }

    fn is_same(&self, step: Step) -> bool {
        matches!(self.plan.undo(step), Op::Same)
    }

    /// A value whose kind is that of its type.
    fn canonical(&mut self, step: Step, kind: Kind, sink: &mut dyn Grow) -> Mode {
        let mode = match (sink.way(kind), kind) {
            (Way::Never, _) => return Mode::Skip(0),
            (Way::Whole, _) => return Mode::Wait(To::plain(step), 0),
            (Way::Tag { tag, content }, Kind::Object) => return Mode::Held(step, Lack::Tag { tag, content }),
            (Way::Inside([_, ..]), Kind::Object)
                if !self.whole
                    && let Way::Inside(keys) = sink.way(kind) =>
            {
                return Mode::Held(step, Lack::Keys(keys.to_vec()));
            }
            (Way::Key, Kind::Object) => return Mode::Object(step),
            (Way::Inside(_), Kind::Object) => Mode::Object(step),
            (Way::Inside(_), Kind::Array) => Mode::Array(step),
            (Way::Text, Kind::String) => Mode::Text,
            _ => return Mode::Skip(0),
        };
        sink.begin(kind);
        self.changed = true;
        mode
    }

    /// Looks at what is held back. Whether something came of it.
    fn settle(&mut self, at: usize, hops: usize, sink: &mut dyn Grow) -> bool {
        let (plan, doc) = (self.plan, self.doc);
        let Some(frame) = self.frames.get_mut(at) else { return false };
        let fresh = frame.held.get(frame.seen..).unwrap_or_default();
        let Mode::Held(step, lack) = &mut frame.mode else {
            if frame.held.is_empty() {
                return false;
            }
            self.replay(at, hops, sink);
            return true;
        };
        let step = *step;
        let mut known = false;
        if self.whole
            && frame.key == 0
            && let Lack::Tag { tag, .. } = lack
        {
            let mut keys = doc.node(frame.node).entries().map(|(key, _)| key);
            let found = keys.find(|key| canonical_name(plan, step, *key, &mut frame.hint) == *tag);
            frame.name = found.map(Node::index);
            known = found.is_some();
        }
        for key in fresh {
            self.steps += 1;
            let (key, value) = (doc.node(*key), doc.node(*key + 1));
            match lack {
                Lack::Alternative(possible) => {
                    if let Op::Union { alternatives, .. } = plan.undo(step) {
                        let before = possible.len();
                        possible.retain(|index| may_have(alternatives, *index, key, value));
                        known |= possible.len() < before;
                    }
                }
                Lack::Keys(left) => {
                    let name = canonical_name(plan, step, key, &mut frame.hint);
                    left.retain(|wanted| *wanted != name);
                    known |= left.is_empty();
                }
                Lack::Tag { tag, .. } => {
                    if canonical_name(plan, step, key, &mut frame.hint) == *tag {
                        known = true;
                        frame.name = Some(key.index());
                    }
                }
            }
            if known && !matches!(lack, Lack::Alternative(_)) {
                break;
            }
        }
        frame.seen = frame.held.len();
        if !known {
            return false;
        }
        let lack = lack.clone();
        let mode = match lack {
            Lack::Alternative(possible) => match plan.undo(step) {
                Op::Union { alternatives, .. } => self.among(step, alternatives, possible, Kind::Object, sink),
                _ => Mode::Skip(0),
            },
            Lack::Keys(_) => {
                sink.begin(Kind::Object);
                self.changed = true;
                Mode::Object(step)
            }
            Lack::Tag { content, .. } => self.variant(at, step, content, sink),
        };
        if let Some(frame) = self.frames.get_mut(at) {
            // Fewer alternatives are left, but still several.
            let fewer = matches!(&mode, Mode::Held(same, Lack::Alternative(_)) if *same == step);
            frame.seen = if fewer { frame.held.len() } else { 0 };
            frame.hint = 0;
            frame.mode = mode;
        }
        true
    }

    /// The name of a variant is there.
    fn variant(&mut self, at: usize, step: Step, content: Option<&str>, sink: &mut dyn Grow) -> Mode {
        let doc = self.doc;
        let Some(frame) = self.frames.get_mut(at) else { return Mode::Skip(0) };
        let name = frame.name.and_then(|key| doc.node(key + 1).as_str());
        if !name.is_some_and(|name| sink.choose(&name)) {
            return Mode::Skip(0);
        }
        self.changed = true;
        match sink.child(0) {
            Some(inner) if content.is_none() => {
                frame.hops += 1;
                self.canonical(step, Kind::Object, inner)
            }
            _ => Mode::Object(step),
        }
    }

    /// Shows what was held back.
    fn replay(&mut self, at: usize, hops: usize, sink: &mut dyn Grow) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        frame.seen = 0;
        let mut events = Vec::new();
        for key in std::mem::take(&mut frame.held) {
            events.push(Event::Key { node: key });
            events.extend(self.doc.node(key + 1).events());
        }
        let later = std::mem::replace(&mut self.events, Cow::Owned(events));
        let next = std::mem::take(&mut self.next);
        let whole = std::mem::replace(&mut self.whole, true);
        self.run(at, hops, sink);
        self.whole = whole;
        self.events = later;
        self.next = next;
    }

    /// A value is complete.
    fn close(&mut self, at: usize, hops: usize, sink: &mut dyn Grow) {
        let Some(frame) = self.frames.get_mut(at) else { return };
        let node = self.doc.node(frame.node);
        let count = frame.count;
        match std::mem::replace(&mut frame.mode, Mode::Root) {
            Mode::Root
            | Mode::Held(_, Lack::Tag { .. })
            | Mode::Skip(_)
            | Mode::Members(_)
            | Mode::More(..)
            | Mode::Entries(_, false) => {}
            Mode::Wait(to, _) => self.give(to, node, sink),
            Mode::Text | Mode::Entries(_, true) => self.end(sink),
            Mode::Array(step) | Mode::Tuple(step) => {
                self.complete(step, node, sink);
                self.end(sink);
            }
            Mode::Object(step) => {
                self.flat(step, node, sink);
                self.complete(step, node, sink);
                self.end(sink);
            }
            Mode::Wrap { step, done, .. } | Mode::Tagged { step, done } => {
                if !done {
                    self.give(To::plain(step), node, sink);
                }
            }
            Mode::Listed(to, _) => {
                if count == 0 {
                    self.give(to, node, sink);
                }
            }
            Mode::Entry { step, done } => {
                if !done
                    && let Some((key, value)) = entry(node)
                    && let Some(slot) = slot_of(key, sink)
                    && let Some(child) = sink.child(slot)
                {
                    self.clear(child);
                    self.give(To::plain(step), value, child);
                }
            }
            Mode::Held(step, Lack::Alternative(_)) => self.give(To::plain(step), node, sink),
            Mode::Held(step, Lack::Keys(_)) => {
                sink.begin(Kind::Object);
                frame.mode = Mode::Object(step);
                frame.hint = 0;
                self.replay(at, hops, sink);
                self.close(at, hops, sink);
            }
        }
    }

    fn end(&mut self, sink: &mut dyn Grow) {
        sink.end();
        self.changed = true;
    }

    /// Gives what a sink was filled with to it as a whole.
    fn complete(&mut self, step: Step, node: Node<'_>, sink: &mut dyn Grow) {
        if sink.asks() {
            self.lifted(step, node, |_, node| sink.complete(node.source()));
        }
    }

    /// Fills the children that take the whole object.
    fn flat(&mut self, step: Step, node: Node<'_>, sink: &mut dyn Grow) {
        if sink.flat(0).is_none() {
            return;
        }
        self.lifted(step, node, |walk, node| {
            let mut index = 0;
            while let Some(child) = sink.flat(index) {
                if matches!(child.way(Kind::Object), Way::Tag { .. } | Way::Whole) {
                    walk.show(node, child);
                }
                index += 1;
            }
        });
    }

    /// Gives a complete value to the sink.
    fn give(&mut self, to: To, node: Node<'_>, sink: &mut dyn Grow) {
        let To::Value(step, presence) = to else { return };
        let node = match presence {
            Presence::Null if node.is_null() => None,
            Presence::List(kinds) => unlisted(node, kinds),
            _ => Some(node),
        };
        if let Some(node) = node
            && (self.is_same(step) || sink.takes_lifted())
        {
            self.lifted(step, node, |walk, node| walk.show(node, sink));
        }
    }

    /// A complete value in the type's own form.
    fn lifted(&mut self, step: Step, node: Node<'_>, then: impl FnOnce(&mut Self, Node<'_>)) {
        if self.is_same(step) {
            return then(self, node);
        }
        let lifted = lift_at(self.plan, step, node);
        self.steps += node.source().len() as u64;
        if let Ok(document) = Document::parse(&lifted.json) {
            then(self, document.root());
        }
    }

    /// Shows a complete value that is in the type's own form.
    fn show(&mut self, node: Node<'_>, sink: &mut dyn Grow) {
        match sink.way(node.kind()) {
            Way::Never => {}
            Way::Whole => self.put(node, sink),
            _ => {
                let plan = Plan::default();
                let mut walk = Walk {
                    plan: &plan,
                    doc: node.document(),
                    events: Cow::Owned(node.events()),
                    next: 0,
                    frames: vec![Frame::root(Plan::SAME)],
                    changed: false,
                    whole: true,
                    steps: 0,
                    takes_back: false,
                    keeps: None,
                };
                walk.run(0, 0, sink);
                self.changed |= walk.changed;
                self.steps += walk.steps;
                self.takes_back |= walk.takes_back;
            }
        }
    }

    fn clear(&mut self, sink: &mut dyn Grow) {
        self.takes_back |= sink.shows();
        sink.reset();
    }

    fn put(&mut self, node: Node<'_>, sink: &mut dyn Grow) {
        self.changed = true;
        if sink.put(node.source())
            && let Some(inner) = sink.child(0)
        {
            self.show(node, inner);
        }
    }
}
