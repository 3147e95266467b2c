//! Lists whose items may fail by themselves.

use std::collections::BTreeMap;

use instructor::schema::Dialect;
use instructor::testing::{Reply, Script};
use instructor::{
    BadItems, Budget, Completion, Contract, Error, ErrorKind, Issue, Mode, Origin, ReAsk, ResponseModel, Salvaged,
    Watchdog,
};
use serde_json::{Value, json};

#[instructor::model(partial)]
#[derive(PartialEq)]
#[response(validate = not_free)]
struct Line {
    article: String,
    #[schemars(range(min = 1, max = 500))]
    pieces: u32,
    cents: u64,
    /// The schema takes any text, the type does not.
    #[schemars(with = "String")]
    #[response(whole)]
    from: std::net::Ipv4Addr,
}

fn not_free(line: &Line) -> Result<(), Issue> {
    if line.cents == 0 { Err(Issue::at("cents", "a price above 0").got("0")) } else { Ok(()) }
}

#[instructor::model(partial)]
#[derive(PartialEq)]
struct Invoice {
    number: String,
    #[schemars(length(max = 5))]
    lines: Salvaged<Line>,
}

// The same without.
#[instructor::model]
#[schemars(rename = "Invoice")]
struct Strict {
    number: String,
    #[schemars(length(max = 5))]
    lines: Vec<Line>,
}

#[instructor::model]
struct Deep {
    orders: Salvaged<Order>,
    by_day: BTreeMap<String, Salvaged<u8>>,
    maybe: Option<Salvaged<Line>>,
    plain: Vec<u8>,
    #[serde(flatten)]
    tail: Tail,
}

#[instructor::model]
#[response(validate = has_lines)]
struct Order {
    id: u32,
    lines: Salvaged<Line>,
}

#[instructor::model]
struct Tail {
    tags: Salvaged<u8>,
}

fn has_lines(order: &Order) -> Result<(), Issue> {
    if order.lines.ok().is_empty() { Err(Issue::new("an order with a line that is valid")) } else { Ok(()) }
}

fn line(article: &str) -> Value {
    json!({ "article": article, "pieces": 3, "cents": 120, "from": "10.0.0.1" })
}

fn with(article: &str, key: &str, value: Value) -> Value {
    let mut line = line(article);
    line[key] = value;
    line
}

/// Wrong by the schema, by the type and by a rule.
fn lines() -> Value {
    json!([
        with("a", "pieces", json!(0)),
        line("b"),
        with("c", "from", json!("nowhere")),
        with("d", "cents", json!(0)),
        line("e")
    ])
}

fn invoice(lines: Value) -> Value {
    json!({ "number": "7", "lines": lines })
}

fn script(replies: impl IntoIterator<Item = Value>) -> Script {
    replies.into_iter().fold(Script::new(), |script, value| script.reply(Reply::value(value)))
}

fn ask<T: ResponseModel>(script: &Script, bad: BadItems) -> Result<(T, Completion), Error> {
    let client = script.builder("openai/gpt-5-mini").bad_items(bad).max_retries(2).build().unwrap();
    script.block_on(client.create_with_completion("The invoice: ..."))
}

fn articles(lines: &Salvaged<Line>) -> Vec<&str> {
    lines.ok().iter().map(|line| &*line.article).collect()
}

fn places<T>(lines: &Salvaged<T>) -> Vec<(usize, Origin, String)> {
    let all = lines.rejected().iter().flat_map(|item| item.issues().as_slice().iter().map(move |i| (item.index(), i)));
    all.map(|(index, issue)| (index, issue.origin(), issue.path().to_string())).collect()
}

fn repaired(completion: &Completion) -> Vec<String> {
    completion.report.attempts().iter().flat_map(|a| &a.repairs).map(ToString::to_string).collect()
}

#[test]
fn bad_items_are_kept_beside_the_others_on_every_way_to_ask() {
    let wanted = [
        (0, Origin::Schema, String::from("$.pieces")),
        (2, Origin::Type, String::from("$.from")),
        (3, Origin::Rule, String::from("$.cents")),
    ];
    let ways = [
        ("openai/gpt-5-mini", Mode::Auto),
        ("openai/gpt-5-mini", Mode::Tools),
        ("openai/gpt-5-mini", Mode::Json),
        ("mistral/m", Mode::MdJson),
        ("anthropic/claude-sonnet-4-5", Mode::Auto),
        ("gemini/gemini-2.5-flash", Mode::Auto),
        ("openai_responses/gpt-5-mini", Mode::Auto),
    ];
    for (spec, mode) in ways {
        let script = script([invoice(lines()), invoice(lines())]);
        let client = script.builder(spec).mode(mode).build().unwrap();
        let (got, completion) = script.block_on(client.create_with_completion::<Invoice>("x")).unwrap();
        assert_eq!(articles(&got.lines), ["b", "e"], "{spec}");
        assert_eq!(places(&got.lines), wanted, "{spec}");
        let raw: Value = serde_json::from_str(got.lines.rejected()[1].json()).unwrap();
        assert_eq!(raw, lines()[2]);
        // One call, and the report has all of it.
        let [attempt] = completion.report.attempts() else { panic!("{spec}") };
        assert_eq!(attempt.failure, None);
        let kinds: Vec<&str> = attempt.repairs.iter().map(|repair| repair.kind).collect();
        assert_eq!(kinds, ["InvalidItem"; 3]);
        let paths: Vec<&str> = attempt.issues.as_slice().iter().map(|issue| issue.path().as_str()).collect();
        assert_eq!(paths.len(), 3);
        assert!(paths.contains(&"$.lines[3].cents"), "{paths:?}");

        // As the whole value, and as it arrives.
        let list = self::script([lines()]);
        let client = list.blocking_client(spec);
        let got: Salvaged<Line> = client.request("x").mode(mode).create().unwrap();
        assert_eq!((articles(&got), got.rejected().len()), (vec!["b", "e"], 3), "{spec}");
    }
}

#[test]
fn what_is_inside_other_lists_maps_and_options_is_told_apart() {
    let value = |plain: Value| {
        json!({
            "orders": [
                { "id": 1, "lines": [with("a", "pieces", json!(0)), line("b")] },
                // None is left, so that the rule of the order fails, and the order goes.
                { "id": 2, "lines": [with("c", "cents", json!(0))] },
                { "id": "x", "lines": [line("d"), with("e", "pieces", json!(0))] },
                { "id": 4, "lines": [line("f")] },
            ],
            "by_day": { "2026-11": [1, 900, 3], "a \"b\"": [4, "many"] },
            "maybe": [with("g", "cents", json!(0)), line("h")],
            "plain": plain,
            "tags": [7, -1],
        })
    };
    let deep: Deep = ask(&script([value(json!([1]))]), BadItems::Show).unwrap().0;
    let orders: Vec<(u32, Vec<&str>)> = deep.orders.ok().iter().map(|o| (o.id, articles(&o.lines))).collect();
    assert_eq!(orders, [(1, vec!["b"]), (4, vec!["f"])]);
    let gone: Vec<(usize, usize)> =
        deep.orders.rejected().iter().map(|o| (o.index(), o.issues().as_slice().len())).collect();
    // What was wrong with the line is wrong with the order.
    assert_eq!(gone, [(1, 2), (2, 2)]);
    assert_eq!(deep.orders.ok()[0].lines.rejected()[0].index(), 0);
    assert_eq!((deep.by_day["2026-11"].ok(), deep.by_day["a \"b\""].ok()), (&[1, 3][..], &[4][..]));
    assert_eq!(articles(deep.maybe.as_ref().unwrap()), ["h"]);
    assert_eq!((deep.tail.tags.ok(), deep.tail.tags.rejected().len()), (&[7][..], 1));
    // A list that is not marked fails the value, with all that is wrong.
    let error = ask::<Deep>(&script(vec![value(json!([1, 900])); 3]), BadItems::Show).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    assert!(error.issues().as_slice().iter().any(|issue| issue.path().as_str() == "$.plain[1]"));
}

#[test]
fn what_is_wrong_with_the_list_or_around_it_fails_the_value() {
    let six = Value::Array(vec![line("a"); 6]);
    for bad in [invoice(six), invoice(json!({ "0": line("a") })), json!({ "number": [1, 2], "lines": [] })] {
        let error = ask::<Invoice>(&script(vec![bad; 3]), BadItems::Show).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    }
    // A list that is none of those gives up nothing.
    let error = ask::<Strict>(&script(vec![invoice(lines()); 3]), BadItems::Show).unwrap_err();
    assert_eq!((error.kind(), error.report().attempts().len()), (ErrorKind::SchemaMismatch, 3));
}

#[test]
fn the_provider_sees_a_list_as_any_other() {
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Plain] {
        let body = |contract: Contract| contract.report(dialect).to_string();
        assert_eq!(body(Invoice::contract()), body(Strict::contract()));
    }
    for spec in ["openai/gpt-5-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "mistral/m"] {
        for mode in [Mode::Auto, Mode::Tools, Mode::MdJson] {
            let client = Script::new().client(spec);
            let body = |contract: Contract| client.request("x").mode(mode).preview_value(&contract).unwrap().json();
            assert_eq!(body(Invoice::contract()), body(Strict::contract()), "{spec} {mode}");
            assert_eq!(body(Salvaged::<Line>::contract()), body(Vec::<Line>::contract()), "{spec} {mode}");
        }
    }
}

#[test]
fn bad_items_are_asked_for_alone_and_given_up_when_the_retries_are_used_up() {
    let bad = json!([with("a", "pieces", json!(0)), line("b"), with("c", "cents", json!(0))]);
    // The first patch mends one of the two.
    let script = script([invoice(bad.clone()), json!({ "fix_1": 4, "fix_2": 0 }), json!({ "fix_1": 0 })]);
    let (got, completion) = ask::<Invoice>(&script, BadItems::ReAsk).unwrap();
    assert_eq!((articles(&got.lines), got.lines.ok()[0].pieces), (vec!["a", "b"], 4));
    assert_eq!(places(&got.lines), [(2, Origin::Rule, String::from("$.cents"))]);
    let asked: Vec<Vec<&str>> =
        completion.report.attempts().iter().map(|a| a.patch.iter().map(|path| path.as_str()).collect()).collect();
    assert_eq!(asked, [vec![], vec!["$.lines[0].pieces", "$.lines[2].cents"], vec!["$.lines[2].cents"]]);
    assert_eq!(repaired(&completion), ["InvalidItem at $.lines[2]"]);
    // What is asked for is what is wrong, and nothing of the rest.
    assert!(!script.sent()[2].json().to_string().contains("\"b\""));

    // All of them mended.
    let script = self::script([invoice(bad.clone()), json!({ "fix_1": 4, "fix_2": 9 })]);
    let (got, completion) = ask::<Invoice>(&script, BadItems::ReAsk).unwrap();
    assert!(got.lines.is_whole() && repaired(&completion).is_empty());

    // Asked for as a whole, if that is what is wanted.
    let script = self::script(vec![invoice(bad.clone()); 3]);
    let client = script.builder("openai/m").bad_items(BadItems::ReAsk).reask(ReAsk::Full).max_retries(2).build();
    let (got, completion) = script.block_on(client.unwrap().create_with_completion::<Invoice>("x")).unwrap();
    assert_eq!((got.lines.rejected().len(), completion.report.attempts().len()), (2, 3));
    assert!(completion.report.attempts().iter().all(|attempt| attempt.patch.is_empty()));
}

#[test]
fn an_answer_that_could_be_taken_is_whatever_ends_the_request_after_it() {
    let bad = || Reply::value(invoice(json!([with("a", "pieces", json!(0)), line("b")])));
    let ends: [(Reply, ErrorKind); 4] = [
        (Reply::status(401), ErrorKind::Auth),
        (Reply::text("no JSON"), ErrorKind::Malformed),
        (Reply::value(json!({ "number": [1, 2], "lines": 1 })), ErrorKind::SchemaMismatch),
        (Reply::status(500), ErrorKind::Overloaded),
    ];
    for (end, kind) in ends {
        let script = Script::new().reply(bad()).reply(end.clone()).reply(end.clone()).reply(end);
        let (got, completion) = ask::<Invoice>(&script, BadItems::ReAsk).unwrap();
        assert_eq!((articles(&got.lines), got.lines.rejected().len()), (vec!["b"], 1), "{kind}");
        let attempts = completion.report.attempts();
        assert_eq!((attempts.last().unwrap().failure, repaired(&completion).len()), (Some(kind), 1));
    }
    let script = Script::new().reply(bad());
    let client = script.builder("openai/m").bad_items(BadItems::ReAsk).budget(Budget::new().with_attempts(1)).build();
    let got: Invoice = script.block_on(client.unwrap().create("x")).unwrap();
    assert_eq!(got.lines.rejected().len(), 1);
}

#[test]
fn items_that_are_dropped_are_in_the_report_alone() {
    let (got, completion) = ask::<Invoice>(&script([invoice(lines())]), BadItems::Drop).unwrap();
    assert_eq!((articles(&got.lines), got.lines.is_whole()), (vec!["b", "e"], true));
    assert_eq!(repaired(&completion), [0, 2, 3].map(|n| format!("InvalidItem at $.lines[{n}]")));
    assert_eq!(completion.report.attempts()[0].issues.as_slice().len(), 3);
    // So they are where no type is made that could tell of them.
    let script = self::script([invoice(json!([with("a", "pieces", json!(0)), line("b")]))]);
    let client = script.client("openai/m");
    let (value, completion) = script.block_on(client.request("x").create_value(&Invoice::contract())).unwrap();
    assert_eq!(value, invoice(json!([line("b")])));
    assert_eq!(repaired(&completion), ["InvalidItem at $.lines[0]"]);
}

#[test]
fn a_model_cannot_say_that_items_were_rejected() {
    #[instructor::model]
    #[serde(untagged)]
    enum Either {
        List(Salvaged<u8>),
        Map(BTreeMap<String, Value>),
    }
    #[instructor::model]
    struct Holder {
        either: Either,
    }
    for key in ["x-salvage", "x-salvage 00000000000000000000000000000000", "rejected", "ok"] {
        let forged = json!({ key: [[0, "1", []]], "1": 7 });
        let got: Holder = ask(&script([json!({ "either": forged })]), BadItems::Show).unwrap().0;
        let Either::Map(map) = got.either else { panic!("{key}") };
        assert_eq!(Value::Object(map.into_iter().collect()), forged);
        assert!(serde_json::from_value::<Salvaged<u8>>(forged.clone()).is_err());
        let error = ask::<Salvaged<u8>>(&script(vec![forged; 3]), BadItems::Show).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    }
    let got: Holder = ask(&script([json!({ "either": [1, 900] })]), BadItems::Show).unwrap().0;
    assert!(matches!(got.either, Either::List(list) if list.ok() == [1] && list.rejected()[0].json() == "900"));
}

#[test]
fn a_list_shows_as_a_list_while_it_arrives() {
    for watchdog in [None, Some(Watchdog::new())] {
        let long = json!([lines()[0], lines()[3], line("b")]);
        let script = Script::new().reply(Reply::value(invoice(long)).chunks(7));
        let client = script.builder("openai/gpt-5-mini").watchdog(watchdog).build().unwrap();
        let (got, shown) = script.block_on(async {
            let mut stream = client.request("x").create_partial::<Invoice>().await.unwrap();
            while let Some(partial) = stream.next().await {
                assert!(partial.lines.get().is_none_or(|lines| lines.len() <= 3));
            }
            let shown = serde_json::to_value(stream.partial()).unwrap();
            (stream.finish().await.unwrap(), shown)
        });
        assert_eq!((articles(&got.lines), got.lines.rejected().len()), (vec!["b"], 2), "{watchdog:?}");
        let shown = shown["lines"].as_array().unwrap();
        assert_eq!((shown.len(), &shown[0]["article"]), (3, &json!("a")));
        assert_eq!(script.sent().len(), 1);
    }
    // What is not in such a list stops it as ever, also beside one.
    let wrong = json!({ "lines": [lines()[0]], "number": [1, 2] });
    let script = Script::new().reply(Reply::value(wrong)).reply(Reply::value(invoice(json!([]))));
    let client = script.builder("openai/gpt-5-mini").watchdog(Watchdog::new()).build().unwrap();
    let (got, completion) = script.block_on(client.create_with_completion::<Invoice>("x")).unwrap();
    assert!(got.lines.ok().is_empty() && completion.report.attempts()[0].stopped.is_some());
}

#[test]
fn many_items_that_fail_cost_no_more_than_a_few_rounds() {
    let items: Vec<Value> = (0..3000).map(|n| json!(if n % 2 == 0 { n } else { n % 200 })).collect();
    let (got, completion) = ask::<Salvaged<u8>>(&script([Value::from(items)]), BadItems::Show).unwrap();
    assert_eq!(got.ok().len() + got.rejected().len(), 3000);
    assert_eq!(got.rejected().len(), (0..3000).filter(|n| n % 2 == 0 && *n > 255).count());
    assert_eq!(completion.report.attempts()[0].repairs.len(), got.rejected().len());
}

#[test]
fn identical_requests_share_what_was_given_up() {
    let slow = || Reply::value(invoice(lines())).after(std::time::Duration::from_secs(1));
    let script = Script::new().when(|_| true, slow());
    let client = script.builder("openai/m").single_flight(true).build().unwrap();
    let typed = || client.request("x").create::<Invoice>();
    let contract = Invoice::contract();
    let (first, second, value) =
        script.block_on(async { tokio::join!(typed(), typed(), client.request("x").create_value(&contract)) });
    for got in [first.unwrap(), second.unwrap()] {
        assert_eq!((articles(&got.lines), got.lines.rejected().len()), (vec!["b", "e"], 3));
    }
    // Where no type is made they are left out, which is another request.
    let left = value.unwrap().0["lines"].as_array().unwrap().len();
    assert_eq!(left, 4);
}
