//! Closing brackets, right and wrong, and the end of the text.

use crate::document::Kind;
use crate::input::{Input, Look};
use crate::repair::{RepairKind, Severity};

use super::{Expect, Flow, Frame, Last, Machine, Shape, Step};

impl Machine {
    const fn matches(shape: Shape, byte: u8) -> bool {
        matches!(
            (shape, byte),
            (Shape::Object | Shape::Set, b'}') | (Shape::Array, b']') | (Shape::Tuple | Shape::Group, b')')
        )
    }

    pub(super) fn closer(&mut self, input: &Input<'_>, byte: u8) -> Step {
        let at = self.at;
        let Some(top) = self.top().copied() else { return Ok(Flow::Done) };
        if top.shape == Shape::Group && top.items == 0 && !top.implied {
            return self.refuse();
        }
        if Self::matches(top.shape, byte) {
            if top.extra > 0 {
                // The text closes it twice, as it opened it; or once, where the first was the stray one.
                let next = input.sig(at + 1)?;
                if next.byte == Some(b'}') {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.extra -= 1;
                    }
                    return self.pass(RepairKind::ExtraCloser, Severity::Lossless, at + 1);
                }
            }
            self.note_trailing_comma();
            self.nested |= self.is_nest(&top);
            self.end_matched(at + 1);
            self.at += 1;
            return Ok(Flow::Go);
        }
        let ancestor = self.frames.iter().rposition(|f| Self::matches(f.shape, byte));
        match ancestor {
            Some(index) if self.fits_after(input, index)? => {
                self.note_trailing_comma();
                while self.frames.len() > index + 1 {
                    let implied = self.top().is_some_and(|f| f.implied);
                    if !implied {
                        self.missing_closer(at);
                    }
                    self.end_frame(at);
                }
                self.end_matched(at + 1);
                self.at += 1;
                Ok(Flow::Go)
            }
            Some(_) if matches!(input.sig(at + 1)?.byte, Some(b'}' | b']')) => {
                self.pass(RepairKind::ExtraCloser, Severity::Guess, at + 1)
            }
            _ if self.is_extra(input, byte)? => self.pass(RepairKind::ExtraCloser, Severity::Guess, at + 1),
            _ => {
                self.note_trailing_comma();
                let implied = top.implied;
                if implied {
                    self.end_frame(at + 1);
                    return if self.frames.is_empty() || byte == b'}' {
                        self.at += 1;
                        Ok(Flow::Go)
                    } else {
                        self.closer(input, byte)
                    };
                }
                let severity = self.bracket_severity(RepairKind::MismatchedCloser);
                self.repair(RepairKind::MismatchedCloser, severity, at, at + 1);
                self.end_frame(at + 1);
                self.at += 1;
                Ok(Flow::Go)
            }
        }
    }

    /// How safe another repair of a bracket is: two kinds of them in one value have other readings, with one.
    fn bracket_severity(&self, kind: RepairKind) -> Severity {
        if self.kinds & BRACKETS & !(1 << kind as u32) != 0 { Severity::Guess } else { Severity::Lossless }
    }

    /// The bracket of the innermost container is missing: this is the last place where it can stand, and the only one
    /// unless a part of what is in the container could as well be outside of it.
    pub(super) fn missing_closer(&mut self, at: usize) {
        let severity = if self.top().is_some_and(|top| self.is_loose(top)) {
            Severity::Guess
        } else {
            self.bracket_severity(RepairKind::MissingCloser)
        };
        self.repair(RepairKind::MissingCloser, severity, at, at);
    }

    fn is_loose(&self, frame: &Frame) -> bool {
        frame.loose || frame.shape == Shape::Array && (self.nested || self.is_nest(frame))
    }

    /// `[[1]]`: without its end, there is a bracket too many or one too few.
    fn is_nest(&self, frame: &Frame) -> bool {
        let first = self.doc.slot_at(frame.slot as usize + 1);
        frame.shape == Shape::Array && frame.items == 1 && first.is_some_and(|first| first.kind == Kind::Array)
    }

    fn note_trailing_comma(&mut self) {
        if self.commas > 0 && matches!(self.expect, Expect::Key | Expect::Item) {
            let from = self.comma_at;
            self.repair(RepairKind::TrailingComma, Severity::Lossless, from, from + 1);
        }
        self.commas = 0;
    }

    /// Whether what follows the bracket can follow the container at `index` of the stack.
    fn fits_after(&self, input: &Input<'_>, index: usize) -> Look<bool> {
        let next = input.sig(self.at + 1)?;
        if let Some(closer @ (b'}' | b']')) = next.byte {
            // The bracket after it has to close something too, unless it would anyway be one too many.
            let outer = self.frames.get(..index).unwrap_or_default();
            let closes = |f: &super::Frame| Self::matches(f.shape, closer);
            return Ok(outer.iter().any(closes) || !self.top().is_some_and(closes));
        }
        if next.byte != Some(b',') {
            return Ok(true);
        }
        let item = input.sig(next.at + 1)?;
        let Some(byte) = item.byte else { return Ok(true) };
        let parent = index.checked_sub(1).and_then(|i| self.frames.get(i)).map(|f| f.shape);
        Ok(match parent {
            Some(Shape::Object) => byte == b'}' || input.key_at(item.at)?,
            Some(shape) if shape.is_list() => !input.key_at(item.at)?,
            Some(_) => true,
            // Nothing but another root can follow the root.
            None => {
                let more = matches!(byte, b'{' | b'[')
                    || crate::outside::item_follows(input, item.at)?
                    || (byte == b'"' && input.quoted_key_at(item.at, b'"')?);
                !more || self.frames.iter().skip(1).all(|f| f.implied)
            }
        })
    }

    /// Whether a bracket that closes nothing is best left out.
    fn is_extra(&self, input: &Input<'_>, byte: u8) -> Look<bool> {
        if byte == b')' {
            return Ok(false);
        }
        let next = input.sig(self.at + 1)?;
        if next.byte != Some(b',') {
            return Ok(false);
        }
        let item = input.sig(next.at + 1)?;
        let Some(first) = item.byte else { return Ok(false) };
        Ok(match self.top_shape() {
            Some(Shape::Object) => input.key_at(item.at)?,
            // `{"a": [1}, "b": 2}`: it closes the list, if a member of the object around it follows.
            Some(shape) if shape.is_list() => {
                let member = self.outer_shape() == Some(Shape::Object) && input.key_at(item.at)?;
                !matches!(first, b']' | b'}' | b')') && !member
            }
            _ => false,
        })
    }

    /// The text ends, or a fence around the value does.
    pub(super) fn end(&mut self, marked: bool) -> Flow {
        let at = self.at;
        let mut whole = marked || self.swallowed;
        match self.expect {
            Expect::Colon | Expect::Value if self.in_object() => {
                let from = self.key.source;
                self.drop_key();
                if whole {
                    self.repair(RepairKind::DanglingKey, Severity::Lossy, from, at);
                } else {
                    self.repair(RepairKind::TruncatedKey, Severity::Partial, from, at);
                    self.truncated = true;
                }
            }
            Expect::Next => whole |= self.last == Last::Container || self.top().is_some_and(|f| f.implied),
            _ => {}
        }
        if whole {
            self.note_trailing_comma();
        }
        if !self.frames.is_empty() {
            let implied = self.frames.iter().all(|f| f.implied);
            if whole {
                if !implied {
                    let loose = self.frames.iter().any(|frame| self.is_loose(frame));
                    let severity =
                        if loose { Severity::Guess } else { self.bracket_severity(RepairKind::MissingCloser) };
                    self.repair(RepairKind::MissingCloser, severity, at, at);
                }
            } else {
                self.repair(RepairKind::Truncated, Severity::Partial, at, at);
                self.truncated = true;
            }
        }
        self.close_all(at);
        Flow::Done
    }

    pub(super) fn close_all(&mut self, at: usize) {
        while !self.frames.is_empty() {
            self.end_frame(at);
        }
        self.expect = Expect::After;
    }
}

/// The repairs which say that brackets were not as they should be, a bit each.
const BRACKETS: u64 = (1 << RepairKind::MissingCloser as u32)
    | (1 << RepairKind::MismatchedCloser as u32)
    | (1 << RepairKind::ExtraCloser as u32);
