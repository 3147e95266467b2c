//! Credentials that are handed in at run time: kept, shared, renewed before their end and after a refusal.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use instructor::testing::{Reply, Script};
use instructor::{BoxFuture, ClientBuilder, Credential, CredentialSource, ErrorKind, Http, Retry, TransportErrorKind};
use serde_json::json;

type Fetched = Result<Credential, Box<dyn StdError + Send + Sync>>;

/// Gives `t-1`, `t-2` and so on, each for an hour.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn next(&self) -> String {
        format!("t-{}", self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

impl CredentialSource for Counted {
    fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Fetched> {
        let credential = Credential::bearer(self.next()).with_expiry(http.now() + Duration::from_secs(3600));
        Box::pin(async { Ok(credential.with_origin("the vault")) })
    }
}

fn builder(script: &Script, source: impl CredentialSource + 'static) -> ClientBuilder {
    script.builder("openai/gpt-5-mini").timeout(Duration::from_secs(7200)).credentials(source)
}

fn tokens(script: &Script) -> Vec<String> {
    let header = |sent: &instructor::testing::Sent| String::from(sent.header("authorization").unwrap_or("-"));
    script.sent().iter().map(header).collect()
}

#[test]
fn one_is_kept_and_shared_until_shortly_before_its_end() {
    let minutes = |n: u64| Reply::value("x").after(Duration::from_secs(60 * n));
    let script = Script::new().reply(minutes(30)).reply(minutes(24)).reply(minutes(2)).reply(minutes(1));
    let source = Counted::default();
    let client = builder(&script, source.clone()).build().unwrap();
    for _ in 0..4 {
        let _: String = script.block_on(client.clone().create("x")).unwrap();
    }
    // At 0, 30, 54 and 56 minutes: five before the hour is up there is another.
    assert_eq!(tokens(&script), ["Bearer t-1", "Bearer t-1", "Bearer t-1", "Bearer t-2"]);
    assert_eq!(source.asked(), 2);
}

#[test]
fn a_refused_one_is_replaced_once() {
    let no = || Reply::json(json!({ "error": { "message": "t-1 t-2 ended" } })).with_status(401);
    let script = Script::new().reply(no()).reply(Reply::value("x")).reply(Reply::value("x"));
    let source = Counted::default();
    let client = builder(&script, source.clone()).max_retries(0).build().unwrap();
    let (_, completion) = script.block_on(client.create_with_completion::<String>("x")).unwrap();
    assert_eq!(completion.report.attempts().len(), 2);
    assert_eq!(completion.report.attempts()[0].failure, Some(ErrorKind::Auth));
    let _: String = script.block_on(client.create("x")).unwrap();
    assert_eq!(tokens(&script), ["Bearer t-1", "Bearer t-2", "Bearer t-2"]);
    assert!(script.waits().is_empty());

    let script = Script::new().reply(no()).reply(no()).reply(Reply::value("x"));
    let client = builder(&script, source.clone()).build().unwrap();
    let error = script.block_on(client.create::<String>("x")).unwrap_err();
    assert_eq!((error.kind(), error.status(), script.sent().len()), (ErrorKind::Auth, Some(401), 2));
    assert!(error.to_string().contains("came from the vault"), "{error}");
    // t-3 and t-4 were sent: what the provider says of them is not shown.
    let said = Reply::json(json!({ "error": { "message": "bad t-5, bad t-6" } })).with_status(401);
    let script = Script::new().reply(said.clone()).reply(said);
    let client = builder(&script, source).build().unwrap();
    let error = script.block_on(client.create::<String>("x")).unwrap_err();
    assert!(!error.to_string().contains("t-6"), "{error}");
}

#[test]
fn streams_are_authorised_as_all_else() {
    let script = Script::new().reply(Reply::status(401)).reply(Reply::value(json!([1, 2])));
    let client = script.builder("vertexai_anthropic/m").credentials(Counted::default()).build().unwrap();
    let numbers = script.block_on(async {
        let mut stream = client.request("x").create_iterable::<u8>().await.unwrap();
        let mut numbers = Vec::new();
        while let Some(number) = stream.next().await {
            numbers.push(number.unwrap());
        }
        numbers
    });
    assert_eq!(numbers, [1, 2]);
    assert_eq!(tokens(&script), ["Bearer t-1", "Bearer t-2"]);
    let sent = script.sent().remove(1);
    assert!(sent.url().ends_with("/publishers/anthropic/models/m:streamRawPredict"), "{}", sent.url());
    assert_eq!((&sent.json()["stream"], &sent.json()["model"]), (&json!(true), &json!(null)));
}

#[test]
fn the_same_again_is_not_sent_again() {
    let script = Script::new().reply(Reply::status(401)).reply(Reply::value("x"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let source = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, std::io::Error>(Credential::key("always")) }
    };
    let client = builder(&script, source).build().unwrap();
    let error = script.block_on(client.create::<String>("x")).unwrap_err();
    assert_eq!((error.kind(), script.sent().len(), asked.load(Ordering::SeqCst)), (ErrorKind::Auth, 1, 2));
    assert_eq!(error.status(), Some(401));
}

#[test]
fn forbidden_is_not_ended() {
    let script = Script::new().reply(Reply::status(403));
    let source = Counted::default();
    let client = builder(&script, source.clone()).build().unwrap();
    let error = script.block_on(client.create::<String>("x")).unwrap_err();
    assert_eq!((error.kind(), source.asked()), (ErrorKind::Auth, 1));
}

#[test]
fn a_source_that_fails_ends_the_request() {
    let script = Script::new();
    let client = builder(&script, || async { Err::<Credential, _>("the vault is sealed") }).build().unwrap();
    let error = script.block_on(client.create::<String>("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("no credential could be had: the vault is sealed"), "{error}");
    assert!(StdError::source(&error).is_none() || error.source().unwrap().to_string() == "the vault is sealed");
    assert!(script.sent().is_empty());
}

/// Asks a service of its own.
struct Service;

impl CredentialSource for Service {
    fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Fetched> {
        Box::pin(async {
            let answer = http.send(http::Request::post("https://tokens.example.com/new").body("who".into())?).await?;
            Ok(Credential::bearer(String::from_utf8(answer.into_body().into())?))
        })
    }
}

#[test]
fn a_service_that_is_away_is_asked_again_in_both_clients() {
    let script = || {
        Script::new()
            .reply(Reply::fault(TransportErrorKind::Connect))
            .reply(Reply::body("abc"))
            .reply(Reply::value("x"))
            .reply(Reply::value("x"))
    };
    let check = |script: &Script, report: &instructor::Report| {
        let sent = script.sent();
        assert_eq!((sent[1].url().as_str(), sent[1].body()), ("https://tokens.example.com/new", &b"who"[..]));
        assert_eq!(sent[1].header("content-length"), Some("3"));
        assert_eq!(tokens(script), ["-", "-", "Bearer abc", "Bearer abc"]);
        assert_eq!(script.waits().len(), 1);
        let first = &report.attempts()[0];
        assert_eq!((report.attempts().len(), first.failure), (2, Some(ErrorKind::Transport)));
        assert!(first.to_string().contains("tokens.example.com"), "{first}");
    };
    let one = script();
    let client = builder(&one, Service).build().unwrap();
    let (_, completion) = one.block_on(client.create_with_completion::<String>("x")).unwrap();
    let _: String = one.block_on(client.create("x")).unwrap();
    check(&one, &completion.report);

    let two = script();
    let client = instructor::blocking::Client::build_with(builder(&two, Service), two.clone()).unwrap();
    let (_, completion) = client.create_with_completion::<String>("x").unwrap();
    let _: String = client.create("x").unwrap();
    check(&two, &completion.report);
}

/// The services that clouds have on their machines are asked without bodies.
#[test]
fn both_transports_send_requests_without_a_body() {
    struct Machine(String);
    impl CredentialSource for Machine {
        fn fetch<'a>(&'a self, http: &'a Http<'_>) -> BoxFuture<'a, Fetched> {
            Box::pin(async {
                let session = http.send(http::Request::put(format!("{}/session", self.0)).body("".into())?).await?;
                let session = String::from_utf8(session.into_body().into())?;
                let request = http::Request::get(format!("{}/token", self.0)).header("x-session", session);
                let token = http.send(request.body("".into())?).await?;
                assert_eq!(token.status(), 200);
                Ok(Credential::bearer(String::from_utf8(token.into_body().into())?))
            })
        }
    }
    let script = [(); 2].iter().fold(Script::new(), |script, ()| {
        script.reply(Reply::body("s-1")).reply(Reply::body("abc")).reply(Reply::value("x"))
    });
    let server = script.serve().unwrap();
    let builder = || {
        let profile = instructor::Profile::openai_compatible("local", format!("{}/v1", server.url()));
        instructor::Client::builder().profile(profile).model("m").credentials(Machine(server.url()))
    };
    let _: String = run(async { builder().build().unwrap().create("x").await }).unwrap();
    let _: String = instructor::blocking::Client::build(builder()).unwrap().create("x").unwrap();
    let paths: Vec<String> = script.sent().iter().map(instructor::testing::Sent::url).collect();
    assert_eq!(paths, [["/session", "/token", "/v1/chat/completions"]; 2].concat());
    assert_eq!(script.sent()[4].header("x-session"), Some("s-1"));
    assert_eq!(tokens(&script), [["-", "-", "Bearer abc"]; 2].concat());
}

#[test]
fn an_old_one_goes_on_while_no_other_can_be_had() {
    let minutes = |n: u64| Reply::value("x").after(Duration::from_secs(60 * n));
    let script = Script::new().reply(minutes(57)).reply(minutes(1)).reply(minutes(5)).reply(minutes(1));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let client = builder(&script, move || {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            let credential = Credential::key("old").with_expiry(UNIX_EPOCH + Duration::from_secs(3600));
            if first { Ok(credential) } else { Err("away") }
        }
    });
    let client = client.retry(Retry::never()).build().unwrap();
    for asks in [1, 2, 3] {
        let _: String = script.block_on(client.create("x")).unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), asks);
    }
    // 63 minutes: it has ended.
    let error = script.block_on(client.create::<String>("x")).unwrap_err();
    assert_eq!((error.kind(), script.sent().len()), (ErrorKind::Auth, 3));
}

/// Takes a moment, and fails as often as it is told to.
#[derive(Clone, Default)]
struct Slow {
    count: Counted,
    failures: Arc<Mutex<usize>>,
}

impl CredentialSource for Slow {
    fn fetch<'a>(&'a self, _: &'a Http<'_>) -> BoxFuture<'a, Fetched> {
        let token = self.count.next();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut failures = self.failures.lock().unwrap();
            if *failures > 0 {
                *failures -= 1;
                return Err("away".into());
            }
            Ok(Credential::bearer(token))
        })
    }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn many_requests_fetch_once() {
    let script = Script::new().when(|_| true, Reply::value("x"));
    for failures in [0, 1] {
        let source = Slow { failures: Arc::new(Mutex::new(failures)), ..Slow::default() };
        let client = builder(&script, source.clone()).build().unwrap();
        let failed = run(async {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let client = client.clone();
                    tokio::spawn(async move { client.create::<String>("x").await.is_err() })
                })
                .collect();
            let mut failed = 0;
            for task in tasks {
                failed += usize::from(task.await.unwrap());
            }
            failed
        });
        // They share what comes of it, also where that is a failure.
        assert_eq!((failed, source.count.asked()), (8 * failures, 1));
    }
}

#[test]
fn who_waits_goes_on_when_who_fetches_is_dropped() {
    let script = Script::new().when(|_| true, Reply::value("x"));
    let source = Slow::default();
    let client = builder(&script, source.clone()).build().unwrap();
    run(async {
        let first = {
            let client = client.clone();
            tokio::spawn(async move { client.create::<String>("x").await })
        };
        tokio::task::yield_now().await;
        let second = {
            let client = client.clone();
            tokio::spawn(async move { client.create::<String>("x").await })
        };
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        second.await.unwrap().unwrap();
    });
    assert_eq!(source.count.asked(), 2);
    assert_eq!(tokens(&script), ["Bearer t-2"]);
}

#[test]
fn threads_fetch_once() {
    /// Gives the others time to come and wait.
    struct Sleepy(Counted);
    impl CredentialSource for Sleepy {
        fn fetch<'a>(&'a self, _: &'a Http<'_>) -> BoxFuture<'a, Fetched> {
            let token = self.0.next();
            std::thread::sleep(Duration::from_millis(50));
            Box::pin(async { Ok(Credential::bearer(token)) })
        }
    }
    let script = Script::new().when(|_| true, Reply::value("x"));
    let count = Counted::default();
    let client =
        instructor::blocking::Client::build_with(builder(&script, Sleepy(count.clone())), script.clone()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| client.create::<String>("x").unwrap());
        }
    });
    assert_eq!((count.asked(), script.sent().len()), (1, 8));
}

#[test]
fn each_kind_goes_where_it_belongs() {
    let sent = |spec: &str, credential: Credential| {
        let script = Script::new().reply(Reply::value("x"));
        let source = move || std::future::ready(Ok::<_, std::io::Error>(credential.clone()));
        let client = script.builder(spec).credentials(source).build().unwrap();
        let shown = format!("{client:?}");
        assert!(!shown.contains("hush"), "{shown}");
        let result = script.block_on(client.create::<String>("x"));
        // A preview has nothing to be authorised with.
        let preview = client.request("x").preview::<String>().unwrap();
        assert!(!format!("{preview:?}").contains("hush"));
        result.map(|_| script.sent().remove(0)).map_err(|error| {
            assert!(!error.to_string().contains("hush"), "{error}");
            error
        })
    };
    let key = sent("anthropic/m", Credential::key("hush")).unwrap();
    assert_eq!((key.header("x-api-key"), key.header("authorization")), (Some("hush"), None));
    let bearer = sent("anthropic/m", Credential::bearer("hush")).unwrap();
    assert_eq!((bearer.header("x-api-key"), bearer.header("authorization")), (None, Some("Bearer hush")));
    let project = http::HeaderName::from_static("x-goog-user-project");
    let paid = Credential::bearer("hush").with_header(project, http::HeaderValue::from_static("p"));
    assert_eq!(sent("openai/m", paid).unwrap().header("x-goog-user-project"), Some("p"));
    let keys = || Credential::aws("AKID", "hush", Some(String::from("hush-too")));
    let signed = sent("bedrock/m", keys()).unwrap();
    assert!(signed.header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 Credential=AKID/19700101/"));
    assert_eq!(signed.header("x-amz-security-token"), Some("hush-too"));
    let error = sent("openai/m", keys()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("bearer token"), "{error}");
    let error = sent("openai/m", Credential::bearer("hush\n")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn every_attempt_is_signed_at_its_own_time() {
    let script = Script::new().reply(Reply::status(429).header("retry-after", "3700")).reply(Reply::value("hello"));
    let retry = Retry::new().with_longest_retry_after(Duration::from_secs(4000));
    let source = || std::future::ready(Ok::<_, std::io::Error>(Credential::aws("AKID", "hidden", None)));
    let client = script.builder("bedrock/m").credentials(source).retry(retry).build().unwrap();
    let _: String = script.block_on(client.create("say hello")).unwrap();
    let sent = script.sent();
    let times: Vec<&str> = sent.iter().filter_map(|sent| sent.header("x-amz-date")).collect();
    assert_eq!(times, ["19700101T000000Z", "19700101T010140Z"]);
    assert_ne!(sent[0].header("authorization"), sent[1].header("authorization"));
    let preview = client.request("say hello").preview::<String>().unwrap();
    assert_eq!(preview.url(), sent[0].url());
}

#[test]
fn ended_keys_of_aws_are_replaced_though_the_status_is_another() {
    let ended = Reply::json(json!({ "message": "The security token included in the request is expired" }))
        .with_status(403)
        .header("x-amzn-errortype", "ExpiredTokenException");
    let script = Script::new().reply(ended).reply(Reply::value("x"));
    let count = Counted::default();
    let source = {
        let count = count.clone();
        move || std::future::ready(Ok::<_, std::io::Error>(Credential::aws(count.next(), "s", None)))
    };
    let client = script.builder("bedrock/m").credentials(source).build().unwrap();
    let _: String = script.block_on(client.create("x")).unwrap();
    assert!(tokens(&script)[1].contains("Credential=t-2/"), "{:?}", tokens(&script));
}
