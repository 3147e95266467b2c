//! Files and fine-tuning jobs of a provider.

use instructor::testing::{Reply, Script};
use instructor::tuning::{Files, Tuning, Tunings};
use instructor::{ErrorKind, Profile, TransportErrorKind};
use serde_json::json;

use crate::run;

#[test]
fn a_job_is_not_begun_twice_and_what_is_asked_is_asked_again() {
    let job = json!({ "id": "ftjob-1", "status": "running" });
    let script =
        Script::new().reply(Reply::fault(TransportErrorKind::Closed)).reply(Reply::status(503)).reply(Reply::json(job));
    let client = script.client("openai/m");
    let tunings = Tunings::new(&client).unwrap();
    let error = run(tunings.create(&Tuning::new("m", "file-1"))).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::Transport, 1));
    let state = run(tunings.state("ftjob/1")).unwrap();
    assert!(!state.is_over());
    assert!(script.sent()[2].url().ends_with("/v1/fine_tuning/jobs/ftjob%2F1"));
}

#[test]
fn a_file_goes_up_in_a_form_and_comes_down_in_pieces() {
    let path = std::env::temp_dir().join(format!("instructor-tuning-{}.jsonl", std::process::id()));
    std::fs::write(&path, "{\"messages\":[]}\n").unwrap();
    let script = Script::new()
        .reply(Reply::status(503))
        .reply(Reply::json(json!({ "id": "file-1" })))
        .reply(Reply::body("0123456789").pieces(3));
    // Mistral has the same files.
    let client = script.client("mistral/m");
    let files = Files::new(&client).unwrap();
    assert_eq!(run(files.upload(&path, "fine-tune")).unwrap().id, "file-1");
    let sent = script.sent();
    let body = String::from_utf8(sent[1].body().to_vec()).unwrap();
    let boundary = sent[1].header("content-type").unwrap().split_once("boundary=").unwrap().1;
    assert!(body.ends_with(&format!("{{\"messages\":[]}}\n\r\n--{boundary}--\r\n")), "{body}");
    assert!(body.contains("name=\"purpose\"\r\n\r\nfine-tune\r\n"), "{body}");
    assert_eq!(sent[0].body(), sent[1].body());
    let mut back = Vec::new();
    assert_eq!(run(files.download("file-1", &mut back)).unwrap(), 10);
    assert_eq!(back, b"0123456789");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn who_has_none_is_told_and_a_gateway_is_believed() {
    let script = Script::new();
    for spec in ["anthropic/m", "groq/m", "deepseek/m"] {
        let client = script.client(spec);
        assert_eq!(Tunings::new(&client).unwrap_err().kind(), ErrorKind::Unsupported, "{spec}");
    }
    let gateway = Profile::openai_compatible("gateway", "https://gateway.example/v1").with_batches();
    let client = instructor::Client::builder().profile(gateway).model("m").transport(script).build().unwrap();
    assert!(Tunings::new(&client).is_ok() && Files::new(&client).is_ok());
}
