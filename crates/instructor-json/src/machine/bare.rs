//! Words without quotes: literals, numbers, keys and text.

use crate::document::Kind;
use crate::input::{Input, Look, WINDOW, is_special_space};
use crate::repair::{Repair, RepairKind, Severity};

use super::scalar::{Scalar, classify};
use super::{Expect, Flow, Frame, Last, Machine, Shape, Step};

/// Text without quotes that is being read; it gets its slot when it has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bare {
    pub(super) start: usize,
    /// Brackets open inside it.
    depth: u32,
    kind: RepairKind,
}

impl Machine {
    /// The end of a token that may be a literal or a number.
    fn token_end(&self, input: &Input<'_>) -> Look<Option<usize>> {
        let mut at = self.at;
        while at < self.at + WINDOW {
            match input.byte(at)? {
                None => return Ok(Some(at)),
                Some(
                    b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b']' | b'}' | b'{' | b'[' | b'(' | b')' | b'"' | b'\''
                    | b'`' | b';' | b'<' | b'\\',
                ) => return Ok(Some(at)),
                Some(b'/') if matches!(input.byte(at + 1)?, Some(b'/' | b'*')) => return Ok(Some(at)),
                Some(b) if b < 0x80 => at += 1,
                Some(_) => match input.char(at)? {
                    Some(c) if is_special_space(c) => return Ok(Some(at)),
                    Some(c) => at += c.len_utf8(),
                    None => return Ok(Some(at)),
                },
            }
        }
        Ok(None)
    }

    /// A value that begins without a quote or bracket.
    pub(super) fn word(&mut self, input: &Input<'_>) -> Step {
        let at = self.at;
        let Some(end) = self.token_end(input)? else { return Ok(self.begin_bare(RepairKind::UnquotedValue)) };
        let token = input.slice(at, end);
        let next = input.byte(end)?;
        if next.is_none() {
            return Ok(self.word_at_end(token, end));
        }
        // r"text", f'text'
        if matches!(next, Some(b'"' | b'\''))
            && token.len() <= 2
            && !token.is_empty()
            && token.bytes().all(|b| b"rRfFbBuU".contains(&b))
            && self.is_prefixed(input, end)?
        {
            return self.pass(RepairKind::PythonLiteral, Severity::Lossless, end);
        }
        if next == Some(b'(') && self.is_call(input, token, end)? {
            self.too_deep()?;
            let expect = if self.in_array() { Expect::Item } else { Expect::Value };
            self.frames.push(Frame::new(Shape::Group, 0));
            self.expect = expect;
            return self.pass(RepairKind::FunctionCall, Severity::Lossless, end + 1);
        }
        if let Some(scalar) = classify(token) {
            if let Some((number, to)) = self.thousands(input, token, end)? {
                self.emit(&number, to);
                return Ok(Flow::Go);
            }
            if self.ends_scalar(input, end)? {
                self.emit(&scalar, end);
                return Ok(Flow::Go);
            }
        }
        if token.is_empty() {
            // A character that begins nothing.
            return self.refuse();
        }
        let kind = if next == Some(b'(') { RepairKind::FunctionCall } else { RepairKind::UnquotedValue };
        Ok(self.begin_bare(kind))
    }

    /// Whether a whole string follows a prefix such as `r`.
    fn is_prefixed(&self, input: &Input<'_>, quote: usize) -> Look<bool> {
        let Some(byte) = input.byte(quote)? else { return Ok(false) };
        if matches!(input.sig(quote + 1)?.byte, Some(b',' | b']' | b'}') | None) {
            return Ok(false);
        }
        match input.closing(quote + 1, byte)? {
            Some(end) => Ok(matches!(input.sig(end + 1)?.byte, Some(b',' | b']' | b'}' | b':') | None)),
            None => Ok(true),
        }
    }

    fn emit(&mut self, scalar: &Scalar<'_>, to: usize) {
        let from = self.at;
        let start = self.doc.end();
        self.write_scalar(&scalar.text, scalar.kind, from, to);
        if let Some((kind, severity)) = scalar.repair {
            let node = self.doc.node_count().saturating_sub(1) as u32;
            let (start, end) = self.doc.slots.last().map_or((start as u32, start as u32), |s| (s.start, s.end));
            self.record(Repair::new(kind, severity, (from as u32, to as u32), node).with_after((start, end)));
        }
        self.at = to;
        self.value_done(Last::Scalar);
    }

    /// A token with which the text ends: a number may go on, and a literal may be a word.
    fn word_at_end(&mut self, token: &str, end: usize) -> Flow {
        let at = self.at;
        let scalar = classify(token);
        let bounded = self.frames.iter().all(|f| f.implied || f.shape == Shape::Group);
        let literal = scalar.as_ref().is_some_and(|s| matches!(s.kind, Kind::Bool | Kind::Null) && s.text == token);
        match scalar {
            Some(scalar) if bounded || literal => {
                self.emit(&scalar, end);
                return Flow::Go;
            }
            _ => {}
        }
        let number = token.starts_with(|c: char| c.is_ascii_digit() || "-+.".contains(c));
        let kind = if number { RepairKind::TruncatedNumber } else { RepairKind::TruncatedLiteral };
        self.note_more_than_value(token, at, end);
        self.give_up_value(kind, at, end)
    }

    /// What begins with a whole literal or number and goes on is a word, and no value that was cut.
    fn note_more_than_value(&mut self, text: &str, from: usize, to: usize) {
        let literal = begins_with_literal(text) && !matches!(text, "true" | "false" | "null");
        let first = text.split([' ', '\n', '\r', '\t', ',']).next().unwrap_or_default();
        if literal || (first.len() < text.len() && crate::input::is_json_number(first)) {
            self.repair(RepairKind::UnquotedValue, Severity::Guess, from, to);
        }
    }

    /// Leaves out a value that the text ends in.
    fn give_up_value(&mut self, kind: RepairKind, from: usize, to: usize) -> Flow {
        if self.in_object() {
            self.drop_key();
        }
        self.repair(kind, Severity::Partial, from, to);
        self.truncated = true;
        self.at = to;
        self.expect = Expect::Next;
        self.last = Last::Nothing;
        if self.frames.is_empty() {
            return Flow::Done;
        }
        self.close_all(to);
        Flow::Done
    }

    /// `ObjectId("x")`: a name, which nothing is that begins with a literal, and one scalar in parentheses.
    fn is_call(&self, input: &Input<'_>, token: &str, open: usize) -> Look<bool> {
        if begins_with_literal(token)
            || !token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            || !token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
        {
            return Ok(false);
        }
        let arg = input.sig(open + 1)?;
        let end = match arg.byte {
            Some(quote @ (b'"' | b'\'')) => input.closing(arg.at + 1, quote)?.map(|end| end + 1),
            Some(b'0'..=b'9' | b'-') => {
                input.find(arg.at + 1, |b| !(b.is_ascii_alphanumeric() || b == b'.' || b == b'-'))?
            }
            _ => None,
        };
        let Some(end) = end else { return Ok(false) };
        let close = input.sig(end)?;
        if close.byte != Some(b')') {
            return Ok(false);
        }
        let then = input.sig(close.at + 1)?;
        Ok(matches!(then.byte, None | Some(b',' | b'}' | b']' | b';' | b'/' | b'#')) || then.newline)
    }

    /// `12,345` as the value of a key.
    fn thousands(&self, input: &Input<'_>, token: &str, end: usize) -> Look<Option<(Scalar<'static>, usize)>> {
        let digits = token.strip_prefix('-').unwrap_or(token);
        if self.top_shape() != Some(Shape::Object)
            || !(1..=3).contains(&digits.len())
            || digits.starts_with('0')
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return Ok(None);
        }
        let mut at = end;
        let mut text = token.to_owned();
        while input.byte(at)? == Some(b',') && at < end + WINDOW {
            let mut group = at + 1;
            while group < at + 5 && input.byte(group)?.is_some_and(|b| b.is_ascii_digit()) {
                group += 1;
            }
            if group != at + 4 {
                break;
            }
            text.push_str(input.slice(at + 1, group));
            at = group;
        }
        if at == end {
            return Ok(None);
        }
        if input.byte(at)? == Some(b'.') && input.byte(at + 1)?.is_some_and(|b| b.is_ascii_digit()) {
            let Some(stop) = input.find(at + 1, |b| !b.is_ascii_digit())? else { return Ok(None) };
            text.push_str(input.slice(at, stop));
            at = stop;
        }
        let next = input.sig(at)?;
        if !matches!(next.byte, Some(b',' | b'}' | b']')) && !next.newline {
            return Ok(None);
        }
        let repair = Some((RepairKind::ThousandsSeparator, Severity::Guess));
        Ok(Some((Scalar { text: text.into(), kind: Kind::Number, repair }, at)))
    }

    /// Whether what follows a token leaves it a value by itself.
    fn ends_scalar(&self, input: &Input<'_>, end: usize) -> Look<bool> {
        if self.frames.is_empty() {
            return Ok(true);
        }
        let next = input.sig(end)?;
        let Some(byte) = next.byte else { return Ok(true) };
        if next.newline {
            return Ok(true);
        }
        Ok(match byte {
            b',' | b']' | b'}' | b'`' | b'#' => true,
            b')' => self.parenthesis_fits(input, next.at)?,
            b'<' => input.starts(next.at, "<!--")? || input.starts(next.at, "</")?,
            b'/' => matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')),
            b'.' | 0xE2 => input.starts(next.at, "...")? || input.char(next.at)? == Some('…'),
            b'"' | b'\'' => {
                if self.top_shape() == Some(Shape::Object) {
                    return input.key_at(next.at);
                }
                next.at > end || !matches!(input.sig(next.at + 1)?.byte, Some(b',' | b']') | None)
            }
            b'{' | b'[' => self.in_array() || self.outer_shape().is_some_and(Shape::is_list),
            b';' => true,
            _ if self.in_array() => input.plain_value_at(next.at)? || input.key_at(next.at)?,
            _ => {
                // A stray word, then a key.
                if input.key_at(next.at)? {
                    return Ok(true);
                }
                match input.find(next.at, |b| !crate::input::is_word(b))? {
                    Some(stop) => {
                        let quote = input.sig(stop)?;
                        quote.byte == Some(b'"') && stop > next.at && input.quoted_key_at(quote.at, b'"')?
                    }
                    None => false,
                }
            }
        })
    }

    /// `/a+b/`
    pub(super) fn regex(&mut self, input: &Input<'_>) -> Step {
        let Some(end) = input.closing(self.at + 1, b'/')? else {
            return Ok(self.begin_bare(RepairKind::UnquotedValue));
        };
        let Some(stop) = input.find(end + 1, |b| !b.is_ascii_alphabetic())? else {
            return Ok(self.begin_bare(RepairKind::UnquotedValue));
        };
        let next = input.sig(stop)?;
        if !matches!(next.byte, Some(b',' | b'}' | b']') | None) && !next.newline {
            return Ok(self.begin_bare(RepairKind::UnquotedValue));
        }
        let text = input.slice(self.at, stop);
        let repair = Some((RepairKind::RegexLiteral, Severity::Guess));
        self.emit(&Scalar { text: text.into(), kind: Kind::String, repair }, stop);
        Ok(Flow::Go)
    }

    fn begin_bare(&mut self, kind: RepairKind) -> Flow {
        self.expect = Expect::Bare(Bare { start: self.at, depth: 0, kind });
        Flow::Go
    }

    /// Reads on in text without quotes: nothing is written before its end is known.
    pub(super) fn bare_step(&mut self, input: &Input<'_>) -> Step {
        let Expect::Bare(mut bare) = self.expect else { return Ok(Flow::Go) };
        let object = self.top_shape() == Some(Shape::Object);
        let at = self.at;
        let Some(byte) = input.byte(at)? else {
            let number = bare.kind == RepairKind::UnquotedValue
                && self.frames.is_empty()
                && crate::input::is_json_number(input.slice(bare.start, at).trim_end());
            if number {
                self.end_bare(input, bare, at, bare.kind);
                return Ok(Flow::Go);
            }
            self.note_more_than_value(input.slice(bare.start, at), bare.start, at);
            return Ok(self.give_up_value(RepairKind::TruncatedLiteral, bare.start, at));
        };
        if byte == b'\\' && matches!(input.byte(at + 1)?, Some(b'"' | b'\\')) {
            self.at += 2;
            return Ok(Flow::Go);
        }
        let mut ends = None;
        let mut len = 1;
        match byte {
            b'{' | b'[' | b'(' => bare.depth += 1,
            b'}' | b']' | b')' if bare.depth > 0 => bare.depth -= 1,
            b'}' | b']' => ends = Some(at),
            b')' if matches!(self.top_shape(), Some(Shape::Tuple | Shape::Group)) => ends = Some(at),
            b',' if bare.depth == 0 => {
                let next = input.sig(at + 1)?;
                let key = !object
                    || next.newline
                    || matches!(next.byte, None | Some(b'}' | b']'))
                    || input.key_at(next.at)?
                    || (matches!(next.byte, Some(b'/')) && matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')));
                if key {
                    ends = Some(at);
                }
            }
            b';' if object && bare.depth == 0 => {
                let next = input.sig(at + 1)?;
                if input.key_at(next.at)? {
                    ends = Some(at);
                }
            }
            b'\n' => {
                let next = input.sig(at)?;
                let ended = !object
                    || matches!(next.byte, None | Some(b'}' | b']'))
                    || input.key_at(next.at)?
                    || input.starts(next.at, "```")?;
                if ended {
                    ends = Some(at);
                }
            }
            b'/' if at > bare.start && matches!(input.byte(at - 1)?, Some(b' ' | b'\t')) => {
                if matches!(input.byte(at + 1)?, Some(b'/' | b'*')) {
                    ends = Some(at);
                }
            }
            b'"' => {
                if object && input.quoted_key_at(at, b'"')? {
                    ends = Some(at);
                } else {
                    let next = input.sig(at + 1)?;
                    let closes = next.newline
                        || match next.byte {
                            None | Some(b'}' | b']') => true,
                            Some(b',') if object => {
                                let key = input.sig(next.at + 1)?;
                                key.newline
                                    || matches!(key.byte, None | Some(b'}' | b']' | b'"'))
                                    || input.key_at(key.at)?
                            }
                            Some(b',') => true,
                            _ => false,
                        };
                    if closes && bare.depth == 0 {
                        self.end_bare(input, bare, at, RepairKind::MissingStartQuote);
                        self.at = at + 1;
                        return Ok(Flow::Go);
                    }
                }
            }
            b'<' if input.starts(at, "</")? && bare.depth == 0 => ends = Some(at),
            b if b < 0x80 => {}
            _ => len = input.char(at)?.map_or(1, char::len_utf8),
        }
        if let Some(end) = ends {
            self.end_bare(input, bare, end, bare.kind);
            return Ok(Flow::Go);
        }
        self.at += len;
        self.expect = Expect::Bare(bare);
        Ok(Flow::Go)
    }

    fn end_bare(&mut self, input: &Input<'_>, bare: Bare, end: usize, kind: RepairKind) {
        let text = input.slice(bare.start, end).trim_end();
        self.at = bare.start;
        if kind == RepairKind::MissingStartQuote && text.contains('\\') {
            let unescaped = text.replace("\\\"", "\"").replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\");
            let scalar = Scalar { text: unescaped.into(), kind: Kind::String, repair: Some((kind, Severity::Guess)) };
            self.emit(&scalar, bare.start + text.len());
            self.at = end;
            return;
        }
        let known = if kind == RepairKind::UnquotedValue { classify(text) } else { None };
        let scalar = match known {
            Some(scalar) => scalar,
            None => Scalar { text: text.into(), kind: Kind::String, repair: Some((kind, Severity::Guess)) },
        };
        self.emit(&scalar, bare.start + text.len());
        // The white space after a root is not part of it.
        if !self.frames.is_empty() {
            self.at = end;
        }
    }

    /// A key without quotes.
    pub(super) fn bare_key(&mut self, input: &Input<'_>) -> Step {
        let at = self.at;
        let stop =
            input.find(at, |b| matches!(b, b':' | b'=' | b'{' | b'}' | b'[' | b']' | b',' | b'\n' | b'"' | b'\''))?;
        let Some(stop) = stop else {
            if input.eof && input.len() - at < WINDOW {
                self.repair(RepairKind::TruncatedKey, Severity::Partial, at, input.len());
                self.truncated = true;
                self.at = input.len();
                self.close_all(self.at);
                return Ok(Flow::Done);
            }
            return self.refuse();
        };
        let raw = input.slice(at, stop);
        let name = raw.trim_end();
        let byte = input.byte(stop)?;
        if matches!(byte, Some(b'"' | b'\'')) {
            let quote = byte.unwrap_or(b'"');
            if !name.is_empty() && input.sig(stop + 1)?.byte == Some(b':') && name.len() == raw.len() {
                self.write_key(name, stop + 1);
                self.repair(RepairKind::MissingStartQuote, Severity::Lossless, at, at);
                return Ok(Flow::Go);
            }
            if input.quoted_key_at(stop, quote)? {
                return self.pass(RepairKind::StrayText, Severity::Guess, stop);
            }
        }
        if name.is_empty() {
            return self.refuse();
        }
        // Only a name that a colon follows may have spaces; else the rest is its value.
        let name = match (byte, name.find([' ', '\t'])) {
            (Some(b':' | b'=') | None, _) | (_, None) => name,
            (_, Some(space)) => name.get(..space).unwrap_or_default(),
        };
        let is_word = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$' || c == '@' || c == '#');
        let value = matches!(classify(name), Some(Scalar { kind: Kind::Number | Kind::Bool | Kind::Null, .. }));
        let kind = if value || !is_word { RepairKind::NonStringKey } else { RepairKind::UnquotedKey };
        let to = at + name.len();
        self.write_key(name, to);
        self.repair(kind, Severity::Lossless, at, to);
        Ok(Flow::Go)
    }

    fn write_key(&mut self, name: &str, to: usize) {
        self.mark_key();
        let slot = self.open_slot(Kind::String, self.at);
        self.write_string(slot, name);
        self.close_slot(slot, to);
        self.at = to;
        self.expect = Expect::Colon;
    }
}

/// Whether a literal of JSON is the first that is read of a word: a view shows it as soon as it is there.
fn begins_with_literal(word: &str) -> bool {
    ["true", "false", "null"].iter().any(|literal| word.starts_with(literal))
}
