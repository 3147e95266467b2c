//! From the text of an answer, as it arrives, to a sink.

use std::borrow::Cow;
use std::ops::Range;

use instructor_json::{Error, Event, Found, Scanner};

use super::grow::{Grow, Way};
use super::walk::{Frame, Walk};
use crate::model::Contract;
use crate::repair::ParseOptions;
use crate::schema::Dialect;
use crate::schema::plan::{Op, Plan};

/// Reads one answer while it arrives, and grows a sink with what is certain of it.
///
/// Of several values that stand in the text, the last counts, as it does for the whole text where that is allowed; one
/// between words does not count after one in a fence.
#[derive(Debug)]
pub(crate) struct Tracker {
    scanner: Scanner,
    /// The form that the model was shown, if it is not the type's own.
    form: Option<(Contract, Dialect)>,
    frames: Vec<Frame>,
    /// The events that are being followed.
    events: Vec<Event>,
    /// Where the value stood that the sink shows.
    shown: Option<Found>,
    /// The events that come are about that value.
    following: bool,
    /// The value that events are about.
    number: usize,
    steps: u64,
    takes_back: bool,
    /// The first node that the walk will look at again, if that is certain.
    keeps: Option<u32>,
}

impl Tracker {
    pub(crate) fn new(form: Option<(Contract, Dialect)>, options: ParseOptions) -> Self {
        Self {
            scanner: Scanner::new(options),
            form,
            frames: Vec::new(),
            events: Vec::new(),
            shown: None,
            following: false,
            number: 0,
            steps: 0,
            takes_back: false,
            keeps: None,
        }
    }

    /// The form that is undone.
    pub(crate) fn form(&self) -> Option<(Contract, Dialect)> {
        self.form.clone()
    }

    /// The same at its beginning.
    pub(crate) fn again(&self, options: ParseOptions) -> Self {
        Self::new(self.form.clone(), options)
    }

    /// Reads on in the text so far; whether the sink shows something else than before.
    ///
    /// # Errors
    ///
    /// When the text can't be read: the sink shows what was certain before.
    pub(crate) fn read(&mut self, text: &str, sink: &mut dyn Grow) -> Result<bool, Error> {
        let read = self.scanner.read(text);
        let changed = self.follow(text, sink);
        if let Some(node) = self.keeps.take() {
            self.scanner.forget(node);
        }
        read.map(|()| changed)
    }

    /// The text is complete; whether the sink shows something else than before. What the text's end cut stays open.
    pub(crate) fn end(&mut self, text: &str, sink: &mut dyn Grow) -> bool {
        self.scanner.end(text);
        self.follow(text, sink)
    }

    /// Whether the value that is followed stands where answers stand, and not between words.
    pub(crate) fn is_sure(&self) -> bool {
        self.shown.is_some_and(|found| found != Found::Prose)
    }

    /// How much was done: linear in the text, and in the depth of where it grows for each push.
    pub(crate) const fn steps(&self) -> u64 {
        self.steps + self.scanner.steps()
    }

    /// Whether something that was shown was taken back since the last call.
    pub(crate) fn took_back(&mut self) -> bool {
        std::mem::take(&mut self.takes_back)
    }

    fn clear(&mut self, sink: &mut dyn Grow) {
        self.takes_back |= sink.shows();
        sink.reset();
    }

    fn follow(&mut self, text: &str, sink: &mut dyn Grow) -> bool {
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.scanner.events());
        let changed = self.go(&events, text, sink);
        // The room is kept for the events of the next push.
        events.clear();
        self.events = events;
        changed
    }

    fn go(&mut self, events: &[Event], text: &str, sink: &mut dyn Grow) -> bool {
        let mut changed = false;
        let mut at = 0;
        while let Some(event) = events.get(at) {
            let turns = |event: &Event| matches!(event, Event::Candidate(_) | Event::Withdrawn | Event::Cleared);
            let rest = events.get(at + 1..).unwrap_or_default();
            let end = at + 1 + rest.iter().position(turns).unwrap_or(rest.len());
            // Of a value that is withdrawn, the document is gone.
            let gone = matches!(events.get(end), Some(Event::Withdrawn | Event::Cleared));
            match event {
                Event::Candidate(_) if gone => self.following = false,
                Event::Candidate(number) => {
                    self.number = *number;
                    changed |= self.start(sink);
                    changed |= self.walk(events, at + 1..end, sink);
                }
                Event::Withdrawn => changed |= self.withdraw(text, sink),
                Event::Cleared => {
                    changed |= self.shown.is_some();
                    self.clear(sink);
                    self.following = false;
                    self.shown = None;
                }
                _ if gone => {}
                _ => changed |= self.walk(events, at..end, sink),
            }
            at = end;
        }
        changed
    }

    fn plan(&self) -> Option<&Plan> {
        let (contract, dialect) = self.form.as_ref()?;
        contract.lowered(*dialect).ok().map(|lowered| &lowered.plan)
    }

    /// Where a value was found that the sink can show.
    fn suits(&self, number: usize, sink: &dyn Grow) -> Option<Found> {
        let told = self.scanner.told(number)?;
        let as_it_is = self.plan().is_none_or(|plan| matches!(plan.undo(plan.root), Op::Same));
        let never = as_it_is && sink.way(told.document.root().kind()) == Way::Never;
        (!never).then_some(told.found)
    }

    /// Whether a value that begins is followed, and from where on.
    fn start(&mut self, sink: &mut dyn Grow) -> bool {
        self.following = false;
        let Some(found) = self.suits(self.number, sink) else { return false };
        if self.shown == Some(Found::Fence) && found != Found::Fence {
            return false;
        }
        let better = self.shown.is_some_and(|before| before != found && found == Found::Fence);
        let replaced = self.shown.is_some() && (better || !sink.takes_all());
        if replaced {
            self.clear(sink);
        }
        self.shown = Some(found);
        self.following = true;
        self.frames = vec![Frame::root(self.plan().map_or(Plan::SAME, |plan| plan.root))];
        replaced
    }

    /// The last value is none, or none of them is.
    fn withdraw(&mut self, text: &str, sink: &mut dyn Grow) -> bool {
        let all = self.scanner.told(0).is_none();
        if !all && !std::mem::take(&mut self.following) {
            return false;
        }
        self.clear(sink);
        self.following = false;
        self.shown = None;
        // What was shown before is shown again.
        let before = (0..self.number).rev().filter_map(|number| Some((number, self.suits(number, sink)?)));
        let fenced = before.clone().find(|(_, found)| *found == Found::Fence);
        let shown = fenced.or_else(|| before.clone().next()).filter(|_| !all && !sink.takes_all());
        if shown.and_then(|(number, _)| self.scanner.told(number)).is_some_and(|told| !told.document.is_whole()) {
            self.scanner.remember(text);
        }
        if let Some((number, _)) = shown
            && let Some(told) = self.scanner.told(number)
        {
            let events = told.document.root().events();
            self.number = number;
            self.start(sink);
            self.walk(&events, 0..events.len(), sink);
        }
        true
    }

    fn walk(&mut self, events: &[Event], range: Range<usize>, sink: &mut dyn Grow) -> bool {
        let frames = std::mem::take(&mut self.frames);
        self.keeps = None;
        let Some(told) = self.scanner.told(self.number).filter(|told| self.following && !told.truncated) else {
            return false;
        };
        let same = Plan::default();
        let mut walk = Walk {
            plan: self.plan().unwrap_or(&same),
            doc: told.document,
            events: Cow::Borrowed(events.get(range).unwrap_or_default()),
            next: 0,
            frames,
            changed: false,
            whole: false,
            steps: 0,
            takes_back: false,
            keeps: None,
        };
        walk.run(0, 0, sink);
        let Walk { frames, changed, steps, takes_back, keeps, .. } = walk;
        self.frames = frames;
        self.keeps = keeps;
        self.steps += steps;
        self.takes_back |= takes_back;
        changed
    }
}
