//! Where a pattern is in a text but for a few edits: the bit-parallel algorithm of Myers in blocks of 64 rows, run only
//! where a piece of the pattern stands unchanged.

use std::ops::Range;

use memchr::memmem;

const ROWS: usize = 64;

/// A place that a pattern is at, with how many edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) span: Range<usize>,
    pub(super) edits: usize,
}

/// Places of which each is the best around it, those with the fewest edits first.
pub(super) fn find(pattern: &[u8], text: &[u8], most: usize) -> Vec<Near> {
    /// In a text that repeats itself there may be as many as there are bytes.
    const CANDIDATES: usize = 64;

    if pattern.is_empty() || most >= pattern.len() {
        return Vec::new();
    }
    let matcher = Matcher::new(pattern.iter().copied());
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for window in windows(pattern, text, most) {
        let start = window.start;
        let inside = text.get(window).unwrap_or_default();
        let mut last: Option<(usize, usize)> = None;
        matcher.run(inside.iter().copied(), false, most, |length, edits| {
            if edits > most {
                return;
            }
            match &mut last {
                // The same place, a little further on.
                Some((end, fewest)) if start + length <= *end + pattern.len() / 2 => {
                    if edits < *fewest {
                        (*end, *fewest) = (start + length, edits);
                    }
                }
                _ => ends.extend(last.replace((start + length, edits))),
            }
        });
        ends.extend(last);
    }
    ends.sort_by_key(|(end, edits)| (*edits, *end));
    ends.truncate(CANDIDATES);
    let backwards = Matcher::new(pattern.iter().rev().copied());
    let near = ends.into_iter().map(|(end, edits)| {
        let longest = text.get(end.saturating_sub(pattern.len() + most)..end).unwrap_or_default();
        let mut best = (usize::MAX, 0, 0);
        backwards.run(longest.iter().rev().copied(), true, edits, |length, edits| {
            best = best.min((edits, length.abs_diff(pattern.len()), length));
        });
        Near { span: end - best.2..end, edits }
    });
    near.collect()
}

/// The parts of the text that a place with so few edits can be in: of one piece more than there are edits, one at least
/// is as it was.
fn windows(pattern: &[u8], text: &[u8], most: usize) -> Vec<Range<usize>> {
    let pieces = most + 1;
    let mut found: Vec<Range<usize>> = Vec::new();
    for index in 0..pieces {
        let (from, to) = (index * pattern.len() / pieces, (index + 1) * pattern.len() / pieces);
        let piece = pattern.get(from..to).unwrap_or_default();
        // Where a piece overlaps itself, not each of its places is looked at.
        let slack = most + piece.len();
        let mut open: Option<Range<usize>> = None;
        for at in memmem::find_iter(text, piece) {
            let start = at.saturating_sub(from + slack);
            let end = (at + pattern.len() - from + slack).min(text.len());
            match &mut open {
                Some(window) if window.end >= start => window.end = end,
                _ => found.extend(open.replace(start..end)),
            }
        }
        found.extend(open);
    }
    found.sort_by_key(|window| window.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for window in found {
        match merged.last_mut().filter(|last| last.end >= window.start) {
            Some(last) => last.end = last.end.max(window.end),
            None => merged.push(window),
        }
    }
    merged
}

/// A pattern: of each block of it, for each byte the rows that it is in.
struct Matcher {
    blocks: Vec<[u64; 256]>,
    len: usize,
}

/// A block of the column that belongs to one byte of the text.
#[derive(Clone)]
struct Block {
    /// Whether a row is one more than the row before, and whether it is one less.
    up: u64,
    down: u64,
    /// What the last row is.
    edits: usize,
}

impl Block {
    const fn new(edits: usize) -> Self {
        Self { up: u64::MAX, down: 0, edits }
    }

    /// Goes on to a byte, which is in these rows. Whether the row before the block has grown or shrunk by that; and of the
    /// last row the same.
    const fn advance(&mut self, mut same: u64, (more, less): (u64, u64), last: usize) -> (u64, u64) {
        let vertical = same | self.down;
        same |= less;
        let horizontal = ((same & self.up).wrapping_add(self.up) ^ self.up) | same;
        let grows = self.down | !(horizontal | self.up);
        let shrinks = self.up & horizontal;
        let (grows_in, shrinks_in) = (grows << 1 | more, shrinks << 1 | less);
        self.up = shrinks_in | !(vertical | grows_in);
        self.down = grows_in & vertical;
        let (more, less) = (grows >> last & 1, shrinks >> last & 1);
        self.edits = self.edits + (more == 1) as usize - (less == 1) as usize;
        (more, less)
    }
}

impl Matcher {
    fn new(pattern: impl ExactSizeIterator<Item = u8>) -> Self {
        let len = pattern.len();
        let mut blocks = vec![[0; 256]; len.div_ceil(ROWS)];
        for (row, byte) in pattern.enumerate() {
            if let Some(rows) = blocks.get_mut(row / ROWS).and_then(|block| block.get_mut(usize::from(byte))) {
                *rows |= 1 << (row % ROWS);
            }
        }
        Self { blocks, len }
    }

    /// How many rows a block has.
    fn rows(&self, block: usize) -> usize {
        self.len.saturating_sub(block * ROWS).min(ROWS)
    }

    /// Tells after each byte of a text how many edits there are between the pattern and what ends there (which begins
    /// anywhere, or is all of it), where these are no more than `most`; elsewhere it may tell nothing.
    ///
    /// Blocks of which no row can be that little are left out, so that in most texts the length of the pattern does not
    /// matter.
    fn run(&self, text: impl Iterator<Item = u8>, all: bool, most: usize, mut tell: impl FnMut(usize, usize)) {
        let first = (0..self.blocks.len()).map(|block| Block::new((block * ROWS) + self.rows(block)));
        let mut column: Vec<Block> = first.collect();
        let mut active = (most + 1).div_ceil(ROWS).min(self.blocks.len());
        for (at, byte) in text.enumerate() {
            let same = |block: &[u64; 256]| block.get(usize::from(byte)).copied().unwrap_or_default();
            let mut step = (u64::from(all), 0);
            let mut edits = 0;
            for (number, (block, rows)) in column.iter_mut().zip(&self.blocks).take(active).enumerate() {
                step = block.advance(same(rows), step, self.rows(number) - 1);
                edits = block.edits;
            }
            let before = edits + usize::from(step.1 == 1) - usize::from(step.0 == 1);
            let next = self.blocks.get(active).map(same).filter(|rows| rows & 1 == 1 || step.1 == 1);
            match (column.get_mut(active), next) {
                (Some(block), Some(rows)) if before <= most => {
                    *block = Block::new(before + self.rows(active));
                    block.advance(rows, step, self.rows(active) - 1);
                    edits = block.edits;
                    active += 1;
                }
                _ => {
                    while active > 1 && column.get(active - 1).is_some_and(|block| block.edits >= most + ROWS) {
                        active -= 1;
                    }
                }
            }
            if active == self.blocks.len() {
                tell(at + 1, edits);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Matcher, find};

    /// The table of the definition.
    fn table(pattern: &[u8], text: &[u8], all: bool) -> Vec<usize> {
        let mut column: Vec<usize> = (0..=pattern.len()).collect();
        let mut last = Vec::new();
        for (at, byte) in text.iter().enumerate() {
            let mut before = column[0];
            column[0] = if all { at + 1 } else { 0 };
            for row in 1..=pattern.len() {
                let diagonal = before + usize::from(pattern[row - 1] != *byte);
                before = column[row];
                column[row] = diagonal.min(column[row] + 1).min(column[row - 1] + 1);
            }
            last.push(column[pattern.len()]);
        }
        last
    }

    proptest! {
        #[test]
        fn the_blocks_say_what_the_table_says(pattern in "[ab ]{1,200}", text in "[ab ]{0,300}", all in any::<bool>(), most in 0_usize..250) {
            let wanted = table(pattern.as_bytes(), text.as_bytes(), all);
            let mut said = vec![usize::MAX; text.len()];
            Matcher::new(pattern.bytes()).run(text.bytes(), all, most, |len, edits| said[len - 1] = edits);
            for (said, wanted) in said.into_iter().zip(wanted) {
                prop_assert!(said == wanted || said > most && wanted > most, "{} {}", said, wanted);
            }
        }

        #[test]
        fn the_best_place_is_found(pattern in "[abc]{8,90}", text in "[abc]{0,300}", most in 0_usize..7) {
            let best = table(pattern.as_bytes(), text.as_bytes(), false).into_iter().min().filter(|best| *best <= most);
            let found = find(pattern.as_bytes(), text.as_bytes(), most);
            prop_assert_eq!(found.first().map(|near| near.edits), best);
            for near in found {
                let there = table(pattern.as_bytes(), &text.as_bytes()[near.span], true);
                prop_assert_eq!(there.last().copied().unwrap_or(pattern.len()), near.edits);
            }
        }
    }
}
