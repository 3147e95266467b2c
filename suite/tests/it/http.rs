//! The two drivers over real HTTP on the loopback address.

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use instructor::testing::{Reply, Script};
use instructor::{Client, ClientBuilder, Completion, Error, ErrorKind, Profile, blocking};
use serde_json::json;

#[instructor::model]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn builder(url: &str) -> ClientBuilder {
    Client::builder().profile(Profile::openai_compatible("local", format!("{url}/v1"))).model("m")
}

/// Both drivers on the same job.
fn both(builder: impl Fn() -> ClientBuilder) -> [Result<(User, Completion), Error>; 2] {
    let asynchronous = run(async { builder().build().unwrap().create_with_completion::<User>("Ada, 36").await });
    let client = blocking::Client::build(builder()).unwrap();
    [asynchronous, client.create_with_completion::<User>("Ada, 36")]
}

#[test]
fn a_value_after_a_re_ask() {
    let script = (0..2).fold(Script::new(), |script, _| {
        script
            .reply(Reply::value(json!({ "name": "Ada", "age": 360 })))
            .reply(Reply::value(json!({ "name": "Ada", "age": 36 })))
    });
    let server = script.serve().unwrap();
    for result in both(|| builder(&server.url())) {
        let (user, completion) = result.unwrap();
        assert_eq!((user.name.as_str(), user.age), ("Ada", 36));
        assert_eq!(completion.report.attempts().len(), 2);
        assert!(completion.raw.starts_with(b"{"));
    }
    assert_eq!(script.sent().len(), 4);
    assert!(script.sent().iter().all(|s| s.header("content-type") == Some("application/json")));
    assert!(script.sent().iter().all(|s| s.header("user-agent").is_some_and(|v| v.starts_with("instructor-rs/"))));
}

#[test]
fn statuses_and_headers_arrive() {
    let script = (0..2).fold(Script::new(), |script, _| {
        script
            .reply(
                Reply::json(json!({ "error": { "message": "slow" } })).with_status(429).header("retry-after-ms", "20"),
            )
            .reply(Reply::value(json!({ "name": "Ada", "age": 36 })).header("x-request-id", "req-7"))
    });
    let server = script.serve().unwrap();
    for result in both(|| builder(&server.url())) {
        let (_, completion) = result.unwrap();
        let attempts = completion.report.attempts();
        assert_eq!((attempts[0].failure, attempts[0].status), (Some(ErrorKind::RateLimited), Some(429)));
        assert_eq!(attempts[1].waited, Duration::from_millis(20));
        assert_eq!(attempts[1].request_id.as_deref(), Some("req-7"));
    }
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for result in both(|| builder(&format!("http://{free}")).max_retries(0)) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.to_string().contains("connection failed"), "{error}");
        assert!(error.is_retryable());
    }
}

/// A server that sends these bytes to every request and then does as told.
fn raw_server(bytes: Vec<u8>, then: fn(&mut dyn Write)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let bytes = bytes.clone();
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 65536]);
                let _ = stream.write_all(&bytes);
                then(&mut stream);
            });
        }
    });
    url
}

#[test]
fn a_server_that_never_answers_runs_into_the_timeout() {
    let url = raw_server(Vec::new(), |_| thread::sleep(Duration::from_secs(60)));
    for result in both(|| builder(&url).timeout(Duration::from_millis(150)).max_retries(0)) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.to_string().contains("timed out"), "{error}");
    }
}

#[test]
fn a_body_that_drips_runs_into_the_timeout_too() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{".to_vec();
    let url = raw_server(head, |stream| {
        while stream.write_all(b" ").and_then(|()| stream.flush()).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    for result in both(|| builder(&url).timeout(Duration::from_millis(200)).max_retries(0)) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.to_string().contains("timed out"), "{error}");
    }
}

#[test]
fn a_connection_that_breaks_is_a_transport_failure() {
    let url = raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\":".to_vec(), |_| {});
    for result in both(|| builder(&url).max_retries(0)) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
}

#[test]
fn a_connection_that_was_kept_open_and_closed_is_replaced_at_once() {
    let answer = |age: u32| {
        let value = json!({ "name": "Ada", "age": age }).to_string();
        let body = json!({ "choices": [{ "message": { "content": value }, "finish_reason": "stop" }] }).to_string();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    for driver in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for age in [360, 36] {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 65536]);
                stream.write_all(answer(age).as_bytes()).unwrap();
                // The re-ask comes here, and is not answered.
                let _ = stream.read(&mut [0; 65536]);
            }
        });
        let (user, completion) = if driver == 0 {
            run(async { builder(&url).build().unwrap().create_with_completion::<User>("Ada, 36").await.unwrap() })
        } else {
            blocking::Client::build(builder(&url)).unwrap().create_with_completion::<User>("Ada, 36").unwrap()
        };
        assert_eq!(user.age, 36);
        let attempts = completion.report.attempts();
        let failures: Vec<_> = attempts.iter().map(|attempt| attempt.failure).collect();
        assert_eq!(failures, [Some(ErrorKind::SchemaMismatch), Some(ErrorKind::Transport), None], "{attempts:?}");
        assert_eq!(attempts[2].waited, Duration::ZERO);
        assert!(attempts[1].detail.contains("before an answer began"), "{}", attempts[1].detail);
    }
}

#[test]
fn an_endless_body_ends_at_the_limit() {
    let url = raw_server(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec(), |stream| {
        while stream.write_all(&[b' '; 65536]).is_ok() {}
    });
    for result in both(|| builder(&url).max_response_bytes(1 << 20).max_retries(0)) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        assert!(error.to_string().contains("larger than the limit"), "{error}");
    }
}

#[test]
fn the_deadline_is_kept_in_real_time() {
    let url = raw_server(Vec::new(), |_| thread::sleep(Duration::from_secs(60)));
    let client = builder(&url).build().unwrap();
    let deadline = Duration::from_millis(300);
    let error = run(async { client.request("x").deadline(deadline).create::<User>().await.unwrap_err() });
    assert_eq!(error.kind(), ErrorKind::Budget, "{error}");
    let client = blocking::Client::build(builder(&url)).unwrap();
    let error = client.request("x").deadline(deadline).create::<User>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget, "{error}");
}

#[test]
fn many_at_once_share_a_client() {
    let script = Script::new().when(|_| true, Reply::value(json!({ "name": "Ada", "age": 36 })));
    let server = script.serve().unwrap();
    let client = builder(&server.url()).build().unwrap();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let client = client.clone();
            rt.spawn(async move { client.create::<User>("Ada, 36").await })
        })
        .collect();
    for task in tasks {
        assert_eq!(rt.block_on(task).unwrap().unwrap().age, 36);
    }
    assert_eq!(script.sent().len(), 64);
}

#[test]
fn a_redirect_is_an_error_that_names_the_new_address() {
    let moved = Reply::status(307).header("location", "https://elsewhere.example/v1");
    let script = Script::new().when(|_| true, moved);
    let server = script.serve().unwrap();
    for result in both(|| builder(&server.url())) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{error}");
        assert!(error.to_string().contains("https://elsewhere.example/v1"), "{error}");
    }
    assert_eq!(script.sent().len(), 2);
    assert!(script.sent().iter().all(|s| s.header("transfer-encoding").is_none()));
}
