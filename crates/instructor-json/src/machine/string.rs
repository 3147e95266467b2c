//! Strings in any kind of quotes, read as they arrive.

use crate::input::{Input, Look};
use crate::parse;
use crate::repair::{Level, RepairKind, Severity};

use super::judge::Verdict;
use super::{Expect, Flow, Last, Machine, Shape, Step};

/// The kind of quotes around a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Quote {
    Double,
    Single,
    Backtick,
    SmartDouble,
    SmartSingle,
    Triple(u8),
    Doubled(u8),
    /// `\"`
    Escaped,
}

/// Where a string stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Key,
    Member,
    Item,
    Root,
}

/// A string that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(super) quote: Quote,
    pub(super) role: Role,
    pub(super) slot: u32,
    /// Where its characters begin in the source.
    pub(super) body: usize,
    /// Quotes inside it that did not close it.
    pub(super) inner: u32,
    /// A raw control character has been reported.
    control: bool,
}

impl Text {
    /// Whether it may turn out to be a key of an object that has no brace.
    pub(super) const fn is_uncertain(&self) -> bool {
        matches!(self.role, Role::Item | Role::Root)
    }
}

impl Machine {
    /// The opening quote at the current position, if one stands there.
    pub(super) fn quote_at(&self, input: &Input<'_>) -> Look<Option<Quote>> {
        let at = self.at;
        Ok(match input.byte(at)? {
            Some(b'"') => Some(Quote::Double),
            Some(b'\'') => Some(Quote::Single),
            Some(b'`') => Some(Quote::Backtick),
            Some(0x80..) => match input.char(at)? {
                Some('“' | '”' | '„' | '‟' | '«' | '»') => Some(Quote::SmartDouble),
                Some('‘' | '’' | '‚' | '‛') => Some(Quote::SmartSingle),
                Some('´') => Some(Quote::Backtick),
                _ => None,
            },
            _ => None,
        })
    }

    /// Begins a string. `len` is that of the quote, if it is not to be found out.
    pub(super) fn open_text(&mut self, input: &Input<'_>, quote: Quote, len: usize) -> Step {
        let at = self.at;
        let len = match quote {
            _ if len > 0 => len,
            _ => input.char(at)?.map_or(1, char::len_utf8),
        };
        let role = self.role();
        let slot = if role == Role::Key { self.begin_key_text(at) } else { self.begin_text(at) };
        self.at += len;
        let kind = match quote {
            Quote::Double | Quote::Triple(_) | Quote::Doubled(_) => None,
            Quote::Single => Some((RepairKind::SingleQuoted, Severity::Lossless)),
            Quote::Backtick => Some((RepairKind::BacktickQuoted, Severity::Lossless)),
            Quote::SmartDouble | Quote::SmartSingle => Some((RepairKind::SmartQuotes, Severity::Lossless)),
            Quote::Escaped => Some((RepairKind::EscapedJson, Severity::Guess)),
        };
        if let Some((kind, severity)) = kind {
            self.repair(kind, severity, at, self.at);
        }
        let text = Text { quote, role, slot, body: self.at, inner: 0, control: false };
        self.expect = Expect::Text(text);
        Ok(Flow::Go)
    }

    pub(super) fn text_step(&mut self, input: &Input<'_>) -> Step {
        let Expect::Text(text) = self.expect else { return Ok(Flow::Go) };
        let bytes = input.bytes();
        let from = self.at;
        // Only as far as this string goes: a text without double quotes is not searched to its end for each of its strings.
        let to = match text.quote {
            Quote::Double | Quote::Escaped | Quote::Triple(b'"') | Quote::Doubled(b'"') => parse::plain(bytes, from),
            Quote::Single | Quote::Triple(_) | Quote::Doubled(_) => parse::plain_until(bytes, from, b'\''),
            Quote::Backtick => parse::plain_until_any(bytes, from, [b'`', 0xC2, b'`']),
            Quote::SmartDouble | Quote::SmartSingle => parse::plain_until_any(bytes, from, [0xE2, 0xC2, b'\'']),
        };
        input.step(to - from);
        if to > from {
            self.out().push_str(input.slice(from, to));
            self.at = to;
        }
        let Some(c) = input.char(to)? else { return self.text_end(input, text) };
        match c {
            '\\' => self.escape(input, text),
            c if c < ' ' => {
                self.write_char(text.slot, c);
                self.at += 1;
                if !text.control {
                    if !matches!(text.quote, Quote::Triple(_)) {
                        self.repair(RepairKind::RawControlChar, Severity::Lossless, to, to + 1);
                    }
                    self.with_text(|text| text.control = true);
                }
                Ok(Flow::Go)
            }
            c if to == text.body && self.widens(input, c)? => Ok(Flow::Go),
            c => match self.judge(input, text, c)? {
                Verdict::Inner => {
                    self.write_char(text.slot, c);
                    self.at += c.len_utf8();
                    if matches!(c, '"') && matches!(text.quote, Quote::Double | Quote::Doubled(b'"'))
                        || matches!(c, '\'') && matches!(text.quote, Quote::Single | Quote::Doubled(b'\''))
                        || matches!(c, '`') && text.quote == Quote::Backtick
                    {
                        self.repair(RepairKind::UnescapedQuote, Severity::Guess, to, self.at);
                        self.quoted_root |= text.role == Role::Root;
                        self.with_text(|text| text.inner += 1);
                    }
                    Ok(Flow::Go)
                }
                Verdict::Plain => {
                    self.write_char(text.slot, c);
                    self.at += c.len_utf8();
                    Ok(Flow::Go)
                }
                Verdict::Close(len) => {
                    self.at += len;
                    self.close_text(text);
                    Ok(Flow::Go)
                }
                Verdict::Cut { at, drop } => {
                    self.cut_text(text, at, drop);
                    Ok(Flow::Go)
                }
            },
        }
    }

    /// At a quote with which a string would end where it began: whether it belongs to the opening quote.
    fn widens(&mut self, input: &Input<'_>, c: char) -> Look<bool> {
        let at = self.at;
        let Expect::Text(text) = self.expect else { return Ok(false) };
        let byte = match (text.quote, c) {
            (Quote::Double, '"') => b'"',
            (Quote::Single, '\'') => b'\'',
            _ => return Ok(false),
        };
        let (quote, kind, more) = match input.byte(at + 1)? {
            Some(b) if b == byte => (Quote::Triple(byte), RepairKind::TripleQuoted, 2),
            Some(b) if b.is_ascii_alphanumeric() || b >= 0x80 || b"_$(#<".contains(&b) => {
                (Quote::Doubled(byte), RepairKind::DoubledQuote, 1)
            }
            _ => return Ok(false),
        };
        let mut severity = Severity::Lossless;
        if more == 1 {
            // It has to end as it began.
            let Some(end) = input.closing(at + 1, byte)? else { return Ok(false) };
            let then = input.sig(end + 2)?;
            if input.byte(end + 1)? != Some(byte) || !matches!(then.byte, None | Some(b',' | b':' | b'}' | b']')) {
                return Ok(false);
            }
            self.doubled |= text.role == Role::Key;
            if !self.doubled {
                severity = Severity::Guess;
            }
        }
        self.at += more;
        self.repair(kind, severity, at - 1, self.at);
        self.with_text(|text| {
            text.quote = quote;
            text.body = at + more;
        });
        Ok(true)
    }

    fn with_text(&mut self, change: impl FnOnce(&mut Text)) {
        if let Expect::Text(text) = &mut self.expect {
            change(text);
        }
    }

    /// Ends the string at an earlier place, where its closing quote is missing.
    pub(super) fn cut_text(&mut self, text: Text, at: usize, drop: usize) {
        let to = self.at;
        self.at = at;
        // A line end after the string is none inside it.
        while self.repairs.last().is_some_and(|r| r.kind() == RepairKind::RawControlChar && r.span().start >= at) {
            self.repairs.pop();
        }
        self.repair(RepairKind::MissingEndQuote, Severity::Guess, at, at);
        if self.blocked.is_some() {
            self.at = to;
            return;
        }
        let len = self.doc.text.len().saturating_sub(drop);
        self.out().truncate(len);
        self.close_text(text);
    }

    pub(super) fn close_text(&mut self, text: Text) {
        self.out().push('"');
        self.close_slot(text.slot, self.at);
        if text.role == Role::Key {
            self.expect = Expect::Colon;
        } else {
            // What closes without a look ahead has been told of as complete: nothing may join it later.
            let looked = !matches!(text.quote, Quote::Triple(_) | Quote::Doubled(_) | Quote::Escaped);
            self.value_done(if looked { Last::Text } else { Last::Scalar });
        }
    }

    /// The text ends inside a string.
    fn text_end(&mut self, input: &Input<'_>, text: Text) -> Step {
        let at = self.at;
        if let Some((cut, drop)) = self.closers_at_end(input, text)
            && self.options().level() >= Level::Lenient
        {
            self.cut_text(text, cut, drop);
            return Ok(Flow::Go);
        }
        if text.role == Role::Key
            && self.options().level() >= Level::Lenient
            && input.text.trim_end().ends_with(['}', ']'])
            && let Some(Verdict::Cut { at, drop }) = super::gap::key_end(input, text, at)
        {
            self.cut_text(text, at, drop);
            return Ok(Flow::Go);
        }
        self.truncated = true;
        if text.role == Role::Key {
            self.drop_key();
            self.repair(RepairKind::TruncatedKey, Severity::Partial, self.key.source, at);
        } else {
            self.out().push('"');
            self.close_slot(text.slot, at);
            self.repair(RepairKind::TruncatedString, Severity::Partial, at, at);
            self.value_done(Last::Text);
        }
        self.close_all(at);
        Ok(Flow::Done)
    }

    /// Where the brackets begin with which an unclosed string ends, if they close what is open; and how much of the
    /// written string they are.
    fn closers_at_end(&self, input: &Input<'_>, text: Text) -> Option<(usize, usize)> {
        // No further back than what a view holds back.
        const FAR: usize = 64;
        let body = input.slice(text.body, input.len());
        let space = [' ', '\n', '\r', '\t'];
        let mut rest = body.trim_end_matches(space);
        if let Some(before) = rest.strip_suffix("```") {
            rest = before.trim_end_matches(space);
        }
        let mut kept = None;
        for frame in self.frames.iter().filter(|f| f.shape != Shape::Group) {
            let bracket = if frame.shape == Shape::Object { '}' } else { ']' };
            match rest.strip_suffix(bracket) {
                Some(shorter) if body.len() - shorter.len() <= FAR => {
                    rest = shorter.trim_end_matches(space);
                    kept = Some(rest);
                }
                _ => break,
            }
        }
        let kept = kept?;
        if text.role == Role::Key {
            return None;
        }
        if body.len() - kept.len() > FAR {
            return None;
        }
        let kept = match bare_member(kept) {
            Some(comma) if text.role == Role::Member => kept.get(..comma)?,
            _ => kept,
        };
        let cut = text.body + kept.len();
        Some((cut, super::gap::written(input, cut, input.len())))
    }

    /// `"x" + "y"`: goes on with the string before.
    pub(super) fn concat(&mut self, input: &Input<'_>) -> Step {
        let next = input.sig(self.at + 1)?;
        let plus = self.at;
        if !matches!(next.byte, Some(b'"' | b'\'')) {
            if matches!(next.byte, Some(b'/')) || next.byte.is_none() {
                return self.pass(RepairKind::StringConcat, Severity::Lossless, plus + 1);
            }
            return self.refuse();
        }
        self.repair(RepairKind::StringConcat, Severity::Lossless, plus, next.at);
        self.at = next.at;
        self.join(input)
    }

    /// `"x" "y"` as the value of a key.
    pub(super) fn adjacent(&mut self, input: &Input<'_>) -> Step {
        self.repair(RepairKind::StringConcat, Severity::Guess, self.at, self.at);
        self.join(input)
    }

    fn join(&mut self, input: &Input<'_>) -> Step {
        if self.blocked.is_some() {
            return Ok(Flow::Go);
        }
        let quote = match input.byte(self.at)? {
            Some(b'\'') => Quote::Single,
            _ => Quote::Double,
        };
        let Some(slot) = self.doc.node_count().checked_sub(1) else { return Err(self.cut_short()) };
        self.out().pop();
        if let Some(slot) = self.doc.slot_mut(slot) {
            slot.open = true;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.items = frame.items.saturating_sub(1);
        }
        self.at += 1;
        let role = match self.top_shape() {
            Some(Shape::Object) => Role::Member,
            Some(_) => Role::Item,
            None => Role::Root,
        };
        let text = Text { quote, role, slot: slot as u32, body: self.at, inner: 0, control: false };
        self.expect = Expect::Text(text);
        Ok(Flow::Go)
    }
}

/// The comma before a bare key near the end of a text, as in `first, b: true`.
pub(super) fn bare_member(text: &str) -> Option<usize> {
    const FAR: usize = 48;
    let bytes = text.as_bytes();
    // As far as the text is plain, so that a comma which is found from further on is found from here too.
    let plain = bytes.iter().rev().take(FAR).take_while(|&&b| b >= b' ' && b != b'"' && b != b'\\').count();
    let from = text.len() - plain;
    let tail = bytes.get(from..)?;
    tail.iter().enumerate().filter(|&(_, &b)| b == b',').map(|(i, _)| i).find_map(|comma| {
        let rest = tail.get(comma + 1..)?;
        let word = rest.get(rest.iter().take_while(|&&b| b == b' ').count()..)?;
        let len = word.iter().take_while(|&&b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-').count();
        let starts = word.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        (starts && word.get(len) == Some(&b':') && word.get(len + 1) != Some(&b'/')).then_some(from + comma)
    })
}
