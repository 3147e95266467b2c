//! What stands around values: fences, tags, reasoning, words.

use crate::Kind;
use crate::input::{Input, Look, WINDOW, is_special_space, is_word, is_word_start};

/// An opened or closed fence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fence {
    pub(crate) byte: u8,
    /// A word follows: it opens.
    pub(crate) info: bool,
    /// Its first line ends with the word.
    pub(crate) line: bool,
}

/// The next thing outside of values.
#[derive(Debug)]
pub(crate) enum Mark {
    End,
    /// Something else than white space.
    Words,
    /// A comma, a semicolon, or a comment's end: nothing that makes the text prose.
    Separator,
    /// A bracket that closes nothing.
    Closer,
    Fence {
        fence: Fence,
        body: usize,
    },
    Reasoning {
        body: usize,
        tag: &'static str,
    },
    ReasoningEnd {
        after: usize,
    },
    Tag {
        after: usize,
    },
    /// A quote, digit or letter with which the text begins.
    Lone,
    Bracket,
}

const REASONING: [(&str, &str); 6] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<reflection>", "</reflection>"),
];

/// Moves on to the next thing that matters.
pub(crate) fn next(input: &Input<'_>, at: &mut usize, bare: bool, quiet: bool, unclosed: bool) -> Look<Mark> {
    loop {
        let Some(byte) = input.bytes().get(*at).copied() else {
            return input.byte(*at).map(|_| Mark::End);
        };
        input.step(1);
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => *at += 1,
            b'{' | b'[' => return Ok(Mark::Bracket),
            b'`' | b'~' => {
                if let Some(mark) = fence(input, *at, byte)? {
                    return Ok(mark);
                }
                *at += 1;
                if quiet {
                    return Ok(Mark::Words);
                }
            }
            b'<' => {
                if let Some(mark) = tag(input, *at, bare)? {
                    return Ok(mark);
                }
                *at += 1;
                if quiet {
                    return Ok(Mark::Words);
                }
            }
            b'}' | b']' if quiet || unclosed => return Ok(Mark::Closer),
            b',' | b';' if quiet => return Ok(Mark::Separator),
            b'/' if quiet => {
                if input.byte(*at + 1)? == Some(b'*') {
                    // A comment, if it is a short one.
                    let mut end = *at + 2;
                    while end < *at + WINDOW && !input.starts(end, "*/")? {
                        if input.byte(end)?.is_none() {
                            break;
                        }
                        end += 1;
                    }
                    if input.starts(end, "*/")? {
                        *at = end + 1;
                        return Ok(Mark::Separator);
                    }
                }
                *at += 1;
                return Ok(Mark::Words);
            }
            b'"' | b'\'' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'(' if bare => return Ok(Mark::Lone),
            b if bare && is_word_start(b) => {
                if let Some(c) = input.char(*at)?
                    && is_special_space(c)
                {
                    *at += c.len_utf8();
                    continue;
                }
                return Ok(Mark::Lone);
            }
            0x80.. if quiet => match input.char(*at)? {
                Some(c) if is_special_space(c) => *at += c.len_utf8(),
                _ => {
                    *at += 1;
                    return Ok(Mark::Words);
                }
            },
            _ => {
                *at += 1;
                if quiet {
                    return Ok(Mark::Words);
                }
            }
        }
    }
}

fn fence(input: &Input<'_>, at: usize, byte: u8) -> Look<Option<Mark>> {
    let mut end = at;
    while end < at + WINDOW && input.byte(end)? == Some(byte) {
        end += 1;
    }
    if end < at + 3 {
        return Ok(None);
    }
    let body = input.find(end, |b| !(is_word(b) || b == b'+'))?.unwrap_or(end);
    let info = body > end;
    let line = matches!(input.byte(body)?, Some(b'\n' | b'\r') | None);
    Ok(Some(Mark::Fence { fence: Fence { byte, info, line }, body }))
}

fn tag(input: &Input<'_>, at: usize, bare: bool) -> Look<Option<Mark>> {
    for (open, close) in REASONING {
        if input.starts(at, open)? {
            return Ok(Some(Mark::Reasoning { body: at + open.len(), tag: close }));
        }
        if input.starts(at, close)? {
            return Ok(Some(Mark::ReasoningEnd { after: at + close.len() }));
        }
    }
    if !bare {
        return Ok(None);
    }
    let Some(first) = input.byte(at + 1)? else { return Ok(None) };
    if !is_word_start(first) {
        return Ok(None);
    }
    let end = input.find(at + 1, |b| matches!(b, b'>' | b'<' | b'{' | b'[' | b'\n'))?;
    match end {
        Some(end) if input.byte(end)? == Some(b'>') => Ok(Some(Mark::Tag { after: end + 1 })),
        _ => Ok(None),
    }
}

/// Whether a bracket between words begins a value. `scalars` leaves out arrays of scalars.
pub(crate) fn begins(input: &Input<'_>, at: usize, no_scalars: bool) -> Look<bool> {
    let mut open = at;
    loop {
        let Some(bracket) = input.byte(open)? else { return Ok(false) };
        let next = input.sig(open + 1)?;
        let Some(byte) = next.byte else { return Ok(next.end && bracket == b'{') };
        if bracket == b'{' {
            return Ok(match byte {
                b'}' | b',' => true,
                b'{' if open == at => {
                    open = next.at;
                    continue;
                }
                b'"' => match input.closing(next.at + 1, byte)? {
                    // Whatever is wrong with it, it was meant as JSON: but for a name in braces.
                    Some(end) => input.sig(end + 1)?.byte != Some(b'}'),
                    None => true,
                },
                b'\'' => match input.closing(next.at + 1, byte)? {
                    Some(end) => {
                        matches!(input.sig(end + 1)?.byte, Some(b':' | b'=' | b'0'..=b'9' | b'{' | b'[' | b'"') | None)
                    }
                    // A key that goes on past the window, or past the end.
                    None => byte == b'"',
                },
                b'\\' => input.byte(next.at + 1)? == Some(b'"'),
                b'/' => matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')),
                b'#' => true,
                b'0'..=b'9' | b'-' => {
                    let stop = input.find(next.at, |b| !is_word(b))?;
                    match stop {
                        Some(stop) => input.sig(stop)?.byte == Some(b':'),
                        None => false,
                    }
                }
                b'`' => {
                    let end = input.closing(next.at + 1, b'`')?;
                    match end {
                        Some(end) if end > next.at + 1 => input.sig(end + 1)?.byte == Some(b':'),
                        _ => false,
                    }
                }
                _ => {
                    let word = input.find(next.at, |b| !(is_word(b) || b == b' '))?;
                    match word {
                        Some(stop) if stop > next.at => match input.byte(stop)? {
                            Some(b':') => !input.starts(stop, "://")?,
                            Some(b'"') => input.sig(stop + 1)?.byte == Some(b':'),
                            _ => input.key_at(next.at)?,
                        },
                        _ => input.key_at(next.at)?,
                    }
                }
            });
        }
        return Ok(match byte {
            b'{' => {
                open = next.at;
                continue;
            }
            b'[' if next.at < at + WINDOW => {
                open = next.at;
                continue;
            }
            _ if no_scalars => false,
            b']' => next.at == open + 1 || next.newline,
            b'"' | b'\'' => match input.closing(next.at + 1, byte)? {
                Some(end) => matches!(input.sig(end + 1)?.byte, Some(b',' | b']' | b'"' | b':') | None),
                None => byte == b'"',
            },
            b'0'..=b'9' | b'-' => {
                let stop = input.find(next.at, |b| !(b.is_ascii_alphanumeric() || b"+-.".contains(&b)))?;
                match stop {
                    Some(stop) => {
                        crate::input::is_json_number(input.slice(next.at, stop))
                            && matches!(input.sig(stop)?.byte, Some(b',' | b']') | None)
                    }
                    None => false,
                }
            }
            b'/' => matches!(input.byte(next.at + 1)?, Some(b'/' | b'*')),
            _ => {
                let stop = input.find(next.at, |b| !b.is_ascii_alphanumeric())?;
                match stop {
                    Some(stop) => {
                        ["true", "false", "null", "True", "False", "None"].contains(&input.slice(next.at, stop))
                            && matches!(input.sig(stop)?.byte, Some(b',' | b']'))
                    }
                    None => false,
                }
            }
        });
    }
}

/// The end of a run of brackets that begin nothing: what decides about the first decides about all.
pub(crate) fn after_brackets(input: &Input<'_>, at: usize) -> usize {
    let run = input.bytes().get(at..).unwrap_or_default();
    let len = run.iter().take(WINDOW).take_while(|&&b| b == b'[').count();
    at + len.max(1)
}

/// Whether what is in a container goes on after its end: `{"a": 1}, "b": 2}`, `[1], 2]`.
pub(crate) fn continues(input: &Input<'_>, end: usize, kind: Kind) -> Look<bool> {
    let next = input.sig(end)?;
    if kind == Kind::Array {
        if next.byte != Some(b',') {
            return Ok(false);
        }
        let item = input.sig(next.at + 1)?;
        return Ok(item_follows(input, item.at)? || (item.byte == Some(b'"') && input.quoted_key_at(item.at, b'"')?));
    }
    if next.byte != Some(b',') {
        return Ok(next.byte == Some(b'"') && input.quoted_key_at(next.at, b'"')?);
    }
    let member = input.sig(next.at + 1)?;
    if member.byte != Some(b'"') {
        return Ok(false);
    }
    let Some(quote) = input.closing(member.at + 1, b'"')? else { return Ok(false) };
    Ok(matches!(input.sig(quote + 1)?.byte, Some(b':' | b'"' | b'0'..=b'9' | b'{' | b'[')))
}

/// Whether a string or scalar stands at `at` that is followed by what follows an element.
pub(crate) fn item_follows(input: &Input<'_>, at: usize) -> Look<bool> {
    let end = match input.byte(at)? {
        Some(b'"') => input.closing(at + 1, b'"')?.map(|end| end + 1),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') if input.plain_value_at(at)? => {
            input.find(at, |b| !(is_word(b) || b == b'+'))?
        }
        _ => None,
    };
    let Some(end) = end else { return Ok(false) };
    Ok(matches!(input.sig(end)?.byte, Some(b',' | b']')))
}

/// Whether `"key":` stands before `at`, with a few blanks at most.
pub(crate) fn is_after_key(input: &Input<'_>, at: usize) -> bool {
    const FAR: usize = 16;
    let before = input.bytes().get(at.saturating_sub(FAR)..at).unwrap_or_default();
    let mut before = before.iter().rev().filter(|b| !b.is_ascii_whitespace());
    before.next() == Some(&b':') && before.next() == Some(&b'"')
}

pub(crate) fn is_quote(input: &Input<'_>, at: usize) -> Look<bool> {
    Ok(input.char(at)?.is_some_and(|c| "\"'“”„‘’«`".contains(c)))
}

/// The end of a word at the top level, or of the window.
pub(crate) fn token_end(input: &Input<'_>, at: usize) -> Look<usize> {
    // Only a first character, as of a currency, is not ASCII in what is a value.
    let first = input.char(at)?.filter(|c| !c.is_ascii()).map_or(0, char::len_utf8);
    let ends = |b: u8| b >= 0x80 || b.is_ascii_whitespace() || b",{[\"`<(".contains(&b);
    let stop = input.find(at + first, ends)?;
    Ok(stop.unwrap_or(input.len().min(at + first + WINDOW)))
}
