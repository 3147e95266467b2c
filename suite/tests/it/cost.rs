//! What calls cost: prices, reports, budgets, ledgers.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{
    Budget, Charge, Client, ErrorKind, Ledger, Money, Price, Prices, Profile, Report, TransportErrorKind, Usage,
    Watchdog,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[instructor::model(partial)]
#[derive(Debug, PartialEq)]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

fn right() -> Value {
    json!({ "name": "Ada", "age": 36 })
}

fn wrong() -> Value {
    json!({ "name": "Ada", "age": 360 })
}

/// A dollar for a million tokens of input, two of output: prices that make sums easy.
fn easy() -> Price {
    Price::new(Money::from_dollars(1), Money::from_dollars(2))
}

fn micros(micros: u64) -> Money {
    Money::from_micros(micros)
}

fn of_usage(usage: &Usage) -> Money {
    micros(usage.input.unwrap() + 2 * usage.output.unwrap())
}

#[derive(Deserialize)]
struct Case {
    provider: String,
    model: String,
    at: u64,
    usage: [u64; 6],
    usd: String,
}

#[test]
fn the_table_agrees_with_where_it_comes_from() {
    let prices = Prices::shipped();
    assert_eq!(prices.as_of().map(str::len), Some(10));
    let mut count = 0;
    for line in include_str!("../data/prices.jsonl").lines() {
        let Case { provider, model, at, usage, usd } = serde_json::from_str(line).unwrap();
        assert!(Profile::named(&provider).is_some_and(|profile| profile.id() == provider), "{provider}");
        let price = prices.lookup(&provider, &model).unwrap_or_else(|| panic!("{provider}/{model}"));
        let [input, output, cached, written, hour, reasoning] = usage.map(Some);
        let mut usage = Usage::default();
        (usage.input, usage.output, usage.cached) = (input, output, cached);
        (usage.cache_write, usage.cache_write_1h, usage.reasoning) = (written, hour, reasoning);
        let cost = price.cost(&usage, Duration::from_secs(at)).unwrap();
        assert_eq!(cost, usd.parse().unwrap(), "{provider}/{model}: {cost} and not {usd} for {usage}; {price}");
        count += 1;
    }
    assert!(count > 500, "{count}");
}

#[test]
fn what_is_in_no_table_is_unknown() {
    let prices = Prices::shipped();
    for (provider, model) in [("openai", "gpt-unheard-of"), ("ollama", "qwen3"), ("no-such-provider", "gpt-5-mini")] {
        assert_eq!(prices.lookup(provider, model), None, "{provider}/{model}");
    }
    let script = Script::new().reply(Reply::value(right()));
    let client = script.client("ollama/qwen3");
    let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
    assert!(completion.report.usage().total().is_some());
    assert_eq!(completion.report.attempts()[0].cost, None);
    let cost = completion.report.cost();
    assert_eq!((cost.total(), cost.unknown, cost.is_complete()), (Money::ZERO, 1, false));
}

/// A provider's answer with its own counts, and what they come to at known prices.
#[test]
fn every_kind_of_token_has_its_price_on_every_protocol() {
    let price = easy()
        .with_cached(micros(100_000))
        .with_cache_write(micros(1_250_000))
        .with_cache_write_1h(micros(2_000_000))
        .with_reasoning(micros(3_000_000));
    let said = right().to_string();
    let cases: [(&str, Value, u64); 6] = [
        // 600 + 40.0 + 2 * 50 + 3 * 30
        (
            "openai/m",
            json!({ "choices": [{ "message": { "content": said } }], "usage": {
                "prompt_tokens": 1000, "completion_tokens": 80,
                "prompt_tokens_details": { "cached_tokens": 400 },
                "completion_tokens_details": { "reasoning_tokens": 30 },
            } }),
            600 + 40 + 100 + 90,
        ),
        (
            "openai_responses/m",
            json!({ "status": "completed",
                "output": [{ "type": "message", "content": [{ "type": "output_text", "text": said }] }],
                "usage": {
                    "input_tokens": 1000, "output_tokens": 80,
                    "input_tokens_details": { "cached_tokens": 400 },
                    "output_tokens_details": { "reasoning_tokens": 30 },
                } }),
            600 + 40 + 100 + 90,
        ),
        // Cached tokens stand beside the others; of those that are written some are kept for an hour.
        (
            "anthropic/m",
            json!({ "content": [{ "type": "text", "text": said }], "stop_reason": "end_turn", "usage": {
                "input_tokens": 10, "output_tokens": 20,
                "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 500,
                "cache_creation": { "ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 100 },
            } }),
            10 + 100 + 500 + 200 + 40,
        ),
        (
            "bedrock/m",
            json!({ "output": { "message": { "content": [{ "text": said }] } }, "stopReason": "end_turn", "usage": {
                "inputTokens": 10, "outputTokens": 20, "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 500,
                "cacheDetails": [{ "ttl": "5m", "inputTokens": 400 }, { "ttl": "1h", "inputTokens": 100 }],
            } }),
            10 + 100 + 500 + 200 + 40,
        ),
        // Thoughts stand beside the answer.
        (
            "gemini/m",
            json!({ "candidates": [{ "content": { "parts": [{ "text": said }] }, "finishReason": "STOP" }],
                "usageMetadata": {
                    "promptTokenCount": 1000, "candidatesTokenCount": 50, "thoughtsTokenCount": 30,
                    "cachedContentTokenCount": 400,
                } }),
            600 + 40 + 100 + 90,
        ),
        (
            "cohere/m",
            json!({ "message": { "content": [{ "type": "text", "text": said }] }, "finish_reason": "COMPLETE",
                "usage": { "tokens": { "input_tokens": 1000, "output_tokens": 50 }, "cached_tokens": 400 } }),
            600 + 40 + 100,
        ),
    ];
    for (spec, body, wanted) in cases {
        let (provider, _) = spec.split_once('/').unwrap();
        let prices = Prices::new().with(provider, "m", price.clone());
        let script = Script::new().reply(Reply::json(body.clone())).reply(Reply::json(body));
        let client = script.builder(spec).prices(prices.clone()).build().unwrap();
        let request = client.request("x").mode(instructor::Mode::MdJson);
        let (user, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
        assert_eq!(user.age, 36);
        assert_eq!(completion.report.attempts()[0].cost, Some(Charge::Counted(micros(wanted))), "{spec}");

        // And with the other client.
        let client = script.blocking_client(spec);
        let request = client.request("x").mode(instructor::Mode::MdJson).prices(prices);
        let (_, completion) = request.create_with_completion::<User>().unwrap();
        assert_eq!(completion.report.cost().known, micros(wanted), "{spec}");
    }
}

#[test]
fn what_a_provider_says_that_it_charges_is_what_it_charges() {
    let body = |usage: Value| json!({ "choices": [{ "message": { "content": right().to_string() } }], "usage": usage });
    let responses = |usage: Value| {
        let text = json!([{ "type": "output_text", "text": right().to_string() }]);
        json!({ "status": "completed", "output": [{ "type": "message", "content": text }], "usage": usage })
    };
    let count = json!({ "prompt_tokens": 10, "completion_tokens": 1, "cost": 0.0002425 });
    let mut own_key = count.clone();
    own_key["is_byok"] = json!(true);
    let told = |text: &str| Some(Charge::Told(text.parse().unwrap()));
    let dollars = json!({ "total_cost": 0.00529, "currency": "USD" });
    let cases = [
        ("openrouter/some/model", body(count.clone()), told("0.0002425")),
        ("openrouter/some/model", body(json!({ "cost": 4.88e-05 })), told("0.0000488")),
        // With a key of the caller's own somebody else charges, too.
        ("openrouter/some/model", body(own_key), None),
        // What this is counted in is not known.
        ("groq/unheard-of", body(count), None),
        ("xai_responses/grok-unheard-of", responses(json!({ "cost_in_usd_ticks": 10_805_000 })), told("0.0010805")),
        ("perplexity/unheard-of", responses(json!({ "cost": dollars })), told("0.00529")),
    ];
    for (spec, body, wanted) in cases {
        let script = Script::new().reply(Reply::json(body));
        let client = script.client(spec);
        let request = client.request("x").mode(instructor::Mode::MdJson);
        let request = if spec.starts_with("perplexity") { client.request("x") } else { request };
        let (_, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
        assert_eq!(completion.report.attempts()[0].cost, wanted, "{spec}");
    }
}

#[test]
fn a_report_has_what_every_attempt_cost() {
    let limited = || Reply::status(429).header("retry-after", "1");
    let script = Script::new()
        .reply(Reply::fault(TransportErrorKind::Connect))
        .reply(limited())
        .reply(Reply::value(wrong()))
        .reply(Reply::value(right()));
    let client = script.builder("groq/m").prices(Prices::new().with("groq", "m", easy())).build().unwrap();
    let (_, completion) = script.block_on(client.create_with_completion::<User>("x")).unwrap();
    let [connect, limited, reasked, taken] = completion.report.attempts() else { panic!("{}", completion.report) };
    // Nothing was sent, nothing was read: nothing is paid.
    assert_eq!((connect.cost, limited.cost), (Some(Charge::Counted(Money::ZERO)), Some(Charge::Counted(Money::ZERO))));
    assert_eq!(reasked.failure, Some(ErrorKind::SchemaMismatch));
    assert_eq!(reasked.cost, Some(Charge::Counted(of_usage(&reasked.usage))));
    assert_eq!(taken.cost, Some(Charge::Counted(of_usage(&taken.usage))));
    let cost = completion.report.cost();
    assert_eq!((cost.known, cost.is_complete()), (of_usage(&completion.report.usage()), true));
    assert!(taken.to_string().contains(&format!("out, {}): ok", of_usage(&taken.usage))), "{taken}");

    // An error has it too. What came of a call that was not answered is not known.
    let script = Script::new()
        .reply(Reply::fault(TransportErrorKind::Timeout))
        .reply(Reply::status(503))
        .reply(Reply::value(wrong()));
    let client = script.builder("groq/m").prices(Prices::new().with("groq", "m", easy())).build().unwrap();
    let error = script.block_on(client.request("x").max_retries(2).retry(once()).create::<User>()).unwrap_err();
    let cost = error.report().cost();
    assert_eq!(error.report().attempts().len(), 3, "{error:#}");
    assert_eq!((cost.known, cost.unknown), (of_usage(&error.report().usage()), 2));
}

/// Answers are not asked for again, and services are.
fn once() -> instructor::Retry {
    instructor::Retry::new().with_kinds(&[ErrorKind::Transport, ErrorKind::Overloaded])
}

#[test]
fn streams_cost_what_whole_answers_do() {
    for spec in ["openai/m", "openai_responses/m", "anthropic/m", "gemini/m", "cohere/m", "bedrock/m", "ollama_chat/m"]
    {
        let (provider, _) = spec.split_once('/').unwrap();
        let prices = Prices::new().with(provider, "m", easy());
        let build = |script: &Script| script.builder(spec).prices(prices.clone()).build().unwrap();

        let script = Script::new().reply(Reply::value(wrong())).reply(Reply::value(right()));
        let client = build(&script);
        let report: Report = script.block_on(async {
            let stream = client.request("x").create_partial::<User>().await.unwrap();
            stream.finish_with_completion().await.unwrap().1.report
        });
        assert_eq!(report.attempts().len(), 2);
        assert_eq!((report.cost().known, report.cost().unknown), (of_usage(&report.usage()), 0), "{spec}: {report}");

        // Of one that breaks off only a part was counted.
        let script =
            Script::new().reply(Reply::value(right()).pieces(20).breaks_after(200)).reply(Reply::value(right()));
        let client = build(&script);
        let report: Report = script.block_on(async {
            let stream = client.request("x").create_partial::<User>().await.unwrap();
            stream.finish_with_completion().await.unwrap().1.report
        });
        let [broken, taken] = report.attempts() else { panic!("{spec}: {report}") };
        assert_eq!(
            (broken.cost, taken.cost),
            (None, Some(Charge::Counted(of_usage(&taken.usage)))),
            "{spec}: {report}"
        );

        // One that is ended early costs about what was said until then.
        let long = json!({ "age": 360, "name": "Ada ".repeat(2000) });
        let script = Script::new().reply(Reply::value(long).pieces(64)).reply(Reply::value(right()));
        let client = build(&script);
        let request = client.request("x").watchdog(Watchdog::new());
        let (_, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
        let stopped = &completion.report.attempts()[0];
        let about = stopped.cost.unwrap();
        assert!(about.is_estimate() && about.money() > micros(2 * stopped.stopped.unwrap()), "{spec}: {stopped}");
        let cost = completion.report.cost();
        assert_eq!((cost.estimated, cost.is_complete()), (about.money(), true), "{spec}");
        assert!(stopped.to_string().contains("about $"), "{stopped}");
    }
}

#[test]
fn a_budget_of_money_ends_the_run() {
    let script = Script::new().when(|_| true, Reply::value(wrong()));
    let build = |limit| {
        let builder = script.builder("groq/m").prices(Prices::new().with("groq", "m", easy())).max_retries(50);
        builder.budget(Budget::new().with_cost(limit)).build().unwrap()
    };
    let error = script.block_on(build(micros(500)).create::<User>("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    let attempts = error.report().attempts();
    let spent = error.report().cost().known;
    let before = spent.trillionths() - attempts.last().unwrap().cost.unwrap().money().trillionths();
    assert!(spent >= micros(500) && Money::from_trillionths(before) < micros(500), "{spent}");
    assert!(error.to_string().contains(&format!("{spent} of $0.0005 are spent")), "{error}");
    // Nothing may be spent at all.
    let calls = script.sent().len();
    assert_eq!(script.block_on(build(Money::ZERO).create::<User>("x")).unwrap_err().kind(), ErrorKind::Budget);
    assert_eq!(script.sent().len(), calls);
}

#[test]
fn a_budget_of_money_ends_a_stream() {
    let long = json!({ "name": "Ada ".repeat(4000), "age": 36 });
    for spec in ["openai/m", "openai_responses/m", "anthropic/m", "gemini/m", "cohere/m", "bedrock/m", "ollama_chat/m"]
    {
        let (provider, _) = spec.split_once('/').unwrap();
        let script = Script::new().reply(Reply::value(long.clone()).pieces(64));
        let limit = micros(2000);
        let builder = script.builder(spec).prices(Prices::new().with(provider, "m", easy()));
        let client = builder.budget(Budget::new().with_cost(limit)).build().unwrap();
        let request = client.request("x").mode(instructor::Mode::MdJson);
        let error = script.block_on(async {
            request.create_partial::<User>().await.unwrap().finish_with_completion().await.unwrap_err()
        });
        assert_eq!(error.kind(), ErrorKind::Budget, "{spec}: {error:#}");
        assert!(error.to_string().contains("of $0.002 are spent; the answer was ended"), "{spec}: {error}");
        let cost = error.report().cost();
        assert!(cost.estimated > limit && cost.estimated < micros(2400), "{spec}: {cost}");
        assert!(script.read()[0] < 4000 * 4 * 8, "{spec}: {:?}", script.read());
    }
}

#[test]
fn a_budget_of_money_holds_where_nothing_is_counted() {
    let body = json!({ "choices": [{ "message": { "content": wrong().to_string() } }] });
    let script = Script::new().when(|_| true, Reply::json(body));
    let client = script.builder("groq/m").prices(Prices::new().with("groq", "m", easy())).build().unwrap();
    let request = client.request("x").max_retries(50).budget(Budget::new().with_cost(micros(1000)));
    let error = script.block_on(request.create::<User>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    // What was only guessed for the budget is in no report.
    assert_eq!(error.report().cost().known, Money::ZERO);
    assert_eq!(error.report().cost().unknown, error.report().attempts().len() as u64);
}

#[test]
fn a_budget_that_could_not_be_kept_is_refused_before_anything_is_sent() {
    let limit = Budget::new().with_cost(micros(1));
    let cases = [
        ("groq/unheard-of", false),
        ("ollama/qwen3", false),
        ("openai/gpt-5-mini", true),
        ("openrouter/any/model", true),
    ];
    for (spec, kept) in cases {
        let script = Script::new().reply(Reply::value(right()));
        let client = script.builder(spec).budget(limit).build().unwrap();
        let done = script.block_on(client.create::<User>("x"));
        assert_eq!(script.sent().len(), usize::from(kept), "{spec}");
        if let Err(error) = done {
            assert_eq!(error.kind(), ErrorKind::Config, "{spec}");
            let model = spec.split_once('/').unwrap().1;
            assert!(error.to_string().contains(&format!("no price is known of {model:?}")), "{error}");
        }
    }
    // The second of two models, too.
    let script = Script::new();
    let client = script.builder("openai/gpt-5-mini").budget(limit).build().unwrap();
    let request = client.request("x").mode(instructor::Mode::ThinkThenShape).shape_model("gpt-unheard-of");
    assert!(script.block_on(request.create::<User>()).unwrap_err().to_string().contains("gpt-unheard-of"));
}

#[test]
fn the_model_that_answered_is_the_one_that_is_paid() {
    let answered = |model: &str| {
        let usage = json!({ "prompt_tokens": 1_000_000, "completion_tokens": 0 });
        let choices = json!([{ "message": { "content": right().to_string() } }]);
        Reply::json(json!({ "model": model, "choices": choices, "usage": usage }))
    };
    let known = |client: &Client, script: &Script| {
        let request = client.request("x").mode(instructor::Mode::MdJson);
        script.block_on(request.create_with_completion::<User>()).unwrap().1.report.cost().known
    };
    let listed = |model: &str| Prices::shipped().lookup("openai", model).unwrap().to_string();
    assert!(listed("gpt-4o-2024-08-06").starts_with("$2.50 in"), "{}", listed("gpt-4o-2024-08-06"));
    // The name of a deployment says nothing.
    let script = Script::new().reply(answered("gpt-4o-2024-08-06")).reply(answered("some.gguf"));
    let client = script.client("azure_openai/my-deployment");
    assert_eq!(known(&client, &script), Money::from_micros(2_500_000));
    // Where the answer's says nothing, the request's does.
    let script = Script::new().reply(answered("some.gguf"));
    let client = script.client("openai/gpt-4o");
    assert_eq!(known(&client, &script), Money::from_micros(2_500_000));
    // A price of the caller's own wins.
    let prices = Prices::shipped().with("azure_openai", "my-deployment", easy());
    let script = Script::new().reply(answered("gpt-4o-2024-08-06"));
    let client = script.builder("azure_openai/my-deployment").prices(prices).build().unwrap();
    assert_eq!(known(&client, &script), Money::from_dollars(1));
}

#[test]
fn a_ledger_sums_what_many_clients_do() {
    let ledger = Ledger::new();
    let script = Script::new().when(|_| true, Reply::value(right()));
    let prices = Prices::new().with("groq", "*", easy()).with("openai", "m", easy());
    let one = script.builder("groq/m").prices(prices.clone()).ledger(&ledger).label("all").build().unwrap();
    let two = script.builder("openai/m").prices(prices).ledger(&ledger).build().unwrap();
    let mut used = Usage::default();
    let mut done = |report: Report| used = used + report.usage();
    script.block_on(async {
        done(one.create_with_completion::<User>("x").await.unwrap().1.report);
        let request = one.request("x").label("special").model("n");
        done(request.create_with_completion::<User>().await.unwrap().1.report);
        done(two.create_with_completion::<User>("x").await.unwrap().1.report);
        let stream = two.request("x").create_partial::<User>().await.unwrap();
        done(stream.finish_with_completion().await.unwrap().1.report);
    });
    let seen: Vec<(String, u64)> = ledger
        .entries()
        .iter()
        .map(|entry| {
            let label = entry.label.as_deref().unwrap_or("-");
            (format!("{}/{} {label}", entry.provider, entry.model), entry.spend.calls)
        })
        .collect();
    let wanted = [("groq/m all", 1), ("groq/n special", 1), ("openai/m -", 2)];
    assert_eq!(seen, wanted.map(|(key, calls)| (String::from(key), calls)));
    let total = ledger.total();
    assert_eq!((total.usage, total.cost.known, total.failed), (used, of_usage(&used), 0));
}

#[test]
fn a_call_that_is_given_up_is_in_the_ledger() {
    let ledger = Ledger::new();
    let script = Script::new().reply(Reply::value(wrong())).reply(Reply::value(right()).stalls_after(0));
    let client =
        script.builder("groq/m").prices(Prices::new().with("groq", "m", easy())).ledger(&ledger).build().unwrap();
    {
        let mut running = pin!(client.request("x").create::<User>());
        let mut context = Context::from_waker(Waker::noop());
        // The first call is answered, the second never.
        for _ in 0..100 {
            assert!(matches!(running.as_mut().poll(&mut context), Poll::Pending));
        }
        assert_eq!((script.sent().len(), ledger.total().calls), (2, 1));
    }
    let total = ledger.total();
    assert_eq!((total.calls, total.failed, total.uncounted, total.cost.unknown), (2, 2, 1, 1));
    assert_eq!(total.cost.known, of_usage(&total.usage));
}
