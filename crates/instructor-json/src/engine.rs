//! From a text to its candidates: what is around the values, and where they begin.

mod brackets;

use std::ops::Range;

use crate::input::{Input, Look, WINDOW, Wait, is_special_space};
use crate::machine::{Machine, Progress, classify};
use crate::options::Options;
use crate::outside::{self, Fence, Mark};
use crate::reading::{Candidate, Found, Reading};
use crate::repair::{Level, Repair, RepairKind, Severity};
use crate::{Document, Error, ErrorKind, Kind, parse};

use self::brackets::Unclosed;

/// A value that is being read.
#[derive(Debug)]
struct Inside {
    machine: Machine,
    found: Found,
    start: usize,
    /// A string or scalar: a value only if the text ends with it.
    lone: bool,
    /// Up to here there is only white space after it.
    after: usize,
}

#[derive(Debug)]
pub(crate) struct Engine<'a> {
    options: Options,
    at: usize,
    inside: Option<Inside>,
    fence: Option<Fence>,
    region: u32,
    /// Nothing but white space so far, in the text or in the fence.
    bare: bool,
    /// A tag has just opened.
    tagged: bool,
    /// The last thing was a value.
    after_value: bool,
    /// The region that is open has words in it.
    wordy: bool,
    candidates: Vec<Candidate<'a>>,
    wordy_regions: Vec<u32>,
    reasoning: Vec<Range<usize>>,
    /// The closing tag that ends the reasoning which is open.
    closing: Option<(usize, &'static str)>,
    /// Something between words was broken: only a fence can still hold the answer.
    fences_only: bool,
    /// Why the text can't be read, if nothing else turns up.
    fallback: Option<Error>,
    failed: Option<Error>,
    leading: Vec<Repair>,
    spent: u64,
    /// Values that turned out to be words after they had been read.
    dropped: u32,
    /// The text began with a string that was a key, and shown as one.
    membered: bool,
    unclosed: Option<Unclosed>,
    /// How many objects the region has, and nothing else.
    objects: u32,
    /// A bracket of a value in it was wrong.
    mended: bool,
    /// The last value between words stands where that of a key does.
    keyed: bool,
    /// Whether a brace, or a bracket, after the last value is one too many for sure.
    extra: Option<(bool, bool)>,
    /// It can't go on without what was forgotten.
    lacks: bool,
}

/// The region of values that were refused for what followed them.
const REFUSED: u32 = u32::MAX;

/// How many texts in brackets or quotes are read before it is known that they are values. Each may be read twice.
const TRIES: u32 = 16;

impl<'a> Engine<'a> {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            at: 0,
            inside: None,
            fence: None,
            region: 0,
            bare: true,
            tagged: false,
            after_value: false,
            wordy: false,
            candidates: Vec::new(),
            wordy_regions: Vec::new(),
            reasoning: Vec::new(),
            closing: None,
            fences_only: false,
            fallback: None,
            failed: None,
            leading: Vec::new(),
            spent: 0,
            dropped: 0,
            membered: false,
            unclosed: None,
            objects: 0,
            mended: false,
            keyed: false,
            extra: None,
            lacks: false,
        }
    }

    /// Gives up what is before a node of the value that is being read, but for what is open.
    pub(crate) fn forget(&mut self, before: u32) {
        if let Some(inside) = &mut self.inside {
            inside.machine.forget(before);
        }
    }

    pub(crate) const fn lacks(&self) -> bool {
        self.lacks
    }

    /// The value to show: the one being read, else the first.
    pub(crate) fn shown(&self) -> Option<&Document<'_>> {
        let document = match (self.candidates.first(), &self.inside) {
            (Some(first), _) => &first.document,
            (None, Some(inside)) => inside.machine.document(),
            (None, None) => return None,
        };
        Some(document).filter(|document| document.shown > 0)
    }

    /// The machine that reads the value that is open.
    pub(crate) fn machine(&self) -> Option<&Machine> {
        self.inside.as_ref().map(|inside| &inside.machine)
    }

    pub(crate) fn candidates(&self) -> &[Candidate<'a>] {
        &self.candidates
    }

    pub(crate) const fn failed(&self) -> Option<Error> {
        self.failed
    }

    /// Reads on as far as the text allows. With the whole text at hand, valid values are borrowed from it.
    pub(crate) fn run(&mut self, input: &Input<'_>, whole: Option<&'a str>) {
        let before = input.steps.get();
        while self.go(input, whole) {}
        self.spend(input, before);
    }

    /// Counts the work of a run against the limit.
    fn spend(&mut self, input: &Input<'_>, before: u64) {
        self.spent += input.steps.get() - before;
        let limit = (input.len() as u64 + 1).saturating_mul(self.options.limits().work);
        if self.spent > limit && self.failed.is_none() {
            self.failed = Some(Error::new(ErrorKind::TooMuchWork, self.at));
        }
    }

    /// Reads on to the next thing: `false` when there is none yet.
    pub(crate) fn advance(&mut self, input: &Input<'_>) -> bool {
        let before = input.steps.get();
        let more = self.go(input, None);
        self.spend(input, before);
        more
    }

    fn go(&mut self, input: &Input<'_>, whole: Option<&'a str>) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let went = match self.inside.take() {
            Some(inside) => self.read_value(input, inside),
            None => self.look_for_value(input, whole),
        };
        matches!(went, Ok(true))
    }

    /// The value that is being read, and where it was found.
    pub(crate) fn open(&self) -> Option<(&Document<'_>, Found)> {
        self.inside.as_ref().map(|inside| (inside.machine.document(), inside.found))
    }

    /// The machine that reads the value that is open, and where that begins.
    pub(crate) fn machine_start(&self) -> Option<(usize, &Machine)> {
        self.inside.as_ref().map(|inside| (inside.start, &inside.machine))
    }

    fn read_value(&mut self, input: &Input<'_>, mut inside: Inside) -> Look<bool> {
        let progress = inside.machine.run(input);
        let prose = inside.lone && inside.machine.is_quoted_prose();
        if prose {
            self.back_to_prose(inside.start, None);
            return Ok(true);
        }
        match progress {
            Progress::Wait => {
                self.inside = Some(inside);
                Err(Wait)
            }
            Progress::Done => {
                if inside.lone {
                    inside.after = inside.after.max(inside.machine.at());
                    match self.ends_with(input, &mut inside.after) {
                        Ok(true) => {}
                        Ok(false) => {
                            self.membered |= inside.machine.document().root().kind() == Kind::Object;
                            self.back_to_prose(inside.start, None);
                            return Ok(true);
                        }
                        Err(Wait) => {
                            self.inside = Some(inside);
                            return Err(Wait);
                        }
                    }
                }
                self.keep(inside);
                Ok(true)
            }
            Progress::Blocked(repair) => self.give_up(input, inside, Error::needing(repair)),
            Progress::Failed(error) => self.give_up(input, inside, error),
        }
    }

    /// Whether nothing that matters follows a lone scalar.
    ///
    /// However much white space does: `at` is how far it was seen to go on, so that it is looked at once.
    fn ends_with(&self, input: &Input<'_>, at: &mut usize) -> Look<bool> {
        let mut next = input.sig(*at)?;
        while next.byte.is_none() && !next.end {
            *at = next.at;
            next = input.sig(*at)?;
        }
        if next.byte == Some(b',') {
            next = input.sig(next.at + 1)?;
        }
        Ok(next.end || (self.fence.is_some() && input.starts(next.at, "```")?))
    }

    fn keep(&mut self, inside: Inside) {
        let Inside { machine, found, start, .. } = inside;
        let end = machine.at();
        let (document, mut repairs, truncated) = machine.into_parts();
        if document.node_count() == 0 {
            self.back_to_prose(start, None);
            return;
        }
        repairs.splice(0..0, self.leading.drain(..));
        self.push(Candidate { document, found, span: start..end, repairs, truncated, region: self.region });
    }

    fn push(&mut self, candidate: Candidate<'a>) {
        self.at = candidate.span.end;
        self.after_value = true;
        self.bare = false;
        self.tagged = false;
        self.extra = None;
        let object = candidate.document.root().kind() == Kind::Object;
        let first = self.candidates.last().is_none_or(|last| last.region != candidate.region);
        self.objects = match (object, first) {
            (true, true) => 1,
            (true, false) if self.objects > 0 => self.objects + 1,
            _ => 0,
        };
        self.mended |= candidate.repairs.iter().any(|r| {
            let kind = r.kind();
            matches!(kind, RepairKind::MissingCloser | RepairKind::MismatchedCloser | RepairKind::TrailingComma)
        });
        self.candidates.push(candidate);
    }

    fn back_to_prose(&mut self, start: usize, error: Option<Error>) {
        self.fallback = self.fallback.or(error);
        self.dropped += 1;
        self.at = start + 1;
        self.bare = false;
        self.note_words();
    }

    fn note_words(&mut self) {
        self.after_value = false;
        self.tagged = false;
        if !self.wordy {
            self.wordy = true;
            self.wordy_regions.push(self.region);
        }
    }

    /// At the strict level, a text is cut only where it begins what is JSON: there the machine, which repairs ends,
    /// and the grammar may differ.
    fn named(&self, input: &Input<'_>, start: usize, error: Error) -> Error {
        if self.options.level() > Level::Strict || !input.eof {
            return error;
        }
        let mut slots = Vec::new();
        match parse::value(input.bytes(), start, self.options.limits(), &mut slots) {
            Err(strict) if strict.is_truncated() != error.is_truncated() => strict,
            _ => error,
        }
    }

    /// A value can't be read at this level.
    fn give_up(&mut self, input: &Input<'_>, inside: Inside, error: Error) -> Look<bool> {
        let error = self.named(input, inside.start, error);
        let hard = matches!(error.kind(), ErrorKind::TooDeep | ErrorKind::TooLong);
        if inside.lone {
            // A key, its object without a brace: what stands in its value is no answer.
            let member = error.needs().is_some_and(|r| r.kind() == RepairKind::MissingOpenBrace);
            let at = if member { inside.machine.at() } else { 0 };
            if member && self.fence.is_some() {
                self.failed = Some(error);
                self.show_refused(input, inside);
                return Ok(true);
            }
            self.back_to_prose(inside.start, Some(error));
            self.fences_only |= member;
            self.at = self.at.max(at);
            return Ok(true);
        }
        let meant = match outside::begins(input, inside.start, false) {
            Ok(meant) => meant,
            Err(Wait) => {
                self.show_refused(input, inside);
                return Err(Wait);
            }
        };
        if !meant && !hard {
            self.pass_bracket(input, inside.start, 1)?;
            self.back_to_prose(inside.start, Some(error));
        } else if inside.found == Found::Prose && !hard {
            self.fallback = self.fallback.or(Some(error));
            self.fences_only = true;
            self.at = inside.machine.at().max(inside.start + 1);
            self.note_words();
        } else {
            self.failed = Some(error);
            self.show_refused(input, inside);
        }
        Ok(true)
    }

    fn show_refused(&mut self, input: &Input<'_>, mut inside: Inside) {
        inside.machine.show_unrefused(input, inside.start);
        self.inside = Some(inside);
    }

    fn look_for_value(&mut self, input: &Input<'_>, whole: Option<&'a str>) -> Look<bool> {
        if let Some((from, tag)) = self.closing {
            return self.pass_reasoning(input, from, tag);
        }
        let quiet = self.bare || self.after_value;
        let mark = outside::next(input, &mut self.at, self.bare, quiet, self.unclosed.is_some())?;
        match mark {
            Mark::End => Ok(false),
            Mark::Words => {
                self.bare = false;
                self.note_words();
                Ok(true)
            }
            Mark::Separator => {
                let comma = self.options.level() > Level::Strict
                    && self.after_value
                    && input.byte(self.at)? == Some(b',')
                    && outside::item_follows(input, input.sig(self.at + 1)?.at)?;
                if comma {
                    // A list that has lost its bracket.
                    let at = self.at as u32;
                    self.note_after_value(Repair::new(RepairKind::StrayText, Severity::Guess, (at, at + 1), 0));
                }
                self.at += 1;
                Ok(true)
            }
            Mark::Closer => {
                let byte = input.byte(self.at)?;
                if !self.close_bracket(byte) && (self.bare || self.after_value) {
                    if self.after_value && self.candidates.last().is_some_and(|last| !last.document.is_whole()) {
                        self.lacks = true;
                        return Err(Wait);
                    }
                    self.extra_closer(byte);
                }
                self.at += 1;
                Ok(true)
            }
            Mark::Fence { fence, body } => {
                self.at = body;
                let closes = self.fence.is_some_and(|open| open.byte == fence.byte) && !fence.info;
                self.after_value = false;
                self.wordy = false;
                self.unclosed = None;
                self.mended = false;
                if closes {
                    self.fence = None;
                    self.region += 1;
                    self.bare = false;
                } else {
                    self.fence = Some(fence);
                    self.region += 1;
                    self.bare = true;
                }
                Ok(true)
            }
            Mark::Reasoning { body, tag } => {
                self.closing = Some((self.at, tag));
                self.at = body;
                Ok(true)
            }
            Mark::ReasoningEnd { after } => {
                // The block was opened before the text began: all that was read is reasoning.
                self.cut(0..after);
                Ok(true)
            }
            Mark::Tag { after } => {
                self.at = after;
                self.tagged = self.bare;
                self.after_value = false;
                Ok(true)
            }
            Mark::Lone => self.begin_lone(input, whole),
            Mark::Bracket => self.begin(input, whole),
        }
    }

    fn cut(&mut self, range: Range<usize>) {
        self.at = range.end;
        self.reasoning.clear();
        self.reasoning.push(range);
        self.candidates.clear();
        self.wordy_regions.clear();
        self.fence = None;
        self.region += 1;
        self.wordy = false;
        self.after_value = false;
        self.bare = true;
        self.fences_only = false;
        self.fallback = None;
        self.unclosed = None;
        self.mended = false;
    }

    fn pass_reasoning(&mut self, input: &Input<'_>, from: usize, tag: &'static str) -> Look<bool> {
        let rest = input.bytes().get(self.at..).unwrap_or_default();
        match memchr::memmem::find(rest, tag.as_bytes()) {
            Some(step) => {
                input.step(step);
                self.at += step + tag.len();
                self.reasoning.push(from..self.at);
                self.closing = None;
                self.bare = !self.wordy;
                Ok(true)
            }
            None if input.eof => {
                self.reasoning.push(from..input.len());
                self.closing = None;
                self.at = input.len();
                Ok(true)
            }
            None => {
                input.step(rest.len());
                self.at = self.at.max(input.len().saturating_sub(tag.len()));
                Err(Wait)
            }
        }
    }

    fn found(&self) -> Found {
        match (&self.fence, self.tagged, self.bare) {
            (Some(_), ..) => Found::Fence,
            (None, true, _) => Found::Tag,
            (None, _, true) => Found::Whole,
            _ => Found::Prose,
        }
    }

    /// A bracket that may begin a value.
    fn begin(&mut self, input: &Input<'_>, whole: Option<&'a str>) -> Look<bool> {
        let start = self.at;
        let first = self.bare || self.after_value;
        let object = self.options.root() == crate::RootHint::Object;
        if (self.fences_only && self.fence.is_none())
            || ((!self.bare || self.dropped >= TRIES) && !outside::begins(input, start, object && !first)?)
        {
            let end = outside::after_brackets(input, start);
            self.pass_bracket(input, start, end - start)?;
            self.at = end;
            self.bare = false;
            self.note_words();
            return Ok(true);
        }
        if let Some(open) = &self.unclosed {
            let span = (open.at as u32, start as u32);
            let stray = Repair::new(RepairKind::StrayText, Severity::Guess, span, 0);
            if !self.options.allows(stray.kind(), stray.severity()) {
                let error = self.fallback.or(Some(Error::needing(stray)));
                if self.fence.is_some() {
                    self.failed = error;
                } else {
                    self.fallback = error;
                    self.fences_only = true;
                }
                return Ok(true);
            }
            self.leading.push(stray);
        }
        let found = self.found();
        self.keyed = found == Found::Prose && outside::is_after_key(input, start);
        if let Some(text) = whole
            && let Ok((document, end)) = Document::parse_prefix(text, start, self.options.limits())
        {
            input.step(end - start);
            if !outside::continues(input, end, document.root().kind())? {
                let repairs = std::mem::take(&mut self.leading);
                let region = self.region;
                self.push(Candidate { document, found, span: start..end, repairs, truncated: false, region });
                return Ok(true);
            }
        }
        let machine = Machine::new(start, self.fence.is_some(), self.options);
        self.inside = Some(Inside { machine, found, start, lone: false, after: 0 });
        Ok(true)
    }

    /// A string, or a scalar, with which the text or fence begins.
    fn begin_lone(&mut self, input: &Input<'_>, whole: Option<&'a str>) -> Look<bool> {
        let start = self.at;
        self.keyed = false;
        let found = self.found();
        if self.dropped >= TRIES || self.fence.map_or(self.fences_only, |fence| !fence.line) {
            self.back_to_prose(start, None);
            return Ok(true);
        }
        if let Some(text) = whole
            && let Ok((document, end)) = Document::parse_prefix(text, start, self.options.limits())
            && self.ends_with(input, &mut { end })?
        {
            let repairs = std::mem::take(&mut self.leading);
            self.push(Candidate { document, found, span: start..end, repairs, truncated: false, region: self.region });
            return Ok(true);
        }
        let quoted = outside::is_quote(input, start)?;
        if !quoted {
            let end = outside::token_end(input, start)?;
            let token = input.slice(start, end);
            let apart = match input.char(end)? {
                None | Some(' ' | '\n' | '\r' | '\t' | ',') => true,
                Some('`') => self.fence.is_some(),
                Some(c) => is_special_space(c),
            };
            // A number that goes on past the window may still be one.
            let digits = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
            let long = token.len() >= WINDOW && token.bytes().all(digits);
            let known = long || (end > start && apart && classify(token).is_some());
            if !known && input.byte(start)? != Some(b'(') {
                self.back_to_prose(start, None);
                return Ok(true);
            }
        }
        let machine = Machine::new(start, self.fence.is_some(), self.options);
        self.inside = Some(Inside { machine, found, start, lone: true, after: 0 });
        Ok(true)
    }

    /// A text that is one string, with quotes inside that should have been escaped.
    fn read_quoted_whole(&mut self, input: &Input<'_>) -> Result<(), Error> {
        let start = input.len() - input.text.trim_start().len();
        let end = input.text.trim_end().len();
        let text = input.slice(start, end);
        if text.len() < 2 || !text.starts_with('"') || !text.ends_with('"') || text.contains('\n') {
            return Ok(());
        }
        let mut machine = Machine::new(start, false, self.options).with_root_end(end - 1);
        match machine.run(input) {
            Progress::Done if machine.at() == end => {
                self.keep(Inside { machine, found: Found::Whole, start, lone: true, after: 0 });
                Ok(())
            }
            Progress::Blocked(repair) => Err(Error::needing(repair)),
            _ => Ok(()),
        }
    }

    /// What the whole text holds.
    pub(crate) fn finish(mut self, input: &Input<'_>) -> Result<Reading<'a>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.candidates.is_empty() && self.fallback.is_none() && !self.membered {
            self.read_quoted_whole(input)?;
        }
        let fenced = self.candidates.iter().any(|c| c.found == Found::Fence);
        if let Some(error) = self.fallback.filter(|_| self.fences_only && !fenced) {
            return Err(error);
        }
        self.candidates.retain(|c| c.region != REFUSED);
        let (candidates, passed_over): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.candidates).into_iter().partition(|c| !fenced || c.found == Found::Fence);
        let Some(first) = candidates.first() else {
            return Err(self.fallback.unwrap_or_else(|| Error::new(ErrorKind::NotFound, input.len())));
        };
        let region = first.region;
        let sequence = candidates.len() > 1
            && candidates.iter().all(|c| c.region == region)
            && !self.wordy_regions.contains(&region);
        Ok(Reading {
            candidates,
            passed_over,
            reasoning: self.reasoning,
            sequence,
            unclosed_fence: self.fence.is_some(),
        })
    }
}
