//! Partials as patches: what a browser makes of them is the partial.

use instructor::testing::{Reply, Script};
use instructor::{Change, Contract, Field, Patch};
use proptest::prelude::*;
use serde_json::{Value, json};

#[instructor::model(partial)]
struct Plan {
    title: String,
    stars: u8,
    steps: Vec<Step>,
    owner: Option<String>,
    #[response(done)]
    note: String,
    #[serde(flatten)]
    place: Place,
}

#[instructor::model(partial)]
struct Place {
    city: String,
    #[response(whole)]
    took: std::time::Duration,
}

#[instructor::model(partial)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Step {
    Say { text: String },
    Move { to: (i32, i32), by: Vehicle },
    Wait,
}

#[instructor::model(partial)]
enum Vehicle {
    Foot,
    Train { number: String, seats: Vec<u8> },
}

fn plan() -> Value {
    json!({ "title": "A \"long\" way\nhome ~ a/b 日本", "stars": 3, "steps": [{ "kind": "say", "text": "Good morning!" },
        { "kind": "move", "to": [1, -20], "by": "Foot" }, { "kind": "wait" }, { "kind": "move", "to": [0, 0], "by": { "Train":
        { "number": "ICE 71", "seats": [71, 72] } } }], "owner": null, "note": "all of it", "city": "Bern",
        "took": { "secs": 61, "nanos": 5 } })
}

/// What the patches of an answer make, after each of them; each is checked against the partial that it was made of.
fn shown(replies: impl IntoIterator<Item = Reply>, contract: &Contract) -> (Vec<Patch>, Value) {
    let script = replies.into_iter().fold(Script::new(), Script::reply);
    let client = script.client("openai/m");
    script.block_on(async {
        let mut patches = client.request("x").create_partial_value(contract).await.unwrap().patches();
        let (mut all, mut document) = (Vec::new(), Value::Null);
        while let Some(patch) = patches.next().await {
            let patch = patch.unwrap();
            assert!(!patch.changes().is_empty());
            // Over the wire and back.
            let event = patch.to_event();
            let json = event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
            assert!(!json.contains('\n'));
            assert_eq!(serde_json::from_str::<Patch>(json).unwrap(), patch);
            patch.apply(&mut document).unwrap();
            assert_eq!(document, serde_json::to_value(patches.partial()).unwrap());
            all.push(patch);
        }
        let stream = patches.into_inner();
        assert_eq!(document, serde_json::to_value(stream.partial()).unwrap());
        (all, document)
    })
}

fn anything() -> Contract {
    Contract::from_schema(json!({ "type": "object" })).unwrap()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z~/\"\\\\\nä日]{0,12}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-c~/]{0,3}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect()))
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_patches_in_order_make_the_last_partial(value in json(), size in 1_usize..20) {
        let value = json!({ "content": value });
        let (_, document) = shown([Reply::value(value.clone()).chunks(size)], &anything());
        prop_assert_eq!(document, value);
    }
}

#[test]
fn a_typed_partial_and_its_patches_say_the_same_at_each_step() {
    for size in [1, 2, 5, 17] {
        let answer = || Reply::value(plan()).chunks(size);
        let script = Script::new().reply(answer()).reply(answer());
        let client = script.blocking_client("anthropic/m");
        let mut patches = client.request("x").create_partial::<Plan>().unwrap().patches();
        let mut document = Value::Null;
        while let Some(patch) = patches.next() {
            patch.unwrap().apply(&mut document).unwrap();
            assert_eq!(document, serde_json::to_value(patches.partial()).unwrap());
        }
        let mut partials = client.request("x").create_partial::<Plan>().unwrap();
        while partials.next().is_some() {}
        assert_eq!(document, serde_json::to_value(partials.partial()).unwrap());
        let plan = partials.partial().unwrap();
        assert!(matches!(plan.steps.get().map(Vec::len), Some(4)));
        assert!(matches!(plan.note, Field::Done(_)));
    }
}

#[test]
fn a_text_that_grows_is_sent_once() {
    let text = "long words, ".repeat(400);
    let items: Vec<Value> = (0..200).map(|n| json!({ "name": format!("item {n}") })).collect();
    let value = json!({ "text": text, "items": items });
    let (patches, _) = shown([Reply::value(value.clone()).chunks(8).pieces(64)], &anything());
    let sent = |change: &Change| match change {
        Change::Add { value, .. } | Change::Replace { value, .. } => value.to_string().len(),
        Change::Append { value, .. } => value.len(),
        _ => panic!("{change:?}"),
    };
    let sent: usize = patches.iter().flat_map(|patch| patch.changes()).map(sent).sum();
    let length = value.to_string().len();
    assert!(patches.len() > 20, "{}", patches.len());
    assert!(sent < length * 5 / 4, "{sent} bytes of values for {length}");
}

#[test]
fn what_was_taken_back_is_replaced() {
    let schema = json!({ "type": "object", "properties": { "title": { "type": "string", "maxLength": 9 },
        "stars": { "type": "integer" } }, "required": ["title"] });
    let contract = Contract::from_schema(schema).unwrap();
    let replaced = |patch: &Patch| matches!(&patch.changes()[0], Change::Replace { path, .. } if path.is_empty());
    let good = json!({ "title": "good" });
    for (first, second) in [
        (Reply::value(json!({ "title": "much too long" })).chunks(3), Some(Reply::value(good.clone()).chunks(3))),
        // What the final reading had to align for shows at the end.
        (Reply::value(json!({ "title": "good", "stars": "5" })).chunks(3), None),
    ] {
        let wanted = if second.is_some() { good.clone() } else { json!({ "title": "good", "stars": 5 }) };
        let (patches, document) = shown([first].into_iter().chain(second), &contract);
        assert_eq!(document, wanted);
        assert_eq!(patches.iter().filter(|patch| replaced(patch)).count(), 2, "{patches:?}");
    }

    let twice = r#"{"a": "first", "b": [1, 2, 3], "a": "second", "b": [4]}"#;
    let (_, document) = shown([Reply::text(twice).chunks(2).pieces(90)], &anything());
    assert_eq!(document, json!({ "a": "second", "b": [4] }));
}

#[test]
fn a_patch_that_was_left_out_is_an_error() {
    let mut document = json!({ "list": [], "text": 1 });
    for (op, at) in [("append", "/title"), ("append", "/text"), ("add", "/list/1"), ("replace", "/x"), ("add", "/x/y")]
    {
        let patch: Patch = serde_json::from_value(json!([{ "op": op, "path": at, "value": "x" }])).unwrap();
        let error = patch.apply(&mut document).unwrap_err();
        assert!(error.to_string().contains(at), "{error}");
    }
    assert_eq!(document, json!({ "list": [], "text": 1 }));
}
