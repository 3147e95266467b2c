//! Brackets outside of any value: they tell of a beginning or an end that was lost.

use crate::Error;
use crate::input::{Input, Look};
use crate::reading::Found;
use crate::repair::{Level, Repair, RepairKind, Severity};

use super::{Engine, REFUSED};

/// A bracket that was taken for a word and has not been closed: what stands in it is no answer, but a part of one.
#[derive(Debug)]
pub(super) struct Unclosed {
    pub(super) byte: u8,
    pub(super) count: usize,
    pub(super) at: usize,
}

impl Engine<'_> {
    /// A bracket that closes nothing.
    pub(super) fn extra_closer(&mut self, byte: Option<u8>) {
        if self.options.level() == Level::Strict {
            return;
        }
        let at = self.at as u32;
        let severity = if self.after_value { self.extra_severity(byte) } else { Severity::Lossless };
        self.note_after_value(Repair::new(RepairKind::ExtraCloser, severity, (at, at + 1), 0));
    }

    /// A repair that what follows a value asks for.
    pub(super) fn note_after_value(&mut self, repair: Repair) {
        let allowed = self.options.allows(repair.kind(), repair.severity());
        match self.candidates.last_mut() {
            Some(last) if self.after_value && allowed => last.repairs.push(repair),
            Some(last) if self.after_value => {
                let error = Error::needing(repair);
                if last.found == Found::Prose {
                    last.region = REFUSED;
                    self.fallback = self.fallback.or(Some(error));
                    self.fences_only = true;
                    self.note_words();
                } else {
                    self.failed = Some(error);
                }
            }
            _ => self.leading.push(repair),
        }
    }

    /// Whether a bracket after a value is one too many for sure: not where it may be the end of something whose
    /// beginning was lost, or the end of the value, which another bracket then closed too early.
    fn extra_severity(&mut self, byte: Option<u8>) -> Severity {
        let Some(last) = self.candidates.last() else { return Severity::Lossless };
        let (mended, wordy) = (self.mended || self.keyed, self.wordy);
        // `{"a": 1}, {"b": 2}]` is the same list with its bracket.
        let (brace, bracket) = *self
            .extra
            .get_or_insert_with(|| (!mended && !last.document.may_end_later(), !mended && !wordy && self.objects > 1));
        let sure = if byte == Some(b'}') { brace } else { bracket };
        if sure { Severity::Lossless } else { Severity::Guess }
    }

    /// A bracket that was taken for a word.
    pub(super) fn pass_bracket(&mut self, input: &Input<'_>, start: usize, count: usize) -> Look<()> {
        let Some(byte) = input.byte(start)? else { return Ok(()) };
        let like_json = self.bare || (byte == b'{' && matches!(input.sig(start + 1)?.byte, Some(b'"' | b'\'')));
        match &mut self.unclosed {
            Some(open) if open.byte == byte => open.count += count,
            None if like_json => self.unclosed = Some(Unclosed { byte, count, at: start }),
            _ => {}
        }
        Ok(())
    }

    /// Whether a bracket closes one that was taken for a word.
    pub(super) fn close_bracket(&mut self, byte: Option<u8>) -> bool {
        let Some(open) = &mut self.unclosed else { return false };
        if byte != Some(if open.byte == b'{' { b'}' } else { b']' }) {
            return false;
        }
        open.count -= 1;
        if open.count == 0 {
            self.unclosed = None;
        }
        true
    }
}
