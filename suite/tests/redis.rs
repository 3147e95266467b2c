//! The store in Redis, against a real server on the loopback interface: one on `PATH`, or what `.ci/redis` has unpacked.
//! Without one the tests are skipped, with a line that says so.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and says that it is skipped")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use instructor::cache::{Cache, CacheEvent, CacheKey, RedisCache};
use instructor::testing::{Reply, Script};
use instructor::{Report, blocking};
use serde_json::json;

#[instructor::model]
struct User {
    name: String,
}

/// A server that ends with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// None if there is no server on this machine.
    fn start() -> Option<Self> {
        let Some(mut command) = command() else {
            eprintln!("SKIPPED: no redis-server on PATH; .ci/redis unpacks one");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        let server = Self { process, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    fn cache(&self) -> RedisCache {
        RedisCache::open(&format!("redis://127.0.0.1:{}/", self.port)).unwrap()
    }

    /// What it says to one command, as it says it.
    fn says(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "{command}\r\nQUIT\r\n").unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn command() -> Option<Command> {
    if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok() {
        return Some(Command::new("redis-server"));
    }
    let servers = std::env::var_os("INSTRUCTOR_SERVERS").map(PathBuf::from);
    let servers =
        servers.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/instructor-servers")))?;
    let redis = servers.join("redis/usr");
    let libraries = std::fs::read_dir(redis.join("lib")).ok()?.filter_map(Result::ok).map(|folder| folder.path());
    let mut command = Command::new(redis.join("bin/redis-server"));
    command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).ok()?);
    redis.join("bin/redis-server").exists().then_some(command)
}

fn client(script: &Script, cache: impl Cache + 'static) -> blocking::Client {
    let builder = script.builder("openai/gpt-5-mini").cache(cache);
    blocking::Client::build_with(builder, script.clone()).unwrap()
}

fn ask(client: &blocking::Client) -> Report {
    let (user, completion) = client.create_with_completion::<User>("Ada is 36").unwrap();
    assert_eq!(user.name, "Ada");
    completion.report
}

fn script() -> Script {
    Script::new().when(|_| true, Reply::value(json!({ "name": "Ada" })))
}

fn words(report: &Report) -> Vec<&str> {
    report.cache().iter().map(CacheEvent::as_str).collect()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

const KEY: CacheKey = CacheKey::new([5; 32]);
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn what_one_stores_others_find() {
    let Some(server) = Server::start() else { return };
    let script = script();
    assert_eq!(words(&ask(&client(&script, server.cache()))), ["miss", "stored"]);
    let other = client(&script, server.cache());
    assert_eq!(words(&ask(&other)), ["hit"]);
    let asynchronous = script.builder("openai/gpt-5-mini").cache(server.cache()).build().unwrap();
    assert!(wait(asynchronous.create_with_completion::<User>("Ada is 36")).unwrap().1.report.is_cached());
    assert_eq!(words(&ask(&client(&script, server.cache().with_prefix("other:")))), ["miss", "stored"]);
    // The claims are gone, and there is nothing else.
    let keys = server.says("KEYS *");
    assert!(keys.starts_with("*2\r\n") && keys.contains("instructor:") && keys.contains("other:"), "{keys}");
    assert!(!keys.contains("claim") && !keys.contains("test-key"), "{keys}");
    // Connections that were closed are made anew.
    server.says("CLIENT KILL TYPE normal");
    assert_eq!(words(&ask(&other)), ["hit"]);
}

#[test]
fn entries_end_with_their_time() {
    let Some(server) = Server::start() else { return };
    let cache = server.cache();
    wait(cache.set(KEY, vec![0, 255, 13, 10].into(), Some(MINUTE))).unwrap();
    assert_eq!(wait(cache.get(KEY)).unwrap().unwrap(), [0, 255, 13, 10][..]);
    let ttl = server.says(&format!("PTTL instructor:{KEY}"));
    let left: i64 = ttl.trim_start_matches(':').lines().next().unwrap().parse().unwrap();
    assert!((1..=60_000).contains(&left), "{ttl}");
    wait(cache.set(KEY, vec![1].into(), None)).unwrap();
    assert!(server.says(&format!("PTTL instructor:{KEY}")).starts_with(":-1"));
    assert_eq!(wait(cache.get(CacheKey::new([6; 32]))).unwrap(), None);
}

#[test]
fn one_claims_and_others_do_not() {
    let Some(server) = Server::start() else { return };
    let (one, other) = (server.cache(), server.cache());
    assert!(wait(one.claim(KEY, MINUTE)).unwrap());
    assert!(!wait(other.claim(KEY, MINUTE)).unwrap());
    one.release(KEY);
    // It is asked on the same connection, after the release.
    assert!(wait(one.claim(KEY, MINUTE)).unwrap());
    wait(one.set(KEY, vec![1].into(), None)).unwrap();
    assert!(wait(other.claim(KEY, Duration::from_millis(1))).unwrap());
    while !wait(one.claim(KEY, MINUTE)).unwrap() {
        thread::yield_now();
    }
}

#[test]
fn sixty_four_on_many_machines_are_one_call() {
    let Some(server) = Server::start() else { return };
    let (script, start) = (script(), Arc::new(Barrier::new(64)));
    let threads: Vec<_> = (0..64)
        .map(|_| {
            let (client, start) = (client(&script, server.cache()), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                // The waits of all add up on the clock of the script.
                let request = client.request("Ada is 36").cache_wait(Duration::from_secs(1_000_000));
                request.create_with_completion::<User>().unwrap().1.report.is_cached()
            })
        })
        .collect();
    let hits = threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>();
    assert_eq!((hits, script.sent().len()), (63, 1));
}

#[test]
fn many_go_out_together() {
    let Some(server) = Server::start() else { return };
    let cache = server.cache();
    wait(async {
        let key = |n: u16| {
            let mut bytes = [0; 32];
            bytes[..2].copy_from_slice(&n.to_le_bytes());
            CacheKey::new(bytes)
        };
        let sets: Vec<_> = (0..1000).map(|n| cache.set(key(n), n.to_string().into(), None)).collect();
        let gets: Vec<_> = (0..1000).map(|n| cache.get(key(n))).collect();
        for set in sets {
            set.await.unwrap();
        }
        for (n, get) in gets.into_iter().enumerate() {
            assert_eq!(get.await.unwrap().unwrap(), n.to_string());
        }
    });
}

#[test]
fn a_server_that_is_down_or_says_no_fails_no_request() {
    let Some(server) = Server::start() else { return };
    let script = script();
    let client = client(&script, server.cache());
    assert_eq!(words(&ask(&client)), ["miss", "stored"]);
    // Full: it reads, and writes nothing.
    server.says("CONFIG SET maxmemory 1");
    let report = ask(&self::client(&script, server.cache().with_prefix("full:")));
    assert!(words(&report).contains(&"failed"), "{report}");
    assert!(report.to_string().contains("OOM"), "{report}");
    drop(server);
    let report = ask(&client);
    assert_eq!(words(&report).first(), Some(&"failed"), "{report}");
    assert_eq!(ask(&client).attempts().len(), 1);
}

#[test]
fn no_password_is_shown() {
    let Some(server) = Server::start() else { return };
    for url in ["redis://:hunter2@127.0.0.1:PORT/", "redis://me:hunter2@127.0.0.1:PORT/0", "redis://:hunter2@/x y"] {
        let shown = match RedisCache::open(&url.replace("PORT", &server.port.to_string())) {
            Err(error) => format!("{error:?} {error:#}"),
            Ok(cache) => format!("{cache:?} {:?}", wait(cache.get(KEY))),
        };
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
