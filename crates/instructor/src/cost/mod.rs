//! What calls cost: money, prices, and the sums of both. Prices are data; no clock is read here.

mod ledger;
mod money;
mod price;
mod prices;

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

pub(crate) use self::ledger::{Account, Call};
pub use self::ledger::{Entry, Ledger, Spend};
pub use self::money::Money;
pub use self::price::Price;
pub use self::prices::Prices;

/// What one call cost, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charge {
    /// The provider says so itself.
    Told(Money),
    /// What the provider counted, times the [`Price`] of the model.
    Counted(Money),
    /// About so much: the answer was not read to its end, so that the provider's counts are not all there. Tokens that it
    /// has not counted are taken as four bytes each.
    Estimated(Money),
}

impl Charge {
    /// The amount.
    #[must_use]
    pub const fn money(self) -> Money {
        match self {
            Self::Told(money) | Self::Counted(money) | Self::Estimated(money) => money,
        }
    }

    /// Whether it is only about right.
    #[must_use]
    pub const fn is_estimate(self) -> bool {
        matches!(self, Self::Estimated(_))
    }
}

/// `$0.0123`, or `about $0.0123`.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_estimate() { "about " } else { "" }, self.money())
    }
}

/// What several calls cost together, as far as it is known.
///
/// ```
/// use instructor::{Charge, Cost, Money};
///
/// let known = Some(Charge::Counted(Money::from_cents(3)));
/// let cost: Cost = [known, Some(Charge::Estimated(Money::from_cents(1))), None].into_iter().sum();
/// assert_eq!(cost.to_string(), "$0.03 and about $0.01, and 1 call of unknown cost");
/// assert!(!cost.is_complete());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// What was told or counted.
    pub known: Money,
    /// About how much more, for the calls of which there is only an estimate.
    pub estimated: Money,
    /// The calls of which nothing is known: without a count, or of a model without a price. They are not in the amounts.
    pub unknown: u64,
}

impl Cost {
    /// Known and estimated together.
    #[must_use]
    pub fn total(&self) -> Money {
        self.known + self.estimated
    }

    /// Whether the total has all calls in it, be it with an estimate.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.unknown == 0
    }
}

impl From<Option<Charge>> for Cost {
    fn from(charge: Option<Charge>) -> Self {
        match charge {
            Some(Charge::Estimated(estimated)) => Self { estimated, ..Self::default() },
            Some(charge) => Self { known: charge.money(), ..Self::default() },
            None => Self { unknown: 1, ..Self::default() },
        }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            known: self.known + other.known,
            estimated: self.estimated + other.estimated,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Self::add)
    }
}

impl Sum<Option<Charge>> for Cost {
    fn sum<I: Iterator<Item = Option<Charge>>>(iter: I) -> Self {
        iter.map(Self::from).sum()
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, estimated, unknown } = *self;
        let mut and = "";
        if known != Money::ZERO || (estimated == Money::ZERO && unknown == 0) {
            write!(f, "{known}")?;
            and = " and ";
        }
        if estimated != Money::ZERO {
            write!(f, "{and}about {estimated}")?;
            and = " and ";
        }
        if unknown > 0 {
            let (comma, calls) =
                (if and.is_empty() { "" } else { ", and " }, if unknown == 1 { "call" } else { "calls" });
            write!(f, "{comma}{unknown} {calls} of unknown cost")?;
        }
        Ok(())
    }
}
