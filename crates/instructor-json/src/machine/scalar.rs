//! Numbers and literals, and what is written for them.

use std::borrow::Cow;

use crate::document::Kind;
use crate::input::is_json_number;
use crate::repair::{RepairKind, Severity};

/// A token that is a value by itself.
#[derive(Debug)]
pub(crate) struct Scalar<'t> {
    /// The JSON to write, or the characters of a string.
    pub(crate) text: Cow<'t, str>,
    pub(crate) kind: Kind,
    pub(crate) repair: Option<(RepairKind, Severity)>,
}

/// What a token means; `None` for any other word.
pub(crate) fn classify(token: &str) -> Option<Scalar<'_>> {
    let first = token.bytes().next()?;
    let plain = |kind| Some(Scalar { text: token.into(), kind, repair: None });
    match token {
        "true" | "false" => return plain(Kind::Bool),
        "null" => return plain(Kind::Null),
        "True" => return fixed("true", Kind::Bool, RepairKind::PythonLiteral, Severity::Lossless),
        "False" => return fixed("false", Kind::Bool, RepairKind::PythonLiteral, Severity::Lossless),
        "None" => return fixed("null", Kind::Null, RepairKind::PythonLiteral, Severity::Lossless),
        "undefined" | "NaN" | "Infinity" | "-Infinity" | "+Infinity" | "-NaN" => {
            return fixed("null", Kind::Null, RepairKind::JsLiteral, Severity::Lossy);
        }
        _ => {}
    }
    if first.is_ascii_alphabetic() {
        let cased = |word: &'static str, kind| {
            if token.eq_ignore_ascii_case(word) {
                fixed(word, kind, RepairKind::LiteralCase, Severity::Lossless)
            } else {
                None
            }
        };
        return cased("true", Kind::Bool).or_else(|| cased("false", Kind::Bool)).or_else(|| cased("null", Kind::Null));
    }
    if is_json_number(token) {
        return plain(Kind::Number);
    }
    number(token).or_else(|| text(token))
}

fn fixed<'t>(text: &'static str, kind: Kind, repair: RepairKind, severity: Severity) -> Option<Scalar<'t>> {
    Some(Scalar { text: text.into(), kind, repair: Some((repair, severity)) })
}

/// Numbers that JSON spells differently.
fn number(token: &str) -> Option<Scalar<'_>> {
    let found = |text: String, kind, severity| {
        is_json_number(&text).then_some(Scalar {
            text: text.into(),
            kind: Kind::Number,
            repair: Some((kind, severity)),
        })
    };
    if let Some(rest) = token.strip_prefix('+') {
        let rest = if rest.starts_with('.') { format!("0{rest}") } else { rest.to_owned() };
        return found(rest, RepairKind::PlusSign, Severity::Lossless);
    }
    let (sign, body) = match token.strip_prefix('-') {
        Some(body) => ("-", body),
        None => ("", token),
    };
    if let Some(hex) = body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")) {
        let value = u128::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        return found(format!("{sign}{value}"), RepairKind::HexNumber, Severity::Lossless);
    }
    if body.starts_with('.') {
        return found(format!("{sign}0{body}"), RepairKind::LeadingDot, Severity::Lossless);
    }
    if let Some(int) = body.strip_suffix('.') {
        return found(format!("{sign}{int}.0"), RepairKind::TrailingDot, Severity::Lossless);
    }
    if body.contains('_') {
        let spaced = !body.starts_with('_') && !body.ends_with('_') && !body.contains("__");
        let joined: String = token.chars().filter(|&c| c != '_').collect();
        return if spaced { found(joined, RepairKind::DigitSeparator, Severity::Lossless) } else { None };
    }
    let mantissa = body.trim_end_matches(['+', '-']);
    if mantissa.len() + 1 >= body.len()
        && let Some(mantissa) = mantissa.strip_suffix(['e', 'E'])
    {
        return found(format!("{sign}{mantissa}"), RepairKind::TruncatedNumber, Severity::Guess);
    }
    None
}

/// What looks like a number and is kept as text, since a number would lose something.
fn text(token: &str) -> Option<Scalar<'_>> {
    let text = |kind, severity| Some(Scalar { text: token.into(), kind: Kind::String, repair: Some((kind, severity)) });
    let kept = |kind| text(kind, Severity::Guess);
    // All the digits are kept, and whoever wants a number can still read one.
    let zeros = || text(RepairKind::LeadingZero, Severity::Lossless);
    let amount =
        |s: &str| s.starts_with(|c: char| c.is_ascii_digit()) && s.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let body = token.strip_prefix('-').unwrap_or(token);
    let digits = body.trim_start_matches('0').trim_start_matches('.');
    if body.len() > 1 && body.starts_with('0') && !digits.starts_with('-') && is_json_number(digits) {
        return zeros();
    }
    if body.len() > 1 && body.bytes().all(|b| b == b'0') {
        return zeros();
    }
    if body.starts_with("00") && amount(body) {
        return zeros();
    }
    if body.strip_suffix('%').is_some_and(amount) {
        return kept(RepairKind::UnitStripped);
    }
    if body.strip_prefix(['$', '€', '£', '¥']).is_some_and(amount) {
        return kept(RepairKind::UnitStripped);
    }
    if let Some((over, under)) = body.split_once('/')
        && amount(over)
        && amount(under)
    {
        return kept(RepairKind::Fraction);
    }
    None
}
