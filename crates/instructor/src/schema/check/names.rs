//! A fixed list of names in which a name is looked up often: properties, enum strings, tags.

/// Up to this many, comparing one by one is faster than a search.
const FEW: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    list: Box<[Box<str>]>,
    /// Positions in `list` in the order of the names, if they are many.
    sorted: Box<[u32]>,
}

impl Names {
    /// Of equal names, only one is found.
    pub(super) fn new(list: Vec<Box<str>>) -> Self {
        let mut sorted = Vec::new();
        if list.len() > FEW {
            sorted.extend((0_u32..).zip(&list));
            sorted.sort_by_key(|(_, name)| *name);
        }
        let sorted = sorted.into_iter().map(|(i, _)| i).collect();
        Self { list: list.into(), sorted }
    }

    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        if self.sorted.is_empty() {
            return self.list.iter().position(|n| **n == *name);
        }
        let at = |i: &u32| self.get(*i as usize);
        let found = self.sorted.binary_search_by(|i| at(i).cmp(&Some(name))).ok()?;
        self.sorted.get(found).map(|i| *i as usize)
    }

    /// As [`find`](Self::find), with a guess: answers mostly have their keys in the order of the schema.
    #[inline]
    pub(super) fn find_near(&self, name: &str, guess: usize) -> Option<usize> {
        if self.get(guess) == Some(name) { Some(guess) } else { self.find(name) }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        self.list.get(index).map(|name| &**name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|name| &**name)
    }

    pub(super) const fn len(&self) -> usize {
        self.list.len()
    }
}
