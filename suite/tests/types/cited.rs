use instructor::testing::{Reply, Script};
use instructor::{
    Cited, Context, ErrorKind, Likeness, Maybe, MissingQuotes, Quote, Reasoned, ResponseModel, Source, Watchdog,
};
use serde_json::{Value, json};

use crate::{MODES, SPECS, User};

const TEXT: &str = "Résumé: Ada, 36, moved to Zürich in 2019 — she’s “happy”.\nShe moved to Zürich in spring.\n\
                    東京で会いましょう。家族👨‍👩‍👧は元気です。The deposit is 1,200 EUR, due within thirty\n    days of signature.";

fn cited(quote: &str) -> Value {
    json!({ "quotes": [quote], "value": { "name": "Ada", "age": 36 } })
}

fn context(source: &Source) -> Context {
    Context::new().with(source.clone())
}

#[test]
fn quotes_are_found_in_every_mode_of_every_protocol() {
    let source = Source::new(TEXT);
    for spec in SPECS {
        for mode in MODES {
            let script = Script::new().reply(Reply::value(cited("Ada, 36")));
            let client = script.client(spec);
            let ask = client.request(source.text()).context(context(&source)).mode(*mode).max_retries(0);
            let user = script.block_on(ask.create::<Cited<User>>()).unwrap();
            let quote = user.quotes().next().unwrap();
            assert_eq!(&TEXT[quote.span().unwrap()], "Ada, 36", "{spec} {mode:?}");
            assert_eq!(user.age, 36, "{spec} {mode:?}");
        }
    }
}

#[test]
fn a_quote_is_found_as_it_is_then_folded_then_near() {
    let source = Source::new(TEXT);
    for (quote, stands, likeness) in [
        ("moved to Zürich in 2019", "moved to Zürich in 2019", Likeness::Exact),
        ("東京で会いましょう", "東京で会いましょう", Likeness::Exact),
        ("家族👨‍👩‍👧は", "家族👨‍👩‍👧は", Likeness::Exact),
        ("Re\u{301}sume\u{301}: Ada", "Résumé: Ada", Likeness::Folded),
        ("she's \"happy\"", "she’s “happy”", Likeness::Folded),
        ("\"moved to zurich in spring.\"", "moved to Zürich in spring", Likeness::Folded),
        ("due within thirty days of signature", "due within thirty\n    days of signature", Likeness::Folded),
        (
            "The deposit was 1,200 EUR, due within thirty days",
            "The deposit is 1,200 EUR, due within thirty\n    days",
            Likeness::Near { edits: 2 },
        ),
    ] {
        let found = source.find(quote).unwrap_or_else(|| panic!("{quote}"));
        assert_eq!(&TEXT[found.span()], stands);
        assert_eq!(found.likeness(), likeness, "{quote}");
    }
    for quote in
        ["", "  ", "Grace Hopper", "moved to Zürich in 2018", "The deposit is 1,300 EUR, due within thirty days"]
    {
        assert_eq!(source.find(quote), None, "{quote}");
    }
    assert_eq!(source.clone().with_edits(0).find("The deposit was 1,200 EUR, due within thirty days"), None);
}

#[test]
fn all_places_of_a_quote_can_be_had() {
    let found = Source::new(TEXT).find("moved to Zürich in").unwrap();
    let places: Vec<&str> = found.spans().map(|span| &TEXT[span.start..span.end + 5]).collect();
    assert_eq!(places, ["moved to Zürich in 2019", "moved to Zürich in spri"]);
    assert_eq!(found.spans().next(), Some(found.span()));
}

#[test]
fn a_quote_that_is_not_there_is_asked_again_and_the_nearest_is_told() {
    let source = Source::new(TEXT);
    let wrong = json!({
        "quotes": ["Ada, 36", "Grace is here", "The deposit is 1,300 EUR, due within thirty days"],
        "value": { "name": "Ada", "age": 36 },
    });
    let script = Script::new().reply(Reply::value(wrong)).reply(Reply::value(cited("Ada, 36")));
    let client = script.client("openai/gpt-5-mini");
    let ask = client.request(source.text()).context(context(&source));
    let (user, done) = script.block_on(ask.create_with_completion::<Cited<User>>()).unwrap();
    assert_eq!((user.quotes().count(), user.missing().count()), (1, 0));
    let issues: Vec<String> = done.report.attempts()[0].issues.as_slice().iter().map(ToString::to_string).collect();
    assert_eq!(
        issues,
        [
            "$.quotes[1]: got \"Grace is here\", wanted words that stand in the source, copied word for word",
            "$.quotes[2]: got \"The deposit is 1,300 EUR, due within thirty days\", wanted words of the source with \
             their numbers as they stand there; nearest allowed value: \"The deposit is 1,200 EUR, due within \
             thirty\\n    days\"",
        ]
    );
}

#[test]
fn quotes_that_are_missing_are_dropped_where_that_is_wanted() {
    let source = Source::new(TEXT).with_missing(MissingQuotes::Drop);
    let half = json!({ "quotes": ["Grace is here", "Ada, 36"], "value": { "name": "Ada", "age": 36 } });
    let script = Script::new().reply(Reply::value(half)).reply(Reply::value(cited("Grace is here")));
    let client = script.blocking_client("openai/gpt-5-mini");
    let ask = || client.request(source.text()).context(context(&source)).max_retries(0);
    let user: Cited<User> = ask().create().unwrap();
    assert_eq!(user.quotes().map(Quote::text).collect::<Vec<_>>(), ["Ada, 36"]);
    assert_eq!(user.missing().map(Quote::text).collect::<Vec<_>>(), ["Grace is here"]);
    let error = ask().create::<Cited<User>>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.issues().as_slice()[0].path().as_str(), "$.quotes");
}

#[test]
fn without_a_source_nothing_is_taken_for_checked() {
    let script = Script::new().reply(Reply::value(cited("Ada, 36")));
    let client = script.client("openai/gpt-5-mini");
    let error = script.block_on(client.request(TEXT).create::<Cited<User>>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unchecked);
    assert!(error.to_string().contains(".context(Context::new().with(Source::new(text)))"), "{error}");
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn citations_nest_and_the_value_is_validated_too() {
    type Deep = Vec<Reasoned<Maybe<Cited<User>>>>;
    let deep = |age: u8, quote: &str| {
        let user = json!({ "quotes": [quote], "value": { "name": "Ada", "age": age } });
        json!([{ "thoughts": "so", "value": { "error": false, "message": null, "result": user } }])
    };
    for watched in [false, true] {
        let source = Source::new(TEXT);
        let script = Script::new()
            .reply(Reply::value(deep(3, "Ada, 36")).chunks(5))
            .reply(Reply::value(deep(36, "Bob, 36")).chunks(5))
            .reply(Reply::value(deep(36, "Ada, 36")).chunks(5));
        let client = script.client("anthropic/claude-haiku-4-5");
        let mut ask = client.request(TEXT).context(context(&source));
        if watched {
            ask = ask.watchdog(Watchdog::new());
        }
        let (value, done) = script.block_on(ask.create_with_completion::<Deep>()).unwrap();
        let user = value[0].result().unwrap();
        assert_eq!(user.quotes().next().unwrap().source_text(), Some("Ada, 36"));
        let paths: Vec<&str> =
            done.report.attempts().iter().flat_map(|a| a.issues.as_slice()).map(|i| i.path().as_str()).collect();
        assert_eq!(paths, ["$[0].value.result.value.age", "$[0].value.result.quotes[0]"], "{watched}");
    }
}

#[test]
fn quotes_grow_in_a_stream_and_are_checked_at_its_end() {
    let source = Source::new(TEXT);
    let script = Script::new().reply(Reply::value(cited("ada,  36")).chunks(3));
    let client = script.blocking_client("openai/gpt-5-mini");
    let mut stream = client.request(TEXT).context(context(&source)).create_partial::<Cited<User>>().unwrap();
    let mut grew = false;
    while let Some(partial) = stream.next() {
        let first = partial.quotes.get().and_then(|quotes| quotes.first()?.as_deref());
        grew |= first.is_some_and(|text| text.len() < 8);
    }
    let user = stream.finish().unwrap();
    assert!(grew);
    assert_eq!(json!(user), json!({ "quotes": ["Ada, 36"], "value": { "name": "Ada", "age": 36 } }));
}

#[test]
fn items_of_a_list_are_checked_one_by_one() {
    let source = Source::new(TEXT);
    let items = json!([cited("Ada, 36"), cited("Bob, 36")]);
    let script = Script::new().reply(Reply::value(items));
    let client = script.blocking_client("openai/gpt-5-mini");
    let ask = client.request(TEXT).context(context(&source)).max_retries(0);
    let mut users = ask.create_iterable::<Cited<User>>().unwrap();
    assert_eq!(users.next().unwrap().unwrap().quotes().next().unwrap().source_text(), Some("Ada, 36"));
    let error = users.next().unwrap().unwrap_err();
    assert_eq!(error.item(), Some(1));
    assert_eq!(error.issues().as_slice()[0].path().as_str(), "$.quotes[0]");
}

#[test]
fn the_contract_asks_for_quotes_first() {
    let contract = Cited::<User>::contract();
    let keys: Vec<&String> = contract.schema()["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["quotes", "value"]);
    assert_eq!(contract.name(), "CitedUser");
}
