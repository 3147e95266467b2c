//! From the input to the results, with each protocol.

use std::future::Future;

use instructor::batch::{BatchInput, BatchJob, BatchStatus, Batches, Extraction};
use instructor::{Client, ErrorKind, Ledger, Mode, Money, Price, Prices, Profile};
use serde_json::{Value, json};

use crate::fake::{Fake, Fate, Fault};
use crate::{SPECS, User, came, fake, fates, input, run, through, user, users};

fn client(fake: &Fake, spec: &str) -> Client {
    let builder = Client::builder().provider(spec).api_key("test-key-0123").transport(fake.clone());
    let builder = match spec.split_once('/').unwrap().0 {
        "azure_openai" => builder.base_url("https://mine.openai.azure.com/openai/v1"),
        _ => builder,
    };
    builder.build().unwrap()
}

#[test]
fn each_protocol_takes_a_batch_from_end_to_end() {
    for spec in SPECS {
        let fake = fake();
        let client = client(&fake, spec);
        let users = users(&client);
        let input = input(&users, &["good-1", "good-2", "good-3"]);
        let (came, job) = through(&client, &users, &input);
        assert_eq!(came.users.len(), 3, "{spec}: {:?}", came.errors);
        assert_eq!(came.users["good-2"], User { name: String::from("Ada"), age: 36 });
        assert!(came.errors.is_empty(), "{spec}");
        assert_eq!((job.status(), job.requests, job.parts.len()), (BatchStatus::Completed, 3, 1), "{spec}");
        assert_eq!(job.counts().total, Some(3), "{spec}");
        // The key goes along, but to no address that somebody else has named.
        for seen in fake.seen() {
            let keyed = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
            let keyed = keyed.iter().any(|name| seen.headers.contains_key(*name));
            assert_eq!(keyed, !seen.path.contains("/upload/session"), "{spec} {}", seen.path);
            assert!(!seen.path.contains("steal"));
        }
    }
}

#[test]
fn the_requests_are_those_that_would_be_sent_live() {
    for spec in SPECS {
        let fake = fake();
        let client = client(&fake, spec);
        let users = users(&client).temperature(0.5).max_tokens(77);
        let mut written = users.writer(Vec::new());
        written.push("g/1", "Ada is 36").err();
        written.push("g1", "Ada is 36").unwrap();
        let text = String::from_utf8(written.finish().unwrap()).unwrap();
        let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let body = ["body", "params", "request"].iter().find_map(|name| line.get(*name)).unwrap();
        let messages = [instructor::Message::user("Who is it?"), instructor::Message::user("Ada is 36")];
        let live = client.request(&messages).temperature(0.5).max_tokens(77).preview::<User>().unwrap();
        assert_eq!(*body, live.json(), "{spec}");
        assert!(body.get("stream").is_none_or(|stream| stream == false), "{spec}");
    }
}

#[test]
fn one_definition_runs_live_too() {
    let fake = Fake::new(|_, _| Fate::Value(user("Ada", 36)));
    let client = fake.client("openai/gpt-5-mini");
    let users = users(&client);
    assert_eq!(run(users.create("Ada is 36")).unwrap().age, 36);
    let (user, completion) = run(users.create_with_completion("Ada is 36")).unwrap();
    assert_eq!((user.age, completion.report.attempts().len()), (36, 1));
    let sent = fake.seen()[0].json();
    assert_eq!(sent["messages"][0]["content"], "Who is it?");
    assert_eq!(sent["messages"][1]["content"], "Ada is 36");
}

#[test]
fn a_blocking_client_does_the_same() {
    let fake = fake();
    let client = fake.blocking("anthropic/claude-haiku-4-5");
    let users = Extraction::<User, _>::new(&client);
    let mut input = users.writer(Vec::new());
    for id in ["g1", "i1"] {
        input.push(id, "text").unwrap();
    }
    let input = BatchInput::from(input.finish().unwrap());
    let batches = Batches::new(&client).unwrap();
    let mut job = users.job(&input).unwrap();
    batches.submit(&mut job, &input).unwrap();
    batches.wait(&mut job, std::time::Duration::ZERO).unwrap();
    let items: Vec<_> = users.fetch(&job).unwrap().expecting(&input).unwrap().map(Result::unwrap).collect();
    assert_eq!(items.len(), 2);
    let error = items.into_iter().find_map(|item| item.result.err()).unwrap();
    assert_eq!(error.error().unwrap().kind(), ErrorKind::SchemaMismatch);
    let mut next = users.writer(Vec::new());
    next.again(&error.into_failed(), "text").unwrap();
    assert_eq!(next.requests(), 1);
}

#[test]
fn a_run_time_contract_makes_values() {
    let fake = fake();
    let client = fake.client("openai/gpt-5-mini");
    let schema = json!({ "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] });
    let any = Extraction::<Value>::of_contract(&client, instructor::Contract::from_schema(schema).unwrap());
    let line = r#"{"custom_id":"a","response":{"status_code":200,"body":{"choices":[{"message":{"content":"{\"age\":36}"}}]}}}"#;
    let mut results = any.read(line.as_bytes()).unwrap();
    assert_eq!(run(results.next()).unwrap().unwrap().result.unwrap().0, json!({ "age": 36 }));
    assert!(run(results.next()).is_none());
}

#[test]
fn what_is_larger_than_a_batch_goes_in_parts() {
    let fake = fake();
    let client = fake.client("openai/gpt-5-mini");
    let users = users(&client);
    let input = input(&users, &["g1", "g2", "g3"]);
    let mut job = users.job_in_parts(&input, 2).unwrap();
    let lines: Vec<_> = job.parts.iter().map(|part| part.lines.clone()).collect();
    assert_eq!(lines, [0..2, 2..3]);
    assert_eq!((job.parts[0].bytes.end, job.bytes), (job.parts[1].bytes.start, job.parts[1].bytes.end));

    // The second part can't be submitted; what is known of the first is not lost.
    let batches = Batches::new(&client).unwrap();
    fake.set(|state| state.faults = vec![Fault::Fine, Fault::Fine, Fault::Status(401)]);
    let error = run(batches.submit(&mut job, &input)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let mut job: BatchJob = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
    assert!(job.parts[0].state.is_some() && job.parts[1].state.is_none());
    let early = users.fetch(&job).unwrap_err().to_string();
    assert!(early.contains("1 of its 2 parts are submitted"), "{early}");
    run(batches.submit(&mut job, &input)).unwrap();
    assert_eq!(fake.calls().iter().filter(|call| *call == "POST /v1/batches").count(), 2);
    run(batches.wait(&mut job, std::time::Duration::ZERO)).unwrap();
    assert_eq!(came(&users, &job, &input).users.len(), 3);
}

#[test]
fn a_batch_that_may_have_been_made_is_not_made_again_unseen() {
    let fake = fake();
    let client = fake.client("openai/gpt-5-mini");
    let users = users(&client);
    let input = input(&users, &["g1"]);
    let batches = Batches::new(&client).unwrap();
    let mut job = users.job(&input).unwrap();
    // An upload may be repeated, the batch not.
    fake.set(|state| state.faults = vec![Fault::Closed, Fault::Status(503), Fault::Fine, Fault::Closed]);
    let error = run(batches.submit(&mut job, &input)).unwrap_err().to_string();
    assert!(error.contains("may have been made all the same: list the batches"), "{error}");
    assert_eq!(fake.calls(), ["POST /v1/files", "POST /v1/files", "POST /v1/files", "POST /v1/batches"]);
    // That it is not made is certain after a refusal.
    fake.set(|state| state.faults = vec![Fault::Fine, Fault::Status(429), Fault::Fine]);
    run(batches.submit(&mut job, &input)).unwrap();
    assert_eq!(fake.calls().len(), 7);
}

#[test]
fn a_job_is_only_read_by_what_it_was_made_with() {
    let fake = fake();
    let client = fake.client("openai/gpt-5-mini");
    let users = users(&client);
    let (_, job) = through(&client, &users, &input(&users, &["g1"]));
    let error = |result: Result<_, instructor::Error>| result.err().map(|error: instructor::Error| error.to_string());
    let wrong = error(Extraction::<String>::new(&client).fetch(&job).map(drop)).unwrap();
    assert!(wrong.contains("another response model: User"), "{wrong}");
    let wrong = error(crate::users(&client).mode(Mode::Tools).fetch(&job).map(drop)).unwrap();
    assert!(wrong.contains("another mode: schema, strict, and this asks with tools"), "{wrong}");
    let other = fake.client("groq/llama-3.3-70b-versatile");
    let wrong = error(crate::users(&other).fetch(&job).map(drop)).unwrap();
    assert!(wrong.contains("another provider: openai"), "{wrong}");
    let mut job = job;
    let wrong = run(Batches::new(&other).unwrap().poll(&mut job)).unwrap_err().to_string();
    assert!(wrong.contains("the batch is with openai"), "{wrong}");
    let changed = input(&users, &["g1", "g2"]);
    let wrong = run(Batches::new(&client).unwrap().submit(&mut job, &changed)).unwrap_err().to_string();
    assert!(wrong.contains("the input has changed"), "{wrong}");
}

#[test]
fn who_has_no_batches_is_told_who_has() {
    let fake = fake();
    let client = fake.client("deepseek/deepseek-chat");
    let error = Batches::new(&client).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(text.contains("deepseek has no batches") && text.contains("openai, openai_responses, anthropic"), "{text}");
    let error = users(&client).job(&BatchInput::bytes("{\"custom_id\":\"a\"}\n")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    // A gateway is believed.
    let gateway = Profile::anthropic_compatible("gateway", "https://gateway.example").with_batches();
    let client = Client::builder().profile(gateway).model("m").transport(fake).build().unwrap();
    let users = users(&client);
    let (came, _) = through(&client, &users, &input(&users, &["g1"]));
    assert_eq!(came.users.len(), 1);
}

#[test]
fn what_can_not_be_in_a_batch_is_refused_when_it_is_written() {
    let fake = fake();
    let openai = fake.client("openai/gpt-5-mini");
    let users = users(&openai);
    let mut written = users.writer(Vec::new());
    written.push("a", "text").unwrap();
    let twice = written.push("a", "text").unwrap_err().to_string();
    assert!(twice.contains("\"a\" is there twice"), "{twice}");
    assert_eq!(written.requests(), 1);
    assert!(written.push("", "text").unwrap_err().to_string().contains("not empty"));
    // OpenAI takes any id; Anthropic takes words.
    written.push("mails/2026/ä b.eml", "text").unwrap();
    let anthropic = fake.client("anthropic/claude-haiku-4-5");
    let words = crate::users(&anthropic);
    let error = words.writer(Vec::new()).push("mails/1", "text").unwrap_err().to_string();
    assert!(error.contains("64 letters, digits, _ and - at most"), "{error}");
    let two = crate::users(&openai).mode(Mode::ThinkThenShape);
    assert_eq!(two.writer(Vec::new()).push("a", "text").unwrap_err().kind(), ErrorKind::Unsupported);
    let odd = crate::users(&openai).extra("seed", f64::NAN.to_string()).model("");
    assert_eq!(odd.writer(Vec::new()).push("a", "text").unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn batches_are_cancelled_and_listed() {
    for spec in ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash", "mistral/m"] {
        let fake = Fake::new(|id, _| if id == "late" { Fate::Cancelled } else { fates(id) });
        fake.set(|state| state.polls = 99);
        let client = fake.client(spec);
        let users = users(&client);
        let input = input(&users, &["g1", "late"]);
        let batches = Batches::new(&client).unwrap();
        let mut job = users.job(&input).unwrap();
        run(batches.submit(&mut job, &input)).unwrap();
        run(batches.poll(&mut job)).unwrap();
        assert_eq!(job.status(), BatchStatus::Running, "{spec}");
        let early = users.fetch(&job).unwrap_err();
        assert!(early.to_string().contains("it is running, 0 of 2 done; poll it"), "{spec}: {early}");
        run(batches.cancel(&mut job)).unwrap();
        assert_eq!(job.status(), BatchStatus::Cancelled, "{spec}");
        let came = came(&users, &job, &input);
        assert_eq!(came.users.len(), 1, "{spec}");
        let why = if spec.starts_with("gemini") { "failed" } else { "cancelled" };
        assert_eq!(came.why(), [("late", why)], "{spec}");
    }
}

#[test]
fn pages_of_batches_are_read() {
    use instructor::testing::{Reply, Script};
    let openai = json!({ "data": [{ "id": "b1", "status": "completed" }, { "id": "b2", "status": "odd" }],
        "has_more": true, "last_id": "b2" });
    let anthropic = json!({ "data": [{ "id": "m1", "processing_status": "ended" }], "has_more": false });
    let gemini = json!({ "operations": [{ "name": "batches/1", "metadata": { "state": "BATCH_STATE_FAILED" } }],
        "nextPageToken": "n" });
    let mistral = json!({ "data": [{ "id": "j1", "status": "QUEUED" }], "total": 1 });
    let cases = [
        ("openai/m", openai, "/v1/batches?limit=100", "b1 completed, b2 unknown", Some("b2")),
        ("anthropic/m", anthropic, "/v1/messages/batches?limit=100", "m1 completed", None),
        ("gemini/m", gemini, "/v1beta/batches?pageSize=100", "batches/1 failed", Some("n")),
        ("mistral/m", mistral, "/v1/batch/jobs?page_size=100&page=0", "j1 pending", None),
    ];
    for (spec, body, path, wanted, next) in cases {
        let script = Script::new().reply(Reply::json(body));
        let client = script.client(spec);
        let page = run(Batches::new(&client).unwrap().list(None)).unwrap();
        let said: Vec<String> = page.batches.iter().map(|state| format!("{} {}", state.id, state.status)).collect();
        assert_eq!((said.join(", ").as_str(), page.next.as_deref()), (wanted, next), "{spec}");
        assert!(script.sent()[0].url().ends_with(path), "{}", script.sent()[0].url());
    }
}

#[test]
fn half_the_price_is_counted_once() {
    let fake = fake();
    let ledger = Ledger::new();
    let easy = Price::new(Money::from_dollars(1), Money::from_dollars(2));
    let builder = Client::builder().provider("openai/m").api_key("test-key-0123").transport(fake);
    let client = builder.prices(Prices::new().with("openai", "m", easy)).ledger(&ledger).build().unwrap();
    let users = users(&client).label("nightly");
    let input = input(&users, &["g1", "i1", "b1"]);
    let batches = Batches::new(&client).unwrap();
    let mut job = users.job(&input).unwrap();
    run(batches.submit(&mut job, &input)).unwrap();
    run(batches.wait(&mut job, std::time::Duration::ZERO)).unwrap();
    let mut results = users.fetch(&job).unwrap();
    let mut sum = Money::ZERO;
    while let Some(item) = run(results.next()) {
        let report = match item.unwrap().result {
            Ok((_, completion)) => completion.report,
            Err(error) => error.error().unwrap().report().clone(),
        };
        let usage = report.usage();
        let full = usage.input.unwrap_or_default() + 2 * usage.output.unwrap_or_default();
        assert_eq!(report.cost().total(), Money::from_trillionths(u128::from(full) * 500_000));
        assert!(report.cost().is_complete());
        sum += report.cost().total();
    }
    assert!(sum > Money::ZERO);
    let total = ledger.total();
    assert_eq!((total.calls, total.failed, total.cost.total()), (3, 2, sum));
    assert_eq!(ledger.entries()[0].label.as_deref(), Some("nightly"));
}

#[test]
fn it_can_be_spawned() {
    fn is_send<F: Future + Send>(_: F) {}
    let fake = fake();
    let client = fake.client("openai/gpt-5-mini");
    let users = users(&client);
    let (_, mut job) = through(&client, &users, &input(&users, &["g1"]));
    let batches = Batches::new(&client).unwrap();
    is_send(batches.poll(&mut job));
    is_send(users.fetch(&job).unwrap().next());
    is_send(users.create("text"));
    is_send(batches.download(&job, &mut Vec::new()));
}
