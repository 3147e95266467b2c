//! Values of the items of a list, made while the list arrives.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use instructor_json::Document;

use super::items::Items;
use super::running::Desk;
use super::tracker::Tracker;
use crate::error::{Error, ErrorKind};
use crate::message::ToolCall;
use crate::mode::Plan;
use crate::model::Contract;
use crate::repair::{ParseOptions, Repair, Severity};
use crate::run::{Called, Follow, Given, Left, Stop};
use crate::transport::Show;
use crate::validate::{Checked, Checking, Context, Issues, Path, Rules};

/// What is done with items that are not valid: by [`create_iterable`](crate::Request::create_iterable), and in a
/// [`Salvaged`](crate::Salvaged) list.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::BadItems;
///
/// #[instructor::model]
/// struct Task {
///     title: String,
///     #[schemars(range(max = 5))]
///     priority: u8,
/// }
///
/// # let answer = json!([{ "title": "Paint", "priority": 9 }, { "title": "Sweep", "priority": 2 }]);
/// # let again = json!([{ "title": "Paint", "priority": 5 }]);
/// # let script = Script::new().reply(Reply::value(answer)).reply(Reply::value(again));
/// # let client = script.client("openai/gpt-5-mini");
/// # script.block_on(async {
/// let request = client.request("What is to be done?").bad_items(BadItems::ReAsk);
/// let mut tasks = request.create_iterable::<Task>().await?;
/// let mut got = Vec::new();
/// while let Some(task) = tasks.next().await {
///     got.push((tasks.place(), task?.title));
/// }
/// // The first was asked for again, alone, and comes last.
/// assert_eq!(got, [(Some(1), String::from("Sweep")), (Some(0), String::from("Paint"))]);
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadItems {
    /// Each is an error in its place, and the stream goes on; a [`Salvaged`](crate::Salvaged) list has them beside the others.
    #[default]
    Show,
    /// They are held back. When the answer is complete, they alone are asked for again, with what is wrong with each; what
    /// comes is validated, and given at the end, with its [`place`](crate::ItemStream::place). It is a re-ask as any other,
    /// within [`max_retries`](crate::Request::max_retries) and the [`Budget`](crate::Budget), and each asks only for those
    /// that are still bad. Items that stay bad are errors in the end, and the error of the request comes after them. In a
    /// [`Salvaged`](crate::Salvaged) list they stand beside the others then, and the request gives its value.
    ReAsk,
    /// They are left out. [`Attempt::repairs`](crate::Attempt::repairs) has an `InvalidItem` for each, and
    /// [`Attempt::issues`](crate::Attempt::issues) what was wrong.
    Drop,
}

/// What was made of the items that are ready, each with its place in the list.
pub(crate) type Made<T> = VecDeque<(usize, Result<T, Error>)>;

/// Makes a value of an item, or says what is wrong with it.
pub(crate) type Make<T> = Box<dyn FnMut(&str) -> Result<T, Issues> + Send>;

/// Makes values of the items of a list while it arrives.
pub(crate) struct Making<T> {
    /// What one item has to be.
    item: Contract,
    make: Make<T>,
    rules: (Rules<T>, Context),
    /// Items that are to be checked, and those that came after them.
    waiting: Vec<(usize, String, Result<T, Error>)>,
    made: Option<Made<T>>,
    desk: Arc<Desk<Made<T>>>,
    items: Items,
    tracker: Tracker,
    options: ParseOptions,
    bad: BadItems,
    /// How many items there were in this attempt.
    count: usize,
    /// All of the answer is there.
    ended: bool,
    repairs: Vec<Repair>,
    issues: Issues,
    /// The items that are to be asked for again.
    held: Vec<Held>,
    /// The items so far as JSON, each with its place, as long as all are right and to be kept.
    kept: Option<Vec<(usize, String)>>,
    keeps: bool,
    /// They have been asked for: what has come of them, in the order of the answer once that is complete.
    again: Option<Again<T>>,
}

/// A bad item.
struct Held {
    /// Its place in the list.
    place: usize,
    /// Its place in the answer that it is from.
    at: usize,
    json: String,
    error: Error,
}

struct Again<T> {
    items: Vec<(usize, String, Result<T, Error>)>,
    /// They are as many as were asked for, and have been given out or held again.
    settled: bool,
}

impl<T> Default for Again<T> {
    fn default() -> Self {
        Self { items: Vec::new(), settled: false }
    }
}

impl<T: Send> Making<T> {
    pub(crate) fn new(
        item: Contract,
        make: Make<T>,
        rules: (Rules<T>, Context),
        (options, bad, keeps): (ParseOptions, BadItems, bool),
        desk: Arc<Desk<Made<T>>>,
    ) -> Self {
        Self {
            item,
            make,
            rules,
            waiting: Vec::new(),
            made: None,
            desk,
            items: Items::default(),
            tracker: Tracker::new(None, options),
            options,
            bad,
            count: 0,
            ended: false,
            repairs: Vec::new(),
            issues: Issues::new(),
            held: Vec::new(),
            kept: None,
            keeps,
            again: None,
        }
    }

    /// Reads what the tracker found complete; whether there was something to give out.
    fn collect(&mut self) -> bool {
        let mut news = false;
        for json in self.items.take() {
            news |= self.add(self.next(), &json);
        }
        news
    }

    /// Takes the items of a list that only the final reading could make out; whether there are any.
    pub(crate) fn replace(&mut self, list: &str) -> bool {
        let Some(list) = Document::parse(list).ok().filter(|_| self.next() == 0) else { return false };
        let mut news = false;
        for item in list.root().items() {
            news |= self.add(self.next(), item.source());
        }
        news
    }

    /// Gives out what could not be mended; whether there is anything.
    pub(crate) fn give_up(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        let any = !held.is_empty();
        let errors = held.into_iter().map(|held| (held.place, Err(held.error)));
        self.made.get_or_insert_default().extend(errors);
        any
    }

    fn add(&mut self, at: usize, json: &str) -> bool {
        let made = self.item.find(json, self.options, false).and_then(|mut found| {
            let place = Path::root().index(at);
            self.repairs.extend(std::mem::take(&mut found.repairs).into_iter().map(|mut repair| {
                repair.path = repair.path.within(&place);
                repair
            }));
            let json = found.into_json();
            let made = (self.make)(&json).map_err(rejected)?;
            if let Some(kept) = &mut self.kept {
                kept.push((at, json.into_owned()));
            }
            Ok(made)
        });
        self.wait(at, json, made)
    }

    /// The place of the item that comes next.
    fn next(&self) -> usize {
        self.count + self.waiting.len()
    }

    /// Deals with an item once it and those before it are checked; whether there is something to give out.
    fn wait(&mut self, at: usize, json: &str, made: Result<T, Error>) -> bool {
        let (rules, context) = &self.rules;
        let waits = |item: &T| rules.has_checks(item, context);
        if self.waiting.is_empty() && !made.as_ref().is_ok_and(waits) {
            return self.put(at, json, made);
        }
        self.waiting.push((at, String::from(json), made));
        false
    }

    /// Deals with an item; whether there is something to give out.
    fn put(&mut self, at: usize, json: &str, made: Result<T, Error>) -> bool {
        self.count += 1;
        if made.is_err() {
            self.kept = None;
        }
        if let Some(again) = &mut self.again {
            again.items.push((at, String::from(json), made));
            return false;
        }
        let made = match (made, self.bad) {
            (Ok(item), _) => Ok(item),
            // Another one could not be checked either.
            (Err(error), _) if error.kind() == ErrorKind::Unchecked => Err(error.of_item(at, json)),
            (Err(error), BadItems::Show) => Err(error.of_item(at, json)),
            (Err(error), BadItems::ReAsk) => {
                self.hold(at, at, String::from(json), error);
                return false;
            }
            (Err(error), BadItems::Drop) => {
                let path = Path::root().index(at);
                self.issues.extend_within(&path, error.issues().clone());
                self.repairs.push(Repair {
                    kind: "InvalidItem",
                    severity: Severity::Lossy,
                    path,
                    span: None,
                    before: self.item.quoted(&Path::root(), json),
                    after: String::new(),
                });
                return false;
            }
        };
        self.made.get_or_insert_default().push_back((at, made));
        true
    }

    fn hold(&mut self, place: usize, at: usize, json: String, error: Error) {
        let error = error.of_item(place, &json);
        self.held.push(Held { place, at, json, error });
    }

    /// Deals with the items that were asked for again, now that all are there; whether there is something to give out.
    fn settle(&mut self) -> bool {
        let held = self.held.len();
        let Some(again) = self.again.as_mut().filter(|again| again.items.len() == held) else { return false };
        again.settled = true;
        let mut items = std::mem::take(&mut again.items);
        items.sort_by_key(|(at, ..)| *at);
        let mut news = false;
        for (before, (at, json, made)) in std::mem::take(&mut self.held).into_iter().zip(items) {
            match made {
                Ok(item) => {
                    self.made.get_or_insert_default().push_back((before.place, Ok(item)));
                    news = true;
                }
                Err(error) if error.kind() == ErrorKind::Unchecked => {
                    let error = error.of_item(before.place, &json);
                    self.made.get_or_insert_default().push_back((before.place, Err(error)));
                    news = true;
                }
                Err(error) => self.hold(before.place, at, json, error),
            }
        }
        news
    }

    /// What is to be asked for again.
    fn left(&self) -> Option<Left> {
        if let Some(again) = self.again.as_ref().filter(|again| !again.settled) {
            return Some(Left::Odd { wanted: self.held.len(), got: again.items.len() });
        }
        if self.held.is_empty() || !self.ended {
            return None;
        }
        let (mut issues, mut told) = (Issues::new(), Issues::new());
        for (at, held) in self.held.iter().enumerate() {
            issues.extend_within(&Path::root().index(held.place), held.error.issues().clone());
            told.extend_within(&Path::root().index(at), held.error.issues().clone());
        }
        let list: Vec<&str> = self.held.iter().map(|held| held.json.as_str()).collect();
        let places = self.held.iter().map(|held| held.at).collect();
        Some(Left::Items { places, list: format!("[{}]", list.join(",")), issues, told })
    }
}

fn rejected(issues: Issues) -> Error {
    let first = issues.as_slice().first().map_or_else(String::new, |i| format!("{}: wanted {}", i.path(), i.wanted()));
    Error::new(ErrorKind::Rejected, first).with_issues(issues)
}

impl<T: Send> Follow for Making<T> {
    fn begin(&mut self, plan: &Plan<'_>) {
        self.items = Items::default();
        self.tracker = Tracker::new(plan.dialect(), self.options);
        self.count = 0;
        self.kept = (self.keeps && self.again.is_none()).then(Vec::new);
        self.waiting.clear();
        self.ended = false;
        self.repairs.clear();
        self.issues = Issues::new();
        match &mut self.again {
            Some(again) => *again = Again::default(),
            None => self.held.clear(),
        }
    }

    fn restart(&mut self) {
        self.items = Items::default();
        self.tracker = self.tracker.again(self.options);
    }

    fn text(&mut self, text: &str, _: usize) -> Result<bool, Stop> {
        // What can't be read is for the final reading to say.
        let _ = self.tracker.read(text, &mut self.items);
        Ok(self.collect())
    }

    fn call(&mut self, plan: &Plan<'_>, call: Called<'_>) -> Result<bool, Stop> {
        if !call.over {
            return Ok(false);
        }
        let Called { index, name, arguments, .. } = call;
        let place = Path::root().index(index);
        Ok(match plan.item(index, &ToolCall::new("", name, arguments), self.options) {
            Ok(json) => self.add(index, &json),
            Err(issues) => {
                // In the terms of the item, as all that is said of an item.
                let inside = issues.into_iter().map(|issue| match issue.path().inside(&place) {
                    Some(path) => issue.told_at(path, None, None),
                    None => issue,
                });
                let error = rejected(inside.collect::<Vec<_>>().into());
                self.wait(index, arguments, Err(error))
            }
        })
    }

    fn end(&mut self, text: &str, _: Option<usize>) -> bool {
        self.tracker.end(text, &mut self.items);
        self.tracker = self.tracker.again(self.options);
        self.ended = true;
        self.collect() | self.settle()
    }

    fn given(&mut self) -> Given {
        let left = self.left();
        let any = match &self.again {
            Some(again) => again.settled,
            None => self.count > self.held.len(),
        };
        if left.is_some() {
            self.again.get_or_insert_default();
        }
        let json = self.kept.take().filter(|kept| self.ended && kept.len() == self.count).map(|mut kept| {
            kept.sort_by_key(|(at, _)| *at);
            let items: Vec<String> = kept.into_iter().map(|(_, item)| item).collect();
            format!("[{}]", items.join(","))
        });
        let (repairs, issues) = (std::mem::take(&mut self.repairs), std::mem::take(&mut self.issues));
        Given { any, repairs, issues, left, json }
    }
}

impl<T: Send> Show for Making<T> {
    fn give(&mut self, news: bool) {
        self.desk.lay(self.made.take(), news);
    }

    fn take(&mut self) {
        (self.made, _) = self.desk.take();
    }

    fn has_checks(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn checks(&self) -> Vec<Checking<'_>> {
        let (rules, context) = &self.rules;
        self.waiting
            .iter()
            .map(|(.., made)| match made {
                Ok(item) => rules.check(item, context),
                Err(_) => Box::pin(ready(Checked::Found(Issues::new()))),
            })
            .collect()
    }

    fn checked(&mut self, checked: Vec<Checked>, time: Duration) -> bool {
        let mut news = false;
        for ((at, json, made), checked) in std::mem::take(&mut self.waiting).into_iter().zip(checked) {
            let made = made.and_then(|item| match checked.outcome(time)? {
                issues if issues.is_empty() => Ok(item),
                issues => Err(rejected(issues)),
            });
            news |= self.put(at, &json, made);
        }
        news | (self.ended && self.settle())
    }
}
