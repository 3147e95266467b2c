//! Finds the JSON values in an answer that also holds prose and fences.

use std::ops::Range;

use crate::{Document, Error, ErrorKind, Limits};

/// One JSON value found in a text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// The value. Its spans are byte offsets into the text that was searched.
    pub document: Document<'a>,
    /// Where it was found.
    pub found: Found,
}

/// Where a [`Candidate`] stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// The whole text is the value.
    Whole,
    /// In a fence: ```` ```json ````.
    Fence,
    /// Between words.
    Prose,
}

/// Finds the JSON values in a text: the whole text, else the values in its fences, else the objects and arrays in its
/// prose. A leading `<think>` block is not searched. Inner values of a value are never candidates of their own.
///
/// # Errors
///
/// When there is none, or when something that began like JSON is broken or cut: a fragment after or inside it is never
/// offered in its place. The error is that of the broken value.
pub fn candidates(text: &str, limits: Limits) -> Result<Vec<Candidate<'_>>, Error> {
    let whole = match Document::parse_with(text, limits) {
        Ok(document) => return Ok(vec![Candidate { document, found: Found::Whole }]),
        Err(error) => error,
    };
    if text.len() > limits.bytes {
        return Err(whole);
    }
    let from = after_reasoning(text);
    let mut found = Vec::new();
    let mut broken = None;
    for fence in fences(text, from) {
        scan(text, fence, Found::Fence, limits, &mut found, &mut broken);
    }
    if found.is_empty() && broken.is_none() {
        scan(text, from..text.len(), Found::Prose, limits, &mut found, &mut broken);
    }
    match broken {
        Some(error) => Err(error),
        None if found.is_empty() => Err(whole),
        None => Ok(found),
    }
}

/// The offset after a reasoning block that opens the text.
fn after_reasoning(text: &str) -> usize {
    const TAGS: [(&str, &str); 2] = [("<think>", "</think>"), ("<thinking>", "</thinking>")];
    let lead = text.len() - text.trim_start().len();
    let rest = text.get(lead..).unwrap_or_default();
    for (open, close) in TAGS {
        if rest.starts_with(open) {
            return rest.find(close).map_or(text.len(), |i| lead + i + close.len());
        }
    }
    // Some chat templates open the block in the prompt, so that only its end is in the answer.
    let head = rest.find(['{', '[', '`']).unwrap_or(rest.len());
    TAGS.iter()
        .find_map(|(_, close)| rest.get(..head).and_then(|h| h.find(close)).map(|i| lead + i + close.len()))
        .unwrap_or(lead)
}

/// The insides of the fences whose opening line starts a line of the text. An unclosed one runs to the end.
fn fences(text: &str, from: usize) -> Vec<Range<usize>> {
    let mut inside: Option<usize> = None;
    let mut fences = Vec::new();
    let mut at = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        let bare = line.trim();
        if let Some(start) = inside {
            if bare == "```" || bare == "~~~" {
                fences.push(start..at);
                inside = None;
            }
        } else if let Some(info) = bare.strip_prefix("```").or_else(|| bare.strip_prefix("~~~"))
            && info.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+.".contains(&b))
        {
            inside = Some(at + line.len());
        }
        at += line.len();
    }
    if let Some(start) = inside {
        fences.push(start..text.len());
    }
    fences
}

/// Collects the objects and arrays in a range, each once, from left to right.
fn scan<'a>(
    text: &'a str,
    range: Range<usize>,
    found: Found,
    limits: Limits,
    out: &mut Vec<Candidate<'a>>,
    broken: &mut Option<Error>,
) {
    let Some(part) = text.get(..range.end) else { return };
    let mut at = range.start;
    while let Some(step) = memchr::memchr2(b'{', b'[', part.as_bytes().get(at..).unwrap_or_default()) {
        at += step;
        match Document::parse_prefix(part, at, limits) {
            Ok((document, end)) => {
                out.push(Candidate { document, found });
                at = end;
            }
            // A bracket of the prose, such as "[see above]", fails at once; anything that got as far as a value
            // was meant as JSON, and what follows may be a part of it.
            Err(error) if began_like_json(part.as_bytes(), at, error) => {
                *broken = Some(error);
                return;
            }
            Err(error) => at = error.offset().max(at + 1),
        }
    }
}

fn began_like_json(bytes: &[u8], from: usize, error: Error) -> bool {
    let read = bytes.get(from + 1..error.offset()).unwrap_or_default();
    let cut_object = bytes.get(from) == Some(&b'{') && error.is_truncated();
    cut_object || error.kind() == ErrorKind::TooDeep || read.iter().any(|b| b",:\"".contains(b))
}
