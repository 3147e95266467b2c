//! Answers that are kept: what is found again, what is not and why, by whom, and what is told of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its own functions")]

mod files;
mod keys;
mod misses;
mod streams;
mod together;
mod told;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use instructor::cache::{Cache, CacheError, CacheEvent, CacheKey, MemoryCache};
use instructor::testing::{Reply, Script};
use instructor::{BoxFuture, Client, Completion, Context, Issue, Report, Transport};
use serde_json::{Value, json};

const SPEC: &str = "openai/gpt-5-mini";

#[instructor::model(partial)]
#[derive(Clone, Debug, PartialEq)]
#[response(validate = not_younger, validate_async = not_older)]
struct User {
    name: String,
    #[schemars(range(max = 150))]
    age: u16,
}

/// The ages that a request takes.
struct From(u16);
struct To(u16);

fn not_younger(user: &User, context: &Context) -> Result<(), Issue> {
    let from = context.get::<From>().map_or(0, |from| from.0);
    if user.age < from { Err(Issue::at("age", "an older one")) } else { Ok(()) }
}

async fn not_older(user: &User, context: &Context) -> Result<(), Issue> {
    let to = context.get::<To>().map_or(150, |to| to.0);
    if user.age > to { Err(Issue::at("age", "a younger one")) } else { Ok(()) }
}

fn ada() -> Value {
    json!({ "name": "Ada", "age": 36 })
}

fn script(replies: impl IntoIterator<Item = Value>) -> Script {
    replies.into_iter().map(Reply::value).fold(Script::new(), Script::reply)
}

/// A script that always answers the same.
fn always(value: Value) -> Script {
    Script::new().when(|_| true, Reply::value(value))
}

fn client(script: &Script, cache: impl Cache + 'static) -> Client {
    script.builder(SPEC).cache(cache).build().unwrap()
}

fn ask(script: &Script, client: &Client) -> (User, Completion) {
    script.block_on(client.create_with_completion::<User>("Ada is 36")).unwrap()
}

/// What the cache did, in words.
fn words(report: &Report) -> Vec<&'static str> {
    report.cache().iter().map(CacheEvent::as_str).collect()
}

/// Time goes by.
fn pass(script: &Script, time: Duration) {
    script.block_on(Transport::sleep(script, time));
}

/// A store that can be looked into.
#[derive(Clone, Default)]
struct Glass(Arc<Mutex<BTreeMap<CacheKey, Bytes>>>);

impl Glass {
    fn entries(&self) -> Vec<Bytes> {
        self.0.lock().unwrap().values().cloned().collect()
    }

    fn change(&self, change: impl Fn(&mut Vec<u8>)) {
        for entry in self.0.lock().unwrap().values_mut() {
            let mut bytes = entry.to_vec();
            change(&mut bytes);
            *entry = bytes.into();
        }
    }
}

impl Cache for Glass {
    fn get(&self, key: CacheKey) -> BoxFuture<'_, Result<Option<Bytes>, CacheError>> {
        Box::pin(std::future::ready(Ok(self.0.lock().unwrap().get(&key).cloned())))
    }

    fn set(&self, key: CacheKey, entry: Bytes, _: Option<Duration>) -> BoxFuture<'_, Result<(), CacheError>> {
        self.0.lock().unwrap().insert(key, entry);
        Box::pin(std::future::ready(Ok(())))
    }
}

#[test]
fn the_second_request_makes_no_call() {
    let script = script([ada()]);
    let client = client(&script, MemoryCache::new());
    let (user, first) = ask(&script, &client);
    let (again, second) = ask(&script, &client);
    assert_eq!(user, again);
    assert_eq!(script.sent().len(), 1);
    assert_eq!((words(&first.report), words(&second.report)), (vec!["miss", "stored"], vec!["hit"]));
    assert!(!first.report.is_cached() && second.report.is_cached());
    assert!(second.report.attempts().is_empty());
    // What the answer was is all there.
    let same =
        |c: &Completion| (c.response.id.clone(), c.response.model.clone(), c.response.finish.clone(), c.raw.clone());
    assert_eq!(same(&first), same(&second));
    assert_eq!(first.response.text(), second.response.text());
    assert_eq!(first.response.usage, second.response.usage);
}

#[test]
fn every_kind_of_request_finds_what_another_has_stored() {
    let script = always(ada());
    let cache = Arc::new(MemoryCache::new());
    let client = client(&script, Arc::clone(&cache));
    let blocking = instructor::blocking::Client::build_with(script.builder(SPEC).cache(cache), script.clone()).unwrap();
    let contract = <User as instructor::ResponseModel>::contract();
    let text = "Ada is 36";
    script.block_on(async {
        client.create::<User>(text).await.unwrap();
        let (value, completion) = client.request(text).create_value(&contract).await.unwrap();
        assert_eq!((value, completion.report.is_cached()), (ada(), true));
        let (json, completion) = client.request(text).create_json(&contract).await.unwrap();
        assert_eq!((json, completion.report.is_cached()), (ada().to_string(), true));
        let partials = client.request(text).create_partial::<User>().await.unwrap();
        assert!(partials.finish_with_completion().await.unwrap().1.report.is_cached());
        let mut many = client.create_many::<User, _>([text, text], 2);
        while let Some(made) = many.next().await {
            assert!(made.result.unwrap().1.report.is_cached());
        }
        assert!(client.request(text).preview::<User>().is_ok());
    });
    assert!(blocking.create_with_completion::<User>(text).unwrap().1.report.is_cached());
    assert!(
        blocking.request(text).create_partial::<User>().unwrap().finish_with_completion().unwrap().1.report.is_cached()
    );
    assert!(blocking.create_many::<User, _>([text], 1).all(|made| made.result.unwrap().1.report.is_cached()));
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn digits_and_order_are_kept() {
    let contract = instructor::Contract::from_schema(json!({
        "title": "Amount",
        "type": "object",
        "properties": { "z": { "type": "number" }, "a": { "type": "number" } },
        "required": ["z", "a"],
    }))
    .unwrap();
    let text = r#"{"z":1.50,"a":0.10000000000000000001}"#;
    let script = Script::new().reply(Reply::text(text));
    let client = client(&script, MemoryCache::new());
    let ask = || script.block_on(client.request("x").create_json(&contract)).unwrap().0;
    assert_eq!((ask(), ask()), (String::from(text), String::from(text)));
}

#[test]
fn what_a_hit_cost_is_nothing_and_what_it_saved_is_told() {
    let wrong = json!({ "name": "Ada", "age": 360 });
    let script = script([wrong, ada()]);
    let ledger = instructor::Ledger::new();
    let client = script.builder(SPEC).cache(MemoryCache::new()).ledger(&ledger).build().unwrap();
    let (_, first) = ask(&script, &client);
    let booked = ledger.total();
    pass(&script, Duration::from_secs(90));
    let (_, second) = ask(&script, &client);
    assert_eq!(ledger.total(), booked);
    assert_eq!(second.report.cost(), instructor::Cost::default());
    assert_eq!(second.report.usage().total(), Some(0));
    let stored = second.report.stored().unwrap();
    assert_eq!((stored.attempts, stored.age), (2, Duration::from_secs(90)));
    assert_eq!((stored.usage, stored.cost), (first.report.usage(), first.report.cost()));
    assert_eq!((stored.provider.as_str(), stored.model.as_str()), ("openai", "gpt-5-mini"));
    assert!(second.report.to_string().starts_with("from the cache: openai/gpt-5-mini, 90 s ago, 2 calls, "));
}

#[test]
fn it_is_the_same_with_every_provider_whole_or_streamed() {
    let specs = instructor::Profile::all().map(|profile| format!("{}/some-model", profile.id()));
    for spec in specs {
        let script = always(ada());
        let builder = || script.builder(&spec).cache_namespace("all");
        let client = builder().cache(MemoryCache::new()).build().unwrap();
        let other = builder().cache(MemoryCache::new()).build().unwrap();
        script.block_on(async {
            let whole = |client: Client| async move { client.create_with_completion::<User>("x").await };
            let streamed = |client: Client| async move {
                client.request("x").create_partial::<User>().await?.finish_with_completion().await
            };
            let Ok((user, first)) = whole(client.clone()).await else {
                return assert!(spec.contains("perplexity"), "{spec}");
            };
            let (again, second) = streamed(client.clone()).await.unwrap();
            assert_eq!((&user, first.report.is_cached()), (&again, false), "{spec}");
            assert!(second.report.is_cached(), "{spec}: {}", second.report);
            let (user, first) = streamed(other.clone()).await.unwrap();
            let (again, second) = whole(other).await.unwrap();
            assert_eq!((&user, first.report.is_cached()), (&again, false), "{spec}");
            assert!(second.report.is_cached(), "{spec}: {}", second.report);
        });
    }
}
