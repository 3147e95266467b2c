//! Strings whose closing quote is missing: the next quote opens another one.

use crate::input::{Input, Look, WINDOW, is_word};

use super::judge::Verdict;
use super::string::{Role, Text};
use super::{Machine, Shape};

/// How far before the quote the string may have ended.
const FAR: usize = 64;

/// What the quote after a gap opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    Key,
    Item,
}

impl Machine {
    /// At a quote that does not close the string: whether it opens the next one, so that the closing quote is missing.
    pub(super) fn missing_end(&self, input: &Input<'_>, text: Text) -> Look<Option<Verdict>> {
        let quote = self.at;
        if text.role == Role::Key {
            return Ok(key_end(input, text, quote));
        }
        let floor = text.body.max(quote.saturating_sub(FAR));
        let start = back(input, floor, quote, |b| is_space(b) || b"{}[],".contains(&b));
        let (mut key, mut item) = (None, None);
        for from in start..quote {
            let Some(opens) = self.opens(input.slice(from, quote)) else { continue };
            let found = match opens {
                Opens::Key => &mut key,
                Opens::Item => &mut item,
            };
            let right = match *found {
                Some(right) => right,
                None if opens == Opens::Key => input.quoted_key_at(quote, b'"')?,
                None => is_item(input, quote)?,
            };
            *found = Some(right);
            if right {
                return Ok(Some(cut(input, back(input, floor, from, is_space), quote)));
            }
        }
        if text.role == Role::Member { bare_key_before(input, floor, quote) } else { Ok(None) }
    }

    /// Reads what stands between the end of a string and a quote: brackets that close what is open, one comma or line
    /// end, a brace that opens the next item.
    fn opens(&self, gap: &str) -> Option<Opens> {
        if gap.starts_with(' ') {
            return None;
        }
        let mut depth = self.frames.len();
        let mut comma = false;
        let mut brace = false;
        for b in gap.bytes() {
            let top = depth.checked_sub(1).and_then(|i| self.frames.get(i)).map(|f| f.shape);
            match b {
                b'}' | b']' if !comma && !brace => {
                    let shape = if b == b'}' { Shape::Object } else { Shape::Array };
                    if top != Some(shape) {
                        return None;
                    }
                    depth -= 1;
                }
                b',' if !comma && !brace => comma = true,
                b'{' if comma && !brace && top.is_some_and(Shape::is_list) => brace = true,
                b if is_space(b) => {}
                _ => return None,
            }
        }
        if !comma && !gap.contains('\n') {
            return None;
        }
        match depth.checked_sub(1).and_then(|i| self.frames.get(i)).map(|f| f.shape) {
            _ if brace => Some(Opens::Key),
            Some(Shape::Object) => Some(Opens::Key),
            Some(shape) if shape.is_list() => Some(Opens::Item),
            _ => None,
        }
    }
}

const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\n' | b'\r' | b'\t')
}

fn back(input: &Input<'_>, floor: usize, mut at: usize, accept: impl Fn(u8) -> bool) -> usize {
    while at > floor && input.bytes().get(at - 1).is_some_and(|&b| accept(b)) {
        at -= 1;
    }
    at
}

/// Ends the string at `at`; what was written since is taken back.
fn cut(input: &Input<'_>, at: usize, quote: usize) -> Verdict {
    Verdict::Cut { at, drop: written(input, at, quote) }
}

/// How many bytes were written for the end of a string's source: only a line end at its start can be part of an escape,
/// one for which nothing is written.
pub(super) fn written(input: &Input<'_>, at: usize, to: usize) -> usize {
    let tail = input.bytes().get(at..to).unwrap_or_default();
    let slashes = input.bytes().get(..at).unwrap_or_default().iter().rev().take_while(|&&b| b == b'\\').count();
    let continued = match tail {
        _ if slashes % 2 == 0 => 0,
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => 0,
    };
    let tail = tail.get(continued..).unwrap_or_default();
    tail.iter().map(|b| if matches!(b, b'\n' | b'\r' | b'\t' | b'"') { 2 } else { 1 }).sum()
}

/// Whether a whole string that is an element of an array stands at the quote.
fn is_item(input: &Input<'_>, quote: usize) -> Look<bool> {
    let Some(end) = input.closing(quote + 1, b'"')? else { return Ok(false) };
    if end == quote + 1 {
        return Ok(false);
    }
    let then = input.sig(end + 1)?;
    Ok(matches!(then.byte, Some(b',' | b']')) || then.end)
}

/// A key that ends before its colon: `"one: 1, "two": 2`.
pub(super) fn key_end(input: &Input<'_>, text: Text, quote: usize) -> Option<Verdict> {
    if quote - text.body > WINDOW || text.inner > 0 {
        return None;
    }
    let body = input.slice(text.body, quote);
    let name = body.len() - body.trim_start_matches(|c: char| c.is_alphanumeric() || "_-$ ".contains(c)).len();
    let rest = body.get(name..).unwrap_or_default();
    let spaced = rest.strip_prefix(':').is_some_and(|r| r.is_empty() || r.starts_with([' ', '\n', '[', '{']));
    let plain = body.bytes().all(|b| b != b'\\' && (b >= b' ' || is_space(b)));
    (name > 0 && spaced && plain).then(|| cut(input, text.body + name, quote))
}

/// A bare key before the quote: `first, b: "second"`.
fn bare_key_before(input: &Input<'_>, floor: usize, quote: usize) -> Look<Option<Verdict>> {
    let colon = back(input, floor, quote, is_space);
    let word_end = back(input, floor, colon, |b| b == b':');
    let word = back(input, floor, word_end, |b| is_word(b) && b < 0x80);
    let before = back(input, floor, word, is_space);
    let comma = before.checked_sub(1).filter(|_| before > floor);
    if word_end + 1 != colon || word == word_end {
        return Ok(None);
    }
    let Some(comma) = comma.filter(|&at| input.bytes().get(at) == Some(&b',')) else { return Ok(None) };
    let Some(end) = input.closing(quote + 1, b'"')? else { return Ok(None) };
    let then = input.sig(end + 1)?;
    let closed = matches!(then.byte, Some(b',' | b'}')) || then.end;
    Ok(closed.then(|| cut(input, comma, quote)))
}
