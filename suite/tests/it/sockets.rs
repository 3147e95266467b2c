//! Streams over real sockets: how much of an answer is read, and when the connection is closed.

use std::io::{ErrorKind as Io, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use instructor::{Client, ClientBuilder, ErrorKind, Issue, Mode, Profile, Watchdog, blocking};
use serde_json::json;

#[instructor::model(partial)]
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tone {
    Calm,
    Angry,
}

#[instructor::model(partial)]
#[derive(Debug)]
struct Letter {
    greeting: String,
    tone: Tone,
    #[response(validate = not_shouted)]
    title: String,
    body: String,
}

fn not_shouted(title: &str) -> Result<(), Issue> {
    if title.chars().any(char::is_lowercase) { Ok(()) } else { Err(Issue::new("a title that is not shouted")) }
}

/// What a connection was used for.
#[derive(Debug)]
struct Seen {
    request: String,
    /// The bytes of the body, and how many of them were written.
    size: usize,
    written: usize,
    /// The client closed the connection.
    closed: bool,
}

/// A server that answers each request on a connection of its own, and tells what came of it.
fn server(answer: impl Fn(usize, TcpStream) -> Seen + Send + 'static) -> (String, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            if tell.send(answer(number, stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (url, told)
}

/// Reads a request, and begins to answer it with a stream.
fn begin(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 65536];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let length = text
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next().unwrap().parse::<usize>().ok());
        if let (Some(length), Some(head)) = (length, text.find("\r\n\r\n"))
            && request.len() >= head + 4 + length
        {
            break;
        }
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    String::from_utf8(request).unwrap()
}

fn event(content: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": content } }] }))
}

/// An answer as a stream of events.
fn events(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let deltas = characters.chunks(16).map(|piece| event(&piece.iter().collect::<String>()));
    let end = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
    deltas.chain([format!("data: {end}\n\n"), String::from("data: [DONE]\n\n")]).collect()
}

fn letter(tone: &str, title: &str) -> String {
    let body: String = (0..4000_u32).map(|n| format!("word{} ", n.wrapping_mul(2_654_435_761))).collect();
    json!({ "greeting": &body[..2000], "tone": tone, "title": title, "body": body }).to_string()
}

/// Writes a stream in small pieces, and looks before each whether the client is still there. After what is wrong it waits
/// for long before it goes on, so that how busy the machine is decides nothing.
fn paced(mut stream: TcpStream, body: &str, wrong: usize) -> Seen {
    let mut seen = Seen { request: begin(&mut stream), size: body.len(), written: 0, closed: false };
    for piece in body.as_bytes().chunks(1024) {
        let patience = if seen.written < wrong { Duration::from_millis(1) } else { Duration::from_secs(5) };
        stream.set_read_timeout(Some(patience)).unwrap();
        let gone = match stream.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), Io::WouldBlock | Io::TimedOut),
        };
        if gone || stream.write_all(piece).is_err() {
            return Seen { closed: true, ..seen };
        }
        seen.written += piece.len();
    }
    seen
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn builder(url: &str) -> ClientBuilder {
    let profile = Profile::openai_compatible("local", format!("{url}/v1"));
    Client::builder().profile(profile).model("m").mode(Mode::Json).watchdog(Watchdog::new())
}

#[test]
fn an_answer_that_is_wrong_at_its_beginning_is_not_read_on() {
    for (tone, title, kind, path) in
        [("Sad", "News", ErrorKind::SchemaMismatch, "$.tone"), ("Calm", "NEWS", ErrorKind::Rejected, "$.title")]
    {
        for driver in 0..2 {
            let wrong = events(&letter(tone, title));
            assert!(wrong.len() > 100_000);
            let (url, told) = server(move |number, stream| match number {
                0 => paced(stream, &wrong, wrong.len() / 20),
                _ => paced(stream, &events(&letter("Calm", "News")), usize::MAX),
            });
            let (made, completion) = if driver == 0 {
                let client = builder(&url).build().unwrap();
                run(async { client.create_with_completion::<Letter>("x").await.unwrap() })
            } else {
                let client = blocking::Client::build(builder(&url)).unwrap();
                client.create_with_completion::<Letter>("x").unwrap()
            };
            assert_eq!((made.tone, &*made.title), (Tone::Calm, "News"));
            let (first, second) = (told.recv().unwrap(), told.recv().unwrap());
            assert!(first.closed && first.written * 10 < first.size, "{first:?}");
            assert_eq!(second.written, second.size);
            assert!(second.request.contains(path), "{}", second.request);
            let [failed, good] = completion.report.attempts() else { panic!("{}", completion.report) };
            assert_eq!((failed.failure, good.failure), (Some(kind), None), "{failed}");
            assert_eq!(failed.issues.as_slice()[0].path().as_str(), path);
            // What stood before the wrong value, four bytes a token.
            assert!((500..600).contains(&failed.stopped.unwrap()), "{failed}");
        }
    }
}

/// Writes without end until nobody takes it any more; tells how much that was, then waits for the client to go.
fn endless(mut stream: TcpStream, blocked: &std::sync::mpsc::Sender<usize>) -> Seen {
    let request = begin(&mut stream);
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut seen = Seen { request, size: 256 << 20, written: 0, closed: false };
    let mut piece = events_of_a_list();
    while seen.written < seen.size {
        match stream.write(piece.as_bytes()) {
            Ok(written) => {
                seen.written += written;
                piece = if written == piece.len() { event("1, 2, 3, ").repeat(1000) } else { piece.split_off(written) };
            }
            Err(error) if matches!(error.kind(), Io::WouldBlock | Io::TimedOut) => break,
            Err(_) => return Seen { closed: true, ..seen },
        }
    }
    blocked.send(seen.written).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    seen.closed = match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => !matches!(error.kind(), Io::WouldBlock | Io::TimedOut),
    };
    seen
}

fn events_of_a_list() -> String {
    format!("{}{}", event("[1, 2, "), event("3, "))
}

#[test]
fn who_does_not_look_reads_nothing_and_who_goes_closes_the_connection() {
    for driver in 0..2 {
        let (tell, blocked) = channel();
        let (url, told) = server(move |_, stream| endless(stream, &tell));
        // What the kernel and the HTTP client hold, which is some megabytes.
        let held_back = move || blocked.recv_timeout(Duration::from_secs(120)).unwrap() < 64 << 20;
        let left = move || told.recv_timeout(Duration::from_secs(120)).unwrap().closed;
        if driver == 0 {
            let client = builder(&url).build().unwrap();
            run(async {
                let mut items = client.request("x").create_iterable::<u32>().await.unwrap();
                assert_eq!(items.next().await.unwrap().unwrap(), 1);
                // The runtime goes on, so that only the stream holds the answer back.
                assert!(tokio::task::spawn_blocking(held_back).await.unwrap());
                drop(items);
                assert!(tokio::task::spawn_blocking(left).await.unwrap());
            });
        } else {
            let client = blocking::Client::build(builder(&url)).unwrap();
            let mut items = client.request("x").create_iterable::<u32>().unwrap();
            assert_eq!(items.next().unwrap().unwrap(), 1);
            assert!(held_back());
            drop(items);
            assert!(left());
        }
    }
}

/// Begins an answer and falls silent until the client goes.
fn silent(mut stream: TcpStream) -> Seen {
    let request = begin(&mut stream);
    let start = event(r#"{"greeting": "Dear"#);
    stream.write_all(start.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let closed = match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => !matches!(error.kind(), Io::WouldBlock | Io::TimedOut),
    };
    Seen { request, size: start.len(), written: start.len(), closed }
}

#[test]
fn a_server_that_falls_silent_is_left_by_both_clients() {
    let soon = Duration::from_millis(200);
    for (idle, watchdog, kind, said) in [
        (soon, Watchdog::new(), ErrorKind::Transport, "nothing came for 200ms"),
        (Duration::from_secs(60), Watchdog::new().with_time(soon), ErrorKind::Runaway, "nothing complete after 200ms"),
    ] {
        for driver in 0..2 {
            let (url, told) = server(|_, stream| silent(stream));
            let builder = || builder(&url).max_retries(0).idle_timeout(idle).watchdog(watchdog);
            let error = if driver == 0 {
                let client = builder().build().unwrap();
                run(async { client.request("x").create_partial::<Letter>().await.unwrap().finish().await.unwrap_err() })
            } else {
                let client = blocking::Client::build(builder()).unwrap();
                client.request("x").create_partial::<Letter>().unwrap().finish().unwrap_err()
            };
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(said), "{driver} {error}");
            assert!(told.recv().unwrap().closed);
        }
    }
}
