//! A text without what copying changes.

use std::ops::Range;
use std::sync::LazyLock;

/// A text in which white space, letter case, accents and the forms of quotation marks and dashes make no difference, with
/// the way back to the text as it was.
#[derive(Debug, Default)]
pub(super) struct Folded {
    text: String,
    /// Where in the text as it was each byte comes from, and at last its end.
    origins: Vec<u32>,
}

/// Letters with accents, each after the letter that it is without.
const ACCENTED: &[(char, &str)] = &[
    ('a', "àáâãäåāăąǎǻȁȃȧạảấầẩẫậắằẳẵặ"),
    ('c', "çćĉċč"),
    ('d', "ďđḋḍḏ"),
    ('e', "èéêëēĕėęěȅȇȩẹẻẽếềểễệ"),
    ('g', "ĝğġģǧǵḡ"),
    ('h', "ĥħḣḥḧḩḫ"),
    ('i', "ìíîïĩīĭįǐȉȋỉịı"),
    ('j', "ĵǰ"),
    ('k', "ķǩḱḳḵ"),
    ('l', "ĺļľłḷḹḻ"),
    ('m', "ḿṁṃ"),
    ('n', "ñńņňǹṅṇṉ"),
    ('o', "òóôõöøōŏőơǒǫȍȏȯọỏốồổỗộớờởỡợ"),
    ('p', "ṕṗ"),
    ('r', "ŕŗřȑȓṙṛṟ"),
    ('s', "śŝşšșṡṣſ"),
    ('t', "ţťŧțṫṭṯ"),
    ('u', "ùúûüũūŭůűųưǔȕȗụủứừửữự"),
    ('v', "ṽṿ"),
    ('w', "ŵẁẃẅẇẉ"),
    ('x', "ẋẍ"),
    ('y', "ýÿŷȳẏỳỵỷỹ"),
    ('z', "źżžẑẓẕ"),
];

impl Folded {
    pub(super) fn of(text: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(text.len()), origins: Vec::with_capacity(text.len() + 1) };
        for (at, c) in text.char_indices() {
            folded.add(c, at);
        }
        folded.origins.push(offset(text.len()));
        folded
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What a range of bytes was: whole characters, with the accents that follow them.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        let at = |index: usize| self.origins.get(index).copied().unwrap_or_default();
        let start = at(range.start);
        let last = at(range.end.saturating_sub(1));
        // A character may have become several bytes, of which the range has only some.
        let after = self.origins.get(range.end..).unwrap_or_default();
        let end = after.iter().copied().find(|origin| *origin > last).unwrap_or(last);
        start as usize..end as usize
    }

    fn add(&mut self, c: char, at: usize) {
        match c {
            '`' => self.push('\'', at),
            _ if c.is_ascii_whitespace() => self.space(at),
            _ if c.is_ascii() => self.push(c.to_ascii_lowercase(), at),
            // What is not seen, and accents that are characters of their own.
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' => {}
            '\u{300}'..='\u{36f}' => {}
            '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' | '‹' | '›' | '´' => self.push('\'', at),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => self.push('"', at),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '﹘' | '﹣' => self.push('-', at),
            '…' => self.all("...", at),
            'ﬀ' => self.all("ff", at),
            'ﬁ' => self.all("fi", at),
            'ﬂ' => self.all("fl", at),
            'ﬃ' => self.all("ffi", at),
            'ﬄ' => self.all("ffl", at),
            'ß' | 'ẞ' => self.all("ss", at),
            'ς' => self.push('σ', at),
            '\u{ff01}'..='\u{ff5e}' => {
                let plain = char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
                self.add(plain, at);
            }
            _ if c.is_whitespace() => self.space(at),
            _ => {
                for c in c.to_lowercase().filter(|c| !('\u{300}'..='\u{36f}').contains(c)) {
                    self.push(without_accent(c), at);
                }
            }
        }
    }

    fn space(&mut self, at: usize) {
        if !self.text.ends_with(' ') {
            self.push(' ', at);
        }
    }

    fn all(&mut self, chars: &str, at: usize) {
        chars.chars().for_each(|c| self.push(c, at));
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.origins.extend(std::iter::repeat_n(offset(at), c.len_utf8()));
    }
}

/// A text of more than 4 GiB is none that a model has read.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn without_accent(c: char) -> char {
    /// By the letters of two ranges, one after the other.
    static PLAIN: LazyLock<Vec<Option<char>>> = LazyLock::new(|| {
        let mut plain = vec![None; 0x290];
        for (letter, accented) in ACCENTED {
            for slot in accented.chars().filter_map(slot) {
                if let Some(known) = plain.get_mut(slot) {
                    *known = Some(*letter);
                }
            }
        }
        plain
    });
    fn slot(c: char) -> Option<usize> {
        match c {
            '\u{c0}'..='\u{24f}' => Some(c as usize - 0xc0),
            '\u{1e00}'..='\u{1eff}' => Some(c as usize - 0x1e00 + 0x190),
            _ => None,
        }
    }
    slot(c).and_then(|slot| *PLAIN.get(slot)?).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Folded;

    #[test]
    fn what_copying_changes_makes_no_difference() {
        for (one, other) in [
            ("A  b\n\tc", "a b c"),
            ("“It’s” – so…", "\"It's\" - so..."),
            ("Cafe\u{301} Münster", "café MUNSTER"),
            ("ﬁnal oﬃce", "final office"),
            ("soft\u{ad}ware", "software"),
            ("ＡＢＣ１２３", "abc123"),
            ("Straße ΟΔΟΣ", "STRASSE οδος"),
            ("tiếng Việt", "tieng viet"),
        ] {
            assert_eq!(Folded::of(one).text(), Folded::of(other).text(), "{one}");
        }
        assert_ne!(Folded::of("日本語").text(), Folded::of("日本话").text());
    }

    #[test]
    fn the_way_back_has_whole_characters() {
        let text = "x cafe\u{301}… y";
        let folded = Folded::of(text);
        let at = folded.text().find("cafe").unwrap();
        assert_eq!(&text[folded.origin(at..at + 4)], "cafe\u{301}");
        assert_eq!(&text[folded.origin(at..at + 5)], "cafe\u{301}…");
    }

    proptest! {
        #[test]
        fn every_range_is_a_range_of_the_text(text in "\\PC{0,40}", from in 0_usize..60, len in 1_usize..20) {
            let folded = Folded::of(&text);
            let end = (from + len).min(folded.text().len());
            if from < end {
                let origin = folded.origin(from..end);
                prop_assert!(text.get(origin.clone()).is_some(), "{origin:?} of {text:?}");
            }
        }
    }
}
