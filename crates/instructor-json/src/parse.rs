//! The strict parser: bytes to slots, without recursion.

use crate::document::{Kind, Slot};
use crate::{Error, ErrorKind};

/// How much a text may ask for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How many arrays and objects may be open at once.
    pub depth: usize,
    /// How many bytes the text may have.
    pub bytes: usize,
    /// How many steps the reading may take for each byte. The work is linear in any case: looks ahead are bounded.
    pub work: u64,
}

impl Limits {
    /// The default: 128 levels, 1 GiB, 4,096 steps a byte.
    pub const DEFAULT: Self = Self { depth: 128, bytes: 1 << 30, work: 1 << 12 };

    /// With another depth.
    #[must_use]
    pub const fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// With another number of steps for each byte.
    #[must_use]
    pub const fn with_work(mut self, work: u64) -> Self {
        self.work = work;
        self
    }

    /// With another size, at most 4 GiB - 1.
    #[must_use]
    pub const fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// What may come next inside the innermost open container.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    /// Just after `[`: an element or `]`.
    FirstItem,
    /// Just after `{`: a key or `}`.
    FirstKey,
    Key,
    /// After a value: `,` or the closing bracket.
    Next,
}

/// Parses the value at `from`, appends its slots and returns the offset after it.
pub(crate) fn value(bytes: &[u8], from: usize, limits: Limits, slots: &mut Vec<Slot>) -> Result<usize, Error> {
    if bytes.len() > limits.bytes.min(u32::MAX as usize) {
        return Err(Error::new(ErrorKind::TooLong, limits.bytes));
    }
    let mut open: Vec<u32> = Vec::new();
    let mut at = from;
    let mut expect = Expect::Value;
    loop {
        at = skip_space(bytes, at);
        let Some(&byte) = bytes.get(at) else {
            return Err(Error::new(ErrorKind::UnexpectedEnd, bytes.len()));
        };
        match (byte, expect) {
            (b'"', Expect::Key | Expect::FirstKey) => {
                at = string(bytes, at, slots)?;
                at = skip_space(bytes, at);
                match bytes.get(at) {
                    Some(b':') => at += 1,
                    Some(_) => return Err(Error::new(ErrorKind::UnexpectedByte, at)),
                    None => return Err(Error::new(ErrorKind::UnexpectedEnd, bytes.len())),
                }
                expect = Expect::Value;
                continue;
            }
            (b'{' | b'[', Expect::Value | Expect::FirstItem) => {
                if open.len() >= limits.depth {
                    return Err(Error::new(ErrorKind::TooDeep, at));
                }
                open.push(slots.len() as u32);
                let object = byte == b'{';
                let kind = if object { Kind::Object } else { Kind::Array };
                add(slots, Slot { start: at as u32, end: 0, next: 0, kind, escaped: false, open: true });
                at += 1;
                expect = if object { Expect::FirstKey } else { Expect::FirstItem };
                continue;
            }
            (b'}', Expect::FirstKey) | (b']', Expect::FirstItem) => at = close(at, slots, &mut open),
            (b',' | b'}' | b']', Expect::Next) => {
                let object = open
                    .last()
                    .and_then(|&i| slots.get(i as usize))
                    .is_some_and(|container| container.kind == Kind::Object);
                match (byte, object) {
                    (b',', _) => {
                        at += 1;
                        expect = if object { Expect::Key } else { Expect::Value };
                        continue;
                    }
                    (b'}', true) | (b']', false) => at = close(at, slots, &mut open),
                    _ => return Err(Error::new(ErrorKind::UnexpectedByte, at)),
                }
            }
            (b'"', Expect::Value | Expect::FirstItem) => at = string(bytes, at, slots)?,
            (b'-' | b'0'..=b'9', Expect::Value | Expect::FirstItem) => at = number(bytes, at, slots)?,
            (b't', Expect::Value | Expect::FirstItem) => at = word(bytes, at, "true", Kind::Bool, slots)?,
            (b'f', Expect::Value | Expect::FirstItem) => at = word(bytes, at, "false", Kind::Bool, slots)?,
            (b'n', Expect::Value | Expect::FirstItem) => at = word(bytes, at, "null", Kind::Null, slots)?,
            _ => return Err(Error::new(ErrorKind::UnexpectedByte, at)),
        }
        if open.is_empty() {
            return Ok(at);
        }
        expect = Expect::Next;
    }
}

fn close(at: usize, slots: &mut [Slot], open: &mut Vec<u32>) -> usize {
    let next = slots.len() as u32;
    if let Some(slot) = open.pop().and_then(|i| slots.get_mut(i as usize)) {
        slot.end = at as u32 + 1;
        slot.next = next;
        slot.open = false;
    }
    at + 1
}

fn push(slots: &mut Vec<Slot>, start: usize, end: usize, kind: Kind, escaped: bool) -> usize {
    let next = slots.len() as u32 + 1;
    add(slots, Slot { start: start as u32, end: end as u32, next, kind, escaped, open: false });
    end
}

/// Slots are larger than the text that they are of, and live beside it: they don't take room for as many again.
#[inline]
fn add(slots: &mut Vec<Slot>, slot: Slot) {
    if slots.len() == slots.capacity() {
        slots.reserve_exact(slots.len() / 4 + 64);
    }
    slots.push(slot);
}

fn word(bytes: &[u8], at: usize, word: &str, kind: Kind, slots: &mut Vec<Slot>) -> Result<usize, Error> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word.as_bytes()) {
        return Ok(push(slots, at, at + word.len(), kind, false));
    }
    let same = rest.iter().zip(word.as_bytes()).take_while(|(a, b)| a == b).count();
    let kind = if same == rest.len() { ErrorKind::UnexpectedEnd } else { ErrorKind::UnexpectedByte };
    Err(Error::new(kind, at + same))
}

fn number(bytes: &[u8], start: usize, slots: &mut Vec<Slot>) -> Result<usize, Error> {
    let digits = |mut at: usize| -> Result<usize, Error> {
        let from = at;
        while let Some(b'0'..=b'9') = bytes.get(at) {
            at += 1;
        }
        if at > from {
            return Ok(at);
        }
        let kind = if at >= bytes.len() { ErrorKind::UnexpectedEnd } else { ErrorKind::InvalidNumber };
        Err(Error::new(kind, at))
    };
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    if bytes.get(at) == Some(&b'0') {
        at += 1;
        if let Some(b'0'..=b'9') = bytes.get(at) {
            return Err(Error::new(ErrorKind::InvalidNumber, at));
        }
    } else {
        at = digits(at)?;
    }
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(at)?;
    }
    Ok(push(slots, start, at, Kind::Number, false))
}

/// Skips plain string bytes to the next quote, backslash or control character, or one of these bytes.
pub(crate) fn plain_until_any(bytes: &[u8], from: usize, stops: [u8; 3]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let stop = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20 || stops.contains(&b));
    from + stop.unwrap_or(rest.len())
}

/// Skips plain string bytes, eight at a time, to the next quote, backslash or control character.
pub(crate) fn plain(bytes: &[u8], from: usize) -> usize {
    plain_until(bytes, from, b'"')
}

/// [`plain`], to the next of another byte too.
#[inline]
pub(crate) fn plain_until(bytes: &[u8], from: usize, other: u8) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let has_zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
    let mut at = from;
    for chunk in bytes.get(from..).unwrap_or_default().as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        let quote = has_zero(word ^ (ONES * b'"' as u64));
        let slash = has_zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let other = has_zero(word ^ (ONES * other as u64));
        let hit = quote | slash | control | other;
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&b) = bytes.get(at) {
        if b == b'"' || b == b'\\' || b < 0x20 || b == other {
            break;
        }
        at += 1;
    }
    at
}

fn string(bytes: &[u8], start: usize, slots: &mut Vec<Slot>) -> Result<usize, Error> {
    let mut at = start + 1;
    let mut escaped = false;
    loop {
        at = plain(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return Ok(push(slots, start, at + 1, Kind::String, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = match bytes.get(at + 1).copied().and_then(short) {
                    Some(_) => at + 2,
                    None => escape(bytes, at)?.1,
                };
            }
            Some(_) => return Err(Error::new(ErrorKind::ControlCharacter, at)),
            None => return Err(Error::new(ErrorKind::UnexpectedEnd, bytes.len())),
        }
    }
}

/// What a two-byte escape stands for.
#[inline]
const fn short(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' | b'/' => byte,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// Reads the escape at `at` (a backslash): its character and the offset after it.
fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let invalid = Error::new(ErrorKind::InvalidEscape, at);
    let end = Error::new(ErrorKind::UnexpectedEnd, bytes.len());
    let c = match *bytes.get(at + 1).ok_or(end)? {
        b'u' => {
            let high = hex4(bytes, at + 2)?.ok_or(invalid)?;
            if !(0xD800..0xE000).contains(&high) {
                return Ok((char::from_u32(high).ok_or(invalid)?, at + 6));
            }
            if high >= 0xDC00 {
                return Err(invalid);
            }
            match (bytes.get(at + 6), bytes.get(at + 7)) {
                (Some(b'\\'), Some(b'u')) => {}
                (None, _) | (Some(b'\\'), None) => return Err(end),
                _ => return Err(invalid),
            }
            let low = hex4(bytes, at + 8)?.ok_or(invalid)?;
            if !(0xDC00..0xE000).contains(&low) {
                return Err(invalid);
            }
            let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            return Ok((char::from_u32(code).ok_or(invalid)?, at + 12));
        }
        byte => char::from(short(byte).ok_or(invalid)?),
    };
    Ok((c, at + 2))
}

/// Four hexadecimal digits; `None` where another character stands among them.
pub(crate) fn hex4(bytes: &[u8], at: usize) -> Result<Option<u32>, Error> {
    let mut code = 0;
    for i in at..at + 4 {
        let Some(&b) = bytes.get(i) else {
            return Err(Error::new(ErrorKind::UnexpectedEnd, bytes.len()));
        };
        match char::from(b).to_digit(16) {
            Some(d) => code = code * 16 + d,
            None => return Ok(None),
        }
    }
    Ok(Some(code))
}

/// Replaces the escapes of a string body that the parser has accepted.
pub(crate) fn unescape(inner: &str) -> String {
    let bytes = inner.as_bytes();
    // Byte by byte: JSON inside a JSON string has an escape every few bytes, where a search and a copy for each run
    // cost more than the run.
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
        } else if let Some(plain) = bytes.get(at + 1).copied().and_then(short) {
            out.push(plain);
            at += 2;
        } else {
            let Ok((c, next)) = escape(bytes, at) else { break };
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            at = next;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}
