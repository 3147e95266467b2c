//! Containers: what may stand between the values, and how they open.

use crate::input::{Input, is_special_space, is_word_start};
use crate::repair::{RepairKind, Severity};
use crate::{Error, ErrorKind};

use super::string::{Quote, Role};
use super::{Expect, Flow, Frame, Last, Machine, Shape, Step, Stop};

impl Machine {
    /// An element of an array, or its end.
    pub(super) fn item(&mut self, input: &Input<'_>, byte: u8) -> Step {
        match byte {
            b']' | b'}' | b')' => self.closer(input, byte),
            b',' => self.stray_comma(),
            b';' => self.pass(RepairKind::WrongSeparator, Severity::Guess, self.at + 1),
            b':' => self.pass(RepairKind::WrongSeparator, Severity::Guess, self.at + 1),
            b'-' | b'*' => {
                let next = input.sig(self.at + 1)?;
                let apart = next.at > self.at + 1 && next.byte.is_some_and(|b| !b.is_ascii_digit() && b != b'.');
                if apart {
                    return self.pass(RepairKind::StrayText, Severity::Guess, next.at);
                }
                self.value(input, byte)
            }
            _ => self.value(input, byte),
        }
    }

    /// The value of a key.
    pub(super) fn member(&mut self, input: &Input<'_>, byte: u8) -> Step {
        match byte {
            b':' => {
                let lossless = input.byte(self.at - 1)? == Some(b':');
                let severity = if lossless { Severity::Lossless } else { Severity::Guess };
                self.pass(RepairKind::WrongSeparator, severity, self.at + 1)
            }
            b'=' | b'>' => self.pass(RepairKind::WrongSeparator, Severity::Guess, self.at + 1),
            b',' | b'}' | b']' => {
                let at = self.at;
                let from = self.doc.end();
                self.write_scalar("null", crate::Kind::Null, at, at);
                let node = self.doc.node_count().saturating_sub(1) as u32;
                let repair =
                    crate::Repair::new(RepairKind::MissingValue, Severity::Lossy, (at as u32, at as u32), node);
                self.record(repair.with_after((from as u32, from as u32 + 4)));
                self.value_done(Last::Scalar);
                Ok(Flow::Go)
            }
            _ => self.value(input, byte),
        }
    }

    fn stray_comma(&mut self) -> Step {
        let first = self.top().is_none_or(|f| f.items == 0);
        let outer = self.outer_shape();
        if let Some(frame) = self.frames.last_mut()
            && first
        {
            // It may be an empty container without its bracket.
            frame.loose = outer == Some(frame.shape);
            frame.led = true;
        }
        let kind = if first { RepairKind::LeadingComma } else { RepairKind::RepeatedComma };
        self.pass(kind, Severity::Lossless, self.at + 1)
    }

    /// Any value, by its first byte.
    pub(super) fn value(&mut self, input: &Input<'_>, byte: u8) -> Step {
        match byte {
            b'{' | b'[' => {
                self.too_deep()?;
                self.begin(if byte == b'{' { Shape::Object } else { Shape::Array });
                self.at += 1;
                Ok(Flow::Go)
            }
            b'(' => self.parenthesis(input),
            b'/' => self.regex(input),
            b'.' if input.starts(self.at, "...")? => self.ellipsis(input, 3),
            b'\\' if input.byte(self.at + 1)? == Some(b'"') => self.open_text(input, Quote::Escaped, 2),
            0x80.. if input.char(self.at)? == Some('…') => self.ellipsis(input, 3),
            _ => match self.quote_at(input)? {
                Some(quote) => self.open_text(input, quote, 0),
                None => self.word(input),
            },
        }
    }

    fn parenthesis(&mut self, input: &Input<'_>) -> Step {
        self.too_deep()?;
        // One value in parentheses is that value; several, or none, are a tuple.
        let mut depth = 0_usize;
        let mut quote = None;
        let mut at = self.at + 1;
        let mut tuple = true;
        let mut empty = true;
        while at < self.at + crate::input::WINDOW {
            let Some(b) = input.byte(at)? else { break };
            match (quote, b) {
                (Some(_), b'\\') => at += 1,
                (Some(q), b) if b == q => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(b),
                (None, b'(' | b'[' | b'{') => depth += 1,
                (None, b')') if depth == 0 => {
                    tuple = empty;
                    break;
                }
                (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                (None, b',') if depth == 0 => break,
                _ => {}
            }
            empty &= b.is_ascii_whitespace();
            at += 1;
        }
        let from = self.at;
        if tuple {
            self.begin(Shape::Tuple);
        } else {
            let expect = if self.in_array() || self.frames.is_empty() { Expect::Item } else { Expect::Value };
            self.frames.push(Frame::new(Shape::Group, 0));
            self.expect = expect;
        }
        self.repair(RepairKind::Tuple, Severity::Lossless, from, from + 1);
        self.at += 1;
        Ok(Flow::Go)
    }

    /// `...`, with the words that say how much is left out.
    fn ellipsis(&mut self, input: &Input<'_>, len: usize) -> Step {
        let stop = input.find(self.at + len, |b| matches!(b, b',' | b']' | b'}' | b'\n' | b'"' | b'/' | b'#'))?;
        let to = stop.unwrap_or(self.at + len).max(self.at + len);
        self.pass(RepairKind::Ellipsis, Severity::Lossy, to)
    }

    pub(super) fn colon(&mut self, input: &Input<'_>, byte: u8) -> Step {
        match byte {
            b':' => {
                self.out().push(':');
                self.at += 1;
                self.expect = Expect::Value;
                Ok(Flow::Go)
            }
            b'=' | b'-' => {
                let arrow = input.byte(self.at + 1)? == Some(b'>');
                if byte == b'-' && !arrow {
                    return self.missing_colon();
                }
                self.out().push(':');
                self.expect = Expect::Value;
                self.pass(RepairKind::WrongSeparator, Severity::Guess, self.at + 1 + usize::from(arrow))
            }
            b',' | b'}' | b']' => {
                if byte == b',' && self.is_set(input)? {
                    return Ok(self.turn_into_array());
                }
                let from = self.key.source;
                self.drop_key();
                self.repair(RepairKind::DanglingKey, Severity::Lossy, from, self.at);
                self.expect = Expect::Next;
                self.last = Last::Nothing;
                Ok(Flow::Go)
            }
            _ => self.missing_colon(),
        }
    }

    fn missing_colon(&mut self) -> Step {
        self.out().push(':');
        self.expect = Expect::Value;
        self.pass(RepairKind::MissingColon, Severity::Guess, self.at)
    }

    /// `{"x", "y"}`: the first key has no value, and neither has the second.
    fn is_set(&self, input: &Input<'_>) -> Result<bool, Stop> {
        if self.top().is_none_or(|f| f.items > 0 || f.slot as usize + 2 != self.doc.node_count()) {
            return Ok(false);
        }
        let next = input.sig(self.at + 1)?;
        if next.byte != Some(b'"') {
            return Ok(false);
        }
        let Some(end) = input.closing(next.at + 1, b'"')? else { return Ok(false) };
        Ok(matches!(input.sig(end + 1)?.byte, Some(b',' | b'}')))
    }

    fn turn_into_array(&mut self) -> Flow {
        let from = self.key.source;
        self.repair(RepairKind::SetLiteral, Severity::Guess, from, self.at);
        if self.blocked.is_some() {
            return Flow::Go;
        }
        let Some(frame) = self.frames.last_mut() else { return Flow::Go };
        frame.shape = Shape::Set;
        let index = frame.slot as usize;
        let Some(slot) = self.doc.slot_mut(index) else { return Flow::Go };
        slot.kind = crate::Kind::Array;
        let brace = slot.start as usize - self.doc.gone.text;
        self.out().replace_range(brace..=brace, "[");
        self.value_done(Last::Text);
        Flow::Go
    }

    /// A key of an object, or its end.
    pub(super) fn key(&mut self, input: &Input<'_>, byte: u8) -> Step {
        match byte {
            b'}' | b']' | b')' => self.closer(input, byte),
            b',' => self.stray_comma(),
            b';' => self.pass(RepairKind::WrongSeparator, Severity::Guess, self.at + 1),
            b':' => self.pass(RepairKind::StrayText, Severity::Guess, self.at + 1),
            b'{' => self.brace_for_key(),
            b'[' | b'(' => self.refuse(),
            b'`' if input.starts(self.at, "```")? => self.refuse(),
            b'.' if input.starts(self.at, "...")? => self.ellipsis(input, 3),
            0x80.. if input.char(self.at)? == Some('…') => self.ellipsis(input, 3),
            b'\\' if input.byte(self.at + 1)? == Some(b'"') => {
                self.mark_key();
                self.open_text(input, Quote::Escaped, 2)
            }
            _ => match self.quote_at(input)? {
                Some(quote) => {
                    self.mark_key();
                    self.open_text(input, quote, 0)
                }
                None => self.bare_key(input),
            },
        }
    }

    /// A brace where a key should be: doubled, or the next item of the array around.
    fn brace_for_key(&mut self) -> Step {
        let outer = self.outer_shape();
        let empty = self.top().is_none_or(|f| f.items == 0);
        if empty && self.top().is_some_and(|f| f.extra < 2 && !f.led) {
            if let Some(frame) = self.frames.last_mut() {
                frame.extra += 1;
            }
            return self.pass(RepairKind::ExtraCloser, Severity::Lossless, self.at + 1);
        }
        if outer.is_some_and(Shape::is_list) {
            let at = self.at;
            self.missing_closer(at);
            if self.commas == 0 {
                self.repair(RepairKind::MissingComma, Severity::Lossless, at, at);
            }
            self.end_frame(at);
            self.expect = Expect::Item;
            return Ok(Flow::Go);
        }
        self.refuse()
    }

    /// After a value: a separator or a closing bracket.
    pub(super) fn next(&mut self, input: &Input<'_>, byte: u8) -> Step {
        let object = self.top_shape() == Some(Shape::Object);
        match byte {
            b',' | b';' if self.top_shape() == Some(Shape::Group) => self.refuse(),
            b',' => {
                self.commas = 1;
                self.comma_at = self.at;
                self.at += 1;
                self.expect = if object { Expect::Key } else { Expect::Item };
                Ok(Flow::Go)
            }
            b'}' | b']' | b')' => self.closer(input, byte),
            b';' => {
                self.expect = if object { Expect::Key } else { Expect::Item };
                self.pass(RepairKind::WrongSeparator, Severity::Guess, self.at + 1)
            }
            b'+' if self.is_after_text(input) => self.concat(input),
            b':' if !object && self.is_after_text(input) => Ok(self.member_without_brace()),
            b'{' if object => self.brace_for_key(),
            b'"' | b'\'' if object && self.is_after_text(input) && !input.key_at(self.at)? => self.adjacent(input),
            b'.' if input.starts(self.at, "...")? => self.ellipsis(input, 3),
            b'"' if object && !input.key_at(self.at)? && self.last == Last::Scalar => {
                // A quote after a number, that no string begins with.
                if matches!(input.sig(self.at + 1)?.byte, Some(b',' | b'}' | b']')) {
                    return self.pass(RepairKind::MissingStartQuote, Severity::Guess, self.at + 1);
                }
                self.missing_comma()
            }
            b if object && is_word_start(b) && !input.key_at(self.at)? => {
                let stop = input.find(self.at, |b| matches!(b, b'"' | b'}' | b']' | b',' | b'\n' | b':' | b'='))?;
                match stop {
                    Some(stop) if matches!(input.byte(stop)?, Some(b'}' | b']' | b',')) => {
                        self.pass(RepairKind::StrayText, Severity::Guess, stop)
                    }
                    _ => self.missing_comma(),
                }
            }
            _ => self.missing_comma(),
        }
    }

    /// Whether the last value was a string, with nothing but white space after it.
    fn is_after_text(&self, input: &Input<'_>) -> bool {
        let end = self.doc.sources.last().map_or(0, |source| source.1 as usize);
        self.last == Last::Text
            && self.at - end.min(self.at) <= crate::input::WINDOW
            && input.slice(end, self.at).chars().all(|c| c.is_ascii_whitespace() || is_special_space(c))
    }

    fn missing_comma(&mut self) -> Step {
        let at = self.at;
        self.commas = 1;
        self.comma_at = at;
        self.expect = match self.top_shape() {
            Some(Shape::Object) => Expect::Key,
            Some(Shape::Group) | None => return self.refuse(),
            _ => Expect::Item,
        };
        self.pass(RepairKind::MissingComma, Severity::Lossless, at)
    }

    /// `["a": 1]`: the string was a key, and an object is around it.
    fn member_without_brace(&mut self) -> Flow {
        let Some(last) = self.doc.node_count().checked_sub(1) else { return Flow::Go };
        let Some(key) = self.doc.slot_at(last).copied() else { return Flow::Go };
        let gone = (self.doc.gone.text, self.doc.gone.slots);
        let source = self.doc.sources.get(last - gone.1).copied().unwrap_or_default();
        let repair =
            crate::Repair::new(RepairKind::MissingOpenBrace, Severity::Guess, (source.0, source.0), last as u32);
        self.record(repair);
        if self.blocked.is_some() {
            return Flow::Go;
        }
        let start = key.start as usize;
        let (from, to) = (key.start + 1, key.end + 1);
        self.out().insert(start - gone.0, '{');
        let object = crate::document::Slot {
            start: key.start,
            end: 0,
            next: 0,
            kind: crate::Kind::Object,
            escaped: false,
            open: true,
        };
        self.doc.slots.insert(last - gone.1, object);
        self.doc.sources.insert(last - gone.1, source);
        if let Some(slot) = self.doc.slot_mut(last + 1) {
            (slot.start, slot.end, slot.next) = (from, to, last as u32 + 2);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.items -= 1;
        }
        self.key = super::Mark { text: start + 1, slots: last + 1, source: source.0 as usize };
        self.frames.push(Frame { implied: true, ..Frame::new(Shape::Object, last as u32) });
        self.expect = Expect::Colon;
        Flow::Go
    }

    /// The root has ended; members that follow it belong to it.
    pub(super) fn after_root(&mut self, input: &Input<'_>) -> Step {
        let root = self.doc.slot_at(0).map(|s| s.kind);
        if let Some(kind @ (crate::Kind::Object | crate::Kind::Array)) = root
            && crate::outside::continues(input, self.at, kind)?
        {
            let next = input.sig(self.at)?;
            let shape = if kind == crate::Kind::Object { Shape::Object } else { Shape::Array };
            return Ok(self.reopen_root(next.at, shape));
        }
        if root == Some(crate::Kind::String) && self.last == Last::Text {
            let next = input.sig(self.at)?;
            match next.byte {
                Some(b':') => {
                    self.at = next.at;
                    return Ok(self.member_without_brace_at_root());
                }
                Some(b'+') if matches!(input.sig(next.at + 1)?.byte, Some(b'"' | b'\'')) => {
                    self.at = next.at;
                    return self.concat(input);
                }
                _ => {}
            }
        }
        Ok(Flow::Done)
    }

    fn member_without_brace_at_root(&mut self) -> Flow {
        self.frames.push(Frame { items: 1, implied: true, ..Frame::new(Shape::Group, 0) });
        self.member_without_brace()
    }

    fn reopen_root(&mut self, comma: usize, shape: Shape) -> Flow {
        let from = self.at.saturating_sub(1);
        self.repair(RepairKind::ExtraCloser, Severity::Guess, from, self.at);
        if self.blocked.is_some() {
            return Flow::Go;
        }
        self.out().pop();
        let Some(slot) = self.doc.slot_mut(0) else { return Flow::Done };
        slot.open = true;
        let items = u32::from(self.doc.node_count() > 1);
        self.frames.push(Frame { items, ..Frame::new(shape, 0) });
        self.at = comma;
        self.expect = Expect::Next;
        Flow::Go
    }

    pub(super) fn role(&self) -> Role {
        match self.expect {
            _ if self.frames.is_empty() => Role::Root,
            Expect::Key => Role::Key,
            Expect::Value => Role::Member,
            _ => Role::Item,
        }
    }

    pub(super) fn cut_short(&self) -> Stop {
        Stop::Error(Error::new(ErrorKind::UnexpectedEnd, self.at))
    }
}
