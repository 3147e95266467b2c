//! What is stored of an answer.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::key::FORM;
use super::told::Stored;
use crate::cost::{Cost, Money};
use crate::message::{Opaque, Part, ToolCall};
use crate::run::Completion;
use crate::wire::{Finish, Response, Usage};

/// A stored answer: a line with a checksum and the lengths of what follows: what is known of the answer, the value, and the
/// body as it came.
pub(crate) struct Entry {
    meta: Meta,
    /// The value as JSON, in the contract's terms.
    pub(crate) json: String,
    raw: Bytes,
}

/// Why an entry is none.
type Unread = String;

const MAGIC: &str = "instructor-cache";

#[derive(Serialize, Deserialize)]
struct Meta {
    /// When it was stored, in milliseconds since the Unix epoch.
    at: u64,
    /// For how many milliseconds it may be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    /// The version of the library that stored it, for people.
    library: String,
    provider: String,
    model: String,
    attempts: u32,
    usage: Counted,
    cost: Paid,
    response: Said,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draft: Option<Said>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Counted {
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: Option<u64>,
    reasoning: Option<u64>,
    charged: Option<Trillionths>,
}

#[derive(Serialize, Deserialize)]
struct Paid {
    known: Trillionths,
    estimated: Trillionths,
    unknown: u64,
}

/// Money, as text: an integer of JSON has fewer digits.
#[derive(Serialize, Deserialize)]
struct Trillionths(String);

#[derive(Serialize, Deserialize)]
struct Said {
    id: Option<String>,
    model: Option<String>,
    parts: Vec<Piece>,
    reasoning: Option<String>,
    finish: Option<String>,
    usage: Counted,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Piece {
    Text(String),
    Call { id: String, name: String, arguments: String },
    Opaque { wire: String, json: Box<RawValue> },
}

impl Entry {
    /// The bytes of an answer. `at` is the time since the Unix epoch.
    pub(crate) fn seal(completion: &Completion, json: &str, at: Duration, ttl: Option<Duration>) -> Option<Bytes> {
        let report = &completion.report;
        let last = report.attempts().last()?;
        let meta = Meta {
            at: millis(at),
            ttl: ttl.map(millis),
            library: String::from(env!("CARGO_PKG_VERSION")),
            provider: last.provider.clone(),
            model: last.model.clone(),
            attempts: report.attempts().len() as u32,
            usage: report.usage().into(),
            cost: report.cost().into(),
            response: Said::of(&completion.response),
            draft: completion.draft.as_deref().map(Said::of),
        };
        let meta = serde_json::to_string(&meta).ok()?;
        let raw = &completion.raw;
        let sum = checksum(&[meta.as_bytes(), json.as_bytes(), raw]);
        let head = format!("{MAGIC} {FORM} {sum} {} {}\n", meta.len(), json.len());
        Some([head.as_bytes(), meta.as_bytes(), json.as_bytes(), raw].concat().into())
    }

    pub(crate) fn open(bytes: &Bytes) -> Result<Self, Unread> {
        let line = bytes.iter().take(200).position(|&byte| byte == b'\n').ok_or("it has no first line")?;
        let head = bytes.get(..line).and_then(|head| str::from_utf8(head).ok()).unwrap_or_default();
        let [magic, form, sum, meta, json] = *head.split(' ').collect::<Vec<_>>() else {
            return Err("it has no first line of ours".into());
        };
        if magic != MAGIC || form != FORM.to_string() {
            return Err(format!("it is of version {magic} {form}, not {MAGIC} {FORM}"));
        }
        let rest = bytes.slice(line + 1..);
        let (Ok(meta), Ok(json)) = (meta.parse::<usize>(), json.parse::<usize>()) else {
            return Err("its lengths are none".into());
        };
        let end = meta.checked_add(json).filter(|&end| end <= rest.len()).ok_or("it is cut off")?;
        let (meta, json, raw) = (rest.slice(..meta), rest.slice(meta..end), rest.slice(end..));
        if sum != checksum(&[&meta, &json, &raw]) {
            return Err("its checksum is wrong".into());
        }
        let meta = serde_json::from_slice(&meta).map_err(|e| format!("its description is none: {e}"))?;
        let json = String::from_utf8(json.into()).map_err(|_| "its value is no text")?;
        Ok(Self { meta, json, raw })
    }

    /// How old it is; an age of none if it is from the future.
    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_millis(self.meta.at))
    }

    /// Whether it is too old to be taken by a request that allows this much.
    pub(crate) fn is_over(&self, now: Duration, ttl: Option<Duration>) -> bool {
        let own = self.meta.ttl.map(Duration::from_millis);
        own.into_iter().chain(ttl).min().is_some_and(|most| self.age(now) >= most)
    }

    pub(crate) fn stored(&self, now: Duration) -> Stored {
        let Meta { at, provider, model, attempts, usage, cost, .. } = &self.meta;
        Stored {
            at: UNIX_EPOCH + Duration::from_millis(*at),
            age: self.age(now),
            provider: provider.clone(),
            model: model.clone(),
            attempts: *attempts,
            usage: usage.into(),
            cost: cost.into(),
        }
    }

    /// The response, what was drafted before it, and the body. Blocks of a protocol are kept if it is this one.
    pub(crate) fn into_parts(self, wire: &'static str) -> (Response, Option<Box<Response>>, Bytes) {
        let Meta { response, draft, .. } = self.meta;
        (response.into_response(wire), draft.map(|draft| Box::new(draft.into_response(wire))), self.raw)
    }
}

/// Enough of a hash to know what was damaged.
fn checksum(parts: &[&[u8]]) -> String {
    let mut hash = Hash::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Said {
    fn of(response: &Response) -> Self {
        let piece = |part: &Part| match part {
            Part::Text(text) => Some(Piece::Text(text.clone())),
            Part::ToolCall(ToolCall { id, name, arguments }) => {
                Some(Piece::Call { id: id.clone(), name: name.clone(), arguments: arguments.clone() })
            }
            Part::Opaque(opaque) => {
                let json = RawValue::from_string(String::from(opaque.as_json())).ok()?;
                Some(Piece::Opaque { wire: String::from(opaque.wire()), json })
            }
            _ => None,
        };
        Self {
            id: response.id.clone(),
            model: response.model.clone(),
            parts: response.parts.iter().filter_map(piece).collect(),
            reasoning: response.reasoning.clone(),
            finish: response.finish.as_ref().map(|finish| String::from(finish.as_str())),
            usage: response.usage.into(),
        }
    }

    fn into_response(self, wire: &'static str) -> Response {
        let part = |piece| match piece {
            Piece::Text(text) => Some(Part::Text(text)),
            Piece::Call { id, name, arguments } => Some(Part::ToolCall(ToolCall { id, name, arguments })),
            Piece::Opaque { wire: of, json } => (of == wire).then(|| Part::Opaque(Opaque::new(wire, json))),
        };
        Response {
            id: self.id,
            model: self.model,
            parts: self.parts.into_iter().filter_map(part).collect(),
            reasoning: self.reasoning,
            refusal: None,
            finish: self.finish.map(finish),
            usage: (&self.usage).into(),
        }
    }
}

fn finish(word: String) -> Finish {
    let known = [Finish::Stop, Finish::ToolCalls, Finish::Length, Finish::Filtered, Finish::Refused];
    known.into_iter().find(|finish| finish.as_str() == word).unwrap_or(Finish::Other(word))
}

impl From<Usage> for Counted {
    fn from(usage: Usage) -> Self {
        let Usage { input, output, cached, cache_write, cache_write_1h, reasoning, charged } = usage;
        Self { input, output, cached, cache_write, cache_write_1h, reasoning, charged: charged.map(Into::into) }
    }
}

impl From<&Counted> for Usage {
    fn from(counted: &Counted) -> Self {
        let Counted { input, output, cached, cache_write, cache_write_1h, reasoning, ref charged } = *counted;
        Self {
            input,
            output,
            cached,
            cache_write,
            cache_write_1h,
            reasoning,
            charged: charged.as_ref().map(Into::into),
        }
    }
}

impl From<Cost> for Paid {
    fn from(cost: Cost) -> Self {
        Self { known: cost.known.into(), estimated: cost.estimated.into(), unknown: cost.unknown }
    }
}

impl From<&Paid> for Cost {
    fn from(paid: &Paid) -> Self {
        Self { known: (&paid.known).into(), estimated: (&paid.estimated).into(), unknown: paid.unknown }
    }
}

impl From<Money> for Trillionths {
    fn from(money: Money) -> Self {
        Self(money.trillionths().to_string())
    }
}

impl From<&Trillionths> for Money {
    fn from(text: &Trillionths) -> Self {
        Self::from_trillionths(text.0.parse().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Attempt, Report};

    fn sealed() -> Bytes {
        let opaque = Opaque::new("anthropic", RawValue::from_string(String::from(r#"{"sig": "x"}"#)).unwrap());
        let parts = vec![
            Part::Text(String::from("a \"b\"")),
            Part::ToolCall(ToolCall::new("1", "f", "{}")),
            Part::Opaque(opaque),
        ];
        let usage = Usage { input: Some(3), charged: Some(Money::from_micros(7)), ..Usage::default() };
        let finish = Some(Finish::Other(String::from("done")));
        let response = Response { parts, usage, finish, ..Response::default() };
        let attempts = vec![Attempt::for_tests(), Attempt::for_tests()];
        let report = Report { attempts, ..Report::default() };
        let raw = Bytes::from_static(b"\xff{}");
        let completion = Completion { draft: Some(Box::new(response.clone())), response, raw, report };
        let ttl = Some(Duration::from_secs(60));
        Entry::seal(&completion, r#"{"n": 1.50}"#, Duration::from_secs(100), ttl).unwrap()
    }

    #[test]
    fn an_entry_comes_back() {
        let entry = Entry::open(&sealed()).unwrap();
        assert_eq!(entry.json, r#"{"n": 1.50}"#);
        assert_eq!(entry.age(Duration::from_secs(103)), Duration::from_secs(3));
        assert_eq!(entry.stored(Duration::from_secs(103)).attempts, 2);
        let seconds = |s| Some(Duration::from_secs(s));
        assert!(!entry.is_over(Duration::from_secs(159), None));
        assert!(entry.is_over(Duration::from_secs(160), None));
        assert!(entry.is_over(Duration::from_secs(110), seconds(10)));
        assert!(entry.is_over(Duration::from_secs(170), seconds(100)));
        let (response, draft, raw) = entry.into_parts("anthropic");
        assert_eq!(raw, &b"\xff{}"[..]);
        assert_eq!(response.finish, Some(Finish::Other(String::from("done"))));
        assert_eq!((response.usage.input, response.usage.output), (Some(3), None));
        assert_eq!(response.usage.charged, Some(Money::from_micros(7)));
        assert_eq!(draft.unwrap().text(), "a \"b\"");
        let Part::Opaque(opaque) = &response.parts[2] else { panic!("{response:?}") };
        assert_eq!(opaque.as_json(), r#"{"sig": "x"}"#);
        assert_eq!(Entry::open(&sealed()).unwrap().into_parts("gemini").0.parts.len(), 2);
    }

    #[test]
    fn damage_is_seen_wherever_it_is() {
        let whole = sealed();
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 1;
            assert!(Entry::open(&bytes.into()).is_err(), "byte {at}");
            assert!(Entry::open(&whole.slice(..at)).is_err(), "cut at {at}");
        }
        assert!(Entry::open(&Bytes::new()).is_err());
        assert!(Entry::open(&Bytes::from(vec![b'x'; 1000])).is_err());
    }
}
