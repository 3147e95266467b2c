//! What happens where a provider does not take the schema, or not in the form in which it was asked for: the request
//! goes down the ladder of modes, the report says so, and the client remembers.

use std::time::Duration;

use instructor::testing::{Reply, Script, Sent};
use instructor::{Budget, Client, Completion, Contract, Error, ErrorKind, Mode, Profile, Report, Retry};
use serde_json::{Value, json};

#[instructor::model]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

#[instructor::model]
struct City {
    name: String,
}

const SPEC: &str = "openai/gpt-5-mini";
const SECOND: Duration = Duration::from_secs(1);

/// A mode, and whether the provider was to enforce the schema.
type Rung = (Mode, bool);

const STRICT: Rung = (Mode::Schema, true);
const LAX: Rung = (Mode::Schema, false);
const TOOLS: Rung = (Mode::Tools, false);
const JSON: Rung = (Mode::Json, false);
const TEXT: Rung = (Mode::MdJson, false);
const LADDER: [Rung; 5] = [STRICT, LAX, TOOLS, JSON, TEXT];

/// How a request asked, told from its body alone.
fn asked(sent: &Sent) -> Rung {
    let body = sent.json();
    match body["response_format"]["type"].as_str() {
        Some("json_schema") => (Mode::Schema, body["response_format"]["json_schema"]["strict"] == true),
        Some("json_object") => JSON,
        _ if !body["output_config"].is_null() => STRICT,
        _ if !body["tools"].is_null() => TOOLS,
        _ => TEXT,
    }
}

fn right() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 36 }))
}

fn wrong() -> Reply {
    Reply::value(json!({ "name": "Ada", "age": 360 }))
}

const SAID: &str = "Invalid schema for response_format 'User': In context=('properties', 'age'), no.";

fn bad(message: &str) -> Reply {
    Reply::json(json!({ "error": { "message": message, "type": "invalid_request_error" } })).with_status(400)
}

fn refused() -> Reply {
    bad(SAID)
}

fn script(replies: impl IntoIterator<Item = Reply>) -> Script {
    replies.into_iter().fold(Script::new(), Script::reply)
}

/// A provider that takes only these.
fn taking(rungs: &'static [Rung]) -> Script {
    Script::new().when(|sent| !rungs.contains(&asked(sent)), refused()).when(|_| true, right())
}

fn ask(script: &Script, client: &Client) -> Result<(User, Completion), Error> {
    script.block_on(client.create_with_completion::<User>("Ada is 36"))
}

fn rungs(report: &Report) -> Vec<Rung> {
    report.attempts().iter().map(|attempt| (attempt.mode, attempt.strict)).collect()
}

fn went(script: &Script) -> Vec<Rung> {
    script.sent().iter().map(asked).collect()
}

#[test]
fn auto_goes_down_to_the_first_rung_that_is_taken() {
    let takes: [&'static [Rung]; 5] = [&[STRICT], &[LAX], &[TOOLS], &[JSON], &[TEXT]];
    for (n, takes) in takes.into_iter().enumerate() {
        let script = taking(takes);
        let (user, completion) = ask(&script, &script.client(SPEC)).unwrap();
        assert_eq!((user.name.as_str(), user.age), ("Ada", 36));
        assert_eq!(went(&script), LADDER[..=n]);
        assert_eq!(rungs(&completion.report), LADDER[..=n], "the report says what went out");
        assert_eq!(script.waits(), [], "a step does not wait");
        let (last, before) = completion.report.attempts().split_last().unwrap();
        assert_eq!(last.failure, None);
        for attempt in before {
            assert_eq!(attempt.failure, Some(ErrorKind::SchemaRefused));
            assert_eq!(attempt.status, Some(400));
            assert!(attempt.detail.contains(SAID), "{attempt}");
        }
        let shown = completion.report.to_string();
        assert!(shown.starts_with("attempt 1 (schema, strict, "), "{shown}");
        for sent in script.sent() {
            let prompts = sent.json()["messages"].as_array().unwrap().iter().filter(|m| m["role"] == "user").count();
            assert_eq!(prompts, 1, "the caller's messages stay, and nothing is added");
        }
    }
}

#[test]
fn each_rung_is_a_fresh_request_of_its_mode() {
    let script = taking(&[TEXT]);
    ask(&script, &script.client(SPEC)).unwrap();
    for (sent, (mode, _)) in script.sent().iter().zip(LADDER) {
        // What the mode itself would send: the lax rung differs from the strict one in its schema alone.
        let other = script.client(SPEC);
        let wanted = other.request("Ada is 36").mode(mode).preview::<User>().unwrap().json();
        let mut got = sent.json();
        let mut wanted = wanted;
        for body in [&mut got, &mut wanted] {
            body["response_format"]["json_schema"] = Value::Null;
        }
        assert_eq!(got, wanted);
    }
}

#[test]
fn where_the_last_rung_is_refused_too_the_error_has_all_attempts() {
    let script = taking(&[]);
    let error = ask(&script, &script.client(SPEC)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaRefused);
    assert_eq!(rungs(error.report()), LADDER);
    assert!(error.report().attempts().iter().all(|a| a.failure == Some(ErrorKind::SchemaRefused)));
    assert!(!error.is_retryable());
    assert_eq!(error.status(), Some(400));
    assert!(String::from_utf8_lossy(error.raw().unwrap()).contains("no."));
    let shown = error.to_string();
    assert!(shown.contains(SAID) && shown.contains("(after 5 attempts)") && shown.contains("simpler"), "{shown}");
    assert_eq!(error.kind().to_string(), "schema_refused");
}

#[test]
fn a_mode_that_was_asked_for_stays() {
    let cases: [(Mode, &[Rung]); 4] =
        [(Mode::Schema, &[STRICT, LAX]), (Mode::Tools, &[TOOLS]), (Mode::Json, &[JSON]), (Mode::MdJson, &[TEXT])];
    for (mode, wanted) in cases {
        let script = taking(&[]);
        let client = script.client(SPEC);
        let error = script.block_on(client.request("x").mode(mode).create::<User>()).unwrap_err();
        assert_eq!((error.kind(), &*rungs(error.report())), (ErrorKind::SchemaRefused, wanted));
        assert!(error.to_string().contains("mode auto tries them"), "{error}");
        // Also where it is the client's.
        let script = taking(&[]);
        let client = script.builder(SPEC).mode(mode).build().unwrap();
        assert_eq!(ask(&script, &client).unwrap_err().report().attempts().len(), wanted.len());
    }
    let script = taking(&[LAX]);
    let client = script.client(SPEC);
    script.block_on(client.request("x").mode(Mode::Schema).create::<User>()).unwrap();
    assert_eq!(went(&script), [STRICT, LAX]);
}

#[test]
fn a_form_that_is_refused_is_not_tried_again() {
    // Structured outputs as such: the lax rung is one too.
    let of_type = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
    let one = script([bad(of_type), bad("m does not support tools"), right()]);
    ask(&one, &one.client(SPEC)).unwrap();
    assert_eq!(went(&one), [STRICT, TOOLS, JSON]);

    let one = script([bad(of_type)]);
    let error = one.block_on(one.client(SPEC).request("x").mode(Mode::Schema).create::<User>()).unwrap_err();
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::SchemaRefused, 1));

    // All of response_format.
    let one = script([bad("The response_format parameter is unsupported at the moment."), refused(), right()]);
    ask(&one, &one.client(SPEC)).unwrap();
    assert_eq!(went(&one), [STRICT, TOOLS, TEXT]);
}

#[test]
fn only_rungs_that_provider_and_model_can_do() {
    let cases: [(&str, &[Mode]); 4] = [
        // No tools on this protocol while the model reasons.
        ("openai/gpt-5.4", &[Mode::Schema, Mode::Json, Mode::MdJson]),
        // Tools are what it is asked with, so nothing above them is tried.
        ("groq/llama-3.3-70b", &[Mode::Tools, Mode::Json, Mode::MdJson]),
        // No JSON mode in the protocol.
        ("anthropic/claude-haiku-4-5", &[Mode::Tools, Mode::MdJson]),
        ("ollama/qwen3", &[Mode::Schema, Mode::Tools, Mode::Json, Mode::MdJson]),
    ];
    for (spec, wanted) in cases {
        let script = taking(&[]);
        let error = ask(&script, &script.client(spec)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaRefused, "{spec}");
        assert_eq!(rungs(error.report()), went(&script), "{spec}");
        let mut modes: Vec<Mode> = went(&script).into_iter().map(|(mode, _)| mode).collect();
        modes.dedup();
        assert_eq!(modes, wanted, "{spec}");
    }
    let local = Profile::openai_compatible("local", "http://localhost:1234/v1").with_mode(Mode::Schema);
    let has: [(&[Mode], &[Rung]); 2] =
        [(&[Mode::Schema], &[LAX, TEXT]), (&[Mode::Schema, Mode::Json], &[LAX, JSON, TEXT])];
    for (modes, wanted) in has {
        let script = taking(&[]);
        let profile = local.clone().with_modes(modes.iter().copied());
        let client = Client::builder().profile(profile).model("m").transport(script.clone()).build().unwrap();
        ask(&script, &client).unwrap_err();
        // A schema goes out once where nobody calls it strict.
        assert_eq!(went(&script), wanted);
    }
}

#[test]
fn a_bad_request_about_something_else_does_not_step() {
    let others = [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "Invalid model: x",
        "no",
    ];
    for message in others {
        let script = Script::new().when(|_| true, bad(message));
        let error = ask(&script, &script.client(SPEC)).unwrap_err();
        assert_eq!((error.kind(), script.sent().len()), (ErrorKind::BadRequest, 1), "{message}");
    }
    // Nor does a service that is down, whatever it says.
    let script = script([refused().with_status(503), right()]);
    let (_, completion) = ask(&script, &script.client(SPEC)).unwrap();
    assert_eq!(completion.report.attempts()[0].failure, Some(ErrorKind::Overloaded));
    assert_eq!(went(&script), [STRICT, STRICT]);
}

#[test]
fn a_step_spends_no_retries() {
    for retry in [Retry::new().with_stop_after_attempt(1), Retry::never(), Retry::new().with_kinds(&[])] {
        let script = taking(&[JSON]);
        let client = script.builder(SPEC).retry(retry).build().unwrap();
        ask(&script, &client).unwrap();
        assert_eq!(script.sent().len(), 4);
    }
    // Re-asks and resends have their full counts on the way down.
    let limited = || Reply::status(429);
    let one = script([refused(), wrong(), limited(), refused(), limited(), wrong(), refused(), right()]);
    let client = one.client(SPEC);
    let user: User = one.block_on(client.request("x").max_retries(2).create()).unwrap();
    assert_eq!(user.age, 36);
    assert_eq!(went(&one), [STRICT, LAX, LAX, LAX, TOOLS, TOOLS, TOOLS, JSON]);
    assert_eq!(one.waits().len(), 2);
    // And no more than that.
    let one = script([refused(), wrong(), refused(), wrong()]);
    let error = one.block_on(one.client(SPEC).request("x").max_retries(1).create::<User>()).unwrap_err();
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::SchemaMismatch, 4));
}

#[test]
fn a_step_is_within_the_budget() {
    let over = |script: &Script, budget: Budget| {
        let client = script.builder(SPEC).budget(budget).build().unwrap();
        ask(script, &client).unwrap_err()
    };
    let one = taking(&[TEXT]);
    let error = over(&one, Budget::new().with_attempts(2));
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::Budget, 2));
    assert_eq!(rungs(error.report()), [STRICT, LAX]);
    assert!(error.to_string().contains("2 attempts are used; last failure: schema_refused"), "{error}");

    let costly = Reply::json(json!({ "error": { "message": SAID, "filler": "x".repeat(4000) } })).with_status(400);
    let one = Script::new().when(|_| true, costly);
    let error = over(&one, Budget::new().with_tokens(1500));
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::Budget, 2));

    let one = Script::new().when(|_| true, refused().after(2 * SECOND));
    let error = over(&one, Budget::new().with_deadline(3 * SECOND));
    assert_eq!((error.kind(), one.sent().len()), (ErrorKind::Budget, 2));
    assert_eq!(one.sent()[1].timeout(), Some(SECOND), "a step has what is left");

    // The delay of the retry policy: no new attempt of any kind after it.
    let one = Script::new().when(|_| true, refused().after(2 * SECOND));
    let client = one.builder(SPEC).retry(Retry::new().with_stop_after_delay(3 * SECOND)).build().unwrap();
    assert_eq!(ask(&one, &client).unwrap_err().kind(), ErrorKind::SchemaRefused);
    assert_eq!(one.sent().len(), 2);
}

#[test]
fn the_turns_of_a_re_ask_do_not_outlive_their_mode() {
    let script = script([wrong(), refused(), refused(), right()]);
    let client = script.builder("groq/llama-3.3-70b").build().unwrap();
    let (_, completion) = ask(&script, &client).unwrap();
    assert_eq!(rungs(&completion.report), [TOOLS, TOOLS, JSON, TEXT]);
    let sent = script.sent();
    assert!(sent[1].json()["messages"].to_string().contains("tool_call_id"), "a re-ask");
    for sent in &sent[2..] {
        let messages = sent.json()["messages"].to_string();
        assert!(!messages.contains("tool_call") && !messages.contains("rejected"), "{messages}");
        assert!(messages.contains("Ada is 36"));
    }
}

#[test]
fn a_re_ask_after_a_step_is_in_the_words_of_the_new_mode() {
    let script = script([refused(), refused(), wrong(), right()]);
    ask(&script, &script.client(SPEC)).unwrap();
    let sent = script.sent();
    assert_eq!(asked(&sent[3]), TOOLS);
    let messages = sent[3].json()["messages"].to_string();
    assert!(messages.contains("tool_call_id") && messages.contains("Call the tool"), "{messages}");
}

#[test]
fn what_was_learnt_is_paid_once() {
    let script = taking(&[TOOLS]);
    let client = script.client(SPEC);
    ask(&script, &client).unwrap();
    assert_eq!(script.sent().len(), 3);
    let (_, completion) = ask(&script, &client).unwrap();
    assert_eq!(rungs(&completion.report), [TOOLS], "the first attempt starts where the last request ended");
    // Clones share it, in both directions.
    ask(&script, &client.clone()).unwrap();
    assert_eq!(script.sent().len(), 5);
    let script = taking(&[TOOLS]);
    let client = script.client(SPEC);
    ask(&script, &client.clone()).unwrap();
    ask(&script, &client).unwrap();
    assert_eq!(went(&script), [STRICT, LAX, TOOLS, TOOLS]);
    // What would be sent is shown.
    assert!(client.request("x").preview::<User>().unwrap().json()["tools"].is_array());
    // A client of its own has learnt nothing.
    ask(&script, &script.client(SPEC)).unwrap();
    assert_eq!(went(&script)[4..], [STRICT, LAX, TOOLS]);
}

#[test]
fn what_was_learnt_is_of_one_model_and_contract() {
    let script = taking(&[TOOLS]).when(|_| true, Reply::value(json!({ "name": "Ada", "age": 36 })));
    let client = script.client(SPEC);
    ask(&script, &client).unwrap();
    let other: User = script.block_on(client.request("x").model("gpt-5").create()).unwrap();
    assert_eq!(other.age, 36);
    assert_eq!(went(&script)[3..], [STRICT, LAX, TOOLS], "another model");
    let _: City = script.block_on(client.create("x")).unwrap();
    assert_eq!(went(&script)[6..], [STRICT, LAX, TOOLS], "another contract");
    ask(&script, &client).unwrap();
    assert_eq!(went(&script)[9..], [TOOLS]);

    // A run-time contract that is built anew for each call is the same while its schema is.
    let contract = |max: u32| {
        let age = json!({ "type": "integer", "maximum": max });
        let properties = json!({ "name": { "type": "string" }, "age": age });
        let schema = json!({ "title": "Person", "type": "object", "properties": properties, "required": ["name", "age"],
            "additionalProperties": false });
        Contract::from_schema(schema).unwrap()
    };
    for max in [150, 150, 151] {
        script.block_on(client.create_value(&contract(max), "x")).unwrap();
    }
    assert_eq!(went(&script)[10..], [STRICT, LAX, TOOLS, TOOLS, STRICT, LAX, TOOLS]);
}

#[test]
fn what_was_learnt_does_not_change_a_mode_that_was_asked_for() {
    let script = taking(&[JSON, LAX]);
    let client = script.client(SPEC);
    let schema = || client.request("x").mode(Mode::Schema);
    script.block_on(schema().create::<User>()).unwrap();
    script.block_on(schema().create::<User>()).unwrap();
    assert_eq!(went(&script), [STRICT, LAX, LAX], "strict or lax is remembered");
    ask(&script, &client).unwrap();
    assert_eq!(went(&script)[3..], [LAX], "that strict is refused holds for auto too");

    let script = taking(&[JSON]);
    let client = script.client(SPEC);
    ask(&script, &client).unwrap();
    script.block_on(client.request("x").mode(Mode::Schema).create::<User>()).unwrap_err();
    assert_eq!(went(&script), [STRICT, LAX, TOOLS, JSON, STRICT, LAX]);
    ask(&script, &client).unwrap();
    assert_eq!(went(&script)[6..], [JSON], "a refusal alone teaches nothing");
}

#[test]
fn what_was_learnt_can_be_refused_in_turn() {
    let script = script([refused(), right(), refused(), right(), right()]);
    let client = script.client(SPEC);
    for _ in 0..3 {
        ask(&script, &client).unwrap();
    }
    assert_eq!(went(&script), [STRICT, LAX, LAX, TOOLS, TOOLS]);
}

#[test]
fn only_what_was_taken_is_learnt() {
    // The model's answer is wrong for good, but the form was taken.
    let one = script([refused(), wrong(), right()]);
    let client = one.client(SPEC);
    one.block_on(client.request("x").max_retries(0).create::<User>()).unwrap_err();
    ask(&one, &client).unwrap();
    assert_eq!(went(&one), [STRICT, LAX, LAX]);
    // Nothing is known of a form for which no answer came.
    let one = script([refused(), Reply::status(401), right()]);
    let client = one.client(SPEC);
    assert_eq!(ask(&one, &client).unwrap_err().kind(), ErrorKind::Auth);
    ask(&one, &client).unwrap();
    assert_eq!(went(&one), [STRICT, LAX, STRICT]);
}

#[test]
fn without_async_it_is_the_same() {
    let script = taking(&[JSON]);
    let client = script.blocking_client(SPEC);
    let (user, completion) = client.create_with_completion::<User>("Ada is 36").unwrap();
    assert_eq!(user.age, 36);
    assert_eq!(rungs(&completion.report), LADDER[..4]);
    let _: User = client.clone().create("Ada is 36").unwrap();
    assert_eq!(went(&script)[4..], [JSON]);
    let error = client.request("x").mode(Mode::Schema).create::<User>().unwrap_err();
    assert_eq!((error.kind(), rungs(error.report())), (ErrorKind::SchemaRefused, vec![STRICT, LAX]));
}

#[test]
fn clones_learn_side_by_side() {
    let script = taking(&[TEXT]);
    let client = script.blocking_client(SPEC);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                for _ in 0..20 {
                    let _: User = client.create("Ada is 36").unwrap();
                }
            });
        }
    });
    let sent = script.sent().len();
    assert!((164..=160 + 8 * 4).contains(&sent), "each thread steps once at most: {sent}");
}

#[test]
fn a_routed_refusal_in_a_success_steps_too() {
    let upstream =
        json!({ "error": { "code": 400, "message": "Provider returned error", "metadata": { "raw": SAID } } });
    let script = script([Reply::json(upstream), right()]);
    let (_, completion) = ask(&script, &script.client("openrouter/openai/gpt-5-mini")).unwrap();
    assert_eq!(rungs(&completion.report), [TOOLS, JSON]);
}
