//! What a client has learnt from refusals: the rung of the mode ladder on which a model takes a contract, so that the
//! refused attempts are made once and not with every call.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::mode::Rung;
use crate::model::Contract;

/// The most that is remembered; what was learnt first is forgotten first, at the price of asking once more.
const MOST: usize = 256;

/// One client's memory, shared by its clones. A lock is held for a look or a note, never over a call.
#[derive(Default)]
pub(crate) struct Memory {
    /// Whether there is anything to look for: nearly no client is ever refused, and then a call does not look.
    some: AtomicBool,
    learnt: RwLock<VecDeque<Learnt>>,
}

struct Learnt {
    contract: u64,
    model: Box<str>,
    rung: Rung,
}

impl Learnt {
    fn is(&self, model: &str, contract: u64) -> bool {
        self.contract == contract && *self.model == *model
    }
}

impl Memory {
    pub(crate) const fn new() -> Self {
        Self { some: AtomicBool::new(false), learnt: RwLock::new(VecDeque::new()) }
    }

    /// Where to start, if it was learnt.
    pub(crate) fn recall(&self, model: &str, contract: &Contract) -> Option<Rung> {
        if !self.some.load(Ordering::Acquire) {
            return None;
        }
        let id = contract.id();
        let learnt = self.learnt.read().unwrap_or_else(PoisonError::into_inner);
        learnt.iter().find(|entry| entry.is(model, id)).map(|entry| entry.rung)
    }

    /// Notes where a model took a contract after it had refused it elsewhere.
    pub(super) fn learn(&self, model: &str, contract: &Contract, rung: Rung) {
        let id = contract.id();
        let mut learnt = self.learnt.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = learnt.iter_mut().find(|entry| entry.is(model, id)) {
            entry.rung = rung;
            return;
        }
        if learnt.len() >= MOST {
            learnt.pop_front();
        }
        learnt.push_back(Learnt { contract: id, model: Box::from(model), rung });
        self.some.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("some", &self.some).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mode::{Mode, Plan};
    use crate::provider::Profile;
    use crate::provider::models::family;

    #[test]
    fn it_is_bounded_and_forgets_what_was_first() {
        let contract = Contract::from_schema(json!({ "type": "object" })).unwrap();
        let profile = Profile::openai_compatible("any", "http://localhost/v1");
        let rung = |mode| Plan::new(mode, &contract, &profile, family("m"), None).unwrap().rung();
        let memory = Memory::default();
        assert_eq!(memory.recall("m0", &contract), None);
        for n in 0..=MOST {
            memory.learn(&format!("m{n}"), &contract, rung(Mode::Tools));
        }
        assert_eq!(memory.recall("m0", &contract), None);
        assert_eq!(memory.recall("m1", &contract), Some(rung(Mode::Tools)));
        memory.learn("m1", &contract, rung(Mode::Json));
        assert_eq!(memory.recall("m1", &contract), Some(rung(Mode::Json)));
        assert_eq!(memory.recall(&format!("m{MOST}"), &contract), Some(rung(Mode::Tools)));
        assert_eq!(memory.learnt.read().unwrap().len(), MOST);
    }
}
