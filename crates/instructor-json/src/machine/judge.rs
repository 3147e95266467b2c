//! Whether a quote inside a string closes it.
//!
//! What follows the quote decides, within a bounded window: a string of valid JSON is always followed by what JSON
//! wants there, so the valid reading always wins. Where the evidence is weak, quotes that come in pairs are inner ones.

use crate::input::{Input, Look, Sig, WINDOW, is_word, is_word_start};

use super::string::{Quote, Role, Text};
use super::{Machine, Shape};

/// What a quote is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Not the kind of quote that could close the string.
    Plain,
    /// A quote that should have been escaped.
    Inner,
    /// The closing quote, so many bytes long.
    Close(usize),
    /// The string ended earlier, at `at` in the source; `drop` written bytes are not part of it.
    Cut { at: usize, drop: usize },
}

impl Machine {
    pub(super) fn judge(&self, input: &Input<'_>, text: Text, c: char) -> Look<Verdict> {
        let at = self.at;
        let closing = match text.quote {
            Quote::Double => c == '"',
            Quote::Single => c == '\'',
            Quote::Backtick => matches!(c, '`' | '´'),
            Quote::SmartDouble => matches!(c, '”' | '“' | '‟' | '»' | '"'),
            Quote::SmartSingle => matches!(c, '’' | '‘' | '‛' | '\''),
            Quote::Triple(quote) => {
                let quote = char::from(quote);
                let thrice = c == quote && input.starts(at, if quote == '"' { "\"\"\"" } else { "'''" })?;
                let more = thrice && input.char(at + 3)? == Some(quote);
                return Ok(if thrice && !more { Verdict::Close(3) } else { Verdict::Plain });
            }
            Quote::Doubled(quote) => {
                if c != char::from(quote) {
                    return Ok(Verdict::Plain);
                }
                if input.byte(at + 1)? == Some(quote) {
                    return Ok(Verdict::Close(2));
                }
                return Ok(if self.closes(input, text, at + 1)? { Verdict::Close(1) } else { Verdict::Plain });
            }
            Quote::Escaped => return Ok(Verdict::Plain),
        };
        if !closing {
            return Ok(Verdict::Plain);
        }
        let len = c.len_utf8();
        if self.closes(input, text, at + len)? {
            return Ok(Verdict::Close(len));
        }
        if c == '"'
            && text.quote == Quote::Double
            && text.inner.is_multiple_of(2)
            && let Some(cut) = self.missing_end(input, text)?
        {
            return Ok(cut);
        }
        let paired = matches!(text.quote, Quote::SmartDouble | Quote::SmartSingle);
        Ok(if paired { Verdict::Plain } else { Verdict::Inner })
    }

    /// Whether what follows a quote is what follows a string.
    fn closes(&self, input: &Input<'_>, text: Text, after: usize) -> Look<bool> {
        let next = input.sig(after)?;
        let Some(byte) = next.byte else { return Ok(true) };
        if byte == b'/' {
            return Ok(matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')));
        }
        if byte == b'<' && (input.starts(next.at, "<!--")? || (input.starts(next.at, "</")? && !self.frames.is_empty()))
        {
            return Ok(true);
        }
        if byte == b'`' && self.fenced && input.starts(next.at, "```")? {
            return Ok(true);
        }
        if byte == b'#' && (next.newline || input.byte(next.at + 1)? == Some(b' ')) {
            return Ok(true);
        }
        match text.role {
            Role::Key if byte != b':' && super::gap::key_end(input, text, self.at).is_some() => Ok(false),
            Role::Key => Self::closes_key(input, text, after, next, byte),
            Role::Member => self.closes_member(input, text, after, next, byte),
            Role::Item => self.closes_item(input, text, after, next, byte),
            Role::Root if self.root_end.is_some() => Ok(self.root_end == Some(self.at)),
            Role::Root => Ok(match byte {
                b':' | b',' | b'+' => true,
                _ => next.newline,
            }),
        }
    }

    fn closes_key(input: &Input<'_>, text: Text, after: usize, next: Sig, byte: u8) -> Look<bool> {
        let even = text.inner.is_multiple_of(2);
        Ok(match byte {
            b':' | b'=' => true,
            b',' | b'}' | b']' | b'{' | b'[' => even,
            b'"' | b'\'' => even && next.at > after,
            b'-' if input.byte(next.at + 1)? == Some(b'>') => true,
            b'0'..=b'9' | b'-' => even,
            _ => next.newline || (even && input.plain_value_at(next.at)?),
        })
    }

    fn closes_member(&self, input: &Input<'_>, text: Text, after: usize, next: Sig, byte: u8) -> Look<bool> {
        let even = text.inner.is_multiple_of(2);
        match byte {
            b'}' => Ok(even || self.brace_fits(input, next.at)?),
            b']' => {
                let array = self.frames.iter().any(|f| f.shape == Shape::Array);
                let then = input.sig(next.at + 1)?;
                Ok(match then.byte {
                    None | Some(b'}') => true,
                    Some(b',' | b']') => array,
                    _ => array && then.newline,
                })
            }
            b',' => self.comma_in_object(input, text, next.at + 1),
            b'"' | b'\'' => {
                if input.quoted_key_at(next.at, byte)? {
                    return Ok(true);
                }
                let other = input.sig(next.at + 1)?;
                if matches!(other.byte, Some(b',' | b'}' | b']' | b':')) || other.end {
                    return Ok(false);
                }
                let Some(end) = input.closing(next.at + 1, byte)? else { return Ok(false) };
                let joined = matches!(input.sig(end + 1)?.byte, Some(b',' | b'}'));
                Ok(even && joined && next.at > after)
            }
            b';' => {
                let more = input.sig(next.at + 1)?;
                Ok(matches!(more.byte, None | Some(b'}')) || input.key_at(more.at)?)
            }
            b'+' => Ok(matches!(input.sig(next.at + 1)?.byte, Some(b'"' | b'\'' | b'/') | None)),
            b')' => Ok(even && self.parenthesis_fits(input, next.at)?),
            b'{' => Ok(next.newline && self.outer_is_array()),
            b':' => Ok(false),
            _ => {
                if !input.key_at(next.at)? {
                    return Ok(even && self.words_follow(input, next.at)?);
                }
                if next.newline {
                    return Ok(true);
                }
                let Some(colon) = input.find(next.at, |b| b == b':')? else { return Ok(false) };
                let value = input.sig(colon + 1)?;
                Ok(match value.byte {
                    Some(b'"' | b'{' | b'[' | b'0'..=b'9' | b'-') | None => even,
                    _ => input.plain_value_at(value.at)?,
                })
            }
        }
    }

    fn closes_item(&self, input: &Input<'_>, text: Text, after: usize, next: Sig, byte: u8) -> Look<bool> {
        let even = text.inner.is_multiple_of(2);
        match byte {
            b':' => Ok(true),
            b']' => {
                let then = input.sig(next.at + 1)?;
                Ok(match then.byte {
                    None | Some(b',' | b'}' | b']' | b'/' | b'#' | b'`') => true,
                    Some(b'"' | b'{' | b'[') => even,
                    _ => then.newline || (even && self.frames.len() == 1),
                })
            }
            b'}' => {
                Ok(even && self.frames.iter().any(|f| f.shape == Shape::Object) || self.brace_fits(input, next.at)?)
            }
            b',' => self.comma_in_array(input, text, next.at + 1),
            b'"' | b'\'' => {
                if byte == b'\'' && text.quote == Quote::Double {
                    return Ok(even && input.closing(next.at + 1, byte)?.is_some());
                }
                let other = input.sig(next.at + 1)?;
                if matches!(other.byte, Some(b',' | b']')) {
                    // An empty string after a missing comma, if the next quote does not open one.
                    return Ok(false);
                }
                Ok(even && next.at > after)
            }
            b'{' | b'[' => Ok(even),
            b'+' => Ok(matches!(input.sig(next.at + 1)?.byte, Some(b'"' | b'\'' | b'/') | None)),
            b')' => Ok(even && self.parenthesis_fits(input, next.at)?),
            b'.' => Ok(input.starts(next.at, "...")? && even),
            b'-' | b'*' if next.newline => Ok(true),
            _ => Ok(even && (next.newline || input.plain_value_at(next.at)?)),
        }
    }

    /// Whether only words stand between the quote and what ends the member, so that no quote could close the string.
    fn words_follow(&self, input: &Input<'_>, at: usize) -> Look<bool> {
        let stop = input.find(at, |b| matches!(b, b'"' | b'}' | b']' | b',' | b'\n' | b'{' | b'['))?;
        let Some(stop) = stop else {
            // The text ends in the words: what stands before the quote is in the string for sure, they may not be.
            return Ok(input.eof && input.len() - at < WINDOW && input.byte(at)?.is_some_and(is_word_start));
        };
        let next = input.sig(stop + 1)?;
        Ok(match input.byte(stop)? {
            Some(b'}') => next.end || matches!(next.byte, Some(b',' | b'}' | b']')),
            Some(b',') => input.quoted_key_at(next.at, b'"')?,
            _ => false,
        })
    }

    /// Whether the rest of the text takes a brace that follows the quote as the end of the object.
    fn brace_fits(&self, input: &Input<'_>, brace: usize) -> Look<bool> {
        let next = input.sig(brace + 1)?;
        Ok(match next.byte {
            None | Some(b'`' | b'}' | b']') => true,
            Some(b',') => {
                let item = input.sig(next.at + 1)?;
                self.frames.len() > 1
                    && match self.outer_shape() {
                        Some(Shape::Object) => input.key_at(item.at)?,
                        _ => matches!(item.byte, Some(b'{' | b'[' | b'"' | b']') | None) || item.newline,
                    }
            }
            _ => false,
        })
    }

    pub(super) fn parenthesis_fits(&self, input: &Input<'_>, at: usize) -> Look<bool> {
        if matches!(self.top_shape(), Some(Shape::Tuple | Shape::Group)) {
            return Ok(true);
        }
        Ok(matches!(input.sig(at + 1)?.byte, None | Some(b'}' | b']')))
    }

    fn outer_is_array(&self) -> bool {
        self.outer_shape().is_some_and(Shape::is_list)
    }

    /// Whether what follows a comma can be the next member.
    fn comma_in_object(&self, input: &Input<'_>, text: Text, from: usize) -> Look<bool> {
        let even = text.inner.is_multiple_of(2);
        let next = input.sig(from)?;
        let Some(byte) = next.byte else { return Ok(true) };
        if next.newline {
            return Ok(true);
        }
        Ok(match byte {
            b'"' | b'\'' if byte == b'"' || text.quote == Quote::Single => {
                let Some(end) = input.closing(next.at + 1, byte)? else { return Ok(even) };
                let then = input.sig(end + 1)?;
                let name = input.slice(next.at + 1, end).trim_end();
                // A key that lacks its closing quote: the quote is that of its value.
                let cut_key = name.strip_suffix(':').is_some_and(|n| !n.is_empty() && n.bytes().all(is_word));
                match then.byte {
                    _ if cut_key => true,
                    Some(b':' | b'=') | None => true,
                    Some(b'}') => even || then.at > end + 1,
                    Some(b'0'..=b'9' | b'{' | b'[' | b'"' | b'\'') => even,
                    Some(b',') => false,
                    _ => even && input.plain_value_at(then.at)?,
                }
            }
            b'}' | b']' | b',' | b'\\' => true,
            b'/' => matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')),
            b'#' => true,
            b'<' => input.starts(next.at, "<!--")?,
            b'.' => input.starts(next.at, "...")?,
            b'{' => self.outer_is_array(),
            b'0'..=b'9' | b'-' => {
                let Some(end) = input.find(next.at + 1, |b| !b.is_ascii_digit() && b != b'.')? else { return Ok(even) };
                let colon = input.sig(end)?;
                colon.byte == Some(b':') && matches!(input.byte(colon.at + 1)?, Some(b' ' | b'"' | b'{' | b'['))
            }
            0xE2 => input.char(next.at)? == Some('…') || input.key_at(next.at)?,
            b if is_word_start(b) || b == b'\'' => {
                if input.key_at(next.at)? {
                    return Ok(true);
                }
                // A stray word before a key, a key without its opening quote.
                match input.find(next.at, |b| !crate::input::is_word(b))? {
                    Some(end) => {
                        let quote = input.sig(end)?;
                        match quote.byte {
                            Some(b'"') if quote.at > end => input.quoted_key_at(quote.at, b'"')?,
                            Some(b'=') => even,
                            Some(b'"') => even && input.sig(quote.at + 1)?.byte == Some(b':'),
                            _ => false,
                        }
                    }
                    None => even,
                }
            }
            b'`' => even,
            _ => false,
        })
    }

    /// Whether what follows a comma can be the next element.
    fn comma_in_array(&self, input: &Input<'_>, text: Text, from: usize) -> Look<bool> {
        let even = text.inner.is_multiple_of(2);
        let next = input.sig(from)?;
        let Some(byte) = next.byte else { return Ok(true) };
        if even || next.newline {
            return Ok(true);
        }
        Ok(match byte {
            b'"' => {
                let Some(end) = input.closing(next.at + 1, b'"')? else { return Ok(false) };
                let then = input.sig(end + 1)?;
                matches!(then.byte, Some(b',' | b']' | b'}' | b'"' | b':') | None)
            }
            b'{' | b'[' | b']' | b'}' | b',' => true,
            b'/' => matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')),
            _ => input.item_at(next.at)?,
        })
    }
}
