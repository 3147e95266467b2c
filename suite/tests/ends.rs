//! What a stream shows once it has ended: what it showed last, though that is let go of while the value is made.

use std::collections::BTreeMap;

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Issue, Mode, ReAsk};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

#[instructor::model(partial)]
#[response(validate = fair)]
struct Order {
    buyer: String,
    note: Option<String>,
    /// A list of entries, where a provider's schemas have no maps.
    prices: BTreeMap<String, u32>,
    #[serde(deserialize_with = "even")]
    pieces: u32,
}

fn fair(order: &Order) -> Result<(), Issue> {
    let dear = order.prices.values().any(|price| *price > 100);
    if dear { Err(Issue::at("prices", "prices up to 100")) } else { Ok(()) }
}

/// What the schema does not say.
fn even<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if number % 2 == 0 { Ok(number) } else { Err(serde::de::Error::custom("odd")) }
}

fn order(price: u32, pieces: &Value) -> Value {
    json!({ "buyer": "Ann \"A.\" Ö", "note": null, "prices": { "tea": 3, "oil": price }, "pieces": pieces })
}

/// Each ends otherwise.
fn ends() -> [(Value, Option<ErrorKind>); 5] {
    [
        (order(7, &json!(2)), None),
        (order(700, &json!(2)), Some(ErrorKind::Rejected)),
        (order(7, &json!(3)), Some(ErrorKind::SchemaMismatch)),
        (order(7, &json!("many")), Some(ErrorKind::SchemaMismatch)),
        // Aligned.
        (order(7, &json!([2])), None),
    ]
}

const WAYS: [(&str, Mode); 6] = [
    ("openai/m", Mode::Auto),
    ("openai/m", Mode::Tools),
    ("openai/m", Mode::MdJson),
    ("anthropic/m", Mode::Tools),
    ("gemini/m", Mode::Schema),
    ("bedrock/m", Mode::Tools),
];

fn reply(mode: Mode, value: Value, size: usize) -> Reply {
    let reply = match mode {
        Mode::MdJson => Reply::text(format!("Here it is:\n```json\n{value}\n```\nThat is all.")),
        _ => Reply::value(value),
    };
    reply.chunks(size)
}

#[test]
fn the_last_partial_is_still_there() {
    for ((spec, mode), (value, kind), size) in WAYS
        .into_iter()
        .flat_map(|way| ends().map(|end| (way, end)))
        .flat_map(|(way, end)| [3, 4000].map(|size| (way, end.clone(), size)))
    {
        let place = format!("{spec} {mode} {kind:?} {size}");
        let script = Script::new().reply(reply(mode, value, size));
        let client = script.client(spec);
        script.block_on(async {
            let mut stream = client.request("x").mode(mode).max_retries(0).create_partial::<Order>().await.unwrap();
            let mut last = Value::Null;
            while let Some(partial) = stream.next().await {
                last = serde_json::to_value(partial).unwrap();
            }
            assert_eq!(last["buyer"], "Ann \"A.\" Ö", "{place}");
            for _ in 0..2 {
                assert_eq!(serde_json::to_value(stream.partial()).unwrap(), last, "{place}");
            }
            match stream.finish().await {
                Ok(order) => assert_eq!((kind, order.prices.len(), order.pieces), (None, 2, 2), "{place}"),
                Err(error) => assert_eq!(Some(error.kind()), kind, "{place}: {error:#}"),
            }
        });
    }
}

#[test]
fn what_is_shown_after_another_attempt_is_of_that_one() {
    for (spec, mode) in WAYS {
        for (bad, kind) in ends().into_iter().filter(|(_, kind)| kind.is_some()) {
            let script = Script::new().reply(reply(mode, bad, 3)).reply(reply(mode, order(1, &json!(4)), 3));
            let client = script.blocking_client(spec);
            let request = client.request("x").mode(mode).reask(ReAsk::Full);
            let mut stream = request.create_partial::<Order>().unwrap();
            while stream.next().is_some() {}
            let shown = serde_json::to_value(stream.partial()).unwrap();
            assert_eq!((&shown["prices"]["oil"], &shown["pieces"]), (&json!(1), &json!(4)), "{spec} {mode}");
            let (order, completion) = stream.finish_with_completion().unwrap();
            assert_eq!((order.buyer.as_str(), order.note), ("Ann \"A.\" Ö", None));
            let failures: Vec<_> = completion.report.attempts().iter().map(|attempt| attempt.failure).collect();
            assert_eq!(failures, [kind, None], "{spec} {mode}");
        }
    }
}
