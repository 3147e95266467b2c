//! What stands between tokens: white space that JSON does not have, comments.

use crate::input::{Input, Look, Wait, is_special_space};
use crate::repair::{RepairKind, Severity};

use super::{Expect, Flow, Machine, Shape, Step};

/// A comment that is being passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skip {
    start: usize,
    /// What ends it; a line end if empty.
    until: &'static str,
}

impl Machine {
    /// Whether something to leave out stands here; it is then left out, or begun to be.
    pub(super) fn skips(&mut self, input: &Input<'_>, byte: u8) -> Look<bool> {
        let at = self.at;
        let (until, body) = match byte {
            b'/' => match input.byte(at + 1)? {
                Some(b'/') => ("", 2),
                Some(b'*') => ("*/", 2),
                _ => return Ok(false),
            },
            b'#' => {
                let value = matches!(self.expect, Expect::Value | Expect::Item);
                let next = input.byte(at + 1)?;
                if value && next.is_some_and(|b| b.is_ascii_alphanumeric()) && self.top_shape() == Some(Shape::Object) {
                    return Ok(false);
                }
                ("", 1)
            }
            b'<' if input.starts(at, "<!--")? => ("-->", 4),
            b'\\' => return self.skips_escaped_space(input),
            0x80.. => {
                let Some(c) = input.char(at)? else { return Ok(false) };
                if !is_special_space(c) {
                    return Ok(false);
                }
                self.at += c.len_utf8();
                self.repair(RepairKind::SpecialWhitespace, Severity::Lossless, at, self.at);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.skip = Some(Skip { start: at, until });
        self.at += body;
        Ok(true)
    }

    /// `\n` written out between tokens, in JSON whose quotes are escaped too.
    fn skips_escaped_space(&mut self, input: &Input<'_>) -> Look<bool> {
        let at = self.at;
        if !matches!(input.byte(at + 1)?, Some(b'n' | b't' | b'r')) {
            return Ok(false);
        }
        self.at += 2;
        self.repair(RepairKind::EscapedJson, Severity::Guess, at, self.at);
        Ok(true)
    }

    pub(super) fn skip_step(&mut self, input: &Input<'_>) -> Step {
        let Some(Skip { start, until }) = self.skip else { return Ok(Flow::Go) };
        let rest = input.bytes().get(self.at..).unwrap_or_default();
        if until.is_empty() {
            let Some(step) = memchr::memchr(b'\n', rest) else {
                return self.unended(input, start, until);
            };
            input.step(step);
            self.at += step;
            let body = input.slice(start, self.at);
            // A value that is all on one line, but for the fence around it.
            let tail = input.sig(self.at)?;
            if (tail.end || tail.byte == Some(b'`')) && body.contains(['}', ']']) && !self.frames.is_empty() {
                self.swallowed = true;
            }
        } else {
            match memchr::memmem::find(rest, until.as_bytes()) {
                Some(step) => {
                    input.step(step);
                    self.at += step + until.len();
                }
                None => return self.unended(input, start, until),
            }
        }
        self.skip = None;
        self.leave_out(input, start);
        Ok(Flow::Go)
    }

    fn leave_out(&mut self, input: &Input<'_>, start: usize) {
        let body = input.slice(start, self.at).trim_start_matches(['/', '*', '#', '<', '!', '-', ' ', '\t']);
        let (kind, severity) = if body.starts_with("...") || body.starts_with('…') {
            (RepairKind::Ellipsis, Severity::Lossy)
        } else if self.swallowed {
            (RepairKind::Comment, Severity::Guess)
        } else {
            (RepairKind::Comment, Severity::Lossless)
        };
        self.repair(kind, severity, start, self.at);
    }

    fn unended(&mut self, input: &Input<'_>, start: usize, until: &str) -> Step {
        input.step(input.len() - self.at);
        if !input.eof {
            // What may be the first half of the end is looked at again.
            let mut back = input.len().saturating_sub(until.len().saturating_sub(1)).max(self.at);
            while !input.text.is_char_boundary(back) {
                back -= 1;
            }
            self.at = back.max(self.at);
            return Err(Wait.into());
        }
        self.at = input.len();
        self.skip = None;
        let body = input.slice(start, self.at);
        if until.is_empty() && body.contains(['}', ']']) && !self.frames.is_empty() {
            self.swallowed = true;
        }
        self.leave_out(input, start);
        Ok(Flow::Go)
    }
}
