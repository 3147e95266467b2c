//! A request's cache: a stored answer is looked for before the first call, and a new one is stored after the last.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use instructor_json::Document;

use super::verdict::brief;
use super::{Completion, Now, Report, Run, Step};
use crate::cache::{CacheError, CacheEvent, Claim, Entry, Errand, Miss, Pigeonhole, Stored, Uncached};
use crate::repair::Severity;
use crate::validate::Checked;

/// How long a store may take for one errand.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is waited between two looks whether another has made the same: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// How a request is cached, or why it is not.
pub(crate) type Cached = Result<Pigeonhole, Uncached>;

/// What a store is asked for.
pub(crate) struct Ask {
    hole: Pigeonhole,
    what: What,
    /// How long it may take.
    pub(crate) time: Duration,
}

enum What {
    Get,
    Claim,
    Set(Bytes),
}

/// What a store said.
pub(crate) enum Word {
    Got(Result<Option<Bytes>, String>),
    Claimed(Result<bool, String>),
    Set(Result<(), String>),
}

impl Ask {
    /// What the store says.
    pub(crate) async fn put(&self) -> Word {
        let Pigeonhole { store, key, ttl, wait, .. } = &self.hole;
        let said = |e: CacheError| e.to_string();
        match &self.what {
            What::Get => Word::Got(store.get(*key).await.map_err(said)),
            What::Claim => Word::Claimed(store.claim(*key, *wait).await.map_err(said)),
            What::Set(entry) => Word::Set(store.set(*key, entry.clone(), *ttl).await.map_err(said)),
        }
    }

    /// It has said nothing in its time.
    pub(crate) fn late(&self) -> Word {
        let why = || format!("nothing came for {:?}", self.time);
        match self.what {
            What::Get => Word::Got(Err(why())),
            What::Claim => Word::Claimed(Err(why())),
            What::Set(_) => Word::Set(Err(why())),
        }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("hole", &self.hole).finish_non_exhaustive()
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Got(_) => "Got",
            Self::Claimed(_) => "Claimed",
            Self::Set(_) => "Set",
        })
    }
}

/// How far a request has come with its cache.
#[derive(Default)]
pub(super) struct Dealing {
    /// Since when another is waited for that makes the same, and for how long from look to look.
    waits: Option<(Duration, Duration)>,
    /// What was found last, and could not be taken.
    unfit: Option<Bytes>,
    /// Others know that this one makes it.
    claim: Option<Claim>,
    /// A stored answer that is being checked.
    held: Option<(Entry, Bytes, Duration)>,
    /// The end, which is told once its value is stored.
    end: Option<(Box<Completion>, usize)>,
}

impl<'a> Run<'a> {
    /// The first thing that a request does: it looks whether it is answered already.
    pub(super) fn open(&mut self, now: Now) -> Step {
        let cached = self.job.cached.filter(|_| !std::mem::replace(&mut self.looked, true));
        match cached {
            None => self.fetch(now),
            Some(Err(why)) => self.uncached(CacheEvent::Unused(*why), now),
            Some(Ok(hole)) if hole.refresh => self.uncached(CacheEvent::Miss(Miss::Refresh), now),
            Some(Ok(hole)) => self.ask(hole, What::Get, now),
        }
    }

    fn hole(&self) -> Option<&'a Pigeonhole> {
        self.job.cached.and_then(|cached| cached.as_ref().ok())
    }

    fn ask(&self, hole: &Pigeonhole, what: What, now: Now) -> Step {
        let left = self.job.budget.deadline.map(|deadline| deadline.saturating_sub(self.elapsed(now)));
        Step::Cache(Ask { hole: hole.clone(), what, time: left.map_or(PATIENCE, |left| left.min(PATIENCE)) })
    }

    /// Goes on without a stored answer.
    fn uncached(&mut self, event: CacheEvent, now: Now) -> Step {
        self.note(event);
        self.fetch(now)
    }

    fn note(&mut self, event: CacheEvent) {
        self.tell_cache(&event);
        self.report.cache.push(event);
    }

    pub(super) fn store_said(&mut self, word: Word, now: Now) -> Step {
        let Some(hole) = self.hole() else { return self.fetch(now) };
        match word {
            Word::Got(Ok(Some(entry))) => self.found(hole, entry, now),
            Word::Got(Ok(None)) => self.missed(hole, Miss::Absent, now),
            Word::Got(Err(why)) => self.uncached(CacheEvent::Failed(Errand::Get, why), now),
            Word::Claimed(Ok(true)) => {
                self.dealing.claim = Some(Claim::new(hole));
                self.waited(now);
                // Who had it before may have stored the answer since it was looked for.
                self.ask(hole, What::Get, now)
            }
            Word::Claimed(Ok(false)) => self.wait(hole, now),
            Word::Claimed(Err(why)) => {
                self.waited(now);
                self.uncached(CacheEvent::Failed(Errand::Claim, why), now)
            }
            Word::Set(set) => self.stored(set, now),
        }
    }

    /// Whether another is waited for that makes the same; looks again, if so.
    pub(super) fn look_again(&mut self, now: Now) -> Option<Step> {
        self.dealing.waits?;
        let hole = self.hole()?;
        Some(self.ask(hole, What::Get, now))
    }

    /// Waits for another that makes the same, if there is time.
    fn wait(&mut self, hole: &Pigeonhole, now: Now) -> Step {
        let (since, last) = self.dealing.waits.unwrap_or((now.monotonic, Duration::ZERO));
        let next = (last * 2).clamp(LOOK.0, LOOK.1);
        let waited = now.monotonic.saturating_sub(since);
        self.dealing.waits = Some((since, next));
        if waited + next > hole.wait || self.spent(now, next).is_some() {
            self.waited(now);
            return self.fetch(now);
        }
        Step::Wait(next)
    }

    /// No other is waited for any more.
    fn waited(&mut self, now: Now) {
        if let Some((since, _)) = self.dealing.waits.take() {
            self.note(CacheEvent::Waited(now.monotonic.saturating_sub(since)));
        }
    }

    /// There is nothing to take, so others are told that it is going to be made here.
    fn missed(&mut self, hole: &Pigeonhole, miss: Miss, now: Now) -> Step {
        let claimed = self.dealing.claim.is_some();
        if self.dealing.waits.is_none() && !claimed {
            self.note(CacheEvent::Miss(miss));
        }
        if hole.wait.is_zero() || claimed { self.fetch(now) } else { self.ask(hole, What::Claim, now) }
    }

    /// Takes what is stored, if it is young enough, whole, and valid here and now.
    fn found(&mut self, hole: &Pigeonhole, bytes: Bytes, now: Now) -> Step {
        // It is looked at once, however often it is waited for another in its place.
        if self.dealing.unfit.as_ref() == Some(&bytes) {
            return self.missed(hole, Miss::Absent, now);
        }
        let miss = match Entry::open(&bytes) {
            Ok(entry) if entry.is_over(now.unix, hole.ttl) => Miss::Expired(entry.age(now.unix)),
            Ok(entry) => match self.retake(&entry.json) {
                Ok(()) if self.judge.has_checks() => {
                    let time = self.check_time().from(now);
                    self.dealing.held = Some((entry, bytes, time));
                    return Step::Check(time);
                }
                Ok(()) => return self.hit(entry, now),
                Err(miss) => miss,
            },
            Err(why) => Miss::Unreadable(why),
        };
        self.unfit(hole, bytes, miss, now)
    }

    fn unfit(&mut self, hole: &Pigeonhole, bytes: Bytes, miss: Miss, now: Now) -> Step {
        self.judge.forget();
        self.dealing.unfit = Some(bytes);
        self.missed(hole, miss, now)
    }

    /// Makes the value of what is stored, or says what is wrong with it: the rules are those of this request.
    fn retake(&mut self, json: &str) -> Result<(), Miss> {
        let document = Document::parse(json).map_err(|e| Miss::Unreadable(format!("its value is no JSON: {e}")))?;
        let mut issues = self.job.contract.issues(document.root());
        if issues.is_empty() {
            let scope = self.scope();
            issues = scope.within(|| self.judge.retake(document.root().source()));
        }
        if issues.is_empty() { Ok(()) } else { Err(Miss::Invalid(brief(issues.as_slice()))) }
    }

    /// What came of the checks of a stored answer, if it is one that is being checked.
    pub(super) fn rechecked(&mut self, checked: Checked, now: Now) -> Result<Step, Checked> {
        let Some(hole) = self.hole() else { return Err(checked) };
        let Some((entry, bytes, time)) = self.dealing.held.take() else { return Err(checked) };
        let miss = match checked.outcome(time) {
            Ok(issues) if issues.is_empty() => return Ok(self.hit(entry, now)),
            Ok(issues) => Miss::Invalid(brief(issues.as_slice())),
            // That it can't be checked the next answer is going to tell.
            Err(error) => Miss::Invalid(String::from(error.message())),
        };
        Ok(self.unfit(hole, bytes, miss, now))
    }

    fn hit(&mut self, entry: Entry, now: Now) -> Step {
        self.waited(now);
        let stored: Stored = entry.stored(now.unix);
        self.note(CacheEvent::Hit(Box::new(stored)));
        let (response, draft, raw) = entry.into_parts(self.job.endpoint.profile.wire().name());
        let completion = Completion { response, draft, raw, report: self.close(now) };
        self.done(Ok(completion))
    }

    /// The end with a value, once that is stored.
    pub(super) fn conclude(&mut self, mut completion: Completion, json: Option<String>, now: Now) -> Step {
        let Some(hole) = self.hole() else { return self.done(Ok(completion)) };
        let why = match json {
            _ if !self.job.own => Uncached::OtherTarget,
            _ if is_lossy(&completion.report) => Uncached::Lossy,
            None => Uncached::Pieces,
            Some(json) => {
                if let Some(entry) = Entry::seal(&completion, &json, now.unix, hole.ttl) {
                    self.dealing.end = Some((Box::new(completion), entry.len()));
                    return self.ask(hole, What::Set(entry), now);
                }
                Uncached::Pieces
            }
        };
        let event = CacheEvent::Unused(why);
        self.tell_cache(&event);
        completion.report.cache.push(event);
        self.done(Ok(completion))
    }

    fn stored(&mut self, set: Result<(), String>, now: Now) -> Step {
        // Nothing is stored but at the end.
        let Some((mut completion, bytes)) = self.dealing.end.take() else { return self.fetch(now) };
        let event = match set {
            Ok(()) => CacheEvent::Stored(bytes),
            Err(why) => CacheEvent::Failed(Errand::Set, why),
        };
        self.tell_cache(&event);
        completion.report.cache.push(event);
        completion.report.elapsed = self.elapsed(now);
        self.dealing.claim = None;
        self.done(Ok(*completion))
    }
}

/// Whether something of the answer that gave the value is not in it.
fn is_lossy(report: &Report) -> bool {
    let last = report.attempts().last();
    last.is_none_or(|last| {
        !last.issues.is_empty()
            || last.repairs.iter().any(|repair| matches!(repair.severity, Severity::Lossy | Severity::Partial))
    })
}
