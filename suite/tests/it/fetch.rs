//! Media at URLs for providers that take bytes: what is fetched, how often, from where, and what is not.

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use instructor::testing::{Reply, Script};
use instructor::{
    Body, BoxFuture, Client, ClientBuilder, Completion, Error, ErrorKind, FetchMedia, Media, MediaKind, Message, Mode,
    Transport, TransportError, TransportErrorKind, blocking,
};
use serde_json::json;

/// What is broken.
#[instructor::model]
struct Ticket {
    summary: String,
    #[schemars(range(max = 5))]
    urgency: u8,
}

/// Takes images as bytes only.
const SPEC: &str = "bedrock/amazon.nova-lite-v1:0";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_64: &str = "iVBORw0KGgo=";

fn image(url: &str) -> Media {
    Media::from_url(MediaKind::Image, url)
}

fn asked(url: &str) -> Message {
    Message::user("What is broken?").with(image(url))
}

fn png() -> Reply {
    Reply::body(PNG).header("content-type", "image/png")
}

fn right() -> Reply {
    Reply::value(json!({ "summary": "s", "urgency": 1 }))
}

fn moved(to: &str) -> Reply {
    Reply::status(302).header("location", to)
}

type Outcome = Result<(Ticket, Completion), Error>;

/// The same script for both kinds of client.
fn both(script: impl Fn() -> Script, policy: FetchMedia, messages: &[Message]) -> [(Script, Outcome); 2] {
    let one = script();
    let asynchronous =
        one.block_on(one.client(SPEC).request(messages).fetch_media(policy).create_with_completion::<Ticket>());
    let other = script();
    let client = other.blocking_client(SPEC);
    let blocking = client.request(messages).fetch_media(policy).create_with_completion::<Ticket>();
    [(one, asynchronous), (other, blocking)]
}

/// Why it is not fetched, and what was sent before that.
fn refused(script: impl Fn() -> Script, policy: FetchMedia, url: &str, sent: usize) -> Error {
    let messages = [Message::system("Look."), asked(url)];
    let [(one, first), (other, second)] = both(script, policy, &messages);
    let (first, second) = (first.unwrap_err(), second.unwrap_err());
    assert_eq!((first.kind(), first.to_string()), (second.kind(), second.to_string()));
    assert_eq!((one.sent().len(), other.sent().len()), (sent, sent), "{first}");
    first
}

#[test]
fn nothing_is_fetched_unless_it_is_asked_for() {
    let script = Script::new();
    let error = script.block_on(script.client(SPEC).create::<Ticket>(asked("https://a.example/x.png"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = error.to_string();
    assert!(
        error.contains("bedrock takes no images by URL (message 1, part 2: image/png, URL at a.example)"),
        "{error}"
    );
    assert!(
        error.contains("it takes them as bytes or under s3://; to have it fetched, allow that with fetch_media"),
        "{error}"
    );
    assert!(script.sent().is_empty());
    // A request can take back what its client allows.
    let client = script.builder(SPEC).fetch_media(FetchMedia::new()).build().unwrap();
    let request = client.request(asked("https://a.example/x.png")).fetch_media(None);
    assert_eq!(script.block_on(request.create::<Ticket>()).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(script.sent().is_empty());
}

#[test]
fn what_is_fetched_is_fetched_once_for_all_attempts() {
    let script = || {
        Script::new()
            .reply(png().after(Duration::from_millis(80)))
            .reply(Reply::value(json!({ "summary": "s", "urgency": 9 })))
            .reply(Reply::status(503))
            .reply(right())
    };
    let messages = [asked("HTTPS://a.example/x.png?signature=secret")];
    for (script, result) in both(script, FetchMedia::new(), &messages) {
        let (ticket, completion) = result.unwrap();
        assert_eq!(ticket.urgency, 1);
        let sent = script.sent();
        assert_eq!(sent.len(), 4);
        assert_eq!(sent[0].url(), "https://a.example/x.png?signature=secret");
        // The provider's key is for the provider.
        assert_eq!((sent[0].header("authorization"), sent[0].header("content-type")), (None, None));
        for sent in &sent[1..] {
            assert_eq!(String::from_utf8_lossy(sent.body()).matches(PNG_64).count(), 1);
        }
        let report = &completion.report;
        let fetched = &report.fetched()[0];
        assert_eq!((fetched.message, fetched.part, fetched.bytes, fetched.redirects), (1, 2, 8, 0));
        assert_eq!((fetched.host.as_str(), fetched.mime.as_str()), ("a.example", "image/png"));
        assert_eq!(fetched.elapsed, Duration::from_millis(80));
        assert!(report.elapsed() >= Duration::from_millis(80) && report.attempts().len() == 3);
        let shown = report.to_string();
        let line = "fetched message 1, part 2 (image/png, 8 bytes from a.example, 80 ms)\nattempt 1 ";
        assert!(shown.starts_with(line) && !shown.contains("secret"), "{shown}");
    }
}

#[test]
fn a_step_to_another_mode_fetches_nothing_again() {
    let no_tools = json!({ "message": "This model doesn't support tool use." });
    let script = Script::new().reply(png()).reply(Reply::json(no_tools).with_status(400)).reply(right());
    let client = script.client(SPEC);
    let request = client.request(asked("https://a.example/x.png")).fetch_media(FetchMedia::new());
    let (_, completion) = script.block_on(request.create_with_completion::<Ticket>()).unwrap();
    let modes: Vec<Mode> = completion.report.attempts().iter().map(|attempt| attempt.mode).collect();
    assert!(modes.len() == 2 && modes[0] != modes[1], "{modes:?}");
    assert_eq!(script.sent().iter().filter(|sent| sent.url().contains("a.example")).count(), 1);
    assert!(script.sent()[1..].iter().all(|sent| String::from_utf8_lossy(sent.body()).contains(PNG_64)));
}

#[test]
fn a_stream_fetches_before_it_begins() {
    let script = || Script::new().reply(png()).reply(Reply::value(json!(["a", "b"])));
    let messages = [asked("https://a.example/x.png")];
    let one = script();
    let client = one.client(SPEC);
    let request = client.request(&messages).fetch_media(FetchMedia::new());
    let found: Vec<String> = one.block_on(async {
        let mut stream = request.create_iterable::<String>().await.unwrap();
        let mut found = Vec::new();
        while let Some(item) = stream.next().await {
            found.push(item.unwrap());
        }
        found
    });
    let other = script();
    let client = other.blocking_client(SPEC);
    let request = client.request(&messages).fetch_media(FetchMedia::new());
    let blocking: Vec<String> = request.create_iterable::<String>().unwrap().map(Result::unwrap).collect();
    assert_eq!((found.concat(), blocking.concat()), (String::from("ab"), String::from("ab")));
    for script in [one, other] {
        let sent = script.sent();
        assert_eq!((sent.len(), sent[0].url()), (2, String::from("https://a.example/x.png")));
        assert!(String::from_utf8_lossy(sent[1].body()).contains(PNG_64));
    }
}

#[test]
fn one_url_is_fetched_once_and_takers_of_urls_get_the_url() {
    let twice = Message::user("Compare.").with(image("https://a.example/x.png")).with(image("https://a.example/x.png"));
    let script = || Script::new().reply(png()).reply(right());
    for (script, result) in both(script, FetchMedia::new(), std::slice::from_ref(&twice)) {
        assert_eq!(result.unwrap().1.report.fetched().len(), 1);
        assert_eq!(String::from_utf8_lossy(script.sent()[1].body()).matches(PNG_64).count(), 2);
    }
    let script = Script::new().reply(right());
    let client = script.client("openai/gpt-5-mini");
    script.block_on(client.request(twice).fetch_media(FetchMedia::new()).create::<Ticket>()).unwrap();
    assert!(String::from_utf8_lossy(script.sent()[0].body()).contains("https://a.example/x.png"));
}

#[test]
fn what_a_url_is_to_a_provider_as_bytes_is_fetched_in_that_form() {
    let script = Script::new().reply(Reply::body("a,b\n1,2\n").header("content-type", "text/csv")).reply(right());
    let client = script.client("anthropic/claude-haiku-4-5");
    let table = Media::from_url(MediaKind::Document, "https://a.example/x.csv").with_name("table");
    let request = client.request(Message::user("x").with(table)).fetch_media(FetchMedia::new());
    script.block_on(request.create::<Ticket>()).unwrap();
    let block = &script.sent()[1].json()["messages"][0]["content"][1];
    assert_eq!(block["source"], json!({ "type": "text", "media_type": "text/plain", "data": "a,b\n1,2\n" }));
    assert_eq!(block["title"], "table");
}

#[test]
fn redirects_are_followed_and_each_is_checked() {
    let script = || Script::new().reply(moved("//b.example/y")).reply(moved("z.png")).reply(png()).reply(right());
    for (script, result) in both(script, FetchMedia::new(), &[asked("https://a.example/x")]) {
        let (_, completion) = result.unwrap();
        let fetched = &completion.report.fetched()[0];
        assert_eq!((fetched.host.as_str(), fetched.redirects), ("b.example", 2));
        assert_eq!(script.sent()[2].url(), "https://b.example/z.png");
    }
    let strict = FetchMedia::new();
    for (to, says) in [
        ("http://a.example/x", "FetchMedia::with_http"),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254 has no address that may be asked"),
        ("https://[::ffff:127.0.0.1]/", "with_private_addresses"),
        ("https://me:pw@b.example/", "user name"),
        ("ftp://b.example/x", "only https"),
    ] {
        let error = refused(|| Script::new().reply(moved(to)), strict, "https://a.example/x.png?key=secret", 1);
        assert_eq!(error.kind(), ErrorKind::Media, "{error}");
        let error = error.to_string();
        assert!(error.contains(says) && error.contains("message 2, part 2 (image, URL at a.example)"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let endless = || (0..9).fold(Script::new(), |script, _| script.reply(moved("/again")));
    let error = refused(endless, strict.with_max_redirects(2), "https://a.example/x.png", 3);
    assert!(error.to_string().contains("more than 2 times"), "{error}");
}

#[test]
fn what_is_not_as_it_should_be_says_what_to_do() {
    let strict = FetchMedia::new();
    let small = strict.with_max_bytes(7);
    let cases: [(Reply, FetchMedia, ErrorKind, &str); 9] = [
        (Reply::status(404), strict, ErrorKind::Media, "status 404; give the bytes"),
        (Reply::status(500), strict, ErrorKind::Media, "status 500"),
        (png(), small, ErrorKind::Media, "more than 7 bytes (FetchMedia::with_max_bytes)"),
        (Reply::body(""), strict, ErrorKind::Media, "sends nothing"),
        (Reply::body("<html>").header("content-type", "text/html"), strict, ErrorKind::Media, "it is text/html"),
        (Reply::body("<html>").header("content-type", "image/png"), strict, ErrorKind::Media, "calls it image/png"),
        (
            png().after(Duration::from_secs(31)),
            strict,
            ErrorKind::Transport,
            "more than 30s (FetchMedia::with_timeout)",
        ),
        (Reply::fault(TransportErrorKind::Connect), strict, ErrorKind::Transport, "the connection failed"),
        (Reply::fault(TransportErrorKind::Forbidden), strict, ErrorKind::Media, "a.example has no address"),
    ];
    for (reply, policy, kind, says) in cases {
        let error = refused(|| Script::new().reply(reply.clone()), policy, "https://a.example/x.png", 1);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains("message 2, part 2 (image, URL at a.example)"), "{error}");
    }
    // A type that the provider does not take is known only now.
    let tiff = || Script::new().reply(Reply::body(b"II*\0".as_slice()));
    let error = refused(tiff, strict, "https://a.example/x", 1);
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("image/tiff"), "{error}");
    assert!(
        format!("{error:#}").contains("\n  fetched message 2, part 2 (image/tiff, 4 bytes from a.example"),
        "{error:#}"
    );
}

#[test]
fn the_deadline_of_the_request_covers_the_fetch() {
    let slow = || Script::new().reply(png().after(Duration::from_secs(3))).reply(right());
    let script = slow();
    let client = script.client(SPEC);
    let request = || client.request(asked("https://a.example/x.png")).fetch_media(FetchMedia::new());
    let error = script.block_on(request().deadline(Duration::from_secs(2)).create::<Ticket>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget, "{error}");
    assert_eq!(script.sent()[0].timeout(), Some(Duration::from_secs(2)));
    let script = slow();
    let client = script.client(SPEC);
    let request = client.request(asked("https://a.example/x.png")).fetch_media(FetchMedia::new());
    script.block_on(request.deadline(Duration::from_secs(5)).create::<Ticket>()).unwrap();
    assert_eq!(script.sent()[1].timeout(), Some(Duration::from_secs(2)));
}

#[test]
fn a_preview_fetches_nothing() {
    let script = Script::new();
    let client = script.client(SPEC);
    let request = client.request(asked("https://a.example/x.png")).fetch_media(FetchMedia::new());
    let error = request.preview::<Ticket>().unwrap_err().to_string();
    assert!(error.contains("message 1, part 2") && error.contains("a preview fetches nothing"), "{error}");
    assert!(script.sent().is_empty());
}

/// One that has no `fetch` of its own.
struct Plain(Script);

impl Transport for Plain {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Option<Duration>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Transport::send(&self.0, request, timeout)
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Transport::sleep(&self.0, wait)
    }
}

#[test]
fn a_transport_that_does_not_say_how_fetches_nothing() {
    let script = Script::new();
    let builder = script.builder(SPEC).fetch_media(FetchMedia::new());
    let client = builder.transport(Plain(script.clone())).build().unwrap();
    let error = script.block_on(client.create::<Ticket>(asked("https://a.example/x.png"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("this transport fetches no media: give the bytes"), "{error}");
    assert!(script.sent().is_empty());
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Both transports on the same job, over real sockets.
fn real(provider: &str, url: &str, policy: FetchMedia) -> [Outcome; 2] {
    let builder = || -> ClientBuilder {
        Client::builder().provider(SPEC).api_key("test-key").base_url(provider).max_retries(0).fetch_media(policy)
    };
    let asynchronous = run(async { builder().build().unwrap().create_with_completion::<Ticket>(asked(url)).await });
    [asynchronous, blocking::Client::build(builder()).unwrap().create_with_completion::<Ticket>(asked(url))]
}

#[test]
fn the_transports_fetch_over_real_sockets_what_they_may() {
    let open = FetchMedia::new().with_http().with_private_addresses();
    let script = Script::new()
        .when(|sent| sent.url().ends_with("/x.png"), png())
        .when(|sent| sent.url().ends_with("/moved"), moved("/x.png"))
        .when(|sent| sent.url().ends_with("/away"), moved("http://169.254.169.254/latest/meta-data"))
        .when(|sent| sent.url().contains("converse"), right());
    let server = script.serve().unwrap();
    let (port, url) = (server.url().rsplit(':').next().unwrap().to_owned(), server.url());
    for host in [url.clone(), format!("http://localhost:{port}")] {
        for result in real(&url, &format!("{host}/moved"), open) {
            let (_, completion) = result.unwrap();
            assert_eq!((completion.report.fetched()[0].bytes, completion.report.fetched()[0].redirects), (8, 1));
        }
    }
    let calls = script.sent().len();
    assert_eq!(calls, 12);
    // Looked up, read as an address by the URL's parser, and said in full: closed without a connection.
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1"] {
        for result in real(&url, &format!("http://{host}:{port}/x.png"), FetchMedia::new().with_http()) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Media, "{host}: {error}");
        }
    }
    assert_eq!(script.sent().len(), calls);
    for result in real(&url, &format!("{url}/away"), open) {
        let error = result.unwrap_err();
        assert!(error.to_string().contains("169.254.169.254 has no address that may be asked"), "{error}");
    }
    assert_eq!(script.sent().len(), calls + 2);
}

/// A server that sends this to every request and then does as told.
fn raw_server(head: &'static str, then: fn(&mut dyn Write)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.png", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 65536]);
                let _ = stream.write_all(head.as_bytes());
                then(&mut stream);
            });
        }
    });
    url
}

#[test]
fn size_and_time_are_limited_over_real_sockets() {
    let policy = FetchMedia::new().with_http().with_private_addresses().with_max_bytes(100_000);
    let endless = |stream: &mut dyn Write| while stream.write_all(&[b'x'; 65536]).is_ok() {};
    let wait = |_: &mut dyn Write| thread::sleep(Duration::from_secs(60));
    for (url, policy, says) in [
        (raw_server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", endless), policy, "more than 100000 bytes"),
        // What is announced too large is not read.
        (raw_server("HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n", wait), policy, "more than 100000 bytes"),
        (raw_server("", wait), policy.with_timeout(Duration::from_millis(200)), "more than 200ms"),
        (
            raw_server("HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\nx", wait),
            policy.with_timeout(Duration::from_millis(200)),
            "more than 200ms",
        ),
    ] {
        for result in real("http://127.0.0.1:1", &url, policy) {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
