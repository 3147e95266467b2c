//! Asking again for the parts that are wrong, and not for all of it.

use std::collections::BTreeMap;

use instructor::testing::{Reply, Script, Sent};
use instructor::{Completion, Error, ErrorKind, Issue, Mode, ReAsk};
use serde_json::{Value, json};
use tiktoken_rs::o200k_base_singleton;

/// What was bought.
#[instructor::model]
#[derive(Clone, PartialEq)]
#[response(validate = not_free)]
struct Line {
    article: String,
    #[schemars(range(min = 1, max = 500))]
    pieces: u32,
    cents: u64,
    colour: Colour,
    note: Option<String>,
}

#[instructor::model]
#[derive(Clone, PartialEq)]
enum Colour {
    Red,
    Green,
    Blue,
}

#[instructor::model]
#[derive(Clone, PartialEq)]
struct Invoice {
    number: String,
    lines: Vec<Line>,
    /// Cents by account
    accounts: BTreeMap<String, u32>,
}

fn not_free(line: &Line) -> Result<(), Issue> {
    if line.cents == 0 { Err(Issue::at("cents", "a price above 0").got("0")) } else { Ok(()) }
}

const COLOURS: [&str; 3] = ["Red", "Green", "Blue"];

/// An invoice of so many lines.
fn invoice(lines: usize) -> Value {
    let line = |n: usize| {
        json!({
            "article": format!("Article number {n} of the catalogue, as delivered"),
            "pieces": n % 7 + 1,
            "cents": 100 + n,
            "colour": COLOURS[n % 3],
            "note": null,
        })
    };
    json!({
        "number": "2026-11",
        "lines": (0..lines).map(line).collect::<Vec<_>>(),
        "accounts": { "sales": 1200, "tax": 228 },
    })
}

fn with(mut value: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, new) in changes {
        match value.pointer_mut(pointer) {
            Some(place) => *place = new.clone(),
            None => {
                let (outer, key) = pointer.rsplit_once('/').unwrap();
                value.pointer_mut(outer).unwrap()[key] = new.clone();
            }
        }
    }
    value
}

fn without(mut value: Value, pointer: &str) -> Value {
    let (outer, key) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(outer).unwrap().as_object_mut().unwrap().shift_remove(key);
    value
}

fn script(replies: impl IntoIterator<Item = Value>) -> Script {
    replies.into_iter().fold(Script::new(), |script, value| script.reply(Reply::value(value)))
}

fn ask(script: &Script, spec: &str, mode: Mode, how: ReAsk) -> Result<(Invoice, Completion), Error> {
    let client = script.builder(spec).mode(mode).reask(how).build().unwrap();
    script.block_on(client.create_with_completion::<Invoice>("The invoice: ..."))
}

/// The paths that each attempt asked for.
fn asked(completion: &Completion) -> Vec<Vec<String>> {
    let paths = |attempt: &instructor::Attempt| attempt.patch.iter().map(ToString::to_string).collect();
    completion.report.attempts().iter().map(paths).collect()
}

fn typed(value: &Value) -> Invoice {
    serde_json::from_value(value.clone()).unwrap()
}

/// All that a request says in words.
fn said(sent: &Sent) -> String {
    sent.json().to_string()
}

#[test]
fn a_wrong_part_of_a_big_answer_is_asked_for_alone() {
    let right = invoice(30);
    // What is wrong, what is asked for, the patch.
    let cases: [(Value, Vec<&str>, Value); 6] = [
        (with(right.clone(), &[("/lines/7/pieces", json!(9000))]), vec!["$.lines[7].pieces"], json!({ "fix_1": 1 })),
        (without(right.clone(), "/lines/7/pieces"), vec!["$.lines[7].pieces"], json!({ "fix_1": 1 })),
        (with(right.clone(), &[("/lines/1/cents", json!(0))]), vec!["$.lines[1].cents"], json!({ "fix_1": 101 })),
        (with(right.clone(), &[("/accounts/tax", json!(-1))]), vec!["$.accounts.tax"], json!({ "fix_1": 228 })),
        (without(right.clone(), "/number"), vec!["$.number"], json!({ "fix_1": "2026-11" })),
        (
            with(right.clone(), &[("/lines/2/colour", json!("Mauve")), ("/lines/3/cents", json!(-4))]),
            vec!["$.lines[2].colour", "$.lines[3].cents"],
            json!({ "fix_1": "Blue", "fix_2": 103 }),
        ),
    ];
    let places = [
        ("openai/gpt-5-mini", Mode::Schema),
        ("openai/gpt-5-mini", Mode::Tools),
        ("openai/gpt-5-mini", Mode::MdJson),
        ("anthropic/claude-sonnet-4-5", Mode::Tools),
        ("gemini/gemini-2.5-flash", Mode::Schema),
        ("mistral/mistral-large-latest", Mode::Json),
    ];
    for (wrong, paths, patch) in cases {
        for (spec, mode) in places {
            let script = script([wrong.clone(), patch.clone()]);
            let (value, completion) = ask(&script, spec, mode, ReAsk::Auto).unwrap();
            assert_eq!(value, typed(&right), "{spec} {mode}: {paths:?}");
            assert_eq!(asked(&completion), [vec![], paths.clone()], "{spec} {mode}");
            // Neither the answer nor the schema of the whole goes out again.
            let again = said(&script.sent()[1]);
            assert!(!again.contains("Article number 20"), "{spec} {mode}: {again}");
            assert!(again.contains("fix_1") && !again.contains("accounts\\\":{\\\"type"), "{spec} {mode}: {again}");
        }
    }
}

#[test]
fn what_is_said_of_the_parts() {
    let wrong = with(invoice(30), &[("/lines/2/colour", json!("Mauve")), ("/lines/7/pieces", json!(9000))]);
    let script = script([wrong, json!({ "fix_1": "Blue", "fix_2": 1 })]);
    ask(&script, "openai/gpt-5-mini", Mode::Schema, ReAsk::Auto).unwrap();
    let body = script.sent()[1].json();
    insta::assert_snapshot!(body["messages"][1]["content"].as_str().unwrap());
    insta::assert_json_snapshot!(body["response_format"]["json_schema"]["schema"]);
}

#[test]
fn a_patch_pays_for_big_answers_with_small_faults() {
    let small = with(invoice(1), &[("/lines/0/pieces", json!(0))]);
    let everywhere = (0..30).map(|n| (format!("/lines/{n}/pieces"), json!(0))).collect::<Vec<_>>();
    let everywhere: Vec<(&str, Value)> = everywhere.iter().map(|(at, new)| (at.as_str(), new.clone())).collect();
    let everywhere = with(invoice(30), &everywhere);
    let large = with(invoice(30), &[("/lines", json!({ "none": "x".repeat(3000) }))]);
    for wrong in [small, everywhere, large] {
        let script = script([wrong, invoice(30)]);
        let (_, completion) = ask(&script, "openai/gpt-5-mini", Mode::Schema, ReAsk::Auto).unwrap();
        assert_eq!(asked(&completion), [Vec::<String>::new(), vec![]]);
    }
    // Who wants patches gets them for small answers too, and who wants none gets none.
    let small = with(invoice(1), &[("/lines/0/pieces", json!(0))]);
    for (how, second, paths) in [
        (ReAsk::Patch, json!({ "fix_1": 2 }), vec![String::from("$.lines[0].pieces")]),
        (ReAsk::Full, invoice(1), vec![]),
    ] {
        let script = script([small.clone(), second]);
        let (_, completion) = ask(&script, "openai/gpt-5-mini", Mode::Schema, how).unwrap();
        assert_eq!(asked(&completion), [vec![], paths]);
    }
}

#[test]
fn only_what_was_asked_for_can_change() {
    let right = invoice(30);
    let wrong = with(right.clone(), &[("/lines/7/pieces", json!(9000))]);
    let patch = json!({ "fix_1": 1, "fix_2": 5, "number": "stolen", "lines": [] });
    let script = script([wrong, patch, right.clone()]);
    let (value, _) = ask(&script, "openai/gpt-5-mini", Mode::Schema, ReAsk::Auto).unwrap();
    assert_eq!(value, typed(&right));
}

#[test]
fn patches_that_do_not_help_end_in_all_of_it() {
    let right = invoice(30);
    let wrong = with(right.clone(), &[("/lines/7/pieces", json!(9000)), ("/lines/8/pieces", json!(0))]);
    let refusal =
        |text: &str| Reply::json(json!({ "choices": [{ "message": { "refusal": text }, "finish_reason": "stop" }] }));
    let value = |value: Value| Reply::value(value);
    let both = vec!["$.lines[7].pieces", "$.lines[8].pieces"];
    let one = vec!["$.lines[8].pieces"];
    let none: Vec<&str> = vec![];
    let cases: Vec<(Vec<Reply>, Vec<Vec<&str>>)> = vec![
        // One part is right now: the other is asked for.
        (
            vec![value(json!({ "fix_1": 1, "fix_2": 600 })), value(json!({ "fix_1": 2 }))],
            vec![none.clone(), both.clone(), one.clone()],
        ),
        // Nothing changed.
        (
            vec![value(json!({ "fix_1": 9000, "fix_2": 0 })), value(right.clone())],
            vec![none.clone(), both.clone(), none.clone()],
        ),
        // It is no patch, it is refused, and it is all of it at once.
        (vec![Reply::text("I can't."), value(right.clone())], vec![none.clone(), both.clone(), none.clone()]),
        (vec![refusal("no"), value(right.clone())], vec![none.clone(), both.clone(), none.clone()]),
        (vec![Reply::status(400), value(right.clone())], vec![none.clone(), both.clone(), none.clone()]),
    ];
    for (replies, attempts) in cases {
        let shown = format!("{replies:?}");
        let script = replies.into_iter().fold(script([wrong.clone()]), Script::reply);
        let (value, completion) = ask(&script, "openai/gpt-5-mini", Mode::Schema, ReAsk::Auto).unwrap();
        assert_eq!(value, typed(&right), "{shown}");
        assert_eq!(asked(&completion), attempts, "{shown}");
        if let Some(full) = script.sent().get(2).filter(|_| attempts[2].is_empty()) {
            // It objects to the first answer, as if there had been no patch.
            let text = said(full);
            assert!(text.contains("Article number 20") && !text.contains("fix_1"), "{shown}: {text}");
        }
    }
}

#[test]
fn patches_count_as_re_asks() {
    let wrong = with(invoice(30), &[("/lines/7/pieces", json!(9000))]);
    let script = script([wrong, json!({ "fix_1": 8000 }), json!({ "fix_1": 7000 })]);
    let client = script.builder("openai/gpt-5-mini").max_retries(2).build().unwrap();
    let error = script.block_on(client.create::<Invoice>("...")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    assert_eq!(error.report().attempts().len(), 3);
    assert_eq!(error.issues().as_slice()[0].path().as_str(), "$.lines[7].pieces");
    assert_eq!(error.issues().as_slice()[0].got_text(), Some("7000"));
}

#[test]
fn streams_and_blocking_clients_have_them_too() {
    let right = invoice(30);
    let wrong = with(right.clone(), &[("/lines/7/pieces", json!(9000))]);
    let replies = || script([wrong.clone(), json!({ "fix_1": 1 })]);
    let blocking = replies();
    let value: Invoice = blocking.blocking_client("openai/gpt-5-mini").create("...").unwrap();
    assert_eq!(value, typed(&right));
    // A request at run time.
    let by_schema = replies();
    let contract =
        instructor::Contract::from_schema(<Invoice as instructor::ResponseModel>::contract().schema().clone());
    let client = by_schema.client("openai/gpt-5-mini");
    let value = by_schema.block_on(client.create_value(&contract.unwrap(), "...")).unwrap();
    assert_eq!(value, right);
    // What is shown of a stream is never the patch.
    let streamed = replies();
    let client = streamed.client("openai/gpt-5-mini");
    let contract = <Invoice as instructor::ResponseModel>::contract();
    let (shown, value) = streamed.block_on(async {
        let mut stream = client.request("...").create_partial_value(&contract).await.unwrap();
        let mut shown = Vec::new();
        while let Some(partial) = stream.next().await {
            shown.push(serde_json::to_value(partial).unwrap());
        }
        (shown, stream.finish().await.unwrap())
    });
    assert_eq!(value, right);
    assert!(shown.iter().all(|partial| partial.get("fix_1").is_none()));
    assert_eq!(shown.last().unwrap(), &right);
}

#[test]
fn a_patch_costs_a_small_part_of_all_of_it() {
    let tokens = |text: &str| o200k_base_singleton().encode_with_special_tokens(text).len();
    let right = invoice(170);
    let wrong = with(right.clone(), &[("/lines/99/pieces", json!(9000))]);
    let full_output = tokens(&right.to_string());
    assert!(full_output > 5000, "{full_output}");
    // The facts of the answer are in the prompt, and are sent each time.
    let prompt = right["lines"].as_array().unwrap().iter().map(|line| format!("{line}\n")).collect::<String>();
    let cost = |how: ReAsk, second: Value| {
        let output = tokens(&second.to_string());
        let script = script([wrong.clone(), second]);
        let client = script.builder("openai/gpt-5-mini").reask(how).build().unwrap();
        let value: Invoice = script.block_on(client.create(prompt.as_str())).unwrap();
        (value, tokens(std::str::from_utf8(script.sent()[1].body()).unwrap()), output)
    };
    let (all, all_in, all_out) = cost(ReAsk::Full, right.clone());
    let (patched, patch_in, patch_out) = cost(ReAsk::Auto, json!({ "fix_1": 2 }));
    assert_eq!(patched, with_pieces(all, 99, 2));
    println!("input {patch_in} of {all_in}, output {patch_out} of {all_out}");
    assert!(patch_in * 100 <= all_in * 60, "{patch_in} of {all_in}");
    assert!(patch_out * 100 <= all_out * 5, "{patch_out} of {all_out}");
}

fn with_pieces(mut invoice: Invoice, line: usize, pieces: u32) -> Invoice {
    invoice.lines[line].pieces = pieces;
    invoice
}

/// What so many failures cost in input tokens: a constant each. With a history that grows they would cost the square.
#[test]
fn failures_cost_input_in_proportion() {
    let tokens = |text: &str| o200k_base_singleton().encode_with_special_tokens(text).len();
    let wrong = with(invoice(30), &[("/accounts/tax", json!(-1))]);
    let input = |failures: u32, how: ReAsk| {
        let script = Script::new().when(|_| true, Reply::value(wrong.clone()));
        let client = script.builder("openai/gpt-5-mini").max_retries(failures).reask(how).build().unwrap();
        script.block_on(client.create::<Invoice>("...")).unwrap_err();
        script.sent().iter().map(|sent| tokens(std::str::from_utf8(sent.body()).unwrap())).collect::<Vec<_>>()
    };
    let full = input(8, ReAsk::Full);
    // A history that grows: what one re-ask adds is sent again with each that follows.
    let growing: usize = (0..9).map(|n| full[0] + n * (full[1] - full[0])).sum();
    for how in [ReAsk::Full, ReAsk::Patch, ReAsk::Auto] {
        let each = input(8, how);
        let ours: usize = each.iter().sum();
        println!("{how:?}: {ours} tokens, {growing} with a history that grows");
        assert_eq!(each.len(), 9);
        assert!(each.iter().all(|one| *one <= full[1]), "{how:?}: {each:?}");
        assert!(ours * 3 < growing, "{how:?}: {ours} of {growing}");
    }
}
