//! What becomes of requests that give no value, one by one and all together.

use instructor::batch::{BatchFailure, BatchInput, Batches, Extraction};
use instructor::{Context, ErrorKind};

use crate::fake::{Fake, Fate};
use crate::{SPECS, User, came, fake, fates, input, run, through, user, users};

#[test]
fn failures_are_told_one_by_one() {
    for spec in ["openai/m", "anthropic/m", "mistral/m", "groq/m"] {
        let fake = fake();
        let client = fake.client(spec);
        let users = users(&client);
        let ids = ["good", "invalid", "young", "bad", "fault", "limited", "xpired", "nothing"];
        let (came, _) = through(&client, &users, &input(&users, &ids));
        assert_eq!(came.users.keys().collect::<Vec<_>>(), ["good"], "{spec}");
        assert_eq!(
            came.why(),
            [
                ("bad", "failed"),
                ("fault", "failed"),
                ("invalid", "invalid"),
                ("limited", "failed"),
                ("nothing", "missing"),
                ("xpired", "expired"),
                ("young", "invalid"),
            ],
            "{spec}"
        );
        let error = |id: &str| came.errors[id].error().unwrap();
        assert_eq!(error("invalid").kind(), ErrorKind::SchemaMismatch, "{spec}");
        assert_eq!(error("invalid").issues().as_slice()[0].path().as_str(), "$.age");
        assert!(error("invalid").report().usage().total().is_some(), "{spec}");
        assert_eq!(error("young").kind(), ErrorKind::Rejected, "{spec}");
        assert_eq!(error("bad").kind(), ErrorKind::BadRequest, "{spec}: {}", error("bad"));
        // What the provider says, and not "unknown error".
        let text = came.errors["bad"].to_string();
        assert!(text.contains("invalid_request_error") && text.contains("messages: too many"), "{spec}: {text}");
        assert_eq!(error("fault").kind(), ErrorKind::Overloaded, "{spec}");
        assert!(came.errors["fault"].to_string().contains("the model fell over"), "{spec}");
        assert_eq!(error("limited").kind(), ErrorKind::RateLimited, "{spec}");
        assert!(came.errors["xpired"].to_string().contains("before the batch's time was over"));
    }
}

#[test]
fn gemini_says_errors_in_codes() {
    let fake = fake();
    let client = fake.client("gemini/gemini-2.5-flash");
    let users = users(&client);
    let (came, _) = through(&client, &users, &input(&users, &["g", "bad", "limited", "cancelled"]));
    let kind = |id: &str| came.errors[id].error().unwrap().kind();
    assert_eq!((came.users.len(), kind("bad")), (1, ErrorKind::BadRequest));
    assert_eq!((kind("limited"), kind("cancelled")), (ErrorKind::RateLimited, ErrorKind::Overloaded));
}

/// What Python Instructor 1.17 gets wrong: errors of single requests are "Unknown error", `metadata: null` ends the
/// program, and the list of a batch's errors is not read.
#[test]
fn a_batch_that_fails_as_a_whole_tells_why() {
    let fake = fake();
    fake.set(|state| state.end = "failed");
    let client = fake.client("openai/m");
    let users = users(&client);
    let (came, job) = through(&client, &users, &input(&users, &["g1", "g2"]));
    let state = job.parts[0].state.as_ref().unwrap();
    let fault = &state.errors[0];
    assert_eq!((fault.code.as_deref(), fault.line), (Some("invalid_json_line"), Some(1)));
    assert_eq!(came.why(), [("g1", "failed"), ("g2", "failed")]);
    assert!(came.errors["g1"].to_string().contains("This line is no JSON."));
}

#[test]
fn a_list_of_errors_is_read_in_either_form() {
    use instructor::testing::{Reply, Script};
    use serde_json::json;
    for errors in [json!([{ "message": "no" }]), json!({ "data": [{ "message": "no" }] })] {
        let batch = json!({ "id": "b", "status": "failed", "metadata": null, "errors": errors });
        let script = Script::new().reply(Reply::json(batch));
        let client = script.client("openai/m");
        let state = run(Batches::new(&client).unwrap().state("b")).unwrap();
        assert_eq!(state.errors[0].message, "no");
    }
}

#[test]
fn what_a_batch_left_when_its_time_was_over_is_expired() {
    for spec in SPECS.iter().filter(|spec| !spec.starts_with("azure")) {
        let fake = Fake::new(|id, _| if id == "none" { Fate::Nothing } else { fates(id) });
        fake.set(|state| state.end = "expired");
        let client = fake.client(spec);
        let users = users(&client);
        let (came, _) = through(&client, &users, &input(&users, &["g1", "none"]));
        assert_eq!(came.users.len(), 1, "{spec}");
        assert_eq!(came.why(), [("none", "expired")], "{spec}");
    }
}

#[test]
fn more_missing_requests_than_are_looked_up_at_once() {
    let fake = fake();
    let client = fake.client("openai/m");
    let users = users(&client);
    let ids: Vec<String> = (0..3000).map(|n| format!("{}{n}", if n % 3 == 0 { "g" } else { "none" })).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (came, _) = through(&client, &users, &input(&users, &ids));
    assert_eq!((came.users.len(), came.errors.len()), (1000, 2000));
    assert!(came.errors.values().all(|error| error.why() == BatchFailure::Missing));
}

#[test]
fn results_of_nobody_and_second_results_are_told() {
    let fake = fake();
    let client = fake.client("openai/m");
    let users = users(&client);
    let line = |id: &str| {
        let body = r#"{"choices":[{"message":{"content":"{\"name\":\"Ada\",\"age\":36}"}}]}"#;
        format!("{{\"custom_id\":\"{id}\",\"response\":{{\"status_code\":200,\"body\":{body}}},\"error\":null}}\n")
    };
    let text = [line("g1"), line("stranger"), String::from("\n"), line("g1")].concat();
    let mut results = users.read(text.as_bytes()).unwrap().expecting(&input(&users, &["g1", "g2"])).unwrap();
    let mut seen = Vec::new();
    while let Some(item) = run(results.next()) {
        let item = item.unwrap();
        seen.push((item.id, item.result.err().map(|error| error.why())));
    }
    let wanted = [
        ("g1", None),
        ("stranger", Some(BatchFailure::Unknown)),
        ("g1", Some(BatchFailure::Repeated)),
        ("g2", Some(BatchFailure::Missing)),
    ];
    assert_eq!(seen, wanted.map(|(id, why)| (String::from(id), why)));
    // What is no line of results at all is an error of the whole, after which nothing comes.
    let mut results = users.read(&b"<html>\n{}"[..]).unwrap();
    let error = run(results.next()).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.raw()), (ErrorKind::Malformed, Some(&b"<html>\n"[..])));
    assert!(run(results.next()).is_none());
}

#[test]
fn results_are_kept_raw_and_read_later() {
    let fake = fake();
    let client = fake.client("anthropic/claude-haiku-4-5");
    let users = users(&client);
    let input = input(&users, &["g1", "i1", "none"]);
    let (_, job) = through(&client, &users, &input);
    let mut raw = Vec::new();
    assert_eq!(run(Batches::new(&client).unwrap().download(&job, &mut raw)).unwrap(), 2);
    let mut results = users.read(&raw[..]).unwrap().of_job(&job).expecting(&input).unwrap();
    let mut seen = Vec::new();
    while let Some(item) = run(results.next()) {
        let item = item.unwrap();
        seen.push((item.id, item.result.is_ok()));
    }
    seen.sort();
    assert_eq!(seen, [("g1", true), ("i1", false), ("none", false)].map(|(id, ok)| (String::from(id), ok)));
}

#[test]
fn validators_have_their_context_and_async_ones_are_awaited() {
    #[instructor::model]
    #[derive(Debug)]
    struct Sku {
        #[response(validate_async = known)]
        sku: String,
    }
    struct Known(&'static str);
    async fn known(sku: &str, context: &Context) -> Result<(), instructor::CheckError> {
        match context.get::<Known>() {
            Some(Known(known)) if sku == *known => Ok(()),
            _ => Err(instructor::Issue::new("a SKU of ours").got(sku).into()),
        }
    }
    let fake = Fake::new(|id, _| Fate::Value(serde_json::json!({ "sku": id })));
    let client = fake.client("openai/m");
    let skus = Extraction::<Sku>::new(&client).context(Context::new().with(Known("a1")));
    let mut written = skus.writer(Vec::new());
    written.push("a1", "x").unwrap();
    written.push("b2", "x").unwrap();
    let input = BatchInput::from(written.finish().unwrap());
    let batches = Batches::new(&client).unwrap();
    let mut job = skus.job(&input).unwrap();
    run(batches.submit(&mut job, &input)).unwrap();
    run(batches.wait(&mut job, std::time::Duration::ZERO)).unwrap();
    let mut results = skus.fetch(&job).unwrap();
    let mut wrong = Vec::new();
    while let Some(item) = run(results.next()) {
        match item.unwrap().result {
            Ok((sku, _)) => assert_eq!(sku.sku, "a1"),
            Err(error) => wrong.push(error),
        }
    }
    let [error] = &wrong[..] else { panic!("{wrong:?}") };
    assert_eq!((error.id(), error.error().unwrap().kind()), ("b2", ErrorKind::Rejected));
    let mut next = skus.writer(Vec::new());
    run(next.again(&wrong.pop().unwrap().into_failed(), "x")).unwrap();
    assert!(String::from_utf8(next.finish().unwrap()).unwrap().contains("a SKU of ours"));
}

#[test]
fn hooks_see_the_answers_of_a_batch() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (responses, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (on_response, on_done) = (Arc::clone(&responses), Arc::clone(&done));
    let fake = fake();
    let client = fake.client("openai/m");
    let users = users(&client)
        .hooks(instructor::hooks::on_response(move |_| _ = on_response.fetch_add(1, Ordering::Relaxed)))
        .hooks(instructor::hooks::on_done(move |_| _ = on_done.fetch_add(1, Ordering::Relaxed)));
    let input = input(&users, &["g1", "i1", "x1"]);
    through(&client, &users, &input);
    assert_eq!((responses.load(Ordering::Relaxed), done.load(Ordering::Relaxed)), (2, 2));
}

#[test]
fn an_answer_that_is_whole_but_odd_is_read_as_live() {
    let fake = Fake::new(|_, _| Fate::Value(serde_json::json!({ "name": "Ada", "age": "36" })));
    let client = fake.client("openai/m");
    let lenient = users(&client).level(instructor::Level::Lenient);
    let input = input(&lenient, &["a"]);
    let (came, _) = through(&client, &lenient, &input);
    assert_eq!(came.users["a"], User { name: String::from("Ada"), age: 36 });
    let _ = (came, user("", 0));
}

#[test]
fn nothing_is_sent_for_an_answer_that_is_wrong() {
    let fake = fake();
    let client = fake.client("openai/m");
    let users = users(&client).max_retries(5);
    let input = input(&users, &["i1", "l1", "b1"]);
    let (_, job) = through(&client, &users, &input);
    let before = fake.calls().len();
    came(&users, &job, &input);
    assert!(fake.calls()[before..].iter().all(|call| call.starts_with("GET /v1/files/")));
}
