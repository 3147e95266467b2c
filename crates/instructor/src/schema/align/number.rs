//! Numbers in text, read without ever rounding, wrapping or guessing at a locale.

/// A number that a text says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// As JSON.
    pub(super) json: String,
    pub(super) kind: &'static str,
    /// Grouped digits, of which it can only be guessed that they are.
    pub(super) guess: bool,
}

/// The number that a text is, if all of it is one.
pub(super) fn read(text: &str) -> Option<Read> {
    let text = text.trim();
    let (minus, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let sign = |json: String, kind, guess| Some(Read { json: format!("{minus}{json}"), kind, guess });
    if let Some(json) = plain(digits) {
        let zeros =
            digits.len() > 1 && digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        return sign(json, if zeros { "LeadingZero" } else { "StringToNumber" }, false);
    }
    sign(plain(&grouped(digits)?)?, "ThousandsSeparator", true)
}

/// `12`, `007`, `.5`, `5.`, `1.5e3`, without a sign in front, as JSON writes them.
fn plain(digits: &str) -> Option<String> {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (digits.get(..at)?, digits.get(at + 1..)?),
        None => (digits, ""),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let has_exponent = mantissa.len() < digits.len();
    if !all_digits(whole)
        || !all_digits(fraction)
        || whole.len() + fraction.len() == 0
        || has_exponent && (power.is_empty() || !all_digits(power))
    {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let mut json = String::from(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        json.push('.');
        json.push_str(fraction);
    }
    if has_exponent {
        json.push('e');
        json.push_str(exponent);
    }
    Some(json)
}

/// `1,234` and `12,345,678.9` without their commas: groups of three, the first not empty and not zero. A single group
/// of another length, such as `3,14`, may be a decimal comma and is left alone.
fn grouped(digits: &str) -> Option<String> {
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let mut joined = String::from(first);
    let mut more = 0;
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        joined.push_str(group);
        more += 1;
    }
    if more == 0 || first.is_empty() || first.len() > 3 || first.starts_with('0') {
        return None;
    }
    if let Some(fraction) = fraction {
        joined.push('.');
        joined.push_str(fraction);
    }
    Some(joined)
}

/// A number without fraction or exponent, if the number is whole: `12.0` is 12, `1.2e3` is 1200. Beyond what a double
/// holds exactly a number with a fraction or exponent is no exact integer any more.
pub(super) fn whole(number: &str) -> Option<String> {
    let (minus, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(String::from(number));
    }
    let exponent: i64 = exponent.parse().ok()?;
    let all = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let significant = all.trim_end_matches('0');
    let point = usize::try_from(point.max(0)).ok()?;
    if significant.len() > point && significant.bytes().any(|b| b != b'0') || point > 16 {
        return None;
    }
    let mut out: String = all.chars().chain(std::iter::repeat('0')).take(point).collect();
    let trimmed = out.trim_start_matches('0').len();
    out = out.split_off(out.len() - trimmed);
    let exact = out.parse::<u64>().unwrap_or(0) <= 1 << 53;
    exact.then(|| if out.is_empty() { String::from("0") } else { format!("{minus}{out}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_and_guesses() {
        let cases = [
            ("12", Some(("12", false))),
            (" -1.50 ", Some(("-1.50", false))),
            ("+7", Some(("7", false))),
            ("007", Some(("7", false))),
            (".5", Some(("0.5", false))),
            ("5.", Some(("5", false))),
            ("1e3", Some(("1e3", false))),
            ("0.1234567890123456789", Some(("0.1234567890123456789", false))),
            ("18446744073709551615", Some(("18446744073709551615", false))),
            ("1,234", Some(("1234", true))),
            ("12,345,678.9", Some(("12345678.9", true))),
            ("3,14", None),
            ("1.234,56", None),
            ("0,123", None),
            ("1,23,456", None),
            ("12k", None),
            ("50%", None),
            ("$5", None),
            ("1/5", None),
            ("10-20", None),
            ("not 5", None),
            ("", None),
            (".", None),
            ("1e", None),
            ("0x1F", None),
            ("NaN", None),
        ];
        for (text, wanted) in cases {
            let got = read(text);
            assert_eq!(got.as_ref().map(|r| (r.json.as_str(), r.guess)), wanted, "{text}");
        }
    }

    #[test]
    fn whole_numbers() {
        let cases = [
            ("12", Some("12")),
            ("12.0", Some("12")),
            ("-12.00", Some("-12")),
            ("1.2e3", Some("1200")),
            ("120e-1", Some("12")),
            ("0.0", Some("0")),
            ("12.7", None),
            ("1e30", None),
            ("1e-1", None),
            ("12345678901234567890123", Some("12345678901234567890123")),
        ];
        for (number, wanted) in cases {
            assert_eq!(whole(number).as_deref(), wanted, "{number}");
        }
    }
}
