//! Thousands of calls, many in flight, over real HTTP, to a server that misbehaves by a seeded plan: each call ends in a
//! typed outcome inside its deadline, and the reports agree with the server's own books to the call and the token.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use instructor::{
    Budget, Client, ErrorKind, Ledger, Money, Price, Prices, Profile, Report, Request, Retry, Usage, Wait,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[instructor::model]
struct Number {
    #[schemars(range(max = 1_000_000))]
    number: u64,
}

/// What the server does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    None,
    SlowDown,
    SlowDownUntil,
    Broken,
    Busy,
    Reset,
    ResetInside,
    Stall,
    Cut,
    NoJson,
    Wrong,
    Length,
    Refusal,
    Html,
}

/// How many of 100 calls; the rest are answered well.
const PLAN: [(Fault, u32); 13] = [
    (Fault::SlowDown, 6),
    (Fault::SlowDownUntil, 6),
    (Fault::Broken, 4),
    (Fault::Busy, 4),
    (Fault::Reset, 4),
    (Fault::ResetInside, 3),
    (Fault::Stall, 1),
    (Fault::Cut, 3),
    (Fault::NoJson, 4),
    (Fault::Wrong, 6),
    (Fault::Length, 2),
    (Fault::Refusal, 2),
    (Fault::Html, 3),
];

/// What the server has seen and counted.
#[derive(Debug, Default)]
struct Books {
    calls: usize,
    faults: BTreeMap<Fault, usize>,
    /// Tokens of answers that were sent whole.
    input: u64,
    output: u64,
    /// How often each call was made.
    seen: HashMap<u64, u64>,
}

fn random(seed: u64, call: u64, time: u64) -> u64 {
    fastrand::Rng::with_seed(seed ^ call.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (time << 48)).u64(..)
}

fn planned(seed: u64, call: u64, time: u64) -> Fault {
    let mut roll = (random(seed, call, time) % 100) as u32;
    for (fault, share) in PLAN {
        if roll < share {
            return fault;
        }
        roll -= share;
    }
    Fault::None
}

struct Server {
    seed: u64,
    books: Mutex<Books>,
}

impl Server {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let server = Arc::clone(&self);
            tokio::spawn(async move { server.connection(stream).await });
        }
    }

    /// One connection, call after call, until one of them breaks it.
    async fn connection(&self, mut stream: TcpStream) {
        let mut held: Vec<u8> = Vec::new();
        loop {
            let Some(body) = request(&mut stream, &mut held).await else { return };
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let call: u64 = body["messages"][0]["content"].as_str().unwrap().parse().unwrap();
            let (fault, usage) = {
                let mut books = self.books.lock().unwrap();
                let time = books.seen.entry(call).or_default();
                *time += 1;
                let time = *time;
                let fault = planned(self.seed, call, time);
                books.calls += 1;
                *books.faults.entry(fault).or_default() += 1;
                let usage = (10 + random(1, call, time) % 90, 5 + random(2, call, time) % 45);
                if matches!(fault, Fault::None | Fault::NoJson | Fault::Wrong | Fault::Length | Fault::Refusal) {
                    books.input += usage.0;
                    books.output += usage.1;
                }
                (fault, usage)
            };
            if !act(&mut stream, fault, call, usage).await {
                return;
            }
        }
    }
}

/// The body of the next request.
async fn request(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let head = held.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&held[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let end = head + 4 + length.unwrap().trim().parse::<usize>().unwrap();
            if held.len() >= end {
                let rest = held.split_off(end);
                let body = std::mem::replace(held, rest).split_off(head + 4);
                return Some(body);
            }
        }
        if stream.read_buf(held).await.ok()? == 0 {
            return None;
        }
    }
}

/// Answers as planned; whether the connection goes on.
async fn act(stream: &mut TcpStream, fault: Fault, call: u64, (input, output): (u64, u64)) -> bool {
    let answer = |content: serde_json::Value, finish: &str| {
        let usage = json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        json!({ "choices": [{ "message": content, "finish_reason": finish }], "usage": usage }).to_string()
    };
    let said = |text: String| answer(json!({ "role": "assistant", "content": text }), "stop");
    let error = || String::from(r#"{"error":{"message":"not now"}}"#);
    let right = || said(json!({ "number": call }).to_string());
    let (status, header, body) = match fault {
        Fault::None => ("200 OK", "", right()),
        Fault::SlowDown => ("429 Too Many Requests", "", error()),
        Fault::SlowDownUntil => ("429 Too Many Requests", "retry-after-ms: 3\r\n", error()),
        Fault::Broken => ("500 Internal Server Error", "", error()),
        Fault::Busy => ("529 Overloaded", "", error()),
        Fault::NoJson => ("200 OK", "", said(String::from("I would say it is a number."))),
        Fault::Wrong => ("200 OK", "", said(json!({ "number": 1_000_001 }).to_string())),
        Fault::Length => ("200 OK", "", answer(json!({ "content": "{\"number\": 1" }), "length")),
        Fault::Refusal => ("200 OK", "", answer(json!({ "refusal": "I won't." }), "stop")),
        Fault::Html => ("200 OK", "", String::from("<html><body>gateway</body></html>")),
        Fault::Reset => {
            _ = stream.set_zero_linger();
            return false;
        }
        Fault::Stall => {
            tokio::time::sleep(STALL).await;
            return false;
        }
        Fault::ResetInside | Fault::Cut => {
            let body = right();
            let half = body.len() / 2;
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", body.len(), &body[..half]);
            _ = stream.write_all(text.as_bytes()).await;
            _ = stream.flush().await;
            if fault == Fault::ResetInside {
                tokio::time::sleep(Duration::from_millis(2)).await;
                _ = stream.set_zero_linger();
            }
            return false;
        }
    };
    let text = format!("HTTP/1.1 {status}\r\n{header}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.is_ok()
}

const STALL: Duration = Duration::from_millis(2500);
const TIMEOUT: Duration = Duration::from_millis(1500);
const DEADLINE: Duration = Duration::from_secs(20);

/// What the reports say, all together.
#[derive(Debug, Default)]
struct Sums {
    attempts: usize,
    usage: Usage,
    money: Money,
    ended: BTreeMap<&'static str, usize>,
    slowest: Duration,
}

impl Sums {
    fn add(&mut self, report: &Report, ended: &'static str) {
        self.attempts += report.attempts().len();
        self.usage = self.usage + report.usage();
        self.money += report.cost().known;
        *self.ended.entry(ended).or_default() += 1;
        self.slowest = self.slowest.max(report.elapsed());
    }
}

#[test]
fn the_books_balance() {
    // The full run has 10,000: INSTRUCTOR_FAULT_CALLS=10000.
    let calls = std::env::var("INSTRUCTOR_FAULT_CALLS").map_or(1500, |text| text.parse().unwrap());
    let (server, sums, ledger, took) = run(calls, 64, 20_261_126);
    let books = server.books.lock().unwrap();
    println!("{calls} calls in {took:?}: {sums:?}\n{books:?}", books = (&books.calls, &books.faults));
    assert_eq!(sums.ended.values().sum::<usize>() as u64, calls, "each call ended");
    assert_eq!(sums.attempts, books.calls, "attempts are calls that the server has seen");
    assert_eq!(sums.usage.input, Some(books.input));
    assert_eq!(sums.usage.output, Some(books.output));
    // 3 dollars a million tokens in, 15 out.
    let bill = Money::from_micros(3 * books.input + 15 * books.output);
    let total = ledger.total();
    assert_eq!((sums.money, total.cost.known), (bill, bill));
    let used = (total.usage.input, total.usage.output);
    assert_eq!((total.calls, used), (books.calls as u64, (Some(books.input), Some(books.output))));
    assert!(sums.slowest <= DEADLINE + TIMEOUT, "{:?}", sums.slowest);
    // What no attempt can help ends as what it is, and all else in the end well.
    for kind in sums.ended.keys() {
        assert!(["ok", "truncated", "refused"].contains(kind), "{kind}");
    }
    assert!(sums.ended["ok"] as u64 > calls * 9 / 10, "{:?}", sums.ended);
}

fn run(calls: u64, concurrency: usize, seed: u64) -> (Arc<Server>, Sums, Ledger, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server { seed, books: Mutex::default() });
        tokio::spawn(Arc::clone(&server).serve(listener));
        let ledger = Ledger::new();
        let quick = Wait::exponential(Duration::from_millis(2), Duration::from_millis(20)).with_jitter();
        let client = Client::builder()
            .profile(Profile::openai_compatible("faulty", format!("http://{address}/v1")))
            .model("m")
            .retry(Retry::new().with_stop_after_attempt(30).with_wait(quick))
            .budget(Budget::new().with_deadline(DEADLINE))
            .timeout(TIMEOUT)
            .prices(Prices::new().with("faulty", "m", Price::new(Money::from_dollars(3), Money::from_dollars(15))))
            .ledger(ledger.clone())
            .build()
            .unwrap();
        let began = Instant::now();
        let mut sums = Sums::default();
        let requests = (0..calls).map(|call| client.request(call.to_string()));
        let mut many = Request::create_many::<Number>(requests, concurrency);
        while let Some(made) = many.next().await {
            match made.result {
                Ok((value, completion)) => {
                    assert_eq!(value.number, made.index as u64);
                    sums.add(&completion.report, "ok");
                }
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::Budget, "{error:#}");
                    sums.add(error.report(), error.kind().as_str());
                }
            }
        }
        (server, sums, ledger, began.elapsed())
    })
}
