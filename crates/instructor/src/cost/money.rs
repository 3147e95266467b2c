use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use crate::error::Error;

/// An amount of US dollars, exact: an integer of trillionths, since a token may cost less than a millionth of a dollar.
///
/// ```
/// use instructor::Money;
///
/// let limit: Money = "0.05".parse()?;
/// assert_eq!(limit, Money::from_cents(5));
/// assert_eq!((limit + Money::from_micros(250)).to_string(), "$0.05025");
/// assert_eq!(format!("{:.2}", Money::from_micros(1_234_567)), "$1.23");
/// # Ok::<(), instructor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u128);

/// Decimal places.
const PLACES: u32 = 12;
const DOLLAR: u128 = 10_u128.pow(PLACES);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many dollars.
    #[must_use]
    pub const fn from_dollars(dollars: u64) -> Self {
        Self(dollars as u128 * DOLLAR)
    }

    /// So many hundredths of a dollar.
    #[must_use]
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents as u128 * (DOLLAR / 100))
    }

    /// So many millionths of a dollar.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros as u128 * (DOLLAR / 1_000_000))
    }

    /// So many trillionths of a dollar.
    #[must_use]
    pub const fn from_trillionths(trillionths: u128) -> Self {
        Self(trillionths)
    }

    /// The amount in trillionths of a dollar.
    #[must_use]
    pub const fn trillionths(self) -> u128 {
        self.0
    }

    /// So many per cent of it.
    pub(crate) const fn percent(self, percent: u8) -> Self {
        Self(self.0.saturating_mul(percent as u128) / 100)
    }

    /// Reads a number of dollars as JSON writes it, or people: `0.05`, `$1`, `4.88e-05`. What is finer than a trillionth is
    /// rounded to it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('$').unwrap_or(text);
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok().filter(|e| e.abs() < 100)?),
            None => (text, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{part}");
        if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let amount: u128 = digits.parse().ok()?;
        let shift = PLACES as i32 + exponent - i32::try_from(part.len()).ok()?;
        let power = |n: i32| 10_u128.checked_pow(n.unsigned_abs());
        Some(Self(match shift {
            0.. => amount.checked_mul(power(shift)?)?,
            // Less than any trillionth where there is no such power.
            _ => {
                power(shift).map_or(0, |power| (amount / power).saturating_add(u128::from(amount % power >= power / 2)))
            }
        }))
    }

    /// The number of dollars, as JSON has it, with every digit.
    pub(crate) fn number(self) -> String {
        let (dollars, part) = (self.0 / DOLLAR, self.0 % DOLLAR);
        let part = format!("{part:012}");
        match part.trim_end_matches('0') {
            "" => dollars.to_string(),
            part => format!("{dollars}.{part}"),
        }
    }
}

/// `$0.0123`: every digit, and two at least; with a precision (`{:.2}`) so many, rounded.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = f.precision().map_or(PLACES, |places| places.min(PLACES as usize) as u32);
        let unit = 10_u128.pow(PLACES - places);
        let rounded = (self.0 / unit).saturating_add(u128::from(self.0 % unit >= unit.div_ceil(2)));
        let (dollars, part) = (rounded / 10_u128.pow(places), rounded % 10_u128.pow(places));
        let part = if places == 0 { String::new() } else { format!("{part:0width$}", width = places as usize) };
        let part = match f.precision() {
            Some(_) => &*part,
            None => part.get(..part.trim_end_matches('0').len().max(2)).unwrap_or_default(),
        };
        let point = if part.is_empty() { "" } else { "." };
        f.pad_integral(true, "", &format!("${dollars}{point}{part}"))
    }
}

/// Reads `0.05`, `$0.05` or `4.88e-05`. What is finer than a trillionth of a dollar is rounded to it.
impl FromStr for Money {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text)
            .ok_or_else(|| Error::config(format!("{text:?} is no amount of money: write dollars, such as 0.05")))
    }
}

/// The sum; what is too much to be counted stays the most that can be.
impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Self::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_they_are_written() {
        let cases = [
            ("0", 0),
            ("$1", DOLLAR),
            ("0.000001", 1_000_000),
            ("4.88e-05", 48_800_000),
            ("1E2", 100 * DOLLAR),
            ("12.5", 12_500_000_000_000),
            ("0.0000000000014", 1),
            ("0.0000000000015", 2),
            ("3e-99", 0),
        ];
        for (text, wanted) in cases {
            assert_eq!(Money::read(text), Some(Money(wanted)), "{text}");
        }
        for text in ["", "$", ".5", "-1", "1.2.3", "1e", "e5", "NaN", "1,5", "1e999", "9e40"] {
            assert_eq!(Money::read(text), None, "{text}");
            assert!(text.parse::<Money>().unwrap_err().to_string().contains("such as 0.05"));
        }
    }

    #[test]
    fn every_digit_is_shown_and_read_again() {
        let cases = [
            (0, "$0.00", "0"),
            (DOLLAR, "$1.00", "1"),
            (75_000, "$0.000000075", "0.000000075"),
            (12_300_000_000, "$0.0123", "0.0123"),
            (1_500_000_000_000, "$1.50", "1.5"),
        ];
        for (amount, shown, number) in cases {
            let money = Money(amount);
            assert_eq!((money.to_string(), money.number()), (String::from(shown), String::from(number)));
            assert_eq!((shown.parse().ok(), number.parse().ok()), (Some(money), Some(money)));
        }
        let rounded = |amount| format!("{:.2} {0:.0} {0:>9.1}", Money(amount));
        assert_eq!(rounded(1_995_000_000_000), "$2.00 $2      $2.0");
        assert_eq!(rounded(4_999_999_999), "$0.00 $0      $0.0");
        assert_eq!(rounded(5_000_000_000), "$0.01 $0      $0.0");
    }
}
