//! Several calls in one answer: tools for each kind of item, the list that their calls make, and what each call is
//! told in a re-ask.

use instructor::testing::{Reply, Script};
use instructor::{Contract, ErrorKind, Issue, Issues, Mode, Path, Profile, ResponseModel};
use serde_json::{Value, json};

/// A provider of each protocol.
const SPECS: [&str; 7] = [
    "openai/gpt-5-mini",
    "openai_responses/gpt-5-mini",
    "anthropic/claude-haiku-4-5",
    "gemini/gemini-2.5-flash",
    "bedrock/anthropic.claude-haiku-4-5",
    "cohere/command-a-03-2025",
    "ollama_chat/qwen3",
];

/// Looks something up.
#[instructor::model]
#[derive(PartialEq)]
struct Search {
    query: String,
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u8>,
}

/// Who gets a letter.
#[instructor::model]
#[derive(PartialEq)]
struct Contact {
    name: String,
}

#[instructor::model]
#[derive(PartialEq)]
#[response(validate = polite)]
struct Mail {
    /// The reader.
    to: Contact,
    text: String,
}

fn polite(mail: &Mail, _: &instructor::Context) -> Result<(), Issue> {
    if mail.text.contains("please") { Ok(()) } else { Err(Issue::at("text", "a polite text").got(mail.text.clone())) }
}

/// What can be done.
#[instructor::model]
#[derive(PartialEq)]
enum External {
    /// Searches the web.
    Search(Search),
    Mail(Mail),
    Wait {
        seconds: u8,
    },
    Say(String),
    Stop,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Internal {
    /// Searches the web.
    WebSearch(Search),
    Mail(Mail),
    Wait {
        seconds: u8,
    },
    Stop,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(tag = "do", content = "with")]
enum Adjacent {
    Search(Search),
    Mail(Mail),
    Say(String),
    Stop,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(untagged)]
enum Untagged {
    Search(Search),
    Mail(Mail),
    Wait { seconds: u8 },
}

fn tools(body: &Value) -> Vec<(String, Value)> {
    let tools = ["/tools/0/functionDeclarations", "/toolConfig/tools", "/tools"];
    let tools = tools.iter().find_map(|at| body.pointer(at)).and_then(Value::as_array).unwrap();
    let tool = |tool: &Value| {
        let tool = ["function", "toolSpec"].iter().find_map(|key| tool.get(key)).unwrap_or(tool);
        let schema = ["parameters", "input_schema", "parametersJsonSchema", "inputSchema"]
            .iter()
            .find_map(|key| tool.get(key))
            .unwrap();
        let schema = schema.get("json").unwrap_or(schema);
        (tool["name"].as_str().unwrap().to_owned(), schema.clone())
    };
    tools.iter().map(tool).collect()
}

/// Asks with calls as the answer, in each protocol.
#[track_caller]
fn gives<T: ResponseModel + PartialEq + std::fmt::Debug>(calls: &[(&str, Value)], wanted: &T) {
    for spec in SPECS {
        let script = Script::new().reply(Reply::calls(calls.iter().cloned()));
        let client = script.client(spec);
        let request = client.request("x").mode(Mode::ParallelTools).max_retries(0);
        let got: T = script.block_on(request.create()).unwrap_or_else(|e| panic!("{spec}: {e}: {}", e.issues()));
        assert_eq!(&got, wanted, "{spec}");
        let offered = tools(&script.sent()[0].json());
        for (name, _) in calls {
            assert!(offered.iter().any(|(offered, _)| offered == name), "{name} is none of {offered:?}");
        }
    }
}

fn search(query: &str) -> Search {
    Search { query: query.into(), limit: None }
}

fn mail(text: &str) -> Mail {
    Mail { to: Contact { name: "Ada".into() }, text: text.into() }
}

#[test]
fn the_bodies_of_each_protocol() {
    for spec in SPECS {
        let client = Script::new().client(spec);
        let request = client.request("Search and write.").mode(Mode::ParallelTools);
        let body = request.preview::<Vec<External>>().unwrap().json();
        let name = format!("parallel_{}", spec.split('/').next().unwrap());
        insta::assert_json_snapshot!(name.as_str(), body);
        let text = body.to_string();
        assert!(!text.contains("disable_parallel_tool_use"), "several calls are allowed");
        // A tool has the definitions that it needs and no others.
        let tools = tools(&body);
        let definitions = |tool: &(String, Value)| tool.1["$defs"].as_object().map(|all| all.keys().cloned().collect());
        let found: Vec<Option<Vec<String>>> = tools.iter().map(definitions).collect();
        assert_eq!(found, [None, None, Some(vec!["Contact".into()]), None, None]);
    }
}

#[test]
fn every_way_to_tag_comes_back_in_the_order_of_the_calls() {
    let (find, write) = (json!({ "query": "a" }), json!({ "to": { "name": "Ada" }, "text": "please" }));
    gives(
        &[
            ("Mail", write.clone()),
            ("Search", find.clone()),
            ("Stop", json!({})),
            ("Say", json!({ "Say": "hm" })),
            ("Wait", json!({ "seconds": 3 })),
            ("Search", json!({ "query": "b" })),
        ],
        &vec![
            External::Mail(mail("please")),
            External::Search(search("a")),
            External::Stop,
            External::Say("hm".into()),
            External::Wait { seconds: 3 },
            External::Search(search("b")),
        ],
    );
    gives(
        &[
            ("web_search", find.clone()),
            ("mail", write.clone()),
            ("stop", json!({})),
            ("wait", json!({ "seconds": 3 })),
            // A model may say the tag that it was not asked for.
            ("web_search", json!({ "do": "mail", "query": "b" })),
        ],
        &vec![
            Internal::WebSearch(search("a")),
            Internal::Mail(mail("please")),
            Internal::Stop,
            Internal::Wait { seconds: 3 },
            Internal::WebSearch(search("b")),
        ],
    );
    gives(
        &[("Search", find.clone()), ("Mail", write.clone()), ("Say", json!({ "with": "hm" })), ("Stop", json!({}))],
        &vec![
            Adjacent::Search(search("a")),
            Adjacent::Mail(mail("please")),
            Adjacent::Say("hm".into()),
            Adjacent::Stop,
        ],
    );
    gives(
        &[("Mail", write), ("Search", find.clone()), ("Untagged", json!({ "seconds": 3 }))],
        &vec![Untagged::Mail(mail("please")), Untagged::Search(search("a")), Untagged::Wait { seconds: 3 }],
    );
    gives(&[("Search", find.clone()), ("Search", json!({ "query": "b" }))], &vec![search("a"), search("b")]);
    gives(&[("Search", find)], &vec![External::Search(search("a"))]);
}

#[test]
fn tags_are_not_asked_for() {
    for (contract, name) in [
        (Vec::<External>::contract(), "Search"),
        (Vec::<Internal>::contract(), "web_search"),
        (Vec::<Adjacent>::contract(), "Search"),
        (Vec::<Untagged>::contract(), "Search"),
    ] {
        let client = Script::new().client(SPECS[0]);
        let body = client.request("x").mode(Mode::ParallelTools).preview_value(&contract).unwrap().json();
        let (_, schema) = tools(&body).into_iter().find(|(n, _)| n == name).unwrap();
        assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["query", "limit"]);
        assert_eq!(schema["required"], json!(["query"]));
    }
}

/// The results that a re-ask gives to the calls of the turn before: id, whether it is an error, text.
fn results(body: &Value) -> Vec<(String, bool, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let tool = messages.iter().filter(|m| m["role"] == "tool").map(|m| {
        let said = text(&m["content"]);
        (text(&m["tool_call_id"]), said != "ok", said)
    });
    let blocks = messages.iter().filter(|m| m["role"] == "user").filter_map(|m| m["content"].as_array()).flatten();
    let blocks = blocks.filter_map(|b| match b.get("toolResult") {
        Some(b) => Some((text(&b["toolUseId"]), b["status"] == "error", text(&b["content"][0]["text"]))),
        None if b["type"] == "tool_result" => {
            Some((text(&b["tool_use_id"]), b["is_error"] == true, text(&b["content"])))
        }
        None => None,
    });
    let parts = body["contents"].as_array().into_iter().flatten().flat_map(|turn| turn["parts"].as_array().unwrap());
    let responses =
        parts.map(|part| &part["functionResponse"]).filter(|response| !response.is_null()).map(|response| {
            let (key, said) = response["response"].as_object().unwrap().iter().next().unwrap();
            (String::new(), key == "error", text(said))
        });
    let items = body["input"].as_array().into_iter().flatten().filter(|item| item["type"] == "function_call_output");
    let items = items.map(|item| (text(&item["call_id"]), item["output"] != "ok", text(&item["output"])));
    tool.chain(blocks).chain(responses).chain(items).collect()
}

#[test]
fn each_call_is_told_what_was_wrong_with_it() {
    for spec in SPECS {
        let right =
            [("Search", json!({ "query": "a" })), ("Mail", json!({ "to": { "name": "Ada" }, "text": "please" }))];
        let script = Script::new()
            .reply(Reply::calls([
                ("Search", json!({ "query": "a" })),
                ("Serch", json!({ "query": "b" })),
                ("Search", json!({ "query": "c", "limit": 90 })),
                ("Mail", json!({ "to": {}, "text": "please" })),
                // Fits its schema, and a validator says no.
                ("Mail", json!({ "to": { "name": "Ada" }, "text": "now" })),
                ("Say", json!({ "Say": { "a": [] } })),
                ("Wait", json!({ "seconds": 3 })),
            ]))
            .reply(Reply::calls(right));
        let client = script.client(spec);
        let request = client.request("x").mode(Mode::ParallelTools);
        let (got, completion) = script.block_on(request.create_with_completion::<Vec<External>>()).unwrap();
        assert_eq!(got.len(), 2);
        let first = &completion.report.attempts()[0];
        assert_eq!(first.failure, Some(ErrorKind::SchemaMismatch));
        assert_eq!(first.mode, Mode::ParallelTools);
        let paths: Vec<String> = first.issues.as_slice().iter().map(|i| i.path().to_string()).collect();
        let wanted = ["$[1]", "$[2].Search.limit", "$[3].Mail.to.name", "$[4].Mail.text", "$[5].Say"];
        assert_eq!(paths, wanted, "{}", first.issues);
        let body = script.sent()[1].json();
        let results = results(&body);
        assert_eq!(results.len(), 7, "every call is answered");
        assert_eq!(results.iter().map(|r| r.1).collect::<Vec<_>>(), [false, true, true, true, true, true, false]);
        assert_eq!((results[0].2.as_str(), results[6].2.as_str()), ("ok", "ok"));
        for (index, said) in [
            (1, "got a call of \"Serch\", wanted a call of one of the tools \"Stop\", \"Search\", "),
            (1, "nearest allowed value: Search"),
            (2, "- $.limit: got 90"),
            (3, "- $.to.name: "),
            (4, "- $.text: got now, wanted a polite text"),
            (5, "- $.Say: got {\"a\":[]}"),
        ] {
            assert!(results[index].2.contains(said), "{said}: {}", results[index].2);
            assert_eq!(results[index].2.lines().filter(|l| l.starts_with("- ")).count(), 1);
        }
        let name = format!("parallel_reask_{}", spec.split('/').next().unwrap());
        let turns = ["messages", "contents", "input"].iter().find_map(|key| body.get(key)).unwrap();
        insta::assert_json_snapshot!(name.as_str(), turns);
    }
}

#[test]
fn arguments_that_are_no_json_are_an_issue_of_their_call_and_repairs_are_logged() {
    let call = |id: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": "Search", "arguments": arguments } });
    let said = |calls: &[Value]| {
        Reply::json(json!({ "choices": [{ "finish_reason": "tool_calls", "message": { "tool_calls": calls } }] }))
    };
    let script = Script::new()
        .reply(said(&[call("a", "{'query': 'x',}"), call("b", "no JSON")]))
        .reply(said(&[call("a", "{'query': 'x',}"), call("b", "{\"query\":\"y\"}")]));
    let client = script.client(SPECS[0]);
    let request = client.request("x").mode(Mode::ParallelTools);
    let (got, completion) = script.block_on(request.create_with_completion::<Vec<External>>()).unwrap();
    assert_eq!(got, [External::Search(search("x")), External::Search(search("y"))]);
    let [first, second] = completion.report.attempts() else { panic!() };
    assert_eq!(first.issues.as_slice()[0].path().as_str(), "$[1].Search");
    assert!(second.repairs.iter().any(|r| r.path.as_str().starts_with("$[0].Search")), "{:?}", second.repairs);
    assert_eq!(results(&script.sent()[1].json())[0], ("a".into(), false, "ok".into()));
}

#[instructor::model]
#[derive(PartialEq)]
#[response(validate = all_polite)]
struct Plan(#[schemars(length(min = 2))] Vec<External>);

fn all_polite(_: &Plan, context: &instructor::Context) -> Result<(), Issue> {
    match context.get::<Issues>() {
        Some(issues) => Err(issues.as_slice()[0].clone()),
        None => Ok(()),
    }
}

#[test]
fn what_is_wrong_with_the_list_is_said_once() {
    for spec in SPECS {
        let one = || Reply::calls([("Search", json!({ "query": "a" }))]);
        let script = Script::new().reply(one()).reply(Reply::calls([("Stop", json!({})), ("Stop", json!({}))]));
        let client = script.client(spec);
        let request = client.request("x").mode(Mode::ParallelTools);
        let plan: Plan = script.block_on(request.create()).unwrap();
        assert_eq!(plan, Plan(vec![External::Stop, External::Stop]));
        let results = results(&script.sent()[1].json());
        assert_eq!(results.len(), 1);
        assert!(results[0].2.starts_with("The calls were rejected as a whole:\n- $: "), "{}", results[0].2);
    }
}

#[test]
fn an_empty_list_is_said_in_text_and_no_answer_is_none() {
    for spec in SPECS {
        let script = Script::new().reply(Reply::text("Nothing to do.")).reply(Reply::text("[]"));
        let client = script.client(spec);
        let request = client.request("x").mode(Mode::ParallelTools);
        let (got, completion) = script.block_on(request.create_with_completion::<Vec<External>>()).unwrap();
        assert_eq!(got, []);
        assert_eq!(completion.report.attempts()[0].failure, Some(ErrorKind::Malformed));
        let said = script.sent()[1].json().to_string();
        assert!(said.contains("got no tool call, wanted calls of the tools"), "{said}");
    }
    // A server that ignores the tools answers with the list itself.
    let script = Script::new().reply(Reply::text(r#"Sure: [{"Search":{"query":"a"}},"Stop"]"#));
    let client = script.client(SPECS[0]);
    let request = client.request("x").mode(Mode::ParallelTools);
    let got: Vec<External> = script.block_on(request.create()).unwrap();
    assert_eq!(got, [External::Search(search("a")), External::Stop]);
}

#[test]
fn where_no_call_can_be_forced_it_is_asked_for_in_words() {
    let script = Script::new();
    let client = script.client("anthropic/claude-fable-5");
    let body = client.request("x").mode(Mode::ParallelTools).preview::<Vec<External>>().unwrap().json();
    assert_eq!(body["tool_choice"], json!({ "type": "auto" }));
    let system = body["system"].as_str().unwrap();
    assert!(system.contains("one call for each item") && system.contains("answer with []"), "{system}");
    assert!(system.contains("What can be done."), "{system}");
    // It needs two, so none is no answer.
    let body = client.request("x").mode(Mode::ParallelTools).preview::<Plan>().unwrap().json();
    assert!(!body["system"].as_str().unwrap().contains("[]"));
    // A thinking budget forbids to force.
    let client = script.client("anthropic/claude-haiku-4-5");
    let request = client
        .request("x")
        .mode(Mode::ParallelTools)
        .extra("thinking", json!({ "type": "enabled", "budget_tokens": 2000 }));
    let body = request.preview::<Vec<External>>().unwrap().json();
    assert_eq!(body["tool_choice"], json!({ "type": "auto" }));
}

#[test]
fn what_is_no_such_list_is_refused_before_anything_is_sent() {
    #[instructor::model]
    #[serde(untagged)]
    enum Loose {
        Search(Search),
        Text(String),
    }
    let cases = [
        (Search::contract(), "it is no list"),
        (Vec::<String>::contract(), "an item may be no object (\"string\")"),
        (Vec::<Loose>::contract(), "an item may be no object (\"string\")"),
        (<(Search, Mail)>::contract(), "it is no list"),
        (Option::<Vec<Search>>::contract(), "it is no list"),
        (Contract::from_schema(json!({ "type": "array", "items": { "enum": ["a", "b"] } })).unwrap(), "no objects"),
    ];
    for (contract, why) in cases {
        let script = Script::new();
        let client = script.client(SPECS[0]);
        let error = script.block_on(client.request("x").mode(Mode::ParallelTools).create_value(&contract)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let shown = error.to_string();
        assert!(shown.contains(why) && shown.contains("Vec") && shown.contains("parallel_tools"), "{shown}");
        assert_eq!(script.sent().len(), 0);
    }
}

#[test]
fn a_run_time_contract_and_names_that_no_tool_can_have() {
    let schema = json!({
        "title": "Steps",
        "type": "array",
        "items": { "oneOf": [
            { "type": "object", "description": "Goes.", "properties": { "kind": { "const": "go to" }, "to": { "$ref": "#/definitions/Place" } }, "required": ["kind", "to"] },
            { "type": "object", "properties": { "kind": { "enum": ["go_to"] }, "n": { "type": "integer" } }, "required": ["kind"] },
        ] },
        "definitions": { "Place": { "type": "object", "properties": { "next": { "$ref": "#/definitions/Place" } } }, "Other": {} },
    });
    let contract = Contract::from_schema(schema).unwrap();
    let script = Script::new()
        .reply(Reply::calls([("go_to_2", json!({ "n": 12345 })), ("go_to", json!({ "to": { "next": {} } }))]));
    let client = script.client(SPECS[0]);
    let request = client.request("x").mode(Mode::ParallelTools);
    let (value, _) = script.block_on(request.create_value(&contract)).unwrap();
    assert_eq!(value, json!([{ "kind": "go_to", "n": 12345 }, { "kind": "go to", "to": { "next": {} } }]));
    let body = script.sent()[0].json();
    assert_eq!(body["tools"][0]["function"]["description"], "Goes.");
    assert_eq!(body["tools"][0]["function"]["parameters"]["definitions"].as_object().unwrap().len(), 1);
}

#[test]
fn streamed_calls_are_read_too() {
    let chunk = |delta: Value| format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }));
    let call = |index: u8, name: &str, arguments: &str| {
        chunk(
            json!({ "tool_calls": [{ "index": index, "id": format!("c{index}"), "function": { "name": name, "arguments": arguments } }] }),
        )
    };
    let more = |index: u8, arguments: &str| {
        chunk(json!({ "tool_calls": [{ "index": index, "function": { "arguments": arguments } }] }))
    };
    let openai = [
        call(0, "Search", "{\"que"),
        more(0, "ry\":\"a\"}"),
        call(1, "Stop", ""),
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n".into(),
    ]
    .concat();
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    let start = |index: u8, name: &str| {
        event(
            json!({ "type": "content_block_start", "index": index, "content_block": { "type": "tool_use", "id": format!("t{index}"), "name": name, "input": {} } }),
        )
    };
    let anthropic = [
        event(json!({ "type": "message_start", "message": { "id": "m", "usage": { "input_tokens": 1, "output_tokens": 1 } } })),
        start(0, "Search"),
        event(json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "input_json_delta", "partial_json": "{\"query\":\"a\"}" } })),
        event(json!({ "type": "content_block_stop", "index": 0 })),
        start(1, "Stop"),
        event(json!({ "type": "content_block_stop", "index": 1 })),
        event(json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 9 } })),
        event(json!({ "type": "message_stop" })),
    ]
    .concat();
    for (spec, stream) in [("openai/m", openai), ("anthropic/m", anthropic)] {
        let script = Script::new().reply(Reply::body(stream).header("content-type", "text/event-stream"));
        let client = script.client(spec);
        let got: Vec<External> =
            script.block_on(client.request("x").mode(Mode::ParallelTools).max_retries(0).create()).unwrap();
        assert_eq!(got, [External::Search(search("a")), External::Stop], "{spec}");
    }
}

#[test]
fn auto_never_chooses_it_and_it_never_becomes_another() {
    let profile = Profile::openai_compatible("any", "http://localhost/v1").with_mode(Mode::ParallelTools);
    let script = Script::new();
    let client = script.builder(SPECS[0]).profile(profile).build().unwrap();
    let body = client.request("x").preview::<Vec<External>>().unwrap().json();
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    let said = json!({ "error": { "message": "Invalid schema for function 'Search': no." } });
    let script = Script::new().when(|_| true, Reply::json(said).with_status(400));
    let client = script.client(SPECS[0]);
    let error = script.block_on(client.request("x").mode(Mode::ParallelTools).create::<Vec<External>>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaRefused);
    assert_eq!(script.sent().len(), 1);
    assert_eq!(Path::root().as_str(), "$");
}

#[instructor::model]
#[derive(PartialEq)]
struct Step {
    id: u8,
    #[serde(flatten)]
    action: Internal,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(untagged)]
enum Mixed {
    Known(Internal),
    Other(Note),
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(deny_unknown_fields)]
struct Note {
    tags: std::collections::BTreeMap<String, u8>,
}

#[instructor::model]
#[derive(PartialEq)]
#[serde(tag = "op")]
enum Expr {
    Leaf {
        value: i64,
    },
    #[serde(rename = "n-ary sum")]
    Sum {
        of: Vec<Self>,
    },
    Not {
        of: Box<Self>,
    },
}

/// A word that is no tag, since there is nothing to tell apart.
#[instructor::model]
#[derive(PartialEq)]
struct Marked {
    kind: Kind,
    n: u8,
}

#[instructor::model]
#[derive(PartialEq)]
enum Kind {
    Only,
}

#[instructor::model]
#[derive(PartialEq)]
enum Nested {
    Run(Internal),
    Maybe(Option<Search>),
    Pair(u8, u8),
}

#[test]
fn odd_items_come_back() {
    gives(
        &[("web_search", json!({ "id": 1, "query": "a" })), ("stop", json!({ "id": 2 }))],
        &vec![Step { id: 1, action: Internal::WebSearch(search("a")) }, Step { id: 2, action: Internal::Stop }],
    );
    gives(
        &[("Note", json!({ "tags": { "a": 1 } })), ("stop", json!({}))],
        &vec![Mixed::Other(Note { tags: [("a".into(), 1)].into() }), Mixed::Known(Internal::Stop)],
    );
    gives(
        &[
            ("n-ary_sum", json!({ "of": [{ "op": "Leaf", "value": 3 }, { "op": "n-ary sum", "of": [] }] })),
            ("Not", json!({ "of": { "op": "Leaf", "value": -1 } })),
        ],
        &vec![
            Expr::Sum { of: vec![Expr::Leaf { value: 3 }, Expr::Sum { of: vec![] }] },
            Expr::Not { of: Box::new(Expr::Leaf { value: -1 }) },
        ],
    );
    gives(
        &[
            ("Run", json!({ "Run": { "do": "stop" } })),
            ("Maybe", json!({ "Maybe": null })),
            ("Maybe", json!({ "Maybe": { "query": "a" } })),
            ("Pair", json!({ "Pair": [1, 2] })),
        ],
        &vec![Nested::Run(Internal::Stop), Nested::Maybe(None), Nested::Maybe(Some(search("a"))), Nested::Pair(1, 2)],
    );
    gives(&[("Marked", json!({ "kind": "Only", "n": 1 }))], &vec![Marked { kind: Kind::Only, n: 1 }]);
}

/// What is given out of a streamed answer: what each item is or what is wrong with it, and how the whole ended.
fn streamed(spec: &str, reply: Reply) -> (Vec<Result<External, Option<usize>>>, Option<ErrorKind>) {
    let script = Script::new().reply(reply);
    let client = script.client(spec);
    script.block_on(async {
        let request = client.request("x").mode(Mode::ParallelTools).max_retries(0);
        let mut stream = request.create_iterable::<External>().await.unwrap();
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            match item {
                Ok(item) => items.push(Ok(item)),
                Err(error) if error.item().is_some() => {
                    assert!(!error.issues().is_empty(), "{spec}: {error}");
                    items.push(Err(error.item()));
                }
                Err(error) => return (items, Some(error.kind())),
            }
        }
        (items, None)
    })
}

#[test]
fn calls_are_streamed_one_by_one() {
    let calls = || {
        Reply::calls([
            ("Search", json!({ "query": "rain in Bern", "limit": 3 })),
            ("Fly", json!({ "to": "Bern" })),
            ("Wait", json!({ "seconds": 5 })),
            ("Search", json!({ "query": "x", "limit": 99 })),
            ("Say", json!({ "Say": "It rains." })),
        ])
        .chunks(16)
    };
    let wanted = || {
        let search = External::Search(Search { query: String::from("rain in Bern"), limit: Some(3) });
        vec![
            Ok(search),
            // A tool that was not offered, and arguments that are not valid.
            Err(Some(1)),
            Ok(External::Wait { seconds: 5 }),
            Err(Some(3)),
            Ok(External::Say(String::from("It rains."))),
        ]
    };
    for spec in SPECS {
        assert_eq!(streamed(spec, calls()), (wanted(), None), "{spec}");
        // Each is there before the rest has come.
        let mut counts = Vec::new();
        for at in (0..8000).step_by(61) {
            let (items, end) = streamed(spec, calls().breaks_after(at));
            assert!(items.len() <= 5 && items == wanted()[..items.len()], "{spec} {at}");
            counts.push(items.len());
            // A provider's last words may be more than the answer needs.
            assert!(end.is_none_or(|end| end == ErrorKind::Truncated), "{spec} {at}: {end:?}");
        }
        assert!(counts.is_sorted(), "{spec}: {counts:?}");
        // One protocol tells all calls in one line.
        let apart = !spec.starts_with("ollama_chat/");
        assert!(!apart || (0..=4).all(|count| counts.contains(&count)), "{spec}: {counts:?}");
    }
}
