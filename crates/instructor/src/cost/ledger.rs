use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, AddAssign};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Charge, Cost, Money, Price, Prices};
use crate::calendar::day;
use crate::error::Error;
use crate::provider::{Profile, Quirks};
use crate::wire::Usage;

/// Sums what calls used and cost, by day, provider, model and label. Cheap to clone; clones share the sums, and so may any
/// number of clients.
///
/// Every call is in it when it ends, and one that is given up before (its future was dropped) as a call of unknown cost. No
/// lock is held while a call runs.
///
/// ```
/// # use instructor::testing::{Reply, Script};
/// # use serde_json::json;
/// use instructor::Ledger;
///
/// # let script = Script::new().reply(Reply::json(json!({
/// #     "choices": [{"message": {"content": "5"}}],
/// #     "usage": {"prompt_tokens": 1000, "completion_tokens": 10},
/// # })));
/// let ledger = Ledger::new();
/// # let client = script.builder("openai/gpt-5-mini").ledger(&ledger).build()?;
/// // let client = Client::builder().provider("openai/gpt-5-mini").ledger(&ledger).build()?;
/// # script.block_on(async {
/// let sum: i64 = client.request("2 + 3").label("sums").create().await?;
/// # Ok::<(), instructor::Error>(())
/// # }).unwrap();
/// let spent = ledger.total();
/// assert_eq!((spent.calls, spent.usage.total()), (1, Some(1010)));
/// assert_eq!(spent.cost.to_string(), "$0.00027");
/// // A line of JSON for each entry, for a file that `instructor usage` sums.
/// for entry in ledger.take() {
///     assert_eq!(entry.label.as_deref(), Some("sums"));
///     println!("{entry}");
/// }
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<BTreeMap<Key, Spend>>>);

/// Day, provider, model, label.
type Key = (String, String, String, Option<Arc<str>>);

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All sums, in the order of day, provider, model and label.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.sums().iter().map(|(key, spend)| Entry::new(key.clone(), *spend)).collect()
    }

    /// All sums, which begin anew: to write them to a file every now and then.
    #[must_use]
    pub fn take(&self) -> Vec<Entry> {
        let sums = std::mem::take(&mut *self.sums());
        sums.into_iter().map(|(key, spend)| Entry::new(key, spend)).collect()
    }

    /// The sum of all.
    #[must_use]
    pub fn total(&self) -> Spend {
        self.sums().values().fold(Spend::default(), |total, spend| total + *spend)
    }

    fn sums(&self) -> MutexGuard<'_, BTreeMap<Key, Spend>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, key: Key, spend: Spend) {
        *self.sums().entry(key).or_default() += spend;
    }
}

impl From<&Self> for Ledger {
    fn from(ledger: &Self) -> Self {
        ledger.clone()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("total", &self.total()).finish_non_exhaustive()
    }
}

/// What some calls used and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spend {
    /// How many calls.
    pub calls: u64,
    /// How many of them failed, or were given up.
    pub failed: u64,
    /// How many of them the provider has not counted: what they used is not in the sum.
    pub uncounted: u64,
    /// What they used.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
}

impl Spend {
    /// One call.
    pub(crate) fn of_call(failed: bool, usage: Usage, charge: Option<Charge>) -> Self {
        // What was never sent or was refused costs nothing, and there was nothing to count.
        let free = charge == Some(Charge::Counted(Money::ZERO));
        let uncounted = u64::from(usage.total().is_none() && !free);
        Self { calls: 1, failed: u64::from(failed), uncounted, usage, cost: charge.into() }
    }
}

impl Add for Spend {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            failed: self.failed + other.failed,
            uncounted: self.uncounted + other.uncounted,
            usage: self.usage + other.usage,
            cost: self.cost + other.cost,
        }
    }
}

impl AddAssign for Spend {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A sum of a [`Ledger`]. As text it is a line of JSON, and such a line is read again by `parse`.
///
/// ```
/// let line = r#"{"day":"2026-11-26","provider":"openai","model":"gpt-5-mini","calls":2,"input":120,"usd":0.00003}"#;
/// let entry: instructor::Entry = line.parse()?;
/// assert_eq!((entry.spend.usage.input, entry.spend.usage.output), (Some(120), None));
/// assert_eq!(entry.to_string(), line);
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The day in UTC, as `2026-11-26`.
    pub day: String,
    /// The provider's id.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// The label of the requests; see [`Request::label`](crate::Request::label).
    pub label: Option<Arc<str>>,
    /// The sum.
    pub spend: Spend,
}

impl Entry {
    fn new((day, provider, model, label): Key, spend: Spend) -> Self {
        Self { day, provider, model, label, spend }
    }
}

/// An entry as it is written. What is zero or unknown is left out.
#[derive(Serialize, Deserialize)]
struct Line {
    day: String,
    provider: String,
    model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    calls: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    failed: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    uncounted: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cached: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_write: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cache_write_1h: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning: Option<u64>,
    /// Exact, as numbers that no float is made of.
    usd: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usd_estimated: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    unknown_cost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, provider, model, label, spend } = self.clone();
        let Spend { calls, failed, uncounted, usage, cost } = spend;
        let number = |money: Money| RawValue::from_string(money.number()).map_err(|_| fmt::Error);
        let line = Line {
            day,
            provider,
            model,
            label: label.as_deref().map(String::from),
            calls,
            failed,
            uncounted,
            input: usage.input,
            output: usage.output,
            cached: usage.cached,
            cache_write: usage.cache_write,
            cache_write_1h: usage.cache_write_1h,
            reasoning: usage.reasoning,
            usd: number(cost.known)?,
            usd_estimated: (cost.estimated != Money::ZERO).then(|| number(cost.estimated)).transpose()?,
            unknown_cost: cost.unknown,
        };
        f.write_str(&serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Entry {
    type Err = Error;

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is none of a ledger's.
    fn from_str(line: &str) -> Result<Self, Error> {
        let none = |why: &dyn fmt::Display| Error::config(format!("no line of a ledger: {why}"));
        let line: Line = serde_json::from_str(line).map_err(|error| none(&error))?;
        let money = |number: &RawValue| {
            Money::read(number.get()).ok_or_else(|| none(&format_args!("{number} is no amount of dollars")))
        };
        let cost = Cost {
            known: money(&line.usd)?,
            estimated: line.usd_estimated.as_deref().map_or(Ok(Money::ZERO), money)?,
            unknown: line.unknown_cost,
        };
        let usage = Usage {
            input: line.input,
            output: line.output,
            cached: line.cached,
            cache_write: line.cache_write,
            cache_write_1h: line.cache_write_1h,
            reasoning: line.reasoning,
            charged: None,
        };
        let (calls, failed, uncounted) = (line.calls, line.failed, line.uncounted);
        Ok(Self {
            day: line.day,
            provider: line.provider,
            model: line.model,
            label: line.label.map(Arc::from),
            spend: Spend { calls, failed, uncounted, usage, cost },
        })
    }
}

/// On whose account a request goes: what its tokens cost, and who sums it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// None if nothing was said.
    pub(crate) prices: Option<Prices>,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) label: Option<Arc<str>>,
}

impl Account {
    /// What a model costs: by the name that it answered with, or that it was asked by.
    pub(crate) fn price(&self, provider: &str, answered: Option<&str>, asked: &str) -> Option<Price> {
        let shipped;
        let prices = match &self.prices {
            Some(prices) => prices,
            None => {
                shipped = Prices::by_default();
                &shipped
            }
        };
        let models = [answered.unwrap_or(asked), asked];
        prices.find(provider, &models).cloned()
    }

    /// Whether a limit of what a request may cost can be kept.
    pub(crate) fn can_keep(&self, limit: Money, profile: &Profile, model: &str) -> Result<(), Error> {
        let provider = profile.id();
        let told = profile.quirks().contains(Quirks::COST_IN_DOLLARS);
        if told || self.price(provider, None, model).is_some() {
            return Ok(());
        }
        Err(Error::config(format!(
            "no price is known of {model:?} at {provider}, so that a budget of {limit} can't be kept: give one with \
             Prices::with({provider:?}, {model:?}, ..), or a budget of tokens",
        )))
    }

    /// A call begins.
    pub(crate) fn call(&self, provider: &str, model: &str, at: Duration) -> Call {
        let open = self
            .ledger
            .as_ref()
            .map(|ledger| (ledger.clone(), (day(at), String::from(provider), String::from(model), self.label.clone())));
        Call(open)
    }
}

/// A call that is under way. It is in the ledger once it is settled, and as one of unknown cost if it never is.
#[derive(Debug)]
pub(crate) struct Call(Option<(Ledger, Key)>);

impl Call {
    pub(crate) fn settle(mut self, spend: Spend) {
        self.close(spend);
    }

    fn close(&mut self, spend: Spend) {
        if let Some((ledger, key)) = self.0.take() {
            ledger.add(key, spend);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.close(Spend::of_call(true, Usage::default(), None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input: Some(input), output: Some(output), ..Usage::default() }
    }

    #[test]
    fn what_is_summed_is_written_and_read_again() {
        let ledger = Ledger::new();
        let account = |label: Option<&str>| Account {
            ledger: Some(ledger.clone()),
            label: label.map(Arc::from),
            ..Account::default()
        };
        let at = Duration::from_secs(1_795_705_200);
        let cents = |n| Some(Charge::Counted(Money::from_cents(n)));
        let call = |label, model| account(label).call("p", model, at);
        call(Some("a"), "m").settle(Spend::of_call(false, usage(10, 2), cents(3)));
        call(Some("a"), "m").settle(Spend::of_call(true, Usage::default(), cents(0)));
        call(Some("b"), "m").settle(Spend::of_call(true, usage(5, 1), Some(Charge::Estimated(Money::from_micros(7)))));
        call(None, "m").settle(Spend::of_call(false, Usage::default(), None));
        drop(call(Some("a"), "n"));

        let total = ledger.total();
        assert_eq!((total.calls, total.failed, total.uncounted), (5, 3, 2));
        assert_eq!(total.usage, usage(15, 3));
        assert_eq!(total.cost.to_string(), "$0.03 and about $0.000007, and 2 calls of unknown cost");

        let lines: Vec<String> = ledger.entries().iter().map(Entry::to_string).collect();
        assert_eq!(
            lines,
            [
                r#"{"day":"2026-11-26","provider":"p","model":"m","calls":1,"uncounted":1,"usd":0,"unknown_cost":1}"#,
                r#"{"day":"2026-11-26","provider":"p","model":"m","label":"a","calls":2,"failed":1,"input":10,"output":2,"usd":0.03}"#,
                r#"{"day":"2026-11-26","provider":"p","model":"m","label":"b","calls":1,"failed":1,"input":5,"output":1,"usd":0,"usd_estimated":0.000007}"#,
                r#"{"day":"2026-11-26","provider":"p","model":"n","label":"a","calls":1,"failed":1,"uncounted":1,"usd":0,"unknown_cost":1}"#,
            ]
        );
        let read: Vec<Entry> = lines.iter().map(|line| line.parse().unwrap()).collect();
        assert_eq!(read, ledger.take());
        assert_eq!(ledger.total(), Spend::default());
        for line in ["", "{}", r#"{"day":"d","provider":"p","model":"m","calls":1,"usd":-1}"#] {
            assert!(line.parse::<Entry>().unwrap_err().to_string().contains("no line of a ledger"), "{line}");
        }
    }
}
