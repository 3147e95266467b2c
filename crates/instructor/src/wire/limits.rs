//! What providers say of their rate limits, in the headers of every answer.

use std::time::Duration;

use http::HeaderMap;

/// What a provider says of its rate limits with one answer. What it does not say is `None`.
///
/// Where it counts in several windows the shortest is told: a minute before a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// Calls.
    pub requests: RateLimit,
    /// Tokens, where input and output are counted together.
    pub tokens: RateLimit,
    /// Input tokens.
    pub input_tokens: RateLimit,
    /// Output tokens.
    pub output_tokens: RateLimit,
}

/// One limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How much there is in one window.
    pub limit: Option<u64>,
    /// How much is left of it.
    pub remaining: Option<u64>,
    /// How long after the answer it is whole again.
    pub reset: Option<Duration>,
}

impl RateLimits {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// How long it takes until nothing that is used up is so any longer.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let used_up = |limit: &&RateLimit| limit.remaining == Some(0);
        let all = [&self.requests, &self.tokens, &self.input_tokens, &self.output_tokens];
        all.into_iter().filter(used_up).filter_map(|limit| limit.reset).max()
    }

    /// Reads the headers of an answer: those of the protocol's own, and those in common use. `now` is the time since the Unix epoch, for a reset that is a date.
    pub(crate) fn read(headers: &HeaderMap, own: &Headers, now: Duration) -> Self {
        // Each name is looked up by itself, which is for nothing where there is none of them.
        if !headers.keys().any(|name| is_of_limits(name.as_str())) {
            return Self::default();
        }
        let text = |name: &&str| headers.get(*name)?.to_str().ok().map(str::trim);
        let count = |name| text(name)?.parse().ok().and_then(whole);
        let reset = |name| until(text(name)?, now);
        let read = |own: &Names, common: &Names| RateLimit {
            limit: own.limit.iter().chain(common.limit).find_map(count),
            remaining: own.remaining.iter().chain(common.remaining).find_map(count),
            reset: own.reset.iter().chain(common.reset).find_map(reset),
        };
        Self {
            requests: read(&own.requests, &COMMON.requests),
            tokens: read(&own.tokens, &COMMON.tokens),
            input_tokens: read(&own.input_tokens, &COMMON.input_tokens),
            output_tokens: read(&own.output_tokens, &COMMON.output_tokens),
        }
    }
}

/// What all names below have in common, and those of the protocols.
fn is_of_limits(name: &str) -> bool {
    name.contains("limit") || name.contains("remaining")
}

/// The names of headers, for each that is limited.
#[derive(Debug)]
pub(crate) struct Headers {
    pub(super) requests: Names,
    pub(super) tokens: Names,
    pub(super) input_tokens: Names,
    pub(super) output_tokens: Names,
}

impl Headers {
    pub(super) const NONE: Self =
        Self { requests: Names::NONE, tokens: Names::NONE, input_tokens: Names::NONE, output_tokens: Names::NONE };
}

/// The headers that say one limit; the first that can be read counts.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) limit: &'static [&'static str],
    pub(super) remaining: &'static [&'static str],
    pub(super) reset: &'static [&'static str],
}

impl Names {
    const NONE: Self = Self { limit: &[], remaining: &[], reset: &[] };
}

/// Those in common use, whatever the protocol.
const COMMON: Headers =
    Headers { requests: REQUESTS, tokens: TOKENS, input_tokens: INPUT_TOKENS, output_tokens: OUTPUT_TOKENS };

const REQUESTS: Names = Names {
    limit: &[
        "x-ratelimit-limit-requests",
        "x-ratelimit-limit-req-minute",
        "x-ratelimit-limit-requests-minute",
        "x-ratelimit-limit-requests-day",
        "x-trial-endpoint-call-limit",
        "x-ratelimit-limit",
        "ratelimit-limit",
    ],
    remaining: &[
        "x-ratelimit-remaining-requests",
        "x-ratelimit-remaining-req-minute",
        "x-ratelimit-remaining-requests-minute",
        "x-ratelimit-remaining-requests-day",
        "x-trial-endpoint-call-remaining",
        "x-ratelimit-remaining",
        "ratelimit-remaining",
    ],
    reset: &[
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-req-minute",
        "x-ratelimit-reset-requests-minute",
        "x-ratelimit-reset-requests-day",
        "x-ratelimit-reset",
        "ratelimit-reset",
    ],
};

const TOKENS: Names = Names {
    limit: &[
        "x-ratelimit-limit-tokens",
        "x-ratelimit-limit-tokens-minute",
        "x-ratelimitbysize-limit-minute",
        "ratelimitbysize-limit",
        "x-tokenlimit-limit",
    ],
    remaining: &[
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-remaining-tokens-minute",
        "x-ratelimitbysize-remaining-minute",
        "ratelimitbysize-remaining",
        "x-tokenlimit-remaining",
    ],
    reset: &[
        "x-ratelimit-reset-tokens",
        "x-ratelimit-reset-tokens-minute",
        "ratelimitbysize-reset",
        "x-tokenlimit-reset",
    ],
};

const INPUT_TOKENS: Names = Names {
    limit: &["x-ratelimit-limit-tokens-prompt"],
    remaining: &["x-ratelimit-remaining-tokens-prompt"],
    reset: &["x-ratelimit-reset-tokens-prompt"],
};

const OUTPUT_TOKENS: Names = Names {
    limit: &["x-ratelimit-limit-tokens-generated"],
    remaining: &["x-ratelimit-remaining-tokens-generated"],
    reset: &["x-ratelimit-reset-tokens-generated"],
};

/// A count; some write it as `4000.0`, and `-1` for one that they do not know.
fn whole(count: f64) -> Option<u64> {
    (0.0..9e15).contains(&count).then_some(count as u64)
}

/// The time until a reset, in any of the forms in use: `6m0s`, `20ms`, seconds, the time of day as RFC 3339, or as
/// seconds or milliseconds since the epoch.
fn until(text: &str, now: Duration) -> Option<Duration> {
    /// No window is longer than this many seconds, and no clock shows less.
    const EPOCH: f64 = 1e9;
    const EPOCH_IN_MILLISECONDS: f64 = 1e12;
    if let Ok(number) = text.parse::<f64>() {
        let time = match number {
            EPOCH_IN_MILLISECONDS.. => Duration::try_from_secs_f64(number / 1000.0).ok()?,
            EPOCH.. => Duration::try_from_secs_f64(number).ok()?,
            _ => return Duration::try_from_secs_f64(number).ok(),
        };
        return Some(time.saturating_sub(now));
    }
    if text.contains('T') { Some(date_time(text)?.saturating_sub(now)) } else { span(text) }
}

/// A sum of times with their units, such as `1h2m3.5s`.
fn span(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] =
        [("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6)];
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(number)?;
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit)?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += number.parse::<f64>().ok()? * seconds;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(sum).ok()).flatten()
}

/// The time since the epoch of an RFC 3339 text.
fn date_time(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once('T')?;
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone)?;
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let offset = match zone.strip_prefix(['+', '-']) {
        None => 0.0,
        Some(ahead) => {
            let (hours, minutes) = ahead.split_once(':')?;
            let ahead = hours.parse::<f64>().ok()? * 3_600.0 + minutes.parse::<f64>().ok()? * 60.0;
            if zone.starts_with('-') { -ahead } else { ahead }
        }
    };
    // Days since 1 March of the year 0, when leap days come last; then since the epoch.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Duration::try_from_secs_f64(days as f64 * 86_400.0 + hour * 3_600.0 + minute * 60.0 + second - offset).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Wire;
    use crate::wire::anthropic::Anthropic;
    use crate::wire::openai_chat::OpenAiChat;

    /// 2026-11-26T15:00:00Z.
    const NOW: Duration = Duration::from_secs(1_795_705_200);

    fn limit(limit: u64, remaining: u64, reset: impl Into<Option<f64>>) -> RateLimit {
        let reset = reset.into().map(Duration::from_secs_f64);
        RateLimit { limit: Some(limit), remaining: Some(remaining), reset }
    }

    type Pairs = &'static [(&'static str, &'static str)];

    fn read(own: &dyn Wire, headers: Pairs) -> RateLimits {
        let header = |(name, value): &(&str, &str)| {
            (http::HeaderName::try_from(*name).unwrap(), http::HeaderValue::try_from(*value).unwrap())
        };
        let headers: HeaderMap = headers.iter().map(header).collect();
        RateLimits::read(&headers, own.limits(), NOW)
    }

    #[test]
    fn all_names_are_told_from_other_headers() {
        let own: Vec<_> = crate::provider::Profile::all().map(|profile| profile.wire().limits()).collect();
        for headers in own.into_iter().chain([&COMMON]) {
            for limited in [&headers.requests, &headers.tokens, &headers.input_tokens, &headers.output_tokens] {
                let names = [limited.limit, limited.remaining, limited.reset].concat();
                assert!(names.iter().all(|name| is_of_limits(name)), "{names:?}");
            }
        }
        assert!(
            !["date", "content-type", "x-request-id", "openai-processing-ms"].iter().any(|name| is_of_limits(name))
        );
    }

    #[test]
    fn header_sets_of_providers() {
        let unknown = RateLimits::default();
        let none = RateLimit::default();
        let cases: [(&str, Pairs, RateLimits); 11] = [
            (
                "OpenAI",
                &[
                    ("x-ratelimit-limit-requests", "5000"),
                    ("x-ratelimit-limit-tokens", "160000"),
                    ("x-ratelimit-remaining-requests", "4999"),
                    ("x-ratelimit-remaining-tokens", "159976"),
                    ("x-ratelimit-reset-requests", "12ms"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                ],
                RateLimits { requests: limit(5000, 4999, 0.012), tokens: limit(160_000, 159_976, 360.0), ..unknown },
            ),
            (
                "Anthropic",
                &[
                    ("anthropic-ratelimit-requests-limit", "50"),
                    ("anthropic-ratelimit-requests-remaining", "49"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-26T15:00:01Z"),
                    ("anthropic-ratelimit-tokens-limit", "38000"),
                    ("anthropic-ratelimit-tokens-remaining", "38000"),
                    ("anthropic-ratelimit-tokens-reset", "2026-11-26T15:00:00Z"),
                    ("anthropic-ratelimit-input-tokens-limit", "30000"),
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "2026-11-26T16:00:30.5+01:00"),
                    ("anthropic-ratelimit-output-tokens-limit", "8000"),
                    ("anthropic-ratelimit-output-tokens-remaining", "8000"),
                    ("anthropic-ratelimit-output-tokens-reset", "2026-11-26T14:59:00Z"),
                ],
                RateLimits {
                    requests: limit(50, 49, 1.0),
                    tokens: limit(38_000, 38_000, 0.0),
                    input_tokens: limit(30_000, 0, 30.5),
                    output_tokens: limit(8_000, 8_000, 0.0),
                },
            ),
            (
                "Azure: whole seconds, and what it does not know is -1",
                &[
                    ("x-ratelimit-limit-requests", "100"),
                    ("x-ratelimit-remaining-requests", "99"),
                    ("x-ratelimit-reset-requests", "10"),
                    ("x-ratelimit-limit-tokens", "-1"),
                    ("x-ratelimit-remaining-tokens", "-1"),
                    ("x-ratelimit-reset-tokens", "0"),
                ],
                RateLimits {
                    requests: limit(100, 99, 10.0),
                    tokens: RateLimit { reset: Some(Duration::ZERO), ..none },
                    ..unknown
                },
            ),
            (
                "Groq: requests of a day, tokens of a minute",
                &[
                    ("x-ratelimit-limit-requests", "14400"),
                    ("x-ratelimit-limit-tokens", "18000"),
                    ("x-ratelimit-remaining-requests", "14370"),
                    ("x-ratelimit-remaining-tokens", "17997"),
                    ("x-ratelimit-reset-requests", "2m59.56s"),
                    ("x-ratelimit-reset-tokens", "7.66s"),
                ],
                RateLimits { requests: limit(14_400, 14_370, 179.56), tokens: limit(18_000, 17_997, 7.66), ..unknown },
            ),
            (
                "Mistral",
                &[
                    ("x-ratelimit-limit-req-minute", "50"),
                    ("x-ratelimit-remaining-req-minute", "49"),
                    ("x-ratelimit-limit-tokens-minute", "50000"),
                    ("x-ratelimit-remaining-tokens-minute", "47300"),
                    ("x-ratelimit-tokens-query-cost", "1300"),
                ],
                RateLimits { requests: limit(50, 49, None), tokens: limit(50_000, 47_300, None), ..unknown },
            ),
            (
                "Mistral, as it was",
                &[
                    ("ratelimitbysize-limit", "2000000"),
                    ("ratelimitbysize-remaining", "1999980"),
                    ("ratelimitbysize-reset", "52"),
                ],
                RateLimits { tokens: limit(2_000_000, 1_999_980, 52.0), ..unknown },
            ),
            (
                "Cerebras: requests of a day, tokens of a minute, seconds with a fraction",
                &[
                    ("x-ratelimit-limit-requests-day", "1000000000"),
                    ("x-ratelimit-limit-tokens-minute", "1000000000"),
                    ("x-ratelimit-remaining-requests-day", "999997455"),
                    ("x-ratelimit-remaining-tokens-minute", "999998298"),
                    ("x-ratelimit-reset-requests-day", "33011.382867"),
                    ("x-ratelimit-reset-tokens-minute", "11.382867"),
                ],
                RateLimits {
                    requests: limit(1_000_000_000, 999_997_455, 33_011.382_867),
                    tokens: limit(1_000_000_000, 999_998_298, 11.382_867),
                    ..unknown
                },
            ),
            (
                "OpenRouter: milliseconds since the epoch",
                &[("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795705260000")],
                RateLimits { requests: limit(20, 0, 60.0), ..unknown },
            ),
            (
                "Together",
                &[
                    ("x-ratelimit-limit", "10"),
                    ("x-ratelimit-remaining", "9"),
                    ("x-ratelimit-reset", "1"),
                    ("x-tokenlimit-limit", "3000"),
                    ("x-tokenlimit-remaining", "2990.0"),
                ],
                RateLimits { requests: limit(10, 9, 1.0), tokens: limit(3000, 2990, None), ..unknown },
            ),
            (
                "Cohere's trial keys",
                &[
                    ("x-endpoint-monthly-call-limit", "1000"),
                    ("x-trial-endpoint-call-limit", "20"),
                    ("x-trial-endpoint-call-remaining", "19"),
                ],
                RateLimits { requests: limit(20, 19, None), ..unknown },
            ),
            ("nobody", &[("x-ratelimit-reset-tokens", "soon"), ("content-type", "application/json")], unknown),
        ];
        for (who, headers, wanted) in cases {
            let wire: &dyn Wire = if who == "Anthropic" { &Anthropic::OWN } else { &OpenAiChat };
            assert_eq!(read(wire, headers), wanted, "{who}");
        }
    }

    #[test]
    fn every_form_of_a_time() {
        let cases = [
            ("6m0s", Some(360.0)),
            ("1s", Some(1.0)),
            ("20ms", Some(0.02)),
            ("1h2m3.5s", Some(3_723.5)),
            ("1d", Some(86_400.0)),
            ("250µs", Some(0.000_25)),
            ("59.5", Some(59.5)),
            ("0", Some(0.0)),
            ("1795705230", Some(30.0)),
            ("1795705230500", Some(30.5)),
            ("2026-11-26T15:01:00Z", Some(60.0)),
            ("2026-11-26T10:01:00-05:00", Some(60.0)),
            ("2027-03-01T00:00:00Z", Some(8_154_000.0)),
            ("2020-02-29T00:00:00Z", Some(0.0)),
            ("-1", None),
            ("", None),
            ("s", None),
            ("5 parsecs", None),
            ("T", None),
            ("2026-11T15:00:00Z", None),
        ];
        for (text, wanted) in cases {
            let got = until(text, NOW);
            assert_eq!(got.map(|d| d.as_secs_f64()), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_used_up_is_waited_for() {
        let limits = RateLimits {
            requests: limit(10, 0, 3.0),
            tokens: limit(10, 0, 7.0),
            input_tokens: limit(10, 1, 99.0),
            ..RateLimits::default()
        };
        assert_eq!(limits.wait(), Some(Duration::from_secs(7)));
        assert_eq!(RateLimits::default().wait(), None);
    }
}
