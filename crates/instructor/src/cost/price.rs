use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::Money;
use crate::calendar::day;
use crate::wire::Usage;

/// What a model's tokens cost.
///
/// ```
/// use instructor::{Money, Price};
///
/// // Per million tokens; cached input at a tenth.
/// let price = Price::new(Money::from_cents(25), Money::from_dollars(2)).with_cached(Money::from_micros(25_000));
/// assert_eq!(price.to_string(), "$0.25 in, $2.00 out, $0.025 cached per million tokens");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    price: Rates,
    above: Vec<Above>,
    changes: Vec<Change>,
}

/// The models of a price, and it, as a file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    models: Vec<String>,
    price: Rates,
    #[serde(default)]
    above: Vec<Above>,
    #[serde(default)]
    changes: Vec<Change>,
}

impl Row {
    pub(super) fn split(self) -> (Vec<String>, Price) {
        let Self { models, price, mut above, mut changes } = self;
        for above in changes.iter_mut().map(|change| &mut change.above).chain([&mut above]) {
            above.sort_by_key(|above| above.tokens);
        }
        (models, Price { price, above, changes })
    }
}

/// Trillionths of a dollar for a token, which is millionths of a dollar for a million of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    input: Rate,
    output: Rate,
    /// That of the input where it is not said, as for the next; that of the next for the one after.
    cached: Option<Rate>,
    cache_write: Option<Rate>,
    cache_write_1h: Option<Rate>,
    /// That of the output where it is not said.
    reasoning: Option<Rate>,
}

/// Rates for all tokens of a request with more input than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Above {
    tokens: u64,
    price: Rates,
}

/// What holds from a day on, or at some hours of every day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    from: Option<Day>,
    /// From the first to the last, which may be in the next day.
    hours: Option<(Clock, Clock)>,
    price: Rates,
    #[serde(default)]
    above: Vec<Above>,
}

impl Price {
    /// With a price for a million tokens of input and of output. All amounts here are for a million tokens, to the
    /// millionth of a dollar.
    #[must_use]
    pub fn new(input: Money, output: Money) -> Self {
        let price = Rates {
            input: input.into(),
            output: output.into(),
            cached: None,
            cache_write: None,
            cache_write_1h: None,
            reasoning: None,
        };
        Self { price, above: Vec::new(), changes: Vec::new() }
    }

    /// With another price for input that is read from the provider's cache; that of the input by default.
    #[must_use]
    pub fn with_cached(mut self, price: Money) -> Self {
        self.price.cached = Some(price.into());
        self
    }

    /// With another price for input that is written to the provider's cache; that of the input by default.
    #[must_use]
    pub fn with_cache_write(mut self, price: Money) -> Self {
        self.price.cache_write = Some(price.into());
        self
    }

    /// With another price for input that is kept in the cache for an hour; that of all that is written by default.
    #[must_use]
    pub fn with_cache_write_1h(mut self, price: Money) -> Self {
        self.price.cache_write_1h = Some(price.into());
        self
    }

    /// With another price for output that is reasoning; that of the output by default.
    #[must_use]
    pub fn with_reasoning(mut self, price: Money) -> Self {
        self.price.reasoning = Some(price.into());
        self
    }

    /// With another price for all tokens of a request that has more input tokens than this.
    #[must_use]
    pub fn with_above(mut self, tokens: u64, price: &Self) -> Self {
        self.above.push(Above { tokens, price: price.price });
        self.above.sort_by_key(|above| above.tokens);
        self
    }

    /// What this many tokens cost at a time since the Unix epoch; `None` where input or output was not counted.
    ///
    /// ```
    /// # use instructor::{Money, Price, Usage};
    /// # use std::time::Duration;
    /// let price = Price::new(Money::from_dollars(1), Money::from_dollars(2));
    /// assert_eq!(price.cost(&Usage::default(), Duration::ZERO), None);
    /// ```
    #[must_use]
    pub fn cost(&self, usage: &Usage, at: Duration) -> Option<Money> {
        let (input, output) = (usage.input?, usage.output?);
        let rates = self.rates(input, at);
        let (cached, written) = (usage.cached.unwrap_or_default(), usage.cache_write.unwrap_or_default());
        let hour = usage.cache_write_1h.unwrap_or_default().min(written);
        let reasoning = usage.reasoning.unwrap_or_default().min(output);
        let write = rates.cache_write.unwrap_or(rates.input);
        let parts = [
            (input.saturating_sub(cached).saturating_sub(written), rates.input),
            (cached, rates.cached.unwrap_or(rates.input)),
            (written - hour, write),
            (hour, rates.cache_write_1h.unwrap_or(write)),
            (output - reasoning, rates.output),
            (reasoning, rates.reasoning.unwrap_or(rates.output)),
        ];
        Some(parts.into_iter().map(|(tokens, rate)| rate.of(tokens)).sum())
    }

    /// What holds for a request with so much input at a time.
    fn rates(&self, input: u64, at: Duration) -> &Rates {
        let change = self.changes.iter().rev().find(|change| change.holds(at));
        let (price, above) = change.map_or((&self.price, &self.above), |change| (&change.price, &change.above));
        above.iter().rev().find(|above| input > above.tokens).map_or(price, |above| &above.price)
    }
}

/// What holds for a short request, before any change.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rates { input, output, cached, cache_write, cache_write_1h, reasoning } = self.price;
        write!(f, "{} in, {} out", input.of(1_000_000), output.of(1_000_000))?;
        let more = [
            (cached, "cached"),
            (cache_write, "cache write"),
            (cache_write_1h, "cache write for an hour"),
            (reasoning, "reasoning"),
        ];
        for (rate, what) in more {
            if let Some(rate) = rate {
                write!(f, ", {} {what}", rate.of(1_000_000))?;
            }
        }
        f.write_str(" per million tokens")
    }
}

impl Rate {
    fn of(self, tokens: u64) -> Money {
        Money::from_trillionths(u128::from(self.0) * u128::from(tokens))
    }
}

impl From<Money> for Rate {
    fn from(million: Money) -> Self {
        let rounded = million.trillionths().saturating_add(500_000) / 1_000_000;
        Self(u64::try_from(rounded).unwrap_or(u64::MAX))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(deserializer)?;
        // A float has all digits of what fits here, so that the nearest integer is what was written.
        let millionths = (dollars * 1e6).round();
        let fits = (0.0..1e15).contains(&millionths) && (dollars * 1e6 - millionths).abs() < 1e-3;
        if !fits {
            let message = format!("a price of {dollars}: wanted dollars for a million tokens, with at most 6 decimals");
            return Err(serde::de::Error::custom(message));
        }
        Ok(Self(millionths as u64))
    }
}

/// A day as `2027-01-01`: as texts, days are in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Day(String);

/// Minutes since midnight, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock(u64);

impl Change {
    fn holds(&self, at: Duration) -> bool {
        let minute = at.as_secs() / 60 % (24 * 60);
        let hours = self.hours.is_none_or(|(Clock(first), Clock(last))| match first <= last {
            true => (first..last).contains(&minute),
            false => minute >= first || minute < last,
        });
        hours && self.from.as_ref().is_none_or(|from| *from.0 <= *day(at))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if shaped(&text, "0000-00-00") {
            return Ok(Self(text));
        }
        Err(serde::de::Error::custom(format!("{text:?} is no day: write it as 2027-01-31")))
    }
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = |part: &str| part.parse::<u64>().ok();
        let minutes = text
            .split_once(':')
            .filter(|_| shaped(&text, "00:00"))
            .and_then(|(hours, minutes)| Some(number(hours)? * 60 + number(minutes)?));
        minutes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no time: write it as 16:30, in UTC")))
    }
}

/// Whether a text has digits where the form has zeros, and is the form elsewhere.
pub(super) fn shaped(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(b, f)| if f == b'0' { b.is_ascii_digit() } else { b == f })
}
