use std::collections::BTreeSet;

use instructor::testing::{Reply, Script};
use instructor::{ErrorKind, Labels, Mode, Reasoned};
use serde_json::json;

use crate::{MODES, SPECS};

/// What a message is about.
#[instructor::model(partial)]
#[derive(PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Topic {
    /// Something does not work.
    Bug,
    /// Invoices and payments.
    #[serde(alias = "invoice")]
    Billing,
    /// Anything else.
    Other,
}

#[test]
fn one_label_comes_in_every_mode_of_every_protocol() {
    for spec in SPECS {
        for mode in MODES {
            let script = Script::new().reply(Reply::value("billing"));
            let client = script.client(spec);
            let topic: Topic = script.block_on(client.request("I paid twice.").mode(*mode).create()).unwrap();
            assert_eq!(topic, Topic::Billing, "{spec} {mode:?}");
            let sent = String::from_utf8(script.sent()[0].body().to_vec()).unwrap();
            assert!(sent.contains("Something does not work"), "{spec} {mode:?}: {sent}");
        }
    }
}

#[test]
fn several_labels_come_each_once() {
    for spec in SPECS {
        for mode in MODES {
            let script = Script::new().reply(Reply::value(json!(["bug", "billing"])));
            let client = script.client(spec);
            let topics: BTreeSet<Topic> = script.block_on(client.request("Both.").mode(*mode).create()).unwrap();
            assert_eq!(topics, BTreeSet::from([Topic::Bug, Topic::Billing]), "{spec} {mode:?}");
        }
    }
    let script = Script::new().reply(Reply::value(json!(["bug", "bug"])));
    let ask = script.client("openai/gpt-5-mini");
    let error = script.block_on(ask.request("Both.").max_retries(0).create::<BTreeSet<Topic>>()).unwrap_err();
    assert_eq!(error.issues().as_slice()[0].path().as_str(), "$[1]", "{error:#}");
}

#[test]
fn a_label_can_be_thought_about_and_comes_under_other_names() {
    let reply = Reply::text(r#"{"thoughts": "They paid.", "value": "Invoice"}"#);
    let script = Script::new().reply(reply);
    let client = script.blocking_client("openai/gpt-5-mini");
    let topic: Reasoned<Topic> = client.request("I paid twice.").mode(Mode::Json).create().unwrap();
    assert_eq!(topic.into_inner(), Topic::Billing);
}

#[test]
fn labels_of_run_time_are_closed() {
    let described = Labels::new([("bug", "Something does not work"), ("billing", "Invoices")]).unwrap();
    let named = Labels::new(["bug", "billing"]).unwrap();
    for labels in [described, named] {
        assert_eq!(labels.names().collect::<Vec<_>>(), ["bug", "billing"]);
        for spec in SPECS {
            for mode in MODES {
                let script = Script::new()
                    .reply(Reply::value("feature"))
                    .reply(Reply::value("bug"))
                    .reply(Reply::value(json!(["billing", "bug"])));
                let client = script.client(spec);
                let ask = |contract| client.request("It fails.").mode(*mode).create_value(contract);
                let (one, many) = (labels.one().unwrap(), labels.many().unwrap());
                let (label, done) = script.block_on(ask(&one)).unwrap();
                assert_eq!((label.as_str(), done.report.attempts().len()), (Some("bug"), 2), "{spec} {mode:?}");
                let (all, _) = script.block_on(ask(&many)).unwrap();
                assert_eq!(all, json!(["billing", "bug"]), "{spec} {mode:?}");
            }
        }
    }
}

#[test]
fn labels_that_tell_nothing_apart_are_refused() {
    for (labels, says) in [(vec![], "no labels"), (vec!["a", "b", "a"], "\"a\" is there twice")] {
        let error = Labels::new(labels).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(says), "{error}");
    }
}
