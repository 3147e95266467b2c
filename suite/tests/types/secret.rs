use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use instructor::testing::{Reply, Script};
use instructor::{
    BadItems, Contract, Level, Mode, Partial, Reasoned, ResponseModel, Salvaged, Secret, Watchdog, hooks,
};
use serde_json::{Value, json};

const CARD: &str = "4000-HIDE-ME";

#[instructor::model(partial)]
struct Payment {
    cents: u64,
    #[schemars(length(max = 4))]
    card: Secret<String>,
    #[serde(default)]
    holders: BTreeMap<String, Secret<Holder>>,
}

#[instructor::model(partial)]
struct Holder {
    #[schemars(length(max = 4))]
    name: String,
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    #[response(whole)]
    address: Option<std::net::Ipv4Addr>,
}

/// Answers that are wrong at a secret place, around one, or as a whole.
fn wrong() -> Vec<Value> {
    vec![
        json!({ "cents": 5, "card": CARD, "holders": {} }),
        json!({ "cents": 5, "card": [CARD], "holders": {} }),
        json!({ "cents": 5, "crd": CARD }),
        json!({ "cents": 5, "card": "1", "holders": { "x": { "name": CARD } } }),
        json!({ "cents": 5, "card": "1", "holders": { "x": CARD } }),
        json!({ "cents": 5, "card": "1", "holders": CARD }),
        json!({ "cents": 5, "card": "1", "holders": { "x": { "name": "y", "address": CARD } } }),
        json!([{ "cents": 5, "card": CARD }, 7]),
    ]
}

#[test]
fn nothing_that_is_said_of_an_answer_quotes_a_secret() {
    for (watched, bad) in wrong().into_iter().flat_map(|bad| [(false, bad.clone()), (true, bad)]) {
        for mode in [Mode::Schema, Mode::Tools, Mode::Json] {
            let heard = Arc::new(Mutex::new(String::new()));
            let told = Arc::clone(&heard);
            let script = Script::new().reply(Reply::value(bad.clone()).chunks(7));
            let client = script.client("openai/gpt-5-mini");
            let mut ask = client.request("Who pays?").mode(mode).max_retries(0);
            ask = ask.hooks(hooks::on_parse_error(move |event| {
                told.lock().unwrap().push_str(&format!("{event:?}"));
            }));
            if watched {
                ask = ask.watchdog(Watchdog::new());
            }
            let error = script.block_on(ask.create::<Payment>()).unwrap_err();
            let attempt = &error.report().attempts()[0];
            let said = format!("{error} {error:#} {error:?} {} {:?}", error.issues(), attempt);
            assert!(!error.issues().is_empty(), "{bad}");
            assert!(!said.contains("HIDE"), "{mode:?} {bad}: {said}");
            let heard = heard.lock().unwrap();
            assert!((watched || !heard.is_empty()) && !heard.contains("HIDE"), "{mode:?} {bad}: {heard:?}");
        }
    }
}

#[test]
fn repairs_and_issues_of_a_text_quote_no_secret_either() {
    let contract = Payment::contract();
    let text = format!("{{'cents': '5', 'card': '{CARD}', 'holders': {{}},}}");
    let error = contract.read(&text, Level::Lenient).unwrap_err();
    assert!(!format!("{error:?} {}", error.issues()).contains("HIDE"));
    let reading = contract.read("{'cents': '5', 'card': 'HID', 'holders': {},}", Level::Lenient).unwrap();
    assert!(reading.repairs.len() > 3);
    assert!(!format!("{:?}", reading.repairs).contains("HID"), "{:?}", reading.repairs);
    // What is not secret is quoted as ever.
    assert!(format!("{:?}", reading.repairs).contains("'5'") || format!("{:?}", reading.repairs).contains("\"5\""));
}

#[test]
fn the_model_is_told_the_place_and_what_was_wanted() {
    let good = json!({ "cents": 5, "card": "1234", "holders": {} });
    let script = Script::new().reply(Reply::value(json!({ "cents": 5, "card": CARD }))).reply(Reply::value(good));
    let client = script.client("openai/gpt-5-mini");
    let payment: Payment = script.block_on(client.request("Who pays?").create()).unwrap();
    assert_eq!(payment.card.expose(), "1234");
    let sent = script.sent();
    let asked = sent[1].json()["messages"].as_array().unwrap().last().unwrap().to_string();
    assert!(asked.contains("$.card: got (secret), wanted"), "{asked}");
    // The mark is for here alone.
    assert!(!sent[0].json().to_string().contains("x-secret"));
}

#[test]
fn the_value_shows_in_no_debug_and_in_no_serialization() {
    let payment: Payment =
        serde_json::from_value(json!({ "cents": 5, "card": CARD, "holders": { "x": { "name": CARD } } })).unwrap();
    assert!(!format!("{payment:?} {}", json!(payment)).contains("HIDE"));
    assert_eq!(payment.card.into_inner(), CARD);

    let script = Script::new().reply(Reply::value(json!({ "cents": 5, "card": "HIDE" })).chunks(2));
    let client = script.blocking_client("openai/gpt-5-mini");
    let mut stream = client.request("Who pays?").create_partial::<Payment>().unwrap();
    let mut grew = 0;
    while let Some(partial) = stream.next() {
        let shown = format!("{partial:?} {}", serde_json::to_string(partial).unwrap());
        assert!(!shown.contains("HI"), "{shown}");
        grew += usize::from(partial.card.is_open());
    }
    assert!(grew > 0);
    assert_eq!(stream.finish().unwrap().card.expose(), "HIDE");
}

#[test]
fn items_that_are_given_up_show_no_secret() {
    for policy in [BadItems::Show, BadItems::Drop] {
        let items = json!([{ "cents": 5, "card": CARD }, { "cents": 5, "card": "1" }]);
        let script = Script::new().reply(Reply::value(items));
        let client = script.blocking_client("openai/gpt-5-mini");
        let ask = client.request("Who pays?").bad_items(policy);
        let (payments, done) = ask.create_with_completion::<Salvaged<Payment>>().unwrap();
        assert_eq!(payments.ok().len(), 1);
        let said = format!("{payments:?} {:?}", done.report);
        assert!(said.contains("InvalidItem") && !said.contains("HIDE"), "{said}");
    }
    for policy in [BadItems::Show, BadItems::Drop, BadItems::ReAsk] {
        let items = json!([{ "cents": 5, "card": "1" }, { "cents": 5, "card": CARD }]);
        let script = Script::new().reply(Reply::value(items));
        let client = script.blocking_client("openai/gpt-5-mini");
        let ask = client.request("Who pays?").bad_items(policy).max_retries(0);
        let mut payments = ask.create_iterable::<Payment>().unwrap();
        let said: Vec<String> = payments.by_ref().map(|payment| format!("{payment:?}")).collect();
        assert!(!said.concat().contains("HIDE"), "{said:?}");
        let report = format!("{:?}", payments.completion().map(|done| &done.report));
        assert!(!report.contains("HIDE"), "{report}");
    }
}

#[test]
fn it_is_the_type_inside_for_all_else() {
    #[instructor::model]
    struct Exposed {
        #[serde(serialize_with = "Secret::serialize_exposed")]
        token: Secret<String>,
    }
    assert_eq!(json!(Exposed { token: Secret::new(String::from("abc")) }), json!({ "token": "abc" }));
    fn shows<T: Partial + ResponseModel>() {}
    shows::<Reasoned<Secret<Payment>>>();
    let contract = Contract::from_schema(json!({
        "type": "object",
        "properties": { "pin": { "type": "string", "maxLength": 4, "x-secret": true } },
    }));
    let issues = contract.unwrap().check(&json!({ "pin": CARD })).unwrap_err();
    assert_eq!(issues.as_slice()[0].got_text(), Some("(secret)"));
}
