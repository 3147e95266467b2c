//! The text so far, and bounded looks ahead into it.

use std::cell::Cell;

/// How far a decision may look: past it, the plain reading is taken.
pub(crate) const WINDOW: usize = 512;

/// The bytes that decide are not there yet.
#[derive(Debug)]
pub(crate) struct Wait;

pub(crate) type Look<T> = Result<T, Wait>;

/// The text that has arrived, and whether it is all.
pub(crate) struct Input<'t> {
    pub(crate) text: &'t str,
    pub(crate) eof: bool,
    pub(crate) steps: Cell<u64>,
}

/// The next byte that is no white space.
#[derive(Clone, Copy)]
pub(crate) struct Sig {
    pub(crate) at: usize,
    /// `None` at the end of the text, or where the window ends.
    pub(crate) byte: Option<u8>,
    /// A line ended on the way.
    pub(crate) newline: bool,
    /// The end of the text, for sure.
    pub(crate) end: bool,
}

impl<'t> Input<'t> {
    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(crate) fn step(&self, n: usize) {
        self.steps.set(self.steps.get() + n as u64);
    }

    /// The byte at an offset; `None` at the end of the text.
    pub(crate) fn byte(&self, at: usize) -> Look<Option<u8>> {
        self.step(1);
        match self.bytes().get(at) {
            Some(&b) => Ok(Some(b)),
            None if self.eof => Ok(None),
            None => Err(Wait),
        }
    }

    pub(crate) fn char(&self, at: usize) -> Look<Option<char>> {
        match self.byte(at)? {
            Some(b) if b < 0x80 => Ok(Some(char::from(b))),
            Some(_) => Ok(self.text.get(at..).and_then(|rest| rest.chars().next())),
            None => Ok(None),
        }
    }

    /// Whether the text goes on with a word. Waits only while it may.
    pub(crate) fn starts(&self, at: usize, word: &str) -> Look<bool> {
        let rest = self.bytes().get(at..).unwrap_or_default();
        self.step(word.len());
        if rest.len() >= word.len() {
            return Ok(rest.starts_with(word.as_bytes()));
        }
        if word.as_bytes().starts_with(rest) && !self.eof { Err(Wait) } else { Ok(false) }
    }

    /// Skips white space, JSON's and other, within the window.
    pub(crate) fn sig(&self, from: usize) -> Look<Sig> {
        let mut at = from;
        let mut newline = false;
        loop {
            if at - from > WINDOW {
                return Ok(Sig { at, byte: None, newline, end: false });
            }
            match self.byte(at)? {
                Some(b'\n') => {
                    newline = true;
                    at += 1;
                }
                Some(b' ' | b'\t' | b'\r') => at += 1,
                Some(b) if b < 0x80 => return Ok(Sig { at, byte: Some(b), newline, end: false }),
                Some(b) => match self.char(at)? {
                    Some(c) if is_special_space(c) => at += c.len_utf8(),
                    _ => return Ok(Sig { at, byte: Some(b), newline, end: false }),
                },
                None => return Ok(Sig { at, byte: None, newline, end: true }),
            }
        }
    }

    /// The offset of the first byte of a kind within the window; `None` where there is none in it or in the text.
    pub(crate) fn find(&self, from: usize, stop: impl Fn(u8) -> bool) -> Look<Option<usize>> {
        for at in from..from + WINDOW {
            match self.byte(at)? {
                Some(b) if stop(b) => return Ok(Some(at)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The offset of the quote that closes a string whose body starts at `from`, in the window and on its line.
    pub(crate) fn closing(&self, from: usize, quote: u8) -> Look<Option<usize>> {
        let mut at = from;
        while at < from + WINDOW {
            match self.byte(at)? {
                Some(b) if b == quote => return Ok(Some(at)),
                Some(b'\\') => at += 2,
                Some(b'\n') | None => return Ok(None),
                Some(_) => at += 1,
            }
        }
        Ok(None)
    }

    /// Whether a key with its colon stands at `at`: quoted, or a bare word.
    pub(crate) fn key_at(&self, at: usize) -> Look<bool> {
        match self.byte(at)? {
            Some(quote @ (b'"' | b'\'')) => self.quoted_key_at(at, quote),
            Some(b) if is_word_start(b) => {
                let Some(end) = self.find(at, |b| !is_word(b))? else { return Ok(false) };
                let next = self.sig(end)?;
                Ok(next.byte == Some(b':') && !self.starts(next.at, "://")?)
            }
            Some(0xE2) => {
                let opens = self.char(at)?.is_some_and(|c| "“”„‘’".contains(c));
                if !opens {
                    return Ok(false);
                }
                let Some(end) = self.find(at + 3, |b| matches!(b, b':' | b'\n' | b',' | b'{' | b'}'))? else {
                    return Ok(false);
                };
                Ok(self.byte(end)? == Some(b':') && self.slice(at + 3, end).trim_end().ends_with(['”', '“', '’', '"']))
            }
            _ => Ok(false),
        }
    }

    /// Whether a quoted key with its colon stands at `at`.
    pub(crate) fn quoted_key_at(&self, at: usize, quote: u8) -> Look<bool> {
        let Some(end) = self.closing(at + 1, quote)? else { return Ok(false) };
        Ok(self.sig(end + 1)?.byte == Some(b':'))
    }

    /// Whether a number or literal stands at `at` that is followed by what follows an element of an array.
    pub(crate) fn item_at(&self, at: usize) -> Look<bool> {
        if !self.plain_value_at(at)? {
            return Ok(false);
        }
        let Some(end) = self.find(at, |b| !(is_word(b) || b == b'+'))? else { return Ok(true) };
        let next = self.sig(end)?;
        Ok(next.newline || matches!(next.byte, None | Some(b',' | b']')))
    }

    /// Whether a token of JSON that is a value by itself stands at `at`: a number, a literal.
    pub(crate) fn plain_value_at(&self, at: usize) -> Look<bool> {
        let Some(end) = self
            .find(at, |b| !(is_word(b) || b"+.".contains(&b)))?
            .or_else(|| (self.len() < at + WINDOW).then_some(self.len()))
        else {
            return Ok(false);
        };
        let token = self.slice(at, end);
        Ok(is_json_number(token) || ["true", "false", "null", "True", "False", "None"].contains(&token))
    }
}

pub(crate) fn is_special_space(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{180e}' | '\u{2000}'
            ..='\u{200f}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{202f}'
                | '\u{205f}'
                | '\u{2060}'
                | '\u{3000}'
                | '\u{feff}'
                | '\u{b}'
                | '\u{c}'
                | '\u{85}'
    )
}

pub(crate) const fn is_word_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b == b'$' || b >= 0x80
}

pub(crate) const fn is_word(b: u8) -> bool {
    is_word_start(b) || b.is_ascii_digit() || b == b'-' || b == b'.'
}

/// Whether a token is a number by RFC 8259.
pub(crate) fn is_json_number(token: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let body = token.strip_prefix('-').unwrap_or(token);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(i) => (body.get(..i).unwrap_or_default(), body.get(i + 1..)),
        None => (body, None),
    };
    let (int, fraction) = match mantissa.split_once('.') {
        Some((int, fraction)) => (int, Some(fraction)),
        None => (mantissa, None),
    };
    digits(int)
        && (int == "0" || !int.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}
