//! What makes two requests the same.

use instructor::cache::{CacheEvent, Caching, MemoryCache, Uncached};
use instructor::testing::{Reply, Script};
use instructor::{Client, Credential, Level, Media, MediaKind, Message, Mode, Request};
use serde_json::{Map, Value, json};

use super::*;

/// Whether a request finds what another has stored.
fn finds(
    first: impl for<'r> Fn(Request<'r>) -> Request<'r>,
    second: impl for<'r> Fn(Request<'r>) -> Request<'r>,
) -> bool {
    let script = always(ada());
    let client = client(&script, MemoryCache::new());
    script.block_on(async {
        let (_, completion) = first(client.request("Ada is 36")).create_with_completion::<User>().await.unwrap();
        assert!(!completion.report.is_cached());
        second(client.request("Ada is 36")).create_with_completion::<User>().await.unwrap().1.report.is_cached()
    })
}

#[test]
fn what_the_provider_is_told_and_what_the_answer_has_to_be() {
    let object = |keys: &[&str]| keys.iter().map(|key| (String::from(*key), json!(1))).collect::<Map<_, _>>();
    assert!(finds(|r| r, |r| r));
    // What changes nothing of the answer that is asked for.
    assert!(finds(|r| r, |r| r.max_retries(7).timeout(Duration::from_secs(3)).label("x")));
    assert!(finds(|r| r.extra("a", object(&["x", "y"])), |r| r.extra("a", object(&["y", "x"]))));
    assert!(finds(|r| r.extra("a", 1).extra("b", 2), |r| r.extra("b", 2).extra("a", 1)));
    // A temperature is part of what is asked, and as good as any other.
    assert!(finds(|r| r.temperature(1.0), |r| r.temperature(1.0)));
    let others: [fn(Request<'_>) -> Request<'_>; 10] = [
        |r| r.model("gpt-5"),
        |r| r.temperature(1.0),
        |r| r.max_tokens(99),
        |r| r.mode(Mode::Tools),
        |r| r.mode(Mode::ThinkThenShape),
        |r| r.level(Level::Lenient),
        |r| r.level(Level::Strict),
        |r| r.extra("seed", 1),
        |r| r.cache_namespace("other"),
        |r| r.cache_key("prompts"),
    ];
    for (number, other) in others.iter().enumerate() {
        assert!(!finds(|r| r, other), "{number}");
        assert!(finds(other, other), "{number}");
    }
    assert!(!finds(
        |r| r.mode(Mode::ThinkThenShape).shape_model("gpt-5"),
        |r| r.mode(Mode::ThinkThenShape).shape_model("gpt-5-nano")
    ));
}

mod changed {
    /// As the other one, but for a limit.
    #[instructor::model]
    pub(super) struct User {
        pub(super) name: String,
        #[schemars(range(max = 140))]
        pub(super) age: u16,
    }

    /// As the other one, in another order.
    pub(super) mod order {
        #[instructor::model]
        pub(crate) struct User {
            #[schemars(range(max = 150))]
            pub(crate) age: u16,
            pub(crate) name: String,
        }
    }
}

#[test]
fn a_schema_that_changes_finds_nothing_of_the_one_before() {
    let script = always(ada());
    let client = client(&script, MemoryCache::new());
    script.block_on(async {
        client.create::<User>("x").await.unwrap();
        let user = client.create::<changed::User>("x").await.unwrap();
        assert_eq!((user.name.as_str(), user.age, script.sent().len()), ("Ada", 36, 2));
        let user = client.create::<changed::order::User>("x").await.unwrap();
        assert_eq!((user.name.as_str(), user.age, script.sent().len()), ("Ada", 36, 3));
        client.create::<User>("x").await.unwrap();
        assert_eq!(script.sent().len(), 3);
    });
}

#[test]
fn who_shares_answers() {
    let script = always(ada());
    let cache = Arc::new(MemoryCache::new());
    let builder = || script.builder(SPEC).cache(Arc::clone(&cache));
    let asks = |client: &Client| {
        let (_, completion) = ask(&script, client);
        completion.report.is_cached()
    };
    let [one, other] = ["key-1", "key-2"].map(|key| builder().api_key(key).build().unwrap());
    // Without a namespace, who has the same key.
    assert!(!asks(&one) && asks(&one) && !asks(&other) && asks(&other));
    assert!(asks(&builder().api_key("key-1").build().unwrap()));
    // With one, who has the same namespace, whatever the key.
    let [one, other] = ["key-1", "key-2"].map(|key| builder().api_key(key).cache_namespace("team").build().unwrap());
    assert!(!asks(&one) && asks(&one) && asks(&other));
    let elsewhere = builder().cache_namespace("team").base_url("https://eu.api.openai.com/v1").build().unwrap();
    assert!(!asks(&elsewhere));
}

#[test]
fn credentials_that_end_need_a_namespace() {
    let script = always(ada());
    let cache = Arc::new(MemoryCache::new());
    let build = |namespace: Option<&str>| {
        let source = || async { Ok::<_, std::io::Error>(Credential::bearer("token")) };
        let builder = Client::builder().provider(SPEC).transport(script.clone()).credentials(source);
        let builder = builder.cache(Arc::clone(&cache));
        match namespace {
            Some(name) => builder.cache_namespace(name).build().unwrap(),
            None => builder.build().unwrap(),
        }
    };
    let (_, completion) = ask(&script, &build(None));
    assert_eq!(completion.report.cache(), [CacheEvent::Unused(Uncached::Anonymous)]);
    assert!(completion.report.to_string().contains("cache_namespace"));
    assert!(cache.is_empty());
    ask(&script, &build(Some("team")));
    assert!(ask(&script, &build(Some("team"))).1.report.is_cached());
}

#[test]
fn media_that_are_fetched_are_not_known_before() {
    let script = Script::new()
        .when(
            |sent| sent.url().contains("a.example"),
            Reply::body(&b"\x89PNG\r\n\x1a\n"[..]).header("content-type", "image/png"),
        )
        .when(|_| true, Reply::value(ada()));
    // It takes images as bytes only.
    let client = script.builder("bedrock/amazon.nova-lite-v1:0").cache(MemoryCache::new()).build().unwrap();
    let asked = [Message::user("Who is it?").with(Media::from_url(MediaKind::Image, "https://a.example/a.png"))];
    for _ in 0..2 {
        let request = client.request(&asked[..]).fetch_media(instructor::FetchMedia::new());
        let (_, completion) = script.block_on(request.create_with_completion::<User>()).unwrap();
        assert_eq!(completion.report.cache(), [CacheEvent::Unused(Uncached::FetchedMedia)]);
    }
    // Where the provider fetches it, the URL is what is asked.
    let client = super::client(&script, MemoryCache::new());
    for cached in [false, true] {
        let request = client.request(&asked[..]).create_with_completion::<User>();
        assert_eq!(script.block_on(request).unwrap().1.report.is_cached(), cached);
    }
}

#[test]
fn what_a_client_has_learnt_changes_nothing() {
    let declined: Value = json!({ "error": {
        "message": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "type": "invalid_request_error", "param": "response_format", "code": null,
    } });
    let refuses = |sent: &instructor::testing::Sent| sent.json().to_string().contains("json_schema");
    let script = || {
        Script::new().when(refuses, Reply::json(declined.clone()).with_status(400)).when(|_| true, Reply::value(ada()))
    };
    let (one, cache) = (script(), Arc::new(MemoryCache::new()));
    let learnt = client(&one, Arc::clone(&cache));
    let (_, completion) = ask(&one, &learnt);
    assert_eq!(completion.report.attempts().len(), 2, "{}", completion.report);
    assert!(ask(&one, &learnt).1.report.is_cached());
    let other = script();
    assert!(ask(&other, &client(&other, cache)).1.report.is_cached());
    assert!(other.sent().is_empty());
}

#[test]
fn a_request_may_ask_anew_or_pass_by() {
    let script = script([ada(), json!({ "name": "Ada", "age": 37 }), json!({ "name": "Ada", "age": 38 })]);
    let client = client(&script, MemoryCache::new());
    let ask = |caching| {
        let request = client.request("Ada is 36").caching(caching).create_with_completion::<User>();
        let (user, completion) = script.block_on(request).unwrap();
        (user.age, words(&completion.report))
    };
    assert_eq!(ask(Caching::Use), (36, vec!["miss", "stored"]));
    assert_eq!(ask(Caching::Refresh), (37, vec!["refresh", "stored"]));
    assert_eq!(ask(Caching::Use), (37, vec!["hit"]));
    assert_eq!(ask(Caching::Bypass), (38, vec![]));
    assert_eq!(ask(Caching::Use), (37, vec!["hit"]));
}

#[test]
fn stored_answers_have_a_time() {
    let script = always(ada());
    let client = client(&script, Glass::default());
    let seconds = Duration::from_secs;
    let ask = |ttl: Option<u64>| {
        let request = client.request("Ada is 36");
        let request = match ttl {
            Some(ttl) => request.cache_ttl(seconds(ttl)),
            None => request,
        };
        words(&script.block_on(request.create_with_completion::<User>()).unwrap().1.report)
    };
    assert_eq!(ask(Some(60)), ["miss", "stored"]);
    pass(&script, seconds(59));
    assert_eq!(ask(None), ["hit"]);
    // A request may want a younger one.
    assert_eq!(ask(Some(59)), ["expired", "stored"]);
    pass(&script, seconds(58));
    assert_eq!(ask(Some(59)), ["hit"]);
    // That the entry was stored for a time counts too.
    pass(&script, seconds(1));
    assert_eq!(ask(None), ["expired", "stored"]);
    pass(&script, seconds(1_000_000));
    assert_eq!(ask(None), ["hit"]);
}
