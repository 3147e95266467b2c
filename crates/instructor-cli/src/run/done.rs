//! Which rows are done: a bit for each.

use std::collections::BTreeMap;

/// A page has so many words.
const WORDS: usize = 1024;
const PAGE: u64 = 64 * WORDS as u64;

/// A set of row numbers. 100,000 of them take 16 KiB, whatever their order.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pages: BTreeMap<u64, Box<[u64; WORDS]>>,
    count: u64,
}

impl Done {
    /// Whether it was not there yet.
    pub(crate) fn insert(&mut self, row: u64) -> bool {
        let page = self.pages.entry(row / PAGE).or_insert_with(|| Box::new([0; WORDS]));
        let Some(word) = page.get_mut(place(row)) else { return false };
        let new = *word & bit(row) == 0;
        *word |= bit(row);
        self.count += u64::from(new);
        new
    }

    pub(crate) fn contains(&self, row: u64) -> bool {
        self.pages.get(&(row / PAGE)).and_then(|page| page.get(place(row))).is_some_and(|word| word & bit(row) != 0)
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }
}

const fn place(row: u64) -> usize {
    (row % PAGE / 64) as usize
}

const fn bit(row: u64) -> u64 {
    1 << (row % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn it_is_a_set() {
        let (mut done, mut set) = (Done::default(), HashSet::new());
        // In no order, over several pages, some twice, and one that is out of all proportion.
        let rows = (0..3 * PAGE).map(|i| i * 7919 % (2 * PAGE)).chain([u64::MAX, 0, 63, 64]);
        for row in rows {
            assert_eq!(done.insert(row), set.insert(row), "{row}");
        }
        assert_eq!(done.count(), set.len() as u64);
        for row in (0..3 * PAGE).chain([u64::MAX, u64::MAX - 1]) {
            assert_eq!(done.contains(row), set.contains(&row), "{row}");
        }
    }
}
