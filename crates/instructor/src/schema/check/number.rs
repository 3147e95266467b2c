//! Numbers by their decimal digits: exact comparison and divisibility without floats.

use std::cmp::Ordering;

/// A number as its text has it. Nothing is rounded, however many digits there are.
#[derive(Clone, Copy, Debug)]
struct Decimal<'t> {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'t [u8],
    /// Digits after the point, without trailing zeros; without leading ones either if `whole` is empty.
    fraction: &'t [u8],
    /// Where the point is: the value is 0.DIGITS times ten to the power of this.
    point: i64,
}

impl<'t> Decimal<'t> {
    fn parse(text: &'t str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, power(exponent)),
            None => (text, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0').as_bytes();
        let mut fraction = fraction.trim_end_matches('0').as_bytes();
        let mut point = i64::try_from(whole.len()).unwrap_or(i64::MAX).saturating_add(exponent);
        if whole.is_empty() {
            while let [b'0', rest @ ..] = fraction {
                fraction = rest;
                point = point.saturating_sub(1);
            }
        }
        Self { negative, whole, fraction, point }
    }

    const fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The significant digits, without trailing zeros.
    fn digits(&self) -> impl Iterator<Item = u8> + use<'t> {
        let mut whole = self.whole;
        if self.fraction.is_empty() {
            while let [rest @ .., b'0'] = whole {
                whole = rest;
            }
        }
        whole.iter().chain(self.fraction).copied()
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        if self.negative != other.negative {
            return if self.negative { Ordering::Less } else { Ordering::Greater };
        }
        let by_size = self.point.cmp(&other.point).then_with(|| self.digits().cmp(other.digits()));
        if self.negative { by_size.reverse() } else { by_size }
    }

    fn is_integer(&self) -> bool {
        self.is_zero() || (self.point > 0 && self.digits().zip(0..=self.point).count() as i64 <= self.point)
    }
}

/// The exponent, cut to a range in which sums do not overflow.
fn power(text: &str) -> i64 {
    const MOST: i64 = 1 << 40;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let digits = digits.trim_start_matches('+').trim_start_matches('0');
    let size = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(MOST).min(MOST) };
    if negative { -size } else { size }
}

/// A plain integer of at most 18 digits: nearly all numbers in answers.
#[inline]
fn small(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 18 {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

/// Whether the number is whole. `1.0` is, `1e-1` is not.
#[inline]
pub(in crate::schema) fn is_integer(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'-') || Decimal::parse(text).is_integer()
}

/// A number of a schema, ready to be compared with.
#[derive(Clone, Debug)]
pub(in crate::schema) struct Number {
    text: Box<str>,
    small: Option<i64>,
}

impl Number {
    pub(in crate::schema) fn new(text: &str) -> Self {
        Self { text: text.into(), small: small(text) }
    }

    /// How a number of the answer compares with this one.
    pub(in crate::schema) fn compare(&self, answer: &str) -> Ordering {
        self.compare_to(&Answer::new(answer))
    }

    /// As [`compare`](Self::compare), for a number that is compared with several.
    #[inline]
    pub(in crate::schema) fn compare_to(&self, answer: &Answer<'_>) -> Ordering {
        match (answer.small, self.small) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => Decimal::parse(answer.text).compare(&Decimal::parse(&self.text)),
        }
    }

    pub(in crate::schema) fn text(&self) -> &str {
        &self.text
    }
}

/// A number of the answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::schema) struct Answer<'t> {
    text: &'t str,
    small: Option<i64>,
}

impl<'t> Answer<'t> {
    #[inline]
    pub(in crate::schema) fn new(text: &'t str) -> Self {
        Self { text, small: small(text) }
    }
}

/// The divisor of a `multipleOf`: `mantissa` times ten to the power of `exponent`.
#[derive(Clone, Debug)]
pub(in crate::schema) struct Divisor {
    text: Box<str>,
    mantissa: u64,
    exponent: i64,
}

impl Divisor {
    /// `None` for zero, a negative number, or one of more digits than numbers in schemas have.
    pub(in crate::schema) fn new(text: &str) -> Option<Self> {
        let number = Decimal::parse(text);
        if number.negative || number.is_zero() {
            return None;
        }
        let mut mantissa = 0_u64;
        let mut exponent = number.point;
        for digit in number.digits() {
            mantissa = mantissa.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            exponent -= 1;
        }
        Some(Self { text: text.into(), mantissa, exponent })
    }

    pub(in crate::schema) fn divides(&self, answer: &str) -> bool {
        let number = Decimal::parse(answer);
        let modulus = u128::from(self.mantissa);
        let mut rest = 0_u128;
        let mut exponent = number.point;
        for digit in number.digits() {
            rest = (rest * 10 + u128::from(digit - b'0')) % modulus;
            exponent = exponent.saturating_sub(1);
        }
        // The digits have no trailing zero, so that a coarser unit than theirs can divide zero only.
        let shift = exponent.saturating_sub(self.exponent);
        number.is_zero() || (shift >= 0 && (rest * ten_to(shift.unsigned_abs(), modulus)).is_multiple_of(modulus))
    }

    pub(in crate::schema) fn text(&self) -> &str {
        &self.text
    }
}

/// Ten to a power, modulo a number below 2^64.
const fn ten_to(mut power: u64, modulus: u128) -> u128 {
    let (mut result, mut base) = (1 % modulus, 10 % modulus);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        power >>= 1;
    }
    result
}

/// Writes the number so that equal numbers get equal texts.
pub(in crate::schema) fn canonical(text: &str, out: &mut String) {
    let number = Decimal::parse(text);
    if number.is_zero() {
        out.push('0');
        return;
    }
    if number.negative {
        out.push('-');
    }
    out.extend(number.digits().map(char::from));
    out.push('e');
    out.push_str(&number.point.to_string());
}
