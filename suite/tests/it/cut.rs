//! A connection that ends after any byte of a stream: what was told until then is shown, and it is never a value.

use std::cell::Cell;

use instructor::testing::{Reply, Script};
use instructor::{Client, Contract, ErrorKind, Mode, Profile, Usage};
use serde_json::{Value, json};

/// What a stream shows and ends with.
pub(crate) struct Seen {
    shown: Vec<String>,
    /// What is still shown at the end.
    last: Option<String>,
    end: Result<Value, instructor::Error>,
}

impl Seen {
    /// Of the answer to one request.
    pub(crate) fn of(client: &Client, mode: Mode, contract: &Contract) -> Self {
        Script::new().block_on(async {
            let request = client.request("x").mode(mode).max_retries(0);
            let mut stream = request.create_partial_value(contract).await.unwrap();
            let mut shown = Vec::new();
            while let Some(partial) = stream.next().await {
                shown.push(format!("{partial:?}"));
            }
            Self { shown, last: stream.partial().map(|partial| format!("{partial:?}")), end: stream.finish().await }
        })
    }

    pub(crate) const fn is_value(&self) -> bool {
        self.end.is_ok()
    }
}

/// Whether nothing that was counted is less later.
fn counts(before: Usage, after: Usage) -> bool {
    let pairs = [(before.input, after.input), (before.output, after.output), (before.cached, after.cached)];
    pairs.iter().all(|(before, after)| before <= after)
}

/// Everything that holds for a stream of so many bytes, wherever it ends: every so many bytes the body is over, and every
/// so many the connection breaks. `see` tells of it as it is after some bytes, and broken or not. After how many it is a
/// value.
pub(crate) fn never_a_value(
    name: &str,
    len: usize,
    [ends, broken]: [usize; 2],
    see: impl Fn(usize, bool) -> Seen,
) -> usize {
    let whole = see(len, false);
    let value = whole.end.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    let known = Cell::new(len);
    for breaks in [false, true] {
        let step = if breaks { broken } else { ends };
        let (mut before, mut counted) = (0, Usage::default());
        for at in (0..=len).step_by(step) {
            let Seen { shown, last, end } = see(at, breaks);
            let place = format!("{name} after {at} of {len} bytes{}", if breaks { ", broken" } else { "" });
            assert!(whole.shown.starts_with(&shown), "{place}: {shown:?}");
            assert!(shown.len() >= before, "{place}: {before} partials, then {shown:?}");
            assert!(step > 1 || shown.len() <= before + 1, "{place}: {before} partials, then {shown:?}");
            assert_eq!(last.as_ref(), shown.last(), "{place}");
            before = shown.len();
            match end {
                Ok(ended) => {
                    assert!(!breaks, "{place}");
                    assert_eq!((&ended, shown.last()), (&value, whole.shown.last()), "{place}");
                    known.set(known.get().min(at));
                }
                Err(error) => {
                    assert!(breaks || known.get() == len, "{place}: {error}");
                    let empty = at == 0 && !breaks;
                    let kind = if empty { ErrorKind::Malformed } else { ErrorKind::Truncated };
                    assert_eq!(error.kind(), kind, "{place}: {error}");
                    assert_eq!(error.raw().map_or(0, <[u8]>::len), at, "{place}");
                    let usage = error.report().usage();
                    assert!(counts(counted, usage), "{place}: {counted:?} then {usage:?}");
                    counted = usage;
                }
            }
        }
    }
    known.get()
}

#[test]
fn a_stream_that_ends_anywhere_is_cut_and_never_a_value() {
    let plan = json!({ "title": "\"a\"", "tags": ["b"] });
    let contract = Contract::from_schema(json!({ "type": "object", "properties": {
        "title": { "type": "string" }, "tags": { "type": "array", "items": { "type": "string" } },
    }, "required": ["title", "tags"], "additionalProperties": false }))
    .unwrap();
    let mut tried = Vec::new();
    for profile in Profile::all() {
        if tried.iter().any(|(protocol, _)| *protocol == profile.protocol()) {
            continue;
        }
        let spec = format!("{}/m", profile.id());
        for mode in [Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson] {
            let reply = match mode {
                Mode::MdJson => Reply::text(format!("So:\n```json\n{plan}\n```")),
                _ => Reply::value(plan.clone()),
            };
            let reply = reply.chunks(8);
            let script = Script::new().reply(reply.clone());
            if Seen::of(&script.client(&spec), mode, &contract).end.is_err() {
                continue;
            }
            let len = script.read()[0];
            let known = never_a_value(&format!("{spec} {mode}"), len, [3, 7], |at, breaks| {
                let reply = if breaks { reply.clone().breaks_after(at) } else { reply.clone().cut_after(at) };
                Seen::of(&Script::new().reply(reply).client(&spec), mode, &contract)
            });
            tried.push((profile.protocol(), (mode, len, known)));
        }
    }
    println!("{tried:?}");
    assert!(tried.len() >= 25, "{tried:?}");
}
