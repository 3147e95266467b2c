//! Which validator functions have passed on which parts of an answer, so that none runs twice.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use instructor_json::Node;

use super::{Issues, Path};

/// What has passed on an answer so far. A part of it is validated when it is complete; what is around it, and at the end
/// the whole, is validated without what passed in there, as long as the text is the same.
#[derive(Debug)]
pub(crate) struct Visit(Mutex<Visited>);

#[derive(Debug)]
struct Visited {
    /// Where the value is whose functions run now.
    place: Path,
    /// The part that is validated: where it is, and which it is, counted from 1.
    part: (Path, usize),
    /// The parts that were, by their places: which, and the hash of the text.
    parts: BTreeMap<Path, (usize, u64)>,
    /// What functions said of values at their places, and while which part was validated.
    said: HashMap<(Path, TypeId), Said>,
}

#[derive(Debug)]
struct Said {
    part: (Path, usize),
    good: bool,
}

impl Visit {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Visited::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Visited> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another answer comes.
    pub(crate) fn forget(&self) {
        *self.lock() = Visited::new();
    }

    /// The value at a place is validated now.
    pub(crate) fn begin(&self, place: Path, value: Node<'_>) {
        let mut visited = self.lock();
        visited.drop_others(&place, value);
        let number = visited.part.1 + 1;
        visited.parts.insert(place.clone(), (number, hash(value)));
        visited.part = (place.clone(), number);
        visited.place = place;
    }

    /// Goes to a part of the value whose functions run; gives the place before.
    pub(super) fn enter(&self, step: impl FnOnce(Path) -> Path) -> Path {
        let mut visited = self.lock();
        let inner = step(visited.place.clone());
        std::mem::replace(&mut visited.place, inner)
    }

    pub(super) fn leave(&self, before: Path) {
        self.lock().place = before;
    }

    /// Runs a function on the value at a place, unless it has passed there.
    pub(super) fn once(
        &self,
        step: impl FnOnce(Path) -> Path,
        function: TypeId,
        run: impl FnOnce() -> Issues,
    ) -> Issues {
        let key = (step(self.lock().place.clone()), function);
        if self.lock().has_passed(&key) {
            return Issues::new();
        }
        let found = run();
        self.lock().note(key, found.is_empty());
        found
    }
}

impl Visited {
    fn new() -> Self {
        let (place, part) = (Path::root(), (Path::root(), 0));
        Self { place, part, parts: BTreeMap::new(), said: HashMap::new() }
    }

    /// Drops the parts of a value that were validated with another text than they have now: another candidate for the
    /// answer was read before, or a key comes twice, or the answer was aligned.
    fn drop_others(&mut self, place: &Path, value: Node<'_>) {
        let from = self.parts.range(place.clone()..).map(|(known, _)| known);
        let near = from.take_while(|known| known.as_str().starts_with(place.as_str()));
        let known: Vec<Path> = near.filter(|known| known.inside(place).is_some()).cloned().collect();
        if known.is_empty() {
            return;
        }
        let mut texts = HashMap::new();
        hashes(value, place.clone(), &mut texts);
        for place in known {
            if self.parts.get(&place).map(|(_, text)| text) != texts.get(&place) {
                self.parts.remove(&place);
            }
        }
    }

    fn has_passed(&self, key: &(Path, TypeId)) -> bool {
        // In one part, the same place may be of two values: not every container tells where its values are.
        let before = self.said.get(key).filter(|said| said.good && said.part.1 != self.part.1);
        before.is_some_and(|said| self.parts.get(&said.part.0).is_some_and(|(number, _)| *number == said.part.1))
    }

    fn note(&mut self, key: (Path, TypeId), good: bool) {
        let new = || Said { part: self.part.clone(), good: true };
        let said = self.said.entry(key).or_insert_with(new);
        if said.part.1 != self.part.1 {
            *said = new();
        }
        said.good &= good;
    }
}

fn hash(value: Node<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.source().hash(&mut hasher);
    hasher.finish()
}

fn hashes(value: Node<'_>, place: Path, found: &mut HashMap<Path, u64>) {
    for (index, item) in value.items().enumerate() {
        hashes(item, place.clone().index(index), found);
    }
    for (key, inner) in value.entries() {
        hashes(inner, place.clone().key(&key.as_str().unwrap_or_default()), found);
    }
    found.insert(place, hash(value));
}
