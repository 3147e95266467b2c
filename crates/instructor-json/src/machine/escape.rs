//! Escapes inside strings, JSON's and others.

use crate::input::Input;
use crate::repair::{RepairKind, Severity};

use super::string::{Quote, Text};
use super::{Flow, Machine, Step};

impl Machine {
    /// At a backslash inside a string.
    pub(super) fn escape(&mut self, input: &Input<'_>, text: Text) -> Step {
        let at = self.at;
        let slot = text.slot;
        if text.quote == Quote::Escaped {
            return self.doubly_escaped(input, text);
        }
        let Some(c) = input.char(at + 1)? else {
            // The text ends with it.
            self.at = input.len();
            return Ok(Flow::Go);
        };
        match c {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
                self.out().push_str(input.slice(at, at + 2));
                self.mark_escaped(slot);
                self.at += 2;
                Ok(Flow::Go)
            }
            'u' => self.unicode(input, slot),
            'x' => {
                let (high, low) = (input.byte(at + 2)?, input.byte(at + 3)?);
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => {
                        let c = char::from_u32(high * 16 + low).unwrap_or(char::REPLACEMENT_CHARACTER);
                        self.repair(RepairKind::InvalidEscape, Severity::Lossless, at, at + 4);
                        self.write_char(slot, c);
                        self.at += 4;
                        Ok(Flow::Go)
                    }
                    _ => self.literal_backslash(slot),
                }
            }
            '\n' => self.leave_out_escape(at + 2),
            '\r' => {
                let more = input.byte(at + 2)? == Some(b'\n');
                self.leave_out_escape(at + 2 + usize::from(more))
            }
            '\'' | '`' | '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' => {
                self.repair(RepairKind::InvalidEscape, Severity::Lossless, at, at + 1 + c.len_utf8());
                self.write_char(slot, c);
                self.at += 1 + c.len_utf8();
                Ok(Flow::Go)
            }
            _ => self.literal_backslash(slot),
        }
    }

    /// A line that goes on, as JSON5 has it.
    fn leave_out_escape(&mut self, to: usize) -> Step {
        self.pass(RepairKind::InvalidEscape, Severity::Lossless, to)
    }

    /// A backslash that was meant as one, as in `C:\dir`.
    fn literal_backslash(&mut self, slot: u32) -> Step {
        let at = self.at;
        self.write_char(slot, '\\');
        self.pass(RepairKind::InvalidEscape, Severity::Guess, at + 1)
    }

    fn unicode(&mut self, input: &Input<'_>, slot: u32) -> Step {
        let at = self.at;
        let high = match hex4(input, at + 2)? {
            Hex::Code(code) => code,
            Hex::Invalid => return self.literal_backslash(slot),
            Hex::End => {
                self.at = input.len();
                return Ok(Flow::Go);
            }
        };
        if !(0xD800..0xE000).contains(&high) {
            self.out().push_str(input.slice(at, at + 6));
            self.mark_escaped(slot);
            self.at += 6;
            return Ok(Flow::Go);
        }
        if high < 0xDC00 {
            let rest = input.bytes().get(at + 6..).unwrap_or_default();
            if input.eof && (rest.is_empty() || rest == b"\\") {
                self.at = input.len();
                return Ok(Flow::Go);
            }
            if input.starts(at + 6, "\\u")? {
                match hex4(input, at + 8)? {
                    Hex::Code(low) if (0xDC00..0xE000).contains(&low) => {
                        self.out().push_str(input.slice(at, at + 12));
                        self.mark_escaped(slot);
                        self.at += 12;
                        return Ok(Flow::Go);
                    }
                    Hex::End => {
                        self.at = input.len();
                        return Ok(Flow::Go);
                    }
                    _ => {}
                }
            }
        }
        self.write_char(slot, char::REPLACEMENT_CHARACTER);
        self.pass(RepairKind::LoneSurrogate, Severity::Lossy, at + 6)
    }

    /// Inside `\"..\"`: the closing quote, or an escape with one backslash more.
    fn doubly_escaped(&mut self, input: &Input<'_>, text: Text) -> Step {
        let at = self.at;
        let Some(next) = input.byte(at + 1)? else {
            self.at = input.len();
            return Ok(Flow::Go);
        };
        match next {
            b'"' => {
                self.at += 2;
                self.close_text(text);
                Ok(Flow::Go)
            }
            b'\\' => {
                let mut after = at + 2;
                if input.byte(after)? == Some(b'\\') && input.byte(after + 1)? == Some(b'"') {
                    after += 1;
                }
                match input.byte(after)? {
                    Some(b @ (b'"' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => {
                        self.out().push('\\');
                        self.out().push(char::from(b));
                        self.at = after + 1;
                    }
                    _ => {
                        self.out().push_str("\\\\");
                        self.at += 2;
                    }
                }
                self.mark_escaped(text.slot);
                Ok(Flow::Go)
            }
            b'n' | b't' | b'r' | b'/' | b'b' | b'f' => {
                self.out().push_str(input.slice(at, at + 2));
                self.mark_escaped(text.slot);
                self.at += 2;
                Ok(Flow::Go)
            }
            _ => self.literal_backslash(text.slot),
        }
    }
}

enum Hex {
    Code(u32),
    Invalid,
    End,
}

fn hex4(input: &Input<'_>, from: usize) -> crate::input::Look<Hex> {
    let mut code = 0;
    for at in from..from + 4 {
        match input.byte(at)? {
            Some(b) => match char::from(b).to_digit(16) {
                Some(digit) => code = code * 16 + digit,
                None => return Ok(Hex::Invalid),
            },
            None => return Ok(Hex::End),
        }
    }
    Ok(Hex::Code(code))
}
