//! An answer while it arrives: where in it the value's text is, and who follows it.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use instructor_json::Document;

use crate::cost::{Money, Price};
use crate::error::{ErrorKind, TransportError};
use crate::growth::room;
use crate::message::{Part, ToolCall};
use crate::mode::{Plan, Site};
use crate::provider::Profile;
use crate::repair::Repair;
use crate::validate::{Issue, Issues, Origin, Path};
use crate::wire::{Hearing, Response, Told, Undecoded, Usage};

/// How much of the end of a streamed body is kept, for errors.
const TAIL: usize = 16 << 10;

/// Why an answer need not be read to its end.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) kind: ErrorKind,
    pub(crate) detail: String,
    pub(crate) issues: Issues,
}

impl Stop {
    /// What comes is no answer any more.
    pub(crate) fn runaway(why: &str) -> Self {
        let issue = Issue::found_by(Origin::Reading, Path::root(), "an answer that comes to its end").got(why);
        Self { kind: ErrorKind::Runaway, detail: format!("stopped: {why}"), issues: issue.into() }
    }
}

/// What the attempts before used and cost, and what all may.
#[derive(Debug, Default)]
pub(super) struct Purse {
    /// How many tokens.
    pub(super) tokens: Option<(u64, u64)>,
    pub(super) money: Option<Till>,
}

/// How much money, and what an answer adds to it.
#[derive(Debug)]
pub(super) struct Till {
    pub(super) used: Money,
    pub(super) most: Money,
    pub(super) price: Price,
    /// About how many tokens were sent, and when.
    pub(super) sent: u64,
    pub(super) at: Duration,
}

impl Purse {
    /// Why no more may be generated after so many bytes. What was counted is asked for only where there is a limit.
    fn spent(&self, usage: impl FnOnce() -> Usage, bytes: usize) -> Option<Stop> {
        if self.tokens.is_none() && self.money.is_none() {
            return None;
        }
        let usage = usage();
        let output = generated(usage, bytes);
        let stop = |detail| Stop { kind: ErrorKind::Budget, detail, issues: Issues::new() };
        if let Some((used, most)) = self.tokens {
            let tokens = used + usage.input.unwrap_or_default() + output;
            if tokens > most {
                return Some(stop(format!("about {tokens} of {most} tokens are used; the answer was ended")));
            }
        }
        let Till { used, most, price, sent, at } = self.money.as_ref()?;
        let about = Usage { input: Some(usage.input.unwrap_or(*sent)), output: Some(output), ..usage };
        let spent = *used + price.cost(&about, *at)?;
        (spent > *most).then(|| stop(format!("about {spent} of {most} are spent; the answer was ended")))
    }
}

/// About how many tokens were generated: what the provider has counted, or a token for four bytes, if that is more.
pub(super) fn generated(usage: Usage, bytes: usize) -> u64 {
    usage.output.unwrap_or_default().max(bytes as u64 / 4)
}

/// Follows the value's text while it arrives.
pub(crate) trait Follow: Send {
    /// An attempt begins that asks in this way: nothing that was told before counts.
    fn begin(&mut self, plan: &Plan<'_>);

    /// What was told of this attempt was not the value's text.
    fn restart(&mut self);

    /// The text so far, and from where on it is new; whether there is something new to show.
    fn text(&mut self, text: &str, new: usize) -> Result<bool, Stop>;

    /// More of a call, where each is an item; whether there is something new to show.
    fn call(&mut self, plan: &Plan<'_>, call: Called<'_>) -> Result<bool, Stop>;

    /// All of the answer is there: what is told now need not be stopped any more.
    fn complete(&mut self) {}

    /// The text is complete; whether there is something new to show. It is that of this [part](said), if it is of one.
    fn end(&mut self, text: &str, part: Option<usize>) -> bool;

    /// What of the answer was given out, now that it has ended one way or another.
    fn given(&mut self) -> Given {
        Given::default()
    }
}

/// A call, as far as it has been told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called<'t> {
    /// Its place among the calls.
    pub(crate) index: usize,
    pub(crate) name: &'t str,
    pub(crate) arguments: &'t str,
    /// How much of them was told before.
    pub(crate) told: usize,
    /// Nothing more of it comes.
    pub(crate) over: bool,
}

/// What of an answer was given out.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// Something can't be taken back, so that no other answer can take the place of this one.
    pub(crate) any: bool,
    /// What was done to what was given out, and what was left out.
    pub(crate) repairs: Vec<Repair>,
    /// What was wrong with what was left out.
    pub(crate) issues: Issues,
    /// What is to be asked for again by itself.
    pub(crate) left: Option<Left>,
    /// The JSON of all that was given out, where it is going to be kept and is all.
    pub(crate) json: Option<String>,
}

/// What is left of an answer whose other parts are settled.
#[derive(Debug)]
pub(crate) enum Left {
    Items {
        /// Their places in the answer.
        places: Vec<usize>,
        /// A list of them, as JSON.
        list: String,
        /// What is wrong with them, at their places in the list that was asked for.
        issues: Issues,
        /// The same in the list of them.
        told: Issues,
    },
    /// Items were asked for again, and other ones may have come.
    Odd { wanted: usize, got: usize },
}

/// Reads one streamed answer.
pub(crate) struct Listener<'p> {
    profile: &'p Profile,
    hearing: Hearing,
    place: Place<'p>,
    purse: Purse,
    /// Why the budget leaves no room for more.
    spent: Option<Stop>,
    tail: Vec<u8>,
    size: usize,
}

/// How far the value's text has been told.
struct Place<'p> {
    plan: Plan<'p>,
    site: Site<'p>,
    /// The text or call of the answer, and how much of it was told.
    part: usize,
    told: usize,
    /// The bytes of the parts before, and of this one.
    before: usize,
    length: usize,
    /// The value's text in the parts before; empty if this is the first that has some.
    earlier: String,
    /// The part is the call that counts.
    settled: bool,
    /// How far each call has been told, and how many of them stand before the part.
    calls: Vec<Progress>,
    passed: usize,
}

/// How far a call has been told.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    told: usize,
    /// How much of it was looked at to see whether it is whole.
    seen: usize,
    over: bool,
}

/// A streamed answer at its end.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) size: usize,
    /// The last bytes of the body.
    pub(crate) tail: Bytes,
    pub(crate) given: Given,
    pub(crate) ending: Ending,
}

#[derive(Debug)]
pub(crate) enum Ending {
    Finished(Response),
    /// It is none, or not all of one; what had been counted till then.
    Unread(Usage, Undecoded),
    /// There was no need to read on; what had been said till then.
    Stopped(Response, Stop),
    /// The connection broke; what had been counted till then.
    Broken(Usage, TransportError),
}

impl<'p> Listener<'p> {
    /// Where the answer is not `told` it is only read.
    pub(super) fn new(profile: &'p Profile, plan: Plan<'p>, told: bool, purse: Purse) -> Self {
        let place = Place {
            plan,
            site: if told { plan.site() } else { Site::Nowhere },
            part: 0,
            told: 0,
            before: 0,
            length: 0,
            earlier: String::new(),
            settled: false,
            calls: Vec::new(),
            passed: 0,
        };
        let hearing = Hearing::new(profile);
        Self { profile, hearing, place, purse, spent: None, tail: Vec::new(), size: 0 }
    }

    /// How many bytes have arrived.
    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    /// Takes bytes; [`next`](Self::next) reads what they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len();
        let last = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        if self.tail.len() + last.len() > TAIL + TAIL / 4 {
            let gone = (self.tail.len() + last.len()).saturating_sub(TAIL);
            self.tail.drain(..gone.min(self.tail.len()));
        }
        room(&mut self.tail, last.len());
        self.tail.extend_from_slice(last);
        self.hearing.push(bytes);
    }

    /// Reads the next event: whether it shows something new; none if there is no event.
    pub(crate) fn next(&mut self, follow: &mut dyn Follow) -> Result<Option<bool>, Halt> {
        match self.hearing.next() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(Halt::Undecoded(error)),
        }
        let Self { hearing, place, purse, spent, .. } = self;
        let before = place.said();
        let shows = place.tell(|part| hearing.told(part), follow, false).map_err(Halt::Stop)?;
        if place.said() > before {
            // What was spent with the last word of an answer is no reason to throw it away.
            if let Some(stop) = spent.take() {
                return Err(Halt::Stop(stop));
            }
            *spent = purse.spent(|| hearing.usage(), place.said());
        }
        Ok(Some(shows))
    }

    /// The answer, once the body has ended; and whether its end shows something new.
    pub(crate) fn finish(self, follow: &mut dyn Follow) -> (Ending, bool, usize, Bytes) {
        let Self { profile, hearing, mut place, tail, size, .. } = self;
        // The whole answer has no part for a text that stayed empty.
        let empty = |part: &usize| matches!(hearing.told(*part), Some(Told::Text("")));
        place.part -= (0..place.part).filter(empty).count();
        let usage = hearing.usage();
        let outcome = hearing.finish(profile);
        follow.complete();
        let mut shows = false;
        let ending = match outcome {
            Ok(mut response) => {
                response.parts.iter_mut().for_each(fit);
                let told = |part| response.parts.iter().filter_map(as_told).nth(part);
                match place.tell(told, follow, true) {
                    Ok(more) => {
                        shows = more | follow.end(place.all(told), place.earlier.is_empty().then_some(place.part));
                        Ending::Finished(response)
                    }
                    Err(stop) => Ending::Stopped(response, stop),
                }
            }
            Err(error) => Ending::Unread(usage, error),
        };
        (ending, shows, size, end_of(tail))
    }

    /// The answer ends here.
    pub(crate) fn halt(self, halt: Halt) -> (Ending, usize, Bytes) {
        let Self { hearing, tail, size, .. } = self;
        let ending = match halt {
            Halt::Undecoded(error) => Ending::Unread(hearing.usage(), error),
            Halt::Broken(error) => Ending::Broken(hearing.usage(), error),
            Halt::Stop(stop) => {
                let told = (0..).map_while(|part| hearing.told(part));
                let parts = told.filter_map(|told| match told {
                    Told::Text("") => None,
                    Told::Text(text) => Some(Part::Text(String::from(text))),
                    Told::Call { id, name, arguments, .. } => Some(Part::ToolCall(ToolCall::new(id, name, arguments))),
                });
                let response = Response { parts: parts.collect(), usage: hearing.usage(), ..Response::default() };
                Ending::Stopped(response, stop)
            }
        };
        (ending, size, end_of(tail))
    }
}

/// As much of the end of a body as is kept, however it came.
fn end_of(tail: Vec<u8>) -> Bytes {
    let tail = Bytes::from(tail);
    tail.slice(tail.len().saturating_sub(TAIL)..)
}

/// Why an answer is read no further.
#[derive(Debug)]
pub(crate) enum Halt {
    Undecoded(Undecoded),
    Stop(Stop),
    Broken(TransportError),
}

/// The text of a part of an answer, of those parts that are told while it arrives.
pub(crate) fn said(response: &Response, part: usize) -> Option<&str> {
    response.parts.iter().filter_map(as_told).nth(part).map(|told| told.text())
}

fn as_told(part: &Part) -> Option<Told<'_>> {
    match part {
        Part::Text(text) => Some(Told::Text(text)),
        Part::ToolCall(call) => Some(Told::call(call, true)),
        _ => None,
    }
}

/// A text that is complete keeps no room for more.
fn fit(part: &mut Part) {
    if let Part::Text(text) | Part::ToolCall(ToolCall { arguments: text, .. }) = part {
        text.shrink_to_fit();
    }
}

impl Place<'_> {
    /// Tells what is new of the value's text; whether there is something new to show.
    fn tell<'t>(
        &mut self,
        told: impl Fn(usize) -> Option<Told<'t>>,
        follow: &mut dyn Follow,
        over: bool,
    ) -> Result<bool, Stop> {
        if let Site::Calls = self.site {
            return self.tell_calls(told, follow, over);
        }
        let mut shows = false;
        while let Some(part) = told(self.part) {
            self.length = part.text().len();
            let text = self.text(part);
            if let (Told::Call { .. }, Some(_)) = (part, text)
                && !std::mem::replace(&mut self.settled, true)
                && !std::mem::take(&mut self.earlier).is_empty()
            {
                follow.restart();
            }
            if let Some(text) = text {
                shows |= self.more(text, follow)?;
            }
            // A part is over when the next one is there.
            let last = self.settled || told(self.part + 1).is_none();
            if last {
                break;
            }
            if let Some(text) = text.filter(|_| self.earlier.is_empty()) {
                self.earlier.push_str(text);
            }
            self.part += 1;
            self.told = 0;
            self.before += std::mem::take(&mut self.length);
        }
        Ok(shows)
    }

    /// How many bytes were told, whatever they are.
    const fn said(&self) -> usize {
        self.before + self.length
    }

    /// Tells what is new of the calls, of which several may be open at once.
    fn tell_calls<'t>(
        &mut self,
        told: impl Fn(usize) -> Option<Told<'t>>,
        follow: &mut dyn Follow,
        over: bool,
    ) -> Result<bool, Stop> {
        let mut shows = false;
        let (mut part, mut index, mut passed) = (self.part, self.passed, true);
        self.length = 0;
        while let Some(here) = told(part) {
            let last = told(part + 1).is_none();
            self.length += here.text().len();
            match here {
                Told::Text(_) => passed &= !last,
                Told::Call { name, arguments, over: said, .. } => {
                    if index == self.calls.len() {
                        self.calls.push(Progress::default());
                    }
                    let Some(call) = self.calls.get_mut(index) else { break };
                    if !call.over {
                        // Where nothing says that a call is over, the next one does, unless they are told by turns.
                        let whole = !(over | said | last) && call.is_whole(arguments);
                        call.over = over | said | whole;
                        let before = std::mem::replace(&mut call.told, arguments.len());
                        if call.over || arguments.len() > before {
                            let over = call.over;
                            let called = Called { index, name, arguments, told: before, over };
                            shows |= follow.call(&self.plan, called)?;
                        }
                    }
                    passed &= self.calls.get(index).is_some_and(|call| call.over);
                    index += 1;
                }
            }
            part += 1;
            if passed {
                (self.part, self.passed) = (part, index);
                self.before += std::mem::take(&mut self.length);
            }
        }
        Ok(shows)
    }

    /// The text of a part, if it is of the value's.
    fn text<'t>(&self, part: Told<'t>) -> Option<&'t str> {
        match (part, self.site) {
            (Told::Call { name, arguments, .. }, Site::Text(tool) | Site::Call(tool)) if name == tool => {
                Some(arguments)
            }
            (Told::Text(text), Site::Text(_)) => Some(text),
            _ => None,
        }
    }

    fn more(&mut self, text: &str, follow: &mut dyn Follow) -> Result<bool, Stop> {
        let new = self.told;
        let more = text.get(new..).unwrap_or_default();
        if more.is_empty() {
            return Ok(false);
        }
        self.told = text.len();
        if self.earlier.is_empty() {
            return follow.text(text, new);
        }
        let from = self.earlier.len();
        if new == 0 {
            // As the texts of a response are joined.
            self.earlier.push('\n');
        }
        self.earlier.push_str(more);
        follow.text(&self.earlier, from)
    }

    /// All of the value's text that was told.
    fn all<'t>(&'t self, told: impl Fn(usize) -> Option<Told<'t>>) -> &'t str {
        match told(self.part).and_then(|part| self.text(part)) {
            Some(text) if self.earlier.is_empty() => text,
            _ => &self.earlier,
        }
    }
}

impl Progress {
    /// Whether the arguments are whole, of which it is looked at when they have grown.
    fn is_whole(&mut self, arguments: &str) -> bool {
        let before = std::mem::replace(&mut self.seen, arguments.len());
        before < arguments.len() && arguments.trim_end().ends_with('}') && Document::parse(arguments).is_ok()
    }
}
