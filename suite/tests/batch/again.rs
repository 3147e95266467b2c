//! What has failed is asked again: live, or as the next batch.

use instructor::batch::{BatchInput, Failed};
use instructor::{ErrorKind, ReAsk};
use serde_json::{Value, json};

use crate::fake::{Fake, Fate};
use crate::{SPECS, fates, input, run, through, user, users};

/// Right, once it is told what was wrong.
fn learns(id: &str, request: &Value) -> Fate {
    let told = request.to_string().contains("was rejected");
    match id {
        "live" => Fate::Value(user("Ada", 36)),
        _ if told => Fate::Value(user("Ada", 36)),
        _ => fates(id),
    }
}

/// Failures, as they are kept in a file.
fn kept(failed: &[Failed]) -> Vec<Failed> {
    let lines: Vec<String> = failed.iter().map(|failed| serde_json::to_string(failed).unwrap()).collect();
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_next_batch_has_the_failed_answer_and_what_is_wrong_with_it() {
    for spec in SPECS.iter().filter(|spec| !spec.starts_with("azure")) {
        let fake = Fake::new(learns);
        let client = fake.client(spec);
        let users = users(&client);
        let ids = ["good", "invalid", "young", "limited", "xpired"];
        let first = input(&users, &ids);
        let (came, _) = through(&client, &users, &first);
        let failed = kept(&came.failed());
        assert_eq!(failed.len(), 4, "{spec}");

        let mut next = users.writer(Vec::new());
        for failed in &failed {
            run(next.again(failed, format!("text of {}", failed.id))).unwrap();
        }
        let written = next.finish().unwrap();
        let lines = String::from_utf8(written.clone()).unwrap();
        let line = |id: &str| lines.lines().find(|line| line.contains(&format!(":\"{id}\""))).unwrap();
        // The answer, what was got and what was wanted.
        for (id, got, wanted) in [("invalid", "360", "150"), ("young", "7", "the age of an adult")] {
            let line = line(id);
            assert!(line.contains("was rejected") && line.contains(got) && line.contains(wanted), "{spec}: {line}");
            assert!(line.contains(&format!("text of {id}")), "{spec}: {line}");
        }
        // What was not answered goes out as it was, to the byte.
        let before = {
            let mut same = users.writer(Vec::new());
            same.push("xpired", "text of xpired").unwrap();
            same.push("limited", "text of limited").unwrap();
            String::from_utf8(same.finish().unwrap()).unwrap()
        };
        for id in ["xpired", "limited"] {
            assert!(before.lines().any(|before| before == line(id)), "{spec}");
        }
        let (came, _) = through(&client, &users, &BatchInput::from(written));
        assert!(came.users.contains_key("invalid") && came.users.contains_key("young"), "{spec}: {:?}", came.errors);
    }
}

#[test]
fn live_it_goes_on_from_the_failed_answer() {
    for spec in SPECS.iter().filter(|spec| !spec.starts_with("azure")) {
        let fake = Fake::new(learns);
        let client = fake.client(spec);
        let users = users(&client).reask(ReAsk::Full);
        let (came, _) = through(&client, &users, &input(&users, &["invalid", "xpired"]));
        let failed = kept(&came.failed());
        let before = fake.seen().len();
        let (user, completion) = run(users.resume(&failed[0], "text of invalid")).unwrap();
        assert_eq!(user.age, 36, "{spec}");
        let attempts = completion.report.attempts();
        // The answer of the batch counts as the first attempt, and one call was made.
        assert_eq!((attempts.len(), attempts[0].failure), (2, Some(ErrorKind::SchemaMismatch)), "{spec}");
        assert_eq!(fake.seen().len(), before + 1, "{spec}");
        let sent = String::from_utf8(fake.seen()[before].body.to_vec()).unwrap();
        assert!(sent.contains("was rejected") && sent.contains("360") && sent.contains("text of invalid"), "{spec}");
        // What had no answer is asked as it was.
        let (_, completion) = run(users.resume(&failed[1], "text of xpired")).unwrap();
        assert_eq!(completion.report.attempts().len(), 1, "{spec}");
    }
}

#[test]
fn the_batch_is_paid_once_and_at_its_price() {
    use instructor::{Client, Ledger, Money, Price, Prices};
    let fake = Fake::new(learns);
    let ledger = Ledger::new();
    let easy = Price::new(Money::from_dollars(1), Money::from_dollars(2));
    let builder = Client::builder().provider("openai/m").api_key("test-key-0123").transport(fake);
    let client = builder.prices(Prices::new().with("openai", "m", easy)).ledger(&ledger).build().unwrap();
    let users = users(&client).reask(ReAsk::Full);
    let (came, _) = through(&client, &users, &input(&users, &["invalid"]));
    let batch = ledger.total().cost.total();
    let (_, completion) = run(users.resume(&came.failed()[0], "text of invalid")).unwrap();
    let [first, second] = completion.report.attempts() else { panic!("{}", completion.report) };
    assert_eq!(first.cost.unwrap().money(), batch);
    assert_eq!(ledger.total().calls, 2);
    assert_eq!(ledger.total().cost.total(), batch + second.cost.unwrap().money());
}

#[test]
fn what_no_re_ask_helps_is_told_and_not_written() {
    let fake = Fake::new(learns);
    let client = fake.client("openai/m");
    let users = users(&client);
    let (came, _) = through(&client, &users, &input(&users, &["bad"]));
    let failed = came.failed();
    let mut next = users.writer(Vec::new());
    let error = run(next.again(&failed[0], "text")).unwrap_err();
    assert_eq!((error.kind(), next.requests()), (ErrorKind::BadRequest, 0));
    let before = fake.seen().len();
    assert_eq!(run(users.resume(&failed[0], "text")).unwrap_err().kind(), ErrorKind::BadRequest);
    assert_eq!(fake.seen().len(), before);
}

#[test]
fn a_schema_that_is_refused_steps_down_live_and_not_in_a_batch() {
    let refusal = "Invalid schema for response_format 'User': In context=(), 'maximum' is not permitted.";
    let fake = Fake::new(move |id, _| match id {
        "live" => Fate::Value(user("Ada", 36)),
        _ => Fate::Error(400, "invalid_request_error", refusal),
    });
    let client = fake.client("openai/m");
    let users = users(&client);
    let (came, _) = through(&client, &users, &input(&users, &["a"]));
    let failed = came.failed();
    assert_eq!(failed[0].kind.as_deref(), Some("schema_refused"));
    let error = run(users.writer(Vec::new()).again(&failed[0], "text")).unwrap_err();
    assert!(error.to_string().contains("build the batch with another mode"), "{error}");
    let (_, completion) = run(users.resume(&failed[0], "text")).unwrap();
    assert!(completion.report.attempts().len() > 1);
}

#[test]
fn a_failure_does_not_show_the_answer_unless_it_is_written_down() {
    let fake = Fake::new(|_, _| Fate::Value(json!({ "name": "SECRET-TEXT", "age": 360 })));
    let client = fake.client("openai/m");
    let users = users(&client);
    let (came, _) = through(&client, &users, &input(&users, &["a"]));
    let error = &came.errors["a"];
    assert!(!format!("{error} {error:?}").contains("SECRET-TEXT"));
    assert!(serde_json::to_string(&came.failed()[0]).unwrap().contains("SECRET-TEXT"));
}
