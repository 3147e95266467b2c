//! Writing the value: text in normal form, slots over it, and where each came from.

use crate::document::{Document, Gone, Kind, Slot};
use crate::input::Input;
use crate::options::Options;
use crate::repair::Level;

use super::string::Role;
use super::{Expect, Frame, Last, Machine, Mark, Shape};

impl Document<'static> {
    pub(crate) fn empty() -> Self {
        let (text, gone) = (String::new().into(), Gone::default());
        Self { text, slots: Vec::new(), sources: Vec::new(), shown: 0, gone }
    }
}

impl Document<'_> {
    /// Gives up what stands before a slot and before a place of the text, but for some slots.
    fn forget(&mut self, slots: usize, text: usize, keep: impl Iterator<Item = usize>) {
        if slots > self.gone.slots {
            let kept = keep.filter(|index| *index < slots).filter_map(|index| Some((index, *self.slot_at(index)?)));
            self.gone.kept = kept.collect();
            self.slots.drain(..slots - self.gone.slots);
            self.sources.drain(..slots - self.gone.slots);
            self.gone.slots = slots;
        }
        if text > self.gone.text {
            self.text.to_mut().drain(..text - self.gone.text);
            self.gone.text = text;
        }
    }
}

impl Machine {
    pub(super) fn out(&mut self) -> &mut String {
        self.doc.text.to_mut()
    }

    /// Writes the comma before an item; parentheses around one value are not written.
    fn lead(&mut self) {
        let around = self.frames.iter().rev().find(|f| f.shape != Shape::Group);
        if around.is_some_and(|f| f.items > 0 && f.shape.is_list()) {
            self.out().push(',');
        }
        self.commas = 0;
    }

    pub(super) fn open_slot(&mut self, kind: Kind, source: usize) -> u32 {
        let start = self.doc.end() as u32;
        let index = self.doc.node_count() as u32;
        self.doc.slots.push(Slot { start, end: start, next: 0, kind, escaped: false, open: true });
        self.doc.sources.push((source as u32, source as u32));
        index
    }

    pub(super) fn close_slot(&mut self, index: u32, source_end: usize) {
        let end = self.doc.end() as u32;
        let next = self.doc.node_count() as u32;
        if let Some(slot) = self.doc.slot_mut(index as usize) {
            slot.end = end;
            slot.next = next;
            slot.open = false;
        }
        let at = (index as usize).wrapping_sub(self.doc.gone.slots);
        if let Some(source) = self.doc.sources.get_mut(at) {
            source.1 = source_end as u32;
        }
    }

    pub(super) fn begin(&mut self, shape: Shape) {
        self.lead();
        let source = self.at;
        let kind = Self::shape_kind(shape);
        let slot = self.open_slot(kind, source);
        self.out().push(if kind == Kind::Object { '{' } else { '[' });
        self.frames.push(Frame::new(shape, slot));
        self.expect = if kind == Kind::Object { Expect::Key } else { Expect::Item };
    }

    /// Closes the innermost container; its text ends at `source_end`.
    pub(super) fn end_frame(&mut self, source_end: usize) {
        let Some(frame) = self.frames.pop() else { return };
        self.written_end(frame, source_end);
    }

    /// Closes the innermost container with its own bracket, which may have been that of the one around it.
    pub(super) fn end_matched(&mut self, source_end: usize) {
        let Some(frame) = self.frames.pop() else { return };
        self.written_end(frame, source_end);
        if let Some(parent) = self.frames.last_mut()
            && frame.loose
        {
            parent.loose |= parent.shape == frame.shape;
        }
    }

    fn written_end(&mut self, frame: Frame, source_end: usize) {
        if frame.shape != Shape::Group {
            self.out().push(if frame.shape == Shape::Object { '}' } else { ']' });
            self.close_slot(frame.slot, source_end);
            if matches!(self.frames.as_slice(), [around] if around.implied && around.shape == Shape::Group) {
                // The object that was put around a member was the root: no other can stand beside it.
                self.frames.clear();
            }
            self.value_done(Last::Container);
        } else {
            self.value_done(Last::Scalar);
        }
    }

    /// A value has ended; what may come after it.
    pub(super) fn value_done(&mut self, last: Last) {
        self.last = last;
        self.commas = 0;
        let outer = self.outer_shape();
        match self.frames.last_mut() {
            Some(frame) => {
                frame.items += 1;
                if frame.items > 1 {
                    // The items after the first could as well be of the container around, if it takes such ones.
                    frame.loose = outer == Some(frame.shape);
                }
                self.expect = Expect::Next;
            }
            None => self.expect = Expect::After,
        }
    }

    /// Writes a scalar that is complete. The span is that of the text it came from.
    pub(super) fn write_scalar(&mut self, text: &str, kind: Kind, from: usize, to: usize) {
        self.lead();
        let slot = self.open_slot(kind, from);
        if kind == Kind::String {
            self.write_string(slot, text);
        } else {
            self.out().push_str(text);
        }
        self.close_slot(slot, to);
    }

    /// Writes a string with its quotes, escaped as needed.
    pub(super) fn write_string(&mut self, slot: u32, text: &str) {
        self.out().push('"');
        for c in text.chars() {
            self.write_char(slot, c);
        }
        self.out().push('"');
    }

    pub(super) fn begin_text(&mut self, source: usize) -> u32 {
        self.lead();
        self.begin_key_text(source)
    }

    pub(super) fn begin_key_text(&mut self, source: usize) -> u32 {
        let slot = self.open_slot(Kind::String, source);
        self.out().push('"');
        self.told = self.doc.end();
        slot
    }

    /// Remembers the place before a key, and writes its comma.
    pub(super) fn mark_key(&mut self) {
        self.key = Mark { text: self.doc.end(), slots: self.doc.node_count(), source: self.at };
        if self.top().is_some_and(|f| f.items > 0) {
            self.out().push(',');
        }
        self.commas = 0;
    }

    /// Takes back a key that got no value.
    pub(super) fn drop_key(&mut self) {
        let Mark { text, slots, .. } = self.key;
        self.truncate(text, slots);
    }

    pub(super) fn truncate(&mut self, text: usize, slots: usize) {
        let Gone { text: before, slots: gone, .. } = self.doc.gone;
        self.out().truncate(text.saturating_sub(before));
        self.doc.slots.truncate(slots.saturating_sub(gone));
        self.doc.sources.truncate(slots.saturating_sub(gone));
    }

    pub(super) fn write_char(&mut self, slot: u32, c: char) {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            c if c < ' ' => {
                const HEX: [char; 16] =
                    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
                let code = c as usize;
                let low = HEX.get(code % 16).copied().unwrap_or('0');
                let out = self.out();
                out.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                out.push(low);
                self.mark_escaped(slot);
                return;
            }
            c => {
                self.out().push(c);
                return;
            }
        };
        self.out().push_str(escape);
        self.mark_escaped(slot);
    }

    pub(super) fn mark_escaped(&mut self, slot: u32) {
        if let Some(slot) = self.doc.slot_mut(slot as usize) {
            slot.escaped = true;
        }
    }

    /// Makes what is written so far visible, but for what a later byte may still take back.
    pub(super) fn settle(&mut self) {
        let mut shown = self.doc.node_count();
        if let Expect::Text(text) = &self.expect {
            let slot = text.slot as usize;
            let from = self.told.saturating_sub(self.doc.gone.text);
            let held = if self.options.level() >= Level::Lenient { held_back(&self.doc.text, from) } else { 0 };
            let end = self.doc.end() - held;
            if let Some(slot) = self.doc.slot_mut(slot) {
                slot.end = (end as u32).max(slot.start + 1);
            }
            if text.is_uncertain() && self.options.level() >= Level::Lenient {
                shown = slot;
            }
        }
        // An object without a key may turn out to be a set.
        if self.options.level() >= Level::Lenient
            && self.top().is_some_and(|f| f.shape == Shape::Object && f.items == 0 && f.slot as usize + 2 >= shown)
            && matches!(self.expect, Expect::Key | Expect::Colon | Expect::Text(_))
        {
            shown = shown.min(self.top().map_or(shown, |f| f.slot as usize));
        }
        let root_text = self.doc.slot_at(0).is_some_and(|s| s.kind == Kind::String);
        if root_text && self.options.level() >= Level::Lenient && matches!(self.expect, Expect::After) {
            shown = 0;
        }
        self.doc.shown = shown as u32;
    }

    /// A root that has ended is not yet done where what follows may be its own: members of an object, which is a
    /// guess, and a string that is joined to one.
    pub(super) fn hold_open(&mut self) {
        let level = self.options.level();
        let Some(root) = self.doc.slot_mut(0).filter(|root| !root.open) else { return };
        let joins = match root.kind {
            Kind::Object | Kind::Array => level >= Level::Lenient,
            Kind::String => level >= Level::Syntax,
            _ => false,
        };
        if joins {
            root.open = true;
            root.end -= 1;
            self.held_open = true;
        }
    }

    /// Shows a literal as soon as all its letters are there, and a number when it has ended. What would make another
    /// value of either is a guess, so that at this level it ends in an error: until then it stays shown, whatever
    /// follows it.
    pub(super) fn show_early(&mut self, input: &Input<'_>) {
        if self.options.level() >= Level::Lenient || self.skip.is_some() {
            return;
        }
        let start = match &self.expect {
            Expect::Value | Expect::Item => self.at,
            Expect::Bare(bare) => bare.start,
            _ => return,
        };
        const FAR: usize = 64;
        let rest = input.bytes().get(start..).unwrap_or_default();
        let number = rest.iter().take(FAR).position(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b','));
        let literals = [("true", Kind::Bool), ("false", Kind::Bool), ("null", Kind::Null)];
        let (token, kind) = match literals.into_iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
            Some(literal) => literal,
            None => match number.map(|len| input.slice(start, start + len)) {
                Some(number) if crate::input::is_json_number(number) => (number, Kind::Number),
                _ => return,
            },
        };
        self.early = Some((self.doc.end(), self.doc.node_count()));
        let commas = self.commas;
        self.write_scalar(token, kind, start, start + token.len());
        self.commas = commas;
    }

    pub(super) fn take_back(&mut self) {
        if self.held_open {
            self.held_open = false;
            if let Some(root) = self.doc.slot_mut(0) {
                root.open = false;
                root.end += 1;
            }
        }
        if let Some((text, slots)) = self.early.take() {
            self.truncate(text, slots);
        }
    }

    /// Gives up what was written before a slot, but for what is open, and for what a step may look back at.
    pub(crate) fn forget(&mut self, before: u32) {
        if self.waited.is_none() {
            return;
        }
        // Ends of strings, the last of these, are taken back by less than this, and values and keys one at a time.
        const SLOTS: usize = 8;
        const BYTES: usize = 512;
        let doc = &self.doc;
        let gone = &doc.gone;
        let shown = doc.shown as usize;
        let mut slots = (before as usize).min(shown.saturating_sub(SLOTS)).max(gone.slots);
        let grows = match &self.expect {
            Expect::Text(text) if text.role != Role::Key && (text.slot as usize) < before as usize => {
                !text.is_uncertain() || self.options.level() < Level::Lenient
            }
            _ => false,
        };
        let mut certain = match shown.checked_sub(1).and_then(|last| doc.slot_at(last)) {
            Some(string) if string.kind == Kind::String && string.open => string.end as usize,
            _ => doc.slot_at(shown).map_or(doc.end(), |hidden| hidden.start as usize),
        };
        let keyed = match &self.expect {
            Expect::Text(text) => text.role == Role::Key,
            expect => matches!(expect, Expect::Colon | Expect::Value) && self.in_object(),
        };
        if keyed {
            // It goes with its comma if it gets no value.
            certain = certain.min(self.key.text);
        }
        let from = if grows { doc.end() } else { doc.slot_at(slots).map_or(0, |slot| slot.start as usize) };
        let far = from.min(certain).min(doc.end().saturating_sub(BYTES)).saturating_sub(gone.text);
        let bytes = doc.text.as_bytes();
        let whole = |at: usize| doc.text.is_char_boundary(at) && bytes.get(at.wrapping_sub(1)) != Some(&b'\\');
        let mut text = (0..=far).rev().find(|at| whole(*at)).unwrap_or_default() + gone.text;
        // What is moved is less than what goes, so that each byte is moved about once.
        if slots - gone.slots < doc.slots.len().div_ceil(2).max(SLOTS * SLOTS) {
            slots = gone.slots;
        }
        if text - gone.text < doc.text.len().div_ceil(2).max(BYTES) {
            text = gone.text;
        }
        // Whether the first item of an array is one too is asked later.
        let around = self.frames.iter().flat_map(|frame| [frame.slot as usize, frame.slot as usize + 1]);
        self.doc.forget(slots, text, std::iter::once(0).chain(around));
    }

    pub(super) const fn options(&self) -> &Options {
        &self.options
    }
}

/// How many bytes at the end of a string may belong to what follows it, if its closing quote turns out to be missing.
///
/// What ends a string early looks back at most 64 bytes of the source for blanks, brackets and a key, of which each may
/// be two bytes here, and then at most 48 for a comma with a key after it.
fn held_back(text: &str, from: usize) -> usize {
    const FAR: usize = 128;
    let bytes = text.as_bytes();
    let strip = |mut end: usize, plain: &[u8]| {
        while end > from && text.len() - end < FAR {
            let Some(&b) = bytes.get(end - 1) else { break };
            if matches!(b, b'n' | b'r' | b't') && end - 1 > from && ends_in_escape(bytes, end - 1, from) {
                end -= 2;
            } else if plain.contains(&b) {
                end -= 1;
            } else {
                break;
            }
        }
        end
    };
    let structural = |end| strip(end, b"{}[], `");
    let mut end = structural(text.len());
    // A bare key, with its colon or without, after a comma or a line end.
    let colon = strip(text.len(), b" ");
    let mut word = if colon > from && bytes.get(colon - 1) == Some(&b':') { colon - 1 } else { text.len() };
    while word > from && text.len() - word < FAR && bytes.get(word - 1).is_some_and(|&b| crate::input::is_word(b)) {
        word -= 1;
    }
    let before = structural(word);
    if bytes.get(before..word).is_some_and(|gap| gap.contains(&b',') || gap.contains(&b'n')) {
        end = end.min(before);
    }
    // A bare key and its value, before the brackets that close what is open.
    if let Some(comma) = text.get(from..structural(text.len())).and_then(super::string::bare_member) {
        end = end.min(from + comma);
    }
    text.len() - end
}

/// Whether an odd number of backslashes ends at `end`.
fn ends_in_escape(bytes: &[u8], end: usize, from: usize) -> bool {
    let head = bytes.get(from..end).unwrap_or_default();
    head.iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1
}
