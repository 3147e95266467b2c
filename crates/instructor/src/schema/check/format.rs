//! The formats of strings that are enforced, each by a small strict parser.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format whose strings are checked. All others are annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::schema) enum Format {
    DateTime,
    Date,
    Time,
    Uuid,
    Ipv4,
    Ipv6,
    Email,
    Uri,
}

impl Format {
    pub(in crate::schema) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "date" => Self::Date,
            "time" => Self::Time,
            "uuid" => Self::Uuid,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "email" => Self::Email,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    pub(in crate::schema) fn holds(self, text: &str) -> bool {
        match self {
            Self::DateTime => date_time(text.as_bytes()),
            Self::Date => date(text.as_bytes()),
            Self::Time => time(text.as_bytes()),
            Self::Uuid => uuid(text.as_bytes()),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Email => email(text),
            Self::Uri => uri(text),
        }
    }

    /// What a string of the format is, with an example where the shape is easy to get wrong.
    pub(in crate::schema) const fn phrase(self) -> &'static str {
        match self {
            Self::DateTime => "a date and time with offset such as \"2024-05-17T09:30:00Z\"",
            Self::Date => "a date such as \"2024-05-17\"",
            Self::Time => "a time with offset such as \"09:30:00Z\"",
            Self::Uuid => "a UUID such as \"123e4567-e89b-12d3-a456-426614174000\"",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Email => "an email address",
            Self::Uri => "an absolute URI such as \"https://example.com/a\"",
        }
    }
}

/// A number of exactly this many digits.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// RFC 3339 `full-date`.
fn date(text: &[u8]) -> bool {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text else { return false };
    let (4, Some(year), Some(month), Some(day)) = (y.len(), digits(y), digits(&[*m1, *m2]), digits(&[*d1, *d2])) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// RFC 3339 `full-time`: the offset is part of it, and 23:59:60 in UTC is a time.
fn time(text: &[u8]) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else { return false };
    let (Some(hour), Some(minute), Some(second)) = (digits(&[*h1, *h2]), digits(&[*m1, *m2]), digits(&[*s1, *s2]))
    else {
        return false;
    };
    let offset = match rest {
        [b'.', rest @ ..] => {
            let after = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
            if after == 0 {
                return false;
            }
            rest.get(after..).unwrap_or_default()
        }
        rest => rest,
    };
    let minutes_east = match offset {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (Some(hours @ 0..=23), Some(minutes @ 0..=59)) = (digits(&[*h1, *h2]), digits(&[*m1, *m2])) else {
                return false;
            };
            let size = i64::from(hours * 60 + minutes);
            if *sign == b'-' { -size } else { size }
        }
        _ => return false,
    };
    let in_utc = (i64::from(hour * 60 + minute) - minutes_east).rem_euclid(24 * 60);
    hour < 24 && minute < 60 && (second < 60 || (second == 60 && in_utc == 24 * 60 - 1))
}

/// RFC 3339 `date-time`, also with the space that the RFC lets readers accept.
fn date_time(text: &[u8]) -> bool {
    text.split_at_checked(10).is_some_and(|(day, rest)| match rest {
        [b'T' | b't' | b' ', clock @ ..] => date(day) && time(clock),
        _ => false,
    })
}

/// Five groups of hexadecimal digits.
fn uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// One part before the last `@` and a host after it. Quoted local parts and letters of any script pass.
fn email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .is_some_and(|inner| !inner.is_empty() && inner.chars().all(|c| !c.is_control() && c != '"' && c != '\\'));
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"()<>[]:;@\\,\"".contains(c);
    let dots = |part: &str| part.split('.').all(|label| !label.is_empty());
    let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).is_some_and(|address| {
        address.parse::<Ipv4Addr>().is_ok()
            || address.strip_prefix("IPv6:").is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
    });
    let name = dots(host)
        && host.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
        && host.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'));
    (quoted || (dots(local) && local.chars().all(plain))) && (name || literal)
}

/// RFC 3986 with a scheme. Characters beyond ASCII pass, as they do in what programs read as URLs.
fn uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    let escapes = rest
        .split('%')
        .skip(1)
        .all(|after| matches!(after.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()));
    scheme_ok && escapes && rest.chars().all(plain) && rest.matches('#').count() <= 1
}

/// The least and the greatest integer of a format such as `int32`.
pub(in crate::schema) fn integer_range(name: &str) -> Option<(i128, i128)> {
    Some(match name {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" | "uint" => (0, u64::MAX.into()),
        _ => return None,
    })
}
