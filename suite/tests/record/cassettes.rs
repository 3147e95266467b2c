use std::error::Error as _;
use std::fs;
use std::path::Path;

use instructor::testing::{Cassette, Missed, Record, Recording, Replay, Reply, Script};
use instructor::{Client, ErrorKind, Media, Message, Mode, TransportError, TransportErrorKind, blocking};
use serde_json::{Value, json};

use crate::{block_on, fresh, specs};

#[instructor::model(partial)]
#[derive(Clone, PartialEq)]
struct City {
    name: String,
    #[schemars(range(min = 1))]
    people: u32,
}

fn rome() -> Value {
    json!({ "name": "Rome", "people": 2_700_000 })
}

fn recorded(script: &Script, spec: &str, path: &Path) -> Client {
    script.builder(spec).transport(Record::new(script.clone(), path)).build().unwrap()
}

fn replayed(spec: &str, replay: &Replay) -> Client {
    Script::new().builder(spec).transport(replay.clone()).build().unwrap()
}

/// All partials and the value.
async fn streamed(client: &Client, prompt: &str) -> Result<(Vec<Value>, City), instructor::Error> {
    let mut stream = client.request(prompt).create_partial::<City>().await?;
    let mut seen = Vec::new();
    while let Some(partial) = stream.next().await {
        seen.push(serde_json::to_value(partial).unwrap());
    }
    Ok((seen, stream.finish().await?))
}

#[test]
fn what_was_recorded_is_replayed_for_every_provider() {
    for spec in specs() {
        let path = fresh("each");
        // A value that is asked for again, so that there are two exchanges, and a stream.
        let script = Script::new()
            .reply(Reply::value(json!({ "name": "Rome", "people": 0 })).header("x-request-id", "req_1"))
            .reply(Reply::value(rome()))
            .reply(Reply::value(rome()).chunks(5).pieces(7));
        let client = recorded(&script, &spec, &path);
        let (value, completion) = block_on(client.create_with_completion::<City>("Where?")).unwrap();
        let (partials, last) = block_on(streamed(&client, "And then?")).unwrap();
        assert_eq!(script.left(), 0, "{spec}");

        let replay = Replay::open(&path).unwrap();
        let client = replayed(&spec, &replay);
        let (again, replayed) = block_on(client.create_with_completion::<City>("Where?")).unwrap();
        assert_eq!(again, value, "{spec}");
        assert_eq!(replayed.report.attempts().len(), 2, "{spec}");
        for (one, other) in completion.report.attempts().iter().zip(replayed.report.attempts()) {
            assert_eq!(
                (one.failure, one.usage, &one.request_id),
                (other.failure, other.usage, &other.request_id),
                "{spec}"
            );
        }
        let (partials_again, last_again) = block_on(streamed(&client, "And then?")).unwrap();
        assert_eq!((partials_again.last(), last_again), (partials.last(), last), "{spec}");
        replay.assert_done();

        // The blocking client sends the same.
        let replay = Replay::open(&path).unwrap();
        let client = blocking::Client::build_with(Script::new().builder(&spec), replay.clone()).unwrap();
        assert_eq!(client.create::<City>("Where?").unwrap(), value, "{spec}");
        let mut stream = client.request("And then?").create_partial::<City>().unwrap();
        while stream.next().is_some() {}
        assert_eq!(stream.finish().unwrap(), value, "{spec}");
        replay.assert_done();
    }
}

#[test]
fn what_the_blocking_client_records_is_the_same_file() {
    for spec in ["openai/m", "anthropic/m", "bedrock/m", "ollama_chat/m"] {
        let script = || Script::new().reply(Reply::value(rome())).reply(Reply::value(rome()).pieces(11));
        let (one, other) = (fresh("async"), fresh("blocking"));
        let client = recorded(&script(), spec, &one);
        block_on(client.create::<City>("Where?")).unwrap();
        block_on(streamed(&client, "And then?")).unwrap();

        let record = Record::new(script(), &other);
        let client = blocking::Client::build_with(Script::new().builder(spec), record).unwrap();
        client.create::<City>("Where?").unwrap();
        client.request("And then?").create_partial::<City>().unwrap().finish().unwrap();
        assert_eq!(fs::read_to_string(one).unwrap(), fs::read_to_string(other).unwrap(), "{spec}");
    }
}

#[test]
fn a_cassette_is_made_to_be_read() {
    let path = fresh("shown");
    let script = Script::new()
        .reply(Reply::status(429).header("retry-after", "2").header("set-cookie", "session=1").header("server", "x"))
        .reply(Reply::value(rome()).chunks(20).pieces(9).header("content-type", "text/event-stream"));
    let image = Media::image([0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a].repeat(200));
    let client = recorded(&script, "openai/gpt-5-mini", &path);
    let messages = [Message::user("Which city?").with(image)];
    block_on(async {
        client.request(messages).mode(Mode::Tools).create_partial::<City>().await.unwrap().finish().await.unwrap();
    });
    insta::assert_snapshot!(fs::read_to_string(path).unwrap());
}

#[test]
fn order_does_not_matter_but_each_is_used_once() {
    let path = fresh("order");
    let script = Script::new().reply(Reply::value(1)).reply(Reply::value(2)).reply(Reply::value(3));
    let client = recorded(&script, "openai/m", &path);
    for prompt in ["one", "same", "same"] {
        block_on(client.create::<u8>(prompt)).unwrap();
    }

    let replay = Replay::open(&path).unwrap();
    let client = replayed("openai/m", &replay);
    let ask = |client: &Client, prompt: &str| block_on(client.create::<u8>(prompt));
    assert_eq!(ask(&client, "same").unwrap(), 2);
    assert_eq!(replay.unused().len(), 2);
    assert_eq!(ask(&client, "one").unwrap(), 1);
    assert_eq!(ask(&client, "same").unwrap(), 3);
    replay.assert_done();
    let error = ask(&client, "one").unwrap_err();
    assert!(error.to_string().contains("was used already"), "{error}");

    let replay = Replay::open(&path).unwrap().with_repeats();
    let client = replayed("openai/m", &replay);
    let all: Vec<u8> = (0..4).map(|_| ask(&client, "same").unwrap()).collect();
    assert_eq!(all, [2, 3, 3, 3]);
    let left = std::panic::catch_unwind(|| replay.assert_done()).unwrap_err();
    let left = left.downcast_ref::<String>().unwrap();
    assert!(left.contains("nothing asked for 1") && left.contains("POST https://api.openai.com/v1/"), "{left}");
}

#[test]
fn a_miss_says_what_differs() {
    let path = fresh("miss");
    let script = Script::new().reply(Reply::value(rome())).reply(Reply::value(1));
    let client = recorded(&script, "openai/m", &path);
    block_on(client.create::<City>("Where is the Forum?")).unwrap();
    block_on(client.create::<u8>("How many?")).unwrap();

    let replay = Replay::open(&path).unwrap();
    let fallback = Script::new().reply(Reply::value(rome()));
    let client = replayed("openai/m", &replay).with_fallback(fallback.client("anthropic/m"));
    let error = block_on(client.request("Where is the Colosseum?").temperature(0.5).create::<City>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    // Neither asked again nor of another: it would be missed there as well.
    assert_eq!(error.report().attempts().len(), 1);
    assert!(fallback.sent().is_empty());
    let cause = error.source().and_then(|source| source.downcast_ref::<TransportError>()).unwrap();
    assert_eq!(cause.kind(), TransportErrorKind::Unrecorded);
    let missed = cause.source().and_then(|source| source.downcast_ref::<Missed>()).unwrap();
    let [words, temperature] = missed.differences() else { panic!("{missed}") };
    assert!(words.contains("Forum") && words.contains("Colosseum") && words.starts_with("$.body.messages["), "{words}");
    assert_eq!(temperature, "$.body.temperature: (nothing) -> 0.5");
    assert!(error.to_string().contains("record it again"), "{error}");
}

#[test]
fn faults_waits_and_cut_bodies_are_replayed() {
    let path = fresh("faults");
    let script = Script::new()
        .reply(Reply::fault(TransportErrorKind::Connect))
        .reply(Reply::status(503).header("retry-after", "20"))
        .reply(Reply::value(rome()).pieces(10).breaks_after(60))
        .reply(Reply::value(rome()));
    let client = recorded(&script, "anthropic/m", &path);
    let (_, first) = block_on(client.request("Where?").max_retries(5).create_with_completion::<City>()).unwrap();

    let replay = Replay::open(&path).unwrap();
    let client = replayed("anthropic/m", &replay);
    let (value, again) = block_on(client.request("Where?").max_retries(5).create_with_completion::<City>()).unwrap();
    // Nothing is waited for: a future that does is not run to its end by this.
    assert_eq!(value.name, "Rome");
    let kinds = |completion: &instructor::Completion| {
        completion.report.attempts().iter().map(|attempt| attempt.failure).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&again), kinds(&first));
    assert_eq!(again.report.attempts().len(), 4);
    replay.assert_done();
}

#[test]
fn a_recording_without_an_answer_is_none() {
    let path = fresh("none");
    let script = Script::new().reply(Reply::fault(TransportErrorKind::Connect));
    let client = recorded(&script, "openai/m", &path);
    assert!(block_on(client.request("Where?").max_retries(0).create::<City>()).is_err());
    assert!(!path.exists());
    let error = Replay::open(&path).unwrap_err();
    assert!(error.to_string().contains("record it first"), "{error}");
    // Nor is a file that is something else.
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "[]").unwrap();
    assert!(Replay::open(&path).unwrap_err().to_string().contains("no cassette"));
    // And what can't be kept is not asked for.
    let script = Script::new().reply(Reply::value(rome()));
    let client = recorded(&script, "openai/m", &path.join("below-a-file.json"));
    let error = block_on(client.create::<City>("Where?")).unwrap_err();
    assert!(error.to_string().contains("can't be written"), "{error}");
    assert!(script.sent().is_empty());
}

#[test]
fn a_cassette_records_once_over_real_sockets_and_then_needs_no_server() {
    let path = fresh("once");
    let script = Script::new().when(|_| true, Reply::value(rome()).pieces(16));
    let server = script.serve().unwrap();
    let ask = |recording: Recording| {
        let cassette = Cassette::open_for(&path, recording).unwrap();
        let builder = cassette.builder("openai/gpt-5-mini");
        let builder = match cassette.is_recording() {
            true => builder.api_key("sk-0123456789").base_url(server.url()),
            false => builder.base_url(server.url()),
        };
        let client = blocking::Client::build_with(builder, cassette.over(instructor::Ureq::default())).unwrap();
        assert_eq!(client.create::<City>("Where?").unwrap().name, "Rome");
        cassette.assert_done();
        cassette.is_recording()
    };
    assert!(ask(Recording::Once));
    assert_eq!(script.sent().len(), 1);
    assert!(!ask(Recording::Once) && !ask(Recording::Never));
    assert_eq!(script.sent().len(), 1);
    assert!(ask(Recording::Always));
    assert_eq!(script.sent().len(), 2);
}
